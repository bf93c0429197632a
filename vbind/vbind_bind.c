// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * VM_BIND: an array of binds becomes a job, which goes through these phases:
 *
 * - check: everything that user space passed. This needs no lock, because the
 *   VA space and the size of a BO never change.
 * - prepare: all memory that may be needed; all BOs and their
 *   &struct drm_gpuvm_bo; in staged mode also all dma-resv locks.
 * - commit: the core works out the steps of one bind after the other and the
 *   step callbacks take them. Nothing can fail here, so either all binds are
 *   carried out or, if an earlier phase failed, none.
 * - clean up: what was retired or not needed is freed.
 *
 * The modes differ in the locks and in when they are taken. In immediate mode
 * the commit phase is what a driver does when the job runs, in the fence
 * signalling path: it is marked as such, so that lockdep proves that it neither
 * allocates memory nor takes a dma-resv lock.
 */

#include <linux/dma-fence.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_exec.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>

#include "vbind_drv.h"

/* A map cuts at most two mappings or one twice, and adds its own. */
#define VBIND_MAX_SPARES_MAP	3
/* An unmap cuts at most two mappings or one twice. */
#define VBIND_MAX_SPARES_UNMAP	2

/**
 * struct vbind_bind - a bind
 * @type: what it does
 * @req: the request to the core; its object comes with a reference and a claim
 * @flags: flags of the new mapping
 * @vm_bo: what links the object with the VM, once prepared
 * @spares: mappings for what may be added
 * @num_spares: number of them that are left
 */
struct vbind_bind {
	enum drm_vbind_bind_type type;
	struct drm_gpuvm_map_req req;
	enum drm_gpuva_flags flags;
	struct drm_gpuvm_bo *vm_bo;
	struct vbind_mapping *spares[VBIND_MAX_SPARES_MAP];
	unsigned int num_spares;
};

/**
 * struct vbind_job - an array of binds on its way through the phases
 * @vm: the VM
 * @binds: the binds
 * @num_binds: number of them
 * @current_bind: commit: index of the bind that is being carried out
 * @retired: mappings that were taken off the tree
 * @steps: the steps that were taken
 * @num_steps: number of them, which may be more than there was room for
 * @max_steps: room in @steps
 * @no_room: stands in for the steps that there is no room for
 */
struct vbind_job {
	struct vbind_vm *vm;
	struct vbind_bind *binds;
	u32 num_binds;
	u32 current_bind;
	struct list_head retired;
	struct drm_vbind_step *steps;
	u32 num_steps;
	u32 max_steps;
	struct drm_vbind_step no_room;
};

/* Commit: the callbacks by which the core has a bind's steps taken */

static struct vbind_bind *vbind_job_current(struct vbind_job *job)
{
	return &job->binds[job->current_bind];
}

static struct vbind_mapping *vbind_bind_take_spare(struct vbind_bind *bind)
{
	return bind->spares[--bind->num_spares];
}

static struct drm_vbind_step *vbind_job_add_step(struct vbind_job *job,
						 enum drm_vbind_step_type type,
						 u32 flags)
{
	u32 i = job->num_steps++;
	struct drm_vbind_step *step;

	step = i < job->max_steps ? &job->steps[i] : &job->no_room;
	step->type = type;
	step->flags = flags;
	step->bind_index = job->current_bind;

	return step;
}

static int vbind_step_map(struct drm_gpuva_op *op, void *priv)
{
	struct vbind_job *job = priv;
	struct vbind_bind *bind = vbind_job_current(job);
	struct vbind_mapping *mapping = vbind_bind_take_spare(bind);
	struct drm_vbind_step *step;
	int ret;

	step = vbind_job_add_step(job, DRM_VBIND_STEP_MAP, 0);
	vbind_mapping_describe(&step->mapping, &op->map, bind->flags);

	mapping->base.flags = bind->flags;
	ret = drm_gpuva_map(&job->vm->base, &mapping->base, &op->map);
	if (ret)
		return ret;

	vbind_mapping_link(job->vm, mapping, bind->vm_bo);

	return 0;
}

