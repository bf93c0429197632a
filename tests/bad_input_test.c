// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What must be refused, and must then change nothing; and what Linux 7.3 got
 * wrong. The latter have a case each, whose name says what is right.
 */

#include "gpuvm_test.h"

#define AT(page) (GT_BASE + GT_PAGES(page))

/* |a0 a1|  |b0 b1|*5 *6|  |## ##| in each of the VMs below. */
static struct drm_gpuvm *bad_vm(struct gt *gt, enum drm_gpuvm_flags flags)
{
	struct drm_gpuvm *vm = gt_vm_at(gt, flags, GT_VM_START, GT_VM_RANGE, AT(8),
					GT_PAGES(2), &gt_ops);

	gt_obj(gt, 'a', vm);
	gt_obj(gt, 'b', NULL);
	gt_build(gt, vm, GT_BASE, "|a0 a1|  |b0 b1|*5 *6|");
	gpuvm_check(gt->test, vm);

	return vm;
}

struct bad_case {
	const char *name;
	u64 addr;
	u64 range;
};

static const struct bad_case bad_cases[] = {
	{ "zero range at the start of a mapping", AT(0), 0 },
	{ "zero range inside of a mapping", AT(1), 0 },
	{ "zero range at the end of a mapping", AT(2), 0 },
	{ "zero range in a gap", AT(2) + 1, 0 },
	{ "zero range at 0", 0, 0 },
	{ "zero range in the reserved range", AT(9), 0 },
	{ "overflow", AT(1), U64_MAX },
	{ "overflow by one", AT(1), -AT(1) + 1 },
	{ "end wraps to 0", AT(1), -AT(1) },
	{ "end wraps behind the start of the VA space", -GT_PAGES(1), AT(4) },
	{ "all of 2^64 but one", 0, U64_MAX },
	{ "before the VA space", 0, GT_VM_START },
	{ "over the start of the VA space", GT_VM_START - 1, GT_PAGES(1) },
	{ "around the VA space", GT_VM_START - 1, GT_VM_RANGE + 2 },
	{ "over the end of the VA space", GT_VM_START + GT_VM_RANGE - 1, 2 },
	{ "behind the VA space", GT_VM_START + GT_VM_RANGE, GT_PAGES(1) },
	{ "last byte of 2^64", U64_MAX, 1 },
	{ "touches the reserved range with its last byte", AT(0), GT_PAGES(8) + 1 },
	{ "touches the reserved range with its first byte", AT(10) - 1, GT_PAGES(1) },
	{ "the reserved range", AT(8), GT_PAGES(2) },
	{ "inside the reserved range", AT(9), 1 },
	{ "around the reserved range", AT(6), GT_PAGES(6) },
	{ "the whole VA space", GT_VM_START, GT_VM_RANGE },
};

KUNIT_ARRAY_PARAM_DESC(bad, bad_cases, name);

static struct drm_gpuvm_map_req bad_req(struct gt *gt, const struct bad_case *c)
{
	return (struct drm_gpuvm_map_req) {
		.map = { { c->addr, c->range }, { 0, gt_obj_find(gt, 'a') } },
	};
}

static void bad_range_is_not_valid(struct kunit *test)
{
	const struct bad_case *c = test->param_value;
	struct drm_gpuvm *vm = bad_vm(test->priv, 0);

	KUNIT_EXPECT_FALSE(test, drm_gpuvm_range_valid(vm, c->addr, c->range));
}

static void bad_range_sm_map(struct kunit *test)
{
	const struct bad_case *c = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bad_vm(gt, 0);
	struct gt_walk walk = { .gt = gt, .vm = vm };
	struct drm_gpuvm_map_req req = bad_req(gt, c);
	char *before = gt_snapshot(test, vm);
	struct drm_gpuva_ops *ops;

	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_map(vm, &walk, &req), -EINVAL);
	KUNIT_EXPECT_EQ(test, walk.calls, 0);
	req.map.gem.obj = NULL;
	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_map(vm, &walk, &req), -EINVAL);
	KUNIT_EXPECT_EQ(test, walk.calls, 0);

	gt_alloc_begin(gt);
	ops = drm_gpuvm_sm_map_ops_create(vm, &req);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(ops), -EINVAL);
	gt_alloc_end(gt);
	gt_expect_unchanged(test, vm, before);
}

