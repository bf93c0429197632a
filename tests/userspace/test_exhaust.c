// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * All VA spaces of a few pages, and all requests for each of them, against the
 * model. A page is free, reserved, or belongs to a mapping of any length: sparse,
 * or of one of two objects, with one of two offsets in the first of them. What
 * differs only in the names of the objects counts once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/limits.h>

#include "model.h"
#include "shim.h"

#define UNIT		1
#define START		1
#define MAX_N		12

/* What a page, and those that follow it, can be. */
enum content {
	FREE,
	RESERVE,
	SPARSE,
	OBJ_A,
	OBJ_A_SHIFTED,
	OBJ_B,
	NR_CONTENTS,
};

struct piece {
	enum content content;
	unsigned int first, pages;
};

/* A VA space, cut into pieces. */
struct space {
	unsigned int pages, nr;
	struct piece piece[MAX_N];
};

/* What the requests of a kind are made of. */
struct family {
	enum req_kind kind;

	/* @part: with every object and offset */
	bool part;

	/* @ranges: with every range, good or bad */
	bool ranges;

	/* @objs: with every object */
	bool objs;

	/* @changes: may leave the VM changed */
	bool changes;
};

static const struct family families[] = {
	{ REQ_MAP, .part = true, .ranges = true, .changes = true },
	{ REQ_MAP_LIST, .part = true, .ranges = true, .changes = true },
	{ REQ_MAP_DROP, .part = true, .ranges = true },
	{ REQ_UNMAP, .ranges = true, .changes = true },
	{ REQ_UNMAP_LIST, .ranges = true, .changes = true },
	{ REQ_UNMAP_DROP, .ranges = true },
	{ REQ_MADVISE, .ranges = true, .changes = true },
	{ REQ_MADVISE_DROP, .ranges = true },
	{ REQ_BO_UNMAP, .objs = true, .changes = true },
	{ REQ_PREFETCH, .ranges = true },
	{ REQ_INSERT, .ranges = true, .changes = true },
	{ REQ_GPUVA_MAP, .ranges = true, .changes = true },
	{ REQ_REMOVE, .ranges = true, .changes = true },
	{ REQ_CLEAR, .ranges = true, .changes = true },
	{ REQ_VALID, .ranges = true },
	{ REQ_EMPTY, .ranges = true },
	{ REQ_FIND, .ranges = true },
	{ REQ_FIND_FIRST, .ranges = true },
	{ REQ_FIND_PREV, .ranges = true },
	{ REQ_FIND_NEXT, .ranges = true },
	{ REQ_WALK, .ranges = true },
	{ REQ_WALK_SAFE, .ranges = true },
	{ REQ_WALK_ALL },
	{ REQ_WALK_ALL_SAFE },
	{ REQ_MAPPINGS, .ranges = true },
	{ REQ_MAPPINGS_SAFE, .ranges = true },
	{ REQ_MAPPINGS_ALL },
	{ REQ_MAPPINGS_ALL_SAFE },
	{ REQ_LOCK },
	{ REQ_LOCK_RANGE, .ranges = true },
	{ REQ_LOCK_MAP, .ranges = true, .objs = true },
	{ REQ_LOCK_UNMAP, .ranges = true },
};

static u64 nr_states, nr_requests, nr_refused;
static u64 nr_kind[NR_REQS];

/* ---- A state ----------------------------------------------------------- */

static int content_obj(enum content content)
{
	switch (content) {
	case OBJ_A:
	case OBJ_A_SHIFTED:
		return 0;
	case OBJ_B:
		return 1;
	default:
		return NO_OBJ;
	}
}

static void piece_request(struct request *req, const struct piece *piece)
{
	memset(req, 0, sizeof(*req));
	req->kind = REQ_INSERT;
	req->addr = START + piece->first * UNIT;
	req->range = piece->pages * UNIT;
	req->offset = req->addr + (piece->content == OBJ_A_SHIFTED);
	req->obj = content_obj(piece->content);
}

static void space_config(struct config *config, const struct space *space)
{
	memset(config, 0, sizeof(*config));
	config->start = START;
	config->unit = UNIT;
	config->pages = space->pages;
	config->range = space->pages * UNIT;
	config->flags = nr_states % 4;
	config->driver_allocs = nr_states % 3 == 0;

	for (unsigned int i = 0; i < space->nr; i++) {
		if (space->piece[i].content == RESERVE) {
			config->reserve = START + space->piece[i].first * UNIT;
			config->reserve_range = space->piece[i].pages * UNIT;
		}
	}
}

static void fill(struct side_vm *vm, struct model *model,
		 const struct space *space)
{
	static struct outcome out;
	struct request req;

	for (unsigned int i = 0; i < space->nr; i++) {
		if (space->piece[i].content <= RESERVE)
			continue;

		piece_request(&req, &space->piece[i]);
		side_ours.run(vm, &req, &out);
		if (out.ret)
			die("a state cannot be set up: %d", out.ret);
		if (model)
			model_run(model, &req, &out);
	}
}

/* ---- Requests ---------------------------------------------------------- */

struct subject {
	struct side_vm *vm;
	const struct model *model;
	const struct space *space;
};

