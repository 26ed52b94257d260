# DNS SRV: found, missing, refused, silent, odd answers; looked up again when no node answers. Name servers are Debian's
# dnsmasq, and for what that does not do a few lines of our own.
use strict;
use warnings;

use CbCluster;
use IO::Select;
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $certs = PostgreSQL::Test::Utils::tempdir_short() . '/certs';
system_or_bail("$ENV{CBCONN_TMP}/tls/make-certs.sh", $certs);
my @tls = ('--tls-cert', "$certs/server.pem", '--tls-key', "$certs/server.key");
my $cluster = CbCluster->new('--nodes', 2, '--generate', 'default._default.doc=50', @tls);
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$cluster->attach($node);

my ($port, $other_port) = map { $cluster->kv($_) =~ /:(\d+)$/ } 0, 1;
my ($tls_port) = $cluster->{ready}{kvs}[0] =~ /:(\d+)$/;
my @children;

END
{
	my $status = $?;
	kill('KILL', @children) if @children;
	$? = $status;
}

# ---- name servers ----

my $dns_port = PostgreSQL::Test::Cluster::get_free_port();
my $dns = "127.0.0.1:$dns_port";
my $dns_log = PostgreSQL::Test::Utils::tempdir_short() . '/dnsmasq.log';

# Starts dnsmasq with the records; it answers nothing else.
sub dnsmasq
{
	my (@records) = @_;
	my $pid = fork() // die "fork: $!";

	if ($pid == 0)
	{
		open(STDERR, '>', '/dev/null');
		exec('/usr/sbin/dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', "--port=$dns_port", '--listen-address=127.0.0.1',
			'--bind-interfaces', '--no-resolv', '--no-hosts', '--local=/test/', '--pid-file=', '--user=', '--group=', '--local-ttl=1',
			'--log-queries', "--log-facility=$dns_log", map { "--$_" } @records) or die "dnsmasq: $!";
	}
	push @children, $pid;
	for (1 .. 100)
	{
		return $pid if IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $dns_port, Proto => 'tcp');
		sleep(0.05);
	}
	die 'dnsmasq did not start';
}

# A name server that answers each query over UDP with what the function makes of its id and question, or not at all.
sub name_server
{
	my ($answer, $over_tcp) = @_;
	my $udp = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1') or die "udp: $!";
	my $tcp = IO::Socket::INET->new(Proto => 'tcp', Listen => 8, LocalAddr => '127.0.0.1', LocalPort => $udp->sockport, ReuseAddr => 1);
	my $pid = fork() // die "fork: $!";

	if ($pid == 0)
	{
		my $select = IO::Select->new($udp, $tcp ? $tcp : ());
		while (my @ready = $select->can_read)
		{
			foreach my $socket (@ready)
			{
				if ($tcp && $socket == $tcp)
				{
					my $connection = $tcp->accept or next;
					next unless $over_tcp && sysread($connection, my $query, 4096) > 14;
					my $text = $over_tcp->(substr($query, 2, 2), question(substr($query, 2)));
					syswrite($connection, pack('n', length $text) . $text);
					next;
				}
				my $from = recv($udp, my $query, 4096, 0) // next;
				my $text = $answer->(substr($query, 0, 2), question($query));
				send($udp, $text, 0, $from) if defined $text;
			}
		}
		exit 0;
	}
	push @children, $pid;
	return '127.0.0.1:' . $udp->sockport;
}

# The question section of a query with one question.
sub question
{
	my ($query) = @_;
	my $at = 12;
	$at += 1 + ord(substr($query, $at, 1)) while ord(substr($query, $at, 1)) != 0;
	return substr($query, 12, $at + 5 - 12);
}

sub reply
{
	my ($id, $flags, $question, @records) = @_;
	return $id . pack('nnnnn', $flags, 1, scalar(@records), 0, 0) . $question . join('', @records);
}

sub wire_name { return join('', map { chr(length $_) . $_ } split /\./, $_[0]) . "\0"; }

sub srv_record
{
	my ($target, $target_port) = @_;
	my $data = pack('nnn', 0, 0, $target_port) . wire_name($target);
	return "\xc0\x0c" . pack('nnNn', 33, 1, 60, length $data) . $data;
}

# ---- questions ----

my $limits = 'bootstrap_timeout=3s&config_node_timeout=1s&resolve_timeout=1s';

# What a fresh backend gets: the number of documents, or the error; and how long it took.
my $elapsed;

sub ask
{
	my ($hosts, $options, %param) = @_;
	my $scheme = $param{scheme} // 'couchbase';
	my ($out, $err);

	$node->safe_psql('postgres', "ALTER SERVER cb OPTIONS (SET connection_string '$scheme://$hosts?$options&$limits')");
	my $start = time();
	$node->psql('postgres', "\\set VERBOSITY verbose\nSELECT count(*) FROM cb_doc;", stdout => \$out, stderr => \$err);
	$elapsed = time() - $start;
	return $out ne '' ? $out : $err;
}

