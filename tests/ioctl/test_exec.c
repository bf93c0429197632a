// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * vbind-test: what commands find in memory.
 *
 * Every BO is filled with words that tell its id and their offset. So it can be
 * seen, at any address, whether the page tables lead to the right place.
 */

#include "test.h"

/* A VM with room for large pages */
#define BIG_START	(16 * M2)
#define BIG_RANGE	(64 * M2)

static uint32_t new_big_vm(void)
{
	uint32_t id = 0;

	expect(0, vbind_vm_create(fd, 0, BIG_START + BIG_RANGE, 0, 0, mode, &id));
	return id;
}

static void check_pages(uint32_t vm_id, uint64_t pages_4k, uint64_t pages_64k,
			uint64_t pages_2m)
{
	struct drm_vbind_vm_stats stats;

	expect(0, vbind_vm_stats(fd, vm_id, &stats));
	expect_value(pages_4k, stats.pages_4k);
	expect_value(pages_64k, stats.pages_64k);
	expect_value(pages_2m, stats.pages_2m);
}

static void check_now(uint32_t vm_id, const char *when)
{
	struct snapshot now = take_snapshot(vm_id);

	check_memory(vm_id, when, now);
	free(now.mappings);
}

/* Commands */

static void test_commands(void)
{
	struct drm_vbind_cmd cmds[] = {
		vbind_cmd_fill(VA_START, 4 * PAGE, 1000, 3),
		vbind_cmd_compare(VA_START, 4 * PAGE, 1000, 3),
		vbind_cmd_copy(VA_START + 8 * PAGE - 8, VA_START + 16, 2 * PAGE),
		vbind_cmd_compare(VA_START + 8 * PAGE - 8, 2 * PAGE, 1006, 3),
		vbind_cmd_write(VA_START + 15 * PAGE, 0x1234567890abcdef),
		vbind_cmd_wait(1000),
	};
	uint64_t *words;

	setup();
	expect(0, vbind_map(fd, vm, VA_START, 16 * PAGE, bo, PAGE));
	run_cmds(vm, cmds, ARRAY_SIZE(cmds));

	/* What the CPU finds, and what it writes */
	words = (uint64_t *)map_bo(fd, bo);
	expect_value(bo_word(bo_id, 0), words[0]);
	expect_value(1000, words[PAGE / WORD]);
	expect_value(1000 + 3 * 511, words[PAGE / WORD + 511]);
	expect_value(1006, words[9 * PAGE / WORD - 1]);
	expect_value(0x1234567890abcdef, words[16 * PAGE / WORD]);
	words[2 * PAGE / WORD] = 77;
	run_cmd(vm, vbind_cmd_compare(VA_START + PAGE, 8, 77, 0));
	munmap(words, BO_SIZE);
}

static void test_copy_between_mappings(void)
{
	struct drm_vbind_cmd cmds[] = {
		/* The same memory at two addresses */
		vbind_cmd_fill(VA_START, 2 * PAGE, 0, 1),
		vbind_cmd_copy(VA_START + 17 * PAGE + 8, VA_START, PAGE),
		vbind_cmd_compare(VA_START + PAGE + 8, PAGE, 0, 1),
		/* From and to where there is nothing */
		vbind_cmd_copy(VA_START, VA_START + 64 * PAGE, PAGE),
		vbind_cmd_compare(VA_START, PAGE, 0, 0),
		vbind_cmd_copy(VA_START + 64 * PAGE, VA_START + 4 * PAGE, PAGE),
		vbind_cmd_compare(VA_START + 64 * PAGE, PAGE, 0, 0),
	};

	setup();
	expect(0, vbind_map(fd, vm, VA_START, 8 * PAGE, bo, 0));
	expect(0, vbind_map(fd, vm, VA_START + 16 * PAGE, 8 * PAGE, bo, 0));
	expect(0, vbind_map_sparse(fd, vm, VA_START + 64 * PAGE, 8 * PAGE));
	run_cmds(vm, cmds, ARRAY_SIZE(cmds));
}

/* Faults */

