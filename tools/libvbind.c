// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <xf86drm.h>

#include "libvbind.h"

#define FIRST_RENDER_NODE	128
#define NUM_RENDER_NODES	64

static int is_vbind(int fd)
{
	drmVersionPtr version = drmGetVersion(fd);
	int ret;

	if (!version)
		return 0;

	ret = !strcmp(version->name, "vbind");
	drmFreeVersion(version);

	return ret;
}

int vbind_open(void)
{
	int i;

	for (i = 0; i < NUM_RENDER_NODES; i++) {
		char path[32];
		int fd;

		snprintf(path, sizeof(path), "/dev/dri/renderD%d",
			 FIRST_RENDER_NODE + i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (is_vbind(fd))
			return fd;
		close(fd);
	}

	return -ENODEV;
}

int vbind_ioctl(int fd, unsigned long request, void *arg)
{
	return drmIoctl(fd, request, arg) ? -errno : 0;
}

int vbind_gem_create(int fd, uint64_t size, uint32_t flags, uint32_t vm_id,
		     uint32_t *handle)
{
	struct drm_vbind_gem_create args = {
		.size = size,
		.flags = flags,
		.vm_id = vm_id,
	};
	int ret;

	ret = vbind_ioctl(fd, DRM_IOCTL_VBIND_GEM_CREATE, &args);
	if (!ret)
		*handle = args.handle;

	return ret;
}

int vbind_gem_info(int fd, uint32_t handle, struct drm_vbind_gem_info *info)
{
	*info = (struct drm_vbind_gem_info){ .handle = handle };

	return vbind_ioctl(fd, DRM_IOCTL_VBIND_GEM_INFO, info);
}

int vbind_gem_close(int fd, uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	return vbind_ioctl(fd, DRM_IOCTL_GEM_CLOSE, &args);
}

int vbind_vm_create(int fd, uint64_t va_start, uint64_t va_range,
		    uint64_t reserved_start, uint64_t reserved_range,
		    uint32_t flags, uint32_t *vm_id)
{
	struct drm_vbind_vm_create args = {
		.va_start = va_start,
		.va_range = va_range,
		.reserved_start = reserved_start,
		.reserved_range = reserved_range,
		.flags = flags,
	};
	int ret;

	ret = vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_CREATE, &args);
	if (!ret)
		*vm_id = args.vm_id;

	return ret;
}

int vbind_vm_destroy(int fd, uint32_t vm_id)
{
	struct drm_vbind_vm_destroy args = { .vm_id = vm_id };

	return vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_DESTROY, &args);
}

int vbind_vm_bind_steps(int fd, uint32_t vm_id,
			const struct drm_vbind_bind *binds, uint32_t num_binds,
			struct drm_vbind_step *steps, uint32_t *num_steps,
			uint32_t *fail_index)
{
	struct drm_vbind_vm_bind args = {
		.vm_id = vm_id,
		.num_binds = num_binds,
		.bind_stride = sizeof(*binds),
		.binds = (uintptr_t)binds,
	};
	int ret;

	if (steps && *num_steps) {
		args.num_steps = *num_steps;
		args.step_stride = sizeof(*steps);
		args.steps = (uintptr_t)steps;
	}

	ret = vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_BIND, &args);
	if (num_steps)
		*num_steps = args.num_steps;
	if (fail_index)
		*fail_index = args.fail_index;

	return ret;
}

int vbind_vm_bind(int fd, uint32_t vm_id, const struct drm_vbind_bind *binds,
		  uint32_t num_binds, uint32_t *fail_index)
{
	return vbind_vm_bind_steps(fd, vm_id, binds, num_binds, NULL, NULL,
				   fail_index);
}

int vbind_map(int fd, uint32_t vm_id, uint64_t addr, uint64_t range,
	      uint32_t handle, uint64_t offset)
{
	struct drm_vbind_bind bind = {
		.type = DRM_VBIND_BIND_MAP,
		.handle = handle,
		.addr = addr,
		.range = range,
		.offset = offset,
	};

	return vbind_vm_bind(fd, vm_id, &bind, 1, NULL);
}

int vbind_map_sparse(int fd, uint32_t vm_id, uint64_t addr, uint64_t range)
{
	struct drm_vbind_bind bind = {
		.type = DRM_VBIND_BIND_MAP_SPARSE,
		.addr = addr,
		.range = range,
	};

	return vbind_vm_bind(fd, vm_id, &bind, 1, NULL);
}

int vbind_unmap(int fd, uint32_t vm_id, uint64_t addr, uint64_t range)
{
	struct drm_vbind_bind bind = {
		.type = DRM_VBIND_BIND_UNMAP,
		.addr = addr,
		.range = range,
	};

	return vbind_vm_bind(fd, vm_id, &bind, 1, NULL);
}

int vbind_unmap_bo(int fd, uint32_t vm_id, uint32_t handle)
{
	struct drm_vbind_bind bind = {
		.type = DRM_VBIND_BIND_UNMAP_BO,
		.handle = handle,
	};

	return vbind_vm_bind(fd, vm_id, &bind, 1, NULL);
}

