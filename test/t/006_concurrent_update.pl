# EvalPlanQual: a row of a local table changes under a statement that joins it with documents. The join is checked
# again with the new row, also where the look-up itself had checked the condition.
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $cluster = CbCluster->new('--nodes', 2, '--generate', 'default._default.doc=100');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$cluster->attach($node);

my $first = $node->background_psql('postgres', on_error_stop => 0);
my $second = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $second->query_safe('SELECT pg_backend_pid()');

sub fill
{
	$node->safe_psql('postgres',
		q{DROP TABLE IF EXISTS l; CREATE TABLE l (x int, k text COLLATE "C", note text);
		  INSERT INTO l VALUES (1, 'doc-00000001', ''), (2, 'doc-00000002', ''); ANALYZE l;});
	return;
}

# Runs change in a transaction of the first session, statement in the second one, which waits for the first; returns
# the table afterwards.
sub race
{
	my ($change, $statement) = @_;

	fill();
	$first->query_safe("BEGIN; $change");
	CbCluster::send_query($second, $statement);
	$node->poll_query_until('postgres', "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid")
	  or die 'the statement does not wait';
	$first->query_safe('COMMIT');
	is(CbCluster::finish_query($second), '', 'no error');
	return $node->safe_psql('postgres', 'SELECT x, k, note FROM l ORDER BY x');
}

my $update = q{UPDATE l SET note = 'seen ' || d.id FROM cb_doc d WHERE d.id = l.k};

fill();
like($node->safe_psql('postgres', "EXPLAIN $update"), qr/Nested Loop.*Key Condition: \(id = l\.k\)/s,
	'the plan looks documents up by key');
is(race('UPDATE l SET x = 10 WHERE x = 1', $update),
	"2|doc-00000002|seen doc-00000002\n10|doc-00000001|seen doc-00000001",
	'another column changed: the row is updated');
is(race(q{UPDATE l SET k = 'doc-00000003' WHERE x = 1}, $update),
	"1|doc-00000003|\n2|doc-00000002|seen doc-00000002",
	'the key changed: the row no longer matches the document it was joined with');
is(race(q{UPDATE l SET k = 'doc-00000003' WHERE x = 1},
		q{UPDATE l SET note = 'seen ' || d.id FROM cb_doc d WHERE d.id LIKE l.k || '%'}),
	"1|doc-00000003|\n2|doc-00000002|seen doc-00000002",
	'the same with a prefix');
is(race('UPDATE l SET x = 10 WHERE x = 1',
		q{UPDATE l SET note = d.doc ->> 'id' FROM cb_doc d WHERE d.id = l.k}),
	"2|doc-00000002|2\n10|doc-00000001|1",
	'columns of the document are kept for the second look');
is(race('UPDATE l SET x = 10 WHERE x = 1',
		q{WITH locked AS (SELECT l.ctid AS tid, d.name FROM l JOIN cb_doc d ON d.id = l.k FOR UPDATE OF l)
		  UPDATE l SET note = 'locked' FROM locked WHERE l.ctid = locked.tid AND l.x = 2}),
	"2|doc-00000002|locked\n10|doc-00000001|",
	'FOR UPDATE OF the local table');

$first->quit;
$second->quit;
done_testing();
