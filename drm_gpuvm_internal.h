/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What drm_gpuvm.c shows to its KUnit tests, and to nobody else.
 */
#ifndef __DRM_GPUVM_INTERNAL_H__
#define __DRM_GPUVM_INTERNAL_H__

#include <linux/types.h>

#include <drm/drm_gpuvm.h>

/**
 * struct drm_gpuva_split - what a request does to a mapping that it overlaps
 */
struct drm_gpuva_split {
	/** @prev: what stays in front of the request; its range may be 0 */
	struct drm_gpuva_op_map prev;

	/** @cut: what the request takes away; its range is never 0 */
	struct drm_gpuva_op_map cut;

	/** @next: what stays behind the request; its range may be 0 */
	struct drm_gpuva_op_map next;

	/** @keep: whether the request shows in @cut what was there before */
	bool keep;
};

#if IS_ENABLED(CONFIG_KUNIT)
void drm_gpuva_split(const struct drm_gpuva *va,
		     const struct drm_gpuva_op_map *req,
		     struct drm_gpuva_split *split);
void *drm_gpuvm_alloc(size_t size);
#endif

#endif /* __DRM_GPUVM_INTERNAL_H__ */
