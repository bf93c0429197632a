// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* vbind-test: VM_CREATE and VM_DESTROY. */

#include "test.h"

static void test_vm_create(void)
{
	struct drm_vbind_vm_query query;
	uint32_t id = new_vm(mode);

	expect(0, vbind_vm_query(fd, id, &query, NULL));
	expect_value(VA_START, query.va_start);
	expect_value(VA_RANGE, query.va_range);
	expect_value(RSV_START, query.reserved_start);
	expect_value(RSV_RANGE, query.reserved_range);
	expect_value(mode, query.vm_flags);
	expect_value(0, query.num_mappings);
}

static void test_vm_create_without_reserved_range(void)
{
	struct drm_vbind_vm_query query;
	uint32_t id;

	setup();
	expect(0, vbind_vm_create(fd, 0, VA_END, 0, 0, mode, &id));
	expect(0, vbind_vm_query(fd, id, &query, NULL));
	expect_value(0, query.va_start);
	expect_value(0, query.reserved_start);
	expect_value(0, query.reserved_range);
	expect(0, vbind_map(fd, id, 0, PAGE, bo, 0));
	expect(0, vbind_map_sparse(fd, id, 0, VA_END));
}

static void test_vm_create_errors(void)
{
	static const struct {
		const char *what;
		struct drm_vbind_vm_create args;
	} cases[] = {
		{ "empty", { .va_start = PAGE } },
		{ "unaligned start", { .va_start = 1, .va_range = PAGE } },
		{ "unaligned range", { .va_range = PAGE + 1 } },
		{ "range below a page", { .va_range = PAGE - 1 } },
		{ "one page beyond 2^64",
		  { .va_start = -PAGE, .va_range = 2 * PAGE } },
		{ "half beyond 2^64",
		  { .va_start = 1ULL << 63, .va_range = (1ULL << 63) + PAGE } },
		{ "reserved before the start",
		  { .va_start = PAGE, .va_range = PAGE, .reserved_start = 0,
		    .reserved_range = PAGE } },
		{ "reserved across the start",
		  { .va_start = PAGE, .va_range = 2 * PAGE, .reserved_start = 0,
		    .reserved_range = 2 * PAGE } },
		{ "reserved after the end",
		  { .va_range = PAGE, .reserved_start = PAGE,
		    .reserved_range = PAGE } },
		{ "reserved across the end",
		  { .va_range = 2 * PAGE, .reserved_start = PAGE,
		    .reserved_range = 2 * PAGE } },
		{ "reserved larger than all",
		  { .va_start = PAGE, .va_range = PAGE,
		    .reserved_range = 3 * PAGE } },
		{ "reserved beyond 2^64",
		  { .va_range = -PAGE, .reserved_start = -2 * PAGE,
		    .reserved_range = 4 * PAGE } },
		{ "reserved start unaligned",
		  { .va_range = 4 * PAGE, .reserved_start = 1,
		    .reserved_range = PAGE } },
		{ "reserved range unaligned",
		  { .va_range = 4 * PAGE, .reserved_start = PAGE,
		    .reserved_range = 1 } },
		{ "reserved start without range",
		  { .va_range = 4 * PAGE, .reserved_start = PAGE } },
		{ "unknown flag", { .va_range = PAGE, .flags = 4 } },
		{ "last flag", { .va_range = PAGE, .flags = 1U << 31 } },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct drm_vbind_vm_create args = cases[i].args;
		int ret;

		args.flags |= mode;
		ret = vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_CREATE, &args);
		check(ret == -EINVAL, "%s: %s instead of EINVAL", cases[i].what,
		      result_name(ret));
	}
	expect(-EFAULT, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_CREATE, NULL));
	check_stats(0, 0, 0);
}

static void test_vm_last_page(void)
{
	struct drm_vbind_mapping expected[] = {
		{ .addr = -4 * PAGE, .range = PAGE,
		  .flags = DRM_VBIND_MAPPING_SPARSE },
		{ .addr = -3 * PAGE, .range = 2 * PAGE, .offset = PAGE },
		{ .addr = -PAGE, .range = PAGE, .flags = DRM_VBIND_MAPPING_SPARSE },
	};
	uint32_t id;

	setup();
	expected[1].bo_id = bo_id;
	expect(0, vbind_vm_create(fd, -16 * PAGE, 16 * PAGE, -16 * PAGE, PAGE,
				  mode, &id));
	expect(0, vbind_map_sparse(fd, id, -4 * PAGE, 4 * PAGE));
	expect(0, vbind_map(fd, id, -3 * PAGE, 2 * PAGE, bo, PAGE));
	check_mappings(id, "up to the last page", expected, 3);

	expect(0, vbind_map(fd, id, -PAGE, PAGE, bo, 0));
	expect(-EINVAL, vbind_map(fd, id, -PAGE, 2 * PAGE, bo, 0));
	expect(-EINVAL, vbind_map(fd, id, 0, PAGE, bo, 0));
	expect(-EINVAL, vbind_unmap(fd, id, -PAGE, 2 * PAGE));
	expect(-EINVAL, vbind_unmap(fd, id, -16 * PAGE, 16 * PAGE));
	expect(0, vbind_unmap(fd, id, -15 * PAGE, 15 * PAGE));
	check_empty(id);
}

