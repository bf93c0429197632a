// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Finding, inserting, removing and walking over mappings.
 */

#include <linux/prandom.h>

#include "gpuvm_test.h"

/* Addresses of a picture that starts at GT_BASE. */
#define AT(page) (GT_BASE + GT_PAGES(page))

static void insert_order(struct kunit *test)
{
	static const u8 orders[][5] = {
		{ 0, 1, 2, 3, 4 }, { 4, 3, 2, 1, 0 }, { 2, 0, 4, 1, 3 },
		{ 0, 4, 1, 3, 2 }, { 3, 1, 2, 0, 4 },
	};
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm(gt, 0);
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		for (j = 0; j < ARRAY_SIZE(orders[i]); j++) {
			u8 page = orders[i][j];

			gt_map(gt, vm, AT(page), GT_PAGES(1), NULL, GT_PAGES(page));
			KUNIT_EXPECT_EQ(test, gt_core_mappings(vm), j + 1);
			gpuvm_check(test, vm);
		}
		gt_expect_picture(test, vm, GT_BASE, "|*0|*1|*2|*3|*4|", "order");

		for (j = 0; j < ARRAY_SIZE(orders[i]); j++) {
			gt_unmap(gt, drm_gpuva_find(vm, AT(orders[i][j]), GT_PAGES(1)));
			gpuvm_check(test, vm);
		}
		KUNIT_EXPECT_EQ(test, gt_core_mappings(vm), 0);
	}
}

struct insert_case {
	const char *name;
	u64 addr;
	u64 range;
	int ret;
};

