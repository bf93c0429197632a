/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * GPU virtual address spaces: their mappings, the buffers behind them and the
 * operations that change them. Documentation/gpu/drm-gpuvm.rst has the guide.
 *
 * A range is given by its start and its length, in a unit of the driver's
 * choice (bytes or pages, say) that is the same throughout a VM. Where a limit
 * is meant, `end` is the first unit behind a range and `last` the last unit in
 * it; only `last` can name the top of a 64-bit space.
 */
#ifndef __DRM_GPUVM_H__
#define __DRM_GPUVM_H__

#include <linux/compiler.h>
#include <linux/dma-resv.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>
#include <drm/drm_exec.h>
#include <drm/drm_gem.h>

struct drm_gpuvm;
struct drm_gpuvm_bo;
struct drm_gpuvm_ops;
struct drm_gpuvm_req;

/* ---- Mappings ---------------------------------------------------------- */

/**
 * enum drm_gpuva_flags - what is special about a mapping
 */
enum drm_gpuva_flags {
	/**
	 * @DRM_GPUVA_INVALIDATED: the page tables do not show this mapping at
	 * the moment, since its object moved or was evicted
	 */
	DRM_GPUVA_INVALIDATED = (1 << 0),

	/**
	 * @DRM_GPUVA_SPARSE: nothing backs this mapping; its addresses can be
	 * accessed without a fault, though
	 */
	DRM_GPUVA_SPARSE = (1 << 1),

	/**
	 * @DRM_GPUVA_USERBITS: the first of the bits that the driver may use
	 * as it likes
	 */
	DRM_GPUVA_USERBITS = (1 << 2),
};

/**
 * struct drm_gpuva - one mapping of a VA space
 *
 * Drivers embed this in a structure of their own, cleared to zero before its
 * first use, and own its memory all the time. Between drm_gpuva_insert() and
 * drm_gpuva_remove() the VM refers to it, between drm_gpuva_link() and
 * drm_gpuva_unlink() the &drm_gpuvm_bo does.
 *
 * What a search reads stands first, together on one cache line.
 */
struct drm_gpuva {
	/**
	 * @rb: the place in the VM; private to the core
	 */
	struct {
		/** @rb.node: the node in &drm_gpuvm.rb's tree */
		struct rb_node node;

		/** @rb.entry: the entry in &drm_gpuvm.rb's list */
		struct list_head entry;
	} rb;

	/**
	 * @va: the range of the VA space that is mapped; fixed while the
	 * mapping is inserted
	 */
	struct {
		/** @va.addr: the first address */
		u64 addr;

		/** @va.range: the length, never 0 once inserted */
		u64 range;
	} va;

	/**
	 * @vm: the VM of the last drm_gpuva_insert(); stays set after
	 * drm_gpuva_remove()
	 */
	struct drm_gpuvm *vm;

	/**
	 * @vm_bo: the vm_bo that drm_gpuva_link() put the mapping on, with a
	 * reference; NULL while it is on none
	 */
	struct drm_gpuvm_bo *vm_bo;

	/**
	 * @gem: what the range shows
	 */
	struct {
		/**
		 * @gem.offset: the part of the object that starts at @va.addr,
		 * in the unit of the VA space. Without an object the number
		 * is the driver's, and still advances when a part is split
		 * off. With @repeat it is where the part that is repeated
		 * starts, whatever @va.addr is.
		 */
		u64 offset;

		/**
		 * @gem.obj: the object, or NULL (sparse mappings, user memory,
		 * the reserved range). No reference of its own: the vm_bo has
		 * one.
		 */
		struct drm_gem_object *obj;

		/**
		 * @gem.entry: the entry in &drm_gpuvm_bo.list's gpuva
		 */
		struct list_head entry;
	} gem;

	/**
	 * @flags: a set of &enum drm_gpuva_flags
	 */
	enum drm_gpuva_flags flags;

	/**
	 * @repeat: if not 0, a power of two: the mapping shows so many units
	 * of its object, from @gem.offset on, again and again. Which of them an
	 * address shows hangs on the address alone, see drm_gpuva_offset().
	 */
	u32 repeat;
};

int drm_gpuva_insert(struct drm_gpuvm *gpuvm, struct drm_gpuva *va);
void drm_gpuva_remove(struct drm_gpuva *va);

void drm_gpuva_link(struct drm_gpuva *va, struct drm_gpuvm_bo *vm_bo);
void drm_gpuva_unlink(struct drm_gpuva *va);
void drm_gpuva_unlink_defer(struct drm_gpuva *va);

struct drm_gpuva *drm_gpuva_find(struct drm_gpuvm *gpuvm,
				 u64 addr, u64 range);
struct drm_gpuva *drm_gpuva_find_first(struct drm_gpuvm *gpuvm,
				       u64 addr, u64 range);
struct drm_gpuva *drm_gpuva_find_prev(struct drm_gpuvm *gpuvm, u64 start);
struct drm_gpuva *drm_gpuva_find_next(struct drm_gpuvm *gpuvm, u64 end);

/**
 * drm_gpuva_last() - the last address of a mapping
 * @va: the mapping, with a range that is not 0
 *
 * Return: the address of the last unit inside @va; cannot overflow.
 */
static inline u64 drm_gpuva_last(const struct drm_gpuva *va)
{
	return va->va.addr + (va->va.range - 1);
}

/**
 * drm_gpuva_phase() - how far into the repeated part of an object an address is
 * @addr: the address
 * @repeat: the length of the part, a power of two
 *
 * Return: 0 to @repeat - 1. Addresses that are multiples of @repeat show the
 * beginning of the part.
 */
static inline u32 drm_gpuva_phase(u64 addr, u32 repeat)
{
	return addr & (repeat - 1);
}

/**
 * drm_gpuva_invalidate() - note whether the page tables show a mapping
 * @va: the mapping
 * @invalidate: true when its page table entries went away, false when they
 *	were written again
 *
 * Context: any; concurrent changes of @va's flags are the caller's to exclude.
 */
static inline void drm_gpuva_invalidate(struct drm_gpuva *va, bool invalidate)
{
	va->flags &= ~DRM_GPUVA_INVALIDATED;
	va->flags |= invalidate ? DRM_GPUVA_INVALIDATED : 0;
}

/**
 * drm_gpuva_invalidated() - whether a mapping is missing in the page tables
 * @va: the mapping
 *
 * Return: what the last drm_gpuva_invalidate() said, false without one.
 */
static inline bool drm_gpuva_invalidated(struct drm_gpuva *va)
{
	return va->flags & DRM_GPUVA_INVALIDATED;
}

/* ---- VMs --------------------------------------------------------------- */

/**
 * enum drm_gpuvm_flags - the locking scheme of a VM
 *
 * Every combination works. All VMs that map the same object must agree on
 * &DRM_GPUVM_IMMEDIATE_MODE, since it says which lock guards the object's list
 * of vm_bos.
 */
enum drm_gpuvm_flags {
	/**
	 * @DRM_GPUVM_RESV_PROTECTED: the extobj and evict lists are guarded by
	 * the VM's resv, which callers hold, rather than by spinlocks inside
	 */
	DRM_GPUVM_RESV_PROTECTED = BIT(0),

