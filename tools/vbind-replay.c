// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * vbind-replay: carries out a bind script and shows, for each request, the
 * operations that the core emitted, and in the end what the VA space looks like.
 * README.md describes the language, and --help is a summary.
 */

#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libvbind.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define MAX_WORDS	16
#define MAX_STEPS	1024
#define BAR_COLUMNS	64
#define BAR_MAX_ROWS	8

static const char help[] =
"usage: vbind-replay [SCRIPT]\n"
"\n"
"Carries out the requests of SCRIPT (or of standard input) with the vbind driver\n"
"and shows what the core made of each of them. One request per line:\n"
"\n"
"  vm START RANGE [reserve START RANGE] [staged|immediate] [resv-protected]\n"
"  bo NAME SIZE [private]\n"
"  map VA RANGE BO OFFSET [readonly]\n"
"  sparse VA RANGE\n"
"  unmap VA RANGE\n"
"  prefetch VA RANGE\n"
"  begin ... commit           one array of binds: all of them or none\n"
"  close BO                   give the handle back; mappings stay\n"
"  title TEXT                 print a heading\n"
"  show                       print the VA space now\n"
"  expect-error ERRNO REQUEST the request, or commit, has to fail like this\n"
"\n"
"Numbers are decimal or 0x hexadecimal with an optional suffix K, M, G or T.\n"
"# starts a comment.\n"
"\n"
"Exit status: 0 if everything went as the script says, 1 if not, 2 for a wrong\n"
"call of this program.\n";

struct bo {
	char *name;
	uint32_t handle;
	uint64_t id;
	char letter;
};

/* A bind and where it comes from */
struct request {
	struct drm_vbind_bind bind;
	unsigned int line;
	char *text;
};

struct replay {
	const char *path;
	unsigned int line;

	int fd;
	bool has_vm;
	uint32_t vm_id;
	int addr_digits;

	struct bo *bos;
	unsigned int num_bos;

	/* the array that is being put together, or the single request */
	struct request *requests;
	unsigned int num_requests;
	bool in_array;
	unsigned int array_line;

	int expected_error;

	unsigned int num_binds;
	unsigned int num_steps[4];
};

