#!/bin/bash
# Regression suites with the extension built with -fsanitize=undefined, in a copy of the tree: build/ubsan.
# usage: ubsan.sh [SUITE ...]; the last line counts the suites, and the reports as failures.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
copy=$root/build/ubsan
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

rm -rf "$copy" && mkdir -p "$copy"
(cd "$root" && tar -cf - --exclude=./build --exclude=./.git --exclude='*.o' --exclude='*.d' --exclude='*.so' .) | tar -xf - -C "$copy"

# PGXS adds COPT to the flags of compiler and linker.
export COPT="-fsanitize=undefined -fno-omit-frame-pointer"
mkdir -p "$copy/build"
make -s -C "$root" cluster && cp "$root/build/cbcluster" "$copy/build/" || exit 1
make -s -j"$(nproc)" -C "$copy" all || exit 1
if [ "$(nm -D "$copy/cbconn_fdw.so" | grep -c __ubsan)" = 0 ]; then
	echo "ubsan.sh: the library was built without the sanitizer" >&2
	exit 1
fi
"$copy/test/regress.sh" --keep-log "$logs/server.log" "$@" | tee "$logs/suites"
status=${PIPESTATUS[0]}

# "test NAME ... ok" until 15, "ok 1 - NAME" from 16 on.
passed=$(grep -cE '^(test .* \.\.\. ok|ok [0-9])' "$logs/suites")
failed=$(grep -cE '^(test .* \.\.\. FAILED|not ok [0-9])' "$logs/suites")
# The sanitizer writes to the server's log: a backend's environment, where it would look for orders, is its title.
grep 'runtime error:' "$logs/server.log" | sort | uniq -c
reports=$(grep -c 'runtime error:' "$logs/server.log")
[ "$status" = 0 ] || [ "$failed" != 0 ] || failed=1
echo "$passed passed, $((failed + reports)) failed"
[ "$((failed + reports))" = 0 ]
