// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * vbind-test: what commands see while binds replace what they use: on two processors
 * at once, and in staged mode, where a bind that waits in the queue has changed the
 * tree already, but not the page tables.
 */

#include "test.h"

#define RANGE	(256 * PAGE)
#define CUT	(3 * PAGE)

/*
 * Kinds of mappings that all read as zero: each may be replaced by each other at
 * any time, and nothing is to be noticed.
 */
static const char *const kinds[] = {
	"sparse", "memory", "read-only", "other memory", "a cut", "small pages",
};

static uint32_t zeroes[2];

static struct drm_vbind_bind bind_of(unsigned int kind)
{
	struct drm_vbind_bind bind = range_bind(MAP, VA_START, RANGE);

	bind.handle = zeroes[0];
	switch (kind) {
	case 0:
		return range_bind(SPARSE, VA_START, RANGE);
	case 2:
		bind.flags = DRM_VBIND_BIND_READONLY;
		break;
	case 3:
		bind.handle = zeroes[1];
		break;
	case 4:
		bind = range_bind(SPARSE, VA_START + CUT, RANGE - 2 * CUT);
		break;
	case 5:
		/* Neither 64K nor 2M fit. */
		bind.offset = PAGE;
		break;
	}
	return bind;
}

struct replacer {
	uint32_t kinds[2];
	int file, evict;
	uint32_t vm;
	int ret;
	atomic_bool stop;
};

static void *replace(void *arg)
{
	struct replacer *r = arg;
	unsigned int i;

	for (i = 0; !r->stop && !r->ret; i++) {
		struct drm_vbind_bind bind = bind_of(r->kinds[i % 2]);

		r->ret = vbind_vm_bind(r->file, r->vm, &bind, 1, NULL);
		/* What the next job needs comes back before it. */
		if (i % 16 == 15 && r->evict >= 0 && write(r->evict, "1", 1) != 1)
			r->ret = -errno;
	}
	return NULL;
}

static void test_pair(uint32_t from, uint32_t to)
{
	struct drm_vbind_cmd cmds[8];
	struct replacer r = {
		.kinds = { from, to }, .file = fd, .vm = vm, .evict = open_evict(),
	};
	struct drm_vbind_bind whole = bind_of(1);
	struct drm_vbind_fault fault = {};
	pthread_t thread;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		cmds[i] = vbind_cmd_compare(VA_START, RANGE, 0, 0);
	expect(0, vbind_vm_bind(fd, vm, &whole, 1, NULL));
	check(!pthread_create(&thread, NULL, replace, &r), "no thread");
	for (i = 0; i < 1 + rounds / 50 && !ret; i++)
		ret = vbind_exec_wait(fd, vm, cmds, ARRAY_SIZE(cmds), &fault);
	r.stop = true;
	pthread_join(thread, NULL);
	if (r.evict >= 0)
		close(r.evict);
	expect(0, r.ret);
	check(!ret, "%s and %s: %s, fault %u at 0x%" PRIx64, kinds[from],
	      kinds[to], result_name(ret), fault.kind, (uint64_t)fault.addr);
}

static void test_replaced(void)
{
	uint32_t i, j;

	vm = new_vm(mode);
	for (i = 0; i < 2; i++)
		expect(0, vbind_gem_create(fd, RANGE + PAGE, 0, 0, &zeroes[i]));
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (j = i; j < ARRAY_SIZE(kinds); j++)
			test_pair(i, j);
	}
}

/* The same mapping again changes no entry. */
static void test_same_again(void)
{
	struct drm_vbind_bind bind = bind_of(0);
	struct drm_vbind_vm_stats before, after;

	vm = new_vm(mode);
	expect(0, vbind_vm_bind(fd, vm, &bind, 1, NULL));
	expect(0, vbind_vm_stats(fd, vm, &before));
	expect(0, vbind_vm_bind(fd, vm, &bind, 1, NULL));
	expect(0, vbind_vm_stats(fd, vm, &after));
	expect_value(before.tables, after.tables);
	expect_value(before.sparse, after.sparse);
	run_cmd(vm, vbind_cmd_compare(VA_START, RANGE, 0, 0));
}

/*
 * What may wait in the queue while commands use a BO that was evicted. The commands
 * come before it and have to find the memory.
 */
static const struct {
	const char *name;
	uint32_t type;
	uint64_t first, pages;
	bool other;
} pending[] = {
	{ "unmap all of it", UNMAP, 0, 16, false },
	{ "unmap its middle", UNMAP, 5, 3, false },
	{ "sparse over its front", SPARSE, 0, 7, false },
	{ "another BO over it", MAP, 0, 16, true },
	{ "itself, elsewhere in it", MAP, 4, 4, false },
	{ "unmap the BO", UNMAP_BO, 0, 0, false },
};

