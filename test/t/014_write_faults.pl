# Writing while things go wrong: every document is accounted for. What a statement says was written is on the cluster,
# what it says was not is not, and what may have been written is never sent again.
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $cluster = CbCluster->new('--nodes', 3, '--generate', 'default._default.doc=1');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 2');
$node->start;
$cluster->attach($node, options => '?kv_timeout=1500ms');

# What the server has logged since the last statement began.
my $log_offset = 0;

sub logged
{
	return slurp_file($node->logfile, $log_offset);
}

# Runs a statement; returns what came on standard error, with SQLSTATEs.
sub run
{
	my ($sql) = @_;
	my $stderr;

	$log_offset = -s $node->logfile;
	$node->psql('postgres', "\\set VERBOSITY verbose\n$sql", stderr => \$stderr);
	return $stderr;
}

sub insert_statement
{
	my ($prefix, $n) = @_;

	return "INSERT INTO cb_doc (id, name) SELECT '$prefix-' || lpad(i::text, 6, '0'), repeat('x', 500)"
	  . " FROM generate_series(1, $n) i";
}

sub insert
{
	return run(insert_statement(@_));
}

# The same in a session that is connected to all nodes; happening is what happens to the cluster before or meanwhile.
sub insert_connected
{
	my ($statement, $before, @meanwhile) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 0);

	$session->query_safe('\\set VERBOSITY verbose');
	$session->query_safe('SELECT count(name) FROM cb_doc');
	$cluster->control($before) if $before;
	$log_offset = -s $node->logfile;
	CbCluster::send_query($session, $statement);
	sleep(0.2) if @meanwhile;
	$cluster->control($_) for @meanwhile;
	my $error = CbCluster::finish_query($session);
	$session->quit;
	return $error;
}

# By key: look-ups see every write at once.
sub on_server
{
	my ($prefix, $n) = @_;

	return $node->safe_psql('postgres', "SELECT count(*) FROM cb_doc WHERE id = ANY"
		  . " (ARRAY(SELECT '$prefix-' || lpad(i::text, 6, '0') FROM generate_series(1, $n) i))");
}

# Those of PREFIX-0 to PREFIX-9 that are there.
sub keys_on_server
{
	my ($table, $prefix) = @_;

	return $node->safe_psql('postgres', "SELECT string_agg(id, ' ' ORDER BY id) FROM $table WHERE id = ANY"
		  . " (ARRAY(SELECT '$prefix-' || i FROM generate_series(0, 9) i))");
}

# The numbers an error tells: written, not written, of unknown fate.
sub account
{
	my ($error) = @_;
	my ($applied) = $error =~ /This statement wrote (\d+) document/;
	my ($failed) = $error =~ /Not written: (\d+) document/;
	my ($unknown) = $error =~ /Of unknown fate: (\d+) document/;

	$unknown //= $error =~ /08007/ ? 1 : 0;
	return ($applied // 0, $failed // 0, $unknown);
}

# The keys that a part of an error's detail names.
sub named
{
	my ($error, $part) = @_;
	my ($list) = $error =~ /$part: \d+ documents?: ([^.]*)\./;

	return defined $list ? sort($list =~ /"([^"]*)"/g) : ();
}

# The keys that a part of a logged detail names.
sub all_named
{
	my ($log, $part) = @_;
	my ($list) = $log =~ /$part: \d+ documents?: ((?:"[^"]*"(?:, )?)+)\./;

	return defined $list ? ($list =~ /"([^"]*)"/g) : ();
}

