// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Random sequences of requests, on our core and on Linux's own. Wherever the two
 * differ, it has to be for a reason that is listed here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/limits.h>

#include "random.h"
#include "shim.h"

/* ---- What a request is about ------------------------------------------- */

static bool wraps(u64 addr, u64 range)
{
	return range && addr + (range - 1) < addr;
}

static bool is_change(const struct request *req)
{
	return req->kind <= REQ_MADVISE_DROP;
}

static bool is_madvise(const struct request *req)
{
	return req->kind == REQ_MADVISE || req->kind == REQ_MADVISE_DROP;
}

static bool is_insert(const struct request *req)
{
	return req->kind == REQ_INSERT || req->kind == REQ_GPUVA_MAP;
}

static bool is_map_like(const struct request *req)
{
	return req->kind <= REQ_MAP_DROP || req->kind == REQ_LOCK_MAP;
}

static bool is_lock_request(const struct request *req)
{
	return req->kind == REQ_LOCK_MAP || req->kind == REQ_LOCK_UNMAP;
}

static bool has_range(const struct request *req)
{
	return req->kind <= REQ_MAPPINGS_SAFE && req->kind != REQ_BO_UNMAP;
}

static bool inside(const struct config *config, u64 addr, u64 range)
{
	return range && !wraps(addr, range) && addr >= config->start &&
	       addr - config->start < config->range &&
	       config->range - (addr - config->start) >= range;
}

static bool touches_reserve(const struct config *config, u64 addr, u64 range)
{
	return config->reserve_range && range &&
	       addr < config->reserve + config->reserve_range &&
	       config->reserve < addr + range;
}

static bool valid(const struct config *config, const struct request *req)
{
	return inside(config, req->addr, req->range) &&
	       !touches_reserve(config, req->addr, req->range);
}

/* ---- The differences --------------------------------------------------- */

/* How Linux's core can be asked, where it would do harm. */
enum how {
	ASK,		/* as ours */
	ASK_LIST,	/* for an op list that is given up */
	ASK_WALK,	/* for a walk that removes nothing */
	ASK_OTHER,	/* for a range that it refuses: this one would corrupt it */
};

struct step {
	const struct config *config;
	const struct request *req;
	const struct outcome *ours;
	const struct outcome *theirs;
};

/*
 * struct difference - a deliberate one
 */
struct difference {
	const char *name;

	/* @concerns: whether the request may show the difference */
	bool (*concerns)(const struct step *step);

	/* @explains: whether the outcomes differ as they should */
	bool (*explains)(const struct step *step);

	enum how how;
};

static bool ours_refuses(const struct step *step)
{
	return step->ours->ret == -EINVAL && !step->ours->nr;
}

static bool ours_finds_nothing(const struct step *step)
{
	return !step->ours->ret && !step->ours->nr;
}

/* Neither found nor, if it was for that, removed. */
static bool ours_misses(const struct step *step)
{
	return step->ours->ret == (step->req->kind == REQ_REMOVE ? -ENOENT : 0) &&
	       !step->ours->nr;
}

static bool ours_says_no(const struct step *step)
{
	return !step->ours->ret && step->theirs->ret;
}

static bool zero_change(const struct step *step)
{
	return !step->req->range && is_change(step->req);
}

static bool zero_insert(const struct step *step)
{
	return !step->req->range && is_insert(step->req);
}

static bool zero_lock(const struct step *step)
{
	return !step->req->range && is_lock_request(step->req);
}

static bool empty_or_wrapping(const struct step *step)
{
	return has_range(step->req) &&
	       (!step->req->range || wraps(step->req->addr, step->req->range));
}

static bool bad_find(const struct step *step)
{
	enum req_kind kind = step->req->kind;

	return (kind == REQ_FIND || kind == REQ_FIND_FIRST ||
		kind == REQ_REMOVE) && empty_or_wrapping(step);
}

static bool bad_empty(const struct step *step)
{
	return step->req->kind == REQ_EMPTY && empty_or_wrapping(step);
}

static bool bad_valid(const struct step *step)
{
	return step->req->kind == REQ_VALID && !step->req->range;
}

static bool is_walk(const struct request *req)
{
	return req->kind == REQ_WALK || req->kind == REQ_WALK_SAFE ||
	       req->kind == REQ_MAPPINGS || req->kind == REQ_MAPPINGS_SAFE ||
	       req->kind == REQ_CLEAR;
}

