/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * All values of a narrow u64. The model is a set of units, one bit for each; it
 * reckons in ordinary numbers, which do not wrap.
 */
#ifndef __VALUES_H__
#define __VALUES_H__

#include <stdbool.h>

#include <drm/drm_gpuvm.h>
#include <linux/compiler.h>

/* How many values there are. */
#define UNITS		(1u << BITS)

#define MAX_PIECES	16

typedef unsigned long units_t;

/* Whether a range is not empty and does not pass the end of all values. */
static inline bool range_good(unsigned int addr, unsigned int range)
{
	return range && addr + range <= UNITS;
}

static inline units_t below(unsigned int unit)
{
	return unit < 64 ? (1ul << unit) - 1 : ~0ul;
}

/* The units of a good range; none of another one. */
static inline units_t units(unsigned int addr, unsigned int range)
{
	return range_good(addr, range) ? below(addr + range) & ~below(addr) : 0;
}

static inline unsigned int first_unit(units_t set)
{
	return __builtin_ctzl(set);
}

static inline unsigned int nr_units(units_t set)
{
	return __builtin_popcountl(set);
}

static inline units_t units_below(units_t all, units_t set)
{
	return all & below(first_unit(set));
}

static inline units_t units_above(units_t all, units_t set)
{
	return all & ~set & ~below(first_unit(set));
}

static inline bool contains(units_t all, units_t set)
{
	return set && !(set & ~all);
}

/* What a range of the VA space shows. */
struct piece {
	unsigned int addr, range, offset;
	struct drm_gem_object *obj;
};

static inline units_t piece_units(const struct piece *piece)
{
	return units(piece->addr, piece->range);
}

/* The unit of its object that a piece shows at a unit of the VA space. */
static inline unsigned int shown_at(const struct piece *piece, unsigned int unit)
{
	return (piece->offset + (unit - piece->addr)) % UNITS;
}

static inline bool shows(const struct piece *piece, u64 addr, u64 range,
			 u64 offset, const struct drm_gem_object *obj)
{
	return piece->addr == addr && piece->range == range &&
	       piece->offset == offset && piece->obj == obj;
}

/* The part of a piece that is made of a set of units. */
static inline struct piece piece_part(const struct piece *piece, units_t set)
{
	return (struct piece) {
		.addr = first_unit(set),
		.range = nr_units(set),
		.offset = shown_at(piece, first_unit(set)),
		.obj = piece->obj,
	};
}

/* A VM, and what there is in it. */
struct world {
	struct drm_gpuvm vm;
	struct drm_gem_object resv, objs[2];
	unsigned int start, size, reserve, reserved;
	units_t space, reserved_units;
};

bool world_init(struct world *world, unsigned int start, unsigned int size,
		unsigned int reserve, unsigned int reserved);
void world_fini(struct world *world);

static inline units_t usable(const struct world *world)
{
	return world->space & ~world->reserved_units;
}

/* What was tried in this process. */
extern unsigned long nr_worlds;

/* Processes share the work: false for what is another one's. */
bool ours(void);

/* Ends the program. The text is printf's. */
#define wrong(text...)	__wrong(__FILE__, __LINE__, text)
#define expect(cond, text...) \
	do { if (__builtin_expect(!(cond), 0)) wrong(text); } while (0)
__printf(3, 4)
void __noreturn __wrong(const char *file, int line, const char *text, ...);

extern const struct drm_gpuvm_ops requests_ops;

/* Says what was being asked for. */
void requests_tell(void);

void attributes_offsets(void);
void attributes_widen(void);
void attributes_requests(void);
void requests_all(void);
void requests_pairs(void);
void requests_contents(void);

#endif
