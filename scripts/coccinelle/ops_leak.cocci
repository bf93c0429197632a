// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A list of operations that a path neither frees nor hands on. A path that
/// stores the list, returns it or passes it to another function is trusted.
///
// Confidence: Moderate
// Copyright: (c) 2026 The DRM GPUVM project
// Keywords: drm_gpuva_ops_free, leak
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

@r exists@
local idexpression struct drm_gpuva_ops *x;
expression E;
identifier f != {IS_ERR, PTR_ERR, IS_ERR_OR_NULL, PTR_ERR_OR_ZERO};
statement S1, S2;
position p;
@@

x = \(drm_gpuvm_sm_map_ops_create\|drm_gpuvm_sm_unmap_ops_create\|drm_gpuvm_prefetch_ops_create\|drm_gpuvm_madvise_ops_create\|drm_gpuvm_bo_unmap_ops_create\)(...)
...
if (\(IS_ERR(x)\|IS_ERR_OR_NULL(x)\)) S1
... when != drm_gpuva_ops_free(..., x)
    when != f(..., x, ...)
    when != E = x
    when != x = E
    when != if (\(IS_ERR(x)\|IS_ERR_OR_NULL(x)\)) S2
(
return <+... x ...+>;
|
return@p ...;
)

@q exists@
local idexpression struct drm_gpuva_ops *x;
expression E, ret;
identifier f != {IS_ERR, PTR_ERR, IS_ERR_OR_NULL, PTR_ERR_OR_ZERO};
statement S1;
position p != r.p;
@@

x = \(drm_gpuvm_sm_map_ops_create\|drm_gpuvm_sm_unmap_ops_create\|drm_gpuvm_prefetch_ops_create\|drm_gpuvm_madvise_ops_create\|drm_gpuvm_bo_unmap_ops_create\)(...)
...
ret = PTR_ERR_OR_ZERO(x)
...
if (ret) S1
... when != drm_gpuva_ops_free(..., x)
    when != f(..., x, ...)
    when != E = x
    when != x = E
(
return <+... x ...+>;
|
return@p ...;
)

@script:python depends on report@
p << r.p;
@@

coccilib.report.print_report(p[0], "ERROR: the list of operations is not freed on this path")

@script:python depends on org@
p << r.p;
@@

coccilib.org.print_todo(p[0], "ERROR: the list of operations is not freed on this path")

@script:python depends on report@
p << q.p;
@@

coccilib.report.print_report(p[0], "ERROR: the list of operations is not freed on this path")

@script:python depends on org@
p << q.p;
@@

coccilib.org.print_todo(p[0], "ERROR: the list of operations is not freed on this path")
