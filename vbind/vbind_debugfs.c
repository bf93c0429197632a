// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * debugfs: "stats", so that leaks can be seen; "gpuvas" with the VA spaces and
 * "page_tables" with what the MMU makes of them; "evict", to which any number can
 * be written to evict whatever can be evicted.
 */

#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_print.h>

#include "vbind_drv.h"

static int vbind_stats_show(struct seq_file *m, void *data)
{
	struct drm_debugfs_entry *entry = m->private;
	struct vbind_device *vbind = to_vbind_device(entry->dev);

	seq_printf(m, "bos: %d\n", atomic_read(&vbind->num_bos));
	seq_printf(m, "vms: %d\n", atomic_read(&vbind->num_vms));
	seq_printf(m, "mappings: %d\n", atomic_read(&vbind->num_mappings));
	seq_printf(m, "jobs: %d\n", atomic_read(&vbind->num_jobs));
	seq_printf(m, "evictions: %d\n", atomic_read(&vbind->num_evictions));

	return 0;
}

static void vbind_vm_show_gpuvas(struct vbind_vm *vm, struct seq_file *m)
{
	mutex_lock(&vm->lock);
	drm_debugfs_gpuva_info(m, &vm->base);
	mutex_unlock(&vm->lock);
}

static void vbind_vm_show_page_tables(struct vbind_vm *vm, struct seq_file *m)
{
	struct vbind_mmu_stats stats;

	vbind_mmu_get_stats(&vm->mmu, &stats);
	seq_printf(m, "%llu tables, %llu pages of 4K, %llu of 64K, %llu of 2M, %llu sparse, %llu evicted\n",
		   stats.tables, stats.pages_4k, stats.pages_64k, stats.pages_2m,
		   stats.sparse, stats.evicted);
	vbind_mmu_show(&vm->mmu, m);
}

typedef void (*vbind_vm_show_fn)(struct vbind_vm *vm, struct seq_file *m);

static void vbind_show_vms(struct seq_file *m, vbind_vm_show_fn show)
{
	struct drm_debugfs_entry *entry = m->private;
	struct vbind_device *vbind = to_vbind_device(entry->dev);
	struct vbind_vm *vm;

	/* A VM that goes away leaves the list before anything else. */
	mutex_lock(&vbind->vms_lock);
	list_for_each_entry(vm, &vbind->vms, entry) {
		seq_printf(m, "VM %u, %s mode\n", vm->number,
			   drm_gpuvm_immediate_mode(&vm->base) ? "immediate" :
								 "staged");
		show(vm, m);
		seq_puts(m, "\n");
	}
	mutex_unlock(&vbind->vms_lock);
}

static int vbind_gpuvas_show(struct seq_file *m, void *data)
{
	vbind_show_vms(m, vbind_vm_show_gpuvas);

	return 0;
}

static int vbind_page_tables_show(struct seq_file *m, void *data)
{
	vbind_show_vms(m, vbind_vm_show_page_tables);

	return 0;
}

static const struct drm_debugfs_info vbind_debugfs_list[] = {
	{ "stats", vbind_stats_show, 0, NULL },
	{ "gpuvas", vbind_gpuvas_show, 0, NULL },
	{ "page_tables", vbind_page_tables_show, 0, NULL },
};

static int vbind_evict_set(void *data, u64 value)
{
	struct vbind_device *vbind = data;

	vbind_evict_all(vbind);

	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(vbind_evict_fops, NULL, vbind_evict_set, "%llu\n");

/**
 * vbind_debugfs_init() - add the files
 * @vbind: the device, not registered yet
 */
void vbind_debugfs_init(struct vbind_device *vbind)
{
	drm_debugfs_add_files(&vbind->drm, vbind_debugfs_list,
			      ARRAY_SIZE(vbind_debugfs_list));
	debugfs_create_file_unsafe("evict", 0200, vbind->drm.debugfs_root, vbind,
				   &vbind_evict_fops);
}
