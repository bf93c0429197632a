// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * What a bind does to the tree of mappings and to the page tables, and what user
 * space is told of it. This is the same in both modes; when it happens is not.
 *
 * The page tables are written once for each bind, over whatever is there: nobody
 * sees an address unmapped that is mapped before and after. So the steps need not
 * look after them.
 */

#include <drm/drm_print.h>

#include "vbind_bind.h"
#include "vbind_trace.h"

static struct drm_vbind_step *vbind_op_new_step(struct vbind_bind_job *job,
						u32 type, u32 flags)
{
	u32 i = job->num_steps++;
	struct drm_vbind_step *step;

	step = i < job->max_steps ? &job->steps[i] : &job->no_room;
	step->type = type;
	step->flags = flags;
	step->bind_index = job->current_bind;

	return step;
}

static u32 vbind_op_keep_flag(const struct drm_gpuva_op_unmap *unmap)
{
	return unmap->keep ? DRM_VBIND_STEP_KEEP : 0;
}

static void vbind_op_report_remap(struct vbind_bind_job *job,
				  const struct drm_gpuva_op_remap *remap)
{
	const struct drm_gpuva *old = remap->unmap->va;
	u32 flags = vbind_op_keep_flag(remap->unmap);
	struct drm_vbind_step *step;

	if (remap->prev)
		flags |= DRM_VBIND_STEP_PREV;
	if (remap->next)
		flags |= DRM_VBIND_STEP_NEXT;

	step = vbind_op_new_step(job, DRM_VBIND_STEP_REMAP, flags);
	vbind_mapping_describe_va(&step->mapping, old);
	if (remap->prev)
		vbind_mapping_describe(&step->prev, remap->prev, old->flags,
				       old->repeat);
	if (remap->next)
		vbind_mapping_describe(&step->next, remap->next, old->flags,
				       old->repeat);
}

static void vbind_op_report(struct vbind_bind_job *job,
			    const struct drm_gpuva_op *op)
{
	struct drm_vbind_step *step;

	switch (op->op) {
	case DRM_GPUVA_OP_MAP:
		step = vbind_op_new_step(job, DRM_VBIND_STEP_MAP, 0);
		vbind_mapping_describe(&step->mapping, &op->map, op->req->flags,
				       op->req->repeat);
		break;
	case DRM_GPUVA_OP_REMAP:
		vbind_op_report_remap(job, &op->remap);
		break;
	case DRM_GPUVA_OP_UNMAP:
		step = vbind_op_new_step(job, DRM_VBIND_STEP_UNMAP,
					 vbind_op_keep_flag(&op->unmap));
		vbind_mapping_describe_va(&step->mapping, op->unmap.va);
		break;
	case DRM_GPUVA_OP_PREFETCH:
		step = vbind_op_new_step(job, DRM_VBIND_STEP_PREFETCH, 0);
		vbind_mapping_describe_va(&step->mapping, op->prefetch.va);
		break;
	case DRM_GPUVA_OP_UPDATE:
		step = vbind_op_new_step(job, DRM_VBIND_STEP_UPDATE, 0);
		vbind_mapping_describe_va(&step->mapping, op->update.va);
		break;
	default:
		break;
	}
}

/*
 * In staged mode, commands go on to use a mapping that has left the tree until the
 * job runs. If its BO is evicted, EXEC has to find it, so that the vm_bo stays. If it
 * is not, it remains resident: the job's fence keeps it from being evicted.
 */
static void vbind_bind_add_leaving(struct vbind_bind *bind, struct vbind_vm *vm,
				   struct drm_gpuva *va)
{
	struct vbind_mapping *mapping = to_vbind_mapping(va);

	if (drm_gpuvm_immediate_mode(&vm->base) || !va->vm_bo ||
	    !va->vm_bo->evicted)
		return;

	mapping->leaving_vm_bo = drm_gpuvm_bo_get(va->vm_bo);
	mapping->next_leaving = bind->leaving;
	bind->leaving = mapping;
	list_add_tail(&mapping->leaving, &vm->leaving);
}

static int vbind_step(struct drm_gpuva_op *op, void *priv)
{
	struct vbind_bind_job *job = priv;
	struct vbind_bind *bind = vbind_bind_job_current(job);

	if (op->op == DRM_GPUVA_OP_REMAP)
		vbind_bind_add_leaving(bind, job->vm, op->remap.unmap->va);
	else if (op->op == DRM_GPUVA_OP_UNMAP)
		vbind_bind_add_leaving(bind, job->vm, op->unmap.va);

	vbind_vm_count(job->vm, VBIND_COUNT_OPS);
	vbind_op_report(job, op);
	/* Nothing happens to what is there already. */
	if (op->op != DRM_GPUVA_OP_UPDATE)
		trace_vbind_op(job->vm, op);
	else
		bind->same = !drm_gpuva_invalidated(op->update.va);

	return vbind_mapping_apply(op, &job->stock, bind->vm_bo);
}

