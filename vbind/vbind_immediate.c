// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * Binds in immediate mode: the tree of mappings and the page tables change
 * together, when the job runs. What the VM looks like then is not known before, so
 * the ioctl gets whatever may be needed:
 *
 * - a mapping for each one that a bind may add,
 * - a &struct drm_gpuvm_bo for each BO that is to be mapped,
 * - page tables (see vbind_bind.c, as in staged mode).
 *
 * When the job runs, the core calls back for one step after the other. This is in
 * the fence signalling path: no memory is allocated, and no dma-resv lock taken.
 * What that leaves behind, a &struct drm_gpuvm_bo that has no mapping any more and
 * references on BOs, is cleaned up after the job.
 */

#include <drm/drm_exec.h>
#include <drm/drm_print.h>

#include "vbind_bind.h"

static struct vbind_mapping *vbind_bind_take_spare(struct vbind_bind *bind)
{
	return bind->spares[--bind->num_spares];
}

/**
 * vbind_step_map() - &drm_gpuvm_ops.sm_step_map
 * @op: the operation
 * @priv: struct vbind_bind_job
 *
 * Return: 0 or an error code, which is a bug
 */
int vbind_step_map(struct drm_gpuva_op *op, void *priv)
{
	struct vbind_bind_job *job = priv;
	struct vbind_bind *bind = vbind_bind_job_current(job);
	struct vbind_mapping *mapping = vbind_bind_take_spare(bind);

	vbind_op_report(job, op);
	mapping->base.flags = bind->flags;
	drm_gpuva_map(&job->vm->base, &mapping->base, &op->map);
	job->vm->num_mappings++;
	vbind_mapping_link(job->vm, mapping, bind->vm_bo);

	return vbind_op_update_mmu(job, op);
}

static struct vbind_mapping *vbind_step_part(struct vbind_bind_job *job,
					     const struct drm_gpuva *old,
					     const struct drm_gpuva_op_map *part)
{
	struct vbind_mapping *mapping;

	if (!part)
		return NULL;

	/* A part is like the whole: read-only, evicted, ... */
	mapping = vbind_bind_take_spare(vbind_bind_job_current(job));
	mapping->base.flags = old->flags;

	return mapping;
}

/**
 * vbind_step_remap() - &drm_gpuvm_ops.sm_step_remap
 * @op: the operation
 * @priv: struct vbind_bind_job
 *
 * Return: 0 or an error code, which is a bug
 */
int vbind_step_remap(struct drm_gpuva_op *op, void *priv)
{
	struct vbind_bind_job *job = priv;
	struct drm_gpuva *old = op->remap.unmap->va;
	struct vbind_mapping *prev, *next;
	int ret;

	vbind_op_report(job, op);
	prev = vbind_step_part(job, old, op->remap.prev);
	next = vbind_step_part(job, old, op->remap.next);
	drm_gpuva_remap(prev ? &prev->base : NULL, next ? &next->base : NULL,
			&op->remap);
	job->vm->num_mappings += !!prev + !!next - 1;
	ret = vbind_op_update_mmu(job, op);

	/* The new parts come first: they keep the vm_bo alive. */
	if (prev)
		vbind_mapping_link(job->vm, prev, old->vm_bo);
	if (next)
		vbind_mapping_link(job->vm, next, old->vm_bo);
	vbind_mapping_retire(job->vm, to_vbind_mapping(old), &job->retired);

	return ret;
}

/**
 * vbind_step_unmap() - &drm_gpuvm_ops.sm_step_unmap
 * @op: the operation
 * @priv: struct vbind_bind_job
 *
 * Return: 0 or an error code, which is a bug
 */
int vbind_step_unmap(struct drm_gpuva_op *op, void *priv)
{
	struct vbind_bind_job *job = priv;
	struct drm_gpuva *va = op->unmap.va;
	int ret;

	vbind_op_report(job, op);
	drm_gpuva_unmap(&op->unmap);
	job->vm->num_mappings--;
	ret = vbind_op_update_mmu(job, op);
	vbind_mapping_retire(job->vm, to_vbind_mapping(va), &job->retired);

	return ret;
}

/* What drm_gpuvm_bo_unmap_ops_create() does, which would allocate memory */
static int vbind_immediate_unmap_bo(struct vbind_bind_job *job,
				    struct drm_gpuvm_bo *vm_bo)
{
	struct drm_gpuva *va, *next;
	int ret = 0;

	drm_gpuvm_bo_for_each_va_safe(va, next, vm_bo) {
		struct drm_gpuva_op op = {
			.op = DRM_GPUVA_OP_UNMAP,
			.unmap.va = va,
		};

		if (!ret)
			ret = vbind_step_unmap(&op, job);
	}

