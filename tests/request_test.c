// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Requests with attributes, the stock and the tear-down where they are meant to
 * run: under resv locks in staged mode, in fence signalling in immediate mode.
 * Lockdep judges. What they do is tested against a model in user space.
 */

#include <linux/dma-fence.h>

#include "gpuvm_test.h"

#if !GT_MAINLINE

#define AT(page) (GT_BASE + GT_PAGES(page))
#define READONLY DRM_GPUVA_USERBITS

/**
 * struct rt - a driver whose steps are drm_gpuva_op_apply()
 * @stock: its mappings
 * @gt: the test
 * @vm: the VM
 * @exec: the locks of staged mode
 * @cookie: of fence signalling in immediate mode
 * @vm_bo: for what is mapped
 * @ops: the kinds of operations that there were, a bit each
 * @req: what they all lead back to
 */
struct rt {
	struct drm_gpuva_stock stock;
	struct gt *gt;
	struct drm_gpuvm *vm;
	struct drm_exec exec;
	bool cookie;
	struct drm_gpuvm_bo *vm_bo;
	unsigned int ops;
	const struct drm_gpuvm_req *req;
};

static struct drm_gpuva *rt_alloc(struct drm_gpuva_stock *stock)
{
	struct rt *rt = container_of(stock, struct rt, stock);

	return gt_va(rt->gt, 0, 0, NULL, 0);
}

static void rt_free(struct drm_gpuva_stock *stock, struct drm_gpuva *va)
{
	gt_va_free(va);
}

static const struct drm_gpuva_stock_ops rt_stock_ops = {
	.alloc = rt_alloc,
	.free = rt_free,
};

static int rt_step(struct drm_gpuva_op *op, void *priv)
{
	struct rt *rt = priv;

	rt->ops |= BIT(op->op);
	KUNIT_EXPECT_PTR_EQ(rt->gt->test, op->req, rt->req);

	return drm_gpuva_op_apply(op, &rt->stock, rt->vm_bo);
}

static const struct drm_gpuvm_steps rt_steps = {
	.map = rt_step,
	.remap = rt_step,
	.unmap = rt_step,
	.update = rt_step,
};

static struct rt *rt_at(struct kunit *test, enum drm_gpuvm_flags flags)
{
	struct rt *rt = kunit_kzalloc(test, sizeof(*rt), GFP_KERNEL);
	struct gt *gt = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, rt);
	rt->gt = gt;
	rt->vm = gt_vm_at(gt, flags, GT_VM_START, GT_VM_RANGE, 0, 0,
			  &gt_ops_embed);
	gt_obj(gt, 'a', rt->vm);
	gt_obj(gt, 'b', NULL);
	drm_gpuva_stock_init(&rt->stock, rt->vm, &rt_stock_ops);

	return rt;
}

static struct rt *rt_init(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;

	return rt_at(test, mode->flags);
}

/* Where the steps run: nothing may be allocated, and nothing else be locked. */
static void rt_begin(struct rt *rt)
{
	gt_lock_staged(rt->gt, rt->vm, &rt->exec);
	if (drm_gpuvm_immediate_mode(rt->vm))
		rt->cookie = dma_fence_begin_signalling();
}

static void rt_end(struct rt *rt)
{
	if (drm_gpuvm_immediate_mode(rt->vm))
		dma_fence_end_signalling(rt->cookie);
	gt_unlock_staged(rt->vm, &rt->exec);
}

static int rt_request(struct rt *rt, const struct drm_gpuvm_req *req)
{
	int ret;

	rt->ops = 0;
	rt->req = req;
	if (req->map.gem.obj)
		rt->vm_bo = gt_vm_bo(rt->gt, rt->vm, req->map.gem.obj);
	ret = drm_gpuva_stock_fill(&rt->stock, drm_gpuvm_req_max_vas(req));
	KUNIT_ASSERT_EQ(rt->gt->test, ret, 0);

	rt_begin(rt);
	ret = drm_gpuvm_request(rt->vm, req, &rt_steps, rt);
	rt_end(rt);

	rt->req = NULL;
	if (rt->vm_bo)
		gt_vm_bo_put(rt->gt, rt->vm_bo);
	rt->vm_bo = NULL;
	drm_gpuva_stock_drain(&rt->stock);

	return ret;
}

