// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* Binds, submits and reads back; Documentation/gpu/vbind.rst explains it. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xf86drm.h>

#include "libvbind.h"

#define SIZE	(1024 * 1024ULL)
#define ADDR	(256 * SIZE)

static void check(const char *what, int ret)
{
	if (ret >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-ret));
	exit(1);
}

int main(void)
{
	struct drm_vbind_gem_info info;
	struct drm_vbind_fault fault;
	uint32_t vm, bo, timeline;
	uint64_t *words;
	int fd;

	/* doc: open */
	fd = vbind_open();
	check("open", fd);
	check("VM", vbind_vm_create(fd, 0, 1ULL << 40, 0, 0,
				    DRM_VBIND_VM_IMMEDIATE, &vm));
	check("BO", vbind_gem_create(fd, SIZE, 0, 0, &bo));
	check("syncobj", drmSyncobjCreate(fd, 0, &timeline));

	/* doc: bind */
	struct drm_vbind_bind binds[] = {
		{ .type = DRM_VBIND_BIND_MAP_SPARSE, .addr = ADDR,
		  .range = 16 * SIZE },
		{ .type = DRM_VBIND_BIND_MAP, .addr = ADDR, .range = SIZE,
		  .handle = bo },
	};
	struct drm_vbind_sync bound = vbind_sync_out(timeline, 1);

	check("bind", vbind_vm_bind_async(fd, vm, binds, 2, &bound, 1, NULL));

	/* doc: submit */
	struct drm_vbind_cmd cmds[] = {
		vbind_cmd_fill(ADDR, SIZE, 1000, 1),
		vbind_cmd_copy(ADDR + 4096, ADDR, 4096),
		vbind_cmd_compare(ADDR + SIZE, SIZE, 0, 0),
	};
	struct drm_vbind_sync syncs[] = {
		vbind_sync_in(timeline, 1),
		vbind_sync_out(timeline, 2),
	};

	check("exec", vbind_exec(fd, vm, 0, cmds, 3, syncs, 2, NULL));

	/* doc: wait */
	check("wait", vbind_syncobj_wait(fd, timeline, 2, 1000));
	if (vbind_vm_faults(fd, vm, &fault, 1, NULL) > 0) {
		fprintf(stderr, "command %u: a fault at 0x%" PRIx64 "\n",
			fault.cmd_index, (uint64_t)fault.addr);
		return 1;
	}

	/* doc: read */
	check("info", vbind_gem_info(fd, bo, &info));
	words = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		     info.mmap_offset);
	if (words == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	printf("word 5 is %" PRIu64 ", and so is its copy: %" PRIu64 "\n",
	       words[5], words[512 + 5]);
	/* doc: end */

	return words[5] == 1005 && words[512 + 5] == 1005 ? 0 : 1;
}
