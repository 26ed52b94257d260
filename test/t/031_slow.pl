# Operations that keep a query waiting: logged over a threshold, ended in time.
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $cluster = CbCluster->new('--nodes', 2, '--generate', 'default._default.doc=2000');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$cluster->attach($node, options => '?kv_scan_timeout=5s');
$cluster->attach($node, server => 'calm');
$node->safe_psql('postgres', 'ANALYZE cb_doc');

my $session;

# Each time another session: a line is due at most every ten seconds.
sub fresh
{
	$session->quit if $session;
	$session = $node->background_psql('postgres', on_error_stop => 0);
	$session->query_safe('SELECT count(*) FROM cb_doc');
	$session->query_safe("SELECT name FROM calm_doc WHERE id = 'doc-00000001'");
	return;
}

# What the server's log says of slow operations while a query runs, statements left out.
sub logged
{
	my ($sql) = @_;
	my $offset = -s $node->logfile;

	$session->query_safe($sql);
	return join('', slurp_file($node->logfile, $offset) =~ /^.*LOG:  (slow .*\n)/mg);
}

my $look = q{SELECT name FROM cb_doc WHERE id = 'doc-00000001'};
my $line = qr/in bucket "default" on server "cb": (\d+\.\d) ms, node 127\.0\.0\.1:\d+, step: /;

# ---- the log

fresh();
is(logged($look), '', 'what is fast is not logged');
$cluster->control('delay all ms=600');
my $told = logged($look);
like($told, qr/^slow key look-up ${line}operation$/, 'a slow look-up is');
my ($ms) = $told =~ $line;
cmp_ok($ms, '>=', 590, 'with its time');
cmp_ok($ms, '<', 5000, 'and not much more');
is(logged($look), '', 'the next one is kept for a later line');
my $calm = $look =~ s/cb_doc/calm_doc/r;
like(logged($calm), qr/^slow .* on server "calm"/, 'another server has a line of its own');
is(logged("$calm; $calm"), '', 'and keeps two more');
my $first = time();

$cluster->control('clear all');
$cluster->control('delay all ms=150');
my $patient = $session;
undef $session;
fresh();
is(logged($look), '', 'below the threshold');
$cluster->control('clear all');
$cluster->control('delay all ms=450');
$node->safe_psql('postgres', q{ALTER SERVER cb OPTIONS (ADD slow_kv '300ms')});
like(logged($look), qr/^slow connecting ${line}connect\n$/, 'ALTER SERVER counts from the next transaction on');
$cluster->control('clear all');
fresh();
$cluster->control('delay all ms=450');
like(logged($look), qr/^slow key look-up ${line}operation$/, 'a lower threshold');
$cluster->control('clear all');
fresh();
$cluster->control('delay all ms=450');
like(logged('SELECT id FROM cb_doc LIMIT 20'), qr/^slow scan ${line}operation$/, 'a slow scan: one line');
$cluster->control('clear all');
fresh();
$cluster->control('delay all ms=450');
like(logged(q{INSERT INTO cb_doc (id, name) VALUES ('slow', 'x')}), qr/^slow write ${line}operation$/, 'a slow write');
$cluster->control('clear all');
$session->query_safe(q{DELETE FROM cb_doc WHERE id = 'slow'});
fresh();
$cluster->control('tmpfail all count=5');
like(logged($look), qr/^slow key look-up ${line}operation$/, 'refused again and again: all attempts together');
$cluster->control('clear all');

fresh();
is(logged(q{BEGIN; DECLARE c CURSOR FOR SELECT * FROM cb_doc; FETCH 1 FROM c; SELECT pg_sleep(0.6); MOVE ALL IN c; COMMIT}), '',
	'a cursor that rests is not slow');
is(logged(q{SELECT count(pg_sleep(0.0005)) FROM cb_doc}), '', 'nor is a slow consumer');
$node->safe_psql('postgres', q{ALTER SERVER cb OPTIONS (SET slow_kv '0')});
fresh();
$cluster->control('delay all ms=450');
is(logged($look), '', 'switched off');
$cluster->control('clear all');
my ($status, $out, $error) = $node->psql('postgres', q{ALTER SERVER cb OPTIONS (SET slow_kv '5')});
like($error, qr/invalid value for option "slow_kv": "5"/, 'a number needs a unit');
$node->safe_psql('postgres', q{ALTER SERVER cb OPTIONS (DROP slow_kv, SET connection_string '}
	  . $cluster->connection_string . q{?tracing_threshold_kv=0.3&kv_scan_timeout=1s')});
fresh();
$cluster->control('delay all ms=450');
like(logged($look), qr/^slow key look-up ${line}operation$/, 'the threshold of the connection string');
$cluster->control('clear all');

# ---- a node that is silent, while the other has much to say: the scan does not wait for the end of that

fresh();
$cluster->control('pause 1');
$cluster->control('delay 0 ms=100');
my $start = time();
CbCluster::send_query($session, 'SELECT count(*) FROM cb_doc');
my $message = CbCluster::finish_query($session);
like($message, qr/ERROR:  scan in bucket "default" on server "cb" got no answer within 1\.0 s\nDETAIL:.*\Q@{[ $cluster->kv(1) ]}\E/,
	'a silent node ends the scan, although the other one answers');
cmp_ok(time() - $start, '<', 2, 'after its time');
$cluster->control('resume 1');
$cluster->control('clear all');
is($session->query_safe('SELECT count(*) FROM cb_doc'), '2000', 'the next scan');

# ---- a node that is dead, and not failed over: a scan waits for it no longer than a look-up

$node->safe_psql('postgres', q{ALTER SERVER cb OPTIONS (SET connection_string '}
	  . $cluster->connection_string . q{?kv_timeout=1s&config_node_timeout=1s')});
foreach my $warm (1, 0)
{
	fresh() if $warm;
	$session = $node->background_psql('postgres', on_error_stop => 0) if !$warm;
	$cluster->control('kill 1');
	foreach my $query ('SELECT count(*) FROM cb_doc', 'SELECT id FROM cb_doc ORDER BY id LIMIT 10')
	{
		$start = time();
		CbCluster::send_query($session, $query);
		like(CbCluster::finish_query($session), qr/ERROR: .*Connection refused.*\Q@{[ $cluster->kv(1) ]}\E/s,
			"warm $warm, $query: a dead node is an error");
		cmp_ok(time() - $start, '<', 2.5, "warm $warm, $query: long before kv_scan_timeout, which is 75 s");
	}
	$cluster->control('revive 1');
	is($session->query_safe('SELECT count(*) FROM cb_doc'), '2000', "warm $warm: after its return");
	$session->quit;
	undef $session;
}

# ---- the line that tells of what was gathered

sleep(11 - (time() - $first)) if time() - $first < 11;
$session = $patient;
like(logged($calm), qr/^slow key look-up .* on server "calm": \d{3,4}\.\d ms, node .*, step: operation, the slowest of 2 in \d\d s\n$/,
	'told of with the next operation, ten seconds later');
$session->quit;
$node->stop;
done_testing();
