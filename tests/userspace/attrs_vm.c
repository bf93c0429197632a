// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * A driver for requests with attributes. What a step does is nothing but
 * drm_gpuva_op_apply(), in immediate mode in fence signalling.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/err.h>

#include "attrs.h"
#include "shim.h"
#include "side.h"

#define CHECK(cond) \
	((cond) ? (void)0 : die("%s: %s", __func__, #cond))

/* A mapping, with the tag of the request that it was made for. */
struct attrs_va {
	struct drm_gpuva base;
	unsigned int tag;
};

/* A request, and what hangs on it. */
struct attrs_request {
	struct drm_gpuvm_req base;
	unsigned int tag;
};

struct attrs_vm {
	struct drm_gpuvm base;
	struct drm_device drm;
	struct drm_gem_object r_obj, obj[ATTRS_OBJS];
	struct drm_gpuva_stock stock;
	const struct attrs_config *config;

	/* @req: the request under way, and where its steps are noted */
	const struct attrs_req *req;
	struct attrs_outcome *out;
	struct drm_gpuvm_bo *vm_bo;
	bool signalling;
	bool freed;
};

static struct attrs_vm *to_attrs_vm(struct drm_gpuvm *gpuvm)
{
	return container_of(gpuvm, struct attrs_vm, base);
}

static bool immediate(struct attrs_vm *vm)
{
	return drm_gpuvm_immediate_mode(&vm->base);
}

/* ---- The stock --------------------------------------------------------- */

static struct drm_gpuva *stock_alloc(struct drm_gpuva_stock *stock)
{
	struct attrs_va *va = kzalloc(sizeof(*va), GFP_KERNEL);

	return va ? &va->base : NULL;
}

static void stock_free(struct drm_gpuva_stock *stock, struct drm_gpuva *va)
{
	CHECK(!va->vm_bo);
	kfree(container_of(va, struct attrs_va, base));
}

static void stock_init(struct drm_gpuva_stock *stock, struct drm_gpuva *va,
		       const struct drm_gpuva *old, const struct drm_gpuva_op *op)
{
	struct attrs_va *new = container_of(va, struct attrs_va, base);

	if (old)
		new->tag = container_of(old, const struct attrs_va, base)->tag;
	else
		new->tag = to_attrs_vm(stock->vm)->req->tag;
}

static const struct drm_gpuva_stock_ops stock_ops = {
	.alloc = stock_alloc,
	.free = stock_free,
	.init = stock_init,
};

/* ---- Steps ------------------------------------------------------------- */

static void note_part(struct attrs_part *to, const struct drm_gpuva_op_map *map,
		      u32 repeat)
{
	u64 run;

	to->addr = map->va.addr;
	to->range = map->va.range;
	to->content = drm_gpuva_op_map_offset(map, repeat, map->va.addr, &run);
	CHECK(run && run <= map->va.range);
}

static void note_va(struct attrs_part *to, const struct drm_gpuva *va)
{
	to->addr = va->va.addr;
	to->range = va->va.range;
	to->content = drm_gpuva_offset(va, va->va.addr, NULL);
}

static void note_step(struct attrs_outcome *out, const struct drm_gpuva_op *op)
{
	struct attrs_step *step = &out->step[out->nr++];
	const struct drm_gpuva_op_unmap *unmap = &op->unmap;

	CHECK(out->nr <= ATTRS_STEPS);
	memset(step, 0, sizeof(*step));
	step->op = op->op;
	if (op->req)
		step->tag = container_of(op->req, const struct attrs_request,
					 base)->tag;

	switch (op->op) {
	case DRM_GPUVA_OP_MAP:
		note_part(&step->va, &op->map, op->req ? op->req->repeat : 0);
		return;
	case DRM_GPUVA_OP_UPDATE:
		note_va(&step->va, op->update.va);
		return;
	case DRM_GPUVA_OP_REMAP:
		unmap = op->remap.unmap;
		if (op->remap.prev)
			note_part(&step->prev, op->remap.prev, unmap->va->repeat);
		if (op->remap.next)
			note_part(&step->next, op->remap.next, unmap->va->repeat);
		break;
	default:
		break;
	}
	note_va(&step->va, unmap->va);
	step->keep = unmap->keep;
	step->exact = unmap->exact;
}

static int step_apply(struct attrs_vm *vm, struct drm_gpuva_op *op)
{
	unsigned int spare = vm->stock.num;
	int ret;

	ret = drm_gpuva_op_apply(op, &vm->stock, vm->vm_bo);
	vm->out->taken += spare - vm->stock.num;

	return ret;
}

static int step(struct drm_gpuva_op *op, void *priv)
{
	struct attrs_vm *vm = priv;

	note_step(vm->out, op);
	if (vm->req->nth == vm->out->nr)
		return -ECANCELED;

	return step_apply(vm, op);
}

static int step_teardown(struct drm_gpuva_op *op, void *priv)
{
	struct attrs_vm *vm = priv;
	struct drm_gpuva *va = op->unmap.va;

	note_step(vm->out, op);
	if (vm->req->nth && vm->req->addr - va->va.addr < va->va.range)
		return vm->req->leave ? 0 : -ECANCELED;

	return step_apply(vm, op);
}

static bool same(const struct drm_gpuva *va, const struct drm_gpuvm_req *req,
		 void *priv)
{
	struct attrs_vm *vm = priv;

	CHECK(container_of(req, const struct attrs_request, base)->tag ==
	      vm->req->tag);

	return !attrs_refuses(vm->req->same, va->va.addr, vm->req->tag);
}

static void vm_free(struct drm_gpuvm *gpuvm)
{
	to_attrs_vm(gpuvm)->freed = true;
}

static const struct drm_gpuvm_ops vm_ops = {
	.vm_free = vm_free,
	.sm_step_map = step,
	.sm_step_remap = step,
	.sm_step_unmap = step,
};

/* ---- Locks ------------------------------------------------------------- */

static void lock_all(struct attrs_vm *vm)
{
	if (immediate(vm)) {
		shim.signalling = true;
		return;
	}

	dma_resv_lock(vm->r_obj.resv, NULL);
	dma_resv_lock(vm->obj[1].resv, NULL);
}

static void unlock_all(struct attrs_vm *vm)
{
	if (immediate(vm)) {
		shim.signalling = false;
		return;
	}

	dma_resv_unlock(vm->obj[1].resv);
	dma_resv_unlock(vm->r_obj.resv);
}

static int obtain_vm_bo(struct attrs_vm *vm, struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;

	if (immediate(vm)) {
		vm_bo = drm_gpuvm_bo_create(&vm->base, obj);
		if (!vm_bo)
			return -ENOMEM;
		vm->vm_bo = drm_gpuvm_bo_obtain_prealloc(vm_bo);
		return 0;
	}

	lock_all(vm);
	vm_bo = drm_gpuvm_bo_obtain_locked(&vm->base, obj);
	unlock_all(vm);
	if (IS_ERR(vm_bo))
		return PTR_ERR(vm_bo);
	vm->vm_bo = vm_bo;

	return 0;
}

static void put_vm_bo(struct attrs_vm *vm)
{
	if (immediate(vm)) {
		drm_gpuvm_bo_put_deferred(vm->vm_bo);
	} else {
		lock_all(vm);
		drm_gpuvm_bo_put(vm->vm_bo);
		unlock_all(vm);
	}
	vm->vm_bo = NULL;
}

/* ---- Requests ---------------------------------------------------------- */

static struct drm_gem_object *find_obj(struct attrs_vm *vm, int obj)
{
	return obj == ATTRS_NO_OBJ ? NULL : &vm->obj[obj];
}

static void set_request(struct attrs_vm *vm, struct attrs_request *request)
{
	const struct attrs_req *req = vm->req;

	*request = (struct attrs_request) {
		.base = {
			.type = req->type,
			.opts = req->opts,
			.map.va = { req->addr, req->range },
			.map.gem = { req->offset, find_obj(vm, req->obj) },
			.flags = req->flags,
			.repeat = req->repeat,
		},
		.tag = req->tag,
	};
}

static struct drm_gpuva_ops *create_list(struct attrs_vm *vm,
					 const struct attrs_request *request,
					 const struct drm_gpuvm_steps *steps)
{
	struct drm_gpuvm_map_req old = { .map = request->base.map };

	if (vm->req->kind == ATTRS_OLD_MADVISE)
		return drm_gpuvm_madvise_ops_create(&vm->base, &old);

	return drm_gpuvm_request_ops_create(&vm->base, &request->base, steps, vm);
}

static int run_list(struct attrs_vm *vm, const struct attrs_request *request,
		    const struct drm_gpuvm_steps *steps)
{
	struct drm_gpuva_ops *ops = create_list(vm, request, steps);
	struct drm_gpuva_op *op;
	int ret = 0;

	if (IS_ERR(ops))
		return PTR_ERR(ops);

	lock_all(vm);
	drm_gpuva_for_each_op(op, ops) {
		note_step(vm->out, op);
		if (vm->req->kind != ATTRS_DROP)
			ret = ret ?: step_apply(vm, op);
	}
	unlock_all(vm);
	drm_gpuva_ops_free(&vm->base, ops);

	return ret;
}

/* What is mapped in the range, and what is to be mapped, has to be locked. */
static int run_lock(struct attrs_vm *vm, const struct attrs_request *request)
{
	struct drm_exec exec;
	struct drm_gpuva *va;
	int ret = 0;

	drm_exec_init(&exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
	drm_exec_until_all_locked(&exec) {
		ret = drm_gpuvm_request_exec_lock(&vm->base, &exec, 1,
						  &request->base);
		drm_exec_retry_on_contention(&exec);
		if (ret)
			break;
	}

	if (!ret) {
		if (request->base.map.gem.obj)
			dma_resv_assert_held(request->base.map.gem.obj->resv);
		drm_gpuvm_for_each_mapping_range(va, &vm->base, vm->req->addr,
						 vm->req->addr + vm->req->range)
			CHECK(!va->gem.obj || dma_resv_held(va->gem.obj->resv));
	}
	drm_exec_fini(&exec);

	return ret;
}

static int run_locked(struct attrs_vm *vm, const struct attrs_request *request,
		      const struct drm_gpuvm_steps *steps)
{
	struct drm_gpuvm_steps teardown = { .unmap = step_teardown };
	struct drm_gpuvm_map_req old = { .map = request->base.map };
	struct drm_gpuva *va;

	switch (vm->req->kind) {
	case ATTRS_REQUEST:
		return drm_gpuvm_request(&vm->base, &request->base, steps, vm);
	case ATTRS_OLD_MAP:
		return drm_gpuvm_sm_map(&vm->base, vm, &old);
	case ATTRS_OLD_UNMAP:
		return drm_gpuvm_sm_unmap(&vm->base, vm, vm->req->addr,
					  vm->req->range);
	case ATTRS_UNMAP_ALL:
		return drm_gpuvm_unmap_all(&vm->base, &teardown, vm);
	case ATTRS_UNMAP_BO:
		return drm_gpuvm_bo_unmap(vm->vm_bo, &teardown, vm);
	case ATTRS_UNMAP_STEP:
		va = drm_gpuva_find_first(&vm->base, vm->req->addr, 1);
		if (!va)
			return -EINVAL;
		return drm_gpuva_unmap_step(va, &teardown, vm);
	default:
		va = drm_gpuva_find_first(&vm->base, vm->req->addr, 1);
		if (va && va != &vm->base.kernel_alloc_node)
			drm_gpuva_invalidate(va, true);
		return 0;
	}
}

static int run_kind(struct attrs_vm *vm, const struct attrs_request *request)
{
	struct drm_gpuvm_steps steps = {
		.map = step,
		.remap = step,
		.unmap = step,
		.update = step,
		.same = vm->req->same == SAME_MISSING ? NULL : same,
		.ignore = vm->req->ignore,
	};
	int ret;

	switch (vm->req->kind) {
	case ATTRS_LIST:
	case ATTRS_DROP:
	case ATTRS_OLD_MADVISE:
		return run_list(vm, request, &steps);
	case ATTRS_LOCK:
		return run_lock(vm, request);
	default:
		lock_all(vm);
		ret = run_locked(vm, request, &steps);
		unlock_all(vm);
		return ret;
	}
}

/* What is done before anything is locked. */
static int prepare(struct attrs_vm *vm, const struct attrs_request *request)
{
	struct drm_gem_object *obj = request->base.map.gem.obj;
	/* madvise cuts two mappings in two. */
	unsigned int max = 4;
	int ret;

	if (vm->req->kind < ATTRS_OLD_MAP)
		max = drm_gpuvm_req_max_vas(&request->base);
	else if (vm->req->kind >= ATTRS_UNMAP_ALL)
		max = 0;

	ret = drm_gpuva_stock_fill(&vm->stock, max);
	if (!ret && obj)
		ret = obtain_vm_bo(vm, obj);

	return ret;
}

void attrs_vm_run(struct attrs_vm *vm, const struct attrs_req *req,
		  struct attrs_outcome *out)
{
	struct attrs_request request;

	out->nr = 0;
	out->taken = 0;
	vm->req = req;
	vm->out = out;
	set_request(vm, &request);

	out->ret = prepare(vm, &request);
	if (!out->ret)
		out->ret = run_kind(vm, &request);

	put_vm_bo(vm);
	drm_gpuva_stock_drain(&vm->stock);
	drm_gpuvm_flush_cleanup(NULL);
}

/* ---- The VM ------------------------------------------------------------ */

static void obj_init(struct attrs_vm *vm, struct drm_gem_object *obj,
		     struct dma_resv *resv, size_t size)
{
	obj->resv = resv;
	drm_gem_private_object_init(&vm->drm, obj, size);
}

struct attrs_vm *attrs_vm_create(const struct attrs_config *config)
{
	struct attrs_vm *vm = calloc(1, sizeof(*vm));
	u64 reserved = !config->nr_reserved ? 0 :
		       config->start + config->reserved * config->unit;

	vm->config = config;
	kref_init(&vm->drm.ref);
	obj_init(vm, &vm->r_obj, NULL, 0);
	obj_init(vm, &vm->obj[0], vm->r_obj.resv, config->size * config->unit);
	obj_init(vm, &vm->obj[1], NULL, SIZE_MAX);
	CHECK(!drm_gpuvm_try_init(&vm->base, "attrs", config->flags, &vm->drm,
				  &vm->r_obj, config->start,
				  config->pages * config->unit, reserved,
				  config->nr_reserved * config->unit,
				  &vm_ops));
	drm_gpuva_stock_init(&vm->stock, &vm->base, &stock_ops);

	return vm;
}

void attrs_vm_destroy(struct attrs_vm *vm)
{
	struct attrs_req all = { .kind = ATTRS_UNMAP_ALL, .obj = ATTRS_NO_OBJ };
	static struct attrs_outcome out;

	attrs_vm_run(vm, &all, &out);
	CHECK(!out.ret && !vm->base.rb.count);
	for (int i = 0; i < ATTRS_OBJS; i++) {
		CHECK(kref_read(&vm->obj[i].refcount) == 1);
		drm_gem_object_release(&vm->obj[i]);
	}
	drm_gpuvm_put(&vm->base);
	CHECK(vm->freed);
	drm_gem_object_release(&vm->r_obj);
	if (shim.live)
		die("%ld allocations or objects were not freed", shim.live);
	free(vm);
}

/* ---- Comparison -------------------------------------------------------- */

static void compare_page(struct attrs_vm *vm, const struct attrs_model *model,
			 unsigned int i, struct drm_gpuva *va)
{
	const struct attrs_page *page = &model->page[i];
	u64 unit = vm->config->unit, addr = vm->config->start + i * unit;
	u64 run, left = drm_gpuva_last(va) - addr + 1;

	CHECK(va->gem.obj == find_obj(vm, page->obj));
	CHECK(va->flags == page->flags);
	CHECK(va->repeat == page->repeat);
	CHECK(container_of(va, struct attrs_va, base)->tag == page->tag);
	CHECK(drm_gpuva_offset(va, addr, &run) == page->content);
	if (va->repeat)
		CHECK(run == min_t(u64, left, va->repeat - addr % va->repeat));
	else
		CHECK(run == left);
	CHECK(!!va->vm_bo == !!va->gem.obj);

	/* The last address of the page is where it should be, too. */
	if (!va->repeat || va->repeat >= unit)
		CHECK(drm_gpuva_offset(va, addr + unit - 1, NULL) ==
		      (va->repeat && addr % va->repeat > va->repeat - unit ?
		       va->gem.offset + (addr + unit - 1) % va->repeat :
		       page->content + unit - 1));
}

void attrs_vm_compare(struct attrs_vm *vm, const struct attrs_model *model)
{
	struct drm_gpuva *va, *last = NULL;
	unsigned int id = 0, nr = 0;

	for (unsigned int i = 0; i < vm->config->pages; i++) {
		u64 addr = vm->config->start + i * vm->config->unit;

		if (i - vm->config->reserved < vm->config->nr_reserved) {
			last = NULL;
			id = 0;
			continue;
		}

		va = drm_gpuva_find_first(&vm->base, addr, vm->config->unit);
		CHECK(!va == !model->page[i].id);
		CHECK((va == last) == (model->page[i].id == id));
		if (va)
			compare_page(vm, model, i, va);
		nr += va && va != last;
		last = va;
		id = model->page[i].id;
	}

	CHECK(vm->base.rb.count == nr);
	CHECK(!vm->stock.num && list_empty(&vm->stock.spare) &&
	      list_empty(&vm->stock.retired));
	CHECK(llist_empty(&vm->base.bo_defer));
}

static bool by_address(const struct attrs_req *req)
{
	return req->kind != ATTRS_UNMAP_BO;
}

static int compare_steps(const void *a, const void *b)
{
	const struct attrs_step *one = a, *other = b;

	return one->va.addr < other->va.addr ? -1 : one->va.addr > other->va.addr;
}

static void print_part(const char *what, const struct attrs_part *part)
{
	if (part->range)
		fprintf(stderr, " %s%#llx+%#llx shows %#llx", what,
			(ullong)part->addr, (ullong)part->range,
			(ullong)part->content);
}

static void print_steps(const char *who, const struct attrs_outcome *out)
{
	fprintf(stderr, "#  %s: %d, took %u\n", who, out->ret, out->taken);
	for (unsigned int i = 0; i < out->nr; i++) {
		const struct attrs_step *step = &out->step[i];

		fprintf(stderr, "#    op %llu%s%s tag %llu", (ullong)step->op,
			step->keep ? " keep" : "", step->exact ? " exact" : "",
			(ullong)step->tag);
		print_part("", &step->va);
		print_part("prev ", &step->prev);
		print_part("next ", &step->next);
		fputs("\n", stderr);
	}
}

static void print_req(const struct attrs_req *req)
{
	fprintf(stderr, "#  kind %u type %u opts %u %#llx+%#llx obj %d offset %#llx",
		req->kind, req->type, req->opts, (ullong)req->addr,
		(ullong)req->range, req->obj, (ullong)req->offset);
	fprintf(stderr, " flags %#x repeat %#x ignore %#x same %u tag %u nth %u%s\n",
		req->flags, req->repeat, req->ignore, req->same, req->tag,
		req->nth, req->leave ? " leave" : "");
}

void attrs_check(struct attrs_vm *vm, struct attrs_model *model,
		 const struct attrs_req *req, struct attrs_outcome *out)
{
	static struct attrs_outcome expected;

	attrs_model_run(model, req, &expected);
	if (!by_address(req))
		qsort(out->step, out->nr, sizeof(out->step[0]), compare_steps);

	if (out->ret != expected.ret || out->nr != expected.nr ||
	    out->taken != expected.taken ||
	    memcmp(out->step, expected.step, out->nr * sizeof(out->step[0]))) {
		print_req(req);
		print_steps("model", &expected);
		print_steps("ours", out);
		die("not what the model expects");
	}

	attrs_vm_compare(vm, model);
}

void attrs_try(struct attrs_vm *vm, struct attrs_model *model,
	       const struct attrs_req *req, struct attrs_outcome *out)
{
	attrs_vm_run(vm, req, out);
	attrs_check(vm, model, req, out);
}
