# A node dies under a session and is failed over a moment later: what is under way goes on at the other nodes, without an error.
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $cluster = CbCluster->new('--config', "$ENV{CBCONN_TMP}/t/replicas.json", '--generate', 'default._default.doc=500');
my %asked = (
	'look-ups' => [ q{SELECT count(*) FROM cb_doc WHERE id = ANY (ARRAY(SELECT 'doc-' || lpad(g::text, 8, '0') FROM generate_series(1, 500) g))}, '500' ],
	'a scan' => [ q{SELECT count(*) FROM cb_doc WHERE id LIKE 'doc-%'}, '500' ],
	'an ordered scan' => [ q{SELECT count(*) FROM (SELECT id FROM cb_doc WHERE id LIKE 'doc-%' ORDER BY id LIMIT 400) d}, '400' ]);

foreach my $preload ('', 'cbconn_fdw')
{
	my $node = PostgreSQL::Test::Cluster->new("node$preload");

	$node->init;
	$node->append_conf('postgresql.conf', "shared_preload_libraries = '$preload'\n");
	$node->start;
	$cluster->attach($node);
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	foreach my $what (sort keys %asked)
	{
		my ($sql, $rows) = @{ $asked{$what} };
		my $name = ($preload ? 'preloaded, ' : '') . $what;

		is($session->query_safe($sql), $rows, "$name: before");
		$cluster->control('kill 1');
		my $start = time();
		CbCluster::send_query($session, $sql);
		sleep(0.7);
		$cluster->control('failover 1');
		is(CbCluster::finish_query($session), '', "$name: no error");
		cmp_ok(time() - $start, '<', 3, "$name: within 3 s");
		is($session->query_safe($sql), $rows, "$name: all is there");
		$cluster->control('revive 1');
		$cluster->control('rebalance bucket=default');
		is($session->query_safe($sql), $rows, "$name: after its return");
	}
	$session->quit;
	$node->stop;
}
done_testing();
