# Spoilt and odd documents read as every type: the backend lives, errors are of the kinds for data, and what can be read is
# what PostgreSQL makes of the same text. Another run: CB_RANDOM_SEED=number, CB_RANDOM_ROUNDS=hundreds of documents.
use strict;
use warnings;

use CbCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{CB_RANDOM_SEED} // 1;
my $rounds = $ENV{CB_RANDOM_ROUNDS} // 4;
srand($seed);

my $cluster = CbCluster->new('--config', "$ENV{CBCONN_TMP}/t/few_vbuckets.json");
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$cluster->attach($node);

my @types = (qw(bool int2 int4 int8 float4 float8 numeric), 'numeric(6,2)', qw(text varchar(5) char(3) name bytea date time timetz timestamp
	timestamptz interval uuid inet cidr macaddr json jsonb int[] text[] jsonb[] timestamp[] int4range tsrange point bit(4) varbit
	tsvector oid "char" mood pair pair[] code tsmultirange));
my $columns = join(', ', (map { "c$_ $types[$_] OPTIONS (path 'v')" } 0 .. $#types),
	q{ms timestamptz OPTIONS (path 'v', format 'epoch_ms'), s date OPTIONS (path 'v', format 'epoch_s')},
	q{deep text OPTIONS (path 'v.a[1]."b c"')}, q{doc jsonb OPTIONS (document 'true')});
$columns =~ s/\."b c"/.`b c`/;
$node->safe_psql('postgres', qq{
	CREATE TYPE mood AS ENUM ('sad', 'happy');
	CREATE TYPE pair AS (a int, b text);
	CREATE DOMAIN code AS text;
	CREATE FOREIGN TABLE raw (id text OPTIONS (key 'true') COLLATE "C", body bytea OPTIONS (document 'true'))
		SERVER cb OPTIONS (collection 'doc', insert_mode 'upsert');
	CREATE FOREIGN TABLE lenient (id text OPTIONS (key 'true') COLLATE "C", $columns) SERVER cb OPTIONS (collection 'doc', on_type_error 'null');
	CREATE FOREIGN TABLE strict (id text OPTIONS (key 'true') COLLATE "C", $columns) SERVER cb OPTIONS (collection 'doc');
	CREATE TABLE spoilt (id text, body bytea);
	CREATE TABLE outcome (id text, col text, state text);
	CREATE FUNCTION try_jsonb(b bytea) RETURNS jsonb LANGUAGE plpgsql AS \$\$
	BEGIN
		RETURN convert_from(b, 'UTF8')::jsonb;
	EXCEPTION WHEN OTHERS THEN RETURN NULL;
	END \$\$;
	CREATE PROCEDURE read_strictly() LANGUAGE plpgsql AS \$\$
	DECLARE
		d record;
		c text;
		t text;
	BEGIN
		FOR d IN SELECT id FROM spoilt ORDER BY random() LIMIT 60 LOOP
			FOR c IN SELECT attname FROM pg_attribute WHERE attrelid = 'strict'::regclass AND attnum > 1 LOOP
				BEGIN
					EXECUTE format('SELECT %I::text FROM strict WHERE id = %L', c, d.id) INTO t;
					INSERT INTO outcome VALUES (d.id, c, '00000');
				EXCEPTION WHEN OTHERS THEN
					INSERT INTO outcome VALUES (d.id, c, SQLSTATE);
				END;
			END LOOP;
		END LOOP;
	END \$\$;
});

my @values = ('true', 'false', 'null', '0', '-0', '1', '7.0', '7e0', '1e2', '32767', '32768', '2147483648', '9223372036854775808', '1e400', '-1e-400',
	'0.1234567890123456789012345678901234567890', '1e131071', '1e131072', '123456.789', '""', '"abc"', '"a\u00e9\ud83d\ude00"', '"\ud800"', '"\u0000"', '"\\\\"', '"\n"',
	'"2024-02-29"', '"2023-02-29"', '"0001-01-01"', '"9999-12-31T23:59:60Z"', '"2024-01-01T12:00:00.123456789+02:00"', '"24:00:00"',
	'"294276-12-31T23:59:59Z"', '"infinity"', '"1 day -2 hours"', '"P1Y2M3DT4H5M6S"', '"550e8400-e29b-41d4-a716-446655440000"', '"10.0.0.1/24"', '"::1"',
	'"08:00:2b:01:02:03"', '[]', '{}', '[1,2,3]', '[[1,2],[3,4]]', '[[1],[2,3]]', '["a",null,"b"]', '[{"a":1,"b":"x"},null]', '{"a":1,"b":"x"}', '{"a":"1"}',
	'{"a":[0,{"b c":"deep"}]}', '"[1,5)"', '"(1,2)"', '"1010"', '"happy"', '"aGVsbG8="', '"aGVsbG8"', '1709164800', '1709164800123', '-62135596800000', '8210266876799999',
	'1e18', '[' x 40 . ']' x 40, '[[[[[[[1]]]]]]]', '"' . 'x' x 3000 . '"', '"a b c"', '"{}"');
my @parts = ('"', '\\', '{', '}', '[', ']', ',', ':', '\u', '\ud83d', "\x00", "\xff", "\xc0\x80", "\xed\xa0\x80", '-', '.', 'e', '0', ' ', "\xef\xbb\xbf", 'null', '"v":', '/*');

sub spoil
{
	my ($text) = @_;

	foreach (1 .. int(rand(3)))
	{
		my $at = int(rand(length($text) + 1));
		my $what = int(rand(5));

		if ($what == 0) { substr($text, $at, 1) = '' if $at < length $text; }
		elsif ($what == 1) { substr($text, $at, 1) = chr(int(rand(256))) if $at < length $text; }
		elsif ($what == 2) { substr($text, $at, 0) = $parts[ rand @parts ]; }
		elsif ($what == 3) { $text = substr($text, 0, $at) if rand() < 0.3; }
		else { substr($text, $at, 0) = $values[ rand @values ]; }
	}
	return $text;
}

my $pid = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
my $log = -s $node->logfile;
my $whole = 0;
foreach my $round (1 .. $rounds)
{
	my @rows;

	foreach my $i (1 .. 100)
	{
		my $value = $values[ rand @values ];
		my $text = rand() < 0.2 ? $value : '{"u":' . $values[ rand @values ] . ',"v":' . $value . '}';

		$text = spoil($text) if $i % 3;
		push @rows, "('$i', '\\x" . unpack('H*', $text) . "')";
	}
	$node->safe_psql('postgres', 'TRUNCATE spoilt; INSERT INTO spoilt VALUES ' . join(', ', @rows) . '; INSERT INTO raw SELECT * FROM spoilt');

	my ($all, $stderr);
	my $status = $node->psql('postgres', q{SELECT * FROM lenient WHERE id IN (SELECT id FROM spoilt)}, stdout => \$all, stderr => \$stderr);
	is("$status $stderr", '0 ', "seed $seed, round $round: all can be read where what does not fit is NULL");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM spoilt s JOIN raw r ON r.id = s.id AND r.body = s.body'), 100, 'bytes are what they were');

	# Where a member is repeated, the first counts here and the last in jsonb.
	my $differ = $node->safe_psql('postgres', q{
		SELECT s.id, encode(s.body, 'escape'), l.* FROM lenient l JOIN (SELECT *, try_jsonb(body) AS j FROM spoilt) s ON s.id = l.id
		WHERE s.j IS NOT NULL AND (length(encode(s.body, 'escape')) - length(replace(encode(s.body, 'escape'), '"v"', ''))) / 3 = 1 AND (
			l.doc IS DISTINCT FROM s.j
			OR jsonb_typeof(s.j) = 'object' AND (
				l.c24 IS DISTINCT FROM nullif(s.j -> 'v', 'null')
				OR l.c0::text IS DISTINCT FROM CASE jsonb_typeof(s.j -> 'v') WHEN 'boolean' THEN s.j ->> 'v' END
				OR l.c6 IS DISTINCT FROM CASE jsonb_typeof(s.j -> 'v') WHEN 'number' THEN (s.j ->> 'v')::numeric END
				OR l.c8 IS DISTINCT FROM CASE jsonb_typeof(s.j -> 'v') WHEN 'string' THEN s.j ->> 'v' END))});
	is($differ, '', 'as PostgreSQL reads the same text');
	$whole += $node->safe_psql('postgres', 'SELECT count(*) FROM spoilt WHERE try_jsonb(body) IS NOT NULL');
	$node->safe_psql('postgres', 'CALL read_strictly()');
}
cmp_ok($whole, '>', $rounds * 20, "$whole of the documents are JSON");
is($node->safe_psql('postgres', q{SELECT DISTINCT state FROM outcome WHERE state !~ '^(00|22|HV)' AND NOT (col = 'c34' AND state IN ('42601', '54000')) ORDER BY 1}), '', 'errors are about data');
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM outcome WHERE state = '00000' AND col = 'c8'}), '>', 0, 'some are none');
is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $pid, 'no backend crashed');
unlike(slurp_file($node->logfile, $log), qr/terminated by signal|PANIC|XX000/, 'nothing bad in the log');
$node->stop;
done_testing();
