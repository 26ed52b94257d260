-- INSERT: keys, nested documents, types, metadata, conflicts, modes.
\set ECHO none
\set collection insert
\i test/sql/write_setup.sql
\set ECHO all
CREATE FOREIGN TABLE t (
  id text OPTIONS (key 'true') COLLATE "C",
  n int DEFAULT 7, name text,
  lat float8 OPTIONS (path 'geo.lat'), lon float8 OPTIONS (path 'geo.lon'),
  first text OPTIONS (path 'tags[0]'), third text OPTIONS (path 'tags[2]'), deep int OPTIONS (path 'a[1].b.`odd.name`'),
  twice int GENERATED ALWAYS AS (n * 2) STORED
) SERVER w OPTIONS (collection 'insert');

-- columns without a value are fields that are not there
INSERT INTO t (id, name, lat, third, deep) VALUES ('a', E'x"y\\z\n\u00e9😀', 1.5, 't', 3);
INSERT INTO t (id, n) VALUES ('b', NULL);
INSERT INTO t VALUES ('c', 1, 'name', 1, 2, 'f', NULL, NULL);
SELECT id, body, flags, kind FROM stored WHERE id IN ('a', 'b', 'c') ORDER BY id;
SELECT * FROM t WHERE id IN ('a', 'b', 'c') ORDER BY id;

-- keys
INSERT INTO t (id) VALUES ('a');
INSERT INTO t (n) VALUES (1);
INSERT INTO t (id) VALUES ('');
INSERT INTO t (id) VALUES (repeat('k', 247));
INSERT INTO t (id, n) VALUES (repeat('k', 246), 1);
INSERT INTO t (id, n) VALUES ('schlüssel 😀', 1);
SELECT length(id), n FROM t WHERE id IN (repeat('k', 246), 'schlüssel 😀') ORDER BY 1;
CREATE FOREIGN TABLE keyless (n int) SERVER w OPTIONS (collection 'insert');
INSERT INTO keyless VALUES (1);
UPDATE keyless SET n = 1;
DELETE FROM keyless;

-- ON CONFLICT
INSERT INTO t (id, n) VALUES ('a', 100) ON CONFLICT DO NOTHING;
INSERT INTO t (id, n) VALUES ('a', 100), ('d', 4), ('b', 100), ('e', 5) ON CONFLICT DO NOTHING;
INSERT INTO t (id, n) VALUES ('d', 100), ('f', 6) ON CONFLICT DO NOTHING RETURNING id, n;
SELECT id, n FROM t WHERE id IN ('a', 'b', 'd', 'e', 'f') ORDER BY id;
INSERT INTO t (id, n) VALUES ('a', 100) ON CONFLICT (id) DO UPDATE SET n = 1;

-- upsert and replace
CREATE FOREIGN TABLE u (id text OPTIONS (key 'true') COLLATE "C", n int) SERVER w OPTIONS (collection 'insert', insert_mode 'upsert');
INSERT INTO u VALUES ('a', 1), ('new', 2), ('new', 3), ('new', 4);
SELECT id, body FROM stored WHERE id IN ('a', 'new') ORDER BY id;
INSERT INTO u VALUES ('a', 50) ON CONFLICT DO NOTHING;
ALTER FOREIGN TABLE u OPTIONS (SET insert_mode 'replace');
INSERT INTO u VALUES ('a', 2);
INSERT INTO u VALUES ('none', 2);
SELECT id, n FROM u WHERE id IN ('a', 'none');

-- null_as
CREATE FOREIGN TABLE nulls (
  id text OPTIONS (key 'true') COLLATE "C", a int, b int OPTIONS (null_as 'absent'), c text OPTIONS (path 'x.c')
) SERVER w OPTIONS (collection 'insert', null_as 'null');
INSERT INTO nulls (id) VALUES ('nulls');
SELECT body FROM stored WHERE id = 'nulls';
-- a value wins over NULLs of columns in it and around it
CREATE FOREIGN TABLE inside (
  id text OPTIONS (key 'true') COLLATE "C", tags jsonb, first text OPTIONS (path 'tags[0]'), k int OPTIONS (path 'tags.k')
) SERVER w OPTIONS (collection 'insert', null_as 'null');
INSERT INTO inside (id, tags) VALUES ('inside-1', '["a", "b"]'), ('inside-2', '"scalar"');
SELECT id, body FROM stored WHERE id IN ('inside-1', 'inside-2') ORDER BY id;

