// SPDX-License-Identifier: GPL-2.0-only OR MIT
void walk(struct vm *vm)
{
	struct drm_gpuva *va, *next;

	drm_gpuvm_for_each_va_safe(va, next, &vm->base) {
		if (va == &vm->base.kernel_alloc_node) /* found */
			continue;
		drm_gpuva_remove(va);
	}
}

// The rest of the body is not looked at: found, but not rewritten.
void other_shapes(struct drm_gpuvm *vm)
{
	struct drm_gpuva *va;

	drm_gpuvm_for_each_va(va, vm) {
		if (va != &vm->kernel_alloc_node) /* found */
			go(va);
	}
	drm_gpuvm_for_each_va(va, vm) {
		if (unlikely(&vm->kernel_alloc_node == va)) { /* found */
			count++;
			continue;
		}
		go(va);
	}
}
