# Random writes to random documents, compared with the same done to jsonb in a local table (random_documents.sql).
# Another run: CB_RANDOM_SEED=number, CB_RANDOM_ROUNDS=number (default 1, 400). A failure names its seed and statement.
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{CB_RANDOM_SEED} // 1;
my $rounds = $ENV{CB_RANDOM_ROUNDS} // 400;
my $cluster = CbCluster->new('--nodes', 2, '--generate', 'default._default.doc=1');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$cluster->attach($node);
$node->safe_psql('postgres', slurp_file("$ENV{CBCONN_TMP}/t/random_documents.sql"));

# Statements that must fail leave warnings about what they wrote; here they write nothing.
my ($stdout, $stderr);
my $status = $node->psql('postgres', "SET client_min_messages = error; CALL compare($seed, $rounds)", stderr => \$stderr);
is("$status $stderr", '0 ', "seed $seed: $rounds rounds without a difference");
my %done = map { split /\|/ } split /\n/, $node->safe_psql('postgres', 'SELECT what, count(*) FROM done GROUP BY 1');
note("$_: $done{$_}") for sort keys %done;
is(scalar(keys %done), 6, 'every kind of statement was among them');
done_testing();
