/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What the GPUVM suites share: a mock device with objects and VMs that count
 * themselves, a recorder that turns operations into lines of text, a picture
 * language for VA spaces, and a check that walks a whole VM.
 *
 * Pictures
 *
 * Every page takes three columns: a separator and two characters.
 *
 *	|a4 a5|  |b0|*7|
 *
 * Pages 0 and 1 are one mapping of object a from its page 4 on, page 2 is
 * empty, page 3 maps page 0 of object b, page 4 is a mapping without object
 * whose offset is 7 pages. "##" is the reserved range.
 *
 * Operations
 *
 *	map [0,2) a4
 *	unmap [0,2) a4 keep
 *	remap [0,3) a4 prev [0,1) a4 next [2,3) a6 keep
 *	prefetch [0,2) a4
 *
 * Pages count from the base that the recorder was given.
 */

#ifndef __GPUVM_TEST_H__
#define __GPUVM_TEST_H__

#include <kunit/static_stub.h>
#include <kunit/test.h>

#include <drm/drm_device.h>
#include <drm/drm_exec.h>
#include <drm/drm_gem.h>
#include <drm/drm_gpuvm.h>

#include "core.h"

#define GT_PAGE		SZ_4K
#define GT_SHIFT	12
#define GT_PAGES(n)	((u64)(n) << GT_SHIFT)

/* The VA space of a VM made by gt_vm(); GT_BASE is well inside of it. */
#define GT_VM_START	GT_PAGES(0x100)
#define GT_VM_RANGE	GT_PAGES(0x1000)
#define GT_BASE		GT_PAGES(0x200)

/* For a case of something that only our core has. */
#define gt_needs_ours(test, what)						\
	do {									\
		if (GT_MAINLINE)						\
			kunit_skip(test, "Linux's core has no %s", what);	\
	} while (0)

#define GT_LINE		96
#define GT_LINES	64
#define GT_PICTURE	256
#define GT_SNAPSHOT	4096

enum gt_live {
	GT_VMS,
	GT_OBJS,
	GT_VAS,
	GT_VM_BOS,
	GT_OPS,
	GT_LIVE_NUM,
};

/**
 * struct gt - what one test case owns
 * @test: the running test; its priv points back here
 * @dev: the mock device
 * @drm: the mock DRM device
 * @drm_refs: references on @drm before the test touched it
 * @live: how many of each kind exist at the moment
 * @objs: objects whose first reference belongs to the test
 * @vms: VMs whose first reference belongs to the test
 * @pool: mappings allocated ahead, for code that must not allocate
 * @pool_only: a mapping that is not in @pool is a failure
 * @cache: where drm_gpuvm_alloc() gets its memory between gt_alloc_begin() and
 *	gt_alloc_end()
 * @allocs: allocations of the core since then
 * @fail_nth: the allocation that fails, counted from 1; 0 for none
 * @op_allocs: calls of the op_alloc callback
 * @fail_op_nth: the op_alloc that fails, counted from 1; 0 for none
 * @fail_vm_bo_alloc: let the vm_bo_alloc callback fail
 * @validated: calls of the vm_bo_validate callback
 * @validate: what vm_bo_validate does; NULL for drm_gpuvm_bo_evict(vm_bo, false)
 * @validate_priv: for @validate
 * @warnings: counts the warnings of the thread that runs the test
 * @expected_warnings: those that came between gt_warn_begin() and gt_warn_end()
 * @warn_begin: the warnings at gt_warn_begin()
 * @debug_locks: lockdep was alive at the start
 * @abandoned: the test was left in the middle, with locks maybe held
 */
struct gt {
	struct kunit *test;
	struct device *dev;
	struct drm_device *drm;
	unsigned int drm_refs;
	atomic_t live[GT_LIVE_NUM];
	struct drm_gem_object *objs[8];
	struct drm_gpuvm *vms[4];

	struct list_head pool;
	bool pool_only;

	struct kmem_cache *cache;
	unsigned int allocs;
	unsigned int fail_nth;
	unsigned int op_allocs;
	unsigned int fail_op_nth;
	bool fail_vm_bo_alloc;

