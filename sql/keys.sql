-- Documents looked up by key: lists, parameters, joins, rescans.
\set ECHO none
\i test/sql/keys_setup.sql
\set ECHO all

-- one key, lists, arrays; each key once
SELECT id, n, name, grp, price, parent, lat, tags FROM items WHERE id = 'item-0003';
SELECT id FROM items WHERE 'item-0003' = id;
SELECT id FROM items WHERE id IN ('item-0001', 'item-0002', 'item-0001', NULL, 'missing') ORDER BY id;
SELECT id FROM items WHERE id = ANY (ARRAY['item-0007', 'item-0008', 'item-0007', NULL]) ORDER BY id;
SELECT id FROM items WHERE id = ANY (ARRAY[ARRAY['item-0007'], ARRAY['item-0009']]) ORDER BY id;
SELECT count(*), count(DISTINCT id) FROM items WHERE id = ANY (SELECT 'item-' || lpad(i::text, 4, '0') FROM generate_series(-5, 400) i);
SELECT count(*) FROM items WHERE id = ANY (ARRAY(SELECT 'item-' || lpad((i % 350)::text, 4, '0') FROM generate_series(1, 5000) i));
SELECT count(*) FROM items WHERE id = ANY ('{}');
SELECT count(*) FROM items WHERE id = ANY (NULL::text[]);
SELECT count(*) FROM items WHERE id = NULL;

-- which conditions name keys; the same rows without key look-ups
SELECT * FROM check_path($$ SELECT * FROM items WHERE id = 'item-0003' $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id IN ('item-0003', 'x', 'item-0004') $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id = 'item-0003' OR id = 'item-0005' OR id IN ('item-0006', 'item-0003') $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id IN ('item-0003', 'item-0004') AND id IN ('item-0004', 'item-0005') $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id = 'item-0003' AND id = ANY (ARRAY['item-0004']) $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id IN ('item-0003', 'item-0004') AND n > 3 AND id > 'item-0001' $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id = 'item-0003' OR n = 4 $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id <> 'item-0003' $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id = ALL (ARRAY['item-0003']) $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE NOT id = 'item-0003' AND n < 10 $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE lower(id) = 'item-0003' $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id = parent $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id = 'item-000' || (1 + floor(random()))::text $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id LIKE 'item-0003' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id LIKE 'a\%b' $$);
SELECT * FROM check_path($$ SELECT id FROM words WHERE id = 'item-0003'::varchar(3) OR id = 'ab '::char(5) $$);
SELECT * FROM check_path($$ SELECT id FROM words WHERE id = 'postgres'::name $$);
SELECT * FROM check_path($$ SELECT id FROM words WHERE 'postgres'::name = id $$);

-- keys that no document can have cost no request
SELECT * FROM check_path($$ SELECT n FROM words WHERE id = '' OR id = (SELECT repeat('L', 247)) $$);
SELECT * FROM check_path($$ SELECT n FROM words WHERE id IN ((SELECT repeat('L', 246)), 'M', (SELECT repeat('M', 245) || 'a')) $$);
SELECT * FROM check_path($$ SELECT n FROM words WHERE id IN ('é', '😀', E'q"uote', 'q''uote', 'a\b', ' a', 'ÿ', 'nothing') $$);
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT n FROM words WHERE id = '' OR id = (SELECT repeat('L', 247)) OR id = NULL;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT n FROM words WHERE id IN ('a', 'b', 'a', 'missing', NULL);

-- equality that is not equality of bytes
CREATE COLLATION ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
SELECT * FROM check_path($$ SELECT id FROM words WHERE id = 'ab' COLLATE ignore_case $$);
SELECT * FROM check_path($$ SELECT id FROM words WHERE id = 'ab' COLLATE "en-x-icu" $$);
CREATE FOREIGN TABLE words_ci (id text OPTIONS (key 'true') COLLATE ignore_case, n int) SERVER s OPTIONS (collection 'words');
SELECT * FROM check_path($$ SELECT id FROM words_ci WHERE id IN ('ab', 'Z') $$);
SELECT * FROM check_path($$ SELECT id FROM words_ci WHERE id IN ('ab' COLLATE "C", 'Z') $$);

