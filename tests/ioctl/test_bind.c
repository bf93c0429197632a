// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* vbind-test: VM_BIND: what it does, and the steps that it tells. */

#include "test.h"

/*
 * Every case starts from one mapping of the pages 4 to 11 of the BO at the pages
 * 4 to 11. Numbers are pages; the request is at VA_START + page.
 */
struct step_case {
	const char *what;
	uint32_t type;
	unsigned int page, pages, offset;
	/* what happens to the old mapping: a step type, or -1 for nothing */
	int old_step;
	bool keep;
	/* the parts that stay, in pages, and the offset of the second */
	unsigned int prev_pages, next_page, next_pages;
};

#define S_REMAP		DRM_VBIND_STEP_REMAP
#define S_UNMAP		DRM_VBIND_STEP_UNMAP
#define S_UPDATE	DRM_VBIND_STEP_UPDATE

static const struct step_case step_cases[] = {
	{ "map in front, adjacent", MAP, 2, 2, 0, -1, false, 0, 0, 0 },
	{ "map behind, adjacent", MAP, 12, 2, 0, -1, false, 0, 0, 0 },
	{ "map the same", MAP, 4, 8, 4, S_UPDATE, false, 0, 0, 0 },
	{ "map the same range, other offset", MAP, 4, 8, 5, S_UNMAP, false, 0, 0, 0 },
	{ "map the front, contiguous", MAP, 4, 3, 4, S_REMAP, true, 0, 7, 5 },
	{ "map the front, other offset", MAP, 4, 3, 0, S_REMAP, false, 0, 7, 5 },
	{ "map the end, contiguous", MAP, 9, 3, 9, S_REMAP, true, 5, 0, 0 },
	{ "map the end, other offset", MAP, 9, 3, 0, S_REMAP, false, 5, 0, 0 },
	{ "map the middle, contiguous", MAP, 6, 2, 6, S_REMAP, true, 2, 8, 4 },
	{ "map the middle, other offset", MAP, 6, 2, 0, S_REMAP, false, 2, 8, 4 },
	{ "map across the start, contiguous", MAP, 2, 4, 2, S_REMAP, true, 0, 6, 6 },
	{ "map across the start, other offset", MAP, 2, 4, 0, S_REMAP, false, 0, 6, 6 },
	{ "map across the end, contiguous", MAP, 10, 4, 10, S_REMAP, true, 6, 0, 0 },
	{ "map across the end, other offset", MAP, 10, 4, 0, S_REMAP, false, 6, 0, 0 },
	{ "map over all, contiguous", MAP, 2, 12, 2, S_UNMAP, true, 0, 0, 0 },
	{ "map over all, other offset", MAP, 2, 12, 0, S_UNMAP, false, 0, 0, 0 },
	{ "sparse over the same range", SPARSE, 4, 8, 0, S_UNMAP, false, 0, 0, 0 },
	{ "sparse in the middle", SPARSE, 6, 2, 0, S_REMAP, false, 2, 8, 4 },
	{ "unmap the same range", UNMAP, 4, 8, 0, S_UNMAP, false, 0, 0, 0 },
	{ "unmap the front", UNMAP, 4, 1, 0, S_REMAP, false, 0, 5, 7 },
	{ "unmap the end", UNMAP, 11, 1, 0, S_REMAP, false, 7, 0, 0 },
	{ "unmap the middle", UNMAP, 5, 1, 0, S_REMAP, false, 1, 6, 6 },
	{ "unmap across the start", UNMAP, 0, 6, 0, S_REMAP, false, 0, 6, 6 },
	{ "unmap across the end", UNMAP, 8, 6, 0, S_REMAP, false, 4, 0, 0 },
	{ "unmap all", UNMAP, 0, 16, 0, S_UNMAP, false, 0, 0, 0 },
	{ "unmap a hole", UNMAP, 12, 4, 0, -1, false, 0, 0, 0 },
};

