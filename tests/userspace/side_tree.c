// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * The calls of the core that look things up in the tree, walk it and change it.
 */
#include <stdlib.h>

#include "side_driver.h"

/* ---- Tree -------------------------------------------------------------- */

static int gpuva_map(struct drm_gpuvm *gpuvm, struct drm_gpuva *va,
		     const struct drm_gpuva_op_map *map)
{
#ifdef SIDE_MAINLINE
	drm_gpuva_map(gpuvm, va, map);
	return 0;
#else
	return drm_gpuva_map(gpuvm, va, map);
#endif
}

int run_insert(struct side_vm *vm, const struct request *req,
	       struct outcome *out)
{
	struct drm_gpuva_op_map map = {
		.va.addr = req->addr,
		.va.range = req->range,
		.gem.offset = req->offset,
		.gem.obj = req->obj == NO_OBJ ? NULL : vm->objs[req->obj],
	};
	struct step_ctx ctx;
	struct drm_gpuva *va;
	int ret;

	ret = step_ctx_init(&ctx, vm, req, out);
	if (ret)
		goto out;

	va = take_spare(&ctx);
	update_begin(vm);
	if (req->kind == REQ_INSERT) {
		drm_gpuva_init_from_op(va, &map);
		ret = drm_gpuva_insert(&vm->base, va);
	} else {
		ret = gpuva_map(&vm->base, va, &map);
	}
	/* Linux's drm_gpuva_map() does not say it; an inserted one has its VM. */
	if (!ret && va->vm)
		link_va(vm, va, ctx.vm_bo);
	else
		free(va);
	update_end(vm);
out:
	step_ctx_fini(&ctx);

	return ret;
}

int run_remove(struct side_vm *vm, const struct request *req,
	       struct outcome *out)
{
	struct drm_gpuva *va = drm_gpuva_find(&vm->base, req->addr, req->range);
	unsigned long splats = shim.splats;

	if (!va)
		return -ENOENT;

	note_va(vm, out, va);

	lock_objs(vm);
	update_begin(vm);
	shim.tolerate = va == &vm->base.kernel_alloc_node;
	drm_gpuva_remove(va);
	shim.tolerate = false;
	CHECK((va == &vm->base.kernel_alloc_node) == (shim.splats == splats + 1));
	if (va != &vm->base.kernel_alloc_node)
		unlink_and_free(vm, va);
	update_end(vm);
	unlock_objs(vm);

	return 0;
}

int run_clear(struct side_vm *vm, const struct request *req,
	      struct outcome *out)
{
	struct drm_gpuva *va, *next;

	lock_objs(vm);
	update_begin(vm);
	drm_gpuvm_for_each_va_range_safe(va, next, &vm->base, req->addr,
					 req->addr + req->range) {
		note_va(vm, out, va);
		if (va == &vm->base.kernel_alloc_node)
			continue;

		drm_gpuva_remove(va);
		unlink_and_free(vm, va);
	}
	update_end(vm);
	unlock_objs(vm);

	return 0;
}

int run_query(struct side_vm *vm, const struct request *req,
	      struct outcome *out)
{
	struct drm_gpuva *va = NULL;

	switch (req->kind) {
	case REQ_VALID:
		return drm_gpuvm_range_valid(&vm->base, req->addr, req->range);
	case REQ_EMPTY:
		return drm_gpuvm_interval_empty(&vm->base, req->addr, req->range);
	case REQ_FIND:
		va = drm_gpuva_find(&vm->base, req->addr, req->range);
		break;
	case REQ_FIND_FIRST:
		va = drm_gpuva_find_first(&vm->base, req->addr, req->range);
		break;
#ifndef SIDE_MAINLINE
	case REQ_FIND_PREV:
		va = drm_gpuva_find_prev(&vm->base, req->addr);
		break;
	case REQ_FIND_NEXT:
		va = drm_gpuva_find_next(&vm->base, req->addr);
		break;
#endif
	default:
		break;
	}
	if (va)
		note_va(vm, out, va);

	return 0;
}

#ifndef SIDE_MAINLINE
/* A safe walk tells its next step, or the reserved range if it will skip that. */
static void check_next(struct side_vm *vm, struct drm_gpuva **expected,
		       struct drm_gpuva *va, struct drm_gpuva *next)
{
	CHECK(*expected == va || *expected == &vm->base.kernel_alloc_node);
	*expected = next;
}
#endif

