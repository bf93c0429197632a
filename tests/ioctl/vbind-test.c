// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * vbind-test: tests of the vbind driver's ioctls. Output: TAP.
 *
 * Every test opens the device anew, so that what it leaves behind goes with the
 * file. Most tests run once for each mode that a VM can have.
 */

#include "vbind-test.h"

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

int fd = -1;
uint32_t mode;
uint32_t vm;
uint32_t bo;
uint64_t bo_id;
uint64_t seed;
unsigned int rounds = 2000;

/* Failing and skipping */

static jmp_buf test_end;
enum { TEST_FAILED = 1, TEST_SKIPPED };
static char skip_reason[80];

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

static void print_mapping(const struct drm_vbind_mapping *m)
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

static void compare_with_vm(uint32_t vm_id, const char *when,
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

/* Numbers of BOs, VMs and mappings that the driver knows, from debugfs */
struct stats {
	int bos, vms, mappings;
};

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

static bool read_stats(struct stats *stats)
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

void check_stats(int bos, int vms, int mappings)
{
	struct stats stats;

	if (!read_stats(&stats))
		return;
	check(stats.bos == bos && stats.vms == vms && stats.mappings == mappings,
	      "%d BOs, %d VMs, %d mappings instead of %d, %d, %d", stats.bos,
	      stats.vms, stats.mappings, bos, vms, mappings);
}

/* GEM_CREATE, GEM_INFO, mmap */

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

static void test_gem_create(void)
{
	struct drm_vbind_gem_create args = { .size = 3 * PAGE };
	struct drm_vbind_gem_info info;

	expect(0, vbind_ioctl(fd, DRM_IOCTL_VBIND_GEM_CREATE, &args));
	check(args.handle, "a handle of 0");
	check(args.size >= 3 * PAGE && !(args.size % PAGE), "size %" PRIu64,
	      (uint64_t)args.size);
	expect(0, vbind_gem_info(fd, args.handle, &info));
	expect_value(args.size, info.size);
	expect_value(0, info.flags);
	check(info.bo_id && info.bo_id != id_of(new_bo(PAGE)),
	      "the id of the BO is not unique");
}

static void test_gem_mmap(void)
{
	uint8_t *first, *second;
	uint32_t handle;
	unsigned int i;

	/* new_bo() would fill it. */
	expect(0, vbind_gem_create(fd, 2 * PAGE, 0, 0, &handle));
	first = map_bo(fd, handle);
	second = map_bo(fd, handle);
	for (i = 0; i < 2 * PAGE; i++)
		check(!first[i], "byte %u of a new BO is 0x%x", i, first[i]);
	first[PAGE + 5] = 0x5a;
	expect_value(0x5a, second[PAGE + 5]);
	munmap(first, 2 * PAGE);

	/* The mapping keeps the BO. */
	expect(0, vbind_gem_close(fd, handle));
	expect_value(0x5a, second[PAGE + 5]);
	munmap(second, 2 * PAGE);
}

static void test_gem_create_errors(void)
{
	static const struct {
		const char *what;
		struct drm_vbind_gem_create args;
		int error;
	} cases[] = {
		{ "no size", { .size = 0 }, -EINVAL },
		{ "size of a byte", { .size = 1 }, -EINVAL },
		{ "size just below a page", { .size = PAGE - 1 }, -EINVAL },
		{ "size just above a page", { .size = PAGE + 1 }, -EINVAL },
		{ "size of 2^63", { .size = 1ULL << 63 }, -EINVAL },
		{ "size of 2^62", { .size = 1ULL << 62 }, -ENOSPC },
		{ "size of 2^64 - 4096", { .size = -PAGE }, -EINVAL },
		{ "unknown flag", { .size = PAGE, .flags = 2 }, -EINVAL },
		{ "last flag", { .size = PAGE, .flags = 1U << 31 }, -EINVAL },
		{ "pad", { .size = PAGE, .pad = 1 }, -EINVAL },
		{ "VM of a shareable BO", { .size = PAGE, .vm_id = 1 }, -EINVAL },
		{ "private without VM",
		  { .size = PAGE, .flags = DRM_VBIND_GEM_VM_PRIVATE }, -ENOENT },
		{ "private in an unknown VM",
		  { .size = PAGE, .flags = DRM_VBIND_GEM_VM_PRIVATE, .vm_id = 99 },
		  -ENOENT },
		{ "private with bad size",
		  { .size = 1, .flags = DRM_VBIND_GEM_VM_PRIVATE, .vm_id = 1 },
		  -EINVAL },
	};
	unsigned int i;

	expect_value(1, new_vm(0));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct drm_vbind_gem_create args = cases[i].args;
		int ret = vbind_ioctl(fd, DRM_IOCTL_VBIND_GEM_CREATE, &args);

		check(ret == cases[i].error, "%s: %s instead of %s",
		      cases[i].what, result_name(ret),
		      result_name(cases[i].error));
	}
	expect(-EFAULT, vbind_ioctl(fd, DRM_IOCTL_VBIND_GEM_CREATE, NULL));
	check_stats(0, 1, 0);
}

/* What a file creates counts as long as it exists, and for that file alone. */
static void test_gem_limit(void)
{
	const uint64_t part = DRM_VBIND_MAX_FILE_BYTES / 4;
	uint32_t handles[4], handle, shared;
	int other = open_device(), i;

	expect(-ENOSPC, vbind_gem_create(fd, DRM_VBIND_MAX_FILE_BYTES + PAGE, 0, 0,
					 &handle));
	for (i = 0; i < 4; i++)
		expect(0, vbind_gem_create(fd, part, 0, 0, &handles[i]));
	expect(-ENOSPC, vbind_gem_create(fd, PAGE, 0, 0, &handle));
	expect(-ENOSPC, vbind_gem_create(fd, PAGE, DRM_VBIND_GEM_VM_PRIVATE,
					 new_vm(0), &handle));
	shared = import_bo(fd, handles[0], other);
	for (i = 0; i < 4; i++)
		expect(0, vbind_gem_create(other, part, 0, 0, &handle));
	expect(-ENOSPC, vbind_gem_create(other, PAGE, 0, 0, &handle));

	expect(0, vbind_gem_close(fd, handles[0]));
	expect(-ENOSPC, vbind_gem_create(fd, PAGE, 0, 0, &handle));
	expect(0, vbind_gem_close(other, shared));
	expect(-ENOSPC, vbind_gem_create(fd, part + PAGE, 0, 0, &handle));
	expect(0, vbind_gem_create(fd, part, 0, 0, &handle));
	expect(-ENOSPC, vbind_gem_create(fd, PAGE, 0, 0, &handle));

	/* A BO may outlive the file that it counts for. */
	import_bo(fd, handle, other);
	close(fd);
	fd = other;
	check_stats(5, 0, 0);
}

static void test_gem_info_errors(void)
{
	struct drm_vbind_gem_info info;
	uint32_t handle = new_bo(PAGE);

	expect(-ENOENT, vbind_gem_info(fd, 0, &info));
	expect(-ENOENT, vbind_gem_info(fd, handle + 1, &info));
	expect(-ENOENT, vbind_gem_info(fd, ~0U, &info));
	expect(0, vbind_gem_close(fd, handle));
	expect(-ENOENT, vbind_gem_info(fd, handle, &info));
	expect(-EINVAL, vbind_gem_close(fd, handle));
}

/* PRIME */

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

static void test_prime_sharing(void)
{
	struct drm_vbind_gem_info info;
	uint32_t handle = new_bo(PAGE), imported;
	uint64_t id = id_of(handle);
	int other = open_device();
	uint8_t *here, *there;

	expect_value(handle, import_bo(fd, handle, fd));
	imported = import_bo(fd, handle, other);
	expect(0, vbind_gem_info(other, imported, &info));
	expect_value(id, info.bo_id);

	here = map_bo(fd, handle);
	there = map_bo(other, imported);
	here[7] = 0x77;
	expect_value(0x77, there[7]);
	munmap(here, PAGE);
	munmap(there, PAGE);
	close(other);
}

static void test_prime_private(void)
{
	uint32_t handle;
	int prime;

	setup();
	handle = new_private_bo(PAGE, vm);
	check(drmPrimeHandleToFD(fd, handle, DRM_CLOEXEC, &prime) &&
	      errno == EPERM, "a private BO can be exported");
}

/* VM_CREATE and VM_DESTROY */

static void test_vm_create(void)
{
	struct drm_vbind_vm_query query;
	uint32_t id = new_vm(mode);

	expect(0, vbind_vm_query(fd, id, &query, NULL));
	expect_value(VA_START, query.va_start);
	expect_value(VA_RANGE, query.va_range);
	expect_value(RSV_START, query.reserved_start);
	expect_value(RSV_RANGE, query.reserved_range);
	expect_value(mode, query.vm_flags);
	expect_value(0, query.num_mappings);
}

static void test_vm_create_without_reserved_range(void)
{
	struct drm_vbind_vm_query query;
	uint32_t id;

	setup();
	expect(0, vbind_vm_create(fd, 0, VA_END, 0, 0, mode, &id));
	expect(0, vbind_vm_query(fd, id, &query, NULL));
	expect_value(0, query.va_start);
	expect_value(0, query.reserved_start);
	expect_value(0, query.reserved_range);
	expect(0, vbind_map(fd, id, 0, PAGE, bo, 0));
	expect(0, vbind_map_sparse(fd, id, 0, VA_END));
}

static void test_vm_create_errors(void)
{
	static const struct {
		const char *what;
		struct drm_vbind_vm_create args;
	} cases[] = {
		{ "empty", { .va_start = PAGE } },
		{ "unaligned start", { .va_start = 1, .va_range = PAGE } },
		{ "unaligned range", { .va_range = PAGE + 1 } },
		{ "range below a page", { .va_range = PAGE - 1 } },
		{ "one page beyond 2^64",
		  { .va_start = -PAGE, .va_range = 2 * PAGE } },
		{ "half beyond 2^64",
		  { .va_start = 1ULL << 63, .va_range = (1ULL << 63) + PAGE } },
		{ "reserved before the start",
		  { .va_start = PAGE, .va_range = PAGE, .reserved_start = 0,
		    .reserved_range = PAGE } },
		{ "reserved across the start",
		  { .va_start = PAGE, .va_range = 2 * PAGE, .reserved_start = 0,
		    .reserved_range = 2 * PAGE } },
		{ "reserved after the end",
		  { .va_range = PAGE, .reserved_start = PAGE,
		    .reserved_range = PAGE } },
		{ "reserved across the end",
		  { .va_range = 2 * PAGE, .reserved_start = PAGE,
		    .reserved_range = 2 * PAGE } },
		{ "reserved larger than all",
		  { .va_start = PAGE, .va_range = PAGE,
		    .reserved_range = 3 * PAGE } },
		{ "reserved beyond 2^64",
		  { .va_range = -PAGE, .reserved_start = -2 * PAGE,
		    .reserved_range = 4 * PAGE } },
		{ "reserved start unaligned",
		  { .va_range = 4 * PAGE, .reserved_start = 1,
		    .reserved_range = PAGE } },
		{ "reserved range unaligned",
		  { .va_range = 4 * PAGE, .reserved_start = PAGE,
		    .reserved_range = 1 } },
		{ "reserved start without range",
		  { .va_range = 4 * PAGE, .reserved_start = PAGE } },
		{ "unknown flag", { .va_range = PAGE, .flags = 4 } },
		{ "last flag", { .va_range = PAGE, .flags = 1U << 31 } },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct drm_vbind_vm_create args = cases[i].args;
		int ret;

		args.flags |= mode;
		ret = vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_CREATE, &args);
		check(ret == -EINVAL, "%s: %s instead of EINVAL", cases[i].what,
		      result_name(ret));
	}
	expect(-EFAULT, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_CREATE, NULL));
	check_stats(0, 0, 0);
}