/* Inserted next to a mapping of pages 2 and 3. */
static const struct insert_case insert_cases[] = {
	{ "right before", AT(0), GT_PAGES(2), 0 },
	{ "right behind", AT(4), GT_PAGES(2), 0 },
	{ "one byte", AT(5) + 7, 1, 0 },
	{ "the same", AT(2), GT_PAGES(2), -EEXIST },
	{ "inside", AT(2) + 1, 1, -EEXIST },
	{ "last byte inside", AT(4) - 1, 1, -EEXIST },
	{ "around", AT(1), GT_PAGES(4), -EEXIST },
	{ "over the start", AT(1), GT_PAGES(1) + 1, -EEXIST },
	{ "over the end", AT(4) - 1, 2, -EEXIST },
	{ "whole VA space", GT_VM_START, GT_VM_RANGE, -EEXIST },
	{ "zero range", AT(6), 0, -EINVAL },
	{ "zero range inside of a mapping", AT(3), 0, -EINVAL },
	{ "before the VA space", GT_VM_START - GT_PAGES(1), GT_PAGES(1), -EINVAL },
	{ "over the start of the VA space", GT_VM_START - 1, 2, -EINVAL },
	{ "behind the VA space", GT_VM_START + GT_VM_RANGE, 1, -EINVAL },
	{ "over the end of the VA space", GT_VM_START + GT_VM_RANGE - 1, 2, -EINVAL },
	{ "end wraps to 0", -GT_PAGES(1), GT_PAGES(1), -EINVAL },
	{ "end wraps into the VA space", -GT_PAGES(1), GT_BASE, -EINVAL },
	{ "range U64_MAX", AT(6), U64_MAX, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(insert, insert_cases, name);

static void insert_returns(struct kunit *test)
{
	const struct insert_case *c = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm(gt, 0);
	struct drm_gpuva *va;
	char *before;

	gt_map(gt, vm, AT(2), GT_PAGES(2), NULL, 0);
	va = gt_va(gt, c->addr, c->range, NULL, 0);
	before = gt_snapshot(test, vm);

	KUNIT_EXPECT_EQ(test, drm_gpuva_insert(vm, va), c->ret);
	gpuvm_check(test, vm);

	if (c->ret) {
		gt_expect_unchanged(test, vm, before);
		gt_va_free(va);
	} else {
		KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find(vm, c->addr, c->range), va);
	}
}

static void insert_next_to_reserved(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm_at(gt, 0, GT_VM_START, GT_VM_RANGE, AT(4),
					GT_PAGES(2), &gt_ops);
	struct drm_gpuva *va;

	gt_map(gt, vm, AT(3), GT_PAGES(1), NULL, 0);
	gt_map(gt, vm, AT(6), GT_PAGES(1), NULL, 0);
	gt_expect_picture(test, vm, GT_BASE, "         |*0|## ##|*0|", "reserved");
	gpuvm_check(test, vm);

	va = gt_va(gt, AT(5), GT_PAGES(1), NULL, 0);
	KUNIT_EXPECT_EQ(test, drm_gpuva_insert(vm, va), -EINVAL);
	va->va.addr = AT(4) - 1;
	va->va.range = 2;
	KUNIT_EXPECT_EQ(test, drm_gpuva_insert(vm, va), -EINVAL);
	gt_va_free(va);
	gpuvm_check(test, vm);
}

struct find_case {
	const char *name;
	u64 addr;
	u64 range;
	int first; /* the page at which the first overlapped mapping starts */
	int exact; /* the same for drm_gpuva_find() */
};

/* In |*0 *1|  |*2|*3|  |## ##|, one VA space that ends there. */
static const struct find_case find_cases[] = {
	{ "exactly", AT(0), GT_PAGES(2), 0, 0 },
	{ "exactly the second", AT(3), GT_PAGES(1), 3, 3 },
	{ "first part", AT(0), GT_PAGES(1), 0, -1 },
	{ "last byte", AT(2) - 1, 1, 0, -1 },
	{ "one more byte", AT(0), GT_PAGES(2) + 1, 0, -1 },
	{ "gap", AT(2), GT_PAGES(1), -1, -1 },
	{ "gap and behind", AT(2), GT_PAGES(1) + 1, 3, -1 },
	{ "two", AT(3), GT_PAGES(2), 3, -1 },
	{ "everything", GT_VM_START, GT_VM_RANGE, 0, -1 },
	{ "before everything", GT_VM_START, AT(0) - GT_VM_START, -1, -1 },
	{ "reserved range", AT(6), GT_PAGES(2), 6, 6 },
	{ "part of the reserved range", AT(7), GT_PAGES(1), 6, -1 },
	{ "behind everything", AT(8), GT_PAGES(1), -1, -1 },
	{ "zero range", AT(0), 0, -1, -1 },
	{ "overflow", AT(0), U64_MAX, -1, -1 },
	{ "end wraps to 0", AT(0), -AT(0), 0, -1 },
	{ "from 0", 0, U64_MAX, 0, -1 },
};

KUNIT_ARRAY_PARAM_DESC(find, find_cases, name);

static struct drm_gpuvm *find_vm(struct gt *gt)
{
	struct drm_gpuvm *vm = gt_vm_at(gt, 0, GT_VM_START,
					AT(8) - GT_VM_START, AT(6), GT_PAGES(2),
					&gt_ops);

	gt_build(gt, vm, GT_BASE, "|*0 *1|  |*2|*3|");
	gt_expect_picture(gt->test, vm, GT_BASE, "|*0 *1|  |*2|*3|  |## ##|", "find");
	gpuvm_check(gt->test, vm);

	return vm;
}

static void find_first_and_exact(struct kunit *test)
{
	const struct find_case *c = test->param_value;
	struct drm_gpuvm *vm = find_vm(test->priv);
	struct drm_gpuva *va;
	bool degenerate = !c->range || c->addr + (c->range - 1) < c->addr;

	va = drm_gpuva_find_first(vm, c->addr, c->range);
	KUNIT_EXPECT_EQ(test, !va, c->first < 0);
	if (va)
		KUNIT_EXPECT_EQ(test, va->va.addr, AT(c->first));
	KUNIT_EXPECT_EQ(test, drm_gpuvm_interval_empty(vm, c->addr, c->range),
			!degenerate && c->first < 0);

	va = drm_gpuva_find(vm, c->addr, c->range);
	KUNIT_EXPECT_EQ(test, !va, c->exact < 0);
	if (va)
		KUNIT_EXPECT_EQ(test, va->va.addr, AT(c->exact));

	gpuvm_check(test, vm);
}

/* The same answers, whatever was asked for before. */
static void find_ignores_history(struct kunit *test)
{
	struct drm_gpuvm *vm = find_vm(test->priv);
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(find_cases); i++) {
		for (j = 0; j < ARRAY_SIZE(find_cases); j++) {
			const struct find_case *c = &find_cases[j];
			struct drm_gpuva *va;

			drm_gpuva_find_first(vm, find_cases[i].addr,
					     find_cases[i].range);
			va = drm_gpuva_find_first(vm, c->addr, c->range);
			KUNIT_EXPECT_EQ_MSG(test, !va, c->first < 0, "%s after %s\n",
					    c->name, find_cases[i].name);
			if (va && c->first >= 0)
				KUNIT_EXPECT_EQ(test, va->va.addr, AT(c->first));
		}
	}
	gpuvm_check(test, vm);
}

