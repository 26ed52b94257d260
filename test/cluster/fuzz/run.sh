#!/bin/sh
# Runs the statement fuzzer from the recorded statements: run.sh PROGRAM SECONDS
set -eu
top=$(cd "$(dirname "$0")/../../.." && pwd)
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
python3 - "$corpus" "$top"/test/vectors/sqlpp/*.jsonl <<'PY'
import hashlib, json, sys
for name in sys.argv[2:]:
    for line in open(name, encoding='utf-8'):
        text = json.loads(line)['statement']
        if text:
            data = text.encode('utf-8', 'surrogatepass')
            open(sys.argv[1] + '/' + hashlib.sha1(data).hexdigest(), 'wb').write(data)
PY
mkdir -p "$top/build/fuzz/found"
"$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=1500 -max_len=4096 -artifact_prefix="$top/build/fuzz/found/" \
	-print_final_stats=1 "$corpus" >"$top/build/fuzz/statement.log" 2>&1 && status=0 || status=$?
tail -n 15 "$top/build/fuzz/statement.log"
exit "$status"
