// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * vm_bos: one for each pair of VM and object, from the first to the last
 * reference.
 */

#include <linux/prandom.h>

#include "gpuvm_test.h"

static struct drm_gpuvm *bo_vm(struct gt *gt, enum drm_gpuvm_flags flags)
{
	return gt_vm_at(gt, flags, GT_VM_START, GT_VM_RANGE, 0, 0, &gt_ops_embed);
}

static void lock_links(struct gt *gt, struct drm_gpuvm *vm, struct drm_exec *exec,
		       struct drm_gem_object *obj)
	__context_unsafe("which lock it is depends on the mode")
{
	if (drm_gpuvm_immediate_mode(vm))
		mutex_lock(&obj->gpuva.lock);
	else
		gt_lock(gt, vm, exec);
}

static void unlock_links(struct drm_gpuvm *vm, struct drm_exec *exec,
			 struct drm_gem_object *obj)
	__context_unsafe("which lock it is depends on the mode")
{
	if (drm_gpuvm_immediate_mode(vm))
		mutex_unlock(&obj->gpuva.lock);
	else
		drm_exec_fini(exec);
}

static struct drm_gpuvm_bo *find(struct gt *gt, struct drm_gpuvm *vm,
				 struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;
	struct drm_exec exec;

	lock_links(gt, vm, &exec, obj);
	vm_bo = drm_gpuvm_bo_find(vm, obj);
	unlock_links(vm, &exec, obj);

	return vm_bo;
}

static void create_fills_in(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bo_vm(gt, mode->flags);
	struct drm_gem_object *obj = gt_obj(gt, 'a', NULL);
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_bo_create(vm, obj);

	KUNIT_ASSERT_NOT_NULL(test, vm_bo);
	gt_is_live(gt, GT_VM_BOS, 1);
	KUNIT_EXPECT_PTR_EQ(test, vm_bo->vm, vm);
	KUNIT_EXPECT_PTR_EQ(test, vm_bo->obj, obj);
	KUNIT_EXPECT_FALSE(test, vm_bo->evicted);
	KUNIT_EXPECT_EQ(test, kref_read(&vm_bo->kref), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&vm->kref), 2);
	KUNIT_EXPECT_EQ(test, gt_obj_refs(obj), 2);
	KUNIT_EXPECT_TRUE(test, list_empty(&vm_bo->list.gpuva));
	KUNIT_EXPECT_TRUE(test, list_empty(&vm_bo->list.entry.gem));
	KUNIT_EXPECT_TRUE(test, list_empty(&vm_bo->list.entry.extobj));
	KUNIT_EXPECT_TRUE(test, list_empty(&vm_bo->list.entry.evict));

	/* Nobody finds it before it was obtained. */
	KUNIT_EXPECT_PTR_EQ(test, find(gt, vm, obj), NULL);

	gt_vm_bo_put(gt, vm_bo);
	drm_gpuvm_bo_deferred_cleanup(vm);
	gt_is_live(gt, GT_VM_BOS, 0);
	KUNIT_EXPECT_EQ(test, kref_read(&vm->kref), 1);
	KUNIT_EXPECT_EQ(test, gt_obj_refs(obj), 1);
}

static void create_out_of_memory(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm(gt, 0), *embed = bo_vm(gt, 0);
	struct drm_gem_object *obj = gt_obj(gt, 'a', NULL);
	struct drm_gpuvm_bo *vm_bo;
	struct drm_exec exec;

	gt_alloc_begin(gt);
	gt->fail_nth = 1;
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuvm_bo_create(vm, obj), NULL);

	gt_lock(gt, vm, &exec);
	gt->allocs = 0;
	vm_bo = drm_gpuvm_bo_obtain_locked(vm, obj);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(vm_bo), -ENOMEM);
	drm_exec_fini(&exec);
	gt_alloc_end(gt);

	gt->fail_vm_bo_alloc = true;
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuvm_bo_create(embed, obj), NULL);
	gt_lock(gt, embed, &exec);
	vm_bo = drm_gpuvm_bo_obtain_locked(embed, obj);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(vm_bo), -ENOMEM);
	drm_exec_fini(&exec);

	KUNIT_EXPECT_EQ(test, kref_read(&vm->kref), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&embed->kref), 1);
	KUNIT_EXPECT_EQ(test, gt_obj_refs(obj), 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&obj->gpuva.list));
}

