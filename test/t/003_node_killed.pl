# A node dies between two queries of one session: an error that names it, then the new map, then the node again.
use strict;
use warnings;

use CbCluster;
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $cluster = CbCluster->new('--config', "$FindBin::Bin/replicas.json", '--generate', 'default._default.doc=2000');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$cluster->attach($node, options => '?kv_timeout=1s&kv_scan_timeout=1s');

my $session = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $session->query_safe('SELECT pg_backend_pid()');
my $keys = q{SELECT count(*) FROM cb_doc WHERE id = ANY (ARRAY(SELECT 'doc-' || lpad(g::text, 8, '0') FROM generate_series(1, 2000) g))};

is($session->query_safe('SELECT count(*) FROM cb_doc'), '2000', 'a scan before');
is($session->query_safe($keys), '2000', 'look-ups before');

$cluster->control('kill 1');
my $victim = $cluster->kv(1);
foreach my $query ('SELECT count(*) FROM cb_doc', $keys)
{
	my $start = time();
	CbCluster::send_query($session, $query);
	my $error = CbCluster::finish_query($session);

	like($error, qr/ERROR: .*\Q$victim\E/s, 'the error names the dead node');
	unlike($error, qr/password/, 'and no secret');
	cmp_ok(time() - $start, '<', 5, 'within the deadline');
}
is($session->query_safe('SELECT 1'), '1', 'the backend is alive');

$cluster->control('failover 1');
is($session->query_safe('SELECT count(*) FROM cb_doc'), '2000', 'a scan after the fail-over');
is($session->query_safe($keys), '2000', 'look-ups after the fail-over');

$cluster->control('revive 1');
is($session->query_safe('SELECT count(*) FROM cb_doc'), '2000', 'a scan after the node came back');
is($session->query_safe($keys), '2000', 'look-ups after the node came back');
is($session->query_safe('SELECT pg_backend_pid()'), $pid, 'all in one backend');

# A connection cut while idle is made anew without the query noticing.
$cluster->control('drop 0');
$cluster->control('drop 1');
is($session->query_safe($keys), '2000', 'look-ups after all connections were cut');

# A node that says nothing any more is given up by the cluster while reads wait for it: they go to its successor.
$cluster->attach($node, server => 'patient', options => '?kv_timeout=30s&kv_scan_timeout=30s');
foreach my $query ('SELECT count(name) FROM patient_doc', $keys =~ s/cb_doc/patient_doc/r)
{
	my $rows = $session->query_safe($query);
	my $start = time();

	$cluster->control('pause 1');
	CbCluster::send_query($session, "CREATE TEMP TABLE got AS $query");
	usleep(200_000);
	$cluster->control('failover 1');
	is(CbCluster::finish_query($session), '', 'no error when the silent node is failed over');
	is($session->query_safe('SELECT * FROM got'), $rows, 'and every row');
	$session->query_safe('DROP TABLE IF EXISTS got');
	cmp_ok(time() - $start, '<', 10, 'long before the deadline');
	$cluster->control('resume 1');
	$cluster->control('revive 1');
}

# Planning goes on without counts while the bucket warms up.
$cluster->control('warmup 0 bucket=default state=empty-map');
$cluster->control('warmup 1 bucket=default state=empty-map');
my $plan = $node->safe_psql('postgres', 'EXPLAIN SELECT * FROM cb_doc');
like($plan, qr/Foreign Scan on cb_doc/, 'a plan while the bucket warms up');
$cluster->control('warmup 0 bucket=default state=ready');
$cluster->control('warmup 1 bucket=default state=ready');

$session->quit;
$node->stop;
done_testing();