static struct drm_gpuvm_req rt_map(struct rt *rt, unsigned int page,
				   unsigned int pages, char obj,
				   unsigned int offset)
{
	return (struct drm_gpuvm_req) {
		.map = {
			.va = { AT(page), GT_PAGES(pages) },
			.gem = { GT_PAGES(offset), gt_obj_find(rt->gt, obj) },
		},
	};
}

static struct drm_gpuvm_req rt_unmap(unsigned int page, unsigned int pages)
{
	return (struct drm_gpuvm_req) {
		.type = DRM_GPUVM_REQ_UNMAP,
		.map.va = { AT(page), GT_PAGES(pages) },
	};
}

static void every_step(struct kunit *test)
{
	struct rt *rt = rt_init(test);
	struct drm_gpuvm_req map = rt_map(rt, 0, 4, 'b', 0);
	struct drm_gpuvm_req split = rt_map(rt, 1, 2, 'a', 5);
	struct drm_gpuvm_req unmap = rt_unmap(0, 2);
	struct drm_gpuva *va;

	map.flags = READONLY;
	map.opts = DRM_GPUVM_REQ_UPDATE;
	KUNIT_EXPECT_EQ(test, rt_request(rt, &map), 0);
	KUNIT_EXPECT_EQ(test, rt->ops, BIT(DRM_GPUVA_OP_MAP));
	KUNIT_EXPECT_EQ(test, rt_request(rt, &map), 0);
	KUNIT_EXPECT_EQ(test, rt->ops, BIT(DRM_GPUVA_OP_UPDATE));
	gt_expect_picture(test, rt->vm, GT_BASE, "|b0 b1 b2 b3|", "map");
	gpuvm_check(test, rt->vm);

	KUNIT_EXPECT_EQ(test, rt_request(rt, &split), 0);
	KUNIT_EXPECT_EQ(test, rt->ops,
			BIT(DRM_GPUVA_OP_REMAP) | BIT(DRM_GPUVA_OP_MAP));
	gt_expect_picture(test, rt->vm, GT_BASE, "|b0|a5 a6|b3|", "split");
	va = drm_gpuva_find(rt->vm, AT(3), GT_PAGES(1));
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_EQ(test, va->flags, READONLY);
	gpuvm_check(test, rt->vm);

	KUNIT_EXPECT_EQ(test, rt_request(rt, &unmap), 0);
	KUNIT_EXPECT_EQ(test, rt->ops,
			BIT(DRM_GPUVA_OP_UNMAP) | BIT(DRM_GPUVA_OP_REMAP));
	gt_expect_picture(test, rt->vm, GT_BASE, "      |a6|b3|", "unmap");
	gpuvm_check(test, rt->vm);
}

/* Made before, carried out in the place of the steps. */
static void every_step_of_a_list(struct kunit *test)
{
	struct rt *rt = rt_init(test);
	struct drm_gpuvm_req req = rt_map(rt, 1, 3, 'b', 2);
	struct drm_gpuva_ops *ops;
	struct drm_gpuva_op *op;

	gt_build(rt->gt, rt->vm, GT_BASE, "|b1 b2|a0|b4 b5|");
	rt->vm_bo = gt_vm_bo(rt->gt, rt->vm, req.map.gem.obj);
	rt->req = &req;
	KUNIT_ASSERT_EQ(test, drm_gpuva_stock_fill(&rt->stock, 3), 0);
	ops = drm_gpuvm_request_ops_create(rt->vm, &req, &rt_steps, rt);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ops);

	rt_begin(rt);
	drm_gpuva_for_each_op(op, ops)
		KUNIT_EXPECT_EQ(test, rt_step(op, rt), 0);
	rt_end(rt);

	drm_gpuva_ops_free(rt->vm, ops);
	gt_vm_bo_put(rt->gt, rt->vm_bo);
	drm_gpuva_stock_drain(&rt->stock);
	KUNIT_EXPECT_EQ(test, rt->ops, BIT(DRM_GPUVA_OP_UNMAP) |
			BIT(DRM_GPUVA_OP_REMAP) | BIT(DRM_GPUVA_OP_MAP));
	gt_expect_picture(test, rt->vm, GT_BASE, "|b1|b2 b3 b4|b5|", "list");
	gpuvm_check(test, rt->vm);
}

