// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * drm_gpuvm_stress: jobs lock what they use, and validate; lists of operations.
 */

#include <linux/sched/signal.h>

#include "stress.h"

/**
 * struct st_submit - a job
 * @exec: its locks
 * @t: by whom
 * @vm: where
 * @exclusive: the mappings are locked, too, so validation may unmap
 * @extra: one more object to lock
 * @failed: the callback has failed
 */
struct st_submit {
	struct drm_gpuvm_exec exec;
	struct st_thread *t;
	struct st_vm *vm;
	bool exclusive;
	struct drm_gem_object *extra;
	bool failed;
};

/* Gives up on an object: all of its mappings go, and maybe the vm_bo as well. */
static void st_validate_unmaps(struct st_submit *s, struct drm_gpuvm_bo *vm_bo)
	__context_unsafe("only immediate mode has a lock here")
{
	struct stress *st = s->t->st;
	struct drm_gpuva *va, *next;

	/* In immediate mode it may have become a zombie. */
	if (!kref_get_unless_zero(&vm_bo->kref)) {
		st_expect(st, st_immediate(st) && st_resv_protected(st));
		return;
	}

	if (st_immediate(st))
		mutex_lock(&s->vm->job_lock);
	drm_gpuvm_bo_for_each_va_safe(va, next, vm_bo) {
		st_unlink(s->t, va);
		drm_gpuva_remove(va);
	}
	if (st_immediate(st)) {
		mutex_unlock(&s->vm->job_lock);
		drm_gpuvm_bo_put_deferred(vm_bo);
	} else {
		drm_gpuvm_bo_put(vm_bo);
	}
}

static int st_validate(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	struct st_submit *s = container_of(exec, struct st_submit, exec.exec);
	struct st_thread *t = s->t;

	t->counts[ST_N_VALIDATED]++;
	st_vm_bo_sound(t->st, vm_bo, &s->vm->base, vm_bo->obj);
	st_expect(t->st, st_locked_by(vm_bo->obj, exec));
	st_pause(t);

	switch (st_random(t, 16)) {
	case 0:
		s->failed = true;
		return -ECANCELED;
	case 1:
		return 0;
	case 2:
	case 3:
	case 4:
		if (s->exclusive) {
			st_validate_unmaps(s, vm_bo);
			return 0;
		}
		fallthrough;
	case 5:
	case 6:
	case 7:
		vm_bo->evicted = false;
		return 0;
	default:
		drm_gpuvm_bo_evict(vm_bo, false);
		return 0;
	}
}

const struct drm_gpuvm_ops st_ops = {
	.vm_free = st_vm_free,
	.op_alloc = st_op_alloc,
	.op_free = st_op_free,
	.vm_bo_alloc = st_vm_bo_alloc,
	.vm_bo_free = st_vm_bo_free,
	.vm_bo_validate = st_validate,
	.sm_step_map = st_step,
	.sm_step_remap = st_step,
	.sm_step_unmap = st_step,
};

static int st_lock_extra(struct drm_gpuvm_exec *exec)
{
	struct st_submit *s = exec->extra.priv;

	st_pause(s->t);
	if (!s->extra)
		return 0;

	return drm_exec_prepare_obj(&exec->exec, s->extra, 1);
}

static int st_submit_lock(struct st_submit *s)
{
	if (st_random(s->t, 4)) {
		s->exec.extra.fn = st_lock_extra;
		s->exec.extra.priv = s;
		return drm_gpuvm_exec_lock(&s->exec);
	}

	return drm_gpuvm_exec_lock_array(&s->exec, &s->extra, !!s->extra);
}

/* What is done with all objects locked. */
static void st_submit_locked(struct st_submit *s)
{
	struct drm_exec *exec = &s->exec.exec;
	struct stress *st = s->t->st;
	int ret;

	st_expect(st, st_locked_by(drm_gpuvm_resv_obj(&s->vm->base), exec));
	if (s->extra)
		st_expect(st, st_locked_by(s->extra, exec));
	st_pause(s->t);

	ret = drm_gpuvm_exec_validate(&s->exec);
	st_expect_ret(st, ret, ret == (s->failed ? -ECANCELED : 0));
	if (s->exec.num_fences)
		drm_gpuvm_exec_resv_add_fence(&s->exec, st->fence,
					      DMA_RESV_USAGE_BOOKKEEP,
					      DMA_RESV_USAGE_READ);
	st_pause(s->t);
}

