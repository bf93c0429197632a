// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * The operations of map requests, as callbacks, as a list and as a walk that
 * locks.
 */

#include <linux/prandom.h>

#include "gpuvm_test.h"
#include "split_cases.h"

static void map_case_desc(const struct gt_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u: %s", c->nr, c->name);
}

KUNIT_ARRAY_PARAM(map_case, gt_map_cases, map_case_desc);

/* Print what a failed case is about. */
static void explain(struct kunit *test, const struct gt_case *c)
{
	kunit_err(test, "case %u, %s\n    old %s\n    req %s\n    new %s\n", c->nr,
		  c->name, c->old, c->req, c->new);
}

static void cases_are_numbered(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(gt_map_cases); i++)
		KUNIT_EXPECT_EQ(test, gt_map_cases[i].nr, i + 1);
}

/* Objects a and b; external ones, so that each has a lock of its own. */
static struct drm_gpuvm *case_vm(struct gt *gt, enum drm_gpuvm_flags flags,
				 const struct gt_place *place, bool local)
{
	struct drm_gpuvm *vm = gt_vm_in(gt, flags, place);

	gt_obj(gt, 'a', local ? vm : NULL);
	gt_obj(gt, 'b', local ? vm : NULL);

	return vm;
}

static void case_end(struct gt *gt, struct drm_gpuvm *vm)
{
	gt_vm_drop(gt, vm);
	gt_obj_drop(gt, gt_obj_find(gt, 'a'));
	gt_obj_drop(gt, gt_obj_find(gt, 'b'));
}

static bool callbacks_at(struct gt *gt, const struct gt_case *c,
			 enum drm_gpuvm_flags flags, const struct gt_place *place,
			 bool local)
{
	struct drm_gpuvm *vm = case_vm(gt, flags, place, local);
	struct gt_log *log = gt_log(gt->test, place->base);
	struct gt_span span;
	struct drm_gpuvm_map_req req;
	bool ok;

	gt_build(gt, vm, place->base, c->old);
	gt_parse(gt->test, c->req, &span, 1);
	req = gt_req(gt, place->base, &span);
	ok = gpuvm_check(gt->test, vm);

	KUNIT_EXPECT_EQ(gt->test, 0, gt_sm_map(gt, vm, req.map.va.addr,
					       req.map.va.range, req.map.gem.obj,
					       req.map.gem.offset, log));
	ok &= gt_expect_ops(gt->test, log, c->ops, GT_CASE_OPS, place->name);
	ok &= gpuvm_check(gt->test, vm);

	/* A reserved range behind the base would be part of the picture. */
	if (place->reserve_start <= place->base)
		ok &= gt_expect_picture(gt->test, vm, place->base, c->new, place->name);

	case_end(gt, vm);
	kunit_kfree(gt->test, log);

	return ok;
}

static void map_callbacks(struct kunit *test)
{
	const struct gt_case *c = test->param_value;
	struct gt *gt = test->priv;
	unsigned int i, j;

	for (i = 0; i < GT_MODE_NUM; i++) {
		for (j = 0; j < GT_PLACE_NUM; j++) {
			if (!callbacks_at(gt, c, gt_modes[i].flags, &gt_places[j], false) ||
			    !callbacks_at(gt, c, gt_modes[i].flags, &gt_places[j], true)) {
				explain(test, c);
				return;
			}
		}
	}
}

static void map_op_list(struct kunit *test)
{
	const struct gt_case *c = test->param_value;
	struct gt *gt = test->priv;
	unsigned int i;

	for (i = 0; i < GT_PLACE_NUM; i++) {
		const struct gt_place *place = &gt_places[i];
		struct drm_gpuvm *vm = case_vm(gt, 0, place, true);
		struct gt_log *log = gt_log(test, place->base);
		struct gt_walk walk = { .gt = gt, .vm = vm };
		struct drm_gpuvm_map_req req;
		struct drm_gpuva_ops *ops;
		struct drm_gpuva_op *op;
		struct drm_exec exec;
		struct gt_span span;
		char *before;

		gt_build(gt, vm, place->base, c->old);
		gt_parse(test, c->req, &span, 1);
		req = gt_req(gt, place->base, &span);
		before = gt_snapshot(test, vm);

		ops = drm_gpuvm_sm_map_ops_create(vm, &req);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ops);
		gt_log_ops(log, ops);
		if (!gt_expect_ops(test, log, c->ops, GT_CASE_OPS, place->name))
			explain(test, c);
		gt_expect_unchanged(test, vm, before);

		if (req.map.gem.obj)
			walk.vm_bo = gt_vm_bo(gt, vm, req.map.gem.obj);
		gt_lock_staged(gt, vm, &exec);
		drm_gpuva_for_each_op(op, ops) {
			KUNIT_EXPECT_EQ(test, gt_apply(&walk, op), 0);
			gpuvm_check(test, vm);
		}
		gt_unlock_staged(vm, &exec);
		if (walk.vm_bo)
			gt_vm_bo_put(gt, walk.vm_bo);
		drm_gpuva_ops_free(vm, ops);

		if (place->reserve_start <= place->base)
			gt_expect_picture(test, vm, place->base, c->new, place->name);
		case_end(gt, vm);
	}
}

