#!/bin/bash
# The regression suites (sql/, expected/) and isolation specs (test/specs/) through pg_regress on a throw-away set-up.
# usage: regress.sh [--wrap COMMAND] [--keep-log FILE] [SUITE or SPEC ...]; every file test/data/regress/BUCKET.SCOPE.COLLECTION.jsonl is loaded first.
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
keep_log=''
if [ "${1:-}" = --keep-log ]; then
	keep_log=$2
	shift 2
fi
suites=()
if [ $# != 0 ]; then
	regress='' isolation=''
	for name in "$@"; do
		if [ -e "$root/test/specs/$name.spec" ]; then isolation+=" $name"; else regress+=" $name"; fi
	done
	suites=("REGRESS=$regress" "ISOLATION=$isolation")
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
# The specs cannot read the environment: they take the cluster's address from settings.
# shellcheck disable=SC2016
"$root/test/run.sh" "${wrap[@]}" --cluster-args "${cluster_args[*]}" --keep-log "$log" -- bash -c '
	export PGOPTIONS="-c cluster.connection_string=$CB_CONNECTION_STRING -c cluster.username=$CB_USER -c cluster.password=$CB_PASSWORD"
	exec make -s --no-print-directory "$@"' regress -C "$root" installcheck "${suites[@]}" || status=$?
[ -z "$keep_log" ] || cp "$log" "$keep_log"
if [ "$status" != 0 ]; then
	for diffs in "$root"/build/regress/regression.diffs "$root"/build/isolation/regression.diffs; do
		[ ! -s "$diffs" ] || cat "$diffs"
	done
	grep -E 'PANIC|terminated by signal|TRAP' "$log" || true
fi
exit "$status"
