# config_cache: a fresh backend with a kept configuration needs fewer round trips; whatever stands in the file, or in
# its place, queries give the right rows.
use strict;
use warnings;

use CbCluster;
use Compress::Zlib qw(crc32);
use Cwd qw(abs_path);
use IO::Socket::INET;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $dir = abs_path(PostgreSQL::Test::Utils::tempdir());

# The same cluster again and again: ports that stay, one bucket of this many vBuckets.
sub start_cluster
{
	my ($vbuckets, @ports) = @_;
	my $config = "$dir/cluster$vbuckets.json";
	my @buckets = map { { name => $_, vbuckets => $vbuckets } } 'default', 'other';

	append_to_file($config, encode_json({
		nodes => @ports ? [ map { { kv_port => $_ + 0 } } @ports ] : 2,
		buckets => \@buckets,
		users => [ { name => 'Administrator', password => 'password', roles => ['admin'] } ] })) unless -e $config;
	return CbCluster->new('--config', $config, '--generate', 'default._default.doc=200',
		'--generate', 'other._default.doc=3');
}

my $cluster = start_cluster(1024);
my @ports = map { $cluster->kv($_) =~ /:(\d+)$/ } 0, 1;
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "max_connections = 130\nlog_min_messages = debug1\n");
$node->start;

my $cache = "$dir/cache";
my $seed = 'couchbase://' . $cluster->kv(0);
$cluster->attach($node, server => 'none', connection_string => $seed);
$cluster->attach($node, connection_string => $seed, options => "?config_cache=$cache");
$cluster->attach($node, server => 'ro', connection_string => $seed, options => "?config_cache_ro=$cache");
$node->safe_psql('postgres', "ANALYZE ${_}_doc") foreach 'none', 'cb', 'ro';

# One counter of a look-up in a backend of its own.
sub cost
{
	my ($table, $key, $counter) = @_;
	my $plan = $node->safe_psql('postgres',
		"EXPLAIN (ANALYZE, COSTS OFF) SELECT name FROM ${table} WHERE id = '$key'");

	return $plan =~ /$counter: (\d+)/ ? $1 : die "no counter $counter in $plan";
}

# Rows by look-up, on all nodes, and by scan; what the server's log said about it.
sub works
{
	my ($name, $server) = @_;
	my $offset = -s $node->logfile;
	my $start = time();
	my $rows = $node->safe_psql('postgres', qq{
		SELECT count(*) FROM ${server}_doc WHERE id = ANY (
			ARRAY(SELECT 'doc-' || lpad(g::text, 8, '0') FROM generate_series(1, 200) g));
		SELECT count(*), count(DISTINCT id) FROM ${server}_doc;});

	is($rows, "200\n200|200", "$name: the rows are right");
	cmp_ok(time() - $start, '<', 5, "$name: in time");
	return slurp_file($node->logfile, $offset);
}

# The parts of a kept configuration, or nothing if it is not a whole one.
sub parse
{
	my ($data) = @_;
	my ($header, $sum, $text) = $data =~ /\A(.*\n)checksum ([0-9a-f]{8})\n\n(.*)\z/s or return;

	return if $sum ne sprintf('%08x', crc32($header . $text));
	return if $header !~ /^length (\d+)$/m || $1 != length($text);
	return { header => $header, text => $text, config => eval { decode_json($text) } };
}

sub compose
{
	my ($header, $text) = @_;
	my $length = length $text;

	$header =~ s/^length \d+$/length $length/m;
	return $header . sprintf("checksum %08x\n\n", crc32($header . $text)) . $text;
}

