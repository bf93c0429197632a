// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What a VM shows page by page: of which object, and which part of it. Every
 * question is answered by looking at all pages, with sums that can not wrap.
 */
#include <errno.h>
#include <string.h>

#include "attrs.h"
#include "side.h"

#define SPACE_END	((__u128)1 << 64)

static u64 page_addr(const struct attrs_model *model, unsigned int page)
{
	return model->config->start + page * model->config->unit;
}

static bool page_in(const struct attrs_model *model, unsigned int page,
		    __u128 addr, __u128 range)
{
	__u128 first = page_addr(model, page);

	return first < addr + range && addr < first + model->config->unit;
}

/* ---- Which requests are good ------------------------------------------- */

static bool range_good(const struct attrs_model *model, u64 addr, u64 range)
{
	const struct attrs_config *config = model->config;
	__u128 end = (__u128)config->start + config->pages * config->unit;

	if (!range || addr < config->start || (__u128)addr + range > end)
		return false;

	for (unsigned int i = 0; i < config->nr_reserved; i++) {
		if (page_in(model, config->reserved + i, addr, range))
			return false;
	}

	return true;
}

static bool map_good(const struct attrs_model *model,
		     const struct attrs_req *req)
{
	__u128 size = (__u128)model->config->size * model->config->unit;
	__u128 length = req->repeat ?: req->range;

	if (req->opts > DRM_GPUVM_REQ_UPDATE)
		return false;

	if (req->obj == ATTRS_NO_OBJ)
		return !req->repeat;

	if (req->flags & DRM_GPUVA_SPARSE ||
	    (req->repeat && __builtin_popcount(req->repeat) != 1))
		return false;

	return req->offset + length <= (req->obj ? SPACE_END - 1 : size);
}

static bool unmap_good(const struct attrs_req *req)
{
	return !req->opts && !req->flags && !req->repeat && !req->offset &&
	       req->obj == ATTRS_NO_OBJ;
}

static bool request_good(const struct attrs_model *model,
			 const struct attrs_req *req)
{
	bool map = req->type == DRM_GPUVM_REQ_MAP;

	if (!range_good(model, req->addr, req->range))
		return false;

	if (req->kind == ATTRS_OLD_MAP)
		return req->obj == ATTRS_NO_OBJ ||
		       (__u128)req->offset + req->range <= SPACE_END;

	if (req->kind >= ATTRS_OLD_MAP)
		return true;

	return map ? map_good(model, req) :
		     req->type == DRM_GPUVM_REQ_UNMAP && unmap_good(req);
}

/* ---- Mappings ---------------------------------------------------------- */

static struct attrs_part whole(const struct attrs_model *model,
			       unsigned int page)
{
	struct attrs_part part = { };

	for (unsigned int i = 0; i < model->config->pages; i++) {
		if (model->page[i].id != model->page[page].id)
			continue;
		if (!part.range) {
			part.addr = page_addr(model, i);
			part.content = model->page[i].content;
		}
		part.range += model->config->unit;
	}

	return part;
}

/* What of a mapping a range takes (0), what stays in front (-1) or behind (1). */
static struct attrs_part part_of(const struct attrs_model *model,
				 unsigned int page, u64 addr, u64 range,
				 int where)
{
	struct attrs_part part = { };

	for (unsigned int i = 0; i < model->config->pages; i++) {
		bool inside = page_in(model, i, addr, range);
		u64 at = page_addr(model, i);

		if (model->page[i].id != model->page[page].id ||
		    inside != !where || (where < 0 && at > addr) ||
		    (where > 0 && at < addr))
			continue;

		if (!part.range) {
			part.addr = at;
			part.content = model->page[i].content;
		}
		part.range += model->config->unit;
	}

	return part;
}

static u64 content(const struct attrs_req *req, u64 addr)
{
	if (req->repeat && req->kind < ATTRS_OLD_MAP)
		return req->offset + addr % req->repeat;

	return req->offset + (addr - req->addr);
}

static void set_pages(struct attrs_model *model, const struct attrs_part *part,
		      const struct attrs_page *like)
{
	unsigned int id = ++model->last_id;
	u64 next = part->content;

	for (unsigned int i = 0; i < model->config->pages; i++) {
		if (!page_in(model, i, part->addr, part->range))
			continue;

		/* Pages that were there keep what they show. */
		if (!like->repeat) {
			model->page[i].content = next;
			next += model->config->unit;
		}
		model->page[i].id = id;
		model->page[i].obj = like->obj;
		model->page[i].flags = like->flags;
		model->page[i].repeat = like->repeat;
		model->page[i].tag = like->tag;
	}
}