static void tear_down(struct kunit *test)
{
	struct rt *rt = rt_init(test);
	struct drm_gpuva *va;
	struct drm_gpuvm_bo *b;

	gt_build(rt->gt, rt->vm, GT_BASE, "|b0|a0|b1|*3|a1|b2|");
	b = gt_vm_bo(rt->gt, rt->vm, gt_obj_find(rt->gt, 'b'));

	rt_begin(rt);
	va = drm_gpuva_find_first(rt->vm, AT(1), 1);
	KUNIT_EXPECT_EQ(test, drm_gpuva_unmap_step(va, &rt_steps, rt), 0);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_bo_unmap(b, &rt_steps, rt), 0);
	rt_end(rt);
	gt_expect_picture(test, rt->vm, GT_BASE, "         |*3|a1|", "bo_unmap");
	gpuvm_check(test, rt->vm);
	gt_vm_bo_put(rt->gt, b);

	rt_begin(rt);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_unmap_all(rt->vm, &rt_steps, rt), 0);
	rt_end(rt);
	KUNIT_EXPECT_EQ(test, rt->ops, BIT(DRM_GPUVA_OP_UNMAP));
	drm_gpuva_stock_drain(&rt->stock);
	gt_is_live(rt->gt, GT_VAS, 0);
	gt_is_live(rt->gt, GT_VM_BOS, 0);
	gpuvm_check(test, rt->vm);
}

static void locks_what_it_is_about(struct kunit *test)
{
	struct rt *rt = rt_init(test);
	struct drm_gpuvm_req map = rt_map(rt, 0, 2, 'a', 0);
	struct drm_gpuvm_req unmap = rt_unmap(0, 2);
	const struct drm_gpuvm_req *reqs[] = { &map, &unmap };
	struct drm_exec exec;
	int ret;

	gt_build(rt->gt, rt->vm, GT_BASE, "|  |b0 b1|");
	for (unsigned int i = 0; i < ARRAY_SIZE(reqs); i++) {
		drm_exec_init(&exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
		drm_exec_until_all_locked(&exec) {
			ret = drm_gpuvm_request_exec_lock(rt->vm, &exec, 1, reqs[i]);
			drm_exec_retry_on_contention(&exec);
			KUNIT_EXPECT_EQ(test, ret, 0);
		}
		dma_resv_assert_held(gt_obj_find(rt->gt, 'b')->resv);
		if (reqs[i] == &map)
			dma_resv_assert_held(gt_obj_find(rt->gt, 'a')->resv);
		drm_exec_fini(&exec);
	}
}

/* One warning, and nothing changed. */
static void too_small_a_stock(struct kunit *test)
{
	struct rt *rt = rt_init(test);
	struct drm_gpuvm_req req = rt_unmap(1, 1);
	char *before;

	gt_build(rt->gt, rt->vm, GT_BASE, "|b0 b1 b2|");
	before = gt_snapshot(test, rt->vm);
	KUNIT_ASSERT_EQ(test, drm_gpuva_stock_fill(&rt->stock, 1), 0);
	rt->req = &req;

	gt_warn_begin(rt->gt);
	rt_begin(rt);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_request(rt->vm, &req, &rt_steps, rt),
			-ENOMEM);
	rt_end(rt);
	/* Once for all cases. */
	gt_warn_end(rt->gt, 0, 1);

	KUNIT_EXPECT_EQ(test, rt->stock.num, 1);
	drm_gpuva_stock_drain(&rt->stock);
	gt_expect_unchanged(test, rt->vm, before);
}

