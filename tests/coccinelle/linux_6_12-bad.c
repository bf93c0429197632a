// SPDX-License-Identifier: GPL-2.0-only OR MIT
int bind(struct drm_gpuvm *vm, struct drm_gem_object *obj, u64 addr, u64 range)
{
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_bo_obtain(vm, obj); /* found */

	drm_gpuva_init(va, addr, range, obj, 0); /* found */
	drm_gpuvm_sm_map_ops_create(vm, addr, range, obj, 0); /* found */
	return drm_gpuvm_sm_map(vm, vm_bo, addr, range, obj, 0); /* found */
}

static const struct drm_driver driver = {
	.driver_features = DRIVER_GEM | DRIVER_GEM_GPUVA | DRIVER_RENDER, /* found */
};

// For these there is no patch.
void left(struct drm_gpuvm *vm, struct drm_gem_object *obj)
{
	drm_gem_gpuva_set_lock(obj, &lock); /* found */
	drm_gem_gpuva_assert_lock_held(obj); /* found */
	va = drm_gpuva_find_prev(vm, 0); /* found */
	va = drm_gpuva_find_next(vm, 0); /* found */
}
