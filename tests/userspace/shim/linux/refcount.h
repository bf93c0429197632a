/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_REFCOUNT_H__
#define __SHIM_REFCOUNT_H__

#include <linux/bug.h>
#include <linux/compiler-context-analysis.h>

#include_next <linux/refcount.h>

struct mutex;
struct spinlock;

static inline bool refcount_dec_if_one(refcount_t *r)
{
	return atomic_cmpxchg(&r->refs, 1, 0) == 1;
}

static inline bool refcount_dec_not_one(refcount_t *r)
{
	int refs = atomic_read(&r->refs);

	REFCOUNT_WARN(refs <= 0, "decrement of 0");

	return refs != 1 && atomic_cmpxchg(&r->refs, refs, refs - 1) == refs;
}

bool refcount_dec_and_mutex_lock(refcount_t *r, struct mutex *lock);
bool refcount_dec_and_lock(refcount_t *r, struct spinlock *lock);

#endif
