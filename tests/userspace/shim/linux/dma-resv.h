/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_DMA_RESV_H__
#define __SHIM_DMA_RESV_H__

#include <errno.h>

#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/ww_mutex.h>

#include "shim.h"

enum dma_resv_usage {
	DMA_RESV_USAGE_KERNEL,
	DMA_RESV_USAGE_WRITE,
	DMA_RESV_USAGE_READ,
	DMA_RESV_USAGE_BOOKKEEP,
};

struct dma_fence {
	unsigned int users;
};

struct dma_resv {
	struct ww_acquire_ctx *ctx;

	/* The thread that holds it, from 1, or 0. */
	unsigned int held;

	unsigned int reserved;
	unsigned int fences;
	enum dma_resv_usage usage;
};

extern struct ww_class reservation_ww_class;

#define dma_resv_held(resv)		((resv)->held == shim.thread + 1)
#define dma_resv_assert_held(resv)	lockdep_assert(dma_resv_held(resv))

int dma_resv_lock(struct dma_resv *resv, struct ww_acquire_ctx *ctx);
void dma_resv_lock_slow(struct dma_resv *resv, struct ww_acquire_ctx *ctx);
void dma_resv_unlock(struct dma_resv *resv);
int dma_resv_reserve_fences(struct dma_resv *resv, unsigned int num);
void dma_resv_add_fence(struct dma_resv *resv, struct dma_fence *fence,
			enum dma_resv_usage usage);

/* A signal comes only to who waits. */
static inline int dma_resv_lock_interruptible(struct dma_resv *resv,
					      struct ww_acquire_ctx *ctx)
{
	return dma_resv_lock(resv, ctx);
}

static inline int dma_resv_lock_slow_interruptible(struct dma_resv *resv,
						   struct ww_acquire_ctx *ctx)
{
	if (shim.interrupt)
		return -EINTR;

	dma_resv_lock_slow(resv, ctx);
	return 0;
}

static inline struct ww_acquire_ctx *dma_resv_locking_ctx(struct dma_resv *resv)
{
	return resv->ctx;
}

#endif
