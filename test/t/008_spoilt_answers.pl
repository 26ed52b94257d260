# Nodes that are well until a certain step, and then silent, cut off or talking nonsense for good: one error that
# names node and step, with a fitting SQLSTATE and in time; when they are well again, so is the same session.
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my @documents = ('--nodes', 2, '--generate', 'default._default.doc=300');
my $options = '?bootstrap_timeout=500ms&config_node_timeout=500ms&kv_timeout=500ms&kv_scan_timeout=500ms';
my $cluster = CbCluster->new(@documents);
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$cluster->attach($node, options => $options);

my $session = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $session->query_safe('SELECT pg_backend_pid()');
$session->query_safe('\set VERBOSITY verbose');

my $get = q{SELECT count(*) FROM cb_doc WHERE id = 'doc-00000001'};
my $scan = 'SELECT count(*) FROM cb_doc';
my $ordered = 'SELECT id FROM cb_doc ORDER BY id LIMIT 5';

my %opcode = (
	'HELLO' => 0x1f, 'SASL start' => 0x21, 'SASL step' => 0x22, 'bucket' => 0x89, 'config' => 0xb5,
	'collection id' => 0xbb, 'get' => 0x00, 'scan create' => 0xda, 'scan continue' => 0xdb);

# Places in a packet: magic, opcode, high byte of the length, opaque. 24 and more: the body.
my %spoil = (
	'silence' => 'kind=silent', 'a cut connection' => 'kind=close', 'half a header' => 'kind=truncate offset=10',
	'a wrong magic' => 'kind=corrupt offset=0', 'a wrong opcode' => 'kind=corrupt offset=1',
	'a huge length' => 'kind=corrupt offset=8', 'a wrong opaque' => 'kind=corrupt offset=13');

# In the handshake the error is about connecting, and tells the step; later it is about the operation.
my $broken = '08001|08006|08P01';

sub one_error
{
	my ($name, $query, $sqlstate, $detail, $seconds) = @_;
	my $start = time();

	CbCluster::send_query($session, $query);
	my $error = CbCluster::finish_query($session);
	my $elapsed = time() - $start;
	my @errors = $error =~ /ERROR:/g;

	like($error, qr/ERROR:  (?:$sqlstate): /, "$name: SQLSTATE");
	my $known = join('|', map { quotemeta($cluster->kv($_)) } 0, 1);
	like($error, qr/DETAIL: .*(?:$known)/, "$name: names the node");
	like($error, $detail, "$name: names the step");
	is(scalar(@errors), 1, "$name: one error");
	cmp_ok($elapsed, '<', $seconds, "$name: in time");
	return;
}

sub well_again
{
	my ($name) = @_;

	$cluster->control('clear all');
	is($session->query_safe($get), '1', "$name: a look-up afterwards");
	is($session->query_safe($scan), '300', "$name: a scan afterwards");
	is($session->query_safe('SELECT pg_backend_pid()'), $pid, "$name: in the same backend");
	return;
}

foreach my $step ('HELLO', 'SASL start', 'SASL step', 'bucket', 'config')
{
	my %names = (
		'HELLO' => 'HELLO', 'SASL start' => 'SASL authentication', 'SASL step' => 'SASL authentication',
		'bucket' => 'bucket selection', 'config' => 'cluster config');
	my $any = join('|', values %names);

	foreach my $how (sort keys %spoil)
	{
		$session->query_safe('SELECT cbconn_disconnect_all()');
		$cluster->control("fault all $spoil{$how} opcode=$opcode{$step} count=-1");
		# Answers sent just before a connection is reset may be lost with it.
		one_error("$how at $step", $get, $broken, $how eq 'a cut connection' ? qr/step (?:$any)/ : qr/step $names{$step}/, 3);
		well_again("$how at $step");
	}
}

# Scans whose creation was answered into a broken connection stay open on the node until it forgets them: each case
# has a cluster of its own.
sub fresh_cluster
{
	$cluster = CbCluster->new(@documents);
	my $string = $cluster->connection_string . $options;
	$session->query_safe("ALTER SERVER cb OPTIONS (SET connection_string '$string')");
	return;
}

foreach my $case ([ $get, 'get' ], [ $scan, 'scan create' ], [ $scan, 'scan continue' ], [ $ordered, 'scan create' ],
	[ $ordered, 'scan continue' ])
{
	my ($query, $step) = @$case;

	foreach my $how (sort keys %spoil)
	{
		fresh_cluster() if $step ne 'get';
		is($session->query_safe($get), '1', "$how at $step: before it");
		$cluster->control("fault all $spoil{$how} opcode=$opcode{$step} count=-1");
		one_error("$how at $step ($query)", $query, $broken, qr/step: operation/, 4);
		well_again("$how at $step");
	}
}

# Texts in the body: a config that is no JSON, a proof of the password that is wrong.
$session->query_safe('SELECT cbconn_disconnect_all()');
$cluster->control("fault all kind=corrupt offset=40 opcode=$opcode{config} count=-1");
one_error('a config that is no JSON', $get, '08P01', qr/step cluster config: .*JSON/, 3);
well_again('a config that is no JSON');

$session->query_safe('SELECT cbconn_disconnect_all()');
$cluster->control("fault all kind=corrupt offset=30 opcode=$opcode{'SASL step'} count=-1");
one_error('a wrong server signature', $get, '28000', qr/step: SASL authentication/, 3);
well_again('a wrong server signature');

# Refused for another reason than the password.
foreach my $step ('SASL start', 'SASL step')
{
	$session->query_safe('SELECT cbconn_disconnect_all()');
	$cluster->control("fault all kind=status status=0x86 opcode=$opcode{$step} count=-1");
	one_error("a temporary failure at $step", $get, '57P03', qr/step SASL authentication: .*TMPFAIL/, 3);
	well_again("a temporary failure at $step");
	$session->query_safe('SELECT cbconn_disconnect_all()');
	$cluster->control("fault 0 kind=status status=0x86 opcode=$opcode{$step} count=1");
	is($session->query_safe($get), '1', "a temporary failure at one $step: another node is asked");
}

# Once is no error: reads are repeated.
fresh_cluster();
foreach my $how (sort keys %spoil)
{
	next if $how eq 'silence';
	foreach my $step ('get', 'scan create', 'scan continue')
	{
		$cluster->control("fault 0 $spoil{$how} opcode=$opcode{$step} count=1");
		$cluster->control("fault 1 $spoil{$how} opcode=$opcode{$step} count=1");
		is($session->query_safe($step eq 'get' ? $get : $scan), $step eq 'get' ? '1' : '300', "$how at one $step");
		$cluster->control('clear all');
	}
}

$session->quit;
$node->stop;
done_testing();
