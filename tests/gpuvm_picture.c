// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * The library behind the GPUVM suites: what is expected of a VM or of a request,
 * as a line of text: operations, pictures, snapshots, and a second opinion.
 */

#include <linux/hex.h>
#include <linux/slab.h>

#include "gpuvm_test.h"

/* ---- recorder ----------------------------------------------------------- */

struct gt_log *gt_log(struct kunit *test, u64 base)
{
	struct gt_log *log = kunit_kzalloc(test, sizeof(*log), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, log);
	log->base = base;

	return log;
}

void gt_log_reset(struct gt_log *log)
{
	log->n = 0;
	log->objs = 0;
}

/* One piece of a line: a range and what is mapped there. */
static int gt_print(struct gt_log *log, char *buf, size_t size, u64 addr,
		    u64 range, char obj, u64 offset)
{
	u64 first = addr - log->base;
	int n;

	if (obj >= 'a' && obj <= 'z')
		log->objs |= BIT(obj - 'a');

	if (IS_ALIGNED(first, GT_PAGE) && IS_ALIGNED(range, GT_PAGE))
		n = scnprintf(buf, size, "[%lld,%lld)", (s64)first >> GT_SHIFT,
			      (s64)(first + range) >> GT_SHIFT);
	else
		n = scnprintf(buf, size, "[0x%llx+0x%llx)", addr, range);

	if (IS_ALIGNED(offset, GT_PAGE))
		n += scnprintf(buf + n, size - n, " %c%llx", obj, offset >> GT_SHIFT);
	else
		n += scnprintf(buf + n, size - n, " %c:0x%llx", obj, offset);

	return n;
}

static int gt_print_va(struct gt_log *log, char *buf, size_t size,
		       const struct drm_gpuva *va)
{
	return gt_print(log, buf, size, va->va.addr, va->va.range,
			gt_obj_name(va->gem.obj), va->gem.offset);
}

static int gt_print_map(struct gt_log *log, char *buf, size_t size,
			const struct drm_gpuva_op_map *map)
{
	return gt_print(log, buf, size, map->va.addr, map->va.range,
			gt_obj_name(map->gem.obj), map->gem.offset);
}

static char *gt_log_line(struct gt_log *log)
{
	/* The last line is overwritten again and again; the count tells. */
	return log->line[min(log->n++, GT_LINES - 1)];
}

void gt_log_op(struct gt_log *log, const struct drm_gpuva_op *op)
{
	char *s = gt_log_line(log);
	const size_t size = GT_LINE;
	int n = 0;

	switch (op->op) {
	case DRM_GPUVA_OP_MAP:
		n += scnprintf(s + n, size - n, "map ");
		gt_print_map(log, s + n, size - n, &op->map);
		break;
	case DRM_GPUVA_OP_UNMAP:
		n += scnprintf(s + n, size - n, "unmap ");
		n += gt_print_va(log, s + n, size - n, op->unmap.va);
		if (op->unmap.keep)
			scnprintf(s + n, size - n, " keep");
		break;
	case DRM_GPUVA_OP_REMAP:
		n += scnprintf(s + n, size - n, "remap ");
		n += gt_print_va(log, s + n, size - n, op->remap.unmap->va);
		if (op->remap.prev) {
			n += scnprintf(s + n, size - n, " prev ");
			n += gt_print_map(log, s + n, size - n, op->remap.prev);
		}
		if (op->remap.next) {
			n += scnprintf(s + n, size - n, " next ");
			n += gt_print_map(log, s + n, size - n, op->remap.next);
		}
		if (op->remap.unmap->keep)
			scnprintf(s + n, size - n, " keep");
		break;
	case DRM_GPUVA_OP_PREFETCH:
		n += scnprintf(s + n, size - n, "prefetch ");
		gt_print_va(log, s + n, size - n, op->prefetch.va);
		break;
	default:
		scnprintf(s, size, "unknown operation %d", op->op);
		break;
	}
}

