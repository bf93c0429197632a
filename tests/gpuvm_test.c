// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * The library behind the GPUVM suites; gpuvm_test.h tells what it offers.
 */

#include <linux/debug_locks.h>
#include <linux/hex.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/rbtree_augmented.h>
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

static void gt_count(struct gt *gt, enum gt_live what, int n)
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

/* ---- vm_bos and mappings ------------------------------------------------ */

/* The one vm_bo of @vm and @obj, on the extobj list if it belongs there. */
struct drm_gpuvm_bo *gt_vm_bo(struct gt *gt, struct drm_gpuvm *vm,
			      struct drm_gem_object *obj)
{
	bool immediate = drm_gpuvm_immediate_mode(vm);
	struct drm_gpuvm_bo *vm_bo;
	struct drm_exec exec;

	if (immediate) {
		vm_bo = drm_gpuvm_bo_create(vm, obj);
		KUNIT_ASSERT_NOT_NULL(gt->test, vm_bo);
		vm_bo = drm_gpuvm_bo_obtain_prealloc(vm_bo);
	}

	gt_lock(gt, vm, &exec);
	if (!immediate) {
		vm_bo = drm_gpuvm_bo_obtain_locked(vm, obj);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(gt->test, vm_bo);
	}
	drm_gpuvm_bo_extobj_add(vm_bo);
	drm_exec_fini(&exec);

	return vm_bo;
}

void gt_vm_bo_put(struct gt *gt, struct drm_gpuvm_bo *vm_bo)
{
	struct drm_exec exec;

	if (!vm_bo)
		return;

	if (drm_gpuvm_immediate_mode(vm_bo->vm)) {
		drm_gpuvm_bo_put_deferred(vm_bo);
		return;
	}

	gt_lock(gt, vm_bo->vm, &exec);
	drm_gpuvm_bo_put(vm_bo);
	drm_exec_fini(&exec);
}

static struct drm_gpuva *gt_va_alloc(struct gt *gt)
{
	struct gt_va *va;

	va = list_first_entry_or_null(&gt->pool, struct gt_va, pool);
	if (va) {
		list_del_init(&va->pool);
		return &va->base;
	}

	if (gt->pool_only)
		return NULL;

	va = kzalloc_obj(*va);
	if (!va)
		return NULL;

	va->gt = gt;
	INIT_LIST_HEAD(&va->pool);
	gt_count(gt, GT_VAS, 1);

	return &va->base;
}

struct drm_gpuva *gt_va(struct gt *gt, u64 addr, u64 range,
			struct drm_gem_object *obj, u64 offset)
{
	struct drm_gpuva *va = gt_va_alloc(gt);

	KUNIT_ASSERT_NOT_NULL(gt->test, va);
	va->va.addr = addr;
	va->va.range = range;
	va->gem.obj = obj;
	va->gem.offset = offset;
	if (!obj)
		va->flags = DRM_GPUVA_SPARSE;

	return va;
}

void gt_va_free(struct drm_gpuva *base)
{
	struct gt_va *va = container_of(base, struct gt_va, base);

	gt_count(va->gt, GT_VAS, -1);
	kfree(va);
}

void gt_pool_fill(struct gt *gt, unsigned int n)
{
	LIST_HEAD(pool);

	while (n--) {
		struct drm_gpuva *va = gt_va(gt, 0, 0, NULL, 0);

		va->flags = 0;
		list_add(&container_of(va, struct gt_va, base)->pool, &pool);
	}
	list_splice(&pool, &gt->pool);
}

void gt_pool_drain(struct gt *gt)
{
	struct gt_va *va, *next;

	list_for_each_entry_safe(va, next, &gt->pool, pool) {
		list_del(&va->pool);
		gt_va_free(&va->base);
	}
}

static void gt_link(struct drm_gpuva *va, struct drm_gpuvm_bo *vm_bo)
{
	if (!va->gem.obj || !vm_bo)
		return;

	if (drm_gpuvm_immediate_mode(vm_bo->vm)) {
		mutex_lock(&va->gem.obj->gpuva.lock);
		drm_gpuva_link(va, vm_bo);
		mutex_unlock(&va->gem.obj->gpuva.lock);
	} else {
		drm_gpuva_link(va, vm_bo);
	}
}

