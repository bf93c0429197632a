// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* Address spaces: their life, what is in them, and the query that tells it. */

#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "vbind_drv.h"

#define VBIND_VM_FLAGS (DRM_VBIND_VM_RESV_PROTECTED | DRM_VBIND_VM_IMMEDIATE)

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
 * Context: vbind_vm.lock is held; in staged mode also the object's dma-resv.
 * Someone has a claim on the object already.
 */
void vbind_mapping_link(struct vbind_vm *vm, struct vbind_mapping *mapping,
			struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gem_object *obj = mapping->base.gem.obj;

	lockdep_assert_held(&vm->lock);
	vm->num_mappings++;

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
	lockdep_assert_held(&vm->lock);
	vm->num_mappings--;

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

/**
 * vbind_vm_free() - free a VM when its last reference is gone
 * @gpuvm: the VM
 */
void vbind_vm_free(struct drm_gpuvm *gpuvm)
{
	struct vbind_vm *vm = to_vbind_vm(gpuvm);

	atomic_dec(&to_vbind_device(gpuvm->drm)->num_vms);
	mutex_destroy(&vm->lock);
	mutex_destroy(&vm->bind_lock);
	kfree(vm);
}

/**
 * vbind_vm_lookup() - find a VM
 * @vfile: the file
 * @id: the VM's id
 *
 * Return: the VM with a reference for the caller, or NULL
 */
struct vbind_vm *vbind_vm_lookup(struct vbind_file *vfile, u32 id)
{
	struct vbind_vm *vm;

	xa_lock(&vfile->vms);
	vm = xa_load(&vfile->vms, id);
	if (vm)
		drm_gpuvm_get(&vm->base);
	xa_unlock(&vfile->vms);

	return vm;
}

/*
 * Locks the dma-resv of @vm and that of @obj, if it has one of its own. For
 * tear-down, which must not fail: this needs no memory, as drm_exec does, and
 * ignores signals.
 */
static void vbind_vm_lock_resvs(struct vbind_vm *vm, struct drm_gem_object *obj,
				struct ww_acquire_ctx *ctx)
{
	struct dma_resv *held = drm_gpuvm_resv(&vm->base);
	struct dma_resv *wanted = obj->resv;

	ww_acquire_init(ctx, &reservation_ww_class);
	/* The first lock of a context has nothing to be in a deadlock with. */
	WARN_ON(dma_resv_lock(held, ctx));

	while (wanted != held && dma_resv_lock(wanted, ctx) == -EDEADLK) {
		dma_resv_unlock(held);
		dma_resv_lock_slow(wanted, ctx);
		swap(held, wanted);
	}
	ww_acquire_done(ctx);
}

static void vbind_vm_unlock_resvs(struct vbind_vm *vm,
				  struct drm_gem_object *obj,
				  struct ww_acquire_ctx *ctx)
{
	struct dma_resv *resv = drm_gpuvm_resv(&vm->base);

	if (obj->resv != resv)
		dma_resv_unlock(obj->resv);
	dma_resv_unlock(resv);
	ww_acquire_fini(ctx);
}

static void vbind_vm_remove_mapping(struct vbind_vm *vm,
				    struct vbind_mapping *mapping,
				    struct list_head *retired)
{
	mutex_lock(&vm->lock);
	drm_gpuva_remove(&mapping->base);
	vbind_mapping_retire(vm, mapping, retired);
	mutex_unlock(&vm->lock);
}

static void vbind_vm_remove_mapping_staged(struct vbind_vm *vm,
					   struct vbind_mapping *mapping,
					   struct list_head *retired)
{
	struct drm_gem_object *obj = mapping->base.gem.obj;
	struct ww_acquire_ctx ctx;

	if (!obj) {
		vbind_vm_remove_mapping(vm, mapping, retired);
		return;
	}

	vbind_vm_lock_resvs(vm, obj, &ctx);
	vbind_vm_remove_mapping(vm, mapping, retired);
	vbind_vm_unlock_resvs(vm, obj, &ctx);
}

static void vbind_vm_mark_closed(struct vbind_vm *vm)
{
	mutex_lock(&vm->bind_lock);
	mutex_lock(&vm->lock);
	vm->closed = true;
	mutex_unlock(&vm->lock);
	mutex_unlock(&vm->bind_lock);
}

/*
 * Tears down a VM whose id is gone. Requests that found the VM before may still
 * hold references, but none of them looks at the tree once it is closed: the
 * walk needs no lock.
 */
static void vbind_vm_close(struct vbind_vm *vm)
{
	bool immediate = drm_gpuvm_immediate_mode(&vm->base);
	struct drm_gpuva *va, *next;
	LIST_HEAD(retired);

	vbind_vm_mark_closed(vm);

	drm_gpuvm_for_each_mapping_safe(va, next, &vm->base) {
		struct vbind_mapping *mapping = to_vbind_mapping(va);

		if (immediate)
			vbind_vm_remove_mapping(vm, mapping, &retired);
		else
			vbind_vm_remove_mapping_staged(vm, mapping, &retired);
	}

	drm_gpuvm_bo_deferred_cleanup(&vm->base);
	vbind_mapping_free_retired(vm, &retired);
	drm_gpuvm_put(&vm->base);
}

/**
 * vbind_vm_close_all() - tear down all VMs of a file that is being closed
 * @vfile: the file
 */
void vbind_vm_close_all(struct vbind_file *vfile)
{
	struct vbind_vm *vm;
	unsigned long id;

	xa_for_each(&vfile->vms, id, vm) {
		xa_erase(&vfile->vms, id);
		vbind_vm_close(vm);
	}
}

static enum drm_gpuvm_flags vbind_vm_core_flags(u32 flags)
{
	enum drm_gpuvm_flags core_flags = 0;

	if (flags & DRM_VBIND_VM_RESV_PROTECTED)
		core_flags |= DRM_GPUVM_RESV_PROTECTED;
	if (flags & DRM_VBIND_VM_IMMEDIATE)
		core_flags |= DRM_GPUVM_IMMEDIATE_MODE;

	return core_flags;
}

static u32 vbind_vm_uapi_flags(struct vbind_vm *vm)
{
	u32 flags = 0;

	if (drm_gpuvm_resv_protected(&vm->base))
		flags |= DRM_VBIND_VM_RESV_PROTECTED;
	if (drm_gpuvm_immediate_mode(&vm->base))
		flags |= DRM_VBIND_VM_IMMEDIATE;

	return flags;
}

static struct vbind_vm *
vbind_vm_create(struct drm_device *drm, const struct drm_vbind_vm_create *args)
{
	struct drm_gem_object *r_obj;
	struct vbind_vm *vm;
	int ret;

	vm = kzalloc_obj(*vm, GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);

	r_obj = drm_gpuvm_resv_object_alloc(drm);
	if (!r_obj) {
		ret = -ENOMEM;
		goto free_vm;
	}

	/* Refuses ranges that make no sense; takes a reference on r_obj. */
	ret = drm_gpuvm_try_init(&vm->base, "vbind",
				 vbind_vm_core_flags(args->flags), drm, r_obj,
				 args->va_start, args->va_range,
				 args->reserved_start, args->reserved_range,
				 &vbind_gpuvm_ops);
	drm_gem_object_put(r_obj);
	if (ret)
		goto free_vm;

	mutex_init(&vm->bind_lock);
	mutex_init(&vm->lock);
	atomic_inc(&to_vbind_device(drm)->num_vms);

	return vm;

free_vm:
	kfree(vm);
	return ERR_PTR(ret);
}

/**
 * vbind_vm_create_ioctl() - DRM_IOCTL_VBIND_VM_CREATE
 * @drm: DRM device
 * @data: struct drm_vbind_vm_create
 * @file: DRM file
 *
 * Return: 0 or an error code
 */
int vbind_vm_create_ioctl(struct drm_device *drm, void *data,
			  struct drm_file *file)
{
	struct vbind_file *vfile = file->driver_priv;
	struct drm_vbind_vm_create *args = data;
	struct vbind_vm *vm;
	int ret;

	if (args->flags & ~VBIND_VM_FLAGS)
		return -EINVAL;
	if (!IS_ALIGNED(args->va_start | args->va_range | args->reserved_start |
			args->reserved_range, DRM_VBIND_PAGE_SIZE))
		return -EINVAL;
	if (args->reserved_start && !args->reserved_range)
		return -EINVAL;

	vm = vbind_vm_create(drm, args);
	if (IS_ERR(vm))
		return PTR_ERR(vm);

	/* The VM can be used, by whoever guesses its id, from here on. */
	ret = xa_alloc(&vfile->vms, &args->vm_id, vm,
		       XA_LIMIT(1, DRM_VBIND_MAX_VMS), GFP_KERNEL);
	if (ret) {
		drm_gpuvm_put(&vm->base);
		return ret == -EBUSY ? -ENOSPC : ret;
	}

	return 0;
}

/**
 * vbind_vm_destroy_ioctl() - DRM_IOCTL_VBIND_VM_DESTROY
 * @drm: DRM device
 * @data: struct drm_vbind_vm_destroy
 * @file: DRM file
 *
 * Return: 0 or an error code
 */
int vbind_vm_destroy_ioctl(struct drm_device *drm, void *data,
			   struct drm_file *file)
{
	struct vbind_file *vfile = file->driver_priv;
	struct drm_vbind_vm_destroy *args = data;
	struct vbind_vm *vm;

	if (args->pad)
		return -EINVAL;

	vm = xa_erase(&vfile->vms, args->vm_id);
	if (!vm)
		return -ENOENT;

	vbind_vm_close(vm);

	return 0;
}

static u32 vbind_vm_count_mappings(struct vbind_vm *vm)
{
	u32 count;

	mutex_lock(&vm->lock);
	count = vm->num_mappings;
	mutex_unlock(&vm->lock);

	return count;
}

/*
 * Describes up to @max of the mappings. Returns how many there are, or an error
 * code if the VM is gone.
 */
static s64 vbind_vm_list_mappings(struct vbind_vm *vm,
				  struct drm_vbind_mapping *list, u32 max)
{
	struct drm_gpuva *va;
	s64 count;
	u32 i = 0;

	mutex_lock(&vm->lock);
	if (vm->closed) {
		count = -ENOENT;
		goto unlock;
	}

	count = vm->num_mappings;
	drm_gpuvm_for_each_mapping(va, &vm->base) {
		if (i == max)
			break;
		vbind_mapping_describe_va(&list[i++], va);
	}

unlock:
	mutex_unlock(&vm->lock);
	return count;
}

static int vbind_vm_copy_mappings(const struct drm_vbind_vm_query *args,
				  const struct drm_vbind_mapping *list, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		u64 to = args->mappings + (u64)i * args->mapping_stride;

		if (copy_struct_to_user(u64_to_user_ptr(to), args->mapping_stride,
					&list[i], sizeof(list[i]), NULL))
			return -EFAULT;
	}

	return 0;
}

