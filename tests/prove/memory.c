// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Memory that sees each access: whether what is accessed is there, and whether it
 * is in order with what other threads did, by vector clocks. What the compiler
 * makes of "-fsanitize=thread" ends up here. Atomics order as in the kernel, not
 * as on the machine that this runs on.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/types.h>

#include "memory.h"
#include "sched.h"

#define ARENA_SIZE	(512u << 10)
#define REGION_SIZE	(ARENA_SIZE + SCHED_THREADS * STACK_SIZE)
#define GRANULE		4u
#define MAX_ALLOCS	1024u

typedef u32 clock_vector[SCHED_THREADS];

/* What was done to four bytes: by the last who wrote, and by all who read. */
struct cell {
	u32 run;
	u16 owner;
	u8 writer, plain_write, plain_readers;
	u32 written;
	clock_vector read;
};

/* What a release left at four bytes. */
struct sync {
	u32 run;
	clock_vector clock;
};

struct allocation {
	char *p;
	size_t size;
	unsigned int thread, nth;
	bool freed;
};

/* How far each thread is, and what it knows of the others. */
struct clocks {
	clock_vector clock;

	/* What a full barrier would make of the relaxed reads before it. */
	clock_vector relaxed;
	unsigned int allocs;
};

static char *region;
static struct cell *cells;
static struct sync *syncs;
static struct allocation allocs[MAX_ALLOCS];
static struct clocks clocks[SCHED_THREADS];
static u32 run;
static size_t arena_used;
static unsigned int nr_allocs;

static bool in_region(const volatile void *p)
{
	return (const char *)p >= region && (const char *)p < region + REGION_SIZE;
}

static struct cell *cell_of(const volatile void *p)
{
	struct cell *cell = &cells[((const char *)p - region) / GRANULE];

	if (cell->run != run)
		*cell = (struct cell) { .run = run };

	return cell;
}

static struct sync *sync_of(const volatile void *p)
{
	struct sync *sync = &syncs[((const char *)p - region) / GRANULE];

	if (sync->run != run)
		*sync = (struct sync) { .run = run };

	return sync;
}

/* The same in each schedule: whose memory, as his how manieth, and where in it. */
u64 memory_key(const volatile void *p)
{
	size_t offset = (const char *)p - region;
	struct allocation *a;

	if (!in_region(p))
		return (0xffull << 56) | ((uintptr_t)p & 0xffffffffffffull);
	if (offset >= ARENA_SIZE) {
		offset -= ARENA_SIZE;
		return (u64)(offset / STACK_SIZE) << 48 | 0xffffffull << 24 |
		       offset % STACK_SIZE;
	}

	a = &allocs[cell_of(p)->owner];

	return (u64)a->thread << 48 | (u64)a->nth << 24 |
	       ((const char *)p - a->p);
}

/* ---- Order, and accesses ----------------------------------------------- */

static void join(clock_vector to, const clock_vector from)
{
	for (unsigned int i = 0; i < SCHED_THREADS; i++)
		to[i] = max(to[i], from[i]);
}

void sched_acquire(const volatile void *addr)
{
	if (in_region(addr))
		join(clocks[sched_self()].clock, sync_of(addr)->clock);
}

void sched_release(const volatile void *addr)
{
	unsigned int self = sched_self();

	if (in_region(addr)) {
		join(sync_of(addr)->clock, clocks[self].clock);
		clocks[self].clock[self]++;
	}
}

static void check_live(const char *p, const struct cell *cell, const void *caller)
{
	struct allocation *a;

	if (p >= region + ARENA_SIZE)
		return;

	a = &allocs[cell->owner];
	if (!cell->owner || p >= a->p + a->size)
		sched_fail("access to memory that is nobody's, at %p", caller);
	if (a->freed)
		sched_fail("use after free: memory %u of thread %u, +%zu, at %p", a->nth,
			   a->thread, p - a->p, caller);
}

