/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_DRM_DRV_H__
#define __SHIM_DRM_DRV_H__

#include <drm/drm_device.h>

void drm_dev_get(struct drm_device *drm);
void drm_dev_put(struct drm_device *drm);

#endif
