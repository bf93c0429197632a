// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * The MMU, in software: page tables of several levels with pages of 4K, 64K and
 * 2M.
 *
 * A table has 512 entries. One entry of level 0 stands for 4K, one of level 1 for
 * 2M, one of level 2 for 1G, and so on. An entry is empty, points to a table of
 * the level below, or is a leaf:
 *
 * - memory: the address of a page; in level 0 and 1 only
 * - memory that repeats: the address of the first page, and how many follow before
 *   it begins again; which of them an address shows hangs on the address alone,
 *   so that this is the same for all entries of a mapping; in any level
 * - memory that was evicted: the offset in the BO instead, so that the entry can
 *   be made valid again as it is
 * - sparse: no memory at all; in any level
 *
 * A page of 64K is an entry of level 0 which is marked as big and stands for an
 * aligned group of 16 entries, of which the others are empty.
 *
 * A larger page is used where address and offset in the BO are aligned to its
 * size. That only a part of it is changed later means that it has to be split: a
 * table of the next lower level takes its place. Tables that are needed for that
 * come from a pool that was filled beforehand, because updates take place in the
 * fence signalling path, where no memory can be allocated. Tables that become
 * empty go to the pool.
 *
 * No leaf belongs to more than one mapping: where one mapping ends and another
 * begins, the page is split.
 */

#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "vbind_drv.h"

#define VBIND_PT_SHIFT		9
#define VBIND_PT_ENTRIES	512
#define VBIND_PAGE_SHIFT	12
/* Entries of level 0 that a page of 64K stands for */
#define VBIND_BIG		16

/* The kind of an entry, in its lowest bits; the address of a page is above. */
#define VBIND_PTE_KIND		0x7ULL
#define VBIND_PTE_EMPTY		0x0ULL
#define VBIND_PTE_TABLE		0x1ULL
#define VBIND_PTE_MEMORY	0x2ULL
#define VBIND_PTE_EVICTED	0x3ULL
#define VBIND_PTE_SPARSE	0x4ULL
#define VBIND_PTE_READONLY	0x8ULL
#define VBIND_PTE_BIG		0x10ULL
/* The size that repeats, as a power of two of pages, plus 1; 0 if none does */
#define VBIND_PTE_REPEAT	0x3e0ULL
#define VBIND_PTE_REPEAT_SHIFT	5
#define VBIND_PTE_ADDR		(~0ULL << VBIND_PAGE_SHIFT)

/**
 * struct vbind_pt - a page table
 * @entries: the entries; in a pool, the first one points to the next table
 * @used: number of entries that are not empty
 */
struct vbind_pt {
	u64 entries[VBIND_PT_ENTRIES];
	unsigned int used;
};

/**
 * struct vbind_pt_update - what is to be written
 * @pool: where tables come from and go to
 * @addr: the first address
 * @flags: kind and flags of the entries
 * @value: what the entry of the first address refers to
 * @offset: where in the BO that is
 */
struct vbind_pt_update {
	struct vbind_pt_pool *pool;
	u64 addr;
	u64 flags;
	u64 value;
	u64 offset;
};

static struct kmem_cache *vbind_pt_cache;

static unsigned int vbind_level_shift(unsigned int level)
{
	return VBIND_PAGE_SHIFT + level * VBIND_PT_SHIFT;
}

/* How much an entry of a level stands for */
static u64 vbind_level_size(unsigned int level)
{
	return 1ULL << vbind_level_shift(level);
}

static unsigned int vbind_level_index(unsigned int level, u64 addr)
{
	return (addr >> vbind_level_shift(level)) & (VBIND_PT_ENTRIES - 1);
}

static u64 vbind_pte_kind(u64 pte)
{
	return pte & VBIND_PTE_KIND;
}

static struct vbind_pt *vbind_pte_table(u64 pte)
{
	return (struct vbind_pt *)(uintptr_t)(pte & ~VBIND_PTE_KIND);
}

static u64 vbind_pt_to_pte(struct vbind_pt *pt)
{
	return (u64)(uintptr_t)pt | VBIND_PTE_TABLE;
}

static bool vbind_pte_is_memory(u64 pte)
{
	return vbind_pte_kind(pte) == VBIND_PTE_MEMORY ||
	       vbind_pte_kind(pte) == VBIND_PTE_EVICTED;
}

