// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Requests with attributes against the model: all VA spaces of a few pages with
 * all that a request may say of them, and all attributes in smaller ones.
 */
#include <stdio.h>
#include <string.h>

#include "attrs.h"
#include "shim.h"
#include "side.h"

#define START	3
#define MAX_N	4

/* What a mapping or a request shows. */
struct content {
	int obj;

	/* @offset: that at the first address, if it does not follow that */
	unsigned int offset;
	bool follows;
	unsigned int flags;
	u32 repeat;
};

static const struct content contents[] = {
	{ ATTRS_NO_OBJ, .flags = DRM_GPUVA_SPARSE },
	{ ATTRS_NO_OBJ },
	{ 0, .follows = true },
	{ 0, .follows = true, .offset = 1 },
	{ 1, .follows = true },
	{ 1, .repeat = 1 },
	{ 1, .repeat = 2 },
	{ 1, .repeat = 2, .offset = 1 },
	{ 1, .repeat = 4 },

	/* At the end of the VM, one page too far. Only for requests. */
	{ 0, .follows = true, .offset = 2 },
};

#define NR_STATES	(ARRAY_SIZE(contents) - 1)

/* With all flags in the place of those above. */
static const struct content flagged[] = {
	{ ATTRS_NO_OBJ },
	{ 0, .follows = true },
	{ 1, .repeat = 2 },
};

#define ALL_FLAGS	(DRM_GPUVA_SPARSE | ATTRS_DUMP | ATTRS_READONLY)

struct piece {
	struct content content;
	unsigned int first, pages;
};

struct space {
	unsigned int pages, nr;
	struct piece piece[MAX_N];
};

static u64 nr_states, nr_requests, nr_refused, nr_updates;
static unsigned int max_taken[2];

static void set_content(struct attrs_req *req, const struct content *content)
{
	req->obj = content->obj;
	req->offset = content->offset + (content->follows ? req->addr : 0);
	req->flags = content->flags;
	req->repeat = content->repeat;
}

static void fill(struct attrs_vm *vm, struct attrs_model *model,
		 const struct space *space)
{
	static struct attrs_outcome out;

	for (unsigned int i = 0; i < space->nr; i++) {
		const struct piece *piece = &space->piece[i];
		struct attrs_req req = {
			.addr = START + piece->first,
			.range = piece->pages,
		};

		set_content(&req, &piece->content);
		attrs_vm_run(vm, &req, &out);
		if (out.ret)
			die("a state cannot be set up: %d", out.ret);
		attrs_model_run(model, &req, &out);
	}
}

struct subject {
	struct attrs_vm *vm;
	struct attrs_model model;
	const struct space *space;
};

static void try_request(struct subject *subject, const struct attrs_req *req)
{
	struct attrs_req all = { .kind = ATTRS_UNMAP_ALL, .obj = ATTRS_NO_OBJ };
	static struct attrs_outcome out;
	struct attrs_model model = subject->model;

	attrs_try(subject->vm, &model, req, &out);
	nr_requests++;
	nr_refused += out.ret < 0;
	for (unsigned int i = 0; i < out.nr; i++)
		nr_updates += out.step[i].op == DRM_GPUVA_OP_UPDATE;

	if (req->kind <= ATTRS_LIST && req->type < ARRAY_SIZE(max_taken))
		max_taken[req->type] = max(max_taken[req->type], out.taken);
	if ((!out.nr && req->kind != ATTRS_EVICT) || req->kind == ATTRS_DROP)
		return;

	attrs_try(subject->vm, &model, &all, &out);
	fill(subject->vm, &model, subject->space);
}

/* ---- What is asked of a state ------------------------------------------ */

static void try_same(struct subject *subject, struct attrs_req req)
{
	for (req.opts = 0; req.opts <= DRM_GPUVM_REQ_UPDATE; req.opts++) {
		for (req.same = 0; req.same < NR_SAME; req.same++) {
			try_request(subject, &req);
			if (req.same != SAME_REFUSES_SOME)
				continue;
			req.tag = 1;
			try_request(subject, &req);
			req.tag = 0;
		}
	}
}

