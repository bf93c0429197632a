/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * libvbind: the ioctls of the vbind driver as functions.
 *
 * Functions that can fail return 0 or a negative errno, if nothing else is said.
 */

#ifndef LIBVBIND_H
#define LIBVBIND_H

#include <stddef.h>
#include <stdint.h>

#include <vbind_drm.h>

/*
 * Opens the first render node whose driver is vbind. Returns a file descriptor,
 * -ENODEV if there is no such node.
 */
int vbind_open(void);

/* Any ioctl; repeats it when a signal interrupts it. */
int vbind_ioctl(int fd, unsigned long request, void *arg);

int vbind_gem_create(int fd, uint64_t size, uint32_t flags, uint32_t vm_id,
		     uint32_t *handle);
int vbind_gem_info(int fd, uint32_t handle, struct drm_vbind_gem_info *info);
int vbind_gem_close(int fd, uint32_t handle);

int vbind_vm_create(int fd, uint64_t va_start, uint64_t va_range,
		    uint64_t reserved_start, uint64_t reserved_range,
		    uint32_t flags, uint32_t *vm_id);
int vbind_vm_destroy(int fd, uint32_t vm_id);

/* An array of binds. @fail_index may be NULL. */
int vbind_vm_bind(int fd, uint32_t vm_id, const struct drm_vbind_bind *binds,
		  uint32_t num_binds, uint32_t *fail_index);

/*
 * The same, with the steps that it took: at most *num_steps are written, and
 * *num_steps becomes the number of steps that there were.
 */
int vbind_vm_bind_steps(int fd, uint32_t vm_id,
			const struct drm_vbind_bind *binds, uint32_t num_binds,
			struct drm_vbind_step *steps, uint32_t *num_steps,
			uint32_t *fail_index);

/* Single binds */
int vbind_map(int fd, uint32_t vm_id, uint64_t addr, uint64_t range,
	      uint32_t handle, uint64_t offset);
int vbind_map_sparse(int fd, uint32_t vm_id, uint64_t addr, uint64_t range);
int vbind_unmap(int fd, uint32_t vm_id, uint64_t addr, uint64_t range);

/*
 * A VM's parameters and all its mappings, for which memory is allocated. Returns
 * the number of mappings or a negative errno. @query and @mappings may be NULL.
 */
int vbind_vm_query(int fd, uint32_t vm_id, struct drm_vbind_vm_query *query,
		   struct drm_vbind_mapping **mappings);

#endif /* LIBVBIND_H */
