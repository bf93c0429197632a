/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What a VM holds, and what can be asked about it.
 */
#ifndef __REQUESTS_H__
#define __REQUESTS_H__

#include "values.h"

/* What a VM holds, ascending, the reserved range not among it. */
struct content {
	unsigned int nr;
	struct piece piece[MAX_PIECES + 1];
};

extern struct world world;
extern struct content content;

#define for_each_piece(va__, content__)					\
	for (va__ = (content__)->piece;					\
	     va__ < (content__)->piece + (content__)->nr; va__++)

static inline bool is_piece(const struct piece *piece, const struct drm_gpuva *va)
{
	return shows(piece, va->va.addr, va->va.range, va->gem.offset, va->gem.obj);
}

/* One that is in no VM. */
struct drm_gpuva *free_mapping(void);

/* All questions about a range, and about the neighbours of an address. */
void try_range_questions(unsigned int addr, unsigned int range);
void try_neighbours(unsigned int addr);

#endif
