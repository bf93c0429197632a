# SPDX-License-Identifier: GPL-2.0-only OR MIT
# shellcheck shell=bash disable=SC2034
#
# Shared by the scripts beside it, which source it. Standard output is for results, standard error for progress.

set -euo pipefail
export LC_ALL=C

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(dirname "$scripts")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/drm-gpuvm

# depmod, on a user's path too
PATH=$PATH:/usr/sbin:/sbin
export CCACHE_DIR=$cache/ccache CCACHE_MAXSIZE=3G PYTHONDONTWRITEBYTECODE=1
mkdir -p "$cache/log" "$CCACHE_DIR"
trap 'kill $(jobs -p) 2>/dev/null || :' EXIT

say() { printf '%s\n' "$*" >&2; }
die() { say "${0##*/}: $*"; exit 1; }

# need_space MEGABYTES: what a step is about to write into the cache.
need_space() {
	local free

	free=$(($(df --output=avail -m "$cache" | tail -n 1)))
	((free >= $1)) || die "$cache has $free MB free, $1 MB are needed: make room, or set XDG_CACHE_HOME to another disk"
}

# One user of the cache's trees and build directories at a time, whole runs included.
lock() {
	[[ -z ${DRM_GPUVM_LOCKED:-} ]] || return 0
	exec 9>"$cache/lock"
	flock -n 9 || { say "waiting for another run to finish"; flock 9; }
	export DRM_GPUVM_LOCKED=1
}

# A sign of life while a long step runs.
ticker() {
	while sleep 5 >/dev/null 2>&1; do
		if [[ -t 2 ]]; then
			printf '\r%s ... %d s' "$1" $((SECONDS - start)) >&2
		else
			printf '.' >&2
		fi
	done
}

# step NAME TEXT COMMAND...: run COMMAND with its output in log/NAME.log. The caller looks at the status, so "set -e" does not
# work in a COMMAND that is a function: it has to chain what it does.
step() {
	local log=$cache/log/$1.log text=$2 start=$SECONDS status=0 tick
	shift 2

	printf '%s ...' "$text" >&2
	ticker "$text" 9>&- &
	tick=$!
	# In the background, where wait can be interrupted by a signal.
	"$@" >"$log" 2>&1 9>&- </dev/null &
	wait $! || status=$?
	kill $tick
	wait $tick 2>/dev/null || :

	[[ ! -t 2 ]] || printf '\r%s ...' "$text" >&2
	if ((status)); then
		printf ' failed after %d s\n' $((SECONDS - start)) >&2
		tail -n 30 "$log" | sed 's/^/    /' >&2
		say "    (the whole log: $log)"
	else
		printf ' %d s   \n' $((SECONDS - start)) >&2
	fi
	return $status
}

