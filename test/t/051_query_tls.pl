# The query service under TLS: the same rules and words as for data, nothing said before they are kept, client certificates.
use strict;
use warnings;

use CbCluster;
use CbQuery;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $certs = PostgreSQL::Test::Utils::tempdir_short() . '/certs';
system_or_bail("$ENV{CBCONN_TMP}/tls/make-certs.sh", $certs);

my $cluster = CbCluster->new('--nodes', 1, '--generate', 'default._default.doc=50',
	'--tls-cert', "$certs/server.pem", '--tls-key', "$certs/server.key", '--tls-client-ca', "$certs/ca.pem", '--tls-client-auth', 'enabled');
my ($tls_port) = $cluster->{ready}{kvs}[0] =~ /:(\d+)$/;
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
my $ca = "truststorepath=$certs/ca.pem&query_timeout=2s";
$cluster->attach($node, connection_string => "couchbases://127.0.0.1:$tls_port?$ca");

# What a fresh backend gets.
sub ask
{
	my ($host, $options, $before) = @_;
	my ($out, $err);

	$node->psql('postgres', "ALTER SERVER cb OPTIONS (SET connection_string 'couchbases://$host:$tls_port?$options')", stderr => \$err);
	$node->psql('postgres', "\\set VERBOSITY verbose\n" . ($before // '') . "SELECT cbconn_query('cb', 'SELECT RAW 1')", stdout => \$out, stderr => \$err);
	return $out ne '' ? $out : $err;
}

# ---- the cluster's own service ----

is(ask('127.0.0.1', $ca), '1', 'by address');
is(ask('localhost', $ca), '1', 'by name');
is($node->safe_psql('postgres', "SELECT string_agg(service || ' ' || state, ', ' ORDER BY service) FROM cbconn_ping('cb')"), 'kv ok, query ok', 'cbconn_ping()');
is($node->safe_psql('postgres', "SELECT string_agg(step, ', ') FROM cbconn_diag('cb') WHERE ok AND step ~ '^query|^SQL'"), 'query service, SQL++ statement', 'cbconn_diag()');
like(ask('127.0.0.1', $ca, "ALTER USER MAPPING FOR CURRENT_USER SERVER cb OPTIONS (SET username 'Administrator', SET password 'wrong');"),
	qr/ERROR:  28P01/, 'a wrong password');
is(ask('127.0.0.1', $ca, "ALTER USER MAPPING FOR CURRENT_USER SERVER cb OPTIONS (DROP username, DROP password, ADD sslcert '$certs/client.pem', ADD sslkey '$certs/client.key');"),
	'1', 'a client certificate in place of a password');
$node->safe_psql('postgres', "ALTER USER MAPPING FOR CURRENT_USER SERVER cb OPTIONS (DROP sslcert, DROP sslkey, ADD username 'Administrator', ADD password 'password')");

# ---- services with other certificates ----

sub serve
{
	my ($certificate) = @_;
	my $service = CbQuery->new("$certs/$certificate.pem", "$certs/$certificate.key");
	my $port = $service->{port};

	CbQuery::announce($cluster, \$port);
	return $service;
}

sub fails
{
	my ($name, $certificate, $host, $text, $sqlstate) = @_;
	my $service = serve($certificate);
	my $error = ask($host, $ca);

	like($error, qr/ERROR:  \Q$sqlstate\E: query on server "cb" failed: /, "$name: SQLSTATE");
	like($error, $text, "$name: says what is wrong");
	like($error, qr/step: TLS handshake\./, "$name: and where");
	is(scalar($service->requests), 0, "$name: nothing was said");
	is(ask($host, 'ssl=no_verify&query_timeout=2s'), '1', "$name: taken without verification");
	return;
}

foreach my $certificate (qw(server ip-only intermediate))
{
	my $service = serve($certificate);
	is(ask('127.0.0.1', $ca), '1', "$certificate, by address");
	is(($service->requests)[0]{authorization}, 'Basic QWRtaW5pc3RyYXRvcjpwYXNzd29yZA==', "$certificate: the password goes over TLS");
}
{
	my $service = serve('dns-only');
	is(ask('localhost', $ca), '1', 'dns-only, by name');
	is(ask('localhost', "$ca&tls_disable_v1_2=on"), '1', 'TLS 1.3 only');
	is(ask('localhost', "$ca&tls_ciphers=ECDHE-ECDSA-AES128-GCM-SHA256"), '1', 'ciphers of choice');
}
fails('a name, by address', 'dns-only', '127.0.0.1', qr/127\.0\.0\.1/, '08001');
fails('another name', 'wrong-host', 'localhost', qr/db\.example\.com/, '08001');
fails('another address', 'wrong-ip', '127.0.0.1', qr/127\.0\.0\.1/, '08001');
fails('expired', 'expired', '127.0.0.1', qr/expired/, '08001');
fails('not yet valid', 'not-yet', '127.0.0.1', qr/valid/, '08001');
fails('another authority', 'unknown-ca', '127.0.0.1', qr/authorit|issuer/, '08001');
fails('self-signed', 'self-signed', '127.0.0.1', qr/self-signed|itself/, '08001');
fails('of a client', 'wrong-usage', '127.0.0.1', qr/purpose|usage|server/, '08001');

# ---- a service that does not speak TLS ----

{
	my $service = CbQuery->new;
	my $port = $service->{port};

	CbQuery::announce($cluster, \$port);
	my $error = ask('127.0.0.1', $ca);
	like($error, qr/ERROR:  08001: query on server "cb" failed: .*\n.*step: TLS handshake\.\nHINT:  Perhaps the port is not one for TLS/, 'a plain port for TLS');
	is(scalar($service->requests), 0, 'nothing was said');
	CbQuery::announce($cluster, $port);
	like(ask('127.0.0.1', $ca), qr/no node of server "cb" offers the query service over TLS/, 'no port for TLS');
}
done_testing();
