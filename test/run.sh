#!/bin/bash
# Runs a command against a throw-away PostgreSQL that has this tree's extension, and a throw-away test cluster.
#
# usage: run.sh [option ...] -- command [argument ...]
#   --cluster-args "ARGS"   arguments of cbcluster (words split at blanks; may be repeated)
#   --no-cluster            no test cluster
#   --pg-conf "NAME=VALUE"  a setting of the server (may be repeated)
#   --no-server             no PostgreSQL server; its programs and the extension are still in PATH
#   --as-server-user        run the command as the user that owns the server, in a copy of test/t's folder
#   --wrap "COMMAND"        start the postmaster under this command, e.g. valgrind
#   --keep-log FILE         copy the server's log there at the end
#   --foreground            the command owns the terminal (an interactive psql)
#
# Everything lives in one folder under ${TMPDIR:-/tmp}, removed on every way out: a copy of PostgreSQL's
# programs with the extension installed into it, the data directory, the socket. Nothing is installed on
# the machine, and no server of the machine is touched. As root, the server runs as an unprivileged user.
#
# The command finds in its environment: PATH with those programs first, PGHOST PGPORT PGUSER PGDATABASE,
# and of the cluster CB_CONNECTION_STRING CB_USER CB_PASSWORD, CB_KV CB_KVS CB_MANAGEMENT CB_MANAGEMENT_TLS CB_QUERY CB_CONTROL
# (comma-separated host:port lists, by node), CB_READY_FILE, CB_PID; CBCONN_ROOT is the tree, CBCONN_TMP the folder.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
pg_config=${PG_CONFIG:-pg_config}

cluster=yes server=yes as_server_user=no foreground=no keep_log='' wrap=()
cluster_args=() pg_conf=()

die() {
	echo "run.sh: $*" >&2
	exit 1
}

while [ $# -gt 0 ]; do
	case $1 in
		--cluster-args) read -r -a words <<<"$2"; cluster_args+=("${words[@]}"); shift ;;
		--no-cluster) cluster=no ;;
		--pg-conf) pg_conf+=("$2"); shift ;;
		--no-server) server=no ;;
		--as-server-user) as_server_user=yes ;;
		--wrap) read -r -a wrap <<<"$2"; shift ;;
		--keep-log) keep_log=$2; shift ;;
		--foreground) foreground=yes ;;
		--) shift; break ;;
		*) die "unknown option \"$1\"" ;;
	esac
	shift
