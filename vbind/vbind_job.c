// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * Jobs: what binds and command buffers have in common on their way through the
 * scheduler.
 *
 * A job is prepared in an ioctl, which may fail, until vbind_job_arm(). From then
 * on its fence is known to others, so that it has to be signalled: the job is
 * pushed, runs when all that it depends on is done, and must not wait for memory
 * then. What it has is freed by a worker of its own, because that takes locks
 * under which memory is allocated, and the scheduler's worker must not wait for
 * those.
 */

#include <linux/dma-fence.h>
#include <linux/wait_bit.h>

#include <drm/drm_drv.h>
#include <drm/drm_exec.h>
#include <drm/drm_file.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "vbind_job.h"

static struct vbind_job *to_vbind_job(struct drm_sched_job *sched_job)
{
	return container_of(sched_job, struct vbind_job, base);
}

static void vbind_job_release(struct kref *kref)
{
	struct vbind_job *job = container_of(kref, struct vbind_job, kref);
	struct vbind_vm *vm = job->vm;

	job->ops->fini(job);
	vbind_job_fini_syncs(job);
	dma_fence_put(job->done);
	kfree(job);

	atomic_dec(&to_vbind_device(vm->base.drm)->num_jobs);
	atomic_dec(&vm->vfile->num_jobs);
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
		   struct vbind_vm *vm, struct drm_sched_entity *queue,
		   struct drm_file *file)
{
	int ret;

	if (!atomic_add_unless(&vm->vfile->num_jobs, 1, DRM_VBIND_MAX_JOBS))
		return -ENOSPC;

	ret = drm_sched_job_init(&job->base, queue, 1, file, file->client_id);
	if (ret) {
		atomic_dec(&vm->vfile->num_jobs);
		return ret;
	}

	job->ops = ops;
	job->vm = vm;
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
 * vbind_queue_fini() - end a queue
 * @vbind: the device
 * @queue: the queue; of the jobs in it none begins any more
 *
 * The scheduler must not be about to take a job from the queue meanwhile: if there
 * was another job, it would put the queue, which is going to be freed, back among
 * those with jobs. So it stands still.
 */
void vbind_queue_fini(struct vbind_device *vbind, struct drm_sched_entity *queue)
{
	struct drm_gpu_scheduler *sched = queue->rq->sched;

	mutex_lock(&vbind->queues_lock);
	drm_sched_wqueue_stop(sched);
	drm_sched_entity_fini(queue);
	drm_sched_wqueue_start(sched);
	mutex_unlock(&vbind->queues_lock);
}

/**
 * vbind_vm_wait_for_jobs() - wait until a VM has no more jobs
 * @vm: the VM, which takes no more jobs
 */
void vbind_vm_wait_for_jobs(struct vbind_vm *vm)
{
	wait_var_event(&vm->num_jobs, !atomic_read(&vm->num_jobs));
}

static struct dma_fence *vbind_sched_run_job(struct drm_sched_job *sched_job)
{
	struct vbind_job *job = to_vbind_job(sched_job);
	bool cookie = dma_fence_begin_signalling();
	int ret;

	ret = job->ops->run(job);
	dma_fence_end_signalling(cookie);

	/* Hardware would be at work now, and signal the fence that is returned. */
	return ret ? ERR_PTR(ret) : NULL;
}

static void vbind_sched_free_job(struct drm_sched_job *sched_job)
{
	struct vbind_job *job = to_vbind_job(sched_job);
	struct vbind_device *vbind = to_vbind_device(job->vm->base.drm);

	drm_sched_job_cleanup(sched_job);
	queue_work(vbind->cleanup_wq, &job->cleanup);
}

static const struct drm_sched_backend_ops vbind_sched_ops = {
	.run_job = vbind_sched_run_job,
	.free_job = vbind_sched_free_job,
};

static void vbind_sched_fini(struct drm_device *drm, void *sched)
{
	drm_sched_fini(sched);
}

static int vbind_sched_init_one(struct vbind_device *vbind,
				struct drm_gpu_scheduler *sched,
				const char *name)
{
	const struct drm_sched_init_args args = {
		.ops = &vbind_sched_ops,
		.num_rqs = DRM_SCHED_PRIORITY_COUNT,
		.credit_limit = 1,
		/* Jobs take as long as they may, see vbind_exec.c. */
		.timeout = MAX_SCHEDULE_TIMEOUT,
		.name = name,
		.dev = vbind->drm.dev,
	};
	int ret;

	ret = drm_sched_init(sched, &args);
	if (ret)
		return ret;

	return drmm_add_action_or_reset(&vbind->drm, vbind_sched_fini, sched);
}

static void vbind_destroy_wq(struct drm_device *drm, void *wq)
{
	destroy_workqueue(wq);
}

/**
 * vbind_sched_init() - set up the schedulers and what cleans up after them
 * @vbind: the device
 *
 * Return: 0 or an error code
 */
int vbind_sched_init(struct vbind_device *vbind)
{
	unsigned int i;
	int ret;

	vbind->cleanup_wq = alloc_workqueue("vbind-cleanup", WQ_UNBOUND, 0);
	if (!vbind->cleanup_wq)
		return -ENOMEM;
	ret = drmm_add_action_or_reset(&vbind->drm, vbind_destroy_wq,
				       vbind->cleanup_wq);

	if (!ret)
		ret = drmm_mutex_init(&vbind->drm, &vbind->queues_lock);
	if (!ret)
		ret = vbind_sched_init_one(vbind, &vbind->bind_sched,
					   "vbind-bind");
	for (i = 0; !ret && i < DRM_VBIND_NUM_QUEUES; i++)
		ret = vbind_sched_init_one(vbind, &vbind->engines[i],
					   "vbind-engine");

	return ret;
}
