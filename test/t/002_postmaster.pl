# P1: preloaded into the postmaster, the library opens nothing, starts no thread and loads no further library there,
# neither when it is loaded nor after backends and parallel workers ran queries.
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $cluster = CbCluster->new('--nodes', 2, '--generate', 'default._default.doc=20000');

# What the postmaster has: descriptors by kind, threads, mapped files.
sub state_of
{
	my ($node) = @_;
	my ($pid) = split /\n/, slurp_file($node->data_dir . '/postmaster.pid');
	my (%state, %kind, %file);

	foreach my $fd (glob "/proc/$pid/fd/*")
	{
		my $target = readlink($fd) // next;

		$target =~ s/:\[\d+\]$//;
		$target =~ s{^/.*/}{};
		$target = 'log' if $target =~ /\.log$/;
		$kind{$target}++;
	}
	$state{descriptors} = join ' ', map { "$_=$kind{$_}" } sort keys %kind;
	$state{sockets} = $kind{socket} // 0;
	my @task = glob "/proc/$pid/task/*";
	$state{threads} = scalar @task;
	foreach my $line (split /\n/, slurp_file("/proc/$pid/maps"))
	{
		$file{$1}++ if $line =~ m{ (/.*\.so[.\d]*)$};
	}
	$state{libraries} = [ sort keys %file ];
	return \%state;
}

sub start_node
{
	my ($name, $preload) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init;
	$node->append_conf('postgresql.conf', "max_parallel_workers_per_gather = 2\nparallel_setup_cost = 0\n"
		  . "parallel_tuple_cost = 0\nmin_parallel_table_scan_size = 0\n");
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'cbconn_fdw'") if $preload;
	$node->start;
	return $node;
}

my $plain = start_node('plain', 0);
my $without = state_of($plain);
$plain->stop;

my $node = start_node('preloaded', 1);
my $before = state_of($node);

is($before->{sockets}, $without->{sockets}, 'loading the library opens no socket');
is($before->{descriptors}, $without->{descriptors}, 'loading the library opens no descriptor at all');
is($before->{threads}, 1, 'loading the library starts no thread');
ok((grep { m{/cbconn_fdw\.so$} } @{ $before->{libraries} }), 'the library is in the postmaster');

$cluster->attach($node);
foreach my $round (1 .. 3)
{
	my @session = map { $node->background_psql('postgres') } 1 .. 3;

	is($_->query_safe('SELECT count(*) FROM cb_doc'), '20000', "backend reads, round $round") for @session;
	is($_->query_safe(q{SELECT count(*) FROM cb_doc WHERE id = 'doc-00000001'}), '1', "look-up, round $round")
	  for @session;
	$_->quit for @session;
}
like(
	$node->safe_psql('postgres', q{SELECT set_config(name, 'on', false) FROM pg_settings
		WHERE name IN ('force_parallel_mode', 'debug_parallel_query'); SELECT count(*) FROM cb_doc}),
	qr/^on\n20000$/, 'parallel workers read');

my $after = state_of($node);
is($after->{sockets}, $before->{sockets}, 'no socket in the postmaster after queries');
is($after->{descriptors}, $before->{descriptors}, 'the same descriptors after queries');
is($after->{threads}, 1, 'no thread in the postmaster after queries');
is_deeply($after->{libraries}, $before->{libraries}, 'no library was loaded into the postmaster by queries');

$node->stop;
done_testing();
