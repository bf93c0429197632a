/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What the parts of a side share. They are linked to one object file per core,
 * of which nothing but its struct side can be seen.
 */
#ifndef __SIDE_DRIVER_H__
#define __SIDE_DRIVER_H__

#include <drm/drm_drv.h>
#include <drm/drm_exec.h>
#include <drm/drm_gpuvm.h>

#include "shim.h"
#include "side.h"

#ifdef SIDE_MAINLINE
#define SIDE_NAME	"mainline"
#define SIDE_SYMBOL	side_mainline
#else
#define SIDE_NAME	"ours"
#define SIDE_SYMBOL	side_ours
#endif

#define CHECK(cond) \
	((cond) ? (void)0 : die(SIDE_NAME ": %s: %s", __func__, #cond))

struct side_vm {
	struct drm_gpuvm base;
	struct drm_gpuvm_ops ops;
	struct drm_device drm;
	struct drm_gem_object *r_obj;
	struct drm_gem_object *objs[NR_OBJS];
	unsigned int freed_objs;
	bool freed;
	bool early_put;
};

/* What the callbacks need to know of the request they work for. */
struct step_ctx {
	struct side_vm *vm;
	const struct request *req;
	struct outcome *out;
	struct drm_gpuvm_bo *vm_bo;

	/* Nothing can be allocated once the VM is being changed. */
	struct drm_gpuva *spare[8];
	unsigned int nr_spare;

	/* What the last remap took away: madvise maps it again. */
	struct drm_gpuva cut;
};

static inline bool immediate(struct side_vm *vm)
{
	return drm_gpuvm_immediate_mode(&vm->base);
}

/* ---- side.c ------------------------------------------------------------ */

void side_check(struct side_vm *vm);

/* ---- side_steps.c ------------------------------------------------------ */

s64 obj_index(struct side_vm *vm, const struct drm_gem_object *obj);
struct record *note(struct outcome *out, enum record_kind kind);
struct part part_of_va(struct side_vm *vm, const struct drm_gpuva *va);
void note_va(struct side_vm *vm, struct outcome *out, const struct drm_gpuva *va);

void lock_objs(struct side_vm *vm);
void unlock_objs(struct side_vm *vm);
void link_va(struct side_vm *vm, struct drm_gpuva *va,
	     struct drm_gpuvm_bo *vm_bo);
void unlink_and_free(struct side_vm *vm, struct drm_gpuva *va);

int step(struct drm_gpuva_op *op, void *priv);
int step_ctx_init(struct step_ctx *ctx, struct side_vm *vm,
		  const struct request *req, struct outcome *out);
void step_ctx_fini(struct step_ctx *ctx);
struct drm_gpuva *take_spare(struct step_ctx *ctx);
void update_begin(struct side_vm *vm);
void update_end(struct side_vm *vm);

int run_change(struct side_vm *vm, const struct request *req,
	       struct outcome *out);

/* ---- side_tree.c ------------------------------------------------------- */

int run_insert(struct side_vm *vm, const struct request *req,
	       struct outcome *out);
int run_remove(struct side_vm *vm, const struct request *req,
	       struct outcome *out);
int run_clear(struct side_vm *vm, const struct request *req,
	      struct outcome *out);
int run_query(struct side_vm *vm, const struct request *req,
	      struct outcome *out);
int run_walk(struct side_vm *vm, const struct request *req,
	     struct outcome *out);
int run_misuse(struct side_vm *vm, const struct request *req,
	       struct outcome *out);

/* ---- side_exec.c ------------------------------------------------------- */

int validate(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec);
int run_lock(struct side_vm *vm, const struct request *req,
	     struct outcome *out);
int run_lock_request(struct side_vm *vm, const struct request *req,
		     struct outcome *out);
int run_evict(struct side_vm *vm, const struct request *req,
	      struct outcome *out);
int run_cleanup(struct side_vm *vm, const struct request *req,
		struct outcome *out);

#endif
