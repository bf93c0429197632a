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
 * address spaces (VMs), a VM_BIND ioctl that maps BOs into VMs, and an EXEC ioctl
 * that runs commands which read and write memory at addresses in a VM.
 *
 * Binds and commands are jobs. A VM has one queue for binds and
 * %DRM_VBIND_NUM_QUEUES queues for commands. The jobs of one queue run one after
 * the other, in the order of the calls; those of different queues run when they
 * like, unless syncobjs order them. A job may wait for syncobjs before it begins
 * and signal others when it is done. Whether a syncobj that it waits for is
 * signalled with an error does not matter.
 *
 * Open files are served in turns, a bind or a command of up to 64K at a time,
 * however many VMs and jobs a file has. A job that waits, be it by a command, keeps
 * nobody but its own queue waiting.
 *
 * What one bind does to an address, commands see as one step: where something is
 * mapped before and after it, something is mapped all the time.
 *
 * What a job held, and counted for one of the limits below, can be had again when
 * its fence is signalled. What is allocated for a file counts for the memory cgroup of
 * the caller as well, but for what the DRM core, syncobjs and the scheduler allocate.
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
 * - A call that would need more than the file, or the device, can have fails with
 *   -ENOSPC, and with -E2BIG if no such call can succeed: see DRM_VBIND_MAX_*. A
 *   call that a signal interrupts fails with -EINTR or is begun anew.
 * - The device may be taken away. Then jobs end with an error in their fences, and
 *   every call fails with -ENODEV; memory that is mapped by the CPU stays.
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
 * define DRM_VBIND_MAX_FILE_BYTES - how large the BOs of one open file can be
 * together
 *
 * A BO counts for the file that created it, until the last reference on it is
 * gone. One that was imported does not count again.
 */
#define DRM_VBIND_MAX_FILE_BYTES	(4ULL << 30)

/**
 * define DRM_VBIND_MAX_FILE_BOS - how many BOs one open file can have created
 *
 * They count as they do for %DRM_VBIND_MAX_FILE_BYTES.
 */
#define DRM_VBIND_MAX_FILE_BOS	65536

/**
 * define DRM_VBIND_MAX_FILE_MAPPINGS - how many mappings the VMs of one open file
 * can have together
 *
 * Those that a bind in a queue may add, or has removed, count until it is done. A
 * map may add three, for it may cut a mapping in two, and an unmap two.
 */
#define DRM_VBIND_MAX_FILE_MAPPINGS	131072

/**
 * define DRM_VBIND_MAX_FILE_TABLES - how many page tables, of 4 KiB each, the VMs
 * of one open file can have together
 *
 * Those that a bind in a queue may need count, too: as many as if there were none
 * yet where it maps, or where it cuts. All files together can have tables of a
 * quarter of the machine's memory; each of them can always have
 * %DRM_VBIND_MIN_FILE_TABLES.
 */
#define DRM_VBIND_MAX_FILE_TABLES	32768

/**
 * define DRM_VBIND_MIN_FILE_TABLES - how many page tables one open file can have
 * whatever others have
 */
#define DRM_VBIND_MIN_FILE_TABLES	256

/**
 * define DRM_VBIND_MAX_FILE_QUEUED - how many bytes the arrays of the jobs of one
 * open file can have together, as the kernel keeps them
 *
 * A bind takes some 150 bytes, a command 40, a syncobj some 150, a step that is
 * reported 136.
 */
#define DRM_VBIND_MAX_FILE_QUEUED	(16ULL << 20)

/**
 * define DRM_VBIND_MAX_FILE_POINTS - how many points of timelines the jobs of one
 * open file can have yet to signal
 *
 * A new point of a timeline takes a look at each that is not signalled.
 */
#define DRM_VBIND_MAX_FILE_POINTS	1024

/**
 * define DRM_VBIND_MAX_OPS - the most operations that the prefetches of a call of
 * VM_BIND can need
 *
 * A mapping that a prefetch looks at is one. Those of other binds have a limit by
 * %DRM_VBIND_MAX_FILE_MAPPINGS: a mapping is removed but once.
 */
#define DRM_VBIND_MAX_OPS	65536

/**
 * define DRM_VBIND_MAX_SYNCS - the most syncobjs that one job has
 */
#define DRM_VBIND_MAX_SYNCS	256

