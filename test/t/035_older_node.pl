# A node that is older than the others: requests for the configuration name no version where that is not understood.
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $cluster = CbCluster->new('--nodes', 2, '--generate', 'default._default.doc=200');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

# PLAIN: the request is on its way before the answer to HELLO; SCRAM: after it.
my %options = (plain => '?sasl_mech_force=PLAIN', scram => '?sasl_mech_force=SCRAM-SHA512');

foreach my $mechanism (sort keys %options)
{
	my $string = $cluster->connection_string . $options{$mechanism};

	$cluster->attach($node, server => $mechanism, connection_string => "$string&randomize_nodes=off&config_poll_interval=50ms");
	foreach my $older (1, 0)
	{
		my $session = $node->background_psql('postgres', on_error_stop => 0);
		my $scan = "SELECT count(*) FROM ${mechanism}_doc";
		my $retries = q{SELECT sum(retries), count(error) FROM cbconn_get_connections()};

		$cluster->control("withhold $older feature=0x1d");
		is($session->query_safe($scan), '200', "$mechanism, node $older is older: a scan");
		is($session->query_safe($retries), '0|0', "$mechanism, node $older is older: nothing failed");
		$cluster->control('move bucket=default vbucket=7 to=0');
		$cluster->control('move bucket=default vbucket=7 to=1');
		$cluster->control('drop all');
		is($session->query_safe($scan), '200', "$mechanism, node $older is older: connected again, with a newer configuration");
		is($session->query_safe(q{SELECT DISTINCT state FROM cbconn_get_connections()}), 'ready',
			"$mechanism, node $older is older: both nodes are connected");
		$cluster->control("withhold $older feature=0");
		$session->quit;
	}
}

$node->stop;
done_testing();
