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
sdk_dir=$BUILD_DIR/interop

for tool in node npm; do
	command -v "$tool" >/dev/null || { echo "interop: $tool is not installed" >&2; exit 2; }
done
[ -x "$CBCLUSTER" ] || { echo "interop: no test cluster at $CBCLUSTER" >&2; exit 2; }

mkdir -p "$sdk_dir"
if ! cmp -s "$here/package.json" "$sdk_dir/package.json" || [ ! -d "$sdk_dir/node_modules/couchbase" ]; then
	rm -rf "$sdk_dir/node_modules" "$sdk_dir/package.json"
	cp "$here/package.json" "$sdk_dir/package.json.new"
	mv "$sdk_dir/package.json.new" "$sdk_dir/package.json"
	# The binary comes inside the package; its install script would only look for it.
	(cd "$sdk_dir" && npm install --no-package-lock --no-audit --no-fund --ignore-scripts \
		--loglevel=error >"$sdk_dir/npm.log" 2>&1) || {
		cat "$sdk_dir/npm.log" >&2
		rm -f "$sdk_dir/package.json"
		exit 2
	}
fi

NODE_PATH=$sdk_dir/node_modules
export NODE_PATH CBCLUSTER
exec "$here/../run.sh" --no-cluster -- node "$here/main.js" "$@"