int vbind_vm_bind_async(int fd, uint32_t vm_id,
			const struct drm_vbind_bind *binds, uint32_t num_binds,
			const struct drm_vbind_sync *syncs, uint32_t num_syncs,
			uint32_t *fail_index)
{
	struct drm_vbind_vm_bind args = {
		.vm_id = vm_id,
		.flags = DRM_VBIND_VM_BIND_ASYNC,
		.num_binds = num_binds,
		.bind_stride = sizeof(*binds),
		.binds = (uintptr_t)binds,
		.num_syncs = num_syncs,
		.sync_stride = num_syncs ? sizeof(*syncs) : 0,
		.syncs = num_syncs ? (uintptr_t)syncs : 0,
	};
	int ret;

	ret = vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_BIND, &args);
	if (fail_index)
		*fail_index = args.fail_index;

	return ret;
}

int vbind_exec(int fd, uint32_t vm_id, uint32_t queue,
	       const struct drm_vbind_cmd *cmds, uint32_t num_cmds,
	       const struct drm_vbind_sync *syncs, uint32_t num_syncs,
	       uint64_t *job_id)
{
	struct drm_vbind_exec args = {
		.vm_id = vm_id,
		.queue = queue,
		.num_cmds = num_cmds,
		.cmds = num_cmds ? (uintptr_t)cmds : 0,
		.cmd_stride = num_cmds ? sizeof(*cmds) : 0,
		.num_syncs = num_syncs,
		.sync_stride = num_syncs ? sizeof(*syncs) : 0,
		.syncs = num_syncs ? (uintptr_t)syncs : 0,
	};
	int ret;

	ret = vbind_ioctl(fd, DRM_IOCTL_VBIND_EXEC, &args);
	if (!ret && job_id)
		*job_id = args.job_id;

	return ret;
}

int vbind_syncobj_wait(int fd, uint32_t handle, uint64_t point,
		       int64_t timeout_ms)
{
	struct timespec now;
	int64_t until;

	clock_gettime(CLOCK_MONOTONIC, &now);
	until = now.tv_sec * 1000000000LL + now.tv_nsec + timeout_ms * 1000000;

	/* These return a negative errno already. */
	if (point)
		return drmSyncobjTimelineWait(fd, &handle, &point, 1, until, 0,
					      NULL);

	return drmSyncobjWait(fd, &handle, 1, until, 0, NULL);
}

/* Finds the fault of a job among those of the VM. */
static int find_fault(int fd, uint32_t vm_id, uint64_t job_id,
		      struct drm_vbind_fault *fault)
{
	struct drm_vbind_fault faults[DRM_VBIND_MAX_FAULTS];
	int count, i;

	count = vbind_vm_faults(fd, vm_id, faults, DRM_VBIND_MAX_FAULTS, NULL);
	if (count < 0)
		return count;

	for (i = 0; i < count; i++) {
		if (faults[i].job_id != job_id)
			continue;
		if (fault)
			*fault = faults[i];
		return -EFAULT;
	}

	return 0;
}

int vbind_exec_wait(int fd, uint32_t vm_id, const struct drm_vbind_cmd *cmds,
		    uint32_t num_cmds, struct drm_vbind_fault *fault)
{
	struct drm_vbind_sync sync;
	uint32_t syncobj;
	uint64_t job_id;
	int ret;

	if (drmSyncobjCreate(fd, 0, &syncobj))
		return -errno;

	sync = vbind_sync_out(syncobj, 0);
	ret = vbind_exec(fd, vm_id, 0, cmds, num_cmds, &sync, 1, &job_id);
	if (!ret)
		ret = vbind_syncobj_wait(fd, syncobj, 0, 60000);
	if (!ret)
		ret = find_fault(fd, vm_id, job_id, fault);
	drmSyncobjDestroy(fd, syncobj);

	return ret;
}

int vbind_vm_faults(int fd, uint32_t vm_id, struct drm_vbind_fault *faults,
		    uint32_t max, uint64_t *lost)
{
	struct drm_vbind_vm_faults args = {
		.vm_id = vm_id,
		.num_faults = max,
		.fault_stride = max ? sizeof(*faults) : 0,
		.faults = max ? (uintptr_t)faults : 0,
	};
	int ret;

	ret = vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_FAULTS, &args);
	if (ret)
		return ret;
	if (lost)
		*lost = args.num_lost;

	return args.num_faults < max ? args.num_faults : max;
}

int vbind_vm_stats(int fd, uint32_t vm_id, struct drm_vbind_vm_stats *stats)
{
	*stats = (struct drm_vbind_vm_stats){ .vm_id = vm_id };

	return vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_STATS, stats);
}

int vbind_vm_query(int fd, uint32_t vm_id, struct drm_vbind_vm_query *query,
		   struct drm_vbind_mapping **mappings)
{
	struct drm_vbind_mapping *list = NULL;
	struct drm_vbind_vm_query args = {};
	uint32_t room = 0;
	int ret;

	/* The number of mappings may have grown since it was told. */
	for (;;) {
		args = (struct drm_vbind_vm_query){
			.vm_id = vm_id,
			.num_mappings = room,
			.mapping_stride = room ? sizeof(*list) : 0,
			.mappings = (uintptr_t)list,
		};
		ret = vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_QUERY, &args);
		if (ret || args.num_mappings <= room)
			break;

		room = args.num_mappings;
		free(list);
		list = calloc(room, sizeof(*list));
		if (!list)
			return -ENOMEM;
	}

	if (query)
		*query = args;
	if (!ret && mappings)
		*mappings = list;
	else
		free(list);

	return ret ? ret : (int)args.num_mappings;
}
