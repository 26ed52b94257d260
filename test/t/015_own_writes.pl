# A transaction sees its own writes in range scans although these read persisted documents only, in parallel workers too;
# expired documents are left out.
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Persists slowly.
my $cluster = CbCluster->new('--config', "$ENV{CBCONN_TMP}/t/slow_disk.json", '--generate', 'default._default.doc=2000');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$cluster->attach($node);
$node->safe_psql('postgres', q{ANALYZE cb_doc;
	ALTER FOREIGN TABLE cb_doc ADD COLUMN expires timestamptz OPTIONS (meta 'expiry')});

my $insert = q{INSERT INTO cb_doc (id, name) SELECT '%s-' || i, 'x' FROM generate_series(1, 500) i;};
my $count = q{SELECT count(name) FROM cb_doc WHERE id LIKE '%s-%%';};

sub counts
{
	my ($prefix, $settings, $sql) = @_;

	return $node->safe_psql('postgres', $settings . sprintf($sql // "$insert $count", $prefix, $prefix));
}

$node->safe_psql('postgres', sprintf($insert, 'others'));
is(counts('others', '', $count), 0, 'another session does not see them at once');
is(counts('own', 'BEGIN;', "$insert $count COMMIT;"), 500, 'the same transaction does');
is(counts('next', ''), 500, 'so does the next transaction of the session');
is(counts('rolled', 'BEGIN;', "$insert ROLLBACK; $count"), 500, 'of what was rolled back, and stays, as well');
is($node->safe_psql('postgres', sprintf($insert, 'again') . q{UPDATE cb_doc SET name = 'y' WHERE id LIKE 'again-%';
	UPDATE cb_doc SET name = 'z' WHERE id LIKE 'again-%' AND name = 'y'; DELETE FROM cb_doc WHERE id LIKE 'again-%' AND name <> 'z';
	SELECT count(*) FROM cb_doc WHERE id LIKE 'again-%' AND name = 'z'}), 500,
	'UPDATE and DELETE by scan find the versions that the session wrote last');
is($node->safe_psql('postgres', "BEGIN; " . sprintf($insert, 'key') . " SELECT id FROM cb_doc WHERE id LIKE 'key-%' ORDER BY id LIMIT 1; COMMIT"),
	'key-1', 'in key order too');
is($node->safe_psql('postgres', "BEGIN; " . sprintf($insert, 'keys') . " SELECT count(*) FROM cb_doc WHERE id LIKE 'keys-%'; COMMIT"),
	500, 'and when keys only are read');
is($node->safe_psql('postgres', "BEGIN; " . sprintf($insert, 'gone')
	  . " DELETE FROM cb_doc WHERE id LIKE 'gone-%'; SELECT count(*) FROM cb_doc WHERE id LIKE 'gone-%'; COMMIT"),
	0, 'deletions are seen as well');

my $parallel = q{SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	SET max_parallel_workers_per_gather = 2; SET parallel_leader_participation = off;};
like($node->safe_psql('postgres', "$parallel EXPLAIN SELECT count(name) FROM cb_doc"), qr/Parallel Foreign Scan/,
	'a parallel plan');
is($node->safe_psql('postgres', "$parallel BEGIN; " . sprintf($insert, 'worker')
	  . " SELECT count(name) FILTER (WHERE id LIKE 'worker-%') FROM cb_doc; COMMIT"),
	500, 'the workers of a parallel scan see what the leader wrote');

is($node->safe_psql('postgres', sprintf($insert, 'later') . " $parallel SELECT count(name) FILTER (WHERE id LIKE 'later-%') FROM cb_doc"),
	500, 'those of a later transaction do, too');

$cluster->attach($node, server => 'off', options => '?enable_mutation_tokens=off');
$node->safe_psql('postgres', q{ALTER FOREIGN TABLE off_doc ADD COLUMN seqno bigint OPTIONS (meta 'seqno')});
is($node->safe_psql('postgres', q{BEGIN; INSERT INTO off_doc (id, name) SELECT 'off-' || i, 'x' FROM generate_series(1, 500) i;
	SELECT count(name) FROM off_doc WHERE id LIKE 'off-%'; COMMIT; INSERT INTO off_doc (id) VALUES ('untold') RETURNING id, seqno}),
	"0\nuntold|", 'without mutation tokens it does not, and the sequence number is not known');

# ---- expiry ----

$node->safe_psql('postgres', q{INSERT INTO cb_doc (id, name, expires)
	VALUES ('short', 'x', now() + interval '1 s'), ('long', 'x', now() + interval '1 day'), ('never', 'x', NULL)});
$node->safe_psql('postgres', 'SELECT pg_sleep(3.5)');
is($node->safe_psql('postgres', q{SELECT id FROM cb_doc WHERE id >= 'l' AND name = 'x' AND id !~ '-' ORDER BY id}),
	"long\nnever", 'an expired document is not returned by a scan');
is($node->safe_psql('postgres', q{SET cbconn_fdw.enable_key_order = off; SELECT id FROM cb_doc WHERE name = 'x' AND id !~ '-' ORDER BY id}),
	"long\nnever", 'in any order');
is($node->safe_psql('postgres', q{SELECT id FROM cb_doc WHERE id >= 's' AND id < 't'}), 'short',
	'the cluster still has it: a scan of keys cannot tell');
is($node->safe_psql('postgres', q{SELECT id FROM cb_doc WHERE id IN ('short', 'long', 'never') ORDER BY id}),
	"long\nnever", 'a look-up does not find it');

# Intervals up to 30 days are the cluster's to count: its clock is an hour ahead now.
$cluster->control('clock ms=3600000');
$node->safe_psql('postgres', q{ALTER FOREIGN TABLE cb_doc ADD COLUMN remaining interval OPTIONS (meta 'expiry');
	INSERT INTO cb_doc (id, remaining) VALUES ('by-node', '1 day'), ('most', '30 days'), ('by-us', '30 days 1 s')});
is($node->safe_psql('postgres', q{SELECT id, round(extract(epoch FROM expires - now() - interval '1 s') / 600) * 10 FROM cb_doc
	WHERE id IN ('by-node', 'most', 'by-us') ORDER BY id}),
	"by-node|1500\nby-us|43200\nmost|43260", 'an interval is counted by the clock of the node, a longer one by that of the server');

# ---- failed over ----

for my $begin ('BEGIN; ', '')
{
	my $two = CbCluster->new('--config', "$ENV{CBCONN_TMP}/t/slow_disk.json");
	my $server = $begin ? 'within' : 'after';
	$two->attach($node, server => $server);
	my $session = $node->background_psql('postgres', on_error_stop => 0);

	$session->query_safe('\set VERBOSITY verbose');
	$session->query_safe($begin . "INSERT INTO ${server}_doc (id, name) SELECT 'moved-' || i, 'x' FROM generate_series(1, 500) i");
	$two->control('failover 1');
	CbCluster::send_query($session, "SELECT count(name) FROM ${server}_doc WHERE id LIKE 'moved-%'");
	my $error = CbCluster::finish_query($session);
	like($error, $begin ? qr/ERROR:  55000/ : qr/^$/,
		$begin ? 'the transaction whose writes may be lost is told' : 'later ones read what there is');
	$session->quit;
}

done_testing();