struct neighbour_case {
	const char *name;
	u64 at;
	int prev;
	int next;
};

static const struct neighbour_case neighbour_cases[] = {
	{ "start of the first", AT(0), -1, 0 },
	{ "inside of the first", AT(1), 0, 0 },
	{ "end of the first", AT(2), 0, -1 },
	{ "start behind a gap", AT(3), -1, 3 },
	{ "between two", AT(4), 3, 4 },
	{ "gap before the reserved range", AT(5), 4, -1 },
	{ "start of the reserved range", AT(6), -1, -1 },
	{ "end of the VA space", AT(8), -1, -1 },
	{ "start of the VA space", GT_VM_START, -1, -1 },
	{ "before the VA space", GT_VM_START - GT_PAGES(1), -1, -1 },
	{ "address 0", 0, -1, -1 },
	{ "last address", U64_MAX, -1, -1 },
};

KUNIT_ARRAY_PARAM_DESC(neighbour, neighbour_cases, name);

static void find_prev_and_next(struct kunit *test)
{
	const struct neighbour_case *c = test->param_value;
	struct drm_gpuvm *vm = find_vm(test->priv);
	struct drm_gpuva *va;

	gt_needs_ours(test, "drm_gpuva_find_prev() and drm_gpuva_find_next()");
	va = drm_gpuva_find_prev(vm, c->at);
	KUNIT_EXPECT_EQ(test, !va, c->prev < 0);
	if (va && c->prev >= 0)
		KUNIT_EXPECT_EQ(test, va->va.addr, AT(c->prev));

	va = drm_gpuva_find_next(vm, c->at);
	KUNIT_EXPECT_EQ(test, !va, c->next < 0);
	if (va && c->next >= 0)
		KUNIT_EXPECT_EQ(test, va->va.addr, AT(c->next));
}

/* Note down a walk: the page of each mapping, one character each. */
static void note(char *s, struct drm_gpuva *va)
{
	unsigned int n = strlen(s);

	s[n] = '0' + (int)((va->va.addr - GT_BASE) >> GT_SHIFT);
	s[n + 1] = '\0';
}

struct range_case {
	const char *name;
	u64 start;
	u64 end;
	const char *all; /* pages at which the visited mappings start */
	const char *mappings; /* the same without the reserved range */
};

