// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Lists of operations: their memory, and what a driver can do with them.
 */

#include "gpuvm_test.h"

/* One mapping of each fate: cut in front, gone, cut behind; and a map. */
#define OLD_PICTURE	"|a4 a5|  |b0|*7 *8|"
#define REQ_ADDR	(GT_BASE + GT_PAGES(1))
#define REQ_RANGE	GT_PAGES(4)

static struct drm_gpuvm *ops_vm(struct gt *gt, const struct drm_gpuvm_ops *ops,
				enum drm_gpuvm_flags flags)
{
	struct drm_gpuvm *vm = gt_vm_at(gt, flags, GT_VM_START, GT_VM_RANGE, 0, 0, ops);

	gt_obj(gt, 'a', vm);
	gt_obj(gt, 'b', vm);
	gt_build(gt, vm, GT_BASE, OLD_PICTURE);

	return vm;
}

/* Everything that makes a list. */
static struct drm_gpuva_ops *create_map(struct gt *gt, struct drm_gpuvm *vm)
{
	struct drm_gpuvm_map_req req = {
		.map.va = { REQ_ADDR, REQ_RANGE },
		.map.gem.obj = gt_obj_find(gt, 'a'),
	};

	return drm_gpuvm_sm_map_ops_create(vm, &req);
}

static struct drm_gpuva_ops *create_unmap(struct gt *gt, struct drm_gpuvm *vm)
{
	return drm_gpuvm_sm_unmap_ops_create(vm, REQ_ADDR, REQ_RANGE);
}

/* Centre: prev and next of one remap. */
static struct drm_gpuva_ops *create_unmap_centre(struct gt *gt, struct drm_gpuvm *vm)
{
	return drm_gpuvm_sm_unmap_ops_create(vm, GT_BASE + 16, 16);
}

static struct drm_gpuva_ops *create_madvise(struct gt *gt, struct drm_gpuvm *vm)
{
	struct drm_gpuvm_map_req req = { .map.va = { REQ_ADDR, REQ_RANGE } };

	return drm_gpuvm_madvise_ops_create(vm, &req);
}

static struct drm_gpuva_ops *create_prefetch(struct gt *gt, struct drm_gpuvm *vm)
{
	return drm_gpuvm_prefetch_ops_create(vm, REQ_ADDR, REQ_RANGE);
}

static struct drm_gpuva_ops *create_bo_unmap(struct gt *gt, struct drm_gpuvm *vm)
{
	struct drm_gem_object *obj = gt_obj_find(gt, 'a');
	struct drm_gpuva_ops *ops;
	struct drm_gpuvm_bo *vm_bo;
	struct drm_exec exec;

	gt_lock(gt, vm, &exec);
	vm_bo = drm_gpuvm_bo_find(vm, obj);
	KUNIT_ASSERT_NOT_NULL(gt->test, vm_bo);
	ops = drm_gpuvm_bo_unmap_ops_create(vm_bo);
	drm_gpuvm_bo_put(vm_bo);
	drm_exec_fini(&exec);

	return ops;
}

struct create_case {
	const char *name;
	struct drm_gpuva_ops *(*create)(struct gt *gt, struct drm_gpuvm *vm);
	unsigned int ops;
	unsigned int remaps;
	unsigned int parts;
};

static const struct create_case create_cases[] = {
	{ "sm_map", create_map, 4, 2, 2 },
	{ "sm_unmap", create_unmap, 3, 2, 2 },
	{ "sm_unmap, centre", create_unmap_centre, 1, 1, 2 },
	{ "madvise", create_madvise, 2, 1, 1 },
	{ "prefetch", create_prefetch, 3, 0, 0 },
	{ "bo_unmap", create_bo_unmap, 1, 0, 0 },
};

KUNIT_ARRAY_PARAM_DESC(create, create_cases, name);

static unsigned int count_ops(struct drm_gpuva_ops *ops)
{
	struct drm_gpuva_op *op;
	unsigned int n = 0;

	drm_gpuva_for_each_op(op, ops)
		n++;

	return n;
}

