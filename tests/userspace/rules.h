/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What the parts of test_rules share, and the rules, which its table names.
 */

#ifndef RULES_H
#define RULES_H

#include <drm/drm_drv.h>
#include <drm/drm_exec.h>
#include <drm/drm_gpuvm.h>

#include "shim.h"

#define PROTECTED	DRM_GPUVM_RESV_PROTECTED
#define IMMEDIATE	DRM_GPUVM_IMMEDIATE_MODE

/* A VM of 16 pages, of which the last is reserved, and two objects. */
struct fixture {
	struct drm_gpuvm vm;
	struct drm_gpuvm_ops ops;
	struct drm_device drm;
	struct drm_gem_object r_obj, local, external;
	struct drm_gpuva va, other;
	unsigned int vms_freed;
	unsigned int steps;
	bool wrong;

	/* @left: a vm_bo that outlives its VM, which was put too often */
	struct drm_gpuvm_bo *left;
};

#define EXPECT(f, cond) rule_expect(f, cond, #cond)

/* rules.c: what they begin with */
void rule_expect(struct fixture *f, bool cond, const char *what);
void rule_vm_free(struct drm_gpuvm *gpuvm);
void rule_obj_init(struct fixture *f, struct drm_gem_object *obj,
		   struct dma_resv *resv);
void rule_setup(struct fixture *f, unsigned int flags);
void rule_lock(struct drm_gem_object *obj);
void rule_unlock(struct drm_gem_object *obj);
struct drm_gpuvm_bo *rule_obtain(struct fixture *f);
void rule_put(struct fixture *f, struct drm_gpuvm_bo *vm_bo);
int rule_validate_nothing(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec);
void rule_free_nothing(struct drm_gpuvm *gpuvm);

/* rules_locks.c: locks and modes */
void link_unlocked(struct fixture *f, bool locked);
void unlink_unlocked(struct fixture *f, bool locked);
void link_without_mutex(struct fixture *f, bool locked);
void find_unlocked(struct fixture *f, bool locked);
void put_unlocked(struct fixture *f, bool locked);
void put_under_spinlock(struct fixture *f, bool right);
void put_without_vm_resv(struct fixture *f, bool locked);
void evict_unlocked(struct fixture *f, bool locked);
void gem_evict_without_mutex(struct fixture *f, bool locked);
void extobj_add_unlocked(struct fixture *f, bool locked);
void validate_unlocked(struct fixture *f, bool locked);
void prepare_objects_unlocked(struct fixture *f, bool locked);
void validate_extobj_unlocked(struct fixture *f, bool locked);
void add_fence_unlocked(struct fixture *f, bool locked);
void bo_unmap_unlocked(struct fixture *f, bool locked);
void cleanup_in_signalling(struct fixture *f, bool right);
void list_in_signalling(struct fixture *f, bool right);
void obtain_in_wrong_mode(struct fixture *f, bool right);
void prealloc_in_wrong_mode(struct fixture *f, bool right);
void defer_in_wrong_mode(struct fixture *f, bool right);
void unlink_defer_in_wrong_mode(struct fixture *f, bool right);
void link_to_wrong_object(struct fixture *f, bool right);

/* rules_walks.c: walks */
void second_walk(struct fixture *f, bool right);
void contended_after_none(struct fixture *f, bool right);
void signal_after_contention(struct fixture *f, bool right);
void walk_under_way(struct fixture *f, bool right);
void validate_what_is_locked(struct fixture *f, bool right);
void walk_over_zombie(struct fixture *f, bool right);
void validate_zombie(struct fixture *f, bool right);
void put_in_validate(struct fixture *f, bool right);

/* rules_life.c: life cycles */
void put_too_often(struct fixture *f, bool right);
void put_with_extobj(struct fixture *f, bool right);
void put_with_evicted(struct fixture *f, bool right);
void put_with_deferred(struct fixture *f, bool right);
void no_vm_free(struct fixture *f, bool right);
void no_ops(struct fixture *f, bool right);
void two_vms(struct fixture *f, bool right);
void never_obtained(struct fixture *f, bool right);
void many_objects(struct fixture *f, bool right);
void remove_reserved(struct fixture *f, bool right);
void remove_uninserted(struct fixture *f, bool right);
void remove_remapped(struct fixture *f, bool right);

/* rules_refused.c: what is refused */
void null_is_fine(struct fixture *f, bool right);
void invalidated_and_back(struct fixture *f, bool right);
void missing_callbacks(struct fixture *f, bool right);
void no_callbacks(struct fixture *f, bool right);
void refused_layouts(struct fixture *f, bool right);
void refused_remaps(struct fixture *f, bool right);
void macro_arguments(struct fixture *f, bool right);

#endif /* RULES_H */
