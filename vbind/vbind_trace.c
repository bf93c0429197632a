// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

#define CREATE_TRACE_POINTS
#include "vbind_trace.h"