void gt_log_ops(struct gt_log *log, struct drm_gpuva_ops *ops)
{
	struct drm_gpuva_op *op;

	drm_gpuva_for_each_op(op, ops)
		gt_log_op(log, op);
}

static void gt_log_print(struct kunit *test, const char *what,
			 const struct gt_log *log)
{
	unsigned int i;

	kunit_err(test, "%s: %u operations\n", what, log->n);
	for (i = 0; i < min(log->n, GT_LINES); i++)
		kunit_err(test, "    %s\n", log->line[i]);
}

/* @ops ends at a NULL or after @max entries. */
bool gt_expect_ops(struct kunit *test, const struct gt_log *log,
		   const char *const *ops, unsigned int max, const char *where)
{
	unsigned int i;

	for (i = 0; i < max && ops[i]; i++)
		if (i >= log->n || strcmp(ops[i], log->line[i]))
			break;

	if (i == log->n && (i == max || !ops[i]))
		return true;

	KUNIT_FAIL(test, "%s: other operations than expected, from the %u. on\n",
		   where, i + 1);
	for (i = 0; i < max && ops[i]; i++)
		kunit_err(test, "    expected %s\n", ops[i]);
	gt_log_print(test, "got", log);

	return false;
}

bool gt_expect_same(struct kunit *test, const struct gt_log *log,
		    const struct gt_log *expected, const char *where)
{
	unsigned int i;

	for (i = 0; i < min3(log->n, expected->n, GT_LINES); i++)
		if (strcmp(log->line[i], expected->line[i]))
			break;

	if (log->n == expected->n && i == min(log->n, GT_LINES))
		return true;

	KUNIT_FAIL(test, "%s: other operations than expected, from the %u. on\n",
		   where, i + 1);
	gt_log_print(test, "expected", expected);
	gt_log_print(test, "got", log);

	return false;
}

/* ---- pictures ----------------------------------------------------------- */

unsigned int gt_parse(struct kunit *test, const char *picture,
		      struct gt_span *spans, unsigned int max)
{
	unsigned int page, n = 0, len = strlen(picture);
	struct gt_span *span = NULL;

	for (page = 0; page * 3 + 2 < len; page++) {
		const char *cell = picture + page * 3;
		int offset;

		if (cell[0] == '|')
			span = NULL;
		if (cell[1] == ' ') {
			span = NULL;
			continue;
		}

		offset = cell[1] == '#' ? 0 : hex_to_bin(cell[2]);
		KUNIT_ASSERT_GE_MSG(test, offset, 0, "bad picture: %s\n", picture);

		if (!span) {
			KUNIT_ASSERT_LT(test, n, max);
			KUNIT_ASSERT_EQ_MSG(test, cell[0], '|', "bad picture: %s\n",
					    picture);
			span = &spans[n++];
			*span = (struct gt_span) {
				.first = page,
				.obj = cell[1],
				.offset = offset,
			};
		}

		if (span->obj != '#')
			KUNIT_ASSERT_EQ_MSG(test, span->offset + span->pages, offset,
					    "bad picture: %s\n", picture);
		KUNIT_ASSERT_EQ(test, span->obj, cell[1]);
		span->pages++;
	}

	return n;
}

void gt_build_spans(struct gt *gt, struct drm_gpuvm *vm, u64 base,
		    const struct gt_span *spans, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (spans[i].obj == '#')
			continue;
		gt_map(gt, vm, base + GT_PAGES(spans[i].first),
		       GT_PAGES(spans[i].pages), gt_obj_find(gt, spans[i].obj),
		       GT_PAGES(spans[i].offset));
	}
}

void gt_build(struct gt *gt, struct drm_gpuvm *vm, u64 base, const char *picture)
{
	struct gt_span spans[16];

	gt_build_spans(gt, vm, base, spans,
		       gt_parse(gt->test, picture, spans, ARRAY_SIZE(spans)));
}

