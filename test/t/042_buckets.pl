# Buckets of every size and state: 64, 128 and 1024 vBuckets, memcached buckets, warm-up, buckets that are dropped and come
# anew under sessions, with configurations kept in files and in shared memory.
use strict;
use warnings;

use CbCluster;
use Cwd qw(abs_path);
use HTTP::Tiny;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $dir = abs_path(PostgreSQL::Test::Utils::tempdir());
my %sizes = (small => 64, middle => 128, large => 1024);
my $scopes = { _default => { collections => { doc => {} } } };

append_to_file("$dir/cluster.json", encode_json({
	nodes => 3,
	buckets => [
		(map { { name => $_, vbuckets => $sizes{$_}, replicas => 1, scopes => $scopes } } sort keys %sizes),
		{ name => 'default', vbuckets => 64, replicas => 1, scopes => $scopes },
		{ name => 'cache', vbuckets => 64, type => 'memcached' } ],
	users => [ { name => 'Administrator', password => 'password', roles => ['admin'] } ] }));
my $cluster = CbCluster->new('--config', "$dir/cluster.json",
	map { ('--generate', "$_._default.doc=500") } 'default', sort keys %sizes);
my $limits = '?kv_timeout=1s&bootstrap_timeout=1s';

my %nodes;
foreach my $name ('alone', 'shared')
{
	my $node = $nodes{$name} = PostgreSQL::Test::Cluster->new($name);

	$node->init;
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'cbconn_fdw'\n") if $name eq 'shared';
	$node->start;
	$cluster->attach($node, options => $limits);
}
$cluster->attach($nodes{alone}, server => 'filed', options => "$limits&config_cache=$dir/config");
my $node = $nodes{alone};

# ---- sizes

foreach my $bucket (sort keys %sizes)
{
	$cluster->attach($node, server => $bucket, bucket => $bucket);
	is($node->safe_psql('postgres', qq{
		SELECT count(*), count(DISTINCT id), count(name) FROM ${bucket}_doc;
		SELECT count(*) FROM ${bucket}_doc WHERE id = ANY (ARRAY(SELECT 'doc-' || lpad(g::text, 8, '0') FROM generate_series(1, 600) g));
		SELECT string_agg(id, ' ') FROM (SELECT id FROM ${bucket}_doc WHERE id > 'doc-00000100' ORDER BY id LIMIT 3) d;
		SELECT DISTINCT vbuckets FROM cbconn_cluster('$bucket');
		INSERT INTO ${bucket}_doc (id, name) SELECT 'new-' || g, 'n' FROM generate_series(1, 200) g;
		SELECT count(*) FROM ${bucket}_doc WHERE id LIKE 'new-%'}),
		"500|500|500\n500\ndoc-00000101 doc-00000102 doc-00000103\n$sizes{$bucket}\n200",
		"$sizes{$bucket} vBuckets: look-ups, scans in both orders, writes");
}

# ---- memcached buckets

$cluster->attach($node, server => 'old', bucket => 'cache', options => $limits);
foreach my $sql ('SELECT count(*) FROM old_doc', q{SELECT * FROM old_doc WHERE id = 'a'}, q{INSERT INTO old_doc (id) VALUES ('a')})
{
	my $start = time();
	my ($ret, $out, $error) = $node->psql('postgres', "\\set VERBOSITY verbose\n$sql");

	like($error, qr/ERROR:  0A000: .*\n(?:DETAIL:.*\n?)*.*memcached buckets are not supported/, "$sql: a memcached bucket is refused");
	like($error, qr/HINT:  Use a bucket of type couchbase or ephemeral/, "$sql: the hint");
	cmp_ok(time() - $start, '<', 1.5, "$sql: at once");
}
is($node->safe_psql('postgres', q{SELECT DISTINCT step, detail, advice FROM cbconn_diag('old') WHERE NOT ok}),
	'cluster config|memcached buckets are not supported|Use a bucket of type couchbase or ephemeral.', 'cbconn_diag() tells of it, too');

# ---- a bucket that comes anew