static void gt_unlink(struct drm_gpuva *va)
{
	if (drm_gpuvm_immediate_mode(va->vm))
		drm_gpuva_unlink_defer(va);
	else
		drm_gpuva_unlink(va);
}

/* Insert and link one mapping; takes the locks that this needs. */
struct drm_gpuva *gt_map(struct gt *gt, struct drm_gpuvm *vm, u64 addr,
			 u64 range, struct drm_gem_object *obj, u64 offset)
{
	struct drm_gpuva *va = gt_va(gt, addr, range, obj, offset);
	struct drm_gpuvm_bo *vm_bo = NULL;
	struct drm_exec exec;

	if (obj)
		vm_bo = gt_vm_bo(gt, vm, obj);

	gt_lock_staged(gt, vm, &exec);
	KUNIT_ASSERT_EQ(gt->test, drm_gpuva_insert(vm, va), 0);
	gt_link(va, vm_bo);
	gt_unlock_staged(vm, &exec);

	if (vm_bo)
		gt_vm_bo_put(gt, vm_bo);

	return va;
}

/* The reverse of gt_map(). */
void gt_unmap(struct gt *gt, struct drm_gpuva *va)
{
	struct drm_gpuvm *vm = va->vm;
	struct drm_exec exec;

	gt_lock_staged(gt, vm, &exec);
	gt_unlink(va);
	drm_gpuva_remove(va);
	gt_unlock_staged(vm, &exec);
	gt_va_free(va);
}

/* ---- recorder ----------------------------------------------------------- */

struct gt_log *gt_log(struct kunit *test, u64 base)
{
	struct gt_log *log = kunit_kzalloc(test, sizeof(*log), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, log);
	log->base = base;

	return log;
}

void gt_log_reset(struct gt_log *log)
{
	log->n = 0;
	log->objs = 0;
}

/* One piece of a line: a range and what is mapped there. */
static int gt_print(struct gt_log *log, char *buf, size_t size, u64 addr,
		    u64 range, char obj, u64 offset)
{
	u64 first = addr - log->base;
	int n;

	if (obj >= 'a' && obj <= 'z')
		log->objs |= BIT(obj - 'a');

	if (IS_ALIGNED(first, GT_PAGE) && IS_ALIGNED(range, GT_PAGE))
		n = scnprintf(buf, size, "[%lld,%lld)", (s64)first >> GT_SHIFT,
			      (s64)(first + range) >> GT_SHIFT);
	else
		n = scnprintf(buf, size, "[0x%llx+0x%llx)", addr, range);

	if (IS_ALIGNED(offset, GT_PAGE))
		n += scnprintf(buf + n, size - n, " %c%llx", obj, offset >> GT_SHIFT);
	else
		n += scnprintf(buf + n, size - n, " %c:0x%llx", obj, offset);

	return n;
}

static int gt_print_va(struct gt_log *log, char *buf, size_t size,
		       const struct drm_gpuva *va)
{
	return gt_print(log, buf, size, va->va.addr, va->va.range,
			gt_obj_name(va->gem.obj), va->gem.offset);
}

static int gt_print_map(struct gt_log *log, char *buf, size_t size,
			const struct drm_gpuva_op_map *map)
{
	return gt_print(log, buf, size, map->va.addr, map->va.range,
			gt_obj_name(map->gem.obj), map->gem.offset);
}

static char *gt_log_line(struct gt_log *log)
{
	/* The last line is overwritten again and again; the count tells. */
	return log->line[min(log->n++, GT_LINES - 1)];
}

