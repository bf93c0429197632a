// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* Mappings that show a part of a BO again and again, and binding the same again */

#include "test.h"

#define GIB		0x40000000ULL
#define BIG_START	(3 * PAGE)
#define BIG_RANGE	(17 * GIB)

/* Where the repetition is, at an odd page. */
#define REPEAT_START	(BIG_START + GIB + 5 * PAGE)
#define REPEAT_RANGE	(16 * GIB)

#define NUM_TILES	32
#define WINDOW		48

struct tile {
	uint64_t addr, range, offset;
};

static uint32_t big_vm(void)
{
	uint32_t vm_id;

	expect(0, vbind_vm_create(fd, BIG_START, BIG_RANGE + GIB, 0, 0, mode,
				  &vm_id));
	return vm_id;
}

static struct drm_vbind_bind repeat_bind(uint64_t addr, uint64_t range,
					 uint32_t handle, uint64_t offset,
					 uint64_t repeat)
{
	return (struct drm_vbind_bind){
		.type = MAP,
		.flags = DRM_VBIND_BIND_REPEAT,
		.handle = handle,
		.addr = addr,
		.range = range,
		.offset = offset,
		.repeat = repeat,
	};
}

/* Words of a page that differ from all others'. */
static uint64_t page_value(uint32_t handle, uint64_t page)
{
	return ((uint64_t)handle << 40) + (page << 20);
}

static void number_pages(uint32_t handle, uint64_t pages)
{
	uint64_t *words = (uint64_t *)map_bo(fd, handle), i;

	for (i = 0; i < pages * PAGE / 8; i++)
		words[i] = page_value(handle, i * 8 / PAGE) + i % (PAGE / 8);
	munmap(words, pages * PAGE);
}

static struct drm_vbind_cmd compare_page(uint64_t addr, uint32_t handle,
					 uint64_t page)
{
	return vbind_cmd_compare(addr, PAGE, page_value(handle, page), 1);
}

/* ---- 16 GiB on few pages, and tiles ------------------------------------ */

/* What is bound where, the last first. */
struct picture {
	uint32_t back, front;
	uint64_t offset, repeat;
	struct tile tile[NUM_TILES];
	unsigned int tiles;
};

static struct drm_vbind_cmd expected_page(const struct picture *p, uint64_t addr)
{
	unsigned int i = p->tiles;

	while (i--) {
		const struct tile *tile = &p->tile[i];

		if (addr - tile->addr < tile->range)
			return compare_page(addr, p->front,
					    (tile->offset + addr - tile->addr) / PAGE);
	}

	return compare_page(addr, p->back, (p->offset + addr % p->repeat) / PAGE);
}

/* Every word of the pages around a tile's limits, and of pages far from any. */
static void check_picture(uint32_t vm_id, const struct picture *p)
{
	static struct drm_vbind_cmd cmds[WINDOW + 64];
	unsigned int i, j;

	for (i = 0; i < p->tiles; i++) {
		uint64_t first = p->tile[i].addr - WINDOW / 4 * PAGE;

		for (j = 0; j < WINDOW; j++)
			cmds[j] = expected_page(p, first + j * PAGE);
		run_cmds(vm_id, cmds, WINDOW);
	}
	for (i = 0; i < 64; i++)
		cmds[i] = expected_page(p, REPEAT_START + i * (REPEAT_RANGE / 64));
	cmds[63] = expected_page(p, REPEAT_START + REPEAT_RANGE - PAGE);
	run_cmds(vm_id, cmds, 64);
}

static void bind_tiles(uint32_t vm_id, struct picture *p, uint64_t *random)
{
	while (p->tiles < NUM_TILES) {
		struct tile *tile = &p->tile[p->tiles];

		*tile = (struct tile){
			.addr = REPEAT_START + WINDOW * PAGE +
				random_below(random, 0xffffff) % 4000000 * PAGE,
			.range = (1 + random_below(random, 20)) * PAGE,
			.offset = random_below(random, 12) * PAGE,
		};
		expect(0, vbind_map(fd, vm_id, tile->addr, tile->range, p->front,
				    tile->offset));
		p->tiles++;
	}
}

static void try_sparse_texture(uint64_t offset, uint64_t repeat)
{
	struct picture p = { .offset = offset, .repeat = repeat };
	struct drm_vbind_bind bind;
	uint64_t random = seed;
	uint32_t vm_id;

	setup();
	vm_id = big_vm();
	p.back = new_bo(8 * PAGE);
	p.front = new_bo(32 * PAGE);
	number_pages(p.back, 8);
	number_pages(p.front, 32);

	bind = repeat_bind(REPEAT_START, REPEAT_RANGE, p.back, offset, repeat);
	expect(0, vbind_vm_bind(fd, vm_id, &bind, 1, NULL));
	check_picture(vm_id, &p);
	bind_tiles(vm_id, &p, &random);
	check_picture(vm_id, &p);

	/* What is evicted comes back as it was. */
	try_to_evict();
	check_picture(vm_id, &p);
	expect(0, vbind_vm_destroy(fd, vm_id));
}

static void test_sparse_texture_one_page(void)
{
	try_sparse_texture(PAGE, PAGE);
}

static void test_sparse_texture_four_pages(void)
{
	try_sparse_texture(3 * PAGE, 4 * PAGE);
}

