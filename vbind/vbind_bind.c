// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * VM_BIND: an array of binds becomes a job, which goes through these phases:
 *
 * - check: everything that user space passed. This needs no lock, because the
 *   VA space and the size of a BO never change.
 * - prepare: all memory that may be needed, without locks; then the locks of all
 *   objects that may be touched, and their memory.
 * - commit: the last step that may fail, and the first that changes something.
 * - run: in the queue, when all is done that the job waits for. Nothing can fail,
 *   no memory is allocated and no dma-resv lock taken.
 * - fini: what was retired or not needed is freed.
 *
 * A call fails in one of the first three or not at all: all of the binds are
 * carried out or none. vbind_staged.c and vbind_immediate.c have what depends on
 * the mode: when the tree of mappings changes, in the commit phase or when the job
 * runs.
 */

#include <linux/completion.h>
#include <linux/dma-fence.h>
#include <linux/log2.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_exec.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "vbind_bind.h"
#include "vbind_trace.h"

#define VBIND_BIND_FLAGS (DRM_VBIND_BIND_READONLY | DRM_VBIND_BIND_REPEAT)

const struct drm_gpuvm_ops vbind_gpuvm_ops = {
	.vm_free = vbind_vm_free,
	.vm_bo_alloc = vbind_vm_bo_alloc,
	.vm_bo_free = vbind_vm_bo_free,
	.vm_bo_validate = vbind_vm_bo_validate,
};

static struct vbind_bind_job *to_vbind_bind_job(struct vbind_job *job)
{
	return container_of(job, struct vbind_bind_job, base);
}

static const struct vbind_mode_ops *vbind_vm_mode_ops(struct vbind_vm *vm)
{
	return drm_gpuvm_immediate_mode(&vm->base) ? &vbind_immediate_ops :
						     &vbind_staged_ops;
}

/* Run and fini */

/* A slice of a job: one bind, which commands see as one step. */
static int vbind_bind_job_step(struct vbind_job *base)
{
	struct vbind_bind_job *job = to_vbind_bind_job(base);
	struct vbind_bind *bind = vbind_bind_job_current(job);
	struct vbind_vm *vm = job->vm;
	int ret;

	trace_vbind_bind_run(vm, base->id, job->current_bind, bind->type,
			     &bind->req.map);
	ret = vbind_vm_mode_ops(vm)->run(job, bind);
	/* Everything was prepared, so this is a bug. */
	if (drm_WARN_ON(vm->base.drm, ret)) {
		vm->banned = true;
		return ret;
	}
	vbind_vm_count(vm, VBIND_COUNT_BINDS);
	job->current_bind++;

	return job->current_bind < job->num_binds ? VBIND_STEP_MORE : 0;
}

static void vbind_bind_fini(struct vbind_bind *bind, struct vbind_vm *vm)
{
	struct drm_gem_object *obj = bind->req.map.gem.obj;

	if (obj) {
		vbind_bo_unclaim(to_vbind_bo(obj), vm);
		drm_gem_object_put(obj);
	}
}

static void vbind_bind_job_fini(struct vbind_job *base)
{
	struct vbind_bind_job *job = to_vbind_bind_job(base);
	struct vbind_file *vfile = job->vm->vfile;
	u32 i;

	vbind_vm_mode_ops(job->vm)->fini(job);
	drm_gpuva_stock_drain(&job->stock);
	vbind_pt_pool_drain(&job->pool);
	for (i = 0; i < job->num_binds; i++)
		vbind_bind_fini(&job->binds[i], job->vm);
	kvfree(job->binds);
	job->binds = NULL;
	job->num_binds = 0;
	kvfree(job->steps);
	job->steps = NULL;
	vbind_file_uncharge(vfile, VBIND_LIMIT_QUEUED, job->queued);
	job->queued = 0;
}

static const struct vbind_job_ops vbind_bind_job_ops = {
	.step = vbind_bind_job_step,
	.fini = vbind_bind_job_fini,
};

/* Check */

static bool vbind_bind_has_range(u32 type)
{
	return type != DRM_VBIND_BIND_UNMAP_BO;
}

static bool vbind_bind_has_bo(u32 type)
{
	return type == DRM_VBIND_BIND_MAP || type == DRM_VBIND_BIND_UNMAP_BO;
}

