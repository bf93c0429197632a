/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Included in front of Linux's own drm_gpuvm.c, and there only, by the compiler's
 * -include: what it allocates comes from a function that tests can let fail, as
 * in ours. The function becomes part of that file, so that the core needs nothing
 * of its tests.
 */

#ifndef __GPUVM_TEST_ALLOC_H__
#define __GPUVM_TEST_ALLOC_H__

#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include <linux/export.h>
#include <linux/slab.h>
#include <linux/string.h>

#if IS_ENABLED(CONFIG_KUNIT)
void *drm_gpuvm_alloc(size_t size);
#endif

VISIBLE_IF_KUNIT void *drm_gpuvm_alloc(size_t size)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_gpuvm_alloc, size);

	return kzalloc(size, GFP_KERNEL);
}
EXPORT_SYMBOL_IF_KUNIT(drm_gpuvm_alloc);

static inline void *drm_gpuvm_memdup(const void *src, size_t size, gfp_t gfp)
{
	void *copy = drm_gpuvm_alloc(size);

	return copy ? memcpy(copy, src, size) : NULL;
}

#undef kzalloc_obj
#define kzalloc_obj(obj) ((typeof(obj) *)drm_gpuvm_alloc(sizeof(obj)))
#undef kmemdup
#define kmemdup(src, size, gfp) drm_gpuvm_memdup(src, size, gfp)

#endif /* __GPUVM_TEST_ALLOC_H__ */
