// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What callers must not do: what is refused without a word.
 */
#include "rules.h"

void null_is_fine(struct fixture *f, bool right)
{
	struct drm_gpuva_op_unmap unmap = { .va = &f->va };
	struct drm_gpuva_op_remap remap = { .unmap = &unmap };
	u64 start, range;

	drm_gpuva_op_remap_to_unmap_range(&remap, NULL, NULL);
	drm_gpuva_op_remap_to_unmap_range(&remap, &start, NULL);
	drm_gpuva_op_remap_to_unmap_range(&remap, NULL, &range);
	EXPECT(f, start == f->va.va.addr && range == f->va.va.range);

	EXPECT(f, !drm_gpuvm_is_extobj(&f->vm, NULL));
	drm_gpuvm_put(NULL);
	EXPECT(f, !drm_gpuvm_bo_put(NULL));
	EXPECT(f, !drm_gpuvm_bo_put_deferred(NULL));
	drm_gpuvm_bo_deferred_cleanup(&f->vm);
	EXPECT(f, f->vm.name[0]);
}

void invalidated_and_back(struct fixture *f, bool right)
{
	f->va.flags = DRM_GPUVA_USERBITS;
	EXPECT(f, !drm_gpuva_invalidated(&f->va));
	drm_gpuva_invalidate(&f->va, true);
	EXPECT(f, drm_gpuva_invalidated(&f->va));
	drm_gpuva_invalidate(&f->va, false);
	EXPECT(f, !drm_gpuva_invalidated(&f->va));
	EXPECT(f, f->va.flags == DRM_GPUVA_USERBITS);
}

void missing_callbacks(struct fixture *f, bool right)
{
	struct drm_gpuvm_map_req req = { .map.va.range = 4 };
	const struct drm_gpuvm_ops all = f->ops;

	EXPECT(f, !drm_gpuvm_sm_map(&f->vm, f, &req) && f->steps == 1);
	f->ops.sm_step_map = NULL;
	EXPECT(f, drm_gpuvm_sm_map(&f->vm, f, &req) == -EINVAL);
	EXPECT(f, !drm_gpuvm_sm_unmap(&f->vm, f, 0, 4));
	f->ops = all;
	f->ops.sm_step_remap = NULL;
	EXPECT(f, drm_gpuvm_sm_map(&f->vm, f, &req) == -EINVAL);
	EXPECT(f, drm_gpuvm_sm_unmap(&f->vm, f, 0, 4) == -EINVAL);
	f->ops = all;
	f->ops.sm_step_unmap = NULL;
	EXPECT(f, drm_gpuvm_sm_map(&f->vm, f, &req) == -EINVAL);
	EXPECT(f, drm_gpuvm_sm_unmap(&f->vm, f, 0, 4) == -EINVAL);
	f->vm.ops = NULL;
	EXPECT(f, drm_gpuvm_sm_map(&f->vm, f, &req) == -EINVAL);
	EXPECT(f, drm_gpuvm_sm_unmap(&f->vm, f, 0, 4) == -EINVAL);
	EXPECT(f, drm_gpuvm_validate(&f->vm, NULL) == -EOPNOTSUPP);
	f->vm.ops = &f->ops;
	EXPECT(f, drm_gpuvm_validate(&f->vm, NULL) == -EOPNOTSUPP);
	EXPECT(f, f->steps == 1);
}

/* Op lists and vm_bos do without any. */
void no_callbacks(struct fixture *f, bool right)
{
	struct drm_gpuvm_map_req req = { .map.va.addr = 3, .map.va.range = 2 };
	struct drm_gpuva_ops *ops;
	struct drm_gpuva_op *first;

	f->vm.ops = NULL;
	drm_gpuva_insert(&f->vm, &f->va);
	ops = drm_gpuvm_sm_map_ops_create(&f->vm, &req);
	EXPECT(f, !IS_ERR(ops));
	first = drm_gpuva_first_op(ops);
	EXPECT(f, first->op == DRM_GPUVA_OP_REMAP);
	EXPECT(f, drm_gpuva_next_op(first) == drm_gpuva_last_op(ops));
	drm_gpuva_ops_free(&f->vm, ops);
	rule_put(f, rule_obtain(f));
	drm_gpuva_remove(&f->va);
	f->vm.ops = &f->ops;
}

void refused_layouts(struct fixture *f, bool right)
{
	struct drm_gpuvm_ops none = { };
	struct drm_gpuvm vm = { };

#define TRY(start, range, reserve, reserve_range, ops)			\
	drm_gpuvm_try_init(&vm, "test", 0, &f->drm, &f->r_obj, start,	\
			   range, reserve, reserve_range, ops)
	EXPECT(f, TRY(0, 0, 0, 0, &f->ops) == -EINVAL);
	EXPECT(f, TRY(2, U64_MAX, 0, 0, &f->ops) == -EINVAL);
	EXPECT(f, TRY(4, 8, 3, 1, &f->ops) == -EINVAL);
	EXPECT(f, TRY(4, 8, 11, 2, &f->ops) == -EINVAL);
	EXPECT(f, TRY(4, 8, 8, U64_MAX, &f->ops) == -EINVAL);
	EXPECT(f, TRY(4, 8, 0, 0, NULL) == -EINVAL);
	EXPECT(f, TRY(4, 8, 0, 0, &none) == -EINVAL);
#undef TRY
	none.vm_free = rule_free_nothing;
	EXPECT(f, !vm.drm && kref_read(&f->r_obj.refcount) == 2);

	drm_gpuvm_init(&vm, "test", 0, &f->drm, &f->r_obj, 4, 8, 3, 1, &none);
	EXPECT(f, shim.errors == 1);
	EXPECT(f, !drm_gpuvm_range_valid(&vm, 4, 1));
	EXPECT(f, !drm_gpuvm_range_valid(&vm, 0, 1));
	EXPECT(f, drm_gpuva_insert(&vm, &f->va) == -EINVAL);
	EXPECT(f, !drm_gpuva_find_first(&vm, 0, U64_MAX));
	shim.errors = 0;
	drm_gpuvm_put(&vm);
	EXPECT(f, kref_read(&f->r_obj.refcount) == 2);
}

