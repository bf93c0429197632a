// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * The operations of unmap, madvise and prefetch requests, and of unmapping an
 * object.
 */

#include "gpuvm_test.h"
#include "split_cases.h"

static void case_desc(const struct gt_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u: %s", c->nr, c->name);
}

KUNIT_ARRAY_PARAM(unmap_case, gt_unmap_cases, case_desc);
KUNIT_ARRAY_PARAM(madvise_case, gt_madvise_cases, case_desc);
KUNIT_ARRAY_PARAM(prefetch_case, gt_prefetch_cases, case_desc);

static void cases_are_numbered(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(gt_unmap_cases); i++)
		KUNIT_EXPECT_EQ(test, gt_unmap_cases[i].nr, i + 1);
	for (i = 0; i < ARRAY_SIZE(gt_madvise_cases); i++)
		KUNIT_EXPECT_EQ(test, gt_madvise_cases[i].nr, i + 1);
	for (i = 0; i < ARRAY_SIZE(gt_prefetch_cases); i++)
		KUNIT_EXPECT_EQ(test, gt_prefetch_cases[i].nr, i + 1);
}

static void explain(struct kunit *test, const struct gt_case *c)
{
	kunit_err(test, "case %u, %s\n    old %s\n    req %s\n    new %s\n", c->nr,
		  c->name, c->old, c->req, c->new);
}

/* A VM at @place that shows what @c starts with; objects have their own locks. */
static struct drm_gpuvm *case_vm(struct gt *gt, enum drm_gpuvm_flags flags,
				 const struct gt_place *place, const struct gt_case *c,
				 struct drm_gpuvm_map_req *req)
{
	struct drm_gpuvm *vm = gt_vm_in(gt, flags, place);
	struct gt_span span;

	gt_obj(gt, 'a', NULL);
	gt_obj(gt, 'b', NULL);
	gt_build(gt, vm, place->base, c->old);
	gt_parse(gt->test, c->req, &span, 1);
	*req = gt_req(gt, place->base, &span);
	gpuvm_check(gt->test, vm);

	return vm;
}

static void case_end(struct gt *gt, struct drm_gpuvm *vm)
{
	gt_vm_drop(gt, vm);
	gt_obj_drop(gt, gt_obj_find(gt, 'a'));
	gt_obj_drop(gt, gt_obj_find(gt, 'b'));
}

static bool picture_is_new(struct gt *gt, struct drm_gpuvm *vm,
			   const struct gt_place *place, const struct gt_case *c)
{
	/* A reserved range behind the base would be part of the picture. */
	return place->reserve_start > place->base ||
	       gt_expect_picture(gt->test, vm, place->base, c->new, place->name);
}

static bool unmap_at(struct gt *gt, const struct gt_case *c,
		     enum drm_gpuvm_flags flags, const struct gt_place *place)
{
	struct gt_log *log = gt_log(gt->test, place->base);
	struct drm_gpuvm_map_req req;
	struct drm_gpuvm *vm;
	bool ok;

	vm = case_vm(gt, flags, place, c, &req);
	KUNIT_EXPECT_EQ(gt->test, 0, gt_sm_unmap(gt, vm, req.map.va.addr,
						 req.map.va.range, log));
	ok = gt_expect_ops(gt->test, log, c->ops, GT_CASE_OPS, place->name);
	ok &= gpuvm_check(gt->test, vm);
	ok &= picture_is_new(gt, vm, place, c);
	case_end(gt, vm);
	kunit_kfree(gt->test, log);

	return ok;
}

static void unmap_callbacks(struct kunit *test)
{
	const struct gt_case *c = test->param_value;
	unsigned int i, j;

	for (i = 0; i < GT_MODE_NUM; i++) {
		for (j = 0; j < GT_PLACE_NUM; j++) {
			if (!unmap_at(test->priv, c, gt_modes[i].flags, &gt_places[j])) {
				explain(test, c);
				return;
			}
		}
	}
}

/* List, compare, carry out; the list is freed. */
static void check_op_list(struct gt *gt, struct drm_gpuvm *vm,
			  const struct gt_place *place, const struct gt_case *c,
			  struct drm_gpuva_ops *ops)
{
	struct gt_log *log = gt_log(gt->test, place->base);
	struct gt_walk walk = { .gt = gt, .vm = vm };
	struct drm_gpuva_op *op;
	struct drm_exec exec;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(gt->test, ops);
	gt_log_ops(log, ops);
	if (!gt_expect_ops(gt->test, log, c->ops, GT_CASE_OPS, place->name))
		explain(gt->test, c);

