/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What the suites know of the inside of Linux's own core.
 */

#ifndef __GPUVM_TEST_CORE_H__
#define __GPUVM_TEST_CORE_H__

#include <drm/drm_gpuvm.h>

#include "interface.h"

/* The core under test is Linux's own. */
#define GT_MAINLINE 1

/* What ends there overflows. */
#define GT_CORE_UP_TO_2_64 0

static inline struct rb_root *gt_core_tree(struct drm_gpuvm *vm)
{
	return &vm->rb.tree.rb_root;
}

/* The number of mappings without the reserved range. */
static inline unsigned long gt_core_mappings(struct drm_gpuvm *vm)
{
	struct drm_gpuva *va;
	unsigned long n = 0;

	drm_gpuvm_for_each_mapping(va, vm)
		n++;

	return n;
}

/* Each mapping has a reference on the VM, the reserved range has none. */
static inline unsigned int gt_core_vm_refs(unsigned long mappings)
{
	return mappings;
}

static inline unsigned int gt_core_vm_bo_refs(unsigned int links)
{
	return links;
}

/* What a list takes, beside its operations, for remaps with so many parts. */
static inline unsigned int gt_core_list_allocs(unsigned int remaps, unsigned int parts)
{
	return 1 + remaps + parts;
}

/* The same if the driver allocates the operations. */
static inline unsigned int
gt_core_driver_list_allocs(unsigned int remaps, unsigned int parts)
{
	return 1 + remaps + parts;
}

static inline bool gt_core_cursor_is_sound(struct drm_gpuvm *vm)
{
	return true;
}

static inline bool gt_core_vm_bo_is_in_tree(struct drm_gpuvm_bo *vm_bo)
{
	return true;
}

#endif /* __GPUVM_TEST_CORE_H__ */