/* Which of the objects a.. does @exec hold? */
static u32 locked(struct drm_exec *exec)
{
	struct drm_gem_object *obj;
	u32 mask = 0;

	drm_exec_for_each_locked_object(exec, obj)
		if (gt_obj_name(obj) != '?')
			mask |= BIT(gt_obj_name(obj) - 'a');

	return mask;
}

static void map_exec_lock(struct kunit *test)
{
	const struct gt_case *c = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = case_vm(gt, 0, &gt_places[0], false);
	struct gt_log *log = gt_log(test, GT_BASE);
	struct gt_walk walk = { .gt = gt, .vm = vm, .log = log };
	struct drm_gpuvm_map_req req;
	struct drm_exec exec;
	struct gt_span span;
	char *before;
	int ret;

	gt_build(gt, vm, GT_BASE, c->old);
	gt_parse(test, c->req, &span, 1);
	req = gt_req(gt, GT_BASE, &span);
	before = gt_snapshot(test, vm);

	drm_exec_init(&exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
	drm_exec_until_all_locked(&exec) {
		ret = drm_gpuvm_sm_map_exec_lock(vm, &exec, 1, &req);
		drm_exec_retry_on_contention(&exec);
		KUNIT_EXPECT_EQ(test, ret, 0);
	}

	/* It locks what the operations name, and nothing else. */
	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_map(vm, &walk, &req), 0);
	if (locked(&exec) != log->objs) {
		KUNIT_FAIL(test, "locked 0x%x, not 0x%x\n", locked(&exec), log->objs);
		explain(test, c);
	}
	drm_exec_fini(&exec);
	gt_expect_unchanged(test, vm, before);
}

/*
 * Every old mapping and every request in a few pages, same, other or no object,
 * contiguous or not, everywhere in the VA space: all against the model.
 */
#define GRID_PAGES 6

static const char *grid_name(char *buf, const struct gt_place *place,
			     const struct gt_span *old, const struct gt_span *req)
{
	scnprintf(buf, 128, "%s, [%u,%u) %c%x under [%u,%u) %c%x", place->name,
		  old->first, old->first + old->pages, old->obj, old->offset,
		  req->first, req->first + req->pages, req->obj, req->offset);

	return buf;
}

static bool grid_one(struct gt *gt, struct drm_gpuvm *vm, struct gt_log *log,
		     struct gt_log *expected, const struct gt_place *place,
		     const struct gt_span *old, const struct gt_span *span)
{
	struct drm_gpuvm_map_req req = gt_req(gt, place->base, span);
	struct gt_walk walk = { .gt = gt, .vm = vm, .log = log };
	struct drm_gpuva_ops *ops;
	char name[128];
	bool ok;

	gt_log_reset(expected);
	gt_model_map(expected, old, 1, span);

	gt_log_reset(log);
	KUNIT_EXPECT_EQ(gt->test, drm_gpuvm_sm_map(vm, &walk, &req), 0);
	ok = gt_expect_same(gt->test, log, expected,
			    grid_name(name, place, old, span));

	gt_log_reset(log);
	ops = drm_gpuvm_sm_map_ops_create(vm, &req);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(gt->test, ops);
	gt_log_ops(log, ops);
	drm_gpuva_ops_free(vm, ops);
	ok &= gt_expect_same(gt->test, log, expected, name);

	return ok;
}

static bool grid_old(struct gt *gt, struct drm_gpuvm *vm, struct gt_log *log,
		     struct gt_log *expected, const struct gt_place *place,
		     const struct gt_span *old)
{
	static const char objs[] = { 'a', 'b', '*' };
	struct gt_span req;
	unsigned int i, end, shift;

	for (req.first = 0; req.first < GRID_PAGES; req.first++) {
		for (end = req.first + 1; end <= GRID_PAGES; end++) {
			req.pages = end - req.first;
			for (i = 0; i < ARRAY_SIZE(objs); i++) {
				req.obj = objs[i];
				for (shift = 0; shift < 2; shift++) {
					req.offset = old->offset + req.first + shift -
						     old->first;
					if (!grid_one(gt, vm, log, expected, place,
						      old, &req))
						return false;
				}
			}
		}
	}

	return gpuvm_check(gt->test, vm);
}

