/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What the scheduler has to do with the memory that it watches.
 */
#ifndef __MEMORY_H__
#define __MEMORY_H__

#include <linux/types.h>

#define STACK_SIZE	(128u << 10)

void memory_setup(void);

/* A schedule begins, its threads begin, its threads have ended. */
void memory_begin(void);
void memory_threads_begin(void);
void memory_threads_end(void);

char *memory_stack(unsigned int i);
u64 memory_key(const volatile void *p);

#endif
