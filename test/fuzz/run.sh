#!/bin/bash
# Runs every fuzz target for some seconds from a corpus made of recorded bytes.
# A crash leaves its input in FOLDER/found and fails the run.
# usage: run.sh FOLDER SECONDS TARGET...
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$1 seconds=$2
shift 2

rm -rf "$folder/corpus"
mkdir -p "$folder/corpus" "$folder/found"
"$folder/seeds" "$folder/corpus"

failed=0
for target in "$@"; do
	mkdir -p "$folder/corpus/$target"
	log=$folder/$target.log
	if "$folder/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
		-max_len=8192 -print_final_stats=1 -artifact_prefix="$folder/found/$target-" \
		"$folder/corpus/$target" >"$log" 2>&1; then
		runs=$(awk '/number_of_executed_units/ { print $2 }' "$log")
		coverage=$(awk '/cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") c = $(i + 1) } END { print c }' "$log")
		seeds=$(find "$folder/corpus/$target" -name '[0-9][0-9][0-9][0-9][0-9]' | wc -l)
		printf '%-10s ok, %s runs from %s seeds, %s edges\n' "$target" "$runs" "$seeds" "$coverage"
	else
		failed=1
		printf '%-10s FAILED\n' "$target"
		tail -40 "$log"
	fi
done
exit $failed