KUNIT_ARRAY_PARAM_DESC(place, gt_places, name);

static void map_grid(struct kunit *test)
{
	const struct gt_place *place = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = case_vm(gt, 0, place, true);
	struct gt_log *expected = gt_log(test, place->base);
	struct gt_log *log = gt_log(test, place->base);
	static const char objs[] = { 'a', '*' };
	unsigned int i, end, n = 0;
	struct gt_span old;
	bool ok = true;

	old.offset = GRID_PAGES;
	for (old.first = 0; old.first < GRID_PAGES; old.first++) {
		for (end = old.first + 1; end <= GRID_PAGES; end++) {
			old.pages = end - old.first;
			for (i = 0; i < ARRAY_SIZE(objs) && ok; i++) {
				old.obj = objs[i];
				gt_build_spans(gt, vm, place->base, &old, 1);
				ok = grid_old(gt, vm, log, expected, place, &old);
				gt_vm_clear(gt, vm);
				n++;
			}
		}
	}
	KUNIT_EXPECT_EQ(test, n, GRID_PAGES * (GRID_PAGES + 1));
}

/* One request over many mappings, with and without gaps. */
static void map_over_many(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = case_vm(gt, 0, &gt_places[0], true);
	struct gt_log *expected = gt_log(test, GT_BASE), *log = gt_log(test, GT_BASE);
	struct gt_span old[20], req = { .first = 1, .pages = 58, .obj = 'a', .offset = 1 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(old); i++)
		old[i] = (struct gt_span) {
			.first = i * 3,
			.pages = i % 3 ? 3 : 2,
			.obj = "ab*"[i % 3],
			.offset = i * 3,
		};
	gt_build_spans(gt, vm, GT_BASE, old, ARRAY_SIZE(old));
	gt_model_map(expected, old, ARRAY_SIZE(old), &req);

	KUNIT_EXPECT_EQ(test, 0, gt_sm_map(gt, vm, GT_BASE + GT_PAGES(1), GT_PAGES(58),
					   gt_obj_find(gt, 'a'), GT_PAGES(1), log));
	gt_expect_same(test, log, expected, "many");
	gpuvm_check(test, vm);
	KUNIT_EXPECT_EQ(test, gt_core_mappings(vm), 3);
}

/* Requests need not be multiples of anything. */
static void map_bytes(struct kunit *test)
{
	static const char *const ops[] = {
		"remap [0x200000+0x1001) a:0x3 prev [0x200000+0x7) a:0x3 next [0x200008+0xff9) a:0xb",
		"map [0x200007+0x1) b:0x1",
	};
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = case_vm(gt, 0, &gt_places[0], true);
	struct gt_log *log = gt_log(test, GT_BASE);

	gt_map(gt, vm, GT_BASE, 0x1001, gt_obj_find(gt, 'a'), 3);
	KUNIT_EXPECT_EQ(test, 0, gt_sm_map(gt, vm, GT_BASE + 7, 1, gt_obj_find(gt, 'b'),
					   1, log));
	gt_expect_ops(test, log, ops, ARRAY_SIZE(ops), "bytes");
	gpuvm_check(test, vm);
	KUNIT_EXPECT_EQ(test, gt_core_mappings(vm), 3);
}

static void map_whole_space(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm_at(gt, 0, GT_PAGES(1), -GT_PAGES(1), 0, 0, &gt_ops);
	struct gt_log *log = gt_log(test, GT_BASE);

	gt_obj(gt, 'a', vm);
	gt_map(gt, vm, GT_BASE, GT_PAGES(1), gt_obj_find(gt, 'a'), 0);
	KUNIT_EXPECT_EQ(test, 0, gt_sm_map(gt, vm, GT_PAGES(1), -GT_PAGES(1), NULL, 0,
					   log));
	KUNIT_EXPECT_EQ(test, log->n, 2);
	KUNIT_EXPECT_STREQ(test, log->line[0], "unmap [0,1) a0");
	gpuvm_check(test, vm);
	KUNIT_EXPECT_EQ(test, gt_core_mappings(vm), 1);
	KUNIT_EXPECT_NOT_NULL(test, drm_gpuva_find(vm, GT_PAGES(1), -GT_PAGES(1)));

	/* Cut the last byte off. */
	KUNIT_EXPECT_EQ(test, 0, gt_sm_unmap(gt, vm, U64_MAX, 1, NULL));
	gpuvm_check(test, vm);
	KUNIT_EXPECT_NOT_NULL(test, drm_gpuva_find(vm, GT_PAGES(1), -GT_PAGES(1) - 1));
	KUNIT_EXPECT_TRUE(test, drm_gpuvm_interval_empty(vm, U64_MAX, 1));
}

