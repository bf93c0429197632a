// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Every question is answered by looking at every page, with sums that can not
 * wrap.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bits.h>
#include <linux/kernel.h>

#include "model.h"

#define SPACE_END	((__u128)1 << 64)

#define CHECK(cond) \
	((cond) ? (void)0 : die("%s: %s", __func__, #cond))

static bool protected(const struct model *model)
{
	return model->config->flags & BIT(0);
}

static u64 page_addr(const struct model *model, unsigned int page)
{
	return model->config->start + page * model->config->unit;
}

static bool ranges_overlap(__u128 a, __u128 a_range, __u128 b, __u128 b_range)
{
	return a < b + b_range && b < a + a_range;
}

static bool page_reserved(const struct model *model, unsigned int page)
{
	return ranges_overlap(page_addr(model, page), model->config->unit,
			      model->config->reserve,
			      model->config->reserve_range);
}

/* ---- Ranges ------------------------------------------------------------ */

static bool range_sane(u64 addr, u64 range)
{
	return range && (__u128)addr + range <= SPACE_END;
}

static bool range_inside(const struct model *model, u64 addr, u64 range)
{
	const struct config *config = model->config;

	return range_sane(addr, range) && addr >= config->start &&
	       (__u128)addr + range <= (__u128)config->start + config->range;
}

static bool range_valid(const struct model *model, u64 addr, u64 range)
{
	return range_inside(model, addr, range) &&
	       !ranges_overlap(addr, range, model->config->reserve,
			       model->config->reserve_range);
}

static bool req_valid(const struct model *model, const struct request *req)
{
	return range_valid(model, req->addr, req->range) &&
	       (req->obj == NO_OBJ || range_sane(req->offset, req->range));
}

static bool page_in(const struct model *model, unsigned int page,
		    u64 addr, u64 range)
{
	return ranges_overlap(page_addr(model, page), model->config->unit,
			      addr, range);
}

/* ---- Mappings ---------------------------------------------------------- */

static bool same_mapping(const struct model *model, unsigned int a,
			 unsigned int b)
{
	if (page_reserved(model, a) || page_reserved(model, b))
		return page_reserved(model, a) && page_reserved(model, b);

	return model->page[a].id == model->page[b].id;
}

static bool page_used(const struct model *model, unsigned int page)
{
	return page_reserved(model, page) || model->page[page].id;
}

/* The mapping around a page. */
static struct part mapping_at(const struct model *model, unsigned int page)
{
	struct part part = { };
	bool found = false;

	for (unsigned int i = 0; i < model->config->pages; i++) {
		if (!same_mapping(model, i, page))
			continue;
		if (!found) {
			found = true;
			part.addr = page_addr(model, i);
			part.offset = model->page[i].offset;
			part.obj = model->page[i].obj;
			if (page_reserved(model, i))
				part.obj = RESERVED;
		}
		part.range += model->config->unit;
	}

	return part;
}

static void set_pages(struct model *model, const struct part *part)
{
	u64 offset = part->offset;
	unsigned int id = ++model->last_id;

	for (unsigned int i = 0; i < model->config->pages; i++) {
		if (!page_in(model, i, part->addr, part->range))
			continue;

		model->page[i].id = id;
		model->page[i].obj = part->obj;
		model->page[i].offset = offset;
		offset += model->config->unit;
	}
}

static void clear_pages(struct model *model, const struct part *part)
{
	for (unsigned int i = 0; i < model->config->pages; i++) {
		if (page_in(model, i, part->addr, part->range))
			model->page[i].id = 0;
	}
}

/* ---- What is expected -------------------------------------------------- */

static struct record *expect(struct outcome *out, enum record_kind kind)
{
	struct record *rec = &out->rec[out->nr++];

	CHECK(out->nr <= MAX_RECORDS);
	memset(rec, 0, sizeof(*rec));
	rec->kind = kind;

	return rec;
}

static void expect_obj(struct outcome *out, enum record_kind kind, int obj,
		       u64 number)
{
	struct record *rec = expect(out, kind);

	rec->va.obj = obj;
	rec->va.range = number;
}

/* What stays of a mapping in front of the request, or behind it. */
static struct part rest_of(const struct model *model, const struct part *va,
			   const struct request *req, bool behind)
{
	struct part rest = { };

	for (unsigned int i = 0; i < model->config->pages; i++) {
		u64 addr = page_addr(model, i);

		if (!page_in(model, i, va->addr, va->range) ||
		    page_in(model, i, req->addr, req->range) ||
		    (behind ? addr < req->addr : addr > req->addr))
			continue;

		if (!rest.range) {
			rest.addr = addr;
			rest.offset = model->page[i].offset;
			rest.obj = va->obj;
		}
		rest.range += model->config->unit;
	}

	return rest;
}

static struct part cut_of(const struct model *model, const struct part *va,
			  const struct request *req)
{
	struct part cut = { };

	for (unsigned int i = 0; i < model->config->pages; i++) {
		if (!page_in(model, i, va->addr, va->range) ||
		    !page_in(model, i, req->addr, req->range))
			continue;

		if (!cut.range) {
			cut.addr = page_addr(model, i);
			cut.offset = model->page[i].offset;
			cut.obj = va->obj;
		}
		cut.range += model->config->unit;
	}

	return cut;
}

/* Whether the request shows all that it takes from the mapping as it was. */
static bool is_kept(const struct model *model, const struct part *va,
		    const struct request *req)
{
	if (va->obj == NO_OBJ || va->obj != req->obj)
		return false;

	for (unsigned int i = 0; i < model->config->pages; i++) {
		u64 addr = page_addr(model, i);

		if (page_in(model, i, va->addr, va->range) &&
		    page_in(model, i, req->addr, req->range) &&
		    model->page[i].offset != req->offset + (addr - req->addr))
			return false;
	}

	return true;
}

static void expect_cut(const struct model *model, const struct part *va,
		       const struct request *req, bool map,
		       struct outcome *out)
{
	struct part prev = rest_of(model, va, req, false);
	struct part next = rest_of(model, va, req, true);
	bool split = prev.range || next.range;
	struct record *rec;

	rec = expect(out, split ? DID_REMAP : DID_UNMAP);
	rec->va = *va;
	rec->prev = prev;
	rec->next = next;
	rec->keep = map && is_kept(model, va, req);
}

static void expect_madvise(const struct model *model, const struct part *va,
			   const struct request *req, struct outcome *out)
{
	struct part cut = cut_of(model, va, req);

	if (va->obj != NO_OBJ || cut.range == va->range)
		return;

	expect_cut(model, va, req, false, out);
	expect(out, DID_MAP)->va = cut;
}

/* Finds the next mapping that overlaps a range, from a page on, in order. */
static bool next_overlap(const struct model *model, unsigned int *page,
			 struct part *va, __u128 addr, __u128 range)
{
	while (*page < model->config->pages) {
		if (!page_used(model, *page)) {
			++*page;
			continue;
		}

		*va = mapping_at(model, *page);
		*page += va->range / model->config->unit;
		if (ranges_overlap(va->addr, va->range, addr, range))
			return true;
	}

	return false;
}

static bool is_map(const struct request *req)
{
	return req->kind == REQ_MAP || req->kind == REQ_MAP_LIST ||
	       req->kind == REQ_MAP_DROP;
}

static void expect_ops(const struct model *model, const struct request *req,
		       struct outcome *out)
{
	bool madvise = req->kind == REQ_MADVISE || req->kind == REQ_MADVISE_DROP;
	unsigned int page = 0;
	struct record *rec;
	struct part va;

	while (next_overlap(model, &page, &va, req->addr, req->range)) {
		if (madvise)
			expect_madvise(model, &va, req, out);
		else if (req->kind == REQ_PREFETCH)
			expect(out, DID_PREFETCH)->va = va;
		else
			expect_cut(model, &va, req, is_map(req), out);
	}

	if (is_map(req)) {
		rec = expect(out, DID_MAP);
		rec->va.addr = req->addr;
		rec->va.range = req->range;
		rec->va.offset = req->offset;
		rec->va.obj = req->obj;
	}
}

/* Carries a list of operations out. */
static void apply(struct model *model, const struct record *rec)
{
	if (rec->kind == DID_MAP) {
		set_pages(model, &rec->va);
	} else {
		clear_pages(model, &rec->va);
		if (rec->prev.range)
			set_pages(model, &rec->prev);
		if (rec->next.range)
			set_pages(model, &rec->next);
	}
}

static bool is_dropped(const struct request *req)
{
	return req->kind == REQ_MAP_DROP || req->kind == REQ_UNMAP_DROP ||
	       req->kind == REQ_MADVISE_DROP || req->kind == REQ_PREFETCH;
}

static void model_change(struct model *model, const struct request *req,
			 struct outcome *out)
{
	bool callbacks = req->kind == REQ_MAP || req->kind == REQ_UNMAP;
	bool map = is_map(req);

	if (!range_valid(model, req->addr, req->range) ||
	    (map && !req_valid(model, req))) {
		out->ret = -EINVAL;
		return;
	}

	expect_ops(model, req, out);
	if (callbacks && req->nth && req->nth <= out->nr) {
		out->nr = req->nth;
		out->ret = -ECANCELED;
	}

	for (unsigned int i = 0; i < out->nr - !!out->ret; i++) {
		if (!is_dropped(req) && !(callbacks && req->flags & REQ_NOTE))
			apply(model, &out->rec[i]);
	}
}

/* The order is that of linking, which pages do not know. */
static void model_bo_unmap(struct model *model, const struct request *req,
			   struct outcome *out)
{
	unsigned int page = 0;
	struct part va;

	while (next_overlap(model, &page, &va, 0, SPACE_END)) {
		if (va.obj == req->obj) {
			expect(out, DID_UNMAP)->va = va;
			clear_pages(model, &va);
		}
	}
}

static bool anything_in(const struct model *model, u64 addr, u64 range)
{
	for (unsigned int i = 0; i < model->config->pages; i++) {
		if (page_used(model, i) && page_in(model, i, addr, range))
			return true;
	}

	return false;
}

static void model_insert(struct model *model, const struct request *req,
			 struct outcome *out)
{
	struct part part = {
		.addr = req->addr, .range = req->range,
		.offset = req->offset, .obj = req->obj,
	};

	if (!range_valid(model, req->addr, req->range))
		out->ret = -EINVAL;
	else if (anything_in(model, req->addr, req->range))
		out->ret = -EEXIST;
	else
		set_pages(model, &part);
}

static void model_find(struct model *model, const struct request *req,
		       struct outcome *out)
{
	bool exact = req->kind == REQ_FIND || req->kind == REQ_REMOVE;
	u64 addr = req->addr, range = req->range;
	unsigned int page = 0;
	struct part va;

	if (req->kind == REQ_FIND_PREV)
		addr--;
	if (req->kind == REQ_FIND_PREV || req->kind == REQ_FIND_NEXT) {
		range = 1;
		if ((req->kind == REQ_FIND_PREV && !req->addr) ||
		    !range_valid(model, addr, range))
			return;
	}

	if (!range_sane(addr, range))
		return;

	while (next_overlap(model, &page, &va, addr, range)) {
		if (exact && (va.addr != addr || va.range != range))
			return;
		expect(out, DID_FIND)->va = va;
		return;
	}
}

static void model_remove(struct model *model, const struct request *req,
			 struct outcome *out)
{
	model_find(model, req, out);
	if (!out->nr)
		out->ret = -ENOENT;
	else if (out->rec[0].va.obj != RESERVED)
		clear_pages(model, &out->rec[0].va);
}

static void model_walk(struct model *model, const struct request *req,
		       struct outcome *out)
{
	__u128 addr = req->addr, range = req->range;
	bool skip_reserved = false;
	unsigned int page = 0;
	struct part va;

	switch (req->kind) {
	case REQ_MAPPINGS_ALL:
	case REQ_MAPPINGS_ALL_SAFE:
		skip_reserved = true;
		fallthrough;
	case REQ_WALK_ALL:
	case REQ_WALK_ALL_SAFE:
		addr = 0;
		range = SPACE_END;
		break;
	case REQ_MAPPINGS:
	case REQ_MAPPINGS_SAFE:
		skip_reserved = true;
		fallthrough;
	default:
		if (!range_sane(addr, range))
			return;
		break;
	}

	while (next_overlap(model, &page, &va, addr, range)) {
		if (skip_reserved && va.obj == RESERVED)
			continue;

		expect(out, DID_FIND)->va = va;
		if (req->kind == REQ_CLEAR && va.obj != RESERVED)
			clear_pages(model, &va);
	}
}

/* ---- Locks ------------------------------------------------------------- */

/* A set of locks: object 0 and the resv object have the same. */
struct lockset {
	const struct request *req;
	struct outcome *out;
	bool held[NR_OBJS];
};

static int lock(struct lockset *set, int obj, u64 fences)
{
	int resv = obj == RESV_OBJ ? 0 : obj;

	if (set->held[resv])
		return set->req->flags & REQ_DUPS ? 0 : -EALREADY;

	set->held[resv] = true;
	expect_obj(set->out, DID_LOCK, obj, fences);

	return 0;
}

static bool listed(const int *list, unsigned int nr, int obj)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (list[i] == obj)
			return true;
	}

	return false;
}

