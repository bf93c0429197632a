// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* vbind-test: memory that is evicted, and comes back. */

#include <dirent.h>
#include <stdatomic.h>

#include "test.h"

/* Whoever writes to this file has the driver evict whatever it can. -1: no file */
int open_evict(void)
{
	struct stat st;
	char path[64];

	check(!fstat(fd, &st), "fstat: %s", strerror(errno));
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%d/evict",
		 (int)(st.st_rdev & 0xff));
	return open(path, O_WRONLY | O_CLOEXEC);
}

void try_to_evict(void)
{
	int file = open_evict();

	if (file < 0)
		return;
	check(write(file, "1", 1) == 1, "evict: %s", strerror(errno));
	close(file);
}

static void need_evict(void)
{
	int file = open_evict();

	if (file < 0)
		skip("evictions need debugfs");
	close(file);
}

/* A file of the driver's shrinker, which needs CONFIG_SHRINKER_DEBUG */
static int open_shrinker(const char *name, int flags)
{
	static const char root[] = "/sys/kernel/debug/shrinker";
	DIR *dir = opendir(root);
	char path[512] = "";
	struct dirent *entry;
	int file;

	while (dir && (entry = readdir(dir))) {
		if (!strncmp(entry->d_name, "vbind-", 6))
			snprintf(path, sizeof(path), "%s/%s/%s", root,
				 entry->d_name, name);
	}
	if (dir)
		closedir(dir);
	if (!*path)
		skip("the shrinker's files need CONFIG_SHRINKER_DEBUG");
	file = open(path, flags | O_CLOEXEC);
	check(file >= 0, "%s: %s", path, strerror(errno));
	return file;
}

/* How many pages the shrinker could evict, says its count callback */
static uint64_t shrinker_count(void)
{
	int file = open_shrinker("count", O_RDONLY);
	unsigned long long pages = 0;
	char line[64] = "";

	/* The cgroup and the pages of the only node; nothing for no pages */
	check(read(file, line, sizeof(line) - 1) >= 0, "count: %s",
	      strerror(errno));
	close(file);
	check(!*line || sscanf(line, "%*u %llu", &pages) == 1, "count: %s", line);
	return pages;
}

/* Has the shrinker's scan callback evict @pages. */
static void shrinker_scan(uint64_t pages)
{
	int file = open_shrinker("scan", O_WRONLY);
	char line[64];

	snprintf(line, sizeof(line), "0 0 %" PRIu64, pages);
	check(write(file, line, strlen(line)) > 0, "scan: %s", strerror(errno));
	close(file);
}

static struct drm_vbind_vm_stats stats_of(uint32_t vm_id)
{
	struct drm_vbind_vm_stats stats;

	expect(0, vbind_vm_stats(fd, vm_id, &stats));
	return stats;
}

/* Evicts, and checks that this was noticed: @entries are what was evicted. */
static void evict(uint32_t vm_id, uint64_t entries)
{
	struct drm_vbind_vm_stats stats = {};
	int i;

	need_evict();
	/* It does not wait for locks, which others may have for a moment. */
	for (i = 0; i < 20 && stats.evicted != entries; i++) {
		try_to_evict();
		stats = stats_of(vm_id);
	}
	expect_value(entries, stats.evicted);
	expect_value(0, stats.pages_4k + stats.pages_64k + stats.pages_2m);
}

static void check_now(uint32_t vm_id, const char *when)
{
	struct snapshot now = take_snapshot(vm_id);

	check_memory(vm_id, when, now);
	free(now.mappings);
	expect_value(0, stats_of(vm_id).evicted);
}

static int count_evicted(uint32_t vm_id)
{
	struct snapshot now = take_snapshot(vm_id);
	int i, count = 0;

	for (i = 0; i < now.count; i++)
		count += !!(now.mappings[i].flags & DRM_VBIND_MAPPING_EVICTED);
	free(now.mappings);
	return count;
}

static void test_evict(void)
{
	struct drm_vbind_vm_stats stats;
	uint32_t private;

	setup();
	private = new_private_bo(4 * PAGE, vm);
	populate(vm);
	expect(0, vbind_map(fd, vm, VA_START + 32 * PAGE, 4 * PAGE, private, 0));
	/* A page of 64K, three and four of 4K */
	evict(vm, 1 + 3 + 4);
	expect_value(5, count_evicted(vm));

	/* The next job finds everything in its place. */
	check_now(vm, "after an eviction");
	expect_value(0, count_evicted(vm));
	stats = stats_of(vm);
	expect_value(2, stats.num_evictions);
	expect_value(2, stats.num_validations);
}

