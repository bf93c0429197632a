// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * Binds in staged mode: the ioctl changes the tree of mappings, the job the page
 * tables. So the tree shows what the VM will be like when all jobs that are queued
 * are done. All memory that this needs was allocated before the locks were taken,
 * so that nothing has to be undone.
 */

#include <drm/drm_exec.h>
#include <drm/drm_print.h>

#include "vbind_bind.h"

static int vbind_staged_prepare(struct vbind_bind_job *job)
{
	return 0;
}

static int vbind_bind_lock_objects(struct vbind_bind *bind,
				   struct drm_gpuvm *gpuvm,
				   struct drm_exec *exec)
{
	switch (bind->type) {
	case DRM_VBIND_BIND_MAP:
	case DRM_VBIND_BIND_MAP_SPARSE:
	case DRM_VBIND_BIND_UNMAP:
		return drm_gpuvm_request_exec_lock(gpuvm, exec, 1, &bind->req);
	case DRM_VBIND_BIND_UNMAP_BO:
		return drm_exec_prepare_obj(exec, bind->req.map.gem.obj, 1);
	case DRM_VBIND_BIND_PREFETCH:
		/* To bring back what is evicted */
		return drm_gpuvm_prepare_range(gpuvm, exec,
					       bind->req.map.va.addr,
					       bind->req.map.va.range, 1);
	}

	return -EINVAL;
}

/*
 * Locks the dma-resv of every object that any bind touches: a single bind has only
 * those locked that it needs, and an array all of the VM's, for its binds may all
 * touch the same ones, thousands of times thousands. What a later bind finds in the
 * tree in addition was mapped by an earlier one, whose object is locked as well.
 */
static int vbind_staged_lock(struct vbind_bind_job *job, struct drm_exec *exec)
{
	if (job->num_binds > 1)
		return vbind_bind_job_lock_all(job, exec);

	return vbind_bind_lock_objects(job->binds, &job->vm->base, exec);
}

static int vbind_staged_obtain_vm_bos(struct vbind_bind_job *job)
{
	u32 i;

	for (i = 0; i < job->num_binds; i++) {
		struct vbind_bind *bind = &job->binds[i];
		struct drm_gpuvm_bo *vm_bo;

		if (!bind->req.map.gem.obj)
			continue;

		vm_bo = drm_gpuvm_bo_obtain_locked(&job->vm->base,
						   bind->req.map.gem.obj);
		if (IS_ERR(vm_bo))
			return PTR_ERR(vm_bo);

		bind->vm_bo = vm_bo;
		drm_gpuvm_bo_extobj_add(vm_bo);
	}

	return 0;
}

static int vbind_staged_change_tree(struct vbind_bind_job *job)
{
	int ret = 0;
	u32 i;

	mutex_lock(&job->vm->lock);
	for (i = 0; !ret && i < job->num_binds; i++) {
		job->current_bind = i;
		ret = vbind_bind_change_tree(job, &job->binds[i]);
	}
	job->current_bind = 0;
	mutex_unlock(&job->vm->lock);

	/* Everything was prepared, so this is a bug. */
	if (drm_WARN_ON(job->vm->base.drm, ret))
		job->vm->banned = true;

	return ret;
}

static int vbind_staged_commit(struct vbind_bind_job *job)
{
	int ret;
	u32 i;

	ret = vbind_staged_obtain_vm_bos(job);
	if (!ret)
		ret = vbind_staged_change_tree(job);
	for (i = 0; i < job->num_binds; i++) {
		drm_gpuvm_bo_put(job->binds[i].vm_bo);
		job->binds[i].vm_bo = NULL;
	}

	return ret;
}

/* What the bind has taken off the tree is not to be restored any more. */
static void vbind_bind_leave(struct vbind_bind *bind, struct vbind_vm *vm)
{
	struct vbind_mapping *mapping;

	lockdep_assert_held(&vm->lock);

	for (mapping = bind->leaving; mapping; mapping = mapping->next_leaving)
		list_del_init(&mapping->leaving);
}

/*
 * Whoever brings a BO back finds a mapping that leaves for as long as the page tables
 * show it: an EXEC in between would not restore what its commands then use.
 */
static int vbind_staged_run(struct vbind_bind_job *job, struct vbind_bind *bind)
{
	struct vbind_vm *vm = job->vm;
	int ret;

	if (!bind->leaving)
		return vbind_bind_update_mmu(job, bind);

	mutex_lock(&vm->lock);
	ret = vbind_bind_update_mmu(job, bind);
	vbind_bind_leave(bind, vm);
	mutex_unlock(&vm->lock);

	return ret;
}

static void vbind_bind_put_leaving(struct vbind_bind *bind, struct vbind_vm *vm)
{
	struct vbind_mapping *mapping;
	struct ww_acquire_ctx ctx;

	if (!bind->leaving)
		return;

	/* For a job that never ran */
	mutex_lock(&vm->lock);
	vbind_bind_leave(bind, vm);
	mutex_unlock(&vm->lock);
	for (mapping = bind->leaving; mapping; mapping = mapping->next_leaving) {
		struct drm_gem_object *obj = mapping->base.gem.obj;

		vbind_vm_lock_resvs(vm, obj, &ctx);
		drm_gpuvm_bo_put(mapping->leaving_vm_bo);
		vbind_vm_unlock_resvs(vm, obj, &ctx);
	}
	bind->leaving = NULL;
}

static void vbind_staged_fini(struct vbind_bind_job *job)
{
	u32 i;

	for (i = 0; i < job->num_binds; i++)
		vbind_bind_put_leaving(&job->binds[i], job->vm);
}

const struct vbind_mode_ops vbind_staged_ops = {
	.prepare = vbind_staged_prepare,
	.lock = vbind_staged_lock,
	.commit = vbind_staged_commit,
	.run = vbind_staged_run,
	.fini = vbind_staged_fini,
};