	unsigned int validated;
	int (*validate)(struct gt *gt, struct drm_gpuvm_bo *vm_bo,
			struct drm_exec *exec);
	void *validate_priv;

#ifdef kunit_warning_suppress
	struct kunit_suppressed_warning *warnings;
#endif
	int expected_warnings;
	int warn_begin;
	bool debug_locks;
	bool abandoned;
};

struct gt_va {
	struct drm_gpuva base;
	struct gt *gt;
	struct list_head pool;
};

/**
 * struct gt_log - recorded operations, one line each
 * @base: the address of page 0
 * @n: the number of operations
 * @objs: bit n is set if an operation named object 'a' + n
 * @line: the operations
 */
struct gt_log {
	u64 base;
	unsigned int n;
	u32 objs;
	char line[GT_LINES][GT_LINE];
};

/**
 * struct gt_walk - the private pointer of the sm_step callbacks
 * @gt: the test
 * @vm: the VM that is changed
 * @vm_bo: for mappings that a map operation creates; may be NULL
 * @log: records every operation; may be NULL
 * @apply: change the VA space as a driver would
 * @calls: how many callbacks ran
 * @fail_at: the callback that fails, counted from 1; 0 for none
 */
struct gt_walk {
	struct gt *gt;
	struct drm_gpuvm *vm;
	struct drm_gpuvm_bo *vm_bo;
	struct gt_log *log;
	bool apply;
	unsigned int calls;
	unsigned int fail_at;
};

/* A mapping, or a request, in pages; what a picture is parsed into. */
struct gt_span {
	unsigned int first;
	unsigned int pages;
	char obj;
	unsigned int offset;
};

/* Where in which VA space a picture is put. */
struct gt_place {
	const char *name;
	u64 base;
	u64 start;
	u64 range;
	u64 reserve_start;
	u64 reserve_range;
};

#define GT_PLACE_NUM (6 + GT_CORE_UP_TO_2_64)
extern const struct gt_place gt_places[GT_PLACE_NUM];

/* All four combinations of the locking flags. */
struct gt_mode {
	const char *name;
	enum drm_gpuvm_flags flags;
};

#define GT_MODE_NUM 4
extern const struct gt_mode gt_modes[GT_MODE_NUM];
const void *gt_mode_gen_params(struct kunit *test, const void *prev, char *desc);

int gt_init(struct kunit *test);
void gt_exit(struct kunit *test);
bool gt_is_live(struct gt *gt, enum gt_live what, int expected);
int gt_warnings(struct gt *gt);
u64 gt_seed(struct kunit *test);

void gt_warn_begin(struct gt *gt);
void gt_warn_end(struct gt *gt, int min, int max);

struct drm_gem_object *gt_obj(struct gt *gt, char name, struct drm_gpuvm *local_to);
void gt_obj_drop(struct gt *gt, struct drm_gem_object *obj);
void gt_obj_may_allocate_locked(struct drm_gem_object *obj);
struct drm_gem_object *gt_obj_find(struct gt *gt, char name);
char gt_obj_name(struct drm_gem_object *obj);
static inline unsigned int gt_obj_refs(struct drm_gem_object *obj)
{
	return kref_read(&obj->refcount);
}

extern const struct drm_gpuvm_ops gt_ops;
extern const struct drm_gpuvm_ops gt_ops_embed;

struct drm_gpuvm *gt_vm_at(struct gt *gt, enum drm_gpuvm_flags flags,
			   u64 start, u64 range, u64 reserve_start,
			   u64 reserve_range, const struct drm_gpuvm_ops *ops);
struct drm_gpuvm *gt_vm(struct gt *gt, enum drm_gpuvm_flags flags);
struct drm_gpuvm *gt_vm_in(struct gt *gt, enum drm_gpuvm_flags flags,
			   const struct gt_place *place);
void gt_vm_clear(struct gt *gt, struct drm_gpuvm *vm);
void gt_vm_drop(struct gt *gt, struct drm_gpuvm *vm);

