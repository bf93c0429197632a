// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * The core with a u64 of a few bits: what it says about what is in a VM.
 */
#include "requests.h"

/* What overlaps a set of units: of the mappings the lowest, and the reserved range. */
static const struct piece *first_piece(units_t set)
{
	const struct piece *va;

	for_each_piece(va, &content) {
		if (piece_units(va) & set)
			return va;
	}
	return NULL;
}

static bool is_lowest(const struct drm_gpuva *va, units_t set)
{
	units_t reserved = world.reserved_units & set;
	const struct piece *first = first_piece(set);

	if (reserved && (!first || world.reserve < first->addr))
		return va == &world.vm.kernel_alloc_node;

	return first ? va && is_piece(first, va) : !va;
}

static void try_find(unsigned int addr, unsigned int range, units_t set)
{
	struct drm_gpuva *va = drm_gpuva_find_first(&world.vm, addr, range);

	expect(set ? is_lowest(va, set) : !va, "find_first is wrong");
	expect(drm_gpuvm_interval_empty(&world.vm, addr, range) == (set && !va),
	       "interval_empty is wrong");
	if (va)
		expect(drm_gpuva_find(&world.vm, addr, range) ==
		       (va->va.addr == addr && va->va.range == range ? va : NULL),
		       "find is wrong");
}

static void try_walk(unsigned int addr, unsigned int range, units_t set)
{
	units_t seen = 0, wanted = 0;
	const struct piece *piece;
	struct drm_gpuva *va;
	u64 end = addr + range;

	for_each_piece(piece, &content) {
		if (piece_units(piece) & set)
			wanted |= piece_units(piece);
	}
	drm_gpuvm_for_each_mapping_range(va, &world.vm, addr, end) {
		units_t all = units(va->va.addr, va->va.range);

		expect(all > seen && !(all & seen), "a walk goes back");
		seen |= all;
	}
	expect(seen == wanted, "a walk sees %#lx, not %#lx", seen, wanted);
}

void try_neighbours(unsigned int addr)
{
	units_t front = addr ? units(addr - 1, 1) & usable(&world) : 0;
	units_t here = units(addr, 1) & usable(&world);
	struct drm_gpuva *va;

	va = drm_gpuva_find_prev(&world.vm, addr);
	expect(front ? is_lowest(va, front) : !va, "find_prev(%u) is wrong", addr);
	va = drm_gpuva_find_next(&world.vm, addr);
	expect(here ? is_lowest(va, here) : !va, "find_next(%u) is wrong", addr);
}

static void try_insert(unsigned int addr, unsigned int range, units_t set)
{
	struct drm_gpuva *va = free_mapping();
	int wanted = 0, ret;

	if (!contains(world.space, set) || (set & world.reserved_units))
		wanted = -EINVAL;
	else if (first_piece(set))
		wanted = -EEXIST;

	va->va.addr = addr;
	va->va.range = range;
	ret = drm_gpuva_insert(&world.vm, va);
	expect(ret == wanted, "insert says %d, not %d", ret, wanted);
	if (!ret)
		drm_gpuva_remove(va);
	va->vm = NULL;
}

void try_range_questions(unsigned int addr, unsigned int range)
{
	units_t set = units(addr, range);

	try_find(addr, range, set);
	try_walk(addr, range, set);
	try_insert(addr, range, set);
}
