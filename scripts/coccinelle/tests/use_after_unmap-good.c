// SPDX-License-Identifier: GPL-2.0-only OR MIT
void once(struct drm_gpuvm *vm, struct drm_gpuva *va)
{
	struct drm_gpuvm_bo *vm_bo = va->vm_bo;

	drm_gpuva_remove(va);
	drm_gpuva_unlink(va);
	drm_gpuvm_bo_evict(vm_bo, false);
}

void walk(struct drm_gpuvm *vm)
{
	struct drm_gpuva *va, *next;

	drm_gpuvm_for_each_va_safe(va, next, vm) {
		drm_gpuva_remove(va);
	}
}
