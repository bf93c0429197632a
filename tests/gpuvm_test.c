// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * The library behind the GPUVM suites: the test case, objects, VMs, locks and
 * failing allocations. gpuvm_test.h tells what all of its parts offer.
 */

#include <linux/debug_locks.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_kunit_helpers.h>

#include "gpuvm_test.h"

static bool show_warnings;
module_param(show_warnings, bool, 0444);
MODULE_PARM_DESC(show_warnings,
		 "print the backtrace of a warning instead of counting it");

static unsigned long long seed;
module_param(seed, ullong, 0444);
MODULE_PARM_DESC(seed, "seed of the random tests; 0 takes a new one each time");

/* ---- the test case ------------------------------------------------------ */

void gt_count(struct gt *gt, enum gt_live what, int n)
{
	atomic_add(n, &gt->live[what]);
}

bool gt_is_live(struct gt *gt, enum gt_live what, int expected)
{
	static const char *const names[GT_LIVE_NUM] = {
		"VMs", "objects", "mappings", "vm_bos", "ops",
	};
	int n = atomic_read(&gt->live[what]);

	if (n == expected)
		return true;

	KUNIT_FAIL(gt->test, "%d %s are alive, not %d\n", n, names[what], expected);
	return false;
}

#ifdef kunit_warning_suppress
int gt_warnings(struct gt *gt)
{
	return gt->warnings ? kunit_suppressed_warning_count(gt->warnings) : 0;
}

static void gt_warnings_begin(struct gt *gt)
{
	gt->expected_warnings = 0;
	if (!show_warnings)
		gt->warnings = kunit_start_suppress_warning(gt->test);
}

static void gt_warnings_end(struct gt *gt)
{
	KUNIT_EXPECT_EQ_MSG(gt->test, gt_warnings(gt), gt->expected_warnings,
			    "unexpected warnings; drm_gpuvm_kunit.show_warnings=1 prints them\n");
	kunit_end_suppress_warning(gt->test, gt->warnings);
	gt->warnings = NULL;
}
#else
int gt_warnings(struct gt *gt)
{
	return 0;
}

static void gt_warnings_begin(struct gt *gt)
{
}

static void gt_warnings_end(struct gt *gt)
{
}
#endif

/* From here to gt_warn_end(), warnings are what the test wants to see. */
void gt_warn_begin(struct gt *gt)
{
#ifndef kunit_warning_suppress
	gt->abandoned = true;
	kunit_skip(gt->test, "this kernel can not suppress warnings");
#endif
	gt->warn_begin = gt_warnings(gt);
}

/* @min is 0 for a path that warns once only. Others make the test fail. */
void gt_warn_end(struct gt *gt, int min, int max)
{
	int n = gt_warnings(gt) - gt->warn_begin;

	/* Without CONFIG_BUG nothing warns. */
	if (!show_warnings && IS_ENABLED(CONFIG_BUG))
		KUNIT_EXPECT_GE(gt->test, n, min);
	KUNIT_EXPECT_LE(gt->test, n, max);
	gt->expected_warnings += n;
}

int gt_init(struct kunit *test)
{
	struct gt *gt;

	gt = kunit_kzalloc(test, sizeof(*gt), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, gt);

	gt->test = test;
	INIT_LIST_HEAD(&gt->pool);
	test->priv = gt;

	gt->dev = drm_kunit_helper_alloc_device(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, gt->dev);

	gt->drm = __drm_kunit_helper_alloc_drm_device(test, gt->dev,
						      sizeof(*gt->drm), 0,
						      DRIVER_GEM);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, gt->drm);

	gt->drm_refs = kref_read(&gt->drm->ref);
	gt->debug_locks = debug_locks;
	gt_warnings_begin(gt);

	return 0;
}