	gt_lock_staged(gt, vm, &exec);
	drm_gpuva_for_each_op(op, ops) {
		if (op->op == DRM_GPUVA_OP_PREFETCH)
			continue;
		KUNIT_EXPECT_EQ(gt->test, gt_apply(&walk, op), 0);
		gpuvm_check(gt->test, vm);
	}
	gt_unlock_staged(vm, &exec);
	drm_gpuva_ops_free(vm, ops);

	if (!picture_is_new(gt, vm, place, c))
		explain(gt->test, c);
}

static void unmap_op_list(struct kunit *test)
{
	const struct gt_case *c = test->param_value;
	struct gt *gt = test->priv;
	unsigned int i;

	for (i = 0; i < GT_PLACE_NUM; i++) {
		struct drm_gpuvm_map_req req;
		struct drm_gpuvm *vm = case_vm(gt, 0, &gt_places[i], c, &req);

		check_op_list(gt, vm, &gt_places[i], c,
			      drm_gpuvm_sm_unmap_ops_create(vm, req.map.va.addr,
							    req.map.va.range));
		case_end(gt, vm);
	}
}

static u32 locked(struct drm_exec *exec)
{
	struct drm_gem_object *obj;
	u32 mask = 0;

	drm_exec_for_each_locked_object(exec, obj)
		if (gt_obj_name(obj) != '?')
			mask |= BIT(gt_obj_name(obj) - 'a');

	return mask;
}