void st_submit(struct st_thread *t)
	__context_unsafe("locked in one of four submissions")
{
	struct st_submit s = { .t = t, .vm = st_vm_get(t) };
	struct drm_gpuvm_exec *exec = &s.exec;
	int ret;

	s.exclusive = !st_random(t, 4);
	if (!st_random(t, 4))
		s.extra = st_obj_get(t, s.vm);
	exec->vm = &s.vm->base;
	exec->flags = st_exec_flags(t);
	exec->num_fences = st_random(t, 2);

	if (s.exclusive)
		down_write(&s.vm->lock);
	ret = st_submit_lock(&s);
	if (st_locked(t, exec->flags, ret)) {
		st_submit_locked(&s);
		drm_gpuvm_exec_unlock(exec);
	}
	if (s.exclusive)
		up_write(&s.vm->lock);

	st_vas_free(&t->dead);
	st_obj_put(s.extra);
	st_vm_put(s.vm);
}

/* A job that locks step by step, in a loop of its own, and sees the contention. */
void st_prepare(struct st_thread *t)
{
	struct st_submit s = { .t = t, .vm = st_vm_get(t) };
	struct drm_exec *exec = &s.exec.exec;
	struct drm_gpuvm *vm = &s.vm->base;
	u32 flags = st_exec_flags(t);
	unsigned int n = st_random(t, 3);
	u64 addr, range;
	int ret = 0;

	st_range(t, &addr, &range);
	s.exec.vm = vm;

	down_read(&s.vm->lock);
	drm_exec_init(exec, flags, 0);
	drm_exec_until_all_locked(exec) {
		ret = drm_gpuvm_prepare_vm(vm, exec, n);
		drm_exec_retry_on_contention(exec);
		if (ret)
			break;

		st_pause(t);
		ret = drm_gpuvm_prepare_objects(vm, exec, n);
		t->counts[ST_N_WALK_RETRIES] += ret == -EDEADLK;
		drm_exec_retry_on_contention(exec);
		if (ret)
			break;

		st_pause(t);
		ret = drm_gpuvm_prepare_range(vm, exec, addr, range, n);
		drm_exec_retry_on_contention(exec);
		if (ret)
			break;
	}
	if (st_locked(t, flags, ret))
		st_submit_locked(&s);
	drm_exec_fini(exec);
	up_read(&s.vm->lock);
	st_vm_put(s.vm);
}

void st_lock_range(struct st_thread *t)
{
	struct st_vm *vm = st_vm_get(t);
	struct drm_gpuvm_exec exec = {
		.vm = &vm->base,
		.flags = st_exec_flags(t),
		.num_fences = st_random(t, 2),
	};
	struct drm_gpuva *va;
	u64 addr, range;
	int ret;

	st_range(t, &addr, &range);

	down_read(&vm->lock);
	ret = drm_gpuvm_exec_lock_range(&exec, addr, range);
	if (st_locked(t, exec.flags, ret)) {
		st_pause(t);
		drm_gpuvm_for_each_mapping_range(va, &vm->base, addr, addr + range)
			if (va->gem.obj)
				st_expect(t->st, st_locked_by(va->gem.obj, &exec.exec));
		if (exec.num_fences)
			drm_gpuvm_exec_resv_add_fence(&exec, t->st->fence,
						      DMA_RESV_USAGE_BOOKKEEP,
						      DMA_RESV_USAGE_WRITE);
		drm_gpuvm_exec_unlock(&exec);
	}
	up_read(&vm->lock);
	st_vm_put(vm);
}

