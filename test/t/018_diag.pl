# cbconn_diag(): every step is a row, the one that fails says why and what to do, and the others go on.
use strict;
use warnings;

use CbCluster;
use FindBin;
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $cluster = CbCluster->new('--nodes', 3, '--generate', 'default._default.doc=300');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
my $options = '?resolve_timeout=400ms&config_node_timeout=';
$cluster->attach($node, options => "${options}700ms");
my $session = $node->background_psql('postgres', on_error_stop => 0);
my @kv = map { $cluster->kv($_) } 0 .. 2;

# Rows as "step target ok|failed", in order; the columns detail and advice by step and target.
my %detail;
my %advice;
my @sqlpp;                # those of the query service apart

sub diag_of
{
	my ($server, $more) = @_;
	my $rows = $session->query_safe("SELECT step, target, ok, coalesce(ms, -1), coalesce(replace(detail, E'\\n', ' '), ''), coalesce(advice, '')
		FROM cbconn_diag('$server'" . ($more // '') . ') WITH ORDINALITY ORDER BY ordinality');
	my @result;

	@sqlpp = ();
	%detail = %advice = ();
	foreach my $row (split /\n/, $rows)
	{
		my ($step, $target, $ok, $ms, $detail, $advice) = split /\|/, $row, -1;
		push @{ $step =~ /^(?:query service|SQL\+\+ statement)$/ ? \@sqlpp : \@result }, "$step $target " . ($ok eq 't' ? 'ok' : 'failed');
		$detail{"$step $target"} = $detail;
		$advice{"$step $target"} = $advice;
		cmp_ok($ms, '<', 1500, "$step $target: time");
		isnt($advice, '', "$step $target: advice") if $ok ne 't';
	}
	return @result;
}

sub steps_ok
{
	my ($target) = @_;
	return map { "$_ $target ok" } ('TCP connect', 'HELLO', 'SASL authentication', 'bucket selection', 'cluster config',
		'data request');
}

sub attach
{
	my ($server, $hosts, %param) = @_;
	my $more = delete $param{more} // '';
	$cluster->attach($node, server => $server, connection_string => "couchbase://$hosts", options => $options . ($more || '700ms'), %param);
	return;
}

my @start = ('connection string cb ok', 'user mapping cb ok');
my @rows = diag_of('cb');
my $given = $cluster->connection_string;
my @seeds = grep { $given =~ /\Q$_\E/ } @kv;
my @others = grep { $given !~ /\Q$_\E/ } @kv;
is_deeply([ sort @rows ], [ sort @start, (map { steps_ok($_) } @kv), 'vBucket map default ok' ], 'a sound cluster: all steps');
my @query = map { $cluster->{ready}{query}[$_] } 0 .. 2;
is_deeply(\@sqlpp, [ (map { "query service $_ ok" } @query), 'SQL++ statement cb ok' ], 'the query service after that');
is_deeply([ @rows[ 0, 1, -1 ] ], [ @start, 'vBucket map default ok' ], 'in order');
is($detail{"TCP connect $kv[0]"}, '127.0.0.1', 'the address');
like($detail{"HELLO $kv[0]"}, qr/^\d+ features agreed on$/, 'HELLO') if $detail{"HELLO $kv[0]"};
is($detail{"SASL authentication $kv[0]"}, 'user "Administrator", SCRAM-SHA512', 'the mechanism');
like($detail{"cluster config $kv[0]"}, qr/^revision \d+ of epoch \d+, 3 nodes, \d+ vBuckets, \d+ replicas, network "default"$/, 'the configuration');
is($detail{'vBucket map default'} =~ s/\d+/N/r, 'all N vBuckets have a node', 'the map');
is($session->query_safe('SELECT count(*) FROM cbconn_get_connections()'), '0', 'no connection stays');

# A node that is only in the configuration, one that only the string knows, a name.
my ($port) = $kv[0] =~ /:(\d+)$/;
attach('one', "localhost:$port");
@rows = diag_of('one');
is($rows[2], "DNS look-up localhost:$port ok", 'a name is looked up');
is(scalar(grep { /^cluster config localhost:\d+ ok$/ } @rows), 3, 'and the name is that of all nodes');
is_deeply([ grep { /failed/ } @rows ], [], 'nothing fails');

my $closed = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1');
my $refused = '127.0.0.1:' . $closed->sockport;
close($closed);
my $silent = IO::Socket::INET->new(Listen => 16, LocalAddr => '127.0.0.1');
my $mute = '127.0.0.1:' . $silent->sockport;

attach('mixed', "$refused,no-such-host.invalid,$mute,$kv[1]");
my $start = time();
@rows = diag_of('mixed');
cmp_ok(time() - $start, '<', 3, 'bounded');
is_deeply([ grep { /failed/ } @rows ],
	[ "TCP connect $refused failed", 'DNS look-up no-such-host.invalid:11210 failed', "HELLO $mute failed" ], 'three bad hosts');
is($detail{"TCP connect $refused"}, 'Connection refused', 'why: refused');
is($detail{"HELLO $mute"}, 'no answer in time', 'why: silent');
is(scalar(grep { /^cluster config \S+ ok$/ } @rows), 3, 'all nodes are found by the good one');

attach('intruder', $kv[0], password => 'wrong');
@rows = diag_of('intruder');
is($rows[-1], "SASL authentication $kv[0] failed", 'a wrong password: the last step');
like($advice{"SASL authentication $kv[0]"}, qr/password/, 'what to do');
unlike(join(' ', %detail), qr/wrong/, 'which is not shown');

attach('nobucket', $kv[0], bucket => 'missing');
@rows = diag_of('nobucket');
is($rows[-1], "bucket selection $kv[0] failed", 'no such bucket');
@rows = diag_of('nobucket', q{, 'default'});
is($rows[-1], 'vBucket map default ok', 'another bucket by argument');

$session->query_safe(qq{CREATE SERVER clear FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbase://$kv[0]/default');
	CREATE USER MAPPING FOR CURRENT_USER SERVER clear OPTIONS (sslcert '/nowhere/cert.pem', sslkey '/nowhere/key.pem')});
@rows = diag_of('clear');
is_deeply(\@rows, ['connection string clear failed'], 'a mapping that does not fit the string');
like($detail{'connection string clear'}, qr/needs TLS/, 'says why');

attach('elsewhere', $kv[0], more => '700ms&network=moon');
@rows = diag_of('elsewhere');
is(scalar(grep { /^node address .* failed$/ } @rows), 3, 'nodes without an address in the network');

# The network is chosen by the host that is given: nodes that are called otherwise inside are reached.
my $nat = CbCluster->new('--nodes', 2, '--external', '127.0.0.1', '--generate', 'default._default.doc=10');
attach('nat', $nat->kv(0));
@rows = diag_of('nat');
is_deeply([ grep { /failed/ } @rows, @sqlpp ], [], 'alternate addresses');
is_deeply([ map { /query service (\S+) ok/ } @sqlpp ], $nat->{ready}{query}, 'of the query services, too');
like($detail{'cluster config ' . $nat->kv(1)}, qr/network "external"/, 'of the network in use');
undef $nat;

# A bucket that warms up takes connections, and no requests. Rights to it are another matter.
foreach my $state ('warming', 'config-only')
{
	$cluster->control("warmup 1 bucket=default state=$state");
	@rows = diag_of('cb');
	is_deeply([ grep { /failed/ } @rows ], ["data request $kv[1] failed"], "$state: of one node");
	like($detail{"data request $kv[1]"}, $state eq 'warming' ? qr/\(status 86\)$/ : qr/\(status 0d\)$/, "$state: why");
	is($advice{"data request $kv[1]"}, 'The bucket warms up on the node, or is being created: wait.', "$state: what to do");
	$cluster->control("warmup all bucket=default state=$state");
	@rows = diag_of('cb');
	is_deeply([ sort grep { /failed/ } @rows ], [ sort map { "data request $_ failed" } @kv ], "$state: of all nodes");
	$cluster->control('warmup all bucket=default state=ready');
	is_deeply([ grep { /failed/ } diag_of('cb') ], [], "$state: and over");
}

my $rights = CbCluster->new('--config', "$FindBin::Bin/rights.json");
foreach my $user ('reader', 'looker')
{
	my ($server, @hosts) = ("rights_$user", map { $rights->kv($_) } 0, 1);

	$session->query_safe("CREATE SERVER $server FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbase://$hosts[0]');
		CREATE USER MAPPING FOR CURRENT_USER SERVER $server OPTIONS (username '$user', password 'password')");
	@rows = diag_of($server, q{, 'default'});
	is_deeply([ grep { /failed/ } @rows, @sqlpp[ 0, 1 ] ], [], "$user: nothing fails");
	foreach my $host (@hosts)
	{
		ok((grep { $_ eq "data request $host ok" } @rows), "$user: $host answers");
		is($detail{"data request $host"}, 'no right to read the default collection; the node answers', "$user: the right to read");
	}
}
undef $rights;

# Faults of nodes.
$cluster->control('kill 2');
$cluster->control('pause 1');
attach('two', $kv[0]);
@rows = diag_of('two');
is_deeply([ sort grep { /failed/ } @rows ], [ sort "TCP connect $kv[2] failed", "HELLO $kv[1] failed" ], 'a dead node and a silent one');
is_deeply(\@sqlpp, [ (map { "query service $query[$_] ok" } 0, 1), "query service $query[2] failed", 'SQL++ statement two ok' ],
	'the dead one has no query service');
$cluster->control('resume 1');
$cluster->control('revive 2');
$cluster->control('move bucket=default vbucket=7 to=-1');
@rows = diag_of('two');
is($rows[-1], 'vBucket map default failed', 'a vBucket without a node');
like($detail{'vBucket map default'}, qr/^1 of \d+ vBuckets have no node$/, 'is counted');

# Cancelled at once; nothing stays open.
attach('slow', $mute, more => '60s');
my $pid = $session->query_safe('SELECT pg_backend_pid()');
my $sockets = () = map { readlink($_) // '' } glob("/proc/$pid/fd/*");
$session->query_safe("SET statement_timeout = '300ms'");
$start = time();
CbCluster::send_query($session, q{SELECT * FROM cbconn_diag('slow')});
like(CbCluster::finish_query($session), qr/canceling statement due to statement timeout/, 'cancelled');
cmp_ok(time() - $start, '<', 2, 'at once');
my $after = () = map { readlink($_) // '' } glob("/proc/$pid/fd/*");
is($after, $sockets, 'no socket is left');

$session->quit;
$node->stop;
done_testing();