static bool vbind_bind_check_repeat(const struct drm_vbind_bind *args)
{
	if (!(args->flags & DRM_VBIND_BIND_REPEAT))
		return !args->repeat;

	return args->repeat >= DRM_VBIND_PAGE_SIZE &&
	       args->repeat <= DRM_VBIND_MAX_REPEAT &&
	       is_power_of_2(args->repeat);
}

static int vbind_bind_check(struct vbind_vm *vm,
			    const struct drm_vbind_bind *args)
{
	bool map = args->type == DRM_VBIND_BIND_MAP;

	if (args->type > DRM_VBIND_BIND_UNMAP_BO || args->pad)
		return -EINVAL;
	if (args->flags & ~(map ? VBIND_BIND_FLAGS : 0))
		return -EINVAL;
	if (!vbind_bind_check_repeat(args))
		return -EINVAL;
	if (!map && args->offset)
		return -EINVAL;
	if (!vbind_bind_has_bo(args->type) && args->handle)
		return -EINVAL;
	if (!vbind_bind_has_range(args->type))
		return args->addr || args->range ? -EINVAL : 0;
	if (!IS_ALIGNED(args->addr | args->range | args->offset,
			DRM_VBIND_PAGE_SIZE))
		return -EINVAL;
	if (!drm_gpuvm_range_valid(&vm->base, args->addr, args->range))
		return -EINVAL;

	return 0;
}

/* On success, @bo is claimed. */
static int vbind_bind_check_bo(struct vbind_vm *vm, struct vbind_bo *bo,
			       const struct drm_vbind_bind *args)
{
	u64 range = args->repeat ?: args->range;
	u64 size = bo->base.base.size;
	int ret;

	if (range > size || args->offset > size - range)
		return -EINVAL;
	if (bo->vm_resv_obj && bo->vm_resv_obj != drm_gpuvm_resv_obj(&vm->base))
		return -EINVAL;
	if (vbind_bo_claim(bo, vm))
		return 0;

	ret = vbind_file_wait_for_late(vm->vfile);
	if (ret)
		return ret;

	return vbind_bo_claim(bo, vm) ? 0 : -EBUSY;
}

static int vbind_bind_init_bo(struct vbind_bind *bind, struct vbind_vm *vm,
			      struct drm_file *file,
			      const struct drm_vbind_bind *args)
{
	struct drm_gem_object *obj;
	int ret;

	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;

	ret = vbind_bind_check_bo(vm, to_vbind_bo(obj), args);
	if (ret) {
		drm_gem_object_put(obj);
		return ret;
	}

	bind->req.map.gem.obj = obj;
	bind->req.map.gem.offset = args->offset;

	return 0;
}

static int vbind_bind_init(struct vbind_bind *bind, struct vbind_vm *vm,
			   struct drm_file *file,
			   const struct drm_vbind_bind *args)
{
	int ret;

	ret = vbind_bind_check(vm, args);
	if (ret)
		return ret;

	bind->type = args->type;
	bind->req.map.va.addr = args->addr;
	bind->req.map.va.range = args->range;
	bind->req.repeat = args->repeat;
	if (args->type == DRM_VBIND_BIND_UNMAP)
		bind->req.type = DRM_GPUVM_REQ_UNMAP;
	else
		bind->req.opts = DRM_GPUVM_REQ_UPDATE;
	if (args->type == DRM_VBIND_BIND_MAP_SPARSE)
		bind->req.flags |= DRM_GPUVA_SPARSE;
	if (args->flags & DRM_VBIND_BIND_READONLY)
		bind->req.flags |= VBIND_GPUVA_READONLY;

	if (vbind_bind_has_bo(args->type))
		return vbind_bind_init_bo(bind, vm, file, args);

	return 0;
}

static int vbind_bind_job_init_binds(struct vbind_bind_job *job,
				     struct drm_file *file,
				     struct drm_vbind_vm_bind *args)
{
	u32 n = 0, i;
	int ret;

	job->binds = kvzalloc_objs(*job->binds, args->num_binds,
				   GFP_KERNEL_ACCOUNT);
	if (!job->binds)
		return -ENOMEM;
	job->num_binds = args->num_binds;

	for (i = 0; i < job->num_binds; i++) {
		u64 from = args->binds + (u64)i * args->bind_stride;
		struct drm_vbind_bind bind_args;

		ret = vbind_check_signal(&n);
		if (ret)
			return ret;
		ret = copy_struct_from_user(&bind_args, sizeof(bind_args),
					    u64_to_user_ptr(from),
					    args->bind_stride);
		if (!ret)
			ret = vbind_bind_init(&job->binds[i], job->vm, file,
					      &bind_args);
		if (ret) {
			args->fail_index = i;
			return ret;
		}
	}

