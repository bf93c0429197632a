// SPDX-License-Identifier: GPL-2.0-only OR MIT
int checks(struct drm_gpuvm *vm, struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo, *spare;

	vm_bo = drm_gpuvm_bo_obtain_locked(vm, obj);
	if (IS_ERR(vm_bo))
		return PTR_ERR(vm_bo);
	drm_gpuvm_bo_extobj_add(vm_bo);
	spare = drm_gpuvm_bo_create(vm, obj);
	if (!spare)
		return -ENOMEM;
	return 0;
}
