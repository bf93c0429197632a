/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Copyright (c) 2026 The DRM GPUVM project
 */
#ifndef __FUZZ_H__
#define __FUZZ_H__

#include <stddef.h>

#include <linux/types.h>

/* Dies if the core and the model differ over what the bytes say. */
int fuzz_one_input(const u8 *data, size_t size);

/* The same for requests with attributes. */
int fuzz_attrs(const u8 *data, size_t size);

#endif
