// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * The GPU virtual address manager. Chapters: ranges, tree, VM, lists, vm_bo,
 * links, exec, split and merge, op lists, tear-down, stock.
 * Documentation/gpu/drm-gpuvm.rst has the guide.
 *
 * Lock order, outer first: resv locks, &drm_gem_object.gpuva's lock, the spinlocks
 * of the VM's lists and of &drm_gpuvm.bos. The driver's lock on a VM's mappings is
 * outside of the resv locks in staged mode, and between them and the rest in
 * immediate mode, where it is taken in fence signalling.
 */

#include <drm/drm_drv.h>
#include <drm/drm_exec.h>
#include <drm/drm_gpuvm.h>
#include <drm/drm_print.h>

#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "drm_gpuvm_internal.h"

/*
 * Every allocation that is not a driver's, so that tests can make each fail. The
 * memory is not cleared: most of it is written over right away.
 */
VISIBLE_IF_KUNIT void *drm_gpuvm_alloc(size_t size)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_gpuvm_alloc, size);

	return kmalloc(size, GFP_KERNEL);
}
EXPORT_SYMBOL_IF_KUNIT(drm_gpuvm_alloc);

static void *alloc_cleared(size_t size)
{
	void *memory = drm_gpuvm_alloc(size);

	return memory ? memset(memory, 0, size) : NULL;
}

/* ---- Ranges ------------------------------------------------------------ */

/* False if there is no last unit, since the range is empty or wraps. */
static bool range_last(u64 addr, u64 range, u64 *last)
{
	*last = addr + (range - 1);

	return range && *last >= addr;
}

/* Whether a space that does not wrap contains a range; no space has an empty one. */
static bool space_contains(u64 start, u64 size, u64 addr, u64 range)
{
	u64 offset = addr - start;

	return offset < size && range - 1 < size - offset;
}

static bool range_in_vm(struct drm_gpuvm *gpuvm, u64 addr, u64 range)
{
	return space_contains(gpuvm->mm_start, gpuvm->mm_range, addr, range);
}

static bool overlaps(const struct drm_gpuva *va, u64 addr, u64 last)
{
	return va->va.addr <= last && addr <= drm_gpuva_last(va);
}

static bool range_is_reserved(struct drm_gpuvm *gpuvm, u64 addr, u64 last)
{
	return gpuvm->kernel_alloc_node.va.range &&
	       overlaps(&gpuvm->kernel_alloc_node, addr, last);
}

static inline bool range_valid(struct drm_gpuvm *gpuvm, u64 addr, u64 range)
{
	return range_in_vm(gpuvm, addr, range) &&
	       !range_is_reserved(gpuvm, addr, addr + (range - 1));
}

/**
 * drm_gpuvm_range_valid() - whether a range can be mapped in a VM
 * @gpuvm: the VM
 * @addr: the first address
 * @range: the length
 *
 * Context: any; reads nothing that changes during the life of @gpuvm.
 * Return: true if the range is not empty, does not pass 2^64, is inside the VA
 * space and leaves the reserved range alone. Says nothing about mappings.
 */
bool
drm_gpuvm_range_valid(struct drm_gpuvm *gpuvm,
		      u64 addr, u64 range)
{
	return range_valid(gpuvm, addr, range);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_range_valid);

/* ---- Tree -------------------------------------------------------------- */

/*
 * Mappings do not overlap, so they have the same order by their first and by
 * their last address, and an ordinary tree finds whatever covers an address.
 *
 * A position is the entry in front of which something would go: that of the
 * first mapping that ends at or above an address, or the list's head. The list
 * knows the neighbours, and thereby the free link in the tree.
 *
 * Invariants: the tree and the list hold the same mappings in the same order;
 * the cursor, the position behind the last change or that of the last request,
 * is on the list; &drm_gpuvm.rb's count is what they hold apart from
 * the reserved range, and while it is not 0 it has one reference on the VM.
 */

static struct drm_gpuva *to_va(struct rb_node *node)
{
	return rb_entry(node, struct drm_gpuva, rb.node);
}

static struct drm_gpuva *entry_to_va(struct list_head *entry)
{
	return list_entry(entry, struct drm_gpuva, rb.entry);
}

static bool va_inserted(const struct drm_gpuva *va)
{
	return va->vm && !RB_EMPTY_NODE(&va->rb.node);
}

static bool entry_below(struct drm_gpuvm *gpuvm, struct list_head *entry,
			u64 addr)
{
	return entry != &gpuvm->rb.list &&
	       drm_gpuva_last(entry_to_va(entry)) < addr;
}

/*
 * Walks down the tree to the position of an address. Which way to go is a coin
 * toss that a branch would lose half of the time: both children are read first,
 * so that the compiler can select one without a branch.
 */
static struct list_head *walk_to_position(struct drm_gpuvm *gpuvm, u64 addr)
{
	struct rb_node *node = gpuvm->rb.tree.rb_node;
	struct list_head *pos = &gpuvm->rb.list;

	while (node) {
		struct rb_node *right = READ_ONCE(node->rb_right);
		struct rb_node *left = READ_ONCE(node->rb_left);
		struct drm_gpuva *va = to_va(node);

		pos = &va->rb.entry;
		if (addr - va->va.addr < va->va.range)
			return pos;

		node = va->va.addr < addr ? right : left;
	}

	/* A neighbour of the address; if it is below, the next one is not. */
	return entry_below(gpuvm, pos, addr) ? pos->next : pos;
}

/* Whether nothing in front of a position, and all from it on, reaches @addr. */
static bool is_position(struct drm_gpuvm *gpuvm, struct list_head *pos, u64 addr)
{
	return !entry_below(gpuvm, pos, addr) &&
	       (pos->prev == &gpuvm->rb.list ||
		entry_below(gpuvm, pos->prev, addr));
}

/*
 * Finds the position of an address. The steps of one request, and requests for
 * ascending addresses, find it at the cursor without a walk down the tree.
 *
 * Op lists may be made by several readers at a time. They all leave the cursor
 * on the list, and whoever takes something off it excludes them.
 */
static inline struct list_head *find_position(struct drm_gpuvm *gpuvm, u64 addr)
{
	struct list_head *pos = READ_ONCE(gpuvm->rb.cursor);

	if (is_position(gpuvm, pos, addr))
		return pos;

	pos = walk_to_position(gpuvm, addr);
	WRITE_ONCE(gpuvm->rb.cursor, pos);

	return pos;
}

/* Whether what is at a position overlaps a range that begins there. */
static bool overlaps_at(struct drm_gpuvm *gpuvm, struct list_head *pos, u64 last)
{
	return pos != &gpuvm->rb.list && entry_to_va(pos)->va.addr <= last;
}

/* What that is, or NULL. */
static struct drm_gpuva *overlap_at(struct drm_gpuvm *gpuvm,
				    struct list_head *pos, u64 last)
{
	return overlaps_at(gpuvm, pos, last) ? entry_to_va(pos) : NULL;
}

/*
 * Of two neighbours, one is below the other in the tree, so the left link of
 * the upper one or the right link of the lower one is free.
 */
static void insert_at(struct drm_gpuvm *gpuvm, struct drm_gpuva *va,
		      struct list_head *pos)
{
	struct rb_node **link = &gpuvm->rb.tree.rb_node;
	struct rb_node *parent = NULL;

	if (pos != &gpuvm->rb.list && !entry_to_va(pos)->rb.node.rb_left) {
		parent = &entry_to_va(pos)->rb.node;
		link = &parent->rb_left;
	} else if (pos->prev != &gpuvm->rb.list) {
		parent = &entry_to_va(pos->prev)->rb.node;
		link = &parent->rb_right;
	}

	va->vm = gpuvm;
	rb_link_node(&va->rb.node, parent, link);
	rb_insert_color(&va->rb.node, &gpuvm->rb.tree);
	list_add_tail(&va->rb.entry, pos);
	WRITE_ONCE(gpuvm->rb.cursor, pos);
}

static void remove_va(struct drm_gpuvm *gpuvm, struct drm_gpuva *va)
{
	WRITE_ONCE(gpuvm->rb.cursor, va->rb.entry.next);
	rb_erase(&va->rb.node, &gpuvm->rb.tree);
	RB_CLEAR_NODE(&va->rb.node);
	list_del_init(&va->rb.entry);
}

/*
 * Puts one mapping in the place of another: the tree keeps its shape. The caller
 * sets the cursor, which may be at @old.
 */
static void replace_va(struct drm_gpuvm *gpuvm, struct drm_gpuva *old,
		       struct drm_gpuva *new)
{
	if (new != old) {
		new->vm = gpuvm;
		rb_replace_node(&old->rb.node, &new->rb.node, &gpuvm->rb.tree);
		RB_CLEAR_NODE(&old->rb.node);
		list_replace_init(&old->rb.entry, &new->rb.entry);
	}
}

static void count_mapping(struct drm_gpuvm *gpuvm)
{
	if (!gpuvm->rb.count++)
		drm_gpuvm_get(gpuvm);
}

static void uncount_mapping(struct drm_gpuvm *gpuvm)
{
	if (!--gpuvm->rb.count)
		drm_gpuvm_put(gpuvm);
}

/**
 * drm_gpuva_insert() - insert a mapping into a VM
 * @gpuvm: the VM
 * @va: the mapping, with its range and object set, not inserted anywhere
 *
 * While a VM has mappings, they hold a reference on it together.
 *
 * Context: the driver's lock on the VM's mappings. Does not sleep or allocate;
 * allowed in fence signalling.
 * Return: 0; -EINVAL if drm_gpuvm_range_valid() is not satisfied; -EEXIST if
 * something is mapped in the range. The VM is unchanged on errors.
 */
int
drm_gpuva_insert(struct drm_gpuvm *gpuvm,
		 struct drm_gpuva *va)
{
	struct list_head *pos;

	if (!range_in_vm(gpuvm, va->va.addr, va->va.range))
		return -EINVAL;

	/* The reserved range is in the tree, and in the way of what touches it. */
	pos = find_position(gpuvm, va->va.addr);
	if (overlaps_at(gpuvm, pos, drm_gpuva_last(va)))
		return range_is_reserved(gpuvm, va->va.addr, drm_gpuva_last(va)) ?
		       -EINVAL : -EEXIST;

	insert_at(gpuvm, va, pos);
	count_mapping(gpuvm);

	return 0;
}
EXPORT_SYMBOL_GPL(drm_gpuva_insert);

/**
 * drm_gpuva_remove() - remove a mapping from its VM
 * @va: the mapping; its memory stays the caller's
 *
 * The removal of the last mapping drops a reference on the VM. To remove the
 * reserved range, or what is not inserted, does nothing but warn.
 *
 * Context: the driver's lock on the VM's mappings. Does not sleep or allocate,
 * unless the VM's last reference goes with its last mapping; allowed in fence
 * signalling if another reference is left.
 */
void
drm_gpuva_remove(struct drm_gpuva *va)
{
	struct drm_gpuvm *gpuvm = va->vm;

	if (WARN_ON_ONCE(!va_inserted(va)) ||
	    drm_WARN_ON_ONCE(gpuvm->drm, va == &gpuvm->kernel_alloc_node))
		return;

	remove_va(gpuvm, va);
	uncount_mapping(gpuvm);
}
EXPORT_SYMBOL_GPL(drm_gpuva_remove);

/**
 * drm_gpuva_find_first() - find the lowest mapping that overlaps a range
 * @gpuvm: the VM
 * @addr: the first address
 * @range: the length
 *
 * Context: the driver's lock on the VM's mappings. Does not sleep.
 * Return: the mapping, or the reserved range if that is met first; NULL if there
 * is none, or the range is empty or passes 2^64.
 */
struct drm_gpuva *
drm_gpuva_find_first(struct drm_gpuvm *gpuvm,
		     u64 addr, u64 range)
{
	u64 last;

	if (!range_last(addr, range, &last))
		return NULL;

	return overlap_at(gpuvm, walk_to_position(gpuvm, addr), last);
}
EXPORT_SYMBOL_GPL(drm_gpuva_find_first);

/**
 * drm_gpuva_find() - find the mapping with a given range
 * @gpuvm: the VM
 * @addr: the first address
 * @range: the length
 *
 * Context: the driver's lock on the VM's mappings. Does not sleep.
 * Return: the mapping (or reserved range) that has exactly this start and
 * length, otherwise NULL.
 */
struct drm_gpuva *
drm_gpuva_find(struct drm_gpuvm *gpuvm,
	       u64 addr, u64 range)
{
	struct drm_gpuva *va = drm_gpuva_find_first(gpuvm, addr, range);

	if (va && va->va.addr == addr && va->va.range == range)
		return va;

	return NULL;
}
EXPORT_SYMBOL_GPL(drm_gpuva_find);

/**
 * drm_gpuva_find_prev() - find the mapping right in front of an address
 * @gpuvm: the VM
 * @start: the address
 *
 * Context: the driver's lock on the VM's mappings. Does not sleep.
 * Return: the mapping that contains the unit in front of @start; NULL if nothing
 * is mapped there, or that unit is reserved or outside the VA space.
 */
struct drm_gpuva *
drm_gpuva_find_prev(struct drm_gpuvm *gpuvm, u64 start)
{
	if (!start || !range_valid(gpuvm, start - 1, 1))
		return NULL;

	return drm_gpuva_find_first(gpuvm, start - 1, 1);
}
EXPORT_SYMBOL_GPL(drm_gpuva_find_prev);

/**
 * drm_gpuva_find_next() - find the mapping right at an end
 * @gpuvm: the VM
 * @end: the end: the address behind a range
 *
 * Context: the driver's lock on the VM's mappings. Does not sleep.
 * Return: the mapping that contains the unit at @end; NULL if nothing is mapped
 * there, or that unit is reserved or outside the VA space.
 */
struct drm_gpuva *
drm_gpuva_find_next(struct drm_gpuvm *gpuvm, u64 end)
{
	if (!range_valid(gpuvm, end, 1))
		return NULL;

	return drm_gpuva_find_first(gpuvm, end, 1);
}
EXPORT_SYMBOL_GPL(drm_gpuva_find_next);

/**
 * drm_gpuvm_interval_empty() - whether nothing is mapped in a range
 * @gpuvm: the VM
 * @addr: the first address
 * @range: the length
 *
 * Context: the driver's lock on the VM's mappings. Does not sleep.
 * Return: true if neither a mapping nor the reserved range overlaps; false if
 * something does, or the range is empty or passes 2^64.
 */
bool
drm_gpuvm_interval_empty(struct drm_gpuvm *gpuvm, u64 addr, u64 range)
{
	u64 last;

	return range_last(addr, range, &last) &&
	       !drm_gpuva_find_first(gpuvm, addr, range);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_interval_empty);

/* ---- VM ---------------------------------------------------------------- */

static void resv_object_free(struct drm_gem_object *obj)
{
	drm_gem_object_release(obj);
	kfree(obj);
}

static const struct drm_gem_object_funcs resv_object_funcs = {
	.free = resv_object_free,
};

/**
 * drm_gpuvm_resv_object_alloc() - allocate an object that is only a resv
 * @drm: the device
 *
 * For drivers that have no object of their own to pass to drm_gpuvm_init().
 *
 * Context: process; allocates.
 * Return: the object with one reference, the caller's; NULL when out of memory.
 */