/* Whether the entry refers to something that goes on from page to page */
static bool vbind_pte_has_addr(u64 pte)
{
	return vbind_pte_is_memory(pte) && !(pte & VBIND_PTE_REPEAT);
}

/* For a size that is a power of two, a page at least, or 0 */
static u64 vbind_pte_repeat(u32 repeat)
{
	u64 field = repeat ? ilog2(repeat) - VBIND_PAGE_SHIFT + 1 : 0;

	return field << VBIND_PTE_REPEAT_SHIFT;
}

/* The size after which the memory begins again, 0 if it does not */
static u64 vbind_pte_repeat_size(u64 pte)
{
	u64 field = (pte & VBIND_PTE_REPEAT) >> VBIND_PTE_REPEAT_SHIFT;

	return field ? 1ULL << (field - 1 + VBIND_PAGE_SHIFT) : 0;
}

/* Pools */

static void vbind_pt_pool_put(struct vbind_pt_pool *pool, struct vbind_pt *pt)
{
	pt->entries[0] = (u64)(uintptr_t)pool->free;
	pool->free = pt;
	pool->count++;
}

static struct vbind_pt *vbind_pt_pool_get(struct vbind_pt_pool *pool)
{
	struct vbind_pt *pt = pool->free;

	/* That the estimate was too low is a bug. */
	if (WARN_ON_ONCE(!pt))
		return NULL;

	pool->free = (struct vbind_pt *)(uintptr_t)pt->entries[0];
	pool->count--;
	memset(pt, 0, sizeof(*pt));

	return pt;
}

/**
 * vbind_pt_pool_fill() - allocate page tables
 * @pool: the pool, empty
 * @count: how many there have to be
 *
 * Return: 0, -ENOMEM, -ENOSPC if the file has too many, or -ERESTARTSYS;
 * vbind_pt_pool_drain() is due in any case
 */
int vbind_pt_pool_fill(struct vbind_pt_pool *pool, unsigned long count)
{
	u32 n = 0;
	int ret;

	ret = vbind_file_charge(pool->vfile, VBIND_LIMIT_TABLES, count);
	if (ret)
		return ret;

	while (!ret && pool->count < count) {
		struct vbind_pt *pt;

		pt = kmem_cache_alloc(vbind_pt_cache, GFP_KERNEL_ACCOUNT);
		if (!pt) {
			ret = -ENOMEM;
			break;
		}
		vbind_pt_pool_put(pool, pt);
		ret = vbind_check_signal(&n);
	}
	if (ret)
		vbind_file_uncharge(pool->vfile, VBIND_LIMIT_TABLES,
				    count - pool->count);

	return ret;
}

/**
 * vbind_pt_pool_drain() - free page tables that were not needed
 * @pool: the pool
 */
void vbind_pt_pool_drain(struct vbind_pt_pool *pool)
{
	if (!pool->count)
		return;

	vbind_file_uncharge(pool->vfile, VBIND_LIMIT_TABLES, pool->count);
	while (pool->free) {
		struct vbind_pt *pt = pool->free;

		pool->free = (struct vbind_pt *)(uintptr_t)pt->entries[0];
		kmem_cache_free(vbind_pt_cache, pt);
	}
	pool->count = 0;
}

/* How many tables a job may need */