/**
 * define DRM_VBIND_MAX_CMDS - the most commands that one job has
 */
#define DRM_VBIND_MAX_CMDS	4096

/**
 * define DRM_VBIND_MAX_JOB_BYTES - how much the commands of one job access
 *
 * Together with %DRM_VBIND_MAX_JOB_WAIT this is what makes every job end in
 * reasonable time, as others who wait for its fence expect.
 */
#define DRM_VBIND_MAX_JOB_BYTES	(256ULL << 20)

/**
 * define DRM_VBIND_MAX_JOB_WAIT - how long the commands of one job wait, in
 * microseconds
 */
#define DRM_VBIND_MAX_JOB_WAIT	1000000ULL

/**
 * define DRM_VBIND_MAX_JOBS - how many jobs of one open file can be queued
 */
#define DRM_VBIND_MAX_JOBS	1024

/**
 * define DRM_VBIND_NUM_QUEUES - how many queues for commands a VM has
 */
#define DRM_VBIND_NUM_QUEUES	4

/**
 * define DRM_VBIND_MAX_FAULTS - how many faults of a VM are remembered
 */
#define DRM_VBIND_MAX_FAULTS	64

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
#define DRM_VBIND_EXEC		0x06
#define DRM_VBIND_VM_FAULTS	0x07
#define DRM_VBIND_VM_STATS	0x08

/**
 * define DRM_VBIND_GEM_VM_PRIVATE - the BO belongs to one VM
 *
 * The BO shares the VM's reservation object, which makes it cheaper to lock. It
 * can be bound in that VM only and cannot be exported. (No BO can be given a global
 * name: GEM_FLINK and GEM_OPEN fail with -EOPNOTSUPP.)
 */
#define DRM_VBIND_GEM_VM_PRIVATE	0x1

/**
 * struct drm_vbind_gem_create - argument of DRM_IOCTL_VBIND_GEM_CREATE
 *
 * Creates a BO. Its memory reads as zero at first.
 *
 * Errors: -EINVAL for a size that is zero, unaligned or no possible size, or bad
 * flags; -ENOSPC if the BOs of the file would be larger than
 * %DRM_VBIND_MAX_FILE_BYTES together, or more than %DRM_VBIND_MAX_FILE_BOS; -ENOENT
 * if there is no such VM.
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
 * Removes all mappings of the VM and the VM itself. Jobs that did not begin yet
 * are cancelled, whatever they wait for, and those that run are stopped: their
 * syncobjs are signalled, with an error in the fence. Closing the file does the same
 * for all of its VMs.
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
	 * made ready for use: BOs of them that were evicted are brought back;
	 * holes are fine
	 */
	DRM_VBIND_BIND_PREFETCH = 3,
	/** @DRM_VBIND_BIND_UNMAP_BO: unmaps a BO wherever it is mapped */
	DRM_VBIND_BIND_UNMAP_BO = 4,
};

/**
 * define DRM_VBIND_BIND_READONLY - the GPU cannot write to the mapping
 *
 * For %DRM_VBIND_BIND_MAP only.
 */
#define DRM_VBIND_BIND_READONLY		0x1

/**
 * define DRM_VBIND_BIND_REPEAT - the mapping shows a part of the BO again and again
 *
 * For %DRM_VBIND_BIND_MAP only. The range can be larger than the BO: the address a
 * shows the offset `offset + a % repeat`. Which part that is hangs on the address
 * alone, so it stays the same when the mapping is cut.
 */
#define DRM_VBIND_BIND_REPEAT		0x2

/**
 * define DRM_VBIND_MAX_REPEAT - the largest part of a BO that can be repeated
 */
#define DRM_VBIND_MAX_REPEAT		0x80000000U

/**
 * struct drm_vbind_bind - one bind of a VM_BIND array
 */
