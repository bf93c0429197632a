// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* vbind-test: what all tests may need: failing and skipping, VMs, BOs, their states. */

#include "test.h"

int fd = -1;
uint32_t mode;
uint32_t vm;
uint32_t bo;
uint64_t bo_id;
uint64_t seed;
unsigned int rounds = 2000;

/* Failing and skipping */

jmp_buf test_end;
char skip_reason[80];

void fail_at(const char *file, int line, const char *format, ...)
{
	va_list args;

	printf("# %s:%d: ", file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	longjmp(test_end, TEST_FAILED);
}

const char *result_name(int ret)
{
	const char *name = ret < 0 ? strerrorname_np(-ret) : NULL;

	return ret >= 0 ? "success" : name ? name : "an unknown error";
}

void skip(const char *reason)
{
	snprintf(skip_reason, sizeof(skip_reason), "%s", reason);
	longjmp(test_end, TEST_SKIPPED);
}

/* What many tests need */

int open_device(void)
{
	int ret = vbind_open();

	check(ret >= 0, "there is no vbind device in /dev/dri");
	return ret;
}

uint64_t id_of(uint32_t handle)
{
	struct drm_vbind_gem_info info;

	expect(0, vbind_gem_info(fd, handle, &info));
	return info.bo_id;
}

uint32_t new_bo(uint64_t size)
{
	uint32_t handle = 0;

	expect(0, vbind_gem_create(fd, size, 0, 0, &handle));
	check(handle, "a handle of 0");
	fill_bo(handle);
	return handle;
}

uint32_t new_private_bo(uint64_t size, uint32_t vm_id)
{
	uint32_t handle = 0;

	expect(0, vbind_gem_create(fd, size, DRM_VBIND_GEM_VM_PRIVATE, vm_id,
				   &handle));
	fill_bo(handle);
	return handle;
}

uint32_t new_vm(uint32_t flags)
{
	uint32_t id = 0;

	expect(0, vbind_vm_create(fd, VA_START, VA_RANGE, RSV_START, RSV_RANGE,
				  flags, &id));
	check(id, "a VM id of 0");
	return id;
}

void setup(void)
{
	vm = new_vm(mode);
	bo = new_bo(BO_SIZE);
	bo_id = id_of(bo);
}

struct snapshot take_snapshot(uint32_t vm_id)
{
	struct snapshot s;

	s.count = vbind_vm_query(fd, vm_id, NULL, &s.mappings);
	check(s.count >= 0, "query: %s", result_name(s.count));
	return s;
}

void print_mapping(const struct drm_vbind_mapping *m)
{
	printf("#   0x%" PRIx64 " +0x%" PRIx64 " bo %" PRIu64 " +0x%" PRIx64 " flags %x\n",
	       (uint64_t)m->addr, (uint64_t)m->range, (uint64_t)m->bo_id,
	       (uint64_t)m->offset, m->flags);
}

static void print_mappings(const char *what, const struct drm_vbind_mapping *m,
			   int count)
{
	int i;

	printf("# %s:\n", what);
	for (i = 0; i < count; i++)
		print_mapping(&m[i]);
}

void compare_with_vm(uint32_t vm_id, const char *when,
		     const struct drm_vbind_mapping *expected, int count,
		     bool with_memory)
{
	struct snapshot now = take_snapshot(vm_id);

	if (now.count != count ||
	    (count && memcmp(now.mappings, expected, count * sizeof(*expected)))) {
		print_mappings("expected", expected, count);
		print_mappings("found", now.mappings, now.count);
		fail("%s: the VM's mappings are not as expected", when);
	}
	if (with_memory)
		check_memory(vm_id, when, now);
	free(now.mappings);
}

void check_mappings(uint32_t vm_id, const char *when,
		    const struct drm_vbind_mapping *expected, int count)
{
	compare_with_vm(vm_id, when, expected, count, true);
}

void check_unchanged(uint32_t vm_id, const char *when, struct snapshot *s)
{
	check_mappings(vm_id, when, s->mappings, s->count);
	free(s->mappings);
}

void check_empty(uint32_t vm_id)
{
	check_mappings(vm_id, "an empty VM", NULL, 0);
}

/* Some mappings, so that there is something that could change by mistake */
void populate(uint32_t vm_id)
{
	expect(0, vbind_map_sparse(fd, vm_id, VA_START, 256 * PAGE));
	expect(0, vbind_map(fd, vm_id, VA_START + 16 * PAGE, 16 * PAGE, bo, 0));
	expect(0, vbind_map(fd, vm_id, RSV_START - PAGE, PAGE, bo, 8 * PAGE));
	expect(0, vbind_map(fd, vm_id, RSV_END, PAGE, bo, 9 * PAGE));
	expect(0, vbind_map(fd, vm_id, VA_END - PAGE, PAGE, bo, 10 * PAGE));
}

static FILE *open_stats(void)
{
	struct stat st;
	char path[64];

	if (fstat(fd, &st))
		return NULL;
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%d/stats",
		 (int)(st.st_rdev & 0xff));
	return fopen(path, "r");
}