void gt_exit(struct kunit *test)
{
	struct gt *gt = test->priv;
	unsigned int i;

	if (!gt || !gt->drm_refs)
		return;

	gt_warnings_end(gt);
	KUNIT_EXPECT_EQ_MSG(test, debug_locks, gt->debug_locks,
			    "lockdep has found something\n");

	/* A failed test may hold any lock: leak, rather than hang. */
	if (READ_ONCE(test->status) == KUNIT_FAILURE || gt->abandoned)
		return;

	gt_warnings_begin(gt);
	gt_pool_drain(gt);

	for (i = 0; i < ARRAY_SIZE(gt->vms); i++)
		if (gt->vms[i])
			gt_vm_drop(gt, gt->vms[i]);

	for (i = 0; i < ARRAY_SIZE(gt->objs); i++)
		if (gt->objs[i])
			gt_obj_drop(gt, gt->objs[i]);

	for (i = 0; i < GT_LIVE_NUM; i++)
		gt_is_live(gt, i, 0);

	KUNIT_EXPECT_EQ(test, kref_read(&gt->drm->ref), gt->drm_refs);
	gt_warnings_end(gt);
	KUNIT_EXPECT_EQ(test, debug_locks, gt->debug_locks);
}

/* Print the seed that a random test is to use; the module parameter sets it. */
u64 gt_seed(struct kunit *test)
{
	u64 s = seed ?: get_random_u64();

	kunit_info(test, "repeat it with drm_gpuvm_kunit.seed=%llu\n", s);

	return s;
}

const struct gt_mode gt_modes[GT_MODE_NUM] = {
	{ "staged", 0 },
	{ "staged, resv protected", DRM_GPUVM_RESV_PROTECTED },
	{ "immediate", DRM_GPUVM_IMMEDIATE_MODE },
	{
		"immediate, resv protected",
		DRM_GPUVM_IMMEDIATE_MODE | DRM_GPUVM_RESV_PROTECTED
	},
};

static void gt_mode_desc(const struct gt_mode *mode, char *desc)
{
	strscpy(desc, mode->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(gt_modes_all, gt_modes, gt_mode_desc);

const void *gt_mode_gen_params(struct kunit *test, const void *prev, char *desc)
{
	return gt_modes_all_gen_params(test, prev, desc);
}

/* Every place has room for six pages from its base on. */
const struct gt_place gt_places[GT_PLACE_NUM] = {
	{ "middle", GT_BASE, GT_VM_START, GT_VM_RANGE, 0, 0 },
	{ "start of the VA space", GT_VM_START, GT_VM_START, GT_VM_RANGE, 0, 0 },
	{
		"end of the VA space", GT_VM_START + GT_VM_RANGE - GT_PAGES(6),
		GT_VM_START, GT_VM_RANGE, 0, 0
	},
	{ "address 0", 0, 0, GT_VM_RANGE, 0, 0 },
	{
		"before the reserved range", GT_BASE, GT_VM_START, GT_VM_RANGE,
		GT_BASE + GT_PAGES(6), GT_PAGES(3)
	},
	{
		"behind the reserved range", GT_BASE, GT_VM_START, GT_VM_RANGE,
		GT_BASE - GT_PAGES(3), GT_PAGES(3)
	},
#if GT_CORE_UP_TO_2_64
	{
		"last page of 2^64", -GT_PAGES(6), GT_VM_START, -GT_VM_START,
		GT_BASE, GT_PAGES(1)
	},
#endif
};

/* ---- objects ------------------------------------------------------------ */

struct gt_obj {
	struct drm_gem_object base;
	struct drm_gem_object *r_obj;
	struct gt *gt;
	char name;
};

static void gt_obj_free(struct drm_gem_object *obj)
{
	struct gt_obj *o = container_of(obj, struct gt_obj, base);

	gt_count(o->gt, GT_OBJS, -1);
	drm_gem_object_release(obj);
	drm_gem_object_put(o->r_obj);
	kfree(o);
}

static const struct drm_gem_object_funcs gt_obj_funcs = {
	.free = gt_obj_free,
};

/* An object named @name; shares the resv of @local_to unless that is NULL. */
struct drm_gem_object *gt_obj(struct gt *gt, char name, struct drm_gpuvm *local_to)
{
	struct gt_obj *o;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(gt->objs) && gt->objs[i]; i++)
		;
	KUNIT_ASSERT_LT(gt->test, i, ARRAY_SIZE(gt->objs));

	o = kzalloc_obj(*o);
	KUNIT_ASSERT_NOT_NULL(gt->test, o);

	o->gt = gt;
	o->name = name;
	o->base.funcs = &gt_obj_funcs;
	if (local_to) {
		o->r_obj = drm_gpuvm_resv_obj(local_to);
		drm_gem_object_get(o->r_obj);
		o->base.resv = drm_gpuvm_resv(local_to);
	}
	/* Linux 7.2 leaves this to drivers without DRIVER_GEM_GPUVA. */
	drm_gem_gpuva_init(&o->base);
	drm_gem_private_object_init(gt->drm, &o->base, GT_PAGES(64));
	gt_count(gt, GT_OBJS, 1);
	gt->objs[i] = &o->base;

	return &o->base;
}

/* Drop the test's own reference. */
void gt_obj_drop(struct gt *gt, struct drm_gem_object *obj)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(gt->objs); i++)
		if (gt->objs[i] == obj)
			gt->objs[i] = NULL;

	drm_gem_object_put(obj);
}

