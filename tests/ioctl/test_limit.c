// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * vbind-test: what one call and one file can have, and that what is done with can be
 * had again.
 */

#include "test.h"

/* A VM of 2^48 bytes, for what needs much room */
#define WIDE		0x1000000000000ULL

static uint32_t new_wide_vm(void)
{
	uint32_t id;

	expect(0, vbind_vm_create(fd, 0, WIDE, 0, 0, mode, &id));
	return id;
}

static struct drm_vbind_bind *new_binds(uint32_t count)
{
	struct drm_vbind_bind *binds = calloc(count, sizeof(*binds));

	check(binds, "no memory");
	return binds;
}

/* 1,000 mappings, so that 66 looks at all of them are too many */
static void test_prefetch(void)
{
	struct drm_vbind_bind *binds = new_binds(4096);
	struct snapshot before;
	uint32_t out, i;

	vm = new_wide_vm();
	for (i = 0; i < 1000; i++)
		binds[i] = range_bind(SPARSE, 2 * i * PAGE, PAGE);
	expect(0, vbind_vm_bind(fd, vm, binds, 1000, NULL));
	before = take_snapshot(vm);

	for (i = 0; i < 4096; i++)
		binds[i] = range_bind(PREFETCH, 0, 2000 * PAGE);
	expect(-E2BIG, vbind_vm_bind(fd, vm, binds, 4096, NULL));
	expect(-E2BIG, vbind_vm_bind_async(fd, vm, binds, 4096, NULL, 0, NULL));
	expect(-E2BIG, vbind_vm_bind(fd, vm, binds, 66, NULL));
	check_unchanged(vm, "after too many operations", &before);
	expect(0, vbind_vm_bind(fd, vm, binds, 65, NULL));
	out = new_syncobj();
	bind_async(binds, 65, 0, out);
	wait_for(out, 0);
	free(binds);
}

/*
 * Maps of a BO to the same place, a page off each time, need small pages all over
 * it. The tables are the same ones each time, and each for itself would need nine.
 */
static void test_same_tables(void)
{
	struct drm_vbind_bind *binds = new_binds(4096);
	struct foreign foreign = new_foreign();
	uint64_t size = 16ULL << 20;
	uint32_t i;

	vm = new_wide_vm();
	expect(0, vbind_gem_create(fd, size, 0, 0, &bo));
	for (i = 0; i < 4096; i++) {
		binds[i] = map_bind((1 + i) * PAGE, size, 0);
		binds[i].handle = bo;
	}
	bind_async(binds, 4096, foreign.syncobj, 0);
	expect(0, vbind_vm_destroy(fd, vm));
	signal_foreign(&foreign);
	close(foreign.timeline);
	free(binds);
}

/* Each mapping needs a table of its own. */
static void test_tables(void)
{
	struct drm_vbind_bind *binds = new_binds(4096);
	uint64_t addr = 0;
	int ret = 0;
	uint32_t i;

	vm = new_wide_vm();
	while (!ret) {
		for (i = 0; i < 4096; i++, addr += 4 << 20)
			binds[i] = range_bind(SPARSE, addr, PAGE);
		ret = vbind_vm_bind(fd, vm, binds, 4096, NULL);
		check(addr >> 22 <= DRM_VBIND_MAX_FILE_TABLES + 4096,
		      "no end of tables");
	}
	expect(-ENOSPC, ret);
	expect(-ENOSPC, vbind_vm_bind(fd, vm, binds, 4096, NULL));
	/* Other VMs of the file are no way out, other files are. */
	expect(0, vbind_unmap(fd, vm, 0, WIDE));
	expect(0, vbind_vm_bind(fd, vm, binds, 4096, NULL));
	free(binds);
}

/* Binds that wait hold what they may need. */
static void test_queued(void)
{
	struct drm_vbind_bind *binds = new_binds(4096);
	struct foreign foreign = new_foreign();
	struct drm_vbind_sync sync = vbind_sync_in(foreign.syncobj, 0);
	uint64_t part = WIDE / 4096;
	uint32_t i, calls;
	int ret = 0;

	vm = new_wide_vm();
	for (i = 0; i < 4096; i++)
		binds[i] = range_bind(i % 2 ? UNMAP : SPARSE, i * part + PAGE,
				      part - 2 * PAGE);
	for (calls = 0; !ret; calls++) {
		check(calls < DRM_VBIND_MAX_JOBS / 8, "no end of calls");
		ret = vbind_vm_bind_async(fd, vm, binds, 4096, &sync, 1, NULL);
	}
	expect(-ENOSPC, ret);

	/* It is the file that is stopped, nobody else. */
	i = use_file(open_device());
	setup();
	expect(0, vbind_map(fd, vm, VA_START, PAGE, bo, 0));
	close(use_file(i));

	vm = 1;
	expect(0, vbind_vm_destroy(fd, vm));
	vm = new_wide_vm();
	expect(0, vbind_vm_bind(fd, vm, binds, 2, NULL));
	signal_foreign(&foreign);
	close(foreign.timeline);
	free(binds);
}