-- key columns of other types over text
CREATE DOMAIN code AS varchar(300);
CREATE FOREIGN TABLE words_domain (id code OPTIONS (key 'true') COLLATE "C", n int) SERVER s OPTIONS (collection 'words');
CREATE FOREIGN TABLE words_varchar (n int, id varchar OPTIONS (key 'true') COLLATE "C") SERVER s OPTIONS (collection 'words');
SELECT * FROM check_path($$ SELECT id FROM words_domain WHERE id IN ('ab', 'Z') $$);
SELECT * FROM check_path($$ SELECT id FROM words_varchar WHERE id = ANY (ARRAY['ab', 'Z']::varchar[]) $$);

-- a table without a key column
CREATE FOREIGN TABLE no_key (n int, name text) SERVER s OPTIONS (collection 'items');
SELECT * FROM check_path($$ SELECT * FROM no_key WHERE name = 'item 3' $$);

-- joins: the inner side of a nested loop
CREATE TABLE l (k text COLLATE "C", x int);
INSERT INTO l SELECT 'item-' || lpad(i::text, 4, '0'), i FROM generate_series(1, 4) i;
INSERT INTO l VALUES (NULL, 5), ('missing', 6), ('item-0002', 7);
ANALYZE l;
EXPLAIN (COSTS OFF) SELECT l.x, i.name FROM l JOIN items i ON i.id = l.k;
SELECT l.x, i.name FROM l JOIN items i ON i.id = l.k ORDER BY x;
EXPLAIN (COSTS OFF) SELECT l.x, i.name FROM l LEFT JOIN items i ON i.id = l.k AND i.n <> 3;
SELECT l.x, i.name FROM l LEFT JOIN items i ON i.id = l.k AND i.n <> 3 ORDER BY x;
EXPLAIN (COSTS OFF) SELECT x FROM l WHERE EXISTS (SELECT FROM items i WHERE i.id = l.k);
SELECT x FROM l WHERE EXISTS (SELECT FROM items i WHERE i.id = l.k) ORDER BY x;
SELECT x FROM l WHERE NOT EXISTS (SELECT FROM items i WHERE i.id = l.k) ORDER BY x;
EXPLAIN (COSTS OFF) SELECT x, (SELECT name FROM items WHERE id = l.k) FROM l;
SELECT x, (SELECT name FROM items WHERE id = l.k) FROM l ORDER BY x;
EXPLAIN (COSTS OFF) SELECT l.x, i.n FROM l JOIN items i ON i.id = ANY (ARRAY[l.k, 'item-0009']) WHERE l.x < 3;
SELECT l.x, i.n FROM l JOIN items i ON i.id = ANY (ARRAY[l.k, 'item-0009']) WHERE l.x < 3 ORDER BY 1, 2;
SELECT l.x, i.n FROM l JOIN items i ON i.id = l.k OR i.id = 'item-0009' WHERE l.x < 3 ORDER BY 1, 2;

-- two foreign tables, one key the other's column; transitive equality
EXPLAIN (COSTS OFF) SELECT c.id, p.id FROM items c JOIN items p ON p.id = c.parent WHERE c.id IN ('item-0008', 'item-0009', 'item-0010');
SELECT c.id, p.id FROM items c JOIN items p ON p.id = c.parent WHERE c.id IN ('item-0008', 'item-0009', 'item-0010') ORDER BY 1;
EXPLAIN (COSTS OFF) SELECT a.n, b.n FROM items a JOIN words b ON a.id = b.id WHERE a.id = 'item-0001';
SELECT l.x, a.n, b.n FROM l, items a, items b WHERE a.id = l.k AND b.id = a.id ORDER BY 1;

