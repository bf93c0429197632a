// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Locking the objects of a VM, and adding fences to them.
 */

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/dma-fence.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "gpuvm_test.h"

/* A VM with local a, external b and c, in |a0|b0|  |c0|*0|b1|. */
struct exec_vm {
	struct drm_gpuvm *vm;
	struct drm_gem_object *a, *b, *c;
};

static struct exec_vm exec_vm(struct gt *gt, enum drm_gpuvm_flags flags)
{
	struct exec_vm e;

	e.vm = gt_vm_at(gt, flags, GT_VM_START, GT_VM_RANGE, GT_BASE + GT_PAGES(6),
			GT_PAGES(1), &gt_ops_embed);
	e.a = gt_obj(gt, 'a', e.vm);
	e.b = gt_obj(gt, 'b', NULL);
	e.c = gt_obj(gt, 'c', NULL);
	gt_build(gt, e.vm, GT_BASE, "|a0|b0|  |c0|*0|b1|");
	gpuvm_check(gt->test, e.vm);
	gt_no_made_up_contention(6);

	return e;
}

#define AT(page) (GT_BASE + GT_PAGES(page))

/* The names of what is locked, in the order of locking; the resv object is ?. */
static void expect_locked(struct kunit *test, struct drm_exec *exec,
			  const char *expected)
{
	struct drm_gem_object *obj;
	unsigned int n = 0;
	char s[9] = "";

	drm_exec_for_each_locked_object(exec, obj) {
		KUNIT_EXPECT_TRUE(test, dma_resv_is_locked(obj->resv));
		if (n < sizeof(s) - 1)
			s[n++] = gt_obj_name(obj);
	}
	KUNIT_EXPECT_STREQ(test, s, expected);
}

static void expect_unlocked(struct kunit *test, struct exec_vm *e)
{
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(drm_gpuvm_resv(e->vm)));
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(e->b->resv));
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(e->c->resv));
	gpuvm_check(test, e->vm);
}

/* Fence slots that were reserved show in a table; without them there is none. */
static bool has_slots(struct drm_gem_object *obj)
{
	return rcu_access_pointer(obj->resv->fences);
}

static void prepare_vm(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct exec_vm e = exec_vm(gt, mode->flags);
	struct drm_exec exec;
	unsigned int fences;
	int ret;

	for (fences = 0; fences < 3; fences += 2) {
		drm_exec_init(&exec, 0, 0);
		drm_exec_until_all_locked(&exec) {
			ret = drm_gpuvm_prepare_vm(e.vm, &exec, fences);
			drm_exec_retry_on_contention(&exec);
			KUNIT_EXPECT_EQ(test, ret, 0);
		}
		expect_locked(test, &exec, "?");
		KUNIT_EXPECT_EQ(test, has_slots(drm_gpuvm_resv_obj(e.vm)), fences > 0);
		KUNIT_EXPECT_EQ(test, drm_gpuvm_prepare_vm(e.vm, &exec, fences), -EALREADY);
		drm_exec_fini(&exec);
		expect_unlocked(test, &e);
	}
}

static void prepare_objects(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct exec_vm e = exec_vm(gt, mode->flags);
	struct drm_exec exec;
	unsigned int fences;
	int ret;

	for (fences = 0; fences < 3; fences += 2) {
		drm_exec_init(&exec, 0, 0);
		drm_exec_until_all_locked(&exec) {
			ret = drm_gpuvm_prepare_vm(e.vm, &exec, fences);
			drm_exec_retry_on_contention(&exec);
			KUNIT_EXPECT_EQ(test, ret, 0);
			ret = drm_gpuvm_prepare_objects(e.vm, &exec, fences);
			drm_exec_retry_on_contention(&exec);
			KUNIT_EXPECT_EQ(test, ret, 0);
		}
		expect_locked(test, &exec, "?bc");
		KUNIT_EXPECT_EQ(test, has_slots(e.b), fences > 0);
		KUNIT_EXPECT_EQ(test, has_slots(e.c), fences > 0);
		drm_exec_fini(&exec);
		expect_unlocked(test, &e);
	}
}

struct range_case {
	const char *name;
	u64 addr;
	u64 range;
	const char *locked;
};

