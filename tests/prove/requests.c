// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * The core with a u64 of a few bits: all requests for what is in a VM. Callbacks
 * are compared step by step, lists operation by operation, and what is left in the
 * VM mapping by mapping, with what sets of units say.
 */
#include <stdio.h>
#include <string.h>

#include <linux/err.h>

#include "requests.h"

#define MAX_STEPS	(2 * MAX_PIECES + 2)

/* A step that is to come. */
struct step {
	enum drm_gpuva_op_type op;
	const struct piece *va;
	bool keep;
	units_t prev, next;
	struct piece map;
};

struct steps {
	unsigned int nr, done;
	struct step step[MAX_STEPS];
	bool carry_out, reuse;
};

/* How many of the values of something are tried; the few are the limits. */
enum choice { ONE, FEW, ALL };

/* How much of it is tried. */
struct plan {
	unsigned int max_pieces;
	enum choice spaces, objs, offsets, requests;
	bool lists, changes, queries;
};

struct world world;
struct content content;
static struct plan plan;
static struct drm_gpuva mappings[MAX_PIECES + 2];

/* ---- What is to come --------------------------------------------------- */

static bool request_good(const struct piece *req)
{
	units_t set = piece_units(req);

	return contains(world.space, set) && !(set & world.reserved_units) &&
	       (!req->obj || range_good(req->offset, req->range));
}

static void steps_none(struct steps *steps)
{
	steps->nr = 0;
	steps->done = 0;
}

static struct step *add_step(struct steps *steps, enum drm_gpuva_op_type op)
{
	struct step *step = &steps->step[steps->nr++];

	step->op = op;
	step->keep = false;
	step->prev = 0;
	step->next = 0;

	return step;
}

static void expect_cut(struct steps *steps, const struct piece *va, units_t set,
		       bool keep)
{
	units_t all = piece_units(va), cut = all & set;
	struct step *step;

	step = add_step(steps, cut == all ? DRM_GPUVA_OP_UNMAP : DRM_GPUVA_OP_REMAP);
	step->va = va;
	step->keep = keep;
	step->prev = units_below(all, cut);
	step->next = units_above(all, cut);
}

static bool same(const struct piece *va, const struct piece *req)
{
	unsigned int unit = first_unit(piece_units(va) & piece_units(req));

	return va->obj && va->obj == req->obj &&
	       shown_at(va, unit) == shown_at(req, unit);
}

static void expect_clear(struct steps *steps, const struct piece *req)
{
	units_t set = piece_units(req);
	const struct piece *va;

	steps_none(steps);
	for_each_piece(va, &content) {
		if (piece_units(va) & set)
			expect_cut(steps, va, set, same(va, req));
	}
}

static void expect_map(struct steps *steps, const struct piece *req)
{
	expect_clear(steps, req);
	add_step(steps, DRM_GPUVA_OP_MAP)->map = *req;
}

static void expect_madvise(struct steps *steps, const struct piece *req)
{
	units_t set = piece_units(req), cut;
	const struct piece *va;

	steps_none(steps);
	for_each_piece(va, &content) {
		cut = piece_units(va) & set;
		if (va->obj || !cut || cut == piece_units(va))
			continue;
		expect_cut(steps, va, set, false);
		add_step(steps, DRM_GPUVA_OP_MAP)->map = piece_part(va, cut);
	}
}

static void expect_prefetch(struct steps *steps, const struct piece *req)
{
	const struct piece *va;

	steps_none(steps);
	for_each_piece(va, &content) {
		if (piece_units(va) & piece_units(req))
			add_step(steps, DRM_GPUVA_OP_PREFETCH)->va = va;
	}
}

/* ---- What comes -------------------------------------------------------- */

static bool is_map(const struct piece *piece, const struct drm_gpuva_op_map *map)
{
	return shows(piece, map->va.addr, map->va.range, map->gem.offset,
		     map->gem.obj);
}

static bool is_part(const struct drm_gpuva_op_map *map, const struct piece *va,
		    units_t set)
{
	struct piece part;

	if (!map || !set)
		return !map && !set;

	part = piece_part(va, set);

	return is_map(&part, map);
}

static bool is_step(const struct step *step, const struct drm_gpuva_op *op)
{
	if (op->op != step->op)
		return false;

	switch (op->op) {
	case DRM_GPUVA_OP_MAP:
		return is_map(&step->map, &op->map);
	case DRM_GPUVA_OP_REMAP:
		return is_piece(step->va, op->remap.unmap->va) &&
		       op->remap.unmap->keep == step->keep &&
		       is_part(op->remap.prev, step->va, step->prev) &&
		       is_part(op->remap.next, step->va, step->next);
	case DRM_GPUVA_OP_UNMAP:
		return is_piece(step->va, op->unmap.va) &&
		       op->unmap.keep == step->keep;
	case DRM_GPUVA_OP_PREFETCH:
		return is_piece(step->va, op->prefetch.va);
	default:
		return false;
	}
}

