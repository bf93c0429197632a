// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * The benchmark in user space.
 */

#include <kernel.h>

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "bench.h"

static const u32 default_n[] = { 1000, 30000, 1000000 };

static struct drm_device device;

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
	u64 allocs = bench_allocs, bytes = bench_bytes, begin = ktime_get_ns();

	bench_call(fn, ctx);

	result->ns += ktime_get_ns() - begin;
	result->ops += ops;
	result->allocs += bench_allocs - allocs;
	result->bytes += bench_bytes - bytes;
}

void *bench_array_alloc(size_t size)
{
	void *array = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return array == MAP_FAILED ? NULL : array;
}

void bench_array_free(void *array, size_t size)
{
	if (array)
		munmap(array, size);
}

void *bench_block_alloc(void)
{
	void *block = aligned_alloc(BENCH_BLOCK, BENCH_BLOCK);

	/* The kernel's memory is mapped by large pages. */
	if (block)
		madvise(block, BENCH_BLOCK, MADV_HUGEPAGE);

	return block;
}

void bench_block_free(void *block)
{
	free(block);
}

void bench_print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	fflush(stdout);
}

static void print_usage(void)
{
	fprintf(stderr,
		"usage: bench [--n N]... [--pattern NAME]... [--repeat N] [--seed N] [--once]\n"
		"  --n N           number of mappings; default 1000, 30000 and 1000000\n"
		"  --pattern NAME  only the pattern NAME, or all that have NAME in theirs\n"
		"  --repeat N      runs of each core; default 16, 6 for more than 100000 mappings\n"
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

static void parse_options(struct bench_options *options, int argc, char **argv)
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
		memcpy(options->n, default_n, sizeof(default_n));
		options->num_n = ARRAY_SIZE(default_n);
	}
}

int main(int argc, char **argv)
{
	struct bench_options options = { .seed = 1 };

	parse_options(&options, argc, argv);
	kref_init(&device.ref);
	if (bench_run(&options, &device)) {
		fprintf(stderr, "bench: not enough memory\n");
		return 1;
	}

	return 0;
}
