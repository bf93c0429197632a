/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What the parts of drm_gpuvm_stress share; stress_test.c says what it does. Each part
 * uses those above it: stress.c, stress_vm_bo.c, stress_request.c, stress_exec.c.
 */

#ifndef __GPUVM_STRESS_H__
#define __GPUVM_STRESS_H__

#include <linux/dma-fence.h>
#include <linux/hrtimer.h>
#include <linux/prandom.h>
#include <linux/rwsem.h>
#include <linux/wait.h>

#include "gpuvm_test.h"

#define ST_VMS		3
#define ST_SHARED	4
#define ST_LOCAL	2
#define ST_THREADS	6
#define ST_ROUND_MS	100
#define ST_HUNG_MS	30000

/* Small, so that requests meet each other's mappings. */
#define ST_PAGES	16

/* A request leaves two parts of what was there, and makes one mapping. */
#define ST_POOL		3

#define ST_ALIVE	0x7ab1e5
#define ST_FREED	0xdead

enum st_action {
	ST_BIND,
	ST_UNBIND,
	ST_CLEAR,
	ST_EVICT,
	ST_SUBMIT,
	ST_PREPARE,
	ST_LOCK_RANGE,
	ST_LOCK_REQUESTS,
	ST_LIST,
	ST_LOOK_UP,
	ST_CLEANUP,
	ST_SIGNAL,
	ST_NEW_OBJ,
	ST_NEW_VM,
	ST_ACTIONS,
};

/**
 * struct st_profile - what a case puts its weight on
 * @vms: the number of VMs
 * @shared: the number of objects that all VMs map
 * @local: the number of objects that each VM has for itself
 * @pages: the size of the part of the VA space that is used
 * @weight: how often each action is taken
 */
struct st_profile {
	unsigned int vms;
	unsigned int shared;
	unsigned int local;
	unsigned int pages;
	unsigned int weight[ST_ACTIONS];
};

enum st_count {
	ST_N_ACTIONS,
	ST_N_RETRIES,
	ST_N_WALK_RETRIES,
	ST_N_INTERRUPTED,
	ST_N_VALIDATED,
	ST_N_PREALLOC_LOST,
	ST_N_LAST_PUTS,
	ST_N_COUNTS,
};

struct st_vm {
	struct drm_gpuvm base;
	struct stress *st;
	struct rw_semaphore lock;
	/* Guards the mappings in fence signalling. */
	struct mutex job_lock;
	bool closed;
	struct drm_gem_object *local[ST_LOCAL];
};

struct st_obj {
	struct drm_gem_object base;
	struct drm_gem_object *r_obj;
	struct stress *st;
	unsigned int seen;
};

struct st_vm_bo {
	struct drm_gpuvm_bo base;
	unsigned int state;
	unsigned int seen;
};

struct st_va {
	struct drm_gpuva base;
	struct list_head entry;
};

struct st_thread {
	struct stress *st;
	struct task_struct *task;
	struct rnd_state rnd;
	enum st_action action;
	bool paused;
	struct list_head pool;
	struct list_head dead;
	unsigned long counts[ST_N_COUNTS];
};

enum st_live {
	ST_LIVE_VMS,
	ST_LIVE_OBJS,
	ST_LIVE_VAS,
	ST_LIVE_VM_BOS,
	ST_LIVE_OPS,
	ST_LIVE_NUM,
};

/**
 * struct stress - one case
 * @gt: the test
 * @profile: what it puts its weight on
 * @flags: of all VMs
 * @slots: guards the pointers to VMs and objects
 * @vms: the VMs, each with a reference
 * @shared: the objects, each with a reference
 * @until: when the round ends
 * @running: the threads that have not seen the end of it
 * @wait: where the test's thread waits until one pauses, or all have ended
 * @stop: end it now
 * @error: what went wrong first
 * @line: where
 * @value: with which return value
 * @round: the rounds so far
 * @counts: the sums of what the threads counted
 * @fence: for everybody; was signalled long ago
 * @timer: when the first thread goes on
 * @timer_rnd: for its intervals
 * @main: for the thread of the test itself
 * @threads: the others
 */
struct stress {
	struct gt *gt;
	const struct st_profile *profile;
	enum drm_gpuvm_flags flags;
	/* Innermost, but for those of the core. */
	spinlock_t slots;
	struct st_vm *vms[ST_VMS];
	struct drm_gem_object *shared[ST_SHARED];
	unsigned long until;
	atomic_t running;
	wait_queue_head_t wait;
	bool stop;
	const char *error;
	int line;
	long value;
	unsigned int round;
	unsigned long counts[ST_N_COUNTS];
	struct dma_fence *fence;
	struct hrtimer timer;
	struct rnd_state timer_rnd;
	struct st_thread main;
	struct st_thread threads[ST_THREADS];
};