	/**
	 * @DRM_GPUVM_IMMEDIATE_MODE: the VM is changed while jobs run, inside
	 * the signalling path of fences. The objects' vm_bo and mapping lists
	 * are guarded by &drm_gem_object.gpuva's lock instead of the objects'
	 * resv, and vm_bos are cleaned up later, by
	 * drm_gpuvm_bo_deferred_cleanup().
	 */
	DRM_GPUVM_IMMEDIATE_MODE = BIT(1),

	/**
	 * @DRM_GPUVM_AUTO_CLEANUP: in immediate mode, a work of the core's calls
	 * drm_gpuvm_bo_deferred_cleanup() when there is something to do; see
	 * drm_gpuvm_flush_cleanup()
	 */
	DRM_GPUVM_AUTO_CLEANUP = BIT(2),

	/**
	 * @DRM_GPUVM_USERBITS: the first of the bits that the driver may use
	 * as it likes
	 */
	DRM_GPUVM_USERBITS = BIT(3),
};

/**
 * struct drm_gpuvm_bo_list - a VM's list of vm_bos of one kind
 */
struct drm_gpuvm_bo_list {
	/** @list: the vm_bos, but for those that a walk has passed */
	struct list_head list;

	/**
	 * @local_list: what the walk under way has passed; NULL when none is.
	 * Only used when @lock guards the list.
	 */
	struct list_head *local_list;

	/**
	 * @lock: guards the list and the vm_bos' entries in it, unless the VM
	 * is &DRM_GPUVM_RESV_PROTECTED
	 */
	spinlock_t lock;
};

/**
 * struct drm_gpuvm - one VA space
 *
 * Drivers embed this in a structure of their own and free that structure in
 * &drm_gpuvm_ops.vm_free. The tree is guarded by a lock of the driver's: whoever
 * reads mappings excludes whoever inserts or removes them.
 */
struct drm_gpuvm {
	/**
	 * @rb: the mappings in ascending order, the reserved range among them;
	 * private to the core
	 */
	struct {
		/** @rb.tree: to find an address */
		struct rb_root tree;

		/** @rb.list: to get from one mapping to the next */
		struct list_head list;

		/**
		 * @rb.cursor: where the last change or request took place, an
		 * entry of the list or its head. A hint that is checked before
		 * it is trusted.
		 */
		struct list_head *cursor;

		/** @rb.count: the number of mappings without the reserved range */
		unsigned long count;
	} rb;

	/** @mm_start: the first address of the VA space */
	u64 mm_start;

	/**
	 * @mm_range: the length of the VA space; 0 in a VM whose
	 * drm_gpuvm_init() was refused
	 */
	u64 mm_range;

	/** @ops: the driver's callbacks */
	const struct drm_gpuvm_ops *ops;

	/** @flags: a set of &enum drm_gpuvm_flags */
	enum drm_gpuvm_flags flags;

	/** @kref: counts the references */
	struct kref kref;

	/** @drm: the device, with a reference */
	struct drm_device *drm;

	/**
	 * @r_obj: the object whose resv the VM shares with the objects that are
	 * local to it, with a reference
	 */
	struct drm_gem_object *r_obj;

	/** @name: how messages and debugfs call the VM */
	const char *name;

	/**
	 * @kernel_alloc_node: the reserved range, out of reach for requests;
	 * its range is 0 where there is none
	 */
	struct drm_gpuva kernel_alloc_node;

	/**
	 * @extobj: the vm_bos whose objects have a resv of their own
	 */
	struct drm_gpuvm_bo_list extobj;

	/**
	 * @evict: the vm_bos whose objects are to be validated before the next
	 * job
	 */
	struct drm_gpuvm_bo_list evict;

	/**
	 * @bo_defer: the vm_bos without references that
	 * drm_gpuvm_bo_deferred_cleanup() will destroy
	 */
	struct llist_head bo_defer;

	/**
	 * @cleanup: with &DRM_GPUVM_AUTO_CLEANUP, takes care of @bo_defer; has
	 * a reference on the VM while it is queued
	 */
	struct work_struct cleanup;

	/**
	 * @bos: the vm_bos that are on their objects' lists, by the address of
	 * the object
	 */
	struct {
		/** @bos.tree: the vm_bos */
		struct rb_root tree;

		/** @bos.lock: guards the tree; innermost */
		spinlock_t lock;
	} bos;
};

int drm_gpuvm_try_init(struct drm_gpuvm *gpuvm, const char *name,
		       enum drm_gpuvm_flags flags,
		       struct drm_device *drm,
		       struct drm_gem_object *r_obj,
		       u64 start_offset, u64 range,
		       u64 reserve_offset, u64 reserve_range,
		       const struct drm_gpuvm_ops *ops);
void drm_gpuvm_init(struct drm_gpuvm *gpuvm, const char *name,
		    enum drm_gpuvm_flags flags,
		    struct drm_device *drm,
		    struct drm_gem_object *r_obj,
		    u64 start_offset, u64 range,
		    u64 reserve_offset, u64 reserve_range,
		    const struct drm_gpuvm_ops *ops);

void drm_gpuvm_put(struct drm_gpuvm *gpuvm);

bool drm_gpuvm_range_valid(struct drm_gpuvm *gpuvm, u64 addr, u64 range);
bool drm_gpuvm_interval_empty(struct drm_gpuvm *gpuvm, u64 addr, u64 range);

struct drm_gem_object *
drm_gpuvm_resv_object_alloc(struct drm_device *drm);

/**
 * drm_gpuvm_immediate_mode() - whether a VM is in &DRM_GPUVM_IMMEDIATE_MODE
 * @gpuvm: the VM
 *
 * Return: true if &drm_gem_object.gpuva's lock guards the objects' lists.
 */
static inline bool
drm_gpuvm_immediate_mode(struct drm_gpuvm *gpuvm)
{
	return gpuvm->flags & DRM_GPUVM_IMMEDIATE_MODE;
}

/**
 * drm_gpuvm_resv_protected() - whether a VM is &DRM_GPUVM_RESV_PROTECTED
 * @gpuvm: the VM
 *
 * Return: true if the VM's resv guards the extobj and evict lists.
 */
static inline bool
drm_gpuvm_resv_protected(struct drm_gpuvm *gpuvm)
{
	return gpuvm->flags & DRM_GPUVM_RESV_PROTECTED;
}

/**
 * drm_gpuvm_resv_obj() - the object that contains a VM's resv
 * @gpuvm__: the VM
 *
 * Return: what was passed to drm_gpuvm_init() as the resv object.
 */
#define drm_gpuvm_resv_obj(gpuvm__) ((gpuvm__)->r_obj)

/**
 * drm_gpuvm_resv() - the resv that a VM shares with its local objects
 * @gpuvm__: the VM
 *
 * Return: a pointer to a &struct dma_resv, valid as long as the VM is.
 */
#define drm_gpuvm_resv(gpuvm__) ((gpuvm__)->r_obj->resv)

/**
 * drm_gpuvm_resv_held() - whether a VM's resv is locked by the caller
 * @gpuvm__: the VM
 *
 * Return: as dma_resv_held(); only lockdep can tell for sure.
 */
#define drm_gpuvm_resv_held(gpuvm__) \
	dma_resv_held(drm_gpuvm_resv(gpuvm__))

/**
 * drm_gpuvm_resv_assert_held() - complain if a VM's resv is not locked
 * @gpuvm__: the VM
 */
