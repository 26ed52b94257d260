# Reading and writing many documents does not grow the backend, however often it happens and whoever stops it.
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $documents = 100_000;
my $cluster = CbCluster->new('--nodes', 2, '--generate', "default._default.doc=$documents");
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$cluster->attach($node);

my $session = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $session->query_safe('SELECT pg_backend_pid()');

# A field of /proc/PID/status in kilobytes.
sub memory
{
	my ($field) = @_;
	my ($kilobytes) = slurp_file("/proc/$pid/status") =~ /^$field:\s+(\d+) kB/m;

	return $kilobytes;
}

sub sockets { return scalar(grep { (readlink($_) // '') =~ /^socket/ } glob "/proc/$pid/fd/*"); }

my $scan = 'SELECT count(doc), count(name) FROM (SELECT doc, name FROM cb_doc OFFSET 0) s';

$session->query_safe(q{SELECT * FROM cb_doc WHERE id = 'doc-00000001'});
my $start = memory('VmRSS');
is($session->query_safe($scan), "$documents|$documents", 'a scan of 100,000 documents of 1 KB');
my $growth = memory('VmHWM') - $start;
cmp_ok($growth, '<', 64 * 1024, "peak memory grew by $growth kB, under 64 MB");

my $once = memory('VmRSS');
my $open = sockets();
$session->query_safe($scan) for 1 .. 3;
$session->query_safe('SELECT doc FROM cb_doc LIMIT 10') for 1 .. 200;
$session->query_safe('SELECT count(doc) FROM cb_doc WHERE id = ANY (ARRAY(SELECT id FROM cb_doc LIMIT 5000))') for 1 .. 5;
my $more = memory('VmRSS') - $once;
cmp_ok($more, '<', 8 * 1024, "resident memory grew by $more kB in what followed, under 8 MB");

my $before = memory('VmRSS');
$session->query_safe(q{INSERT INTO cb_doc (id, name) SELECT 'new-' || i, repeat(md5(i::text), 30) FROM generate_series(1, 100000) i});
$session->query_safe(q{UPDATE cb_doc SET name = 'changed' WHERE id LIKE 'new-%'});
$session->query_safe(q{DELETE FROM cb_doc WHERE id LIKE 'new-%'});
$more = memory('VmHWM') - $before;
cmp_ok($more, '<', 48 * 1024, "peak memory grew by $more kB in writing 100,000 documents three times, under 48 MB");
is(sockets(), $open, 'no socket is left behind');

$session->quit;
$node->stop;
done_testing();
