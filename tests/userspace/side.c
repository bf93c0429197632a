// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * A driver that is as simple as the rules allow. Built once for each core.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/rbtree_augmented.h>

#include "side_driver.h"

static int (*const run_kind[NR_REQS])(struct side_vm *vm,
				      const struct request *req,
				      struct outcome *out) = {
	[REQ_MAP] = run_change,
	[REQ_MAP_LIST] = run_change,
	[REQ_MAP_DROP] = run_change,
	[REQ_UNMAP] = run_change,
	[REQ_UNMAP_LIST] = run_change,
	[REQ_UNMAP_DROP] = run_change,
	[REQ_MADVISE] = run_change,
	[REQ_MADVISE_DROP] = run_change,
	[REQ_BO_UNMAP] = run_change,
	[REQ_PREFETCH] = run_change,
	[REQ_INSERT] = run_insert,
	[REQ_GPUVA_MAP] = run_insert,
	[REQ_REMOVE] = run_remove,
	[REQ_CLEAR] = run_clear,
	[REQ_VALID] = run_query,
	[REQ_EMPTY] = run_query,
	[REQ_FIND] = run_query,
	[REQ_FIND_FIRST] = run_query,
	[REQ_FIND_PREV] = run_query,
	[REQ_FIND_NEXT] = run_query,
	[REQ_WALK] = run_walk,
	[REQ_WALK_SAFE] = run_walk,
	[REQ_WALK_ALL] = run_walk,
	[REQ_WALK_ALL_SAFE] = run_walk,
	[REQ_MAPPINGS] = run_walk,
	[REQ_MAPPINGS_SAFE] = run_walk,
	[REQ_MAPPINGS_ALL] = run_walk,
	[REQ_MAPPINGS_ALL_SAFE] = run_walk,
	[REQ_LOCK] = run_lock,
	[REQ_LOCK_ARRAY] = run_lock,
	[REQ_LOCK_RANGE] = run_lock,
	[REQ_LOCK_MAP] = run_lock_request,
	[REQ_LOCK_UNMAP] = run_lock_request,
	[REQ_FENCE] = run_lock,
	[REQ_EVICT] = run_evict,
	[REQ_VALIDATE] = run_lock,
	[REQ_CLEANUP] = run_cleanup,
	[REQ_REMOVE_TWICE] = run_misuse,
	[REQ_UNLINK_UNLINKED] = run_misuse,
	[REQ_REMAP_OUTSIDE] = run_misuse,
	[REQ_REMAP_UNINSERTED] = run_misuse,
};

static void side_run(struct side_vm *vm, const struct request *req,
		     struct outcome *out)
{
	out->nr = 0;
	out->allocs = 0;
	out->ret = run_kind[req->kind](vm, req, out);

	if (immediate(vm) && !(req->flags & REQ_LAZY))
		drm_gpuvm_bo_deferred_cleanup(&vm->base);

	CHECK(!shim.resvs && !shim.mutexes && !shim.spins);
}

/* ---- Life cycle -------------------------------------------------------- */

static void vm_free(struct drm_gpuvm *gpuvm)
{
	container_of(gpuvm, struct side_vm, base)->freed = true;
}

/* Not at the beginning, so that only the driver can free them. */
struct driver_op {
	void *driver;
	struct drm_gpuva_op base;
};

struct driver_bo {
	void *driver;
	struct drm_gpuvm_bo base;
};

static struct drm_gpuva_op *driver_op_alloc(void)
{
	struct driver_op *op = shim_alloc(sizeof(*op));

	return op ? &op->base : NULL;
}

static void driver_op_free(struct drm_gpuva_op *op)
{
	shim_free(container_of(op, struct driver_op, base));
}

static struct drm_gpuvm_bo *driver_bo_alloc(void)
{
	struct driver_bo *vm_bo = shim_alloc(sizeof(*vm_bo));

	return vm_bo ? &vm_bo->base : NULL;
}

static void driver_bo_free(struct drm_gpuvm_bo *vm_bo)
{
	shim_free(container_of(vm_bo, struct driver_bo, base));
}

