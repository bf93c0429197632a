// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* vbind-test: syncobjs, jobs that are queued, fences from elsewhere. */

#include <sys/ioctl.h>

#include "test.h"

/* The interface of sw_sync, which has no header in user space */
struct sw_sync_fence {
	__u32 value;
	char name[32];
	__s32 fence;
};

#define SW_SYNC_CREATE	_IOWR('W', 0, struct sw_sync_fence)
#define SW_SYNC_INC	_IOW('W', 1, __u32)

uint32_t new_syncobj(void)
{
	uint32_t handle = 0;

	expect(0, drmSyncobjCreate(fd, 0, &handle));
	return handle;
}

void wait_for(uint32_t syncobj, uint64_t point)
{
	expect(0, vbind_syncobj_wait(fd, syncobj, point, TIMEOUT_MS));
}

bool is_signalled(uint32_t syncobj)
{
	return !vbind_syncobj_wait(fd, syncobj, 0, 0);
}

/* Queues a job that takes that long, and returns what it signals. */
uint32_t start_waiting(uint32_t queue, uint64_t microseconds)
{
	struct drm_vbind_cmd cmd = vbind_cmd_wait(microseconds);
	uint32_t syncobj = new_syncobj();
	struct drm_vbind_sync sync = vbind_sync_out(syncobj, 0);

	expect(0, vbind_exec(fd, vm, queue, &cmd, 1, &sync, 1, NULL));
	return syncobj;
}

void bind_async(const struct drm_vbind_bind *binds, uint32_t count, uint32_t in,
		uint32_t out)
{
	struct drm_vbind_sync syncs[2];
	uint32_t num_syncs = 0;

	if (in)
		syncs[num_syncs++] = vbind_sync_in(in, 0);
	if (out)
		syncs[num_syncs++] = vbind_sync_out(out, 0);
	expect(0, vbind_vm_bind_async(fd, vm, binds, count, syncs, num_syncs,
				      NULL));
}

void exec_async(uint32_t queue, struct drm_vbind_cmd cmd, uint32_t in,
		uint32_t out)
{
	struct drm_vbind_sync syncs[2];
	uint32_t num_syncs = 0;

	if (in)
		syncs[num_syncs++] = vbind_sync_in(in, 0);
	if (out)
		syncs[num_syncs++] = vbind_sync_out(out, 0);
	expect(0, vbind_exec(fd, vm, queue, &cmd, 1, syncs, num_syncs, NULL));
}

void expect_no_faults(void)
{
	struct drm_vbind_fault fault = {};
	int count = vbind_vm_faults(fd, vm, &fault, 1, NULL);

	check(!count, "fault %u at 0x%" PRIx64 ", value 0x%" PRIx64, fault.kind,
	      (uint64_t)fault.addr, (uint64_t)fault.value);
}

/*
 * A fence of somebody else's, which is signalled when the test says so, or, with an
 * error, when its timeline is closed. Skips the test if there is no sw_sync.
 */
struct foreign new_foreign(void)
{
	struct sw_sync_fence args = { .value = 1 };
	struct foreign foreign;

	foreign.timeline = open("/sys/kernel/debug/sync/sw_sync",
				O_RDWR | O_CLOEXEC);
	if (foreign.timeline < 0)
		skip("others' fences need CONFIG_SW_SYNC and debugfs");
	check(!ioctl(foreign.timeline, SW_SYNC_CREATE, &args), "sw_sync: %s",
	      strerror(errno));
	foreign.syncobj = new_syncobj();
	check(!drmSyncobjImportSyncFile(fd, foreign.syncobj, args.fence),
	      "import of a sync_file: %s", strerror(errno));
	close(args.fence);
	return foreign;
}

void signal_foreign(const struct foreign *foreign)
{
	__u32 one = 1;

	check(!ioctl(foreign->timeline, SW_SYNC_INC, &one), "sw_sync: %s",
	      strerror(errno));
}

/* Seconds since some moment */
double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Another open file of the device becomes the test's; returns the one before. */
int use_file(int file)
{
	int before = fd;

	fd = file;
	return before;
}