/* A cut that is no multiple does not move what is behind it. */
static void test_repeat_cut(void)
{
	struct drm_vbind_mapping expected[] = {
		bo_mapping(3, 4, 2), bo_mapping(10, 6, 2),
	};
	struct drm_vbind_bind bind = repeat_bind(VA_START + 3 * PAGE, 13 * PAGE,
						 bo, 0, 4 * PAGE);
	struct snapshot now;
	uint64_t addr;

	setup();
	number_pages(bo, 64);
	bind.handle = bo;
	bind.offset = 2 * PAGE;
	expect(0, vbind_vm_bind(fd, vm, &bind, 1, NULL));
	expect(0, vbind_unmap(fd, vm, VA_START + 7 * PAGE, 3 * PAGE));

	for (unsigned int i = 0; i < 2; i++) {
		expected[i].bo_id = bo_id;
		expected[i].repeat = 4 * PAGE;
	}
	now = take_snapshot(vm);
	expect_value(2, now.count);
	check(!memcmp(now.mappings, expected, sizeof(expected)),
	      "the parts are not as expected");
	free(now.mappings);
	for (addr = VA_START + 3 * PAGE; addr < VA_START + 16 * PAGE; addr += PAGE) {
		struct drm_vbind_cmd cmd = compare_page(addr, bo,
							2 + addr / PAGE % 4);

		if (addr - (VA_START + 7 * PAGE) < 3 * PAGE)
			expect_fault(vm, cmd, DRM_VBIND_FAULT_UNMAPPED, addr);
		else
			run_cmd(vm, cmd);
	}
}

static void test_repeat_errors(void)
{
	const uint64_t top = 64 * PAGE;
	struct drm_vbind_bind bad[8];

	setup();
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = repeat_bind(VA_START, 16 * PAGE, bo, 0, 4 * PAGE);
	bad[0].flags = 0;
	bad[1].repeat = 0;
	bad[2].repeat = 3 * PAGE;
	bad[3].repeat = PAGE / 2;
	bad[4].offset = top - 3 * PAGE;
	bad[5].repeat = 1ULL << 32;
	bad[6].type = SPARSE;
	bad[6].handle = 0;
	bad[7].type = UNMAP;
	bad[7].handle = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		int ret = vbind_vm_bind(fd, vm, &bad[i], 1, NULL);

		check(ret == -EINVAL, "bad bind %u: %s", i, result_name(ret));
	}
	check_empty(vm);

	bad[4].offset = top - 4 * PAGE;
	expect(0, vbind_vm_bind(fd, vm, &bad[4], 1, NULL));
}

/* ---- The same again ---------------------------------------------------- */

static uint32_t step_of(struct drm_vbind_bind bind)
{
	struct drm_vbind_step steps[2] = {};
	uint32_t num_steps = ARRAY_SIZE(steps);

	expect(0, vbind_vm_bind_steps(fd, vm, &bind, 1, steps, &num_steps, NULL));
	check(num_steps == 1 || num_steps == 2, "%u steps", num_steps);

	return steps[0].type;
}

static void test_bind_the_same_again(void)
{
	struct drm_vbind_bind bind, sparse;

	setup();
	number_pages(bo, 64);
	bind = map_bind(VA_START + PAGE, 8 * PAGE, 2 * PAGE);
	bind.flags = DRM_VBIND_BIND_READONLY;
	sparse = range_bind(SPARSE, VA_START + 20 * PAGE, 4 * PAGE);

	expect_value(DRM_VBIND_STEP_MAP, step_of(bind));
	expect_value(DRM_VBIND_STEP_UPDATE, step_of(bind));
	expect_value(DRM_VBIND_STEP_MAP, step_of(sparse));
	expect_value(DRM_VBIND_STEP_UPDATE, step_of(sparse));

	/* It may be written to now, so it is not the same. */
	bind.flags = 0;
	expect_value(DRM_VBIND_STEP_UNMAP, step_of(bind));
	expect_value(DRM_VBIND_STEP_UPDATE, step_of(bind));
	try_to_evict();
	expect_value(DRM_VBIND_STEP_UPDATE, step_of(bind));
	run_cmd(vm, compare_page(VA_START + 4 * PAGE, bo, 5));
	run_cmd(vm, vbind_cmd_write(VA_START + PAGE, 1));

	bind = repeat_bind(bind.addr, bind.range, bo, 2 * PAGE, 16 * PAGE);
	expect_value(DRM_VBIND_STEP_UNMAP, step_of(bind));
	expect_value(DRM_VBIND_STEP_UPDATE, step_of(bind));
}

/* Elements as they were before they had a repetition. */
static void test_short_elements(void)
{
	struct drm_vbind_bind bind;
	struct drm_vbind_vm_bind args;

	setup();
	bind = map_bind(VA_START, PAGE, 0);
	bind.repeat = ~0ULL;
	args = (struct drm_vbind_vm_bind){
		.vm_id = vm,
		.num_binds = 1,
		.bind_stride = offsetof(struct drm_vbind_bind, repeat),
		.binds = (uintptr_t)&bind,
	};
	expect(0, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_BIND, &args));
	args.bind_stride -= 8;
	expect(-EINVAL, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_BIND, &args));
}

const struct test repeat_tests[] = {
	{ "REPEAT: 16 GiB on one page, tiles bound into it",
	  test_sparse_texture_one_page, true },
	{ "REPEAT: 16 GiB on four pages, tiles bound into it",
	  test_sparse_texture_four_pages, true },
	{ "REPEAT: a cut moves nothing", test_repeat_cut, true },
	{ "REPEAT: bad fields", test_repeat_errors, true },
	{ "VM_BIND: the same again is an update", test_bind_the_same_again, true },
	{ "VM_BIND: elements without a repetition", test_short_elements, false },
	{ NULL, NULL, false },
};
