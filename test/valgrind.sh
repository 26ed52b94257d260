#!/bin/bash
# Regression suites with the server under valgrind; fails on every error with a frame of the extension.
# usage: valgrind.sh [SUITE ...]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
chmod 777 "$logs"

status=0
"$root/test/regress.sh" --wrap "valgrind --quiet --num-callers=30 --fullpath-after=$root/ --log-file=$logs/%p" "$@" || status=$?

# Valgrind separates its reports by a line that has nothing but the process id.
errors=$(cat "$logs"/* | sed 's/^==[0-9]*== *//' | awk 'BEGIN { RS = "" } /cbconn_fdw\.so|src\/(protocol|cluster|fdw)\// { print $0 "\n" }')
if [ -n "$errors" ]; then
	printf '%s\n' "$errors"
	status=1
fi
exit "$status"
