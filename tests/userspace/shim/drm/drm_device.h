/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_DRM_DEVICE_H__
#define __SHIM_DRM_DEVICE_H__

#include <linux/kref.h>

struct drm_device {
	struct kref ref;
};

#endif