static void test_vm_last_page(void)
{
	struct drm_vbind_mapping expected[] = {
		{ .addr = -4 * PAGE, .range = PAGE,
		  .flags = DRM_VBIND_MAPPING_SPARSE },
		{ .addr = -3 * PAGE, .range = 2 * PAGE, .offset = PAGE },
		{ .addr = -PAGE, .range = PAGE, .flags = DRM_VBIND_MAPPING_SPARSE },
	};
	uint32_t id;

	setup();
	expected[1].bo_id = bo_id;
	expect(0, vbind_vm_create(fd, -16 * PAGE, 16 * PAGE, -16 * PAGE, PAGE,
				  mode, &id));
	expect(0, vbind_map_sparse(fd, id, -4 * PAGE, 4 * PAGE));
	expect(0, vbind_map(fd, id, -3 * PAGE, 2 * PAGE, bo, PAGE));
	check_mappings(id, "up to the last page", expected, 3);

	expect(0, vbind_map(fd, id, -PAGE, PAGE, bo, 0));
	expect(-EINVAL, vbind_map(fd, id, -PAGE, 2 * PAGE, bo, 0));
	expect(-EINVAL, vbind_map(fd, id, 0, PAGE, bo, 0));
	expect(-EINVAL, vbind_unmap(fd, id, -PAGE, 2 * PAGE));
	expect(-EINVAL, vbind_unmap(fd, id, -16 * PAGE, 16 * PAGE));
	expect(0, vbind_unmap(fd, id, -15 * PAGE, 15 * PAGE));
	check_empty(id);
}

static void test_vm_largest(void)
{
	struct drm_vbind_mapping expected[] = {
		{ .addr = PAGE, .range = (1ULL << 63) - PAGE,
		  .flags = DRM_VBIND_MAPPING_SPARSE },
		{ .addr = 1ULL << 63, .range = PAGE },
		{ .addr = (1ULL << 63) + PAGE, .range = (1ULL << 63) - PAGE,
		  .flags = DRM_VBIND_MAPPING_SPARSE },
	};
	uint32_t id;

	setup();
	expected[1].bo_id = bo_id;
	expect(0, vbind_vm_create(fd, PAGE, -PAGE, 0, 0, mode, &id));
	expect(0, vbind_map_sparse(fd, id, PAGE, -PAGE));
	expect(0, vbind_map(fd, id, 1ULL << 63, PAGE, bo, 0));
	check_mappings(id, "a mapping in the middle", expected, 3);
	expect(-EINVAL, vbind_unmap(fd, id, 0, PAGE));
	expect(0, vbind_unmap(fd, id, PAGE, -PAGE));
	check_empty(id);
}

static void test_vm_all_reserved(void)
{
	uint32_t id;

	setup();
	expect(0, vbind_vm_create(fd, PAGE, 8 * PAGE, PAGE, 8 * PAGE, mode, &id));
	expect(-EINVAL, vbind_map(fd, id, PAGE, PAGE, bo, 0));
	expect(-EINVAL, vbind_unmap(fd, id, 8 * PAGE, PAGE));
	check_empty(id);
}

static void test_vm_ids(void)
{
	int other = open_device();
	uint32_t id;

	/* Every file counts from one, and sees its own VMs only. */
	expect_value(1, new_vm(mode));
	expect_value(2, new_vm(mode));
	expect(0, vbind_vm_create(other, 0, PAGE, 0, 0, mode, &id));
	expect_value(1, id);
	expect(-ENOENT, vbind_vm_destroy(other, 2));
	expect(-ENOENT, vbind_map_sparse(other, 2, 0, PAGE));
	expect(-ENOENT, vbind_vm_query(other, 2, NULL, NULL));
	expect(0, vbind_vm_destroy(fd, 1));
	expect(0, vbind_vm_destroy(other, 1));
	close(other);
}

static void test_vm_destroy(void)
{
	struct drm_vbind_vm_destroy padded = { .pad = 1 };
	uint32_t handle;

	setup();
	populate(vm);
	padded.vm_id = vm;
	expect(-EINVAL, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_DESTROY, &padded));
	expect(-ENOENT, vbind_vm_destroy(fd, 0));
	expect(-ENOENT, vbind_vm_destroy(fd, vm + 1));
	expect(-ENOENT, vbind_vm_destroy(fd, ~0U));
	check_stats(1, 1, 6);

	expect(0, vbind_vm_destroy(fd, vm));
	check_stats(1, 0, 0);
	expect(-ENOENT, vbind_vm_destroy(fd, vm));
	expect(-ENOENT, vbind_map_sparse(fd, vm, VA_START, PAGE));
	expect(-ENOENT, vbind_vm_query(fd, vm, NULL, NULL));
	expect(-ENOENT, vbind_gem_create(fd, PAGE, DRM_VBIND_GEM_VM_PRIVATE, vm,
					 &handle));
}

static void test_vm_limit(void)
{
	uint32_t i, id;

	for (i = 0; i < DRM_VBIND_MAX_VMS; i++)
		expect(0, vbind_vm_create(fd, 0, PAGE, 0, 0, mode, &id));
	expect(-ENOSPC, vbind_vm_create(fd, 0, PAGE, 0, 0, mode, &id));
	expect(0, vbind_vm_destroy(fd, 17));
	expect(0, vbind_vm_create(fd, 0, PAGE, 0, 0, mode, &id));
	expect_value(17, id);
	expect(-ENOSPC, vbind_vm_create(fd, 0, PAGE, 0, 0, mode, &id));
}

/* VM_BIND: what it does */

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

/*
 * Every case starts from one mapping of the pages 4 to 11 of the BO at the pages
 * 4 to 11. Numbers are pages; the request is at VA_START + page.
 */
struct step_case {
	const char *what;
	uint32_t type;
	unsigned int page, pages, offset;
	/* what happens to the old mapping: a step type, or -1 for nothing */
	int old_step;
	bool keep;
	/* the parts that stay, in pages, and the offset of the second */
	unsigned int prev_pages, next_page, next_pages;
};

#define S_REMAP		DRM_VBIND_STEP_REMAP
#define S_UNMAP		DRM_VBIND_STEP_UNMAP
#define S_UPDATE	DRM_VBIND_STEP_UPDATE

static const struct step_case step_cases[] = {
	{ "map in front, adjacent", MAP, 2, 2, 0, -1, false, 0, 0, 0 },
	{ "map behind, adjacent", MAP, 12, 2, 0, -1, false, 0, 0, 0 },
	{ "map the same", MAP, 4, 8, 4, S_UPDATE, false, 0, 0, 0 },
	{ "map the same range, other offset", MAP, 4, 8, 5, S_UNMAP, false, 0, 0, 0 },
	{ "map the front, contiguous", MAP, 4, 3, 4, S_REMAP, true, 0, 7, 5 },
	{ "map the front, other offset", MAP, 4, 3, 0, S_REMAP, false, 0, 7, 5 },
	{ "map the end, contiguous", MAP, 9, 3, 9, S_REMAP, true, 5, 0, 0 },
	{ "map the end, other offset", MAP, 9, 3, 0, S_REMAP, false, 5, 0, 0 },
	{ "map the middle, contiguous", MAP, 6, 2, 6, S_REMAP, true, 2, 8, 4 },
	{ "map the middle, other offset", MAP, 6, 2, 0, S_REMAP, false, 2, 8, 4 },
	{ "map across the start, contiguous", MAP, 2, 4, 2, S_REMAP, true, 0, 6, 6 },
	{ "map across the start, other offset", MAP, 2, 4, 0, S_REMAP, false, 0, 6, 6 },
	{ "map across the end, contiguous", MAP, 10, 4, 10, S_REMAP, true, 6, 0, 0 },
	{ "map across the end, other offset", MAP, 10, 4, 0, S_REMAP, false, 6, 0, 0 },
	{ "map over all, contiguous", MAP, 2, 12, 2, S_UNMAP, true, 0, 0, 0 },
	{ "map over all, other offset", MAP, 2, 12, 0, S_UNMAP, false, 0, 0, 0 },
	{ "sparse over the same range", SPARSE, 4, 8, 0, S_UNMAP, false, 0, 0, 0 },
	{ "sparse in the middle", SPARSE, 6, 2, 0, S_REMAP, false, 2, 8, 4 },
	{ "unmap the same range", UNMAP, 4, 8, 0, S_UNMAP, false, 0, 0, 0 },
	{ "unmap the front", UNMAP, 4, 1, 0, S_REMAP, false, 0, 5, 7 },
	{ "unmap the end", UNMAP, 11, 1, 0, S_REMAP, false, 7, 0, 0 },
	{ "unmap the middle", UNMAP, 5, 1, 0, S_REMAP, false, 1, 6, 6 },
	{ "unmap across the start", UNMAP, 0, 6, 0, S_REMAP, false, 0, 6, 6 },
	{ "unmap across the end", UNMAP, 8, 6, 0, S_REMAP, false, 4, 0, 0 },
	{ "unmap all", UNMAP, 0, 16, 0, S_UNMAP, false, 0, 0, 0 },
	{ "unmap a hole", UNMAP, 12, 4, 0, -1, false, 0, 0, 0 },
};

static unsigned int expected_steps(const struct step_case *c,
				   struct drm_vbind_step *steps)
{
	struct drm_vbind_step *step = steps;

	memset(steps, 0, 2 * sizeof(*steps));
	if (c->old_step >= 0) {
		step->type = c->old_step;
		step->flags = c->keep ? DRM_VBIND_STEP_KEEP : 0;
		step->mapping = bo_mapping(4, 8, 4);
		if (c->prev_pages) {
			step->flags |= DRM_VBIND_STEP_PREV;
			step->prev = bo_mapping(4, c->prev_pages, 4);
		}
		if (c->next_pages) {
			step->flags |= DRM_VBIND_STEP_NEXT;
			step->next = bo_mapping(c->next_page, c->next_pages,
						c->next_page);
		}
		step++;
	}
	if (c->type != UNMAP && c->old_step != S_UPDATE) {
		step->type = DRM_VBIND_STEP_MAP;
		step->mapping = bo_mapping(c->page, c->pages, c->offset);
		if (c->type == SPARSE) {
			step->mapping.bo_id = 0;
			step->mapping.flags = DRM_VBIND_MAPPING_SPARSE;
		}
		step++;
	}
	return step - steps;
}

