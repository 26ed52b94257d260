# A query service that misbehaves as it is told (query_server.py), put into the configuration of a test cluster.
package CbQuery;

use strict;
use warnings;

use HTTP::Tiny;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Utils;

# Starts one; more arguments: certificate and key.
sub new
{
	my ($class, @tls) = @_;
	my $self = bless { log => PostgreSQL::Test::Utils::tempdir() . '/requests.jsonl', in => '', out => '' }, $class;

	$self->{run} = IPC::Run::start([ 'python3', "$ENV{CBCONN_TMP}/t/query_server.py", $self->{log}, @tls ],
		'<', \$self->{in}, '>', \$self->{out}, '2>', '/dev/null');
	$self->{run}->pump until $self->{out} =~ /^(\d+)\n/;
	$self->{port} = 0 + $1;
	return $self;
}

sub DESTROY
{
	my ($self) = @_;
	my $status = $?;

	$self->{run}->kill_kill(grace => 0) if $self->{run};
	$? = $status;
	return;
}

# Makes the ports known to the cluster as those of the query service on its nodes, in order; 0 is none.
sub announce
{
	my ($cluster, @ports) = @_;
	my $tls = ref $ports[0] ? 'n1qlSSL' : 'n1ql';
	my $answer = HTTP::Tiny->new->get("http://Administrator:password\@$cluster->{ready}{management}[0]/pools/default/b/default");
	my $config = decode_json($answer->{content});

	for my $i (0 .. $#ports)
	{
		my $port = ref $ports[$i] ? ${ $ports[$i] } : $ports[$i];

		delete $config->{nodesExt}[$i]{services}{$_} foreach qw(n1ql n1qlSSL);
		$config->{nodesExt}[$i]{services}{$tls} = 0 + $port if $port;
	}
	$config->{rev}++;
	my $epoch = $config->{revEpoch} // 1;
	$cluster->control("config bucket=default epoch=$epoch rev=$config->{rev}", encode_json($config));
	return;
}

# What was asked since the last call.
sub requests
{
	my ($self) = @_;
	my @lines = split /\n/, slurp_file($self->{log}, $self->{offset} // 0);

	$self->{offset} = -s $self->{log};
	return map { decode_json($_) } @lines;
}

1;