/* Without the callbacks the core allocates and frees by itself. */
static void core_allocates(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm(gt, mode->flags);
	struct drm_gem_object *obj = gt_obj(gt, 'a', NULL);
	struct drm_gpuvm_bo *vm_bo;

	gt_alloc_begin(gt);
	vm_bo = gt_vm_bo(gt, vm, obj);
	KUNIT_EXPECT_EQ(test, gt->allocs, 1);
	gt_vm_bo_put(gt, vm_bo);
	drm_gpuvm_bo_deferred_cleanup(vm);
	gt_alloc_end(gt);
}

static void obtain_locked_is_unique(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bo_vm(gt, mode->flags);
	struct drm_gpuvm *other = bo_vm(gt, mode->flags);
	struct drm_gem_object *a = gt_obj(gt, 'a', NULL), *b = gt_obj(gt, 'b', NULL);
	struct drm_gpuvm_bo *first, *second, *of_b, *of_other;

	if (mode->flags & DRM_GPUVM_IMMEDIATE_MODE)
		kunit_skip(test, "not for immediate mode");

	first = gt_vm_bo(gt, vm, a);
	second = gt_vm_bo(gt, vm, a);
	of_b = gt_vm_bo(gt, vm, b);
	of_other = gt_vm_bo(gt, other, a);

	KUNIT_EXPECT_PTR_EQ(test, first, second);
	KUNIT_EXPECT_PTR_NE(test, first, of_b);
	KUNIT_EXPECT_PTR_NE(test, first, of_other);
	KUNIT_EXPECT_EQ(test, kref_read(&first->kref), 2);
	KUNIT_EXPECT_EQ(test, list_count_nodes(&a->gpuva.list), 2);
	KUNIT_EXPECT_EQ(test, gt_obj_refs(a), 3);
	gt_is_live(gt, GT_VM_BOS, 3);

	gt_vm_bo_put(gt, first);
	gt_is_live(gt, GT_VM_BOS, 3);
	gt_vm_bo_put(gt, second);
	gt_is_live(gt, GT_VM_BOS, 2);
	gt_vm_bo_put(gt, of_b);
	gt_vm_bo_put(gt, of_other);
	gt_is_live(gt, GT_VM_BOS, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&a->gpuva.list));
}

static void obtain_locked_in_immediate_mode_warns(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bo_vm(gt, DRM_GPUVM_IMMEDIATE_MODE);
	struct drm_gem_object *obj = gt_obj(gt, 'a', NULL);
	struct drm_gpuvm_bo *vm_bo;

	gt_obj_may_allocate_locked(obj);
	mutex_lock(&obj->gpuva.lock);
	gt_warn_begin(gt);
	vm_bo = drm_gpuvm_bo_obtain_locked(vm, obj);
	gt_warn_end(gt, 1, 1);
	mutex_unlock(&obj->gpuva.lock);
	if (!IS_ERR_OR_NULL(vm_bo))
		drm_gpuvm_bo_put_deferred(vm_bo);
	drm_gpuvm_bo_deferred_cleanup(vm);
}