static bool bad_walk(const struct step *step)
{
	return is_walk(step->req) && empty_or_wrapping(step);
}

static bool top_walk(const struct step *step)
{
	return is_walk(step->req) && step->req->range &&
	       !(step->req->addr + step->req->range);
}

static bool theirs_finds_nothing(const struct step *step)
{
	return !step->theirs->ret && !step->theirs->nr;
}

static bool bad_prefetch(const struct step *step)
{
	return step->req->kind == REQ_PREFETCH &&
	       !valid(step->config, step->req);
}

static bool bad_lock_range(const struct step *step)
{
	return step->req->kind == REQ_LOCK_RANGE &&
	       !inside(step->config, step->req->addr, step->req->range);
}

static bool offset_wraps(const struct step *step)
{
	return is_map_like(step->req) && step->req->obj != NO_OBJ &&
	       wraps(step->req->offset, step->req->range);
}

static bool bad_lock_map(const struct step *step)
{
	return step->req->kind == REQ_LOCK_MAP && !valid(step->config, step->req);
}

/* The object was locked, and only then the request looked at. */
static bool locked_before_refused(const struct step *step)
{
	return ours_refuses(step) && step->theirs->ret == -EINVAL &&
	       step->theirs->nr == 1;
}

static bool no_fences(const struct step *step)
{
	return !step->req->fences &&
	       (step->req->kind == REQ_LOCK_MAP ||
		step->req->kind == REQ_LOCK_ARRAY);
}

static bool theirs_refuses(const struct step *step)
{
	return step->theirs->ret == -EINVAL;
}

static bool lock_array(const struct step *step)
{
	return step->req->kind == REQ_LOCK_ARRAY;
}

/* Whether the outcomes are the same but for records of one kind. */
static bool same_without(const struct step *step, enum record_kind kind)
{
	struct outcome theirs = *step->theirs;

	theirs.nr = 0;
	for (unsigned int i = 0; i < step->theirs->nr; i++) {
		if (step->theirs->rec[i].kind != kind)
			theirs.rec[theirs.nr++] = step->theirs->rec[i];
	}

	return same_outcome(step->ours, &theirs);
}

static bool extra_changed(const struct step *step)
{
	return same_without(step, DID_CHANGE_EXTRA);
}

static bool validates(const struct step *step)
{
	return step->req->kind == REQ_VALIDATE && !(step->config->flags & BIT(0));
}

static bool stays_on_list(const struct step *step)
{
	return same_without(step, DID_LEAVE);
}

static bool madvise(const struct step *step)
{
	return is_madvise(step->req);
}

/* The same operations, but for what the map operations say about the object. */
static bool madvise_offsets(const struct step *step)
{
	struct outcome theirs = *step->theirs;

	for (unsigned int i = 0; i < theirs.nr && i < step->ours->nr; i++) {
		if (theirs.rec[i].kind != DID_MAP)
			continue;
		theirs.rec[i].va.offset = step->ours->rec[i].va.offset;
		theirs.rec[i].va.obj = step->ours->rec[i].va.obj;
	}

	return same_outcome(step->ours, &theirs);
}

static bool gpuva_map(const struct step *step)
{
	return step->req->kind == REQ_GPUVA_MAP;
}

static bool silent_failure(const struct step *step)
{
	return step->ours->ret < 0 && !step->theirs->ret;
}

static bool find_neighbour(const struct step *step)
{
	return step->req->kind == REQ_FIND_PREV ||
	       step->req->kind == REQ_FIND_NEXT;
}