/* A callback's error ends the request and comes back unchanged. */
static void map_callback_fails(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = case_vm(gt, 0, &gt_places[0], true);
	struct gt_log *log = gt_log(test, GT_BASE);
	struct drm_gpuvm_map_req req = {
		.map.va.addr = GT_BASE + GT_PAGES(1),
		.map.va.range = GT_PAGES(4),
		.map.gem.obj = gt_obj_find(gt, 'a'),
	};
	unsigned int nth;
	char *before;

	gt_build(gt, vm, GT_BASE, "|a4 a5|  |b0|*7 *8|");
	before = gt_snapshot(test, vm);

	for (nth = 1; nth <= 4; nth++) {
		struct gt_walk walk = {
			.gt = gt, .vm = vm, .log = log, .fail_at = nth,
		};

		gt_log_reset(log);
		KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_map(vm, &walk, &req), -ECANCELED);
		KUNIT_EXPECT_EQ(test, walk.calls, nth);
		KUNIT_EXPECT_EQ(test, log->n, nth - 1);
		gt_expect_unchanged(test, vm, before);
	}
}

/* ---- random ------------------------------------------------------------- */

#define RANDOM_PAGES	48
#define RANDOM_STEPS	400

/* What each page shows; nothing is 0. */
struct random_page {
	char obj;
	unsigned int offset;
};

struct random_state {
	struct rnd_state rnd;
	struct random_page page[RANDOM_PAGES];
	struct gt_span spans[RANDOM_PAGES];
};

static unsigned int random_below(struct random_state *r, unsigned int n)
{
	return prandom_u32_state(&r->rnd) % n;
}

static void random_request(struct random_state *r, struct gt_span *req)
{
	req->first = random_below(r, RANDOM_PAGES);
	req->pages = 1 + random_below(r, min(12, RANDOM_PAGES - req->first));
	req->obj = "aab*#"[random_below(r, 5)];
	/* Often what the neighbours show, so that there is something to keep. */
	req->offset = req->first + (random_below(r, 3) ? 0 : random_below(r, 8));
}

static void random_apply(struct random_state *r, const struct gt_span *req)
{
	unsigned int i;

	for (i = 0; i < req->pages; i++) {
		struct random_page *page = &r->page[req->first + i];

		page->obj = req->obj == '#' ? 0 : req->obj;
		page->offset = req->offset + i;
	}
}

static bool random_compare(struct kunit *test, struct random_state *r, unsigned int n)
{
	unsigned int i, page, next = 0;

	for (i = 0; i < n; i++) {
		const struct gt_span *span = &r->spans[i];

		for (; next < span->first; next++)
			if (r->page[next].obj)
				break;
		if (next != span->first)
			break;
		for (page = 0; page < span->pages; page++, next++)
			if (r->page[next].obj != span->obj ||
			    r->page[next].offset != span->offset + page)
				break;
		if (page != span->pages)
			break;
	}
	for (; i == n && next < RANDOM_PAGES && !r->page[next].obj; next++)
		;

	if (next == RANDOM_PAGES)
		return true;

	KUNIT_FAIL(test, "page %u is wrong\n", next);
	return false;
}

/* Random requests: the operations by the model, the VA space page by page. */
static void map_random(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm(gt, mode->flags);
	struct gt_log *log = gt_log(test, GT_BASE), *expected = gt_log(test, GT_BASE);
	struct random_state *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	unsigned int step, n;

	KUNIT_ASSERT_NOT_NULL(test, r);
	prandom_seed_state(&r->rnd, gt_seed(test));
	gt_obj(gt, 'a', vm);
	gt_obj(gt, 'b', NULL);

	for (step = 0; step < RANDOM_STEPS; step++) {
		struct drm_gpuvm_map_req req;
		struct gt_span span;
		int ret;

		random_request(r, &span);
		req = gt_req(gt, GT_BASE, &span);
		n = gt_spans(vm, GT_BASE, r->spans, RANDOM_PAGES);
		gt_log_reset(log);
		gt_log_reset(expected);

		if (span.obj == '#') {
			gt_model_unmap(expected, r->spans, n, &span);
			ret = gt_sm_unmap(gt, vm, req.map.va.addr, req.map.va.range, log);
		} else {
			gt_model_map(expected, r->spans, n, &span);
			ret = gt_sm_map(gt, vm, req.map.va.addr, req.map.va.range,
					req.map.gem.obj, req.map.gem.offset, log);
		}
		KUNIT_ASSERT_EQ(test, ret, 0);

		random_apply(r, &span);
		n = gt_spans(vm, GT_BASE, r->spans, RANDOM_PAGES);
		if (!gt_expect_same(test, log, expected, "random") ||
		    !random_compare(test, r, n) || !gpuvm_check(test, vm)) {
			kunit_err(test, "after %u requests\n", step + 1);
			return;
		}
	}
}