/* What the CPU writes meanwhile is there, and the CPU sees what was there. */
static void test_evict_and_cpu(void)
{
	uint64_t *words;

	setup();
	expect(0, vbind_map(fd, vm, VA_START, 4 * PAGE, bo, 0));
	run_cmd(vm, vbind_cmd_fill(VA_START, 4 * PAGE, 100, 1));
	evict(vm, 4);
	words = (uint64_t *)map_bo(fd, bo);
	expect_value(101, words[1]);
	words[2] = 7;
	run_cmd(vm, vbind_cmd_compare(VA_START + 16, 8, 7, 0));
	evict(vm, 4);
	words[3] = 8;
	munmap(words, BO_SIZE);
	run_cmd(vm, vbind_cmd_compare(VA_START + 16, 16, 7, 1));
}

/* Every kind of bind while the memory is gone */
static void test_bind_evicted(void)
{
	struct drm_vbind_bind binds[5];
	struct drm_vbind_mapping expected[6];

	setup();
	expect(0, vbind_map(fd, vm, VA_START, 32 * PAGE, bo, 0));
	evict(vm, 2);

	/* A part of a page of 64K goes: what is left is still evicted. */
	expect(0, vbind_unmap(fd, vm, VA_START + PAGE, PAGE));
	expect_value(2, count_evicted(vm));
	expect_value(15 + 1, stats_of(vm).evicted);

	/* The same memory again is not: it had to come back for that. */
	expect(0, vbind_map(fd, vm, VA_START + 4 * PAGE, 2 * PAGE, bo, 4 * PAGE));
	expect_value(3, count_evicted(vm));

	binds[0] = range_bind(SPARSE, VA_START + 8 * PAGE, PAGE);
	binds[1] = map_bind(VA_START + 8 * PAGE, PAGE, 40 * PAGE);
	binds[2] = range_bind(UNMAP, VA_START + 30 * PAGE, 2 * PAGE);
	expect(0, vbind_vm_bind(fd, vm, binds, 3, NULL));
	expected[0] = bo_mapping(0, 1, 0);
	expected[1] = bo_mapping(2, 2, 2);
	expected[2] = bo_mapping(4, 2, 4);
	expected[3] = bo_mapping(6, 2, 6);
	expected[4] = bo_mapping(8, 1, 40);
	expected[5] = bo_mapping(9, 21, 9);
	check_now(vm, "after binds of what was evicted");
	check_mappings(vm, "after binds of what was evicted", expected, 6);

	try_to_evict();
	expect(0, vbind_unmap_bo(fd, vm, bo));
	check_empty(vm);
	expect_value(0, stats_of(vm).evicted);
}

static void test_evict_large_pages(void)
{
	uint32_t id;

	setup();
	expect(0, vbind_vm_create(fd, 0, 64 * M2, 0, 0, mode, &id));
	bo = new_bo(4 * M2);
	expect(0, vbind_map(fd, id, 8 * M2, 4 * M2, bo, 0));
	evict(id, 4);
	check_now(id, "large pages");
	expect_value(4, stats_of(id).pages_2m);

	/* Split while they are gone */
	evict(id, 4);
	expect(0, vbind_unmap(fd, id, 9 * M2 + K64, PAGE));
	expect_value(3 + 31 + 15, stats_of(id).evicted);
	check_now(id, "a hole in a large page");
	expect(0, vbind_map(fd, id, 10 * M2 + PAGE, M2, bo, 0));
	check_now(id, "a mapping over large pages");
}

static void test_evict_in_two_vms(void)
{
	uint32_t second;

	setup();
	second = new_vm(mode);
	expect(0, vbind_map(fd, vm, VA_START, 4 * PAGE, bo, 0));
	expect(0, vbind_map(fd, second, VA_START, 4 * PAGE, bo, 4 * PAGE));
	evict(vm, 4);
	expect_value(4, stats_of(second).evicted);

	/* One VM's job brings the memory back, each VM's its own mappings. */
	check_now(vm, "the first VM");
	expect_value(4, stats_of(second).evicted);
	expect(0, vbind_map(fd, second, VA_START + 8 * PAGE, PAGE, bo, PAGE));
	check_now(second, "the second VM");

	evict(vm, 4);
	check_now(second, "the second VM first");
	check_now(vm, "then the first");
	expect(0, vbind_vm_destroy(fd, second));
	evict(vm, 4);
	check_now(vm, "alone");
}

