// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * The lists of external and of evicted objects, in all modes.
 */

#include "gpuvm_test.h"

static struct drm_gpuvm *list_vm(struct gt *gt, enum drm_gpuvm_flags flags)
{
	return gt_vm_at(gt, flags, GT_VM_START, GT_VM_RANGE, 0, 0, &gt_ops_embed);
}

static size_t extobjs(struct drm_gpuvm *vm)
{
	return list_count_nodes(&vm->extobj.list);
}

static size_t evicted(struct drm_gpuvm *vm)
{
	return list_count_nodes(&vm->evict.list);
}

static void extobj_add_once(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = list_vm(gt, mode->flags);
	struct drm_gpuvm_bo *vm_bo[2];
	struct drm_exec exec;
	unsigned int i;

	vm_bo[0] = gt_vm_bo(gt, vm, gt_obj(gt, 'a', NULL));
	vm_bo[1] = gt_vm_bo(gt, vm, gt_obj(gt, 'b', NULL));
	gt_lock(gt, vm, &exec);
	for (i = 0; i < 4; i++)
		drm_gpuvm_bo_extobj_add(vm_bo[i % 2]);
	drm_exec_fini(&exec);

	KUNIT_EXPECT_EQ(test, extobjs(vm), 2);
	gpuvm_check(test, vm);
	gt_vm_bo_put(gt, vm_bo[0]);
	drm_gpuvm_bo_deferred_cleanup(vm);
	KUNIT_EXPECT_EQ(test, extobjs(vm), 1);
	gpuvm_check(test, vm);
	gt_vm_bo_put(gt, vm_bo[1]);
	drm_gpuvm_bo_deferred_cleanup(vm);
	KUNIT_EXPECT_EQ(test, extobjs(vm), 0);
}

static void extobj_add_not_for_local_objects(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = list_vm(gt, mode->flags);
	struct drm_gpuvm *other = list_vm(gt, mode->flags);
	struct drm_gem_object *obj = gt_obj(gt, 'a', vm);
	struct drm_gpuvm_bo *local = gt_vm_bo(gt, vm, obj);
	struct drm_gpuvm_bo *ext = gt_vm_bo(gt, other, obj);

	KUNIT_EXPECT_EQ(test, extobjs(vm), 0);
	KUNIT_EXPECT_EQ(test, extobjs(other), 1);
	gpuvm_check(test, vm);
	gpuvm_check(test, other);
	gt_vm_bo_put(gt, local);
	gt_vm_bo_put(gt, ext);
	drm_gpuvm_bo_deferred_cleanup(vm);
	drm_gpuvm_bo_deferred_cleanup(other);
	KUNIT_EXPECT_EQ(test, extobjs(other), 0);
}

static void evict_local(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = list_vm(gt, mode->flags);
	struct drm_gpuvm_bo *vm_bo = gt_vm_bo(gt, vm, gt_obj(gt, 'a', vm));
	struct drm_exec exec;
	unsigned int i;

	gt_lock(gt, vm, &exec);
	for (i = 0; i < 2; i++) {
		drm_gpuvm_bo_evict(vm_bo, true);
		KUNIT_EXPECT_TRUE(test, vm_bo->evicted);
		KUNIT_EXPECT_EQ(test, evicted(vm), 1);
		gpuvm_check(test, vm);
	}
	for (i = 0; i < 2; i++) {
		drm_gpuvm_bo_evict(vm_bo, false);
		KUNIT_EXPECT_FALSE(test, vm_bo->evicted);
		KUNIT_EXPECT_EQ(test, evicted(vm), 0);
		gpuvm_check(test, vm);
	}
	drm_exec_fini(&exec);
	gt_vm_bo_put(gt, vm_bo);
}

