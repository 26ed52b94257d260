# A test cluster of its own for a TAP test, and what the tests need around it.
package CbCluster;

use strict;
use warnings;

use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

# Starts cbcluster with these arguments; it ends with the object.
sub new
{
	my ($class, @args) = @_;
	my $self = bless {}, $class;
	my $ready = PostgreSQL::Test::Utils::tempdir() . '/ready.json';
	my $log = "$PostgreSQL::Test::Utils::log_path/cbcluster.$$." . int(rand(1e9)) . '.log';

	$self->{pid} = fork() // die "fork: $!";
	if ($self->{pid} == 0)
	{
		open(STDOUT, '>', $log) or die "$log: $!";
		open(STDERR, '>&', \*STDOUT) or die "dup: $!";
		exec("$ENV{CBCONN_TMP}/cbcluster", '--die-with-parent', '--ready-file', $ready, @args)
		  or die "exec: $!";
	}
	my $end = time() + $PostgreSQL::Test::Utils::timeout_default;
	until (-s $ready)
	{
		die "cbcluster did not start:\n" . slurp_file($log)
		  if time() > $end || waitpid($self->{pid}, 1) != 0;
		sleep(0.02);
	}
	$self->{ready} = decode_json(slurp_file($ready));
	return $self;
}

sub DESTROY
{
	my ($self) = @_;
	my $status = $?;

	if ($self->{pid})
	{
		kill('TERM', $self->{pid});
		waitpid($self->{pid}, 0);
	}
	$? = $status;
	return;
}

sub connection_string { return $_[0]->{ready}{connection_string}; }

# host:port of a node's KV service.
sub kv { return $_[0]->{ready}{kv}[ $_[1] ]; }

# Throws a switch of the control port, "kill 1" or "fault 0 kind=close count=1"; dies unless it was carried out. Some
# take a body.
sub control
{
	my ($self, $command, $body) = @_;
	my ($switch, @args) = split ' ', $command;
	my $query = join('&', map { /=/ ? $_ : "node=$_" } @args);
	my $answer = HTTP::Tiny->new(timeout => 30)->post("http://$self->{ready}{control}[0]/$switch?$query",
		defined $body ? { content => $body } : {});

	die "cbcluster refused \"$command\": $answer->{content}" unless $answer->{success};
	note("cbcluster: $command");
	return decode_json($answer->{content});
}

# Creates the extension, a server for this cluster and the mapping; extra text goes into the server's options.
sub attach
{
	my ($self, $node, %param) = @_;
	my $server = $param{server} // 'cb';
	my $string = ($param{connection_string} // $self->connection_string) . ($param{options} // '');
	my $user = $param{user} // 'Administrator';
	my $password = $param{password} // 'password';
	my $bucket = $param{bucket} // 'default';

	$node->safe_psql(
		'postgres', qq{
		CREATE EXTENSION IF NOT EXISTS cbconn_fdw;
		CREATE SERVER $server FOREIGN DATA WRAPPER cbconn_fdw
			OPTIONS (connection_string '$string', bucket '$bucket');
		CREATE USER MAPPING FOR CURRENT_USER SERVER $server OPTIONS (username '$user', password '$password');
		CREATE FOREIGN TABLE ${server}_doc (
			id text OPTIONS (key 'true') COLLATE "C",
			name text,
			doc jsonb OPTIONS (document 'true')
		) SERVER $server OPTIONS (collection 'doc');
	});
	return;
}

# Sends a statement through a background session without waiting for its end.
sub send_query
{
	my ($session, $sql) = @_;
	my $count = ++$session->{cbcluster_count};

	$session->{stdout} = '';
	$session->{stderr} = '';
	$session->{stdin} .= "$sql;\n\\echo 'finished $count'\n\\warn 'finished $count'\n";
	$session->{run}->pump_nb();
	return;
}

# Waits for what send_query sent; returns what came on standard error.
sub finish_query
{
	my ($session) = @_;
	my $banner = "finished $session->{cbcluster_count}\n";

	while ($session->{stdout} !~ /\Q$banner\E/ || $session->{stderr} !~ /\Q$banner\E/)
	{
		last if !$session->{run}->pumpable;
		die 'the query did not end in time' if $session->{timeout}->is_expired;
		$session->{run}->pump();
	}
	my $error = $session->{stderr};
	$error =~ s/\Q$banner\E//;
	$session->{stdout} = '';
	$session->{stderr} = '';
	return $error;
}

# A listener that does one thing with every connection, which stays open, and ends with the test. Returns host:port.
my @listeners;

sub listener
{
	my ($behave) = @_;
	my $listener = IO::Socket::INET->new(Listen => 16, LocalAddr => '127.0.0.1', ReuseAddr => 1) or die "listen: $!";
	my $child = fork() // die "fork: $!";

	if ($child == 0)
	{
		my @kept;

		while (my $connection = $listener->accept)
		{
			$connection->autoflush(1);
			$behave->($connection);
			push @kept, $connection;
		}
		exit 0;
	}
	push @listeners, $child;
	return '127.0.0.1:' . $listener->sockport;
}

END
{
	my $status = $?;
	kill('KILL', @listeners) if @listeners;
	$? = $status;
}

1;
