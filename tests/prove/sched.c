// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Runs a scene with every schedule up to a number of preemptions. A schedule is a
 * list of decisions, each at a step where more than one thread could go on; the
 * next one differs in the last decision that had another choice left.
 *
 * Which steps count: locks, atomics and volatile accesses, of which
 *
 *  - more than one thread takes one at the same place, and one of them writes;
 *  - not all are taken under one and the same lock, which then decides.
 *
 * In front of any other step a preemption can be put off until behind it, and what
 * comes out is the same. Places are told by who allocated the memory, as his
 * how manieth, and by the offset, which are the same in all schedules. What counts
 * is learned: a place that turns out to count later has the scene begun anew.
 *
 * Other accesses are no steps. That is enough if there are no races among them,
 * and that is checked, by vector clocks, along each schedule.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/types.h>

#include "memory.h"
#include "sched.h"
#include "shim.h"

#define MAX_STEPS	20000u
#define NR_PLACES	8192u

/* A place that threads step on. */
struct place {
	u64 key;
	unsigned int readers, writers;
	u64 locks;
	int lock_nr;
	bool known, counts;
};

struct thread {
	ucontext_t context;
	bool done;
	bool (*ready)(const void *arg);
	const void *arg;
	const char *waits_for;
	u64 locks;
};

struct decision {
	unsigned char options[SCHED_THREADS], nr, taken;
};

struct trace {
	unsigned char thread, step;
	bool decided;
	u64 key;
	const void *caller;
	const char *name;
};

static struct place places[NR_PLACES];
static struct thread threads[SCHED_THREADS];
static struct decision decisions[MAX_STEPS];
static struct trace trace[MAX_STEPS];

static const struct sched_scene *scene;
static ucontext_t main_context;
static unsigned int nr_locks, nr_decisions, depth, nr_steps;
static unsigned int self, preemptions, max_preemptions;
static bool running, learned;
static const char *replayed;
static void *stack_for_signals;

unsigned int sched_self(void)
{
	return self;
}

bool sched_running(void)
{
	return running;
}

bool sched_others_done(unsigned int but)
{
	for (unsigned int i = 1; i < SCHED_THREADS; i++) {
		if (i != but && !threads[i].done)
			return false;
	}
	return true;
}

/* ---- Failures ---------------------------------------------------------- */

static void print_place(u64 key)
{
	unsigned int thread = key >> 48, nth = key >> 24 & 0xffffff;

	if (nth == 0xffffff)
		printf("stack of %u", thread);
	else
		printf("memory %u of %u, +%u", nth, thread, (unsigned int)(key & 0xffffff));
}

/* Function and line of a step, as far as addr2line is there. */
static void print_callers(void)
{
	char command[64 + 20 * 64];
	int n;

	for (unsigned int i = 0; i < nr_steps; i += 64) {
		n = snprintf(command, sizeof(command), "addr2line -sfp -e /proc/%d/exe", getpid());
		for (unsigned int j = i; j < nr_steps && j < i + 64; j++)
			n += snprintf(command + n, sizeof(command) - n, " %p",
				      trace[j].caller - 1);
		fflush(stdout);
		FILE *lines = popen(command, "r");
		char line[200];

		for (unsigned int j = i; j < nr_steps && j < i + 64; j++) {
			struct trace *t = &trace[j];

			if (!lines || !fgets(line, sizeof(line), lines))
				snprintf(line, sizeof(line), "%p\n", t->caller);
			printf("# %4u %s thread %u: %s of ", j, t->decided ? ">" : " ",
			       t->thread, t->name);
			print_place(t->key);
			printf(" in %s", line);
		}
		if (lines)
			pclose(lines);
	}
}

static void print_schedule(void)
{
	const char *comma = "";

	printf("# again: SCHEDULE=");
	for (unsigned int i = 0; i < nr_steps; i++) {
		if (trace[i].decided) {
			printf("%s%u:%u", comma, i, trace[i].thread);
			comma = ",";
		}
	}
	printf(" %s %s\n", program_invocation_name, scene ? scene->name : "");
}

