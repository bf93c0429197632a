// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What is measured: a small driver, and the patterns in which it is used.
 * BENCH_CORE is the name of the core that this is compiled for.
 */

#include <drm/drm_exec.h>
#include <drm/drm_gpuvm.h>

#include <linux/prefetch.h>
#include <linux/slab.h>

#include "bench.h"

#define PAGE 0x1000ull
#define SPACE BIT_ULL(47)

/* Every second page, so that no two mappings touch. */
#define VA(i) (PAGE + (i) * 2 * PAGE)

enum {
	SEQUENTIAL_BIND,
	SEQUENTIAL_UNBIND,
	RANDOM_BIND,
	RANDOM_REBIND,
	RANDOM_UNBIND,
	RANDOM_FIND_FIRST,
	OP_LISTS,
	SPLIT,
};

struct bench_vm {
	struct drm_gpuvm base;
	struct bench *b;
	struct drm_gpuvm_bo *vm_bo;
};

static struct bench_vm *to_bench_vm(struct drm_gpuvm *gpuvm)
{
	return container_of(gpuvm, struct bench_vm, base);
}

/* ---- The driver -------------------------------------------------------- */

/* A mapping is in the cache when it comes, as after a driver's kzalloc(). */
static struct drm_gpuva *va_get(struct bench *b)
{
	void *later = b->pool[b->pool_free - BENCH_AHEAD];

	BUILD_BUG_ON(sizeof(struct drm_gpuva) > BENCH_SLOT);

	prefetchw(later);
	prefetchw(later + BENCH_SLOT / 2);

	return b->pool[--b->pool_free];
}

static void va_put(struct bench *b, struct drm_gpuva *va)
{
	b->pool[b->pool_free++] = va;
}

/* What a request was given before it began, as drivers have to. */
struct bench_req {
	struct bench_vm *vm;
	struct drm_gpuva *new;
};

static int driver_map(struct drm_gpuva_op *op, void *priv)
{
	struct bench_req *req = priv;

	drm_gpuva_map(&req->vm->base, req->new, &op->map);
	drm_gpuva_link(req->new, req->vm->vm_bo);

	return 0;
}

static int driver_remap(struct drm_gpuva_op *op, void *priv)
{
	struct drm_gpuva *old = op->remap.unmap->va, *prev = NULL, *next = NULL;
	struct bench_req *req = priv;
	struct bench *b = req->vm->b;

	if (op->remap.prev)
		prev = va_get(b);
	if (op->remap.next)
		next = va_get(b);

	drm_gpuva_remap(prev, next, &op->remap);

	if (prev)
		drm_gpuva_link(prev, req->vm->vm_bo);
	if (next)
		drm_gpuva_link(next, req->vm->vm_bo);
	drm_gpuva_unlink(old);
	va_put(b, old);

	return 0;
}

static int driver_unmap(struct drm_gpuva_op *op, void *priv)
{
	struct bench_req *req = priv;
	struct drm_gpuva *va = op->unmap.va;

	drm_gpuva_unmap(&op->unmap);
	drm_gpuva_unlink(va);
	va_put(req->vm->b, va);

	return 0;
}

static int driver_validate(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	drm_gpuvm_bo_evict(vm_bo, false);

	return 0;
}

static void driver_vm_free(struct drm_gpuvm *gpuvm)
{
	kfree(to_bench_vm(gpuvm));
}

static const struct drm_gpuvm_ops driver_ops = {
	.vm_free = driver_vm_free,
	.vm_bo_validate = driver_validate,
	.sm_step_map = driver_map,
	.sm_step_remap = driver_remap,
	.sm_step_unmap = driver_unmap,
};