static int compare_mappings(const void *a, const void *b)
{
	const struct drm_vbind_mapping *left = a, *right = b;

	return left->addr < right->addr ? -1 : left->addr > right->addr;
}

/* The mappings after the steps, which start from the one old mapping */
static int mappings_after(const struct step_case *c,
			  const struct drm_vbind_step *steps,
			  unsigned int num_steps, struct drm_vbind_mapping *out)
{
	int count = 0;
	unsigned int i;

	if (c->old_step < 0 || c->old_step == S_UPDATE)
		out[count++] = bo_mapping(4, 8, 4);
	for (i = 0; i < num_steps; i++) {
		if (steps[i].type == DRM_VBIND_STEP_MAP)
			out[count++] = steps[i].mapping;
		if (steps[i].flags & DRM_VBIND_STEP_PREV)
			out[count++] = steps[i].prev;
		if (steps[i].flags & DRM_VBIND_STEP_NEXT)
			out[count++] = steps[i].next;
	}
	qsort(out, count, sizeof(*out), compare_mappings);
	return count;
}

static void check_step_case(const struct step_case *c)
{
	struct drm_vbind_bind bind = range_bind(c->type,
						VA_START + c->page * PAGE,
						c->pages * PAGE);
	struct drm_vbind_step expected[2], found[4] = {};
	struct drm_vbind_mapping after[4];
	uint32_t num_expected, num_found = ARRAY_SIZE(found), fail_index;

	if (c->type == MAP) {
		bind.handle = bo;
		bind.offset = c->offset * PAGE;
	}
	expect(0, vbind_unmap(fd, vm, VA_START, 32 * PAGE));
	expect(0, vbind_map(fd, vm, VA_START + 4 * PAGE, 8 * PAGE, bo, 4 * PAGE));

	expect(0, vbind_vm_bind_steps(fd, vm, &bind, 1, found, &num_found,
				      &fail_index));
	num_expected = expected_steps(c, expected);
	check(num_found == num_expected, "%s: %u steps instead of %u", c->what,
	      num_found, num_expected);
	check(!memcmp(found, expected, num_found * sizeof(*found)),
	      "%s: the steps are not as expected", c->what);
	expect_value(NO_INDEX, fail_index);
	check_mappings(vm, c->what, after,
		       mappings_after(c, expected, num_expected, after));
}

static void test_bind_steps(void)
{
	unsigned int i;

	setup();
	for (i = 0; i < ARRAY_SIZE(step_cases); i++)
		check_step_case(&step_cases[i]);
}

static void test_bind_over_many(void)
{
	struct drm_vbind_bind bind = map_bind(VA_START + 3 * PAGE, 16 * PAGE, 0);
	struct drm_vbind_step steps[16];
	uint32_t num_steps = ARRAY_SIZE(steps), i;

	setup();
	for (i = 0; i < 10; i++)
		expect(0, vbind_map(fd, vm, VA_START + 2 * i * PAGE, 2 * PAGE,
				    bo, 0));
	expect(0, vbind_vm_bind_steps(fd, vm, &bind, 1, steps, &num_steps, NULL));

	/* Cut at both ends, unmapped in between, by ascending address */
	expect_value(10, num_steps);
	expect_value(DRM_VBIND_STEP_REMAP, steps[0].type);
	expect_value(DRM_VBIND_STEP_PREV, steps[0].flags);
	for (i = 1; i < 8; i++) {
		expect_value(DRM_VBIND_STEP_UNMAP, steps[i].type);
		expect_value(VA_START + (2 + 2 * i) * PAGE, steps[i].mapping.addr);
	}
	expect_value(DRM_VBIND_STEP_REMAP, steps[8].type);
	expect_value(DRM_VBIND_STEP_NEXT, steps[8].flags);
	expect_value(DRM_VBIND_STEP_MAP, steps[9].type);
}

static void test_bind_keeps_flags_of_parts(void)
{
	struct drm_vbind_bind bind = map_bind(VA_START, 8 * PAGE, 0);
	struct drm_vbind_mapping expected[] = {
		bo_mapping(0, 3, 0), bo_mapping(4, 4, 4),
		bo_mapping(8, 2, 0), bo_mapping(11, 5, 0),
	};

	setup();
	bind.flags = DRM_VBIND_BIND_READONLY;
	expect(0, vbind_vm_bind(fd, vm, &bind, 1, NULL));
	expect(0, vbind_map_sparse(fd, vm, VA_START + 8 * PAGE, 8 * PAGE));
	expect(0, vbind_unmap(fd, vm, VA_START + 3 * PAGE, PAGE));
	expect(0, vbind_unmap(fd, vm, VA_START + 10 * PAGE, PAGE));

	expected[0].bo_id = bo_id;
	expected[1].bo_id = bo_id;
	expected[0].flags = DRM_VBIND_MAPPING_READONLY;
	expected[1].flags = DRM_VBIND_MAPPING_READONLY;
	expected[2].bo_id = 0;
	expected[3].bo_id = 0;
	expected[2].flags = DRM_VBIND_MAPPING_SPARSE;
	expected[3].flags = DRM_VBIND_MAPPING_SPARSE;
	check_mappings(vm, "after the cuts", expected, 4);
}

static void test_bind_array_sees_itself(void)
{
	struct drm_vbind_bind binds[] = {
		map_bind(VA_START, 16 * PAGE, 0),
		range_bind(UNMAP, VA_START + 4 * PAGE, 4 * PAGE),
		range_bind(SPARSE, VA_START + 5 * PAGE, PAGE),
		map_bind(VA_START + 12 * PAGE, 8 * PAGE, 32 * PAGE),
		range_bind(PREFETCH, VA_START, 16 * PAGE),
		range_bind(UNMAP, VA_START + 16 * PAGE, 4 * PAGE),
	};
	struct drm_vbind_mapping expected[4];
	struct drm_vbind_step steps[32];
	uint32_t num_steps = ARRAY_SIZE(steps), i, prefetched = 0;

	setup();
	for (i = 0; i < ARRAY_SIZE(binds); i++)
		binds[i].handle = binds[i].type == MAP ? bo : 0;
	expect(0, vbind_vm_bind_steps(fd, vm, binds, ARRAY_SIZE(binds), steps,
				      &num_steps, NULL));
	expected[0] = bo_mapping(0, 4, 0);
	expected[1] = bo_mapping(5, 1, 0);
	expected[1].bo_id = 0;
	expected[1].flags = DRM_VBIND_MAPPING_SPARSE;
	expected[2] = bo_mapping(8, 4, 8);
	expected[3] = bo_mapping(12, 4, 32);
	check_mappings(vm, "after the array", expected, 4);

	for (i = 0; i < num_steps; i++) {
		check(steps[i].bind_index < ARRAY_SIZE(binds) &&
		      (!i || steps[i].bind_index >= steps[i - 1].bind_index),
		      "steps are out of order");
		if (steps[i].bind_index == 4) {
			expect_value(DRM_VBIND_STEP_PREFETCH, steps[i].type);
			prefetched++;
		}
	}
	expect_value(4, prefetched);
}

static void test_bind_prefetch(void)
{
	struct drm_vbind_bind bind =
		range_bind(PREFETCH, VA_START + PAGE,
			   RSV_START - VA_START - PAGE);
	struct drm_vbind_step steps[8];
	uint32_t num_steps = ARRAY_SIZE(steps);
	struct snapshot before;

	setup();
	populate(vm);
	before = take_snapshot(vm);
	expect(0, vbind_vm_bind_steps(fd, vm, &bind, 1, steps, &num_steps, NULL));
	expect_value(4, num_steps);
	expect_value(VA_START, steps[0].mapping.addr);
	expect_value(RSV_START - PAGE, steps[3].mapping.addr);

	/* A hole has nothing to prefetch, the reserved range may not be touched. */
	bind = range_bind(PREFETCH, RSV_END + PAGE, PAGE);
	num_steps = ARRAY_SIZE(steps);
	expect(0, vbind_vm_bind_steps(fd, vm, &bind, 1, steps, &num_steps, NULL));
	expect_value(0, num_steps);
	bind = range_bind(PREFETCH, RSV_END - PAGE, 2 * PAGE);
	expect(-EINVAL, vbind_vm_bind(fd, vm, &bind, 1, NULL));
	check_unchanged(vm, "after prefetches", &before);
}

static void test_bind_few_steps_wanted(void)
{
	struct drm_vbind_bind bind = range_bind(SPARSE, VA_START, 8 * PAGE);
	struct drm_vbind_step steps[3];
	uint32_t num_steps = 2, i;

	setup();
	memset(steps, 0xff, sizeof(steps));
	for (i = 0; i < 4; i++)
		expect(0, vbind_map(fd, vm, VA_START + 2 * i * PAGE, PAGE, bo, 0));

	/* Five steps, of which two are written */
	expect(0, vbind_vm_bind_steps(fd, vm, &bind, 1, steps, &num_steps, NULL));
	expect_value(5, num_steps);
	expect_value(DRM_VBIND_STEP_UNMAP, steps[1].type);
	expect_value(~0U, steps[2].type);

	num_steps = 0;
	bind.range += PAGE;
	expect(0, vbind_vm_bind_steps(fd, vm, &bind, 1, NULL, &num_steps, NULL));
	expect_value(2, num_steps);
}

static void test_bind_longest_array(void)
{
	struct drm_vbind_bind *binds = calloc(DRM_VBIND_MAX_BINDS, sizeof(*binds));
	uint32_t i;

	setup();
	for (i = 0; i < DRM_VBIND_MAX_BINDS; i++)
		binds[i] = map_bind(VA_START + i % 1024 * PAGE, PAGE,
				    i % 64 * PAGE);
	expect(0, vbind_vm_bind(fd, vm, binds, DRM_VBIND_MAX_BINDS, NULL));
	expect_value(1024, vbind_vm_query(fd, vm, NULL, NULL));
	expect(0, vbind_unmap(fd, vm, VA_START, 1024 * PAGE));
	check_empty(vm);
	free(binds);
}

/* VM_BIND: what it refuses */

struct bind_error {
	const char *what;
	struct drm_vbind_bind bind;
	int error;
};

