#!/bin/sh
# Installs the official Couchbase SDK from the npm registry, in the version that package.json names; prints the folder for NODE_PATH.
#
# BUILD_DIR  where it goes (default: build of this tree)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
BUILD_DIR=${BUILD_DIR:-$here/../../build}
sdk_dir=$BUILD_DIR/interop

for tool in node npm; do
	command -v "$tool" >/dev/null || { echo "interop: $tool is not installed" >&2; exit 2; }
done

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
echo "$sdk_dir/node_modules"
