// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Threads that do all that a driver may do, to a few objects in a few VMs, at
 * the same time. They go by the documented locks and nothing else. Objects and
 * VMs come and go meanwhile. Every few moments all threads end, and what they
 * left is checked as a whole.
 *
 * The locks, outer ones first: &st_vm.lock on the mappings, resvs,
 * &st_vm.job_lock, the objects' gpuva locks. In immediate mode mappings change in
 * fence signalling, under &st_vm.job_lock; those who have &st_vm.lock see none of
 * that, and may allocate.
 *
 * What a thread chooses comes from the seed. When it is its turn does not.
 */

#include <linux/dma-fence.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "gpuvm_test.h"

static unsigned int stress_ms = 500;
module_param(stress_ms, uint, 0444);
MODULE_PARM_DESC(stress_ms, "how long each case of drm_gpuvm_stress runs");

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

static const char *const st_count_names[ST_N_COUNTS] = {
	"actions", "contentions", "contentions in walks", "interrupted locks",
	"validations", "vm_bos allocated in vain", "last references put",
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

/* Here and not in struct stress, since some callbacks are told nothing. */
static atomic_t st_live[ST_LIVE_NUM];

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

static bool st_immediate(struct stress *st)
{
	return st->flags & DRM_GPUVM_IMMEDIATE_MODE;
}

static bool st_resv_protected(struct stress *st)
{
	return st->flags & DRM_GPUVM_RESV_PROTECTED;
}

/* ---- threads ------------------------------------------------------------ */

/* Only the first mistake is told; the others may follow from it. */
static void st_fail(struct stress *st, const char *what, int line, long value)
{
	if (!cmpxchg(&st->error, NULL, what)) {
		st->line = line;
		st->value = value;
	}
	WRITE_ONCE(st->stop, true);
}

static bool st_check(struct stress *st, bool ok, const char *what, int line,
		     long value)
{
	if (unlikely(!ok))
		st_fail(st, what, line, value);

	return ok;
}

#define st_expect(st, cond) st_check(st, cond, #cond, __LINE__, 0)
#define st_expect_ret(st, ret, cond) st_check(st, cond, #cond, __LINE__, ret)

static u32 st_random(struct st_thread *t, u32 n)
{
	return prandom_u32_state(&t->rnd) % n;
}

/* The first thread has a higher priority than the others, and a timer of its own. */
static bool st_is_first(struct st_thread *t)
{
	return t == &t->st->threads[0];
}

static void st_sleep(struct st_thread *t, bool until_resumed)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	WRITE_ONCE(t->paused, until_resumed);
	wake_up(&t->st->wait);
	schedule_timeout(1);
}

/*
 * Called wherever it is allowed to sleep, whatever is locked: lets all go on who
 * can. The test's own thread, which has to wait for its turn as they have, puts
 * an end to most pauses; some last for a tick.
 */
static void st_pause(struct st_thread *t)
{
	unsigned int one_in;

	if (t == &t->st->main)
		return;

	/* Much happens in some rounds, and at odd moments in the others. */
	one_in = t->st->round % 2 ? 8 : 128;
	if (st_is_first(t))
		one_in = 4;

	if (!st_random(t, one_in))
		st_sleep(t, st_random(t, 64));
	else
		cond_resched();
}

static bool st_resume(struct st_thread *t)
{
	if (!READ_ONCE(t->paused))
		return false;

	WRITE_ONCE(t->paused, false);
	wake_up_process(t->task);

	return true;
}

/* Whether there was somebody who paused. */
static bool st_resume_all(struct stress *st)
{
	bool any = false;
	unsigned int i;

	for (i = 1; i < ST_THREADS; i++)
		any |= st_resume(&st->threads[i]);

	return any;
}

/*
 * In a preemptible kernel, the first thread interrupts the others anywhere, also
 * where they would never let it go on by themselves.
 */
static enum hrtimer_restart st_tick(struct hrtimer *timer)
{
	struct stress *st = container_of(timer, struct stress, timer);
	u32 us = 20 + prandom_u32_state(&st->timer_rnd) % 300;

	st_resume(&st->threads[0]);
	hrtimer_forward_now(timer, us_to_ktime(us));

	return HRTIMER_RESTART;
}

/* ---- objects, VMs and what the core allocates --------------------------- */

static void st_obj_free(struct drm_gem_object *base)
{
	struct st_obj *obj = container_of(base, struct st_obj, base);

	st_expect(obj->st, list_empty(&base->gpuva.list));
	drm_gem_object_release(base);
	if (obj->r_obj)
		drm_gem_object_put(obj->r_obj);
	kfree(obj);
	atomic_dec(&st_live[ST_LIVE_OBJS]);
}

static const struct drm_gem_object_funcs st_obj_funcs = {
	.free = st_obj_free,
};

static struct drm_gem_object *st_obj_alloc(struct stress *st,
					   struct drm_gem_object *r_obj)
{
	struct st_obj *obj = kzalloc_obj(*obj);

	if (!obj)
		return NULL;

	obj->st = st;
	obj->base.funcs = &st_obj_funcs;
	if (r_obj) {
		drm_gem_object_get(r_obj);
		obj->r_obj = r_obj;
		obj->base.resv = r_obj->resv;
	}
	drm_gem_gpuva_init(&obj->base);
	drm_gem_private_object_init(st->gt->drm, &obj->base, GT_PAGES(64));
	atomic_inc(&st_live[ST_LIVE_OBJS]);

	return &obj->base;
}

static struct st_vm *to_st_vm(struct drm_gpuvm *vm)
{
	return container_of(vm, struct st_vm, base);
}

static void st_vm_free(struct drm_gpuvm *base)
{
	struct st_vm *vm = to_st_vm(base);

	st_expect(vm->st, vm->closed);
	kfree(vm);
	atomic_dec(&st_live[ST_LIVE_VMS]);
}

static struct drm_gpuva_op *st_op_alloc(void)
{
	atomic_inc(&st_live[ST_LIVE_OPS]);

	return kzalloc_obj(struct drm_gpuva_op, GFP_KERNEL | __GFP_NOFAIL);
}

static void st_op_free(struct drm_gpuva_op *op)
{
	kfree(op);
	atomic_dec(&st_live[ST_LIVE_OPS]);
}

static struct st_vm_bo *to_st_vm_bo(struct drm_gpuvm_bo *vm_bo)
{
	return container_of(vm_bo, struct st_vm_bo, base);
}

static struct drm_gpuvm_bo *st_vm_bo_alloc(void)
{
	struct st_vm_bo *vm_bo = kzalloc_obj(*vm_bo);

	if (!vm_bo)
		return NULL;

	vm_bo->state = ST_ALIVE;
	atomic_inc(&st_live[ST_LIVE_VM_BOS]);

	return &vm_bo->base;
}

static void st_vm_bo_free(struct drm_gpuvm_bo *base)
{
	struct st_vm_bo *vm_bo = to_st_vm_bo(base);
	struct stress *st = to_st_vm(base->vm)->st;

	st_expect(st, vm_bo->state == ST_ALIVE);
	st_expect(st, !kref_read(&base->kref));
	st_expect(st, list_empty(&base->list.gpuva));
	st_expect(st, list_empty(&base->list.entry.gem));
	st_expect(st, list_empty(&base->list.entry.extobj));
	st_expect(st, list_empty(&base->list.entry.evict));
	vm_bo->state = ST_FREED;
	kfree(vm_bo);
	atomic_dec(&st_live[ST_LIVE_VM_BOS]);
}

