# The client of the query service, against one that does as it is told: what is sent, what is made of every answer, what is
# sent again, what a cancel or a slow reader leads to.
use strict;
use warnings;

use CbCluster;
use CbQuery;
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $cluster = CbCluster->new('--nodes', 2, '--generate', 'default._default.doc=10');
my $service = CbQuery->new;
CbQuery::announce($cluster, $service->{port}, 0);
my $node = PostgreSQL::Test::Cluster->new('main');
# Texts beyond ASCII: later releases would take SQL_ASCII from a locale without an encoding.
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->append_conf('postgresql.conf', "log_temp_files = 0\nlog_statement = none");
$node->start;
$cluster->attach($node, options => '?query_timeout=2s&tracing_threshold_query=300ms');
my $session = $node->background_psql('postgres', on_error_stop => 0);
my $session_pid = $session->query_safe('SELECT pg_backend_pid()');

# Runs a statement in the session; its rows, or what was said instead.
sub outcome
{
	my ($sql) = @_;
	my ($out, $failed) = $session->query($sql);
	my $error = $session->{stderr};

	$session->{stderr} = '';
	return $error ne '' ? $error : $out;
}

sub query
{
	my ($statement, $more) = @_;

	$statement =~ s/'/''/g;
	return outcome("SELECT cbconn_query('cb', '$statement'" . ($more // '') . ')');
}

sub refused
{
	my ($statement, $sqlstate, $message, %more) = @_;
	my $text;

	$session->query_safe('\set VERBOSITY verbose');
	$text = query($statement, $more{arguments});
	$session->query_safe('\set VERBOSITY default');
	like($text, qr/^(?:WARNING.*\n(?:DETAIL.*\n)?(?:LOCATION.*\n)?)?(?:psql:.*?: )?ERROR:  $sqlstate: \Q$message\E/, "$statement: $sqlstate $message");
	like($text, $more{like}, "$statement: more") if $more{like};
	is(query('raw 7'), '7', "$statement: the next one works");
	return;
}

# ---- what is sent ----

$service->requests;
is(query('echo $a', q{, '{"a": 1, "Q_2": ["x", null, {"y": "\"\\\\ `$a"}]}'}), '{"a": 1, "Q_2": ["x", null, {"y": "\"\\\\ `$a"}]}',
	'parameters come back as they were');
my ($request) = $service->requests;
is($request->{statement}, 'echo $a', 'the statement');
is($request->{path}, '/query/service', 'the path');
ok($request->{readonly} && !$request->{pretty} && !$request->{signature} && $request->{metrics}, 'fixed members');
is($request->{authorization}, 'Basic QWRtaW5pc3RyYXRvcjpwYXNzd29yZA==', 'basic authentication');
like($request->{client_context_id}, qr/^pg:postgres:$session_pid:\d+$/, 'database, process and number');
like($request->{agent}, qr{^cbconn_fdw/1\.0 \(PostgreSQL \d+}, 'user agent');
is($request->{timeout}, '86400000000us', 'the limit for the service');
ok(!exists $request->{scan_consistency}, 'no consistency unless asked for');
my $first = $request->{peer};

query('echo', ", readonly => false");
query('echo', ", scan_consistency => 'request_plus'");
query('echo', ", scan_consistency => 'at_plus'");
my @requests = $service->requests;
ok(!exists $requests[0]{readonly}, 'not read-only');
isnt($requests[0]{peer}, $first, 'a write has a connection of its own');
is($requests[1]{scan_consistency}, 'request_plus', 'request_plus');
ok(!exists $requests[2]{scan_consistency}, 'at_plus without writes');
is($requests[1]{peer}, $requests[2]{peer}, 'connections are used again');

$session->query_safe('BEGIN');
$session->query_safe("INSERT INTO cb_doc (id, name) VALUES ('new-$_', 'x')") foreach 1 .. 3;
query('echo', ", scan_consistency => 'at_plus'");
$session->query_safe('COMMIT');
query('echo', ", scan_consistency => 'at_plus'");
@requests = $service->requests;
is($requests[0]{scan_consistency}, 'at_plus', 'at_plus after writes');
is_deeply([ keys %{ $requests[0]{scan_vectors} } ], ['default'], 'vectors by bucket');
my $vector = $requests[0]{scan_vectors}{default};
ok(scalar(keys %$vector) >= 1 && scalar(keys %$vector) <= 3, 'as many vBuckets as were written to');
is(scalar(grep { $_->[0] =~ /^\d+$/ && $_->[0] > 0 && $_->[1] =~ /^\d{5,}$/ } values %$vector), scalar(keys %$vector),
	'number and uuid of each');
ok(!exists $requests[1]{scan_consistency}, 'the next transaction has written nothing');

like(outcome("SELECT cbconn_query('cb', 'echo', '[1]')"), qr/parameters of a SQL\+\+ statement must be a JSON object/, 'an array for parameters');
like(outcome(q{SELECT cbconn_query('cb', 'echo', '{"a b": 1}')}), qr/name is not made of letters, digits and underscores/, 'an odd name');
like(outcome("SELECT cbconn_query('cb', NULL)"), qr/statement must not be null/, 'no statement');
like(outcome("SELECT cbconn_query('cb', 'echo', scan_consistency => 'x')"), qr/invalid scan consistency "x"/, 'odd consistency');
like(outcome("BEGIN READ ONLY; SELECT cbconn_query('cb', 'change 1', readonly => false)"), qr/read-only transaction/, 'a read-only transaction');
outcome('ROLLBACK');
is(scalar($service->requests), 0, 'nothing of that was sent');

# ---- rows ----

is(outcome("SELECT count(*), sum((r->>'n')::int), min(length(r->>'t')) FROM cbconn_query('cb', 'rows 20000 150') r"),
	'20000|199990000|150', 'many rows');
is(outcome("SELECT count(*), max(length(r->>'t')) FROM cbconn_query('cb', 'rows 3 8000000') r"), '3|8000000', 'huge rows');
is(outcome("SELECT count(*) FROM cbconn_query('cb', 'rows 0 0') r"), '0', 'no rows');
is(query('raw [1, {"a": "\u00fc\"]}"}, -2.5e3]'), '[1, {"a": "ü\"]}"}, -2500]', 'a row of anything');
is(outcome("SELECT count(*) FROM cbconn_query('cb', 'slowly 4 0.2') r"), '4', 'slow rows');
like(query('warn'), qr/WARNING:  the query service warns: 5036: divided by zero$/, 'warnings are shown');

# ---- what is wrong ----

refused('cut 0', '08006', 'query on server "cb" failed: the connection was closed in the middle of the answer', like => qr/HTTP request, request r-4/);
refused('cut 5', '08006', 'query on server "cb" failed: the connection was closed in the middle of the answer');
refused('html 200', '08P01', 'query on server "cb" failed: the answer cannot be read: it does not begin with a brace');
refused('html 404', '08P01', 'query on server "cb" failed: HTTP status 404', like => qr/port is not one of the query service/);
refused('html 401', '28P01', 'password authentication failed for user "Administrator" on server "cb"');
refused('garbage', '08006', 'query on server "cb" failed: the answer is not HTTP');
refused('redirect', '08P01', 'query on server "cb" failed: HTTP status 307 without an answer');
refused('body {"results":[1,]}', '08P01', 'query on server "cb" failed: the answer cannot be read: a value is missing');
refused('body {"results":[1]}', '08P01', 'query on server "cb" failed: the answer has no status');
refused('body {"results":[1],"status":"success"}}', '08P01', 'query on server "cb" failed: the answer cannot be read: something follows its end');
refused('shorter', '08006', 'query on server "cb" failed: the answer ends in the middle');
is(query('longer'), '1', 'longer: the answer itself is whole');
refused('raw [1}', '08P01', 'query on server "cb" failed: the answer cannot be read: brackets do not match');
refused('raw {"a" 1}', '22P02', 'invalid input syntax for type json');
refused('status stopped', '57014', 'query on server "cb" failed: the query ended with status "stopped"', like => qr/Somebody has stopped/);
refused('late', '22000', 'query on server "cb" failed: evaluation failed');
is(outcome('SELECT pg_backend_pid()'), $session_pid, 'the same backend all along');

my %codes = (
	1000 => '25006', 1065 => '0A000', 1040 => '22023', 1080 => '57014', 3000 => '42601', 3230 => '0A000', 4000 => '42704', 4120 => '42704',
	5001 => 'HV000', 5010 => '22000', 5073 => '23505', 5500 => '53200', 10000 => '28P01', 12003 => 'HV00R', 12021 => 'HV00R', 12033 => '40001',
	13014 => '42501', 17012 => '23505', 99999 => 'HV000');
$session->query_safe('\set VERBOSITY sqlstate');
foreach my $code (sort { $a <=> $b } keys %codes)
{
	like(query("refuse $code 400 so it is"), qr/ERROR:  $codes{$code}$/m, "code $code is $codes{$code}");
}
$session->query_safe('\set VERBOSITY default');
my $text = query('refuse 4120 404 No index available');
like($text, qr/failed: No index available\n/, 'the service\'s words');
like($text, qr/DETAIL:  Node 127\.0\.0\.1:$service->{port}, code 4120, request r-2\.\n/, 'node, code and request');
like($text, qr/HINT:  An index on the fields of the conditions serves the query/, 'what to do');
like($text, qr/CONTEXT:  remote SQL\+\+: refuse 4120/, 'the statement');
like(query('refuse 4120 404 No index available on keyspace `default`:`b`.`s`.`c` that matches your query. Use CREATE'),
	qr/HINT:  CREATE INDEX name ON `default`:`b`\.`s`\.`c` \(fields of the conditions\) serves the query, CREATE PRIMARY INDEX ON `default`:`b`/, 'with the keyspace');
like(query('role'), qr/HINT:  Grant the role "query_select" on "default:b\.s\.c" to user "Administrator"\./, 'the role to grant');

# ---- what is sent again ----

$service->requests;
is(query("once $_ r$_"), '1', "code $_: again") foreach 1181, 1191, 12015, 14001;
is(query('drop r'), '1', 'a lost connection: again');
is(scalar(grep { defined $_->{statement} } $service->requests), 10, 'each twice');
like(query('once 3000 x'), qr/refused/, 'a syntax error is not sent again');
like(query('cut 2'), qr/in the middle/, 'after the first row: not again');
is(scalar($service->requests), 2, 'once each');

$text = query('drop w', ', readonly => false');
like($text, qr/ERROR:  query on server "cb" failed: the node closed the connection without an answer/, 'a write that may have been made');
like($text, qr/HINT:  The statement may have been executed or not: it was not sent again\./, 'says so');
like($text, qr/WARNING:  writes to bucket "default" on server "cb" were under way at the rollback/, 'and the end of the transaction, too');
is(scalar($service->requests), 1, 'sent once');
is(query('once 1181 w', ', readonly => false'), '1', 'refused before it was run: again');
$text = outcome("BEGIN; SELECT cbconn_query('cb', 'change 3', readonly => false); ROLLBACK");
like($text, qr/3 writes to bucket "default" on server "cb" are not undone by the rollback/, 'what a rollback leaves');
like(outcome("BEGIN; SELECT cbconn_query('cb', 'change 3', readonly => false); PREPARE TRANSACTION 'x'"),
	qr/cannot PREPARE a transaction that has written/, 'no two phases');

$service->requests;
is(query('prepared ok', ', prepared => true'), '1', 'prepared and run');
is(query('prepared ok', ', prepared => true'), '2', 'run by name');
is_deeply([ map { $_->{statement} // $_->{prepared} } $service->requests ], [ 'PREPARE prepared ok', 'ok-1' ], 'what was sent');
is(query('prepared stale', ', prepared => true'), '1', 'another one');
is(query('prepared stale', ', prepared => true'), '1', 'its name is not known any more: prepared again');
is(query('prepared stale', ', prepared => true'), '2', 'by its new name');
is_deeply([ map { $_->{statement} // $_->{prepared} } $service->requests ],
	[ 'PREPARE prepared stale', 'stale-1', 'PREPARE prepared stale', 'stale-2' ], 'what was sent');

# ---- time ----

my $start = time();
refused('silent 9', '08006', 'query on server "cb" failed: no answer within 2.0 s', like => qr/query_timeout/);
cmp_ok(time() - $start, '<', 3.5, 'in time');
is((grep { defined $_->{closed} } $service->requests)[0] ? 1 : 0, 1, 'the connection was closed');
$start = time();
is(query('slowly 3 0.9'), "0\n1\n2", 'slower than the timeout in all');
like(slurp_file($node->logfile), qr/slow query in bucket "default" on server "cb": \d+\.\d ms, node 127\.0\.0\.1:$service->{port}, step: answer/,
	'slow queries are logged');

sub stopped_within
{
	my ($what, $stop) = @_;

	$service->requests;
	CbCluster::send_query($session, "SELECT cbconn_query('cb', 'silent 60')");
	$session->{run}->pump_nb;
	$node->poll_query_until('postgres', "SELECT wait_event IS NOT NULL FROM pg_stat_activity WHERE pid = $session_pid AND query LIKE '%silent%'");
	sleep(0.3);
	my $begin = time();
	$stop->();
	my $error = CbCluster::finish_query($session);
	my $took = time() - $begin;

	cmp_ok($took, '<', 0.5, "$what: in time");
	sleep(0.2);
	is(scalar(grep { defined $_->{closed} } $service->requests), 1, "$what: the connection is closed");
	return $error;
}

like(stopped_within('cancel', sub { $node->safe_psql('postgres', "SELECT pg_cancel_backend($session_pid)") }), qr/canceling statement due to user request/, 'cancel');
is(query('raw 1'), '1', 'the session goes on');
$service->requests;
like(outcome("SELECT cbconn_query('cb', 'rows 1000000 100') LIMIT 3"), qr/"n": 2/, 'LIMIT');
sleep(0.3);
my ($broken) = grep { defined $_->{broken} } $service->requests;
ok(defined $broken && $broken->{broken} < 400000, 'LIMIT: the rest is not fetched');

# ---- memory and slow readers ----

my $memory = sub { $session->query_safe("SELECT pg_size_bytes(split_part(x, ' ', 1) || 'kB') FROM regexp_replace(pg_read_file('/proc/self/status'), '.*VmRSS:\\s*', '') x") };
$session->query_safe("BEGIN; DECLARE c CURSOR FOR SELECT cbconn_query('cb', 'rows 400000 150')");
is($session->query_safe('FETCH FORWARD 2 FROM c') =~ tr/\n//, 1, 'a cursor');
my $before = $memory->();
$session->query_safe('MOVE FORWARD 200000 IN c');
cmp_ok($memory->() - $before, '<', 8e6, 'half of 72 MB was read: memory stays');
sleep(5.5);
$session->query_safe('MOVE FORWARD 20000 IN c');
sleep(0.3);
my ($sent) = grep { defined $_->{sent} && $_->{sent} == 400000 } $service->requests;
is($sent->{sent}, 400000, 'a slow reader gets the rest at once');
cmp_ok($memory->() - $before, '<', 12e6, 'but not into memory');
is($session->query_safe('MOVE FORWARD ALL IN c'), '', 'to its end');
$session->query_safe('CLOSE c; COMMIT');
is($session->query_safe("SELECT count(*) FROM pg_ls_tmpdir()"), '0', 'no temporary file is left');
like(slurp_file($node->logfile), qr/temporary file: path "base\/pgsql_tmp/, 'there was one');

# Neither memory nor descriptors grow, whatever the end.
$session->query_safe(q{CREATE FUNCTION try_query(statement text, more boolean) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN PERFORM cbconn_query('cb', statement, prepared => more); EXCEPTION WHEN OTHERS THEN END $$});
my $many = sub {
	$session->query_safe("SELECT try_query(s, p) FROM generate_series(1, $_[0]) i,
		unnest(ARRAY['raw 1', 'rows 300 40', 'cut 3', 'refuse 3000 400', 'late', 'html 404', 'garbage'], ARRAY[true, false, false, false, false, false, false]) u (s, p)");
};
my $open = sub { $session->query_safe("SELECT count(*) FROM pg_ls_dir('/proc/self/fd')") };
$many->(40);
($before, my $descriptors) = ($memory->(), $open->());
$many->(120);
cmp_ok($memory->() - $before, '<', 1e6, '840 queries: memory stays');
cmp_ok($open->(), '<=', $descriptors + 2, 'descriptors, too');

# A savepoint that ends badly leaves the cursor of the outer level whole.
$session->query_safe("BEGIN; DECLARE c CURSOR FOR SELECT cbconn_query('cb', 'rows 50000 150')");
$session->query_safe('FETCH FORWARD 1 FROM c');
like(outcome("SAVEPOINT s; SELECT cbconn_query('cb', 'refuse 3000 400')"), qr/refused/, 'an error in a savepoint');
outcome('ROLLBACK TO s');
is($session->query_safe("FETCH FORWARD 1 FROM c") =~ s/"t".*//r, '{"n": 1, ', 'the cursor goes on');
$session->query_safe('MOVE FORWARD 49997 IN c');
is($session->query_safe("FETCH FORWARD 5 FROM c") =~ s/"t".*//sr, '{"n": 49999, ', 'to its end');
$session->query_safe('COMMIT');

# Two queries at a time, row by row.
is(outcome("SELECT count(*), bool_and(a->>'n' = b->>'n') FROM
	(SELECT cbconn_query('cb', 'rows 30000 90') AS a, cbconn_query('cb', 'rows 30000 90') AS b) x"), '30000|t', 'side by side');

# ---- nodes ----

my $other = CbQuery->new;
my $closed = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1');
my $dead = $closed->sockport;
close($closed);
CbQuery::announce($cluster, $dead, $other->{port});
outcome("SELECT cbconn_disconnect('cb')");
is(query('raw 1'), '1', "one of two nodes is dead ($_)") foreach 1 .. 6;
is(scalar(grep { $_->{statement} } $other->requests), 6, 'all went to the other');
CbQuery::announce($cluster, $service->{port}, $other->{port});
outcome("SELECT cbconn_disconnect('cb')");
$service->requests;
query('raw 1') foreach 1 .. 40;
my @counts = map { scalar(grep { $_->{statement} } $_->requests) } $service, $other;
is($counts[0] + $counts[1], 40, 'two nodes');
cmp_ok($counts[0], '>', 5, 'both are used');
cmp_ok($counts[1], '>', 5, 'both are used');
my ($silent) = CbCluster::listener(sub { }) =~ /:(\d+)$/;
CbQuery::announce($cluster, $service->{port}, $silent);
$cluster->attach($node, server => 'patient', options => '?config_node_timeout=700ms&query_timeout=1s');
is(outcome("SELECT node, state, error FROM cbconn_ping('patient') WHERE service = 'query' ORDER BY state"),
	"127.0.0.1:$service->{port}|ok|\n127.0.0.1:$silent|timeout|HTTP request: no answer in time", 'cbconn_ping()');
is(outcome("SELECT step, target, ok, detail FROM cbconn_diag('patient') WHERE step ~ '^(query|SQL)' ORDER BY ok DESC, lower(step)"),
	"query service|127.0.0.1:$service->{port}|t|\nSQL++ statement|patient|t|\nquery service|127.0.0.1:$silent|f|HTTP request: no answer in time", 'cbconn_diag()');
CbQuery::announce($cluster, $dead, 0);
outcome("SELECT cbconn_disconnect('cb')");
$start = time();
like(query('raw 1'), qr/failed: Connection refused\nDETAIL:  Node 127\.0\.0\.1:$dead, step: TCP connect\./, 'no node takes connections');
cmp_ok(time() - $start, '<', 4, 'in time');
CbCluster::send_query($session, "SELECT cbconn_query('cb', 'raw 8')");
sleep(0.7);
CbQuery::announce($cluster, 0, $other->{port});
is(CbCluster::finish_query($session), '', 'the service moves to another node while it is looked for');
is(scalar(grep { ($_->{statement} // '') eq 'raw 8' } $other->requests), 1, 'which is asked');
CbQuery::announce($cluster, 0, 0);
outcome("SELECT cbconn_disconnect('cb')");
like(query('raw 1'), qr/no node of server "cb" offers the query service/, 'no node has the service');
CbQuery::announce($cluster, $service->{port}, 0);
is(query('raw 9'), '9', 'as soon as one has, it is found');

# ---- rights ----

$node->safe_psql('postgres', 'CREATE ROLE somebody');
like(outcome("SET ROLE somebody; SELECT cbconn_query('cb', 'raw 1')"), qr/permission denied for foreign server cb/, 'USAGE is needed');
outcome('RESET ROLE');
$node->safe_psql('postgres', 'GRANT USAGE ON FOREIGN SERVER cb TO somebody');
like(outcome("SET ROLE somebody; SELECT cbconn_query('cb', 'raw 1')"), qr/user mapping not found/, 'and a user mapping');
outcome('RESET ROLE');
is(outcome('SELECT pg_backend_pid()'), $session_pid, 'the same backend to the end');
$session->quit;
$node->stop;
unlike(slurp_file($node->logfile), qr/leak|PANIC|TRAP/, 'no leak is told of');
done_testing();
