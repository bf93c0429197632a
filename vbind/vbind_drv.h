/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Copyright (c) 2026 The DRM GPUVM project */

#ifndef _VBIND_DRV_H_
#define _VBIND_DRV_H_

#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <drm/drm_device.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_gpuvm.h>
#include <drm/gpu_scheduler.h>
#include <drm/vbind_drm.h>

#include "vbind_mmu.h"

struct dma_buf;
struct drm_exec;
struct drm_file;
struct shrinker;

/**
 * struct vbind_engine - runs jobs, see vbind_engine.c
 * @lock: protects all lists of the engine, its clients and its queues
 * @clients: files that have jobs which can go on, in turns
 * @work: runs them
 * @wq: where @work is queued
 * @name: name for traces
 */
struct vbind_engine {
	/* The innermost one */
	spinlock_t lock;
	struct list_head clients;
	struct work_struct work;
	struct workqueue_struct *wq;
	const char *name;
};

/**
 * struct vbind_client - the part of a file in an engine
 * @entry: entry in &vbind_engine.clients, if there is something to do
 * @queues: its queues that have jobs which can go on, in turns
 */
struct vbind_client {
	struct list_head entry;
	struct list_head queues;
};

/**
 * struct vbind_queue - a queue of a VM
 * @sched: its scheduler
 * @entity: the jobs that wait
 * @engine: what runs its jobs
 * @client: the part of its file in @engine
 * @entry: entry in &vbind_client.queues, if its first job can go on
 * @jobs: the jobs that the engine has; the first one runs
 * @timer: for a job that waits for a time
 * @stopped: no job goes on any more; written with @engine's lock
 */
struct vbind_queue {
	struct drm_gpu_scheduler sched;
	struct drm_sched_entity entity;
	struct vbind_engine *engine;
	struct vbind_client *client;
	struct list_head entry;
	struct list_head jobs;
	struct hrtimer timer;
	bool stopped;
};

/**
 * struct vbind_device - the device
 *
 * The counters are what debugfs shows, so that leaks can be seen.
 */
struct vbind_device {
	/** @drm: DRM device */
	struct drm_device drm;

	/** @bind_engine: runs the binds of all VMs */
	struct vbind_engine bind_engine;

	/** @engines: run the commands of a queue each, of all VMs */
	struct vbind_engine engines[DRM_VBIND_NUM_QUEUES];

	/** @engine_wq: for the engines' workers */
	struct workqueue_struct *engine_wq;

	/** @submit_wq: for the schedulers of all queues */
	struct workqueue_struct *submit_wq;

	/** @cleanup_wq: frees what jobs had; outside of fence signalling */
	struct workqueue_struct *cleanup_wq;

	/** @num_tables: page tables that exist, those not in use included */
	atomic64_t num_tables;

	/** @shrinker: evicts BOs */
	struct shrinker *shrinker;

	/** @lru: BOs that can be evicted, the one that was used last at the end */
	struct drm_gem_lru lru;

	/** @vms_lock: protects @vms and @unplugged */
	struct mutex vms_lock;

	/** @vms: all VMs */
	struct list_head vms;

	/** @unplugged: the device was taken away, there are to be no more VMs */
	bool unplugged;

	/** @last_vm_number: the number that was given out last */
	atomic_t last_vm_number;

	/** @last_bo_id: the id that was given out last */
	atomic64_t last_bo_id;

	/** @num_bos: BOs that exist */
	atomic_t num_bos;

	/** @num_vms: VMs that exist */
	atomic_t num_vms;

	/** @num_mappings: mappings that exist, those not in use included */
	atomic_t num_mappings;

	/** @num_jobs: jobs that exist */
	atomic_t num_jobs;

	/** @num_evictions: how often a BO was evicted */
	atomic_t num_evictions;
};

/**
 * enum vbind_limit - what a file has a limit of
 * @VBIND_LIMIT_BYTES: bytes of the BOs that it created
 * @VBIND_LIMIT_BOS: BOs that it created
 * @VBIND_LIMIT_MAPPINGS: mappings, those not in use included
 * @VBIND_LIMIT_TABLES: page tables, those not in use included
 * @VBIND_LIMIT_QUEUED: bytes that jobs have for binds, commands, syncobjs
 * @VBIND_LIMIT_POINTS: points of timelines that jobs have yet to signal
 * @VBIND_NUM_LIMITS: number of limits
 */
