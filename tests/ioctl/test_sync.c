// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* vbind-test: binds that are queued, and what they wait for and signal. */

#include "test.h"

/* A bind waits for a job, another job for the bind. */
static void test_async_chain(void)
{
	uint32_t before, bound, after;
	struct drm_vbind_bind bind;

	setup();
	bind = map_bind(VA_START, 4 * PAGE, 0);
	before = start_waiting(2, 100000);
	bound = new_syncobj();
	after = new_syncobj();
	bind_async(&bind, 1, before, bound);
	exec_async(1, vbind_cmd_compare(VA_START, 4 * PAGE, bo_word(bo_id, 0), 8),
		   bound, after);

	/* Nothing is there yet. */
	check(!is_signalled(bound), "the bind did not wait");
	expect_fault(vm, vbind_cmd_write(VA_START, 1), DRM_VBIND_FAULT_UNMAPPED,
		     VA_START);
	wait_for(after, 0);
	check(is_signalled(before) && is_signalled(bound), "out of order");
	expect_no_faults();
}

/* In staged mode the tree is that of the future, in immediate mode that of now. */
static void test_async_query(void)
{
	bool immediate = mode & DRM_VBIND_VM_IMMEDIATE;
	struct drm_vbind_mapping expected[2];
	struct drm_vbind_bind binds[2];
	uint32_t before, bound;

	setup();
	binds[0] = map_bind(VA_START, 4 * PAGE, 0);
	binds[1] = range_bind(UNMAP, VA_START + PAGE, PAGE);
	before = start_waiting(0, 200000);
	bound = new_syncobj();
	bind_async(binds, 2, before, bound);
	expect_value(immediate ? 0 : 2, vbind_vm_query(fd, vm, NULL, NULL));
	check(!is_signalled(bound), "too late");
	wait_for(bound, 0);
	expected[0] = bo_mapping(0, 1, 0);
	expected[1] = bo_mapping(2, 2, 2);
	check_mappings(vm, "after the binds", expected, 2);
}

static void test_async_order(void)
{
	struct drm_vbind_bind bind;
	uint32_t bound, before, i;

	setup();
	before = start_waiting(0, 20000);
	for (i = 0; i < 200; i++) {
		bind = i % 3 == 2 ? range_bind(UNMAP, VA_START, 8 * PAGE) :
				    map_bind(VA_START + i % 5 * PAGE, 4 * PAGE,
					     i % 60 * PAGE);
		bind_async(&bind, 1, i ? 0 : before, 0);
	}
	/* The last of them: 195 to 197 are map, map, unmap; then two maps */
	bound = new_syncobj();
	bind = range_bind(PREFETCH, VA_START, PAGE);
	bind_async(&bind, 1, 0, bound);
	wait_for(bound, 0);
	run_cmd(vm, vbind_cmd_compare(VA_START + 4 * PAGE, 4 * PAGE,
				      bo_word(bo_id, 199 % 60 * PAGE), 8));
	run_cmd(vm, vbind_cmd_compare(VA_START + 3 * PAGE, PAGE,
				      bo_word(bo_id, 198 % 60 * PAGE), 8));
}

/* A synchronous bind comes after all asynchronous ones. */
static void test_sync_after_async(void)
{
	struct drm_vbind_mapping expected[2];
	struct drm_vbind_bind bind;
	uint32_t before;

	setup();
	bind = map_bind(VA_START, 4 * PAGE, 0);
	before = start_waiting(0, 100000);
	bind_async(&bind, 1, before, 0);
	expect(0, vbind_unmap(fd, vm, VA_START + PAGE, PAGE));
	check(is_signalled(before), "the bind did not wait");
	expected[0] = bo_mapping(0, 1, 0);
	expected[1] = bo_mapping(2, 2, 2);
	check_mappings(vm, "after both binds", expected, 2);
}

