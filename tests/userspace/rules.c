// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What callers must not do: a VM for each breach, and what is
 * expected of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules.h"

void rule_expect(struct fixture *f, bool cond, const char *what)
{
	if (!cond) {
		printf("# not so: %s\n", what);
		f->wrong = true;
	}
}

void rule_vm_free(struct drm_gpuvm *gpuvm)
{
	container_of(gpuvm, struct fixture, vm)->vms_freed++;
}

static int step(struct drm_gpuva_op *op, void *priv)
{
	((struct fixture *)priv)->steps++;

	return 0;
}

void rule_obj_init(struct fixture *f, struct drm_gem_object *obj,
		   struct dma_resv *resv)
{
	obj->resv = resv;
	drm_gem_private_object_init(&f->drm, obj, 0);
}

void rule_setup(struct fixture *f, unsigned int flags)
{
	memset(f, 0, sizeof(*f));
	kref_init(&f->drm.ref);
	rule_obj_init(f, &f->r_obj, NULL);
	rule_obj_init(f, &f->local, f->r_obj.resv);
	rule_obj_init(f, &f->external, NULL);
	f->ops.vm_free = rule_vm_free;
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

void rule_lock(struct drm_gem_object *obj)
{
	dma_resv_lock(obj->resv, NULL);
}

void rule_unlock(struct drm_gem_object *obj)
{
	dma_resv_unlock(obj->resv);
}

struct drm_gpuvm_bo *rule_obtain(struct fixture *f)
{
	struct drm_gpuvm_bo *vm_bo;

	if (drm_gpuvm_immediate_mode(&f->vm))
		return drm_gpuvm_bo_obtain_prealloc(drm_gpuvm_bo_create(&f->vm,
									&f->external));

	rule_lock(&f->external);
	vm_bo = drm_gpuvm_bo_obtain_locked(&f->vm, &f->external);
	rule_unlock(&f->external);

	return vm_bo;
}

void rule_put(struct fixture *f, struct drm_gpuvm_bo *vm_bo)
{
	if (drm_gpuvm_immediate_mode(&f->vm)) {
		drm_gpuvm_bo_put_deferred(vm_bo);
		drm_gpuvm_bo_deferred_cleanup(&f->vm);
		return;
	}

	rule_lock(&f->r_obj);
	rule_lock(&f->external);
	drm_gpuvm_bo_put(vm_bo);
	rule_unlock(&f->external);
	rule_unlock(&f->r_obj);
}

int rule_validate_nothing(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	return 0;
}

void rule_free_nothing(struct drm_gpuvm *gpuvm)
{
}
