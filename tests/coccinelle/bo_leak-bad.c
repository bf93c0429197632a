// SPDX-License-Identifier: GPL-2.0-only OR MIT
int leaked(struct drm_gpuvm *vm, struct drm_gem_object *obj, struct drm_gpuva *va)
{
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_bo_obtain_locked(vm, obj);
	int ret;

	if (IS_ERR(vm_bo))
		return PTR_ERR(vm_bo);
	ret = prepare(vm);
	if (ret)
		return ret; /* found */
	drm_gpuva_link(va, vm_bo);
	drm_gpuvm_bo_put(vm_bo);
	return 0;
}

int label(struct op *op, struct drm_gpuvm *vm, struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;
	int ret;

	vm_bo = drm_gpuvm_bo_create(vm, obj);
	if (!vm_bo)
		return -ENOMEM;
	ret = prepare(vm);
	if (ret)
		goto out;
	op->vm_bo = drm_gpuvm_bo_obtain_prealloc(vm_bo);
out:
	return ret; /* found */
}

int linked(struct drm_gpuvm *vm, struct drm_gem_object *obj, struct drm_gpuva *va)
{
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_bo_obtain_locked(vm, obj);
	int ret = PTR_ERR_OR_ZERO(vm_bo);

	if (ret)
		return ret;
	drm_gpuva_link(va, vm_bo);
	return 0; /* found */
}
