// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Copyright (c) 2026 The DRM GPUVM project */

/*
 * A Mali in software, for panthor as it is: the device with its registers and
 * interrupts. It is a Mali-G610 of architecture 10.8 as far as the driver can tell.
 *
 * User Mode Linux calls us for each access to the registers. Registers that are not
 * here read as zero. Accesses come with any lock held and interrupts off, so that
 * interrupts are raised by a work.
 */

#include <linux/clk-provider.h>
#include <linux/clkdev.h>
#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/ktime.h>
#include <linux/logic_iomem.h>
#include <linux/platform_device.h>
#include <linux/pm_opp.h>
#include <linux/seq_file.h>

#include "panthor_device.h"
#include "panthor_fw_regs.h"
#include "panthor_gpu_regs.h"
#include "panthor_mmu_regs.h"
#include "mock_mali.h"

/* Outside of User Mode Linux's memory */
#define REGISTERS	0x100000000ULL
#define SIZE		0x200000
#define CLOCK_HZ	500000000UL

#define SHADERS		0x50005
#define MMU_AS_END	(MMU_AS_BASE + MMU_AS(MOCK_SPACES))

static struct mock_mali mali;
static struct platform_device *device;

/* Interrupts */

static bool is_raised(const struct mock_irq *irq)
{
	return irq->rawstat & irq->mask;
}

static void queue_irqs(void)
{
	if (is_raised(&mali.gpu) || is_raised(&mali.job) || is_raised(&mali.mmu))
		queue_work(mali.wq, &mali.irq_work);
}

void mock_raise(struct mock_mali *m, struct mock_irq *irq, u32 bits)
{
	irq->rawstat |= bits;
	queue_irqs();
}

/* The line has a level: an interrupt that is not cleared comes again. */
static void raise_one(struct mock_irq *irq)
{
	unsigned long flags;
	bool raised;

	scoped_guard(raw_spinlock_irqsave, &mali.lock) {
		raised = is_raised(irq);
		if (raised && mali.lose_irqs) {
			mali.lose_irqs--;
			mali.counts[MOCK_COUNT_LOST_IRQS]++;
			raised = false;
		}
		mali.counts[MOCK_COUNT_IRQS] += raised;
	}
	if (!raised)
		return;
	local_irq_save(flags);
	generic_handle_irq(irq->irq);
	local_irq_restore(flags);
}

static void irq_work_fn(struct work_struct *work)
{
	raise_one(&mali.gpu);
	raise_one(&mali.job);
	raise_one(&mali.mmu);
}

static u32 read_irq(const struct mock_irq *irq, u32 reg)
{
	switch (reg) {
	case INT_RAWSTAT:
		return irq->rawstat;
	case INT_MASK:
		return irq->mask;
	case INT_STAT:
		return irq->rawstat & irq->mask;
	}
	return 0;
}

static void write_irq(struct mock_irq *irq, u32 reg, u32 value)
{
	switch (reg) {
	case INT_CLEAR:
		irq->rawstat &= ~value;
		break;
	case INT_MASK:
		irq->mask = value;
		break;
	}
	queue_irqs();
}

/* Address spaces */

static u32 half(u64 value, u32 reg)
{
	return reg & 4 ? upper_32_bits(value) : lower_32_bits(value);
}

static void set_half(u64 *to, u32 reg, u32 value)
{
	if (reg & 4)
		*to = lower_32_bits(*to) | (u64)value << 32;
	else
		*to = (*to & ~0xffffffffULL) | value;
}

static u64 *space_register(struct mock_space *as, u32 reg)
{
	switch (reg & ~4) {
	case AS_TRANSTAB(0):
		return &as->transtab;
	case AS_MEMATTR(0):
		return &as->memattr;
	case AS_LOCKADDR(0):
		return &as->lockaddr;
	case AS_TRANSCFG(0):
		return &as->transcfg;
	case AS_FAULTADDRESS(0):
		return &as->fault_address;
	}
	return NULL;
}

/* Commands are carried out at once: none is ever active. */
static void space_command(struct mock_space *as, u32 command)
{
	switch (command) {
	case AS_COMMAND_UPDATE:
		mali.counts[MOCK_COUNT_UPDATES]++;
		as->table = as->transtab & GENMASK_ULL(47, 4);
		as->enabled = (as->transcfg & 0xf) == AS_TRANSCFG_ADRMODE_AARCH64_4K;
		as->locked = false;
		break;
	case AS_COMMAND_LOCK:
		mali.counts[MOCK_COUNT_LOCKS]++;
		as->locked = true;
		return;
	case AS_COMMAND_FLUSH_PT:
	case AS_COMMAND_FLUSH_MEM:
		mali.counts[MOCK_COUNT_FLUSHES]++;
		fallthrough;
	case AS_COMMAND_UNLOCK:
		as->locked = false;
		break;
	}
	queue_work(mali.wq, &mali.run_work);
}

