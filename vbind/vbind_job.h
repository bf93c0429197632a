/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Copyright (c) 2026 The DRM GPUVM project */

#ifndef _VBIND_JOB_H_
#define _VBIND_JOB_H_

#include <linux/kref.h>
#include <linux/workqueue.h>

#include "vbind_drv.h"

struct vbind_job;
struct vbind_sync;

/**
 * struct vbind_job_ops - what kinds of jobs differ in
 * @run: do it, in the fence signalling path; returns 0 or an error code for the
 *	fence
 * @fini: free what the job has, but not the job; may be called twice
 */
struct vbind_job_ops {
	int (*run)(struct vbind_job *job);
	void (*fini)(struct vbind_job *job);
};

/**
 * struct vbind_job - something that waits in a queue of a VM
 * @base: its part in the scheduler
 * @ops: what kind of job it is
 * @kref: the ioctl has a reference, and once it is queued the scheduler
 * @vm: the VM, which waits for all its jobs before it goes away
 * @cleanup: work item that drops the scheduler's reference
 * @id: tells the jobs of a VM apart
 * @done: its fence, once it is armed
 * @syncs: what to wait for and to signal
 * @num_syncs: number of them
 */
struct vbind_job {
	struct drm_sched_job base;
	const struct vbind_job_ops *ops;
	struct kref kref;
	struct vbind_vm *vm;
	struct work_struct cleanup;
	u64 id;
	struct dma_fence *done;
	struct vbind_sync *syncs;
	u32 num_syncs;
};

int vbind_job_init(struct vbind_job *job, const struct vbind_job_ops *ops,
		   struct vbind_vm *vm, struct drm_sched_entity *queue,
		   struct drm_file *file);
void vbind_job_abort(struct vbind_job *job);
void vbind_job_put(struct vbind_job *job);
void vbind_job_arm(struct vbind_job *job, struct drm_exec *exec);
void vbind_job_push(struct vbind_job *job);
int vbind_job_reserve_fences(struct drm_exec *exec);
void vbind_queue_fini(struct vbind_device *vbind, struct drm_sched_entity *queue);
void vbind_vm_wait_for_jobs(struct vbind_vm *vm);

int vbind_job_init_syncs(struct vbind_job *job, struct drm_file *file, u64 ptr,
			 u32 count, u32 stride);
void vbind_job_signal_syncs(struct vbind_job *job);
void vbind_job_fini_syncs(struct vbind_job *job);

int vbind_sched_init(struct vbind_device *vbind);

#endif /* _VBIND_JOB_H_ */