static void clear_pages(struct attrs_model *model, const struct attrs_part *part)
{
	for (unsigned int i = 0; i < model->config->pages; i++) {
		if (page_in(model, i, part->addr, part->range))
			model->page[i].id = 0;
	}
}

/* ---- What is expected -------------------------------------------------- */

/* Whether the request shows on all pages that it takes what was there. */
static bool same_content(const struct attrs_model *model, unsigned int page,
			 const struct attrs_req *req)
{
	for (unsigned int i = 0; i < model->config->pages; i++) {
		if (model->page[i].id == model->page[page].id &&
		    page_in(model, i, req->addr, req->range) &&
		    model->page[i].content != content(req, page_addr(model, i)))
			return false;
	}

	return true;
}

static bool kept(const struct attrs_model *model, unsigned int page,
		 const struct attrs_req *req)
{
	const struct attrs_page *at = &model->page[page];
	unsigned int differ = at->flags ^ req->flags;

	if (req->kind == ATTRS_OLD_MAP)
		return at->obj != ATTRS_NO_OBJ && at->obj == req->obj &&
		       !at->repeat && same_content(model, page, req);

	if (req->kind >= ATTRS_OLD_MAP || req->type != DRM_GPUVM_REQ_MAP)
		return false;

	if (differ & ~(req->ignore | DRM_GPUVA_INVALIDATED) ||
	    at->obj != req->obj || at->repeat != req->repeat)
		return false;

	if (at->obj == ATTRS_NO_OBJ) {
		if (!(at->flags & req->flags & DRM_GPUVA_SPARSE) &&
		    req->same == SAME_MISSING)
			return false;
	} else if (!same_content(model, page, req)) {
		return false;
	}

	return !attrs_refuses(req->same, whole(model, page).addr, req->tag);
}

static struct attrs_step *expect(struct attrs_outcome *out, u64 op,
				 const struct attrs_req *req)
{
	struct attrs_step *step = &out->step[out->nr++];

	memset(step, 0, sizeof(*step));
	step->op = op;
	step->tag = req->kind < ATTRS_OLD_MAP ? req->tag : 0;

	return step;
}

static void expect_map(struct attrs_outcome *out, const struct attrs_req *req)
{
	struct attrs_step *step = expect(out, DRM_GPUVA_OP_MAP, req);

	step->va.addr = req->addr;
	step->va.range = req->range;
	step->va.content = content(req, req->addr);
}

/* Returns whether that was all. */
static bool expect_overlap(const struct attrs_model *model, unsigned int page,
			   const struct attrs_req *req,
			   struct attrs_outcome *out)
{
	struct attrs_part va = whole(model, page), cut;
	bool madvise = req->kind == ATTRS_OLD_MADVISE;
	struct attrs_step *step;
	bool all;

	cut = part_of(model, page, req->addr, req->range, 0);
	all = cut.range == va.range;
	if (madvise && (all || model->page[page].obj != ATTRS_NO_OBJ))
		return false;

	step = expect(out, all ? DRM_GPUVA_OP_UNMAP : DRM_GPUVA_OP_REMAP, req);
	step->va = va;
	step->prev = part_of(model, page, req->addr, req->range, -1);
	step->next = part_of(model, page, req->addr, req->range, 1);
	step->keep = kept(model, page, req);
	step->exact = step->keep && req->kind < ATTRS_OLD_MAP &&
		      va.range == req->range && va.addr == req->addr;

	if (step->exact && req->opts & DRM_GPUVM_REQ_UPDATE) {
		step->op = DRM_GPUVA_OP_UPDATE;
		step->keep = 0;
		step->exact = 0;
		return true;
	}
	if (madvise) {
		step = expect(out, DRM_GPUVA_OP_MAP, req);
		step->va = cut;
	}

	return false;
}

static void expect_request(const struct attrs_model *model,
			   const struct attrs_req *req,
			   struct attrs_outcome *out)
{
	unsigned int id = 0;

	for (unsigned int i = 0; i < model->config->pages; i++) {
		if (!page_in(model, i, req->addr, req->range) ||
		    !model->page[i].id || model->page[i].id == id)
			continue;

		id = model->page[i].id;
		if (expect_overlap(model, i, req, out))
			return;
	}

	if (req->kind == ATTRS_OLD_MAP ||
	    (req->kind < ATTRS_OLD_MAP && req->type == DRM_GPUVM_REQ_MAP))
		expect_map(out, req);
}

static unsigned int page_at(const struct attrs_model *model, u64 addr)
{
	for (unsigned int i = 0; i < model->config->pages; i++) {
		if (page_addr(model, i) == addr)
			return i;
	}

	die("no page at %#llx", (ullong)addr);
}

