# SPDX-License-Identifier: GPL-2.0-only OR MIT
# shellcheck shell=bash disable=SC2154
#
# Our KUnit suites against Linux's own drm_gpuvm.c, in the User Mode Linux kernel $build/$kernel: for check/mainline and
# series/check, which source it after lib.sh.
#
# tests/mainline/known-failures lists what fails there, under the name of the difference that it shows. Each case gets a kernel
# of its own, since a bad one may take the kernel down, hang it, or leave lockdep off. Whatever is not in the list has to pass,
# and what is in it has to fail.

kernel=mainline
list=$repo/tests/mainline/known-failures
# Seconds for one case
case_limit=60

mainline() { kunit_py "$kernel" "$1" --kunitconfig="$scripts/kernel/configs/"{mainline,lean}.config "${@:2}"; }

# The kernel ends at the first use of freed memory, since nothing is worth much after that.
run_cases() {
	local name

	rm -rf "$logs" && mkdir -p "$logs" || return
	for name in "${cases[@]}"; do
		echo "== $name"
		limit=$((case_limit + 30)) mainline exec --timeout="$case_limit" \
			--kernel_args=kasan.fault=panic --json="$logs/$name.json" "$name" || :
		cp "$build/$kernel/test.log" "$logs/$name.log" || return
	done
}

# A line for each result: PASS, SKIP or FAIL, and CASE or CASE: PARAMETER. A case that fails with every parameter, or whose kernel
# died, or has something to say in its log, is one line, as is one without parameters.
results() {
	local name lines

	for name in "${cases[@]}"; do
		lines=$(kunit_cases "$logs/$name.json" 2>/dev/null | sed "s/^\([A-Z]* $name\)\./\1: /")
		if ! grep -qE '^(not )?ok ' "$logs/$name.log"; then
			echo "FAIL $name"
		elif grep -q ^FAIL <<<"$lines" && ! grep -q ^PASS <<<"$lines"; then
			echo "FAIL $name"
		elif ! grep -q ^FAIL <<<"$lines" && ! clean_log "$logs/$name.log" 2>/dev/null; then
			echo "FAIL $name"
		else
			echo "$lines"
		fi
	done
}

# The list as lines of "CASE" or "CASE: PARAMETER", a tab, and the difference.
known() { awk '/^#/ || NF == 0 { next } /^\t/ { sub(/^\t/, ""); print $0 "\t" difference; next } { difference = $0 }' "$list"; }

# test_mainline GLOB: run the cases that match it (SUITE.CASE) in the kernel that is there, and compare what fails with the list.
# Every result counts. failures then has, by difference, what failed as it should.
test_mainline() {
	local glob=$1 logs=$cache/log/$kernel cases status name text
	local -A difference

	# Random threads meet at any time what the other cases show one at a time: no list could say what fails.
	mapfile -t cases < <(mainline exec --list_tests "$glob" 2>/dev/null | grep '^drm_gpuvm_[^ ]*$' | grep -v '^drm_gpuvm_stress\.')
	((${#cases[@]})) || { fail "no case matches $glob"; return; }
	step "$kernel" "running ${#cases[@]} cases, each in a kernel of its own" run_cases || { fail "$glob: not all cases could be run"; return; }

	while IFS=$'\t' read -r name text; do
		# shellcheck disable=SC2053
		[[ ${name%%: *} != $glob ]] || difference[$name]=$text
	done < <(known)

	while read -r status name; do
		case $status:${difference[$name]:-} in
		PASS:) pass ;;
		PASS:*) ;;
		SKIP:*) say "skipped: $name" ;;
		*:) fail "$name, which is not in $list" ;;
		*)
			pass
			failures[${difference[$name]}]+="    $name"$'\n'
			unset "difference[$name]"
			;;
		esac
	done < <(results)
	for name in "${!difference[@]}"; do
		fail "$name did not fail, although it is listed: ${difference[$name]}"
	done
}
