#!/bin/bash
# Makes throw-away certificates of every kind that the tests need, with the openssl program.
# usage: make-certs.sh FOLDER [USER]     USER (Administrator) is whom the client certificates name
#
# Each NAME below becomes NAME.pem (with the rest of its chain) and NAME.key (mode 600), elliptic-curve keys.
#   ca, other-ca        two authorities: the tests trust the first only
#   server              localhost, 127.0.0.1 and ::1
#   dns-only, ip-only   localhost alone; the two addresses alone
#   cn-only             localhost as common name, no alternative name at all
#   wildcard            *.cb.localhost
#   wrong-host, wrong-ip    of the first authority, but for db.example.com, and for 192.0.2.1
#   expired, not-yet    as server, but until 2021, and from 2090
#   unknown-ca, self-signed as server, but of the other authority, and of none
#   intermediate        as server, signed by an authority that ca has signed; the chain is in the file
#   wrong-usage         as server, but for TLS clients only
#   client, client-expired, client-unknown-ca, client-intermediate    name USER
#   client-unknown-user names nobody
# Besides: client-open.key is client.key that everybody may read; client-encrypted.key wants the password "secret";
# other.key belongs to no certificate; garbage.pem is none; both-ca.pem has both authorities.
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: make-certs.sh FOLDER [USER]" >&2; exit 2; }

mkdir -p "$1"
cd "$1"
user=${2:-Administrator}
local_names='DNS:localhost,IP:127.0.0.1,IP:::1'
umask 077

quietly() {
	local output
	output=$(OPENSSL_CONF=$PWD/openssl.cnf openssl "$@" 2>&1) || { echo "make-certs.sh: openssl $1: $output" >&2; exit 1; }
}

key() {
	quietly ecparam -name prime256v1 -genkey -noout -out "$1.key"
}

# authority NAME [ISSUER]: signs itself unless an issuer is named.
authority() {
	key "$1"
	quietly req -new -key "$1.key" -subj "/O=cbcluster tests/CN=$1" -out "$1.csr"
	sign "$1" "${2:-$1}" 20200101000000Z 20990101000000Z $'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign'
}

# sign NAME ISSUER FROM UNTIL EXTENSIONS
sign() {
	local self=()
	[ "$1" != "$2" ] || self=(-selfsign)
	printf '%s\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' "$5" >"$1.ext"
	[ "$1" = "$2" ] || self+=(-cert "$2.pem")
	quietly ca -batch -notext -config openssl.cnf "${self[@]}" -keyfile "$2.key" -in "$1.csr" -out "$1.pem" \
		-startdate "$3" -enddate "$4" -extfile "$1.ext"
	rm -f "$1.csr" "$1.ext"
}

# leaf NAME ISSUER COMMON-NAME USAGE ALTERNATIVE-NAMES [FROM UNTIL]
leaf() {
	local extensions=$'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage='"$4"
	[ -z "$5" ] || extensions+=$'\nsubjectAltName='"$5"
	key "$1"
	quietly req -new -key "$1.key" -subj "/O=cbcluster tests/CN=$3" -out "$1.csr"
	sign "$1" "$2" "${6:-20200101000000Z}" "${7:-20990101000000Z}" "$extensions"
}

cat >openssl.cnf <<-CONF
	[req]
	distinguished_name = name
	[name]
	[ca]
	default_ca = tests
	[tests]
	database = index.txt
	rand_serial = yes
	unique_subject = no
	new_certs_dir = issued
	default_md = sha256
	policy = any
	[any]
	organizationName = optional
	commonName = supplied
CONF
mkdir -p issued
: >index.txt

authority ca
authority other-ca
authority middle ca
leaf server ca server serverAuth "$local_names"
leaf dns-only ca server serverAuth DNS:localhost
leaf ip-only ca server serverAuth IP:127.0.0.1,IP:::1
leaf cn-only ca localhost serverAuth ''
leaf wildcard ca server serverAuth 'DNS:*.cb.localhost'
leaf wrong-host ca server serverAuth DNS:db.example.com
leaf wrong-ip ca server serverAuth IP:192.0.2.1
leaf expired ca server serverAuth "$local_names" 20200101000000Z 20210101000000Z
leaf not-yet ca server serverAuth "$local_names" 20900101000000Z 20990101000000Z
leaf unknown-ca other-ca server serverAuth "$local_names"
leaf self-signed self-signed localhost serverAuth "$local_names"
leaf intermediate middle server serverAuth "$local_names"
leaf wrong-usage ca server clientAuth "$local_names"
leaf client ca "$user" clientAuth ''
leaf client-expired ca "$user" clientAuth '' 20200101000000Z 20210101000000Z
leaf client-unknown-ca other-ca "$user" clientAuth ''
leaf client-intermediate middle "$user" clientAuth ''
leaf client-unknown-user ca nobody-of-this-name clientAuth ''
cat middle.pem >>intermediate.pem
cat middle.pem >>client-intermediate.pem
cat ca.pem other-ca.pem >both-ca.pem
cp client.key client-open.key
quietly ec -in client.key -aes256 -passout pass:secret -out client-encrypted.key
key other
echo 'not a certificate' >garbage.pem
rm -rf issued index.txt* serial* openssl.cnf
chmod 644 ./*.pem client-open.key
chmod 755 .
