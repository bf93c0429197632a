// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Scenes of two and three threads. Each thread does what a driver may do in the
 * VM's mode; which is first, and how far it gets, is the scheduler's.
 */
#include <linux/err.h>
#include <linux/slab.h>

#include "scenes.h"

/* ---- Parts ------------------------------------------------------------- */

static void obtain_and_put(unsigned int vm, unsigned int obj)
{
	put_bo(obtain(vm, obj));
}

static void obtain_a(void) { obtain_and_put(0, A); }
static void obtain_b(void) { obtain_and_put(0, B); }
static void obtain_local(void) { obtain_and_put(0, LOCAL); }
static void obtain_a_elsewhere(void) { obtain_and_put(1, A); }
static void put_a(void) { put_staged(0, A); }
static void put_b(void) { put_staged(0, B); }
static void cleanup_0(void) { cleanup(0); }
static void evict_a(void) { evict_obj(A, true); }
static void evict_local(void) { evict_obj(LOCAL, true); }
static void submit_0(void) { submit(0); }
static void submit_1(void) { submit(1); }
static void unlink_0(void) { unlink_va(0); }
static void unlink_1(void) { unlink_va(1); }

static void obtain_first(void) { stage->kept[0] = obtain(0, A); }
static void obtain_second(void) { stage->kept[1] = obtain(0, A); }

static void same_was_obtained(void)
{
	CHECK(stage->kept[0] == stage->kept[1]);
	put_bo(stage->kept[0]);
	put_bo(stage->kept[1]);
}

static void unlink_and_cleanup(void)
{
	unlink_va(0);
	cleanup(0);
}

static void evict_and_back(void)
{
	evict_obj(A, true);
	evict_obj(A, false);
}

static void find_a(void)
{
	struct drm_gpuvm_bo *vm_bo;

	lock_obj(A);
	vm_bo = drm_gpuvm_bo_find(vm_of(0), stage->obj[A]);
	unlock_obj(A);
	if (vm_bo)
		put_bo(vm_bo);
}

static void have_a(void)
{
	stage->bo[0][A] = obtain(0, A);
}

/* So that it is not the first on the object's list. */
static void have_a_elsewhere(void)
{
	stage->bo[1][A] = obtain(1, A);
}

static void have_a_and_b(void)
{
	have_a();
	stage->bo[0][B] = obtain(0, B);
}

static void have_external(unsigned int vm, unsigned int obj)
{
	stage->bo[vm][obj] = obtain(vm, obj);
	add_extobj(vm, obj, stage->bo[vm][obj]);
}

static void have_external_a(void)
{
	have_external(0, A);
}

static void add_external(unsigned int obj)
{
	have_external(0, obj);
	stage->external[0][obj] = true;
}

static void add_same(void)
{
	add_extobj(0, A, stage->bo[0][A]);
}

static void add_a(void) { add_external(A); }
static void add_b(void) { add_external(B); }

static void add_a_and_evict(void)
{
	add_a();
	evict_a();
}

static void have_mapping(void)
{
	map_va(0, 0, A);
}

static void have_two_mappings(void)
{
	map_va(0, 0, A);
	map_va(1, 0, A);
}

static void have_external_mapping(void)
{
	have_external(0, A);
	map_va(0, 0, A);
	put_staged(0, A);
}

static void have_evicted_mapping(void)
{
	have_external_mapping();
	evict_obj(A, true);
}

static void link_another(void)
{
	struct drm_gpuvm_bo *vm_bo = obtain(0, A);

	link_va(1, vm_bo, A);
	put_bo(vm_bo);
}

static void have_one_to_link(void)
{
	have_mapping();
	insert_va(1, 0, A);
}

/* ---- Jobs -------------------------------------------------------------- */

static void have_local_and_external(void)
{
	have_external(0, A);
	stage->bo[0][LOCAL] = obtain(0, LOCAL);
}

/* In the other order there, so that each waits for what the other has. */
static void have_two_vms(void)
{
	have_external(0, A);
	have_external(0, B);
	have_external(1, B);
	have_external(1, A);
}

static void two_jobs(void)
{
	submit(0);
	submit(0);
}