/* In |*0 *1|  |*2|*3|  |## ##|*8| */
static const struct range_case range_cases[] = {
	{ "everything", GT_VM_START, GT_VM_START + GT_VM_RANGE, "03468", "0348" },
	{ "everything up to 2^64", 0, U64_MAX, "03468", "0348" },
	{ "end 0 is 2^64", GT_VM_START, 0, "03468", "0348" },
	{ "last byte of one, first of another", AT(2) - 1, AT(3) + 1, "03", "03" },
	{ "between these", AT(2), AT(3), "", "" },
	{ "two neighbours", AT(3), AT(5), "34", "34" },
	{ "reserved range", AT(6), AT(8), "6", "" },
	{ "reserved range and behind", AT(7), AT(8) + 1, "68", "8" },
	{ "before the reserved range", AT(4), AT(6) + 1, "46", "4" },
	{ "empty range", AT(3), AT(3), "", "" },
	{ "end before start", AT(4), AT(3), "", "" },
	{ "behind everything", AT(9), AT(10), "", "" },
};

KUNIT_ARRAY_PARAM_DESC(range, range_cases, name);

static struct drm_gpuvm *iter_vm(struct gt *gt)
{
	struct drm_gpuvm *vm = gt_vm_at(gt, 0, GT_VM_START, GT_VM_RANGE, AT(6),
					GT_PAGES(2), &gt_ops);

	gt_build(gt, vm, GT_BASE, "|*0 *1|  |*2|*3|        |*8|");

	return vm;
}

static void iterate_range(struct kunit *test)
{
	const struct range_case *c = test->param_value;
	struct drm_gpuvm *vm = iter_vm(test->priv);
	struct drm_gpuva *va, *next;
	char s[8];

	s[0] = '\0';
	drm_gpuvm_for_each_va_range(va, vm, c->start, c->end)
		note(s, va);
	KUNIT_EXPECT_STREQ(test, s, c->all);

	s[0] = '\0';
	drm_gpuvm_for_each_va_range_safe(va, next, vm, c->start, c->end)
		note(s, va);
	KUNIT_EXPECT_STREQ(test, s, c->all);

	s[0] = '\0';
	drm_gpuvm_for_each_mapping_range(va, vm, c->start, c->end)
		note(s, va);
	KUNIT_EXPECT_STREQ(test, s, c->mappings);

	s[0] = '\0';
	drm_gpuvm_for_each_mapping_range_safe(va, next, vm, c->start, c->end)
		note(s, va);
	KUNIT_EXPECT_STREQ(test, s, c->mappings);

	gpuvm_check(test, vm);
}

/* Every safe walk survives the removal of what it visits. */
static void iterate_range_and_remove(struct kunit *test)
{
	const struct range_case *c = test->param_value;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = iter_vm(gt);
	unsigned int left = gt_core_mappings(vm) - strlen(c->mappings);
	struct drm_gpuva *va, *next;
	char s[8] = "";

	drm_gpuvm_for_each_mapping_range_safe(va, next, vm, c->start, c->end) {
		note(s, va);
		gt_unmap(gt, va);
		gpuvm_check(test, vm);
	}
	KUNIT_EXPECT_STREQ(test, s, c->mappings);
	KUNIT_EXPECT_EQ(test, gt_core_mappings(vm), left);

	gt_vm_clear(gt, vm);
	gt_build(gt, vm, GT_BASE, "|*0 *1|  |*2|*3|        |*8|");

	s[0] = '\0';
	drm_gpuvm_for_each_va_range_safe(va, next, vm, c->start, c->end) {
		note(s, va);
		if (va != &vm->kernel_alloc_node)
			gt_unmap(gt, va);
		gpuvm_check(test, vm);
	}
	KUNIT_EXPECT_STREQ(test, s, c->all);
	KUNIT_EXPECT_EQ(test, gt_core_mappings(vm), left);
}