done
[ $# -gt 0 ] || die "no command given"

server_pid='' cluster_pid='' command_pid='' tmp=''

# Ends a process that this script started: the given signals in turn, 10 seconds each.
end_process() {
	local pid=$1 signal i
	shift
	for signal in "$@" KILL; do
		kill -s "$signal" "$pid" 2>/dev/null || break
		for ((i = 0; i < 100; i++)); do
			kill -0 "$pid" 2>/dev/null || break 2
			sleep 0.1
		done
	done
	wait "$pid" 2>/dev/null || true
}

clean_up() {
	local status=$?
	trap '' EXIT INT TERM HUP
	[ -z "$command_pid" ] || end_process "$command_pid" TERM
	[ -z "$server_pid" ] || end_process "$server_pid" INT QUIT
	[ -z "$cluster_pid" ] || end_process "$cluster_pid" TERM
	if [ -n "$keep_log" ] && [ -e "$tmp/server.log" ]; then cp "$tmp/server.log" "$keep_log"; fi
	[ -z "$tmp" ] || rm -rf "$tmp"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

tmp=$(mktemp -d -t --suffix=.cbconn)
chmod 755 "$tmp"

# The user that owns the server: initdb and postgres refuse root.
demote=()
if [ "$(id -u)" = 0 ]; then
	owner=nobody
	id postgres >/dev/null 2>&1 && owner=postgres
	demote=(setpriv "--reuid=$owner" "--regid=$(id -g "$owner")" --clear-groups)
else
	owner=$(id -un)
fi

# PostgreSQL finds its folders relative to its own program, so a copy of the programs beside links to the
# rest is an installation of its own, into which the extension goes by DESTDIR.
private_install() {
	local bin lib share file
	bin=$("$pg_config" --bindir)
	lib=$("$pg_config" --pkglibdir)
	share=$("$pg_config" --sharedir)
	mkdir -p "$tmp/inst$bin" "$tmp/inst$lib" "$tmp/inst$share/extension"
	cp "$bin"/* "$tmp/inst$bin/"
	rm -f "$tmp/inst$bin/pg_config"
	for file in "$lib"/*.so "$lib"/*.bc; do [ ! -e "$file" ] || ln -s "$file" "$tmp/inst$lib/"; done
	for file in "$share"/* "$share"/extension/*; do
		case $file in
			"$share"/extension) ;;
			"$share"/extension/*) ln -s "$file" "$tmp/inst$share/extension/" ;;
			*) ln -s "$file" "$tmp/inst$share/" ;;
		esac
	done
	rm -f "$tmp/inst$lib/cbconn_fdw.so" "$tmp/inst$share"/extension/cbconn_fdw*
	make -s -j"$(nproc)" -C "$root" PG_CONFIG="$pg_config" all >&2
	make -s -C "$root" PG_CONFIG="$pg_config" install DESTDIR="$tmp/inst" >&2
	export PATH="$tmp/inst$bin:$PATH"
}

start_server() {
	local i setting
	mkdir "$tmp/data" "$tmp/socket"
	[ ${#demote[@]} = 0 ] || chown "$owner" "$tmp/data" "$tmp/socket"
	"${demote[@]}" initdb -D "$tmp/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync \
		>"$tmp/initdb.log" 2>&1 || { cat "$tmp/initdb.log" >&2; die "initdb failed"; }
	{
		printf '%s\n' "fsync = off" "synchronous_commit = off" "full_page_writes = off" \
			"listen_addresses = ''" "unix_socket_directories = '$tmp/socket'" \
			"log_line_prefix = '%m [%p] '" "timezone = 'UTC'" "max_connections = 100"
		for setting in "${pg_conf[@]}"; do printf '%s\n' "${setting%%=*} = '${setting#*=}'"; done
	} >>"$tmp/data/postgresql.conf"
	"${demote[@]}" setpriv --pdeathsig QUIT "${wrap[@]}" postgres -D "$tmp/data" >"$tmp/server.log" 2>&1 &
	server_pid=$!
	export PGHOST="$tmp/socket" PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
	for ((i = 0; i < 600; i++)); do
		if pg_isready -q; then return; fi
		kill -0 "$server_pid" 2>/dev/null || break
		sleep 0.1
	done
	cat "$tmp/server.log" >&2
	die "the server did not start"
}

start_cluster() {
	local i list
	make -s -j"$(nproc)" -C "$root" PG_CONFIG="$pg_config" cluster >&2
	export CB_READY_FILE="$tmp/cluster.json"
	setpriv --pdeathsig TERM "$root/build/cbcluster" --ready-file "$CB_READY_FILE" "${cluster_args[@]}" \
		>"$tmp/cluster.log" 2>&1 &
	cluster_pid=$!
	export CB_PID=$cluster_pid
	for ((i = 0; i < 3000; i++)); do
		[ ! -s "$CB_READY_FILE" ] || break
		kill -0 "$cluster_pid" 2>/dev/null || { cat "$tmp/cluster.log" >&2; die "cbcluster did not start"; }
		sleep 0.05
	done
	[ -s "$CB_READY_FILE" ] || die "cbcluster was not ready in time"
	CB_CONNECTION_STRING=$(jq -r .connection_string "$CB_READY_FILE")
	export CB_CONNECTION_STRING CB_USER=${CB_USER:-Administrator} CB_PASSWORD=${CB_PASSWORD:-password}
	for list in kv kvs management management_tls query control; do
		export "CB_${list^^}=$(jq -r ".$list // [] | if type == \"array\" then join(\",\") else . end" "$CB_READY_FILE")"
	done
}

run_command() {
	if [ "$as_server_user" = yes ]; then
		cp -R "$root/test/t" "$tmp/t"
		cp -R "$root/test/tls" "$tmp/tls"
		cp "$root/README.md" "$tmp/README.md"
		mkdir "$tmp/work"
		[ ! -e "$root/build/cbcluster" ] || cp "$root/build/cbcluster" "$tmp/cbcluster"
		[ ${#demote[@]} = 0 ] || chown -R "$owner" "$tmp/t" "$tmp/work"
		cd "$tmp/work"
		set -- "${demote[@]}" env HOME="$tmp/work" "$@"
	fi
	if [ "$foreground" = yes ]; then
		trap '' INT
		"$@"
		return
	fi
	"$@" <&0 &
	command_pid=$!
	local status=0
	wait "$command_pid" || status=$?
	command_pid=''
	return "$status"
}

export CBCONN_ROOT=$root CBCONN_TMP=$tmp
private_install
[ "$server" = no ] || start_server
[ "$cluster" = no ] || start_cluster
run_command "$@"