#define drm_gpuvm_resv_assert_held(gpuvm__) \
	dma_resv_assert_held(drm_gpuvm_resv(gpuvm__))

/**
 * drm_gpuvm_is_extobj() - whether an object is external to a VM
 * @gpuvm: the VM
 * @obj: the object, or NULL
 *
 * Return: true if there is an object and it does not share the VM's resv.
 */
static inline bool
drm_gpuvm_is_extobj(struct drm_gpuvm *gpuvm,
		    struct drm_gem_object *obj)
{
	return obj ? obj->resv != drm_gpuvm_resv(gpuvm) : false;
}

/**
 * drm_gpuvm_get() - take a reference on a VM
 * @gpuvm: the VM, on which the caller has a reference already
 *
 * Context: any.
 * Return: @gpuvm.
 */
static inline struct drm_gpuvm *
drm_gpuvm_get(struct drm_gpuvm *gpuvm)
{
	kref_get(&gpuvm->kref);
	return gpuvm;
}

/* ---- Walking over mappings --------------------------------------------- */

static inline struct drm_gpuva *
__drm_gpuva_next(struct drm_gpuva *va)
{
	if (!va || va->rb.entry.next == &va->vm->rb.list)
		return NULL;

	return list_next_entry(va, rb.entry);
}

/* The state of a walk; private to the iterators below. */
struct drm_gpuvm_iter {
	struct drm_gpuvm *vm;
	struct list_head *pos;
	u64 last;
	bool reserved;
};

static inline struct drm_gpuva *
__drm_gpuvm_iter_at(const struct drm_gpuvm_iter *iter,
		    const struct list_head *pos)
{
	struct drm_gpuva *va = list_entry(pos, struct drm_gpuva, rb.entry);

	if (pos == &iter->vm->rb.list || va->va.addr > iter->last)
		return NULL;

	return va;
}

static inline bool
__drm_gpuvm_iter_skips(const struct drm_gpuvm_iter *iter,
		       const struct drm_gpuva *va)
{
	return va == &iter->vm->kernel_alloc_node && !iter->reserved;
}

/* For walks that look for the successor after the body: @pos is behind it. */
static inline struct drm_gpuva *
__drm_gpuvm_iter_next(struct drm_gpuvm_iter *iter)
{
	struct drm_gpuva *va;

	do {
		iter->pos = iter->pos->next;
		va = __drm_gpuvm_iter_at(iter, iter->pos);
	} while (__drm_gpuvm_iter_skips(iter, va));

	return va;
}

/* For walks whose body may remove the mapping: @pos is ahead of the body. */
static inline struct drm_gpuva *
__drm_gpuvm_iter_next_safe(struct drm_gpuvm_iter *iter, struct drm_gpuva **next)
{
	struct drm_gpuva *va;

	do {
		va = __drm_gpuvm_iter_at(iter, iter->pos);
		iter->pos = iter->pos->next;
	} while (__drm_gpuvm_iter_skips(iter, va));

	*next = va ? __drm_gpuvm_iter_at(iter, iter->pos) : NULL;

	return va;
}

static inline struct drm_gpuvm_iter
__drm_gpuvm_iter_safe(struct drm_gpuvm *gpuvm, u64 start, u64 end, bool reserved)
{
	struct drm_gpuva *va = drm_gpuva_find_first(gpuvm, start, end - start);

	return (struct drm_gpuvm_iter) {
		.vm = gpuvm,
		.pos = va ? &va->rb.entry : &gpuvm->rb.list,
		.last = end - 1,
		.reserved = reserved,
	};
}

static inline struct drm_gpuvm_iter
__drm_gpuvm_iter(struct drm_gpuvm *gpuvm, u64 start, u64 end, bool reserved)
{
	struct drm_gpuvm_iter iter;

	iter = __drm_gpuvm_iter_safe(gpuvm, start, end, reserved);
	iter.pos = iter.pos->prev;

	return iter;
}

static inline struct drm_gpuvm_iter
__drm_gpuvm_iter_all_safe(struct drm_gpuvm *gpuvm)
{
	return (struct drm_gpuvm_iter) {
		.vm = gpuvm,
		.pos = gpuvm->rb.list.next,
		.last = U64_MAX,
	};
}

static inline struct drm_gpuvm_iter
__drm_gpuvm_iter_all(struct drm_gpuvm *gpuvm)
{
	return (struct drm_gpuvm_iter) {
		.vm = gpuvm,
		.pos = &gpuvm->rb.list,
		.last = U64_MAX,
	};
}

/* Nested walks shadow each other's iterator, which no argument refers to. */
#define __drm_gpuvm_walk(va__, init__)					\
	for (struct drm_gpuvm_iter drm_gpuvm_iter__ = init__;		\
	     ((va__) = __drm_gpuvm_iter_next(&drm_gpuvm_iter__));)

#define __drm_gpuvm_walk_safe(va__, next__, init__)			\
	for (struct drm_gpuvm_iter drm_gpuvm_iter__ = init__;		\
	     ((va__) = __drm_gpuvm_iter_next_safe(&drm_gpuvm_iter__, &(next__)));)

/**
 * drm_gpuvm_for_each_va_range() - walk over what overlaps a range
 * @va__: assigned the mapping in each step, NULL when the walk ran to its end
 * @gpuvm__: the VM
 * @start__: the first address of the range
 * @end__: the address behind the range; 0 stands for 2^64
 *
 * Goes through all mappings that overlap the range, and the reserved range if
 * it does, in ascending order. The body must not remove @va__. A range of
 * length 0, or one whose end lies before its start, overlaps nothing.
 *
 * All arguments but @va__ are evaluated once.
 *
 * Context: the driver's lock on the VM's mappings.
 */
#define drm_gpuvm_for_each_va_range(va__, gpuvm__, start__, end__)	\
	__drm_gpuvm_walk(va__,						\
			 __drm_gpuvm_iter(gpuvm__, start__, end__, true))

/**
 * drm_gpuvm_for_each_va_range_safe() - walk over what overlaps a range, safe
 * against removal
 * @va__: assigned the mapping in each step, NULL when the walk ran to its end
 * @next__: assigned the mapping that follows inside the range, or NULL
 * @gpuvm__: the VM
 * @start__: the first address of the range
 * @end__: the address behind the range; 0 stands for 2^64
 *
 * As drm_gpuvm_for_each_va_range(), and the body may remove @va__ (and only
 * that). What the body inserts behind @va__ may not be visited.
 *
 * All arguments but @va__ and @next__ are evaluated once.
 *
 * Context: the driver's lock on the VM's mappings.
 */
#define drm_gpuvm_for_each_va_range_safe(va__, next__, gpuvm__, start__, end__) \
	__drm_gpuvm_walk_safe(va__, next__,				\
			      __drm_gpuvm_iter_safe(gpuvm__, start__,	\
						    end__, true))

/**
 * drm_gpuvm_for_each_va() - walk over a whole VM, the reserved range included
 * @va__: assigned the mapping in each step
 * @gpuvm__: the VM; evaluated more than once
 *
 * Goes through the VM in ascending order. The body must not remove @va__.
 * drm_gpuvm_for_each_mapping() leaves the reserved range out.
 *
 * Context: the driver's lock on the VM's mappings.
 */
#define drm_gpuvm_for_each_va(va__, gpuvm__) \
	list_for_each_entry(va__, &(gpuvm__)->rb.list, rb.entry)

