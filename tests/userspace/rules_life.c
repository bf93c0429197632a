// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What callers must not do: too early, too late, too often.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules.h"

void put_too_often(struct fixture *f, bool right)
{
	f->va.gem.obj = NULL;
	drm_gpuva_insert(&f->vm, &f->va);
	if (!right)
		drm_gpuvm_put(&f->vm);
	else
		drm_gpuva_remove(&f->va);
}

/* The reference that went was the vm_bo's. */
static void leave_vm_bo(struct fixture *f, struct drm_gpuvm_bo *vm_bo)
{
	f->left = vm_bo;
	drm_gpuvm_put(&f->vm);
}

void put_with_extobj(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	drm_gpuvm_bo_extobj_add(vm_bo);
	if (right)
		rule_put(f, vm_bo);
	else
		leave_vm_bo(f, vm_bo);
}

void put_with_evicted(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	rule_lock(&f->external);
	drm_gpuvm_bo_evict(vm_bo, true);
	rule_unlock(&f->external);
	if (right)
		rule_put(f, vm_bo);
	else
		leave_vm_bo(f, vm_bo);
}

void put_with_deferred(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f);

	EXPECT(f, drm_gpuvm_bo_put_deferred(vm_bo));
	if (right)
		drm_gpuvm_bo_deferred_cleanup(&f->vm);
	else
		leave_vm_bo(f, vm_bo);
}

void no_vm_free(struct fixture *f, bool right)
{
	if (!right) {
		f->ops.vm_free = NULL;
		f->vms_freed++;
	}
}

void no_ops(struct fixture *f, bool right)
{
	if (!right) {
		f->vm.ops = NULL;
		f->vms_freed++;
	}
}

void two_vms(struct fixture *f, bool right)
{
	const struct drm_gpuvm_ops ops = { .vm_free = rule_free_nothing };
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f), *second;
	struct drm_gpuvm vm = { };

	drm_gpuvm_init(&vm, "second", 0, &f->drm, &f->r_obj, 0, 16, 0, 0, &ops);
	rule_lock(&f->external);
	EXPECT(f, !drm_gpuvm_bo_find(&vm, &f->external));
	second = drm_gpuvm_bo_obtain_locked(&vm, &f->external);
	EXPECT(f, second != vm_bo && second->vm == &vm);
	EXPECT(f, drm_gpuvm_bo_find(&vm, &f->external) == second);
	EXPECT(f, drm_gpuvm_bo_find(&f->vm, &f->external) == vm_bo);
	EXPECT(f, !drm_gpuvm_bo_put(second) && !drm_gpuvm_bo_put(vm_bo));

	drm_gpuvm_bo_gem_evict(&f->external, true);
	EXPECT(f, vm_bo->evicted && second->evicted);
	EXPECT(f, !list_empty(&vm.evict.list) && !list_empty(&f->vm.evict.list));
	EXPECT(f, drm_gpuvm_bo_put(second));
	EXPECT(f, list_empty(&vm.evict.list) && !list_empty(&f->vm.evict.list));
	rule_unlock(&f->external);
	rule_put(f, vm_bo);
	drm_gpuvm_put(&vm);
}

/* Made beforehand, and then not needed: it leaves no list that it was not on. */
void never_obtained(struct fixture *f, bool right)
{
	struct drm_gpuvm_bo *vm_bo = rule_obtain(f), *other;

	other = drm_gpuvm_bo_create(&f->vm, &f->local);
	EXPECT(f, f->vm.bos.tree.rb_node == &vm_bo->list.entry.vm);
	if (drm_gpuvm_immediate_mode(&f->vm)) {
		EXPECT(f, drm_gpuvm_bo_put_deferred(other));
		drm_gpuvm_bo_deferred_cleanup(&f->vm);
	} else {
		rule_lock(&f->local);
		EXPECT(f, drm_gpuvm_bo_put(other));
		rule_unlock(&f->local);
	}
	EXPECT(f, f->vm.bos.tree.rb_node == &vm_bo->list.entry.vm);
	rule_put(f, vm_bo);
	EXPECT(f, !f->vm.bos.tree.rb_node);
}

#define MANY	7

/*
 * Objects that are in two VMs, and some that are in one of them: each VM finds
 * its own vm_bos, and none of the other's.
 */
void many_objects(struct fixture *f, bool right)
{
	static const struct drm_gpuvm_ops ops = { .vm_free = rule_free_nothing };
	struct drm_gpuvm second = {}, *vm[] = { &f->vm, &second };
	struct drm_gpuvm_bo *vm_bo, *bos[2][MANY] = {};
	static struct drm_gem_object objs[MANY];

	drm_gpuvm_init(&second, "second", 0, &f->drm, &f->r_obj, 0, 16, 0, 0, &ops);
	memset(objs, 0, sizeof(objs));
	for (int i = 0; i < MANY; i++) {
		rule_obj_init(f, &objs[i], NULL);
		rule_lock(&objs[i]);
	}

	for (int i = 0; i < 2 * MANY; i++) {
		int v = i / MANY, o = i * 3 % MANY;

		if (o % 3 != v)
			bos[v][o] = drm_gpuvm_bo_obtain_locked(vm[v], &objs[o]);
	}
	for (int i = 0; i < 2 * MANY; i++) {
		int v = i % 2, o = i / 2;

		vm_bo = drm_gpuvm_bo_find(vm[v], &objs[o]);
		EXPECT(f, vm_bo == bos[v][o]);
		drm_gpuvm_bo_put(vm_bo);
	}
	for (int i = 0; i < 2 * MANY; i++) {
		int v = i / MANY, o = (i * 5 + 2) % MANY;

		if (bos[v][o])
			EXPECT(f, drm_gpuvm_bo_put(bos[v][o]));
		EXPECT(f, !drm_gpuvm_bo_find(vm[v], &objs[o]));
	}

	for (int i = 0; i < MANY; i++) {
		rule_unlock(&objs[i]);
		drm_gem_object_release(&objs[i]);
	}
	drm_gpuvm_put(&second);
}

void remove_reserved(struct fixture *f, bool right)
{
	if (!right)
		drm_gpuva_remove(&f->vm.kernel_alloc_node);
	EXPECT(f, drm_gpuva_find(&f->vm, 15, 1) == &f->vm.kernel_alloc_node);
}

void remove_uninserted(struct fixture *f, bool right)
{
	if (!right)
		drm_gpuva_remove(&f->va);
	drm_gpuva_insert(&f->vm, &f->va);
	drm_gpuva_remove(&f->va);
	if (!right)
		drm_gpuva_remove(&f->va);
}

void remove_remapped(struct fixture *f, bool right)
{
	struct drm_gpuva_op_unmap unmap = { .va = &f->va };
	struct drm_gpuva_op_map prev = { .va = { 2, 1 } };
	struct drm_gpuva_op_remap op = { .prev = &prev, .unmap = &unmap };

	drm_gpuva_insert(&f->vm, &f->va);
	EXPECT(f, !drm_gpuva_remap(&f->other, NULL, &op));
	if (!right)
		drm_gpuva_remove(&f->va);
	EXPECT(f, f->vm.rb.count == 1);
	drm_gpuva_remove(&f->other);
}
