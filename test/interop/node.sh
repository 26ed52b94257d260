#!/bin/sh
# Drives cbcluster and foreign tables with the official Couchbase SDK from the npm registry. One line a check; exit
# status 0 if all passed.
#
#   test/interop/node.sh [--only TEXT]
#
# CBCLUSTER  the test cluster's binary (default: build/cbcluster of this tree)
# BUILD_DIR  where the SDK is installed and the cluster's files go (default: build of this tree)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
BUILD_DIR=${BUILD_DIR:-$top/build}
CBCLUSTER=${CBCLUSTER:-$BUILD_DIR/cbcluster}

[ -x "$CBCLUSTER" ] || { echo "interop: no test cluster at $CBCLUSTER" >&2; exit 2; }
NODE_PATH=$("$here/install.sh")
export NODE_PATH CBCLUSTER
exec "$here/../run.sh" --no-cluster -- node "$here/main.js" "$@"
