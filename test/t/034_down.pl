# A dead node is not waited for by every operation: what one backend has found out, all know, if the library is preloaded.
use strict;
use warnings;

use CbCluster;
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $cluster = CbCluster->new('--config', "$FindBin::Bin/replicas.json", '--generate', 'default._default.doc=200');
my %node;
foreach my $preload (0, 1)
{
	my $node = PostgreSQL::Test::Cluster->new("preload$preload");
	$node->init;
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'cbconn_fdw'\n") if $preload;
	$node->start;
	$cluster->attach($node, options => '?kv_timeout=1500ms&config_node_timeout=1s&bootstrap_timeout=5s&randomize_nodes=off');
	$node->safe_psql('postgres', 'ANALYZE cb_doc');
	$node{$preload} = $node;
}
my $keys = q{SELECT count(*) FROM cb_doc WHERE id = ANY (ARRAY(SELECT 'doc-' || lpad(g::text, 8, '0') FROM generate_series(1, 200) g))};
my $scan = 'SELECT count(*) FROM cb_doc';
my @kv = map { $cluster->kv($_) } 0, 1;

# Runs a query in a session; what it gave or the error, and how long it took.
sub timed
{
	my ($session, $sql) = @_;
	my $start = time();

	CbCluster::send_query($session, $sql);
	my $error = CbCluster::finish_query($session);
	return ($error, time() - $start);
}

sub fresh { return $node{ $_[0] }->background_psql('postgres', on_error_stop => 0); }

sub fails
{
	my ($name, $session, $sql, $error, $from, $to) = @_;
	my ($got, $seconds) = timed($session, $sql);

	like($got, $error, "$name: the error");
	cmp_ok($seconds, '>=', $from, "$name: not before its time") if $from > 0;
	cmp_ok($seconds, '<', $to, "$name: in time");
	return;
}

foreach my $preload (0, 1)
{
	my $name = $preload ? 'preloaded' : 'not preloaded';
	my ($first, $second) = map { fresh($preload) } 1, 2;

	$_->query_safe($scan) foreach $first, $second;

	# ---- dead: refused at once
	$cluster->control('kill 1');
	my $dead = qr/Connection refused\nDETAIL:  Node \Q$kv[1]\E, step: TCP connect/;
	fails("$name, dead, first look-up", $first, $keys, $dead, 1, 3);
	fails("$name, dead, second look-up", $first, $keys, $dead, 0, 0.9);
	fails("$name, dead, a scan", $first, $scan, $dead, 0, 0.9);
	is($first->query_safe("SELECT state FROM cbconn_get_connections() WHERE node = '$kv[1]'"), 'down', "$name: the node is shown as down");
	fails("$name, dead, another backend", $second, $keys, $dead, $preload ? 0 : 1, $preload ? 0.9 : 3);
	my $third = fresh($preload);
	fails("$name, dead, a fresh backend", $third, $keys, $dead, $preload ? 0 : 1, $preload ? 0.9 : 3);

	# ---- failed over, back again: no mark stands in the way
	$cluster->control('failover 1');
	is($_->query_safe($keys), '200', "$name: after the fail-over") foreach $first, $second, $third;
	$cluster->control('revive 1');
	is($_->query_safe($scan), '200', "$name: after the return") foreach $first, $second, $third;
	is($_->query_safe("SELECT count(*) FROM cbconn_get_connections() WHERE state = 'down'"), '0', "$name: nothing is down") foreach $first, $second;
	$cluster->control('kill 1');
	fails("$name, dead again", $first, $keys, $dead, 1, 3);
	$cluster->control('revive 1');
	is($first->query_safe($keys), '200', "$name: it came back without a fail-over, and is used at once");
	$_->quit foreach $first, $second, $third;
}

# ---- silent: the other hosts are asked at once, and none at all when all are silent

my $node = $node{1};
$cluster->control('pause 0');
# Sessions that are there already: the marks do not last for long.
my ($first, $second, @more) = map { fresh(1) } 1 .. 6;
$node->safe_psql('postgres', q{CREATE SERVER again FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string '}
	  . $cluster->connection_string . q{?kv_timeout=1500ms&config_node_timeout=1s&bootstrap_timeout=5s&randomize_nodes=off', bucket 'default');
	CREATE USER MAPPING FOR CURRENT_USER SERVER again OPTIONS (username 'Administrator', password 'password');
	CREATE FOREIGN TABLE again_doc (id text OPTIONS (key 'true'), name text) SERVER again OPTIONS (collection 'doc');});
my $silent = qr/no answer in time(?: \(\d\.\d s ago, not tried since\))?\nDETAIL:  Node \Q$kv[0]\E, step: HELLO/;
fails('silent, first backend', $first, q{SELECT count(*) FROM again_doc}, qr/\Q$kv[0]\E/, 0.9, 4);
fails('silent, second backend', $second, q{SELECT * FROM again_doc}, $silent, 0, 0.7);
$cluster->control('resume 0');
sleep(2.1);
is($first->query_safe('SELECT count(*) FROM again_doc'), '200', 'a moment later it is tried again');

$cluster->control("pause $_") for 0, 1;
my $all = qr/ERROR:  could not connect to server "again"\nDETAIL:  Node \Q$kv[0]\E, step HELLO: no answer in time[^\n]*\nNode \Q$kv[1]\E, step HELLO: no answer in time/;
fails('all silent, first backend', $more[0], 'SELECT * FROM again_doc', $all, 0.9, 4);
fails('all silent, second backend', $more[1], 'SELECT * FROM again_doc', $all, 0, 0.7);
my ($error, $seconds) = timed(fresh(1), q{SELECT * FROM cbconn_ping('again')});
$cluster->control("resume $_") for 0, 1;
is($node->safe_psql('postgres', q{SELECT count(*) FROM cbconn_ping('again') WHERE state = 'ok' AND service = 'kv'}), '2', 'cbconn_ping() tries nevertheless');
is($node->safe_psql('postgres', 'SELECT count(*) FROM again_doc'), '200', 'and what it finds out counts');

# ---- of one server, not of all

$cluster->control('pause 0');
fails('another server, first', $more[2], 'SELECT * FROM again_doc', qr/\Q$kv[0]\E/, 0.9, 4);
fails('another server finds out for itself', $more[3], 'SELECT * FROM cb_doc', qr/\Q$kv[0]\E/, 0.9, 4);
$cluster->control('resume 0');

$_->stop foreach values %node;
done_testing();