static void obj_free(struct drm_gem_object *obj)
{
	struct side_vm *vm = container_of(obj->dev, struct side_vm, drm);

	drm_gem_object_release(obj);
	vm->freed_objs++;
	free(obj);
}

static const struct drm_gem_object_funcs obj_funcs = {
	.free = obj_free,
};

static void vm_init_void(struct side_vm *vm, const struct config *config)
{
	drm_gpuvm_init(&vm->base, "test", config->flags, &vm->drm, vm->r_obj,
		       config->start, config->range,
		       config->reserve, config->reserve_range, &vm->ops);
}

#ifndef SIDE_MAINLINE
/* The list and whose walk is under way. Passed entries are the walk's. */
static u64 bo_list_guarded(spinlock_t *lock)
{
	struct drm_gpuvm_bo_list *bos = container_of(lock, typeof(*bos), lock);
	u64 sum = (unsigned long)bos->local_list;
	struct list_head *entry;

	list_for_each(entry, &bos->list)
		sum = sum * 31 + (unsigned long)entry;

	return sum;
}

/* In immediate mode: the object's vm_bos, and what is linked to them. */
static u64 gem_guarded(struct mutex *lock)
{
	struct drm_gem_object *obj = container_of(lock, typeof(*obj), gpuva.lock);
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuva *va;
	u64 sum = 0;

	drm_gem_for_each_gpuvm_bo(vm_bo, obj) {
		sum = sum * 31 + (unsigned long)vm_bo;
		drm_gpuvm_bo_for_each_va(va, vm_bo)
			sum = sum * 31 + (unsigned long)va;
	}

	return sum;
}

/* The VM's tree of vm_bos. */
static u64 bos_guarded(spinlock_t *lock)
{
	struct drm_gpuvm *gpuvm = container_of(lock, typeof(*gpuvm), bos.lock);
	struct rb_node *node;
	u64 sum = 0;

	for (node = rb_first(&gpuvm->bos.tree); node; node = rb_next(node))
		sum = sum * 31 + (unsigned long)node;

	return sum;
}

static void guard_lists(struct side_vm *vm)
{
	struct drm_gpuvm *gpuvm = &vm->base;

	gpuvm->extobj.lock.guarded = bo_list_guarded;
	gpuvm->extobj.lock.seen = bo_list_guarded(&gpuvm->extobj.lock);
	gpuvm->evict.lock.guarded = bo_list_guarded;
	gpuvm->evict.lock.seen = bo_list_guarded(&gpuvm->evict.lock);

	gpuvm->bos.lock.guarded = bos_guarded;
	gpuvm->bos.lock.seen = 0;

	for (int i = 0; i < NR_OBJS && immediate(vm); i++) {
		vm->objs[i]->gpuva.lock.guarded = gem_guarded;
		vm->objs[i]->gpuva.lock.seen = 0;
	}
}
#endif

static bool vm_init(struct side_vm *vm, const struct config *config)
{
#ifndef SIDE_MAINLINE
	if (!config->void_init)
		return !drm_gpuvm_try_init(&vm->base, "test", config->flags,
					   &vm->drm, vm->r_obj,
					   config->start, config->range,
					   config->reserve,
					   config->reserve_range, &vm->ops);
#endif
	vm_init_void(vm, config);

	return true;
}

static void put_objs(struct side_vm *vm)
{
	for (int i = 0; i < NR_OBJS; i++) {
		CHECK(kref_read(&vm->objs[i]->refcount) == 1);
		drm_gem_object_put(vm->objs[i]);
	}
	CHECK(vm->freed_objs == NR_OBJS);
	CHECK(kref_read(&vm->r_obj->refcount) == 1);
	drm_gem_object_put(vm->r_obj);
	CHECK(kref_read(&vm->drm.ref) == 1);
}

static struct side_vm *side_create(const struct config *config)
{
	struct side_vm *vm = calloc(1, sizeof(*vm));