static unsigned int expected_steps(const struct step_case *c,
				   struct drm_vbind_step *steps)
{
	struct drm_vbind_step *step = steps;

	memset(steps, 0, 2 * sizeof(*steps));
	if (c->old_step >= 0) {
		step->type = c->old_step;
		step->flags = c->keep ? DRM_VBIND_STEP_KEEP : 0;
		step->mapping = bo_mapping(4, 8, 4);
		if (c->prev_pages) {
			step->flags |= DRM_VBIND_STEP_PREV;
			step->prev = bo_mapping(4, c->prev_pages, 4);
		}
		if (c->next_pages) {
			step->flags |= DRM_VBIND_STEP_NEXT;
			step->next = bo_mapping(c->next_page, c->next_pages,
						c->next_page);
		}
		step++;
	}
	if (c->type != UNMAP && c->old_step != S_UPDATE) {
		step->type = DRM_VBIND_STEP_MAP;
		step->mapping = bo_mapping(c->page, c->pages, c->offset);
		if (c->type == SPARSE) {
			step->mapping.bo_id = 0;
			step->mapping.flags = DRM_VBIND_MAPPING_SPARSE;
		}
		step++;
	}
	return step - steps;
}

/* The mappings after the steps, which start from the one old mapping */
static int mappings_after(const struct step_case *c,
			  const struct drm_vbind_step *steps,
			  unsigned int num_steps, struct drm_vbind_mapping *out)
{
	int count = 0;
	unsigned int i;

	if (c->old_step < 0 || c->old_step == S_UPDATE)
		out[count++] = bo_mapping(4, 8, 4);
	for (i = 0; i < num_steps; i++) {
		if (steps[i].type == DRM_VBIND_STEP_MAP)
			out[count++] = steps[i].mapping;
		if (steps[i].flags & DRM_VBIND_STEP_PREV)
			out[count++] = steps[i].prev;
		if (steps[i].flags & DRM_VBIND_STEP_NEXT)
			out[count++] = steps[i].next;
	}
	qsort(out, count, sizeof(*out), compare_mappings);
	return count;
}

static void check_step_case(const struct step_case *c)
{
	struct drm_vbind_bind bind = range_bind(c->type,
						VA_START + c->page * PAGE,
						c->pages * PAGE);
	struct drm_vbind_step expected[2], found[4] = {};
	struct drm_vbind_mapping after[4];
	uint32_t num_expected, num_found = ARRAY_SIZE(found), fail_index;

	if (c->type == MAP) {
		bind.handle = bo;
		bind.offset = c->offset * PAGE;
	}
	expect(0, vbind_unmap(fd, vm, VA_START, 32 * PAGE));
	expect(0, vbind_map(fd, vm, VA_START + 4 * PAGE, 8 * PAGE, bo, 4 * PAGE));

	expect(0, vbind_vm_bind_steps(fd, vm, &bind, 1, found, &num_found,
				      &fail_index));
	num_expected = expected_steps(c, expected);
	check(num_found == num_expected, "%s: %u steps instead of %u", c->what,
	      num_found, num_expected);
	check(!memcmp(found, expected, num_found * sizeof(*found)),
	      "%s: the steps are not as expected", c->what);
	expect_value(NO_INDEX, fail_index);
	check_mappings(vm, c->what, after,
		       mappings_after(c, expected, num_expected, after));
}

static void test_bind_steps(void)
{
	unsigned int i;

	setup();
	for (i = 0; i < ARRAY_SIZE(step_cases); i++)
		check_step_case(&step_cases[i]);
}

