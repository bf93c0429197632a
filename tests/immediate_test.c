// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Immediate mode where it is meant to run: inside fence signalling, where
 * nothing may be allocated and no resv may be locked. Lockdep judges.
 */

#include <linux/dma-fence.h>

#include "gpuvm_test.h"

#define AT(page) (GT_BASE + GT_PAGES(page))

static const struct gt_mode immediate_modes[] = {
	{ "immediate", DRM_GPUVM_IMMEDIATE_MODE },
	{
		"immediate, resv protected",
		DRM_GPUVM_IMMEDIATE_MODE | DRM_GPUVM_RESV_PROTECTED
	},
};

KUNIT_ARRAY_PARAM_DESC(mode, immediate_modes, name);

static struct drm_gpuvm *immediate_vm(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm_at(gt, mode->flags, GT_VM_START, GT_VM_RANGE, 0, 0,
					&gt_ops_embed);

	gt_obj(gt, 'a', vm);
	gt_obj(gt, 'b', NULL);

	return vm;
}

/* What a job may do has to be allocated before it is armed. */
static void job_begin(struct gt *gt, bool *cookie)
{
	gt_pool_fill(gt, 8);
	gt->pool_only = true;
	*cookie = dma_fence_begin_signalling();
}

static void job_end(struct gt *gt, bool cookie)
{
	dma_fence_end_signalling(cookie);
	gt->pool_only = false;
	gt_pool_drain(gt);
}

static void job_map(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = immediate_vm(test);
	struct drm_gpuvm_bo *a = gt_vm_bo(gt, vm, gt_obj_find(gt, 'a'));
	struct gt_walk walk = { .gt = gt, .vm = vm, .vm_bo = a, .apply = true };
	struct drm_gpuvm_map_req req = {
		.map = { { AT(1), GT_PAGES(3) }, { GT_PAGES(1), gt_obj_find(gt, 'a') } },
	};
	bool cookie;

	gt_build(gt, vm, GT_BASE, "|b4 b5|*3|b0 b1|");

	job_begin(gt, &cookie);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_map(vm, &walk, &req), 0);
	job_end(gt, cookie);

	gt_expect_picture(test, vm, GT_BASE, "|b4|a1 a2 a3|b1|", "map");
	gpuvm_check(test, vm);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_first(vm, AT(1), 1)->vm_bo, a);
	gt_vm_bo_put(gt, a);
}

static void job_unmap_and_split(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = immediate_vm(test);
	struct gt_walk walk = { .gt = gt, .vm = vm, .apply = true };
	bool cookie;

	gt_build(gt, vm, GT_BASE, "|a4 a5 a6|b0 b1|*3 *4|");
	job_begin(gt, &cookie);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_unmap(vm, &walk, AT(1), GT_PAGES(1)), 0);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_unmap(vm, &walk, AT(4), GT_PAGES(2)), 0);
	job_end(gt, cookie);

	gt_expect_picture(test, vm, GT_BASE, "|a4|  |a6|b0|     |*4|", "unmap");
	gpuvm_check(test, vm);
}

/* The last mapping of an object goes in the job; its vm_bo waits outside. */
static void job_unlinks_the_last(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = immediate_vm(test);
	struct gt_walk walk = { .gt = gt, .vm = vm, .apply = true };
	struct drm_gem_object *a = gt_obj_find(gt, 'a'), *b = gt_obj_find(gt, 'b');
	bool cookie;

	gt_build(gt, vm, GT_BASE, "|a4|b0|a5|b1|");
	gt_is_live(gt, GT_VM_BOS, 2);

	job_begin(gt, &cookie);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_unmap(vm, &walk, AT(0), GT_PAGES(4)), 0);
	job_end(gt, cookie);

	gt_is_live(gt, GT_VM_BOS, 2);
	KUNIT_EXPECT_EQ(test, gt_obj_refs(a), 2);
	KUNIT_EXPECT_EQ(test, gt_obj_refs(b), 2);
	KUNIT_EXPECT_TRUE(test, list_empty(&a->gpuva.list));
	gpuvm_check(test, vm);

	drm_gpuvm_bo_deferred_cleanup(vm);
	gt_is_live(gt, GT_VM_BOS, 0);
	KUNIT_EXPECT_EQ(test, gt_obj_refs(a), 1);
	KUNIT_EXPECT_EQ(test, gt_obj_refs(b), 1);
	gpuvm_check(test, vm);
}

