/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Included in front of all files of a module that has both the core and vbind in
 * it: what would make a module of either becomes a function for init.c to call.
 */
#ifndef __ONE_MODULE_H__
#define __ONE_MODULE_H__

#include <linux/module.h>

#undef __exit
#define __exit

/* init.c takes the kernel's own back. */
#pragma push_macro("module_init")
#pragma push_macro("module_exit")

#undef module_init
#define module_init(fn)							\
	int __init one_module_##fn(void);				\
	int __init one_module_##fn(void) { return fn(); }

#undef subsys_initcall
#define subsys_initcall(fn) module_init(fn)

#undef module_exit
#define module_exit(fn)							\
	void one_module_##fn(void);					\
	void one_module_##fn(void) { fn(); }

int __init one_module_gpuvm_module_init(void);
void one_module_gpuvm_module_exit(void);
int __init one_module_vbind_init(void);
void one_module_vbind_exit(void);

#endif /* __ONE_MODULE_H__ */
