# A statement that reads the collection it writes sees the documents from before it, as with a table of PostgreSQL.
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
	ALTER FOREIGN TABLE cb_doc ADD COLUMN parent text, ADD COLUMN n int, OPTIONS (ADD truncatable 'true');
	CREATE TABLE l (id text PRIMARY KEY, parent text, n int)});

# Both tables hold the same chain of documents, each naming the one before it.
sub chain
{
	$node->safe_psql('postgres', q{
		TRUNCATE cb_doc; TRUNCATE l;
		INSERT INTO l SELECT 'k' || i, 'k' || i - 1, i FROM generate_series(0, 2000) i;
		INSERT INTO cb_doc (id, parent, n) SELECT * FROM l});
	return;
}

# Carries out a statement on both; they must be the same afterwards.
sub both
{
	my ($name, $sql, $settings) = @_;

	chain();
	my $foreign = $node->safe_psql('postgres', ($settings // '') . ($sql =~ s/%T/cb_doc/gr));
	my $local = $node->safe_psql('postgres', $sql =~ s/%T/l/gr);
	is($foreign, $local, "$name: the same rows come back");
	is($node->safe_psql('postgres', q{SELECT count(*), count(*) FILTER (WHERE cb_doc.n IS DISTINCT FROM l.n)
		FROM cb_doc FULL JOIN l USING (id)}), $node->safe_psql('postgres', 'SELECT count(*), 0 FROM l'), $name);
	return;
}

both('new keys from old ones', q{INSERT INTO %T (id, parent, n) SELECT id || 'x', parent, n FROM %T});
both('through a CTE', q{WITH m AS MATERIALIZED (SELECT * FROM %T) INSERT INTO %T (id, parent, n) SELECT id || 'x', parent, n FROM m});
both('UPDATE from a correlated sub-select', q{UPDATE %T SET n = (SELECT p.n FROM %T p WHERE p.id = %T.parent) WHERE parent >= 'k'});
both('UPDATE from a self-join, hashed', q{UPDATE %T SET n = p.n FROM %T p WHERE p.id = %T.parent});
both('UPDATE from a self-join, row by row', q{UPDATE %T SET n = p.n FROM %T p WHERE p.id = %T.parent},
	'SET enable_hashjoin = off; SET enable_mergejoin = off;');
both('DELETE by what others say', q{DELETE FROM %T WHERE EXISTS (SELECT FROM %T p WHERE p.parent = %T.id AND p.n % 3 = 0)});
both('DELETE by correlated look-ups', q{DELETE FROM %T WHERE (SELECT p.n FROM %T p WHERE p.id = %T.parent) % 2 = 0});

done_testing();