static void lock_range(void)
{
	struct drm_gpuvm_exec exec = {
		.vm = vm_of(0),
		.flags = DRM_EXEC_IGNORE_DUPLICATES,
		.num_fences = 1,
	};

	read_lock(&stage->vm[0]->lock);
	CHECK(!drm_gpuvm_exec_lock_range(&exec, 0, 32));
	dma_resv_assert_held(stage->obj[A]->resv);
	drm_gpuvm_exec_resv_add_fence(&exec, &stage->fence, DMA_RESV_USAGE_BOOKKEEP,
				      DMA_RESV_USAGE_WRITE);
	drm_gpuvm_exec_unlock(&exec);
	read_unlock(&stage->vm[0]->lock);
}

static void have_mappings_to_lock(void)
{
	have_external(0, A);
	have_external(0, B);
	map_va(0, 0, B);
	map_va(1, 0, A);
}

static void lock_array(void)
{
	struct drm_gem_object *objs[] = { stage->obj[B], stage->obj[A] };
	struct drm_gpuvm_exec exec = {
		.vm = vm_of(0),
		.flags = DRM_EXEC_IGNORE_DUPLICATES,
		.num_fences = 1,
	};

	CHECK(!drm_gpuvm_exec_lock_array(&exec, objs, 2));
	drm_gpuvm_exec_resv_add_fence(&exec, &stage->fence, DMA_RESV_USAGE_BOOKKEEP,
				      DMA_RESV_USAGE_WRITE);
	drm_gpuvm_exec_unlock(&exec);
}

/* ---- Last references --------------------------------------------------- */

/* The vm_bo has one on the VM, and who drops it another one to clean up by. */
static void have_a_and_get_vm(void)
{
	have_a();
	drm_gpuvm_get(vm_of(0));
}

static void put_vm(void)
{
	drm_gpuvm_put(vm_of(0));
}

static void put_a_and_vm(void)
{
	put_a();
	cleanup(0);
	put_vm();
}

/* Only the vm_bos have references on the VM then. */
static void have_a_without_vm(void)
{
	have_a();
	put_vm();
}

static void have_a_b_without_vm(void)
{
	have_a_and_b();
	put_vm();
}

static void vm_is_gone(void)
{
	CHECK(stage->freed_vms == 1);
	stage->vm[0] = NULL;
}

static void put_obj_a(void)
{
	drm_gem_object_put(stage->obj[A]);
}

static void put_a_and_cleanup(void)
{
	put_a();
	cleanup(0);
}

static void put_a_and_obj(void)
{
	put_a_and_cleanup();
	put_obj_a();
}

/* All that was put before is gone then. */
static void put_a_and_flush(void)
{
	put_a();
	cleanup(0);
	CHECK(kref_read(&stage->obj[A]->refcount) == 1);
}

static void flush_all(void)
{
	drm_gpuvm_flush_cleanup(NULL);
}

static void obj_is_gone(void)
{
	stage->obj[A] = NULL;
}

/* ---- Readers ----------------------------------------------------------- */

static void have_three_mappings(void)
{
	map_va(0, 0, A);
	map_va(1, 0, B);
	map_va(2, 0, A);
}

static unsigned int count_ops(struct drm_gpuva_ops *ops)
{
	struct drm_gpuva_op *op;
	unsigned int n = 0;

	drm_gpuva_for_each_op(op, ops)
		n++;
	drm_gpuva_ops_free(vm_of(0), ops);

	return n;
}

static void read_map(unsigned int addr, unsigned int range, unsigned int steps)
{
	struct drm_gpuvm_map_req req = {
		.map.va.addr = addr,
		.map.va.range = range,
	};
	unsigned int n;

	read_lock(&stage->vm[0]->lock);
	n = count_ops(drm_gpuvm_sm_map_ops_create(vm_of(0), &req));
	CHECK(n == steps || n + 1 == steps);
	read_unlock(&stage->vm[0]->lock);
}

/* Twice, since the first time sets the cursor. */
static void read_low(void)
{
	read_map(0, 12, 3);
	read_map(0, 12, 3);
}

static void read_high(void)
{
	read_map(12, 12, 3);
	read_map(12, 12, 3);
}

static void read_prefetch(void)
{
	read_lock(&stage->vm[0]->lock);
	count_ops(drm_gpuvm_prefetch_ops_create(vm_of(0), 4, 8));
	read_unlock(&stage->vm[0]->lock);
}

