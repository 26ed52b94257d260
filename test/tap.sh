#!/bin/bash
# The TAP tests of test/t, each with PostgreSQL servers and test clusters of its own.
# usage: tap.sh [FILE ...]   (names inside test/t, e.g. 001_cancel.pl)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
perl=$(dirname "$("${PG_CONFIG:-pg_config}" --pgxs)")/../../src/test/perl

if ! [ -e "$perl/PostgreSQL/Test/Cluster.pm" ]; then
	echo "tap.sh: this PostgreSQL was built without its TAP modules ($perl)" >&2
	exit 1
fi
make -s -C "$root" cluster
[ $# != 0 ] || set -- "$root"/test/t/*.pl
# shellcheck disable=SC2016
exec "$root/test/run.sh" --no-cluster --no-server --as-server-user -- \
	bash -c 'perl=$1; shift; exec prove --failures -I "$perl" -I "$CBCONN_TMP/t" "${@/#/$CBCONN_TMP/t/}"' \
	tap "$perl" "${@##*/}"
