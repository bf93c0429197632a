// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * vbind-test: calls that fail in the middle. The kernel's fault injection makes the
 * n-th allocation, of small or of large memory, or the n-th copy from or to user
 * space fail, for ever larger n, until the call does not have that many. Signals come
 * at ever later times, until the call is done before them.
 */

#include <sys/ioctl.h>

#include "test.h"

/* No call has as many; one that never succeeds is not to go on for ever. */
#define MAX_FAILURES	20000

static int fail_nth_file = -1;

static bool write_setting(const char *type, const char *name, const char *text)
{
	char path[80];
	bool done;
	int file;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", type, name);
	file = open(path, O_WRONLY | O_CLOEXEC);
	if (file < 0)
		return false;
	done = write(file, text, strlen(text)) > 0;
	close(file);
	return done;
}

static void open_fail_nth(void)
{
	/* By default, allocations that may sleep are not made to fail. */
	if (!write_setting("failslab", "ignore-gfp-wait", "N"))
		skip("the kernel has no fault injection for slab allocations");
	write_setting("failslab", "verbose", "0");
	if (write_setting("fail_page_alloc", "ignore-gfp-wait", "N")) {
		write_setting("fail_page_alloc", "min-order", "0");
		write_setting("fail_page_alloc", "verbose", "0");
	}
	write_setting("fail_usercopy", "verbose", "0");
	fail_nth_file = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth_file < 0)
		skip("the kernel has no fault injection");
}

static bool try_fail_nth(unsigned int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	return pwrite(fail_nth_file, text, strlen(text), 0) > 0;
}

static void fail_nth(unsigned int n)
{
	check(try_fail_nth(n), "fail-nth: %s", strerror(errno));
}

/*
 * Whether something did fail since fail_nth(). The copies of reading and writing the
 * number count as well, and may be what fails: then nothing had before.
 */
static bool end_fail_nth(void)
{
	char text[16] = "";
	bool failed;

	failed = pread(fail_nth_file, text, sizeof(text) - 1, 0) > 0 && !atoi(text);
	check(try_fail_nth(0) || try_fail_nth(0), "fail-nth: %s", strerror(errno));
	return failed;
}

/* What the calls need: fresh for each, so that it is known what they leave */
static uint32_t other_bo, syncobj, in_fence;
static int other_file;

static int call_bind(void)
{
	struct drm_vbind_bind binds[] = {
		map_bind(VA_START + PAGE, 30 * PAGE, PAGE),
		range_bind(SPARSE, VA_START + 4 * PAGE, PAGE),
		range_bind(UNMAP, VA_START + 8 * PAGE, 100 * PAGE),
		map_bind(VA_END - PAGE, PAGE, 0),
		map_bind(VA_START + 300 * PAGE, 64 * PAGE, 0),
	};

	/* A BO that this VM does not know yet */
	binds[3].handle = other_bo;
	binds[4].flags = DRM_VBIND_BIND_REPEAT;
	binds[4].repeat = 4 * PAGE;
	return vbind_vm_bind(fd, vm, binds, ARRAY_SIZE(binds), NULL);
}

static int call_bind_steps(void)
{
	struct drm_vbind_bind bind = range_bind(UNMAP, VA_START, VA_RANGE / 4);
	struct drm_vbind_step steps[8];
	uint32_t num_steps = ARRAY_SIZE(steps);

	return vbind_vm_bind_steps(fd, vm, &bind, 1, steps, &num_steps, NULL);
}

static int call_bind_async(void)
{
	struct drm_vbind_sync syncs[] = {
		vbind_sync_in(in_fence, 0), vbind_sync_out(syncobj, 1),
	};
	struct drm_vbind_bind binds[] = {
		range_bind(UNMAP, VA_START + 8 * PAGE, 100 * PAGE),
		map_bind(VA_END - PAGE, PAGE, 0),
		range_bind(UNMAP_BO, 0, 0),
	};

	binds[1].handle = other_bo;
	binds[2].handle = bo;
	return vbind_vm_bind_async(fd, vm, binds, ARRAY_SIZE(binds), syncs, 2,
				   NULL);
}

static int call_prefetch(void)
{
	struct drm_vbind_bind bind = range_bind(PREFETCH, VA_START, 100 * PAGE);

	return vbind_vm_bind(fd, vm, &bind, 1, NULL);
}

static int call_exec(void)
{
	struct drm_vbind_sync syncs[] = {
		vbind_sync_in(in_fence, 0), vbind_sync_out(syncobj, 0),
	};
	struct drm_vbind_cmd cmds[] = {
		vbind_cmd_wait(0),
		vbind_cmd_compare(VA_START + 16 * PAGE, PAGE, bo_word(bo_id, 0),
				  WORD),
	};

	return vbind_exec(fd, vm, 0, cmds, 2, syncs, 2, NULL);
}

static int call_query(void)
{
	struct drm_vbind_mapping list[8];
	struct drm_vbind_vm_query args = {
		.vm_id = vm,
		.num_mappings = ARRAY_SIZE(list),
		.mapping_stride = sizeof(list[0]),
		.mappings = (uintptr_t)list,
	};

	return vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_QUERY, &args);
}