enum vbind_limit {
	VBIND_LIMIT_BYTES,
	VBIND_LIMIT_BOS,
	VBIND_LIMIT_MAPPINGS,
	VBIND_LIMIT_TABLES,
	VBIND_LIMIT_QUEUED,
	VBIND_LIMIT_POINTS,
	VBIND_NUM_LIMITS,
};

/**
 * struct vbind_file - an open file
 * @kref: the DRM file has a reference, and so has each BO and VM that it created
 * @vbind: the device
 * @vms: its VMs by id
 * @bind_client: its part in the engine for binds
 * @clients: its parts in the engines for commands
 * @num_jobs: its jobs that are queued or run
 * @num_late: what is done with, but not freed yet: its jobs, and BOs that it created
 * @late_wait: who waits for @num_late to be 0
 * @charged: what it has of each &enum vbind_limit
 */
struct vbind_file {
	struct kref kref;
	struct vbind_device *vbind;
	struct xarray vms;
	struct vbind_client bind_client;
	struct vbind_client clients[DRM_VBIND_NUM_QUEUES];
	atomic_t num_jobs;
	atomic_t num_late;
	wait_queue_head_t late_wait;
	atomic64_t charged[VBIND_NUM_LIMITS];
};

/**
 * struct vbind_faults - the faults of a VM that nobody has asked for yet
 */
struct vbind_faults {
	/** @lock: protects all of this */
	spinlock_t lock;

	/** @faults: the faults, a ring */
	struct drm_vbind_fault faults[DRM_VBIND_MAX_FAULTS];

	/** @first: index of the oldest one */
	u32 first;

	/** @count: number of them */
	u32 count;

	/** @lost: faults that there was no room for */
	u64 lost;
};

/**
 * struct vbind_vm - a GPU virtual address space
 *
 * Order of locks: @bind_lock, dma-resv locks, @lock, a GEM object's gpuva.lock,
 * the lock of @mmu. From @lock on they are taken in the fence signalling path: no
 * memory may be allocated under them.
 */
struct vbind_vm {
	/** @base: its part in the core */
	struct drm_gpuvm base;

	/** @vfile: the file that it belongs to */
	struct vbind_file *vfile;

	/** @entry: entry in the device's list */
	struct list_head entry;

	/** @number: tells VMs apart in traces and debugfs */
	u32 number;

	/**
	 * @bind_lock: held by the VM_BIND ioctl from working out which objects
	 * it touches until the job is queued. In staged mode this is what
	 * protects the tree of mappings, together with @lock: who changes it
	 * holds both, who reads it one of them.
	 */
	struct mutex bind_lock;

	/**
	 * @lock: protects the tree of mappings, in immediate mode alone, and
	 * @num_mappings
	 */
	struct mutex lock;

	/** @num_mappings: mappings in the tree */
	u32 num_mappings;

	/**
	 * @leaving: staged mode: mappings of evicted BOs that have left the tree,
	 * but not the page tables yet; protected by @lock
	 */
	struct list_head leaving;

	/**
	 * @closed: the VM is being torn down and takes no more jobs. Written
	 * with @lock and the VM's dma-resv, read with one of them.
	 */
	bool closed;

	/** @banned: a bind went wrong, so that the VM cannot be trusted */
	bool banned;

	/** @bind_queue: the binds */
	struct vbind_queue bind_queue;

	/** @exec_queues: the commands */
	struct vbind_queue exec_queues[DRM_VBIND_NUM_QUEUES];

	/** @jobs_lock: protects @jobs */
	spinlock_t jobs_lock;

	/** @jobs: jobs that are queued, run, or have not been freed yet */
	struct list_head jobs;

	/** @last_bind: fence of the last bind job; protected by @bind_lock */
	struct dma_fence *last_bind;

