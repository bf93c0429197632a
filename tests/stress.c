// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * drm_gpuvm_stress: mistakes, chance and pauses; the objects, VMs, vm_bos and mappings
 * that there are, and how a thread chooses among them.
 */

#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "stress.h"

/* Here and not in struct stress, since some callbacks are told nothing. */
atomic_t st_live[ST_LIVE_NUM];

bool st_immediate(struct stress *st)
{
	return st->flags & DRM_GPUVM_IMMEDIATE_MODE;
}

bool st_resv_protected(struct stress *st)
{
	return st->flags & DRM_GPUVM_RESV_PROTECTED;
}

/* ---- threads ------------------------------------------------------------ */

/* Only the first mistake is told; the others may follow from it. */
void st_fail(struct stress *st, const char *what, int line, long value)
{
	if (!cmpxchg(&st->error, NULL, what)) {
		st->line = line;
		st->value = value;
	}
	WRITE_ONCE(st->stop, true);
}

bool st_check(struct stress *st, bool ok, const char *what, int line,
	      long value)
{
	if (unlikely(!ok))
		st_fail(st, what, line, value);

	return ok;
}

u32 st_random(struct st_thread *t, u32 n)
{
	return prandom_u32_state(&t->rnd) % n;
}

/* The first thread has a higher priority than the others, and a timer of its own. */
bool st_is_first(struct st_thread *t)
{
	return t == &t->st->threads[0];
}

void st_sleep(struct st_thread *t, bool until_resumed)
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
void st_pause(struct st_thread *t)
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
bool st_resume_all(struct stress *st)
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
enum hrtimer_restart st_tick(struct hrtimer *timer)
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

struct drm_gem_object *st_obj_alloc(struct stress *st,
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

void st_vm_free(struct drm_gpuvm *base)
{
	struct st_vm *vm = to_st_vm(base);

	st_expect(vm->st, vm->closed);
	kfree(vm);
	atomic_dec(&st_live[ST_LIVE_VMS]);
}

struct drm_gpuva_op *st_op_alloc(void)
{
	atomic_inc(&st_live[ST_LIVE_OPS]);

	return kzalloc_obj(struct drm_gpuva_op, GFP_KERNEL | __GFP_NOFAIL);
}

void st_op_free(struct drm_gpuva_op *op)
{
	kfree(op);
	atomic_dec(&st_live[ST_LIVE_OPS]);
}

struct st_vm_bo *to_st_vm_bo(struct drm_gpuvm_bo *vm_bo)
{
	return container_of(vm_bo, struct st_vm_bo, base);
}

struct drm_gpuvm_bo *st_vm_bo_alloc(void)
{
	struct st_vm_bo *vm_bo = kzalloc_obj(*vm_bo);

	if (!vm_bo)
		return NULL;

	vm_bo->state = ST_ALIVE;
	atomic_inc(&st_live[ST_LIVE_VM_BOS]);

	return &vm_bo->base;
}

void st_vm_bo_free(struct drm_gpuvm_bo *base)
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

bool st_vm_bo_sound(struct stress *st, struct drm_gpuvm_bo *vm_bo,
		    struct drm_gpuvm *vm, struct drm_gem_object *obj)
{
	return st_expect(st, to_st_vm_bo(vm_bo)->state == ST_ALIVE) &&
	       st_expect(st, vm_bo->vm == vm) && st_expect(st, vm_bo->obj == obj);
}

void st_pool_fill(struct st_thread *t)
{
	struct st_va *va;
	unsigned int i;

	for (i = list_count_nodes(&t->pool); i < ST_POOL; i++) {
		va = kzalloc_obj(*va, GFP_KERNEL | __GFP_NOFAIL);
		atomic_inc(&st_live[ST_LIVE_VAS]);
		list_add(&va->entry, &t->pool);
	}
}

struct drm_gpuva *st_pool_take(struct st_thread *t)
{
	struct st_va *va = list_first_entry_or_null(&t->pool, struct st_va, entry);

	if (!va)
		return NULL;

	list_del_init(&va->entry);

	return &va->base;
}

/* Mappings that are no longer inserted nor linked wait here until locks are free. */
void st_va_dead(struct st_thread *t, struct drm_gpuva *va)
{
	list_add(&container_of(va, struct st_va, base)->entry, &t->dead);
}

void st_vas_free(struct list_head *list)
{
	struct st_va *va, *next;

	list_for_each_entry_safe(va, next, list, entry) {
		list_del(&va->entry);
		kfree(va);
		atomic_dec(&st_live[ST_LIVE_VAS]);
	}
}

void st_gpuva_lock(struct stress *st, struct drm_gem_object *obj)
	__context_unsafe("only some modes have a lock here")
{
	if (st_immediate(st) && obj)
		mutex_lock(&obj->gpuva.lock);
}

void st_gpuva_unlock(struct stress *st, struct drm_gem_object *obj)
	__context_unsafe("only some modes have a lock here")
{
	if (st_immediate(st) && obj)
		mutex_unlock(&obj->gpuva.lock);
}

/* ---- choices ------------------------------------------------------------ */

struct st_vm *st_vm_get(struct st_thread *t)
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
void st_vm_put(struct st_vm *vm)
{
	if (st_immediate(vm->st) && READ_ONCE(vm->closed))
		drm_gpuvm_bo_deferred_cleanup(&vm->base);
	drm_gpuvm_put(&vm->base);
}

/* An object that @vm may map, with a reference; NULL if its VM was closed. */
struct drm_gem_object *st_obj_get(struct st_thread *t, struct st_vm *vm)
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

void st_obj_put(struct drm_gem_object *obj)
{
	if (obj)
		drm_gem_object_put(obj);
}

void st_range(struct st_thread *t, u64 *addr, u64 *range)
{
	unsigned int first = st_random(t, t->st->profile->pages);

	*addr = GT_BASE + GT_PAGES(first);
	*range = GT_PAGES(1 + st_random(t, t->st->profile->pages - first));
}

struct drm_gpuvm_map_req st_req(struct st_thread *t,
				struct drm_gem_object *obj)
{
	struct drm_gpuvm_map_req req = {
		.map.gem.obj = obj,
		.map.gem.offset = GT_PAGES(st_random(t, 4)),
	};

	st_range(t, &req.map.va.addr, &req.map.va.range);

	return req;
}

u32 st_exec_flags(struct st_thread *t)
{
	u32 flags = DRM_EXEC_IGNORE_DUPLICATES;

	if (t != &t->st->main && st_random(t, 2))
		flags |= DRM_EXEC_INTERRUPTIBLE_WAIT;

	return flags;
}

/* Whether everything is locked; all that may come in the way is a signal. */
bool st_locked(struct st_thread *t, u32 flags, int ret)
{
	if (ret == -EINTR && flags & DRM_EXEC_INTERRUPTIBLE_WAIT) {
		t->counts[ST_N_INTERRUPTED]++;
		flush_signals(current);
		return false;
	}

	return st_expect_ret(t->st, ret, !ret);
}

bool st_locked_by(struct drm_gem_object *obj, struct drm_exec *exec)
{
	return dma_resv_locking_ctx(obj->resv) == drm_exec_ticket(exec);
}

/*
 * Lock what guards a vm_bo and its last reference in staged mode. Nothing may
 * interrupt those who have a reference to drop.
 */
void st_pair_lock(struct st_thread *t, struct st_vm *vm,
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
