// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * Binds in staged mode: the ioctl changes the tree of mappings, the job the page
 * tables. So the tree shows what the VM will be like when all jobs that are queued
 * are done, and the core can work out, as a list of operations, what a bind means
 * on top of that. The job later goes through the lists.
 *
 * An array may fail midway for lack of memory. Then all is put back as it was,
 * operation by operation, the last one first, which cannot fail.
 */

#include <linux/slab.h>

#include <drm/drm_exec.h>
#include <drm/drm_print.h>

#include "vbind_bind.h"

/**
 * struct vbind_op - an operation with the mappings that it adds
 * @base: its part in the core
 * @map: map: the new mapping
 * @prev: remap: what stays in front, if any
 * @next: remap: what stays at the end, if any
 * @old_vm_bo: remap, unmap: what the old mapping was linked to, with a reference
 *	until nothing has to be undone any more
 */
struct vbind_op {
	struct drm_gpuva_op base;
	struct vbind_mapping *map;
	struct vbind_mapping *prev;
	struct vbind_mapping *next;
	struct drm_gpuvm_bo *old_vm_bo;
};

static struct vbind_op *to_vbind_op(struct drm_gpuva_op *op)
{
	return container_of(op, struct vbind_op, base);
}

/**
 * vbind_op_alloc() - &drm_gpuvm_ops.op_alloc
 *
 * Return: the operation, or NULL
 */
struct drm_gpuva_op *vbind_op_alloc(void)
{
	struct vbind_op *op = kzalloc_obj(*op, GFP_KERNEL_ACCOUNT);

	return op ? &op->base : NULL;
}

/**
 * vbind_op_free() - &drm_gpuvm_ops.op_free
 * @op: the operation
 */
void vbind_op_free(struct drm_gpuva_op *op)
{
	kfree(to_vbind_op(op));
}

/* One operation: allocate, apply to the tree, undo, link */

static int vbind_op_alloc_part(struct vbind_vm *vm, struct vbind_mapping **part,
			       enum drm_gpuva_flags flags)
{
	*part = vbind_mapping_alloc(vm);
	if (!*part)
		return -ENOMEM;
	(*part)->base.flags = flags;

	return 0;
}

static int vbind_op_alloc_mappings(struct vbind_vm *vm, struct vbind_bind *bind,
				   struct vbind_op *op)
{
	const struct drm_gpuva_op_remap *remap = &op->base.remap;
	int ret = 0;

	if (op->base.op == DRM_GPUVA_OP_MAP)
		return vbind_op_alloc_part(vm, &op->map, bind->flags);
	if (op->base.op != DRM_GPUVA_OP_REMAP)
		return 0;

	/* A part is like the whole: read-only, evicted, ... */
	if (remap->prev)
		ret = vbind_op_alloc_part(vm, &op->prev, remap->unmap->va->flags);
	if (!ret && remap->next)
		ret = vbind_op_alloc_part(vm, &op->next, remap->unmap->va->flags);

	return ret;
}

static void vbind_op_free_mappings(struct vbind_vm *vm, struct vbind_op *op)
{
	vbind_mapping_free(vm, op->map);
	vbind_mapping_free(vm, op->prev);
	vbind_mapping_free(vm, op->next);
	op->map = NULL;
	op->prev = NULL;
	op->next = NULL;
}

/* The old mapping stays until the job has taken it out of the page tables. */
static void vbind_op_retire_old(struct vbind_bind_job *job, struct vbind_op *op,
				struct drm_gpuva *old)
{
	if (old->vm_bo)
		op->old_vm_bo = drm_gpuvm_bo_get(old->vm_bo);
	vbind_mapping_retire(job->vm, to_vbind_mapping(old), &job->retired);
}

static void vbind_op_restore_old(struct vbind_bind_job *job, struct vbind_op *op,
				 struct drm_gpuva *old)
{
	list_del(&to_vbind_mapping(old)->retired);
	drm_WARN_ON(job->vm->base.drm, drm_gpuva_insert(&job->vm->base, old));
	job->vm->num_mappings++;
	if (op->old_vm_bo)
		drm_gpuva_link(old, op->old_vm_bo);
}

static void vbind_op_add_part(struct vbind_bind_job *job,
			      struct vbind_mapping *part,
			      struct drm_gpuvm_bo *vm_bo)
{
	if (!part)
		return;

	job->vm->num_mappings++;
	vbind_mapping_link(job->vm, part, vm_bo);
}

static void vbind_op_remove_part(struct vbind_bind_job *job,
				 struct vbind_mapping *part)
{
	if (!part)
		return;

	drm_gpuva_remove(&part->base);
	job->vm->num_mappings--;
	vbind_mapping_retire(job->vm, part, &job->retired);
}