struct drm_gem_object *
drm_gpuvm_resv_object_alloc(struct drm_device *drm)
{
	struct drm_gem_object *obj = alloc_cleared(sizeof(*obj));

	if (!obj)
		return NULL;

	drm_gem_private_object_init(drm, obj, 0);
	obj->funcs = &resv_object_funcs;

	return obj;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_resv_object_alloc);

static bool layout_valid(u64 start, u64 range, u64 reserve, u64 reserve_range)
{
	u64 last;

	return range_last(start, range, &last) &&
	       (!reserve_range ||
		space_contains(start, range, reserve, reserve_range));
}

/* What cleans up after VMs with &DRM_GPUVM_AUTO_CLEANUP. */
static struct workqueue_struct *cleanup_queue;

static void cleanup_work(struct work_struct *work)
{
	struct drm_gpuvm *gpuvm = container_of(work, struct drm_gpuvm, cleanup);

	drm_gpuvm_bo_deferred_cleanup(gpuvm);
	drm_gpuvm_put(gpuvm);
}

static void bo_list_init(struct drm_gpuvm_bo_list *bos)
{
	INIT_LIST_HEAD(&bos->list);
	bos->local_list = NULL;
	spin_lock_init(&bos->lock);
}

/* Sets up a VM whose VA space is empty. */
static void vm_init(struct drm_gpuvm *gpuvm, const char *name,
		    enum drm_gpuvm_flags flags, struct drm_device *drm,
		    struct drm_gem_object *r_obj,
		    const struct drm_gpuvm_ops *ops)
{
	gpuvm->name = name ?: "unknown";
	gpuvm->flags = flags;
	gpuvm->ops = ops;
	kref_init(&gpuvm->kref);

	gpuvm->rb.tree = RB_ROOT;
	INIT_LIST_HEAD(&gpuvm->rb.list);
	gpuvm->rb.cursor = &gpuvm->rb.list;
	gpuvm->rb.count = 0;
	gpuvm->mm_start = 0;
	gpuvm->mm_range = 0;
	memset(&gpuvm->kernel_alloc_node, 0, sizeof(gpuvm->kernel_alloc_node));

	bo_list_init(&gpuvm->extobj);
	bo_list_init(&gpuvm->evict);
	init_llist_head(&gpuvm->bo_defer);
	INIT_WORK(&gpuvm->cleanup, cleanup_work);
	gpuvm->bos.tree = RB_ROOT;
	spin_lock_init(&gpuvm->bos.lock);

	drm_gem_object_get(r_obj);
	gpuvm->r_obj = r_obj;
	drm_dev_get(drm);
	gpuvm->drm = drm;
}

static void vm_set_layout(struct drm_gpuvm *gpuvm, u64 start, u64 range,
			  u64 reserve, u64 reserve_range)
{
	struct drm_gpuva *node = &gpuvm->kernel_alloc_node;

	gpuvm->mm_start = start;
	gpuvm->mm_range = range;

	if (reserve_range) {
		node->va.addr = reserve;
		node->va.range = reserve_range;
		insert_at(gpuvm, node, &gpuvm->rb.list);
	}
}

/**
 * drm_gpuvm_try_init() - set up a VM, unless the arguments make no sense
 * @gpuvm: the VM, cleared to zero
 * @name: what messages and debugfs call it; must outlive it
 * @flags: the locking scheme (&enum drm_gpuvm_flags) and bits of the driver's
 * @drm: the device; a reference is taken
 * @r_obj: the object whose resv the VM uses; a reference is taken
 * @start_offset: the first address of the VA space
 * @range: its length; the space may reach up to 2^64
 * @reserve_offset: the first address of the reserved range, which requests can
 *	not touch
 * @reserve_range: its length; 0 if there is none
 * @ops: the callbacks; &drm_gpuvm_ops.vm_free is mandatory
 *
 * As drm_gpuvm_init(), for drivers that do not know the ranges to be good, say
 * since they come from user space.
 *
 * Context: any.
 * Return: 0, and the caller has the first reference; -EINVAL, with nothing done,
 * if the VA space is empty or passes 2^64, the reserved range is not inside it,
 * or @ops lacks &drm_gpuvm_ops.vm_free.
 */
int
drm_gpuvm_try_init(struct drm_gpuvm *gpuvm, const char *name,
		   enum drm_gpuvm_flags flags,
		   struct drm_device *drm,
		   struct drm_gem_object *r_obj,
		   u64 start_offset, u64 range,
		   u64 reserve_offset, u64 reserve_range,
		   const struct drm_gpuvm_ops *ops)
{
	if (!ops || !ops->vm_free ||
	    !layout_valid(start_offset, range, reserve_offset, reserve_range))
		return -EINVAL;

	vm_init(gpuvm, name, flags, drm, r_obj, ops);
	vm_set_layout(gpuvm, start_offset, range, reserve_offset, reserve_range);

	return 0;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_try_init);

/**
 * drm_gpuvm_init() - set up a VM
 * @gpuvm: the VM, cleared to zero
 * @name: what messages and debugfs call it; must outlive it
 * @flags: the locking scheme (&enum drm_gpuvm_flags) and bits of the driver's
 * @drm: the device; a reference is taken
 * @r_obj: the object whose resv the VM uses; a reference is taken
 * @start_offset: the first address of the VA space
 * @range: its length; the space may reach up to 2^64
 * @reserve_offset: the first address of the reserved range, which requests can
 *	not touch
 * @reserve_range: its length; 0 if there is none
 * @ops: the callbacks; &drm_gpuvm_ops.vm_free is mandatory
 *
 * The caller gets the first reference. With ranges that drm_gpuvm_try_init()
 * would refuse, the VA space is left empty: every request gets -EINVAL, and an
 * error is logged.
 *
 * Context: any.
 */
void
drm_gpuvm_init(struct drm_gpuvm *gpuvm, const char *name,
	       enum drm_gpuvm_flags flags,
	       struct drm_device *drm,
	       struct drm_gem_object *r_obj,
	       u64 start_offset, u64 range,
	       u64 reserve_offset, u64 reserve_range,
	       const struct drm_gpuvm_ops *ops)
{
	vm_init(gpuvm, name, flags, drm, r_obj, ops);

	if (layout_valid(start_offset, range, reserve_offset, reserve_range))
		vm_set_layout(gpuvm, start_offset, range,
			      reserve_offset, reserve_range);
	else
		drm_err(drm, "%s: bad VA space: %#llx+%#llx, reserved %#llx+%#llx\n",
			gpuvm->name, start_offset, range,
			reserve_offset, reserve_range);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_init);

static void vm_fini(struct drm_gpuvm *gpuvm)
{
	if (gpuvm->kernel_alloc_node.va.range)
		remove_va(gpuvm, &gpuvm->kernel_alloc_node);

	drm_WARN(gpuvm->drm, !list_empty(&gpuvm->rb.list),
		 "%s: mappings left behind\n", gpuvm->name);
	drm_WARN(gpuvm->drm, !list_empty(&gpuvm->extobj.list) ||
		 !list_empty(&gpuvm->evict.list) ||
		 !llist_empty(&gpuvm->bo_defer),
		 "%s: vm_bos left behind\n", gpuvm->name);

	drm_gem_object_put(gpuvm->r_obj);
}

static void vm_release(struct kref *kref)
{
	struct drm_gpuvm *gpuvm = container_of(kref, struct drm_gpuvm, kref);
	struct drm_device *drm = gpuvm->drm;

	vm_fini(gpuvm);

	if (!drm_WARN_ON(drm, !gpuvm->ops || !gpuvm->ops->vm_free))
		gpuvm->ops->vm_free(gpuvm);

	drm_dev_put(drm);
}

/**
 * drm_gpuvm_put() - drop a reference on a VM
 * @gpuvm: the VM, or NULL
 *
 * The last reference tears the VM down: its references on the resv object and the
 * device go, and &drm_gpuvm_ops.vm_free is called.
 *
 * Context: any that &drm_gpuvm_ops.vm_free, the resv object's free callback and
 * the release of the device can stand.
 */
void
drm_gpuvm_put(struct drm_gpuvm *gpuvm)
{
	if (gpuvm)
		kref_put(&gpuvm->kref, vm_release);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_put);

/* ---- Lists ------------------------------------------------------------- */

/*
 * The extobj and the evict list have the same two guards to choose from: the
 * VM's resv (&DRM_GPUVM_RESV_PROTECTED), or the spinlock of the list.
 *
 * Under the resv, whoever walks can hold on to its place. Under the spinlock, it
 * has to be let go for each vm_bo, and entries may come and go meanwhile. So a
 * walk moves what it has passed to a list of its own; the next one to do is
 * always the first, and entries can be deleted from either list.
 */

static void bo_list_add(struct drm_gpuvm *gpuvm, struct drm_gpuvm_bo_list *bos,
			struct list_head *entry)
{
	if (drm_gpuvm_resv_protected(gpuvm)) {
		drm_gpuvm_resv_assert_held(gpuvm);
		if (list_empty(entry))
			list_add_tail(entry, &bos->list);
	} else {
		spin_lock(&bos->lock);
		if (list_empty(entry))
			list_add_tail(entry, &bos->list);
		spin_unlock(&bos->lock);
	}
}

static void bo_list_del(struct drm_gpuvm *gpuvm, struct drm_gpuvm_bo_list *bos,
			struct list_head *entry)
{
	if (drm_gpuvm_resv_protected(gpuvm)) {
		drm_gpuvm_resv_assert_held(gpuvm);
		list_del_init(entry);
	} else {
		spin_lock(&bos->lock);
		list_del_init(entry);
		spin_unlock(&bos->lock);
	}
}

/* Takes the next entry of a walk; NULL at its end. The list's guard is held. */
static struct list_head *bo_list_step(struct drm_gpuvm_bo_list *bos,
				      struct list_head *passed)
{
	if (list_empty(&bos->list))
		return NULL;

	list_move_tail(bos->list.next, passed);

	return passed->prev;
}

/* Two walks at a time would each see but a part of the list. */
static int bo_list_walk_begin(struct drm_gpuvm *gpuvm,
			      struct drm_gpuvm_bo_list *bos,
			      struct list_head *passed)
{
	bool busy;

	spin_lock(&bos->lock);
	busy = bos->local_list;
	if (!busy)
		bos->local_list = passed;
	spin_unlock(&bos->lock);

	return drm_WARN_ON(gpuvm->drm, busy) ? -EBUSY : 0;
}

static void bo_list_walk_end(struct drm_gpuvm_bo_list *bos,
			     struct list_head *passed)
{
	spin_lock(&bos->lock);
	list_splice(passed, &bos->list);
	bos->local_list = NULL;
	spin_unlock(&bos->lock);
}

/*
 * A vm_bo whose references are gone but which is still on a list. The guard of
 * the list keeps it there, and with it the object.
 */
static bool bo_is_zombie(struct drm_gpuvm_bo *vm_bo)
{
	return !kref_read(&vm_bo->kref);
}

/* ---- vm_bo ------------------------------------------------------------- */

static struct drm_gpuvm_bo *bo_alloc(struct drm_gpuvm *gpuvm)
{
	if (gpuvm->ops && gpuvm->ops->vm_bo_alloc)
		return gpuvm->ops->vm_bo_alloc();

	return alloc_cleared(sizeof(struct drm_gpuvm_bo));
}

static void bo_init(struct drm_gpuvm_bo *vm_bo, struct drm_gpuvm *gpuvm,
		    struct drm_gem_object *obj)
{
	drm_gem_object_get(obj);
	vm_bo->obj = obj;
	vm_bo->vm = drm_gpuvm_get(gpuvm);
	kref_init(&vm_bo->kref);

	init_llist_node(&vm_bo->list.entry.bo_defer);
	INIT_LIST_HEAD(&vm_bo->list.entry.evict);
	INIT_LIST_HEAD(&vm_bo->list.entry.extobj);
	INIT_LIST_HEAD(&vm_bo->list.entry.gem);
	INIT_LIST_HEAD(&vm_bo->list.gpuva);
}

/**
 * drm_gpuvm_bo_create() - make a vm_bo that is not yet on its object's list
 * @gpuvm: the VM; a reference is taken
 * @obj: the object; a reference is taken
 *
 * For drm_gpuvm_bo_obtain_prealloc(), which makes sure that there is but one for
 * each pair. Until then only drm_gpuvm_bo_put_deferred() (immediate mode) or
 * drm_gpuvm_bo_put() may be called for it.
 *
 * Context: process; allocates, by &drm_gpuvm_ops.vm_bo_alloc if there is one.
 * Return: the vm_bo with one reference, the caller's; NULL when out of memory.
 */
struct drm_gpuvm_bo *
drm_gpuvm_bo_create(struct drm_gpuvm *gpuvm,
		    struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo = bo_alloc(gpuvm);

	if (vm_bo)
		bo_init(vm_bo, gpuvm, obj);

	return vm_bo;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_bo_create);

/* The end of a vm_bo that is on no list any more. May free object and VM. */
static void bo_free(struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gem_object *obj = vm_bo->obj;
	struct drm_gpuvm *gpuvm = vm_bo->vm;

	if (gpuvm->ops && gpuvm->ops->vm_bo_free)
		gpuvm->ops->vm_bo_free(vm_bo);
	else
		kfree(vm_bo);

	drm_gem_object_put(obj);
	drm_gpuvm_put(gpuvm);
}

static void bo_leave_vm_lists(struct drm_gpuvm_bo *vm_bo)
{
	bo_list_del(vm_bo->vm, &vm_bo->vm->extobj, &vm_bo->list.entry.extobj);
	bo_list_del(vm_bo->vm, &vm_bo->vm->evict, &vm_bo->list.entry.evict);
}

static struct drm_gpuvm_bo *node_to_bo(const struct rb_node *node)
{
	return rb_entry(node, struct drm_gpuvm_bo, list.entry.vm);
}

static bool bo_less(struct rb_node *a, const struct rb_node *b)
{
	return node_to_bo(a)->obj < node_to_bo(b)->obj;
}

static int bo_cmp(const void *obj, const struct rb_node *node)
{
	const struct drm_gem_object *other = node_to_bo(node)->obj;

	return obj < (const void *)other ? -1 : obj > (const void *)other;
}

/*
 * Makes a vm_bo known to its object, whose lock is held. That lock does not keep
 * out the other objects of the VM, with which it shares a tree.
 */
static void bo_join_object(struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gpuvm *gpuvm = vm_bo->vm;

	list_add_tail(&vm_bo->list.entry.gem, &vm_bo->obj->gpuva.list);

	spin_lock(&gpuvm->bos.lock);
	rb_add(&vm_bo->list.entry.vm, &gpuvm->bos.tree, bo_less);
	spin_unlock(&gpuvm->bos.lock);
}

/* Does nothing to a vm_bo that was never obtained. */
static void bo_leave_object(struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gpuvm *gpuvm = vm_bo->vm;

	if (list_empty(&vm_bo->list.entry.gem))
		return;

	list_del_init(&vm_bo->list.entry.gem);
	spin_lock(&gpuvm->bos.lock);
	rb_erase(&vm_bo->list.entry.vm, &gpuvm->bos.tree);
	spin_unlock(&gpuvm->bos.lock);
}

