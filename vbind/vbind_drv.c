// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * vbind: GPU virtual address spaces without a GPU.
 *
 * This file has the device, its files and its table of ioctls. To see how a
 * driver uses GPUVM, read on in this order:
 *
 * - vbind_vm.c: address spaces, from drm_gpuvm_init() to the last mapping
 * - vbind_bind.c: the VM_BIND ioctl and what both modes have in common
 * - vbind_staged.c, vbind_immediate.c: the modes
 * - vbind_ops.c: what an operation of the core means for the page tables
 * - vbind_mapping.c: mappings and their links to objects
 * - vbind_evict.c: memory that goes, and comes back by drm_gpuvm_validate()
 * - vbind_exec.c: commands, and drm_gpuvm_exec_lock() before them
 *
 * The others are what any driver has, and the hardware: vbind_gem.c, vbind_job.c
 * and vbind_sync.c (drm_sched and syncobjs), vbind_mmu.c (the page tables),
 * vbind_query.c and vbind_debugfs.c.
 */

#include <linux/device/faux.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_managed.h>

#include "vbind_job.h"

/* The layout is the same for 32 and 64 bit, and old binaries rely on it. */
static_assert(sizeof(struct drm_vbind_gem_create) == 24);
static_assert(sizeof(struct drm_vbind_gem_info) == 32);
static_assert(sizeof(struct drm_vbind_vm_create) == 40);
static_assert(sizeof(struct drm_vbind_vm_destroy) == 8);
static_assert(sizeof(struct drm_vbind_bind) == 48);
static_assert(sizeof(struct drm_vbind_mapping) == 40);
static_assert(sizeof(struct drm_vbind_step) == 136);
static_assert(sizeof(struct drm_vbind_sync) == 16);
static_assert(sizeof(struct drm_vbind_vm_bind) == 64);
static_assert(sizeof(struct drm_vbind_vm_query) == 64);
static_assert(sizeof(struct drm_vbind_cmd) == 40);
static_assert(sizeof(struct drm_vbind_exec) == 56);
static_assert(sizeof(struct drm_vbind_fault) == 40);
static_assert(sizeof(struct drm_vbind_vm_faults) == 32);
static_assert(sizeof(struct drm_vbind_vm_stats) == 112);

/**
 * vbind_check_array() - check the description of an array in user space
 * @ptr: where it is
 * @count: how many elements it has
 * @stride: size of an element
 * @min_stride: size of an element in the first version of the uAPI
 *
 * Return: 0 or -EINVAL
 */
int vbind_check_array(u64 ptr, u32 count, u32 stride, size_t min_stride)
{
	if (!count)
		return ptr || stride ? -EINVAL : 0;

	/* copy_struct_from_user() and _to_user() want no more than a page. */
	if (stride < min_stride || stride > 4096 || stride % sizeof(u64))
		return -EINVAL;

	return 0;
}

static void vbind_file_release(struct kref *kref)
{
	kfree(container_of(kref, struct vbind_file, kref));
}

/**
 * vbind_file_put() - drop a reference
 * @vfile: the file
 */
void vbind_file_put(struct vbind_file *vfile)
{
	kref_put(&vfile->kref, vbind_file_release);
}

static int vbind_open(struct drm_device *drm, struct drm_file *file)
{
	struct vbind_file *vfile;

	vfile = kzalloc_obj(*vfile);
	if (!vfile)
		return -ENOMEM;

	kref_init(&vfile->kref);
	xa_init_flags(&vfile->vms, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	file->driver_priv = vfile;

	return 0;
}

static void vbind_postclose(struct drm_device *drm, struct drm_file *file)
{
	struct vbind_file *vfile = file->driver_priv;

	vbind_vm_close_all(vfile);
	xa_destroy(&vfile->vms);
	vbind_file_put(vfile);
}

static const struct drm_ioctl_desc vbind_ioctls[] = {
	DRM_IOCTL_DEF_DRV(VBIND_GEM_CREATE, vbind_gem_create_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VBIND_GEM_INFO, vbind_gem_info_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VBIND_VM_CREATE, vbind_vm_create_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VBIND_VM_DESTROY, vbind_vm_destroy_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VBIND_VM_BIND, vbind_vm_bind_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VBIND_VM_QUERY, vbind_vm_query_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VBIND_EXEC, vbind_exec_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VBIND_VM_FAULTS, vbind_vm_faults_ioctl, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(VBIND_VM_STATS, vbind_vm_stats_ioctl, DRM_RENDER_ALLOW),
};

DEFINE_DRM_GEM_FOPS(vbind_fops);

static const struct drm_driver vbind_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER | DRIVER_SYNCOBJ |
			   DRIVER_SYNCOBJ_TIMELINE,
	.open = vbind_open,
	.postclose = vbind_postclose,
	.ioctls = vbind_ioctls,
	.num_ioctls = ARRAY_SIZE(vbind_ioctls),
	.fops = &vbind_fops,
	.gem_create_object = vbind_gem_create_object,
	.gem_prime_import = vbind_gem_prime_import,
	.name = "vbind",
	.desc = "VM_BIND without a GPU",
	.major = 1,
	.minor = 0,
};

static int vbind_probe(struct faux_device *fdev)
{
	struct vbind_device *vbind;
	int ret;

	ret = dma_coerce_mask_and_coherent(&fdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;

	vbind = devm_drm_dev_alloc(&fdev->dev, &vbind_driver,
				   struct vbind_device, drm);
	if (IS_ERR(vbind))
		return PTR_ERR(vbind);

	faux_device_set_drvdata(fdev, vbind);
	INIT_LIST_HEAD(&vbind->vms);
	ret = drmm_mutex_init(&vbind->drm, &vbind->vms_lock);
	if (!ret)
		ret = vbind_sched_init(vbind);
	if (!ret)
		ret = vbind_evict_init(vbind);
	if (ret)
		return ret;

	vbind_debugfs_init(vbind);

	return drm_dev_register(&vbind->drm, 0);
}

static void vbind_remove(struct faux_device *fdev)
{
	struct vbind_device *vbind = faux_device_get_drvdata(fdev);

	drm_dev_unregister(&vbind->drm);
}

static const struct faux_device_ops vbind_faux_ops = {
	.probe = vbind_probe,
	.remove = vbind_remove,
};

static struct faux_device *vbind_faux_device;

static int __init vbind_init(void)
{
	int ret;

	ret = vbind_mmu_module_init();
	if (ret)
		return ret;

	vbind_faux_device = faux_device_create("vbind", NULL, &vbind_faux_ops);
	if (vbind_faux_device)
		return 0;

	vbind_mmu_module_exit();
	return -ENODEV;
}

static void __exit vbind_exit(void)
{
	faux_device_destroy(vbind_faux_device);
	drm_gpuvm_flush_cleanup(NULL);
	vbind_mmu_module_exit();
}

module_init(vbind_init);
module_exit(vbind_exit);

MODULE_AUTHOR("The DRM GPUVM project");
MODULE_DESCRIPTION("VM_BIND without a GPU");
MODULE_LICENSE("Dual MIT/GPL");