struct drm_vbind_bind {
	/** @type: one of enum drm_vbind_bind_type */
	__u32 type;
	/** @flags: DRM_VBIND_BIND_* */
	__u32 flags;
	/** @handle: GEM handle for map and unmap-BO; 0 for all others */
	__u32 handle;
	/** @pad: must be zero */
	__u32 pad;
	/** @addr: start of the range in the VA space; 0 for unmap-BO */
	__u64 addr;
	/** @range: size of the range; 0 for unmap-BO */
	__u64 range;
	/** @offset: offset in the BO for a map; 0 for all others */
	__u64 offset;
	/**
	 * @repeat: with %DRM_VBIND_BIND_REPEAT, the size of the part of the BO
	 * that is repeated: a power of two, from a page up to
	 * %DRM_VBIND_MAX_REPEAT; else 0
	 */
	__u64 repeat;
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
	/**
	 * @DRM_VBIND_STEP_UPDATE: found the very mapping that a map asks for:
	 * nothing was unmapped and nothing mapped
	 */
	DRM_VBIND_STEP_UPDATE = 4,
};

/**
 * define DRM_VBIND_STEP_KEEP - the page table entries would stay the same
 *
 * The new mapping shows the same part of the same BO, allows the same and repeats
 * the same; or both are sparse.
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
 * define DRM_VBIND_MAPPING_EVICTED - the BO's memory was evicted
 *
 * It is brought back before the next job that is queued by EXEC, or by a prefetch
 * of one of its mappings.
 */
#define DRM_VBIND_MAPPING_EVICTED	0x4

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
	/** @repeat: the size of the part that is repeated, 0 if none is */
	__u32 repeat;
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
 * define DRM_VBIND_SYNC_SIGNAL - the job signals the syncobj
 *
 * Without this flag the job waits for it.
 */
#define DRM_VBIND_SYNC_SIGNAL		0x1

/**
 * struct drm_vbind_sync - a syncobj that a job waits for or signals
 *
 * A syncobj to wait for has to have a fence, or the point on its timeline,
 * already: otherwise the call fails with -EINVAL.
 */
struct drm_vbind_sync {
	/** @handle: handle of the syncobj */
	__u32 handle;
	/** @flags: %DRM_VBIND_SYNC_SIGNAL or 0 */
	__u32 flags;
	/** @point: point on the timeline, 0 for a binary syncobj */
	__u64 point;
};

/**
 * define DRM_VBIND_VM_BIND_ASYNC - the call does not wait for the binds
 */
#define DRM_VBIND_VM_BIND_ASYNC		0x1

/**
 * struct drm_vbind_vm_bind - argument of DRM_IOCTL_VBIND_VM_BIND
 *
 * Carries out an array of binds, one after the other: all of them, or none if
 * the call fails.
 *
 * Without %DRM_VBIND_VM_BIND_ASYNC the call waits for the asynchronous binds
 * before it, then for its own, and takes no syncobjs. With the flag the binds are
 * queued, behind those before them. Errors are found before that: once the call
 * has returned 0, the binds will be done. A VM in staged mode then shows them in
 * VM_QUERY at once, one in immediate mode when they are done; commands see them,
 * in both modes, when they are done.
 *
 * Errors: -EINVAL for bad types, flags or fields, ranges that are empty,
 * unaligned, outside the VA space or touch the reserved range, a range beyond
 * the end of the BO, or a BO that is private to another VM; -ENOENT if there is
 * no such VM, BO or syncobj; -EBUSY if the BO is bound in a VM of the other mode;
 * -E2BIG for more than %DRM_VBIND_MAX_BINDS binds, %DRM_VBIND_MAX_STEPS steps,
 * %DRM_VBIND_MAX_SYNCS syncobjs or %DRM_VBIND_MAX_OPS operations; -ENOSPC if the
 * file has %DRM_VBIND_MAX_JOBS jobs already, or would have more than
 * %DRM_VBIND_MAX_FILE_MAPPINGS mappings, %DRM_VBIND_MAX_FILE_TABLES page tables or
 * %DRM_VBIND_MAX_FILE_QUEUED bytes in its jobs, or %DRM_VBIND_MAX_FILE_POINTS
 * points of timelines.
 */
struct drm_vbind_vm_bind {
	/** @vm_id: in: the VM */
	__u32 vm_id;
	/** @flags: in: %DRM_VBIND_VM_BIND_ASYNC or 0 */
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
	 * leaves this as it was. Must be 0 with %DRM_VBIND_VM_BIND_ASYNC, and
	 * stays so.
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
	/**
	 * @num_syncs: in: number of syncobjs; must be 0 without
	 * %DRM_VBIND_VM_BIND_ASYNC
	 */
	__u32 num_syncs;
	/** @sync_stride: in: size of struct drm_vbind_sync */
	__u32 sync_stride;
	/** @syncs: in: pointer to an array of struct drm_vbind_sync */
	__u64 syncs;
};