	return 0;
}

/* Prepare */

/* Before anything is allocated or locked. */
static int vbind_bind_job_charge(struct vbind_bind_job *job,
				 const struct drm_vbind_vm_bind *args)
{
	u64 bytes = (u64)args->num_binds * sizeof(*job->binds) +
		    (u64)args->num_steps * sizeof(*job->steps) +
		    vbind_job_sync_bytes(args->num_syncs);
	int ret;

	ret = vbind_file_charge(job->vm->vfile, VBIND_LIMIT_QUEUED, bytes);
	if (!ret)
		job->queued = bytes;

	return ret;
}

static unsigned int vbind_bind_spans(const struct vbind_bind *bind,
				     struct vbind_pt_span *spans)
{
	const struct drm_gpuva_op_map *map = &bind->req.map;

	switch (bind->type) {
	case DRM_VBIND_BIND_MAP:
		if (!bind->req.repeat)
			return vbind_pt_spans_map(spans, map->va.addr,
						  map->va.range,
						  map->gem.offset);
		fallthrough;
	case DRM_VBIND_BIND_UNMAP:
	case DRM_VBIND_BIND_MAP_SPARSE:
		return vbind_pt_spans_cut(spans, map->va.addr, map->va.range);
	}

	/* Whole mappings: nothing has to be split. */
	return 0;
}

/*
 * Which tables are needed depends on what the page tables look like when the job
 * runs: as many as if there were none yet.
 */
static int vbind_bind_job_alloc_tables(struct vbind_bind_job *job)
{
	struct vbind_pt_span few[VBIND_FEW_BINDS * VBIND_PT_MAX_SPANS];
	struct vbind_pt_span *spans = few;
	unsigned long count;
	u32 n = 0, i;

	if (job->num_binds > VBIND_FEW_BINDS) {
		spans = kvmalloc_objs(*spans, job->num_binds * VBIND_PT_MAX_SPANS,
				      GFP_KERNEL_ACCOUNT);
		if (!spans)
			return -ENOMEM;
	}

	for (i = 0; i < job->num_binds; i++)
		n += vbind_bind_spans(&job->binds[i], &spans[n]);
	count = vbind_pt_count(&job->vm->mmu, spans, n);
	if (spans != few)
		kvfree(spans);

	return vbind_pt_pool_fill(&job->pool, count);
}

static int vbind_bind_job_fill_stock(struct vbind_bind_job *job)
{
	struct vbind_file *vfile = job->vm->vfile;
	unsigned int num = 0;
	int ret;
	u32 i;

	for (i = 0; i < job->num_binds; i++) {
		switch (job->binds[i].type) {
		case DRM_VBIND_BIND_MAP:
		case DRM_VBIND_BIND_MAP_SPARSE:
		case DRM_VBIND_BIND_UNMAP:
			num += drm_gpuvm_req_max_vas(&job->binds[i].req);
			break;
		}
	}

	ret = vbind_file_charge(vfile, VBIND_LIMIT_MAPPINGS, num);
	if (ret)
		return ret;

	ret = drm_gpuva_stock_fill(&job->stock, num);
	/* Those that are there are given back one by one. */
	if (ret)
		vbind_file_uncharge(vfile, VBIND_LIMIT_MAPPINGS,
				    num - job->stock.num);

	return ret;
}

/*
 * A bad pointer has to be found before anything changes, and user memory cannot
 * be written to when the job runs.
 */
static int vbind_bind_job_alloc_steps(struct vbind_bind_job *job,
				      const struct drm_vbind_vm_bind *args)
{
	if (!args->num_steps)
		return 0;

	if (fault_in_safe_writeable(u64_to_user_ptr(args->steps),
				    (size_t)args->num_steps * args->step_stride))
		return -EFAULT;

	job->steps = kvzalloc_objs(*job->steps, args->num_steps,
				   GFP_KERNEL_ACCOUNT);
	if (!job->steps)
		return -ENOMEM;
	job->max_steps = args->num_steps;

	return 0;
}

static int vbind_bind_job_prepare(struct vbind_bind_job *job,
				  struct drm_file *file,
				  struct drm_vbind_vm_bind *args)
{
	int ret;