static void try_range(struct subject *subject, struct attrs_req req)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(contents); i++) {
		set_content(&req, &contents[i]);
		for (req.kind = 0; req.kind <= ATTRS_LOCK; req.kind++)
			try_same(subject, req);
		req.kind = ATTRS_OLD_MAP;
		try_request(subject, &req);
		for (req.nth = 1; req.nth <= 3; req.nth++) {
			req.kind = ATTRS_REQUEST;
			try_request(subject, &req);
		}
		req.nth = 0;
	}

	memset(&req.offset, 0, sizeof(req) - offsetof(struct attrs_req, offset));
	req.obj = ATTRS_NO_OBJ;
	req.kind = ATTRS_OLD_UNMAP;
	try_request(subject, &req);
	req.kind = ATTRS_OLD_MADVISE;
	try_request(subject, &req);
	req.type = DRM_GPUVM_REQ_UNMAP;
	for (req.kind = 0; req.kind <= ATTRS_LOCK; req.kind++) {
		for (req.same = 0; req.same < NR_SAME; req.same++)
			try_request(subject, &req);
	}
}

static void try_flags(struct subject *subject, struct attrs_req req)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(flagged); i++) {
		set_content(&req, &flagged[i]);
		for (req.flags = 0; req.flags <= ALL_FLAGS; req.flags += 2) {
			for (req.ignore = 0; req.ignore <= ALL_FLAGS; req.ignore++)
				try_same(subject, req);
		}
	}
}

/* Each page is evicted, torn down, or fails to be, or stays where it is. */
static void try_teardown(struct subject *subject)
{
	for (unsigned int page = 0; page <= subject->space->pages; page++) {
		struct attrs_req req = { .addr = START + page };

		for (req.nth = 0; req.nth < 2; req.nth++) {
			for (req.kind = ATTRS_UNMAP_ALL; req.kind < NR_ATTRS; req.kind++) {
				req.obj = req.kind == ATTRS_UNMAP_BO ? page % 2 : ATTRS_NO_OBJ;
				req.leave = false;
				try_request(subject, &req);
				req.leave = true;
				try_request(subject, &req);
			}
		}
	}
}

/* What is bad about a request that would be good otherwise. */
static void try_bad(struct subject *subject)
{
	static const struct attrs_req bad[] = {
		{ .type = 2, .obj = ATTRS_NO_OBJ },
		{ .type = -1, .obj = ATTRS_NO_OBJ },
		{ .opts = 2, .obj = ATTRS_NO_OBJ },
		{ .opts = -1, .obj = ATTRS_NO_OBJ },
		{ .obj = 0, .flags = DRM_GPUVA_SPARSE },
		{ .obj = ATTRS_NO_OBJ, .flags = DRM_GPUVA_SPARSE, .repeat = 1 },
		{ .obj = ATTRS_NO_OBJ, .repeat = 2 },
		{ .obj = 1, .repeat = 3 },
		{ .obj = 1, .repeat = 0xffffffff },
		{ .obj = 0, .offset = U64_MAX },
		{ .obj = 1, .offset = U64_MAX },
		{ .obj = 1, .offset = U64_MAX, .repeat = 1 },
		{ .obj = 1, .offset = U64_MAX - 1, .repeat = 2 },
		{ .obj = 0, .repeat = 0x80000000 },
		{ .type = DRM_GPUVM_REQ_UNMAP, .obj = 0 },
		{ .type = DRM_GPUVM_REQ_UNMAP, .obj = ATTRS_NO_OBJ, .opts = 1 },
		{ .type = DRM_GPUVM_REQ_UNMAP, .obj = ATTRS_NO_OBJ, .flags = 2 },
		{ .type = DRM_GPUVM_REQ_UNMAP, .obj = ATTRS_NO_OBJ, .repeat = 2 },
		{ .type = DRM_GPUVM_REQ_UNMAP, .obj = ATTRS_NO_OBJ, .offset = 1 },
	};
	u64 refused = nr_refused;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct attrs_req req = bad[i];

		req.addr = START;
		req.range = 1;
		for (req.kind = 0; req.kind <= ATTRS_LOCK; req.kind++)
			try_request(subject, &req);
	}
	if (nr_refused - refused != ARRAY_SIZE(bad) * (ATTRS_LOCK + 1))
		die("a bad request is not refused");
}