static bool st_vm_bo_sound(struct stress *st, struct drm_gpuvm_bo *vm_bo,
			   struct drm_gpuvm *vm, struct drm_gem_object *obj)
{
	return st_expect(st, to_st_vm_bo(vm_bo)->state == ST_ALIVE) &&
	       st_expect(st, vm_bo->vm == vm) && st_expect(st, vm_bo->obj == obj);
}

static void st_pool_fill(struct st_thread *t)
{
	struct st_va *va;
	unsigned int i;

	for (i = list_count_nodes(&t->pool); i < ST_POOL; i++) {
		va = kzalloc_obj(*va, GFP_KERNEL | __GFP_NOFAIL);
		atomic_inc(&st_live[ST_LIVE_VAS]);
		list_add(&va->entry, &t->pool);
	}
}

static struct drm_gpuva *st_pool_take(struct st_thread *t)
{
	struct st_va *va = list_first_entry_or_null(&t->pool, struct st_va, entry);

	if (!va)
		return NULL;

	list_del_init(&va->entry);

	return &va->base;
}

/* Mappings that are no longer inserted nor linked wait here until locks are free. */
static void st_va_dead(struct st_thread *t, struct drm_gpuva *va)
{
	list_add(&container_of(va, struct st_va, base)->entry, &t->dead);
}

static void st_vas_free(struct list_head *list)
{
	struct st_va *va, *next;

	list_for_each_entry_safe(va, next, list, entry) {
		list_del(&va->entry);
		kfree(va);
		atomic_dec(&st_live[ST_LIVE_VAS]);
	}
}

/* ---- steps -------------------------------------------------------------- */

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

static void st_gpuva_lock(struct stress *st, struct drm_gem_object *obj)
	__context_unsafe("only some modes have a lock here")
{
	if (st_immediate(st) && obj)
		mutex_lock(&obj->gpuva.lock);
}

static void st_gpuva_unlock(struct stress *st, struct drm_gem_object *obj)
	__context_unsafe("only some modes have a lock here")
{
	if (st_immediate(st) && obj)
		mutex_unlock(&obj->gpuva.lock);
}

static void st_link(struct st_thread *t, struct drm_gpuva *va,
		    struct drm_gpuvm_bo *vm_bo)
{
	if (!va->gem.obj)
		return;

	st_gpuva_lock(t->st, va->gem.obj);
	drm_gpuva_link(va, vm_bo);
	st_gpuva_unlock(t->st, va->gem.obj);
	st_pause(t);
}

static void st_unlink(struct st_thread *t, struct drm_gpuva *va)
{
	if (st_immediate(t->st))
		drm_gpuva_unlink_defer(va);
	else
		drm_gpuva_unlink(va);
	st_va_dead(t, va);
	st_pause(t);
}

static int st_step_map(struct st_walk *w, struct drm_gpuva_op_map *op)
{
	struct drm_gpuva *va = st_pool_take(w->t);
	int ret;

	if (!st_expect(w->t->st, va))
		return -ENOMEM;

	ret = drm_gpuva_map(&w->vm->base, va, op);
	if (!st_expect_ret(w->t->st, ret, !ret)) {
		st_va_dead(w->t, va);
		return ret;
	}
	st_link(w->t, va, w->vm_bo);

	return 0;
}

static int st_step_remap(struct st_walk *w, struct drm_gpuva_op_remap *op)
{
	struct drm_gpuva *va = op->unmap->va, *prev = NULL, *next = NULL;
	struct drm_gpuvm_bo *vm_bo = va->vm_bo;
	struct drm_gem_object *obj = va->gem.obj;
	struct st_thread *t = w->t;
	bool reuse = st_random(t, 2);
	int ret;

	if (op->prev)
		prev = reuse ? va : st_pool_take(t);
	if (op->next)
		next = reuse && !prev ? va : st_pool_take(t);
	if (!st_expect(t->st, !op->prev == !prev && !op->next == !next))
		return -ENOMEM;

	/* A linked mapping must not change its range under others' eyes. */
	if (reuse)
		st_gpuva_lock(t->st, obj);
	ret = drm_gpuva_remap(prev, next, op);
	if (reuse)
		st_gpuva_unlock(t->st, obj);
	if (!st_expect_ret(t->st, ret, !ret))
		return ret;

	st_pause(t);
	if (prev && prev != va)
		st_link(t, prev, vm_bo);
	if (next && next != va)
		st_link(t, next, vm_bo);
	if (!reuse)
		st_unlink(t, va);

	return 0;
}

static int st_step(struct drm_gpuva_op *op, void *priv)
{
	struct st_walk *w = priv;

	if (++w->steps == w->fail_at)
		return -ECANCELED;

	st_pause(w->t);
	switch (op->op) {
	case DRM_GPUVA_OP_MAP:
		return st_step_map(w, &op->map);
	case DRM_GPUVA_OP_REMAP:
		return st_step_remap(w, &op->remap);
	case DRM_GPUVA_OP_UNMAP:
		drm_gpuva_unmap(&op->unmap);
		st_unlink(w->t, op->unmap.va);
		return 0;
	default:
		st_fail(w->t->st, "unknown operation", __LINE__, op->op);
		return -EINVAL;
	}
}

/* ---- choices ------------------------------------------------------------ */

static struct st_vm *st_vm_get(struct st_thread *t)
{
	struct stress *st = t->st;
	struct st_vm *vm;

	spin_lock(&st->slots);
	vm = st->vms[st_random(t, st->profile->vms)];
	drm_gpuvm_get(&vm->base);
	spin_unlock(&st->slots);

	return vm;
}

/* Whoever is last in a VM that was closed leaves no zombies behind. */
static void st_vm_put(struct st_vm *vm)
{
	if (st_immediate(vm->st) && READ_ONCE(vm->closed))
		drm_gpuvm_bo_deferred_cleanup(&vm->base);
	drm_gpuvm_put(&vm->base);
}

/* An object that @vm may map, with a reference; NULL if its VM was closed. */
static struct drm_gem_object *st_obj_get(struct st_thread *t, struct st_vm *vm)
{
	struct stress *st = t->st;
	unsigned int n = st_random(t, st->profile->shared + st->profile->local);
	struct drm_gem_object *obj;

	spin_lock(&st->slots);
	if (n < st->profile->shared)
		obj = st->shared[n];
	else
		obj = vm->local[n - st->profile->shared];
	if (obj)
		drm_gem_object_get(obj);
	spin_unlock(&st->slots);

	return obj;
}

static void st_obj_put(struct drm_gem_object *obj)
{
	if (obj)
		drm_gem_object_put(obj);
}

static void st_range(struct st_thread *t, u64 *addr, u64 *range)
{
	unsigned int first = st_random(t, t->st->profile->pages);

	*addr = GT_BASE + GT_PAGES(first);
	*range = GT_PAGES(1 + st_random(t, t->st->profile->pages - first));
}

static struct drm_gpuvm_map_req st_req(struct st_thread *t,
				       struct drm_gem_object *obj)
{
	struct drm_gpuvm_map_req req = {
		.map.gem.obj = obj,
		.map.gem.offset = GT_PAGES(st_random(t, 4)),
	};