	ret = vbind_bind_job_charge(job, args);
	if (!ret)
		ret = vbind_bind_job_init_binds(job, file, args);
	if (!ret)
		ret = vbind_job_init_syncs(&job->base, file, args->syncs,
					   args->num_syncs, args->sync_stride);
	if (!ret)
		ret = vbind_bind_job_alloc_steps(job, args);
	if (!ret)
		ret = vbind_bind_job_alloc_tables(job);
	if (!ret)
		ret = vbind_bind_job_fill_stock(job);
	if (!ret)
		ret = vbind_vm_mode_ops(job->vm)->prepare(job);

	return ret;
}

/**
 * vbind_bind_job_lock_all() - lock all objects that the binds of a job may touch
 * @job: the job
 * @exec: the locks
 *
 * Whatever they cut or remove is of an object that the VM knows.
 *
 * Return: 0 or an error code
 */
int vbind_bind_job_lock_all(struct vbind_bind_job *job, struct drm_exec *exec)
{
	int ret;
	u32 i;

	ret = drm_gpuvm_prepare_objects(&job->vm->base, exec, 1);
	for (i = 0; !ret && i < job->num_binds; i++) {
		struct drm_gem_object *obj = job->binds[i].req.map.gem.obj;

		if (obj)
			ret = drm_exec_prepare_obj(exec, obj, 1);
	}

	return ret;
}

/*
 * Commands that were queued before see what a bind maps as soon as it is mapped: the
 * objects get the fences that the VM has, so that evictions wait for those jobs, too.
 */
static int vbind_bind_job_share_fences(struct vbind_bind_job *job,
				       struct drm_exec *exec)
{
	struct dma_resv *resv = drm_gpuvm_resv(&job->vm->base);
	struct drm_gem_object *obj;
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int num = 0;
	int ret;

	dma_resv_for_each_fence(&cursor, resv, DMA_RESV_USAGE_BOOKKEEP, fence)
		num++;

	drm_exec_for_each_locked_object(exec, obj) {
		if (obj->resv == resv)
			continue;
		/* One more for this job's own */
		ret = dma_resv_reserve_fences(obj->resv, num + 1);
		if (ret)
			return ret;
		dma_resv_for_each_fence(&cursor, resv, DMA_RESV_USAGE_BOOKKEEP,
					fence)
			dma_resv_add_fence(obj->resv, fence,
					   DMA_RESV_USAGE_BOOKKEEP);
	}

	return 0;
}

static int vbind_bind_job_lock(struct vbind_bind_job *job,
			       struct drm_exec *exec)
{
	int ret = 0;

	drm_exec_until_all_locked(exec) {
		ret = drm_gpuvm_prepare_vm(&job->vm->base, exec, 1);
		if (!ret)
			ret = vbind_vm_mode_ops(job->vm)->lock(job, exec);
		drm_exec_retry_on_contention(exec);
		if (ret)
			break;
	}

	ret = ret ?: vbind_job_reserve_fences(exec);

	return ret ?: vbind_bind_job_share_fences(job, exec);
}

/* Finds a BO to be brought back, with a reference, and sets @addr behind it. */
static int vbind_bind_job_find_evicted(struct vbind_bind_job *job, u64 *addr,
				       u64 last, struct drm_gpuvm_bo **vm_bo)
{
	struct vbind_vm *vm = job->vm;
	struct drm_gpuva *va;
	u32 n = 0;
	int ret = 0;

	*vm_bo = NULL;
	mutex_lock(&vm->lock);
	drm_gpuvm_for_each_va_range(va, &vm->base, *addr, last + 1) {
		ret = job->ops_left ? vbind_check_signal(&n) : -E2BIG;
		if (ret)
			break;
		job->ops_left--;
		if (va->vm_bo && va->vm_bo->evicted) {
			*vm_bo = drm_gpuvm_bo_get(va->vm_bo);
			*addr = va->va.addr + va->va.range;
			break;
		}
	}
	mutex_unlock(&vm->lock);

	return ret;
}

/*
 * Brings back the BOs that are mapped in a range: in the tree, which in staged mode
 * is what there will be when all binds before this one are done. In immediate mode,
 * binds that were queued before may yet change what is there: to parts of what is
 * there now, or to BOs that are resident, because they were when the binds were
 * queued.
 */
static int vbind_bind_prefetch(struct vbind_bind_job *job,
			       struct vbind_bind *bind, struct drm_exec *exec)
{
	const struct drm_gpuva_op_map *map = &bind->req.map;
	u64 last = map->va.addr + (map->va.range - 1);
	struct vbind_vm *vm = job->vm;
	u64 addr = map->va.addr;
	int ret;

