/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_BUG_H__
#define __SHIM_BUG_H__

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/kernel.h>

#include "shim.h"

/* _ONCE is each time, so that each is seen. */
#define WARN_ON(cond)							\
({									\
	bool __warn_on = (cond);					\
									\
	if (unlikely(__warn_on))					\
		shim_splat(__FILE__, __LINE__, #cond);			\
	__warn_on;							\
})
#define WARN_ON_ONCE(cond)	WARN_ON(cond)
#define WARN(cond, fmt...)	WARN_ON(cond)
#define WARN_ONCE(cond, fmt...)	WARN_ON(cond)

#endif
