# Cancel, statement_timeout and pg_terminate_backend act at once while a backend waits for a node that is silent.
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $limit = 0.2;

my $cluster = CbCluster->new('--nodes', 2, '--generate', 'default._default.doc=2000');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
# Deadlines far beyond the test: only the interrupts may end the waits.
$cluster->attach($node, options => '?kv_timeout=60s&bootstrap_timeout=60s&config_node_timeout=60s&kv_scan_timeout=60s');

my $other = $node->background_psql('postgres', on_error_stop => 0);

my %query = (
	'a key look-up' => q{SELECT * FROM cb_doc WHERE id = 'doc-00000001'},
	'many keys' => q{SELECT * FROM cb_doc WHERE id IN (SELECT 'doc-' || lpad(g::text, 8, '0') FROM generate_series(1, 1000) g)},
	'a range scan' => q{SELECT count(*) FROM cb_doc},
	'an ordered scan' => q{SELECT id FROM cb_doc ORDER BY id LIMIT 10},
	'ANALYZE' => 'ANALYZE cb_doc');

# Returns once the backend waits inside the statement, not before.
sub wait_until_waiting
{
	my ($pid) = @_;

	for (1 .. 500)
	{
		my $event = $other->query_safe(
			"SELECT wait_event_type || ':' || wait_event FROM pg_stat_activity WHERE pid = $pid AND state = 'active'");
		return $event if $event =~ /^Extension:/;
		sleep(0.01);
	}
	return 'none';
}

foreach my $warm (1, 0)
{
	foreach my $what (sort keys %query)
	{
		my $name = $what . ($warm ? ', connected before' : ', connecting');

		foreach my $how ('pg_cancel_backend', 'pg_terminate_backend')
		{
			my $session = $node->background_psql('postgres', on_error_stop => 0);
			my $pid = $session->query_safe('SELECT pg_backend_pid()');

			$session->query_safe("SELECT count(*) FROM cb_doc") if $warm;
			$cluster->control("pause $_") for (0, 1);
			CbCluster::send_query($session, $query{$what});
			like(wait_until_waiting($pid), qr/^Extension:/, "$name: waits with a wait event");

			my $start = time();
			$other->query_safe("SELECT $how($pid)");
			my $error = CbCluster::finish_query($session);
			my $elapsed = time() - $start;

			like(
				$error,
				$how eq 'pg_cancel_backend' ? qr/canceling statement due to user request/ : qr/terminating connection/,
				"$name: $how ends it");
			cmp_ok($elapsed, '<', $limit, "$name: $how acts within 200 ms");

			$cluster->control("resume $_") for (0, 1);
			if ($how eq 'pg_cancel_backend')
			{
				is($session->query_safe('SELECT count(*) FROM cb_doc'), '2000', "$name: the next query works");
				is($session->query_safe('SELECT pg_backend_pid()'), $pid, "$name: in the same backend");
				$session->quit;
			}
		}
	}
}

foreach my $what (sort keys %query)
{
	my $session = $node->background_psql('postgres', on_error_stop => 0);

	$session->query_safe('SELECT count(*) FROM cb_doc');
	$cluster->control("pause $_") for (0, 1);
	$session->query_safe("SET statement_timeout = '300ms'");
	my $start = time();
	CbCluster::send_query($session, $query{$what});
	my $error = CbCluster::finish_query($session);
	my $elapsed = time() - $start;

	like($error, qr/canceling statement due to statement timeout/, "$what: statement_timeout ends it");
	cmp_ok($elapsed, '>=', 0.3, "$what: not before its time");
	cmp_ok($elapsed, '<', 0.3 + $limit, "$what: within 200 ms of its time");
	$cluster->control("resume $_") for (0, 1);
	$session->query_safe('RESET statement_timeout');
	is($session->query_safe('SELECT count(*) FROM cb_doc'), '2000', "$what: the next query works");
	$session->quit;
}

$other->quit;
$node->stop;
done_testing();
