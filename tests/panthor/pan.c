// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* What the tests of panthor share. */

#include "pan.h"

#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <linux/sync_file.h>

int fd = -1;
jmp_buf test_end;
char skip_reason[96];

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

void skip(const char *reason)
{
	snprintf(skip_reason, sizeof(skip_reason), "%s", reason);
	longjmp(test_end, TEST_SKIPPED);
}

const char *result_name(int ret)
{
	const char *name = ret < 0 ? strerrorname_np(-ret) : NULL;

	return ret >= 0 ? "success" : name ? name : "an unknown error";
}

/* Ioctls */

static int pan_ioctl(unsigned long request, void *arg)
{
	return drmIoctl(fd, request, arg) ? -errno : 0;
}

/* The render node of the driver */
int pan_open(void)
{
	int i, file;

	for (i = 128; i < 192; i++) {
		drmVersionPtr version;
		char path[32];
		bool found;

		snprintf(path, sizeof(path), "/dev/dri/renderD%d", i);
		file = open(path, O_RDWR | O_CLOEXEC);
		if (file < 0)
			continue;
		version = drmGetVersion(file);
		found = version && !strcmp(version->name, "panthor");
		drmFreeVersion(version);
		if (found)
			return file;
		close(file);
	}
	return -ENODEV;
}

int pan_vm_create(uint64_t range, uint32_t *vm)
{
	struct drm_panthor_vm_create args = { .user_va_range = range };
	int ret = pan_ioctl(DRM_IOCTL_PANTHOR_VM_CREATE, &args);

	*vm = args.id;
	return ret;
}

int pan_vm_destroy(uint32_t vm)
{
	struct drm_panthor_vm_destroy args = { .id = vm };

	return pan_ioctl(DRM_IOCTL_PANTHOR_VM_DESTROY, &args);
}

int pan_vm_state(uint32_t vm, uint32_t *state)
{
	struct drm_panthor_vm_get_state args = { .vm_id = vm };
	int ret = pan_ioctl(DRM_IOCTL_PANTHOR_VM_GET_STATE, &args);

	*state = args.state;
	return ret;
}

int pan_bo_create(uint64_t size, uint32_t exclusive_vm, uint32_t *bo)
{
	struct drm_panthor_bo_create args = {
		.size = size, .exclusive_vm_id = exclusive_vm,
	};
	int ret = pan_ioctl(DRM_IOCTL_PANTHOR_BO_CREATE, &args);

	*bo = args.handle;
	return ret;
}

int pan_bo_close(uint32_t bo)
{
	struct drm_gem_close args = { .handle = bo };

	return pan_ioctl(DRM_IOCTL_GEM_CLOSE, &args);
}

void *pan_bo_map(uint32_t bo, uint64_t size)
{
	struct drm_panthor_bo_mmap_offset args = { .handle = bo };
	void *ptr;

	expect(0, pan_ioctl(DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET, &args));
	ptr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, args.offset);
	check(ptr != MAP_FAILED, "mmap: %s", strerror(errno));
	return ptr;
}

int pan_bind(uint32_t vm, const struct drm_panthor_vm_bind_op *ops, uint32_t count,
	     bool async)
{
	struct drm_panthor_vm_bind args = {
		.vm_id = vm,
		.flags = async ? DRM_PANTHOR_VM_BIND_ASYNC : 0,
		.ops = DRM_PANTHOR_OBJ_ARRAY(count, ops),
	};

	return pan_ioctl(DRM_IOCTL_PANTHOR_VM_BIND, &args);
}

