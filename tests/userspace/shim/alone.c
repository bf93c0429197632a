// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Memory and locks for one thread. A lock is a flag.
 */
#include <stdlib.h>

#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "shim.h"

void shim_might_sleep(const char *file, int line)
{
	if (shim.spins)
		shim_splat(file, line, "sleeps under a spinlock");
}

/* ---- Allocations ------------------------------------------------------- */

static bool alloc_fails(void)
{
	might_sleep();
	lockdep_assert(!shim.signalling);
	shim.allocs++;

	return shim.fail_nth && !--shim.fail_nth;
}

void *shim_alloc(size_t size)
{
	void *p;

	if (alloc_fails())
		return NULL;

	p = calloc(1, size);
	if (!p)
		abort();
	shim.live++;

	return p;
}

void *shim_realloc(void *old, size_t size)
{
	void *p;

	if (!old)
		return shim_alloc(size);
	if (alloc_fails())
		return NULL;

	p = realloc(old, size);
	if (!p)
		abort();

	return p;
}

void shim_free(const void *p)
{
	if (p)
		shim.live--;
	free((void *)p);
}

/* ---- Locks ------------------------------------------------------------- */

/* Locks belong to their holder, who waits; only the figures are the thread's. */
static void run_meanwhile(void)
{
	void (*meanwhile)(void *data) = shim.meanwhile;
	struct shim_state held = shim;

	shim.meanwhile = NULL;
	shim.spins = 0;
	shim.mutexes = 0;
	shim.resvs = 0;
	shim.signalling = false;
	meanwhile(shim.data);
	lockdep_assert(!shim.spins && !shim.mutexes && !shim.resvs);
	shim.spins = held.spins;
	shim.mutexes = held.mutexes;
	shim.resvs = held.resvs;
	shim.signalling = held.signalling;
}

void spin_lock(spinlock_t *lock)
{
	if (shim.meanwhile)
		run_meanwhile();
	lockdep_assert(!lock->held);
	lockdep_assert(!lock->guarded || lock->guarded(lock) == lock->seen);
	lock->held = true;
	shim.spins++;
}

void spin_unlock(spinlock_t *lock)
{
	lockdep_assert(lock->held);
	lock->held = false;
	lock->seen = lock->guarded ? lock->guarded(lock) : 0;
	shim.spins--;
}

void mutex_lock(struct mutex *lock)
{
	might_sleep();
	lockdep_assert(!lock->held);
	lockdep_assert(!lock->guarded || lock->guarded(lock) == lock->seen);
	lock->held = true;
	shim.mutexes++;
}

void mutex_unlock(struct mutex *lock)
{
	lockdep_assert(lock->held);
	lock->held = false;
	lock->seen = lock->guarded ? lock->guarded(lock) : 0;
	shim.mutexes--;
}

bool refcount_dec_and_mutex_lock(refcount_t *r, struct mutex *lock)
{
	if (refcount_dec_not_one(r))
		return false;

	mutex_lock(lock);
	if (refcount_dec_and_test(r))
		return true;

	mutex_unlock(lock);
	return false;
}

bool refcount_dec_and_lock(refcount_t *r, spinlock_t *lock)
{
	if (refcount_dec_not_one(r))
		return false;

	spin_lock(lock);
	if (refcount_dec_and_test(r))
		return true;

	spin_unlock(lock);
	return false;
}

static void resv_take(struct dma_resv *resv, struct ww_acquire_ctx *ctx)
{
	might_sleep();
	lockdep_assert(!shim.mutexes);
	lockdep_assert(!shim.signalling);
	lockdep_assert(!resv->held);
	resv->held = true;
	resv->ctx = ctx;
	shim.resvs++;
}

int dma_resv_lock(struct dma_resv *resv, struct ww_acquire_ctx *ctx)
{
	if (ctx && resv->held && resv->ctx == ctx)
		return -EALREADY;
	if (ctx && shim.contend_nth && !--shim.contend_nth)
		return -EDEADLK;

	resv_take(resv, ctx);
	return 0;
}

/* Whoever backs off has let go of everything else. */
void dma_resv_lock_slow(struct dma_resv *resv, struct ww_acquire_ctx *ctx)
{
	lockdep_assert(!shim.resvs);
	resv_take(resv, ctx);
}

void dma_resv_unlock(struct dma_resv *resv)
{
	lockdep_assert(resv->held);
	resv->held = false;
	resv->ctx = NULL;
	resv->reserved = 0;
	shim.resvs--;
}

int dma_resv_reserve_fences(struct dma_resv *resv, unsigned int num)
{
	dma_resv_assert_held(resv);
	if (WARN_ON(!num))
		return -EINVAL;
	if (alloc_fails())
		return -ENOMEM;

	resv->reserved = max(resv->reserved, num);
	return 0;
}

void dma_resv_add_fence(struct dma_resv *resv, struct dma_fence *fence,
			enum dma_resv_usage usage)
{
	dma_resv_assert_held(resv);
	WARN_ON(!resv->reserved);
	resv->reserved--;
	resv->fences++;
	resv->usage = usage;
	fence->users++;
}

/* ---- Workqueues -------------------------------------------------------- */

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags,
					 int max_active)
{
	static struct workqueue_struct queue = {
		.works = LIST_HEAD_INIT(queue.works),
	};

	return &queue;
}

void destroy_workqueue(struct workqueue_struct *queue)
{
	lockdep_assert(list_empty(&queue->works));
}

bool queue_work(struct workqueue_struct *queue, struct work_struct *work)
{
	if (!list_empty(&work->entry))
		return false;

	list_add_tail(&work->entry, &queue->works);
	return true;
}

/* Whoever waits for a work must not hold what it takes. It may be freed. */
bool flush_work(struct work_struct *work)
{
	might_sleep();
	lockdep_assert(!shim.resvs && !shim.mutexes && !shim.signalling);
	if (list_empty(&work->entry))
		return false;

	list_del_init(&work->entry);
	work->func(work);
	return true;
}

void flush_workqueue(struct workqueue_struct *queue)
{
	while (!list_empty(&queue->works))
		flush_work(list_first_entry(&queue->works, struct work_struct, entry));
}
