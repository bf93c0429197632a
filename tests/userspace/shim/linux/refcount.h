/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Each is one atomic step, ordered as in the kernel; the misuse that saturates a
 * counter there is a splat.
 */
#ifndef __SHIM_REFCOUNT_H__
#define __SHIM_REFCOUNT_H__

#include <stdbool.h>

#include <linux/bug.h>
#include <linux/compiler-context-analysis.h>

typedef struct refcount_struct {
	int refs;
} refcount_t;

#define REFCOUNT_INIT(n)	{ .refs = (n) }

struct mutex;
struct spinlock;

static inline void refcount_set(refcount_t *r, int n)
{
	__atomic_store_n(&r->refs, n, __ATOMIC_RELAXED);
}

static inline unsigned int refcount_read(const refcount_t *r)
{
	return __atomic_load_n(&r->refs, __ATOMIC_RELAXED);
}

static inline void refcount_inc(refcount_t *r)
{
	WARN_ON(__atomic_fetch_add(&r->refs, 1, __ATOMIC_RELAXED) <= 0);
}

/* Does nothing, and says so, if the counter has that one value. */
static inline bool __refcount_add_unless(refcount_t *r, int add, int unless, int order)
{
	int refs = __atomic_load_n(&r->refs, __ATOMIC_RELAXED);

	do {
		if (refs == unless)
			return false;
		WARN_ON(refs <= 0);
	} while (!__atomic_compare_exchange_n(&r->refs, &refs, refs + add, false,
					      order, __ATOMIC_RELAXED));

	return true;
}

static inline bool refcount_inc_not_zero(refcount_t *r)
{
	return __refcount_add_unless(r, 1, 0, __ATOMIC_RELAXED);
}

static inline bool refcount_dec_not_one(refcount_t *r)
{
	return __refcount_add_unless(r, -1, 1, __ATOMIC_RELEASE);
}

static inline bool refcount_dec_if_one(refcount_t *r)
{
	int one = 1;

	return __atomic_compare_exchange_n(&r->refs, &one, 0, false,
					   __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

static inline bool refcount_dec_and_test(refcount_t *r)
{
	int refs = __atomic_fetch_sub(&r->refs, 1, __ATOMIC_ACQ_REL);

	WARN_ON(refs <= 0);

	return refs == 1;
}

bool refcount_dec_and_mutex_lock(refcount_t *r, struct mutex *lock);
bool refcount_dec_and_lock(refcount_t *r, struct spinlock *lock);

#endif