sub put
{
	my ($data, $mode) = @_;

	unlink $cache;
	append_to_file($cache, $data);
	chmod($mode // 0600, $cache);
	return;
}

# ---- round trips

# How often the wire changed direction, as the nodes count it, TCP's own round trip left out.
sub flights
{
	my $sum = 0;

	$sum += $_->{flights} foreach @{ $cluster->control('status')->{nodes} };
	return $sum;
}

my (@near, @far);
foreach my $i (1 .. 20)
{
	my $key = sprintf('doc-%08d', $i);

	push @{ cost('none_doc', $key, 'Connections Opened') == 1 ? \@near : \@far }, $key;
}
unlink $cache;
my %trips;
$trips{'none, seed'} = cost('none_doc', $near[0], 'Round Trips');
$trips{'none, other'} = cost('none_doc', $far[0], 'Round Trips');
cost('cb_doc', $far[0], 'Round Trips');
ok(-s $cache, 'the first backend leaves a file');
$trips{'file, seed'} = cost('cb_doc', $near[0], 'Round Trips');
$trips{'file, other'} = cost('cb_doc', $far[0], 'Round Trips');
my $before = flights();
cost('none_doc', $far[0], 'Round Trips');
is(flights() - $before, 5, 'on the wire, without a cache: two for SCRAM, twice, and the look-up');
$before = flights();
cost('cb_doc', $far[0], 'Round Trips');
is(flights() - $before, 3, 'on the wire, with a cache: two for SCRAM, and the look-up');
note("round trips to the first row: $_: $trips{$_}") foreach sort keys %trips;
is($trips{'none, other'}, 7, 'without a cache: TCP, two for SCRAM, twice, and the look-up');
is($trips{'file, other'}, 4, 'with a cache: TCP, two for SCRAM, and the look-up');
is($trips{'file, seed'}, 4, 'the same on the other node');
is(cost('cb_doc', $far[0], 'Connections Opened'), 1, 'one connection, to the node that has the key');

# ---- the file

my $good = slurp_file($cache);
my $parts = parse($good);
ok($parts && $parts->{config}, 'the file is whole and holds JSON');
like($parts->{header}, qr/\Acbconn_fdw cluster configuration, format 1\n/, 'it says what it is');
is((stat $cache)[2] & 07777, 0600, 'it is private');
is_deeply([ glob "$cache.*" ], [], 'no temporary file is left');
my $inode = (stat $cache)[1];
works('unchanged', 'cb');
is((stat $cache)[1], $inode, 'it is not written again without need');
$cluster->control('revision');
works('new revision', 'cb');
is(parse(slurp_file($cache))->{config}{rev}, $parts->{config}{rev} + 1, 'a newer configuration replaces it');
$good = slurp_file($cache);
$parts = parse($good);

# ---- bad files: replaced where they were ours, left alone where not

my $dead = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1');
my $dead_port = $dead->sockport;
close($dead);
my $silent = IO::Socket::INET->new(Listen => 50, LocalAddr => '127.0.0.1');
my $silent_port = $silent->sockport;

(my $one_dead = $parts->{text}) =~ s/\b$ports[1]\b/$dead_port/g;
(my $all_dead = $one_dead) =~ s/\b$ports[0]\b/$dead_port/g;
(my $all_silent = $parts->{text}) =~ s/\b(?:$ports[0]|$ports[1])\b/$silent_port/g;
my $few = JSON::PP->new->decode($parts->{text});
splice @{ $few->{vBucketServerMap}{vBucketMap} }, 64;
my $old = $parts->{text} =~ s/"rev":\d+/"rev":1/r;
my $new = $parts->{text} =~ s/"rev":\d+/"rev":999999/r;
my $flipped = $good;
substr($flipped, -100, 1) ^= "\x01";

# The header of the good file with other values.
sub header
{
	my (%change) = @_;
	my $header = $parts->{header};

	$header =~ s/^$_ .*/$_ $change{$_}/m foreach keys %change;
	return $header;
}

# name, contents, mode, what the log says, whether it is replaced
my @bad = (
	[ 'empty', '', 0600, qr/is ignored: it is empty/, 1 ],
	[ 'few bytes', substr($good, 0, 20), 0600, qr/is ignored: it is cut off/, 1 ],
	[ 'half a header', substr($good, 0, 120), 0600, qr/is ignored: its header is damaged or cut off/, 1 ],
	[ 'half written', substr($good, 0, length($good) / 2), 0600, qr/is ignored: it has \d+ bytes of text, not \d+/, 1 ],
	[ 'one bit changed', $flipped, 0600, qr/is ignored: its checksum is wrong/, 1 ],
	[ 'another format', $good =~ s/format 1/format 2/r, 0600, qr/is ignored: it has another format/, 1 ],
	[ 'no JSON', compose($parts->{header}, '{"rev":'), 0600, qr/is ignored: /, 1 ],
	[ 'no configuration', compose($parts->{header}, '[]'), 0600, qr/is ignored: /, 1 ],
	[ 'header of another text', compose($parts->{header}, $old), 0600, qr/is ignored: its text is not what its header says/,
		1 ],
	[ 'writable by all', $good, 0622, qr/is ignored: others may write to it/, 1 ],
	[ 'of other hosts', compose($parts->{header} =~ s/^server .*/server 00/mr, $parts->{text}), 0600,
		qr/is ignored: it was written for other hosts/, 1 ],
	[ 'of another bucket', compose($parts->{header} =~ s/^bucket .*/bucket x/mr, $parts->{text}), 0600,
		qr/is ignored: it is of another bucket/, 0 ],
	[ 'not ours', "listen_addresses = '*'\n", 0600, qr/is ignored: it is not a configuration cache/, 0 ],
	[ 'unreadable', $good, 0000, qr/is ignored: Permission denied/, 0 ],
	[ 'stale', compose($parts->{header} =~ s/^revision .*/revision 1/mr, $old), 0600, qr/kept in a file/, 1 ],
	[ 'of a revision to come', compose(header(revision => 999999, written => int(time()) + 50), $new), 0600,
		qr/kept in a file/, 0 ],
	[ 'of a revision that never came', compose(header(revision => 999999, written => int(time()) - 100), $new), 0600,
		qr/kept in a file/, 1 ],
	[ 'too old', compose(header(written => int(time()) - 31 * 86400), $parts->{text}), 0600,
		qr/is ignored: it is too old/, 1 ],
	[ 'of the future', compose(header(written => int(time()) + 3600), $parts->{text}), 0600,
		qr/is ignored: it was written in the future/, 1 ],
	[ 'one node dead', compose($parts->{header}, $one_dead), 0600, qr/kept in a file/, 0 ],
	[ 'all nodes dead', compose($parts->{header}, $all_dead), 0600, qr/no node has confirmed/, 0 ],
	[ 'all nodes silent', compose($parts->{header}, $all_silent), 0600, qr/no node has confirmed/, 0 ],
	[ 'too few vBuckets', compose($parts->{header}, encode_json($few)), 0600, qr/kept in a file/, 1 ]);

foreach my $case (@bad)
{
	my ($name, $data, $mode, $log, $replaced) = @$case;

	put($data, $mode);
	like(works($name, 'ro'), $log, "$name, read only: the log says so");
	chmod(0600, $cache);
	is(slurp_file($cache), $data, "$name, read only: it is left alone");

	chmod($mode, $cache);
	like(works($name, 'cb'), $log, "$name: the log says so");
	chmod(0600, $cache) unless $replaced;
	if ($replaced)
	{
		ok(parse(slurp_file($cache)), "$name: it is replaced by a whole one");
		is((stat $cache)[2] & 07777, 0600, "$name: the new one is private");
	}
	is(slurp_file($cache), $data, "$name: it is left alone") unless $replaced;
}

# ---- things that are no files

unlink $cache;
append_to_file("$dir/target", $good);
symlink("$dir/target", $cache);
like(works('symbolic link', 'cb'), qr/is ignored: it is a symbolic link/, 'symbolic link: the log says so');
ok(-l $cache && slurp_file("$dir/target") eq $good, 'symbolic link: link and target are left alone');
unlink $cache;
mkdir $cache;
like(works('folder', 'cb'), qr/is ignored: it is not a regular file/, 'folder: the log says so');
rmdir $cache;
system('mkfifo', $cache);
like(works('fifo', 'cb'), qr/is ignored: it is not a regular file/, 'fifo: the log says so, and nobody waits for it');
unlink $cache;
works('nothing, read only', 'ro');
ok(!-e $cache, 'config_cache_ro writes nothing');

$cluster->attach($node, server => 'root', connection_string => $seed, options => '?config_cache=/etc/passwd');
like(works('of another user', 'root'), qr/is ignored: it belongs to another user/, 'of another user: the log says so');
$cluster->attach($node, server => 'nodir', connection_string => $seed, options => "?config_cache=$dir/none/cache");
like(works('no such folder', 'nodir'), qr/cannot be written: No such file or directory/, 'no such folder: the log says so');

# ---- a folder

mkdir "$dir/folder";
$cluster->attach($node, server => 'folder', connection_string => $seed, options => "?config_cache=$dir/folder/");
$cluster->attach($node, server => 'folder2', connection_string => $seed, options => "?config_cache=$dir/folder/",
	bucket => 'other');
works('folder', 'folder');
is($node->safe_psql('postgres', 'SELECT count(*) FROM folder2_doc'), '3', 'folder: another bucket');
my @files = glob "$dir/folder/*";
is(scalar(@files), 2, 'folder: a file for each bucket');
like(works('folder, again', 'folder'), qr/kept in a file/, 'folder: it is read');
ok(parse(slurp_file($_)), "$_ is whole") foreach @files;

# ---- many writers

my $script = "$dir/script.sql";
append_to_file($script, "SELECT count(*) FROM cb_doc WHERE id = 'doc-00000001';\n");
foreach my $round (1 .. 3)
{
	my $child;
	my $broken = 0;

	unlink $cache;
	$child = fork() // die "fork: $!";
	if ($child == 0)
	{
		exec('pgbench', '-n', '-c', '100', '-j', '2', '-t', '2', '-C', '-f', $script, '-h', $node->host, '-p', $node->port,
			'postgres') or die "exec: $!";
	}
	while (waitpid($child, 1) == 0)
	{
		my $data = -e $cache ? slurp_file($cache) : next;

		$broken++ unless parse($data);
	}
	is($?, 0, "round $round: a hundred backends at once");
	is($broken, 0, "round $round: no reader saw half a file");
	ok(parse(slurp_file($cache)), "round $round: one whole file");
	is_deeply([ glob "$cache.*" ], [], "round $round: nothing else");
	$cluster->control('revision');
}

# ---- another cluster at the same addresses

put(slurp_file($cache));
undef $cluster;
$cluster = start_cluster(64, @ports);
like(works('another cluster', 'cb'), qr/kept in a file/, 'the configuration of a cluster that is gone is read');
my $config = parse(slurp_file($cache))->{config};
is(scalar(@{ $config->{vBucketServerMap}{vBucketMap} }), 64, 'and replaced, though its revision was higher');
works('another cluster, again', 'cb');

# ---- options

foreach my $case (
	[ 'config_cache=cache', qr/"config_cache" must be an absolute path/ ],
	[ 'config_cache_ro=../cache', qr/"config_cache_ro" must be an absolute path/ ],
	[ 'config_cache=/a&config_cache_ro=/a', qr/exclude each other/ ])
{
	my ($ret, $out, $error) = $node->psql('postgres',
		"CREATE SERVER bad FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbase://h?$case->[0]')");

	like($error, $case->[1], "$case->[0] is refused");
}

# ---- names of buckets name files

my $long = 'b' x 101;
foreach my $name ('..%2Fescaped', '%2Fetc%2Fescaped', 'a%2Fb', '..', '.hidden', 'a%00b', 'a%0Ab', '%C3%A4', 'a%20b', $long)
{
	my ($ret, $out, $error) = $node->psql('postgres', 'CREATE SERVER bad FOREIGN DATA WRAPPER cbconn_fdw OPTIONS' .
		" (connection_string 'couchbase://h/$name?config_cache=$dir/folder/')");

	like($error, qr/ERROR:  .*(?:bucket|zero byte)/, "bucket \"$name\" of the connection string is refused");
}
foreach my $name ('../escaped', '/etc/escaped', '..', '.', "a\nb", "a\x01b", 'a b', $long)
{
	foreach my $how ('ALTER SERVER folder OPTIONS (SET bucket %s)', q{SELECT * FROM cbconn_ping('folder', %s)},
		'CREATE FOREIGN TABLE escape (id text) SERVER folder OPTIONS (bucket %s)')
	{
		my ($ret, $out, $error) = $node->psql('postgres', sprintf($how, "'$name'"));

		like($error, qr/ERROR:  invalid value for option "bucket"/, sprintf($how, "'$name' is refused"));
	}
}
$node->stop;
done_testing();