static void bo_release(struct kref *kref)
{
	struct drm_gpuvm_bo *vm_bo = container_of(kref, struct drm_gpuvm_bo,
						  kref);

	drm_gem_gpuva_assert_lock_held(vm_bo->vm, vm_bo->obj);

	bo_leave_vm_lists(vm_bo);
	bo_leave_object(vm_bo);
	bo_free(vm_bo);
}

/**
 * drm_gpuvm_bo_put() - drop a reference on a vm_bo
 * @vm_bo: the vm_bo, or NULL
 *
 * The last reference takes the vm_bo off all lists, frees it and drops its
 * references on the VM and the object, which must not be the last ones on an
 * object whose lock the caller holds. Immediate mode has
 * drm_gpuvm_bo_put_deferred() for this.
 *
 * Context: process; may sleep. If this may be the last reference: the object's
 * resv (or &drm_gem_object.gpuva's lock in immediate mode), and with
 * &DRM_GPUVM_RESV_PROTECTED the VM's resv, too.
 * Return: true if the vm_bo was destroyed.
 */
bool
drm_gpuvm_bo_put(struct drm_gpuvm_bo *vm_bo)
{
	might_sleep();

	return vm_bo && kref_put(&vm_bo->kref, bo_release);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_bo_put);

/*
 * Drops the reference if it is the last, and hides the vm_bo from everybody who
 * looks for it. A resv can not be taken here; the lists that it guards keep the
 * zombie until the cleanup. Holds the object's gpuva lock.
 */
static bool bo_put_last(struct drm_gpuvm_bo *vm_bo)
{
	if (!refcount_dec_if_one(&vm_bo->kref.refcount))
		return false;

	if (!drm_gpuvm_resv_protected(vm_bo->vm))
		bo_leave_vm_lists(vm_bo);
	bo_leave_object(vm_bo);

	return true;
}

/*
 * From here on the cleanup may free the object, so its lock must be free. It may
 * free the VM, too, unless we have a reference, which the work takes over. A work
 * that is queued has got one already, so that ours is not the last, and will see
 * the vm_bo.
 */
static void bo_defer(struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gpuvm *gpuvm = vm_bo->vm;

	if (!(gpuvm->flags & DRM_GPUVM_AUTO_CLEANUP)) {
		llist_add(&vm_bo->list.entry.bo_defer, &gpuvm->bo_defer);
		return;
	}

	drm_gpuvm_get(gpuvm);
	llist_add(&vm_bo->list.entry.bo_defer, &gpuvm->bo_defer);
	while (!queue_work(cleanup_queue, &gpuvm->cleanup) &&
	       !refcount_dec_not_one(&gpuvm->kref.refcount))
		; /* It ran meanwhile, and can be queued. */
}

/**
 * drm_gpuvm_bo_put_deferred() - drop a reference on a vm_bo, in immediate mode
 * @vm_bo: the vm_bo, or NULL
 *
 * After the last reference nobody finds the vm_bo any more;
 * drm_gpuvm_bo_deferred_cleanup() does the rest.
 *
 * Context: process, takes &drm_gem_object.gpuva's lock; allowed in fence
 * signalling.
 * Return: true if this was the last reference.
 */
bool
drm_gpuvm_bo_put_deferred(struct drm_gpuvm_bo *vm_bo)
{
	bool last = false;

	if (!vm_bo)
		return false;

	drm_WARN_ON(vm_bo->vm->drm, !drm_gpuvm_immediate_mode(vm_bo->vm));

	/*
	 * Until the mutex is unlocked, either our reference or, after the last
	 * one, the vm_bo itself keeps the object, and the mutex in it, alive.
	 */
	while (!last && !refcount_dec_not_one(&vm_bo->kref.refcount)) {
		mutex_lock(&vm_bo->obj->gpuva.lock);
		last = bo_put_last(vm_bo);
		mutex_unlock(&vm_bo->obj->gpuva.lock);
	}

	if (last)
		bo_defer(vm_bo);

	return last;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_bo_put_deferred);

static void bo_leave_vm_lists_deferred(struct drm_gpuvm *gpuvm,
				       struct llist_node *deferred)
{
	struct drm_gpuvm_bo *vm_bo;

	dma_resv_lock(drm_gpuvm_resv(gpuvm), NULL);
	llist_for_each_entry(vm_bo, deferred, list.entry.bo_defer)
		bo_leave_vm_lists(vm_bo);
	dma_resv_unlock(drm_gpuvm_resv(gpuvm));
}

/**
 * drm_gpuvm_bo_deferred_cleanup() - finish what drm_gpuvm_bo_put_deferred() and
 * drm_gpuva_unlink_defer() left
 * @gpuvm: the VM
 *
 * Frees all vm_bos whose last reference went in one of these calls, and drops
 * their references on the VM and on their objects. Their number limits the
 * memory that waits; a driver calls this at the end of each bind ioctl, and once
 * more before it gives up the VM, or has it done by &DRM_GPUVM_AUTO_CLEANUP.
 *
 * Context: process, may sleep; takes the VM's resv with
 * &DRM_GPUVM_RESV_PROTECTED. Not allowed in fence signalling, nor with a resv
 * locked. The caller has a reference on @gpuvm.
 */
void
drm_gpuvm_bo_deferred_cleanup(struct drm_gpuvm *gpuvm)
{
	struct llist_node *deferred = llist_del_all(&gpuvm->bo_defer);
	struct drm_gpuvm_bo *vm_bo, *next;

	if (!deferred)
		return;

	if (drm_gpuvm_resv_protected(gpuvm))
		bo_leave_vm_lists_deferred(gpuvm, deferred);

	llist_for_each_entry_safe(vm_bo, next, deferred, list.entry.bo_defer)
		bo_free(vm_bo);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_bo_deferred_cleanup);

/**
 * drm_gpuvm_flush_cleanup() - wait for the cleanup of VMs with
 * &DRM_GPUVM_AUTO_CLEANUP
 * @gpuvm: the VM; NULL for all VMs of all drivers
 *
 * What was deferred before this call is cleaned up when it returns. With NULL,
 * &drm_gpuvm_ops.vm_free has returned, too, for the VMs whose last reference went
 * in a cleanup: a module that has the callbacks calls this before it goes.
 *
 * Context: process, sleeps; as for drm_gpuvm_bo_deferred_cleanup(). The caller has
 * a reference on @gpuvm.
 */
void
drm_gpuvm_flush_cleanup(struct drm_gpuvm *gpuvm)
{
	if (gpuvm)
		flush_work(&gpuvm->cleanup);
	else
		flush_workqueue(cleanup_queue);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_flush_cleanup);

static struct drm_gpuvm_bo *bo_lookup(struct drm_gpuvm *gpuvm,
				      struct drm_gem_object *obj)
{
	struct rb_node *node;

	spin_lock(&gpuvm->bos.lock);
	node = rb_find(obj, &gpuvm->bos.tree, bo_cmp);
	spin_unlock(&gpuvm->bos.lock);

	/* It can not go, since that takes the object's lock. */
	return node ? node_to_bo(node) : NULL;
}

/**
 * drm_gpuvm_bo_find() - find the vm_bo of a VM and an object
 * @gpuvm: the VM
 * @obj: the object
 *
 * Context: the object's resv, or &drm_gem_object.gpuva's lock in immediate mode.
 * Return: the vm_bo with a new reference for the caller; NULL if there is none.
 */
struct drm_gpuvm_bo *
drm_gpuvm_bo_find(struct drm_gpuvm *gpuvm,
		  struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;

	drm_gem_gpuva_assert_lock_held(gpuvm, obj);

	/* Most objects are in one VM only. */
	vm_bo = list_first_entry_or_null(&obj->gpuva.list, struct drm_gpuvm_bo,
					 list.entry.gem);
	if (vm_bo && vm_bo->vm != gpuvm)
		vm_bo = bo_lookup(gpuvm, obj);

	if (vm_bo)
		kref_get(&vm_bo->kref);

	return vm_bo;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_bo_find);

/**
 * drm_gpuvm_bo_obtain_locked() - find or make the vm_bo of a VM and an object
 * @gpuvm: the VM, not in immediate mode
 * @obj: the object
 *
 * Context: process, with the object's resv; allocates if there is no vm_bo yet.
 * Return: the vm_bo with a new reference for the caller; ERR_PTR(-ENOMEM).
 */
struct drm_gpuvm_bo *
drm_gpuvm_bo_obtain_locked(struct drm_gpuvm *gpuvm,
			   struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;

	/* Nothing may be allocated under the lock that immediate mode needs. */
	drm_WARN_ON(gpuvm->drm, drm_gpuvm_immediate_mode(gpuvm));

	vm_bo = drm_gpuvm_bo_find(gpuvm, obj);
	if (!vm_bo) {
		vm_bo = drm_gpuvm_bo_create(gpuvm, obj);
		if (vm_bo)
			bo_join_object(vm_bo);
	}

	return vm_bo ?: ERR_PTR(-ENOMEM);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_bo_obtain_locked);

static void bo_release_unused(struct kref *kref)
{
	bo_free(container_of(kref, struct drm_gpuvm_bo, kref));
}

/**
 * drm_gpuvm_bo_obtain_prealloc() - find the vm_bo of a VM and an object, or use
 * the one that was made beforehand
 * @vm_bo: a vm_bo from drm_gpuvm_bo_create(), not obtained yet, of a VM in
 *	immediate mode; the caller's reference passes to this function
 *
 * Context: process, takes &drm_gem_object.gpuva's lock; may sleep. Not allowed
 * in fence signalling, since @vm_bo may have to be freed.
 * Return: the vm_bo with a reference for the caller: @vm_bo if the pair had none,
 * otherwise the one that it had, and @vm_bo is gone.
 */
struct drm_gpuvm_bo *
drm_gpuvm_bo_obtain_prealloc(struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gem_object *obj = vm_bo->obj;
	struct drm_gpuvm *gpuvm = vm_bo->vm;
	struct drm_gpuvm_bo *found;

	drm_WARN_ON(gpuvm->drm, !drm_gpuvm_immediate_mode(gpuvm));

	mutex_lock(&obj->gpuva.lock);
	found = drm_gpuvm_bo_find(gpuvm, obj);
	if (!found)
		bo_join_object(vm_bo);
	mutex_unlock(&obj->gpuva.lock);

	if (!found)
		return vm_bo;

	kref_put(&vm_bo->kref, bo_release_unused);

	return found;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_bo_obtain_prealloc);

/**
 * drm_gpuvm_bo_extobj_add() - have an external object locked with its VM
 * @vm_bo: the vm_bo
 *
 * From now on, until @vm_bo is destroyed, drm_gpuvm_prepare_objects() locks its
 * object. Does nothing for objects that share the VM's resv, and when called
 * again.
 *
 * Context: the VM's resv with &DRM_GPUVM_RESV_PROTECTED, otherwise any process
 * context. Does not sleep or allocate.
 */
void
drm_gpuvm_bo_extobj_add(struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gpuvm *gpuvm = vm_bo->vm;

	if (drm_gpuvm_resv_protected(gpuvm))
		drm_gpuvm_resv_assert_held(gpuvm);

	if (drm_gpuvm_is_extobj(gpuvm, vm_bo->obj))
		bo_list_add(gpuvm, &gpuvm->extobj, &vm_bo->list.entry.extobj);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_bo_extobj_add);

/**
 * drm_gpuvm_bo_evict() - note that an object was evicted, or is back
 * @vm_bo: the object's vm_bo in one of its VMs
 * @evict: whether the object has to be validated before the next job
 *
 * drm_gpuvm_validate() calls back for the vm_bos that are marked.
 *
 * Context: the object's resv. Does not sleep or allocate.
 */
void
drm_gpuvm_bo_evict(struct drm_gpuvm_bo *vm_bo, bool evict)
{
	struct drm_gpuvm *gpuvm = vm_bo->vm;

	dma_resv_assert_held(vm_bo->obj->resv);

	vm_bo->evicted = evict;

	/*
	 * The VM's resv, which guards the list, is not ours with an external
	 * object: drm_gpuvm_prepare_objects(), which has both, will look.
	 */
	if (drm_gpuvm_resv_protected(gpuvm) &&
	    drm_gpuvm_is_extobj(gpuvm, vm_bo->obj))
		return;

	if (evict)
		bo_list_add(gpuvm, &gpuvm->evict, &vm_bo->list.entry.evict);
	else
		bo_list_del(gpuvm, &gpuvm->evict, &vm_bo->list.entry.evict);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_bo_evict);

/* ---- Links between mappings and vm_bos --------------------------------- */

/**
 * drm_gpuva_link() - put a mapping on its vm_bo's list
 * @va: the mapping, inserted and not linked
 * @vm_bo: the vm_bo of its VM and its object
 *
 * While a vm_bo has mappings, they hold a reference on it together. Does nothing
 * for mappings without an object.
 *
 * Context: the object's resv, or &drm_gem_object.gpuva's lock in immediate mode.
 * Does not sleep or allocate; allowed in fence signalling.
 */
void
drm_gpuva_link(struct drm_gpuva *va, struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gem_object *obj = va->gem.obj;

	if (!obj)
		return;

	drm_gem_gpuva_assert_lock_held(va->vm, obj);
	drm_WARN_ON(va->vm->drm, vm_bo->obj != obj);

	if (list_empty(&vm_bo->list.gpuva))
		drm_gpuvm_bo_get(vm_bo);
	va->vm_bo = vm_bo;
	list_add_tail(&va->gem.entry, &vm_bo->list.gpuva);
}
EXPORT_SYMBOL_GPL(drm_gpuva_link);

static bool va_linked(const struct drm_gpuva *va)
{
	return va->gem.obj && va->vm_bo;
}

/*
 * Takes a mapping off its vm_bo's list. If it was the only one, their reference
 * becomes the caller's; otherwise returns NULL.
 */
static struct drm_gpuvm_bo *unlink_va(struct drm_gpuva *va)
{
	struct drm_gpuvm_bo *vm_bo = va->vm_bo;

	list_del_init(&va->gem.entry);
	va->vm_bo = NULL;

	return list_empty(&vm_bo->list.gpuva) ? vm_bo : NULL;
}

/**
 * drm_gpuva_unlink() - take a mapping off its vm_bo's list
 * @va: the mapping
 *
 * If it was the last on the list, their reference on the vm_bo is dropped, see
 * drm_gpuvm_bo_put(). Does nothing if @va is not linked.
 *
 * Context: as drm_gpuvm_bo_put() for a last reference.
 */
void
drm_gpuva_unlink(struct drm_gpuva *va)
{
	if (!va_linked(va))
		return;

	drm_gem_gpuva_assert_lock_held(va->vm, va->gem.obj);
	drm_gpuvm_bo_put(unlink_va(va));
}
EXPORT_SYMBOL_GPL(drm_gpuva_unlink);