/**
 * drm_gpuvm_for_each_va_safe() - walk over a whole VM, the reserved range
 * included, safe against removal
 * @va__: assigned the mapping in each step
 * @next__: storage for the mapping that follows
 * @gpuvm__: the VM; evaluated more than once
 *
 * As drm_gpuvm_for_each_va(), and the body may remove @va__.
 *
 * Context: the driver's lock on the VM's mappings.
 */
#define drm_gpuvm_for_each_va_safe(va__, next__, gpuvm__) \
	list_for_each_entry_safe(va__, next__, &(gpuvm__)->rb.list, rb.entry)

/**
 * drm_gpuvm_for_each_mapping() - walk over all mappings of a VM
 * @va__: assigned the mapping in each step, NULL when the walk ran to its end
 * @gpuvm__: the VM; evaluated once
 *
 * Goes through the mappings in ascending order and leaves out the reserved
 * range. The body must not remove @va__.
 *
 * Context: the driver's lock on the VM's mappings.
 */
#define drm_gpuvm_for_each_mapping(va__, gpuvm__)			\
	__drm_gpuvm_walk(va__, __drm_gpuvm_iter_all(gpuvm__))

/**
 * drm_gpuvm_for_each_mapping_safe() - walk over all mappings of a VM, safe
 * against removal
 * @va__: assigned the mapping in each step, NULL when the walk ran to its end
 * @next__: assigned what follows, or NULL
 * @gpuvm__: the VM; evaluated once
 *
 * As drm_gpuvm_for_each_mapping(), and the body may remove @va__ (and only
 * that).
 *
 * Context: the driver's lock on the VM's mappings.
 */
#define drm_gpuvm_for_each_mapping_safe(va__, next__, gpuvm__)		\
	__drm_gpuvm_walk_safe(va__, next__,				\
			      __drm_gpuvm_iter_all_safe(gpuvm__))

/**
 * drm_gpuvm_for_each_mapping_range() - walk over the mappings that overlap a
 * range
 * @va__: assigned the mapping in each step, NULL when the walk ran to its end
 * @gpuvm__: the VM; evaluated once
 * @start__: the first address of the range; evaluated once
 * @end__: the address behind the range, 0 stands for 2^64; evaluated once
 *
 * drm_gpuvm_for_each_va_range() without the reserved range.
 *
 * Context: the driver's lock on the VM's mappings.
 */
#define drm_gpuvm_for_each_mapping_range(va__, gpuvm__, start__, end__)	\
	__drm_gpuvm_walk(va__,						\
			 __drm_gpuvm_iter(gpuvm__, start__, end__, false))

/**
 * drm_gpuvm_for_each_mapping_range_safe() - walk over the mappings that overlap
 * a range, safe against removal
 * @va__: assigned the mapping in each step, NULL when the walk ran to its end
 * @next__: assigned what follows inside the range, or NULL
 * @gpuvm__: the VM; evaluated once
 * @start__: the first address of the range; evaluated once
 * @end__: the address behind the range, 0 stands for 2^64; evaluated once
 *
 * drm_gpuvm_for_each_va_range_safe() without the reserved range.
 *
 * Context: the driver's lock on the VM's mappings.
 */
#define drm_gpuvm_for_each_mapping_range_safe(va__, next__, gpuvm__, start__, end__) \
	__drm_gpuvm_walk_safe(va__, next__,				\
			      __drm_gpuvm_iter_safe(gpuvm__, start__,	\
						    end__, false))

/* ---- Locking the objects of a VM --------------------------------------- */

/**
 * struct drm_gpuvm_exec - a &drm_exec that locks a VM's objects
 *
 * Lives on the stack from drm_gpuvm_exec_lock() to drm_gpuvm_exec_unlock(). The
 * caller sets every member but @exec.
 */
struct drm_gpuvm_exec {
	/** @exec: the locking context; set up by the lock functions */
	struct drm_exec exec;

	/** @flags: what drm_exec_init() gets as its flags */
	u32 flags;

	/** @vm: the VM whose objects are to be locked */
	struct drm_gpuvm *vm;

	/**
	 * @num_fences: the number of fence slots to reserve in every resv that
	 * is locked; with 0, objects are locked only
	 */
	unsigned int num_fences;

	/**
	 * @extra: locks more objects inside the same locking loop
	 */
	struct {
		/**
		 * @extra.fn: called after the VM's objects are locked, again
		 * after each contention that drm_exec has met; NULL if there is
		 * nothing more. Returns 0 or an error, which ends the loop.
		 */
		int (*fn)(struct drm_gpuvm_exec *vm_exec);

		/** @extra.priv: the driver's, for @extra.fn */
		void *priv;
	} extra;
};

int drm_gpuvm_prepare_vm(struct drm_gpuvm *gpuvm,
			 struct drm_exec *exec,
			 unsigned int num_fences);
int drm_gpuvm_prepare_objects(struct drm_gpuvm *gpuvm,
			      struct drm_exec *exec,
			      unsigned int num_fences);
int drm_gpuvm_prepare_range(struct drm_gpuvm *gpuvm,
			    struct drm_exec *exec,
			    u64 addr, u64 range,
			    unsigned int num_fences);

int drm_gpuvm_exec_lock(struct drm_gpuvm_exec *vm_exec);
int drm_gpuvm_exec_lock_array(struct drm_gpuvm_exec *vm_exec,
			      struct drm_gem_object **objs,
			      unsigned int num_objs);
int drm_gpuvm_exec_lock_range(struct drm_gpuvm_exec *vm_exec,
			      u64 addr, u64 range);

/**
 * drm_gpuvm_exec_unlock() - unlock what drm_gpuvm_exec_lock() and its variants
 * locked
 * @vm_exec: the context of a lock function that returned 0
 *
 * Context: process; may sleep, since it drops references on objects.
 */
static inline void
drm_gpuvm_exec_unlock(struct drm_gpuvm_exec *vm_exec)
{
	drm_exec_fini(&vm_exec->exec);
}

int drm_gpuvm_validate(struct drm_gpuvm *gpuvm, struct drm_exec *exec);
void drm_gpuvm_resv_add_fence(struct drm_gpuvm *gpuvm,
			      struct drm_exec *exec,
			      struct dma_fence *fence,
			      enum dma_resv_usage private_usage,
			      enum dma_resv_usage extobj_usage);

/**
 * drm_gpuvm_exec_validate() - drm_gpuvm_validate() for a &struct drm_gpuvm_exec
 * @vm_exec: the context that holds the locks
 *
 * Return: as drm_gpuvm_validate().
 */
static inline int
drm_gpuvm_exec_validate(struct drm_gpuvm_exec *vm_exec)
{
	return drm_gpuvm_validate(vm_exec->vm, &vm_exec->exec);
}

/**
 * drm_gpuvm_exec_resv_add_fence() - drm_gpuvm_resv_add_fence() for a
 * &struct drm_gpuvm_exec
 * @vm_exec: the context that holds the locks
 * @fence: the fence to add
 * @private_usage: how objects local to the VM are used
 * @extobj_usage: how external objects are used
 */