static int vbind_step_unmap_bo(struct drm_gpuva_op *op, void *priv)
{
	struct vbind_mapping *mapping = to_vbind_mapping(op->unmap.va);
	struct vbind_bind *bind = vbind_bind_job_current(priv);

	mapping->next_removed = bind->removed;
	bind->removed = mapping;

	return vbind_step(op, priv);
}

static const struct drm_gpuvm_steps vbind_steps = {
	.map = vbind_step,
	.remap = vbind_step,
	.unmap = vbind_step,
	.update = vbind_step,
};

static const struct drm_gpuvm_steps vbind_unmap_bo_steps = {
	.unmap = vbind_step_unmap_bo,
};

/* The memory is back already, see vbind_bind_job_lock(). This is for steps. */
static int vbind_bind_tell_prefetch(struct vbind_bind_job *job, u64 addr,
				    u64 range)
{
	struct drm_gpuva *va;
	int ret = 0;

	/* Nobody wants to know. */
	if (job->async)
		return 0;

	drm_gpuvm_for_each_mapping_range(va, &job->vm->base, addr, addr + range) {
		struct drm_gpuva_op op = {
			.op = DRM_GPUVA_OP_PREFETCH,
			.prefetch.va = va,
		};

		ret = ret ?: vbind_step(&op, job);
	}

	return ret;
}

/**
 * vbind_bind_change_tree() - carry out a bind in the tree of mappings
 * @job: the job
 * @bind: its current bind
 *
 * Context: vbind_vm.lock is held, and in staged mode the dma-resv of what the
 * bind is about, see drm_gpuvm_request_exec_lock()
 *
 * Return: 0 or an error code, which is a bug
 */
int vbind_bind_change_tree(struct vbind_bind_job *job, struct vbind_bind *bind)
{
	const struct drm_gpuva_op_map *map = &bind->req.map;

	switch (bind->type) {
	case DRM_VBIND_BIND_MAP:
	case DRM_VBIND_BIND_MAP_SPARSE:
	case DRM_VBIND_BIND_UNMAP:
		return drm_gpuvm_request(&job->vm->base, &bind->req, &vbind_steps,
					 job);
	case DRM_VBIND_BIND_PREFETCH:
		return vbind_bind_tell_prefetch(job, map->va.addr, map->va.range);
	case DRM_VBIND_BIND_UNMAP_BO:
		return drm_gpuvm_bo_unmap(bind->vm_bo, &vbind_unmap_bo_steps, job);
	}

	return -EINVAL;
}

static int vbind_bind_map_mmu(struct vbind_bind_job *job,
			      struct vbind_bind *bind)
{
	const struct drm_gpuva_op_map *map = &bind->req.map;
	const struct vbind_mmu_memory memory = {
		.start = to_vbind_bo(map->gem.obj)->memory,
		.offset = map->gem.offset,
		.repeat = bind->req.repeat,
		.readonly = bind->req.flags & VBIND_GPUVA_READONLY,
	};

	return vbind_mmu_map(&job->vm->mmu, &job->pool, map->va.addr,
			     map->va.range, &memory);
}

static int vbind_bind_unmap_bo_mmu(struct vbind_bind_job *job,
				   struct vbind_bind *bind)
{
	struct vbind_mapping *mapping;
	int ret = 0;

	for (mapping = bind->removed; !ret && mapping;
	     mapping = mapping->next_removed)
		ret = vbind_mmu_unmap(&job->vm->mmu, &job->pool,
				      mapping->base.va.addr,
				      mapping->base.va.range);

	return ret;
}

/**
 * vbind_bind_update_mmu() - carry out a bind in the page tables
 * @job: the job
 * @bind: a bind that vbind_bind_change_tree() was called for
 *
 * Context: fence signalling
 *
 * Return: 0 or an error code, which is a bug
 */
int vbind_bind_update_mmu(struct vbind_bind_job *job, struct vbind_bind *bind)
{
	const struct drm_gpuva_op_map *map = &bind->req.map;
	struct vbind_mmu *mmu = &job->vm->mmu;

	if (bind->same)
		return 0;

	switch (bind->type) {
	case DRM_VBIND_BIND_MAP:
		return vbind_bind_map_mmu(job, bind);
	case DRM_VBIND_BIND_MAP_SPARSE:
		return vbind_mmu_map_sparse(mmu, &job->pool, map->va.addr,
					    map->va.range);
	case DRM_VBIND_BIND_UNMAP:
		return vbind_mmu_unmap(mmu, &job->pool, map->va.addr,
				       map->va.range);
	case DRM_VBIND_BIND_UNMAP_BO:
		return vbind_bind_unmap_bo_mmu(job, bind);
	case DRM_VBIND_BIND_PREFETCH:
		return 0;
	}

	return -EINVAL;
}