	vm->early_put = config->early_put;
	kref_init(&vm->drm.ref);
	vm->ops = (struct drm_gpuvm_ops) {
		.vm_free = vm_free,
		.vm_bo_validate = validate,
		.sm_step_map = step,
		.sm_step_remap = step,
		.sm_step_unmap = step,
	};
	if (config->driver_allocs) {
		vm->ops.op_alloc = driver_op_alloc;
		vm->ops.op_free = driver_op_free;
		vm->ops.vm_bo_alloc = driver_bo_alloc;
		vm->ops.vm_bo_free = driver_bo_free;
	}

	vm->r_obj = drm_gpuvm_resv_object_alloc(&vm->drm);
	if (!vm->r_obj) {
		free(vm);
		return NULL;
	}

	for (int i = 0; i < NR_OBJS; i++) {
		vm->objs[i] = calloc(1, sizeof(*vm->objs[i]));
		vm->objs[i]->funcs = &obj_funcs;
		if (!i)
			vm->objs[i]->resv = vm->r_obj->resv;
		drm_gem_private_object_init(&vm->drm, vm->objs[i], 0);
	}

	if (vm_init(vm, config)) {
#ifndef SIDE_MAINLINE
		guard_lists(vm);
#endif
		return vm;
	}

	put_objs(vm);
	free(vm);

	return NULL;
}

static void side_destroy(struct side_vm *vm)
{
	struct drm_gpuva *va, *next;

	if (vm->early_put && drm_gpuvm_immediate_mode(&vm->base))
		vm->early_put = false;	/* the cleanup needs a VM */
	drm_gpuvm_bo_deferred_cleanup(&vm->base);

	/* Keeps the locks in reach, not the VM. */
	if (vm->early_put)
		drm_gpuvm_put(&vm->base);

	if (!vm->freed) {
		lock_objs(vm);
		drm_gpuvm_for_each_va_safe(va, next, &vm->base) {
			if (va == &vm->base.kernel_alloc_node)
				continue;
			CHECK(!vm->freed);
			drm_gpuva_remove(va);
			unlink_and_free(vm, va);
			if (vm->freed)
				break;
		}
		unlock_objs(vm);
	}

	if (!vm->early_put) {
		drm_gpuvm_bo_deferred_cleanup(&vm->base);
		CHECK(kref_read(&vm->base.kref) == 1);
		CHECK(!vm->freed);
		drm_gpuvm_put(&vm->base);
	}
	CHECK(vm->freed);

	put_objs(vm);
	free(vm);
}

/* ---- Looking inside ---------------------------------------------------- */

static void snapshot_obj(struct side_vm *vm, int i, struct snapshot *snap)
{
	struct drm_gem_object *obj = vm->objs[i];
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuva *va;

	snap->obj[i].refs = kref_read(&obj->refcount);
	drm_gem_for_each_gpuvm_bo(vm_bo, obj) {
		CHECK(vm_bo->vm == &vm->base && vm_bo->obj == obj);
		snap->obj[i].bos++;
		snap->obj[i].bo_refs = kref_read(&vm_bo->kref);
		snap->obj[i].evicted = vm_bo->evicted;
		snap->obj[i].on_extobj = !list_empty(&vm_bo->list.entry.extobj);
		snap->obj[i].on_evict = !list_empty(&vm_bo->list.entry.evict);
		drm_gpuvm_bo_for_each_va(va, vm_bo) {
			CHECK(va->vm_bo == vm_bo && va->gem.obj == obj);
			snap->obj[i].links++;
		}
	}
}

static void side_snapshot(struct side_vm *vm, struct snapshot *snap)
{
	struct llist_node *node;
	struct drm_gpuva *va;

	memset(snap, 0, offsetof(struct snapshot, va));
	snap->vm_refs = kref_read(&vm->base.kref);
	for (node = vm->base.bo_defer.first; node; node = node->next)
		snap->zombies++;

	list_for_each_entry(va, &vm->base.rb.list, rb.entry) {
		CHECK(snap->nr < MAX_RECORDS);
		snap->va[snap->nr].part = part_of_va(vm, va);
		snap->va[snap->nr].id = va;
		snap->va[snap->nr].linked = va->vm_bo;
		snap->nr++;
	}

	for (int i = 0; i < NR_OBJS; i++)
		snapshot_obj(vm, i, snap);
}