/* Carries out one step of a request. */
static void apply(struct attrs_model *model, const struct attrs_req *req,
		  const struct attrs_step *step)
{
	unsigned int page = page_at(model, step->va.addr);
	struct attrs_page like = model->page[page];
	bool old = req->kind >= ATTRS_OLD_MAP;

	switch (step->op) {
	case DRM_GPUVA_OP_MAP:
		like.obj = req->kind == ATTRS_OLD_MADVISE ? ATTRS_NO_OBJ :
							    req->obj;
		like.flags = old ? 0 : req->flags;
		like.repeat = old ? 0 : req->repeat;
		like.tag = req->tag;
		set_pages(model, &step->va, &like);
		for (unsigned int i = 0; like.repeat && i < model->config->pages; i++) {
			if (page_in(model, i, req->addr, req->range))
				model->page[i].content =
					content(req, page_addr(model, i));
		}
		break;
	case DRM_GPUVA_OP_UPDATE:
		for (unsigned int i = 0; i < model->config->pages; i++) {
			if (model->page[i].id == like.id)
				model->page[i].flags =
					(req->flags & ~DRM_GPUVA_INVALIDATED) |
					(like.flags & DRM_GPUVA_INVALIDATED);
		}
		break;
	default:
		clear_pages(model, &step->va);
		if (step->prev.range)
			set_pages(model, &step->prev, &like);
		if (step->next.range)
			set_pages(model, &step->next, &like);
		break;
	}
}

static unsigned int new_mappings(const struct attrs_step *step)
{
	return step->op == DRM_GPUVA_OP_MAP ? 1 :
	       !!step->prev.range + !!step->next.range;
}

static void run_request(struct attrs_model *model, const struct attrs_req *req,
			struct attrs_outcome *out)
{
	bool callbacks = req->kind == ATTRS_REQUEST || req->kind == ATTRS_OLD_MAP ||
			 req->kind == ATTRS_OLD_UNMAP;

	if (!request_good(model, req)) {
		out->ret = -EINVAL;
		return;
	}
	if (req->kind == ATTRS_LOCK)
		return;

	expect_request(model, req, out);
	if (callbacks && req->nth && req->nth <= out->nr) {
		out->nr = req->nth;
		out->ret = -ECANCELED;
	}

	for (unsigned int i = 0; i < out->nr - !!out->ret; i++) {
		if (req->kind == ATTRS_DROP)
			continue;
		apply(model, req, &out->step[i]);
		out->taken += new_mappings(&out->step[i]);
	}
}

/* ---- Tear-down --------------------------------------------------------- */

static bool torn_down(const struct attrs_model *model,
		      const struct attrs_req *req, unsigned int page)
{
	const struct attrs_page *at = &model->page[page];

	switch (req->kind) {
	case ATTRS_UNMAP_ALL:
		return true;
	case ATTRS_UNMAP_BO:
		return at->obj == req->obj;
	default:
		return page_in(model, page, req->addr, 1);
	}
}

static void run_teardown(struct attrs_model *model, const struct attrs_req *req,
			 struct attrs_outcome *out)
{
	struct attrs_part va;
	unsigned int id = 0;

	for (unsigned int i = 0; i < model->config->pages; i++) {
		if (!model->page[i].id || model->page[i].id == id ||
		    !torn_down(model, req, i))
			continue;

		id = model->page[i].id;
		va = whole(model, i);
		expect(out, DRM_GPUVA_OP_UNMAP, req)->va = va;
		if (req->nth && req->addr - va.addr < va.range)
			out->ret = req->leave ? -EIO : -ECANCELED;
		else
			clear_pages(model, &va);
	}

	if (req->kind == ATTRS_UNMAP_STEP && !out->nr)
		out->ret = -EINVAL;
}

static void run_evict(struct attrs_model *model, const struct attrs_req *req)
{
	for (unsigned int i = 0; i < model->config->pages; i++) {
		unsigned int id = model->page[i].id;

		if (!id || !page_in(model, i, req->addr, 1))
			continue;
		for (unsigned int j = 0; j < model->config->pages; j++) {
			if (model->page[j].id == id)
				model->page[j].flags |= DRM_GPUVA_INVALIDATED;
		}
	}
}

void attrs_model_init(struct attrs_model *model,
		      const struct attrs_config *config)
{
	memset(model, 0, sizeof(*model));
	model->config = config;
}

void attrs_model_run(struct attrs_model *model, const struct attrs_req *req,
		     struct attrs_outcome *out)
{
	memset(out, 0, offsetof(struct attrs_outcome, step));
	out->taken = 0;

	if (req->kind == ATTRS_EVICT)
		run_evict(model, req);
	else if (req->kind < ATTRS_UNMAP_ALL)
		run_request(model, req, out);
	else
		run_teardown(model, req, out);
}
