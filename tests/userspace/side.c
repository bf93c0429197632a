// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * A driver that is as simple as the rules allow. Built once for each core.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <drm/drm_drv.h>
#include <drm/drm_exec.h>
#include <drm/drm_gpuvm.h>
#include <linux/rbtree_augmented.h>

#include "shim.h"
#include "side.h"

#ifdef SIDE_MAINLINE
#define SIDE_NAME	"mainline"
#define SIDE_SYMBOL	side_mainline
#else
#define SIDE_NAME	"ours"
#define SIDE_SYMBOL	side_ours
#endif

static void side_check(struct side_vm *vm);

#define CHECK(cond) \
	((cond) ? (void)0 : die(SIDE_NAME ": %s: %s", __func__, #cond))

struct side_vm {
	struct drm_gpuvm base;
	struct drm_gpuvm_ops ops;
	struct drm_device drm;
	struct drm_gem_object *r_obj;
	struct drm_gem_object *objs[NR_OBJS];
	unsigned int freed_objs;
	bool freed;
	bool early_put;
};

/* What the callbacks need to know of the request they work for. */
struct step_ctx {
	struct side_vm *vm;
	const struct request *req;
	struct outcome *out;
	struct drm_gpuvm_bo *vm_bo;

	/* Nothing can be allocated once the VM is being changed. */
	struct drm_gpuva *spare[8];
	unsigned int nr_spare;

	/* What the last remap took away: madvise maps it again. */
	struct drm_gpuva cut;
};

/* The validation callback has no argument for it. */
static struct step_ctx *validating;

static bool immediate(struct side_vm *vm)
{
	return drm_gpuvm_immediate_mode(&vm->base);
}

/* ---- Records ----------------------------------------------------------- */

static s64 obj_index(struct side_vm *vm, const struct drm_gem_object *obj)
{
	if (!obj)
		return NO_OBJ;
	if (obj == vm->r_obj)
		return RESV_OBJ;
	for (int i = 0; i < NR_OBJS; i++) {
		if (obj == vm->objs[i])
			return i;
	}

	die(SIDE_NAME ": an object that does not exist");
}

static struct record *note(struct outcome *out, enum record_kind kind)
{
	struct record *rec = &out->rec[out->nr++];

	CHECK(out->nr <= MAX_RECORDS);
	memset(rec, 0, sizeof(*rec));
	rec->kind = kind;

	return rec;
}

static struct part part_of_map(struct side_vm *vm,
			       const struct drm_gpuva_op_map *map)
{
	return (struct part) {
		.addr = map->va.addr,
		.range = map->va.range,
		.offset = map->gem.offset,
		.obj = obj_index(vm, map->gem.obj),
	};
}

static struct part part_of_va(struct side_vm *vm, const struct drm_gpuva *va)
{
	bool reserved = va == &vm->base.kernel_alloc_node;

	return (struct part) {
		.addr = va->va.addr,
		.range = va->va.range,
		.offset = va->gem.offset,
		.obj = reserved ? RESERVED : obj_index(vm, va->gem.obj),
	};
}

static void note_va(struct side_vm *vm, struct outcome *out,
		    const struct drm_gpuva *va)
{
	note(out, DID_FIND)->va = part_of_va(vm, va);
}

static void note_op(struct side_vm *vm, struct outcome *out,
		    const struct drm_gpuva_op *op)
{
	struct record *rec;

	switch (op->op) {
	case DRM_GPUVA_OP_MAP:
		note(out, DID_MAP)->va = part_of_map(vm, &op->map);
		break;
	case DRM_GPUVA_OP_REMAP:
		rec = note(out, DID_REMAP);
		rec->keep = op->remap.unmap->keep;
		rec->va = part_of_va(vm, op->remap.unmap->va);
		if (op->remap.prev)
			rec->prev = part_of_map(vm, op->remap.prev);
		if (op->remap.next)
			rec->next = part_of_map(vm, op->remap.next);
		break;
	case DRM_GPUVA_OP_UNMAP:
		rec = note(out, DID_UNMAP);
		rec->keep = op->unmap.keep;
		rec->va = part_of_va(vm, op->unmap.va);
		break;
	case DRM_GPUVA_OP_PREFETCH:
		note(out, DID_PREFETCH)->va = part_of_va(vm, op->prefetch.va);
		break;
	default:
		die(SIDE_NAME ": operation of kind %d", op->op);
	}
}

/* ---- Locks ------------------------------------------------------------- */

/*
 * Outside immediate mode the objects' lists are under their resvs, and what is
 * overlapped is not known beforehand.
 */
static void lock_objs(struct side_vm *vm)
{
	if (immediate(vm))
		return;

	dma_resv_lock(vm->r_obj->resv, NULL);
	for (int i = 1; i < NR_OBJS; i++)
		dma_resv_lock(vm->objs[i]->resv, NULL);
}

static void unlock_objs(struct side_vm *vm)
{
	if (immediate(vm))
		return;

	for (int i = NR_OBJS - 1; i > 0; i--)
		dma_resv_unlock(vm->objs[i]->resv);
	dma_resv_unlock(vm->r_obj->resv);
}

static void extobj_add(struct side_vm *vm, struct drm_gpuvm_bo *vm_bo)
{
	bool lock = immediate(vm) && drm_gpuvm_resv_protected(&vm->base);

	if (lock)
		dma_resv_lock(vm->r_obj->resv, NULL);
	drm_gpuvm_bo_extobj_add(vm_bo);
	if (lock)
		dma_resv_unlock(vm->r_obj->resv);
}

static struct drm_gpuvm_bo *vm_bo_obtain(struct side_vm *vm, int obj)
{
	struct drm_gpuvm_bo *vm_bo;

	if (immediate(vm)) {
		vm_bo = drm_gpuvm_bo_create(&vm->base, vm->objs[obj]);
		if (vm_bo)
			vm_bo = drm_gpuvm_bo_obtain_prealloc(vm_bo);
	} else {
		vm_bo = drm_gpuvm_bo_obtain_locked(&vm->base, vm->objs[obj]);
		if (IS_ERR(vm_bo))
			vm_bo = NULL;
	}
	if (vm_bo)
		extobj_add(vm, vm_bo);

	return vm_bo;
}

static void vm_bo_put(struct side_vm *vm, struct drm_gpuvm_bo *vm_bo)
{
	if (immediate(vm))
		drm_gpuvm_bo_put_deferred(vm_bo);
	else
		drm_gpuvm_bo_put(vm_bo);
}

static void link_va(struct side_vm *vm, struct drm_gpuva *va,
		    struct drm_gpuvm_bo *vm_bo)
{
	if (immediate(vm) && va->gem.obj)
		mutex_lock(&va->gem.obj->gpuva.lock);
	drm_gpuva_link(va, vm_bo);
	if (immediate(vm) && va->gem.obj)
		mutex_unlock(&va->gem.obj->gpuva.lock);
}

static void unlink_and_free(struct side_vm *vm, struct drm_gpuva *va)
{
	if (immediate(vm))
		drm_gpuva_unlink_defer(va);
	else
		drm_gpuva_unlink(va);
	free(va);
}

/* ---- Steps ------------------------------------------------------------- */

static struct drm_gpuva *take_spare(struct step_ctx *ctx)
{
	CHECK(ctx->nr_spare);

	return ctx->spare[--ctx->nr_spare];
}

static void do_map(struct step_ctx *ctx, const struct drm_gpuva_op_map *map)
{
	struct drm_gpuva_op_map corrected = *map;
	struct drm_gpuva *va = take_spare(ctx);

	/* The driver knows what it had there, whatever the operation says. */
	if (ctx->req->kind == REQ_MADVISE) {
		CHECK(map->va.addr == ctx->cut.va.addr);
		CHECK(map->va.range == ctx->cut.va.range);
		corrected.gem.obj = ctx->cut.gem.obj;
		corrected.gem.offset = ctx->cut.gem.offset;
	}

	drm_gpuva_map(&ctx->vm->base, va, &corrected);
	CHECK(va->vm == &ctx->vm->base);
	if (va->gem.obj)
		link_va(ctx->vm, va, ctx->vm_bo);
}

static void note_cut(struct step_ctx *ctx, const struct drm_gpuva_op_remap *op)
{
	const struct drm_gpuva *va = op->unmap->va;
	u64 before = op->prev ? op->prev->va.range : 0;

	ctx->cut.gem.obj = va->gem.obj;
	ctx->cut.gem.offset = va->gem.offset + before;
	drm_gpuva_op_remap_to_unmap_range(op, &ctx->cut.va.addr,
					  &ctx->cut.va.range);
	CHECK(ctx->cut.va.addr == va->va.addr + before);
}

static void do_remap(struct step_ctx *ctx, const struct drm_gpuva_op_remap *op)
{
	bool reuse = ctx->req->flags & REQ_REUSE;
	struct drm_gpuva *va = op->unmap->va;
	struct drm_gpuva *prev = NULL, *next = NULL;

	note_cut(ctx, op);

	if (op->prev)
		prev = reuse ? va : take_spare(ctx);
	if (op->next)
		next = reuse && !prev ? va : take_spare(ctx);

	drm_gpuva_remap(prev, next, op);

	if (prev && prev != va)
		link_va(ctx->vm, prev, va->vm_bo);
	if (next && next != va)
		link_va(ctx->vm, next, va->vm_bo);
	if (prev != va && next != va)
		unlink_and_free(ctx->vm, va);
}

static void do_unmap(struct step_ctx *ctx, const struct drm_gpuva_op_unmap *op)
{
	struct drm_gpuva *va = op->va;

	drm_gpuva_unmap(op);
	unlink_and_free(ctx->vm, va);
}

static void do_op(struct step_ctx *ctx, const struct drm_gpuva_op *op)
{
	switch (op->op) {
	case DRM_GPUVA_OP_MAP:
		do_map(ctx, &op->map);
		break;
	case DRM_GPUVA_OP_REMAP:
		do_remap(ctx, &op->remap);
		break;
	case DRM_GPUVA_OP_UNMAP:
		do_unmap(ctx, &op->unmap);
		break;
	default:
		break;
	}
}

static int step(struct drm_gpuva_op *op, void *priv)
{
	struct step_ctx *ctx = priv;

	note_op(ctx->vm, ctx->out, op);
	if (ctx->out->nr == ctx->req->nth)
		return -ECANCELED;

	if (!(ctx->req->flags & REQ_NOTE))
		do_op(ctx, op);

	return 0;
}

static int step_ctx_init(struct step_ctx *ctx, struct side_vm *vm,
			 const struct request *req, struct outcome *out)
{
	memset(ctx, 0, sizeof(*ctx));
	ctx->vm = vm;
	ctx->req = req;
	ctx->out = out;

	lock_objs(vm);

	if (req->obj != NO_OBJ) {
		ctx->vm_bo = vm_bo_obtain(vm, req->obj);
		if (!ctx->vm_bo)
			return -ENOMEM;
	}

	while (ctx->nr_spare < ARRAY_SIZE(ctx->spare))
		ctx->spare[ctx->nr_spare++] = calloc(1, sizeof(struct drm_gpuva));

	return 0;
}

static void step_ctx_fini(struct step_ctx *ctx)
{
	while (ctx->nr_spare)
		free(take_spare(ctx));
	if (ctx->vm_bo)
		vm_bo_put(ctx->vm, ctx->vm_bo);

	unlock_objs(ctx->vm);
}

/* Between these two, immediate mode must be able to signal fences. */
static void update_begin(struct side_vm *vm)
{
	shim.signalling = immediate(vm);
}

static void update_end(struct side_vm *vm)
{
	shim.signalling = false;
}

static int run_callbacks(struct step_ctx *ctx, const struct request *req,
			 const struct drm_gpuvm_map_req *map)
{
	struct drm_gpuvm *gpuvm = &ctx->vm->base;
	int ret;

	update_begin(ctx->vm);
	if (req->kind == REQ_MAP)
		ret = drm_gpuvm_sm_map(gpuvm, ctx, map);
	else
		ret = drm_gpuvm_sm_unmap(gpuvm, ctx, req->addr, req->range);
	update_end(ctx->vm);

	return ret;
}

static struct drm_gpuva_ops *bo_unmap_ops(struct step_ctx *ctx)
{
	struct drm_gem_object *obj = ctx->vm->objs[ctx->req->obj];
	struct drm_gpuva_ops *ops;

	if (immediate(ctx->vm))
		mutex_lock(&obj->gpuva.lock);
	ops = drm_gpuvm_bo_unmap_ops_create(ctx->vm_bo);
	if (immediate(ctx->vm))
		mutex_unlock(&obj->gpuva.lock);

	return ops;
}

static struct drm_gpuva_ops *make_list(struct step_ctx *ctx,
				       const struct request *req,
				       const struct drm_gpuvm_map_req *map)
{
	struct drm_gpuvm *gpuvm = &ctx->vm->base;

	switch (req->kind) {
	case REQ_MAP_LIST:
	case REQ_MAP_DROP:
		return drm_gpuvm_sm_map_ops_create(gpuvm, map);
	case REQ_UNMAP_LIST:
	case REQ_UNMAP_DROP:
		return drm_gpuvm_sm_unmap_ops_create(gpuvm, req->addr, req->range);
	case REQ_MADVISE:
	case REQ_MADVISE_DROP:
		return drm_gpuvm_madvise_ops_create(gpuvm, map);
	case REQ_PREFETCH:
		return drm_gpuvm_prefetch_ops_create(gpuvm, req->addr, req->range);
	default:
		return bo_unmap_ops(ctx);
	}
}

static bool list_is_dropped(const struct request *req)
{
	return req->kind == REQ_MAP_DROP || req->kind == REQ_UNMAP_DROP ||
	       req->kind == REQ_MADVISE_DROP || req->kind == REQ_PREFETCH;
}

static int run_list(struct step_ctx *ctx, const struct request *req,
		    const struct drm_gpuvm_map_req *map)
{
	unsigned long allocs = shim.allocs;
	struct drm_gpuva_ops *ops;
	struct drm_gpuva_op *op;

	ops = make_list(ctx, req, map);
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	ctx->out->allocs = shim.allocs - allocs;

	drm_gpuva_for_each_op(op, ops)
		note_op(ctx->vm, ctx->out, op);

	update_begin(ctx->vm);
	if (!list_is_dropped(req)) {
		drm_gpuva_for_each_op(op, ops)
			do_op(ctx, op);
	}
	update_end(ctx->vm);

	drm_gpuva_ops_free(&ctx->vm->base, ops);

	return 0;
}

static int run_change(struct side_vm *vm, const struct request *req,
		      struct outcome *out)
{
	bool callbacks = req->kind == REQ_MAP || req->kind == REQ_UNMAP;
	struct drm_gpuvm_map_req map = {
		.map.va.addr = req->addr,
		.map.va.range = req->range,
		.map.gem.obj = req->obj == NO_OBJ ? NULL : vm->objs[req->obj],
		.map.gem.offset = req->offset,
	};
	struct step_ctx ctx;
	int ret;

	ret = step_ctx_init(&ctx, vm, req, out);
	if (!ret && callbacks)
		ret = run_callbacks(&ctx, req, &map);
	else if (!ret)
		ret = run_list(&ctx, req, &map);
	step_ctx_fini(&ctx);

	return ret;
}

/* ---- Tree -------------------------------------------------------------- */

static int gpuva_map(struct drm_gpuvm *gpuvm, struct drm_gpuva *va,
		     const struct drm_gpuva_op_map *map)
{
#ifdef SIDE_MAINLINE
	drm_gpuva_map(gpuvm, va, map);
	return 0;
#else
	return drm_gpuva_map(gpuvm, va, map);
#endif
}

static int run_insert(struct side_vm *vm, const struct request *req,
		      struct outcome *out)
{
	struct drm_gpuva_op_map map = {
		.va.addr = req->addr,
		.va.range = req->range,
		.gem.offset = req->offset,
		.gem.obj = req->obj == NO_OBJ ? NULL : vm->objs[req->obj],
	};
	struct step_ctx ctx;
	struct drm_gpuva *va;
	int ret;

	ret = step_ctx_init(&ctx, vm, req, out);
	if (ret)
		goto out;

	va = take_spare(&ctx);
	update_begin(vm);
	if (req->kind == REQ_INSERT) {
		drm_gpuva_init_from_op(va, &map);
		ret = drm_gpuva_insert(&vm->base, va);
	} else {
		ret = gpuva_map(&vm->base, va, &map);
	}
	/* Linux's drm_gpuva_map() does not say it; an inserted one has its VM. */
	if (!ret && va->vm)
		link_va(vm, va, ctx.vm_bo);
	else
		free(va);
	update_end(vm);
out:
	step_ctx_fini(&ctx);

	return ret;
}

static int run_remove(struct side_vm *vm, const struct request *req,
		      struct outcome *out)
{
	struct drm_gpuva *va = drm_gpuva_find(&vm->base, req->addr, req->range);
	unsigned long splats = shim.splats;

	if (!va)
		return -ENOENT;

	note_va(vm, out, va);

	lock_objs(vm);
	update_begin(vm);
	shim.tolerate = va == &vm->base.kernel_alloc_node;
	drm_gpuva_remove(va);
	shim.tolerate = false;
	CHECK((va == &vm->base.kernel_alloc_node) == (shim.splats == splats + 1));
	if (va != &vm->base.kernel_alloc_node)
		unlink_and_free(vm, va);
	update_end(vm);
	unlock_objs(vm);

	return 0;
}

static int run_clear(struct side_vm *vm, const struct request *req,
		     struct outcome *out)
{
	struct drm_gpuva *va, *next;

	lock_objs(vm);
	update_begin(vm);
	drm_gpuvm_for_each_va_range_safe(va, next, &vm->base, req->addr,
					 req->addr + req->range) {
		note_va(vm, out, va);
		if (va == &vm->base.kernel_alloc_node)
			continue;

		drm_gpuva_remove(va);
		unlink_and_free(vm, va);
	}
	update_end(vm);
	unlock_objs(vm);

	return 0;
}

static int run_query(struct side_vm *vm, const struct request *req,
		     struct outcome *out)
{
	struct drm_gpuva *va = NULL;

	switch (req->kind) {
	case REQ_VALID:
		return drm_gpuvm_range_valid(&vm->base, req->addr, req->range);
	case REQ_EMPTY:
		return drm_gpuvm_interval_empty(&vm->base, req->addr, req->range);
	case REQ_FIND:
		va = drm_gpuva_find(&vm->base, req->addr, req->range);
		break;
	case REQ_FIND_FIRST:
		va = drm_gpuva_find_first(&vm->base, req->addr, req->range);
		break;
#ifndef SIDE_MAINLINE
	case REQ_FIND_PREV:
		va = drm_gpuva_find_prev(&vm->base, req->addr);
		break;
	case REQ_FIND_NEXT:
		va = drm_gpuva_find_next(&vm->base, req->addr);
		break;
#endif
	default:
		break;
	}
	if (va)
		note_va(vm, out, va);

	return 0;
}

#ifndef SIDE_MAINLINE
/* A safe walk tells its next step, or the reserved range if it will skip that. */
static void check_next(struct side_vm *vm, struct drm_gpuva **expected,
		       struct drm_gpuva *va, struct drm_gpuva *next)
{
	CHECK(*expected == va || *expected == &vm->base.kernel_alloc_node);
	*expected = next;
}
#endif

static int run_walk(struct side_vm *vm, const struct request *req,
		    struct outcome *out)
{
	u64 start = req->addr, end = req->addr + req->range;
	struct drm_gpuvm *gpuvm = &vm->base;
	struct drm_gpuva *va, *next, *expected __maybe_unused;

	switch (req->kind) {
	case REQ_WALK:
		drm_gpuvm_for_each_va_range(va, gpuvm, start, end)
			note_va(vm, out, va);
		break;
	case REQ_WALK_ALL:
		drm_gpuvm_for_each_va(va, gpuvm)
			note_va(vm, out, va);
		break;
	case REQ_WALK_ALL_SAFE:
		drm_gpuvm_for_each_va_safe(va, next, gpuvm)
			note_va(vm, out, va);
		break;
#ifdef SIDE_MAINLINE
	case REQ_WALK_SAFE:
		drm_gpuvm_for_each_va_range_safe(va, next, gpuvm, start, end)
			note_va(vm, out, va);
		break;
	/* What each of its users has to write. */
	case REQ_MAPPINGS:
	case REQ_MAPPINGS_SAFE:
		drm_gpuvm_for_each_va_range(va, gpuvm, start, end) {
			if (va != &gpuvm->kernel_alloc_node)
				note_va(vm, out, va);
		}
		break;
	default:
		drm_gpuvm_for_each_va(va, gpuvm) {
			if (va != &gpuvm->kernel_alloc_node)
				note_va(vm, out, va);
		}
		break;
#else
	case REQ_WALK_SAFE:
		expected = drm_gpuva_find_first(gpuvm, start, end - start);
		drm_gpuvm_for_each_va_range_safe(va, next, gpuvm, start, end) {
			note_va(vm, out, va);
			check_next(vm, &expected, va, next);
		}
		CHECK(!expected);
		break;
	case REQ_MAPPINGS:
		drm_gpuvm_for_each_mapping_range(va, gpuvm, start, end)
			note_va(vm, out, va);
		break;
	case REQ_MAPPINGS_SAFE:
		expected = drm_gpuva_find_first(gpuvm, start, end - start);
		drm_gpuvm_for_each_mapping_range_safe(va, next, gpuvm, start, end) {
			note_va(vm, out, va);
			check_next(vm, &expected, va, next);
		}
		check_next(vm, &expected, NULL, NULL);
		break;
	case REQ_MAPPINGS_ALL:
		drm_gpuvm_for_each_mapping(va, gpuvm)
			note_va(vm, out, va);
		break;
	default:
		drm_gpuvm_for_each_mapping_safe(va, next, gpuvm)
			note_va(vm, out, va);
		break;
#endif
	}

	return 0;
}

/* ---- Exec -------------------------------------------------------------- */

static void note_locked(struct side_vm *vm, struct drm_exec *exec,
			struct outcome *out)
{
	struct drm_gem_object *obj;
	struct record *rec;

	drm_exec_for_each_locked_object(exec, obj) {
		CHECK(dma_resv_locking_ctx(obj->resv) == drm_exec_ticket(exec));
		rec = note(out, DID_LOCK);
		rec->va.obj = obj_index(vm, obj);
		rec->va.range = obj->resv->reserved;
	}
}

static int lock_array(struct drm_gpuvm_exec *vm_exec, const struct request *req)
{
	struct side_vm *vm = container_of(vm_exec->vm, struct side_vm, base);
	struct drm_gem_object *objs[NR_OBJS];
	unsigned int nr = 0;

	for (int i = 0; i < NR_OBJS; i++) {
		if (req->mask & BIT(i))
			objs[nr++] = vm->objs[i];
	}

	return drm_gpuvm_exec_lock_array(vm_exec, objs, nr);
}

static void add_fence(struct side_vm *vm, struct drm_gpuvm_exec *vm_exec,
		      struct outcome *out)
{
	struct dma_fence fence = { };
	struct drm_gem_object *obj;
	struct record *rec;

	drm_gpuvm_exec_resv_add_fence(vm_exec, &fence, DMA_RESV_USAGE_BOOKKEEP,
				      DMA_RESV_USAGE_WRITE);

	drm_exec_for_each_locked_object(&vm_exec->exec, obj) {
		rec = note(out, DID_FENCE);
		rec->va.obj = obj_index(vm, obj);
		rec->va.range = obj->resv->usage;
		fence.users--;
	}
	CHECK(!fence.users);
}

static void evict_all(struct step_ctx *ctx, bool evict)
{
	for (int i = 0; i < NR_OBJS; i++) {
		struct drm_gem_object *obj = ctx->vm->objs[i];

		if (immediate(ctx->vm))
			mutex_lock(&obj->gpuva.lock);
		drm_gpuvm_bo_gem_evict(obj, evict);
		if (immediate(ctx->vm))
			mutex_unlock(&obj->gpuva.lock);
	}
}

static int validate(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	struct step_ctx *ctx = validating;

	note(ctx->out, DID_VALIDATE)->va.obj = obj_index(ctx->vm, vm_bo->obj);
	if (ctx->req->nth && !--ctx->cut.va.addr)
		return -ECANCELED;

	if (ctx->req->flags & (REQ_BACK_ALL | REQ_EVICT_ALL))
		evict_all(ctx, !(ctx->req->flags & REQ_BACK_ALL));
	else if (ctx->req->flags & REQ_BACK)
		drm_gpuvm_bo_evict(vm_bo, false);
	else if (ctx->req->flags & REQ_BACK_FLAG)
		vm_bo->evicted = false;

	return 0;
}

/*
 * With its spinlocks, Linux's core leaves what is no longer evicted on the list.
 * What any driver has to do about it.
 */
static void drop_validated(struct side_vm *vm, struct outcome *out)
{
#ifdef SIDE_MAINLINE
	struct drm_gpuvm_bo *vm_bo, *next;

	if (drm_gpuvm_resv_protected(&vm->base))
		return;

	list_for_each_entry_safe(vm_bo, next, &vm->base.evict.list,
				 list.entry.evict) {
		if (!vm_bo->evicted) {
			note(out, DID_LEAVE)->va.obj = obj_index(vm, vm_bo->obj);
			drm_gpuvm_bo_evict(vm_bo, false);
		}
	}
#endif
}

static int run_validate(struct side_vm *vm, struct drm_gpuvm_exec *vm_exec,
			const struct request *req, struct outcome *out)
{
	struct step_ctx ctx = {
		.vm = vm, .req = req, .out = out, .cut.va.addr = req->nth,
	};
	int ret;

	validating = &ctx;
	ret = drm_gpuvm_exec_validate(vm_exec);
	validating = NULL;
	drop_validated(vm, out);

	return ret;
}

static int run_lock(struct side_vm *vm, const struct request *req,
		    struct outcome *out)
{
	struct drm_gpuvm_exec vm_exec = {
		.vm = &vm->base,
		.flags = req->flags & REQ_DUPS ? DRM_EXEC_IGNORE_DUPLICATES : 0,
		.num_fences = req->fences,
		.extra.priv = &vm_exec,
	};
	int ret;

	if (req->kind != REQ_VALIDATE)
		shim.contend_nth = req->nth;

	if (req->kind == REQ_LOCK_ARRAY)
		ret = lock_array(&vm_exec, req);
	else if (req->kind == REQ_LOCK_RANGE)
		ret = drm_gpuvm_exec_lock_range(&vm_exec, req->addr, req->range);
	else
		ret = drm_gpuvm_exec_lock(&vm_exec);
	shim.contend_nth = 0;

	if (vm_exec.extra.fn || vm_exec.extra.priv != &vm_exec)
		note(out, DID_CHANGE_EXTRA);
	if (ret)
		return ret;

	note_locked(vm, &vm_exec.exec, out);
	if (req->kind == REQ_FENCE && req->fences)
		add_fence(vm, &vm_exec, out);
	if (req->kind == REQ_VALIDATE)
		ret = run_validate(vm, &vm_exec, req, out);

	drm_gpuvm_exec_unlock(&vm_exec);

	return ret;
}

static int lock_request(struct side_vm *vm, struct drm_exec *exec,
			const struct request *req)
{
	struct drm_gpuvm_map_req map = {
		.map.va.addr = req->addr,
		.map.va.range = req->range,
		.map.gem.obj = req->obj == NO_OBJ ? NULL : vm->objs[req->obj],
		.map.gem.offset = req->offset,
	};

	if (req->kind == REQ_LOCK_UNMAP)
		return drm_gpuvm_sm_unmap_exec_lock(&vm->base, exec, req->addr,
						    req->range);

	return drm_gpuvm_sm_map_exec_lock(&vm->base, exec, req->fences, &map);
}

static int run_lock_request(struct side_vm *vm, const struct request *req,
			    struct outcome *out)
{
	struct drm_exec exec;
	int ret = 0;

	shim.contend_nth = req->nth;
	drm_exec_init(&exec,
		      req->flags & REQ_DUPS ? DRM_EXEC_IGNORE_DUPLICATES : 0, 0);
	drm_exec_until_all_locked(&exec) {
		ret = lock_request(vm, &exec, req);
		drm_exec_retry_on_contention(&exec);
		if (ret)
			break;
	}
	shim.contend_nth = 0;
	note_locked(vm, &exec, out);
	drm_exec_fini(&exec);

	return ret;
}

static int run_evict(struct side_vm *vm, const struct request *req,
		     struct outcome *out)
{
	struct drm_gem_object *obj = vm->objs[req->obj];

	dma_resv_lock(obj->resv, NULL);
	if (immediate(vm))
		mutex_lock(&obj->gpuva.lock);
	drm_gpuvm_bo_gem_evict(obj, req->mask & 1);
	if (immediate(vm))
		mutex_unlock(&obj->gpuva.lock);
	dma_resv_unlock(obj->resv);

	return 0;
}

static int run_cleanup(struct side_vm *vm, const struct request *req,
		       struct outcome *out)
{
	drm_gpuvm_bo_deferred_cleanup(&vm->base);

	return 0;
}

/* ---- Misuse ------------------------------------------------------------ */

static int gpuva_remap(struct drm_gpuva *prev, struct drm_gpuva *next,
		       const struct drm_gpuva_op_remap *op)
{
#ifdef SIDE_MAINLINE
	drm_gpuva_remap(prev, next, op);
	return 0;
#else
	return drm_gpuva_remap(prev, next, op);
#endif
}

static int misuse_remove(struct side_vm *vm, struct drm_gpuva *va)
{
	unsigned int refs = kref_read(&vm->base.kref);
	unsigned long splats = shim.splats;

	drm_gpuva_insert(&vm->base, va);
	drm_gpuva_remove(va);

	shim.tolerate = true;
	drm_gpuva_remove(va);
	shim.tolerate = false;

	return kref_read(&vm->base.kref) != refs || shim.splats != splats + 1;
}

static int misuse_unlink(struct side_vm *vm, struct drm_gpuva *va)
{
	va->gem.obj = vm->objs[1];
	drm_gpuva_insert(&vm->base, va);
	if (immediate(vm))
		drm_gpuva_unlink_defer(va);
	else
		drm_gpuva_unlink(va);
	drm_gpuva_remove(va);

	return 0;
}

static int misuse_remap(struct side_vm *vm, struct drm_gpuva *va, bool inserted)
{
	struct drm_gpuva_op_map map = {
		.va.addr = va->va.addr + inserted,
		.va.range = va->va.range,
	};
	struct drm_gpuva_op_unmap unmap = { .va = va };
	struct drm_gpuva_op_remap op = { .prev = &map, .unmap = &unmap };
	static struct drm_gpuva prev;
	int ret;

	if (inserted)
		drm_gpuva_insert(&vm->base, va);
	ret = gpuva_remap(&prev, NULL, &op);
	side_check(vm);
	if (ret != -EINVAL || prev.vm)
		return -1;
	if (inserted)
		drm_gpuva_remove(va);

	return 0;
}

static int run_misuse(struct side_vm *vm, const struct request *req,
		      struct outcome *out)
{
	struct drm_gpuva *va = calloc(1, sizeof(*va));
	int ret;

	va->va.addr = req->addr;
	va->va.range = req->range;

	lock_objs(vm);
	if (req->kind == REQ_REMOVE_TWICE)
		ret = misuse_remove(vm, va);
	else if (req->kind == REQ_UNLINK_UNLINKED)
		ret = misuse_unlink(vm, va);
	else
		ret = misuse_remap(vm, va, req->kind == REQ_REMAP_OUTSIDE);
	unlock_objs(vm);
	free(va);

	return ret;
}

static int (*const run_kind[NR_REQS])(struct side_vm *vm,
				      const struct request *req,
				      struct outcome *out) = {
	[REQ_MAP] = run_change,
	[REQ_MAP_LIST] = run_change,
	[REQ_MAP_DROP] = run_change,
	[REQ_UNMAP] = run_change,
	[REQ_UNMAP_LIST] = run_change,
	[REQ_UNMAP_DROP] = run_change,
	[REQ_MADVISE] = run_change,
	[REQ_MADVISE_DROP] = run_change,
	[REQ_BO_UNMAP] = run_change,
	[REQ_PREFETCH] = run_change,
	[REQ_INSERT] = run_insert,
	[REQ_GPUVA_MAP] = run_insert,
	[REQ_REMOVE] = run_remove,
	[REQ_CLEAR] = run_clear,
	[REQ_VALID] = run_query,
	[REQ_EMPTY] = run_query,
	[REQ_FIND] = run_query,
	[REQ_FIND_FIRST] = run_query,
	[REQ_FIND_PREV] = run_query,
	[REQ_FIND_NEXT] = run_query,
	[REQ_WALK] = run_walk,
	[REQ_WALK_SAFE] = run_walk,
	[REQ_WALK_ALL] = run_walk,
	[REQ_WALK_ALL_SAFE] = run_walk,
	[REQ_MAPPINGS] = run_walk,
	[REQ_MAPPINGS_SAFE] = run_walk,
	[REQ_MAPPINGS_ALL] = run_walk,
	[REQ_MAPPINGS_ALL_SAFE] = run_walk,
	[REQ_LOCK] = run_lock,
	[REQ_LOCK_ARRAY] = run_lock,
	[REQ_LOCK_RANGE] = run_lock,
	[REQ_LOCK_MAP] = run_lock_request,
	[REQ_LOCK_UNMAP] = run_lock_request,
	[REQ_FENCE] = run_lock,
	[REQ_EVICT] = run_evict,
	[REQ_VALIDATE] = run_lock,
	[REQ_CLEANUP] = run_cleanup,
	[REQ_REMOVE_TWICE] = run_misuse,
	[REQ_UNLINK_UNLINKED] = run_misuse,
	[REQ_REMAP_OUTSIDE] = run_misuse,
	[REQ_REMAP_UNINSERTED] = run_misuse,
};

static void side_run(struct side_vm *vm, const struct request *req,
		     struct outcome *out)
{
	out->nr = 0;
	out->allocs = 0;
	out->ret = run_kind[req->kind](vm, req, out);

	if (immediate(vm) && !(req->flags & REQ_LAZY))
		drm_gpuvm_bo_deferred_cleanup(&vm->base);

	CHECK(!shim.resvs && !shim.mutexes && !shim.spins);
}

/* ---- Life cycle -------------------------------------------------------- */

static void vm_free(struct drm_gpuvm *gpuvm)
{
	container_of(gpuvm, struct side_vm, base)->freed = true;
}

/* Not at the beginning, so that only the driver can free them. */
struct driver_op {
	void *driver;
	struct drm_gpuva_op base;
};

struct driver_bo {
	void *driver;
	struct drm_gpuvm_bo base;
};

static struct drm_gpuva_op *driver_op_alloc(void)
{
	struct driver_op *op = shim_alloc(sizeof(*op));

	return op ? &op->base : NULL;
}

static void driver_op_free(struct drm_gpuva_op *op)
{
	shim_free(container_of(op, struct driver_op, base));
}

static struct drm_gpuvm_bo *driver_bo_alloc(void)
{
	struct driver_bo *vm_bo = shim_alloc(sizeof(*vm_bo));

	return vm_bo ? &vm_bo->base : NULL;
}

static void driver_bo_free(struct drm_gpuvm_bo *vm_bo)
{
	shim_free(container_of(vm_bo, struct driver_bo, base));
}

static void obj_free(struct drm_gem_object *obj)
{
	struct side_vm *vm = container_of(obj->dev, struct side_vm, drm);

	drm_gem_object_release(obj);
	vm->freed_objs++;
	free(obj);
}

static const struct drm_gem_object_funcs obj_funcs = {
	.free = obj_free,
};

static void vm_init_void(struct side_vm *vm, const struct config *config)
{
	drm_gpuvm_init(&vm->base, "test", config->flags, &vm->drm, vm->r_obj,
		       config->start, config->range,
		       config->reserve, config->reserve_range, &vm->ops);
}

#ifndef SIDE_MAINLINE
/* The list and whose walk is under way. Passed entries are the walk's. */
static u64 bo_list_guarded(spinlock_t *lock)
{
	struct drm_gpuvm_bo_list *bos = container_of(lock, typeof(*bos), lock);
	u64 sum = (unsigned long)bos->local_list;
	struct list_head *entry;

	list_for_each(entry, &bos->list)
		sum = sum * 31 + (unsigned long)entry;

	return sum;
}

/* In immediate mode: the object's vm_bos, and what is linked to them. */
static u64 gem_guarded(struct mutex *lock)
{
	struct drm_gem_object *obj = container_of(lock, typeof(*obj), gpuva.lock);
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuva *va;
	u64 sum = 0;

	drm_gem_for_each_gpuvm_bo(vm_bo, obj) {
		sum = sum * 31 + (unsigned long)vm_bo;
		drm_gpuvm_bo_for_each_va(va, vm_bo)
			sum = sum * 31 + (unsigned long)va;
	}

	return sum;
}

/* The VM's tree of vm_bos. */
static u64 bos_guarded(spinlock_t *lock)
{
	struct drm_gpuvm *gpuvm = container_of(lock, typeof(*gpuvm), bos.lock);
	struct rb_node *node;
	u64 sum = 0;

	for (node = rb_first(&gpuvm->bos.tree); node; node = rb_next(node))
		sum = sum * 31 + (unsigned long)node;

	return sum;
}

static void guard_lists(struct side_vm *vm)
{
	struct drm_gpuvm *gpuvm = &vm->base;

	gpuvm->extobj.lock.guarded = bo_list_guarded;
	gpuvm->extobj.lock.seen = bo_list_guarded(&gpuvm->extobj.lock);
	gpuvm->evict.lock.guarded = bo_list_guarded;
	gpuvm->evict.lock.seen = bo_list_guarded(&gpuvm->evict.lock);

	gpuvm->bos.lock.guarded = bos_guarded;
	gpuvm->bos.lock.seen = 0;

	for (int i = 0; i < NR_OBJS && immediate(vm); i++) {
		vm->objs[i]->gpuva.lock.guarded = gem_guarded;
		vm->objs[i]->gpuva.lock.seen = 0;
	}
}
#endif

static bool vm_init(struct side_vm *vm, const struct config *config)
{
#ifndef SIDE_MAINLINE
	if (!config->void_init)
		return !drm_gpuvm_try_init(&vm->base, "test", config->flags,
					   &vm->drm, vm->r_obj,
					   config->start, config->range,
					   config->reserve,
					   config->reserve_range, &vm->ops);
#endif
	vm_init_void(vm, config);

	return true;
}

static void put_objs(struct side_vm *vm)
{
	for (int i = 0; i < NR_OBJS; i++) {
		CHECK(kref_read(&vm->objs[i]->refcount) == 1);
		drm_gem_object_put(vm->objs[i]);
	}
	CHECK(vm->freed_objs == NR_OBJS);
	CHECK(kref_read(&vm->r_obj->refcount) == 1);
	drm_gem_object_put(vm->r_obj);
	CHECK(kref_read(&vm->drm.ref) == 1);
}

static struct side_vm *side_create(const struct config *config)
{
	struct side_vm *vm = calloc(1, sizeof(*vm));

	vm->early_put = config->early_put;
	kref_init(&vm->drm.ref);
	vm->ops = (struct drm_gpuvm_ops) {
		.vm_free = vm_free,
		.vm_bo_validate = validate,
		.sm_step_map = step,
		.sm_step_remap = step,
		.sm_step_unmap = step,
	};
	if (config->driver_allocs) {
		vm->ops.op_alloc = driver_op_alloc;
		vm->ops.op_free = driver_op_free;
		vm->ops.vm_bo_alloc = driver_bo_alloc;
		vm->ops.vm_bo_free = driver_bo_free;
	}

	vm->r_obj = drm_gpuvm_resv_object_alloc(&vm->drm);
	if (!vm->r_obj) {
		free(vm);
		return NULL;
	}

	for (int i = 0; i < NR_OBJS; i++) {
		vm->objs[i] = calloc(1, sizeof(*vm->objs[i]));
		vm->objs[i]->funcs = &obj_funcs;
		if (!i)
			vm->objs[i]->resv = vm->r_obj->resv;
		drm_gem_private_object_init(&vm->drm, vm->objs[i], 0);
	}

	if (vm_init(vm, config)) {
#ifndef SIDE_MAINLINE
		guard_lists(vm);
#endif
		return vm;
	}

	put_objs(vm);
	free(vm);

	return NULL;
}

static void side_destroy(struct side_vm *vm)
{
	struct drm_gpuva *va, *next;

	if (vm->early_put && drm_gpuvm_immediate_mode(&vm->base))
		vm->early_put = false;	/* the cleanup needs a VM */
	drm_gpuvm_bo_deferred_cleanup(&vm->base);

	/* Keeps the locks in reach, not the VM. */
	if (vm->early_put)
		drm_gpuvm_put(&vm->base);

	if (!vm->freed) {
		lock_objs(vm);
		drm_gpuvm_for_each_va_safe(va, next, &vm->base) {
			if (va == &vm->base.kernel_alloc_node)
				continue;
			CHECK(!vm->freed);
			drm_gpuva_remove(va);
			unlink_and_free(vm, va);
			if (vm->freed)
				break;
		}
		unlock_objs(vm);
	}

	if (!vm->early_put) {
		drm_gpuvm_bo_deferred_cleanup(&vm->base);
		CHECK(kref_read(&vm->base.kref) == 1);
		CHECK(!vm->freed);
		drm_gpuvm_put(&vm->base);
	}
	CHECK(vm->freed);

	put_objs(vm);
	free(vm);
}

/* ---- Looking inside ---------------------------------------------------- */

static void snapshot_obj(struct side_vm *vm, int i, struct snapshot *snap)
{
	struct drm_gem_object *obj = vm->objs[i];
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuva *va;

	snap->obj[i].refs = kref_read(&obj->refcount);
	drm_gem_for_each_gpuvm_bo(vm_bo, obj) {
		CHECK(vm_bo->vm == &vm->base && vm_bo->obj == obj);
		snap->obj[i].bos++;
		snap->obj[i].bo_refs = kref_read(&vm_bo->kref);
		snap->obj[i].evicted = vm_bo->evicted;
		snap->obj[i].on_extobj = !list_empty(&vm_bo->list.entry.extobj);
		snap->obj[i].on_evict = !list_empty(&vm_bo->list.entry.evict);
		drm_gpuvm_bo_for_each_va(va, vm_bo) {
			CHECK(va->vm_bo == vm_bo && va->gem.obj == obj);
			snap->obj[i].links++;
		}
	}
}

static void side_snapshot(struct side_vm *vm, struct snapshot *snap)
{
	struct llist_node *node;
	struct drm_gpuva *va;

	memset(snap, 0, offsetof(struct snapshot, va));
	snap->vm_refs = kref_read(&vm->base.kref);
	for (node = vm->base.bo_defer.first; node; node = node->next)
		snap->zombies++;

	list_for_each_entry(va, &vm->base.rb.list, rb.entry) {
		CHECK(snap->nr < MAX_RECORDS);
		snap->va[snap->nr].part = part_of_va(vm, va);
		snap->va[snap->nr].id = va;
		snap->va[snap->nr].linked = va->vm_bo;
		snap->nr++;
	}

	for (int i = 0; i < NR_OBJS; i++)
		snapshot_obj(vm, i, snap);
}

#ifdef SIDE_MAINLINE
static struct rb_root *side_root(struct side_vm *vm)
{
	return &vm->base.rb.tree.rb_root;
}
#else
static struct rb_root *side_root(struct side_vm *vm)
{
	return &vm->base.rb.tree;
}
#endif

/* Returns how many black nodes are on every way down. */
static unsigned int check_subtree(struct rb_node *node, struct rb_node *parent,
				  unsigned int *nr)
{
	unsigned int left, right;

	if (!node)
		return 0;

	CHECK(rb_parent(node) == parent);
	CHECK(rb_is_black(node) || (parent && rb_is_black(parent)));
	left = check_subtree(node->rb_left, node, nr);
	right = check_subtree(node->rb_right, node, nr);
	CHECK(left == right);
	++*nr;

	return left + rb_is_black(node);
}

#ifndef SIDE_MAINLINE
/* Whatever is on an object's list is in the VM's tree, in order. */
static void check_bos(struct side_vm *vm)
{
	struct drm_gem_object *before = NULL;
	struct drm_gpuvm_bo *vm_bo;
	struct rb_node *node;
	unsigned int nr = 0;

	for (int i = 0; i < NR_OBJS; i++)
		nr += !list_empty(&vm->objs[i]->gpuva.list);

	for (node = rb_first(&vm->base.bos.tree); node; node = rb_next(node)) {
		vm_bo = rb_entry(node, struct drm_gpuvm_bo, list.entry.vm);
		CHECK(vm_bo->obj > before);
		CHECK(!list_empty(&vm_bo->list.entry.gem));
		before = vm_bo->obj;
		nr--;
	}
	CHECK(!nr);
}
#endif

static void side_check(struct side_vm *vm)
{
	struct drm_gpuvm *gpuvm = &vm->base;
	struct rb_node *node = rb_first(side_root(vm));
	unsigned int in_tree = 0, in_list = 0;
	bool reserved = false;
	struct drm_gpuva *va, *before = NULL;

	check_subtree(side_root(vm)->rb_node, NULL, &in_tree);

	list_for_each_entry(va, &gpuvm->rb.list, rb.entry) {
		CHECK(node == &va->rb.node);
		CHECK(va->vm == gpuvm);
		CHECK(va->va.range);
		CHECK(va->va.addr - gpuvm->mm_start < gpuvm->mm_range);
		CHECK(gpuvm->mm_range - (va->va.addr - gpuvm->mm_start) >=
		      va->va.range);
		CHECK(!before ||
		      va->va.addr - before->va.addr >= before->va.range);
		CHECK(!before || va->va.addr > before->va.addr);
		CHECK(!va->vm_bo == !va->gem.obj);
		if (va == &gpuvm->kernel_alloc_node)
			reserved = true;

		before = va;
		in_list++;
		node = rb_next(node);
	}
	CHECK(!node);
	CHECK(in_tree == in_list);
	CHECK(reserved == !!gpuvm->kernel_alloc_node.va.range);
	CHECK(!gpuvm->extobj.local_list && !gpuvm->evict.local_list);

#ifndef SIDE_MAINLINE
	check_bos(vm);
	CHECK(gpuvm->rb.count == in_list - reserved);
	list_for_each_entry(va, &gpuvm->rb.list, rb.entry) {
		if (gpuvm->rb.cursor == &va->rb.entry)
			return;
	}
	CHECK(gpuvm->rb.cursor == &gpuvm->rb.list);
#endif
}

const struct side SIDE_SYMBOL = {
	.name = SIDE_NAME,
	.create = side_create,
	.destroy = side_destroy,
	.run = side_run,
	.snapshot = side_snapshot,
	.check = side_check,
};
