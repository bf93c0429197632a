// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * vbind-stream: a sparse texture whose tiles stream in and out, with data.
 *
 * The texture has 8 x 8 tiles of 64K, all of which are sparse at first. A camera
 * goes round over it and sees 3 x 3 of them. For each frame,
 *
 * - the tiles that come into view get memory from a heap, and those that go out of
 *   view are sparse again: one array of asynchronous binds
 * - the new tiles are copied from a staging BO, into which the CPU wrote them: a
 *   job that waits for the binds
 * - all tiles are looked at, those in view and others: a job in another queue, that
 *   waits for the copies
 *
 * A timeline orders them, three points for a frame. The next frame is prepared
 * while this one is under way; a tile's memory is not used again before the frame
 * that saw it last is done. Every now and then the kernel is asked to evict all
 * memory.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xf86drm.h>

#include "libvbind.h"

#define TILE		(64 * 1024ULL)
#define SIDE		8
#define NUM_TILES	(SIDE * SIDE)
#define VIEW		3
#define NUM_SLOTS	24
#define NUM_STAGING	(2 * VIEW * VIEW)
#define NUM_FRAMES	96
#define TEXTURE		0x10000000ULL
#define STAGING		0x20000000ULL
#define TIMEOUT_MS	30000
#define EVICT_EVERY	24

struct stream {
	int fd;
	uint32_t vm;
	uint32_t heap;
	uint32_t timeline;
	uint64_t *staging;
	unsigned int next_staging;
	/* the slot in the heap of each tile, -1 for none */
	int slot[NUM_TILES];
	/* the frame that used a slot last; 0: it is free */
	unsigned int used_in[NUM_SLOTS];
	bool taken[NUM_SLOTS];
	uint64_t binds, streamed, looked_at, evictions;
	int trace_marker;
};

static void check(const char *what, int ret)
{
	if (ret >= 0)
		return;
	fprintf(stderr, "vbind-stream: %s: %s\n", what, strerror(-ret));
	exit(1);
}

static uint64_t tile_word(int tile)
{
	return (uint64_t)(tile + 1) << 32;
}

static uint64_t tile_addr(int tile)
{
	return TEXTURE + tile * TILE;
}

static bool in_view(int tile, int column, int row)
{
	int x = tile % SIDE - column, y = tile / SIDE - row;

	return x >= 0 && x < VIEW && y >= 0 && y < VIEW;
}

/* Once round the edge, in steps of one tile */
static void camera_at(unsigned int frame, int *column, int *row)
{
	const int last = SIDE - VIEW;
	int step = frame / 4 % (4 * last);
	int along = step % last;

	switch (step / last) {
	case 0:
		*column = along;
		*row = 0;
		break;
	case 1:
		*column = last;
		*row = along;
		break;
	case 2:
		*column = last - along;
		*row = last;
		break;
	default:
		*column = 0;
		*row = last - along;
		break;
	}
}

static void __attribute__((format(printf, 2, 3)))
mark(struct stream *s, const char *format, ...)
{
	char text[64];
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (s->trace_marker >= 0 && write(s->trace_marker, text, size) < 0)
		s->trace_marker = -1;
}

static void wait_for_frame(struct stream *s, unsigned int frame)
{
	if (frame)
		check("wait", vbind_syncobj_wait(s->fd, s->timeline, 3ULL * frame,
						 TIMEOUT_MS));
}

static int take_slot(struct stream *s)
{
	int i, best = -1;

	for (i = 0; i < NUM_SLOTS; i++) {
		if (!s->taken[i] && (best < 0 || s->used_in[i] < s->used_in[best]))
			best = i;
	}
	check("the heap is full", best < 0 ? -ENOSPC : 0);
	wait_for_frame(s, s->used_in[best]);
	s->taken[best] = true;
	return best;
}

