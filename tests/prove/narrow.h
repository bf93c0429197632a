/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Included in front of the core: its u64 has but a few bits, and the kernel's
 * headers, which are included first, have theirs. A _BitInt is not promoted to
 * int, so that its arithmetic wraps where 64 bits would; the Makefile sees to it
 * that the core's literals are of this type, too.
 */
#ifndef __NARROW_H__
#define __NARROW_H__

#include <drm/drm_drv.h>
#include <drm/drm_exec.h>
#include <drm/drm_gem.h>
#include <drm/drm_print.h>
#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/compiler.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/kref.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/llist.h>
#include <linux/module.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

typedef unsigned _BitInt(BITS) narrow_t;

#define u64	narrow_t
#undef U64_MAX
#define U64_MAX	((u64)-1)

#endif