int pan_group_create(uint32_t vm, uint32_t *group)
{
	struct drm_panthor_queue_create queue = { .ringbuf_size = 64 * 1024 };
	struct drm_panthor_group_create args = {
		.queues = DRM_PANTHOR_OBJ_ARRAY(1, &queue),
		.max_compute_cores = 1,
		.max_fragment_cores = 1,
		.max_tiler_cores = 1,
		.priority = PANTHOR_GROUP_PRIORITY_MEDIUM,
		.compute_core_mask = 1,
		.fragment_core_mask = 1,
		.tiler_core_mask = 1,
		.vm_id = vm,
	};
	int ret = pan_ioctl(DRM_IOCTL_PANTHOR_GROUP_CREATE, &args);

	*group = args.group_handle;
	return ret;
}

int pan_group_destroy(uint32_t group)
{
	struct drm_panthor_group_destroy args = { .group_handle = group };

	return pan_ioctl(DRM_IOCTL_PANTHOR_GROUP_DESTROY, &args);
}

int pan_group_state(uint32_t group, uint32_t *state)
{
	struct drm_panthor_group_get_state args = { .group_handle = group };
	int ret = pan_ioctl(DRM_IOCTL_PANTHOR_GROUP_GET_STATE, &args);

	*state = args.state;
	return ret;
}

/* A job; @in and @out are syncobjs, or 0. */
int pan_submit(uint32_t group, uint64_t stream, uint32_t size, uint32_t in,
	       uint32_t out)
{
	struct drm_panthor_sync_op syncs[2];
	uint32_t count = 0;
	struct drm_panthor_queue_submit submit = {
		.stream_size = size, .stream_addr = stream,
	};
	struct drm_panthor_group_submit args = {
		.group_handle = group,
		.queue_submits = DRM_PANTHOR_OBJ_ARRAY(1, &submit),
	};

	memset(syncs, 0, sizeof(syncs));
	if (in)
		syncs[count++].handle = in;
	if (out) {
		syncs[count].flags = DRM_PANTHOR_SYNC_OP_SIGNAL;
		syncs[count++].handle = out;
	}
	submit.syncs = (struct drm_panthor_obj_array)
		DRM_PANTHOR_OBJ_ARRAY(count, syncs);

	return pan_ioctl(DRM_IOCTL_PANTHOR_GROUP_SUBMIT, &args);
}

int pan_wait(uint32_t syncobj)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return drmSyncobjWait(fd, &syncobj, 1,
			      now.tv_sec * 1000000000LL + now.tv_nsec + TIMEOUT_NS,
			      DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT, NULL);
}

/* Of the fence, which is signalled: 0, or the error in it */
int pan_status(uint32_t syncobj)
{
	struct sync_fence_info fence = {};
	struct sync_file_info info = {
		.num_fences = 1, .sync_fence_info = (uintptr_t)&fence,
	};
	int file;

	expect(0, drmSyncobjExportSyncFile(fd, syncobj, &file));
	expect(0, ioctl(file, SYNC_IOC_FILE_INFO, &info));
	close(file);
	return fence.status < 0 ? fence.status : 0;
}

struct drm_panthor_vm_bind_op pan_map(uint32_t bo, uint64_t offset, uint64_t va,
				      uint64_t size, uint32_t flags)
{
	return (struct drm_panthor_vm_bind_op){
		.flags = OP_MAP | flags, .bo_handle = bo, .bo_offset = offset,
		.va = va, .size = size,
	};
}

struct drm_panthor_vm_bind_op pan_unmap(uint64_t va, uint64_t size)
{
	return (struct drm_panthor_vm_bind_op){
		.flags = OP_UNMAP, .va = va, .size = size,
	};
}

/* Command streams */

static void emit(struct stream *s, uint64_t insn)
{
	s->insns[s->count++] = insn;
}

void emit_move48(struct stream *s, uint32_t reg, uint64_t value)
{
	emit(s, 1ULL << 56 | (uint64_t)reg << 48 | (value & 0xffffffffffffULL));
}

void emit_move32(struct stream *s, uint32_t reg, uint32_t value)
{
	emit(s, 2ULL << 56 | (uint64_t)reg << 48 | value);
}