static void unmap_exec_lock(struct kunit *test)
{
	const struct gt_case *c = test->param_value;
	struct gt *gt = test->priv;
	struct gt_log *log = gt_log(test, GT_BASE);
	struct drm_gpuvm_map_req req;
	struct drm_gpuvm *vm = case_vm(gt, 0, &gt_places[0], c, &req);
	struct gt_walk walk = { .gt = gt, .vm = vm, .log = log };
	char *before = gt_snapshot(test, vm);
	struct drm_exec exec;
	int ret;

	drm_exec_init(&exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
	drm_exec_until_all_locked(&exec) {
		ret = drm_gpuvm_sm_unmap_exec_lock(vm, &exec, req.map.va.addr,
						   req.map.va.range);
		drm_exec_retry_on_contention(&exec);
		KUNIT_EXPECT_EQ(test, ret, 0);
	}

	KUNIT_EXPECT_EQ(test, 0, drm_gpuvm_sm_unmap(vm, &walk, req.map.va.addr,
						    req.map.va.range));
	if (locked(&exec) != log->objs) {
		KUNIT_FAIL(test, "locked 0x%x, not 0x%x\n", locked(&exec), log->objs);
		explain(test, c);
	}
	drm_exec_fini(&exec);
	gt_expect_unchanged(test, vm, before);
}

static void madvise_op_list(struct kunit *test)
{
	const struct gt_case *c = test->param_value;
	struct gt *gt = test->priv;
	unsigned int i;

	for (i = 0; i < GT_PLACE_NUM; i++) {
		struct drm_gpuvm_map_req req;
		struct drm_gpuvm *vm = case_vm(gt, 0, &gt_places[i], c, &req);

		check_op_list(gt, vm, &gt_places[i], c,
			      drm_gpuvm_madvise_ops_create(vm, &req));
		case_end(gt, vm);
	}
}

static void prefetch_op_list(struct kunit *test)
{
	const struct gt_case *c = test->param_value;
	struct gt *gt = test->priv;
	unsigned int i;

	for (i = 0; i < GT_PLACE_NUM; i++) {
		struct drm_gpuvm_map_req req;
		struct drm_gpuvm *vm = case_vm(gt, 0, &gt_places[i], c, &req);
		char *before = gt_snapshot(test, vm);

		check_op_list(gt, vm, &gt_places[i], c,
			      drm_gpuvm_prefetch_ops_create(vm, req.map.va.addr,
							    req.map.va.range));
		gt_expect_unchanged(test, vm, before);
		case_end(gt, vm);
	}
}

/* Old mappings and requests in a few pages, against the model. */
#define GRID_PAGES 6

static bool grid_ops(struct gt *gt, struct drm_gpuvm *vm, struct gt_log *log,
		     const struct gt_log *expected, struct drm_gpuva_ops *ops,
		     const char *what)
{
	KUNIT_ASSERT_NOT_ERR_OR_NULL(gt->test, ops);
	gt_log_reset(log);
	gt_log_ops(log, ops);
	drm_gpuva_ops_free(vm, ops);

	return gt_expect_same(gt->test, log, expected, what);
}

static bool grid_one(struct gt *gt, struct drm_gpuvm *vm, struct gt_log *log,
		     struct gt_log *expected, const struct gt_place *place,
		     const struct gt_span *old, const struct gt_span *span)
{
	struct drm_gpuvm_map_req req = gt_req(gt, place->base, span);
	struct gt_walk walk = { .gt = gt, .vm = vm, .log = log };
	u64 addr = req.map.va.addr, range = req.map.va.range;
	bool ok;

	gt_log_reset(expected);
	gt_model_unmap(expected, old, 2, span);
	gt_log_reset(log);
	KUNIT_EXPECT_EQ(gt->test, drm_gpuvm_sm_unmap(vm, &walk, addr, range), 0);
	ok = gt_expect_same(gt->test, log, expected, "unmap");
	ok &= grid_ops(gt, vm, log, expected,
		       drm_gpuvm_sm_unmap_ops_create(vm, addr, range), "unmap list");

	gt_log_reset(expected);
	gt_model_madvise(expected, old, 2, span);
	ok &= grid_ops(gt, vm, log, expected,
		       drm_gpuvm_madvise_ops_create(vm, &req), "madvise");

	if (!ok)
		kunit_err(gt->test, "%s, [%u,%u) and [%u,%u) under [%u,%u)\n",
			  place->name, old[0].first, old[0].first + old[0].pages,
			  old[1].first, old[1].first + old[1].pages, span->first,
			  span->first + span->pages);

	return ok;
}

static bool grid_requests(struct gt *gt, struct drm_gpuvm *vm, struct gt_log *log,
			  struct gt_log *expected, const struct gt_place *place,
			  const struct gt_span *old)
{
	struct gt_span req = { .obj = '#' };
	unsigned int end;

	for (req.first = 0; req.first < GRID_PAGES; req.first++) {
		for (end = req.first + 1; end <= GRID_PAGES; end++) {
			req.pages = end - req.first;
			if (!grid_one(gt, vm, log, expected, place, old, &req))
				return false;
		}
	}

	return gpuvm_check(gt->test, vm);
}

KUNIT_ARRAY_PARAM_DESC(place, gt_places, name);

/* Two mappings, one of them without object. */
static void unmap_and_madvise_grid(struct kunit *test)
{
	const struct gt_place *place = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm_in(gt, 0, place);
	struct gt_log *expected = gt_log(test, place->base);
	struct gt_log *log = gt_log(test, place->base);
	unsigned int i, end0, end1;
	struct gt_span old[2];
	bool ok = true;

	gt_obj(gt, 'a', vm);
	for (i = 0; i < 2; i++) {
		old[i].obj = 'a';
		old[!i].obj = '*';
		old[0].offset = 3;
		old[1].offset = 8;
		for (old[0].first = 0; old[0].first < 3; old[0].first++) {
			for (end0 = old[0].first + 1; end0 < 4 && ok; end0++) {
				old[0].pages = end0 - old[0].first;
				old[1].first = end0 + (end0 < 3);
				end1 = GRID_PAGES;
				old[1].pages = end1 - old[1].first;
				gt_build_spans(gt, vm, place->base, old, 2);
				ok = grid_requests(gt, vm, log, expected, place, old);
				gt_vm_clear(gt, vm);
			}
		}
	}
	KUNIT_EXPECT_TRUE(test, ok);
}

static void unmap_callback_fails(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm(gt, 0);
	struct gt_log *log = gt_log(test, GT_BASE);
	unsigned int nth;
	char *before;

	gt_obj(gt, 'a', vm);
	gt_build(gt, vm, GT_BASE, "|a4 a5|  |a0|*7 *8|");
	before = gt_snapshot(test, vm);

	for (nth = 1; nth <= 3; nth++) {
		struct gt_walk walk = {
			.gt = gt, .vm = vm, .log = log, .fail_at = nth,
		};

		gt_log_reset(log);
		KUNIT_EXPECT_EQ(test, -ECANCELED,
				drm_gpuvm_sm_unmap(vm, &walk, GT_BASE + GT_PAGES(1),
						   GT_PAGES(4)));
		KUNIT_EXPECT_EQ(test, walk.calls, nth);
		gt_expect_unchanged(test, vm, before);
	}
}

/* Prefetch crosses a gap next to the reserved range but never names that. */
static void prefetch_beside_reserved(struct kunit *test)
{
	static const char *const ops[] = { "prefetch [0,1) *0" };
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm_at(gt, 0, GT_VM_START, GT_VM_RANGE,
					GT_BASE + GT_PAGES(2), GT_PAGES(1), &gt_ops);
	struct gt_log *log = gt_log(test, GT_BASE);
	struct drm_gpuva_ops *list;

	gt_build(gt, vm, GT_BASE, "|*0|");
	list = drm_gpuvm_prefetch_ops_create(vm, GT_BASE, GT_PAGES(2));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, list);
	gt_log_ops(log, list);
	drm_gpuva_ops_free(vm, list);
	gt_expect_ops(test, log, ops, ARRAY_SIZE(ops), "beside");
}

