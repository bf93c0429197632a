// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * vbind-test: what is mapped around the limits of page tables and large pages, with
 * data, while parts of it go.
 */

#include "test.h"

/* Around a limit, half of it on either side */
#define PAGES		32
#define AROUND		(PAGES * PAGE)

#define VA_BITS		48

/* Sizes of what an entry covers, on each level */
static const unsigned int borders[] = { 16, 21, 30, 39, 47 };

/*
 *   page   0   1   2   3  ...  15 | 16  17  ...  31
 *          x   -   x   -       -  |  x   -        -
 */
static void check_around(uint64_t start, uint32_t first, uint32_t step)
{
	struct drm_vbind_cmd cmds[PAGES];
	uint32_t i, n = 0;

	for (i = first; i < PAGES; i += step)
		cmds[n++] = vbind_cmd_compare(start + i * PAGE, PAGE,
					      bo_word(bo_id, i * PAGE), WORD);
	run_cmds(vm, cmds, n);
	if (step == 1)
		return;
	for (i = 1 - first; i < PAGES; i += step)
		check_nothing_at(vm, start + i * PAGE);
}

static void test_border(uint64_t border, uint32_t first)
{
	struct drm_vbind_bind binds[PAGES / 2];
	uint64_t start = border - AROUND / 2;
	uint32_t i;

	expect(0, vbind_map(fd, vm, start, AROUND, bo, 0));
	check_around(start, 0, 1);
	for (i = 0; i < PAGES / 2; i++)
		binds[i] = range_bind(UNMAP, start + (2 * i + 1 - first) * PAGE,
				      PAGE);
	expect(0, vbind_vm_bind(fd, vm, binds, PAGES / 2, NULL));
	check_around(start, first, 2);
	/* What went comes back, in one piece. */
	expect(0, vbind_map(fd, vm, start, AROUND, bo, 0));
	check_around(start, 0, 1);
	expect(0, vbind_unmap(fd, vm, start, AROUND));
	check_nothing_at(vm, border - PAGE);
	check_nothing_at(vm, border);
}

static void test_borders(void)
{
	uint32_t i, k;

	expect(0, vbind_vm_create(fd, 0, 1ULL << VA_BITS, 0, 0, mode, &vm));
	bo = new_bo(AROUND);
	bo_id = id_of(bo);
	for (i = 0; i < ARRAY_SIZE(borders); i++) {
		for (k = 1; k < 4; k += 2) {
			uint64_t border = (uint64_t)k << borders[i];

			if (border < 1ULL << VA_BITS) {
				test_border(border, 0);
				test_border(border, 1);
			}
		}
	}
}

/* Which part of a large page goes and comes while the rest is in use */
static const struct {
	uint64_t first, pages;
} holes[] = {
	{ 0, 1 }, { 1, 1 }, { 15, 2 }, { 128, 16 }, { 200, 100 }, { 255, 2 },
	{ 511, 1 },
};

struct worker {
	int file;
	uint32_t vm;
	uint64_t hole, hole_end;
	int ret;
	struct drm_vbind_fault fault;
	atomic_bool stop;
	atomic_uint jobs;
};

/* Writes to all but the hole and reads it again, a new value each time. */
static void *write_beside(void *arg)
{
	struct worker *w = arg;
	uint64_t value = 1;

	while (!w->stop && !w->ret) {
		struct drm_vbind_cmd cmds[4];
		uint32_t n = 0;

		if (w->hole > M2) {
			cmds[n++] = vbind_cmd_fill(M2, w->hole - M2, value, 1);
			cmds[n++] = vbind_cmd_compare(M2, w->hole - M2, value, 1);
		}
		if (w->hole_end < 2 * M2) {
			cmds[n++] = vbind_cmd_fill(w->hole_end,
						   2 * M2 - w->hole_end, value, 2);
			cmds[n++] = vbind_cmd_compare(w->hole_end,
						      2 * M2 - w->hole_end,
						      value, 2);
		}
		w->ret = vbind_exec_wait(w->file, w->vm, cmds, n, &w->fault);
		w->jobs++;
		value += 1000;
	}
	return NULL;
}

static void test_hole(unsigned int i)
{
	struct worker w = {
		.file = fd,
		.vm = vm,
		.hole = M2 + holes[i].first * PAGE,
		.hole_end = M2 + (holes[i].first + holes[i].pages) * PAGE,
	};
	uint64_t range = holes[i].pages * PAGE;
	uint64_t offset = holes[i].first * PAGE;
	pthread_t thread;
	unsigned int round;

	expect(0, vbind_map(fd, vm, M2, M2, bo, 0));
	check(!pthread_create(&thread, NULL, write_beside, &w), "no thread");
	for (round = 0; round < 1 + rounds / 100 || w.jobs < 3; round++) {
		if (w.ret)
			break;
		expect(0, vbind_unmap(fd, vm, w.hole, range));
		expect(0, vbind_map(fd, vm, w.hole, range, bo, offset));
		expect(0, vbind_map_sparse(fd, vm, w.hole, range));
		/* As one large page again */
		expect(0, vbind_map(fd, vm, M2, M2, bo, 0));
	}
	w.stop = true;
	pthread_join(thread, NULL);
	check(!w.ret, "%" PRIu64 " pages at %" PRIu64 ": %s, fault %u at 0x%" PRIx64
	      ", value 0x%" PRIx64, holes[i].pages, holes[i].first,
	      result_name(w.ret), w.fault.kind, (uint64_t)w.fault.addr,
	      (uint64_t)w.fault.value);
}

static void test_beside_holes(void)
{
	unsigned int i;

	expect(0, vbind_vm_create(fd, 0, 4 * M2, 0, 0, mode, &vm));
	expect(0, vbind_gem_create(fd, M2, 0, 0, &bo));
	for (i = 0; i < ARRAY_SIZE(holes); i++)
		test_hole(i);
}

const struct test page_tests[] = {
	{ "pages: each second one goes on both sides of each border", test_borders,
	  true },
	{ "pages: jobs write beside the part of a large page that goes",
	  test_beside_holes, true },
	{}
};
