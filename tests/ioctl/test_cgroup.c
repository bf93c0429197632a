// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * vbind-test: a process in a memory cgroup of 64 MiB makes each kind of thing grow
 * that a file can make grow. It is this process that is stopped, by a limit of the
 * driver's or by its cgroup, and the machine keeps its memory.
 */

#include <sys/mount.h>

#include "test.h"

#define CGROUPS	"/tmp/cgroup"
#define GROUP	CGROUPS "/vbind-test"
#define LIMIT	(64ULL << 20)

/*
 * What the machine may have less, in kilobytes: the limit, as much again for what is
 * not counted, and the memory that KASAN keeps for a while after it was freed
 */
#define ALLOWED	((long)(3 * (LIMIT >> 10)))

static bool write_file(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	bool done = file >= 0 && write(file, text, strlen(text)) > 0;

	if (file >= 0)
		close(file);
	return done;
}

static void need_group(void)
{
	char limit[32];

	mkdir(CGROUPS, 0755);
	if (mount("cgroup", CGROUPS, "cgroup2", 0, NULL) && errno != EBUSY)
		skip("a memory cgroup needs CONFIG_MEMCG and root");
	write_file(CGROUPS "/cgroup.subtree_control", "+memory");
	mkdir(GROUP, 0755);
	snprintf(limit, sizeof(limit), "%llu", LIMIT);
	if (!write_file(GROUP "/memory.max", limit))
		skip("a memory cgroup needs CONFIG_MEMCG");
}

static long available(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128];
	long kb = -1;

	check(file, "meminfo: %s", strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "MemAvailable: %ld kB", &kb) == 1)
			break;
	}
	fclose(file);
	check(kb >= 0, "no MemAvailable");
	return kb;
}

/* These go on until they are stopped, by an error or by the OOM killer. */

static void grow_files(void)
{
	while (vbind_open() >= 0)
		;
}

static void grow_vms(void)
{
	uint32_t id;

	do {
		fd = vbind_open();
		while (fd >= 0 && !vbind_vm_create(fd, VA_START, VA_RANGE, 0, 0,
						   mode, &id))
			;
	} while (fd >= 0);
}

static void grow_sparse(uint64_t stride)
{
	static struct drm_vbind_bind binds[1024];
	uint64_t addr;
	uint32_t i;

	do {
		fd = vbind_open();
		if (fd < 0 || vbind_vm_create(fd, 0, 1ULL << 48, 0, 0, mode, &vm))
			return;
		addr = 0;
		do {
			for (i = 0; i < ARRAY_SIZE(binds); i++, addr += stride)
				binds[i] = range_bind(SPARSE, addr, PAGE);
		} while (!vbind_vm_bind(fd, vm, binds, ARRAY_SIZE(binds), NULL));
	} while (fd >= 0);
}

static void grow_mappings(void)
{
	grow_sparse(2 * PAGE);
}

static void grow_tables(void)
{
	grow_sparse(4 << 20);
}

static void grow_vm_bos(void)
{
	struct drm_vbind_bind bind = {
		.type = MAP, .addr = VA_START, .range = PAGE,
	};
	uint32_t id;

	for (;;) {
		fd = vbind_open();
		if (fd < 0 || vbind_gem_create(fd, PAGE, 0, 0, &bind.handle))
			return;
		while (!vbind_vm_create(fd, VA_START, VA_RANGE, 0, 0, mode, &id) &&
		       !vbind_vm_bind(fd, id, &bind, 1, NULL))
			;
	}
}

static void grow_bos(void)
{
	uint32_t handle;

	do {
		fd = vbind_open();
		while (fd >= 0 && !vbind_gem_create(fd, PAGE, 0, 0, &handle))
			;
	} while (fd >= 0);
}

static void grow_memory(void)
{
	uint32_t handle;

	fd = vbind_open();
	if (fd < 0 || vbind_vm_create(fd, 0, 1ULL << 40, 0, 0, mode, &vm))
		return;
	while (!vbind_gem_create(fd, 4 << 20, 0, 0, &handle) &&
	       !vbind_map(fd, vm, (uint64_t)handle << 22, 4 << 20, handle, 0))
		;
}

