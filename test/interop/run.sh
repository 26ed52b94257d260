#!/bin/bash
# Judges that nobody here wrote: official SDKs against the test cluster and foreign tables, foreign servers against the
# extension. One line a check; the last line counts them; exit status 0 if none failed.
# usage: run.sh [--only TEXT] [JUDGE...]     the checks whose title contains TEXT, of these judges (README.md lists them)
#
# A judge whose registry cannot be reached is skipped, loudly; with CI=true that is a failure unless README.md allows it.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
export BUILD_DIR=${BUILD_DIR:-$root/build}
export CBCLUSTER=${CBCLUSTER:-$BUILD_DIR/cbcluster}
log=$BUILD_DIR/interop/judge.log

only=() judges=()
while [ $# -gt 0 ]; do
	case $1 in
		--only) only=(--only "$2"); shift ;;
		-*) echo "run.sh: unknown option \"$1\"" >&2; exit 2 ;;
		*) judges+=("$1") ;;
	esac
	shift
done
[ ${#judges[@]} != 0 ] || judges=(node python mock gocaves)
[ -x "$CBCLUSTER" ] || { echo "interop: no test cluster at $CBCLUSTER" >&2; exit 2; }
mkdir -p "$BUILD_DIR/interop"

passed=0 failed=0 skipped=0
for judge in "${judges[@]}"; do
	[ -x "$here/$judge.sh" ] || { echo "run.sh: no judge \"$judge\"" >&2; exit 2; }
	echo "== $judge"
	"$here/$judge.sh" ${only[@]+"${only[@]}"} 2>&1 | tee "$log"
	status=${PIPESTATUS[0]}
	# Status 77: the judge cannot be had here, and has said why.
	if [ "$status" = 77 ]; then
		skipped=$((skipped + 1))
		if [ "${CI:-}" = true ] && ! grep -q "^| $judge |.*may be skipped" "$here/README.md"; then
			echo "FAIL $judge: must not be skipped in CI"
			failed=$((failed + 1))
		fi
		continue
	fi
	counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed.*$/\1 \2/p' "$log" | tail -n 1)
	read -r good bad <<<"${counts:-0 1}"
	# A judge that fails without counting a failure has failed once.
	if [ "$status" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
	passed=$((passed + good)) failed=$((failed + bad))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
