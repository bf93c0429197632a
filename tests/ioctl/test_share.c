// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * vbind-test: who may use the device, and what goes from one open file or process to
 * another: dma-bufs, file descriptors, mmaps.
 */

#include <grp.h>

#include "test.h"

#define NOBODY	65534

/* What is done to the handles of one file by all at once */
struct race {
	int file, other;
	atomic_uint handle;
	atomic_bool stop;
	const char *wrong;
	int error;
};

static void report(struct race *r, const char *what, int error)
{
	r->error = error;
	r->wrong = what;
}

/* The handle may be any BO's by now, or nobody's. */
static void *export_and_import(void *arg)
{
	struct race *r = arg;
	uint32_t imported;
	int prime;

	while (!r->stop) {
		if (drmPrimeHandleToFD(r->file, r->handle, DRM_CLOEXEC | DRM_RDWR,
				       &prime)) {
			if (errno != ENOENT)
				report(r, "export", errno);
			continue;
		}
		if (drmPrimeFDToHandle(r->other, prime, &imported))
			report(r, "import", errno);
		else
			vbind_gem_close(r->other, imported);
		/* Back where it came from: the same handle, or a new one. */
		if (!drmPrimeFDToHandle(r->file, prime, &imported) &&
		    imported != r->handle)
			vbind_gem_close(r->file, imported);
		close(prime);
	}
	return NULL;
}

static void *dup_and_close(void *arg)
{
	struct race *r = arg;
	int file, prime, again;

	while (!r->stop) {
		file = dup(r->file);
		if (file < 0)
			report(r, "dup", errno);
		if (!drmPrimeHandleToFD(file, r->handle, DRM_CLOEXEC | DRM_RDWR,
					&prime)) {
			again = dup(prime);
			close(prime);
			close(again);
		}
		close(file);
	}
	return NULL;
}

static void *create_and_close(void *arg)
{
	struct race *r = arg;
	uint32_t handle;

	while (!r->stop) {
		if (vbind_gem_create(r->file, PAGE, 0, 0, &handle)) {
			report(r, "create", errno);
			break;
		}
		r->handle = handle;
		vbind_gem_close(r->file, handle);
	}
	return NULL;
}

static void test_export_race(void)
{
	static void *(*const functions[])(void *) = {
		export_and_import, export_and_import, dup_and_close,
		create_and_close,
	};
	pthread_t threads[ARRAY_SIZE(functions)];
	struct race r = { .file = fd, .other = open_device() };
	unsigned int i;

	setup();
	r.handle = new_bo(PAGE);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		check(!pthread_create(&threads[i], NULL, functions[i], &r),
		      "no thread");
	for (i = 0; i < rounds / 20; i++) {
		pid_t child = fork();

		check(child >= 0, "fork: %s", strerror(errno));
		if (!child)
			_exit(0);
		waitpid(child, NULL, 0);
		/* Bound, whoever's it is, and it is bound no longer when it goes. */
		vbind_map(fd, vm, VA_START, PAGE, r.handle, 0);
	}
	r.stop = true;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	close(r.other);
	check(!r.wrong, "%s: %s", r.wrong, strerror(r.error));
	expect(0, vbind_map(fd, vm, VA_START, PAGE, bo, 0));
	run_cmd(vm, vbind_cmd_compare(VA_START, PAGE, bo_word(bo_id, 0), WORD));
}

/* Runs @child in a process of its own, which has to succeed. */
static void in_child(void (*child)(void))
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	check(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		int how = setjmp(test_end);

		if (!how)
			child();
		fflush(stdout);
		_exit(how);
	}
	check(waitpid(pid, &status, 0) == pid, "wait: %s", strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == TEST_SKIPPED)
		skip("not possible here, see above");
	check(WIFEXITED(status) && !WEXITSTATUS(status), "status %x", status);
}

static int inherited;

static void use_inherited(void)
{
	uint32_t handle;

	/* The file, with its VMs and handles, is one for both. */
	expect(0, vbind_map(fd, vm, VA_START, PAGE, bo, PAGE));
	run_cmd(vm, vbind_cmd_compare(VA_START, PAGE, bo_word(bo_id, PAGE), WORD));
	check(!drmPrimeFDToHandle(fd, inherited, &handle), "import: %s",
	      strerror(errno));
	expect(0, vbind_map(fd, vm, VA_START + PAGE, PAGE, handle, 0));
	run_cmd(vm, vbind_cmd_write(VA_START + PAGE, 0x77));
	close(inherited);
	close(fd);
}

