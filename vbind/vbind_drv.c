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
 * and vbind_sync.c (drm_sched and syncobjs), vbind_engine.c (what runs jobs),
 * vbind_mmu.c (the page tables), vbind_query.c and vbind_debugfs.c.
 */

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/sched/signal.h>
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

static const u64 vbind_limits[] = {
	[VBIND_LIMIT_BYTES] = DRM_VBIND_MAX_FILE_BYTES,
	[VBIND_LIMIT_BOS] = DRM_VBIND_MAX_FILE_BOS,
	[VBIND_LIMIT_MAPPINGS] = DRM_VBIND_MAX_FILE_MAPPINGS,
	[VBIND_LIMIT_TABLES] = DRM_VBIND_MAX_FILE_TABLES,
	[VBIND_LIMIT_QUEUED] = DRM_VBIND_MAX_FILE_QUEUED,
	[VBIND_LIMIT_POINTS] = DRM_VBIND_MAX_FILE_POINTS,
};

static bool vbind_try_charge(atomic64_t *charged, u64 max, u64 n)
{
	s64 old = atomic64_read(charged);

	do {
		/* There may be more than @max, which is not constant for all. */
		if (n > max || old > (s64)(max - n))
			return false;
	} while (!atomic64_try_cmpxchg(charged, &old, old + n));

	return true;
}

/**
 * vbind_file_charge() - count what a file gets
 * @vfile: the file
 * @limit: what it gets
 * @n: how much of it
 *
 * Context: process context, without locks that jobs take
 *
 * Return: 0, -ENOSPC if that would be too much, even after a wait for what is done
 * with, or -ERESTARTSYS
 */
int vbind_file_charge(struct vbind_file *vfile, enum vbind_limit limit, u64 n)
{
	atomic64_t *charged = &vfile->charged[limit];
	struct vbind_device *vbind = vfile->vbind;
	int ret;

	if (!vbind_try_charge(charged, vbind_limits[limit], n)) {
		ret = vbind_file_wait_for_late(vfile);
		if (ret)
			return ret;
		if (!vbind_try_charge(charged, vbind_limits[limit], n))
			return -ENOSPC;
	}

	if (limit != VBIND_LIMIT_TABLES ||
	    vbind_try_charge(&vbind->num_tables, totalram_pages() / 4, n))
		return 0;

	/* All files together must leave memory for others, and some for each file. */
	if (atomic64_read(&vfile->charged[limit]) <= DRM_VBIND_MIN_FILE_TABLES) {
		atomic64_add(n, &vbind->num_tables);
		return 0;
	}

	atomic64_sub(n, &vfile->charged[limit]);

	return -ENOSPC;
}

/**
 * vbind_file_uncharge() - the opposite of vbind_file_charge()
 * @vfile: the file
 * @limit: what it gives back
 * @n: how much of it
 */
void vbind_file_uncharge(struct vbind_file *vfile, enum vbind_limit limit, u64 n)
{
	atomic64_sub(n, &vfile->charged[limit]);
	if (limit == VBIND_LIMIT_TABLES)
		atomic64_sub(n, &vfile->vbind->num_tables);
}

/**
 * vbind_check_signal() - to be called in loops that user space makes long
 * @n: counts the calls
 *
 * Return: 0, or -ERESTARTSYS if there is a signal
 */
