// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Runs the files of a corpus, without libFuzzer.
 */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "side.h"

static void run_file(const char *name)
{
	static u8 data[1 << 16];
	FILE *file = fopen(name, "r");
	size_t size;

	if (!file)
		die("cannot open %s", name);
	size = fread(data, 1, sizeof(data), file);
	fclose(file);

	fuzz_one_input(data, size);
}

int main(int argc, char **argv)
{
	printf("TAP version 13\n1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++) {
		run_file(argv[i]);
		printf("ok %d - %s\n", i, basename(argv[i]));
		fflush(stdout);
	}

	return 0;
}
