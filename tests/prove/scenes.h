/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What scenes are made of: a driver's locks around each call, as the rules of the
 * VM's mode ask for them, and no more.
 */
#ifndef __SCENES_H__
#define __SCENES_H__

#include <drm/drm_gpuvm.h>

#include "sched.h"
#include "threads.h"

#define PROTECTED	DRM_GPUVM_RESV_PROTECTED
#define IMMEDIATE	DRM_GPUVM_IMMEDIATE_MODE

#define AUTO		DRM_GPUVM_AUTO_CLEANUP

/* Modes are bits of a mask, too. */
#define ANY_MODE	0xf
#define STAGED_ONLY	(BIT(0) | BIT(PROTECTED))
#define IMMEDIATE_ONLY	(BIT(IMMEDIATE) | BIT(IMMEDIATE | PROTECTED))

struct scene_vm {
	struct drm_gpuvm base;

	/* The driver's, on the mappings. */
	struct rwlock lock;
};

/* Two external objects, and one that shares the resv of the first VM. */
enum { A, B, LOCAL, NR_OBJS };

#define NR_VAS		4

/* Whoever takes a thing out of here sets it to NULL; the rest goes at the end. */
struct stage {
	struct drm_device drm;
	struct drm_gem_object *r_obj[2], *obj[NR_OBJS];
	struct scene_vm *vm[2];
	struct drm_gpuvm_bo *bo[2][NR_OBJS];
	struct drm_gpuvm_bo *kept[2];
	struct drm_gpuva *va[NR_VAS];
	unsigned int external[2][NR_OBJS];
	struct dma_fence fence;
	unsigned int freed_vms, validated;
};

struct scene {
	const char *name;
	unsigned int modes;
	sched_part prepare, thread[SCHED_THREADS - 1];

	/* What has to be so at the end, beyond what always has. */
	sched_part check;

	/* Flags of the VMs beyond the mode. */
	unsigned int flags;
};

extern struct stage *stage;
extern unsigned int mode;

/* The flags of the scene's VMs, the mode among them. */
extern unsigned int vm_flags;

void stage_set(void);
void stage_clear(void);

#define CHECK(cond) ((cond) ? (void)0 : sched_fail("not so: %s", #cond))

static inline bool immediate(void)
{
	return mode & IMMEDIATE;
}

static inline bool automatic(void)
{
	return vm_flags & DRM_GPUVM_AUTO_CLEANUP;
}

static inline bool protected(void)
{
	return mode & PROTECTED;
}

struct drm_gpuvm *vm_of(unsigned int vm);
struct drm_gpuvm_bo *obtain(unsigned int vm, unsigned int obj);
void put_bo(struct drm_gpuvm_bo *vm_bo);
void cleanup(unsigned int vm);
void lock_obj(unsigned int obj);
void unlock_obj(unsigned int obj);
void add_extobj(unsigned int vm, unsigned int obj, struct drm_gpuvm_bo *vm_bo);
void evict_obj(unsigned int obj, bool evict);
void map_va(unsigned int nr, unsigned int vm, unsigned int obj);
void link_va(unsigned int nr, struct drm_gpuvm_bo *vm_bo, unsigned int obj);
void insert_va(unsigned int nr, unsigned int vm, unsigned int obj);
void unlink_va(unsigned int nr);
void remove_va(unsigned int nr);
void submit(unsigned int vm);

/* Takes what the stage has. */
void put_staged(unsigned int vm, unsigned int obj);

extern const struct scene scenes[];
extern const unsigned int nr_scenes;

#endif
