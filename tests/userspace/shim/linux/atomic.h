/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_ATOMIC_H__
#define __SHIM_ATOMIC_H__

#include_next <linux/atomic.h>

#define xchg(ptr, new) __atomic_exchange_n(ptr, new, __ATOMIC_SEQ_CST)
#define try_cmpxchg(ptr, old, new)					\
	__atomic_compare_exchange_n(ptr, old, new, false,		\
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

#endif
