/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_TYPES_H__
#define __SHIM_TYPES_H__

#include_next <linux/types.h>

/* Linux 7.2 has it in the kernel only, 7.3 in its tools, too. */
typedef unsigned __int128 __u128 __attribute__((aligned(16)));

#endif
