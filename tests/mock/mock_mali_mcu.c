// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * A Mali in software: what the firmware does. Requests of the driver are acknowledged
 * at once, in the write to the doorbell, since the driver waits for some of them
 * with interrupts off. Command streams run in a work, an instruction at a time.
 *
 * Of the instructions there are those that panthor and its users need to synchronise,
 * to call and branch, and to load and store. Others stop the stream with an error.
 */

#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "panthor_device.h"
#include "panthor_fw.h"
#include "panthor_fw_regs.h"
#include "panthor_mmu_regs.h"
#include "mock_mali.h"

/* So many instructions of a stream before it is another one's turn */
#define SLICE	64

#define OP(i)		((i) >> 56)
#define OP_DST(i)	((u32)((i) >> 48) & 0xff)
#define OP_ADDR(i)	((u32)((i) >> 40) & 0xff)
#define OP_VALUE(i)	((u32)((i) >> 32) & 0xff)
#define OP_MASK(i)	((u32)((i) >> 16) & 0xffff)
#define OP_OFFSET(i)	((s16)((i) & 0xffff))
#define OP_CONDITION(i)	((u32)((i) >> 28) & 0xf)

enum {
	OP_NOP = 0,
	OP_MOVE48 = 1,
	OP_MOVE32 = 2,
	OP_WAIT = 3,
	OP_ADD32 = 16,
	OP_ADD64 = 17,
	OP_LOAD = 20,
	OP_STORE = 21,
	OP_BRANCH = 22,
	OP_SET_SB_ENTRY = 23,
	OP_PROGRESS_WAIT = 24,
	OP_CALL = 32,
	OP_JUMP = 33,
	OP_REQ_RESOURCE = 34,
	OP_FLUSH_CACHE = 36,
	OP_SYNC_ADD32 = 37,
	OP_SYNC_SET32 = 38,
	OP_SYNC_WAIT32 = 39,
	OP_STORE_STATE = 40,
	OP_ERROR_BARRIER = 47,
	OP_SYNC_ADD64 = 51,
	OP_SYNC_SET64 = 52,
	OP_SYNC_WAIT64 = 53,
};

enum step { STEP_DONE, STEP_NOTHING };

/* What is read from and written to the memory that is shared with the driver */

static void *shared(struct mock_mali *mali, u32 offset)
{
	u32 fault;

	return mock_translate(mali, 0, MOCK_SHARED + offset, true, &fault);
}

static struct panthor_fw_csg_input_iface *group_input(struct mock_mali *mali, u32 g)
{
	return shared(mali, MOCK_GROUP_INPUT(g));
}

static struct panthor_fw_csg_output_iface *group_output(struct mock_mali *mali, u32 g)
{
	return shared(mali, MOCK_GROUP_OUTPUT(g));
}

static struct panthor_fw_cs_input_iface *
stream_input(struct mock_mali *mali, u32 g, u32 s)
{
	return shared(mali, MOCK_STREAM_INPUT(g, s));
}

static struct panthor_fw_cs_output_iface *
stream_output(struct mock_mali *mali, u32 g, u32 s)
{
	return shared(mali, MOCK_STREAM_OUTPUT(g, s));
}

/* Requests are acknowledged by the same value, events told by another one. */
static u32 acknowledge(u32 req, u32 ack, u32 events)
{
	return (req & ~events) | (ack & events);
}

static void group_event(struct mock_mali *mali, u32 g, u32 event)
{
	struct panthor_fw_csg_input_iface *in = group_input(mali, g);
	struct panthor_fw_csg_output_iface *out = group_output(mali, g);

	if (!in || !out)
		return;
	out->ack = (out->ack & ~event) | (~in->req & event);
	if (in->ack_irq_mask & event)
		mock_raise(mali, &mali->job, JOB_INT_CSG_IF(g));
}

