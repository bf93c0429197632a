// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What callers must not do: while a walk over a VM's lists is
 * under way.
 */
#include "rules.h"

static int lock_again(struct drm_gpuvm_exec *vm_exec)
{
	return drm_gpuvm_prepare_objects(vm_exec->vm, &vm_exec->exec, 0);
}

static int walk_in_walk(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	return drm_gpuvm_validate(vm_bo->vm, exec);
}

void second_walk(struct fixture *f, bool right)
{
	struct drm_gpuvm_exec vm_exec = {
		.vm = &f->vm,
		.flags = DRM_EXEC_IGNORE_DUPLICATES,
		.extra.fn = lock_again,
	};
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	f->ops.vm_bo_validate = right ? rule_validate_nothing : walk_in_walk;
	drm_gpuvm_bo_extobj_add(vm_bo);
	EXPECT(f, !drm_gpuvm_exec_lock(&vm_exec));
	drm_gpuvm_bo_evict(vm_bo, true);
	EXPECT(f, drm_gpuvm_exec_validate(&vm_exec) == (right ? 0 : -EBUSY));
	/* It does no harm to the first. */
	EXPECT(f, !f->vm.evict.local_list);
	EXPECT(f, !list_empty(&vm_bo->list.entry.evict));
	drm_gpuvm_exec_unlock(&vm_exec);
	rule_put(f, vm_bo);
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
void contended_after_none(struct fixture *f, bool right)
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
void signal_after_contention(struct fixture *f, bool right)
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
void walk_under_way(struct fixture *f, bool right)
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
void validate_what_is_locked(struct fixture *f, bool right)
{
	struct drm_gpuvm_exec vm_exec = { .vm = &f->vm };
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	f->ops.vm_bo_validate = validate_back;
	rule_lock(&f->external);
	drm_gpuvm_bo_evict(vm_bo, true);
	rule_unlock(&f->external);

	EXPECT(f, !drm_gpuvm_exec_lock(&vm_exec));
	EXPECT(f, !drm_gpuvm_exec_validate(&vm_exec));
	EXPECT(f, vm_bo->evicted && !list_empty(&vm_bo->list.entry.evict));
	drm_gpuvm_exec_unlock(&vm_exec);

	rule_lock(&f->r_obj);
	rule_lock(&f->external);
	EXPECT(f, !drm_gpuvm_validate(&f->vm, NULL));
	EXPECT(f, !vm_bo->evicted && list_empty(&vm_bo->list.entry.evict));
	rule_unlock(&f->external);
	rule_unlock(&f->r_obj);
	rule_put(f, vm_bo);
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
void walk_over_zombie(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	f->ops.vm_bo_validate = validate_counted;
	drm_gpuvm_bo_extobj_add(vm_bo);
	rule_lock(&f->external);
	drm_gpuvm_bo_evict(vm_bo, true);
	rule_unlock(&f->external);

	shim.meanwhile = walk_meanwhile;
	shim.data = f;
	if (drm_gpuvm_immediate_mode(&f->vm)) {
		EXPECT(f, drm_gpuvm_bo_put_deferred(vm_bo));
		drm_gpuvm_bo_deferred_cleanup(&f->vm);
	} else {
		rule_lock(&f->external);
		EXPECT(f, drm_gpuvm_bo_put(vm_bo));
		rule_unlock(&f->external);
	}
	EXPECT(f, !shim.meanwhile && !f->steps);
	EXPECT(f, list_empty(&f->vm.extobj.list));
	EXPECT(f, list_empty(&f->vm.evict.list));
}

/* The VM's resv keeps it on the lists until the cleanup. */
void validate_zombie(struct fixture *f, bool right)
{
	struct drm_gpuvm_exec vm_exec = { .vm = &f->vm };
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	f->ops.vm_bo_validate = validate_counted;
	rule_lock(&f->r_obj);
	drm_gpuvm_bo_extobj_add(vm_bo);
	rule_unlock(&f->r_obj);
	rule_lock(&f->external);
	drm_gpuvm_bo_evict(vm_bo, true);
	rule_unlock(&f->external);
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

void put_in_validate(struct fixture *f, bool right)
{
	struct drm_gpuvm_exec vm_exec = { .vm = &f->vm };
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	f->ops.vm_bo_validate = validate_and_put;
	rule_lock(&f->r_obj);
	drm_gpuvm_bo_extobj_add(vm_bo);
	rule_unlock(&f->r_obj);
	rule_lock(&f->external);
	drm_gpuvm_bo_evict(vm_bo, true);
	rule_unlock(&f->external);

	EXPECT(f, !drm_gpuvm_exec_lock(&vm_exec));
	EXPECT(f, !drm_gpuvm_exec_validate(&vm_exec));
	EXPECT(f, list_empty(&f->external.gpuva.list));
	drm_gpuvm_exec_unlock(&vm_exec);
	drm_gpuvm_bo_deferred_cleanup(&f->vm);
	EXPECT(f, list_empty(&f->vm.extobj.list));
	EXPECT(f, list_empty(&f->vm.evict.list));
}
