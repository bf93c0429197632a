// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bits.h>
#include <linux/kernel.h>

#include "side.h"

const char *const req_names[NR_REQS] = {
	[REQ_MAP] = "sm_map",
	[REQ_MAP_LIST] = "sm_map_ops_create",
	[REQ_MAP_DROP] = "sm_map_ops_create, given up",
	[REQ_UNMAP] = "sm_unmap",
	[REQ_UNMAP_LIST] = "sm_unmap_ops_create",
	[REQ_UNMAP_DROP] = "sm_unmap_ops_create, given up",
	[REQ_MADVISE] = "madvise_ops_create",
	[REQ_MADVISE_DROP] = "madvise_ops_create, given up",
	[REQ_BO_UNMAP] = "bo_unmap_ops_create",
	[REQ_PREFETCH] = "prefetch_ops_create",
	[REQ_INSERT] = "insert",
	[REQ_GPUVA_MAP] = "map",
	[REQ_REMOVE] = "remove",
	[REQ_CLEAR] = "for_each_va_range_safe, remove",
	[REQ_VALID] = "range_valid",
	[REQ_EMPTY] = "interval_empty",
	[REQ_FIND] = "find",
	[REQ_FIND_FIRST] = "find_first",
	[REQ_FIND_PREV] = "find_prev",
	[REQ_FIND_NEXT] = "find_next",
	[REQ_WALK] = "for_each_va_range",
	[REQ_WALK_SAFE] = "for_each_va_range_safe",
	[REQ_WALK_ALL] = "for_each_va",
	[REQ_WALK_ALL_SAFE] = "for_each_va_safe",
	[REQ_MAPPINGS] = "for_each_mapping_range",
	[REQ_MAPPINGS_SAFE] = "for_each_mapping_range_safe",
	[REQ_MAPPINGS_ALL] = "for_each_mapping",
	[REQ_MAPPINGS_ALL_SAFE] = "for_each_mapping_safe",
	[REQ_LOCK] = "exec_lock",
	[REQ_LOCK_ARRAY] = "exec_lock_array",
	[REQ_LOCK_RANGE] = "exec_lock_range",
	[REQ_LOCK_MAP] = "sm_map_exec_lock",
	[REQ_LOCK_UNMAP] = "sm_unmap_exec_lock",
	[REQ_FENCE] = "exec_lock, resv_add_fence",
	[REQ_EVICT] = "bo_gem_evict",
	[REQ_VALIDATE] = "exec_lock, validate",
	[REQ_CLEANUP] = "bo_deferred_cleanup",
	[REQ_REMOVE_TWICE] = "remove, twice",
	[REQ_UNLINK_UNLINKED] = "unlink of what is not linked",
	[REQ_REMAP_OUTSIDE] = "remap to outside of the old mapping",
	[REQ_REMAP_UNINSERTED] = "remap of what is not inserted",
};

static const char *const record_names[] = {
	[DID_MAP] = "map",
	[DID_REMAP] = "remap",
	[DID_UNMAP] = "unmap",
	[DID_PREFETCH] = "prefetch",
	[DID_FIND] = "found",
	[DID_LOCK] = "locked",
	[DID_FENCE] = "fenced",
	[DID_VALIDATE] = "validate",
	[DID_LEAVE] = "still on the list",
	[DID_CHANGE_EXTRA] = "changed extra",
};

void die(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("# ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputs("\n", stderr);
	abort();
}

u64 option(int argc, char **argv, const char *name, u64 value)
{
	size_t len = strlen(name);

	for (int i = 1; i < argc; i++) {
		if (!strncmp(argv[i], name, len) && argv[i][len] == '=')
			value = strtoull(argv[i] + len + 1, NULL, 0);
	}

	return value;
}

void print_config(const struct config *config)
{
	fprintf(stderr, "#  VM %#llx+%#llx reserved %#llx+%#llx unit %#llx:%s%s%s%s\n",
		(ullong)config->start, (ullong)config->range,
		(ullong)config->reserve, (ullong)config->reserve_range,
		(ullong)config->unit,
		config->flags & BIT(0) ? " resv-protected" : "",
		config->flags & BIT(1) ? " immediate" : "",
		config->driver_allocs ? " driver-allocs" : "",
		config->early_put ? " early-put" : "");
}

void print_request(const struct request *req)
{
	fprintf(stderr, "#  %s %#llx+%#llx obj %d offset %#llx", req_names[req->kind],
		(ullong)req->addr, (ullong)req->range, req->obj,
		(ullong)req->offset);
	fprintf(stderr, " flags %#x mask %#x fences %u nth %u\n",
		req->flags, req->mask, req->fences, req->nth);
}

static void print_part(const char *what, const struct part *part)
{
	if (!part->range && part->obj != RESV_OBJ)
		return;

	fprintf(stderr, " %s %#llx+%#llx obj %lld offset %#llx", what,
		(ullong)part->addr, (ullong)part->range,
		(long long)part->obj, (ullong)part->offset);
}

void print_outcome(const char *who, const struct outcome *out)
{
	fprintf(stderr, "#  %s: %d\n", who, out->ret);
	for (unsigned int i = 0; i < out->nr; i++) {
		const struct record *rec = &out->rec[i];

		fprintf(stderr, "#    %s%s", record_names[rec->kind],
			rec->keep ? " keep" : "");
		if (rec->kind < DID_LOCK) {
			print_part("", &rec->va);
			print_part("prev", &rec->prev);
			print_part("next", &rec->next);
		} else {
			fprintf(stderr, " obj %lld: %llu", (long long)rec->va.obj,
				(ullong)rec->va.range);
		}
		fputs("\n", stderr);
	}
}

bool same_outcome(const struct outcome *a, const struct outcome *b)
{
	return a->ret == b->ret && a->nr == b->nr &&
	       !memcmp(a->rec, b->rec, a->nr * sizeof(*a->rec));
}