-- LATERAL
EXPLAIN (COSTS OFF) SELECT l.x, s.n FROM l, LATERAL (SELECT n FROM items WHERE id = l.k LIMIT 1) s;
SELECT l.x, s.n FROM l, LATERAL (SELECT n FROM items WHERE id = l.k LIMIT 1) s ORDER BY 1;
SELECT l.x, s.n FROM l LEFT JOIN LATERAL (SELECT n + l.x AS n FROM items WHERE id = l.k OFFSET 0) s ON true ORDER BY 1;
SELECT l.x, s.* FROM l, LATERAL (SELECT id, parent FROM items WHERE id IN (l.k, 'item-0011') ORDER BY id LIMIT 2) s ORDER BY 1, 2;

-- a Cartesian product rescans without new parameters
SELECT count(*), sum(a.n) FROM l, items a WHERE a.id IN ('item-0001', 'item-0002');
SET enable_material = off;
SELECT count(*), sum(a.n) FROM l, items a WHERE a.id IN ('item-0001', 'item-0002');
RESET enable_material;

-- prepared statements, custom and generic plans
PREPARE one(text) AS SELECT id, n FROM items WHERE id = $1;
EXECUTE one('item-0005');
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE one('item-0005');
EXECUTE one('item-0005');
EXECUTE one(NULL);
EXECUTE one('missing');
EXECUTE one('item-0006');
PREPARE many(text[], int) AS SELECT id, n FROM items WHERE id = ANY ($1) AND n < $2 ORDER BY id;
EXPLAIN (COSTS OFF) EXECUTE many('{item-0001}', 5);
EXECUTE many('{item-0001,item-0004,item-0009,item-0001,NULL}', 5);
EXECUTE many('{}', 5);
EXECUTE many(NULL, 5);
RESET plan_cache_mode;

