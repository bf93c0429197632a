// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* panthor-test: VM_CREATE, BO_CREATE, VM_BIND, and what is in the tables afterwards. */

#include "tests.h"

#define VA	0x10000000ULL
#define VA_END	0x1000000000000ULL
#define WORD	0x1000ULL

static void test_query(void)
{
	struct drm_panthor_gpu_info info = {};
	struct drm_panthor_dev_query query = {
		.type = DRM_PANTHOR_DEV_QUERY_GPU_INFO,
		.size = sizeof(info),
		.pointer = (uintptr_t)&info,
	};

	expect(0, drmIoctl(fd, DRM_IOCTL_PANTHOR_DEV_QUERY, &query) ? -errno : 0);
	check(info.gpu_id == 0xa8670000, "the GPU is %x", info.gpu_id);
	check(DRM_PANTHOR_MMU_VA_BITS(info.mmu_features) == 48, "%x",
	      info.mmu_features);
}

static void test_vms(void)
{
	uint32_t vm, other, state;

	expect(0, pan_vm_create(VA_RANGE, &vm));
	expect(0, pan_vm_create(0, &other));
	check(vm != other, "the same id");
	expect(0, pan_vm_state(vm, &state));
	check(state == DRM_PANTHOR_VM_STATE_USABLE, "state %u", state);
	expect(0, pan_vm_destroy(vm));
	expect(-EINVAL, pan_vm_destroy(vm));
	expect(-EINVAL, pan_vm_state(vm, &state));
	expect(-EINVAL, pan_vm_create(1ULL << 48, &vm));
	expect(0, pan_vm_destroy(other));
}

static const struct {
	const char *name;
	struct drm_panthor_vm_bind_op op;
	bool with_bo;
} refused[] = {
	{ "unaligned address", { .va = VA + 1, .size = PAGE }, true },
	{ "unaligned size", { .va = VA, .size = PAGE + 1 }, true },
	{ "unaligned offset", { .va = VA, .size = PAGE, .bo_offset = 8 }, true },
	{ "beyond the BO", { .va = VA, .size = 17 * PAGE }, true },
	{ "offset at the BO's end",
	  { .va = VA, .size = PAGE, .bo_offset = 16 * PAGE }, true },
	{ "offset and size overflow",
	  { .va = VA, .size = PAGE, .bo_offset = -PAGE }, true },
	{ "beyond the VA space", { .va = VA_END, .size = PAGE }, true },
	{ "across the end of the VA space",
	  { .va = VA_END - PAGE, .size = 2 * PAGE }, true },
	{ "address and size overflow", { .va = -PAGE, .size = 2 * PAGE }, true },
	{ "unknown flag", { .flags = 1 << 20, .va = VA, .size = PAGE }, true },
	{ "unknown type", { .flags = 7 << 28, .va = VA, .size = PAGE }, true },
	{ "no BO", { .va = VA, .size = PAGE }, false },
	{ "sparse with a BO",
	  { .flags = SPARSE | NOEXEC, .va = VA, .size = PAGE }, true },
	{ "unmap with a BO", { .flags = OP_UNMAP, .va = VA, .size = PAGE }, true },
	{ "unmap beyond the VA space",
	  { .flags = OP_UNMAP, .va = VA_END, .size = PAGE }, false },
};

/* The mapping that was there before is there afterwards. */
static void test_refused(void)
{
	struct client c = new_client();
	uint32_t bo = new_bo(16 * PAGE, WORD);
	struct drm_panthor_vm_bind_op op = pan_map(bo, 0, VA, 16 * PAGE, NOEXEC);
	unsigned int i, n;
	struct run *runs;
	int ret;

	keep_awake(true);
	expect(0, pan_bind(c.vm, &op, 1, false));
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		op = refused[i].op;
		op.bo_handle = refused[i].with_bo ? bo : 0;
		ret = pan_bind(c.vm, &op, 1, false);
		check(ret == -EINVAL, "%s: %s", refused[i].name, result_name(ret));
	}
	n = read_tables(&runs);
	check(n == 1 && runs[0].va == VA && runs[0].pages == 16 &&
	      runs[0].word == WORD, "%u runs, %" PRIu64 " pages", n, runs[0].pages);
	free(runs);
	end_client(&c);
	keep_awake(false);
}

/* Each ends with what is in the tables from VA on: first page, pages, page of the BO. */
static const struct step {
	const char *name;
	uint32_t type;
	uint64_t first, pages, offset;
	struct {
		uint64_t first, pages, offset;
	} runs[4];
} steps[] = {
	{ "map", OP_MAP, 0, 16, 0, { { 0, 16, 0 } } },
	{ "unmap the middle", OP_UNMAP, 4, 4, 0, { { 0, 4, 0 }, { 8, 8, 8 } } },
	{ "unmap the front", OP_UNMAP, 0, 2, 0, { { 2, 2, 2 }, { 8, 8, 8 } } },
	{ "map over the hole", OP_MAP, 3, 6, 3, { { 2, 14, 2 } } },
	{ "map something else", OP_MAP, 6, 3, 0,
	  { { 2, 4, 2 }, { 6, 3, 0 }, { 9, 7, 9 } } },
	{ "the same again", OP_MAP, 6, 3, 0,
	  { { 2, 4, 2 }, { 6, 3, 0 }, { 9, 7, 9 } } },
	{ "all from another page", OP_MAP, 0, 14, 2, { { 0, 14, 2 }, { 14, 2, 14 } } },
	{ "unmap all", OP_UNMAP, 0, 16, 0, { } },
};