/* One allocation per operation and one for the list; each can fail. */
static void every_allocation_fails(struct kunit *test)
{
	const struct create_case *c = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = ops_vm(gt, &gt_ops, 0);
	char *before = gt_snapshot(test, vm);
	struct drm_gpuva_ops *ops;
	unsigned int n, nth;

	gt_alloc_begin(gt);
	ops = c->create(gt, vm);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ops);
	KUNIT_EXPECT_EQ(test, count_ops(ops), c->ops);
	drm_gpuva_ops_free(vm, ops);
	n = gt->allocs;
	KUNIT_EXPECT_EQ(test, n, c->ops + gt_core_list_allocs(c->remaps, c->parts));

	for (nth = 1; nth <= n; nth++) {
		gt->allocs = 0;
		gt->fail_nth = nth;
		ops = c->create(gt, vm);
		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(ops), -ENOMEM);
		KUNIT_EXPECT_EQ(test, gt->allocs, nth);
		if (!IS_ERR_OR_NULL(ops))
			drm_gpuva_ops_free(vm, ops);
		gt_expect_unchanged(test, vm, before);
	}
	gt_alloc_end(gt);
	gpuvm_check(test, vm);
}

/* A driver's op_alloc: one more allocation for the parts of a remap. */
static void every_driver_allocation_fails(struct kunit *test)
{
	const struct create_case *c = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = ops_vm(gt, &gt_ops_embed, 0);
	char *before = gt_snapshot(test, vm);
	struct drm_gpuva_ops *ops;
	unsigned int n, nth;

	gt_alloc_begin(gt);
	gt->op_allocs = 0;
	ops = c->create(gt, vm);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ops);
	gt_is_live(gt, GT_OPS, c->ops);
	KUNIT_EXPECT_EQ(test, gt->op_allocs, c->ops);
	KUNIT_EXPECT_EQ(test, gt->allocs,
			gt_core_driver_list_allocs(c->remaps, c->parts));
	n = gt->allocs;
	drm_gpuva_ops_free(vm, ops);
	gt_is_live(gt, GT_OPS, 0);

	for (nth = 1; nth <= n; nth++) {
		gt->allocs = 0;
		gt->fail_nth = nth;
		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(c->create(gt, vm)), -ENOMEM);
		gt_is_live(gt, GT_OPS, 0);
	}
	gt->fail_nth = 0;

	for (nth = 1; nth <= c->ops; nth++) {
		gt->op_allocs = 0;
		gt->fail_op_nth = nth;
		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(c->create(gt, vm)), -ENOMEM);
		KUNIT_EXPECT_EQ(test, gt->op_allocs, nth);
		gt_is_live(gt, GT_OPS, 0);
	}
	gt_alloc_end(gt);
	gt_expect_unchanged(test, vm, before);
	gpuvm_check(test, vm);
}

static void list_equals_callbacks(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = ops_vm(gt, &gt_ops_embed, 0);
	struct gt_log *list = gt_log(test, GT_BASE), *calls = gt_log(test, GT_BASE);
	struct gt_walk walk = { .gt = gt, .vm = vm, .log = calls };
	struct drm_gpuvm_map_req req = {
		.map.va = { REQ_ADDR, REQ_RANGE },
		.map.gem.obj = gt_obj_find(gt, 'a'),
	};
	struct drm_gpuva_ops *ops;

	ops = create_map(gt, vm);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ops);
	gt_log_ops(list, ops);
	drm_gpuva_ops_free(vm, ops);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_map(vm, &walk, &req), 0);
	gt_expect_same(test, list, calls, "map");

	gt_log_reset(list);
	gt_log_reset(calls);
	ops = create_unmap(gt, vm);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ops);
	gt_log_ops(list, ops);
	drm_gpuva_ops_free(vm, ops);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_unmap(vm, &walk, REQ_ADDR, REQ_RANGE), 0);
	gt_expect_same(test, list, calls, "unmap");
}

static void walk_in_both_directions(struct kunit *test)
{
	static const enum drm_gpuva_op_type types[] = {
		DRM_GPUVA_OP_REMAP, DRM_GPUVA_OP_UNMAP, DRM_GPUVA_OP_REMAP,
		DRM_GPUVA_OP_MAP,
	};
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = ops_vm(gt, &gt_ops, 0);
	struct drm_gpuva_ops *ops = create_map(gt, vm);
	struct drm_gpuva_op *op, *next;
	unsigned int n = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ops);
	drm_gpuva_for_each_op(op, ops)
		KUNIT_EXPECT_EQ(test, op->op, types[n++]);
	KUNIT_ASSERT_EQ(test, n, 4);
	drm_gpuva_for_each_op_reverse(op, ops)
		KUNIT_EXPECT_EQ(test, op->op, types[--n]);
	KUNIT_EXPECT_EQ(test, n, 0);

	KUNIT_EXPECT_EQ(test, drm_gpuva_first_op(ops)->op, types[0]);
	KUNIT_EXPECT_EQ(test, drm_gpuva_last_op(ops)->op, types[3]);
	op = drm_gpuva_next_op(drm_gpuva_first_op(ops));
	KUNIT_EXPECT_EQ(test, op->op, types[1]);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_prev_op(op), drm_gpuva_first_op(ops));

	/* Undo from the third on. */
	op = drm_gpuva_next_op(op);
	n = 3;
	drm_gpuva_for_each_op_from_reverse(op, ops)
		KUNIT_EXPECT_EQ(test, op->op, types[--n]);
	KUNIT_EXPECT_EQ(test, n, 0);

	drm_gpuva_for_each_op_safe(op, next, ops) {
		if (op->op == DRM_GPUVA_OP_UNMAP) {
			list_del(&op->entry);
			kfree(op);
		}
	}
	KUNIT_EXPECT_EQ(test, count_ops(ops), 3);
	drm_gpuva_ops_free(vm, ops);
}

