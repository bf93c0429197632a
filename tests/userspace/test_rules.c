// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What callers must not do: each breach is noticed, and what can be refused
 * is refused. The same calls made rightly are silent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <drm/drm_drv.h>
#include <drm/drm_exec.h>
#include <drm/drm_gpuvm.h>

#include "shim.h"

#define PROTECTED	DRM_GPUVM_RESV_PROTECTED
#define IMMEDIATE	DRM_GPUVM_IMMEDIATE_MODE

/* A VM of 16 pages, of which the last is reserved, and two objects. */
struct fixture {
	struct drm_gpuvm vm;
	struct drm_gpuvm_ops ops;
	struct drm_device drm;
	struct drm_gem_object r_obj, local, external;
	struct drm_gpuva va, other;
	unsigned int vms_freed;
	unsigned int steps;
	bool wrong;

	/* @left: a vm_bo that outlives its VM, which was put too often */
	struct drm_gpuvm_bo *left;
};

#define EXPECT(f, cond) expect(f, cond, #cond)

static void expect(struct fixture *f, bool cond, const char *what)
{
	if (!cond) {
		printf("# not so: %s\n", what);
		f->wrong = true;
	}
}

static void vm_free(struct drm_gpuvm *gpuvm)
{
	container_of(gpuvm, struct fixture, vm)->vms_freed++;
}

static int step(struct drm_gpuva_op *op, void *priv)
{
	((struct fixture *)priv)->steps++;

	return 0;
}

static void obj_init(struct fixture *f, struct drm_gem_object *obj,
		     struct dma_resv *resv)
{
	obj->resv = resv;
	drm_gem_private_object_init(&f->drm, obj, 0);
}

static void setup(struct fixture *f, unsigned int flags)
{
	memset(f, 0, sizeof(*f));
	kref_init(&f->drm.ref);
	obj_init(f, &f->r_obj, NULL);
	obj_init(f, &f->local, f->r_obj.resv);
	obj_init(f, &f->external, NULL);
	f->ops.vm_free = vm_free;
	f->ops.sm_step_map = step;
	f->ops.sm_step_remap = step;
	f->ops.sm_step_unmap = step;
	f->va.va.addr = 2;
	f->va.va.range = 6;
	f->va.gem.obj = &f->external;
	f->other.va.addr = 10;
	f->other.va.range = 2;
	drm_gpuvm_init(&f->vm, NULL, flags, &f->drm, &f->r_obj, 0, 16, 15, 1,
		       &f->ops);
}

static void lock(struct drm_gem_object *obj)
{
	dma_resv_lock(obj->resv, NULL);
}

static void unlock(struct drm_gem_object *obj)
{
	dma_resv_unlock(obj->resv);
}

static struct drm_gpuvm_bo *obtain(struct fixture *f)
{
	struct drm_gpuvm_bo *vm_bo;

	if (drm_gpuvm_immediate_mode(&f->vm))
		return drm_gpuvm_bo_obtain_prealloc(drm_gpuvm_bo_create(&f->vm,
									&f->external));

	lock(&f->external);
	vm_bo = drm_gpuvm_bo_obtain_locked(&f->vm, &f->external);
	unlock(&f->external);

	return vm_bo;
}

static void put(struct fixture *f, struct drm_gpuvm_bo *vm_bo)
{
	if (drm_gpuvm_immediate_mode(&f->vm)) {
		drm_gpuvm_bo_put_deferred(vm_bo);
		drm_gpuvm_bo_deferred_cleanup(&f->vm);
		return;
	}

	lock(&f->r_obj);
	lock(&f->external);
	drm_gpuvm_bo_put(vm_bo);
	unlock(&f->external);
	unlock(&f->r_obj);
}

/* ---- Locks ------------------------------------------------------------- */

static void link_unlocked(struct fixture *f, bool locked)
{
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	drm_gpuva_insert(&f->vm, &f->va);
	if (locked)
		lock(&f->external);
	drm_gpuva_link(&f->va, vm_bo);
	if (locked)
		unlock(&f->external);

	drm_gpuva_remove(&f->va);
	lock(&f->external);
	drm_gpuva_unlink(&f->va);
	unlock(&f->external);
	put(f, vm_bo);
}

static void unlink_unlocked(struct fixture *f, bool locked)
{
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	drm_gpuva_insert(&f->vm, &f->va);
	lock(&f->external);
	drm_gpuva_link(&f->va, vm_bo);
	unlock(&f->external);

	drm_gpuva_remove(&f->va);
	if (locked)
		lock(&f->external);
	drm_gpuva_unlink(&f->va);
	if (locked)
		unlock(&f->external);
	put(f, vm_bo);
}

static void link_without_mutex(struct fixture *f, bool locked)
{
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	drm_gpuva_insert(&f->vm, &f->va);
	if (locked)
		mutex_lock(&f->external.gpuva.lock);
	drm_gpuva_link(&f->va, vm_bo);
	if (locked)
		mutex_unlock(&f->external.gpuva.lock);

	drm_gpuva_remove(&f->va);
	drm_gpuva_unlink_defer(&f->va);
	put(f, vm_bo);
}

static void find_unlocked(struct fixture *f, bool locked)
{
	if (locked)
		lock(&f->external);
	EXPECT(f, !drm_gpuvm_bo_find(&f->vm, &f->external));
	if (locked)
		unlock(&f->external);
}

static void put_unlocked(struct fixture *f, bool locked)
{
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	if (locked)
		lock(&f->external);
	EXPECT(f, drm_gpuvm_bo_put(vm_bo));
	if (locked)
		unlock(&f->external);
}

/* It may not be the last reference, but nobody can know. */
static void put_under_spinlock(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo = obtain(f);
	spinlock_t lock;	/* any */

	drm_gpuvm_bo_get(vm_bo);
	spin_lock_init(&lock);
	if (!right)
		spin_lock(&lock);
	EXPECT(f, !drm_gpuvm_bo_put(vm_bo));
	if (!right)
		spin_unlock(&lock);
	put(f, vm_bo);
}

