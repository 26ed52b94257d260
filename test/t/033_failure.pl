# A statement that cannot connect tries once, not again and again: planning, execution, several tables.
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $cluster = CbCluster->new('--nodes', 2, '--generate', 'default._default.doc=200');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

# Connections that the nodes have accepted so far.
sub accepted
{
	my $sum = 0;

	$sum += $_->{accepted} foreach @{ $cluster->control('status')->{nodes} };
	return $sum;
}

# ---- one attempt for each statement of a fresh backend

my $seed = 'couchbase://' . $cluster->kv(0);
$cluster->attach($node, server => 'intruder', connection_string => $seed, password => 'wrong');
my $refused = qr/^psql:<stdin>:1: ERROR:  password authentication failed for user "Administrator" on server "intruder"\nDETAIL:  Node [0-9.:]+, step: SASL authentication\. Cause: [^\n]*$/;

sub attempts
{
	my ($sql) = @_;
	my $before = accepted();

	$node->psql('postgres', $sql, on_error_stop => 0);
	return accepted() - $before;
}

sub error_of
{
	my ($sql) = @_;
	my ($status, $out, $error) = $node->psql('postgres', $sql);

	return $error;
}

is(attempts('SELECT * FROM intruder_doc'), 1, 'planning and execution share an attempt');
like(error_of('SELECT * FROM intruder_doc'), $refused, 'the error is that of the attempt');
is(attempts('SELECT * FROM intruder_doc a JOIN intruder_doc b USING (name)'), 1, 'so do two tables');
is(attempts(q{SELECT * FROM intruder_doc WHERE name = 'x' ORDER BY name LIMIT 1}), 1, 'so does a query that SQL++ could answer');
is(attempts("EXPLAIN SELECT * FROM intruder_doc; SELECT * FROM intruder_doc"), 2, 'two statements try twice');
is(attempts("SELECT * FROM intruder_doc WHERE id = 'x'"), 1, 'a look-up, which needs no count');
is(attempts(q{DO $$ BEGIN FOR i IN 1 .. 3 LOOP BEGIN PERFORM * FROM intruder_doc; EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$}),
	3, 'a function that catches the error tries again');
is(attempts(q{BEGIN; SAVEPOINT s; SELECT * FROM intruder_doc; ROLLBACK TO s; SELECT * FROM intruder_doc}), 2,
	'the next statement of a transaction, too');
like(error_of(q{DO $$ BEGIN PERFORM * FROM intruder_doc; END $$}),
	qr/password authentication failed.*CONTEXT:  SQL statement "SELECT \* FROM intruder_doc"\nPL\/pgSQL function/s, 'with its own context');

my $silent = CbCluster::listener(sub { });
$cluster->attach($node, server => 'silent', connection_string => "couchbase://$silent", options => '?bootstrap_timeout=1s&config_node_timeout=1s');
my $start = time();
like(error_of('SELECT count(*) FROM silent_doc'), qr/could not connect to server "silent"/, 'a silent host');
cmp_ok(time() - $start, '<', 1.9, 'is waited for once');

# once it is right, it works
$node->safe_psql('postgres', q{ALTER USER MAPPING FOR CURRENT_USER SERVER intruder OPTIONS (SET password 'password')});
is($node->safe_psql('postgres', 'SELECT count(*) FROM intruder_doc'), '200', 'with the right password');

$node->stop;
done_testing();