#define st_expect(st, cond) st_check(st, cond, #cond, __LINE__, 0)
#define st_expect_ret(st, ret, cond) st_check(st, cond, #cond, __LINE__, ret)

/**
 * struct st_walk - a request that is carried out
 * @t: by whom
 * @vm: where
 * @vm_bo: of the object to map; NULL if there is none
 * @fail_at: the step that fails, counted from 1; 0 for none
 * @steps: how many there were
 */
struct st_walk {
	struct st_thread *t;
	struct st_vm *vm;
	struct drm_gpuvm_bo *vm_bo;
	unsigned int fail_at;
	unsigned int steps;
};

/**
 * struct st_request - what is to be done
 * @vm: in which VM
 * @map: a map request
 * @all: whatever is mapped goes
 * @req: the request
 * @exec: the locks of staged mode
 * @flags: of @exec
 */
struct st_request {
	struct st_vm *vm;
	bool map;
	bool all;
	struct drm_gpuvm_map_req req;
	struct drm_exec exec;
	u32 flags;
};

/* stress.c: mistakes, chance, pauses, and what there is */
extern atomic_t st_live[ST_LIVE_NUM];
bool st_immediate(struct stress *st);
bool st_resv_protected(struct stress *st);
void st_fail(struct stress *st, const char *what, int line, long value);
bool st_check(struct stress *st, bool ok, const char *what, int line,
	      long value);
u32 st_random(struct st_thread *t, u32 n);
bool st_is_first(struct st_thread *t);
void st_sleep(struct st_thread *t, bool until_resumed);
void st_pause(struct st_thread *t);
bool st_resume_all(struct stress *st);
enum hrtimer_restart st_tick(struct hrtimer *timer);
struct drm_gem_object *st_obj_alloc(struct stress *st,
				    struct drm_gem_object *r_obj);
void st_vm_free(struct drm_gpuvm *base);
struct drm_gpuva_op *st_op_alloc(void);
void st_op_free(struct drm_gpuva_op *op);
struct st_vm_bo *to_st_vm_bo(struct drm_gpuvm_bo *vm_bo);
struct drm_gpuvm_bo *st_vm_bo_alloc(void);
void st_vm_bo_free(struct drm_gpuvm_bo *base);
bool st_vm_bo_sound(struct stress *st, struct drm_gpuvm_bo *vm_bo,
		    struct drm_gpuvm *vm, struct drm_gem_object *obj);
void st_pool_fill(struct st_thread *t);
struct drm_gpuva *st_pool_take(struct st_thread *t);
void st_va_dead(struct st_thread *t, struct drm_gpuva *va);
void st_vas_free(struct list_head *list);
void st_gpuva_lock(struct stress *st, struct drm_gem_object *obj)
	__context_unsafe("only some modes have a lock here");
void st_gpuva_unlock(struct stress *st, struct drm_gem_object *obj)
	__context_unsafe("only some modes have a lock here");
struct st_vm *st_vm_get(struct st_thread *t);
void st_vm_put(struct st_vm *vm);
struct drm_gem_object *st_obj_get(struct st_thread *t, struct st_vm *vm);
void st_obj_put(struct drm_gem_object *obj);
void st_range(struct st_thread *t, u64 *addr, u64 *range);
struct drm_gpuvm_map_req st_req(struct st_thread *t,
				struct drm_gem_object *obj);
u32 st_exec_flags(struct st_thread *t);
bool st_locked(struct st_thread *t, u32 flags, int ret);
bool st_locked_by(struct drm_gem_object *obj, struct drm_exec *exec);
void st_pair_lock(struct st_thread *t, struct st_vm *vm,
		  struct drm_gem_object *obj, struct drm_exec *exec);

/* stress_vm_bo.c: vm_bos are looked up, and evicted */
void st_check_unique(struct stress *st, struct drm_gpuvm_bo *vm_bo,
		     struct st_vm *vm, struct drm_gem_object *obj);
struct drm_gpuvm_bo *
st_obtain_immediate(struct st_thread *t, struct st_vm *vm,
		    struct drm_gem_object *obj);
void st_look_up(struct st_thread *t);
void st_cleanup(struct st_thread *t);
void st_evict(struct st_thread *t);

/* stress_request.c: requests */
void st_unlink(struct st_thread *t, struct drm_gpuva *va);
int st_step(struct drm_gpuva_op *op, void *priv);
void st_request(struct st_thread *t, struct st_request *r);
void st_bind(struct st_thread *t);
void st_unbind(struct st_thread *t);
void st_clear(struct st_thread *t);

/* stress_exec.c: jobs */
extern const struct drm_gpuvm_ops st_ops;
void st_submit(struct st_thread *t)
	__context_unsafe("locked in one of four submissions");
void st_prepare(struct st_thread *t);
void st_lock_range(struct st_thread *t);
void st_lock_requests(struct st_thread *t);
void st_list(struct st_thread *t);

#endif /* __GPUVM_STRESS_H__ */