static void bad_range_sm_unmap(struct kunit *test)
{
	const struct bad_case *c = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bad_vm(gt, 0);
	struct gt_walk walk = { .gt = gt, .vm = vm };
	char *before = gt_snapshot(test, vm);
	struct drm_gpuva_ops *ops;

	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_unmap(vm, &walk, c->addr, c->range), -EINVAL);
	KUNIT_EXPECT_EQ(test, walk.calls, 0);

	gt_alloc_begin(gt);
	ops = drm_gpuvm_sm_unmap_ops_create(vm, c->addr, c->range);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(ops), -EINVAL);
	gt_alloc_end(gt);
	gt_expect_unchanged(test, vm, before);
}

static void bad_range_madvise(struct kunit *test)
{
	const struct bad_case *c = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bad_vm(gt, 0);
	struct drm_gpuvm_map_req req = bad_req(gt, c);
	char *before = gt_snapshot(test, vm);
	struct drm_gpuva_ops *ops;

	req.map.gem.obj = NULL;
	gt_alloc_begin(gt);
	ops = drm_gpuvm_madvise_ops_create(vm, &req);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(ops), -EINVAL);
	gt_alloc_end(gt);
	gt_expect_unchanged(test, vm, before);
}

static void bad_range_prefetch(struct kunit *test)
{
	const struct bad_case *c = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bad_vm(gt, 0);
	char *before = gt_snapshot(test, vm);
	struct drm_gpuva_ops *ops;

	gt_alloc_begin(gt);
	ops = drm_gpuvm_prefetch_ops_create(vm, c->addr, c->range);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(ops), -EINVAL);
	gt_alloc_end(gt);
	gt_expect_unchanged(test, vm, before);
}

static void bad_range_exec_lock(struct kunit *test)
{
	const struct bad_case *c = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bad_vm(gt, 0);
	struct drm_gpuvm_map_req req = bad_req(gt, c);
	char *before = gt_snapshot(test, vm);
	struct drm_exec exec;
	int ret;

	drm_exec_init(&exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
	drm_exec_until_all_locked(&exec) {
		ret = drm_gpuvm_sm_map_exec_lock(vm, &exec, 0, &req);
		drm_exec_retry_on_contention(&exec);
		KUNIT_EXPECT_EQ(test, ret, -EINVAL);
		ret = drm_gpuvm_sm_unmap_exec_lock(vm, &exec, c->addr, c->range);
		drm_exec_retry_on_contention(&exec);
		KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	}
	KUNIT_EXPECT_EQ(test, exec.num_objects, 0);
	gt_expect_unchanged(test, vm, before);
	drm_exec_fini(&exec);
}

static void bad_range_insert(struct kunit *test)
{
	const struct bad_case *c = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bad_vm(gt, 0);
	struct drm_gpuva *va = gt_va(gt, c->addr, c->range, NULL, 0);
	struct drm_gpuva_op_map op = { { c->addr, c->range }, { 0, NULL } };
	char *before = gt_snapshot(test, vm);

	KUNIT_EXPECT_EQ(test, drm_gpuva_insert(vm, va), -EINVAL);
	gt_expect_unchanged(test, vm, before);
	KUNIT_EXPECT_EQ(test, drm_gpuva_map(vm, va, &op), -EINVAL);
	gt_expect_unchanged(test, vm, before);
	gpuvm_check(test, vm);
	gt_va_free(va);
}

/* An object's part may end with the last byte of 2^64, and not behind it. */
static void object_offset_overflow(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bad_vm(gt, 0);
	struct gt_walk walk = { .gt = gt, .vm = vm };
	struct drm_gpuvm_map_req req = {
		.map = { { AT(2), GT_PAGES(1) }, { -GT_PAGES(1) + 1, gt_obj_find(gt, 'a') } },
	};
	struct drm_exec exec;

	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_map(vm, &walk, &req), -EINVAL);
	KUNIT_EXPECT_EQ(test, walk.calls, 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(drm_gpuvm_sm_map_ops_create(vm, &req)),
			-EINVAL);
	drm_exec_init(&exec, 0, 0);
	drm_exec_until_all_locked(&exec)
		KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_map_exec_lock(vm, &exec, 0, &req),
				-EINVAL);
	KUNIT_EXPECT_EQ(test, exec.num_objects, 0);
	drm_exec_fini(&exec);

	req.map.gem.offset--;
	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_map(vm, &walk, &req), 0);
	KUNIT_EXPECT_EQ(test, walk.calls, 1);

	/* Without object the offset is the driver's business. */
	req.map.gem.obj = NULL;
	req.map.gem.offset = U64_MAX;
	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_map(vm, &walk, &req), 0);
	KUNIT_EXPECT_EQ(test, walk.calls, 2);
}

