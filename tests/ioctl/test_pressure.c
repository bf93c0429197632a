// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * vbind-test: a process whose BOs are more than the machine's memory. The shrinker
 * evicts, the OOM killer takes that process, and another one works all the time.
 */

#include "test.h"

#define PIECE	(4 * M2)

static void set_oom_score(pid_t pid, const char *score)
{
	char path[48];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	file = fopen(path, "w");
	if (!file || fputs(score, file) < 0 || fclose(file))
		skip("only root can say whom the OOM killer takes");
}

static long read_meminfo(const char *name)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128];
	long kb = -1;

	check(file, "meminfo: %s", strerror(errno));
	while (kb < 0 && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, name, strlen(name)))
			kb = atol(line + strlen(name) + 1);
	}
	fclose(file);
	check(kb >= 0, "no %s", name);
	return kb;
}

/* Writes to all of its memory, and to the first pieces again and again. */
static void want_too_much(void)
{
	struct drm_vbind_cmd cmds[2];
	uint64_t i, addr = 0;
	uint32_t handle;

	for (i = 0; ; i++) {
		if (i % (DRM_VBIND_MAX_FILE_BYTES / PIECE) == 0) {
			fd = vbind_open();
			addr = 0;
			if (fd < 0 || vbind_vm_create(fd, 0, 1ULL << 40, 0, 0, mode,
						      &vm))
				return;
		}
		if (vbind_gem_create(fd, PIECE, 0, 0, &handle) ||
		    vbind_map(fd, vm, addr, PIECE, handle, 0))
			return;
		cmds[0] = vbind_cmd_fill(addr, PIECE, i, 1);
		cmds[1] = vbind_cmd_copy(addr / 2 / PIECE * PIECE, addr, PIECE);
		if (vbind_exec_wait(fd, vm, cmds, addr ? 2 : 1, NULL))
			return;
		addr += PIECE;
	}
}

static pid_t start_too_much(void)
{
	pid_t child;
	int go[2];
	char c;

	check(!pipe(go), "pipe: %s", strerror(errno));
	child = fork();
	check(child >= 0, "fork: %s", strerror(errno));
	if (!child) {
		close(fd);
		if (read(go[0], &c, 1) == 1)
			want_too_much();
		_exit(0);
	}
	set_oom_score(child, "1000");
	check(write(go[1], "x", 1) == 1, "pipe: %s", strerror(errno));
	close(go[0]);
	close(go[1]);
	return child;
}

/*
 * What the process had is freed by workers after it was killed. Meanwhile the OOM
 * killer may look for more: these are for it.
 */
#define VICTIMS	32

static void start_victims(pid_t *victims)
{
	unsigned int i;

	for (i = 0; i < VICTIMS; i++) {
		victims[i] = fork();
		check(victims[i] >= 0, "fork: %s", strerror(errno));
		if (!victims[i])
			for (;;)
				pause();
		set_oom_score(victims[i], "900");
	}
}

static void end_victims(const pid_t *victims)
{
	unsigned int i;

	for (i = 0; i < VICTIMS; i++) {
		kill(victims[i], SIGKILL);
		waitpid(victims[i], NULL, 0);
	}
}

static void test_pressure(void)
{
	pid_t child, victims[VICTIMS];
	long before, least;
	uint32_t n = 0;
	int status;

	set_oom_score(getpid(), "-900");
	set_oom_score(getppid(), "-900");
	setup();
	expect(0, vbind_map(fd, vm, VA_START, BO_SIZE, bo, 0));
	before = read_meminfo("MemAvailable:");
	least = before;
	start_victims(victims);
	child = start_too_much();
	while (!waitpid(child, &status, WNOHANG)) {
		long kb = read_meminfo("MemAvailable:");

		least = kb < least ? kb : least;
		expect(0, vbind_map(fd, vm, VA_START + n % 64 * PAGE, PAGE, bo, 0));
		run_cmd(vm, vbind_cmd_compare(VA_START + n % 64 * PAGE, PAGE,
					      bo_word(bo_id, 0), WORD));
		n++;
		usleep(1000);
	}
	end_victims(victims);
	printf("# %u binds and commands while %ld of %ld MB were in use, then it %s\n",
	       n, (before - least) >> 10, before >> 10,
	       WIFSIGNALED(status) ? "was killed" : "was refused");
	check(!WIFSIGNALED(status) || WTERMSIG(status) == SIGKILL, "signal %d",
	      WTERMSIG(status));
	check(before - least > before / 2, "%ld of %ld MB at most",
	      (before - least) >> 10, before >> 10);
	/* All of it comes back. */
	for (n = 0; n < 1000 && read_meminfo("MemAvailable:") < before / 10 * 8; n++)
		usleep(10000);
	check(n < 1000, "%ld of %ld MB are available again",
	      read_meminfo("MemAvailable:") >> 10, before >> 10);
}

const struct test pressure_tests[] = {
	{ "pressure: a process wants more memory than there is", test_pressure,
	  false },
	{}
};
