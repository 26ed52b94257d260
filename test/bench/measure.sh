#!/bin/bash
# Measures and prints the table; test/run.sh gives it the server and the cluster. usage: measure.sh DOCUMENTS [read|write ...]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
documents=$1
shift
[ $# -gt 0 ] || set -- read write
# shellcheck source=test/bench/common.sh
. "$here/common.sh"

start=$SECONDS
sql -f "$here/setup.sql"
bytes=$(sql -c 'SELECT round(avg(length(doc::text))) FROM (SELECT doc FROM local_doc LIMIT 1000) s')
echo "$documents documents of $bytes bytes on average, loaded and copied in $((SECONDS - start)) s"
echo "$(date +%F), $(nproc) cores, $(awk '/^MemTotal/ { printf "%d", $2 / 1048576 + 0.5 }' /proc/meminfo) GB; PostgreSQL $(sql -c 'SHOW server_version')"
echo
echo '| measure | cbconn_fdw | rival | times better | target |'
echo '|---|---|---|---|---|'
for part in "$@"; do "$here/measure_$part.sh" "$documents"; done
