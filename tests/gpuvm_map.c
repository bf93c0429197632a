// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * The library behind the GPUVM suites: vm_bos and mappings, and a driver that
 * carries out requests.
 */

#include <linux/slab.h>

#include "gpuvm_test.h"

/* ---- vm_bos and mappings ------------------------------------------------ */

/* The one vm_bo of @vm and @obj, on the extobj list if it belongs there. */
struct drm_gpuvm_bo *gt_vm_bo(struct gt *gt, struct drm_gpuvm *vm,
			      struct drm_gem_object *obj)
{
	bool immediate = drm_gpuvm_immediate_mode(vm);
	struct drm_gpuvm_bo *vm_bo;
	struct drm_exec exec;

	if (immediate) {
		vm_bo = drm_gpuvm_bo_create(vm, obj);
		KUNIT_ASSERT_NOT_NULL(gt->test, vm_bo);
		vm_bo = drm_gpuvm_bo_obtain_prealloc(vm_bo);
	}

	gt_lock(gt, vm, &exec);
	if (!immediate) {
		vm_bo = drm_gpuvm_bo_obtain_locked(vm, obj);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(gt->test, vm_bo);
	}
	drm_gpuvm_bo_extobj_add(vm_bo);
	drm_exec_fini(&exec);

	return vm_bo;
}

void gt_vm_bo_put(struct gt *gt, struct drm_gpuvm_bo *vm_bo)
{
	struct drm_exec exec;

	if (!vm_bo)
		return;

	if (drm_gpuvm_immediate_mode(vm_bo->vm)) {
		drm_gpuvm_bo_put_deferred(vm_bo);
		return;
	}

	gt_lock(gt, vm_bo->vm, &exec);
	drm_gpuvm_bo_put(vm_bo);
	drm_exec_fini(&exec);
}

static struct drm_gpuva *gt_va_alloc(struct gt *gt)
{
	struct gt_va *va;

	va = list_first_entry_or_null(&gt->pool, struct gt_va, pool);
	if (va) {
		list_del_init(&va->pool);
		return &va->base;
	}

	if (gt->pool_only)
		return NULL;

	va = kzalloc_obj(*va);
	if (!va)
		return NULL;

	va->gt = gt;
	INIT_LIST_HEAD(&va->pool);
	gt_count(gt, GT_VAS, 1);

	return &va->base;
}

struct drm_gpuva *gt_va(struct gt *gt, u64 addr, u64 range,
			struct drm_gem_object *obj, u64 offset)
{
	struct drm_gpuva *va = gt_va_alloc(gt);

	KUNIT_ASSERT_NOT_NULL(gt->test, va);
	va->va.addr = addr;
	va->va.range = range;
	va->gem.obj = obj;
	va->gem.offset = offset;
	if (!obj)
		va->flags = DRM_GPUVA_SPARSE;

	return va;
}

void gt_va_free(struct drm_gpuva *base)
{
	struct gt_va *va = container_of(base, struct gt_va, base);

	gt_count(va->gt, GT_VAS, -1);
	kfree(va);
}

void gt_pool_fill(struct gt *gt, unsigned int n)
{
	LIST_HEAD(pool);

	while (n--) {
		struct drm_gpuva *va = gt_va(gt, 0, 0, NULL, 0);

		va->flags = 0;
		list_add(&container_of(va, struct gt_va, base)->pool, &pool);
	}
	list_splice(&pool, &gt->pool);
}

void gt_pool_drain(struct gt *gt)
{
	struct gt_va *va, *next;

	list_for_each_entry_safe(va, next, &gt->pool, pool) {
		list_del(&va->pool);
		gt_va_free(&va->base);
	}
}

static void gt_link(struct drm_gpuva *va, struct drm_gpuvm_bo *vm_bo)
{
	if (!va->gem.obj || !vm_bo)
		return;

	if (drm_gpuvm_immediate_mode(vm_bo->vm)) {
		mutex_lock(&va->gem.obj->gpuva.lock);
		drm_gpuva_link(va, vm_bo);
		mutex_unlock(&va->gem.obj->gpuva.lock);
	} else {
		drm_gpuva_link(va, vm_bo);
	}
}

static void gt_unlink(struct drm_gpuva *va)
{
	if (drm_gpuvm_immediate_mode(va->vm))
		drm_gpuva_unlink_defer(va);
	else
		drm_gpuva_unlink(va);
}

