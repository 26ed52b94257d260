# A session of psql in a process of one's own, for tests that run many at once: each statement has a time by which it must
# have ended, and what it gave is told apart from its errors.
package CbSession;

use strict;
use warnings;

use IO::Handle;
use IO::Select;
use IPC::Open3;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(time);

sub new
{
	my ($class, $connstr, $errors) = @_;
	my $self = bless { count => 0, buffer => '', errors => $errors }, $class;

	open(my $err, '>', $errors) or die "$errors: $!";
	$self->{psql} = open3($self->{in}, $self->{out}, '>&' . fileno($err), 'psql', '-XAtq', '-d', $connstr,
		'-v', 'VERBOSITY=verbose');
	close($err);
	$self->{in}->autoflush(1);
	open($self->{err}, '<', $errors) or die "$errors: $!";
	$self->{pid} = $self->ask('SELECT pg_backend_pid()', 60)->{rows}[0];
	return $self;
}

# Runs statements. Returns rows (lines of output), error (what came on standard error), code (SQLSTATE of the first
# error, or ''), seconds; lost is set when there is no answer within the limit, or no backend any more.
sub ask
{
	my ($self, $sql, $limit) = @_;
	my $start = time();
	my $mark = 'end of statement ' . ++$self->{count};
	my $ready = IO::Select->new($self->{out});
	my %answer = (rows => [], error => '', code => '', lost => '');
	my $end;

	print { $self->{in} } "$sql;\n\\echo $mark\n";
	while (($end = index($self->{buffer}, "$mark\n")) < 0)
	{
		my $left = $start + $limit - time();

		if ($left <= 0 || !$ready->can_read($left))
		{
			$answer{lost} = 'no answer';
			last;
		}
		if (!sysread($self->{out}, $self->{buffer}, 65536, length $self->{buffer}))
		{
			$answer{lost} = 'the session has ended';
			last;
		}
	}
	$answer{rows} = [ split /\n/, substr($self->{buffer}, 0, $end + length("$mark\n"), '') ] unless $answer{lost};
	pop @{ $answer{rows} };
	$answer{seconds} = time() - $start;
	# What psql wrote to a file meanwhile is behind the last end of it.
	seek($self->{err}, 0, 1);
	$answer{error} = join '', readline($self->{err});
	($answer{code}) = $answer{error} =~ /^(?:psql:\S+ )?(?:ERROR|FATAL):  (\w{5}):/m;
	$answer{code} //= '';
	return \%answer;
}

# Descriptors of the backend whose target looks like this.
sub descriptors
{
	my ($self, $like) = @_;
	return scalar(grep { (readlink($_) // '') =~ $like } glob "/proc/$self->{pid}/fd/*");
}

# Kilobytes of memory that are the backend's own.
sub memory
{
	my ($self) = @_;
	my ($kilobytes) = slurp_file("/proc/$self->{pid}/status") =~ /^RssAnon:\s+(\d+) kB/m;
	return $kilobytes;
}

sub quit
{
	my ($self) = @_;

	print { $self->{in} } "\\q\n";
	close($self->{in});
	waitpid($self->{psql}, 0);
	close($self->{out});
	close($self->{err});
	return;
}

1;
