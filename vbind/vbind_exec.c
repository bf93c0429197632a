// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * EXEC: jobs of commands, and the command processor that runs them.
 *
 * The ioctl does what any driver does for VM_BIND: it locks the VM and its
 * external objects, has the core bring back what was evicted, and adds the fence
 * of the job to all of them. It does not look at what the commands access.
 *
 * The command processor knows the page tables alone. It holds their lock while it
 * accesses a page, and looks up every page anew.
 */

#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_exec.h>
#include <drm/drm_file.h>

#include "vbind_job.h"
#include "vbind_trace.h"

/* How much is accessed before others may have the lock, and the engine */
#define VBIND_CHUNK	65536ULL
/* How many small commands are carried out before others may have the engine */
#define VBIND_SLICE_CMDS	16
#define VBIND_WORD	sizeof(u64)

/**
 * struct vbind_exec_job - commands
 * @base: its part as a job
 * @queue: index of its queue
 * @cmds: the commands
 * @num_cmds: number of them
 * @current_cmd: index of the one that runs
 * @offset: how much of it is done, for one that accesses memory
 * @waited: it is one that waits, and has done so
 * @queued: bytes that count for the file
 */
struct vbind_exec_job {
	struct vbind_job base;
	u32 queue;
	struct drm_vbind_cmd *cmds;
	u32 num_cmds;
	u32 current_cmd;
	u64 offset;
	bool waited;
	u64 queued;
};

static struct vbind_exec_job *to_vbind_exec_job(struct vbind_job *job)
{
	return container_of(job, struct vbind_exec_job, base);
}

/* The command processor */

static int vbind_exec_fault(struct vbind_exec_job *job, u32 kind, u64 addr,
			    bool write, u64 value)
{
	const struct drm_vbind_fault fault = {
		.job_id = job->base.id,
		.addr = addr,
		.value = value,
		.kind = kind,
		.flags = write ? DRM_VBIND_FAULT_WRITE : 0,
		.cmd_index = job->current_cmd,
		.queue = job->queue,
	};

	vbind_vm_add_fault(job->base.vm, &fault);
	trace_vbind_fault(job->base.vm, &fault);

	return -EFAULT;
}

/*
 * Finds the memory at an address, NULL where it is sparse. *size is how much may be
 * accessed, and becomes less if there is less of it.
 */
static int vbind_exec_access(struct vbind_exec_job *job, u64 addr, bool write,
			     u64 **words, u64 *size)
{
	void *memory = NULL;
	u64 room;

	switch (vbind_mmu_lookup(&job->base.vm->mmu, addr, write, &memory,
				 &room)) {
	case VBIND_MMU_OK:
	case VBIND_MMU_SPARSE:
		*words = memory;
		*size = min(*size, room);
		return 0;
	case VBIND_MMU_READONLY:
		return vbind_exec_fault(job, DRM_VBIND_FAULT_READONLY, addr,
					write, 0);
	case VBIND_MMU_EVICTED:
		return vbind_exec_fault(job, DRM_VBIND_FAULT_EVICTED, addr,
					write, 0);
	case VBIND_MMU_UNMAPPED:
		break;
	}

	return vbind_exec_fault(job, DRM_VBIND_FAULT_UNMAPPED, addr, write, 0);
}

static u64 vbind_cmd_word(const struct drm_vbind_cmd *cmd, u64 offset)
{
	return cmd->value + offset / VBIND_WORD * cmd->arg;
}

/*
 * These do a part of a command, from @offset on and at most *size, which becomes
 * what they have done.
 */
static int vbind_cmd_fill(struct vbind_exec_job *job,
			  const struct drm_vbind_cmd *cmd, u64 offset, u64 *size)
{
	u64 *words, i;
	int ret;

	ret = vbind_exec_access(job, cmd->addr + offset, true, &words, size);
	if (ret || !words)
		return ret;

	for (i = 0; i < *size; i += VBIND_WORD)
		*words++ = vbind_cmd_word(cmd, offset + i);

	return 0;
}

