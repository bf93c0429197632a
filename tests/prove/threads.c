// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Memory and locks for several threads, in the place of the shims for one.
 */
#include <string.h>

#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "sched.h"
#include "shim.h"
#include "threads.h"

#define HERE __builtin_return_address(0)

/* What each thread holds. */
static struct held {
	unsigned int spins, mutexes, resvs, rwlocks;
	bool signalling;
} held[SCHED_THREADS];

/*
 * There is but one queue. Its works are carried out by the thread of a scene that
 * is the worker, or, while no threads run, by whoever waits for them.
 */
static struct workqueue_struct queue = {
	.works = LIST_HEAD_INIT(queue.works),
};

static const struct work_struct *at_work;

static struct held *mine(void)
{
	return &held[sched_self()];
}

void threads_begin(void)
{
	memset(held, 0, sizeof(held));
	INIT_LIST_HEAD(&queue.works);
	at_work = NULL;
}

bool nothing_held(void)
{
	struct held *h = mine();

	return !h->spins && !h->mutexes && !h->resvs && !h->rwlocks && !h->signalling;
}

void signalling_begin(void)
{
	mine()->signalling = true;
}

void signalling_end(void)
{
	mine()->signalling = false;
}

bool in_signalling(void)
{
	return mine()->signalling;
}

void shim_might_sleep(const char *file, int line)
{
	if (mine()->spins)
		shim_splat(file, line, "sleeps under a spinlock");
}

/* ---- Memory ------------------------------------------------------------ */

void *shim_alloc(size_t size)
{
	might_sleep();
	lockdep_assert(!mine()->signalling);

	return sched_alloc(size);
}

void *shim_realloc(void *old, size_t size)
{
	void *p = shim_alloc(size);

	if (old) {
		memcpy(p, old, size / 2);
		sched_free(old);
	}
	return p;
}

void shim_free(const void *p)
{
	sched_free(p);
}

/* ---- Locks ------------------------------------------------------------- */

static bool is_free(const void *held)
{
	return !*(const unsigned int *)held;
}

static void take(unsigned int *held, const void *caller, const char *name)
{
	sched_step(STEP_LOCK, held, caller, name);
	if (*held == sched_self() + 1)
		sched_fail("%s: held already", name);
	sched_wait(is_free, held, name);
	*held = sched_self() + 1;
	sched_acquire(held);
	sched_touch(held);
	sched_locked(held);
}

static void give_back(unsigned int *held, const void *caller, const char *name)
{
	sched_step(STEP_UNLOCK, held, caller, name);
	if (*held != sched_self() + 1)
		sched_fail("%s: not held", name);
	sched_unlocked(held);
	sched_touch(held);
	sched_release(held);
	*held = 0;
}

void spin_lock(spinlock_t *lock)
{
	take(&lock->held, HERE, "spin_lock");
	mine()->spins++;
}

void spin_unlock(spinlock_t *lock)
{
	give_back(&lock->held, HERE, "spin_unlock");
	mine()->spins--;
}

void mutex_lock(struct mutex *lock)
{
	might_sleep();
	take(&lock->held, HERE, "mutex_lock");
	mine()->mutexes++;
}

