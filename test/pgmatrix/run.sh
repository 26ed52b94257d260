#!/bin/bash
# Builds the extension with -Werror and runs its suites with other PostgreSQL releases: see README.md beside this file.
# usage: run.sh [--stages "STAGE ..."] [MAJOR ...]   (stages of test/all.sh; none: folders are made, nothing is run)
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${CBCONN_PGMATRIX:-/var/cache/cbconn_fdw/pgmatrix}

stages=(build unit regress tap)
passed=0 failed=0 skipped=0 failures=()

# Counts the end of a step. $1: its status; the rest: its name.
count() {
	local status=$1
	shift
	if [ "$status" = 0 ]; then
		passed=$((passed + 1))
		echo "== $*: ok"
	else
		failed=$((failed + 1))
		failures+=("$*")
		echo "== $*: FAILED"
	fi
}

skip() {
	skipped=$((skipped + 1))
	echo "== skipped: $*"
}

# The Debian suite that has the release; nothing where none has.
suite_of() {
	case $1 in
		15) echo bookworm ;;
		17) echo trixie ;;
		18) echo forky ;;
	esac
}

# The mirror that this machine's apt takes the Debian release from.
mirror() {
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(SITE) $(ORIGIN) $(COMPONENT) $(RELEASE)' 'Created-By: Packages' 2>/dev/null |
		awk '$2 == "Debian" && $3 == "main" && $4 !~ /-/ { print $1; exit }'
}

# Why folders of other releases cannot be made or entered here; nothing if they can.
obstacle() {
	[ "$(id -u)" = 0 ] || { echo "needs root"; return; }
	command -v debootstrap >/dev/null || { echo "needs debootstrap"; return; }
	[ -n "$(mirror)" ] || { echo "apt knows no Debian mirror (apt-get update)"; return; }
	unshare --mount --pid --fork sh -c 'mount -t tmpfs none /mnt' 2>/dev/null || echo "this machine allows no mounts"
}

# Runs a command inside a folder, in a process and mount namespace of its own: whatever it leaves behind ends with it.
# The mounts exist in that namespace only.
enter() {
	local folder=$1
	shift
	# shellcheck disable=SC2016
	unshare --mount --pid --fork --kill-child sh -c '
		mount --make-rprivate / && mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" &&
			mount -t tmpfs none "$0/dev/shm" && mount -t tmpfs none "$0/tmp" && chmod 1777 "$0/tmp" &&
			exec chroot "$0" "$@"' "$folder" \
		env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 TERM=dumb CI=true \
		DEBIAN_FRONTEND=noninteractive "$@"
}