# The keys that are on the cluster are those that were reported: all that were written, none that was not, and of those of unknown fate
# nobody knows. The server's log names them all.
sub accounted
{
	my ($prefix, $n, $error) = @_;
	my ($applied, $failed, $unknown) = account($error);
	my $name = $prefix;
	my $log = logged();
	my ($failing) = $error =~ /ERROR: .*? document "([^"]*)"/;
	my %not = map { $_ => 1 } all_named($log, 'Not written');
	my %unsure = map { $_ => 1 } all_named($log, 'Of unknown fate');
	my @there = split /\n/, $node->safe_psql('postgres', "SELECT id FROM cb_doc WHERE id = ANY"
		  . " (ARRAY(SELECT '$prefix-' || lpad(i::text, 6, '0') FROM generate_series(1, $n) i))");

	$unsure{$failing} = 1 if $unknown == 1;
	$not{$failing} = 1 if $unknown == 0;
	is(scalar(keys %unsure), $unknown, "$name: all keys of unknown fate are named ($unknown)");
	is(scalar(keys %not), $failed || 1, "$name: all keys not written are named ($failed)") if $unknown == 0 || $failed;
	is(scalar(grep { !$unsure{$_} } @there), $applied, "$name: what was written is there, and nothing else ($applied)");
	is(scalar(grep { $not{$_} } @there), 0, "$name: what was not written is not there");
	my ($warned) = $error =~ /WARNING: .*?(\d+) writes? to bucket/;
	is($warned // 0, $applied, "$name: the warning tells the same number");
	return $unknown;
}

# ---- refused for now: tried again ----

$cluster->control('tmpfail all opcode=2 count=700');
is(insert('storm', 5000), '', 'a storm of temporary failures is weathered');
is(on_server('storm', 5000), 5000, 'all of them are there');

$cluster->control('fault 0 kind=status status=0xa2 opcode=2 count=20');
$cluster->control('fault 1 kind=status status=0x09 opcode=2 count=20');
$cluster->control('fault 2 kind=status status=0x08 opcode=2 count=20');
is(insert('later', 3000), '', 'durable writes in progress, locks, a bucket that is loading: tried again');
is(on_server('later', 3000), 3000, 'all of them are there');

# ---- refused for good ----

$cluster->control('tmpfail 0 opcode=2 count=-1');
my $error = insert('full', 3000);
$cluster->control('clear 0');
like($error, qr/ERROR:  57P03: could not write document "full-\d+" .*temporary failure/, 'refused until the time is over');
is(accounted('full', 3000, $error), 0, 'refused: no fate is unknown');

# ---- the connection breaks ----

for my $kind ('close', 'close-after', 'truncate offset=20', 'corrupt offset=13')
{
	my ($name) = $kind =~ /([a-z-]+)/;

	$cluster->control("fault 0 opcode=2 count=1 skip=200 kind=$kind");
	$error = insert($name, 3000);
	like($error, qr/ERROR:  08007: it is unknown whether document "$name-\d+"/, "$name: unknown fate");
	cmp_ok(accounted($name, 3000, $error), '>', 0, "$name: some fates are unknown");
}

$cluster->control('fault all opcode=2 count=1 kind=close-after');
$error = run(q{INSERT INTO cb_doc (id, name) SELECT 'once-' || i, 'x' FROM generate_series(0, 9) i});
like($error, qr/ERROR:  08007/, 'applied, then cut: not sent again, which would find the key taken');
unlike($error, qr/exists/, 'none is said to have been there before');
my ($applied, $failed, $unknown) = account($error);
is($applied + $failed + $unknown, 10, 'each key is accounted for');

# A packet that is longer than what the kernel takes from a sender before the peer reads: it cannot have been applied.
$error = insert_connected(q{INSERT INTO cb_doc (id, name) SELECT 'huge-' || i, text FROM generate_series(0, 2) i,
	(SELECT string_agg(md5(random()::text), '') AS text FROM generate_series(1, 400000)) t}, 'pause all', 'drop all', 'resume all');
is($error, '', 'connections break before whole packets have left: sent again');
is(keys_on_server('cb_doc', 'huge'), 'huge-0 huge-1 huge-2', 'and applied');

# ---- silence ----

