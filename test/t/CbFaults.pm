# A random sequence of faults of the test cluster: the same seed gives the same sequence, on any machine.
#
# Events are [milliseconds from the start, what], where what is a switch of the control port (see test/cluster/USING.md)
# or, after "sql ", a statement. Every fault brings its own end. The bucket "steady" loses no document whatever
# happens: it has two replicas, and one node at most is failed over at a time.
package CbFaults;

use strict;
use warnings;

# A stream of random numbers of its own, as perl's belongs to everybody.
package CbFaults::Random
{
	sub new { return bless { state => $_[1] * 2654435761 % 0x7fffffff + 1 }, $_[0]; }

	# 0 to n - 1
	sub below
	{
		my ($self, $n) = @_;
		$self->{state} = $self->{state} * 48271 % 0x7fffffff;
		return int($self->{state} / 0x7fffffff * $n);
	}

	sub between { return $_[1] + $_[0]->below($_[2] - $_[1] + 1); }
	sub pick { return $_[1 + $_[0]->below($#_)]; }
}

my @read_opcodes = (0x00, 0xd0, 0xda, 0xdb);
my @write_opcodes = (0x01, 0x02, 0x03, 0x04, 0xd1);
my @other_opcodes = (0x1f, 0x20, 0x21, 0x22, 0x89, 0xb5, 0xbb, 0xfe, 0xdc);

# Statuses that say that nothing was done, and not that a document is absent or a scan at its end.
my @statuses = (0x03, 0x04, 0x07, 0x08, 0x09, 0x0d, 0x1f, 0x20, 0x22, 0x24, 0x25, 0x30, 0x32, 0x37,
	0x7e, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x8c, 0xa2, 0xa4, 0xa5, 0xfe, 0x1234, 0xffff);

# [weight, function]
my @kinds = (
	[8, \&drop], [10, \&wire], [14, \&spoil], [10, \&refuse_requests], [6, \&storm], [4, \&slow],
	[7, \&pause], [5, \&refuse], [6, \&kill], [4, \&fail_over], [2, \&fail_over_alive], [8, \&move], [3, \&rebalance],
	[2, \&add], [2, \&remove], [3, \&freeze], [3, \&revision], [4, \&warm_up], [3, \&change_password],
	[2, \&recreate], [2, \&rename], [3, \&odd_config], [2, \&odd_login], [2, \&rekey]);

# nodes: at the beginning; tls: whether the sessions use it; vbuckets: of both buckets
sub new
{
	my ($class, $seed, %param) = @_;
	my $self = bless {
		random => CbFaults::Random->new($seed), nodes => $param{nodes}, tls => $param{tls},
		vbuckets => $param{vbuckets}, busy => [], map_busy => 0, added => 0, passwords => 0 }, $class;

	return $self;
}

# All that happens in so many milliseconds, in order.
sub sequence
{
	my ($self, $length) = @_;
	my $total = 0;
	my $longest = 700;

	$total += $_->[0] foreach @kinds;
	$self->{events} = [];
	for ($self->{now} = 300; $self->{now} < $length; $self->{now} += $self->{random}->between(10, $longest))
	{
		my $choice = $self->{random}->below($total);
		my ($kind) = grep { ($choice -= $_->[0]) < 0 } @kinds;

		$kind->[1]->($self);
		# At times all goes wrong at once, and now and then everything is well.
		$longest = $self->{random}->pick(60, 300, 700, 700) if $self->{random}->below(15) == 0;
		$self->{now} += 2500 if $self->{random}->below(25) == 0;
	}
	my @order = sort { $self->{events}[$a][0] <=> $self->{events}[$b][0] || $a <=> $b } 0 .. $#{ $self->{events} };
	return @{ $self->{events} }[@order];
}

# What ends every fault there may be.
sub heal
{
	my ($self) = @_;
	my @nodes = (0 .. $self->{nodes} - 1);

	return ('clear all', 'sasl kind=none', 'resume all', 'accept all', 'thaw all', 'revive all',
		(map { ("hostname $_ name=", "warmup $_ bucket=steady state=ready", "warmup $_ bucket=volatile state=ready") }
			  @nodes),
		'rebalance bucket=steady', 'rebalance bucket=volatile', 'clear all');
}

sub at
{
	my ($self, $delay, @what) = @_;
	push @{ $self->{events} }, [ $self->{now} + $delay, $_ ] foreach @what;
	return;
}

sub number { return shift->{random}->between(@_); }
sub any_node { return $_[0]->{random}->below($_[0]->{nodes}); }
sub any_bucket { return $_[0]->{random}->pick('steady', 'steady', 'volatile'); }

# A node with which nothing is the matter, taken for so many milliseconds; undef when two have trouble already.
sub take_node
{
	my ($self, $for) = @_;
	my @idle = grep { ($self->{busy}[$_] // 0) <= $self->{now} } 0 .. $self->{nodes} - 1;

	return if @idle < $self->{nodes} - 1;
	my $node = $self->{random}->pick(@idle);
	$self->{busy}[$node] = $self->{now} + $for;
	return $node;
}

# The same for the map as a whole; false when it is changing already.
sub take_map
{
	my ($self, $for) = @_;
	return 0 if $self->{map_busy} > $self->{now};
	$self->{map_busy} = $self->{now} + $for;
	return 1;
}

# ---- the wire

sub drop { $_[0]->at(0, 'drop ' . $_[0]->any_node); return; }

# Bytes are spoilt under TLS only: in clear nobody could tell.
sub wire
{
	my ($self) = @_;
	my $kind = $self->{random}->pick('close', 'reset', 'stall', $self->{tls} ? 'corrupt' : 'reset');
	my $node = $self->any_node;
	my $after = $self->{random}->pick(0, 1, 23, 24, 100, 1000, $self->number(0, 3000), $self->number(3000, 100_000));

	$self->at(0, "wire $node kind=$kind after=$after count=" . $self->number(1, 4));
	$self->at(0, "drop $node");
	return;
}

sub spoil
{
	my ($self) = @_;
	my $kind = $self->{random}->pick(qw(close close-after silent truncate corrupt delay hang hang-after));
	my $opcode = $self->{random}->pick(@read_opcodes, @write_opcodes, @other_opcodes);
	my $detail = '';

	$detail = ' offset=' . $self->number(0, 60) if $kind eq 'truncate';
	# Where a wrong byte is seen: magic, opcode, lengths, opaque; of reads also the status, which tells what became of writes.
	$detail = ' offset=' . $self->{random}->pick(0 .. 4, (grep { $opcode == $_ } @write_opcodes) ? () : (6, 7), 8, 9, 12 .. 15)
	  if $kind eq 'corrupt';
	$detail = ' ms=' . $self->number(1, 2500) if $kind eq 'delay';
	$self->at(0, 'fault ' . $self->any_node . " kind=$kind opcode=$opcode$detail count=" . $self->number(1, 3) .
		  ' skip=' . $self->number(0, 5));
	return;
}

sub refuse_requests
{
	my ($self) = @_;
	my $status = $self->{random}->pick(@statuses);
	my $opcode = $self->{random}->pick(@read_opcodes, @read_opcodes, @write_opcodes, @other_opcodes);

	$self->at(0, 'fault ' . $self->any_node . " kind=status opcode=$opcode status=$status count=" .
		  $self->number(1, 5) . ' skip=' . $self->number(0, 3));
	return;
}

sub storm { $_[0]->at(0, 'tmpfail ' . $_[0]->any_node . ' count=' . $_[0]->number(1, 300)); return; }

sub slow
{
	my ($self) = @_;
	my $node = $self->take_node(1000) // return;

	$self->at(0, "delay $node ms=" . $self->number(5, 400));
	$self->at($self->number(200, 900), "delay $node ms=0");
	return;
}

sub rekey { $_[0]->at(0, 'rekey ' . $_[0]->any_node) if $_[0]->{tls}; return; }

# ---- nodes

sub pause
{
	my ($self) = @_;
	my $for = $self->number(100, 2500);
	my $node = $self->take_node($for) // return;

	$self->at(0, "pause $node");
	$self->at($for, "resume $node");
	return;
}

sub refuse
{
	my ($self) = @_;
	my $for = $self->number(100, 1500);
	my $node = $self->take_node($for) // return;

	$self->at(0, "refuse $node", $self->{random}->below(2) ? "drop $node" : ());
	$self->at($for, "accept $node");
	return;
}

sub kill
{
	my ($self) = @_;
	my $for = $self->number(50, 2000);
	my $node = $self->take_node($for) // return;

	$self->at(0, "kill $node");
	$self->at($for, "revive $node");
	return;
}

sub even_map
{
	my ($self, $delay) = @_;
	my $step = $self->{random}->below(2) ? ' step_ms=' . $self->number(2, 12) : '';

	$self->at($delay, "rebalance bucket=steady$step", 'rebalance bucket=volatile');
	return;
}

sub fail_over
{
	my ($self, $alive) = @_;
	my $notice = $self->number(50, 1200);
	my $return = $notice + $self->number(200, 2000);

	return unless $self->take_map($return + 1500);
	my $node = $self->take_node($return + 1) // return;
	$self->at(0, "kill $node") unless $alive;
	$self->at($notice, "failover $node");
	$self->at($return, "revive $node");
	$self->even_map($return + 50);
	return;
}

sub fail_over_alive { return fail_over($_[0], 1); }

sub add
{
	my ($self) = @_;

	return if $self->{added} == 3 || !$self->take_map(2500);
	$self->{added}++;
	$self->at(0, 'add');
	$self->{nodes}++;
	$self->even_map(200);
	return;
}

sub remove
{
	my ($self) = @_;
	my $return = $self->number(300, 2000);

	return unless $self->take_map($return + 1500);
	my $node = $self->take_node($return + 1) // return;
	$self->at(0, "remove $node");
	$self->at($return, "revive $node");
	$self->even_map($return + 50);
	return;
}

# ---- maps and configurations

sub move
{
	my ($self) = @_;
	return unless $self->take_map(0);
	my @idle = grep { ($self->{busy}[$_] // 0) <= $self->{now} } 0 .. $self->{nodes} - 1;

	$self->at($_, 'move bucket=' . $self->any_bucket . ' vbucket=' . $self->{random}->below($self->{vbuckets}) .
		  ' to=' . $self->{random}->pick(@idle)) foreach 0 .. $self->number(0, 12);
	return;
}

sub rebalance
{
	my ($self) = @_;
	return unless $self->take_map(3000);
	my $node = $self->any_node;

	$self->at(0, "rebalance bucket=steady without=$node step_ms=" . $self->number(2, 12));
	$self->even_map(1500);
	return;
}

sub freeze
{
	my ($self) = @_;
	my $node = $self->any_node;

	$self->at(0, "freeze $node");
	$self->at($self->number(200, 2500), "thaw $node");
	return;
}

sub revision
{
	my ($self) = @_;
	$self->at(0, 'revision') foreach 1 .. $self->number(1, 5);
	return;
}

sub warm_up
{
	my ($self) = @_;
	my $for = $self->number(100, 1500);
	my $bucket = $self->any_bucket;
	my $node = $self->take_node($for) // return;

	$self->at(0, "warmup $node bucket=$bucket state=" . $self->{random}->pick(qw(empty-map warming config-only)));
	$self->at($for, "warmup $node bucket=$bucket state=ready");
	return;
}

# What no client may believe; the good one is back a moment later.
sub odd_config
{
	my ($self) = @_;
	my $bucket = $self->any_bucket;
	my $body = $self->{random}->pick(
		'{}', '[]', 'null', 'x', "{\"name\":\"$bucket\"}", '{"rev":1e400}', '[' x 5000,
		map { "{\"rev\":999999,\"revEpoch\":1,\"name\":\"$bucket\",\"nodeLocator\":\"vbucket\",\"uuid\":\"00\"," .
			  "\"nodes\":[{\"hostname\":\"\$HOST:1\",\"ports\":{\"direct\":1}}],\"nodesExt\":[{\"services\":{\"kv\":1}}]," .
			  "\"vBucketServerMap\":{\"serverList\":[\"\$HOST:1\"],\"numReplicas\":1,\"vBucketMap\":$_}}" }
		'[[7,8]]', '[[-9,0],[0,0]]', '[[0],[0],[0]]', '[[99999999999999999999]]', '[]', '{}', '[[]]', '[[null]]');

	$self->at(0, "config bucket=$bucket body=$body");
	$self->at($self->number(20, 400), "config bucket=$bucket body=");
	return;
}

sub rename
{
	my ($self) = @_;
	my $node = $self->any_node;

	$self->at(0, "hostname $node name=localhost");
	$self->at($self->number(300, 3000), "hostname $node name=");
	return;
}

# ---- who may log in, buckets

sub odd_login
{
	my ($self) = @_;
	my $kind = $self->{random}->pick(qw(no-signature wrong-signature foreign-nonce no-iterations mandatory-extension));

	$self->at(0, "sasl kind=$kind");
	$self->at($self->number(50, 500), 'sasl kind=none');
	return;
}

sub change_password
{
	my ($self) = @_;
	my $password = 'p' . ++$self->{passwords};
	my $node = $self->any_node;

	$self->at(0, "password user=rotating password=$password", "drop $node");
	$self->at($self->number(10, 900),
		"sql ALTER USER MAPPING FOR CURRENT_USER SERVER volatile OPTIONS (SET password '$password')");
	return;
}

sub recreate
{
	my ($self) = @_;

	$self->at(0, 'recreate bucket=volatile');
	$self->at($self->number(100, 800), 'sql INSERT INTO volatile_filled SELECT id, doc FROM truth');
	return;
}

1;
