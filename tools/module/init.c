// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

#include "one_module.h"

int __init init_module(void)
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

void cleanup_module(void)
{
	one_module_vbind_exit();
	one_module_gpuvm_module_exit();
}
