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
# shellcheck source=test/cluster/replay_cluster.sh
. "$top/test/cluster/replay_cluster.sh"

vectors=$top/test/vectors/sqlpp
# What is known to differ, and why, stands in test/vectors/README.md.
set -- "$@" --except join-0007,order-0077,scan-0009
case "$*" in
	*.jsonl*) ;;
	*) set -- "$vectors"/*.jsonl "$@" ;;
esac
start_cluster "$program" --config "$top/test/cluster/query.json" \
	--load nasty._default._default="$vectors/docs/nasty.jsonl" --load airline._default._default="$vectors/docs/airline.jsonl" \
	--load route._default._default="$vectors/docs/route.jsonl"
query=$(sed 's/.*"query": *\["\([^"]*\)".*/\1/' "$dir/ready")
python3 "$vectors/replay.py" "http://$query" Administrator password "$@"
