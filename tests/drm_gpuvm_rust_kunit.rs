// SPDX-License-Identifier: GPL-2.0-only OR MIT

//! KUnit tests for the Rust abstraction of DRM GPUVM.
//!
//! The driver has no hardware. Its callbacks write down what they are asked for and keep a page
//! table, and whatever the VM owns for it is counted, from its creation until it is dropped.

use kernel::{
    device,
    drm::{
        self,
        gem::{
            self,
            shmem, //
        },
        gpuvm::{
            DriverGpuVm,
            GpuVaAlloc,
            GpuVm,
            GpuVmBo,
            OpMap,
            OpMapRequest,
            OpMapped,
            OpRemap,
            OpRemapMapData,
            OpRemapped,
            OpUnmap,
            OpUnmapped,
            UniqueRefGpuVm, //
        },
        UnregisteredDevice, //
    },
    faux,
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    },
};

use core::ops::Range;

const PAGE: u64 = PAGE_SIZE as u64;

/// Where the VA space begins.
const START: u64 = 0x10_0000;
/// The pages of the VA space, and how many of them, from the first one, are not reserved.
const PAGES: u64 = 64;
const USABLE: u64 = 60;

/// The pages of an object.
const OBJECT_PAGES: u64 = 64;

/// What is counted.
#[derive(Clone, Copy)]
enum Kind {
    Object,
    Vm,
    VmBo,
    Va,
}

/// How many of each kind there are.
struct Counts([Atomic<i32>; 4]);

impl Counts {
    fn new() -> Result<Arc<Self>> {
        let counts = Self([const { Atomic::new(0) }; 4]);

        Ok(Arc::new(counts, GFP_KERNEL)?)
    }

    fn of(&self, kind: Kind) -> i32 {
        self.0[kind as usize].load(Relaxed)
    }

    fn all(&self) -> [i32; 4] {
        [
            self.of(Kind::Object),
            self.of(Kind::Vm),
            self.of(Kind::VmBo),
            self.of(Kind::Va),
        ]
    }
}

/// Counts for as long as it exists.
struct Alive {
    counts: Arc<Counts>,
    kind: Kind,
}

impl Alive {
    fn new(counts: &Arc<Counts>, kind: Kind) -> Self {
        counts.0[kind as usize].fetch_add(1, Relaxed);

        Self {
            counts: counts.clone(),
            kind,
        }
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.counts.0[self.kind as usize].fetch_sub(1, Relaxed);
    }
}

struct TestDriver;

struct TestFile;

#[pin_data]
struct TestObject {
    id: u32,
    _alive: Alive,
}

type Bo = shmem::Object<TestObject>;

impl drm::file::DriverFile for TestFile {
    type Driver = TestDriver;

    fn open(_dev: &drm::Device<TestDriver>) -> Result<Pin<KBox<Self>>> {
        Ok(KBox::new(Self, GFP_KERNEL)?.into())
    }
}

impl gem::DriverObject for TestObject {
    type Driver = TestDriver;
    type Args = (u32, Alive);

    fn new(
        _dev: &drm::Device<TestDriver>,
        _size: usize,
        (id, alive): Self::Args,
    ) -> impl PinInit<Self, Error> {
        try_pin_init!(Self { id, _alive: alive })
    }
}

#[vtable]
impl drm::Driver for TestDriver {
    type Data = ();
    type RegistrationData<'a> = ();
    type File = TestFile;
    type Object = Bo;
    type ParentDevice<Ctx: device::DeviceContext> = faux::Device<Ctx>;

    const INFO: drm::DriverInfo = drm::DriverInfo {
        major: 0,
        minor: 0,
        patchlevel: 0,
        name: c"gpuvm_rust",
        desc: c"DRM GPUVM in Rust",
    };
    const IOCTLS: &'static [drm::ioctl::DrmIoctlDescriptor] = &[];
}

