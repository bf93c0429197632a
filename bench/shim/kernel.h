/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * As much of the kernel as drm_gpuvm.c and drm_exec.c need in user space, at
 * the cost that it has in a production kernel: no lockdep, no debug checks,
 * real atomics for references and locks. Lists and trees are the kernel's own.
 */
#ifndef __BENCH_SHIM_KERNEL_H__
#define __BENCH_SHIM_KERNEL_H__

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

/* ---- Compiler ---------------------------------------------------------- */

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define noinline __attribute__((noinline))
#define __cold __attribute__((cold))
#define __maybe_unused __attribute__((unused))
#define __uninitialized __attribute__((__uninitialized__))
#define __rcu
#define __context_unsafe(text)
#define data_race(x) (x)
#define __force
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define __same_type(a, b) __builtin_types_compatible_p(typeof(a), typeof(b))
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, val) (*(volatile typeof(x) *)&(x) = (val))
#define barrier() __asm__ __volatile__("" : : : "memory")
#define smp_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define prefetch(x) __builtin_prefetch(x)
#define prefetchw(x) __builtin_prefetch(x, 1)
#define rcu_assign_pointer(p, v) __atomic_store_n(&(p), v, __ATOMIC_RELEASE)
#define rcu_dereference_raw(p) READ_ONCE(p)
#define smp_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define smp_load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)

#define EXPORT_SYMBOL(sym)
#define EXPORT_SYMBOL_GPL(sym)
#define MODULE_DESCRIPTION(text)
#define MODULE_LICENSE(text)
#define __init __maybe_unused
#define __exit __maybe_unused
#define subsys_initcall(fn)
#define module_exit(fn)

/* As in a kernel without KUnit. */
#define VISIBLE_IF_KUNIT static
#define EXPORT_SYMBOL_IF_KUNIT(sym)
#define KUNIT_STATIC_STUB_REDIRECT(...) do { } while (0)
#define IS_ENABLED(option) 0

#define __paste_id(a, b) a##b
#define ___paste_id(a, b) __paste_id(a, b)
#define __UNIQUE_ID(prefix) ___paste_id(prefix, __LINE__)

#define BIT(nr) (1UL << (nr))
#define BIT_ULL(nr) (1ULL << (nr))
#define U64_MAX UINT64_MAX
#define LIST_POISON1 ((void *)0x100)
#define LIST_POISON2 ((void *)0x122)
#define BUILD_BUG_ON(cond) _Static_assert(!(cond), #cond)
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define min_t(type, a, b) min((type)(a), (type)(b))
#define is_power_of_2(n) ((n) && !((n) & ((n) - 1)))
#define min(a, b) ({ typeof(a) _a = (a); typeof(b) _b = (b); _a < _b ? _a : _b; })
#define max(a, b) ({ typeof(a) _a = (a); typeof(b) _b = (b); _a > _b ? _a : _b; })
#define swap(a, b) do { typeof(a) _s = (a); (a) = (b); (b) = _s; } while (0)
#define check_add_overflow(a, b, d) __builtin_add_overflow(a, b, d)

#define ENOENT 2
#define EINTR 4
#define ENOMEM 12
#define EBUSY 16
#define EEXIST 17
#define EINVAL 22
#define EIO 5
#define EDEADLK 35
#define EOPNOTSUPP 95
#define EALREADY 114

static inline void *ERR_PTR(long error)
{
	return (void *)error;
}

static inline bool IS_ERR(const void *ptr)
{
	return (unsigned long)ptr >= (unsigned long)-4095;
}

static inline bool IS_ERR_OR_NULL(const void *ptr)
{
	return !ptr || IS_ERR(ptr);
}

/* ---- Complaints -------------------------------------------------------- */

void bench_warn(const char *what) __cold;

/* A trap in the kernel: no code but a conditional jump on the way to it. */
#define WARN_ON(cond) ({						\
	bool _warn = !!(cond);						\
									\
	if (unlikely(_warn))						\
		bench_warn(#cond);					\
	unlikely(_warn);						\
})
#define WARN_ON_ONCE(cond) WARN_ON(cond)
#define drm_WARN_ON(drm, cond) ({ (void)(drm); WARN_ON(cond); })
#define drm_WARN_ON_ONCE(drm, cond) WARN_ON(cond)
#define drm_WARN(drm, cond, ...) WARN_ON(cond)
#define drm_WARN_ONCE(drm, cond, ...) WARN_ON(cond)
#define drm_err(drm, ...) bench_warn("drm_err")
#define might_sleep() do { } while (0)
#define lockdep_assert_held(lock) do { } while (0)

/* ---- Atomics and references -------------------------------------------- */