static void iterate_all(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = iter_vm(gt);
	struct drm_gpuva *va, *next;
	char s[8];

	s[0] = '\0';
	drm_gpuvm_for_each_va(va, vm)
		note(s, va);
	KUNIT_EXPECT_STREQ(test, s, "03468");

	s[0] = '\0';
	drm_gpuvm_for_each_va_safe(va, next, vm)
		note(s, va);
	KUNIT_EXPECT_STREQ(test, s, "03468");

	s[0] = '\0';
	drm_gpuvm_for_each_mapping(va, vm)
		note(s, va);
	KUNIT_EXPECT_STREQ(test, s, "0348");

	s[0] = '\0';
	drm_gpuvm_for_each_mapping_safe(va, next, vm) {
		note(s, va);
		gt_unmap(gt, va);
		gpuvm_check(test, vm);
	}
	KUNIT_EXPECT_STREQ(test, s, "0348");
	KUNIT_EXPECT_EQ(test, gt_core_mappings(vm), 0);

	drm_gpuvm_for_each_mapping(va, vm)
		KUNIT_FAIL(test, "a mapping in an empty VM\n");
	drm_gpuvm_for_each_mapping_safe(va, next, vm)
		KUNIT_FAIL(test, "a mapping in an empty VM\n");
}

/* A walk may leave its body with break and continue, and may be nested. */
static void iterate_break_and_nest(struct kunit *test)
{
	struct drm_gpuvm *vm = iter_vm(test->priv);
	struct drm_gpuva *va, *inner;
	char s[32] = "";

	drm_gpuvm_for_each_mapping(va, vm) {
		if (va->va.addr == AT(0))
			continue;
		drm_gpuvm_for_each_mapping_range(inner, vm, AT(0), va->va.addr)
			note(s, inner);
		if (va->va.addr == AT(4))
			break;
		note(s, va);
	}
	KUNIT_EXPECT_STREQ(test, s, "0303");
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_EQ(test, va->va.addr, AT(4));
}

/* Mappings that the body splits must not be visited twice. */
static void iterate_and_split(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm(gt, 0);
	struct drm_gpuva *va, *next;
	char s[8] = "";

	gt_build(gt, vm, GT_BASE, "|*0 *1|*2 *3|*4 *5|");
	drm_gpuvm_for_each_va_range_safe(va, next, vm, AT(0), AT(6)) {
		u64 addr = va->va.addr, offset = va->gem.offset;

		note(s, va);
		gt_unmap(gt, va);
		gt_map(gt, vm, addr, GT_PAGES(1), NULL, offset);
		gt_map(gt, vm, addr + GT_PAGES(1), GT_PAGES(1), NULL,
		       offset + GT_PAGES(1));
		gpuvm_check(test, vm);
	}
	KUNIT_EXPECT_STREQ(test, s, "024");
	gt_expect_picture(test, vm, GT_BASE, "|*0|*1|*2|*3|*4|*5|", "split");
}

/* Macros evaluate what they are given once. */
static unsigned int evaluated;

static struct drm_gpuvm *once_vm(struct drm_gpuvm *vm)
{
	evaluated++;
	return vm;
}

static u64 once(u64 value)
{
	evaluated++;
	return value;
}

static void iterate_evaluates_once(struct kunit *test)
{
	struct drm_gpuvm *vm = iter_vm(test->priv);
	struct drm_gpuva *va, *next;
	unsigned int n = 0;

	evaluated = 0;
	drm_gpuvm_for_each_va_range(va, once_vm(vm), once(AT(0)), once(AT(9)))
		n++;
	KUNIT_EXPECT_EQ(test, evaluated, 3);

	drm_gpuvm_for_each_va_range_safe(va, next, once_vm(vm), once(AT(0)), once(AT(9)))
		n++;
	KUNIT_EXPECT_EQ(test, evaluated, 6);

	drm_gpuvm_for_each_mapping(va, once_vm(vm))
		n++;
	KUNIT_EXPECT_EQ(test, evaluated, 7);

	drm_gpuvm_for_each_mapping_safe(va, next, once_vm(vm))
		n++;
	KUNIT_EXPECT_EQ(test, evaluated, 8);

	drm_gpuvm_for_each_mapping_range(va, once_vm(vm), once(AT(0)), once(AT(9)))
		n++;
	KUNIT_EXPECT_EQ(test, evaluated, 11);

	drm_gpuvm_for_each_mapping_range_safe(va, next, once_vm(vm), once(AT(0)),
					      once(AT(9)))
		n++;
	KUNIT_EXPECT_EQ(test, evaluated, 14);
	KUNIT_EXPECT_EQ(test, n, 5 + 5 + 4 + 4 + 4 + 4);
}

