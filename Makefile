# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# For users; the kernel builds this directory by Kbuild. KSRC=DIR: your own kernel tree.

export KSRC

.PHONY: help
help:
	@echo "Use it:"
	@echo "  make run [SCRIPT=FILE]          6 s     replay a bind script in a kernel with DRM GPUVM and vbind; stream a texture"
	@echo "  make view FILE=.. [OUT=SVG]     1 s     draw a VA space from debugfs' gpuvas, a bind script or a trace"
	@echo "  make install KSRC=DIR           1 s     put our files into the kernel tree DIR itself"
	@echo "  make module [KDIR=DIR]          1 min   vbind with our core in it, for the running kernel or the headers in DIR"
	@echo "  make kernel                     1 min   get the kernel source and lay our files over a copy of it"
	@echo "  make patches                    2 min   our files as a series of patches against the kernel"
	@echo "  make htmldocs                   11 s    our pages as HTML, by the kernel's own Sphinx set-up"
	@echo "  make clean                      1 s     remove what was built; the kernel source and ccache stay"
	@echo
	@echo "Check it:"
	@echo "  make check                      5 min   all that CI runs: most of lint, KUnit, ioctls, the real drivers"
	@echo "  make quick                      3 min   user space, KUnit and ioctl tests, for daily work"
	@echo "  make lint                       2 min   checkpatch, kernel-doc, W=1 and 2, sparse, clang and its analyzer"
	@echo "  make stress [SECONDS=60]        5 min   threads against each other in three kernels; a hostile process and a polite one"
	@echo "  make prove                      15 min  all values of a few bits, all schedules of a few threads"
	@echo "  make fuzz [SECONDS=60]          1 min   libFuzzer on the core, against a model"
	@echo "  make coverage                   2 min   which lines and branches of the core the tests reach"
	@echo "  make mutants                    8 min   whether the tests notice small mistakes in the core"
	@echo "  make coccicheck                 2 min   Coccinelle rules on the core, vbind and the drivers"
	@echo "  make check-mainline             7 min   our KUnit suites against Linux's own core"
	@echo "  make check-patches              32 min  build and test each step of the series"
	@echo "  make check-drivers              27 min  the real drivers on x86_64 and arm64, in QEMU; xe's KUnit suites"
	@echo "  make check-panthor              2 min   panthor's VM_BIND on a Mali in software, with our core and Linux's own"
	@echo "  make check-arch [ARCH=..]       5 min   the KUnit suites on arm64, i386 and s390, in QEMU"
	@echo "  make check-configs [NAMES=..]   37 min  kernels with odd configurations: do we compile, link, run"
	@echo "  make check-headers [ARGS=7.2]   2 min   our modules for Debian's packaged kernel, and in it, in QEMU"
	@echo "  make check-rust                 4 min   tyr and our KUnit suite in Rust, on a kernel with Rust, in QEMU"
	@echo
	@echo "Measure it:"
	@echo "  make bench [ARGS=...]           2 min   our core against Linux's own, in user space: time, instructions, memory"
	@echo "  make bench-kernel               1 min   the same in a kernel: User Mode Linux, or with ARGS=x86_64 in QEMU"
	@echo "  make bench-vbind                2 min   binds through vbind's ioctl, with our core and Linux's own: time, instructions"
	@echo "  make bench-panthor              1 min   binds per second through panthor's ioctl, with our core and Linux's own"
	@echo
	@echo "The times are from two processors, with what earlier runs built; the first run of any takes minutes more."
	@echo "KSRC=DIR with any of them but bench and bench-kernel: use the kernel tree DIR (7.3 or 7.2) instead of Debian's; it stays as it is."

.PHONY: run
run:
	@scripts/setup run
	@scripts/run $(SCRIPT)

.PHONY: quick
quick:
	@scripts/setup quick
	@scripts/check/all --quick

.PHONY: check
check:
	@scripts/setup check
	@scripts/check/all

.PHONY: stress
stress:
	@scripts/setup check
	@scripts/check/stress $(SECONDS)

.PHONY: lint
lint:
	@scripts/setup lint
	@scripts/check/lint

.PHONY: coccicheck
coccicheck:
	@scripts/setup coccicheck
	@scripts/check/coccicheck

.PHONY: check-mainline
check-mainline:
	@scripts/setup quick
	@scripts/check/mainline

.PHONY: check-arch
check-arch:
	@scripts/setup arch
	@scripts/check/arch $(ARCH)

.PHONY: check-drivers
check-drivers:
	@scripts/setup drivers
	@scripts/check/drivers x86_64 arm64 xe

.PHONY: check-configs
check-configs:
	@scripts/setup configs
	@scripts/check/configs $(NAMES)

.PHONY: check-headers
check-headers:
	@scripts/setup headers
	@scripts/check/headers $(ARGS)

.PHONY: check-rust
check-rust:
	@scripts/setup rust
	@scripts/check/drivers rust

.PHONY: bench
bench:
	@scripts/setup bench
	@scripts/bench/core $(ARGS)

.PHONY: bench-kernel
bench-kernel:
	@scripts/setup bench-kernel
	@scripts/bench/kernel $(ARGS)

.PHONY: coverage
coverage:
	@scripts/setup coverage
	@scripts/check/coverage

.PHONY: mutants
mutants:
	@scripts/setup mutants
	@scripts/check/mutants

.PHONY: fuzz
fuzz:
	@scripts/setup fuzz
	@scripts/check/fuzz $(or $(SECONDS),60) $(SEED)

.PHONY: prove
prove:
	@scripts/setup prove
	@scripts/check/prove

.PHONY: check-panthor
check-panthor:
	@scripts/setup panthor
	@scripts/check/panthor $(ARGS)

.PHONY: bench-panthor
bench-panthor:
	@scripts/setup panthor
	@scripts/bench/panthor $(ARGS)

.PHONY: bench-vbind
bench-vbind:
	@scripts/setup bench-kernel
	@scripts/bench/vbind $(ARGS)

.PHONY: htmldocs
htmldocs:
	@scripts/setup docs
	@scripts/check/htmldocs

.PHONY: view
view:
	@test -n "$(FILE)" || { echo "make view FILE=... [OUT=file.svg] [ARGS=...]" >&2; exit 2; }
	@tools/gpuvm-view $(ARGS) $(if $(OUT),-o "$(OUT)") "$(FILE)"

.PHONY: patches
patches:
	@scripts/setup patches
	@scripts/series/patches

.PHONY: check-patches
check-patches:
	@scripts/setup patches
	@scripts/series/check $(ARGS)

.PHONY: kernel
kernel:
	@scripts/setup run
	@scripts/kernel/tree

.PHONY: install
install:
	@scripts/kernel/overlay --in-place "$(KSRC)"

.PHONY: module
module:
	@scripts/kernel/module $(KDIR)

.PHONY: clean
clean:
	@scripts/clean