/**
 * drm_gpuva_unlink_defer() - take a mapping off its vm_bo's list, in immediate
 * mode
 * @va: the mapping
 *
 * If it was the last on the list, their reference on the vm_bo is dropped; after
 * the last one of all, drm_gpuvm_bo_deferred_cleanup() has to follow. Does nothing
 * if @va is not linked.
 *
 * Context: process, takes &drm_gem_object.gpuva's lock; allowed in fence
 * signalling.
 */
void
drm_gpuva_unlink_defer(struct drm_gpuva *va)
{
	struct drm_gem_object *obj = va->gem.obj;
	struct drm_gpuvm_bo *vm_bo;
	bool last;

	if (!va_linked(va))
		return;

	drm_WARN_ON(va->vm->drm, !drm_gpuvm_immediate_mode(va->vm));

	mutex_lock(&obj->gpuva.lock);
	vm_bo = unlink_va(va);
	last = vm_bo && bo_put_last(vm_bo);
	mutex_unlock(&obj->gpuva.lock);

	if (last)
		bo_defer(vm_bo);
	else
		drm_gpuvm_bo_put_deferred(vm_bo);
}
EXPORT_SYMBOL_GPL(drm_gpuva_unlink_defer);

/* ---- Exec -------------------------------------------------------------- */

static int prepare_obj(struct drm_exec *exec, struct drm_gem_object *obj,
		       unsigned int num_fences)
{
	if (!num_fences)
		return drm_exec_lock_obj(exec, obj);

	return drm_exec_prepare_obj(exec, obj, num_fences);
}

/*
 * After contention, the object that was waited for is locked by the next call that
 * locks any. For whatever may find none to lock: the loop that it is in would
 * otherwise go around for ever.
 */
static int exec_lock_contended(struct drm_exec *exec)
{
	return drm_exec_prepare_array(exec, NULL, 0, 0);
}

/**
 * drm_gpuvm_prepare_vm() - lock a VM's resv
 * @gpuvm: the VM
 * @exec: the locking context
 * @num_fences: the number of fence slots to reserve; 0 to lock only
 *
 * Context: inside drm_exec_until_all_locked().
 * Return: 0; -EDEADLK on contention, for drm_exec_retry_on_contention(); -EINTR,
 * -ENOMEM, or -EALREADY if it is locked and @exec does not ignore duplicates.
 */
int
drm_gpuvm_prepare_vm(struct drm_gpuvm *gpuvm,
		     struct drm_exec *exec,
		     unsigned int num_fences)
{
	return prepare_obj(exec, gpuvm->r_obj, num_fences);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_prepare_vm);

static int prepare_objects_resv(struct drm_gpuvm *gpuvm, struct drm_exec *exec,
				unsigned int num_fences)
{
	struct drm_gpuvm_bo *vm_bo;
	int ret;

	drm_gpuvm_resv_assert_held(gpuvm);

	list_for_each_entry(vm_bo, &gpuvm->extobj.list, list.entry.extobj) {
		if (bo_is_zombie(vm_bo))
			continue;

		ret = prepare_obj(exec, vm_bo->obj, num_fences);
		if (ret)
			return ret;

		/* See drm_gpuvm_bo_evict(). */
		if (vm_bo->evicted)
			bo_list_add(gpuvm, &gpuvm->evict,
				    &vm_bo->list.entry.evict);
	}

	return 0;
}

/*
 * The next external object of a walk, with a reference. It is the object that has
 * to stay while it is locked: a reference on the vm_bo could turn out to be the
 * last one, and could then not be dropped before the object's lock is held.
 */
static struct drm_gem_object *next_extobj(struct drm_gpuvm *gpuvm,
					  struct list_head *passed)
{
	struct drm_gem_object *obj = NULL;
	struct drm_gpuvm_bo *vm_bo;
	struct list_head *entry;

	spin_lock(&gpuvm->extobj.lock);
	while (!obj && (entry = bo_list_step(&gpuvm->extobj, passed))) {
		vm_bo = list_entry(entry, struct drm_gpuvm_bo, list.entry.extobj);
		if (bo_is_zombie(vm_bo))
			continue;

		obj = vm_bo->obj;
		drm_gem_object_get(obj);
	}
	spin_unlock(&gpuvm->extobj.lock);

	return obj;
}

static int prepare_objects_spin(struct drm_gpuvm *gpuvm, struct drm_exec *exec,
				unsigned int num_fences)
{
	struct drm_gem_object *obj;
	LIST_HEAD(passed);
	int ret;

	ret = bo_list_walk_begin(gpuvm, &gpuvm->extobj, &passed);
	if (ret)
		return ret;

	while (!ret && (obj = next_extobj(gpuvm, &passed))) {
		ret = prepare_obj(exec, obj, num_fences);
		drm_gem_object_put(obj);
	}

	bo_list_walk_end(&gpuvm->extobj, &passed);

	return ret;
}

/**
 * drm_gpuvm_prepare_objects() - lock a VM's external objects
 * @gpuvm: the VM
 * @exec: the locking context
 * @num_fences: the number of fence slots to reserve; 0 to lock only
 *
 * Objects may become external, and vm_bos may be destroyed, meanwhile. But there
 * can be only one walk at a time: lock the VM's resv first, by
 * drm_gpuvm_prepare_vm(), or have a lock of the driver's around.
 *
 * Context: inside drm_exec_until_all_locked(); with the VM's resv if it is
 * &DRM_GPUVM_RESV_PROTECTED.
 * Return: as drm_gpuvm_prepare_vm(); -EBUSY, and a warning, for a second walk.
 */
int
drm_gpuvm_prepare_objects(struct drm_gpuvm *gpuvm,
			  struct drm_exec *exec,
			  unsigned int num_fences)
{
	int ret = exec_lock_contended(exec);

	if (ret)
		return ret;

	if (drm_gpuvm_resv_protected(gpuvm))
		return prepare_objects_resv(gpuvm, exec, num_fences);

	return prepare_objects_spin(gpuvm, exec, num_fences);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_prepare_objects);

/**
 * drm_gpuvm_prepare_range() - lock the objects that are mapped in a range
 * @gpuvm: the VM
 * @exec: the locking context; has to ignore duplicates if an object can be mapped
 *	more than once
 * @addr: the first address
 * @range: the length; the reserved range may be inside
 * @num_fences: the number of fence slots to reserve; 0 to lock only
 *
 * Context: inside drm_exec_until_all_locked(), with the driver's lock on the VM's
 * mappings.
 * Return: as drm_gpuvm_prepare_vm(); -EINVAL, with nothing locked, if the range
 * is empty or not inside the VA space.
 */
int
drm_gpuvm_prepare_range(struct drm_gpuvm *gpuvm, struct drm_exec *exec,
			u64 addr, u64 range, unsigned int num_fences)
{
	struct drm_gpuva *va;
	int ret;

	if (!range_in_vm(gpuvm, addr, range))
		return -EINVAL;

	ret = exec_lock_contended(exec);
	if (ret)
		return ret;

	drm_gpuvm_for_each_mapping_range(va, gpuvm, addr, addr + range) {
		if (!va->gem.obj)
			continue;

		ret = prepare_obj(exec, va->gem.obj, num_fences);
		if (ret)
			return ret;
	}

	return 0;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_prepare_range);

/* Locks with @lock_once, again after each contention; nothing on errors. */
static int exec_lock_loop(struct drm_gpuvm_exec *vm_exec, const void *arg,
			  int (*lock_once)(struct drm_gpuvm_exec *vm_exec,
					   const void *arg))
{
	struct drm_exec *exec = &vm_exec->exec;
	int ret = 0;

	drm_exec_init(exec, vm_exec->flags, 0);
	drm_exec_until_all_locked(exec) {
		ret = lock_once(vm_exec, arg);
		drm_exec_retry_on_contention(exec);
		if (ret)
			break;
	}

	if (ret)
		drm_exec_fini(exec);

	return ret;
}

static int exec_lock_vm(struct drm_gpuvm_exec *vm_exec, const void *unused)
{
	int ret;

	ret = drm_gpuvm_prepare_vm(vm_exec->vm, &vm_exec->exec,
				   vm_exec->num_fences);
	if (ret)
		return ret;

	ret = drm_gpuvm_prepare_objects(vm_exec->vm, &vm_exec->exec,
					vm_exec->num_fences);
	if (ret)
		return ret;

	return vm_exec->extra.fn ? vm_exec->extra.fn(vm_exec) : 0;
}

/**
 * drm_gpuvm_exec_lock() - lock all objects of a VM
 * @vm_exec: the context; &drm_gpuvm_exec.extra adds objects
 *
 * Locks the VM's resv, which its local objects share, and its external objects.
 *
 * Context: process, without resv locks; sleeps.
 * Return: 0, and drm_gpuvm_exec_unlock() has to follow; otherwise nothing is
 * locked: -EINTR, -ENOMEM, -EALREADY if an object comes twice and
 * &drm_gpuvm_exec.flags does not allow for that, or what &drm_gpuvm_exec.extra
 * returned.
 */
int
drm_gpuvm_exec_lock(struct drm_gpuvm_exec *vm_exec)
{
	return exec_lock_loop(vm_exec, NULL, exec_lock_vm);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_exec_lock);

struct exec_array {
	struct drm_gem_object **objs;
	unsigned int num_objs;
};

static int exec_lock_objs(struct drm_gpuvm_exec *vm_exec)
{
	struct exec_array *array = vm_exec->extra.priv;
	int ret = 0;

	for (unsigned int i = 0; !ret && i < array->num_objs; i++)
		ret = prepare_obj(&vm_exec->exec, array->objs[i],
				  vm_exec->num_fences);

	return ret;
}

/**
 * drm_gpuvm_exec_lock_array() - lock all objects of a VM, and others
 * @vm_exec: the context; &drm_gpuvm_exec.extra is not used, and not changed
 * @objs: more objects to lock
 * @num_objs: how many
 *
 * Context: process, without resv locks; sleeps.
 * Return: as drm_gpuvm_exec_lock().
 */
int
drm_gpuvm_exec_lock_array(struct drm_gpuvm_exec *vm_exec,
			  struct drm_gem_object **objs,
			  unsigned int num_objs)
{
	struct exec_array array = { .objs = objs, .num_objs = num_objs };
	typeof(vm_exec->extra) extra = vm_exec->extra;
	int ret;

	vm_exec->extra.fn = exec_lock_objs;
	vm_exec->extra.priv = &array;
	ret = drm_gpuvm_exec_lock(vm_exec);
	vm_exec->extra = extra;

	return ret;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_exec_lock_array);

struct exec_range {
	u64 addr;
	u64 range;
};

static int exec_lock_mapped(struct drm_gpuvm_exec *vm_exec, const void *arg)
{
	const struct exec_range *range = arg;

	return drm_gpuvm_prepare_range(vm_exec->vm, &vm_exec->exec, range->addr,
				       range->range, vm_exec->num_fences);
}

/**
 * drm_gpuvm_exec_lock_range() - lock the objects that are mapped in a range
 * @vm_exec: the context; its flags have to ignore duplicates if an object can be
 *	mapped more than once
 * @addr: the first address
 * @range: the length; the reserved range may be inside
 *
 * Does not lock the VM's resv, unless an object in the range shares it.
 *
 * Context: process, without resv locks; sleeps. The driver's lock on the VM's
 * mappings.
 * Return: as drm_gpuvm_exec_lock(); -EINVAL if the range is empty or not inside
 * the VA space.
 */
int
drm_gpuvm_exec_lock_range(struct drm_gpuvm_exec *vm_exec,
			  u64 addr, u64 range)
{
	struct exec_range args = { .addr = addr, .range = range };

	return exec_lock_loop(vm_exec, &args, exec_lock_mapped);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_exec_lock_range);

/*
 * Callbacks may move any entry of the list, and destroy the vm_bo at hand. So the
 * next one to do is always the first, and that is looked at again only if it is
 * still there.
 */
static int validate_resv(struct drm_gpuvm *gpuvm, struct drm_exec *exec)
{
	struct drm_gpuvm_bo *vm_bo;
	struct list_head *entry;
	LIST_HEAD(passed);
	int ret = 0;

	drm_gpuvm_resv_assert_held(gpuvm);

	while (!ret && !list_empty(&gpuvm->evict.list)) {
		entry = gpuvm->evict.list.next;
		vm_bo = list_entry(entry, struct drm_gpuvm_bo, list.entry.evict);
		if (bo_is_zombie(vm_bo)) {
			list_move_tail(entry, &passed);
			continue;
		}

		ret = gpuvm->ops->vm_bo_validate(vm_bo, exec);
		if (ret || gpuvm->evict.list.next != entry)
			continue;

		dma_resv_assert_held(vm_bo->obj->resv);
		if (vm_bo->evicted)
			list_move_tail(entry, &passed);
		else
			list_del_init(entry);
	}

	list_splice(&passed, &gpuvm->evict.list);

	return ret;
}

static bool bo_locked_by(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	return !exec ||
	       dma_resv_locking_ctx(vm_bo->obj->resv) == drm_exec_ticket(exec);
}

/*
 * The next evicted vm_bo of a walk, with a reference. What was evicted after
 * @exec had locked all objects is left for the next time: it can not be
 * validated, nor its last reference be dropped, without its object's lock.
 */
static struct drm_gpuvm_bo *next_evicted(struct drm_gpuvm *gpuvm,
					 struct drm_exec *exec,
					 struct list_head *passed)
{
	struct drm_gpuvm_bo *vm_bo, *found = NULL;
	struct list_head *entry;

	spin_lock(&gpuvm->evict.lock);
	while (!found && (entry = bo_list_step(&gpuvm->evict, passed))) {
		vm_bo = list_entry(entry, struct drm_gpuvm_bo, list.entry.evict);
		if (bo_locked_by(vm_bo, exec) &&
		    kref_get_unless_zero(&vm_bo->kref))
			found = vm_bo;
	}
	spin_unlock(&gpuvm->evict.lock);

	return found;
}

static int validate_spin(struct drm_gpuvm *gpuvm, struct drm_exec *exec)
{
	struct drm_gpuvm_bo *vm_bo;
	LIST_HEAD(passed);
	int ret;

	ret = bo_list_walk_begin(gpuvm, &gpuvm->evict, &passed);
	if (ret)
		return ret;

	while (!ret && (vm_bo = next_evicted(gpuvm, exec, &passed))) {
		ret = gpuvm->ops->vm_bo_validate(vm_bo, exec);
		/* Most callbacks call drm_gpuvm_bo_evict() themselves. */
		if (!ret && !vm_bo->evicted &&
		    !list_empty(&vm_bo->list.entry.evict))
			bo_list_del(gpuvm, &gpuvm->evict,
				    &vm_bo->list.entry.evict);

		if (drm_gpuvm_immediate_mode(gpuvm))
			drm_gpuvm_bo_put_deferred(vm_bo);
		else
			drm_gpuvm_bo_put(vm_bo);
	}

	bo_list_walk_end(&gpuvm->evict, &passed);

	return ret;
}

