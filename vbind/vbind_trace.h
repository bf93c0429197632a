/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Copyright (c) 2026 The DRM GPUVM project */

#if !defined(_VBIND_TRACE_H_) || defined(TRACE_HEADER_MULTI_READ)
#define _VBIND_TRACE_H_

#include <linux/tracepoint.h>

#include "vbind_drv.h"

#undef TRACE_SYSTEM
#define TRACE_SYSTEM vbind
#define TRACE_INCLUDE_FILE vbind_trace

#ifndef VBIND_TRACE_HELPERS
#define VBIND_TRACE_HELPERS
static inline u64 vbind_trace_bo_id(struct drm_gem_object *obj)
{
	return obj ? to_vbind_bo(obj)->id : 0;
}

/* The range whose page table entries an operation is about */
static inline void vbind_trace_op_range(const struct drm_gpuva_op *op, u64 *addr,
					u64 *range)
{
	switch (op->op) {
	case DRM_GPUVA_OP_MAP:
		*addr = op->map.va.addr;
		*range = op->map.va.range;
		break;
	case DRM_GPUVA_OP_REMAP:
		drm_gpuva_op_remap_to_unmap_range(&op->remap, addr, range);
		break;
	case DRM_GPUVA_OP_UNMAP:
		*addr = op->unmap.va->va.addr;
		*range = op->unmap.va->va.range;
		break;
	case DRM_GPUVA_OP_PREFETCH:
		*addr = op->prefetch.va->va.addr;
		*range = op->prefetch.va->va.range;
		break;
	default:
		*addr = 0;
		*range = 0;
	}
}

static inline struct drm_gem_object *
vbind_trace_op_obj(const struct drm_gpuva_op *op)
{
	switch (op->op) {
	case DRM_GPUVA_OP_MAP:
		return op->map.gem.obj;
	case DRM_GPUVA_OP_REMAP:
		return op->remap.unmap->va->gem.obj;
	case DRM_GPUVA_OP_UNMAP:
		return op->unmap.va->gem.obj;
	case DRM_GPUVA_OP_PREFETCH:
		return op->prefetch.va->gem.obj;
	default:
		return NULL;
	}
}
#endif

DECLARE_EVENT_CLASS(vbind_bind,
		    TP_PROTO(struct vbind_vm *vm, u64 job, u32 index, u32 type,
			     const struct drm_gpuva_op_map *map),
		    TP_ARGS(vm, job, index, type, map),
		    TP_STRUCT__entry(__field(u32, vm)
				     __field(u32, index)
				     __field(u64, job)
				     __field(u32, type)
				     __field(u64, addr)
				     __field(u64, range)
				     __field(u64, offset)
				     __field(u64, bo)),
		    TP_fast_assign(__entry->vm = vm->number;
				   __entry->index = index;
				   __entry->job = job;
				   __entry->type = type;
				   __entry->addr = map->va.addr;
				   __entry->range = map->va.range;
				   __entry->offset = map->gem.offset;
				   __entry->bo = vbind_trace_bo_id(map->gem.obj);),
		    TP_printk("vm=%u job=%llu index=%u type=%s addr=0x%llx range=0x%llx offset=0x%llx bo=%llu",
			      __entry->vm, __entry->job, __entry->index,
			      __print_symbolic(__entry->type,
					       { DRM_VBIND_BIND_MAP, "map" },
					       { DRM_VBIND_BIND_UNMAP, "unmap" },
					       { DRM_VBIND_BIND_MAP_SPARSE, "sparse" },
					       { DRM_VBIND_BIND_PREFETCH, "prefetch" },
					       { DRM_VBIND_BIND_UNMAP_BO, "unmap-bo" }),
			      __entry->addr, __entry->range, __entry->offset, __entry->bo)
);

/* A bind is queued. */
DEFINE_EVENT(vbind_bind, vbind_bind_queue,
	     TP_PROTO(struct vbind_vm *vm, u64 job, u32 index, u32 type,
		      const struct drm_gpuva_op_map *map),
	     TP_ARGS(vm, job, index, type, map));

/* A bind is carried out. */
DEFINE_EVENT(vbind_bind, vbind_bind_run,
	     TP_PROTO(struct vbind_vm *vm, u64 job, u32 index, u32 type,
		      const struct drm_gpuva_op_map *map),
	     TP_ARGS(vm, job, index, type, map));

