-- UPDATE: only what is assigned is written, under the CAS that was read.
\set ECHO none
\set collection update
\i test/sql/write_setup.sql
\set ECHO all
CREATE FOREIGN TABLE t (
  id text OPTIONS (key 'true') COLLATE "C",
  n int, name text, lat float8 OPTIONS (path 'geo.lat'), city text OPTIONS (path 'geo.address.city'),
  first text OPTIONS (path 'tags[0]'), third text OPTIONS (path 'tags[2]'), odd int OPTIONS (path '`a"b`'),
  twice int GENERATED ALWAYS AS (n * 2) STORED
) SERVER w OPTIONS (collection 'update');
INSERT INTO stored (id, body, expires, flags) VALUES
  ('a', '{"n" : 1, "unmapped":  1.50, "geo": {"lat":1e0 ,"x":[ ]}, "tags":["x","y"]}', '2100-01-01', 33554438),
  ('b', '{}', NULL, NULL), ('c', '{"n": "text", "geo": null}', NULL, NULL), ('d', '{"geo": 1}', NULL, NULL), ('e', '[]', NULL, NULL);

-- what is not assigned stays byte for byte, expiry and flags as well
UPDATE t SET n = 2 WHERE id = 'a';
SELECT body, expires AT TIME ZONE 'UTC' AS expires, flags FROM stored WHERE id = 'a';
UPDATE t SET name = 'new', city = 'Bern', lat = NULL WHERE id IN ('a', 'b');
SELECT id, body FROM stored WHERE id IN ('a', 'b') ORDER BY id;
-- a field that is not there; array elements that are there and that are not; a name with no form in subdocument commands
UPDATE t SET name = NULL, lat = NULL, first = 'f', third = NULL WHERE id IN ('a', 'b');
UPDATE t SET third = 't', odd = 5 WHERE id IN ('a', 'b');
UPDATE t SET first = NULL WHERE id IN ('a', 'b');
SELECT id, body, flags FROM stored WHERE id IN ('a', 'b') ORDER BY id;
SELECT body, expires AT TIME ZONE 'UTC' AS expires, flags FROM stored WHERE id = 'a';
-- parents that are null, scalars, arrays
CREATE FOREIGN TABLE geo (id text OPTIONS (key 'true') COLLATE "C", city text OPTIONS (path 'geo.address.city')) SERVER w OPTIONS (collection 'update');
UPDATE geo SET city = 'Basel' WHERE id = 'c';
UPDATE geo SET city = 'Basel' WHERE id = 'd';
UPDATE geo SET city = 'Basel' WHERE id = 'e';
UPDATE geo SET city = NULL WHERE id = 'd';
UPDATE geo SET city = 'Basel' WHERE id = 'none';
SELECT id, body FROM stored WHERE id IN ('c', 'd', 'e') ORDER BY id;

-- null_as
ALTER FOREIGN TABLE t OPTIONS (ADD null_as 'null');
UPDATE t SET name = NULL, city = NULL WHERE id = 'b';
SELECT body FROM stored WHERE id = 'b';
ALTER FOREIGN TABLE t OPTIONS (DROP null_as);

-- more fields than a subdocument command can change
SELECT format('CREATE FOREIGN TABLE wide (id text OPTIONS (key ''true'') COLLATE "C", %s) SERVER w OPTIONS (collection ''update'')',
  string_agg('c' || i || ' int', ', ')) FROM generate_series(1, 20) i \gexec
INSERT INTO wide (id) VALUES ('wide');
UPDATE wide SET (c1,c2,c3,c4,c5,c6,c7,c8,c9,c10,c11,c12,c13,c14,c15,c16) = (1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16) WHERE id = 'wide';
UPDATE wide SET (c1,c2,c3,c4,c5,c6,c7,c8,c9,c10,c11,c12,c13,c14,c15,c16,c17) = (0,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17) WHERE id = 'wide';
SELECT body FROM stored WHERE id = 'wide';