	return ret;
}

/* The memory is back already, see vbind_bind_job_lock(). This is for steps. */
static int vbind_immediate_prefetch(struct vbind_bind_job *job, u64 addr,
				    u64 range)
{
	struct drm_gpuva *va;

	/* The ioctl has made sure that the reserved range is not touched. */
	drm_gpuvm_for_each_va_range(va, &job->vm->base, addr, addr + range) {
		struct drm_gpuva_op op = {
			.op = DRM_GPUVA_OP_PREFETCH,
			.prefetch.va = va,
		};

		vbind_op_report(job, &op);
		vbind_op_update_mmu(job, &op);
	}

	return 0;
}

static int vbind_immediate_run_locked(struct vbind_bind_job *job,
				      struct vbind_bind *bind)
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
		return vbind_immediate_prefetch(job, addr, range);
	case DRM_VBIND_BIND_UNMAP_BO:
		return vbind_immediate_unmap_bo(job, bind->vm_bo);
	}

	return -EINVAL;
}

static int vbind_immediate_run(struct vbind_bind_job *job,
			       struct vbind_bind *bind)
{
	int ret;

	mutex_lock(&job->vm->lock);
	ret = vbind_immediate_run_locked(job, bind);
	mutex_unlock(&job->vm->lock);

	return ret;
}

static int vbind_bind_alloc_spares(struct vbind_bind *bind, struct vbind_vm *vm)
{
	static const unsigned int max_spares[] = {
		[DRM_VBIND_BIND_MAP] = VBIND_MAX_SPARES,
		[DRM_VBIND_BIND_MAP_SPARSE] = VBIND_MAX_SPARES,
		/* As a map, but for the mapping that it adds */
		[DRM_VBIND_BIND_UNMAP] = VBIND_MAX_SPARES - 1,
		[DRM_VBIND_BIND_PREFETCH] = 0,
		[DRM_VBIND_BIND_UNMAP_BO] = 0,
	};

	while (bind->num_spares < max_spares[bind->type]) {
		struct vbind_mapping *mapping = vbind_mapping_alloc(vm);

		if (!mapping)
			return -ENOMEM;
		bind->spares[bind->num_spares++] = mapping;
	}

	return 0;
}

static int vbind_bind_obtain_vm_bo(struct vbind_bind *bind, struct vbind_vm *vm)
{
	struct drm_gpuvm_bo *vm_bo;

	if (!bind->req.map.gem.obj)
		return 0;

	vm_bo = drm_gpuvm_bo_create(&vm->base, bind->req.map.gem.obj);
	if (!vm_bo)
		return -ENOMEM;

	/* Gives back the one that exists, if there is one. */
	bind->vm_bo = drm_gpuvm_bo_obtain_prealloc(vm_bo);

	return 0;
}

static int vbind_immediate_prepare(struct vbind_bind_job *job)
{
	int ret = 0;
	u32 i;

	for (i = 0; !ret && i < job->num_binds; i++) {
		ret = vbind_bind_alloc_spares(&job->binds[i], job->vm);
		if (!ret)
			ret = vbind_bind_obtain_vm_bo(&job->binds[i], job->vm);
	}

	return ret;
}

/*
 * Which mappings the job will cut or remove is not known, but all of them are of
 * objects that the VM knows.
 */
static int vbind_immediate_lock(struct vbind_bind_job *job,
				struct drm_exec *exec)
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
 * The list of external objects may be protected by the VM's dma-resv, which cannot
 * be taken when the job runs.
 */
static int vbind_immediate_commit(struct vbind_bind_job *job)
{
	u32 i;

	for (i = 0; i < job->num_binds; i++) {
		if (job->binds[i].vm_bo)
			drm_gpuvm_bo_extobj_add(job->binds[i].vm_bo);
	}

	return 0;
}

static void vbind_immediate_fini(struct vbind_bind_job *job)
{
	u32 i;

	for (i = 0; i < job->num_binds; i++) {
		struct vbind_bind *bind = &job->binds[i];

		while (bind->num_spares)
			vbind_mapping_free(job->vm, vbind_bind_take_spare(bind));
		drm_gpuvm_bo_put_deferred(bind->vm_bo);
		bind->vm_bo = NULL;
	}

	/* Also for those whose last mapping this job, or one before, unlinked */
	drm_gpuvm_bo_deferred_cleanup(&job->vm->base);
}

const struct vbind_mode_ops vbind_immediate_ops = {
	.prepare = vbind_immediate_prepare,
	.lock = vbind_immediate_lock,
	.commit = vbind_immediate_commit,
	.run = vbind_immediate_run,
	.fini = vbind_immediate_fini,
};
