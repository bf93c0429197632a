// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * The core with a u64 of a few bits: mappings that repeat, requests with
 * attributes, and the page table entries that a remap breaks up.
 */
#include <stdio.h>
#include <string.h>

#include "requests.h"

/* The powers of two that a value can be. */
#define for_each_power(power) \
	for (unsigned int power = 1; power < UNITS; power *= 2)

/* And no repetition. */
#define for_each_repeat(repeat) \
	for (unsigned int repeat = 0; repeat < UNITS; repeat = repeat ? 2 * repeat : 1)

static struct drm_gem_object obj;

static bool piece_good(const struct piece *piece)
{
	return range_good(piece->addr, piece->range) && piece->range < UNITS;
}

/* The unit of its object that a mapping shows at an address. */
static unsigned int shown(const struct piece *va, unsigned int repeat, unsigned int addr)
{
	return repeat ? (va->offset + addr % repeat) % UNITS : shown_at(va, addr);
}

static struct drm_gpuva as_va(const struct piece *va, unsigned int repeat)
{
	return (struct drm_gpuva) {
		.va.addr = va->addr,
		.va.range = va->range,
		.gem.offset = va->offset,
		.gem.obj = va->obj,
		.repeat = repeat,
	};
}

/* ---- Offsets ----------------------------------------------------------- */

static void check_offset(const struct piece *piece, unsigned int repeat,
			 unsigned int addr)
{
	struct drm_gpuva va = as_va(piece, repeat);
	unsigned int end = piece->addr + piece->range, n = 1;
	u64 run;

	nr_worlds++;
	expect(drm_gpuva_offset(&va, addr, &run) == shown(piece, repeat, addr),
	       "%u+%u at %u, repeat %u, does not show %u at %u", piece->addr,
	       piece->range, piece->offset, repeat, shown(piece, repeat, addr), addr);
	while (addr + n < end && (!repeat || (addr + n) % repeat))
		n++;
	expect(run == n, "%u+%u, repeat %u: at %u a run of %u, not of %u", piece->addr,
	       piece->range, repeat, addr, (unsigned int)run, n);
}

void attributes_offsets(void)
{
	struct piece va = { .obj = &obj };

	for (va.addr = 0; va.addr < UNITS; va.addr++) {
		for (va.range = 1; piece_good(&va); va.range++) {
			for (va.offset = 0; va.offset < UNITS; va.offset++) {
				for_each_repeat(repeat) {
					for (unsigned int i = 0; i < va.range; i++)
						check_offset(&va, repeat, va.addr + i);
				}
			}
		}
	}
}

/* ---- Page table entries ------------------------------------------------ */

/* The entry around a unit, if there can be one. */
static units_t entry(units_t all, unsigned int unit, unsigned int granule)
{
	units_t set = units(unit - unit % granule, granule);

	return contains(all, set) ? set : units(unit, 1);
}

static bool is_rest(const struct drm_gpuva_op_map *map, const struct piece *va,
		    unsigned int repeat, units_t set)
{
	if (!set)
		return !map->va.range;

	return map->va.addr == first_unit(set) && map->va.range == nr_units(set) &&
	       map->gem.obj == va->obj &&
	       map->gem.offset == (repeat ? va->offset : shown_at(va, first_unit(set)));
}

static struct drm_gpuva_op_map map_of(units_t set)
{
	return (struct drm_gpuva_op_map) {
		.va.addr = set ? first_unit(set) : 0,
		.va.range = nr_units(set),
	};
}

