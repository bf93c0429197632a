// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Runs the patterns with both cores in turn.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "bench.h"

/* A run measures at least that many operations, so that it takes a while. */
#define MIN_OPS 200000

#define SLOTS_PER_BLOCK (BENCH_BLOCK / BENCH_SLOT)

static const struct bench_core *const cores[] = {
	&bench_core_ours, &bench_core_linux,
};

/* ---- What a run needs -------------------------------------------------- */

struct memory {
	u32 *order[2];
	void **pool;
	void **blocks;
	u32 n;
	u32 num_slots;
	u32 num_blocks;
};

static void memory_free(struct memory *memory)
{
	for (u32 i = 0; memory->blocks && i < memory->num_blocks; i++)
		bench_block_free(memory->blocks[i]);
	bench_array_free(memory->blocks,
			 memory->num_blocks * sizeof(*memory->blocks));
	bench_array_free(memory->pool,
			 memory->num_slots * sizeof(*memory->pool));
	for (int i = 0; i < 2; i++)
		bench_array_free(memory->order[i],
				 memory->n * sizeof(*memory->order[i]));
}

static int memory_alloc(struct memory *memory, u32 n)
{
	bool ok;

	memset(memory, 0, sizeof(*memory));
	if (!n)
		return 0;

	memory->n = n;
	memory->num_slots = 2 * n + 2 * BENCH_AHEAD;
	memory->num_blocks = memory->num_slots / SLOTS_PER_BLOCK + 1;
	memory->pool = bench_array_alloc(memory->num_slots *
					 sizeof(*memory->pool));
	memory->blocks = bench_array_alloc(memory->num_blocks *
					   sizeof(*memory->blocks));
	ok = memory->pool && memory->blocks;
	for (int i = 0; i < 2; i++) {
		memory->order[i] =
			bench_array_alloc(n * sizeof(*memory->order[i]));
		ok = ok && memory->order[i];
	}
	for (u32 i = 0; ok && i < memory->num_blocks; i++) {
		memory->blocks[i] = bench_block_alloc();
		ok = memory->blocks[i];
	}
	if (ok)
		return 0;

	memory_free(memory);

	return -ENOMEM;
}

static u64 random_state;

static u32 random_below(u32 limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;

	return ((random_state >> 32) * limit) >> 32;
}

static void memory_shuffle(struct memory *memory, u64 seed)
{
	random_state = seed * 0x9e3779b97f4a7c15ull + 1;

	for (int k = 0; k < 2; k++) {
		u32 *order = memory->order[k];

		for (u32 i = 0; i < memory->n; i++) {
			u32 j = random_below(i + 1);

			order[i] = order[j];
			order[j] = i;
		}
	}

	for (u32 i = 0; i < memory->num_blocks; i++)
		memset(memory->blocks[i], 0, BENCH_BLOCK);

	for (u32 i = 0; i < memory->num_slots; i++) {
		u32 j = random_below(i + 1);

		memory->pool[i] = memory->pool[j];
		memory->pool[j] = memory->blocks[i / SLOTS_PER_BLOCK] +
				  i % SLOTS_PER_BLOCK * BENCH_SLOT;
	}
}

/* ---- Runs -------------------------------------------------------------- */

/* One run at a time: too large for a kernel's stack. */
static struct {
	const struct bench_options *options;
	struct memory memory;
	bool wanted[BENCH_MAX_PATTERNS];
	struct bench bench[ARRAY_SIZE(cores)];
} run;

/* Both cores get the same numbers and the same slots. */
static void run_scene(u32 core, u32 index, u64 seed)
{
	struct bench *b = &run.bench[core];

	if (run.memory.n)
		memory_shuffle(&run.memory, seed);

	b->n = run.memory.n;
	b->loops = run.options->once ? 1 : 5;
	b->order[0] = run.memory.order[0];
	b->order[1] = run.memory.order[1];
	b->pool = run.memory.pool;
	b->pool_free = run.memory.num_slots;
	cores[core]->patterns[index].scene(b, index);
}

static void print_result(u32 core, u32 index, u32 repeat)
{
	const struct bench_result *result = &run.bench[core].results[index];
	unsigned long long ps = result->ns * 1000 / result->ops;
	unsigned long long ops = result->ops;

	bench_print("result\t%s\t%s\t%u\t%u\t%llu.%03llu\t%llu\t%llu\t%llu\n",
		    cores[core]->name, cores[core]->patterns[index].name,
		    run.memory.n, repeat, ps / 1000, ps % 1000, ops,
		    (unsigned long long)result->allocs,
		    (unsigned long long)result->bytes);
}

