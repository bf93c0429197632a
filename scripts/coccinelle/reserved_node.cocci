// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A walk that skips the reserved range by hand, which
/// drm_gpuvm_for_each_mapping() and its relatives do. Linux's own core does not
/// have these.
///
// Confidence: High
// Copyright: (c) 2026 The DRM GPUVM project
// Keywords: kernel_alloc_node, drm_gpuvm_for_each_mapping
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
iterator name drm_gpuvm_for_each_va, drm_gpuvm_for_each_mapping;
expression va, vm, next, a, b, K;
@@

- drm_gpuvm_for_each_va
+ drm_gpuvm_for_each_mapping
  (va, vm) {
	...
(
- if (va == &K.kernel_alloc_node) continue;
|
- if (va == &K->kernel_alloc_node) continue;
|
- if (unlikely(va == &K.kernel_alloc_node)) continue;
|
- if (unlikely(va == &K->kernel_alloc_node)) continue;
)
	...
  }

@depends on patch@
iterator name drm_gpuvm_for_each_va_safe, drm_gpuvm_for_each_mapping_safe;
expression va, vm, next, a, b, K;
@@

- drm_gpuvm_for_each_va_safe
+ drm_gpuvm_for_each_mapping_safe
  (va, next, vm) {
	...
(
- if (va == &K.kernel_alloc_node) continue;
|
- if (va == &K->kernel_alloc_node) continue;
|
- if (unlikely(va == &K.kernel_alloc_node)) continue;
|
- if (unlikely(va == &K->kernel_alloc_node)) continue;
)
	...
  }

@depends on patch@
iterator name drm_gpuvm_for_each_va_range, drm_gpuvm_for_each_mapping_range;
expression va, vm, next, a, b, K;
@@

- drm_gpuvm_for_each_va_range
+ drm_gpuvm_for_each_mapping_range
  (va, vm, a, b) {
	...
(
- if (va == &K.kernel_alloc_node) continue;
|
- if (va == &K->kernel_alloc_node) continue;
|
- if (unlikely(va == &K.kernel_alloc_node)) continue;
|
- if (unlikely(va == &K->kernel_alloc_node)) continue;
)
	...
  }

@depends on patch@
iterator name drm_gpuvm_for_each_va_range_safe, drm_gpuvm_for_each_mapping_range_safe;
expression va, vm, next, a, b, K;
@@

- drm_gpuvm_for_each_va_range_safe
+ drm_gpuvm_for_each_mapping_range_safe
  (va, next, vm, a, b) {
	...
(
- if (va == &K.kernel_alloc_node) continue;
|
- if (va == &K->kernel_alloc_node) continue;
|
- if (unlikely(va == &K.kernel_alloc_node)) continue;
|
- if (unlikely(va == &K->kernel_alloc_node)) continue;
)
	...
  }

@walk depends on !patch@
iterator name drm_gpuvm_for_each_va, drm_gpuvm_for_each_va_safe;
iterator name drm_gpuvm_for_each_va_range, drm_gpuvm_for_each_va_range_safe;
expression va, next, vm, a, b;
statement S;
position w;
@@

(
drm_gpuvm_for_each_va@w(va, vm) S
|
drm_gpuvm_for_each_va_safe@w(va, next, vm) S
|
drm_gpuvm_for_each_va_range@w(va, vm, a, b) S
|
drm_gpuvm_for_each_va_range_safe@w(va, next, vm, a, b) S
)

@r depends on !patch exists@
iterator i;
position walk.w;
expression va, K;
position p;
@@

i@w(va, ...) {
	<+...
(
	va ==@p &K.kernel_alloc_node
|
	va ==@p &K->kernel_alloc_node
|
	va !=@p &K.kernel_alloc_node
|
	va !=@p &K->kernel_alloc_node
|
	&K.kernel_alloc_node ==@p va
|
	&K->kernel_alloc_node ==@p va
|
	&K.kernel_alloc_node !=@p va
|
	&K->kernel_alloc_node !=@p va
)
	...+>
}

@script:python depends on report@
p << r.p;
@@

coccilib.report.print_report(p[0], "WARNING: drm_gpuvm_for_each_mapping() and its relatives leave out the reserved range")

@script:python depends on org@
p << r.p;
@@

coccilib.org.print_todo(p[0], "WARNING: drm_gpuvm_for_each_mapping() and its relatives leave out the reserved range")
