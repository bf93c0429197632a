// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A reference on a vm_bo that a path neither drops nor hands on. A path that
/// stores the vm_bo, returns it or passes it to a function that is not GPUVM's is
/// trusted. Links and lists have references of their own.
///
// Confidence: Moderate
// Copyright: (c) 2026 The DRM GPUVM project
// Keywords: drm_gpuvm_bo_put, drm_gpuvm_bo_obtain_locked, leak
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
local idexpression struct drm_gpuvm_bo *x;
expression E;
identifier fld;
identifier f != {IS_ERR, PTR_ERR, IS_ERR_OR_NULL, PTR_ERR_OR_ZERO, drm_gpuva_link, drm_gpuvm_bo_extobj_add, drm_gpuvm_bo_evict};
statement S1, S2;
position p;
@@

x = \(drm_gpuvm_bo_obtain_locked\|drm_gpuvm_bo_create\|drm_gpuvm_bo_find\|drm_gpuvm_bo_get\)(...)
...
if (\(IS_ERR(x)\|IS_ERR_OR_NULL(x)\|!x\|x == NULL\)) S1
... when != f(..., x, ...)
    when != E = x
    when != E = &x->fld
    when != x = E
    when != if (\(IS_ERR(x)\|IS_ERR_OR_NULL(x)\|!x\|x == NULL\)) S2
(
return <+... x ...+>;
|
return@p ...;
)

@q exists@
local idexpression struct drm_gpuvm_bo *x;
expression E, ret;
identifier fld;
identifier f != {IS_ERR, PTR_ERR, IS_ERR_OR_NULL, PTR_ERR_OR_ZERO, drm_gpuva_link, drm_gpuvm_bo_extobj_add, drm_gpuvm_bo_evict};
statement S1;
position p != r.p;
@@

x = \(drm_gpuvm_bo_obtain_locked\|drm_gpuvm_bo_create\|drm_gpuvm_bo_find\|drm_gpuvm_bo_get\)(...)
...
ret = PTR_ERR_OR_ZERO(x)
...
if (ret) S1
... when != f(..., x, ...)
    when != E = x
    when != E = &x->fld
    when != x = E
(
return <+... x ...+>;
|
return@p ...;
)

@script:python depends on report@
p << r.p;
@@

coccilib.report.print_report(p[0], "ERROR: the reference on the vm_bo is not dropped on this path")

@script:python depends on org@
p << r.p;
@@

coccilib.org.print_todo(p[0], "ERROR: the reference on the vm_bo is not dropped on this path")

@script:python depends on report@
p << q.p;
@@

coccilib.report.print_report(p[0], "ERROR: the reference on the vm_bo is not dropped on this path")

@script:python depends on org@
p << q.p;
@@

coccilib.org.print_todo(p[0], "ERROR: the reference on the vm_bo is not dropped on this path")
