// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Runs the patterns with both cores in turn. Prints one line for each result,
 * separated by tabs; report.py makes a table of them.
 */

#include <kernel.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "bench.h"

static const struct bench_core *const cores[] = {
	&bench_core_ours, &bench_core_linux,
};

/* Alone and out of line, as callgrind counts what is inside this function. */
noinline void bench_call(void (*fn)(void *ctx), void *ctx);
noinline void bench_call(void (*fn)(void *ctx), void *ctx)
{
	fn(ctx);
	barrier();
}

void bench_measure(struct bench_result *result, u64 ops,
		   void (*fn)(void *ctx), void *ctx)
{
	u64 allocs = bench_allocs, begin = ktime_get_ns();

	bench_call(fn, ctx);

	result->ns += ktime_get_ns() - begin;
	result->ops += ops;
	result->allocs += bench_allocs - allocs;
}

/* ---- What a run needs -------------------------------------------------- */

struct memory {
	u32 *order[2];
	void **pool;
	char *slots;
	size_t slots_size;
	u32 num_slots;
};

static u64 random_state;

static u32 random_below(u32 limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;

	return ((random_state >> 32) * limit) >> 32;
}

static void *map_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		perror("bench");
		exit(1);
	}

	/* The kernel's memory is mapped by large pages. */
	madvise(memory, size, MADV_HUGEPAGE);

	return memory;
}

static void memory_alloc(struct memory *memory, u32 n)
{
	memory->num_slots = 2 * n + 32;
	memory->slots_size = (size_t)memory->num_slots * BENCH_SLOT;
	memory->slots = map_memory(memory->slots_size);
	memory->pool = map_memory(memory->num_slots * sizeof(*memory->pool));
	for (int i = 0; i < 2; i++)
		memory->order[i] = map_memory(n * sizeof(*memory->order[i]));
}

static void memory_free(struct memory *memory, u32 n)
{
	munmap(memory->slots, memory->slots_size);
	munmap(memory->pool, memory->num_slots * sizeof(*memory->pool));
	for (int i = 0; i < 2; i++)
		munmap(memory->order[i], n * sizeof(*memory->order[i]));
}

static void memory_shuffle(struct memory *memory, u32 n, u64 seed)
{
	random_state = seed * 0x9e3779b97f4a7c15ull + 1;

	for (int k = 0; k < 2; k++) {
		u32 *order = memory->order[k];

		for (u32 i = 0; i < n; i++) {
			u32 j = random_below(i + 1);

			order[i] = order[j];
			order[j] = i;
		}
	}

	for (u32 i = 0; i < memory->num_slots; i++) {
		u32 j = random_below(i + 1);

		memory->pool[i] = memory->pool[j];
		memory->pool[j] = memory->slots + (size_t)i * BENCH_SLOT;
	}
}

/* ---- Runs -------------------------------------------------------------- */

struct options {
	u32 n[8];
	u32 num_n;
	const char *pattern[BENCH_MAX_PATTERNS];
	u32 num_patterns;
	u32 repeat;
	u64 seed;
	bool once;
};

static struct drm_device device;

/* Both cores get the same numbers and the same slots. */
static void run_scene(const struct bench_core *core, struct bench *b,
		      struct memory *memory, u32 index, u64 seed)
{
	if (b->n) {
		memset(memory->slots, 0, memory->slots_size);
		memory_shuffle(memory, b->n, seed);
	}

	b->drm = &device;
	b->order[0] = memory->order[0];
	b->order[1] = memory->order[1];
	b->pool = memory->pool;
	b->pool_free = b->n ? memory->num_slots : 0;
	core->patterns[index].scene(b, index);
}

static void print_result(const struct bench_core *core, u32 index, u32 n,
			 int repeat, const struct bench_result *result)
{
	printf("result\t%s\t%s\t%u\t%d\t%.3f\t%.3f\t%lu\n", core->name,
	       core->patterns[index].name, n, repeat,
	       (double)result->ns / result->ops,
	       (double)result->allocs / result->ops, result->ops);
	fflush(stdout);
}

/* A scene that takes numbers of mappings, or one that does not. */
static bool scene_is_next(const struct bench_core *core, const bool *wanted,
			  u32 index, bool maps)
{
	const struct bench_pattern *pattern = &core->patterns[index];

	if (!wanted[index] || maps == !!pattern->vms)
		return false;

	for (u32 i = 0; maps && i < index; i++)
		if (wanted[i] && core->patterns[i].scene == pattern->scene)
			return false;

	return true;
}

/* A negative @repeat is a trial. */
static void run_core(const struct bench_core *core, struct memory *memory,
		     const bool *wanted, u32 n, u32 rounds, int repeat, u64 seed)
{
	struct bench b = { .n = n };

	memcpy(b.wanted, wanted, sizeof(b.wanted));
	for (u32 i = 0; i < core->num_patterns; i++) {
		if (!scene_is_next(core, wanted, i, n))
			continue;
		for (u32 round = 0; round < rounds; round++)
			run_scene(core, &b, memory, i,
				  seed + repeat * rounds + round);
	}

	for (u32 i = 0; i < core->num_patterns; i++)
		if (b.results[i].ops && repeat >= 0)
			print_result(core, i, n, repeat, &b.results[i]);
}