static void obtain_prealloc_uses_it(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bo_vm(gt, mode->flags);
	struct drm_gem_object *obj = gt_obj(gt, 'a', NULL);
	struct drm_gpuvm_bo *prealloc, *vm_bo;

	if (!(mode->flags & DRM_GPUVM_IMMEDIATE_MODE))
		kunit_skip(test, "for immediate mode");

	prealloc = drm_gpuvm_bo_create(vm, obj);
	KUNIT_ASSERT_NOT_NULL(test, prealloc);
	vm_bo = drm_gpuvm_bo_obtain_prealloc(prealloc);
	KUNIT_EXPECT_PTR_EQ(test, vm_bo, prealloc);
	KUNIT_EXPECT_EQ(test, kref_read(&vm_bo->kref), 1);
	KUNIT_EXPECT_EQ(test, list_count_nodes(&obj->gpuva.list), 1);

	/* The pair has one now: the next is given back. */
	prealloc = drm_gpuvm_bo_create(vm, obj);
	KUNIT_ASSERT_NOT_NULL(test, prealloc);
	gt_is_live(gt, GT_VM_BOS, 2);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuvm_bo_obtain_prealloc(prealloc), vm_bo);
	gt_is_live(gt, GT_VM_BOS, 1);
	KUNIT_EXPECT_EQ(test, kref_read(&vm_bo->kref), 2);
	KUNIT_EXPECT_EQ(test, gt_obj_refs(obj), 2);
	KUNIT_EXPECT_EQ(test, kref_read(&vm->kref), 2);

	KUNIT_EXPECT_FALSE(test, drm_gpuvm_bo_put_deferred(vm_bo));
	KUNIT_EXPECT_TRUE(test, drm_gpuvm_bo_put_deferred(vm_bo));
	drm_gpuvm_bo_deferred_cleanup(vm);
	gt_is_live(gt, GT_VM_BOS, 0);
}

/* A pair whose vm_bo is a zombie gets a new one. */
static void obtain_prealloc_after_zombie(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bo_vm(gt, mode->flags);
	struct drm_gem_object *obj = gt_obj(gt, 'a', NULL);
	struct drm_gpuvm_bo *zombie, *vm_bo;

	if (!(mode->flags & DRM_GPUVM_IMMEDIATE_MODE))
		kunit_skip(test, "for immediate mode");

	zombie = gt_vm_bo(gt, vm, obj);
	KUNIT_EXPECT_TRUE(test, drm_gpuvm_bo_put_deferred(zombie));
	KUNIT_EXPECT_PTR_EQ(test, find(gt, vm, obj), NULL);
	gpuvm_check(test, vm);

	vm_bo = gt_vm_bo(gt, vm, obj);
	KUNIT_EXPECT_PTR_NE(test, vm_bo, zombie);
	gt_is_live(gt, GT_VM_BOS, 2);
	gpuvm_check(test, vm);

	drm_gpuvm_bo_deferred_cleanup(vm);
	gt_is_live(gt, GT_VM_BOS, 1);
	gpuvm_check(test, vm);
	KUNIT_EXPECT_EQ(test, list_count_nodes(&vm->extobj.list), 1);

	gt_vm_bo_put(gt, vm_bo);
	drm_gpuvm_bo_deferred_cleanup(vm);
}

static void find_takes_a_reference(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bo_vm(gt, mode->flags);
	struct drm_gem_object *obj = gt_obj(gt, 'a', NULL);
	struct drm_gpuvm_bo *vm_bo;

	KUNIT_EXPECT_PTR_EQ(test, find(gt, vm, obj), NULL);
	vm_bo = gt_vm_bo(gt, vm, obj);
	KUNIT_EXPECT_PTR_EQ(test, find(gt, vm, obj), vm_bo);
	KUNIT_EXPECT_EQ(test, kref_read(&vm_bo->kref), 2);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuvm_bo_get(vm_bo), vm_bo);
	KUNIT_EXPECT_EQ(test, kref_read(&vm_bo->kref), 3);

	gt_vm_bo_put(gt, vm_bo);
	gt_vm_bo_put(gt, vm_bo);
	gt_is_live(gt, GT_VM_BOS, 1);
	gt_vm_bo_put(gt, vm_bo);
	drm_gpuvm_bo_deferred_cleanup(vm);
	gt_is_live(gt, GT_VM_BOS, 0);
}

