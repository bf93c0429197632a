// SPDX-License-Identifier: GPL-2.0-only OR MIT
int freed(struct drm_gpuvm *vm, struct drm_gpuvm_map_req *req)
{
	struct drm_gpuva_ops *ops;
	int ret;

	ops = drm_gpuvm_sm_map_ops_create(vm, req);
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	ret = prepare(vm);
	drm_gpuva_ops_free(vm, ops);
	return ret;
}

int kept(struct job *job, struct drm_gpuvm *vm, struct drm_gpuvm_map_req *req)
{
	struct drm_gpuva_ops *ops;

	ops = drm_gpuvm_sm_map_ops_create(vm, req);
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	job->ops = ops;
	return 0;
}

int zero(struct drm_gpuvm *vm, struct drm_gpuvm_map_req *req)
{
	struct drm_gpuva_ops *ops;
	int ret;

	ops = drm_gpuvm_sm_map_ops_create(vm, req);
	ret = PTR_ERR_OR_ZERO(ops);
	if (ret)
		return ret;
	ret = prepare(vm);
	if (ret)
		goto out;
	ret = carry_out(vm);
out:
	drm_gpuva_ops_free(vm, ops);
	return ret;
}