static inline void
drm_gpuvm_exec_resv_add_fence(struct drm_gpuvm_exec *vm_exec,
			      struct dma_fence *fence,
			      enum dma_resv_usage private_usage,
			      enum dma_resv_usage extobj_usage)
{
	drm_gpuvm_resv_add_fence(vm_exec->vm, &vm_exec->exec, fence,
				 private_usage, extobj_usage);
}

/* ---- vm_bos ------------------------------------------------------------ */

/**
 * struct drm_gpuvm_bo - an object in a VM
 *
 * There is one for each pair of a VM and an object that have mappings in
 * common. Every linked mapping holds a reference on it; it holds references on
 * the VM and the object. Drivers may embed it
 * (&drm_gpuvm_ops.vm_bo_alloc).
 */
struct drm_gpuvm_bo {
	/** @vm: the VM, with a reference */
	struct drm_gpuvm *vm;

	/** @obj: the object, with a reference */
	struct drm_gem_object *obj;

	/**
	 * @evicted: whether the object has to be validated before the next job;
	 * guarded by the object's resv
	 */
	bool evicted;

	/** @kref: counts the references */
	struct kref kref;

	/**
	 * @list: the lists that start here or lead through here
	 */
	struct {
		/**
		 * @list.gpuva: the linked mappings; guarded by the object's
		 * resv, or &drm_gem_object.gpuva's lock in immediate mode
		 */
		struct list_head gpuva;

		/**
		 * @list.entry: the entries in others' lists
		 */
		struct {
			/**
			 * @list.entry.vm: in &drm_gpuvm.bos; near to @obj, which
			 * a search compares
			 */
			struct rb_node vm;

			/**
			 * @list.entry.gem: in &drm_gem_object.gpuva's list,
			 * with the same guard as @list.gpuva
			 */
			struct list_head gem;

			/** @list.entry.extobj: in &drm_gpuvm.extobj */
			struct list_head extobj;

			/** @list.entry.evict: in &drm_gpuvm.evict */
			struct list_head evict;

			/** @list.entry.bo_defer: in &drm_gpuvm.bo_defer */
			struct llist_node bo_defer;
		} entry;
	} list;
};

struct drm_gpuvm_bo *
drm_gpuvm_bo_create(struct drm_gpuvm *gpuvm,
		    struct drm_gem_object *obj);

struct drm_gpuvm_bo *
drm_gpuvm_bo_obtain_locked(struct drm_gpuvm *gpuvm,
			   struct drm_gem_object *obj);
struct drm_gpuvm_bo *
drm_gpuvm_bo_obtain_prealloc(struct drm_gpuvm_bo *vm_bo);

/**
 * drm_gpuvm_bo_get() - take a reference on a vm_bo
 * @vm_bo: the vm_bo, on which the caller has a reference already
 *
 * Context: any.
 * Return: @vm_bo.
 */
static inline struct drm_gpuvm_bo *
drm_gpuvm_bo_get(struct drm_gpuvm_bo *vm_bo)
{
	kref_get(&vm_bo->kref);
	return vm_bo;
}

bool drm_gpuvm_bo_put(struct drm_gpuvm_bo *vm_bo);
bool drm_gpuvm_bo_put_deferred(struct drm_gpuvm_bo *vm_bo);
void drm_gpuvm_bo_deferred_cleanup(struct drm_gpuvm *gpuvm);
void drm_gpuvm_flush_cleanup(struct drm_gpuvm *gpuvm);

struct drm_gpuvm_bo *
drm_gpuvm_bo_find(struct drm_gpuvm *gpuvm,
		  struct drm_gem_object *obj);

void drm_gpuvm_bo_evict(struct drm_gpuvm_bo *vm_bo, bool evict);

void drm_gpuvm_bo_extobj_add(struct drm_gpuvm_bo *vm_bo);

/**
 * drm_gpuvm_bo_for_each_va() - walk over the mappings that are linked to a vm_bo
 * @va__: assigned the mapping in each step
 * @vm_bo__: the vm_bo; evaluated more than once
 *
 * The body must not unlink @va__.
 *
 * Context: the object's resv, or &drm_gem_object.gpuva's lock in immediate mode.
 */
#define drm_gpuvm_bo_for_each_va(va__, vm_bo__) \
	list_for_each_entry(va__, &(vm_bo__)->list.gpuva, gem.entry)

/**
 * drm_gpuvm_bo_for_each_va_safe() - walk over the mappings that are linked to a
 * vm_bo, safe against unlinking
 * @va__: assigned the mapping in each step
 * @next__: storage for the mapping that follows
 * @vm_bo__: the vm_bo; evaluated more than once
 *
 * As drm_gpuvm_bo_for_each_va(), and the body may unlink @va__, as long as a
 * reference on @vm_bo__ remains.
 */
#define drm_gpuvm_bo_for_each_va_safe(va__, next__, vm_bo__) \
	list_for_each_entry_safe(va__, next__, &(vm_bo__)->list.gpuva, gem.entry)

/**
 * drm_gpuvm_bo_gem_evict() - drm_gpuvm_bo_evict() in all VMs that map an object
 * @obj: the object
 * @evict: whether it was evicted, or is back
 *
 * Context: the object's resv; the guard of its vm_bo list, too, where that is
 * another lock.
 */
static inline void
drm_gpuvm_bo_gem_evict(struct drm_gem_object *obj, bool evict)
{
	struct drm_gpuvm_bo *bo;

	drm_gem_for_each_gpuvm_bo(bo, obj) {
		drm_gem_gpuva_assert_lock_held(bo->vm, obj);
		drm_gpuvm_bo_evict(bo, evict);
	}
}

/* ---- Operations -------------------------------------------------------- */

/**
 * enum drm_gpuva_op_type - the kinds of &struct drm_gpuva_op
 */
enum drm_gpuva_op_type {
	/** @DRM_GPUVA_OP_MAP: a new mapping appears */
	DRM_GPUVA_OP_MAP,

	/** @DRM_GPUVA_OP_REMAP: a mapping shrinks or falls into two */
	DRM_GPUVA_OP_REMAP,

	/** @DRM_GPUVA_OP_UNMAP: a mapping goes */
	DRM_GPUVA_OP_UNMAP,

	/** @DRM_GPUVA_OP_PREFETCH: a mapping is to be brought in */
	DRM_GPUVA_OP_PREFETCH,

	/** @DRM_GPUVA_OP_DRIVER: never made here; for lists of the driver's */
	DRM_GPUVA_OP_DRIVER,

	/**
	 * @DRM_GPUVA_OP_UPDATE: a mapping that is just as requested is there
	 * already; only for requests with &DRM_GPUVM_REQ_UPDATE
	 */
	DRM_GPUVA_OP_UPDATE,
};

/**
 * struct drm_gpuva_op_map - a mapping to be made
 */
struct drm_gpuva_op_map {
	/** @va: the range to map */
	struct {
		/** @va.addr: its first address */
		u64 addr;

		/** @va.range: its length */
		u64 range;
	} va;

	/** @gem: what to show there */
	struct {
		/** @gem.offset: where in the object it begins */
		u64 offset;

		/** @gem.obj: the object, or NULL */
		struct drm_gem_object *obj;
	} gem;
};

/**
 * struct drm_gpuva_op_unmap - a mapping to be removed
 */
struct drm_gpuva_op_unmap {
	/** @va: the mapping */
	struct drm_gpuva *va;