static void test_unmapped_fault(void)
{
	struct drm_vbind_cmd cmds[] = {
		vbind_cmd_write(VA_START, 1),
		vbind_cmd_fill(VA_START, 6 * PAGE, 2, 0),
		vbind_cmd_write(VA_START, 3),
	};
	struct drm_vbind_fault fault;

	setup();
	expect(0, vbind_map(fd, vm, VA_START, 4 * PAGE, bo, 0));
	expect(-EFAULT, vbind_exec_wait(fd, vm, cmds, ARRAY_SIZE(cmds), &fault));
	expect_value(DRM_VBIND_FAULT_UNMAPPED, fault.kind);
	expect_value(VA_START + 4 * PAGE, fault.addr);
	expect_value(1, fault.cmd_index);
	expect_value(DRM_VBIND_FAULT_WRITE, fault.flags);
	expect_value(0, fault.queue);

	/* The job has ended there. The VM is as good as before. */
	run_cmd(vm, vbind_cmd_compare(VA_START, 4 * PAGE, 2, 0));
	check_nothing_at(vm, 0);
	check_nothing_at(vm, VA_START - 8);
	check_nothing_at(vm, RSV_START);
	check_nothing_at(vm, 1ULL << 63);
	check_nothing_at(vm, -8ULL);
}

static void test_readonly(void)
{
	struct drm_vbind_bind bind;

	setup();
	bind = map_bind(VA_START, 8 * PAGE, 0);
	bind.flags = DRM_VBIND_BIND_READONLY;
	expect(0, vbind_vm_bind(fd, vm, &bind, 1, NULL));
	check_now(vm, "read-only");
	expect_fault(vm, vbind_cmd_write(VA_START + PAGE, 1),
		     DRM_VBIND_FAULT_READONLY, VA_START + PAGE);
	check_now(vm, "after a write to a read-only mapping");

	/* The same memory, but not the same entries */
	expect(0, vbind_map(fd, vm, VA_START + PAGE, PAGE, bo, PAGE));
	run_cmd(vm, vbind_cmd_write(VA_START + PAGE, bo_word(bo_id, PAGE)));
	expect_fault(vm, vbind_cmd_write(VA_START + 2 * PAGE, 1),
		     DRM_VBIND_FAULT_READONLY, VA_START + 2 * PAGE);
	bind = map_bind(VA_START, 8 * PAGE, 0);
	bind.flags = DRM_VBIND_BIND_READONLY;
	expect(0, vbind_vm_bind(fd, vm, &bind, 1, NULL));
	expect_fault(vm, vbind_cmd_write(VA_START + PAGE, 1),
		     DRM_VBIND_FAULT_READONLY, VA_START + PAGE);
}

static void test_mismatch(void)
{
	struct drm_vbind_cmd cmd = vbind_cmd_compare(VA_START, PAGE, 0, 0);
	struct drm_vbind_fault fault;

	setup();
	expect(0, vbind_map(fd, vm, VA_START, PAGE, bo, 0));
	run_cmd(vm, vbind_cmd_fill(VA_START, PAGE, 0, 0));
	run_cmd(vm, vbind_cmd_write(VA_START + 800, 5));
	expect(-EFAULT, vbind_exec_wait(fd, vm, &cmd, 1, &fault));
	expect_value(DRM_VBIND_FAULT_MISMATCH, fault.kind);
	expect_value(VA_START + 800, fault.addr);
	expect_value(5, fault.value);
}

static void test_faults_are_remembered(void)
{
	struct drm_vbind_fault faults[DRM_VBIND_MAX_FAULTS];
	uint64_t lost, ids[DRM_VBIND_MAX_FAULTS + 3];
	uint32_t second;
	unsigned int i;

	setup();
	second = new_vm(mode);
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		struct drm_vbind_cmd cmd = vbind_cmd_write(VA_START + 8 * i, 1);

		expect(0, vbind_exec(fd, vm, 1, &cmd, 1, NULL, 0, &ids[i]));
	}
	/* A queue is in order, so this waits for all. */
	{
		struct drm_vbind_sync sync;
		uint32_t syncobj;

		expect(0, drmSyncobjCreate(fd, 0, &syncobj));
		sync = vbind_sync_out(syncobj, 0);
		expect(0, vbind_exec(fd, vm, 1, NULL, 0, &sync, 1, NULL));
		expect(0, vbind_syncobj_wait(fd, syncobj, 0, 60000));
	}
	expect_value(0, vbind_vm_faults(fd, second, faults, 1, &lost));
	expect_value(10, vbind_vm_faults(fd, vm, faults, 10, &lost));
	expect_value(3, lost);
	expect_value(ids[3], faults[0].job_id);
	expect_value(1, faults[0].queue);
	expect_value(VA_START + 24, faults[0].addr);
	expect_value(DRM_VBIND_MAX_FAULTS - 10,
		     vbind_vm_faults(fd, vm, faults, DRM_VBIND_MAX_FAULTS, &lost));
	expect_value(0, lost);
	expect_value(ids[13], faults[0].job_id);
	expect_value(0, vbind_vm_faults(fd, vm, faults, 1, &lost));
}

