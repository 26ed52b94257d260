# TLS: what is verified, each way in which it can fail in words of its own, client certificates, files that change.
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $certs = PostgreSQL::Test::Utils::tempdir_short() . '/certs';
system_or_bail("$ENV{CBCONN_TMP}/tls/make-certs.sh", $certs);

my $cluster = CbCluster->new('--nodes', 2, '--generate', 'default._default.doc=50',
	'--tls-cert', "$certs/server.pem", '--tls-key', "$certs/server.key", '--tls-client-ca', "$certs/ca.pem");
my ($host, $tls_port) = split /:/, $cluster->{ready}{kvs}[0];
my ($plain_port) = $cluster->kv(0) =~ /:(\d+)$/;
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
my $limits = 'bootstrap_timeout=2s&config_node_timeout=2s';
my $ca = "truststorepath=$certs/ca.pem&$limits";

$cluster->attach($node, connection_string => "couchbases://127.0.0.1:$tls_port?$ca");

# What a fresh backend gets from these hosts and options: the number of documents, or the error, be it from ALTER SERVER.
sub ask
{
	my ($hosts, $options, %param) = @_;
	my $scheme = $param{scheme} // 'couchbases';
	my $role = $param{role} // '';
	my ($out, $err);

	$node->psql('postgres',
		"\\set VERBOSITY verbose\nALTER SERVER cb OPTIONS (SET connection_string '$scheme://$hosts?$options')",
		stderr => \$err);
	return $err if $err =~ /ERROR:/;
	$node->psql('postgres', "\\set VERBOSITY verbose\n" . ($role ? "SET ROLE $role;\n" : '') .
		'SELECT count(*) FROM cb_doc;', stdout => \$out, stderr => \$err);
	return $out ne '' ? $out : $err;
}

sub works
{
	my ($name, @how) = @_;
	is(ask(@how), '50', "$name: works");
	return;
}

sub fails
{
	my ($name, $sqlstate, $text, $hint, @how) = @_;
	my $error = ask(@how);
	my @errors = $error =~ /ERROR:/g;

	like($error, qr/ERROR:  \Q$sqlstate\E: /, "$name: SQLSTATE");
	like($error, $text, "$name: says what is wrong");
	like($error, qr/HINT:  .*$hint/, "$name: says what to do") if $hint;
	unlike($error, qr/HINT:/, "$name: no hint") unless $hint;
	is(scalar(@errors), 1, "$name: one error");
	return;
}

sub serve
{
	my ($certificate) = @_;
	$cluster->control("certificate all cert=$certs/$certificate.pem key=$certs/$certificate.key");
	return;
}

my $here = "127.0.0.1:$tls_port";

# Starts the database server anew so that it speaks this version of TLS and nothing newer.
sub speak
{
	my ($version) = @_;
	my $file = "$certs/openssl.cnf";

	open(my $conf, '>', $file) or die "$file: $!";
	print $conf "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = limits\n[limits]\nMaxProtocol = TLSv$version\n";
	close($conf);
	$node->stop;
	local $ENV{OPENSSL_CONF} = $file;
	$node->start;
	return;
}

# ---- verification ----

works('an address, verified', $here, $ca);
works('a name, verified', "localhost:$tls_port", $ca);
works('both authorities in the file', $here, "truststorepath=$certs/both-ca.pem&$limits");
works('certpath alone is the authority', $here, "certpath=$certs/ca.pem&$limits");
works('ssl=on', $here, "ssl=on&$ca", scheme => 'couchbase');
works('TLS 1.3 alone', $here, "tls_disable_v1_2=on&$ca");
works('ciphers', $here, "tls_ciphers=ECDHE-ECDSA-AES128-GCM-SHA256&tls_ciphersuites=TLS_AES_128_GCM_SHA256&$ca");
fails('unknown ciphers', 'HV024', qr/no cipher is known by "NONESUCH"/, '', $here, "tls_ciphers=NONESUCH&$ca");

fails('authority unknown to the system', '08001', qr/step TLS handshake: .*authority that is not trusted: CN=ca,O=cbcluster tests/,
	'truststorepath', $here, $limits);
fails('no authority at all', 'HV024', qr/leaves no authority to trust/, 'truststorepath', $here,
	"disable_mozilla_ca_certificates=on&$limits");
fails('another authority', '08001', qr/authority that is not trusted/, 'truststorepath', $here,
	"truststorepath=$certs/other-ca.pem&$limits");