static void test_timeline(void)
{
	const uint64_t far = 1ULL << 40;
	uint32_t timeline, before;
	struct drm_vbind_sync syncs[2];
	struct drm_vbind_bind bind;
	struct drm_vbind_cmd cmd;
	uint64_t point = 0;

	setup();
	timeline = new_syncobj();
	before = start_waiting(0, 50000);
	bind = map_bind(VA_START, PAGE, 0);

	/* 1: after the job; 2: a command; far: another bind, which waits for 2 */
	syncs[0] = vbind_sync_in(before, 0);
	syncs[1] = vbind_sync_out(timeline, 1);
	expect(0, vbind_vm_bind_async(fd, vm, &bind, 1, syncs, 2, NULL));
	cmd = vbind_cmd_compare(VA_START, 8, bo_word(bo_id, 0), 0);
	syncs[0] = vbind_sync_in(timeline, 1);
	syncs[1] = vbind_sync_out(timeline, 2);
	expect(0, vbind_exec(fd, vm, 1, &cmd, 1, syncs, 2, NULL));
	bind = range_bind(UNMAP, VA_START, PAGE);
	syncs[0] = vbind_sync_in(timeline, 2);
	syncs[1] = vbind_sync_out(timeline, far);
	expect(0, vbind_vm_bind_async(fd, vm, &bind, 1, syncs, 2, NULL));

	/* A point that nobody has promised yet */
	syncs[0] = vbind_sync_in(timeline, far + 1);
	expect(-EINVAL, vbind_vm_bind_async(fd, vm, &bind, 1, syncs, 1, NULL));
	wait_for(timeline, far);
	expect(0, drmSyncobjQuery(fd, &timeline, &point, 1));
	expect_value(far, point);
	expect_no_faults();
	check_empty(vm);
}

/* The jobs of a queue wait for each other, those of others do not. */
static void test_queues(void)
{
	uint32_t slow, fast, same;

	setup();
	expect(0, vbind_map(fd, vm, VA_START, PAGE, bo, 0));
	slow = start_waiting(0, 300000);
	same = new_syncobj();
	fast = new_syncobj();
	exec_async(0, vbind_cmd_write(VA_START, 1), 0, same);
	exec_async(1, vbind_cmd_write(VA_START + 8, 1), 0, fast);
	wait_for(fast, 0);
	check(!is_signalled(slow) && !is_signalled(same), "a queue is too fast");
	wait_for(same, 0);
	check(is_signalled(slow), "a queue is out of order");
	expect_no_faults();
}

static struct drm_vbind_sync flagged_sync(uint32_t handle, uint32_t flags)
{
	return (struct drm_vbind_sync){ .handle = handle, .flags = flags };
}

static void test_async_errors(void)
{
	uint32_t empty, signalled, fail_index;
	struct drm_vbind_sync *many, syncs[2];
	struct drm_vbind_vm_bind args;
	struct drm_vbind_bind binds[3];
	struct snapshot before;
	unsigned int i;

	setup();
	populate(vm);
	before = take_snapshot(vm);
	empty = new_syncobj();
	expect(0, drmSyncobjCreate(fd, DRM_SYNCOBJ_CREATE_SIGNALED, &signalled));
	for (i = 0; i < 3; i++)
		binds[i] = map_bind(VA_START + i * PAGE, PAGE, 0);

#define SYNC_ERROR(error, in) do {					\
	syncs[0] = vbind_sync_out(empty, 0);				\
	syncs[1] = in;							\
	expect(error, vbind_vm_bind_async(fd, vm, binds, 3, syncs, 2,	\
					  &fail_index));		\
	expect_value(NO_INDEX, fail_index);				\
} while (0)
	SYNC_ERROR(-EINVAL, vbind_sync_in(empty, 0));
	SYNC_ERROR(-EINVAL, vbind_sync_in(signalled, 1));
	SYNC_ERROR(-ENOENT, vbind_sync_in(0, 0));
	SYNC_ERROR(-ENOENT, vbind_sync_in(99, 0));
	SYNC_ERROR(-ENOENT, vbind_sync_out(99, 0));
	SYNC_ERROR(-EINVAL, flagged_sync(signalled, 2));
	SYNC_ERROR(-EINVAL, flagged_sync(signalled, 1U << 31));