static void try_space(const struct space *space, bool flags)
{
	struct attrs_config config = {
		.start = START,
		.unit = 1,
		.pages = space->pages,
		.size = START + space->pages + 1,
		.flags = nr_states % 8,
	};
	struct subject subject = { .space = space };

	subject.vm = attrs_vm_create(&config);
	attrs_model_init(&subject.model, &config);
	fill(subject.vm, &subject.model, space);

	/* From the page in front of the space to the one behind it. */
	for (unsigned int first = 0; first <= space->pages + 1; first++) {
		for (unsigned int nr = 0; first + nr <= space->pages + 2; nr++) {
			struct attrs_req req = {
				.addr = START + first - 1, .range = nr,
			};

			if (flags && first && nr && first + nr <= space->pages + 1)
				try_flags(&subject, req);
			else if (!flags)
				try_range(&subject, req);
		}
	}
	try_teardown(&subject);
	try_bad(&subject);

	attrs_vm_destroy(subject.vm);
	nr_states++;
}

/* ---- All states -------------------------------------------------------- */

static void all_spaces(struct space *space, unsigned int first, bool flags);

static void all_lengths(struct space *space, unsigned int first,
			const struct content *content, bool flags)
{
	for (unsigned int nr = 1; first + nr <= space->pages; nr++) {
		space->piece[space->nr++] = (struct piece) { *content, first, nr };
		all_spaces(space, first + nr, flags);
		space->nr--;
	}
}

static void all_flags(struct space *space, unsigned int first,
		      struct content content)
{
	for (unsigned int flags = 0; flags <= ALL_FLAGS; flags++) {
		if (flags & DRM_GPUVA_SPARSE && content.obj != ATTRS_NO_OBJ)
			continue;
		content.flags = flags;
		all_lengths(space, first, &content, true);
	}
}

static void all_spaces(struct space *space, unsigned int first, bool flags)
{
	if (first == space->pages) {
		try_space(space, flags);
		return;
	}

	all_spaces(space, first + 1, flags);
	for (unsigned int i = 0; !flags && i < NR_STATES; i++)
		all_lengths(space, first, &contents[i], flags);
	for (unsigned int i = 0; flags && i < ARRAY_SIZE(flagged); i++)
		all_flags(space, first, flagged[i]);
}

static void run(unsigned int nr, unsigned int pages, bool flags)
{
	struct space space = { .pages = pages };
	u64 states = nr_states, requests = nr_requests;

	all_spaces(&space, 0, flags);
	printf("ok %u - all %s of %u pages: %llu states, %llu requests\n", nr,
	       flags ? "flags" : "spaces", pages, (ullong)(nr_states - states),
	       (ullong)(nr_requests - requests));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	unsigned int limit = min_t(u64, option(argc, argv, "--pages", 3), MAX_N);
	bool reached;

	printf("TAP version 13\n1..%u\n", limit + 2);
	for (unsigned int pages = 1; pages <= limit; pages++)
		run(pages, pages, false);
	run(limit + 1, limit > 2 ? 2 : 1, true);

	reached = max_taken[DRM_GPUVM_REQ_MAP] == min(limit, 3U) &&
		  max_taken[DRM_GPUVM_REQ_UNMAP] == min(limit, 3U) - 1;
	printf("%s %u - as many new mappings as drm_gpuvm_req_max_vas() says, and no more\n",
	       reached ? "ok" : "not ok", limit + 2);
	printf("# %llu states, %llu requests, %llu of them refused, %llu updates\n",
	       (ullong)nr_states, (ullong)nr_requests, (ullong)nr_refused,
	       (ullong)nr_updates);

	return !reached || !nr_updates;
}