/* A list outlives the mappings that it names: nobody looks at them. */
static void free_after_apply(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = ops_vm(gt, &gt_ops_embed, 0);
	struct gt_walk walk = { .gt = gt, .vm = vm };
	struct drm_gpuva_ops *ops = create_unmap(gt, vm);
	struct drm_gpuva_op *op;
	struct drm_exec exec;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ops);
	gt_lock(gt, vm, &exec);
	drm_gpuva_for_each_op(op, ops) {
		KUNIT_EXPECT_EQ(test, gt_apply(&walk, op), 0);
		gpuvm_check(test, vm);
	}
	drm_exec_fini(&exec);
	drm_gpuva_ops_free(vm, ops);
	gt_expect_picture(test, vm, GT_BASE, "|a4|           |*8|", "unmapped");
}

/* What a driver works out from a remap before it changes page tables. */
static void remap_to_unmap_range(struct kunit *test)
{
	static const struct {
		u64 addr, range, start, cut;
	} cases[] = {
		{ GT_BASE, 16, GT_BASE, 16 },
		{ GT_BASE + 16, 16, GT_BASE + 16, 16 },
		{ GT_BASE + 16, GT_PAGES(2) - 16, GT_BASE + 16, GT_PAGES(2) - 16 },
	};
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = ops_vm(gt, &gt_ops, 0);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct drm_gpuva_ops *ops;
		struct drm_gpuva_op *op;
		u64 start, range;

		ops = drm_gpuvm_sm_unmap_ops_create(vm, cases[i].addr, cases[i].range);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ops);
		op = drm_gpuva_first_op(ops);
		KUNIT_EXPECT_EQ(test, op->op, DRM_GPUVA_OP_REMAP);

		drm_gpuva_op_remap_to_unmap_range(&op->remap, &start, &range);
		KUNIT_EXPECT_EQ(test, start, cases[i].start);
		KUNIT_EXPECT_EQ(test, range, cases[i].cut);

		start = 0;
		range = 0;
		drm_gpuva_op_remap_to_unmap_range(&op->remap, &start, NULL);
		drm_gpuva_op_remap_to_unmap_range(&op->remap, NULL, &range);
		KUNIT_EXPECT_EQ(test, start, cases[i].start);
		KUNIT_EXPECT_EQ(test, range, cases[i].cut);
		drm_gpuva_ops_free(vm, ops);
	}
}

/* The same at the end of a space that ends at 2^64. */
static void remap_to_unmap_range_at_2_64(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm_at(gt, 0, GT_VM_START, -GT_VM_START, 0, 0, &gt_ops);
	struct drm_gpuva_ops *ops;
	u64 start, range;

	gt_map(gt, vm, -GT_PAGES(2), GT_PAGES(2), NULL, 0);
	ops = drm_gpuvm_sm_unmap_ops_create(vm, -GT_PAGES(1), GT_PAGES(1));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ops);
	drm_gpuva_op_remap_to_unmap_range(&drm_gpuva_first_op(ops)->remap, &start, &range);
	KUNIT_EXPECT_EQ(test, start, -GT_PAGES(1));
	KUNIT_EXPECT_EQ(test, range, GT_PAGES(1));
	drm_gpuva_ops_free(vm, ops);
}

