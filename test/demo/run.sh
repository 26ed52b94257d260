#!/bin/bash
# The demonstration: ISO's code tables in a two-node test cluster, read from a throw-away PostgreSQL.
# usage: run.sh [--shell]   with --shell: set up, then psql on it until you leave it
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [ "${1:-}" = --inside ]; then
	cd "$here/../.."
	here=test/demo			# messages quote it
	psql=(psql -X -q -v ON_ERROR_STOP=1 -P pager=off)
	if [ "$2" = shell ]; then
		"${psql[@]}" -f "$here/setup.sql"
		echo
		echo 'The tables country, subdivision, language and currency are foreign tables of the test cluster.'
		echo "Cluster: $CB_CONNECTION_STRING   faults: \\! \$CBCONN_ROOT/test/fault.sh kill 1   leave with \\q"
		exec psql -X
	fi
	start=$(date +%s%N)
	"${psql[@]}" -a -f "$here/setup.sql"
	echo 'SELECT id, name FROM country LIMIT 1;'
	"${psql[@]}" -c 'SELECT id, name FROM country LIMIT 1'
	echo "From CREATE EXTENSION to the first row: $((($(date +%s%N) - start) / 1000000)) ms"
	"${psql[@]}" -v ECHO=queries -f "$here/queries.sql"
	psql -X -q -P pager=off -v ECHO=queries -f "$here/fault.sql"
	exit
fi

documents=$(mktemp -d)
trap 'rm -rf "$documents"' EXIT
echo "=== ISO's code tables as documents of the bucket iso, scope codes"
"$here/documents.py" "$documents"
loads=''
for file in "$documents"/*.jsonl; do
	loads+=" --load iso.codes.$(basename "$file" .jsonl)=$file"
done

mode=demo foreground=()
if [ "${1:-}" = --shell ]; then
	mode=shell
	foreground=(--foreground)
fi
echo '=== Building; starting a throw-away PostgreSQL and a Couchbase test cluster of 2 nodes'
export CB_USER=reader CB_PASSWORD='read only'
"$here/../run.sh" "${foreground[@]}" --cluster-args "--config $here/cluster.json $loads" -- "$here/run.sh" --inside "$mode"
if [ "$mode" = demo ]; then
	echo
	echo 'Everything is stopped and removed. For psql on the same set-up: make demo-shell'
fi
