// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A result that says whether the request was carried out, or a reference or a
/// list that nobody has then, thrown away.
///
// Confidence: High
// Copyright: (c) 2026 The DRM GPUVM project
// Keywords: drm_gpuva_insert, drm_gpuvm_sm_map
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

@r@
position p;
@@

\(drm_gpuva_insert@p\|drm_gpuvm_sm_map@p\|drm_gpuvm_sm_unmap@p\|drm_gpuvm_sm_map_exec_lock@p\|drm_gpuvm_sm_unmap_exec_lock@p\|drm_gpuvm_validate@p\|drm_gpuvm_exec_validate@p\|drm_gpuvm_exec_lock@p\|drm_gpuvm_exec_lock_array@p\|drm_gpuvm_exec_lock_range@p\|drm_gpuvm_prepare_vm@p\|drm_gpuvm_prepare_objects@p\|drm_gpuvm_prepare_range@p\|drm_gpuvm_try_init@p\|drm_gpuvm_bo_create@p\|drm_gpuvm_bo_find@p\|drm_gpuvm_bo_obtain_locked@p\|drm_gpuvm_bo_obtain_prealloc@p\|drm_gpuvm_resv_object_alloc@p\|drm_gpuvm_sm_map_ops_create@p\|drm_gpuvm_sm_unmap_ops_create@p\|drm_gpuvm_prefetch_ops_create@p\|drm_gpuvm_madvise_ops_create@p\|drm_gpuvm_bo_unmap_ops_create@p\)(...);

@script:python depends on report@
p << r.p;
@@

coccilib.report.print_report(p[0], "ERROR: the result is dropped")

@script:python depends on org@
p << r.p;
@@

coccilib.org.print_todo(p[0], "ERROR: the result is dropped")