/**
 * enum drm_vbind_cmd_type - what a command does
 *
 * Memory is accessed in words of 64 bits; addresses and sizes are multiples of 8.
 * Word number n of a range has the value @value + n * @arg in fill and compare.
 */
enum drm_vbind_cmd_type {
	/** @DRM_VBIND_CMD_FILL: writes words */
	DRM_VBIND_CMD_FILL = 0,
	/**
	 * @DRM_VBIND_CMD_COPY: copies words from the address @arg; what comes out
	 * is undefined where both ranges are the same memory
	 */
	DRM_VBIND_CMD_COPY = 1,
	/** @DRM_VBIND_CMD_WRITE: writes @value as one word; @arg is zero */
	DRM_VBIND_CMD_WRITE = 2,
	/**
	 * @DRM_VBIND_CMD_COMPARE: reads words; one that differs ends the job with
	 * a fault that tells its address and value
	 */
	DRM_VBIND_CMD_COMPARE = 3,
	/**
	 * @DRM_VBIND_CMD_WAIT: waits @value microseconds; all other fields are
	 * zero
	 */
	DRM_VBIND_CMD_WAIT = 4,
};

/**
 * struct drm_vbind_cmd - a command
 */
struct drm_vbind_cmd {
	/** @type: one of enum drm_vbind_cmd_type */
	__u32 type;
	/** @flags: must be zero */
	__u32 flags;
	/** @addr: address in the VA space */
	__u64 addr;
	/** @size: size in bytes; 8 for a write */
	__u64 size;
	/** @value: value of the first word, or time to wait; 0 for a copy */
	__u64 value;
	/** @arg: where to copy from, or what is added from word to word */
	__u64 arg;
};

/**
 * struct drm_vbind_exec - argument of DRM_IOCTL_VBIND_EXEC
 *
 * Queues a job: commands that run one after the other, up to the first fault. BOs
 * that were evicted are brought back beforehand.
 *
 * Errors: -EINVAL for bad fields of the call or a command, among them a range of
 * addresses that is unaligned, empty or passes 2^64; -ENOENT if there is no such
 * VM or syncobj; -E2BIG for more than %DRM_VBIND_MAX_CMDS commands,
 * %DRM_VBIND_MAX_SYNCS syncobjs, %DRM_VBIND_MAX_JOB_BYTES bytes or
 * %DRM_VBIND_MAX_JOB_WAIT microseconds; -ENOSPC if the file has
 * %DRM_VBIND_MAX_JOBS jobs already, or would have more than
 * %DRM_VBIND_MAX_FILE_QUEUED bytes in them or %DRM_VBIND_MAX_FILE_POINTS points
 * of timelines; -ENOMEM if there is no memory for a BO
 * that was evicted.
 */
struct drm_vbind_exec {
	/** @vm_id: in: the VM */
	__u32 vm_id;
	/** @queue: in: the queue, less than %DRM_VBIND_NUM_QUEUES */
	__u32 queue;
	/** @flags: in: must be zero */
	__u32 flags;
	/** @num_cmds: in: number of commands; 0 is fine */
	__u32 num_cmds;
	/** @cmds: in: pointer to an array of struct drm_vbind_cmd */
	__u64 cmds;
	/** @cmd_stride: in: size of struct drm_vbind_cmd */
	__u32 cmd_stride;
	/** @sync_stride: in: size of struct drm_vbind_sync */
	__u32 sync_stride;
	/** @syncs: in: pointer to an array of struct drm_vbind_sync */
	__u64 syncs;
	/** @num_syncs: in: number of syncobjs */
	__u32 num_syncs;
	/**
	 * @fail_index: out: index of the command that made the call fail, or
	 * %DRM_VBIND_NO_INDEX if none of them did
	 */
	__u32 fail_index;
	/** @job_id: out: what the job is called in its faults, never 0 */
	__u64 job_id;
};

/**
 * enum drm_vbind_fault_kind - what went wrong
 */