/* The last byte of 2^64 belongs to the VA space. */
static void last_byte_of_2_64(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm_at(gt, 0, GT_VM_START, -GT_VM_START, 0, 0,
					&gt_ops);
	struct drm_gpuva *va, *last, *next;
	unsigned int n = 0;

	last = gt_map(gt, vm, -GT_PAGES(1), GT_PAGES(1), NULL, 0);
	va = gt_map(gt, vm, -GT_PAGES(2), GT_PAGES(1), NULL, 0);
	gpuvm_check(test, vm);

	KUNIT_EXPECT_TRUE(test, drm_gpuvm_range_valid(vm, -GT_PAGES(1), GT_PAGES(1)));
	KUNIT_EXPECT_TRUE(test, drm_gpuvm_range_valid(vm, GT_VM_START, -GT_VM_START));
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_range_valid(vm, -GT_PAGES(1), GT_PAGES(1) + 1));
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_range_valid(vm, GT_VM_START, U64_MAX));

	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find(vm, -GT_PAGES(1), GT_PAGES(1)), last);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_first(vm, U64_MAX, 1), last);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_first(vm, GT_VM_START, -GT_VM_START), va);
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_interval_empty(vm, U64_MAX, 1));
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_prev(vm, 0), NULL);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_prev(vm, -GT_PAGES(1)), va);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_next(vm, -GT_PAGES(1)), last);

	drm_gpuvm_for_each_va_range(va, vm, U64_MAX, 0) {
		KUNIT_EXPECT_PTR_EQ(test, va, last);
		n++;
	}
	KUNIT_EXPECT_EQ(test, n, 1);
	drm_gpuvm_for_each_mapping_range(va, vm, GT_VM_START, 0)
		n++;
	KUNIT_EXPECT_EQ(test, n, 3);
	drm_gpuvm_for_each_mapping_range_safe(va, next, vm, GT_VM_START, 0) {
		gt_unmap(gt, va);
		n++;
	}
	KUNIT_EXPECT_EQ(test, n, 5);
	gpuvm_check(test, vm);
}

static void remove_twice_does_nothing(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm(gt, 0);
	struct drm_gpuva *va;
	char *before;

	gt_build(gt, vm, GT_BASE, "|*0|*1|*2|");
	va = drm_gpuva_find(vm, AT(1), GT_PAGES(1));
	KUNIT_ASSERT_NOT_NULL(test, va);
	drm_gpuva_remove(va);
	before = gt_snapshot(test, vm);

	gt_warn_begin(gt);
	drm_gpuva_remove(va);
	gt_warn_end(gt, 0, 1);
	gt_expect_unchanged(test, vm, before);
	gpuvm_check(test, vm);

	/* It can still be inserted again. */
	KUNIT_EXPECT_EQ(test, drm_gpuva_insert(vm, va), 0);
	gt_expect_picture(test, vm, GT_BASE, "|*0|*1|*2|", "inserted again");
}

static void remove_of_never_inserted_does_nothing(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm(gt, 0);
	struct drm_gpuva *va = gt_va(gt, AT(0), GT_PAGES(1), NULL, 0);
	char *before = gt_snapshot(test, vm);

	gt_warn_begin(gt);
	drm_gpuva_remove(va);
	gt_warn_end(gt, 0, 1);
	gt_expect_unchanged(test, vm, before);
	KUNIT_EXPECT_PTR_EQ(test, va->vm, NULL);
	gt_va_free(va);
}