static void run_n(const struct options *options, const bool *wanted, u32 n)
{
	u32 rounds = options->once || !n ? 1 : n < 40000 ? 40000 / n : 1;
	u32 repeat = options->repeat ?: n > 100000 ? 4 : 16;
	struct memory memory;

	if (n)
		memory_alloc(&memory, n);

	/* The first to use the memory would be slower. */
	if (n <= 100000)
		for (u32 k = 0; k < ARRAY_SIZE(cores); k++)
			run_core(cores[k], &memory, wanted, n, 1, -1,
				 options->seed);

	for (u32 i = 0; i < repeat; i++)
		for (u32 k = 0; k < ARRAY_SIZE(cores); k++)
			run_core(cores[(i + k) % ARRAY_SIZE(cores)], &memory,
				 wanted, n, rounds, i, options->seed);

	if (n)
		memory_free(&memory, n);
}

/* One pattern and core at a time, so that each makes one call and one count. */
static void run_each_once(const struct options *options, const bool *wanted,
			  u32 n)
{
	struct memory memory;

	if (n)
		memory_alloc(&memory, n);

	for (u32 i = 0; i < cores[0]->num_patterns; i++) {
		bool only[BENCH_MAX_PATTERNS] = { };

		only[i] = wanted[i];
		for (u32 k = 0; k < ARRAY_SIZE(cores); k++)
			run_core(cores[k], &memory, only, n, 1, 0,
				 options->seed);
	}

	if (n)
		memory_free(&memory, n);
}

/* A pattern's whole name means just that one. */
static bool is_name(const char *text)
{
	for (u32 i = 0; i < cores[0]->num_patterns; i++)
		if (!strcmp(cores[0]->patterns[i].name, text))
			return true;

	return false;
}

static bool is_wanted(const struct options *options, const char *name)
{
	for (u32 i = 0; i < options->num_patterns; i++) {
		const char *text = options->pattern[i];

		if (is_name(text) ? !strcmp(name, text) : !!strstr(name, text))
			return true;
	}

	return !options->num_patterns;
}

static void print_sizes(void)
{
	for (u32 k = 0; k < ARRAY_SIZE(cores); k++)
		for (u32 i = 0; i < cores[k]->num_sizes; i++)
			printf("size\t%s\t%s\t%zu\n", cores[k]->name,
			       cores[k]->sizes[i].name,
			       cores[k]->sizes[i].bytes);
}

static void print_usage(void)
{
	fprintf(stderr,
		"usage: bench [--n N]... [--pattern NAME]... [--repeat N] [--seed N] [--once]\n"
		"  --n N           number of mappings; default 1000, 30000 and 1000000\n"
		"  --pattern NAME  only the pattern NAME, or all that have NAME in theirs\n"
		"  --repeat N      runs of each core; default 16, 4 for more than 100000 mappings\n"
		"  --seed N        of all random orders; default 1\n"
		"  --once          every pattern and core once, for callgrind\n");
	exit(2);
}

static u64 parse_number(const char *text, u64 max)
{
	char *end;
	u64 number = strtoull(text, &end, 0);

	if (*end || end == text || !number || number > max)
		print_usage();

	return number;
}

static void parse_options(struct options *options, int argc, char **argv)
{
	static const struct option names[] = {
		{ "n", required_argument, NULL, 'n' },
		{ "pattern", required_argument, NULL, 'p' },
		{ "repeat", required_argument, NULL, 'r' },
		{ "seed", required_argument, NULL, 's' },
		{ "once", no_argument, NULL, 'o' },
		{ }
	};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == 'n' && options->num_n < ARRAY_SIZE(options->n))
			options->n[options->num_n++] =
				parse_number(optarg, 100000000);
		else if (option == 'p' &&
			 options->num_patterns < BENCH_MAX_PATTERNS)
			options->pattern[options->num_patterns++] = optarg;
		else if (option == 'r')
			options->repeat = parse_number(optarg, 10000);
		else if (option == 's')
			options->seed = parse_number(optarg, UINT64_MAX);
		else if (option == 'o')
			options->once = true;
		else
			print_usage();
	}

	if (optind != argc)
		print_usage();

	if (!options->num_n) {
		options->n[0] = 1000;
		options->n[1] = 30000;
		options->n[2] = 1000000;
		options->num_n = 3;
	}
}

int main(int argc, char **argv)
{
	void (*run)(const struct options *options, const bool *wanted, u32 n);
	struct options options = { .seed = 1 };
	bool wanted[BENCH_MAX_PATTERNS] = { };

	parse_options(&options, argc, argv);
	run = options.once ? run_each_once : run_n;

	for (u32 i = 0; i < cores[0]->num_patterns; i++)
		wanted[i] = is_wanted(&options, cores[0]->patterns[i].name);

	kref_init(&device.ref);
	print_sizes();

	/* Patterns without a number of mappings first. */
	run(&options, wanted, 0);
	for (u32 i = 0; i < options.num_n; i++)
		run(&options, wanted, options.n[i]);

	return 0;
}
