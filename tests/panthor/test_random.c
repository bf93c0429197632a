// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * panthor-test: random programmes of binds, after which each page of the driver's
 * tables is compared with a model: which page of which BO, and what access. And what
 * the driver is known to do wrong.
 */

#include "tests.h"

#define VA		0x40000000ULL
#define PAGES		(256 * 1024 * 1024 / PAGE)
#define MAX_BOS		6

/* What is mapped at a page: the first word of the memory behind it, and access */
struct page {
	uint64_t word;
	bool mapped, readonly, sparse;
};

struct bo {
	uint32_t handle;
	uint64_t pages, word;
};

struct programme {
	struct client client;
	struct page *pages;
	struct bo bos[MAX_BOS];
	unsigned int num_bos;
	bool sparse;
	uint64_t random;
};

/* From a page to 64 MiB, and more often at the limits of large pages than not */
static uint64_t random_size(struct programme *p, uint64_t max)
{
	static const uint64_t units[] = { 1, 4, 16, 128, 512 };
	uint64_t size = units[random_below(&p->random, ARRAY_SIZE(units))] *
			(1 + random_below(&p->random, 24));

	if (!random_below(&p->random, 3))
		size += random_below(&p->random, 7);
	return size < max ? size : max;
}

static uint64_t random_page(struct programme *p, uint64_t max)
{
	uint64_t page = random_below(&p->random, max);

	switch (random_below(&p->random, 3)) {
	case 0:
		return page & ~511ULL;
	case 1:
		return page & ~15ULL;
	}
	return page;
}

static struct drm_panthor_vm_bind_op random_op(struct programme *p)
{
	uint64_t first = random_page(p, PAGES);
	uint64_t size = random_size(p, PAGES - first);
	uint32_t flags = random_below(&p->random, 4) ? NOEXEC : NOEXEC | READONLY;
	struct drm_panthor_vm_bind_op op;
	uint64_t offset;
	struct bo *bo;

	switch (random_below(&p->random, 8)) {
	case 0:
	case 1:
		return pan_unmap(VA + first * PAGE, size * PAGE);
	case 2:
		if (p->sparse)
			return (struct drm_panthor_vm_bind_op){
				.flags = OP_MAP | SPARSE | NOEXEC,
				.va = VA + first * PAGE, .size = size * PAGE,
			};
	}
	bo = &p->bos[random_below(&p->random, p->num_bos)];
	offset = random_page(p, bo->pages);
	size = size < bo->pages - offset ? size : bo->pages - offset;
	op = pan_map(bo->handle, offset * PAGE, VA + first * PAGE, size * PAGE, flags);
	return op;
}

static uint64_t word_of(const struct programme *p, uint32_t handle)
{
	unsigned int i;

	for (i = 0; i < p->num_bos; i++) {
		if (p->bos[i].handle == handle)
			return p->bos[i].word;
	}
	return 0;
}

static void model(struct programme *p, const struct drm_panthor_vm_bind_op *op)
{
	uint64_t i, first = (op->va - VA) / PAGE;
	bool unmap = (op->flags & DRM_PANTHOR_VM_BIND_OP_TYPE_MASK) == (uint32_t)OP_UNMAP;

	for (i = 0; i < op->size / PAGE; i++) {
		struct page *page = &p->pages[first + i];

		*page = (struct page){
			.mapped = !unmap,
			.readonly = op->flags & READONLY,
			.sparse = op->flags & SPARSE,
		};
		if (!unmap && !page->sparse)
			page->word = word_of(p, op->bo_handle) +
				     op->bo_offset / PAGE + i;
	}
}

/* Both as they are told by the mock: page by page, but run by run */
static void compare(struct programme *p, unsigned int n)
{
	uint64_t page = 0, i;
	unsigned int r, count;
	struct run *runs;

	count = read_tables(&runs);
	for (r = 0; r < count; r++) {
		uint64_t first = (runs[r].va - VA) / PAGE;

		if (runs[r].va < VA || first >= PAGES)
			continue;
		for (; page < first; page++)
			check(!p->pages[page].mapped,
			      "bind %u: page %" PRIu64 " is not mapped", n, page);
		for (i = 0; i < runs[r].pages; i++, page++) {
			const struct page *expected = &p->pages[page];
			uint64_t word = runs[r].word ? runs[r].word + i : 0;

			check(expected->mapped, "bind %u: page %" PRIu64
			      " is mapped", n, page);
			check(word == expected->word, "bind %u: page %" PRIu64
			      " is %" PRIx64 " instead of %" PRIx64, n, page, word,
			      expected->word);
			check(expected->sparse ||
			      expected->readonly == (runs[r].access[1] == '-'),
			      "bind %u: page %" PRIu64 " is %s", n, page,
			      runs[r].access);
		}
	}
	for (; page < PAGES; page++)
		check(!p->pages[page].mapped, "bind %u: page %" PRIu64
		      " is not mapped", n, page);
	free(runs);
}

static bool has_sparse(struct client *c)
{
	struct drm_panthor_vm_bind_op op = {
		.flags = OP_MAP | SPARSE | NOEXEC, .va = VA, .size = PAGE,
	};
	bool has = !pan_bind(c->vm, &op, 1, false);

	op = pan_unmap(VA, PAGE);
	expect(0, pan_bind(c->vm, &op, 1, false));
	return has;
}

