// SPDX-License-Identifier: GPL-2.0-only OR MIT
void locked(struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gem_object *obj = vm_bo->obj;

	dma_resv_lock(obj->resv, NULL);
	drm_gpuvm_bo_put(vm_bo);
	dma_resv_unlock(obj->resv);
}

void immediate(struct drm_gpuvm_bo *vm_bo, struct drm_gem_object *obj)
{
	mutex_lock(&obj->gpuva.lock);
	drm_gpuvm_bo_put(vm_bo);
	mutex_unlock(&obj->gpuva.lock);
	vm_bo = NULL;
	helper(vm_bo);
}

void deferred(struct drm_gpuvm_bo *vm_bo, struct drm_gem_object *obj)
{
	mutex_lock(&obj->gpuva.lock);
	go(vm_bo);
	mutex_unlock(&obj->gpuva.lock);
	drm_gpuvm_bo_put_deferred(vm_bo);
}
