// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * Syncobjs: what a job waits for, and what it signals.
 *
 * The fence that a job waits for may be anybody's and may never be signalled before
 * its owner goes away. The scheduler, however, ends no job before its dependencies
 * are signalled, not even a job that is cancelled. So it gets a fence of ours
 * instead, which is signalled with the other one, or when the VM closes.
 */

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

/**
 * struct vbind_dep - what a job waits for
 * @fence: ours, which the scheduler knows
 * @foreign: the one that is waited for
 * @cb: signals @fence with @foreign
 * @added: @cb was added
 */
struct vbind_dep {
	struct dma_fence *fence;
	struct dma_fence *foreign;
	struct dma_fence_cb cb;
	bool added;
};

static void vbind_dep_signalled(struct dma_fence *foreign,
				struct dma_fence_cb *cb)
{
	dma_fence_signal(container_of(cb, struct vbind_dep, cb)->fence);
}

/* Takes over the reference on @foreign. An error in it does not matter. */
static int vbind_job_add_dep(struct vbind_job *job, struct dma_fence *foreign)
{
	struct vbind_dep *dep = &job->deps[job->num_deps];
	static struct lock_class_key key;

	if (dma_fence_is_signaled(foreign)) {
		dma_fence_put(foreign);
		return 0;
	}

	dep->fence = vbind_fence_create(&key);
	if (!dep->fence) {
		dma_fence_put(foreign);
		return -ENOMEM;
	}

	/* Counted from here on, so that it is cleaned up. */
	dep->foreign = foreign;
	job->num_deps++;
	dep->added = !dma_fence_add_callback(foreign, &dep->cb,
					     vbind_dep_signalled);
	if (!dep->added)
		dma_fence_signal(dep->fence);

	return drm_sched_job_add_dependency(&job->base,
					    dma_fence_get(dep->fence));
}

/**
 * vbind_job_release_deps() - have a job wait for nothing any more
 * @job: the job
 */
void vbind_job_release_deps(struct vbind_job *job)
{
	u32 i;

	for (i = 0; i < job->num_deps; i++)
		dma_fence_signal(job->deps[i].fence);
}

static void vbind_job_fini_deps(struct vbind_job *job)
{
	u32 i;

	for (i = 0; i < job->num_deps; i++) {
		struct vbind_dep *dep = &job->deps[i];

		/* Also waits until the callback has returned. */
		if (dep->added)
			dma_fence_remove_callback(dep->foreign, &dep->cb);
		/* Who still holds it must not wait for ever. */
		dma_fence_signal(dep->fence);
		dma_fence_put(dep->fence);
		dma_fence_put(dep->foreign);
	}
	kfree(job->deps);
	job->deps = NULL;
	job->num_deps = 0;
}

static int vbind_job_init_out_sync(struct vbind_job *job, struct drm_file *file,
				   const struct drm_vbind_sync *args)
{
	struct vbind_sync *sync = &job->syncs[job->num_syncs];
	int ret;

	sync->syncobj = drm_syncobj_find(file, args->handle);
	if (!sync->syncobj)
		return -ENOENT;

	/* Counted before all is there, so that it is cleaned up. */
	job->num_syncs++;
	sync->point = args->point;
	if (!args->point)
		return 0;

	/* drm_syncobj_add_point() walks over all points that are not signalled. */
	ret = vbind_file_charge(job->vm->vfile, VBIND_LIMIT_POINTS, 1);
	if (ret)
		return ret;
	job->num_points++;
	/* dma_fence_chain_alloc() does not count for the caller's memory cgroup. */
	sync->chain = kmalloc_obj(*sync->chain, GFP_KERNEL_ACCOUNT);

	return sync->chain ? 0 : -ENOMEM;
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

	return vbind_job_add_dep(job, fence);
}

/**
 * vbind_job_sync_bytes() - what syncobjs take
 * @count: number of them
 *
 * Return: bytes, about
 */
u64 vbind_job_sync_bytes(u32 count)
{
	return (u64)count * (sizeof(struct vbind_sync) +
			     sizeof(struct vbind_dep) +
			     sizeof(struct dma_fence_chain));
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
	job->deps = kcalloc(count, sizeof(*job->deps), GFP_KERNEL_ACCOUNT);
	if (!job->syncs || !job->deps)
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

	vbind_job_fini_deps(job);
	for (i = 0; i < job->num_syncs; i++) {
		dma_fence_chain_free(job->syncs[i].chain);
		drm_syncobj_put(job->syncs[i].syncobj);
	}
	vbind_file_uncharge(job->vm->vfile, VBIND_LIMIT_POINTS, job->num_points);
	kfree(job->syncs);
	job->syncs = NULL;
	job->num_syncs = 0;
	job->num_points = 0;
}
