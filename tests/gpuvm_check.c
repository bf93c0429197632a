// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * The library behind the GPUVM suites: a check that walks a whole VM, and a dump
 * of one.
 */

#include <linux/rbtree_augmented.h>

#include "gpuvm_test.h"

/* ---- check and dump ----------------------------------------------------- */

void gpuvm_dump(struct kunit *test, struct drm_gpuvm *vm)
{
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuva *va;

	kunit_err(test, "VM %s [0x%llx+0x%llx) flags 0x%x refs %u mappings %lu\n",
		  vm->name, vm->mm_start, vm->mm_range, vm->flags,
		  kref_read(&vm->kref), gt_core_mappings(vm));

	drm_gpuvm_for_each_va(va, vm)
		kunit_err(test, "  [0x%llx+0x%llx) %c:0x%llx flags %d%s%s\n",
			  va->va.addr, va->va.range, gt_obj_name(va->gem.obj),
			  va->gem.offset, va->flags, va->vm_bo ? " linked" : "",
			  va == &vm->kernel_alloc_node ? " reserved" : "");
	list_for_each_entry(vm_bo, &vm->extobj.list, list.entry.extobj)
		kunit_err(test, "  extobj %c refs %u\n", gt_obj_name(vm_bo->obj),
			  kref_read(&vm_bo->kref));
	list_for_each_entry(vm_bo, &vm->evict.list, list.entry.evict)
		kunit_err(test, "  evict %c refs %u%s\n", gt_obj_name(vm_bo->obj),
			  kref_read(&vm_bo->kref), vm_bo->evicted ? "" : " validated");
}