/* Each pair has its own, whichever came first and whatever goes meanwhile. */
static void find_among_many(struct kunit *test)
{
	enum { VMS = 4, OBJS = 8 };
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm_bo *vm_bo[VMS][OBJS] = { };
	struct drm_gem_object *obj[OBJS];
	struct drm_gpuvm *vm[VMS];
	struct rnd_state rnd;
	unsigned int i, v, o;

	prandom_seed_state(&rnd, gt_seed(test));
	for (v = 0; v < VMS; v++)
		vm[v] = bo_vm(gt, mode->flags);
	for (o = 0; o < OBJS; o++)
		obj[o] = gt_obj(gt, 'a' + o, NULL);

	for (i = 0; i < 200; i++) {
		v = prandom_u32_state(&rnd) % VMS;
		o = prandom_u32_state(&rnd) % OBJS;
		if (vm_bo[v][o]) {
			gt_vm_bo_put(gt, vm_bo[v][o]);
			vm_bo[v][o] = NULL;
		} else {
			vm_bo[v][o] = gt_vm_bo(gt, vm[v], obj[o]);
		}

		for (v = 0; v < VMS; v++) {
			for (o = 0; o < OBJS; o++) {
				KUNIT_ASSERT_PTR_EQ(test, find(gt, vm[v], obj[o]),
						    vm_bo[v][o]);
				gt_vm_bo_put(gt, vm_bo[v][o]);
			}
			gpuvm_check(test, vm[v]);
			drm_gpuvm_bo_deferred_cleanup(vm[v]);
		}
	}

	for (v = 0; v < VMS; v++) {
		for (o = 0; o < OBJS; o++)
			gt_vm_bo_put(gt, vm_bo[v][o]);
		drm_gpuvm_bo_deferred_cleanup(vm[v]);
	}
}

static void put_says_if_it_was_the_last(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bo_vm(gt, 0);
	struct drm_gpuvm_bo *vm_bo = gt_vm_bo(gt, vm, gt_obj(gt, 'a', NULL));
	struct drm_exec exec;

	KUNIT_EXPECT_FALSE(test, drm_gpuvm_bo_put(NULL));
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_bo_put_deferred(NULL));

	gt_lock(gt, vm, &exec);
	drm_gpuvm_bo_get(vm_bo);
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_bo_put(vm_bo));
	KUNIT_EXPECT_TRUE(test, drm_gpuvm_bo_put(vm_bo));
	drm_exec_fini(&exec);
	gt_is_live(gt, GT_VM_BOS, 0);
}

/* The other way to put a vm_bo in immediate mode: with both locks held. */
static void put_in_immediate_mode(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bo_vm(gt, DRM_GPUVM_IMMEDIATE_MODE |
				     DRM_GPUVM_RESV_PROTECTED);
	struct drm_gem_object *obj = gt_obj(gt, 'a', NULL);
	struct drm_gpuvm_bo *vm_bo = gt_vm_bo(gt, vm, obj);
	struct drm_exec exec;

	gt_lock(gt, vm, &exec);
	mutex_lock(&obj->gpuva.lock);
	KUNIT_EXPECT_TRUE(test, drm_gpuvm_bo_put(vm_bo));
	mutex_unlock(&obj->gpuva.lock);
	drm_exec_fini(&exec);
	gt_is_live(gt, GT_VM_BOS, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&vm->extobj.list));
	KUNIT_EXPECT_TRUE(test, llist_empty(&vm->bo_defer));
}

static void put_deferred_in_staged_mode_warns(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bo_vm(gt, 0);
	struct drm_gpuvm_bo *vm_bo = gt_vm_bo(gt, vm, gt_obj(gt, 'a', NULL));

	drm_gpuvm_bo_get(vm_bo);
	gt_warn_begin(gt);
	drm_gpuvm_bo_put_deferred(vm_bo);
	gt_warn_end(gt, 1, 1);
	gt_vm_bo_put(gt, vm_bo);
}