/*
 * For a test that allocates under the gpuva lock, which is no crime unless fence
 * signalling takes the lock, too: lockdep shall not mix it up with other tests.
 */
void gt_obj_may_allocate_locked(struct drm_gem_object *obj)
{
	static struct lock_class_key key;

	lockdep_set_class(&obj->gpuva.lock, &key);
}

struct drm_gem_object *gt_obj_find(struct gt *gt, char name)
{
	unsigned int i;

	if (name == '*')
		return NULL;

	for (i = 0; i < ARRAY_SIZE(gt->objs); i++)
		if (gt->objs[i] && gt_obj_name(gt->objs[i]) == name)
			return gt->objs[i];

	KUNIT_ASSERT_TRUE_MSG(gt->test, false, "no object %c\n", name);
	return NULL;
}

char gt_obj_name(struct drm_gem_object *obj)
{
	if (!obj)
		return '*';
	if (obj->funcs != &gt_obj_funcs)
		return '?';

	return container_of(obj, struct gt_obj, base)->name;
}

/* ---- VMs ---------------------------------------------------------------- */

struct gt_vm {
	struct drm_gpuvm base;
	struct gt *gt;
};

static void gt_vm_free(struct drm_gpuvm *vm)
{
	struct gt_vm *v = container_of(vm, struct gt_vm, base);

	gt_count(v->gt, GT_VMS, -1);
	kfree(v);
}

static int gt_vm_bo_validate(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	struct gt *gt = container_of(vm_bo->vm, struct gt_vm, base)->gt;

	gt->validated++;
	if (gt->validate)
		return gt->validate(gt, vm_bo, exec);

	dma_resv_assert_held(vm_bo->obj->resv);
	drm_gpuvm_bo_evict(vm_bo, false);

	return 0;
}

static int gt_step(struct drm_gpuva_op *op, void *priv)
{
	struct gt_walk *walk = priv;

	if (++walk->calls == walk->fail_at)
		return -ECANCELED;
	if (walk->log)
		gt_log_op(walk->log, op);

	return walk->apply ? gt_apply(walk, op) : 0;
}

const struct drm_gpuvm_ops gt_ops = {
	.vm_free = gt_vm_free,
	.vm_bo_validate = gt_vm_bo_validate,
	.sm_step_map = gt_step,
	.sm_step_remap = gt_step,
	.sm_step_unmap = gt_step,
};

/* A driver that embeds operations and vm_bos in structures of its own. */
struct gt_op {
	char before[24];
	struct drm_gpuva_op base;
	struct gt *gt;
};

