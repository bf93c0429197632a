/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_STATIC_STUB_H__
#define __SHIM_STATIC_STUB_H__

/* Allocations fail in the shim of kzalloc(). */
#define KUNIT_STATIC_STUB_REDIRECT(args...) do { } while (0)

#endif