static struct vbind_mapping *
vbind_step_take_part(struct vbind_job *job, const struct drm_gpuva *old,
		     const struct drm_gpuva_op_map *part,
		     struct drm_vbind_mapping *out)
{
	struct vbind_mapping *mapping;

	if (!part)
		return NULL;

	/* A part is like the whole: sparse, read-only, ... */
	mapping = vbind_bind_take_spare(vbind_job_current(job));
	mapping->base.flags = old->flags;
	vbind_mapping_describe(out, part, old->flags);

	return mapping;
}

static int vbind_step_remap(struct drm_gpuva_op *op, void *priv)
{
	struct vbind_job *job = priv;
	struct drm_gpuva_op_remap *remap = &op->remap;
	struct drm_gpuva *old = remap->unmap->va;
	struct vbind_mapping *prev, *next;
	struct drm_vbind_step *step;
	int ret;

	step = vbind_job_add_step(job, DRM_VBIND_STEP_REMAP,
				  (remap->unmap->keep ? DRM_VBIND_STEP_KEEP : 0) |
				  (remap->prev ? DRM_VBIND_STEP_PREV : 0) |
				  (remap->next ? DRM_VBIND_STEP_NEXT : 0));
	vbind_mapping_describe_va(&step->mapping, old);
	prev = vbind_step_take_part(job, old, remap->prev, &step->prev);
	next = vbind_step_take_part(job, old, remap->next, &step->next);

	ret = drm_gpuva_remap(prev ? &prev->base : NULL,
			      next ? &next->base : NULL, remap);
	if (ret)
		return ret;

	/* The new parts come first: they keep the vm_bo alive. */
	if (prev)
		vbind_mapping_link(job->vm, prev, old->vm_bo);
	if (next)
		vbind_mapping_link(job->vm, next, old->vm_bo);
	vbind_mapping_retire(job->vm, to_vbind_mapping(old), &job->retired);

	return 0;
}

static int vbind_step_unmap(struct drm_gpuva_op *op, void *priv)
{
	struct vbind_job *job = priv;
	struct drm_gpuva *va = op->unmap.va;
	struct drm_vbind_step *step;

	step = vbind_job_add_step(job, DRM_VBIND_STEP_UNMAP,
				  op->unmap.keep ? DRM_VBIND_STEP_KEEP : 0);
	vbind_mapping_describe_va(&step->mapping, va);

	drm_gpuva_unmap(&op->unmap);
	vbind_mapping_retire(job->vm, to_vbind_mapping(va), &job->retired);

	return 0;
}

const struct drm_gpuvm_ops vbind_gpuvm_ops = {
	.vm_free = vbind_vm_free,
	.sm_step_map = vbind_step_map,
	.sm_step_remap = vbind_step_remap,
	.sm_step_unmap = vbind_step_unmap,
};

/*
 * A BO's memory can always be reached, so there is nothing to be moved. This
 * walks the tree itself: drm_gpuvm_prefetch_ops_create() allocates memory, which
 * is too late now, and too early before the binds in front of this one are done.
 */
static int vbind_job_prefetch(struct vbind_job *job, u64 addr, u64 range)
{
	struct drm_gpuva *va;

	drm_gpuvm_for_each_mapping_range(va, &job->vm->base, addr, addr + range) {
		struct drm_vbind_step *step;

		step = vbind_job_add_step(job, DRM_VBIND_STEP_PREFETCH, 0);
		vbind_mapping_describe_va(&step->mapping, va);
	}

	return 0;
}

static int vbind_job_commit_bind(struct vbind_job *job,
				 const struct vbind_bind *bind)
{
	struct drm_gpuvm *gpuvm = &job->vm->base;
	u64 addr = bind->req.map.va.addr;
	u64 range = bind->req.map.va.range;

	switch (bind->type) {
	case DRM_VBIND_BIND_MAP:
	case DRM_VBIND_BIND_MAP_SPARSE:
		return drm_gpuvm_sm_map(gpuvm, job, &bind->req);
	case DRM_VBIND_BIND_UNMAP:
		return drm_gpuvm_sm_unmap(gpuvm, job, addr, range);
	case DRM_VBIND_BIND_PREFETCH:
		return vbind_job_prefetch(job, addr, range);
	}

	return -EINVAL;
}

