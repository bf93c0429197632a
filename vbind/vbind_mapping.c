// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* Mappings: their life, and what user space is told about them. */

#include <linux/slab.h>

#include <drm/drm_print.h>

#include "vbind_drv.h"

/* It counts for the VM's file already, see vbind_bind_job_fill_stock(). */
static struct drm_gpuva *vbind_mapping_alloc(struct drm_gpuva_stock *stock)
{
	struct vbind_mapping *mapping;

	mapping = kzalloc_obj(*mapping, GFP_KERNEL_ACCOUNT);
	if (!mapping)
		return NULL;

	INIT_LIST_HEAD(&mapping->leaving);
	atomic_inc(&to_vbind_device(stock->vm->drm)->num_mappings);

	return &mapping->base;
}

/* No lock is held, for this may free the object. */
static void vbind_mapping_free(struct drm_gpuva_stock *stock,
			       struct drm_gpuva *va)
{
	struct drm_gem_object *obj = va->gem.obj;

	if (obj) {
		vbind_bo_unclaim(to_vbind_bo(obj), to_vbind_vm(stock->vm));
		drm_gem_object_put(obj);
	}
	vbind_file_uncharge(to_vbind_vm(stock->vm)->vfile, VBIND_LIMIT_MAPPINGS,
			    1);
	atomic_dec(&to_vbind_device(stock->vm->drm)->num_mappings);
	kfree(to_vbind_mapping(va));
	cond_resched();
}

/* Someone has a claim on the object already. */
static void vbind_mapping_init(struct drm_gpuva_stock *stock,
			       struct drm_gpuva *va, const struct drm_gpuva *old,
			       const struct drm_gpuva_op *op)
{
	struct vbind_vm *vm = to_vbind_vm(stock->vm);
	struct drm_gem_object *obj = va->gem.obj;

	vm->num_mappings++;
	if (obj) {
		drm_gem_object_get(obj);
		drm_WARN_ON(obj->dev, !vbind_bo_claim(to_vbind_bo(obj), vm));
	}
}

const struct drm_gpuva_stock_ops vbind_mapping_stock_ops = {
	.alloc = vbind_mapping_alloc,
	.free = vbind_mapping_free,
	.init = vbind_mapping_init,
};

/**
 * vbind_vm_bo_alloc() - &drm_gpuvm_ops.vm_bo_alloc
 *
 * Return: a vm_bo that counts for the caller's memory cgroup, or NULL
 */
struct drm_gpuvm_bo *vbind_vm_bo_alloc(void)
{
	struct drm_gpuvm_bo *vm_bo = kzalloc_obj(*vm_bo, GFP_KERNEL_ACCOUNT);

	return vm_bo;
}

/**
 * vbind_vm_bo_free() - &drm_gpuvm_ops.vm_bo_free
 * @vm_bo: what vbind_vm_bo_alloc() returned
 */
void vbind_vm_bo_free(struct drm_gpuvm_bo *vm_bo)
{
	kfree(vm_bo);
}

/**
 * vbind_mapping_apply() - drm_gpuva_op_apply(), and count
 * @op: the operation
 * @stock: where mappings come from and go to
 * @vm_bo: for a map of an object, the two's &struct drm_gpuvm_bo
 *
 * Context: vbind_vm.lock is held, and in staged mode the dma-resv of the object
 * and of the VM.
 *
 * Return: 0 or an error code, which is a bug
 */
int vbind_mapping_apply(const struct drm_gpuva_op *op,
			struct drm_gpuva_stock *stock, struct drm_gpuvm_bo *vm_bo)
{
	if (op->op == DRM_GPUVA_OP_REMAP || op->op == DRM_GPUVA_OP_UNMAP)
		to_vbind_vm(stock->vm)->num_mappings--;

	return drm_gpuva_op_apply(op, stock, vm_bo);
}

/**
 * vbind_mapping_describe() - describe a mapping, or a part of one, to user space
 * @out: to be filled in
 * @part: where it is and what it maps
 * @flags: the mapping's flags
 * @repeat: the size after which its content begins again, or 0
 */
void vbind_mapping_describe(struct drm_vbind_mapping *out,
			    const struct drm_gpuva_op_map *part,
			    enum drm_gpuva_flags flags, u32 repeat)
{
	struct drm_gem_object *obj = part->gem.obj;

	out->addr = part->va.addr;
	out->range = part->va.range;
	/* The core counts an offset for sparse mappings as well: of no use. */
	out->offset = obj ? part->gem.offset : 0;
	out->bo_id = obj ? to_vbind_bo(obj)->id : 0;
	out->flags = 0;
	if (flags & DRM_GPUVA_SPARSE)
		out->flags |= DRM_VBIND_MAPPING_SPARSE;
	if (flags & VBIND_GPUVA_READONLY)
		out->flags |= DRM_VBIND_MAPPING_READONLY;
	if (flags & DRM_GPUVA_INVALIDATED)
		out->flags |= DRM_VBIND_MAPPING_EVICTED;
	out->repeat = repeat;
}

/**
 * vbind_mapping_describe_va() - describe a mapping to user space
 * @out: to be filled in
 * @va: the mapping
 */
void vbind_mapping_describe_va(struct drm_vbind_mapping *out,
			       const struct drm_gpuva *va)
{
	const struct drm_gpuva_op_map whole = drm_gpuva_to_op_map(va);

	vbind_mapping_describe(out, &whole, va->flags, va->repeat);
}