static int vbind_cmd_copy(struct vbind_exec_job *job,
			  const struct drm_vbind_cmd *cmd, u64 offset, u64 *size)
{
	u64 *from, *to;
	int ret;

	ret = vbind_exec_access(job, cmd->arg + offset, false, &from, size);
	if (!ret)
		ret = vbind_exec_access(job, cmd->addr + offset, true, &to, size);
	if (ret || !to)
		return ret;

	/* User space is to avoid overlaps; this must not mind them. */
	if (from)
		memmove(to, from, *size);
	else
		memset(to, 0, *size);

	return 0;
}

static int vbind_cmd_compare(struct vbind_exec_job *job,
			     const struct drm_vbind_cmd *cmd, u64 offset,
			     u64 *size)
{
	u64 *words, i;
	int ret;

	ret = vbind_exec_access(job, cmd->addr + offset, false, &words, size);
	if (ret)
		return ret;

	for (i = 0; i < *size; i += VBIND_WORD) {
		u64 found = words ? words[i / VBIND_WORD] : 0;

		if (found != vbind_cmd_word(cmd, offset + i))
			return vbind_exec_fault(job, DRM_VBIND_FAULT_MISMATCH,
						cmd->addr + offset + i, false,
						found);
	}

	return 0;
}

typedef int (*vbind_cmd_fn)(struct vbind_exec_job *job,
			    const struct drm_vbind_cmd *cmd, u64 offset,
			    u64 *size);

static const vbind_cmd_fn vbind_cmd_fns[] = {
	[DRM_VBIND_CMD_FILL] = vbind_cmd_fill,
	[DRM_VBIND_CMD_COPY] = vbind_cmd_copy,
	[DRM_VBIND_CMD_WRITE] = vbind_cmd_fill,
	[DRM_VBIND_CMD_COMPARE] = vbind_cmd_compare,
};

/* A part of a command that accesses memory. */
static int vbind_cmd_step(struct vbind_exec_job *job,
			  const struct drm_vbind_cmd *cmd)
{
	struct vbind_mmu *mmu = &job->base.vm->mmu;
	u64 size = min(cmd->size - job->offset, VBIND_CHUNK);
	int ret;

	down_read(&mmu->lock);
	ret = vbind_cmd_fns[cmd->type](job, cmd, job->offset, &size);
	up_read(&mmu->lock);
	job->offset += size;
	if (ret)
		return ret;

	return job->offset < cmd->size ? VBIND_STEP_MORE : 0;
}

static int vbind_cmd_wait(struct vbind_exec_job *job,
			  const struct drm_vbind_cmd *cmd)
{
	if (job->waited || !cmd->value) {
		job->waited = false;
		return 0;
	}

	job->waited = true;
	job->base.wait_us = cmd->value;

	return VBIND_STEP_WAIT;
}

/* Returns 0 when all of the command is done. */
static int vbind_exec_job_run_cmd(struct vbind_exec_job *job)
{
	const struct drm_vbind_cmd *cmd = &job->cmds[job->current_cmd];
	int ret;

	if (!job->offset && !job->waited)
		vbind_vm_count(job->base.vm, VBIND_COUNT_CMDS);
	ret = cmd->type == DRM_VBIND_CMD_WAIT ? vbind_cmd_wait(job, cmd) :
						vbind_cmd_step(job, cmd);
	if (ret)
		return ret;

	job->offset = 0;
	job->current_cmd++;

	return 0;
}

/* A slice of a job: a part of a large command, or some small ones. */
static int vbind_exec_job_step(struct vbind_job *base)
{
	struct vbind_exec_job *job = to_vbind_exec_job(base);
	u64 size = 0;
	int ret;
	u32 n;

	if (!job->current_cmd && !job->offset && !job->waited) {
		trace_vbind_exec_run(base->vm, base->id, job->queue,
				     job->num_cmds);
		vbind_vm_count(base->vm, VBIND_COUNT_EXECS);
	}

	for (n = 0; n < VBIND_SLICE_CMDS && size < VBIND_CHUNK; n++) {
		if (job->current_cmd == job->num_cmds)
			return 0;

		ret = vbind_exec_job_run_cmd(job);
		if (ret)
			return ret;
		size += job->cmds[job->current_cmd - 1].size;
	}

	return VBIND_STEP_MORE;
}