static void test_queued_cmds(void)
{
	static struct drm_vbind_cmd cmds[DRM_VBIND_MAX_CMDS];
	struct foreign foreign = new_foreign();
	struct drm_vbind_sync sync = vbind_sync_in(foreign.syncobj, 0);
	uint32_t i, calls;
	int ret = 0;

	setup();
	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		cmds[i] = vbind_cmd_wait(0);
	for (calls = 0; !ret; calls++) {
		check(calls <= DRM_VBIND_MAX_JOBS, "no end of calls");
		ret = vbind_exec(fd, vm, 0, cmds, ARRAY_SIZE(cmds), &sync, 1,
				 NULL);
	}
	expect(-ENOSPC, ret);
	check(calls * sizeof(cmds) <= DRM_VBIND_MAX_FILE_QUEUED + sizeof(cmds),
	      "%u calls", calls);
	expect(0, vbind_vm_destroy(fd, vm));
	setup();
	expect(0, vbind_exec(fd, vm, 0, cmds, ARRAY_SIZE(cmds), NULL, 0, NULL));
	signal_foreign(&foreign);
	close(foreign.timeline);
}

/* A BO that is bound in neither mode any more can be bound in either. */
static void test_other_mode_at_once(void)
{
	uint32_t other, out = 0, i;
	struct drm_vbind_bind bind;

	setup();
	other = new_vm(mode ^ DRM_VBIND_VM_IMMEDIATE);
	bind = range_bind(UNMAP, VA_START, PAGE);
	for (i = 0; i < 100; i++) {
		expect(0, vbind_map(fd, i % 2 ? other : vm, VA_START, PAGE, bo,
				    0));
		out = new_syncobj();
		if (i % 2) {
			struct drm_vbind_sync sync = vbind_sync_out(out, 0);

			expect(0, vbind_vm_bind_async(fd, other, &bind, 1, &sync,
						      1, NULL));
		} else {
			bind_async(&bind, 1, 0, out);
		}
		wait_for(out, 0);
		drmSyncobjDestroy(fd, out);
	}
}

/* As many jobs as there can be, again and again */
static void test_jobs_at_once(void)
{
	uint32_t i, round, out = 0;

	setup();
	for (round = 0; round < 3; round++) {
		for (i = 1; i < DRM_VBIND_MAX_JOBS; i++)
			exec_async(0, vbind_cmd_wait(0), 0, 0);
		out = new_syncobj();
		exec_async(0, vbind_cmd_wait(0), 0, out);
		wait_for(out, 0);
	}
}

/* Points of a timeline that wait; when they are signalled, there can be as many again. */
static void test_points(void)
{
	struct drm_vbind_sync syncs[DRM_VBIND_MAX_SYNCS];
	struct foreign foreign;
	uint32_t i, timeline, round;
	uint64_t points;

	setup();
	timeline = new_syncobj();
	for (round = 0; round < 2; round++) {
		foreign = new_foreign();
		syncs[0] = vbind_sync_in(foreign.syncobj, 0);
		for (points = 0; ; points += ARRAY_SIZE(syncs) - 1) {
			int ret;

			for (i = 1; i < ARRAY_SIZE(syncs); i++)
				syncs[i] = vbind_sync_out(timeline, points + i);
			ret = vbind_exec(fd, vm, 0, NULL, 0, syncs,
					 ARRAY_SIZE(syncs), NULL);
			if (ret) {
				expect(-ENOSPC, ret);
				break;
			}
		}
		check(points <= DRM_VBIND_MAX_FILE_POINTS &&
		      points + ARRAY_SIZE(syncs) > DRM_VBIND_MAX_FILE_POINTS,
		      "%" PRIu64 " points", points);
		signal_foreign(&foreign);
		wait_for(timeline, points);
		drmSyncobjDestroy(fd, timeline);
		timeline = new_syncobj();
		close(foreign.timeline);
	}
}