struct gt_vm_bo {
	char before[24];
	struct drm_gpuvm_bo base;
	struct gt *gt;
};

static struct drm_gpuva_op *gt_op_alloc(void)
{
	struct gt *gt = kunit_get_current_test()->priv;
	struct gt_op *op;

	if (++gt->op_allocs == gt->fail_op_nth)
		return NULL;

	op = kzalloc_obj(*op);
	if (!op)
		return NULL;

	op->gt = gt;
	gt_count(gt, GT_OPS, 1);

	return &op->base;
}

static void gt_op_free(struct drm_gpuva_op *base)
{
	struct gt_op *op = container_of(base, struct gt_op, base);

	gt_count(op->gt, GT_OPS, -1);
	kfree(op);
}

static struct drm_gpuvm_bo *gt_vm_bo_alloc(void)
{
	struct gt *gt = kunit_get_current_test()->priv;
	struct gt_vm_bo *vm_bo;

	if (gt->fail_vm_bo_alloc)
		return NULL;

	vm_bo = kzalloc_obj(*vm_bo);
	if (!vm_bo)
		return NULL;

	vm_bo->gt = gt;
	gt_count(gt, GT_VM_BOS, 1);

	return &vm_bo->base;
}

static void gt_vm_bo_free(struct drm_gpuvm_bo *base)
{
	struct gt_vm_bo *vm_bo = container_of(base, struct gt_vm_bo, base);

	gt_count(vm_bo->gt, GT_VM_BOS, -1);
	kfree(vm_bo);
}

const struct drm_gpuvm_ops gt_ops_embed = {
	.vm_free = gt_vm_free,
	.op_alloc = gt_op_alloc,
	.op_free = gt_op_free,
	.vm_bo_alloc = gt_vm_bo_alloc,
	.vm_bo_free = gt_vm_bo_free,
	.vm_bo_validate = gt_vm_bo_validate,
	.sm_step_map = gt_step,
	.sm_step_remap = gt_step,
	.sm_step_unmap = gt_step,
};

struct drm_gpuvm *gt_vm_at(struct gt *gt, enum drm_gpuvm_flags flags,
			   u64 start, u64 range, u64 reserve_start,
			   u64 reserve_range, const struct drm_gpuvm_ops *ops)
{
	struct drm_gem_object *r_obj;
	struct gt_vm *v;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(gt->vms) && gt->vms[i]; i++)
		;
	KUNIT_ASSERT_LT(gt->test, i, ARRAY_SIZE(gt->vms));

	v = kzalloc_obj(*v);
	KUNIT_ASSERT_NOT_NULL(gt->test, v);
	v->gt = gt;

	r_obj = drm_gpuvm_resv_object_alloc(gt->drm);
	KUNIT_ASSERT_NOT_NULL(gt->test, r_obj);

	drm_gpuvm_init(&v->base, "test", flags, gt->drm, r_obj, start, range,
		       reserve_start, reserve_range, ops);
	gt_count(gt, GT_VMS, 1);
	drm_gem_object_put(r_obj);
	gt->vms[i] = &v->base;

	return &v->base;
}

struct drm_gpuvm *gt_vm(struct gt *gt, enum drm_gpuvm_flags flags)
{
	return gt_vm_at(gt, flags, GT_VM_START, GT_VM_RANGE, 0, 0, &gt_ops);
}

struct drm_gpuvm *gt_vm_in(struct gt *gt, enum drm_gpuvm_flags flags,
			   const struct gt_place *place)
{
	return gt_vm_at(gt, flags, place->start, place->range,
			place->reserve_start, place->reserve_range, &gt_ops);
}

