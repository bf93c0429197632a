// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* vbind-test: random binds, compared with a model. */

#include "test.h"

#define MODEL_PAGES	256
#define MODEL_BOS	4

/* A page is mapped by the bind with this number, 0 for none. */
struct model {
	uint32_t serial[MODEL_PAGES];
	struct drm_vbind_mapping page[MODEL_PAGES];
	uint32_t last_serial;
	uint64_t bo_ids[MODEL_BOS];
	uint32_t handles[MODEL_BOS];
};

static void model_bind(struct model *m, const struct drm_vbind_bind *bind)
{
	unsigned int first = (bind->addr - VA_START) / PAGE;
	unsigned int count = bind->range / PAGE, i;

	if (bind->type == PREFETCH)
		return;
	m->last_serial++;
	for (i = first; i < first + count; i++) {
		struct drm_vbind_mapping *page = &m->page[i];
		unsigned int b;

		m->serial[i] = bind->type == UNMAP ? 0 : m->last_serial;
		*page = (struct drm_vbind_mapping){
			.addr = VA_START + i * PAGE,
			.range = PAGE,
		};
		if (bind->type == MAP)
			page->offset = bind->offset + (i - first) * PAGE;
		if (bind->type == SPARSE)
			page->flags = DRM_VBIND_MAPPING_SPARSE;
		if (bind->flags & DRM_VBIND_BIND_READONLY)
			page->flags |= DRM_VBIND_MAPPING_READONLY;
		for (b = 0; b < MODEL_BOS; b++) {
			if (bind->handle == m->handles[b])
				page->bo_id = m->bo_ids[b];
		}
	}
}

/* Adjacent pages of one bind are one mapping. */
static int model_mappings(const struct model *m, struct drm_vbind_mapping *out)
{
	int count = 0;
	unsigned int i;

	for (i = 0; i < MODEL_PAGES; i++) {
		if (!m->serial[i])
			continue;
		if (i && m->serial[i] == m->serial[i - 1])
			out[count - 1].range += PAGE;
		else
			out[count++] = m->page[i];
	}
	return count;
}

static struct drm_vbind_bind random_bind(const struct model *m, uint64_t *random)
{
	unsigned int max = random_below(random, 8) ? 16 : MODEL_PAGES;
	unsigned int first = random_below(random, MODEL_PAGES);
	unsigned int count = 1 + random_below(random, max);
	struct drm_vbind_bind bind;

	if (count > MODEL_PAGES - first)
		count = MODEL_PAGES - first;
	bind = range_bind(random_below(random, 4), VA_START + first * PAGE,
			  count * PAGE);
	if (bind.type == MAP) {
		/* Often such that it is contiguous with what may be there */
		bind.handle = m->handles[random_below(random, MODEL_BOS)];
		bind.offset = random_below(random, 2) ? first * PAGE :
			      random_below(random, MODEL_PAGES + 1 - count) * PAGE;
		bind.flags = random_below(random, 8) ? 0 : DRM_VBIND_BIND_READONLY;
	}
	return bind;
}

static void spoil(struct drm_vbind_bind *bind, uint64_t *random)
{
	switch (random_below(random, 4)) {
	case 0:
		bind->range = 0;
		break;
	case 1:
		bind->addr++;
		break;
	case 2:
		bind->flags |= 1U << 30;
		break;
	case 3:
		bind->addr = RSV_START;
		break;
	}
}

/* A list of mappings as the steps tell it */
struct step_list {
	struct drm_vbind_mapping mappings[MODEL_PAGES];
	int count;
};

static void list_remove(struct step_list *list, const struct drm_vbind_mapping *m)
{
	int i;

	for (i = 0; i < list->count; i++) {
		if (list->mappings[i].addr == m->addr &&
		    list->mappings[i].range == m->range &&
		    list->mappings[i].bo_id == m->bo_id &&
		    list->mappings[i].offset == m->offset) {
			list->mappings[i] = list->mappings[--list->count];
			return;
		}
	}
	print_mapping(m);
	fail("a step is about a mapping that is not there");
}

