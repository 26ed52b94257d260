# Servers that refuse, hang, or talk nonsense: one clear error that names the node, a fitting SQLSTATE, in time; then
# the same backend goes on working.
use strict;
use warnings;

use CbCluster;
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $cluster = CbCluster->new('--nodes', 2, '--generate', 'default._default.doc=200');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$cluster->attach($node);

my $session = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $session->query_safe('SELECT pg_backend_pid()');
$session->query_safe('\set VERBOSITY verbose');

# Runs a query that must fail with this SQLSTATE and text within so many seconds; then others must work.
sub fails
{
	my ($name, $query, $sqlstate, $text, $seconds) = @_;
	my $start = time();

	CbCluster::send_query($session, $query);
	my $error = CbCluster::finish_query($session);
	my $elapsed = time() - $start;

	like($error, qr/ERROR:  (?:$sqlstate): /, "$name: SQLSTATE");
	like($error, $text, "$name: message");
	unlike($error, qr/password|secret/, "$name: no secret in it") unless $error =~ /authentication/;
	my @errors = $error =~ /ERROR:/g;
	is(scalar(@errors), 1, "$name: one error");
	cmp_ok($elapsed, '<', $seconds, "$name: in time");
	is($session->query_safe('SELECT pg_backend_pid()'), $pid, "$name: the backend is alive");
	is($session->query_safe('SELECT count(*) FROM cb_doc'), '200', "$name: the next query works");
	return;
}

# Reads the first request packet; returns its opaque.
sub first_opaque
{
	my ($connection) = @_;
	my $header = '';

	sysread($connection, $header, 24 - length $header, length $header) or return "\0\0\0\0" while length $header < 24;
	return substr($header, 12, 4);
}

# The header of a successful answer to HELLO with a body of this length.
sub response
{
	my ($opaque, $length) = @_;
	return pack('CCnCCnNa4a8', 0x81, 0x1f, 0, 0, 0, 0, $length, $opaque, '');
}

my $listener = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1');
my $refused = '127.0.0.1:' . $listener->sockport;
close($listener);

my $options = '?bootstrap_timeout=1s&config_node_timeout=1s&kv_timeout=1s&kv_scan_timeout=1s';

my $silence = qr/no answer in time/;
my $closed = qr/the node closed the connection|Connection reset by peer/;
my $nonsense = qr/an answer that is not Couchbase's protocol/;

# name, address, SQLSTATE, reason
my @bad = (
	[ 'refused', $refused, '08001', qr/Connection refused/ ],
	[ 'silent', CbCluster::listener(sub { }), '08001', $silence ],
	[ 'closing', CbCluster::listener(sub { close($_[0]) }), '08006', $closed ],
	[ 'http', CbCluster::listener(sub { print { $_[0] } "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" }), '08P01', qr{the node answers in HTTP} ],
	[ 'half_packet', CbCluster::listener(sub { print { $_[0] } substr(response(first_opaque($_[0]), 0), 0, 10) }), '08001', $silence ],
	[ 'half_then_close', CbCluster::listener(sub {
		print { $_[0] } substr(response(first_opaque($_[0]), 0), 0, 10);
		close($_[0]);
	}), '08006', $closed ],
	[ 'oversize', CbCluster::listener(sub { print { $_[0] } response(first_opaque($_[0]), 0xfffffff0) }), '08P01', qr/an answer longer than the protocol allows/ ],
	[ 'wrong_opaque', CbCluster::listener(sub { first_opaque($_[0]); print { $_[0] } response('nope', 0) }), '08P01',
		qr/an answer .* to a request that was not made/ ],
	[ 'impossible_lengths', CbCluster::listener(sub {
		my $opaque = first_opaque($_[0]);
		print { $_[0] } pack('CCnCCnNa4a8', 0x81, 0x1f, 0xffff, 0xff, 0, 0, 4, $opaque, '') . 'abcd';
	}), '08P01', $nonsense ]);

foreach my $case (@bad)
{
	my ($name, $address, $sqlstate, $text) = @$case;

	$cluster->attach($node, server => $name, connection_string => "couchbase://$address$options");
	foreach my $query ("SELECT * FROM ${name}_doc WHERE id = 'x'", "SELECT count(*) FROM ${name}_doc")
	{
		fails($name, $query, $sqlstate, qr/Node \Q$address\E, step (?:HELLO|TCP connect): $text/, 3);
	}
}

$cluster->attach($node, server => 'intruder', password => 'wrong', options => $options);
fails('wrong password', q{SELECT * FROM intruder_doc WHERE id = 'x'}, '28P01', qr/authentication/i, 3);

$cluster->attach($node, server => 'nowhere', bucket => 'missing', options => $options);
fails('missing bucket', q{SELECT * FROM nowhere_doc WHERE id = 'x'}, '3D000', qr/bucket "missing" does not exist/, 3);

$session->query_safe(q{CREATE FOREIGN TABLE lost (id text OPTIONS (key 'true')) SERVER cb OPTIONS (collection 'lost')});
fails('missing collection', q{SELECT * FROM lost WHERE id = 'x'}, 'HV00R', qr/collection .*lost/i, 3);
fails('missing collection, scanned', q{SELECT * FROM lost}, 'HV00R', qr/collection .*lost/i, 3);

$session->quit;
$node->stop;
done_testing();
