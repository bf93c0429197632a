/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Copyright (c) 2026 The DRM GPUVM project */

/* What the parts of vbind-test share. */

#ifndef TEST_H
#define TEST_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <xf86drm.h>

#include "libvbind.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define PAGE		((uint64_t)DRM_VBIND_PAGE_SIZE)
#define K64		(64 * 1024ULL)
#define M2		(2 * 1024 * 1024ULL)
#define WORD		sizeof(uint64_t)
#define NO_INDEX	DRM_VBIND_NO_INDEX

/* The VM that most tests use, and what is around it */
#define VA_START	0x100000ULL
#define VA_RANGE	0x1000000ULL
#define VA_END		(VA_START + VA_RANGE)
#define RSV_START	0x800000ULL
#define RSV_RANGE	0x10000ULL
#define RSV_END		(RSV_START + RSV_RANGE)
#define BO_SIZE		(64 * PAGE)

#define MAP		DRM_VBIND_BIND_MAP
#define SPARSE		DRM_VBIND_BIND_MAP_SPARSE
#define UNMAP		DRM_VBIND_BIND_UNMAP
#define PREFETCH	DRM_VBIND_BIND_PREFETCH
#define UNMAP_BO	DRM_VBIND_BIND_UNMAP_BO

/* The test that runs: its file, its mode, and what setup() creates */
extern int fd;
extern uint32_t mode;
extern uint32_t vm;
extern uint32_t bo;
extern uint64_t bo_id;
extern uint64_t seed;
extern unsigned int rounds;

struct test {
	const char *name;
	void (*run)(void);
	bool every_mode;
};

/* Each ends with an entry that has no name. */
extern const struct test gem_tests[];
extern const struct test prime_tests[];
extern const struct test vm_tests[];
extern const struct test bind_tests[];
extern const struct test bind_error_tests[];
extern const struct test query_tests[];
extern const struct test fail_tests[];
extern const struct test thread_tests[];
extern const struct test random_tests[];
extern const struct test exec_tests[];
extern const struct test repeat_tests[];
extern const struct test sync_tests[];
extern const struct test evict_tests[];
extern const struct test cancel_tests[];
extern const struct test limit_tests[];
extern const struct test fair_tests[];
extern const struct test window_tests[];
extern const struct test cgroup_tests[];
extern const struct test fence_tests[];
extern const struct test page_tests[];
extern const struct test pressure_tests[];
extern const struct test share_tests[];
extern const struct test hostile_tests[];
extern const struct test stress_tests[];
extern const struct test unplug_tests[];

/* For --hold-fences; see test_fences.c */
void test_held_fences(void);

/* Failing and skipping */

extern jmp_buf test_end;
enum { TEST_FAILED = 1, TEST_SKIPPED };
extern char skip_reason[80];

void __attribute__((noreturn, format(printf, 3, 4)))
fail_at(const char *file, int line, const char *format, ...);
void __attribute__((noreturn)) skip(const char *reason);
const char *result_name(int ret);

#define fail(...) fail_at(__FILE__, __LINE__, __VA_ARGS__)

#define check(condition, ...) do {					\
	if (!(condition))						\
		fail(__VA_ARGS__);					\
} while (0)

/* A call whose result has to be @expected, 0 or a negative errno. */
#define expect(expected, call) do {					\
	int ret_ = (call), expected_ = (expected);			\
	check(ret_ == expected_, "%s: %s instead of %s", #call,		\
	      result_name(ret_), result_name(expected_));		\
} while (0)

#define expect_value(expected, value) do {				\
	uint64_t value_ = (value), expected_ = (expected);		\
	check(value_ == expected_,					\
	      "%s: 0x%" PRIx64 " instead of 0x%" PRIx64, #value, value_,	\
	      expected_);						\
} while (0)

/* What many tests need */

int open_device(void);
int open_vgem(void);
int open_card(void);
uint64_t id_of(uint32_t handle);
uint32_t new_bo(uint64_t size);
uint32_t new_private_bo(uint64_t size, uint32_t vm_id);
uint32_t new_vm(uint32_t flags);
uint32_t import_bo(int from, uint32_t handle, int to);
uint8_t *map_bo(int file, uint32_t handle);
void setup(void);
void populate(uint32_t vm_id);

struct drm_vbind_bind map_bind(uint64_t addr, uint64_t range, uint64_t offset);
struct drm_vbind_bind range_bind(uint32_t type, uint64_t addr, uint64_t range);
struct drm_vbind_mapping bo_mapping(uint64_t page, uint64_t pages,
				    uint64_t offset);

/* The mappings of a VM at some moment */
struct snapshot {
	int count;
	struct drm_vbind_mapping *mappings;
};

struct snapshot take_snapshot(uint32_t vm_id);
void print_mapping(const struct drm_vbind_mapping *m);
int compare_mappings(const void *a, const void *b);
void compare_with_vm(uint32_t vm_id, const char *when,
		     const struct drm_vbind_mapping *expected, int count,
		     bool with_memory);
void check_mappings(uint32_t vm_id, const char *when,
		    const struct drm_vbind_mapping *expected, int count);
void check_unchanged(uint32_t vm_id, const char *when, struct snapshot *s);
void check_empty(uint32_t vm_id);

/* Numbers of BOs, VMs and mappings that the driver knows */
struct stats {
	int bos, vms, mappings;
};

bool read_stats(struct stats *stats);
void check_stats(int bos, int vms, int mappings);
uint64_t next_random(uint64_t *state);
unsigned int random_below(uint64_t *state, unsigned int limit);

/* Evictions, if there is debugfs; see test_evict.c */
int open_evict(void);
void try_to_evict(void);

/* Syncobjs, jobs that are queued, fences from elsewhere; see lib_sync.c */
#define TIMEOUT_MS	60000

struct foreign {
	int timeline;
	uint32_t syncobj;
};

uint32_t new_syncobj(void);
void wait_for(uint32_t syncobj, uint64_t point);
bool is_signalled(uint32_t syncobj);
uint32_t start_waiting(uint32_t queue, uint64_t microseconds);
void bind_async(const struct drm_vbind_bind *binds, uint32_t count, uint32_t in,
		uint32_t out);
void exec_async(uint32_t queue, struct drm_vbind_cmd cmd, uint32_t in,
		uint32_t out);
void expect_no_faults(void);
struct foreign new_foreign(void);
void signal_foreign(const struct foreign *foreign);
double seconds(void);
int use_file(int file);

/* Memory; see lib_memory.c */
uint64_t bo_word(uint64_t id, uint64_t offset);
void fill_bo(uint32_t handle);
void check_nothing_at(uint32_t vm_id, uint64_t addr);
void check_memory(uint32_t vm_id, const char *when, struct snapshot s);
void run_cmds(uint32_t vm_id, const struct drm_vbind_cmd *cmds, uint32_t count);
void run_cmd(uint32_t vm_id, struct drm_vbind_cmd cmd);
void expect_fault(uint32_t vm_id, struct drm_vbind_cmd cmd, uint32_t kind,
		  uint64_t addr);

#endif /* TEST_H */
