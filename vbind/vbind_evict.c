// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * Memory of BOs that comes and goes.
 *
 * A BO is made resident when it is bound. From then on it is on the LRU list, and
 * the shrinker may evict it when no job needs it: every job adds its fence to the
 * dma-resv of the VM and of all external objects, so that whoever holds the
 * dma-resv, and finds all fences signalled, knows that neither commands use the
 * memory nor binds are about to refer to it.
 *
 * Eviction marks all mappings of the BO as invalid, in the page tables and in the
 * core, and the BO as evicted in all its VMs. The next EXEC then has the core
 * call vbind_vm_bo_validate() before it queues its job.
 */

#include <linux/shrinker.h>

#include <drm/drm_exec.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "vbind_drv.h"
#include "vbind_trace.h"

/**
 * vbind_bo_make_resident() - have memory for a BO
 * @bo: the BO
 *
 * Context: its dma-resv is held
 *
 * Return: 0 or an error code
 */
int vbind_bo_make_resident(struct vbind_bo *bo)
{
	struct drm_gem_object *obj = &bo->base.base;
	struct iosys_map map;
	int ret;

	dma_resv_assert_held(obj->resv);

	if (!bo->memory) {
		ret = drm_gem_shmem_vmap_locked(&bo->base, &map);
		if (ret)
			return ret;
		if (map.is_iomem) {
			drm_gem_shmem_vunmap_locked(&bo->base, &map);
			return -EOPNOTSUPP;
		}
		bo->memory = map.vaddr;
		bo->base.pages_mark_dirty_on_put = true;
	}

	/* Memory of another driver is not ours to evict. */
	if (!drm_gem_is_imported(obj))
		drm_gem_lru_move_tail(&to_vbind_device(obj->dev)->lru, obj);

	return 0;
}

/**
 * vbind_bo_drop_memory() - the opposite of vbind_bo_make_resident()
 * @bo: the BO, to whose memory no page table refers
 *
 * What is in it stays in its shmem file, from where it can be swapped out.
 *
 * Context: its dma-resv is held
 */
void vbind_bo_drop_memory(struct vbind_bo *bo)
{
	struct iosys_map map = IOSYS_MAP_INIT_VADDR(bo->memory);

	if (!bo->memory)
		return;

	drm_gem_lru_remove(&bo->base.base);
	drm_gem_shmem_vunmap_locked(&bo->base, &map);
	bo->memory = NULL;
}

static void vbind_vm_bo_invalidate(struct drm_gpuvm_bo *vm_bo)
{
	struct vbind_bo *bo = to_vbind_bo(vm_bo->obj);
	struct vbind_vm *vm = to_vbind_vm(vm_bo->vm);
	struct drm_gpuva *va;

	drm_gpuvm_bo_evict(vm_bo, true);
	drm_gpuvm_bo_for_each_va(va, vm_bo) {
		vbind_mmu_invalidate(&vm->mmu, va->va.addr, va->va.range,
				     bo->memory);
		drm_gpuva_invalidate(va, true);
	}
	vbind_vm_count(vm, VBIND_COUNT_EVICTIONS);
	trace_vbind_evict(vm, bo);
}

/* All fences are signalled, so that no job changes what is mapped. */
static void vbind_bo_evict(struct vbind_bo *bo)
{
	struct drm_gem_object *obj = &bo->base.base;
	struct drm_gpuvm_bo *vm_bo;

	dma_resv_assert_held(obj->resv);

	/* Only immediate mode needs the mutex; the list may be of either mode. */
	mutex_lock(&obj->gpuva.lock);
	drm_gem_for_each_gpuvm_bo(vm_bo, obj)
		vbind_vm_bo_invalidate(vm_bo);
	mutex_unlock(&obj->gpuva.lock);

	vbind_bo_drop_memory(bo);
	atomic_inc(&to_vbind_device(obj->dev)->num_evictions);
}

/* Whether nobody but us keeps the memory where it is */
static bool vbind_bo_can_evict(struct vbind_bo *bo)
{
	return bo->memory && !drm_gem_is_imported(&bo->base.base) &&
	       refcount_read(&bo->base.vmap_use_count) == 1 &&
	       refcount_read(&bo->base.pages_pin_count) == 1;
}

static void vbind_va_restore(struct vbind_vm *vm, struct drm_gpuva *va)
{
	if (!drm_gpuva_invalidated(va))
		return;

	vbind_mmu_revalidate(&vm->mmu, va->va.addr, va->va.range,
			     to_vbind_bo(va->gem.obj)->memory);
	drm_gpuva_invalidate(va, false);
}