/* With resv locks, an external object gets on the list when both are locked. */
static void evict_external(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	bool later = mode->flags & DRM_GPUVM_RESV_PROTECTED;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = list_vm(gt, mode->flags);
	struct drm_gem_object *obj = gt_obj(gt, 'a', NULL);
	struct drm_gpuvm_bo *vm_bo = gt_vm_bo(gt, vm, obj);
	struct drm_gpuvm_exec vm_exec = { .vm = vm, .num_fences = 1 };

	/* The object's lock alone has to be enough. */
	dma_resv_lock(obj->resv, NULL);
	drm_gpuvm_bo_evict(vm_bo, true);
	dma_resv_unlock(obj->resv);
	KUNIT_EXPECT_TRUE(test, vm_bo->evicted);
	KUNIT_EXPECT_EQ(test, evicted(vm), later ? 0 : 1);
	gpuvm_check(test, vm);

	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock(&vm_exec), 0);
	KUNIT_EXPECT_EQ(test, evicted(vm), 1);
	gpuvm_check(test, vm);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_exec_validate(&vm_exec), 0);
	KUNIT_EXPECT_EQ(test, gt->validated, 1);
	KUNIT_EXPECT_EQ(test, evicted(vm), 0);
	gpuvm_check(test, vm);
	drm_gpuvm_exec_unlock(&vm_exec);

	/* Evicted and brought back by somebody else, before the next walk. */
	dma_resv_lock(obj->resv, NULL);
	drm_gpuvm_bo_evict(vm_bo, true);
	drm_gpuvm_bo_evict(vm_bo, false);
	dma_resv_unlock(obj->resv);
	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock(&vm_exec), 0);
	KUNIT_EXPECT_EQ(test, evicted(vm), 0);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_exec_validate(&vm_exec), 0);
	KUNIT_EXPECT_EQ(test, gt->validated, 1);
	drm_gpuvm_exec_unlock(&vm_exec);

	gt_vm_bo_put(gt, vm_bo);
}

/* Every VM of an object hears that it was evicted. */
static void gem_evict_tells_all_vms(struct kunit *test)
	__context_unsafe("which locks they are depends on the mode")
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm[2] = { list_vm(gt, mode->flags), list_vm(gt, mode->flags) };
	struct drm_gem_object *obj = gt_obj(gt, 'a', vm[0]);
	struct drm_gpuvm_bo *vm_bo[2];
	unsigned int i, j;

	for (i = 0; i < 2; i++)
		vm_bo[i] = gt_vm_bo(gt, vm[i], obj);

	for (j = 0; j < 2; j++) {
		dma_resv_lock(obj->resv, NULL);
		if (mode->flags & DRM_GPUVM_IMMEDIATE_MODE)
			mutex_lock(&obj->gpuva.lock);
		drm_gpuvm_bo_gem_evict(obj, !j);
		if (mode->flags & DRM_GPUVM_IMMEDIATE_MODE)
			mutex_unlock(&obj->gpuva.lock);
		dma_resv_unlock(obj->resv);
		for (i = 0; i < 2; i++) {
			KUNIT_EXPECT_EQ(test, vm_bo[i]->evicted, !j);
			gpuvm_check(test, vm[i]);
		}
	}

	for (i = 0; i < 2; i++)
		gt_vm_bo_put(gt, vm_bo[i]);
}

/* Three objects, evicted and locked; the state that validation starts from. */
struct validate {
	struct drm_gpuvm *vm;
	struct drm_gem_object *obj[3];
	struct drm_gpuvm_bo *vm_bo[3];
	struct drm_gpuvm_exec exec;
};

static void validate_begin(struct gt *gt, struct validate *v,
			   enum drm_gpuvm_flags flags)
{
	unsigned int i;

	memset(v, 0, sizeof(*v));
	v->vm = list_vm(gt, flags);
	for (i = 0; i < 3; i++) {
		v->obj[i] = gt_obj(gt, 'a' + i, i ? NULL : v->vm);
		v->vm_bo[i] = gt_vm_bo(gt, v->vm, v->obj[i]);
		dma_resv_lock(v->obj[i]->resv, NULL);
		drm_gpuvm_bo_evict(v->vm_bo[i], true);
		dma_resv_unlock(v->obj[i]->resv);
	}
	v->exec.vm = v->vm;
	KUNIT_ASSERT_EQ(gt->test, drm_gpuvm_exec_lock(&v->exec), 0);
	KUNIT_EXPECT_EQ(gt->test, evicted(v->vm), 3);
	gpuvm_check(gt->test, v->vm);
}

