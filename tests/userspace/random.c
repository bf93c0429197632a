// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * A sequence depends on its seed only, and no request on those before it, so
 * that any of them can be left out. Sequences run in processes of their own,
 * since whatever finds a mistake aborts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/limits.h>

#include "model.h"
#include "random.h"
#include "shim.h"

struct shared *shared;

/* ---- Numbers ----------------------------------------------------------- */

/* SplitMix64 */
u64 random_u64(u64 *state)
{
	u64 x = *state += 0x9e3779b97f4a7c15;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;

	return x ^ (x >> 31);
}

static u64 below(u64 *state, u64 limit)
{
	return random_u64(state) % limit;
}

static bool one_in(u64 *state, u64 n)
{
	return !below(state, n);
}

/* ---- VMs --------------------------------------------------------------- */

static void random_layout(struct config *config, u64 *state, bool tame)
{
	config->pages = one_in(state, 2) ? 1 + below(state, 10) :
					   1 + below(state, MAX_PAGES - 1);

	switch (below(state, tame ? 3 : 5)) {
	case 0:
		config->unit = 1;
		break;
	case 1:
		config->unit = 4096;
		config->start = 4096 * below(state, 4096);
		break;
	case 2:
		config->unit = 1ULL << 58;
		config->pages = min(config->pages, 60U);
		config->start = config->unit * below(state, 63 - config->pages);
		break;
	case 3:
		config->unit = 1ULL << below(state, 58);
		config->start = -config->unit * config->pages;
		break;
	default:
		config->unit = 1ULL << 58;
		config->pages = 63;
		config->start = config->unit;
		break;
	}
	config->range = config->unit * config->pages;
}

static void random_reserve(struct config *config, u64 *state)
{
	u64 pages = 1 + below(state, min(config->pages, 4U));
	u64 first = below(state, config->pages - pages + 1);

	switch (below(state, 4)) {
	case 0:
		return;
	case 1:
		first = 0;
		break;
	case 2:
		first = config->pages - pages;
		break;
	}
	config->reserve = config->start + first * config->unit;
	config->reserve_range = pages * config->unit;
}

/* ---- Requests ---------------------------------------------------------- */

static void random_range(struct request *req, const struct config *config,
			 u64 *state)
{
	u64 first = below(state, config->pages);
	u64 pages = 1 + below(state, config->pages - first);

	if (one_in(state, 2))
		pages = min(pages, 1 + below(state, 4));

	req->addr = config->start + first * config->unit;
	req->range = pages * config->unit;
}

static void random_bad_range(struct request *req, const struct config *config,
			     u64 *state)
{
	switch (below(state, 7)) {
	case 0:
		req->range = 0;
		break;
	case 1:
		req->range = -req->addr;
		break;
	case 2:
		req->range = config->unit - req->addr;
		break;
	case 3:
		req->addr = config->start - config->unit;
		break;
	case 4:
		req->range = config->range;
		break;
	case 5:
		req->addr = config->start + config->range;
		break;
	default:
		req->range = U64_MAX;
		break;
	}
}

static void random_part(struct request *req, const struct config *config,
			u64 *state)
{
	u64 page = (req->addr - config->start) / config->unit;

	req->obj = (int)below(state, NR_OBJS + 1) - 1;
	req->offset = (page + below(state, 2)) * config->unit;

	if (one_in(state, 30))
		req->offset = U64_MAX - below(state, 3) * config->unit;
	else if (req->obj == NO_OBJ && one_in(state, 2))
		req->offset = random_u64(state);
}

/* Those that fill the VM, more often than others. */
static const u8 often[] = {
	REQ_MAP, REQ_MAP, REQ_MAP_LIST, REQ_MAP_LIST, REQ_INSERT, REQ_INSERT,
	REQ_MAP, REQ_UNMAP, REQ_UNMAP_LIST, REQ_MADVISE, REQ_EVICT,
};

static void random_request(struct request *req, const struct config *config,
			   u64 *state)
{
	memset(req, 0, sizeof(*req));
	req->obj = NO_OBJ;
	req->kind = one_in(state, 3) ? below(state, NR_RANDOM_REQS) :
				       often[below(state, ARRAY_SIZE(often))];

	random_range(req, config, state);
	if (takes_part(req->kind))
		random_part(req, config, state);
	if (one_in(state, 12))
		random_bad_range(req, config, state);

	if (req->kind == REQ_BO_UNMAP || req->kind == REQ_EVICT)
		req->obj = below(state, NR_OBJS);
	/* What madvise is asked for is of no use to it. */
	if (req->kind == REQ_MADVISE || req->kind == REQ_MADVISE_DROP)
		req->offset = random_u64(state);

	req->flags = below(state, 64);
	if (req->kind == REQ_VALIDATE && one_in(state, 2))
		req->flags |= below(state, 4) * REQ_BACK_ALL;
	if (one_in(state, 2))
		req->flags |= REQ_DUPS;
	req->mask = below(state, 1 << NR_OBJS);
	req->fences = below(state, 3);
	if (one_in(state, 4))
		req->nth = 1 + below(state, 4);
}

