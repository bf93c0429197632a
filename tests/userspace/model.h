/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What a VM should do, page by page, without any structure to get wrong.
 */
#ifndef __MODEL_H__
#define __MODEL_H__

#include "side.h"

#define MAX_PAGES	64

struct model_page {
	/* @id: which mapping the page belongs to; 0 if it is not mapped */
	unsigned int id;
	int obj;
	u64 offset;
};

struct model {
	const struct config *config;
	struct model_page page[MAX_PAGES];
	unsigned int last_id;

	bool evicted[NR_OBJS];

	/* @extobj: objects in the order in which they became external */
	int extobj[NR_OBJS];
	int evict[NR_OBJS];
	unsigned int nr_extobj, nr_evict;
};

void model_init(struct model *model, const struct config *config);
void model_run(struct model *model, const struct request *req,
	       struct outcome *out);
void model_compare(const struct model *model, const struct snapshot *snap);
bool model_agrees(const struct request *req, struct outcome *expected,
		  struct outcome *out);

#endif