enum missing { MAP, REMAP, UNMAP };

/* No callback is called unless all that may be needed are there. */
static void missing_callbacks(struct kunit *test)
{
	static struct drm_gpuvm_ops ops;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm;
	struct gt_walk walk = { .gt = gt };
	struct drm_gpuvm_map_req req = { .map.va = { AT(1), GT_PAGES(1) } };
	struct drm_gpuva_ops *list;
	enum missing missing;
	char *before;

	for (missing = MAP; missing <= UNMAP; missing++) {
		ops = gt_ops;
		if (missing == MAP)
			ops.sm_step_map = NULL;
		else if (missing == REMAP)
			ops.sm_step_remap = NULL;
		else
			ops.sm_step_unmap = NULL;

		vm = gt_vm_at(gt, 0, GT_VM_START, GT_VM_RANGE, 0, 0, &ops);
		gt_build(gt, vm, GT_BASE, "|*0|*1|*2|");
		before = gt_snapshot(test, vm);
		walk.vm = vm;
		walk.calls = 0;

		KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_map(vm, &walk, &req), -EINVAL);
		KUNIT_EXPECT_EQ(test, walk.calls, 0);
		KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_unmap(vm, &walk, AT(1), GT_PAGES(1)),
				missing == MAP ? 0 : -EINVAL);
		KUNIT_EXPECT_EQ(test, walk.calls, missing == MAP);

		/* Lists need none of them. */
		list = drm_gpuvm_sm_map_ops_create(vm, &req);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, list);
		drm_gpuva_ops_free(vm, list);
		gt_expect_unchanged(test, vm, before);
		gt_vm_drop(gt, vm);
	}
}

/* ---- what 7.3 got wrong -------------------------------------------------- */

static void zero_range_does_not_split(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bad_vm(gt, 0);
	struct gt_log *log = gt_log(test, GT_BASE);

	KUNIT_EXPECT_EQ(test, gt_sm_unmap(gt, vm, AT(1), 0, log), -EINVAL);
	KUNIT_EXPECT_EQ(test, gt_sm_map(gt, vm, AT(1), 0, NULL, 0, log), -EINVAL);
	KUNIT_EXPECT_EQ(test, log->n, 0);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_first(vm, AT(1), 0), NULL);
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_interval_empty(vm, AT(2), 0));
	gt_expect_picture(test, vm, GT_BASE, "|a0 a1|  |b0 b1|*5 *6|  |## ##|", "same");
}

static void va_space_up_to_last_byte(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm_at(gt, 0, GT_VM_START, -GT_VM_START, 0, 0, &gt_ops);
	struct gt_log *log = gt_log(test, -GT_PAGES(4));

	KUNIT_EXPECT_EQ(test, vm->mm_range, -GT_VM_START);
	KUNIT_EXPECT_EQ(test, 0, gt_sm_map(gt, vm, -GT_PAGES(4), GT_PAGES(4), NULL, 0,
					   log));
	KUNIT_EXPECT_EQ(test, 0, gt_sm_map(gt, vm, -GT_PAGES(3), GT_PAGES(1), NULL,
					   GT_PAGES(9), log));
	KUNIT_EXPECT_EQ(test, 0, gt_sm_unmap(gt, vm, -GT_PAGES(1), GT_PAGES(1), log));
	gt_expect_picture(test, vm, -GT_PAGES(4), "|*0|*9|*2|", "end");
	KUNIT_EXPECT_EQ(test, -EINVAL, gt_sm_map(gt, vm, -GT_PAGES(1), GT_PAGES(1) + 1,
						 NULL, 0, NULL));
	gpuvm_check(test, vm);
}

static void range_sums_do_not_wrap(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bad_vm(gt, 0);
	struct drm_gpuva *va;

	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_first(vm, AT(6), U64_MAX), NULL);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find(vm, AT(6), U64_MAX), NULL);
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_interval_empty(vm, AT(20), U64_MAX));
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_range_valid(vm, AT(20), U64_MAX));
	drm_gpuvm_for_each_va_range(va, vm, AT(6), AT(5))
		KUNIT_FAIL(test, "a walk backwards\n");
}

