#!/bin/bash
# Every test, stage by stage; the last line counts the stages. usage: all.sh [STAGE ...]
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

passed=0 failed=0 failures=()
stage() {
	local name=$1 start=$SECONDS
	shift
	[ ${#only[@]} = 0 ] || [[ " ${only[*]} " == *" $name "* ]] || return
	echo "-- $name"
	if "$@"; then
		passed=$((passed + 1))
		echo "-- $name: ok ($((SECONDS - start)) s)"
	else
		failed=$((failed + 1))
		failures+=("$name")
		echo "-- $name: FAILED ($((SECONDS - start)) s)"
	fi
}

only=("$@")
stage build make -s -j"$(nproc)" all
stage cluster make -s -j"$(nproc)" cluster
stage unit make -s -j"$(nproc)" unit
stage fuzz-smoke make -s -j"$(nproc)" fuzz-smoke
stage cluster-test make -s cluster-test
stage regress test/regress.sh
stage tap test/tap.sh

[ "$failed" = 0 ] || echo "failed stages: ${failures[*]}"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