static void check_race(const struct cell *cell, bool write, bool marked,
		       const void *caller)
{
	const u32 *clock = clocks[sched_self()].clock;

	if (cell->written > clock[cell->writer] && (!marked || cell->plain_write))
		sched_fail("data race with a write of thread %u, at %p", cell->writer, caller);
	for (unsigned int i = 0; write && i < SCHED_THREADS; i++) {
		if (cell->read[i] > clock[i] && (!marked || cell->plain_readers & BIT(i)))
			sched_fail("data race with a read of thread %u, at %p", i, caller);
	}
}

static void note_access(struct cell *cell, bool write, bool marked)
{
	unsigned int self = sched_self();
	u32 now = clocks[self].clock[self];

	if (write) {
		cell->writer = self;
		cell->written = now;
		cell->plain_write = !marked;
	} else {
		cell->read[self] = now;
		cell->plain_readers &= ~BIT(self);
		cell->plain_readers |= marked ? 0 : BIT(self);
	}
}

static void note(const volatile void *addr, size_t size, bool write, bool marked,
		 const void *caller)
{
	const char *p = (const char *)addr, *end = p + size;
	struct cell *cell;

	if (!region || !in_region(p))
		return;

	for (; p < end; p = region + ((p - region) / GRANULE + 1) * GRANULE) {
		cell = cell_of(p);
		check_live(p, cell, caller);
		if (sched_running())
			check_race(cell, write, marked, caller);
		note_access(cell, write, marked);
	}
}

#define HERE __builtin_return_address(0)

void sched_touch(const volatile void *addr)
{
	note(addr, sizeof(int), true, true, HERE);
}

#define PLAIN(size)							\
	void __tsan_read##size(void *p) { note(p, size, false, false, HERE); } \
	void __tsan_write##size(void *p) { note(p, size, true, false, HERE); } \
	void __tsan_unaligned_read##size(void *p) { note(p, size, false, false, HERE); } \
	void __tsan_unaligned_write##size(void *p) { note(p, size, true, false, HERE); } \
	void __tsan_volatile_read##size(void *p)			\
	{								\
		sched_step(STEP_READ, p, HERE, "read");			\
		note(p, size, false, true, HERE);			\
	}								\
	void __tsan_volatile_write##size(void *p)			\
	{								\
		sched_step(STEP_WRITE, p, HERE, "write");		\
		note(p, size, true, true, HERE);			\
	}
PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

void __tsan_init(void) {}
void __tsan_read_range(void *p, size_t size) { note(p, size, false, false, HERE); }
void __tsan_write_range(void *p, size_t size) { note(p, size, true, false, HERE); }
void __tsan_func_entry(void *p) {}
void __tsan_func_exit(void) {}

/* Linux's full barriers order what is before them, too: these are sequential. */
static void ordered(const volatile void *p, int order, bool released)
{
	struct clocks *mine = &clocks[sched_self()];

	if (in_region(p))
		join(mine->relaxed, sync_of(p)->clock);
	if (order == __ATOMIC_SEQ_CST)
		join(mine->clock, mine->relaxed);
	if (order == __ATOMIC_ACQUIRE || order == __ATOMIC_ACQ_REL)
		sched_acquire(p);
	if (released && (order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL ||
			 order == __ATOMIC_SEQ_CST))
		sched_release(p);
}

static void atomic_step(const volatile void *p, size_t size, bool write,
			const void *caller, const char *name)
{
	sched_step(write ? STEP_WRITE : STEP_READ, p, caller, name);
	note(p, size, write, true, caller);
}