/* The first wanted one of a scene, of those with or without mappings. */
static bool scene_is_next(const bool *wanted, u32 index)
{
	const struct bench_pattern *patterns = cores[0]->patterns;

	if (!wanted[index] || !run.memory.n == !patterns[index].vms)
		return false;

	for (u32 i = 0; !patterns[index].vms && i < index; i++)
		if (wanted[i] && patterns[i].scene == patterns[index].scene)
			return false;

	return true;
}

/* The cores take turns at each scene, so that a slow moment hits both. */
static void run_cores(const bool *wanted, u32 rounds, u32 repeat, bool trial)
{
	u64 seed = run.options->seed + repeat * rounds;

	for (u32 k = 0; k < ARRAY_SIZE(cores); k++) {
		memset(run.bench[k].results, 0, sizeof(run.bench[k].results));
		memcpy(run.bench[k].wanted, wanted, sizeof(run.wanted));
	}

	for (u32 i = 0; i < cores[0]->num_patterns; i++) {
		if (!scene_is_next(wanted, i))
			continue;
		for (u32 k = 0; k < ARRAY_SIZE(cores); k++)
			for (u32 round = 0; round < rounds; round++)
				run_scene((repeat + k) % ARRAY_SIZE(cores), i,
					  seed + round);
	}

	for (u32 i = 0; i < cores[0]->num_patterns; i++)
		for (u32 k = 0; k < ARRAY_SIZE(cores); k++)
			if (run.bench[k].results[i].ops && !trial)
				print_result(k, i, repeat);
}

/* One pattern at a time: one call and one count for each, and for each core. */
static void run_each_once(void)
{
	for (u32 i = 0; i < cores[0]->num_patterns; i++) {
		bool only[BENCH_MAX_PATTERNS] = { };

		only[i] = run.wanted[i];
		run_cores(only, 1, 0, false);
	}
}

static int run_n(u32 n)
{
	/*
	 * Without mappings twice: objects that one core has freed in order come
	 * to the next one in reverse, which is slower to walk, or faster.
	 */
	u32 rounds = !n ? 2 : n < MIN_OPS ? MIN_OPS / n : 1;
	u32 repeat = run.options->repeat ?: n > 100000 ? 6 : 16;

	if (memory_alloc(&run.memory, n))
		return -ENOMEM;

	if (run.options->once) {
		run_each_once();
	} else {
		/* The first to use the memory would be slower. */
		if (n <= 100000)
			run_cores(run.wanted, 1, 0, true);
		for (u32 i = 0; i < repeat; i++)
			run_cores(run.wanted, rounds, i, false);
	}

	memory_free(&run.memory);

	return 0;
}

/* A pattern's whole name means just that one. */
static bool is_name(const char *text)
{
	for (u32 i = 0; i < cores[0]->num_patterns; i++)
		if (!strcmp(cores[0]->patterns[i].name, text))
			return true;

	return false;
}

static bool is_wanted(const struct bench_options *options, const char *name)
{
	for (u32 i = 0; i < options->num_patterns; i++) {
		const char *text = options->pattern[i];

		if (is_name(text) ? !strcmp(name, text) : !!strstr(name, text))
			return true;
	}

	return !options->num_patterns;
}

static void print_size(const char *core, const struct bench_size *size)
{
	bench_print("size\t%s\t%s\t%zu\t%zu\n", core, size->name, size->bytes,
		    kmalloc_size_roundup(size->bytes));
}

static void print_sizes(void)
{
	for (u32 k = 0; k < ARRAY_SIZE(cores); k++)
		for (u32 i = 0; cores[k]->sizes[i].name; i++)
			print_size(cores[k]->name, &cores[k]->sizes[i]);
}

int bench_run(const struct bench_options *options, struct drm_device *drm)
{
	int ret;

	run.options = options;
	for (u32 k = 0; k < ARRAY_SIZE(cores); k++)
		run.bench[k].drm = drm;
	for (u32 i = 0; i < cores[0]->num_patterns; i++)
		run.wanted[i] = is_wanted(options, cores[0]->patterns[i].name);

	print_sizes();

	/* Patterns without a number of mappings first. */
	ret = run_n(0);
	for (u32 i = 0; !ret && i < options->num_n; i++)
		ret = run_n(options->n[i]);

	return ret;
}
