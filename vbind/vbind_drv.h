/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Copyright (c) 2026 The DRM GPUVM project */

#ifndef _VBIND_DRV_H_
#define _VBIND_DRV_H_

#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/xarray.h>

#include <drm/drm_device.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_gpuvm.h>
#include <drm/vbind_drm.h>

struct dma_buf;
struct drm_file;

/**
 * struct vbind_device - the device
 * @drm: DRM device
 * @last_bo_id: the id that was given out last
 * @num_bos: BOs that exist
 * @num_vms: VMs that exist
 * @num_mappings: mappings that exist, those not in use included
 *
 * The counters are what debugfs shows, so that leaks can be seen.
 */
struct vbind_device {
	struct drm_device drm;
	atomic64_t last_bo_id;
	atomic_t num_bos;
	atomic_t num_vms;
	atomic_t num_mappings;
};

/**
 * struct vbind_file - an open file
 * @vms: its VMs by id; each entry owns a reference
 */
struct vbind_file {
	struct xarray vms;
};

/**
 * struct vbind_vm - a GPU virtual address space
 *
 * Who changes the tree of mappings in staged mode holds both locks; who only
 * reads it holds one of them.
 */
struct vbind_vm {
	/** @base: its part in the core */
	struct drm_gpuvm base;

	/**
	 * @bind_lock: staged mode: held from working out which objects a
	 * request touches until it is done, so that the answer stays true.
	 * Taken before any dma-resv lock.
	 */
	struct mutex bind_lock;

	/**
	 * @lock: protects the tree of mappings, @num_mappings and @closed. In
	 * immediate mode it is taken in the fence signalling path, so no memory
	 * may be allocated and no dma-resv lock be taken under it. Taken after
	 * @bind_lock and dma-resv locks, before a GEM object's gpuva.lock.
	 */
	struct mutex lock;

	/** @num_mappings: mappings in the tree */
	u32 num_mappings;

	/**
	 * @closed: the VM is being torn down and takes no more requests.
	 * Written with both locks held, so that either suffices to read it.
	 */
	bool closed;
};

/**
 * struct vbind_mapping - a mapping
 * @base: its part in the core
 * @retired: entry in a list of mappings to be freed
 *
 * A mapping in the tree has a reference of its own and a claim, see
 * vbind_bo_claim(), on its object. It keeps them until no lock is held any more:
 * freeing a private object takes the dma-resv lock that it shares with its VM.
 */
struct vbind_mapping {
	struct drm_gpuva base;
	struct list_head retired;
};

/* What DRM_GPUVA_USERBITS are used for */
#define VBIND_GPUVA_READONLY DRM_GPUVA_USERBITS

/**
 * struct vbind_bo - a buffer object
 * @base: its part in the shmem helpers; must be the first member
 * @vm_resv_obj: for a private BO: the object that owns the dma-resv which this
 *	BO shares, by which its VM is recognised; else NULL
 * @id: unique id
 * @claims: see vbind_bo_claim()
 */
struct vbind_bo {
	struct drm_gem_shmem_object base;
	struct drm_gem_object *vm_resv_obj;
	u64 id;
	atomic_t claims;
};

static inline struct vbind_device *to_vbind_device(struct drm_device *drm)
{
	return container_of(drm, struct vbind_device, drm);
}

static inline struct vbind_vm *to_vbind_vm(struct drm_gpuvm *gpuvm)
{
	return container_of(gpuvm, struct vbind_vm, base);
}

static inline struct vbind_mapping *to_vbind_mapping(struct drm_gpuva *va)
{
	return container_of(va, struct vbind_mapping, base);
}

static inline struct vbind_bo *to_vbind_bo(struct drm_gem_object *obj)
{
	return container_of(to_drm_gem_shmem_obj(obj), struct vbind_bo, base);
}

/* vbind_drv.c */
int vbind_check_array(u64 ptr, u32 count, u32 stride, size_t min_stride);

/* vbind_gem.c */
struct drm_gem_object *vbind_gem_create_object(struct drm_device *drm,
					       size_t size);
struct drm_gem_object *vbind_gem_prime_import(struct drm_device *drm,
					      struct dma_buf *dma_buf);
int vbind_gem_create_ioctl(struct drm_device *drm, void *data,
			   struct drm_file *file);
int vbind_gem_info_ioctl(struct drm_device *drm, void *data,
			 struct drm_file *file);
bool vbind_bo_claim(struct vbind_bo *bo, struct vbind_vm *vm);
void vbind_bo_unclaim(struct vbind_bo *bo, struct vbind_vm *vm);

/* vbind_vm.c */
struct vbind_vm *vbind_vm_lookup(struct vbind_file *vfile, u32 id);
void vbind_vm_close_all(struct vbind_file *vfile);
int vbind_vm_create_ioctl(struct drm_device *drm, void *data,
			  struct drm_file *file);
int vbind_vm_destroy_ioctl(struct drm_device *drm, void *data,
			   struct drm_file *file);
int vbind_vm_query_ioctl(struct drm_device *drm, void *data,
			 struct drm_file *file);

struct vbind_mapping *vbind_mapping_alloc(struct vbind_vm *vm);
void vbind_mapping_free(struct vbind_vm *vm, struct vbind_mapping *mapping);
void vbind_mapping_link(struct vbind_vm *vm, struct vbind_mapping *mapping,
			struct drm_gpuvm_bo *vm_bo);
void vbind_mapping_retire(struct vbind_vm *vm, struct vbind_mapping *mapping,
			  struct list_head *retired);
void vbind_mapping_free_retired(struct vbind_vm *vm, struct list_head *retired);
void vbind_mapping_describe(struct drm_vbind_mapping *out,
			    const struct drm_gpuva_op_map *part,
			    enum drm_gpuva_flags flags);
void vbind_mapping_describe_va(struct drm_vbind_mapping *out,
			       const struct drm_gpuva *va);

/* vbind_bind.c */
extern const struct drm_gpuvm_ops vbind_gpuvm_ops;
int vbind_vm_bind_ioctl(struct drm_device *drm, void *data,
			struct drm_file *file);

void vbind_vm_free(struct drm_gpuvm *gpuvm);

#endif /* _VBIND_DRV_H_ */