#define cmpxchg(ptr, old, new) ({					\
	typeof(*(ptr)) _old = (old);					\
									\
	__atomic_compare_exchange_n(ptr, &_old, new, false,		\
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);	\
	_old;								\
})
#define try_cmpxchg(ptr, old, new) \
	__atomic_compare_exchange_n(ptr, old, new, false, \
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define xchg(ptr, val) __atomic_exchange_n(ptr, val, __ATOMIC_SEQ_CST)

typedef struct { int counter; } atomic_t;
typedef struct { atomic_t refs; } refcount_t;

static inline int refcount_read(const refcount_t *ref)
{
	return READ_ONCE(ref->refs.counter);
}

static inline void refcount_set(refcount_t *ref, int n)
{
	WRITE_ONCE(ref->refs.counter, n);
}

static inline void refcount_inc(refcount_t *ref)
{
	int old = __atomic_fetch_add(&ref->refs.counter, 1, __ATOMIC_RELAXED);

	if (unlikely(!old || (old | (old + 1)) < 0))
		bench_warn("refcount_inc");
}

static inline bool refcount_dec_and_test(refcount_t *ref)
{
	int old = __atomic_fetch_sub(&ref->refs.counter, 1, __ATOMIC_RELEASE);

	if (old == 1) {
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		return true;
	}
	if (unlikely((old | (old - 1)) < 0))
		bench_warn("refcount_dec_and_test");

	return false;
}

static inline bool refcount_inc_not_zero(refcount_t *ref)
{
	int old = refcount_read(ref);

	do {
		if (!old)
			return false;
	} while (!try_cmpxchg(&ref->refs.counter, &old, old + 1));

	return true;
}

static inline bool refcount_dec_if_one(refcount_t *ref)
{
	int one = 1;

	return try_cmpxchg(&ref->refs.counter, &one, 0);
}

static inline bool refcount_dec_not_one(refcount_t *ref)
{
	int old = refcount_read(ref);

	do {
		if (old == 1)
			return false;
	} while (!try_cmpxchg(&ref->refs.counter, &old, old - 1));

	return true;
}

struct kref {
	refcount_t refcount;
};

static inline void kref_init(struct kref *kref)
{
	refcount_set(&kref->refcount, 1);
}

static inline unsigned int kref_read(const struct kref *kref)
{
	return refcount_read(&kref->refcount);
}

static inline void kref_get(struct kref *kref)
{
	refcount_inc(&kref->refcount);
}

static inline bool kref_get_unless_zero(struct kref *kref)
{
	return refcount_inc_not_zero(&kref->refcount);
}

static inline int kref_put(struct kref *kref, void (*release)(struct kref *kref))
{
	if (!refcount_dec_and_test(&kref->refcount))
		return 0;

	release(kref);
	return 1;
}

/* ---- Locks: calls, and an atomic operation each if uncontended --------- */

typedef struct { int val; } spinlock_t;

void spin_lock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);

static inline void spin_lock_init(spinlock_t *lock)
{
	lock->val = 0;
}

struct mutex {
	long owner;
};

void mutex_lock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);

static inline void mutex_init(struct mutex *lock)
{
	lock->owner = 0;
}

static inline int kref_put_mutex(struct kref *kref,
				 void (*release)(struct kref *kref),
				 struct mutex *lock)
{
	if (refcount_dec_not_one(&kref->refcount))
		return 0;

	mutex_lock(lock);
	if (!refcount_dec_and_test(&kref->refcount)) {
		mutex_unlock(lock);
		return 0;
	}

	release(kref);
	return 1;
}

struct ww_acquire_ctx {
	unsigned int acquired;
};

struct dma_resv {
	long owner;
	struct ww_acquire_ctx *ctx;
	unsigned int num_fences, max_fences;
};

struct dma_fence;

enum dma_resv_usage {
	DMA_RESV_USAGE_KERNEL,
	DMA_RESV_USAGE_WRITE,
	DMA_RESV_USAGE_READ,
	DMA_RESV_USAGE_BOOKKEEP,
};

extern int reservation_ww_class;

#define ww_acquire_init(ticket, class) ((ticket)->acquired = 0)
#define ww_acquire_done(ticket) do { } while (0)
#define ww_acquire_fini(ticket) do { } while (0)

int dma_resv_lock(struct dma_resv *resv, struct ww_acquire_ctx *ctx);
void dma_resv_unlock(struct dma_resv *resv);
int dma_resv_reserve_fences(struct dma_resv *resv, unsigned int num_fences);
void dma_resv_add_fence(struct dma_resv *resv, struct dma_fence *fence,
			enum dma_resv_usage usage);