static void __attribute__((noreturn, format(printf, 2, 3)))
die(const struct replay *r, const char *format, ...)
{
	va_list args;

	/* What was printed so far explains how it came to this. */
	fflush(stdout);
	fprintf(stderr, "%s:%u: ", r->path, r->line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void *check_alloc(void *ptr)
{
	if (!ptr) {
		perror("vbind-replay");
		exit(1);
	}
	return ptr;
}

/* Numbers and names */

static const char units[] = "KMGT";

static uint64_t parse_number(const struct replay *r, const char *word)
{
	const char *unit;
	uint64_t value;
	char *end;

	errno = 0;
	value = strtoull(word, &end, 0);
	if (!isdigit((unsigned char)word[0]) || errno)
		die(r, "\"%s\" is not a number of 64 bits", word);

	if (!*end)
		return value;

	unit = strchr(units, toupper((unsigned char)*end));
	if (!unit || end[1])
		die(r, "\"%s\" is not a number: it may end with one of K, M, G, T",
		    word);
	for (; unit >= units; unit--) {
		if (value >> 54)
			die(r, "\"%s\" does not fit into 64 bits", word);
		value <<= 10;
	}

	return value;
}

/* The shortest way to write a size, such as 64K; long ones are rounded. */
static const char *size_text(uint64_t size)
{
	static char text[4][24];
	static unsigned int turn;
	char *out = text[turn++ % ARRAY_SIZE(text)];
	double rounded;
	int unit = -1;

	while (size && !(size & 1023) && unit < 3) {
		size >>= 10;
		unit++;
	}
	if (size < 100000 || unit == 3) {
		snprintf(out, sizeof(text[0]), "%" PRIu64 "%.*s", size, unit >= 0,
			 unit >= 0 ? &units[unit] : "");
		return out;
	}

	rounded = size;
	do {
		rounded /= 1024;
		unit++;
	} while (rounded >= 1024 && unit < 3);
	snprintf(out, sizeof(text[0]), "~%.2f%c", rounded, units[unit]);

	return out;
}

static int parse_errno(const struct replay *r, const char *word)
{
	int i;

	for (i = 1; i < 200; i++) {
		const char *name = strerrorname_np(i);

		if (name && !strcmp(name, word))
			return i;
	}
	die(r, "\"%s\" is not an error name such as EINVAL", word);
}

static struct bo *find_bo(const struct replay *r, const char *name)
{
	unsigned int i;

	for (i = 0; i < r->num_bos; i++) {
		if (!strcmp(r->bos[i].name, name))
			return &r->bos[i];
	}
	return NULL;
}

static const struct bo *bo_by_id(const struct replay *r, uint64_t id)
{
	unsigned int i;

	for (i = 0; i < r->num_bos; i++) {
		if (r->bos[i].id == id)
			return &r->bos[i];
	}
	return NULL;
}

static uint64_t last_of(uint64_t start, uint64_t range)
{
	return start + range - 1;
}

/* Output */

static void print_range(const struct replay *r, uint64_t start, uint64_t range)
{
	printf("0x%0*" PRIx64 "-0x%0*" PRIx64 " %8s", r->addr_digits, start,
	       r->addr_digits, last_of(start, range), size_text(range));
}

static void print_mapping(const struct replay *r,
			  const struct drm_vbind_mapping *m)
{
	const struct bo *bo = bo_by_id(r, m->bo_id);

	print_range(r, m->addr, m->range);
	if (bo)
		printf("  %s +0x%" PRIx64, bo->name, (uint64_t)m->offset);
	if (m->flags & DRM_VBIND_MAPPING_SPARSE)
		printf("  sparse");
	if (m->flags & DRM_VBIND_MAPPING_READONLY)
		printf(", read-only");
}

static void print_step_part(const struct replay *r, const char *name,
			    const struct drm_vbind_mapping *m, const char *note)
{
	printf("         %-8s ", name);
	print_mapping(r, m);
	printf("%s\n", note);
}

static void print_step(const struct replay *r, const struct drm_vbind_step *step)
{
	static const char *const names[] = {
		[DRM_VBIND_STEP_MAP] = "map",
		[DRM_VBIND_STEP_REMAP] = "remap",
		[DRM_VBIND_STEP_UNMAP] = "unmap",
		[DRM_VBIND_STEP_PREFETCH] = "prefetch",
	};

	print_step_part(r, step->type < ARRAY_SIZE(names) ?
			names[step->type] : "?", &step->mapping,
			step->flags & DRM_VBIND_STEP_KEEP ? "  (keep)" : "");
	if (step->flags & DRM_VBIND_STEP_PREV)
		print_step_part(r, "  prev", &step->prev, "");
	if (step->flags & DRM_VBIND_STEP_NEXT)
		print_step_part(r, "  next", &step->next, "");
}

static void print_request(unsigned int line, const char *text)
{
	printf("%5u  %s\n", line, text);
}

/* The VA space as a drawing */

enum kind {
	KIND_GAP,
	KIND_RESERVED,
	KIND_SPARSE,
	KIND_BO,
};

/* Mappings and the reserved range, by ascending address */
struct area {
	uint64_t start;
	uint64_t last;
	enum kind kind;
	const struct drm_vbind_mapping *mapping;
	char letter;
};

struct space {
	struct drm_vbind_vm_query vm;
	struct drm_vbind_mapping *mappings;
	struct area *areas;
	unsigned int num_areas;
};

static void add_area(struct space *s, uint64_t start, uint64_t range,
		     enum kind kind, char letter,
		     const struct drm_vbind_mapping *mapping)
{
	s->areas[s->num_areas++] = (struct area){
		.start = start,
		.last = last_of(start, range),
		.kind = kind,
		.letter = letter,
		.mapping = mapping,
	};
}

static int compare_areas(const void *a, const void *b)
{
	const struct area *left = a, *right = b;

	return left->start < right->start ? -1 : left->start > right->start;
}

static void add_mapping(const struct replay *r, struct space *s,
			const struct drm_vbind_mapping *m)
{
	const struct bo *bo = bo_by_id(r, m->bo_id);

	if (bo)
		add_area(s, m->addr, m->range, KIND_BO, bo->letter, m);
	else
		add_area(s, m->addr, m->range, KIND_SPARSE, '~', m);
}

static void get_space(const struct replay *r, struct space *s)
{
	int i, count;

	count = vbind_vm_query(r->fd, r->vm_id, &s->vm, &s->mappings);
	if (count < 0)
		die(r, "cannot query the VM: %s", strerror(-count));

	s->num_areas = 0;
	s->areas = check_alloc(calloc(count + 1, sizeof(*s->areas)));
	for (i = 0; i < count; i++)
		add_mapping(r, s, &s->mappings[i]);
	if (s->vm.reserved_range)
		add_area(s, s->vm.reserved_start, s->vm.reserved_range,
			 KIND_RESERVED, '#', NULL);
	qsort(s->areas, s->num_areas, sizeof(*s->areas), compare_areas);
}

static void put_space(struct space *s)
{
	free(s->areas);
	free(s->mappings);
}

/*
 * One column of the drawing: BOs hide sparse mappings, and those hide gaps, so
 * that small things are seen. Of several BOs, the one with the largest share.
 */
static char column_letter(const struct space *s, uint64_t start, uint64_t last)
{
	enum kind best_kind = KIND_GAP;
	uint64_t best_share = 0;
	char letter = '.';
	unsigned int i;

	for (i = 0; i < s->num_areas; i++) {
		const struct area *a = &s->areas[i];
		uint64_t from = a->start > start ? a->start : start;
		uint64_t to = a->last < last ? a->last : last;

		if (from > to)
			continue;
		if (a->kind > best_kind ||
		    (a->kind == best_kind && to - from > best_share)) {
			best_kind = a->kind;
			best_share = to - from;
			letter = a->letter;
		}
	}

	return letter;
}

/* Draws [start, last], starting a new row after every BAR_COLUMNS columns. */
static void draw(const struct replay *r, const struct space *s, uint64_t start,
		 uint64_t last, unsigned int shift)
{
	uint64_t columns = ((last - start) >> shift) + 1;
	uint64_t i;

	for (i = 0; i < columns; i++) {
		uint64_t from = start + (i << shift);
		uint64_t to = i == columns - 1 ? last :
			      last_of(from, (uint64_t)1 << shift);

		if (i % BAR_COLUMNS == 0)
			printf("  0x%0*" PRIx64 " |", r->addr_digits, from);
		putchar(column_letter(s, from, to));
		if (i % BAR_COLUMNS == BAR_COLUMNS - 1 || i == columns - 1)
			puts("|");
	}
}

/* The smallest power of two by which max_columns columns are enough. */
static unsigned int column_shift(uint64_t start, uint64_t last,
				 unsigned int max_columns)
{
	unsigned int shift = 12;

	while ((last - start) >> shift >= max_columns)
		shift++;

	return shift;
}

static void draw_titled(const struct replay *r, const struct space *s,
			const char *title, uint64_t start, uint64_t last,
			unsigned int shift)
{
	printf("\n  %s, one column is %s:\n\n", title,
	       size_text((uint64_t)1 << shift));
	draw(r, s, start, last, shift);
}

static bool is_drawn(const struct space *s, char letter)
{
	unsigned int i;

	for (i = 0; i < s->num_areas; i++) {
		if (s->areas[i].letter == letter)
			return true;
	}
	return false;
}

static void print_legend(const struct replay *r, const struct space *s)
{
	unsigned int i;

	printf("\n  . gap");
	if (is_drawn(s, '#'))
		printf("   # reserved");
	if (is_drawn(s, '~'))
		printf("   ~ sparse");
	for (i = 0; i < r->num_bos; i++) {
		if (is_drawn(s, r->bos[i].letter))
			printf("   %c %s", r->bos[i].letter, r->bos[i].name);
	}
	printf("\n");
}

static void print_drawings(const struct replay *r, const struct space *s)
{
	uint64_t start = s->vm.va_start;
	uint64_t last = last_of(start, s->vm.va_range);
	unsigned int shift = column_shift(start, last, BAR_COLUMNS);
	uint64_t first_used, last_used = 0;
	unsigned int zoom, i;

	draw_titled(r, s, "The whole VA space", start, last, shift);

	if (s->vm.num_mappings) {
		first_used = s->mappings[0].addr;
		for (i = 0; i < s->vm.num_mappings; i++)
			last_used = last_of(s->mappings[i].addr,
					    s->mappings[i].range);
		zoom = column_shift(first_used, last_used,
				    BAR_COLUMNS * BAR_MAX_ROWS);
		if (zoom < shift)
			draw_titled(r, s, "From the first to the last mapping",
				    first_used, last_used, zoom);
	}
	print_legend(r, s);
}

static void print_gap(const struct replay *r, uint64_t start, uint64_t last)
{
	printf("    ");
	print_range(r, start, last - start + 1);
	printf("  -\n");
}

static void print_area(const struct replay *r, const struct area *a)
{
	printf("  %c ", a->letter);
	if (a->mapping) {
		print_mapping(r, a->mapping);
	} else {
		print_range(r, a->start, a->last - a->start + 1);
		printf("  reserved");
	}
	printf("\n");
}

static void print_table(const struct replay *r, const struct space *s)
{
	uint64_t next = s->vm.va_start;
	uint64_t last = last_of(s->vm.va_start, s->vm.va_range);
	bool full = false;
	unsigned int i;

	for (i = 0; i < s->num_areas; i++) {
		const struct area *a = &s->areas[i];

		if (a->start > next)
			print_gap(r, next, a->start - 1);
		print_area(r, a);
		full = a->last == last;
		next = a->last + 1;
	}
	if (!full)
		print_gap(r, next, last);
}

static void show(const struct replay *r)
{
	struct space s = {};

	if (!r->has_vm)
		return;

	get_space(r, &s);
	printf("\nVA space 0x%0*" PRIx64 "-0x%0*" PRIx64 ", %s, %s mode%s, %u mapping%s\n\n",
	       r->addr_digits, (uint64_t)s.vm.va_start, r->addr_digits,
	       last_of(s.vm.va_start, s.vm.va_range), size_text(s.vm.va_range),
	       s.vm.vm_flags & DRM_VBIND_VM_IMMEDIATE ? "immediate" : "staged",
	       s.vm.vm_flags & DRM_VBIND_VM_RESV_PROTECTED ?
	       ", resv-protected" : "",
	       s.vm.num_mappings, s.vm.num_mappings == 1 ? "" : "s");
	print_table(r, &s);
	print_drawings(r, &s);
	printf("\n");
	put_space(&s);
}

/* Requests */

/*
 * What a request led to. @line is the one that an error is reported for: within
 * an array, that of the bind which failed.
 */
static void check_result(struct replay *r, unsigned int line, int ret)
{
	int expected = r->expected_error;

	r->line = line;
	r->expected_error = 0;

	if (ret == -expected) {
		if (ret)
			printf("         %s, as expected\n", strerrorname_np(-ret));
		return;
	}
	if (!ret)
		die(r, "worked, but %s is expected", strerrorname_np(expected));
	if (expected)
		die(r, "failed with %s (%s), but %s is expected",
		    strerrorname_np(-ret), strerror(-ret),
		    strerrorname_np(expected));
	die(r, "failed with %s (%s)", strerrorname_np(-ret), strerror(-ret));
}

static void print_steps(struct replay *r, const struct drm_vbind_step *steps,
			uint32_t num_steps, uint32_t index)
{
	uint32_t i, known = num_steps < MAX_STEPS ? num_steps : MAX_STEPS;

	for (i = 0; i < known; i++) {
		if (steps[i].bind_index != index)
			continue;
		print_step(r, &steps[i]);
		if (steps[i].type < ARRAY_SIZE(r->num_steps))
			r->num_steps[steps[i].type]++;
	}
}

static void print_result(struct replay *r, const struct drm_vbind_step *steps,
			 uint32_t num_steps)
{
	unsigned int i;

	for (i = 0; i < r->num_requests; i++) {
		print_request(r->requests[i].line, r->requests[i].text);
		print_steps(r, steps, num_steps, i);
	}
	if (num_steps > MAX_STEPS)
		printf("         ... and %u more steps\n", num_steps - MAX_STEPS);
}

static int bind_requests(struct replay *r, struct drm_vbind_step *steps,
			 uint32_t *num_steps, uint32_t *fail_index)
{
	struct drm_vbind_bind *binds;
	unsigned int i;
	int ret;

	binds = check_alloc(calloc(r->num_requests, sizeof(*binds)));
	for (i = 0; i < r->num_requests; i++)
		binds[i] = r->requests[i].bind;

	ret = vbind_vm_bind_steps(r->fd, r->vm_id, binds, r->num_requests, steps,
				  num_steps, fail_index);
	free(binds);

	return ret;
}

static void free_requests(struct replay *r)
{
	unsigned int i;

	for (i = 0; i < r->num_requests; i++)
		free(r->requests[i].text);
	free(r->requests);
	r->requests = NULL;
	r->num_requests = 0;
}

/* Binds what is collected in r->requests. */
static void run_requests(struct replay *r)
{
	static struct drm_vbind_step steps[MAX_STEPS];
	uint32_t num_steps = MAX_STEPS, fail_index = DRM_VBIND_NO_INDEX;
	unsigned int line = r->line;
	int ret;

	ret = bind_requests(r, steps, &num_steps, &fail_index);
	print_result(r, steps, ret ? 0 : num_steps);
	if (ret && fail_index < r->num_requests)
		line = r->requests[fail_index].line;
	if (!ret)
		r->num_binds += r->num_requests;
	check_result(r, line, ret);
	free_requests(r);
}

static void need_vm(const struct replay *r)
{
	if (!r->has_vm)
		die(r, "there is no VM: a \"vm\" line has to come first");
}

static void add_request(struct replay *r, const char *text,
			const struct drm_vbind_bind *bind)
{
	struct request *request;

	need_vm(r);
	r->requests = check_alloc(reallocarray(r->requests, r->num_requests + 1,
					       sizeof(*r->requests)));
	request = &r->requests[r->num_requests++];
	request->bind = *bind;
	request->line = r->line;
	request->text = check_alloc(strdup(text));

	if (!r->in_array)
		run_requests(r);
	else if (r->expected_error)
		die(r, "within an array, \"expect-error\" goes with \"commit\"");
}

static void do_map(struct replay *r, const char *text, int argc, char **argv)
{
	struct drm_vbind_bind bind = { .type = DRM_VBIND_BIND_MAP };
	const struct bo *bo = find_bo(r, argv[3]);

	if (!bo)
		die(r, "there is no BO \"%s\"", argv[3]);
	if (argc > 5) {
		if (strcmp(argv[5], "readonly"))
			die(r, "\"%s\" is not a flag of map", argv[5]);
		bind.flags = DRM_VBIND_BIND_READONLY;
	}
	bind.addr = parse_number(r, argv[1]);
	bind.range = parse_number(r, argv[2]);
	bind.handle = bo->handle;
	bind.offset = parse_number(r, argv[4]);
	add_request(r, text, &bind);
}

static void do_range_bind(struct replay *r, const char *text, char **argv,
			  uint32_t type)
{
	struct drm_vbind_bind bind = {
		.type = type,
		.addr = parse_number(r, argv[1]),
		.range = parse_number(r, argv[2]),
	};

	add_request(r, text, &bind);
}

static void do_sparse(struct replay *r, const char *text, int argc, char **argv)
{
	do_range_bind(r, text, argv, DRM_VBIND_BIND_MAP_SPARSE);
}

static void do_unmap(struct replay *r, const char *text, int argc, char **argv)
{
	do_range_bind(r, text, argv, DRM_VBIND_BIND_UNMAP);
}

static void do_prefetch(struct replay *r, const char *text, int argc, char **argv)
{
	do_range_bind(r, text, argv, DRM_VBIND_BIND_PREFETCH);
}

static void do_begin(struct replay *r, const char *text, int argc, char **argv)
{
	need_vm(r);
	if (r->in_array)
		die(r, "an array has begun in line %u already", r->array_line);
	r->in_array = true;
	r->array_line = r->line;
	print_request(r->line, text);
}

static void do_commit(struct replay *r, const char *text, int argc, char **argv)
{
	unsigned int line = r->line;

	if (!r->in_array)
		die(r, "there is no array to commit");
	if (!r->num_requests)
		die(r, "the array from line %u is empty", r->array_line);
	r->in_array = false;
	run_requests(r);
	r->line = line;
	print_request(line, text);
}

/* What vm and bo options ask for */
struct vm_options {
	uint64_t reserved_start, reserved_range;
	uint32_t flags;
};

static int parse_vm_option(struct replay *r, int argc, char **argv,
			   struct vm_options *options)
{
	if (!strcmp(argv[0], "reserve") && argc > 2) {
		options->reserved_start = parse_number(r, argv[1]);
		options->reserved_range = parse_number(r, argv[2]);
		return 3;
	}
	if (!strcmp(argv[0], "immediate"))
		options->flags |= DRM_VBIND_VM_IMMEDIATE;
	else if (!strcmp(argv[0], "staged"))
		options->flags &= ~DRM_VBIND_VM_IMMEDIATE;
	else if (!strcmp(argv[0], "resv-protected"))
		options->flags |= DRM_VBIND_VM_RESV_PROTECTED;
	else
		die(r, "\"%s\" is not an option of vm, or lacks something", argv[0]);
	return 1;
}

static void do_vm(struct replay *r, const char *text, int argc, char **argv)
{
	uint64_t start = parse_number(r, argv[1]);
	uint64_t range = parse_number(r, argv[2]);
	struct vm_options options = {};
	uint64_t rest;
	int i, ret;

	if (r->has_vm)
		die(r, "there is a VM already");
	for (i = 3; i < argc;)
		i += parse_vm_option(r, argc - i, argv + i, &options);

	print_request(r->line, text);
	ret = vbind_vm_create(r->fd, start, range, options.reserved_start,
			      options.reserved_range, options.flags, &r->vm_id);
	r->has_vm = !ret;
	/* As many hexadecimal digits as the last address has, at least 8 */
	r->addr_digits = 0;
	for (rest = last_of(start, range); rest; rest >>= 4)
		r->addr_digits++;
	if (r->addr_digits < 8)
		r->addr_digits = 8;
	check_result(r, r->line, ret);
}

static void add_bo(struct replay *r, const char *name, uint32_t handle)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	struct drm_vbind_gem_info info;
	struct bo *bo;
	int ret;

	ret = vbind_gem_info(r->fd, handle, &info);
	if (ret)
		die(r, "cannot look at the new BO: %s", strerror(-ret));

	r->bos = check_alloc(reallocarray(r->bos, r->num_bos + 1,
					  sizeof(*r->bos)));
	bo = &r->bos[r->num_bos];
	bo->name = check_alloc(strdup(name));
	bo->handle = handle;
	bo->id = info.bo_id;
	bo->letter = letters[r->num_bos++ % (sizeof(letters) - 1)];
}

static void do_bo(struct replay *r, const char *text, int argc, char **argv)
{
	uint64_t size = parse_number(r, argv[2]);
	uint32_t flags = 0, handle = 0;
	int ret;

	if (find_bo(r, argv[1]))
		die(r, "there is a BO \"%s\" already", argv[1]);
	if (argc > 3) {
		if (strcmp(argv[3], "private"))
			die(r, "\"%s\" is not an option of bo", argv[3]);
		need_vm(r);
		flags = DRM_VBIND_GEM_VM_PRIVATE;
	}

	print_request(r->line, text);
	ret = vbind_gem_create(r->fd, size, flags, flags ? r->vm_id : 0, &handle);
	check_result(r, r->line, ret);
	if (!ret)
		add_bo(r, argv[1], handle);
}

static void do_close(struct replay *r, const char *text, int argc, char **argv)
{
	struct bo *bo = find_bo(r, argv[1]);

	if (!bo)
		die(r, "there is no BO \"%s\"", argv[1]);
	print_request(r->line, text);
	check_result(r, r->line, vbind_gem_close(r->fd, bo->handle));
}

static void do_title(struct replay *r, const char *text, int argc, char **argv)
{
	text += strlen("title");
	while (isspace((unsigned char)*text))
		text++;
	printf("\n%s\n\n", text);
}

static void do_show(struct replay *r, const char *text, int argc, char **argv)
{
	need_vm(r);
	show(r);
}

struct command {
	const char *name;
	int min_args, max_args;
	bool in_array, can_fail;
	void (*run)(struct replay *r, const char *text, int argc, char **argv);
	const char *usage;
};

static const struct command commands[] = {
	{ "vm", 2, 7, false, true, do_vm,
	  "START RANGE [reserve START RANGE] [staged|immediate] [resv-protected]" },
	{ "bo", 2, 3, false, true, do_bo, "NAME SIZE [private]" },
	{ "map", 4, 5, true, true, do_map, "VA RANGE BO OFFSET [readonly]" },
	{ "sparse", 2, 2, true, true, do_sparse, "VA RANGE" },
	{ "unmap", 2, 2, true, true, do_unmap, "VA RANGE" },
	{ "prefetch", 2, 2, true, true, do_prefetch, "VA RANGE" },
	{ "begin", 0, 0, true, false, do_begin, "" },
	{ "commit", 0, 0, true, true, do_commit, "" },
	{ "close", 1, 1, false, true, do_close, "BO" },
	{ "title", 0, MAX_WORDS, true, false, do_title, "TEXT" },
	{ "show", 0, 0, false, false, do_show, "" },
};

static const struct command *find_command(const struct replay *r,
					  const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	die(r, "there is no request \"%s\"; see vbind-replay --help", name);
}

static void run_command(struct replay *r, const char *text, int argc, char **argv)
{
	const struct command *command = find_command(r, argv[0]);

	if (argc - 1 < command->min_args || argc - 1 > command->max_args)
		die(r, "wrong number of arguments: %s %s", command->name,
		    command->usage);
	if (r->in_array && !command->in_array)
		die(r, "\"%s\" cannot be in an array; the one from line %u is not committed",
		    argv[0], r->array_line);
	if (r->expected_error && !command->can_fail)
		die(r, "\"%s\" cannot be expected to fail", argv[0]);
	command->run(r, text, argc, argv);
}

/* The script */

static int split_words(const struct replay *r, char *line, char **words)
{
	char *word, *rest = line;
	int count = 0;

	while ((word = strsep(&rest, " \t"))) {
		if (!*word)
			continue;
		if (count == MAX_WORDS)
			die(r, "too many words");
		words[count++] = word;
	}

	return count;
}

/* Cuts off comment and white space. */
static char *trim(char *line)
{
	char *end;

	line[strcspn(line, "#\r\n")] = 0;
	line += strspn(line, " \t");
	for (end = line + strlen(line); end > line && isspace((unsigned char)end[-1]); end--)
		end[-1] = 0;

	return line;
}

static void run_request(struct replay *r, const char *text, int argc, char **argv)
{
	if (!strcmp(argv[0], "expect-error")) {
		if (argc < 3)
			die(r, "expect-error ERRNO REQUEST");
		r->expected_error = parse_errno(r, argv[1]);
		argc -= 2;
		argv += 2;
	}
	run_command(r, text, argc, argv);
}

static void run_line(struct replay *r, char *line)
{
	char *words[MAX_WORDS], *text;
	int argc;

	line = trim(line);

	/* "title" takes any number of words. */
	if (!strncmp(line, "title", 5) && (!line[5] || isspace((unsigned char)line[5]))) {
		do_title(r, line, 0, NULL);
		return;
	}

	text = check_alloc(strdup(line));
	argc = split_words(r, line, words);
	if (argc)
		run_request(r, text, argc, words);
	free(text);
}

static void run_script(struct replay *r, FILE *script)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, script) >= 0) {
		r->line++;
		run_line(r, line);
	}
	free(line);
	if (ferror(script))
		die(r, "cannot read: %s", strerror(errno));
	if (r->in_array)
		die(r, "the array from line %u is not committed", r->array_line);
}

