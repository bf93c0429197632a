// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

#include "one_module.h"

#pragma pop_macro("module_init")
#pragma pop_macro("module_exit")

static int __init one_module_init(void)
{
	int ret;

	ret = one_module_gpuvm_module_init();
	if (ret)
		return ret;

	ret = one_module_vbind_init();
	if (ret)
		one_module_gpuvm_module_exit();

	return ret;
}

static void one_module_exit(void)
{
	one_module_vbind_exit();
	one_module_gpuvm_module_exit();
}

module_init(one_module_init);
module_exit(one_module_exit);
