/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_SPINLOCK_H__
#define __SHIM_SPINLOCK_H__

#include <linux/lockdep.h>
#include <linux/types.h>

struct spinlock {
	/* The thread that holds it, from 1, or 0. */
	unsigned int held;

	/* What it guards, as a number that only changes while it is held. */
	u64 (*guarded)(struct spinlock *lock);
	u64 seen;
};

#define spinlock_t struct spinlock

#define spin_lock_init(lock) (*(lock) = (struct spinlock) {})

void spin_lock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);

#include <linux/mutex.h>

#endif
