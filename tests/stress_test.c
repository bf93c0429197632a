// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Threads that do all that a driver may do, to a few objects in a few VMs, at
 * the same time. They go by the documented locks and nothing else. Objects and
 * VMs come and go meanwhile. Every few moments all threads end, and what they
 * left is checked as a whole.
 *
 * The locks, outer ones first: &st_vm.lock on the mappings, resvs,
 * &st_vm.job_lock, the objects' gpuva locks. In immediate mode mappings change in
 * fence signalling, under &st_vm.job_lock; those who have &st_vm.lock see none of
 * that, and may allocate.
 *
 * What a thread chooses comes from the seed. When it is its turn does not.
 */

#include <linux/dma-fence.h>

#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/debug.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "stress.h"

static unsigned int stress_ms = 500;
module_param(stress_ms, uint, 0444);
MODULE_PARM_DESC(stress_ms, "how long each case of drm_gpuvm_stress runs");

static const char *const st_count_names[ST_N_COUNTS] = {
	"actions", "contentions", "contentions in walks", "interrupted locks",
	"validations", "vm_bos allocated in vain", "last references put",
};

/* ---- coming and going --------------------------------------------------- */

static void st_signal(struct st_thread *t)
{
	struct st_thread *other = &t->st->threads[st_random(t, ST_THREADS)];

	if (other != t)
		send_sig(SIGINT, other->task, 1);
}

/* Those who use or map the old object have references on it. */
static void st_new_obj(struct st_thread *t)
{
	struct stress *st = t->st;
	unsigned int n = st_random(t, st->profile->shared + st->profile->local);
	struct st_vm *vm = st_vm_get(t);
	struct drm_gem_object *obj;

	if (n < st->profile->shared) {
		obj = st_obj_alloc(st, NULL);
		if (st_expect(st, obj)) {
			spin_lock(&st->slots);
			swap(obj, st->shared[n]);
			spin_unlock(&st->slots);
		}
	} else {
		obj = st_obj_alloc(st, drm_gpuvm_resv_obj(&vm->base));
		if (st_expect(st, obj)) {
			spin_lock(&st->slots);
			if (!vm->closed)
				swap(obj, vm->local[n - st->profile->shared]);
			spin_unlock(&st->slots);
		}
	}
	st_obj_put(obj);
	st_vm_put(vm);
}

static struct st_vm *st_vm_alloc(struct stress *st)
{
	struct drm_gem_object *r_obj = st_obj_alloc(st, NULL);
	struct st_vm *vm = kzalloc_obj(*vm);
	unsigned int i;

	if (!r_obj || !vm)
		goto err;

	vm->st = st;
	init_rwsem(&vm->lock);
	mutex_init(&vm->job_lock);
	drm_gpuvm_init(&vm->base, "stress", st->flags, st->gt->drm, r_obj,
		       GT_VM_START, GT_VM_RANGE, 0, 0, &st_ops);
	atomic_inc(&st_live[ST_LIVE_VMS]);
	drm_gem_object_put(r_obj);

	for (i = 0; i < st->profile->local; i++)
		vm->local[i] = st_obj_alloc(st, r_obj);

	return vm;
err:
	st_obj_put(r_obj);
	kfree(vm);
	st_fail(st, "out of memory", __LINE__, 0);
	return NULL;
}

/* Everybody who still has a reference finds nothing, and maps nothing, any more. */
static void st_vm_close(struct st_thread *t, struct st_vm *vm)
{
	struct stress *st = t->st;
	struct st_request r = {
		.vm = vm,
		.all = true,
		.req.map.va.addr = GT_BASE,
		.req.map.va.range = GT_PAGES(st->profile->pages),
	};
	struct drm_gem_object *local[ST_LOCAL];
	unsigned int i;

	down_write(&vm->lock);
	spin_lock(&st->slots);
	WRITE_ONCE(vm->closed, true);
	memcpy(local, vm->local, sizeof(local));
	memset(vm->local, 0, sizeof(vm->local));
	spin_unlock(&st->slots);
	up_write(&vm->lock);

	for (i = 0; i < ST_LOCAL; i++)
		st_obj_put(local[i]);

	st_request(t, &r);
	st_vm_put(vm);
}

static void st_new_vm(struct st_thread *t)
{
	struct stress *st = t->st;
	unsigned int n = st_random(t, st->profile->vms);
	struct st_vm *vm = st_vm_alloc(st);

	if (!vm)
		return;

	spin_lock(&st->slots);
	swap(vm, st->vms[n]);
	spin_unlock(&st->slots);
	st_vm_close(t, vm);
}

