# Preloaded, the library keeps configurations in shared memory: what one backend has learnt, all use, without a file.
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $cluster = CbCluster->new('--nodes', 2, '--generate', 'default._default.doc=200');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "log_min_messages = debug1\nrestart_after_crash = on\n"
	  . "shared_preload_libraries = 'cbconn_fdw'\ncbconn_fdw.shared_config_size = '256kB'\n");
$node->start;

my $seed = 'couchbase://' . $cluster->kv(0);
$cluster->attach($node, connection_string => $seed, options => '?config_poll_interval=0');
$node->safe_psql('postgres', 'ANALYZE cb_doc');

# What the server's log says while something is done.
sub logged
{
	my ($what) = @_;
	my $offset = -s $node->logfile;

	$what->();
	return slurp_file($node->logfile, $offset);
}

sub count_of
{
	my ($server) = @_;
	return $node->safe_psql('postgres', "SELECT count(*) FROM ${server}_doc");
}

# ---- round trips

my $preload = qr/kept in shared memory/;
# How often the wire changed direction, as the nodes count it, TCP's own round trip left out.
sub flights
{
	my $sum = 0;

	$sum += $_->{flights} foreach @{ $cluster->control('status')->{nodes} };
	return $sum;
}

foreach my $i (1 .. 8)
{
	my $key = sprintf('doc-%08d', $i);
	my $before = flights();
	my $plan = $node->safe_psql('postgres', "EXPLAIN (ANALYZE, COSTS OFF) SELECT name FROM cb_doc WHERE id = '$key'");

	like($plan, qr/Round Trips: 4\n/, "$key: TCP, two for SCRAM, and the look-up");
	is(flights() - $before, 3, "$key: on the wire, without TCP's own");
	like($plan, qr/Connections Opened: 1\n/, "$key: straight to the node that has it");
}
like(logged(sub { is(count_of('cb'), '200', 'a scan') }), $preload, 'a fresh backend starts from shared memory');

# ---- a new topology

my @session = map { $node->background_psql('postgres') } 0, 1;
my @keys = map { sprintf('doc-%08d', $_) } 1 .. 20;
my $list = join(',', map { "'$_'" } @keys);
my @vbuckets = split /\n/, $node->safe_psql('postgres', qq{
	CREATE FOREIGN TABLE place (id text OPTIONS (key 'true'), vb int OPTIONS (meta 'vbucket'))
		SERVER cb OPTIONS (collection 'doc');
	SELECT DISTINCT vb FROM place WHERE id IN ($list);});
my $all = "EXPLAIN (ANALYZE, COSTS OFF) SELECT name FROM cb_doc WHERE id IN ($list)";

foreach my $round (1 .. 2)
{
	like($_->query_safe($all), qr/Documents: 20\n/, "round $round: session reads") foreach @session;
	$cluster->control("move bucket=default vbucket=$_ to=" . ($round - 1)) foreach @vbuckets;
	my $first = $session[0]->query_safe($all);
	my $second = $session[1]->query_safe($all);

	like($first, qr/Documents: 20\n/, "round $round: the first session finds all rows");
	unlike($first, qr/Retries: 0\n/, "round $round: the nodes send the first session elsewhere");
	like($second, qr/Documents: 20\n/, "round $round: the second session finds all rows");
	like($second, qr/Retries: 0\n/, "round $round: the second session knows already");
}
$_->quit foreach @session;

# ---- more configurations than places: 256 kB are two

$cluster->attach($node, server => "more$_", connection_string => $seed) foreach 1 .. 2;
unlike(logged(sub { count_of('more1') }), $preload, 'another server starts by its hosts');
like(logged(sub { count_of('more1') }), $preload, 'and from shared memory the next time');
like(logged(sub { count_of('cb') }), $preload, 'as does the first');
unlike(logged(sub { count_of('more2') }), $preload, 'a third takes the place of the least recently used');
like(logged(sub { count_of('cb') }), $preload, 'which is not the first');
unlike(logged(sub { count_of('more1') }), $preload, 'but the second');

# ---- ALTER and DROP SERVER

my $other = CbCluster->new('--nodes', 1, '--generate', 'default._default.doc=7');
$node->safe_psql('postgres', "ALTER SERVER cb OPTIONS (SET connection_string '" . $other->connection_string . "')");
unlike(logged(sub { is(count_of('cb'), '7', 'ALTER SERVER: rows of the other cluster') }), $preload,
	'ALTER SERVER: the old configuration is not used');
like(logged(sub { is(count_of('cb'), '7', 'ALTER SERVER: again') }), $preload, 'ALTER SERVER: the new one is kept');
$node->safe_psql('postgres', 'DROP SERVER cb CASCADE');
$cluster->attach($node, connection_string => $seed);
unlike(logged(sub { is(count_of('cb'), '200', 'DROP SERVER: rows of the new server') }), $preload,
	'DROP SERVER: a new server of the same name knows nothing');

# ---- a backend dies, and shared memory with it

my $session = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $session->query_safe('SELECT pg_backend_pid() FROM cb_doc LIMIT 1');
kill('KILL', $pid);
$session->{run}->kill_kill;
$node->poll_query_until('postgres', 'SELECT true') or die 'no restart';
unlike(logged(sub { is(count_of('cb'), '200', 'after a crash') }), $preload, 'after a crash nothing is left');
like(logged(sub { is(count_of('cb'), '200', 'after a crash, again') }), $preload, 'and is learnt again');

# ---- size

$node->append_conf('postgresql.conf', "cbconn_fdw.shared_config_size = '4kB'\n");
$node->restart;
like(logged(sub { count_of('cb') }), qr/takes \d+ bytes, shared memory has \d+ for one/, 'too long: the log says so')
  foreach 1 .. 2;
is(count_of('cb'), '200', 'too long: queries work');
$node->append_conf('postgresql.conf', "cbconn_fdw.shared_config_size = 0\n");
$node->restart;
unlike(logged(sub { count_of('cb') }), qr/shared memory/, 'off') foreach 1 .. 2;

$node->stop;
done_testing();
