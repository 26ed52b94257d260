# A document that somebody holds locked can be read: by GET as always, also where its paths would have been looked up.
use strict;
use warnings;

use CbCluster;
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $cluster = CbCluster->new('--nodes', 1, '--generate', 'default._default._default=10');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$cluster->attach($node);
$node->safe_psql('postgres',
	q{CREATE FOREIGN TABLE doc (id text OPTIONS (key 'true') COLLATE "C", name text, price float8, expiry timestamptz OPTIONS (meta 'expiry'))
	  SERVER cb OPTIONS (lookup 'on')});

# One request of the binary protocol; returns status and body of the answer.
sub request
{
	my ($socket, $opcode, $key, $value, $extras, $vbucket) = @_;
	my $body = $extras . $key . $value;
	my ($header, $answer) = ('', '');

	$socket->print(pack('CCnCCnNNNN', 0x80, $opcode, length $key, length $extras, 0, $vbucket, length $body, 0, 0, 0) . $body);
	read($socket, $header, 24) == 24 or die 'no answer';
	my ($status, $length) = (unpack('CCnCCnN', $header))[ 5, 6 ];
	read($socket, $answer, $length) if $length > 0;
	return ($status, $answer);
}

my $key = 'doc-00000003';
my $vbucket = $node->safe_psql('postgres',
	qq{CREATE FOREIGN TABLE vb (id text OPTIONS (key 'true'), vb int OPTIONS (meta 'vbucket')) SERVER cb; SELECT vb FROM vb WHERE id = '$key'});
my $before = $node->safe_psql('postgres', "SELECT name, price FROM doc WHERE id = '$key'");
like($before, qr/\|/, 'the document is there');
like($node->safe_psql('postgres', "EXPLAIN (COSTS OFF) SELECT name, price FROM doc WHERE id = '$key'"),
	qr/Document Paths: name, price/, 'its paths are looked up');

my $socket = IO::Socket::INET->new(PeerAddr => $cluster->kv(0)) or die "connect: $!";
is((request($socket, 0x21, 'PLAIN', "\0Administrator\0password", '', 0))[0], 0, 'authenticated');
is((request($socket, 0x89, 'default', '', '', 0))[0], 0, 'bucket selected');
is((request($socket, 0x94, $key, '', pack('N', 30), $vbucket))[0], 0, 'document locked');

is($node->safe_psql('postgres', "SELECT name, price FROM doc WHERE id = '$key'"), $before, 'read while locked');
is($node->safe_psql('postgres', "SELECT count(*) FROM doc WHERE id IN ('$key', 'doc-00000004') AND name IS NOT NULL"),
	2, 'read among others');
my ($result, undef, $error) =
  $node->psql('postgres', "SET statement_timeout = '20s'; SELECT name, expiry FROM doc WHERE id = '$key'");
isnt($result, 0, 'metadata can only be looked up');
like($error, qr/locked/, 'and the error says why');

done_testing();