/// A mapping, or what is left of one, in bytes.
#[derive(Clone, Copy, PartialEq)]
struct Part {
    addr: u64,
    length: u64,
    offset: u64,
}

impl Part {
    fn end(&self) -> u64 {
        self.addr + self.length
    }

    fn of(data: &OpRemapMapData) -> Self {
        Self {
            addr: data.addr(),
            length: data.length(),
            offset: data.gem_offset(),
        }
    }
}

/// `length` pages from the VM's page `first`, with the object's page `offset`.
fn part(first: u64, length: u64, offset: u64) -> Part {
    Part {
        addr: START + first * PAGE,
        length: length * PAGE,
        offset: offset * PAGE,
    }
}

/// A call of a callback.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Map(Part),
    Unmap {
        old: Part,
        keep: bool,
    },
    Remap {
        old: Part,
        prev: Option<Part>,
        next: Option<Part>,
        keep: bool,
    },
}

/// What the callbacks need, and what they have seen.
struct Context {
    counts: Arc<Counts>,
    spare: KVec<GpuVaAlloc<TestVm>>,
    steps: KVec<Step>,
    /// The step that fails.
    fail_at: Option<usize>,
}

impl Context {
    fn new(counts: &Arc<Counts>) -> Result<Self> {
        let mut spare = KVec::with_capacity(3, GFP_KERNEL)?;

        for _ in 0..3 {
            spare.push(GpuVaAlloc::new(GFP_KERNEL)?, GFP_KERNEL)?;
        }
        Ok(Self {
            counts: counts.clone(),
            spare,
            steps: KVec::new(),
            fail_at: None,
        })
    }

    fn note(&mut self, step: Step) -> Result {
        if self.fail_at == Some(self.steps.len()) {
            return Err(ENOSPC);
        }
        self.steps.push(step, GFP_KERNEL)?;
        Ok(())
    }

    fn spare(&mut self) -> Result<GpuVaAlloc<TestVm>> {
        self.spare.pop().ok_or(ENOBUFS)
    }

    fn va(&self, part: Part) -> TestVa {
        TestVa {
            part,
            _alive: Alive::new(&self.counts, Kind::Va),
        }
    }
}

/// Each mapping knows where it was put.
struct TestVa {
    part: Part,
    _alive: Alive,
}

/// A page: the object's number, and which page of it.
type Page = Option<(u32, u64)>;

/// Writes to a page table: nothing, or an object's pages.
fn write_pages(pages: &mut [Page], range: Range<u64>, mut page: Page) {
    for addr in range.step_by(PAGE_SIZE) {
        pages[((addr - START) / PAGE) as usize] = page;
        page = page.map(|(id, n)| (id, n + 1));
    }
}

fn no_pages() -> Result<KVec<Page>> {
    Ok(KVec::from_elem(None, PAGES as usize, GFP_KERNEL)?)
}

struct TestVm {
    pages: KVec<Page>,
    _alive: Alive,
}

impl DriverGpuVm for TestVm {
    type Driver = TestDriver;
    type Object = Bo;
    type VaData = TestVa;
    type VmBoData = Alive;
    type SmContext<'ctx> = Context;