struct drm_gpuva *free_mapping(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(mappings); i++) {
		if (!mappings[i].vm)
			return &mappings[i];
	}
	wrong("no mapping is free");
}

static void carry_out_remap(const struct drm_gpuva_op_remap *op, bool reuse)
{
	struct drm_gpuva *va = op->unmap->va, *prev = NULL, *next = NULL;

	if (op->prev) {
		prev = reuse ? va : free_mapping();
		prev->vm = &world.vm;
	}
	if (op->next)
		next = reuse && !prev ? va : free_mapping();
	expect(!drm_gpuva_remap(prev, next, op), "remap is refused");
	if (prev != va && next != va)
		va->vm = NULL;
}

static void carry_out(const struct drm_gpuva_op *op, bool reuse)
{
	switch (op->op) {
	case DRM_GPUVA_OP_MAP:
		expect(!drm_gpuva_map(&world.vm, free_mapping(), &op->map),
		       "map is refused");
		break;
	case DRM_GPUVA_OP_REMAP:
		carry_out_remap(&op->remap, reuse);
		break;
	case DRM_GPUVA_OP_UNMAP:
		drm_gpuva_unmap(&op->unmap);
		op->unmap.va->vm = NULL;
		break;
	default:
		break;
	}
}

static void take_step(struct steps *steps, const struct drm_gpuva_op *op)
{
	expect(steps->done < steps->nr, "more than %u steps", steps->nr);
	expect(is_step(&steps->step[steps->done], op), "step %u is another one",
	       steps->done);
	steps->done++;
}

static int step(struct drm_gpuva_op *op, void *priv)
{
	struct steps *steps = priv;

	take_step(steps, op);
	if (steps->carry_out)
		carry_out(op, steps->reuse);

	return 0;
}

static void vm_free(struct drm_gpuvm *gpuvm)
{
}

const struct drm_gpuvm_ops requests_ops = {
	.vm_free = vm_free,
	.sm_step_map = step,
	.sm_step_remap = step,
	.sm_step_unmap = step,
};

static void check_list(struct steps *steps, struct drm_gpuva_ops *ops, bool good)
{
	struct drm_gpuva_op *op;

	expect(!IS_ERR(ops) == good, "a list for a bad request, or none for a good one");
	if (!good)
		return;

	drm_gpuva_for_each_op(op, ops)
		take_step(steps, op);
	expect(steps->done == steps->nr, "%u of %u operations", steps->done, steps->nr);
	drm_gpuva_ops_free(&world.vm, ops);
}

/* ---- What is there ----------------------------------------------------- */

static void fill(void)
{
	const struct piece *piece;
	struct drm_gpuva *va = mappings;

	for_each_piece(piece, &content) {
		va->va.addr = piece->addr;
		va->va.range = piece->range;
		va->gem.offset = piece->offset;
		va->gem.obj = piece->obj;
		expect(!drm_gpuva_insert(&world.vm, va), "%u+%u is not inserted",
		       piece->addr, piece->range);
		va++;
	}
}

static void clear(void)
{
	struct drm_gpuva *va, *next;

	drm_gpuvm_for_each_mapping_safe(va, next, &world.vm) {
		drm_gpuva_remove(va);
		va->vm = NULL;
	}
}

/* The list, and the tree, which a walk to each mapping goes down. */
static void check_content(const struct content *wanted)
{
	const struct piece *piece = wanted->piece;
	struct drm_gpuva *va;

	drm_gpuvm_for_each_mapping(va, &world.vm) {
		expect(piece < wanted->piece + wanted->nr && is_piece(piece, va),
		       "mapping %zd is another one", piece - wanted->piece);
		expect(drm_gpuva_find(&world.vm, va->va.addr, va->va.range) == va,
		       "mapping %zd is not in the tree", piece - wanted->piece);
		piece++;
	}
	expect(piece == wanted->piece + wanted->nr, "%zd mappings",
	       piece - wanted->piece);
}

static void add_part(struct content *left, const struct piece *va, units_t set)
{
	if (set)
		left->piece[left->nr++] = piece_part(va, set);
}

/* What a request leaves, with @map in the place of what it took. */
static void content_without(struct content *left, units_t set, const struct piece *map)
{
	const struct piece *va;
	units_t all;

	left->nr = 0;
	for_each_piece(va, &content) {
		all = piece_units(va);
		if (map && va->addr >= map->addr) {
			add_part(left, map, piece_units(map));
			map = NULL;
		}
		if (!(all & set)) {
			add_part(left, va, all);
			continue;
		}
		add_part(left, va, units_below(all, all & set));
		if (map) {
			add_part(left, map, piece_units(map));
			map = NULL;
		}
		add_part(left, va, units_above(all, all & set));
	}
	if (map)
		add_part(left, map, piece_units(map));
}