static void stream_event(struct mock_mali *mali, u32 g, u32 s, u32 event)
{
	struct panthor_fw_csg_output_iface *group = group_output(mali, g);
	struct panthor_fw_csg_input_iface *group_in = group_input(mali, g);
	struct panthor_fw_cs_input_iface *in = stream_input(mali, g, s);
	struct panthor_fw_cs_output_iface *out = stream_output(mali, g, s);

	out->ack = (out->ack & ~event) | (~in->req & event);
	group->cs_irq_req = (group->cs_irq_req & ~BIT(s)) |
			    (~group_in->cs_irq_ack & BIT(s));
	mock_raise(mali, &mali->job, JOB_INT_CSG_IF(g));
}

static void global_event(struct mock_mali *mali, u32 event)
{
	struct panthor_fw_global_input_iface *in = shared(mali, MOCK_GLOBAL_INPUT);
	struct panthor_fw_global_output_iface *out =
		shared(mali, MOCK_GLOBAL_OUTPUT);

	if (!in || !out)
		return;
	out->ack = (out->ack & ~event) | (~in->req & event);
	if (in->ack_irq_mask & event)
		mock_raise(mali, &mali->job, JOB_INT_GLOBAL_IF);
}

/* Faults */

static void stream_fatal(struct mock_mali *mali, u32 g, u32 s, u32 exception,
			 u64 info)
{
	struct panthor_fw_cs_output_iface *out = stream_output(mali, g, s);

	mali->counts[MOCK_COUNT_FAULTS]++;
	mali->groups[g].streams[s].failed = true;
	out->fatal = exception;
	out->fatal_info = info;
	stream_event(mali, g, s, CS_FATAL);
}

static void page_fault(struct mock_mali *mali, u32 space, u64 va, bool write,
		       u32 exception)
{
	struct mock_space *as = &mali->spaces[space];

	as->fault_status = exception | (write ? AS_FAULTSTATUS_ACCESS_TYPE_WRITE :
						AS_FAULTSTATUS_ACCESS_TYPE_READ);
	as->fault_address = va;
	mock_raise(mali, &mali->mmu, BIT(space));
}

/* Memory of a group's space; a fault ends the stream. */
static void *memory(struct mock_mali *mali, u32 g, u32 s, u64 va, u32 size,
		    bool write)
{
	u32 space = mali->groups[g].space, fault;
	void *ptr;

	if (va % size) {
		stream_fatal(mali, g, s, DRM_PANTHOR_EXCEPTION_CS_BUS_FAULT, va);
		return NULL;
	}
	ptr = mock_translate(mali, space, va, write, &fault);
	if (!ptr) {
		page_fault(mali, space, va, write, fault);
		stream_fatal(mali, g, s, DRM_PANTHOR_EXCEPTION_CS_BUS_FAULT, va);
	}

	return ptr;
}

/* Instructions */

static u64 reg64(struct mock_stream *cs, u32 n)
{
	return n + 1 < MOCK_REGISTERS ? cs->reg[n] | (u64)cs->reg[n + 1] << 32 : 0;
}

static void set_reg(struct mock_stream *cs, u32 n, u32 value)
{
	if (n < MOCK_REGISTERS)
		cs->reg[n] = value;
}

static void set_reg64(struct mock_stream *cs, u32 n, u64 value)
{
	set_reg(cs, n, lower_32_bits(value));
	set_reg(cs, n + 1, upper_32_bits(value));
}

static bool run_load_store(struct mock_mali *mali, u32 g, u32 s, u64 insn)
{
	struct mock_stream *cs = &mali->groups[g].streams[s];
	u64 va = reg64(cs, OP_ADDR(insn)) + OP_OFFSET(insn);
	bool write = OP(insn) == OP_STORE;
	u32 i;

	for (i = 0; i < 16; i++, va += sizeof(u32)) {
		u32 n = OP_DST(insn) + i, *word;

		if (!(OP_MASK(insn) & BIT(i)) || n >= MOCK_REGISTERS)
			continue;
		word = memory(mali, g, s, va, sizeof(u32), write);
		if (!word)
			return false;
		if (write)
			WRITE_ONCE(*word, cs->reg[n]);
		else
			cs->reg[n] = READ_ONCE(*word);
	}

	return true;
}

