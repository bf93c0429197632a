// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* Queries: the mappings of a VM, its faults and its statistics. */

#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "vbind_drv.h"

/**
 * vbind_vm_add_fault() - remember a fault
 * @vm: the VM
 * @fault: the fault
 *
 * Context: fence signalling
 */
void vbind_vm_add_fault(struct vbind_vm *vm, const struct drm_vbind_fault *fault)
{
	struct vbind_faults *faults = &vm->faults;

	vbind_vm_count(vm, VBIND_COUNT_FAULTS);

	spin_lock(&faults->lock);
	if (faults->count == DRM_VBIND_MAX_FAULTS) {
		faults->first = (faults->first + 1) % DRM_VBIND_MAX_FAULTS;
		faults->count--;
		faults->lost++;
	}
	faults->faults[(faults->first + faults->count) % DRM_VBIND_MAX_FAULTS] =
		*fault;
	faults->count++;
	spin_unlock(&faults->lock);
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
 * code if the VM is gone or there is a signal.
 */
static s64 vbind_vm_list_mappings(struct vbind_vm *vm,
				  struct drm_vbind_mapping *list, u32 max)
{
	struct drm_gpuva *va;
	u32 n = 0, i = 0;
	s64 count;

	mutex_lock(&vm->lock);
	if (vm->closed) {
		count = -ENOENT;
		goto unlock;
	}

	count = vm->num_mappings;
	drm_gpuvm_for_each_va(va, &vm->base) {
		if (vbind_va_is_reserved(va))
			continue;
		if (i == max)
			break;
		vbind_mapping_describe_va(&list[i++], va);
		if (vbind_check_signal(&n)) {
			count = -ERESTARTSYS;
			break;
		}
	}

unlock:
	mutex_unlock(&vm->lock);
	return count;
}

static int vbind_vm_copy_mappings(const struct drm_vbind_vm_query *args,
				  const struct drm_vbind_mapping *list, u32 count)
{
	u32 n = 0, i;
	int ret;

	for (i = 0; i < count; i++) {
		u64 to = args->mappings + (u64)i * args->mapping_stride;

		ret = vbind_check_signal(&n);
		if (ret)
			return ret;
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

/* Takes up to @max faults out. Returns how many there were. */
static u32 vbind_vm_take_faults(struct vbind_vm *vm,
				struct drm_vbind_fault *list, u32 max, u64 *lost)
{
	struct vbind_faults *faults = &vm->faults;
	u32 count, i;

	spin_lock(&faults->lock);
	count = faults->count;
	for (i = 0; i < min(count, max); i++) {
		list[i] = faults->faults[faults->first];
		faults->first = (faults->first + 1) % DRM_VBIND_MAX_FAULTS;
		faults->count--;
	}
	*lost = faults->lost;
	faults->lost = 0;
	spin_unlock(&faults->lock);

	return count;
}

static int vbind_vm_query_faults(struct vbind_vm *vm,
				 struct drm_vbind_vm_faults *args)
{
	u32 room = min(args->num_faults, DRM_VBIND_MAX_FAULTS), count, i;
	struct drm_vbind_fault *list;
	int ret = 0;

	list = kcalloc(room, sizeof(*list), GFP_KERNEL_ACCOUNT);
	if (!list)
		return -ENOMEM;

	count = vbind_vm_take_faults(vm, list, room, &args->num_lost);
	for (i = 0; !ret && i < min(count, room); i++) {
		u64 to = args->faults + (u64)i * args->fault_stride;

		if (copy_struct_to_user(u64_to_user_ptr(to), args->fault_stride,
					&list[i], sizeof(list[i]), NULL))
			ret = -EFAULT;
	}
	if (!ret)
		args->num_faults = count;

	kfree(list);
	return ret;
}

/**
 * vbind_vm_faults_ioctl() - DRM_IOCTL_VBIND_VM_FAULTS
 * @drm: DRM device
 * @data: struct drm_vbind_vm_faults
 * @file: DRM file
 *
 * Return: 0 or an error code
 */
int vbind_vm_faults_ioctl(struct drm_device *drm, void *data,
			  struct drm_file *file)
{
	struct drm_vbind_vm_faults *args = data;
	struct vbind_vm *vm;
	int ret;

	if (args->flags)
		return -EINVAL;

	ret = vbind_check_array(args->faults, args->num_faults,
				args->fault_stride,
				sizeof(struct drm_vbind_fault));
	if (ret)
		return ret;

	/* A bad pointer has to be found before any fault is forgotten. */
	if (fault_in_safe_writeable(u64_to_user_ptr(args->faults),
				    (size_t)min(args->num_faults,
						DRM_VBIND_MAX_FAULTS) *
				    args->fault_stride))
		return -EFAULT;

	vm = vbind_vm_lookup(file->driver_priv, args->vm_id);
	if (!vm)
		return -ENOENT;

	ret = vbind_vm_query_faults(vm, args);
	drm_gpuvm_put(&vm->base);

	return ret;
}

/**
 * vbind_vm_stats_ioctl() - DRM_IOCTL_VBIND_VM_STATS
 * @drm: DRM device
 * @data: struct drm_vbind_vm_stats
 * @file: DRM file
 *
 * Return: 0 or an error code
 */
int vbind_vm_stats_ioctl(struct drm_device *drm, void *data,
			 struct drm_file *file)
{
	struct drm_vbind_vm_stats *args = data;
	struct vbind_mmu_stats mmu_stats;
	struct vbind_vm *vm;

	if (args->pad)
		return -EINVAL;

	vm = vbind_vm_lookup(file->driver_priv, args->vm_id);
	if (!vm)
		return -ENOENT;

	vbind_mmu_get_stats(&vm->mmu, &mmu_stats);
	args->num_binds = atomic64_read(&vm->counts[VBIND_COUNT_BINDS]);
	args->num_ops = atomic64_read(&vm->counts[VBIND_COUNT_OPS]);
	args->num_execs = atomic64_read(&vm->counts[VBIND_COUNT_EXECS]);
	args->num_cmds = atomic64_read(&vm->counts[VBIND_COUNT_CMDS]);
	args->num_faults = atomic64_read(&vm->counts[VBIND_COUNT_FAULTS]);
	args->num_evictions = atomic64_read(&vm->counts[VBIND_COUNT_EVICTIONS]);
	args->num_validations =
		atomic64_read(&vm->counts[VBIND_COUNT_VALIDATIONS]);
	args->tables = mmu_stats.tables;
	args->pages_4k = mmu_stats.pages_4k;
	args->pages_64k = mmu_stats.pages_64k;
	args->pages_2m = mmu_stats.pages_2m;
	args->sparse = mmu_stats.sparse;
	args->evicted = mmu_stats.evicted;
	drm_gpuvm_put(&vm->base);

	return 0;
}
