/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_MUTEX_H__
#define __SHIM_MUTEX_H__

#include <linux/lockdep.h>
#include <linux/types.h>

struct mutex {
	unsigned int held;

	/* As for spinlocks. */
	u64 (*guarded)(struct mutex *lock);
	u64 seen;
};

void mutex_lock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);

#define might_sleep() shim_might_sleep(__FILE__, __LINE__)

#endif
