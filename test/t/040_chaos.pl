# Sessions read and write while a seeded random sequence of faults runs through the cluster: each query ends with the right
# rows or with a documented error, in time; no crash, no leak, and everything works again afterwards.
#
# CHAOS_SEED and CHAOS_SECONDS choose the sequence and its length; odd seeds use TLS, every other pair shared memory.
use strict;
use warnings;

use CbChaos;
use CbCluster;
use CbFaults;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $nodes = 5;
my $documents = 1500;
my $json = JSON::PP->new->canonical;

# kv_timeout and the others short, so that there is much to see.
my $limits = 'kv_timeout=1500ms&config_node_timeout=1s&kv_connect_timeout=1s&bootstrap_timeout=5s&kv_scan_timeout=5s';

my @workers = (
	{ kind => 'keys', table => 'steady_doc' },
	{ kind => 'keys', table => 'cached_doc' },
	{ kind => 'scans', table => 'steady_doc' },
	{ kind => 'scans', table => 'steady_doc', parallel => 1 },
	{ kind => 'joins', table => 'steady_doc' },
	{ kind => 'fresh', table => 'cached_doc' },
	{ kind => 'writer' },
	{ kind => 'volatile' });

sub start_cluster
{
	my ($folder, $vbuckets, @args) = @_;
	my $collections = { _default => { collections => { doc => {}, written => {} } } };

	PostgreSQL::Test::Utils::append_to_file("$folder/cluster.json", $json->encode({
		nodes => $nodes,
		buckets => [
			{ name => 'steady', vbuckets => $vbuckets, replicas => 2, scopes => $collections },
			{ name => 'volatile', vbuckets => $vbuckets, replicas => 1, scopes => $collections } ],
		users => [
			{ name => 'Administrator', password => 'password', roles => ['admin'] },
			{ name => 'rotating', password => 'p0', roles => ['admin'] } ] }));
	return CbCluster->new('--config', "$folder/cluster.json", '--generate', "steady._default.doc=$documents:400",
		'--generate', "volatile._default.doc=$documents:400", @args);
}

sub set_up_server
{
	my ($node, $cluster, $hosts, $options, $cache) = @_;

	$cluster->attach($node, server => 'steady', bucket => 'steady', connection_string => "$hosts?$limits$options");
	$cluster->attach($node, server => 'cached', bucket => 'steady',
		connection_string => "$hosts?$limits$options&config_cache=$cache/");
	$cluster->attach($node, server => 'volatile', bucket => 'volatile', user => 'rotating', password => 'p0',
		connection_string => "$hosts?$limits$options");
	# the data service under faults: what conditions it cannot check are checked by PostgreSQL
	$node->safe_psql('postgres', "ALTER SERVER $_ OPTIONS (ADD access 'kv')") foreach qw(steady cached volatile);
	$node->safe_psql('postgres', q{
		CREATE FOREIGN TABLE written (id text OPTIONS (key 'true') COLLATE "C", v int, pad text)
			SERVER steady OPTIONS (collection 'written');
		CREATE FOREIGN TABLE volatile_filled (id text OPTIONS (key 'true') COLLATE "C", doc jsonb OPTIONS (document 'true'))
			SERVER volatile OPTIONS (collection 'doc', insert_mode 'upsert');
		CREATE TABLE truth AS SELECT * FROM steady_doc;
		ALTER TABLE truth ALTER id TYPE text COLLATE "C", ADD PRIMARY KEY (id);
		CREATE TABLE wanted AS SELECT row_number() OVER (ORDER BY md5(id)) AS n, id FROM truth ORDER BY 1 LIMIT 220;
		ANALYZE});
	return;
}

# Carries out one event; a port that somebody else took meanwhile may be free in a moment.
sub carry_out
{
	my ($node, $cluster, $what) = @_;
	my ($command, $body) = $what =~ /^(config \S+) body=(.*)$/s ? ($1, $2) : ($what, undef);

	if ($what =~ /^sql (.*)/s)
	{
		# Itself at the mercy of the faults.
		$node->psql('postgres', "SET statement_timeout = '20s'; $1", stderr => \my $ignored);
		note("sql: $1");
		return;
	}
	foreach my $attempt (1 .. 20)
	{
		return if eval { $cluster->control($command, $body); 1 };
		die $@ if $attempt == 20;
		sleep(0.1);
	}
	return;
}