/* What lacks a callback is refused before the first one. */
static void missing_steps(struct kunit *test)
{
	struct rt *rt = rt_init(test);
	struct drm_gpuvm_req map = rt_map(rt, 0, 1, 'b', 0), unmap = rt_unmap(0, 1);
	struct drm_gpuvm_steps steps = rt_steps, none = { };
	struct drm_gpuva *va;
	struct drm_gpuvm_bo *b;

	gt_build(rt->gt, rt->vm, GT_BASE, "|b0|");
	b = gt_vm_bo(rt->gt, rt->vm, gt_obj_find(rt->gt, 'b'));
	va = gt_va(rt->gt, AT(5), GT_PAGES(1), NULL, 0);
	map.opts = DRM_GPUVM_REQ_UPDATE;

	rt_begin(rt);
	steps.update = NULL;
	KUNIT_EXPECT_EQ(test, drm_gpuvm_request(rt->vm, &map, &steps, rt), -EINVAL);
	map.opts = 0;
	steps.map = NULL;
	KUNIT_EXPECT_EQ(test, drm_gpuvm_request(rt->vm, &map, &steps, rt), -EINVAL);
	steps.unmap = NULL;
	KUNIT_EXPECT_EQ(test, drm_gpuvm_request(rt->vm, &unmap, &steps, rt), -EINVAL);
	steps.unmap = rt_step;
	steps.remap = NULL;
	KUNIT_EXPECT_EQ(test, drm_gpuvm_request(rt->vm, &unmap, &steps, rt), -EINVAL);

	KUNIT_EXPECT_EQ(test, drm_gpuvm_unmap_all(rt->vm, &none, rt), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_bo_unmap(b, &none, rt), -EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpuva_unmap_step(va, &rt_steps, rt), -EINVAL);
	rt_end(rt);

	KUNIT_EXPECT_EQ(test, rt->ops, 0);
	gt_expect_picture(test, rt->vm, GT_BASE, "|b0|", "missing steps");
	gt_va_free(va);
	gt_vm_bo_put(rt->gt, b);
}

static void expect_refused(struct rt *rt, const struct drm_gpuva_op *op,
			   struct drm_gpuvm_bo *vm_bo, int expected)
{
	KUNIT_EXPECT_EQ(rt->gt->test,
			drm_gpuva_op_apply(op, &rt->stock, vm_bo), expected);
	KUNIT_EXPECT_EQ(rt->gt->test, rt->stock.num, 2);
}

/* What can not be carried out takes nothing out of the stock. */
static void apply_refuses(struct kunit *test)
{
	struct rt *rt = rt_init(test);
	struct drm_gem_object *a = gt_obj_find(rt->gt, 'a');
	struct drm_gpuva_op_map outside = { .va = { AT(7), GT_PAGES(1) } };
	struct drm_gpuva_op_unmap unmap = { };
	struct drm_gpuva_op op = { .op = DRM_GPUVA_OP_MAP };
	struct drm_gpuvm_bo *b;
	struct drm_gpuva *va;
	char *before;

	gt_build(rt->gt, rt->vm, GT_BASE, "|b0 b1 b2|");
	b = gt_vm_bo(rt->gt, rt->vm, gt_obj_find(rt->gt, 'b'));
	va = gt_va(rt->gt, AT(5), GT_PAGES(1), NULL, 0);
	KUNIT_ASSERT_EQ(test, drm_gpuva_stock_fill(&rt->stock, 2), 0);
	before = gt_snapshot(test, rt->vm);

	rt_begin(rt);
	op.map = outside;
	op.map.gem.obj = a;
	expect_refused(rt, &op, NULL, -EINVAL);
	expect_refused(rt, &op, b, -EINVAL);
	op.map.gem.obj = NULL;
	op.map.va.addr = AT(1);
	expect_refused(rt, &op, NULL, -EEXIST);

	op.op = DRM_GPUVA_OP_REMAP;
	unmap.va = drm_gpuva_find_first(rt->vm, AT(1), 1);
	op.remap.unmap = &unmap;
	op.remap.prev = &outside;
	op.remap.next = &outside;
	expect_refused(rt, &op, NULL, -EINVAL);
	op.remap.next = NULL;
	expect_refused(rt, &op, NULL, -EINVAL);
	op.remap.next = &outside;
	op.remap.prev = NULL;
	expect_refused(rt, &op, NULL, -EINVAL);

	op.op = DRM_GPUVA_OP_UNMAP;
	op.unmap = (struct drm_gpuva_op_unmap) { .va = va };
	expect_refused(rt, &op, NULL, -EINVAL);
	op.op = DRM_GPUVA_OP_PREFETCH;
	expect_refused(rt, &op, NULL, 0);
	op.op = DRM_GPUVA_OP_DRIVER;
	expect_refused(rt, &op, NULL, -EINVAL);
	rt_end(rt);

	gt_expect_unchanged(test, rt->vm, before);
	drm_gpuva_stock_drain(&rt->stock);
	gt_va_free(va);
	gt_vm_bo_put(rt->gt, b);
}