/**
 * drm_gpuvm_validate() - bring a VM's evicted objects back
 * @gpuvm: the VM
 * @exec: the context that holds the locks of all its objects, as after
 *	drm_gpuvm_exec_lock(); may be NULL if they are held otherwise
 *
 * Calls &drm_gpuvm_ops.vm_bo_validate for each evicted vm_bo, until one fails; also
 * for those that a callback evicts meanwhile, so that callbacks which keep on
 * evicting each other's objects have to fail at some time. Those that are no
 * longer evicted afterwards leave the list; all others will be seen again.
 * Without &DRM_GPUVM_RESV_PROTECTED, objects that @exec has not locked, since they
 * became external later, are not yet seen.
 *
 * Context: process, with the resv of the VM and of its external objects; sleeps
 * if the callback does. Only one walk at a time.
 * Return: 0; -EOPNOTSUPP without a callback; -EBUSY, and a warning, for a second
 * walk; what the callback returned.
 */
int
drm_gpuvm_validate(struct drm_gpuvm *gpuvm, struct drm_exec *exec)
{
	if (!gpuvm->ops || !gpuvm->ops->vm_bo_validate)
		return -EOPNOTSUPP;

	if (drm_gpuvm_resv_protected(gpuvm))
		return validate_resv(gpuvm, exec);

	return validate_spin(gpuvm, exec);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_validate);

/**
 * drm_gpuvm_resv_add_fence() - add a fence to all objects that are locked
 * @gpuvm: the VM
 * @exec: the context that holds the locks, with fence slots reserved
 * @fence: the fence; every resv takes a reference
 * @private_usage: how objects local to the VM are used
 * @extobj_usage: how external objects are used
 *
 * Context: between locking and unlocking of @exec. Does not sleep or allocate.
 */
void
drm_gpuvm_resv_add_fence(struct drm_gpuvm *gpuvm,
			 struct drm_exec *exec,
			 struct dma_fence *fence,
			 enum dma_resv_usage private_usage,
			 enum dma_resv_usage extobj_usage)
{
	struct drm_gem_object *obj;
	enum dma_resv_usage usage;

	drm_exec_for_each_locked_object(exec, obj) {
		dma_resv_assert_held(obj->resv);
		usage = drm_gpuvm_is_extobj(gpuvm, obj) ? extobj_usage :
							  private_usage;
		dma_resv_add_fence(obj->resv, fence, usage);
	}
}
EXPORT_SYMBOL_GPL(drm_gpuvm_resv_add_fence);

/* ---- Split and merge --------------------------------------------------- */

/**
 * drm_gpuva_map() - insert a mapping as a map operation says
 * @gpuvm: the VM
 * @va: the mapping, not inserted; its range and object are set
 * @op: the operation, or a part of a &struct drm_gpuva_op_remap
 *
 * Context: as drm_gpuva_insert().
 * Return: as drm_gpuva_insert().
 */
int
drm_gpuva_map(struct drm_gpuvm *gpuvm,
	      struct drm_gpuva *va,
	      const struct drm_gpuva_op_map *op)
{
	drm_gpuva_init_from_op(va, op);

	return drm_gpuva_insert(gpuvm, va);
}
EXPORT_SYMBOL_GPL(drm_gpuva_map);

static bool part_valid(const struct drm_gpuva *va,
		       const struct drm_gpuva_op_map *part)
{
	return space_contains(va->va.addr, va->va.range,
			      part->va.addr, part->va.range);
}

static bool remap_valid(const struct drm_gpuva_op_remap *op,
			struct drm_gpuva *prev, struct drm_gpuva *next)
{
	struct drm_gpuva *va = op->unmap->va;

	if (!va_inserted(va) || va == &va->vm->kernel_alloc_node)
		return false;

	if (op->prev && (!prev || !part_valid(va, op->prev)))
		return false;

	if (op->next && (!next || !part_valid(va, op->next)))
		return false;

	if (!op->prev || !op->next)
		return true;

	return prev != next && op->prev->va.addr < op->next->va.addr &&
	       op->next->va.addr - op->prev->va.addr >= op->prev->va.range;
}

/**
 * drm_gpuva_remap() - put the remains of a mapping in its place
 * @prev: the mapping for &drm_gpuva_op_remap.prev; unused if that is NULL
 * @next: the mapping for &drm_gpuva_op_remap.next; unused if that is NULL
 * @op: the operation; both parts must be inside the old mapping
 *
 * Removes the old mapping and inserts @prev and @next with the ranges and
 * objects that @op gives; they repeat as it did. One of them may be the old
 * mapping itself, which then shrinks; it must be unlinked if its object changes.
 *
 * Context: as drm_gpuva_insert(). If the old mapping is used again and is linked,
 * also the lock of drm_gpuva_link(), since walks over its vm_bo see it shrink.
 * Return: 0; -EINVAL, with nothing changed, if the old mapping is not inserted, or
 * a mapping is missing for a part, or a part is empty, not inside the old mapping,
 * or not behind the other.
 */
int
drm_gpuva_remap(struct drm_gpuva *prev,
		struct drm_gpuva *next,
		const struct drm_gpuva_op_remap *op)
{
	struct drm_gpuva *va = op->unmap->va;
	struct drm_gpuvm *gpuvm = va->vm;
	struct drm_gpuva *first;

	if (!remap_valid(op, prev, next))
		return -EINVAL;

	if (!op->prev && !op->next) {
		drm_gpuva_remove(va);
		return 0;
	}

	first = op->prev ? prev : next;
	replace_va(gpuvm, va, first);
	first->repeat = va->repeat;
	drm_gpuva_init_from_op(first, op->prev ?: op->next);

	if (op->prev && op->next) {
		next->repeat = va->repeat;
		drm_gpuva_init_from_op(next, op->next);
		insert_at(gpuvm, next, prev->rb.entry.next);
		count_mapping(gpuvm);
	}

	/* The request goes on between the parts. */
	WRITE_ONCE(gpuvm->rb.cursor,
		   op->next ? &next->rb.entry : prev->rb.entry.next);

	return 0;
}
EXPORT_SYMBOL_GPL(drm_gpuva_remap);

/**
 * drm_gpuva_unmap() - remove a mapping as an unmap operation says
 * @op: the operation
 *
 * Context: as drm_gpuva_remove().
 */
void
drm_gpuva_unmap(const struct drm_gpuva_op_unmap *op)
{
	drm_gpuva_remove(op->va);
}
EXPORT_SYMBOL_GPL(drm_gpuva_unmap);

/* The units from @addr to @last of a mapping, as an operation that maps them. */
static __always_inline struct drm_gpuva_op_map
va_part(const struct drm_gpuva *va, u64 addr, u64 last)
{
	struct drm_gpuva_op_map part = {
		.va.addr = addr,
		.va.range = last - addr + 1,
		.gem.obj = va->gem.obj,
		.gem.offset = va->gem.offset,
	};

	/* What is repeated hangs on the address alone. */
	if (likely(!va->repeat))
		part.gem.offset += addr - va->va.addr;

	return part;
}

/* Whether a mapping and a request show the same of an object where they meet. */
static bool is_contiguous(const struct drm_gpuva *va,
			  const struct drm_gpuva_op_map *req, u32 repeat)
{
	u64 ahead = repeat ? 0 : va->va.addr - req->va.addr;

	return va->gem.obj && va->gem.obj == req->gem.obj &&
	       va->gem.offset - req->gem.offset == ahead &&
	       va->repeat == repeat;
}

/*
 * What a request with attributes adds to a walk, in which @update and whatever
 * the walk gets its steps from go together. Others pass NULL.
 */
struct walk_attrs {
	const struct drm_gpuvm_req *req;
	const struct drm_gpuvm_steps *steps;
	void *priv;
	int (*update)(struct drm_gpuva_op *op, void *priv);

	/* @updated: there was nothing to unmap, and there is nothing to map */
	bool updated;
};

/* Whether a mapping has all that a request with attributes asks for. */
static bool is_as_requested(const struct drm_gpuva *va,
			    const struct walk_attrs *attrs)
{
	const struct drm_gpuvm_steps *steps = attrs->steps;
	const struct drm_gpuvm_req *req = attrs->req;

	if (req->type != DRM_GPUVM_REQ_MAP)
		return false;

	if ((va->flags ^ req->flags) & ~(steps->ignore | DRM_GPUVA_INVALIDATED))
		return false;

	if (va->gem.obj || req->map.gem.obj) {
		if (!is_contiguous(va, &req->map, req->repeat))
			return false;
	} else if (!(va->flags & req->flags & DRM_GPUVA_SPARSE) && !steps->same) {
		return false;
	}

	return !steps->same || steps->same(va, req, attrs->priv);
}

static __always_inline bool is_kept(const struct drm_gpuva *va,
				    const struct drm_gpuva_op_map *req,
				    const struct walk_attrs *attrs)
{
	return attrs ? is_as_requested(va, attrs) : is_contiguous(va, req, 0);
}

/*
 * All that there is to know about one mapping that a valid request overlaps:
 *
 *	mapping     |-----------------------|
 *	request            |---------|
 *	            |-prev-|---cut---|-next-|
 */
static __always_inline void
split_remains(const struct drm_gpuva *va, const struct drm_gpuva_op_map *req,
	      struct drm_gpuva_split *split)
{
	u64 req_last = req->va.addr + (req->va.range - 1);
	u64 va_last = drm_gpuva_last(va);
	u64 addr = max(va->va.addr, req->va.addr);
	u64 last = min(va_last, req_last);

	split->prev = va_part(va, va->va.addr, addr - 1);
	split->next = va_part(va, last + 1, va_last);
	split->keep = is_contiguous(va, req, 0);
}

/* With the cut, which only step_cut() needs. */
VISIBLE_IF_KUNIT inline void
drm_gpuva_split(const struct drm_gpuva *va, const struct drm_gpuva_op_map *req,
		struct drm_gpuva_split *split)
{
	u64 addr = max(va->va.addr, req->va.addr);

	split_remains(va, req, split);
	split->cut = va_part(va, addr, drm_gpuva_last(va) - split->next.va.range);
}
EXPORT_SYMBOL_IF_KUNIT(drm_gpuva_split);

/* Whether nothing is left of a mapping after a request. */
static bool is_covered(const struct drm_gpuva *va,
		       const struct drm_gpuva_op_map *req)
{
	return space_contains(req->va.addr, req->va.range,
			      va->va.addr, va->va.range);
}

static inline bool req_valid(struct drm_gpuvm *gpuvm,
			     const struct drm_gpuva_op_map *req)
{
	u64 last;

	return range_valid(gpuvm, req->va.addr, req->va.range) &&
	       (!req->gem.obj ||
		range_last(req->gem.offset, req->va.range, &last));
}

/* An object's size is in bytes: a rough check where units are larger. */
static bool content_valid(const struct drm_gpuvm_req *req)
{
	const struct drm_gem_object *obj = req->map.gem.obj;

	if (!obj)
		return !req->repeat;

	if (req->flags & DRM_GPUVA_SPARSE)
		return false;

	if (req->repeat && !is_power_of_2(req->repeat))
		return false;

	return space_contains(0, obj->size, req->map.gem.offset,
			      req->repeat ?: req->map.va.range);
}

static bool request_valid(struct drm_gpuvm *gpuvm,
			  const struct drm_gpuvm_req *req)
{
	if (!range_valid(gpuvm, req->map.va.addr, req->map.va.range))
		return false;

	switch (req->type) {
	case DRM_GPUVM_REQ_MAP:
		return !(req->opts & ~DRM_GPUVM_REQ_UPDATE) &&
		       content_valid(req);
	case DRM_GPUVM_REQ_UNMAP:
		return !req->opts && !req->flags && !req->repeat &&
		       !req->map.gem.obj && !req->map.gem.offset;
	default:
		return false;
	}
}

/*
 * The mappings that a valid request overlaps. Walks look for the next one before
 * they let go of the one at hand, which may then be removed or replaced.
 */
static inline struct drm_gpuva *first_overlap(struct drm_gpuvm *gpuvm,
					      const struct drm_gpuva_op_map *req)
{
	return overlap_at(gpuvm, find_position(gpuvm, req->va.addr),
			  req->va.addr + (req->va.range - 1));
}

static inline struct drm_gpuva *next_overlap(struct drm_gpuva *va,
					     const struct drm_gpuva_op_map *req)
{
	u64 last = req->va.addr + (req->va.range - 1);

	if (drm_gpuva_last(va) >= last)
		return NULL;

	return overlap_at(va->vm, va->rb.entry.next, last);
}

/*
 * Operations and parts are filled in as far as they are used: with options that
 * clear what is on the stack, that would take longer than the step itself.
 */

static __always_inline int
step_map(const struct drm_gpuvm_ops *fn, void *priv,
	 const struct drm_gpuva_op_map *map, const struct drm_gpuvm_req *req)
{
	struct drm_gpuva_op op __uninitialized;

	op.op = DRM_GPUVA_OP_MAP;
	op.map = *map;
	op.req = req;

	return fn->sm_step_map(&op, priv);
}

static int step_update(struct walk_attrs *attrs, void *priv,
		       struct drm_gpuva *va)
{
	struct drm_gpuva_op op __uninitialized;

	op.op = DRM_GPUVA_OP_UPDATE;
	op.update.va = va;
	op.req = attrs->req;
	attrs->updated = true;

	return attrs->update(&op, priv);
}

static int step_unmap(const struct drm_gpuvm_ops *fn, void *priv,
		      struct drm_gpuva *va, bool keep, bool exact,
		      const struct drm_gpuvm_req *req)
{
	struct drm_gpuva_op op __uninitialized;

	op.op = DRM_GPUVA_OP_UNMAP;
	op.unmap.va = va;
	op.unmap.keep = keep;
	op.unmap.exact = exact;
	op.req = req;

	return fn->sm_step_unmap(&op, priv);
}

static int step_remap(const struct drm_gpuvm_ops *fn, void *priv,
		      struct drm_gpuva *va, struct drm_gpuva_split *split,
		      const struct drm_gpuvm_req *req)
{
	struct drm_gpuva_op_unmap unmap = { .va = va, .keep = split->keep };
	struct drm_gpuva_op op __uninitialized;

	op.op = DRM_GPUVA_OP_REMAP;
	op.remap.prev = split->prev.va.range ? &split->prev : NULL;
	op.remap.next = split->next.va.range ? &split->next : NULL;
	op.remap.unmap = &unmap;
	op.req = req;

	return fn->sm_step_remap(&op, priv);
}

/* A mapping that a request covers: it goes, or is what was requested. */
static __always_inline int
step_cover(const struct drm_gpuvm_ops *fn, void *priv, struct drm_gpuva *va,
	   const struct drm_gpuva_op_map *req, struct walk_attrs *attrs)
{
	bool keep = is_kept(va, req, attrs);
	bool exact = attrs && keep && va->va.range == req->va.range;

	if (exact && attrs->req->opts & DRM_GPUVM_REQ_UPDATE)
		return step_update(attrs, priv, va);

	return step_unmap(fn, priv, va, keep, exact, attrs ? attrs->req : NULL);
}

static __always_inline int
split_va(const struct drm_gpuvm_ops *fn, void *priv, struct drm_gpuva *va,
	 const struct drm_gpuva_op_map *req, struct walk_attrs *attrs)
{
	struct drm_gpuva_split split __uninitialized;

	split_remains(va, req, &split);
	if (attrs)
		split.keep = is_kept(va, req, attrs);

	return step_remap(fn, priv, va, &split, attrs ? attrs->req : NULL);
}