static void remove_reserved_does_nothing(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = iter_vm(gt);
	char *before = gt_snapshot(test, vm);

	gt_warn_begin(gt);
	drm_gpuva_remove(&vm->kernel_alloc_node);
	gt_warn_end(gt, 0, 1);
	gt_expect_unchanged(test, vm, before);
	gpuvm_check(test, vm);
}

static void invalidate(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuva *va = gt_map(gt, gt_vm(gt, 0), AT(0), GT_PAGES(1), NULL, 0);

	va->flags = DRM_GPUVA_SPARSE | DRM_GPUVA_USERBITS;
	KUNIT_EXPECT_FALSE(test, drm_gpuva_invalidated(va));
	drm_gpuva_invalidate(va, true);
	KUNIT_EXPECT_TRUE(test, drm_gpuva_invalidated(va));
	KUNIT_EXPECT_EQ(test, (int)va->flags, DRM_GPUVA_INVALIDATED | DRM_GPUVA_SPARSE |
			DRM_GPUVA_USERBITS);
	drm_gpuva_invalidate(va, false);
	KUNIT_EXPECT_FALSE(test, drm_gpuva_invalidated(va));
	KUNIT_EXPECT_EQ(test, (int)va->flags, DRM_GPUVA_SPARSE | DRM_GPUVA_USERBITS);
}

/* ---- random ------------------------------------------------------------- */

#define RANDOM_PAGES	96
#define RANDOM_STEPS	1500

struct random_model {
	struct rnd_state rnd;
	struct drm_gpuva *page[RANDOM_PAGES];
};

static struct random_model *random_model(struct kunit *test)
{
	struct random_model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	prandom_seed_state(&m->rnd, gt_seed(test));

	return m;
}

static unsigned int random_below(struct random_model *m, unsigned int n)
{
	return prandom_u32_state(&m->rnd) % n;
}

static struct drm_gpuva *random_first(struct random_model *m, unsigned int first,
				      unsigned int end)
{
	for (; first < end; first++)
		if (m->page[first])
			return m->page[first];

	return NULL;
}

static void random_query(struct kunit *test, struct random_model *m,
			 struct drm_gpuvm *vm)
{
	unsigned int first = random_below(m, RANDOM_PAGES);
	unsigned int end = first + 1 + random_below(m, RANDOM_PAGES - first);
	struct drm_gpuva *va, *expected = random_first(m, first, end);
	unsigned int page = first;

	KUNIT_EXPECT_PTR_EQ(test, expected,
			    drm_gpuva_find_first(vm, AT(first), GT_PAGES(end - first)));
	KUNIT_EXPECT_EQ(test, !expected,
			drm_gpuvm_interval_empty(vm, AT(first), GT_PAGES(end - first)));
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_next(vm, AT(first)), m->page[first]);
	if (first)
		KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_prev(vm, AT(first)),
				    m->page[first - 1]);

	drm_gpuvm_for_each_va_range(va, vm, AT(first), AT(end)) {
		expected = random_first(m, page, end);
		KUNIT_ASSERT_PTR_EQ(test, va, expected);
		page = ((va->va.addr + va->va.range) - GT_BASE) >> GT_SHIFT;
	}
	KUNIT_EXPECT_PTR_EQ(test, random_first(m, page, end), NULL);
}

