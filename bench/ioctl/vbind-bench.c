// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * vbind-bench [SECONDS]: binds per second through the ioctl. Output: one line for
 * each case, which takes 1 second or SECONDS, separated by tabs: mode, sync or async,
 * binds in an array, binds per second.
 *
 * 4096 pages are bound one by one, in a random order and to random pages of a BO,
 * over and over, so that each bind replaces a mapping.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xf86drm.h>

#include "libvbind.h"

#define PAGE		((uint64_t)DRM_VBIND_PAGE_SIZE)
#define NUM_PAGES	4096
#define MAX_ARRAY	256
/* Less than a file may have queued */
#define MAX_QUEUED	512

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static int fd;
static uint32_t vm, bo, syncobj;
static uint64_t random_state;
static double min_seconds = 1;

static void check(const char *what, int ret)
{
	if (ret >= 0)
		return;
	fprintf(stderr, "vbind-bench: %s: %s\n", what, strerror(-ret));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static uint64_t random_page(void)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (random_state >> 33) % NUM_PAGES;
}

static void fill_array(struct drm_vbind_bind *binds, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		binds[i] = (struct drm_vbind_bind){
			.type = DRM_VBIND_BIND_MAP,
			.handle = bo,
			.addr = random_page() * PAGE,
			.range = PAGE,
			.offset = random_page() * PAGE,
		};
}

static void bind_sync(const struct drm_vbind_bind *binds, unsigned int count)
{
	check("bind", vbind_vm_bind(fd, vm, binds, count, NULL));
}

static void bind_async(const struct drm_vbind_bind *binds, unsigned int count)
{
	static unsigned int queued;
	struct drm_vbind_sync sync = vbind_sync_out(syncobj, 0);

	check("bind", vbind_vm_bind_async(fd, vm, binds, count, &sync, 1, NULL));
	if (++queued % MAX_QUEUED)
		return;
	/* A synchronous bind comes after them. */
	bind_sync(binds, 1);
}

/* Binds until there was enough time. Returns binds per second. */
static double measure(unsigned int count,
		      void (*bind)(const struct drm_vbind_bind *binds,
				   unsigned int count))
{
	struct drm_vbind_bind binds[MAX_ARRAY];
	double start = now(), elapsed;
	uint64_t done = 0;

	do {
		unsigned int i;

		for (i = 0; i < 1 + MAX_ARRAY / count; i++) {
			fill_array(binds, count);
			bind(binds, count);
			done += count;
		}
		elapsed = now() - start;
	} while (elapsed < min_seconds);
	fill_array(binds, 1);
	bind_sync(binds, 1);

	return done / (now() - start);
}

static void measure_mode(const char *name, uint32_t flags)
{
	static const unsigned int counts[] = { 1, 16, 256 };
	struct drm_vbind_bind all;
	unsigned int i;

	check("VM", vbind_vm_create(fd, 0, 1ULL << 40, 0, 0, flags, &vm));
	check("BO", vbind_gem_create(fd, NUM_PAGES * PAGE, DRM_VBIND_GEM_VM_PRIVATE,
				     vm, &bo));
	all = (struct drm_vbind_bind){
		.type = DRM_VBIND_BIND_MAP,
		.handle = bo,
		.range = NUM_PAGES * PAGE,
	};
	bind_sync(&all, 1);
	random_state = 1;
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		printf("%s\tsync\t%u\t%.0f\n", name, counts[i],
		       measure(counts[i], bind_sync));
		printf("%s\tasync\t%u\t%.0f\n", name, counts[i],
		       measure(counts[i], bind_async));
	}
	check("VM", vbind_vm_destroy(fd, vm));
	check("BO", vbind_gem_close(fd, bo));
}

int main(int argc, char **argv)
{
	if (argc > 1)
		min_seconds = atof(argv[1]);
	if (argc > 2 || min_seconds <= 0) {
		fprintf(stderr, "usage: vbind-bench [SECONDS]\n");
		return 2;
	}
	fd = vbind_open();
	check("there is no vbind device", fd);
	check("syncobj", drmSyncobjCreate(fd, 0, &syncobj));
	measure_mode("staged", 0);
	measure_mode("immediate", DRM_VBIND_VM_IMMEDIATE);
	return 0;
}
