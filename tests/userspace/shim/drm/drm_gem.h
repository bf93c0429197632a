/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_DRM_GEM_H__
#define __SHIM_DRM_GEM_H__

#include <drm/drm_device.h>
#include <linux/dma-resv.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>

struct drm_gem_object;

struct drm_gem_object_funcs {
	void (*free)(struct drm_gem_object *obj);
};

struct drm_gem_object {
	struct kref refcount;
	struct drm_device *dev;
	size_t size;
	struct dma_resv *resv;
	struct dma_resv _resv;
	struct {
		struct list_head list;
		/* Guards the list in immediate mode. */
		struct mutex lock;
	} gpuva;
	const struct drm_gem_object_funcs *funcs;
};

static inline bool shim_gpuva_held(struct drm_gem_object *obj, bool immediate)
{
	return immediate ? lockdep_is_held(&obj->gpuva.lock) :
			   dma_resv_held(obj->resv);
}

#define drm_gem_gpuva_assert_lock_held(gpuvm, obj) \
	lockdep_assert(shim_gpuva_held(obj, drm_gpuvm_immediate_mode(gpuvm)))

#define drm_gem_for_each_gpuvm_bo(entry__, obj__) \
	list_for_each_entry(entry__, &(obj__)->gpuva.list, list.entry.gem)

void drm_gem_private_object_init(struct drm_device *dev,
				 struct drm_gem_object *obj, size_t size);
void drm_gem_object_release(struct drm_gem_object *obj);
void drm_gem_object_free(struct kref *kref);

static inline void drm_gem_object_get(struct drm_gem_object *obj)
{
	kref_get(&obj->refcount);
}

static inline void drm_gem_object_put(struct drm_gem_object *obj)
{
	if (obj)
		kref_put(&obj->refcount, drm_gem_object_free);
}

#endif
