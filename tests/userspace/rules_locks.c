// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What callers must not do: without a lock, under the wrong one,
 * in the wrong mode.
 */
#include "rules.h"

void link_unlocked(struct fixture *f, bool locked)
{
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	drm_gpuva_insert(&f->vm, &f->va);
	if (locked)
		rule_lock(&f->external);
	drm_gpuva_link(&f->va, vm_bo);
	if (locked)
		rule_unlock(&f->external);

	drm_gpuva_remove(&f->va);
	rule_lock(&f->external);
	drm_gpuva_unlink(&f->va);
	rule_unlock(&f->external);
	rule_put(f, vm_bo);
}

void unlink_unlocked(struct fixture *f, bool locked)
{
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	drm_gpuva_insert(&f->vm, &f->va);
	rule_lock(&f->external);
	drm_gpuva_link(&f->va, vm_bo);
	rule_unlock(&f->external);

	drm_gpuva_remove(&f->va);
	if (locked)
		rule_lock(&f->external);
	drm_gpuva_unlink(&f->va);
	if (locked)
		rule_unlock(&f->external);
	rule_put(f, vm_bo);
}

void link_without_mutex(struct fixture *f, bool locked)
{
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	drm_gpuva_insert(&f->vm, &f->va);
	if (locked)
		mutex_lock(&f->external.gpuva.lock);
	drm_gpuva_link(&f->va, vm_bo);
	if (locked)
		mutex_unlock(&f->external.gpuva.lock);

	drm_gpuva_remove(&f->va);
	drm_gpuva_unlink_defer(&f->va);
	rule_put(f, vm_bo);
}

void find_unlocked(struct fixture *f, bool locked)
{
	if (locked)
		rule_lock(&f->external);
	EXPECT(f, !drm_gpuvm_bo_find(&f->vm, &f->external));
	if (locked)
		rule_unlock(&f->external);
}

void put_unlocked(struct fixture *f, bool locked)
{
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	if (locked)
		rule_lock(&f->external);
	EXPECT(f, drm_gpuvm_bo_put(vm_bo));
	if (locked)
		rule_unlock(&f->external);
}

/* It may not be the last reference, but nobody can know. */
void put_under_spinlock(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);
	spinlock_t lock;	/* any */

	drm_gpuvm_bo_get(vm_bo);
	spin_lock_init(&lock);
	if (!right)
		spin_lock(&lock);
	EXPECT(f, !drm_gpuvm_bo_put(vm_bo));
	if (!right)
		spin_unlock(&lock);
	rule_put(f, vm_bo);
}

/* One list after the other is left without its guard. */
void put_without_vm_resv(struct fixture *f, bool locked)
{
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	rule_lock(&f->external);
	if (locked)
		rule_lock(&f->r_obj);
	EXPECT(f, drm_gpuvm_bo_put(vm_bo));
	if (locked)
		rule_unlock(&f->r_obj);
	rule_unlock(&f->external);
}

void evict_unlocked(struct fixture *f, bool locked)
{
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	if (locked)
		rule_lock(&f->external);
	drm_gpuvm_bo_evict(vm_bo, true);
	if (locked)
		rule_unlock(&f->external);
	rule_put(f, vm_bo);
}

void gem_evict_without_mutex(struct fixture *f, bool locked)
{
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	rule_lock(&f->external);
	if (locked)
		mutex_lock(&f->external.gpuva.lock);
	drm_gpuvm_bo_gem_evict(&f->external, true);
	if (locked)
		mutex_unlock(&f->external.gpuva.lock);
	rule_unlock(&f->external);
	rule_put(f, vm_bo);
}

/* Once for the call, once for the list. */
void extobj_add_unlocked(struct fixture *f, bool locked)
{
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	if (locked)
		rule_lock(&f->r_obj);
	drm_gpuvm_bo_extobj_add(vm_bo);
	if (locked)
		rule_unlock(&f->r_obj);
	rule_put(f, vm_bo);
}

void validate_unlocked(struct fixture *f, bool locked)
{
	f->ops.vm_bo_validate = rule_validate_nothing;
	if (locked)
		rule_lock(&f->r_obj);
	EXPECT(f, !drm_gpuvm_validate(&f->vm, NULL));
	if (locked)
		rule_unlock(&f->r_obj);
}

void prepare_objects_unlocked(struct fixture *f, bool locked)
{
	struct drm_exec exec;

	drm_exec_init(&exec, 0, 0);
	drm_exec_cleanup(&exec);
	if (locked)
		EXPECT(f, !drm_gpuvm_prepare_vm(&f->vm, &exec, 0));
	EXPECT(f, !drm_gpuvm_prepare_objects(&f->vm, &exec, 0));
	drm_exec_fini(&exec);
}

