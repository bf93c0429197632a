/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What the shims add to the kernel's interfaces: figures to check, and ways to
 * make things go wrong. A lock knows the thread that holds it.
 */
#ifndef __SHIM_H__
#define __SHIM_H__

#include <stdbool.h>
#include <stddef.h>

/*
 * struct shim_state - what went on, and what shall go wrong
 */
struct shim_state {
	/* @thread: whose turn it is; 0 where there are none */
	unsigned int thread;

	/* @allocs: allocations that were asked for */
	unsigned long allocs;

	/* @live: allocations and objects that were not freed yet */
	long live;

	/* @fail_nth: which of the allocations to come fails, from 1; 0: none */
	unsigned long fail_nth;

	/* @contend_nth: which of the ww locks to come is contended, from 1 */
	unsigned long contend_nth;

	/* @interrupt: whoever waits for a contended ww lock gets a signal */
	bool interrupt;

	/* @stamps: of ww contexts */
	unsigned long stamps;

	/* @spins: spinlocks held; nothing may sleep */
	unsigned int spins;

	/* @mutexes: mutexes held; resv locks come before them */
	unsigned int mutexes;

	/* @resvs: resv locks held */
	unsigned int resvs;

	/*
	 * @meanwhile: what another thread does right before the next spinlock
	 * is taken; called once, with nothing held
	 */
	void (*meanwhile)(void *data);
	void *data;

	/* @signalling: fence signalling; no allocation, no resv lock */
	bool signalling;

	/* @tolerate: splats are counted and do not end the program */
	bool tolerate;

	/* @splats: warnings and broken lock rules */
	unsigned long splats;

	/* @errors: messages of drm_err() */
	unsigned long errors;
};

extern struct shim_state shim;

void shim_splat(const char *file, int line, const char *what);
void *shim_alloc(size_t size);
void *shim_realloc(void *old, size_t size);
void shim_free(const void *p);
void shim_might_sleep(const char *file, int line);

#endif