	/**
	 * @keep: the request that led to this shows the same part of the same
	 * object at the addresses that it takes from @va, so that the driver may
	 * leave those page table entries as they are. For a &struct
	 * drm_gpuvm_req, that @va is the same as the request, attributes
	 * included.
	 */
	bool keep;

	/**
	 * @exact: @keep, and the range is the same as well; only for a
	 * &struct drm_gpuvm_req
	 */
	bool exact;
};

/**
 * struct drm_gpuva_op_remap - a mapping of which one or two parts stay
 *
 * The old mapping, with whatever the driver keeps in the structure around it,
 * is at hand while its remains are made. At least one of @prev and @next is
 * there.
 */
struct drm_gpuva_op_remap {
	/** @prev: the part in front of the request; NULL if nothing is left */
	struct drm_gpuva_op_map *prev;

	/** @next: the part behind the request; NULL if nothing is left */
	struct drm_gpuva_op_map *next;

	/** @unmap: the mapping that gives way to @prev and @next */
	struct drm_gpuva_op_unmap *unmap;
};

/**
 * struct drm_gpuva_op_prefetch - a mapping to be brought in
 */
struct drm_gpuva_op_prefetch {
	/** @va: the mapping; it may be larger than the range asked for */
	struct drm_gpuva *va;
};

/**
 * struct drm_gpuva_op_update - a mapping that is just as requested
 *
 * Apart from the flags that &drm_gpuvm_steps.ignore names: &drm_gpuva_op.req has
 * those that are wanted.
 */
struct drm_gpuva_op_update {
	/** @va: the mapping */
	struct drm_gpuva *va;
};

/**
 * struct drm_gpuva_op - one step on the way to what was requested
 */
struct drm_gpuva_op {
	/** @entry: in &drm_gpuva_ops.list; unused in callbacks */
	struct list_head entry;

	/** @op: says which of the members below is meant */
	enum drm_gpuva_op_type op;

	union {
		/** @map: for &DRM_GPUVA_OP_MAP */
		struct drm_gpuva_op_map map;

		/** @remap: for &DRM_GPUVA_OP_REMAP */
		struct drm_gpuva_op_remap remap;

		/** @unmap: for &DRM_GPUVA_OP_UNMAP */
		struct drm_gpuva_op_unmap unmap;

		/** @prefetch: for &DRM_GPUVA_OP_PREFETCH */
		struct drm_gpuva_op_prefetch prefetch;

		/** @update: for &DRM_GPUVA_OP_UPDATE */
		struct drm_gpuva_op_update update;
	};

	/**
	 * @req: the request that led to this, for container_of(); NULL if it was
	 * none of type &struct drm_gpuvm_req. Not the core's: an op list can be
	 * used as long as the request is there.
	 */
	const struct drm_gpuvm_req *req;
};

/**
 * struct drm_gpuva_ops - the operations that one request takes, in order
 */
struct drm_gpuva_ops {
	/** @list: the &struct drm_gpuva_op entries */
	struct list_head list;
};

/**
 * drm_gpuva_for_each_op() - walk over a list of operations
 * @op: assigned the operation in each step
 * @ops: the list
 */
#define drm_gpuva_for_each_op(op, ops) list_for_each_entry(op, &(ops)->list, entry)

/**
 * drm_gpuva_for_each_op_safe() - walk over a list of operations, safe against
 * removal
 * @op: assigned the operation in each step
 * @next: storage for the operation that follows
 * @ops: the list
 */
#define drm_gpuva_for_each_op_safe(op, next, ops) \
	list_for_each_entry_safe(op, next, &(ops)->list, entry)

/**
 * drm_gpuva_for_each_op_reverse() - walk over a list of operations backwards
 * @op: assigned the operation in each step
 * @ops: the list
 */
#define drm_gpuva_for_each_op_reverse(op, ops) \
	list_for_each_entry_reverse(op, &(ops)->list, entry)

/**
 * drm_gpuva_for_each_op_from_reverse() - walk backwards, to undo what was done
 * @op: the operation to begin with; assigned in each step
 * @ops: the list
 */
#define drm_gpuva_for_each_op_from_reverse(op, ops) \
	list_for_each_entry_from_reverse(op, &(ops)->list, entry)

/**
 * drm_gpuva_last_op() - the last operation of a list
 * @ops: the list, which must not be empty
 */
#define drm_gpuva_last_op(ops) \
	list_last_entry(&(ops)->list, struct drm_gpuva_op, entry)

/**
 * drm_gpuva_first_op() - the first operation of a list
 * @ops: the list, which must not be empty
 */
#define drm_gpuva_first_op(ops) \
	list_first_entry(&(ops)->list, struct drm_gpuva_op, entry)

/**
 * drm_gpuva_prev_op() - the operation in front of another
 * @op: an operation that is not the first
 */
#define drm_gpuva_prev_op(op) list_prev_entry(op, entry)

/**
 * drm_gpuva_next_op() - the operation behind another
 * @op: an operation that is not the last
 */
#define drm_gpuva_next_op(op) list_next_entry(op, entry)

/**
 * struct drm_gpuvm_map_req - what drm_gpuvm_sm_map() and its relatives are to do
 */
struct drm_gpuvm_map_req {
	/** @map: the mapping that is wanted in the end */
	struct drm_gpuva_op_map map;
};

struct drm_gpuva_ops *
drm_gpuvm_sm_map_ops_create(struct drm_gpuvm *gpuvm,
			    const struct drm_gpuvm_map_req *req);
struct drm_gpuva_ops *
drm_gpuvm_madvise_ops_create(struct drm_gpuvm *gpuvm,
			     const struct drm_gpuvm_map_req *req);
struct drm_gpuva_ops *
drm_gpuvm_sm_unmap_ops_create(struct drm_gpuvm *gpuvm,
			      u64 addr, u64 range);
struct drm_gpuva_ops *
drm_gpuvm_prefetch_ops_create(struct drm_gpuvm *gpuvm,
			      u64 addr, u64 range);
struct drm_gpuva_ops *
drm_gpuvm_bo_unmap_ops_create(struct drm_gpuvm_bo *vm_bo);

void drm_gpuva_ops_free(struct drm_gpuvm *gpuvm,
			struct drm_gpuva_ops *ops);

/**
 * drm_gpuva_init_from_op() - give a mapping the range and the object of an
 * operation
 * @va: the mapping, not inserted
 * @op: the operation
 */
static inline void drm_gpuva_init_from_op(struct drm_gpuva *va,
					  const struct drm_gpuva_op_map *op)
{
	va->gem.obj = op->gem.obj;
	va->gem.offset = op->gem.offset;
	va->va.range = op->va.range;
	va->va.addr = op->va.addr;
}

/**
 * struct drm_gpuvm_ops - what a driver adds to the core
 */
struct drm_gpuvm_ops {
	/**
	 * @vm_free: frees the structure around a VM whose last reference went.
	 * Mandatory. Runs where drm_gpuvm_put() was called.
	 */
	void (*vm_free)(struct drm_gpuvm *gpuvm);

	/**
	 * @op_alloc: allocates a &struct drm_gpuva_op, cleared to zero, for an
	 * op list; NULL when out of memory. Optional, to have it inside a
	 * structure of the driver's.
	 */
	struct drm_gpuva_op *(*op_alloc)(void);

	/**
	 * @op_free: the counterpart of @op_alloc; kfree() if missing
	 */
	void (*op_free)(struct drm_gpuva_op *op);

