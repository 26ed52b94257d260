# One backend runs a long mix of look-ups, scans, joins, writes, bad queries, cancels, dropped connections and altered
# options; its memory, descriptors and memory contexts do not grow. CBCONN_GROWTH: how many statements (6,000).
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $statements = $ENV{CBCONN_GROWTH} || 6000;
my $per_round = 1000;
my $rounds = int($statements / $per_round);
# What is measured first: after things that are made once have been made.
my $warm = $rounds > 20 ? 10 : 2;

my $cluster = CbCluster->new('--config', "$ENV{CBCONN_TMP}/t/few_vbuckets.json", '--generate', 'default._default.doc=2000');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
# Statistics of other processes must not look like growth; JIT keeps code.
$node->append_conf('postgresql.conf', "jit = off\nautovacuum = off\nlogging_collector = on\nlog_min_messages = fatal\n");
$node->start;
$cluster->attach($node);
$node->safe_psql('postgres', q{
	CREATE FOREIGN TABLE wrong (id text OPTIONS (key 'true') COLLATE "C", name int) SERVER cb OPTIONS (collection 'doc');
	CREATE FOREIGN TABLE missing (id text OPTIONS (key 'true') COLLATE "C", name text) SERVER cb OPTIONS (collection 'nowhere');
	CREATE FOREIGN TABLE expiring (id text OPTIONS (key 'true') COLLATE "C", name text, n int, tags text[],
		expires timestamptz OPTIONS (meta 'expiry')) SERVER cb OPTIONS (collection 'doc');
	CREATE TABLE local AS SELECT 'doc-' || to_char(i * 7, 'FM00000000') AS id, i FROM generate_series(1, 280) i;
	ANALYZE cb_doc, local;
});