static u32 read_space(u32 offset)
{
	struct mock_space *as = &mali.spaces[offset >> MMU_AS_SHIFT];
	u32 reg = offset & (MMU_AS(1) - 1);
	u64 *value;

	if (reg == AS_FAULTSTATUS(0))
		return as->fault_status;
	value = space_register(as, reg);

	return value ? half(*value, reg) : 0;
}

static void write_space(u32 offset, u32 value)
{
	struct mock_space *as = &mali.spaces[offset >> MMU_AS_SHIFT];
	u32 reg = offset & (MMU_AS(1) - 1);
	u64 *to = space_register(as, reg);

	if (reg == AS_COMMAND(0))
		space_command(as, value);
	else if (to)
		set_half(to, reg, value);
}

/* The GPU */

static void soft_reset(void)
{
	mali.counts[MOCK_COUNT_RESETS]++;
	mock_mcu_reset(&mali);
	memset(mali.spaces, 0, sizeof(mali.spaces));
	mali.l2_ready = 0;
	mali.job.rawstat = 0;
	mali.mmu.rawstat = 0;
	mock_raise(&mali, &mali.gpu, GPU_IRQ_RESET_COMPLETED);
}

static void gpu_command(u32 command)
{
	if (command == GPU_SOFT_RESET || command == GPU_HARD_RESET)
		soft_reset();
	else if ((command & 0xff) == 4)
		mock_raise(&mali, &mali.gpu, GPU_IRQ_CLEAN_CACHES_COMPLETED);
}

static const struct {
	u32 reg, value;
} constants[] = {
	{ GPU_ID, 0xa8670000 },
	{ GPU_L2_FEATURES, 0x07130206 },
	{ GPU_CORE_FEATURES, 0x1 },
	{ GPU_TILER_FEATURES, 0x809 },
	{ GPU_MEM_FEATURES, 0x301 },
	{ GPU_MMU_FEATURES, MOCK_PA_BITS << 8 | MOCK_VA_BITS },
	{ GPU_AS_PRESENT, GENMASK(MOCK_SPACES - 1, 0) },
	{ GPU_CSF_ID, 0x40b },
	{ GPU_THREAD_MAX_THREADS, 2048 },
	{ GPU_THREAD_MAX_WORKGROUP_SIZE, 1024 },
	{ GPU_THREAD_MAX_BARRIER_SIZE, 1024 },
	{ GPU_THREAD_FEATURES, 0x4010000 },
	{ GPU_TEXTURE_FEATURES(0), 0xc1ffff9e },
	{ GPU_SHADER_PRESENT, SHADERS },
	{ GPU_TILER_PRESENT, 1 },
	{ GPU_L2_PRESENT, 1 },
	{ SHADER_READY, SHADERS },
	{ TILER_READY, 1 },
	{ GPU_COHERENCY_FEATURES, GPU_COHERENCY_PROT_BIT(ACE_LITE) },
};

static u32 read_gpu(u32 reg)
{
	unsigned int i;

	switch (reg) {
	case L2_READY:
		return mali.l2_ready;
	case GPU_TIMESTAMP:
	case GPU_TIMESTAMP + 4:
	case GPU_CYCLE_COUNT:
	case GPU_CYCLE_COUNT + 4:
		return half(ktime_get_ns(), reg);
	}
	for (i = 0; i < ARRAY_SIZE(constants); i++) {
		if (constants[i].reg == reg)
			return constants[i].value;
	}

	return 0;
}

static void write_gpu(u32 reg, u32 value)
{
	switch (reg) {
	case GPU_CMD:
		gpu_command(value);
		break;
	case L2_PWRON:
		mali.l2_ready |= value;
		break;
	case L2_PWROFF:
		mali.l2_ready &= ~(u64)value;
		break;
	}
}

static void write_mcu_control(u32 value)
{
	if (value == MCU_CONTROL_DISABLE)
		mali.mcu_status = MCU_STATUS_DISABLED;
	else if (mali.mcu_status != MCU_STATUS_ENABLED)
		mock_mcu_boot(&mali);
}

/* All registers */

static struct mock_irq *irq_at(u32 reg)
{
	switch (reg & ~0xf) {
	case GPU_INT_BASE:
		return &mali.gpu;
	case JOB_INT_BASE:
		return &mali.job;
	case MMU_INT_BASE:
		return &mali.mmu;
	}
	return NULL;
}

static unsigned long mock_read(void *priv, unsigned int reg, int size)
{
	struct mock_irq *irq = irq_at(reg);

	guard(raw_spinlock_irqsave)(&mali.lock);
	if (irq)
		return read_irq(irq, reg & 0xf);
	if (reg >= MMU_AS_BASE && reg < MMU_AS_END)
		return read_space(reg - MMU_AS_BASE);
	if (reg == MCU_CONTROL_BASE + MCU_STATUS) {
		mock_mcu_check_halt(&mali);
		return mali.mcu_status;
	}

	return read_gpu(reg);
}

