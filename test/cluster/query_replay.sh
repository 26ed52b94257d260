#!/bin/sh
# Replays the recorded SQL++ statements on a test cluster of its own, through its query service; the other arguments go to
# replay.py: FAMILY.jsonl files (all of them if none is given) and its options.
#   test/cluster/query_replay.sh [PROGRAM] [FILES] [--only TEXT]
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
program=$top/build/cbcluster
case ${1:-} in
	'' | -* | *.jsonl) ;;
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

vectors=$top/test/vectors/sqlpp
# What is known to differ, and why, stands in test/vectors/README.md.
set -- "$@" --except join-0007,order-0077,scan-0009
case "$*" in
	*.jsonl*) ;;
	*) set -- "$vectors"/*.jsonl "$@" ;;
esac
"$program" --config "$top/test/cluster/query.json" --ready-file "$dir/ready" \
	--load nasty._default._default="$vectors/docs/nasty.jsonl" --load airline._default._default="$vectors/docs/airline.jsonl" \
	--load route._default._default="$vectors/docs/route.jsonl" &
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
query=$(sed 's/.*"query": *\["\([^"]*\)".*/\1/' "$dir/ready")
python3 "$vectors/replay.py" "http://$query" Administrator password "$@"
