/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Copyright (c) 2026 The DRM GPUVM project */

#ifndef _UAPI_VBIND_DRM_H_
#define _UAPI_VBIND_DRM_H_

#include "drm.h"

#if defined(__cplusplus)
extern "C" {
#endif

/**
 * DOC: vbind uAPI
 *
 * vbind is a GPU without hardware: it has buffer objects (BOs), GPU virtual
 * address spaces (VMs) and a VM_BIND ioctl that maps BOs into VMs.
 *
 * Rules that hold for every ioctl:
 *
 * - Addresses, ranges, sizes and offsets are in bytes and multiples of
 *   %DRM_VBIND_PAGE_SIZE.
 * - Flags that are not defined here must be zero, and so must fields named
 *   `pad` and fields that a request does not use; otherwise the call fails with
 *   -EINVAL.
 * - A call that fails changes nothing.
 * - Arrays are passed as pointer, count and stride. The stride is the size of
 *   one element as user space knows it, a multiple of 8 and at most 4096 bytes.
 *   An element may be larger than the kernel's: input bytes that the kernel does
 *   not know must be zero (-E2BIG otherwise), output bytes that it does not know
 *   are cleared. Where the count is zero, pointer and stride must be zero too.
 * - Structures may grow at their end; zero in a new field means what the kernel
 *   did before the field existed.
 *
 * Ids of VMs are per open file, start at 1 and die with it. Ids of BOs, which
 * are what queries report, are unique per device and are never used again.
 */

/**
 * define DRM_VBIND_PAGE_SIZE - the smallest unit that can be mapped
 */
#define DRM_VBIND_PAGE_SIZE	4096

/**
 * define DRM_VBIND_MAX_BINDS - the longest array that VM_BIND takes
 */
#define DRM_VBIND_MAX_BINDS	4096

/**
 * define DRM_VBIND_MAX_STEPS - the most steps that VM_BIND reports
 */
#define DRM_VBIND_MAX_STEPS	65536

/**
 * define DRM_VBIND_MAX_VMS - how many VMs one open file can have
 */
#define DRM_VBIND_MAX_VMS	1024

/**
 * define DRM_VBIND_NO_INDEX - no element of the array is to blame
 */
#define DRM_VBIND_NO_INDEX	0xffffffffU

#define DRM_VBIND_GEM_CREATE	0x00
#define DRM_VBIND_GEM_INFO	0x01
#define DRM_VBIND_VM_CREATE	0x02
#define DRM_VBIND_VM_DESTROY	0x03
#define DRM_VBIND_VM_BIND	0x04
#define DRM_VBIND_VM_QUERY	0x05

/**
 * define DRM_VBIND_GEM_VM_PRIVATE - the BO belongs to one VM
 *
 * The BO shares the VM's reservation object, which makes it cheaper to lock. It
 * can be bound in that VM only and cannot be exported.
 */
#define DRM_VBIND_GEM_VM_PRIVATE	0x1

/**
 * struct drm_vbind_gem_create - argument of DRM_IOCTL_VBIND_GEM_CREATE
 *
 * Creates a BO. Its memory reads as zero at first.
 *
 * Errors: -EINVAL for a size that is zero, unaligned or no possible size, or bad
 * flags; -ENOSPC for a size that leaves no room for its mmap offset; -ENOENT if
 * there is no such VM.
 */
struct drm_vbind_gem_create {
	/**
	 * @size: in: size of the BO; out: the same, rounded up to the CPU's
	 * page size
	 */
	__u64 size;
	/** @flags: in: %DRM_VBIND_GEM_VM_PRIVATE or 0 */
	__u32 flags;
	/** @vm_id: in: the VM of a private BO; 0 for all others */
	__u32 vm_id;
	/** @handle: out: GEM handle of the new BO */
	__u32 handle;
	/** @pad: must be zero */
	__u32 pad;
};

/**
 * struct drm_vbind_gem_info - argument of DRM_IOCTL_VBIND_GEM_INFO
 *
 * Tells what is to be known about a BO, imported ones included.
 *
 * Errors: -ENOENT if there is no such BO.
 */
struct drm_vbind_gem_info {
	/** @handle: in: GEM handle */
	__u32 handle;
	/** @flags: out: the flags that the BO was created with */
	__u32 flags;
	/** @size: out: size of the BO */
	__u64 size;
	/** @mmap_offset: out: offset for mmap() on the DRM file */
	__u64 mmap_offset;
	/** @bo_id: out: id of the BO as VM_BIND and VM_QUERY report it */
	__u64 bo_id;
};

/**
 * define DRM_VBIND_VM_RESV_PROTECTED - lists are protected by the VM's dma-resv
 *
 * Sets the core's DRM_GPUVM_RESV_PROTECTED.
 */
#define DRM_VBIND_VM_RESV_PROTECTED	0x1

/**
 * define DRM_VBIND_VM_IMMEDIATE - the VM is updated in the fence signalling path
 *
 * Sets the core's DRM_GPUVM_IMMEDIATE_MODE. A VM without this flag is in staged
 * mode. While a BO is bound in VMs of one mode, it cannot be bound in VMs of the
 * other.
 */
#define DRM_VBIND_VM_IMMEDIATE		0x2

/**
 * struct drm_vbind_vm_create - argument of DRM_IOCTL_VBIND_VM_CREATE
 *
 * Creates a VM. The VA space may include the last page of 2^64, that is,
 * @va_start + @va_range may be 2^64.
 *
 * Errors: -EINVAL for a range that is empty, unaligned or overflows, a reserved
 * range that is not inside the VA space, or bad flags; -ENOSPC if the file has
 * %DRM_VBIND_MAX_VMS already.
 */
struct drm_vbind_vm_create {
	/** @va_start: in: first address of the VA space */
	__u64 va_start;
	/** @va_range: in: size of the VA space */
	__u64 va_range;
	/** @reserved_start: in: start of the range that cannot be bound */
	__u64 reserved_start;
	/**
	 * @reserved_range: in: size of the range that cannot be bound; if 0, so
	 * must be @reserved_start
	 */
	__u64 reserved_range;
	/** @flags: in: DRM_VBIND_VM_* */
	__u32 flags;
	/** @vm_id: out: id of the new VM */
	__u32 vm_id;
};

/**
 * struct drm_vbind_vm_destroy - argument of DRM_IOCTL_VBIND_VM_DESTROY
 *
 * Removes all mappings of the VM and the VM itself.
 *
 * Errors: -ENOENT if there is no such VM.
 */
struct drm_vbind_vm_destroy {
	/** @vm_id: in: the VM */
	__u32 vm_id;
	/** @pad: must be zero */
	__u32 pad;
};

/**
 * enum drm_vbind_bind_type - what a bind does
 */
enum drm_vbind_bind_type {
	/** @DRM_VBIND_BIND_MAP: maps a part of a BO, over whatever is there */
	DRM_VBIND_BIND_MAP = 0,
	/** @DRM_VBIND_BIND_UNMAP: unmaps whatever is there; holes are fine */
	DRM_VBIND_BIND_UNMAP = 1,
	/**
	 * @DRM_VBIND_BIND_MAP_SPARSE: maps no BO: reads give zero, writes are
	 * dropped
	 */
	DRM_VBIND_BIND_MAP_SPARSE = 2,
	/**
	 * @DRM_VBIND_BIND_PREFETCH: asks for the mappings in the range to be
	 * made ready for use; holes are fine
	 */
	DRM_VBIND_BIND_PREFETCH = 3,
};

/**
 * define DRM_VBIND_BIND_READONLY - the GPU cannot write to the mapping
 *
 * For %DRM_VBIND_BIND_MAP only.
 */
#define DRM_VBIND_BIND_READONLY		0x1

/**
 * struct drm_vbind_bind - one bind of a VM_BIND array
 */
struct drm_vbind_bind {
	/** @type: one of enum drm_vbind_bind_type */
	__u32 type;
	/** @flags: DRM_VBIND_BIND_* */
	__u32 flags;
	/** @handle: GEM handle for a map; 0 for all others */
	__u32 handle;
	/** @pad: must be zero */
	__u32 pad;
	/** @addr: start of the range in the VA space */
	__u64 addr;
	/** @range: size of the range */
	__u64 range;
	/** @offset: offset in the BO for a map; 0 for all others */
	__u64 offset;
};

/**
 * enum drm_vbind_step_type - what a step did
 */
enum drm_vbind_step_type {
	/** @DRM_VBIND_STEP_MAP: added a mapping */
	DRM_VBIND_STEP_MAP = 0,
	/** @DRM_VBIND_STEP_REMAP: cut a mapping, one or two parts of it stay */
	DRM_VBIND_STEP_REMAP = 1,
	/** @DRM_VBIND_STEP_UNMAP: removed a mapping */
	DRM_VBIND_STEP_UNMAP = 2,
	/** @DRM_VBIND_STEP_PREFETCH: made a mapping ready for use */
	DRM_VBIND_STEP_PREFETCH = 3,
};

/**
 * define DRM_VBIND_STEP_KEEP - the page table entries would stay the same
 */
#define DRM_VBIND_STEP_KEEP		0x1
/**
 * define DRM_VBIND_STEP_PREV - the front of a cut mapping stays
 */
#define DRM_VBIND_STEP_PREV		0x2
/**
 * define DRM_VBIND_STEP_NEXT - the end of a cut mapping stays
 */
#define DRM_VBIND_STEP_NEXT		0x4

/**
 * define DRM_VBIND_MAPPING_SPARSE - the mapping has no BO
 */
#define DRM_VBIND_MAPPING_SPARSE	0x1
/**
 * define DRM_VBIND_MAPPING_READONLY - the GPU cannot write to the mapping
 */
#define DRM_VBIND_MAPPING_READONLY	0x2

/**
 * struct drm_vbind_mapping - a mapping, or a part of one
 */
struct drm_vbind_mapping {
	/** @addr: start in the VA space */
	__u64 addr;
	/** @range: size */
	__u64 range;
	/** @offset: offset in the BO, 0 if there is none */
	__u64 offset;
	/** @bo_id: id of the BO, 0 if there is none */
	__u64 bo_id;
	/** @flags: DRM_VBIND_MAPPING_* */
	__u32 flags;
	/** @pad: zero */
	__u32 pad;
};

/**
 * struct drm_vbind_step - one step of what a VM_BIND array did
 *
 * Steps are the operations that the core emitted, in their order.
 */
struct drm_vbind_step {
	/** @type: one of enum drm_vbind_step_type */
	__u32 type;
	/** @flags: DRM_VBIND_STEP_* */
	__u32 flags;
	/** @bind_index: which bind of the array the step belongs to */
	__u32 bind_index;
	/** @pad: zero */
	__u32 pad;
	/**
	 * @mapping: the new mapping of a map; the mapping as it was before for
	 * all others
	 */
	struct drm_vbind_mapping mapping;
	/** @prev: what stays in front, with %DRM_VBIND_STEP_PREV; else zero */
	struct drm_vbind_mapping prev;
	/** @next: what stays at the end, with %DRM_VBIND_STEP_NEXT; else zero */
	struct drm_vbind_mapping next;
};

/**
 * struct drm_vbind_vm_bind - argument of DRM_IOCTL_VBIND_VM_BIND
 *
 * Carries out an array of binds, one after the other, before the call returns:
 * all of them, or none if the call fails.
 *
 * Errors: -EINVAL for bad types, flags or fields, ranges that are empty,
 * unaligned, outside the VA space or touch the reserved range, a range beyond
 * the end of the BO, or a BO that is private to another VM; -ENOENT if there is
 * no such VM or BO; -EBUSY if the BO is bound in a VM of the other mode; -E2BIG
 * for more than %DRM_VBIND_MAX_BINDS binds or %DRM_VBIND_MAX_STEPS steps.
 */
struct drm_vbind_vm_bind {
	/** @vm_id: in: the VM */
	__u32 vm_id;
	/** @flags: in: must be zero */
	__u32 flags;
	/** @num_binds: in: number of binds, at least 1 */
	__u32 num_binds;
	/** @bind_stride: in: size of struct drm_vbind_bind */
	__u32 bind_stride;
	/** @binds: in: pointer to an array of struct drm_vbind_bind */
	__u64 binds;
	/**
	 * @num_steps: in: number of steps that @steps has room for, 0 if they
	 * are of no interest; out: number of steps that there were. It can be
	 * larger, and then only the first ones were written. A call that fails
	 * leaves this as it was.
	 */
	__u32 num_steps;
	/** @step_stride: in: size of struct drm_vbind_step */
	__u32 step_stride;
	/**
	 * @steps: in: pointer to an array of struct drm_vbind_step to be
	 * written. Its content is undefined after a call that fails.
	 */
	__u64 steps;
	/**
	 * @fail_index: out: index of the bind that made the call fail, or
	 * %DRM_VBIND_NO_INDEX if none of them did
	 */
	__u32 fail_index;
	/** @pad: must be zero */
	__u32 pad;
};

/**
 * struct drm_vbind_vm_query - argument of DRM_IOCTL_VBIND_VM_QUERY
 *
 * Tells a VM's parameters and lists its mappings by ascending address, all of
 * them as of one moment. The reserved range is no mapping.
 *
 * Errors: -ENOENT if there is no such VM.
 */
struct drm_vbind_vm_query {
	/** @vm_id: in: the VM */
	__u32 vm_id;
	/** @flags: in: must be zero */
	__u32 flags;
	/**
	 * @num_mappings: in: number of mappings that @mappings has room for;
	 * out: number of mappings that the VM has. It can be larger, and then
	 * only the first ones were written.
	 */
	__u32 num_mappings;
	/** @mapping_stride: in: size of struct drm_vbind_mapping */
	__u32 mapping_stride;
	/**
	 * @mappings: in: pointer to an array of struct drm_vbind_mapping to be
	 * written
	 */
	__u64 mappings;
	/** @va_start: out: first address of the VA space */
	__u64 va_start;
	/** @va_range: out: size of the VA space */
	__u64 va_range;
	/** @reserved_start: out: start of the reserved range */
	__u64 reserved_start;
	/** @reserved_range: out: size of the reserved range, 0 if none */
	__u64 reserved_range;
	/** @vm_flags: out: the flags that the VM was created with */
	__u32 vm_flags;
	/** @pad: must be zero */
	__u32 pad;
};

#define DRM_IOCTL_VBIND_GEM_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VBIND_GEM_CREATE, struct drm_vbind_gem_create)
#define DRM_IOCTL_VBIND_GEM_INFO \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VBIND_GEM_INFO, struct drm_vbind_gem_info)
#define DRM_IOCTL_VBIND_VM_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VBIND_VM_CREATE, struct drm_vbind_vm_create)
#define DRM_IOCTL_VBIND_VM_DESTROY \
	DRM_IOW(DRM_COMMAND_BASE + DRM_VBIND_VM_DESTROY, struct drm_vbind_vm_destroy)
#define DRM_IOCTL_VBIND_VM_BIND \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VBIND_VM_BIND, struct drm_vbind_vm_bind)
#define DRM_IOCTL_VBIND_VM_QUERY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VBIND_VM_QUERY, struct drm_vbind_vm_query)

#if defined(__cplusplus)
}
#endif

#endif /* _UAPI_VBIND_DRM_H_ */
