// SPDX-License-Identifier: GPL-2.0-only OR MIT
int leak(struct drm_gpuvm *vm, struct drm_gpuvm_map_req *req)
{
	struct drm_gpuva_ops *ops;
	int ret;

	ops = drm_gpuvm_sm_map_ops_create(vm, req);
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	ret = prepare(vm);
	if (ret)
		return ret; /* found */
	drm_gpuva_ops_free(vm, ops);
	return 0;
}

int label(struct drm_gpuvm *vm, struct drm_gpuvm_map_req *req)
{
	struct drm_gpuva_ops *ops = drm_gpuvm_sm_map_ops_create(vm, req);
	struct drm_gpuva_op *op;
	int ret = 0;

	if (IS_ERR(ops))
		return PTR_ERR(ops);
	drm_gpuva_for_each_op(op, ops) {
		ret = carry_out(op);
		if (ret)
			goto out;
	}
	drm_gpuva_ops_free(vm, ops);
out:
	return ret; /* found */
}

int zero(struct drm_gpuvm *vm, struct drm_gpuvm_map_req *req)
{
	struct drm_gpuva_ops *ops;
	int ret;

	ops = drm_gpuvm_sm_map_ops_create(vm, req);
	ret = PTR_ERR_OR_ZERO(ops);
	if (ret)
		return ret;
	return 0; /* found */
}

int or_null(struct drm_gpuvm *vm, struct drm_gpuvm_map_req *req)
{
	struct drm_gpuva_ops *ops;

	ops = drm_gpuvm_sm_map_ops_create(vm, req);
	if (IS_ERR_OR_NULL(ops))
		return -ENOMEM;
	return 0; /* found */
}