/* A handle of 1 is the test's BO. */
#define HERE	.addr = VA_START, .range = PAGE
static const struct bind_error bind_errors[] = {
	{ "type after the last", { .type = 5, HERE }, -EINVAL },
	{ "unmap-BO with an address",
	  { .type = UNMAP_BO, .handle = 1, .addr = VA_START }, -EINVAL },
	{ "unmap-BO with a range",
	  { .type = UNMAP_BO, .handle = 1, .range = PAGE }, -EINVAL },
	{ "unmap-BO with an offset",
	  { .type = UNMAP_BO, .handle = 1, .offset = PAGE }, -EINVAL },
	{ "unmap-BO without BO", { .type = UNMAP_BO }, -ENOENT },
	{ "unmap-BO with an unknown BO", { .type = UNMAP_BO, .handle = 12345 },
	  -ENOENT },
	{ "read-only unmap-BO", { .type = UNMAP_BO, .flags = 1, .handle = 1 },
	  -EINVAL },
	{ "type of all ones", { .type = ~0U, HERE }, -EINVAL },
	{ "unknown flag", { .type = MAP, .flags = 2, .handle = 1, HERE }, -EINVAL },
	{ "last flag", { .type = MAP, .flags = 1U << 31, .handle = 1, HERE }, -EINVAL },
	{ "read-only sparse", { .type = SPARSE, .flags = 1, HERE }, -EINVAL },
	{ "read-only unmap", { .type = UNMAP, .flags = 1, HERE }, -EINVAL },
	{ "read-only prefetch", { .type = PREFETCH, .flags = 1, HERE }, -EINVAL },
	{ "pad", { .type = MAP, .pad = 1, .handle = 1, HERE }, -EINVAL },
	{ "no BO", { .type = MAP, HERE }, -ENOENT },
	{ "unknown BO", { .type = MAP, .handle = 12345, HERE }, -ENOENT },
	{ "BO of all ones", { .type = MAP, .handle = ~0U, HERE }, -ENOENT },
	{ "sparse with BO", { .type = SPARSE, .handle = 1, HERE }, -EINVAL },
	{ "unmap with BO", { .type = UNMAP, .handle = 1, HERE }, -EINVAL },
	{ "prefetch with BO", { .type = PREFETCH, .handle = 1, HERE }, -EINVAL },
	{ "sparse with offset", { .type = SPARSE, .offset = PAGE, HERE }, -EINVAL },
	{ "unmap with offset", { .type = UNMAP, .offset = PAGE, HERE }, -EINVAL },
	{ "prefetch with offset", { .type = PREFETCH, .offset = PAGE, HERE }, -EINVAL },
	{ "unaligned offset", { .type = MAP, .handle = 1, .offset = 1, HERE }, -EINVAL },
	{ "offset at the BO's end",
	  { .type = MAP, .handle = 1, .offset = BO_SIZE, HERE }, -EINVAL },
	{ "range across the BO's end",
	  { .type = MAP, .handle = 1, .offset = BO_SIZE - PAGE, .addr = VA_START,
	    .range = 2 * PAGE }, -EINVAL },
	{ "range beyond the BO's size",
	  { .type = MAP, .handle = 1, .addr = VA_START, .range = BO_SIZE + PAGE }, -EINVAL },
	{ "offset that overflows",
	  { .type = MAP, .handle = 1, .offset = -PAGE, .addr = VA_START,
	    .range = 2 * PAGE }, -EINVAL },
};

/* For every type of bind */
static const struct range_error {
	const char *what;
	uint64_t addr, range;
} range_errors[] = {
	{ "empty", VA_START, 0 },
	{ "empty in the middle of a mapping", VA_START + 20 * PAGE, 0 },
	{ "unaligned address", VA_START + 1, PAGE },
	{ "address unaligned by half a page", VA_START + PAGE / 2, PAGE },
	{ "unaligned range", VA_START, PAGE + 1 },
	{ "range below a page", VA_START, PAGE - 1 },
	{ "in front of the VA space", VA_START - PAGE, PAGE },
	{ "across the start of the VA space", VA_START - PAGE, 2 * PAGE },
	{ "at zero", 0, PAGE },
	{ "behind the VA space", VA_END, PAGE },
	{ "across the end of the VA space", VA_END - PAGE, 2 * PAGE },
	{ "last page of 2^64", -PAGE, PAGE },
	{ "overflow to zero", -PAGE, 2 * PAGE },
	{ "overflow into the VA space", -PAGE, VA_START + 2 * PAGE },
	{ "range of 2^64 - 4096", VA_START, -PAGE },
	{ "range of 2^63", VA_START, 1ULL << 63 },
	{ "the reserved range", RSV_START, RSV_RANGE },
	{ "first page of the reserved range", RSV_START, PAGE },
	{ "last page of the reserved range", RSV_END - PAGE, PAGE },
	{ "into the reserved range", RSV_START - PAGE, 2 * PAGE },
	{ "out of the reserved range", RSV_END - PAGE, 2 * PAGE },
	{ "over the reserved range", RSV_START - PAGE, RSV_RANGE + 2 * PAGE },
	{ "the whole VA space", VA_START, VA_RANGE },
};

static void check_bind_error(const char *what, struct drm_vbind_bind bind,
			     int error)
{
	/* In the middle of binds that are fine */
	struct drm_vbind_bind array[3] = {
		map_bind(VA_START, 64 * PAGE, 0),
		bind,
		range_bind(UNMAP, VA_START, 256 * PAGE),
	};
	struct snapshot before = take_snapshot(vm);
	struct drm_vbind_step steps[4];
	uint32_t fail_index = 77, num_steps = ARRAY_SIZE(steps);
	int ret;

	ret = vbind_vm_bind_steps(fd, vm, &bind, 1, steps, &num_steps,
				  &fail_index);
	check(ret == error && !fail_index && num_steps == ARRAY_SIZE(steps),
	      "%s: %s instead of %s, fail_index %u, %u steps", what,
	      result_name(ret), result_name(error), fail_index, num_steps);

	ret = vbind_vm_bind(fd, vm, array, 3, &fail_index);
	check(ret == error && fail_index == 1,
	      "%s, within an array: %s instead of %s, fail_index %u", what,
	      result_name(ret), result_name(error), fail_index);
	check_unchanged(vm, what, &before);
}

static void test_bind_errors(void)
{
	unsigned int i;

	setup();
	expect_value(1, bo);
	populate(vm);
	for (i = 0; i < ARRAY_SIZE(bind_errors); i++)
		check_bind_error(bind_errors[i].what, bind_errors[i].bind,
				 bind_errors[i].error);
	check_stats(1, 1, 6);
}

static void check_range_error(const struct range_error *c, uint32_t type)
{
	struct drm_vbind_bind bind = range_bind(type, c->addr, c->range);

	if (type == MAP)
		bind.handle = bo;
	check_bind_error(c->what, bind, -EINVAL);
}

static void test_bind_range_errors(void)
{
	unsigned int i;
	uint32_t type;

	setup();
	populate(vm);
	for (i = 0; i < ARRAY_SIZE(range_errors); i++) {
		for (type = 0; type <= PREFETCH; type++)
			check_range_error(&range_errors[i], type);
	}
	check_stats(1, 1, 6);
}

static void test_bind_array_fails_midway(void)
{
	struct drm_vbind_bind binds[8], good;
	struct snapshot before;
	uint32_t i, fail_index;

	setup();
	populate(vm);
	for (i = 0; i < ARRAY_SIZE(binds); i++)
		binds[i] = map_bind(VA_START + 3 * i * PAGE, 5 * PAGE, i * PAGE);

	for (i = 0; i < ARRAY_SIZE(binds); i++) {
		before = take_snapshot(vm);
		good = binds[i];
		binds[i].range = 0;
		fail_index = 77;
		expect(-EINVAL, vbind_vm_bind(fd, vm, binds, ARRAY_SIZE(binds),
					      &fail_index));
		expect_value(i, fail_index);
		check_unchanged(vm, "an array with a bad bind", &before);
		binds[i] = good;
	}
	expect(0, vbind_vm_bind(fd, vm, binds, ARRAY_SIZE(binds), &fail_index));
	expect_value(NO_INDEX, fail_index);
}

/* The fields of the call itself; each case changes one thing in a good call. */

enum call_field {
	F_VM_ID, F_FLAGS, F_NUM_BINDS, F_BIND_STRIDE, F_BINDS, F_NUM_STEPS,
	F_STEP_STRIDE, F_STEPS, F_PAD,
};

static const struct {
	const char *what;
	enum call_field field;
	uint64_t value;
	int error;
} call_errors[] = {
	{ "no VM", F_VM_ID, 0, -ENOENT },
	{ "unknown VM", F_VM_ID, 99, -ENOENT },
	{ "VM of all ones", F_VM_ID, ~0U, -ENOENT },
	{ "asynchronous with steps", F_FLAGS, 1, -EINVAL },
	{ "unknown flag", F_FLAGS, 2, -EINVAL },
	{ "last flag", F_FLAGS, 1U << 31, -EINVAL },
	{ "no binds", F_NUM_BINDS, 0, -EINVAL },
	{ "one bind too many", F_NUM_BINDS, DRM_VBIND_MAX_BINDS + 1, -E2BIG },
	{ "2^31 binds", F_NUM_BINDS, 1U << 31, -E2BIG },
	{ "2^32 - 1 binds", F_NUM_BINDS, ~0U, -E2BIG },
	{ "no bind stride", F_BIND_STRIDE, 0, -EINVAL },
	{ "bind stride too small", F_BIND_STRIDE, 32, -EINVAL },
	{ "bind stride not a multiple of 8", F_BIND_STRIDE, 44, -EINVAL },
	{ "bind stride above a page", F_BIND_STRIDE, 4104, -EINVAL },
	{ "bind stride of all ones", F_BIND_STRIDE, ~7U, -EINVAL },
	{ "no pointer to binds", F_BINDS, 0, -EFAULT },
	{ "kernel's pointer to binds", F_BINDS, 1ULL << 63, -EFAULT },
	{ "binds at the end of 2^64", F_BINDS, -40ULL, -EFAULT },
	{ "one step too many", F_NUM_STEPS, DRM_VBIND_MAX_STEPS + 1, -E2BIG },
	{ "2^32 - 1 steps", F_NUM_STEPS, ~0U, -E2BIG },
	{ "step stride and pointer without steps", F_NUM_STEPS, 0, -EINVAL },
	{ "no step stride", F_STEP_STRIDE, 0, -EINVAL },
	{ "step stride too small", F_STEP_STRIDE, 128, -EINVAL },
	{ "step stride not a multiple of 8", F_STEP_STRIDE, 140, -EINVAL },
	{ "step stride above a page", F_STEP_STRIDE, 4104, -EINVAL },
	{ "no pointer to steps", F_STEPS, 0, -EFAULT },
	{ "kernel's pointer to steps", F_STEPS, 1ULL << 63, -EFAULT },
	{ "steps at the end of 2^64", F_STEPS, -136ULL, -EFAULT },
	{ "pad", F_PAD, 1, -EINVAL },
};

static struct drm_vbind_vm_bind good_call(const struct drm_vbind_bind *binds,
					  uint32_t num_binds,
					  struct drm_vbind_step *steps,
					  uint32_t num_steps)
{
	return (struct drm_vbind_vm_bind){
		.vm_id = vm,
		.num_binds = num_binds,
		.bind_stride = sizeof(*binds),
		.binds = (uintptr_t)binds,
		.num_steps = num_steps,
		.step_stride = num_steps ? sizeof(*steps) : 0,
		.steps = (uintptr_t)steps,
	};
}

