#!/bin/bash
# The regression suites (sql/, expected/) and isolation specs (test/specs/) through pg_regress on a throw-away set-up.
# usage: regress.sh [--wrap COMMAND] [SUITE ...]; every file test/data/regress/BUCKET.SCOPE.COLLECTION.jsonl is loaded first.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

cluster_args=(--nodes 2)
for file in "$root"/test/data/regress/*.jsonl; do
	[ -e "$file" ] || continue
	cluster_args+=(--load "$(basename "$file" .jsonl)=$file")
done

wrap=()
if [ "${1:-}" = --wrap ]; then
	wrap=(--wrap "$2")
	shift 2
fi
suites=()
[ $# = 0 ] || suites=("REGRESS=$*" "ISOLATION=")

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
"$root/test/run.sh" "${wrap[@]}" --cluster-args "${cluster_args[*]}" --keep-log "$log" -- \
	make -s --no-print-directory -C "$root" installcheck "${suites[@]}" || status=$?
if [ "$status" != 0 ]; then
	for diffs in "$root"/build/regress/regression.diffs "$root"/build/isolation/regression.diffs; do
		[ ! -s "$diffs" ] || cat "$diffs"
	done
	grep -E 'PANIC|terminated by signal|TRAP' "$log" || true
fi
exit "$status"
