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

int compared(struct drm_gpuvm *vm, struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_bo_obtain_locked(vm, obj);

	if (vm_bo != NULL) /* found */
		drm_gpuvm_bo_extobj_add(vm_bo);
	return 0;
}

int truth(struct drm_gpuvm *vm, struct drm_gpuvm_map_req *req)
{
	struct drm_gpuva_ops *ops = drm_gpuvm_sm_map_ops_create(vm, req);

	if (ops) /* found */
		carry_out(ops);
	return 0;
}

int unlikely_null(struct op *op, struct drm_gpuvm *vm, struct drm_gpuvm_map_req *req)
{
	op->ops = drm_gpuvm_sm_map_ops_create(vm, req);
	if (unlikely(!op->ops)) /* found */
		return -ENOMEM;
	return 0;
}

int inside(struct drm_gpuvm *vm, struct drm_gpuvm_map_req *req)
{
	struct drm_gpuva_ops *ops;

	if (!(ops = drm_gpuvm_sm_map_ops_create(vm, req))) /* found */
		return -ENOMEM;
	return 0;
}

int either(struct drm_gpuvm *vm, struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo, *spare;

	vm_bo = drm_gpuvm_bo_obtain_locked(vm, obj);
	if (IS_ERR_OR_NULL(vm_bo)) /* found */
		return PTR_ERR(vm_bo);
	spare = drm_gpuvm_bo_create(vm, obj);
	return PTR_ERR_OR_ZERO(spare); /* found */
}

int walk(struct drm_gpuvm *vm, struct drm_gpuvm_map_req *req)
{
	struct drm_gpuva_ops *ops = drm_gpuvm_sm_map_ops_create(vm, req);
	struct drm_gpuva_op *op;

	drm_gpuva_for_each_op(op, ops) /* found */
		carry_out(op);
	return 0;
}

int no_null_check(struct drm_gpuvm *vm, struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_bo_create(vm, obj);

	drm_gpuvm_bo_extobj_add(vm_bo); /* found */
	return 0;
}
