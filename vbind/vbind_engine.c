// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * Engines: what stands in for hardware that runs jobs.
 *
 * The scheduler hands jobs over when nothing is left for them to wait for, as it
 * would write them to a ring buffer, and gets a fence. Each queue of a VM is such a
 * ring. An engine serves all rings with one worker, a slice of a job at a time:
 * files in turns, and for each file its rings in turns. So what others get does not
 * depend on how many jobs, queues or VMs a file has. A job that waits for a time
 * stands aside and leaves the engine to others.
 *
 * All of this is the fence signalling path: nothing is allocated.
 */

#include <linux/dma-fence.h>
#include <linux/slab.h>

#include <drm/drm_managed.h>

#include "vbind_job.h"

/**
 * struct vbind_hw_fence - what the scheduler is given for a job that runs
 * @base: the fence; freed by RCU, as the first member
 * @lock: its lock
 *
 * It has no callback of ours to be called once it is signalled: such fences outlive
 * the module.
 */
struct vbind_hw_fence {
	struct dma_fence base;
	/* The fence's own */
	spinlock_t lock;
};

static const char *vbind_hw_fence_name(struct dma_fence *fence)
{
	return "vbind";
}

static const struct dma_fence_ops vbind_hw_fence_ops = {
	.get_driver_name = vbind_hw_fence_name,
	.get_timeline_name = vbind_hw_fence_name,
};

/**
 * vbind_fence_create() - allocate a fence
 * @key: tells lockdep what kind of fence it is: one may be signalled as another is
 *
 * Each has a context of its own, so that the scheduler never takes one for another
 * that is later.
 *
 * Return: the fence, or NULL
 */
struct dma_fence *vbind_fence_create(struct lock_class_key *key)
{
	struct vbind_hw_fence *fence = kzalloc_obj(*fence, GFP_KERNEL_ACCOUNT);

	if (!fence)
		return NULL;

	spin_lock_init(&fence->lock);
	lockdep_set_class(&fence->lock, key);
	dma_fence_init(&fence->base, &vbind_hw_fence_ops, &fence->lock,
		       dma_fence_context_alloc(1), 1);

	return &fence->base;
}

/* Under the engine's lock: the queue has a job that can go on. */
static void vbind_queue_ready(struct vbind_queue *queue)
{
	struct vbind_engine *engine = queue->engine;
	struct vbind_client *client = queue->client;

	lockdep_assert_held(&engine->lock);

	if (!list_empty(&queue->entry))
		return;

	list_add_tail(&queue->entry, &client->queues);
	if (list_empty(&client->entry))
		list_add_tail(&client->entry, &engine->clients);
	queue_work(engine->wq, &engine->work);
}

/* Under the engine's lock: the queue has no job, or one that stands aside. */
static void vbind_queue_unready(struct vbind_queue *queue)
{
	lockdep_assert_held(&queue->engine->lock);

	list_del_init(&queue->entry);
	if (list_empty(&queue->client->queues))
		list_del_init(&queue->client->entry);
}

/* The job whose turn it is. Its file and its queue are the last ones from now on. */
static struct vbind_job *vbind_engine_next(struct vbind_engine *engine)
{
	struct vbind_client *client;
	struct vbind_job *job = NULL;
	struct vbind_queue *queue;

	spin_lock_bh(&engine->lock);
	client = list_first_entry_or_null(&engine->clients, struct vbind_client,
					  entry);
	if (client) {
		queue = list_first_entry(&client->queues, struct vbind_queue,
					 entry);
		list_move_tail(&queue->entry, &client->queues);
		list_move_tail(&client->entry, &engine->clients);
		job = list_first_entry(&queue->jobs, struct vbind_job, entry);
	}
	spin_unlock_bh(&engine->lock);

	return job;
}

static void vbind_engine_stand_aside(struct vbind_job *job)
{
	struct vbind_queue *queue = job->queue;

	spin_lock_bh(&queue->engine->lock);
	if (!queue->stopped) {
		vbind_queue_unready(queue);
		hrtimer_start(&queue->timer, us_to_ktime(job->wait_us),
			      HRTIMER_MODE_REL_SOFT);
	}
	spin_unlock_bh(&queue->engine->lock);
}

