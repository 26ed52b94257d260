#!/bin/bash
# Couchbase's mock server from Maven Central, under the extension in a throw-away PostgreSQL.
# usage: mock.sh [--only TEXT]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=1.5.25
jar=$BUILD_DIR/interop/CouchbaseMock-$version.jar

if ! [ -s "$jar" ]; then
	log=$BUILD_DIR/interop/maven.log
	if ! mvn -B -q dependency:copy -Dartifact="com.couchbase.mock:CouchbaseMock:$version" \
		-DoutputDirectory="$BUILD_DIR/interop" >"$log" 2>&1; then
		tail -n 5 "$log"
		echo "skipped: CouchbaseMock $version cannot be had from Maven Central"
		exit 77
	fi
fi
exec "$here/../run.sh" --no-cluster -- python3 "$here/mock.py" "$jar" "${2:-}"