$cluster->control('fault 1 opcode=2 count=1 skip=100 kind=silent');
$error = insert('silent', 3000);
like($error, qr/ERROR:  08007: .* no answer within 1\.5 s/, 'an answer that never comes');
cmp_ok(accounted('silent', 3000, $error), '==', 1, 'silent: one fate is unknown');

$error = insert_connected(insert_statement('paused', 3000), 'pause 1');
$cluster->control('resume 1');
like($error, qr/ERROR:  08007: .* no answer within 1\.5 s/, 'a node that hangs');
accounted('paused', 3000, $error);

$cluster->control('pause 1');
$error = insert('mute', 3000);
$cluster->control('resume 1');
# Whether the session has asked this node first for the configuration, and so knows already, is left to chance.
like($error, qr/ERROR:  (?:08006: .* no connection within 1\.5 s|08001: .* no answer in time \(\d\.\d s ago, not tried since\)).*step: HELLO/s,
	'a node that cannot be connected to');
is(accounted('mute', 3000, $error), 0, 'mute: no fate is unknown');

# ---- a node dies ----

# Slow enough that the statement cannot be through before the node dies.
$error = insert_connected(insert_statement('dying', 100000), 'delay all ms=50', 'kill 1', 'delay all ms=0');
like($error, qr/ERROR: .*(could not write|it is unknown whether) document/, 'a node dies in the middle');
$cluster->control('revive 1');
cmp_ok((account($error))[0], '>', 0, 'dying: some were written');
accounted('dying', 100000, $error);

$cluster->control('kill 1');
$error = run(q{INSERT INTO cb_doc (id, name) SELECT 'dead-' || i, 'x' FROM generate_series(0, 9) i});
$cluster->control('revive 1');
like($error, qr/ERROR:  08006/, 'a node is dead already: refused, not unknown');
my %failed = map { $_ => 1 } named($error, 'Not written');
is(keys_on_server('cb_doc', 'dead'),
	join(' ', grep { !$failed{$_} } map { "dead-$_" } 0 .. 9),
	'dead: the keys on the cluster are those that were not reported');

# ---- cancelled ----

$error = insert_connected("SET statement_timeout = '300ms'; " . insert_statement('cancel', 3000), 'pause 2');
$cluster->control('resume 2');
like($error, qr/ERROR:  57014/, 'cancelled while a node hangs');
($applied) = $error =~ /WARNING: .*?(\d+) writes? to bucket/;
($unknown) = $error =~ /The fate of (\d+) writes? is unknown/;
cmp_ok($unknown, '>', 0, 'cancelled: the warning tells of unknown fates');
my $count = on_server('cancel', 3000);
ok($applied <= $count && $count <= $applied + $unknown, "cancelled: $applied <= $count <= $applied + $unknown");

# ---- documents that are read again, to be changed as a whole ----

$node->safe_psql('postgres', q{ALTER FOREIGN TABLE cb_doc ADD COLUMN cas numeric OPTIONS (meta 'cas'), ADD COLUMN f float8;
	INSERT INTO cb_doc (id, doc) SELECT 'whole-' || lpad(i::text, 6, '0'), '{"keep": 1}' FROM generate_series(1, 3000) i;
	CREATE TABLE before (id text, cas numeric)});
my $whole = q{id = ANY (ARRAY(SELECT 'whole-' || lpad(i::text, 6, '0') FROM generate_series(1, 3000) i))};

# Removes a field that is not there; what the statement says, and how many documents have another CAS now.
sub change_whole
{
	$node->safe_psql('postgres', "TRUNCATE before; INSERT INTO before SELECT id, cas FROM cb_doc WHERE $whole");
	$cluster->control($_) for @_;
	my $error = run("UPDATE cb_doc SET name = NULL WHERE $whole");
	return ($error, $node->safe_psql('postgres', "SELECT count(*) FROM cb_doc JOIN before USING (id) WHERE cb_doc.cas <> before.cas AND $whole"));
}