static void list_append(int *list, unsigned int *nr, int obj)
{
	if (!listed(list, *nr, obj))
		list[(*nr)++] = obj;
}

static void list_drop(int *list, unsigned int *nr, int obj)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < *nr; i++) {
		if (list[i] != obj)
			list[kept++] = list[i];
	}
	*nr = kept;
}

static int lock_vm(struct model *model, struct lockset *set)
{
	int ret;

	ret = lock(set, RESV_OBJ, set->req->fences);
	for (unsigned int i = 0; !ret && i < model->nr_extobj; i++) {
		ret = lock(set, model->extobj[i], set->req->fences);
		if (!ret && protected(model) && model->evicted[model->extobj[i]])
			list_append(model->evict, &model->nr_evict,
				    model->extobj[i]);
	}
	for (int i = 0; !ret && i < NR_OBJS; i++) {
		if (set->req->kind == REQ_LOCK_ARRAY && set->req->mask & BIT(i))
			ret = lock(set, i, set->req->fences);
	}

	return ret;
}

static int lock_mappings(const struct model *model, struct lockset *set,
			 u64 fences)
{
	const struct request *req = set->req;
	unsigned int page = 0;
	struct part va;
	int ret;

	while (next_overlap(model, &page, &va, req->addr, req->range)) {
		ret = va.obj >= 0 ? lock(set, va.obj, fences) : 0;
		if (ret)
			return ret;
	}

	return 0;
}

