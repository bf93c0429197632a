// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * panthor-test: panthor's VM_BIND, with jobs, on the mocked Mali. Output: TAP.
 *
 * What the tests find in page tables is the same with any core, so that the outputs
 * of two kernels can be compared: nothing in it depends on time or place.
 */

#include <sys/mman.h>
#include <sys/wait.h>

#include "tests.h"

uint64_t seed = 1;
unsigned int rounds = 100;

struct client new_client(void)
{
	struct drm_panthor_vm_bind_op op;
	struct client c = {};

	expect(0, pan_vm_create(VA_RANGE, &c.vm));
	expect(0, pan_bo_create(CODE_SIZE, c.vm, &c.code));
	c.stream.insns = pan_bo_map(c.code, CODE_SIZE);
	op = pan_map(c.code, 0, CODE_VA, CODE_SIZE, 0);
	expect(0, pan_bind(c.vm, &op, 1, false));
	expect(0, pan_group_create(c.vm, &c.group));
	emit_move32(&c.stream, 0, 0);
	expect(0, run_stream(&c));
	return c;
}

void end_client(struct client *c)
{
	munmap(c->stream.insns, CODE_SIZE);
	expect(0, pan_group_destroy(c->group));
	expect(0, pan_vm_destroy(c->vm));
	expect(0, pan_bo_close(c->code));
}

/* Returns the status of the job's fence: 0 or a negative errno. */
int run_stream(struct client *c)
{
	uint32_t out, size = c->stream.count * sizeof(uint64_t);
	int ret;

	/* Of the size that the driver wants */
	size = (size + 63) / 64 * 64;
	memset(c->stream.insns + c->stream.count, 0,
	       size - c->stream.count * sizeof(uint64_t));
	c->stream.count = 0;
	expect(0, drmSyncobjCreate(fd, 0, &out));
	ret = pan_submit(c->group, CODE_VA, size, 0, out);
	if (!ret)
		ret = pan_wait(out);
	if (!ret)
		ret = pan_status(out);
	drmSyncobjDestroy(fd, out);
	return ret;
}

/* Each page begins with a word of its own: @word, and so on. */
uint32_t new_bo(uint64_t size, uint64_t word)
{
	uint64_t *ptr, i;
	uint32_t bo;

	expect(0, pan_bo_create(size, 0, &bo));
	ptr = pan_bo_map(bo, size);
	for (i = 0; i < size / PAGE; i++)
		ptr[i * PAGE / sizeof(*ptr)] = word + i;
	munmap(ptr, size);
	return bo;
}

static const struct test *const all_tests[] = {
	bind_tests, job_tests, random_tests, NULL,
};

static const struct test *const all_known_tests[] = { known_tests, NULL };

static const struct test *const *tests = all_tests;

static unsigned int num_run, num_failed;

static int run_in_child(const struct test *test)
{
	int how = setjmp(test_end);

	if (!how) {
		fd = pan_open();
		check(fd >= 0, "there is no panthor device in /dev/dri");
		test->run();
	}
	if (how == TEST_SKIPPED)
		printf("# %s\n", skip_reason);
	fflush(stdout);
	return how;
}

/* In a process of its own, with which all that it leaves goes */
static void run_test(const struct test *test)
{
	time_t begin = time(NULL);
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (!child)
		_exit(run_in_child(test));
	if (child < 0 || waitpid(child, &status, 0) != child)
		status = TEST_FAILED << 8;
	if (!setjmp(test_end))
		keep_awake(false);

	if (time(NULL) - begin > 1)
		printf("# time %d s\n", (int)(time(NULL) - begin));
	if (!WIFEXITED(status))
		printf("# signal %d\n", WTERMSIG(status));
	if (WIFEXITED(status) && WEXITSTATUS(status) == TEST_SKIPPED)
		printf("ok %u - %s # SKIP see above\n", ++num_run, test->name);
	else
		printf("%s %u - %s\n", status ? "not ok" : "ok", ++num_run,
		       test->name);
	num_failed += WIFEXITED(status) ? WEXITSTATUS(status) == TEST_FAILED : 1;
	fflush(stdout);
}

static unsigned int walk_tests(const char *only, void (*run)(const struct test *test))
{
	const struct test *test;
	unsigned int i, n = 0;

	for (i = 0; tests[i]; i++) {
		for (test = tests[i]; test->name; test++) {
			if (only && !strstr(test->name, only))
				continue;
			n++;
			if (run)
				run(test);
		}
	}
	return n;
}

static const char help[] =
"usage: panthor-test [--seed=NUMBER] [--rounds=NUMBER] [--only=TEXT] [--known]\n"
"\n"
"  --seed=NUMBER    of the first random programme, 1 by default\n"
"  --rounds=NUMBER  how many binds each has, 100 by default\n"
"  --only=TEXT      only tests with TEXT in their name\n"
"  --known          mistakes of panthor's, which have a splat in the log\n";

int main(int argc, char **argv)
{
	const char *only = NULL;
	int i;

	for (i = 1; i < argc; i++) {
		if (!strncmp(argv[i], "--seed=", 7)) {
			seed = strtoull(argv[i] + 7, NULL, 0);
		} else if (!strncmp(argv[i], "--rounds=", 9)) {
			rounds = strtoul(argv[i] + 9, NULL, 0);
		} else if (!strncmp(argv[i], "--only=", 7)) {
			only = argv[i] + 7;
		} else if (!strcmp(argv[i], "--known")) {
			tests = all_known_tests;
		} else {
			fputs(help, strcmp(argv[i], "--help") ? stderr : stdout);
			return strcmp(argv[i], "--help") ? 2 : 0;
		}
	}

	printf("TAP version 13\n1..%u\n", walk_tests(only, NULL));
	walk_tests(only, run_test);
	if (num_failed)
		printf("# %u of %u tests failed\n", num_failed, num_run);

	return num_failed ? 1 : 0;
}
