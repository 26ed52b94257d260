# From the first need of a connection to its end: workers, children, cuts while idle, ALTER and DROP by others, exit, and
# fewer descriptors than nodes.
use strict;
use warnings;

use CbCluster;
use File::Spec;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $cluster = CbCluster->new('--nodes', 2, '--generate', 'default._default.doc=20000');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "restart_after_crash = on\nmax_parallel_workers_per_gather = 2\nparallel_setup_cost = 0\n"
	  . "parallel_tuple_cost = 0\nmin_parallel_table_scan_size = 0\n");
$node->start;
$cluster->attach($node);
$node->safe_psql('postgres', 'ANALYZE cb_doc');

my $scan = 'SELECT count(*) FROM cb_doc';
my $look = q{SELECT count(*) FROM cb_doc WHERE id = ANY (ARRAY(SELECT 'doc-' || lpad(g::text, 8, '0') FROM generate_series(1, 200) g))};

sub total
{
	my ($what, $of) = @_;
	my $sum = 0;

	$sum += $_->{$what} foreach @{ ($of // $cluster)->control('status')->{nodes} };
	return $sum;
}

# Connections that are left once the nodes have noticed.
sub left
{
	my ($expected, $of) = @_;
	my $start = time();

	sleep(0.02) until total('connections', $of) == $expected || time() - $start > 5;
	return total('connections', $of);
}

sub session { return $node->background_psql('postgres', on_error_stop => 0); }

# ---- parallel workers have connections of their own, and take them with them

my $session = session();
is($session->query_safe("SET max_parallel_workers_per_gather = 0; $look"), '200', 'a look-up');
is(total('connections'), 2, 'the session has a connection to each node');
my $before = total('accepted');
like($session->query_safe("SET max_parallel_workers_per_gather = 2; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT name FROM cb_doc"),
	qr/Workers Launched: 2/, 'a parallel scan');
my $workers = total('accepted') - $before;
ok($workers >= 2 && $workers <= 4, 'two workers, two nodes');
is(left(2), 2, 'which end with them');

# ---- a program that the backend runs inherits nothing

my $list = File::Spec->rel2abs(PostgreSQL::Test::Utils::tempdir()) . '/descriptors';
my $copy = "COPY (SELECT 1) TO PROGRAM 'readlink /proc/self/fd/* > $list || true'";

sub inherited { return scalar(() = slurp_file($list) =~ /^(?:socket|anon_inode)/mg); }

$node->safe_psql('postgres', $copy);
my $always = inherited();
$session->query_safe($copy);
is(inherited(), $always, 'no socket of ours in a child process');
is($session->query_safe($look), '200', 'and the connections are as they were');
is(total('accepted') - $before, $workers, 'without new ones');

# ---- cut while idle: noticed before anything is sent, so that writes may go on, too

my $write = q{INSERT INTO cb_doc (id, name) SELECT 'new-' || g || '-%d', 'x' FROM generate_series(1, 20) g};
foreach my $round (1, 2)
{
	$cluster->control('drop all');
	sleep(0.3);
	is($session->query_safe($round == 1 ? $look : $scan), $round == 1 ? '200' : '20020', "read $round after a cut");
	$cluster->control('drop all');
	sleep(0.3);
	CbCluster::send_query($session, sprintf($write, $round));
	is(CbCluster::finish_query($session), '', "write $round after a cut");
	sleep(0.1);
}
CbCluster::send_query($session, 'DO $$ BEGIN ' . sprintf($write, 3) . '; PERFORM pg_sleep(1); ' . sprintf($write, 4) . '; END $$');
sleep(0.5);
$cluster->control('drop all');
is(CbCluster::finish_query($session), '', 'a cut while a statement does something else');
is($session->query_safe(q{SELECT sum(retries) FROM cbconn_get_connections()}), '0', 'nothing had to be sent twice');

# ---- ALTER and DROP by another session

my $other = CbCluster->new('--nodes', 1, '--generate', 'default._default.doc=7');
my $string = $other->connection_string;
$session->query_safe("BEGIN; DECLARE c CURSOR FOR SELECT id FROM cb_doc; MOVE 10 IN c");
$node->safe_psql('postgres', "ALTER SERVER cb OPTIONS (SET connection_string '$string')");
is($session->query_safe('MOVE 20000 IN c'), '', 'a cursor goes on');
is($session->query_safe('COMMIT'), '', 'to its end');
is($session->query_safe($scan), '7', 'ALTER SERVER: the next transaction asks the other cluster');
is(left(0), 0, 'and nothing is left at the first one');
$node->safe_psql('postgres', q{ALTER USER MAPPING FOR CURRENT_USER SERVER cb OPTIONS (SET password 'wrong')});
CbCluster::send_query($session, $scan);
like(CbCluster::finish_query($session), qr/password authentication failed/, 'ALTER USER MAPPING: the next transaction logs in anew');
$node->safe_psql('postgres', q{ALTER USER MAPPING FOR CURRENT_USER SERVER cb OPTIONS (SET password 'password')});
is($session->query_safe($scan), '7', 'and does so again');
is(total('connections', $other), 1, 'one connection');
$session->query_safe('SET client_min_messages = warning; BEGIN; DROP SERVER cb CASCADE; ROLLBACK');
is($session->query_safe($scan), '7', 'a DROP SERVER that is rolled back');
$node->safe_psql('postgres', 'DROP SERVER cb CASCADE');
$session->query_safe('SELECT 1');
is(left(0, $other), 0, 'DROP SERVER: the connection ends with the next transaction of whatever kind');
$session->quit;

# ---- the end of a session

$cluster->attach($node);
foreach my $how ('quit', 'terminated', 'killed')
{
	my $one = session();
	my $pid = $one->query_safe("SELECT pg_backend_pid() FROM cb_doc LIMIT 1");

	is($one->query_safe($look), '200', "$how: a session");
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)") if $how eq 'terminated';
	kill('KILL', $pid) if $how eq 'killed';
	$how eq 'quit' ? $one->quit : $one->{run}->kill_kill;
	is(left(0), 0, "$how: leaves nothing behind");
}
$node->poll_query_until('postgres', 'SELECT true') or die 'no restart';
$node->stop;

# ---- more nodes than descriptors

my $many = CbCluster->new('--nodes', 60, '--generate', 'default._default.doc=3000');
my $small = PostgreSQL::Test::Cluster->new('small');
$small->init;
$small->append_conf('postgresql.conf', "max_files_per_process = 110\n");
$small->start;
$many->attach($small, connection_string => 'couchbase://' . $many->kv(0));
$session = $small->background_psql('postgres', on_error_stop => 0);
my $pid = $session->query_safe('SELECT pg_backend_pid()');
is($session->query_safe('SELECT count(*) FROM cb_doc'), '3000', 'a scan over more nodes than there are descriptors');
my $connections = total('connections', $many);
cmp_ok($connections, '>', 5, 'with as many connections as it may have');
cmp_ok($connections, '<', 40, 'and no more');
is($session->query_safe(q{SELECT count(*) FROM cb_doc WHERE id = ANY (ARRAY(SELECT 'doc-' || lpad(g::text, 8, '0') FROM generate_series(1, 3000) g))}),
	'3000', 'look-ups over all of them');
is($session->query_safe('SELECT count(*) FROM (SELECT id FROM cb_doc ORDER BY id LIMIT 50) x'), '50', 'a scan in key order');
is($session->query_safe('SELECT count(*) FROM pg_class c, pg_attribute a WHERE c.oid = a.attrelid') > 100, 1, 'and PostgreSQL has files to open');
cmp_ok(scalar(() = glob("/proc/$pid/fd/*")), '<', 110, 'within the limit');
my $descriptors = scalar(() = glob("/proc/$pid/fd/*"));
$session->query_safe('SELECT cbconn_disconnect_all()');
cmp_ok($descriptors - (() = glob("/proc/$pid/fd/*")), '>=', $connections, 'which come back');
$session->quit;
$small->stop;

# ---- hundreds of nodes, and descriptors for them

my $hundreds = CbCluster->new('--nodes', 250, '--generate', 'default._default.doc=2000');
my $large = PostgreSQL::Test::Cluster->new('large');
$large->init;
$large->start;
$hundreds->attach($large, connection_string => 'couchbase://' . $hundreds->kv(0));
$session = $large->background_psql('postgres', on_error_stop => 0);
is($session->query_safe('SELECT count(*) FROM cb_doc'), '2000', 'a scan over 250 nodes');
is(total('connections', $hundreds), 250, 'a connection to each');
is($session->query_safe(q{SELECT count(*), count(*) FILTER (WHERE state = 'ready') FROM cbconn_get_connections()}), '250|250', 'all shown');
is($session->query_safe(q{SELECT count(*) FROM cbconn_cluster('cb') WHERE state = 'ok'}), '250', 'all answer');
$session->quit;
is(left(0, $hundreds), 0, 'and all end with the session');
$large->stop;
done_testing();