static void emit_memory(struct stream *s, uint64_t op, uint32_t reg,
			uint32_t addr_reg, uint32_t words)
{
	emit(s, op << 56 | (uint64_t)reg << 48 | (uint64_t)addr_reg << 40 |
	     ((1ULL << words) - 1) << 16);
}

void emit_load(struct stream *s, uint32_t reg, uint32_t addr_reg, uint32_t words)
{
	emit_memory(s, 20, reg, addr_reg, words);
	/* Until it is loaded */
	emit(s, 3ULL << 56 | 0xff0000);
}

void emit_store(struct stream *s, uint32_t reg, uint32_t addr_reg, uint32_t words)
{
	emit_memory(s, 21, reg, addr_reg, words);
}

/* Always taken; relative to the next instruction */
void emit_branch(struct stream *s, int16_t insns)
{
	emit(s, 22ULL << 56 | 6ULL << 28 | (uint16_t)insns);
}

/* Up to 16 words */
void emit_copy(struct stream *s, uint64_t to, uint64_t from, uint32_t words)
{
	emit_move48(s, 0, from);
	emit_move48(s, 2, to);
	emit_load(s, 4, 0, words);
	emit_store(s, 4, 2, words);
}

/* The mocked Mali */

void mock_write_file(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	bool written = file >= 0 && write(file, text, strlen(text)) > 0;
	int error = errno;

	if (file >= 0)
		close(file);
	check(written, "%s: %s", path, strerror(error));
}

uint64_t mock_count(const char *name)
{
	FILE *file = fopen(MOCK "counts", "r");
	size_t length = strlen(name);
	char line[64];
	uint64_t value = 0;

	if (!file)
		skip("this needs the mocked Mali and debugfs");
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, name, length) && line[length] == ':')
			value = strtoull(line + length + 1, NULL, 10);
	}
	fclose(file);
	return value;
}

/* A device that sleeps has no address spaces. */
void keep_awake(bool awake)
{
	mock_write_file("/sys/devices/platform/panthor/power/control",
			awake ? "on" : "auto");
}

/* Returns how many address spaces there are. */
static unsigned int try_to_read_tables(struct run **runs, unsigned int *num)
{
	FILE *file = fopen(MOCK "tables", "r");
	unsigned int spaces = 0, count = 0, room = 64;
	char line[160];

	if (!file)
		skip("this needs the mocked Mali and debugfs");
	*runs = calloc(room, sizeof(**runs));
	while (fgets(line, sizeof(line), file)) {
		struct run *run = &(*runs)[count];

		if (!strncmp(line, "space", 5)) {
			spaces++;
		} else if (sscanf(line, " %" SCNx64 " %" SCNu64 " %3s %u %" SCNx64,
				  &run->va, &run->pages, run->access,
				  &run->attribute, &run->word) == 5 &&
			   run->va < CODE_VA) {
			if (++count == room) {
				room *= 2;
				*runs = realloc(*runs, room * sizeof(**runs));
			}
		}
	}
	fclose(file);
	*num = count;
	return spaces;
}

/* The driver frees VMs that were destroyed some time later. */
unsigned int read_tables(struct run **runs)
{
	unsigned int i, spaces, count;

	for (i = 0; ; i++) {
		spaces = try_to_read_tables(runs, &count);
		if (spaces == 1)
			return count;
		free(*runs);
		check(i < 500, "%u address spaces instead of one", spaces);
		usleep(10000);
	}
}

uint64_t count_large_entries(void)
{
	FILE *file = fopen(MOCK "tables", "r");
	uint64_t n, large = 0;
	char line[160];

	if (!file)
		skip("this needs the mocked Mali and debugfs");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "entries %*u of 1G, %" SCNu64 " of 2M", &n) == 1)
			large += n;
	}
	fclose(file);
	return large;
}

uint64_t next_random(uint64_t *state)
{
	/* splitmix64 */
	uint64_t x = *state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

uint64_t random_below(uint64_t *state, uint64_t limit)
{
	return next_random(state) % limit;
}