static void test_prefetch_evicted(void)
{
	struct drm_vbind_bind bind;

	setup();
	expect(0, vbind_map(fd, vm, VA_START, 4 * PAGE, bo, 0));
	evict(vm, 4);
	bind = range_bind(PREFETCH, VA_START, PAGE);
	expect(0, vbind_vm_bind(fd, vm, &bind, 1, NULL));
	expect_value(0, stats_of(vm).evicted);
	expect_value(0, count_evicted(vm));
	check_now(vm, "after a prefetch");
}

/* Only BOs that are mapped in the range come back, with all of their mappings. */
static void test_prefetch_range(void)
{
	struct drm_vbind_bind bind;
	uint32_t private;

	setup();
	private = new_private_bo(4 * PAGE, vm);
	expect(0, vbind_map(fd, vm, VA_START, 4 * PAGE, bo, 0));
	expect(0, vbind_map(fd, vm, VA_START + 64 * PAGE, PAGE, bo, 0));
	expect(0, vbind_map(fd, vm, VA_START + 16 * PAGE, 4 * PAGE, private, 0));
	expect(0, vbind_map(fd, vm, VA_START + 32 * PAGE, 2 * PAGE, new_bo(BO_SIZE),
			    0));
	evict(vm, 4 + 1 + 4 + 2);

	/* A hole, then a page of one, then all but one */
	bind = range_bind(PREFETCH, VA_START + 4 * PAGE, 12 * PAGE);
	expect(0, vbind_vm_bind(fd, vm, &bind, 1, NULL));
	expect_value(4, count_evicted(vm));
	expect_value(0, stats_of(vm).num_validations);
	bind = range_bind(PREFETCH, VA_START + 19 * PAGE, PAGE);
	expect(0, vbind_vm_bind(fd, vm, &bind, 1, NULL));
	expect_value(3, count_evicted(vm));
	expect_value(4 + 1 + 2, stats_of(vm).evicted);
	bind = range_bind(PREFETCH, VA_START, 32 * PAGE);
	expect(0, vbind_vm_bind(fd, vm, &bind, 1, NULL));
	expect_value(1, count_evicted(vm));
	expect_value(2, stats_of(vm).evicted);
	expect_value(2, stats_of(vm).num_validations);
	check_now(vm, "after prefetches of ranges");
	expect_value(3, stats_of(vm).num_validations);
}

/* The shrinker counts what is bound, and evicts BOs until it has enough. */
static void test_shrinker(void)
{
	const uint64_t unit = sysconf(_SC_PAGESIZE);
	uint32_t id;
	int i;

	setup();
	shrinker_scan(1ULL << 20);
	expect_value(0, shrinker_count());
	id = new_vm(mode);
	for (i = 0; i < 3; i++)
		expect(0, vbind_map(fd, id, VA_START + i * 64 * PAGE, 4 * PAGE,
				    i == 1 ? new_private_bo(BO_SIZE, id) :
				    new_bo(BO_SIZE), 0));
	expect_value(3 * BO_SIZE / unit, shrinker_count());
	shrinker_scan(0);
	expect_value(0, stats_of(id).num_evictions);

	/* The oldest one; then two, because one is a page too little */
	shrinker_scan(1);
	expect_value(1, stats_of(id).num_evictions);
	expect_value(4, stats_of(id).evicted);
	expect_value(2 * BO_SIZE / unit, shrinker_count());
	shrinker_scan(BO_SIZE / unit + 1);
	expect_value(3, stats_of(id).num_evictions);
	expect_value(12, stats_of(id).evicted);
	expect_value(0, shrinker_count());
	shrinker_scan(1);
	expect_value(3, stats_of(id).num_evictions);
	check_now(id, "after the shrinker");
	expect_value(3, stats_of(id).num_validations);
	expect_value(3 * BO_SIZE / unit, shrinker_count());

	/* A number of more than 32 bits */
	if (sizeof(long) > 4) {
		shrinker_scan(1ULL << 32);
		expect_value(0, shrinker_count());
		check_now(id, "after all was evicted");
	}
}

