// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * schedules [--preemptions=N] [--part=I/N] [SCENE...]: all schedules of scenes, in
 * each mode that they are allowed in; SCHEDULE=... in the environment, with one
 * scene and --mode=N, for the one that failed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scenes.h"

static const char *const mode_names[] = {
	"staged", "staged, protected", "immediate", "immediate, protected",
};

static const struct scene *current;

static void scene_begin(void)
{
	stage_set();
	if (current->prepare)
		current->prepare();
}

static void scene_end(void)
{
	if (current->check)
		current->check();
	stage_clear();
}

static void run_scene(const struct scene *scene, unsigned int preemptions,
		      const char *schedule)
{
	struct sched_scene sched = { .begin = scene_begin, .end = scene_end };
	struct timespec begin, end;
	struct sched_result result;
	char name[100];

	/* The flags of a mode are its number. */
	snprintf(name, sizeof(name), "--mode=%u %s", mode, scene->name);
	sched.name = name;
	memcpy(sched.thread, scene->thread, sizeof(sched.thread));
	current = scene;
	vm_flags = mode | scene->flags;
	if (schedule) {
		sched_replay(&sched, schedule);
		printf("%s: nothing is wrong\n", name);
		return;
	}

	clock_gettime(CLOCK_MONOTONIC, &begin);
	result = sched_explore(&sched, preemptions);
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%s, %s, %u preemptions, %lu steps, %.1f s: %lu schedules\n", scene->name,
	       mode_names[mode], preemptions, result.steps / result.schedules,
	       end.tv_sec - begin.tv_sec + (end.tv_nsec - begin.tv_nsec) / 1e9,
	       result.schedules);
	fflush(stdout);
}

static bool is_wanted(const struct scene *scene, char **names, int nr)
{
	for (int i = 0; i < nr; i++) {
		if (!strcmp(scene->name, names[i]))
			return true;
	}
	return !nr;
}

int main(int argc, char **argv)
{
	unsigned int preemptions = 3, modes = ANY_MODE, part = 0, parts = 1, n = 0, only;
	const char *schedule = getenv("SCHEDULE");
	bool found = false;

	for (; argc > 1 && argv[1][0] == '-'; argc--, argv++) {
		if (sscanf(argv[1], "--mode=%u", &only) == 1)
			modes = BIT(only);
		else if (sscanf(argv[1], "--preemptions=%u", &preemptions) != 1 &&
			 sscanf(argv[1], "--part=%u/%u", &part, &parts) != 2)
			return 2;
	}
	for (unsigned int i = 0; i < nr_scenes; i++) {
		if (!is_wanted(&scenes[i], argv + 1, argc - 1))
			continue;
		found = true;
		for (mode = 0; mode < 4; mode++) {
			if (scenes[i].modes & modes & BIT(mode) && n++ % parts == part)
				run_scene(&scenes[i], preemptions, schedule);
		}
	}
	return found ? 0 : 2;
}