static void set_field(struct drm_vbind_vm_bind *args, enum call_field field,
		      uint64_t value)
{
	switch (field) {
	case F_VM_ID:
		args->vm_id = value;
		break;
	case F_FLAGS:
		args->flags = value;
		break;
	case F_NUM_BINDS:
		args->num_binds = value;
		break;
	case F_BIND_STRIDE:
		args->bind_stride = value;
		break;
	case F_BINDS:
		args->binds = value;
		break;
	case F_NUM_STEPS:
		args->num_steps = value;
		break;
	case F_STEP_STRIDE:
		args->step_stride = value;
		break;
	case F_STEPS:
		args->steps = value;
		break;
	case F_PAD:
		args->pad = value;
		break;
	}
}

static void test_bind_call_errors(void)
{
	struct drm_vbind_bind bind;
	struct drm_vbind_step steps[4];
	struct snapshot before;
	unsigned int i;

	setup();
	populate(vm);
	bind = map_bind(VA_START + PAGE, PAGE, 0);
	before = take_snapshot(vm);
	for (i = 0; i < ARRAY_SIZE(call_errors); i++) {
		struct drm_vbind_vm_bind args = good_call(&bind, 1, steps, 4);
		uint32_t num_steps;
		int ret;

		set_field(&args, call_errors[i].field, call_errors[i].value);
		num_steps = args.num_steps;
		ret = vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_BIND, &args);
		check(ret == call_errors[i].error, "%s: %s instead of %s",
		      call_errors[i].what, result_name(ret),
		      result_name(call_errors[i].error));
		check(args.num_steps == num_steps, "%s: num_steps changed",
		      call_errors[i].what);
	}
	expect(-EFAULT, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_BIND, NULL));
	check_unchanged(vm, "after bad calls", &before);
}

static void test_bind_steps_not_writable(void)
{
	struct drm_vbind_bind bind;
	struct drm_vbind_vm_bind args;
	struct snapshot before;
	uint8_t *pages;

	setup();
	populate(vm);
	bind = map_bind(VA_START + PAGE, PAGE, 0);
	before = take_snapshot(vm);

	/* The second page of the array is read-only, then not there at all. */
	pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(pages != MAP_FAILED, "mmap: %s", strerror(errno));
	args = good_call(&bind, 1, (struct drm_vbind_step *)pages, 2 * PAGE / 136);
	mprotect(pages + PAGE, PAGE, PROT_READ);
	expect(-EFAULT, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_BIND, &args));
	expect_value(NO_INDEX, args.fail_index);
	munmap(pages + PAGE, PAGE);
	expect(-EFAULT, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_BIND, &args));
	check_unchanged(vm, "nowhere to write steps to", &before);

	args.num_steps = PAGE / 136;
	expect(0, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_BIND, &args));
	munmap(pages, PAGE);
}

static void test_bind_array_not_readable(void)
{
	struct drm_vbind_bind *binds;
	struct drm_vbind_vm_bind args;
	uint8_t *pages;

	setup();
	pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(pages != MAP_FAILED, "mmap: %s", strerror(errno));
	munmap(pages + PAGE, PAGE);

	/* Two binds that can be read, one behind them that cannot */
	binds = (struct drm_vbind_bind *)(pages + PAGE) - 2;
	binds[0] = map_bind(VA_START, PAGE, 0);
	binds[1] = map_bind(VA_START + PAGE, PAGE, 0);
	args = good_call(binds, 3, NULL, 0);
	expect(-EFAULT, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_BIND, &args));
	expect_value(2, args.fail_index);
	check_empty(vm);
	args.num_binds = 2;
	expect(0, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_BIND, &args));
	munmap(pages, PAGE);
}

/* Structs that are larger or smaller than the kernel's */

struct large_bind {
	struct drm_vbind_bind bind;
	uint64_t more[2];
};

struct large_step {
	struct drm_vbind_step step;
	uint64_t more[2];
};

static void test_bind_larger_elements(void)
{
	struct large_bind binds[2] = {};
	struct large_step steps[3];
	struct drm_vbind_vm_bind args;
	unsigned int i;

	setup();
	binds[0].bind = map_bind(VA_START, PAGE, 0);
	binds[1].bind = map_bind(VA_START + PAGE, PAGE, PAGE);
	memset(steps, 0xff, sizeof(steps));
	args = good_call(&binds[0].bind, 2, &steps[0].step, 3);
	args.bind_stride = sizeof(binds[0]);
	args.step_stride = sizeof(steps[0]);

	/* Something that this kernel does not know is asked for. */
	binds[1].more[1] = 1;
	expect(-E2BIG, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_BIND, &args));
	expect_value(1, args.fail_index);
	check_empty(vm);

	binds[1].more[1] = 0;
	expect(0, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_BIND, &args));
	expect_value(2, args.num_steps);
	for (i = 0; i < 2; i++) {
		expect_value(i, steps[i].step.bind_index);
		expect_value(0, steps[i].more[0]);
		expect_value(0, steps[i].more[1]);
	}
	expect_value(~0ULL, steps[2].more[0]);
}

static void test_bind_other_argument_size(void)
{
	struct {
		struct drm_vbind_vm_bind args;
		uint64_t more[2];
	} large = {};
	struct drm_vbind_bind bind;

	setup();
	bind = map_bind(VA_START, PAGE, 0);
	large.args = good_call(&bind, 1, NULL, 0);
	expect(0, vbind_ioctl(fd, DRM_IOWR(DRM_COMMAND_BASE + DRM_VBIND_VM_BIND,
					   large), &large));
	/* As if steps and what comes behind them did not exist yet */
	expect(0, vbind_ioctl(fd, DRM_IOC(DRM_IOC_READWRITE, DRM_IOCTL_BASE,
					  DRM_COMMAND_BASE + DRM_VBIND_VM_BIND,
					  24), &large));
	expect(-EINVAL, vbind_ioctl(fd, DRM_IOWR(DRM_COMMAND_BASE + 0x3f, large),
				    &large));
}

/* VM_QUERY */

static void test_query(void)
{
	struct drm_vbind_mapping list[8];
	struct drm_vbind_vm_query args = {
		.num_mappings = 3,
		.mapping_stride = sizeof(list[0]),
		.mappings = (uintptr_t)list,
	};

	setup();
	populate(vm);
	args.vm_id = vm;
	memset(list, 0xff, sizeof(list));

	/* Room for three of the six */
	expect(0, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_QUERY, &args));
	expect_value(6, args.num_mappings);
	expect_value(VA_START, list[0].addr);
	expect_value(DRM_VBIND_MAPPING_SPARSE, list[0].flags);
	expect_value(VA_START + 16 * PAGE, list[1].addr);
	expect_value(bo_id, list[1].bo_id);
	expect_value(~0ULL, list[3].addr);

	/* More room than is needed; the reserved range is left out. */
	args.num_mappings = 8;
	expect(0, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_QUERY, &args));
	expect_value(6, args.num_mappings);
	expect_value(RSV_START - PAGE, list[3].addr);
	expect_value(RSV_END, list[4].addr);
	expect_value(VA_END - PAGE, list[5].addr);
	expect_value(~0ULL, list[6].addr);

	args.num_mappings = ~0U;
	expect(0, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_QUERY, &args));
	expect_value(6, args.num_mappings);
}

static void test_query_larger_elements(void)
{
	struct {
		struct drm_vbind_mapping mapping;
		uint64_t more;
	} list[2];
	struct drm_vbind_vm_query args = {
		.num_mappings = 2,
		.mapping_stride = sizeof(list[0]),
		.mappings = (uintptr_t)list,
	};

	setup();
	args.vm_id = vm;
	expect(0, vbind_map(fd, vm, VA_START, PAGE, bo, 0));
	memset(list, 0xff, sizeof(list));
	expect(0, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_QUERY, &args));
	expect_value(1, args.num_mappings);
	expect_value(0, list[0].more);
	expect_value(~0ULL, list[1].mapping.addr);
}

static void test_query_errors(void)
{
	struct drm_vbind_mapping list[2];
	const struct drm_vbind_vm_query good = {
		.vm_id = 1,
		.num_mappings = 2,
		.mapping_stride = sizeof(list[0]),
		.mappings = (uintptr_t)list,
	};
	struct drm_vbind_vm_query args;

	setup();
	expect_value(1, vm);
	populate(vm);

#define QUERY_ERROR(error, field, value) do {				\
	args = good;							\
	args.field = value;						\
	expect(error, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_QUERY, &args));	\
} while (0)
	QUERY_ERROR(-ENOENT, vm_id, 0);
	QUERY_ERROR(-ENOENT, vm_id, 2);
	QUERY_ERROR(-EINVAL, flags, 1);
	QUERY_ERROR(-EINVAL, flags, 1U << 31);
	QUERY_ERROR(-EINVAL, pad, 1);
	QUERY_ERROR(-EINVAL, num_mappings, 0);
	QUERY_ERROR(-EINVAL, mapping_stride, 0);
	QUERY_ERROR(-EINVAL, mapping_stride, 32);
	QUERY_ERROR(-EINVAL, mapping_stride, 44);
	QUERY_ERROR(-EINVAL, mapping_stride, 4104);
	QUERY_ERROR(-EFAULT, mappings, 0);
	QUERY_ERROR(-EFAULT, mappings, 1ULL << 63);
	QUERY_ERROR(-EFAULT, mappings, -40ULL);
#undef QUERY_ERROR
	expect(-EFAULT, vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_QUERY, NULL));
}

/* Objects and VMs */

static void test_private_bo(void)
{
	uint32_t handle, other_vm;
	struct drm_vbind_gem_info info;
	struct snapshot before;

	setup();
	other_vm = new_vm(mode);
	handle = new_private_bo(4 * PAGE, vm);
	expect(0, vbind_gem_info(fd, handle, &info));
	expect_value(DRM_VBIND_GEM_VM_PRIVATE, info.flags);
	expect(0, vbind_map(fd, vm, VA_START, 4 * PAGE, handle, 0));

	populate(other_vm);
	before = take_snapshot(other_vm);
	expect(-EINVAL, vbind_map(fd, other_vm, VA_START, PAGE, handle, 0));
	check_unchanged(other_vm, "a foreign VM's BO", &before);

	/* A new VM with the same id is another VM. */
	expect(0, vbind_vm_destroy(fd, vm));
	expect_value(vm, new_vm(mode));
	expect(-EINVAL, vbind_map(fd, vm, VA_START, PAGE, handle, 0));
}

/*
 * The last reference on a BO goes in an unmap, in a map over it, with the VM; the
 * BO is private, so that it shares its lock with others.
 */
static void test_private_bo_freed_by_bind(void)
{
	uint32_t handle, second;

	setup();
	second = new_private_bo(4 * PAGE, vm);
	expect(0, vbind_map(fd, vm, VA_START + 64 * PAGE, PAGE, second, 0));

	handle = new_private_bo(4 * PAGE, vm);
	expect(0, vbind_map(fd, vm, VA_START, 4 * PAGE, handle, 0));
	expect(0, vbind_gem_close(fd, handle));
	check_stats(3, 1, 2);
	expect(0, vbind_unmap(fd, vm, VA_START + PAGE, 2 * PAGE));
	check_stats(3, 1, 3);
	expect(0, vbind_unmap(fd, vm, VA_START, 4 * PAGE));
	check_stats(2, 1, 1);

	handle = new_private_bo(4 * PAGE, vm);
	expect(0, vbind_map(fd, vm, VA_START, 4 * PAGE, handle, 0));
	expect(0, vbind_gem_close(fd, handle));
	expect(0, vbind_map(fd, vm, VA_START, 4 * PAGE, second, 0));
	check_stats(2, 1, 2);

	expect(0, vbind_gem_close(fd, second));
	expect(0, vbind_gem_close(fd, bo));
	check_stats(1, 1, 2);
	expect(0, vbind_vm_destroy(fd, vm));
	check_stats(0, 0, 0);
}