static const struct difference differences[] = {
	{ "zero-range request is refused",
	  zero_change, ours_refuses, ASK_LIST },
	{ "zero-range mapping is not inserted",
	  zero_insert, ours_refuses, ASK_OTHER },
	{ "zero-range request locks nothing",
	  zero_lock, ours_refuses, ASK },
	{ "zero range is not valid",
	  bad_valid, ours_says_no, ASK },
	{ "empty or wrapping range finds nothing",
	  bad_find, ours_misses, ASK },
	{ "empty or wrapping range is not an empty interval",
	  bad_empty, ours_says_no, ASK },
	{ "walk over an empty or wrapping range visits nothing",
	  bad_walk, ours_finds_nothing, ASK_WALK },
	{ "walk whose end is 2^64 visits what is there",
	  top_walk, theirs_finds_nothing, ASK_WALK },
	{ "prefetch refuses ranges that are not valid",
	  bad_prefetch, ours_refuses, ASK },
	{ "exec_lock_range refuses ranges outside the VA space",
	  bad_lock_range, ours_refuses, ASK },
	{ "part of an object that passes 2^64 is refused",
	  offset_wraps, ours_refuses, ASK_LIST },
	{ "sm_map_exec_lock checks before it locks",
	  bad_lock_map, locked_before_refused, ASK },
	{ "no fences means to lock only",
	  no_fences, theirs_refuses, ASK },
	{ "exec_lock_array leaves extra as it was",
	  lock_array, extra_changed, ASK },
	{ "madvise maps what was there, with its offset",
	  madvise, madvise_offsets, ASK },
	{ "map says that it failed",
	  gpuva_map, silent_failure, ASK },
	{ "what is no longer evicted leaves the list, with spinlocks too",
	  validates, stays_on_list, ASK },
	{ "find_prev and find_next exist",
	  find_neighbour, theirs_finds_nothing, ASK },
};

/* Differences in the state, and in what is paid for it. */
enum {
	VM_REFS = ARRAY_SIZE(differences),
	BO_REFS,
	FEWER_ALLOCS,
	NR_COUNTERS,
};

static const char *const state_differences[] = {
	[VM_REFS - VM_REFS] = "mappings have one reference on the VM together",
	[BO_REFS - VM_REFS] = "mappings have one reference on their vm_bo together",
	[FEWER_ALLOCS - VM_REFS] = "one allocation per operation",
};

static enum how how_to_ask(const struct step *step)
{
	enum how how = ASK;

	for (unsigned int i = 0; i < ARRAY_SIZE(differences); i++) {
		if (differences[i].concerns(step))
			how = max(how, differences[i].how);
	}

	return how;
}

static bool explained(const struct step *step)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(differences); i++) {
		if (!differences[i].concerns(step) ||
		    !differences[i].explains(step))
			continue;

		shared->counters[i]++;
		return true;
	}

	return false;
}

/* ---- Running ----------------------------------------------------------- */

static void ask_mainline(struct side_vm *vm, const struct step *step,
			 struct outcome *out)
{
	enum how how = how_to_ask(step);
	struct request req = *step->req;

	switch (how) {
	case ASK_WALK:
		if (req.kind == REQ_CLEAR)
			req.kind = REQ_WALK_SAFE;
		break;
	case ASK_OTHER:
		req.addr = U64_MAX;
		req.range = 2;
		break;
	case ASK_LIST:
		req.nth = 0;
		if (req.kind <= REQ_MAP_DROP)
			req.kind = REQ_MAP_DROP;
		else if (req.kind <= REQ_UNMAP_DROP)
			req.kind = REQ_UNMAP_DROP;
		else if (is_madvise(&req))
			req.kind = REQ_MADVISE_DROP;
		break;
	case ASK:
		break;
	}

	/* Not all that Linux refuses it refuses quietly. */
	shim.tolerate = no_fences(step);
	side_mainline.run(vm, &req, out);
	shim.tolerate = false;
	if (how == ASK_OTHER)
		out->ret = 0;
}

/* What a walk up to 2^64 removed from ours goes here, too. */
static void catch_up(struct side_vm *vm, const struct step *step)
{
	static struct outcome out;
	struct request req = *step->req;

	if (req.kind != REQ_CLEAR || !step->ours->nr)
		return;

	req.range = step->config->start + step->config->range - req.addr;
	side_mainline.run(vm, &req, &out);
	if (!same_outcome(step->ours, &out))
		die("a walk up to 2^64 is not one up to the end of the VA space");
}

static void compare_allocs(const struct step *step)
{
	unsigned int most = 1 + step->ours->nr;

	if (step->ours->ret || step->ours->allocs == step->theirs->allocs)
		return;
	if (step->config->driver_allocs)
		most += step->ours->nr;
	if (step->ours->allocs > step->theirs->allocs ||
	    step->ours->allocs > most)
		die("%u allocations, Linux has %u", step->ours->allocs,
		    step->theirs->allocs);

	shared->counters[FEWER_ALLOCS]++;
}

