# Idle connections are closed by the session that rests, and by one that does something else; used ones are not.
use strict;
use warnings;

use CbCluster;
use File::Spec;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $certs = File::Spec->rel2abs(PostgreSQL::Test::Utils::tempdir() . "/certs");
system_or_bail("$ENV{CBCONN_TMP}/tls/make-certs.sh", $certs);
my $cluster = CbCluster->new('--nodes', 2, '--generate', 'default._default.doc=200', '--tls-cert', "$certs/server.pem",
	'--tls-key', "$certs/server.key");
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$cluster->attach($node);
$cluster->attach($node, server => 'later');
my $kvs = join(',', @{ $cluster->{ready}{kvs} });
$cluster->attach($node, server => 'tls', connection_string => "couchbases://$kvs", options => "?truststorepath=$certs/ca.pem");
$node->safe_psql('postgres', q{
	ALTER SERVER cb OPTIONS (ADD idle_timeout '1s');
	ALTER SERVER later OPTIONS (ADD idle_timeout '2s');
	ALTER SERVER tls OPTIONS (ADD idle_timeout '500ms');
	ANALYZE cb_doc, later_doc, tls_doc;});

my $session = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $session->query_safe('SELECT pg_backend_pid()');
my $scan = 'SELECT count(*) FROM cb_doc';

# Data connections that the cluster has.
sub connections
{
	my $sum = 0;

	$sum += $_->{connections} foreach @{ $cluster->control('status')->{nodes} };
	return $sum;
}

# Seconds until there are so many.
sub seconds_until
{
	my ($count) = @_;
	my $start = time();

	sleep(0.05) until connections() <= $count || time() - $start > 10;
	return time() - $start;
}

is($session->query_safe($scan), '200', 'a scan');
is(connections(), 2, 'connections stay open');
my $seconds = seconds_until(0);
cmp_ok($seconds, '>', 0.5, 'while they may be needed');
cmp_ok($seconds, '<', 5, 'a session that rests closes them');
like($session->query_safe("EXPLAIN (ANALYZE, COSTS OFF) $scan"), qr/Retries: 0\n.*Connections Opened: 2\n/s, 'the next query connects anew');
seconds_until(0);
is($session->query_safe(q{SELECT DISTINCT state, error IS NULL FROM cbconn_get_connections()}), 'closed|t',
	'which is no failure');

# not while they are used
$session->query_safe('BEGIN');
is($session->query_safe($scan), '200', 'a scan in a transaction');
sleep(2);
is(connections(), 2, 'a transaction keeps what it uses');
$session->query_safe('COMMIT');
cmp_ok(seconds_until(0), '>', 0.5, 'the time begins with its end');

# after an error, which switches PostgreSQL's timeouts off
$session->query_safe($scan);
CbCluster::send_query($session, 'SELECT 1/0');
like(CbCluster::finish_query($session), qr/division by zero/, 'an error');
cmp_ok(seconds_until(0), '<', 5, 'idle connections are closed after it, too');
CbCluster::send_query($session, "SELECT 1 / (count(*) - 200) FROM cb_doc");
like(CbCluster::finish_query($session), qr/division by zero/, 'an error of the query itself');
cmp_ok(seconds_until(0), '<', 5, 'and after that');

# while the session does something else
$session->query_safe($scan);
CbCluster::send_query($session, 'SELECT pg_sleep(4)');
my $start = time();
seconds_until(0);
cmp_ok(time() - $start, '<', 3.5, 'closed in the middle of a long statement');
CbCluster::finish_query($session);
$session->query_safe("SET statement_timeout = '300ms'");
CbCluster::send_query($session, 'SELECT pg_sleep(4)');
like(CbCluster::finish_query($session), qr/statement timeout/, 'other timeouts work');
$session->query_safe('RESET statement_timeout');

# several servers, each with its own time
$session->query_safe("$scan; SELECT count(*) FROM later_doc");
is(connections(), 4, 'two servers');
$seconds = seconds_until(2);
my $more = seconds_until(0);
cmp_ok($seconds, '<', 1.9, 'the first is closed');
cmp_ok($more, '>', 0.4, 'the second stays for longer');
cmp_ok($more, '<', 5, 'and is closed in its turn');

# over TLS
is($session->query_safe('SELECT count(*) FROM tls_doc'), '200', 'over TLS');
cmp_ok(seconds_until(0), '<', 4, 'closed over TLS, too');
is($session->query_safe('SELECT count(*) FROM tls_doc'), '200', 'and made anew');
seconds_until(0);

# descriptors come back
sub descriptors { return scalar(() = glob("/proc/$pid/fd/*")); }

$session->query_safe($scan);
my $before = descriptors();
foreach (1 .. 3)
{
	seconds_until(0);
	$session->query_safe($scan);
}
is(descriptors(), $before, 'no descriptor is lost');

# never
$node->safe_psql('postgres', q{ALTER SERVER cb OPTIONS (SET idle_timeout '0')});
$session->query_safe($scan);
sleep(2);
is(connections(), 2, 'switched off');
$session->query_safe('SELECT cbconn_disconnect_all()');
is(seconds_until(0) < 5, 1, 'closed by hand');

# keep-alive: the time left to the next probe, as the kernel shows it
sub keepalive
{
	my ($options) = @_;
	my @ports = map { sprintf('%04X', (split /:/, $_)[1]) } @{ $cluster->{ready}{kv} };

	$node->safe_psql('postgres', "ALTER SERVER cb OPTIONS (SET connection_string '" . $cluster->connection_string . "$options')");
	$session->query_safe($scan);
	my @timers;
	foreach my $line (split /\n/, slurp_file('/proc/net/tcp'))
	{
		push @timers, [ $2, hex($3) / 100 ] if $line =~ /^ *\d+: \w+:\w+ \w+:(\w+) 01 \w+:\w+ (\w+):(\w+)/ && grep { $_ eq $1 } @ports;
	}
	return @timers;
}

my @timers = keepalive('?tcp_keep_alive_interval=37s');
is(scalar(@timers), 2, 'two sockets');
foreach my $timer (@timers)
{
	is($timer->[0], '02', 'with keep-alive');
	cmp_ok($timer->[1], '>', 30, 'after the time that was set');
	cmp_ok($timer->[1], '<=', 37.1, 'and not later');
}
is_deeply([ map { $_->[0] } keepalive('?tcp_keepalive=off') ], [ '00', '00' ], 'switched off');
cmp_ok((keepalive(''))[0][1], '>', 50, 'a minute is the default');

$session->quit;
$node->stop;
done_testing();
