// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * drm_gpuvm_stress: threads look up vm_bos, clean up after them, and evict.
 */

#include "stress.h"

/* There is but one vm_bo of a VM and an object, and it is ours. */
void st_check_unique(struct stress *st, struct drm_gpuvm_bo *vm_bo,
		     struct st_vm *vm, struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *found;

	st_gpuva_lock(st, obj);
	found = drm_gpuvm_bo_find(&vm->base, obj);
	st_gpuva_unlock(st, obj);

	st_expect(st, found == vm_bo);
	if (!found)
		return;

	st_vm_bo_sound(st, found, &vm->base, obj);
	if (st_immediate(st))
		drm_gpuvm_bo_put_deferred(found);
	else
		drm_gpuvm_bo_put(found);
}

struct drm_gpuvm_bo *
st_obtain_immediate(struct st_thread *t, struct st_vm *vm,
		    struct drm_gem_object *obj)
{
	struct stress *st = t->st;
	struct drm_gpuvm_bo *new = drm_gpuvm_bo_create(&vm->base, obj), *vm_bo;

	if (!st_expect(st, new))
		return NULL;

	st_pause(t);
	vm_bo = drm_gpuvm_bo_obtain_prealloc(new);
	t->counts[ST_N_PREALLOC_LOST] += vm_bo != new;
	st_vm_bo_sound(st, vm_bo, &vm->base, obj);
	st_pause(t);

	if (st_resv_protected(st))
		dma_resv_lock(drm_gpuvm_resv(&vm->base), NULL);
	drm_gpuvm_bo_extobj_add(vm_bo);
	if (st_resv_protected(st))
		dma_resv_unlock(drm_gpuvm_resv(&vm->base));

	st_check_unique(st, vm_bo, vm, obj);

	return vm_bo;
}

static void st_look_up_immediate(struct st_thread *t, struct st_vm *vm,
				 struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;

	if (st_random(t, 2)) {
		vm_bo = st_obtain_immediate(t, vm, obj);
	} else {
		mutex_lock(&obj->gpuva.lock);
		vm_bo = drm_gpuvm_bo_find(&vm->base, obj);
		mutex_unlock(&obj->gpuva.lock);
	}
	if (!vm_bo)
		return;

	st_pause(t);
	st_vm_bo_sound(t->st, vm_bo, &vm->base, obj);
	t->counts[ST_N_LAST_PUTS] += drm_gpuvm_bo_put_deferred(vm_bo);
}

/* What unmaps an object is what is linked to its vm_bo. */
static void st_check_links(struct stress *st, struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gpuva_ops *ops = drm_gpuvm_bo_unmap_ops_create(vm_bo);
	struct drm_gpuva_op *op;

	if (!st_expect(st, !IS_ERR(ops)))
		return;

	drm_gpuva_for_each_op(op, ops) {
		st_expect(st, op->op == DRM_GPUVA_OP_UNMAP);
		st_expect(st, op->unmap.va->vm_bo == vm_bo);
		st_expect(st, op->unmap.va->gem.obj == vm_bo->obj);
	}
	drm_gpuva_ops_free(vm_bo->vm, ops);
}

static void st_look_up_staged(struct st_thread *t, struct st_vm *vm,
			      struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;
	struct drm_exec exec;

	st_pair_lock(t, vm, obj, &exec);
	if (st_random(t, 2)) {
		vm_bo = drm_gpuvm_bo_obtain_locked(&vm->base, obj);
		if (!st_expect(t->st, !IS_ERR(vm_bo)))
			vm_bo = NULL;
	} else {
		vm_bo = drm_gpuvm_bo_find(&vm->base, obj);
	}
	if (vm_bo) {
		st_check_unique(t->st, vm_bo, vm, obj);
		st_check_links(t->st, vm_bo);
		if (st_resv_protected(t->st))
			drm_gpuvm_bo_extobj_add(vm_bo);
		st_pause(t);
	}

	/* Half of the times it may become the last reference meanwhile. */
	if (vm_bo && st_random(t, 2)) {
		drm_exec_fini(&exec);
		if (!st_resv_protected(t->st))
			drm_gpuvm_bo_extobj_add(vm_bo);
		st_pause(t);
		st_pair_lock(t, vm, obj, &exec);
		st_vm_bo_sound(t->st, vm_bo, &vm->base, obj);
	}
	t->counts[ST_N_LAST_PUTS] += drm_gpuvm_bo_put(vm_bo);
	drm_exec_fini(&exec);
}

void st_look_up(struct st_thread *t)
{
	struct st_vm *vm = st_vm_get(t);
	struct drm_gem_object *obj = st_obj_get(t, vm);

	if (obj) {
		if (st_immediate(t->st))
			st_look_up_immediate(t, vm, obj);
		else
			st_look_up_staged(t, vm, obj);
	}
	st_obj_put(obj);
	st_vm_put(vm);
}

void st_cleanup(struct st_thread *t)
{
	struct st_vm *vm = st_vm_get(t);

	drm_gpuvm_bo_deferred_cleanup(&vm->base);
	st_vm_put(vm);
}

void st_evict(struct st_thread *t)
{
	struct st_vm *vm = st_vm_get(t);
	struct drm_gem_object *obj = st_obj_get(t, vm);
	struct stress *st = t->st;
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuva *va;
	bool evict = st_random(t, 8);

	if (!obj)
		goto out;

	dma_resv_lock(obj->resv, NULL);
	st_pause(t);
	st_gpuva_lock(st, obj);
	drm_gpuvm_bo_gem_evict(obj, evict);
	drm_gem_for_each_gpuvm_bo(vm_bo, obj) {
		st_expect(st, to_st_vm_bo(vm_bo)->state == ST_ALIVE);
		st_expect(st, vm_bo->obj == obj && kref_read(&vm_bo->kref));
		st_expect(st, vm_bo->evicted == evict);
		drm_gpuvm_bo_for_each_va(va, vm_bo) {
			st_expect(st, va->vm_bo == vm_bo && va->gem.obj == obj);
			st_expect(st, va->va.addr >= GT_BASE);
		}
	}
	st_gpuva_unlock(st, obj);
	dma_resv_unlock(obj->resv);
	drm_gem_object_put(obj);
out:
	st_vm_put(vm);
}