enum drm_vbind_fault_kind {
	/** @DRM_VBIND_FAULT_UNMAPPED: nothing is mapped at the address */
	DRM_VBIND_FAULT_UNMAPPED = 0,
	/** @DRM_VBIND_FAULT_READONLY: a write to a read-only mapping */
	DRM_VBIND_FAULT_READONLY = 1,
	/**
	 * @DRM_VBIND_FAULT_EVICTED: the memory was evicted. This does not happen
	 * to what is mapped at EXEC or by a later bind, until the job is done.
	 */
	DRM_VBIND_FAULT_EVICTED = 2,
	/** @DRM_VBIND_FAULT_MISMATCH: a word is not what it is compared with */
	DRM_VBIND_FAULT_MISMATCH = 3,
};

/**
 * define DRM_VBIND_FAULT_WRITE - the access was a write
 */
#define DRM_VBIND_FAULT_WRITE		0x1

/**
 * struct drm_vbind_fault - a fault
 */
struct drm_vbind_fault {
	/** @job_id: the job that EXEC gave this id */
	__u64 job_id;
	/** @addr: the address */
	__u64 addr;
	/** @value: for a mismatch: the word that was found; else 0 */
	__u64 value;
	/** @kind: one of enum drm_vbind_fault_kind */
	__u32 kind;
	/** @flags: %DRM_VBIND_FAULT_WRITE or 0 */
	__u32 flags;
	/** @cmd_index: index of the command in the job */
	__u32 cmd_index;
	/** @queue: the queue of the job */
	__u32 queue;
};

/**
 * struct drm_vbind_vm_faults - argument of DRM_IOCTL_VBIND_VM_FAULTS
 *
 * Tells the faults of a VM, the oldest first, and forgets those that it told. A
 * VM remembers %DRM_VBIND_MAX_FAULTS of them; then the oldest are lost.
 *
 * Errors: -ENOENT if there is no such VM.
 */
struct drm_vbind_vm_faults {
	/** @vm_id: in: the VM */
	__u32 vm_id;
	/** @flags: in: must be zero */
	__u32 flags;
	/**
	 * @num_faults: in: number of faults that @faults has room for; out:
	 * number of faults that there were. It can be larger, and then only the
	 * first ones were written and forgotten.
	 */
	__u32 num_faults;
	/** @fault_stride: in: size of struct drm_vbind_fault */
	__u32 fault_stride;
	/**
	 * @faults: in: pointer to an array of struct drm_vbind_fault to be
	 * written
	 */
	__u64 faults;
	/** @num_lost: out: faults that were lost since the last call */
	__u64 num_lost;
};

/**
 * struct drm_vbind_vm_stats - argument of DRM_IOCTL_VBIND_VM_STATS
 *
 * Counts what a VM did, and what is in its page tables at the moment.
 *
 * Errors: -ENOENT if there is no such VM.
 */
struct drm_vbind_vm_stats {
	/** @vm_id: in: the VM */
	__u32 vm_id;
	/** @pad: must be zero */
	__u32 pad;
	/** @num_binds: out: binds that were carried out */
	__u64 num_binds;
	/** @num_ops: out: operations of the core that were carried out */
	__u64 num_ops;
	/** @num_execs: out: jobs of EXEC that ran */
	__u64 num_execs;
	/** @num_cmds: out: commands that ran */
	__u64 num_cmds;
	/** @num_faults: out: faults */
	__u64 num_faults;
	/** @num_evictions: out: BOs that were evicted */
	__u64 num_evictions;
	/** @num_validations: out: BOs that were brought back */
	__u64 num_validations;
	/** @tables: out: page tables */
	__u64 tables;
	/** @pages_4k: out: page table entries that map 4K */
	__u64 pages_4k;
	/** @pages_64k: out: page table entries that map 64K */
	__u64 pages_64k;
	/** @pages_2m: out: page table entries that map 2M */
	__u64 pages_2m;
	/** @sparse: out: sparse page table entries of any size */
	__u64 sparse;
	/** @evicted: out: page table entries, of any size, of evicted memory */
	__u64 evicted;
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
#define DRM_IOCTL_VBIND_EXEC \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VBIND_EXEC, struct drm_vbind_exec)
#define DRM_IOCTL_VBIND_VM_FAULTS \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VBIND_VM_FAULTS, struct drm_vbind_vm_faults)
#define DRM_IOCTL_VBIND_VM_STATS \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_VBIND_VM_STATS, struct drm_vbind_vm_stats)

#if defined(__cplusplus)
}
#endif

#endif /* _UAPI_VBIND_DRM_H_ */
