// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * The core with a u64 of a few bits: all values of ranges, VA spaces, splits and
 * remaps. The functions are called as the core's own callers do, so that what they
 * may rely on is the same.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "values.h"

/* Its own functions, too. */
#include "drm_gpuvm.c"

unsigned long nr_worlds;
static unsigned int shard, shards = 1;
static unsigned long nr_turns;
static struct drm_device drm;

bool ours(void)
{
	return nr_turns++ % shards == shard;
}

void __wrong(const char *file, int line, const char *text, ...)
{
	va_list args;

	printf("# %s:%d: %u bits: ", file, line, BITS);
	va_start(args, text);
	vprintf(text, args);
	va_end(args);
	printf("\n");
	requests_tell();
	fflush(stdout);
	exit(1);
}

/* ---- Worlds ------------------------------------------------------------ */

static void obj_init(struct drm_gem_object *obj)
{
	memset(obj, 0, sizeof(*obj));
	drm_gem_private_object_init(&drm, obj, 0);
}

/* False if the core refuses that VA space, in which case there is no VM. */
bool world_init(struct world *world, unsigned int start, unsigned int size,
		unsigned int reserve, unsigned int reserved)
{
	struct drm_gpuvm_ops *ops = (struct drm_gpuvm_ops *)&requests_ops;

	if (!kref_read(&drm.ref))
		kref_init(&drm.ref);
	if (!world->resv.resv) {
		obj_init(&world->resv);
		obj_init(&world->objs[0]);
		obj_init(&world->objs[1]);
	}
	world->start = start;
	world->size = size;
	world->reserve = reserve;
	world->reserved = reserved;
	world->space = units(start, size);
	world->reserved_units = units(reserve, reserved);

	return !drm_gpuvm_try_init(&world->vm, "world", 0, &drm, &world->resv,
				   start, size, reserve, reserved, ops);
}

void world_fini(struct world *world)
{
	drm_gpuvm_put(&world->vm);
}

/* ---- Ranges ------------------------------------------------------------ */

#define for_each_value(value) \
	for (unsigned int value = 0; value < UNITS; value++)

#define for_each_range(addr, range)					\
	for_each_value(addr)						\
		for_each_value(range)

#define for_each_good_range(addr, range)				\
	for_each_value(addr)						\
		for (unsigned int range = 1;				\
		     range < UNITS && addr + range <= UNITS; range++)

static void check_last(unsigned int addr, unsigned int range)
{
	bool good = range_good(addr, range);
	u64 last;

	nr_worlds++;
	expect(range_last(addr, range, &last) == good,
	       "range_last(%u, %u) is not %d", addr, range, good);
	expect(!good || last == addr + range - 1,
	       "the last unit of %u+%u is not %u", addr, range, (unsigned int)last);
}

static void check_inside(unsigned int start, unsigned int size,
			 unsigned int addr, unsigned int range)
{
	struct drm_gpuva va = { .va.addr = start, .va.range = size };
	units_t space = units(start, size), set = units(addr, range);

	nr_worlds++;
	expect(space_contains(start, size, addr, range) == contains(space, set),
	       "%u+%u in %u+%u", addr, range, start, size);
	if (set)
		expect(overlaps(&va, addr, addr + range - 1) == !!(space & set),
		       "%u+%u overlaps %u+%u", addr, range, start, size);
}

static void ranges(void)
{
	for_each_range(addr, range) {
		if (ours())
			check_last(addr, range);
	}

	for_each_good_range(start, size) {
		for_each_range(addr, range) {
			if (ours())
				check_inside(start, size, addr, range);
		}
	}
}

/* ---- VA spaces --------------------------------------------------------- */

static bool space_good(unsigned int start, unsigned int size,
		       unsigned int reserve, unsigned int reserved)
{
	return range_good(start, size) &&
	       (!reserved || contains(units(start, size), units(reserve, reserved)));
}

static void check_valid(struct world *world, unsigned int addr, unsigned int range)
{
	units_t set = units(addr, range);
	bool valid = contains(world->space, set) && !(set & world->reserved_units);

	nr_worlds++;
	expect(drm_gpuvm_range_valid(&world->vm, addr, range) == valid,
	       "%u+%u is not %svalid in %u+%u, %u+%u reserved", addr, range,
	       valid ? "" : "in", world->start, world->size, world->reserve,
	       world->reserved);
}

static void spaces(void)
{
	static struct world world;

	for_each_range(start, size) {
		for_each_range(reserve, reserved) {
			bool good = space_good(start, size, reserve, reserved);

			if (!ours())
				continue;
			nr_worlds++;
			expect(world_init(&world, start, size, reserve, reserved) == good,
			       "%u+%u, %u+%u reserved, is not %s", start, size,
			       reserve, reserved, good ? "taken" : "refused");
			if (!good)
				continue;
			for_each_range(addr, range)
				check_valid(&world, addr, range);
			world_fini(&world);
		}
	}
}

/* ---- Split and keep ---------------------------------------------------- */

static struct drm_gem_object some_obj, other_obj;