# Rows by look-up and by scan, asked in a session that has asked before.
my $rows = q{SELECT count(*) FROM %1$s_doc WHERE id = ANY (ARRAY(SELECT 'doc-' || lpad(g::text, 8, '0') FROM generate_series(1, 500) g));
	SELECT count(*) FROM %1$s_doc};

sub same_session
{
	my ($session, $server) = @_;
	return $session->query_safe(sprintf($rows, $server));
}

# What a session does first with the new bucket: no look-up before it tells of the change.
my %firsts = (
	count => 'SELECT count(*) FROM %s_doc',
	cursor => 'BEGIN; DECLARE c CURSOR FOR SELECT id FROM %s_doc; MOVE ALL IN c; CLOSE c; COMMIT; SELECT 0',
	sorted => 'SELECT count(*) FROM (SELECT id FROM %s_doc ORDER BY id OFFSET 0) d',
	first => q{SELECT count(*) FROM (SELECT id FROM %s_doc WHERE id > 'a' ORDER BY id LIMIT 10) d});
my %scanning;

sub scans_first
{
	my ($name, $node, $server) = @_;

	foreach my $first (sort keys %firsts)
	{
		my $session = $scanning{"$name $first"} //= $node->background_psql('postgres', on_error_stop => 0);

		CbCluster::send_query($session, sprintf($firsts{$first}, $server));
		is(CbCluster::finish_query($session), '', "$name, $server: scans first: $first");
		is($session->query_safe("SELECT count(*) FROM ${server}_doc"), '0', "$name, $server: $first: and finds it empty");
	}
	return;
}

my %sessions = map { $_ => $nodes{$_}->background_psql('postgres', on_error_stop => 0) } keys %nodes;
my @ways = ([ 'alone', 'cb' ], [ 'alone', 'filed' ], [ 'shared', 'cb' ]);
is(same_session($sessions{ $_->[0] }, $_->[1]), "500\n500", "$_->[0], $_->[1]: before") foreach @ways;
is($nodes{ $_->[0] }->safe_psql('postgres', sprintf($rows, $_->[1])), "500\n500", "$_->[0], $_->[1]: before, from what is kept")
  foreach @ways;
foreach my $way (@ways)
{
	foreach my $first (sort keys %firsts)
	{
		my $session = $scanning{"$way->[0] $first"} //= $nodes{ $way->[0] }->background_psql('postgres', on_error_stop => 0);

		is($session->query_safe("SELECT count(*) FROM $way->[1]_doc"), '500', "$way->[0], $way->[1], $first: before");
	}
}

foreach my $vbuckets (64, 128, 1024)
{
	my $uuid = $cluster->control("recreate bucket=default vbuckets=$vbuckets")->{uuid};

	foreach my $way (@ways)
	{
		my $name = "$way->[0], $way->[1], anew with $vbuckets vBuckets";
		my $server = $way->[1];

		scans_first($way->[0], $nodes{ $way->[0] }, $server);
		is($nodes{ $way->[0] }->safe_psql('postgres', sprintf($rows, $server)), "0\n0", "$name: a fresh session finds it empty");
		is(same_session($sessions{ $way->[0] }, $server), "0\n0", "$name: so does one that was connected");
		$sessions{ $way->[0] }->query_safe("INSERT INTO ${server}_doc (id, name) SELECT 'doc-' || lpad(g::text, 8, '0'), 'new' FROM generate_series(1, 100) g");
		is($nodes{ $way->[0] }->safe_psql('postgres', sprintf($rows, $server)), "100\n100", "$name: what one writes the other reads");
		is($sessions{ $way->[0] }->query_safe("DELETE FROM ${server}_doc; SELECT count(*) FROM ${server}_doc"), '0', "$name: deleted");
	}
	like(slurp_file("$dir/config"), qr/^bucket-uuid $uuid$/m, "$vbuckets vBuckets: the file is of the new bucket");
}

# ---- a bucket that goes, and comes back by another hand