static void op_list_failure_leaks_nothing(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bad_vm(gt, 0);
	struct drm_gpuva_ops *ops;
	unsigned int nth = 0;

	/* A remap with both parts; copying the second is what failed. */
	gt_alloc_begin(gt);
	do {
		gt->allocs = 0;
		gt->fail_nth = ++nth;
		ops = drm_gpuvm_sm_unmap_ops_create(vm, AT(0) + 1, 1);
	} while (IS_ERR(ops));
	drm_gpuva_ops_free(vm, ops);
	gt_alloc_end(gt);
	KUNIT_EXPECT_GT(test, nth, 2);
}

static void prefetch_validates_and_skips_reserved(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bad_vm(gt, 0);
	struct drm_gpuva_ops *ops;
	struct drm_gpuva_op *op;
	unsigned int n = 0;

	ops = drm_gpuvm_prefetch_ops_create(vm, AT(6), GT_PAGES(3));
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(ops), -EINVAL);

	ops = drm_gpuvm_prefetch_ops_create(vm, AT(0), GT_PAGES(8));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ops);
	drm_gpuva_for_each_op(op, ops) {
		KUNIT_EXPECT_PTR_NE(test, op->prefetch.va, &vm->kernel_alloc_node);
		n++;
	}
	KUNIT_EXPECT_EQ(test, n, 3);
	drm_gpuva_ops_free(vm, ops);
}

static void iteration_can_skip_reserved(struct kunit *test)
{
	struct drm_gpuvm *vm = bad_vm(test->priv, 0);
	struct drm_gpuva *va;
	unsigned int n = 0;

	drm_gpuvm_for_each_mapping(va, vm) {
		KUNIT_EXPECT_PTR_NE(test, va, &vm->kernel_alloc_node);
		n++;
	}
	KUNIT_EXPECT_EQ(test, n, 3);
}

static void bad_reserved_range_tears_down_cleanly(struct kunit *test)
{
	static const struct {
		u64 addr, range;
	} reserved[] = {
		{ 0, GT_PAGES(1) }, { GT_VM_START - 1, 2 }, { AT(0), U64_MAX },
		{ GT_VM_START + GT_VM_RANGE, 1 },
	};
	struct gt *gt = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reserved); i++) {
		struct drm_gpuvm *vm;

		vm = gt_vm_at(gt, 0, GT_VM_START, GT_VM_RANGE, reserved[i].addr,
			      reserved[i].range, &gt_ops);
		gpuvm_check(test, vm);
		KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_first(vm, 0, U64_MAX), NULL);
		gt_vm_drop(gt, vm);
	}
	KUNIT_EXPECT_EQ(test, gt_warnings(gt), 0);
}

static void insert_failure_is_reported(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bad_vm(gt, 0);
	struct drm_gpuva *va = gt_va(gt, 0, 0, NULL, 0);
	struct drm_gpuva_op_map op = { { AT(1), GT_PAGES(1) }, { 0, NULL } };
	struct drm_gpuva_op_unmap unmap = {
		.va = drm_gpuva_find(vm, AT(0), GT_PAGES(2)),
	};
	struct drm_gpuva_op_map outside = { { AT(1), GT_PAGES(2) }, { 0, NULL } };
	struct drm_gpuva_op_remap remap = { .next = &outside, .unmap = &unmap };
	char *before = gt_snapshot(test, vm);

	KUNIT_EXPECT_EQ(test, drm_gpuva_map(vm, va, &op), -EEXIST);
	KUNIT_EXPECT_EQ(test, drm_gpuva_remap(NULL, va, &remap), -EINVAL);
	gt_expect_unchanged(test, vm, before);
	gpuvm_check(test, vm);
	gt_va_free(va);
}

static void num_fences_0_locks_only(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bad_vm(gt, 0);
	struct drm_gem_object *b = gt_obj_find(gt, 'b'), *c = gt_obj(gt, 'c', NULL);
	struct drm_gpuvm_map_req req = { .map = { { AT(2), GT_PAGES(1) }, { 0, c } } };
	struct drm_gpuvm_exec vm_exec = { .vm = vm };
	struct drm_exec exec;
	int ret;

	/* 7.3 warned and failed in these two. */
	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock_array(&vm_exec, &c, 1), 0);
	drm_gpuvm_exec_unlock(&vm_exec);

	drm_exec_init(&exec, 0, 0);
	drm_exec_until_all_locked(&exec) {
		ret = drm_gpuvm_sm_map_exec_lock(vm, &exec, 0, &req);
		drm_exec_retry_on_contention(&exec);
		KUNIT_EXPECT_EQ(test, ret, 0);
	}
	KUNIT_EXPECT_EQ(test, exec.num_objects, 1);
	drm_exec_fini(&exec);

	KUNIT_EXPECT_PTR_EQ(test, (void *)rcu_access_pointer(b->resv->fences), NULL);
	KUNIT_EXPECT_PTR_EQ(test, (void *)rcu_access_pointer(c->resv->fences), NULL);
	KUNIT_EXPECT_EQ(test, gt_warnings(gt), 0);
}

