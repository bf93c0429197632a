// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * Jobs: what binds and command buffers have in common on their way through the
 * scheduler.
 *
 * A job is prepared in an ioctl, which may fail, until vbind_job_arm(). From then
 * on its fence is known to others, so that it has to be signalled: the job is
 * pushed, goes to an engine (vbind_engine.c) when all that it depends on is done,
 * and must not wait for memory then. What it has is freed by a worker of its own,
 * because that takes locks under which memory is allocated, and the scheduler's
 * worker must not wait for those.
 */

#include <linux/dma-fence.h>
#include <linux/wait_bit.h>

#include <drm/drm_exec.h>
#include <drm/drm_file.h>

#include "vbind_job.h"

static struct vbind_job *to_vbind_job(struct drm_sched_job *sched_job)
{
	return container_of(sched_job, struct vbind_job, base);
}

/**
 * vbind_job_uncount() - let the file have another job
 * @job: the job, which is done or was never queued
 *
 * What the job has is freed later, by a worker. A call that finds something in use
 * or a limit reached waits for that, see vbind_file_wait_for_late().
 *
 * Context: fence signalling
 */
void vbind_job_uncount(struct vbind_job *job)
{
	if (!job->counted)
		return;

	job->counted = false;
	atomic_inc(&job->vm->vfile->num_late);
	atomic_dec(&job->vm->vfile->num_jobs);
}

static void vbind_job_release(struct kref *kref)
{
	struct vbind_job *job = container_of(kref, struct vbind_job, kref);
	struct vbind_vm *vm = job->vm;
	struct vbind_device *vbind = to_vbind_device(vm->base.drm);

	spin_lock(&vm->jobs_lock);
	list_del(&job->vm_entry);
	spin_unlock(&vm->jobs_lock);

	vbind_job_uncount(job);
	job->ops->fini(job);
	vbind_job_fini_syncs(job);
	dma_fence_put(job->done);
	dma_fence_put(job->hw_fence);
	kfree(job);

	atomic_dec(&vbind->num_jobs);
	vbind_file_late_done(vm->vfile);
	/* From here on the VM may go away. */
	if (atomic_dec_and_test(&vm->num_jobs))
		wake_up_var(&vm->num_jobs);
}

/**
 * vbind_job_put() - drop a reference
 * @job: the job
 *
 * Context: no lock is held, for the last reference may free objects.
 */
void vbind_job_put(struct vbind_job *job)
{
	kref_put(&job->kref, vbind_job_release);
}

static void vbind_job_cleanup(struct work_struct *work)
{
	vbind_job_put(container_of(work, struct vbind_job, cleanup));
}

/**
 * vbind_job_init() - begin a job
 * @job: the job, zeroed
 * @ops: what kind of job it is
 * @vm: the VM
 * @queue: the VM's queue that it is for
 * @file: the file of the ioctl
 *
 * Return: 0 or an error code, -ENOSPC if the file has too many jobs. On success,
 * vbind_job_put() is due, and vbind_job_abort() before that if the job was not
 * armed.
 */
int vbind_job_init(struct vbind_job *job, const struct vbind_job_ops *ops,
		   struct vbind_vm *vm, struct vbind_queue *queue,
		   struct drm_file *file)
{
	static struct lock_class_key key;
	int ret = -ENOMEM;

	if (!atomic_add_unless(&vm->vfile->num_jobs, 1, DRM_VBIND_MAX_JOBS))
		return -ENOSPC;

	job->hw_fence = vbind_fence_create(&key);
	if (job->hw_fence)
		ret = drm_sched_job_init(&job->base, &queue->entity, 1, file,
					 file->client_id);
	if (ret) {
		dma_fence_put(job->hw_fence);
		atomic_dec(&vm->vfile->num_jobs);
		return ret;
	}

	job->ops = ops;
	job->vm = vm;
	job->queue = queue;
	job->counted = true;
	INIT_LIST_HEAD(&job->vm_entry);
	kref_init(&job->kref);
	INIT_WORK(&job->cleanup, vbind_job_cleanup);
	atomic_inc(&vm->num_jobs);
	atomic_inc(&to_vbind_device(vm->base.drm)->num_jobs);