static void check_widen(const struct piece *piece, unsigned int repeat, units_t cut,
			unsigned int front, unsigned int back)
{
	units_t all = piece_units(piece), ahead = units_below(all, cut);
	units_t behind = units_above(all, cut);
	unsigned int first = first_unit(cut), last = first + nr_units(cut) - 1;
	units_t front_entry = entry(all, first, front);
	units_t back_entry = entry(all, last, back), span;
	struct drm_gpuva_op_map prev = map_of(ahead), next = map_of(behind);
	struct drm_gpuva va = as_va(piece, repeat);
	struct drm_gpuva_op_unmap unmap = { .va = &va };
	struct drm_gpuva_op_remap op = {
		.prev = ahead ? &prev : NULL,
		.next = behind ? &next : NULL,
		.unmap = &unmap,
	};
	struct drm_gpuva_remap_span got;

	/* One entry has but one size. */
	if ((front_entry & back_entry) && front != back)
		return;

	nr_worlds++;
	span = cut | front_entry | back_entry;
	drm_gpuva_op_remap_widen(&op, front, back, &got);
	expect(units(got.addr, got.range) == span &&
	       is_rest(&got.front, piece, repeat, span & ahead) &&
	       is_rest(&got.back, piece, repeat, span & behind),
	       "%u+%u without %u+%u, entries of %u and %u: %u+%u, not %u+%u, goes",
	       piece->addr, piece->range, first, nr_units(cut), front, back,
	       (unsigned int)got.addr, (unsigned int)got.range, first_unit(span),
	       nr_units(span));
}

static void widen_cut(const struct piece *va, unsigned int repeat, units_t cut)
{
	for_each_power(front) {
		for_each_power(back)
			check_widen(va, repeat, cut, front, back);
	}
}

static void widen_all_cuts(const struct piece *va, unsigned int repeat)
{
	for (unsigned int i = 0; i < va->range; i++) {
		for (unsigned int n = 1; i + n <= va->range; n++) {
			if (n < va->range && ours())
				widen_cut(va, repeat, units(va->addr + i, n));
		}
	}
}

void attributes_widen(void)
{
	struct piece va = { .obj = &obj, .offset = 1 };

	for (va.addr = 0; va.addr < UNITS; va.addr++) {
		for (va.range = 1; piece_good(&va); va.range++) {
			widen_all_cuts(&va, 0);
			widen_all_cuts(&va, 2);
		}
	}
}

/* ---- Requests ---------------------------------------------------------- */

/* One mapping, one request, and what it has to lead to. */
struct attempt {
	struct world world;
	struct drm_gpuva va;
	struct piece piece, wanted;
	struct drm_gpuvm_req req;
	units_t all, cut;
	bool keep, exact, met, mapped;
};

static struct attempt attempt;

static bool is_map(const struct drm_gpuva_op *op)
{
	return shows(&attempt.wanted, op->map.va.addr, op->map.va.range,
		     op->map.gem.offset, op->map.gem.obj);
}

static int on_map(struct drm_gpuva_op *op, void *priv)
{
	expect(op->op == DRM_GPUVA_OP_MAP && is_map(op) && op->req == &attempt.req,
	       "map is another one");
	expect(!attempt.mapped && (attempt.met || !attempt.cut), "map does not come last");
	attempt.mapped = true;

	return 0;
}

static int on_remap(struct drm_gpuva_op *op, void *priv)
{
	units_t ahead = units_below(attempt.all, attempt.cut);
	units_t behind = units_above(attempt.all, attempt.cut);

	expect(op->op == DRM_GPUVA_OP_REMAP && !attempt.met && attempt.cut != attempt.all,
	       "remap out of place");
	expect(op->remap.unmap->va == &attempt.va && op->remap.unmap->keep == attempt.keep &&
	       !!op->remap.prev == !!ahead && !!op->remap.next == !!behind,
	       "remap is another one");
	expect(!ahead || is_rest(op->remap.prev, &attempt.piece, attempt.va.repeat, ahead),
	       "the part in front is another one");
	expect(!behind || is_rest(op->remap.next, &attempt.piece, attempt.va.repeat, behind),
	       "the part behind is another one");
	attempt.met = true;

	return 0;
}

static int on_unmap(struct drm_gpuva_op *op, void *priv)
{
	expect(op->op == DRM_GPUVA_OP_UNMAP && !attempt.met && attempt.cut == attempt.all,
	       "unmap out of place");
	expect(op->unmap.va == &attempt.va && op->unmap.keep == attempt.keep &&
	       op->unmap.exact == attempt.exact, "unmap is another one");
	attempt.met = true;

	return 0;
}

static int on_update(struct drm_gpuva_op *op, void *priv)
{
	expect(op->op == DRM_GPUVA_OP_UPDATE && !attempt.met && attempt.exact &&
	       op->update.va == &attempt.va, "update out of place");
	attempt.met = true;
	attempt.mapped = true;

	return 0;
}