/* An operation of the core. */
TRACE_EVENT(vbind_op,
	    TP_PROTO(struct vbind_vm *vm, const struct drm_gpuva_op *op),
	    TP_ARGS(vm, op),
	    TP_STRUCT__entry(__field(u32, vm)
			     __field(u32, op)
			     __field(u64, addr)
			     __field(u64, range)
			     __field(u64, offset)
			     __field(u64, bo)),
	    TP_fast_assign(__entry->vm = vm->number;
			   __entry->op = op->op;
			   vbind_trace_op_range(op, &__entry->addr, &__entry->range);
			   __entry->offset = op->op == DRM_GPUVA_OP_MAP ?
					     op->map.gem.offset : 0;
			   __entry->bo = vbind_trace_bo_id(vbind_trace_op_obj(op));),
	    TP_printk("vm=%u op=%s addr=0x%llx range=0x%llx offset=0x%llx bo=%llu",
		      __entry->vm,
		      __print_symbolic(__entry->op,
				       { DRM_GPUVA_OP_MAP, "map" },
				       { DRM_GPUVA_OP_REMAP, "remap" },
				       { DRM_GPUVA_OP_UNMAP, "unmap" },
				       { DRM_GPUVA_OP_PREFETCH, "prefetch" }),
		      __entry->addr, __entry->range, __entry->offset, __entry->bo)
);

/* Commands begin to run. */
TRACE_EVENT(vbind_exec_run,
	    TP_PROTO(struct vbind_vm *vm, u64 job, u32 queue, u32 num_cmds),
	    TP_ARGS(vm, job, queue, num_cmds),
	    TP_STRUCT__entry(__field(u32, vm)
			     __field(u32, queue)
			     __field(u64, job)
			     __field(u32, num_cmds)),
	    TP_fast_assign(__entry->vm = vm->number;
			   __entry->queue = queue;
			   __entry->job = job;
			   __entry->num_cmds = num_cmds;),
	    TP_printk("vm=%u job=%llu queue=%u num_cmds=%u", __entry->vm,
		      __entry->job, __entry->queue, __entry->num_cmds)
);

TRACE_EVENT(vbind_fault,
	    TP_PROTO(struct vbind_vm *vm, const struct drm_vbind_fault *fault),
	    TP_ARGS(vm, fault),
	    TP_STRUCT__entry(__field(u32, vm)
			     __field(u32, kind)
			     __field(u64, job)
			     __field(u64, addr)),
	    TP_fast_assign(__entry->vm = vm->number;
			   __entry->kind = fault->kind;
			   __entry->job = fault->job_id;
			   __entry->addr = fault->addr;),
	    TP_printk("vm=%u job=%llu kind=%s addr=0x%llx", __entry->vm, __entry->job,
		      __print_symbolic(__entry->kind,
				       { DRM_VBIND_FAULT_UNMAPPED, "unmapped" },
				       { DRM_VBIND_FAULT_READONLY, "read-only" },
				       { DRM_VBIND_FAULT_EVICTED, "evicted" },
				       { DRM_VBIND_FAULT_MISMATCH, "mismatch" }),
		      __entry->addr)
);

DECLARE_EVENT_CLASS(vbind_residency,
		    TP_PROTO(struct vbind_vm *vm, struct vbind_bo *bo),
		    TP_ARGS(vm, bo),
		    TP_STRUCT__entry(__field(u32, vm)
				     __field(u64, bo)),
		    TP_fast_assign(__entry->vm = vm->number;
				   __entry->bo = bo->id;),
		    TP_printk("vm=%u bo=%llu", __entry->vm, __entry->bo)
);

/* A BO goes; its mappings in the VM become invalid. */
DEFINE_EVENT(vbind_residency, vbind_evict,
	     TP_PROTO(struct vbind_vm *vm, struct vbind_bo *bo),
	     TP_ARGS(vm, bo));

/* A BO is back; its mappings in the VM are valid again. */
DEFINE_EVENT(vbind_residency, vbind_validate,
	     TP_PROTO(struct vbind_vm *vm, struct vbind_bo *bo),
	     TP_ARGS(vm, bo));

#endif /* _VBIND_TRACE_H_ */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#include <trace/define_trace.h>
