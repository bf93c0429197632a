// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// Errors of GPUVM's functions: some return an ERR_PTR, some NULL; the
/// result has to be checked for the right one before it is used.
///
// Confidence: Moderate
// Copyright: (c) 2026 The DRM GPUVM project
// Keywords: IS_ERR, NULL, drm_gpuvm_bo_obtain_locked, ops_create
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
expression x, E;
@@

x = \(drm_gpuvm_bo_obtain_locked\|drm_gpuvm_sm_map_ops_create\|drm_gpuvm_sm_unmap_ops_create\|drm_gpuvm_prefetch_ops_create\|drm_gpuvm_madvise_ops_create\|drm_gpuvm_bo_unmap_ops_create\)(...)
... when != x = E
(
- !x
+ IS_ERR(x)
|
- x == NULL
+ IS_ERR(x)
|
- x != NULL
+ !IS_ERR(x)
)

@depends on patch@
expression x, E;
@@

x = \(drm_gpuvm_bo_create\|drm_gpuvm_bo_find\|drm_gpuvm_resv_object_alloc\)(...)
... when != x = E
- \(IS_ERR\|IS_ERR_OR_NULL\)(x)
+ !x

@null depends on !patch exists@
expression x, E;
position p;
@@

x = \(drm_gpuvm_bo_obtain_locked\|drm_gpuvm_sm_map_ops_create\|drm_gpuvm_sm_unmap_ops_create\|drm_gpuvm_prefetch_ops_create\|drm_gpuvm_madvise_ops_create\|drm_gpuvm_bo_unmap_ops_create\)(...)
... when != x = E
    when != IS_ERR(x)
    when != IS_ERR_OR_NULL(x)
    when != PTR_ERR_OR_ZERO(x)
(
!x@p
|
x@p == NULL
|
x@p != NULL
)

@truth depends on !patch exists@
expression x, E;
statement S1, S2;
position p != null.p;
@@

x = \(drm_gpuvm_bo_obtain_locked\|drm_gpuvm_sm_map_ops_create\|drm_gpuvm_sm_unmap_ops_create\|drm_gpuvm_prefetch_ops_create\|drm_gpuvm_madvise_ops_create\|drm_gpuvm_bo_unmap_ops_create\)(...)
... when != x = E
    when != IS_ERR(x)
    when != IS_ERR_OR_NULL(x)
    when != PTR_ERR_OR_ZERO(x)
if (x@p) S1 else S2

@inside depends on !patch@
expression x;
position p;
@@

(
  !(x = \(drm_gpuvm_bo_obtain_locked@p\|drm_gpuvm_sm_map_ops_create@p\|drm_gpuvm_sm_unmap_ops_create@p\|drm_gpuvm_prefetch_ops_create@p\|drm_gpuvm_madvise_ops_create@p\|drm_gpuvm_bo_unmap_ops_create@p\)(...))
|
  (x = \(drm_gpuvm_bo_obtain_locked@p\|drm_gpuvm_sm_map_ops_create@p\|drm_gpuvm_sm_unmap_ops_create@p\|drm_gpuvm_prefetch_ops_create@p\|drm_gpuvm_madvise_ops_create@p\|drm_gpuvm_bo_unmap_ops_create@p\)(...)) == NULL
|
  (x = \(drm_gpuvm_bo_obtain_locked@p\|drm_gpuvm_sm_map_ops_create@p\|drm_gpuvm_sm_unmap_ops_create@p\|drm_gpuvm_prefetch_ops_create@p\|drm_gpuvm_madvise_ops_create@p\|drm_gpuvm_bo_unmap_ops_create@p\)(...)) != NULL
)

// Further down it may stand for what was not created at all.
@either depends on !patch exists@
expression x;
position p;
@@

x = \(drm_gpuvm_bo_obtain_locked\|drm_gpuvm_sm_map_ops_create\|drm_gpuvm_sm_unmap_ops_create\|drm_gpuvm_prefetch_ops_create\|drm_gpuvm_madvise_ops_create\|drm_gpuvm_bo_unmap_ops_create\)(...)
... when != x
IS_ERR_OR_NULL@p(x)

@err depends on !patch exists@
expression x, E;
position p;
@@

x = \(drm_gpuvm_bo_create\|drm_gpuvm_bo_find\|drm_gpuvm_resv_object_alloc\)(...)
... when != x = E
\(IS_ERR@p\|IS_ERR_OR_NULL@p\|PTR_ERR_OR_ZERO@p\)(x)

@use depends on !patch exists@
expression x, E;
identifier fld;
identifier f = {drm_gpuvm_bo_put, drm_gpuvm_bo_put_deferred, drm_gpuvm_bo_get, drm_gpuvm_bo_evict, drm_gpuvm_bo_extobj_add, drm_gpuvm_bo_unmap_ops_create};
position p;
@@

