/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Between what is measured (patterns.c, compiled once for each core), who runs
 * it (run.c), and where: in user space (main.c) or in a kernel (kernel.c).
 */
#ifndef __BENCH_H__
#define __BENCH_H__

#include <linux/types.h>

struct drm_device;
struct bench_pattern;

/* kmalloc() would use this size for the mappings of either core. */
#define BENCH_SLOT 128
#define BENCH_AHEAD 16

#define BENCH_MAX_PATTERNS 32
#define BENCH_MAX_SIZES 8

/* Slots come in blocks of this size: a large page. */
#define BENCH_BLOCK 0x200000ul

struct bench_result {
	u64 ns;
	u64 ops;
	u64 allocs;
	u64 bytes;
};

/* A run: its parameters, and the results of the patterns that are wanted. */
struct bench {
	struct drm_device *drm;

	/* The number of mappings, and two shuffles of 0 to n - 1. */
	u32 n;
	const u32 *order[2];

	/*
	 * A stack of free, cleared slots in random order, 2 n + 32 of them, so
	 * that there are always BENCH_AHEAD to look ahead at.
	 */
	void **pool;
	u32 pool_free;

	/* How much patterns that take no number of mappings do. */
	u32 loops;

	bool wanted[BENCH_MAX_PATTERNS];
	struct bench_result results[BENCH_MAX_PATTERNS];
};

/* A pattern; those with the same scene come from one run of it, in order. */
struct bench_pattern {
	const char *name;
	void (*scene)(struct bench *b, u32 index);

	/* For patterns that take no number of mappings; else 0. */
	u32 vms;
	u32 objs;
	u32 flags;
	bool evict;
};

struct bench_size {
	const char *name;
	size_t bytes;
};

struct bench_core {
	const char *name;
	const struct bench_pattern *patterns;
	u32 num_patterns;
	struct bench_size sizes[BENCH_MAX_SIZES];
};

extern const struct bench_core bench_core_ours;
extern const struct bench_core bench_core_linux;

struct bench_options {
	u32 n[BENCH_MAX_SIZES];
	u32 num_n;
	const char *pattern[BENCH_MAX_PATTERNS];
	u32 num_patterns;
	u32 repeat;
	u64 seed;
	bool once;
};

/*
 * Runs the patterns with both cores in turn. Prints one line for each result,
 * separated by tabs; report.py makes a table of them.
 */
int bench_run(const struct bench_options *options, struct drm_device *drm);

/* ---- Where it runs ----------------------------------------------------- */

/* Calls @fn, and adds what that took to @result. */
void bench_measure(struct bench_result *result, u64 ops,
		   void (*fn)(void *ctx), void *ctx);

void *bench_array_alloc(size_t size);
void bench_array_free(void *array, size_t size);
void *bench_block_alloc(void);
void bench_block_free(void *block);

__attribute__((format(printf, 1, 2)))
void bench_print(const char *format, ...);

#endif /* __BENCH_H__ */
