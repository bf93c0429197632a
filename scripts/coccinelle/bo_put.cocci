// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A vm_bo that is used after its reference was dropped, or dropped behind the
/// unlock of the lock that its last reference needs. Which lock is unlocked is
/// not looked at; a function that takes none is trusted to have it.
///
// Confidence: Moderate
// Copyright: (c) 2026 The DRM GPUVM project
// Keywords: drm_gpuvm_bo_put, use after free, lock
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

@first@
expression x;
position p1;
@@

\(drm_gpuvm_bo_put@p1\|drm_gpuvm_bo_put_deferred@p1\)(x)

@use exists@
expression first.x, subE <= first.x, E;
position first.p1;
iterator i;
statement S;
identifier fld;
identifier f;
position p;
@@

\(drm_gpuvm_bo_put@p1\|drm_gpuvm_bo_put_deferred@p1\)(x);
...
(
i(..., subE, ...) S // the next round
|
subE = E
|
x@p->fld
|
f(..., x@p, ...)
)

@out exists@
expression x, OBJ;
position p;
@@

(
\(dma_resv_unlock\|drm_exec_fini\|drm_gpuvm_exec_unlock\)(...);
|
mutex_unlock(&OBJ->gpuva.lock);
)
... when != dma_resv_lock(...)
    when != dma_resv_lock_interruptible(...)
    when != dma_resv_trylock(...)
    when != drm_exec_lock_obj(...)
    when != drm_exec_prepare_obj(...)
    when != drm_gpuvm_exec_lock(...)
    when != mutex_lock(...)
    when != x = ...
drm_gpuvm_bo_put@p(x)

@script:python depends on report@
p << use.p;
@@

coccilib.report.print_report(p[0], "ERROR: the vm_bo's reference was dropped before")

@script:python depends on org@
p << use.p;
@@

coccilib.org.print_todo(p[0], "ERROR: the vm_bo's reference was dropped before")

@script:python depends on report@
p << out.p;
@@

coccilib.report.print_report(p[0], "WARNING: dropped behind the unlock, but the last reference needs the object's lock")

@script:python depends on org@
p << out.p;
@@

coccilib.org.print_todo(p[0], "WARNING: dropped behind the unlock, but the last reference needs the object's lock")