/* Operations that a driver adds by itself are freed with the rest. */
static void driver_operations(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = ops_vm(gt, &gt_ops_embed, 0);
	struct drm_gpuva_ops *ops = create_map(gt, vm);
	struct drm_gpuva_op *op;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ops);
	op = gt_ops_embed.op_alloc();
	KUNIT_ASSERT_NOT_NULL(test, op);
	op->op = DRM_GPUVA_OP_DRIVER;
	list_add_tail(&op->entry, &ops->list);
	gt_is_live(gt, GT_OPS, 5);

	drm_gpuva_ops_free(vm, ops);
	gt_is_live(gt, GT_OPS, 0);
}

/* ---- drm_gpuva_map(), drm_gpuva_remap(), drm_gpuva_unmap() --------------- */

static void map_says_why_not(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = ops_vm(gt, &gt_ops, 0);
	struct drm_gpuva *va = gt_va(gt, 0, 0, NULL, 0);
	struct drm_gpuva_op_map op = { { GT_BASE, GT_PAGES(1) }, { 0, NULL } };
	char *before = gt_snapshot(test, vm);

	KUNIT_EXPECT_EQ(test, drm_gpuva_map(vm, va, &op), -EEXIST);
	op.va.range = 0;
	KUNIT_EXPECT_EQ(test, drm_gpuva_map(vm, va, &op), -EINVAL);
	op.va.range = U64_MAX;
	KUNIT_EXPECT_EQ(test, drm_gpuva_map(vm, va, &op), -EINVAL);
	gt_expect_unchanged(test, vm, before);
	gpuvm_check(test, vm);

	op.va.addr = GT_BASE + GT_PAGES(2);
	op.va.range = GT_PAGES(1);
	op.gem.offset = GT_PAGES(9);
	KUNIT_EXPECT_EQ(test, drm_gpuva_map(vm, va, &op), 0);
	gt_expect_picture(test, vm, GT_BASE, "|a4 a5|*9|b0|*7 *8|", "mapped");
	gpuvm_check(test, vm);
}

struct remap_case {
	const char *name;
	unsigned int prev_first, prev_pages;
	unsigned int next_first, next_pages;
	int ret;
	const char *new;
};

/* Parts of a mapping of pages 1 to 4. */
static const struct remap_case remap_cases[] = {
	{ "both", 1, 1, 3, 2, 0, "   |*1|  |*3 *4|" },
	{ "prev", 1, 2, 0, 0, 0, "   |*1 *2|" },
	{ "next", 0, 0, 4, 1, 0, "            |*4|" },
	{ "neither", 0, 0, 0, 0, 0, "" },
	{ "nothing in between", 1, 2, 3, 2, 0, "   |*1 *2|*3 *4|" },
	{ "all of it", 1, 4, 0, 0, 0, "   |*1 *2 *3 *4|" },
	{ "prev begins before", 0, 2, 3, 2, -EINVAL, NULL },
	{ "next ends behind", 1, 1, 3, 3, -EINVAL, NULL },
	{ "prev is outside", 8, 1, 0, 0, -EINVAL, NULL },
	{ "next is outside", 0, 0, 8, 1, -EINVAL, NULL },
	{ "they overlap", 1, 2, 2, 2, -EINVAL, NULL },
	{ "they are swapped", 3, 1, 1, 1, -EINVAL, NULL },
};

KUNIT_ARRAY_PARAM_DESC(remap, remap_cases, name);

static struct drm_gpuva_op_map remap_part(unsigned int first, unsigned int pages)
{
	return (struct drm_gpuva_op_map) {
		.va = { GT_BASE + GT_PAGES(first), GT_PAGES(pages) },
		.gem = { GT_PAGES(first), NULL },
	};
}

enum remap_reuse { REUSE_NONE, REUSE_AS_PREV, REUSE_AS_NEXT };

static void remap_one(struct kunit *test, const struct remap_case *c,
		      enum remap_reuse reuse)
{
	struct drm_gpuva_op_map p = remap_part(c->prev_first, c->prev_pages);
	struct drm_gpuva_op_map n = remap_part(c->next_first, c->next_pages);
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm(gt, 0);
	struct drm_gpuva *va, *prev = NULL, *next = NULL;
	struct drm_gpuva_op_unmap unmap = { };
	struct drm_gpuva_op_remap op = {
		.prev = c->prev_pages ? &p : NULL,
		.next = c->next_pages ? &n : NULL,
		.unmap = &unmap,
	};
	char *before;
	int ret;

	va = gt_map(gt, vm, GT_BASE + GT_PAGES(1), GT_PAGES(4), NULL, GT_PAGES(1));
	unmap.va = va;
	if (op.prev)
		prev = reuse == REUSE_AS_PREV ? va : gt_va(gt, 0, 0, NULL, 0);
	if (op.next)
		next = reuse == REUSE_AS_NEXT ? va : gt_va(gt, 0, 0, NULL, 0);
	before = gt_snapshot(test, vm);