static bool run_sync(struct mock_mali *mali, u32 g, u32 s, u64 insn, bool add,
		     u32 size)
{
	struct mock_stream *cs = &mali->groups[g].streams[s];
	u64 value = reg64(cs, OP_VALUE(insn));
	void *ptr = memory(mali, g, s, reg64(cs, OP_ADDR(insn)), size, true);

	if (!ptr)
		return false;
	if (size == sizeof(u64))
		WRITE_ONCE(*(u64 *)ptr, value + (add ? READ_ONCE(*(u64 *)ptr) : 0));
	else
		WRITE_ONCE(*(u32 *)ptr,
			   (u32)value + (add ? READ_ONCE(*(u32 *)ptr) : 0));
	group_event(mali, g, CSG_SYNC_UPDATE);

	return true;
}

/* The driver looks at the value itself while the group is not on a slot. */
static bool run_sync_wait(struct mock_mali *mali, u32 g, u32 s, u64 insn, u32 size)
{
	struct panthor_fw_cs_output_iface *out = stream_output(mali, g, s);
	struct mock_stream *cs = &mali->groups[g].streams[s];
	u64 va = reg64(cs, OP_ADDR(insn)), value = reg64(cs, OP_VALUE(insn)), now;
	bool greater = OP_CONDITION(insn) == 1;
	void *ptr = memory(mali, g, s, va, size, false);

	if (!ptr)
		return false;
	now = size == sizeof(u64) ? READ_ONCE(*(u64 *)ptr) : READ_ONCE(*(u32 *)ptr);
	if (size == sizeof(u32))
		value = lower_32_bits(value);
	cs->waits = greater ? now <= value : now > value;
	out->status_blocked_reason = cs->waits ?
		CS_STATUS_BLOCKED_REASON_SYNC_WAIT :
		CS_STATUS_BLOCKED_REASON_UNBLOCKED;
	out->status_wait = CS_STATUS_WAIT_SYNC |
		(greater ? CS_STATUS_WAIT_SYNC_COND_GT : CS_STATUS_WAIT_SYNC_COND_LE) |
		(size == sizeof(u64) ? CS_STATUS_WAIT_SYNC_64B : 0);
	out->status_wait_sync_ptr = va;
	out->status_wait_sync_value = lower_32_bits(value);
	out->status_wait_sync_value_hi = upper_32_bits(value);

	return !cs->waits;
}

static bool run_store_state(struct mock_mali *mali, u32 g, u32 s, u64 insn)
{
	struct mock_stream *cs = &mali->groups[g].streams[s];
	u64 va = reg64(cs, OP_ADDR(insn)) + OP_OFFSET(insn);
	u64 *ptr = memory(mali, g, s, va, sizeof(u64), true);

	if (ptr)
		*ptr = OP_VALUE(insn) ? mali->counts[MOCK_COUNT_INSTRUCTIONS] :
					ktime_get_ns();
	return ptr;
}

static bool run_call(struct mock_mali *mali, u32 g, u32 s, u64 insn)
{
	struct mock_stream *cs = &mali->groups[g].streams[s];
	u32 n = OP_VALUE(insn);
	u64 start = reg64(cs, OP_ADDR(insn));

	if (OP(insn) == OP_JUMP && cs->depth)
		cs->depth--;
	if (cs->depth == MOCK_CALLS || n >= MOCK_REGISTERS) {
		stream_fatal(mali, g, s, DRM_PANTHOR_EXCEPTION_CS_CALL_STACK_OVERFLOW,
			     start);
		return false;
	}
	cs->pc[cs->depth] = start;
	cs->end[cs->depth] = start + cs->reg[n];
	cs->depth++;

	return true;
}

static void run_branch(struct mock_stream *cs, u64 insn)
{
	s32 value = OP_ADDR(insn) < MOCK_REGISTERS ? cs->reg[OP_ADDR(insn)] : 0;
	bool taken[] = {
		value <= 0, value > 0, value == 0, value != 0, value < 0, value >= 0,
		true,
	};

	if (cs->depth && OP_CONDITION(insn) < ARRAY_SIZE(taken) &&
	    taken[OP_CONDITION(insn)])
		cs->pc[cs->depth - 1] += (s64)OP_OFFSET(insn) * sizeof(u64);
}