-- the whole document, alone and with fields
CREATE FOREIGN TABLE d (
  id text OPTIONS (key 'true') COLLATE "C", doc jsonb OPTIONS (document 'true'), n int, city text OPTIONS (path 'geo.address.city')
) SERVER w OPTIONS (collection 'update');
UPDATE d SET doc = doc || '{"added": [1.0]}' WHERE id = 'b';
UPDATE d SET doc = '{"all": "new"}', n = 3 WHERE id = 'c';
UPDATE d SET n = 4 WHERE id = 'b';
SELECT id, body, flags FROM stored WHERE id IN ('b', 'c') ORDER BY id;
UPDATE d SET doc = NULL WHERE id = 'b';
UPDATE stored SET body = 'no longer JSON' WHERE id = 'e';
SELECT body, flags, kind FROM stored WHERE id = 'e';
UPDATE t SET n = 1 WHERE id = 'e';
-- overlapping columns
CREATE FOREIGN TABLE over (id text OPTIONS (key 'true') COLLATE "C", geo jsonb, lat float8 OPTIONS (path 'geo.lat')) SERVER w OPTIONS (collection 'update');
UPDATE over SET lat = 7, geo = '{"k": 1}' WHERE id = 'a';
SELECT body FROM stored WHERE id = 'a';

-- key and metadata
UPDATE t SET id = 'z' WHERE id = 'a';
CREATE FOREIGN TABLE m (
  id text OPTIONS (key 'true') COLLATE "C", n int,
  expires timestamptz OPTIONS (meta 'expiry'), flags bigint OPTIONS (meta 'flags'), cas numeric OPTIONS (meta 'cas')
) SERVER w OPTIONS (collection 'update');
UPDATE m SET cas = 1 WHERE id = 'a';
UPDATE m SET expires = '2101-01-01 00:00+00' WHERE id = 'a';
UPDATE m SET n = 5 WHERE id = 'a';
SELECT id, n, expires AT TIME ZONE 'UTC' AS expires, flags FROM m WHERE id = 'a';
UPDATE m SET n = 6, expires = NULL WHERE id = 'a';
UPDATE m SET flags = 77 WHERE id = 'a';
SELECT id, n, expires, flags FROM m WHERE id = 'a';

-- joins: a row that matches twice is updated once, as in any table
CREATE TABLE changes (k text, x int);
INSERT INTO changes VALUES ('a', 100), ('b', 200), ('a', 100), ('none', 1);
UPDATE stored SET body = '{}' WHERE id IN ('c', 'e');
UPDATE t SET n = x FROM changes WHERE id = k AND id IN ('a', 'b', 'none');
SELECT id, n, twice FROM t WHERE id IN ('a', 'b') ORDER BY id;
DELETE FROM changes WHERE ctid = (SELECT max(ctid) FROM changes WHERE k = 'a');
EXPLAIN (VERBOSE, COSTS OFF) UPDATE t SET n = x FROM changes WHERE id = k AND id IN ('a', 'b', 'none');
WITH u AS (UPDATE t SET n = n + 1 FROM changes WHERE id = k AND id IN ('a', 'b', 'none') RETURNING id, n, x) SELECT * FROM u ORDER BY id;
UPDATE t SET (n, name) = (SELECT x, 'from ' || k FROM changes WHERE k = t.id LIMIT 1) WHERE id IN ('a', 'b');
SELECT id, n, name FROM t WHERE id IN ('a', 'b') ORDER BY id;

-- thousands of rows, with fields that some of them do not have
BEGIN;
INSERT INTO t (id, n, name) SELECT 'many-' || i, i, CASE WHEN i % 2 = 0 THEN 'even' END FROM generate_series(1, 3000) i;
UPDATE t SET name = NULL, n = n + 1 WHERE id LIKE 'many-%';
UPDATE t SET n = n + 1 WHERE id LIKE 'many-%' AND n % 2 = 0;
SELECT count(*), sum(n), sum(twice), count(name) FROM t WHERE id LIKE 'many-%';
COMMIT;
SELECT DISTINCT body FROM stored WHERE id IN ('many-1', 'many-2');
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) UPDATE t SET n = 0 WHERE id IN ('many-1', 'many-2', 'many-3');

