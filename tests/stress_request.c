// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * drm_gpuvm_stress: requests and their steps, staged and immediate.
 */

#include "stress.h"

static void st_link(struct st_thread *t, struct drm_gpuva *va,
		    struct drm_gpuvm_bo *vm_bo)
{
	if (!va->gem.obj)
		return;

	st_gpuva_lock(t->st, va->gem.obj);
	drm_gpuva_link(va, vm_bo);
	st_gpuva_unlock(t->st, va->gem.obj);
	st_pause(t);
}

void st_unlink(struct st_thread *t, struct drm_gpuva *va)
{
	if (st_immediate(t->st))
		drm_gpuva_unlink_defer(va);
	else
		drm_gpuva_unlink(va);
	st_va_dead(t, va);
	st_pause(t);
}

static int st_step_map(struct st_walk *w, struct drm_gpuva_op_map *op)
{
	struct drm_gpuva *va = st_pool_take(w->t);
	int ret;

	if (!st_expect(w->t->st, va))
		return -ENOMEM;

	ret = drm_gpuva_map(&w->vm->base, va, op);
	if (!st_expect_ret(w->t->st, ret, !ret)) {
		st_va_dead(w->t, va);
		return ret;
	}
	st_link(w->t, va, w->vm_bo);

	return 0;
}

static int st_step_remap(struct st_walk *w, struct drm_gpuva_op_remap *op)
{
	struct drm_gpuva *va = op->unmap->va, *prev = NULL, *next = NULL;
	struct drm_gpuvm_bo *vm_bo = va->vm_bo;
	struct drm_gem_object *obj = va->gem.obj;
	struct st_thread *t = w->t;
	bool reuse = st_random(t, 2);
	int ret;

	if (op->prev)
		prev = reuse ? va : st_pool_take(t);
	if (op->next)
		next = reuse && !prev ? va : st_pool_take(t);
	if (!st_expect(t->st, !op->prev == !prev && !op->next == !next))
		return -ENOMEM;

	/* A linked mapping must not change its range under others' eyes. */
	if (reuse)
		st_gpuva_lock(t->st, obj);
	ret = drm_gpuva_remap(prev, next, op);
	if (reuse)
		st_gpuva_unlock(t->st, obj);
	if (!st_expect_ret(t->st, ret, !ret))
		return ret;

	st_pause(t);
	if (prev && prev != va)
		st_link(t, prev, vm_bo);
	if (next && next != va)
		st_link(t, next, vm_bo);
	if (!reuse)
		st_unlink(t, va);

	return 0;
}

int st_step(struct drm_gpuva_op *op, void *priv)
{
	struct st_walk *w = priv;

	if (++w->steps == w->fail_at)
		return -ECANCELED;

	st_pause(w->t);
	switch (op->op) {
	case DRM_GPUVA_OP_MAP:
		return st_step_map(w, &op->map);
	case DRM_GPUVA_OP_REMAP:
		return st_step_remap(w, &op->remap);
	case DRM_GPUVA_OP_UNMAP:
		drm_gpuva_unmap(&op->unmap);
		st_unlink(w->t, op->unmap.va);
		return 0;
	default:
		st_fail(w->t->st, "unknown operation", __LINE__, op->op);
		return -EINVAL;
	}
}

static struct drm_gpuva_ops *st_request_list(struct st_thread *t,
					     const struct st_request *r)
{
	if (r->all || st_random(t, 4))
		return NULL;

	if (r->map)
		return drm_gpuvm_sm_map_ops_create(&r->vm->base, &r->req);

	return drm_gpuvm_sm_unmap_ops_create(&r->vm->base, r->req.map.va.addr,
					     r->req.map.va.range);
}

static void st_request_carry_out(struct st_walk *w, const struct st_request *r,
				 struct drm_gpuva_ops *ops)
{
	struct drm_gpuva_op *op;
	int ret = 0;

	if (ops) {
		drm_gpuva_for_each_op(op, ops) {
			ret = st_step(op, w);
			if (ret)
				break;
		}
	} else if (r->map) {
		ret = drm_gpuvm_sm_map(&w->vm->base, w, &r->req);
	} else {
		ret = drm_gpuvm_sm_unmap(&w->vm->base, w, r->req.map.va.addr,
					 r->req.map.va.range);
	}

	st_expect_ret(w->t->st, ret, !ret || (ret == -ECANCELED && w->fail_at));
}