static void test_private_bo_outlives_vm(void)
{
	uint32_t handle;
	uint8_t *ptr;

	setup();
	handle = new_private_bo(PAGE, vm);
	expect(0, vbind_map(fd, vm, VA_START, PAGE, handle, 0));
	expect(0, vbind_vm_destroy(fd, vm));
	ptr = map_bo(fd, handle);
	ptr[0] = 1;
	munmap(ptr, PAGE);
	expect(0, vbind_gem_close(fd, handle));
}

static void test_shared_bo_outlives_handle(void)
{
	struct drm_vbind_mapping expected[1];

	setup();
	expect(0, vbind_map(fd, vm, VA_START, 2 * PAGE, bo, PAGE));
	expect(0, vbind_gem_close(fd, bo));
	expect(-ENOENT, vbind_map(fd, vm, VA_START + 8 * PAGE, PAGE, bo, 0));
	expect(0, vbind_unmap(fd, vm, VA_START, PAGE));
	expected[0] = bo_mapping(1, 1, 2);
	check_mappings(vm, "without a handle", expected, 1);
	check_stats(1, 1, 1);
	expect(0, vbind_unmap(fd, vm, VA_START, 2 * PAGE));
	check_stats(0, 1, 0);
}

static void test_shared_bo_in_two_vms(void)
{
	struct drm_vbind_mapping expected[1];
	int other = open_device();
	uint32_t second, imported, other_vm, i;

	setup();
	second = new_vm(mode);
	imported = import_bo(fd, bo, other);
	expect(0, vbind_vm_create(other, 0, VA_END, 0, 0, mode, &other_vm));
	for (i = 0; i < 8; i++) {
		expect(0, vbind_map(fd, vm, VA_START + i * PAGE, PAGE, bo, 0));
		expect(0, vbind_map(fd, second, VA_START + i * PAGE, PAGE, bo, 0));
		expect(0, vbind_map(other, other_vm, i * PAGE, PAGE, imported, 0));
	}

	/* Each VM has its own mappings, whoever goes first. */
	expect(0, vbind_unmap(fd, vm, VA_START + PAGE, 7 * PAGE));
	expect_value(8, vbind_vm_query(fd, second, NULL, NULL));
	expect(0, vbind_vm_destroy(fd, second));
	expected[0] = bo_mapping(0, 1, 0);
	check_mappings(vm, "with two other VMs", expected, 1);
	expect_value(8, vbind_vm_query(other, other_vm, NULL, NULL));
	expect(0, vbind_gem_close(fd, bo));
	close(other);
	check_mappings(vm, "alone again", expected, 1);
}

/* One BO cannot have its mappings listed under two different locks. */
static void test_shared_bo_in_both_modes(void)
{
	struct snapshot before;
	uint32_t other_vm;

	setup();
	other_vm = new_vm(mode ^ DRM_VBIND_VM_IMMEDIATE);
	expect(0, vbind_map(fd, vm, VA_START, 2 * PAGE, bo, 0));
	before = take_snapshot(other_vm);
	expect(-EBUSY, vbind_map(fd, other_vm, VA_START, PAGE, bo, 0));
	check_unchanged(other_vm, "bound in a VM of the other mode", &before);

	expect(0, vbind_unmap(fd, vm, VA_START, PAGE));
	expect(-EBUSY, vbind_map(fd, other_vm, VA_START, PAGE, bo, 0));
	expect(0, vbind_unmap(fd, vm, VA_START + PAGE, PAGE));
	expect(0, vbind_map(fd, other_vm, VA_START, PAGE, bo, 0));
	expect(-EBUSY, vbind_map(fd, vm, VA_START, PAGE, bo, 0));
	expect(0, vbind_vm_destroy(fd, other_vm));
	expect(0, vbind_map(fd, vm, VA_START, PAGE, bo, 0));
}

static void test_close_with_everything(void)
{
	int other = fd, i;
	uint32_t ids[4], handle;

	for (i = 0; i < 4; i++) {
		ids[i] = new_vm(mode);
		handle = new_private_bo(8 * PAGE, ids[i]);
		expect(0, vbind_map(fd, ids[i], VA_START, 8 * PAGE, handle, 0));
		expect(0, vbind_map_sparse(fd, ids[i], VA_START + PAGE, PAGE));
	}
	handle = new_bo(PAGE);
	for (i = 0; i < 4; i++)
		expect(0, vbind_map(fd, ids[i], VA_START + 3 * PAGE, PAGE,
				    handle, 0));
	check_stats(5, 4, 20);

	fd = open_device();
	close(other);
	check_stats(0, 0, 0);
}

/* BOs of another driver */

int open_vgem(void)
{
	int i, file;

	/* Its render node does not create BOs, its card node does. */
	for (i = 0; i < 64; i++) {
		drmVersionPtr version;
		char path[32];
		bool found;

		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		file = open(path, O_RDWR | O_CLOEXEC);
		if (file < 0)
			continue;
		version = drmGetVersion(file);
		found = version && !strcmp(version->name, "vgem");
		drmFreeVersion(version);
		if (found)
			return file;
		close(file);
	}
	skip("there is no vgem device");
}

static void test_imported_bo(void)
{
	struct drm_mode_create_dumb dumb = { .width = 1024, .height = 8, .bpp = 32 };
	struct drm_vbind_gem_info info;
	int vgem = open_vgem();
	uint32_t imported, second;

	expect(0, vbind_ioctl(vgem, DRM_IOCTL_MODE_CREATE_DUMB, &dumb));
	setup();
	second = new_vm(mode);
	imported = import_bo(vgem, dumb.handle, fd);
	expect(0, vbind_gem_info(fd, imported, &info));
	expect_value(dumb.size, info.size);
	check_stats(2, 2, 0);

	expect(0, vbind_map(fd, vm, VA_START, 8 * PAGE, imported, 0));
	expect(0, vbind_map(fd, second, VA_START, 4 * PAGE, imported, 4 * PAGE));
	expect(-EINVAL, vbind_map(fd, vm, VA_START, PAGE, imported, dumb.size));
	expect(0, vbind_unmap(fd, vm, VA_START + PAGE, PAGE));
	close(vgem);
	expect(0, vbind_gem_close(fd, imported));
	check_stats(2, 2, 3);
	expect(0, vbind_map_sparse(fd, vm, VA_START, 8 * PAGE));
	expect(0, vbind_vm_destroy(fd, second));
	check_stats(1, 1, 1);
}

/*
 * Failing allocations: the kernel's fault injection makes the n-th one of a call
 * fail, for ever larger n, until the call does not have that many.
 */

static int fail_nth_file = -1;

static void write_setting(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);

	if (file < 0 || write(file, text, strlen(text)) < 0)
		skip("the kernel has no fault injection for slab allocations");
	close(file);
}

static void open_fail_nth(void)
{
	/* By default, allocations that may sleep are not made to fail. */
	write_setting("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	write_setting("/sys/kernel/debug/failslab/verbose", "0");
	fail_nth_file = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth_file < 0)
		skip("the kernel has no fault injection");
}

static void fail_nth(unsigned int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	check(pwrite(fail_nth_file, text, strlen(text), 0) > 0, "fail-nth: %s",
	      strerror(errno));
}

/* Whether an allocation did fail since fail_nth() */
static bool end_fail_nth(void)
{
	char text[16] = "";

	check(pread(fail_nth_file, text, sizeof(text) - 1, 0) > 0, "fail-nth: %s",
	      strerror(errno));
	fail_nth(0);
	return !atoi(text);
}

static int sweep_bind(void)
{
	struct drm_vbind_bind binds[] = {
		map_bind(VA_START + PAGE, 30 * PAGE, PAGE),
		range_bind(SPARSE, VA_START + 4 * PAGE, PAGE),
		range_bind(UNMAP, VA_START + 8 * PAGE, 100 * PAGE),
		map_bind(VA_END - PAGE, PAGE, 0),
	};

	/* A BO that this VM does not know yet */
	binds[3].handle = bo + 1;
	return vbind_vm_bind(fd, vm, binds, ARRAY_SIZE(binds), NULL);
}

static uint32_t sweep_syncobj;

static int sweep_bind_async(void)
{
	struct drm_vbind_sync sync = vbind_sync_out(sweep_syncobj, 1);
	struct drm_vbind_bind binds[] = {
		range_bind(UNMAP, VA_START + 8 * PAGE, 100 * PAGE),
		map_bind(VA_END - PAGE, PAGE, 0),
		range_bind(UNMAP_BO, 0, 0),
	};

	binds[1].handle = bo + 1;
	binds[2].handle = bo;
	return vbind_vm_bind_async(fd, vm, binds, ARRAY_SIZE(binds), &sync, 1,
				   NULL);
}

static int sweep_exec(void)
{
	struct drm_vbind_sync sync = vbind_sync_out(sweep_syncobj, 0);
	struct drm_vbind_cmd cmd = vbind_cmd_wait(0);

	return vbind_exec(fd, vm, 0, &cmd, 1, &sync, 1, NULL);
}

static int sweep_query(void)
{
	struct drm_vbind_mapping list[8];
	struct drm_vbind_vm_query args = {
		.vm_id = vm,
		.num_mappings = ARRAY_SIZE(list),
		.mapping_stride = sizeof(list[0]),
		.mappings = (uintptr_t)list,
	};

	return vbind_ioctl(fd, DRM_IOCTL_VBIND_VM_QUERY, &args);
}

static int sweep_vm_create(void)
{
	uint32_t id;
	int ret = vbind_vm_create(fd, 0, PAGE, 0, 0, mode, &id);

	return ret ? ret : vbind_vm_destroy(fd, id);
}

static int sweep_gem_create(void)
{
	uint32_t handle;
	int ret = vbind_gem_create(fd, PAGE, DRM_VBIND_GEM_VM_PRIVATE, vm, &handle);

	return ret ? ret : vbind_gem_close(fd, handle);
}

/* Returns how many allocations were made to fail. */
static unsigned int sweep(const char *what, int (*call)(void))
{
	struct snapshot before;
	bool failed = true;
	unsigned int n;
	int ret;

	for (n = 1; failed; n++) {
		expect(0, vbind_unmap(fd, vm, VA_START, RSV_START - VA_START));
		expect(0, vbind_unmap(fd, vm, RSV_END, VA_END - RSV_END));
		populate(vm);
		before = take_snapshot(vm);

		fail_nth(n);
		ret = call();
		failed = end_fail_nth();
		/* For shmem, no inode is no space. */
		check(!ret || (failed && (ret == -ENOMEM || ret == -ENOSPC)),
		      "%s, allocation %u: %s", what, n, result_name(ret));
		if (ret) {
			check_stats(2, 1, 6);
			check_unchanged(vm, what, &before);
		} else {
			free(before.mappings);
		}
	}
	return n - 2;
}

