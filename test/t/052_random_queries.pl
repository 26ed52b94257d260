# Random conditions over awkward documents: with everything sent to the query service, with nothing sent, and over a
# copy of the table, the same rows come. CBCONN_RANDOM_SEED and CBCONN_RANDOM_QUERIES choose others, and how many.
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{CBCONN_RANDOM_SEED} // 20261123;
my $queries = $ENV{CBCONN_RANDOM_QUERIES} // 300;
my $root = $ENV{CBCONN_ROOT};

my $cluster = CbCluster->new('--nodes', 2, '--load', "query.app.nasty=$root/test/data/regress/query.app.nasty.jsonl");
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$ENV{CB_CONNECTION_STRING} = $cluster->connection_string;
$ENV{CB_USER} = 'Administrator';
$ENV{CB_PASSWORD} = 'password';
srand($seed);

sub one { return $_[ rand @_ ]; }

my %columns = (
	text => [qw(ct dt s deep gt dotted cw cv id cname)],
	int => [qw(ci c4 c2 di d4 n g k quoted)],
	float => [qw(cf df)],
	numeric => [qw(cn dn)],
	bool => [qw(cb db)],
	array => [qw(at ai)]);
my %constants = (
	text => [ "''", "'a'", "'A'", "'ab c'", "'a%c'", "'5'", "'ä'", "'😀'", "'~'", q{'\\'}, q{'"'}, "'n100'", "'1970-01-01'", "'alpha'" ],
	int => [ qw(0 1 -1 2 5 100 9007199254740992 9007199254740993 9223372036854775807 -9007199254740993 2147483648 4503599627370497 (-9223372036854775808)) ],
	float => [ map { "'$_'::float8" } qw(0 -0 1.5 -2.5 0.1 9007199254740992 1e300 -1e300 5e-324 NaN Infinity -Infinity) ],
	numeric => [ qw(0.0 1.5 0.1 9007199254740993.0 1e300 12345678901234567890123 1.00000000000000000001) ],
	bool => [qw(true false)],
	json => [ "'c'", "'o'", "'n'", "'odd name'", "'a'", "'none'" ]);
