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

static void print_limits(struct seq_file *m, u64 start, u64 range)
{
	seq_printf(m, " [0x%016llx;0x%016llx]\n", start, start + range);
}

static void print_mapping(struct seq_file *m, const struct drm_gpuva *va)
{
	const u64 columns[] = {
		va->va.addr,
		va->va.range,
		va->va.addr + va->va.range,
		(uintptr_t)va->gem.obj,
		va->gem.offset,
	};

	seq_puts(m, "    ");
	for (unsigned int i = 0; i < ARRAY_SIZE(columns); i++)
		seq_printf(m, " | 0x%016llx", columns[i]);
	seq_putc(m, '\n');
}

int drm_debugfs_gpuva_info(struct seq_file *m, struct drm_gpuvm *gpuvm)
{
	struct drm_gpuva *va;

	seq_printf(m, "DRM GPU VA space (%s)", gpuvm->name);
	print_limits(m, gpuvm->mm_start, gpuvm->mm_range);
	seq_puts(m, "Kernel reserved node");
	print_limits(m, gpuvm->kernel_alloc_node.va.addr, gpuvm->kernel_alloc_node.va.range);

	seq_printf(m, "\n VAs | %-18s | %-18s | %-18s | %-18s | object offset\n----\n",
		   "start", "range", "end", "object");
	drm_gpuvm_for_each_mapping(va, gpuvm)
		print_mapping(m, va);

	return 0;
}

#endif /* CONFIG_DEBUG_FS */