	/* No memory can be allocated under the lock of the tree. */
	for (;;) {
		struct drm_gpuvm_bo *vm_bo;

		ret = vbind_bind_job_find_evicted(job, &addr, last, &vm_bo);
		if (!vm_bo)
			return ret;

		ret = vbind_vm_bo_validate(vm_bo, exec);
		if (drm_gpuvm_immediate_mode(&vm->base))
			drm_gpuvm_bo_put_deferred(vm_bo);
		else
			drm_gpuvm_bo_put(vm_bo);
		/* The next one may begin at 2^64. */
		if (ret || addr - 1 >= last)
			return ret;
	}
}

static int vbind_bind_make_resident(struct vbind_bind_job *job,
				    struct vbind_bind *bind,
				    struct drm_exec *exec)
{
	switch (bind->type) {
	case DRM_VBIND_BIND_MAP:
		return vbind_bo_make_resident(to_vbind_bo(bind->req.map.gem.obj));
	case DRM_VBIND_BIND_PREFETCH:
		return vbind_bind_prefetch(job, bind, exec);
	}

	return 0;
}

/* All locks are held. */
static int vbind_bind_job_submit(struct vbind_bind_job *job,
				 struct drm_exec *exec)
{
	struct vbind_vm *vm = job->vm;
	u32 n = 0, i;
	int ret = 0;

	if (vm->closed || vm->banned)
		return -ENOENT;

	for (i = 0; !ret && i < job->num_binds; i++) {
		ret = vbind_bind_make_resident(job, &job->binds[i], exec);
		if (!ret)
			ret = vbind_check_signal(&n);
	}
	if (!ret)
		ret = vbind_vm_mode_ops(vm)->commit(job);
	if (ret)
		return ret;

	vbind_job_arm(&job->base, exec);
	dma_fence_put(vm->last_bind);
	vm->last_bind = dma_fence_get(job->base.done);
	for (i = 0; i < job->num_binds; i++)
		trace_vbind_bind_queue(vm, job->base.id, i, job->binds[i].type,
				       &job->binds[i].req.map);
	vbind_job_push(&job->base);

	return 0;
}

/* A synchronous bind is done when the call returns, so others go first. */
static int vbind_vm_wait_for_binds(struct vbind_vm *vm)
{
	long ret = 0;

	if (vm->last_bind)
		ret = dma_fence_wait(vm->last_bind, true);

	return ret < 0 ? ret : 0;
}

static int vbind_bind_job_queue(struct vbind_bind_job *job, bool async)
{
	struct vbind_vm *vm = job->vm;
	struct drm_exec exec;
	int ret;

	ret = mutex_lock_interruptible(&vm->bind_lock);
	if (ret)
		return ret;

	if (!async)
		ret = vbind_vm_wait_for_binds(vm);
	if (ret)
		goto unlock;

	/* Objects occur more than once, and private ones share a dma-resv. */
	drm_exec_init(&exec, DRM_EXEC_INTERRUPTIBLE_WAIT |
			     DRM_EXEC_IGNORE_DUPLICATES, 0);
	ret = vbind_bind_job_lock(job, &exec);
	if (!ret)
		ret = vbind_bind_job_submit(job, &exec);
	drm_exec_fini(&exec);

unlock:
	mutex_unlock(&vm->bind_lock);
	return ret;
}

/* The ioctl */

static int vbind_bind_job_copy_steps(const struct vbind_bind_job *job,
				     struct drm_vbind_vm_bind *args)
{
	u32 i;

	for (i = 0; i < min(job->num_steps, job->max_steps); i++) {
		u64 to = args->steps + (u64)i * args->step_stride;

		if (copy_struct_to_user(u64_to_user_ptr(to), args->step_stride,
					&job->steps[i], sizeof(job->steps[i]),
					NULL))
			return -EFAULT;
	}
	args->num_steps = job->num_steps;

	return 0;
}

struct vbind_bind_waiter {
	struct dma_fence_cb cb;
	struct completion done;
};

static void vbind_bind_waiter_wake(struct dma_fence *fence,
				   struct dma_fence_cb *cb)
{
	complete(&container_of(cb, struct vbind_bind_waiter, cb)->done);
}

