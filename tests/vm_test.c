// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * VMs from their first to their last reference.
 */

#include <drm/drm_drv.h>

#include "gpuvm_test.h"

static void no_vm_free(struct drm_gpuvm *vm)
{
}

static const struct drm_gpuvm_ops ops_without_free = { };
static const struct drm_gpuvm_ops ops_with_free = { .vm_free = no_vm_free };

struct init_case {
	const char *name;
	u64 start;
	u64 range;
	u64 reserve_start;
	u64 reserve_range;
	int ret;
};

static const struct init_case init_cases[] = {
	{ "plain", GT_PAGES(1), GT_PAGES(8), 0, 0, 0 },
	{ "one byte", 5, 1, 0, 0, 0 },
	{ "from 0", 0, GT_PAGES(8), 0, 0, 0 },
	{ "from 0 as far as it goes", 0, U64_MAX, 0, 0, 0 },
	{ "up to the last byte of 2^64", GT_PAGES(1), -GT_PAGES(1), 0, 0, 0 },
	{ "the last byte alone", U64_MAX, 1, 0, 0, 0 },
	{ "reserved at the start", GT_PAGES(1), GT_PAGES(8), GT_PAGES(1), GT_PAGES(2), 0 },
	{ "reserved in the middle", GT_PAGES(1), GT_PAGES(8), GT_PAGES(3), GT_PAGES(2), 0 },
	{ "reserved at the end", GT_PAGES(1), GT_PAGES(8), GT_PAGES(7), GT_PAGES(2), 0 },
	{ "all reserved", GT_PAGES(1), GT_PAGES(8), GT_PAGES(1), GT_PAGES(8), 0 },
	{ "last byte of 2^64 reserved", GT_PAGES(1), -GT_PAGES(1), U64_MAX, 1, 0 },
	{ "zero reserved range outside", GT_PAGES(1), GT_PAGES(8), 0, 0, 0 },
	{ "zero range", GT_PAGES(1), 0, 0, 0, -EINVAL },
	{ "range overflows", GT_PAGES(1), U64_MAX, 0, 0, -EINVAL },
	{ "range overflows by one", GT_PAGES(1), -GT_PAGES(1) + 1, 0, 0, -EINVAL },
	{
		"reserved before the VA space",
		GT_PAGES(4), GT_PAGES(8), GT_PAGES(1), GT_PAGES(3), -EINVAL
	},
	{
		"reserved over the start of the VA space",
		GT_PAGES(4), GT_PAGES(8), GT_PAGES(3), GT_PAGES(2), -EINVAL
	},
	{
		"reserved over the end of the VA space",
		GT_PAGES(4), GT_PAGES(8), GT_PAGES(11), GT_PAGES(2), -EINVAL
	},
	{
		"reserved behind the VA space",
		GT_PAGES(4), GT_PAGES(8), GT_PAGES(12), GT_PAGES(1), -EINVAL
	},
	{
		"reserved around the VA space",
		GT_PAGES(4), GT_PAGES(8), GT_PAGES(3), GT_PAGES(10), -EINVAL
	},
	{
		"reserved range overflows",
		GT_PAGES(4), GT_PAGES(8), GT_PAGES(5), U64_MAX, -EINVAL
	},
	{
		"reserved range wraps into the VA space",
		GT_PAGES(4), GT_PAGES(8), -GT_PAGES(1), GT_PAGES(6), -EINVAL
	},
};

KUNIT_ARRAY_PARAM_DESC(init, init_cases, name);

static void try_init(struct kunit *test)
{
	const struct init_case *c = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gem_object *r_obj = gt_obj(gt, 'r', NULL);
	struct drm_gpuvm *vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);
	int ret;

	gt_needs_ours(test, "drm_gpuvm_try_init()");
	KUNIT_ASSERT_NOT_NULL(test, vm);
	ret = drm_gpuvm_try_init(vm, "try", 0, gt->drm, r_obj, c->start, c->range,
				 c->reserve_start, c->reserve_range, &ops_with_free);
	KUNIT_ASSERT_EQ(test, ret, c->ret);

	if (ret) {
		KUNIT_EXPECT_EQ(test, kref_read(&gt->drm->ref), gt->drm_refs);
		KUNIT_EXPECT_EQ(test, gt_obj_refs(r_obj), 1);
		return;
	}

	KUNIT_EXPECT_EQ(test, vm->mm_start, c->start);
	KUNIT_EXPECT_EQ(test, vm->mm_range, c->range);
	KUNIT_EXPECT_EQ(test, kref_read(&gt->drm->ref), gt->drm_refs + 1);
	KUNIT_EXPECT_EQ(test, gt_obj_refs(r_obj), 2);
	KUNIT_EXPECT_EQ(test, !!c->reserve_range,
			!!drm_gpuva_find(vm, c->reserve_start, c->reserve_range));
	gpuvm_check(test, vm);

	drm_gpuvm_put(vm);
	KUNIT_EXPECT_EQ(test, kref_read(&gt->drm->ref), gt->drm_refs);
	KUNIT_EXPECT_EQ(test, gt_obj_refs(r_obj), 1);
}

