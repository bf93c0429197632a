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
