// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * panthor-bench [SECONDS]: binds per second through panthor's ioctl. Output: one line
 * for each case, which takes 1 second or SECONDS, separated by tabs: idle or in use,
 * sync or async, binds in an array, binds per second. A VM in use has an address
 * space, which the driver locks and flushes for each bind.
 *
 * 4096 pages are bound one by one, in a random order and to random pages of a BO,
 * over and over, so that each bind replaces a mapping.
 */

#include <sys/mman.h>
#include <time.h>

#include "pan.h"

#define NUM_PAGES	4096
#define MAX_ARRAY	256
#define CODE		0x80000000ULL

static uint32_t vm, bo, group, syncobj;
static uint64_t random_state = 1;
static double min_seconds = 1;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void bind_array(unsigned int count, bool async)
{
	static struct drm_panthor_vm_bind_op ops[MAX_ARRAY];
	struct drm_panthor_sync_op sync = {
		.flags = DRM_PANTHOR_SYNC_OP_SIGNAL, .handle = syncobj,
	};
	unsigned int i;

	for (i = 0; i < count; i++)
		ops[i] = pan_map(bo, random_below(&random_state, NUM_PAGES) * PAGE,
				 random_below(&random_state, NUM_PAGES) * PAGE,
				 PAGE, NOEXEC);
	if (async)
		ops[count - 1].syncs = (struct drm_panthor_obj_array)
			DRM_PANTHOR_OBJ_ARRAY(1, &sync);
	expect(0, pan_bind(vm, ops, count, async));
}

static double measure(unsigned int count, bool async)
{
	double start = now(), elapsed;
	uint64_t done = 0;

	do {
		unsigned int i;

		for (i = 0; i < 1 + MAX_ARRAY / count; i++) {
			bind_array(count, async);
			done += count;
		}
		if (async)
			expect(0, pan_wait(syncobj));
		elapsed = now() - start;
	} while (elapsed < min_seconds);

	return done / elapsed;
}

static void measure_all(const char *use)
{
	static const unsigned int counts[] = { 1, 16, 256 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		printf("%s\tsync\t%u\t%.0f\n", use, counts[i],
		       measure(counts[i], false));
		printf("%s\tasync\t%u\t%.0f\n", use, counts[i],
		       measure(counts[i], true));
	}
}

/* A job gives the VM an address space, which it has until the device sleeps. */
static void use_vm(void)
{
	struct drm_panthor_vm_bind_op op;
	struct stream s = {};
	uint32_t code;

	expect(0, pan_bo_create(PAGE, vm, &code));
	s.insns = pan_bo_map(code, PAGE);
	op = pan_map(code, 0, CODE, PAGE, 0);
	expect(0, pan_bind(vm, &op, 1, false));
	expect(0, pan_group_create(vm, &group));
	emit_move32(&s, 0, 0);
	keep_awake(true);
	expect(0, pan_submit(group, CODE, 64, 0, syncobj));
	expect(0, pan_wait(syncobj));
	expect(0, pan_status(syncobj));
}

int main(int argc, char **argv)
{
	if (argc > 1)
		min_seconds = atof(argv[1]);
	if (argc > 2 || min_seconds <= 0) {
		fprintf(stderr, "usage: panthor-bench [SECONDS]\n");
		return 2;
	}
	if (setjmp(test_end))
		return 1;

	fd = pan_open();
	check(fd >= 0, "there is no panthor device in /dev/dri");
	expect(0, drmSyncobjCreate(fd, 0, &syncobj));
	expect(0, pan_vm_create(VA_RANGE, &vm));
	expect(0, pan_bo_create(NUM_PAGES * PAGE, vm, &bo));
	measure_all("idle");
	use_vm();
	measure_all("in use");
	return 0;
}