static void vbind_engine_finish(struct vbind_job *job, int error)
{
	struct dma_fence *fence = dma_fence_get(job->hw_fence);
	struct vbind_queue *queue = job->queue;

	spin_lock_bh(&queue->engine->lock);
	list_del_init(&job->entry);
	if (list_empty(&queue->jobs))
		vbind_queue_unready(queue);
	spin_unlock_bh(&queue->engine->lock);

	/* What the job counted for is free when its fence says that it is done. */
	vbind_job_uncount(job);
	if (error)
		dma_fence_set_error(fence, error);
	/* The job and, with its last one, the VM may go away from here on. */
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

static void vbind_engine_work(struct work_struct *work)
{
	struct vbind_engine *engine = container_of(work, struct vbind_engine,
						   work);
	bool cookie = dma_fence_begin_signalling();
	struct vbind_job *job;

	while ((job = vbind_engine_next(engine))) {
		int ret = -ECANCELED;

		if (!READ_ONCE(job->queue->stopped))
			ret = job->ops->step(job);
		if (ret == VBIND_STEP_WAIT)
			vbind_engine_stand_aside(job);
		else if (ret != VBIND_STEP_MORE)
			vbind_engine_finish(job, ret);
		cond_resched();
	}
	dma_fence_end_signalling(cookie);
}

static enum hrtimer_restart vbind_queue_timer(struct hrtimer *timer)
{
	struct vbind_queue *queue = container_of(timer, struct vbind_queue,
						 timer);

	spin_lock(&queue->engine->lock);
	if (!list_empty(&queue->jobs))
		vbind_queue_ready(queue);
	spin_unlock(&queue->engine->lock);

	return HRTIMER_NORESTART;
}

/**
 * vbind_engine_submit() - have a job run
 * @job: the job, which waits for nothing any more
 *
 * Context: fence signalling
 */
void vbind_engine_submit(struct vbind_job *job)
{
	struct vbind_queue *queue = job->queue;
	bool first;

	spin_lock_bh(&queue->engine->lock);
	first = list_empty(&queue->jobs);
	list_add_tail(&job->entry, &queue->jobs);
	if (first)
		vbind_queue_ready(queue);
	spin_unlock_bh(&queue->engine->lock);
}

/**
 * vbind_queue_cancel() - have no job of a queue go on
 * @queue: the queue
 *
 * Jobs end with an error at the end of their slice.
 */
void vbind_queue_cancel(struct vbind_queue *queue)
{
	struct vbind_engine *engine = queue->engine;

	spin_lock_bh(&engine->lock);
	WRITE_ONCE(queue->stopped, true);
	if (!list_empty(&queue->jobs))
		vbind_queue_ready(queue);
	spin_unlock_bh(&engine->lock);
	hrtimer_cancel(&queue->timer);
}

/**
 * vbind_queue_init() - make a queue
 * @queue: the queue
 * @vm: the VM that it is for
 * @engine: the engine that runs its jobs
 * @client: the part of the VM's file in that engine
 *
 * It has a scheduler of its own: what one queue does, and how it ends, does not
 * concern any other.
 *
 * Return: 0 or an error code
 */
int vbind_queue_init(struct vbind_queue *queue, struct vbind_vm *vm,
		     struct vbind_engine *engine, struct vbind_client *client)
{
	struct vbind_device *vbind = to_vbind_device(vm->base.drm);
	const struct drm_sched_init_args args = {
		.ops = &vbind_sched_ops,
		.submit_wq = vbind->submit_wq,
		.num_rqs = 1,
		.credit_limit = DRM_VBIND_MAX_JOBS,
		/* Jobs take as long as they may, see vbind_exec.c. */
		.timeout = MAX_SCHEDULE_TIMEOUT,
		.name = engine->name,
		.dev = vbind->drm.dev,
	};
	struct drm_gpu_scheduler *sched = &queue->sched;
	int ret;

	ret = drm_sched_init(sched, &args);
	if (ret)
		return ret;

	ret = drm_sched_entity_init(&queue->entity, DRM_SCHED_PRIORITY_KERNEL,
				    &sched, 1, NULL);
	if (ret) {
		drm_sched_fini(sched);
		return ret;
	}

	queue->engine = engine;
	queue->client = client;
	INIT_LIST_HEAD(&queue->entry);
	INIT_LIST_HEAD(&queue->jobs);
	hrtimer_setup(&queue->timer, vbind_queue_timer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_SOFT);

	return 0;
}

/**
 * vbind_queue_end() - take the jobs that have not begun out of a queue
 * @queue: the queue, cancelled; nothing is added any more
 *
 * The scheduler must not be about to take a job from the queue meanwhile: if there
 * was another job, it would put the queue back among those with jobs.
 */
void vbind_queue_end(struct vbind_queue *queue)
{
	drm_sched_wqueue_stop(&queue->sched);
	drm_sched_entity_fini(&queue->entity);
	drm_sched_wqueue_start(&queue->sched);
}

/**
 * vbind_queue_fini() - the opposite of vbind_queue_init()
 * @queue: the queue, ended, whose jobs are gone
 */
void vbind_queue_fini(struct vbind_queue *queue)
{
	drm_sched_fini(&queue->sched);
}

/**
 * vbind_client_init() - make the part of a file in an engine
 * @client: the part
 */
void vbind_client_init(struct vbind_client *client)
{
	INIT_LIST_HEAD(&client->entry);
	INIT_LIST_HEAD(&client->queues);
}

static void vbind_engine_init(struct vbind_engine *engine, const char *name,
			      struct workqueue_struct *wq)
{
	spin_lock_init(&engine->lock);
	INIT_LIST_HEAD(&engine->clients);
	INIT_WORK(&engine->work, vbind_engine_work);
	engine->name = name;
	engine->wq = wq;
}

static void vbind_destroy_wq(struct drm_device *drm, void *wq)
{
	destroy_workqueue(wq);
}

static int vbind_alloc_wq(struct vbind_device *vbind, const char *name,
			  unsigned int flags, struct workqueue_struct **wq)
{
	*wq = alloc_workqueue("%s", WQ_UNBOUND | flags, 0, name);
	if (!*wq)
		return -ENOMEM;

	return drmm_add_action_or_reset(&vbind->drm, vbind_destroy_wq, *wq);
}

/**
 * vbind_engines_init() - set up the engines and what cleans up after jobs
 * @vbind: the device
 *
 * Return: 0 or an error code
 */
int vbind_engines_init(struct vbind_device *vbind)
{
	unsigned int i;
	int ret;

	ret = vbind_alloc_wq(vbind, "vbind-cleanup", 0, &vbind->cleanup_wq);
	if (!ret)
		ret = vbind_alloc_wq(vbind, "vbind-submit", WQ_MEM_RECLAIM,
				     &vbind->submit_wq);
	if (!ret)
		ret = vbind_alloc_wq(vbind, "vbind-engine", WQ_MEM_RECLAIM,
				     &vbind->engine_wq);
	if (ret)
		return ret;

	vbind_engine_init(&vbind->bind_engine, "vbind-bind", vbind->engine_wq);
	for (i = 0; i < DRM_VBIND_NUM_QUEUES; i++)
		vbind_engine_init(&vbind->engines[i], "vbind-engine",
				  vbind->engine_wq);

	return 0;
}