void sched_fail(const char *text, ...)
{
	static bool failed;
	va_list args;

	if (failed)
		_exit(1);
	failed = true;
	running = false;
	print_callers();
	printf("# %s, thread %u: ", scene ? scene->name : "", self);
	va_start(args, text);
	vprintf(text, args);
	va_end(args);
	printf("\n");
	print_schedule();
	fflush(stdout);
	_exit(1);
}

static void on_signal(int nr)
{
	sched_fail("signal %d", nr);
}

/* ---- Places ------------------------------------------------------------ */

static struct place *place_of(u64 key)
{
	unsigned int i = (key * 0x9e3779b97f4a7c15ull) >> 51;
	struct place *place;

	for (place = &places[i]; place->known && place->key != key;
	     place = &places[++i % NR_PLACES])
		;
	if (!place->known)
		*place = (struct place) { .key = key, .known = true, .locks = ~0ull,
					  .lock_nr = -1 };

	return place;
}

static void learn(struct place *place, enum sched_step step)
{
	bool counts;

	if (step == STEP_READ)
		place->readers |= BIT(self);
	else
		place->writers |= BIT(self);
	place->locks &= threads[self].locks;

	counts = place->writers && !place->locks &&
		 __builtin_popcount(place->readers | place->writers) > 1;
	if (counts && !place->counts) {
		place->counts = true;
		learned = true;
	}
}

void sched_locked(const volatile void *addr)
{
	struct place *place = place_of(memory_key(addr));

	if (!running)
		return;
	if (place->lock_nr < 0) {
		place->lock_nr = nr_locks++;
		if (nr_locks > 64)
			sched_fail("too many locks");
	}
	threads[self].locks |= 1ull << place->lock_nr;
}

void sched_unlocked(const volatile void *addr)
{
	if (running)
		threads[self].locks &= ~(1ull << place_of(memory_key(addr))->lock_nr);
}

/* ---- Decisions --------------------------------------------------------- */

static bool can_run(unsigned int i)
{
	struct thread *thread = &threads[i];

	return !thread->done && (!thread->ready || thread->ready(thread->arg));
}

static void switch_to(unsigned int next)
{
	unsigned int from = self;

	if (next == from)
		return;
	self = next;
	shim.thread = next;
	swapcontext(from ? &threads[from].context : &main_context,
		    next ? &threads[next].context : &main_context);
}

/* The thread of a replayed schedule for this step, 0 if it has none. */
static unsigned int replayed_choice(void)
{
	unsigned int step, thread;
	const char *p = replayed;
	int n;

	while (sscanf(p, "%u:%u%n", &step, &thread, &n) == 2) {
		if (step == nr_steps)
			return thread;
		p += n;
		if (*p++ != ',')
			break;
	}
	return 0;
}

static unsigned int decide(const unsigned char *options, unsigned int nr)
{
	struct decision *d = &decisions[depth];

	if (nr == 1)
		return options[0];
	if (replayed) {
		unsigned int wanted = replayed_choice();

		for (unsigned int i = 0; i < nr; i++) {
			if (options[i] == wanted)
				return wanted;
		}
		return options[0];
	}
	if (depth == nr_decisions) {
		memcpy(d->options, options, nr);
		d->nr = nr;
		d->taken = 0;
		nr_decisions++;
	}
	depth++;

	return d->options[d->taken];
}

/* Who goes on? Without @can_go_on, which is for free, it is not this one. */
static void choose(bool can_go_on)
{
	unsigned char options[SCHED_THREADS];
	unsigned int nr = 0, next;

	if (can_go_on)
		options[nr++] = self;
	for (unsigned int i = 1; i < SCHED_THREADS; i++) {
		if (i != self && can_run(i) &&
		    (!can_go_on || replayed || preemptions < max_preemptions))
			options[nr++] = i;
	}
	if (!nr)
		sched_fail("nobody can go on: 1 waits for %s, 2 for %s, 3 for %s",
			   threads[1].waits_for ?: "-", threads[2].waits_for ?: "-",
			   threads[3].waits_for ?: "-");

	next = decide(options, nr);
	if (next != self) {
		preemptions += can_go_on;
		if (nr_steps < MAX_STEPS)
			trace[nr_steps].decided = true;
		switch_to(next);
	}
}