static bool is_part(const struct drm_gpuva_op_map *map, const struct piece *va,
		    units_t set)
{
	struct piece part;

	if (!set)
		return !map->va.range;

	part = piece_part(va, set);

	return shows(&part, map->va.addr, map->va.range, map->gem.offset,
		     map->gem.obj);
}

static void check_split(const struct piece *va, const struct piece *req)
{
	const struct drm_gpuva mapping = {
		.va = { .addr = va->addr, .range = va->range },
		.gem = { .offset = va->offset, .obj = va->obj },
	};
	const struct drm_gpuva_op_map map = {
		.va = { .addr = req->addr, .range = req->range },
		.gem = { .offset = req->offset, .obj = req->obj },
	};
	units_t all = piece_units(va), cut = all & piece_units(req);
	struct drm_gpuva_split split;
	bool keep, good;

	nr_worlds++;
	keep = va->obj && va->obj == req->obj &&
	       shown_at(va, first_unit(cut)) == shown_at(req, first_unit(cut));
	drm_gpuva_split(&mapping, &map, &split);
	good = is_part(&split.prev, va, units_below(all, cut)) &&
	       is_part(&split.cut, va, cut) &&
	       is_part(&split.next, va, units_above(all, cut)) &&
	       split.keep == keep &&
	       is_covered(&mapping, &map) == (cut == all);
	expect(good, "split %u+%u at %u by %u+%u at %u", va->addr, va->range,
	       va->offset, req->addr, req->range, req->offset);
}

/* For each unit of the object that the mapping can begin with. */
static void split_pair(struct piece *va, struct piece *req)
{
	for_each_value(offset) {
		if (!ours())
			continue;
		va->offset = offset;
		va->obj = &some_obj;
		for (unsigned int ahead = 0; ahead < 2; ahead++) {
			req->offset = (offset + req->addr - va->addr + ahead) % UNITS;
			req->obj = &some_obj;
			check_split(va, req);
			req->obj = ahead ? &other_obj : NULL;
			check_split(va, req);
		}
		va->obj = NULL;
		req->obj = NULL;
		check_split(va, req);
	}
}

static void splits(void)
{
	struct piece va, req;

	for_each_good_range(addr, range) {
		va.addr = addr;
		va.range = range;
		for_each_good_range(from, length) {
			req.addr = from;
			req.range = length;
			if (piece_units(&va) & piece_units(&req))
				split_pair(&va, &req);
		}
	}
}

/* Each address and offset of both: whether they show the same. */
static void check_keep(unsigned int addr, unsigned int offset,
		       unsigned int req_addr, unsigned int req_offset)
{
	const struct drm_gpuva va = {
		.va = { .addr = addr, .range = 1 },
		.gem = { .offset = offset, .obj = &some_obj },
	};
	const struct drm_gpuva_op_map req = {
		.va = { .addr = req_addr, .range = 1 },
		.gem = { .offset = req_offset, .obj = &some_obj },
	};
	bool keep = (offset + UNITS - addr) % UNITS ==
		    (req_offset + UNITS - req_addr) % UNITS;

	nr_worlds++;
	expect(is_contiguous(&va, &req, 0) == keep, "%u at %u continues %u at %u",
	       req_addr, req_offset, addr, offset);
}

static void keeps(void)
{
	for_each_range(addr, offset) {
		for_each_range(req_addr, req_offset) {
			if (ours())
				check_keep(addr, offset, req_addr, req_offset);
		}
	}
}

/* ---- Remap ------------------------------------------------------------- */

/* Where the parts go: to new memory, to that of the old mapping, or nowhere. */
enum memory { NEW, OLD, NONE, NR_MEMORIES };

struct remap {
	struct world world;
	struct drm_gpuva old, new[2];
	struct piece va;
};

static bool part_good(const struct remap *remap, const struct drm_gpuva_op_map *map,
		      const struct drm_gpuva *va)
{
	return !map || (va && contains(piece_units(&remap->va),
				       units(map->va.addr, map->va.range)));
}

static bool remap_good(const struct remap *remap, const struct drm_gpuva_op_remap *op,
		       const struct drm_gpuva *prev, const struct drm_gpuva *next)
{
	units_t front, back;

	if (!part_good(remap, op->prev, prev) || !part_good(remap, op->next, next))
		return false;
	if (!op->prev || !op->next)
		return true;

	front = units(op->prev->va.addr, op->prev->va.range);
	back = units(op->next->va.addr, op->next->va.range);

	return prev != next && !(front & back) && front < back;
}

static bool is_there(struct remap *remap, const struct drm_gpuva *va,
		     const struct drm_gpuva_op_map *map)
{
	return drm_gpuva_find(&remap->world.vm, map->va.addr, map->va.range) == va &&
	       va->gem.offset == map->gem.offset && va->gem.obj == map->gem.obj;
}

