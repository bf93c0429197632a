// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/* vbind-test: VM_BIND: what it refuses, and that nothing changes then. */

#include "test.h"

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

const struct test bind_error_tests[] = {
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
	{}
};
