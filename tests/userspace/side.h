/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * One build of drm_gpuvm.c with a small driver around it, behind an interface
 * that does not show the structures: the tests run the same requests on ours,
 * on Linux's own, and on a model.
 */
#ifndef __SIDE_H__
#define __SIDE_H__

#include <stdbool.h>

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/types.h>

/* Object 0 shares the VM's resv, the others are external. */
#define NR_OBJS		3
#define NO_OBJ		(-1)
#define RESV_OBJ	(-2)
#define RESERVED	(-3)

#define MAX_RECORDS	160

/*
 * struct config - what a VM is made of
 */
struct config {
	u64 start, range;
	u64 reserve, reserve_range;

	/* @unit: the size of a page of the model */
	u64 unit;

	/* @pages: what the VA space has of them */
	unsigned int pages;

	/* @flags: &enum drm_gpuvm_flags */
	unsigned int flags;

	/* @driver_allocs: the driver allocates operations and vm_bos */
	bool driver_allocs;

	/* @early_put: the driver's reference goes before the mappings do */
	bool early_put;

	/* @void_init: by drm_gpuvm_init(), which cannot refuse a layout */
	bool void_init;
};

enum req_kind {
	REQ_MAP,		/* by callbacks that update the VM */
	REQ_MAP_LIST,		/* by an op list */
	REQ_MAP_DROP,		/* by an op list that is given up */
	REQ_UNMAP,
	REQ_UNMAP_LIST,
	REQ_UNMAP_DROP,
	REQ_MADVISE,
	REQ_MADVISE_DROP,
	REQ_BO_UNMAP,
	REQ_PREFETCH,
	REQ_INSERT,
	REQ_GPUVA_MAP,
	REQ_REMOVE,
	REQ_CLEAR,		/* removes all in a range in a safe walk */
	REQ_VALID,
	REQ_EMPTY,
	REQ_FIND,
	REQ_FIND_FIRST,
	REQ_FIND_PREV,
	REQ_FIND_NEXT,
	REQ_WALK,
	REQ_WALK_SAFE,
	REQ_WALK_ALL,
	REQ_WALK_ALL_SAFE,
	REQ_MAPPINGS,
	REQ_MAPPINGS_SAFE,
	REQ_MAPPINGS_ALL,
	REQ_MAPPINGS_ALL_SAFE,
	REQ_LOCK,
	REQ_LOCK_ARRAY,
	REQ_LOCK_RANGE,
	REQ_LOCK_MAP,
	REQ_LOCK_UNMAP,
	REQ_FENCE,
	REQ_EVICT,
	REQ_VALIDATE,
	REQ_CLEANUP,
	NR_RANDOM_REQS,

	/* What the core has to survive. 0 if it did it right. */
	REQ_REMOVE_TWICE = NR_RANDOM_REQS,
	REQ_UNLINK_UNLINKED,
	REQ_REMAP_OUTSIDE,
	REQ_REMAP_UNINSERTED,
	NR_REQS
};

/* Whether a kind of request has an object and an offset. */
static inline bool takes_part(enum req_kind kind)
{
	switch (kind) {
	case REQ_MAP:
	case REQ_MAP_LIST:
	case REQ_MAP_DROP:
	case REQ_INSERT:
	case REQ_GPUVA_MAP:
	case REQ_LOCK_MAP:
		return true;
	default:
		return false;
	}
}

/* What the driver does with a mapping that shrinks: a new one, or the same. */
#define REQ_REUSE	BIT(0)

/* Leave the deferred cleanup to a later request. */
#define REQ_LAZY	BIT(1)

/* The locking context ignores duplicates. */
#define REQ_DUPS	BIT(2)

/* What the validation callback does: nothing, a flag, the function. */
#define REQ_BACK_FLAG	BIT(3)
#define REQ_BACK	BIT(4)

/* The callbacks of a request note the steps and leave the VM as it is. */
#define REQ_NOTE	BIT(5)

/* The validation callback brings all objects back, or evicts them all. */
#define REQ_BACK_ALL	BIT(6)
#define REQ_EVICT_ALL	BIT(7)

/*
 * struct request - one call of the core
 */
struct request {
	enum req_kind kind;
	u64 addr, range, offset;

	/* @obj: an object, or NO_OBJ */
	int obj;

	/* @flags: a set of REQ_* bits */
	unsigned int flags;

	/* @mask: a set of objects; for REQ_EVICT whether to evict */
	unsigned int mask;

	/* @fences: the fence slots to reserve */
	unsigned int fences;

	/* @nth: the step that fails or the lock that is contended, from 1 */
	unsigned int nth;
};

struct part {
	u64 addr, range, offset;
	s64 obj;
};

enum record_kind {
	DID_MAP,
	DID_REMAP,
	DID_UNMAP,
	DID_PREFETCH,
	DID_FIND,
	DID_LOCK,
	DID_FENCE,
	DID_VALIDATE,
	DID_LEAVE,
	DID_CHANGE_EXTRA,
};

/*
 * struct record - one operation, or one thing that was found, locked, ...
 */
struct record {
	u64 kind;
	u64 keep;
	struct part va;
	struct part prev;
	struct part next;
};

/*
 * struct outcome - all that a request shows to its caller
 */
struct outcome {
	int ret;

	/* @allocs: what an op list took */
	unsigned int allocs;

	unsigned int nr;
	struct record rec[MAX_RECORDS];
};

/*
 * struct snapshot - the state of a VM and its objects
 */
struct snapshot {
	unsigned int vm_refs;
	unsigned int zombies;
	unsigned int nr;

	struct {
		unsigned int refs;
		unsigned int bos;
		unsigned int bo_refs;
		unsigned int links;
		bool evicted;
		bool on_extobj;
		bool on_evict;
	} obj[NR_OBJS];

	/* @va: @nr mappings; those behind them are not set */
	struct {
		struct part part;
		const void *id;
		bool linked;
	} va[MAX_RECORDS];
};

struct side_vm;

/*
 * struct side - one build of the core
 */
struct side {
	const char *name;

	/* @create: NULL if the layout is refused */
	struct side_vm *(*create)(const struct config *config);

	/* @destroy: dies if anything is left */
	void (*destroy)(struct side_vm *vm);

	void (*run)(struct side_vm *vm, const struct request *req,
		    struct outcome *out);
	void (*snapshot)(struct side_vm *vm, struct snapshot *snap);

	/* @check: dies if an invariant of the structures is broken */
	void (*check)(struct side_vm *vm);
};

extern const struct side side_ours;
extern const struct side side_mainline;

/* ---- What the tests have in common ------------------------------------- */

extern const char *const req_names[NR_REQS];

void __noreturn __printf(1, 2) die(const char *fmt, ...);

/* The value of --name=value, if it is there. */
u64 option(int argc, char **argv, const char *name, u64 value);

void print_config(const struct config *config);
void print_request(const struct request *req);
void print_outcome(const char *who, const struct outcome *out);
bool same_outcome(const struct outcome *a, const struct outcome *b);

#endif