	/**
	 * @vm_bo_alloc: allocates a &struct drm_gpuvm_bo, cleared to zero; NULL
	 * when out of memory. Optional, to have it inside a structure of the
	 * driver's.
	 */
	struct drm_gpuvm_bo *(*vm_bo_alloc)(void);

	/**
	 * @vm_bo_free: the counterpart of @vm_bo_alloc; kfree() if missing
	 */
	void (*vm_bo_free)(struct drm_gpuvm_bo *vm_bo);

	/**
	 * @vm_bo_validate: brings an evicted object back; called from
	 * drm_gpuvm_validate() with the object's resv held. Reports success with
	 * 0 and drm_gpuvm_bo_evict(), or &drm_gpuvm_bo.evicted set to false; an
	 * error ends the walk.
	 *
	 * It has no reference of its own to use: with &DRM_GPUVM_RESV_PROTECTED
	 * in immediate mode the last one may go meanwhile, although the vm_bo
	 * stays until the VM's resv is unlocked.
	 */
	int (*vm_bo_validate)(struct drm_gpuvm_bo *vm_bo,
			      struct drm_exec *exec);

	/**
	 * @sm_step_map: makes the mapping that was requested, the last step of
	 * drm_gpuvm_sm_map(). @op and what it points to are on the caller's
	 * stack. 0, or an error that drm_gpuvm_sm_map() will return.
	 */
	int (*sm_step_map)(struct drm_gpuva_op *op, void *priv);

	/**
	 * @sm_step_remap: replaces a mapping by what the request leaves of it.
	 * Otherwise as @sm_step_map.
	 */
	int (*sm_step_remap)(struct drm_gpuva_op *op, void *priv);

	/**
	 * @sm_step_unmap: removes a mapping that the request covers. Otherwise
	 * as @sm_step_map.
	 */
	int (*sm_step_unmap)(struct drm_gpuva_op *op, void *priv);
};

int drm_gpuvm_sm_map(struct drm_gpuvm *gpuvm, void *priv,
		     const struct drm_gpuvm_map_req *req);
int drm_gpuvm_sm_unmap(struct drm_gpuvm *gpuvm, void *priv,
		       u64 addr, u64 range);

int drm_gpuvm_sm_map_exec_lock(struct drm_gpuvm *gpuvm,
			       struct drm_exec *exec, unsigned int num_fences,
			       struct drm_gpuvm_map_req *req);
int drm_gpuvm_sm_unmap_exec_lock(struct drm_gpuvm *gpuvm, struct drm_exec *exec,
				 u64 addr, u64 range);

int drm_gpuva_map(struct drm_gpuvm *gpuvm,
		  struct drm_gpuva *va,
		  const struct drm_gpuva_op_map *op);
int drm_gpuva_remap(struct drm_gpuva *prev,
		    struct drm_gpuva *next,
		    const struct drm_gpuva_op_remap *op);
void drm_gpuva_unmap(const struct drm_gpuva_op_unmap *op);

/**
 * drm_gpuva_op_remap_to_unmap_range() - what a remap operation takes away
 * @op: the operation, before it was carried out
 * @start_addr: set to the first address that is no longer mapped; may be NULL
 * @range: set to the length of the part; may be NULL
 */
static inline void
drm_gpuva_op_remap_to_unmap_range(const struct drm_gpuva_op_remap *op,
				  u64 *start_addr, u64 *range)
{
	u64 start = op->unmap->va->va.addr;
	u64 length = op->unmap->va->va.range;

	if (op->prev) {
		start += op->prev->va.range;
		length -= op->prev->va.range;
	}
	if (op->next)
		length -= op->next->va.range;

	if (start_addr)
		*start_addr = start;
	if (range)
		*range = length;
}

/* ---- Requests with attributes ------------------------------------------ */

/**
 * enum drm_gpuvm_req_type - what a &struct drm_gpuvm_req asks for
 */
enum drm_gpuvm_req_type {
	/** @DRM_GPUVM_REQ_MAP: the mapping, in place of what is there */
	DRM_GPUVM_REQ_MAP,

	/** @DRM_GPUVM_REQ_UNMAP: nothing in the range */
	DRM_GPUVM_REQ_UNMAP,
};

/**
 * enum drm_gpuvm_req_opts - how a &struct drm_gpuvm_req is to be carried out
 */
enum drm_gpuvm_req_opts {
	/**
	 * @DRM_GPUVM_REQ_UPDATE: if the very mapping is there already, there is
	 * one &DRM_GPUVA_OP_UPDATE in place of the unmap and the map operation
	 */
	DRM_GPUVM_REQ_UPDATE = BIT(0),
};

/**
 * struct drm_gpuvm_req - a request with attributes
 *
 * Drivers may embed this in a structure of their own, cleared to zero before its
 * first use; &drm_gpuva_op.req leads back to it. It has to stay as it is until
 * the request, or an op list that was made of it, is done with.
 */
struct drm_gpuvm_req {
	/** @type: what to do */
	enum drm_gpuvm_req_type type;

	/** @opts: a set of &enum drm_gpuvm_req_opts; 0 to unmap */
	enum drm_gpuvm_req_opts opts;

	/** @map: the mapping that is wanted; to unmap, the range and else 0 */
	struct drm_gpuva_op_map map;

	/**
	 * @flags: what the mapping's &drm_gpuva.flags shall be; 0 to unmap.
	 * &DRM_GPUVA_SPARSE goes with neither an object nor @repeat.
	 */
	enum drm_gpuva_flags flags;

	/**
	 * @repeat: what the mapping's &drm_gpuva.repeat shall be: 0, or a power
	 * of two, for which there has to be an object; 0 to unmap
	 */
	u32 repeat;
};

/**
 * struct drm_gpuvm_steps - what carries out requests with attributes
 *
 * One for each purpose rather than one for each VM; usually constant. The
 * callbacks get the operation, on the caller's stack like all that it points to,
 * and the pointer that was passed with the request. They return 0, or an error
 * that ends the request.
 */
struct drm_gpuvm_steps {
	/** @map: makes the mapping that was requested, the last step */
	int (*map)(struct drm_gpuva_op *op, void *priv);

	/** @remap: replaces a mapping by what the request leaves of it */
	int (*remap)(struct drm_gpuva_op *op, void *priv);

	/** @unmap: removes a mapping that the request covers */
	int (*unmap)(struct drm_gpuva_op *op, void *priv);

	/**
	 * @update: looks after a mapping that is as requested; the only step.
	 * Needed for requests with &DRM_GPUVM_REQ_UPDATE only.
	 */
	int (*update)(struct drm_gpuva_op *op, void *priv);

	/**
	 * @same: whether a mapping is the same as a request to map as far as the
	 * driver's own structures around the two go. Called where the core finds
	 * no difference. Optional; without it, a mapping that has no object and
	 * is not sparse is never the same as a request.
	 */
	bool (*same)(const struct drm_gpuva *va,
		     const struct drm_gpuvm_req *req, void *priv);

	/**
	 * @ignore: flags in which a mapping and a request that are the same may
	 * differ; always with &DRM_GPUVA_INVALIDATED
	 */
	enum drm_gpuva_flags ignore;
};

int drm_gpuvm_request(struct drm_gpuvm *gpuvm, const struct drm_gpuvm_req *req,
		      const struct drm_gpuvm_steps *steps, void *priv);