void random_sequence(struct sequence *seq, u64 seed, bool tame)
{
	u64 state = seed;

	memset(seq, 0, sizeof(*seq));
	random_layout(&seq->config, &state, tame);
	random_reserve(&seq->config, &state);
	seq->config.flags = below(&state, 4);
	seq->config.driver_allocs = one_in(&state, 3);
	seq->config.early_put = one_in(&state, 4);

	seq->nr = 1 + below(&state, MAX_REQUESTS);
	for (unsigned int i = 0; i < seq->nr; i++) {
		random_request(&seq->req[i], &seq->config, &state);
		if (tame)
			seq->req[i].flags &= ~(REQ_BACK_ALL | REQ_EVICT_ALL);
	}
}

/* ---- Running and shrinking --------------------------------------------- */

/* Seconds after which a sequence is taken to hang, which is a mistake, too. */
#define HANGS	10

static void run_sequence(const struct random_test *test,
			 const struct sequence *seq)
{
	test->run(seq);
	if (shim.live)
		die("%ld allocations or objects were not freed", shim.live);
}

static bool child_failed(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("cannot run a process");

	return !WIFEXITED(status) || WEXITSTATUS(status);
}

static bool seeds_fail(const struct random_test *test, u64 seed, u64 nr)
{
	static struct sequence seq;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		for (u64 i = 0; i < nr; i++) {
			shared->seed = seed + i;
			alarm(HANGS);
			random_sequence(&seq, seed + i, test->tame);
			run_sequence(test, &seq);
		}
		exit(0);
	}

	return child_failed(pid);
}

static bool sequence_fails(const struct random_test *test,
			   const struct sequence *seq, bool quiet)
{
	pid_t pid = fork();

	if (!pid) {
		if (quiet && !freopen("/dev/null", "w", stderr))
			exit(0);
		alarm(HANGS);
		run_sequence(test, seq);
		exit(0);
	}

	return child_failed(pid);
}

/* Leaves out as much as can be left out. */
static void shrink(const struct random_test *test, struct sequence *seq)
{
	static struct sequence less;

	for (unsigned int chunk = seq->nr; chunk; chunk /= 2) {
		for (unsigned int at = 0; at < seq->nr;) {
			unsigned int nr = min(chunk, seq->nr - at);

			less = *seq;
			memmove(&less.req[at], &less.req[at + nr],
				(seq->nr - at - nr) * sizeof(less.req[0]));
			less.nr -= nr;
			if (sequence_fails(test, &less, true))
				*seq = less;
			else
				at += chunk;
		}
	}
}

/* Makes what is left as plain as it can be. */
static void simplify(const struct random_test *test, struct sequence *seq)
{
	static struct sequence less;

	for (unsigned int i = 0; i < seq->nr; i++) {
		for (unsigned int what = 0; what < 6; what++) {
			less = *seq;
			switch (what) {
			case 0:
				less.req[i].flags = 0;
				break;
			case 1:
				less.req[i].nth = 0;
				break;
			case 2:
				less.req[i].mask = 0;
				break;
			case 3:
				less.req[i].offset = 0;
				break;
			case 4:
				less.req[i].range = less.config.unit;
				break;
			default:
				less.req[i].fences = 1;
				break;
			}
			if (memcmp(&less, seq, sizeof(less)) &&
			    sequence_fails(test, &less, true))
				*seq = less;
		}
	}
}

static int report_failure(const struct random_test *test, u64 seed, bool shorten)
{
	static struct sequence seq;

	random_sequence(&seq, seed, test->tame);
	printf("not ok 1 - %s\n", test->name);
	printf("# failing sequence: --seed=%llu --runs=1, %u requests\n",
	       (ullong)seed, seq.nr);
	fflush(stdout);

	if (!shorten)
		return 1;

	shrink(test, &seq);
	simplify(test, &seq);
	fprintf(stderr, "#  %u requests are enough:\n", seq.nr);

	print_config(&seq.config);
	for (unsigned int i = 0; i < seq.nr; i++)
		print_request(&seq.req[i]);
	sequence_fails(test, &seq, false);

	return 1;
}

int random_main(int argc, char **argv, const struct random_test *test)
{
	const u64 batch = 50;
	u64 seconds = option(argc, argv, "--seconds", 10);
	u64 first = option(argc, argv, "--seed", (u64)time(NULL) << 20);
	u64 runs = option(argc, argv, "--runs", U64_MAX);
	bool shorten = option(argc, argv, "--shrink", 1);
	time_t end = time(NULL) + seconds;
	u64 done;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		die("no shared memory");

	printf("TAP version 13\n1..%u\n# --seed=%llu\n", 1 + test->nr_extra,
	       (ullong)first);
	for (done = 0; done < runs && time(NULL) < end; done += batch) {
		if (seeds_fail(test, first + done, min(batch, runs - done)))
			return report_failure(test, shared->seed, shorten);
	}
	done = min(done, runs);

	printf("# %llu sequences, %llu requests, %llu of them refused\n",
	       (ullong)done, (ullong)shared->requests, (ullong)shared->refused);
	if (test->report)
		test->report();
	printf("ok 1 - %s\n", test->name);

	return test->extra && test->extra();
}
