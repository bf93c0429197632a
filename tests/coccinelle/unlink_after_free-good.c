// SPDX-License-Identifier: GPL-2.0-only OR MIT
void in_time(struct mapping *mapping)
{
	drm_gpuva_remove(&mapping->base);
	drm_gpuva_unlink(&mapping->base);
	kfree(mapping);
}