/* ---- Requests ---------------------------------------------------------- */

static struct steps steps;

/* What is being tried, for messages. */
static const char *what;
static struct piece asked;

static int obj_number(const struct piece *piece)
{
	return piece->obj ? (int)(piece->obj - world.objs) : -1;
}

void requests_tell(void)
{
	const struct piece *va;

	if (!what)
		return;
	printf("# %s %u+%u at %u of object %d in %u+%u, reserved %u+%u\n", what,
	       asked.addr, asked.range, asked.offset, obj_number(&asked),
	       world.start, world.size, world.reserve, world.reserved);
	for_each_piece(va, &content)
		printf("# mapping %u+%u at %u of object %d\n", va->addr, va->range,
		       va->offset, obj_number(va));
}

/* Ready for a request; whether there is anything to come but an error. */
static bool begin(const char *name, const struct piece *req,
		  void (*prepare)(struct steps *steps, const struct piece *req))
{
	bool good = request_good(req);

	nr_worlds++;
	what = name;
	asked = *req;
	steps_none(&steps);
	steps.carry_out = false;
	if (good)
		prepare(&steps, req);

	return good;
}

static void check_changed(const struct piece *req, const struct piece *map)
{
	struct content left;

	content_without(&left, piece_units(req), map);
	check_content(&left);
	clear();
	fill();
}

static void again(void)
{
	steps.done = 0;
	steps.carry_out = true;
	steps.reuse = !steps.reuse;
}

static struct drm_gpuvm_map_req map_request(const struct piece *req)
{
	return (struct drm_gpuvm_map_req) {
		.map.va.addr = req->addr,
		.map.va.range = req->range,
		.map.gem.offset = req->offset,
		.map.gem.obj = req->obj,
	};
}

static void try_map(const struct piece *req)
{
	struct drm_gpuvm_map_req map = map_request(req);
	bool good = begin("map", req, expect_map);

	expect(drm_gpuvm_sm_map(&world.vm, &steps, &map) == (good ? 0 : -EINVAL),
	       "%s", good ? "refused" : "taken");
	expect(steps.done == steps.nr, "%u of %u steps", steps.done, steps.nr);

	if (plan.lists) {
		steps.done = 0;
		check_list(&steps, drm_gpuvm_sm_map_ops_create(&world.vm, &map), good);
	}
	if (plan.changes && good) {
		again();
		expect(!drm_gpuvm_sm_map(&world.vm, &steps, &map), "refused");
		check_changed(req, req);
	}
}

static void try_unmap(const struct piece *req)
{
	bool good = begin("unmap", req, expect_clear);

	expect(drm_gpuvm_sm_unmap(&world.vm, &steps, req->addr, req->range) ==
	       (good ? 0 : -EINVAL), "%s", good ? "refused" : "taken");
	expect(steps.done == steps.nr, "%u of %u steps", steps.done, steps.nr);

	if (plan.lists) {
		steps.done = 0;
		check_list(&steps, drm_gpuvm_sm_unmap_ops_create(&world.vm, req->addr,
								 req->range), good);
	}
	if (plan.changes && good) {
		again();
		expect(!drm_gpuvm_sm_unmap(&world.vm, &steps, req->addr, req->range),
		       "refused");
		check_changed(req, NULL);
	}
}

static void try_lists(const struct piece *req)
{
	struct drm_gpuvm_map_req map = map_request(req);
	bool good;

	good = begin("madvise", req, expect_madvise);
	check_list(&steps, drm_gpuvm_madvise_ops_create(&world.vm, &map), good);

	good = begin("prefetch", req, expect_prefetch);
	check_list(&steps, drm_gpuvm_prefetch_ops_create(&world.vm, req->addr,
							 req->range), good);
}

static void try_questions(const struct piece *req)
{
	nr_worlds++;
	what = "ask";
	asked = *req;
	try_range_questions(req->addr, req->range);
}

/* ---- All requests ------------------------------------------------------ */

/* The limits of where a part of an object can begin. */
static unsigned int offset_limit(const struct piece *piece, unsigned int i)
{
	switch (i) {
	case 0:
		return piece->addr;
	case 1:
		return (UNITS - piece->range) % UNITS;
	case 2:
		return (UNITS - piece->range + 1) % UNITS;
	default:
		return 0;
	}
}

static unsigned int nr_offsets(enum choice choice, unsigned int few)
{
	return choice == ALL ? UNITS : choice == FEW ? few : 1;
}

static unsigned int offset_at(const struct piece *piece, enum choice choice,
			      unsigned int i)
{
	return choice == ALL ? i : offset_limit(piece, i);
}

