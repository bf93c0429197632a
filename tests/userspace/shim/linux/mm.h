/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_MM_H__
#define __SHIM_MM_H__

#include <linux/module.h>
#include <linux/slab.h>

#endif