/* The pure function behind all of it. */
static void split_one_mapping(struct kunit *test)
{
	static const struct {
		u64 addr, last;
		u64 prev, cut, next;
	} cases[] = {
		{ 100, 199, 0, 100, 0 }, { 0, 1000, 0, 100, 0 },
		{ 100, 100, 0, 1, 99 }, { 199, 199, 99, 1, 0 },
		{ 150, 150, 50, 1, 49 }, { 90, 149, 0, 50, 50 },
		{ 150, 300, 50, 50, 0 }, { 150, U64_MAX, 50, 50, 0 },
	};
	struct gt *gt = test->priv;
	struct drm_gem_object *a = gt_obj(gt, 'a', NULL);
	struct drm_gpuva va = {
		.va = { .addr = 100, .range = 100 },
		.gem = { .offset = 1000, .obj = a },
	};
	unsigned int i;

	gt_needs_ours(test, "drm_gpuva_split()");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct drm_gpuva_op_map req = {
			.va.addr = cases[i].addr,
			.va.range = cases[i].last - cases[i].addr + 1,
			.gem.obj = a,
			.gem.offset = 900 + cases[i].addr,
		};
		struct drm_gpuva_split s;

		drm_gpuva_split(&va, &req, &s);
		KUNIT_EXPECT_EQ(test, s.prev.va.range, cases[i].prev);
		KUNIT_EXPECT_EQ(test, s.cut.va.range, cases[i].cut);
		KUNIT_EXPECT_EQ(test, s.next.va.range, cases[i].next);
		if (cases[i].prev) {
			KUNIT_EXPECT_EQ(test, s.prev.va.addr, 100);
			KUNIT_EXPECT_EQ(test, s.prev.gem.offset, 1000);
			KUNIT_EXPECT_PTR_EQ(test, s.prev.gem.obj, a);
		}
		KUNIT_EXPECT_EQ(test, s.cut.va.addr, 100 + cases[i].prev);
		KUNIT_EXPECT_EQ(test, s.cut.gem.offset, 1000 + cases[i].prev);
		KUNIT_EXPECT_PTR_EQ(test, s.cut.gem.obj, a);
		if (cases[i].next) {
			KUNIT_EXPECT_EQ(test, s.next.va.addr, 200 - cases[i].next);
			KUNIT_EXPECT_EQ(test, s.next.gem.offset, 1100 - cases[i].next);
			KUNIT_EXPECT_PTR_EQ(test, s.next.gem.obj, a);
		}
		KUNIT_EXPECT_TRUE(test, s.keep);

		req.gem.offset++;
		drm_gpuva_split(&va, &req, &s);
		KUNIT_EXPECT_FALSE(test, s.keep);
		req.gem.offset--;
		req.gem.obj = NULL;
		drm_gpuva_split(&va, &req, &s);
		KUNIT_EXPECT_FALSE(test, s.keep);
	}
}

static struct kunit_case gpuvm_map_tests[] = {
	KUNIT_CASE(cases_are_numbered),
	KUNIT_CASE_PARAM(map_callbacks, map_case_gen_params),
	KUNIT_CASE_PARAM(map_op_list, map_case_gen_params),
	KUNIT_CASE_PARAM(map_exec_lock, map_case_gen_params),
	KUNIT_CASE_PARAM(map_grid, place_gen_params),
	KUNIT_CASE(map_over_many),
	KUNIT_CASE(map_bytes),
	KUNIT_CASE(map_whole_space),
	KUNIT_CASE(map_callback_fails),
	KUNIT_CASE_PARAM(map_random, gt_mode_gen_params),
	KUNIT_CASE(split_one_mapping),
	{}
};

static struct kunit_suite gpuvm_map_suite = {
	.name = "drm_gpuvm_map",
	.init = gt_init,
	.exit = gt_exit,
	.test_cases = gpuvm_map_tests,
};

kunit_test_suite(gpuvm_map_suite);