/* Writes a tile to the staging BO, as if it came from a disk. */
static uint64_t stage(struct stream *s, int tile)
{
	unsigned int i, place = s->next_staging++ % NUM_STAGING;
	uint64_t *words = s->staging + place * (TILE / 8);

	for (i = 0; i < TILE / 8; i++)
		words[i] = tile_word(tile) + i;
	return STAGING + place * TILE;
}

struct frame {
	struct drm_vbind_bind binds[NUM_TILES];
	struct drm_vbind_cmd copies[NUM_TILES];
	struct drm_vbind_cmd looks[NUM_TILES];
	unsigned int num_binds, num_copies;
};

static void prepare_tile(struct stream *s, struct frame *f, int tile, bool visible,
			 unsigned int frame)
{
	struct drm_vbind_bind *bind = &f->binds[f->num_binds];

	if (visible && s->slot[tile] < 0) {
		s->slot[tile] = take_slot(s);
		*bind = (struct drm_vbind_bind){
			.type = DRM_VBIND_BIND_MAP,
			.handle = s->heap,
			.offset = s->slot[tile] * TILE,
		};
		f->copies[f->num_copies++] = vbind_cmd_copy(tile_addr(tile),
							    stage(s, tile), TILE);
	} else if (!visible && s->slot[tile] >= 0) {
		s->taken[s->slot[tile]] = false;
		s->used_in[s->slot[tile]] = frame;
		s->slot[tile] = -1;
		*bind = (struct drm_vbind_bind){
			.type = DRM_VBIND_BIND_MAP_SPARSE,
		};
	} else {
		return;
	}
	bind->addr = tile_addr(tile);
	bind->range = TILE;
	f->num_binds++;
}

static void prepare(struct stream *s, struct frame *f, unsigned int frame)
{
	int tile, column, row;

	f->num_binds = 0;
	f->num_copies = 0;
	camera_at(frame, &column, &row);
	/* What goes makes room for what comes. */
	for (tile = 0; tile < NUM_TILES; tile++) {
		if (!in_view(tile, column, row))
			prepare_tile(s, f, tile, false, frame);
	}
	for (tile = 0; tile < NUM_TILES; tile++) {
		if (in_view(tile, column, row))
			prepare_tile(s, f, tile, true, frame);
		f->looks[tile] = s->slot[tile] < 0 ?
			vbind_cmd_compare(tile_addr(tile), TILE, 0, 0) :
			vbind_cmd_compare(tile_addr(tile), TILE, tile_word(tile), 1);
	}
}

static void submit(struct stream *s, struct frame *f, unsigned int frame)
{
	uint64_t point = 3ULL * frame;
	struct drm_vbind_sync syncs[2];
	unsigned int num_syncs = 2;

	/* Point 0 is signalled from the start, and none to wait for. */
	syncs[0] = vbind_sync_out(s->timeline, point - 2);
	syncs[1] = vbind_sync_in(s->timeline, point - 3);
	if (frame == 1)
		num_syncs = 1;
	if (f->num_binds)
		check("bind", vbind_vm_bind_async(s->fd, s->vm, f->binds,
						  f->num_binds, syncs, num_syncs,
						  NULL));
	else
		check("nothing to bind",
		      vbind_exec(s->fd, s->vm, 0, NULL, 0, syncs, num_syncs, NULL));

	syncs[0] = vbind_sync_in(s->timeline, point - 2);
	syncs[1] = vbind_sync_out(s->timeline, point - 1);
	check("copy", vbind_exec(s->fd, s->vm, 0, f->copies, f->num_copies, syncs,
				 2, NULL));
	syncs[0] = vbind_sync_in(s->timeline, point - 1);
	syncs[1] = vbind_sync_out(s->timeline, point);
	check("look", vbind_exec(s->fd, s->vm, 1, f->looks, NUM_TILES, syncs, 2,
				 NULL));
	s->binds += f->num_binds;
	s->streamed += f->num_copies * TILE;
	s->looked_at += NUM_TILES * TILE;
}

