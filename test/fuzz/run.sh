#!/bin/bash
# Runs every fuzz target for some seconds from a corpus made of recorded bytes, one for each core at a time.
# A crash leaves its input in FOLDER/found and fails the run. The last line counts the targets.
# usage: run.sh FOLDER SECONDS TARGET...
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$1 seconds=$2
shift 2

rm -rf "$folder/corpus"
mkdir -p "$folder/corpus" "$folder/found"
"$folder/seeds" "$folder/corpus"

# Tells what became of one target; the file TARGET.passed says that nothing was found.
run_target() {
	local target=$1 log=$folder/$1.log runs coverage seeds
	mkdir -p "$folder/corpus/$target"
	seeds=$(find "$folder/corpus/$target" -type f | wc -l)
	rm -f "$folder/$target.passed"
	if "$folder/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
		-max_len=8192 -print_final_stats=1 -artifact_prefix="$folder/found/$target-" \
		"$folder/corpus/$target" >"$log" 2>&1; then
		runs=$(awk '/number_of_executed_units/ { print $2 }' "$log")
		coverage=$(awk '/cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") c = $(i + 1) } END { print c }' "$log")
		printf '%-12s ok, %s runs from %s seeds, %s edges\n' "$target" "$runs" "$seeds" "$coverage"
		touch "$folder/$target.passed"
	else
		printf '%-12s FAILED\n%s\n' "$target" "$(tail -40 "$log")"
	fi
}

at_once=$(nproc)
for target in "$@"; do
	while [ "$(jobs -pr | wc -l)" -ge "$at_once" ]; do wait -n || true; done
	run_target "$target" &
done
wait

passed=0
for target in "$@"; do [ ! -e "$folder/$target.passed" ] || passed=$((passed + 1)); done
echo "$passed passed, $(($# - passed)) failed"
[ "$passed" = $# ]
