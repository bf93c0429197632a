// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* Address spaces: how they come and go. */

#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "vbind_job.h"

#define VBIND_VM_FLAGS (DRM_VBIND_VM_RESV_PROTECTED | DRM_VBIND_VM_IMMEDIATE)

/**
 * vbind_vm_free() - free a VM when its last reference is gone
 * @gpuvm: the VM
 */
void vbind_vm_free(struct drm_gpuvm *gpuvm)
{
	struct vbind_vm *vm = to_vbind_vm(gpuvm);

	atomic_dec(&to_vbind_device(gpuvm->drm)->num_vms);
	dma_fence_put(vm->last_bind);
	vbind_mmu_fini(&vm->mmu);
	mutex_destroy(&vm->lock);
	mutex_destroy(&vm->bind_lock);
	vbind_file_put(vm->vfile);
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

/**
 * vbind_vm_lock_resvs() - lock the dma-resv of a VM and that of an object
 * @vm: the VM
 * @obj: the object, which may share the VM's
 * @ctx: for vbind_vm_unlock_resvs()
 *
 * For tear-down, which must not fail: this needs no memory, as drm_exec does, and
 * ignores signals.
 */
void vbind_vm_lock_resvs(struct vbind_vm *vm, struct drm_gem_object *obj,
			 struct ww_acquire_ctx *ctx)
	__acquires(ctx)
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

/**
 * vbind_vm_unlock_resvs() - the opposite of vbind_vm_lock_resvs()
 * @vm: the VM
 * @obj: the object
 * @ctx: as it was left
 */
void vbind_vm_unlock_resvs(struct vbind_vm *vm, struct drm_gem_object *obj,
			   struct ww_acquire_ctx *ctx)
	__releases(ctx)
{
	struct dma_resv *resv = drm_gpuvm_resv(&vm->base);

	if (obj->resv != resv)
		dma_resv_unlock(obj->resv);
	dma_resv_unlock(resv);
	ww_acquire_fini(ctx);
}

static int vbind_step_close(struct drm_gpuva_op *op, void *priv)
{
	struct drm_gem_object *obj = op->unmap.va->gem.obj;
	struct drm_gpuva_stock *stock = priv;
	struct vbind_vm *vm = to_vbind_vm(stock->vm);
	bool lock = obj && !drm_gpuvm_immediate_mode(&vm->base);
	struct ww_acquire_ctx ctx;
	int ret;

	if (lock)
		vbind_vm_lock_resvs(vm, obj, &ctx);
	mutex_lock(&vm->lock);
	ret = vbind_mapping_apply(op, stock, NULL);
	mutex_unlock(&vm->lock);
	if (lock)
		vbind_vm_unlock_resvs(vm, obj, &ctx);
	cond_resched();

	return ret;
}

static const struct drm_gpuvm_steps vbind_close_steps = {
	.unmap = vbind_step_close,
};

/**
 * vbind_vm_cancel() - have a VM take no more jobs, and end those that it has
 * @vm: the VM
 *
 * Who waits for them is told.
 */
void vbind_vm_cancel(struct vbind_vm *vm)
{
	dma_resv_lock(drm_gpuvm_resv(&vm->base), NULL);
	mutex_lock(&vm->lock);
	vm->closed = true;
	mutex_unlock(&vm->lock);
	dma_resv_unlock(drm_gpuvm_resv(&vm->base));

	vbind_vm_cancel_jobs(vm);
}

static void vbind_vm_end_queues(struct vbind_vm *vm)
{
	unsigned int i;

	vbind_queue_end(&vm->bind_queue);
	for (i = 0; i < DRM_VBIND_NUM_QUEUES; i++)
		vbind_queue_end(&vm->exec_queues[i]);

	vbind_vm_wait_for_jobs(vm);

	vbind_queue_fini(&vm->bind_queue);
	for (i = 0; i < DRM_VBIND_NUM_QUEUES; i++)
		vbind_queue_fini(&vm->exec_queues[i]);
}

/*
 * Tears down a VM whose id is gone. Requests that found the VM before may still
 * hold references, but none of them looks at the tree once it is closed: the
 * walk needs no lock. Its page tables are not used any more.
 */
static void vbind_vm_close(struct vbind_vm *vm)
{
	struct vbind_device *vbind = to_vbind_device(vm->base.drm);
	struct drm_gpuva_stock stock;

	mutex_lock(&vbind->vms_lock);
	list_del(&vm->entry);
	mutex_unlock(&vbind->vms_lock);
	vbind_vm_cancel(vm);
	vbind_vm_end_queues(vm);

	drm_gpuva_stock_init(&stock, &vm->base, &vbind_mapping_stock_ops);
	drm_WARN_ON(vm->base.drm, drm_gpuvm_unmap_all(&vm->base,
						      &vbind_close_steps, &stock));
	drm_gpuva_stock_drain(&stock);
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

	/* None has to wait for the work of another that is cancelled, too. */
	xa_for_each(&vfile->vms, id, vm)
		vbind_vm_cancel(vm);
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
		core_flags |= DRM_GPUVM_IMMEDIATE_MODE | DRM_GPUVM_AUTO_CLEANUP;

	return core_flags;
}

/**
 * vbind_vm_uapi_flags() - the flags that a VM was created with
 * @vm: the VM
 *
 * Return: DRM_VBIND_VM_*
 */
u32 vbind_vm_uapi_flags(struct vbind_vm *vm)
{
	u32 flags = 0;

	if (drm_gpuvm_resv_protected(&vm->base))
		flags |= DRM_VBIND_VM_RESV_PROTECTED;
	if (drm_gpuvm_immediate_mode(&vm->base))
		flags |= DRM_VBIND_VM_IMMEDIATE;

	return flags;
}

static bool vbind_vm_range_fits(u64 start, u64 range, u64 addr, u64 size)
{
	return addr >= start && addr - start < range &&
	       size <= range - (addr - start);
}

/* The core would complain in the log. */
static int vbind_vm_create_check(const struct drm_vbind_vm_create *args)
{
	if (args->flags & ~VBIND_VM_FLAGS)
		return -EINVAL;
	if (!IS_ALIGNED(args->va_start | args->va_range | args->reserved_start |
			args->reserved_range, DRM_VBIND_PAGE_SIZE))
		return -EINVAL;
	if (!args->va_range || args->va_start > 0 - args->va_range)
		return -EINVAL;
	if (!args->reserved_range)
		return args->reserved_start ? -EINVAL : 0;
	if (!vbind_vm_range_fits(args->va_start, args->va_range,
				 args->reserved_start, args->reserved_range))
		return -EINVAL;

	return 0;
}

/* Each queue for commands has an engine of its own. */
static int vbind_vm_init_queues(struct vbind_vm *vm)
{
	struct vbind_device *vbind = to_vbind_device(vm->base.drm);
	struct vbind_file *vfile = vm->vfile;
	unsigned int i;
	int ret;

	ret = vbind_queue_init(&vm->bind_queue, vm, &vbind->bind_engine,
			       &vfile->bind_client);
	if (ret)
		return ret;

	for (i = 0; i < DRM_VBIND_NUM_QUEUES; i++) {
		ret = vbind_queue_init(&vm->exec_queues[i], vm,
				       &vbind->engines[i], &vfile->clients[i]);
		if (ret)
			goto fini;
	}

	return 0;

fini:
	while (i--) {
		vbind_queue_end(&vm->exec_queues[i]);
		vbind_queue_fini(&vm->exec_queues[i]);
	}
	vbind_queue_end(&vm->bind_queue);
	vbind_queue_fini(&vm->bind_queue);
	return ret;
}

/* Returns false if the device is not there any more. */
static bool vbind_vm_register(struct vbind_vm *vm)
{
	struct vbind_device *vbind = to_vbind_device(vm->base.drm);
	bool unplugged;

	mutex_lock(&vbind->vms_lock);
	unplugged = vbind->unplugged;
	list_add_tail(&vm->entry, &vbind->vms);
	mutex_unlock(&vbind->vms_lock);

	return !unplugged;
}

static struct vbind_vm *
vbind_vm_create(struct drm_device *drm, struct vbind_file *vfile,
		const struct drm_vbind_vm_create *args)
{
	struct vbind_device *vbind = to_vbind_device(drm);
	struct drm_gem_object *r_obj;
	struct vbind_vm *vm;
	int ret;

	vm = kzalloc_obj(*vm, GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);

	ret = vbind_mmu_init(&vm->mmu, vfile,
			     args->va_start + (args->va_range - 1));
	if (ret)
		goto free_vm;

	r_obj = drm_gpuvm_resv_object_alloc(drm);
	if (!r_obj) {
		ret = -ENOMEM;
		goto fini_mmu;
	}

	mutex_init(&vm->bind_lock);
	mutex_init(&vm->lock);
	spin_lock_init(&vm->faults.lock);
	spin_lock_init(&vm->jobs_lock);
	INIT_LIST_HEAD(&vm->jobs);
	INIT_LIST_HEAD(&vm->leaving);
	kref_get(&vfile->kref);
	vm->vfile = vfile;
	vm->number = atomic_inc_return(&vbind->last_vm_number);
	atomic_inc(&vbind->num_vms);

	/* Takes a reference on r_obj. From here on vbind_vm_free() cleans up. */
	drm_gpuvm_init(&vm->base, "vbind", vbind_vm_core_flags(args->flags), drm,
		       r_obj, args->va_start, args->va_range,
		       args->reserved_start, args->reserved_range,
		       &vbind_gpuvm_ops);
	drm_gem_object_put(r_obj);

	ret = vbind_vm_init_queues(vm);
	if (ret) {
		drm_gpuvm_put(&vm->base);
		return ERR_PTR(ret);
	}

	if (!vbind_vm_register(vm)) {
		vbind_vm_close(vm);
		return ERR_PTR(-ENODEV);
	}

	return vm;

fini_mmu:
	vbind_mmu_fini(&vm->mmu);
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

	ret = vbind_vm_create_check(args);
	if (ret)
		return ret;

	/* The id first: one too many is not even built. */
	ret = xa_alloc(&vfile->vms, &args->vm_id, NULL,
		       XA_LIMIT(1, DRM_VBIND_MAX_VMS), GFP_KERNEL);
	if (ret)
		return ret == -EBUSY ? -ENOSPC : ret;

	vm = vbind_vm_create(drm, vfile, args);
	if (IS_ERR(vm)) {
		xa_release(&vfile->vms, args->vm_id);
		return PTR_ERR(vm);
	}

	/* The VM can be used, by whoever guesses its id, from here on. */
	xa_store(&vfile->vms, args->vm_id, vm, 0);

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

	/* An id that a call of VM_CREATE has reserved stays with that call. */
	xa_lock(&vfile->vms);
	vm = xa_load(&vfile->vms, args->vm_id);
	if (vm)
		__xa_erase(&vfile->vms, args->vm_id);
	xa_unlock(&vfile->vms);
	if (!vm)
		return -ENOENT;

	vbind_vm_close(vm);

	return 0;
}