$cluster->control('drop-bucket bucket=default');
foreach my $way (@ways)
{
	foreach my $fresh (1, 0)
	{
		my $sql = "SELECT count(*) FROM $way->[1]_doc WHERE id = 'doc-00000001'";
		my $start = time();
		my $error;

		if ($fresh)
		{
			$nodes{ $way->[0] }->psql('postgres', "\\set VERBOSITY verbose\n$sql", stderr => \$error);
		}
		else
		{
			$sessions{ $way->[0] }->query_safe('\\set VERBOSITY verbose');
			CbCluster::send_query($sessions{ $way->[0] }, $sql);
			$error = CbCluster::finish_query($sessions{ $way->[0] });
		}
		like($error, qr/ERROR:  3D000: bucket "default" does not exist/, "$way->[0], $way->[1], fresh $fresh: the bucket is gone");
		cmp_ok(time() - $start, '<', 4, "$way->[0], $way->[1], fresh $fresh: in time");
	}
}

my $management = 'http://Administrator:password@' . $cluster->{ready}{management}[0] . '/pools/default/buckets';
my $http = HTTP::Tiny->new(timeout => 30);
my $answer = $http->post_form($management, { name => 'default', ramQuotaMB => 100, replicaNumber => 1 });
ok($answer->{success}, 'created by the management service') or diag($answer->{content});
$answer = $http->post_form("$management/default/scopes/_default/collections", { name => 'doc' });
ok($answer->{success}, 'and its collection') or diag($answer->{content});
is(same_session($sessions{ $_->[0] }, $_->[1]), "0\n0", "$_->[0], $_->[1]: there again") foreach @ways;
is($nodes{ $_->[0] }->safe_psql('postgres', sprintf($rows, $_->[1])), "0\n0", "$_->[0], $_->[1]: there again for a fresh session")
  foreach @ways;

# ---- warm-up

$node->safe_psql('postgres', q{INSERT INTO cb_doc (id, name) SELECT 'doc-' || lpad(g::text, 8, '0'), 'n' FROM generate_series(1, 500) g});
foreach my $state ('empty-map', 'warming', 'config-only')
{
	foreach my $way (@ways)
	{
		my $name = "$way->[0], $way->[1], $state";
		my $sql = sprintf($rows, $way->[1]);
		my $error;

		$cluster->control("warmup all bucket=default state=$state");
		$nodes{ $way->[0] }->psql('postgres', "\\set VERBOSITY verbose\n$sql", stderr => \$error);
		like($error, qr/ERROR:  57P03: /, "$name: not now, for a fresh session");
		CbCluster::send_query($sessions{ $way->[0] }, $sql);
		sleep(0.4);
		$cluster->control('warmup all bucket=default state=ready');
		is(CbCluster::finish_query($sessions{ $way->[0] }), '', "$name: a session that was connected waits for it");
		is(same_session($sessions{ $way->[0] }, $way->[1]), "500\n500", "$name: then all is there");
		is($nodes{ $way->[0] }->safe_psql('postgres', $sql), "500\n500", "$name: for a fresh session, too");
	}
}

# ---- a bucket that comes anew in the middle of a scan whose first rows were handed out

my $cursor = $sessions{alone};
$cursor->query_safe('\set VERBOSITY verbose');
foreach my $order ('', 'ORDER BY id')
{
	$cursor->query_safe(q{INSERT INTO cb_doc (id, name) SELECT 'new-' || g, repeat('n', 1000) FROM generate_series(1, 5000) g});
	$cursor->query_safe("BEGIN; DECLARE c CURSOR FOR SELECT id FROM cb_doc WHERE id > 'a' $order; FETCH 1 FROM c");
	$cluster->control('recreate bucket=default vbuckets=64');
	CbCluster::send_query($cursor, 'MOVE ALL IN c');
	like(CbCluster::finish_query($cursor), qr/ERROR:  40001: bucket "default" was created anew during a scan/, "in the middle of a scan $order");
	$cursor->query_safe('ROLLBACK');
}

$_->quit foreach values %sessions, values %scanning;
$_->stop foreach values %nodes;
done_testing();
