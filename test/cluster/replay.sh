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
# shellcheck source=test/cluster/replay_cluster.sh
. "$top/test/cluster/replay_cluster.sh"

start_cluster "$program" --config "$top/test/cluster/vectors.json"
kv=$(sed 's/.*"kv": *\["\([^"]*\)".*/\1/' "$dir/ready")
python3 "$top/test/vectors/replay.py" "$kv" Administrator password vec "$top"/test/vectors/kv/*.jsonl \
	--reader vecreader:readerpw --have all "$@"
