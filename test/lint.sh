#!/bin/bash
# The project's own rules, each as a function that prints what breaks it in a given tree and nothing otherwise.
# Before the real tree is judged, every check must fire on a small tree that breaks its rule.
# usage: lint.sh [CHECK ...]
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

c_files() { find "$@" -name '*.[ch]' -not -path '*/build/*' 2>/dev/null | LC_ALL=C sort; }

# Arrows between the layers point only down: fdw -> cluster -> protocol.
check_layers() {
	local postgres='#include *["<](postgres|c\.h|utils/|storage/|miscadmin|nodes/|executor/|optimizer/|access/|catalog/|foreign/|commands/|parser/|port/|common/|mb/|libpq/|lib/)'
	c_files src/protocol | xargs -r grep -nE "$postgres" /dev/null
	c_files src/protocol | xargs -r grep -nE '#include *["<](.*/)?(cluster|fdw)/' /dev/null
	c_files src/protocol | xargs -r grep -nE '#include *<(sys/socket|netdb|poll|sys/epoll|time|sys/time|pthread|curl|ares)' /dev/null
	c_files src/cluster | xargs -r grep -nE '#include *["<](optimizer/|nodes/plannodes|nodes/pathnodes|executor/|foreign/fdwapi|.*fdw/)' /dev/null
	c_files src/fdw | xargs -r grep -nE '\b(socket|connect|recv|recvmsg|send|sendmsg|SSL_read|SSL_write|curl_multi_perform|poll|epoll_wait|WaitLatchOrSocket)\(' /dev/null
	c_files src/fdw | xargs -r grep -nE '#include *<(sys/socket|netdb|poll|sys/epoll|curl|ares|openssl/ssl)' /dev/null
	c_files test/cluster | xargs -r grep -nE '#include *["<](\.\./)*(src/|protocol/|cluster/cluster)' /dev/null
}
break_layers() {
	mkdir -p src/protocol
	echo '#include "utils/elog.h"' >src/protocol/a.c
}

# Calls that wait outside the wait function, or write without a bound.
check_banned_calls() {
	c_files src | xargs -r grep -nE '\b(getaddrinfo|gethostbyname|sleep|usleep|nanosleep|pg_usleep|strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|strtok|alloca)\(' /dev/null
	c_files test/cluster | xargs -r grep -nE '\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca)\(' /dev/null
}
break_banned_calls() {
	mkdir -p src/fdw
	echo 'int f(const char *s) { return atoi(s); }' >src/fdw/a.c
}

# Error texts must be literals, so that nothing remote is ever read as a format.
check_literal_formats() {
	c_files src/cluster src/fdw | xargs -r grep -nE '\b(errmsg|errdetail|errhint|errcontext|errmsg_internal|errdetail_internal)\((\*?[a-z_]+(->|\.|\)|\[)|[a-z_]+\()' /dev/null
}
break_literal_formats() {
	mkdir -p src/fdw
	echo 'ereport(ERROR, errmsg(text));' >src/fdw/a.c
}

check_file_sizes() {
	c_files src test | while read -r file; do
		awk 'END { if (NR > 800) print FILENAME ": " NR " lines (800 are allowed)" }' "$file"
	done
}
break_file_sizes() {
	mkdir -p src/fdw
	seq -f '/* %g */' 801 >src/fdw/a.c
}

# A function is what stands between a brace in the first column and "}" alone in the first column.
check_function_sizes() {
	c_files src test | while read -r file; do
		awk '/^\{/ { start = NR }
			/^\}[ \t]*$/ { if (start && NR - start + 1 > 100)
				print FILENAME ":" start ": function of " NR - start + 1 " lines (100 are allowed)" }' "$file"
	done
}
break_function_sizes() {
	mkdir -p src/fdw
	{ printf 'int\nf(void)\n{\n'; seq -f '	/* %g */' 100; echo '}'; } >src/fdw/a.c
}