static void test_failing_allocations(void)
{
	setup();
	expect_value(bo + 1, new_bo(PAGE));
	open_fail_nth();

	check(sweep("VM_BIND", sweep_bind) >= 10, "too few allocations in VM_BIND");
	expect(0, drmSyncobjCreate(fd, 0, &sweep_syncobj));
	check(sweep("VM_BIND, asynchronous", sweep_bind_async) >= 10,
	      "too few allocations in an asynchronous VM_BIND");
	check(sweep("EXEC", sweep_exec) >= 3, "too few allocations in EXEC");
	check(sweep("VM_QUERY", sweep_query) >= 1, "no allocation in VM_QUERY");
	check(sweep("VM_CREATE", sweep_vm_create) >= 2,
	      "too few allocations in VM_CREATE");
	check(sweep("GEM_CREATE", sweep_gem_create) >= 2,
	      "too few allocations in GEM_CREATE");
	close(fail_nth_file);
}

/* Processes that die */

static void __attribute__((noreturn)) bind_forever(int prime)
{
	struct drm_vbind_bind binds[64];
	uint32_t handle, id, i, turn;
	int file = vbind_open();

	if (file < 0 || drmPrimeFDToHandle(file, prime, &handle) ||
	    vbind_vm_create(file, VA_START, VA_RANGE, RSV_START, RSV_RANGE, mode,
			    &id))
		_exit(1);

	for (turn = 0;; turn++) {
		for (i = 0; i < ARRAY_SIZE(binds); i++) {
			binds[i] = map_bind(VA_START + (i * 7 + turn) % 128 * PAGE,
					    (1 + i % 5) * PAGE, i % 32 * PAGE);
			binds[i].handle = handle;
		}
		if (vbind_vm_bind(file, id, binds, ARRAY_SIZE(binds), NULL))
			_exit(1);
		if (!turn)
			kill(getppid(), SIGUSR1);
	}
}

static void kill_in_the_middle(int prime, unsigned int delay_us)
{
	sigset_t set;
	int signal_number, status;
	pid_t child;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fflush(stdout);
	child = fork();
	if (!child)
		bind_forever(prime);
	check(child > 0, "fork: %s", strerror(errno));

	sigwait(&set, &signal_number);
	usleep(delay_us);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	check(WIFSIGNALED(status), "the child failed");
}

static void test_killed_process(void)
{
	uint32_t other_vm;
	int prime, i;

	setup();
	check(!drmPrimeHandleToFD(fd, bo, DRM_CLOEXEC | DRM_RDWR, &prime),
	      "export: %s", strerror(errno));
	other_vm = new_vm(mode ^ DRM_VBIND_VM_IMMEDIATE);
	for (i = 0; i < 20; i++) {
		kill_in_the_middle(prime, i * 500);
		check_stats(1, 2, 0);
		/* Would not work if one of the child's mappings were left. */
		expect(0, vbind_map(fd, other_vm, VA_START, PAGE, bo, 0));
		expect(0, vbind_unmap(fd, other_vm, VA_START, PAGE));
	}
	close(prime);
}

/* Threads */

#define NUM_THREADS 4

struct worker {
	pthread_t thread;
	int file;
	uint32_t vm_ids[2];
	uint32_t handles[4];
	uint64_t random;
	int error;
};

static uint64_t next_random(uint64_t *state)
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

static void random_worker_bind(struct worker *w, struct drm_vbind_bind *bind)
{
	unsigned int page = random_below(&w->random, 64);

	*bind = range_bind(random_below(&w->random, 4), VA_START + page * PAGE,
			   (1 + random_below(&w->random, 16)) * PAGE);
	if (bind->type == MAP) {
		bind->handle = w->handles[random_below(&w->random, 4)];
		bind->offset = random_below(&w->random, 48) * PAGE;
	}
}

static void *run_worker(void *arg)
{
	struct worker *w = arg;
	unsigned int round, i;
	int ret;

	for (round = 0; round < rounds / 4 && !w->error; round++) {
		struct drm_vbind_bind binds[8];
		uint32_t id = w->vm_ids[random_below(&w->random, 2)];
		unsigned int count = 1 + random_below(&w->random, 8);

		for (i = 0; i < count; i++)
			random_worker_bind(w, &binds[i]);
		w->error = vbind_vm_bind(w->file, id, binds, count, NULL);
		if (!w->error && !(round % 16)) {
			ret = vbind_vm_query(w->file, id, NULL, NULL);
			w->error = ret < 0 ? ret : 0;
		}
	}
	return NULL;
}