/* The shrinker neither waits for jobs nor takes what they use. */
static void test_shrinker_and_job(void)
{
	struct drm_vbind_cmd cmd = vbind_cmd_wait(300000);
	struct drm_vbind_sync sync;
	uint32_t syncobj;
	uint64_t count;

	setup();
	expect(0, vbind_map(fd, vm, VA_START, 4 * PAGE, bo, 0));
	expect(0, drmSyncobjCreate(fd, 0, &syncobj));
	sync = vbind_sync_out(syncobj, 0);
	expect(0, vbind_exec(fd, vm, 0, &cmd, 1, &sync, 1, NULL));
	count = shrinker_count();
	shrinker_scan(1ULL << 20);
	expect_value(0, stats_of(vm).num_evictions);
	expect_value(count, shrinker_count());
	expect(0, vbind_syncobj_wait(fd, syncobj, 0, 60000));
	shrinker_scan(1ULL << 20);
	expect_value(1, stats_of(vm).num_evictions);
	check_now(vm, "after the job");
}

/* A bind that is queued holds the memory that it will need. */
static void test_evict_with_queued_bind(void)
{
	struct drm_vbind_cmd cmd = vbind_cmd_wait(300000);
	struct drm_vbind_bind bind;
	struct drm_vbind_sync sync;
	uint32_t syncobj, second;

	setup();
	second = new_vm(mode);
	expect(0, drmSyncobjCreate(fd, 0, &syncobj));
	sync = vbind_sync_out(syncobj, 0);
	expect(0, vbind_exec(fd, second, 0, &cmd, 1, &sync, 1, NULL));
	bind = map_bind(VA_START, 4 * PAGE, 0);
	sync = vbind_sync_in(syncobj, 0);
	expect(0, vbind_vm_bind_async(fd, vm, &bind, 1, &sync, 1, NULL));

	/* Waits for the bind; then the memory can go. */
	evict(vm, 4);
	check_now(vm, "after the bind and the eviction");
}

static void test_imported_is_not_evicted(void)
{
	struct drm_mode_create_dumb dumb = { .width = 1024, .height = 8, .bpp = 32 };
	int vgem = open_vgem();

	expect(0, vbind_ioctl(vgem, DRM_IOCTL_MODE_CREATE_DUMB, &dumb));
	setup();
	bo = import_bo(vgem, dumb.handle, fd);
	expect(0, vbind_map(fd, vm, VA_START, 4 * PAGE, bo, 0));
	run_cmd(vm, vbind_cmd_fill(VA_START, 4 * PAGE, 1, 1));
	try_to_evict();
	expect_value(0, stats_of(vm).evicted);
	run_cmd(vm, vbind_cmd_compare(VA_START, 4 * PAGE, 1, 1));
	close(vgem);
}

/* Under load: threads use memory while it is evicted all the time. */

#define NUM_USERS	3
#define NUM_ROUNDS	60
#define MAX_ROUNDS	6000

static atomic_bool users_done, enough_evictions;

struct user {
	pthread_t thread;
	uint32_t vm_id;
	uint32_t handle;
	uint64_t id;
	int error;
	struct drm_vbind_fault fault;
};

static void *use_memory(void *arg)
{
	struct user *user = arg;
	unsigned int i;

	/* When the memory is between two jobs is a matter of luck. */
	for (i = 0; !user->error && (i < NUM_ROUNDS ||
				     (i < MAX_ROUNDS && !enough_evictions)); i++) {
		uint64_t page = i * 7 % 48;
		struct drm_vbind_cmd cmds[] = {
			vbind_cmd_compare(VA_START + page * PAGE, 16 * PAGE,
					  bo_word(user->id, page * PAGE), 8),
			vbind_cmd_wait(i % 3 * 500),
			vbind_cmd_compare(VA_START, PAGE, bo_word(user->id, 0), 8),
		};

		/* Over what is there, so that it is there at any time */
		if (i % 4 == 3)
			user->error = vbind_map(fd, user->vm_id,
						VA_START + page * PAGE, 8 * PAGE,
						user->handle, page * PAGE);
		if (!user->error)
			user->error = vbind_exec_wait(fd, user->vm_id, cmds, 3,
						      &user->fault);
	}
	return NULL;
}