static void vbind_exec_job_fini(struct vbind_job *base)
{
	struct vbind_exec_job *job = to_vbind_exec_job(base);

	kvfree(job->cmds);
	job->cmds = NULL;
	vbind_file_uncharge(base->vm->vfile, VBIND_LIMIT_QUEUED, job->queued);
	job->queued = 0;
}

static const struct vbind_job_ops vbind_exec_job_ops = {
	.step = vbind_exec_job_step,
	.fini = vbind_exec_job_fini,
};

/* The ioctl */

static bool vbind_range_wraps(u64 addr, u64 size)
{
	return addr + (size - 1) < addr;
}

static int vbind_cmd_check(const struct drm_vbind_cmd *cmd)
{
	bool copy = cmd->type == DRM_VBIND_CMD_COPY;

	if (cmd->type > DRM_VBIND_CMD_WAIT || cmd->flags)
		return -EINVAL;
	if (cmd->type == DRM_VBIND_CMD_WAIT)
		return cmd->addr || cmd->size || cmd->arg ? -EINVAL : 0;
	if (!IS_ALIGNED(cmd->addr | cmd->size, VBIND_WORD) || !cmd->size ||
	    vbind_range_wraps(cmd->addr, cmd->size))
		return -EINVAL;
	if (copy && (!IS_ALIGNED(cmd->arg, VBIND_WORD) || cmd->value ||
		     vbind_range_wraps(cmd->arg, cmd->size)))
		return -EINVAL;
	if (cmd->type == DRM_VBIND_CMD_WRITE &&
	    (cmd->size != VBIND_WORD || cmd->arg))
		return -EINVAL;

	return 0;
}

/* What is left of the limits of the job */
struct vbind_exec_limits {
	u64 bytes;
	u64 wait;
};

static int vbind_cmd_check_limits(const struct drm_vbind_cmd *cmd,
				  struct vbind_exec_limits *limits)
{
	u64 *limit = &limits->bytes, size = cmd->size;

	if (cmd->type == DRM_VBIND_CMD_WAIT) {
		limit = &limits->wait;
		size = cmd->value;
	}
	if (size > *limit)
		return -E2BIG;
	*limit -= size;

	return 0;
}

static int vbind_exec_job_init_cmds(struct vbind_exec_job *job,
				    struct drm_vbind_exec *args)
{
	struct vbind_exec_limits limits = {
		.bytes = DRM_VBIND_MAX_JOB_BYTES,
		.wait = DRM_VBIND_MAX_JOB_WAIT,
	};
	u64 bytes = (u64)args->num_cmds * sizeof(*job->cmds) +
		    vbind_job_sync_bytes(args->num_syncs);
	u32 n = 0, i;
	int ret;

	ret = vbind_file_charge(job->base.vm->vfile, VBIND_LIMIT_QUEUED, bytes);
	if (ret)
		return ret;
	job->queued = bytes;

	job->cmds = kvmalloc_objs(*job->cmds, args->num_cmds, GFP_KERNEL_ACCOUNT);
	if (!job->cmds)
		return -ENOMEM;
	job->num_cmds = args->num_cmds;

	for (i = 0; i < job->num_cmds; i++) {
		u64 from = args->cmds + (u64)i * args->cmd_stride;
		struct drm_vbind_cmd *cmd = &job->cmds[i];

		ret = vbind_check_signal(&n);
		if (ret)
			return ret;
		ret = copy_struct_from_user(cmd, sizeof(*cmd),
					    u64_to_user_ptr(from),
					    args->cmd_stride);
		if (!ret)
			ret = vbind_cmd_check(cmd);
		if (!ret)
			ret = vbind_cmd_check_limits(cmd, &limits);
		if (ret) {
			args->fail_index = i;
			return ret;
		}
	}

	return 0;
}

