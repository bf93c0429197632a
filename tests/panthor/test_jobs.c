// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* panthor-test: jobs that use what is mapped; faults, hangs, and the device's end. */

#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
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

/* The interface of sw_sync, which has no header in user space */
struct sw_sync_fence {
	__u32 value;
	char name[32];
	__s32 fence;
};

#define SW_SYNC_CREATE	_IOWR('W', 0, struct sw_sync_fence)
#define SW_SYNC_INC	_IOW('W', 1, __u32)

/* A syncobj with a fence that is signalled when *timeline moves on */
static uint32_t new_foreign(int *timeline)
{
	struct sw_sync_fence args = { .value = 1 };
	uint32_t syncobj;

	*timeline = open("/sys/kernel/debug/sync/sw_sync", O_RDWR | O_CLOEXEC);
	if (*timeline < 0)
		skip("others' fences need CONFIG_SW_SYNC and debugfs");
	expect(0, ioctl(*timeline, SW_SYNC_CREATE, &args));
	expect(0, drmSyncobjCreate(fd, 0, &syncobj));
	expect(0, drmSyncobjImportSyncFile(fd, syncobj, args.fence));
	close(args.fence);
	return syncobj;
}

static void queue_behind(struct client *c, struct drm_panthor_vm_bind_op op,
			 uint32_t in, uint32_t out)
{
	struct drm_panthor_sync_op syncs[2] = {
		{ .handle = in },
		{ .flags = DRM_PANTHOR_SYNC_OP_SIGNAL, .handle = out },
	};

	op.syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(2, syncs);
	expect(0, pan_bind(c->vm, &op, 1, true));
}

/* A bind waits for somebody else, a job for the bind. */
static void test_queued(void)
{
	struct client c = new_client();
	uint32_t bo = new_bo(2 * PAGE, WORD), foreign, bound, done;
	uint64_t *words = pan_bo_map(bo, 2 * PAGE);
	__u32 one = 1;
	int timeline;

	foreign = new_foreign(&timeline);
	expect(0, drmSyncobjCreate(fd, 0, &bound));
	expect(0, drmSyncobjCreate(fd, 0, &done));
	queue_behind(&c, pan_map(bo, 0, FROM, 2 * PAGE, NOEXEC), foreign, bound);
	emit_copy(&c.stream, FROM, FROM + PAGE, 2);
	while (c.stream.count % 8)
		emit_move32(&c.stream, 0, 0);
	expect(0, pan_submit(c.group, CODE_VA, c.stream.count * 8, bound, done));
	usleep(20000);
	check(words[0] == WORD, "the job did not wait");
	expect(0, ioctl(timeline, SW_SYNC_INC, &one));
	expect(0, pan_wait(done));
	expect(0, pan_status(done));
	check(words[0] == WORD + 1, "nothing was copied");
	munmap(words, 2 * PAGE);
	close(timeline);
	end_client(&c);
}

/* A VM goes while binds of it wait; then the fence is signalled, or never. */
static void test_destroyed_with_binds(void)
{
	uint32_t bo = new_bo(64 * PAGE, WORD), foreign, bound;
	unsigned int i, k;
	int timeline;
	__u32 one = 1;

	for (i = 0; i < 10; i++) {
		struct client c = new_client();

		foreign = new_foreign(&timeline);
		expect(0, drmSyncobjCreate(fd, 0, &bound));
		for (k = 0; k < 32; k++)
			queue_behind(&c, k % 3 ? pan_map(bo, 0, FROM + k * PAGE,
							 64 * PAGE, NOEXEC) :
						 pan_unmap(FROM, 8 * PAGE),
				     foreign, bound);
		end_client(&c);
		if (i % 2)
			expect(0, ioctl(timeline, SW_SYNC_INC, &one));
		close(timeline);
		expect(0, pan_wait(bound));
	}
}

#define THREADS		4
#define THREAD_PAGES	64

struct worker {
	uint32_t vm, bo;
	uint64_t va, random;
	int ret;
};

/* Binds at random in a part of the VM, and in the end all of it. */
static void *work(void *arg)
{
	struct worker *w = arg;
	unsigned int i;

	for (i = 0; i < 200 && !w->ret; i++) {
		uint64_t first = random_below(&w->random, THREAD_PAGES);
		uint64_t size = 1 + random_below(&w->random, THREAD_PAGES - first);
		struct drm_panthor_vm_bind_op op = i % 4 ?
			pan_map(w->bo, 0, w->va + first * PAGE, size * PAGE, NOEXEC) :
			pan_unmap(w->va + first * PAGE, size * PAGE);

		if (i == 199)
			op = pan_map(w->bo, 0, w->va, THREAD_PAGES * PAGE, NOEXEC);
		w->ret = pan_bind(w->vm, &op, 1, false);
	}
	return NULL;
}

static void test_threads(void)
{
	struct client c = new_client();
	uint32_t bo = new_bo(THREAD_PAGES * PAGE, WORD);
	struct worker workers[THREADS];
	pthread_t threads[THREADS];
	unsigned int i, n;
	struct run *runs;

	keep_awake(true);
	for (i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){
			.vm = c.vm, .bo = bo, .random = i,
			.va = FROM + i * THREAD_PAGES * PAGE,
		};
		check(!pthread_create(&threads[i], NULL, work, &workers[i]),
		      "no thread");
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < THREADS; i++)
		expect(0, workers[i].ret);
	n = read_tables(&runs);
	check(n == THREADS, "%u runs", n);
	for (i = 0; i < THREADS; i++)
		check(runs[i].va == workers[i].va && runs[i].word == WORD &&
		      runs[i].pages == THREAD_PAGES, "part %u: %" PRIu64 " pages", i,
		      runs[i].pages);
	free(runs);
	end_client(&c);
	keep_awake(false);
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
	{ "a job waits for a bind, which waits for somebody else", test_queued },
	{ "threads bind in one VM", test_threads },
	{ "a hang ends by a reset", test_hang },
	{ "processes are killed while they bind and run jobs", test_killed },
	{ "a VM goes while its binds wait", test_destroyed_with_binds },
	/* Last: with the driver, the address spaces of such VMs go, too. */
	{ "the driver is unbound and bound under a client", test_unbind },
	{}
};