static int lock_request(const struct model *model, struct lockset *set)
{
	const struct request *req = set->req;
	bool map = req->kind == REQ_LOCK_MAP;
	int ret = 0;

	if (map ? !req_valid(model, req) :
		  !range_valid(model, req->addr, req->range))
		return -EINVAL;

	if (map && req->obj != NO_OBJ)
		ret = lock(set, req->obj, req->fences);

	return ret ?: lock_mappings(model, set, 0);
}

static bool obj_mapped(const struct model *model, int obj)
{
	for (unsigned int i = 0; i < model->config->pages; i++) {
		if (model->page[i].id && model->page[i].obj == obj)
			return true;
	}

	return false;
}

static void evict_one(struct model *model, int obj, bool evict)
{
	if (!obj_mapped(model, obj))
		return;

	model->evicted[obj] = evict;
	if (protected(model) && obj)
		return;

	if (evict)
		list_append(model->evict, &model->nr_evict, obj);
	else
		list_drop(model->evict, &model->nr_evict, obj);
}

static void call_back(struct model *model, const struct request *req, int obj)
{
	if (req->flags & (REQ_BACK_ALL | REQ_EVICT_ALL)) {
		for (int i = 0; i < NR_OBJS; i++)
			evict_one(model, i, !(req->flags & REQ_BACK_ALL));
	} else if (req->flags & (REQ_BACK | REQ_BACK_FLAG)) {
		model->evicted[obj] = false;
	}
}