static int call_faults(void)
{
	struct drm_vbind_fault faults[4];
	int ret = vbind_vm_faults(fd, vm, faults, 4, NULL);

	return ret < 0 ? ret : 0;
}

static int call_stats(void)
{
	struct drm_vbind_vm_stats stats;

	return vbind_vm_stats(fd, vm, &stats);
}

/* The second call of two is not made to fail: the first one is undone. */
static int call_vm_create(void)
{
	uint32_t id;
	int ret = vbind_vm_create(fd, 0, PAGE, 0, 0, mode, &id);

	return ret ? ret : vbind_vm_destroy(fd, id);
}

static int call_gem_create(void)
{
	uint32_t handle;
	int ret = vbind_gem_create(fd, PAGE, DRM_VBIND_GEM_VM_PRIVATE, vm, &handle);

	return ret ? ret : vbind_gem_close(fd, handle);
}

static int call_gem_info(void)
{
	struct drm_vbind_gem_info info;

	return vbind_gem_info(fd, bo, &info);
}

static int call_export(void)
{
	int prime;

	if (drmPrimeHandleToFD(fd, other_bo, DRM_CLOEXEC | DRM_RDWR, &prime))
		return -errno;
	close(prime);
	return 0;
}

static int prime_of_bo = -1;

static int call_import(void)
{
	uint32_t handle;

	if (drmPrimeFDToHandle(other_file, prime_of_bo, &handle))
		return -errno;
	return vbind_gem_close(other_file, handle);
}

static char device_path[64];

static int call_open(void)
{
	int file = open(device_path, O_RDWR | O_CLOEXEC);

	if (file < 0)
		return -errno;
	close(file);
	return 0;
}

/*
 * All calls, and how many failures each has at least, so that it is seen if none are
 * made. Some are done when what they tell is copied to user space: if that fails, with
 * -EFAULT, they are done nevertheless.
 */
static const struct {
	const char *name;
	int (*call)(void);
	unsigned int failures;
	bool late_copy;
} calls[] = {
	{ "VM_BIND", call_bind, 10, true },
	{ "VM_BIND with steps", call_bind_steps, 5, true },
	{ "VM_BIND, asynchronous", call_bind_async, 10, true },
	{ "VM_BIND, a prefetch", call_prefetch, 5, true },
	{ "EXEC", call_exec, 3, true },
	{ "VM_QUERY", call_query, 1, false },
	{ "VM_FAULTS", call_faults, 0, false },
	{ "VM_STATS", call_stats, 0, false },
	{ "VM_CREATE", call_vm_create, 2, true },
	{ "GEM_CREATE", call_gem_create, 2, true },
	{ "GEM_INFO", call_gem_info, 0, false },
	{ "PRIME export", call_export, 2, true },
	{ "PRIME import", call_import, 0, true },
	{ "open", call_open, 3, false },
};

/* A state that each call begins with, of which @before has the mappings */
static void prepare(struct snapshot *before)
{
	expect(0, vbind_unmap(fd, vm, VA_START, RSV_START - VA_START));
	expect(0, vbind_unmap(fd, vm, RSV_END, VA_END - RSV_END));
	populate(vm);
	/* What has to come back needs memory. */
	try_to_evict();
	syncobj = new_syncobj();
	*before = take_snapshot(vm);
}

static void prepare_once(void)
{
	struct drm_vbind_cmd cmd = vbind_cmd_wait(0);
	struct drm_vbind_sync sync;

	setup();
	other_bo = new_bo(PAGE);
	in_fence = new_syncobj();
	sync = vbind_sync_out(in_fence, 0);
	expect(0, vbind_exec(fd, vm, 1, &cmd, 1, &sync, 1, NULL));
	wait_for(in_fence, 0);
	other_file = open_device();
	check(!drmPrimeHandleToFD(fd, bo, DRM_CLOEXEC | DRM_RDWR, &prime_of_bo),
	      "export: %s", strerror(errno));
	snprintf(device_path, sizeof(device_path), "/proc/self/fd/%d", fd);
}

static void close_all(void)
{
	close(prime_of_bo);
	close(other_file);
	close(use_file(-1));
}

/* The mappings are as they were; their flags tell whether memory is evicted. */
static void check_as_before(const char *what, const struct snapshot *before)
{
	struct snapshot now = take_snapshot(vm);
	int i;

	check(now.count == before->count, "%s: %d mappings instead of %d", what,
	      now.count, before->count);
	for (i = 0; i < now.count; i++) {
		now.mappings[i].flags &= ~DRM_VBIND_MAPPING_EVICTED;
		before->mappings[i].flags &= ~DRM_VBIND_MAPPING_EVICTED;
		check(!memcmp(&now.mappings[i], &before->mappings[i],
			      sizeof(now.mappings[i])), "%s: mapping %d", what, i);
	}
	free(now.mappings);
}