/* Between resv_assert_held() and the callback only one of the two is missing. */
void validate_extobj_unlocked(struct fixture *f, bool locked)
{
	struct drm_gpuvm_exec vm_exec = { .vm = &f->vm };
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	f->ops.vm_bo_validate = rule_validate_nothing;
	rule_lock(&f->r_obj);
	drm_gpuvm_bo_extobj_add(vm_bo);
	rule_unlock(&f->r_obj);
	rule_lock(&f->external);
	drm_gpuvm_bo_evict(vm_bo, true);
	rule_unlock(&f->external);
	/* This puts it on the list. */
	EXPECT(f, !drm_gpuvm_exec_lock(&vm_exec));
	drm_gpuvm_exec_unlock(&vm_exec);

	rule_lock(&f->r_obj);
	if (locked)
		rule_lock(&f->external);
	EXPECT(f, !drm_gpuvm_validate(&f->vm, NULL));
	if (locked)
		rule_unlock(&f->external);
	rule_unlock(&f->r_obj);
	rule_put(f, vm_bo);
}

/* The core and dma_resv_add_fence() both say so. */
void add_fence_unlocked(struct fixture *f, bool locked)
{
	struct drm_gpuvm_exec vm_exec = { .vm = &f->vm, .num_fences = 1 };
	struct dma_fence fence = {};

	EXPECT(f, !drm_gpuvm_exec_lock(&vm_exec));
	f->r_obj.resv->held = locked;
	drm_gpuvm_exec_resv_add_fence(&vm_exec, &fence, DMA_RESV_USAGE_READ,
				      DMA_RESV_USAGE_WRITE);
	f->r_obj.resv->held = true;
	EXPECT(f, fence.users == 1);
	drm_gpuvm_exec_unlock(&vm_exec);
}

void bo_unmap_unlocked(struct fixture *f, bool locked)
{
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);
	struct drm_gpuva_ops *ops;

	if (locked)
		rule_lock(&f->external);
	ops = drm_gpuvm_bo_unmap_ops_create(vm_bo);
	if (locked)
		rule_unlock(&f->external);
	EXPECT(f, !IS_ERR(ops) && list_empty(&ops->list));
	drm_gpuva_ops_free(&f->vm, ops);
	rule_put(f, vm_bo);
}

void cleanup_in_signalling(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	drm_gpuvm_bo_put_deferred(vm_bo);
	shim.signalling = !right;
	drm_gpuvm_bo_deferred_cleanup(&f->vm);
	shim.signalling = false;
}

void list_in_signalling(struct fixture *f, bool right)
{
	struct drm_gpuva_ops *ops;

	shim.signalling = !right;
	ops = drm_gpuvm_sm_unmap_ops_create(&f->vm, 0, 4);
	shim.signalling = false;
	EXPECT(f, !IS_ERR(ops));
	drm_gpuva_ops_free(&f->vm, ops);
}

/* ---- Modes ------------------------------------------------------------- */

void obtain_in_wrong_mode(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo;

	if (right) {
		rule_put(f, rule_obtain(f));
		return;
	}

	mutex_lock(&f->external.gpuva.lock);
	vm_bo = drm_gpuvm_bo_obtain_locked(&f->vm, &f->external);
	mutex_unlock(&f->external.gpuva.lock);
	rule_put(f, vm_bo);
}

void prealloc_in_wrong_mode(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo;

	if (right) {
		rule_put(f, rule_obtain(f));
		return;
	}

	vm_bo = drm_gpuvm_bo_create(&f->vm, &f->external);
	rule_lock(&f->external);
	EXPECT(f, drm_gpuvm_bo_obtain_prealloc(vm_bo) == vm_bo);
	rule_unlock(&f->external);
	rule_put(f, vm_bo);
}

void defer_in_wrong_mode(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	drm_gpuvm_bo_get(vm_bo);
	if (right)
		drm_gpuvm_bo_put(vm_bo);
	else
		EXPECT(f, !drm_gpuvm_bo_put_deferred(vm_bo));
	rule_put(f, vm_bo);
}

void unlink_defer_in_wrong_mode(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	drm_gpuva_insert(&f->vm, &f->va);
	rule_lock(&f->external);
	drm_gpuva_link(&f->va, vm_bo);
	if (right)
		drm_gpuva_unlink(&f->va);
	rule_unlock(&f->external);
	drm_gpuva_remove(&f->va);
	/* The second time it is not linked, and nothing happens. */
	if (!right)
		drm_gpuva_unlink_defer(&f->va);
	drm_gpuva_unlink_defer(&f->va);
	rule_put(f, vm_bo);
}

void link_to_wrong_object(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	f->va.gem.obj = right ? &f->external : &f->local;
	drm_gpuva_insert(&f->vm, &f->va);
	rule_lock(&f->r_obj);
	rule_lock(&f->external);
	drm_gpuva_link(&f->va, vm_bo);
	drm_gpuva_unlink(&f->va);
	rule_unlock(&f->external);
	rule_unlock(&f->r_obj);
	drm_gpuva_remove(&f->va);
	rule_put(f, vm_bo);
}