/* Locks for a map and an unmap request, which are then given up. */
void st_lock_requests(struct st_thread *t)
{
	struct st_vm *vm = st_vm_get(t);
	struct drm_gem_object *obj = st_obj_get(t, vm);
	struct drm_gpuvm_map_req req = st_req(t, obj);
	u32 flags = st_exec_flags(t);
	unsigned int n = st_random(t, 2), tries = 0;
	struct drm_exec exec;
	u64 addr, range;
	int ret = 0;

	st_range(t, &addr, &range);

	down_read(&vm->lock);
	drm_exec_init(&exec, flags, 0);
	drm_exec_until_all_locked(&exec) {
		t->counts[ST_N_RETRIES] += !!tries++;
		ret = drm_gpuvm_sm_unmap_exec_lock(&vm->base, &exec, addr, range);
		drm_exec_retry_on_contention(&exec);
		if (ret)
			break;

		st_pause(t);
		ret = drm_gpuvm_sm_map_exec_lock(&vm->base, &exec, n, &req);
		drm_exec_retry_on_contention(&exec);
		if (ret)
			break;
	}
	if (st_locked(t, flags, ret) && obj)
		st_expect(t->st, st_locked_by(obj, &exec));
	drm_exec_fini(&exec);
	up_read(&vm->lock);
	st_obj_put(obj);
	st_vm_put(vm);
}

/* ---- readers ------------------------------------------------------------ */

static struct drm_gpuva *st_op_va(struct drm_gpuva_op *op)
{
	switch (op->op) {
	case DRM_GPUVA_OP_REMAP:
		return op->remap.unmap->va;
	case DRM_GPUVA_OP_UNMAP:
		return op->unmap.va;
	case DRM_GPUVA_OP_PREFETCH:
		return op->prefetch.va;
	default:
		return NULL;
	}
}

/* The operations name what overlaps the range, all of it, in ascending order. */
static void st_check_ops(struct st_thread *t, struct st_vm *vm,
			 struct drm_gpuva_ops *ops, u64 addr, u64 range, bool all)
{
	struct stress *st = t->st;
	struct drm_gpuva *va, *last = NULL;
	unsigned int n = 0, mappings = 0;
	struct drm_gpuva_op *op;

	if (!st_expect(st, !IS_ERR(ops)))
		return;

	drm_gpuva_for_each_op(op, ops) {
		va = st_op_va(op);
		if (!va)
			continue;
		st_expect(st, va->vm == &vm->base);
		st_expect(st, va->va.addr < addr + range);
		st_expect(st, va->va.addr + va->va.range > addr);
		st_expect(st, !last || last->va.addr < va->va.addr);
		last = va;
		n++;
	}
	drm_gpuvm_for_each_mapping_range(va, &vm->base, addr, addr + range)
		mappings++;
	st_expect_ret(st, n, all ? n == mappings : n <= mappings);

	st_pause(t);
	drm_gpuva_ops_free(&vm->base, ops);
}

void st_list(struct st_thread *t)
{
	struct st_vm *vm = st_vm_get(t);
	struct drm_gem_object *obj = st_obj_get(t, vm);
	struct drm_gpuvm_map_req req = st_req(t, obj);
	u64 addr = req.map.va.addr, range = req.map.va.range;
	struct drm_gpuvm *base = &vm->base;
	struct drm_gpuva_ops *ops;
	struct drm_gpuva *va;

	down_read(&vm->lock);
	va = drm_gpuva_find_first(base, addr, range);
	st_expect(t->st, !va == drm_gpuvm_interval_empty(base, addr, range));
	if (va)
		st_expect(t->st, drm_gpuva_find(base, va->va.addr, va->va.range) == va);

	switch (st_random(t, 4)) {
	case 0:
		ops = drm_gpuvm_sm_map_ops_create(base, &req);
		break;
	case 1:
		ops = drm_gpuvm_sm_unmap_ops_create(base, addr, range);
		break;
	case 2:
		ops = drm_gpuvm_prefetch_ops_create(base, addr, range);
		break;
	default:
		ops = drm_gpuvm_madvise_ops_create(base, &req);
		st_check_ops(t, vm, ops, addr, range, false);
		goto out;
	}
	st_check_ops(t, vm, ops, addr, range, true);
out:
	up_read(&vm->lock);
	st_obj_put(obj);
	st_vm_put(vm);
}