static void try_init_without_ops(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gem_object *r_obj = gt_obj(gt, 'r', NULL);
	struct drm_gpuvm *vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);

	gt_needs_ours(test, "drm_gpuvm_try_init()");
	KUNIT_ASSERT_NOT_NULL(test, vm);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			drm_gpuvm_try_init(vm, "try", 0, gt->drm, r_obj, 0,
					   GT_PAGES(1), 0, 0, NULL));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			drm_gpuvm_try_init(vm, "try", 0, gt->drm, r_obj, 0,
					   GT_PAGES(1), 0, 0, &ops_without_free));
	KUNIT_EXPECT_EQ(test, kref_read(&gt->drm->ref), gt->drm_refs);
	KUNIT_EXPECT_EQ(test, gt_obj_refs(r_obj), 1);
}

/* drm_gpuvm_init() can not fail, so it leaves a VM that refuses everything. */
static void init_refused_leaves_empty_vm(struct kunit *test)
{
	const struct init_case *c = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm;
	struct drm_gpuva *va;
	struct gt_log *log;
	char *before;

	if (!c->ret)
		kunit_skip(test, "is not refused");

	vm = gt_vm_at(gt, 0, c->start, c->range, c->reserve_start, c->reserve_range,
		      &gt_ops);
	KUNIT_EXPECT_EQ(test, vm->mm_start, 0);
	KUNIT_EXPECT_EQ(test, vm->mm_range, 0);
	KUNIT_EXPECT_EQ(test, vm->kernel_alloc_node.va.range, 0);
	gpuvm_check(test, vm);

	drm_gpuvm_get(vm);
	drm_gpuvm_put(vm);

	before = gt_snapshot(test, vm);
	log = gt_log(test, 0);
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_range_valid(vm, c->start, GT_PAGES(1)));
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_range_valid(vm, 0, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, gt_sm_map(gt, vm, c->start, GT_PAGES(1), NULL, 0,
						 log));
	KUNIT_EXPECT_EQ(test, -EINVAL, gt_sm_map(gt, vm, 0, 1, NULL, 0, log));
	KUNIT_EXPECT_EQ(test, -EINVAL, gt_sm_unmap(gt, vm, c->start, GT_PAGES(1), log));
	KUNIT_EXPECT_EQ(test, -EINVAL, gt_sm_unmap(gt, vm, 0, U64_MAX, log));
	KUNIT_EXPECT_EQ(test, log->n, 0);

	va = gt_va(gt, c->start, GT_PAGES(1), NULL, 0);
	KUNIT_EXPECT_EQ(test, drm_gpuva_insert(vm, va), -EINVAL);
	gt_va_free(va);

	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_first(vm, 0, U64_MAX), NULL);
	drm_gpuvm_for_each_va(va, vm)
		KUNIT_FAIL(test, "a mapping in an empty VM\n");
	gt_expect_unchanged(test, vm, before);
}

static void name_and_flags(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gem_object *r_obj = gt_obj(gt, 'r', NULL);
	struct drm_gpuvm *vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, vm);
	drm_gpuvm_init(vm, NULL, mode->flags | DRM_GPUVM_USERBITS, gt->drm, r_obj, 0,
		       GT_PAGES(1), 0, 0, &ops_with_free);

	KUNIT_EXPECT_NOT_NULL(test, vm->name);
	KUNIT_EXPECT_EQ(test, (int)vm->flags, (int)(mode->flags | DRM_GPUVM_USERBITS));
	KUNIT_EXPECT_EQ(test, drm_gpuvm_resv_protected(vm),
			!!(mode->flags & DRM_GPUVM_RESV_PROTECTED));
	KUNIT_EXPECT_EQ(test, drm_gpuvm_immediate_mode(vm),
			!!(mode->flags & DRM_GPUVM_IMMEDIATE_MODE));
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuvm_resv_obj(vm), r_obj);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuvm_resv(vm), r_obj->resv);
	KUNIT_EXPECT_PTR_EQ(test, vm->drm, gt->drm);
	gpuvm_check(test, vm);

	drm_gpuvm_put(vm);
}