static const struct drm_gpuvm_steps steps = {
	.map = on_map,
	.remap = on_remap,
	.unmap = on_unmap,
	.update = on_update,
};

static bool attempt_good(void)
{
	const struct piece *wanted = &attempt.wanted;
	unsigned int repeat = attempt.req.repeat;

	return contains(attempt.world.space, piece_units(wanted)) &&
	       !(repeat & (repeat - 1)) &&
	       contains(units(0, wanted->obj->size),
			units(wanted->offset, repeat ?: wanted->range));
}

/* They show the same at each unit where they meet, and say the same of repetition. */
static bool attempt_keeps(void)
{
	if (!attempt.cut || attempt.va.repeat != attempt.req.repeat)
		return false;

	for (units_t left = attempt.cut; left; left &= left - 1) {
		unsigned int unit = first_unit(left);

		if (shown(&attempt.piece, attempt.va.repeat, unit) !=
		    shown(&attempt.wanted, attempt.req.repeat, unit))
			return false;
	}
	return true;
}

static void try_request(enum drm_gpuvm_req_opts opts)
{
	bool good = attempt_good();

	nr_worlds++;
	attempt.req.opts = opts;
	attempt.cut = good ? attempt.all & piece_units(&attempt.wanted) : 0;
	attempt.keep = attempt_keeps();
	attempt.exact = attempt.keep && attempt.all == piece_units(&attempt.wanted);
	attempt.met = false;
	attempt.mapped = false;

	expect(drm_gpuvm_request(&attempt.world.vm, &attempt.req, &steps, NULL) ==
	       (good ? 0 : -EINVAL), "%u+%u at %u, repeat %u, is not %s",
	       attempt.wanted.addr, attempt.wanted.range, attempt.wanted.offset,
	       attempt.req.repeat, good ? "taken" : "refused");
	expect(attempt.met == !!attempt.cut && attempt.mapped == good,
	       "not all steps came");
}

static void try_all_requests(void)
{
	struct drm_gpuvm_req *req = &attempt.req;

	for (unsigned int addr = 0; addr < UNITS; addr++) {
		for (unsigned int range = 0; range < UNITS; range++) {
			for (unsigned int offset = 0; offset < UNITS; offset++) {
				req->map = (struct drm_gpuva_op_map) {
					.va.addr = addr,
					.va.range = range,
					.gem.offset = offset,
					.gem.obj = attempt.piece.obj,
				};
				attempt.wanted = (struct piece) {
					.addr = addr,
					.range = range,
					.offset = offset,
					.obj = attempt.piece.obj,
				};
				for (req->repeat = 0; req->repeat < UNITS; req->repeat++) {
					try_request(0);
					try_request(DRM_GPUVM_REQ_UPDATE);
				}
			}
		}
	}
}

/* Every mapping of an object that is as large as can be, and half as large. */
void attributes_requests(void)
{
	struct piece *piece = &attempt.piece;

	expect(world_init(&attempt.world, 1, UNITS - 1, 0, 0), "no space");
	drm_gpuvm_get(&attempt.world.vm);
	piece->obj = &attempt.world.objs[0];
	attempt.req.type = DRM_GPUVM_REQ_MAP;

	for (piece->addr = 1; piece->addr < UNITS; piece->addr++) {
		for (piece->range = 1; piece_good(piece); piece->range++) {
			for (piece->offset = 0; piece->offset < UNITS; piece->offset++) {
				for_each_repeat(repeat) {
					if (!ours())
						continue;
					attempt.va = as_va(piece, repeat);
					attempt.all = piece_units(piece);
					expect(!drm_gpuva_insert(&attempt.world.vm, &attempt.va),
					       "not inserted");
					piece->obj->size = UNITS - 1;
					try_all_requests();
					piece->obj->size = UNITS / 2;
					try_all_requests();
					drm_gpuva_remove(&attempt.va);
				}
			}
		}
	}
	drm_gpuvm_put(&attempt.world.vm);
	world_fini(&attempt.world);
}