/* After the last put nothing finds the vm_bo; the memory waits for cleanup. */
static void put_deferred_waits_for_cleanup(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bo_vm(gt, mode->flags);
	struct drm_gem_object *a = gt_obj(gt, 'a', NULL), *b = gt_obj(gt, 'b', vm);
	struct drm_gpuvm_bo *vm_bo[2];
	struct drm_exec exec;
	unsigned int i;

	if (!(mode->flags & DRM_GPUVM_IMMEDIATE_MODE))
		kunit_skip(test, "for immediate mode");

	vm_bo[0] = gt_vm_bo(gt, vm, a);
	vm_bo[1] = gt_vm_bo(gt, vm, b);
	gt_lock(gt, vm, &exec);
	for (i = 0; i < 2; i++)
		drm_gpuvm_bo_evict(vm_bo[i], true);
	drm_exec_fini(&exec);

	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_TRUE(test, drm_gpuvm_bo_put_deferred(vm_bo[i]));
		gpuvm_check(test, vm);
	}
	gt_is_live(gt, GT_VM_BOS, 2);
	KUNIT_EXPECT_TRUE(test, list_empty(&a->gpuva.list));
	KUNIT_EXPECT_TRUE(test, list_empty(&b->gpuva.list));
	KUNIT_EXPECT_EQ(test, gt_obj_refs(a), 2);
	KUNIT_EXPECT_EQ(test, kref_read(&vm->kref), 3);

	drm_gpuvm_bo_deferred_cleanup(vm);
	gt_is_live(gt, GT_VM_BOS, 0);
	KUNIT_EXPECT_EQ(test, gt_obj_refs(a), 1);
	KUNIT_EXPECT_EQ(test, gt_obj_refs(b), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&vm->kref), 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&vm->extobj.list));
	KUNIT_EXPECT_TRUE(test, list_empty(&vm->evict.list));
	gpuvm_check(test, vm);

	/* Nothing left to do. */
	drm_gpuvm_bo_deferred_cleanup(vm);
}

/* Cleanup may drop the last reference of objects. */
static void cleanup_frees_objects(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bo_vm(gt, DRM_GPUVM_IMMEDIATE_MODE);
	struct drm_gem_object *obj = gt_obj(gt, 'a', vm);
	struct drm_gpuvm_bo *vm_bo = gt_vm_bo(gt, vm, obj);

	gt_obj_drop(gt, obj);
	gt_is_live(gt, GT_OBJS, 1);
	drm_gpuvm_bo_put_deferred(vm_bo);
	gt_is_live(gt, GT_OBJS, 1);
	drm_gpuvm_bo_deferred_cleanup(vm);
	gt_is_live(gt, GT_OBJS, 0);
}

