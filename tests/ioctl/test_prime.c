// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* vbind-test: BOs in several files, VMs and drivers, and how long they live. */

#include "test.h"

static void test_prime_sharing(void)
{
	struct drm_vbind_gem_info info;
	uint32_t handle = new_bo(PAGE), imported;
	uint64_t id = id_of(handle);
	int other = open_device();
	uint8_t *here, *there;

	expect_value(handle, import_bo(fd, handle, fd));
	imported = import_bo(fd, handle, other);
	expect(0, vbind_gem_info(other, imported, &info));
	expect_value(id, info.bo_id);

	here = map_bo(fd, handle);
	there = map_bo(other, imported);
	here[7] = 0x77;
	expect_value(0x77, there[7]);
	munmap(here, PAGE);
	munmap(there, PAGE);
	close(other);
}

static void test_prime_private(void)
{
	uint32_t handle;
	int prime;

	setup();
	handle = new_private_bo(PAGE, vm);
	check(drmPrimeHandleToFD(fd, handle, DRM_CLOEXEC, &prime) &&
	      errno == EPERM, "a private BO can be exported");
}

static void test_private_bo(void)
{
	uint32_t handle, other_vm;
	struct drm_vbind_gem_info info;
	struct snapshot before;

	setup();
	other_vm = new_vm(mode);
	handle = new_private_bo(4 * PAGE, vm);
	expect(0, vbind_gem_info(fd, handle, &info));
	expect_value(DRM_VBIND_GEM_VM_PRIVATE, info.flags);
	expect(0, vbind_map(fd, vm, VA_START, 4 * PAGE, handle, 0));

	populate(other_vm);
	before = take_snapshot(other_vm);
	expect(-EINVAL, vbind_map(fd, other_vm, VA_START, PAGE, handle, 0));
	check_unchanged(other_vm, "a foreign VM's BO", &before);

	/* A new VM with the same id is another VM. */
	expect(0, vbind_vm_destroy(fd, vm));
	expect_value(vm, new_vm(mode));
	expect(-EINVAL, vbind_map(fd, vm, VA_START, PAGE, handle, 0));
}

/*
 * The last reference on a BO goes in an unmap, in a map over it, with the VM; the
 * BO is private, so that it shares its lock with others.
 */
static void test_private_bo_freed_by_bind(void)
{
	uint32_t handle, second;

	setup();
	second = new_private_bo(4 * PAGE, vm);
	expect(0, vbind_map(fd, vm, VA_START + 64 * PAGE, PAGE, second, 0));

	handle = new_private_bo(4 * PAGE, vm);
	expect(0, vbind_map(fd, vm, VA_START, 4 * PAGE, handle, 0));
	expect(0, vbind_gem_close(fd, handle));
	check_stats(3, 1, 2);
	expect(0, vbind_unmap(fd, vm, VA_START + PAGE, 2 * PAGE));
	check_stats(3, 1, 3);
	expect(0, vbind_unmap(fd, vm, VA_START, 4 * PAGE));
	check_stats(2, 1, 1);

	handle = new_private_bo(4 * PAGE, vm);
	expect(0, vbind_map(fd, vm, VA_START, 4 * PAGE, handle, 0));
	expect(0, vbind_gem_close(fd, handle));
	expect(0, vbind_map(fd, vm, VA_START, 4 * PAGE, second, 0));
	check_stats(2, 1, 2);

	expect(0, vbind_gem_close(fd, second));
	expect(0, vbind_gem_close(fd, bo));
	check_stats(1, 1, 2);
	expect(0, vbind_vm_destroy(fd, vm));
	check_stats(0, 0, 0);
}

static void test_private_bo_outlives_vm(void)
{
	uint32_t handle;
	uint8_t *ptr;

	setup();
	handle = new_private_bo(PAGE, vm);
	expect(0, vbind_map(fd, vm, VA_START, PAGE, handle, 0));
	expect(0, vbind_vm_destroy(fd, vm));
	ptr = map_bo(fd, handle);
	ptr[0] = 1;
	munmap(ptr, PAGE);
	expect(0, vbind_gem_close(fd, handle));
}

static void test_shared_bo_outlives_handle(void)
{
	struct drm_vbind_mapping expected[1];

	setup();
	expect(0, vbind_map(fd, vm, VA_START, 2 * PAGE, bo, PAGE));
	expect(0, vbind_gem_close(fd, bo));
	expect(-ENOENT, vbind_map(fd, vm, VA_START + 8 * PAGE, PAGE, bo, 0));
	expect(0, vbind_unmap(fd, vm, VA_START, PAGE));
	expected[0] = bo_mapping(1, 1, 2);
	check_mappings(vm, "without a handle", expected, 1);
	check_stats(1, 1, 1);
	expect(0, vbind_unmap(fd, vm, VA_START, 2 * PAGE));
	check_stats(0, 1, 0);
}