/* One list after the other is left without its guard. */
static void put_without_vm_resv(struct fixture *f, bool locked)
{
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	lock(&f->external);
	if (locked)
		lock(&f->r_obj);
	EXPECT(f, drm_gpuvm_bo_put(vm_bo));
	if (locked)
		unlock(&f->r_obj);
	unlock(&f->external);
}

static void evict_unlocked(struct fixture *f, bool locked)
{
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	if (locked)
		lock(&f->external);
	drm_gpuvm_bo_evict(vm_bo, true);
	if (locked)
		unlock(&f->external);
	put(f, vm_bo);
}

static void gem_evict_without_mutex(struct fixture *f, bool locked)
{
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	lock(&f->external);
	if (locked)
		mutex_lock(&f->external.gpuva.lock);
	drm_gpuvm_bo_gem_evict(&f->external, true);
	if (locked)
		mutex_unlock(&f->external.gpuva.lock);
	unlock(&f->external);
	put(f, vm_bo);
}

/* Once for the call, once for the list. */
static void extobj_add_unlocked(struct fixture *f, bool locked)
{
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	if (locked)
		lock(&f->r_obj);
	drm_gpuvm_bo_extobj_add(vm_bo);
	if (locked)
		unlock(&f->r_obj);
	put(f, vm_bo);
}

static int validate_nothing(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	return 0;
}

static void validate_unlocked(struct fixture *f, bool locked)
{
	f->ops.vm_bo_validate = validate_nothing;
	if (locked)
		lock(&f->r_obj);
	EXPECT(f, !drm_gpuvm_validate(&f->vm, NULL));
	if (locked)
		unlock(&f->r_obj);
}

static void prepare_objects_unlocked(struct fixture *f, bool locked)
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
static void validate_extobj_unlocked(struct fixture *f, bool locked)
{
	struct drm_gpuvm_exec vm_exec = { .vm = &f->vm };
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	f->ops.vm_bo_validate = validate_nothing;
	lock(&f->r_obj);
	drm_gpuvm_bo_extobj_add(vm_bo);
	unlock(&f->r_obj);
	lock(&f->external);
	drm_gpuvm_bo_evict(vm_bo, true);
	unlock(&f->external);
	/* This puts it on the list. */
	EXPECT(f, !drm_gpuvm_exec_lock(&vm_exec));
	drm_gpuvm_exec_unlock(&vm_exec);

	lock(&f->r_obj);
	if (locked)
		lock(&f->external);
	EXPECT(f, !drm_gpuvm_validate(&f->vm, NULL));
	if (locked)
		unlock(&f->external);
	unlock(&f->r_obj);
	put(f, vm_bo);
}

/* The core and dma_resv_add_fence() both say so. */
static void add_fence_unlocked(struct fixture *f, bool locked)
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

static void bo_unmap_unlocked(struct fixture *f, bool locked)
{
	struct drm_gpuvm_bo *vm_bo = obtain(f);
	struct drm_gpuva_ops *ops;

	if (locked)
		lock(&f->external);
	ops = drm_gpuvm_bo_unmap_ops_create(vm_bo);
	if (locked)
		unlock(&f->external);
	EXPECT(f, !IS_ERR(ops) && list_empty(&ops->list));
	drm_gpuva_ops_free(&f->vm, ops);
	put(f, vm_bo);
}

static void cleanup_in_signalling(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	drm_gpuvm_bo_put_deferred(vm_bo);
	shim.signalling = !right;
	drm_gpuvm_bo_deferred_cleanup(&f->vm);
	shim.signalling = false;
}

static void list_in_signalling(struct fixture *f, bool right)
{
	struct drm_gpuva_ops *ops;

	shim.signalling = !right;
	ops = drm_gpuvm_sm_unmap_ops_create(&f->vm, 0, 4);
	shim.signalling = false;
	EXPECT(f, !IS_ERR(ops));
	drm_gpuva_ops_free(&f->vm, ops);
}

/* ---- Modes ------------------------------------------------------------- */

static void obtain_in_wrong_mode(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo;

	if (right) {
		put(f, obtain(f));
		return;
	}

	mutex_lock(&f->external.gpuva.lock);
	vm_bo = drm_gpuvm_bo_obtain_locked(&f->vm, &f->external);
	mutex_unlock(&f->external.gpuva.lock);
	put(f, vm_bo);
}

static void prealloc_in_wrong_mode(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo;

	if (right) {
		put(f, obtain(f));
		return;
	}

	vm_bo = drm_gpuvm_bo_create(&f->vm, &f->external);
	lock(&f->external);
	EXPECT(f, drm_gpuvm_bo_obtain_prealloc(vm_bo) == vm_bo);
	unlock(&f->external);
	put(f, vm_bo);
}

static void defer_in_wrong_mode(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	drm_gpuvm_bo_get(vm_bo);
	if (right)
		drm_gpuvm_bo_put(vm_bo);
	else
		EXPECT(f, !drm_gpuvm_bo_put_deferred(vm_bo));
	put(f, vm_bo);
}

static void unlink_defer_in_wrong_mode(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	drm_gpuva_insert(&f->vm, &f->va);
	lock(&f->external);
	drm_gpuva_link(&f->va, vm_bo);
	if (right)
		drm_gpuva_unlink(&f->va);
	unlock(&f->external);
	drm_gpuva_remove(&f->va);
	/* The second time it is not linked, and nothing happens. */
	if (!right)
		drm_gpuva_unlink_defer(&f->va);
	drm_gpuva_unlink_defer(&f->va);
	put(f, vm_bo);
}