static void validate_end(struct gt *gt, struct validate *v)
{
	unsigned int i;

	gpuvm_check(gt->test, v->vm);
	drm_gpuvm_exec_unlock(&v->exec);
	for (i = 0; i < 3; i++)
		if (v->vm_bo[i])
			gt_vm_bo_put(gt, v->vm_bo[i]);
	drm_gpuvm_bo_deferred_cleanup(v->vm);
	gt_is_live(gt, GT_VM_BOS, 0);
	gpuvm_check(gt->test, v->vm);
}

/* A driver may clear the flag itself. */
static int validate_by_flag(struct gt *gt, struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	vm_bo->evicted = false;
	return 0;
}

static void validate_all(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct validate v;
	unsigned int i;

	validate_begin(gt, &v, mode->flags);
	gt->validate = validate_by_flag;
	KUNIT_EXPECT_EQ(test, drm_gpuvm_validate(v.vm, &v.exec.exec), 0);
	KUNIT_EXPECT_EQ(test, gt->validated, 3);
	KUNIT_EXPECT_EQ(test, evicted(v.vm), 0);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, kref_read(&v.vm_bo[i]->kref), 1);

	/* Nothing is left for a second time. */
	KUNIT_EXPECT_EQ(test, drm_gpuvm_validate(v.vm, &v.exec.exec), 0);
	KUNIT_EXPECT_EQ(test, gt->validated, 3);
	validate_end(gt, &v);
}

/* The usual way: the driver's move notification calls drm_gpuvm_bo_evict(). */
static void validate_callback_ends_eviction(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct validate v;

	validate_begin(gt, &v, mode->flags);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_validate(v.vm, &v.exec.exec), 0);
	KUNIT_EXPECT_EQ(test, gt->validated, 3);
	KUNIT_EXPECT_EQ(test, evicted(v.vm), 0);
	validate_end(gt, &v);
}

/* A driver that knows its objects to be locked need not have a drm_exec. */
static void validate_without_exec(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct validate v;

	validate_begin(gt, &v, mode->flags);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_validate(v.vm, NULL), 0);
	KUNIT_EXPECT_EQ(test, gt->validated, 3);
	KUNIT_EXPECT_EQ(test, evicted(v.vm), 0);
	validate_end(gt, &v);
}

static int fail_second(struct gt *gt, struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	if (gt->validated == 2)
		return -ENOSPC;

	drm_gpuvm_bo_evict(vm_bo, false);
	return 0;
}

static void validate_stops_at_failure(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct validate v;

	validate_begin(gt, &v, mode->flags);
	gt->validate = fail_second;
	KUNIT_EXPECT_EQ(test, drm_gpuvm_validate(v.vm, &v.exec.exec), -ENOSPC);
	KUNIT_EXPECT_EQ(test, gt->validated, 2);
	KUNIT_EXPECT_EQ(test, evicted(v.vm), 2);
	gpuvm_check(test, v.vm);

	/* The rest follows. */
	gt->validated = 2;
	gt->validate = NULL;
	KUNIT_EXPECT_EQ(test, drm_gpuvm_validate(v.vm, &v.exec.exec), 0);
	KUNIT_EXPECT_EQ(test, gt->validated, 4);
	KUNIT_EXPECT_EQ(test, evicted(v.vm), 0);
	validate_end(gt, &v);
}

static int succeed_but_stay_evicted(struct gt *gt, struct drm_gpuvm_bo *vm_bo,
				    struct drm_exec *exec)
{
	return 0;
}

/* A callback that leaves an object evicted will be asked again. */
static void validate_leaves_evicted_on_list(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct validate v;

	validate_begin(gt, &v, mode->flags);
	gt->validate = succeed_but_stay_evicted;
	KUNIT_EXPECT_EQ(test, drm_gpuvm_validate(v.vm, &v.exec.exec), 0);
	KUNIT_EXPECT_EQ(test, gt->validated, 3);
	KUNIT_EXPECT_EQ(test, evicted(v.vm), 3);
	gpuvm_check(test, v.vm);

	gt->validate = NULL;
	KUNIT_EXPECT_EQ(test, drm_gpuvm_validate(v.vm, &v.exec.exec), 0);
	KUNIT_EXPECT_EQ(test, gt->validated, 6);
	KUNIT_EXPECT_EQ(test, evicted(v.vm), 0);
	validate_end(gt, &v);
}

