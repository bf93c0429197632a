/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What our interface has and Linux's does not, as far as the suites need it in
 * order to be built for Linux's core.
 *
 * A function that is only declared here has no counterpart in Linux: a case that
 * calls it has to begin with gt_needs_ours(), or the kernel does not link.
 */

#ifndef __GPUVM_TEST_INTERFACE_H__
#define __GPUVM_TEST_INTERFACE_H__

#include <linux/types.h>

#include <drm/drm_gpuvm.h>
#include <drm/drm_util.h>

struct drm_gpuva_split {
	struct drm_gpuva_op_map prev;
	struct drm_gpuva_op_map cut;
	struct drm_gpuva_op_map next;
	bool keep;
};

void drm_gpuva_split(const struct drm_gpuva *va,
		     const struct drm_gpuva_op_map *req,
		     struct drm_gpuva_split *split);

int drm_gpuvm_try_init(struct drm_gpuvm *gpuvm, const char *name,
		       enum drm_gpuvm_flags flags,
		       struct drm_device *drm,
		       struct drm_gem_object *r_obj,
		       u64 start_offset, u64 range,
		       u64 reserve_offset, u64 reserve_range,
		       const struct drm_gpuvm_ops *ops);

/* As in Linux 7.2; 7.3 leaves it to the caller. */
static inline struct drm_gpuva *
drm_gpuva_find_prev(struct drm_gpuvm *gpuvm, u64 start)
{
	return start ? drm_gpuva_find_first(gpuvm, start - 1, 1) : NULL;
}

static inline struct drm_gpuva *
drm_gpuva_find_next(struct drm_gpuvm *gpuvm, u64 end)
{
	return drm_gpuva_find_first(gpuvm, end, 1);
}

/* What alloc.h puts in front of Linux's core. */
void *drm_gpuvm_alloc(size_t size);

/* They return nothing in Linux; a caller can only think that all went well. */
#define drm_gpuva_map(gpuvm, va, op)						\
	({									\
		drm_gpuva_map(gpuvm, va, op);					\
		0;								\
	})

#define drm_gpuva_remap(prev, next, op)						\
	({									\
		drm_gpuva_remap(prev, next, op);				\
		0;								\
	})

/* Walks without the reserved range, made of those that Linux has. */
#define drm_gpuvm_for_each_mapping(va__, gpuvm__)				\
	drm_gpuvm_for_each_va(va__, gpuvm__)					\
		for_each_if((va__) != &(gpuvm__)->kernel_alloc_node)

#define drm_gpuvm_for_each_mapping_safe(va__, next__, gpuvm__)			\
	drm_gpuvm_for_each_va_safe(va__, next__, gpuvm__)			\
		for_each_if((va__) != &(gpuvm__)->kernel_alloc_node)

#define drm_gpuvm_for_each_mapping_range(va__, gpuvm__, start__, end__)		\
	drm_gpuvm_for_each_va_range(va__, gpuvm__, start__, end__)		\
		for_each_if((va__) != &(gpuvm__)->kernel_alloc_node)

#define drm_gpuvm_for_each_mapping_range_safe(va__, next__, gpuvm__, start__, end__) \
	drm_gpuvm_for_each_va_range_safe(va__, next__, gpuvm__, start__, end__)	\
		for_each_if((va__) != &(gpuvm__)->kernel_alloc_node)

#endif /* __GPUVM_TEST_INTERFACE_H__ */
