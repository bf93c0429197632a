/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * A Mali in software, for panthor: what its parts share. Each part uses those before
 * it: mock_mali_mmu.c, mock_mali_mcu.c, mock_mali.c.
 */

#ifndef __MOCK_MALI_H__
#define __MOCK_MALI_H__

#include <linux/bits.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct seq_file;

#define MOCK_SPACES		8
#define MOCK_GROUPS		8
#define MOCK_STREAMS		8
#define MOCK_REGISTERS		96
#define MOCK_CALLS		4
#define MOCK_VA_BITS		48
#define MOCK_PA_BITS		40

/* What the firmware's image says, too: see make-firmware */
#define MOCK_SHARED		0x04000000
#define MOCK_GLOBAL_INPUT	0x10000
#define MOCK_GLOBAL_OUTPUT	0x10200
#define MOCK_GROUP_INPUT(g)	(0x12000 + (g) * 0x2000)
#define MOCK_GROUP_OUTPUT(g)	(MOCK_GROUP_INPUT(g) + 0x100)
#define MOCK_STREAM_INPUT(g, s)	(MOCK_GROUP_INPUT(g) + 0x200 + (s) * 0x200)
#define MOCK_STREAM_OUTPUT(g, s) (MOCK_STREAM_INPUT(g, s) + 0x100)

/* Interrupts of one kind */
struct mock_irq {
	u32 rawstat;
	u32 mask;
	int irq;
};

/* An address space: what was written, and what was latched by UPDATE */
struct mock_space {
	u64 transtab, memattr, transcfg, lockaddr;
	u64 table;
	bool enabled;
	bool locked;
	u32 fault_status;
	u64 fault_address;
};

/**
 * struct mock_stream - a command stream
 * @started: it runs when there is something to do
 * @failed: it has met a fault
 * @waits: for a value in memory
 * @depth: calls that it is in
 * @pc: the next instruction of each of them
 * @end: behind the last one
 * @reg: registers
 */
struct mock_stream {
	bool started;
	bool failed;
	bool waits;
	u32 depth;
	u64 pc[MOCK_CALLS];
	u64 end[MOCK_CALLS];
	u32 reg[MOCK_REGISTERS];
};

struct mock_group {
	bool running;
	bool idle_told;
	u32 space;
	struct mock_stream streams[MOCK_STREAMS];
};

/* What was counted, for debugfs */
enum mock_count {
	MOCK_COUNT_IRQS,
	MOCK_COUNT_LOST_IRQS,
	MOCK_COUNT_INSTRUCTIONS,
	MOCK_COUNT_FAULTS,
	MOCK_COUNT_UPDATES,
	MOCK_COUNT_LOCKS,
	MOCK_COUNT_FLUSHES,
	MOCK_COUNT_RESETS,
	MOCK_COUNTS,
};

/**
 * struct mock_mali - the device
 * @lock: protects all of it; registers are accessed with any lock held
 * @gpu: interrupts of the GPU
 * @job: of the MCU
 * @mmu: of the address spaces
 * @spaces: the address spaces; the first one is the MCU's
 * @groups: the slots for groups of command streams
 * @mcu_status: MCU_STATUS
 * @l2_ready: L2_READY
 * @idle_told: nothing has gone on since the driver was told that nothing does
 * @hang: debugfs: command streams do not go on
 * @lose_irqs: debugfs: that many interrupts are not raised
 * @counts: what debugfs tells
 * @wq: for the works
 * @irq_work: raises interrupts
 * @run_work: runs command streams
 */
struct mock_mali {
	raw_spinlock_t lock;
	struct mock_irq gpu, job, mmu;
	struct mock_space spaces[MOCK_SPACES];
	struct mock_group groups[MOCK_GROUPS];
	u32 mcu_status;
	u64 l2_ready;
	bool idle_told;
	bool hang;
	u32 lose_irqs;
	u64 counts[MOCK_COUNTS];
	struct workqueue_struct *wq;
	struct work_struct irq_work;
	struct work_struct run_work;
};

/* mock_mali_mmu.c: translation, memory */
void *mock_translate(struct mock_mali *mali, u32 space, u64 va, bool write,
		     u32 *fault);
void mock_show_tables(struct mock_mali *mali, struct seq_file *m);

/* mock_mali_mcu.c: what the firmware does */
void mock_mcu_boot(struct mock_mali *mali);
void mock_mcu_reset(struct mock_mali *mali);
void mock_mcu_doorbell(struct mock_mali *mali, u32 doorbell);
void mock_mcu_check_halt(struct mock_mali *mali);
void mock_run_work(struct work_struct *work);

/* mock_mali.c: registers */
void mock_raise(struct mock_mali *mali, struct mock_irq *irq, u32 bits);

#endif /* __MOCK_MALI_H__ */
