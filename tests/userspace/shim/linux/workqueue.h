/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef __SHIM_WORKQUEUE_H__
#define __SHIM_WORKQUEUE_H__

#include <stdbool.h>

#include <linux/list.h>

struct work_struct {
	struct list_head entry;
	void (*func)(struct work_struct *work);
};

struct workqueue_struct {
	struct list_head works;
};

#define WQ_UNBOUND	1
#define WQ_MEM_RECLAIM	2

#define INIT_WORK(work, fn)						\
	do {								\
		INIT_LIST_HEAD(&(work)->entry);				\
		(work)->func = (fn);					\
	} while (0)

/* There is but one queue, which is only emptied by who waits for it. */
struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags,
					 int max_active);
void destroy_workqueue(struct workqueue_struct *queue);
bool queue_work(struct workqueue_struct *queue, struct work_struct *work);
bool flush_work(struct work_struct *work);
void flush_workqueue(struct workqueue_struct *queue);

#endif
