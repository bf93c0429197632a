// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* vbind-test: what is in memory, seen by commands. */

#include "test.h"

/* How much of a large mapping is looked at, at either end */
#define SAMPLE		(128 * 1024ULL)
#define MAX_FILL	(32 * M2)

uint64_t bo_word(uint64_t id, uint64_t offset)
{
	return (id << 40) + offset;
}

void fill_bo(uint32_t handle)
{
	struct drm_vbind_gem_info info;
	uint64_t *words, i;

	expect(0, vbind_gem_info(fd, handle, &info));
	if (info.size > MAX_FILL)
		return;
	words = (uint64_t *)map_bo(fd, handle);
	for (i = 0; i < info.size / WORD; i++)
		words[i] = bo_word(info.bo_id, i * WORD);
	munmap(words, info.size);
}

void run_cmds(uint32_t vm_id, const struct drm_vbind_cmd *cmds, uint32_t count)
{
	struct drm_vbind_fault fault = {};
	int ret = vbind_exec_wait(fd, vm_id, cmds, count, &fault);

	check(ret != -EFAULT, "a fault of kind %u at 0x%" PRIx64 ", value 0x%" PRIx64
	      ", command %u of %u", fault.kind, (uint64_t)fault.addr,
	      (uint64_t)fault.value, fault.cmd_index, count);
	expect(0, ret);
}

void run_cmd(uint32_t vm_id, struct drm_vbind_cmd cmd)
{
	run_cmds(vm_id, &cmd, 1);
}

void expect_fault(uint32_t vm_id, struct drm_vbind_cmd cmd, uint32_t kind,
		  uint64_t addr)
{
	struct drm_vbind_fault fault = {};

	expect(-EFAULT, vbind_exec_wait(fd, vm_id, &cmd, 1, &fault));
	expect_value(kind, fault.kind);
	expect_value(addr, fault.addr);
	expect_value(0, fault.cmd_index);
	expect_value(cmd.type == DRM_VBIND_CMD_COMPARE ? 0 : DRM_VBIND_FAULT_WRITE,
		     fault.flags);
}

void check_nothing_at(uint32_t vm_id, uint64_t addr)
{
	expect_fault(vm_id, vbind_cmd_compare(addr, 8, 0, 0),
		     DRM_VBIND_FAULT_UNMAPPED, addr);
}

static struct drm_vbind_cmd compare_part(const struct drm_vbind_mapping *m,
					 uint64_t skip, uint64_t size)
{
	if (m->flags & DRM_VBIND_MAPPING_SPARSE)
		return vbind_cmd_compare(m->addr + skip, size, 0, 0);

	return vbind_cmd_compare(m->addr + skip, size,
				 bo_word(m->bo_id, m->offset + skip), WORD);
}

/* Both ends of all mappings, and a word in the first and the last gap */
void check_memory(uint32_t vm_id, const char *when, struct snapshot s)
{
	struct drm_vbind_cmd *cmds = calloc(2 * s.count + 1, sizeof(*cmds));
	struct drm_vbind_fault fault = {};
	uint64_t first_gap = 0, last_gap = 0;
	int i, ret, count = 0;

	for (i = 0; i < s.count; i++) {
		const struct drm_vbind_mapping *m = &s.mappings[i];
		uint64_t size = m->range < SAMPLE ? m->range : SAMPLE;
		uint64_t end = m->addr + m->range;

		cmds[count++] = compare_part(m, 0, size);
		if (m->range > size)
			cmds[count++] = compare_part(m, m->range - size, size);
		if (!end || (i + 1 < s.count && s.mappings[i + 1].addr == end))
			continue;
		first_gap = first_gap ? first_gap : end;
		last_gap = end;
	}

	for (i = 0; i < count; i += DRM_VBIND_MAX_CMDS / 4) {
		int some = count - i < DRM_VBIND_MAX_CMDS / 4 ?
			   count - i : DRM_VBIND_MAX_CMDS / 4;

		ret = vbind_exec_wait(fd, vm_id, &cmds[i], some, &fault);
		check(!ret, "%s: memory at 0x%" PRIx64 " is 0x%" PRIx64
		      ", fault %u: %s", when, (uint64_t)fault.addr,
		      (uint64_t)fault.value, fault.kind, result_name(ret));
	}
	free(cmds);
	if (first_gap)
		check_nothing_at(vm_id, first_gap);
	if (last_gap != first_gap)
		check_nothing_at(vm_id, last_gap);
}
