// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* panthor-test: jobs that use what is mapped; faults, hangs, and the device's end. */

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests.h"

#define FROM	0x20000000ULL
#define TO	0x30000000ULL
#define WORD	0x5000ULL

static void bind(struct client *c, struct drm_panthor_vm_bind_op op)
{
	expect(0, pan_bind(c->vm, &op, 1, false));
}

static void test_job(void)
{
	struct client c = new_client();
	uint64_t before = mock_count("instructions");

	emit_move32(&c.stream, 0, 1);
	expect(0, run_stream(&c));
	check(mock_count("instructions") > before, "no instruction was executed");
	end_client(&c);
}

/* By GPU address, from a BO that is split to one that is not */
static void test_copy(void)
{
	struct client c = new_client();
	uint32_t from = new_bo(4 * PAGE, WORD), to = new_bo(4 * PAGE, 0);
	uint64_t *words = pan_bo_map(to, 4 * PAGE);
	unsigned int i;

	bind(&c, pan_map(from, 0, FROM, 4 * PAGE, NOEXEC));
	bind(&c, pan_map(from, 3 * PAGE, FROM + PAGE, PAGE, NOEXEC));
	bind(&c, pan_map(to, 0, TO, 4 * PAGE, NOEXEC));
	for (i = 0; i < 4; i++)
		emit_copy(&c.stream, TO + i * PAGE, FROM + i * PAGE, 2);
	expect(0, run_stream(&c));
	for (i = 0; i < 4; i++) {
		uint64_t word = WORD + (i == 1 ? 3 : i);

		check(words[i * PAGE / 8] == word, "page %u is %" PRIx64, i,
		      words[i * PAGE / 8]);
	}
	munmap(words, 4 * PAGE);
	end_client(&c);
}

static void expect_fault(struct client *c)
{
	uint64_t before = mock_count("faults");
	uint32_t state;
	int ret = run_stream(c);

	check(ret < 0, "the job did not fail");
	check(mock_count("faults") > before, "no fault");
	expect(0, pan_group_state(c->group, &state));
	check(state & DRM_PANTHOR_GROUP_STATE_FATAL_FAULT, "state %x", state);
	/* The group is lost, the VM is not. */
	expect(0, pan_group_destroy(c->group));
	expect(0, pan_group_create(c->vm, &c->group));
	emit_move32(&c->stream, 0, 0);
	expect(0, run_stream(c));
}

static void test_faults(void)
{
	struct client c = new_client();
	uint32_t bo = new_bo(2 * PAGE, WORD);
	uint64_t *words = pan_bo_map(bo, 2 * PAGE);

	bind(&c, pan_map(bo, 0, FROM, PAGE, NOEXEC));
	bind(&c, pan_map(bo, PAGE, TO, PAGE, NOEXEC | READONLY));
	/* Where nothing is */
	emit_copy(&c.stream, FROM, FROM + PAGE, 2);
	expect_fault(&c);
	/* To what is read-only, and not from it */
	emit_copy(&c.stream, TO, FROM, 2);
	expect_fault(&c);
	check(words[PAGE / 8] == WORD + 1, "it was written");
	emit_copy(&c.stream, FROM, TO, 2);
	expect(0, run_stream(&c));
	check(words[0] == WORD + 1, "it was not copied");
	/* What is unmapped is unmapped. */
	bind(&c, pan_unmap(FROM, PAGE));
	emit_copy(&c.stream, FROM, TO, 2);
	expect_fault(&c);
	munmap(words, 2 * PAGE);
	end_client(&c);
}

