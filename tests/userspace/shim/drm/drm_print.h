/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_DRM_PRINT_H__
#define __SHIM_DRM_PRINT_H__

#include <linux/bug.h>

#define drm_err(drm, fmt...)			((void)(drm), shim.errors++)
#define drm_WARN(drm, cond, fmt...)		({ (void)(drm); WARN_ON(cond); })
#define drm_WARN_ON(drm, cond)			drm_WARN(drm, cond)
#define drm_WARN_ON_ONCE(drm, cond)		drm_WARN(drm, cond)

#endif