static void list_add(struct step_list *list, const struct drm_vbind_mapping *m)
{
	check(list->count < MODEL_PAGES, "too many mappings");
	list->mappings[list->count] = *m;
	/* The parts of what is evicted are, too, but not for long. */
	list->mappings[list->count++].flags &= ~DRM_VBIND_MAPPING_EVICTED;
}

static void list_apply(struct step_list *list, const struct drm_vbind_step *step)
{
	if (step->type == DRM_VBIND_STEP_PREFETCH ||
	    step->type == DRM_VBIND_STEP_UPDATE)
		return;
	if (step->type != DRM_VBIND_STEP_MAP)
		list_remove(list, &step->mapping);
	else
		list_add(list, &step->mapping);
	if (step->flags & DRM_VBIND_STEP_PREV)
		list_add(list, &step->prev);
	if (step->flags & DRM_VBIND_STEP_NEXT)
		list_add(list, &step->next);
}

static int bind_async_and_wait(const struct drm_vbind_bind *binds, uint32_t count,
			       uint32_t *fail_index)
{
	struct drm_vbind_sync sync;
	uint32_t syncobj = 0;
	int ret;

	expect(0, drmSyncobjCreate(fd, 0, &syncobj));
	sync = vbind_sync_out(syncobj, 0);
	ret = vbind_vm_bind_async(fd, vm, binds, count, &sync, 1, fail_index);
	if (!ret)
		expect(0, vbind_syncobj_wait(fd, syncobj, 0, 60000));
	drmSyncobjDestroy(fd, syncobj);
	return ret;
}

static void random_round(struct model *m, struct step_list *list, uint64_t *random)
{
	static struct drm_vbind_step steps[4096];
	uint32_t num_steps = ARRAY_SIZE(steps), fail_index, bad = NO_INDEX, i;
	uint32_t count = 1 + random_below(random, random_below(random, 4) ? 3 : 32);
	struct drm_vbind_mapping expected[MODEL_PAGES];
	bool async = !random_below(random, 3);
	struct drm_vbind_bind binds[32];
	int num_expected, ret;

	for (i = 0; i < count; i++)
		binds[i] = random_bind(m, random);
	if (!random_below(random, 8)) {
		bad = random_below(random, count);
		spoil(&binds[bad], random);
	}

	if (!random_below(random, 16))
		try_to_evict();
	if (async)
		ret = bind_async_and_wait(binds, count, &fail_index);
	else
		ret = vbind_vm_bind_steps(fd, vm, binds, count, steps, &num_steps,
					  &fail_index);
	expect(bad == NO_INDEX ? 0 : -EINVAL, ret);
	expect_value(bad, fail_index);
	if (bad != NO_INDEX || async)
		num_steps = 0;
	for (i = 0; i < count && bad == NO_INDEX; i++)
		model_bind(m, &binds[i]);
	check(num_steps <= ARRAY_SIZE(steps), "%u steps", num_steps);
	for (i = 0; i < num_steps; i++)
		list_apply(list, &steps[i]);

	/* A job, though it does nothing, brings back what was evicted. */
	run_cmds(vm, NULL, 0);
	num_expected = model_mappings(m, expected);
	compare_with_vm(vm, "the model", expected, num_expected,
			!random_below(random, 8));
	if (async) {
		memcpy(list->mappings, expected, sizeof(expected));
		list->count = num_expected;
	}
	qsort(list->mappings, list->count, sizeof(*list->mappings),
	      compare_mappings);
	compare_with_vm(vm, "the steps", list->mappings, list->count, false);
}

static void test_random(void)
{
	struct step_list list = {};
	struct model m = {};
	uint64_t random = seed;
	unsigned int i;

	printf("# seed %" PRIu64 "\n", seed);
	vm = new_vm(mode);
	for (i = 0; i < MODEL_BOS; i++) {
		/* Half of them are private. */
		m.handles[i] = i % 2 ? new_private_bo(MODEL_PAGES * PAGE, vm) :
			       new_bo(MODEL_PAGES * PAGE);
		m.bo_ids[i] = id_of(m.handles[i]);
	}
	for (i = 0; i < rounds; i++)
		random_round(&m, &list, &random);
}

const struct test random_tests[] = {
	{ "random binds, compared with a model", test_random, true },
	{}
};