/* Returns whether the stream goes on with the next instruction. */
static bool run_instruction(struct mock_mali *mali, u32 g, u32 s, u64 insn)
{
	struct mock_stream *cs = &mali->groups[g].streams[s];

	switch (OP(insn)) {
	case OP_NOP:
	case OP_WAIT:
	case OP_SET_SB_ENTRY:
	case OP_PROGRESS_WAIT:
	case OP_REQ_RESOURCE:
	case OP_FLUSH_CACHE:
	case OP_ERROR_BARRIER:
		return true;
	case OP_MOVE48:
		set_reg64(cs, OP_DST(insn), insn & GENMASK_ULL(47, 0));
		return true;
	case OP_MOVE32:
		set_reg(cs, OP_DST(insn), lower_32_bits(insn));
		return true;
	case OP_ADD32:
		set_reg(cs, OP_DST(insn), (u32)reg64(cs, OP_ADDR(insn)) +
			lower_32_bits(insn));
		return true;
	case OP_ADD64:
		set_reg64(cs, OP_DST(insn), reg64(cs, OP_ADDR(insn)) +
			  (s32)lower_32_bits(insn));
		return true;
	case OP_LOAD:
	case OP_STORE:
		return run_load_store(mali, g, s, insn);
	case OP_BRANCH:
		run_branch(cs, insn);
		return true;
	case OP_CALL:
	case OP_JUMP:
		return run_call(mali, g, s, insn);
	case OP_STORE_STATE:
		return run_store_state(mali, g, s, insn);
	case OP_SYNC_ADD32:
	case OP_SYNC_SET32:
		return run_sync(mali, g, s, insn, OP(insn) == OP_SYNC_ADD32, 4);
	case OP_SYNC_ADD64:
	case OP_SYNC_SET64:
		return run_sync(mali, g, s, insn, OP(insn) == OP_SYNC_ADD64, 8);
	case OP_SYNC_WAIT32:
	case OP_SYNC_WAIT64:
		return run_sync_wait(mali, g, s, insn, OP(insn) == OP_SYNC_WAIT64 ? 8 : 4);
	default:
		stream_fatal(mali, g, s, DRM_PANTHOR_EXCEPTION_CS_INSTR_INVALID,
			     OP(insn));
		return false;
	}
}

/* Streams */

static u64 *next_instruction(struct mock_mali *mali, u32 g, u32 s,
			     struct panthor_fw_cs_input_iface *in,
			     struct panthor_fw_ringbuf_output_iface *ring)
{
	struct mock_stream *cs = &mali->groups[g].streams[s];

	if (cs->depth)
		return memory(mali, g, s, cs->pc[cs->depth - 1], sizeof(u64), false);

	return memory(mali, g, s, in->ringbuf_base +
		      ring->extract % in->ringbuf_size, sizeof(u64), false);
}

static void leave_calls(struct mock_stream *cs)
{
	while (cs->depth && cs->pc[cs->depth - 1] >= cs->end[cs->depth - 1])
		cs->depth--;
}

static enum step step_stream(struct mock_mali *mali, u32 g, u32 s)
{
	struct mock_stream *cs = &mali->groups[g].streams[s];
	struct panthor_fw_cs_input_iface *in = stream_input(mali, g, s);
	struct panthor_fw_ringbuf_input_iface *ring_in;
	struct panthor_fw_ringbuf_output_iface *ring;
	u64 *ptr, insn, before;
	u32 fault;

	ring_in = mock_translate(mali, 0, in->ringbuf_input, false, &fault);
	ring = mock_translate(mali, 0, in->ringbuf_output, true, &fault);
	if (!ring_in || !ring || !in->ringbuf_size)
		return STEP_NOTHING;
	if (!cs->depth && READ_ONCE(ring_in->insert) == ring->extract)
		return STEP_NOTHING;

	ptr = next_instruction(mali, g, s, in, ring);
	if (!ptr)
		return STEP_NOTHING;
	insn = READ_ONCE(*ptr);