    fn sm_step_map<'op>(
        &mut self,
        op: OpMap<'op, Self>,
        context: &mut Context,
    ) -> Result<OpMapped<'op, Self>> {
        let part = Part {
            addr: op.addr(),
            length: op.length(),
            offset: op.gem_offset(),
        };

        context.note(Step::Map(part))?;
        if !core::ptr::eq(op.obj(), op.vm_bo().obj()) {
            return Err(EIO);
        }
        write_pages(
            &mut self.pages,
            part.addr..part.end(),
            Some((op.obj().id, part.offset / PAGE)),
        );
        let va = context.spare()?;

        Ok(op.insert(va, context.va(part)))
    }

    fn sm_step_unmap<'op>(
        &mut self,
        op: OpUnmap<'op, Self>,
        context: &mut Context,
    ) -> Result<OpUnmapped<'op, Self>> {
        let old = Part {
            addr: op.va().addr(),
            length: op.va().length(),
            offset: op.va().gem_offset(),
        };

        context.note(Step::Unmap {
            old,
            keep: op.keep(),
        })?;
        write_pages(&mut self.pages, op.va().range(), None);
        let (unmapped, va) = op.remove();

        if va.into_inner().part != old {
            return Err(EIO);
        }
        Ok(unmapped)
    }

    fn sm_step_remap<'op>(
        &mut self,
        op: OpRemap<'op, Self>,
        context: &mut Context,
    ) -> Result<OpRemapped<'op, Self>> {
        let va = op.va_to_unmap();
        let old = Part {
            addr: va.addr(),
            length: va.length(),
            offset: va.gem_offset(),
        };
        let prev = op.prev().map(Part::of);
        let next = op.next().map(Part::of);

        context.note(Step::Remap {
            old,
            prev,
            next,
            keep: op.keep(),
        })?;
        if op.vm_bo() != va.vm_bo() || !core::ptr::eq(op.obj(), va.obj()) {
            return Err(EIO);
        }
        write_pages(
            &mut self.pages,
            prev.map_or(old.addr, |p| p.end())..next.map_or(old.end(), |n| n.addr),
            None,
        );
        // What has no place is dropped.
        let (remapped, rest) = op.remap(
            [context.spare()?, context.spare()?],
            context.va(prev.unwrap_or(old)),
            context.va(next.unwrap_or(old)),
        );

        if rest.unmapped_va.part != old
            || rest.unused_va.is_some() != (prev.is_none() || next.is_none())
        {
            return Err(EIO);
        }
        if let Some(va) = rest.unused_va {
            context.spare.push(va, GFP_KERNEL)?;
        }
        Ok(remapped)
    }
}

/// A VM whose mappings and vm_bos are no more than the core's.
struct PlainVm;

impl DriverGpuVm for PlainVm {
    type Driver = TestDriver;
    type Object = Bo;
    type VaData = ();
    type VmBoData = ();
    type SmContext<'ctx> = KVec<GpuVaAlloc<Self>>;

    fn sm_step_map<'op>(
        &mut self,
        op: OpMap<'op, Self>,
        spare: &mut KVec<GpuVaAlloc<Self>>,
    ) -> Result<OpMapped<'op, Self>> {
        Ok(op.insert(spare.pop().ok_or(ENOBUFS)?, ()))
    }

    fn sm_step_unmap<'op>(
        &mut self,
        op: OpUnmap<'op, Self>,
        _spare: &mut KVec<GpuVaAlloc<Self>>,
    ) -> Result<OpUnmapped<'op, Self>> {
        Ok(op.remove().0)
    }

    fn sm_step_remap<'op>(
        &mut self,
        op: OpRemap<'op, Self>,
        spare: &mut KVec<GpuVaAlloc<Self>>,
    ) -> Result<OpRemapped<'op, Self>> {
        let prev = spare.pop().ok_or(ENOBUFS)?;
        let next = spare.pop().ok_or(ENOBUFS)?;

        Ok(op.remap([prev, next], (), ()).0)
    }
}

/// A VM with a device. Fields are dropped in this order.
struct Test {
    vm: UniqueRefGpuVm<TestVm>,
    /// Its reservation lock is the VM's.
    r_obj: ARef<Bo>,
    drm: UnregisteredDevice<TestDriver>,
    _parent: faux::Registration,
    counts: Arc<Counts>,
}

impl Test {
    fn new() -> Result<Self> {
        let counts = Counts::new()?;
        let parent = faux::Registration::new(c"gpuvm_rust", None)?;
        let drm = UnregisteredDevice::<TestDriver>::new(parent.as_ref(), Ok(()))?;
        let r_obj = new_object(&drm, &counts, 0, None)?;

        Ok(Self {
            vm: new_test_vm(&drm, &counts, &r_obj)?,
            r_obj,
            drm,
            _parent: parent,
            counts,
        })
    }

