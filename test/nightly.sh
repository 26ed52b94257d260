#!/bin/bash
# What takes too long for every change: each stage's last lines, then one line that counts the stages.
# usage: nightly.sh [STAGE ...]   MINUTES (5): of fuzzing for each target, and of faults
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
minutes=${MINUTES:-5}
logs=build/nightly
mkdir -p "$logs"

passed=0 failed=0 failures=()
only=("$@")
stage() {
	local name=$1 start=$SECONDS
	shift
	[ ${#only[@]} = 0 ] || [[ " ${only[*]} " == *" $name "* ]] || return
	echo "-- $name"
	if "$@" >"$logs/$name.log" 2>&1 </dev/null; then
		passed=$((passed + 1))
		tail -n 3 "$logs/$name.log"
		echo "-- $name: ok ($((SECONDS - start)) s)"
	else
		failed=$((failed + 1))
		failures+=("$name")
		tail -n 60 "$logs/$name.log"
		echo "-- $name: FAILED ($((SECONDS - start)) s), see $logs/$name.log"
	fi
}

stage growth env CBCONN_GROWTH=200000 test/tap.sh 060_growth.pl
stage documents env CB_RANDOM_SEED=$((SRANDOM % 1000000)) CB_RANDOM_ROUNDS=200 test/tap.sh 061_hostile_documents.pl
stage valgrind make -s valgrind
stage ubsan make -s ubsan
stage fuzz make -s fuzz MINUTES="$minutes"
stage cluster-fuzz make -s cluster-fuzz CBCLUSTER_FUZZ_SECONDS=$((minutes * 60))
stage chaos make -s chaos MINUTES="$minutes"
stage pgmatrix make -s pgmatrix
stage bench make -s bench

[ "$failed" = 0 ] || echo "failed stages: ${failures[*]}"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
