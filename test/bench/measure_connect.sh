#!/bin/bash
# Measures connecting and prints rows of the table; started by connect.sh. usage: measure_connect.sh NODES PRELOADED|no
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
nodes=$1 preload=$2
runs=21

# shellcheck source=test/bench/common.sh
. "$here/common.sh"

# set_up NAME STRING: a server with a table NAME.
set_up() {
	sql <<-END
		CREATE SERVER $1 FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string '$2', bucket 'bench');
		CREATE USER MAPPING FOR CURRENT_USER SERVER $1 OPTIONS (username '$CB_USER', password '$CB_PASSWORD');
		CREATE FOREIGN TABLE $1 (id text OPTIONS (key 'true') COLLATE "C", doc jsonb OPTIONS (document 'true'))
			SERVER $1 OPTIONS (collection 'doc');
	END
}

# Sums over the nodes: how often the wire changed direction, connections accepted.
counts() { curl -s "http://$CB_CONTROL/status" | jq -r '"\([.nodes[].flights] | add) \([.nodes[].accepted] | add)"'; }

median() { sort -n | sed -n "$((($1 + 1) / 2))p"; }

# first_row TABLE: milliseconds, round trips with TCP's own, and connections of the first look-up in a fresh backend:
# medians over different keys.
first_row() {
	local i before after ms
	for ((i = 1; i <= runs; i++)); do
		before=$(counts)
		ms=$(printf '%s\n' '\o /dev/null' 'SELECT 1;' '\timing on' "SELECT doc FROM $1 WHERE id = 'doc-$(printf %08d $((i * 37)))';" |
			sql -f - | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p')
		after=$(counts)
		echo "$ms $before $after"
	done | awk '{ print $1, ($4 - $2) + ($5 - $3), $5 - $3 }' >"$CBCONN_TMP/first"
	echo "$(cut -d ' ' -f 1 "$CBCONN_TMP/first" | median "$runs") $(cut -d ' ' -f 2 "$CBCONN_TMP/first" | median "$runs")" \
		"$(cut -d ' ' -f 3 "$CBCONN_TMP/first" | median "$runs")"
}

# The same of the official SDK.
sdk_first_row() {
	local i
	for ((i = 1; i <= 7; i++)); do
		NODE_PATH=$SDK node "$here/sdk_first.js" "$1" bench doc "doc-$(printf %08d $((i * 37)))" "$CB_CONTROL" ${2:+"$2"} 2>/dev/null
	done | awk '{ print $1, $2 + $3, $3 }' >"$CBCONN_TMP/first"
	echo "$(cut -d ' ' -f 1 "$CBCONN_TMP/first" | median 7) $(cut -d ' ' -f 2 "$CBCONN_TMP/first" | median 7)" \
		"$(cut -d ' ' -f 3 "$CBCONN_TMP/first" | median 7)"
}

# in_words "MS TRIPS CONNECTIONS"
in_words() {
	awk '{ printf "%.1f ms, %d round trips, %d connection%s\n", $1, $2, $3, $3 == 1 ? "" : "s" }' <<<"$1"
}

row() { echo "| $1 | $nodes | $2 | $3 | $4 |"; }

# All at once: so many backends, each of which connects to read one document. Milliseconds until all have.
many() {
	{
		echo '\set n random(1000, 9999)'
		echo "SELECT doc FROM $2 WHERE id = 'doc-0000' || :n;"
	} >"$CBCONN_TMP/many.sql"
	pgbench -n -c "$1" -j 2 -t 1 -f "$CBCONN_TMP/many.sql" >"$CBCONN_TMP/many.log" 2>&1 || true
	grep -m 3 ERROR "$CBCONN_TMP/many.log" >&2 || true
	awk -v n="$1" '/^number of transactions actually processed/ { split($NF, done, "/") }
		/^latency average/ { ms = $4 } END { printf "%s of %d, each after %.0f ms on average\n", done[1], n, ms }' "$CBCONN_TMP/many.log"
}

# A session looks up keys of all nodes again and again while a node dies; prints errors, milliseconds from the first error
# to the first success after it, and the longest time between two successes. failover_after: seconds
recovery() {
	local failover_after=$1 victim=$2 line now start=$EPOCHREALTIME last='' first_error='' errors=0 gap=0 recovered=''
	coproc SESSION { psql -X -qAt 2>&1; }
	local to=${SESSION[1]} from=${SESSION[0]} pid=$SESSION_PID
	(
		sleep 0.5
		"$here/../fault.sh" kill "$victim"
		sleep "$failover_after"
		"$here/../fault.sh" failover "$victim"
	) &
	local killer=$!
	while awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { exit !(b - a < 6) }'; do
		printf '%s\n' "SELECT count(*) FROM plain WHERE id = ANY (ARRAY(SELECT 'doc-' || lpad(g::text, 8, '0') FROM generate_series(1, 100) g));" \
			'\echo end' >&"$to"
		local outcome=''
		while read -r -u "$from" line && [ "$line" != end ]; do
			case $line in
				100) outcome=ok ;;
				*ERROR*) outcome=error ;;
			esac
		done
		now=$EPOCHREALTIME
		if [ "$outcome" = ok ]; then
			gap=$(awk -v a="${last:-$now}" -v b="$now" -v g="$gap" 'BEGIN { d = (b - a) * 1000; printf "%.0f", (d > g ? d : g) }')
			[ -z "$first_error" ] || [ -n "$recovered" ] ||
				recovered=$(awk -v a="$first_error" -v b="$now" 'BEGIN { printf "%.0f", (b - a) * 1000 }')
			last=$now
		else
			errors=$((errors + 1))
			[ -n "$first_error" ] || first_error=$now
		fi
	done
	echo '\q' >&"$to"
	wait "$killer" "$pid" || true
	"$here/../fault.sh" revive "$victim"
	"$here/../fault.sh" rebalance bucket=bench
	echo "${errors} ${recovered:-0} ${gap}"
}