    /// An object of the VM's own, or one with a lock of its own.
    fn object(&self, id: u32, own_lock: bool) -> Result<ARef<Bo>> {
        let lock = (!own_lock).then_some(&*self.r_obj);

        new_object(&self.drm, &self.counts, id, lock)
    }

    fn vm_bo(&self, obj: &Bo) -> Result<ARef<GpuVmBo<TestVm>>> {
        let alive = Alive::new(&self.counts, Kind::VmBo);

        Ok(self.vm.obtain(obj, alive)?)
    }

    fn context(&self) -> Result<Context> {
        Context::new(&self.counts)
    }

    fn map_with(&mut self, context: &mut Context, vm_bo: &GpuVmBo<TestVm>, part: Part) -> Result {
        self.vm.sm_map(OpMapRequest {
            addr: part.addr,
            range: part.length,
            gem_offset: part.offset,
            vm_bo,
            context,
        })
    }

    fn map(&mut self, vm_bo: &GpuVmBo<TestVm>, part: Part) -> Result<KVec<Step>> {
        let mut context = self.context()?;

        self.map_with(&mut context, vm_bo, part)?;
        Ok(context.steps)
    }

    fn unmap(&mut self, first: u64, length: u64) -> Result<KVec<Step>> {
        let mut context = self.context()?;

        self.vm
            .sm_unmap(START + first * PAGE, length * PAGE, &mut context)?;
        Ok(context.steps)
    }

    /// Ends it, and says what is left.
    fn close(mut self) -> Result<[i32; 4]> {
        let counts = self.counts.clone();

        self.unmap(0, USABLE)?;
        self.vm.deferred_cleanup();
        drop(self);
        Ok(counts.all())
    }
}

fn new_object(
    drm: &drm::Device<TestDriver>,
    counts: &Arc<Counts>,
    id: u32,
    lock: Option<&Bo>,
) -> Result<ARef<Bo>> {
    Bo::new(
        drm,
        OBJECT_PAGES as usize * PAGE_SIZE,
        shmem::ObjectConfig {
            map_wc: false,
            parent_resv_obj: lock,
        },
        (id, Alive::new(counts, Kind::Object)),
    )
}

fn new_vm<T>(drm: &drm::Device<TestDriver>, r_obj: &Bo, data: T) -> Result<UniqueRefGpuVm<T>>
where
    T: DriverGpuVm<Driver = TestDriver, Object = Bo>,
{
    GpuVm::new::<Error, _>(
        c"gpuvm_rust",
        drm,
        r_obj,
        START..START + PAGES * PAGE,
        START + USABLE * PAGE..START + PAGES * PAGE,
        data,
    )
}

fn new_test_vm(
    drm: &drm::Device<TestDriver>,
    counts: &Arc<Counts>,
    r_obj: &Bo,
) -> Result<UniqueRefGpuVm<TestVm>> {
    let data = TestVm {
        pages: no_pages()?,
        _alive: Alive::new(counts, Kind::Vm),
    };

    new_vm(drm, r_obj, data)
}

/// Numbers that are the same each time: xorshift.
struct Random(u64);

impl Random {
    /// One of `0..n`.
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % n
    }
}

#[kunit_tests(drm_gpuvm_rust)]
mod tests {
    use super::*;

    #[test]
    fn vm() -> Result {
        let mut t = Test::new()?;

        assert_eq!(t.vm.va_start(), START);
        assert_eq!(t.vm.va_length(), PAGES * PAGE);
        assert_eq!(t.vm.va_range(), START..START + PAGES * PAGE);

        t.vm.data().pages[0] = Some((1, 2));
        assert!(t.vm.data_ref().pages[0] == Some((1, 2)));

        assert_eq!(t.counts.all(), [1, 1, 0, 0]);
        assert_eq!(t.close()?, [0, 0, 0, 0]);
        Ok(())
    }

