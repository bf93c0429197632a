// SPDX-License-Identifier: GPL-2.0-only OR MIT
static int step_map(struct drm_gpuva_op *op, void *priv)
{
	struct job *job = priv;

	drm_gpuva_map(job->vm, take_spare(job), &op->map);
	return 0;
}

static const struct drm_gpuvm_ops ops = {
	.sm_step_map = step_map,
};

int init(struct vm *vm)
{
	vm->flags = DRM_GPUVM_IMMEDIATE_MODE;
	vm->spare = kzalloc(8, GFP_KERNEL);
	return 0;
}

static int step_unmap(struct drm_gpuva_op *op, void *priv)
{
	struct note *note = kzalloc(sizeof(*note), GFP_NOWAIT | __GFP_NOWARN);

	drm_gpuva_unmap(&op->unmap);
	return 0;
}

static const struct drm_gpuvm_ops more_ops = {
	.sm_step_unmap = step_unmap,
};