static const struct range_case range_cases[] = {
	{ "one", AT(1), GT_PAGES(1), "b" },
	{ "local", AT(0), GT_PAGES(1), "a" },
	{ "two", AT(0), GT_PAGES(2), "ab" },
	{ "with a gap", AT(1), GT_PAGES(3), "bc" },
	{ "gap", AT(2), GT_PAGES(1), "" },
	{ "no object", AT(4), GT_PAGES(1), "" },
	{ "the same object twice", AT(1), GT_PAGES(5), "bc" },
	{ "with the reserved range", AT(5), GT_PAGES(3), "b" },
	{ "in the reserved range", AT(6), 1, "" },
	{ "everything", GT_VM_START, GT_VM_RANGE, "abc" },
};

KUNIT_ARRAY_PARAM_DESC(range, range_cases, name);

static void prepare_range(struct kunit *test)
{
	const struct range_case *c = test->param_value;
	struct gt *gt = test->priv;
	struct exec_vm e = exec_vm(gt, 0);
	struct drm_exec exec;
	unsigned int fences;
	int ret;

	for (fences = 0; fences < 2; fences++) {
		drm_exec_init(&exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
		drm_exec_until_all_locked(&exec) {
			ret = drm_gpuvm_prepare_range(e.vm, &exec, c->addr, c->range,
						      fences);
			drm_exec_retry_on_contention(&exec);
			KUNIT_EXPECT_EQ(test, ret, 0);
		}
		expect_locked(test, &exec, c->locked);
		KUNIT_EXPECT_EQ(test, has_slots(e.b), fences && strchr(c->locked, 'b'));
		drm_exec_fini(&exec);
		expect_unlocked(test, &e);
	}
}

static void exec_lock_range(struct kunit *test)
{
	const struct range_case *c = test->param_value;
	struct gt *gt = test->priv;
	struct exec_vm e = exec_vm(gt, 0);
	struct drm_gpuvm_exec vm_exec = {
		.vm = e.vm, .flags = DRM_EXEC_IGNORE_DUPLICATES,
	};

	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock_range(&vm_exec, c->addr, c->range), 0);
	expect_locked(test, &vm_exec.exec, c->locked);
	KUNIT_EXPECT_FALSE(test, has_slots(e.b));
	drm_gpuvm_exec_unlock(&vm_exec);
	expect_unlocked(test, &e);

	vm_exec.num_fences = 3;
	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock_range(&vm_exec, c->addr, c->range), 0);
	expect_locked(test, &vm_exec.exec, c->locked);
	KUNIT_EXPECT_EQ(test, has_slots(e.b), !!strchr(c->locked, 'b'));
	drm_gpuvm_exec_unlock(&vm_exec);
	expect_unlocked(test, &e);
}

struct bad_range_case {
	const char *name;
	u64 addr;
	u64 range;
};

static const struct bad_range_case bad_range_cases[] = {
	{ "zero range", AT(1), 0 },
	{ "overflow", AT(1), U64_MAX },
	{ "end wraps to 0", AT(1), -AT(1) },
	{ "before the VA space", 0, GT_PAGES(1) },
	{ "over the start of the VA space", GT_VM_START - 1, 2 },
	{ "over the end of the VA space", GT_VM_START + GT_VM_RANGE - 1, 2 },
	{ "behind the VA space", GT_VM_START + GT_VM_RANGE, 1 },
};

KUNIT_ARRAY_PARAM_DESC(bad_range, bad_range_cases, name);

static void bad_range_locks_nothing(struct kunit *test)
{
	const struct bad_range_case *c = test->param_value;
	struct gt *gt = test->priv;
	struct exec_vm e = exec_vm(gt, 0);
	struct drm_gpuvm_exec vm_exec = { .vm = e.vm };
	struct drm_exec exec;
	int ret;

	KUNIT_EXPECT_EQ(test, drm_gpuvm_exec_lock_range(&vm_exec, c->addr, c->range),
			-EINVAL);
	expect_unlocked(test, &e);

	drm_exec_init(&exec, 0, 0);
	drm_exec_until_all_locked(&exec) {
		ret = drm_gpuvm_prepare_range(e.vm, &exec, c->addr, c->range, 0);
		drm_exec_retry_on_contention(&exec);
		KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	}
	expect_locked(test, &exec, "");
	drm_exec_fini(&exec);
}

