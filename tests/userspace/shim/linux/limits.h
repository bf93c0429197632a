/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_LIMITS_H__
#define __SHIM_LIMITS_H__

#include_next <linux/limits.h>

#ifndef U64_MAX
#define U64_MAX (~0ULL)
#endif

#endif