static void range_valid(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm_at(gt, 0, GT_VM_START, GT_VM_RANGE, GT_BASE,
					GT_PAGES(2), &gt_ops);
	const u64 end = GT_VM_START + GT_VM_RANGE;
	static const struct {
		u64 addr;
		u64 range;
		bool valid;
	} cases[] = {
		{ GT_VM_START, 1, true },
		{ GT_VM_START, GT_BASE - GT_VM_START, true },
		{ GT_VM_START, GT_BASE - GT_VM_START + 1, false },
		{ GT_BASE - 1, 1, true },
		{ GT_BASE - 1, 2, false },
		{ GT_BASE, 1, false },
		{ GT_BASE, GT_PAGES(2), false },
		{ GT_BASE + GT_PAGES(1), 1, false },
		{ GT_BASE + GT_PAGES(2) - 1, 1, false },
		{ GT_BASE + GT_PAGES(2), 1, true },
		{ GT_VM_START, GT_VM_RANGE, false },
		{ GT_VM_START - 1, 1, false },
		{ GT_VM_START - 1, 2, false },
		{ 0, U64_MAX, false },
		{ 0, 0, false },
		{ GT_VM_START, 0, false },
		{ GT_VM_START, U64_MAX, false },
		{ U64_MAX, 1, false },
		{ U64_MAX, U64_MAX, false },
		{ -GT_PAGES(1), GT_PAGES(1) + GT_VM_START + 1, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test, cases[i].valid,
				    drm_gpuvm_range_valid(vm, cases[i].addr,
							  cases[i].range),
				    "[0x%llx+0x%llx)\n", cases[i].addr, cases[i].range);

	KUNIT_EXPECT_TRUE(test, drm_gpuvm_range_valid(vm, end - 1, 1));
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_range_valid(vm, end - 1, 2));
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_range_valid(vm, end, 1));
}

/* Mappings together hold one reference, from the first to the last of them. */
static void mappings_hold_one_reference(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm_at(gt, 0, GT_VM_START, GT_VM_RANGE, GT_VM_START,
					GT_PAGES(1), &gt_ops);
	struct drm_gpuva *va[3];
	unsigned int i;

	KUNIT_EXPECT_EQ(test, kref_read(&vm->kref), 1);
	for (i = 0; i < ARRAY_SIZE(va); i++) {
		va[i] = gt_map(gt, vm, GT_BASE + GT_PAGES(i), GT_PAGES(1), NULL, 0);
		KUNIT_EXPECT_EQ(test, kref_read(&vm->kref), 1 + gt_core_vm_refs(i + 1));
	}
	for (i = ARRAY_SIZE(va); i--;) {
		KUNIT_EXPECT_EQ(test, kref_read(&vm->kref), 1 + gt_core_vm_refs(i + 1));
		gt_unmap(gt, va[i]);
	}
	KUNIT_EXPECT_EQ(test, kref_read(&vm->kref), 1);
}

/* A driver may drop its own reference first: the last mapping ends the VM. */
static void last_mapping_frees_vm(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm_at(gt, 0, GT_VM_START, GT_VM_RANGE, GT_VM_START,
					GT_PAGES(1), &gt_ops);
	struct drm_gpuva *a, *b;

	a = gt_map(gt, vm, GT_BASE, GT_PAGES(1), NULL, 0);
	b = gt_map(gt, vm, GT_BASE + GT_PAGES(1), GT_PAGES(1), NULL, 0);
	gt->vms[0] = NULL;
	drm_gpuvm_put(vm);
	gt_is_live(gt, GT_VMS, 1);

	drm_gpuva_remove(a);
	gt_va_free(a);
	gt_is_live(gt, GT_VMS, 1);
	drm_gpuva_remove(b);
	gt_va_free(b);
	gt_is_live(gt, GT_VMS, 0);
	KUNIT_EXPECT_EQ(test, kref_read(&gt->drm->ref), gt->drm_refs);
}

