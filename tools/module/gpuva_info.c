// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * For vbind in a kernel that was built with another drm_gpuvm.h: what that
 * kernel's drm.ko has by this name would look for a VM's members at its own
 * header's offsets. Its lines are the same, for programs that read them.
 */

#include <linux/seq_file.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_gpuvm.h>

#ifdef CONFIG_DEBUG_FS

int drm_debugfs_gpuva_info(struct seq_file *m, struct drm_gpuvm *gpuvm)
{
	const struct drm_gpuva *reserved = &gpuvm->kernel_alloc_node;
	struct drm_gpuva *va;

	seq_printf(m, "DRM GPU VA space (%s) [0x%016llx;0x%016llx]\n", gpuvm->name,
		   gpuvm->mm_start, gpuvm->mm_start + gpuvm->mm_range);
	seq_printf(m, "Kernel reserved node [0x%016llx;0x%016llx]\n\n",
		   reserved->va.addr, reserved->va.addr + reserved->va.range);
	seq_printf(m, " VAs | %-18s | %-18s | %-18s | %-18s | object offset\n", "start",
		   "range", "end", "object");
	seq_puts(m, "----\n");

	drm_gpuvm_for_each_va(va, gpuvm) {
		if (va == reserved)
			continue;

		seq_printf(m, "     | 0x%016llx | 0x%016llx | 0x%016llx | 0x%016llx | 0x%016llx\n",
			   va->va.addr, va->va.range, va->va.addr + va->va.range,
			   (u64)(uintptr_t)va->gem.obj, va->gem.offset);
	}

	return 0;
}

#endif /* CONFIG_DEBUG_FS */