static void links_hold_one_reference(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bo_vm(gt, mode->flags);
	struct drm_gem_object *obj = gt_obj(gt, 'a', NULL);
	struct drm_gpuvm_bo *vm_bo = gt_vm_bo(gt, vm, obj);
	struct drm_gpuva *va[2], *pos, *next;
	struct drm_exec exec;
	unsigned int i, n = 0;

	for (i = 0; i < 2; i++) {
		va[i] = gt_va(gt, GT_BASE + GT_PAGES(i), GT_PAGES(1), obj, 0);
		KUNIT_ASSERT_EQ(test, drm_gpuva_insert(vm, va[i]), 0);
	}

	lock_links(gt, vm, &exec, obj);
	for (i = 0; i < 2; i++) {
		drm_gpuva_link(va[i], vm_bo);
		KUNIT_EXPECT_PTR_EQ(test, va[i]->vm_bo, vm_bo);
		KUNIT_EXPECT_EQ(test, kref_read(&vm_bo->kref),
				1 + gt_core_vm_bo_refs(1 + i));
	}
	drm_gpuvm_bo_for_each_va(pos, vm_bo)
		KUNIT_EXPECT_PTR_EQ(test, pos, va[n++]);
	KUNIT_EXPECT_EQ(test, n, 2);
	n = 0;
	drm_gpuvm_bo_for_each_va_safe(pos, next, vm_bo)
		KUNIT_EXPECT_PTR_EQ(test, pos, va[n++]);
	KUNIT_EXPECT_EQ(test, n, 2);
	unlock_links(vm, &exec, obj);
	gpuvm_check(test, vm);

	/* The links hold it alone now. */
	gt_vm_bo_put(gt, vm_bo);

	for (i = 0; i < 2; i++) {
		gt_is_live(gt, GT_VM_BOS, 1);
		KUNIT_EXPECT_EQ(test, kref_read(&vm_bo->kref), gt_core_vm_bo_refs(2 - i));
		gpuvm_check(test, vm);
		gt_unmap(gt, va[i]);
	}
	drm_gpuvm_bo_deferred_cleanup(vm);
	gt_is_live(gt, GT_VM_BOS, 0);
}

static void unlink_ends_the_link(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bo_vm(gt, mode->flags);
	struct drm_gem_object *obj = gt_obj(gt, 'a', NULL);
	struct drm_gpuva *va = gt_map(gt, vm, GT_BASE, GT_PAGES(1), obj, 0);
	struct drm_exec exec;
	unsigned int i;

	/* The second time finds nothing to do. */
	for (i = 0; i < 2; i++) {
		gt_lock_staged(gt, vm, &exec);
		if (drm_gpuvm_immediate_mode(vm))
			drm_gpuva_unlink_defer(va);
		else
			drm_gpuva_unlink(va);
		gt_unlock_staged(vm, &exec);

		KUNIT_EXPECT_PTR_EQ(test, va->vm_bo, NULL);
		KUNIT_EXPECT_PTR_EQ(test, va->gem.obj, obj);
		gpuvm_check(test, vm);
	}
	drm_gpuvm_bo_deferred_cleanup(vm);
	gt_is_live(gt, GT_VM_BOS, 0);
	KUNIT_EXPECT_EQ(test, gt_obj_refs(obj), 1);
}

/* Both unlinks leave a mapping alone that was never linked. */
static void unlink_of_never_linked_is_a_no_op(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bo_vm(gt, mode->flags);
	struct drm_gem_object *obj = gt_obj(gt, 'a', NULL);
	struct drm_gpuva *va = gt_va(gt, GT_BASE, GT_PAGES(1), obj, 0);
	struct drm_exec exec;
	char *before;

	KUNIT_ASSERT_EQ(test, drm_gpuva_insert(vm, va), 0);
	before = gt_snapshot(test, vm);

	lock_links(gt, vm, &exec, obj);
	drm_gpuva_unlink(va);
	unlock_links(vm, &exec, obj);
	gt_expect_unchanged(test, vm, before);

	if (drm_gpuvm_immediate_mode(vm)) {
		drm_gpuva_unlink_defer(va);
		gt_expect_unchanged(test, vm, before);
	}
	KUNIT_EXPECT_TRUE(test, llist_empty(&vm->bo_defer));
}

static void links_need_an_object(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bo_vm(gt, mode->flags);
	struct drm_gem_object *obj = gt_obj(gt, 'a', NULL);
	struct drm_gpuvm_bo *vm_bo = gt_vm_bo(gt, vm, obj);
	struct drm_gpuva *va = gt_map(gt, vm, GT_BASE, GT_PAGES(1), NULL, 0);

	/* No lock is needed, since nothing is done. */
	drm_gpuva_link(va, vm_bo);
	KUNIT_EXPECT_PTR_EQ(test, va->vm_bo, NULL);
	KUNIT_EXPECT_EQ(test, kref_read(&vm_bo->kref), 1);
	drm_gpuva_unlink(va);
	drm_gpuva_unlink_defer(va);
	gpuvm_check(test, vm);
	gt_vm_bo_put(gt, vm_bo);
}