/* On their own, since most requests split nothing and need no such stack. */
static noinline int step_split(const struct drm_gpuvm_ops *fn, void *priv,
			       struct drm_gpuva *va,
			       const struct drm_gpuva_op_map *req)
{
	return split_va(fn, priv, va, req, NULL);
}

static noinline int step_split_attrs(const struct drm_gpuvm_ops *fn, void *priv,
				     struct drm_gpuva *va,
				     struct walk_attrs *attrs)
{
	return split_va(fn, priv, va, &attrs->req->map, attrs);
}

/* Cuts one mapping that a request does not cover at its limits. */
static int step_cut(const struct drm_gpuvm_ops *fn, void *priv,
		    struct drm_gpuva *va, const struct drm_gpuva_op_map *req)
{
	struct drm_gpuva_split split __uninitialized;
	int ret;

	drm_gpuva_split(va, req, &split);

	ret = step_remap(fn, priv, va, &split, NULL);
	if (ret)
		return ret;

	return step_map(fn, priv, &split.cut, NULL);
}

/* Makes room for a request. Inlined: most of them find none or one in the way. */
static __always_inline int
walk_clear(struct drm_gpuvm *gpuvm, const struct drm_gpuvm_ops *fn, void *priv,
	   const struct drm_gpuva_op_map *req, struct walk_attrs *attrs)
{
	struct list_head *pos = find_position(gpuvm, req->va.addr);
	struct drm_gpuva *va = entry_to_va(pos), *next;
	int ret;

	/* By first_overlap(), a map of nothing would pay for a second test. */
	if (!overlaps_at(gpuvm, pos, req->va.addr + (req->va.range - 1)))
		return 0;

	do {
		next = next_overlap(va, req);

		if (is_covered(va, req))
			ret = step_cover(fn, priv, va, req, attrs);
		else if (attrs)
			ret = step_split_attrs(fn, priv, va, attrs);
		else
			ret = step_split(fn, priv, va, req);
		if (ret)
			return ret;

		va = next;
	} while (va);

	return 0;
}

static int walk_map(struct drm_gpuvm *gpuvm, const struct drm_gpuvm_ops *fn,
		    void *priv, const struct drm_gpuva_op_map *req)
{
	int ret;

	if (!req_valid(gpuvm, req))
		return -EINVAL;

	ret = walk_clear(gpuvm, fn, priv, req, NULL);
	if (ret)
		return ret;

	return step_map(fn, priv, req, NULL);
}

static int walk_unmap(struct drm_gpuvm *gpuvm, const struct drm_gpuvm_ops *fn,
		      void *priv, u64 addr, u64 range)
{
	/* Without an object, nothing is contiguous: `keep` is never set. */
	struct drm_gpuva_op_map req = { .va.addr = addr, .va.range = range };

	if (!req_valid(gpuvm, &req))
		return -EINVAL;

	return walk_clear(gpuvm, fn, priv, &req, NULL);
}

static int walk_request(struct drm_gpuvm *gpuvm, const struct drm_gpuvm_ops *fn,
			void *priv, struct walk_attrs *attrs)
{
	const struct drm_gpuvm_req *req = attrs->req;
	int ret;

	ret = walk_clear(gpuvm, fn, priv, &req->map, attrs);
	if (ret || attrs->updated || req->type != DRM_GPUVM_REQ_MAP)
		return ret;

	return step_map(fn, priv, &req->map, req);
}

/* Cuts what has no object at the limits of a range; nothing goes. */
static int walk_madvise(struct drm_gpuvm *gpuvm, const struct drm_gpuvm_ops *fn,
			void *priv, u64 addr, u64 range)
{
	struct drm_gpuva_op_map req = { .va.addr = addr, .va.range = range };
	struct drm_gpuva *va, *next;
	int ret;

	if (!req_valid(gpuvm, &req))
		return -EINVAL;

	for (va = first_overlap(gpuvm, &req); va; va = next) {
		next = next_overlap(va, &req);

		if (va->gem.obj || is_covered(va, &req))
			continue;

		ret = step_cut(fn, priv, va, &req);
		if (ret)
			return ret;
	}

	return 0;
}

/* Locks the objects of the mappings that a request would change. */
static int walk_lock(struct drm_gpuvm *gpuvm, struct drm_exec *exec,
		     const struct drm_gpuva_op_map *req)
{
	struct drm_gpuva *va, *next;
	int ret;

	ret = exec_lock_contended(exec);
	if (ret)
		return ret;

	for (va = first_overlap(gpuvm, req); va; va = next) {
		next = next_overlap(va, req);

		if (!va->gem.obj)
			continue;

		ret = drm_exec_lock_obj(exec, va->gem.obj);
		if (ret)
			return ret;
	}

	return 0;
}

/* And the object that it is to show, if there is one. */
static int lock_request(struct drm_gpuvm *gpuvm, struct drm_exec *exec,
			unsigned int num_fences,
			const struct drm_gpuva_op_map *req)
{
	int ret;

	if (req->gem.obj) {
		ret = prepare_obj(exec, req->gem.obj, num_fences);
		if (ret)
			return ret;
	}

	return walk_lock(gpuvm, exec, req);
}

/**
 * drm_gpuvm_sm_map() - carry out a map request, step by step
 * @gpuvm: the VM
 * @priv: passed to the callbacks
 * @req: the request
 *
 * For every mapping that overlaps the requested range, in ascending order, calls
 * &drm_gpuvm_ops.sm_step_unmap if the range covers it all, or
 * &drm_gpuvm_ops.sm_step_remap if a part in front or behind stays; there are at
 * most two of the latter. Ends with &drm_gpuvm_ops.sm_step_map, also if the very
 * same mapping was there already: then an unmap step with
 * &drm_gpuva_op_unmap.keep comes first.
 *
 * A callback may update the VM by drm_gpuva_map(), drm_gpuva_remap() and
 * drm_gpuva_unmap(), for its own step only; or note the step for later, and then
 * there must be no other request before the update.
 *
 * Context: the driver's lock on the VM's mappings. Does not sleep or allocate
 * itself; allowed in fence signalling if the callbacks are.
 * Return: 0; -EINVAL, with no callback called, if one of the three callbacks is
 * missing, drm_gpuvm_range_valid() is not satisfied or the part of the object
 * passes 2^64; what a callback returned, with the steps before it done.
 */
int
drm_gpuvm_sm_map(struct drm_gpuvm *gpuvm, void *priv,
		 const struct drm_gpuvm_map_req *req)
{
	const struct drm_gpuvm_ops *ops = gpuvm->ops;

	if (!ops || !ops->sm_step_map || !ops->sm_step_remap ||
	    !ops->sm_step_unmap)
		return -EINVAL;

	return walk_map(gpuvm, ops, priv, &req->map);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_sm_map);

/**
 * drm_gpuvm_sm_unmap() - carry out an unmap request, step by step
 * @gpuvm: the VM
 * @priv: passed to the callbacks
 * @addr: the first address to unmap
 * @range: the length
 *
 * Calls &drm_gpuvm_ops.sm_step_unmap and &drm_gpuvm_ops.sm_step_remap as
 * drm_gpuvm_sm_map() does; &drm_gpuva_op_unmap.keep is never set.
 *
 * Context: as drm_gpuvm_sm_map().
 * Return: 0, also if nothing was mapped; -EINVAL, with no callback called, if one
 * of the two callbacks is missing or drm_gpuvm_range_valid() is not satisfied;
 * what a callback returned, with the steps before it done.
 */
int
drm_gpuvm_sm_unmap(struct drm_gpuvm *gpuvm, void *priv,
		   u64 addr, u64 range)
{
	const struct drm_gpuvm_ops *ops = gpuvm->ops;

	if (!ops || !ops->sm_step_remap || !ops->sm_step_unmap)
		return -EINVAL;

	return walk_unmap(gpuvm, ops, priv, addr, range);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_sm_unmap);

static bool steps_valid(const struct drm_gpuvm_req *req,
			const struct drm_gpuvm_steps *steps)
{
	return steps->remap && steps->unmap &&
	       (steps->map || req->type != DRM_GPUVM_REQ_MAP) &&
	       (steps->update || !(req->opts & DRM_GPUVM_REQ_UPDATE));
}

/**
 * drm_gpuvm_request() - carry out a request with attributes, step by step
 * @gpuvm: the VM
 * @req: the request
 * @steps: the callbacks
 * @priv: passed to the callbacks
 *
 * As drm_gpuvm_sm_map() and drm_gpuvm_sm_unmap(), by the callbacks of @steps
 * rather than those of the VM, and with all that a mapping has beside its object.
 *
 * A mapping is the same as a request to map if both show the same part of the same
 * object where they meet, or both are sparse, or both have no object and
 * &drm_gpuvm_steps.same says so; and &drm_gpuva.flags, but for
 * &drm_gpuvm_steps.ignore, and &drm_gpuva.repeat agree; and &drm_gpuvm_steps.same,
 * if there is one, does not object. &drm_gpuva_op_unmap.keep tells that,
 * &drm_gpuva_op_unmap.exact that in addition the range is equal. Then, with
 * &DRM_GPUVM_REQ_UPDATE, there is one &DRM_GPUVA_OP_UPDATE and nothing else.
 *
 * The steps may do what those of drm_gpuvm_sm_map() may; drm_gpuva_op_apply() is
 * made for them. The parts that a remap operation leaves are to have the flags of
 * the mapping that they were.
 *
 * Context: the driver's lock on the VM's mappings. Does not sleep or allocate
 * itself; allowed in fence signalling if the callbacks are.
 * Return: 0; -EINVAL, with no callback called, if a callback is missing,
 * drm_gpuvm_range_valid() is not satisfied, or @req is not as its members ask for:
 * an unknown type or option, a sparse mapping with an object, a repetition that is
 * no power of two or has no object, a part that is not inside the object; what a
 * callback returned, with the steps before it done.
 */
int
drm_gpuvm_request(struct drm_gpuvm *gpuvm, const struct drm_gpuvm_req *req,
		  const struct drm_gpuvm_steps *steps, void *priv)
{
	struct walk_attrs attrs = {
		.req = req, .steps = steps, .priv = priv,
		.update = steps->update,
	};
	const struct drm_gpuvm_ops fn = {
		.sm_step_map = steps->map,
		.sm_step_remap = steps->remap,
		.sm_step_unmap = steps->unmap,
	};

	if (!request_valid(gpuvm, req) || !steps_valid(req, steps))
		return -EINVAL;

	return walk_request(gpuvm, &fn, priv, &attrs);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_request);

/**
 * drm_gpuvm_sm_map_exec_lock() - lock the objects that a map request is about
 * @gpuvm: the VM
 * @exec: the locking context; has to ignore duplicates
 * @num_fences: the number of fence slots to reserve for the new object; 0 to lock
 *	only
 * @req: the request
 *
 * Locks the object to map, and those of the mappings that drm_gpuvm_sm_map()
 * would unmap or remap. Nothing is changed. To lock for several requests, call
 * this and drm_gpuvm_sm_unmap_exec_lock() for each of them before the first is
 * carried out: what an earlier one brings in is locked already, and what it takes
 * away does no harm.
 *
 * Context: inside drm_exec_until_all_locked(), with the driver's lock on the VM's
 * mappings.
 * Return: as drm_gpuvm_prepare_vm(); -EINVAL, with nothing locked, if
 * drm_gpuvm_sm_map() would refuse the request.
 */
int
drm_gpuvm_sm_map_exec_lock(struct drm_gpuvm *gpuvm,
			   struct drm_exec *exec, unsigned int num_fences,
			   struct drm_gpuvm_map_req *req)
{
	if (!req_valid(gpuvm, &req->map))
		return -EINVAL;

	return lock_request(gpuvm, exec, num_fences, &req->map);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_sm_map_exec_lock);

/**
 * drm_gpuvm_sm_unmap_exec_lock() - lock the objects that an unmap request is
 * about
 * @gpuvm: the VM
 * @exec: the locking context; has to ignore duplicates
 * @addr: the first address to unmap
 * @range: the length
 *
 * Context: as drm_gpuvm_sm_map_exec_lock().
 * Return: as drm_gpuvm_prepare_vm(); -EINVAL, with nothing locked, if
 * drm_gpuvm_sm_unmap() would refuse the request.
 */
int
drm_gpuvm_sm_unmap_exec_lock(struct drm_gpuvm *gpuvm, struct drm_exec *exec,
			     u64 addr, u64 range)
{
	struct drm_gpuva_op_map req = { .va.addr = addr, .va.range = range };

	if (!req_valid(gpuvm, &req))
		return -EINVAL;

	return walk_lock(gpuvm, exec, &req);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_sm_unmap_exec_lock);

/**
 * drm_gpuvm_request_exec_lock() - lock the objects that a request with attributes
 * is about
 * @gpuvm: the VM
 * @exec: the locking context; has to ignore duplicates
 * @num_fences: the number of fence slots to reserve for the new object; 0 to lock
 *	only
 * @req: the request
 *
 * As drm_gpuvm_sm_map_exec_lock(), also for requests to unmap.
 *
 * Context: as drm_gpuvm_sm_map_exec_lock().
 * Return: as drm_gpuvm_prepare_vm(); -EINVAL, with nothing locked, if
 * drm_gpuvm_request() would refuse the request.
 */
int
drm_gpuvm_request_exec_lock(struct drm_gpuvm *gpuvm, struct drm_exec *exec,
			    unsigned int num_fences,
			    const struct drm_gpuvm_req *req)
{
	if (!request_valid(gpuvm, req))
		return -EINVAL;

	return lock_request(gpuvm, exec, num_fences, &req->map);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_request_exec_lock);

/* The first address of the entry around an address, if there can be one. */
static u64 entry_first(const struct drm_gpuva *va, u64 addr, u64 granule)
{
	u64 first = addr & ~(granule - 1);

	return space_contains(va->va.addr, va->va.range, first, granule) ?
	       first : addr;
}

static u64 entry_last(const struct drm_gpuva *va, u64 addr, u64 granule)
{
	u64 first = addr & ~(granule - 1);

	return space_contains(va->va.addr, va->va.range, first, granule) ?
	       first + (granule - 1) : addr;
}

/**
 * drm_gpuva_op_remap_widen() - which page table entries a remap operation breaks up
 * @op: the operation, before or after it was carried out, with the old mapping as
 *	it was
 * @front_granule: the size of the entry around the first address that is taken
 *	away, a power of two
 * @back_granule: the size of the entry around the last one
 * @span: to be filled in
 *
 * An entry that shows more than what is taken away goes as a whole, and what it
 * showed of the parts that stay has to be written again, by smaller entries. The
 * granules are those of the entries that are in the table, which only the driver
 * can tell; the same for both sides if it is one entry. Where it does not know, the
 * largest possible size will do: an entry that is not wholly inside the mapping, or
 * begins or ends where the cut does, is not broken up.
 *
 * Context: any.
 */
void
drm_gpuva_op_remap_widen(const struct drm_gpuva_op_remap *op,
			 u64 front_granule, u64 back_granule,
			 struct drm_gpuva_remap_span *span)
{
	const struct drm_gpuva *va = op->unmap->va;
	u64 addr, range, first, last;

