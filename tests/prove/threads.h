/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What threads have beyond the shims.
 */
#ifndef __THREADS_H__
#define __THREADS_H__

#include <stdbool.h>

/* A driver's lock on the mappings of a VM. */
struct rwlock {
	unsigned int writer, readers;
};

void read_lock(struct rwlock *lock);
void read_unlock(struct rwlock *lock);
void write_lock(struct rwlock *lock);
void write_unlock(struct rwlock *lock);

/* Between these two, nothing may be allocated, and no resv be locked. */
void signalling_begin(void);
void signalling_end(void);
bool in_signalling(void);

/* Nothing is held: asked at the end of a thread. */
bool nothing_held(void);
void threads_begin(void);

/* Carries out works until no other thread is left. */
void worker(void);

#endif
