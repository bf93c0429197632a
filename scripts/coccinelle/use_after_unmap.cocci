// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A mapping that is removed twice or inside of a walk that does not allow it,
/// and the vm_bo pointer of a mapping that was unlinked, which is NULL.
///
// Confidence: Moderate
// Copyright: (c) 2026 The DRM GPUVM project
// Keywords: drm_gpuva_remove, drm_gpuva_unmap, drm_gpuva_unlink
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

\(drm_gpuva_remove@p1\|drm_gpuva_unmap@p1\)(x)

@twice exists@
expression first.x, subE <= first.x, E;
position first.p1;
iterator i;
statement S;
position p;
@@

\(drm_gpuva_remove@p1\|drm_gpuva_unmap@p1\)(x);
...
(
i(..., subE, ...) S // the next round
|
subE = E
|
drm_gpuva_insert(..., x)
|
drm_gpuva_remove@p(x)
|
drm_gpuva_unmap@p(x)
)

@unlinked exists@
expression x, E;
position p;
@@

\(drm_gpuva_unlink\|drm_gpuva_unlink_defer\)(x);
... when != x = E
    when != drm_gpuva_link(x, ...)
x->vm_bo@p

// The same mapping by its other name.
@operation exists@
expression o, prev, next;
position p;
@@

(
drm_gpuva_unmap(&o);
... when != drm_gpuva_insert(..., o.va)
drm_gpuva_remove@p(o.va)
|
drm_gpuva_unmap(o);
... when != drm_gpuva_insert(..., o->va)
drm_gpuva_remove@p(o->va)
|
drm_gpuva_remap(prev, next, &o);
... when != drm_gpuva_insert(..., o.unmap->va)
\(drm_gpuva_remove@p\|drm_gpuva_unmap@p\)(\(o.unmap->va\|o.unmap\))
|
drm_gpuva_remap(prev, next, o);
... when != drm_gpuva_insert(..., o->unmap->va)
\(drm_gpuva_remove@p\|drm_gpuva_unmap@p\)(\(o->unmap->va\|o->unmap\))
)

@links@
iterator name drm_gpuvm_bo_for_each_va;
expression va, vm_bo;
statement S;
position w;
@@

drm_gpuvm_bo_for_each_va@w(va, vm_bo) S

@linked exists@
iterator i;
position links.w;
expression x;
position p;
@@

i@w(x, ...) {
	<+...
	\(drm_gpuva_unlink@p\|drm_gpuva_unlink_defer@p\)(x)
	...+>
}

@walk@
iterator name drm_gpuvm_for_each_va, drm_gpuvm_for_each_va_range;
iterator name drm_gpuvm_for_each_mapping, drm_gpuvm_for_each_mapping_range;
expression va, vm, a, b;
statement S;
position w;
@@

(
drm_gpuvm_for_each_va@w(va, vm) S
|
drm_gpuvm_for_each_va_range@w(va, vm, a, b) S
|
drm_gpuvm_for_each_mapping@w(va, vm) S
|
drm_gpuvm_for_each_mapping_range@w(va, vm, a, b) S
)

@inside exists@
iterator i;
position walk.w;
expression x;
position p;
@@

i@w(x, ...) {
	<+...
	drm_gpuva_remove@p(x)
	...+>
}

@script:python depends on report@
p << twice.p;
@@

coccilib.report.print_report(p[0], "ERROR: the mapping was removed before")

@script:python depends on org@
p << twice.p;
@@

coccilib.org.print_todo(p[0], "ERROR: the mapping was removed before")

@script:python depends on report@
p << unlinked.p;
@@

coccilib.report.print_report(p[0], "ERROR: vm_bo is NULL after the unlink")

@script:python depends on org@
p << unlinked.p;
@@

coccilib.org.print_todo(p[0], "ERROR: vm_bo is NULL after the unlink")

@script:python depends on report@
p << inside.p;
@@

coccilib.report.print_report(p[0], "ERROR: this walk must not remove a mapping: take the _safe one")

@script:python depends on org@
p << inside.p;
@@

coccilib.org.print_todo(p[0], "ERROR: this walk must not remove a mapping: take the _safe one")

@script:python depends on report@
p << operation.p;
@@

coccilib.report.print_report(p[0], "ERROR: the mapping was removed before")

@script:python depends on org@
p << operation.p;
@@

coccilib.org.print_todo(p[0], "ERROR: the mapping was removed before")

@script:python depends on report@
p << linked.p;
@@

coccilib.report.print_report(p[0], "ERROR: this walk must not unlink a mapping: take the _safe one")

@script:python depends on org@
p << linked.p;
@@

coccilib.org.print_todo(p[0], "ERROR: this walk must not unlink a mapping: take the _safe one")
