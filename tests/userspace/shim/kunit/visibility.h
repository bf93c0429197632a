/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_VISIBILITY_H__
#define __SHIM_VISIBILITY_H__

#define VISIBLE_IF_KUNIT
#include <linux/export.h>

#define EXPORT_SYMBOL_IF_KUNIT EXPORT_SYMBOL_GPL

#endif