static void try_all_maps(struct piece *req)
{
	req->obj = &world.objs[0];
	for (unsigned int i = 0; i < nr_offsets(plan.requests, 4); i++) {
		req->offset = offset_at(req, plan.requests, i);
		try_map(req);
	}
	if (plan.requests == ONE)
		return;
	req->obj = NULL;
	req->offset = req->addr;
	try_map(req);
}

static void try_range(unsigned int addr, unsigned int range)
{
	struct piece req = { .addr = addr, .range = range };

	try_unmap(&req);
	if (plan.lists)
		try_lists(&req);
	if (plan.queries)
		try_questions(&req);
	try_all_maps(&req);
}

static void try_everything(void)
{
	fill();
	for (unsigned int addr = 0; addr < UNITS; addr++) {
		for (unsigned int range = 0; range < UNITS; range++)
			try_range(addr, range);
		if (plan.queries)
			try_neighbours(addr);
	}
	check_content(&content);
	clear();
}

static void place(unsigned int from);

static void place_shown(struct piece *piece, struct drm_gem_object *obj,
			enum choice offsets)
{
	piece->obj = obj;
	for (unsigned int i = 0; i < nr_offsets(offsets, 2); i++) {
		piece->offset = offset_at(piece, offsets, i);
		content.nr++;
		place(piece->addr + piece->range);
		content.nr--;
	}
}

static void place_piece(struct piece *piece)
{
	unsigned int nr = content.nr;

	if (plan.objs == ALL)
		place_shown(piece, &world.objs[1], plan.offsets);
	if (plan.objs == ALL || nr % 2 == 0)
		place_shown(piece, &world.objs[0], plan.offsets);
	if (plan.objs == ALL || nr % 2)
		place_shown(piece, NULL, plan.offsets == ALL ? FEW : ONE);
}

/* What is in the VM so far, and whatever can be behind it. */
static void place(unsigned int from)
{
	struct piece *piece = &content.piece[content.nr];

	if (ours())
		try_everything();
	if (content.nr == plan.max_pieces)
		return;

	for (unsigned int addr = from; addr < UNITS; addr++) {
		for (unsigned int range = 1; range < UNITS; range++) {
			if (!contains(usable(&world), units(addr, range)))
				continue;
			piece->addr = addr;
			piece->range = range;
			place_piece(piece);
		}
	}
}

static void try_space(unsigned int start, unsigned int size, unsigned int reserve,
		      unsigned int reserved)
{
	content.nr = 0;
	memset(mappings, 0, sizeof(mappings));
	what = NULL;
	expect(world_init(&world, start, size, reserve, reserved), "no space");
	place(start);
	world_fini(&world);
}

static void try_all_reserves(unsigned int start, unsigned int size)
{
	try_space(start, size, 0, 0);
	for (unsigned int reserve = 0; reserve < UNITS; reserve++) {
		for (unsigned int reserved = 1; reserved < UNITS; reserved++) {
			if (contains(units(start, size), units(reserve, reserved)))
				try_space(start, size, reserve, reserved);
		}
	}
}

static void try_all_spaces(void)
{
	for (unsigned int start = 0; start < UNITS; start++) {
		for (unsigned int size = 1; size < UNITS; size++) {
			if (range_good(start, size))
				try_all_reserves(start, size);
		}
	}
}

/* The few begin with the first value, or end with the last one. */
static void carry_out_plan(const struct plan *wanted)
{
	plan = *wanted;
	if (plan.spaces == ALL) {
		try_all_spaces();
		return;
	}
	try_space(1, UNITS - 1, 0, 0);
	if (plan.spaces == FEW)
		try_space(0, UNITS - 1, 0, 0);
}

/* Two mappings, and whatever can be done. */
void requests_all(void)
{
	carry_out_plan(&(struct plan) {
		.max_pieces = 2,
		.spaces = FEW,
		.objs = ALL,
		.offsets = BITS > 3 ? FEW : ALL,
		.requests = BITS > 3 ? FEW : ALL,
		.lists = true,
		.changes = true,
		.queries = true,
	});
}

/* Two mappings, and map and unmap requests. */
void requests_pairs(void)
{
	carry_out_plan(&(struct plan) {
		.max_pieces = 2,
		.spaces = BITS > 5 ? ONE : FEW,
		.offsets = BITS > 5 ? ONE : FEW,
		.requests = BITS > 5 ? ONE : FEW,
	});
}

/* Any number of mappings. With 3 bits, also in all spaces. */
void requests_contents(void)
{
	carry_out_plan(&(struct plan) {
		.max_pieces = UNITS - 1,
		.spaces = BITS > 3 ? FEW : ALL,
		.objs = BITS > 3 ? ONE : ALL,
		.requests = BITS > 3 ? ONE : FEW,
		.lists = BITS == 3,
		.changes = BITS == 3,
		.queries = BITS == 3,
	});
}
