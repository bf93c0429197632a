// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * Binds in immediate mode: the tree of mappings and the page tables change
 * together, when the job runs. What the VM looks like then is not known before, so
 * the ioctl gets a &struct drm_gpuvm_bo for each BO that is to be mapped.
 *
 * The job runs in the fence signalling path: no memory is allocated, and no
 * dma-resv lock taken. What that leaves behind is cleaned up after the job.
 */

#include <drm/drm_print.h>

#include "vbind_bind.h"

static int vbind_immediate_run(struct vbind_bind_job *job,
			       struct vbind_bind *bind)
{
	int ret;

	mutex_lock(&job->vm->lock);
	ret = vbind_bind_change_tree(job, bind);
	if (!ret)
		ret = vbind_bind_update_mmu(job, bind);
	mutex_unlock(&job->vm->lock);

	return ret;
}

static int vbind_bind_obtain_vm_bo(struct vbind_bind *bind, struct vbind_vm *vm)
{
	struct drm_gpuvm_bo *vm_bo;

	if (!bind->req.map.gem.obj)
		return 0;

	vm_bo = drm_gpuvm_bo_create(&vm->base, bind->req.map.gem.obj);
	if (!vm_bo)
		return -ENOMEM;

	/* Gives back the one that exists, if there is one. */
	bind->vm_bo = drm_gpuvm_bo_obtain_prealloc(vm_bo);

	return 0;
}

static int vbind_immediate_prepare(struct vbind_bind_job *job)
{
	int ret = 0;
	u32 n = 0, i;

	for (i = 0; !ret && i < job->num_binds; i++) {
		ret = vbind_bind_obtain_vm_bo(&job->binds[i], job->vm);
		if (!ret)
			ret = vbind_check_signal(&n);
	}

	return ret;
}

/*
 * The list of external objects may be protected by the VM's dma-resv, which cannot
 * be taken when the job runs.
 */
static int vbind_immediate_commit(struct vbind_bind_job *job)
{
	u32 i;

	for (i = 0; i < job->num_binds; i++) {
		if (job->binds[i].vm_bo)
			drm_gpuvm_bo_extobj_add(job->binds[i].vm_bo);
	}

	return 0;
}

static void vbind_immediate_fini(struct vbind_bind_job *job)
{
	u32 i;

	for (i = 0; i < job->num_binds; i++) {
		drm_gpuvm_bo_put_deferred(job->binds[i].vm_bo);
		job->binds[i].vm_bo = NULL;
	}
}

const struct vbind_mode_ops vbind_immediate_ops = {
	.prepare = vbind_immediate_prepare,
	/* Which mappings the job will cut or remove is not known. */
	.lock = vbind_bind_job_lock_all,
	.commit = vbind_immediate_commit,
	.run = vbind_immediate_run,
	.fini = vbind_immediate_fini,
};
