// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* Syncobjs: what a job waits for, and what it signals. */

#include <linux/dma-fence-chain.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_syncobj.h>

#include "vbind_job.h"

/**
 * struct vbind_sync - a syncobj to be signalled
 * @syncobj: the syncobj
 * @point: the point on its timeline, 0 for a binary one
 * @chain: for a timeline: what links the new point to those before
 */
struct vbind_sync {
	struct drm_syncobj *syncobj;
	u64 point;
	struct dma_fence_chain *chain;
};

static int vbind_job_init_out_sync(struct vbind_job *job, struct drm_file *file,
				   const struct drm_vbind_sync *args)
{
	struct vbind_sync *sync = &job->syncs[job->num_syncs];

	sync->syncobj = drm_syncobj_find(file, args->handle);
	if (!sync->syncobj)
		return -ENOENT;

	/* Counted before all is there, so that it is cleaned up. */
	job->num_syncs++;
	sync->point = args->point;
	if (args->point) {
		sync->chain = dma_fence_chain_alloc();
		if (!sync->chain)
			return -ENOMEM;
	}

	return 0;
}

static int vbind_job_init_sync(struct vbind_job *job, struct drm_file *file,
			       const struct drm_vbind_sync *args)
{
	struct dma_fence *fence;
	int ret;

	if (args->flags & ~DRM_VBIND_SYNC_SIGNAL)
		return -EINVAL;

	if (args->flags & DRM_VBIND_SYNC_SIGNAL)
		return vbind_job_init_out_sync(job, file, args);

	/* The scheduler's own helper takes points of 32 bits only. */
	ret = drm_syncobj_find_fence(file, args->handle, args->point, 0, &fence);
	if (ret)
		return ret;

	return drm_sched_job_add_dependency(&job->base, fence);
}

/**
 * vbind_job_init_syncs() - take over an array of syncobjs from user space
 * @job: the job
 * @file: the file that they belong to
 * @ptr: pointer to struct drm_vbind_sync
 * @count: number of them
 * @stride: size of each
 *
 * Return: 0 or an error code
 */
int vbind_job_init_syncs(struct vbind_job *job, struct drm_file *file, u64 ptr,
			 u32 count, u32 stride)
{
	int ret;
	u32 i;

	if (!count)
		return 0;

	job->syncs = kcalloc(count, sizeof(*job->syncs), GFP_KERNEL_ACCOUNT);
	if (!job->syncs)
		return -ENOMEM;

	for (i = 0; i < count; i++) {
		struct drm_vbind_sync args;

		ret = copy_struct_from_user(&args, sizeof(args),
					    u64_to_user_ptr(ptr + (u64)i * stride),
					    stride);
		if (!ret)
			ret = vbind_job_init_sync(job, file, &args);
		if (ret)
			return ret;
	}

	return 0;
}

/**
 * vbind_job_signal_syncs() - give a job's fence to the syncobjs
 * @job: the job
 */
void vbind_job_signal_syncs(struct vbind_job *job)
{
	u32 i;

	for (i = 0; i < job->num_syncs; i++) {
		struct vbind_sync *sync = &job->syncs[i];

		if (sync->chain)
			drm_syncobj_add_point(sync->syncobj, sync->chain,
					      job->done, sync->point);
		else
			drm_syncobj_replace_fence(sync->syncobj, job->done);
		/* The syncobj owns it now. */
		sync->chain = NULL;
	}
}

/**
 * vbind_job_fini_syncs() - free what vbind_job_init_syncs() allocated
 * @job: the job
 */
void vbind_job_fini_syncs(struct vbind_job *job)
{
	u32 i;

	for (i = 0; i < job->num_syncs; i++) {
		dma_fence_chain_free(job->syncs[i].chain);
		drm_syncobj_put(job->syncs[i].syncobj);
	}
	kfree(job->syncs);
	job->syncs = NULL;
	job->num_syncs = 0;
}