	/** @num_jobs: jobs that are queued, run, or have not been freed yet */
	atomic_t num_jobs;

	/** @last_job_id: the id that was given out last */
	atomic64_t last_job_id;

	/** @mmu: page tables */
	struct vbind_mmu mmu;

	/** @faults: what went wrong in jobs */
	struct vbind_faults faults;

	/** @counts: of what VM_STATS tells, indexed by enum vbind_count */
	atomic64_t counts[8];
};

/**
 * enum vbind_count - what a VM counts
 * @VBIND_COUNT_BINDS: binds that were carried out
 * @VBIND_COUNT_OPS: operations of the core that were carried out
 * @VBIND_COUNT_EXECS: EXEC jobs that ran
 * @VBIND_COUNT_CMDS: commands that ran
 * @VBIND_COUNT_FAULTS: faults
 * @VBIND_COUNT_EVICTIONS: BOs that were evicted
 * @VBIND_COUNT_VALIDATIONS: BOs that came back
 */
enum vbind_count {
	VBIND_COUNT_BINDS,
	VBIND_COUNT_OPS,
	VBIND_COUNT_EXECS,
	VBIND_COUNT_CMDS,
	VBIND_COUNT_FAULTS,
	VBIND_COUNT_EVICTIONS,
	VBIND_COUNT_VALIDATIONS,
};

/**
 * struct vbind_mapping - a mapping
 * @base: its part in the core
 * @next_removed: the next of those that one bind unmapped with its BO
 * @leaving: entry in &vbind_vm.leaving
 * @next_leaving: the next of those of one bind that have been in &vbind_vm.leaving
 * @leaving_vm_bo: what it was linked to, with a reference, if it is one of these
 *
 * A mapping in the tree has a reference of its own and a claim, see
 * vbind_bo_claim(), on its object. It keeps them until no lock is held any more:
 * freeing a private object takes the dma-resv lock that it shares with its VM.
 */
struct vbind_mapping {
	struct drm_gpuva base;
	struct vbind_mapping *next_removed;
	struct list_head leaving;
	struct vbind_mapping *next_leaving;
	struct drm_gpuvm_bo *leaving_vm_bo;
};

/* What DRM_GPUVA_USERBITS are used for */
#define VBIND_GPUVA_READONLY DRM_GPUVA_USERBITS

/**
 * struct vbind_bo - a buffer object
 * @base: its part in the shmem helpers; must be the first member
 * @vm_resv_obj: for a private BO: the object that owns the dma-resv which this
 *	BO shares, by which its VM is recognised; else NULL
 * @vfile: the file that created it, with a reference; NULL for an imported BO
 * @id: unique id
 * @claims: see vbind_bo_claim()
 * @memory: the memory while it is resident, else NULL; protected by the dma-resv
 * @free_work: frees it where that cannot be done at once
 */
struct vbind_bo {
	struct drm_gem_shmem_object base;
	struct drm_gem_object *vm_resv_obj;
	struct vbind_file *vfile;
	u64 id;
	atomic_t claims;
	void *memory;
	struct work_struct free_work;
};

static inline struct vbind_device *to_vbind_device(struct drm_device *drm)
{
	return container_of(drm, struct vbind_device, drm);
}

static inline struct vbind_vm *to_vbind_vm(struct drm_gpuvm *gpuvm)
{
	return container_of(gpuvm, struct vbind_vm, base);
}

static inline struct vbind_mapping *to_vbind_mapping(struct drm_gpuva *va)
{
	return container_of(va, struct vbind_mapping, base);
}

static inline struct vbind_bo *to_vbind_bo(struct drm_gem_object *obj)
{
	return container_of(to_drm_gem_shmem_obj(obj), struct vbind_bo, base);
}

/* The reserved range is in the tree as well. */
static inline bool vbind_va_is_reserved(const struct drm_gpuva *va)
{
	return va == &va->vm->kernel_alloc_node;
}

static inline void vbind_vm_count(struct vbind_vm *vm, enum vbind_count what)
{
	atomic64_inc(&vm->counts[what]);
}

