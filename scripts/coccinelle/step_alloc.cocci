// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// The sm_step callbacks of a driver in immediate mode run in the signalling
/// path of fences: no allocation, no dma-resv lock. Looks into the callbacks and
/// the functions of the same file that they call,
/// two deep. What tells immediate mode is a
/// name in the same file that has no use in the other one.
///
// Confidence: Moderate
// Copyright: (c) 2026 The DRM GPUVM project
// Keywords: sm_step_map, sm_step_remap, sm_step_unmap, GFP_KERNEL
// Options: --no-includes --include-headers

virtual org
virtual report

// Loops that Coccinelle would not parse, and with them their functions.
@@
iterator name drm_exec_until_all_locked, xe_validation_guard;
expression E1, E2, E3, E4, E5;
statement S;
@@

(
drm_exec_until_all_locked(E1) S
|
xe_validation_guard(E1, E2, E3, E4, E5) S
)

@imm@
@@

\(DRM_GPUVM_IMMEDIATE_MODE\|drm_gpuva_unlink_defer(...)\|drm_gpuvm_bo_put_deferred(...)\|drm_gpuvm_bo_deferred_cleanup(...)\)

@ops depends on imm@
identifier o, cb, f = {sm_step_map, sm_step_remap, sm_step_unmap};
@@

struct drm_gpuvm_ops o = { .f = cb, };

// These do not wait.
@nowait@
identifier g;
position p;
@@

g@p(..., <+... \(GFP_NOWAIT\|GFP_ATOMIC\) ...+>)

@direct exists@
identifier ops.cb;
identifier alloc = {kmemdup, kmemdup_array, krealloc, krealloc_array, kstrdup, kvcalloc, kvmalloc_array, vmalloc, vzalloc, kmalloc, kzalloc, kcalloc, kmalloc_array, kvmalloc, kvzalloc, kmem_cache_alloc, kmem_cache_zalloc, kmalloc_obj, kzalloc_obj, kmalloc_objs, kzalloc_objs, kvmalloc_objs, kvzalloc_objs, drm_gpuvm_bo_create, drm_gpuvm_bo_obtain_locked, dma_resv_lock, dma_resv_lock_interruptible, dma_resv_reserve_fences, drm_gpuvm_sm_map_ops_create, drm_gpuvm_sm_unmap_ops_create};
position p != nowait.p;
@@

cb(...)
{
	<+...
	alloc@p(...)
	...+>
}

@calls exists@
identifier ops.cb, f;
@@

cb(...)
{
	<+...
	f(...)
	...+>
}

@indirect exists@
identifier calls.f;
identifier alloc = {kmemdup, kmemdup_array, krealloc, krealloc_array, kstrdup, kvcalloc, kvmalloc_array, vmalloc, vzalloc, kmalloc, kzalloc, kcalloc, kmalloc_array, kvmalloc, kvzalloc, kmem_cache_alloc, kmem_cache_zalloc, kmalloc_obj, kzalloc_obj, kmalloc_objs, kzalloc_objs, kvmalloc_objs, kvzalloc_objs, drm_gpuvm_bo_create, drm_gpuvm_bo_obtain_locked, dma_resv_lock, dma_resv_lock_interruptible, dma_resv_reserve_fences, drm_gpuvm_sm_map_ops_create, drm_gpuvm_sm_unmap_ops_create};
position p != {direct.p, nowait.p};
@@

f(...)
{
	<+...
	alloc@p(...)
	...+>
}

@deeper exists@
identifier calls.f, g;
@@

f(...)
{
	<+...
	g(...)
	...+>
}

@third exists@
identifier deeper.g;
identifier alloc = {kmemdup, kmemdup_array, krealloc, krealloc_array, kstrdup, kvcalloc, kvmalloc_array, vmalloc, vzalloc, kmalloc, kzalloc, kcalloc, kmalloc_array, kvmalloc, kvzalloc, kmem_cache_alloc, kmem_cache_zalloc, kmalloc_obj, kzalloc_obj, kmalloc_objs, kzalloc_objs, kvmalloc_objs, kvzalloc_objs, drm_gpuvm_bo_create, drm_gpuvm_bo_obtain_locked, dma_resv_lock, dma_resv_lock_interruptible, dma_resv_reserve_fences, drm_gpuvm_sm_map_ops_create, drm_gpuvm_sm_unmap_ops_create};
position p != {direct.p, indirect.p, nowait.p};
@@

g(...)
{
	<+...
	alloc@p(...)
	...+>
}

@script:python depends on report@
p << direct.p;
@@

coccilib.report.print_report(p[0], "ERROR: no allocation and no dma-resv lock in the callbacks of immediate mode")

@script:python depends on org@
p << direct.p;
@@

coccilib.org.print_todo(p[0], "ERROR: no allocation and no dma-resv lock in the callbacks of immediate mode")

@script:python depends on report@
p << indirect.p;
@@

coccilib.report.print_report(p[0], "ERROR: called by a callback of immediate mode: no allocation, no dma-resv lock")

@script:python depends on org@
p << indirect.p;
@@

coccilib.org.print_todo(p[0], "ERROR: called by a callback of immediate mode: no allocation, no dma-resv lock")

@script:python depends on report@
p << third.p;
@@

coccilib.report.print_report(p[0], "ERROR: called by a callback of immediate mode: no allocation, no dma-resv lock")

@script:python depends on org@
p << third.p;
@@

coccilib.org.print_todo(p[0], "ERROR: called by a callback of immediate mode: no allocation, no dma-resv lock")