static int vbind_job_commit(struct vbind_job *job)
{
	struct vbind_vm *vm = job->vm;
	u32 i;

	lockdep_assert_held(&vm->lock);

	if (vm->closed)
		return -ENOENT;

	for (i = 0; i < job->num_binds; i++) {
		int ret;

		job->current_bind = i;
		ret = vbind_job_commit_bind(job, &job->binds[i]);
		if (drm_WARN_ON(vm->base.drm, ret))
			return ret;
	}

	return 0;
}

/* Prepare and commit in staged mode */

static int vbind_bind_lock_objects(struct vbind_bind *bind,
				   struct drm_gpuvm *gpuvm,
				   struct drm_exec *exec)
{
	switch (bind->type) {
	case DRM_VBIND_BIND_MAP:
	case DRM_VBIND_BIND_MAP_SPARSE:
		return drm_gpuvm_sm_map_exec_lock(gpuvm, exec, 0, &bind->req);
	case DRM_VBIND_BIND_UNMAP:
		return drm_gpuvm_sm_unmap_exec_lock(gpuvm, exec,
						    bind->req.map.va.addr,
						    bind->req.map.va.range);
	case DRM_VBIND_BIND_PREFETCH:
		/* Changes no list of mappings. */
		return 0;
	}

	return -EINVAL;
}

/*
 * Locks the dma-resv of every object that any bind touches. It is fine that this
 * looks at the tree before the first bind: what a later bind finds there in
 * addition was mapped by an earlier one, whose object is locked as well.
 */
static int vbind_job_lock_objects(struct vbind_job *job, struct drm_exec *exec)
{
	struct drm_gpuvm *gpuvm = &job->vm->base;
	int ret = 0;
	u32 i;

	/* Protects the list of external objects if told so at VM creation. */
	if (drm_gpuvm_resv_protected(gpuvm))
		ret = drm_gpuvm_prepare_vm(gpuvm, exec, 0);

	for (i = 0; !ret && i < job->num_binds; i++)
		ret = vbind_bind_lock_objects(&job->binds[i], gpuvm, exec);

	return ret;
}

static int vbind_job_obtain_vm_bos_staged(struct vbind_job *job)
{
	u32 i;

	for (i = 0; i < job->num_binds; i++) {
		struct vbind_bind *bind = &job->binds[i];
		struct drm_gpuvm_bo *vm_bo;

		if (!bind->req.map.gem.obj)
			continue;

		vm_bo = drm_gpuvm_bo_obtain_locked(&job->vm->base,
						   bind->req.map.gem.obj);
		if (IS_ERR(vm_bo))
			return PTR_ERR(vm_bo);

		bind->vm_bo = vm_bo;
		drm_gpuvm_bo_extobj_add(vm_bo);
	}

	return 0;
}

static void vbind_job_put_vm_bos_staged(struct vbind_job *job)
{
	u32 i;

	for (i = 0; i < job->num_binds; i++)
		drm_gpuvm_bo_put(job->binds[i].vm_bo);
}

/* All locks are held. */
static int vbind_job_run_locked(struct vbind_job *job)
{
	int ret;

	ret = vbind_job_obtain_vm_bos_staged(job);
	if (!ret) {
		mutex_lock(&job->vm->lock);
		ret = vbind_job_commit(job);
		mutex_unlock(&job->vm->lock);
	}
	/* Where the last reference goes, the same locks are needed. */
	vbind_job_put_vm_bos_staged(job);

	return ret;
}

static int vbind_job_run_staged(struct vbind_job *job)
{
	struct vbind_vm *vm = job->vm;
	struct drm_exec exec;
	int ret;

	ret = mutex_lock_interruptible(&vm->bind_lock);
	if (ret)
		return ret;

	if (vm->closed) {
		ret = -ENOENT;
		goto unlock;
	}

	/* Objects occur more than once, and private ones share a dma-resv. */
	drm_exec_init(&exec, DRM_EXEC_INTERRUPTIBLE_WAIT |
			     DRM_EXEC_IGNORE_DUPLICATES, 0);
	drm_exec_until_all_locked(&exec) {
		ret = vbind_job_lock_objects(job, &exec);
		drm_exec_retry_on_contention(&exec);
		if (ret)
			break;
	}
	if (!ret)
		ret = vbind_job_run_locked(job);
	drm_exec_fini(&exec);

unlock:
	mutex_unlock(&vm->bind_lock);
	return ret;
}

