// SPDX-License-Identifier: GPL-2.0-only OR MIT
int null_check(struct drm_gpuvm *vm, struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;

	vm_bo = drm_gpuvm_bo_obtain_locked(vm, obj);
	if (!vm_bo) /* found */
		return -ENOMEM;
	return 0;
}

int err_check(struct drm_gpuvm *vm, struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;

	vm_bo = drm_gpuvm_bo_create(vm, obj);
	if (IS_ERR(vm_bo)) /* found */
		return -ENOMEM;
	return 0;
}

int no_check(struct drm_gpuvm *vm, struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;

	vm_bo = drm_gpuvm_bo_obtain_locked(vm, obj);
	drm_gpuvm_bo_extobj_add(vm_bo); /* found */
	return 0;
}
