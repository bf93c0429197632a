/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_LOCKDEP_H__
#define __SHIM_LOCKDEP_H__

#include <linux/bug.h>

#include "shim.h"

#define lockdep_assert(cond)		((void)WARN_ON(!(cond)))
#define lockdep_is_held(lock)		((lock)->held == shim.thread + 1)
#define lockdep_assert_held(lock)	lockdep_assert(lockdep_is_held(lock))

#endif