/* From debugfs; false if there is none */
bool read_stats(struct stats *stats)
{
	FILE *file = open_stats();
	int found;

	if (!file)
		return false;
	found = fscanf(file, "bos: %d vms: %d mappings: %d", &stats->bos,
		       &stats->vms, &stats->mappings);
	fclose(file);
	check(found == 3, "cannot read the driver's stats");
	return true;
}

/* What is done with is freed by a worker, soon. */
void check_stats(int bos, int vms, int mappings)
{
	struct stats stats;
	int i;

	for (i = 0; i < 500; i++) {
		if (!read_stats(&stats) ||
		    (stats.bos == bos && stats.vms == vms &&
		     stats.mappings == mappings))
			return;
		usleep(10000);
	}
	check(stats.bos == bos && stats.vms == vms && stats.mappings == mappings,
	      "%d BOs, %d VMs, %d mappings instead of %d, %d, %d", stats.bos,
	      stats.vms, stats.mappings, bos, vms, mappings);
}

uint8_t *map_bo(int file, uint32_t handle)
{
	struct drm_vbind_gem_info info;
	void *ptr;

	expect(0, vbind_gem_info(file, handle, &info));
	ptr = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, file,
		   info.mmap_offset);
	check(ptr != MAP_FAILED, "mmap: %s", strerror(errno));
	return ptr;
}

uint32_t import_bo(int from, uint32_t handle, int to)
{
	uint32_t imported;
	int prime;

	check(!drmPrimeHandleToFD(from, handle, DRM_CLOEXEC | DRM_RDWR, &prime),
	      "export: %s", strerror(errno));
	check(!drmPrimeFDToHandle(to, prime, &imported), "import: %s",
	      strerror(errno));
	close(prime);
	return imported;
}

/* The primary node of a driver; -1 if there is none */
static int open_primary(const char *driver)
{
	int i, file;

	for (i = 0; i < 64; i++) {
		drmVersionPtr version;
		char path[32];
		bool found;

		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		file = open(path, O_RDWR | O_CLOEXEC);
		if (file < 0)
			continue;
		version = drmGetVersion(file);
		found = version && !strcmp(version->name, driver);
		drmFreeVersion(version);
		if (found)
			return file;
		close(file);
	}
	return -1;
}

/* Its render node does not create BOs, its card node does. */
int open_vgem(void)
{
	int file = open_primary("vgem");

	if (file < 0)
		skip("there is no vgem device");
	return file;
}

int open_card(void)
{
	int file = open_primary("vbind");

	check(file >= 0, "there is no card node");
	return file;
}

struct drm_vbind_bind map_bind(uint64_t addr, uint64_t range, uint64_t offset)
{
	return (struct drm_vbind_bind){
		.type = DRM_VBIND_BIND_MAP,
		.handle = bo,
		.addr = addr,
		.range = range,
		.offset = offset,
	};
}

struct drm_vbind_bind range_bind(uint32_t type, uint64_t addr, uint64_t range)
{
	return (struct drm_vbind_bind){
		.type = type,
		.addr = addr,
		.range = range,
	};
}

/* In pages from VA_START */
struct drm_vbind_mapping bo_mapping(uint64_t page, uint64_t pages,
				    uint64_t offset)
{
	return (struct drm_vbind_mapping){
		.addr = VA_START + page * PAGE,
		.range = pages * PAGE,
		.offset = offset * PAGE,
		.bo_id = bo_id,
	};
}

uint64_t next_random(uint64_t *state)
{
	/* splitmix64 */
	uint64_t x = *state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

unsigned int random_below(uint64_t *state, unsigned int limit)
{
	return next_random(state) % limit;
}

/* By address, for qsort() */
int compare_mappings(const void *a, const void *b)
{
	const struct drm_vbind_mapping *left = a, *right = b;

	return left->addr < right->addr ? -1 : left->addr > right->addr;
}