/*
 * In immediate mode, a bind takes an evicted mapping off the tree, where the core
 * would have found it, before it writes the page tables: what the core did not find
 * is not there any more when the bind has done both.
 */
static void vbind_vm_wait_for_bind_step(struct vbind_vm *vm)
{
	if (!drm_gpuvm_immediate_mode(&vm->base))
		return;

	mutex_lock(&vm->lock);
	mutex_unlock(&vm->lock);
}

/* All locks are held. */
static int vbind_exec_job_submit(struct vbind_exec_job *job,
				 struct drm_gpuvm_exec *vm_exec)
{
	struct vbind_vm *vm = job->base.vm;
	int ret;

	if (vm->closed || vm->banned)
		return -ENOENT;

	ret = drm_gpuvm_exec_validate(vm_exec);
	if (ret)
		return ret;
	vbind_vm_wait_for_bind_step(vm);

	vbind_job_arm(&job->base, &vm_exec->exec);
	vbind_job_push(&job->base);

	return 0;
}

static int vbind_exec_job_queue(struct vbind_exec_job *job)
{
	struct drm_gpuvm_exec vm_exec = {
		.vm = &job->base.vm->base,
		.flags = DRM_EXEC_INTERRUPTIBLE_WAIT |
			 DRM_EXEC_IGNORE_DUPLICATES,
		.num_fences = 1,
	};
	int ret;

	ret = drm_gpuvm_exec_lock(&vm_exec);
	if (ret)
		return ret;

	ret = vbind_exec_job_submit(job, &vm_exec);
	drm_gpuvm_exec_unlock(&vm_exec);

	return ret;
}

static int vbind_exec(struct vbind_vm *vm, struct drm_file *file,
		      struct drm_vbind_exec *args)
{
	struct vbind_exec_job *job;
	int ret;

	job = kzalloc_obj(*job, GFP_KERNEL_ACCOUNT);
	if (!job)
		return -ENOMEM;

	ret = vbind_job_init(&job->base, &vbind_exec_job_ops, vm,
			     &vm->exec_queues[args->queue], file);
	if (ret) {
		kfree(job);
		return ret;
	}

	job->queue = args->queue;
	ret = vbind_exec_job_init_cmds(job, args);
	if (!ret)
		ret = vbind_job_init_syncs(&job->base, file, args->syncs,
					   args->num_syncs, args->sync_stride);
	if (!ret)
		ret = vbind_exec_job_queue(job);
	if (ret)
		vbind_job_abort(&job->base);
	else
		args->job_id = job->base.id;
	vbind_job_put(&job->base);

	return ret;
}

static int vbind_exec_check(const struct drm_vbind_exec *args)
{
	int ret;

	if (args->flags || args->queue >= DRM_VBIND_NUM_QUEUES)
		return -EINVAL;
	if (args->num_cmds > DRM_VBIND_MAX_CMDS ||
	    args->num_syncs > DRM_VBIND_MAX_SYNCS)
		return -E2BIG;

	ret = vbind_check_array(args->cmds, args->num_cmds, args->cmd_stride,
				sizeof(struct drm_vbind_cmd));
	if (ret)
		return ret;

	return vbind_check_array(args->syncs, args->num_syncs, args->sync_stride,
				 sizeof(struct drm_vbind_sync));
}

/**
 * vbind_exec_ioctl() - DRM_IOCTL_VBIND_EXEC
 * @drm: DRM device
 * @data: struct drm_vbind_exec
 * @file: DRM file
 *
 * Return: 0 or an error code
 */
int vbind_exec_ioctl(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_vbind_exec *args = data;
	struct vbind_vm *vm;
	int ret;

	/* Written back whatever happens. */
	args->fail_index = DRM_VBIND_NO_INDEX;

	ret = vbind_exec_check(args);
	if (ret)
		return ret;

	vm = vbind_vm_lookup(file->driver_priv, args->vm_id);
	if (!vm)
		return -ENOENT;

	ret = vbind_exec(vm, file, args);
	drm_gpuvm_put(&vm->base);

	return ret;
}
