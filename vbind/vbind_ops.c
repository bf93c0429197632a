// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * What an operation of the core means for the page tables and for user space;
 * this is the same in both modes.
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
		vbind_mapping_describe(&step->prev, remap->prev, old->flags);
	if (remap->next)
		vbind_mapping_describe(&step->next, remap->next, old->flags);
}

/**
 * vbind_op_report() - note an operation for user space
 * @job: the job
 * @op: the operation
 */
void vbind_op_report(struct vbind_bind_job *job, const struct drm_gpuva_op *op)
{
	struct drm_vbind_step *step;

	switch (op->op) {
	case DRM_GPUVA_OP_MAP:
		step = vbind_op_new_step(job, DRM_VBIND_STEP_MAP, 0);
		vbind_mapping_describe(&step->mapping, &op->map,
				       vbind_bind_job_current(job)->flags);
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
	default:
		break;
	}
}

/*
 * The core tells whether the new mapping has the same memory in the same place.
 * Whether the entries are the same is for the driver to know: they have to be
 * there, and to allow the same.
 */
static bool vbind_op_keeps_entries(struct vbind_bind_job *job,
				   const struct drm_gpuva_op_unmap *unmap)
{
	enum drm_gpuva_flags flags = vbind_bind_job_current(job)->flags;

	return unmap->keep && !drm_gpuva_invalidated(unmap->va) &&
	       unmap->va->flags == flags;
}

static int vbind_op_map_mmu(struct vbind_bind_job *job,
			    const struct drm_gpuva_op_map *map)
{
	enum drm_gpuva_flags flags = vbind_bind_job_current(job)->flags;
	struct drm_gem_object *obj = map->gem.obj;
	struct vbind_mmu *mmu = &job->vm->mmu;

	if (!obj)
		return vbind_mmu_map_sparse(mmu, &job->pool, map->va.addr,
					    map->va.range);

	return vbind_mmu_map(mmu, &job->pool, map->va.addr, map->va.range,
			     to_vbind_bo(obj)->memory, map->gem.offset,
			     flags & VBIND_GPUVA_READONLY);
}

/**
 * vbind_op_update_mmu() - update the page tables
 * @job: the job
 * @op: the operation
 *
 * Context: fence signalling
 *
 * Return: 0 or an error code, which is a bug
 */
int vbind_op_update_mmu(struct vbind_bind_job *job, const struct drm_gpuva_op *op)
{
	struct vbind_mmu *mmu = &job->vm->mmu;
	u64 addr, range;

	vbind_vm_count(job->vm, VBIND_COUNT_OPS);
	trace_vbind_op(job->vm, op);

	switch (op->op) {
	case DRM_GPUVA_OP_MAP:
		return vbind_op_map_mmu(job, &op->map);
	case DRM_GPUVA_OP_REMAP:
		if (vbind_op_keeps_entries(job, op->remap.unmap))
			return 0;
		drm_gpuva_op_remap_to_unmap_range(&op->remap, &addr, &range);
		return vbind_mmu_unmap(mmu, &job->pool, addr, range);
	case DRM_GPUVA_OP_UNMAP:
		if (vbind_op_keeps_entries(job, &op->unmap))
			return 0;
		return vbind_mmu_unmap(mmu, &job->pool, op->unmap.va->va.addr,
				       op->unmap.va->va.range);
	case DRM_GPUVA_OP_PREFETCH:
		return 0;
	default:
		return -EINVAL;
	}
}
