// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* vbind-test: processes that die, and threads that use the same VMs and BOs. */

#include "test.h"

/* Processes that die */

static void __attribute__((noreturn)) bind_forever(int prime)
{
	struct drm_vbind_bind binds[64];
	uint32_t handle, id, i, turn;
	int file = vbind_open();

	if (file < 0 || drmPrimeFDToHandle(file, prime, &handle) ||
	    vbind_vm_create(file, VA_START, VA_RANGE, RSV_START, RSV_RANGE, mode,
			    &id))
		_exit(1);

	for (turn = 0;; turn++) {
		for (i = 0; i < ARRAY_SIZE(binds); i++) {
			binds[i] = map_bind(VA_START + (i * 7 + turn) % 128 * PAGE,
					    (1 + i % 5) * PAGE, i % 32 * PAGE);
			binds[i].handle = handle;
		}
		if (vbind_vm_bind(file, id, binds, ARRAY_SIZE(binds), NULL))
			_exit(1);
		if (!turn)
			kill(getppid(), SIGUSR1);
	}
}

static void kill_in_the_middle(int prime, unsigned int delay_us)
{
	sigset_t set;
	int signal_number, status;
	pid_t child;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fflush(stdout);
	child = fork();
	if (!child)
		bind_forever(prime);
	check(child > 0, "fork: %s", strerror(errno));

	sigwait(&set, &signal_number);
	usleep(delay_us);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	check(WIFSIGNALED(status), "the child failed");
}

static void test_killed_process(void)
{
	uint32_t other_vm;
	int prime, i;

	setup();
	check(!drmPrimeHandleToFD(fd, bo, DRM_CLOEXEC | DRM_RDWR, &prime),
	      "export: %s", strerror(errno));
	other_vm = new_vm(mode ^ DRM_VBIND_VM_IMMEDIATE);
	for (i = 0; i < 20; i++) {
		kill_in_the_middle(prime, i * 500);
		check_stats(1, 2, 0);
		/* Would not work if one of the child's mappings were left. */
		expect(0, vbind_map(fd, other_vm, VA_START, PAGE, bo, 0));
		expect(0, vbind_unmap(fd, other_vm, VA_START, PAGE));
	}
	close(prime);
}

/* Threads */

#define NUM_THREADS 4

struct worker {
	pthread_t thread;
	int file;
	uint32_t vm_ids[2];
	uint32_t handles[4];
	uint64_t random;
	int error;
};

static void random_worker_bind(struct worker *w, struct drm_vbind_bind *bind)
{
	unsigned int page = random_below(&w->random, 64);

	*bind = range_bind(random_below(&w->random, 4), VA_START + page * PAGE,
			   (1 + random_below(&w->random, 16)) * PAGE);
	if (bind->type == MAP) {
		bind->handle = w->handles[random_below(&w->random, 4)];
		bind->offset = random_below(&w->random, 48) * PAGE;
	}
}

static void *run_worker(void *arg)
{
	struct worker *w = arg;
	unsigned int round, i;
	int ret;

	for (round = 0; round < rounds / 4 && !w->error; round++) {
		struct drm_vbind_bind binds[8];
		uint32_t id = w->vm_ids[random_below(&w->random, 2)];
		unsigned int count = 1 + random_below(&w->random, 8);

		for (i = 0; i < count; i++)
			random_worker_bind(w, &binds[i]);
		w->error = vbind_vm_bind(w->file, id, binds, count, NULL);
		if (!w->error && !(round % 16)) {
			ret = vbind_vm_query(w->file, id, NULL, NULL);
			w->error = ret < 0 ? ret : 0;
		}
	}
	return NULL;
}

/* Four threads bind four shared BOs in two shared VMs and in one of their own. */
static void test_threads(void)
{
	struct worker workers[NUM_THREADS] = {};
	uint32_t shared, handles[4];
	int i, j;

	printf("# seed %" PRIu64 "\n", seed);
	shared = new_vm(mode);
	for (j = 0; j < 4; j++)
		handles[j] = new_bo(BO_SIZE);
	for (i = 0; i < NUM_THREADS; i++) {
		workers[i].file = fd;
		workers[i].vm_ids[0] = shared;
		workers[i].vm_ids[1] = new_vm(mode);
		workers[i].random = seed + i;
		memcpy(workers[i].handles, handles, sizeof(handles));
	}
	for (i = 0; i < NUM_THREADS; i++)
		check(!pthread_create(&workers[i].thread, NULL, run_worker,
				      &workers[i]), "no thread");
	for (i = 0; i < NUM_THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	for (i = 0; i < NUM_THREADS; i++)
		expect(0, workers[i].error);
}

/* The same, with signals that interrupt the calls */
static void on_alarm(int signal_number)
{
	(void)signal_number;
}

static void test_threads_with_signals(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = {
		.it_interval.tv_usec = 700,
		.it_value.tv_usec = 700,
	};

	/* Without SA_RESTART */
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	test_threads();
	timer = (struct itimerval){};
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void *destroy_worker(void *arg)
{
	struct worker *w = arg;

	usleep(random_below(&w->random, 3000));
	w->error = vbind_vm_destroy(w->file, w->vm_ids[0]);
	return NULL;
}

/* A VM goes while others bind in it: they get an error, and nothing is left. */
static void test_destroy_under_use(void)
{
	unsigned int round;
	int i;

	setup();
	for (round = 0; round < 20; round++) {
		struct worker workers[3] = {};
		uint32_t id = new_vm(mode);

		for (i = 0; i < 3; i++) {
			workers[i].file = fd;
			workers[i].random = seed + 3 * round + i;
			workers[i].vm_ids[0] = id;
			workers[i].vm_ids[1] = id;
			workers[i].handles[0] = bo;
			workers[i].handles[1] = bo;
			workers[i].handles[2] = bo;
			workers[i].handles[3] = bo;
			check(!pthread_create(&workers[i].thread, NULL,
					      i ? run_worker : destroy_worker,
					      &workers[i]), "no thread");
		}
		for (i = 0; i < 3; i++)
			pthread_join(workers[i].thread, NULL);
		expect(0, workers[0].error);
		for (i = 1; i < 3; i++)
			check(!workers[i].error || workers[i].error == -ENOENT,
			      "%s", result_name(workers[i].error));
		check_stats(1, 1, 0);
	}
}

const struct test thread_tests[] = {
	{ "a killed process leaves nothing", test_killed_process, true },
	{ "threads bind the same BOs in the same VMs", test_threads, true },
	{ "threads bind while signals interrupt them", test_threads_with_signals, true },
	{ "a VM is destroyed while it is used", test_destroy_under_use, true },
	{}
};