/* A VM, and a vm_bo for an object that shares its resv. */
static struct bench_vm *vm_create(struct bench *b, u32 flags)
{
	struct drm_gem_object *obj = drm_gpuvm_resv_object_alloc(b->drm);
	struct bench_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL);

	if (WARN_ON(!vm || !obj))
		return NULL;

	vm->b = b;
	drm_gpuvm_init(&vm->base, "bench", flags, b->drm, obj, 0, SPACE, 0, 0,
		       &driver_ops);

	dma_resv_lock(obj->resv, NULL);
	vm->vm_bo = drm_gpuvm_bo_obtain_locked(&vm->base, obj);
	dma_resv_unlock(obj->resv);
	drm_gem_object_put(obj);

	return vm;
}

static void vm_destroy(struct bench_vm *vm)
{
	struct drm_gem_object *obj = drm_gpuvm_resv_obj(&vm->base);

	drm_gem_object_get(obj);
	dma_resv_lock(obj->resv, NULL);
	drm_gpuvm_bo_put(vm->vm_bo);
	dma_resv_unlock(obj->resv);
	drm_gem_object_put(obj);

	drm_gpuvm_put(&vm->base);
}

static __always_inline void bind(struct bench_vm *vm, u64 addr, u64 range,
				 u64 offset)
{
	struct bench_req priv = { .vm = vm, .new = va_get(vm->b) };
	struct drm_gpuvm_map_req req = {
		.map.va.addr = addr,
		.map.va.range = range,
		.map.gem.obj = vm->vm_bo->obj,
		.map.gem.offset = offset,
	};

	WARN_ON(drm_gpuvm_sm_map(&vm->base, &priv, &req));
}

static __always_inline void unbind(struct bench_vm *vm, u64 addr, u64 range)
{
	struct bench_req priv = { .vm = vm };

	WARN_ON(drm_gpuvm_sm_unmap(&vm->base, &priv, addr, range));
}

/* ---- Patterns with many mappings --------------------------------------- */

static void sequential_bind(void *ctx)
{
	struct bench_vm *vm = ctx;

	for (u32 i = 0; i < vm->b->n; i++)
		bind(vm, VA(i), PAGE, i * PAGE);
}

static void sequential_unbind(void *ctx)
{
	struct bench_vm *vm = ctx;

	for (u32 i = 0; i < vm->b->n; i++)
		unbind(vm, VA(i), PAGE);
}

static void random_bind(void *ctx)
{
	struct bench_vm *vm = ctx;
	const u32 *order = vm->b->order[0];

	for (u32 i = 0; i < vm->b->n; i++)
		bind(vm, VA(order[i]), PAGE, order[i] * PAGE);
}

static void random_rebind(void *ctx)
{
	struct bench_vm *vm = ctx;
	const u32 *order = vm->b->order[1];

	for (u32 i = 0; i < vm->b->n; i++)
		bind(vm, VA(order[i]), PAGE, (order[i] + vm->b->n) * PAGE);
}

static void random_unbind(void *ctx)
{
	struct bench_vm *vm = ctx;
	const u32 *order = vm->b->order[0];

	for (u32 i = 0; i < vm->b->n; i++)
		unbind(vm, VA(order[i]), PAGE);
}

static void random_find_first(void *ctx)
{
	struct bench_vm *vm = ctx;
	const u32 *order = vm->b->order[1];
	u32 found = 0;

	for (u32 i = 0; i < vm->b->n; i++)
		found += !!drm_gpuva_find_first(&vm->base, VA(order[i]), PAGE);

	WARN_ON(found != vm->b->n);
}

/* The middle of a mapping: a remap with two parts, and a map. */
static void op_list(struct bench_vm *vm, u32 i)
{
	struct drm_gpuvm_map_req req = {
		.map.va.addr = VA(i) + PAGE / 4,
		.map.va.range = PAGE / 2,
		.map.gem.obj = vm->vm_bo->obj,
	};
	struct drm_gpuva_ops *ops;

	ops = drm_gpuvm_sm_map_ops_create(&vm->base, &req);
	if (!WARN_ON(IS_ERR(ops)))
		drm_gpuva_ops_free(&vm->base, ops);
}