/* ---- Cleanup by a work ------------------------------------------------- */

static const struct gt_mode auto_modes[] = {
	{
		"immediate",
		DRM_GPUVM_IMMEDIATE_MODE | DRM_GPUVM_AUTO_CLEANUP
	},
	{
		"immediate, resv protected",
		DRM_GPUVM_IMMEDIATE_MODE | DRM_GPUVM_RESV_PROTECTED |
		DRM_GPUVM_AUTO_CLEANUP
	},
};

KUNIT_ARRAY_PARAM_DESC(auto_mode, auto_modes, name);

static void unmap_in_signalling(struct rt *rt)
{
	bool cookie = dma_fence_begin_signalling();

	KUNIT_EXPECT_EQ(rt->gt->test,
			drm_gpuvm_unmap_all(rt->vm, &rt_steps, rt), 0);
	dma_fence_end_signalling(cookie);
}

/* Deferred under the VM's resv, which the work has to wait for. */
static void cleanup_waits_for_the_resv(struct kunit *test)
{
	struct rt *rt = rt_init(test);

	for (unsigned int i = 0; i < 50; i++) {
		gt_build(rt->gt, rt->vm, GT_BASE, "|b0|a0|b1|");
		dma_resv_lock(drm_gpuvm_resv(rt->vm), NULL);
		unmap_in_signalling(rt);
		dma_resv_unlock(drm_gpuvm_resv(rt->vm));
		drm_gpuvm_flush_cleanup(i % 2 ? rt->vm : NULL);
		gt_is_live(rt->gt, GT_VM_BOS, 0);
		gpuvm_check(test, rt->vm);
		drm_gpuva_stock_drain(&rt->stock);
	}
}

/* The vm_bo has the VM's last reference, and the work drops it. */
static void last_reference_goes_in_the_work(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;

	for (unsigned int i = 0; i < 50; i++) {
		struct rt *rt = rt_at(test, mode->flags);
		struct gt *gt = rt->gt;
		LIST_HEAD(retired);

		gt_build(gt, rt->vm, GT_BASE, "|b0|a0|");
		unmap_in_signalling(rt);
		list_splice_init(&rt->stock.retired, &retired);
		gt_obj_drop(gt, gt_obj_find(gt, 'a'));
		gt_obj_drop(gt, gt_obj_find(gt, 'b'));
		gt_vm_drop(gt, rt->vm);
		drm_gpuvm_flush_cleanup(NULL);
		gt_is_live(gt, GT_VM_BOS, 0);
		gt_is_live(gt, GT_VMS, 0);
		gt_is_live(gt, GT_OBJS, 0);

		list_splice(&retired, &rt->stock.retired);
		while (!list_empty(&rt->stock.retired)) {
			struct drm_gpuva *va;

			va = list_first_entry(&rt->stock.retired,
					      struct drm_gpuva, rb.entry);
			list_del(&va->rb.entry);
			gt_va_free(va);
		}
	}
}

/* ---- Repetition -------------------------------------------------------- */

/*
 * The form that was sent to the list counts from the start of the mapping. After
 * a cut at what is no multiple, the part behind shows something else; counted by
 * the address it does not.
 */
