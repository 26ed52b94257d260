# Sessions that go on asking while the cluster is in trouble, and know what the right answers are.
#
# A query ends with the right rows or with an error of the documented ones, within its limit. Each worker is a process with a
# session of its own; what it noticed comes back as a hash: asked, right, errors (by SQLSTATE), wrong (texts), slowest.
package CbChaos;

use strict;
use warnings;

use CbFaults;
use CbSession;
use Time::HiRes qw(sleep time);

# What the README says that queries may end with while the cluster is in trouble.
my %documented = map { $_ => 1 } qw(08001 08006 08P01 40001 57P03 42501 53100 53200 53300 53400 54000 55000 55P03 0A000 28000 28P01 HV000 HV00R);
# What else, while a bucket comes anew.
my %volatile = ('3D000' => 1);

my %limits = (key => 15, scan => 40);

# connstr, folder, keys (list of all document keys), seed, number; ends when the file "calm" is in the folder
sub new
{
	my ($class, $kind, %param) = @_;
	my $self = bless {
		%param, kind => $kind, random => CbFaults::Random->new($param{seed} * 100 + $param{number}),
		asked => 0, right => 0, errors => {}, wrong => [], slowest => 0, slowest_what => '', told => {} }, $class;

	return $self;
}

sub open_session
{
	my ($self) = @_;
	$self->{session} = CbSession->new($self->{connstr}, "$self->{folder}/errors.$self->{number}");
	$self->{session}->ask("SET statement_timeout = '55s'", 60);
	return;
}

sub complain
{
	my ($self, $text) = @_;
	push @{ $self->{wrong} }, sprintf('%.3f %s: %s', time(), $self->{kind}, $text);
	return;
}

sub calm { return -e "$_[0]->{folder}/calm"; }

# ---- what is asked

sub number { return shift->{random}->between(@_); }
sub key { return $_[0]->{keys}[ $_[0]->{random}->below(scalar @{ $_[0]->{keys} }) ]; }
sub key_list { return join(', ', map { "'" . $_[0]->key . "'" } 1 .. $_[1]); }

# Each with %s for the table; in brackets, what it is limited by.
my %queries = (
	key => [ 'key', sub { "SELECT id, name, doc->>'price' FROM %s WHERE id = '" . $_[0]->key . "'" } ],
	missing => [ 'key', sub { "SELECT id FROM %s WHERE id = 'none-" . $_[0]->number(1, 1000) . "'" } ],
	any => [ 'key', sub { 'SELECT id, name FROM %s WHERE id IN (' . $_[0]->key_list($_[0]->number(2, 150)) . ') ORDER BY id' } ],
	any_documents => [ 'key', sub {
			"SELECT count(*), md5(string_agg(doc::text, ',' ORDER BY id)) FROM %s WHERE id = ANY (ARRAY[" .
			  $_[0]->key_list($_[0]->number(2, 300)) . '])';
		} ],
	join => [ 'scan', sub {
			'SELECT w.n, t.id, t.name FROM wanted w JOIN %s t ON t.id = w.id WHERE w.n BETWEEN ' . $_[0]->number(1, 200) .
			  ' AND 220 ORDER BY w.n, t.id';
		} ],
	outer_join => [ 'scan', sub {
			'SELECT w.n, t.name FROM (SELECT * FROM wanted WHERE n % 7 = ' . $_[0]->number(0, 6) .
			  ' LIMIT 20) w LEFT JOIN LATERAL (SELECT name FROM %s d WHERE d.id = w.id OFFSET 0) t ON true ORDER BY 1';
		} ],
	range => [ 'scan', sub {
			my ($from, $to) = sort($_[0]->key, $_[0]->key);
			"SELECT id, name FROM %s WHERE id >= '$from' AND id < '$to' ORDER BY id";
		} ],
	first => [ 'scan', sub {
			"SELECT id FROM %s WHERE id > '" . $_[0]->key . "' ORDER BY id LIMIT " . $_[0]->number(1, 20);
		} ],
	prefix => [ 'scan', sub { "SELECT count(*), min(name) FROM %s WHERE id LIKE '" . substr($_[0]->key, 0, 10) . "%%'" } ],
	count => [ 'scan', sub { 'SELECT count(*) FROM %s' } ],
	whole => [ 'scan', sub { "SELECT count(*), md5(string_agg(id || doc::text, ',' ORDER BY id)) FROM %s" } ],
	filter => [ 'scan', sub { "SELECT count(*), max(id) FROM %s WHERE doc->>'active' = 'true'" } ],
	cursor => [ 'scan', sub {
			'BEGIN; DECLARE c CURSOR FOR SELECT id FROM %s ORDER BY id; FETCH ' . $_[0]->number(1, 50) . ' FROM c; ROLLBACK';
		} ],
);

my %menu = (
	keys => [qw(key key missing any any_documents)],
	scans => [qw(range first prefix count whole filter cursor)],
	joins => [qw(join outer_join any)],
	fresh => [qw(key any range count)],
);