void gt_log_op(struct gt_log *log, const struct drm_gpuva_op *op)
{
	char *s = gt_log_line(log);
	const size_t size = GT_LINE;
	int n = 0;

	switch (op->op) {
	case DRM_GPUVA_OP_MAP:
		n += scnprintf(s + n, size - n, "map ");
		gt_print_map(log, s + n, size - n, &op->map);
		break;
	case DRM_GPUVA_OP_UNMAP:
		n += scnprintf(s + n, size - n, "unmap ");
		n += gt_print_va(log, s + n, size - n, op->unmap.va);
		if (op->unmap.keep)
			scnprintf(s + n, size - n, " keep");
		break;
	case DRM_GPUVA_OP_REMAP:
		n += scnprintf(s + n, size - n, "remap ");
		n += gt_print_va(log, s + n, size - n, op->remap.unmap->va);
		if (op->remap.prev) {
			n += scnprintf(s + n, size - n, " prev ");
			n += gt_print_map(log, s + n, size - n, op->remap.prev);
		}
		if (op->remap.next) {
			n += scnprintf(s + n, size - n, " next ");
			n += gt_print_map(log, s + n, size - n, op->remap.next);
		}
		if (op->remap.unmap->keep)
			scnprintf(s + n, size - n, " keep");
		break;
	case DRM_GPUVA_OP_PREFETCH:
		n += scnprintf(s + n, size - n, "prefetch ");
		gt_print_va(log, s + n, size - n, op->prefetch.va);
		break;
	default:
		scnprintf(s, size, "unknown operation %d", op->op);
		break;
	}
}

void gt_log_ops(struct gt_log *log, struct drm_gpuva_ops *ops)
{
	struct drm_gpuva_op *op;

	drm_gpuva_for_each_op(op, ops)
		gt_log_op(log, op);
}

static void gt_log_print(struct kunit *test, const char *what,
			 const struct gt_log *log)
{
	unsigned int i;

	kunit_err(test, "%s: %u operations\n", what, log->n);
	for (i = 0; i < min(log->n, GT_LINES); i++)
		kunit_err(test, "    %s\n", log->line[i]);
}

/* @ops ends at a NULL or after @max entries. */
bool gt_expect_ops(struct kunit *test, const struct gt_log *log,
		   const char *const *ops, unsigned int max, const char *where)
{
	unsigned int i;

	for (i = 0; i < max && ops[i]; i++)
		if (i >= log->n || strcmp(ops[i], log->line[i]))
			break;

	if (i == log->n && (i == max || !ops[i]))
		return true;

	KUNIT_FAIL(test, "%s: other operations than expected, from the %u. on\n",
		   where, i + 1);
	for (i = 0; i < max && ops[i]; i++)
		kunit_err(test, "    expected %s\n", ops[i]);
	gt_log_print(test, "got", log);

	return false;
}

bool gt_expect_same(struct kunit *test, const struct gt_log *log,
		    const struct gt_log *expected, const char *where)
{
	unsigned int i;

	for (i = 0; i < min3(log->n, expected->n, GT_LINES); i++)
		if (strcmp(log->line[i], expected->line[i]))
			break;

	if (log->n == expected->n && i == min(log->n, GT_LINES))
		return true;

	KUNIT_FAIL(test, "%s: other operations than expected, from the %u. on\n",
		   where, i + 1);
	gt_log_print(test, "expected", expected);
	gt_log_print(test, "got", log);

	return false;
}

/* ---- a driver ----------------------------------------------------------- */

static int gt_apply_remap(struct gt_walk *walk, struct drm_gpuva_op_remap *op)
{
	struct drm_gpuva *va = op->unmap->va, *prev = NULL, *next = NULL;
	int ret;

	if (op->prev) {
		prev = gt_va_alloc(walk->gt);
		if (!prev)
			return -ENOMEM;
		prev->flags = va->flags;
	}
	if (op->next) {
		next = gt_va_alloc(walk->gt);
		if (!next)
			return -ENOMEM;
		next->flags = va->flags;
	}

	ret = drm_gpuva_remap(prev, next, op);
	if (ret)
		return ret;

	if (prev)
		gt_link(prev, va->vm_bo);
	if (next)
		gt_link(next, va->vm_bo);
	gt_unlink(va);
	gt_va_free(va);

	return 0;
}

