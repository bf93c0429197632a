// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * The part of the kernel that drm_gpuvm.c calls, but for what depends on threads.
 */
#include <stdio.h>
#include <stdlib.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <linux/dma-resv.h>

#include "shim.h"

struct shim_state shim;
struct ww_class reservation_ww_class;

void shim_splat(const char *file, int line, const char *what)
{
	shim.splats++;
	if (shim.tolerate)
		return;

	fflush(stdout);
	fprintf(stderr, "# splat at %s:%d: %s\n", file, line, what);
	abort();
}

/* ---- Objects and devices ----------------------------------------------- */

void drm_gem_private_object_init(struct drm_device *dev,
				 struct drm_gem_object *obj, size_t size)
{
	kref_init(&obj->refcount);
	obj->dev = dev;
	obj->size = size;
	if (!obj->resv)
		obj->resv = &obj->_resv;
	INIT_LIST_HEAD(&obj->gpuva.list);
	/* In the kernel, a resv to be freed. */
	shim.live++;
}

void drm_gem_object_release(struct drm_gem_object *obj)
{
	WARN_ON(!list_empty(&obj->gpuva.list));
	lockdep_assert(!obj->gpuva.lock.held);
	lockdep_assert(!obj->_resv.held);
	shim.live--;
}

void drm_gem_object_free(struct kref *kref)
{
	struct drm_gem_object *obj = container_of(kref, struct drm_gem_object,
						  refcount);

	obj->funcs->free(obj);
}

void drm_dev_get(struct drm_device *drm)
{
	kref_get(&drm->ref);
}

static void dev_release(struct kref *kref)
{
	shim_splat(__FILE__, __LINE__, "the device's last reference is gone");
}

void drm_dev_put(struct drm_device *drm)
{
	kref_put(&drm->ref, dev_release);
}