static void test_sparse(void)
{
	struct drm_panthor_vm_bind_op op = {
		.flags = OP_MAP | SPARSE | NOEXEC, .va = FROM, .size = 16 * M2,
	};
	struct client c = new_client();
	uint32_t bo = new_bo(2 * PAGE, WORD);
	uint64_t *words = pan_bo_map(bo, 2 * PAGE);
	int ret = pan_bind(c.vm, &op, 1, false);

	if (ret == -EINVAL)
		skip("this panthor has no sparse mappings");
	expect(0, ret);
	bind(&c, pan_map(bo, 0, FROM + M2 + 5 * PAGE, PAGE, NOEXEC));
	bind(&c, pan_map(bo, 0, TO, 2 * PAGE, NOEXEC));
	emit_copy(&c.stream, TO + 16, FROM + 3 * M2, 2);
	emit_copy(&c.stream, TO + 32, FROM + M2 + 5 * PAGE, 2);
	emit_copy(&c.stream, TO + 48, FROM + M2 + 6 * PAGE, 2);
	words[2] = 1;
	words[6] = 1;
	expect(0, run_stream(&c));
	check(!words[2] && !words[6], "%" PRIx64 " and %" PRIx64 " are not zero",
	      words[2], words[6]);
	check(words[4] == WORD, "%" PRIx64 " was bound", words[4]);
	munmap(words, 2 * PAGE);
	end_client(&c);
}

/* A loop without end is stopped by the driver, by a reset of the device. */
static void test_hang(void)
{
	struct client c = new_client();
	uint64_t before = mock_count("resets");
	uint32_t state;
	int ret;

	mock_write_file(MOCK "hang", "1");
	emit_move32(&c.stream, 0, 0);
	ret = run_stream(&c);
	mock_write_file(MOCK "hang", "0");
	check(ret < 0, "the job did not end by a timeout: %s", result_name(ret));
	check(mock_count("resets") > before, "the device was not reset");
	expect(0, pan_group_state(c.group, &state));
	check(state & DRM_PANTHOR_GROUP_STATE_TIMEDOUT, "state %x", state);
	end_client(&c);
	/* And goes on. */
	c = new_client();
	end_client(&c);
}

/* What a process leaves when it is killed */
static void test_killed(void)
{
	unsigned int i;
	pid_t child;
	int status;

	for (i = 0; i < 10; i++) {
		child = fork();
		check(child >= 0, "fork: %s", strerror(errno));
		if (!child) {
			uint64_t state = i;
			struct client c;
			uint32_t bo;

			if (setjmp(test_end))
				_exit(1);
			fd = pan_open();
			c = new_client();
			bo = new_bo(64 * PAGE, WORD);
			for (;;) {
				uint64_t page = random_below(&state, 64);

				bind(&c, pan_map(bo, page * PAGE,
						 FROM + page * PAGE,
						 PAGE * (1 + random_below(&state, 64 - page)),
						 NOEXEC));
				emit_copy(&c.stream, FROM + page * PAGE,
					  FROM + page * PAGE, 2);
				run_stream(&c);
			}
		}
		usleep(50000 + 20000 * i);
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		check(WIFSIGNALED(status), "the child failed");
	}
	test_copy();
}

static void test_unbind(void)
{
	struct client c = new_client();
	unsigned int i;

	for (i = 0; i < 3; i++) {
		mock_write_file("/sys/bus/platform/drivers/panthor/unbind", "panthor");
		check(pan_open() < 0, "it is still there");
		close(fd);
		mock_write_file("/sys/bus/platform/drivers/panthor/bind", "panthor");
		fd = pan_open();
		check(fd >= 0, "it did not come back");
		munmap(c.stream.insns, CODE_SIZE);
		c = new_client();
		emit_move32(&c.stream, 0, 0);
		expect(0, run_stream(&c));
	}
	end_client(&c);
}

const struct test job_tests[] = {
	{ "a job runs", test_job },
	{ "jobs copy by GPU address", test_copy },
	{ "faults: unmapped, read-only, unmapped again", test_faults },
	{ "sparse mappings read zero, also around what is bound there", test_sparse },
	{ "a hang ends by a reset", test_hang },
	{ "processes are killed while they bind and run jobs", test_killed },
	{ "the driver is unbound and bound under a client", test_unbind },
	{}
};