static void op_lists(void *ctx)
{
	struct bench_vm *vm = ctx;
	const u32 *order = vm->b->order[1];

	for (u32 i = 0; i < vm->b->n; i++)
		op_list(vm, order[i]);
}

static void measure_maps(struct bench_vm *vm, u32 index, void (*fn)(void *ctx))
{
	struct bench *b = vm->b;

	if (b->wanted[index])
		bench_measure(&b->results[index], b->n, fn, vm);
	else if (index != RANDOM_FIND_FIRST && index != OP_LISTS)
		fn(vm);
}

static struct bench_vm *maps_begin(struct bench *b)
{
	struct bench_vm *vm = vm_create(b, DRM_GPUVM_RESV_PROTECTED);

	dma_resv_lock(drm_gpuvm_resv(&vm->base), NULL);

	return vm;
}

static void maps_end(struct bench_vm *vm)
{
	unbind(vm, 0, SPACE);
	dma_resv_unlock(drm_gpuvm_resv(&vm->base));
	vm_destroy(vm);
}

static void scene_sequential(struct bench *b, u32 index)
{
	struct bench_vm *vm = maps_begin(b);

	measure_maps(vm, SEQUENTIAL_BIND, sequential_bind);
	measure_maps(vm, SEQUENTIAL_UNBIND, sequential_unbind);
	maps_end(vm);
}

static void scene_random(struct bench *b, u32 index)
{
	struct bench_vm *vm = maps_begin(b);

	measure_maps(vm, RANDOM_BIND, random_bind);
	measure_maps(vm, RANDOM_FIND_FIRST, random_find_first);
	/* Have the allocator's caches filled. */
	op_list(vm, 0);
	measure_maps(vm, OP_LISTS, op_lists);
	measure_maps(vm, RANDOM_REBIND, random_rebind);
	measure_maps(vm, RANDOM_UNBIND, random_unbind);
	maps_end(vm);
}

static void scene_split(struct bench *b, u32 index)
{
	struct bench_vm *vm = maps_begin(b);

	bind(vm, 0, VA(b->n), SPACE);
	measure_maps(vm, SPLIT, random_bind);
	maps_end(vm);
}

/* ---- Looking for vm_bos ------------------------------------------------ */

/* Every one of @vms VMs maps every one of @objs objects. */
struct share {
	struct bench_vm **vms;
	struct drm_gem_object **objs;
	u32 num_vms;
	u32 num_objs;
	u32 num_finds;
};

/* The slower a list is, the less often: how often it is per loop. */
static u32 num_finds(u32 vms)
{
	return 40000 / (1 + vms / 250);
}

static void share_begin(struct bench *b, struct share *share, u32 vms, u32 objs,
			u32 flags)
{
	share->num_vms = vms;
	share->num_objs = objs;
	share->vms = kcalloc(vms, sizeof(*share->vms), GFP_KERNEL);
	share->objs = kcalloc(objs, sizeof(*share->objs), GFP_KERNEL);
	if (WARN_ON(!share->vms || !share->objs))
		return;

	for (u32 i = 0; i < vms; i++)
		share->vms[i] = vm_create(b, flags);

	for (u32 j = 0; j < objs; j++) {
		share->objs[j] = drm_gpuvm_resv_object_alloc(b->drm);
		dma_resv_lock(share->objs[j]->resv, NULL);
		for (u32 i = 0; i < vms; i++)
			drm_gpuvm_bo_obtain_locked(&share->vms[i]->base,
						   share->objs[j]);
		dma_resv_unlock(share->objs[j]->resv);
	}
}

