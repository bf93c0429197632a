// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What is out of line in the kernel, too.
 */

#include <kernel.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include <linux/list.h>

void bench_warn(const char *what)
{
	fprintf(stderr, "bench: warning: %s\n", what);
	abort();
}

/* The time of this thread: other work on the machine does not count. */
u64 ktime_get_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);

	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* ---- Locks ------------------------------------------------------------- */

/* There is one thread: what is taken stays taken. */
void spin_lock(spinlock_t *lock)
{
	int free = 0;

	if (unlikely(!__atomic_compare_exchange_n(&lock->val, &free, 1, false,
						  __ATOMIC_ACQUIRE,
						  __ATOMIC_RELAXED)))
		bench_warn("spin_lock");
}

void spin_unlock(spinlock_t *lock)
{
	__atomic_store_n(&lock->val, 0, __ATOMIC_RELEASE);
}

static bool owner_set(long *owner, long from, long to)
{
	return __atomic_compare_exchange_n(owner, &from, to, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

void mutex_lock(struct mutex *lock)
{
	if (unlikely(!owner_set(&lock->owner, 0, 1)))
		bench_warn("mutex_lock");
}

void mutex_unlock(struct mutex *lock)
{
	if (unlikely(!owner_set(&lock->owner, 1, 0)))
		bench_warn("mutex_unlock");
}

int reservation_ww_class;

int dma_resv_lock(struct dma_resv *resv, struct ww_acquire_ctx *ctx)
{
	if (unlikely(!owner_set(&resv->owner, 0, 1))) {
		if (!ctx || resv->ctx != ctx)
			bench_warn("dma_resv_lock");
		return -EALREADY;
	}

	if (ctx) {
		ctx->acquired++;
		WRITE_ONCE(resv->ctx, ctx);
		smp_mb();
	}

	return 0;
}

void dma_resv_unlock(struct dma_resv *resv)
{
	if (resv->ctx) {
		resv->ctx->acquired--;
		resv->ctx = NULL;
	}

	if (unlikely(!owner_set(&resv->owner, 1, 0)))
		bench_warn("dma_resv_unlock");
}

/* The slots are there already: as in every job but an object's first. */
int dma_resv_reserve_fences(struct dma_resv *resv, unsigned int num_fences)
{
	unsigned int max = resv->num_fences + num_fences;

	resv->max_fences = max(resv->max_fences, max);

	return 0;
}

void dma_resv_add_fence(struct dma_resv *resv, struct dma_fence *fence,
			enum dma_resv_usage usage)
{
	bench_warn("dma_resv_add_fence");
}

/* ---- Memory ------------------------------------------------------------ */

/*
 * A stack of free objects for each size, as a CPU's sheaf in SLUB, and aligned
 * chunks that know their cache, as slabs do. Objects are aligned as kmalloc()'s.
 */
#define CHUNK_SIZE (1ul << 21)

struct free_object {
	struct free_object *next;
};

struct kmem_cache {
	struct free_object *free;
	size_t size;
};

struct chunk {
	struct kmem_cache *cache;
	size_t size;
	char objects[] __attribute__((aligned(256)));
};

static struct kmem_cache caches[] = {
	{ .size = 8 }, { .size = 16 }, { .size = 32 }, { .size = 64 },
	{ .size = 96 }, { .size = 128 }, { .size = 192 }, { .size = 256 },
	{ .size = 512 }, { .size = 1024 }, { .size = 2048 }, { .size = 4096 },
	{ .size = 8192 },
};

struct kmem_cache *bench_caches[] = {
	&caches[0], &caches[1], &caches[2], &caches[3], &caches[4], &caches[5],
	&caches[6], &caches[7], &caches[8], &caches[9], &caches[10],
	&caches[11], &caches[12],
};

const u8 bench_cache_of[] = {
	0, 0, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5,
	6, 6, 6, 6, 6, 6, 6, 6,
};

unsigned long bench_allocs, bench_bytes;

static struct chunk *chunk_alloc(size_t size)
{
	struct chunk *chunk = aligned_alloc(CHUNK_SIZE, size);

	if (!chunk) {
		perror("bench");
		exit(1);
	}

	/* The kernel's memory is mapped by large pages. */
	madvise(chunk, size, MADV_HUGEPAGE);

	return chunk;
}

static struct chunk *chunk_of(const void *ptr)
{
	return (struct chunk *)((unsigned long)ptr & ~(CHUNK_SIZE - 1));
}

static noinline void cache_grow(struct kmem_cache *cache)
{
	struct chunk *chunk = chunk_alloc(CHUNK_SIZE);
	char *object = (char *)chunk + CHUNK_SIZE - cache->size;

	chunk->cache = cache;
	/* There is room for one at least. */
	do {
		struct free_object *free = (struct free_object *)object;

		free->next = cache->free;
		cache->free = free;
	} while ((object -= cache->size) >= chunk->objects);
}

void *bench_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	struct free_object *object;

	bench_allocs++;
	bench_bytes += cache->size;
	if (unlikely(!cache->free))
		cache_grow(cache);

	object = cache->free;
	cache->free = object->next;
	if (gfp & __GFP_ZERO)
		memset(object, 0, cache->size);

	return object;
}

size_t kmalloc_size_roundup(size_t size)
{
	return caches[bench_cache_index(size)].size;
}

void *bench_large_alloc(size_t size, gfp_t gfp)
{
	struct chunk *chunk;

	size = (sizeof(*chunk) + size + CHUNK_SIZE - 1) & ~(CHUNK_SIZE - 1);
	chunk = chunk_alloc(size);
	chunk->cache = NULL;
	chunk->size = size;
	if (gfp & __GFP_ZERO)
		memset(chunk->objects, 0, size - sizeof(*chunk));

	return chunk->objects;
}

void kfree(const void *ptr)
{
	struct free_object *object = (struct free_object *)ptr;
	struct kmem_cache *cache;

	if (!ptr)
		return;

	cache = chunk_of(ptr)->cache;
	if (unlikely(!cache)) {
		free(chunk_of(ptr));
		return;
	}

	object->next = cache->free;
	cache->free = object;
}

void *kvrealloc(void *ptr, size_t size, gfp_t gfp)
{
	struct chunk *chunk = ptr ? chunk_of(ptr) : NULL;
	void *to = kmalloc(size, gfp);
	size_t old;

	if (chunk) {
		old = chunk->cache ? chunk->cache->size :
		      chunk->size - sizeof(*chunk);
		memcpy(to, ptr, min(size, old));
	}
	kfree(ptr);

	return to;
}

/* ---- Devices and objects ----------------------------------------------- */

void drm_dev_get(struct drm_device *drm)
{
	kref_get(&drm->ref);
}

static void drm_dev_release(struct kref *kref)
{
	bench_warn("drm_dev_put");
}

void drm_dev_put(struct drm_device *drm)
{
	kref_put(&drm->ref, drm_dev_release);
}

void drm_gem_private_object_init(struct drm_device *drm,
				 struct drm_gem_object *obj, size_t size)
{
	kref_init(&obj->refcount);
	obj->dev = drm;
	obj->size = size;
	obj->resv = &obj->_resv;
	INIT_LIST_HEAD(&obj->gpuva.list);
	mutex_init(&obj->gpuva.lock);
}

void drm_gem_object_free(struct kref *kref)
{
	struct drm_gem_object *obj = container_of(kref, struct drm_gem_object,
						  refcount);

	obj->funcs->free(obj);
}