static void test_bind_over_many(void)
{
	struct drm_vbind_bind bind = map_bind(VA_START + 3 * PAGE, 16 * PAGE, 0);
	struct drm_vbind_step steps[16];
	uint32_t num_steps = ARRAY_SIZE(steps), i;

	setup();
	for (i = 0; i < 10; i++)
		expect(0, vbind_map(fd, vm, VA_START + 2 * i * PAGE, 2 * PAGE,
				    bo, 0));
	expect(0, vbind_vm_bind_steps(fd, vm, &bind, 1, steps, &num_steps, NULL));

	/* Cut at both ends, unmapped in between, by ascending address */
	expect_value(10, num_steps);
	expect_value(DRM_VBIND_STEP_REMAP, steps[0].type);
	expect_value(DRM_VBIND_STEP_PREV, steps[0].flags);
	for (i = 1; i < 8; i++) {
		expect_value(DRM_VBIND_STEP_UNMAP, steps[i].type);
		expect_value(VA_START + (2 + 2 * i) * PAGE, steps[i].mapping.addr);
	}
	expect_value(DRM_VBIND_STEP_REMAP, steps[8].type);
	expect_value(DRM_VBIND_STEP_NEXT, steps[8].flags);
	expect_value(DRM_VBIND_STEP_MAP, steps[9].type);
}

static void test_bind_keeps_flags_of_parts(void)
{
	struct drm_vbind_bind bind = map_bind(VA_START, 8 * PAGE, 0);
	struct drm_vbind_mapping expected[] = {
		bo_mapping(0, 3, 0), bo_mapping(4, 4, 4),
		bo_mapping(8, 2, 0), bo_mapping(11, 5, 0),
	};

	setup();
	bind.flags = DRM_VBIND_BIND_READONLY;
	expect(0, vbind_vm_bind(fd, vm, &bind, 1, NULL));
	expect(0, vbind_map_sparse(fd, vm, VA_START + 8 * PAGE, 8 * PAGE));
	expect(0, vbind_unmap(fd, vm, VA_START + 3 * PAGE, PAGE));
	expect(0, vbind_unmap(fd, vm, VA_START + 10 * PAGE, PAGE));

	expected[0].bo_id = bo_id;
	expected[1].bo_id = bo_id;
	expected[0].flags = DRM_VBIND_MAPPING_READONLY;
	expected[1].flags = DRM_VBIND_MAPPING_READONLY;
	expected[2].bo_id = 0;
	expected[3].bo_id = 0;
	expected[2].flags = DRM_VBIND_MAPPING_SPARSE;
	expected[3].flags = DRM_VBIND_MAPPING_SPARSE;
	check_mappings(vm, "after the cuts", expected, 4);
}

static void test_bind_array_sees_itself(void)
{
	struct drm_vbind_bind binds[] = {
		map_bind(VA_START, 16 * PAGE, 0),
		range_bind(UNMAP, VA_START + 4 * PAGE, 4 * PAGE),
		range_bind(SPARSE, VA_START + 5 * PAGE, PAGE),
		map_bind(VA_START + 12 * PAGE, 8 * PAGE, 32 * PAGE),
		range_bind(PREFETCH, VA_START, 16 * PAGE),
		range_bind(UNMAP, VA_START + 16 * PAGE, 4 * PAGE),
	};
	struct drm_vbind_mapping expected[4];
	struct drm_vbind_step steps[32];
	uint32_t num_steps = ARRAY_SIZE(steps), i, prefetched = 0;

	setup();
	for (i = 0; i < ARRAY_SIZE(binds); i++)
		binds[i].handle = binds[i].type == MAP ? bo : 0;
	expect(0, vbind_vm_bind_steps(fd, vm, binds, ARRAY_SIZE(binds), steps,
				      &num_steps, NULL));
	expected[0] = bo_mapping(0, 4, 0);
	expected[1] = bo_mapping(5, 1, 0);
	expected[1].bo_id = 0;
	expected[1].flags = DRM_VBIND_MAPPING_SPARSE;
	expected[2] = bo_mapping(8, 4, 8);
	expected[3] = bo_mapping(12, 4, 32);
	check_mappings(vm, "after the array", expected, 4);

	for (i = 0; i < num_steps; i++) {
		check(steps[i].bind_index < ARRAY_SIZE(binds) &&
		      (!i || steps[i].bind_index >= steps[i - 1].bind_index),
		      "steps are out of order");
		if (steps[i].bind_index == 4) {
			expect_value(DRM_VBIND_STEP_PREFETCH, steps[i].type);
			prefetched++;
		}
	}
	expect_value(4, prefetched);
}