-- the document column: mapped columns that have a value are put into it
CREATE FOREIGN TABLE d (
  id text OPTIONS (key 'true') COLLATE "C",
  doc jsonb OPTIONS (document 'true'), n int, deep text OPTIONS (path 'o.p[1].q')
) SERVER w OPTIONS (collection 'insert', null_as 'null');
INSERT INTO d VALUES ('d1', '{"n": 1, "z": [1.10, {"y": null}]}');
INSERT INTO d VALUES ('d2', '{"n": 1, "z": 2}', 5, 'q');
INSERT INTO d VALUES ('d3', '{"o": {"p": [1], "r": 2}}', 5, 'q');
INSERT INTO d VALUES ('d4', '[1, 2]');
INSERT INTO d VALUES ('d5', '"text"');
INSERT INTO d VALUES ('d6', NULL, 5);
SELECT id, body FROM stored WHERE id LIKE 'd_' AND id = ANY (ARRAY['d1', 'd2', 'd3', 'd4', 'd5', 'd6']) ORDER BY id;
INSERT INTO d VALUES ('d7', '[1, 2]', 5);
INSERT INTO d VALUES ('d7', '{"o": 1}', 5, 'q');
INSERT INTO d VALUES ('d7', '{"o": {"p": {}}}', NULL, 'q');
-- text and binary documents
INSERT INTO stored VALUES ('s1', 'plain text'), ('s2', '{"a":  1}'), ('s3', '"');
CREATE FOREIGN TABLE bin (id text OPTIONS (key 'true') COLLATE "C", body bytea OPTIONS (document 'true'), n int) SERVER w OPTIONS (collection 'insert');
INSERT INTO bin VALUES ('s4', '\x00ff7b', NULL), ('s5', '{"a":1}', NULL), ('s6', '{"a":1}', 3), ('s7', '', NULL);
INSERT INTO bin VALUES ('s8', '\x00ff7b', 3);
ALTER FOREIGN TABLE bin DROP COLUMN n;
ALTER FOREIGN TABLE bin ADD COLUMN flags bigint OPTIONS (meta 'flags'), ADD COLUMN kind text OPTIONS (meta 'datatype');
SELECT * FROM bin WHERE id IN ('s1', 's2', 's3', 's4', 's5', 's6', 's7') ORDER BY id;

-- metadata
CREATE FOREIGN TABLE m (
  id text OPTIONS (key 'true') COLLATE "C", n int,
  expires timestamptz OPTIONS (meta 'expiry'), flags numeric OPTIONS (meta 'flags'), cas bigint OPTIONS (meta 'cas')
) SERVER w OPTIONS (collection 'insert');
INSERT INTO m VALUES ('m1', 1, '2100-01-02 03:04:05.6+00', 4294967295);
INSERT INTO m VALUES ('m2', 1, now() + interval '1 day');
INSERT INTO m VALUES ('m3', 1, now() + interval '60 days');
INSERT INTO m VALUES ('m4', 1, '1970-01-02');
INSERT INTO m VALUES ('m5', 1, 'infinity');
INSERT INTO m VALUES ('m5', 1, '2107-01-01');
INSERT INTO m VALUES ('m5', 1, NULL, -1);
INSERT INTO m VALUES ('m5', 1, NULL, NULL, 12);
SELECT id, flags, CASE WHEN id = 'm1' THEN (expires AT TIME ZONE 'UTC')::text ELSE round(extract(epoch FROM expires - now()) / 86400)::text END
  FROM m WHERE id IN ('m1', 'm2', 'm3', 'm4', 'm5') ORDER BY id;

-- every type comes back as it was
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE pair AS (a int, "b c" text, d jsonb);
CREATE DOMAIN posint AS int CHECK (value > 0);
CREATE TABLE local_types (
  id text PRIMARY KEY, b boolean, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, num numeric, num2 numeric(10,3), t text, vc varchar(10), c char(4),
  j json, jb jsonb, bin bytea, d date, ti time, tz timetz, ts timestamp, tstz timestamptz, u uuid, iv interval, m mood, r int4range, tr tstzrange, ip inet,
  dom posint, ia int[], ta text[], i2d int[], jba jsonb[], tsa timestamptz[], p pair, pa pair[], o oid, ch "char", nm name, mac macaddr, x xml, tsv tsvector, mr int4multirange
);
INSERT INTO local_types VALUES
('v1', true, -32768, -2147483648, -9223372036854775808, 1.1, 0.1, 123456789012345678901234567890.123456789000, 1.5, 'é"\/', 'vc', 'ab',
 '{"a" : [1,2.50, {}], "a":1e400}', '{"b": 1.500, "a": ["\u00e9", null]}', '\x00ff', '2026-02-28', '23:59:59.999999', '01:02:03.5+05:30', '2026-01-01 00:00:00.000001', '2026-07-01 12:00:00.25+02', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '1 year -2 mons 3 days 04:05:06.7', 'happy', '[1,10)', '[2026-01-01,infinity)', '::1/128',
 5, '{1,NULL,3}', '{"a b","NULL",NULL,"q\"uo"}', '{{1,2},{3,4}}', ARRAY['{"a":1}', '[1]', '"s"']::jsonb[], '{2026-01-01 00:00:00+00}', ROW(1, 'x', '{"z": 1}'), ARRAY[ROW(1, NULL, NULL), ROW(NULL, 'y', '[]')]::pair[], 4294967295, 'x', 'a name', '08:00:2b:01:02:03', '<a/>', 'a fat cat', '{[1,3),[5,8)}'),
