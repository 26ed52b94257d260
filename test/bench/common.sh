# Functions that the measurements share; to be sourced.
# shellcheck shell=bash

sql() { psql -X -qAt -v ON_ERROR_STOP=1 "$@"; }

# Growth of the backend's peak memory over a statement, in MB.
# shellcheck disable=SC2016
memory_growth() {
	{
		echo 'SELECT pg_backend_pid() AS pid \gset'
		echo '\setenv BACKEND :pid'
		echo "SELECT id FROM $2 WHERE id = '';"
		echo '\! awk "/^VmRSS/ { print \"before\", \$2 }" /proc/$BACKEND/status'
		echo '\o /dev/null'
		echo "$1;"
		echo '\! awk "/^VmHWM/ { print \"after\", \$2 }" /proc/$BACKEND/status'
	} | sql -f - | awk '$1 == "before" { before = $2 } $1 == "after" { printf "%.1f\n", ($2 - before) / 1024 }'
}

# row WHAT OURS RIVAL UNIT more|less TARGET: the ratio says how many times better than the rival we are.
row() {
	awk -v what="$1" -v ours="$2" -v rival="$3" -v unit="$4" -v better="$5" -v target="$6" 'BEGIN {
		ratio = better == "more" ? ours / rival : rival / ours
		printf "| %s | %s %s | %s %s | %.2f | %s |\n", what, ours, unit, rival, unit, ratio, target }'
}