static void repeat_hangs_on_the_address(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuva va = { .repeat = 4 };
	struct drm_gpuva_op_map cut = { .va = { 0x107, 2 } };
	struct drm_gpuva_split split;
	unsigned int differs = 0;
	struct drm_gpuva part;

	va.va.addr = 0x103;
	va.va.range = 16;
	va.gem.offset = 0x40;
	va.gem.obj = gt_obj(gt, 'a', NULL);

	for (; cut.va.addr < 0x10f; cut.va.addr++) {
		u64 addr = cut.va.addr + cut.va.range;
		u64 from_start = va.gem.offset + (addr - va.va.addr) % 4;

		drm_gpuva_split(&va, &cut, &split);
		part = va;
		drm_gpuva_init_from_op(&part, &split.next);
		KUNIT_EXPECT_EQ(test, part.gem.offset, va.gem.offset);
		for (u64 at = addr; at <= drm_gpuva_last(&part); at++)
			KUNIT_EXPECT_EQ(test, drm_gpuva_offset(&part, at, NULL),
					drm_gpuva_offset(&va, at, NULL));

		/* The same cut, counted from the start of each mapping. */
		differs += from_start != part.gem.offset;
	}

	/* Right for the multiples only, which are one in four. */
	KUNIT_EXPECT_EQ(test, differs, 6);
}

static void offset_tells_the_run(struct kunit *test)
{
	struct drm_gpuva va = { .repeat = 8 };
	u64 run;

	va.va.addr = -20ULL;
	va.va.range = 20;
	va.gem.offset = 100;

	KUNIT_EXPECT_EQ(test, drm_gpuva_offset(&va, -20ULL, &run), 104);
	KUNIT_EXPECT_EQ(test, run, 4);
	KUNIT_EXPECT_EQ(test, drm_gpuva_offset(&va, -16ULL, &run), 100);
	KUNIT_EXPECT_EQ(test, run, 8);
	KUNIT_EXPECT_EQ(test, drm_gpuva_offset(&va, -1ULL, &run), 107);
	KUNIT_EXPECT_EQ(test, run, 1);

	va.repeat = 0;
	KUNIT_EXPECT_EQ(test, drm_gpuva_offset(&va, -16ULL, &run), 104);
	KUNIT_EXPECT_EQ(test, run, 16);
}

/* ---- Widening ---------------------------------------------------------- */

/**
 * struct widen_case - a mapping, what is cut out of it, and what that breaks up
 * @name: what it shows
 * @va: the mapping: first address and length
 * @cut: the same of the part that is taken away
 * @front: the granule in front
 * @back: the granule behind
 * @span: the first address and the length of what is to be cleared
 */
struct widen_case {
	const char *name;
	u64 va[2], cut[2], front, back, span[2];
};

static const struct widen_case widen_cases[] = {
	{ "inside one entry", { 0, 0x40 }, { 0x14, 4 }, 16, 16, { 0x10, 16 } },
	{ "inside two", { 0, 0x40 }, { 0x14, 0x10 }, 16, 16, { 0x10, 0x20 } },
	{ "at the limits", { 0, 0x40 }, { 0x10, 0x10 }, 16, 16, { 0x10, 0x10 } },
	{ "small pages", { 0, 0x40 }, { 0x14, 4 }, 1, 1, { 0x14, 4 } },
	{ "only in front", { 0, 0x40 }, { 0x14, 0x14 }, 16, 1, { 0x10, 0x18 } },
	{ "only behind", { 0, 0x40 }, { 0x14, 0x14 }, 1, 16, { 0x14, 0x1c } },
	{ "entry begins too early", { 0x14, 0x40 }, { 0x18, 2 }, 16, 16, { 0x18, 2 } },
	{ "entry ends too late", { 0, 0x1c }, { 0x14, 4 }, 16, 16, { 0x14, 4 } },
	{ "first page of an entry", { 0, 0x40 }, { 0x10, 1 }, 16, 16, { 0x10, 16 } },
	{ "last page of an entry", { 0, 0x40 }, { 0x1f, 1 }, 16, 16, { 0x10, 16 } },
	{ "no entries", { 0, 0x40 }, { 0x14, 4 }, 0, 0, { 0x14, 4 } },
	{ "from the start on", { 0, 0x40 }, { 0, 4 }, 16, 16, { 0, 16 } },
	{ "up to the end", { 0, 0x40 }, { 0x3c, 4 }, 16, 16, { 0x30, 16 } },
	{ "at the top", { -64ULL, 64 }, { -8ULL, 4 }, 16, 16, { -16ULL, 16 } },
	{ "up to the top", { -64ULL, 64 }, { -8ULL, 8 }, 16, 16, { -16ULL, 16 } },
	{ "huge", { 1, -1ULL }, { 1ULL << 63, 1 }, 1ULL << 62, 1ULL << 62,
		{ 1ULL << 63, 1ULL << 62 } },
};

