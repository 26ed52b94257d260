#!/bin/bash
# make bench: a table, every row a measure of cbconn_fdw and of its rival on the same documents in the same run; then one
# about connecting (connect.sh).
# usage: run.sh [DOCUMENTS [read|write]]   (default 1000000 of about 1 KB; DURATION=seconds of each pgbench run, default 10)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
documents=${1:-${DOCUMENTS:-1000000}}
[ $# = 0 ] || shift

SDK=$("$here/../interop/install.sh")
export SDK
"$here/../run.sh" --cluster-args "--nodes 2 --generate bench._default.doc=$documents --load bench._default.load=/dev/null" \
	--pg-conf shared_buffers=1GB --pg-conf max_wal_size=8GB --pg-conf autovacuum=off --pg-conf jit=off \
	-- "$here/measure.sh" "$documents" "$@"
[ $# -gt 0 ] || "$here/connect.sh"