/* ---- rounds ------------------------------------------------------------- */

static void (*const st_actions[ST_ACTIONS])(struct st_thread *t) = {
	[ST_BIND] = st_bind,
	[ST_UNBIND] = st_unbind,
	[ST_CLEAR] = st_clear,
	[ST_EVICT] = st_evict,
	[ST_SUBMIT] = st_submit,
	[ST_PREPARE] = st_prepare,
	[ST_LOCK_RANGE] = st_lock_range,
	[ST_LOCK_REQUESTS] = st_lock_requests,
	[ST_LIST] = st_list,
	[ST_LOOK_UP] = st_look_up,
	[ST_CLEANUP] = st_cleanup,
	[ST_SIGNAL] = st_signal,
	[ST_NEW_OBJ] = st_new_obj,
	[ST_NEW_VM] = st_new_vm,
};

static enum st_action st_choose(struct st_thread *t)
{
	const unsigned int *weight = t->st->profile->weight;
	unsigned int sum = 0, i, n;

	for (i = 0; i < ST_ACTIONS; i++)
		sum += weight[i];

	n = st_random(t, sum);
	for (i = 0; n >= weight[i]; i++)
		n -= weight[i];

	return i;
}

static int st_thread_run(void *data)
{
	struct st_thread *t = data;
	struct stress *st = t->st;

	allow_signal(SIGINT);
	while (!READ_ONCE(st->stop) && time_before(jiffies, st->until)) {
		t->action = st_choose(t);
		st_actions[t->action](t);
		t->counts[ST_N_ACTIONS]++;
		if (st_is_first(t))
			st_sleep(t, true);
		cond_resched();
	}
	st_vas_free(&t->pool);
	flush_signals(current);
	if (atomic_dec_and_test(&st->running))
		wake_up(&st->wait);

	return 0;
}

static void st_thread_init(struct stress *st, struct st_thread *t, u64 seed)
{
	memset(t, 0, sizeof(*t));
	t->st = st;
	INIT_LIST_HEAD(&t->pool);
	INIT_LIST_HEAD(&t->dead);
	prandom_seed_state(&t->rnd, seed);
}

static bool st_threads_start(struct stress *st, u64 seed)
{
	struct st_thread *t;
	unsigned int i;

	for (i = 0; i < ST_THREADS; i++) {
		t = &st->threads[i];
		st_thread_init(st, t, seed + i);
		t->task = kthread_create(st_thread_run, t, "gpuvm_stress/%u", i);
		if (IS_ERR(t->task))
			break;
		get_task_struct(t->task);
	}
	if (i == ST_THREADS) {
		sched_set_fifo_low(st->threads[0].task);
		atomic_set(&st->running, ST_THREADS);
		prandom_seed_state(&st->timer_rnd, seed);
		hrtimer_start(&st->timer, us_to_ktime(20), HRTIMER_MODE_REL);
		while (i--)
			wake_up_process(st->threads[i].task);
		return true;
	}

	while (i--)
		kthread_stop_put(st->threads[i].task);
	KUNIT_FAIL(st->gt->test, "no threads\n");

	return false;
}

/* False if they do not come to an end. They may hold any lock then. */
static bool st_threads_wait(struct stress *st)
{
	unsigned long end = st->until + msecs_to_jiffies(ST_HUNG_MS);

	while (time_before(jiffies, end)) {
		wait_event_timeout(st->wait, st_resume_all(st) ||
				   !atomic_read(&st->running), HZ);
		if (!atomic_read(&st->running))
			return true;
		cond_resched();
	}

	return false;
}

static bool st_threads_end(struct stress *st)
{
	bool ended = st_threads_wait(st);
	struct st_thread *t;
	unsigned int i, n;

	hrtimer_cancel(&st->timer);
	if (!ended) {
		WRITE_ONCE(st->stop, true);
		KUNIT_FAIL(st->gt->test, "round %u: some threads hang\n", st->round);
		for (i = 0; i < ST_THREADS; i++)
			sched_show_task(st->threads[i].task);
		return false;
	}

	for (i = 0; i < ST_THREADS; i++) {
		t = &st->threads[i];
		kthread_stop_put(t->task);
		for (n = 0; n < ST_N_COUNTS; n++)
			st->counts[n] += t->counts[n];
	}

	return true;
}

static bool st_is_live(struct stress *st, enum st_live what, int expected)
{
	static const char *const names[ST_LIVE_NUM] = {
		"VMs", "objects", "mappings", "vm_bos", "ops",
	};
	int n = atomic_read(&st_live[what]);

	if (n == expected)
		return true;

	KUNIT_FAIL(st->gt->test, "round %u: %d %s are alive, not %d\n", st->round,
		   n, names[what], expected);

	return false;
}