	st_range(t, &req.map.va.addr, &req.map.va.range);

	return req;
}

static u32 st_exec_flags(struct st_thread *t)
{
	u32 flags = DRM_EXEC_IGNORE_DUPLICATES;

	if (t != &t->st->main && st_random(t, 2))
		flags |= DRM_EXEC_INTERRUPTIBLE_WAIT;

	return flags;
}

/* Whether everything is locked; all that may come in the way is a signal. */
static bool st_locked(struct st_thread *t, u32 flags, int ret)
{
	if (ret == -EINTR && flags & DRM_EXEC_INTERRUPTIBLE_WAIT) {
		t->counts[ST_N_INTERRUPTED]++;
		flush_signals(current);
		return false;
	}

	return st_expect_ret(t->st, ret, !ret);
}

static bool st_locked_by(struct drm_gem_object *obj, struct drm_exec *exec)
{
	return dma_resv_locking_ctx(obj->resv) == drm_exec_ticket(exec);
}

/* ---- vm_bos ------------------------------------------------------------- */

/*
 * Lock what guards a vm_bo and its last reference in staged mode. Nothing may
 * interrupt those who have a reference to drop.
 */
static void st_pair_lock(struct st_thread *t, struct st_vm *vm,
			 struct drm_gem_object *obj, struct drm_exec *exec)
{
	unsigned int tries = 0;
	int ret;

	drm_exec_init(exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
	drm_exec_until_all_locked(exec) {
		t->counts[ST_N_RETRIES] += !!tries++;
		if (st_resv_protected(t->st)) {
			ret = drm_gpuvm_prepare_vm(&vm->base, exec, 0);
			drm_exec_retry_on_contention(exec);
			st_expect_ret(t->st, ret, !ret);
		}

		st_pause(t);
		ret = drm_exec_lock_obj(exec, obj);
		drm_exec_retry_on_contention(exec);
		st_expect_ret(t->st, ret, !ret);
	}
}

/* There is but one vm_bo of a VM and an object, and it is ours. */
static void st_check_unique(struct stress *st, struct drm_gpuvm_bo *vm_bo,
			    struct st_vm *vm, struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *found;

	st_gpuva_lock(st, obj);
	found = drm_gpuvm_bo_find(&vm->base, obj);
	st_gpuva_unlock(st, obj);

	st_expect(st, found == vm_bo);
	if (!found)
		return;

	st_vm_bo_sound(st, found, &vm->base, obj);
	if (st_immediate(st))
		drm_gpuvm_bo_put_deferred(found);
	else
		drm_gpuvm_bo_put(found);
}

static struct drm_gpuvm_bo *
st_obtain_immediate(struct st_thread *t, struct st_vm *vm,
		    struct drm_gem_object *obj)
{
	struct stress *st = t->st;
	struct drm_gpuvm_bo *new = drm_gpuvm_bo_create(&vm->base, obj), *vm_bo;

	if (!st_expect(st, new))
		return NULL;

	st_pause(t);
	vm_bo = drm_gpuvm_bo_obtain_prealloc(new);
	t->counts[ST_N_PREALLOC_LOST] += vm_bo != new;
	st_vm_bo_sound(st, vm_bo, &vm->base, obj);
	st_pause(t);

	if (st_resv_protected(st))
		dma_resv_lock(drm_gpuvm_resv(&vm->base), NULL);
	drm_gpuvm_bo_extobj_add(vm_bo);
	if (st_resv_protected(st))
		dma_resv_unlock(drm_gpuvm_resv(&vm->base));

	st_check_unique(st, vm_bo, vm, obj);

	return vm_bo;
}

static void st_look_up_immediate(struct st_thread *t, struct st_vm *vm,
				 struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;

	if (st_random(t, 2)) {
		vm_bo = st_obtain_immediate(t, vm, obj);
	} else {
		mutex_lock(&obj->gpuva.lock);
		vm_bo = drm_gpuvm_bo_find(&vm->base, obj);
		mutex_unlock(&obj->gpuva.lock);
	}
	if (!vm_bo)
		return;

	st_pause(t);
	st_vm_bo_sound(t->st, vm_bo, &vm->base, obj);
	t->counts[ST_N_LAST_PUTS] += drm_gpuvm_bo_put_deferred(vm_bo);
}

/* What unmaps an object is what is linked to its vm_bo. */
static void st_check_links(struct stress *st, struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gpuva_ops *ops = drm_gpuvm_bo_unmap_ops_create(vm_bo);
	struct drm_gpuva_op *op;

	if (!st_expect(st, !IS_ERR(ops)))
		return;

	drm_gpuva_for_each_op(op, ops) {
		st_expect(st, op->op == DRM_GPUVA_OP_UNMAP);
		st_expect(st, op->unmap.va->vm_bo == vm_bo);
		st_expect(st, op->unmap.va->gem.obj == vm_bo->obj);
	}
	drm_gpuva_ops_free(vm_bo->vm, ops);
}

static void st_look_up_staged(struct st_thread *t, struct st_vm *vm,
			      struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;
	struct drm_exec exec;

	st_pair_lock(t, vm, obj, &exec);
	if (st_random(t, 2)) {
		vm_bo = drm_gpuvm_bo_obtain_locked(&vm->base, obj);
		if (!st_expect(t->st, !IS_ERR(vm_bo)))
			vm_bo = NULL;
	} else {
		vm_bo = drm_gpuvm_bo_find(&vm->base, obj);
	}
	if (vm_bo) {
		st_check_unique(t->st, vm_bo, vm, obj);
		st_check_links(t->st, vm_bo);
		if (st_resv_protected(t->st))
			drm_gpuvm_bo_extobj_add(vm_bo);
		st_pause(t);
	}

	/* Half of the times it may become the last reference meanwhile. */
	if (vm_bo && st_random(t, 2)) {
		drm_exec_fini(&exec);
		if (!st_resv_protected(t->st))
			drm_gpuvm_bo_extobj_add(vm_bo);
		st_pause(t);
		st_pair_lock(t, vm, obj, &exec);
		st_vm_bo_sound(t->st, vm_bo, &vm->base, obj);
	}
	t->counts[ST_N_LAST_PUTS] += drm_gpuvm_bo_put(vm_bo);
	drm_exec_fini(&exec);
}

static void st_look_up(struct st_thread *t)
{
	struct st_vm *vm = st_vm_get(t);
	struct drm_gem_object *obj = st_obj_get(t, vm);

	if (obj) {
		if (st_immediate(t->st))
			st_look_up_immediate(t, vm, obj);
		else
			st_look_up_staged(t, vm, obj);
	}
	st_obj_put(obj);
	st_vm_put(vm);
}

static void st_cleanup(struct st_thread *t)
{
	struct st_vm *vm = st_vm_get(t);

	drm_gpuvm_bo_deferred_cleanup(&vm->base);
	st_vm_put(vm);
}

/* ---- requests ----------------------------------------------------------- */

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

static struct drm_gpuva_ops *st_request_list(struct st_thread *t,
					     const struct st_request *r)
{
	if (r->all || st_random(t, 4))
		return NULL;

	if (r->map)
		return drm_gpuvm_sm_map_ops_create(&r->vm->base, &r->req);

	return drm_gpuvm_sm_unmap_ops_create(&r->vm->base, r->req.map.va.addr,
					     r->req.map.va.range);
}

static void st_request_carry_out(struct st_walk *w, const struct st_request *r,
				 struct drm_gpuva_ops *ops)
{
	struct drm_gpuva_op *op;
	int ret = 0;