static void compare_states(const struct step *step, struct side_vm *our_vm,
			   struct side_vm *their_vm)
{
	static struct snapshot ours, theirs;
	unsigned int mappings = 0;

	side_ours.snapshot(our_vm, &ours);
	side_mainline.snapshot(their_vm, &theirs);

	for (unsigned int i = 0; i < ours.nr; i++) {
		mappings += ours.va[i].part.obj != RESERVED;
		ours.va[i].id = NULL;
	}
	for (unsigned int i = 0; i < theirs.nr; i++)
		theirs.va[i].id = NULL;

	if (mappings > 1) {
		theirs.vm_refs -= mappings - 1;
		shared->counters[VM_REFS]++;
	}

	for (unsigned int i = 0; i < NR_OBJS; i++) {
		if (theirs.obj[i].links > 1) {
			theirs.obj[i].bo_refs -= theirs.obj[i].links - 1;
			shared->counters[BO_REFS]++;
		}
	}

	if (memcmp(&ours, &theirs, offsetof(struct snapshot, va)) ||
	    memcmp(ours.va, theirs.va, ours.nr * sizeof(ours.va[0])))
		die("the states differ: %u and %u references, %u and %u mappings",
		    ours.vm_refs, theirs.vm_refs, ours.nr, theirs.nr);
}

static void run_request(struct side_vm *our_vm, struct side_vm *their_vm,
			const struct config *config, const struct request *req)
{
	static struct outcome ours, theirs;
	struct step step = {
		.config = config, .req = req, .ours = &ours, .theirs = &theirs,
	};

	side_ours.run(our_vm, req, &ours);
	ask_mainline(their_vm, &step, &theirs);

	if (same_outcome(&ours, &theirs)) {
		compare_allocs(&step);
	} else if (!explained(&step)) {
		print_request(req);
		print_outcome("ours", &ours);
		print_outcome("mainline", &theirs);
		die("the outcomes differ");
	} else if (how_to_ask(&step) == ASK_WALK) {
		catch_up(their_vm, &step);
	}

	side_ours.check(our_vm);
	side_mainline.check(their_vm);
	compare_states(&step, our_vm, their_vm);

	shared->requests++;
	shared->refused += ours.ret < 0;
	shared->kinds[req->kind]++;
}

static void run(const struct sequence *seq)
{
	struct side_vm *our_vm = side_ours.create(&seq->config);
	struct side_vm *their_vm = side_mainline.create(&seq->config);

	for (unsigned int i = 0; i < seq->nr; i++)
		run_request(our_vm, their_vm, &seq->config, &seq->req[i]);

	side_ours.destroy(our_vm);
	side_mainline.destroy(their_vm);
}

static void report(void)
{
	puts("# deliberate differences, and how often each was seen:");
	for (unsigned int i = 0; i < NR_COUNTERS; i++)
		printf("# %10llu %s\n", (ullong)shared->counters[i],
		       i < VM_REFS ? differences[i].name :
				     state_differences[i - VM_REFS]);
}

/* ---- What Linux's own core would not survive --------------------------- */

static const struct config plain = { .range = 16, .unit = 1, .pages = 16 };

static int request(const struct side *side, struct side_vm *vm,
		   enum req_kind kind, u64 addr, u64 range)
{
	static struct outcome out;
	struct request req = {
		.kind = kind, .addr = addr, .range = range, .obj = NO_OBJ,
	};

	side->run(vm, &req, &out);

	return out.ret;
}

static bool leaks_nothing(const struct side *side, struct config config)
{
	struct side_vm *vm = side->create(&config);
	bool leaks = false, failed = true;
	long live;

	request(side, vm, REQ_INSERT, 1, 10);
	for (u64 nth = 1; failed; nth++) {
		live = shim.live;
		shim.fail_nth = nth;
		request(side, vm, REQ_UNMAP_DROP, 4, 2);
		failed = !shim.fail_nth;
		shim.fail_nth = 0;
		leaks |= shim.live != live;
	}
	side->destroy(vm);

	return !leaks;
}

static bool reaches_top(const struct side *side, struct config config)
{
	struct side_vm *vm;
	bool valid;

	config.start = -config.range;
	vm = side->create(&config);
	valid = request(side, vm, REQ_VALID, config.start, config.range) == 1 &&
		!request(side, vm, REQ_MAP, U64_MAX, 1) &&
		!request(side, vm, REQ_MAP, config.start, config.range);
	side->destroy(vm);

	return valid;
}

