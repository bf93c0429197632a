// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Carries a driver from the arguments of Linux 6.12 to those of 7.3. What it
/// cannot do, it reports: drm_gem_gpuva_set_lock() went, such a driver has to
/// choose DRM_GPUVM_IMMEDIATE_MODE; drm_gem_gpuva_assert_lock_held() takes the VM,
/// too; drm_gpuva_find_prev() and _next() are not in 7.3's core, but in ours.
///
// Confidence: Moderate
// Copyright: (c) 2026 The DRM GPUVM project
// Keywords: Linux 6.12, drm_gpuvm_map_req
// Options: --no-includes --include-headers

virtual patch
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

@depends on patch@
expression vm, OBJ;
@@

- drm_gpuvm_bo_obtain(vm, OBJ)
+ drm_gpuvm_bo_obtain_locked(vm, OBJ)

@depends on patch@
expression vm, priv, A, L, OBJ, OFF;
@@

- drm_gpuvm_sm_map(vm, priv, A, L, OBJ, OFF)
+ drm_gpuvm_sm_map(vm, priv, &(struct drm_gpuvm_map_req) { .map.va.addr = A, .map.va.range = L, .map.gem.obj = OBJ, .map.gem.offset = OFF })

@depends on patch@
expression vm, A, L, OBJ, OFF;
@@

- drm_gpuvm_sm_map_ops_create(vm, A, L, OBJ, OFF)
+ drm_gpuvm_sm_map_ops_create(vm, &(struct drm_gpuvm_map_req) { .map.va.addr = A, .map.va.range = L, .map.gem.obj = OBJ, .map.gem.offset = OFF })

@depends on patch@
expression VA, A, L, OBJ, OFF;
@@

- drm_gpuva_init(VA, A, L, OBJ, OFF)
+ drm_gpuva_init_from_op(VA, &(struct drm_gpuva_op_map) { .va.addr = A, .va.range = L, .gem.obj = OBJ, .gem.offset = OFF })

@depends on patch@
expression E;
@@

(
- E | DRIVER_GEM_GPUVA
+ E
|
- DRIVER_GEM_GPUVA | E
+ E
)

@r depends on !patch@
expression e1, e2, e3, e4, e5, e6;
position p;
@@

(
drm_gpuvm_bo_obtain@p(e1, e2)
|
drm_gpuvm_sm_map@p(e1, e2, e3, e4, e5, e6)
|
drm_gpuvm_sm_map_ops_create@p(e1, e2, e3, e4, e5)
|
drm_gpuva_init@p(e1, e2, e3, e4, e5)
|
drm_gem_gpuva_set_lock@p(e1, e2)
|
drm_gem_gpuva_assert_lock_held@p(e1)
|
drm_gpuva_find_prev@p(e1, e2)
|
drm_gpuva_find_next@p(e1, e2)
|
DRIVER_GEM_GPUVA@p
)

@script:python depends on report@
p << r.p;
@@

coccilib.report.print_report(p[0], "ERROR: Linux 6.12's interface")

@script:python depends on org@
p << r.p;
@@

coccilib.org.print_todo(p[0], "ERROR: Linux 6.12's interface")