static void mock_write(void *priv, unsigned int reg, int size, unsigned long value)
{
	struct mock_irq *irq = irq_at(reg);

	guard(raw_spinlock_irqsave)(&mali.lock);
	if (irq)
		write_irq(irq, reg & 0xf, value);
	else if (reg >= MMU_AS_BASE && reg < MMU_AS_END)
		write_space(reg - MMU_AS_BASE, value);
	else if (reg == MCU_CONTROL_BASE + MCU_CONTROL)
		write_mcu_control(value);
	else if (reg >= CSF_DOORBELL(0))
		mock_mcu_doorbell(&mali, (reg - CSF_DOORBELL(0)) >> 16);
	else
		write_gpu(reg, value);
}

static const struct logic_iomem_ops mock_ops = {
	.read = mock_read,
	.write = mock_write,
};

static long mock_map(unsigned long offset, size_t size,
		     const struct logic_iomem_ops **ops, void **priv)
{
	*ops = &mock_ops;

	return 0;
}

static const struct logic_iomem_region_ops mock_region_ops = {
	.map = mock_map,
};

/* debugfs: mock_mali/ */

static int tables_show(struct seq_file *m, void *data)
{
	mock_show_tables(&mali, m);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tables);

static int counts_show(struct seq_file *m, void *data)
{
	static const char *const names[MOCK_COUNTS] = {
		[MOCK_COUNT_IRQS] = "interrupts",
		[MOCK_COUNT_LOST_IRQS] = "lost interrupts",
		[MOCK_COUNT_INSTRUCTIONS] = "instructions",
		[MOCK_COUNT_FAULTS] = "faults",
		[MOCK_COUNT_UPDATES] = "updates",
		[MOCK_COUNT_LOCKS] = "locks",
		[MOCK_COUNT_FLUSHES] = "flushes",
		[MOCK_COUNT_RESETS] = "resets",
	};
	unsigned int i;

	for (i = 0; i < MOCK_COUNTS; i++)
		seq_printf(m, "%s: %llu\n", names[i], mali.counts[i]);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counts);

static int __init mock_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("mock_mali", NULL);

	debugfs_create_file("tables", 0400, dir, NULL, &tables_fops);
	debugfs_create_file("counts", 0400, dir, NULL, &counts_fops);
	debugfs_create_bool("hang", 0600, dir, &mali.hang);
	debugfs_create_u32("lose_irqs", 0600, dir, &mali.lose_irqs);

	return 0;
}
late_initcall(mock_debugfs_init);

/* The device, which is there before the driver is */

static struct resource region = DEFINE_RES_MEM_NAMED(REGISTERS, SIZE, "mock-mali");

static int __init register_clock(void)
{
	struct clk_hw *clock;

	clock = clk_hw_register_fixed_rate(NULL, "mock-mali", NULL, 0, CLOCK_HZ);
	if (IS_ERR(clock))
		return PTR_ERR(clock);

	return clk_hw_register_clkdev(clock, NULL, "panthor");
}

static int __init register_irqs(void)
{
	struct mock_irq *irqs[] = { &mali.job, &mali.mmu, &mali.gpu };
	int first = irq_alloc_descs(-1, 1, ARRAY_SIZE(irqs), 0);
	unsigned int i;

	if (first < 0)
		return first;
	for (i = 0; i < ARRAY_SIZE(irqs); i++) {
		irqs[i]->irq = first + i;
		irq_set_chip_and_handler(first + i, &dummy_irq_chip,
					 handle_simple_irq);
		irq_clear_status_flags(first + i, IRQ_NOREQUEST | IRQ_NOAUTOEN);
	}

	return 0;
}

static int __init register_device(void)
{
	const struct resource resources[] = {
		DEFINE_RES_MEM(REGISTERS, SIZE),
		DEFINE_RES_IRQ_NAMED(mali.job.irq, "job"),
		DEFINE_RES_IRQ_NAMED(mali.mmu.irq, "mmu"),
		DEFINE_RES_IRQ_NAMED(mali.gpu.irq, "gpu"),
	};
	const struct platform_device_info info = {
		.name = "panthor",
		.id = PLATFORM_DEVID_NONE,
		.res = resources,
		.num_res = ARRAY_SIZE(resources),
		.dma_mask = DMA_BIT_MASK(MOCK_PA_BITS),
	};

	device = platform_device_register_full(&info);
	if (IS_ERR(device))
		return PTR_ERR(device);

	/* Without one the driver would ask the device tree. */
	return dev_pm_opp_add(&device->dev, CLOCK_HZ, 0);
}

static int __init mock_init(void)
{
	int ret;

	raw_spin_lock_init(&mali.lock);
	INIT_WORK(&mali.irq_work, irq_work_fn);
	INIT_WORK(&mali.run_work, mock_run_work);
	mali.wq = alloc_workqueue("mock-mali", WQ_HIGHPRI | WQ_UNBOUND, 0);
	if (!mali.wq)
		return -ENOMEM;

	ret = logic_iomem_add_region(&region, &mock_region_ops);
	if (!ret)
		ret = register_clock();
	if (!ret)
		ret = register_irqs();
	if (!ret)
		ret = register_device();
	if (ret)
		pr_err("mock_mali: no device: %d\n", ret);

	return ret;
}
fs_initcall(mock_init);