/* Bringing one object back throws others out, whether seen already or not. */
static int evict_others(struct gt *gt, struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	struct validate *v = gt->validate_priv;
	unsigned int i;

	if (gt->validated > 3)
		return -EIO;

	drm_gpuvm_bo_evict(vm_bo, false);
	for (i = 0; i < 3; i++)
		if (v->vm_bo[i] != vm_bo)
			drm_gpuvm_bo_evict(v->vm_bo[i], true);

	return 0;
}

static void validate_evicts_others(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct validate v;
	unsigned int i, n = 0;
	int ret;

	validate_begin(gt, &v, mode->flags);
	gt->validate = evict_others;
	gt->validate_priv = &v;
	ret = drm_gpuvm_validate(v.vm, &v.exec.exec);
	/* One that is evicted again may be seen in the same walk or the next. */
	KUNIT_EXPECT_TRUE(test, !ret || ret == -EIO);
	for (i = 0; i < 3; i++)
		n += v.vm_bo[i]->evicted;
	KUNIT_EXPECT_GE(test, n, 2);
	gpuvm_check(test, v.vm);

	/* External ones get back on the list by the next prepare_objects. */
	gt->validate = NULL;
	drm_gpuvm_exec_unlock(&v.exec);
	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock(&v.exec), 0);
	KUNIT_EXPECT_EQ(test, evicted(v.vm), n);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_validate(v.vm, &v.exec.exec), 0);
	KUNIT_EXPECT_EQ(test, evicted(v.vm), 0);
	validate_end(gt, &v);
}

static int put_another(struct gt *gt, struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	struct validate *v = gt->validate_priv;
	unsigned int i;

	drm_gpuvm_bo_evict(vm_bo, false);
	for (i = 0; i < 3; i++) {
		if (!v->vm_bo[i] || v->vm_bo[i] == vm_bo)
			continue;
		if (drm_gpuvm_immediate_mode(v->vm))
			drm_gpuvm_bo_put_deferred(v->vm_bo[i]);
		else
			drm_gpuvm_bo_put(v->vm_bo[i]);
		v->vm_bo[i] = NULL;
	}

	return 0;
}

/* Objects leave the VM while the walk goes on. */
static void validate_while_others_go(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct validate v;

	validate_begin(gt, &v, mode->flags);
	gt->validate = put_another;
	gt->validate_priv = &v;
	KUNIT_EXPECT_EQ(test, drm_gpuvm_validate(v.vm, &v.exec.exec), 0);
	KUNIT_EXPECT_EQ(test, gt->validated, 1);
	validate_end(gt, &v);
}

/*
 * The callback gives up the last other reference on the vm_bo at hand, so the
 * walk drops the last one: with the lock that destruction needs, or deferred.
 */
static int put_this(struct gt *gt, struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	struct validate *v = gt->validate_priv;
	unsigned int i;

	for (i = 0; i < 3; i++)
		if (v->vm_bo[i] == vm_bo)
			v->vm_bo[i] = NULL;

	if (drm_gpuvm_immediate_mode(v->vm))
		drm_gpuvm_bo_put_deferred(vm_bo);
	else
		drm_gpuvm_bo_put(vm_bo);

	return 0;
}

static void validate_drops_last_reference_under_lock(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct validate v;

	validate_begin(gt, &v, mode->flags);
	gt->validate = put_this;
	gt->validate_priv = &v;
	KUNIT_EXPECT_EQ(test, drm_gpuvm_validate(v.vm, &v.exec.exec), 0);
	KUNIT_EXPECT_EQ(test, gt->validated, 3);
	gt_is_live(gt, GT_VM_BOS, drm_gpuvm_immediate_mode(v.vm) ? 3 : 0);
	validate_end(gt, &v);
}