/* The same object twice is an error, unless that was asked for. */
static void duplicates(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct exec_vm e = exec_vm(gt, 0);
	struct drm_gpuvm_exec vm_exec = { .vm = e.vm, .num_fences = 1 };

	KUNIT_EXPECT_EQ(test, -EALREADY,
			drm_gpuvm_exec_lock_range(&vm_exec, AT(1), GT_PAGES(5)));
	expect_unlocked(test, &e);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_exec_lock_array(&vm_exec, &e.b, 1), -EALREADY);
	expect_unlocked(test, &e);

	vm_exec.flags = DRM_EXEC_IGNORE_DUPLICATES;
	KUNIT_EXPECT_EQ(test, drm_gpuvm_exec_lock_array(&vm_exec, &e.b, 1), 0);
	expect_locked(test, &vm_exec.exec, "?bc");
	drm_gpuvm_exec_unlock(&vm_exec);
	expect_unlocked(test, &e);
}

struct extra {
	struct drm_gem_object *obj;
	unsigned int calls;
	int ret;
};

static int extra_lock(struct drm_gpuvm_exec *vm_exec)
{
	struct extra *extra = vm_exec->extra.priv;

	extra->calls++;
	if (extra->ret)
		return extra->ret;

	return drm_exec_lock_obj(&vm_exec->exec, extra->obj);
}

static void exec_lock(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct exec_vm e = exec_vm(gt, mode->flags);
	struct extra extra = { .obj = gt_obj(gt, 'd', NULL) };
	struct drm_gpuvm_exec vm_exec = { .vm = e.vm };

	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock(&vm_exec), 0);
	expect_locked(test, &vm_exec.exec, "?bc");
	KUNIT_EXPECT_FALSE(test, has_slots(e.b));
	drm_gpuvm_exec_unlock(&vm_exec);
	expect_unlocked(test, &e);

	vm_exec.num_fences = 1;
	vm_exec.flags = DRM_EXEC_INTERRUPTIBLE_WAIT;
	vm_exec.extra.fn = extra_lock;
	vm_exec.extra.priv = &extra;
	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock(&vm_exec), 0);
	expect_locked(test, &vm_exec.exec, "?bcd");
	KUNIT_EXPECT_TRUE(test, has_slots(e.b));
	KUNIT_EXPECT_TRUE(test, has_slots(drm_gpuvm_resv_obj(e.vm)));
	KUNIT_EXPECT_FALSE(test, has_slots(extra.obj));
	KUNIT_EXPECT_EQ(test, extra.calls, 1);
	drm_gpuvm_exec_unlock(&vm_exec);
	expect_unlocked(test, &e);

	/* Its error unlocks everything. */
	extra.ret = -ENOLINK;
	KUNIT_EXPECT_EQ(test, drm_gpuvm_exec_lock(&vm_exec), -ENOLINK);
	expect_unlocked(test, &e);
	KUNIT_EXPECT_EQ(test, gt_obj_refs(extra.obj), 1);
}

static void exec_lock_array(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct exec_vm e = exec_vm(gt, mode->flags);
	struct drm_gem_object *objs[2] = { gt_obj(gt, 'd', NULL), gt_obj(gt, 'e', NULL) };
	struct extra extra = { };
	struct drm_gpuvm_exec vm_exec = {
		.vm = e.vm,
		.extra = { .fn = extra_lock, .priv = &extra },
	};
	unsigned int fences;

	for (fences = 0; fences < 2; fences++) {
		vm_exec.num_fences = fences;
		KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock_array(&vm_exec, objs, 2), 0);
		expect_locked(test, &vm_exec.exec, "?bcde");
		KUNIT_EXPECT_EQ(test, has_slots(objs[0]), fences > 0);
		KUNIT_EXPECT_EQ(test, has_slots(objs[1]), fences > 0);
		KUNIT_EXPECT_EQ(test, has_slots(e.b), fences > 0);
		drm_gpuvm_exec_unlock(&vm_exec);
		expect_unlocked(test, &e);
	}

	/* The caller's own extra is back, and was not used. */
	KUNIT_EXPECT_PTR_EQ(test, vm_exec.extra.priv, &extra);
	KUNIT_EXPECT_TRUE(test, vm_exec.extra.fn == extra_lock);
	KUNIT_EXPECT_EQ(test, extra.calls, 0);

	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock_array(&vm_exec, NULL, 0), 0);
	expect_locked(test, &vm_exec.exec, "?bc");
	drm_gpuvm_exec_unlock(&vm_exec);
	expect_unlocked(test, &e);
}