	/* An instruction that waits is begun anew. */
	before = cs->depth ? cs->pc[cs->depth - 1] : ring->extract;
	if (cs->depth)
		cs->pc[cs->depth - 1] += sizeof(u64);
	else
		WRITE_ONCE(ring->extract, ring->extract + sizeof(u64));
	mali->counts[MOCK_COUNT_INSTRUCTIONS]++;
	if (!run_instruction(mali, g, s, insn)) {
		if (cs->depth)
			cs->pc[cs->depth - 1] = before;
		else
			WRITE_ONCE(ring->extract, before);
		return STEP_NOTHING;
	}
	leave_calls(cs);

	return STEP_DONE;
}

static bool can_run(struct mock_mali *mali, u32 g, u32 s)
{
	struct mock_group *group = &mali->groups[g];
	struct mock_stream *cs = &group->streams[s];

	return mali->mcu_status == MCU_STATUS_ENABLED && !mali->hang &&
	       group->running && cs->started && !cs->failed &&
	       group->space < MOCK_SPACES && !mali->spaces[group->space].locked;
}

static bool run_stream(struct mock_mali *mali, u32 g, u32 s)
{
	unsigned int n;

	guard(raw_spinlock_irqsave)(&mali->lock);
	for (n = 0; n < SLICE; n++) {
		if (!can_run(mali, g, s) || step_stream(mali, g, s) == STEP_NOTHING)
			break;
	}
	if (n) {
		mali->groups[g].idle_told = false;
		mali->idle_told = false;
	}

	return n;
}

/* Nothing goes on any more: groups, and then all of it, are idle. That is told once. */
static void tell_idle(struct mock_mali *mali)
{
	bool all = true;
	u32 g;

	guard(raw_spinlock_irqsave)(&mali->lock);
	if (mali->mcu_status != MCU_STATUS_ENABLED || mali->hang)
		return;
	for (g = 0; g < MOCK_GROUPS; g++) {
		struct mock_group *group = &mali->groups[g];

		if (!group->running)
			continue;
		if (group->space < MOCK_SPACES && mali->spaces[group->space].locked) {
			all = false;
			continue;
		}
		if (!group->idle_told) {
			group->idle_told = true;
			group_output(mali, g)->status_state =
				CSG_STATUS_STATE_IS_IDLE;
			group_event(mali, g, CSG_IDLE);
		}
	}
	if (all && !mali->idle_told) {
		mali->idle_told = true;
		global_event(mali, GLB_IDLE);
	}
}

void mock_run_work(struct work_struct *work)
{
	struct mock_mali *mali = container_of(work, struct mock_mali, run_work);
	bool went_on;
	u32 g, s;

	do {
		went_on = false;
		for (g = 0; g < MOCK_GROUPS; g++) {
			for (s = 0; s < MOCK_STREAMS; s++)
				went_on |= run_stream(mali, g, s);
		}
		cond_resched();
	} while (went_on);
	tell_idle(mali);
}

/* Requests of the driver */

/* A group's registers and calls are kept in its suspend buffer. */
static void keep_state(struct mock_mali *mali, u32 g, bool save)
{
	struct mock_group *group = &mali->groups[g];
	u64 va = group_input(mali, g)->suspend_buf;
	size_t done, size;
	u32 fault;

	for (done = 0; done < sizeof(group->streams); done += size) {
		void *state = (void *)group->streams + done;
		void *ptr = mock_translate(mali, 0, va + done, true, &fault);

		size = min(sizeof(group->streams) - done,
			   SZ_4K - (va + done) % SZ_4K);
		if (!ptr)
			return;
		if (save)
			memcpy(ptr, state, size);
		else
			memcpy(state, ptr, size);
	}
}

static void update_status(struct mock_mali *mali, u32 g)
{
	struct mock_group *group = &mali->groups[g];
	u32 s;

	for (s = 0; s < MOCK_STREAMS; s++) {
		struct panthor_fw_cs_output_iface *out = stream_output(mali, g, s);

		if (!group->streams[s].waits)
			out->status_blocked_reason =
				CS_STATUS_BLOCKED_REASON_UNBLOCKED;
		out->status_scoreboards = 0;
	}
	group_output(mali, g)->status_state =
		group->idle_told ? CSG_STATUS_STATE_IS_IDLE : 0;
}