static void link_to_another_object_warns(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bo_vm(gt, 0);
	struct drm_gem_object *a = gt_obj(gt, 'a', vm), *b = gt_obj(gt, 'b', vm);
	struct drm_gpuva *va = gt_va(gt, GT_BASE, GT_PAGES(1), b, 0);
	struct drm_gpuvm_bo *vm_bo = gt_vm_bo(gt, vm, a);
	struct drm_exec exec;

	KUNIT_ASSERT_EQ(test, drm_gpuva_insert(vm, va), 0);
	gt_lock(gt, vm, &exec);
	gt_warn_begin(gt);
	drm_gpuva_link(va, vm_bo);
	gt_warn_end(gt, 1, 1);
	drm_gpuva_unlink(va);
	drm_gpuvm_bo_put(vm_bo);
	drm_exec_fini(&exec);
}

/* The macro walks the vm_bo that it is given, whatever the caller's names are. */
static void bo_walk_uses_its_argument(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bo_vm(gt, 0);
	struct drm_gem_object *a = gt_obj(gt, 'a', vm), *b = gt_obj(gt, 'b', vm);
	struct drm_gpuvm_bo *vm_bo, *wanted;
	struct drm_gpuva *va, *next;
	struct drm_exec exec;
	unsigned int n = 0;

	gt_build(gt, vm, GT_BASE, "|a0|b0|b4|a1|b7|");
	vm_bo = gt_vm_bo(gt, vm, a);
	wanted = gt_vm_bo(gt, vm, b);

	gt_lock(gt, vm, &exec);
	drm_gpuvm_bo_for_each_va(va, wanted) {
		KUNIT_EXPECT_PTR_EQ(test, va->gem.obj, b);
		n++;
	}
	KUNIT_EXPECT_EQ(test, n, 3);
	drm_gpuvm_bo_for_each_va_safe(va, next, wanted) {
		KUNIT_EXPECT_PTR_EQ(test, va->gem.obj, b);
		drm_gpuva_unlink(va);
		n++;
	}
	KUNIT_EXPECT_EQ(test, n, 6);
	KUNIT_EXPECT_EQ(test, kref_read(&vm_bo->kref), 1 + gt_core_vm_bo_refs(2));
	drm_gpuvm_bo_put(vm_bo);
	drm_gpuvm_bo_put(wanted);
	drm_exec_fini(&exec);
	gpuvm_check(test, vm);
}

/* Locks that are not held: lockdep says so. */
static void calls_without_the_lock_warn(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bo_vm(gt, 0);
	struct drm_gem_object *obj = gt_obj(gt, 'a', vm);
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuva *va;

	if (!IS_ENABLED(CONFIG_PROVE_LOCKING))
		kunit_skip(test, "needs CONFIG_PROVE_LOCKING");

	va = gt_va(gt, GT_BASE, GT_PAGES(1), obj, 0);
	KUNIT_ASSERT_EQ(test, drm_gpuva_insert(vm, va), 0);
	gt_warn_begin(gt);
	vm_bo = drm_gpuvm_bo_obtain_locked(vm, obj);
	gt_warn_end(gt, 1, 2);
	gt_warn_begin(gt);
	drm_gpuva_link(va, vm_bo);
	gt_warn_end(gt, 1, 1);
	gt_warn_begin(gt);
	drm_gpuva_unlink(va);
	gt_warn_end(gt, 1, 1);
	gt_warn_begin(gt);
	drm_gpuvm_bo_evict(vm_bo, true);
	gt_warn_end(gt, 1, 1);
	gt_warn_begin(gt);
	drm_gpuvm_bo_evict(vm_bo, false);
	gt_warn_end(gt, 1, 1);
	gt_warn_begin(gt);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuvm_bo_find(vm, obj), vm_bo);
	gt_warn_end(gt, 1, 1);
	gt_warn_begin(gt);
	drm_gpuvm_bo_put(vm_bo);
	gt_warn_end(gt, 0, 0);
	gt_warn_begin(gt);
	drm_gpuvm_bo_put(vm_bo);
	gt_warn_end(gt, 1, 1);
	gt_is_live(gt, GT_VM_BOS, 0);
}

