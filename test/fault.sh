#!/bin/bash
# Throws a fault switch of the test cluster that CB_CONTROL names (run.sh sets it); without arguments, lists them.
# usage: fault.sh [SWITCH [NODE] [NAME=VALUE ...]]     e.g. fault.sh kill 1, fault.sh tmpfail 0 count=3
set -euo pipefail

switch=${1:-}
[ $# = 0 ] || shift
query=''
for word in "$@"; do
	case $word in
		*=*) query+="&$word" ;;
		*) query+="&node=$word" ;;
	esac
done
exec 3<>"/dev/tcp/${CB_CONTROL%:*}/${CB_CONTROL##*:}"
printf 'POST /%s?%s HTTP/1.0\r\nContent-Length: 0\r\n\r\n' "$switch" "${query#&}" >&3
answer=$(sed '1,/^\r*$/d' <&3)
if [ -z "$switch" ]; then
	jq -r '.[] | "\(.path[1:]) \(.arguments)\n    \(.does)"' <<<"$answer"
elif [ "$(jq -r 'has("error")' <<<"$answer")" = true ]; then
	echo "fault.sh: $(jq -r .error <<<"$answer")" >&2
	exit 1
elif [ "$switch" = status ]; then
	jq . <<<"$answer"
fi