	ret = drm_gpuva_remap(prev, next, &op);
	KUNIT_ASSERT_EQ(test, ret, c->ret);
	gpuvm_check(test, vm);
	if (ret)
		gt_expect_unchanged(test, vm, before);
	else
		gt_expect_picture(test, vm, GT_BASE, c->new, c->name);

	if (!ret && va != prev && va != next)
		gt_va_free(va);
	if (ret && prev && prev != va)
		gt_va_free(prev);
	if (ret && next && next != va)
		gt_va_free(next);
	gt_vm_drop(gt, vm);
}

static void remap(struct kunit *test)
{
	remap_one(test, test->param_value, REUSE_NONE);
}

/* The old mapping may become one of the parts. */
static void remap_reuses_old_mapping(struct kunit *test)
{
	remap_one(test, test->param_value, REUSE_AS_PREV);
	remap_one(test, test->param_value, REUSE_AS_NEXT);
}

static void remap_needs_mappings_for_parts(struct kunit *test)
{
	struct drm_gpuva_op_map p = remap_part(1, 1), n = remap_part(3, 2);
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm(gt, 0);
	struct drm_gpuva *va, *part = gt_va(gt, 0, 0, NULL, 0);
	struct drm_gpuva_op_unmap unmap = { };
	struct drm_gpuva_op_remap op = { .prev = &p, .next = &n, .unmap = &unmap };
	char *before;

	va = gt_map(gt, vm, GT_BASE + GT_PAGES(1), GT_PAGES(4), NULL, GT_PAGES(1));
	unmap.va = va;
	before = gt_snapshot(test, vm);

	KUNIT_EXPECT_EQ(test, drm_gpuva_remap(NULL, part, &op), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpuva_remap(part, NULL, &op), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpuva_remap(part, part, &op), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpuva_remap(va, va, &op), -EINVAL);
	p.va.range = 0;
	KUNIT_EXPECT_EQ(test, drm_gpuva_remap(part, va, &op), -EINVAL);
	p.va.range = U64_MAX;
	KUNIT_EXPECT_EQ(test, drm_gpuva_remap(part, va, &op), -EINVAL);
	gt_expect_unchanged(test, vm, before);
	gpuvm_check(test, vm);

	gt_va_free(part);
}

static void remap_of_removed_mapping(struct kunit *test)
{
	struct drm_gpuva_op_map p = remap_part(1, 1);
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm(gt, 0);
	struct drm_gpuva *va, *part = gt_va(gt, 0, 0, NULL, 0);
	struct drm_gpuva_op_unmap unmap = { };
	struct drm_gpuva_op_remap op = { .prev = &p, .unmap = &unmap };

	va = gt_map(gt, vm, GT_BASE + GT_PAGES(1), GT_PAGES(4), NULL, GT_PAGES(1));
	unmap.va = va;
	drm_gpuva_remove(va);
	KUNIT_EXPECT_EQ(test, drm_gpuva_remap(part, NULL, &op), -EINVAL);
	KUNIT_EXPECT_EQ(test, gt_core_mappings(vm), 0);
	gpuvm_check(test, vm);
	gt_va_free(va);
	gt_va_free(part);
}

static struct kunit_case gpuvm_ops_tests[] = {
	KUNIT_CASE_PARAM(every_allocation_fails, create_gen_params),
	KUNIT_CASE_PARAM(every_driver_allocation_fails, create_gen_params),
	KUNIT_CASE(list_equals_callbacks),
	KUNIT_CASE(walk_in_both_directions),
	KUNIT_CASE(free_after_apply),
	KUNIT_CASE(remap_to_unmap_range),
	KUNIT_CASE(remap_to_unmap_range_at_2_64),
	KUNIT_CASE(driver_operations),
	KUNIT_CASE(map_says_why_not),
	KUNIT_CASE_PARAM(remap, remap_gen_params),
	KUNIT_CASE_PARAM(remap_reuses_old_mapping, remap_gen_params),
	KUNIT_CASE(remap_needs_mappings_for_parts),
	KUNIT_CASE(remap_of_removed_mapping),
	{}
};

static struct kunit_suite gpuvm_ops_suite = {
	.name = "drm_gpuvm_ops",
	.init = gt_init,
	.exit = gt_exit,
	.test_cases = gpuvm_ops_tests,
};

kunit_test_suite(gpuvm_ops_suite);
