// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * A Mali in software: address translation by the tables that panthor writes, of four
 * levels with pages of 4K, and a dump of them.
 */

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/seq_file.h>

#include "panthor_device.h"
#include "mock_mali.h"

#define LEVELS			4
#define LEVEL_SHIFT(level)	(12 + 9 * (LEVELS - 1 - (level)))
#define ENTRIES			512

#define ENTRY_VALID		BIT_ULL(0)
#define ENTRY_TABLE		BIT_ULL(1)
#define ENTRY_READONLY		BIT_ULL(7)
#define ENTRY_ACCESSED		BIT_ULL(10)
#define ENTRY_NO_EXEC		BIT_ULL(54)
#define ENTRY_ADDRESS		GENMASK_ULL(47, 12)
#define ENTRY_ATTRIBUTE(e)	(((e) >> 2) & 7)

static bool is_leaf(u64 entry, int level)
{
	if (level == LEVELS - 1)
		return entry & ENTRY_TABLE;
	return level && !(entry & ENTRY_TABLE);
}

/* NULL if it is no memory */
static void *memory_at(u64 pa)
{
	return pfn_valid(PHYS_PFN(pa)) ? phys_to_virt(pa) : NULL;
}

/*
 * Returns where a virtual address is in the kernel's memory, up to the end of the
 * page, or NULL and the type of the exception.
 */
void *mock_translate(struct mock_mali *mali, u32 space, u64 va, bool write,
		     u32 *fault)
{
	u64 entry, *table;
	int level;

	*fault = DRM_PANTHOR_EXCEPTION_TRANSLATION_FAULT_0;
	if (space >= MOCK_SPACES || !mali->spaces[space].enabled)
		return NULL;

	if (va >> MOCK_VA_BITS) {
		*fault = DRM_PANTHOR_EXCEPTION_ADDR_SIZE_FAULT_IN;
		return NULL;
	}

	table = memory_at(mali->spaces[space].table);
	for (level = 0; table && level < LEVELS; level++) {
		u64 size = BIT_ULL(LEVEL_SHIFT(level));

		entry = READ_ONCE(table[(va / size) % ENTRIES]);
		*fault = DRM_PANTHOR_EXCEPTION_TRANSLATION_FAULT_0 + level;
		if (!(entry & ENTRY_VALID))
			return NULL;
		if (!is_leaf(entry, level)) {
			table = memory_at(entry & ENTRY_ADDRESS);
			continue;
		}
		*fault = DRM_PANTHOR_EXCEPTION_ACCESS_FLAG_1 + level - 1;
		if (!(entry & ENTRY_ACCESSED))
			return NULL;
		*fault = DRM_PANTHOR_EXCEPTION_PERM_FAULT_0 + level;
		if (write && entry & ENTRY_READONLY)
			return NULL;
		*fault = DRM_PANTHOR_EXCEPTION_ADDR_SIZE_FAULT_OUT0 + level;
		return memory_at((entry & ENTRY_ADDRESS & ~(size - 1)) +
				 va % size);
	}

	return NULL;
}

/*
 * A run of pages that are mapped alike: what is in their first words goes on from page
 * to page, or is zero. So the dump does not tell where memory is, nor how large the
 * entries are, and can be compared with that of another kernel.
 */
struct run {
	struct seq_file *m;
	u64 va, pages, word, flags;
	u64 entries[LEVELS];
};

static void end_run(struct run *run)
{
	if (run->pages)
		seq_printf(run->m, "  %012llx %llu %s%s %llu %llx\n", run->va,
			   run->pages, run->flags & ENTRY_READONLY ? "r-" : "rw",
			   run->flags & ENTRY_NO_EXEC ? "-" : "x",
			   ENTRY_ATTRIBUTE(run->flags), run->word);
	run->pages = 0;
}

static void add_page(struct run *run, u64 va, u64 pa, u64 flags)
{
	const u64 *memory = memory_at(pa);
	u64 word = memory ? READ_ONCE(*memory) : ~0ULL;
	u64 next = run->word ? run->word + run->pages : 0;

	if (!run->pages || va != run->va + run->pages * SZ_4K || word != next ||
	    flags != run->flags) {
		end_run(run);
		run->va = va;
		run->word = word;
		run->flags = flags;
	}
	run->pages++;
}

static void add_leaf(struct run *run, u64 va, u64 entry, int level)
{
	u64 flags = entry & (ENTRY_READONLY | ENTRY_NO_EXEC | 7 << 2);
	u64 size = BIT_ULL(LEVEL_SHIFT(level)), offset;

	run->entries[level]++;
	for (offset = 0; offset < size; offset += SZ_4K)
		add_page(run, va + offset,
			 (entry & ENTRY_ADDRESS & ~(size - 1)) + offset, flags);
}

static void show_table(struct run *run, const u64 *table, u64 va, int level)
{
	int i;

	for (i = 0; table && i < ENTRIES; i++) {
		u64 entry = READ_ONCE(table[i]);
		u64 at = va + ((u64)i << LEVEL_SHIFT(level));

		if (!(entry & ENTRY_VALID))
			continue;
		if (is_leaf(entry, level))
			add_leaf(run, at, entry, level);
		else if (level < LEVELS - 1)
			show_table(run, memory_at(entry & ENTRY_ADDRESS), at,
				   level + 1);
	}
	cond_resched();
}

/* All spaces but the MCU's. The tables must not change meanwhile. */
void mock_show_tables(struct mock_mali *mali, struct seq_file *m)
{
	unsigned int i;

	for (i = 1; i < MOCK_SPACES; i++) {
		struct run run = { .m = m };

		if (!mali->spaces[i].enabled)
			continue;
		seq_printf(m, "space %u\n", i);
		show_table(&run, memory_at(mali->spaces[i].table), 0, 0);
		end_run(&run);
		seq_printf(m, "entries %llu of 1G, %llu of 2M, %llu of 4K\n",
			   run.entries[1], run.entries[2], run.entries[3]);
	}
}
