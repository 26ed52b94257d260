# cbconn_ping(): dead, silent, refusing nodes are rows; it is bounded, can be cancelled, and asks for USAGE.
use strict;
use warnings;

use CbCluster;
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $cluster = CbCluster->new('--nodes', 3, '--generate', 'default._default.doc=300');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
my $options = '?kv_timeout=500ms&config_node_timeout=700ms&bootstrap_timeout=3s';
$cluster->attach($node, options => $options);
my $session = $node->background_psql('postgres', on_error_stop => 0);

# State and error by node.
sub ping
{
	my ($server, $service) = @_;
	my $rows = $session->query_safe(
		"SELECT node || ' ' || service || ' ' || state || ' ' || coalesce(error, '-') || ' ' || (coalesce(latency_ms, -1) BETWEEN 0 AND 500)
		 FROM cbconn_ping('$server') WHERE service = '" . ($service // 'kv') . "' ORDER BY node");
	return { map { my ($name, $rest) = split ' ', $_, 2; $name => $rest } split /\n/, $rows };
}

my @kv = map { $cluster->kv($_) } 0 .. 2;

sub is_ok
{
	my ($name, $rows, @nodes) = @_;
	is($rows->{$_}, 'kv ok - true', "$name: $_ answers") foreach @nodes;
	return;
}

my $rows = ping('cb');
is_ok('a fresh session', $rows, @kv);
is(scalar(keys %$rows), 3, 'one row for each node');
my @query = map { $cluster->{ready}{query}[$_] } 0 .. 2;
is_deeply(ping('cb', 'query'), { map { $_ => 'query ok - true' } @query }, 'one for each query service');
is($session->query_safe(q{SELECT count(connect_ms) FROM cbconn_ping('cb')}), '0', 'the next ping needs no connection');
is($session->query_safe(q{SELECT count(*) FROM cbconn_get_connections() WHERE state = 'ready'}), '3', 'connections are kept');

$cluster->control('drop 2');
sleep(0.1);
is($session->query_safe(q{SELECT count(connect_ms) FROM cbconn_ping('cb') WHERE state = 'ok' AND service = 'kv'}),
	'1', 'one that was cut while idle is made again');

$cluster->control('kill 1');
$rows = ping('cb');
is_ok('a dead node', $rows, @kv[ 0, 2 ]);
is($rows->{ $kv[1] }, 'kv error TCP connect: Connection refused false', 'a dead node is a row');
is(ping('cb', 'query')->{ $query[1] }, 'query error TCP connect: Connection refused false', 'so is its query service');

$cluster->control('pause 2');
my $start = time();
$rows = ping('cb');
my $elapsed = time() - $start;
is_ok('a silent node', $rows, $kv[0]);
is($rows->{ $kv[2] }, 'kv timeout operation: no answer in time false', 'a silent node is a row');
cmp_ok($elapsed, '>=', 0.5, 'it was given its time');
cmp_ok($elapsed, '<', 1.2, 'and no more');
$session->query_safe(q{SELECT cbconn_disconnect('cb')});
$rows = ping('cb');
like($rows->{ $kv[2] }, qr/^kv timeout HELLO: no answer in time/, 'one that is silent from the start, too');
$cluster->control('resume 2');

$session->query_safe(q{SELECT cbconn_disconnect('cb')});
$cluster->control("kill $_") for (0, 2);
$rows = ping('cb');
is(scalar(grep { /^kv error TCP connect: Connection refused/ } values %$rows), scalar(keys %$rows), 'all dead: the hosts of the string');
cmp_ok(scalar(keys %$rows), '>=', 1, 'at least one');
$cluster->control("revive $_") for (0 .. 2);
is_ok('all back', ping('cb'), @kv);

# A cursor goes on while its connections are asked.
is( $session->query_safe(
		q{BEGIN; DECLARE c CURSOR FOR SELECT * FROM cb_doc; MOVE 10 IN c; SELECT count(*) FROM cbconn_ping('cb') WHERE state = 'ok' AND service = 'kv';}),
	'3', 'within a scan');
$session->query_safe('MOVE ALL IN c; COMMIT');
is($session->query_safe('SELECT count(*) FROM cb_doc'), '300', 'and the scan goes on');

# What is wrong with the user is told, too; other things are errors.
$cluster->attach($node, server => 'intruder', password => 'wrong', options => $options);
$rows = ping('intruder');
is(scalar(grep { /^kv error SASL authentication: .*AUTH/ } values %$rows), scalar(keys %$rows), 'a wrong password');
unlike(join(' ', values %$rows), qr/wrong/, 'which is not shown');
like(psql_error(q{SELECT * FROM cbconn_ping('none')}), qr/server "none" does not exist/, 'an unknown server');
like(psql_error(q{SELECT * FROM cbconn_ping(NULL)}), qr/must not be null/, 'no server');
$rows = $session->query_safe(q{SELECT DISTINCT state, error FROM cbconn_ping('cb', 'missing')});
like($rows, qr/^error\|bucket selection: /, 'a bucket that is not there');

$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; CREATE USER MAPPING FOR app SERVER cb OPTIONS (username \'u\', password \'p\')');
like(psql_error(q{SELECT * FROM cbconn_ping('cb')}, 'app'), qr/permission denied for foreign server cb/, 'USAGE is needed');

sub psql_error
{
	my ($sql, $user) = @_;
	my ($status, $out, $error) = $node->psql('postgres', $sql, extra_params => $user ? [ '-U', $user ] : []);
	return $error;
}

# Cancelled while a node is silent.
$session->query_safe(q{ALTER SERVER cb OPTIONS (SET connection_string '} . $cluster->connection_string . q{?kv_timeout=60s&config_node_timeout=60s')});
foreach my $warm (1, 0)
{
	$session->query_safe(q{SELECT cbconn_disconnect('cb')});
	$session->query_safe(q{SELECT * FROM cbconn_ping('cb')}) if $warm;
	$cluster->control("pause $_") for (0 .. 2);
	$session->query_safe("SET statement_timeout = '300ms'");
	$start = time();
	CbCluster::send_query($session, q{SELECT * FROM cbconn_ping('cb')});
	like(CbCluster::finish_query($session), qr/canceling statement due to statement timeout/, "cancelled, warm $warm");
	cmp_ok(time() - $start, '<', 2, "at once, warm $warm");
	$session->query_safe('RESET statement_timeout');
	$cluster->control("resume $_") for (0 .. 2);
	is_ok('after a cancel', ping('cb'), @kv);
}

$session->quit;
$node->stop;
done_testing();