# apt_setup ARCHITECTURE: for apt_look and apt_get, an apt with lists and a cache of its own in $tmp, which goes away with the
# script. The machine's own set-up stays as it is. Sets sites, the mirrors in it over http, those of Debian proper first.
apt_setup() {
	local file tool

	for tool in apt-get dpkg-deb xz; do
		command -v "$tool" >/dev/null || die "$tool is missing: install the packages apt, dpkg and xz-utils"
	done
	tmp=$(mktemp -d "$cache/fetch.XXXXXX")
	trap 'kill $(jobs -p) 2>/dev/null || :; rm -rf "$tmp"' EXIT
	mkdir -p "$tmp"/lists/partial "$tmp"/cache/archives/partial

	# As root, apt's unprivileged user could not get into them.
	apt_options=(-o Dir::Etc::sourcelist="$tmp/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o Dir::State::Lists="$tmp/lists" -o Dir::Cache="$tmp/cache" -o APT::Sandbox::User=root
		-o Acquire::Languages=none -o Acquire::Retries=2 -o APT::Architecture="$1" -o APT::Architectures="$1")
	mapfile -t sites < <(apt-get indextargets --format '$(LABEL) $(SITE)' | awk '{ print ($1 != "Debian"), $NF }' |
		sort -u | awk '$2 ~ /^http/ && !seen[$2]++ { print $2 }')
	((${#sites[@]})) || die "apt has no Debian mirror over http: set one up; for the kernel source, KSRC=DIR does without"

	# A keyring that is not at its usual place is one that apt finds by itself.
	keyring=
	for file in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
		[[ ! -r $file ]] || keyring="[signed-by=$file] "
	done
}

# apt_look SITE SUITE...: what there is. A suite that the mirror does not have is an error, but the others can be used.
apt_look() {
	printf "deb $keyring$1 %s main\n" "${@:2}" >"$tmp/sources.list"
	apt-get "${apt_options[@]}" update
}

# apt_versions PACKAGE...: PACKAGE VERSION, releases before release candidates, then the newest first.
apt_versions() { apt-cache "${apt_options[@]}" madison "$@" 2>/dev/null | awk '{ print $1, $3 }' | newest; }
newest() { awk '{ print ($NF ~ /~rc/), $0 }' | sort -k 1,1n -k 2Vr | cut -d ' ' -f 2-; }

# apt_get PACKAGE[=VERSION]...: into $tmp.
apt_get() { cd "$tmp" && apt-get "${apt_options[@]}" download "$@"; }

# Sets src (a pristine kernel), tree (a copy with our files in it) and build (where the O= directories are). With core=mainline the
# copy has Linux's own core, and only our tests.
kernel_tree() {
	local id

	lock
	if [[ ${KSRC:-} ]]; then
		src=$(realpath -e "$KSRC" 2>/dev/null) || die "KSRC=$KSRC: no such directory"
		id=ksrc-$(cksum <<<"$src" | cut -d ' ' -f 1)
	else
		src=$("$scripts/kernel/source")
		id=${src##*/}
	fi
	id+=${core:+-$core}
	tree=$cache/tree/$id
	build=$cache/build/$id
	"$scripts/kernel/overlay" ${core:+"--$core"} "$src" "$tree"
}

# in_debian COMMAND...: COMMAND in the Debian that is in $debian, where the cache is at its usual place. Its mounts end with it.
in_debian() {
	unshare --mount bash -c '
		root=$1 cache=$2
		mkdir -p "$root$cache" && mount --bind "$cache" "$root$cache" && mount --bind /dev "$root/dev" &&
			mount -t proc proc "$root/proc" && exec chroot "$root" "${@:3}"' in_debian "${debian:-}" "$cache" "$@"
}

# kmake NAME ARGUMENT...: make in the O= directory build/NAME, with ${cross}gcc, or $cc if that is set, and with $hostcc; in $debian,
# if that is set.
kmake() {
	local o=$build/$1
	shift

	${debian:+in_debian} make -C "$tree" O="$o" -j"$(nproc)" CROSS_COMPILE="${cross:-}" CC="ccache ${cc:-${cross:-}gcc}" \
		HOSTCC="${hostcc:-ccache gcc}" "$@"
}

# configure NAME ARCH FRAGMENT...: tinyconfig plus the fragments, redone when one of them changes. Of an option's values the last one
# counts.
configure() {
	local name=$1 arch=$2 o=$build/$1 line
	shift 2

	mkdir -p "$o"
	if [[ -e $o/.config ]] && cat "$@" | cmp -s - "$o/fragments"; then
		return 0
	fi
	kmake "$name" ARCH="$arch" tinyconfig && cat "$@" >>"$o/.config" && kmake "$name" ARCH="$arch" olddefconfig || return
	while read -r line; do
		case $line in
		*=n) ! grep -q "^${line%n}" "$o/.config" ;;
		*) grep -qxF "$line" "$o/.config" ;;
		esac || { echo "$line: not possible in this kernel"; return 1; }
	done < <(cat "$@" | awk -F = '/^CONFIG_/ { line[$1] = $0 } END { for (option in line) print line[option] }')
	cat "$@" >"$o/fragments"
}

# kunit_py NAME ACTION OPTION...: kunit.py on build/NAME, a kernel with the KUnit tests, built by ${cross}gcc.
kunit_py() {
	local name=$1 action=$2
	shift 2

	[[ $action == exec ]] || set -- --jobs="$(nproc)" "$@"
	mkdir -p "$build/$name" && cd "$tree" && timeout "${limit:-0}" tools/testing/kunit/kunit.py "$action" --build_dir="$build/$name" \
		--make_options="CC=ccache ${cross:-}gcc" --make_options="HOSTCC=ccache gcc" \
		--kunitconfig=drivers/gpu/drm/gpuvm/tests "$@"
}

# Not for Linux 7.2
has_mock() { [[ -e $tree/drivers/gpu/drm/gpuvm/tests/mock ]]; }

# kunit NAME ACTION OPTION...: the same for User Mode Linux with vbind and configs/NAME.config; debug has panthor on its mock as well.
kunit() {
	local configs=(um lean "$1")

	[[ $1 != debug ]] || ! has_mock || configs+=(panthor)
	configs=("${configs[@]/#/"--kunitconfig=$scripts/kernel/configs/"}")
	kunit_py "$1" "$2" "${configs[@]/%/.config}" "${@:3}"
}

# kunit_cases JSON: a line for each test case, kunit.py's status and then the name. A case whose kernel died has a line, too.
kunit_cases() {
	python3 - "$1" <<-'EOF'
		import json, sys

		def walk(group, path):
		    for case in group.get("test_cases", []):
		        print(case["status"], path + case["name"])
		    for sub in group.get("sub_groups", []):
		        walk(sub, path + sub["name"] + ".")

		walk(json.load(open(sys.argv[1])), "")
	EOF
}

# count_kunit JSON [PREFIX]: every test case of kunit.py's results.
count_kunit() {
	local status case tests=0

	[[ -s $1 ]] || { fail "${2:-}kunit.py has no results"; return; }
	while read -r status case; do
		tests=$((tests + 1))
		case $status in
		PASS) pass ;;
		SKIP) say "skipped: ${2:-}$case" ;;
		*) fail "${2:-}$case ($status)" ;;
		esac
	done < <(kunit_cases "$1")
	((tests)) || fail "${2:-}no test ran"
}

