// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* Mappings: their life, and what user space is told about them. */

#include <linux/slab.h>

#include <drm/drm_print.h>

#include "vbind_drv.h"

/**
 * vbind_mapping_alloc() - allocate a mapping
 * @vm: the VM that it is for
 *
 * Return: the mapping, which vbind_mapping_free() frees, or NULL
 */
struct vbind_mapping *vbind_mapping_alloc(struct vbind_vm *vm)
{
	struct vbind_mapping *mapping;

	mapping = kzalloc_obj(*mapping, GFP_KERNEL_ACCOUNT);
	if (mapping)
		atomic_inc(&to_vbind_device(vm->base.drm)->num_mappings);

	return mapping;
}

/**
 * vbind_mapping_free() - free a mapping that is not in the tree
 * @vm: the VM that it is for
 * @mapping: the mapping, or NULL
 */
void vbind_mapping_free(struct vbind_vm *vm, struct vbind_mapping *mapping)
{
	if (!mapping)
		return;

	atomic_dec(&to_vbind_device(vm->base.drm)->num_mappings);
	kfree(mapping);
}

/**
 * vbind_mapping_link() - link a mapping that was just put into the tree
 * @vm: the VM
 * @mapping: the mapping
 * @vm_bo: its object's &struct drm_gpuvm_bo, NULL if it has none
 *
 * Context: vbind_vm.lock is held, in staged mode the object's dma-resv instead.
 * Someone has a claim on the object already.
 */
void vbind_mapping_link(struct vbind_vm *vm, struct vbind_mapping *mapping,
			struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gem_object *obj = mapping->base.gem.obj;

	if (!obj)
		return;

	drm_gem_object_get(obj);
	drm_WARN_ON(obj->dev, !vbind_bo_claim(to_vbind_bo(obj), vm));

	if (drm_gpuvm_immediate_mode(&vm->base)) {
		mutex_lock(&obj->gpuva.lock);
		drm_gpuva_link(&mapping->base, vm_bo);
		mutex_unlock(&obj->gpuva.lock);
	} else {
		drm_gpuva_link(&mapping->base, vm_bo);
	}
}

/**
 * vbind_mapping_retire() - unlink a mapping that was just taken off the tree
 * @vm: the VM
 * @mapping: the mapping
 * @retired: where to put it for vbind_mapping_free_retired()
 *
 * Context: as vbind_mapping_link(); with DRM_GPUVM_RESV_PROTECTED in staged mode
 * also the VM's dma-resv, because this may drop the last reference on the
 * object's &struct drm_gpuvm_bo.
 */
void vbind_mapping_retire(struct vbind_vm *vm, struct vbind_mapping *mapping,
			  struct list_head *retired)
{
	if (drm_gpuvm_immediate_mode(&vm->base))
		drm_gpuva_unlink_defer(&mapping->base);
	else
		drm_gpuva_unlink(&mapping->base);

	list_add(&mapping->retired, retired);
}

/**
 * vbind_mapping_free_retired() - free mappings that are retired
 * @vm: the VM
 * @retired: the mappings
 *
 * Context: no lock is held, for this may free objects.
 */
void vbind_mapping_free_retired(struct vbind_vm *vm, struct list_head *retired)
{
	struct vbind_mapping *mapping, *next;

	list_for_each_entry_safe(mapping, next, retired, retired) {
		struct drm_gem_object *obj = mapping->base.gem.obj;

		if (obj) {
			vbind_bo_unclaim(to_vbind_bo(obj), vm);
			drm_gem_object_put(obj);
		}
		vbind_mapping_free(vm, mapping);
	}
	INIT_LIST_HEAD(retired);
}

/**
 * vbind_mapping_describe() - describe a mapping, or a part of one, to user space
 * @out: to be filled in
 * @part: where it is and what it maps
 * @flags: the mapping's flags
 */
void vbind_mapping_describe(struct drm_vbind_mapping *out,
			    const struct drm_gpuva_op_map *part,
			    enum drm_gpuva_flags flags)
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
	out->pad = 0;
}

/**
 * vbind_mapping_describe_va() - describe a mapping to user space
 * @out: to be filled in
 * @va: the mapping
 */
void vbind_mapping_describe_va(struct drm_vbind_mapping *out,
			       const struct drm_gpuva *va)
{
	const struct drm_gpuva_op_map whole = {
		.va.addr = va->va.addr,
		.va.range = va->va.range,
		.gem.obj = va->gem.obj,
		.gem.offset = va->gem.offset,
	};

	vbind_mapping_describe(out, &whole, va->flags);
}
