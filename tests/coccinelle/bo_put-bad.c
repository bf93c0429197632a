// SPDX-License-Identifier: GPL-2.0-only OR MIT
void used(struct drm_gpuvm_bo *vm_bo)
{
	dma_resv_lock(vm_bo->obj->resv, NULL);
	drm_gpuvm_bo_put(vm_bo);
	dma_resv_unlock(vm_bo->obj->resv); /* found */
}

void unlocked(struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gem_object *obj = vm_bo->obj;

	dma_resv_lock(obj->resv, NULL);
	drm_gpuvm_bo_evict(vm_bo, true);
	dma_resv_unlock(obj->resv);
	drm_gpuvm_bo_put(vm_bo); /* found */
}

int error_path(struct drm_gpuvm_bo *vm_bo)
{
	int ret = prepare(vm_bo);

	if (ret) {
		drm_gpuvm_bo_put(vm_bo);
		goto err;
	}
	return 0;
err:
	helper(vm_bo); /* found */
	return ret;
}

void immediate(struct drm_gpuvm_bo *vm_bo, struct drm_gem_object *obj)
{
	mutex_lock(&obj->gpuva.lock);
	go(vm_bo);
	mutex_unlock(&obj->gpuva.lock);
	drm_gpuvm_bo_put(vm_bo); /* found */
}

void twice(struct drm_gpuvm_bo *vm_bo)
{
	drm_gpuvm_bo_put_deferred(vm_bo);
	drm_gpuvm_bo_put_deferred(vm_bo); /* found */
}