-- PL/pgSQL: the same statement again and again, more often than it takes to go over to a generic plan
CREATE FUNCTION name_of(key text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  SELECT name INTO result FROM items WHERE id = key;
  RETURN result;
END $$;
SELECT string_agg(name_of('item-' || lpad(i::text, 4, '0')), ',' ORDER BY i) FROM generate_series(0, 8) i;
DO $$
DECLARE
  r record;
  total int := 0;
BEGIN
  FOR r IN SELECT parent FROM items WHERE id = ANY (ARRAY['item-0010', 'item-0020', 'item-0030']) LOOP
    total := total + (SELECT n FROM items WHERE id = r.parent);
  END LOOP;
  RAISE NOTICE 'total %', total;
END $$;
-- a loop with commits inside
CREATE TABLE seen (id text);
DO $$
DECLARE
  r record;
BEGIN
  FOR r IN SELECT id FROM items WHERE id = ANY (ARRAY['item-0010', 'item-0020', 'item-0030']) LOOP
    INSERT INTO seen VALUES (r.id);
    COMMIT;
  END LOOP;
END $$;
SELECT * FROM seen ORDER BY 1;

-- cursors: held open over other statements, over the transaction, and over a savepoint rolled back
BEGIN;
DECLARE c CURSOR FOR SELECT n FROM items WHERE id = ANY (ARRAY(SELECT 'item-' || lpad(i::text, 4, '0') FROM generate_series(1, 50) i));
CREATE TEMP TABLE fetched (n int);
DO $$
DECLARE
  c refcursor := 'c';
  v int;
BEGIN
  FOR i IN 1..3 LOOP
    FETCH c INTO v;
    INSERT INTO fetched VALUES (v);
  END LOOP;
END $$;
SELECT count(*) FROM items WHERE id IN ('item-0001', 'item-0100');
SAVEPOINT sp;
SELECT 1 / (n - 1) FROM items WHERE id = 'item-0001';
ROLLBACK TO sp;
DO $$
DECLARE
  c refcursor := 'c';
  v int;
BEGIN
  LOOP
    FETCH c INTO v;
    EXIT WHEN NOT FOUND;
    INSERT INTO fetched VALUES (v);
  END LOOP;
END $$;
SELECT count(*), count(DISTINCT n), sum(n) FROM fetched;
DECLARE h CURSOR WITH HOLD FOR SELECT id FROM items WHERE id IN ('item-0001', 'item-0002', 'item-0003') ORDER BY id;
FETCH 1 FROM h;
COMMIT;
FETCH 2 FROM h;
CLOSE h;

-- several scans of one bucket at once
SELECT count(*) FROM items a, items b WHERE a.id = ANY (ARRAY['item-0001', 'item-0002', 'item-0003']) AND b.id = ANY (ARRAY['item-0002', 'item-0004']) AND a.n <> b.n;
SELECT a.id, b.id FROM (SELECT * FROM items WHERE id IN ('item-0001', 'item-0002')) a FULL JOIN (SELECT * FROM items WHERE id IN ('item-0002', 'item-0003')) b USING (id) ORDER BY 1, 2;
SELECT id FROM items WHERE id = 'item-0001' UNION ALL SELECT id FROM words WHERE id = 'ab' UNION ALL SELECT id FROM items WHERE id = 'item-0002' ORDER BY 1;

-- whole rows, tableoid, no column at all, system columns
SELECT i FROM items i WHERE id = 'item-0001';
SELECT tableoid::regclass, id FROM items WHERE id = 'item-0001';
SELECT count(*) FROM items WHERE id IN ('item-0001', 'missing');
SELECT FROM items WHERE id = 'item-0001';
SELECT ctid FROM items WHERE id = 'item-0001';
SELECT id FROM items WHERE id = 'item-0001' AND xmin = '3';

-- locks: refused where they would do nothing; other tables of the query can be locked
SELECT id FROM items WHERE id = 'item-0001' FOR UPDATE;
SELECT l.x, i.n FROM l JOIN items i ON i.id = l.k WHERE x = 1 FOR SHARE;
SELECT l.x, i.n FROM l JOIN items i ON i.id = l.k WHERE x = 1 FOR UPDATE OF l;
UPDATE l SET x = i.n * 100 FROM items i WHERE i.id = l.k AND l.x = 1 RETURNING l.x, i.id;

-- writing can be refused
ALTER SERVER s OPTIONS (ADD updatable 'false');
INSERT INTO items (id, n) VALUES ('new', 1);
UPDATE items SET n = 1 WHERE id = 'item-0001';
DELETE FROM items WHERE id = 'item-0001';
TRUNCATE items;
ALTER SERVER s OPTIONS (DROP updatable);
SELECT id FROM items TABLESAMPLE SYSTEM (10);

-- partitions and inheritance
CREATE TABLE part (id text COLLATE "C", n int, name text) PARTITION BY RANGE (n);
CREATE TABLE part_local PARTITION OF part FOR VALUES FROM (1000) TO (2000);
INSERT INTO part VALUES ('item-0001', 1001, 'local');
CREATE FOREIGN TABLE part_remote (id text OPTIONS (key 'true') COLLATE "C", n int, name text) SERVER s OPTIONS (collection 'items');
ALTER TABLE part ATTACH PARTITION part_remote FOR VALUES FROM (0) TO (1000);
EXPLAIN (COSTS OFF) SELECT * FROM part WHERE id = 'item-0001';
SELECT tableoid::regclass, * FROM part WHERE id = 'item-0001' ORDER BY n;
EXPLAIN (COSTS OFF) SELECT l.x, p.n FROM l JOIN part p ON p.id = l.k WHERE l.x < 5;
SELECT l.x, p.n FROM l JOIN part p ON p.id = l.k WHERE l.x < 5 ORDER BY 1, 2;

\set ECHO none
SET client_min_messages = warning;
DROP SERVER s CASCADE;
DROP TABLE l, seen, part CASCADE;
DROP FUNCTION plan_of, rows_of, check_path, documents_read, explain_lines, name_of;
DROP DOMAIN code;
DROP COLLATION ignore_case;
