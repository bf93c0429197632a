/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_MODULE_H__
#define __SHIM_MODULE_H__

#include <linux/export.h>

#define MODULE_DESCRIPTION(text)
#define MODULE_LICENSE(text)

#endif