static void refill(struct subject *subject)
{
	const struct config *config = subject->model->config;
	static struct outcome out;
	struct request req = {
		.kind = REQ_CLEAR, .obj = NO_OBJ,
		.addr = config->start, .range = config->range,
	};

	side_ours.run(subject->vm, &req, &out);
	fill(subject->vm, NULL, subject->space);
}

static void try_request(struct subject *subject, const struct request *req,
			bool changes)
{
	static struct outcome expected, out;
	static struct snapshot snap;
	static struct model model;

	model = *subject->model;
	model_run(&model, req, &expected);
	side_ours.run(subject->vm, req, &out);

	if (!model_agrees(req, &expected, &out)) {
		print_config(model.config);
		for (unsigned int i = 0; i < subject->space->nr; i++) {
			struct request piece;

			piece_request(&piece, &subject->space->piece[i]);
			print_request(&piece);
		}
		print_request(req);
		print_outcome("model", &expected);
		print_outcome("ours", &out);
		die("not what the model expects");
	}

	if (changes) {
		side_ours.check(subject->vm);
		side_ours.snapshot(subject->vm, &snap);
		model_compare(&model, &snap);
		if (!out.ret)
			refill(subject);
	}

	nr_requests++;
	nr_refused += out.ret < 0;
	nr_kind[req->kind]++;
}

static void try_part(struct subject *subject, const struct family *family,
		     struct request *req)
{
	enum content content;

	if (family->objs && !family->ranges) {
		for (req->obj = 0; req->obj < 2; req->obj++)
			try_request(subject, req, family->changes);
		return;
	}

	if (!family->part && !family->objs) {
		try_request(subject, req, family->changes);
		return;
	}

	for (content = SPARSE; content < NR_CONTENTS; content++) {
		req->obj = content_obj(content);
		req->offset = req->addr + (content == OBJ_A_SHIFTED);
		req->flags = REQ_DUPS | (content & REQ_REUSE);
		try_request(subject, req, family->changes);
	}
}

static void try_family(struct subject *subject, const struct family *family)
{
	unsigned int pages = subject->space->pages;
	struct request req = {
		.kind = family->kind,
		.obj = NO_OBJ,
		.flags = REQ_DUPS,
		.fences = 1,
	};

	if (!family->ranges) {
		try_part(subject, family, &req);
		return;
	}

	/* From the page in front of the space to the one behind it. */
	for (unsigned int first = 0; first <= pages + 1; first++) {
		for (unsigned int nr = 0; first + nr <= pages + 2; nr++) {
			req.addr = START + first * UNIT - UNIT;
			req.range = nr * UNIT;
			try_part(subject, family, &req);
		}
		req.range = -req.addr;
		try_part(subject, family, &req);
		req.range = U64_MAX;
		try_part(subject, family, &req);
	}
}

static void try_space(const struct space *space)
{
	struct model model;
	struct config config;
	struct subject subject = { .model = &model, .space = space };

	space_config(&config, space);
	subject.vm = side_ours.create(&config);
	model_init(&model, &config);
	fill(subject.vm, &model, space);

	for (unsigned int i = 0; i < ARRAY_SIZE(families); i++)
		try_family(&subject, &families[i]);

	side_ours.destroy(subject.vm);
	if (shim.live)
		die("%ld allocations or objects were not freed", shim.live);
	nr_states++;
}

/* ---- All states -------------------------------------------------------- */

static bool has(const struct space *space, enum content content)
{
	for (unsigned int i = 0; i < space->nr; i++) {
		if (space->piece[i].content == content)
			return true;
	}

	return false;
}

static bool may_follow(const struct space *space, enum content content)
{
	if (content == RESERVE)
		return !has(space, RESERVE);
	if (content == OBJ_B)
		return has(space, OBJ_A) || has(space, OBJ_A_SHIFTED);

	return true;
}

static void all_spaces(struct space *space, unsigned int first)
{
	struct piece *piece = &space->piece[space->nr];

	if (first == space->pages) {
		try_space(space);
		return;
	}

	for (enum content content = FREE; content < NR_CONTENTS; content++) {
		if (!may_follow(space, content))
			continue;

		for (unsigned int nr = 1; first + nr <= space->pages; nr++) {
			*piece = (struct piece) { content, first, nr };
			space->nr++;
			all_spaces(space, first + nr);
			space->nr--;
			if (content == FREE)
				break;
		}
	}
}

int main(int argc, char **argv)
{
	unsigned int limit = min_t(u64, option(argc, argv, "--pages", 4), MAX_N);

	printf("TAP version 13\n1..%u\n", limit);
	for (unsigned int pages = 1; pages <= limit; pages++) {
		struct space space = { .pages = pages };
		u64 states = nr_states, requests = nr_requests;
		clock_t begin = clock();

		all_spaces(&space, 0);
		printf("ok %u - all spaces of %u pages: %llu states, %llu requests, %.1f s\n",
		       pages, pages, (ullong)(nr_states - states),
		       (ullong)(nr_requests - requests),
		       (double)(clock() - begin) / CLOCKS_PER_SEC);
		fflush(stdout);
	}

	printf("# %llu states, %llu requests, %llu of them refused\n",
	       (ullong)nr_states, (ullong)nr_requests, (ullong)nr_refused);
	for (int i = 0; i < NR_REQS; i++) {
		if (nr_kind[i])
			printf("# %10llu %s\n", (ullong)nr_kind[i], req_names[i]);
	}

	return 0;
}