/* The usual loop: lock for all requests first, then carry them out. */
static void sm_exec_lock_for_several_requests(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct exec_vm e = exec_vm(gt, 0);
	struct drm_gem_object *d = gt_obj(gt, 'd', NULL);
	struct drm_gpuvm_map_req req = {
		.map = { { AT(0), GT_PAGES(2) }, { 0, d } },
	};
	struct drm_exec exec;
	unsigned int fences;
	int ret;

	for (fences = 0; fences < 2; fences++) {
		drm_exec_init(&exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
		drm_exec_until_all_locked(&exec) {
			ret = drm_gpuvm_sm_map_exec_lock(e.vm, &exec, fences, &req);
			drm_exec_retry_on_contention(&exec);
			KUNIT_EXPECT_EQ(test, ret, 0);
			ret = drm_gpuvm_sm_unmap_exec_lock(e.vm, &exec, AT(1),
							   GT_PAGES(5));
			drm_exec_retry_on_contention(&exec);
			KUNIT_EXPECT_EQ(test, ret, 0);
		}
		expect_locked(test, &exec, "dabc");
		KUNIT_EXPECT_EQ(test, has_slots(d), fences > 0);
		KUNIT_EXPECT_FALSE(test, has_slots(e.b));
		drm_exec_fini(&exec);
		expect_unlocked(test, &e);
	}
}

static const struct bad_range_case bad_request_cases[] = {
	{ "zero range", AT(1), 0 },
	{ "zero range inside of a mapping", AT(1) + 1, 0 },
	{ "overflow", AT(1), U64_MAX },
	{ "before the VA space", 0, GT_PAGES(1) },
	{ "over the end of the VA space", GT_VM_START + GT_VM_RANGE - 1, 2 },
	{ "touches the reserved range", AT(5), GT_PAGES(1) + 1 },
	{ "inside the reserved range", AT(6), GT_PAGES(1) },
};

KUNIT_ARRAY_PARAM_DESC(bad_request, bad_request_cases, name);

static void bad_request_locks_nothing(struct kunit *test)
{
	const struct bad_range_case *c = test->param_value;
	struct gt *gt = test->priv;
	struct exec_vm e = exec_vm(gt, 0);
	struct drm_gpuvm_map_req req = {
		.map = { { c->addr, c->range }, { 0, e.c } },
	};
	struct drm_exec exec;
	int ret;

	drm_exec_init(&exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
	drm_exec_until_all_locked(&exec) {
		ret = drm_gpuvm_sm_map_exec_lock(e.vm, &exec, 1, &req);
		drm_exec_retry_on_contention(&exec);
		KUNIT_EXPECT_EQ(test, ret, -EINVAL);
		ret = drm_gpuvm_sm_unmap_exec_lock(e.vm, &exec, c->addr, c->range);
		drm_exec_retry_on_contention(&exec);
		KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	}
	expect_locked(test, &exec, "");
	drm_exec_fini(&exec);
	expect_unlocked(test, &e);
}

/* ---- fences -------------------------------------------------------------- */

static const char *fence_name(struct dma_fence *fence)
{
	return "gpuvm-test";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
};

struct test_fence {
	struct dma_fence base;
	spinlock_t lock; /* the fence's */
};

static struct dma_fence *fence_create(struct kunit *test)
{
	struct test_fence *f = kzalloc_obj(*f);

	KUNIT_ASSERT_NOT_NULL(test, f);
	spin_lock_init(&f->lock);
	dma_fence_init(&f->base, &fence_ops, &f->lock, dma_fence_context_alloc(1), 1);

	return &f->base;
}

/* How @fence is used in the resv of @obj; -1 if it is not there. */
static int fence_usage(struct drm_gem_object *obj, struct dma_fence *fence)
{
	struct dma_resv_iter cursor;
	struct dma_fence *pos;
	int usage = -1;

	dma_resv_iter_begin(&cursor, obj->resv, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_for_each_fence_unlocked(&cursor, pos)
		if (pos == fence)
			usage = dma_resv_iter_usage(&cursor);
	dma_resv_iter_end(&cursor);

	return usage;
}

static void fence_usages(struct kunit *test)
{
	static const enum dma_resv_usage usages[][2] = {
		{ DMA_RESV_USAGE_BOOKKEEP, DMA_RESV_USAGE_WRITE },
		{ DMA_RESV_USAGE_WRITE, DMA_RESV_USAGE_BOOKKEEP },
		{ DMA_RESV_USAGE_READ, DMA_RESV_USAGE_KERNEL },
	};
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct exec_vm e = exec_vm(gt, mode->flags);
	struct drm_gem_object *foreign = gt_obj(gt, 'd', NULL);
	struct drm_gpuvm_exec vm_exec = { .vm = e.vm, .num_fences = 1 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(usages); i++) {
		struct dma_fence *fence = fence_create(test);

		KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_exec_lock_array(&vm_exec, &foreign, 1));
		drm_gpuvm_exec_resv_add_fence(&vm_exec, fence, usages[i][0], usages[i][1]);
		drm_gpuvm_exec_unlock(&vm_exec);

		KUNIT_EXPECT_EQ(test, fence_usage(drm_gpuvm_resv_obj(e.vm), fence),
				(int)usages[i][0]);
		KUNIT_EXPECT_EQ(test, fence_usage(e.a, fence), (int)usages[i][0]);
		KUNIT_EXPECT_EQ(test, fence_usage(e.b, fence), (int)usages[i][1]);
		KUNIT_EXPECT_EQ(test, fence_usage(e.c, fence), (int)usages[i][1]);
		KUNIT_EXPECT_EQ(test, fence_usage(foreign, fence), (int)usages[i][1]);
		dma_fence_signal(fence);
		dma_fence_put(fence);
	}
}

/* Only what was locked gets the fence. */
static void fence_for_a_range(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct exec_vm e = exec_vm(gt, 0);
	struct drm_gpuvm_exec vm_exec = { .vm = e.vm, .num_fences = 1 };
	struct dma_fence *fence = fence_create(test);

	KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_exec_lock_range(&vm_exec, AT(1), GT_PAGES(1)));
	drm_gpuvm_resv_add_fence(e.vm, &vm_exec.exec, fence, DMA_RESV_USAGE_READ,
				 DMA_RESV_USAGE_WRITE);
	drm_gpuvm_exec_unlock(&vm_exec);
	KUNIT_EXPECT_EQ(test, fence_usage(e.b, fence), DMA_RESV_USAGE_WRITE);
	KUNIT_EXPECT_EQ(test, fence_usage(e.c, fence), -1);
	KUNIT_EXPECT_EQ(test, fence_usage(drm_gpuvm_resv_obj(e.vm), fence), -1);
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

/* ---- contention ---------------------------------------------------------- */

/*
 * A second thread that locks one object and lets go of it when the test sleeps.
 * Its transaction begins before the test's, so that a test with locks of its own
 * has to back off: reservation_ww_class lets the younger one die.
 */
struct rival {
	struct kunit *test;
	struct drm_gem_object *obj;
	struct task_struct *test_task;
	struct completion locked;
	bool test_runs;
	void (*while_asleep)(struct rival *rival);
	void *priv;
	bool timeout;
	int warnings;
};

/* The warnings of the test do not contain those of another thread. */
static void rival_act(struct rival *rival)
{
#ifdef kunit_warning_suppress
	kunit_warning_suppress(rival->test) {
		rival->while_asleep(rival);
		rival->warnings = KUNIT_SUPPRESSED_WARNING_COUNT();
	}
#else
	rival->while_asleep(rival);
#endif
}

/* Not while the test is still on its way out of rival_start(): TASK_WAKING. */
static bool rival_test_sleeps(struct rival *rival)
{
	return READ_ONCE(rival->test_runs) && !task_is_running(rival->test_task);
}

static int rival_fn(void *data)
{
	struct rival *rival = data;
	struct ww_acquire_ctx ctx;
	unsigned int i;

	ww_acquire_init(&ctx, &reservation_ww_class);
	dma_resv_lock(rival->obj->resv, &ctx);
	ww_acquire_done(&ctx);
	complete(&rival->locked);

	for (i = 0; i < 5000 && !rival_test_sleeps(rival); i++)
		usleep_range(500, 1000);
	rival->timeout = i == 5000;

	if (rival->while_asleep)
		rival_act(rival);

	dma_resv_unlock(rival->obj->resv);
	ww_acquire_fini(&ctx);

	return 0;
}

static struct task_struct *rival_start(struct kunit *test, struct rival *rival,
				       struct drm_gem_object *obj)
{
	struct task_struct *task;

	rival->test = test;
	rival->obj = obj;
	rival->test_task = current;
	rival->test_runs = false;
	init_completion(&rival->locked);
	gt_no_made_up_contention(14);
	task = kthread_create(rival_fn, rival, "gpuvm-rival");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	get_task_struct(task);
	wake_up_process(task);
	wait_for_completion(&rival->locked);
	WRITE_ONCE(rival->test_runs, true);

	return task;
}

static void rival_stop(struct kunit *test, struct rival *rival, struct task_struct *task)
{
	kthread_stop(task);
	put_task_struct(task);
	KUNIT_EXPECT_FALSE(test, rival->timeout);
	KUNIT_EXPECT_EQ(test, rival->warnings, 0);
}

/* The walk gives -EDEADLK to the loop, which starts again and succeeds. */
static void contention_backs_off(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct exec_vm e = exec_vm(gt, mode->flags);
	unsigned int tries = 0, contended = 0;
	struct task_struct *task;
	struct rival rival = { };
	struct drm_exec exec;
	int ret;

	task = rival_start(test, &rival, e.c);
	drm_exec_init(&exec, 0, 0);
	drm_exec_until_all_locked(&exec) {
		tries++;
		ret = drm_gpuvm_prepare_vm(e.vm, &exec, 1);
		drm_exec_retry_on_contention(&exec);
		KUNIT_EXPECT_EQ(test, ret, 0);
		ret = drm_gpuvm_prepare_objects(e.vm, &exec, 1);
		contended += ret == -EDEADLK;
		gpuvm_check(test, e.vm);
		drm_exec_retry_on_contention(&exec);
		KUNIT_EXPECT_EQ(test, ret, 0);
	}
	KUNIT_EXPECT_EQ(test, tries, 2);
	KUNIT_EXPECT_EQ(test, contended, 1);
	KUNIT_EXPECT_EQ(test, exec.num_objects, 3);
	drm_exec_fini(&exec);
	rival_stop(test, &rival, task);
	expect_unlocked(test, &e);
}

static int lock_nothing_map(struct drm_gpuvm *vm, struct drm_exec *exec)
{
	struct drm_gpuvm_map_req req = { .map.va = { GT_BASE, GT_PAGES(9) } };

	return drm_gpuvm_sm_map_exec_lock(vm, exec, 0, &req);
}

static int lock_nothing_unmap(struct drm_gpuvm *vm, struct drm_exec *exec)
{
	return drm_gpuvm_sm_unmap_exec_lock(vm, exec, GT_BASE, GT_PAGES(9));
}

static int lock_nothing_range(struct drm_gpuvm *vm, struct drm_exec *exec)
{
	return drm_gpuvm_prepare_range(vm, exec, GT_BASE, GT_PAGES(9), 0);
}

static int lock_nothing_objects(struct drm_gpuvm *vm, struct drm_exec *exec)
{
	return drm_gpuvm_prepare_objects(vm, exec, 0);
}

static const struct nothing_case {
	const char *name;
	int (*lock)(struct drm_gpuvm *vm, struct drm_exec *exec);
} nothing_cases[] = {
	{ "sm_map_exec_lock", lock_nothing_map },
	{ "sm_unmap_exec_lock", lock_nothing_unmap },
	{ "prepare_range", lock_nothing_range },
	{ "prepare_objects", lock_nothing_objects },
};

KUNIT_ARRAY_PARAM_DESC(nothing, nothing_cases, name);

/*
 * The object that was contended is locked by the first call of the next round,
 * also if that finds no object of its own. Otherwise the round never ends.
 */
static void contention_and_nothing_to_lock(struct kunit *test)
{
	const struct nothing_case *tc = test->param_value;
	struct gt *gt = test->priv;
	struct exec_vm e = exec_vm(gt, 0);
	struct drm_gpuvm *empty = gt_vm(gt, 0);
	struct task_struct *task;
	struct rival rival = { };
	unsigned int rounds = 0;
	struct drm_exec exec;
	int ret;

	task = rival_start(test, &rival, e.c);
	drm_exec_init(&exec, 0, 0);
	drm_exec_until_all_locked(&exec) {
		if (++rounds > 3)
			break;
		ret = tc->lock(empty, &exec);
		drm_exec_retry_on_contention(&exec);
		KUNIT_EXPECT_EQ(test, ret, 0);
		ret = drm_exec_lock_obj(&exec, e.b);
		drm_exec_retry_on_contention(&exec);
		KUNIT_EXPECT_EQ(test, ret, 0);
		ret = drm_exec_lock_obj(&exec, e.c);
		drm_exec_retry_on_contention(&exec);
		KUNIT_EXPECT_EQ(test, ret, 0);
	}
	KUNIT_EXPECT_EQ(test, rounds, 2);
	KUNIT_EXPECT_EQ(test, exec.num_objects, 2);
	drm_exec_fini(&exec);
	rival_stop(test, &rival, task);
	expect_unlocked(test, &e);
}

/* The same in the helpers that contain the loop. */
static void contention_in_exec_lock(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct exec_vm e = exec_vm(gt, mode->flags);
	struct drm_gem_object *d = gt_obj(gt, 'd', NULL);
	struct extra extra = { .obj = d };
	struct drm_gpuvm_exec vm_exec = {
		.vm = e.vm,
		.num_fences = 1,
		.flags = DRM_EXEC_IGNORE_DUPLICATES,
		.extra = { .fn = extra_lock, .priv = &extra },
	};
	struct task_struct *task;
	struct rival rival = { };

	/* An object of the VM's. */
	task = rival_start(test, &rival, e.b);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_exec_lock(&vm_exec), 0);
	KUNIT_EXPECT_EQ(test, vm_exec.exec.num_objects, 4);
	KUNIT_EXPECT_EQ(test, extra.calls, 1);
	drm_gpuvm_exec_unlock(&vm_exec);
	rival_stop(test, &rival, task);
	expect_unlocked(test, &e);

	/* One of the caller's: it is called again. */
	task = rival_start(test, &rival, d);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_exec_lock(&vm_exec), 0);
	KUNIT_EXPECT_EQ(test, vm_exec.exec.num_objects, 4);
	KUNIT_EXPECT_EQ(test, extra.calls, 3);
	drm_gpuvm_exec_unlock(&vm_exec);
	rival_stop(test, &rival, task);

	task = rival_start(test, &rival, d);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_exec_lock_array(&vm_exec, &d, 1), 0);
	KUNIT_EXPECT_EQ(test, vm_exec.exec.num_objects, 4);
	drm_gpuvm_exec_unlock(&vm_exec);
	rival_stop(test, &rival, task);

	task = rival_start(test, &rival, e.c);
	KUNIT_EXPECT_EQ(test, 0, drm_gpuvm_exec_lock_range(&vm_exec, AT(0), GT_PAGES(5)));
	KUNIT_EXPECT_EQ(test, vm_exec.exec.num_objects, 3);
	drm_gpuvm_exec_unlock(&vm_exec);
	rival_stop(test, &rival, task);

	expect_unlocked(test, &e);
	KUNIT_EXPECT_EQ(test, gt_obj_refs(d), 1);
}

