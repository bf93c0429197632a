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
 * Locks the dma-resv of every object that any bind touches. It is fine that this
 * looks at the tree before the first bind: what a later bind finds there in
 * addition was mapped by an earlier one, whose object is locked as well.
 */
static int vbind_staged_lock(struct vbind_bind_job *job, struct drm_exec *exec)
{
	int ret = 0;
	u32 i;

	for (i = 0; !ret && i < job->num_binds; i++)
		ret = vbind_bind_lock_objects(&job->binds[i], &job->vm->base,
					      exec);

	return ret;
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

static void vbind_staged_fini(struct vbind_bind_job *job)
{
}

const struct vbind_mode_ops vbind_staged_ops = {
	.prepare = vbind_staged_prepare,
	.lock = vbind_staged_lock,
	.commit = vbind_staged_commit,
	.run = vbind_bind_update_mmu,
	.fini = vbind_staged_fini,
};