static int vbind_vm_query_mappings(struct vbind_vm *vm,
				   struct drm_vbind_vm_query *args)
{
	struct drm_vbind_mapping *list;
	u32 room;
	s64 count;
	int ret;

	/*
	 * No memory may be allocated under vbind_vm.lock, so there is no telling
	 * how much will be needed. Try again if it was too little.
	 */
	for (;;) {
		room = min(args->num_mappings, vbind_vm_count_mappings(vm));
		list = kvmalloc_objs(*list, room, GFP_KERNEL_ACCOUNT);
		if (!list)
			return -ENOMEM;

		count = vbind_vm_list_mappings(vm, list, room);
		if (room == args->num_mappings || count <= room)
			break;
		kvfree(list);
	}

	ret = count < 0 ? count :
	      vbind_vm_copy_mappings(args, list, min_t(s64, count, room));
	if (!ret)
		args->num_mappings = count;

	kvfree(list);
	return ret;
}

/**
 * vbind_vm_query_ioctl() - DRM_IOCTL_VBIND_VM_QUERY
 * @drm: DRM device
 * @data: struct drm_vbind_vm_query
 * @file: DRM file
 *
 * Return: 0 or an error code
 */
int vbind_vm_query_ioctl(struct drm_device *drm, void *data,
			 struct drm_file *file)
{
	struct drm_vbind_vm_query *args = data;
	struct vbind_vm *vm;
	int ret;

	if (args->flags || args->pad)
		return -EINVAL;

	ret = vbind_check_array(args->mappings, args->num_mappings,
				args->mapping_stride,
				sizeof(struct drm_vbind_mapping));
	if (ret)
		return ret;

	vm = vbind_vm_lookup(file->driver_priv, args->vm_id);
	if (!vm)
		return -ENOENT;

	ret = vbind_vm_query_mappings(vm, args);
	if (!ret) {
		args->va_start = vm->base.mm_start;
		args->va_range = vm->base.mm_range;
		args->reserved_start = vm->base.kernel_alloc_node.va.addr;
		args->reserved_range = vm->base.kernel_alloc_node.va.range;
		args->vm_flags = vbind_vm_uapi_flags(vm);
	}

	drm_gpuvm_put(&vm->base);
	return ret;
}
