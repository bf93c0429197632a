// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Copyright (c) 2026 The DRM GPUVM project
 *
 * Where alloc.h sends the allocations of Linux's own core.
 */

#include <kunit/static_stub.h>

#include "alloc.h"

void *drm_gpuvm_alloc(size_t size)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_gpuvm_alloc, size);

	return kzalloc(size, GFP_KERNEL);
}
