/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Copyright (c) 2026 The DRM GPUVM project */

/* What the tests of panthor share: its ioctls, command streams, the mocked Mali. */

#ifndef PAN_H
#define PAN_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <xf86drm.h>

#include <panthor_drm.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define PAGE		4096ULL
#define K64		(64 * 1024ULL)
#define M2		(2 * 1024 * 1024ULL)
#define VA_RANGE	0x100000000ULL
/* Where tests have their command streams */
#define CODE_VA		(VA_RANGE - M2)
#define TIMEOUT_NS	(30 * 1000000000LL)

#define OP_MAP		DRM_PANTHOR_VM_BIND_OP_TYPE_MAP
#define OP_UNMAP	DRM_PANTHOR_VM_BIND_OP_TYPE_UNMAP
#define READONLY	DRM_PANTHOR_VM_BIND_OP_MAP_READONLY
#define NOEXEC		DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC
#define SPARSE		DRM_PANTHOR_VM_BIND_OP_MAP_SPARSE

extern int fd;
extern jmp_buf test_end;
enum { TEST_FAILED = 1, TEST_SKIPPED };
extern char skip_reason[96];

void __attribute__((noreturn, format(printf, 3, 4)))
fail_at(const char *file, int line, const char *format, ...);
void __attribute__((noreturn)) skip(const char *reason);
const char *result_name(int ret);

#define check(condition, ...) do {					\
	if (!(condition))						\
		fail_at(__FILE__, __LINE__, __VA_ARGS__);		\
} while (0)

#define expect(expected, call) do {					\
	int ret_ = (call), expected_ = (expected);			\
	check(ret_ == expected_, "%s: %s instead of %s", #call,		\
	      result_name(ret_), result_name(expected_));		\
} while (0)

/* Each returns 0 or a negative errno. */
int pan_open(void);
int pan_vm_create(uint64_t range, uint32_t *vm);
int pan_vm_destroy(uint32_t vm);
int pan_vm_state(uint32_t vm, uint32_t *state);
int pan_bo_create(uint64_t size, uint32_t exclusive_vm, uint32_t *bo);
int pan_bo_close(uint32_t bo);
void *pan_bo_map(uint32_t bo, uint64_t size);
int pan_bind(uint32_t vm, const struct drm_panthor_vm_bind_op *ops, uint32_t count,
	     bool async);
int pan_group_create(uint32_t vm, uint32_t *group);
int pan_group_destroy(uint32_t group);
int pan_group_state(uint32_t group, uint32_t *state);
int pan_submit(uint32_t group, uint64_t stream, uint32_t size, uint32_t in,
	       uint32_t out);
int pan_wait(uint32_t syncobj);
int pan_status(uint32_t syncobj);

struct drm_panthor_vm_bind_op pan_map(uint32_t bo, uint64_t offset, uint64_t va,
				      uint64_t size, uint32_t flags);
struct drm_panthor_vm_bind_op pan_unmap(uint64_t va, uint64_t size);

/* Command streams: see mock_mali_mcu.c for what there is. */
struct stream {
	uint64_t *insns;
	uint32_t count;
};

void emit_move48(struct stream *s, uint32_t reg, uint64_t value);
void emit_move32(struct stream *s, uint32_t reg, uint32_t value);
void emit_load(struct stream *s, uint32_t reg, uint32_t addr_reg, uint32_t words);
void emit_store(struct stream *s, uint32_t reg, uint32_t addr_reg, uint32_t words);
void emit_branch(struct stream *s, int16_t insns);
void emit_copy(struct stream *s, uint64_t to, uint64_t from, uint32_t words);

/* The mocked Mali, by debugfs. Skips the test if there is none. */
#define MOCK	"/sys/kernel/debug/mock_mali/"

void mock_write_file(const char *path, const char *text);
uint64_t mock_count(const char *name);
void keep_awake(bool awake);

/* A run of pages in the tables of the one VM that has an address space */
struct run {
	uint64_t va, pages, word;
	char access[4];
	unsigned int attribute;
};

/* Below CODE_VA and the addresses that the driver uses for itself. Allocates *runs. */
unsigned int read_tables(struct run **runs);

/* How many entries of 2M all of the tables have */
uint64_t count_large_entries(void);

uint64_t next_random(uint64_t *state);
uint64_t random_below(uint64_t *state, uint64_t limit);

#endif /* PAN_H */
