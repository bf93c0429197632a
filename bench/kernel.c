// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * The benchmark as a module, for kernels without debugging options: it prints
 * its results to the kernel log while it is being loaded.
 */

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>

#include <linux/device/faux.h>
#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timex.h>

#include "bench.h"

static unsigned int n[BENCH_MAX_SIZES] = { 1000, 30000 };
static unsigned int num_n = 2;
module_param_array(n, uint, &num_n, 0444);
MODULE_PARM_DESC(n, "numbers of mappings");

static char *pattern = "";
module_param(pattern, charp, 0444);
MODULE_PARM_DESC(pattern, "names of patterns, or parts of them, separated by semicolons");

static unsigned int repeat;
module_param(repeat, uint, 0444);
MODULE_PARM_DESC(repeat, "runs of each core");

static unsigned long seed = 1;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "of all random orders");

static bool once;
module_param(once, bool, 0444);
MODULE_PARM_DESC(once, "every pattern and core once");

static bool cycles;
module_param(cycles, bool, 0444);
MODULE_PARM_DESC(cycles, "count cycles instead of nanoseconds");

static u64 now(void)
{
	return cycles ? get_cycles() : ktime_get_ns();
}

void bench_measure(struct bench_result *result, u64 ops,
		   void (*fn)(void *ctx), void *ctx)
{
	u64 begin;

	cond_resched();
	begin = now();
	fn(ctx);
	result->ns += now() - begin;
	result->ops += ops;
}

void *bench_array_alloc(size_t size)
{
	return kvmalloc(size, GFP_KERNEL);
}

void bench_array_free(void *array, size_t size)
{
	kvfree(array);
}

/* Not vmalloc(): a driver's mappings are in the kernel's direct map. */
void *bench_block_alloc(void)
{
	return (void *)__get_free_pages(GFP_KERNEL, get_order(BENCH_BLOCK));
}

void bench_block_free(void *block)
{
	free_pages((unsigned long)block, get_order(BENCH_BLOCK));
}

void bench_print(const char *format, ...)
{
	struct va_format text = { .fmt = format };
	va_list args;

	va_start(args, format);
	text.va = &args;
	pr_info("gpuvm_bench: %pV", &text);
	va_end(args);
}

/* ---- A device without hardware ----------------------------------------- */

static const struct drm_driver bench_driver = {
	.driver_features = DRIVER_GEM,
	.name = "gpuvm-bench",
	.desc = "DRM GPUVM benchmark",
	.major = 1,
};

static int run_with_device(const struct bench_options *options)
{
	struct faux_device *faux;
	struct drm_device *drm;
	int ret;

	faux = faux_device_create("gpuvm-bench", NULL, NULL);
	if (!faux)
		return -ENODEV;

	drm = drm_dev_alloc(&bench_driver, &faux->dev);
	if (IS_ERR(drm)) {
		ret = PTR_ERR(drm);
	} else {
		ret = bench_run(options, drm);
		drm_dev_put(drm);
	}
	faux_device_destroy(faux);

	return ret;
}

static int __init bench_init(void)
{
	struct bench_options *options = kzalloc_obj(*options);
	char *names = kstrdup(pattern, GFP_KERNEL);
	char *rest = names, *name;
	int ret = -ENOMEM;

	if (!options || !names)
		goto out;

	memcpy(options->n, n, sizeof(n));
	options->num_n = num_n;
	options->repeat = repeat;
	options->seed = seed;
	options->once = once;
	while ((name = strsep(&rest, ";")) &&
	       options->num_patterns < BENCH_MAX_PATTERNS)
		if (*name)
			options->pattern[options->num_patterns++] = name;

	ret = run_with_device(options);
out:
	kfree(names);
	kfree(options);

	return ret;
}
module_init(bench_init);

static void __exit bench_exit(void)
{
}
module_exit(bench_exit);

MODULE_DESCRIPTION("DRM GPUVM benchmark");
MODULE_LICENSE("Dual MIT/GPL");