#ifdef SIDE_MAINLINE
static struct rb_root *side_root(struct side_vm *vm)
{
	return &vm->base.rb.tree.rb_root;
}
#else
static struct rb_root *side_root(struct side_vm *vm)
{
	return &vm->base.rb.tree;
}
#endif

/* Returns how many black nodes are on every way down. */
static unsigned int check_subtree(struct rb_node *node, struct rb_node *parent,
				  unsigned int *nr)
{
	unsigned int left, right;

	if (!node)
		return 0;

	CHECK(rb_parent(node) == parent);
	CHECK(rb_is_black(node) || (parent && rb_is_black(parent)));
	left = check_subtree(node->rb_left, node, nr);
	right = check_subtree(node->rb_right, node, nr);
	CHECK(left == right);
	++*nr;

	return left + rb_is_black(node);
}

#ifndef SIDE_MAINLINE
/* Whatever is on an object's list is in the VM's tree, in order. */
static void check_bos(struct side_vm *vm)
{
	struct drm_gem_object *before = NULL;
	struct drm_gpuvm_bo *vm_bo;
	struct rb_node *node;
	unsigned int nr = 0;

	for (int i = 0; i < NR_OBJS; i++)
		nr += !list_empty(&vm->objs[i]->gpuva.list);

	for (node = rb_first(&vm->base.bos.tree); node; node = rb_next(node)) {
		vm_bo = rb_entry(node, struct drm_gpuvm_bo, list.entry.vm);
		CHECK(vm_bo->obj > before);
		CHECK(!list_empty(&vm_bo->list.entry.gem));
		before = vm_bo->obj;
		nr--;
	}
	CHECK(!nr);
}
#endif

void side_check(struct side_vm *vm)
{
	struct drm_gpuvm *gpuvm = &vm->base;
	struct rb_node *node = rb_first(side_root(vm));
	unsigned int in_tree = 0, in_list = 0;
	bool reserved = false;
	struct drm_gpuva *va, *before = NULL;

	check_subtree(side_root(vm)->rb_node, NULL, &in_tree);

	list_for_each_entry(va, &gpuvm->rb.list, rb.entry) {
		CHECK(node == &va->rb.node);
		CHECK(va->vm == gpuvm);
		CHECK(va->va.range);
		CHECK(va->va.addr - gpuvm->mm_start < gpuvm->mm_range);
		CHECK(gpuvm->mm_range - (va->va.addr - gpuvm->mm_start) >=
		      va->va.range);
		CHECK(!before ||
		      va->va.addr - before->va.addr >= before->va.range);
		CHECK(!before || va->va.addr > before->va.addr);
		CHECK(!va->vm_bo == !va->gem.obj);
		if (va == &gpuvm->kernel_alloc_node)
			reserved = true;

		before = va;
		in_list++;
		node = rb_next(node);
	}
	CHECK(!node);
	CHECK(in_tree == in_list);
	CHECK(reserved == !!gpuvm->kernel_alloc_node.va.range);
	CHECK(!gpuvm->extobj.local_list && !gpuvm->evict.local_list);

#ifndef SIDE_MAINLINE
	check_bos(vm);
	CHECK(gpuvm->rb.count == in_list - reserved);
	list_for_each_entry(va, &gpuvm->rb.list, rb.entry) {
		if (gpuvm->rb.cursor == &va->rb.entry)
			return;
	}
	CHECK(gpuvm->rb.cursor == &gpuvm->rb.list);
#endif
}

const struct side SIDE_SYMBOL = {
	.name = SIDE_NAME,
	.create = side_create,
	.destroy = side_destroy,
	.run = side_run,
	.snapshot = side_snapshot,
	.check = side_check,
};