/* The object's last mapping goes while the walk waits for the object's lock. */
static void unmap_while_asleep(struct rival *rival)
{
	struct drm_gpuva *va = rival->priv;

	if (drm_gpuvm_immediate_mode(va->vm))
		drm_gpuva_unlink_defer(va);
	else
		drm_gpuva_unlink(va);
}

static void object_goes_while_walk_waits(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct exec_vm e = exec_vm(gt, mode->flags);
	struct drm_gpuva *va = drm_gpuva_find(e.vm, AT(3), GT_PAGES(1));
	struct rival rival = { .while_asleep = unmap_while_asleep, .priv = va };
	struct task_struct *task;
	struct drm_exec exec;
	int ret;

	if (mode->flags == DRM_GPUVM_RESV_PROTECTED)
		kunit_skip(test, "nothing can go without the VM's resv");

	KUNIT_ASSERT_NOT_NULL(test, va);
	gt_is_live(gt, GT_VM_BOS, 3);

	/* Nothing is locked yet when the walk gets to c: it sleeps, not dies. */
	gt_unmap(gt, drm_gpuva_find(e.vm, AT(1), GT_PAGES(1)));
	gt_unmap(gt, drm_gpuva_find(e.vm, AT(5), GT_PAGES(1)));
	drm_gpuvm_bo_deferred_cleanup(e.vm);
	gt_is_live(gt, GT_VM_BOS, 2);

	task = rival_start(test, &rival, e.c);
	drm_exec_init(&exec, 0, 0);
	drm_exec_until_all_locked(&exec) {
		if (drm_gpuvm_resv_protected(e.vm)) {
			ret = drm_gpuvm_prepare_vm(e.vm, &exec, 0);
			drm_exec_retry_on_contention(&exec);
			KUNIT_EXPECT_EQ(test, ret, 0);
		}
		ret = drm_gpuvm_prepare_objects(e.vm, &exec, 0);
		drm_exec_retry_on_contention(&exec);
		KUNIT_EXPECT_EQ(test, ret, 0);
	}
	drm_exec_fini(&exec);
	rival_stop(test, &rival, task);

	gpuvm_check(test, e.vm);
	drm_gpuvm_bo_deferred_cleanup(e.vm);
	gt_is_live(gt, GT_VM_BOS, 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&e.vm->extobj.list));
	KUNIT_EXPECT_EQ(test, gt_obj_refs(e.c), 1);
	expect_unlocked(test, &e);
}

