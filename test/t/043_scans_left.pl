# A node has room for a few hundred range scans of all its clients together, and keeps those that nobody ends for minutes:
# statements that stop early leave none behind, not even in sessions that end with them.
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $cluster = CbCluster->new('--nodes', 2, '--generate', 'default._default.doc=60000:300');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$cluster->attach($node);

sub open_scans { return join(' ', map { $_->{scans} } @{ $cluster->control('status')->{nodes} }); }

foreach my $sql (
	'SELECT id FROM cb_doc ORDER BY id LIMIT 3',
	'SELECT doc FROM cb_doc LIMIT 3',
	'SELECT doc FROM cb_doc LIMIT 3000',
	q{SELECT id FROM cb_doc WHERE id > 'doc-00030000' ORDER BY id LIMIT 500},
	'SELECT count(*) FROM (SELECT FROM cb_doc LIMIT 20000) d',
	'BEGIN; DECLARE c CURSOR FOR SELECT id FROM cb_doc ORDER BY id; FETCH 5 FROM c; CLOSE c; COMMIT',
	'BEGIN; DECLARE c CURSOR FOR SELECT doc FROM cb_doc; FETCH 5 FROM c; COMMIT',
	'SELECT EXISTS (SELECT FROM cb_doc)',
	'ANALYZE cb_doc')
{
	$node->safe_psql('postgres', $sql) for 1 .. 5;
	is(open_scans(), '0 0', $sql);
}

# After an error, the next statement ends what the one before has left.
my $session = $node->background_psql('postgres', on_error_stop => 0);
foreach my $sql ('SELECT id FROM cb_doc ORDER BY id', 'SELECT doc FROM cb_doc')
{
	foreach my $ms (20, 40, 60)
	{
		$session->query_safe("SET statement_timeout = $ms");
		CbCluster::send_query($session, $sql);
		CbCluster::finish_query($session);
		$session->query_safe('RESET statement_timeout');
	}
	$session->query_safe('SELECT count(*) FROM cb_doc');
	my ($left) = sort { $b <=> $a } split / /, open_scans();
	cmp_ok($left, '<', 200, "$sql, stopped by time-outs: at most those are left ($left) whose ids never came");
}
$session->quit;
$node->stop;
done_testing();
