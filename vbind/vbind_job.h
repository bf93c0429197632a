/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Copyright (c) 2026 The DRM GPUVM project */

#ifndef _VBIND_JOB_H_
#define _VBIND_JOB_H_

#include <linux/kref.h>
#include <linux/workqueue.h>

#include "vbind_drv.h"

struct vbind_dep;
struct vbind_job;
struct vbind_sync;

/* What a slice of a job may return, other than 0 and errors */
#define VBIND_STEP_MORE		1
#define VBIND_STEP_WAIT		2

/**
 * struct vbind_job_ops - what kinds of jobs differ in
 * @step: do a slice of it, in the fence signalling path; returns %VBIND_STEP_MORE
 *	to be called again, %VBIND_STEP_WAIT to be called again after
 *	&vbind_job.wait_us, 0 when the job is done, or an error code for the fence
 * @fini: free what the job has, but not the job; may be called twice
 */
struct vbind_job_ops {
	int (*step)(struct vbind_job *job);
	void (*fini)(struct vbind_job *job);
};

/**
 * struct vbind_job - something that waits in a queue of a VM
 * @base: its part in the scheduler
 * @ops: what kind of job it is
 * @kref: the ioctl has a reference, and once it is queued the scheduler
 * @vm: the VM, which waits for all its jobs before it goes away
 * @queue: the queue that it is for
 * @entry: entry in &vbind_queue.jobs while it runs
 * @vm_entry: entry in &vbind_vm.jobs once it is armed
 * @wait_us: microseconds to wait, for %VBIND_STEP_WAIT
 * @cleanup: work item that drops the scheduler's reference
 * @id: tells the jobs of a VM apart
 * @done: its fence, once it is armed
 * @hw_fence: the fence that the scheduler waits for while it runs
 * @counted: it counts as one of the file's jobs
 * @deps: what it waits for, see vbind_sync.c
 * @syncs: what it is to signal
 * @num_deps: number of @deps
 * @num_syncs: number of @syncs
 * @num_points: those of @syncs that count for %VBIND_LIMIT_POINTS
 */
struct vbind_job {
	struct drm_sched_job base;
	const struct vbind_job_ops *ops;
	struct kref kref;
	struct vbind_vm *vm;
	struct vbind_queue *queue;
	struct list_head entry;
	struct list_head vm_entry;
	u64 wait_us;
	struct work_struct cleanup;
	u64 id;
	struct dma_fence *done;
	struct dma_fence *hw_fence;
	bool counted;
	struct vbind_dep *deps;
	struct vbind_sync *syncs;
	u32 num_deps;
	u32 num_syncs;
	u32 num_points;
};

/* vbind_job.c */
extern const struct drm_sched_backend_ops vbind_sched_ops;
int vbind_job_init(struct vbind_job *job, const struct vbind_job_ops *ops,
		   struct vbind_vm *vm, struct vbind_queue *queue,
		   struct drm_file *file);
void vbind_job_abort(struct vbind_job *job);
void vbind_job_put(struct vbind_job *job);
void vbind_job_uncount(struct vbind_job *job);
void vbind_job_arm(struct vbind_job *job, struct drm_exec *exec);
void vbind_job_push(struct vbind_job *job);
int vbind_job_reserve_fences(struct drm_exec *exec);
void vbind_vm_cancel_jobs(struct vbind_vm *vm);
void vbind_vm_wait_for_jobs(struct vbind_vm *vm);

/* vbind_engine.c */
struct dma_fence *vbind_fence_create(struct lock_class_key *key);
void vbind_engine_submit(struct vbind_job *job);
int vbind_queue_init(struct vbind_queue *queue, struct vbind_vm *vm,
		     struct vbind_engine *engine, struct vbind_client *client);
void vbind_queue_cancel(struct vbind_queue *queue);
void vbind_queue_end(struct vbind_queue *queue);
void vbind_queue_fini(struct vbind_queue *queue);
void vbind_client_init(struct vbind_client *client);
int vbind_engines_init(struct vbind_device *vbind);

/* vbind_sync.c */
u64 vbind_job_sync_bytes(u32 count);
int vbind_job_init_syncs(struct vbind_job *job, struct drm_file *file, u64 ptr,
			 u32 count, u32 stride);
void vbind_job_signal_syncs(struct vbind_job *job);
void vbind_job_release_deps(struct vbind_job *job);
void vbind_job_fini_syncs(struct vbind_job *job);

#endif /* _VBIND_JOB_H_ */