	drm_gpuva_op_remap_to_unmap_range(op, &addr, &range);
	first = entry_first(va, addr, front_granule);
	last = entry_last(va, addr + (range - 1), back_granule);

	span->addr = first;
	span->range = last - first + 1;
	span->front = va_part(va, first, addr - 1);
	span->back = va_part(va, addr + range, last);
}
EXPORT_SYMBOL_GPL(drm_gpuva_op_remap_widen);

/* ---- Op lists ---------------------------------------------------------- */

/* What a remap operation points to; allocated as one, and with it if possible. */
struct op_parts {
	struct drm_gpuva_op_unmap unmap;
	struct drm_gpuva_op_map prev;
	struct drm_gpuva_op_map next;
};

struct op_with_parts {
	struct drm_gpuva_op op;
	struct op_parts parts;
};

static bool driver_allocates_ops(struct drm_gpuvm *gpuvm)
{
	return gpuvm->ops && gpuvm->ops->op_alloc;
}

static struct drm_gpuva_op *op_alloc(struct drm_gpuvm *gpuvm)
{
	if (driver_allocates_ops(gpuvm))
		return gpuvm->ops->op_alloc();

	return drm_gpuvm_alloc(sizeof(struct drm_gpuva_op));
}

static void op_set_parts(struct drm_gpuva_op *op, struct op_parts *parts)
{
	op->remap.unmap = &parts->unmap;
	op->remap.prev = &parts->prev;
	op->remap.next = &parts->next;
}

static struct drm_gpuva_op *op_alloc_with_parts(struct drm_gpuvm *gpuvm)
{
	struct op_with_parts *both;
	struct drm_gpuva_op *op;
	struct op_parts *parts;

	if (!driver_allocates_ops(gpuvm)) {
		both = drm_gpuvm_alloc(sizeof(*both));
		if (!both)
			return NULL;

		op_set_parts(&both->op, &both->parts);
		return &both->op;
	}

	parts = drm_gpuvm_alloc(sizeof(*parts));
	if (!parts)
		return NULL;

	op = gpuvm->ops->op_alloc();
	if (!op) {
		kfree(parts);
		return NULL;
	}

	op_set_parts(op, parts);
	return op;
}

static void op_free(struct drm_gpuvm *gpuvm, struct drm_gpuva_op *op)
{
	if (op->op == DRM_GPUVA_OP_REMAP && driver_allocates_ops(gpuvm))
		kfree(container_of(op->remap.unmap, struct op_parts, unmap));

	if (gpuvm->ops && gpuvm->ops->op_free)
		gpuvm->ops->op_free(op);
	else
		kfree(op);
}

/* Takes the part over if there is one; says where it is then. */
static struct drm_gpuva_op_map *op_copy_part(struct drm_gpuva_op_map *to,
					     const struct drm_gpuva_op_map *from)
{
	if (!from)
		return NULL;

	*to = *from;

	return to;
}

static struct drm_gpuva_op *op_dup_remap(struct drm_gpuvm *gpuvm,
					 const struct drm_gpuva_op *step)
{
	struct drm_gpuva_op *op = op_alloc_with_parts(gpuvm);

	if (!op)
		return NULL;

	op->op = DRM_GPUVA_OP_REMAP;
	op->req = step->req;
	*op->remap.unmap = *step->remap.unmap;
	op->remap.prev = op_copy_part(op->remap.prev, step->remap.prev);
	op->remap.next = op_copy_part(op->remap.next, step->remap.next);

	return op;
}

static struct drm_gpuva_op *op_dup_plain(struct drm_gpuvm *gpuvm,
					 const struct drm_gpuva_op *step)
{
	struct drm_gpuva_op *op = op_alloc(gpuvm);

	if (op)
		*op = *step;

	return op;
}

struct op_list_ctx {
	struct drm_gpuvm *gpuvm;
	struct drm_gpuva_ops *ops;
};

/* A step that is not carried out but noted. */
static int step_note(struct drm_gpuva_op *step, void *priv)
{
	struct op_list_ctx *ctx = priv;
	struct drm_gpuva_op *op;

	if (step->op == DRM_GPUVA_OP_REMAP)
		op = op_dup_remap(ctx->gpuvm, step);
	else
		op = op_dup_plain(ctx->gpuvm, step);
	if (!op)
		return -ENOMEM;

	list_add_tail(&op->entry, &ctx->ops->list);

	return 0;
}

static const struct drm_gpuvm_ops note_ops = {
	.sm_step_map = step_note,
	.sm_step_remap = step_note,
	.sm_step_unmap = step_note,
};

static int op_list_begin(struct drm_gpuvm *gpuvm, struct op_list_ctx *ctx)
{
	ctx->gpuvm = gpuvm;
	ctx->ops = drm_gpuvm_alloc(sizeof(*ctx->ops));
	if (!ctx->ops)
		return -ENOMEM;

	INIT_LIST_HEAD(&ctx->ops->list);

	return 0;
}

static struct drm_gpuva_ops *op_list_end(struct op_list_ctx *ctx, int ret)
{
	if (!ret)
		return ctx->ops;

	if (ctx->ops)
		drm_gpuva_ops_free(ctx->gpuvm, ctx->ops);

	return ERR_PTR(ret);
}

/**
 * drm_gpuvm_sm_map_ops_create() - list the operations of a map request
 * @gpuvm: the VM
 * @req: the request
 *
 * The operations are those that drm_gpuvm_sm_map() would call back for, in the
 * same order. They are to be carried out, or given up, before the next request.
 *
 * Context: process, with the driver's lock on the VM's mappings; allocates.
 * Return: the list, which drm_gpuva_ops_free() frees; ERR_PTR(-EINVAL) if
 * drm_gpuvm_sm_map() would refuse the request; ERR_PTR(-ENOMEM).
 */
struct drm_gpuva_ops *
drm_gpuvm_sm_map_ops_create(struct drm_gpuvm *gpuvm,
			    const struct drm_gpuvm_map_req *req)
{
	struct op_list_ctx ctx;
	int ret;

	ret = op_list_begin(gpuvm, &ctx);
	if (!ret)
		ret = walk_map(gpuvm, &note_ops, &ctx, &req->map);

	return op_list_end(&ctx, ret);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_sm_map_ops_create);

/**
 * drm_gpuvm_request_ops_create() - list the operations of a request with
 * attributes
 * @gpuvm: the VM
 * @req: the request; &drm_gpuva_op.req points to it, so it has to outlast the list
 * @steps: &drm_gpuvm_steps.same and &drm_gpuvm_steps.ignore; the rest is not used
 * @priv: passed to &drm_gpuvm_steps.same
 *
 * The operations are those that drm_gpuvm_request() would call back for, in the
 * same order. They are to be carried out, or given up, before the next request.
 *
 * Context: process, with the driver's lock on the VM's mappings; allocates.
 * Return: the list, maybe empty, which drm_gpuva_ops_free() frees;
 * ERR_PTR(-EINVAL) if drm_gpuvm_request() would refuse the request;
 * ERR_PTR(-ENOMEM).
 */
struct drm_gpuva_ops *
drm_gpuvm_request_ops_create(struct drm_gpuvm *gpuvm,
			     const struct drm_gpuvm_req *req,
			     const struct drm_gpuvm_steps *steps, void *priv)
{
	struct walk_attrs attrs = {
		.req = req, .steps = steps, .priv = priv,
		.update = step_note,
	};
	struct op_list_ctx ctx;
	int ret;

	if (!request_valid(gpuvm, req))
		return ERR_PTR(-EINVAL);

	ret = op_list_begin(gpuvm, &ctx);
	if (!ret)
		ret = walk_request(gpuvm, &note_ops, &ctx, &attrs);

	return op_list_end(&ctx, ret);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_request_ops_create);

/**
 * drm_gpuvm_madvise_ops_create() - list the operations that cut mappings at the
 * limits of a range
 * @gpuvm: the VM
 * @req: the range; its object and offset are not used
 *
 * For every mapping without an object that the range cuts in two or three, there
 * is a remap operation, and then a map operation for the part inside, with the
 * offset that belongs to it. Mappings that are inside as a whole, and those with
 * an object, stay as they are; hence there are at most two of each.
 *
 * Context: process, with the driver's lock on the VM's mappings; allocates.
 * Return: the list, which drm_gpuva_ops_free() frees; ERR_PTR(-EINVAL) if
 * drm_gpuvm_range_valid() is not satisfied; ERR_PTR(-ENOMEM).
 */
struct drm_gpuva_ops *
drm_gpuvm_madvise_ops_create(struct drm_gpuvm *gpuvm,
			     const struct drm_gpuvm_map_req *req)
{
	struct op_list_ctx ctx;
	int ret;

	ret = op_list_begin(gpuvm, &ctx);
	if (!ret)
		ret = walk_madvise(gpuvm, &note_ops, &ctx,
				   req->map.va.addr, req->map.va.range);

	return op_list_end(&ctx, ret);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_madvise_ops_create);

/**
 * drm_gpuvm_sm_unmap_ops_create() - list the operations of an unmap request
 * @gpuvm: the VM
 * @addr: the first address to unmap
 * @range: the length
 *
 * The operations are those that drm_gpuvm_sm_unmap() would call back for, in the
 * same order. They are to be carried out, or given up, before the next request.
 *
 * Context: process, with the driver's lock on the VM's mappings; allocates.
 * Return: the list, maybe empty, which drm_gpuva_ops_free() frees;
 * ERR_PTR(-EINVAL) if drm_gpuvm_range_valid() is not satisfied; ERR_PTR(-ENOMEM).
 */
struct drm_gpuva_ops *
drm_gpuvm_sm_unmap_ops_create(struct drm_gpuvm *gpuvm,
			      u64 addr, u64 range)
{
	struct op_list_ctx ctx;
	int ret;

	ret = op_list_begin(gpuvm, &ctx);
	if (!ret)
		ret = walk_unmap(gpuvm, &note_ops, &ctx, addr, range);

	return op_list_end(&ctx, ret);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_sm_unmap_ops_create);

static int walk_prefetch(struct op_list_ctx *ctx,
			 const struct drm_gpuva_op_map *req)
{
	struct drm_gpuva_op op = { .op = DRM_GPUVA_OP_PREFETCH };
	struct drm_gpuva *va;
	int ret;

	if (!req_valid(ctx->gpuvm, req))
		return -EINVAL;

	for (va = first_overlap(ctx->gpuvm, req); va; va = next_overlap(va, req)) {
		op.prefetch.va = va;
		ret = step_note(&op, ctx);
		if (ret)
			return ret;
	}

	return 0;
}

/**
 * drm_gpuvm_prefetch_ops_create() - list the mappings of a range
 * @gpuvm: the VM
 * @addr: the first address
 * @range: the length
 *
 * There is a prefetch operation for each mapping that overlaps the range, in
 * ascending order.
 *
 * Context: process, with the driver's lock on the VM's mappings; allocates.
 * Return: the list, maybe empty, which drm_gpuva_ops_free() frees;
 * ERR_PTR(-EINVAL) if drm_gpuvm_range_valid() is not satisfied; ERR_PTR(-ENOMEM).
 */
struct drm_gpuva_ops *
drm_gpuvm_prefetch_ops_create(struct drm_gpuvm *gpuvm,
			      u64 addr, u64 range)
{
	struct drm_gpuva_op_map req = { .va.addr = addr, .va.range = range };
	struct op_list_ctx ctx;
	int ret;

	ret = op_list_begin(gpuvm, &ctx);
	if (!ret)
		ret = walk_prefetch(&ctx, &req);

	return op_list_end(&ctx, ret);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_prefetch_ops_create);

static int walk_bo(struct op_list_ctx *ctx, struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gpuva *va;
	int ret;

	drm_gpuvm_bo_for_each_va(va, vm_bo) {
		ret = step_unmap(&note_ops, ctx, va, false, false, NULL);
		if (ret)
			return ret;
	}

	return 0;
}

/**
 * drm_gpuvm_bo_unmap_ops_create() - list what unmaps an object from a VM
 * @vm_bo: the vm_bo of the two
 *
 * There is an unmap operation for each mapping that is linked to @vm_bo, in the
 * order of linking.
 *
 * Context: process, with the object's resv, or &drm_gem_object.gpuva's lock in
 * immediate mode; allocates, which is not allowed under that lock if it is also
 * taken in fence signalling.
 * Return: the list, maybe empty, which drm_gpuva_ops_free() frees;
 * ERR_PTR(-ENOMEM).
 */
struct drm_gpuva_ops *
drm_gpuvm_bo_unmap_ops_create(struct drm_gpuvm_bo *vm_bo)
{
	struct op_list_ctx ctx;
	int ret;

	drm_gem_gpuva_assert_lock_held(vm_bo->vm, vm_bo->obj);

	ret = op_list_begin(vm_bo->vm, &ctx);
	if (!ret)
		ret = walk_bo(&ctx, vm_bo);

	return op_list_end(&ctx, ret);
}
EXPORT_SYMBOL_GPL(drm_gpuvm_bo_unmap_ops_create);

/**
 * drm_gpuva_ops_free() - free a list of operations
 * @gpuvm: the VM that it was made for
 * @ops: the list
 *
 * Frees the operations that are on the list, by &drm_gpuvm_ops.op_free if there
 * is one, and the list itself. The mappings that they name are not touched.
 *
 * Context: any that &drm_gpuvm_ops.op_free can stand.
 */
void
drm_gpuva_ops_free(struct drm_gpuvm *gpuvm,
		   struct drm_gpuva_ops *ops)
{
	struct drm_gpuva_op *op, *next;

	drm_gpuva_for_each_op_safe(op, next, ops) {
		list_del(&op->entry);
		op_free(gpuvm, op);
	}

	kfree(ops);
}
EXPORT_SYMBOL_GPL(drm_gpuva_ops_free);

/* ---- Tear-down --------------------------------------------------------- */

/*
 * The callback may free the mapping: whether it is still there can only be told
 * by its neighbour.
 */
static int tear_down(struct drm_gpuva *va, const struct drm_gpuvm_steps *steps,
		     void *priv)
{
	struct drm_gpuva_op op = { .op = DRM_GPUVA_OP_UNMAP, .unmap.va = va };
	struct list_head *entry = &va->rb.entry, *next = entry->next;
	int ret = steps->unmap(&op, priv);

	return ret ?: next->prev == entry ? -EIO : 0;
}

/**
 * drm_gpuva_unmap_step() - have one mapping unmapped
 * @va: the mapping
 * @steps: &drm_gpuvm_steps.unmap; the rest is not used
 * @priv: passed to the callback
 *
 * The callback has to take the mapping out of the VM, now; &drm_gpuva_op.req is
 * NULL.
 *
 * Context: as for drm_gpuvm_request(); the caller has a reference on the VM.
 * Return: 0; -EINVAL, with no callback called, if there is none, or @va is not
 * inserted, or is the reserved range; what the callback returned; -EIO if it
 * returned 0 and the mapping is still there.
 */
int
drm_gpuva_unmap_step(struct drm_gpuva *va, const struct drm_gpuvm_steps *steps,
		     void *priv)
{
	if (!steps->unmap || !va_inserted(va) || va == &va->vm->kernel_alloc_node)
		return -EINVAL;

	return tear_down(va, steps, priv);
}
EXPORT_SYMBOL_GPL(drm_gpuva_unmap_step);

