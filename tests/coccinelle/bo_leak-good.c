// SPDX-License-Identifier: GPL-2.0-only OR MIT
int dropped(struct drm_gpuvm *vm, struct drm_gem_object *obj, struct drm_gpuva *va)
{
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_bo_obtain_locked(vm, obj);
	int ret;

	if (IS_ERR(vm_bo))
		return PTR_ERR(vm_bo);
	ret = prepare(vm);
	if (ret)
		goto out;
	drm_gpuva_link(va, vm_bo);
out:
	drm_gpuvm_bo_put(vm_bo);
	return ret;
}

int kept(struct op *op, struct drm_gpuvm *vm, struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_bo_create(vm, obj);

	if (!vm_bo)
		return -ENOMEM;
	op->vm_bo = vm_bo;
	return 0;
}

struct drm_gpuvm_bo *found(struct drm_gpuvm *vm, struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_bo_find(vm, obj);

	if (!vm_bo)
		return NULL;
	go(vm);
	return vm_bo;
}

struct drm_gpuvm_bo *obtain(struct drm_gpuvm *vm, struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_bo_find(vm, obj);

	if (!vm_bo) {
		vm_bo = drm_gpuvm_bo_create(vm, obj);
		if (vm_bo)
			join(vm_bo);
	}
	return vm_bo ?: ERR_PTR(-ENOMEM);
}