static void link_to_wrong_object(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	f->va.gem.obj = right ? &f->external : &f->local;
	drm_gpuva_insert(&f->vm, &f->va);
	lock(&f->r_obj);
	lock(&f->external);
	drm_gpuva_link(&f->va, vm_bo);
	drm_gpuva_unlink(&f->va);
	unlock(&f->external);
	unlock(&f->r_obj);
	drm_gpuva_remove(&f->va);
	put(f, vm_bo);
}

/* ---- Walks ------------------------------------------------------------- */

static int lock_again(struct drm_gpuvm_exec *vm_exec)
{
	return drm_gpuvm_prepare_objects(vm_exec->vm, &vm_exec->exec, 0);
}

static int walk_in_walk(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	return drm_gpuvm_validate(vm_bo->vm, exec);
}

static void second_walk(struct fixture *f, bool right)
{
	struct drm_gpuvm_exec vm_exec = {
		.vm = &f->vm,
		.flags = DRM_EXEC_IGNORE_DUPLICATES,
		.extra.fn = lock_again,
	};
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	f->ops.vm_bo_validate = right ? validate_nothing : walk_in_walk;
	drm_gpuvm_bo_extobj_add(vm_bo);
	EXPECT(f, !drm_gpuvm_exec_lock(&vm_exec));
	drm_gpuvm_bo_evict(vm_bo, true);
	EXPECT(f, drm_gpuvm_exec_validate(&vm_exec) == (right ? 0 : -EBUSY));
	/* It does no harm to the first. */
	EXPECT(f, !f->vm.evict.local_list);
	EXPECT(f, !list_empty(&vm_bo->list.entry.evict));
	drm_gpuvm_exec_unlock(&vm_exec);
	put(f, vm_bo);
}

static int lock_none(struct fixture *f, struct drm_exec *exec, int which)
{
	struct drm_gpuvm_map_req req = { .map.va.range = 15 };

	switch (which) {
	case 0:
		return drm_gpuvm_prepare_objects(&f->vm, exec, 0);
	case 1:
		return drm_gpuvm_prepare_range(&f->vm, exec, 0, 15, 0);
	case 2:
		return drm_gpuvm_sm_map_exec_lock(&f->vm, exec, 0, &req);
	default:
		return drm_gpuvm_sm_unmap_exec_lock(&f->vm, exec, 0, 15);
	}
}