static void note_step(enum sched_step step, u64 key, const void *caller,
		      const char *name)
{
	bool decided = trace[nr_steps].decided && nr_steps;

	if (nr_steps >= MAX_STEPS - 1)
		sched_fail("this does not end");
	trace[nr_steps] = (struct trace) {
		.thread = self, .step = step, .decided = decided, .key = key,
		.caller = caller, .name = name,
	};
	nr_steps++;
	trace[nr_steps].decided = false;
}

void sched_step(enum sched_step step, const volatile void *addr, const void *caller,
		const char *name)
{
	struct place *place;
	u64 key;

	if (!running)
		return;

	key = memory_key(addr);
	place = place_of(key);
	learn(place, step);
	if (place->counts || replayed)
		choose(true);
	note_step(step, key, caller, name);
}

void sched_wait(bool (*ready)(const void *arg), const void *arg, const char *name)
{
	struct thread *thread = &threads[self];

	if (!running) {
		if (!ready(arg))
			sched_fail("the only thread waits for %s", name);
		return;
	}
	while (!ready(arg)) {
		thread->ready = ready;
		thread->arg = arg;
		thread->waits_for = name;
		choose(false);
		thread->ready = NULL;
		thread->waits_for = NULL;
	}
}

/* ---- Exploration ------------------------------------------------------- */

static void run_thread(void)
{
	scene->thread[self - 1]();
	threads[self].done = true;

	for (unsigned int i = 1; i < SCHED_THREADS; i++) {
		if (!threads[i].done)
			choose(false);
	}
	switch_to(0);
}

static void setup_once(void)
{
	stack_t stack = { .ss_size = STACK_SIZE };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };

	if (stack_for_signals)
		return;

	memory_setup();
	stack_for_signals = malloc(STACK_SIZE);
	if (!stack_for_signals)
		abort();
	stack.ss_sp = stack_for_signals;
	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGFPE, &action, NULL);
	sigaction(SIGABRT, &action, NULL);
}

static void run_once(void)
{
	memory_begin();
	nr_steps = 0;
	trace[0].decided = false;
	depth = 0;
	preemptions = 0;
	self = 0;
	memset(&shim, 0, sizeof(shim));
	for (unsigned int i = 0; i < SCHED_THREADS; i++) {
		struct thread *t = &threads[i];

		t->done = !i || !scene->thread[i - 1];
		t->ready = NULL;
		t->waits_for = NULL;
		t->locks = 0;
	}

	scene->begin();
	memory_threads_begin();
	for (unsigned int i = 1; i < SCHED_THREADS; i++) {
		if (threads[i].done)
			continue;
		getcontext(&threads[i].context);
		threads[i].context.uc_stack.ss_sp = memory_stack(i);
		threads[i].context.uc_stack.ss_size = STACK_SIZE;
		makecontext(&threads[i].context, run_thread, 0);
	}
	running = true;
	choose(false);
	running = false;
	memory_threads_end();
	scene->end();
	if (shim.splats)
		sched_fail("a splat");
}

/* The next schedule; false if that was the last one. */
static bool next_schedule(void)
{
	while (nr_decisions) {
		struct decision *d = &decisions[nr_decisions - 1];

		if (++d->taken < d->nr)
			return true;
		nr_decisions--;
	}
	return false;
}

static void scene_begin(const struct sched_scene *new)
{
	setup_once();
	scene = new;
	memset(places, 0, sizeof(places));
	nr_locks = 0;
	nr_decisions = 0;
}

struct sched_result sched_explore(const struct sched_scene *new, unsigned int limit)
{
	struct sched_result result = {};

	scene_begin(new);
	max_preemptions = limit;
	do {
		learned = false;
		run_once();
		result.schedules++;
		result.steps += nr_steps;
		if (learned) {
			nr_decisions = 0;
			result = (struct sched_result) {};
			continue;
		}
		if (!next_schedule())
			break;
	} while (true);

	return result;
}

void sched_replay(const struct sched_scene *new, const char *schedule)
{
	scene_begin(new);
	replayed = schedule;
	run_once();
	replayed = NULL;
}