/* Sparse */

static void test_sparse_memory(void)
{
	uint32_t id;

	setup();
	expect(0, vbind_vm_create(fd, 0, 1ULL << 60, 0, 0, mode, &id));
	expect(0, vbind_map_sparse(fd, id, 0, 1ULL << 60));
	run_cmd(id, vbind_cmd_compare(1ULL << 59, M2, 0, 0));
	run_cmd(id, vbind_cmd_fill((1ULL << 50) + 8, PAGE, 1, 1));
	run_cmd(id, vbind_cmd_compare(1ULL << 50, 2 * PAGE, 0, 0));

	/* Memory in the middle of it, and back */
	expect(0, vbind_map(fd, id, 1ULL << 50, 2 * PAGE, bo, 0));
	check_now(id, "memory in a sparse mapping");
	expect(0, vbind_map_sparse(fd, id, (1ULL << 50) + PAGE, PAGE));
	check_now(id, "half of it");
	expect(0, vbind_unmap(fd, id, 1ULL << 50, PAGE));
	check_now(id, "none of it");
	expect(0, vbind_unmap(fd, id, 0, 1ULL << 60));
	check_empty(id);
	check_nothing_at(id, 1ULL << 50);
}

/* Large pages */

static void test_large_pages(void)
{
	uint32_t id = new_big_vm();

	setup();
	bo = new_bo(3 * M2);
	expect(0, vbind_map(fd, id, BIG_START, 3 * M2, bo, 0));
	check_pages(id, 0, 0, 3);
	check_now(id, "three large pages");

	/* One of them is split into 32, one of those into 16. */
	expect(0, vbind_unmap(fd, id, BIG_START + M2 + K64, PAGE));
	check_pages(id, 15, 31, 2);
	check_now(id, "a hole in a large page");
	expect(0, vbind_map(fd, id, BIG_START + M2 + K64, PAGE, bo, M2 + K64));
	check_pages(id, 16, 31, 2);
	check_now(id, "a hole that is filled");

	/* As it was */
	expect(0, vbind_map(fd, id, BIG_START, 3 * M2, bo, 0));
	check_pages(id, 0, 0, 3);
	check_now(id, "large pages again");
	expect(0, vbind_map(fd, id, BIG_START + M2 - K64, 2 * K64, bo, M2 - K64));
	check_now(id, "a mapping across two large pages");
	check_pages(id, 0, 64, 1);
	expect(0, vbind_unmap(fd, id, BIG_START, 3 * M2));
	check_pages(id, 0, 0, 0);
	check_empty(id);
}

static void test_page_sizes(void)
{
	struct drm_vbind_vm_stats stats;
	uint32_t id = new_big_vm();

	setup();
	bo = new_bo(2 * M2);
	/* Offset and address have to fit. */
	expect(0, vbind_map(fd, id, BIG_START + PAGE, M2, bo, 0));
	check_pages(id, 512, 0, 0);
	check_now(id, "nothing fits");
	expect(0, vbind_map(fd, id, BIG_START + K64, M2, bo, 0));
	check_pages(id, 15, 32, 0);
	check_now(id, "64K fits");
	expect(0, vbind_map(fd, id, BIG_START + K64, M2, bo, K64));
	check_pages(id, 15, 32, 0);
	expect(0, vbind_map(fd, id, BIG_START, M2 + K64, bo, 0));
	check_pages(id, 0, 1, 1);
	check_now(id, "2M fits");

	/* Tables go with what was in them. */
	expect(0, vbind_unmap(fd, id, BIG_START, 2 * M2));
	expect(0, vbind_vm_stats(fd, id, &stats));
	expect_value(1, stats.tables);
}

/*
 * Every kind of overlap, as in test_bind_steps(), of pages of all sizes: one
 * mapping of 8 units, of which a range is replaced or unmapped.
 */
