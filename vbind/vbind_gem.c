// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* Buffer objects: shmem objects, private to one VM or shareable. */

#include <linux/slab.h>

#include <drm/drm_file.h>
#include <drm/drm_prime.h>
#include <drm/drm_print.h>
#include <drm/drm_vma_manager.h>

#include "vbind_drv.h"

static void vbind_bo_free_work(struct work_struct *work)
{
	struct vbind_bo *bo = container_of(work, struct vbind_bo, free_work);
	struct drm_gem_object *vm_resv_obj = bo->vm_resv_obj;
	struct drm_gem_object *obj = &bo->base.base;
	struct vbind_device *vbind = to_vbind_device(obj->dev);
	struct vbind_file *vfile = bo->vfile;
	size_t size = obj->size;

	drm_WARN_ON(obj->dev, atomic_read(&bo->claims));
	atomic_dec(&vbind->num_bos);

	dma_resv_lock(obj->resv, NULL);
	vbind_bo_drop_memory(bo);
	dma_resv_unlock(obj->resv);
	drm_gem_shmem_free(&bo->base);

	/* Freeing took the shared dma-resv lock, so its owner goes afterwards. */
	if (vm_resv_obj)
		drm_gem_object_put(vm_resv_obj);
	if (!vfile)
		return;

	vbind_file_uncharge(vfile, VBIND_LIMIT_BYTES, size);
	vbind_file_uncharge(vfile, VBIND_LIMIT_BOS, 1);
	vbind_file_late_done(vfile);
	vbind_file_put(vfile);
}

/*
 * Takes the dma-resv lock, which may be the VM's or another driver's, while the last
 * reference may be dropped under any lock: drm_exec holds one on what it has locked,
 * and the shrinker one on what it looks at. So this is left to a worker.
 */
static void vbind_gem_free(struct drm_gem_object *obj)
{
	struct vbind_device *vbind = to_vbind_device(obj->dev);
	struct vbind_bo *bo = to_vbind_bo(obj);

	if (bo->vfile)
		atomic_inc(&bo->vfile->num_late);
	queue_work(vbind->cleanup_wq, &bo->free_work);
}

static struct dma_buf *vbind_gem_export(struct drm_gem_object *obj, int flags)
{
	/* An importer would lock the whole VM with the BO's dma-resv. */
	if (to_vbind_bo(obj)->vm_resv_obj)
		return ERR_PTR(-EPERM);

	return drm_gem_prime_export(obj, flags);
}

static const struct drm_gem_object_funcs vbind_gem_funcs = {
	.free = vbind_gem_free,
	.export = vbind_gem_export,
	.print_info = drm_gem_shmem_object_print_info,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = drm_gem_shmem_object_mmap,
	.vm_ops = &drm_gem_shmem_vm_ops,
};

/**
 * vbind_gem_create_object() - allocate the struct of a BO
 * @drm: DRM device
 * @size: size of the BO
 *
 * Called by the shmem helpers for new and for imported BOs alike.
 *
 * Return: the object or an ERR_PTR
 */
struct drm_gem_object *vbind_gem_create_object(struct drm_device *drm,
					       size_t size)
{
	struct vbind_device *vbind = to_vbind_device(drm);
	struct vbind_bo *bo;

	bo = kzalloc_obj(*bo, GFP_KERNEL_ACCOUNT);
	if (!bo)
		return ERR_PTR(-ENOMEM);

	/* Linux 7.2 leaves this to drivers without DRIVER_GEM_GPUVA. */
	drm_gem_gpuva_init(&bo->base.base);
	bo->base.base.funcs = &vbind_gem_funcs;
	INIT_WORK(&bo->free_work, vbind_bo_free_work);
	bo->id = atomic64_inc_return(&vbind->last_bo_id);

	return &bo->base.base;
}

/**
 * vbind_gem_prime_import() - import a BO of another driver, or find our own
 * @drm: DRM device
 * @dma_buf: what to import
 *
 * Return: the object or an ERR_PTR
 */
struct drm_gem_object *vbind_gem_prime_import(struct drm_device *drm,
					      struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj;

	obj = drm_gem_shmem_prime_import_no_map(drm, dma_buf);
	if (!IS_ERR(obj) && drm_gem_is_imported(obj))
		atomic_inc(&to_vbind_device(drm)->num_bos);

	return obj;
}

/**
 * vbind_bo_claim() - claim a BO for VMs of one mode
 * @bo: the BO
 * @vm: a VM in which the BO is to be bound
 *
 * A GEM object has one list of its mappings in all VMs. In staged mode the
 * object's dma-resv protects it, in immediate mode its gpuva.lock: while VMs of
 * one mode use the list, those of the other must stay out. Claims are counted,
 * upwards from zero for immediate and downwards for staged mode.
 *
 * Return: true if the BO may be bound in @vm; vbind_bo_unclaim() is to be called
 * when that is over
 */