static void vm_bo_holds_a_reference(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm(gt, mode->flags);
	struct drm_gem_object *obj = gt_obj(gt, 'a', NULL);
	struct drm_gpuvm_bo *vm_bo = gt_vm_bo(gt, vm, obj);

	KUNIT_EXPECT_EQ(test, kref_read(&vm->kref), 2);
	KUNIT_EXPECT_EQ(test, gt_obj_refs(obj), 2);
	gt_vm_bo_put(gt, vm_bo);
	drm_gpuvm_bo_deferred_cleanup(vm);
	KUNIT_EXPECT_EQ(test, kref_read(&vm->kref), 1);
	KUNIT_EXPECT_EQ(test, gt_obj_refs(obj), 1);
}

static void put_null(struct kunit *test)
{
	struct gt *gt = test->priv;

	drm_gpuvm_put(NULL);
	KUNIT_EXPECT_EQ(test, gt_warnings(gt), 0);
}

static void resv_object(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gem_object *obj = drm_gpuvm_resv_object_alloc(gt->drm);

	KUNIT_ASSERT_NOT_NULL(test, obj);
	KUNIT_EXPECT_EQ(test, obj->size, 0);
	KUNIT_EXPECT_EQ(test, gt_obj_refs(obj), 1);
	KUNIT_EXPECT_PTR_EQ(test, obj->resv, &obj->_resv);
	KUNIT_EXPECT_PTR_EQ(test, obj->dev, gt->drm);
	drm_gem_object_put(obj);

	gt_alloc_begin(gt);
	gt->fail_nth = 1;
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuvm_resv_object_alloc(gt->drm), NULL);
	gt_alloc_end(gt);
}

/* The VM keeps its resv object and, through it, the resv of local objects. */
static void resv_object_lives_with_vm(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm(gt, 0);
	struct drm_gem_object *local = gt_obj(gt, 'a', vm);
	struct drm_gem_object *ext = gt_obj(gt, 'b', NULL);

	/* One is the VM's, one the local object's. */
	KUNIT_EXPECT_EQ(test, gt_obj_refs(drm_gpuvm_resv_obj(vm)), 2);
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_is_extobj(vm, local));
	KUNIT_EXPECT_TRUE(test, drm_gpuvm_is_extobj(vm, ext));
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_is_extobj(vm, NULL));
}

static void teardown_with_mappings_warns(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm(gt, 0);
	struct drm_gpuva *va = gt_map(gt, vm, GT_BASE, GT_PAGES(1), NULL, 0);

	/* A driver that drops one reference too many. */
	gt->vms[0] = NULL;
	drm_gpuvm_put(vm);
	gt_warn_begin(gt);
	drm_gpuvm_put(vm);
	gt_warn_end(gt, 1, 1);
	gt_is_live(gt, GT_VMS, 0);
	gt_va_free(va);
}

static void only_reserved_at_teardown(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm_at(gt, 0, GT_VM_START, GT_VM_RANGE, GT_BASE,
					GT_PAGES(2), &gt_ops);

	gt->vms[0] = NULL;
	drm_gpuvm_put(vm);
	gt_is_live(gt, GT_VMS, 0);
	KUNIT_EXPECT_EQ(test, gt_warnings(gt), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&gt->drm->ref), gt->drm_refs);
}

static struct kunit_case gpuvm_vm_tests[] = {
	KUNIT_CASE_PARAM(try_init, init_gen_params),
	KUNIT_CASE(try_init_without_ops),
	KUNIT_CASE_PARAM(init_refused_leaves_empty_vm, init_gen_params),
	KUNIT_CASE_PARAM(name_and_flags, gt_mode_gen_params),
	KUNIT_CASE(range_valid),
	KUNIT_CASE(mappings_hold_one_reference),
	KUNIT_CASE(last_mapping_frees_vm),
	KUNIT_CASE_PARAM(vm_bo_holds_a_reference, gt_mode_gen_params),
	KUNIT_CASE(put_null),
	KUNIT_CASE(resv_object),
	KUNIT_CASE(resv_object_lives_with_vm),
	KUNIT_CASE(teardown_with_mappings_warns),
	KUNIT_CASE(only_reserved_at_teardown),
	{}
};

static struct kunit_suite gpuvm_vm_suite = {
	.name = "drm_gpuvm_vm",
	.init = gt_init,
	.exit = gt_exit,
	.test_cases = gpuvm_vm_tests,
};

kunit_test_suite(gpuvm_vm_suite);