/* What was evicted after the objects were locked waits for the next time. */
static void validate_skips_what_is_not_locked(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gem_object *obj;
	struct validate v;

	if (mode->flags & DRM_GPUVM_RESV_PROTECTED)
		kunit_skip(test, "the VM's resv keeps others away");

	validate_begin(gt, &v, mode->flags);
	drm_gpuvm_exec_unlock(&v.exec);
	obj = gt_obj(gt, 'd', NULL);
	vm_bo = gt_vm_bo(gt, v.vm, obj);
	dma_resv_lock(obj->resv, NULL);
	drm_gpuvm_bo_evict(vm_bo, true);
	dma_resv_unlock(obj->resv);

	/* It is not on the extobj list yet as far as this exec knows. */
	spin_lock(&v.vm->extobj.lock);
	list_del_init(&vm_bo->list.entry.extobj);
	spin_unlock(&v.vm->extobj.lock);
	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock(&v.exec), 0);
	drm_gpuvm_bo_extobj_add(vm_bo);

	KUNIT_EXPECT_EQ(test, drm_gpuvm_validate(v.vm, &v.exec.exec), 0);
	KUNIT_EXPECT_EQ(test, gt->validated, 3);
	KUNIT_EXPECT_EQ(test, evicted(v.vm), 1);
	KUNIT_EXPECT_TRUE(test, vm_bo->evicted);
	gpuvm_check(test, v.vm);
	drm_gpuvm_exec_unlock(&v.exec);

	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock(&v.exec), 0);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_validate(v.vm, &v.exec.exec), 0);
	KUNIT_EXPECT_EQ(test, gt->validated, 4);
	KUNIT_EXPECT_EQ(test, evicted(v.vm), 0);
	drm_gpuvm_exec_unlock(&v.exec);

	gt_vm_bo_put(gt, vm_bo);
	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock(&v.exec), 0);
	validate_end(gt, &v);
}

static int validate_again(struct gt *gt, struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	int *ret = gt->validate_priv;

	gt_warn_begin(gt);
	*ret = drm_gpuvm_validate(vm_bo->vm, exec);
	gt_warn_end(gt, 1, 1);
	drm_gpuvm_bo_evict(vm_bo, false);

	return 0;
}

/* Two walks at a time would each miss objects: the second is refused. */
static void second_walk_is_refused(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct validate v;
	int ret = 0;

	if (mode->flags & DRM_GPUVM_RESV_PROTECTED)
		kunit_skip(test, "the VM's resv lets only one in");

	validate_begin(gt, &v, mode->flags);
	gt->validate = validate_again;
	gt->validate_priv = &ret;
	KUNIT_EXPECT_EQ(test, drm_gpuvm_validate(v.vm, &v.exec.exec), 0);
	KUNIT_EXPECT_EQ(test, ret, -EBUSY);
	KUNIT_EXPECT_EQ(test, gt->validated, 3);
	KUNIT_EXPECT_EQ(test, evicted(v.vm), 0);
	validate_end(gt, &v);
}

static void validate_without_callback(struct kunit *test)
{
	static struct drm_gpuvm_ops ops;
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm;

	ops = gt_ops;
	ops.vm_bo_validate = NULL;
	vm = gt_vm_at(gt, mode->flags, GT_VM_START, GT_VM_RANGE, 0, 0, &ops);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_validate(vm, NULL), -EOPNOTSUPP);
}

/* Zombies stay on lists that the VM's resv guards; walks pass them by. */
static void walks_skip_zombies(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	unsigned int objs = 0;
	struct drm_gem_object *obj;
	struct validate v;

	if (!(mode->flags & DRM_GPUVM_IMMEDIATE_MODE))
		kunit_skip(test, "for immediate mode");

	validate_begin(gt, &v, mode->flags);
	drm_gpuvm_exec_unlock(&v.exec);

	KUNIT_EXPECT_TRUE(test, drm_gpuvm_bo_put_deferred(v.vm_bo[0]));
	KUNIT_EXPECT_TRUE(test, drm_gpuvm_bo_put_deferred(v.vm_bo[1]));
	v.vm_bo[0] = NULL;
	v.vm_bo[1] = NULL;
	KUNIT_EXPECT_EQ(test, evicted(v.vm), drm_gpuvm_resv_protected(v.vm) ? 3 : 1);
	gpuvm_check(test, v.vm);

	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock(&v.exec), 0);
	drm_exec_for_each_locked_object(&v.exec.exec, obj) {
		KUNIT_EXPECT_PTR_NE(test, obj, v.obj[1]);
		objs++;
	}
	KUNIT_EXPECT_EQ(test, objs, 2);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_validate(v.vm, &v.exec.exec), 0);
	KUNIT_EXPECT_EQ(test, gt->validated, 1);
	gpuvm_check(test, v.vm);
	drm_gpuvm_exec_unlock(&v.exec);

	drm_gpuvm_bo_deferred_cleanup(v.vm);
	KUNIT_EXPECT_EQ(test, evicted(v.vm), 0);
	KUNIT_EXPECT_EQ(test, extobjs(v.vm), 1);
	gt_is_live(gt, GT_VM_BOS, 1);
	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock(&v.exec), 0);
	validate_end(gt, &v);
}