static void test_shared_bo_in_two_vms(void)
{
	struct drm_vbind_mapping expected[1];
	int other = open_device();
	uint32_t second, imported, other_vm, i;

	setup();
	second = new_vm(mode);
	imported = import_bo(fd, bo, other);
	expect(0, vbind_vm_create(other, 0, VA_END, 0, 0, mode, &other_vm));
	for (i = 0; i < 8; i++) {
		expect(0, vbind_map(fd, vm, VA_START + i * PAGE, PAGE, bo, 0));
		expect(0, vbind_map(fd, second, VA_START + i * PAGE, PAGE, bo, 0));
		expect(0, vbind_map(other, other_vm, i * PAGE, PAGE, imported, 0));
	}

	/* Each VM has its own mappings, whoever goes first. */
	expect(0, vbind_unmap(fd, vm, VA_START + PAGE, 7 * PAGE));
	expect_value(8, vbind_vm_query(fd, second, NULL, NULL));
	expect(0, vbind_vm_destroy(fd, second));
	expected[0] = bo_mapping(0, 1, 0);
	check_mappings(vm, "with two other VMs", expected, 1);
	expect_value(8, vbind_vm_query(other, other_vm, NULL, NULL));
	expect(0, vbind_gem_close(fd, bo));
	close(other);
	check_mappings(vm, "alone again", expected, 1);
}

/* One BO cannot have its mappings listed under two different locks. */
static void test_shared_bo_in_both_modes(void)
{
	struct snapshot before;
	uint32_t other_vm;

	setup();
	other_vm = new_vm(mode ^ DRM_VBIND_VM_IMMEDIATE);
	expect(0, vbind_map(fd, vm, VA_START, 2 * PAGE, bo, 0));
	before = take_snapshot(other_vm);
	expect(-EBUSY, vbind_map(fd, other_vm, VA_START, PAGE, bo, 0));
	check_unchanged(other_vm, "bound in a VM of the other mode", &before);

	expect(0, vbind_unmap(fd, vm, VA_START, PAGE));
	expect(-EBUSY, vbind_map(fd, other_vm, VA_START, PAGE, bo, 0));
	expect(0, vbind_unmap(fd, vm, VA_START + PAGE, PAGE));
	expect(0, vbind_map(fd, other_vm, VA_START, PAGE, bo, 0));
	expect(-EBUSY, vbind_map(fd, vm, VA_START, PAGE, bo, 0));
	expect(0, vbind_vm_destroy(fd, other_vm));
	expect(0, vbind_map(fd, vm, VA_START, PAGE, bo, 0));
}

static void test_close_with_everything(void)
{
	int other = fd, i;
	uint32_t ids[4], handle;

	for (i = 0; i < 4; i++) {
		ids[i] = new_vm(mode);
		handle = new_private_bo(8 * PAGE, ids[i]);
		expect(0, vbind_map(fd, ids[i], VA_START, 8 * PAGE, handle, 0));
		expect(0, vbind_map_sparse(fd, ids[i], VA_START + PAGE, PAGE));
	}
	handle = new_bo(PAGE);
	for (i = 0; i < 4; i++)
		expect(0, vbind_map(fd, ids[i], VA_START + 3 * PAGE, PAGE,
				    handle, 0));
	check_stats(5, 4, 20);

	fd = open_device();
	close(other);
	check_stats(0, 0, 0);
}

static void test_imported_bo(void)
{
	struct drm_mode_create_dumb dumb = { .width = 1024, .height = 8, .bpp = 32 };
	struct drm_vbind_gem_info info;
	int vgem = open_vgem();
	uint32_t imported, second;

	expect(0, vbind_ioctl(vgem, DRM_IOCTL_MODE_CREATE_DUMB, &dumb));
	setup();
	second = new_vm(mode);
	imported = import_bo(vgem, dumb.handle, fd);
	expect(0, vbind_gem_info(fd, imported, &info));
	expect_value(dumb.size, info.size);
	check_stats(2, 2, 0);

	expect(0, vbind_map(fd, vm, VA_START, 8 * PAGE, imported, 0));
	expect(0, vbind_map(fd, second, VA_START, 4 * PAGE, imported, 4 * PAGE));
	expect(-EINVAL, vbind_map(fd, vm, VA_START, PAGE, imported, dumb.size));
	expect(0, vbind_unmap(fd, vm, VA_START + PAGE, PAGE));
	close(vgem);
	expect(0, vbind_gem_close(fd, imported));
	check_stats(2, 2, 3);
	expect(0, vbind_map_sparse(fd, vm, VA_START, 8 * PAGE));
	expect(0, vbind_vm_destroy(fd, second));
	check_stats(1, 1, 1);
}

const struct test prime_tests[] = {
	{ "PRIME: a BO is the same in another file", test_prime_sharing, false },
	{ "PRIME: a private BO cannot be exported", test_prime_private, true },
	{ "a private BO is bound in its own VM only", test_private_bo, true },
	{ "a private BO's last reference goes in a bind",
	  test_private_bo_freed_by_bind, true },
	{ "a private BO outlives its VM", test_private_bo_outlives_vm, true },
	{ "a BO outlives its handle while it is bound",
	  test_shared_bo_outlives_handle, true },
	{ "a BO is bound in several VMs and files", test_shared_bo_in_two_vms, true },
	{ "a BO is not bound in VMs of both modes", test_shared_bo_in_both_modes, true },
	{ "closing a file with all that is in it", test_close_with_everything, true },
	{ "a BO of another driver is bound like our own", test_imported_bo, true },
	{}
};