#define ATOMIC(bits, type)						\
	type __tsan_atomic##bits##_load(const volatile type *p, int order) \
	{								\
		atomic_step(p, sizeof(type), false, HERE, "atomic read"); \
		ordered(p, order, false);				\
		return *p;						\
	}								\
	void __tsan_atomic##bits##_store(volatile type *p, type v, int order) \
	{								\
		atomic_step(p, sizeof(type), true, HERE, "atomic write"); \
		ordered(p, order, true);				\
		*p = v;							\
	}								\
	type __tsan_atomic##bits##_exchange(volatile type *p, type v, int order) \
	{								\
		atomic_step(p, sizeof(type), true, HERE, "exchange");	\
		ordered(p, order, true);				\
		type old = *p;						\
		*p = v;							\
		return old;						\
	}								\
	type __tsan_atomic##bits##_fetch_add(volatile type *p, type v, int order) \
	{								\
		atomic_step(p, sizeof(type), true, HERE, "add");	\
		ordered(p, order, true);				\
		type old = *p;						\
		*p = old + v;						\
		return old;						\
	}								\
	type __tsan_atomic##bits##_fetch_sub(volatile type *p, type v, int order) \
	{								\
		atomic_step(p, sizeof(type), true, HERE, "subtract");	\
		ordered(p, order, true);				\
		type old = *p;						\
		*p = old - v;						\
		return old;						\
	}								\
	int __tsan_atomic##bits##_compare_exchange_strong(volatile type *p, \
		type *expected, type v, int order, int failed)		\
	{								\
		bool same;						\
		atomic_step(p, sizeof(type), true, HERE, "compare and exchange"); \
		same = *p == *expected;					\
		ordered(p, same ? order : failed, same);		\
		if (same)						\
			*p = v;						\
		else							\
			*expected = *p;					\
		return same;						\
	}
ATOMIC(32, u32)
ATOMIC(64, u64)

/* ---- Memory ------------------------------------------------------------ */

void *sched_alloc(size_t size)
{
	struct allocation *a = &allocs[++nr_allocs];
	size_t room = (size + 31) & ~15ul;

	if (nr_allocs >= MAX_ALLOCS - 1 || arena_used + room > ARENA_SIZE)
		sched_fail("out of memory");

	*a = (struct allocation) { .p = region + arena_used, .size = size,
				   .thread = sched_self(),
				   .nth = ++clocks[sched_self()].allocs };
	arena_used += room;
	for (size_t i = 0; i < room; i += GRANULE)
		cell_of(a->p + i)->owner = nr_allocs;

	return memset(a->p, 0, size);
}

void sched_free(const void *p)
{
	struct allocation *a;

	if (!p)
		return;

	a = &allocs[cell_of(p)->owner];
	if (a->p != p)
		sched_fail("free of what was not allocated");
	if (a->freed)
		sched_fail("double free");
	/* Whoever still uses it races with its end. */
	note(p, a->size, true, false, HERE);
	a->freed = true;
}

unsigned int sched_live(void)
{
	unsigned int live = 0;

	for (unsigned int i = 1; i <= nr_allocs; i++)
		live += !allocs[i].freed;

	return live;
}

char *memory_stack(unsigned int i)
{
	return region + ARENA_SIZE + i * STACK_SIZE;
}

void memory_setup(void)
{
	region = mmap(NULL, REGION_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	cells = calloc(REGION_SIZE / GRANULE, sizeof(*cells));
	syncs = calloc(REGION_SIZE / GRANULE, sizeof(*syncs));
	if (region == MAP_FAILED || !cells || !syncs)
		abort();
}

void memory_begin(void)
{
	run++;
	arena_used = 0;
	nr_allocs = 0;
	memset(clocks, 0, sizeof(clocks));
	for (unsigned int i = 0; i < SCHED_THREADS; i++)
		clocks[i].clock[i] = 1;
}

/* What was done so far is before all that the others do. */
void memory_threads_begin(void)
{
	clocks[0].clock[0]++;
	for (unsigned int i = 1; i < SCHED_THREADS; i++)
		join(clocks[i].clock, clocks[0].clock);
}

void memory_threads_end(void)
{
	for (unsigned int i = 1; i < SCHED_THREADS; i++)
		join(clocks[0].clock, clocks[i].clock);
}
