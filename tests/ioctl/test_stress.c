// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * vbind-test: processes that do everything at once, until they are killed.
 *
 * A child has two VMs and some threads, each of which queues binds and commands,
 * with and without syncobjs, evicts memory and destroys a VM now and then. Its
 * commands may fault; what is checked is that the kernel has no complaints, and
 * that nothing is left of the child.
 */

#include "test.h"

#define NUM_WORKERS	3
#define NUM_BOS		4
#define NUM_KILLS	12

struct process {
	int file;
	int evict;
	uint32_t vms[2];
	uint32_t handles[NUM_BOS];
	uint32_t syncobjs[4];
};

struct stress_worker {
	struct process *process;
	uint64_t random;
};

static void random_bind(struct process *p, uint64_t *random,
			struct drm_vbind_bind *bind)
{
	uint64_t page = random_below(random, 48);

	*bind = range_bind(random_below(random, 5), VA_START + page * PAGE,
			   (1 + random_below(random, 16)) * PAGE);
	if (bind->type == UNMAP_BO)
		*bind = range_bind(UNMAP_BO, 0, 0);
	if (bind->type == MAP)
		bind->offset = random_below(random, 40) * PAGE;
	if (bind->type == MAP || bind->type == UNMAP_BO)
		bind->handle = p->handles[random_below(random, NUM_BOS)];
}

static struct drm_vbind_cmd random_cmd(uint64_t *random)
{
	uint64_t addr = VA_START + random_below(random, 64) * PAGE;
	uint64_t size = (1 + random_below(random, 8)) * PAGE;

	switch (random_below(random, 4)) {
	case 0:
		return vbind_cmd_fill(addr, size, 1, 1);
	case 1:
		return vbind_cmd_copy(addr, VA_START, size);
	case 2:
		return vbind_cmd_compare(addr, size, 0, 0);
	default:
		return vbind_cmd_wait(random_below(random, 2000));
	}
}

static void random_call(struct process *p, uint64_t *random)
{
	uint32_t vm_id = p->vms[random_below(random, 2)];
	struct drm_vbind_bind binds[8];
	struct drm_vbind_cmd cmds[4];
	struct drm_vbind_sync syncs[2];
	uint32_t count, i;

	count = 1 + random_below(random, 8);
	for (i = 0; i < count; i++)
		random_bind(p, random, &binds[i]);
	for (i = 0; i < 4; i++)
		cmds[i] = random_cmd(random);
	syncs[0] = vbind_sync_out(p->syncobjs[random_below(random, 4)], 0);
	syncs[1] = vbind_sync_in(p->syncobjs[random_below(random, 4)], 0);

	/* Errors, say of a syncobj that has no fence yet, do not matter. */
	switch (random_below(random, 8)) {
	case 0:
	case 1:
		vbind_vm_bind(p->file, vm_id, binds, count, NULL);
		break;
	case 2:
	case 3:
		vbind_vm_bind_async(p->file, vm_id, binds, count, syncs,
				    1 + random_below(random, 2), NULL);
		break;
	case 4:
	case 5:
		vbind_exec(p->file, vm_id, random_below(random, 4), cmds,
			   1 + random_below(random, 4), syncs,
			   1 + random_below(random, 2), NULL);
		break;
	case 6:
		vbind_exec_wait(p->file, vm_id, cmds, 2, NULL);
		break;
	case 7:
		if (p->evict >= 0 && write(p->evict, "1", 1) != 1)
			return;
		break;
	}
}

static void *run_stress_worker(void *arg)
{
	struct stress_worker *w = arg;

	for (;;)
		random_call(w->process, &w->random);
	return NULL;
}

/* Does not return. */
static void run_process(int prime, uint64_t random)
{
	struct stress_worker workers[NUM_WORKERS];
	struct process p;
	pthread_t thread;
	int i;

	p.file = vbind_open();
	p.evict = open_evict();
	fd = p.file;
	for (i = 0; i < 2; i++)
		p.vms[i] = new_vm(mode);
	for (i = 0; i < NUM_BOS; i++)
		p.handles[i] = new_bo(BO_SIZE);
	/* One of them is the parent's. */
	if (drmPrimeFDToHandle(p.file, prime, &p.handles[0]))
		_exit(1);
	for (i = 0; i < 4; i++) {
		if (drmSyncobjCreate(p.file, 0, &p.syncobjs[i]))
			_exit(1);
	}
	for (i = 0; i < NUM_WORKERS; i++) {
		workers[i].process = &p;
		workers[i].random = random + i;
		if (pthread_create(&thread, NULL, run_stress_worker, &workers[i]))
			_exit(1);
	}
	for (;;) {
		usleep(20000);
		vbind_vm_destroy(p.file, p.vms[1]);
		p.vms[1] = new_vm(mode);
	}
}

static void test_kill_stress(void)
{
	uint64_t random = seed;
	pid_t children[2];
	int prime, i, j;

	printf("# seed %" PRIu64 "\n", seed);
	setup();
	expect(0, vbind_map(fd, vm, VA_START, BO_SIZE, bo, 0));
	check(!drmPrimeHandleToFD(fd, bo, DRM_CLOEXEC | DRM_RDWR, &prime),
	      "export: %s", strerror(errno));
	for (i = 0; i < NUM_KILLS; i++) {
		fflush(stdout);
		for (j = 0; j < 2; j++) {
			children[j] = fork();
			check(children[j] >= 0, "fork: %s", strerror(errno));
			if (!children[j])
				run_process(prime, seed + 100 * i + 10 * j);
		}
		usleep(20000 + random_below(&random, 200000));
		for (j = 0; j < 2; j++) {
			int status;

			kill(children[j], SIGKILL);
			waitpid(children[j], &status, 0);
			check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
			      "a child has ended by itself");
		}
		check_stats(1, 1, 1);
	}
	close(prime);
	/* What the children did to the memory, they did not do to the mapping. */
	run_cmd(vm, vbind_cmd_fill(VA_START, BO_SIZE, 1, 1));
	run_cmd(vm, vbind_cmd_compare(VA_START, BO_SIZE, 1, 1));
}

const struct test stress_tests[] = {
	{ "stress: processes are killed in the middle of everything",
	  test_kill_stress, true },
	{ NULL, NULL, false },
};