static void share_end_obj(struct share *share, struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuvm *gpuvm;

	dma_resv_lock(obj->resv, NULL);
	for (u32 i = 0; i < share->num_vms; i++) {
		gpuvm = &share->vms[i]->base;
		if (drm_gpuvm_resv_protected(gpuvm))
			dma_resv_lock(drm_gpuvm_resv(gpuvm), NULL);
		vm_bo = drm_gpuvm_bo_find(gpuvm, obj);
		drm_gpuvm_bo_put(vm_bo);
		drm_gpuvm_bo_put(vm_bo);
		if (drm_gpuvm_resv_protected(gpuvm))
			dma_resv_unlock(drm_gpuvm_resv(gpuvm));
	}
	dma_resv_unlock(obj->resv);
	drm_gem_object_put(obj);
}

static void share_end(struct share *share)
{
	for (u32 j = 0; j < share->num_objs; j++)
		share_end_obj(share, share->objs[j]);
	for (u32 i = 0; i < share->num_vms; i++)
		vm_destroy(share->vms[i]);

	kfree(share->objs);
	kfree(share->vms);
}

static void bo_find(void *ctx)
{
	struct share *share = ctx;
	struct drm_gpuvm_bo *vm_bo;
	u32 vm = 0, obj = 0;

	/* Strides that visit all pairs in an order that no list has. */
	for (u32 i = 0; i < share->num_finds; i++) {
		vm = (vm + 367) % share->num_vms;
		obj = (obj + 367) % share->num_objs;
		/* All objects were seen: other pairs from here on. */
		if (!obj)
			vm = (vm + 1) % share->num_vms;
		vm_bo = drm_gpuvm_bo_find(&share->vms[vm]->base,
					  share->objs[obj]);
		if (!WARN_ON(!vm_bo))
			drm_gpuvm_bo_put(vm_bo);
	}
}

static const struct bench_pattern patterns[];

static void scene_bo_find(struct bench *b, u32 index)
{
	const struct bench_pattern *pattern = &patterns[index];
	struct share share;

	share_begin(b, &share, pattern->vms, pattern->objs, 0);
	share.num_finds = b->loops * num_finds(pattern->vms);
	bench_measure(&b->results[index], share.num_finds, bo_find, &share);
	share_end(&share);
}

/* ---- Locking external objects ------------------------------------------ */

struct exec_ctx {
	struct share share;
	struct drm_gpuvm_bo **vm_bos;
	bool evict;
	u32 loops;
};

static void exec_lock(void *ctx)
{
	struct exec_ctx *exec = ctx;
	struct drm_gpuvm_exec vm_exec = {
		.vm = &exec->share.vms[0]->base,
		.num_fences = 1,
	};

	for (u32 loop = 0; loop < exec->loops; loop++) {
		if (WARN_ON(drm_gpuvm_exec_lock(&vm_exec)))
			return;

		WARN_ON(drm_gpuvm_exec_validate(&vm_exec));

		for (u32 i = 0; exec->evict && i < exec->share.num_objs; i++)
			drm_gpuvm_bo_evict(exec->vm_bos[i], true);

		drm_gpuvm_exec_unlock(&vm_exec);
	}
}

static void exec_add(struct exec_ctx *exec, u32 i)
{
	struct drm_gem_object *obj = exec->share.objs[i];
	struct drm_gpuvm *gpuvm = &exec->share.vms[0]->base;

	dma_resv_lock(obj->resv, NULL);
	exec->vm_bos[i] = drm_gpuvm_bo_find(gpuvm, obj);
	drm_gpuvm_bo_put(exec->vm_bos[i]);
	if (exec->evict)
		drm_gpuvm_bo_evict(exec->vm_bos[i], true);
	dma_resv_unlock(obj->resv);

	dma_resv_lock(drm_gpuvm_resv(gpuvm), NULL);
	drm_gpuvm_bo_extobj_add(exec->vm_bos[i]);
	dma_resv_unlock(drm_gpuvm_resv(gpuvm));
}