static void vbind_op_apply(struct vbind_bind_job *job, struct vbind_bind *bind,
			   struct vbind_op *op)
{
	struct drm_gpuva *old;

	switch (op->base.op) {
	case DRM_GPUVA_OP_MAP:
		drm_gpuva_map(&job->vm->base, &op->map->base, &op->base.map);
		vbind_op_add_part(job, op->map, bind->vm_bo);
		return;
	case DRM_GPUVA_OP_REMAP:
		old = op->base.remap.unmap->va;
		drm_gpuva_remap(op->prev ? &op->prev->base : NULL,
				op->next ? &op->next->base : NULL,
				&op->base.remap);
		vbind_op_add_part(job, op->prev, old->vm_bo);
		vbind_op_add_part(job, op->next, old->vm_bo);
		break;
	case DRM_GPUVA_OP_UNMAP:
		old = op->base.unmap.va;
		drm_gpuva_unmap(&op->base.unmap);
		break;
	default:
		return;
	}

	job->vm->num_mappings--;
	vbind_op_retire_old(job, op, old);
}

static void vbind_op_undo(struct vbind_bind_job *job, struct vbind_op *op)
{
	switch (op->base.op) {
	case DRM_GPUVA_OP_MAP:
		vbind_op_remove_part(job, op->map);
		break;
	case DRM_GPUVA_OP_REMAP:
		vbind_op_remove_part(job, op->prev);
		vbind_op_remove_part(job, op->next);
		vbind_op_restore_old(job, op, op->base.remap.unmap->va);
		break;
	case DRM_GPUVA_OP_UNMAP:
		vbind_op_restore_old(job, op, op->base.unmap.va);
		break;
	default:
		break;
	}
}

/* The operations of a bind */

static struct drm_gpuva_ops *vbind_bind_create_ops(struct vbind_vm *vm,
						   struct vbind_bind *bind)
{
	struct drm_gpuvm *gpuvm = &vm->base;
	u64 addr = bind->req.map.va.addr;
	u64 range = bind->req.map.va.range;

	switch (bind->type) {
	case DRM_VBIND_BIND_MAP:
	case DRM_VBIND_BIND_MAP_SPARSE:
		return drm_gpuvm_sm_map_ops_create(gpuvm, &bind->req);
	case DRM_VBIND_BIND_UNMAP:
		return drm_gpuvm_sm_unmap_ops_create(gpuvm, addr, range);
	case DRM_VBIND_BIND_PREFETCH:
		return drm_gpuvm_prefetch_ops_create(gpuvm, addr, range);
	case DRM_VBIND_BIND_UNMAP_BO:
		return drm_gpuvm_bo_unmap_ops_create(bind->vm_bo);
	}

	return ERR_PTR(-EINVAL);
}

static void vbind_bind_free_ops(struct vbind_vm *vm, struct vbind_bind *bind)
{
	if (bind->ops)
		drm_gpuva_ops_free(&vm->base, bind->ops);
	bind->ops = NULL;
}

/* Also if it was undone. With the locks of all objects. */
static void vbind_bind_put_vm_bos(struct vbind_bind *bind)
{
	struct drm_gpuva_op *op;

	if (bind->ops) {
		drm_gpuva_for_each_op(op, bind->ops) {
			drm_gpuvm_bo_put(to_vbind_op(op)->old_vm_bo);
			to_vbind_op(op)->old_vm_bo = NULL;
		}
	}
	drm_gpuvm_bo_put(bind->vm_bo);
	bind->vm_bo = NULL;
}

static int vbind_bind_alloc_ops(struct vbind_vm *vm, struct vbind_bind *bind)
{
	struct drm_gpuva_ops *ops;
	struct drm_gpuva_op *op;
	int ret = 0;

	ops = vbind_bind_create_ops(vm, bind);
	if (IS_ERR(ops))
		return PTR_ERR(ops);

	bind->ops = ops;
	drm_gpuva_for_each_op(op, ops) {
		ret = vbind_op_alloc_mappings(vm, bind, to_vbind_op(op));
		if (ret)
			break;
	}
	if (!ret)
		return 0;

	drm_gpuva_for_each_op(op, ops)
		vbind_op_free_mappings(vm, to_vbind_op(op));
	vbind_bind_free_ops(vm, bind);

	return ret;
}

static int vbind_bind_stage(struct vbind_bind_job *job, struct vbind_bind *bind)
{
	struct vbind_vm *vm = job->vm;
	struct drm_gpuva_op *op;
	int ret;

	ret = vbind_bind_alloc_ops(vm, bind);
	if (ret)
		return ret;

	mutex_lock(&vm->lock);
	drm_gpuva_for_each_op(op, bind->ops) {
		vbind_op_report(job, op);
		vbind_op_apply(job, bind, to_vbind_op(op));
	}
	mutex_unlock(&vm->lock);

	return 0;
}

