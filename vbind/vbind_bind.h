/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Copyright (c) 2026 The DRM GPUVM project */

#ifndef _VBIND_BIND_H_
#define _VBIND_BIND_H_

#include "vbind_job.h"

struct drm_exec;

/* Binds of a job whose page tables are counted without an allocation */
#define VBIND_FEW_BINDS		4

/**
 * struct vbind_bind - a bind
 * @type: one of enum drm_vbind_bind_type
 * @req: the request to the core; its object comes with a reference and a claim
 * @vm_bo: what links the object with the VM, once prepared
 * @removed: unmap-BO: the mappings that were removed
 * @leaving: staged mode: the mappings of evicted BOs that were cut or removed
 * @same: the very mapping was there, and the page tables show it
 */
struct vbind_bind {
	u32 type;
	struct drm_gpuvm_req req;
	struct drm_gpuvm_bo *vm_bo;
	struct vbind_mapping *removed;
	struct vbind_mapping *leaving;
	bool same;
};

/**
 * struct vbind_bind_job - an array of binds
 * @base: its part as a job
 * @vm: the VM
 * @binds: the binds
 * @num_binds: number of them
 * @current_bind: index of the bind that is being carried out
 * @async: nobody waits for the job, nor for what it may tell
 * @queued: bytes that count for the file
 * @ops_left: how many mappings prefetches may yet look at
 * @pool: page tables that may be needed
 * @stock: mappings that may be added, and those that were taken off the tree
 * @steps: the steps that were taken, for user space
 * @num_steps: number of them, which may be more than there was room for
 * @max_steps: room in @steps
 * @no_room: stands in for the steps that there is no room for
 */
struct vbind_bind_job {
	struct vbind_job base;
	struct vbind_vm *vm;
	struct vbind_bind *binds;
	u32 num_binds;
	u32 current_bind;
	bool async;
	u64 queued;
	u32 ops_left;
	struct vbind_pt_pool pool;
	struct drm_gpuva_stock stock;
	struct drm_vbind_step *steps;
	u32 num_steps;
	u32 max_steps;
	struct drm_vbind_step no_room;
};

/**
 * struct vbind_mode_ops - what the modes of a VM differ in
 * @prepare: get what may be needed, without any lock
 * @lock: lock the objects, other than the VM, that the job touches
 * @commit: the last step that may fail, with all locks
 * @run: carry out a bind, in the fence signalling path
 * @fini: give back what @prepare got; may be called twice
 */
struct vbind_mode_ops {
	int (*prepare)(struct vbind_bind_job *job);
	int (*lock)(struct vbind_bind_job *job, struct drm_exec *exec);
	int (*commit)(struct vbind_bind_job *job);
	int (*run)(struct vbind_bind_job *job, struct vbind_bind *bind);
	void (*fini)(struct vbind_bind_job *job);
};

static inline struct vbind_bind *
vbind_bind_job_current(struct vbind_bind_job *job)
{
	return &job->binds[job->current_bind];
}

/* vbind_bind.c */
int vbind_bind_job_lock_all(struct vbind_bind_job *job, struct drm_exec *exec);

/* vbind_ops.c */
int vbind_bind_change_tree(struct vbind_bind_job *job, struct vbind_bind *bind);
int vbind_bind_update_mmu(struct vbind_bind_job *job, struct vbind_bind *bind);

extern const struct vbind_mode_ops vbind_staged_ops;
extern const struct vbind_mode_ops vbind_immediate_ops;

#endif /* _VBIND_BIND_H_ */
