# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# For users; the kernel builds this directory by Kbuild. KSRC=DIR: your own kernel tree.

export KSRC

.PHONY: help
help:
	@echo "make run [SCRIPT=FILE]   replay a bind script in a kernel with DRM GPUVM and vbind; stream a sparse texture"
	@echo "make check               all tests: most of lint, KUnit, ioctls, the real drivers"
	@echo "make quick               KUnit and ioctl tests, for daily work"
	@echo "make stress [SECONDS=60] threads against each other in three kernels: KASAN and lockdep, two CPUs, KCSAN"
	@echo "make lint                checkpatch, kernel-doc, W=1 and 2, sparse, clang and its analyzer, spelling"
	@echo "make coccicheck          Coccinelle rules on the core, vbind and the drivers"
	@echo "make check-mainline      our KUnit suites against Linux's own core"
	@echo "make check-arch [ARCH=..] the KUnit suites on arm64, i386 and s390, in QEMU"
	@echo "make check-drivers       the real drivers on x86_64 and arm64, in QEMU; xe's KUnit suites"
	@echo "make check-configs [NAMES=..] kernels with odd configurations: do we compile, link, run"
	@echo "make check-headers [ARGS=7.2] our modules for Debian's packaged kernel, and in it, in QEMU"
	@echo "make check-rust          tyr and our KUnit suite in Rust, on a kernel with Rust, in QEMU"
	@echo "make bench [ARGS=...]    our core against Linux's own, in user space: time, instructions, memory"
	@echo "make bench-kernel        the same in a kernel: User Mode Linux, or with ARGS=x86_64 in QEMU"
	@echo "make coverage            which lines and branches of the core the tests reach"
	@echo "make mutants             whether the tests notice small mistakes in the core"
	@echo "make prove               the core with all values of a few bits, in all schedules of a few threads, and mistakes to find"
	@echo "make fuzz [SECONDS=60]   libFuzzer on the core, against a model"
	@echo "make bench-vbind         binds per second through vbind's ioctl, with our core and Linux's own"
	@echo "make htmldocs            our pages as HTML, by the kernel's own Sphinx set-up; no warning is let through"
	@echo "make view FILE=.. [OUT=SVG] draw a VA space from debugfs' gpuvas, a bind script or a trace"
	@echo "make patches             our files as a series of patches against the kernel, in reviewable steps"
	@echo "make check-patches       build and test each step of that series"
	@echo "make kernel              get the kernel source and lay our files over a copy of it"
	@echo "make install KSRC=DIR    put our files into the kernel tree DIR itself"
	@echo "make module [KDIR=DIR]   build vbind with our core in it for the running kernel, or the headers in DIR"
	@echo "make clean               remove what was built; the kernel source and ccache stay"
	@echo
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

.PHONY: prove
prove:
	@scripts/setup prove
	@scripts/check/prove

.PHONY: fuzz
fuzz:
	@scripts/setup fuzz
	@scripts/check/fuzz $(or $(SECONDS),60) $(SEED)

.PHONY: bench-vbind
bench-vbind:
	@scripts/setup run
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