static void try_to_evict(struct stream *s)
{
	struct stat st;
	char path[64];
	int file;

	check("fstat", fstat(s->fd, &st));
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%d/evict",
		 (int)(st.st_rdev & 0xff));
	file = open(path, O_WRONLY | O_CLOEXEC);
	if (file < 0)
		return;
	if (write(file, "1", 1) == 1)
		s->evictions++;
	close(file);
}

static void setup(struct stream *s)
{
	struct drm_vbind_gem_info info;
	uint32_t staging;
	int i;

	s->fd = vbind_open();
	check("there is no vbind device", s->fd);
	s->trace_marker = open("/sys/kernel/tracing/trace_marker", O_WRONLY | O_CLOEXEC);
	check("VM", vbind_vm_create(s->fd, 0, 1ULL << 40, 0, 0,
				    DRM_VBIND_VM_IMMEDIATE, &s->vm));
	check("heap", vbind_gem_create(s->fd, NUM_SLOTS * TILE,
				       DRM_VBIND_GEM_VM_PRIVATE, s->vm, &s->heap));
	check("staging", vbind_gem_create(s->fd, NUM_STAGING * TILE, 0, 0, &staging));
	check("info", vbind_gem_info(s->fd, staging, &info));
	s->staging = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd,
			  info.mmap_offset);
	check("mmap", s->staging == MAP_FAILED ? -errno : 0);
	check("syncobj", drmSyncobjCreate(s->fd, 0, &s->timeline));
	check("staging", vbind_map(s->fd, s->vm, STAGING, NUM_STAGING * TILE,
				   staging, 0));
	check("texture", vbind_map_sparse(s->fd, s->vm, TEXTURE, NUM_TILES * TILE));
	for (i = 0; i < NUM_TILES; i++)
		s->slot[i] = -1;
}

int main(void)
{
	static struct stream s;
	static struct frame f;
	struct drm_vbind_vm_stats stats;
	struct drm_vbind_fault fault;
	unsigned int frame;

	setup(&s);
	for (frame = 1; frame <= NUM_FRAMES; frame++) {
		/* The staging BO has room for the tiles of two frames. */
		wait_for_frame(&s, frame > 2 ? frame - 2 : 0);
		mark(&s, "vbind-stream: frame %u", frame);
		prepare(&s, &f, frame);
		submit(&s, &f, frame);
		if (!(frame % EVICT_EVERY) && frame < NUM_FRAMES)
			try_to_evict(&s);
	}
	wait_for_frame(&s, NUM_FRAMES);

	if (vbind_vm_faults(s.fd, s.vm, &fault, 1, NULL)) {
		fprintf(stderr, "vbind-stream: fault %u at 0x%" PRIx64 ", value 0x%"
			PRIx64 "\n", fault.kind, (uint64_t)fault.addr,
			(uint64_t)fault.value);
		return 1;
	}
	check("statistics", vbind_vm_stats(s.fd, s.vm, &stats));
	printf("%u frames, %" PRIu64 " binds, %" PRIu64 " operations, %" PRIu64
	       " jobs: %" PRIu64 "K streamed in, %" PRIu64
	       "M compared, no word wrong\n", NUM_FRAMES,
	       (uint64_t)stats.num_binds, (uint64_t)stats.num_ops,
	       (uint64_t)stats.num_execs, s.streamed / 1024,
	       s.looked_at / (1024 * 1024));
	printf("memory was evicted %" PRIu64 " times; the VM has %" PRIu64
	       " page tables, %" PRIu64 " pages of 4K, %" PRIu64 " of 64K, %" PRIu64
	       " of 2M, %" PRIu64 " sparse entries\n", s.evictions,
	       (uint64_t)stats.tables, (uint64_t)stats.pages_4k,
	       (uint64_t)stats.pages_64k, (uint64_t)stats.pages_2m,
	       (uint64_t)stats.sparse);
	return 0;
}
