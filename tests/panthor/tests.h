/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Copyright (c) 2026 The DRM GPUVM project */

/* The tests of panthor-test, and what they begin with. */

#ifndef TESTS_H
#define TESTS_H

#include "pan.h"

struct test {
	const char *name;
	void (*run)(void);
};

/* Each ends with an entry that has no name. */
extern const struct test bind_tests[];
extern const struct test job_tests[];
extern const struct test random_tests[];
/* What panthor does wrong, with a splat */
extern const struct test known_tests[];

extern uint64_t seed;
extern unsigned int rounds;

/* A VM with a group, which is known to the hardware: it has run a job */
struct client {
	uint32_t vm, group, code;
	struct stream stream;
};

#define CODE_SIZE	K64

struct client new_client(void);
void end_client(struct client *c);
int run_stream(struct client *c);
uint32_t new_bo(uint64_t size, uint64_t word);

#endif /* TESTS_H */