/* Draw what lies from @base on; mappings below it are left out. */
void gt_picture(struct drm_gpuvm *vm, u64 base, char *buf)
{
	struct drm_gpuva *va;
	unsigned int len = 0;

	memset(buf, ' ', GT_PICTURE);

	drm_gpuvm_for_each_va(va, vm) {
		u64 first = (va->va.addr - base) >> GT_SHIFT;
		u64 pages = va->va.range >> GT_SHIFT, i;

		if (va->va.addr < base || (first + pages) * 3 + 2 > GT_PICTURE)
			continue;

		buf[first * 3] = '|';
		for (i = 0; i < pages; i++) {
			char *cell = buf + (first + i) * 3;
			u64 offset = (va->gem.offset >> GT_SHIFT) + i;

			if (va == &vm->kernel_alloc_node) {
				cell[1] = '#';
				cell[2] = '#';
				continue;
			}
			cell[1] = gt_obj_name(va->gem.obj);
			cell[2] = hex_asc_lo(offset);
		}
		len = (first + pages) * 3;
		buf[len++] = '|';
	}
	buf[len] = '\0';
}

bool gt_expect_picture(struct kunit *test, struct drm_gpuvm *vm, u64 base,
		       const char *expected, const char *where)
{
	char *buf = kunit_kmalloc(test, GT_PICTURE, GFP_KERNEL);
	bool same;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	gt_picture(vm, base, buf);
	same = !strcmp(buf, expected);
	if (!same)
		KUNIT_FAIL(test, "%s: wrong VA space\n    expected %s\n    got      %s\n",
			   where, expected, buf);
	kunit_kfree(test, buf);

	return same;
}

struct drm_gpuvm_map_req gt_req(struct gt *gt, u64 base, const struct gt_span *span)
{
	struct drm_gpuvm_map_req req = {
		.map.va.addr = base + GT_PAGES(span->first),
		.map.va.range = GT_PAGES(span->pages),
	};

	if (span->obj != '#') {
		req.map.gem.obj = gt_obj_find(gt, span->obj);
		req.map.gem.offset = GT_PAGES(span->offset);
	}

	return req;
}

/* The reverse of gt_build_spans(). */
unsigned int gt_spans(struct drm_gpuvm *vm, u64 base, struct gt_span *spans,
		      unsigned int max)
{
	struct drm_gpuva *va;
	unsigned int n = 0;

	drm_gpuvm_for_each_mapping(va, vm) {
		if (n == max)
			break;
		spans[n++] = (struct gt_span) {
			.first = (va->va.addr - base) >> GT_SHIFT,
			.pages = va->va.range >> GT_SHIFT,
			.obj = gt_obj_name(va->gem.obj),
			.offset = va->gem.offset >> GT_SHIFT,
		};
	}

	return n;
}

/* ---- a second opinion, in pages ----------------------------------------- */

static int gt_model_span(struct gt_log *log, char *s, size_t size,
			 const struct gt_span *span, unsigned int first,
			 unsigned int end)
{
	return gt_print(log, s, size, log->base + GT_PAGES(first),
			GT_PAGES(end - first), span->obj,
			GT_PAGES(span->offset + first - span->first));
}

static bool gt_model_keep(const struct gt_span *old, const struct gt_span *req)
{
	return old->obj != '*' && old->obj == req->obj &&
	       (int)(old->offset - old->first) == (int)(req->offset - req->first);
}