/* Do what the operation says; the caller holds the locks that links need. */
int gt_apply(struct gt_walk *walk, struct drm_gpuva_op *op)
{
	struct drm_gpuva *va;
	int ret;

	switch (op->op) {
	case DRM_GPUVA_OP_MAP:
		va = gt_va_alloc(walk->gt);
		if (!va)
			return -ENOMEM;
		va->flags = op->map.gem.obj ? 0 : DRM_GPUVA_SPARSE;
		ret = drm_gpuva_map(walk->vm, va, &op->map);
		if (ret) {
			gt_va_free(va);
			return ret;
		}
		gt_link(va, walk->vm_bo);
		return 0;
	case DRM_GPUVA_OP_REMAP:
		return gt_apply_remap(walk, &op->remap);
	case DRM_GPUVA_OP_UNMAP:
		va = op->unmap.va;
		gt_unlink(va);
		drm_gpuva_unmap(&op->unmap);
		gt_va_free(va);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

/* drm_gpuvm_sm_map() by a driver that follows it; @log may be NULL. */
int gt_sm_map(struct gt *gt, struct drm_gpuvm *vm, u64 addr, u64 range,
	      struct drm_gem_object *obj, u64 offset, struct gt_log *log)
{
	struct drm_gpuvm_map_req req = {
		.map = { { addr, range }, { offset, obj } },
	};
	struct gt_walk walk = { .gt = gt, .vm = vm, .log = log, .apply = true };
	struct drm_exec exec;
	int ret;

	if (obj)
		walk.vm_bo = gt_vm_bo(gt, vm, obj);

	gt_lock_staged(gt, vm, &exec);
	ret = drm_gpuvm_sm_map(vm, &walk, &req);
	gt_unlock_staged(vm, &exec);

	if (walk.vm_bo)
		gt_vm_bo_put(gt, walk.vm_bo);

	return ret;
}

int gt_sm_unmap(struct gt *gt, struct drm_gpuvm *vm, u64 addr, u64 range,
		struct gt_log *log)
{
	struct gt_walk walk = { .gt = gt, .vm = vm, .log = log, .apply = true };
	struct drm_exec exec;
	int ret;

	gt_lock_staged(gt, vm, &exec);
	ret = drm_gpuvm_sm_unmap(vm, &walk, addr, range);
	gt_unlock_staged(vm, &exec);

	return ret;
}

/* ---- pictures ----------------------------------------------------------- */

unsigned int gt_parse(struct kunit *test, const char *picture,
		      struct gt_span *spans, unsigned int max)
{
	unsigned int page, n = 0, len = strlen(picture);
	struct gt_span *span = NULL;

	for (page = 0; page * 3 + 2 < len; page++) {
		const char *cell = picture + page * 3;
		int offset;

		if (cell[0] == '|')
			span = NULL;
		if (cell[1] == ' ') {
			span = NULL;
			continue;
		}

		offset = cell[1] == '#' ? 0 : hex_to_bin(cell[2]);
		KUNIT_ASSERT_GE_MSG(test, offset, 0, "bad picture: %s\n", picture);

		if (!span) {
			KUNIT_ASSERT_LT(test, n, max);
			KUNIT_ASSERT_EQ_MSG(test, cell[0], '|', "bad picture: %s\n",
					    picture);
			span = &spans[n++];
			*span = (struct gt_span) {
				.first = page,
				.obj = cell[1],
				.offset = offset,
			};
		}

		if (span->obj != '#')
			KUNIT_ASSERT_EQ_MSG(test, span->offset + span->pages, offset,
					    "bad picture: %s\n", picture);
		KUNIT_ASSERT_EQ(test, span->obj, cell[1]);
		span->pages++;
	}

	return n;
}

void gt_build_spans(struct gt *gt, struct drm_gpuvm *vm, u64 base,
		    const struct gt_span *spans, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (spans[i].obj == '#')
			continue;
		gt_map(gt, vm, base + GT_PAGES(spans[i].first),
		       GT_PAGES(spans[i].pages), gt_obj_find(gt, spans[i].obj),
		       GT_PAGES(spans[i].offset));
	}
}

void gt_build(struct gt *gt, struct drm_gpuvm *vm, u64 base, const char *picture)
{
	struct gt_span spans[16];

	gt_build_spans(gt, vm, base, spans,
		       gt_parse(gt->test, picture, spans, ARRAY_SIZE(spans)));
}

/* Draw what lies from @base on; mappings below it are left out. */
void gt_picture(struct drm_gpuvm *vm, u64 base, char *buf)
{
	struct drm_gpuva *va;
	unsigned int len = 0;

	memset(buf, ' ', GT_PICTURE);

	drm_gpuvm_for_each_va(va, vm) {
		u64 first = (va->va.addr - base) >> GT_SHIFT;
		u64 pages = va->va.range >> GT_SHIFT, i;

		if (va->va.addr < base || (first + pages) * 3 + 2 > GT_PICTURE)
			continue;

		buf[first * 3] = '|';
		for (i = 0; i < pages; i++) {
			char *cell = buf + (first + i) * 3;
			u64 offset = (va->gem.offset >> GT_SHIFT) + i;

			if (va == &vm->kernel_alloc_node) {
				cell[1] = '#';
				cell[2] = '#';
				continue;
			}
			cell[1] = gt_obj_name(va->gem.obj);
			cell[2] = hex_asc_lo(offset);
		}
		len = (first + pages) * 3;
		buf[len++] = '|';
	}
	buf[len] = '\0';
}

bool gt_expect_picture(struct kunit *test, struct drm_gpuvm *vm, u64 base,
		       const char *expected, const char *where)
{
	char *buf = kunit_kmalloc(test, GT_PICTURE, GFP_KERNEL);
	bool same;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	gt_picture(vm, base, buf);
	same = !strcmp(buf, expected);
	if (!same)
		KUNIT_FAIL(test, "%s: wrong VA space\n    expected %s\n    got      %s\n",
			   where, expected, buf);
	kunit_kfree(test, buf);

	return same;
}

struct drm_gpuvm_map_req gt_req(struct gt *gt, u64 base, const struct gt_span *span)
{
	struct drm_gpuvm_map_req req = {
		.map.va.addr = base + GT_PAGES(span->first),
		.map.va.range = GT_PAGES(span->pages),
	};

	if (span->obj != '#') {
		req.map.gem.obj = gt_obj_find(gt, span->obj);
		req.map.gem.offset = GT_PAGES(span->offset);
	}

	return req;
}

/* The reverse of gt_build_spans(). */
unsigned int gt_spans(struct drm_gpuvm *vm, u64 base, struct gt_span *spans,
		      unsigned int max)
{
	struct drm_gpuva *va;
	unsigned int n = 0;

	drm_gpuvm_for_each_mapping(va, vm) {
		if (n == max)
			break;
		spans[n++] = (struct gt_span) {
			.first = (va->va.addr - base) >> GT_SHIFT,
			.pages = va->va.range >> GT_SHIFT,
			.obj = gt_obj_name(va->gem.obj),
			.offset = va->gem.offset >> GT_SHIFT,
		};
	}

	return n;
}

/* ---- a second opinion, in pages ----------------------------------------- */

static int gt_model_span(struct gt_log *log, char *s, size_t size,
			 const struct gt_span *span, unsigned int first,
			 unsigned int end)
{
	return gt_print(log, s, size, log->base + GT_PAGES(first),
			GT_PAGES(end - first), span->obj,
			GT_PAGES(span->offset + first - span->first));
}

static bool gt_model_keep(const struct gt_span *old, const struct gt_span *req)
{
	return old->obj != '*' && old->obj == req->obj &&
	       (int)(old->offset - old->first) == (int)(req->offset - req->first);
}

/* What becomes of @old if the pages of @req are taken away. */
static bool gt_model_cut(struct gt_log *log, const struct gt_span *old,
			 const struct gt_span *req, bool keep, bool whole)
{
	unsigned int end = old->first + old->pages;
	unsigned int req_end = req->first + req->pages;
	bool cut = old->first < req->first || end > req_end;
	int n = 0;
	char *s;

	if (req_end <= old->first || end <= req->first || (!cut && !whole))
		return false;

	s = gt_log_line(log);
	n += scnprintf(s, GT_LINE, cut ? "remap " : "unmap ");
	n += gt_model_span(log, s + n, GT_LINE - n, old, old->first, end);
	if (old->first < req->first) {
		n += scnprintf(s + n, GT_LINE - n, " prev ");
		n += gt_model_span(log, s + n, GT_LINE - n, old, old->first,
				   req->first);
	}
	if (end > req_end) {
		n += scnprintf(s + n, GT_LINE - n, " next ");
		n += gt_model_span(log, s + n, GT_LINE - n, old, req_end, end);
	}
	if (keep)
		scnprintf(s + n, GT_LINE - n, " keep");

	return cut;
}

void gt_model_map(struct gt_log *log, const struct gt_span *old, unsigned int n,
		  const struct gt_span *req)
{
	unsigned int i;
	char *s;
	int len;

	for (i = 0; i < n; i++)
		gt_model_cut(log, &old[i], req, gt_model_keep(&old[i], req), true);

	s = gt_log_line(log);
	len = scnprintf(s, GT_LINE, "map ");
	gt_model_span(log, s + len, GT_LINE - len, req, req->first,
		      req->first + req->pages);
}

void gt_model_unmap(struct gt_log *log, const struct gt_span *old, unsigned int n,
		    const struct gt_span *req)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		gt_model_cut(log, &old[i], req, false, true);
}

