// SPDX-License-Identifier: GPL-2.0-only OR MIT
void late(struct mapping *mapping)
{
	kfree(mapping);
	drm_gpuva_unlink(&mapping->base); /* found */
}

void late_too(struct drm_gpuva *va)
{
	kfree(to_mapping(va));
	drm_gpuva_unlink_defer(va); /* found */
}

void cached(struct kmem_cache *cache, struct mapping *mapping)
{
	kmem_cache_free(cache, mapping);
	drm_gpuva_remove(&mapping->base); /* found */
}