static void check_overlap(uint32_t id, uint64_t unit, unsigned int first,
			  unsigned int count, uint32_t type, bool same)
{
	uint64_t addr = BIG_START + first * unit;
	struct drm_vbind_bind bind = range_bind(type, addr, count * unit);
	char what[80];

	snprintf(what, sizeof(what), "%u units of %" PRIu64 "K at %u, type %u",
		 count, unit / 1024, first, type);
	expect(0, vbind_unmap(fd, id, BIG_START, 16 * unit));
	expect(0, vbind_map(fd, id, BIG_START + 4 * unit, 8 * unit, bo, 4 * unit));
	if (type == MAP) {
		bind.handle = bo;
		bind.offset = same ? first * unit : 0;
	}
	expect(0, vbind_vm_bind(fd, id, &bind, 1, NULL));
	check_now(id, what);
}

static void check_overlaps(uint32_t id, uint64_t unit)
{
	static const unsigned int ranges[][2] = {
		{ 4, 8 }, { 4, 3 }, { 9, 3 }, { 6, 2 }, { 2, 4 }, { 10, 4 },
		{ 2, 12 }, { 12, 2 }, { 2, 2 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		check_overlap(id, unit, ranges[i][0], ranges[i][1], UNMAP, false);
		check_overlap(id, unit, ranges[i][0], ranges[i][1], SPARSE, false);
		check_overlap(id, unit, ranges[i][0], ranges[i][1], MAP, true);
		check_overlap(id, unit, ranges[i][0], ranges[i][1], MAP, false);
	}
}

static void test_overlaps(void)
{
	uint32_t id = new_big_vm();

	setup();
	bo = new_bo(16 * M2);
	check_overlaps(id, PAGE);
	check_overlaps(id, K64);
	check_overlaps(id, M2);
	/* Not aligned to anything, but across all sizes */
	check_overlaps(id, M2 - 5 * PAGE);
}

/* Unmaps and maps that cut many mappings at once */
static void test_over_many_large(void)
{
	uint32_t id = new_big_vm();
	unsigned int i;

	setup();
	bo = new_bo(9 * M2);
	for (i = 0; i < 8; i++)
		expect(0, vbind_map(fd, id, BIG_START + 2 * i * M2, 2 * M2, bo,
				    (7 - i) * M2 - (i == 7 ? 0 : M2 / 2)));
	check_now(id, "many mappings");
	expect(0, vbind_unmap(fd, id, BIG_START + M2 + K64, 8 * M2));
	check_now(id, "an unmap over many");
	expect(0, vbind_map(fd, id, BIG_START + 9 * M2 + 3 * PAGE, 5 * M2, bo, 0));
	check_now(id, "a map over many");
}

/* Unmap-BO */

static void test_unmap_bo(void)
{
	struct drm_vbind_bind binds[3];
	uint32_t other;
	unsigned int i;

	setup();
	other = new_bo(8 * PAGE);
	for (i = 0; i < 8; i++) {
		expect(0, vbind_map(fd, vm, VA_START + 8 * i * PAGE, 3 * PAGE,
				    bo, i * PAGE));
		expect(0, vbind_map(fd, vm, VA_START + (8 * i + 4) * PAGE, PAGE,
				    other, i * PAGE));
	}
	expect(0, vbind_unmap(fd, vm, VA_START + PAGE, PAGE));
	expect_value(17, vbind_vm_query(fd, vm, NULL, NULL));
	expect(0, vbind_unmap_bo(fd, vm, bo));
	expect_value(8, vbind_vm_query(fd, vm, NULL, NULL));
	check_now(vm, "without the BO");
	check_nothing_at(vm, VA_START);
	expect(0, vbind_unmap_bo(fd, vm, bo));

	/* What the array itself has mapped, and unmapped, counts. */
	binds[0] = map_bind(VA_START + 16 * PAGE, 2 * PAGE, 0);
	binds[1] = range_bind(UNMAP, VA_START + 4 * PAGE, PAGE);
	binds[2] = range_bind(UNMAP_BO, 0, 0);
	binds[2].handle = other;
	expect(0, vbind_vm_bind(fd, vm, binds, 3, NULL));
	expect_value(1, vbind_vm_query(fd, vm, NULL, NULL));
	binds[2].handle = bo;
	expect(0, vbind_vm_bind(fd, vm, binds, 3, NULL));
	check_empty(vm);
}

/* Sharing */

static void test_memory_is_shared(void)
{
	int this = fd, other = open_device();
	uint32_t second, imported, other_vm;

	setup();
	second = new_vm(mode);
	imported = import_bo(fd, bo, other);
	expect(0, vbind_vm_create(other, 0, VA_END, 0, 0, mode, &other_vm));
	expect(0, vbind_map(fd, vm, VA_START, 8 * PAGE, bo, 0));
	expect(0, vbind_map(fd, second, VA_START, 8 * PAGE, bo, PAGE));
	expect(0, vbind_map(other, other_vm, 0, 8 * PAGE, imported, 2 * PAGE));

	run_cmd(vm, vbind_cmd_fill(VA_START, 8 * PAGE, 500, 1));
	run_cmd(second, vbind_cmd_compare(VA_START, 7 * PAGE, 500 + 512, 1));
	fd = other;
	run_cmd(other_vm, vbind_cmd_compare(0, 6 * PAGE, 500 + 1024, 1));
	run_cmd(other_vm, vbind_cmd_write(0, 9));
	fd = this;
	run_cmd(vm, vbind_cmd_compare(VA_START + 2 * PAGE, 8, 9, 0));

	/* Each VM has its own mappings. */
	expect(0, vbind_vm_destroy(fd, second));
	run_cmd(vm, vbind_cmd_compare(VA_START + 2 * PAGE, 8, 9, 0));
	close(other);
	run_cmd(vm, vbind_cmd_compare(VA_START + 2 * PAGE, 8, 9, 0));
}

static void test_memory_of_vgem(void)
{
	struct drm_mode_create_dumb dumb = { .width = 1024, .height = 8, .bpp = 32 };
	struct drm_mode_map_dumb map = {};
	int vgem = open_vgem();
	uint32_t imported;
	uint64_t *words;

	expect(0, vbind_ioctl(vgem, DRM_IOCTL_MODE_CREATE_DUMB, &dumb));
	map.handle = dumb.handle;
	expect(0, vbind_ioctl(vgem, DRM_IOCTL_MODE_MAP_DUMB, &map));
	words = mmap(NULL, dumb.size, PROT_READ | PROT_WRITE, MAP_SHARED, vgem,
		     map.offset);
	check(words != MAP_FAILED, "mmap: %s", strerror(errno));
	setup();
	imported = import_bo(vgem, dumb.handle, fd);
	expect(0, vbind_map(fd, vm, VA_START, 8 * PAGE, imported, 0));

	words[0] = 11;
	words[PAGE / WORD] = 12;
	run_cmd(vm, vbind_cmd_compare(VA_START, 8, 11, 0));
	run_cmd(vm, vbind_cmd_compare(VA_START + PAGE, 8, 12, 0));
	run_cmd(vm, vbind_cmd_fill(VA_START + 2 * PAGE, PAGE, 13, 1));
	expect_value(13 + 511, words[3 * PAGE / WORD - 1]);
	munmap(words, dumb.size);
	close(vgem);
	run_cmd(vm, vbind_cmd_compare(VA_START + PAGE, 8, 12, 0));
}

/* Errors */

static const struct {
	const char *what;
	struct drm_vbind_cmd cmd;
	int error;
} cmd_errors[] = {
	{ "type after the last", { .type = 5, .size = 8 }, -EINVAL },
	{ "type of all ones", { .type = ~0U, .size = 8 }, -EINVAL },
	{ "flag", { .flags = 1, .size = 8 }, -EINVAL },
	{ "no size", { .size = 0 }, -EINVAL },
	{ "unaligned size", { .size = 12 }, -EINVAL },
	{ "unaligned address", { .addr = 4, .size = 8 }, -EINVAL },
	{ "range beyond 2^64", { .addr = -8ULL, .size = 16 }, -EINVAL },
	{ "copy with a value",
	  { .type = DRM_VBIND_CMD_COPY, .size = 8, .value = 1 }, -EINVAL },
	{ "copy from an unaligned address",
	  { .type = DRM_VBIND_CMD_COPY, .size = 8, .arg = 1 }, -EINVAL },
	{ "copy from beyond 2^64",
	  { .type = DRM_VBIND_CMD_COPY, .size = 16, .arg = -8ULL }, -EINVAL },
	{ "write of two words", { .type = DRM_VBIND_CMD_WRITE, .size = 16 },
	  -EINVAL },
	{ "write with a step",
	  { .type = DRM_VBIND_CMD_WRITE, .size = 8, .arg = 1 }, -EINVAL },
	{ "wait at an address", { .type = DRM_VBIND_CMD_WAIT, .addr = 8 }, -EINVAL },
	{ "wait with a size", { .type = DRM_VBIND_CMD_WAIT, .size = 8 }, -EINVAL },
	{ "wait with an argument", { .type = DRM_VBIND_CMD_WAIT, .arg = 8 }, -EINVAL },
	{ "too long a wait",
	  { .type = DRM_VBIND_CMD_WAIT, .value = DRM_VBIND_MAX_JOB_WAIT + 1 },
	  -E2BIG },
	{ "too many bytes", { .size = DRM_VBIND_MAX_JOB_BYTES + 8 }, -E2BIG },
	{ "2^63 bytes", { .size = 1ULL << 63 }, -E2BIG },
};

static void test_exec_command_errors(void)
{
	struct drm_vbind_cmd cmds[3];
	unsigned int i;

	setup();
	for (i = 0; i < ARRAY_SIZE(cmd_errors); i++) {
		struct drm_vbind_exec args = {
			.vm_id = vm,
			.num_cmds = 3,
			.cmds = (uintptr_t)cmds,
			.cmd_stride = sizeof(cmds[0]),
		};
		int ret;

		cmds[0] = vbind_cmd_wait(0);
		cmds[1] = cmd_errors[i].cmd;
		cmds[2] = vbind_cmd_wait(0);
		ret = vbind_ioctl(fd, DRM_IOCTL_VBIND_EXEC, &args);
		check(ret == cmd_errors[i].error && args.fail_index == 1,
		      "%s: %s instead of %s, fail_index %u", cmd_errors[i].what,
		      result_name(ret), result_name(cmd_errors[i].error),
		      args.fail_index);
	}

	/* Limits are those of the whole job. */
	cmds[0] = vbind_cmd_wait(1);
	cmds[1] = vbind_cmd_wait(DRM_VBIND_MAX_JOB_WAIT);
	expect(-E2BIG, vbind_exec(fd, vm, 0, cmds, 2, NULL, 0, NULL));
}

static void test_exec_call_errors(void)
{
	struct drm_vbind_cmd cmds[2] = { vbind_cmd_wait(0), vbind_cmd_wait(0) };
	struct drm_vbind_sync sync = {};
	struct drm_vbind_exec args;

	setup();
	expect(0, drmSyncobjCreate(fd, DRM_SYNCOBJ_CREATE_SIGNALED, &sync.handle));
#define EXEC_ERROR(error, field, value) do {				\
	args = (struct drm_vbind_exec){					\
		.vm_id = vm,						\
		.num_cmds = 2,						\
		.cmds = (uintptr_t)cmds,				\
		.cmd_stride = sizeof(cmds[0]),				\
		.num_syncs = 1,						\
		.syncs = (uintptr_t)&sync,				\
		.sync_stride = sizeof(sync),				\
	};								\
	args.field = value;						\
	expect(error, vbind_ioctl(fd, DRM_IOCTL_VBIND_EXEC, &args));	\
} while (0)
	EXEC_ERROR(0, flags, 0);
	EXEC_ERROR(-ENOENT, vm_id, 0);
	EXEC_ERROR(-ENOENT, vm_id, 99);
	EXEC_ERROR(-EINVAL, queue, DRM_VBIND_NUM_QUEUES);
	EXEC_ERROR(-EINVAL, queue, ~0U);
	EXEC_ERROR(-EINVAL, flags, 1);
	EXEC_ERROR(-EINVAL, flags, 1U << 31);
	EXEC_ERROR(-E2BIG, num_cmds, DRM_VBIND_MAX_CMDS + 1);
	EXEC_ERROR(-E2BIG, num_cmds, ~0U);
	EXEC_ERROR(-EINVAL, num_cmds, 0);
	EXEC_ERROR(-EINVAL, cmd_stride, 0);
	EXEC_ERROR(-EINVAL, cmd_stride, 32);
	EXEC_ERROR(-EINVAL, cmd_stride, 44);
	EXEC_ERROR(-EINVAL, cmd_stride, 4104);
	EXEC_ERROR(-EFAULT, cmds, 0);
	EXEC_ERROR(-EFAULT, cmds, 1ULL << 63);
	EXEC_ERROR(-E2BIG, num_syncs, DRM_VBIND_MAX_SYNCS + 1);
	EXEC_ERROR(-EINVAL, num_syncs, 0);
	EXEC_ERROR(-EINVAL, sync_stride, 0);
	EXEC_ERROR(-EINVAL, sync_stride, 8);
	EXEC_ERROR(-EINVAL, sync_stride, 20);
	EXEC_ERROR(-EINVAL, sync_stride, 4104);
	EXEC_ERROR(-EFAULT, syncs, 0);
	EXEC_ERROR(-EFAULT, syncs, 1ULL << 63);
#undef EXEC_ERROR
	expect(-EFAULT, vbind_ioctl(fd, DRM_IOCTL_VBIND_EXEC, NULL));
}