static int vbind_pt_span_cmp(const void *a, const void *b)
{
	const struct vbind_pt_span *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/**
 * vbind_pt_spans_cut() - where an unmap, or a mapping that is sparse or repeats,
 * may need tables
 * @spans: to be filled in, %VBIND_PT_MAX_SPANS at most
 * @addr: start of the range
 * @range: its size
 *
 * In between, entries can be as large as may be. At both ends, something may have
 * to be split.
 *
 * Return: number of spans
 */
unsigned int vbind_pt_spans_cut(struct vbind_pt_span *spans, u64 addr, u64 range)
{
	u64 last = addr + (range - 1);

	spans[0] = (struct vbind_pt_span){ .first = addr, .last = addr };
	spans[1] = (struct vbind_pt_span){ .first = last, .last = last };

	return 2;
}

/**
 * vbind_pt_spans_map() - where a mapping of memory may need tables
 * @spans: to be filled in, %VBIND_PT_MAX_SPANS at most
 * @addr: start of the range
 * @range: its size
 * @offset: offset in the BO
 *
 * Return: number of spans
 */
unsigned int vbind_pt_spans_map(struct vbind_pt_span *spans, u64 addr, u64 range,
				u64 offset)
{
	bool large = IS_ALIGNED(addr - offset, vbind_level_size(1));

	/* In this order, binds in ascending order need no sorting. */
	spans[0] = (struct vbind_pt_span){
		.first = addr,
		.last = addr + (range - 1),
		.level = large ? 1 : 0,
	};

	return 1 + vbind_pt_spans_cut(spans + 1, addr, range);
}

/**
 * vbind_pt_count() - how many tables a job may need
 * @mmu: the page tables
 * @spans: where it may need some; are sorted
 * @n: number of them
 *
 * Each table counts once, however often it may be given back and needed again: it
 * goes to the job's pool meanwhile.
 *
 * Return: as many as if there were none yet
 */
unsigned long vbind_pt_count(const struct vbind_mmu *mmu,
			     struct vbind_pt_span *spans, unsigned int n)
{
	unsigned long count = 0;
	unsigned int level, i;

	for (i = 1; i < n; i++) {
		if (spans[i].first < spans[i - 1].first) {
			sort(spans, n, sizeof(*spans), vbind_pt_span_cmp, NULL);
			break;
		}
	}

	for (level = 0; level < mmu->top; level++) {
		/* The first table behind those that are counted */
		u64 next = 0;

		for (i = 0; i < n; i++) {
			u64 from = spans[i].first >> vbind_level_shift(level + 1);
			u64 to = spans[i].last >> vbind_level_shift(level + 1);

			from = max(from, next);
			if (level < spans[i].level || from > to)
				continue;
			count += to - from + 1;
			next = to + 1;
		}
	}

	return count;
}

/* Updates */

static u64 vbind_pt_update_pte(const struct vbind_pt_update *update, u64 addr)
{
	if (vbind_pte_has_addr(update->flags))
		return (update->value + (addr - update->addr)) | update->flags;

	return update->value | update->flags;
}

static bool vbind_pt_update_aligned(const struct vbind_pt_update *update,
				    u64 addr, u64 size)
{
	return IS_ALIGNED(update->offset + (addr - update->addr), size);
}

/* Writes an entry that is no table, over whatever is there. */
static void vbind_pt_write(struct vbind_pt *pt, unsigned int i, u64 pte)
{
	u64 old = pt->entries[i];

	pt->used += !!pte - !!old;
	pt->entries[i] = pte;
}

/* Replaces a page of 64K by 16 of 4K. */
static void vbind_pt_split_big(struct vbind_pt *pt, unsigned int i)
{
	unsigned int first = round_down(i, VBIND_BIG), j;
	u64 pte = pt->entries[first];

	if (!(pte & VBIND_PTE_BIG))
		return;

	pte &= ~VBIND_PTE_BIG;
	for (j = 0; j < VBIND_BIG; j++)
		pt->entries[first + j] = pte + j * vbind_level_size(0);
	pt->used += VBIND_BIG - 1;
}

static void vbind_pt_write_big(struct vbind_pt *pt, unsigned int i, u64 pte)
{
	unsigned int j;

	if (!(pt->entries[i] & VBIND_PTE_BIG)) {
		for (j = 0; j < VBIND_BIG; j++)
			vbind_pt_write(pt, i + j, VBIND_PTE_EMPTY);
	}
	vbind_pt_write(pt, i, pte);
}

/* Level 0; @addr and @last are in the same table. */
static void vbind_pt_update_pages(struct vbind_pt *pt, u64 addr, u64 last,
				  const struct vbind_pt_update *update)
{
	const u64 big_size = VBIND_BIG * vbind_level_size(0);
	unsigned int end = vbind_level_index(0, last);
	unsigned int i = vbind_level_index(0, addr);
	bool big = vbind_pte_has_addr(update->flags);

	while (i <= end) {
		bool group = IS_ALIGNED(i, VBIND_BIG) && i + VBIND_BIG <= end + 1;

		if (group && !update->flags && pt->entries[i] & VBIND_PTE_BIG) {
			vbind_pt_write(pt, i, VBIND_PTE_EMPTY);
			i += VBIND_BIG;
			addr += big_size;
		} else if (group && big &&
			   vbind_pt_update_aligned(update, addr, big_size)) {
			vbind_pt_write_big(pt, i, VBIND_PTE_BIG |
					   vbind_pt_update_pte(update, addr));
			i += VBIND_BIG;
			addr += big_size;
		} else {
			vbind_pt_split_big(pt, i);
			vbind_pt_write(pt, i, vbind_pt_update_pte(update, addr));
			i++;
			addr += vbind_level_size(0);
		}
	}
}

static void vbind_pt_release(struct vbind_pt *pt, unsigned int level,
			     struct vbind_pt_pool *pool)
{
	unsigned int i;

	for (i = 0; level && i < VBIND_PT_ENTRIES; i++) {
		if (vbind_pte_kind(pt->entries[i]) == VBIND_PTE_TABLE)
			vbind_pt_release(vbind_pte_table(pt->entries[i]),
					 level - 1, pool);
	}
	vbind_pt_pool_put(pool, pt);
}

/* Fills a new table with what the entry above it was. */
static void vbind_pt_split(struct vbind_pt *pt, unsigned int level, u64 pte)
{
	bool big = !level && vbind_pte_has_addr(pte);
	unsigned int step = big ? VBIND_BIG : 1, i;

	for (i = 0; i < VBIND_PT_ENTRIES; i += step) {
		pt->entries[i] = pte;
		if (vbind_pte_has_addr(pte))
			pt->entries[i] += i * vbind_level_size(level);
		if (big)
			pt->entries[i] |= VBIND_PTE_BIG;
		pt->used++;
	}
}

/* The table that an entry of @level points to; made if there is none. */
static struct vbind_pt *vbind_pt_descend(struct vbind_pt *pt, unsigned int level,
					 unsigned int i,
					 struct vbind_pt_pool *pool)
{
	u64 pte = pt->entries[i];
	struct vbind_pt *child;

	if (vbind_pte_kind(pte) == VBIND_PTE_TABLE)
		return vbind_pte_table(pte);

	child = vbind_pt_pool_get(pool);
	if (!child)
		return NULL;

	if (pte)
		vbind_pt_split(child, level - 1, pte);
	else
		pt->used++;
	pt->entries[i] = vbind_pt_to_pte(child);

	return child;
}

static void vbind_pt_drop_child(struct vbind_pt *pt, unsigned int level,
				unsigned int i, struct vbind_pt_pool *pool)
{
	u64 pte = pt->entries[i];

	if (vbind_pte_kind(pte) != VBIND_PTE_TABLE)
		return;

	vbind_pt_release(vbind_pte_table(pte), level - 1, pool);
	pt->entries[i] = VBIND_PTE_EMPTY;
	pt->used--;
}

static bool vbind_pt_update_fits(const struct vbind_pt_update *update,
				 unsigned int level, u64 addr)
{
	if (!vbind_pte_has_addr(update->flags))
		return true;

	return level == 1 &&
	       vbind_pt_update_aligned(update, addr, vbind_level_size(1));
}

static int vbind_pt_update(struct vbind_pt *pt, unsigned int level, u64 addr,
			   u64 last, const struct vbind_pt_update *update)
{
	unsigned int i;
	int ret;

	if (!level) {
		vbind_pt_update_pages(pt, addr, last, update);
		return 0;
	}

	for (i = vbind_level_index(level, addr);; i++) {
		u64 entry_last = addr | (vbind_level_size(level) - 1);
		bool whole = IS_ALIGNED(addr, vbind_level_size(level)) &&
			     entry_last <= last;

		if (whole && vbind_pt_update_fits(update, level, addr)) {
			vbind_pt_drop_child(pt, level, i, update->pool);
			vbind_pt_write(pt, i, vbind_pt_update_pte(update, addr));
		} else if (update->flags || pt->entries[i]) {
			struct vbind_pt *child;

			child = vbind_pt_descend(pt, level, i, update->pool);
			if (!child)
				return -ENOMEM;
			ret = vbind_pt_update(child, level - 1, addr,
					      min(entry_last, last), update);
			if (ret)
				return ret;
			if (!child->used)
				vbind_pt_drop_child(pt, level, i, update->pool);
		}

		if (entry_last >= last)
			return 0;
		addr = entry_last + 1;
	}
}

static int vbind_mmu_update(struct vbind_mmu *mmu, u64 range,
			    const struct vbind_pt_update *update)
{
	int ret;

	down_write(&mmu->lock);
	ret = vbind_pt_update(mmu->root, mmu->top, update->addr,
			      update->addr + (range - 1), update);
	up_write(&mmu->lock);

	return ret;
}

/**
 * vbind_mmu_map() - map memory
 * @mmu: the page tables
 * @pool: tables, as many as vbind_pt_count() said
 * @addr: where to
 * @range: how much
 * @memory: the memory
 *
 * Return: 0 or -ENOMEM if the pool was too small, which is a bug
 */
int vbind_mmu_map(struct vbind_mmu *mmu, struct vbind_pt_pool *pool, u64 addr,
		  u64 range, const struct vbind_mmu_memory *memory)
{
	const struct vbind_pt_update update = {
		.pool = pool,
		.addr = addr,
		.flags = VBIND_PTE_MEMORY | vbind_pte_repeat(memory->repeat) |
			 (memory->readonly ? VBIND_PTE_READONLY : 0),
		.value = (uintptr_t)memory->start + memory->offset,
		.offset = memory->offset,
	};

	return vbind_mmu_update(mmu, range, &update);
}

/**
 * vbind_mmu_map_sparse() - map no memory
 * @mmu: the page tables
 * @pool: tables, as many as vbind_pt_count() said
 * @addr: where to
 * @range: how much
 *
 * Return: as vbind_mmu_map()
 */
int vbind_mmu_map_sparse(struct vbind_mmu *mmu, struct vbind_pt_pool *pool,
			 u64 addr, u64 range)
{
	const struct vbind_pt_update update = {
		.pool = pool,
		.addr = addr,
		.flags = VBIND_PTE_SPARSE,
	};

	return vbind_mmu_update(mmu, range, &update);
}

/**
 * vbind_mmu_unmap() - unmap whatever is there
 * @mmu: the page tables
 * @pool: tables, as many as vbind_pt_count() said
 * @addr: where
 * @range: how much
 *
 * Return: as vbind_mmu_map()
 */
int vbind_mmu_unmap(struct vbind_mmu *mmu, struct vbind_pt_pool *pool, u64 addr,
		    u64 range)
{
	const struct vbind_pt_update update = {
		.pool = pool,
		.addr = addr,
		.flags = VBIND_PTE_EMPTY,
	};

	return vbind_mmu_update(mmu, range, &update);
}

/* Walks */

/* Called for each leaf and each table, a table before what is in it */
typedef void (*vbind_pte_fn)(u64 *pte, unsigned int level, u64 addr, void *priv);

static void vbind_pt_walk(struct vbind_pt *pt, unsigned int level, u64 addr,
			  u64 last, vbind_pte_fn fn, void *priv)
{
	unsigned int i = vbind_level_index(level, addr);
	unsigned int skip = 0;

	/* The entry of a page of 64K may be in front of @addr. */
	if (!level && pt->entries[round_down(i, VBIND_BIG)] & VBIND_PTE_BIG) {
		skip = i % VBIND_BIG;
		addr -= skip * vbind_level_size(0);
		i -= skip;
	}

	for (;; i++) {
		u64 entry_last = addr | (vbind_level_size(level) - 1);
		u64 *pte = &pt->entries[i];

		if (*pte)
			fn(pte, level, addr & ~(vbind_level_size(level) - 1), priv);
		if (vbind_pte_kind(*pte) == VBIND_PTE_TABLE)
			vbind_pt_walk(vbind_pte_table(*pte), level - 1, addr,
				      min(entry_last, last), fn, priv);

		if (entry_last >= last)
			return;
		addr = entry_last + 1;
	}
}

static void vbind_pte_invalidate(u64 *pte, unsigned int level, u64 addr,
				 void *memory)
{
	if (vbind_pte_kind(*pte) == VBIND_PTE_MEMORY)
		*pte += VBIND_PTE_EVICTED - VBIND_PTE_MEMORY - (uintptr_t)memory;
}

static void vbind_pte_revalidate(u64 *pte, unsigned int level, u64 addr,
				 void *memory)
{
	if (vbind_pte_kind(*pte) == VBIND_PTE_EVICTED)
		*pte += VBIND_PTE_MEMORY - VBIND_PTE_EVICTED + (uintptr_t)memory;
}

/**
 * vbind_mmu_invalidate() - have no entry refer to memory that is to be evicted
 * @mmu: the page tables
 * @addr: start of a mapping
 * @range: its size
 * @memory: start of the BO's memory
 *
 * Needs no table, because entries keep their size.
 */
void vbind_mmu_invalidate(struct vbind_mmu *mmu, u64 addr, u64 range,
			  void *memory)
{
	down_write(&mmu->lock);
	vbind_pt_walk(mmu->root, mmu->top, addr, addr + (range - 1),
		      vbind_pte_invalidate, memory);
	up_write(&mmu->lock);
}

/**
 * vbind_mmu_revalidate() - have entries refer to memory that is back
 * @mmu: the page tables
 * @addr: start of a mapping
 * @range: its size
 * @memory: start of the BO's memory, which need not be where it was
 */
void vbind_mmu_revalidate(struct vbind_mmu *mmu, u64 addr, u64 range,
			  void *memory)
{
	down_write(&mmu->lock);
	vbind_pt_walk(mmu->root, mmu->top, addr, addr + (range - 1),
		      vbind_pte_revalidate, memory);
	up_write(&mmu->lock);
}

/**
 * vbind_mmu_lookup() - what the GPU finds at an address
 * @mmu: the page tables, locked for reading as long as @ptr is in use
 * @addr: the address
 * @write: whether to write
 * @ptr: where to put the address of the memory, if there is some
 * @size: where to put the size of what is alike from @addr on, at most up to the
 *	end of the page
 *
 * Return: what is there
 */
enum vbind_mmu_access vbind_mmu_lookup(struct vbind_mmu *mmu, u64 addr,
				       bool write, void **ptr, u64 *size)
{
	struct vbind_pt *pt = mmu->root;
	unsigned int level = mmu->top;
	u64 pte, page, offset, repeat;

	lockdep_assert_held(&mmu->lock);

	/* The table of the highest level may end below 2^64. */
	*size = 1;
	if (level + 1 < VBIND_MMU_MAX_LEVELS &&
	    addr >> vbind_level_shift(level + 1))
		return VBIND_MMU_UNMAPPED;

	for (;;) {
		pte = pt->entries[vbind_level_index(level, addr)];
		if (vbind_pte_kind(pte) != VBIND_PTE_TABLE)
			break;
		pt = vbind_pte_table(pte);
		level--;
	}

	page = vbind_level_size(level);
	if (!level) {
		u64 head = pt->entries[round_down(vbind_level_index(0, addr),
						  VBIND_BIG)];

		if (head & VBIND_PTE_BIG) {
			pte = head;
			page *= VBIND_BIG;
		}
	}

	offset = addr & (page - 1);
	*size = page - offset;
	repeat = vbind_pte_repeat_size(pte);
	if (repeat) {
		offset = addr & (repeat - 1);
		*size = min(*size, repeat - offset);
	}

	switch (vbind_pte_kind(pte)) {
	case VBIND_PTE_MEMORY:
		if (write && pte & VBIND_PTE_READONLY)
			return VBIND_MMU_READONLY;
		*ptr = (void *)(uintptr_t)((pte & VBIND_PTE_ADDR) + offset);
		return VBIND_MMU_OK;
	case VBIND_PTE_SPARSE:
		return VBIND_MMU_SPARSE;
	case VBIND_PTE_EVICTED:
		return VBIND_MMU_EVICTED;
	}

	return VBIND_MMU_UNMAPPED;
}

static void vbind_pte_count(u64 *pte, unsigned int level, u64 addr, void *priv)
{
	struct vbind_mmu_stats *stats = priv;

	switch (vbind_pte_kind(*pte)) {
	case VBIND_PTE_TABLE:
		stats->tables++;
		break;
	case VBIND_PTE_MEMORY:
		if (level)
			stats->pages_2m++;
		else if (*pte & VBIND_PTE_BIG)
			stats->pages_64k++;
		else
			stats->pages_4k++;
		break;
	case VBIND_PTE_EVICTED:
		stats->evicted++;
		break;
	case VBIND_PTE_SPARSE:
		stats->sparse++;
		break;
	}
}

static u64 vbind_mmu_last(const struct vbind_mmu *mmu)
{
	if (mmu->top + 1 == VBIND_MMU_MAX_LEVELS)
		return U64_MAX;

	return vbind_level_size(mmu->top + 1) - 1;
}

/**
 * vbind_mmu_get_stats() - count what is in the page tables
 * @mmu: the page tables
 * @stats: the sums
 */
void vbind_mmu_get_stats(struct vbind_mmu *mmu, struct vbind_mmu_stats *stats)
{
	*stats = (struct vbind_mmu_stats){ .tables = 1 };

	down_read(&mmu->lock);
	vbind_pt_walk(mmu->root, mmu->top, 0, vbind_mmu_last(mmu),
		      vbind_pte_count, stats);
	up_read(&mmu->lock);
}

static void vbind_pte_show(u64 *pte, unsigned int level, u64 addr, void *priv)
{
	static const char *const kinds[] = {
		[VBIND_PTE_TABLE] = "table",
		[VBIND_PTE_MEMORY] = "memory",
		[VBIND_PTE_EVICTED] = "evicted",
		[VBIND_PTE_SPARSE] = "sparse",
	};
	u64 size = vbind_level_size(level);
	struct seq_file *m = priv;

	if (*pte & VBIND_PTE_BIG && vbind_pte_has_addr(*pte))
		size *= VBIND_BIG;
	seq_printf(m, "  %u 0x%016llx-0x%016llx %s%s\n", level, addr,
		   addr + (size - 1), kinds[vbind_pte_kind(*pte)],
		   vbind_pte_is_memory(*pte) && *pte & VBIND_PTE_READONLY ?
		   " read-only" : "");
}

/**
 * vbind_mmu_show() - list tables and leaves for debugfs
 * @mmu: the page tables
 * @m: where to list them
 */
void vbind_mmu_show(struct vbind_mmu *mmu, struct seq_file *m)
{
	/* seq_printf() writes to memory that is there already. */
	down_read(&mmu->lock);
	vbind_pt_walk(mmu->root, mmu->top, 0, vbind_mmu_last(mmu),
		      vbind_pte_show, m);
	up_read(&mmu->lock);
}

/**
 * vbind_mmu_init() - make empty page tables
 * @mmu: the page tables
 * @vfile: the file that they count for
 * @last: the last address of the VA space
 *
 * Return: 0, -ENOMEM, or -ENOSPC if the file has too many
 */
int vbind_mmu_init(struct vbind_mmu *mmu, struct vbind_file *vfile, u64 last)
{
	struct vbind_pt_pool pool = { .vfile = vfile };
	int ret;

	ret = vbind_pt_pool_fill(&pool, 1);
	if (ret)
		return ret;

	mmu->vfile = vfile;
	mmu->root = vbind_pt_pool_get(&pool);

	mmu->top = 0;
	while (mmu->top + 1 < VBIND_MMU_MAX_LEVELS &&
	       last >> vbind_level_shift(mmu->top + 1))
		mmu->top++;
	init_rwsem(&mmu->lock);

	return 0;
}

/**
 * vbind_mmu_fini() - free all page tables
 * @mmu: the page tables
 */
void vbind_mmu_fini(struct vbind_mmu *mmu)
{
	struct vbind_pt_pool pool = { .vfile = mmu->vfile };

	vbind_pt_release(mmu->root, mmu->top, &pool);
	vbind_pt_pool_drain(&pool);
	mmu->root = NULL;
}

/**
 * vbind_mmu_module_init() - set up what all VMs share
 *
 * Return: 0 or -ENOMEM
 */
int vbind_mmu_module_init(void)
{
	/* The lowest bits of a table's address are in use. */
	vbind_pt_cache = kmem_cache_create("vbind_pt", sizeof(struct vbind_pt),
					   64, 0, NULL);

	return vbind_pt_cache ? 0 : -ENOMEM;
}

/**
 * vbind_mmu_module_exit() - undo vbind_mmu_module_init()
 */
void vbind_mmu_module_exit(void)
{
	kmem_cache_destroy(vbind_pt_cache);
}
