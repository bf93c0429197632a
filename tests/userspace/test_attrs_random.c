// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Random requests with attributes against the model, each after every allocation
 * that it takes has failed once, which changes nothing and leaks nothing. They are
 * made of the random requests of the older entry points, which can be shrunk.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attrs.h"
#include "random.h"
#include "shim.h"

static void make_config(struct attrs_config *config, const struct config *from)
{
	*config = (struct attrs_config) {
		.start = from->start,
		.unit = from->unit,
		.pages = from->pages,
		.size = from->pages,
		.flags = from->flags |
			 (from->driver_allocs ? DRM_GPUVM_AUTO_CLEANUP : 0),
	};

	if (from->reserve_range) {
		config->reserved = (from->reserve - from->start) / from->unit;
		config->nr_reserved = from->reserve_range / from->unit;
	}
}

static u32 make_repeat(u64 number, u64 unit)
{
	u64 repeat = unit << number % 5;

	return repeat <= 1ULL << 31 && number % 8 < 6 ? repeat : 1 << number % 3;
}

static void make_attributes(struct attrs_req *req, const struct config *config,
			    u64 number)
{
	/* Few of each, so that often enough all are as they were. */
	req->flags = number % 4 ? 0 : (number >> 4) % 16;
	req->ignore = number >> 8 & 1 ? (number >> 9) % 16 : 0;
	req->same = (number >> 16) % NR_SAME;
	req->tag = number >> 18 & 3;
	req->opts = number >> 20 & 1;
	req->leave = number >> 21 & 1;
	if (number >> 22 & 1)
		req->repeat = make_repeat(number >> 24, config->unit);

	if (req->repeat && number >> 32 & 7)
		req->offset = (number >> 35 & 1) * config->unit;
	if (number >> 36 & 15) {
		if (req->obj != ATTRS_NO_OBJ)
			req->flags &= ~DRM_GPUVA_SPARSE;
		else
			req->repeat = 0;
	}
}

static void make_request(struct attrs_req *req, const struct config *config,
			 const struct request *from)
{
	u64 state = from->addr ^ from->range << 7 ^ from->flags << 20 ^
		    from->mask << 10 ^ from->fences;
	u64 number = random_u64(&state);

	memset(req, 0, sizeof(*req));
	req->kind = number % 5 ? number % (ATTRS_LOCK + 1) : number / 5 % NR_ATTRS;
	req->addr = from->addr;
	req->range = from->range;
	req->offset = from->offset;
	req->obj = from->obj < 1 ? ATTRS_NO_OBJ + 1 + from->obj % 2 : 1;
	req->nth = from->nth;
	req->type = from->kind % 3 ? DRM_GPUVM_REQ_MAP : DRM_GPUVM_REQ_UNMAP;

	number = random_u64(&state);
	if (req->kind >= ATTRS_UNMAP_ALL) {
		req->obj = req->kind == ATTRS_UNMAP_BO ? number & 1 : ATTRS_NO_OBJ;
		req->leave = number & 2;
	} else if (req->kind == ATTRS_OLD_UNMAP || req->kind == ATTRS_OLD_MADVISE ||
		   (req->type == DRM_GPUVM_REQ_UNMAP && number & 31)) {
		req->obj = ATTRS_NO_OBJ;
		req->offset = 0;
		req->same = number % NR_SAME;
		if (req->kind <= ATTRS_LOCK)
			req->type = DRM_GPUVM_REQ_UNMAP;
	} else {
		make_attributes(req, config, number);
	}
}

/* Whether the nth allocation exists, and failed. */
static bool try_nth(struct attrs_vm *vm, const struct attrs_model *model,
		    const struct attrs_req *req, u64 nth,
		    struct attrs_outcome *out)
{
	long live = shim.live;
	bool failed;

	shim.fail_nth = nth;
	attrs_vm_run(vm, req, out);
	failed = !shim.fail_nth;
	shim.fail_nth = 0;
	if (!failed)
		return false;

	/* drm_exec can do without its first one. */
	if (out->ret != -ENOMEM && req->kind != ATTRS_LOCK)
		die("a failed allocation goes unnoticed: %d", out->ret);
	if (shim.live != live)
		die("a failed allocation leaks %ld others", shim.live - live);
	attrs_vm_compare(vm, model);

	return true;
}

static void run(const struct sequence *seq)
{
	static struct attrs_outcome out;
	struct attrs_config config;
	struct attrs_model model;
	struct attrs_vm *vm;
	struct attrs_req req;

	make_config(&config, &seq->config);
	vm = attrs_vm_create(&config);
	attrs_model_init(&model, &config);

	for (unsigned int i = 0; i < seq->nr; i++) {
		make_request(&req, &seq->config, &seq->req[i]);
		for (u64 nth = 1; try_nth(vm, &model, &req, nth, &out); nth++)
			shared->counters[NR_ATTRS + req.kind]++;
		attrs_check(vm, &model, &req, &out);
		shared->requests++;
		shared->refused += out.ret < 0;
		shared->counters[req.kind]++;
		for (unsigned int j = 0; j < out.nr; j++)
			shared->counters[2 * NR_ATTRS] +=
				out.step[j].op == DRM_GPUVA_OP_UPDATE;
	}

	attrs_vm_destroy(vm);
}

static void report(void)
{
	static const char *const names[NR_ATTRS] = {
		[ATTRS_REQUEST] = "request",
		[ATTRS_LIST] = "request_ops_create",
		[ATTRS_DROP] = "request_ops_create, given up",
		[ATTRS_LOCK] = "request_exec_lock",
		[ATTRS_OLD_MAP] = "sm_map",
		[ATTRS_OLD_UNMAP] = "sm_unmap",
		[ATTRS_OLD_MADVISE] = "madvise_ops_create",
		[ATTRS_UNMAP_ALL] = "unmap_all",
		[ATTRS_UNMAP_BO] = "bo_unmap",
		[ATTRS_UNMAP_STEP] = "unmap_step",
		[ATTRS_EVICT] = "invalidate",
	};

	puts("# requests, and allocations that failed:");
	for (int i = 0; i < NR_ATTRS; i++)
		printf("# %10llu %10llu %s\n", (ullong)shared->counters[i],
		       (ullong)shared->counters[NR_ATTRS + i], names[i]);
	printf("# %10llu updates\n", (ullong)shared->counters[2 * NR_ATTRS]);
}

int main(int argc, char **argv)
{
	static const struct random_test test = {
		.name = "random requests with attributes agree with the model",
		.run = run,
		.report = report,
	};

	return random_main(argc, argv, &test);
}
