# Users who may not do what a statement needs: SQLSTATE 42501, the user and the node named, no secret; others go on.
use strict;
use warnings;

use CbCluster;
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $cluster = CbCluster->new('--config', "$FindBin::Bin/rights.json", '--generate', 'default.app.open=100',
	'--generate', 'default.app.closed=100');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

my @users = ('Administrator', 'stranger', 'reader', 'looker');
my $string = $cluster->connection_string;

$node->safe_psql('postgres', 'CREATE EXTENSION cbconn_fdw');
foreach my $user (@users)
{
	my $server = lc $user;

	$node->safe_psql('postgres', qq{
		CREATE SERVER $server FOREIGN DATA WRAPPER cbconn_fdw
			OPTIONS (connection_string '$string', bucket 'default', scope 'app');
		CREATE USER MAPPING FOR CURRENT_USER SERVER $server OPTIONS (username '$user', password 'password');
		CREATE FOREIGN TABLE ${server}_open (id text OPTIONS (key 'true'), n int OPTIONS (path 'quantity'))
			SERVER $server OPTIONS (collection 'open');
		CREATE FOREIGN TABLE ${server}_closed (id text OPTIONS (key 'true'), n int OPTIONS (path 'quantity'))
			SERVER $server OPTIONS (collection 'closed');
		CREATE FOREIGN TABLE ${server}_other (id text OPTIONS (key 'true'), n int)
			SERVER $server OPTIONS (bucket 'other', scope '_default', collection '_default')});
}

my $session = $node->background_psql('postgres', on_error_stop => 0);
$session->query_safe('\set VERBOSITY verbose');

sub works
{
	my ($name, $query, $rows) = @_;

	is($session->query_safe("SELECT count(*) FROM ($query) q"), $rows, $name);
	return;
}

sub refused
{
	my ($name, $query, $text) = @_;

	CbCluster::send_query($session, $query);
	my $error = CbCluster::finish_query($session);
	like($error, qr/ERROR:  42501: $text/, "$name: SQLSTATE and text");
	like($error, qr/DETAIL: .*Node 127\.0\.0\.1:\d+, step: /, "$name: node and step");
	unlike($error, qr/password/, "$name: no secret");
	return;
}

my $key = q{WHERE id = 'doc-00000001'};

works('the administrator looks up', "SELECT * FROM administrator_closed $key", 1);
works('the administrator scans', 'SELECT * FROM administrator_closed', 100);

my $no_bucket = qr/bucket "default" does not exist on server "stranger", or user "stranger" may not use it/;
refused('a stranger looks up', "SELECT * FROM stranger_open $key", $no_bucket);
refused('a stranger scans', 'SELECT * FROM stranger_open', $no_bucket);

works('a reader looks up', "SELECT * FROM reader_open $key", 1);
works('a reader scans', 'SELECT * FROM reader_open', 100);
refused('a reader in another bucket', "SELECT * FROM reader_other $key",
	qr/bucket "other" does not exist on server "reader", or user "reader" may not use it/);

works('a looker looks up', "SELECT * FROM looker_open $key", 1);
refused('a looker scans', 'SELECT * FROM looker_open', qr/permission denied for scan in bucket "default"/);
works('a looker goes on', "SELECT * FROM looker_open $key", 1);

# The node does not tell a collection that may not be seen from one that is not there.
foreach my $query ("SELECT * FROM reader_closed $key", 'SELECT * FROM reader_closed')
{
	CbCluster::send_query($session, $query);
	like(CbCluster::finish_query($session), qr/ERROR:  (?:42501|HV00R): /, "a reader in a closed collection: $query");
}

$session->quit;
$node->stop;
done_testing();
