/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What the suites know of the inside of the core: for another core, only this
 * file has to be another one.
 */

#ifndef __GPUVM_TEST_CORE_H__
#define __GPUVM_TEST_CORE_H__

#include <drm/drm_gpuvm.h>

#include "../drm_gpuvm_internal.h"

/* The core under test is Linux's own. */
#define GT_MAINLINE 0

/* A VA space may contain the last page of 2^64. */
#define GT_CORE_UP_TO_2_64 1

static inline struct rb_root *gt_core_tree(struct drm_gpuvm *vm)
{
	return &vm->rb.tree;
}

/* The number of mappings without the reserved range. */
static inline unsigned long gt_core_mappings(struct drm_gpuvm *vm)
{
	return vm->rb.count;
}

/* The references that so many mappings hold on their VM. */
static inline unsigned int gt_core_vm_refs(unsigned long mappings)
{
	return !!mappings;
}

/* The references that so many links hold on their vm_bo. */
static inline unsigned int gt_core_vm_bo_refs(unsigned int links)
{
	return !!links;
}

/* What a list takes, beside its operations, for remaps with so many parts. */
static inline unsigned int gt_core_list_allocs(unsigned int remaps, unsigned int parts)
{
	return 1;
}

/* The same if the driver allocates the operations. */
static inline unsigned int
gt_core_driver_list_allocs(unsigned int remaps, unsigned int parts)
{
	return 1 + remaps;
}

/* The cursor has to be an entry of the list, or its head. */
static inline bool gt_core_cursor_is_sound(struct drm_gpuvm *vm)
{
	struct list_head *pos;

	list_for_each(pos, &vm->rb.list)
		if (pos == vm->rb.cursor)
			return true;

	return vm->rb.cursor == &vm->rb.list;
}

/* What is on its object's list is in its VM's tree, which is in order. */
static inline bool gt_core_vm_bo_is_in_tree(struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gem_object *last = NULL;
	bool found = false, ok = true;
	struct drm_gpuvm_bo *pos;

	spin_lock(&vm_bo->vm->bos.lock);
	for (struct rb_node *node = rb_first(&vm_bo->vm->bos.tree); node;
	     node = rb_next(node)) {
		pos = rb_entry(node, struct drm_gpuvm_bo, list.entry.vm);
		ok &= pos->vm == vm_bo->vm && pos->obj > last;
		last = pos->obj;
		found |= pos == vm_bo;
	}
	spin_unlock(&vm_bo->vm->bos.lock);

	return ok && found;
}

#endif /* __GPUVM_TEST_CORE_H__ */
