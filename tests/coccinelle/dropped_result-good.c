// SPDX-License-Identifier: GPL-2.0-only OR MIT
int used(struct drm_gpuvm *vm, struct drm_gpuva *va, struct drm_gpuvm_map_req *req)
{
	int ret = drm_gpuva_insert(vm, va);

	if (ret)
		return ret;
	return drm_gpuvm_sm_map(vm, NULL, req);
}
