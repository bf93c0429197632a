// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * What callers must not do: each breach is noticed, and what can be refused
 * is refused. The same calls made rightly are silent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules.h"

static const struct rule {
	const char *name;
	void (*run)(struct fixture *f, bool right);
	unsigned int flags;

	/* @splats: how often a breach is noticed */
	unsigned int splats;
} rules[] = {
	{ "link without the resv", link_unlocked, 0, 1 },
	{ "unlink without the resv", unlink_unlocked, 0, 1 },
	{ "link without the mutex", link_without_mutex, IMMEDIATE, 1 },
	{ "bo_find without the resv", find_unlocked, 0, 1 },
	{ "last bo_put without the resv", put_unlocked, 0, 1 },
	{ "bo_put under a spinlock", put_under_spinlock, 0, 1 },
	{ "last bo_put without the VM's resv", put_without_vm_resv, PROTECTED, 2 },
	{ "bo_evict without the resv", evict_unlocked, 0, 1 },
	{ "bo_gem_evict without the mutex", gem_evict_without_mutex, IMMEDIATE, 1 },
	{ "extobj_add without the VM's resv", extobj_add_unlocked, PROTECTED, 2 },
	{ "validate without the VM's resv", validate_unlocked, PROTECTED, 1 },
	{ "prepare_objects without the VM's resv",
	  prepare_objects_unlocked, PROTECTED, 1 },
	{ "validate without an object's resv", validate_extobj_unlocked,
	  PROTECTED, 1 },
	{ "resv_add_fence without a resv", add_fence_unlocked, 0, 2 },
	{ "bo_unmap_ops_create without the resv", bo_unmap_unlocked, 0, 1 },
	{ "deferred cleanup while signalling",
	  cleanup_in_signalling, IMMEDIATE | PROTECTED, 1 },
	{ "op list while signalling", list_in_signalling, 0, 1 },
	{ "bo_obtain_locked in immediate mode",
	  obtain_in_wrong_mode, IMMEDIATE, 1 },
	{ "bo_obtain_prealloc outside immediate mode",
	  prealloc_in_wrong_mode, 0, 1 },
	{ "bo_put_deferred outside immediate mode", defer_in_wrong_mode, 0, 1 },
	/* By itself, and by what it calls. */
	{ "unlink_defer outside immediate mode", unlink_defer_in_wrong_mode, 0, 2 },
	{ "link to another object's vm_bo", link_to_wrong_object, 0, 1 },
	{ "second walk", second_walk, 0, 1 },
	{ "walk while another is under way", walk_under_way, 0, 1 },
	{ "put too often", put_too_often, 0, 1 },
	{ "put too often, with an external object", put_with_extobj, 0, 1 },
	{ "put too often, with an evicted object", put_with_evicted, 0, 1 },
	{ "put too often, and no deferred cleanup", put_with_deferred,
	  IMMEDIATE, 1 },
	{ "no vm_free", no_vm_free, 0, 1 },
	{ "no ops", no_ops, 0, 1 },
	{ "remove of the reserved range", remove_reserved, 0, 1 },
	{ "remove of what is not inserted", remove_uninserted, 0, 2 },
	{ "remove of what was remapped", remove_remapped, 0, 1 },
	{ "validate what is locked", validate_what_is_locked, 0, 0 },
	{ "walks meet a vm_bo that goes", walk_over_zombie, 0, 0 },
	{ "walks meet a vm_bo that goes, immediate mode", walk_over_zombie,
	  IMMEDIATE, 0 },
	{ "zombies are not validated", validate_zombie, PROTECTED | IMMEDIATE, 0 },
	{ "last put in validate", put_in_validate, 0, 0 },
	{ "last put in validate, immediate mode", put_in_validate, IMMEDIATE, 0 },
	{ "last put in validate, resv-protected", put_in_validate, PROTECTED, 0 },
	{ "last put in validate, both", put_in_validate, PROTECTED | IMMEDIATE, 0 },
	{ "two VMs with the same object", two_vms, 0, 0 },
	{ "contention after nothing to lock", contended_after_none, 0, 0 },
	{ "a signal after contention", signal_after_contention, 0, 0 },
	{ "a vm_bo that is not obtained", never_obtained, 0, 0 },
	{ "a vm_bo that is not obtained, immediate mode", never_obtained,
	  IMMEDIATE, 0 },
	{ "many objects in two VMs", many_objects, 0, 0 },
	{ "NULL is fine", null_is_fine, 0, 0 },
	{ "invalidated and back", invalidated_and_back, 0, 0 },
	{ "missing callbacks", missing_callbacks, 0, 0 },
	{ "no callbacks at all", no_callbacks, 0, 0 },
	{ "layouts that are refused", refused_layouts, 0, 0 },
	{ "remaps that are refused", refused_remaps, 0, 0 },
	{ "macros evaluate their arguments once", macro_arguments, 0, 0 },
};

/* Whether the splats are as many as they should be. */
static bool run_rule(const struct rule *rule, bool right)
{
	static struct fixture f;
	unsigned int expected = right ? 0 : rule->splats;

	memset(&shim, 0, sizeof(shim));
	shim.tolerate = true;

	rule_setup(&f, rule->flags);
	rule->run(&f, right);
	EXPECT(&f, kref_read(&f.vm.kref) == 1);
	drm_gpuvm_put(&f.vm);
	if (f.left) {
		list_del(&f.left->list.entry.gem);
		drm_gem_object_put(f.left->obj);
		kfree(f.left);
	}

	EXPECT(&f, f.vms_freed == 1);
	EXPECT(&f, kref_read(&f.r_obj.refcount) == 1);
	EXPECT(&f, kref_read(&f.external.refcount) == 1);
	EXPECT(&f, kref_read(&f.drm.ref) == 1);
	drm_gem_object_release(&f.external);
	drm_gem_object_release(&f.local);
	drm_gem_object_release(&f.r_obj);
	EXPECT(&f, !shim.live && !shim.errors);
	if (shim.splats != expected)
		printf("# %lu splats, not %u\n", shim.splats, expected);

	return !f.wrong && shim.splats == expected;
}

int main(void)
{
	bool failed = false;

	printf("TAP version 13\n1..%zu\n", ARRAY_SIZE(rules));
	for (unsigned int i = 0; i < ARRAY_SIZE(rules); i++) {
		bool ok = run_rule(&rules[i], true) && run_rule(&rules[i], false);

		printf("%s %u - %s\n", ok ? "ok" : "not ok", i + 1, rules[i].name);
		failed |= !ok;
	}

	return failed;
}
