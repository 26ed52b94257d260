#!/bin/bash
# Prints the linker version script of the library: what the given sources
# declare with PG_FUNCTION_INFO_V1, the module magic and _PG_init.
set -euo pipefail

echo '{ global:'
echo '    Pg_magic_func; _PG_init;'
sed -n 's/^PG_FUNCTION_INFO_V1(\([A-Za-z0-9_]*\));.*/    \1; pg_finfo_\1;/p' "$@" </dev/null | LC_ALL=C sort
echo '  local: *; };'
