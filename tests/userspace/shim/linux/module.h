/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_MODULE_H__
#define __SHIM_MODULE_H__

#include <linux/export.h>
#include <linux/init.h>

#define MODULE_DESCRIPTION(text)
#define MODULE_LICENSE(text)

/* With the program, which is all that there is. */
#define subsys_initcall(fn)						\
	static void __attribute__((constructor)) shim_init(void) { fn(); }
#define module_exit(fn)							\
	static void __attribute__((destructor)) shim_exit(void) { fn(); }

#endif