static void print_summary(const struct replay *r)
{
	printf("%u binds: %u map, %u remap, %u unmap and %u prefetch operations\n",
	       r->num_binds, r->num_steps[DRM_VBIND_STEP_MAP],
	       r->num_steps[DRM_VBIND_STEP_REMAP],
	       r->num_steps[DRM_VBIND_STEP_UNMAP],
	       r->num_steps[DRM_VBIND_STEP_PREFETCH]);
}

static void fini(struct replay *r)
{
	unsigned int i;

	for (i = 0; i < r->num_bos; i++)
		free(r->bos[i].name);
	free(r->bos);
	close(r->fd);
}

static int usage_error(const char *what)
{
	fprintf(stderr, "vbind-replay: %s\n%s", what, help);
	return 2;
}

int main(int argc, char **argv)
{
	struct replay r = { .path = "standard input" };
	FILE *script = stdin;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return 0;
	}
	if (argc > 2)
		return usage_error("one script at a time");
	if (argc == 2 && argv[1][0] == '-' && argv[1][1])
		return usage_error("unknown option");

	if (argc == 2 && strcmp(argv[1], "-")) {
		r.path = argv[1];
		script = fopen(r.path, "r");
		if (!script) {
			fprintf(stderr, "%s: %s\n", r.path, strerror(errno));
			return 1;
		}
	}

	r.fd = vbind_open();
	if (r.fd < 0) {
		fprintf(stderr, "vbind-replay: there is no vbind device in /dev/dri\n");
		fclose(script);
		return 1;
	}

	run_script(&r, script);
	show(&r);
	print_summary(&r);
	fini(&r);
	fclose(script);

	return 0;
}