	if (ops) {
		drm_gpuva_for_each_op(op, ops) {
			ret = st_step(op, w);
			if (ret)
				break;
		}
	} else if (r->map) {
		ret = drm_gpuvm_sm_map(&w->vm->base, w, &r->req);
	} else {
		ret = drm_gpuvm_sm_unmap(&w->vm->base, w, r->req.map.va.addr,
					 r->req.map.va.range);
	}

	st_expect_ret(w->t->st, ret, !ret || (ret == -ECANCELED && w->fail_at));
}

static int st_request_lock(struct st_thread *t, struct st_request *r)
{
	unsigned int tries = 0;
	int ret = 0;

	drm_exec_init(&r->exec, r->flags, 0);
	drm_exec_until_all_locked(&r->exec) {
		t->counts[ST_N_RETRIES] += !!tries++;
		if (st_resv_protected(t->st)) {
			ret = drm_gpuvm_prepare_vm(&r->vm->base, &r->exec, 0);
			drm_exec_retry_on_contention(&r->exec);
			if (ret)
				break;
		}

		st_pause(t);
		if (r->map)
			ret = drm_gpuvm_sm_map_exec_lock(&r->vm->base, &r->exec,
							 st_random(t, 2), &r->req);
		else
			ret = drm_gpuvm_sm_unmap_exec_lock(&r->vm->base, &r->exec,
							   r->req.map.va.addr,
							   r->req.map.va.range);
		drm_exec_retry_on_contention(&r->exec);
		if (ret)
			break;
	}

	return ret;
}

static void st_request_staged(struct st_walk *w, struct st_request *r)
{
	struct drm_gem_object *obj = r->req.map.gem.obj;
	struct stress *st = w->t->st;
	struct drm_gpuva_ops *ops;
	int ret;

	ret = st_request_lock(w->t, r);
	if (!st_locked(w->t, r->flags, ret))
		goto out;

	if (r->map && obj) {
		w->vm_bo = drm_gpuvm_bo_obtain_locked(&w->vm->base, obj);
		if (!st_expect(st, !IS_ERR(w->vm_bo)))
			goto out;
		drm_gpuvm_bo_extobj_add(w->vm_bo);
		st_check_unique(st, w->vm_bo, w->vm, obj);
	}

	ops = st_request_list(w->t, r);
	if (st_expect(st, !IS_ERR(ops)))
		st_request_carry_out(w, r, ops);
	if (!IS_ERR_OR_NULL(ops))
		drm_gpuva_ops_free(&w->vm->base, ops);

	w->t->counts[ST_N_LAST_PUTS] += drm_gpuvm_bo_put(w->vm_bo);
out:
	drm_exec_fini(&r->exec);
}

static void st_request_immediate(struct st_walk *w, const struct st_request *r)
{
	bool put_in_job = st_random(w->t, 2), cookie;
	struct stress *st = w->t->st;
	struct drm_gpuva_ops *ops;

	ops = st_request_list(w->t, r);
	if (!st_expect(st, !IS_ERR(ops)))
		return;

	cookie = dma_fence_begin_signalling();
	mutex_lock(&w->vm->job_lock);
	st_request_carry_out(w, r, ops);
	mutex_unlock(&w->vm->job_lock);
	if (put_in_job) {
		drm_gpuvm_bo_put_deferred(w->vm_bo);
		w->vm_bo = NULL;
	}
	dma_fence_end_signalling(cookie);

	if (ops)
		drm_gpuva_ops_free(&w->vm->base, ops);
}

static void st_request(struct st_thread *t, struct st_request *r)
{
	struct drm_gem_object *obj = r->req.map.gem.obj;
	struct st_walk w = { .t = t, .vm = r->vm };
	struct stress *st = t->st;

	r->flags = r->all ? DRM_EXEC_IGNORE_DUPLICATES : st_exec_flags(t);
	if (!r->all && !st_random(t, 16))
		w.fail_at = 1 + st_random(t, 3);

	st_pool_fill(t);
	if (st_immediate(st) && r->map && obj)
		w.vm_bo = st_obtain_immediate(t, r->vm, obj);

	down_write(&r->vm->lock);
	if (!r->vm->closed || r->all) {
		if (st_immediate(st))
			st_request_immediate(&w, r);
		else
			st_request_staged(&w, r);
	}
	up_write(&r->vm->lock);

	if (st_immediate(st))
		t->counts[ST_N_LAST_PUTS] += drm_gpuvm_bo_put_deferred(w.vm_bo);
	if (st_immediate(st) && (r->all || st_random(t, 2)))
		drm_gpuvm_bo_deferred_cleanup(&r->vm->base);
	st_vas_free(&t->dead);
}

static void st_bind(struct st_thread *t)
{
	struct st_request r = { .vm = st_vm_get(t), .map = true };
	struct drm_gem_object *obj = NULL;

	if (st_random(t, 8))
		obj = st_obj_get(t, r.vm);
	r.req = st_req(t, obj);
	st_request(t, &r);
	st_obj_put(obj);
	st_vm_put(r.vm);
}

static void st_unbind(struct st_thread *t)
{
	struct st_request r = { .vm = st_vm_get(t) };

	r.req = st_req(t, NULL);
	st_request(t, &r);
	st_vm_put(r.vm);
}

/* The VM's last mapping goes, and with it their common reference. */
static void st_clear(struct st_thread *t)
{
	struct st_request r = { .vm = st_vm_get(t) };

	r.req.map.va.addr = GT_BASE;
	r.req.map.va.range = GT_PAGES(t->st->profile->pages);
	st_request(t, &r);
	st_vm_put(r.vm);
}

/* ---- eviction, validation and locks ------------------------------------- */

static void st_evict(struct st_thread *t)
{
	struct st_vm *vm = st_vm_get(t);
	struct drm_gem_object *obj = st_obj_get(t, vm);
	struct stress *st = t->st;
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuva *va;
	bool evict = st_random(t, 8);

	if (!obj)
		goto out;

	dma_resv_lock(obj->resv, NULL);
	st_pause(t);
	st_gpuva_lock(st, obj);
	drm_gpuvm_bo_gem_evict(obj, evict);
	drm_gem_for_each_gpuvm_bo(vm_bo, obj) {
		st_expect(st, to_st_vm_bo(vm_bo)->state == ST_ALIVE);
		st_expect(st, vm_bo->obj == obj && kref_read(&vm_bo->kref));
		st_expect(st, vm_bo->evicted == evict);
		drm_gpuvm_bo_for_each_va(va, vm_bo) {
			st_expect(st, va->vm_bo == vm_bo && va->gem.obj == obj);
			st_expect(st, va->va.addr >= GT_BASE);
		}
	}
	st_gpuva_unlock(st, obj);
	dma_resv_unlock(obj->resv);
	drm_gem_object_put(obj);
out:
	st_vm_put(vm);
}

/**
 * struct st_submit - a job
 * @exec: its locks
 * @t: by whom
 * @vm: where
 * @exclusive: the mappings are locked, too, so validation may unmap
 * @extra: one more object to lock
 * @failed: the callback has failed
 */
struct st_submit {
	struct drm_gpuvm_exec exec;
	struct st_thread *t;
	struct st_vm *vm;
	bool exclusive;
	struct drm_gem_object *extra;
	bool failed;
};

/* Gives up on an object: all of its mappings go, and maybe the vm_bo as well. */
static void st_validate_unmaps(struct st_submit *s, struct drm_gpuvm_bo *vm_bo)
	__context_unsafe("only immediate mode has a lock here")
{
	struct stress *st = s->t->st;
	struct drm_gpuva *va, *next;

	/* In immediate mode it may have become a zombie. */
	if (!kref_get_unless_zero(&vm_bo->kref)) {
		st_expect(st, st_immediate(st) && st_resv_protected(st));
		return;
	}

	if (st_immediate(st))
		mutex_lock(&s->vm->job_lock);
	drm_gpuvm_bo_for_each_va_safe(va, next, vm_bo) {
		st_unlink(s->t, va);
		drm_gpuva_remove(va);
	}
	if (st_immediate(st)) {
		mutex_unlock(&s->vm->job_lock);
		drm_gpuvm_bo_put_deferred(vm_bo);
	} else {
		drm_gpuvm_bo_put(vm_bo);
	}
}

static int st_validate(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	struct st_submit *s = container_of(exec, struct st_submit, exec.exec);
	struct st_thread *t = s->t;

	t->counts[ST_N_VALIDATED]++;
	st_vm_bo_sound(t->st, vm_bo, &s->vm->base, vm_bo->obj);
	st_expect(t->st, st_locked_by(vm_bo->obj, exec));
	st_pause(t);

	switch (st_random(t, 16)) {
	case 0:
		s->failed = true;
		return -ECANCELED;
	case 1:
		return 0;
	case 2:
	case 3:
	case 4:
		if (s->exclusive) {
			st_validate_unmaps(s, vm_bo);
			return 0;
		}
		fallthrough;
	case 5:
	case 6:
	case 7:
		vm_bo->evicted = false;
		return 0;
	default:
		drm_gpuvm_bo_evict(vm_bo, false);
		return 0;
	}
}

static const struct drm_gpuvm_ops st_ops = {
	.vm_free = st_vm_free,
	.op_alloc = st_op_alloc,
	.op_free = st_op_free,
	.vm_bo_alloc = st_vm_bo_alloc,
	.vm_bo_free = st_vm_bo_free,
	.vm_bo_validate = st_validate,
	.sm_step_map = st_step,
	.sm_step_remap = st_step,
	.sm_step_unmap = st_step,
};

static int st_lock_extra(struct drm_gpuvm_exec *exec)
{
	struct st_submit *s = exec->extra.priv;

	st_pause(s->t);
	if (!s->extra)
		return 0;

	return drm_exec_prepare_obj(&exec->exec, s->extra, 1);
}

static int st_submit_lock(struct st_submit *s)
{
	if (st_random(s->t, 4)) {
		s->exec.extra.fn = st_lock_extra;
		s->exec.extra.priv = s;
		return drm_gpuvm_exec_lock(&s->exec);
	}

	return drm_gpuvm_exec_lock_array(&s->exec, &s->extra, !!s->extra);
}

/* What is done with all objects locked. */
static void st_submit_locked(struct st_submit *s)
{
	struct drm_exec *exec = &s->exec.exec;
	struct stress *st = s->t->st;
	int ret;

	st_expect(st, st_locked_by(drm_gpuvm_resv_obj(&s->vm->base), exec));
	if (s->extra)
		st_expect(st, st_locked_by(s->extra, exec));
	st_pause(s->t);

	ret = drm_gpuvm_exec_validate(&s->exec);
	st_expect_ret(st, ret, ret == (s->failed ? -ECANCELED : 0));
	if (s->exec.num_fences)
		drm_gpuvm_exec_resv_add_fence(&s->exec, st->fence,
					      DMA_RESV_USAGE_BOOKKEEP,
					      DMA_RESV_USAGE_READ);
	st_pause(s->t);
}

static void st_submit(struct st_thread *t)
	__context_unsafe("locked in one of four submissions")
{
	struct st_submit s = { .t = t, .vm = st_vm_get(t) };
	struct drm_gpuvm_exec *exec = &s.exec;
	int ret;

	s.exclusive = !st_random(t, 4);
	if (!st_random(t, 4))
		s.extra = st_obj_get(t, s.vm);
	exec->vm = &s.vm->base;
	exec->flags = st_exec_flags(t);
	exec->num_fences = st_random(t, 2);

	if (s.exclusive)
		down_write(&s.vm->lock);
	ret = st_submit_lock(&s);
	if (st_locked(t, exec->flags, ret)) {
		st_submit_locked(&s);
		drm_gpuvm_exec_unlock(exec);
	}
	if (s.exclusive)
		up_write(&s.vm->lock);

	st_vas_free(&t->dead);
	st_obj_put(s.extra);
	st_vm_put(s.vm);
}

/* A job that locks step by step, in a loop of its own, and sees the contention. */
static void st_prepare(struct st_thread *t)
{
	struct st_submit s = { .t = t, .vm = st_vm_get(t) };
	struct drm_exec *exec = &s.exec.exec;
	struct drm_gpuvm *vm = &s.vm->base;
	u32 flags = st_exec_flags(t);
	unsigned int n = st_random(t, 3);
	u64 addr, range;
	int ret = 0;

	st_range(t, &addr, &range);
	s.exec.vm = vm;

	down_read(&s.vm->lock);
	drm_exec_init(exec, flags, 0);
	drm_exec_until_all_locked(exec) {
		ret = drm_gpuvm_prepare_vm(vm, exec, n);
		drm_exec_retry_on_contention(exec);
		if (ret)
			break;

		st_pause(t);
		ret = drm_gpuvm_prepare_objects(vm, exec, n);
		t->counts[ST_N_WALK_RETRIES] += ret == -EDEADLK;
		drm_exec_retry_on_contention(exec);
		if (ret)
			break;

		st_pause(t);
		ret = drm_gpuvm_prepare_range(vm, exec, addr, range, n);
		drm_exec_retry_on_contention(exec);
		if (ret)
			break;
	}
	if (st_locked(t, flags, ret))
		st_submit_locked(&s);
	drm_exec_fini(exec);
	up_read(&s.vm->lock);
	st_vm_put(s.vm);
}

static void st_lock_range(struct st_thread *t)
{
	struct st_vm *vm = st_vm_get(t);
	struct drm_gpuvm_exec exec = {
		.vm = &vm->base,
		.flags = st_exec_flags(t),
		.num_fences = st_random(t, 2),
	};
	struct drm_gpuva *va;
	u64 addr, range;
	int ret;

	st_range(t, &addr, &range);

	down_read(&vm->lock);
	ret = drm_gpuvm_exec_lock_range(&exec, addr, range);
	if (st_locked(t, exec.flags, ret)) {
		st_pause(t);
		drm_gpuvm_for_each_mapping_range(va, &vm->base, addr, addr + range)
			if (va->gem.obj)
				st_expect(t->st, st_locked_by(va->gem.obj, &exec.exec));
		if (exec.num_fences)
			drm_gpuvm_exec_resv_add_fence(&exec, t->st->fence,
						      DMA_RESV_USAGE_BOOKKEEP,
						      DMA_RESV_USAGE_WRITE);
		drm_gpuvm_exec_unlock(&exec);
	}
	up_read(&vm->lock);
	st_vm_put(vm);
}

/* Locks for a map and an unmap request, which are then given up. */
static void st_lock_requests(struct st_thread *t)
{
	struct st_vm *vm = st_vm_get(t);
	struct drm_gem_object *obj = st_obj_get(t, vm);
	struct drm_gpuvm_map_req req = st_req(t, obj);
	u32 flags = st_exec_flags(t);
	unsigned int n = st_random(t, 2), tries = 0;
	struct drm_exec exec;
	u64 addr, range;
	int ret = 0;

	st_range(t, &addr, &range);

	down_read(&vm->lock);
	drm_exec_init(&exec, flags, 0);
	drm_exec_until_all_locked(&exec) {
		t->counts[ST_N_RETRIES] += !!tries++;
		ret = drm_gpuvm_sm_unmap_exec_lock(&vm->base, &exec, addr, range);
		drm_exec_retry_on_contention(&exec);
		if (ret)
			break;

		st_pause(t);
		ret = drm_gpuvm_sm_map_exec_lock(&vm->base, &exec, n, &req);
		drm_exec_retry_on_contention(&exec);
		if (ret)
			break;
	}
	if (st_locked(t, flags, ret) && obj)
		st_expect(t->st, st_locked_by(obj, &exec));
	drm_exec_fini(&exec);
	up_read(&vm->lock);
	st_obj_put(obj);
	st_vm_put(vm);
}

/* ---- readers ------------------------------------------------------------ */

static struct drm_gpuva *st_op_va(struct drm_gpuva_op *op)
{
	switch (op->op) {
	case DRM_GPUVA_OP_REMAP:
		return op->remap.unmap->va;
	case DRM_GPUVA_OP_UNMAP:
		return op->unmap.va;
	case DRM_GPUVA_OP_PREFETCH:
		return op->prefetch.va;
	default:
		return NULL;
	}
}

/* The operations name what overlaps the range, all of it, in ascending order. */
static void st_check_ops(struct st_thread *t, struct st_vm *vm,
			 struct drm_gpuva_ops *ops, u64 addr, u64 range, bool all)
{
	struct stress *st = t->st;
	struct drm_gpuva *va, *last = NULL;
	unsigned int n = 0, mappings = 0;
	struct drm_gpuva_op *op;