/* Insert and link one mapping; takes the locks that this needs. */
struct drm_gpuva *gt_map(struct gt *gt, struct drm_gpuvm *vm, u64 addr,
			 u64 range, struct drm_gem_object *obj, u64 offset)
{
	struct drm_gpuva *va = gt_va(gt, addr, range, obj, offset);
	struct drm_gpuvm_bo *vm_bo = NULL;
	struct drm_exec exec;

	if (obj)
		vm_bo = gt_vm_bo(gt, vm, obj);

	gt_lock_staged(gt, vm, &exec);
	KUNIT_ASSERT_EQ(gt->test, drm_gpuva_insert(vm, va), 0);
	gt_link(va, vm_bo);
	gt_unlock_staged(vm, &exec);

	if (vm_bo)
		gt_vm_bo_put(gt, vm_bo);

	return va;
}

/* The reverse of gt_map(). */
void gt_unmap(struct gt *gt, struct drm_gpuva *va)
{
	struct drm_gpuvm *vm = va->vm;
	struct drm_exec exec;

	gt_lock_staged(gt, vm, &exec);
	gt_unlink(va);
	drm_gpuva_remove(va);
	gt_unlock_staged(vm, &exec);
	gt_va_free(va);
}

/* ---- a driver ----------------------------------------------------------- */

static int gt_apply_remap(struct gt_walk *walk, struct drm_gpuva_op_remap *op)
{
	struct drm_gpuva *va = op->unmap->va, *prev = NULL, *next = NULL;
	int ret;

	if (op->prev) {
		prev = gt_va_alloc(walk->gt);
		if (!prev)
			return -ENOMEM;
		prev->flags = va->flags;
	}
	if (op->next) {
		next = gt_va_alloc(walk->gt);
		if (!next)
			return -ENOMEM;
		next->flags = va->flags;
	}

	ret = drm_gpuva_remap(prev, next, op);
	if (ret)
		return ret;

	if (prev)
		gt_link(prev, va->vm_bo);
	if (next)
		gt_link(next, va->vm_bo);
	gt_unlink(va);
	gt_va_free(va);

	return 0;
}

/* Do what the operation says; the caller holds the locks that links need. */
int gt_apply(struct gt_walk *walk, struct drm_gpuva_op *op)
{
	struct drm_gpuva *va;
	int ret;

	switch (op->op) {
	case DRM_GPUVA_OP_MAP:
		va = gt_va_alloc(walk->gt);
		if (!va)
			return -ENOMEM;
		va->flags = op->map.gem.obj ? 0 : DRM_GPUVA_SPARSE;
		ret = drm_gpuva_map(walk->vm, va, &op->map);
		if (ret) {
			gt_va_free(va);
			return ret;
		}
		gt_link(va, walk->vm_bo);
		return 0;
	case DRM_GPUVA_OP_REMAP:
		return gt_apply_remap(walk, &op->remap);
	case DRM_GPUVA_OP_UNMAP:
		va = op->unmap.va;
		gt_unlink(va);
		drm_gpuva_unmap(&op->unmap);
		gt_va_free(va);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

/* drm_gpuvm_sm_map() by a driver that follows it; @log may be NULL. */
int gt_sm_map(struct gt *gt, struct drm_gpuvm *vm, u64 addr, u64 range,
	      struct drm_gem_object *obj, u64 offset, struct gt_log *log)
{
	struct drm_gpuvm_map_req req = {
		.map = { { addr, range }, { offset, obj } },
	};
	struct gt_walk walk = { .gt = gt, .vm = vm, .log = log, .apply = true };
	struct drm_exec exec;
	int ret;

	if (obj)
		walk.vm_bo = gt_vm_bo(gt, vm, obj);

	gt_lock_staged(gt, vm, &exec);
	ret = drm_gpuvm_sm_map(vm, &walk, &req);
	gt_unlock_staged(vm, &exec);

	if (walk.vm_bo)
		gt_vm_bo_put(gt, walk.vm_bo);

	return ret;
}

int gt_sm_unmap(struct gt *gt, struct drm_gpuvm *vm, u64 addr, u64 range,
		struct gt_log *log)
{
	struct gt_walk walk = { .gt = gt, .vm = vm, .log = log, .apply = true };
	struct drm_exec exec;
	int ret;

	gt_lock_staged(gt, vm, &exec);
	ret = drm_gpuvm_sm_unmap(vm, &walk, addr, range);
	gt_unlock_staged(vm, &exec);

	return ret;
}
