# shellcheck shell=sh
# Sourced by the replay programs: a test cluster of one's own in the folder $dir, ended on every way out.
dir=$(mktemp -d)
pid=
cleanup() {
	status=$?
	trap - EXIT
	if [ -n "$pid" ]; then
		kill "$pid" 2>/dev/null || true
		wait "$pid" || { echo "cbcluster ended with status $?" >&2; status=1; }
	fi
	rm -rf "$dir"
	exit $status
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# start_cluster PROGRAM ARGUMENT...: returns when it is ready; $dir/ready tells its addresses.
start_cluster() {
	"$@" --ready-file "$dir/ready" &
	pid=$!
	tries=0
	until [ -s "$dir/ready" ]; do
		tries=$((tries + 1))
		if [ $tries -gt 200 ] || ! kill -0 "$pid" 2>/dev/null; then
			echo 'cbcluster did not start' >&2
			exit 1
		fi
		sleep 0.1
	done
}