x = \(drm_gpuvm_bo_obtain_locked\|drm_gpuvm_sm_map_ops_create\|drm_gpuvm_sm_unmap_ops_create\|drm_gpuvm_prefetch_ops_create\|drm_gpuvm_madvise_ops_create\|drm_gpuvm_bo_unmap_ops_create\)(...)
... when != x = E
    when != IS_ERR(x)
    when != IS_ERR_OR_NULL(x)
    when != PTR_ERR_OR_ZERO(x)
    when != x != NULL
    when != x == NULL
    when != !x
(
x@p->fld
|
f(x@p)
|
f(x@p, ...)
|
drm_gpuva_link(..., x@p)
|
drm_gpuva_ops_free(..., x@p)
)

@walk depends on !patch exists@
expression x, E, op;
iterator name drm_gpuva_for_each_op, drm_gpuva_for_each_op_safe, drm_gpuva_for_each_op_reverse;
statement S;
position p;
@@

x = \(drm_gpuvm_bo_obtain_locked\|drm_gpuvm_sm_map_ops_create\|drm_gpuvm_sm_unmap_ops_create\|drm_gpuvm_prefetch_ops_create\|drm_gpuvm_madvise_ops_create\|drm_gpuvm_bo_unmap_ops_create\)(...)
... when != x = E
    when != IS_ERR(x)
    when != IS_ERR_OR_NULL(x)
    when != PTR_ERR_OR_ZERO(x)
(
drm_gpuva_for_each_op(op, x@p) S
|
drm_gpuva_for_each_op_safe(op, E, x@p) S
|
drm_gpuva_for_each_op_reverse(op, x@p) S
)

// Of one that may be NULL the first that is done with it is no test.
@first depends on !patch exists@
expression x;
identifier fld;
identifier f = {drm_gpuvm_bo_put, drm_gpuvm_bo_put_deferred, drm_gpuvm_bo_get, drm_gpuvm_bo_evict, drm_gpuvm_bo_extobj_add, drm_gpuvm_bo_obtain_prealloc, drm_gem_object_put};
position p;
@@

x = \(drm_gpuvm_bo_create\|drm_gpuvm_bo_find\|drm_gpuvm_resv_object_alloc\)(...)
... when != x
(
x@p->fld
|
f(x@p)
|
f(x@p, ...)
|
drm_gpuva_link(..., x@p)
)

@script:python depends on report@
p << null.p;
@@

coccilib.report.print_report(p[0], "ERROR: this is an ERR_PTR on failure, never NULL")

@script:python depends on org@
p << null.p;
@@

coccilib.org.print_todo(p[0], "ERROR: this is an ERR_PTR on failure, never NULL")

@script:python depends on report@
p << err.p;
@@

coccilib.report.print_report(p[0], "ERROR: this is NULL on failure, never an ERR_PTR")

@script:python depends on org@
p << err.p;
@@

coccilib.org.print_todo(p[0], "ERROR: this is NULL on failure, never an ERR_PTR")

@script:python depends on report@
p << use.p;
@@

coccilib.report.print_report(p[0], "ERROR: used without IS_ERR()")

@script:python depends on org@
p << use.p;
@@

coccilib.org.print_todo(p[0], "ERROR: used without IS_ERR()")

@script:python depends on report@
p << truth.p;
@@

coccilib.report.print_report(p[0], "ERROR: this is an ERR_PTR on failure, never NULL")

@script:python depends on org@
p << truth.p;
@@

coccilib.org.print_todo(p[0], "ERROR: this is an ERR_PTR on failure, never NULL")

@script:python depends on report@
p << inside.p;
@@

coccilib.report.print_report(p[0], "ERROR: this is an ERR_PTR on failure, never NULL")

@script:python depends on org@
p << inside.p;
@@

coccilib.org.print_todo(p[0], "ERROR: this is an ERR_PTR on failure, never NULL")

@script:python depends on report@
p << either.p;
@@

coccilib.report.print_report(p[0], "WARNING: never NULL: IS_ERR() is enough")

@script:python depends on org@
p << either.p;
@@

coccilib.org.print_todo(p[0], "WARNING: never NULL: IS_ERR() is enough")

@script:python depends on report@
p << walk.p;
@@

coccilib.report.print_report(p[0], "ERROR: used without IS_ERR()")

@script:python depends on org@
p << walk.p;
@@

coccilib.org.print_todo(p[0], "ERROR: used without IS_ERR()")

@script:python depends on report@
p << first.p;
@@

coccilib.report.print_report(p[0], "ERROR: used without a check for NULL")

@script:python depends on org@
p << first.p;
@@

coccilib.org.print_todo(p[0], "ERROR: used without a check for NULL")
