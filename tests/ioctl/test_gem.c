// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* vbind-test: GEM_CREATE, GEM_INFO, mmap. */

#include "test.h"

static void test_gem_create(void)
{
	struct drm_vbind_gem_create args = { .size = 3 * PAGE };
	struct drm_vbind_gem_info info;

	expect(0, vbind_ioctl(fd, DRM_IOCTL_VBIND_GEM_CREATE, &args));
	check(args.handle, "a handle of 0");
	check(args.size >= 3 * PAGE && !(args.size % PAGE), "size %" PRIu64,
	      (uint64_t)args.size);
	expect(0, vbind_gem_info(fd, args.handle, &info));
	expect_value(args.size, info.size);
	expect_value(0, info.flags);
	check(info.bo_id && info.bo_id != id_of(new_bo(PAGE)),
	      "the id of the BO is not unique");
}

static void test_gem_mmap(void)
{
	uint8_t *first, *second;
	uint32_t handle;
	unsigned int i;

	/* new_bo() would fill it. */
	expect(0, vbind_gem_create(fd, 2 * PAGE, 0, 0, &handle));
	first = map_bo(fd, handle);
	second = map_bo(fd, handle);
	for (i = 0; i < 2 * PAGE; i++)
		check(!first[i], "byte %u of a new BO is 0x%x", i, first[i]);
	first[PAGE + 5] = 0x5a;
	expect_value(0x5a, second[PAGE + 5]);
	munmap(first, 2 * PAGE);

	/* The mapping keeps the BO. */
	expect(0, vbind_gem_close(fd, handle));
	expect_value(0x5a, second[PAGE + 5]);
	munmap(second, 2 * PAGE);
}

static void test_gem_create_errors(void)
{
	static const struct {
		const char *what;
		struct drm_vbind_gem_create args;
		int error;
	} cases[] = {
		{ "no size", { .size = 0 }, -EINVAL },
		{ "size of a byte", { .size = 1 }, -EINVAL },
		{ "size just below a page", { .size = PAGE - 1 }, -EINVAL },
		{ "size just above a page", { .size = PAGE + 1 }, -EINVAL },
		{ "size of 2^63", { .size = 1ULL << 63 }, -EINVAL },
		{ "size of 2^62", { .size = 1ULL << 62 }, -ENOSPC },
		{ "size of 2^64 - 4096", { .size = -PAGE }, -EINVAL },
		{ "unknown flag", { .size = PAGE, .flags = 2 }, -EINVAL },
		{ "last flag", { .size = PAGE, .flags = 1U << 31 }, -EINVAL },
		{ "pad", { .size = PAGE, .pad = 1 }, -EINVAL },
		{ "VM of a shareable BO", { .size = PAGE, .vm_id = 1 }, -EINVAL },
		{ "private without VM",
		  { .size = PAGE, .flags = DRM_VBIND_GEM_VM_PRIVATE }, -ENOENT },
		{ "private in an unknown VM",
		  { .size = PAGE, .flags = DRM_VBIND_GEM_VM_PRIVATE, .vm_id = 99 },
		  -ENOENT },
		{ "private with bad size",
		  { .size = 1, .flags = DRM_VBIND_GEM_VM_PRIVATE, .vm_id = 1 },
		  -EINVAL },
	};
	unsigned int i;

	expect_value(1, new_vm(0));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct drm_vbind_gem_create args = cases[i].args;
		int ret = vbind_ioctl(fd, DRM_IOCTL_VBIND_GEM_CREATE, &args);

		check(ret == cases[i].error, "%s: %s instead of %s",
		      cases[i].what, result_name(ret),
		      result_name(cases[i].error));
	}
	expect(-EFAULT, vbind_ioctl(fd, DRM_IOCTL_VBIND_GEM_CREATE, NULL));
	check_stats(0, 1, 0);
}

/* What a file creates counts as long as it exists, and for that file alone. */
static void test_gem_limit(void)
{
	const uint64_t part = DRM_VBIND_MAX_FILE_BYTES / 4;
	uint32_t handles[4], handle, shared;
	int other = open_device(), i;

	expect(-ENOSPC, vbind_gem_create(fd, DRM_VBIND_MAX_FILE_BYTES + PAGE, 0, 0,
					 &handle));
	for (i = 0; i < 4; i++)
		expect(0, vbind_gem_create(fd, part, 0, 0, &handles[i]));
	expect(-ENOSPC, vbind_gem_create(fd, PAGE, 0, 0, &handle));
	expect(-ENOSPC, vbind_gem_create(fd, PAGE, DRM_VBIND_GEM_VM_PRIVATE,
					 new_vm(0), &handle));
	shared = import_bo(fd, handles[0], other);
	for (i = 0; i < 4; i++)
		expect(0, vbind_gem_create(other, part, 0, 0, &handle));
	expect(-ENOSPC, vbind_gem_create(other, PAGE, 0, 0, &handle));

	expect(0, vbind_gem_close(fd, handles[0]));
	expect(-ENOSPC, vbind_gem_create(fd, PAGE, 0, 0, &handle));
	expect(0, vbind_gem_close(other, shared));
	expect(-ENOSPC, vbind_gem_create(fd, part + PAGE, 0, 0, &handle));
	expect(0, vbind_gem_create(fd, part, 0, 0, &handle));
	expect(-ENOSPC, vbind_gem_create(fd, PAGE, 0, 0, &handle));

	/* A BO may outlive the file that it counts for. */
	import_bo(fd, handle, other);
	close(fd);
	fd = other;
	check_stats(5, 0, 0);
}

static void test_gem_info_errors(void)
{
	struct drm_vbind_gem_info info;
	uint32_t handle = new_bo(PAGE);

	expect(-ENOENT, vbind_gem_info(fd, 0, &info));
	expect(-ENOENT, vbind_gem_info(fd, handle + 1, &info));
	expect(-ENOENT, vbind_gem_info(fd, ~0U, &info));
	expect(0, vbind_gem_close(fd, handle));
	expect(-ENOENT, vbind_gem_info(fd, handle, &info));
	expect(-EINVAL, vbind_gem_close(fd, handle));
}

const struct test gem_tests[] = {
	{ "GEM_CREATE gives a BO with size and unique id", test_gem_create, false },
	{ "a BO can be mapped by the CPU and is zero at first", test_gem_mmap, false },
	{ "GEM_CREATE refuses bad sizes, flags, VMs and padding",
	  test_gem_create_errors, false },
	{ "a file's BOs have a limited size together", test_gem_limit, false },
	{ "GEM_INFO refuses bad handles", test_gem_info_errors, false },
	{}
};