static void check_step(const struct step *step)
{
	unsigned int i, n, expected = 0;
	struct run *runs;

	while (expected < ARRAY_SIZE(step->runs) && step->runs[expected].pages)
		expected++;
	n = read_tables(&runs);
	check(n == expected, "%s: %u runs instead of %u", step->name, n, expected);
	for (i = 0; i < expected; i++)
		check(runs[i].va == VA + step->runs[i].first * PAGE &&
		      runs[i].pages == step->runs[i].pages &&
		      runs[i].word == WORD + step->runs[i].offset,
		      "%s: run %u is %" PRIu64 " pages of %" PRIx64 " at %" PRIx64,
		      step->name, i, runs[i].pages, runs[i].word, runs[i].va);
	free(runs);
}

static void run_steps(bool async)
{
	struct client c = new_client();
	uint32_t bo = new_bo(16 * PAGE, WORD);
	unsigned int i;

	keep_awake(true);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		uint64_t va = VA + steps[i].first * PAGE;
		uint64_t size = steps[i].pages * PAGE;
		struct drm_panthor_vm_bind_op op =
			steps[i].type == OP_MAP ?
			pan_map(bo, steps[i].offset * PAGE, va, size, NOEXEC) :
			pan_unmap(va, size);
		struct drm_panthor_sync_op sync = {
			.flags = DRM_PANTHOR_SYNC_OP_SIGNAL,
		};

		if (async) {
			expect(0, drmSyncobjCreate(fd, 0, &sync.handle));
			op.syncs = (struct drm_panthor_obj_array)
				DRM_PANTHOR_OBJ_ARRAY(1, &sync);
		}
		expect(0, pan_bind(c.vm, &op, 1, async));
		if (async) {
			expect(0, pan_wait(sync.handle));
			drmSyncobjDestroy(fd, sync.handle);
		}
		check_step(&steps[i]);
	}
	end_client(&c);
	keep_awake(false);
}

static void test_sync_steps(void)
{
	run_steps(false);
}

static void test_async_steps(void)
{
	run_steps(true);
}

/* Operations of an array are carried out in order. */
static void test_array(void)
{
	struct client c = new_client();
	uint32_t bo = new_bo(256 * PAGE, WORD);
	struct drm_panthor_vm_bind_op ops[256];
	struct run *runs;
	unsigned int i, n;

	keep_awake(true);
	/* All pages, backwards, one over the other: the last one shows the first. */
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		ops[i] = pan_map(bo, (255 - i) * PAGE, VA + i / 2 * PAGE, PAGE,
				 NOEXEC);
	expect(0, pan_bind(c.vm, ops, ARRAY_SIZE(ops), false));
	n = read_tables(&runs);
	check(n == 128, "%u runs", n);
	for (i = 0; i < 128; i++)
		check(runs[i].va == VA + i * PAGE && runs[i].word == WORD + 254 - 2 * i,
		      "page %u: %" PRIx64, i, runs[i].word);
	free(runs);
	end_client(&c);
	keep_awake(false);
}

static const struct {
	uint32_t flags;
	const char *access;
} accesses[] = {
	{ 0, "rwx" }, { NOEXEC, "rw-" }, { READONLY, "r-x" },
	{ READONLY | NOEXEC, "r--" },
};

/* Access, and its change by mapping the same again */
static void test_access(void)
{
	struct client c = new_client();
	uint32_t bo = new_bo(PAGE, WORD);
	unsigned int i, n;
	struct run *runs;

	keep_awake(true);
	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		struct drm_panthor_vm_bind_op op =
			pan_map(bo, 0, VA, PAGE, accesses[i].flags);

		expect(0, pan_bind(c.vm, &op, 1, false));
		n = read_tables(&runs);
		check(n == 1 && !strcmp(runs[0].access, accesses[i].access),
		      "%s instead of %s", runs[0].access, accesses[i].access);
		free(runs);
	}
	end_client(&c);
	keep_awake(false);
}

const struct test bind_tests[] = {
	{ "the GPU is what the mock says", test_query },
	{ "VMs come and go", test_vms },
	{ "VM_BIND refuses what is wrong, and changes nothing", test_refused },
	{ "VM_BIND: map, cut, replace, unmap", test_sync_steps },
	{ "VM_BIND, asynchronous: map, cut, replace, unmap", test_async_steps },
	{ "VM_BIND: an array in order", test_array },
	{ "VM_BIND: access", test_access },
	{}
};