# build_tools [NAME VARIABLE...]: the user-space programs, for the guest, in build/NAME or build/tools.
build_tools() {
	local dir

	for dir in tools tests/ioctl bench/ioctl; do
		make -C "$repo/$dir" O="$build/${1:-tools}" CC="ccache ${cross:-}gcc" "${@:2}" || return
	done
}

program() { echo "file /bin/$1 $build/tools/$1 0755 0 0"; }

# initramfs NAME LINE...: the guest's files, in build/NAME/initramfs, packed by build/NAME's own gen_init_cpio. LINEs are
# further entries in its language. $busybox, if set, is that of another architecture.
initramfs() {
	local o=$build/$1
	shift

	{
		printf 'dir /%s 0755 0 0\n' bin dev proc sys tmp
		echo "nod /dev/console 0600 0 0 c 5 1"
		echo "file /bin/busybox ${busybox:-$(command -v busybox)} 0755 0 0"
		echo "slink /bin/sh busybox 0777 0 0"
		echo "file /init $scripts/kernel/guest/init 0755 0 0"
		echo "file /tap $scripts/kernel/guest/tap 0644 0 0"
		printf '%s\n' "$@"
	} >"$o/initramfs.list"
	"$o/usr/gen_init_cpio" "$o/initramfs.list" >"$o/initramfs"
}

# Linux's own core takes the place of ours in the tree, so that ccache has most of a second kernel already; not through a hard link.
put_linux_core() {
	local file

	for file in drivers/gpu/drm/gpuvm/drm_gpuvm.c include/drm/drm_gpuvm.h; do
		rm "$tree/$file" || return
	done
	cp "$src/drivers/gpu/drm/drm_gpuvm.c" "$tree/drivers/gpu/drm/gpuvm/" && cp "$src/include/drm/drm_gpuvm.h" "$tree/include/drm/"
}
put_our_core() { "$scripts/kernel/overlay" "$src" "$tree"; }

# For panthor on the mocked Mali: kernels with our core and Linux's own, panthor-ours and panthor-linux, and with our core and a patched
# driver, panthor-mended; the programs that use it, and the guest's files, among them what the driver takes for its firmware.
panthor_kernels() {
	panthor_kernel ours || return
	trap 'put_our_core; put_driver; kill $(jobs -p) 2>/dev/null || :' EXIT
	put_linux_core && panthor_kernel linux
	put_our_core && put_driver "$repo/tests/drivers/panthor-widen.patch" && panthor_kernel mended
	put_driver
}

