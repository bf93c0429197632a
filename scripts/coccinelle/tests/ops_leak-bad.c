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
