// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * vbind-test: tests of the vbind driver's ioctls. Output: TAP.
 *
 * Every test opens the device anew, so that what it leaves behind goes with the
 * file. Most tests run once for each mode that a VM can have. Which file has the
 * tests of what is said in README.md.
 */

#include "test.h"

/* The 32-bit and the 64-bit layout of the uAPI are the same. */
_Static_assert(sizeof(struct drm_vbind_gem_create) == 24, "gem_create");
_Static_assert(sizeof(struct drm_vbind_gem_info) == 32, "gem_info");
_Static_assert(sizeof(struct drm_vbind_vm_create) == 40, "vm_create");
_Static_assert(sizeof(struct drm_vbind_vm_destroy) == 8, "vm_destroy");
_Static_assert(sizeof(struct drm_vbind_bind) == 48, "bind");
_Static_assert(sizeof(struct drm_vbind_mapping) == 40, "mapping");
_Static_assert(sizeof(struct drm_vbind_step) == 136, "step");
_Static_assert(sizeof(struct drm_vbind_vm_bind) == 64, "vm_bind");
_Static_assert(sizeof(struct drm_vbind_vm_query) == 64, "vm_query");

/* Last, when all files are closed */
static void test_nothing_left(void)
{
	struct stats stats;

	if (!read_stats(&stats))
		skip("the driver's stats need debugfs");
	check_stats(0, 0, 0);
}

static const struct test last_tests[] = {
	{ "nothing is left in the end", test_nothing_left, false },
	{ NULL, NULL, false },
};

static const struct test *const all_tests[] = {
	gem_tests, prime_tests, vm_tests, bind_tests, bind_error_tests, query_tests,
	fail_tests, thread_tests, random_tests, exec_tests, page_tests, repeat_tests,
	sync_tests, fence_tests, share_tests, evict_tests, cancel_tests, limit_tests,
	fair_tests, hostile_tests, window_tests, cgroup_tests, pressure_tests,
	stress_tests, unplug_tests, last_tests,
};

static const char *const mode_names[] = {
	[0] = "staged",
	[DRM_VBIND_VM_RESV_PROTECTED] = "staged, resv-protected",
	[DRM_VBIND_VM_IMMEDIATE] = "immediate",
	[DRM_VBIND_VM_IMMEDIATE | DRM_VBIND_VM_RESV_PROTECTED] =
		"immediate, resv-protected",
};

static unsigned int num_run, num_failed;

static void run_test(const struct test *test, uint32_t test_mode)
{
	struct timespec start, end;
	double seconds;
	int how;

	clock_gettime(CLOCK_MONOTONIC, &start);
	mode = test_mode;
	how = setjmp(test_end);
	if (!how) {
		fd = open_device();
		test->run();
	}
	if (fd >= 0)
		close(fd);
	fd = -1;

	if (how == TEST_FAILED)
		num_failed++;
	clock_gettime(CLOCK_MONOTONIC, &end);
	seconds = end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9;
	if (seconds >= 1)
		printf("# time %.1f s\n", seconds);
	printf("%s %u - %s", how == TEST_FAILED ? "not ok" : "ok", ++num_run,
	       test->name);
	if (test->every_mode)
		printf(" (%s)", mode_names[test_mode]);
	if (how == TEST_SKIPPED)
		printf(" # SKIP %s", skip_reason);
	putchar('\n');
	fflush(stdout);
}

/* What --only and --without name */
struct words {
	const char *words[8];
	unsigned int num;
};

static struct words only, without;

static bool has_one_of(const char *name, const struct words *w)
{
	unsigned int i;

	for (i = 0; i < w->num; i++) {
		if (strstr(name, w->words[i]))
			return true;
	}
	return false;
}

static bool selected(const struct test *test)
{
	return (!only.num || has_one_of(test->name, &only)) &&
	       !has_one_of(test->name, &without);
}

typedef void (*test_fn)(const struct test *test, uint32_t test_mode);

/* Calls @fn for each test that is selected, in all modes. */
static void walk_tests(test_fn fn)
{
	const struct test *test;
	unsigned int i;
	uint32_t m;

	for (i = 0; i < ARRAY_SIZE(all_tests); i++) {
		for (test = all_tests[i]; test->name; test++) {
			for (m = 0; m < (test->every_mode ? 4 : 1); m++) {
				if (selected(test))
					fn(test, m);
			}
		}
	}
}

static unsigned int num_planned;

static void plan_test(const struct test *test, uint32_t test_mode)
{
	num_planned++;
}

static void run_tests(void)
{
	walk_tests(plan_test);
	printf("TAP version 13\n1..%u\n", num_planned);
	walk_tests(run_test);
}

static int hold_fences(void)
{
	const struct test hold[] = { { "fences outlive the driver", test_held_fences,
				       false } };

	run_test(hold, 0);
	return num_failed ? 1 : 0;
}

static const char help[] =
"usage: vbind-test [--seed=NUMBER] [--rounds=NUMBER] [--only=TEXT]... [--without=TEXT]...\n"
"       vbind-test --hold-fences\n"
"\n"
"  --seed=NUMBER    for random tests; a random one by default\n"
"  --rounds=NUMBER  how long random tests run, 2000 by default\n"
"  --only=TEXT      only tests with TEXT in their name; up to eight times\n"
"  --without=TEXT   no tests with TEXT in their name; up to eight times\n"
"  --hold-fences    keep fences, but no file of the device, until standard input\n"
"                   ends, and look at them then: the driver may be unloaded meanwhile\n";

static bool add_word(struct words *w, const char *option, const char *arg)
{
	size_t length = strlen(option);

	if (strncmp(arg, option, length) || w->num == ARRAY_SIZE(w->words))
		return false;

	w->words[w->num++] = arg + length;
	return true;
}

int main(int argc, char **argv)
{
	struct timespec now;
	int i;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = now.tv_sec * 1000003ULL ^ now.tv_nsec;

	for (i = 1; i < argc; i++) {
		if (!strncmp(argv[i], "--seed=", 7)) {
			seed = strtoull(argv[i] + 7, NULL, 0);
		} else if (!strncmp(argv[i], "--rounds=", 9)) {
			rounds = strtoul(argv[i] + 9, NULL, 0);
		} else if (!strcmp(argv[i], "--hold-fences")) {
			return hold_fences();
		} else if (!add_word(&only, "--only=", argv[i]) &&
			   !add_word(&without, "--without=", argv[i])) {
			fputs(help, strcmp(argv[i], "--help") ? stderr : stdout);
			return strcmp(argv[i], "--help") ? 2 : 0;
		}
	}

	run_tests();
	if (num_failed)
		printf("# %u of %u tests failed\n", num_failed, num_run);

	return num_failed ? 1 : 0;
}