struct drm_gpuva_ops *
drm_gpuvm_request_ops_create(struct drm_gpuvm *gpuvm,
			     const struct drm_gpuvm_req *req,
			     const struct drm_gpuvm_steps *steps, void *priv);
int drm_gpuvm_request_exec_lock(struct drm_gpuvm *gpuvm, struct drm_exec *exec,
				unsigned int num_fences,
				const struct drm_gpuvm_req *req);

/**
 * drm_gpuva_op_map_offset() - what a mapping that is to be made shows at an
 * address
 * @map: the operation, or a part of a &struct drm_gpuva_op_remap
 * @repeat: &drm_gpuvm_req.repeat of the request; for a part, &drm_gpuva.repeat of
 *	the mapping that it is left of
 * @addr: an address inside
 * @run: set to the number of units from @addr on, up to the end of the mapping,
 *	that follow each other in the object; may be NULL
 *
 * Context: any.
 * Return: the offset in the object.
 */
static inline u64
drm_gpuva_op_map_offset(const struct drm_gpuva_op_map *map, u32 repeat,
			u64 addr, u64 *run)
{
	u64 into = addr - map->va.addr;
	u64 left = map->va.range - into;

	if (repeat) {
		into = drm_gpuva_phase(addr, repeat);
		left = min_t(u64, left, repeat - into);
	}

	if (run)
		*run = left;

	return map->gem.offset + into;
}

/**
 * drm_gpuva_to_op_map() - a mapping as an operation that makes it
 * @va: the mapping
 *
 * Return: its range, object and offset.
 */
static inline struct drm_gpuva_op_map
drm_gpuva_to_op_map(const struct drm_gpuva *va)
{
	return (struct drm_gpuva_op_map) {
		.va.addr = va->va.addr,
		.va.range = va->va.range,
		.gem.offset = va->gem.offset,
		.gem.obj = va->gem.obj,
	};
}

/**
 * drm_gpuva_offset() - what a mapping shows at an address
 * @va: the mapping
 * @addr: an address inside
 * @run: set to the number of units from @addr on, up to the end of the mapping,
 *	that follow each other in the object; may be NULL
 *
 * Context: any, with @va's range and object stable.
 * Return: the offset in the object.
 */
static inline u64
drm_gpuva_offset(const struct drm_gpuva *va, u64 addr, u64 *run)
{
	struct drm_gpuva_op_map map = drm_gpuva_to_op_map(va);

	return drm_gpuva_op_map_offset(&map, va->repeat, addr, run);
}

/**
 * struct drm_gpuva_remap_span - the page table entries that a remap operation
 * breaks up
 */
struct drm_gpuva_remap_span {
	/** @addr: the first address whose entry has to go */
	u64 addr;

	/** @range: how many addresses from there on */
	u64 range;

	/**
	 * @front: what of &drm_gpuva_op_remap.prev goes with them and has to be
	 * written again; its range may be 0
	 */
	struct drm_gpuva_op_map front;

	/** @back: the same of &drm_gpuva_op_remap.next */
	struct drm_gpuva_op_map back;
};

void drm_gpuva_op_remap_widen(const struct drm_gpuva_op_remap *op,
			      u64 front_granule, u64 back_granule,
			      struct drm_gpuva_remap_span *span);

/* ---- Tear-down without memory ------------------------------------------ */

int drm_gpuva_unmap_step(struct drm_gpuva *va,
			 const struct drm_gpuvm_steps *steps, void *priv);
int drm_gpuvm_bo_unmap(struct drm_gpuvm_bo *vm_bo,
		       const struct drm_gpuvm_steps *steps, void *priv);
int drm_gpuvm_unmap_all(struct drm_gpuvm *gpuvm,
			const struct drm_gpuvm_steps *steps, void *priv);

/* ---- A stock of mappings ----------------------------------------------- */

struct drm_gpuva_stock;

/**
 * struct drm_gpuva_stock_ops - how a driver makes and frees its mappings
 */
struct drm_gpuva_stock_ops {
	/**
	 * @alloc: allocates a mapping, cleared to zero, inside a structure of
	 * the driver's; NULL when out of memory. Called where
	 * drm_gpuva_stock_fill() was.
	 */
	struct drm_gpuva *(*alloc)(struct drm_gpuva_stock *stock);

	/**
	 * @free: the counterpart of @alloc. The mapping may have been in the VM,
	 * and still says what it was. Called where drm_gpuva_stock_drain() was.
	 */
	void (*free)(struct drm_gpuva_stock *stock, struct drm_gpuva *va);

	/**
	 * @init: for a mapping that drm_gpuva_op_apply() is about to insert: its
	 * range, object, flags and repetition are set; this sets what the driver
	 * keeps around them. @old is the mapping that it is a part of, or NULL if
	 * it was requested. Optional. Allowed to do what the caller of
	 * drm_gpuva_op_apply() is.
	 */
	void (*init)(struct drm_gpuva_stock *stock, struct drm_gpuva *va,
		     const struct drm_gpuva *old, const struct drm_gpuva_op *op);
};

/**
 * struct drm_gpuva_stock - mappings allocated ahead, and those that are done with
 *
 * For whatever changes a VM where nothing can be allocated or freed. Filled
 * before, drained after. It has one owner at a time and no lock; drivers may embed
 * it. What is in it uses &drm_gpuva.rb, which only inserted mappings need
 * otherwise.
 */
struct drm_gpuva_stock {
	/** @vm: the VM that the mappings are for; no reference of its own */
	struct drm_gpuvm *vm;

	/** @ops: the driver's callbacks */
	const struct drm_gpuva_stock_ops *ops;

	/** @spare: the mappings to take, @num of them; private to the core */
	struct list_head spare;

	/** @retired: the mappings to free; private to the core */
	struct list_head retired;

	/** @num: how many mappings can be taken */
	unsigned int num;
};

void drm_gpuva_stock_init(struct drm_gpuva_stock *stock,
			  struct drm_gpuvm *gpuvm,
			  const struct drm_gpuva_stock_ops *ops);
int drm_gpuva_stock_fill(struct drm_gpuva_stock *stock, unsigned int num);
struct drm_gpuva *drm_gpuva_stock_take(struct drm_gpuva_stock *stock);
void drm_gpuva_stock_put(struct drm_gpuva_stock *stock, struct drm_gpuva *va);
void drm_gpuva_stock_retire(struct drm_gpuva_stock *stock, struct drm_gpuva *va);
void drm_gpuva_stock_drain(struct drm_gpuva_stock *stock);

/**
 * drm_gpuvm_req_max_vas() - how many new mappings a request can take
 * @req: the request
 *
 * Context: any.
 * Return: what drm_gpuva_op_apply() takes from its stock for all steps of @req at
 * the most, whatever the VM looks like by then.
 */
static inline unsigned int
drm_gpuvm_req_max_vas(const struct drm_gpuvm_req *req)
{
	/* A part in front, a part behind, and what is mapped between them. */
	return req->type == DRM_GPUVM_REQ_MAP ? 3 : 2;
}

int drm_gpuva_op_apply(const struct drm_gpuva_op *op,
		       struct drm_gpuva_stock *stock, struct drm_gpuvm_bo *vm_bo);

#endif /* __DRM_GPUVM_H__ */