static void model_validate(struct model *model, const struct request *req,
			   struct outcome *out)
{
	bool seen[NR_OBJS] = { };
	unsigned int nr = 0;

	for (unsigned int i = 0; i < model->nr_evict; i++) {
		int obj = model->evict[i];

		if (seen[obj])
			continue;

		seen[obj] = true;
		expect_obj(out, DID_VALIDATE, obj, 0);
		if (req->nth == ++nr) {
			out->ret = -ECANCELED;
			return;
		}

		call_back(model, req, obj);
		if (!model->evicted[obj])
			list_drop(model->evict, &model->nr_evict, obj);
		i = -1;
	}
}

static void model_lock(struct model *model, const struct request *req,
		       struct outcome *out)
{
	struct lockset set = { .req = req, .out = out };
	bool request = req->kind == REQ_LOCK_MAP || req->kind == REQ_LOCK_UNMAP;
	unsigned int locked;

	if (request)
		out->ret = lock_request(model, &set);
	else if (req->kind != REQ_LOCK_RANGE)
		out->ret = lock_vm(model, &set);
	else if (!range_inside(model, req->addr, req->range))
		out->ret = -EINVAL;
	else
		out->ret = lock_mappings(model, &set, req->fences);

	if (out->ret) {
		if (!request)
			out->nr = 0;
		return;
	}