/* What becomes of @old if the pages of @req are taken away. */
static bool gt_model_cut(struct gt_log *log, const struct gt_span *old,
			 const struct gt_span *req, bool keep, bool whole)
{
	unsigned int end = old->first + old->pages;
	unsigned int req_end = req->first + req->pages;
	bool cut = old->first < req->first || end > req_end;
	int n = 0;
	char *s;

	if (req_end <= old->first || end <= req->first || (!cut && !whole))
		return false;

	s = gt_log_line(log);
	n += scnprintf(s, GT_LINE, cut ? "remap " : "unmap ");
	n += gt_model_span(log, s + n, GT_LINE - n, old, old->first, end);
	if (old->first < req->first) {
		n += scnprintf(s + n, GT_LINE - n, " prev ");
		n += gt_model_span(log, s + n, GT_LINE - n, old, old->first,
				   req->first);
	}
	if (end > req_end) {
		n += scnprintf(s + n, GT_LINE - n, " next ");
		n += gt_model_span(log, s + n, GT_LINE - n, old, req_end, end);
	}
	if (keep)
		scnprintf(s + n, GT_LINE - n, " keep");

	return cut;
}

void gt_model_map(struct gt_log *log, const struct gt_span *old, unsigned int n,
		  const struct gt_span *req)
{
	unsigned int i;
	char *s;
	int len;

	for (i = 0; i < n; i++)
		gt_model_cut(log, &old[i], req, gt_model_keep(&old[i], req), true);

	s = gt_log_line(log);
	len = scnprintf(s, GT_LINE, "map ");
	gt_model_span(log, s + len, GT_LINE - len, req, req->first,
		      req->first + req->pages);
}

void gt_model_unmap(struct gt_log *log, const struct gt_span *old, unsigned int n,
		    const struct gt_span *req)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		gt_model_cut(log, &old[i], req, false, true);
}

void gt_model_madvise(struct gt_log *log, const struct gt_span *old,
		      unsigned int n, const struct gt_span *req)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		unsigned int first = max(old[i].first, req->first);
		unsigned int end = min(old[i].first + old[i].pages,
				       req->first + req->pages);
		char *s;
		int len;

		if (old[i].obj != '*' ||
		    !gt_model_cut(log, &old[i], req, false, false))
			continue;

		s = gt_log_line(log);
		len = scnprintf(s, GT_LINE, "map ");
		gt_model_span(log, s + len, GT_LINE - len, &old[i], first, end);
	}
}

/* ---- snapshots ---------------------------------------------------------- */

/* All that an operation could have changed, as text. */
static int gt_snapshot_print(struct drm_gpuvm *vm, char *s)
{
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuva *va;
	int n = 0;

	n += scnprintf(s + n, GT_SNAPSHOT - n, "refs %u count %lu resv %d\n",
		       kref_read(&vm->kref), gt_core_mappings(vm),
		       dma_resv_is_locked(drm_gpuvm_resv(vm)));
	drm_gpuvm_for_each_va(va, vm)
		n += scnprintf(s + n, GT_SNAPSHOT - n,
			       "va %p 0x%llx+0x%llx %p:0x%llx vm_bo %p flags %d\n",
			       va, va->va.addr, va->va.range, va->gem.obj,
			       va->gem.offset, va->vm_bo, va->flags);
	list_for_each_entry(vm_bo, &vm->extobj.list, list.entry.extobj)
		n += scnprintf(s + n, GT_SNAPSHOT - n, "extobj %p refs %u\n",
			       vm_bo, kref_read(&vm_bo->kref));
	list_for_each_entry(vm_bo, &vm->evict.list, list.entry.evict)
		n += scnprintf(s + n, GT_SNAPSHOT - n, "evict %p refs %u\n",
			       vm_bo, kref_read(&vm_bo->kref));

	return n;
}

char *gt_snapshot(struct kunit *test, struct drm_gpuvm *vm)
{
	char *s = kunit_kzalloc(test, GT_SNAPSHOT, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	gt_snapshot_print(vm, s);

	return s;
}

bool gt_expect_unchanged(struct kunit *test, struct drm_gpuvm *vm, const char *before)
{
	char *s = gt_snapshot(test, vm);
	bool same = !strcmp(s, before);

	if (!same)
		KUNIT_FAIL(test, "the VM has changed\nbefore:\n%safter:\n%s", before, s);
	kunit_kfree(test, s);

	return same;
}