void gt_model_madvise(struct gt_log *log, const struct gt_span *old,
		      unsigned int n, const struct gt_span *req)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		unsigned int first = max(old[i].first, req->first);
		unsigned int end = min(old[i].first + old[i].pages,
				       req->first + req->pages);
		char *s;
		int len;

		if (old[i].obj != '*' ||
		    !gt_model_cut(log, &old[i], req, false, false))
			continue;

		s = gt_log_line(log);
		len = scnprintf(s, GT_LINE, "map ");
		gt_model_span(log, s + len, GT_LINE - len, &old[i], first, end);
	}
}

/* ---- snapshots ---------------------------------------------------------- */

/* All that an operation could have changed, as text. */
static int gt_snapshot_print(struct drm_gpuvm *vm, char *s)
{
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuva *va;
	int n = 0;

	n += scnprintf(s + n, GT_SNAPSHOT - n, "refs %u count %lu resv %d\n",
		       kref_read(&vm->kref), gt_core_mappings(vm),
		       dma_resv_is_locked(drm_gpuvm_resv(vm)));
	drm_gpuvm_for_each_va(va, vm)
		n += scnprintf(s + n, GT_SNAPSHOT - n,
			       "va %p 0x%llx+0x%llx %p:0x%llx vm_bo %p flags %d\n",
			       va, va->va.addr, va->va.range, va->gem.obj,
			       va->gem.offset, va->vm_bo, va->flags);
	list_for_each_entry(vm_bo, &vm->extobj.list, list.entry.extobj)
		n += scnprintf(s + n, GT_SNAPSHOT - n, "extobj %p refs %u\n",
			       vm_bo, kref_read(&vm_bo->kref));
	list_for_each_entry(vm_bo, &vm->evict.list, list.entry.evict)
		n += scnprintf(s + n, GT_SNAPSHOT - n, "evict %p refs %u\n",
			       vm_bo, kref_read(&vm_bo->kref));

	return n;
}