int vbind_check_signal(u32 *n)
{
	if (++*n % 64)
		return 0;

	cond_resched();

	return signal_pending(current) ? -ERESTARTSYS : 0;
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

/**
 * vbind_file_late_done() - something that was done with is freed now
 * @vfile: the file that it counted for
 */
void vbind_file_late_done(struct vbind_file *vfile)
{
	if (atomic_dec_and_test(&vfile->num_late))
		wake_up(&vfile->late_wait);
}

/**
 * vbind_file_wait_for_late() - wait for what is done with to be freed
 * @vfile: the file
 *
 * For a call that would fail for want of something that user space knows to be done
 * with. It has to try once more, even if nothing is left to wait for: that may have
 * been freed since it tried. What others are done with does not matter. The file's
 * other threads may be busy, so the wait has an end.
 *
 * Return: 0 or -ERESTARTSYS
 */
int vbind_file_wait_for_late(struct vbind_file *vfile)
{
	long ret;

	/* What was freed before is seen by who tries again. */
	ret = wait_event_interruptible_timeout(vfile->late_wait,
					       !atomic_read_acquire(&vfile->num_late),
					       HZ / 2);

	return ret < 0 ? ret : 0;
}

static int vbind_open(struct drm_device *drm, struct drm_file *file)
{
	struct vbind_file *vfile;
	unsigned int i;

	vfile = kzalloc_obj(*vfile, GFP_KERNEL_ACCOUNT);
	if (!vfile)
		return -ENOMEM;

	kref_init(&vfile->kref);
	vfile->vbind = to_vbind_device(drm);
	init_waitqueue_head(&vfile->late_wait);
	vbind_client_init(&vfile->bind_client);
	for (i = 0; i < DRM_VBIND_NUM_QUEUES; i++)
		vbind_client_init(&vfile->clients[i]);
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

/*
 * Global names of BOs can be guessed by anybody, and would hand out BOs that belong
 * to one VM. PRIME is there for sharing.
 */
static bool vbind_ioctl_is_for_names(unsigned int cmd)
{
	return DRM_IOCTL_NR(cmd) == DRM_IOCTL_NR(DRM_IOCTL_GEM_FLINK) ||
	       DRM_IOCTL_NR(cmd) == DRM_IOCTL_NR(DRM_IOCTL_GEM_OPEN);
}

static long vbind_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (vbind_ioctl_is_for_names(cmd))
		return -EOPNOTSUPP;

	return drm_ioctl(file, cmd, arg);
}

#ifdef CONFIG_COMPAT
static long vbind_compat_ioctl(struct file *file, unsigned int cmd,
			       unsigned long arg)
{
	if (vbind_ioctl_is_for_names(cmd))
		return -EOPNOTSUPP;

	return drm_compat_ioctl(file, cmd, arg);
}
#else
#define vbind_compat_ioctl NULL
#endif

static const struct file_operations vbind_fops = {
	.owner = THIS_MODULE,
	.open = drm_open,
	.release = drm_release,
	.unlocked_ioctl = vbind_ioctl,
	.compat_ioctl = vbind_compat_ioctl,
	.poll = drm_poll,
	.read = drm_read,
	.llseek = noop_llseek,
	.get_unmapped_area = drm_gem_get_unmapped_area,
	.mmap = drm_gem_mmap,
	.fop_flags = FOP_UNSIGNED_OFFSET,
};

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

static int vbind_probe(struct platform_device *pdev)
{
	struct vbind_device *vbind;
	int ret;

	ret = dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;

	vbind = devm_drm_dev_alloc(&pdev->dev, &vbind_driver,
				   struct vbind_device, drm);
	if (IS_ERR(vbind))
		return PTR_ERR(vbind);

	INIT_LIST_HEAD(&vbind->vms);
	ret = drmm_mutex_init(&vbind->drm, &vbind->vms_lock);
	if (!ret)
		ret = vbind_engines_init(vbind);
	if (!ret)
		ret = vbind_evict_init(vbind);
	if (ret)
		return ret;

	vbind_debugfs_init(vbind);

	ret = drm_dev_register(&vbind->drm, 0);
	if (!ret)
		platform_set_drvdata(pdev, vbind);

	return ret;
}

/*
 * The device goes, open files, mappings, dma-bufs and fences may stay. No ioctl
 * begins any more; jobs end with an error. The rest goes with the last file.
 */
static void vbind_remove(struct platform_device *pdev)
{
	struct vbind_device *vbind = platform_get_drvdata(pdev);
	struct vbind_vm *vm;

	drm_dev_unplug(&vbind->drm);

	mutex_lock(&vbind->vms_lock);
	vbind->unplugged = true;
	list_for_each_entry(vm, &vbind->vms, entry)
		vbind_vm_cancel(vm);
	mutex_unlock(&vbind->vms_lock);
}

static struct platform_driver vbind_platform_driver = {
	.probe = vbind_probe,
	.remove = vbind_remove,
	.driver.name = "vbind",
};

/* User space may unbind it and bind it again: /sys/bus/platform/drivers/vbind. */
static struct platform_device *vbind_platform_device;

static int __init vbind_init(void)
{
	int ret;

	ret = vbind_mmu_module_init();
	if (ret)
		return ret;

	ret = platform_driver_register(&vbind_platform_driver);
	if (ret)
		goto exit_mmu;

	vbind_platform_device = platform_device_register_simple("vbind", -1,
								NULL, 0);
	if (IS_ERR(vbind_platform_device)) {
		ret = PTR_ERR(vbind_platform_device);
		goto unregister_driver;
	}
	if (!platform_get_drvdata(vbind_platform_device)) {
		ret = -ENODEV;
		goto unregister_device;
	}

	return 0;

unregister_device:
	platform_device_unregister(vbind_platform_device);
unregister_driver:
	platform_driver_unregister(&vbind_platform_driver);
exit_mmu:
	vbind_mmu_module_exit();
	return ret;
}

static void __exit vbind_exit(void)
{
	platform_device_unregister(vbind_platform_device);
	platform_driver_unregister(&vbind_platform_driver);
	drm_gpuvm_flush_cleanup(NULL);
	vbind_mmu_module_exit();
}

module_init(vbind_init);
module_exit(vbind_exit);

MODULE_AUTHOR("The DRM GPUVM project");
MODULE_DESCRIPTION("VM_BIND without a GPU");
MODULE_LICENSE("Dual MIT/GPL");