# Makes the folder of a release unless it is there already. A folder counts when its mark is in it.
make_folder() {
	local suite=$1 folder=$2
	[ ! -e "$folder/.cbconn-ready" ] || return 0
	rm -rf --one-file-system "$folder"
	mkdir -p "$folder"
	# A debootstrap that is older than the suite has no script of its name; they are one script.
	debootstrap --variant=minbase --include=ca-certificates,make "$suite" "$folder" "$(mirror)" \
		/usr/share/debootstrap/scripts/sid >"$folder.log" 2>&1 || { tail -n 20 "$folder.log"; return 1; }
	# Packages start no servers in there, and PostgreSQL's makes no cluster.
	printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
	chmod 755 "$folder/usr/sbin/policy-rc.d"
	mkdir -p "$folder/etc/postgresql-common"
	echo 'create_main_cluster = false' >"$folder/etc/postgresql-common/createcluster.conf"
	# A mirror that stands still serves lists of Debian's next release that have passed their date.
	echo 'Acquire::Check-Valid-Until "false";' >"$folder/etc/apt/apt.conf.d/50standstill"
	copy_tree "$folder"
	enter "$folder" /src/test/deps.sh build regress >>"$folder.log" 2>&1 ||
		{ tail -n 20 "$folder.log"; return 1; }
	rm -rf "$folder"/var/cache/apt/archives/*.deb
	touch "$folder/.cbconn-ready"
}

# Puts the files of this tree (not what was built from them) into a folder's /src.
copy_tree() {
	rm -rf --one-file-system "$1/src"
	mkdir "$1/src"
	(cd "$root" && git ls-files -coz --exclude-standard | xargs -0 ls -d 2>/dev/null | tar -cf - -T -) | tar -xf - -C "$1/src"
}

# Shows what matters of a stage's log. $2: its status.
tell() {
	[ "$2" = 0 ] || tail -n 300 "$1"
	grep -E '^#? ?(All [0-9]+ tests|Files=|[0-9]+ suites)' "$1"
}

# The stages of one release in its folder.
run_in_folder() {
	local major=$1 folder=$2 stage status found
	copy_tree "$folder"
	found=$(enter "$folder" sh -c 'cd /src && test/deps.sh build regress && pg_config --version && gcc -dumpfullversion' |
		tail -n 2 | paste -sd ' ')
	echo "== $found (version of gcc)"
	case $found in
		"PostgreSQL $major."*) ;;
		*)
			count 1 "$major: the folder $folder has another release"
			return
			;;
	esac
	for stage in "${stages[@]}"; do
		status=0
		enter "$folder" sh -c "cd /src && test/all.sh $stage" >"$folder.$stage.log" 2>&1 || status=1
		tell "$folder.$stage.log" "$status"
		count "$status" "$major $stage"
	done
}

run_debian() {
	local major=$1 suite folder why
	suite=$(suite_of "$major")
	folder=$cache/$suite
	why=$(obstacle)
	if [ -n "$why" ]; then
		skip "$major: $why"
		return
	fi
	if ! make_folder "$suite" "$folder"; then
		count 1 "$major: making $folder"
		return
	fi
	[ ${#stages[@]} = 0 ] || run_in_folder "$major" "$folder"
}

# Debian has no 16 any more. A package on PyPI carries a whole installation, headers included, but built without ICU
# and XML, and without TAP modules.
make_wheel() {
	local folder=$1 installation=$1/pgserver/pginstall
	[ ! -e "$folder/.cbconn-ready" ] || return 0
	[ "$(uname -m)" = x86_64 ] || return 1
	rm -rf --one-file-system "$folder"
	mkdir -p "$folder"
	python3 -m pip download --quiet --no-deps --dest "$folder" --only-binary=:all: --python-version 3.11 \
		--platform manylinux2014_x86_64 pgserver==0.1.4 >"$folder.log" 2>&1 || return 1
	python3 -m zipfile -e "$folder"/pgserver-*.whl "$folder" || return 1
	rm "$folder"/pgserver-*.whl
	chmod 755 "$installation"/bin/* "$installation"/lib/postgresql/pgxs/config/install-sh \
		"$installation"/lib/postgresql/pgxs/src/test/*/*
	touch "$folder/.cbconn-ready"
}

run_wheel() {
	local folder=$cache/wheel-16 stage status suite command
	local needing_more=(insert keys scan)

	if ! make_wheel "$folder"; then
		skip "16: Debian has it no more, and the package pgserver (for x86-64) cannot be had from PyPI"
		return
	fi
	[ ${#stages[@]} != 0 ] || return
	copy_tree "$folder"
	echo "== $("$folder/pgserver/pginstall/bin/pg_config" --version)"
	for stage in "${stages[@]}"; do
		case $stage in
			tap)
				skip "16 tap: the package pgserver has no TAP modules"
				continue
				;;
			regress)
				skip "16 ${needing_more[*]}: the package pgserver is built without ICU and XML"
				command=(test/regress.sh)
				for suite in sql/*.sql; do
					suite=$(basename "$suite" .sql)
					[[ $suite == cbconn_fdw--* || " ${needing_more[*]} " == *" $suite "* ]] || command+=("$suite")
				done
				;;
			*) command=(test/all.sh "$stage") ;;
		esac
		status=0
		(cd "$folder/src" && CI=true LD_LIBRARY_PATH=$folder/pgserver.libs \
			PG_CONFIG=$folder/pgserver/pginstall/bin/pg_config "${command[@]}") >"$folder.$stage.log" 2>&1 || status=1
		tell "$folder.$stage.log" "$status"
		count "$status" "16 $stage"
	done
}

main() {
	local major
	if [ "${1:-}" = --stages ]; then
		read -r -a stages <<<"$2"
		shift 2
	fi
	[ $# != 0 ] || set -- 15 16 17 18
	mkdir -p "$cache" || exit 1
	for major in "$@"; do
		echo "== PostgreSQL $major"
		case $major in
			16) run_wheel ;;
			15 | 17 | 18) run_debian "$major" ;;
			*)
				echo "run.sh: no release \"$major\" here" >&2
				exit 2
				;;
		esac
	done
	[ "$failed" = 0 ] || printf 'failed: %s\n' "${failures[@]}"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
	exit
}

main "$@"