/* Prepare and commit in immediate mode */

static int vbind_job_obtain_vm_bos_immediate(struct vbind_job *job)
{
	u32 i;

	for (i = 0; i < job->num_binds; i++) {
		struct vbind_bind *bind = &job->binds[i];
		struct drm_gpuvm_bo *vm_bo;

		if (!bind->req.map.gem.obj)
			continue;

		vm_bo = drm_gpuvm_bo_create(&job->vm->base,
					    bind->req.map.gem.obj);
		if (!vm_bo)
			return -ENOMEM;

		/* Gives back the one that exists, if there is one. */
		bind->vm_bo = drm_gpuvm_bo_obtain_prealloc(vm_bo);
	}

	return 0;
}

/*
 * The list of external objects may be protected by the VM's dma-resv, which
 * cannot be taken later, in the commit phase.
 */
static int vbind_job_add_extobjs_immediate(struct vbind_job *job)
{
	struct drm_gpuvm *gpuvm = &job->vm->base;
	bool lock = drm_gpuvm_resv_protected(gpuvm);
	int ret;
	u32 i;

	if (lock) {
		ret = dma_resv_lock_interruptible(drm_gpuvm_resv(gpuvm), NULL);
		if (ret)
			return ret;
	}

	for (i = 0; i < job->num_binds; i++) {
		if (job->binds[i].vm_bo)
			drm_gpuvm_bo_extobj_add(job->binds[i].vm_bo);
	}

	if (lock)
		dma_resv_unlock(drm_gpuvm_resv(gpuvm));

	return 0;
}

static int vbind_job_commit_signalling(struct vbind_job *job)
{
	bool cookie = dma_fence_begin_signalling();
	int ret;

	mutex_lock(&job->vm->lock);
	ret = vbind_job_commit(job);
	mutex_unlock(&job->vm->lock);
	dma_fence_end_signalling(cookie);

	return ret;
}

static int vbind_job_run_immediate(struct vbind_job *job)
{
	int ret;
	u32 i;

	ret = vbind_job_obtain_vm_bos_immediate(job);
	if (!ret)
		ret = vbind_job_add_extobjs_immediate(job);
	if (!ret)
		ret = vbind_job_commit_signalling(job);

	for (i = 0; i < job->num_binds; i++)
		drm_gpuvm_bo_put_deferred(job->binds[i].vm_bo);

	/* Also for what the commit phase unlinked. */
	drm_gpuvm_bo_deferred_cleanup(&job->vm->base);

	return ret;
}

/* Check, and prepare what both modes have in common */

static int vbind_bind_check(struct vbind_vm *vm,
			    const struct drm_vbind_bind *args)
{
	bool map = args->type == DRM_VBIND_BIND_MAP;

	if (args->type > DRM_VBIND_BIND_PREFETCH || args->pad)
		return -EINVAL;
	if (args->flags & ~(map ? DRM_VBIND_BIND_READONLY : 0))
		return -EINVAL;
	if (!map && (args->handle || args->offset))
		return -EINVAL;
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
	u64 size = bo->base.base.size;

	if (args->range > size || args->offset > size - args->range)
		return -EINVAL;
	if (bo->vm_resv_obj && bo->vm_resv_obj != drm_gpuvm_resv_obj(&vm->base))
		return -EINVAL;
	if (!vbind_bo_claim(bo, vm))
		return -EBUSY;

	return 0;
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
	if (args->type == DRM_VBIND_BIND_MAP_SPARSE)
		bind->flags |= DRM_GPUVA_SPARSE;
	if (args->flags & DRM_VBIND_BIND_READONLY)
		bind->flags |= VBIND_GPUVA_READONLY;

	if (args->type == DRM_VBIND_BIND_MAP)
		return vbind_bind_init_bo(bind, vm, file, args);

	return 0;
}

static int vbind_job_init_binds(struct vbind_job *job, struct drm_file *file,
				struct drm_vbind_vm_bind *args)
{
	u32 i;