($error, my $changed) = change_whole('tmpfail all opcode=0 count=200', 'tmpfail 0 opcode=3 count=50');
is("$changed $error", '3000 ', 'reads and writes of them that are refused for now are tried again');
($error, $changed) = change_whole('fault 0 opcode=0 count=1 skip=200 kind=close');
($applied, $failed, $unknown) = account($error);
$applied = 3000 if $error eq '';
ok($applied <= $changed && $changed <= $applied + $unknown,
	"a connection breaks while they are read, perhaps with writes under way: $applied <= $changed <= $applied + $unknown");
($error, $changed) = change_whole('fault 0 opcode=3 count=1 skip=200 kind=close-after');
like($error, qr/ERROR:  08007: it is unknown whether document "whole-\d+"/, 'a connection breaks while they are replaced');
($applied, $failed, $unknown) = account($error);
ok($applied <= $changed && $changed <= $applied + $unknown, "whole: $applied <= $changed <= $applied + $unknown");
cmp_ok($applied + $failed + $unknown, '<=', 3000, "whole: no key is told of twice ($failed not written)");
is($node->safe_psql('postgres', "SELECT DISTINCT doc FROM cb_doc WHERE $whole"), '{"keep": 1}', 'whole: nothing else has changed');

# ---- errors of another kind while writes are under way ----