void mutex_unlock(struct mutex *lock)
{
	give_back(&lock->held, HERE, "mutex_unlock");
	mine()->mutexes--;
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

/* ---- Readers and writers ----------------------------------------------- */

static bool no_writer(const void *lock)
{
	return !((const struct rwlock *)lock)->writer;
}

static bool nobody(const void *lock)
{
	return no_writer(lock) && !((const struct rwlock *)lock)->readers;
}

void read_lock(struct rwlock *lock)
{
	sched_step(STEP_LOCK, &lock->writer, HERE, "read_lock");
	sched_wait(no_writer, lock, "read_lock");
	lock->readers++;
	mine()->rwlocks++;
	sched_acquire(&lock->writer);
}

/* Readers are not in order among themselves. */
void read_unlock(struct rwlock *lock)
{
	sched_step(STEP_UNLOCK, &lock->writer, HERE, "read_unlock");
	lock->readers--;
	mine()->rwlocks--;
	sched_release(&lock->readers);
}

void write_lock(struct rwlock *lock)
{
	sched_step(STEP_LOCK, &lock->writer, HERE, "write_lock");
	sched_wait(nobody, lock, "write_lock");
	lock->writer = sched_self() + 1;
	mine()->rwlocks++;
	sched_acquire(&lock->writer);
	sched_acquire(&lock->readers);
	sched_locked(&lock->writer);
}

void write_unlock(struct rwlock *lock)
{
	sched_step(STEP_UNLOCK, &lock->writer, HERE, "write_unlock");
	sched_unlocked(&lock->writer);
	sched_release(&lock->writer);
	lock->writer = 0;
	mine()->rwlocks--;
}

/* ---- Resvs ------------------------------------------------------------- */

struct resv_wait {
	struct dma_resv *resv;
	struct ww_acquire_ctx *ctx;
};

/* Wait-die: who is younger than the holder, and holds locks himself, backs off. */
static bool must_back_off(const struct resv_wait *wait)
{
	struct ww_acquire_ctx *other = wait->resv->ctx;

	return wait->ctx && wait->ctx->acquired && other &&
	       wait->ctx->stamp > other->stamp;
}

static bool resv_ready(const void *arg)
{
	const struct resv_wait *wait = arg;

	return !wait->resv->held || must_back_off(wait);
}

static int resv_take(struct dma_resv *resv, struct ww_acquire_ctx *ctx,
		     const void *caller)
{
	struct resv_wait wait = { .resv = resv, .ctx = ctx };

	might_sleep();
	lockdep_assert(!mine()->mutexes);
	lockdep_assert(!mine()->signalling);
	/* Several resvs are only taken by way of a context. */
	lockdep_assert(ctx || !mine()->resvs);
	sched_step(STEP_LOCK, &resv->held, caller, "dma_resv_lock");
	if (dma_resv_held(resv)) {
		if (ctx && resv->ctx == ctx)
			return -EALREADY;
		sched_fail("a resv is locked that is held already");
	}
	sched_wait(resv_ready, &wait, "dma_resv_lock");
	if (resv->held)
		return -EDEADLK;

	resv->held = sched_self() + 1;
	resv->ctx = ctx;
	if (ctx)
		ctx->acquired++;
	mine()->resvs++;
	sched_acquire(&resv->held);
	sched_touch(&resv->held);
	sched_locked(&resv->held);

	return 0;
}

int dma_resv_lock(struct dma_resv *resv, struct ww_acquire_ctx *ctx)
{
	return resv_take(resv, ctx, HERE);
}

void dma_resv_lock_slow(struct dma_resv *resv, struct ww_acquire_ctx *ctx)
{
	lockdep_assert(!mine()->resvs);
	if (resv_take(resv, ctx, HERE))
		sched_fail("%s: not to be had", __func__);
}

void dma_resv_unlock(struct dma_resv *resv)
{
	sched_step(STEP_UNLOCK, &resv->held, HERE, "dma_resv_unlock");
	if (!dma_resv_held(resv))
		sched_fail("%s: not held", __func__);
	if (resv->ctx)
		resv->ctx->acquired--;
	mine()->resvs--;
	sched_unlocked(&resv->held);
	sched_touch(&resv->held);
	sched_release(&resv->held);
	resv->ctx = NULL;
	resv->reserved = 0;
	resv->held = 0;
}

int dma_resv_reserve_fences(struct dma_resv *resv, unsigned int num)
{
	dma_resv_assert_held(resv);
	WARN_ON(!num);
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

/* ---- Works ------------------------------------------------------------- */

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags,
					 int max_active)
{
	return &queue;
}

void destroy_workqueue(struct workqueue_struct *unused)
{
}

/* In order with the work, also if it was queued already. */
bool queue_work(struct workqueue_struct *unused, struct work_struct *work)
{
	sched_step(STEP_WRITE, &work->entry, HERE, "queue_work");
	sched_touch(&work->entry);
	sched_acquire(&work->entry);
	sched_release(&work->entry);
	if (!list_empty(&work->entry))
		return false;

	list_add_tail(&work->entry, &queue.works);
	return true;
}

/* From here on it can be queued again, even by itself. It may be freed by it. */
static void carry_out(struct work_struct *work)
{
	sched_step(STEP_WRITE, &work->entry, HERE, "begin of the work");
	sched_touch(&work->entry);
	sched_acquire(&work->entry);
	sched_release(&work->entry);
	list_del_init(&work->entry);
	at_work = work;
	work->func(work);
	at_work = NULL;
}

static bool work_or_end(const void *self)
{
	return !list_empty(&queue.works) ||
	       sched_others_done(*(const unsigned int *)self);
}

void worker(void)
{
	unsigned int self = sched_self();

	while (true) {
		sched_wait(work_or_end, &self, "a work");
		if (list_empty(&queue.works))
			return;
		carry_out(list_first_entry(&queue.works, struct work_struct, entry));
	}
}

static bool work_done(const void *arg)
{
	const struct work_struct *work = arg;

	return list_empty(&work->entry) && at_work != work;
}

static bool works_done(const void *unused)
{
	return list_empty(&queue.works) && !at_work;
}

bool flush_work(struct work_struct *work)
{
	might_sleep();
	lockdep_assert(nothing_held());
	sched_step(STEP_WRITE, &work->entry, HERE, "flush_work");
	sched_wait(work_done, work, "flush_work");
	sched_acquire(&work->entry);

	return true;
}

void flush_workqueue(struct workqueue_struct *unused)
{
	might_sleep();
	lockdep_assert(nothing_held());
	while (!sched_running() && !list_empty(&queue.works))
		carry_out(list_first_entry(&queue.works, struct work_struct, entry));
	sched_wait(works_done, NULL, "flush_workqueue");
}