char *gt_snapshot(struct kunit *test, struct drm_gpuvm *vm)
{
	char *s = kunit_kzalloc(test, GT_SNAPSHOT, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	gt_snapshot_print(vm, s);

	return s;
}

bool gt_expect_unchanged(struct kunit *test, struct drm_gpuvm *vm, const char *before)
{
	char *s = gt_snapshot(test, vm);
	bool same = !strcmp(s, before);

	if (!same)
		KUNIT_FAIL(test, "the VM has changed\nbefore:\n%safter:\n%s", before, s);
	kunit_kfree(test, s);

	return same;
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

/* ---- check and dump ----------------------------------------------------- */

void gpuvm_dump(struct kunit *test, struct drm_gpuvm *vm)
{
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuva *va;

	kunit_err(test, "VM %s [0x%llx+0x%llx) flags 0x%x refs %u mappings %lu\n",
		  vm->name, vm->mm_start, vm->mm_range, vm->flags,
		  kref_read(&vm->kref), gt_core_mappings(vm));

	drm_gpuvm_for_each_va(va, vm)
		kunit_err(test, "  [0x%llx+0x%llx) %c:0x%llx flags %d%s%s\n",
			  va->va.addr, va->va.range, gt_obj_name(va->gem.obj),
			  va->gem.offset, va->flags, va->vm_bo ? " linked" : "",
			  va == &vm->kernel_alloc_node ? " reserved" : "");
	list_for_each_entry(vm_bo, &vm->extobj.list, list.entry.extobj)
		kunit_err(test, "  extobj %c refs %u\n", gt_obj_name(vm_bo->obj),
			  kref_read(&vm_bo->kref));
	list_for_each_entry(vm_bo, &vm->evict.list, list.entry.evict)
		kunit_err(test, "  evict %c refs %u%s\n", gt_obj_name(vm_bo->obj),
			  kref_read(&vm_bo->kref), vm_bo->evicted ? "" : " validated");
}

#define check(cond)								\
	({									\
		bool ok__ = (cond);						\
										\
		if (!ok__)							\
			KUNIT_FAIL(test, "%s: %s\n", __func__, #cond);		\
		ok__;								\
	})

static u64 gt_last(const struct drm_gpuva *va)
{
	return va->va.addr + (va->va.range - 1);
}

/* The black height of a subtree, or -1; also counts its nodes. */
static int check_subtree(struct kunit *test, struct rb_node *node,
			 unsigned int depth, unsigned long *nodes)
{
	struct rb_node *child[2];
	int height[2], i;

	if (!node)
		return 0;
	if (!check(depth < 128))
		return -1;

	++*nodes;
	child[0] = node->rb_left;
	child[1] = node->rb_right;
	for (i = 0; i < 2; i++) {
		if (child[i]) {
			if (!check(rb_parent(child[i]) == node) ||
			    !check(!(rb_is_red(node) && rb_is_red(child[i]))))
				return -1;
		}
		height[i] = check_subtree(test, child[i], depth + 1, nodes);
	}
	if (height[0] < 0 || height[1] < 0 || !check(height[0] == height[1]))
		return -1;

	return height[0] + rb_is_black(node);
}

static bool check_tree(struct kunit *test, struct drm_gpuvm *vm)
{
	struct rb_node *root = gt_core_tree(vm)->rb_node, *node = rb_first(gt_core_tree(vm));
	bool reserved = false;
	unsigned long nodes = 0, entries = 0;
	struct drm_gpuva *va, *prev = NULL;

	if (root && (!check(rb_is_black(root)) || !check(!rb_parent(root))))
		return false;
	if (check_subtree(test, root, 0, &nodes) < 0)
		return false;

	list_for_each_entry(va, &vm->rb.list, rb.entry) {
		if (!check(node == &va->rb.node) || !check(va->vm == vm) ||
		    !check(va->va.range) || !check(gt_last(va) >= va->va.addr) ||
		    !check(va->va.addr >= vm->mm_start) ||
		    !check(gt_last(va) <= vm->mm_start + (vm->mm_range - 1)) ||
		    !check(!prev || gt_last(prev) < va->va.addr) ||
		    !check(va->rb.entry.next->prev == &va->rb.entry))
			return false;

		reserved |= va == &vm->kernel_alloc_node;
		node = rb_next(node);
		prev = va;
		entries++;
	}

	return check(!node) && check(entries == nodes) &&
	       check(gt_core_mappings(vm) + reserved == nodes) &&
	       check(reserved == !!vm->kernel_alloc_node.va.range) &&
	       check(gt_core_cursor_is_sound(vm)) &&
	       check(vm->mm_range || list_empty(&vm->rb.list));
}

static bool check_on_list(struct list_head *entry, struct list_head *list)
{
	struct list_head *pos;

	list_for_each(pos, list)
		if (pos == entry)
			return true;

	return false;
}

static bool check_vm_bo(struct kunit *test, struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gpuvm *vm = vm_bo->vm;
	bool on_evict = check_on_list(&vm_bo->list.entry.evict, &vm->evict.list);
	struct drm_gpuva *va;
	unsigned int n = 0;

	drm_gpuvm_bo_for_each_va(va, vm_bo) {
		if (!check(va->vm_bo == vm_bo) || !check(va->gem.obj == vm_bo->obj) ||
		    !check(va->vm == vm))
			return false;
		n++;
	}

	/* With resv locks an external object waits for the next walk. */
	if (!drm_gpuvm_resv_protected(vm) || !drm_gpuvm_is_extobj(vm, vm_bo->obj))
		if (!check(vm_bo->evicted == on_evict))
			return false;

	return check(kref_read(&vm_bo->kref) >= gt_core_vm_bo_refs(n)) &&
	       check(check_on_list(&vm_bo->list.entry.gem, &vm_bo->obj->gpuva.list)) &&
	       check(gt_core_vm_bo_is_in_tree(vm_bo));
}

static bool check_links(struct kunit *test, struct drm_gpuvm *vm)
{
	struct drm_gpuva *va;

	list_for_each_entry(va, &vm->rb.list, rb.entry) {
		if (!va->vm_bo)
			continue;
		if (!check(va->vm_bo->vm == vm) ||
		    !check(va->vm_bo->obj == va->gem.obj) ||
		    !check(va->gem.obj) ||
		    !check(check_on_list(&va->gem.entry, &va->vm_bo->list.gpuva)) ||
		    !check_vm_bo(test, va->vm_bo))
			return false;
	}

	return true;
}

/* A zombie waits for drm_gpuvm_bo_deferred_cleanup() on its lists. */
static bool check_zombie(struct kunit *test, struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gpuvm *vm = vm_bo->vm;
	struct drm_gpuvm_bo *pos;
	bool deferred = false;

	llist_for_each_entry(pos, vm->bo_defer.first, list.entry.bo_defer)
		deferred |= pos == vm_bo;

	return check(drm_gpuvm_immediate_mode(vm)) &&
	       check(drm_gpuvm_resv_protected(vm)) && check(deferred) &&
	       check(list_empty(&vm_bo->list.gpuva));
}

static bool check_bo_lists(struct kunit *test, struct drm_gpuvm *vm)
{
	struct drm_gpuvm_bo *vm_bo;

	if (!check(!vm->extobj.local_list) || !check(!vm->evict.local_list))
		return false;

	list_for_each_entry(vm_bo, &vm->extobj.list, list.entry.extobj) {
		if (!check(vm_bo->vm == vm) ||
		    !check(vm_bo->list.entry.extobj.next->prev ==
			   &vm_bo->list.entry.extobj) ||
		    !check(drm_gpuvm_is_extobj(vm, vm_bo->obj)))
			return false;
		if (!kref_read(&vm_bo->kref) && !check_zombie(test, vm_bo))
			return false;
	}

	list_for_each_entry(vm_bo, &vm->evict.list, list.entry.evict) {
		if (!check(vm_bo->vm == vm) ||
		    !check(vm_bo->list.entry.evict.next->prev ==
			   &vm_bo->list.entry.evict))
			return false;
		if (!kref_read(&vm_bo->kref)) {
			if (!check_zombie(test, vm_bo))
				return false;
			continue;
		}
		if (!check(vm_bo->evicted || (drm_gpuvm_resv_protected(vm) &&
					      drm_gpuvm_is_extobj(vm, vm_bo->obj))))
			return false;
	}

	return true;
}

/* Is the whole VM sound? Only for tests that run alone. */
bool gpuvm_check(struct kunit *test, struct drm_gpuvm *vm)
{
	if (check(kref_read(&vm->kref) > gt_core_vm_refs(gt_core_mappings(vm))) &&
	    check_tree(test, vm) && check_links(test, vm) &&
	    check_bo_lists(test, vm))
		return true;

	gpuvm_dump(test, vm);

	return false;
}

MODULE_DESCRIPTION("KUnit tests for DRM GPUVM");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
