#!/bin/bash
# Measures reading and prints rows of the table; started by measure.sh. usage: measure_read.sh DOCUMENTS
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
documents=$1
duration=${DURATION:-10}
repeats=${REPEATS:-3}

# shellcheck source=test/bench/common.sh
. "$here/common.sh"

# Milliseconds of a statement: the best of several runs in one session, after a first one. The statement may use
# :'keys', an array of 10,000 keys.
milliseconds() {
	local i
	{
		printf '%s\n' 'SELECT keys FROM some_keys \gset' '\o /dev/null' '\timing on'
		for ((i = 0; i <= repeats; i++)); do echo "$1;"; done
	} | sql -f - | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | tail -n "$repeats" | sort -n | head -n 1
}

# Writes a pgbench script that reads one document of a table. The generated keys are doc-00000001 and so on; drawing
# only numbers with as many digits as the largest spares the query the padding.
look_up_script() {
	local last=$((documents - 1)) zeros=00000000
	{
		echo "\\set n random($((10 ** (${#last} - 1))), $last)"
		echo "SELECT doc FROM $1 WHERE id = 'doc-${zeros:${#last}}' || :n;"
	} >"$CBCONN_TMP/lookup.sql"
}

# Transactions per second of prepared key look-ups in a table, by so many sessions.
look_ups() {
	look_up_script "$1"
	pgbench -n -M prepared -c "$2" -j "$2" -T "$duration" -f "$CBCONN_TMP/lookup.sql" |
		sed -n 's/^tps = \([0-9]*\).*/\1/p'
}

# Milliseconds that a client needs for so many look-ups in the cluster, one after the other.
client_look_ups() {
	look_up_script cb_doc
	pgbench -n -M prepared -t "$1" -f "$CBCONN_TMP/lookup.sql" |
		awk -v n="$1" '/^tps = / { printf "%.0f\n", n / $3 * 1000 }'
}

# Milliseconds of the first look-up in a fresh backend: the median of 21.
first_query() {
	local i
	for ((i = 0; i < 21; i++)); do
		printf '%s\n' "\\o /dev/null" "SELECT 1;" "\\timing on" "SELECT doc FROM $1 WHERE id = (SELECT '$key');" |
			sql -f - | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'
	done | sort -n | sed -n 11p
}

key=doc-00000001
ours=$(look_ups cb_doc 1)
row 'prepared key look-up, 1 session, against postgres_fdw' "$ours" "$(look_ups loop_doc 1)" tps more '2'
row 'the same against a local jsonb table' "$ours" "$(look_ups local_doc 1)" tps more ''
row 'prepared key look-up, 4 sessions, against postgres_fdw' "$(look_ups cb_doc 4)" "$(look_ups loop_doc 4)" tps more ''

row '10,000 keys in one ANY(), two columns, against 10,000 look-ups in a PL/pgSQL loop' \
	"$(milliseconds "SELECT count(name), count(city) FROM cb_col WHERE id = ANY (:'keys')")" \
	"$(milliseconds "SELECT one_by_one(:'keys')")" ms less '5'
any="SELECT count(doc) FROM %s WHERE id = ANY (:'keys')"
# shellcheck disable=SC2059
ours=$(milliseconds "$(printf "$any" cb_doc)")
row '10,000 keys in one ANY(), whole document, against 10,000 look-ups in a PL/pgSQL loop' "$ours" \
	"$(milliseconds "SELECT one_by_one_whole(:'keys')")" ms less '5'
row 'the same against 10,000 prepared statements of a client' "$ours" \
	"$(client_look_ups 10000)" ms less '5'
# shellcheck disable=SC2059
row 'the same against one ANY() through postgres_fdw' "$ours" "$(milliseconds "$(printf "$any" loop_doc)")" ms less ''

# OFFSET 0 keeps postgres_fdw from computing the aggregate remotely: both sides deliver every row.
columns='SELECT count(name), count(city), sum(price), max(quantity) FROM (SELECT %s FROM %s OFFSET 0) s'
# shellcheck disable=SC2059
row 'full scan, four columns' "$(milliseconds "$(printf "$columns" 'name, city, price, quantity' cb_col)")" \
	"$(milliseconds "$(printf "$columns" "doc->>'name' AS name, doc->'address'->>'city' AS city,
		(doc->>'price')::numeric AS price, (doc->>'quantity')::int AS quantity" loop_doc)")" ms less '1'
whole='SELECT count(doc) FROM (SELECT doc FROM %s OFFSET 0) s'
# shellcheck disable=SC2059
row 'full scan, whole document as jsonb' "$(milliseconds "$(printf "$whole" cb_doc)")" \
	"$(milliseconds "$(printf "$whole" loop_doc)")" ms less '1'
# shellcheck disable=SC2059
row 'growth of peak memory in that scan' "$(memory_growth "$(printf "$whole" cb_doc)" cb_doc)" \
	"$(memory_growth "$(printf "$whole" loop_doc)" loop_doc)" MB less 'under 64 MB'
row 'first query of a fresh backend' "$(first_query cb_doc)" "$(first_query loop_doc)" ms less ''
