#!/bin/bash
# Measures writing and prints rows of the table; started by measure.sh.
# usage: measure_write.sh DOCUMENTS
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
documents=$1
updates=$((documents / 10))
file=$CBCONN_TMP/data/documents
# shellcheck source=test/bench/common.sh
. "$here/common.sh"

# Milliseconds of one statement in a session of its own, which has used the table before.
once() {
	printf '%s\n' "SELECT 1 FROM $2 WHERE id = '';" '\timing on' "$1;" | sql -f - | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'
}

# The faster of what the official SDK needs with this and that many operations at a time.
sdk() {
	local at_once
	for at_once in 128 512; do
		sql -c 'TRUNCATE cb_load' >/dev/null
		NODE_PATH=$SDK node "$here/sdk.js" "$CB_CONNECTION_STRING" bench load "$file" "$at_once"
	done | sort -n | head -n 1
}

sql -v documents="$documents" -v updates="$updates" -f "$here/setup_write.sql"
sql -c "COPY local_doc TO '$file'"

loop=$(once "COPY loop_load FROM '$file'" loop_load)
ours=$(once "COPY cb_load FROM '$file'" cb_load)
# Scans see what has been persisted.
for ((i = 0; i < 60; i++)); do
	[ "$(sql -c 'SELECT count(*) FROM cb_load')" != "$documents" ] || break
	sleep 1
done
[ "$i" -lt 60 ]
row "COPY of $documents documents, against postgres_fdw with batch_size 1000 into a jsonb table" "$ours" "$loop" ms less 1

# Keys and CAS of 1 in 10 are read by a scan on both sides, as the planners decide after ANALYZE.
sql -c 'ANALYZE cb_field' -c 'ANALYZE loop_load'
loop=$(once "UPDATE loop_load t SET doc = jsonb_set(t.doc, '{quantity}', to_jsonb(c.n)) FROM changes c WHERE t.id = c.id" loop_load)
update='UPDATE cb_field t SET quantity = c.n FROM changes c WHERE t.id = c.id'
row "UPDATE of $updates rows by a join on the key, against postgres_fdw" "$(once "$update" cb_field)" "$loop" ms less 1
row 'growth of peak memory in that UPDATE' "$(memory_growth "$update" cb_field)" \
	"$(memory_growth "UPDATE loop_load t SET doc = t.doc FROM changes c WHERE t.id = c.id" loop_load)" MB less 'under 64 MB'
[ "$(sql -c 'SELECT count(*) FROM changes c JOIN cb_field t USING (id)
	WHERE t.id = ANY (ARRAY(SELECT id FROM changes)) AND t.quantity = c.n')" = "$updates" ]

row 'the COPY against the official SDK (Node.js)' "$ours" "$(sdk)" ms less 1
sql -c 'TRUNCATE cb_load' -c 'DROP FOREIGN TABLE loop_load' -c 'CREATE TABLE loop_load (LIKE local_load INCLUDING ALL)'
row 'growth of peak memory in that COPY, against that of a local table' "$(memory_growth "COPY cb_load FROM '$file'" cb_load)" \
	"$(memory_growth "COPY loop_load FROM '$file'" loop_load)" MB less 'under 64 MB'