#undef SYNC_ERROR
	many = calloc(DRM_VBIND_MAX_SYNCS + 1, sizeof(*many));
	for (i = 0; i <= DRM_VBIND_MAX_SYNCS; i++)
		many[i] = vbind_sync_in(signalled, 0);
	expect(-E2BIG, vbind_vm_bind_async(fd, vm, binds, 3, many,
					   DRM_VBIND_MAX_SYNCS + 1, NULL));
	free(many);

	/* Synchronous, but with a syncobj */
	args = (struct drm_vbind_vm_bind){
		.vm_id = vm,
		.num_binds = 1,
		.bind_stride = sizeof(binds[0]),
		.binds = (uintptr_t)binds,
		.num_syncs = 1,
		.sync_stride = sizeof(syncs[0]),
		.syncs = (uintptr_t)syncs,
	};
	expect(-EINVAL, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_BIND, &args));
	args.flags = DRM_VBIND_VM_BIND_ASYNC;
	args.sync_stride = 8;
	expect(-EINVAL, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_BIND, &args));
	args.sync_stride = sizeof(syncs[0]);
	args.syncs = 1ULL << 63;
	expect(-EFAULT, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_BIND, &args));

	/* A bad bind is found at once, and nothing is signalled. */
	binds[2].range = 0;
	syncs[0] = vbind_sync_out(empty, 0);
	expect(-EINVAL, vbind_vm_bind_async(fd, vm, binds, 3, syncs, 1,
					    &fail_index));
	expect_value(2, fail_index);
	expect(-EINVAL, vbind_syncobj_wait(fd, empty, 0, 0));
	check_unchanged(vm, "after calls that failed", &before);
}

static void test_job_limit(void)
{
	struct drm_vbind_sync sync;
	struct foreign first;
	uint32_t last, i;

	setup();
	/* All wait for the same fence, on four queues. */
	first = new_foreign();
	sync = vbind_sync_in(first.syncobj, 0);
	for (i = 0; i < DRM_VBIND_MAX_JOBS; i++)
		expect(0, vbind_exec(fd, vm, i % 4, NULL, 0, &sync, 1, NULL));
	expect(-ENOSPC, vbind_exec(fd, vm, 0, NULL, 0, &sync, 1, NULL));
	expect(-ENOSPC, vbind_map(fd, vm, VA_START, PAGE, bo, 0));
	expect_value(0, vbind_vm_query(fd, vm, NULL, NULL));
	signal_foreign(&first);
	close(first.timeline);

	/* What is done may take a moment to be forgotten. */
	last = new_syncobj();
	sync = vbind_sync_out(last, 0);
	for (i = 0; i < 1000; i++) {
		int ret = vbind_exec(fd, vm, 0, NULL, 0, &sync, 1, NULL);

		if (!ret)
			break;
		expect(-ENOSPC, ret);
		usleep(10000);
	}
	wait_for(last, 0);
	expect(0, vbind_map(fd, vm, VA_START, PAGE, bo, 0));
}

/* With two processors a queue ends while the scheduler takes a job from it. */
static void test_destroy_while_jobs_begin(void)
{
	struct drm_vbind_cmd cmd = vbind_cmd_wait(1);
	struct drm_vbind_sync sync;
	uint64_t random = seed;
	uint32_t vm_id, done;
	int i, j;

	setup();
	for (i = 0; i < 100; i++) {
		vm_id = new_vm(mode);
		for (j = 0; j < 12; j++)
			expect(0, vbind_exec(fd, vm_id, 0, &cmd, 1, NULL, 0, NULL));
		usleep(random_below(&random, 100));
		expect(0, vbind_vm_destroy(fd, vm_id));
	}

	/* Others' jobs go on. */
	done = new_syncobj();
	sync = vbind_sync_out(done, 0);
	expect(0, vbind_exec(fd, vm, 0, &cmd, 1, &sync, 1, NULL));
	wait_for(done, 0);
}