	if (!st_expect(st, !IS_ERR(ops)))
		return;

	drm_gpuva_for_each_op(op, ops) {
		va = st_op_va(op);
		if (!va)
			continue;
		st_expect(st, va->vm == &vm->base);
		st_expect(st, va->va.addr < addr + range);
		st_expect(st, va->va.addr + va->va.range > addr);
		st_expect(st, !last || last->va.addr < va->va.addr);
		last = va;
		n++;
	}
	drm_gpuvm_for_each_mapping_range(va, &vm->base, addr, addr + range)
		mappings++;
	st_expect_ret(st, n, all ? n == mappings : n <= mappings);

	st_pause(t);
	drm_gpuva_ops_free(&vm->base, ops);
}

static void st_list(struct st_thread *t)
{
	struct st_vm *vm = st_vm_get(t);
	struct drm_gem_object *obj = st_obj_get(t, vm);
	struct drm_gpuvm_map_req req = st_req(t, obj);
	u64 addr = req.map.va.addr, range = req.map.va.range;
	struct drm_gpuvm *base = &vm->base;
	struct drm_gpuva_ops *ops;
	struct drm_gpuva *va;

	down_read(&vm->lock);
	va = drm_gpuva_find_first(base, addr, range);
	st_expect(t->st, !va == drm_gpuvm_interval_empty(base, addr, range));
	if (va)
		st_expect(t->st, drm_gpuva_find(base, va->va.addr, va->va.range) == va);

	switch (st_random(t, 4)) {
	case 0:
		ops = drm_gpuvm_sm_map_ops_create(base, &req);
		break;
	case 1:
		ops = drm_gpuvm_sm_unmap_ops_create(base, addr, range);
		break;
	case 2:
		ops = drm_gpuvm_prefetch_ops_create(base, addr, range);
		break;
	default:
		ops = drm_gpuvm_madvise_ops_create(base, &req);
		st_check_ops(t, vm, ops, addr, range, false);
		goto out;
	}
	st_check_ops(t, vm, ops, addr, range, true);
out:
	up_read(&vm->lock);
	st_obj_put(obj);
	st_vm_put(vm);
}

/* ---- coming and going --------------------------------------------------- */

static void st_signal(struct st_thread *t)
{
	struct st_thread *other = &t->st->threads[st_random(t, ST_THREADS)];

	if (other != t)
		send_sig(SIGINT, other->task, 1);
}

/* Those who use or map the old object have references on it. */
static void st_new_obj(struct st_thread *t)
{
	struct stress *st = t->st;
	unsigned int n = st_random(t, st->profile->shared + st->profile->local);
	struct st_vm *vm = st_vm_get(t);
	struct drm_gem_object *obj;

	if (n < st->profile->shared) {
		obj = st_obj_alloc(st, NULL);
		if (st_expect(st, obj)) {
			spin_lock(&st->slots);
			swap(obj, st->shared[n]);
			spin_unlock(&st->slots);
		}
	} else {
		obj = st_obj_alloc(st, drm_gpuvm_resv_obj(&vm->base));
		if (st_expect(st, obj)) {
			spin_lock(&st->slots);
			if (!vm->closed)
				swap(obj, vm->local[n - st->profile->shared]);
			spin_unlock(&st->slots);
		}
	}
	st_obj_put(obj);
	st_vm_put(vm);
}

static struct st_vm *st_vm_alloc(struct stress *st)
{
	struct drm_gem_object *r_obj = st_obj_alloc(st, NULL);
	struct st_vm *vm = kzalloc_obj(*vm);
	unsigned int i;