sql -c 'CREATE EXTENSION cbconn_fdw'
tls="couchbases://$CB_KVS?truststorepath=$CERTS/ca.pem"
if [ "$preload" = no ]; then
	mkdir -m 777 "$CBCONN_TMP/cache"
	set_up plain "$CB_CONNECTION_STRING"
	set_up tls "$tls"
	set_up cached "$CB_CONNECTION_STRING?config_cache=$CBCONN_TMP/cache/"
	set_up tls_cached "$tls&config_cache=$CBCONN_TMP/cache/"
	sdk=$(in_words "$(sdk_first_row "$CB_CONNECTION_STRING")")
	sdk_tls=$(in_words "$(sdk_first_row "couchbases://$CB_KVS" "$CERTS/ca.pem")")
	row 'first row of a fresh backend' "$(in_words "$(first_row plain)")" "$sdk" 'fewer round trips'
	row 'the same with TLS' "$(in_words "$(first_row tls)")" "$sdk_tls" 'fewer round trips'
	sql -c 'SELECT count(*) FROM cached; SELECT count(*) FROM tls_cached' >/dev/null
	row 'the same with config_cache' "$(in_words "$(first_row cached)")" "$sdk" 'fewer round trips'
	row 'the same with config_cache and TLS' "$(in_words "$(first_row tls_cached)")" "$sdk_tls" 'fewer round trips'
	row '500 backends that connect at once' "$(many 500 plain)" '' 'all'
	row '500 backends that connect at once, TLS' "$(many 500 tls)" '' 'all'
else
	set_up plain "$CB_CONNECTION_STRING"
	set_up tls "$tls"
	sql -c 'SELECT count(*) FROM plain; SELECT count(*) FROM tls' >/dev/null
	row 'the same with shared memory' "$(in_words "$(first_row plain)")" "$(in_words "$(sdk_first_row "$CB_CONNECTION_STRING")")" \
		'fewer round trips'
	row 'the same with shared memory and TLS' "$(in_words "$(first_row tls)")" \
		"$(in_words "$(sdk_first_row "couchbases://$CB_KVS" "$CERTS/ca.pem")")" 'fewer round trips'
	row '500 backends that connect at once, shared memory' "$(many 500 plain)" '' 'all'
fi
[ "$nodes" -gt 1 ] || exit 0
for pause in 0 1; do
	read -r errors recovered gap <<<"$(recovery "$pause" 3)"
	row "a node is killed, and failed over $([ "$pause" = 0 ] && echo 'at once' || echo "after $pause s")" \
		"$errors errors, first error to first success $recovered ms, longest wait $gap ms" '' 'under 3000 ms'
done
