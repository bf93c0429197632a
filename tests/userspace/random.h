/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Random requests, and what to do with a sequence of them.
 */
#ifndef __RANDOM_H__
#define __RANDOM_H__

#include "side.h"

#define MAX_REQUESTS	400
#define MAX_COUNTERS	40

/*
 * struct sequence - a VM and what is requested of it
 */
struct sequence {
	struct config config;
	unsigned int nr;
	struct request req[MAX_REQUESTS];
};

/*
 * struct shared - what the processes that run sequences leave behind
 */
struct shared {
	/* @seed: the sequence under way */
	u64 seed;

	u64 requests;
	u64 refused;
	u64 kinds[NR_REQS];

	/* @counters: the test's own */
	u64 counters[MAX_COUNTERS];
};

extern struct shared *shared;

/*
 * struct random_test - a test of random sequences
 */
struct random_test {
	const char *name;

	/* @run: dies when it finds a mistake */
	void (*run)(const struct sequence *seq);

	/* @report: says more than that all went well; may be NULL */
	void (*report)(void);

	/* @extra: more tests, numbered from 2; returns how many failed */
	unsigned int (*extra)(void);
	unsigned int nr_extra;

	/* @tame: leave out what Linux's own code does not support */
	bool tame;
};

u64 random_u64(u64 *state);
void random_sequence(struct sequence *seq, u64 seed, bool tame);
int random_main(int argc, char **argv, const struct random_test *test);

#endif
