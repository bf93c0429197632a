// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* vbind-test: what else can be done with the fences of binds and commands. */

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include <linux/dma-buf.h>
#include <linux/sync_file.h>

#include "test.h"

/* Debian's header does not have it yet. */
struct syncobj_eventfd {
	__u32 handle;
	__u32 flags;
	__u64 point;
	__s32 fd;
	__u32 pad;
};

#define SYNCOBJ_EVENTFD	DRM_IOWR(0xCF, struct syncobj_eventfd)

static bool is_ready(int file, int timeout_ms)
{
	struct pollfd p = { .fd = file, .events = POLLIN };
	int ret = poll(&p, 1, timeout_ms);

	check(ret >= 0, "poll: %s", strerror(errno));
	return p.revents & POLLIN;
}

/* A bind that waits for @foreign and signals @point of @syncobj */
static void bind_behind(const struct foreign *foreign, uint32_t syncobj,
			uint64_t point)
{
	struct drm_vbind_bind bind = map_bind(VA_START, PAGE, 0);
	struct drm_vbind_sync syncs[] = {
		vbind_sync_in(foreign->syncobj, 0),
		vbind_sync_out(syncobj, point),
	};

	expect(0, vbind_vm_bind_async(fd, vm, &bind, 1, syncs, 2, NULL));
}

static void test_eventfd(void)
{
	struct syncobj_eventfd args[2] = {};
	struct foreign foreign;
	uint32_t timeline, i;
	int file[2];

	setup();
	foreign = new_foreign();
	timeline = new_syncobj();
	/* One that waits for the fence to be there, one for it to be signalled */
	for (i = 0; i < 2; i++) {
		file[i] = eventfd(0, EFD_CLOEXEC);
		if (file[i] < 0)
			skip("this needs CONFIG_EVENTFD");
		args[i].handle = timeline;
		args[i].flags = i ? DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE : 0;
		args[i].point = 7;
		args[i].fd = file[i];
		expect(0, vbind_ioctl(fd, SYNCOBJ_EVENTFD, &args[i]));
	}
	check(!is_ready(file[0], 0) && !is_ready(file[1], 0),
	      "there is no fence yet");
	bind_behind(&foreign, timeline, 7);
	check(is_ready(file[1], TIMEOUT_MS), "the fence is there");
	check(!is_ready(file[0], 20), "the bind did not wait");
	signal_foreign(&foreign);
	check(is_ready(file[0], TIMEOUT_MS), "the bind is done");
	run_cmd(vm, vbind_cmd_compare(VA_START, PAGE, bo_word(bo_id, 0), WORD));
	close(file[0]);
	close(file[1]);
	close(foreign.timeline);
}

/* From a point of a timeline to another's, and to a syncobj without points */
static void test_transfer(void)
{
	struct drm_vbind_cmd compare;
	uint32_t timeline, other, plain, done;
	struct drm_vbind_sync syncs[2];
	struct foreign foreign;

	setup();
	compare = vbind_cmd_compare(VA_START, PAGE, bo_word(bo_id, 0), WORD);
	foreign = new_foreign();
	timeline = new_syncobj();
	other = new_syncobj();
	plain = new_syncobj();
	done = new_syncobj();
	bind_behind(&foreign, timeline, 3);
	expect(0, drmSyncobjTransfer(fd, other, 11, timeline, 3, 0));
	expect(0, drmSyncobjTransfer(fd, plain, 0, other, 11, 0));
	syncs[0] = vbind_sync_in(other, 11);
	syncs[1] = vbind_sync_out(done, 5);
	expect(0, vbind_exec(fd, vm, 1, &compare, 1, syncs, 2, NULL));
	syncs[0] = vbind_sync_in(plain, 0);
	syncs[1] = vbind_sync_out(done, 6);
	expect(0, vbind_exec(fd, vm, 2, &compare, 1, syncs, 2, NULL));
	expect(-ETIME, vbind_syncobj_wait(fd, done, 5, 20));
	check(!is_signalled(plain), "the bind did not wait");
	signal_foreign(&foreign);
	wait_for(done, 6);
	wait_for(done, 5);
	check(is_signalled(plain), "the bind's fence is not signalled");
	expect_no_faults();
	close(foreign.timeline);
}

/* Points of one timeline by binds and commands in turns, each behind the one before */
static void test_chain(void)
{
	const uint32_t n = 100;
	uint32_t timeline, i;
	struct foreign foreign;
	uint64_t point = 0;

	setup();
	foreign = new_foreign();
	timeline = new_syncobj();
	bind_behind(&foreign, timeline, 1);
	for (i = 1; i < n; i++) {
		struct drm_vbind_sync syncs[] = {
			vbind_sync_in(timeline, i), vbind_sync_out(timeline, i + 1),
		};
		struct drm_vbind_bind bind = map_bind(VA_START, PAGE,
						      i % 64 * PAGE);
		struct drm_vbind_cmd cmd =
			vbind_cmd_compare(VA_START, PAGE,
					  bo_word(bo_id, (i - 1) % 64 * PAGE), WORD);

		if (i % 2)
			expect(0, vbind_exec(fd, vm, i % 4, &cmd, 1, syncs, 2,
					     NULL));
		else
			expect(0, vbind_vm_bind_async(fd, vm, &bind, 1, syncs, 2,
						      NULL));
	}
	expect(0, drmSyncobjQuery(fd, &timeline, &point, 1));
	expect_value(0, point);
	signal_foreign(&foreign);
	wait_for(timeline, n);
	expect(0, drmSyncobjQuery(fd, &timeline, &point, 1));
	expect_value(n, point);
	close(foreign.timeline);
}