static struct programme begin_programme(const uint64_t *sizes, unsigned int count,
					uint64_t number)
{
	struct programme p = {
		.client = new_client(),
		.pages = calloc(PAGES, sizeof(*p.pages)),
		.num_bos = count,
		.random = number,
	};
	unsigned int i;

	keep_awake(true);
	p.sparse = has_sparse(&p.client);
	for (i = 0; i < count; i++) {
		p.bos[i].pages = sizes[i] / PAGE;
		p.bos[i].word = (uint64_t)(i + 1) << 32;
		p.bos[i].handle = new_bo(sizes[i], p.bos[i].word);
	}
	return p;
}

static void end_programme(struct programme *p)
{
	unsigned int i;

	for (i = 0; i < p->num_bos; i++)
		expect(0, pan_bo_close(p->bos[i].handle));
	end_client(&p->client);
	free(p->pages);
	keep_awake(false);
}

/* Returns how many binds there were before the VM could not be used any more. */
static unsigned int run_programme(struct programme *p, unsigned int length)
{
	unsigned int n;
	int ret;

	for (n = 0; n < length; n++) {
		struct drm_panthor_vm_bind_op op = random_op(p);

		ret = pan_bind(p->client.vm, &op, 1, false);
		if (ret) {
			uint32_t state;

			expect(0, pan_vm_state(p->client.vm, &state));
			check(state == DRM_PANTHOR_VM_STATE_UNUSABLE, "bind %u: %s",
			      n, result_name(ret));
			return n;
		}
		model(p, &op);
		if (n % 10 == 9)
			compare(p, n);
	}
	compare(p, n);
	return n;
}

/* BOs below 2 MiB have no entries of 2 MiB, which nothing can go wrong with. */
static void test_small(void)
{
	static const uint64_t sizes[] = {
		4 * PAGE, K64, 5 * K64 + PAGE, 31 * K64, M2 - PAGE,
	};
	unsigned int i, n, total = 0;

	for (i = 0; i < 4; i++) {
		struct programme p = begin_programme(sizes, ARRAY_SIZE(sizes),
						     seed + i);

		n = run_programme(&p, rounds);
		check(n == rounds, "the VM is unusable after %u binds", n);
		total += n;
		end_programme(&p);
	}
	printf("# seed %" PRIu64 ": %u binds\n", seed, total);
}

/*
 * With larger BOs panthor makes entries of 2 MiB wherever memory and addresses allow,
 * but before a cut looks for pages of 2 MiB, not for entries: a VM can become
 * unusable, with any core.
 */
static void test_large(void)
{
	static const uint64_t sizes[] = {
		4 * PAGE, 31 * K64, M2, 8 * M2 + PAGE, 32 * M2,
	};
	unsigned int i, n, total = 0, lost = 0;

	for (i = 0; i < 4; i++) {
		struct programme p = begin_programme(sizes, ARRAY_SIZE(sizes),
						     seed + 100 + i);

		n = run_programme(&p, rounds);
		lost += n != rounds;
		total += n;
		end_programme(&p);
	}
	printf("# seed %" PRIu64 ": %u binds, %u of %u VMs became unusable\n", seed,
	       total, lost, i);
}

/*
 * Deliberately: the BO is mapped at ever other addresses until some of its memory,
 * which is made of small pages, lies as an entry of 2 MiB wants it. Then a page is cut
 * out of each 2 MiB.
 */
static void test_cut_of_large_entry(void)
{
	const uint64_t size = 16 * M2;
	struct client c = new_client();
	uint32_t bo = new_bo(size, 1ULL << 32), state;
	struct drm_panthor_vm_bind_op op;
	uint64_t shift, at;
	int ret = 0;

	keep_awake(true);
	state = DRM_PANTHOR_VM_STATE_USABLE;
	for (shift = 0; shift < M2; shift += PAGE) {
		op = pan_map(bo, 0, VA + shift, size, NOEXEC);
		expect(0, pan_bind(c.vm, &op, 1, false));
		if (count_large_entries())
			break;
		op = pan_unmap(VA + shift, size);
		expect(0, pan_bind(c.vm, &op, 1, false));
	}
	if (shift == M2)
		skip("no memory lies as an entry of 2 MiB wants it");
	for (at = M2; at < size && state == DRM_PANTHOR_VM_STATE_USABLE; at += M2) {
		op = pan_unmap(VA + at + 5 * PAGE, PAGE);
		ret = pan_bind(c.vm, &op, 1, false);
		expect(0, pan_vm_state(c.vm, &state));
	}
	if (state == DRM_PANTHOR_VM_STATE_USABLE)
		printf("# panthor has been mended: the VM can be used still\n");
	else
		printf("# panthor's mistake: the unmap ends with %s, the VM is unusable\n",
		       result_name(ret));
	end_client(&c);
	keep_awake(false);
}

const struct test known_tests[] = {
	{ "a page is cut out of an entry of 2 MiB of small pages",
	  test_cut_of_large_entry },
	{}
};

const struct test random_tests[] = {
	{ "random binds of small BOs, each page compared", test_small },
	{ "random binds of large BOs, each page compared", test_large },
	{}
};