sub run_workers
{
	my ($node, %param) = @_;
	my @running;

	foreach my $i (0 .. $#workers)
	{
		my $worker = CbChaos->new($workers[$i]{kind}, %{ $workers[$i] }, %param, number => $i,
			connstr => $node->connstr('postgres'));
		my $pid = fork() // die "fork: $!";

		if ($pid == 0)
		{
			my $told = eval { $worker->run } // { %{ $workers[$i] }, wrong => [ $@ ] };

			open(my $out, '>', "$param{folder}/told.$i") or die "told: $!";
			print $out $json->encode($told);
			close($out);
			POSIX::_exit(0);
		}
		push @running, $pid;
	}
	return @running;
}

sub judge_worker
{
	my ($told, $known) = @_;
	my $name = "$told->{kind} $told->{number}";

	is(scalar(@{ $told->{wrong} }), 0, "$name: $told->{right} of $told->{asked} queries with rows, the others with "
		  . ($json->encode($told->{errors})) . sprintf(', slowest %.1f s (%s)', $told->{slowest}, $told->{slowest_what}))
	  or diag(join("\n", @{ $told->{wrong} }[0 .. ($#{ $told->{wrong} } < 4 ? $#{ $told->{wrong} } : 4)]));
	note(join("\n", map { "$told->{told}{$_} x $_" } sort keys %{ $told->{told} }));
	cmp_ok($told->{right}, '>', 0, "$name: some got through");
	cmp_ok($told->{recovered} // 99, '<', 30, sprintf('%s: works again after %.1f s', $name, $told->{recovered} // 99));
	cmp_ok($told->{sockets} // 99, '<=', $known, "$name: $told->{sockets} sockets at most one for each node and other");
	is("$told->{sockets_left} $told->{others_left}", '0 0', "$name: no descriptor is left behind");
	if (defined $told->{memory_early})
	{
		my $growth = $told->{memory} - $told->{memory_early};

		cmp_ok($growth, '<', 8 * 1024, "$name: memory grew by $growth kB, from $told->{memory_early} kB");
	}
	return;
}

sub sum_up
{
	my (@told) = @_;
	my ($asked, $right, $slowest, %errors) = (0, 0, 0);

	foreach my $told (@told)
	{
		$asked += $told->{asked} // 0;
		$right += $told->{right} // 0;
		$slowest = $told->{slowest} if ($told->{slowest} // 0) > $slowest;
		$errors{$_} += $told->{errors}{$_} foreach keys %{ $told->{errors} };
	}
	diag(sprintf('chaos: %d queries, %d with the right rows, the others ended with %s; slowest %.1f s',
			$asked, $right, join(', ', map { "$_ ($errors{$_})" } sort keys %errors), $slowest));
	return;
}

sub chaos
{
	my ($seed, $seconds) = @_;
	my ($tls, $preload) = ($seed & 1, $seed >> 1 & 1);
	my $vbuckets = (64, 128, 1024)[ $seed % 3 ];
	my $folder = PostgreSQL::Test::Utils::tempdir_short();
	my @args;

	diag("chaos: seed $seed, $seconds s, " . ($tls ? 'TLS' : 'in clear') . ", $vbuckets vBuckets" .
		  ($preload ? ', preloaded' : ''));
	mkdir "$folder/cache" or die "cache: $!";
	if ($tls)
	{
		system_or_bail("$ENV{CBCONN_TMP}/tls/make-certs.sh", "$folder/certs");
		@args = ('--tls-cert', "$folder/certs/server.pem", '--tls-key', "$folder/certs/server.key");
	}
	my $cluster = start_cluster($folder, $vbuckets, @args);
	my $node = PostgreSQL::Test::Cluster->new("chaos$seed");
	$node->init;
	$node->append_conf('postgresql.conf', "restart_after_crash = off\nlog_min_messages = warning\nmax_parallel_workers = 8\n");
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'cbconn_fdw'\n") if $preload;
	$node->start;
	my $hosts = $tls ? 'couchbases://' . join(',', @{ $cluster->{ready}{kvs} }) : $cluster->connection_string;
	set_up_server($node, $cluster, $hosts, $tls ? "&truststorepath=$folder/certs/ca.pem" : '', "$folder/cache");

	my $faults = CbFaults->new($seed, nodes => $nodes, tls => $tls, vbuckets => $vbuckets);
	my @events = $faults->sequence($seconds * 1000);
	my @keys = split /\n/, $node->safe_psql('postgres', 'SELECT id FROM truth ORDER BY id');
	my @running = run_workers($node, folder => $folder, keys => \@keys, seed => $seed, seconds => $seconds);
	my $start = time();

	foreach my $event (@events)
	{
		my $wait = $start + $event->[0] / 1000 - time();

		sleep($wait) if $wait > 0;
		note(sprintf('%.3f s', $event->[0] / 1000));
		carry_out($node, $cluster, $event->[1]);
	}
	carry_out($node, $cluster, $_) foreach $faults->heal;
	PostgreSQL::Test::Utils::append_to_file("$folder/calm", '');
	waitpid($_, 0) foreach @running;
	note(scalar(@events) . ' events in ' . int(time() - $start) . ' s');

	my @told = map { decode_json(slurp_file("$folder/told.$_")) } 0 .. $#workers;
	judge_worker($_, $faults->{nodes} + 6) foreach @told;
	sum_up(@told);
	unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal|TRAP:|out of memory/, 'no process crashed');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM steady_doc'), $documents, 'the server is there');
	$node->stop;
	return;
}

my $seconds = $ENV{CHAOS_SECONDS} // 12;
chaos($_, $seconds) foreach split /[ ,]+/, $ENV{CHAOS_SEED} // '2 1';
done_testing();