sub queries { return scalar grep { /query\[/ && /$_[0]/ } split /\n/, slurp_file($dns_log); }

# Runs a statement in a session and returns what it gave, errors included.
sub query_error
{
	my ($session, $sql) = @_;
	CbCluster::send_query($session, $sql);
	return CbCluster::finish_query($session);
}

my $pid = dnsmasq("srv-host=_couchbase._tcp.db.test,node1.db.test,$port,10,50", "srv-host=_couchbase._tcp.db.test,node2.db.test,$other_port,5,0",
	"srv-host=_couchbases._tcp.db.test,localhost,$tls_port",
	(map { "host-record=node$_.db.test,127.0.0.1" } 1, 2), 'host-record=localhost,127.0.0.1',
	'cname=_couchbase._tcp.alias.test,_couchbase._tcp.db.test',
	(map { "srv-host=_couchbase._tcp.many.test,node$_.with.a.name.that.is.rather.long.many.test,$port" } 1 .. 200),
	(map { "host-record=node$_.with.a.name.that.is.rather.long.many.test,127.0.0.1" } 1 .. 200));

is(ask('db.test', "dns_servers=$dns"), '50', 'found');
is(ask('db.test', "dns_servers=$dns&dnssrv=on"), '50', 'found, required');
is(ask('db.test', "dns_servers=$dns&truststorepath=$certs/ca.pem", scheme => 'couchbases'), '50', 'found, TLS');
is(ask('alias.test', "dns_servers=$dns"), '50', 'through an alias');
is(ask('many.test', "dns_servers=$dns&dnssrv=on"), '50', 'more records than a packet holds');
is(ask('db.test', "dns_servers=127.0.0.1:1,$dns"), '50', 'the first name server does not answer');

# Not candidates, or nothing there: the host itself.
my $before = queries('_couchbase');
is(ask("node1.db.test:$port", "dns_servers=$dns"), '50', 'a port: the host itself');
is(ask("node1.db.test:$port,node2.db.test:$other_port", "dns_servers=$dns"), '50', 'two hosts: themselves');
like(ask('127.0.0.1', "dns_servers=$dns"), qr/Node 127\.0\.0\.1:11210, step TCP connect: Connection refused\.$/m, 'an address: itself');
like(ask('localhost', "dns_servers=$dns"), qr/Node localhost:11210, step TCP connect: Connection refused\.$/m, 'localhost: itself');
like(ask('db.test', "dns_servers=$dns&dnssrv=off"), qr/ERROR:  08001: .*Node db\.test:11210, step DNS look-up: [^\n]*$/ms, 'switched off');
is(queries('_couchbase'), $before, 'SRV records were not asked for');

like(ask('node1.db.test', "dns_servers=$dns"),
	qr/Node node1\.db\.test:11210, step TCP connect: Connection refused\.\nSRV records of _couchbase\._tcp\.node1\.db\.test: Domain name not found\./,
	'no records: the host itself, and the error says so');
like(ask('node1.db.test', "dns_servers=$dns&dnssrv=on"),
	qr/ERROR:  08001: could not look up the nodes of server "cb".*SRV records of _couchbase\._tcp\.node1\.db\.test: Domain name not found/s,
	'no records, but required');
like(ask('cb.x.cloud.couchbase.com', "dns_servers=$dns"), qr/HINT:  Capella takes TLS only/, 'Capella without TLS');

# That there are none is remembered by the backend, over connections and servers.
my $session = $node->background_psql('postgres', on_error_stop => 0);
$node->safe_psql('postgres', "ALTER SERVER cb OPTIONS (SET connection_string 'couchbase://node2.db.test?dns_servers=$dns&$limits')");
$before = queries('_couchbase._tcp.node2');
foreach my $time (1 .. 3)
{
	like(query_error($session, 'SELECT count(*) FROM cb_doc'), qr/node2\.db\.test:11210, step TCP connect: Connection refused/, "nothing there, $time");
	$session->query_safe('SELECT cbconn_disconnect_all()');
}
is(queries('_couchbase._tcp.node2') - $before, 1, 'asked once by one backend');
$session->quit;

# ---- all nodes gone, the record has others ----

$node->safe_psql('postgres', "ALTER SERVER cb OPTIONS (SET connection_string 'couchbase://db.test?dns_servers=$dns&kv_timeout=4s&$limits')");
$cluster->control('revision epoch=7 rev=900');
$session = $node->background_psql('postgres', on_error_stop => 0);
my $list = q{SELECT count(*) FROM cb_doc WHERE id IN ('doc-00000001', 'doc-00000002', 'doc-00000003', 'doc-00000004')};
is($session->query_safe($list), '4', 'before the cluster is replaced');
my $new = CbCluster->new('--nodes', 3, '--generate', 'default._default.doc=30');
my ($new_port) = $new->kv(1) =~ /:(\d+)$/;
kill('TERM', $pid);
waitpid($pid, 0);
$pid = dnsmasq("srv-host=_couchbase._tcp.db.test,node3.db.test,$new_port", 'host-record=node3.db.test,127.0.0.1');
$cluster->control("kill $_") foreach 0, 1;
sleep(10);
is($session->query_safe($list), '4', 'the same statement finds the new cluster');
is($session->query_safe('SELECT count(*) FROM cb_doc'), '30', 'and stays there');
$session->quit;
$cluster->control("revive $_") foreach 0, 1;

# ---- name servers that are not well ----

my $unsure = qr/could not look up the nodes of server "cb", using the host name itself/;
my $logged = -s $node->logfile;
my %trouble = (
	'SERVFAIL' => [ name_server(sub { reply($_[0], 0x8182, $_[1]) }), qr/no name server could be reached or would answer|DNS server returned general failure/ ],
	'REFUSED' => [ name_server(sub { reply($_[0], 0x8185, $_[1]) }), qr/no name server could be reached or would answer|DNS server refused query/ ],
	'silence' => [ name_server(sub { return }), qr/no answer in time/ ],
	'an answer to another question' => [ name_server(sub { reply("\0\0", 0x8180, $_[1]) }), qr/no answer in time/ ],
	'garbage' => [ name_server(sub { $_[0] . "\x81\x80" . ("\xff" x 40) }), qr/Misformatted DNS reply|no answer in time/ ],
	'a record cut short' => [ name_server(sub { substr(reply($_[0], 0x8180, $_[1], srv_record('node1.db.test', $port)), 0, -3) }), qr/Misformatted DNS reply/ ],
	'a name that runs in circles' => [ name_server(sub {
		my $at = 12 + length($_[1]) + 12 + 6;
		reply($_[0], 0x8180, $_[1], "\xc0\x0c" . pack('nnNnnnn', 33, 1, 60, 8, 0, 0, $port) . pack('n', 0xc000 | $at)) }), qr/Misformatted (domain name|DNS reply)/ ],
	'truncated, and TCP closed' => [ name_server(sub { reply($_[0], 0x8380, $_[1]) }), qr/no name server could be reached/ ]);
foreach my $name (sort keys %trouble)
{
	my ($server, $text) = @{ $trouble{$name} };

	like(ask('db.test', "dns_servers=$server&dnssrv=on"), qr/ERROR:  08001: could not look up the nodes.*SRV records of _couchbase\._tcp\.db\.test: $text/s,
		"$name, required");
	cmp_ok($elapsed, '<', 3, "$name, required: in time");
	like(ask('db.test', "dns_servers=$server"), qr/ERROR:  08001: .*Node db\.test:11210, step DNS look-up: .*SRV records of _couchbase\._tcp\.db\.test: $text/s,
		"$name: then the host itself");
	cmp_ok($elapsed, '<', 5, "$name: in time");
}
my $count = () = slurp_file($node->logfile, $logged) =~ /$unsure/g;
cmp_ok($count, '>=', scalar(keys %trouble), 'the log tells of look-ups that failed');

# Answers that are odd, but good, or say that the service is not there.
my %odd = (
	'target "."' => [ sub { reply($_[0], 0x8180, $_[1], srv_record('', 0)) }, qr/no record offers the service/ ],
	'port 0' => [ sub { reply($_[0], 0x8180, $_[1], srv_record('localhost', 0)) }, qr/no record offers the service/ ],
	'no answer section' => [ sub { reply($_[0], 0x8180, $_[1]) }, qr/DNS server returned answer with no data/ ],
	'control characters' => [ sub { reply($_[0], 0x8180, $_[1], srv_record("a\nb", $port)) }, qr/no record offers the service|Misformatted/ ]);
foreach my $name (sort keys %odd)
{
	my ($answer, $text) = @{ $odd{$name} };
	my $server = name_server($answer);

	like(ask('db.test', "dns_servers=$server&dnssrv=on"), qr/ERROR:  08001: could not look up the nodes.*: $text/s, $name);
}
my @same = map { srv_record('localhost', $port) } 1 .. 20;
is(ask('db.test', 'dns_servers=' . name_server(sub { reply($_[0], 0x8180, $_[1], @same) })), '50', 'the same record many times');
is(ask('db.test', 'dns_servers=' . name_server(sub { reply($_[0], 0x8380, $_[1]) }, sub { reply($_[0], 0x8180, $_[1], @same) })), '50',
	'truncated: over TCP');

# ---- cancelled in the middle ----

my $silent = $trouble{silence}[0];
$node->safe_psql('postgres', "ALTER SERVER cb OPTIONS (SET connection_string 'couchbase://db.test?dns_servers=$silent&resolve_timeout=20s&bootstrap_timeout=30s')");
$session = $node->background_psql('postgres', on_error_stop => 0);
$session->query_safe(q{SET statement_timeout = '500ms'});
my $start = time();
like(query_error($session, 'SELECT count(*) FROM cb_doc'), qr/canceling statement due to statement timeout/, 'cancelled while it waits for DNS');
cmp_ok(time() - $start, '<', 1, 'at once');
$node->safe_psql('postgres', "ALTER SERVER cb OPTIONS (SET connection_string '" . $cluster->connection_string . "')");
is($session->query_safe('SELECT count(*) FROM cb_doc'), '50', 'the backend goes on');
$session->quit;
$node->stop;
done_testing();