    #[test]
    fn vm_keeps_its_object() -> Result {
        let Test {
            vm,
            r_obj,
            drm,
            _parent: parent,
            counts,
        } = Test::new()?;

        drop(r_obj);
        assert_eq!(counts.all(), [1, 1, 0, 0]);

        // The VM has the device, too.
        drop(drm);
        drop(vm);
        assert_eq!(counts.all(), [0, 0, 0, 0]);
        drop(parent);
        Ok(())
    }

    #[test]
    fn vm_bo() -> Result {
        let t = Test::new()?;
        let own = t.object(1, false)?;
        let foreign = t.object(2, true)?;

        assert!(!t.vm.is_extobj(&own));
        assert!(t.vm.is_extobj(&foreign));

        for obj in [&own, &foreign] {
            let vm_bo = t.vm_bo(obj)?;

            assert!(*vm_bo.gpuvm() == *t.vm);
            assert!(core::ptr::eq(vm_bo.obj(), &**obj));
            assert_eq!(vm_bo.data().kind as u32, Kind::VmBo as u32);
            assert_eq!(t.counts.of(Kind::VmBo), 1);

            // The one that is there, and what was made for another is gone.
            let again = t.vm_bo(obj)?;

            assert!(*vm_bo == *again);
            assert_eq!(t.counts.of(Kind::VmBo), 1);

            drop(vm_bo);
            t.vm.deferred_cleanup();
            assert_eq!(t.counts.of(Kind::VmBo), 1);

            drop(again);
            t.vm.deferred_cleanup();
            assert_eq!(t.counts.of(Kind::VmBo), 0);
        }

        drop(own);
        drop(foreign);
        assert_eq!(t.counts.of(Kind::Object), 1);
        assert_eq!(t.close()?, [0, 0, 0, 0]);
        Ok(())
    }

    /// The last reference does not free a vm_bo, nor what that keeps: only the clean-up does.
    #[test]
    fn vm_bo_deferred() -> Result {
        let t = Test::new()?;
        let obj = t.object(1, true)?;
        let vm_bo = t.vm_bo(&obj)?;
        let vm = ARef::from(&*t.vm);
        let counts = t.counts.clone();

        drop(obj);
        drop(t);
        assert_eq!(counts.all(), [2, 1, 1, 0]);
        assert!(vm_bo.obj().id == 1);

        drop(vm_bo);
        assert_eq!(counts.all(), [2, 1, 1, 0]);

        vm.deferred_cleanup();
        assert_eq!(counts.all(), [1, 1, 0, 0]);

        drop(vm);
        assert_eq!(counts.all(), [0, 0, 0, 0]);
        Ok(())
    }

    /// A new vm_bo while the old one still waits for the clean-up.
    #[test]
    fn vm_bo_again_before_cleanup() -> Result {
        let mut t = Test::new()?;
        let obj = t.object(1, true)?;

        drop(t.vm_bo(&obj)?);
        assert_eq!(t.counts.of(Kind::VmBo), 1);

        let vm_bo = t.vm_bo(&obj)?;

        assert_eq!(t.counts.of(Kind::VmBo), 2);
        t.vm.deferred_cleanup();
        assert_eq!(t.counts.of(Kind::VmBo), 1);

        t.map(&vm_bo, part(0, 1, 0))?;
        drop(vm_bo);
        drop(obj);
        assert_eq!(t.close()?, [0, 0, 0, 0]);
        Ok(())
    }

