/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Requests with attributes: a driver that is made of nothing but the core's own
 * helpers, and a model of what each page shows. Only ours has these entry points,
 * so both sides are in sight here.
 */
#ifndef __ATTRS_H__
#define __ATTRS_H__

#include <stdbool.h>

#include <drm/drm_drv.h>
#include <drm/drm_exec.h>
#include <drm/drm_gpuvm.h>

#define ATTRS_OBJS	2
#define ATTRS_NO_OBJ	(-1)
#define ATTRS_PAGES	64
#define ATTRS_STEPS	(2 * ATTRS_PAGES + 2)

/* The driver's own flag; and the one that some requests ignore. */
#define ATTRS_DUMP	DRM_GPUVA_USERBITS
#define ATTRS_READONLY	(DRM_GPUVA_USERBITS << 1)

/*
 * struct attrs_config - what a VM is made of
 */
struct attrs_config {
	u64 start;

	/* @unit: the size of a page of the model, a power of two */
	u64 unit;
	unsigned int pages;

	/* @reserved: the first of @nr_reserved pages that are reserved */
	unsigned int reserved, nr_reserved;

	/* @size: that of the first object, in pages; the other one has no end */
	unsigned int size;
	enum drm_gpuvm_flags flags;
};

enum attrs_kind {
	ATTRS_REQUEST,		/* by callbacks */
	ATTRS_LIST,		/* by an op list */
	ATTRS_DROP,		/* by an op list that is given up */
	ATTRS_LOCK,		/* only locked */
	ATTRS_OLD_MAP,		/* by the older entry points */
	ATTRS_OLD_UNMAP,
	ATTRS_OLD_MADVISE,
	ATTRS_UNMAP_ALL,
	ATTRS_UNMAP_BO,
	ATTRS_UNMAP_STEP,
	ATTRS_EVICT,		/* the mapping is no longer in the page tables */
	NR_ATTRS,
};

/* What &drm_gpuvm_steps.same does. */
enum attrs_same {
	SAME_MISSING,
	SAME_AGREES,
	SAME_REFUSES_SOME,
	NR_SAME,
};

struct attrs_req {
	enum attrs_kind kind;
	unsigned int type, opts;
	u64 addr, range, offset;
	int obj;
	unsigned int flags;
	u32 repeat;
	unsigned int ignore;
	enum attrs_same same;

	/* @tag: what hangs on the request */
	unsigned int tag;

	/* @nth: the step that fails, from 1; to tear down, that at @addr does */
	unsigned int nth;

	/* @leave: it does not fail, but leaves the mapping where it is */
	bool leave;
};

struct attrs_part {
	u64 addr, range;

	/* @content: what of the object the first address shows */
	u64 content;
};

/*
 * struct attrs_step - one operation
 */
struct attrs_step {
	u64 op;
	struct attrs_part va, prev, next;
	u64 keep, exact;

	/* @tag: that of the request that the operation leads back to */
	u64 tag;
};

struct attrs_outcome {
	int ret;
	unsigned int nr;
	struct attrs_step step[ATTRS_STEPS];

	/* @taken: how many new mappings it took */
	unsigned int taken;
};

struct attrs_page {
	/* @id: which mapping the page belongs to; 0 if it is not mapped */
	unsigned int id;
	int obj;
	u64 content;
	unsigned int flags;
	u32 repeat;

	/* @tag: that of the request that it was mapped by */
	unsigned int tag;
};

struct attrs_model {
	const struct attrs_config *config;
	struct attrs_page page[ATTRS_PAGES];
	unsigned int last_id;
};

struct attrs_vm;

struct attrs_vm *attrs_vm_create(const struct attrs_config *config);
void attrs_vm_destroy(struct attrs_vm *vm);
void attrs_vm_run(struct attrs_vm *vm, const struct attrs_req *req,
		  struct attrs_outcome *out);

/* Dies if a page does not show what it should, or an invariant is broken. */
void attrs_vm_compare(struct attrs_vm *vm, const struct attrs_model *model);

void attrs_model_init(struct attrs_model *model,
		      const struct attrs_config *config);
void attrs_model_run(struct attrs_model *model, const struct attrs_req *req,
		     struct attrs_outcome *out);

/* Whether same() refuses, which the model knows, too. */
static inline bool attrs_refuses(enum attrs_same same, u64 addr,
				 unsigned int tag)
{
	return same == SAME_REFUSES_SOME && (addr ^ addr >> 12 ^ tag) & 1;
}

/* Has the model do what the VM did, and dies if they differ. */
void attrs_check(struct attrs_vm *vm, struct attrs_model *model,
		 const struct attrs_req *req, struct attrs_outcome *out);

/* Runs a request on both. */
void attrs_try(struct attrs_vm *vm, struct attrs_model *model,
	       const struct attrs_req *req, struct attrs_outcome *out);

#endif