static void test_query_call_errors(void)
{
	struct drm_vbind_fault list[2];
	const struct drm_vbind_vm_faults good = {
		.vm_id = 1,
		.num_faults = 2,
		.fault_stride = sizeof(list[0]),
		.faults = (uintptr_t)list,
	};
	struct drm_vbind_vm_stats stats = { .vm_id = 1 };
	struct drm_vbind_vm_faults args;

	setup();
	expect_value(1, vm);
#define FAULTS_ERROR(error, field, value) do {				\
	args = good;							\
	args.field = value;						\
	expect(error, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_FAULTS, &args));	\
} while (0)
	FAULTS_ERROR(0, flags, 0);
	FAULTS_ERROR(-ENOENT, vm_id, 0);
	FAULTS_ERROR(-ENOENT, vm_id, 2);
	FAULTS_ERROR(-EINVAL, flags, 1);
	FAULTS_ERROR(-EINVAL, num_faults, 0);
	FAULTS_ERROR(-EINVAL, fault_stride, 0);
	FAULTS_ERROR(-EINVAL, fault_stride, 32);
	FAULTS_ERROR(-EINVAL, fault_stride, 44);
	FAULTS_ERROR(-EINVAL, fault_stride, 4104);
	FAULTS_ERROR(-EFAULT, faults, 0);
	FAULTS_ERROR(-EFAULT, faults, 1ULL << 63);