static void widen(struct kunit *test, const struct widen_case *c, u32 repeat)
{
	struct drm_gpuva va = { .repeat = repeat };
	struct drm_gpuva_op_map cut = { .va = { c->cut[0], c->cut[1] } };
	struct drm_gpuva_op_unmap unmap = { .va = &va };
	struct drm_gpuva_op_remap op = { .unmap = &unmap };
	struct drm_gpuva_remap_span span;
	struct drm_gpuva_split split;
	u64 cut_end = c->cut[0] + c->cut[1], span_end = c->span[0] + c->span[1];

	va.va.addr = c->va[0];
	va.va.range = c->va[1];
	va.gem.offset = 0x1000;
	drm_gpuva_split(&va, &cut, &split);
	op.prev = split.prev.va.range ? &split.prev : NULL;
	op.next = split.next.va.range ? &split.next : NULL;

	drm_gpuva_op_remap_widen(&op, c->front, c->back, &span);
	KUNIT_EXPECT_EQ_MSG(test, span.addr, c->span[0], "%s", c->name);
	KUNIT_EXPECT_EQ_MSG(test, span.range, c->span[1], "%s", c->name);
	KUNIT_EXPECT_EQ_MSG(test, span.front.va.addr, c->span[0], "%s", c->name);
	KUNIT_EXPECT_EQ_MSG(test, span.front.va.range, c->cut[0] - c->span[0],
			    "%s", c->name);
	KUNIT_EXPECT_EQ_MSG(test, span.back.va.addr, cut_end, "%s", c->name);
	KUNIT_EXPECT_EQ_MSG(test, span.back.va.range, span_end - cut_end, "%s",
			    c->name);

	/* Both show what the mapping did. */
	if (span.front.va.range)
		KUNIT_EXPECT_EQ(test,
				drm_gpuva_op_map_offset(&span.front, repeat,
							span.front.va.addr, NULL),
				drm_gpuva_offset(&va, span.front.va.addr, NULL));
	if (span.back.va.range)
		KUNIT_EXPECT_EQ(test,
				drm_gpuva_op_map_offset(&span.back, repeat,
							span.back.va.addr, NULL),
				drm_gpuva_offset(&va, span.back.va.addr, NULL));
}

static void widen_to_entries(struct kunit *test)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(widen_cases); i++) {
		widen(test, &widen_cases[i], 0);
		widen(test, &widen_cases[i], 8);
	}
}

static struct kunit_case gpuvm_request_tests[] = {
	KUNIT_CASE_PARAM(every_step, gt_mode_gen_params),
	KUNIT_CASE_PARAM(every_step_of_a_list, gt_mode_gen_params),
	KUNIT_CASE_PARAM(tear_down, gt_mode_gen_params),
	KUNIT_CASE_PARAM(locks_what_it_is_about, gt_mode_gen_params),
	KUNIT_CASE_PARAM(too_small_a_stock, gt_mode_gen_params),
	KUNIT_CASE_PARAM(missing_steps, gt_mode_gen_params),
	KUNIT_CASE_PARAM(apply_refuses, gt_mode_gen_params),
	KUNIT_CASE_PARAM(cleanup_waits_for_the_resv, auto_mode_gen_params),
	KUNIT_CASE_PARAM(last_reference_goes_in_the_work, auto_mode_gen_params),
	KUNIT_CASE(repeat_hangs_on_the_address),
	KUNIT_CASE(offset_tells_the_run),
	KUNIT_CASE(widen_to_entries),
	{}
};

static struct kunit_suite gpuvm_request_suite = {
	.name = "drm_gpuvm_request",
	.init = gt_init,
	.exit = gt_exit,
	.test_cases = gpuvm_request_tests,
};

kunit_test_suite(gpuvm_request_suite);

#endif /* !GT_MAINLINE */
