// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * The stage of all scenes: two VMs, their objects, and a driver that keeps to the
 * rules. At the end everything is looked at, taken down, and nothing may be left.
 */
#include <drm/drm_drv.h>
#include <linux/err.h>
#include <linux/slab.h>

#include "scenes.h"
#include "shim.h"

struct stage *stage;
unsigned int mode, vm_flags;

static void vm_free(struct drm_gpuvm *gpuvm)
{
	/* It takes whatever a driver's page tables take. */
	CHECK(!in_signalling());
	stage->freed_vms++;
	kfree(container_of(gpuvm, struct scene_vm, base));
}

static int validate(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	dma_resv_assert_held(vm_bo->obj->resv);
	drm_gpuvm_bo_evict(vm_bo, false);

	return 0;
}

static const struct drm_gpuvm_ops vm_ops = {
	.vm_free = vm_free,
	.vm_bo_validate = validate,
};

static void obj_free(struct drm_gem_object *obj)
{
	drm_gem_object_release(obj);
	kfree(obj);
}

static const struct drm_gem_object_funcs obj_funcs = {
	.free = obj_free,
};

static struct drm_gem_object *make_obj(struct dma_resv *resv)
{
	struct drm_gem_object *obj = kzalloc_obj(*obj);

	obj->resv = resv;
	drm_gem_private_object_init(&stage->drm, obj, 0);
	obj->funcs = &obj_funcs;

	return obj;
}

static struct scene_vm *make_vm(struct drm_gem_object *r_obj)
{
	struct scene_vm *vm = kzalloc_obj(*vm);

	drm_gpuvm_init(&vm->base, "scene", vm_flags, &stage->drm, r_obj, 0, 64, 0, 0,
		       &vm_ops);

	return vm;
}

void stage_set(void)
{
	threads_begin();
	stage = kzalloc_obj(*stage);
	kref_init(&stage->drm.ref);
	for (unsigned int i = 0; i < 2; i++) {
		stage->r_obj[i] = make_obj(NULL);
		stage->vm[i] = make_vm(stage->r_obj[i]);
	}
	for (unsigned int i = 0; i < NR_OBJS; i++)
		stage->obj[i] = make_obj(i == LOCAL ? stage->r_obj[0]->resv : NULL);
}

/* ---- What a driver does ------------------------------------------------ */

struct drm_gpuvm *vm_of(unsigned int vm)
{
	return &stage->vm[vm]->base;
}

/* What guards an object's lists. */
static void lock_lists(struct drm_gem_object *obj)
{
	if (immediate())
		mutex_lock(&obj->gpuva.lock);
	else
		dma_resv_lock(obj->resv, NULL);
}

static void unlock_lists(struct drm_gem_object *obj)
{
	if (immediate())
		mutex_unlock(&obj->gpuva.lock);
	else
		dma_resv_unlock(obj->resv);
}

void lock_obj(unsigned int obj)
{
	lock_lists(stage->obj[obj]);
}

void unlock_obj(unsigned int obj)
{
	unlock_lists(stage->obj[obj]);
}

struct drm_gpuvm_bo *obtain(unsigned int vm, unsigned int obj)
{
	struct drm_gpuvm_bo *vm_bo;

	if (immediate()) {
		vm_bo = drm_gpuvm_bo_create(vm_of(vm), stage->obj[obj]);
		return drm_gpuvm_bo_obtain_prealloc(vm_bo);
	}

	lock_obj(obj);
	vm_bo = drm_gpuvm_bo_obtain_locked(vm_of(vm), stage->obj[obj]);
	unlock_obj(obj);

	return vm_bo;
}

