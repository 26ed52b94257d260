# Two sessions race on one document: a change is never lost, whoever comes second is told so (40001) and tries again.
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $cluster = CbCluster->new('--nodes', 2, '--generate', 'default._default.doc=1');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$cluster->attach($node);
$node->safe_psql('postgres', q{
	ALTER FOREIGN TABLE cb_doc ADD COLUMN n int, ADD COLUMN deep int OPTIONS (path 'a.b.n'), ADD COLUMN m int;
	INSERT INTO cb_doc (id, n, deep) VALUES ('counter', 0, 0), ('removed', 0, 0)});

# Every statement is sent again as often as it meets a concurrent change.
sub race
{
	my ($name, $sql, $transactions) = @_;
	my $script = PostgreSQL::Test::Utils::tempdir() . "/$name.sql";

	append_to_file($script, $sql);
	my ($stdout, $stderr) = run_command(
		[ 'pgbench', '-n', '-c', '2', '-j', '2', '-t', $transactions, '--max-tries', '100000', '-f', $script,
			$node->connstr('postgres') ]);
	like($stdout, qr/number of failed transactions: 0 /, "$name: no statement fails for good") or diag($stderr);
	my ($retried) = $stdout =~ /number of transactions retried: (\d+)/;
	cmp_ok($retried, '>', 0, "$name: they do get into each other's way");
	return;
}

race('field', q{UPDATE cb_doc SET n = n + 1 WHERE id = 'counter'}, 1000);
is($node->safe_psql('postgres', q{SELECT n FROM cb_doc WHERE id = 'counter'}), 2000, 'field: none is lost');
race('nested', q{UPDATE cb_doc SET deep = deep + 1, m = deep WHERE id = 'counter'}, 300);
is($node->safe_psql('postgres', q{SELECT deep, n FROM cb_doc WHERE id = 'counter'}), '600|2000', 'nested: none is lost');
race('document', q{UPDATE cb_doc SET doc = jsonb_set(doc, '{n}', to_jsonb((doc ->> 'n')::int + 1)) WHERE id = 'counter'}, 300);
is($node->safe_psql('postgres', q{SELECT deep, n FROM cb_doc WHERE id = 'counter'}), '600|2600',
	'whole documents: none is lost');

# Gone between reading and writing: the row that a cursor has read.
for my $statement (q{UPDATE cb_doc SET n = 1}, q{DELETE FROM cb_doc})
{
	my $session = $node->background_psql('postgres', on_error_stop => 0);

	$session->query_safe('\set VERBOSITY verbose');
	$session->query_safe(q{CREATE TEMP TABLE l AS SELECT 'removed' AS k});
	$session->query_safe(q{CREATE FUNCTION pg_temp.remove() RETURNS int VOLATILE LANGUAGE sql AS 'SELECT 1 FROM pg_sleep(1)'});
	CbCluster::send_query($session, "$statement WHERE id = 'removed' AND pg_temp.remove() = 1");
	$node->safe_psql('postgres', q{SELECT pg_sleep(0.3); DELETE FROM cb_doc WHERE id = 'removed'});
	like(CbCluster::finish_query($session), qr/ERROR:  40001: document "removed" .*deleted concurrently/,
		"$statement: the document was deleted meanwhile");
	$session->quit;
	$node->safe_psql('postgres', q{INSERT INTO cb_doc (id, n) VALUES ('removed', 0)});
}

done_testing();