	if (!r_obj || !vm)
		goto err;

	vm->st = st;
	init_rwsem(&vm->lock);
	mutex_init(&vm->job_lock);
	drm_gpuvm_init(&vm->base, "stress", st->flags, st->gt->drm, r_obj,
		       GT_VM_START, GT_VM_RANGE, 0, 0, &st_ops);
	atomic_inc(&st_live[ST_LIVE_VMS]);
	drm_gem_object_put(r_obj);

	for (i = 0; i < st->profile->local; i++)
		vm->local[i] = st_obj_alloc(st, r_obj);

	return vm;
err:
	st_obj_put(r_obj);
	kfree(vm);
	st_fail(st, "out of memory", __LINE__, 0);
	return NULL;
}

/* Everybody who still has a reference finds nothing, and maps nothing, any more. */
static void st_vm_close(struct st_thread *t, struct st_vm *vm)
{
	struct stress *st = t->st;
	struct st_request r = {
		.vm = vm,
		.all = true,
		.req.map.va.addr = GT_BASE,
		.req.map.va.range = GT_PAGES(st->profile->pages),
	};
	struct drm_gem_object *local[ST_LOCAL];
	unsigned int i;

	down_write(&vm->lock);
	spin_lock(&st->slots);
	WRITE_ONCE(vm->closed, true);
	memcpy(local, vm->local, sizeof(local));
	memset(vm->local, 0, sizeof(vm->local));
	spin_unlock(&st->slots);
	up_write(&vm->lock);

	for (i = 0; i < ST_LOCAL; i++)
		st_obj_put(local[i]);

	st_request(t, &r);
	st_vm_put(vm);
}

static void st_new_vm(struct st_thread *t)
{
	struct stress *st = t->st;
	unsigned int n = st_random(t, st->profile->vms);
	struct st_vm *vm = st_vm_alloc(st);

	if (!vm)
		return;

	spin_lock(&st->slots);
	swap(vm, st->vms[n]);
	spin_unlock(&st->slots);
	st_vm_close(t, vm);
}

/* ---- rounds ------------------------------------------------------------- */

static void (*const st_actions[ST_ACTIONS])(struct st_thread *t) = {
	[ST_BIND] = st_bind,
	[ST_UNBIND] = st_unbind,
	[ST_CLEAR] = st_clear,
	[ST_EVICT] = st_evict,
	[ST_SUBMIT] = st_submit,
	[ST_PREPARE] = st_prepare,
	[ST_LOCK_RANGE] = st_lock_range,
	[ST_LOCK_REQUESTS] = st_lock_requests,
	[ST_LIST] = st_list,
	[ST_LOOK_UP] = st_look_up,
	[ST_CLEANUP] = st_cleanup,
	[ST_SIGNAL] = st_signal,
	[ST_NEW_OBJ] = st_new_obj,
	[ST_NEW_VM] = st_new_vm,
};

static enum st_action st_choose(struct st_thread *t)
{
	const unsigned int *weight = t->st->profile->weight;
	unsigned int sum = 0, i, n;

