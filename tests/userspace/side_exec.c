// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * The calls of the core that lock, validate and evict.
 */
#include <stdlib.h>

#include "side_driver.h"

/* The validation callback has no argument for it. */
static struct step_ctx *validating;

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

int validate(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
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

int run_lock(struct side_vm *vm, const struct request *req, struct outcome *out)
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

int run_lock_request(struct side_vm *vm, const struct request *req,
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

int run_evict(struct side_vm *vm, const struct request *req,
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

int run_cleanup(struct side_vm *vm, const struct request *req,
		struct outcome *out)
{
	drm_gpuvm_bo_deferred_cleanup(&vm->base);

	return 0;
}
