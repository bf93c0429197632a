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

int zero(struct drm_gpuvm *vm, struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_bo_obtain_locked(vm, obj);
	int ret = PTR_ERR_OR_ZERO(vm_bo);

	if (ret)
		return ret;
	drm_gpuvm_bo_extobj_add(vm_bo);
	return 0;
}

// What was not created is NULL on the way back.
int unwind(struct op *op, struct drm_gpuvm *vm, struct drm_gpuvm_map_req *req)
{
	int ret = 0;

	op->ops = drm_gpuvm_sm_map_ops_create(vm, req);
	if (IS_ERR(op->ops)) {
		ret = PTR_ERR(op->ops);
		goto unwind;
	}
	return 0;
unwind:
	if (!IS_ERR_OR_NULL(op->ops))
		drm_gpuva_ops_free(vm, op->ops);
	return ret;
}
