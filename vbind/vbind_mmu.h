/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Copyright (c) 2026 The DRM GPUVM project */

#ifndef _VBIND_MMU_H_
#define _VBIND_MMU_H_

#include <linux/rwsem.h>
#include <linux/types.h>

struct seq_file;
struct vbind_file;
struct vbind_pt;

/* Levels that can be below the root of a 64-bit VA space */
#define VBIND_MMU_MAX_LEVELS	6

/**
 * struct vbind_mmu - the page tables of a VM
 */
struct vbind_mmu {
	/**
	 * @lock: held for writing by updates and for reading by the command
	 * processor while it accesses what an entry points to. So an update that
	 * has returned is what the flush of a TLB is for hardware: what was
	 * mapped can be freed. Taken in the fence signalling path and by the
	 * shrinker: no memory may be allocated, and no other lock be taken,
	 * under it.
	 */
	struct rw_semaphore lock;

	/** @vfile: the file that the tables count for */
	struct vbind_file *vfile;

	/** @root: the table of the highest level */
	struct vbind_pt *root;

	/** @top: the level of @root; level 0 has the 4K pages */
	unsigned int top;
};

/**
 * struct vbind_pt_pool - page tables that a job may need
 * @vfile: the file that they count for
 * @free: list of them
 * @count: how many they are
 */
struct vbind_pt_pool {
	struct vbind_file *vfile;
	struct vbind_pt *free;
	unsigned long count;
};

/**
 * struct vbind_pt_span - addresses for which tables may be needed
 * @first: the first one
 * @last: the last one
 * @level: the lowest level of which tables are needed
 */
struct vbind_pt_span {
	u64 first;
	u64 last;
	unsigned int level;
};

/* How many spans a range may have */
#define VBIND_PT_MAX_SPANS	3

/**
 * struct vbind_mmu_memory - what a mapping shows
 * @start: start of the BO's memory
 * @offset: where in the BO to begin
 * @repeat: the size after which it begins again, counted by the address; a power
 *	of two, or 0 if it does not
 * @readonly: that writes are faults
 */
struct vbind_mmu_memory {
	void *start;
	u64 offset;
	u32 repeat;
	bool readonly;
};

/**
 * struct vbind_mmu_stats - what is in the page tables
 * @tables: tables
 * @pages_4k: entries that map 4K
 * @pages_64k: entries that map 64K
 * @pages_2m: entries that map 2M
 * @sparse: sparse entries, of all sizes
 * @evicted: entries of memory that was evicted, of all sizes
 */
struct vbind_mmu_stats {
	u64 tables;
	u64 pages_4k;
	u64 pages_64k;
	u64 pages_2m;
	u64 sparse;
	u64 evicted;
};

/**
 * enum vbind_mmu_access - what there is at an address
 * @VBIND_MMU_OK: memory
 * @VBIND_MMU_SPARSE: nothing: reads give zero, writes are dropped
 * @VBIND_MMU_UNMAPPED: a fault: nothing is mapped
 * @VBIND_MMU_READONLY: a fault: a write to a read-only mapping
 * @VBIND_MMU_EVICTED: a fault: the memory was evicted
 */
enum vbind_mmu_access {
	VBIND_MMU_OK,
	VBIND_MMU_SPARSE,
	VBIND_MMU_UNMAPPED,
	VBIND_MMU_READONLY,
	VBIND_MMU_EVICTED,
};

int vbind_mmu_init(struct vbind_mmu *mmu, struct vbind_file *vfile, u64 last);
void vbind_mmu_fini(struct vbind_mmu *mmu);

unsigned int vbind_pt_spans_map(struct vbind_pt_span *spans, u64 addr, u64 range,
				u64 offset);
unsigned int vbind_pt_spans_cut(struct vbind_pt_span *spans, u64 addr,
				u64 range);
unsigned long vbind_pt_count(const struct vbind_mmu *mmu,
			     struct vbind_pt_span *spans, unsigned int n);
int vbind_pt_pool_fill(struct vbind_pt_pool *pool, unsigned long count);
void vbind_pt_pool_drain(struct vbind_pt_pool *pool);

int vbind_mmu_map(struct vbind_mmu *mmu, struct vbind_pt_pool *pool, u64 addr,
		  u64 range, const struct vbind_mmu_memory *memory);
int vbind_mmu_map_sparse(struct vbind_mmu *mmu, struct vbind_pt_pool *pool,
			 u64 addr, u64 range);
int vbind_mmu_unmap(struct vbind_mmu *mmu, struct vbind_pt_pool *pool, u64 addr,
		    u64 range);

void vbind_mmu_invalidate(struct vbind_mmu *mmu, u64 addr, u64 range,
			  void *memory);
void vbind_mmu_revalidate(struct vbind_mmu *mmu, u64 addr, u64 range,
			  void *memory);

enum vbind_mmu_access vbind_mmu_lookup(struct vbind_mmu *mmu, u64 addr,
				       bool write, void **ptr, u64 *size);

void vbind_mmu_get_stats(struct vbind_mmu *mmu, struct vbind_mmu_stats *stats);
void vbind_mmu_show(struct vbind_mmu *mmu, struct seq_file *m);

int vbind_mmu_module_init(void);
void vbind_mmu_module_exit(void);

#endif /* _VBIND_MMU_H_ */