# What is wrong with a row is thrown after the outcomes of those before it.
$error = run(q{INSERT INTO cb_doc (id, f) SELECT 'nan-' || lpad(i::text, 6, '0'), CASE i WHEN 2500 THEN 'NaN'::float8 ELSE i END FROM generate_series(1, 3000) i});
like($error, qr/ERROR:  22003: /, 'a value that JSON cannot hold');
like($error, qr/WARNING:  01000: 2499 writes to bucket/, 'nan: the warning tells exactly');
unlike($error, qr/unknown/, 'nan: no fate is unknown');
is(on_server('nan', 3000), 2499, 'nan: that many are there');
$node->safe_psql('postgres', q{UPDATE cb_doc SET doc = '[]' WHERE id = 'whole-001500'});
($error, $changed) = change_whole();
is("$changed $error", '3000 ', 'removing a field from an array changes nothing');
$error = run("UPDATE cb_doc SET name = 'new' WHERE $whole");
like($error, qr/ERROR:  HV004: cannot write path "name".*CONTEXT:  foreign table "cb_doc", document "whole-001500"/s, 'a path that is blocked');
unlike($error, qr/unknown/, 'blocked: no fate is unknown');
($applied) = $error =~ /WARNING: .*?(\d+) writes? to bucket/;
is($node->safe_psql('postgres', "SELECT count(*) FROM cb_doc WHERE name = 'new' AND $whole"), $applied // 0, 'blocked: the warning tells exactly');

# Errors elsewhere in the statement abort it at once: what was under way is counted as unknown.
$error = run(q{INSERT INTO cb_doc (id, name) SELECT 'div-' || lpad(i::text, 6, '0'), (1 / (2500 - i))::text FROM generate_series(1, 3000) i});
like($error, qr/ERROR:  22012/, 'a division by zero');
($applied) = $error =~ /WARNING: .*?(\d+) writes? to bucket/;
($unknown) = $error =~ /The fate of (\d+) writes? is unknown/;
$count = on_server('div', 3000);
ok($applied // 0 <= $count && $count <= ($applied // 0) + ($unknown // 0), 'division: ' . ($applied // 0) . " <= $count <= the same + " . ($unknown // 0));
cmp_ok(($applied // 0) + ($unknown // 0), '<=', 2499, 'division: no more than were sent');

# ---- what transactions say ----

$error = run(q{BEGIN; INSERT INTO cb_doc (id, name) VALUES ('xact-1', 'x'), ('xact-2', 'x'); ROLLBACK;});
like($error, qr/WARNING:  01000: 2 writes to bucket "default" on server "cb" are not undone by the rollback/,
	'ROLLBACK warns with the number of writes');
is($node->safe_psql('postgres', q{SELECT count(*) FROM cb_doc WHERE id IN ('xact-1', 'xact-2')}), 2, 'they stay');
is(run(q{BEGIN; INSERT INTO cb_doc (id, name) VALUES ('xact-3', 'x'); COMMIT;}), '', 'COMMIT does not');
$error = run(q{BEGIN; INSERT INTO cb_doc (id, name) VALUES ('xact-4', 'x'); SAVEPOINT s;
	INSERT INTO cb_doc (id, name) VALUES ('xact-5', 'x'), ('xact-6', 'x'); ROLLBACK TO s; COMMIT;});
like($error, qr/WARNING:  01000: 2 writes to bucket/, 'ROLLBACK TO warns of its part');
unlike($error, qr/WARNING.*WARNING/s, 'once');
$error = run(q{BEGIN; INSERT INTO cb_doc (id, name) VALUES ('xact-7', 'x'); PREPARE TRANSACTION 'p';});
like($error, qr/ERROR:  0A000: cannot PREPARE a transaction that has written to bucket "default"/,
	'PREPARE TRANSACTION is refused after a write');
is(run(q{BEGIN; SELECT count(*) FROM cb_doc; PREPARE TRANSACTION 'p'; ROLLBACK PREPARED 'p';}), '', 'not after a read');

# ---- durability ----

my $durable = CbCluster->new('--config', "$ENV{CBCONN_TMP}/t/replicas.json");
$durable->attach($node, server => 'dur', options => '?kv_timeout=1500ms&kv_durable_timeout=1500ms');
$node->safe_psql('postgres', q{
	ALTER FOREIGN TABLE dur_doc OPTIONS (DROP collection, ADD durability 'majority')});
my $insert = q{INSERT INTO dur_doc (id, name) SELECT '%s-' || i, 'x' FROM generate_series(0, 9) i};

is(run(sprintf($insert, 'ok')), '', 'durable writes');
my %vbucket = map { split /\|/ } split /\n/,
  $node->safe_psql('postgres', q{ALTER FOREIGN TABLE dur_doc ADD COLUMN vb int OPTIONS (meta 'vbucket');}
	  . sprintf($insert, 'imp') . q{; } . sprintf($insert, 'amb')
	  . q{; SELECT id, vb FROM dur_doc WHERE id LIKE 'imp-%' OR id LIKE 'amb-%';}
	  . q{ DELETE FROM dur_doc WHERE id LIKE 'imp-%' OR id LIKE 'amb-%'});
$durable->control("topology bucket=default vbucket=$vbucket{$_} kind=unassigned") for 'imp-3', 'imp-7';
$error = run(sprintf($insert, 'imp'));
like($error, qr/ERROR:  55000: .*durability impossible/, 'durability impossible: its own error');
is(join(' ', named($error, 'Not written')), 'imp-3 imp-7', 'impossible: the keys are named');
is(keys_on_server('dur_doc', 'imp'), join(' ', map { "imp-$_" } 0, 1, 2, 4, 5, 6, 8, 9), 'impossible: the others are there');
$durable->control("topology bucket=default vbucket=$vbucket{$_} kind=map") for 'imp-3', 'imp-7';
$durable->control("topology bucket=default vbucket=$vbucket{$_} kind=silent") for 'amb-3', 'amb-7';
$error = run(sprintf($insert, 'amb'));
like($error, qr/ERROR:  08007: .*durable write/, 'durability ambiguous: unknown fate');
is(join(' ', named($error, 'Of unknown fate')), 'amb-3 amb-7', 'ambiguous: the keys are named');
my %there = map { $_ => 1 } split / /, keys_on_server('dur_doc', 'amb');
is(scalar(grep { $there{"amb-$_"} } 0, 1, 2, 4, 5, 6, 8, 9), 8, 'ambiguous: the others are there');

done_testing();
