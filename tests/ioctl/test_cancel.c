// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * vbind-test: jobs that wait for somebody else's fence, and what ends them: the
 * fence, the end of the VM, of the file, of the process. Nobody signals the fence
 * before the test does, so that who waits for it waits for ever.
 */

#include <linux/sync_file.h>
#include <sys/ioctl.h>

#include "test.h"

/* Much more than it takes */
#define SOON	20.0

static void fill_binds(struct drm_vbind_bind *binds, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		binds[i] = map_bind(VA_START + i * PAGE, PAGE, i % 64 * PAGE);
}

/* A bind and commands that wait for @in; returns what both signal. */
static void queue_both(uint32_t in, uint32_t out[2])
{
	struct drm_vbind_bind bind = map_bind(VA_START, 4 * PAGE, 0);

	out[0] = new_syncobj();
	out[1] = new_syncobj();
	bind_async(&bind, 1, in, out[0]);
	exec_async(1, vbind_cmd_wait(0), in, out[1]);
}

/* The error of what a syncobj has, 0 for none */
static int error_of(uint32_t syncobj)
{
	struct sync_file_info info = {};
	int file;

	check(!drmSyncobjExportSyncFile(fd, syncobj, &file), "sync_file: %s",
	      strerror(errno));
	check(!ioctl(file, SYNC_IOC_FILE_INFO, &info), "sync_file: %s",
	      strerror(errno));
	close(file);
	return info.status < 0 ? info.status : 0;
}

static void test_foreign_fence(void)
{
	struct foreign foreign;
	uint32_t out[2];

	setup();
	foreign = new_foreign();
	queue_both(foreign.syncobj, out);
	check(!is_signalled(out[0]) && !is_signalled(out[1]), "did not wait");
	signal_foreign(&foreign);
	wait_for(out[0], 0);
	wait_for(out[1], 0);
	expect_value(0, error_of(out[0]) | error_of(out[1]));
	run_cmd(vm, vbind_cmd_compare(VA_START, 4 * PAGE, bo_word(bo_id, 0), 8));
	close(foreign.timeline);
}

/* A fence that is signalled already, and one that has an error */
static void test_done_and_failed_fences(void)
{
	uint32_t failed[2], out[2], other;
	struct foreign foreign;

	setup();
	foreign = new_foreign();
	signal_foreign(&foreign);
	queue_both(foreign.syncobj, out);
	wait_for(out[0], 0);
	wait_for(out[1], 0);

	/* One whose timeline goes away */
	close(foreign.timeline);
	foreign = new_foreign();
	queue_both(foreign.syncobj, out);
	close(foreign.timeline);
	check(error_of(foreign.syncobj) < 0, "no error in the other's fence");
	wait_for(out[0], 0);
	wait_for(out[1], 0);
	expect_value(0, error_of(out[0]) | error_of(out[1]));

	/* What another VM's jobs leave when it goes away */
	other = vm;
	vm = new_vm(mode);
	foreign = new_foreign();
	queue_both(foreign.syncobj, failed);
	expect(0, vbind_vm_destroy(fd, vm));
	check(error_of(failed[0]) < 0, "a cancelled bind has no error");
	check(error_of(failed[1]) < 0, "a cancelled job has no error");
	vm = other;
	queue_both(failed[0], out);
	wait_for(out[0], 0);
	wait_for(out[1], 0);
	expect_value(0, error_of(out[0]) | error_of(out[1]));
	close(foreign.timeline);
}

static void test_destroy_while_waiting(void)
{
	struct drm_vbind_bind binds[16];
	struct foreign foreign;
	uint32_t out[2], i;
	double begin;

	setup();
	foreign = new_foreign();
	fill_binds(binds, ARRAY_SIZE(binds));
	for (i = 0; i < 20; i++) {
		bind_async(binds, ARRAY_SIZE(binds), foreign.syncobj, 0);
		exec_async(i % DRM_VBIND_NUM_QUEUES, vbind_cmd_wait(1000000), 0, 0);
	}
	queue_both(foreign.syncobj, out);
	begin = seconds();
	expect(0, vbind_vm_destroy(fd, vm));
	check(seconds() - begin < SOON, "it took %f s", seconds() - begin);
	check(is_signalled(out[0]) && is_signalled(out[1]), "still waiting");
	check(error_of(out[0]) < 0 && error_of(out[1]) < 0, "no error");
	check(!is_signalled(foreign.syncobj), "the fence was signalled");
	/* Nobody is called back later. */
	signal_foreign(&foreign);
	close(foreign.timeline);
	check_stats(1, 0, 0);
}