static void check_remap(struct remap *remap, const struct drm_gpuva_op_remap *op,
			struct drm_gpuva *prev, struct drm_gpuva *next)
{
	struct drm_gpuvm *vm = &remap->world.vm;
	bool good = remap_good(remap, op, prev, next);
	unsigned int count = 0;
	struct drm_gpuva *va, *tmp;

	nr_worlds++;
	expect(!drm_gpuva_remap(prev, next, op) == good,
	       "remap of %u+%u to %u+%u and %u+%u", remap->va.addr, remap->va.range,
	       op->prev ? (unsigned int)op->prev->va.addr : 0,
	       op->prev ? (unsigned int)op->prev->va.range : 0,
	       op->next ? (unsigned int)op->next->va.addr : 0,
	       op->next ? (unsigned int)op->next->va.range : 0);
	if (!good)
		return;

	expect(!op->prev || is_there(remap, prev, op->prev), "no front part");
	expect(!op->next || is_there(remap, next, op->next), "no part behind");
	drm_gpuvm_for_each_va_safe(va, tmp, vm) {
		drm_gpuva_remove(va);
		count++;
	}
	expect(count == !!op->prev + !!op->next, "%u mappings", count);

	remap->old.va.addr = remap->va.addr;
	remap->old.va.range = remap->va.range;
	expect(!drm_gpuva_insert(vm, &remap->old), "not inserted again");
}

static void remap_all_memory(struct remap *remap, const struct drm_gpuva_op_remap *op)
{
	struct drm_gpuva *memory[NR_MEMORIES] = { &remap->new[0], &remap->old, NULL };
	struct drm_gpuva *more[NR_MEMORIES] = { &remap->new[1], &remap->old, NULL };

	/* With more bits, only what has a place to go. */
	for (unsigned int i = 0; i < (BITS > 4 ? 1 : NR_MEMORIES); i++) {
		for (unsigned int j = 0; j < (BITS > 4 ? 1 : NR_MEMORIES); j++)
			check_remap(remap, op, memory[i], more[j]);
	}
}

/* The part in front is given; all parts behind, good or bad, and none. */
static void remap_all_next(struct remap *remap, struct drm_gpuva_op_remap *op)
{
	struct drm_gpuva_op_map next = { .gem.obj = &other_obj };

	op->next = NULL;
	remap_all_memory(remap, op);

	op->next = &next;
	for_each_range(addr, range) {
		next.va.addr = addr;
		next.va.range = range;
		next.gem.offset = addr + 1;
		remap_all_memory(remap, op);
	}
}

static void remap_all_parts(struct remap *remap)
{
	struct drm_gpuva_op_map prev = { .gem.obj = &some_obj };
	struct drm_gpuva_op_unmap unmap = { .va = &remap->old };
	struct drm_gpuva_op_remap op = { .unmap = &unmap };

	if (ours())
		remap_all_next(remap, &op);

	op.prev = &prev;
	for_each_range(addr, range) {
		prev.va.addr = addr;
		prev.va.range = range;
		prev.gem.offset = range;
		if (ours())
			remap_all_next(remap, &op);
	}
}

/* In spaces that begin with the first value, and that end with the last one. */
static void remaps(void)
{
	static struct remap remap;

	for (unsigned int start = 0; start < 2; start++) {
		expect(world_init(&remap.world, start, UNITS - 1, 0, 0), "no space");
		drm_gpuvm_get(&remap.world.vm);
		for_each_good_range(addr, range) {
			remap.va.addr = addr;
			remap.va.range = range;
			remap.old.va.addr = addr;
			remap.old.va.range = range;
			if (!contains(remap.world.space, piece_units(&remap.va)))
				continue;
			expect(!drm_gpuva_insert(&remap.world.vm, &remap.old),
			       "%u+%u is not inserted", addr, range);
			remap_all_parts(&remap);
			drm_gpuva_remove(&remap.old);
		}
		drm_gpuvm_put(&remap.world.vm);
		world_fini(&remap.world);
	}
}

/* ---- All --------------------------------------------------------------- */

static const struct family {
	const char *name;
	void (*run)(void);
} families[] = {
	{ "ranges", ranges },
	{ "spaces", spaces },
	{ "splits", splits },
	{ "keeps", keeps },
	{ "remaps", remaps },
	{ "offsets", attributes_offsets },
	{ "entries", attributes_widen },
	{ "attributes", attributes_requests },
	{ "requests", requests_all },
	{ "pairs", requests_pairs },
	{ "contents", requests_contents },
};

static void run(const struct family *family)
{
	nr_worlds = 0;
	nr_turns = 0;
	family->run();
	printf("%u bits, %s: %lu worlds\n", BITS, family->name, nr_worlds);
	fflush(stdout);
}

static const struct family *family_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		if (!strcmp(families[i].name, name))
			return &families[i];
	}
	fprintf(stderr, "usage: values [--shard=I/N] FAMILY..., of:");
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		fprintf(stderr, " %s", families[i].name);
	fprintf(stderr, "\n");
	exit(2);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (sscanf(argv[i], "--shard=%u/%u", &shard, &shards) != 2)
			run(family_named(argv[i]));
	}
	return 0;
}
