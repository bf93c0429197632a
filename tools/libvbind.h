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

int vbind_unmap_bo(int fd, uint32_t vm_id, uint32_t handle);

/*
 * An array of binds that is queued: it waits for some of @syncs and signals the
 * others, see vbind_sync_in() and vbind_sync_out(). @fail_index may be NULL.
 */
int vbind_vm_bind_async(int fd, uint32_t vm_id,
			const struct drm_vbind_bind *binds, uint32_t num_binds,
			const struct drm_vbind_sync *syncs, uint32_t num_syncs,
			uint32_t *fail_index);

/* Commands that are queued. @job_id may be NULL. */
int vbind_exec(int fd, uint32_t vm_id, uint32_t queue,
	       const struct drm_vbind_cmd *cmds, uint32_t num_cmds,
	       const struct drm_vbind_sync *syncs, uint32_t num_syncs,
	       uint64_t *job_id);

/*
 * Commands on queue 0, done when the function returns. A fault is -EFAULT, and
 * described in @fault, which may be NULL. Forgets the faults of other jobs.
 */
int vbind_exec_wait(int fd, uint32_t vm_id, const struct drm_vbind_cmd *cmds,
		    uint32_t num_cmds, struct drm_vbind_fault *fault);

/*
 * Takes out up to @max faults. Returns the number of those that were written, or a
 * negative errno. @lost may be NULL.
 */
int vbind_vm_faults(int fd, uint32_t vm_id, struct drm_vbind_fault *faults,
		    uint32_t max, uint64_t *lost);

int vbind_vm_stats(int fd, uint32_t vm_id, struct drm_vbind_vm_stats *stats);

/* Waits until a syncobj, or a point of it if not 0, is signalled. */
int vbind_syncobj_wait(int fd, uint32_t handle, uint64_t point,
		       int64_t timeout_ms);

static inline struct drm_vbind_sync vbind_sync_in(uint32_t handle, uint64_t point)
{
	return (struct drm_vbind_sync){ .handle = handle, .point = point };
}

static inline struct drm_vbind_sync vbind_sync_out(uint32_t handle,
						   uint64_t point)
{
	return (struct drm_vbind_sync){
		.handle = handle,
		.flags = DRM_VBIND_SYNC_SIGNAL,
		.point = point,
	};
}

/* Commands; see enum drm_vbind_cmd_type */
static inline struct drm_vbind_cmd vbind_cmd_fill(uint64_t addr, uint64_t size,
						  uint64_t value, uint64_t step)
{
	return (struct drm_vbind_cmd){
		.type = DRM_VBIND_CMD_FILL,
		.addr = addr,
		.size = size,
		.value = value,
		.arg = step,
	};
}

static inline struct drm_vbind_cmd vbind_cmd_compare(uint64_t addr,
						     uint64_t size,
						     uint64_t value,
						     uint64_t step)
{
	struct drm_vbind_cmd cmd = vbind_cmd_fill(addr, size, value, step);

	cmd.type = DRM_VBIND_CMD_COMPARE;
	return cmd;
}

static inline struct drm_vbind_cmd vbind_cmd_copy(uint64_t to, uint64_t from,
						  uint64_t size)
{
	return (struct drm_vbind_cmd){
		.type = DRM_VBIND_CMD_COPY,
		.addr = to,
		.size = size,
		.arg = from,
	};
}

static inline struct drm_vbind_cmd vbind_cmd_write(uint64_t addr, uint64_t value)
{
	return (struct drm_vbind_cmd){
		.type = DRM_VBIND_CMD_WRITE,
		.addr = addr,
		.size = 8,
		.value = value,
	};
}

static inline struct drm_vbind_cmd vbind_cmd_wait(uint64_t microseconds)
{
	return (struct drm_vbind_cmd){
		.type = DRM_VBIND_CMD_WAIT,
		.value = microseconds,
	};
}

/*
 * A VM's parameters and all its mappings, for which memory is allocated. Returns
 * the number of mappings or a negative errno. @query and @mappings may be NULL.
 */
int vbind_vm_query(int fd, uint32_t vm_id, struct drm_vbind_vm_query *query,
		   struct drm_vbind_mapping **mappings);

#endif /* LIBVBIND_H */