static void resv_protected_calls_without_the_lock_warn(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = bo_vm(gt, DRM_GPUVM_IMMEDIATE_MODE |
				     DRM_GPUVM_RESV_PROTECTED);
	struct drm_gem_object *obj = gt_obj(gt, 'a', NULL);
	struct drm_gpuvm_bo *vm_bo;

	if (!IS_ENABLED(CONFIG_PROVE_LOCKING))
		kunit_skip(test, "needs CONFIG_PROVE_LOCKING");

	vm_bo = drm_gpuvm_bo_create(vm, obj);
	KUNIT_ASSERT_NOT_NULL(test, vm_bo);
	vm_bo = drm_gpuvm_bo_obtain_prealloc(vm_bo);
	gt_warn_begin(gt);
	drm_gpuvm_bo_extobj_add(vm_bo);
	gt_warn_end(gt, 1, 2);
	gt_warn_begin(gt);
	drm_gpuvm_validate(vm, NULL);
	gt_warn_end(gt, 1, 1);
	drm_gpuvm_bo_put_deferred(vm_bo);
	drm_gpuvm_bo_deferred_cleanup(vm);
}

static struct kunit_case gpuvm_bo_tests[] = {
	KUNIT_CASE_PARAM(create_fills_in, gt_mode_gen_params),
	KUNIT_CASE(create_out_of_memory),
	KUNIT_CASE_PARAM(core_allocates, gt_mode_gen_params),
	KUNIT_CASE_PARAM(obtain_locked_is_unique, gt_mode_gen_params),
	KUNIT_CASE(obtain_locked_in_immediate_mode_warns),
	KUNIT_CASE_PARAM(obtain_prealloc_uses_it, gt_mode_gen_params),
	KUNIT_CASE_PARAM(obtain_prealloc_after_zombie, gt_mode_gen_params),
	KUNIT_CASE_PARAM(find_takes_a_reference, gt_mode_gen_params),
	KUNIT_CASE_PARAM(find_among_many, gt_mode_gen_params),
	KUNIT_CASE(put_says_if_it_was_the_last),
	KUNIT_CASE(put_in_immediate_mode),
	KUNIT_CASE(put_deferred_in_staged_mode_warns),
	KUNIT_CASE_PARAM(put_deferred_waits_for_cleanup, gt_mode_gen_params),
	KUNIT_CASE(cleanup_frees_objects),
	KUNIT_CASE_PARAM(links_hold_one_reference, gt_mode_gen_params),
	KUNIT_CASE_PARAM(unlink_ends_the_link, gt_mode_gen_params),
	KUNIT_CASE_PARAM(unlink_of_never_linked_is_a_no_op, gt_mode_gen_params),
	KUNIT_CASE_PARAM(links_need_an_object, gt_mode_gen_params),
	KUNIT_CASE(link_to_another_object_warns),
	KUNIT_CASE(bo_walk_uses_its_argument),
	KUNIT_CASE(calls_without_the_lock_warn),
	KUNIT_CASE(resv_protected_calls_without_the_lock_warn),
	{}
};

static struct kunit_suite gpuvm_bo_suite = {
	.name = "drm_gpuvm_bo",
	.init = gt_init,
	.exit = gt_exit,
	.test_cases = gpuvm_bo_tests,
};

kunit_test_suite(gpuvm_bo_suite);