('v2', false, 32767, 2147483647, 9223372036854775807, 3.4028235e38, 1.7976931348623157e308, -0.000000000000000000001, -9999999.999, '', '', '',
 '{}', 'true', '', '0001-01-01', '00:00', '24:00:00-15:59', '9999-12-31 23:59:59.999999', '0001-01-01 00:00:00+00', '00000000-0000-0000-0000-000000000000', '-00:00:00.000001', 'sad', 'empty', '(,)', '10.0.0.0/8',
 1, '{}', '{""}', '{}', '{}', '{}', ROW(NULL, NULL, NULL), '{}', 0, '', '', 'ff:ff:ff:ff:ff:ff', '', '', '{}'),
('v3', NULL, 0, 0, 0, 1e-45, 5e-324, 0, 0, E'\u0001\t\n\r\b\f', 'ä', 'ä', '"x"', '[]', '\xdeadbeef', '999999-12-31', '12:00', '12:00+00', '1969-12-31 23:59:59', '1900-01-01 00:00:00+00', NULL, '0', NULL, '(,5]', NULL, NULL,
 NULL, '{{{1}},{{2}}}', NULL, '{{NULL,1}}', '{NULL,"1"}', '{NULL}', ROW(5, '', 'false'), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
('v4', NULL, NULL, NULL, NULL, '-0', '-0', 1e100, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE FOREIGN TABLE types (
  id text OPTIONS (key 'true') COLLATE "C", b boolean, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, num numeric, num2 numeric(10,3), t text, vc varchar(10), c char(4),
  j json, jb jsonb, bin bytea, d date, ti time, tz timetz, ts timestamp, tstz timestamptz, u uuid, iv interval, m mood, r int4range, tr tstzrange, ip inet,
  dom posint, ia int[], ta text[], i2d int[], jba jsonb[], tsa timestamptz[], p pair, pa pair[], o oid, ch "char", nm name, mac macaddr, x xml, tsv tsvector, mr int4multirange
) SERVER w OPTIONS (collection 'insert');
SET datestyle = 'SQL, DMY'; SET intervalstyle = sql_standard; SET extra_float_digits = -5; SET timezone = 'Asia/Kolkata';
INSERT INTO types SELECT * FROM local_types;
RESET datestyle; RESET intervalstyle; RESET extra_float_digits; RESET timezone;
SELECT body FROM stored WHERE id = 'v1';
SELECT l.id, l::text = f::text AS same, CASE WHEN l::text <> f::text THEN l::text || E'\n' || f::text END
  FROM local_types l LEFT JOIN types f ON f.id = l.id ORDER BY l.id;

-- JSON null reads as SQL NULL, whoever wrote it
INSERT INTO types (id, j, jb) VALUES ('v5', 'null', 'null');
SELECT body FROM stored WHERE id = 'v5';
SELECT j IS NULL, jb IS NULL FROM types WHERE id = 'v5';

CREATE FOREIGN TABLE stored_json (id text OPTIONS (key 'true') COLLATE "C", doc jsonb OPTIONS (document 'true')) SERVER w OPTIONS (collection 'insert');
-- what JSON cannot hold
SELECT attempt($$ INSERT INTO types (id, f8) VALUES ('x', 'NaN') $$);
SELECT attempt($$ INSERT INTO types (id, f4) VALUES ('x', '-Infinity') $$);
SELECT attempt($$ INSERT INTO types (id, num) VALUES ('x', 'NaN') $$);
SELECT attempt($$ INSERT INTO types (id, num) VALUES ('x', '-Infinity') $$);
SELECT attempt($$ INSERT INTO types (id, d) VALUES ('x', 'infinity') $$);
SELECT attempt($$ INSERT INTO types (id, d) VALUES ('x', '0001-01-01 BC') $$);
SELECT attempt($$ INSERT INTO types (id, d) VALUES ('x', '1000000-01-01') $$);
SELECT attempt($$ INSERT INTO types (id, ts) VALUES ('x', '-infinity') $$);
SELECT attempt($$ INSERT INTO types (id, ts) VALUES ('x', '0044-03-15 BC') $$);
SELECT attempt($$ INSERT INTO types (id, ia) VALUES ('x', '[0:1]={1,2}') $$);
SELECT attempt($$ INSERT INTO types (id, jba) VALUES ('x', '{{1,2},{3,4}}') $$);
SELECT attempt(format('INSERT INTO types (id, j) VALUES (%L, %L)', 'x', repeat('[', 300) || repeat(']', 300)));
SELECT attempt(format('INSERT INTO types (id, jb) VALUES (%L, %L)', 'x', repeat('[', 300) || repeat(']', 300)));
SELECT count(*) FROM types WHERE id = 'x';
-- what is written of jsonb is its own text
CREATE TABLE shapes (id text, doc jsonb);
INSERT INTO shapes VALUES ('shape-1', '{"a": [], "b": {}, "c": [1, [2, {"d": null}], "x"], "e\"\\\u0001\n": "\b\f\r\t/\u007f é 😀"}'), ('shape-2', '"scalar"'),
  ('shape-3', '-1.500'), ('shape-4', 'true'), ('shape-5', '[[[]], [{}], {"a": {"b": [0]}}]'), ('shape-6', '1e30'), ('shape-7', '[]');
INSERT INTO stored_json SELECT * FROM shapes;
SELECT shapes.id, stored.body = shapes.doc::text AS same, CASE WHEN id IN ('shape-1', 'shape-5') THEN body END AS body
  FROM shapes JOIN stored USING (id) WHERE stored.id = ANY (ARRAY(SELECT id FROM shapes)) ORDER BY id;

-- numbers since 1970
CREATE FOREIGN TABLE epochs (
  id text OPTIONS (key 'true') COLLATE "C",
  s timestamptz OPTIONS (format 'epoch_s'), ms timestamp OPTIONS (format 'epoch_ms'), d date OPTIONS (format 'epoch_s'), a timestamptz[] OPTIONS (format 'epoch_ms')
) SERVER w OPTIONS (collection 'insert');
INSERT INTO epochs VALUES ('e1', '2026-01-01 00:00:00.5+00', '2026-01-01 00:00:00.123456', '2026-01-01', '{1970-01-01 00:00:00+00,1969-12-31 23:59:59.999+00}'),
  ('e2', '1960-01-01 00:00:00.000001+00', '1960-01-01', '1960-01-01', '{}');
SELECT id, body FROM stored WHERE id IN ('e1', 'e2') ORDER BY id;
SELECT * FROM epochs WHERE id IN ('e1', 'e2') ORDER BY id;

-- many rows, and what a failure among them leaves
INSERT INTO t (id, n) SELECT 'many-' || i, i FROM generate_series(1, 3000) i;
SELECT count(*), sum(n), sum(twice) FROM t WHERE id = ANY (ARRAY(SELECT 'many-' || i FROM generate_series(1, 3000) i));
SELECT attempt($$ INSERT INTO t (id, n) VALUES ('more-1', 1), ('many-1', 1) $$);
SELECT count(*) FROM t WHERE id = 'more-1';
INSERT INTO t (id, n) SELECT 'many-' || i, i FROM generate_series(2999, 3005) i ON CONFLICT DO NOTHING;
SELECT count(*) FROM t WHERE id = ANY (ARRAY(SELECT 'many-' || i FROM generate_series(1, 3010) i));
ALTER FOREIGN TABLE t OPTIONS (ADD batch_size '1');
INSERT INTO t (id, n) SELECT 'single-' || i, i FROM generate_series(1, 30) i;
SELECT count(*) FROM t WHERE id = ANY (ARRAY(SELECT 'single-' || i FROM generate_series(1, 30) i));
ALTER FOREIGN TABLE t OPTIONS (SET batch_size '0');
ALTER FOREIGN TABLE t OPTIONS (SET batch_size '1.5');

-- a transaction sees what it wrote, by range scans as well
BEGIN;
INSERT INTO t (id, n) VALUES ('own-1', 1), ('own-2', 2);
SELECT id, n FROM t WHERE id LIKE 'own-%' ORDER BY id;
COMMIT;
EXPLAIN (COSTS OFF) INSERT INTO t (id, n) SELECT 'x' || i, i FROM generate_series(1, 2) i;
EXPLAIN (COSTS OFF) INSERT INTO u VALUES ('x', 1);
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) INSERT INTO u SELECT 'own-' || i, i FROM generate_series(1, 2) i;

-- keys are shown as they are, where that is possible
SELECT attempt(format('INSERT INTO t (id) VALUES (%1$L), (%1$L)', k)) FROM unnest(ARRAY[U&'k\00FC \043A', U&'c\0085', E'tab\t', 'back\']) k;

\set ECHO none
\i test/sql/write_cleanup.sql
DROP TABLE local_types, shapes;
DROP TYPE pair, mood;
DROP DOMAIN posint;