# The statements of a round: [ how many in a thousand, what makes one of a number ].
my $key = sub { sprintf("'doc-%08d'", $_[0] % 2000) };
my @mix = (
	[ 400, sub { 'EXECUTE look(' . $key->($_[0] * 7919) . ')' } ],
	[ 60, sub { 'SELECT doc FROM cb_doc WHERE id = ' . $key->($_[0] * 31) } ],
	[ 60, sub { "EXECUTE many(ARRAY['none', " . join(', ', map { $key->($_[0] * 13 + $_) } 1 .. 20) . '])' } ],
	[ 40, sub { "SELECT name FROM cb_doc WHERE id LIKE 'doc-000000" . ($_[0] % 10) . "%' ORDER BY id LIMIT 5" } ],
	[ 2, sub { 'SELECT count(doc), count(name) FROM (SELECT doc, name FROM cb_doc OFFSET 0) s' } ],
	[ 20, sub { 'SELECT count(name) FROM local l JOIN cb_doc d ON d.id = l.id WHERE l.i < ' . $_[0] % 30 } ],
	[ 80, sub { "INSERT INTO expiring (id, name, n, tags, expires) VALUES ('g-" . $_[0] % 50 . "', 'x', 1, '{a,b}', now() + interval '1 h') ON CONFLICT DO NOTHING" } ],
	[ 80, sub { "UPDATE expiring SET name = 'changed', n = $_[0], tags = NULL WHERE id = 'g-" . $_[0] % 50 . q{'} } ],
	[ 60, sub { "DELETE FROM expiring WHERE id = 'g-" . $_[0] % 50 . "' RETURNING name" } ],
	[ 10, sub { "INSERT INTO cb_doc (id, name) SELECT 'bulk-' || i, repeat('y', i) FROM generate_series(1, 40) i ON CONFLICT DO NOTHING" } ],
	[ 10, sub { "DELETE FROM cb_doc WHERE id = ANY (ARRAY(SELECT 'bulk-' || i FROM generate_series(1, 40) i))" } ],
	# in transactions that fail, in savepoints, in cursors that end early
	[ 20, sub { "BEGIN; DECLARE c CURSOR FOR SELECT doc FROM cb_doc; FETCH 3 FROM c; COMMIT" } ],
	[ 10, sub { "BEGIN; SAVEPOINT s; UPDATE expiring SET n = 0 WHERE id = 'g-1'; ROLLBACK TO s; SELECT name FROM cb_doc LIMIT 2; ROLLBACK" } ],
	[ 10, sub { "BEGIN; SELECT name FROM cb_doc WHERE id = " . $key->($_[0]) . '; SELECT 1/0; COMMIT' } ],
	# errors of every layer
	[ 20, sub { 'SELECT name FROM wrong WHERE id = ' . $key->($_[0]) } ],
	[ 5, sub { 'SELECT count(name) FROM wrong' } ],
	[ 10, sub { "SELECT * FROM missing WHERE id = 'x'" } ],
	[ 10, sub { 'INSERT INTO cb_doc (id, name) VALUES (' . $key->($_[0]) . q{, 'twice')} } ],
	[ 10, sub { q{SELECT no_column FROM cb_doc WHERE id = 'x'} } ],
	[ 10, sub { q{INSERT INTO cb_doc (id, name) VALUES (repeat('k', 300), 'long key')} } ],
	[ 10, sub { q{SELECT * FROM cbconn_parse('couchbase://host/?nonsense=} . $_[0] . q{')} } ],
	[ 5, sub { q{CREATE SERVER bad FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'ftp://x', bucket 'b')} } ],
	# cancels: within scans, within waits for writes
	[ 20, sub { 'BEGIN; SET LOCAL statement_timeout = ' . (1 + $_[0] % 6) . '; SELECT count(doc), count(pg_sleep(0.001)) FROM cb_doc; ROLLBACK' } ],
	[ 5, sub { 'BEGIN; SET LOCAL statement_timeout = ' . (1 + $_[0] % 4) . "; INSERT INTO cb_doc (id, name) SELECT 'slow-' || i, repeat('z', 2000) FROM generate_series(1, 5000) i; ROLLBACK" } ],
	# what ends connections and mappings
	[ 3, sub { 'SELECT cbconn_disconnect_all()' } ],
	[ 3, sub { q{ALTER SERVER cb OPTIONS (SET bucket 'default')} } ],
	[ 3, sub { q{ALTER FOREIGN TABLE cb_doc OPTIONS (SET collection 'doc')} } ],
	[ 5, sub { q{SELECT * FROM cbconn_ping('cb')} } ],
	[ 2, sub { q{SELECT * FROM cbconn_diag('cb')} } ],
	[ 10, sub { 'SELECT * FROM cbconn_get_connections(), cbconn_options() LIMIT 5' } ],
	[ 7, sub { 'EXPLAIN (ANALYZE) SELECT name FROM cb_doc WHERE id = ' . $key->($_[0]) } ]);
my $sum = 0;
$sum += $_->[0] foreach @mix;
is($sum, $per_round, 'the mix is of a thousand');

# A round in an order that a fixed seed shuffles.
srand(5);
sub round_of
{
	my ($round) = @_;
	my @list = map { my ($n, $make) = @$_; map { $make->($round * 37 + $_) } 1 .. $n } @mix;

	foreach my $i (reverse 1 .. $#list)
	{
		my $j = int(rand($i + 1));
		@list[ $i, $j ] = @list[ $j, $i ];
	}
	return @list;
}

my $out = "$PostgreSQL::Test::Utils::tmp_check/growth.out";
my $err = "$PostgreSQL::Test::Utils::tmp_check/growth.err";
append_to_file($_, '') foreach $out, $err;
my $connection = $node->connstr('postgres');
open(my $psql, '|-', "exec psql -XqAt -d \"$connection\" >$out 2>$err") or die "psql: $!";
$psql->autoflush(1);

# Runs statements, what they give being thrown away, then measures: the backend looks at itself.
my $measured = 0;

sub run
{
	print $psql "\\o /dev/null\n", (map { "$_;\n" } @_), "\\o\n", q{
		SELECT concat_ws(' ', 'measured', substring(pg_read_file('/proc/self/smaps_rollup') FROM 'Rss: +(\d+)'),
			substring(pg_read_file('/proc/self/smaps_rollup') FROM 'Pss_Anon: +(\d+)'),
			(SELECT count(*) FROM pg_ls_dir('/proc/self/fd')),
			sum(total_bytes), count(*)) FROM pg_backend_memory_contexts WHERE name <> 'ErrorContext';}, "\n";
	$measured++;
	my $end = time() + 120;
	for (;;)
	{
		my @lines = grep { /^measured .* \d+$/ } split /^/, slurp_file($out);

		if (@lines >= $measured)
		{
			my %now;

			@now{qw(resident private descriptors bytes contexts)} = (split ' ', $lines[$measured - 1])[ 1 .. 5 ];
			return \%now;
		}
		die 'the backend does not go on: ' . substr(slurp_file($err), -1000) if time() > $end;
		sleep(0.05);
	}
}

run('PREPARE look(text) AS SELECT name FROM cb_doc WHERE id = $1', 'PREPARE many(text[]) AS SELECT doc FROM cb_doc WHERE id = ANY ($1)');
my ($first, $last);
foreach my $round (1 .. $rounds)
{
	my $now = run(round_of($round));

	$cluster->control('fault ' . $round % 2 . ' kind=close count=1') if $round % 3 == 0;
	note("round $round: " . join(' ', map { "$_ $now->{$_}" } sort keys %$now)) if $round % 10 == 0 || $rounds < 20;
	$first = $now if $round == $warm;
	$last = $now;
}
close($psql);
my $errors = slurp_file($err);

foreach my $state (qw(HV 23505 42703 22012 57014))
{
	my %text = (HV => qr/cannot convert|wrong type|type/, 23505 => qr/already exists/, 42703 => qr/no_column/, 22012 => qr/division by zero/,
		57014 => qr/statement timeout/);

	like($errors, $text{$state}, "errors of kind $state came about");
}
unlike($errors, qr/server closed the connection|out of memory/, 'one backend ran everything');

# How much: by noise of the allocator, whatever the number of statements.
my %allowed = (resident => 3072, private => 3072, descriptors => 2, bytes => 1024 * 1024, contexts => 20);
foreach my $what (sort keys %allowed)
{
	my $growth = $last->{$what} - $first->{$what};

	cmp_ok($growth, '<=', $allowed{$what}, "$what: $first->{$what}, after " . ($rounds - $warm) * $per_round . " statements $last->{$what}");
}
$node->stop;
done_testing();
