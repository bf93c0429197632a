// SPDX-License-Identifier: GPL-2.0-only OR MIT
void twice(struct drm_gpuva *va)
{
	drm_gpuva_remove(va);
	tell();
	drm_gpuva_remove(va); /* found */
}

void unlinked(struct drm_gpuva *va)
{
	drm_gpuva_unlink(va);
	drm_gpuvm_bo_evict(va->vm_bo, false); /* found */
}

void walk(struct drm_gpuvm *vm)
{
	struct drm_gpuva *va;

	drm_gpuvm_for_each_va(va, vm) {
		drm_gpuva_remove(va); /* found */
	}
}

void other_name(struct drm_gpuva_op *op)
{
	drm_gpuva_unmap(&op->unmap);
	drm_gpuva_remove(op->unmap.va); /* found */
}

void remapped(struct drm_gpuva *prev, struct drm_gpuva *next, struct drm_gpuva_op *op)
{
	drm_gpuva_remap(prev, next, &op->remap);
	drm_gpuva_unmap(op->remap.unmap); /* found */
}

void links(struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gpuva *va;

	drm_gpuvm_bo_for_each_va(va, vm_bo)
		drm_gpuva_unlink(va); /* found */
}
