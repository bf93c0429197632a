/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Included in front of Linux's own drm_gpuvm.c, by the compiler's -include: what
 * it allocates comes from a function that tests can let fail, as ours does.
 */

#ifndef __GPUVM_TEST_ALLOC_H__
#define __GPUVM_TEST_ALLOC_H__

#include <linux/slab.h>
#include <linux/string.h>

void *drm_gpuvm_alloc(size_t size);

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