static void queue_pending(unsigned int i, uint32_t other, uint32_t in,
			  uint32_t out)
{
	struct drm_vbind_bind bind = {
		.type = pending[i].type,
		.addr = VA_START + pending[i].first * PAGE,
		.range = pending[i].pages * PAGE,
	};

	if (bind.type == MAP || bind.type == UNMAP_BO)
		bind.handle = pending[i].other ? other : bo;
	if (bind.type == UNMAP_BO)
		bind.addr = 0;
	bind_async(&bind, 1, in, out);
}

static void evict_it(void)
{
	struct drm_vbind_vm_stats stats = {};
	int i, file = open_evict();

	if (file < 0)
		skip("evictions need debugfs");
	close(file);
	for (i = 0; i < 50 && !stats.evicted; i++) {
		try_to_evict();
		expect(0, vbind_vm_stats(fd, vm, &stats));
	}
	check(stats.evicted, "nothing was evicted");
}

static void test_evicted_and_replaced(void)
{
	uint32_t other, done, bound;
	struct foreign foreign;
	unsigned int i;

	setup();
	other = new_bo(16 * PAGE);
	for (i = 0; i < ARRAY_SIZE(pending); i++) {
		uint64_t word = bo_word(bo_id, 0);

		foreign = new_foreign();
		done = new_syncobj();
		bound = new_syncobj();
		expect(0, vbind_unmap(fd, vm, VA_START, 32 * PAGE));
		expect(0, vbind_map(fd, vm, VA_START, 16 * PAGE, bo, 0));
		evict_it();
		queue_pending(i, other, foreign.syncobj, bound);
		/* A second one on top of the first */
		queue_pending(0, other, 0, 0);
		exec_async(2, vbind_cmd_compare(VA_START, 16 * PAGE, word, 8), 0,
			   done);
		wait_for(done, 0);
		check(!is_signalled(bound), "%s: it did not wait",
		      pending[i].name);
		check(!vbind_vm_faults(fd, vm, NULL, 0, NULL),
		      "%s: a fault at an address that is mapped",
		      pending[i].name);
		signal_foreign(&foreign);
		wait_for(bound, 0);
		expect(0, vbind_map_sparse(fd, vm, VA_START + 20 * PAGE, PAGE));
		check(vbind_vm_query(fd, vm, NULL, NULL) == 1, "%s: what is left",
		      pending[i].name);
		close(foreign.timeline);
	}
}

/* Which of its two times a VM in staged mode shows where */
static void test_two_times(void)
{
	bool immediate = mode & DRM_VBIND_VM_IMMEDIATE;
	struct drm_vbind_bind bind = range_bind(UNMAP, VA_START, 16 * PAGE);
	struct drm_vbind_bind fetch = range_bind(PREFETCH, VA_START, 32 * PAGE);
	struct drm_vbind_vm_stats stats;
	struct foreign foreign;
	uint32_t bound, fetched;

	setup();
	foreign = new_foreign();
	bound = new_syncobj();
	fetched = new_syncobj();
	expect(0, vbind_map(fd, vm, VA_START, 16 * PAGE, bo, 0));
	bind_async(&bind, 1, foreign.syncobj, bound);
	bind_async(&fetch, 1, 0, fetched);

	/* Queries show the tree, statistics and commands the page tables. */
	expect_value(immediate, vbind_vm_query(fd, vm, NULL, NULL));
	expect(0, vbind_vm_stats(fd, vm, &stats));
	check(stats.pages_4k + stats.pages_64k, "the page tables are empty");
	run_cmd(vm, vbind_cmd_compare(VA_START, 16 * PAGE, bo_word(bo_id, 0), 8));
	check(!is_signalled(bound) && !is_signalled(fetched), "did not wait");

	/* What a bind that waits is about to use is not evicted. */
	try_to_evict();
	expect(0, vbind_vm_stats(fd, vm, &stats));
	expect_value(0, stats.evicted);

	signal_foreign(&foreign);
	wait_for(fetched, 0);
	expect_value(0, vbind_vm_query(fd, vm, NULL, NULL));
	expect_fault(vm, vbind_cmd_write(VA_START, 1), DRM_VBIND_FAULT_UNMAPPED,
		     VA_START);
	close(foreign.timeline);
}

const struct test window_tests[] = {
	{ "window: each kind of mapping is replaced by each", test_replaced,
	  true },
	{ "window: the same sparse mapping again", test_same_again, true },
	{ "window: an evicted BO that a queued bind replaces",
	  test_evicted_and_replaced, true },
	{ "window: the tree and the page tables of a VM", test_two_times, true },
	{}
};
