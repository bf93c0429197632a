// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Random sequences in which every allocation of every request fails once, before
 * the request is let through. A failure changes nothing and leaks nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "random.h"
#include "shim.h"

/* Requests that allocate; no other may. */
static const bool allocates[NR_REQS] = {
	[REQ_MAP] = true,
	[REQ_MAP_LIST] = true,
	[REQ_MAP_DROP] = true,
	[REQ_UNMAP_LIST] = true,
	[REQ_UNMAP_DROP] = true,
	[REQ_MADVISE] = true,
	[REQ_MADVISE_DROP] = true,
	[REQ_BO_UNMAP] = true,
	[REQ_PREFETCH] = true,
	[REQ_INSERT] = true,
	[REQ_GPUVA_MAP] = true,
	[REQ_LOCK] = true,
	[REQ_LOCK_ARRAY] = true,
	[REQ_LOCK_RANGE] = true,
	[REQ_LOCK_MAP] = true,
	[REQ_LOCK_UNMAP] = true,
	[REQ_FENCE] = true,
	[REQ_VALIDATE] = true,
};

/* drm_exec can do without its first allocation, and goes on. */
static bool is_lock(const struct request *req)
{
	return req->kind >= REQ_LOCK && req->kind <= REQ_VALIDATE;
}

/*
 * On the way to a lock that fails, evicted external objects may have been put on
 * the evict list, where they belong.
 */
static void forget_evict_list(struct snapshot *snap)
{
	for (int i = 0; i < NR_OBJS; i++)
		snap->obj[i].on_evict = false;
}

static void compare_states(struct snapshot *before, struct snapshot *after,
			   const struct request *req)
{
	if (is_lock(req)) {
		forget_evict_list(before);
		forget_evict_list(after);
	}

	if (memcmp(before, after, offsetof(struct snapshot, va)) ||
	    memcmp(before->va, after->va, before->nr * sizeof(before->va[0])))
		die("a failed allocation changed the state");
}

/* Whether the nth allocation exists, and failed. */
static bool try_nth(struct side_vm *vm, const struct request *req, u64 nth)
{
	static struct snapshot before, after;
	static struct outcome out;
	long live = shim.live;
	bool failed;

	side_ours.snapshot(vm, &before);
	shim.fail_nth = nth;
	side_ours.run(vm, req, &out);
	failed = !shim.fail_nth;
	shim.fail_nth = 0;
	side_ours.check(vm);

	if (!failed)
		return false;
	if (out.ret != -ENOMEM && !is_lock(req)) {
		print_request(req);
		print_outcome("ours", &out);
		die("a failed allocation goes unnoticed");
	}
	if (shim.live != live)
		die("a failed allocation leaks %ld others", shim.live - live);

	if (out.ret == -ENOMEM) {
		side_ours.snapshot(vm, &after);
		compare_states(&before, &after, req);
	}

	return true;
}

static void run_request(struct side_vm *vm, struct request req)
{
	/* What a failure leaves for later must be gone to be compared. */
	req.flags &= ~REQ_LAZY;

	for (u64 nth = 1; try_nth(vm, &req, nth); nth++) {
		if (!allocates[req.kind])
			die("%s allocates", req_names[req.kind]);
		shared->kinds[req.kind]++;
	}

	shared->requests++;
}

static void run(const struct sequence *seq)
{
	struct side_vm *vm;

	shim.fail_nth = 1;
	vm = side_ours.create(&seq->config);
	if (vm || shim.live)
		die("no resv object, and yet there is a VM");

	vm = side_ours.create(&seq->config);
	for (unsigned int i = 0; i < seq->nr; i++)
		run_request(vm, seq->req[i]);

	side_ours.destroy(vm);
}

static void report(void)
{
	puts("# allocations that failed, by request:");
	for (int i = 0; i < NR_REQS; i++) {
		if (allocates[i])
			printf("# %10llu %s\n", (ullong)shared->kinds[i],
			       req_names[i]);
	}
}

/* Each of them had one. */
static unsigned int check_all(void)
{
	bool all = true;

	for (int i = 0; i < NR_REQS; i++)
		all &= !allocates[i] || shared->kinds[i];

	printf("%s 2 - there was a failure in every request that allocates\n",
	       all ? "ok" : "not ok");

	return !all;
}

int main(int argc, char **argv)
{
	static const struct random_test test = {
		.name = "failed allocations change nothing and leak nothing",
		.run = run,
		.report = report,
		.extra = check_all,
		.nr_extra = 1,
	};

	return random_main(argc, argv, &test);
}