    #[test]
    fn map_and_unmap() -> Result {
        let mut t = Test::new()?;
        let obj = t.object(1, true)?;
        let vm_bo = t.vm_bo(&obj)?;
        let new = part(2, 4, 8);

        assert!(t.map(&vm_bo, new)?[..] == [Step::Map(new)]);
        assert_eq!(t.counts.all(), [2, 1, 1, 1]);
        for (i, page) in t.vm.data_ref().pages.iter().enumerate() {
            let wanted = (2..6).contains(&i).then_some((1, i as u64 + 6));

            assert!(*page == wanted);
        }

        // The mapping keeps the vm_bo, and that the object.
        drop(vm_bo);
        drop(obj);
        t.vm.deferred_cleanup();
        assert_eq!(t.counts.all(), [2, 1, 1, 1]);

        // Not there
        assert!(t.unmap(6, 54)?.is_empty());
        assert!(t.unmap(0, 2)?.is_empty());

        let step = Step::Unmap {
            old: new,
            keep: false,
        };

        assert!(t.unmap(2, 4)?[..] == [step]);
        assert!(t.vm.data_ref().pages[..] == no_pages()?[..]);
        assert_eq!(t.counts.all(), [2, 1, 1, 0]);

        t.vm.deferred_cleanup();
        assert_eq!(t.counts.all(), [1, 1, 0, 0]);
        assert_eq!(t.close()?, [0, 0, 0, 0]);
        Ok(())
    }

    #[test]
    fn map_splits() -> Result {
        let mut t = Test::new()?;
        let old_obj = t.object(1, true)?;
        let new_obj = t.object(2, false)?;
        let old_bo = t.vm_bo(&old_obj)?;
        let new_bo = t.vm_bo(&new_obj)?;
        let (old, new) = (part(8, 8, 16), part(10, 3, 0));
        let (prev, next) = (part(8, 2, 16), part(13, 3, 21));

        t.map(&old_bo, old)?;
        let steps = t.map(&new_bo, new)?;

        assert!(
            steps[..]
                == [
                    Step::Remap {
                        old,
                        prev: Some(prev),
                        next: Some(next),
                        keep: false,
                    },
                    Step::Map(new),
                ]
        );
        assert_eq!(t.counts.all(), [3, 1, 2, 3]);

        let mut steps = KVec::new();

        for old in [prev, new, next] {
            steps.push(Step::Unmap { old, keep: false }, GFP_KERNEL)?;
        }
        assert!(t.unmap(0, USABLE)?[..] == steps[..]);
        assert_eq!(t.counts.of(Kind::Va), 0);

        drop((old_obj, new_obj, old_bo, new_bo));
        assert_eq!(t.close()?, [0, 0, 0, 0]);
        Ok(())
    }

    /// The same mapping once more, and a part of it: the page table may stay as it is.
    #[test]
    fn map_keeps() -> Result {
        let mut t = Test::new()?;
        let obj = t.object(1, true)?;
        let vm_bo = t.vm_bo(&obj)?;
        let (all, head) = (part(8, 8, 16), part(8, 2, 16));

        t.map(&vm_bo, all)?;
        let steps = t.map(&vm_bo, all)?;

        assert!(
            steps[..]
                == [
                    Step::Unmap {
                        old: all,
                        keep: true,
                    },
                    Step::Map(all),
                ]
        );

        let steps = t.map(&vm_bo, head)?;

        assert!(
            steps[..]
                == [
                    Step::Remap {
                        old: all,
                        prev: None,
                        next: Some(part(10, 6, 18)),
                        keep: true,
                    },
                    Step::Map(head),
                ]
        );
        assert_eq!(t.counts.all(), [2, 1, 1, 2]);

        drop((obj, vm_bo));
        assert_eq!(t.close()?, [0, 0, 0, 0]);
        Ok(())
    }