	for (i = 0; i < ST_ACTIONS; i++)
		sum += weight[i];

	n = st_random(t, sum);
	for (i = 0; n >= weight[i]; i++)
		n -= weight[i];

	return i;
}

static int st_thread_run(void *data)
{
	struct st_thread *t = data;
	struct stress *st = t->st;

	allow_signal(SIGINT);
	while (!READ_ONCE(st->stop) && time_before(jiffies, st->until)) {
		t->action = st_choose(t);
		st_actions[t->action](t);
		t->counts[ST_N_ACTIONS]++;
		if (st_is_first(t))
			st_sleep(t, true);
		cond_resched();
	}
	st_vas_free(&t->pool);
	flush_signals(current);
	if (atomic_dec_and_test(&st->running))
		wake_up(&st->wait);

	return 0;
}

static void st_thread_init(struct stress *st, struct st_thread *t, u64 seed)
{
	memset(t, 0, sizeof(*t));
	t->st = st;
	INIT_LIST_HEAD(&t->pool);
	INIT_LIST_HEAD(&t->dead);
	prandom_seed_state(&t->rnd, seed);
}

static bool st_threads_start(struct stress *st, u64 seed)
{
	struct st_thread *t;
	unsigned int i;

	for (i = 0; i < ST_THREADS; i++) {
		t = &st->threads[i];
		st_thread_init(st, t, seed + i);
		t->task = kthread_create(st_thread_run, t, "gpuvm_stress/%u", i);
		if (IS_ERR(t->task))
			break;
		get_task_struct(t->task);
	}
	if (i == ST_THREADS) {
		sched_set_fifo_low(st->threads[0].task);
		atomic_set(&st->running, ST_THREADS);
		prandom_seed_state(&st->timer_rnd, seed);
		hrtimer_start(&st->timer, us_to_ktime(20), HRTIMER_MODE_REL);
		while (i--)
			wake_up_process(st->threads[i].task);
		return true;
	}

	while (i--)
		kthread_stop_put(st->threads[i].task);
	KUNIT_FAIL(st->gt->test, "no threads\n");

	return false;
}

/* False if they do not come to an end. They may hold any lock then. */
static bool st_threads_wait(struct stress *st)
{
	unsigned long end = st->until + msecs_to_jiffies(ST_HUNG_MS);

	while (time_before(jiffies, end)) {
		wait_event_timeout(st->wait, st_resume_all(st) ||
				   !atomic_read(&st->running), HZ);
		if (!atomic_read(&st->running))
			return true;
		cond_resched();
	}

	return false;
}

static bool st_threads_end(struct stress *st)
{
	bool ended = st_threads_wait(st);
	struct st_thread *t;
	unsigned int i, n;

	hrtimer_cancel(&st->timer);
	if (!ended) {
		WRITE_ONCE(st->stop, true);
		KUNIT_FAIL(st->gt->test, "round %u: some threads hang\n", st->round);
		for (i = 0; i < ST_THREADS; i++)
			sched_show_task(st->threads[i].task);
		return false;
	}

	for (i = 0; i < ST_THREADS; i++) {
		t = &st->threads[i];
		kthread_stop_put(t->task);
		for (n = 0; n < ST_N_COUNTS; n++)
			st->counts[n] += t->counts[n];
	}

	return true;
}

static bool st_is_live(struct stress *st, enum st_live what, int expected)
{
	static const char *const names[ST_LIVE_NUM] = {
		"VMs", "objects", "mappings", "vm_bos", "ops",
	};
	int n = atomic_read(&st_live[what]);

	if (n == expected)
		return true;

	KUNIT_FAIL(st->gt->test, "round %u: %d %s are alive, not %d\n", st->round,
		   n, names[what], expected);

	return false;
}

static unsigned int st_see_obj(struct stress *st, struct drm_gem_object *base)
{
	struct st_obj *obj = container_of(base, struct st_obj, base);
	bool seen = obj->seen == st->round;

	obj->seen = st->round;

	return !seen;
}

/* Sound VMs, and nothing is alive but what can be seen from them. */
static bool st_check_round(struct stress *st)
{
	struct kunit *test = st->gt->test;
	unsigned int vm_bos = 0, objs = 0, vas = 0, i, n;
	struct st_vm_bo *vm_bo;
	struct drm_gpuva *va;
	struct st_vm *vm;

	for (i = 0; i < st->profile->shared; i++)
		objs += st_see_obj(st, st->shared[i]);

	for (i = 0; i < st->profile->vms; i++) {
		vm = st->vms[i];
		drm_gpuvm_bo_deferred_cleanup(&vm->base);
		if (!gpuvm_check(test, &vm->base))
			return false;

		objs += st_see_obj(st, drm_gpuvm_resv_obj(&vm->base));
		for (n = 0; n < st->profile->local; n++)
			objs += st_see_obj(st, vm->local[n]);

		drm_gpuvm_for_each_mapping(va, &vm->base) {
			vas++;
			if (!va->gem.obj)
				continue;
			objs += st_see_obj(st, va->gem.obj);
			KUNIT_EXPECT_NOT_NULL(test, va->vm_bo);
			if (!va->vm_bo)
				return false;
			vm_bo = to_st_vm_bo(va->vm_bo);
			vm_bos += vm_bo->seen != st->round;
			vm_bo->seen = st->round;
		}
	}

	return st_is_live(st, ST_LIVE_VMS, st->profile->vms) &&
	       st_is_live(st, ST_LIVE_OBJS, objs) &&
	       st_is_live(st, ST_LIVE_VAS, vas) &&
	       st_is_live(st, ST_LIVE_VM_BOS, vm_bos) &&
	       st_is_live(st, ST_LIVE_OPS, 0);
}

static bool st_round(struct stress *st, u64 seed, unsigned long end)
{
	unsigned long until = jiffies + msecs_to_jiffies(ST_ROUND_MS);

	st->round++;
	st->until = time_before(until, end) ? until : end;
	if (!st_threads_start(st, seed) || !st_threads_end(st))
		return false;

	if (st->error) {
		KUNIT_FAIL(st->gt->test, "round %u: line %d: %s (%ld)\n",
			   st->round, st->line, st->error, st->value);
		return false;
	}

	return st_check_round(st);
}

/* ---- cases -------------------------------------------------------------- */

static void st_report(struct stress *st)
{
	char line[256];
	unsigned int i;
	int n = 0;

	for (i = 0; i < ST_N_COUNTS; i++)
		n += scnprintf(line + n, sizeof(line) - n, ", %lu %s",
			       st->counts[i], st_count_names[i]);
	kunit_info(st->gt->test, "stress: %u rounds%s\n", st->round, line);
}

static void st_setup(struct stress *st)
{
	unsigned int i;

	st_thread_init(st, &st->main, 0);
	spin_lock_init(&st->slots);
	init_waitqueue_head(&st->wait);
	hrtimer_setup(&st->timer, st_tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	st->fence = dma_fence_get_stub();

	for (i = 0; i < st->profile->shared; i++) {
		st->shared[i] = st_obj_alloc(st, NULL);
		KUNIT_ASSERT_NOT_NULL(st->gt->test, st->shared[i]);
	}
	for (i = 0; i < st->profile->vms; i++) {
		st->vms[i] = st_vm_alloc(st);
		KUNIT_ASSERT_NOT_NULL(st->gt->test, st->vms[i]);
	}
}

static void st_teardown(struct stress *st)
{
	unsigned int i;

	for (i = 0; i < st->profile->vms; i++)
		st_vm_close(&st->main, st->vms[i]);
	for (i = 0; i < st->profile->shared; i++)
		st_obj_put(st->shared[i]);
	st_vas_free(&st->main.pool);
	dma_fence_put(st->fence);

	KUNIT_EXPECT_NULL(st->gt->test, st->error);
	for (i = 0; i < ST_LIVE_NUM; i++)
		st_is_live(st, i, 0);
}

static void st_run(struct kunit *test, const struct st_profile *profile)
{
	const struct gt_mode *mode = test->param_value;
	unsigned long end = jiffies + msecs_to_jiffies(stress_ms);
	int warned = test_taint(TAINT_WARN), bad = test_taint(TAINT_BAD_PAGE);
	u64 seed = gt_seed(test);
	struct stress *st;
	unsigned int i;

	/* Not KUnit's: threads that hang use it for ever. */
	st = kzalloc_obj(*st);
	KUNIT_ASSERT_NOT_NULL(test, st);
	st->gt = test->priv;
	st->profile = profile;
	st->flags = mode->flags;
	for (i = 0; i < ST_LIVE_NUM; i++)
		atomic_set(&st_live[i], 0);
	st_setup(st);

	do {
		if (!st_round(st, seed, end))
			return;
		seed += ST_THREADS;
	} while (time_before(jiffies, end));

	st_report(st);
	st_teardown(st);
	kfree(st);

	KUNIT_EXPECT_EQ_MSG(test, test_taint(TAINT_WARN), warned,
			    "there was a warning, see the log\n");
	KUNIT_EXPECT_EQ_MSG(test, test_taint(TAINT_BAD_PAGE), bad,
			    "there was a bad access, see the log\n");
}

/* A bit of everything. */
static void mixed(struct kunit *test)
{
	static const struct st_profile profile = {
		.vms = 3, .shared = 4, .local = 2, .pages = ST_PAGES,
		.weight = {
			[ST_BIND] = 20, [ST_UNBIND] = 8, [ST_CLEAR] = 1,
			[ST_EVICT] = 10, [ST_SUBMIT] = 12, [ST_PREPARE] = 6,
			[ST_LOCK_RANGE] = 5, [ST_LOCK_REQUESTS] = 5, [ST_LIST] = 8,
			[ST_LOOK_UP] = 10, [ST_CLEANUP] = 5, [ST_SIGNAL] = 3,
			[ST_NEW_OBJ] = 2, [ST_NEW_VM] = 1,
		},
	};

	st_run(test, &profile);
}

/*
 * Walks meet -EDEADLK and signals, while vm_bos come and go: one may lose its last
 * reference after the walk has stepped on it, before its object is locked.
 */
static void contention(struct kunit *test)
{
	static const struct st_profile profile = {
		.vms = 2, .shared = 4, .local = 1, .pages = 5,
		.weight = {
			[ST_BIND] = 16, [ST_UNBIND] = 14, [ST_CLEAR] = 2,
			[ST_EVICT] = 8, [ST_SUBMIT] = 16, [ST_PREPARE] = 20,
			[ST_LOCK_RANGE] = 6, [ST_LOCK_REQUESTS] = 6,
			[ST_LOOK_UP] = 12, [ST_CLEANUP] = 4, [ST_SIGNAL] = 8,
			[ST_NEW_OBJ] = 5,
		},
	};

	st_run(test, &profile);
}

/* All threads want, and drop, the same vm_bo. */
static void one_pair(struct kunit *test)
{
	static const struct st_profile profile = {
		.vms = 1, .shared = 1, .pages = 2,
		.weight = {
			[ST_BIND] = 12, [ST_UNBIND] = 14, [ST_EVICT] = 5,
			[ST_SUBMIT] = 8, [ST_PREPARE] = 6, [ST_LOOK_UP] = 40,
			[ST_CLEANUP] = 12, [ST_SIGNAL] = 2, [ST_NEW_OBJ] = 1,
		},
	};

	st_run(test, &profile);
}

/* Readers share the lock on the mappings, and move the cursor all the same. */
static void readers(struct kunit *test)
{
	static const struct st_profile profile = {
		.vms = 1, .shared = 3, .local = 1, .pages = ST_PAGES,
		.weight = {
			[ST_BIND] = 5, [ST_UNBIND] = 3, [ST_PREPARE] = 4,
			[ST_LOCK_RANGE] = 8, [ST_LOCK_REQUESTS] = 8, [ST_LIST] = 40,
			[ST_SIGNAL] = 1,
		},
	};

	st_run(test, &profile);
}

static struct kunit_case gpuvm_stress_tests[] = {
	KUNIT_CASE_PARAM(mixed, gt_mode_gen_params),
	KUNIT_CASE_PARAM(contention, gt_mode_gen_params),
	KUNIT_CASE_PARAM(one_pair, gt_mode_gen_params),
	KUNIT_CASE_PARAM(readers, gt_mode_gen_params),
	{}
};

static struct kunit_suite gpuvm_stress_suite = {
	.name = "drm_gpuvm_stress",
	.init = gt_init,
	.exit = gt_exit,
	.test_cases = gpuvm_stress_tests,
};

kunit_test_suite(gpuvm_stress_suite);
