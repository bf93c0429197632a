// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A mapping that is unlinked or removed after the structure around it was
/// freed.
///
// Confidence: High
// Copyright: (c) 2026 The DRM GPUVM project
// Keywords: drm_gpuva_unlink, kfree
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
expression x, E;
identifier fld;
position p;
@@

(
\(kfree\|kvfree\|kfree_sensitive\|kfree_rcu\|kfree_rcu_mightsleep\)(x);
|
kfree_rcu(x, ...);
|
kmem_cache_free(..., x);
)
... when != x = E
\(drm_gpuva_unlink@p\|drm_gpuva_unlink_defer@p\|drm_gpuva_remove@p\)(\(x\|&x->fld\))

@s exists@
expression x, E;
identifier to, fld;
position p;
@@

\(kfree\|kvfree\)(\(to(x)\|container_of(x, ...)\));
... when != x = E
(
\(drm_gpuva_unlink@p\|drm_gpuva_unlink_defer@p\|drm_gpuva_remove@p\)(x)
|
x@p->fld
)

@script:python depends on report@
p << r.p;
@@

coccilib.report.print_report(p[0], "ERROR: the structure around the mapping was freed before")

@script:python depends on org@
p << r.p;
@@

coccilib.org.print_todo(p[0], "ERROR: the structure around the mapping was freed before")

@script:python depends on report@
p << s.p;
@@

coccilib.report.print_report(p[0], "ERROR: the structure around the mapping was freed before")

@script:python depends on org@
p << s.p;
@@

coccilib.org.print_todo(p[0], "ERROR: the structure around the mapping was freed before")