	locked = out->nr;
	if (req->kind == REQ_FENCE && req->fences) {
		for (unsigned int i = 0; i < locked; i++)
			expect_obj(out, DID_FENCE, out->rec[i].va.obj,
				   out->rec[i].va.obj > 0 ? 1 : 3);
	}
	if (req->kind == REQ_VALIDATE)
		model_validate(model, req, out);
}

static void model_evict(struct model *model, const struct request *req,
			struct outcome *out)
{
	evict_one(model, req->obj, req->mask & 1);
}

static void model_nothing(struct model *model, const struct request *req,
			  struct outcome *out)
{
}

static void model_query(struct model *model, const struct request *req,
			struct outcome *out)
{
	if (req->kind == REQ_VALID)
		out->ret = range_valid(model, req->addr, req->range);
	else
		out->ret = range_sane(req->addr, req->range) &&
			   !anything_in(model, req->addr, req->range);
}

/* A vm_bo lives as long as its object is mapped. */
static void follow_vm_bos(struct model *model)
{
	for (int i = 0; i < NR_OBJS; i++) {
		if (obj_mapped(model, i)) {
			if (i)
				list_append(model->extobj, &model->nr_extobj, i);
		} else {
			model->evicted[i] = false;
			list_drop(model->extobj, &model->nr_extobj, i);
			list_drop(model->evict, &model->nr_evict, i);
		}
	}
}

