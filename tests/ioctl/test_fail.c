// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * vbind-test: failing allocations. The kernel's fault injection makes the n-th one
 * of a call fail, for ever larger n, until the call does not have that many.
 */

#include "test.h"

static int fail_nth_file = -1;

static void write_setting(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);

	if (file < 0 || write(file, text, strlen(text)) < 0)
		skip("the kernel has no fault injection for slab allocations");
	close(file);
}

static void open_fail_nth(void)
{
	/* By default, allocations that may sleep are not made to fail. */
	write_setting("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	write_setting("/sys/kernel/debug/failslab/verbose", "0");
	fail_nth_file = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth_file < 0)
		skip("the kernel has no fault injection");
}

static void fail_nth(unsigned int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	check(pwrite(fail_nth_file, text, strlen(text), 0) > 0, "fail-nth: %s",
	      strerror(errno));
}

/* Whether an allocation did fail since fail_nth() */
static bool end_fail_nth(void)
{
	char text[16] = "";

	check(pread(fail_nth_file, text, sizeof(text) - 1, 0) > 0, "fail-nth: %s",
	      strerror(errno));
	fail_nth(0);
	return !atoi(text);
}

static int sweep_bind(void)
{
	struct drm_vbind_bind binds[] = {
		map_bind(VA_START + PAGE, 30 * PAGE, PAGE),
		range_bind(SPARSE, VA_START + 4 * PAGE, PAGE),
		range_bind(UNMAP, VA_START + 8 * PAGE, 100 * PAGE),
		map_bind(VA_END - PAGE, PAGE, 0),
	};

	/* A BO that this VM does not know yet */
	binds[3].handle = bo + 1;
	return vbind_vm_bind(fd, vm, binds, ARRAY_SIZE(binds), NULL);
}

static uint32_t sweep_syncobj;

static int sweep_bind_async(void)
{
	struct drm_vbind_sync sync = vbind_sync_out(sweep_syncobj, 1);
	struct drm_vbind_bind binds[] = {
		range_bind(UNMAP, VA_START + 8 * PAGE, 100 * PAGE),
		map_bind(VA_END - PAGE, PAGE, 0),
		range_bind(UNMAP_BO, 0, 0),
	};

	binds[1].handle = bo + 1;
	binds[2].handle = bo;
	return vbind_vm_bind_async(fd, vm, binds, ARRAY_SIZE(binds), &sync, 1,
				   NULL);
}

static int sweep_exec(void)
{
	struct drm_vbind_sync sync = vbind_sync_out(sweep_syncobj, 0);
	struct drm_vbind_cmd cmd = vbind_cmd_wait(0);

	return vbind_exec(fd, vm, 0, &cmd, 1, &sync, 1, NULL);
}

static int sweep_query(void)
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

static int sweep_vm_create(void)
{
	uint32_t id;
	int ret = vbind_vm_create(fd, 0, PAGE, 0, 0, mode, &id);

	return ret ? ret : vbind_vm_destroy(fd, id);
}

static int sweep_gem_create(void)
{
	uint32_t handle;
	int ret = vbind_gem_create(fd, PAGE, DRM_VBIND_GEM_VM_PRIVATE, vm, &handle);

	return ret ? ret : vbind_gem_close(fd, handle);
}

/* Returns how many allocations were made to fail. */
static unsigned int sweep(const char *what, int (*call)(void))
{
	struct snapshot before;
	bool failed = true;
	unsigned int n;
	int ret;

	for (n = 1; failed; n++) {
		expect(0, vbind_unmap(fd, vm, VA_START, RSV_START - VA_START));
		expect(0, vbind_unmap(fd, vm, RSV_END, VA_END - RSV_END));
		populate(vm);
		before = take_snapshot(vm);

		fail_nth(n);
		ret = call();
		failed = end_fail_nth();
		/* For shmem, no inode is no space. */
		check(!ret || (failed && (ret == -ENOMEM || ret == -ENOSPC)),
		      "%s, allocation %u: %s", what, n, result_name(ret));
		if (ret) {
			check_stats(2, 1, 6);
			check_unchanged(vm, what, &before);
		} else {
			free(before.mappings);
		}
	}
	return n - 2;
}

static void test_failing_allocations(void)
{
	setup();
	expect_value(bo + 1, new_bo(PAGE));
	open_fail_nth();

	check(sweep("VM_BIND", sweep_bind) >= 10, "too few allocations in VM_BIND");
	expect(0, drmSyncobjCreate(fd, 0, &sweep_syncobj));
	check(sweep("VM_BIND, asynchronous", sweep_bind_async) >= 10,
	      "too few allocations in an asynchronous VM_BIND");
	check(sweep("EXEC", sweep_exec) >= 3, "too few allocations in EXEC");
	check(sweep("VM_QUERY", sweep_query) >= 1, "no allocation in VM_QUERY");
	check(sweep("VM_CREATE", sweep_vm_create) >= 2,
	      "too few allocations in VM_CREATE");
	check(sweep("GEM_CREATE", sweep_gem_create) >= 2,
	      "too few allocations in GEM_CREATE");
	close(fail_nth_file);
}

const struct test fail_tests[] = {
	{ "every allocation that fails leaves all as it was",
	  test_failing_allocations, true },
	{}
};