/* Unmap everything, as a driver does at the end of a VM. */
void gt_vm_clear(struct gt *gt, struct drm_gpuvm *vm)
{
	struct drm_gpuva *va, *next;
	struct drm_exec exec;

	gt_lock_staged(gt, vm, &exec);
	drm_gpuvm_for_each_va_safe(va, next, vm) {
		if (va == &vm->kernel_alloc_node)
			continue;
		if (va->vm_bo && drm_gpuvm_immediate_mode(vm))
			drm_gpuva_unlink_defer(va);
		else if (va->vm_bo)
			drm_gpuva_unlink(va);
		drm_gpuva_remove(va);
		gt_va_free(va);
	}
	gt_unlock_staged(vm, &exec);
	drm_gpuvm_bo_deferred_cleanup(vm);
}

/* Drop the test's own reference. */
void gt_vm_drop(struct gt *gt, struct drm_gpuvm *vm)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(gt->vms); i++)
		if (gt->vms[i] == vm)
			gt->vms[i] = NULL;

	gt_vm_clear(gt, vm);
	drm_gpuvm_put(vm);
}

/* ---- locks -------------------------------------------------------------- */

/* Lock the VM's resv and those of all objects of the test. */
void gt_lock(struct gt *gt, struct drm_gpuvm *vm, struct drm_exec *exec)
{
	unsigned int i;
	int ret;

	drm_exec_init(exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
	drm_exec_until_all_locked(exec) {
		ret = drm_exec_lock_obj(exec, drm_gpuvm_resv_obj(vm));
		drm_exec_retry_on_contention(exec);
		KUNIT_ASSERT_EQ(gt->test, ret, 0);

		for (i = 0; i < ARRAY_SIZE(gt->objs); i++) {
			if (!gt->objs[i])
				continue;
			ret = drm_exec_lock_obj(exec, gt->objs[i]);
			drm_exec_retry_on_contention(exec);
			KUNIT_ASSERT_EQ(gt->test, ret, 0);
		}
	}
}

/* Staged mode changes links under resv locks, immediate mode without them. */
void gt_lock_staged(struct gt *gt, struct drm_gpuvm *vm, struct drm_exec *exec)
{
	if (!drm_gpuvm_immediate_mode(vm))
		gt_lock(gt, vm, exec);
}

void gt_unlock_staged(struct drm_gpuvm *vm, struct drm_exec *exec)
{
	if (!drm_gpuvm_immediate_mode(vm))
		drm_exec_fini(exec);
}

/*
 * CONFIG_DEBUG_WW_MUTEX_SLOWPATH makes up contention, after as many locks as the
 * low bits of a transaction's number say. The next 16 - @locks transactions take
 * @locks or more of them before that.
 */
void gt_no_made_up_contention(unsigned int locks)
{
	struct ww_acquire_ctx ctx;

	do {
		ww_acquire_init(&ctx, &reservation_ww_class);
		ww_acquire_fini(&ctx);
	} while ((ctx.stamp & 0xf) != locks - 1);
}

/* ---- failing allocations ------------------------------------------------ */

#define GT_ALLOC_SIZE 1024

static void *gt_alloc(size_t size)
{
	struct gt *gt = kunit_get_current_test()->priv;

	if (++gt->allocs == gt->fail_nth)
		return NULL;
	if (WARN_ON(size > GT_ALLOC_SIZE))
		return NULL;

	return kmem_cache_zalloc(gt->cache, GFP_KERNEL);
}

/*
 * The core's allocations come out of a cache of their own now. Destroying the
 * cache warns if anything is left in it, and a warning fails the test.
 */
void gt_alloc_begin(struct gt *gt)
{
	gt->cache = kmem_cache_create("drm_gpuvm_kunit", GT_ALLOC_SIZE, 0,
				      SLAB_NO_MERGE, NULL);
	KUNIT_ASSERT_NOT_NULL(gt->test, gt->cache);
	gt->allocs = 0;
	gt->fail_nth = 0;
	kunit_activate_static_stub(gt->test, drm_gpuvm_alloc, gt_alloc);
}

void gt_alloc_end(struct gt *gt)
{
	kunit_deactivate_static_stub(gt->test, drm_gpuvm_alloc);
	kmem_cache_destroy(gt->cache);
	gt->cache = NULL;
}
