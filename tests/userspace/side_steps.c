// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What the driver of a side does at each step of a request, and to its objects.
 */
#include <stdlib.h>
#include <string.h>

#include "side_driver.h"

/* ---- Records ----------------------------------------------------------- */

s64 obj_index(struct side_vm *vm, const struct drm_gem_object *obj)
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

struct record *note(struct outcome *out, enum record_kind kind)
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

struct part part_of_va(struct side_vm *vm, const struct drm_gpuva *va)
{
	bool reserved = va == &vm->base.kernel_alloc_node;

	return (struct part) {
		.addr = va->va.addr,
		.range = va->va.range,
		.offset = va->gem.offset,
		.obj = reserved ? RESERVED : obj_index(vm, va->gem.obj),
	};
}

void note_va(struct side_vm *vm, struct outcome *out,
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
void lock_objs(struct side_vm *vm)
{
	if (immediate(vm))
		return;

	dma_resv_lock(vm->r_obj->resv, NULL);
	for (int i = 1; i < NR_OBJS; i++)
		dma_resv_lock(vm->objs[i]->resv, NULL);
}

void unlock_objs(struct side_vm *vm)
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

void link_va(struct side_vm *vm, struct drm_gpuva *va,
	     struct drm_gpuvm_bo *vm_bo)
{
	if (immediate(vm) && va->gem.obj)
		mutex_lock(&va->gem.obj->gpuva.lock);
	drm_gpuva_link(va, vm_bo);
	if (immediate(vm) && va->gem.obj)
		mutex_unlock(&va->gem.obj->gpuva.lock);
}

void unlink_and_free(struct side_vm *vm, struct drm_gpuva *va)
{
	if (immediate(vm))
		drm_gpuva_unlink_defer(va);
	else
		drm_gpuva_unlink(va);
	free(va);
}

/* ---- Steps ------------------------------------------------------------- */

struct drm_gpuva *take_spare(struct step_ctx *ctx)
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

int step(struct drm_gpuva_op *op, void *priv)
{
	struct step_ctx *ctx = priv;

	note_op(ctx->vm, ctx->out, op);
	if (ctx->out->nr == ctx->req->nth)
		return -ECANCELED;

	if (!(ctx->req->flags & REQ_NOTE))
		do_op(ctx, op);

	return 0;
}

int step_ctx_init(struct step_ctx *ctx, struct side_vm *vm,
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

void step_ctx_fini(struct step_ctx *ctx)
{
	while (ctx->nr_spare)
		free(take_spare(ctx));
	if (ctx->vm_bo)
		vm_bo_put(ctx->vm, ctx->vm_bo);

	unlock_objs(ctx->vm);
}

/* Between these two, immediate mode must be able to signal fences. */
void update_begin(struct side_vm *vm)
{
	shim.signalling = immediate(vm);
}

void update_end(struct side_vm *vm)
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

int run_change(struct side_vm *vm, const struct request *req,
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