/* The job */

static int vbind_staged_prepare(struct vbind_bind_job *job)
{
	/* The core tells what is needed, so there is nothing to guess. */
	return 0;
}

static int vbind_bind_lock_objects(struct vbind_bind *bind,
				   struct drm_gpuvm *gpuvm,
				   struct drm_exec *exec)
{
	switch (bind->type) {
	case DRM_VBIND_BIND_MAP:
	case DRM_VBIND_BIND_MAP_SPARSE:
		return drm_gpuvm_sm_map_exec_lock(gpuvm, exec, 1, &bind->req);
	case DRM_VBIND_BIND_UNMAP:
		return drm_gpuvm_sm_unmap_exec_lock(gpuvm, exec,
						    bind->req.map.va.addr,
						    bind->req.map.va.range);
	case DRM_VBIND_BIND_UNMAP_BO:
		return drm_exec_prepare_obj(exec, bind->req.map.gem.obj, 1);
	case DRM_VBIND_BIND_PREFETCH:
		/* To bring back what is evicted */
		return drm_gpuvm_prepare_range(gpuvm, exec,
					       bind->req.map.va.addr,
					       bind->req.map.va.range, 1);
	}

	return -EINVAL;
}

/*
 * Locks the dma-resv of every object that any bind touches. It is fine that this
 * looks at the tree before the first bind: what a later bind finds there in
 * addition was mapped by an earlier one, whose object is locked as well.
 */
static int vbind_staged_lock(struct vbind_bind_job *job, struct drm_exec *exec)
{
	int ret = 0;
	u32 i;

	for (i = 0; !ret && i < job->num_binds; i++)
		ret = vbind_bind_lock_objects(&job->binds[i], &job->vm->base,
					      exec);

	return ret;
}

static int vbind_staged_obtain_vm_bos(struct vbind_bind_job *job)
{
	u32 i;

	for (i = 0; i < job->num_binds; i++) {
		struct vbind_bind *bind = &job->binds[i];
		struct drm_gpuvm_bo *vm_bo;

		if (!bind->req.map.gem.obj)
			continue;

		vm_bo = drm_gpuvm_bo_obtain_locked(&job->vm->base,
						   bind->req.map.gem.obj);
		if (IS_ERR(vm_bo))
			return PTR_ERR(vm_bo);

		bind->vm_bo = vm_bo;
		drm_gpuvm_bo_extobj_add(vm_bo);
	}

	return 0;
}

static void vbind_staged_undo(struct vbind_bind_job *job, u32 num_binds)
{
	struct drm_gpuva_op *op;

	mutex_lock(&job->vm->lock);
	while (num_binds--) {
		drm_gpuva_for_each_op_reverse(op, job->binds[num_binds].ops)
			vbind_op_undo(job, to_vbind_op(op));
	}
	mutex_unlock(&job->vm->lock);
}

static int vbind_staged_stage_all(struct vbind_bind_job *job)
{
	u32 i;

	for (i = 0; i < job->num_binds; i++) {
		int ret;

		job->current_bind = i;
		ret = vbind_bind_stage(job, &job->binds[i]);
		if (ret) {
			vbind_staged_undo(job, i);
			return ret;
		}
	}

	return 0;
}

static int vbind_staged_commit(struct vbind_bind_job *job)
{
	int ret;
	u32 i;

	ret = vbind_staged_obtain_vm_bos(job);
	if (!ret)
		ret = vbind_staged_stage_all(job);
	for (i = 0; i < job->num_binds; i++)
		vbind_bind_put_vm_bos(&job->binds[i]);

	return ret;
}

static int vbind_staged_run(struct vbind_bind_job *job, struct vbind_bind *bind)
{
	struct drm_gpuva_op *op;
	int ret;

	drm_gpuva_for_each_op(op, bind->ops) {
		ret = vbind_op_update_mmu(job, op);
		if (ret)
			return ret;
	}

	return 0;
}

static void vbind_staged_fini(struct vbind_bind_job *job)
{
	u32 i;

	for (i = 0; i < job->num_binds; i++)
		vbind_bind_free_ops(job->vm, &job->binds[i]);
}

const struct vbind_mode_ops vbind_staged_ops = {
	.prepare = vbind_staged_prepare,
	.lock = vbind_staged_lock,
	.commit = vbind_staged_commit,
	.run = vbind_staged_run,
	.fini = vbind_staged_fini,
};