static struct kunit_case gpuvm_exec_tests[] = {
	KUNIT_CASE_PARAM(prepare_vm, gt_mode_gen_params),
	KUNIT_CASE_PARAM(prepare_objects, gt_mode_gen_params),
	KUNIT_CASE_PARAM(prepare_range, range_gen_params),
	KUNIT_CASE_PARAM(exec_lock_range, range_gen_params),
	KUNIT_CASE_PARAM(bad_range_locks_nothing, bad_range_gen_params),
	KUNIT_CASE(duplicates),
	KUNIT_CASE_PARAM(exec_lock, gt_mode_gen_params),
	KUNIT_CASE_PARAM(exec_lock_array, gt_mode_gen_params),
	KUNIT_CASE(sm_exec_lock_for_several_requests),
	KUNIT_CASE_PARAM(bad_request_locks_nothing, bad_request_gen_params),
	KUNIT_CASE_PARAM(fence_usages, gt_mode_gen_params),
	KUNIT_CASE(fence_for_a_range),
	KUNIT_CASE_PARAM(contention_backs_off, gt_mode_gen_params),
	KUNIT_CASE_PARAM(contention_and_nothing_to_lock, nothing_gen_params),
	KUNIT_CASE_PARAM(contention_in_exec_lock, gt_mode_gen_params),
	KUNIT_CASE_PARAM(object_goes_while_walk_waits, gt_mode_gen_params),
	{}
};

static struct kunit_suite gpuvm_exec_suite = {
	.name = "drm_gpuvm_exec",
	.init = gt_init,
	.exit = gt_exit,
	.test_cases = gpuvm_exec_tests,
};

kunit_test_suite(gpuvm_exec_suite);
