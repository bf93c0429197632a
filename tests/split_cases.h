/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * The numbered split and merge cases. The documentation numbers them alike.
 *
 * gpuvm_test.h explains pictures and operations: @old is the VA space before
 * the request, @req the request and @new the VA space after it. A request that
 * maps nothing marks its pages with "##".
 */

#ifndef __GPUVM_SPLIT_CASES_H__
#define __GPUVM_SPLIT_CASES_H__

#define GT_CASE_OPS 8

struct gt_case {
	unsigned int nr;
	const char *name;
	const char *old;
	const char *req;
	const char *new;
	const char *ops[GT_CASE_OPS];
};

/* What a map request does. 1 to 15 are the documented ones. */
static const struct gt_case gt_map_cases[] __maybe_unused = {
	{
		1, "the same again",
		.old = "|a4 a5|",
		.req = "|a4 a5|",
		.new = "|a4 a5|",
		.ops = {
			"unmap [0,2) a4 keep",
			"map [0,2) a4",
		},
	}, {
		2, "same range, other offset",
		.old = "|a4 a5|",
		.req = "|a9 aa|",
		.new = "|a9 aa|",
		.ops = {
			"unmap [0,2) a4",
			"map [0,2) a9",
		},
	}, {
		3, "same range, other object",
		.old = "|a4 a5|",
		.req = "|b4 b5|",
		.new = "|b4 b5|",
		.ops = {
			"unmap [0,2) a4",
			"map [0,2) b4",
		},
	}, {
		4, "grows at its end",
		.old = "|a4|",
		.req = "|a4 a5|",
		.new = "|a4 a5|",
		.ops = {
			"unmap [0,1) a4 keep",
			"map [0,2) a4",
		},
	}, {
		5, "first part, other object",
		.old = "|a4 a5|",
		.req = "|b4|",
		.new = "|b4|a5|",
		.ops = {
			"remap [0,2) a4 next [1,2) a5",
			"map [0,1) b4",
		},
	}, {
		6, "first part, contiguous",
		.old = "|a4 a5|",
		.req = "|a4|",
		.new = "|a4|a5|",
		.ops = {
			"remap [0,2) a4 next [1,2) a5 keep",
			"map [0,1) a4",
		},
	}, {
		7, "last part, other object",
		.old = "|a4 a5|",
		.req = "   |b9|",
		.new = "|a4|b9|",
		.ops = {
			"remap [0,2) a4 prev [0,1) a4",
			"map [1,2) b9",
		},
	}, {
		8, "last part, contiguous",
		.old = "|a4 a5|",
		.req = "   |a5|",
		.new = "|a4|a5|",
		.ops = {
			"remap [0,2) a4 prev [0,1) a4 keep",
			"map [1,2) a5",
		},
	}, {
		9, "over its end, other object",
		.old = "|a4 a5|",
		.req = "   |b9 ba|",
		.new = "|a4|b9 ba|",
		.ops = {
			"remap [0,2) a4 prev [0,1) a4",
			"map [1,3) b9",
		},
	}, {
		10, "over its end, contiguous",
		.old = "|a4 a5|",
		.req = "   |a5 a6|",
		.new = "|a4|a5 a6|",
		.ops = {
			"remap [0,2) a4 prev [0,1) a4 keep",
			"map [1,3) a5",
		},
	}, {
		11, "centre, other object",
		.old = "|a4 a5 a6|",
		.req = "   |b9|",
		.new = "|a4|b9|a6|",
		.ops = {
			"remap [0,3) a4 prev [0,1) a4 next [2,3) a6",
			"map [1,2) b9",
		},
	}, {
		12, "centre, contiguous",
		.old = "|a4 a5 a6|",
		.req = "   |a5|",
		.new = "|a4|a5|a6|",
		.ops = {
			"remap [0,3) a4 prev [0,1) a4 next [2,3) a6 keep",
			"map [1,2) a5",
		},
	}, {
		13, "grows at its start",
		.old = "   |a5|",
		.req = "|a4 a5|",
		.new = "|a4 a5|",
		.ops = {
			"unmap [1,2) a5 keep",
			"map [0,2) a4",
		},
	}, {
		14, "grows at both sides",
		.old = "   |a5|",
		.req = "|a4 a5 a6|",
		.new = "|a4 a5 a6|",
		.ops = {
			"unmap [1,2) a5 keep",
			"map [0,3) a4",
		},
	}, {
		15, "over its start, other object",
		.old = "   |a4 a5|",
		.req = "|b9 ba|",
		.new = "|b9 ba|a5|",
		.ops = {
			"remap [1,3) a4 next [2,3) a5",
			"map [0,2) b9",
		},
	}, {
		16, "over its start, contiguous",
		.old = "   |a4 a5|",
		.req = "|a3 a4|",
		.new = "|a3 a4|a5|",
		.ops = {
			"remap [1,3) a4 next [2,3) a5 keep",
			"map [0,2) a3",
		},
	}, {
		17, "nothing there",
		.old = "",
		.req = "   |a4 a5|",
		.new = "   |a4 a5|",
		.ops = {
			"map [1,3) a4",
		},
	}, {
		18, "between neighbours, which are not merged",
		.old = "|a4|  |a6|",
		.req = "   |a5|",
		.new = "|a4|a5|a6|",
		.ops = {
			"map [1,2) a5",
		},
	}, {
		19, "several mappings and gaps",
		.old = "|a4 a5|  |b0|*7 *8|",
		.req = "   |a5 a6 a7 a8|",
		.new = "|a4|a5 a6 a7 a8|*8|",
		.ops = {
			"remap [0,2) a4 prev [0,1) a4 keep",
			"unmap [3,4) b0",
			"remap [4,6) *7 next [5,6) *8",
			"map [1,5) a5",
		},
	}, {
		20, "an object over a mapping without one",
		.old = "|*0 *1 *2|",
		.req = "   |a1|",
		.new = "|*0|a1|*2|",
		.ops = {
			"remap [0,3) *0 prev [0,1) *0 next [2,3) *2",
			"map [1,2) a1",
		},
	}, {
		21, "no object over a mapping with one",
		.old = "|a4 a5 a6|",
		.req = "   |*5|",
		.new = "|a4|*5|a6|",
		.ops = {
			"remap [0,3) a4 prev [0,1) a4 next [2,3) a6",
			"map [1,2) *5",
		},
	}, {
		22, "the same again without object, never kept",
		.old = "|*4 *5|",
		.req = "|*4 *5|",
		.new = "|*4 *5|",
		.ops = {
			"unmap [0,2) *4",
			"map [0,2) *4",
		},
	},
};