static int remap(struct fixture *f, struct drm_gpuva *prev,
		 struct drm_gpuva *next, const struct drm_gpuva_op_map *p,
		 const struct drm_gpuva_op_map *n)
{
	struct drm_gpuva_op_unmap unmap = { .va = &f->va };
	struct drm_gpuva_op_map prev_part, next_part;
	struct drm_gpuva_op_remap op = { .unmap = &unmap };

	if (p) {
		prev_part = *p;
		op.prev = &prev_part;
	}
	if (n) {
		next_part = *n;
		op.next = &next_part;
	}

	return drm_gpuva_remap(prev, next, &op);
}

void refused_remaps(struct fixture *f, bool right)
{
	const struct drm_gpuva_op_map p = { .va = { 2, 1 } }, n = { .va = { 6, 2 } };
	const struct drm_gpuva_op_map whole_p = { .va = { 2, 4 } };
	const struct drm_gpuva_op_map long_p = { .va = { 2, 5 } };
	const struct drm_gpuva_op_map below = { .va = { 1, 2 } };
	const struct drm_gpuva_op_map above = { .va = { 7, 2 } };
	const struct drm_gpuva_op_map empty = { .va = { 4, 0 } };
	const struct drm_gpuva_op_map wraps = { .va = { 4, U64_MAX } };
	struct drm_gpuva_op_unmap reserved = { .va = &f->vm.kernel_alloc_node };
	struct drm_gpuva_op_remap op = { .unmap = &reserved };
	struct drm_gpuva next = { };

	EXPECT(f, remap(f, &f->other, NULL, &p, NULL) == -EINVAL);
	drm_gpuva_insert(&f->vm, &f->va);
	EXPECT(f, remap(f, NULL, NULL, &p, NULL) == -EINVAL);
	EXPECT(f, remap(f, NULL, NULL, NULL, &n) == -EINVAL);
	EXPECT(f, remap(f, &f->other, NULL, &below, NULL) == -EINVAL);
	EXPECT(f, remap(f, NULL, &f->other, NULL, &above) == -EINVAL);
	EXPECT(f, remap(f, &f->other, NULL, &empty, NULL) == -EINVAL);
	EXPECT(f, remap(f, NULL, &f->other, NULL, &wraps) == -EINVAL);
	EXPECT(f, remap(f, &f->other, &f->other, &p, &n) == -EINVAL);
	EXPECT(f, remap(f, &f->other, &next, &n, &p) == -EINVAL);
	EXPECT(f, remap(f, &f->other, &next, &n, &n) == -EINVAL);
	EXPECT(f, remap(f, &f->other, &next, &long_p, &n) == -EINVAL);
	EXPECT(f, drm_gpuva_remap(NULL, NULL, &op) == -EINVAL);
	EXPECT(f, drm_gpuva_find(&f->vm, 2, 6) == &f->va);
	EXPECT(f, !f->other.vm && !next.vm && f->vm.rb.count == 1);

	EXPECT(f, !remap(f, &f->other, &next, &p, &n));
	EXPECT(f, drm_gpuva_find(&f->vm, 2, 1) == &f->other);
	EXPECT(f, drm_gpuva_find(&f->vm, 6, 2) == &next);
	EXPECT(f, f->vm.rb.count == 2);
	drm_gpuva_remove(&f->other);
	drm_gpuva_remove(&next);

	/* Nothing need go between the two. */
	drm_gpuva_insert(&f->vm, &f->va);
	EXPECT(f, !remap(f, &f->va, &next, &whole_p, &n));
	EXPECT(f, drm_gpuva_find(&f->vm, 2, 4) == &f->va);
	drm_gpuva_remove(&f->va);
	drm_gpuva_remove(&next);
	f->va.va.range = 6;

	drm_gpuva_insert(&f->vm, &f->va);
	EXPECT(f, !remap(f, NULL, NULL, NULL, NULL) && !f->vm.rb.count);
}

/* Every argument once; and the pointer is NULL behind a walk that ended. */
void macro_arguments(struct fixture *f, bool right)
{
	struct drm_gpuvm *vm[2] = { &f->vm, NULL };
	u64 bounds[] = { 0, 16, 99 };
	unsigned int v = 0, start = 0, end = 1, nr = 0;
	struct drm_gpuva *va, *next;

	drm_gpuva_insert(&f->vm, &f->va);
	drm_gpuva_insert(&f->vm, &f->other);

	drm_gpuvm_for_each_va_range(va, vm[v++], bounds[start++],
				    bounds[end++])
		nr++;
	EXPECT(f, nr == 3 && v == 1 && start == 1 && end == 2 && !va);

	nr = 0;
	v = 0;
	start = 0;
	end = 1;
	drm_gpuvm_for_each_mapping_range_safe(va, next, vm[v++], bounds[start++],
					      bounds[end++]) {
		drm_gpuva_remove(va);
		nr++;
	}
	EXPECT(f, nr == 2 && v == 1 && start == 1 && end == 2 && !va);

	/* These are documented not to be so. */
	drm_gpuvm_for_each_va(va, &f->vm)
		EXPECT(f, va == &f->vm.kernel_alloc_node);
	v = 0;
	drm_gpuvm_for_each_mapping(va, vm[v++])
		EXPECT(f, false);
	EXPECT(f, v == 1);
}