bool vbind_bo_claim(struct vbind_bo *bo, struct vbind_vm *vm)
{
	if (drm_gpuvm_immediate_mode(&vm->base))
		return atomic_inc_unless_negative(&bo->claims);

	return atomic_dec_unless_positive(&bo->claims);
}

/**
 * vbind_bo_unclaim() - give back a claim
 * @bo: the BO
 * @vm: the VM for which it was claimed
 */
void vbind_bo_unclaim(struct vbind_bo *bo, struct vbind_vm *vm)
{
	if (drm_gpuvm_immediate_mode(&vm->base))
		atomic_dec(&bo->claims);
	else
		atomic_inc(&bo->claims);
}

static struct vbind_bo *vbind_bo_create(struct drm_device *drm,
					struct vbind_file *vfile, u64 size,
					struct vbind_vm *vm)
{
	struct drm_gem_shmem_object *shmem;
	struct vbind_bo *bo;
	int ret;

	/* A shmem file cannot be larger than what half of size_t can tell. */
	if (!size || !IS_ALIGNED(size, DRM_VBIND_PAGE_SIZE) ||
	    size > SIZE_MAX / 2)
		return ERR_PTR(-EINVAL);

	/* The CPU's pages may be larger than ours. */
	size = PAGE_ALIGN(size);
	ret = vbind_file_charge(vfile, VBIND_LIMIT_BYTES, size);
	if (ret)
		return ERR_PTR(ret);

	ret = vbind_file_charge(vfile, VBIND_LIMIT_BOS, 1);
	if (ret)
		goto uncharge_bytes;

	shmem = drm_gem_shmem_create(drm, size);
	if (IS_ERR(shmem)) {
		ret = PTR_ERR(shmem);
		goto uncharge_bos;
	}

	atomic_inc(&to_vbind_device(drm)->num_bos);
	bo = container_of(shmem, struct vbind_bo, base);
	kref_get(&vfile->kref);
	bo->vfile = vfile;
	if (vm) {
		bo->vm_resv_obj = drm_gpuvm_resv_obj(&vm->base);
		drm_gem_object_get(bo->vm_resv_obj);
		shmem->base.resv = drm_gpuvm_resv(&vm->base);
	}

	return bo;

uncharge_bos:
	vbind_file_uncharge(vfile, VBIND_LIMIT_BOS, 1);
uncharge_bytes:
	vbind_file_uncharge(vfile, VBIND_LIMIT_BYTES, size);
	return ERR_PTR(ret);
}

/**
 * vbind_gem_create_ioctl() - DRM_IOCTL_VBIND_GEM_CREATE
 * @drm: DRM device
 * @data: struct drm_vbind_gem_create
 * @file: DRM file
 *
 * Return: 0 or an error code
 */
int vbind_gem_create_ioctl(struct drm_device *drm, void *data,
			   struct drm_file *file)
{
	struct drm_vbind_gem_create *args = data;
	struct vbind_vm *vm = NULL;
	struct vbind_bo *bo;
	int ret;

	if (args->flags & ~DRM_VBIND_GEM_VM_PRIVATE || args->pad)
		return -EINVAL;

	if (args->flags & DRM_VBIND_GEM_VM_PRIVATE) {
		vm = vbind_vm_lookup(file->driver_priv, args->vm_id);
		if (!vm)
			return -ENOENT;
	} else if (args->vm_id) {
		return -EINVAL;
	}

	bo = vbind_bo_create(drm, file->driver_priv, args->size, vm);
	if (IS_ERR(bo)) {
		ret = PTR_ERR(bo);
		goto put_vm;
	}

	/* The BO can be used, by whoever guesses its handle, from here on. */
	args->size = bo->base.base.size;
	ret = drm_gem_handle_create(file, &bo->base.base, &args->handle);
	drm_gem_object_put(&bo->base.base);

put_vm:
	if (vm)
		drm_gpuvm_put(&vm->base);
	return ret;
}

/**
 * vbind_gem_info_ioctl() - DRM_IOCTL_VBIND_GEM_INFO
 * @drm: DRM device
 * @data: struct drm_vbind_gem_info
 * @file: DRM file
 *
 * Return: 0 or an error code
 */
int vbind_gem_info_ioctl(struct drm_device *drm, void *data,
			 struct drm_file *file)
{
	struct drm_vbind_gem_info *args = data;
	struct drm_gem_object *obj;
	struct vbind_bo *bo;

	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;

	bo = to_vbind_bo(obj);
	args->flags = bo->vm_resv_obj ? DRM_VBIND_GEM_VM_PRIVATE : 0;
	args->size = obj->size;
	args->mmap_offset = drm_vma_node_offset_addr(&obj->vma_node);
	args->bo_id = bo->id;
	drm_gem_object_put(obj);

	return 0;
}
