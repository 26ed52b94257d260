#!/bin/bash
# Regression suites with the server under valgrind: whatever valgrind.supp does not name as PostgreSQL's own is a failure.
# usage: valgrind.sh [SUITE ...]; the last line counts the suites, and the reports as failures.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
chmod 777 "$logs"
mkdir "$logs/processes" && chmod 777 "$logs/processes"
cp "$root/test/valgrind.supp" "$logs/" && chmod 644 "$logs/valgrind.supp"

"$root/test/regress.sh" --wrap "valgrind --quiet --num-callers=30 --fullpath-after=$root/ \
	--suppressions=$logs/valgrind.supp --log-file=$logs/processes/%p" "$@" | tee "$logs/suites"
status=${PIPESTATUS[0]}

# "test NAME ... ok" until 15, "ok 1 - NAME" from 16 on.
passed=$(grep -cE '^(test .* \.\.\. ok|ok [0-9])' "$logs/suites")
failed=$(grep -cE '^(test .* \.\.\. FAILED|not ok [0-9])' "$logs/suites")
# Valgrind separates its reports by a line that has nothing but the process id.
reports=$(cat "$logs"/processes/* | sed 's/^==[0-9]*== *//' | awk 'BEGIN { RS = "" } { n++; print $0 "\n" >"/dev/stderr" } END { print n + 0 }')
[ "$status" = 0 ] || [ "$failed" != 0 ] || failed=1
echo "$passed passed, $((failed + reports)) failed"
[ "$((failed + reports))" = 0 ]