#define dma_resv_lock_interruptible(resv, ctx) dma_resv_lock(resv, ctx)
#define dma_resv_lock_slow(resv, ctx) ((void)dma_resv_lock(resv, ctx))
#define dma_resv_lock_slow_interruptible(resv, ctx) dma_resv_lock(resv, ctx)
#define dma_resv_locking_ctx(resv) READ_ONCE((resv)->ctx)
#define dma_resv_held(resv) (!!(resv)->owner)
#define dma_resv_assert_held(resv) do { } while (0)

/* ---- Memory ------------------------------------------------------------ */

typedef unsigned int gfp_t;

#define GFP_KERNEL 0u
#define __GFP_ZERO 1u
#define PAGE_SIZE 4096ul

struct kmem_cache;

extern struct kmem_cache *bench_caches[];
extern const u8 bench_cache_of[];
extern unsigned long bench_allocs, bench_bytes;

void *bench_cache_alloc(struct kmem_cache *cache, gfp_t gfp);
void *bench_large_alloc(size_t size, gfp_t gfp);
void kfree(const void *ptr);
size_t kmalloc_size_roundup(size_t size);

/* Sizes of kmalloc()'s caches; a constant size picks its cache when compiled. */
static __always_inline unsigned int bench_cache_index(size_t size)
{
	if (!__builtin_constant_p(size) && size <= 192)
		return bench_cache_of[(size + 7) / 8];

	return size <= 8 ? 0 : size <= 16 ? 1 : size <= 32 ? 2 : size <= 64 ? 3 :
	       size <= 96 ? 4 : size <= 128 ? 5 : size <= 192 ? 6 :
	       size <= 256 ? 7 : size <= 512 ? 8 : size <= 1024 ? 9 :
	       size <= 2048 ? 10 : size <= 4096 ? 11 : 12;
}

static __always_inline void *kmalloc(size_t size, gfp_t gfp)
{
	if (size > 8192)
		return bench_large_alloc(size, gfp);

	return bench_cache_alloc(bench_caches[bench_cache_index(size)], gfp);
}

static __always_inline void *kzalloc(size_t size, gfp_t gfp)
{
	return kmalloc(size, gfp | __GFP_ZERO);
}

static __always_inline void *kmemdup(const void *src, size_t size, gfp_t gfp)
{
	void *to = kmalloc(size, gfp);

	return to ? memcpy(to, src, size) : NULL;
}

#define kzalloc_obj(obj) ((typeof(obj) *)kzalloc(sizeof(obj), GFP_KERNEL))
#define kcalloc(n, size, gfp) kzalloc((n) * (size), gfp)
#define kvmalloc_objs(obj, n) \
	((typeof(obj) *)kmalloc((n) * sizeof(obj), GFP_KERNEL))
#define kvfree(ptr) kfree(ptr)

void *kvrealloc(void *ptr, size_t size, gfp_t gfp);

/* ---- Works, of which there are none ------------------------------------- */

struct work_struct {
	void (*func)(struct work_struct *work);
};

struct workqueue_struct;

#define WQ_UNBOUND 1
#define WQ_MEM_RECLAIM 2
#define INIT_WORK(work, fn) ((work)->func = (fn))
#define alloc_workqueue(name, flags, max) NULL
#define destroy_workqueue(queue) ((void)(queue))
#define queue_work(queue, work) ((void)(queue), true)
#define flush_work(work) do { } while (0)
#define flush_workqueue(queue) ((void)(queue))

/* ---- Devices and objects ----------------------------------------------- */

struct drm_device {
	struct kref ref;
};

void drm_dev_get(struct drm_device *drm);
void drm_dev_put(struct drm_device *drm);

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
		struct mutex lock;
	} gpuva;
	const struct drm_gem_object_funcs *funcs;
};

void drm_gem_private_object_init(struct drm_device *drm,
				 struct drm_gem_object *obj, size_t size);
void drm_gem_object_free(struct kref *kref);

#define drm_gem_object_release(obj) do { } while (0)

static inline void drm_gem_object_get(struct drm_gem_object *obj)
{
	kref_get(&obj->refcount);
}

static inline void drm_gem_object_put(struct drm_gem_object *obj)
{
	if (obj)
		kref_put(&obj->refcount, drm_gem_object_free);
}

#define drm_gem_gpuva_assert_lock_held(gpuvm, obj) do { } while (0)
#define drm_gem_for_each_gpuvm_bo(bo, obj) \
	list_for_each_entry(bo, &(obj)->gpuva.list, list.entry.gem)

u64 ktime_get_ns(void);

#endif /* __BENCH_SHIM_KERNEL_H__ */