static void update_streams(struct mock_mali *mali, u32 g)
{
	u32 s;

	for (s = 0; s < MOCK_STREAMS; s++) {
		struct panthor_fw_cs_input_iface *in = stream_input(mali, g, s);
		struct panthor_fw_cs_output_iface *out = stream_output(mali, g, s);

		out->ack = acknowledge(in->req, out->ack, CS_EVT_MASK);
		mali->groups[g].streams[s].started =
			(in->req & CS_STATE_MASK) == CS_STATE_START;
	}
}

static void change_state(struct mock_mali *mali, u32 g, u32 state)
{
	struct mock_group *group = &mali->groups[g];

	switch (state) {
	case CSG_STATE_START:
		memset(group, 0, sizeof(*group));
		break;
	case CSG_STATE_RESUME:
		memset(group, 0, sizeof(*group));
		keep_state(mali, g, false);
		break;
	case CSG_STATE_SUSPEND:
		update_status(mali, g);
		keep_state(mali, g, true);
		group->running = false;
		return;
	default:
		update_status(mali, g);
		group->running = false;
		return;
	}
	group->space = group_input(mali, g)->config & 0xf;
	group->running = true;
	update_streams(mali, g);
}

static void update_group(struct mock_mali *mali, u32 g)
{
	struct panthor_fw_csg_input_iface *in = group_input(mali, g);
	struct panthor_fw_csg_output_iface *out = group_output(mali, g);
	u32 changed = (in->req ^ out->ack) & ~CSG_EVT_MASK;

	if (changed & CSG_STATE_MASK)
		change_state(mali, g, in->req & CSG_STATE_MASK);
	if (changed & CSG_STATUS_UPDATE)
		update_status(mali, g);
	out->ack = acknowledge(in->req, out->ack, CSG_EVT_MASK);
	if (in->doorbell_req != out->doorbell_ack) {
		out->doorbell_ack = in->doorbell_req;
		update_streams(mali, g);
	}
	if (changed & in->ack_irq_mask)
		mock_raise(mali, &mali->job, JOB_INT_CSG_IF(g));
}

static void update_global(struct mock_mali *mali)
{
	struct panthor_fw_global_input_iface *in = shared(mali, MOCK_GLOBAL_INPUT);
	struct panthor_fw_global_output_iface *out =
		shared(mali, MOCK_GLOBAL_OUTPUT);
	u32 changed, g;

	if (!in || !out)
		return;
	changed = (in->req ^ out->ack) & ~GLB_EVT_MASK;
	out->ack = acknowledge(in->req, out->ack, GLB_EVT_MASK);
	for (g = 0; g < MOCK_GROUPS; g++) {
		struct panthor_fw_csg_input_iface *group = group_input(mali, g);

		if ((in->doorbell_req ^ out->doorbell_ack) & BIT(g) ||
		    group->req != group_output(mali, g)->ack)
			update_group(mali, g);
	}
	out->doorbell_ack = in->doorbell_req;
	if (changed & in->ack_irq_mask)
		mock_raise(mali, &mali->job, JOB_INT_GLOBAL_IF);
	mock_mcu_check_halt(mali);
}

/* The driver may have asked for it without having rung. */
void mock_mcu_check_halt(struct mock_mali *mali)
{
	struct panthor_fw_global_input_iface *in = shared(mali, MOCK_GLOBAL_INPUT);

	if (mali->mcu_status == MCU_STATUS_ENABLED && in && in->req & GLB_HALT)
		mali->mcu_status = MCU_STATUS_HALT;
}

void mock_mcu_doorbell(struct mock_mali *mali, u32 doorbell)
{
	if (mali->mcu_status != MCU_STATUS_ENABLED || mali->hang)
		return;
	if (doorbell == CSF_GLB_DOORBELL_ID)
		update_global(mali);
	queue_work(mali->wq, &mali->run_work);
}

void mock_mcu_boot(struct mock_mali *mali)
{
	mock_mcu_reset(mali);
	mali->mcu_status = MCU_STATUS_ENABLED;
	mock_raise(mali, &mali->job, JOB_INT_GLOBAL_IF);
}

void mock_mcu_reset(struct mock_mali *mali)
{
	mali->mcu_status = MCU_STATUS_DISABLED;
	memset(mali->groups, 0, sizeof(mali->groups));
}
