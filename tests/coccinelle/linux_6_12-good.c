// SPDX-License-Identifier: GPL-2.0-only OR MIT
int bind(struct drm_gpuvm *vm, struct drm_gem_object *obj, const struct drm_gpuvm_map_req *req)
{
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_bo_obtain_locked(vm, obj);

	drm_gpuvm_sm_map_ops_create(vm, req);
	return drm_gpuvm_sm_map(vm, vm_bo, req);
}

static const struct drm_driver driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER,
};

void locked(struct drm_gpuvm *vm, struct drm_gem_object *obj)
{
	drm_gem_gpuva_assert_lock_held(vm, obj);
}