/* vbind_drv.c */
int vbind_check_array(u64 ptr, u32 count, u32 stride, size_t min_stride);
int vbind_file_charge(struct vbind_file *vfile, enum vbind_limit limit, u64 n);
void vbind_file_uncharge(struct vbind_file *vfile, enum vbind_limit limit, u64 n);
void vbind_file_put(struct vbind_file *vfile);
void vbind_file_late_done(struct vbind_file *vfile);
int vbind_file_wait_for_late(struct vbind_file *vfile);
int vbind_check_signal(u32 *n);

/* vbind_gem.c */
struct drm_gem_object *vbind_gem_create_object(struct drm_device *drm,
					       size_t size);
struct drm_gem_object *vbind_gem_prime_import(struct drm_device *drm,
					      struct dma_buf *dma_buf);
int vbind_gem_create_ioctl(struct drm_device *drm, void *data,
			   struct drm_file *file);
int vbind_gem_info_ioctl(struct drm_device *drm, void *data,
			 struct drm_file *file);
bool vbind_bo_claim(struct vbind_bo *bo, struct vbind_vm *vm);
void vbind_bo_unclaim(struct vbind_bo *bo, struct vbind_vm *vm);

/* vbind_evict.c */
int vbind_bo_make_resident(struct vbind_bo *bo);
void vbind_bo_drop_memory(struct vbind_bo *bo);
int vbind_vm_bo_validate(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec);
unsigned long vbind_evict_all(struct vbind_device *vbind);
int vbind_evict_init(struct vbind_device *vbind);

/* vbind_vm.c */
struct vbind_vm *vbind_vm_lookup(struct vbind_file *vfile, u32 id);
void vbind_vm_close_all(struct vbind_file *vfile);
void vbind_vm_cancel(struct vbind_vm *vm);
void vbind_vm_lock_resvs(struct vbind_vm *vm, struct drm_gem_object *obj,
			 struct ww_acquire_ctx *ctx);
void vbind_vm_unlock_resvs(struct vbind_vm *vm, struct drm_gem_object *obj,
			   struct ww_acquire_ctx *ctx);
u32 vbind_vm_uapi_flags(struct vbind_vm *vm);
int vbind_vm_create_ioctl(struct drm_device *drm, void *data,
			  struct drm_file *file);
int vbind_vm_destroy_ioctl(struct drm_device *drm, void *data,
			   struct drm_file *file);

/* vbind_mapping.c */
extern const struct drm_gpuva_stock_ops vbind_mapping_stock_ops;
int vbind_mapping_apply(const struct drm_gpuva_op *op,
			struct drm_gpuva_stock *stock, struct drm_gpuvm_bo *vm_bo);
struct drm_gpuvm_bo *vbind_vm_bo_alloc(void);
void vbind_vm_bo_free(struct drm_gpuvm_bo *vm_bo);
void vbind_mapping_describe(struct drm_vbind_mapping *out,
			    const struct drm_gpuva_op_map *part,
			    enum drm_gpuva_flags flags, u32 repeat);
void vbind_mapping_describe_va(struct drm_vbind_mapping *out,
			       const struct drm_gpuva *va);

/* vbind_query.c */
void vbind_vm_add_fault(struct vbind_vm *vm,
			const struct drm_vbind_fault *fault);
int vbind_vm_query_ioctl(struct drm_device *drm, void *data,
			 struct drm_file *file);
int vbind_vm_faults_ioctl(struct drm_device *drm, void *data,
			  struct drm_file *file);
int vbind_vm_stats_ioctl(struct drm_device *drm, void *data,
			 struct drm_file *file);

/* vbind_bind.c */
extern const struct drm_gpuvm_ops vbind_gpuvm_ops;
int vbind_vm_bind_ioctl(struct drm_device *drm, void *data,
			struct drm_file *file);

/* vbind_exec.c */
int vbind_exec_ioctl(struct drm_device *drm, void *data, struct drm_file *file);

/* vbind_debugfs.c */
void vbind_debugfs_init(struct vbind_device *vbind);

void vbind_vm_free(struct drm_gpuvm *gpuvm);

#endif /* _VBIND_DRV_H_ */