static void test_fork(void)
{
	int file = open_device();
	uint32_t handle;
	uint64_t *words;

	setup();
	expect(0, vbind_gem_create(file, PAGE, 0, 0, &handle));
	words = (uint64_t *)map_bo(file, handle);
	check(!drmPrimeHandleToFD(file, handle, DRM_RDWR, &inherited), "export: %s",
	      strerror(errno));
	close(file);
	in_child(use_inherited);
	close(inherited);
	expect_value(0x77, words[0]);
	munmap(words, PAGE);
	/* What the child bound is there still: it was not the last user. */
	run_cmd(vm, vbind_cmd_compare(VA_START, PAGE, bo_word(bo_id, PAGE), WORD));
	run_cmd(vm, vbind_cmd_compare(VA_START + PAGE, WORD, 0x77, 0));
}

static void *try_mmap(int file, uint64_t offset, uint64_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, offset);
}

/* An offset is the BO's, whatever the file: who has no handle may not use it. */
static void test_mmap_of_others(void)
{
	struct drm_vbind_gem_info info;
	uint64_t *words, *others;
	uint32_t handle;
	int file = open_device();

	setup();
	expect(0, vbind_gem_info(fd, bo, &info));
	check(try_mmap(file, info.mmap_offset, PAGE) == MAP_FAILED,
	      "memory of a file without a handle");
	expect_value(EACCES, errno);

	handle = import_bo(fd, bo, file);
	others = try_mmap(file, info.mmap_offset, BO_SIZE);
	check(others != MAP_FAILED, "mmap: %s", strerror(errno));
	words = (uint64_t *)map_bo(fd, bo);
	words[3] = 0x55;
	expect_value(0x55, others[3]);
	others[4] = 0x66;
	expect(0, vbind_map(fd, vm, VA_START, PAGE, bo, 0));
	run_cmd(vm, vbind_cmd_compare(VA_START + 4 * WORD, WORD, 0x66, 0));

	/* The handle goes, and the right with it; what is mapped stays. */
	expect(0, vbind_gem_close(file, handle));
	check(try_mmap(file, info.mmap_offset, PAGE) == MAP_FAILED,
	      "memory by a handle that was closed");
	expect_value(EACCES, errno);
	close(file);
	expect_value(0x55, others[3]);
	munmap(others, BO_SIZE);
	munmap(words, BO_SIZE);

	/* A private BO's memory is the CPU's, too, but in its own file alone. */
	handle = new_private_bo(PAGE, vm);
	expect(0, vbind_gem_info(fd, handle, &info));
	file = open_device();
	check(try_mmap(file, info.mmap_offset, PAGE) == MAP_FAILED,
	      "memory of a private BO");
	close(file);
}

static void test_primary_node(void)
{
	close(use_file(open_card()));
	setup();
	populate(vm);
	run_cmd(vm, vbind_cmd_compare(VA_START + 16 * PAGE, PAGE,
				      bo_word(bo_id, 0), WORD));
	check_nothing_at(vm, VA_START + 512 * PAGE);
	expect(0, vbind_vm_destroy(fd, vm));
}

static void become_nobody(void)
{
	struct drm_vbind_bind bind;
	struct foreign foreign;
	int file;

	foreign = new_foreign();
	if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY)) {
		printf("# setuid: %s\n", strerror(errno));
		longjmp(test_end, TEST_SKIPPED);
	}
	/* Its own files, not those that it got from root */
	file = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	check(file < 0, "still root");
	use_file(open_device());
	setup();
	populate(vm);
	bind = map_bind(VA_START, PAGE, 0);
	bind_async(&bind, 1, 0, 0);
	expect(0, vbind_unmap(fd, vm, VA_START + PAGE, PAGE));
	run_cmd(vm, vbind_cmd_compare(VA_START, PAGE, bo_word(bo_id, 0), WORD));
	check_nothing_at(vm, VA_START + PAGE);
	check(open_evict() < 0, "anybody may evict");
	close(foreign.timeline);
	expect(0, vbind_vm_destroy(fd, vm));
}

/* The node is everybody's, as udev makes it on a desktop. */
static void test_nobody(void)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	check(!stat(path, &st), "stat: %s", strerror(errno));
	if (geteuid() || chmod(path, 0666))
		skip("only root can become somebody else");
	in_child(become_nobody);
	check(!chmod(path, st.st_mode & 07777), "chmod: %s", strerror(errno));
}

const struct test share_tests[] = {
	{ "share: export, import, dup, fork and close at once", test_export_race,
	  true },
	{ "share: a child has its parent's file and dma-bufs", test_fork, true },
	{ "share: mmap through another file", test_mmap_of_others, false },
	{ "share: the primary node is as good as the render node",
	  test_primary_node, true },
	{ "share: a user without rights", test_nobody, true },
	{}
};