# put_driver [PATCH]: panthor as it is, or patched; not through a hard link.
put_driver() {
	local file=drivers/gpu/drm/panthor/panthor_mmu.c

	rm -f "$tree/$file" || return
	if (($#)); then patch -s -o "$tree/$file" "$src/$file" "$1"; else cp -p "$src/$file" "$tree/$file"; fi
}
panthor_kernel() {
	configure "panthor-$1" um "$scripts/kernel/configs/"{um,panthor,linux-core}.config && kmake "panthor-$1" ARCH=um linux
}
build_panthor_tools() { make -C "$repo/tests/panthor" O="$build/panthor-tools" KSRC="$src" CC="ccache gcc"; }
panthor_initramfs() {
	local dir path=

	"$repo/tests/panthor/make-firmware" "$build/panthor-tools/firmware"
	for dir in lib firmware arm mali arch10.8; do
		path+=/$dir
		set -- "$@" "dir $path 0755 0 0"
	done
	initramfs "$1" "file /bin/$2 $build/panthor-tools/$2 0755 0 0" "file /test $scripts/kernel/guest/test-panthor 0755 0 0" "${@:3}" \
		"file $path/mali_csffw.bin $build/panthor-tools/firmware 0644 0 0"
}

# install_modules NAME ARCH: the modules of build/NAME, into its root.
install_modules() {
	rm -rf "$build/$1/root" && kmake "$1" ARCH="$2" INSTALL_MOD_PATH="$build/$1/root" INSTALL_MOD_STRIP=1 modules_install
}

# module_entries NAME: initramfs' lines for them.
module_entries() {
	(cd "$build/$1/root" && find lib -type d -printf 'dir /%p 0755 0 0\n' -o -type f -printf "file /%p $PWD/%p 0644 0 0\n")
}

# boot_um NAME MEMORY COMMAND...: run a program in the UML kernel build/NAME, which gets $um_options, too. Its output is ours; the
# kernel's goes to log/NAME-boot.log. Returns the program's exit status.
boot_um() {
	local o=$build/$1 memory=$2 log=$cache/log/$1-boot.log
	shift 2

	# shellcheck disable=SC2086
	"$o/linux" mem="$memory" ${um_options:-} initrd="$o/initramfs" root=/dev/ram0 console=tty0 con=null con0=null,fd:2 con1=null,fd:1 OUTPUT=/dev/tty1 \
		-- "$@" 2>"$log" </dev/null | tr -d '\r' || :
	exit_status "$log"
}

# boot_qemu LOG KERNEL INITRAMFS PARAMETERS: the same with the caller's ${qemu[@]}, which has a second console for the output.
boot_qemu() {
	# shellcheck disable=SC2154
	timeout 900 "${qemu[@]}" -m 1G -smp 2 -nodefaults -display none -no-reboot -serial "file:$1" \
		-kernel "$2" -initrd "$3" -append "panic=-1 $4" | tr -d '\r' || :
	exit_status "$1"
}
qemu_x86_64=(qemu-system-x86_64 -accel tcg -cpu max -chardev "stdio,id=tap" -device "isa-serial,index=1,chardev=tap")

# The guest's last words. Without them its kernel died.
exit_status() {
	local status

	status=$(sed -n 's/.*guest: exit status \([0-9]*\).*/\1/p' "$1" | tail -n 1)
	if [[ -z $status ]]; then
		tail -n 30 "$1" | sed 's/^/    /' >&2
		say "the guest did not finish (the whole log: $1)"
		status=1
	fi
	return "$status"
}

# The sums that finish() prints.
passed=0
failed=0
pass() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); say "FAILED: $*"; }

# check TEXT COMMAND...: passed when the command says yes.
check() {
	if "${@:2}"; then
		pass
	else
		fail "$1"
	fi
}

# count_tap FILE: every test of a TAP output, which has to keep to its plan.
count_tap() {
	local line plan tests=0

	plan=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$1" | head -n 1)
	while read -r line; do
		tests=$((tests + 1))
		case $line in
		*"# SKIP"*) say "skipped: $line" ;;
		ok*) pass ;;
		*) fail "$line" ;;
		esac
	done < <(grep -E '^(not )?ok ' "$1")
	[[ $tests == "$plan" ]] || fail "$tests tests ran, ${plan:-an unknown number} were planned"
}

# lacks FILE PATTERN: there is a FILE with something in it, but nothing like PATTERN.
lacks() {
	[[ -s $1 ]] || { say "$1 is missing or empty"; return 1; }
	! grep -E -A 20 "$2" "$1" >&2
}

# clean_log FILE: nothing in a kernel log that points at a mistake. A process that is killed for want of memory is none, but has its
# backtrace there.
clean_log() {
	[[ -s $1 ]] || { say "$1 is missing or empty"; return 1; }
	sed '/invoked oom-killer/,/[Oo]ut of memory: Killed process/d' "$1" >"$1.clean"
	lacks "$1.clean" "$splat"
}

# no_findings FILE: no warning or error about our files in what compilers and checkers said, but for what $left_out matches.
no_findings() {
	local ours='(^|/)(drivers/gpu/drm/gpuvm/[a-z_/]+|include/drm/drm_gpuvm|include/uapi/drm/vbind_drm|(tools|bench|tests/(ioctl|panthor|prove|userspace))/[a-z_/-]+)\.[ch]:'

	[[ -s $1 ]] || { say "$1 is missing or empty"; return 1; }
	! grep -E "$ours.*(warning|error):" "$1" | grep -vE "tools/include/${left_out:+|$left_out}" >&2
}

# git in the repository of the series that scripts/series/patches makes. Its work tree has the files of one step.
series_git() {
	git --git-dir="$cache/patches/git" --work-tree="$cache/patches/work" -c core.autocrlf=false -c commit.gpgsign=false "$@"
}

finish() {
	echo "$1: $passed passed, $failed failed"
	((failed == 0))
	exit
}

# What a kernel log must not have.
splat='BUG:|WARNING:|Oops|[Kk]ernel panic|Call Trace|KASAN|UBSAN|ODEBUG|refcount_t:|stack-protector'
splat+='|possible recursive|possible circular|possible deadlock|lock held|suspicious RCU|unreferenced object'