static void (*const model_kind[NR_REQS])(struct model *model,
					 const struct request *req,
					 struct outcome *out) = {
	[REQ_MAP] = model_change,
	[REQ_MAP_LIST] = model_change,
	[REQ_MAP_DROP] = model_change,
	[REQ_UNMAP] = model_change,
	[REQ_UNMAP_LIST] = model_change,
	[REQ_UNMAP_DROP] = model_change,
	[REQ_MADVISE] = model_change,
	[REQ_MADVISE_DROP] = model_change,
	[REQ_BO_UNMAP] = model_bo_unmap,
	[REQ_PREFETCH] = model_change,
	[REQ_INSERT] = model_insert,
	[REQ_GPUVA_MAP] = model_insert,
	[REQ_REMOVE] = model_remove,
	[REQ_CLEAR] = model_walk,
	[REQ_VALID] = model_query,
	[REQ_EMPTY] = model_query,
	[REQ_FIND] = model_find,
	[REQ_FIND_FIRST] = model_find,
	[REQ_FIND_PREV] = model_find,
	[REQ_FIND_NEXT] = model_find,
	[REQ_WALK] = model_walk,
	[REQ_WALK_SAFE] = model_walk,
	[REQ_WALK_ALL] = model_walk,
	[REQ_WALK_ALL_SAFE] = model_walk,
	[REQ_MAPPINGS] = model_walk,
	[REQ_MAPPINGS_SAFE] = model_walk,
	[REQ_MAPPINGS_ALL] = model_walk,
	[REQ_MAPPINGS_ALL_SAFE] = model_walk,
	[REQ_LOCK] = model_lock,
	[REQ_LOCK_ARRAY] = model_lock,
	[REQ_LOCK_RANGE] = model_lock,
	[REQ_LOCK_MAP] = model_lock,
	[REQ_LOCK_UNMAP] = model_lock,
	[REQ_FENCE] = model_lock,
	[REQ_EVICT] = model_evict,
	[REQ_VALIDATE] = model_lock,
	[REQ_CLEANUP] = model_nothing,
};

void model_init(struct model *model, const struct config *config)
{
	CHECK(config->pages <= MAX_PAGES);
	memset(model, 0, sizeof(*model));
	model->config = config;
}

void model_run(struct model *model, const struct request *req,
	       struct outcome *out)
{
	out->ret = 0;
	out->nr = 0;
	model_kind[req->kind](model, req, out);
	follow_vm_bos(model);
}

/* ---- Comparisons ------------------------------------------------------- */

static int compare_records(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct record));
}

static bool has_order(const struct request *req)
{
	/* What was contended is locked first. */
	if (req->kind >= REQ_LOCK && req->kind <= REQ_FENCE)
		return !req->nth;

	return req->kind != REQ_BO_UNMAP;
}

static void sort_records(struct outcome *out)
{
	qsort(out->rec, out->nr, sizeof(*out->rec), compare_records);
}

/* Sorts the records where their order means nothing. */
bool model_agrees(const struct request *req, struct outcome *expected,
		  struct outcome *out)
{
	if (!has_order(req)) {
		sort_records(expected);
		sort_records(out);
	}

	return same_outcome(expected, out);
}

static void compare_obj(const struct model *model, const struct snapshot *snap,
			int i)
{
	bool mapped = obj_mapped(model, i);
	unsigned int links = 0;

	for (unsigned int j = 0; j < snap->nr; j++)
		links += snap->va[j].part.obj == i;

	CHECK(snap->obj[i].bos == mapped);
	CHECK(snap->obj[i].links == links);
	CHECK(snap->obj[i].bo_refs == !!links);
	CHECK(snap->zombies || snap->obj[i].refs == 1 + mapped);
	CHECK(snap->obj[i].evicted == model->evicted[i]);
	CHECK(snap->obj[i].on_extobj ==
	      listed(model->extobj, model->nr_extobj, i));
	CHECK(snap->obj[i].on_evict == listed(model->evict, model->nr_evict, i));
}

void model_compare(const struct model *model, const struct snapshot *snap)
{
	unsigned int page = 0, nr = 0, mappings = 0, bos = 0;
	struct part va;

	while (next_overlap(model, &page, &va, 0, SPACE_END)) {
		CHECK(nr < snap->nr);
		CHECK(!memcmp(&va, &snap->va[nr].part, sizeof(va)));
		CHECK(snap->va[nr].linked == (va.obj >= 0));
		mappings += va.obj != RESERVED;
		nr++;
	}
	CHECK(nr == snap->nr);

	for (int i = 0; i < NR_OBJS; i++) {
		compare_obj(model, snap, i);
		bos += snap->obj[i].bos;
	}
	CHECK(snap->vm_refs == 1 + !!mappings + bos + snap->zombies);
}