/**
 * vbind_vm_bo_validate() - bring an evicted BO back into a VM
 * @vm_bo: the BO in the VM
 * @exec: holds the locks
 *
 * Mappings are marked as invalid one by one, because not all of those that a BO
 * has need be: what was bound later, when the BO was resident for another VM's
 * sake, never was.
 *
 * Return: 0 or an error code
 */
int vbind_vm_bo_validate(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	struct vbind_bo *bo = to_vbind_bo(vm_bo->obj);
	struct vbind_vm *vm = to_vbind_vm(vm_bo->vm);
	struct drm_gem_object *obj = vm_bo->obj;
	struct vbind_mapping *mapping;
	struct drm_gpuva *va;
	int ret;

	/* With DRM_GPUVM_RESV_PROTECTED the core lists it until the next EXEC. */
	if (!vm_bo->evicted)
		return 0;

	ret = vbind_bo_make_resident(bo);
	if (ret)
		return ret;

	/* In immediate mode, a bind may be at work right now. */
	mutex_lock(&vm->lock);
	mutex_lock(&obj->gpuva.lock);
	drm_gpuvm_bo_for_each_va(va, vm_bo)
		vbind_va_restore(vm, va);
	/* In staged mode, commands still use what a bind in the queue replaces. */
	list_for_each_entry(mapping, &vm->leaving, leaving) {
		if (mapping->base.gem.obj == obj)
			vbind_va_restore(vm, &mapping->base);
	}
	mutex_unlock(&obj->gpuva.lock);
	mutex_unlock(&vm->lock);

	drm_gpuvm_bo_evict(vm_bo, false);
	vbind_vm_count(vm, VBIND_COUNT_VALIDATIONS);
	trace_vbind_validate(vm, bo);

	return 0;
}

static bool vbind_shrink(struct drm_gem_object *obj,
			 struct ww_acquire_ctx *ticket)
{
	struct vbind_bo *bo = to_vbind_bo(obj);

	if (!vbind_bo_can_evict(bo) ||
	    !dma_resv_test_signaled(obj->resv, DMA_RESV_USAGE_BOOKKEEP))
		return false;

	vbind_bo_evict(bo);

	return true;
}

/* For those who have time: jobs get on without the dma-resv that we hold. */
static bool vbind_wait_and_shrink(struct drm_gem_object *obj,
				  struct ww_acquire_ctx *ticket)
{
	dma_resv_wait_timeout(obj->resv, DMA_RESV_USAGE_BOOKKEEP, true, HZ);

	return vbind_shrink(obj, ticket);
}

/**
 * vbind_evict_all() - evict whatever can be evicted
 * @vbind: the device
 *
 * Return: number of pages that were evicted
 */
unsigned long vbind_evict_all(struct vbind_device *vbind)
{
	unsigned long remaining = 0;

	return drm_gem_lru_scan(&vbind->drm, &vbind->lru, UINT_MAX, &remaining,
				vbind_wait_and_shrink, NULL);
}

static unsigned long vbind_shrinker_count(struct shrinker *shrinker,
					  struct shrink_control *sc)
{
	struct vbind_device *vbind = shrinker->private_data;

	return vbind->lru.count ?: SHRINK_EMPTY;
}

static unsigned long vbind_shrinker_scan(struct shrinker *shrinker,
					 struct shrink_control *sc)
{
	struct vbind_device *vbind = shrinker->private_data;
	unsigned long remaining = 0, freed;

	/* What would not fit into 32 bits must not become less. */
	freed = drm_gem_lru_scan(&vbind->drm, &vbind->lru,
				 min(sc->nr_to_scan, (unsigned long)UINT_MAX),
				 &remaining, vbind_shrink, NULL);

	return freed || remaining ? freed : SHRINK_STOP;
}

static void vbind_evict_fini(struct drm_device *drm, void *shrinker)
{
	shrinker_free(shrinker);
}

/**
 * vbind_evict_init() - set up the shrinker
 * @vbind: the device
 *
 * Return: 0 or an error code
 */
int vbind_evict_init(struct vbind_device *vbind)
{
	drm_gem_lru_init(&vbind->lru);

	vbind->shrinker = shrinker_alloc(0, "vbind");
	if (!vbind->shrinker)
		return -ENOMEM;

	vbind->shrinker->count_objects = vbind_shrinker_count;
	vbind->shrinker->scan_objects = vbind_shrinker_scan;
	vbind->shrinker->private_data = vbind;
	shrinker_register(vbind->shrinker);

	return drmm_add_action_or_reset(&vbind->drm, vbind_evict_fini,
					vbind->shrinker);
}
