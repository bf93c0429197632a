// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Requests with attributes for libFuzzer, in lines of sixteen characters, the last
 * of which is ignored:
 *
 *	VM:		pages, unit, reserved page, reserved pages, mode; the
 *			eighth is '@', which tells it from the VMs of the older
 *			requests
 *	request:	kind, page, pages, type, options, object, offset in pages,
 *			flags, repeated pages as a power of two, flags that are
 *			ignored, same(), tag, step that fails, whether it leaves
 *			its mapping
 */
#include "attrs.h"
#include "fuzz.h"

#define LINE	16

static unsigned int digit(const u8 *line, unsigned int i)
{
	return (u8)(line[i] - '0');
}

static void parse_config(struct attrs_config *config, const u8 *line)
{
	*config = (struct attrs_config) {
		.pages = 1 + digit(line, 0) % 16,
		.flags = digit(line, 4) % 8,
	};

	switch (digit(line, 1) % 3) {
	case 0:
		config->unit = 1;
		config->start = 3;
		break;
	case 1:
		config->unit = 4096;
		config->start = 5 * config->unit;
		break;
	default:
		config->unit = 1ULL << 58;
		config->start = -config->unit * config->pages;
		break;
	}

	config->size = config->pages + 4;
	config->reserved = digit(line, 2) % config->pages;
	config->nr_reserved = digit(line, 3) % (config->pages - config->reserved);
}

static void parse_request(struct attrs_req *req,
			  const struct attrs_config *config, const u8 *line)
{
	unsigned int repeat = digit(line, 8) % 8;

	*req = (struct attrs_req) {
		.kind = digit(line, 0) % NR_ATTRS,
		.addr = config->start + digit(line, 1) % (config->pages + 2) *
			config->unit,
		.range = digit(line, 2) % 64 * config->unit,
		.type = digit(line, 3) % 3,
		.opts = digit(line, 4) % 3,
		.obj = (int)(digit(line, 5) % 3) - 1,
		.offset = digit(line, 6) % 64 * config->unit,
		.flags = digit(line, 7) % 16,
		.ignore = digit(line, 9) % 16,
		.same = digit(line, 10) % NR_SAME,
		.tag = digit(line, 11) % 4,
		.nth = digit(line, 12) % 4,
		.leave = digit(line, 13) % 2,
	};

	if (repeat)
		req->repeat = repeat == 7 ? 3 : (u32)config->unit << (repeat - 1);

	/* Each of these has a mapping, an object or a range only. */
	if (req->kind == ATTRS_UNMAP_BO)
		req->obj = req->obj > 0;
	else if (req->kind >= ATTRS_OLD_UNMAP)
		req->obj = ATTRS_NO_OBJ;
	if (req->kind == ATTRS_OLD_UNMAP || req->kind == ATTRS_OLD_MADVISE)
		req->offset = 0;
}

int fuzz_attrs(const u8 *data, size_t size)
{
	static struct attrs_outcome out;
	struct attrs_config config;
	struct attrs_model model;
	struct attrs_req req;
	struct attrs_vm *vm;

	if (size < 2 * LINE)
		return -1;

	parse_config(&config, data);
	vm = attrs_vm_create(&config);
	attrs_model_init(&model, &config);
	for (size_t at = LINE; at + LINE <= size; at += LINE) {
		parse_request(&req, &config, data + at);
		attrs_try(vm, &model, &req, &out);
	}
	attrs_vm_destroy(vm);

	return 0;
}
