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

void links(struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gpuva *va, *next;

	drm_gpuvm_bo_for_each_va_safe(va, next, vm_bo)
		drm_gpuva_unlink(va);
}

void operations(struct drm_gpuva *prev, struct drm_gpuva_op *op, struct drm_gpuva_op *other)
{
	drm_gpuva_remap(prev, NULL, &op->remap);
	drm_gpuva_unlink(op->remap.unmap->va);
	drm_gpuva_unmap(&other->unmap);
	drm_gpuva_unlink(other->unmap.va);
}