#undef FAULTS_ERROR
	expect(-EFAULT, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_FAULTS, NULL));

	expect(0, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_STATS, &stats));
	expect_value(1, stats.tables);
	stats.pad = 1;
	expect(-EINVAL, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_STATS, &stats));
	expect(-ENOENT, vbind_vm_stats(fd, 0, &stats));
	expect(-ENOENT, vbind_vm_stats(fd, 2, &stats));
	expect(-EFAULT, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_STATS, NULL));
}

const struct test exec_tests[] = {
	{ "EXEC: commands and the CPU see the same memory", test_commands, true },
	{ "EXEC: copies between mappings of the same memory, and sparse ones",
	  test_copy_between_mappings, true },
	{ "EXEC: an unmapped address is a fault, which ends the job",
	  test_unmapped_fault, true },
	{ "EXEC: a write to a read-only mapping is a fault", test_readonly, true },
	{ "EXEC: a word that differs is reported", test_mismatch, true },
	{ "VM_FAULTS: the last faults are remembered, in order",
	  test_faults_are_remembered, true },
	{ "EXEC: sparse mappings read zero and drop writes",
	  test_sparse_memory, true },
	{ "large pages are split, and made again", test_large_pages, true },
	{ "pages are as large as address and offset allow", test_page_sizes, true },
	{ "munmap-style and mmap-style overlaps with all page sizes",
	  test_overlaps, true },
	{ "munmap-style and mmap-style over many large mappings",
	  test_over_many_large, true },
	{ "VM_BIND: unmap-BO unmaps all of a BO", test_unmap_bo, true },
	{ "memory is shared between VMs and files", test_memory_is_shared, true },
	{ "memory is shared with another driver", test_memory_of_vgem, true },
	{ "EXEC refuses every bad field of a command",
	  test_exec_command_errors, true },
	{ "EXEC refuses every bad field of the call", test_exec_call_errors, true },
	{ "VM_FAULTS and VM_STATS refuse bad fields", test_query_call_errors, true },
	{ NULL, NULL, false },
};