/* As a sync_file, which other processes and drivers understand */
static void test_sync_file(void)
{
	struct foreign foreign;
	uint32_t out, again;
	int file;

	setup();
	foreign = new_foreign();
	out = new_syncobj();
	again = new_syncobj();
	bind_behind(&foreign, out, 0);
	expect(0, drmSyncobjExportSyncFile(fd, out, &file));
	check(!is_ready(file, 0), "the bind did not wait");
	expect(0, drmSyncobjImportSyncFile(fd, again, file));
	signal_foreign(&foreign);
	check(is_ready(file, TIMEOUT_MS), "the bind is done");
	wait_for(again, 0);
	close(file);
	close(foreign.timeline);
}

/* Who only has the dma-buf does not wait for what VMs do with the memory. */
static void test_not_implicit(void)
{
	struct dma_buf_export_sync_file args = { .flags = DMA_BUF_SYNC_RW };
	struct drm_vbind_sync syncs[2];
	struct drm_vbind_cmd cmd;
	struct foreign foreign;
	struct pollfd p;
	uint32_t done;
	int prime;

	setup();
	expect(0, vbind_map(fd, vm, VA_START, PAGE, bo, 0));
	/* May skip the test, which must leave no file open then. */
	foreign = new_foreign();
	check(!drmPrimeHandleToFD(fd, bo, DRM_CLOEXEC | DRM_RDWR, &prime),
	      "export: %s", strerror(errno));
	done = new_syncobj();
	bind_behind(&foreign, new_syncobj(), 0);
	cmd = vbind_cmd_write(VA_START, 1);
	syncs[0] = vbind_sync_in(foreign.syncobj, 0);
	syncs[1] = vbind_sync_out(done, 0);
	expect(0, vbind_exec(fd, vm, 0, &cmd, 1, syncs, 2, NULL));

	p = (struct pollfd){ .fd = prime, .events = POLLIN | POLLOUT };
	check(poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT),
	      "the dma-buf is busy: %x", p.revents);
	check(!ioctl(prime, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &args),
	      "export of a sync_file: %s", strerror(errno));
	check(is_ready(args.fd, 0), "the dma-buf has a fence");
	close(args.fd);
	check(!is_signalled(done), "the command did not wait");
	signal_foreign(&foreign);
	wait_for(done, 0);
	close(prime);
	close(foreign.timeline);
}

static int export_fence(uint32_t syncobj)
{
	int file;

	expect(0, drmSyncobjExportSyncFile(fd, syncobj, &file));
	return file;
}

/*
 * Fences of a bind and a command that are done, and of two that never begin. They end
 * with the file. Then the driver may go.
 */
void test_held_fences(void)
{
	struct drm_vbind_cmd cmd = vbind_cmd_write(VA_START, 1);
	struct drm_vbind_bind bind;
	uint32_t out[4], never, i;
	struct drm_vbind_sync syncs[2];
	int files[4];
	char c;

	setup();
	bind = map_bind(VA_START, PAGE, 0);
	never = start_waiting(3, 900000);
	for (i = 0; i < 4; i++) {
		out[i] = new_syncobj();
		syncs[0] = vbind_sync_out(out[i], 0);
		syncs[1] = vbind_sync_in(never, 0);
		if (i % 2)
			expect(0, vbind_exec(fd, vm, 0, &cmd, 1, syncs, 1 + i / 2,
					     NULL));
		else
			expect(0, vbind_vm_bind_async(fd, vm, &bind, 1, syncs,
						      1 + i / 2, NULL));
		files[i] = export_fence(out[i]);
	}
	wait_for(out[0], 0);
	wait_for(out[1], 0);
	close(use_file(-1));
	printf("# holding fences\n");
	fflush(stdout);

	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	for (i = 0; i < 4; i++) {
		struct sync_fence_info fence = {};
		struct sync_file_info info = {
			.num_fences = 1, .sync_fence_info = (uintptr_t)&fence,
		};

		check(is_ready(files[i], 0), "fence %u is not signalled", i);
		check(!ioctl(files[i], SYNC_IOC_FILE_INFO, &info), "info: %s",
		      strerror(errno));
		check(i < 2 ? fence.status == 1 : fence.status < 0, "status %d of fence %u",
		      fence.status, i);
		close(files[i]);
	}
}

const struct test fence_tests[] = {
	{ "fences: an eventfd for a bind's point", test_eventfd, true },
	{ "fences: a bind's point is transferred", test_transfer, true },
	{ "fences: binds and commands in turns on one timeline", test_chain, true },
	{ "fences: a bind's as a sync_file", test_sync_file, true },
	{ "fences: a dma-buf has none of them", test_not_implicit, true },
	{}
};
