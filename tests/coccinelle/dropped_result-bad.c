// SPDX-License-Identifier: GPL-2.0-only OR MIT
void dropped(struct drm_gpuvm *vm, struct drm_gpuva *va, struct drm_gpuvm_map_req *req)
{
	drm_gpuva_insert(vm, va); /* found */
	drm_gpuvm_sm_map(vm, NULL, req); /* found */
	drm_gpuvm_bo_obtain_locked(vm, obj); /* found */
	drm_gpuvm_sm_map_ops_create(vm, req); /* found */
	drm_gpuvm_bo_obtain_prealloc(vm_bo); /* found */
}