/**
 * drm_gpuvm_bo_unmap() - have all mappings of an object unmapped
 * @vm_bo: the vm_bo of the VM and the object
 * @steps: &drm_gpuvm_steps.unmap; the rest is not used
 * @priv: passed to the callback
 *
 * Calls back for each mapping that is linked to @vm_bo, as drm_gpuva_unmap_step()
 * does; an error does not keep it from the others. Needs no memory, and splits
 * nothing.
 *
 * Context: as for drm_gpuvm_request(), with nobody else linking or unlinking
 * mappings of this VM; not in immediate mode also the object's resv. In immediate
 * mode without &drm_gem_object.gpuva's lock, which drm_gpuva_unlink_defer() takes.
 * The caller has a reference on @vm_bo.
 * Return: 0; -EINVAL if there is no callback; the first error of
 * drm_gpuva_unmap_step() for any of the mappings.
 */
int
drm_gpuvm_bo_unmap(struct drm_gpuvm_bo *vm_bo,
		   const struct drm_gpuvm_steps *steps, void *priv)
{
	struct drm_gpuva *va, *next;
	int err, ret = 0;

	if (!steps->unmap)
		return -EINVAL;

	if (!drm_gpuvm_immediate_mode(vm_bo->vm))
		dma_resv_assert_held(vm_bo->obj->resv);

	drm_gpuvm_bo_for_each_va_safe(va, next, vm_bo) {
		err = tear_down(va, steps, priv);
		ret = ret ?: err;
	}

	return ret;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_bo_unmap);

/**
 * drm_gpuvm_unmap_all() - have all mappings of a VM unmapped
 * @gpuvm: the VM
 * @steps: &drm_gpuvm_steps.unmap; the rest is not used
 * @priv: passed to the callback
 *
 * Calls back for each mapping in ascending order, as drm_gpuva_unmap_step() does;
 * an error does not keep it from the others. Needs no memory, and splits nothing.
 *
 * Context: as for drm_gpuvm_request(); the caller has a reference on @gpuvm.
 * Return: 0; -EINVAL if there is no callback; the first error of
 * drm_gpuva_unmap_step() for any of the mappings.
 */
int
drm_gpuvm_unmap_all(struct drm_gpuvm *gpuvm, const struct drm_gpuvm_steps *steps,
		    void *priv)
{
	struct drm_gpuva *va, *next;
	int err, ret = 0;

	if (!steps->unmap)
		return -EINVAL;

	drm_gpuvm_for_each_mapping_safe(va, next, gpuvm) {
		err = tear_down(va, steps, priv);
		ret = ret ?: err;
	}

	return ret;
}
EXPORT_SYMBOL_GPL(drm_gpuvm_unmap_all);

/* ---- Stock ------------------------------------------------------------- */

/*
 * Spare and retired mappings are on lists through the entry that inserted ones
 * have in their VM's list. Whether one is inserted is told by its tree node.
 */

/**
 * drm_gpuva_stock_init() - set up an empty stock
 * @stock: the stock
 * @gpuvm: the VM; the caller sees to it that it outlasts the stock
 * @ops: the callbacks; &drm_gpuva_stock_ops.alloc and &drm_gpuva_stock_ops.free
 *	are mandatory
 *
 * Context: any.
 */
void
drm_gpuva_stock_init(struct drm_gpuva_stock *stock, struct drm_gpuvm *gpuvm,
		     const struct drm_gpuva_stock_ops *ops)
{
	stock->vm = gpuvm;
	stock->ops = ops;
	INIT_LIST_HEAD(&stock->spare);
	INIT_LIST_HEAD(&stock->retired);
	stock->num = 0;
}
EXPORT_SYMBOL_GPL(drm_gpuva_stock_init);

/**
 * drm_gpuva_stock_fill() - have so many mappings in a stock
 * @stock: the stock
 * @num: how many have to be there to take; for a request,
 *	drm_gpuvm_req_max_vas()
 *
 * Allocates those that are missing.
 *
 * Context: process, may sleep. Not allowed in fence signalling.
 * Return: 0; -ENOMEM, with fewer in the stock, which is as good as before.
 */
int
drm_gpuva_stock_fill(struct drm_gpuva_stock *stock, unsigned int num)
{
	struct drm_gpuva *va;

	might_sleep();

	while (stock->num < num) {
		va = stock->ops->alloc(stock);
		if (!va)
			return -ENOMEM;

		drm_gpuva_stock_put(stock, va);
	}

	return 0;
}
EXPORT_SYMBOL_GPL(drm_gpuva_stock_fill);

/**
 * drm_gpuva_stock_take() - take a mapping out of a stock
 * @stock: the stock
 *
 * Context: any; allowed in fence signalling.
 * Return: a mapping that is the caller's now; NULL if there is none.
 */
struct drm_gpuva *
drm_gpuva_stock_take(struct drm_gpuva_stock *stock)
{
	struct drm_gpuva *va;

	va = list_first_entry_or_null(&stock->spare, struct drm_gpuva, rb.entry);
	if (va) {
		list_del_init(&va->rb.entry);
		stock->num--;
	}

	return va;
}
EXPORT_SYMBOL_GPL(drm_gpuva_stock_take);

/**
 * drm_gpuva_stock_put() - put a mapping into a stock, to be taken
 * @stock: the stock
 * @va: the mapping, as it was when it was allocated or taken
 *
 * Context: any; allowed in fence signalling.
 */
void
drm_gpuva_stock_put(struct drm_gpuva_stock *stock, struct drm_gpuva *va)
{
	list_add(&va->rb.entry, &stock->spare);
	stock->num++;
}
EXPORT_SYMBOL_GPL(drm_gpuva_stock_put);

/**
 * drm_gpuva_stock_retire() - have a mapping freed by drm_gpuva_stock_drain()
 * @stock: the stock
 * @va: the mapping, neither inserted nor linked any more
 *
 * Context: any; allowed in fence signalling.
 */
void
drm_gpuva_stock_retire(struct drm_gpuva_stock *stock, struct drm_gpuva *va)
{
	drm_WARN_ON_ONCE(stock->vm->drm, va_inserted(va) || va->vm_bo);
	list_add_tail(&va->rb.entry, &stock->retired);
}
EXPORT_SYMBOL_GPL(drm_gpuva_stock_retire);

static void free_all(struct drm_gpuva_stock *stock, struct list_head *vas)
{
	struct drm_gpuva *va, *next;

	list_for_each_entry_safe(va, next, vas, rb.entry) {
		list_del_init(&va->rb.entry);
		stock->ops->free(stock, va);
	}
}

/**
 * drm_gpuva_stock_drain() - free all that is in a stock
 * @stock: the stock; afterwards it is empty and can be filled again
 *
 * Frees the mappings that were not taken, and those that are retired. In immediate
 * mode, what the latter leave of vm_bos is gone, too, when this returns: it calls
 * drm_gpuvm_bo_deferred_cleanup(), and drm_gpuvm_flush_cleanup() if a work has it.
 *
 * Context: process, may sleep; as for drm_gpuvm_bo_deferred_cleanup() in immediate
 * mode, otherwise what &drm_gpuva_stock_ops.free can stand. Not allowed in fence
 * signalling.
 */
void
drm_gpuva_stock_drain(struct drm_gpuva_stock *stock)
{
	might_sleep();

	free_all(stock, &stock->spare);
	free_all(stock, &stock->retired);
	stock->num = 0;

	if (drm_gpuvm_immediate_mode(stock->vm))
		drm_gpuvm_bo_deferred_cleanup(stock->vm);
	if (stock->vm->flags & DRM_GPUVM_AUTO_CLEANUP)
		drm_gpuvm_flush_cleanup(stock->vm);
}
EXPORT_SYMBOL_GPL(drm_gpuva_stock_drain);

static void init_taken(struct drm_gpuva_stock *stock, struct drm_gpuva *va,
		       const struct drm_gpuva *old, const struct drm_gpuva_op *op)
{
	if (va && stock->ops->init)
		stock->ops->init(stock, va, old, op);
}

/* In immediate mode, the lock of drm_gpuva_link() is taken here. */
static void links_lock(struct drm_gpuvm *gpuvm, struct drm_gem_object *obj)
{
	if (drm_gpuvm_immediate_mode(gpuvm))
		mutex_lock(&obj->gpuva.lock);
}

static void links_unlock(struct drm_gpuvm *gpuvm, struct drm_gem_object *obj)
{
	if (drm_gpuvm_immediate_mode(gpuvm))
		mutex_unlock(&obj->gpuva.lock);
}

static int apply_map(const struct drm_gpuva_op *op,
		     struct drm_gpuva_stock *stock, struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gem_object *obj = op->map.gem.obj;
	struct drm_gpuva *va;
	int ret;

	if (obj && (!vm_bo || vm_bo->obj != obj || vm_bo->vm != stock->vm))
		return -EINVAL;

	va = drm_gpuva_stock_take(stock);
	va->flags = op->req ? op->req->flags : 0;
	va->repeat = op->req ? op->req->repeat : 0;

	ret = drm_gpuva_map(stock->vm, va, &op->map);
	if (ret) {
		va->gem.obj = NULL;
		drm_gpuva_stock_put(stock, va);
		return ret;
	}

	init_taken(stock, va, NULL, op);
	if (obj) {
		links_lock(stock->vm, obj);
		drm_gpuva_link(va, vm_bo);
		links_unlock(stock->vm, obj);
	}

	return 0;
}

/* The parts come first: they keep the vm_bo. */
static void move_links(struct drm_gpuva *old, struct drm_gpuva *prev,
		       struct drm_gpuva *next)
{
	if (!va_linked(old))
		return;

	links_lock(old->vm, old->gem.obj);
	if (prev)
		drm_gpuva_link(prev, old->vm_bo);
	if (next)
		drm_gpuva_link(next, old->vm_bo);
	unlink_va(old);
	links_unlock(old->vm, old->gem.obj);
}

static struct drm_gpuva *take_part(struct drm_gpuva_stock *stock,
				   const struct drm_gpuva *old,
				   const struct drm_gpuva_op_map *part)
{
	struct drm_gpuva *va;

	if (!part)
		return NULL;

	va = drm_gpuva_stock_take(stock);
	va->flags = old->flags;

	return va;
}

static int apply_remap(const struct drm_gpuva_op *op,
		       struct drm_gpuva_stock *stock)
{
	struct drm_gpuva *old = op->remap.unmap->va;
	struct drm_gpuva *prev = take_part(stock, old, op->remap.prev);
	struct drm_gpuva *next = take_part(stock, old, op->remap.next);
	int ret;

	ret = drm_gpuva_remap(prev, next, &op->remap);
	if (ret) {
		if (prev)
			drm_gpuva_stock_put(stock, prev);
		if (next)
			drm_gpuva_stock_put(stock, next);
		return ret;
	}

	init_taken(stock, prev, old, op);
	init_taken(stock, next, old, op);
	move_links(old, prev, next);
	drm_gpuva_stock_retire(stock, old);

	return 0;
}

static int apply_unmap(struct drm_gpuva *va, struct drm_gpuva_stock *stock)
{
	if (!va_inserted(va))
		return -EINVAL;

	drm_gpuva_remove(va);
	if (drm_gpuvm_immediate_mode(stock->vm))
		drm_gpuva_unlink_defer(va);
	else
		drm_gpuva_unlink(va);
	drm_gpuva_stock_retire(stock, va);

	return 0;
}

/* Whether the page tables show the mapping is no matter of requests. */
static void apply_update(const struct drm_gpuva_op *op)
{
	struct drm_gpuva *va = op->update.va;

	va->flags = (op->req->flags & ~DRM_GPUVA_INVALIDATED) |
		    (va->flags & DRM_GPUVA_INVALIDATED);
}

static unsigned int op_num_vas(const struct drm_gpuva_op *op)
{
	switch (op->op) {
	case DRM_GPUVA_OP_MAP:
		return 1;
	case DRM_GPUVA_OP_REMAP:
		return !!op->remap.prev + !!op->remap.next;
	default:
		return 0;
	}
}

/**
 * drm_gpuva_op_apply() - do in the VM what an operation says
 * @op: the operation; those of the older entry points will do, too
 * @stock: where mappings are taken from, and where those that are done with go
 * @vm_bo: for a map operation with an object, the vm_bo of that and of the VM; it
 *	is not used otherwise
 *
 * Map: inserts a mapping, with the flags and the repetition that were requested
 * (none by the older entry points), and links it. Remap: puts mappings for the
 * parts, with the flags and the repetition of the old one, in its place, and moves
 * the links. Unmap: removes the mapping and unlinks it; in immediate mode, what is
 * left of its vm_bo waits for drm_gpuvm_bo_deferred_cleanup(). Update: gives the
 * mapping the flags that were requested, but for &DRM_GPUVA_INVALIDATED. Prefetch:
 * nothing.
 *
 * Mappings that are gone are retired into @stock, and stay as they were; so do the
 * pointers in @op, until the stock is drained.
 *
 * Context: the driver's lock on the VM's mappings; in immediate mode takes
 * &drm_gem_object.gpuva's lock, otherwise with the object's resv, as for
 * drm_gpuva_unlink(). Does not allocate; allowed in fence signalling in immediate
 * mode.
 * Return: 0; with nothing changed, -ENOMEM, and once a warning, if there are not
 * enough mappings in @stock; -EINVAL, if @vm_bo is not the right one, the operation
 * can not be done (drm_gpuva_map(), drm_gpuva_remap()) or is unknown; -EEXIST as
 * drm_gpuva_map().
 */
int
drm_gpuva_op_apply(const struct drm_gpuva_op *op, struct drm_gpuva_stock *stock,
		   struct drm_gpuvm_bo *vm_bo)
{
	if (drm_WARN_ON_ONCE(stock->vm->drm, stock->num < op_num_vas(op)))
		return -ENOMEM;

	switch (op->op) {
	case DRM_GPUVA_OP_MAP:
		return apply_map(op, stock, vm_bo);
	case DRM_GPUVA_OP_REMAP:
		return apply_remap(op, stock);
	case DRM_GPUVA_OP_UNMAP:
		return apply_unmap(op->unmap.va, stock);
	case DRM_GPUVA_OP_UPDATE:
		apply_update(op);
		return 0;
	case DRM_GPUVA_OP_PREFETCH:
		return 0;
	default:
		return -EINVAL;
	}
}
EXPORT_SYMBOL_GPL(drm_gpuva_op_apply);

/* Before the drivers, also if none of them is a module. */
static int __init gpuvm_module_init(void)
{
	cleanup_queue = alloc_workqueue("drm_gpuvm", WQ_UNBOUND | WQ_MEM_RECLAIM,
					0);

	return cleanup_queue ? 0 : -ENOMEM;
}
subsys_initcall(gpuvm_module_init);

static void __exit gpuvm_module_exit(void)
{
	destroy_workqueue(cleanup_queue);
}
module_exit(gpuvm_module_exit);

MODULE_DESCRIPTION("DRM GPU virtual address manager");
MODULE_LICENSE("Dual MIT/GPL");
