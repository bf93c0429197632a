// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Requests for libFuzzer, against the model. Lines of eight characters, the last
 * of which is ignored, so that a corpus can be written in an editor:
 *
 *	VM:		pages, unit, reserved page, reserved pages, mode,
 *			driver allocates, early put
 *	request:	kind ('A' is the first), page, pages, object, offset in
 *			pages, flags, step that fails + 4 * mask + 32 * fences
 *
 * where '0' stands for 0, '1' for 1 and so on, for all bytes. So many pages as no
 * VM has stand for ranges that wrap or do nearly so.
 *
 * With '@' for the first line's last character, see fuzz_attrs.c.
 */
#include <string.h>

#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/limits.h>

#include "fuzz.h"
#include "model.h"
#include "shim.h"

#define LINE	8

static unsigned int digit(const u8 *line, unsigned int i)
{
	return (u8)(line[i] - '0');
}

static void parse_config(struct config *config, const u8 *line)
{
	unsigned int first;

	memset(config, 0, sizeof(*config));
	config->pages = 1 + digit(line, 0) % 16;

	switch (digit(line, 1) % 4) {
	case 0:
		config->unit = 1;
		break;
	case 1:
		config->unit = 4096;
		config->start = 65536;
		break;
	case 2:
		config->unit = 1ULL << 59;
		break;
	default:
		config->unit = 1ULL << 58;
		config->start = -config->unit * config->pages;
		break;
	}
	config->range = config->pages * config->unit;

	first = digit(line, 2) % config->pages;
	config->reserve = config->start + first * config->unit;
	config->reserve_range = digit(line, 3) % (config->pages - first + 1) *
				config->unit;
	if (!config->reserve_range)
		config->reserve = 0;

	config->flags = digit(line, 4) % 4;
	config->driver_allocs = digit(line, 5) % 2;
	config->early_put = digit(line, 6) % 2;

	/* A range of 2^64 has no number. */
	if (!config->range) {
		config->pages--;
		config->range -= config->unit;
		if (config->reserve_range)
			config->reserve_range = config->unit;
	}
}

static void parse_range(struct request *req, const struct config *config,
			const u8 *line)
{
	unsigned int pages = digit(line, 2);

	req->addr = config->start +
		    digit(line, 1) % (config->pages + 2) * config->unit;
	if (pages < MAX_PAGES)
		req->range = pages * config->unit;
	else
		req->range = pages % 2 ? U64_MAX : config->unit - req->addr;
}

static void parse_request(struct request *req, const struct config *config,
			  const u8 *line)
{
	unsigned int offset = digit(line, 4);

	memset(req, 0, sizeof(*req));
	req->kind = (u8)(line[0] - 'A') % NR_RANDOM_REQS;
	parse_range(req, config, line);

	if (req->kind == REQ_BO_UNMAP || req->kind == REQ_EVICT)
		req->obj = digit(line, 3) % NR_OBJS;
	else if (takes_part(req->kind))
		req->obj = (int)(digit(line, 3) % (NR_OBJS + 1)) - 1;
	else
		req->obj = NO_OBJ;
	req->offset = offset < MAX_PAGES ? offset * config->unit :
					   U64_MAX - offset;

	req->flags = digit(line, 5);
	req->nth = digit(line, 6) % 4;
	req->mask = digit(line, 6) / 4 % 8;
	req->fences = digit(line, 6) / 32 % 3;
}

static void run_request(struct side_vm *vm, struct model *model,
			const struct request *req)
{
	static struct outcome expected, out;
	static struct snapshot snap;

	model_run(model, req, &expected);
	side_ours.run(vm, req, &out);

	if (!model_agrees(req, &expected, &out)) {
		print_config(model->config);
		print_request(req);
		print_outcome("model", &expected);
		print_outcome("ours", &out);
		die("not what the model expects");
	}

	side_ours.check(vm);
	side_ours.snapshot(vm, &snap);
	model_compare(model, &snap);
}

int fuzz_one_input(const u8 *data, size_t size)
{
	struct config config;
	struct request req;
	struct side_vm *vm;
	struct model model;

	if (size < 2 * LINE)
		return -1;
	if (data[LINE - 1] == '@')
		return fuzz_attrs(data, size);

	parse_config(&config, data);
	vm = side_ours.create(&config);
	if (!vm)
		die("a good layout is refused");
	model_init(&model, &config);

	for (size_t at = LINE; at + LINE <= size; at += LINE) {
		parse_request(&req, &config, data + at);
		run_request(vm, &model, &req);
	}

	side_ours.destroy(vm);
	if (shim.live)
		die("%ld allocations or objects were not freed", shim.live);

	return 0;
}