static void scene_exec_lock(struct bench *b, u32 index)
{
	const struct bench_pattern *pattern = &patterns[index];
	struct exec_ctx exec = {
		.evict = pattern->evict,
		.loops = b->loops * 20000 / pattern->objs,
	};

	share_begin(b, &exec.share, 1, pattern->objs, pattern->flags);
	exec.vm_bos = kcalloc(pattern->objs, sizeof(*exec.vm_bos), GFP_KERNEL);
	if (WARN_ON(!exec.vm_bos))
		return;

	for (u32 i = 0; i < pattern->objs; i++)
		exec_add(&exec, i);
	bench_measure(&b->results[index], (u64)exec.loops * pattern->objs,
		      exec_lock, &exec);

	kfree(exec.vm_bos);
	share_end(&exec.share);
}

/* ---- All of them ------------------------------------------------------- */

#define BO_FIND(vms_, objs_)						\
	.scene = scene_bo_find, .vms = vms_, .objs = objs_
#define EXEC_LOCK(objs_, evict_, flags_)				\
	.scene = scene_exec_lock, .vms = 1, .objs = objs_, .evict = evict_, \
	.flags = flags_

static const struct bench_pattern patterns[] = {
	[SEQUENTIAL_BIND] = { "sequential bind", scene_sequential },
	[SEQUENTIAL_UNBIND] = { "sequential unbind", scene_sequential },
	[RANDOM_BIND] = { "random bind", scene_random },
	[RANDOM_REBIND] = { "random rebind", scene_random },
	[RANDOM_UNBIND] = { "random unbind", scene_random },
	[RANDOM_FIND_FIRST] = { "random find_first", scene_random },
	[OP_LISTS] = { "op lists that split", scene_random },
	[SPLIT] = { "split", scene_split },
	{ "vm_bo_find, 1 VM", BO_FIND(1, 1) },
	{ "vm_bo_find, 100 VMs", BO_FIND(100, 1) },
	{ "vm_bo_find, 1000 VMs", BO_FIND(1000, 1) },
	{ "vm_bo_find, 1 VM, 1000 objects", BO_FIND(1, 1000) },
	{ "vm_bo_find, 100 VMs, 1000 objects", BO_FIND(100, 1000) },
	{ "exec_lock, 10 extobjs", EXEC_LOCK(10, false, 0) },
	{ "exec_lock, 10 extobjs, all evicted", EXEC_LOCK(10, true, 0) },
	{ "exec_lock, 1000 extobjs", EXEC_LOCK(1000, false, 0) },
	{ "exec_lock, 1000 extobjs, all evicted", EXEC_LOCK(1000, true, 0) },
	{ "exec_lock, resv, 10 extobjs",
	  EXEC_LOCK(10, false, DRM_GPUVM_RESV_PROTECTED) },
	{ "exec_lock, resv, 10 extobjs, all evicted",
	  EXEC_LOCK(10, true, DRM_GPUVM_RESV_PROTECTED) },
	{ "exec_lock, resv, 1000 extobjs",
	  EXEC_LOCK(1000, false, DRM_GPUVM_RESV_PROTECTED) },
	{ "exec_lock, resv, 1000 extobjs, all evicted",
	  EXEC_LOCK(1000, true, DRM_GPUVM_RESV_PROTECTED) },
};

#define PASTE(a, b) a##b
#define STRING(a) #a
#define CORE_SYMBOL(core) PASTE(bench_core_, core)
#define CORE_NAME(core) STRING(core)

const struct bench_core CORE_SYMBOL(BENCH_CORE) = {
	.name = CORE_NAME(BENCH_CORE),
	.patterns = patterns,
	.num_patterns = ARRAY_SIZE(patterns),
	.sizes = {
		{ "drm_gpuva", sizeof(struct drm_gpuva) },
		{ "drm_gpuvm_bo", sizeof(struct drm_gpuvm_bo) },
		{ "drm_gpuvm", sizeof(struct drm_gpuvm) },
		{ "drm_gpuva_op", sizeof(struct drm_gpuva_op) },
	},
};