/* VMs go just after the last of their jobs, and there is room for as many again. */
static void test_vms_at_once(void)
{
	uint32_t i, id, out, handle;

	for (i = 0; i < 250; i++) {
		struct drm_vbind_cmd cmd = vbind_cmd_write(VA_START, i);
		struct drm_vbind_bind bind = {
			.type = MAP, .addr = VA_START, .range = PAGE,
		};
		struct drm_vbind_sync syncs[2];

		expect(0, vbind_vm_create(fd, VA_START, VA_RANGE, 0, 0, mode, &id));
		expect(0, vbind_gem_create(fd, PAGE, DRM_VBIND_GEM_VM_PRIVATE, id,
					   &handle));
		bind.handle = handle;
		out = new_syncobj();
		syncs[0] = vbind_sync_out(out, 1);
		expect(0, vbind_vm_bind_async(fd, id, &bind, 1, syncs, 1, NULL));
		syncs[0] = vbind_sync_in(out, 1);
		syncs[1] = vbind_sync_out(out, 2);
		expect(0, vbind_exec(fd, id, i % 4, &cmd, 1, syncs, 2, NULL));
		expect(0, vbind_gem_close(fd, handle));
		wait_for(out, 2);
		drmSyncobjDestroy(fd, out);
		expect(0, vbind_vm_destroy(fd, id));
	}
}

/* As many VMs as a file can have; one of them goes, and another comes. */
static void test_last_vm_at_once(void)
{
	uint32_t i, out, id = 0;

	for (i = 0; i < DRM_VBIND_MAX_VMS; i++)
		expect(0, vbind_vm_create(fd, VA_START, VA_RANGE, 0, 0, mode, &id));
	for (i = 0; i < 200; i++) {
		struct drm_vbind_cmd cmd = vbind_cmd_wait(0);
		struct drm_vbind_sync sync;

		out = new_syncobj();
		sync = vbind_sync_out(out, 0);
		expect(0, vbind_exec(fd, id, 0, &cmd, 1, &sync, 1, NULL));
		wait_for(out, 0);
		drmSyncobjDestroy(fd, out);
		expect(0, vbind_vm_destroy(fd, id));
		expect(0, vbind_vm_create(fd, VA_START, VA_RANGE, 0, 0, mode, &id));
	}
}

/* Most of what a file can have, closed and created again */
static void test_bytes_at_once(void)
{
	uint64_t size = DRM_VBIND_MAX_FILE_BYTES / 4 * 3;
	uint32_t i, handle;

	for (i = 0; i < 50; i++) {
		expect(0, vbind_gem_create(fd, size, 0, 0, &handle));
		expect(0, vbind_gem_close(fd, handle));
	}
}

/* A name would make a BO known to all. */
static void test_global_names(void)
{
	struct drm_gem_flink flink = {};
	struct drm_gem_open by_name = { .name = 1 };

	setup();
	flink.handle = new_private_bo(PAGE, vm);
	expect(-EOPNOTSUPP, vbind_ioctl(fd, DRM_IOCTL_GEM_FLINK, &flink));
	close(use_file(open_card()));
	setup();
	flink.handle = new_private_bo(PAGE, vm);
	expect(-EOPNOTSUPP, vbind_ioctl(fd, DRM_IOCTL_GEM_FLINK, &flink));
	flink.handle = bo;
	expect(-EOPNOTSUPP, vbind_ioctl(fd, DRM_IOCTL_GEM_FLINK, &flink));
	expect(-EOPNOTSUPP, vbind_ioctl(fd, DRM_IOCTL_GEM_OPEN, &by_name));
}

const struct test limit_tests[] = {
	{ "limits: operations of prefetches", test_prefetch, true },
	{ "limits: a page table counts once for a call", test_same_tables, true },
	{ "limits: page tables of a file", test_tables, false },
	{ "limits: what binds that wait hold", test_queued, true },
	{ "limits: what commands that wait hold", test_queued_cmds, false },
	{ "limits: points of timelines that wait", test_points, false },
	{ "limits: a BO goes from mode to mode at once", test_other_mode_at_once,
	  true },
	{ "limits: jobs that are done do not count", test_jobs_at_once, false },
	{ "limits: VMs go and come right after their jobs", test_vms_at_once, true },
	{ "limits: the last VM goes and comes", test_last_vm_at_once, false },
	{ "limits: BOs that are closed do not count", test_bytes_at_once, false },
	{ "limits: BOs have no global names", test_global_names, false },
	{}
};