static void random_against_model(struct kunit *test)
{
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm(gt, 0);
	struct random_model *m = random_model(test);
	unsigned int step, i;

	for (step = 0; step < RANDOM_STEPS; step++) {
		unsigned int first = random_below(m, RANDOM_PAGES);
		unsigned int pages = 1 + random_below(m, min(4, RANDOM_PAGES - first));
		struct drm_gpuva *va = m->page[first];

		if (va && random_below(m, 2)) {
			drm_gpuva_remove(va);
			for (i = 0; i < RANDOM_PAGES; i++)
				if (m->page[i] == va)
					m->page[i] = NULL;
			gt_va_free(va);
		} else {
			bool room = !random_first(m, first, first + pages);

			va = gt_va(gt, AT(first), GT_PAGES(pages), NULL, 0);
			KUNIT_ASSERT_EQ(test, drm_gpuva_insert(vm, va),
					room ? 0 : -EEXIST);
			if (room) {
				for (i = 0; i < pages; i++)
					m->page[first + i] = va;
			} else {
				gt_va_free(va);
			}
		}

		random_query(test, m, vm);
		if (!gpuvm_check(test, vm))
			return;
	}
}

/* Deep trees: thousands of mappings, put in and taken out in random order. */
static void random_large(struct kunit *test)
{
	const unsigned int num = 2000;
	struct gt *gt = test->priv;
	struct drm_gpuvm *vm = gt_vm(gt, 0);
	struct random_model *m = random_model(test);
	u16 *order = kunit_kmalloc_array(test, num, sizeof(*order), GFP_KERNEL);
	struct drm_gpuva *va;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, order);
	for (i = 0; i < num; i++)
		order[i] = i;
	for (i = num - 1; i; i--) {
		unsigned int j = random_below(m, i + 1);

		swap(order[i], order[j]);
	}

	for (i = 0; i < num; i++) {
		va = gt_va(gt, AT(order[i]), GT_PAGES(1), NULL, 0);
		KUNIT_ASSERT_EQ(test, drm_gpuva_insert(vm, va), 0);
		if (i % 100 == 0)
			KUNIT_ASSERT_TRUE(test, gpuvm_check(test, vm));
	}
	KUNIT_EXPECT_EQ(test, gt_core_mappings(vm), num);

	for (i = 0; i < num; i++) {
		va = drm_gpuva_find(vm, AT(order[num - 1 - i]), GT_PAGES(1));
		KUNIT_ASSERT_NOT_NULL(test, va);
		drm_gpuva_remove(va);
		gt_va_free(va);
		if (i % 100 == 0)
			KUNIT_ASSERT_TRUE(test, gpuvm_check(test, vm));
	}
	KUNIT_EXPECT_EQ(test, gt_core_mappings(vm), 0);
	gpuvm_check(test, vm);
}

static struct kunit_case gpuvm_tree_tests[] = {
	KUNIT_CASE(insert_order),
	KUNIT_CASE_PARAM(insert_returns, insert_gen_params),
	KUNIT_CASE(insert_next_to_reserved),
	KUNIT_CASE_PARAM(find_first_and_exact, find_gen_params),
	KUNIT_CASE(find_ignores_history),
	KUNIT_CASE_PARAM(find_prev_and_next, neighbour_gen_params),
	KUNIT_CASE_PARAM(iterate_range, range_gen_params),
	KUNIT_CASE_PARAM(iterate_range_and_remove, range_gen_params),
	KUNIT_CASE(iterate_all),
	KUNIT_CASE(iterate_break_and_nest),
	KUNIT_CASE(iterate_and_split),
	KUNIT_CASE(iterate_evaluates_once),
	KUNIT_CASE(last_byte_of_2_64),
	KUNIT_CASE(remove_twice_does_nothing),
	KUNIT_CASE(remove_of_never_inserted_does_nothing),
	KUNIT_CASE(remove_reserved_does_nothing),
	KUNIT_CASE(invalidate),
	KUNIT_CASE(random_against_model),
	KUNIT_CASE(random_large),
	{}
};

static struct kunit_suite gpuvm_tree_suite = {
	.name = "drm_gpuvm_tree",
	.init = gt_init,
	.exit = gt_exit,
	.test_cases = gpuvm_tree_tests,
};

kunit_test_suite(gpuvm_tree_suite);