    #[test]
    fn unmap_splits() -> Result {
        let mut t = Test::new()?;
        let obj = t.object(1, false)?;
        let vm_bo = t.vm_bo(&obj)?;
        let old = part(10, 10, 0);
        // What is unmapped, and what stays.
        let cases = [
            (8, 4, None, Some(part(12, 8, 2))),
            (18, 4, Some(part(10, 8, 0)), None),
            (13, 2, Some(part(10, 3, 0)), Some(part(15, 5, 5))),
        ];

        drop(obj);
        for (first, length, prev, next) in cases {
            t.map(&vm_bo, old)?;
            let steps = t.unmap(first, length)?;
            let remap = Step::Remap {
                old,
                prev,
                next,
                keep: false,
            };
            let left = prev.iter().count() + next.iter().count();

            assert!(steps[..] == [remap]);
            assert_eq!(t.counts.all(), [2, 1, 1, left as i32]);
            assert_eq!(t.unmap(0, USABLE)?.len(), left);
        }

        drop(vm_bo);
        assert_eq!(t.close()?, [0, 0, 0, 0]);
        Ok(())
    }

    #[test]
    fn bad_ranges() -> Result {
        let mut t = Test::new()?;
        let obj = t.object(1, true)?;
        let vm_bo = t.vm_bo(&obj)?;
        let end = START + PAGES * PAGE;
        let bad = [
            (START, 0),
            (0, PAGE),
            (START - PAGE, 2 * PAGE),
            (end - PAGE, 2 * PAGE),
            (end, PAGE),
            (START + USABLE * PAGE, PAGE),
            (START + (USABLE - 1) * PAGE, 2 * PAGE),
            (START, u64::MAX),
            (u64::MAX - PAGE + 1, PAGE),
            (u64::MAX - PAGE + 1, 2 * PAGE),
        ];

        t.map(&vm_bo, part(0, USABLE, 0))?;
        for (addr, length) in bad {
            let mut context = t.context()?;
            let part = Part {
                addr,
                length,
                offset: 0,
            };

            assert!(t.map_with(&mut context, &vm_bo, part) == Err(EINVAL));
            assert!(t.vm.sm_unmap(addr, length, &mut context) == Err(EINVAL));
            assert!(context.steps.is_empty());
        }
        assert_eq!(t.counts.of(Kind::Va), 1);

        drop((obj, vm_bo));
        assert_eq!(t.close()?, [0, 0, 0, 0]);
        Ok(())
    }

    #[test]
    fn vm_bo_of_another_vm() -> Result {
        let mut t = Test::new()?;
        let obj = t.object(1, true)?;
        let other = new_test_vm(&t.drm, &t.counts, &t.r_obj)?;
        let vm_bo = other.obtain(&obj, Alive::new(&t.counts, Kind::VmBo))?;
        let mut context = t.context()?;

        assert!(*vm_bo.gpuvm() != *t.vm);
        assert!(t.map_with(&mut context, &vm_bo, part(0, 1, 0)) == Err(EINVAL));
        assert!(context.steps.is_empty());

        drop((obj, vm_bo));
        other.deferred_cleanup();
        drop(other);
        assert_eq!(t.counts.all(), [1, 1, 0, 0]);
        assert_eq!(t.close()?, [0, 0, 0, 0]);
        Ok(())
    }

    /// The core allocates and frees the vm_bos when there is nothing to keep in them.
    #[test]
    fn plain_vm() -> Result {
        let t = Test::new()?;
        let obj = t.object(1, true)?;
        let mut vm = new_vm(&t.drm, &t.r_obj, PlainVm)?;
        let vm_bo = vm.obtain(&obj, ())?;
        let mut spare = KVec::new();

        assert!(*vm_bo == *vm.obtain(&obj, ())?);
        for _ in 0..4 {
            spare.push(GpuVaAlloc::new(GFP_KERNEL)?, GFP_KERNEL)?;
        }
        for part in [part(0, 8, 0), part(2, 2, 20)] {
            vm.sm_map(OpMapRequest {
                addr: part.addr,
                range: part.length,
                gem_offset: part.offset,
                vm_bo: &vm_bo,
                context: &mut spare,
            })?;
        }
        assert!(spare.is_empty());
        vm.sm_unmap(START, 8 * PAGE, &mut spare)?;

        drop((obj, vm_bo));
        assert_eq!(t.counts.of(Kind::Object), 2);
        vm.deferred_cleanup();
        assert_eq!(t.counts.of(Kind::Object), 1);
        drop(vm);
        assert_eq!(t.close()?, [0, 0, 0, 0]);
        Ok(())
    }