struct extra_add {
	struct drm_gpuvm_bo *vm_bo;
	unsigned int calls;
};

static int extra_adds_extobj(struct drm_gpuvm_exec *vm_exec)
{
	struct extra_add *extra = vm_exec->extra.priv;

	extra->calls++;
	drm_gpuvm_bo_extobj_add(extra->vm_bo);

	return 0;
}

/* Objects may become external at any time; the next walk sees them. */
static void extobj_added_between_walks(struct kunit *test)
{
	const struct gt_mode *mode = test->param_value;
	struct gt *gt = test->priv;
	struct extra_add extra = { };
	struct validate v;

	validate_begin(gt, &v, mode->flags);
	drm_gpuvm_exec_unlock(&v.exec);

	/* Off the list by hand: as a vm_bo that was not yet added. */
	extra.vm_bo = v.vm_bo[2];
	list_del_init(&extra.vm_bo->list.entry.extobj);
	v.exec.extra.fn = extra_adds_extobj;
	v.exec.extra.priv = &extra;
	gt_no_made_up_contention(6);
	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock(&v.exec), 0);
	KUNIT_EXPECT_EQ(test, extra.calls, 1);
	KUNIT_EXPECT_EQ(test, v.exec.exec.num_objects, 2);
	KUNIT_EXPECT_EQ(test, extobjs(v.vm), 2);
	gpuvm_check(test, v.vm);
	drm_gpuvm_exec_unlock(&v.exec);

	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock(&v.exec), 0);
	KUNIT_EXPECT_EQ(test, v.exec.exec.num_objects, 3);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_validate(v.vm, &v.exec.exec), 0);
	validate_end(gt, &v);
}

static struct kunit_case gpuvm_list_tests[] = {
	KUNIT_CASE_PARAM(extobj_add_once, gt_mode_gen_params),
	KUNIT_CASE_PARAM(extobj_add_not_for_local_objects, gt_mode_gen_params),
	KUNIT_CASE_PARAM(evict_local, gt_mode_gen_params),
	KUNIT_CASE_PARAM(evict_external, gt_mode_gen_params),
	KUNIT_CASE_PARAM(gem_evict_tells_all_vms, gt_mode_gen_params),
	KUNIT_CASE_PARAM(validate_all, gt_mode_gen_params),
	KUNIT_CASE_PARAM(validate_callback_ends_eviction, gt_mode_gen_params),
	KUNIT_CASE_PARAM(validate_without_exec, gt_mode_gen_params),
	KUNIT_CASE_PARAM(validate_stops_at_failure, gt_mode_gen_params),
	KUNIT_CASE_PARAM(validate_leaves_evicted_on_list, gt_mode_gen_params),
	KUNIT_CASE_PARAM(validate_evicts_others, gt_mode_gen_params),
	KUNIT_CASE_PARAM(validate_while_others_go, gt_mode_gen_params),
	KUNIT_CASE_PARAM(validate_drops_last_reference_under_lock, gt_mode_gen_params),
	KUNIT_CASE_PARAM(validate_skips_what_is_not_locked, gt_mode_gen_params),
	KUNIT_CASE_PARAM(second_walk_is_refused, gt_mode_gen_params),
	KUNIT_CASE_PARAM(validate_without_callback, gt_mode_gen_params),
	KUNIT_CASE_PARAM(walks_skip_zombies, gt_mode_gen_params),
	KUNIT_CASE_PARAM(extobj_added_between_walks, gt_mode_gen_params),
	{}
};

static struct kunit_suite gpuvm_list_suite = {
	.name = "drm_gpuvm_list",
	.init = gt_init,
	.exit = gt_exit,
	.test_cases = gpuvm_list_tests,
};

kunit_test_suite(gpuvm_list_suite);