	return 0;
}

/**
 * vbind_job_abort() - end a job that was not armed
 * @job: the job
 */
void vbind_job_abort(struct vbind_job *job)
{
	drm_sched_job_cleanup(&job->base);
}

/**
 * vbind_job_reserve_fences() - make room for a fence in all objects
 * @exec: holds the locks
 *
 * Not all functions of the core that lock objects do this.
 *
 * Return: 0 or -ENOMEM
 */
int vbind_job_reserve_fences(struct drm_exec *exec)
{
	struct drm_gem_object *obj;
	int ret = 0;

	drm_exec_for_each_locked_object(exec, obj) {
		if (!ret)
			ret = dma_resv_reserve_fences(obj->resv, 1);
	}

	return ret;
}

/**
 * vbind_job_arm() - make a job's fence known
 * @job: the job
 * @exec: holds the locks of all objects, among them the VM's, which makes this
 *	and vbind_job_push() one step for each queue
 *
 * From here on nothing can fail. Only evictions wait for the fence of their own
 * accord: what depends on what is up to user space.
 */
void vbind_job_arm(struct vbind_job *job, struct drm_exec *exec)
{
	job->id = atomic64_inc_return(&job->vm->last_job_id);
	drm_sched_job_arm(&job->base);
	job->done = dma_fence_get(&job->base.s_fence->finished);
	drm_gpuvm_resv_add_fence(&job->vm->base, exec, job->done,
				 DMA_RESV_USAGE_BOOKKEEP,
				 DMA_RESV_USAGE_BOOKKEEP);
	spin_lock(&job->vm->jobs_lock);
	list_add_tail(&job->vm_entry, &job->vm->jobs);
	spin_unlock(&job->vm->jobs_lock);
	vbind_job_signal_syncs(job);
}

/**
 * vbind_job_push() - queue a job
 * @job: the job
 */
void vbind_job_push(struct vbind_job *job)
{
	/* The scheduler's */
	kref_get(&job->kref);
	drm_sched_entity_push_job(&job->base);
}

/**
 * vbind_vm_cancel_jobs() - have all jobs of a VM end
 * @vm: the VM, which takes no more jobs
 *
 * A job that has not begun ends at once, whatever it waits for, and one that runs at
 * the end of its slice; both with an error in their fences.
 */
void vbind_vm_cancel_jobs(struct vbind_vm *vm)
{
	struct vbind_job *job;
	unsigned int i;

	vbind_queue_cancel(&vm->bind_queue);
	for (i = 0; i < DRM_VBIND_NUM_QUEUES; i++)
		vbind_queue_cancel(&vm->exec_queues[i]);

	spin_lock(&vm->jobs_lock);
	list_for_each_entry(job, &vm->jobs, vm_entry)
		vbind_job_release_deps(job);
	spin_unlock(&vm->jobs_lock);
}

/**
 * vbind_vm_wait_for_jobs() - wait until a VM has no more jobs
 * @vm: the VM, which takes no more jobs, and whose jobs are cancelled
 */
void vbind_vm_wait_for_jobs(struct vbind_vm *vm)
{
	wait_var_event(&vm->num_jobs, !atomic_read(&vm->num_jobs));
}

static struct dma_fence *vbind_sched_run_job(struct drm_sched_job *sched_job)
{
	struct vbind_job *job = to_vbind_job(sched_job);

	if (READ_ONCE(job->queue->stopped)) {
		vbind_job_uncount(job);
		return ERR_PTR(-ECANCELED);
	}

	vbind_engine_submit(job);

	return dma_fence_get(job->hw_fence);
}

static void vbind_sched_free_job(struct drm_sched_job *sched_job)
{
	struct vbind_job *job = to_vbind_job(sched_job);
	struct vbind_device *vbind = to_vbind_device(job->vm->base.drm);

	drm_sched_job_cleanup(sched_job);
	queue_work(vbind->cleanup_wq, &job->cleanup);
}

const struct drm_sched_backend_ops vbind_sched_ops = {
	.run_job = vbind_sched_run_job,
	.free_job = vbind_sched_free_job,
};
