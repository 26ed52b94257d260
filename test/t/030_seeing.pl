# cbconn_cluster() and cbconn_get_connections(): what they tell of nodes that live, die, move vBuckets, and of networks.
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $certs = PostgreSQL::Test::Utils::tempdir() . '/certs';
system_or_bail("$ENV{CBCONN_TMP}/tls/make-certs.sh", $certs);
my $cluster = CbCluster->new('--nodes', 3, '--generate', 'default._default.doc=300', '--tls-cert', "$certs/server.pem",
	'--tls-key', "$certs/server.key", '--external', '127.0.0.1');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

my $options = '?randomize_nodes=off&kv_timeout=700ms&config_node_timeout=700ms&kv_scan_timeout=700ms';
$cluster->attach($node, options => $options, password => 'password');
my $session = $node->background_psql('postgres', on_error_stop => 0);
my @kv = map { $cluster->kv($_) } 0 .. 2;
my @kvs = @{ $cluster->{ready}{kvs} };
my @management = @{ $cluster->{ready}{management} };

# ---- cbconn_cluster()

# One line for each node, in the order of their ports.
sub members
{
	my ($columns, $server) = @_;
	$server //= 'cb';
	return [ split /\n/, $session->query_safe("SELECT concat_ws(' ', $columns) FROM cbconn_cluster('$server') ORDER BY kv_port") ];
}

sub in_order { return [ sort { ($a =~ /:(\d+)/)[0] <=> ($b =~ /:(\d+)/)[0] } @_ ]; }

is_deeply(members(q{host || ':' || kv_port}), in_order(@kv), 'data ports');
is_deeply([ sort @{ members(q{host || ':' || kv_tls_port}) } ], [ sort @kvs ], 'data ports over TLS');
is_deeply([ sort @{ members(q{host || ':' || management_port}) } ], [ sort @management ], 'management ports');
like(join("\n", @{ members(q{services}) }), qr/^(\{kv,management[a-z,]*\}\n?){3}$/, 'services');
like(join("\n", @{ members(q{version, state}) }), qr/^(\d+\.\d+\.\d+\S* ok\n?){3}$/, 'versions');
is($session->query_safe(q{SELECT count(*) FILTER (WHERE this_node) FROM cbconn_cluster('cb')}), '1', 'one node has told');
is($session->query_safe(q{SELECT min(vbuckets), max(vbuckets), sum(active_vbuckets), min(active_vbuckets) FROM cbconn_cluster('cb')}),
	'1024|1024|1024|341', 'vBuckets');
is($session->query_safe(q{SELECT DISTINCT network FROM cbconn_cluster('cb')}), 'external', 'the network that leads there');

my $revision = $session->query_safe(q{SELECT max(config_rev) FROM cbconn_cluster('cb')});
$cluster->control('move bucket=default vbucket=5 to=2');
$cluster->control('move bucket=default vbucket=6 to=2');
is($session->query_safe("SELECT DISTINCT config_rev - $revision FROM cbconn_cluster('cb')"), '2', 'the newest revision');
is($session->query_safe("SELECT active_vbuckets FROM cbconn_cluster('cb') WHERE kv_port = " . ($kv[2] =~ /:(\d+)/)[0]),
	'343', 'and its vBuckets');

$cluster->control('kill 1');
is($session->query_safe(q{SELECT state, error, version IS NULL, host || ':' || kv_port FROM cbconn_cluster('cb') WHERE state <> 'ok'}),
	"error|TCP connect: Connection refused|t|$kv[1]", 'a dead node is a row');
$cluster->control('pause 2');
my $start = time();
is($session->query_safe(q{SELECT count(*) FROM cbconn_cluster('cb') WHERE state = 'timeout'}), '1', 'so is a silent one');
cmp_ok(time() - $start, '<', 2, 'which does not hold it up');
$cluster->control('resume 2');
$cluster->control('revive 1');

$cluster->attach($node, server => 'inside', options => "$options&network=default");
is_deeply([ sort @{ members(q{host, state}, 'inside') } ], [ 'node-0.cbcluster.invalid ok', map { "node-$_.cbcluster.invalid error" } 1, 2 ],
	'another network, as it was asked for: the first node is connected already');

# ---- cbconn_get_connections()

my $scan = 'SELECT count(*) FROM cb_doc';

$session->query_safe(q{SELECT cbconn_disconnect_all()});
is($session->query_safe($scan), '300', 'a scan');
is($session->query_safe('SELECT node FROM cbconn_get_connections() ORDER BY node'), join("\n", sort @kv), 'a row for each node');
is($session->query_safe(q{SELECT count(*) FROM cbconn_get_connections() WHERE state = 'ready' AND connects = 1 AND error IS NULL}),
	'3', 'each was connected to once');
is($session->query_safe(q{SELECT count(*) FROM cbconn_get_connections() WHERE requests > 300 AND bytes_received > 10000 AND bytes_sent > 1000}),
	'3', 'and has done its part');

$cluster->control('tmpfail 0 count=2');
is($session->query_safe($scan), '300', 'a scan with temporary failures');
is($session->query_safe("SELECT retries FROM cbconn_get_connections() WHERE node = '$kv[0]'"), '2', 'the retries are counted');
is($session->query_safe("SELECT sum(retries) FROM cbconn_get_connections() WHERE node <> '$kv[0]'"), '0', 'where they were');

$cluster->control('drop 0');
is($session->query_safe($scan), '300', 'a scan after a cut');
is($session->query_safe("SELECT connects, state, connected_at > now() - interval '1 min', last_used_at >= connected_at
	FROM cbconn_get_connections() WHERE node = '$kv[0]'"), '2|ready|t|t', 'the second connection');

$cluster->control('kill 1');
CbCluster::send_query($session, $scan);
like(CbCluster::finish_query($session), qr/Connection refused/, 'a scan without a node');
is($session->query_safe("SELECT state, error FROM cbconn_get_connections() WHERE node = '$kv[1]'"),
	'down|TCP connect: Connection refused', 'why there is no connection');
$cluster->control('revive 1');
is($session->query_safe($scan), '300', 'a scan after the return');
is($session->query_safe("SELECT state, error IS NULL, connects FROM cbconn_get_connections() WHERE node = '$kv[1]'"),
	'ready|t|2', 'and it is connected again');

unlike($session->query_safe('SELECT c::text FROM cbconn_get_connections() c') . $session->query_safe(q{SELECT c::text FROM cbconn_cluster('cb') c}),
	qr/password/, 'no secret');

$session->quit;
$node->stop;
done_testing();