static void test_bind_prefetch(void)
{
	struct drm_vbind_bind bind =
		range_bind(PREFETCH, VA_START + PAGE,
			   RSV_START - VA_START - PAGE);
	struct drm_vbind_step steps[8];
	uint32_t num_steps = ARRAY_SIZE(steps);
	struct snapshot before;

	setup();
	populate(vm);
	before = take_snapshot(vm);
	expect(0, vbind_vm_bind_steps(fd, vm, &bind, 1, steps, &num_steps, NULL));
	expect_value(4, num_steps);
	expect_value(VA_START, steps[0].mapping.addr);
	expect_value(RSV_START - PAGE, steps[3].mapping.addr);

	/* A hole has nothing to prefetch, the reserved range may not be touched. */
	bind = range_bind(PREFETCH, RSV_END + PAGE, PAGE);
	num_steps = ARRAY_SIZE(steps);
	expect(0, vbind_vm_bind_steps(fd, vm, &bind, 1, steps, &num_steps, NULL));
	expect_value(0, num_steps);
	bind = range_bind(PREFETCH, RSV_END - PAGE, 2 * PAGE);
	expect(-EINVAL, vbind_vm_bind(fd, vm, &bind, 1, NULL));
	check_unchanged(vm, "after prefetches", &before);
}

static void test_bind_few_steps_wanted(void)
{
	struct drm_vbind_bind bind = range_bind(SPARSE, VA_START, 8 * PAGE);
	struct drm_vbind_step steps[3];
	uint32_t num_steps = 2, i;

	setup();
	memset(steps, 0xff, sizeof(steps));
	for (i = 0; i < 4; i++)
		expect(0, vbind_map(fd, vm, VA_START + 2 * i * PAGE, PAGE, bo, 0));

	/* Five steps, of which two are written */
	expect(0, vbind_vm_bind_steps(fd, vm, &bind, 1, steps, &num_steps, NULL));
	expect_value(5, num_steps);
	expect_value(DRM_VBIND_STEP_UNMAP, steps[1].type);
	expect_value(~0U, steps[2].type);

	num_steps = 0;
	bind.range += PAGE;
	expect(0, vbind_vm_bind_steps(fd, vm, &bind, 1, NULL, &num_steps, NULL));
	expect_value(2, num_steps);
}

static void test_bind_longest_array(void)
{
	struct drm_vbind_bind *binds = calloc(DRM_VBIND_MAX_BINDS, sizeof(*binds));
	uint32_t i;

	setup();
	for (i = 0; i < DRM_VBIND_MAX_BINDS; i++)
		binds[i] = map_bind(VA_START + i % 1024 * PAGE, PAGE,
				    i % 64 * PAGE);
	expect(0, vbind_vm_bind(fd, vm, binds, DRM_VBIND_MAX_BINDS, NULL));
	expect_value(1024, vbind_vm_query(fd, vm, NULL, NULL));
	expect(0, vbind_unmap(fd, vm, VA_START, 1024 * PAGE));
	check_empty(vm);
	free(binds);
}

const struct test bind_tests[] = {
	{ "VM_BIND: steps of every kind of overlap", test_bind_steps, true },
	{ "VM_BIND over many mappings", test_bind_over_many, true },
	{ "VM_BIND: parts keep the flags of the whole",
	  test_bind_keeps_flags_of_parts, true },
	{ "VM_BIND: later binds see earlier ones", test_bind_array_sees_itself, true },
	{ "VM_BIND: prefetch finds mappings, changes nothing", test_bind_prefetch, true },
	{ "VM_BIND: fewer steps wanted than there are",
	  test_bind_few_steps_wanted, true },
	{ "VM_BIND: the longest array", test_bind_longest_array, true },
	{}
};