    /// What a callback returns comes back; what was done before stays done, and nothing follows.
    #[test]
    fn callbacks_fail() -> Result {
        let mut t = Test::new()?;
        let obj = t.object(1, true)?;
        let vm_bo = t.vm_bo(&obj)?;
        let old = [part(10, 4, 0), part(14, 4, 30), part(18, 4, 8)];
        let new = part(12, 8, 40);
        // Which of the pages from 10 to 21 are mapped then, and by how many mappings.
        let cases = [
            (0, 0b1111_1111_1111, 3),
            (1, 0b1111_1111_0011, 3),
            (2, 0b1111_0000_0011, 2),
            (3, 0b1100_0000_0011, 2),
        ];

        for (fail_at, mapped, vas) in cases {
            for old in old {
                t.map(&vm_bo, old)?;
            }

            let mut context = t.context()?;

            context.fail_at = Some(fail_at);
            assert!(t.map_with(&mut context, &vm_bo, new) == Err(ENOSPC));
            assert_eq!(context.steps.len(), fail_at);
            for (i, page) in t.vm.data_ref().pages[10..22].iter().enumerate() {
                assert_eq!(page.is_some(), mapped >> i & 1 == 1);
            }
            assert_eq!(t.counts.of(Kind::Va), vas);

            t.map(&vm_bo, new)?;
            t.unmap(0, USABLE)?;
            assert_eq!(t.counts.of(Kind::Va), 0);
        }

        t.map(&vm_bo, old[0])?;
        for first in [10, 11] {
            let mut context = t.context()?;

            context.fail_at = Some(0);
            assert!(t.vm.sm_unmap(START + first * PAGE, 4 * PAGE, &mut context) == Err(ENOSPC));
            assert_eq!(t.counts.of(Kind::Va), 1);
        }

        drop((obj, vm_bo));
        assert_eq!(t.close()?, [0, 0, 0, 0]);
        Ok(())
    }

    /// Random requests. The page table has to be that of a model which knows nothing but pages.
    #[test]
    fn random() -> Result {
        let mut t = Test::new()?;
        let mut random = Random(0x5eed);
        let mut model = no_pages()?;
        let objects = [t.object(1, true)?, t.object(2, false)?];

        for _ in 0..2000 {
            let first = random.below(USABLE);
            let length = 1 + random.below(USABLE - first);
            let new = part(first, length, random.below(OBJECT_PAGES - length + 1));
            let mut page = None;

            match objects.get(random.below(3) as usize) {
                Some(obj) => {
                    page = Some((obj.id, new.offset / PAGE));
                    let vm_bo = t.vm_bo(obj)?;

                    t.map(&vm_bo, new)?;
                }
                None => {
                    t.unmap(first, length)?;
                }
            }
            write_pages(&mut model, new.addr..new.end(), page);
            assert!(t.vm.data_ref().pages[..] == model[..]);

            if random.below(8) == 0 {
                t.vm.deferred_cleanup();
                // Those of objects that are mapped.
                let used = [1, 2].map(|id| model.iter().flatten().any(|page| page.0 == id) as i32);

                assert_eq!(t.counts.of(Kind::VmBo), used[0] + used[1]);
            }
        }

        let vas = t.counts.of(Kind::Va);

        assert_eq!(t.unmap(0, USABLE)?.len() as i32, vas);
        drop(objects);
        assert_eq!(t.close()?, [0, 0, 0, 0]);
        Ok(())
    }
}

struct RustTests;

impl kernel::Module for RustTests {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self)
    }
}

module! {
    type: RustTests,
    name: "drm_gpuvm_rust_kunit",
    description: "KUnit tests for DRM GPUVM's Rust abstraction",
    license: "Dual MIT/GPL",
}