/* For what may destroy a vm_bo in staged mode. It keeps the objects, too. */
static void lock_both(struct drm_exec *exec, struct drm_gem_object *r_obj,
		      struct drm_gem_object *obj)
{
	drm_exec_init(exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
	drm_exec_until_all_locked(exec) {
		if (protected())
			drm_exec_lock_obj(exec, r_obj);
		drm_exec_retry_on_contention(exec);
		drm_exec_lock_obj(exec, obj);
		drm_exec_retry_on_contention(exec);
	}
}

void put_bo(struct drm_gpuvm_bo *vm_bo)
{
	struct drm_exec exec;

	if (immediate()) {
		signalling_begin();
		drm_gpuvm_bo_put_deferred(vm_bo);
		signalling_end();
		return;
	}

	lock_both(&exec, vm_bo->vm->r_obj, vm_bo->obj);
	drm_gpuvm_bo_put(vm_bo);
	drm_exec_fini(&exec);
}

void put_staged(unsigned int vm, unsigned int obj)
{
	struct drm_gpuvm_bo *vm_bo = stage->bo[vm][obj];

	stage->bo[vm][obj] = NULL;
	put_bo(vm_bo);
}

/* Where that is not left to the core, whose work is then waited for. */
void cleanup(unsigned int vm)
{
	if (automatic())
		drm_gpuvm_flush_cleanup(sched_running() ? vm_of(vm) : NULL);
	else if (immediate())
		drm_gpuvm_bo_deferred_cleanup(vm_of(vm));
}

void add_extobj(unsigned int vm, unsigned int obj, struct drm_gpuvm_bo *vm_bo)
{
	if (protected())
		dma_resv_lock(drm_gpuvm_resv(vm_of(vm)), NULL);
	drm_gpuvm_bo_extobj_add(vm_bo);
	if (protected())
		dma_resv_unlock(drm_gpuvm_resv(vm_of(vm)));
}

void evict_obj(unsigned int nr, bool evict)
{
	struct drm_gem_object *obj = stage->obj[nr];

	dma_resv_lock(obj->resv, NULL);
	if (immediate())
		mutex_lock(&obj->gpuva.lock);
	drm_gpuvm_bo_gem_evict(obj, evict);
	if (immediate())
		mutex_unlock(&obj->gpuva.lock);
	dma_resv_unlock(obj->resv);
}

void insert_va(unsigned int nr, unsigned int vm, unsigned int obj)
{
	struct drm_gpuva *va = kzalloc_obj(*va);

	va->va.addr = nr * 8;
	va->va.range = 8;
	va->gem.obj = stage->obj[obj];
	write_lock(&stage->vm[vm]->lock);
	CHECK(!drm_gpuva_insert(vm_of(vm), va));
	write_unlock(&stage->vm[vm]->lock);
	stage->va[nr] = va;
}

void link_va(unsigned int nr, struct drm_gpuvm_bo *vm_bo, unsigned int obj)
{
	lock_obj(obj);
	drm_gpuva_link(stage->va[nr], vm_bo);
	unlock_obj(obj);
}

/* The only reference on the vm_bo is then that of the mapping. */
void map_va(unsigned int nr, unsigned int vm, unsigned int obj)
{
	struct drm_gpuvm_bo *vm_bo = obtain(vm, obj);

	insert_va(nr, vm, obj);
	link_va(nr, vm_bo, obj);
	put_bo(vm_bo);
}

void unlink_va(unsigned int nr)
{
	struct drm_gpuva *va = stage->va[nr];
	struct drm_exec exec;

	if (immediate()) {
		signalling_begin();
		drm_gpuva_unlink_defer(va);
		signalling_end();
		return;
	}

	lock_both(&exec, va->vm->r_obj, va->gem.obj);
	drm_gpuva_unlink(va);
	drm_exec_fini(&exec);
}

/* Off the VM, and gone; it was unlinked before. */
void remove_va(unsigned int nr)
{
	struct drm_gpuva *va = stage->va[nr];
	struct scene_vm *vm = container_of(va->vm, struct scene_vm, base);

	write_lock(&vm->lock);
	drm_gpuva_remove(va);
	write_unlock(&vm->lock);
	stage->va[nr] = NULL;
	kfree(va);
}

/* What a job has locked can be used. */
static void check_validated(struct drm_gpuvm *gpuvm, struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;

	if (immediate())
		mutex_lock(&obj->gpuva.lock);
	list_for_each_entry(vm_bo, &obj->gpuva.list, list.entry.gem)
		CHECK(vm_bo->vm != gpuvm || !vm_bo->evicted);
	if (immediate())
		mutex_unlock(&obj->gpuva.lock);
}

/* A job. */
void submit(unsigned int vm)
{
	struct drm_gpuvm_exec exec = {
		.vm = vm_of(vm),
		.flags = DRM_EXEC_IGNORE_DUPLICATES,
		.num_fences = 1,
	};
	struct drm_gem_object *obj;

	CHECK(!drm_gpuvm_exec_lock(&exec));
	CHECK(!drm_gpuvm_exec_validate(&exec));
	drm_exec_for_each_locked_object(&exec.exec, obj)
		check_validated(exec.vm, obj);
	drm_gpuvm_exec_resv_add_fence(&exec, &stage->fence, DMA_RESV_USAGE_BOOKKEEP,
				      DMA_RESV_USAGE_WRITE);
	drm_gpuvm_exec_unlock(&exec);
}

/* ---- What has to be so at the end -------------------------------------- */

static void check_list(struct list_head *list)
{
	struct list_head *entry = list;
	unsigned int n = 0;

	do {
		CHECK(entry->next->prev == entry);
		CHECK(n++ < 100);
		entry = entry->next;
	} while (entry != list);
}

static void check_bo(unsigned int vm, unsigned int obj, struct drm_gpuvm_bo *vm_bo)
{
	bool external = drm_gpuvm_is_extobj(vm_of(vm), stage->obj[obj]);

	CHECK(vm_bo->obj == stage->obj[obj]);
	CHECK(kref_read(&vm_bo->kref) > 0);
	CHECK(!stage->external[vm][obj] || !list_empty(&vm_bo->list.entry.extobj));
	if (!protected() || !external)
		CHECK(vm_bo->evicted == !list_empty(&vm_bo->list.entry.evict));
	check_list(&vm_bo->list.gpuva);
}

/* One vm_bo at most, and the same by way of the tree. */
static void check_pair(unsigned int vm, unsigned int obj)
{
	struct drm_gpuvm_bo *vm_bo, *found = NULL, *again;

	check_list(&stage->obj[obj]->gpuva.list);
	list_for_each_entry(vm_bo, &stage->obj[obj]->gpuva.list, list.entry.gem) {
		if (vm_bo->vm != vm_of(vm))
			continue;
		CHECK(!found);
		found = vm_bo;
		check_bo(vm, obj, vm_bo);
	}

	lock_obj(obj);
	again = drm_gpuvm_bo_find(vm_of(vm), stage->obj[obj]);
	unlock_obj(obj);
	CHECK(again == found);
	if (again)
		put_bo(again);
}

static void check_vm(unsigned int vm)
{
	struct drm_gpuvm *gpuvm = vm_of(vm);
	unsigned int bos = 0;
	struct rb_node *node;

	check_list(&gpuvm->rb.list);
	check_list(&gpuvm->extobj.list);
	check_list(&gpuvm->evict.list);
	CHECK(!gpuvm->extobj.local_list && !gpuvm->evict.local_list);
	CHECK(llist_empty(&gpuvm->bo_defer));
	for (node = rb_first(&gpuvm->bos.tree); node; node = rb_next(node))
		bos++;
	for (unsigned int obj = 0; obj < NR_OBJS; obj++) {
		struct drm_gpuvm_bo *vm_bo;

		if (!stage->obj[obj])
			continue;
		check_pair(vm, obj);
		list_for_each_entry(vm_bo, &stage->obj[obj]->gpuva.list, list.entry.gem)
			bos -= vm_bo->vm == gpuvm;
	}
	CHECK(!bos);
}

static void check_cursor(unsigned int vm)
{
	struct drm_gpuvm *gpuvm = vm_of(vm);
	struct list_head *entry;

	list_for_each(entry, &gpuvm->rb.list) {
		if (entry == gpuvm->rb.cursor)
			return;
	}
	CHECK(gpuvm->rb.cursor == &gpuvm->rb.list);
}

/* What the scene has left standing. */
static void take_down(void)
{
	for (unsigned int i = 0; i < NR_VAS; i++) {
		if (!stage->va[i])
			continue;
		unlink_va(i);
		remove_va(i);
	}
	for (unsigned int vm = 0; vm < 2; vm++) {
		for (unsigned int obj = 0; obj < NR_OBJS; obj++) {
			if (stage->bo[vm][obj])
				put_staged(vm, obj);
		}
	}
}

void stage_clear(void)
{
	CHECK(nothing_held());
	for (unsigned int vm = 0; vm < 2; vm++) {
		if (stage->vm[vm]) {
			cleanup(vm);
			check_vm(vm);
			check_cursor(vm);
		}
	}
	take_down();
	for (unsigned int vm = 0; vm < 2; vm++) {
		if (stage->vm[vm]) {
			cleanup(vm);
			for (unsigned int obj = 0; obj < NR_OBJS; obj++)
				CHECK(!stage->obj[obj] ||
				      list_empty(&stage->obj[obj]->gpuva.list) || vm == 0);
			drm_gpuvm_put(vm_of(vm));
		}
		CHECK(kref_read(&stage->r_obj[vm]->refcount) == 1);
	}
	CHECK(stage->freed_vms == 2);
	for (unsigned int obj = 0; obj < NR_OBJS; obj++) {
		if (stage->obj[obj]) {
			CHECK(kref_read(&stage->obj[obj]->refcount) == 1);
			drm_gem_object_put(stage->obj[obj]);
		}
	}
	for (unsigned int vm = 0; vm < 2; vm++)
		drm_gem_object_put(stage->r_obj[vm]);
	CHECK(kref_read(&stage->drm.ref) == 1);
	kfree(stage);
	if (sched_live())
		sched_fail("%u allocations are left", sched_live());
}