static unsigned int st_see_obj(struct stress *st, struct drm_gem_object *base)
{
	struct st_obj *obj = container_of(base, struct st_obj, base);
	bool seen = obj->seen == st->round;

	obj->seen = st->round;

	return !seen;
}

/* Sound VMs, and nothing is alive but what can be seen from them. */
static bool st_check_round(struct stress *st)
{
	struct kunit *test = st->gt->test;
	unsigned int vm_bos = 0, objs = 0, vas = 0, i, n;
	struct st_vm_bo *vm_bo;
	struct drm_gpuva *va;
	struct st_vm *vm;

	for (i = 0; i < st->profile->shared; i++)
		objs += st_see_obj(st, st->shared[i]);

	for (i = 0; i < st->profile->vms; i++) {
		vm = st->vms[i];
		drm_gpuvm_bo_deferred_cleanup(&vm->base);
		if (!gpuvm_check(test, &vm->base))
			return false;

		objs += st_see_obj(st, drm_gpuvm_resv_obj(&vm->base));
		for (n = 0; n < st->profile->local; n++)
			objs += st_see_obj(st, vm->local[n]);

		drm_gpuvm_for_each_mapping(va, &vm->base) {
			vas++;
			if (!va->gem.obj)
				continue;
			objs += st_see_obj(st, va->gem.obj);
			KUNIT_EXPECT_NOT_NULL(test, va->vm_bo);
			if (!va->vm_bo)
				return false;
			vm_bo = to_st_vm_bo(va->vm_bo);
			vm_bos += vm_bo->seen != st->round;
			vm_bo->seen = st->round;
		}
	}

	return st_is_live(st, ST_LIVE_VMS, st->profile->vms) &&
	       st_is_live(st, ST_LIVE_OBJS, objs) &&
	       st_is_live(st, ST_LIVE_VAS, vas) &&
	       st_is_live(st, ST_LIVE_VM_BOS, vm_bos) &&
	       st_is_live(st, ST_LIVE_OPS, 0);
}

static bool st_round(struct stress *st, u64 seed, unsigned long end)
{
	unsigned long until = jiffies + msecs_to_jiffies(ST_ROUND_MS);

	st->round++;
	st->until = time_before(until, end) ? until : end;
	if (!st_threads_start(st, seed) || !st_threads_end(st))
		return false;

	if (st->error) {
		KUNIT_FAIL(st->gt->test, "round %u: line %d: %s (%ld)\n",
			   st->round, st->line, st->error, st->value);
		return false;
	}

	return st_check_round(st);
}

/* ---- cases -------------------------------------------------------------- */

static void st_report(struct stress *st)
{
	char line[256];
	unsigned int i;
	int n = 0;

	for (i = 0; i < ST_N_COUNTS; i++)
		n += scnprintf(line + n, sizeof(line) - n, ", %lu %s",
			       st->counts[i], st_count_names[i]);
	kunit_info(st->gt->test, "stress: %u rounds%s\n", st->round, line);
}

