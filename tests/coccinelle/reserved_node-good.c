// SPDX-License-Identifier: GPL-2.0-only OR MIT
void walk(struct vm *vm)
{
	struct drm_gpuva *va, *next;

	drm_gpuvm_for_each_mapping_safe(va, next, &vm->base) {
		drm_gpuva_remove(va);
	}
}