/* Every call that is documented for this context, one by one. */
static void job_single_calls(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = immediate_vm(test);
	struct drm_gem_object *b = gt_obj_find(gt, 'b');
	struct drm_gpuvm_bo *vm_bo = gt_vm_bo(gt, vm, b), *found;
	struct drm_gpuva *va = gt_va(gt, AT(0), GT_PAGES(3), b, 0);
	struct drm_gpuva *prev = gt_va(gt, 0, 0, NULL, 0);
	struct drm_gpuva_op_map p = { { AT(0), GT_PAGES(1) }, { 0, b } };
	struct drm_gpuva_op_map n = { { AT(2), GT_PAGES(1) }, { GT_PAGES(2), b } };
	struct drm_gpuva_op_unmap unmap = { .va = va };
	struct drm_gpuva_op_remap remap = { .prev = &p, .next = &n, .unmap = &unmap };
	bool cookie;

	cookie = dma_fence_begin_signalling();
	KUNIT_EXPECT_EQ(test, drm_gpuva_insert(vm, va), 0);
	mutex_lock(&b->gpuva.lock);
	drm_gpuva_link(va, vm_bo);
	found = drm_gpuvm_bo_find(vm, b);
	mutex_unlock(&b->gpuva.lock);
	drm_gpuvm_bo_put_deferred(found);

	/* Reuses the old mapping for the part behind. */
	KUNIT_EXPECT_EQ(test, drm_gpuva_remap(prev, va, &remap), 0);
	mutex_lock(&b->gpuva.lock);
	drm_gpuva_link(prev, vm_bo);
	mutex_unlock(&b->gpuva.lock);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_first(vm, AT(0), GT_PAGES(3)), prev);
	KUNIT_EXPECT_TRUE(test, drm_gpuvm_interval_empty(vm, AT(1), GT_PAGES(1)));
	drm_gpuvm_bo_put_deferred(vm_bo);
	dma_fence_end_signalling(cookie);

	KUNIT_EXPECT_PTR_EQ(test, found, vm_bo);
	gt_expect_picture(test, vm, GT_BASE, "|b0|  |b2|", "remap");
	gpuvm_check(test, vm);

	cookie = dma_fence_begin_signalling();
	drm_gpuva_unlink_defer(prev);
	unmap.va = prev;
	drm_gpuva_unmap(&unmap);
	drm_gpuva_unlink_defer(va);
	drm_gpuva_remove(va);
	dma_fence_end_signalling(cookie);

	gt_va_free(prev);
	gt_va_free(va);
	gt_is_live(gt, GT_VM_BOS, 1);
	gpuvm_check(test, vm);
	drm_gpuvm_bo_deferred_cleanup(vm);
	gt_is_live(gt, GT_VM_BOS, 0);
}

/* A list that was made before the job is carried out in it. */
static void job_carries_out_list(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = immediate_vm(test);
	struct drm_gpuvm_bo *a = gt_vm_bo(gt, vm, gt_obj_find(gt, 'a'));
	struct gt_walk walk = { .gt = gt, .vm = vm, .vm_bo = a };
	struct drm_gpuvm_map_req req = {
		.map = { { AT(1), GT_PAGES(1) }, { 0, gt_obj_find(gt, 'a') } },
	};
	struct drm_gpuva_ops *ops;
	struct drm_gpuva_op *op;
	bool cookie;

	gt_build(gt, vm, GT_BASE, "|b0 b1 b2|");
	ops = drm_gpuvm_sm_map_ops_create(vm, &req);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ops);

	job_begin(gt, &cookie);
	drm_gpuva_for_each_op(op, ops)
		KUNIT_EXPECT_EQ(test, gt_apply(&walk, op), 0);
	job_end(gt, cookie);

	drm_gpuva_ops_free(vm, ops);
	gt_expect_picture(test, vm, GT_BASE, "|b0|a0|b2|", "list");
	gpuvm_check(test, vm);
	gt_vm_bo_put(gt, a);
}

static struct kunit_case gpuvm_immediate_tests[] = {
	KUNIT_CASE_PARAM(job_map, mode_gen_params),
	KUNIT_CASE_PARAM(job_unmap_and_split, mode_gen_params),
	KUNIT_CASE_PARAM(job_unlinks_the_last, mode_gen_params),
	KUNIT_CASE_PARAM(job_single_calls, mode_gen_params),
	KUNIT_CASE_PARAM(job_carries_out_list, mode_gen_params),
	{}
};

static struct kunit_suite gpuvm_immediate_suite = {
	.name = "drm_gpuvm_immediate",
	.init = gt_init,
	.exit = gt_exit,
	.test_cases = gpuvm_immediate_tests,
};

kunit_test_suite(gpuvm_immediate_suite);