/* Four threads bind four shared BOs in two shared VMs and in one of their own. */
static void test_threads(void)
{
	struct worker workers[NUM_THREADS] = {};
	uint32_t shared, handles[4];
	int i, j;

	printf("# seed %" PRIu64 "\n", seed);
	shared = new_vm(mode);
	for (j = 0; j < 4; j++)
		handles[j] = new_bo(BO_SIZE);
	for (i = 0; i < NUM_THREADS; i++) {
		workers[i].file = fd;
		workers[i].vm_ids[0] = shared;
		workers[i].vm_ids[1] = new_vm(mode);
		workers[i].random = seed + i;
		memcpy(workers[i].handles, handles, sizeof(handles));
	}
	for (i = 0; i < NUM_THREADS; i++)
		check(!pthread_create(&workers[i].thread, NULL, run_worker,
				      &workers[i]), "no thread");
	for (i = 0; i < NUM_THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	for (i = 0; i < NUM_THREADS; i++)
		expect(0, workers[i].error);
}

static void *destroy_worker(void *arg)
{
	struct worker *w = arg;

	usleep(random_below(&w->random, 3000));
	w->error = vbind_vm_destroy(w->file, w->vm_ids[0]);
	return NULL;
}

/* A VM goes while others bind in it: they get an error, and nothing is left. */
static void test_destroy_under_use(void)
{
	unsigned int round;
	int i;

	setup();
	for (round = 0; round < 20; round++) {
		struct worker workers[3] = {};
		uint32_t id = new_vm(mode);

		for (i = 0; i < 3; i++) {
			workers[i].file = fd;
			workers[i].random = seed + 3 * round + i;
			workers[i].vm_ids[0] = id;
			workers[i].vm_ids[1] = id;
			workers[i].handles[0] = bo;
			workers[i].handles[1] = bo;
			workers[i].handles[2] = bo;
			workers[i].handles[3] = bo;
			check(!pthread_create(&workers[i].thread, NULL,
					      i ? run_worker : destroy_worker,
					      &workers[i]), "no thread");
		}
		for (i = 0; i < 3; i++)
			pthread_join(workers[i].thread, NULL);
		expect(0, workers[0].error);
		for (i = 1; i < 3; i++)
			check(!workers[i].error || workers[i].error == -ENOENT,
			      "%s", result_name(workers[i].error));
		check_stats(1, 1, 0);
	}
}

/* Random binds, compared with a model */

#define MODEL_PAGES	256
#define MODEL_BOS	4

/* A page is mapped by the bind with this number, 0 for none. */
struct model {
	uint32_t serial[MODEL_PAGES];
	struct drm_vbind_mapping page[MODEL_PAGES];
	uint32_t last_serial;
	uint64_t bo_ids[MODEL_BOS];
	uint32_t handles[MODEL_BOS];
};

static void model_bind(struct model *m, const struct drm_vbind_bind *bind)
{
	unsigned int first = (bind->addr - VA_START) / PAGE;
	unsigned int count = bind->range / PAGE, i;

	if (bind->type == PREFETCH)
		return;
	m->last_serial++;
	for (i = first; i < first + count; i++) {
		struct drm_vbind_mapping *page = &m->page[i];
		unsigned int b;

		m->serial[i] = bind->type == UNMAP ? 0 : m->last_serial;
		*page = (struct drm_vbind_mapping){
			.addr = VA_START + i * PAGE,
			.range = PAGE,
		};
		if (bind->type == MAP)
			page->offset = bind->offset + (i - first) * PAGE;
		if (bind->type == SPARSE)
			page->flags = DRM_VBIND_MAPPING_SPARSE;
		if (bind->flags & DRM_VBIND_BIND_READONLY)
			page->flags |= DRM_VBIND_MAPPING_READONLY;
		for (b = 0; b < MODEL_BOS; b++) {
			if (bind->handle == m->handles[b])
				page->bo_id = m->bo_ids[b];
		}
	}
}

/* Adjacent pages of one bind are one mapping. */
static int model_mappings(const struct model *m, struct drm_vbind_mapping *out)
{
	int count = 0;
	unsigned int i;

	for (i = 0; i < MODEL_PAGES; i++) {
		if (!m->serial[i])
			continue;
		if (i && m->serial[i] == m->serial[i - 1])
			out[count - 1].range += PAGE;
		else
			out[count++] = m->page[i];
	}
	return count;
}

static struct drm_vbind_bind random_bind(const struct model *m, uint64_t *random)
{
	unsigned int max = random_below(random, 8) ? 16 : MODEL_PAGES;
	unsigned int first = random_below(random, MODEL_PAGES);
	unsigned int count = 1 + random_below(random, max);
	struct drm_vbind_bind bind;

	if (count > MODEL_PAGES - first)
		count = MODEL_PAGES - first;
	bind = range_bind(random_below(random, 4), VA_START + first * PAGE,
			  count * PAGE);
	if (bind.type == MAP) {
		/* Often such that it is contiguous with what may be there */
		bind.handle = m->handles[random_below(random, MODEL_BOS)];
		bind.offset = random_below(random, 2) ? first * PAGE :
			      random_below(random, MODEL_PAGES + 1 - count) * PAGE;
		bind.flags = random_below(random, 8) ? 0 : DRM_VBIND_BIND_READONLY;
	}
	return bind;
}

static void spoil(struct drm_vbind_bind *bind, uint64_t *random)
{
	switch (random_below(random, 4)) {
	case 0:
		bind->range = 0;
		break;
	case 1:
		bind->addr++;
		break;
	case 2:
		bind->flags |= 1U << 30;
		break;
	case 3:
		bind->addr = RSV_START;
		break;
	}
}

/* A list of mappings as the steps tell it */
struct step_list {
	struct drm_vbind_mapping mappings[MODEL_PAGES];
	int count;
};

static void list_remove(struct step_list *list, const struct drm_vbind_mapping *m)
{
	int i;

	for (i = 0; i < list->count; i++) {
		if (list->mappings[i].addr == m->addr &&
		    list->mappings[i].range == m->range &&
		    list->mappings[i].bo_id == m->bo_id &&
		    list->mappings[i].offset == m->offset) {
			list->mappings[i] = list->mappings[--list->count];
			return;
		}
	}
	print_mapping(m);
	fail("a step is about a mapping that is not there");
}

static void list_add(struct step_list *list, const struct drm_vbind_mapping *m)
{
	check(list->count < MODEL_PAGES, "too many mappings");
	list->mappings[list->count] = *m;
	/* The parts of what is evicted are, too, but not for long. */
	list->mappings[list->count++].flags &= ~DRM_VBIND_MAPPING_EVICTED;
}

static void list_apply(struct step_list *list, const struct drm_vbind_step *step)
{
	if (step->type == DRM_VBIND_STEP_PREFETCH ||
	    step->type == DRM_VBIND_STEP_UPDATE)
		return;
	if (step->type != DRM_VBIND_STEP_MAP)
		list_remove(list, &step->mapping);
	else
		list_add(list, &step->mapping);
	if (step->flags & DRM_VBIND_STEP_PREV)
		list_add(list, &step->prev);
	if (step->flags & DRM_VBIND_STEP_NEXT)
		list_add(list, &step->next);
}

static int bind_async_and_wait(const struct drm_vbind_bind *binds, uint32_t count,
			       uint32_t *fail_index)
{
	struct drm_vbind_sync sync;
	uint32_t syncobj = 0;
	int ret;

	expect(0, drmSyncobjCreate(fd, 0, &syncobj));
	sync = vbind_sync_out(syncobj, 0);
	ret = vbind_vm_bind_async(fd, vm, binds, count, &sync, 1, fail_index);
	if (!ret)
		expect(0, vbind_syncobj_wait(fd, syncobj, 0, 60000));
	drmSyncobjDestroy(fd, syncobj);
	return ret;
}

static void random_round(struct model *m, struct step_list *list, uint64_t *random)
{
	static struct drm_vbind_step steps[4096];
	uint32_t num_steps = ARRAY_SIZE(steps), fail_index, bad = NO_INDEX, i;
	uint32_t count = 1 + random_below(random, random_below(random, 4) ? 3 : 32);
	struct drm_vbind_mapping expected[MODEL_PAGES];
	bool async = !random_below(random, 3);
	struct drm_vbind_bind binds[32];
	int num_expected, ret;

	for (i = 0; i < count; i++)
		binds[i] = random_bind(m, random);
	if (!random_below(random, 8)) {
		bad = random_below(random, count);
		spoil(&binds[bad], random);
	}

	if (!random_below(random, 16))
		try_to_evict();
	if (async)
		ret = bind_async_and_wait(binds, count, &fail_index);
	else
		ret = vbind_vm_bind_steps(fd, vm, binds, count, steps, &num_steps,
					  &fail_index);
	expect(bad == NO_INDEX ? 0 : -EINVAL, ret);
	expect_value(bad, fail_index);
	if (bad != NO_INDEX || async)
		num_steps = 0;
	for (i = 0; i < count && bad == NO_INDEX; i++)
		model_bind(m, &binds[i]);
	check(num_steps <= ARRAY_SIZE(steps), "%u steps", num_steps);
	for (i = 0; i < num_steps; i++)
		list_apply(list, &steps[i]);

	/* A job, though it does nothing, brings back what was evicted. */
	run_cmds(vm, NULL, 0);
	num_expected = model_mappings(m, expected);
	compare_with_vm(vm, "the model", expected, num_expected,
			!random_below(random, 8));
	if (async) {
		memcpy(list->mappings, expected, sizeof(expected));
		list->count = num_expected;
	}
	qsort(list->mappings, list->count, sizeof(*list->mappings),
	      compare_mappings);
	compare_with_vm(vm, "the steps", list->mappings, list->count, false);
}

static void test_random(void)
{
	struct step_list list = {};
	struct model m = {};
	uint64_t random = seed;
	unsigned int i;

	printf("# seed %" PRIu64 "\n", seed);
	vm = new_vm(mode);
	for (i = 0; i < MODEL_BOS; i++) {
		/* Half of them are private. */
		m.handles[i] = i % 2 ? new_private_bo(MODEL_PAGES * PAGE, vm) :
			       new_bo(MODEL_PAGES * PAGE);
		m.bo_ids[i] = id_of(m.handles[i]);
	}
	for (i = 0; i < rounds; i++)
		random_round(&m, &list, &random);
}

/* The same, with signals that interrupt the calls */

static void on_alarm(int signal_number)
{
	(void)signal_number;
}

static void test_random_with_signals(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = {
		.it_interval.tv_usec = 700,
		.it_value.tv_usec = 700,
	};

	/* Without SA_RESTART */
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	test_threads();
	timer = (struct itimerval){};
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* Last, when all files are closed */
static void test_nothing_left(void)
{
	struct stats stats;

	if (!read_stats(&stats))
		skip("the driver's stats need debugfs");
	check_stats(0, 0, 0);
}

/* Running them */

static const struct test ioctl_tests[] = {
	{ "GEM_CREATE gives a BO with size and unique id", test_gem_create, false },
	{ "a BO can be mapped by the CPU and is zero at first", test_gem_mmap, false },
	{ "GEM_CREATE refuses bad sizes, flags, VMs and padding",
	  test_gem_create_errors, false },
	{ "a file's BOs have a limited size together", test_gem_limit, false },
	{ "GEM_INFO refuses bad handles", test_gem_info_errors, false },
	{ "PRIME: a BO is the same in another file", test_prime_sharing, false },
	{ "PRIME: a private BO cannot be exported", test_prime_private, true },
	{ "VM_CREATE: the query tells what was asked for", test_vm_create, true },
	{ "VM_CREATE without reserved range",
	  test_vm_create_without_reserved_range, true },
	{ "VM_CREATE refuses bad ranges and flags", test_vm_create_errors, true },
	{ "a VM with the last page of 2^64", test_vm_last_page, true },
	{ "the largest VM", test_vm_largest, true },
	{ "a VM that is reserved as a whole", test_vm_all_reserved, true },
	{ "ids of VMs belong to a file", test_vm_ids, true },
	{ "VM_DESTROY removes all mappings, once", test_vm_destroy, true },
	{ "a file has a limited number of VMs", test_vm_limit, false },
	{ "VM_BIND: steps of every kind of overlap", test_bind_steps, true },
	{ "VM_BIND over many mappings", test_bind_over_many, true },
	{ "VM_BIND: parts keep the flags of the whole",
	  test_bind_keeps_flags_of_parts, true },
	{ "VM_BIND: later binds see earlier ones", test_bind_array_sees_itself, true },
	{ "VM_BIND: prefetch finds mappings, changes nothing", test_bind_prefetch, true },
	{ "VM_BIND: fewer steps wanted than there are",
	  test_bind_few_steps_wanted, true },
	{ "VM_BIND: the longest array", test_bind_longest_array, true },
	{ "VM_BIND refuses every bad field of a bind", test_bind_errors, true },
	{ "VM_BIND refuses every bad range", test_bind_range_errors, true },
	{ "VM_BIND: an array that fails midway changes nothing",
	  test_bind_array_fails_midway, true },
	{ "VM_BIND refuses every bad field of the call", test_bind_call_errors, true },
	{ "VM_BIND: steps that cannot be written change nothing",
	  test_bind_steps_not_writable, true },
	{ "VM_BIND: an array that ends in unmapped memory",
	  test_bind_array_not_readable, true },
	{ "VM_BIND takes larger elements", test_bind_larger_elements, false },
	{ "ioctls take larger and smaller arguments",
	  test_bind_other_argument_size, false },
	{ "VM_QUERY lists mappings, as many as there is room for", test_query, true },
	{ "VM_QUERY clears what it does not know", test_query_larger_elements, false },
	{ "VM_QUERY refuses bad fields", test_query_errors, true },
	{ "a private BO is bound in its own VM only", test_private_bo, true },
	{ "a private BO's last reference goes in a bind",
	  test_private_bo_freed_by_bind, true },
	{ "a private BO outlives its VM", test_private_bo_outlives_vm, true },
	{ "a BO outlives its handle while it is bound",
	  test_shared_bo_outlives_handle, true },
	{ "a BO is bound in several VMs and files", test_shared_bo_in_two_vms, true },
	{ "a BO is not bound in VMs of both modes", test_shared_bo_in_both_modes, true },
	{ "closing a file with all that is in it", test_close_with_everything, true },
	{ "a BO of another driver is bound like our own", test_imported_bo, true },
	{ "every allocation that fails leaves all as it was",
	  test_failing_allocations, true },
	{ "a killed process leaves nothing", test_killed_process, true },
	{ "random binds, compared with a model", test_random, true },
	{ "threads bind the same BOs in the same VMs", test_threads, true },
	{ "threads bind while signals interrupt them", test_random_with_signals, true },
	{ "a VM is destroyed while it is used", test_destroy_under_use, true },
	{ NULL, NULL, false },
};

static const struct test last_tests[] = {
	{ "nothing is left in the end", test_nothing_left, false },
	{ NULL, NULL, false },
};

static const struct test *const all_tests[] = {
	ioctl_tests, exec_tests, repeat_tests, async_tests, evict_tests,
	stress_tests, last_tests,
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

static bool selected(const struct test *test, const char *filter)
{
	return !filter || strstr(test->name, filter);
}

typedef void (*test_fn)(const struct test *test, uint32_t test_mode);

/* Calls @fn for each test that is selected, in all modes. */
static void walk_tests(const char *filter, test_fn fn)
{
	const struct test *test;
	unsigned int i;
	uint32_t m;

	for (i = 0; i < ARRAY_SIZE(all_tests); i++) {
		for (test = all_tests[i]; test->name; test++) {
			for (m = 0; m < (test->every_mode ? 4 : 1); m++) {
				if (selected(test, filter))
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

static void run_tests(const char *filter)
{
	walk_tests(filter, plan_test);
	printf("TAP version 13\n1..%u\n", num_planned);
	walk_tests(filter, run_test);
}

static const char help[] =
"usage: vbind-test [--seed=NUMBER] [--rounds=NUMBER] [--only=TEXT]\n"
"\n"
"  --seed=NUMBER    for random tests; a random one by default\n"
"  --rounds=NUMBER  how long random tests run, 2000 by default\n"
"  --only=TEXT      only tests with TEXT in their name\n";

int main(int argc, char **argv)
{
	const char *filter = NULL;
	struct timespec now;
	int i;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = now.tv_sec * 1000003ULL ^ now.tv_nsec;

	for (i = 1; i < argc; i++) {
		if (!strncmp(argv[i], "--seed=", 7)) {
			seed = strtoull(argv[i] + 7, NULL, 0);
		} else if (!strncmp(argv[i], "--rounds=", 9)) {
			rounds = strtoul(argv[i] + 9, NULL, 0);
		} else if (!strncmp(argv[i], "--only=", 7)) {
			filter = argv[i] + 7;
		} else {
			fputs(help, strcmp(argv[i], "--help") ? stderr : stdout);
			return strcmp(argv[i], "--help") ? 2 : 0;
		}
	}

	run_tests(filter);
	if (num_failed)
		printf("# %u of %u tests failed\n", num_failed, num_run);

	return num_failed ? 1 : 0;
}
