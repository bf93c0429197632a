/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_WW_MUTEX_H__
#define __SHIM_WW_MUTEX_H__

#include <linux/mutex.h>

struct ww_class {
	int unused;
};

struct ww_acquire_ctx {
	bool active;

	/* Who came first, and how many locks he holds. */
	unsigned long stamp;
	unsigned int acquired;
};

static inline void ww_acquire_init(struct ww_acquire_ctx *ctx,
				   struct ww_class *class)
{
	ctx->active = true;
	ctx->stamp = ++shim.stamps;
	ctx->acquired = 0;
}

static inline void ww_acquire_done(struct ww_acquire_ctx *ctx)
{
	WARN_ON(!ctx->active);
}

static inline void ww_acquire_fini(struct ww_acquire_ctx *ctx)
{
	WARN_ON(!ctx->active);
	ctx->active = false;
}

#endif