my @compare = ('=', '<>', '<', '<=', '>', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM');

sub column { return one(@{ $columns{ $_[0] } }); }
sub constant { return one(@{ $constants{ $_[0] } }); }

sub text_value
{
	my $column = column('text');
	$column = one(qw(ct dt s gt)) if rand() < 0.5;
	return one($column, "substr($column, " . (1 + int rand 3) . ')', "left($column, 2)", "btrim($column)", "replace($column, 'a', 'bb')",
		"lpad($column, 3, 'x')", "($column || " . column('text') . ')', "coalesce($column, 'z')", "nullif($column, 'a')",
		"CASE WHEN n < 100 THEN $column ELSE 'q' END", "lower($column)", "greatest(${column}::text, s)");
}

sub int_value
{
	return one(column('int'), 'length(' . column('text') . ')', "strpos(ct, 'a')", '(c2 + 5)', '(n * 3)', '(n / 7)', '(c2 % 3)', 'abs(c2)',
		'coalesce(ci, di)', 'greatest(ci, n)', '(n & 12)', 'octet_length(s)', 'CASE WHEN cb THEN 1 WHEN ct IS NULL THEN n END');
}

sub leaf
{
	my $kind = one(qw(text text text int int int float numeric bool null in like array json between row));
	my $type = one(qw(text int float bool numeric));

	return join(' ', column('text'), one(@compare), constant('text')) if $kind eq 'text' && rand() < 0.5;
	return join(' ', text_value(), one(@compare), rand() < 0.7 ? constant('text') : text_value()) if $kind eq 'text';
	return join(' ', column('int'), one(@compare), constant('int')) if $kind eq 'int' && rand() < 0.5;
	return join(' ', int_value(), one(@compare), rand() < 0.7 ? constant('int') : int_value()) if $kind eq 'int';
	return join(' ', one(column('float'), 'cf + 1', 'floor(df)', 'abs(cf)'), one(@compare), rand() < 0.7 ? constant('float') : column('float'))
	  if $kind eq 'float';
	return join(' ', column('numeric'), one(@compare), rand() < 0.8 ? constant('numeric') : column('numeric')) if $kind eq 'numeric';
	return one(column('bool'), column('bool') . ' ' . one(@compare) . ' ' . constant('bool')) if $kind eq 'bool';
	return column(one(keys %columns)) . one(' IS NULL', ' IS NOT NULL') if $kind eq 'null';
	return column($type) . one(' IN ', ' NOT IN ') . '(' . join(', ', map { constant($type) } 0 .. rand 3) . (rand() < 0.1 ? ', NULL)' : ')')
	  if $kind eq 'in';
	return one(qw(ct s dt id)) . one(' LIKE ', ' NOT LIKE ') . one("'a%'", "'%a%'", "'a_%'", "'_'", "'%'", "''", "'n1%'", q{'%\\%%'}, "'ab c'") if $kind eq 'like';
	return one("'a' = ANY (at)", "at \@> '{a}'", "ai && '{1,2}'", "at <\@ '{a,b}'", '1 = ANY (ai)') if $kind eq 'array';
	return one('doc->>' . constant('json') . one(" = 'a'", " = '1'", " < 'b' COLLATE \"C\"", ' IS NULL', ' IS NOT NULL'), 'doc ? ' . constant('json'),
		"doc \@> '{\"c\": 1}'", "oj->>'k' = '1'", "doc->'o'->'k' IS NULL") if $kind eq 'json';
	return 'ci BETWEEN ' . constant('int') . ' AND ' . constant('int') if $kind eq 'between';
	return '(ct, n) ' . one('<', '<=', '>', '>=') . ' (' . constant('text') . ', ' . int(rand 280) . ')';
}

sub condition
{
	my ($depth) = @_;
	my $kind = rand();

	return leaf() if $depth == 0 || $kind < 0.25;
	return 'NOT (' . condition($depth - 1) . ')' if $kind < 0.4;
	return '(' . condition($depth - 1) . ') ' . one('IS TRUE', 'IS NOT TRUE', 'IS FALSE', 'IS NOT FALSE', 'IS UNKNOWN', 'IS NOT UNKNOWN')
	  if $kind < 0.47;
	return '(' . join(one(' AND ', ' OR '), condition($depth - 1), condition($depth - 1)) . ')';
}

my $script = PostgreSQL::Test::Utils::tempdir() . '/queries.sql';
my @conditions = map { condition(int rand 4) } 1 .. $queries;
append_to_file($script, "CREATE EXTENSION cbconn_fdw;\n\\i $root/test/sql/query_setup.sql\n\\pset tuples_only on\n\\pset format unaligned\n\\echo begin\n"
	. join('', map { "SELECT checked, n, verdict FROM where_three_ways(\$c\$$_\$c\$);\n" } @conditions));
my ($stdout, $stderr) = run_command([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', $script ]);
$stdout =~ s/.*?begin\n//s;
my @answers = grep { /^(here|both|remotely)\|/ } split /\n/, $stdout;
my %count;

is($stderr, '', 'no condition fails');
is(scalar @answers, $queries, 'all have an answer');
for my $i (0 .. $#answers)
{
	my ($checked, $n, $verdict) = split /\|/, $answers[$i], 3;

	$count{$checked}++;
	$count{rows} += $n;
	next if $verdict eq 'same' || ($n == 0 && $verdict eq '');
	fail("seed $seed, query $i: $conditions[$i]");
	diag($answers[$i]);
}
note(join(', ', map { "$_: $count{$_}" } sort keys %count));
cmp_ok($count{remotely} // 0, '>', $queries / 5, 'many are checked by the query service alone');
cmp_ok($count{rows} // 0, '>', $queries * 10, 'they find something');

done_testing();