static void test_destroy_with_jobs(void)
{
	uint32_t before, bound, done, i;
	struct drm_vbind_bind bind;

	for (i = 0; i < 4; i++) {
		setup();
		before = start_waiting(0, 30000);
		bound = new_syncobj();
		done = new_syncobj();
		bind = map_bind(VA_START, 4 * PAGE, 0);
		bind_async(&bind, 1, before, bound);
		exec_async(1, vbind_cmd_fill(VA_START, 4 * PAGE, 1, 1), bound, done);
		usleep(i * 15000);
		expect(0, vbind_vm_destroy(fd, vm));

		/* Whether they ran or not, nobody waits in vain. */
		wait_for(before, 0);
		wait_for(bound, 0);
		wait_for(done, 0);
		expect(0, vbind_gem_close(fd, bo));
		check_stats(0, 0, 0);
	}
}

static void test_close_with_jobs(void)
{
	struct drm_vbind_bind bind;
	uint32_t before, i;
	int this = fd;

	for (i = 0; i < 4; i++) {
		setup();
		before = start_waiting(0, 30000);
		bind = map_bind(VA_START, 4 * PAGE, 0);
		bind_async(&bind, 1, before, 0);
		bind = range_bind(UNMAP, VA_START + PAGE, PAGE);
		bind_async(&bind, 1, 0, 0);
		exec_async(2, vbind_cmd_fill(VA_START, 4 * PAGE, 1, 1), before, 0);
		usleep(i * 15000);
		fd = open_device();
		close(this);
		this = fd;
		check_stats(0, 0, 0);
	}
}

/* The same BO, in jobs that are queued in two VMs */
static void test_async_two_vms(void)
{
	uint32_t first, second, before, bound, i;
	struct drm_vbind_bind bind;

	setup();
	first = vm;
	second = new_vm(mode);
	before = start_waiting(0, 50000);
	bound = new_syncobj();
	for (i = 0; i < 40; i++) {
		vm = i % 2 ? second : first;
		bind = map_bind(VA_START + i / 2 * PAGE, 2 * PAGE, i * PAGE);
		bind_async(&bind, 1, i < 2 ? before : 0, i == 39 ? bound : 0);
	}
	wait_for(bound, 0);
	vm = first;
	expect(0, vbind_unmap(fd, first, VA_END - PAGE, PAGE));
	run_cmd(first, vbind_cmd_compare(VA_START + 19 * PAGE, 2 * PAGE,
					 bo_word(bo_id, 38 * PAGE), 8));
	run_cmd(second, vbind_cmd_compare(VA_START + 19 * PAGE, 2 * PAGE,
					  bo_word(bo_id, 39 * PAGE), 8));
}

const struct test sync_tests[] = {
	{ "async: a bind waits for a job, and a job for the bind",
	  test_async_chain, true },
	{ "async: what VM_QUERY tells meanwhile", test_async_query, true },
	{ "async: binds are carried out in order", test_async_order, true },
	{ "async: a synchronous bind comes last", test_sync_after_async, true },
	{ "async: timelines order binds and jobs", test_timeline, true },
	{ "async: queues are independent", test_queues, true },
	{ "async: bad syncobjs and binds change nothing", test_async_errors, true },
	{ "async: a BO in queued binds of two VMs", test_async_two_vms, true },
	{ "a file has a limited number of jobs", test_job_limit, true },
	{ "VM_DESTROY with queued jobs", test_destroy_with_jobs, true },
	{ "VM_DESTROY while jobs begin", test_destroy_while_jobs_begin, true },
	{ "closing a file with queued jobs", test_close_with_jobs, true },
	{ NULL, NULL, false },
};