void gt_lock(struct gt *gt, struct drm_gpuvm *vm, struct drm_exec *exec);
void gt_lock_staged(struct gt *gt, struct drm_gpuvm *vm, struct drm_exec *exec);
void gt_unlock_staged(struct drm_gpuvm *vm, struct drm_exec *exec);
void gt_no_made_up_contention(unsigned int locks);

struct drm_gpuvm_bo *gt_vm_bo(struct gt *gt, struct drm_gpuvm *vm,
			      struct drm_gem_object *obj);
void gt_vm_bo_put(struct gt *gt, struct drm_gpuvm_bo *vm_bo);

struct drm_gpuva *gt_va(struct gt *gt, u64 addr, u64 range,
			struct drm_gem_object *obj, u64 offset);
void gt_va_free(struct drm_gpuva *va);
void gt_pool_fill(struct gt *gt, unsigned int n);
void gt_pool_drain(struct gt *gt);
struct drm_gpuva *gt_map(struct gt *gt, struct drm_gpuvm *vm, u64 addr,
			 u64 range, struct drm_gem_object *obj, u64 offset);
void gt_unmap(struct gt *gt, struct drm_gpuva *va);

struct gt_log *gt_log(struct kunit *test, u64 base);
void gt_log_reset(struct gt_log *log);
void gt_log_op(struct gt_log *log, const struct drm_gpuva_op *op);
void gt_log_ops(struct gt_log *log, struct drm_gpuva_ops *ops);
bool gt_expect_ops(struct kunit *test, const struct gt_log *log,
		   const char *const *ops, unsigned int max, const char *where);
bool gt_expect_same(struct kunit *test, const struct gt_log *log,
		    const struct gt_log *expected, const char *where);

int gt_apply(struct gt_walk *walk, struct drm_gpuva_op *op);
int gt_sm_map(struct gt *gt, struct drm_gpuvm *vm, u64 addr, u64 range,
	      struct drm_gem_object *obj, u64 offset, struct gt_log *log);
int gt_sm_unmap(struct gt *gt, struct drm_gpuvm *vm, u64 addr, u64 range,
		struct gt_log *log);

unsigned int gt_parse(struct kunit *test, const char *picture,
		      struct gt_span *spans, unsigned int max);
void gt_build(struct gt *gt, struct drm_gpuvm *vm, u64 base, const char *picture);
void gt_build_spans(struct gt *gt, struct drm_gpuvm *vm, u64 base,
		    const struct gt_span *spans, unsigned int n);
unsigned int gt_spans(struct drm_gpuvm *vm, u64 base, struct gt_span *spans,
		      unsigned int max);
void gt_picture(struct drm_gpuvm *vm, u64 base, char *buf);
bool gt_expect_picture(struct kunit *test, struct drm_gpuvm *vm, u64 base,
		       const char *expected, const char *where);
struct drm_gpuvm_map_req gt_req(struct gt *gt, u64 base, const struct gt_span *span);

void gt_model_map(struct gt_log *log, const struct gt_span *old, unsigned int n,
		  const struct gt_span *req);
void gt_model_unmap(struct gt_log *log, const struct gt_span *old, unsigned int n,
		    const struct gt_span *req);
void gt_model_madvise(struct gt_log *log, const struct gt_span *old,
		      unsigned int n, const struct gt_span *req);

char *gt_snapshot(struct kunit *test, struct drm_gpuvm *vm);
bool gt_expect_unchanged(struct kunit *test, struct drm_gpuvm *vm, const char *before);

void gt_alloc_begin(struct gt *gt);
void gt_alloc_end(struct gt *gt);

/* For the library's own parts: gpuvm_test.c, gpuvm_map.c, gpuvm_picture.c, gpuvm_check.c */
void gt_count(struct gt *gt, enum gt_live what, int n);

bool gpuvm_check(struct kunit *test, struct drm_gpuvm *vm);
void gpuvm_dump(struct kunit *test, struct drm_gpuvm *vm);

#endif /* __GPUVM_TEST_H__ */