static void check_failed(unsigned int i, const struct snapshot *before)
{
	uint32_t left = vbind_syncobj_wait(fd, syncobj, 0, 0) != -EINVAL;

	check(!left, "%s failed, and has a fence", calls[i].name);
	check_as_before(calls[i].name, before);
	check_stats(2, 1, 6);
}

/* For shmem, no inode is no space. */
static bool can_fail_with(unsigned int i, int ret)
{
	return ret == -ENOMEM || ret == -ENOSPC || ret == -EFAULT ||
	       (ret == -ENFILE && calls[i].call == call_open);
}

/* Returns how many failures there were. */
static unsigned int sweep(unsigned int i)
{
	struct snapshot before;
	bool failed = true;
	unsigned int n;
	int ret;

	for (n = 1; failed && n < MAX_FAILURES; n++) {
		prepare(&before);
		fail_nth(n);
		ret = calls[i].call();
		failed = end_fail_nth();
		check(!ret || (failed && can_fail_with(i, ret)),
		      "%s, failure %u: %s", calls[i].name, n, result_name(ret));
		if (ret == -EFAULT && calls[i].late_copy) {
			close_all();
			fd = open_device();
			prepare_once();
		} else if (ret) {
			check_failed(i, &before);
		}
		free(before.mappings);
		/* What was queued is done. */
		expect(0, vbind_unmap(fd, vm, VA_START, PAGE));
		run_cmd(vm, vbind_cmd_wait(0));
		drmSyncobjDestroy(fd, syncobj);
	}
	check(!failed, "%s fails for ever", calls[i].name);
	return n - 2;
}

static void test_failures(void)
{
	unsigned int i, n, all = 0;

	/* May skip the test, which must leave no file open then. */
	open_fail_nth();
	prepare_once();
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		n = sweep(i);
		check(n >= calls[i].failures, "%s: only %u failures", calls[i].name,
		      n);
		all += n;
	}
	printf("# %u failures\n", all);
	close(fail_nth_file);
	close_all();
}

static void on_alarm(int signal)
{
}

/* Without the repetition that libvbind has */
static int bind_once(const struct drm_vbind_bind *binds, uint32_t count,
		     uint32_t flags)
{
	struct drm_vbind_vm_bind args = {
		.vm_id = vm,
		.flags = flags,
		.num_binds = count,
		.bind_stride = sizeof(*binds),
		.binds = (uintptr_t)binds,
	};

	return ioctl(fd, DRM_IOCTL_VBIND_VM_BIND, &args) ? -errno : 0;
}

/* A long array, synchronous and not, and a signal at some moment of it */
static void signal_bind(unsigned int round)
{
	static struct drm_vbind_bind binds[DRM_VBIND_MAX_BINDS];
	struct itimerval timer = { .it_value.tv_usec = 1 + round * 997 % 30000 };
	uint32_t flags = round % 2 ? DRM_VBIND_VM_BIND_ASYNC : 0;
	struct snapshot before;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(binds); i++)
		binds[i] = map_bind(VA_START + i % 500 * PAGE, (1 + i % 7) * PAGE, 0);
	prepare(&before);
	setitimer(ITIMER_REAL, &timer, NULL);
	ret = bind_once(binds, ARRAY_SIZE(binds), flags);
	setitimer(ITIMER_REAL, &(struct itimerval){}, NULL);
	check(!ret || ret == -EINTR, "round %u: %s", round, result_name(ret));
	if (ret)
		check_as_before("an interrupted bind", &before);
	free(before.mappings);
	drmSyncobjDestroy(fd, syncobj);
}

/* It waits for one that waits for somebody else. */
static void signal_blocked_bind(struct foreign foreign)
{
	struct itimerval timer = { .it_value.tv_usec = 20000 };
	struct drm_vbind_bind bind = map_bind(VA_START, PAGE, 0);
	struct snapshot before;

	prepare(&before);
	bind_async(&bind, 1, foreign.syncobj, 0);
	free(before.mappings);
	before = take_snapshot(vm);
	bind = range_bind(UNMAP, VA_START, VA_RANGE / 4);
	setitimer(ITIMER_REAL, &timer, NULL);
	expect(-EINTR, bind_once(&bind, 1, 0));
	check_as_before("an interrupted bind", &before);
	free(before.mappings);
	signal_foreign(&foreign);
	expect(0, bind_once(&bind, 1, 0));
	close(foreign.timeline);
}

static void test_signals(void)
{
	struct sigaction action = { .sa_handler = on_alarm }, old;
	struct foreign foreign = new_foreign();
	unsigned int round;

	prepare_once();
	/* No SA_RESTART: each signal ends the call. */
	sigaction(SIGALRM, &action, &old);
	for (round = 0; round < 5 + rounds / 100; round++)
		signal_bind(round);
	signal_blocked_bind(foreign);
	sigaction(SIGALRM, &old, NULL);
	close_all();
}

const struct test fail_tests[] = {
	{ "fail: each allocation and copy of each call", test_failures, true },
	{ "fail: signals in the middle of binds", test_signals, true },
	{}
};