/* As dma_fence_wait(), which cannot be told to heed signals that kill only. */
static int vbind_bind_wait_killable(struct dma_fence *fence)
{
	struct vbind_bind_waiter waiter;
	int ret;

	init_completion(&waiter.done);
	if (dma_fence_add_callback(fence, &waiter.cb, vbind_bind_waiter_wake))
		return 0;

	ret = wait_for_completion_killable(&waiter.done);
	if (ret)
		dma_fence_remove_callback(fence, &waiter.cb);

	return ret;
}

/*
 * The job cannot be taken back: a signal that does not kill has to wait. One that
 * does has not, since a bind before this one may wait for somebody else for ever.
 * What the job had is freed here, not some time later.
 */
static int vbind_bind_job_wait(struct vbind_bind_job *job,
			       struct drm_vbind_vm_bind *args)
{
	int ret;

	ret = vbind_bind_wait_killable(job->base.done);
	if (ret)
		return ret;

	/* The VM was closed, or the device taken away, before the job was done. */
	if (dma_fence_get_status(job->base.done) < 0)
		ret = drm_dev_is_unplugged(job->vm->base.drm) ? -ENODEV : -ENOENT;
	else
		ret = vbind_bind_job_copy_steps(job, args);
	vbind_bind_job_fini(&job->base);

	return ret;
}

static int vbind_vm_bind(struct vbind_vm *vm, struct drm_file *file,
			 struct drm_vbind_vm_bind *args)
{
	bool async = args->flags & DRM_VBIND_VM_BIND_ASYNC;
	struct vbind_bind_job *job;
	int ret;

	job = kzalloc_obj(*job, GFP_KERNEL_ACCOUNT);
	if (!job)
		return -ENOMEM;

	ret = vbind_job_init(&job->base, &vbind_bind_job_ops, vm,
			     &vm->bind_queue, file);
	if (ret) {
		kfree(job);
		return ret;
	}

	job->vm = vm;
	drm_gpuva_stock_init(&job->stock, &vm->base, &vbind_mapping_stock_ops);
	job->async = async;
	job->ops_left = DRM_VBIND_MAX_OPS;
	job->pool.vfile = vm->vfile;
	ret = vbind_bind_job_prepare(job, file, args);
	if (!ret)
		ret = vbind_bind_job_queue(job, async);
	if (ret)
		vbind_job_abort(&job->base);
	else if (!async)
		ret = vbind_bind_job_wait(job, args);
	vbind_job_put(&job->base);

	return ret;
}

static int vbind_vm_bind_check(const struct drm_vbind_vm_bind *args)
{
	bool async = args->flags & DRM_VBIND_VM_BIND_ASYNC;
	int ret;

	if (args->flags & ~DRM_VBIND_VM_BIND_ASYNC || args->pad ||
	    !args->num_binds)
		return -EINVAL;
	if (async ? args->num_steps : args->num_syncs)
		return -EINVAL;
	if (args->num_binds > DRM_VBIND_MAX_BINDS ||
	    args->num_steps > DRM_VBIND_MAX_STEPS ||
	    args->num_syncs > DRM_VBIND_MAX_SYNCS)
		return -E2BIG;

	ret = vbind_check_array(args->binds, args->num_binds, args->bind_stride,
				offsetofend(struct drm_vbind_bind, offset));
	if (!ret)
		ret = vbind_check_array(args->steps, args->num_steps,
					args->step_stride,
					sizeof(struct drm_vbind_step));
	if (!ret)
		ret = vbind_check_array(args->syncs, args->num_syncs,
					args->sync_stride,
					sizeof(struct drm_vbind_sync));

	return ret;
}

/**
 * vbind_vm_bind_ioctl() - DRM_IOCTL_VBIND_VM_BIND
 * @drm: DRM device
 * @data: struct drm_vbind_vm_bind
 * @file: DRM file
 *
 * Return: 0 or an error code
 */
int vbind_vm_bind_ioctl(struct drm_device *drm, void *data,
			struct drm_file *file)
{
	struct drm_vbind_vm_bind *args = data;
	struct vbind_vm *vm;
	int ret;

	/* Written back whatever happens. */
	args->fail_index = DRM_VBIND_NO_INDEX;

	ret = vbind_vm_bind_check(args);
	if (ret)
		return ret;

	vm = vbind_vm_lookup(file->driver_priv, args->vm_id);
	if (!vm)
		return -ENOENT;

	ret = vbind_vm_bind(vm, file, args);
	drm_gpuvm_put(&vm->base);

	return ret;
}