static void test_close_while_waiting(void)
{
	struct foreign foreign;
	uint32_t out[2], i;
	double begin;
	int file;

	foreign = new_foreign();
	file = use_file(open_device());
	for (i = 0; i < 4; i++) {
		int sync;

		setup();
		check(!drmSyncobjExportSyncFile(file, foreign.syncobj, &sync),
		      "sync_file: %s", strerror(errno));
		out[0] = new_syncobj();
		check(!drmSyncobjImportSyncFile(fd, out[0], sync),
		      "sync_file: %s", strerror(errno));
		close(sync);
		queue_both(out[0], out);
		exec_async(0, vbind_cmd_wait(1000000), 0, 0);
	}
	begin = seconds();
	close(use_file(file));
	check(seconds() - begin < SOON, "it took %f s", seconds() - begin);
	check(!is_signalled(foreign.syncobj), "the fence was signalled");
	signal_foreign(&foreign);
	close(foreign.timeline);
}

static void test_kill_while_waiting(void)
{
	uint32_t out[2], handle;
	struct foreign foreign;
	int ready[2], status;
	double begin;
	pid_t child;
	char c;

	check(!pipe(ready), "pipe: %s", strerror(errno));
	foreign = new_foreign();
	check(!drmSyncobjHandleToFD(fd, foreign.syncobj, &status), "export: %s",
	      strerror(errno));
	child = fork();
	check(child >= 0, "fork: %s", strerror(errno));
	if (!child) {
		close(fd);
		fd = open_device();
		setup();
		if (drmSyncobjFDToHandle(fd, status, &handle))
			_exit(1);
		queue_both(handle, out);
		exec_async(0, vbind_cmd_wait(1000000), 0, 0);
		write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	close(status);
	check(read(ready[0], &c, 1) == 1, "the child failed");
	begin = seconds();
	kill(child, SIGKILL);
	check(waitpid(child, &status, 0) == child, "waitpid");
	check(seconds() - begin < SOON, "it took %f s", seconds() - begin);
	check(!is_signalled(foreign.syncobj), "the fence was signalled");
	signal_foreign(&foreign);
	close(ready[0]);
	close(foreign.timeline);
}

static void do_nothing(int signal)
{
}

/*
 * A bind that waits for those before it, which wait for somebody else: a signal that
 * does not kill has to wait, but it does not keep the next one from killing.
 */
static void test_kill_in_bind(void)
{
	int ready[2], status, i;
	struct foreign foreign;
	uint32_t handle;
	pid_t child, pid;
	char c;

	check(!pipe(ready), "pipe: %s", strerror(errno));
	foreign = new_foreign();
	check(!drmSyncobjHandleToFD(fd, foreign.syncobj, &status), "export: %s",
	      strerror(errno));
	child = fork();
	check(child >= 0, "fork: %s", strerror(errno));
	if (!child) {
		struct drm_vbind_bind bind;

		close(fd);
		fd = open_device();
		setup();
		if (drmSyncobjFDToHandle(fd, status, &handle))
			_exit(1);
		signal(SIGUSR1, do_nothing);
		bind = map_bind(VA_START, PAGE, 0);
		bind_async(&bind, 1, handle, 0);
		write(ready[1], "x", 1);
		vbind_map(fd, vm, VA_START, PAGE, bo, 0);
		_exit(1);
	}
	close(ready[1]);
	close(status);
	check(read(ready[0], &c, 1) == 1, "the child failed");
	usleep(200000);
	kill(child, SIGUSR1);
	usleep(200000);
	kill(child, SIGKILL);
	for (i = 0; i < SOON * 10; i++) {
		pid = waitpid(child, &status, WNOHANG);
		if (pid)
			break;
		usleep(100000);
	}
	/* So that the child ends in any case. */
	signal_foreign(&foreign);
	check(pid == child, "the process could not be killed");
	check(WIFSIGNALED(status), "the bind did not wait: status %d", status);
	close(ready[0]);
	close(foreign.timeline);
}

/* A bind queue that waits for somebody does not keep another VM's waiting. */
static void test_blocked_beside_other(void)
{
	struct drm_vbind_bind bind = map_bind(VA_START, PAGE, 0);
	struct foreign foreign;
	uint32_t i, first, out;

	setup();
	foreign = new_foreign();
	bind.handle = bo;
	for (i = 0; i < 50; i++)
		bind_async(&bind, 1, foreign.syncobj, 0);
	first = vm;
	vm = new_vm(mode);
	out = new_syncobj();
	bind_async(&bind, 1, 0, out);
	wait_for(out, 0);
	expect(0, vbind_map(fd, vm, VA_START + PAGE, PAGE, bo, 0));
	check(!is_signalled(foreign.syncobj), "it was too late");
	expect(0, vbind_vm_destroy(fd, vm));
	vm = first;
	signal_foreign(&foreign);
	close(foreign.timeline);
}

/* Neither an empty VM nor one too many has to do with what others run. */
static void test_others_run(void)
{
	uint32_t i, id, busy[DRM_VBIND_NUM_QUEUES];
	int other;

	setup();
	for (i = 0; i < DRM_VBIND_NUM_QUEUES; i++)
		busy[i] = start_waiting(i, 1000000);
	other = open_device();
	for (i = 0; i < 4; i++) {
		expect(0, vbind_vm_create(other, VA_START, VA_RANGE, 0, 0, mode,
					  &id));
		expect(0, vbind_vm_destroy(other, id));
	}
	for (i = 0; i < DRM_VBIND_NUM_QUEUES; i++)
		check(!is_signalled(busy[i]), "it waited for another file's job");
	close(other);
}

static void close_handles(uint32_t *handles, int count)
{
	int i;

	for (i = 0; i < count; i++)
		vbind_gem_close(fd, handles[i]);
}

/* The last reference on a BO goes while locks are held: lockdep looks on. */
static void *close_meanwhile(void *handles)
{
	close_handles(handles, 32);
	return NULL;
}

static void test_last_reference(void)
{
	uint32_t handles[32], i, round;
	pthread_t thread;

	setup();
	for (round = 0; round < 20; round++) {
		for (i = 0; i < ARRAY_SIZE(handles); i++)
			handles[i] = new_bo(PAGE);
		check(!pthread_create(&thread, NULL, close_meanwhile, handles),
		      "no thread");
		for (i = 0; i < ARRAY_SIZE(handles); i++) {
			int ret = vbind_map(fd, vm, VA_START + i * PAGE, PAGE,
					    handles[i], 0);

			check(!ret || ret == -ENOENT, "map: %s",
			      result_name(ret));
			vbind_unmap(fd, vm, VA_START + i * PAGE, PAGE);
		}
		pthread_join(thread, NULL);
	}
	expect(0, vbind_vm_destroy(fd, vm));
	check_stats(1, 0, 0);
}

const struct test cancel_tests[] = {
	{ "cancel: jobs wait for a fence of another driver", test_foreign_fence,
	  true },
	{ "cancel: fences that are signalled, or have an error",
	  test_done_and_failed_fences, true },
	{ "cancel: VM_DESTROY does not wait for what jobs wait for",
	  test_destroy_while_waiting, true },
	{ "cancel: close does not wait for what jobs wait for",
	  test_close_while_waiting, true },
	{ "cancel: a killed process does not wait for what jobs wait for",
	  test_kill_while_waiting, true },
	{ "cancel: a process that is killed in a bind, after another signal",
	  test_kill_in_bind, true },
	{ "cancel: a blocked bind queue beside another", test_blocked_beside_other,
	  true },
	{ "cancel: VMs come and go while others' jobs run", test_others_run, true },
	{ "cancel: last references go under any lock", test_last_reference, true },
	{}
};
