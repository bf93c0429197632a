// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * vbind-test: a file that does its worst, and what another gets meanwhile. The
 * other's work has to be done long before that of the first is.
 */

#include "test.h"

/* The file that does its worst, with its VM and its BO */
static int hostile;
static uint32_t hostile_last;

/* Sets up the hostile file's VM; the test goes on with @fd. */
static void begin_hostile(void)
{
	hostile = fd;
	setup();
	expect(0, vbind_map(fd, vm, VA_START, BO_SIZE, bo, 0));
}

static void begin_polite(void)
{
	fd = open_device();
	setup();
}

/* Something of the hostile file's is not done yet. */
static void end(void)
{
	close(use_file(hostile));
	check(!is_signalled(hostile_last), "it was done only after the other's");
}

/*
 * A bind and a job of a file that asks for little. Not more: with one processor, each
 * wait also costs a turn of the kernel's scheduler, while the other's work goes on.
 */
static void be_polite(uint32_t queue)
{
	uint32_t out = new_syncobj();

	expect(0, vbind_map(fd, vm, VA_START, PAGE, bo, 0));
	exec_async(queue, vbind_cmd_write(VA_START, 1), 0, out);
	wait_for(out, 0);
	expect_no_faults();
}

/* A thousand jobs that wait a second each */
static void test_waiting_jobs(void)
{
	uint32_t i;

	begin_hostile();
	for (i = 0; i < 1000; i++)
		exec_async(1, vbind_cmd_wait(1000000), 0, 0);
	hostile_last = new_syncobj();
	exec_async(1, vbind_cmd_wait(1000000), 0, hostile_last);
	begin_polite();
	be_polite(1);
	end();
}

/* Jobs that access as much as they may, in a hundred VMs */
static void test_working_jobs(void)
{
	struct drm_vbind_cmd cmds[1024];
	struct drm_vbind_sync sync;
	uint32_t vms[50], i;

	begin_hostile();
	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		cmds[i] = vbind_cmd_compare(VA_START, BO_SIZE, bo_word(bo_id, 0), 8);
	hostile_last = new_syncobj();
	sync = vbind_sync_out(hostile_last, 0);
	for (i = 0; i < ARRAY_SIZE(vms); i++) {
		vms[i] = new_vm(mode);
		expect(0, vbind_map(fd, vms[i], VA_START, BO_SIZE, bo, 0));
		expect(0, vbind_exec(fd, vms[i], 0, cmds, ARRAY_SIZE(cmds), &sync,
				     1, NULL));
	}
	begin_polite();
	be_polite(0);
	end();
	for (i = 0; i < ARRAY_SIZE(vms); i++)
		expect(0, vbind_vm_destroy(fd, vms[i]));
}

/*
 * Long arrays of binds that each write more than a thousand entries, for neither 64K
 * nor 2M fit: one behind the other, they take many turns of the kernel's scheduler.
 */
static void test_many_binds(void)
{
	static struct drm_vbind_bind binds[4096];
	struct drm_vbind_sync sync;
	struct foreign foreign;
	uint32_t i;

	begin_hostile();
	foreign = new_foreign();
	bo = new_bo(2560 * PAGE);
	for (i = 0; i < ARRAY_SIZE(binds); i++)
		binds[i] = map_bind(VA_START + i % 200 * PAGE,
				    (1400 + i % 100) * PAGE,
				    (1 + i % 500 * 2) * PAGE);
	sync = vbind_sync_in(foreign.syncobj, 0);
	for (i = 0; i < 9; i++)
		expect(0, vbind_vm_bind_async(fd, vm, binds, ARRAY_SIZE(binds),
					      &sync, 1, NULL));
	hostile_last = new_syncobj();
	sync = vbind_sync_out(hostile_last, 0);
	expect(0, vbind_vm_bind_async(fd, vm, binds, ARRAY_SIZE(binds), &sync, 1,
				      NULL));
	begin_polite();
	signal_foreign(&foreign);
	be_polite(2);
	end();
	close(foreign.timeline);
}

/* What a killed process has queued is dropped. */
static void test_killed(void)
{
	int ready[2], status;
	double begin;
	pid_t child;
	char c;

	check(!pipe(ready), "pipe: %s", strerror(errno));
	child = fork();
	check(child >= 0, "fork: %s", strerror(errno));
	if (!child) {
		uint32_t i;

		close(fd);
		fd = open_device();
		setup();
		for (i = 0; i < 500; i++)
			exec_async(1, vbind_cmd_wait(1000000), 0, 0);
		write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	check(read(ready[0], &c, 1) == 1, "the child failed");
	close(ready[0]);
	begin = seconds();
	kill(child, SIGKILL);
	check(waitpid(child, &status, 0) == child, "waitpid");
	setup();
	be_polite(1);
	check(seconds() - begin < 60, "it took %f s", seconds() - begin);
	check_stats(1, 1, 1);
}

const struct test fair_tests[] = {
	{ "fair: a thousand jobs that wait", test_waiting_jobs, true },
	{ "fair: jobs that work, in many VMs", test_working_jobs, false },
	{ "fair: long arrays of binds", test_many_binds, true },
	{ "fair: the work of a killed process is dropped", test_killed, true },
	{}
};
