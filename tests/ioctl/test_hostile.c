// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * vbind-test: a hostile process does its worst while a polite one binds a page and
 * runs a command, over and over. Prints the longest wait of the polite one, for each
 * kind of hostility in each mode; four rounds are a millisecond of it.
 */

#include "test.h"

static uint32_t hostile_vm, hostile_bo;

static void waiting_jobs(void)
{
	struct drm_vbind_cmd cmd = vbind_cmd_wait(1000000);
	unsigned int i;

	for (i = 0; i < 2 * DRM_VBIND_MAX_JOBS; i++)
		vbind_exec(fd, hostile_vm, i % DRM_VBIND_NUM_QUEUES, &cmd, 1, NULL,
			   0, NULL);
}

static void working_jobs(void)
{
	static struct drm_vbind_cmd cmds[DRM_VBIND_MAX_CMDS];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cmds) / 8; i++)
		cmds[i] = vbind_cmd_fill(VA_START, BO_SIZE, i, 1);
	for (i = 0; i < 64; i++)
		vbind_exec(fd, hostile_vm, i % DRM_VBIND_NUM_QUEUES, cmds,
			   ARRAY_SIZE(cmds) / 8, NULL, 0, NULL);
}

static void long_arrays(void)
{
	static struct drm_vbind_bind binds[DRM_VBIND_MAX_BINDS];
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(binds); i++) {
		binds[i] = map_bind(VA_START + i % 1000 * PAGE,
				    (1 + i % 64) * PAGE, 0);
		binds[i].handle = hostile_bo;
	}
	for (i = 0; i < 16; i++)
		vbind_vm_bind_async(fd, hostile_vm, binds, ARRAY_SIZE(binds), NULL,
				    0, NULL);
}

/* As many as there can be; then all go in one bind. */
static void many_mappings(uint64_t stride)
{
	static struct drm_vbind_bind binds[DRM_VBIND_MAX_BINDS];
	uint64_t addr = 0;
	uint32_t id, i;

	if (vbind_vm_create(fd, 0, 1ULL << 48, 0, 0, mode, &id))
		return;
	do {
		for (i = 0; i < ARRAY_SIZE(binds); i++, addr += stride)
			binds[i] = range_bind(SPARSE, addr, PAGE);
	} while (!vbind_vm_bind(fd, id, binds, ARRAY_SIZE(binds), NULL));
	vbind_unmap(fd, id, 0, 1ULL << 48);
	vbind_vm_destroy(fd, id);
}

static void small_mappings(void)
{
	many_mappings(2 * PAGE);
}

static void many_tables(void)
{
	many_mappings(4 << 20);
}

static void prefetches(void)
{
	static struct drm_vbind_bind binds[DRM_VBIND_MAX_BINDS];
	uint32_t i;

	for (i = 0; i < 128; i++)
		binds[i] = range_bind(SPARSE, VA_START + 2 * i * PAGE, PAGE);
	vbind_vm_bind(fd, hostile_vm, binds, 128, NULL);
	for (i = 0; i < ARRAY_SIZE(binds); i++)
		binds[i] = range_bind(PREFETCH, VA_START, 256 * PAGE);
	vbind_vm_bind(fd, hostile_vm, binds, ARRAY_SIZE(binds), NULL);
	vbind_vm_bind(fd, hostile_vm, binds, 512, NULL);
	vbind_vm_bind_async(fd, hostile_vm, binds, 512, NULL, 0, NULL);
}

static void vms(void)
{
	uint32_t ids[32], i;

	for (i = 0; i < ARRAY_SIZE(ids); i++)
		vbind_vm_create(fd, VA_START, VA_RANGE, 0, 0, mode, &ids[i]);
	for (i = 0; i < ARRAY_SIZE(ids); i++)
		vbind_vm_destroy(fd, ids[i]);
}

static void all_of_it(void)
{
	waiting_jobs();
	working_jobs();
	long_arrays();
	small_mappings();
	many_tables();
	prefetches();
	vms();
}

static const struct {
	const char *name;
	void (*hurt)(void);
} hostilities[] = {
	{ "jobs that wait", waiting_jobs },
	{ "jobs that work", working_jobs },
	{ "long arrays", long_arrays },
	{ "mappings", small_mappings },
	{ "page tables", many_tables },
	{ "prefetches", prefetches },
	{ "VMs", vms },
	{ "all of it", all_of_it },
};

static pid_t start_hostile(unsigned int i)
{
	pid_t child = fork();

	check(child >= 0, "fork: %s", strerror(errno));
	if (child)
		return child;

	close(fd);
	fd = open_device();
	if (vbind_vm_create(fd, VA_START, VA_RANGE, 0, 0, mode, &hostile_vm) ||
	    vbind_gem_create(fd, BO_SIZE, 0, 0, &hostile_bo) ||
	    vbind_map(fd, hostile_vm, VA_START, BO_SIZE, hostile_bo, 0))
		_exit(1);
	for (;;)
		hostilities[i].hurt();
}

static void run_hostile(unsigned int i)
{
	double bind = 0, exec = 0, begin, end;
	pid_t child = start_hostile(i);
	uint32_t n = 0;
	int status;

	usleep(100000);
	end = seconds() + rounds / 4000.0 + 0.2;
	while (!n || seconds() < end) {
		begin = seconds();
		expect(0, vbind_map(fd, vm, VA_START + n % 64 * PAGE, PAGE, bo, 0));
		if (seconds() - begin > bind)
			bind = seconds() - begin;
		begin = seconds();
		run_cmd(vm, vbind_cmd_write(VA_START + n % 64 * PAGE, n));
		n++;
		if (seconds() - begin > exec)
			exec = seconds() - begin;
		usleep(1000);
	}
	check(!waitpid(child, &status, WNOHANG), "the hostile process gave up");
	begin = seconds();
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	printf("# %s, %s: longest wait for a bind %.1f ms, for a command %.1f ms",
	       hostilities[i].name, mode ? "immediate" : "staged", bind * 1000,
	       exec * 1000);
	printf(", of %u; the end took %.1f ms\n", n, (seconds() - begin) * 1000);
}

static void test_hostile(void)
{
	unsigned int i;

	for (i = 0; i < 2 * ARRAY_SIZE(hostilities); i++) {
		mode = i % 2 ? DRM_VBIND_VM_IMMEDIATE : 0;
		setup();
		run_hostile(i / 2);
		expect(0, vbind_vm_destroy(fd, vm));
	}
}

const struct test hostile_tests[] = {
	{ "hostile: the longest wait of a polite process", test_hostile, false },
	{}
};
