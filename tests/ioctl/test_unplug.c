// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * vbind-test: the device is taken away and comes back, as another one, while files,
 * mappings, dma-bufs, jobs and fences of the old one live on.
 */

#include "test.h"

#define DRIVER	"/sys/bus/platform/drivers/vbind"

static void write_driver(const char *name)
{
	char path[64];
	int file;

	snprintf(path, sizeof(path), DRIVER "/%s", name);
	file = open(path, O_WRONLY | O_CLOEXEC);
	if (file < 0)
		skip("unbinding needs sysfs, and the right to write to it");
	check(write(file, "vbind", 5) == 5, "%s: %s", name, strerror(errno));
	close(file);
}

static void unplug(void)
{
	write_driver("unbind");
}

/* Leaves the test with a file of the new device. */
static void replug(void)
{
	write_driver("bind");
	fd = open_device();
}

static void expect_gone(int file)
{
	struct drm_vbind_vm_stats stats = { .vm_id = 1 };
	uint32_t handle;

	expect(-ENODEV, vbind_gem_create(file, PAGE, 0, 0, &handle));
	expect(-ENODEV, vbind_vm_create(file, VA_START, VA_RANGE, 0, 0, mode,
					&handle));
	expect(-ENODEV, vbind_map_sparse(file, vm, VA_START, PAGE));
	expect(-ENODEV, vbind_vm_stats(file, 1, &stats));
	expect(-ENODEV, vbind_vm_destroy(file, vm));
}

static void check_new_device(void)
{
	setup();
	expect(0, vbind_map(fd, vm, VA_START, 4 * PAGE, bo, 0));
	run_cmd(vm, vbind_cmd_compare(VA_START, 4 * PAGE, bo_word(bo_id, 0), 8));
}

static void test_unbind_rebind(void)
{
	close(fd);
	unplug();
	check(vbind_open() < 0, "it is still there");
	replug();
	check_new_device();
}

static void test_unplug_files(void)
{
	int old = fd;
	uint8_t *memory;

	setup();
	expect(0, vbind_map(fd, vm, VA_START, 4 * PAGE, bo, 0));
	memory = map_bo(fd, bo);
	memory[5] = 55;
	unplug();
	expect_gone(old);
	/* Its memory is still there. */
	memory[6] = memory[5] + 1;
	expect_value(56, memory[6]);
	munmap(memory, BO_SIZE);
	replug();
	check_new_device();
	expect_gone(old);
	close(old);
	check_stats(1, 1, 1);
}

static void test_unplug_jobs(void)
{
	uint32_t out[3], i;
	struct drm_vbind_bind bind;
	struct foreign foreign;
	int syncs[3], old = fd;
	double begin;

	setup();
	foreign = new_foreign();
	bind = map_bind(VA_START, PAGE, 0);
	for (i = 0; i < 3; i++)
		out[i] = new_syncobj();
	bind_async(&bind, 1, foreign.syncobj, out[0]);
	exec_async(0, vbind_cmd_wait(1000000), 0, out[1]);
	exec_async(1, vbind_cmd_wait(0), foreign.syncobj, out[2]);
	for (i = 0; i < 3; i++)
		check(!drmSyncobjExportSyncFile(fd, out[i], &syncs[i]),
		      "sync_file: %s", strerror(errno));
	begin = seconds();
	unplug();
	check(seconds() - begin < 4, "it took %f s", seconds() - begin);
	replug();
	for (i = 0; i < 3; i++) {
		out[i] = new_syncobj();
		check(!drmSyncobjImportSyncFile(fd, out[i], syncs[i]),
		      "sync_file: %s", strerror(errno));
		close(syncs[i]);
		wait_for(out[i], 0);
	}
	close(old);
	signal_foreign(&foreign);
	close(foreign.timeline);
	check_new_device();
}

static void test_unplug_dma_buf(void)
{
	uint32_t imported;
	uint8_t *memory;
	int prime, old = fd;

	setup();
	check(!drmPrimeHandleToFD(fd, bo, DRM_CLOEXEC | DRM_RDWR, &prime),
	      "export: %s", strerror(errno));
	unplug();
	close(old);
	memory = mmap(NULL, BO_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, prime, 0);
	check(memory != MAP_FAILED, "mmap: %s", strerror(errno));
	memory[0] = 1;
	munmap(memory, BO_SIZE);
	replug();
	/* To the new device, the old one is another driver's. */
	vm = new_vm(mode);
	check(!drmPrimeFDToHandle(fd, prime, &imported), "import: %s",
	      strerror(errno));
	close(prime);
	expect(0, vbind_map(fd, vm, VA_START, PAGE, imported, 0));
	run_cmd(vm, vbind_cmd_write(VA_START, 7));
}

static atomic_bool stop;

static void *work(void *arg)
{
	int file = *(int *)arg;
	uint32_t id, handle, i;

	while (!stop) {
		if (vbind_vm_create(file, VA_START, VA_RANGE, 0, 0, mode, &id))
			break;
		if (vbind_gem_create(file, BO_SIZE, 0, 0, &handle))
			break;
		for (i = 0; i < 16; i++) {
			struct drm_vbind_cmd cmd = vbind_cmd_write(VA_START, i);

			vbind_map(file, id, VA_START + i * PAGE, PAGE, handle, 0);
			vbind_exec(file, id, i % DRM_VBIND_NUM_QUEUES, &cmd, 1,
				   NULL, 0, NULL);
		}
		vbind_gem_close(file, handle);
		vbind_vm_destroy(file, id);
	}
	return NULL;
}

static void test_unplug_under_load(void)
{
	pthread_t threads[4];
	int files[4], i, round;

	for (round = 0; round < 5; round++) {
		stop = false;
		for (i = 0; i < 4; i++) {
			files[i] = open_device();
			check(!pthread_create(&threads[i], NULL, work, &files[i]),
			      "no thread");
		}
		usleep(50000);
		unplug();
		stop = true;
		for (i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
		for (i = 0; i < 4; i++)
			close(files[i]);
		close(fd);
		replug();
	}
	check_new_device();
	check_stats(1, 1, 1);
}

const struct test unplug_tests[] = {
	{ "unplug: unbind and bind", test_unbind_rebind, false },
	{ "unplug: open files and their memory", test_unplug_files, true },
	{ "unplug: jobs and their fences", test_unplug_jobs, true },
	{ "unplug: dma-bufs", test_unplug_dma_buf, false },
	{ "unplug: in the middle of work", test_unplug_under_load, true },
	{}
};