static int st_request_lock(struct st_thread *t, struct st_request *r)
{
	unsigned int tries = 0;
	int ret = 0;

	drm_exec_init(&r->exec, r->flags, 0);
	drm_exec_until_all_locked(&r->exec) {
		t->counts[ST_N_RETRIES] += !!tries++;
		if (st_resv_protected(t->st)) {
			ret = drm_gpuvm_prepare_vm(&r->vm->base, &r->exec, 0);
			drm_exec_retry_on_contention(&r->exec);
			if (ret)
				break;
		}

		st_pause(t);
		if (r->map)
			ret = drm_gpuvm_sm_map_exec_lock(&r->vm->base, &r->exec,
							 st_random(t, 2), &r->req);
		else
			ret = drm_gpuvm_sm_unmap_exec_lock(&r->vm->base, &r->exec,
							   r->req.map.va.addr,
							   r->req.map.va.range);
		drm_exec_retry_on_contention(&r->exec);
		if (ret)
			break;
	}

	return ret;
}

static void st_request_staged(struct st_walk *w, struct st_request *r)
{
	struct drm_gem_object *obj = r->req.map.gem.obj;
	struct stress *st = w->t->st;
	struct drm_gpuva_ops *ops;
	int ret;

	ret = st_request_lock(w->t, r);
	if (!st_locked(w->t, r->flags, ret))
		goto out;

	if (r->map && obj) {
		w->vm_bo = drm_gpuvm_bo_obtain_locked(&w->vm->base, obj);
		if (!st_expect(st, !IS_ERR(w->vm_bo)))
			goto out;
		drm_gpuvm_bo_extobj_add(w->vm_bo);
		st_check_unique(st, w->vm_bo, w->vm, obj);
	}

	ops = st_request_list(w->t, r);
	if (st_expect(st, !IS_ERR(ops)))
		st_request_carry_out(w, r, ops);
	if (!IS_ERR_OR_NULL(ops))
		drm_gpuva_ops_free(&w->vm->base, ops);

	w->t->counts[ST_N_LAST_PUTS] += drm_gpuvm_bo_put(w->vm_bo);
out:
	drm_exec_fini(&r->exec);
}

static void st_request_immediate(struct st_walk *w, const struct st_request *r)
{
	bool put_in_job = st_random(w->t, 2), cookie;
	struct stress *st = w->t->st;
	struct drm_gpuva_ops *ops;

	ops = st_request_list(w->t, r);
	if (!st_expect(st, !IS_ERR(ops)))
		return;

	cookie = dma_fence_begin_signalling();
	mutex_lock(&w->vm->job_lock);
	st_request_carry_out(w, r, ops);
	mutex_unlock(&w->vm->job_lock);
	if (put_in_job) {
		drm_gpuvm_bo_put_deferred(w->vm_bo);
		w->vm_bo = NULL;
	}
	dma_fence_end_signalling(cookie);

	if (ops)
		drm_gpuva_ops_free(&w->vm->base, ops);
}

void st_request(struct st_thread *t, struct st_request *r)
{
	struct drm_gem_object *obj = r->req.map.gem.obj;
	struct st_walk w = { .t = t, .vm = r->vm };
	struct stress *st = t->st;

	r->flags = r->all ? DRM_EXEC_IGNORE_DUPLICATES : st_exec_flags(t);
	if (!r->all && !st_random(t, 16))
		w.fail_at = 1 + st_random(t, 3);

	st_pool_fill(t);
	if (st_immediate(st) && r->map && obj)
		w.vm_bo = st_obtain_immediate(t, r->vm, obj);

	down_write(&r->vm->lock);
	if (!r->vm->closed || r->all) {
		if (st_immediate(st))
			st_request_immediate(&w, r);
		else
			st_request_staged(&w, r);
	}
	up_write(&r->vm->lock);

	if (st_immediate(st))
		t->counts[ST_N_LAST_PUTS] += drm_gpuvm_bo_put_deferred(w.vm_bo);
	if (st_immediate(st) && (r->all || st_random(t, 2)))
		drm_gpuvm_bo_deferred_cleanup(&r->vm->base);
	st_vas_free(&t->dead);
}

void st_bind(struct st_thread *t)
{
	struct st_request r = { .vm = st_vm_get(t), .map = true };
	struct drm_gem_object *obj = NULL;

	if (st_random(t, 8))
		obj = st_obj_get(t, r.vm);
	r.req = st_req(t, obj);
	st_request(t, &r);
	st_obj_put(obj);
	st_vm_put(r.vm);
}

void st_unbind(struct st_thread *t)
{
	struct st_request r = { .vm = st_vm_get(t) };

	r.req = st_req(t, NULL);
	st_request(t, &r);
	st_vm_put(r.vm);
}

/* The VM's last mapping goes, and with it their common reference. */
void st_clear(struct st_thread *t)
{
	struct st_request r = { .vm = st_vm_get(t) };

	r.req.map.va.addr = GT_BASE;
	r.req.map.va.range = GT_PAGES(t->st->profile->pages);
	st_request(t, &r);
	st_vm_put(r.vm);
}
