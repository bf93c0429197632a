/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_SLAB_H__
#define __SHIM_SLAB_H__

#include <string.h>

#include <linux/bug.h>
#include <linux/err.h>
#include <linux/types.h>

#define PAGE_SIZE 4096UL

#define kzalloc_obj(obj)	((typeof(obj) *)shim_alloc(sizeof(obj)))
#define kfree(p)		shim_free(p)
#define kvmalloc_objs(obj, n)	((typeof(obj) *)shim_alloc((n) * sizeof(obj)))
/* What Linux 7.2 has in its place */
#define kvmalloc_array(n, size, gfp)	shim_alloc((n) * (size))
#define kvfree(p)		shim_free(p)

static inline void *kzalloc(size_t size, gfp_t gfp)
{
	return shim_alloc(size);
}

/* Not cleared: what is not written is a finding. */
static inline void *kmalloc(size_t size, gfp_t gfp)
{
	void *p = shim_alloc(size);

	return p ? memset(p, 0xa5, size) : NULL;
}

static inline void *kvrealloc(void *p, size_t size, gfp_t gfp)
{
	return shim_realloc(p, size);
}

static inline void *kmemdup(const void *from, size_t size, gfp_t gfp)
{
	void *p = shim_alloc(size);

	return p ? memcpy(p, from, size) : NULL;
}

#endif