/* What an unmap request does; nothing is kept. */
static const struct gt_case gt_unmap_cases[] __maybe_unused = {
	{
		1, "exactly one mapping",
		.old = "|a4 a5|",
		.req = "|## ##|",
		.new = "",
		.ops = {
			"unmap [0,2) a4",
		},
	}, {
		2, "first part",
		.old = "|a4 a5|",
		.req = "|##|",
		.new = "   |a5|",
		.ops = {
			"remap [0,2) a4 next [1,2) a5",
		},
	}, {
		3, "last part",
		.old = "|a4 a5|",
		.req = "   |##|",
		.new = "|a4|",
		.ops = {
			"remap [0,2) a4 prev [0,1) a4",
		},
	}, {
		4, "centre",
		.old = "|a4 a5 a6|",
		.req = "   |##|",
		.new = "|a4|  |a6|",
		.ops = {
			"remap [0,3) a4 prev [0,1) a4 next [2,3) a6",
		},
	}, {
		5, "over its start",
		.old = "   |a4 a5|",
		.req = "|## ##|",
		.new = "      |a5|",
		.ops = {
			"remap [1,3) a4 next [2,3) a5",
		},
	}, {
		6, "over its end",
		.old = "|a4 a5|",
		.req = "   |## ##|",
		.new = "|a4|",
		.ops = {
			"remap [0,2) a4 prev [0,1) a4",
		},
	}, {
		7, "more than one mapping",
		.old = "   |a4|",
		.req = "|## ## ##|",
		.new = "",
		.ops = {
			"unmap [1,2) a4",
		},
	}, {
		8, "several mappings, both ends cut",
		.old = "|a4 a5|b0|*7 *8|",
		.req = "   |## ## ##|",
		.new = "|a4|        |*8|",
		.ops = {
			"remap [0,2) a4 prev [0,1) a4",
			"unmap [2,3) b0",
			"remap [3,5) *7 next [4,5) *8",
		},
	}, {
		9, "gaps in between",
		.old = "|a4|  |b0|  |a5|",
		.req = "|## ## ## ## ##|",
		.new = "",
		.ops = {
			"unmap [0,1) a4",
			"unmap [2,3) b0",
			"unmap [4,5) a5",
		},
	}, {
		10, "a gap",
		.old = "|a4|  |b0|",
		.req = "   |##|",
		.new = "|a4|  |b0|",
		.ops = { },
	}, {
		11, "nothing there",
		.old = "",
		.req = "|## ##|",
		.new = "",
		.ops = { },
	}, {
		12, "centre of a mapping without object",
		.old = "|*3 *4 *5|",
		.req = "   |##|",
		.new = "|*3|  |*5|",
		.ops = {
			"remap [0,3) *3 prev [0,1) *3 next [2,3) *5",
		},
	},
};