/* Contention is over after one more turn, even if that begins with no object. */
static void contended_after_none(struct fixture *f, bool right)
{
	struct drm_exec exec;

	for (int which = 0; which < 4; which++) {
		unsigned int turns = 0;

		shim.contend_nth = right ? 0 : 1;
		drm_exec_init(&exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
		drm_exec_until_all_locked(&exec) {
			if (++turns > 2)
				break;
			EXPECT(f, !lock_none(f, &exec, which));
			drm_exec_retry_on_contention(&exec);
			drm_exec_lock_obj(&exec, &f->external);
			drm_exec_retry_on_contention(&exec);
		}
		EXPECT(f, turns == (right ? 1 : 2));
		EXPECT(f, f->external.resv->held);
		drm_exec_fini(&exec);
	}
}

/* The wait for the contended object can be interrupted. */
static void signal_after_contention(struct fixture *f, bool right)
{
	struct drm_exec exec;

	for (int which = 0; which < 4; which++) {
		int ret = 0;

		shim.contend_nth = 1;
		shim.interrupt = !right;
		drm_exec_init(&exec, DRM_EXEC_INTERRUPTIBLE_WAIT, 0);
		drm_exec_until_all_locked(&exec) {
			ret = lock_none(f, &exec, which);
			drm_exec_retry_on_contention(&exec);
			if (ret)
				break;
			drm_exec_lock_obj(&exec, &f->external);
			drm_exec_retry_on_contention(&exec);
		}
		EXPECT(f, ret == (right ? 0 : -EINTR));
		EXPECT(f, f->external.resv->held == right);
		drm_exec_fini(&exec);
	}
}

/* As if another thread were in the middle of it. */
static void walk_under_way(struct fixture *f, bool right)
{
	struct drm_gpuvm_exec vm_exec = { .vm = &f->vm };
	LIST_HEAD(passed);

	if (!right)
		f->vm.extobj.local_list = &passed;
	EXPECT(f, drm_gpuvm_exec_lock(&vm_exec) == (right ? 0 : -EBUSY));
	if (right)
		drm_gpuvm_exec_unlock(&vm_exec);
	f->vm.extobj.local_list = NULL;
}

static int validate_back(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	vm_bo->evicted = false;

	return 0;
}

/* An object that is not locked, as it became external later, has to wait. */
static void validate_what_is_locked(struct fixture *f, bool right)
{
	struct drm_gpuvm_exec vm_exec = { .vm = &f->vm };
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	f->ops.vm_bo_validate = validate_back;
	lock(&f->external);
	drm_gpuvm_bo_evict(vm_bo, true);
	unlock(&f->external);

	EXPECT(f, !drm_gpuvm_exec_lock(&vm_exec));
	EXPECT(f, !drm_gpuvm_exec_validate(&vm_exec));
	EXPECT(f, vm_bo->evicted && !list_empty(&vm_bo->list.entry.evict));
	drm_gpuvm_exec_unlock(&vm_exec);

	lock(&f->r_obj);
	lock(&f->external);
	EXPECT(f, !drm_gpuvm_validate(&f->vm, NULL));
	EXPECT(f, !vm_bo->evicted && list_empty(&vm_bo->list.entry.evict));
	unlock(&f->external);
	unlock(&f->r_obj);
	put(f, vm_bo);
}

static int validate_counted(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	container_of(vm_bo->vm, struct fixture, vm)->steps++;

	return 0;
}

/* Another thread, while the last reference on a vm_bo is going. */
static void walk_meanwhile(void *data)
{
	struct drm_gpuvm_exec vm_exec;
	struct fixture *f = data;

	vm_exec = (struct drm_gpuvm_exec) { .vm = &f->vm };
	EXPECT(f, !drm_gpuvm_exec_lock(&vm_exec));
	EXPECT(f, !drm_gpuvm_validate(&f->vm, NULL));
	drm_gpuvm_exec_unlock(&vm_exec);
}

/*
 * It can be seen on the lists, but has neither a callback nor a lock any more:
 * the object's resv is held by the thread that puts it.
 */
static void walk_over_zombie(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	f->ops.vm_bo_validate = validate_counted;
	drm_gpuvm_bo_extobj_add(vm_bo);
	lock(&f->external);
	drm_gpuvm_bo_evict(vm_bo, true);
	unlock(&f->external);

	shim.meanwhile = walk_meanwhile;
	shim.data = f;
	if (drm_gpuvm_immediate_mode(&f->vm)) {
		EXPECT(f, drm_gpuvm_bo_put_deferred(vm_bo));
		drm_gpuvm_bo_deferred_cleanup(&f->vm);
	} else {
		lock(&f->external);
		EXPECT(f, drm_gpuvm_bo_put(vm_bo));
		unlock(&f->external);
	}
	EXPECT(f, !shim.meanwhile && !f->steps);
	EXPECT(f, list_empty(&f->vm.extobj.list));
	EXPECT(f, list_empty(&f->vm.evict.list));
}

/* The VM's resv keeps it on the lists until the cleanup. */
static void validate_zombie(struct fixture *f, bool right)
{
	struct drm_gpuvm_exec vm_exec = { .vm = &f->vm };
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	f->ops.vm_bo_validate = validate_counted;
	lock(&f->r_obj);
	drm_gpuvm_bo_extobj_add(vm_bo);
	unlock(&f->r_obj);
	lock(&f->external);
	drm_gpuvm_bo_evict(vm_bo, true);
	unlock(&f->external);
	EXPECT(f, !drm_gpuvm_exec_lock(&vm_exec));
	drm_gpuvm_exec_unlock(&vm_exec);
	EXPECT(f, drm_gpuvm_bo_put_deferred(vm_bo));

	EXPECT(f, !drm_gpuvm_exec_lock(&vm_exec));
	EXPECT(f, !f->external.resv->held);
	EXPECT(f, !list_empty(&f->vm.evict.list));
	EXPECT(f, !drm_gpuvm_exec_validate(&vm_exec));
	EXPECT(f, !f->steps && !list_empty(&f->vm.evict.list));
	drm_gpuvm_exec_unlock(&vm_exec);

	drm_gpuvm_bo_deferred_cleanup(&f->vm);
	EXPECT(f, list_empty(&f->vm.evict.list));
}

/* The walk's own reference becomes the last one. */
static int validate_and_put(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	if (drm_gpuvm_immediate_mode(vm_bo->vm))
		drm_gpuvm_bo_put_deferred(vm_bo);
	else
		drm_gpuvm_bo_put(vm_bo);

	return 0;
}

static void put_in_validate(struct fixture *f, bool right)
{
	struct drm_gpuvm_exec vm_exec = { .vm = &f->vm };
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	f->ops.vm_bo_validate = validate_and_put;
	lock(&f->r_obj);
	drm_gpuvm_bo_extobj_add(vm_bo);
	unlock(&f->r_obj);
	lock(&f->external);
	drm_gpuvm_bo_evict(vm_bo, true);
	unlock(&f->external);

	EXPECT(f, !drm_gpuvm_exec_lock(&vm_exec));
	EXPECT(f, !drm_gpuvm_exec_validate(&vm_exec));
	EXPECT(f, list_empty(&f->external.gpuva.list));
	drm_gpuvm_exec_unlock(&vm_exec);
	drm_gpuvm_bo_deferred_cleanup(&f->vm);
	EXPECT(f, list_empty(&f->vm.extobj.list));
	EXPECT(f, list_empty(&f->vm.evict.list));
}

/* ---- Life cycle -------------------------------------------------------- */

static void put_too_often(struct fixture *f, bool right)
{
	f->va.gem.obj = NULL;
	drm_gpuva_insert(&f->vm, &f->va);
	if (!right)
		drm_gpuvm_put(&f->vm);
	else
		drm_gpuva_remove(&f->va);
}

/* The reference that went was the vm_bo's. */
static void leave_vm_bo(struct fixture *f, struct drm_gpuvm_bo *vm_bo)
{
	f->left = vm_bo;
	drm_gpuvm_put(&f->vm);
}

static void put_with_extobj(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	drm_gpuvm_bo_extobj_add(vm_bo);
	if (right)
		put(f, vm_bo);
	else
		leave_vm_bo(f, vm_bo);
}

static void put_with_evicted(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	lock(&f->external);
	drm_gpuvm_bo_evict(vm_bo, true);
	unlock(&f->external);
	if (right)
		put(f, vm_bo);
	else
		leave_vm_bo(f, vm_bo);
}

static void put_with_deferred(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo = obtain(f);

	EXPECT(f, drm_gpuvm_bo_put_deferred(vm_bo));
	if (right)
		drm_gpuvm_bo_deferred_cleanup(&f->vm);
	else
		leave_vm_bo(f, vm_bo);
}

static void no_vm_free(struct fixture *f, bool right)
{
	if (!right) {
		f->ops.vm_free = NULL;
		f->vms_freed++;
	}
}

static void no_ops(struct fixture *f, bool right)
{
	if (!right) {
		f->vm.ops = NULL;
		f->vms_freed++;
	}
}

static void free_nothing(struct drm_gpuvm *gpuvm)
{
}

/* Each finds its own vm_bo; what happens to the object happens to both. */
static void two_vms(struct fixture *f, bool right)
{
	const struct drm_gpuvm_ops ops = { .vm_free = free_nothing };
	struct drm_gpuvm_bo *vm_bo = obtain(f), *second;
	struct drm_gpuvm vm = { };

	drm_gpuvm_init(&vm, "second", 0, &f->drm, &f->r_obj, 0, 16, 0, 0, &ops);
	lock(&f->external);
	EXPECT(f, !drm_gpuvm_bo_find(&vm, &f->external));
	second = drm_gpuvm_bo_obtain_locked(&vm, &f->external);
	EXPECT(f, second != vm_bo && second->vm == &vm);
	EXPECT(f, drm_gpuvm_bo_find(&vm, &f->external) == second);
	EXPECT(f, drm_gpuvm_bo_find(&f->vm, &f->external) == vm_bo);
	EXPECT(f, !drm_gpuvm_bo_put(second) && !drm_gpuvm_bo_put(vm_bo));

	drm_gpuvm_bo_gem_evict(&f->external, true);
	EXPECT(f, vm_bo->evicted && second->evicted);
	EXPECT(f, !list_empty(&vm.evict.list) && !list_empty(&f->vm.evict.list));
	EXPECT(f, drm_gpuvm_bo_put(second));
	EXPECT(f, list_empty(&vm.evict.list) && !list_empty(&f->vm.evict.list));
	unlock(&f->external);
	put(f, vm_bo);
	drm_gpuvm_put(&vm);
}

/* Made beforehand, and then not needed: it leaves no list that it was not on. */
static void never_obtained(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo = obtain(f), *other;

	other = drm_gpuvm_bo_create(&f->vm, &f->local);
	EXPECT(f, f->vm.bos.tree.rb_node == &vm_bo->list.entry.vm);
	if (drm_gpuvm_immediate_mode(&f->vm)) {
		EXPECT(f, drm_gpuvm_bo_put_deferred(other));
		drm_gpuvm_bo_deferred_cleanup(&f->vm);
	} else {
		lock(&f->local);
		EXPECT(f, drm_gpuvm_bo_put(other));
		unlock(&f->local);
	}
	EXPECT(f, f->vm.bos.tree.rb_node == &vm_bo->list.entry.vm);
	put(f, vm_bo);
	EXPECT(f, !f->vm.bos.tree.rb_node);
}

#define MANY	7

/*
 * Objects that are in two VMs, and some that are in one of them: each VM finds
 * its own vm_bos, and none of the other's.
 */
static void many_objects(struct fixture *f, bool right)
{
	static const struct drm_gpuvm_ops ops = { .vm_free = free_nothing };
	struct drm_gpuvm second = {}, *vm[] = { &f->vm, &second };
	struct drm_gpuvm_bo *vm_bo, *bos[2][MANY] = {};
	static struct drm_gem_object objs[MANY];

	drm_gpuvm_init(&second, "second", 0, &f->drm, &f->r_obj, 0, 16, 0, 0, &ops);
	memset(objs, 0, sizeof(objs));
	for (int i = 0; i < MANY; i++) {
		obj_init(f, &objs[i], NULL);
		lock(&objs[i]);
	}

	for (int i = 0; i < 2 * MANY; i++) {
		int v = i / MANY, o = i * 3 % MANY;

		if (o % 3 != v)
			bos[v][o] = drm_gpuvm_bo_obtain_locked(vm[v], &objs[o]);
	}
	for (int i = 0; i < 2 * MANY; i++) {
		int v = i % 2, o = i / 2;

		vm_bo = drm_gpuvm_bo_find(vm[v], &objs[o]);
		EXPECT(f, vm_bo == bos[v][o]);
		drm_gpuvm_bo_put(vm_bo);
	}
	for (int i = 0; i < 2 * MANY; i++) {
		int v = i / MANY, o = (i * 5 + 2) % MANY;

		if (bos[v][o])
			EXPECT(f, drm_gpuvm_bo_put(bos[v][o]));
		EXPECT(f, !drm_gpuvm_bo_find(vm[v], &objs[o]));
	}

	for (int i = 0; i < MANY; i++) {
		unlock(&objs[i]);
		drm_gem_object_release(&objs[i]);
	}
	drm_gpuvm_put(&second);
}

static void remove_reserved(struct fixture *f, bool right)
{
	if (!right)
		drm_gpuva_remove(&f->vm.kernel_alloc_node);
	EXPECT(f, drm_gpuva_find(&f->vm, 15, 1) == &f->vm.kernel_alloc_node);
}

static void remove_uninserted(struct fixture *f, bool right)
{
	if (!right)
		drm_gpuva_remove(&f->va);
	drm_gpuva_insert(&f->vm, &f->va);
	drm_gpuva_remove(&f->va);
	if (!right)
		drm_gpuva_remove(&f->va);
}

static void remove_remapped(struct fixture *f, bool right)
{
	struct drm_gpuva_op_unmap unmap = { .va = &f->va };
	struct drm_gpuva_op_map prev = { .va = { 2, 1 } };
	struct drm_gpuva_op_remap op = { .prev = &prev, .unmap = &unmap };

	drm_gpuva_insert(&f->vm, &f->va);
	EXPECT(f, !drm_gpuva_remap(&f->other, NULL, &op));
	if (!right)
		drm_gpuva_remove(&f->va);
	EXPECT(f, f->vm.rb.count == 1);
	drm_gpuva_remove(&f->other);
}

/* ---- What is refused without a word ------------------------------------ */

static void null_is_fine(struct fixture *f, bool right)
{
	struct drm_gpuva_op_unmap unmap = { .va = &f->va };
	struct drm_gpuva_op_remap remap = { .unmap = &unmap };
	u64 start, range;

	drm_gpuva_op_remap_to_unmap_range(&remap, NULL, NULL);
	drm_gpuva_op_remap_to_unmap_range(&remap, &start, NULL);
	drm_gpuva_op_remap_to_unmap_range(&remap, NULL, &range);
	EXPECT(f, start == f->va.va.addr && range == f->va.va.range);

	EXPECT(f, !drm_gpuvm_is_extobj(&f->vm, NULL));
	drm_gpuvm_put(NULL);
	EXPECT(f, !drm_gpuvm_bo_put(NULL));
	EXPECT(f, !drm_gpuvm_bo_put_deferred(NULL));
	drm_gpuvm_bo_deferred_cleanup(&f->vm);
	EXPECT(f, f->vm.name[0]);
}

static void invalidated_and_back(struct fixture *f, bool right)
{
	f->va.flags = DRM_GPUVA_USERBITS;
	EXPECT(f, !drm_gpuva_invalidated(&f->va));
	drm_gpuva_invalidate(&f->va, true);
	EXPECT(f, drm_gpuva_invalidated(&f->va));
	drm_gpuva_invalidate(&f->va, false);
	EXPECT(f, !drm_gpuva_invalidated(&f->va));
	EXPECT(f, f->va.flags == DRM_GPUVA_USERBITS);
}

static void missing_callbacks(struct fixture *f, bool right)
{
	struct drm_gpuvm_map_req req = { .map.va.range = 4 };
	const struct drm_gpuvm_ops all = f->ops;

	EXPECT(f, !drm_gpuvm_sm_map(&f->vm, f, &req) && f->steps == 1);
	f->ops.sm_step_map = NULL;
	EXPECT(f, drm_gpuvm_sm_map(&f->vm, f, &req) == -EINVAL);
	EXPECT(f, !drm_gpuvm_sm_unmap(&f->vm, f, 0, 4));
	f->ops = all;
	f->ops.sm_step_remap = NULL;
	EXPECT(f, drm_gpuvm_sm_map(&f->vm, f, &req) == -EINVAL);
	EXPECT(f, drm_gpuvm_sm_unmap(&f->vm, f, 0, 4) == -EINVAL);
	f->ops = all;
	f->ops.sm_step_unmap = NULL;
	EXPECT(f, drm_gpuvm_sm_map(&f->vm, f, &req) == -EINVAL);
	EXPECT(f, drm_gpuvm_sm_unmap(&f->vm, f, 0, 4) == -EINVAL);
	f->vm.ops = NULL;
	EXPECT(f, drm_gpuvm_sm_map(&f->vm, f, &req) == -EINVAL);
	EXPECT(f, drm_gpuvm_sm_unmap(&f->vm, f, 0, 4) == -EINVAL);
	EXPECT(f, drm_gpuvm_validate(&f->vm, NULL) == -EOPNOTSUPP);
	f->vm.ops = &f->ops;
	EXPECT(f, drm_gpuvm_validate(&f->vm, NULL) == -EOPNOTSUPP);
	EXPECT(f, f->steps == 1);
}

/* Op lists and vm_bos do without any. */
static void no_callbacks(struct fixture *f, bool right)
{
	struct drm_gpuvm_map_req req = { .map.va.addr = 3, .map.va.range = 2 };
	struct drm_gpuva_ops *ops;
	struct drm_gpuva_op *first;

	f->vm.ops = NULL;
	drm_gpuva_insert(&f->vm, &f->va);
	ops = drm_gpuvm_sm_map_ops_create(&f->vm, &req);
	EXPECT(f, !IS_ERR(ops));
	first = drm_gpuva_first_op(ops);
	EXPECT(f, first->op == DRM_GPUVA_OP_REMAP);
	EXPECT(f, drm_gpuva_next_op(first) == drm_gpuva_last_op(ops));
	drm_gpuva_ops_free(&f->vm, ops);
	put(f, obtain(f));
	drm_gpuva_remove(&f->va);
	f->vm.ops = &f->ops;
}

static void refused_layouts(struct fixture *f, bool right)
{
	struct drm_gpuvm_ops none = { };
	struct drm_gpuvm vm = { };

#define TRY(start, range, reserve, reserve_range, ops)			\
	drm_gpuvm_try_init(&vm, "test", 0, &f->drm, &f->r_obj, start,	\
			   range, reserve, reserve_range, ops)
	EXPECT(f, TRY(0, 0, 0, 0, &f->ops) == -EINVAL);
	EXPECT(f, TRY(2, U64_MAX, 0, 0, &f->ops) == -EINVAL);
	EXPECT(f, TRY(4, 8, 3, 1, &f->ops) == -EINVAL);
	EXPECT(f, TRY(4, 8, 11, 2, &f->ops) == -EINVAL);
	EXPECT(f, TRY(4, 8, 8, U64_MAX, &f->ops) == -EINVAL);
	EXPECT(f, TRY(4, 8, 0, 0, NULL) == -EINVAL);
	EXPECT(f, TRY(4, 8, 0, 0, &none) == -EINVAL);
#undef TRY
	none.vm_free = free_nothing;
	EXPECT(f, !vm.drm && kref_read(&f->r_obj.refcount) == 2);

	drm_gpuvm_init(&vm, "test", 0, &f->drm, &f->r_obj, 4, 8, 3, 1, &none);
	EXPECT(f, shim.errors == 1);
	EXPECT(f, !drm_gpuvm_range_valid(&vm, 4, 1));
	EXPECT(f, !drm_gpuvm_range_valid(&vm, 0, 1));
	EXPECT(f, drm_gpuva_insert(&vm, &f->va) == -EINVAL);
	EXPECT(f, !drm_gpuva_find_first(&vm, 0, U64_MAX));
	shim.errors = 0;
	drm_gpuvm_put(&vm);
	EXPECT(f, kref_read(&f->r_obj.refcount) == 2);
}

static int remap(struct fixture *f, struct drm_gpuva *prev,
		 struct drm_gpuva *next, const struct drm_gpuva_op_map *p,
		 const struct drm_gpuva_op_map *n)
{
	struct drm_gpuva_op_unmap unmap = { .va = &f->va };
	struct drm_gpuva_op_map prev_part, next_part;
	struct drm_gpuva_op_remap op = { .unmap = &unmap };

	if (p) {
		prev_part = *p;
		op.prev = &prev_part;
	}
	if (n) {
		next_part = *n;
		op.next = &next_part;
	}

	return drm_gpuva_remap(prev, next, &op);
}

static void refused_remaps(struct fixture *f, bool right)
{
	const struct drm_gpuva_op_map p = { .va = { 2, 1 } }, n = { .va = { 6, 2 } };
	const struct drm_gpuva_op_map whole_p = { .va = { 2, 4 } };
	const struct drm_gpuva_op_map long_p = { .va = { 2, 5 } };
	const struct drm_gpuva_op_map below = { .va = { 1, 2 } };
	const struct drm_gpuva_op_map above = { .va = { 7, 2 } };
	const struct drm_gpuva_op_map empty = { .va = { 4, 0 } };
	const struct drm_gpuva_op_map wraps = { .va = { 4, U64_MAX } };
	struct drm_gpuva_op_unmap reserved = { .va = &f->vm.kernel_alloc_node };
	struct drm_gpuva_op_remap op = { .unmap = &reserved };
	struct drm_gpuva next = { };

	EXPECT(f, remap(f, &f->other, NULL, &p, NULL) == -EINVAL);
	drm_gpuva_insert(&f->vm, &f->va);
	EXPECT(f, remap(f, NULL, NULL, &p, NULL) == -EINVAL);
	EXPECT(f, remap(f, NULL, NULL, NULL, &n) == -EINVAL);
	EXPECT(f, remap(f, &f->other, NULL, &below, NULL) == -EINVAL);
	EXPECT(f, remap(f, NULL, &f->other, NULL, &above) == -EINVAL);
	EXPECT(f, remap(f, &f->other, NULL, &empty, NULL) == -EINVAL);
	EXPECT(f, remap(f, NULL, &f->other, NULL, &wraps) == -EINVAL);
	EXPECT(f, remap(f, &f->other, &f->other, &p, &n) == -EINVAL);
	EXPECT(f, remap(f, &f->other, &next, &n, &p) == -EINVAL);
	EXPECT(f, remap(f, &f->other, &next, &n, &n) == -EINVAL);
	EXPECT(f, remap(f, &f->other, &next, &long_p, &n) == -EINVAL);
	EXPECT(f, drm_gpuva_remap(NULL, NULL, &op) == -EINVAL);
	EXPECT(f, drm_gpuva_find(&f->vm, 2, 6) == &f->va);
	EXPECT(f, !f->other.vm && !next.vm && f->vm.rb.count == 1);

	EXPECT(f, !remap(f, &f->other, &next, &p, &n));
	EXPECT(f, drm_gpuva_find(&f->vm, 2, 1) == &f->other);
	EXPECT(f, drm_gpuva_find(&f->vm, 6, 2) == &next);
	EXPECT(f, f->vm.rb.count == 2);
	drm_gpuva_remove(&f->other);
	drm_gpuva_remove(&next);

	/* Nothing need go between the two. */
	drm_gpuva_insert(&f->vm, &f->va);
	EXPECT(f, !remap(f, &f->va, &next, &whole_p, &n));
	EXPECT(f, drm_gpuva_find(&f->vm, 2, 4) == &f->va);
	drm_gpuva_remove(&f->va);
	drm_gpuva_remove(&next);
	f->va.va.range = 6;

	drm_gpuva_insert(&f->vm, &f->va);
	EXPECT(f, !remap(f, NULL, NULL, NULL, NULL) && !f->vm.rb.count);
}

/* Every argument once; and the pointer is NULL behind a walk that ended. */
static void macro_arguments(struct fixture *f, bool right)
{
	struct drm_gpuvm *vm[2] = { &f->vm, NULL };
	u64 bounds[] = { 0, 16, 99 };
	unsigned int v = 0, start = 0, end = 1, nr = 0;
	struct drm_gpuva *va, *next;

	drm_gpuva_insert(&f->vm, &f->va);
	drm_gpuva_insert(&f->vm, &f->other);

	drm_gpuvm_for_each_va_range(va, vm[v++], bounds[start++],
				    bounds[end++])
		nr++;
	EXPECT(f, nr == 3 && v == 1 && start == 1 && end == 2 && !va);

	nr = 0;
	v = 0;
	start = 0;
	end = 1;
	drm_gpuvm_for_each_mapping_range_safe(va, next, vm[v++], bounds[start++],
					      bounds[end++]) {
		drm_gpuva_remove(va);
		nr++;
	}
	EXPECT(f, nr == 2 && v == 1 && start == 1 && end == 2 && !va);

	/* These are documented not to be so. */
	drm_gpuvm_for_each_va(va, &f->vm)
		EXPECT(f, va == &f->vm.kernel_alloc_node);
	v = 0;
	drm_gpuvm_for_each_mapping(va, vm[v++])
		EXPECT(f, false);
	EXPECT(f, v == 1);
}

/* ---- The table --------------------------------------------------------- */

static const struct rule {
	const char *name;
	void (*run)(struct fixture *f, bool right);
	unsigned int flags;

	/* @splats: how often a breach is noticed */
	unsigned int splats;
} rules[] = {
	{ "link without the resv", link_unlocked, 0, 1 },
	{ "unlink without the resv", unlink_unlocked, 0, 1 },
	{ "link without the mutex", link_without_mutex, IMMEDIATE, 1 },
	{ "bo_find without the resv", find_unlocked, 0, 1 },
	{ "last bo_put without the resv", put_unlocked, 0, 1 },
	{ "bo_put under a spinlock", put_under_spinlock, 0, 1 },
	{ "last bo_put without the VM's resv", put_without_vm_resv, PROTECTED, 2 },
	{ "bo_evict without the resv", evict_unlocked, 0, 1 },
	{ "bo_gem_evict without the mutex", gem_evict_without_mutex, IMMEDIATE, 1 },
	{ "extobj_add without the VM's resv", extobj_add_unlocked, PROTECTED, 2 },
	{ "validate without the VM's resv", validate_unlocked, PROTECTED, 1 },
	{ "prepare_objects without the VM's resv",
	  prepare_objects_unlocked, PROTECTED, 1 },
	{ "validate without an object's resv", validate_extobj_unlocked,
	  PROTECTED, 1 },
	{ "resv_add_fence without a resv", add_fence_unlocked, 0, 2 },
	{ "bo_unmap_ops_create without the resv", bo_unmap_unlocked, 0, 1 },
	{ "deferred cleanup while signalling",
	  cleanup_in_signalling, IMMEDIATE | PROTECTED, 1 },
	{ "op list while signalling", list_in_signalling, 0, 1 },
	{ "bo_obtain_locked in immediate mode",
	  obtain_in_wrong_mode, IMMEDIATE, 1 },
	{ "bo_obtain_prealloc outside immediate mode",
	  prealloc_in_wrong_mode, 0, 1 },
	{ "bo_put_deferred outside immediate mode", defer_in_wrong_mode, 0, 1 },
	/* By itself, and by what it calls. */
	{ "unlink_defer outside immediate mode", unlink_defer_in_wrong_mode, 0, 2 },
	{ "link to another object's vm_bo", link_to_wrong_object, 0, 1 },
	{ "second walk", second_walk, 0, 1 },
	{ "walk while another is under way", walk_under_way, 0, 1 },
	{ "put too often", put_too_often, 0, 1 },
	{ "put too often, with an external object", put_with_extobj, 0, 1 },
	{ "put too often, with an evicted object", put_with_evicted, 0, 1 },
	{ "put too often, and no deferred cleanup", put_with_deferred,
	  IMMEDIATE, 1 },
	{ "no vm_free", no_vm_free, 0, 1 },
	{ "no ops", no_ops, 0, 1 },
	{ "remove of the reserved range", remove_reserved, 0, 1 },
	{ "remove of what is not inserted", remove_uninserted, 0, 2 },
	{ "remove of what was remapped", remove_remapped, 0, 1 },
	{ "validate what is locked", validate_what_is_locked, 0, 0 },
	{ "walks meet a vm_bo that goes", walk_over_zombie, 0, 0 },
	{ "walks meet a vm_bo that goes, immediate mode", walk_over_zombie,
	  IMMEDIATE, 0 },
	{ "zombies are not validated", validate_zombie, PROTECTED | IMMEDIATE, 0 },
	{ "last put in validate", put_in_validate, 0, 0 },
	{ "last put in validate, immediate mode", put_in_validate, IMMEDIATE, 0 },
	{ "last put in validate, resv-protected", put_in_validate, PROTECTED, 0 },
	{ "last put in validate, both", put_in_validate, PROTECTED | IMMEDIATE, 0 },
	{ "two VMs with the same object", two_vms, 0, 0 },
	{ "contention after nothing to lock", contended_after_none, 0, 0 },
	{ "a signal after contention", signal_after_contention, 0, 0 },
	{ "a vm_bo that is not obtained", never_obtained, 0, 0 },
	{ "a vm_bo that is not obtained, immediate mode", never_obtained,
	  IMMEDIATE, 0 },
	{ "many objects in two VMs", many_objects, 0, 0 },
	{ "NULL is fine", null_is_fine, 0, 0 },
	{ "invalidated and back", invalidated_and_back, 0, 0 },
	{ "missing callbacks", missing_callbacks, 0, 0 },
	{ "no callbacks at all", no_callbacks, 0, 0 },
	{ "layouts that are refused", refused_layouts, 0, 0 },
	{ "remaps that are refused", refused_remaps, 0, 0 },
	{ "macros evaluate their arguments once", macro_arguments, 0, 0 },
};

/* Whether the splats are as many as they should be. */
static bool run_rule(const struct rule *rule, bool right)
{
	static struct fixture f;
	unsigned int expected = right ? 0 : rule->splats;

	memset(&shim, 0, sizeof(shim));
	shim.tolerate = true;

	setup(&f, rule->flags);
	rule->run(&f, right);
	EXPECT(&f, kref_read(&f.vm.kref) == 1);
	drm_gpuvm_put(&f.vm);
	if (f.left) {
		list_del(&f.left->list.entry.gem);
		drm_gem_object_put(f.left->obj);
		kfree(f.left);
	}

	EXPECT(&f, f.vms_freed == 1);
	EXPECT(&f, kref_read(&f.r_obj.refcount) == 1);
	EXPECT(&f, kref_read(&f.external.refcount) == 1);
	EXPECT(&f, kref_read(&f.drm.ref) == 1);
	drm_gem_object_release(&f.external);
	drm_gem_object_release(&f.local);
	drm_gem_object_release(&f.r_obj);
	EXPECT(&f, !shim.live && !shim.errors);
	if (shim.splats != expected)
		printf("# %lu splats, not %u\n", shim.splats, expected);

	return !f.wrong && shim.splats == expected;
}

int main(void)
{
	bool failed = false;

	printf("TAP version 13\n1..%zu\n", ARRAY_SIZE(rules));
	for (unsigned int i = 0; i < ARRAY_SIZE(rules); i++) {
		bool ok = run_rule(&rules[i], true) && run_rule(&rules[i], false);

		printf("%s %u - %s\n", ok ? "ok" : "not ok", i + 1, rules[i].name);
		failed |= !ok;
	}

	return failed;
}
