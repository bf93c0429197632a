// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Random sequences of requests, on our core and on the model.
 */
#include <stdio.h>

#include "model.h"
#include "random.h"

static void run_request(struct side_vm *vm, struct model *model,
			const struct request *req)
{
	static struct outcome expected, out;
	static struct snapshot snap;

	model_run(model, req, &expected);
	side_ours.run(vm, req, &out);

	if (!model_agrees(req, &expected, &out)) {
		print_request(req);
		print_outcome("model", &expected);
		print_outcome("ours", &out);
		die("not what the model expects");
	}

	side_ours.check(vm);
	side_ours.snapshot(vm, &snap);
	model_compare(model, &snap);

	shared->requests++;
	shared->refused += out.ret < 0;
	shared->kinds[req->kind]++;
}

static void run(const struct sequence *seq)
{
	struct side_vm *vm = side_ours.create(&seq->config);
	struct model model;

	if (!vm)
		die("a good layout is refused");

	model_init(&model, &seq->config);
	for (unsigned int i = 0; i < seq->nr; i++)
		run_request(vm, &model, &seq->req[i]);

	side_ours.destroy(vm);
}

static void report(void)
{
	for (int i = 0; i < NR_REQS; i++)
		printf("# %10llu %s\n", (ullong)shared->kinds[i], req_names[i]);
}

int main(int argc, char **argv)
{
	static const struct random_test test = {
		.name = "random sequences agree with the model",
		.run = run,
		.report = report,
	};

	return random_main(argc, argv, &test);
}