static void st_setup(struct stress *st)
{
	unsigned int i;

	st_thread_init(st, &st->main, 0);
	spin_lock_init(&st->slots);
	init_waitqueue_head(&st->wait);
	hrtimer_setup(&st->timer, st_tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	st->fence = dma_fence_get_stub();

	for (i = 0; i < st->profile->shared; i++) {
		st->shared[i] = st_obj_alloc(st, NULL);
		KUNIT_ASSERT_NOT_NULL(st->gt->test, st->shared[i]);
	}
	for (i = 0; i < st->profile->vms; i++) {
		st->vms[i] = st_vm_alloc(st);
		KUNIT_ASSERT_NOT_NULL(st->gt->test, st->vms[i]);
	}
}

static void st_teardown(struct stress *st)
{
	unsigned int i;

	for (i = 0; i < st->profile->vms; i++)
		st_vm_close(&st->main, st->vms[i]);
	for (i = 0; i < st->profile->shared; i++)
		st_obj_put(st->shared[i]);
	st_vas_free(&st->main.pool);
	dma_fence_put(st->fence);

	KUNIT_EXPECT_NULL(st->gt->test, st->error);
	for (i = 0; i < ST_LIVE_NUM; i++)
		st_is_live(st, i, 0);
}

static void st_run(struct kunit *test, const struct st_profile *profile)
{
	const struct gt_mode *mode = test->param_value;
	unsigned long end = jiffies + msecs_to_jiffies(stress_ms);
	int warned = test_taint(TAINT_WARN), bad = test_taint(TAINT_BAD_PAGE);
	u64 seed = gt_seed(test);
	struct stress *st;
	unsigned int i;

	/* Not KUnit's: threads that hang use it for ever. */
	st = kzalloc_obj(*st);
	KUNIT_ASSERT_NOT_NULL(test, st);
	st->gt = test->priv;
	st->profile = profile;
	st->flags = mode->flags;
	for (i = 0; i < ST_LIVE_NUM; i++)
		atomic_set(&st_live[i], 0);
	st_setup(st);

	do {
		if (!st_round(st, seed, end))
			return;
		seed += ST_THREADS;
	} while (time_before(jiffies, end));

	st_report(st);
	st_teardown(st);
	kfree(st);

	KUNIT_EXPECT_EQ_MSG(test, test_taint(TAINT_WARN), warned,
			    "there was a warning, see the log\n");
	KUNIT_EXPECT_EQ_MSG(test, test_taint(TAINT_BAD_PAGE), bad,
			    "there was a bad access, see the log\n");
}

/* A bit of everything. */
static void mixed(struct kunit *test)
{
	static const struct st_profile profile = {
		.vms = 3, .shared = 4, .local = 2, .pages = ST_PAGES,
		.weight = {
			[ST_BIND] = 20, [ST_UNBIND] = 8, [ST_CLEAR] = 1,
			[ST_EVICT] = 10, [ST_SUBMIT] = 12, [ST_PREPARE] = 6,
			[ST_LOCK_RANGE] = 5, [ST_LOCK_REQUESTS] = 5, [ST_LIST] = 8,
			[ST_LOOK_UP] = 10, [ST_CLEANUP] = 5, [ST_SIGNAL] = 3,
			[ST_NEW_OBJ] = 2, [ST_NEW_VM] = 1,
		},
	};

	st_run(test, &profile);
}

/*
 * Walks meet -EDEADLK and signals, while vm_bos come and go: one may lose its last
 * reference after the walk has stepped on it, before its object is locked.
 */
static void contention(struct kunit *test)
{
	static const struct st_profile profile = {
		.vms = 2, .shared = 4, .local = 1, .pages = 5,
		.weight = {
			[ST_BIND] = 16, [ST_UNBIND] = 14, [ST_CLEAR] = 2,
			[ST_EVICT] = 8, [ST_SUBMIT] = 16, [ST_PREPARE] = 20,
			[ST_LOCK_RANGE] = 6, [ST_LOCK_REQUESTS] = 6,
			[ST_LOOK_UP] = 12, [ST_CLEANUP] = 4, [ST_SIGNAL] = 8,
			[ST_NEW_OBJ] = 5,
		},
	};

	st_run(test, &profile);
}

/* All threads want, and drop, the same vm_bo. */
static void one_pair(struct kunit *test)
{
	static const struct st_profile profile = {
		.vms = 1, .shared = 1, .pages = 2,
		.weight = {
			[ST_BIND] = 12, [ST_UNBIND] = 14, [ST_EVICT] = 5,
			[ST_SUBMIT] = 8, [ST_PREPARE] = 6, [ST_LOOK_UP] = 40,
			[ST_CLEANUP] = 12, [ST_SIGNAL] = 2, [ST_NEW_OBJ] = 1,
		},
	};

	st_run(test, &profile);
}

/* Readers share the lock on the mappings, and move the cursor all the same. */
static void readers(struct kunit *test)
{
	static const struct st_profile profile = {
		.vms = 1, .shared = 3, .local = 1, .pages = ST_PAGES,
		.weight = {
			[ST_BIND] = 5, [ST_UNBIND] = 3, [ST_PREPARE] = 4,
			[ST_LOCK_RANGE] = 8, [ST_LOCK_REQUESTS] = 8, [ST_LIST] = 40,
			[ST_SIGNAL] = 1,
		},
	};

	st_run(test, &profile);
}

static struct kunit_case gpuvm_stress_tests[] = {
	KUNIT_CASE_PARAM(mixed, gt_mode_gen_params),
	KUNIT_CASE_PARAM(contention, gt_mode_gen_params),
	KUNIT_CASE_PARAM(one_pair, gt_mode_gen_params),
	KUNIT_CASE_PARAM(readers, gt_mode_gen_params),
	{}
};

static struct kunit_suite gpuvm_stress_suite = {
	.name = "drm_gpuvm_stress",
	.init = gt_init,
	.exit = gt_exit,
	.test_cases = gpuvm_stress_tests,
};

kunit_test_suite(gpuvm_stress_suite);