static void unlink_defer_of_never_linked(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bad_vm(gt, DRM_GPUVM_IMMEDIATE_MODE);
	struct drm_gpuva *va = gt_va(gt, AT(2), GT_PAGES(1), gt_obj_find(gt, 'a'), 0);
	char *before;

	KUNIT_ASSERT_EQ(test, drm_gpuva_insert(vm, va), 0);
	before = gt_snapshot(test, vm);
	drm_gpuva_unlink_defer(va);
	gt_expect_unchanged(test, vm, before);
	KUNIT_EXPECT_TRUE(test, llist_empty(&vm->bo_defer));
}

static void madvise_keeps_offsets_without_object(struct kunit *test)
{
	static const char *const expected[] = {
		"remap [5,7) *5 prev [5,6) *5", "map [6,7) *6",
	};
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bad_vm(gt, 0);
	struct gt_log *log = gt_log(test, GT_BASE);
	/* The request's own offset must not show up. */
	struct drm_gpuvm_map_req req = {
		.map = { { AT(6), GT_PAGES(2) }, { GT_PAGES(3), NULL } },
	};
	struct drm_gpuva_ops *ops = drm_gpuvm_madvise_ops_create(vm, &req);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ops);
	gt_log_ops(log, ops);
	drm_gpuva_ops_free(vm, ops);
	gt_expect_ops(test, log, expected, ARRAY_SIZE(expected), "madvise");
}

static void identical_map_emits_unmap_keep_and_map(struct kunit *test)
{
	static const char *const expected[] = { "unmap [0,2) a0 keep", "map [0,2) a0" };
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bad_vm(gt, 0);
	struct gt_log *log = gt_log(test, GT_BASE);

	KUNIT_EXPECT_EQ(test, 0, gt_sm_map(gt, vm, AT(0), GT_PAGES(2),
					   gt_obj_find(gt, 'a'), 0, log));
	gt_expect_ops(test, log, expected, ARRAY_SIZE(expected), "identical");
	gpuvm_check(test, vm);
}

static struct kunit_case gpuvm_bad_input_tests[] = {
	KUNIT_CASE_PARAM(bad_range_is_not_valid, bad_gen_params),
	KUNIT_CASE_PARAM(bad_range_sm_map, bad_gen_params),
	KUNIT_CASE_PARAM(bad_range_sm_unmap, bad_gen_params),
	KUNIT_CASE_PARAM(bad_range_madvise, bad_gen_params),
	KUNIT_CASE_PARAM(bad_range_prefetch, bad_gen_params),
	KUNIT_CASE_PARAM(bad_range_exec_lock, bad_gen_params),
	KUNIT_CASE_PARAM(bad_range_insert, bad_gen_params),
	KUNIT_CASE(object_offset_overflow),
	KUNIT_CASE(missing_callbacks),
	KUNIT_CASE(zero_range_does_not_split),
	KUNIT_CASE(va_space_up_to_last_byte),
	KUNIT_CASE(range_sums_do_not_wrap),
	KUNIT_CASE(op_list_failure_leaks_nothing),
	KUNIT_CASE(prefetch_validates_and_skips_reserved),
	KUNIT_CASE(iteration_can_skip_reserved),
	KUNIT_CASE(bad_reserved_range_tears_down_cleanly),
	KUNIT_CASE(insert_failure_is_reported),
	KUNIT_CASE(num_fences_0_locks_only),
	KUNIT_CASE(unlink_defer_of_never_linked),
	KUNIT_CASE(madvise_keeps_offsets_without_object),
	KUNIT_CASE(identical_map_emits_unmap_keep_and_map),
	{}
};

static struct kunit_suite gpuvm_bad_input_suite = {
	.name = "drm_gpuvm_bad_input",
	.init = gt_init,
	.exit = gt_exit,
	.test_cases = gpuvm_bad_input_tests,
};

kunit_test_suite(gpuvm_bad_input_suite);