	for (i = 0; i < job->num_binds; i++) {
		u64 from = args->binds + (u64)i * args->bind_stride;
		struct drm_vbind_bind bind_args;
		int ret;

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

static int vbind_bind_alloc_spares(struct vbind_bind *bind, struct vbind_vm *vm)
{
	static const unsigned int max_spares[] = {
		[DRM_VBIND_BIND_MAP] = VBIND_MAX_SPARES_MAP,
		[DRM_VBIND_BIND_UNMAP] = VBIND_MAX_SPARES_UNMAP,
		[DRM_VBIND_BIND_MAP_SPARSE] = VBIND_MAX_SPARES_MAP,
		[DRM_VBIND_BIND_PREFETCH] = 0,
	};

	while (bind->num_spares < max_spares[bind->type]) {
		struct vbind_mapping *mapping = vbind_mapping_alloc(vm);

		if (!mapping)
			return -ENOMEM;
		bind->spares[bind->num_spares++] = mapping;
	}

	return 0;
}

static int vbind_job_alloc_spares(struct vbind_job *job)
{
	int ret = 0;
	u32 i;

	for (i = 0; !ret && i < job->num_binds; i++)
		ret = vbind_bind_alloc_spares(&job->binds[i], job->vm);

	return ret;
}

/*
 * A bad pointer has to be found before anything changes, and user memory cannot
 * be written to in the commit phase.
 */
static int vbind_job_alloc_steps(struct vbind_job *job,
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

static int vbind_job_copy_steps(const struct vbind_job *job,
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

static int vbind_job_run(struct vbind_job *job, struct drm_file *file,
			 struct drm_vbind_vm_bind *args)
{
	int ret;

	ret = vbind_job_init_binds(job, file, args);
	if (!ret)
		ret = vbind_job_alloc_steps(job, args);
	if (!ret)
		ret = vbind_job_alloc_spares(job);
	if (ret)
		return ret;

	if (drm_gpuvm_immediate_mode(&job->vm->base))
		ret = vbind_job_run_immediate(job);
	else
		ret = vbind_job_run_staged(job);
	if (ret)
		return ret;

	return vbind_job_copy_steps(job, args);
}

static void vbind_bind_fini(struct vbind_bind *bind, struct vbind_vm *vm)
{
	struct drm_gem_object *obj = bind->req.map.gem.obj;

	while (bind->num_spares)
		vbind_mapping_free(vm, vbind_bind_take_spare(bind));

	if (obj) {
		vbind_bo_unclaim(to_vbind_bo(obj), vm);
		drm_gem_object_put(obj);
	}
}

static void vbind_job_fini(struct vbind_job *job)
{
	u32 i;

	vbind_mapping_free_retired(job->vm, &job->retired);
	for (i = 0; i < job->num_binds; i++)
		vbind_bind_fini(&job->binds[i], job->vm);
	kvfree(job->binds);
	kvfree(job->steps);
}

static int vbind_vm_bind(struct vbind_vm *vm, struct drm_file *file,
			 struct drm_vbind_vm_bind *args)
{
	struct vbind_job job = {
		.vm = vm,
		.num_binds = args->num_binds,
		.retired = LIST_HEAD_INIT(job.retired),
	};
	int ret;

	job.binds = kvzalloc_objs(*job.binds, job.num_binds, GFP_KERNEL_ACCOUNT);
	if (!job.binds)
		return -ENOMEM;

	ret = vbind_job_run(&job, file, args);
	vbind_job_fini(&job);

	return ret;
}

static int vbind_vm_bind_check(const struct drm_vbind_vm_bind *args)
{
	int ret;

	if (args->flags || args->pad || !args->num_binds)
		return -EINVAL;
	if (args->num_binds > DRM_VBIND_MAX_BINDS ||
	    args->num_steps > DRM_VBIND_MAX_STEPS)
		return -E2BIG;

	ret = vbind_check_array(args->binds, args->num_binds, args->bind_stride,
				sizeof(struct drm_vbind_bind));
	if (ret)
		return ret;

	return vbind_check_array(args->steps, args->num_steps, args->step_stride,
				 sizeof(struct drm_vbind_step));
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