# Tabs of four columns indent, lines end where their text ends, and before column 120; tables in tests may be wider.
check_white_space() {
	c_files src test | while read -r file; do
		local limit=120
		[[ $file == src/* ]] || limit=145
		grep -nE '[ 	]+$|^	*    '"|"$'\r' "$file" /dev/null
		expand -t 4 "$file" | awk -v name="$file" -v limit="$limit" \
			'length > limit { print name ":" NR ": " length " columns (" limit " are allowed)" }'
	done
}
break_white_space() {
	mkdir -p src/fdw
	printf '    int a;\n' >src/fdw/a.c
}

# Words that announce unfinished work.
check_unfinished() {
	local words='(TO''DO|FIX''ME|XX''X|HA''CK|not imple''mented|st''ub)\b'
	grep -rniE --exclude-dir=build --exclude-dir=node_modules --include='*.[ch]' --include='*.sh' --include='*.sql' \
		--include='*.pl' --include='*.pm' --include='*.js' --include='*.py' --include='*.md' --include='*.mk' \
		--include=Makefile "$words" src test sql Makefile README.md CHANGELOG.md 2>/dev/null
}
break_unfinished() {
	mkdir -p src/fdw
	echo '/* TO''DO: later */' >src/fdw/a.c
}

# Each folder of sources says in at most a screen what is in it.
check_folder_readmes() {
	local folder
	for folder in src/protocol src/cluster src/fdw test test/*/; do
		folder=${folder%/}
		[ -d "$folder" ] || continue
		case $folder in test/data | test/vectors | test/sql | test/expected) continue ;; esac
		if [ ! -e "$folder/README.md" ]; then
			echo "$folder: no README.md"
		else
			awk 'END { if (NR > 60) print FILENAME ": " NR " lines (60 are allowed)" }' "$folder/README.md"
		fi
	done
	# Every source file is named in the README of its folder, by its name or by a pattern like json_*.c.
	for folder in src/protocol src/cluster src/fdw test/cluster; do
		[ -e "$folder/README.md" ] || continue
		for file in "$folder"/*.[ch]; do
			[ -e "$file" ] || continue
			named_in "$folder/README.md" "$(basename "$file")" || echo "$folder/README.md does not name $file"
		done
	done
}
named_in() {
	local pattern
	grep -qE "\b${2%.*}\b" "$1" && return
	while read -r pattern; do
		# shellcheck disable=SC2053
		[[ $2 == $pattern ]] && return
	done < <(grep -oE '[a-z_]+\*\.[ch]' "$1")
	return 1
}
break_folder_readmes() { mkdir -p src/fdw; }

# Every source file starts with a comment that says what it is for.
check_file_headers() {
	c_files src test/cluster test/unit test/fuzz | while read -r file; do
		head -n 1 "$file" | grep -q '^/\*' || echo "$file: no header comment"
	done
}
break_file_headers() {
	mkdir -p src/fdw
	echo 'int a;' >src/fdw/a.c
}

# The protocol layer links against no PostgreSQL symbol, waits for nothing and keeps no state of its own.
check_protocol_purity() {
	local objects=("$@") symbols
	[ ${#objects[@]} != 0 ] || mapfile -t objects < <(find src/protocol -name '*.o' 2>/dev/null)
	[ ${#objects[@]} != 0 ] || return 0
	symbols=$(nm -D --defined-only "$("${PG_CONFIG:-pg_config}" --bindir)/postgres" | awk '{ print $3 }')
	nm -A --undefined-only "${objects[@]}" | sed 's/^\(.*\):.* U \(.*\)$/\2 \1/' | sort |
		join - <(echo "$symbols" | sort) | sed 's/^\([^ ]*\) \(.*\)/\2: PostgreSQL symbol \1/'
	nm -A --undefined-only "${objects[@]}" |
		grep -E ' U (socket|connect|send|sendto|recv|recvfrom|read|write|poll|select|epoll_wait|time|clock_gettime|gettimeofday|getenv|open|fopen|rand|random|pthread_.*)$'
	objdump -t "${objects[@]}" | grep -E ' O \.(bss|data)[ .]' | grep -vE '\.data\.rel\.ro' | sed 's/^/mutable state: /'
}
break_protocol_purity() {
	mkdir -p src/protocol
	printf 'extern void *palloc(unsigned long);\nint counter;\nvoid *f(void) { counter++; return palloc(1); }\n' |
		cc -x c -c -o src/protocol/a.o -
}

# The library exports exactly its list: the module magic, _PG_init and the SQL functions.
check_exports() {
	[ -e cbconn_fdw.so ] || return 0
	diff <(nm -D --defined-only cbconn_fdw.so | awk '{ print $3 }' | LC_ALL=C sort) \
		<(grep -oE '[a-zA-Z_]+;' build/exports.map | tr -d ';' | LC_ALL=C sort) |
		sed -n 's/^< \(.*\)/exported, but not on the list: \1/p; s/^> \(.*\)/on the list, but not exported: \1/p'
}
break_exports() {
	mkdir build
	echo '{ global: Pg_magic_func; local: *; };' >build/exports.map
	echo 'int Pg_magic_func(void) { return 1; } int leaked(void) { return 1; }' | cc -x c -shared -fPIC -o cbconn_fdw.so -
}

check_shell() {
	local scripts
	mapfile -t scripts < <(grep -rlE --exclude-dir=.git --exclude-dir=build --exclude-dir=node_modules '^#!/(usr/)?bin/(env )?(ba)?sh' . | grep -v '\.pl$')
	[ ${#scripts[@]} = 0 ] || shellcheck -x "${scripts[@]}"
}
break_shell() {
	cat >a.sh <<-'END'
		#!/bin/bash
		rm $1/*
	END
}

# The control file, the install script and META.json speak of one version.
check_version() {
	local version
	version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" cbconn_fdw.control)
	[ -e "sql/cbconn_fdw--$version.sql" ] || echo "no sql/cbconn_fdw--$version.sql for default_version $version"
	python3 - "$version" <<-'END'
		import json, sys
		meta = json.load(open("META.json"))
		for key in ("name", "version", "abstract", "maintainer", "license", "provides", "meta-spec"):
		    if key not in meta:
		        print("META.json: no", key)
		if not meta["version"].startswith(sys.argv[1]):
		    print("META.json: version", meta["version"], "against", sys.argv[1])
	END
	grep -q "^## $version" CHANGELOG.md || echo "CHANGELOG.md: nothing about $version"
}
break_version() {
	cp "$root/META.json" "$root/CHANGELOG.md" .
	echo "default_version = '7.7'" >cbconn_fdw.control
}

# Names in the first column of the tables of a part of the README, one a line. $1: its heading.
readme_names() {
	awk -v heading="$1" '/^#/ { inside = ($0 == heading) } inside && /^\| `/' README.md | cut -d '|' -f 2 | grep -oE '`[a-z_.0-9]+' | tr -d '\`' | LC_ALL=C sort -u
}
# Prints the differences between the names of the code ($2) and the README's ($3), as lists. $1: what they are.
compare_names() {
	diff <(LC_ALL=C sort -u <<<"$2") <(echo "$3") |
		sed -n "s/^< \(..*\)/README.md: no $1 \1/p; s/^> \(..*\)/README.md: $1 \1 does not exist/p"
}

# The README and the code name the same options, settings and SQL functions. (Options of connection strings: t/041.)
check_readme() {
	grep -q 'make demo' README.md && grep -q 'make test' README.md || echo "README.md: make demo and make test are not shown"
	compare_names function "$(sed -n 's/^CREATE FUNCTION \(@extschema@\.\)\?\(cbconn_[a-z_]*\)(.*/\2/p' sql/cbconn_fdw--*.sql |
		grep -vE '_(handler|validator|check_tables)$')" "$(readme_names '## Functions')"
	[ -e src/fdw/option.c ] || return
	compare_names option "$(sed -n 's/^	{"\([a-z_]*\)", OPTION_.*/\1/p' src/fdw/option.c)" "$(readme_names '## Options')"
	grep -rhoE '^	(guc_define|DefineCustom[A-Za-z]*)\("cbconn_fdw\.[a-z_]*' src | grep -oE 'cbconn_fdw\.[a-z_]*' | while read -r name; do
		grep -q "\`$name\`" README.md || echo "README.md: no setting $name"
	done
}
break_readme() {
	mkdir sql
	echo 'make demo make test' >README.md
	echo 'CREATE FUNCTION cbconn_something()' >sql/cbconn_fdw--1.0.sql
}

# gcc warns while building; clang reads the same files here, warnings being errors.
check_clang() {
	local includes flags
	includes=$("${PG_CONFIG:-pg_config}" --includedir-server)
	flags=(-std=gnu11 -fsyntax-only -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare
		-Wno-missing-field-initializers -Wno-ignored-attributes -D_GNU_SOURCE -I. -Isrc
		-isystem "$includes")
	c_files src/cluster src/fdw | grep '\.c$' | xargs -r -P 2 -n 8 clang "${flags[@]}" 2>&1
	c_files src/protocol | grep '\.c$' | xargs -r clang -std=c11 -fsyntax-only -Wall -Wextra -Werror -Isrc 2>&1
}
break_clang() {
	mkdir -p src/protocol
	echo 'int f(void) { int unused; return 1; }' >src/protocol/a.c
}

# .clang-tidy says what is looked for.
check_clang_tidy() {
	local includes
	includes=$("${PG_CONFIG:-pg_config}" --includedir-server)
	# shellcheck disable=SC2016
	find src test/cluster -name '*.c' 2>/dev/null | LC_ALL=C sort | xargs -r -P 2 -n 8 bash -c 'clang-tidy --quiet \
		--config-file="$0/.clang-tidy" "${@:2}" -- -std=gnu11 -D_GNU_SOURCE -Isrc -isystem "$1" 2>/dev/null' "$root" "$includes"
}
break_clang_tidy() {
	mkdir -p src/protocol
	printf '#include <string.h>\nvoid f(char **s) { memset(s, sizeof(*s), 0); }\n' >src/protocol/a.c
}

# cppcheck.cfg and cppcheck.txt say what it must be told.
check_cppcheck() {
	cppcheck -q -j 2 --std=c11 --enable=warning,portability,performance --library="$root/test/cppcheck.cfg" \
		--suppressions-list="$root/test/cppcheck.txt" --template='{file}:{line}: {id}: {message}' -Isrc \
		src test 2>&1
}
break_cppcheck() {
	mkdir -p src/protocol test
	printf 'int f(void) { int a[2]; a[2] = 1; return a[0]; }\n' >src/protocol/a.c
}

checks=(layers banned_calls literal_formats file_sizes function_sizes white_space unfinished folder_readmes file_headers
	protocol_purity exports shell version readme clang clang_tidy cppcheck)
[ $# = 0 ] || checks=("$@")

cd "$root" || exit 1
[[ " ${checks[*]} " != *" protocol_purity "* && " ${checks[*]} " != *" exports "* ]] ||
	CI=true make -s -j"$(nproc)" all || exit 1

passed=0 failed=0
for check in "${checks[@]}"; do
	rm -rf "${scratch:?}/tree" && mkdir "$scratch/tree"
	if [ -z "$(cd "$scratch/tree" && "break_$check" && "check_$check" 2>&1)" ]; then
		echo "$check: the check does not fire on what breaks it"
		failed=$((failed + 1))
	elif found=$(cd "$root" && "check_$check" 2>&1); [ -z "$found" ]; then
		passed=$((passed + 1))
	else
		printf '%s:\n%s\n' "$check" "$found"
		failed=$((failed + 1))
	fi
done
echo "lint: $passed passed, $failed failed"
[ "$failed" = 0 ]
