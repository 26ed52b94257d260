#!/bin/bash
# The TAP tests of test/t, each with PostgreSQL servers and test clusters of its own.
# usage: tap.sh [FILE ...]   (names inside test/t, e.g. 001_cancel.pl)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
pgxs=$(cd "$(dirname "$("${PG_CONFIG:-pg_config}" --pgxs)")/../.." && pwd)
perl=$pgxs/src/test/perl
export PG_REGRESS=$pgxs/src/test/regress/pg_regress

if ! [ -e "$perl/PostgreSQL/Test/Cluster.pm" ]; then
	echo "tap.sh: this PostgreSQL was built without its TAP modules ($perl)" >&2
	exit 1
fi
make -s -C "$root" cluster
[ $# != 0 ] || set -- "$root"/test/t/*.pl
cd "$root"
# The part that runs beside the server: in the copy of test/t, where a failure's log would be lost with the folder.
# shellcheck disable=SC2016
exec "$root/test/run.sh" --no-cluster --no-server --as-server-user -- bash -c '
	perl=$1
	shift
	# 16 and later: where the logs go
	export TESTDATADIR=tmp_check TESTLOGDIR=tmp_check/log
	prove --failures -I "$perl" -I "$CBCONN_TMP/t" "${@/#/$CBCONN_TMP/t/}" && exit
	tail -n 30 tmp_check/log/regress_log_*
	exit 1' tap "$perl" "${@##*/}"