/* All mappings of one object in one VM, however they lie. */
static void bo_unmap_op_list(struct kunit *test)
	__context_unsafe("which lock it is depends on the mode")
{
	static const char *const ops[] = {
		"unmap [0,1) a4", "unmap [3,5) a0", "unmap [7,8) a4",
	};
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm(gt, mode->flags), *other = gt_vm(gt, mode->flags);
	struct drm_gem_object *obj = gt_obj(gt, 'a', NULL);
	struct gt_log *log = gt_log(test, GT_BASE);
	struct gt_walk walk = { .gt = gt, .vm = vm };
	struct drm_gpuva_ops *list;
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuva_op *op;
	struct drm_exec exec;

	gt_obj_may_allocate_locked(obj);
	gt_obj(gt, 'b', NULL);
	gt_build(gt, vm, GT_BASE, "|a4|b0|  |a0 a1|b4|*0|a4|");
	gt_build(gt, other, GT_BASE, "|a7|");
	vm_bo = gt_vm_bo(gt, vm, obj);

	if (drm_gpuvm_immediate_mode(vm))
		mutex_lock(&obj->gpuva.lock);
	else
		gt_lock(gt, vm, &exec);
	list = drm_gpuvm_bo_unmap_ops_create(vm_bo);
	if (drm_gpuvm_immediate_mode(vm))
		mutex_unlock(&obj->gpuva.lock);
	else
		drm_exec_fini(&exec);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, list);
	gt_log_ops(log, list);
	gt_expect_ops(test, log, ops, ARRAY_SIZE(ops), "bo_unmap");

	gt_lock_staged(gt, vm, &exec);
	drm_gpuva_for_each_op(op, list)
		KUNIT_EXPECT_EQ(test, gt_apply(&walk, op), 0);
	gt_unlock_staged(vm, &exec);
	drm_gpuva_ops_free(vm, list);
	gt_vm_bo_put(gt, vm_bo);
	drm_gpuvm_bo_deferred_cleanup(vm);

	gpuvm_check(test, vm);
	gpuvm_check(test, other);
	gt_expect_picture(test, vm, GT_BASE, "   |b0|        |b4|*0|", "left");
	gt_expect_picture(test, other, GT_BASE, "|a7|", "other");
	KUNIT_EXPECT_TRUE(test, list_empty(&vm->extobj.list) ||
			  list_is_singular(&vm->extobj.list));
}

static void bo_unmap_nothing(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm(gt, 0);
	struct drm_gpuvm_bo *vm_bo = gt_vm_bo(gt, vm, gt_obj(gt, 'a', NULL));
	struct drm_gpuva_ops *list;
	struct drm_exec exec;

	gt_lock(gt, vm, &exec);
	list = drm_gpuvm_bo_unmap_ops_create(vm_bo);
	drm_exec_fini(&exec);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, list);
	KUNIT_EXPECT_TRUE(test, list_empty(&list->list));
	drm_gpuva_ops_free(vm, list);
	gt_vm_bo_put(gt, vm_bo);
}

static struct kunit_case gpuvm_unmap_tests[] = {
	KUNIT_CASE(cases_are_numbered),
	KUNIT_CASE_PARAM(unmap_callbacks, unmap_case_gen_params),
	KUNIT_CASE_PARAM(unmap_op_list, unmap_case_gen_params),
	KUNIT_CASE_PARAM(unmap_exec_lock, unmap_case_gen_params),
	KUNIT_CASE_PARAM(madvise_op_list, madvise_case_gen_params),
	KUNIT_CASE_PARAM(prefetch_op_list, prefetch_case_gen_params),
	KUNIT_CASE_PARAM(unmap_and_madvise_grid, place_gen_params),
	KUNIT_CASE(unmap_callback_fails),
	KUNIT_CASE(prefetch_beside_reserved),
	KUNIT_CASE_PARAM(bo_unmap_op_list, gt_mode_gen_params),
	KUNIT_CASE(bo_unmap_nothing),
	{}
};

static struct kunit_suite gpuvm_unmap_suite = {
	.name = "drm_gpuvm_unmap",
	.init = gt_init,
	.exit = gt_exit,
	.test_cases = gpuvm_unmap_tests,
};

kunit_test_suite(gpuvm_unmap_suite);