#define check(cond)								\
	({									\
		bool ok__ = (cond);						\
										\
		if (!ok__)							\
			KUNIT_FAIL(test, "%s: %s\n", __func__, #cond);		\
		ok__;								\
	})

static u64 gt_last(const struct drm_gpuva *va)
{
	return va->va.addr + (va->va.range - 1);
}

/* The black height of a subtree, or -1; also counts its nodes. */
static int check_subtree(struct kunit *test, struct rb_node *node,
			 unsigned int depth, unsigned long *nodes)
{
	struct rb_node *child[2];
	int height[2], i;

	if (!node)
		return 0;
	if (!check(depth < 128))
		return -1;

	++*nodes;
	child[0] = node->rb_left;
	child[1] = node->rb_right;
	for (i = 0; i < 2; i++) {
		if (child[i]) {
			if (!check(rb_parent(child[i]) == node) ||
			    !check(!(rb_is_red(node) && rb_is_red(child[i]))))
				return -1;
		}
		height[i] = check_subtree(test, child[i], depth + 1, nodes);
	}
	if (height[0] < 0 || height[1] < 0 || !check(height[0] == height[1]))
		return -1;

	return height[0] + rb_is_black(node);
}

static bool check_tree(struct kunit *test, struct drm_gpuvm *vm)
{
	struct rb_node *root = gt_core_tree(vm)->rb_node, *node = rb_first(gt_core_tree(vm));
	bool reserved = false;
	unsigned long nodes = 0, entries = 0;
	struct drm_gpuva *va, *prev = NULL;

	if (root && (!check(rb_is_black(root)) || !check(!rb_parent(root))))
		return false;
	if (check_subtree(test, root, 0, &nodes) < 0)
		return false;

	list_for_each_entry(va, &vm->rb.list, rb.entry) {
		if (!check(node == &va->rb.node) || !check(va->vm == vm) ||
		    !check(va->va.range) || !check(gt_last(va) >= va->va.addr) ||
		    !check(va->va.addr >= vm->mm_start) ||
		    !check(gt_last(va) <= vm->mm_start + (vm->mm_range - 1)) ||
		    !check(!prev || gt_last(prev) < va->va.addr) ||
		    !check(va->rb.entry.next->prev == &va->rb.entry))
			return false;

		reserved |= va == &vm->kernel_alloc_node;
		node = rb_next(node);
		prev = va;
		entries++;
	}

	return check(!node) && check(entries == nodes) &&
	       check(gt_core_mappings(vm) + reserved == nodes) &&
	       check(reserved == !!vm->kernel_alloc_node.va.range) &&
	       check(gt_core_cursor_is_sound(vm)) &&
	       check(vm->mm_range || list_empty(&vm->rb.list));
}

static bool check_on_list(struct list_head *entry, struct list_head *list)
{
	struct list_head *pos;

	list_for_each(pos, list)
		if (pos == entry)
			return true;

	return false;
}

static bool check_vm_bo(struct kunit *test, struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gpuvm *vm = vm_bo->vm;
	bool on_evict = check_on_list(&vm_bo->list.entry.evict, &vm->evict.list);
	struct drm_gpuva *va;
	unsigned int n = 0;

	drm_gpuvm_bo_for_each_va(va, vm_bo) {
		if (!check(va->vm_bo == vm_bo) || !check(va->gem.obj == vm_bo->obj) ||
		    !check(va->vm == vm))
			return false;
		n++;
	}

	/* With resv locks an external object waits for the next walk. */
	if (!drm_gpuvm_resv_protected(vm) || !drm_gpuvm_is_extobj(vm, vm_bo->obj))
		if (!check(vm_bo->evicted == on_evict))
			return false;

	return check(kref_read(&vm_bo->kref) >= gt_core_vm_bo_refs(n)) &&
	       check(check_on_list(&vm_bo->list.entry.gem, &vm_bo->obj->gpuva.list)) &&
	       check(gt_core_vm_bo_is_in_tree(vm_bo));
}

static bool check_links(struct kunit *test, struct drm_gpuvm *vm)
{
	struct drm_gpuva *va;

	list_for_each_entry(va, &vm->rb.list, rb.entry) {
		if (!va->vm_bo)
			continue;
		if (!check(va->vm_bo->vm == vm) ||
		    !check(va->vm_bo->obj == va->gem.obj) ||
		    !check(va->gem.obj) ||
		    !check(check_on_list(&va->gem.entry, &va->vm_bo->list.gpuva)) ||
		    !check_vm_bo(test, va->vm_bo))
			return false;
	}

	return true;
}

/* A zombie waits for drm_gpuvm_bo_deferred_cleanup() on its lists. */
static bool check_zombie(struct kunit *test, struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gpuvm *vm = vm_bo->vm;
	struct drm_gpuvm_bo *pos;
	bool deferred = false;

	llist_for_each_entry(pos, vm->bo_defer.first, list.entry.bo_defer)
		deferred |= pos == vm_bo;

	return check(drm_gpuvm_immediate_mode(vm)) &&
	       check(drm_gpuvm_resv_protected(vm)) && check(deferred) &&
	       check(list_empty(&vm_bo->list.gpuva));
}

static bool check_bo_lists(struct kunit *test, struct drm_gpuvm *vm)
{
	struct drm_gpuvm_bo *vm_bo;

	if (!check(!vm->extobj.local_list) || !check(!vm->evict.local_list))
		return false;

	list_for_each_entry(vm_bo, &vm->extobj.list, list.entry.extobj) {
		if (!check(vm_bo->vm == vm) ||
		    !check(vm_bo->list.entry.extobj.next->prev ==
			   &vm_bo->list.entry.extobj) ||
		    !check(drm_gpuvm_is_extobj(vm, vm_bo->obj)))
			return false;
		if (!kref_read(&vm_bo->kref) && !check_zombie(test, vm_bo))
			return false;
	}

	list_for_each_entry(vm_bo, &vm->evict.list, list.entry.evict) {
		if (!check(vm_bo->vm == vm) ||
		    !check(vm_bo->list.entry.evict.next->prev ==
			   &vm_bo->list.entry.evict))
			return false;
		if (!kref_read(&vm_bo->kref)) {
			if (!check_zombie(test, vm_bo))
				return false;
			continue;
		}
		if (!check(vm_bo->evicted || (drm_gpuvm_resv_protected(vm) &&
					      drm_gpuvm_is_extobj(vm, vm_bo->obj))))
			return false;
	}

	return true;
}

/* Is the whole VM sound? Only for tests that run alone. */
bool gpuvm_check(struct kunit *test, struct drm_gpuvm *vm)
{
	if (check(kref_read(&vm->kref) > gt_core_vm_refs(gt_core_mappings(vm))) &&
	    check_tree(test, vm) && check_links(test, vm) &&
	    check_bo_lists(test, vm))
		return true;

	gpuvm_dump(test, vm);

	return false;
}

MODULE_DESCRIPTION("KUnit tests for DRM GPUVM");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