-- a join on the key: the other table's keys are collected first and looked up together, whatever else the join does
CREATE TABLE many AS SELECT 'many-' || i AS k, i AS x FROM generate_series(1, 1000) i;
ANALYZE many;
EXPLAIN (COSTS OFF) UPDATE t SET n = x FROM many WHERE id = k;
UPDATE t SET n = x FROM many WHERE id = k;
EXPLAIN (VERBOSE, COSTS OFF) UPDATE t SET n = n + 1 WHERE EXISTS (SELECT FROM many WHERE k || '' = id AND x % 2 = 0);
UPDATE t SET n = n + 1 WHERE EXISTS (SELECT FROM many WHERE k || '' = id AND x % 2 = 0);
WITH u AS (UPDATE t SET name = 'joined' FROM many WHERE k = t.id AND x < 4 RETURNING id, n, x) SELECT * FROM u ORDER BY id;
SELECT sum(n), sum(n) FILTER (WHERE i % 2 = 0) FROM t, generate_series(1, 1000) i WHERE id = 'many-' || i;
-- the other side may be a list of values or a function as well
EXPLAIN (COSTS OFF) UPDATE t SET n = x FROM unnest(ARRAY['many-2', 'many-3'], ARRAY[20, 30]) u(k, x) WHERE id = k;
UPDATE t SET n = x FROM unnest(ARRAY['many-2', 'many-3'], ARRAY[20, 30]) u(k, x) WHERE id = k;
EXPLAIN (COSTS OFF) UPDATE t SET n = x FROM (VALUES ('many-2', 21), ('many-3', 31)) v(k, x) WHERE id = k;
UPDATE t SET n = x + n FROM (VALUES ('many-2', 21), ('many-3', 31)) v(k, x) WHERE id = k;
SELECT id, n FROM t WHERE id IN ('many-2', 'many-3') ORDER BY id;
EXPLAIN (COSTS OFF) UPDATE t SET n = 1 FROM (VALUES ('many-' || random()), ('many-3')) v(k) WHERE id = k;
PREPARE u(text[], int[]) AS UPDATE t SET n = x FROM unnest($1, $2) u(k, x) WHERE id = k;
SET plan_cache_mode = force_generic_plan;
EXECUTE u('{many-2,many-3}', '{3,3}');
RESET plan_cache_mode;
DEALLOCATE u;
-- where rows of the other table that do not match matter, and where it is not read alike twice
EXPLAIN (COSTS OFF) UPDATE t SET n = 0 WHERE NOT EXISTS (SELECT FROM many WHERE k = id);
EXPLAIN (COSTS OFF) UPDATE t SET n = 0 FROM many WHERE k || random() = id;
EXPLAIN (COSTS OFF) UPDATE t SET n = 0 FROM many TABLESAMPLE BERNOULLI (1) WHERE k = id;
SET cbconn_fdw.enable_key_lookup = off;
EXPLAIN (COSTS OFF) UPDATE t SET n = x FROM many WHERE id = k;
RESET cbconn_fdw.enable_key_lookup;
-- too many for work_mem
SET work_mem = '64kB';
EXPLAIN (COSTS OFF) UPDATE t SET n = x FROM many WHERE id = k;
RESET work_mem;
-- empty lists, keys that are NULL or nowhere
UPDATE t SET n = 0 FROM many WHERE id = k AND x < 0;
INSERT INTO many VALUES (NULL, 1), ('nowhere', 1), ('many-1', 1);
UPDATE t SET n = -1 FROM many WHERE id = k AND x = 1;
SELECT id, n FROM t WHERE id IN ('many-1', 'many-2', 'nowhere') ORDER BY id;
EXPLAIN (COSTS OFF) DELETE FROM t USING many WHERE id = k;
DELETE FROM t USING many WHERE id = k AND x <= 10;
SELECT count(*) FROM t, generate_series(1, 11) i WHERE id = 'many-' || i;

-- prepared statements and functions
PREPARE p(text, int) AS UPDATE t SET n = $2 WHERE id = $1;
SET plan_cache_mode = force_generic_plan;
EXECUTE p('a', 1); EXECUTE p('b', 2);
DEALLOCATE p;
RESET plan_cache_mode;
SELECT id, n FROM t WHERE id IN ('a', 'b') ORDER BY id;
DO $$ BEGIN FOR i IN 1..8 LOOP UPDATE t SET n = n + i WHERE id = 'a'; END LOOP; END $$;
SELECT n FROM t WHERE id = 'a';

-- nobody but UPDATE and DELETE may see what identifies a row
SELECT xmin FROM t;
DELETE FROM t WHERE xmin = '5';

\set ECHO none
\i test/sql/write_cleanup.sql
DROP TABLE changes, many;
