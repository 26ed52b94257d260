#!/bin/bash
# Installs the Debian packages that the named groups need and that are not there yet.
# usage: deps.sh GROUP...   (build, regress, test, demo, interop, lint, valgrind, pgmatrix)
set -euo pipefail

postgres_major() {
	local config=${PG_CONFIG:-pg_config} pgxs
	if pgxs=$("$config" --pgxs 2>/dev/null) && [ -e "$pgxs" ]; then
		"$config" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/'
	else
		apt-cache depends postgresql 2>/dev/null | sed -n 's/.*Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | tail -n 1
	fi
}

# The version of clang that the package "clang" stands for: its run-time libraries are a package of their own.
clang_major() {
	apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9][0-9]*\)$/\1/p' | head -n 1
}

installed() {
	dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null | grep -q '^install ok installed$'
}

# Prints the packages of a group, one a line; what a command or file already serves is left out.
group() {
	case $1 in
		build)
			printf '%s\n' gcc make pkg-config libc6-dev libssl-dev libc-ares-dev libcurl4-openssl-dev libjansson-dev \
				libsnappy-dev zlib1g-dev libicu-dev libevent-dev jq ca-certificates
			# A PostgreSQL from elsewhere (PG_CONFIG) brings its own server and headers.
			if [ -z "${PG_CONFIG:-}" ]; then
				if [ -z "$major" ]; then
					printf '%s\n' postgresql postgresql-server-dev-all
				else
					printf '%s\n' "postgresql-$major" "postgresql-server-dev-$major"
				fi
			fi
			;;
		regress) printf '%s\n' openssl python3 libipc-run-perl procps dnsmasq-base ;;
		test)
			group regress
			printf '%s\n' clang llvm "libclang-rt-$(clang_major)-dev"
			;;
		pgmatrix) printf '%s\n' debootstrap git python3 python3-pip ;;
		valgrind) echo valgrind ;;
		demo) printf '%s\n' iso-codes python3 ;;
		lint) printf '%s\n' shellcheck clang clang-tidy cppcheck binutils python3 git ;;
		interop)
			command -v node >/dev/null || echo nodejs
			command -v npm >/dev/null || echo npm
			python3 -c 'import ensurepip' 2>/dev/null || echo python3-venv
			command -v java >/dev/null || echo default-jre-headless
			command -v mvn >/dev/null || echo maven
			;;
		*)
			echo "deps.sh: no group \"$1\"" >&2
			exit 2
			;;
	esac
}

wanted() {
	local name
	for name in "$@"; do group "$name"; done | sort -u |
		while read -r package; do installed "$package" || echo "$package"; done
}

major=$(postgres_major || true)
mapfile -t missing < <(wanted "$@")
[ ${#missing[@]} != 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "deps.sh: this is not Debian; please install by hand what corresponds to:" "${missing[@]}" >&2
	exit 1
fi
as_root=()
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || {
		echo "deps.sh: neither root nor sudo; please have installed:" "${missing[@]}" >&2
		exit 1
	}
	as_root=(sudo)
fi

"${as_root[@]}" apt-get update -qq
major=$(postgres_major || true)
mapfile -t missing < <(wanted "$@")
echo "Installing Debian packages: ${missing[*]}"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	"${missing[@]}" </dev/null >/dev/null