int run_walk(struct side_vm *vm, const struct request *req, struct outcome *out)
{
	u64 start = req->addr, end = req->addr + req->range;
	struct drm_gpuvm *gpuvm = &vm->base;
	struct drm_gpuva *va, *next, *expected __maybe_unused;

	switch (req->kind) {
	case REQ_WALK:
		drm_gpuvm_for_each_va_range(va, gpuvm, start, end)
			note_va(vm, out, va);
		break;
	case REQ_WALK_ALL:
		drm_gpuvm_for_each_va(va, gpuvm)
			note_va(vm, out, va);
		break;
	case REQ_WALK_ALL_SAFE:
		drm_gpuvm_for_each_va_safe(va, next, gpuvm)
			note_va(vm, out, va);
		break;
#ifdef SIDE_MAINLINE
	case REQ_WALK_SAFE:
		drm_gpuvm_for_each_va_range_safe(va, next, gpuvm, start, end)
			note_va(vm, out, va);
		break;
	/* What each of its users has to write. */
	case REQ_MAPPINGS:
	case REQ_MAPPINGS_SAFE:
		drm_gpuvm_for_each_va_range(va, gpuvm, start, end) {
			if (va != &gpuvm->kernel_alloc_node)
				note_va(vm, out, va);
		}
		break;
	default:
		drm_gpuvm_for_each_va(va, gpuvm) {
			if (va != &gpuvm->kernel_alloc_node)
				note_va(vm, out, va);
		}
		break;
#else
	case REQ_WALK_SAFE:
		expected = drm_gpuva_find_first(gpuvm, start, end - start);
		drm_gpuvm_for_each_va_range_safe(va, next, gpuvm, start, end) {
			note_va(vm, out, va);
			check_next(vm, &expected, va, next);
		}
		CHECK(!expected);
		break;
	case REQ_MAPPINGS:
		drm_gpuvm_for_each_mapping_range(va, gpuvm, start, end)
			note_va(vm, out, va);
		break;
	case REQ_MAPPINGS_SAFE:
		expected = drm_gpuva_find_first(gpuvm, start, end - start);
		drm_gpuvm_for_each_mapping_range_safe(va, next, gpuvm, start, end) {
			note_va(vm, out, va);
			check_next(vm, &expected, va, next);
		}
		check_next(vm, &expected, NULL, NULL);
		break;
	case REQ_MAPPINGS_ALL:
		drm_gpuvm_for_each_mapping(va, gpuvm)
			note_va(vm, out, va);
		break;
	default:
		drm_gpuvm_for_each_mapping_safe(va, next, gpuvm)
			note_va(vm, out, va);
		break;
#endif
	}

	return 0;
}

/* ---- Misuse ------------------------------------------------------------ */

static int gpuva_remap(struct drm_gpuva *prev, struct drm_gpuva *next,
		       const struct drm_gpuva_op_remap *op)
{
#ifdef SIDE_MAINLINE
	drm_gpuva_remap(prev, next, op);
	return 0;
#else
	return drm_gpuva_remap(prev, next, op);
#endif
}

static int misuse_remove(struct side_vm *vm, struct drm_gpuva *va)
{
	unsigned int refs = kref_read(&vm->base.kref);
	unsigned long splats = shim.splats;

	drm_gpuva_insert(&vm->base, va);
	drm_gpuva_remove(va);

	shim.tolerate = true;
	drm_gpuva_remove(va);
	shim.tolerate = false;

	return kref_read(&vm->base.kref) != refs || shim.splats != splats + 1;
}

static int misuse_unlink(struct side_vm *vm, struct drm_gpuva *va)
{
	va->gem.obj = vm->objs[1];
	drm_gpuva_insert(&vm->base, va);
	if (immediate(vm))
		drm_gpuva_unlink_defer(va);
	else
		drm_gpuva_unlink(va);
	drm_gpuva_remove(va);

	return 0;
}

static int misuse_remap(struct side_vm *vm, struct drm_gpuva *va, bool inserted)
{
	struct drm_gpuva_op_map map = {
		.va.addr = va->va.addr + inserted,
		.va.range = va->va.range,
	};
	struct drm_gpuva_op_unmap unmap = { .va = va };
	struct drm_gpuva_op_remap op = { .prev = &map, .unmap = &unmap };
	static struct drm_gpuva prev;
	int ret;

	if (inserted)
		drm_gpuva_insert(&vm->base, va);
	ret = gpuva_remap(&prev, NULL, &op);
	side_check(vm);
	if (ret != -EINVAL || prev.vm)
		return -1;
	if (inserted)
		drm_gpuva_remove(va);

	return 0;
}

int run_misuse(struct side_vm *vm, const struct request *req,
	       struct outcome *out)
{
	struct drm_gpuva *va = calloc(1, sizeof(*va));
	int ret;

	va->va.addr = req->addr;
	va->va.range = req->range;

	lock_objs(vm);
	if (req->kind == REQ_REMOVE_TWICE)
		ret = misuse_remove(vm, va);
	else if (req->kind == REQ_UNLINK_UNLINKED)
		ret = misuse_unlink(vm, va);
	else
		ret = misuse_remap(vm, va, req->kind == REQ_REMAP_OUTSIDE);
	unlock_objs(vm);
	free(va);

	return ret;
}
