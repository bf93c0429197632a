// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A result that says whether the request was carried out, thrown away.
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
identifier f = {drm_gpuva_insert, drm_gpuvm_sm_map, drm_gpuvm_sm_unmap, drm_gpuvm_sm_map_exec_lock, drm_gpuvm_sm_unmap_exec_lock, drm_gpuvm_validate, drm_gpuvm_exec_validate, drm_gpuvm_exec_lock, drm_gpuvm_exec_lock_array, drm_gpuvm_exec_lock_range, drm_gpuvm_prepare_vm, drm_gpuvm_prepare_objects, drm_gpuvm_prepare_range, drm_gpuvm_try_init};
position p;
@@

f@p(...);

@script:python depends on report@
p << r.p;
@@

coccilib.report.print_report(p[0], "ERROR: the result is dropped")

@script:python depends on org@
p << r.p;
@@

coccilib.org.print_todo(p[0], "ERROR: the result is dropped")