my @bad = (
	[ 'expired', qr/certificate of the node expired at 2021-01-01 00:00 UTC/, 'renewed' ],
	[ 'not-yet', qr/certificate of the node is not valid before 2090-01-01 00:00 UTC/, 'clock' ],
	[ 'unknown-ca', qr/authority that is not trusted: CN=other-ca/, 'truststorepath' ],
	[ 'self-signed', qr/self-signed and not trusted/, 'truststorepath' ],
	[ 'wrong-host', qr/is not for "127\.0\.0\.1", but for: db\.example\.com/, 'network' ],
	[ 'wrong-ip', qr/is not for "127\.0\.0\.1", but for: 192\.0\.2\.1/, 'network' ],
	[ 'dns-only', qr/is not for "127\.0\.0\.1", but for: localhost/, 'network' ],
	[ 'wrong-usage', qr/cannot be verified: .*purpose/, '' ]);
foreach my $case (@bad)
{
	my ($certificate, $text, $hint) = @$case;

	serve($certificate);
	fails($certificate, '08001', $text, $hint, $here, $ca);
	works("$certificate, not verified", $here, "ssl=no_verify&$limits");
}
serve('ip-only');
fails('ip-only under a name', '08001', qr/is not for "localhost", but for: 127\.0\.0\.1, ::1/, 'network',
	"localhost:$tls_port", $ca);
works('ip-only', $here, $ca);
serve('intermediate');
works('an intermediate authority', $here, $ca);

my (undef, undef, $warning) = $node->psql('postgres',
	"ALTER SERVER cb OPTIONS (SET connection_string 'couchbases://$here?ssl=no_verify')");
like($warning, qr/WARNING:  certificates of the cluster will not be verified/, 'no_verify gives a warning');

# A file that changes is read by the next connection, of the same session too.
serve('unknown-ca');
my $session = $node->background_psql('postgres', on_error_stop => 0);
my $store = "$certs/store.pem";
system_or_bail('cp', "$certs/ca.pem", $store);
$node->safe_psql('postgres', "ALTER SERVER cb OPTIONS (SET connection_string 'couchbases://$here?truststorepath=$store&$limits')");
CbCluster::send_query($session, 'SELECT count(*) FROM cb_doc');
like(CbCluster::finish_query($session), qr/authority that is not trusted/, 'before the file changes');
system_or_bail('cp', "$certs/other-ca.pem", $store);
is($session->query_safe('SELECT count(*) FROM cb_doc'), '50', 'after the file has changed');
$session->quit;
serve('server');

# ---- who may see the password, and when ----

# A SASL step that breaks tells PLAIN, which has none, from SCRAM.
my %list = ('sasl list' => '0x20', 'sasl start' => '0x21', 'sasl step' => '0x22');
$cluster->control("fault all kind=close opcode=$list{'sasl step'} count=-1");
works('a verified node sees the password', $here, $ca);
like(ask($here, "ssl=no_verify&$limits"), qr/step SASL authentication: the node closed the connection/, 'one that is not does not');
$cluster->control('clear all');

# How often a fresh backend waits for the first node: for TLS, then for all the rest at once.
sub flights
{
	my (@how) = @_;
	my $sum = sub { my $total = 0; $total += $_->{flights} foreach @{ $cluster->control('status')->{nodes} }; return $total; };
	my $before = $sum->();
	my ($hosts, $options, %param) = @how;
	my $scheme = $param{scheme} // 'couchbases';

	$node->safe_psql('postgres', "ALTER SERVER cb OPTIONS (SET connection_string '$scheme://$hosts?$options')");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM cb_doc WHERE id = 'doc-00000001'}), '1', "$scheme: a look-up");
	return $sum->() - $before;
}
my $sasl_flights = flights("127.0.0.1:$plain_port", $limits, scheme => 'couchbase');
my $tls_flights = flights($here, $ca);
# In clear: SCRAM and the rest. Over TLS: its own handshake, then all at once. Then the look-up, on the same node or the other.
cmp_ok($tls_flights, '<=', $sasl_flights, "TLS costs no more round trips ($tls_flights) than SCRAM in clear ($sasl_flights)");

# Nodes that do not take PLAIN, though the password could be sent. A byte in the list of mechanisms is spoilt.
my $plain_at = 24 + 3 + length('SCRAM-SHA512 SCRAM-SHA256 SCRAM-SHA1 ');
$cluster->control("fault all kind=corrupt offset=$plain_at opcode=$list{'sasl list'} count=1");
$cluster->control("fault all kind=status status=0x20 opcode=$list{'sasl start'} count=1");
works('a node that does not take PLAIN', $here, $ca);
$cluster->control('clear all');

