// SPDX-License-Identifier: GPL-2.0-only OR MIT
static void *helper(void)
{
	return kmalloc(8, GFP_KERNEL); /* found */
}

static int step_map(struct drm_gpuva_op *op, void *priv)
{
	void *p;

	helper();
	p = kzalloc(8, GFP_KERNEL); /* found */
	return 0;
}

static int step_unmap(struct drm_gpuva_op *op, void *priv)
{
	dma_resv_lock(op->unmap.va->gem.obj->resv, NULL); /* found */
	return 0;
}

static const struct drm_gpuvm_ops ops = {
	.sm_step_map = step_map,
	.sm_step_unmap = step_unmap,
};

int init(struct vm *vm)
{
	vm->flags = DRM_GPUVM_IMMEDIATE_MODE;
	return 0;
}

static void deep(void)
{
	spare = kmemdup(other, 8, GFP_KERNEL); /* found */
}

static void middle(void)
{
	deep();
}

static int step_deep(struct drm_gpuva_op *op, void *priv)
{
	middle();
	return 0;
}

static const struct drm_gpuvm_ops deep_ops = {
	.sm_step_map = step_deep,
};