static bool refuses_wrapping_space(const struct side *side, struct config config)
{
	config.start = U64_MAX - 4;

	return !side->create(&config);
}

static bool refuses_empty_space(const struct side *side, struct config config)
{
	config.range = 0;

	return !side->create(&config);
}

static bool refuses_reserve_outside(const struct side *side, struct config config)
{
	config.reserve = 12;
	config.reserve_range = 8;

	return !side->create(&config);
}

static bool refuses_wrapping_reserve(const struct side *side,
				     struct config config)
{
	config.reserve = 12;
	config.reserve_range = U64_MAX;

	return !side->create(&config);
}

static bool survives_bad_layout(const struct side *side, struct config config)
{
	struct side_vm *vm;
	bool refused;

	config.void_init = true;
	config.reserve = 12;
	config.reserve_range = U64_MAX;
	vm = side->create(&config);
	refused = request(side, vm, REQ_MAP, 0, 1) == -EINVAL &&
		  request(side, vm, REQ_INSERT, 0, 1) == -EINVAL &&
		  request(side, vm, REQ_UNMAP_LIST, 0, 16) == -EINVAL;
	side->destroy(vm);

	return refused;
}

static bool survives(const struct side *side, const struct config *config,
		     enum req_kind misuse)
{
	struct side_vm *vm = side->create(config);
	int ret = request(side, vm, misuse, 2, 4);

	side->check(vm);
	side->destroy(vm);

	return !ret;
}

static bool survives_remove(const struct side *side, struct config config)
{
	return survives(side, &config, REQ_REMOVE_TWICE);
}

static bool survives_unlink(const struct side *side, struct config config)
{
	return survives(side, &config, REQ_UNLINK_UNLINKED);
}

static bool survives_remap(const struct side *side, struct config config)
{
	return survives(side, &config, REQ_REMAP_OUTSIDE);
}

static bool survives_remap_uninserted(const struct side *side,
				      struct config config)
{
	return survives(side, &config, REQ_REMAP_UNINSERTED);
}

static const struct probe {
	const char *name;

	/* @right: whether a core does it right, if it lives to say so */
	bool (*right)(const struct side *side, struct config config);
} probes[] = {
	{ "failed allocation leaks nothing", leaks_nothing },
	{ "VA space includes the last byte of 2^64", reaches_top },
	{ "VA space that wraps is refused", refuses_wrapping_space },
	{ "empty VA space is refused", refuses_empty_space },
	{ "reserved range outside is refused", refuses_reserve_outside },
	{ "reserved range that wraps is refused", refuses_wrapping_reserve },
	{ "bad layout leaves a VM that refuses all", survives_bad_layout },
	{ "second remove does nothing but warn", survives_remove },
	{ "unlink of what is not linked does nothing", survives_unlink },
	{ "remap to outside of the old mapping is refused", survives_remap },
	{ "remap of what is not inserted is refused", survives_remap_uninserted },
};

/* In a process of its own, which may well crash. */
static bool is_right(const struct side *side, const struct probe *probe,
		     unsigned int flags)
{
	struct config config = plain;
	int status;
	pid_t pid;

	config.flags = flags;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (side == &side_mainline && !freopen("/dev/null", "w", stderr))
			abort();
		/* Linux warns of some of it; warnings are all it does. */
		shim.tolerate = side == &side_mainline;
		_exit(!probe->right(side, config));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("cannot run a process");

	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static unsigned int run_probes(void)
{
	unsigned int failed = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(probes); i++) {
		bool ours = true, theirs = false;

		for (unsigned int flags = 0; flags < 4; flags++) {
			ours &= is_right(&side_ours, &probes[i], flags);
			theirs |= is_right(&side_mainline, &probes[i], flags);
		}
		printf("%s %u - %s, %s\n", ours && !theirs ? "ok" : "not ok",
		       i + 2, probes[i].name,
		       theirs ? "in mainline too" : "but not in mainline");
		failed += !ours || theirs;
	}

	return failed;
}

int main(int argc, char **argv)
{
	static const struct random_test test = {
		.name = "ours differs from mainline only where it should",
		.run = run,
		.report = report,
		.extra = run_probes,
		.nr_extra = ARRAY_SIZE(probes),
		.tame = true,
	};

	return random_main(argc, argv, &test);
}
