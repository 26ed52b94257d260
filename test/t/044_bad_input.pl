# Input that nobody means well with: enormous connection strings, names with control characters, ports of other services,
# configurations that cannot be, log-ins that prove nothing. One clear error each, in time, and the session goes on.
use strict;
use warnings;

use CbCluster;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $cluster = CbCluster->new('--nodes', 2, '--generate', 'default._default.doc=200');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "log_min_messages = warning\n");
$node->start;
my $limits = 'bootstrap_timeout=1s&config_node_timeout=1s&kv_timeout=1s&kv_scan_timeout=1s';
$cluster->attach($node, options => "?$limits");
my $session = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $session->query_safe('SELECT pg_backend_pid()');
$session->query_safe('\set VERBOSITY verbose');

# What a statement says on standard error, within so many seconds.
sub says
{
	my ($name, $sql, $seconds) = @_;
	my $start = time();

	CbCluster::send_query($session, $sql);
	my $said = CbCluster::finish_query($session);
	cmp_ok(time() - $start, '<', $seconds, "$name: in time");
	return $said;
}

sub fails
{
	my ($name, $sql, $sqlstate, $text, $seconds) = @_;
	my $said = says($name, $sql, $seconds // 3);
	my @errors = $said =~ /ERROR:/g;

	like($said, qr/ERROR:  (?:$sqlstate): /, "$name: SQLSTATE");
	like($said, $text, "$name: says what is wrong");
	is(scalar(@errors), 1, "$name: one error");
	cmp_ok(length($said), '<', 4000, "$name: not at length");
	is($session->query_safe('SELECT pg_backend_pid()'), $pid, "$name: the session lives");
	return;
}

# ---- enormous connection strings: more than 64 KB are refused, less is looked at

foreach my $size (65_537, 100 * 1024, 20 * 1024 * 1024)
{
	foreach my $start ('couchbase://', 'couchbase://h/', 'couchbase://h?network=')
	{
		my $sql = "SELECT count(*) FROM (SELECT cbconn_parse('$start' || repeat('x', $size))) s";

		fails("$size bytes behind $start", $sql, '22023', qr/connection string is longer than 65536 bytes/);
	}
}
my $much = 65_400;
my ($port) = $cluster->kv(0) =~ /:(\d+)$/;
my %long = (
	'one host' => [ 'couchbase://' . 'h' x $much, qr/host name/ ],
	'one label after the other' => [ 'couchbase://' . 'a.' x ($much / 2) . 'b', qr/host name/ ],
	'a bucket' => [ 'couchbase://h/' . 'b' x $much, qr/bucket name .* longer than 100 bytes/ ],
	'an option name' => [ 'couchbase://h?' . 'o' x $much . '=1', qr/option/ ],
	'an option value' => [ 'couchbase://h?kv_timeout=' . '9' x $much, qr/kv_timeout/ ],
	'a network' => [ 'couchbase://h?network=' . 'n' x $much, undef ],
	'the same option again and again' => [ 'couchbase://h?' . join('&', ('kv_timeout=1s') x ($much / 14)), undef ],
	'a port' => [ 'couchbase://h:' . '1' x $much, qr/port/ ],
	'percent signs' => [ 'couchbase://h?network=' . '%41' x ($much / 3), undef ],
	'commas' => [ 'couchbase://' . ',' x $much, qr/names no host/ ],
	'brackets' => [ 'couchbase://' . '[' x $much, qr/missing "\]" after/ ],
	'zone' => [ 'couchbase://[fe80::1%25' . 'z' x $much . ']', qr/zone|address|host/ ],
	'a scheme' => [ 's' x $much . '://h', qr/unknown scheme/ ],
	'equals signs' => [ 'couchbase://h?client_string=' . '=' x $much, undef ],
	'slashes' => [ 'couchbase://h' . '/' x $much, qr/bucket name/ ],
	'hosts' => [ 'couchbase://' . join(',', map { "127.0.0.1:$_" } 1 .. 4300), qr/names more than 1024 hosts/ ]);

foreach my $name (sort keys %long)
{
	my ($string, $text) = @{ $long{$name} };

	if ($text)
	{
		fails("64 KB of $name", "ALTER SERVER cb OPTIONS (SET connection_string '$string')", '\w{5}', $text);
		fails("64 KB of $name, parsed", "SELECT * FROM cbconn_parse('$string')", '\w{5}', $text);
	}
	else
	{
		is(says("64 KB of $name", "BEGIN; ALTER SERVER cb OPTIONS (SET connection_string '$string'); ROLLBACK", 3), '',
			"64 KB of $name: taken");
		like($session->query_safe("SELECT count(*) FROM cbconn_parse('$string')"), qr/^\d+$/, "64 KB of $name: parsed");
	}
}

# A thousand hosts, of which one is there: asked one by one, until then or for bootstrap_timeout.
my @many = map { "127.0.0.1:$_" } grep { $_ != $port } 1 .. 1023;
my $string = 'couchbase://' . join(',', @many, $cluster->kv(0)) . "?randomize_nodes=off&bootstrap_timeout=20s";
$cluster->attach($node, server => 'many', connection_string => $string);
is($session->query_safe('SELECT count(*) FROM many_doc'), '200', 'the last of 1024 hosts has it');
$string = 'couchbase://' . join(',', @many) . "?$limits";
$session->query_safe("ALTER SERVER many OPTIONS (SET connection_string '$string')");
my $said = says('1023 hosts that are not there', 'SELECT count(*) FROM many_doc', 4);
like($said, qr/ERROR:  08\w{3}: could not connect to server "many"/, '1023 hosts that are not there: one error');

# ---- ports of other services

my ($management) = $cluster->{ready}{management}[0] =~ /:(\d+)$/;
$cluster->attach($node, server => 'http', connection_string => "couchbase://127.0.0.1:$management?$limits");
fails('the management port', 'SELECT count(*) FROM http_doc', '08\w{3}', qr/Node 127\.0\.0\.1:$management, step HELLO: /);
$cluster->attach($node, server => 'typed', connection_string => "couchbase://127.0.0.1:$management=http?$limits");
fails('a host for HTTP only', 'SELECT count(*) FROM typed_doc', '08001', qr/Node 127\.0\.0\.1:11210, step TCP connect/);

# A web server, whatever it is asked.
my $web = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die "listen: $!";
my $web_pid = fork() // die "fork: $!";
if ($web_pid == 0)
{
	while (my $client = $web->accept)
	{
		sysread($client, my $request, 4096);
		syswrite($client, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
		sysread($client, $request, 4096);
	}
	POSIX::_exit(0);
}
$cluster->attach($node, server => 'web', connection_string => 'couchbase://127.0.0.1:' . $web->sockport . "?$limits");
fails('HTTP', 'SELECT count(*) FROM web_doc', '08\w{3}',
	qr/step HELLO: the node answers in HTTP\.\n(?s:.*)HINT:  Perhaps the port is that of the management or query service/);
kill 'TERM', $web_pid;
waitpid($web_pid, 0);
$said = says('a port with http://', "BEGIN; ALTER SERVER web OPTIONS (SET connection_string 'http://127.0.0.1:37801/b'); ROLLBACK", 3);
like($said, qr/NOTICE:  .*port 37801 .* management service\nDETAIL:  .* port 11210 /, 'a port with http:// is noted');
like($session->query_safe(q{SELECT * FROM cbconn_parse('http://127.0.0.1:37801/b') WHERE section = 'host'}),
	qr/127\.0\.0\.1:37801\|given\|management, which is not asked: data is asked for at port 11210/, 'cbconn_parse() tells, too');
foreach my $option ('truststorepath=ca.pem', 'certpath=/c&keypath=k', 'certpath=c&keypath=/k')
{
	fails("relative: $option", "ALTER SERVER web OPTIONS (SET connection_string 'couchbases://h?$option')", 'HV024',
		qr/must be an absolute path/);
}

fails('relative: sslcert', "ALTER USER MAPPING FOR CURRENT_USER SERVER web OPTIONS (ADD sslcert 'c', ADD sslkey '/k')", 'HV024',
	qr/"sslcert" must be an absolute path/);

# ---- hosts that nobody can resolve

my $silent = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1') or die "udp: $!";
$cluster->attach($node, server => 'lost',
	connection_string => 'couchbase://nowhere.invalid?dns_servers=127.0.0.1:' . $silent->sockport . "&resolve_timeout=300ms&$limits");
fails('a name server that is silent', 'SELECT count(*) FROM lost_doc', '08001', qr/step DNS look-up: /);
$session->query_safe("ALTER SERVER lost OPTIONS (SET connection_string 'couchbase://a.invalid,b.invalid?dns_servers=127.0.0.1:" .
	  $silent->sockport . "&resolve_timeout=300ms&$limits')");
fails('two hosts', 'SELECT count(*) FROM lost_doc', '08001', qr/Node a\.invalid:11210, step DNS look-up: .*\n?.*Node b\.invalid:11210, step DNS look-up: |b\.invalid(?s:.*)a\.invalid/);
close($silent);

# ---- configurations that cannot be: what is known goes on, a fresh session has its error

sub config
{
	my ($map, $nodes) = @_;
	$nodes //= '{"services":{"kv":11210},"hostname":"127.0.0.1"}';
	return '{"rev":99999,"revEpoch":99,"name":"default","nodeLocator":"vbucket","uuid":"00","nodes":[{"hostname":"$HOST:8091",' .
	  "\"ports\":{\"direct\":11210}}],\"nodesExt\":[$nodes],\"vBucketServerMap\":{\"serverList\":[\"\$HOST:11210\"]," .
	  "\"numReplicas\":1,\"vBucketMap\":$map}}";
}

my %odd = (
	'no JSON' => 'x', 'an array' => '[]', 'an empty object' => '{}', 'nesting' => '[' x 20000, 'cut off' => substr(config('[[0]]'), 0, 100),
	'a node too many' => config('[[7,8]]'), 'a negative node' => config('[[-9,0],[0,0]]'), 'three rows' => config('[[0],[0],[0]]'),
	'a huge number' => config('[[99999999999999999999]]'), 'an object for a map' => config('{}'), 'an empty row' => config('[[]]'),
	'null' => config('[[null]]'), 'text' => config('[["0"]]'), 'a row of a million' => config('[[' . join(',', (0) x 200_000) . ']]'),
	'too many rows' => config('[' . join(',', ('[0]') x 70_000) . ']'), 'no nodes' => config('[[0]]', ''),
	'a host with control characters' => config('[[0]]', '{"services":{"kv":11210},"hostname":"a\\u0001\\nb"}'),
	'a port out of range' => config('[[0]]', '{"services":{"kv":99999},"hostname":"127.0.0.1"}'),
	'a port of text' => config('[[0]]', '{"services":{"kv":"11210"},"hostname":"127.0.0.1"}'),
	'services of text' => config('[[0]]', '{"services":"kv","hostname":"127.0.0.1"}'),
	'another bucket' => config('[[0,0]]') =~ s/"default"/"other"/r);
foreach my $name (sort keys %odd)
{
	my $error;

	is($session->query_safe('SELECT count(*) FROM cb_doc'), '200', "$name: before");
	$cluster->control('config bucket=default', $odd{$name});
	my $known = says("$name, connected", q{SELECT count(*) FROM cb_doc WHERE id = 'doc-00000001'}, 3);
	like($known, qr/^(?:|.*ERROR:  (?:08|57P03).*)$/s, "$name: the right row or an error in a session that was connected");
	my $start = time();
	$node->psql('postgres', "\\set VERBOSITY verbose\nSELECT count(*) FROM cb_doc", stderr => \$error);
	like($error, qr/ERROR:  (?:08P01|08001|08006|57P03): /, "$name: an error in a fresh session");
	cmp_ok(time() - $start, '<', 4, "$name: in time");
	$cluster->control('config bucket=default', '');
	# The session may have believed in another bucket, and find its way back during a scan.
	my $again = says("$name, afterwards", 'SELECT count(*) FROM cb_doc', 4);
	like($again, qr/^(?:|.*ERROR:  40001: .* was created anew during a scan\n.*)$/s, "$name: afterwards");
	is($session->query_safe('SELECT count(*) FROM cb_doc'), '200', "$name: then all is well");
}

# ---- log-ins that prove nothing

foreach my $case ([ 'no-signature', '28000|08P01' ], [ 'wrong-signature', '28000' ], [ 'foreign-nonce', '28000|08P01' ],
	[ 'no-iterations', '28000|08P01' ], [ 'endless-iterations', '28000|08P01' ], [ 'mandatory-extension', '28000|08P01' ],
	[ 'plain-only', '28000' ])
{
	my ($kind, $sqlstate) = @$case;

	$session->query_safe('SELECT cbconn_disconnect_all()');
	$cluster->control("sasl kind=$kind");
	fails($kind, 'SELECT count(*) FROM cb_doc', $sqlstate, qr/step:? SASL authentication/);
	$cluster->control('sasl kind=none');
	is($session->query_safe('SELECT count(*) FROM cb_doc'), '200', "$kind: well again");
}

# ---- names with control characters

foreach my $host ('a%01b', 'a%0Ab', "a\x01b", "a\nb", "\xc2\x85", 'a%7Fb', 'a%20b')
{
	fails('a host with control characters', "ALTER SERVER cb OPTIONS (SET connection_string 'couchbase://$host')", '\w{5}',
		qr/host|character/);
}
fails('they are escaped', "ALTER SERVER cb OPTIONS (SET connection_string E'couchbase://a\\x1b[1mb\\nc')", '\w{5}', qr/"a\\x1b\[1mb\\x0ac"/);
fails('in a bucket', "ALTER SERVER cb OPTIONS (SET bucket E'a\\x1bb')", '\w{5}', qr/"a\\x1bb"/);
fails('in an option', "SELECT * FROM cbconn_parse(E'couchbase://h?a\\x1bb=1')", '\w{5}', qr/"a\\x1bb"/);
foreach my $option ('scope', 'collection', 'bucket')
{
	fails("a $option with control characters",
		"CREATE FOREIGN TABLE odd (id text OPTIONS (key 'true')) SERVER cb OPTIONS ($option E'a\\x01b')", '\w{5}', qr/option "$option"/);
}
foreach my $user ('a\x01b', 'a\nb', 'a\x7fb')
{
	$session->query_safe('SELECT cbconn_disconnect_all()');
	$session->query_safe("ALTER USER MAPPING FOR CURRENT_USER SERVER cb OPTIONS (SET username E'$user')");
	fails("the user $user", 'SELECT count(*) FROM cb_doc', '28\w{3}', qr/control characters|authentication/);
}
$session->query_safe(q{ALTER USER MAPPING FOR CURRENT_USER SERVER cb OPTIONS (SET username 'Administrator')});
foreach my $key ("a\x01b", "\x7f", "\n")
{
	is($session->query_safe("SELECT count(*) FROM cb_doc WHERE id = '$key'"), '0', 'a key with control characters is a key');
}
$session->query_safe(q{INSERT INTO cb_doc (id, name) VALUES (E'k\x01\n', E'n\x01\n')});
is($session->query_safe(q{SELECT name = E'n\x01\n' FROM cb_doc WHERE id = E'k\x01\n'}), 't', 'and so is its document');
$said = says('an existing key', q{INSERT INTO cb_doc (id, name) VALUES (E'k\x01\n', 'x')}, 3);
like($said, qr/ERROR:  23505: document "k\\x01\\x0a" already exists/, 'it reaches messages escaped');

unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal|TRAP:/, 'no process crashed');
$session->quit;
$node->stop;
done_testing();