static void write_away(void)
{
	unlink_va(1);
	remove_va(1);
}

static void list_mappings(void)
{
	struct drm_gpuva_ops *ops = NULL;
	struct drm_gpuvm_bo *vm_bo;

	lock_obj(A);
	vm_bo = drm_gpuvm_bo_find(vm_of(0), stage->obj[A]);
	if (vm_bo)
		ops = drm_gpuvm_bo_unmap_ops_create(vm_bo);
	unlock_obj(A);
	if (ops)
		CHECK(count_ops(ops) < 3);
	if (vm_bo)
		put_bo(vm_bo);
}

/* ---- All --------------------------------------------------------------- */

const struct scene scenes[] = {
	{ "obtain", ANY_MODE, NULL, { obtain_a, obtain_a } },
	{ "obtain-keep", ANY_MODE, NULL, { obtain_first, obtain_second }, same_was_obtained },
	{ "obtain-3", ANY_MODE, NULL, { obtain_a, obtain_a, obtain_a } },
	{ "obtain-put", ANY_MODE, have_a, { put_a, obtain_a } },
	{ "obtain-put-cleanup", IMMEDIATE_ONLY, have_a, { put_a, obtain_a, cleanup_0 } },
	{ "obtain-unlink", ANY_MODE, have_mapping, { unlink_0, obtain_a } },
	{ "obtain-unlink-cleanup", IMMEDIATE_ONLY, have_mapping,
	  { unlink_and_cleanup, obtain_a, cleanup_0 } },
	{ "obtain-objects", ANY_MODE, NULL, { obtain_a, obtain_b } },
	{ "obtain-objects-3", ANY_MODE, NULL, { obtain_a, obtain_b, obtain_local } },
	{ "obtain-search", ANY_MODE, have_a_elsewhere, { obtain_a, obtain_b } },
	{ "obtain-vms", ANY_MODE, NULL, { obtain_a, obtain_a_elsewhere } },
	{ "obtain-vms-evict", ANY_MODE, NULL, { obtain_a, obtain_a_elsewhere, evict_a } },
	{ "find-put", ANY_MODE, have_a, { put_a, find_a } },
	{ "find-put-cleanup", IMMEDIATE_ONLY, have_a, { put_a_and_cleanup, find_a, find_a } },
	{ "link-unlink", ANY_MODE, have_one_to_link, { link_another, unlink_0 } },
	{ "unlink-unlink", ANY_MODE, have_two_mappings, { unlink_0, unlink_1 } },
	{ "unlink-unlink-cleanup", IMMEDIATE_ONLY, have_two_mappings,
	  { unlink_0, unlink_1, cleanup_0 } },
	{ "put-put-cleanup", IMMEDIATE_ONLY, have_a_and_b, { put_a, put_b, cleanup_0 } },
	{ "cleanup-cleanup", IMMEDIATE_ONLY, have_a_and_b,
	  { put_a_and_cleanup, put_b, cleanup_0 } },
	{ "evict-obtain", ANY_MODE, NULL, { evict_a, obtain_a } },
	{ "evict-put", ANY_MODE, have_external_a, { evict_a, put_a } },
	{ "evict-put-cleanup", IMMEDIATE_ONLY, have_external_a, { evict_a, put_a, cleanup_0 } },
	{ "evict-evict", ANY_MODE, have_local_and_external, { evict_and_back, evict_local } },
	{ "validate-evict", ANY_MODE, have_external_a, { submit_0, evict_a } },
	{ "validate-evict-3", ANY_MODE, have_local_and_external,
	  { submit_0, evict_and_back, evict_local } },
	{ "validate-unlink", ANY_MODE, have_evicted_mapping, { submit_0, unlink_0 } },
	{ "validate-unlink-cleanup", IMMEDIATE_ONLY, have_evicted_mapping,
	  { submit_0, unlink_and_cleanup } },
	{ "validate-validate", ANY_MODE, have_evicted_mapping, { submit_0, submit_0, evict_a } },
	{ "extobj-exec", ANY_MODE, NULL, { submit_0, add_a } },
	{ "extobj-evict", ANY_MODE, NULL, { submit_0, add_a_and_evict } },
	{ "extobj-exec-3", ANY_MODE, NULL, { submit_0, add_a, add_b } },
	{ "extobj-extobj", ANY_MODE, NULL, { add_a, add_b } },
	{ "extobj-same", ANY_MODE, have_a, { add_same, add_same } },
	{ "exec-put", ANY_MODE, have_external_a, { submit_0, put_a } },
	{ "exec-put-cleanup", IMMEDIATE_ONLY, have_external_a, { submit_0, put_a_and_cleanup } },
	{ "exec-vms", ANY_MODE, have_two_vms, { submit_0, submit_1 } },
	{ "exec-vms-evict", ANY_MODE, have_two_vms, { submit_0, submit_1, evict_a } },
	{ "exec-exec", ANY_MODE, have_external_a, { two_jobs, submit_0 } },
	{ "exec-array", ANY_MODE, have_two_vms, { lock_array, submit_1 } },
	{ "exec-range", STAGED_ONLY, have_mappings_to_lock, { lock_range, submit_0 } },
	{ "exec-range-evict", STAGED_ONLY, have_mappings_to_lock,
	  { lock_range, submit_0, evict_a } },
	{ "last-vm", ANY_MODE, have_a_and_get_vm, { put_a_and_vm, put_vm }, vm_is_gone },
	{ "last-vm-evict", ANY_MODE, have_a_and_get_vm, { put_a_and_vm, put_vm, evict_a },
	  vm_is_gone },
	{ "last-vm-bo", STAGED_ONLY, have_a, { put_a, put_vm }, vm_is_gone },
	{ "last-obj", ANY_MODE, have_a, { put_a_and_cleanup, put_obj_a }, obj_is_gone },
	{ "last-obj-cleanup", IMMEDIATE_ONLY, have_a, { put_a, put_obj_a, cleanup_0 },
	  obj_is_gone },
	{ "last-obj-job", ANY_MODE, have_external_a, { submit_0, put_a_and_obj }, obj_is_gone },
	{ "last-obj-unlink", IMMEDIATE_ONLY, have_mapping, { unlink_0, put_obj_a, cleanup_0 },
	  obj_is_gone },
	{ "readers", ANY_MODE, have_three_mappings, { read_low, read_high } },
	{ "readers-3", ANY_MODE, have_three_mappings, { read_low, read_high, read_prefetch } },
	{ "readers-writer", ANY_MODE, have_three_mappings, { read_low, read_high, write_away } },
	{ "auto-put", IMMEDIATE_ONLY, have_a, { put_a, worker }, .flags = AUTO },
	{ "auto-put-put", IMMEDIATE_ONLY, have_a_and_b, { put_a, put_b, worker }, .flags = AUTO },
	{ "auto-put-obtain", IMMEDIATE_ONLY, have_a, { put_a, obtain_a, worker }, .flags = AUTO },
	{ "auto-unlink", IMMEDIATE_ONLY, have_two_mappings, { unlink_0, unlink_1, worker },
	  .flags = AUTO },
	{ "auto-validate", IMMEDIATE_ONLY, have_evicted_mapping, { submit_0, unlink_0, worker },
	  .flags = AUTO },
	{ "auto-flush", IMMEDIATE_ONLY, have_a, { put_a_and_flush, worker }, .flags = AUTO },
	{ "auto-flush-put", IMMEDIATE_ONLY, have_a_and_b, { put_a_and_flush, put_b, worker },
	  .flags = AUTO },
	{ "auto-last-vm", IMMEDIATE_ONLY, have_a, { put_a, put_vm, worker }, vm_is_gone, AUTO },
	{ "auto-last-vm-two", IMMEDIATE_ONLY, have_a_b_without_vm, { put_a, put_b, worker },
	  vm_is_gone, AUTO },
	{ "auto-last-vm-flush", IMMEDIATE_ONLY, have_a_without_vm, { put_a, flush_all, worker },
	  vm_is_gone, AUTO },
	{ "auto-last-obj", IMMEDIATE_ONLY, have_a, { put_a, put_obj_a, worker }, obj_is_gone,
	  AUTO },
	{ "list-unlink", ANY_MODE, have_two_mappings, { list_mappings, unlink_0, unlink_1 } },
};

const unsigned int nr_scenes = ARRAY_SIZE(scenes);