static void test_vm_largest(void)
{
	struct drm_vbind_mapping expected[] = {
		{ .addr = PAGE, .range = (1ULL << 63) - PAGE,
		  .flags = DRM_VBIND_MAPPING_SPARSE },
		{ .addr = 1ULL << 63, .range = PAGE },
		{ .addr = (1ULL << 63) + PAGE, .range = (1ULL << 63) - PAGE,
		  .flags = DRM_VBIND_MAPPING_SPARSE },
	};
	uint32_t id;

	setup();
	expected[1].bo_id = bo_id;
	expect(0, vbind_vm_create(fd, PAGE, -PAGE, 0, 0, mode, &id));
	expect(0, vbind_map_sparse(fd, id, PAGE, -PAGE));
	expect(0, vbind_map(fd, id, 1ULL << 63, PAGE, bo, 0));
	check_mappings(id, "a mapping in the middle", expected, 3);
	expect(-EINVAL, vbind_unmap(fd, id, 0, PAGE));
	expect(0, vbind_unmap(fd, id, PAGE, -PAGE));
	check_empty(id);
}

static void test_vm_all_reserved(void)
{
	uint32_t id;

	setup();
	expect(0, vbind_vm_create(fd, PAGE, 8 * PAGE, PAGE, 8 * PAGE, mode, &id));
	expect(-EINVAL, vbind_map(fd, id, PAGE, PAGE, bo, 0));
	expect(-EINVAL, vbind_unmap(fd, id, 8 * PAGE, PAGE));
	check_empty(id);
}

static void test_vm_ids(void)
{
	int other = open_device();
	uint32_t id;

	/* Every file counts from one, and sees its own VMs only. */
	expect_value(1, new_vm(mode));
	expect_value(2, new_vm(mode));
	expect(0, vbind_vm_create(other, 0, PAGE, 0, 0, mode, &id));
	expect_value(1, id);
	expect(-ENOENT, vbind_vm_destroy(other, 2));
	expect(-ENOENT, vbind_map_sparse(other, 2, 0, PAGE));
	expect(-ENOENT, vbind_vm_query(other, 2, NULL, NULL));
	expect(0, vbind_vm_destroy(fd, 1));
	expect(0, vbind_vm_destroy(other, 1));
	close(other);
}

static void test_vm_destroy(void)
{
	struct drm_vbind_vm_destroy padded = { .pad = 1 };
	uint32_t handle;

	setup();
	populate(vm);
	padded.vm_id = vm;
	expect(-EINVAL, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_DESTROY, &padded));
	expect(-ENOENT, vbind_vm_destroy(fd, 0));
	expect(-ENOENT, vbind_vm_destroy(fd, vm + 1));
	expect(-ENOENT, vbind_vm_destroy(fd, ~0U));
	check_stats(1, 1, 6);

	expect(0, vbind_vm_destroy(fd, vm));
	check_stats(1, 0, 0);
	expect(-ENOENT, vbind_vm_destroy(fd, vm));
	expect(-ENOENT, vbind_map_sparse(fd, vm, VA_START, PAGE));
	expect(-ENOENT, vbind_vm_query(fd, vm, NULL, NULL));
	expect(-ENOENT, vbind_gem_create(fd, PAGE, DRM_VBIND_GEM_VM_PRIVATE, vm,
					 &handle));
}

static void test_vm_limit(void)
{
	uint32_t i, id;

	for (i = 0; i < DRM_VBIND_MAX_VMS; i++)
		expect(0, vbind_vm_create(fd, 0, PAGE, 0, 0, mode, &id));
	expect(-ENOSPC, vbind_vm_create(fd, 0, PAGE, 0, 0, mode, &id));
	expect(0, vbind_vm_destroy(fd, 17));
	expect(0, vbind_vm_create(fd, 0, PAGE, 0, 0, mode, &id));
	expect_value(17, id);
	expect(-ENOSPC, vbind_vm_create(fd, 0, PAGE, 0, 0, mode, &id));
}

const struct test vm_tests[] = {
	{ "VM_CREATE: the query tells what was asked for", test_vm_create, true },
	{ "VM_CREATE without reserved range",
	  test_vm_create_without_reserved_range, true },
	{ "VM_CREATE refuses bad ranges and flags", test_vm_create_errors, true },
	{ "a VM with the last page of 2^64", test_vm_last_page, true },
	{ "the largest VM", test_vm_largest, true },
	{ "a VM that is reserved as a whole", test_vm_all_reserved, true },
	{ "ids of VMs belong to a file", test_vm_ids, true },
	{ "VM_DESTROY removes all mappings, once", test_vm_destroy, true },
	{ "a file has a limited number of VMs", test_vm_limit, false },
	{}
};