# Asks, and sorts the answer: right rows, a documented error, or something to complain about. allowed: further SQLSTATEs
sub judge
{
	my ($self, $name, $sql, $expected, %allowed) = @_;
	my $limit = $limits{ $queries{$name} ? $queries{$name}[0] : 'key' };
	my $answer = $self->{session}->ask($sql, $limit + 30);

	$self->{asked}++;
	($self->{slowest}, $self->{slowest_what}) = ($answer->{seconds}, $name) if $answer->{seconds} > $self->{slowest};
	if ($answer->{lost})
	{
		$self->complain("$answer->{lost} to: $sql\n$answer->{error}");
		die "lost\n";
	}
	$self->complain(sprintf('%s took %.1f s: %s', $name, $answer->{seconds}, $answer->{error}))
	  if $answer->{seconds} > $limit;
	if ($answer->{code} ne '')
	{
		$self->{errors}{ $answer->{code} }++;
		$self->{told}{"$answer->{code} $1"}++ if $answer->{error} =~ /ERROR:  \w+: ([^\n]*)/;
		$self->complain("not a documented error: " . substr($sql, 0, 200) . "\n$answer->{error}")
		  unless $documented{ $answer->{code} } || $allowed{ $answer->{code} };
		$self->complain("a password that nobody refused: $answer->{error}")
		  if $answer->{code} eq '28P01' && $answer->{error} !~ /status (?:04|1f|20|24)/;
		return $answer;
	}
	$self->complain("not the right rows: " . substr($sql, 0, 200) . "\n" . difference($answer->{rows}, $expected))
	  if defined $expected && "@{ $answer->{rows} }" ne "@$expected";
	$self->{right}++;
	return $answer;
}

sub difference
{
	my ($got, $expected) = @_;
	my %got = map { $_ => 1 } @$got;
	my %expected = map { $_ => 1 } @$expected;
	my @missing = grep { !$got{$_} } @$expected;
	my @surplus = grep { !$expected{$_} } @$got;

	return sprintf("%d rows, not %d; missing: %s; too many: %s\n", scalar @$got, scalar @$expected,
		substr("@missing", 0, 300), substr("@surplus", 0, 300));
}

# One query of the kind's menu, against the cluster and against the local copy.
sub ask_once
{
	my ($self, $name, $table) = @_;
	my $query = $queries{$name}[1]->($self);
	my $expected = $self->{session}->ask(sprintf($query, 'truth'), 60);
	my $hurry = $self->{random}->below(12) == 0 && !$self->calm;
	my $answer;

	die "$query: $expected->{error}" if $expected->{error} ne '';
	$self->{session}->ask('SET statement_timeout = ' . $self->number(1, 60), 60) if $hurry;
	$answer = $self->judge($name, sprintf($query, $table), $expected->{rows}, $hurry ? (57014 => 1) : ());
	# The time-out may have stopped a ROLLBACK, and may stop this one.
	$hurry = $self->{session}->ask("ROLLBACK; SET statement_timeout = '55s'", 60)->{code} ne '' while $hurry;
	return $answer;
}

sub reader
{
	my ($self) = @_;
	my $menu = $menu{ $self->{kind} };

	$self->{session}->ask('SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0', 60) if $self->{parallel};
	$self->watch_memory;
	until ($self->calm)
	{
		$self->ask_once($self->{random}->pick(@$menu), $self->{table});
		$self->watch_memory;
	}
	$self->recover(sub { $self->ask_once($_, $self->{table})->{code} eq '' }, @$menu);
	return;
}

# Every query in a session of its own, as short-lived clients have them.
sub fresh
{
	my ($self) = @_;

	until ($self->calm)
	{
		$self->open_session;
		$self->ask_once($self->{random}->pick(@{ $menu{fresh} }), $self->{table});
		$self->{session}->quit;
	}
	$self->open_session;
	$self->recover(sub { $self->ask_once($_, $self->{table})->{code} eq '' }, @{ $menu{fresh} });
	return;
}

# ---- a bucket that comes anew, empty, and a user whose password changes: what is there is right

sub volatile
{
	my ($self) = @_;
	my %truth = map { $_ => 1 } @{ $self->{session}->ask('SELECT id, name FROM truth', 60)->{rows} };
	my @menu = qw(key any range first);
	my $once = sub {
		my ($name) = @_;
		my $query = sprintf($queries{$name}[1]->($self), 'volatile_doc');
		my $answer = $self->judge($name, $query =~ s/SELECT .*? FROM/SELECT id, name FROM/r, undef, %volatile);
		my @strange = grep { !$truth{$_} } @{ $answer->{rows} };

		$self->complain("rows that never were: @strange") if @strange;
		return $answer->{code} eq '';
	};

	$once->($self->{random}->pick(@menu)) until $self->calm;
	$self->recover($once, @menu);
	return;
}

# ---- writing: what each document may be by now

# possible: values (0: no document) that the document may have; ghosts: of inserts of unknown fate, which may still come
sub expect_document
{
	my ($document, $value) = @_;
	return exists $document->{possible}{$value} ||
	  (exists $document->{possible}{0} && exists $document->{ghosts}{$value});
}

