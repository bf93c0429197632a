// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* vbind-test: VM_QUERY. */

#include "test.h"

static void test_query(void)
{
	struct drm_vbind_mapping list[8];
	struct drm_vbind_vm_query args = {
		.num_mappings = 3,
		.mapping_stride = sizeof(list[0]),
		.mappings = (uintptr_t)list,
	};

	setup();
	populate(vm);
	args.vm_id = vm;
	memset(list, 0xff, sizeof(list));

	/* Room for three of the six */
	expect(0, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_QUERY, &args));
	expect_value(6, args.num_mappings);
	expect_value(VA_START, list[0].addr);
	expect_value(DRM_VBIND_MAPPING_SPARSE, list[0].flags);
	expect_value(VA_START + 16 * PAGE, list[1].addr);
	expect_value(bo_id, list[1].bo_id);
	expect_value(~0ULL, list[3].addr);

	/* More room than is needed; the reserved range is left out. */
	args.num_mappings = 8;
	expect(0, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_QUERY, &args));
	expect_value(6, args.num_mappings);
	expect_value(RSV_START - PAGE, list[3].addr);
	expect_value(RSV_END, list[4].addr);
	expect_value(VA_END - PAGE, list[5].addr);
	expect_value(~0ULL, list[6].addr);

	args.num_mappings = ~0U;
	expect(0, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_QUERY, &args));
	expect_value(6, args.num_mappings);
}

static void test_query_larger_elements(void)
{
	struct {
		struct drm_vbind_mapping mapping;
		uint64_t more;
	} list[2];
	struct drm_vbind_vm_query args = {
		.num_mappings = 2,
		.mapping_stride = sizeof(list[0]),
		.mappings = (uintptr_t)list,
	};

	setup();
	args.vm_id = vm;
	expect(0, vbind_map(fd, vm, VA_START, PAGE, bo, 0));
	memset(list, 0xff, sizeof(list));
	expect(0, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_QUERY, &args));
	expect_value(1, args.num_mappings);
	expect_value(0, list[0].more);
	expect_value(~0ULL, list[1].mapping.addr);
}

static void test_query_errors(void)
{
	struct drm_vbind_mapping list[2];
	const struct drm_vbind_vm_query good = {
		.vm_id = 1,
		.num_mappings = 2,
		.mapping_stride = sizeof(list[0]),
		.mappings = (uintptr_t)list,
	};
	struct drm_vbind_vm_query args;

	setup();
	expect_value(1, vm);
	populate(vm);

#define QUERY_ERROR(error, field, value) do {				\
	args = good;							\
	args.field = value;						\
	expect(error, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_QUERY, &args));	\
} while (0)
	QUERY_ERROR(-ENOENT, vm_id, 0);
	QUERY_ERROR(-ENOENT, vm_id, 2);
	QUERY_ERROR(-EINVAL, flags, 1);
	QUERY_ERROR(-EINVAL, flags, 1U << 31);
	QUERY_ERROR(-EINVAL, pad, 1);
	QUERY_ERROR(-EINVAL, num_mappings, 0);
	QUERY_ERROR(-EINVAL, mapping_stride, 0);
	QUERY_ERROR(-EINVAL, mapping_stride, 32);
	QUERY_ERROR(-EINVAL, mapping_stride, 44);
	QUERY_ERROR(-EINVAL, mapping_stride, 4104);
	QUERY_ERROR(-EFAULT, mappings, 0);
	QUERY_ERROR(-EFAULT, mappings, 1ULL << 63);
	QUERY_ERROR(-EFAULT, mappings, -40ULL);
#undef QUERY_ERROR
	expect(-EFAULT, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_QUERY, NULL));
}

const struct test query_tests[] = {
	{ "VM_QUERY lists mappings, as many as there is room for", test_query, true },
	{ "VM_QUERY clears what it does not know", test_query_larger_elements, false },
	{ "VM_QUERY refuses bad fields", test_query_errors, true },
	{}
};
