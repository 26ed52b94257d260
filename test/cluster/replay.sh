#!/bin/sh
# Replays the recorded conversations on a test cluster of its own; the other arguments go to replay.py.
#   test/cluster/replay.sh [PROGRAM] [--only TEXT] [-v]
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
program=$top/build/cbcluster
case ${1:-} in
	'' | -*) ;;
	*) program=$1; shift ;;
esac
dir=$(mktemp -d)
pid=
cleanup() {
	status=$?
	trap - EXIT
	if [ -n "$pid" ]; then
		kill "$pid" 2>/dev/null || true
		wait "$pid" || { echo "cbcluster ended with status $?" >&2; status=1; }
	fi
	rm -rf "$dir"
	exit $status
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

"$program" --config "$top/test/cluster/vectors.json" --ready-file "$dir/ready" &
pid=$!
tries=0
until [ -s "$dir/ready" ]; do
	tries=$((tries + 1))
	if [ $tries -gt 200 ] || ! kill -0 "$pid" 2>/dev/null; then
		echo 'cbcluster did not start' >&2
		exit 1
	fi
	sleep 0.1
done
kv=$(sed 's/.*"kv": *\["\([^"]*\)".*/\1/' "$dir/ready")
python3 "$top/test/vectors/replay.py" "$kv" Administrator password vec "$top"/test/vectors/kv/*.jsonl \
	--reader vecreader:readerpw --have all "$@"
