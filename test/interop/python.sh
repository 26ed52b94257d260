#!/bin/bash
# The official Python SDK from PyPI against the test cluster and foreign tables.
# usage: python.sh [--only TEXT]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=$BUILD_DIR/interop/python

if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
	log=$BUILD_DIR/interop/pip.log
	rm -rf "$venv"
	if ! { python3 -m venv "$venv" && "$venv/bin/pip" install -q --only-binary :all: -r "$here/requirements.txt"; } \
		>"$log" 2>&1; then
		tail -n 5 "$log"
		echo "skipped: the Python SDK cannot be had from PyPI"
		exit 77
	fi
	cp "$here/requirements.txt" "$venv/requirements.txt"
fi
certs=$BUILD_DIR/interop/certs
"$here/../tls/make-certs.sh" "$certs" >/dev/null
exec "$here/../run.sh" --cluster-args "--config $here/cluster.json --tls-cert $certs/server.pem --tls-key $certs/server.key --tls-client-ca $certs/ca.pem --tls-client-auth enabled" \
	-- "$venv/bin/python" "$here/python.py" "$certs" "${2:-}"