sub write_once
{
	my ($self, $key, $document) = @_;
	my $value = ++$self->{value};
	my $doubt = keys %{ $document->{possible} } > 1 || %{ $document->{ghosts} };
	my $what = $self->{random}->pick(exists $document->{possible}{0} ? qw(insert insert update) : qw(update update update delete));
	my $sql = {
		insert => "INSERT INTO written (id, v, pad) VALUES ('$key', $value, repeat('x', $value % 2000))",
		update => "UPDATE written SET v = $value WHERE id = '$key'",
		delete => "DELETE FROM written WHERE id = '$key'"
	}->{$what};
	my $answer = $self->judge($what, "$sql; SELECT :ROW_COUNT", undef, map { $_ => 1 } qw(08007 40001 23505));
	my $result = $what eq 'delete' ? 0 : $value;

	push @{ $document->{history} }, "$what $value: " . ($answer->{code} eq '' ? "@{ $answer->{rows} } rows" : $answer->{error});
	shift @{ $document->{history} } if @{ $document->{history} } > 5;

	# In psql, the SELECT after a failed statement counts nothing.
	if ($answer->{code} eq '' && ($answer->{rows}[0] // 0) == 1)
	{
		$self->complain("$what of a document that was there: $key")
		  if $what eq 'insert' && !exists $document->{possible}{0};
		$document->{possible} = { $result => 1 };
	}
	elsif ($answer->{code} eq '')
	{
		$self->complain("$what finds no document: $key") unless exists $document->{possible}{0};
	}
	elsif ($answer->{code} eq '08007')
	{
		$document->{possible}{$result} = 1;
		$document->{ghosts}{$result} = 1 if $what eq 'insert';
	}
	elsif ($answer->{code} =~ /^(?:40001|23505)$/ && !$doubt)
	{
		$self->complain("$what of $key ends with $answer->{code} though nobody else writes: $answer->{error}");
	}
	return $answer->{code} eq '';
}

sub read_back
{
	my ($self, $key, $document) = @_;
	my $answer = $self->judge('read back', "SELECT v FROM written WHERE id = '$key'", undef);

	return 0 if $answer->{code} ne '';
	my $value = $answer->{rows}[0] // 0;
	$self->complain("$key is $value, not one of " . join(' ', sort keys %{ $document->{possible} }) .
		  ', late inserts: ' . join(' ', sort keys %{ $document->{ghosts} }) . "; what was done:\n" .
		  join('', map { "$_\n" } @{ $document->{history} })) unless expect_document($document, $value);
	return 1;
}

sub writer
{
	my ($self) = @_;
	my %documents = map { ("w$self->{number}-$_" => { possible => { 0 => 1 }, ghosts => {} }) } 1 .. 30;
	my @keys = sort keys %documents;

	$self->watch_memory;
	until ($self->calm)
	{
		my $key = $self->{random}->pick(@keys);

		$self->write_once($key, $documents{$key});
		$self->read_back($key, $documents{$key});
		$self->watch_memory;
	}
	$self->recover(sub { $self->read_back($_, $documents{$_}) }, @keys);
	return;
}

# ---- afterwards

# With the faults gone, everything must work again soon, and what was opened be closed.
sub recover
{
	my ($self, $once, @what) = @_;
	my $start = time();
	my $session = $self->{session};

	foreach (@what)
	{
		until ($once->($_))
		{
			if (time() - $start > 30)
			{
				$self->complain("$_ does not work again within 30 s");
				last;
			}
			sleep(0.1);
		}
	}
	$self->{recovered} = time() - $start;
	$self->{sockets} = $session->descriptors(qr/^socket/);
	$self->watch_memory;
	$session->ask('SELECT cbconn_disconnect_all()', 60);
	$self->{sockets_left} = $session->descriptors(qr/^socket/) - $self->{sockets_before};
	$self->{others_left} = $session->descriptors(qr/^anon_inode|^pipe/) - $self->{others_before};
	return;
}

# The first third of the time is for caches to fill.
sub watch_memory
{
	my ($self) = @_;
	my $now = time();

	return if defined $self->{looked} && $now < $self->{looked} + 1 && !$self->calm;
	$self->{looked} = $now;
	my $memory = $self->{session}->memory;
	$self->{memory_early} = $memory if $now < $self->{start} + $self->{seconds} / 3;
	$self->{memory} = $memory;
	return;
}

# Runs in a process of its own; returns what is to be told.
sub run
{
	my ($self) = @_;
	my $work = { volatile => \&volatile, writer => \&writer, fresh => \&fresh }->{ $self->{kind} } // \&reader;

	$self->{start} = time();
	$self->open_session;
	$self->{sockets_before} = $self->{session}->descriptors(qr/^socket/);
	$self->{others_before} = $self->{session}->descriptors(qr/^anon_inode|^pipe/);
	eval { $work->($self); 1 } or $self->complain($@);
	return { map { $_ => $self->{$_} }
		  qw(kind number asked right errors wrong told slowest slowest_what recovered sockets sockets_left others_left memory_early memory) };
}

1;