# ---- a wire that is cut or lies ----

foreach my $kind ('corrupt', 'close', 'reset')
{
	foreach my $after (0, 100, 1500, 4000)
	{
		$cluster->control("wire all kind=$kind after=$after count=-1");
		my $answer = ask($here, $ca);
		like($answer, qr/^50$|ERROR:  08(?:001|006|P01): /, "$kind after $after bytes: an error, or all is well");
		unlike($answer, qr/internal error|unknown reason/, "$kind after $after bytes: in words");
		note($answer);
		$cluster->control('clear all');
		works("afterwards ($kind, $after)", $here, $ca);
	}
}

# New keys in the middle; TLS 1.2 has a new handshake for it, which is refused and so closes the connection.
foreach my $version ('1.2', '1.3')
{
	speak($version);
	$node->safe_psql('postgres', "ALTER SERVER cb OPTIONS (SET connection_string 'couchbases://$here?$ca')");
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	is($session->query_safe('SELECT count(*) FROM cb_doc'), '50', "TLS $version: before new keys");
	$cluster->control('rekey all');
	is($session->query_safe('SELECT count(*) FROM cb_doc'), '50', "TLS $version: after new keys");
	$session->quit;
}

# ---- what is not TLS, versions, files ----

fails('plain port given for TLS', '08001', qr/step TLS handshake: /, 'port', "127.0.0.1:$plain_port", $ca);
my $reverse = ask($here, $limits, scheme => 'couchbase');
like($reverse, qr/ERROR:  (?:08006|08P01): .*step HELLO: (?:the node answers in TLS|the node closed|Connection reset).*HINT:  .*couchbases:\/\//s,
	'TLS port given for plain text');

# Listeners that are no TLS at all.
fails('HTTP', '08001', qr/step TLS handshake: what listens there does not speak TLS/, '11207',
	CbCluster::listener(sub { print { $_[0] } "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" }), $ca);
fails('closed', '08001', qr/step TLS handshake: (?:the node closed the connection|Connection reset by peer)/, '11207',
	CbCluster::listener(sub { sysread($_[0], my $hello, 4096); close($_[0]) }), $ca);
fails('silence', '08001', qr/step TLS handshake: no answer in time/, '', CbCluster::listener(sub { }), $ca);

fails('no such file', '58P01', qr/could not use the file ".*missing\.pem" as certificate authorities: No such file/, '', $here,
	"truststorepath=$certs/missing.pem&$limits");
fails('a folder', 'F0000', qr/as certificate authorities: it is not a regular file/, '', $here, "truststorepath=$certs&$limits");
fails('no certificate in it', 'F0000', qr/garbage\.pem" as certificate authorities/, '', $here,
	"truststorepath=$certs/garbage.pem&$limits");
fails('mixed protocols', 'HV024', qr/protocol over TLS/, 'couchbases', "$here=mcds", $limits, scheme => 'couchbase');

# ---- client certificates ----

my $client = "$ca&certpath=$certs/client.pem&keypath=$certs/client.key";

# Changes the user mapping's options, given as a list of "ADD name 'value'", "DROP name".
sub mapping
{
	$node->safe_psql('postgres', 'ALTER USER MAPPING FOR CURRENT_USER SERVER cb OPTIONS (' . join(', ', @_) . ')');
	return;
}

works('certificate not asked for, password', $here, $client);
mapping('DROP username', 'DROP password');
fails('certificate not asked for, no password', '28000', qr/did not ask for the client certificate/, '', $here, $client);
foreach my $version ('1.2', '1.3')
{
	my $only = $version eq '1.3' ? '&tls_disable_v1_2=on' : '';

	speak($version);
	if ($version eq '1.2')
	{
		fails('no TLS 1.3 here, and nothing else wanted', '08001', qr/step TLS handshake: no TLS version is left/, 'configuration', $here,
			"$ca&tls_disable_v1_2=on");
		$cluster->control('certificate all min_version=1.3');
		fails('no TLS 1.3 here, and nothing else there', '08001', qr/the node accepts none of the TLS versions/, 'TLS 1.2', $here, $ca);
		$cluster->control('certificate all min_version=1.2');
	}
	foreach my $mode ('enabled', 'mandatory')
	{
		$cluster->control("certificate all client_auth=$mode");
		works("$mode, TLS $version: a good certificate", $here, $client . $only);
		fails("$mode, TLS $version: of another authority", '28000', qr/refused the client certificate: .*authority/, 'authorities', $here,
			"$ca&certpath=$certs/client-unknown-ca.pem&keypath=$certs/client-unknown-ca.key$only");
		fails("$mode, TLS $version: expired", '28000', qr/refused the client certificate: it has expired/, 'certificate', $here,
			"$ca&certpath=$certs/client-expired.pem&keypath=$certs/client-expired.key$only");
		my $error = ask($here, "$ca&certpath=$certs/client-unknown-user.pem&keypath=$certs/client-unknown-user.key$only");
		like($error, qr/ERROR:  08006: .*step HELLO: (?:the node closed the connection|Connection reset).*HINT:  .*client certificate/s,
			"$mode, TLS $version: of nobody");
	}
	if ($version eq '1.3')
	{
		fails("mandatory, TLS $version: none", '28000', qr/the node wants a client certificate/, 'sslcert', $here, $ca);
	}
	else
	{
		fails("mandatory, TLS $version: none", '08001', qr/the node refused the TLS handshake/, 'client certificate', $here, $ca);
	}
}
works('an intermediate authority of the client', $here,
	"$ca&certpath=$certs/client-intermediate.pem&keypath=$certs/client-intermediate.key");

