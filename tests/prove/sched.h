/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Threads whose every switch is decided by the scheduler, and memory whose every
 * access it sees. What the compiler makes of "-fsanitize=thread" calls it.
 */
#ifndef __SCHED_H__
#define __SCHED_H__

#include <stdbool.h>
#include <stddef.h>

#include <linux/compiler.h>

/* The first one, 0, sets the scene and looks at the end. */
#define SCHED_THREADS	4

typedef void (*sched_part)(void);

struct sched_scene {
	const char *name;
	sched_part begin, thread[SCHED_THREADS - 1], end;
};

struct sched_result {
	unsigned long schedules, steps;
};

/* All schedules with no more preemptions than that; ends the program if one fails. */
struct sched_result sched_explore(const struct sched_scene *scene, unsigned int preemptions);

/* One schedule, as a failure printed it. */
void sched_replay(const struct sched_scene *scene, const char *schedule);

/* Ends the program; prints the schedule. */
__printf(1, 2)
void __noreturn sched_fail(const char *text, ...);

unsigned int sched_self(void);

/* False before the threads begin, and when all have ended. */
bool sched_running(void);

/* Whether all threads but that one have ended. */
bool sched_others_done(unsigned int but);

/* ---- For the kernel's functions ---------------------------------------- */

enum sched_step { STEP_READ, STEP_WRITE, STEP_LOCK, STEP_UNLOCK };

/* In front of a step that others can see: another thread may be taken. */
void sched_step(enum sched_step step, const volatile void *addr, const void *caller,
		const char *name);

/* Not to go on before that. */
void sched_wait(bool (*ready)(const void *arg), const void *arg, const char *name);

/* A step does something to a lock: whoever frees it meanwhile is found. */
void sched_touch(const volatile void *addr);

/* What was before a release is before what comes behind an acquire. */
void sched_acquire(const volatile void *addr);
void sched_release(const volatile void *addr);

/* That what follows is done under a lock that excludes, or no longer. */
void sched_locked(const volatile void *addr);
void sched_unlocked(const volatile void *addr);

void *sched_alloc(size_t size);
void sched_free(const void *p);
unsigned int sched_live(void);

#endif
