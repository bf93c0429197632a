/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_COMPILER_H__
#define __SHIM_COMPILER_H__

#include_next <linux/compiler.h>
#include <linux/stringify.h>

#define __uninitialized		__attribute__((__uninitialized__))

/* As in the kernel: those of tools/ have a branch for each size. */
#undef READ_ONCE
#define READ_ONCE(x)	(*(const volatile typeof(x) *)&(x))
#undef WRITE_ONCE
#define WRITE_ONCE(x, value)						\
	do { *(volatile typeof(x) *)&(x) = (value); } while (0)

#define __SHIM_PASTE(a, b)	a##b
#define __SHIM_ID(prefix, n)	__SHIM_PASTE(__##prefix##_, n)
#define __UNIQUE_ID(prefix)	__SHIM_ID(prefix, __COUNTER__)

#endif