$cluster->control('certificate all client_auth=enabled');
fails('asked for, but there is none', '28000', qr/wants a user name and password/, '', $here, $ca);
mapping(q{ADD username 'Administrator'}, q{ADD password 'wrong'});
works('the certificate counts, not the password', $here, $client);
works('the password is sent too', $here, "$client&use_credentials_with_client_certificate=on");
works('the password is sent by SCRAM too', $here,
	"$client&use_credentials_with_client_certificate=on&sasl_mech_force=SCRAM-SHA512");
fails('wrong password without certificate', '28P01', qr/authentication failed/, '', $here, $ca);
mapping(q{SET password 'password'});

# In the mapping, where files are the business of those who may read them.
mapping('DROP username', 'DROP password', "ADD sslcert '$certs/client.pem'", "ADD sslkey '$certs/client.key'");
works('certificate of the mapping', $here, $ca);
fails('certificate without TLS', 'HV024', qr/needs TLS/, 'couchbases', "127.0.0.1:$plain_port", $limits, scheme => 'couchbase');
my @keys = (
	[ 'client-open', 'F0000', qr/client-open\.key" as private key: others may read or change it/ ],
	[ 'client-encrypted', 'F0000', qr/client-encrypted\.key" as private key: it is encrypted, which is not supported/ ],
	[ 'other', 'F0000', qr/other\.key" as private key: .*mismatch/ ],
	[ 'missing', '58P01', qr/missing\.key" as private key: No such file/ ]);
foreach my $case (@keys)
{
	my ($key, $sqlstate, $text) = @$case;

	mapping("SET sslkey '$certs/$key.key'");
	fails("key $key", $sqlstate, $text, '', $here, $ca);
}
mapping("SET sslkey '$certs/client.key'");

$node->safe_psql('postgres', q{
	CREATE ROLE plain;
	CREATE ROLE reader;
	GRANT pg_read_server_files TO reader;
	GRANT USAGE ON FOREIGN SERVER cb TO plain, reader;
	GRANT SELECT ON cb_doc TO plain, reader;
});
my ($status, undef, $denied) = $node->psql('postgres', "SET ROLE plain;
	CREATE USER MAPPING FOR plain SERVER cb OPTIONS (sslcert '$certs/client.pem', sslkey '$certs/client.key')");
like($denied, qr/permission denied to set/, 'who may not read files of the server may not name them');
($status, undef, $denied) = $node->psql('postgres', "CREATE USER MAPPING FOR plain SERVER cb OPTIONS (sslcert '$certs/client.pem')");
like($denied, qr/"sslcert" and "sslkey" need each other/, 'certificate and key come together');
$node->safe_psql('postgres', "SET ROLE reader;
	CREATE USER MAPPING FOR reader SERVER cb OPTIONS (sslcert '$certs/client.pem', sslkey '$certs/client.key')");
works('a non-superuser with a certificate of their own', $here, $ca, role => 'reader');
$node->safe_psql('postgres', q{CREATE USER MAPPING FOR plain SERVER cb OPTIONS (username 'x', password 'y')});
fails("a non-superuser with the server's certificate", '2F003', qr/client certificate is required/, 'sslcert', $here, $client, role => 'plain');

# ---- the system's store ----

$node->stop;
{
	local $ENV{SSL_CERT_FILE} = "$certs/ca.pem";
	$node->start;
	works("authorities of the system's store", $here, $limits);
	$node->stop;
}
done_testing();