/*
 * What a madvise request does: only mappings without object are split, where
 * the request cuts them, and the part inside is mapped again.
 */
static const struct gt_case gt_madvise_cases[] __maybe_unused = {
	{
		1, "inside of one mapping",
		.old = "|*4 *5 *6|",
		.req = "   |##|",
		.new = "|*4|*5|*6|",
		.ops = {
			"remap [0,3) *4 prev [0,1) *4 next [2,3) *6",
			"map [1,2) *5",
		},
	}, {
		2, "start and end in two mappings",
		.old = "|*4 *5|*8|*1 *2|",
		.req = "   |## ## ##|",
		.new = "|*4|*5|*8|*1|*2|",
		.ops = {
			"remap [0,2) *4 prev [0,1) *4",
			"map [1,2) *5",
			"remap [3,5) *1 next [4,5) *2",
			"map [3,4) *1",
		},
	}, {
		3, "end inside of a mapping",
		.old = "|*4 *5|*8|*1 *2|",
		.req = "|## ## ## ##|",
		.new = "|*4 *5|*8|*1|*2|",
		.ops = {
			"remap [3,5) *1 next [4,5) *2",
			"map [3,4) *1",
		},
	}, {
		4, "start inside of a mapping",
		.old = "|*4 *5|*8|*1 *2|",
		.req = "   |## ## ## ##|",
		.new = "|*4|*5|*8|*1 *2|",
		.ops = {
			"remap [0,2) *4 prev [0,1) *4",
			"map [1,2) *5",
		},
	}, {
		5, "start and end at boundaries",
		.old = "|*4 *5|*8|*1 *2|",
		.req = "|## ## ## ## ##|",
		.new = "|*4 *5|*8|*1 *2|",
		.ops = { },
	}, {
		6, "nothing there",
		.old = "|*4|",
		.req = "   |## ##|",
		.new = "|*4|",
		.ops = { },
	}, {
		7, "mappings with objects stay",
		.old = "|a4 a5 a6|",
		.req = "   |##|",
		.new = "|a4 a5 a6|",
		.ops = { },
	}, {
		8, "cuts one mapping with and one without object",
		.old = "|*4 *5|b0 b1|",
		.req = "   |## ##|",
		.new = "|*4|*5|b0 b1|",
		.ops = {
			"remap [0,2) *4 prev [0,1) *4",
			"map [1,2) *5",
		},
	}, {
		9, "first part",
		.old = "|*4 *5 *6|",
		.req = "|## ##|",
		.new = "|*4 *5|*6|",
		.ops = {
			"remap [0,3) *4 next [2,3) *6",
			"map [0,2) *4",
		},
	}, {
		10, "last part",
		.old = "|*4 *5 *6|",
		.req = "   |## ##|",
		.new = "|*4|*5 *6|",
		.ops = {
			"remap [0,3) *4 prev [0,1) *4",
			"map [1,3) *5",
		},
	},
};

/* What a prefetch request names; a mapping counts if one page is asked for. */
static const struct gt_case gt_prefetch_cases[] __maybe_unused = {
	{
		1, "exactly one mapping",
		.old = "|a4 a5|",
		.req = "|## ##|",
		.new = "|a4 a5|",
		.ops = {
			"prefetch [0,2) a4",
		},
	}, {
		2, "part of a mapping",
		.old = "|a4 a5 a6|",
		.req = "   |##|",
		.new = "|a4 a5 a6|",
		.ops = {
			"prefetch [0,3) a4",
		},
	}, {
		3, "several mappings and gaps",
		.old = "|a4 a5|  |b0|*7 *8|",
		.req = "   |## ## ## ##|",
		.new = "|a4 a5|  |b0|*7 *8|",
		.ops = {
			"prefetch [0,2) a4",
			"prefetch [3,4) b0",
			"prefetch [4,6) *7",
		},
	}, {
		4, "nothing there",
		.old = "|a4|  |b0|",
		.req = "   |##|",
		.new = "|a4|  |b0|",
		.ops = { },
	},
};

#endif /* __GPUVM_SPLIT_CASES_H__ */
