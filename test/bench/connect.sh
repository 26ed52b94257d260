#!/bin/bash
# The measurements of connecting: clusters of 1 and 8 nodes, with and without the library preloaded. usage: connect.sh
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
certs=$(mktemp -d)
trap 'rm -rf "$certs"' EXIT

SDK=${SDK:-$("$here/../interop/install.sh")}
"$here/../tls/make-certs.sh" "$certs" >/dev/null
chmod 755 "$certs"
chmod 644 "$certs/ca.pem"
export SDK CERTS=$certs

echo
echo '| connecting | nodes | cbconn_fdw | official SDK | target |'
echo '|---|---|---|---|---|'
for nodes in 1 8; do
	for preload in '' cbconn_fdw; do
		"$here/../run.sh" --cluster-args "--config $here/connect$nodes.json --generate bench._default.doc=10000" \
			--cluster-args "--tls-cert $certs/server.pem --tls-key $certs/server.key" \
			--pg-conf max_connections=600 --pg-conf "shared_preload_libraries=$preload" --pg-conf jit=off \
			-- "$here/measure_connect.sh" "$nodes" "${preload:-no}"
	done
done