/* What has memory evicted: a file, and what to write to it */
struct evictor {
	int file;
	const char *text;
	uint64_t min_evictions;
	const struct user *users;
};

/* For a thread, which cannot end the test: what cannot be counted is missed later. */
static uint64_t count_evictions(const struct user *users)
{
	struct drm_vbind_vm_stats stats;
	uint64_t evictions = 0;
	unsigned int i;

	for (i = 0; i < NUM_USERS; i++) {
		if (!vbind_vm_stats(fd, users[i].vm_id, &stats))
			evictions += stats.num_evictions;
	}
	return evictions;
}

static void *evict_memory(void *arg)
{
	const struct evictor *evictor = arg;

	while (!users_done) {
		if (write(evictor->file, evictor->text, strlen(evictor->text)) < 0)
			break;
		if (count_evictions(evictor->users) >= evictor->min_evictions)
			enough_evictions = true;
		usleep(500);
	}
	return NULL;
}

static void evict_under_use(struct evictor how)
{
	struct user users[NUM_USERS] = {};
	pthread_t evictor;
	uint64_t evictions;
	unsigned int i;

	setup();
	how.users = users;
	users_done = false;
	enough_evictions = false;
	/* A VM each; two share a BO, one has a private one. */
	for (i = 0; i < NUM_USERS; i++) {
		users[i].vm_id = new_vm(mode);
		users[i].handle = i ? bo : new_private_bo(BO_SIZE, users[i].vm_id);
		users[i].id = id_of(users[i].handle);
		expect(0, vbind_map(fd, users[i].vm_id, VA_START, BO_SIZE,
				    users[i].handle, 0));
	}
	for (i = 0; i < NUM_USERS; i++)
		check(!pthread_create(&users[i].thread, NULL, use_memory,
				      &users[i]), "no thread");
	check(!pthread_create(&evictor, NULL, evict_memory, &how), "no thread");
	for (i = 0; i < NUM_USERS; i++)
		pthread_join(users[i].thread, NULL);
	users_done = true;
	pthread_join(evictor, NULL);
	close(how.file);

	for (i = 0; i < NUM_USERS; i++) {
		check(!users[i].error, "user %u: %s, fault %u at 0x%" PRIx64, i,
		      result_name(users[i].error), users[i].fault.kind,
		      (uint64_t)users[i].fault.addr);
	}
	evictions = count_evictions(users);
	check(evictions >= how.min_evictions, "only %" PRIu64 " evictions", evictions);
	printf("# %" PRIu64 " evictions\n", evictions);
}

static void test_evict_under_use(void)
{
	need_evict();
	evict_under_use((struct evictor){
		.file = open_evict(),
		.text = "1",
		.min_evictions = 10,
	});
}

/* It does not wait for jobs, so that it evicts less. */
static void test_shrinker_under_use(void)
{
	evict_under_use((struct evictor){
		.file = open_shrinker("scan", O_WRONLY),
		.text = "0 0 64",
		.min_evictions = 1,
	});
}

const struct test evict_tests[] = {
	{ "evict: mappings become invalid, and valid before the next job",
	  test_evict, true },
	{ "evict: the CPU's access goes on", test_evict_and_cpu, true },
	{ "evict: binds of what was evicted", test_bind_evicted, true },
	{ "evict: large pages", test_evict_large_pages, true },
	{ "evict: a BO in two VMs", test_evict_in_two_vms, true },
	{ "evict: a prefetch brings memory back", test_prefetch_evicted, true },
	{ "evict: a prefetch brings back what is in its range alone",
	  test_prefetch_range, true },
	{ "evict: the shrinker counts and evicts as asked", test_shrinker, true },
	{ "evict: the shrinker leaves what jobs use", test_shrinker_and_job, true },
	{ "evict: memory of queued binds stays", test_evict_with_queued_bind, true },
	{ "evict: memory of another driver stays",
	  test_imported_is_not_evicted, true },
	{ "evict: under use", test_evict_under_use, true },
	{ "evict: the shrinker under use", test_shrinker_under_use, true },
	{ NULL, NULL, false },
};