static void grow_jobs(void)
{
	static struct drm_vbind_cmd cmds[DRM_VBIND_MAX_CMDS];
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		cmds[i] = vbind_cmd_wait(i ? 0 : 1000000);
	do {
		fd = vbind_open();
		if (fd < 0 || vbind_vm_create(fd, VA_START, VA_RANGE, 0, 0, mode,
					      &vm))
			return;
		while (!vbind_exec(fd, vm, 0, cmds, ARRAY_SIZE(cmds), NULL, 0,
				   NULL))
			;
	} while (fd >= 0);
}

static void grow_syncs(void)
{
	static struct drm_vbind_sync syncs[DRM_VBIND_MAX_SYNCS];
	struct drm_vbind_cmd cmd = vbind_cmd_wait(1000000);
	uint32_t i, handle = 0;

	do {
		fd = vbind_open();
		if (fd < 0 || vbind_vm_create(fd, VA_START, VA_RANGE, 0, 0, mode,
					      &vm))
			return;
		/* A new point takes a look at all those of its timeline: have many. */
		for (i = 0; i < ARRAY_SIZE(syncs); i++) {
			if (i % 16 == 0 && drmSyncobjCreate(fd, 0, &handle))
				return;
			syncs[i] = vbind_sync_out(handle, 1 + i);
		}
		while (!vbind_exec(fd, vm, 0, &cmd, 1, syncs, ARRAY_SIZE(syncs),
				   NULL))
			;
	} while (fd >= 0);
}

static const struct {
	const char *name;
	void (*grow)(void);
} things[] = {
	{ "open files", grow_files },
	{ "VMs", grow_vms },
	{ "mappings", grow_mappings },
	{ "page tables", grow_tables },
	{ "BOs in VMs", grow_vm_bos },
	{ "BOs", grow_bos },
	{ "memory of BOs", grow_memory },
	{ "jobs", grow_jobs },
	{ "syncobjs of jobs", grow_syncs },
};

static void test_thing(unsigned int i)
{
	long before = available(), least = before;
	char pid[16], c;
	int go[2], status;
	pid_t child;

	check(!pipe(go), "pipe: %s", strerror(errno));
	child = fork();
	check(child >= 0, "fork: %s", strerror(errno));
	if (!child) {
		close(fd);
		if (read(go[0], &c, 1) == 1)
			things[i].grow();
		_exit(0);
	}
	snprintf(pid, sizeof(pid), "%d", child);
	check(write_file(GROUP "/cgroup.procs", pid), "cgroup.procs: %s",
	      strerror(errno));
	check(write(go[1], "x", 1) == 1, "pipe: %s", strerror(errno));
	while (!waitpid(child, &status, WNOHANG)) {
		long kb = available();

		least = kb < least ? kb : least;
		usleep(20000);
	}
	close(go[0]);
	close(go[1]);
	printf("# %s: the machine had %ld MB less at most, the child %s\n",
	       things[i].name, (before - least) >> 10,
	       WIFSIGNALED(status) ? "was killed" : "was refused");
	check(!WIFSIGNALED(status) || WTERMSIG(status) == SIGKILL,
	      "%s: signal %d", things[i].name, WTERMSIG(status));
	check(before - least < ALLOWED, "%s: %ld kB", things[i].name,
	      before - least);
	/* The device works, for others. */
	setup();
	expect(0, vbind_map(fd, vm, VA_START, PAGE, bo, 0));
	run_cmd(vm, vbind_cmd_write(VA_START, 1));
}

static void test_cgroup(void)
{
	unsigned int i;

	need_group();
	for (i = 0; i < ARRAY_SIZE(things); i++)
		test_thing(i);
}

const struct test cgroup_tests[] = {
	{ "cgroup: whoever makes things grow is stopped", test_cgroup, false },
	{}
};
