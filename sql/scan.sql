-- Range scans: whole collections, key ranges, prefixes, key order, limits.
\set ECHO none
\i test/sql/keys_setup.sql
\set ECHO all

-- whole collections
EXPLAIN (COSTS OFF) SELECT * FROM items;
SELECT count(*), count(DISTINCT id), sum(n), sum(price), min(lat), max(lat), count(parent) FROM items;
SELECT count(*) FROM items WHERE grp = 'g3' AND 't1' = ANY (tags);
SELECT grp, count(*) FROM items GROUP BY grp ORDER BY grp;
SELECT n, tags FROM items ORDER BY n DESC LIMIT 3;
SELECT count(*) FROM empty;
SELECT * FROM empty;
EXPLAIN (COSTS OFF) SELECT count(*) FROM words;
SELECT count(*) FROM words;

-- key order
EXPLAIN (COSTS OFF) SELECT id FROM words ORDER BY id;
SELECT id FROM words WHERE length(id) < 10 ORDER BY id;
EXPLAIN (COSTS OFF) SELECT id, n FROM words ORDER BY id, n DESC;
EXPLAIN (COSTS OFF) SELECT id FROM words ORDER BY id NULLS FIRST;
EXPLAIN (COSTS OFF) SELECT id FROM words ORDER BY id DESC;
EXPLAIN (COSTS OFF) SELECT id FROM words ORDER BY n, id;
EXPLAIN (COSTS OFF) SELECT id FROM words ORDER BY id COLLATE "en-x-icu";
EXPLAIN (COSTS OFF) SELECT id FROM words ORDER BY id USING ~<~;
EXPLAIN (COSTS OFF) SELECT DISTINCT id FROM items WHERE id > 'item-0290';
SET cbconn_fdw.enable_key_order = off;
EXPLAIN (COSTS OFF) SELECT id FROM words ORDER BY id;
SELECT string_agg(id, ' ' ORDER BY id) = (SELECT string_agg(id, ' ') FROM (SELECT id FROM words ORDER BY id) o) FROM words;
RESET cbconn_fdw.enable_key_order;
SELECT string_agg(id, ' ' ORDER BY id) = (SELECT string_agg(id, ' ') FROM (SELECT id FROM words ORDER BY id) o) FROM words;

-- limits reach the scan
EXPLAIN (COSTS OFF, VERBOSE) SELECT id, n FROM items ORDER BY id LIMIT 3;
SELECT id, n FROM items ORDER BY id LIMIT 3;
SELECT id, n FROM items ORDER BY id OFFSET 297 LIMIT 10;
SELECT count(*) FROM (SELECT id FROM items LIMIT 7) s;
EXPLAIN (COSTS OFF, VERBOSE) SELECT id, n FROM items ORDER BY n LIMIT 3;
EXPLAIN (COSTS OFF, VERBOSE) SELECT count(*) FROM items LIMIT 1;
SELECT documents < 300 AS not_all FROM documents_read('SELECT id, n FROM items LIMIT 1');
SELECT documents FROM documents_read('SELECT id, n FROM items');

-- ranges
SELECT * FROM check_path($$ SELECT * FROM items WHERE id > 'item-0297' $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id >= 'item-0297' $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE 'item-0004' > id $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id <= 'item-0004' $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id BETWEEN 'item-0010' AND 'item-0019' $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id > 'item-0010' AND id >= 'item-0012' AND id < 'item-0015' AND id <= 'item-0015' $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id >= 'item-0010' AND id > 'item-0010' AND id <= 'item-0012' AND id < 'item-0012' $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id > 'item-0010' AND n % 2 = 0 AND id < 'item-0015' $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id BETWEEN 'item-0019' AND 'item-0010' $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id > 'item-0010' AND id <= 'item-0010' $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id >= 'item-0010' AND id <= 'item-0010' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id >= '' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id > '' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id < '' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id <= '' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id > NULL $$);
SELECT * FROM check_path($$ SELECT id FROM words WHERE id > 'a' AND id < 'b' $$);
SELECT * FROM check_path($$ SELECT id FROM words WHERE id >= 'é' $$);
SELECT * FROM check_path($$ SELECT id FROM words WHERE id < 'é' $$);
SELECT * FROM check_path($$ SELECT id FROM words WHERE id > '😀' $$);
SELECT * FROM check_path($$ SELECT n FROM words WHERE id >= (SELECT repeat('L', 246)) AND id <= (SELECT repeat('M', 246)) $$);
SELECT * FROM check_path($$ SELECT n FROM words WHERE id > (SELECT repeat('L', 300)) $$);
SELECT * FROM check_path($$ SELECT n FROM words WHERE id <= (SELECT repeat('L', 300)) $$);
SELECT * FROM check_path($$ SELECT n FROM words WHERE id < (SELECT repeat('L', 250)) AND id >= (SELECT repeat('L', 245)) $$);
-- the longest keys there are, in the default collection, and bounds longer than these
CREATE FOREIGN TABLE longest (id text OPTIONS (key 'true') COLLATE "C", len int) SERVER s OPTIONS (scope '_default');
SELECT * FROM check_path($$ SELECT len FROM longest WHERE id > (SELECT repeat('L', 250)) $$);
SELECT * FROM check_path($$ SELECT len FROM longest WHERE id >= (SELECT repeat('L', 250)) $$);
SELECT * FROM check_path($$ SELECT len FROM longest WHERE id >= (SELECT repeat('L', 300)) $$);
SELECT * FROM check_path($$ SELECT len FROM longest WHERE id > (SELECT repeat('L', 300)) $$);
SELECT * FROM check_path($$ SELECT len FROM longest WHERE id < (SELECT repeat('L', 300)) $$);
SELECT * FROM check_path($$ SELECT len FROM longest WHERE id <= (SELECT repeat('L', 300)) $$);
SELECT * FROM check_path($$ SELECT len FROM longest WHERE id < (SELECT repeat('L', 250)) $$);
SELECT * FROM check_path($$ SELECT len FROM longest WHERE id = (SELECT repeat('L', 250)) OR id = (SELECT repeat('L', 251)) $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id NOT BETWEEN 'item-0010' AND 'item-0290' $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE (id, n) > ('item-0290', 290) $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE (id, n) > ('item-0290', 289) AND (id, n) <= ('item-0295', 1) $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE ('item-0290', 290) > (id, n) AND id > 'item-0287' $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE (n, id) > (290, 'item-0290') $$);

-- prefixes
SELECT * FROM check_path($$ SELECT * FROM items WHERE id LIKE 'item-000%' $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id LIKE 'item-000%%' $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id LIKE 'item-00_5' $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id LIKE 'item-%5' $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id LIKE '%05' $$);
SELECT * FROM check_path($$ SELECT * FROM items WHERE id NOT LIKE 'item-00%' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id LIKE 'a%' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id ^@ 'a' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id LIKE 'a\_%' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id LIKE 'a\\%' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id LIKE 'a!%%' ESCAPE '!' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id LIKE 'a%' AND id LIKE 'ab%' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id LIKE 'é%' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id LIKE '😀%' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id LIKE '' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id LIKE NULL $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id ILIKE 'a%' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id ~ '^ab' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id ^@ 'ab' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id ^@ '' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE id ^@ 'a%' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE starts_with(id, 'ab') AND id > 'ab' $$);
SELECT * FROM check_path($$ SELECT * FROM words WHERE starts_with(id, NULL) $$);
SELECT * FROM check_path($$ SELECT n FROM words WHERE id ^@ (SELECT repeat('L', 246)) $$);
SELECT * FROM check_path($$ SELECT n FROM words WHERE id ^@ (SELECT repeat('L', 251)) $$);
SELECT id FROM words WHERE id LIKE 'a\';

-- collations: ranges need byte order, prefixes only deterministic equality
CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE FOREIGN TABLE words_icu (id text OPTIONS (key 'true') COLLATE "en-x-icu", n int) SERVER s OPTIONS (collection 'words');
CREATE FOREIGN TABLE words_ci (id text OPTIONS (key 'true') COLLATE any_case, n int) SERVER s OPTIONS (collection 'words');
SELECT * FROM check_path($$ SELECT id FROM words_icu WHERE id > 'ab' $$);
SELECT * FROM check_path($$ SELECT id FROM words_icu WHERE id > 'ab' COLLATE "C" $$);
SELECT * FROM check_path($$ SELECT id FROM words_icu WHERE id > 'ab' COLLATE "POSIX" $$);
SELECT * FROM check_path($$ SELECT id FROM words_icu WHERE id > 'ab' COLLATE ucs_basic $$);
SELECT * FROM check_path($$ SELECT id FROM words_icu WHERE id ~>~ 'ab' AND id ~<=~ 'b' $$);
SELECT * FROM check_path($$ SELECT id FROM words_icu WHERE id LIKE 'ab%' $$);
SELECT * FROM check_path($$ SELECT id FROM words_icu WHERE id ^@ 'ab' $$);
SELECT * FROM check_path($$ SELECT id FROM words WHERE id > 'ab' COLLATE "en-x-icu" $$);
SELECT * FROM check_path($$ SELECT id FROM words_ci WHERE id > 'ab' $$);
SELECT * FROM check_path($$ SELECT id FROM words_ci WHERE id > 'ab' COLLATE "C" $$);
EXPLAIN (COSTS OFF) SELECT id FROM words_icu ORDER BY id;
EXPLAIN (COSTS OFF) SELECT id FROM words_icu ORDER BY id COLLATE "C";
EXPLAIN (COSTS OFF) SELECT id FROM words_icu ORDER BY id USING ~<~;
EXPLAIN (COSTS OFF) SELECT id FROM words_ci ORDER BY id;

-- bounds known at run time only
SET plan_cache_mode = force_generic_plan;
PREPARE range_of(text, text) AS SELECT count(*), min(id), max(id) FROM items WHERE id >= $1 AND id < $2;
EXPLAIN (COSTS OFF) EXECUTE range_of('item-0010', 'item-0020');
EXECUTE range_of('item-0010', 'item-0020');
EXECUTE range_of('item-0020', 'item-0010');
EXECUTE range_of(NULL, 'item-0010');
EXECUTE range_of('', 'item-0010');
PREPARE like_of(text) AS SELECT count(*), min(id), max(id) FROM words WHERE id LIKE $1;
EXPLAIN (COSTS OFF) EXECUTE like_of('a%');
EXECUTE like_of('a%');
EXECUTE like_of('%b');
EXECUTE like_of('a\%b');
EXECUTE like_of('a_');
EXECUTE like_of('ab');
EXECUTE like_of('');
EXECUTE like_of(NULL);
PREPARE starts(text) AS SELECT count(*), min(id), max(id) FROM words WHERE id ^@ $1;
EXECUTE starts('ab');
EXECUTE starts('');
RESET plan_cache_mode;

-- ranges and prefixes from the outer side of a join, rescans
CREATE TABLE bound (lo text COLLATE "C", hi text COLLATE "C");
INSERT INTO bound VALUES ('item-0010', 'item-0012'), ('item-0290', 'z'), ('x', 'y'), (NULL, 'z'), ('item-0010', 'item-0012');
ANALYZE bound;
EXPLAIN (COSTS OFF) SELECT lo, s.id FROM bound, LATERAL (SELECT id FROM items WHERE id > lo AND id <= hi ORDER BY id LIMIT 2) s;
SELECT lo, s.id FROM bound, LATERAL (SELECT id FROM items WHERE id > lo AND id <= hi ORDER BY id LIMIT 2) s;
SELECT lo, (SELECT count(*) FROM items WHERE id BETWEEN lo AND hi), (SELECT count(*) FROM items WHERE id LIKE lo || '%') FROM bound;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SELECT lo, count(*) FROM bound JOIN items ON id >= lo AND id < hi GROUP BY lo ORDER BY lo;
SELECT b.lo, w.id FROM bound b, words w WHERE w.id ^@ 'ab' AND b.lo = 'x' ORDER BY 2;
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;

-- joins in key order
SET enable_hashjoin = off;
SET enable_nestloop = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM items a JOIN items b ON a.id = b.parent;
SELECT count(*) FROM items a JOIN items b ON a.id = b.parent;
SELECT count(*) FROM items a JOIN items b ON a.id = b.id;
RESET enable_hashjoin;
RESET enable_nestloop;

-- two scans of one bucket in turns; cursors held open
SELECT count(*), sum(a.n - b.n) FROM items a JOIN items b USING (id);
BEGIN;
DECLARE a CURSOR FOR SELECT id FROM items ORDER BY id;
DECLARE b CURSOR FOR SELECT id FROM words ORDER BY id;
FETCH 2 FROM a;
FETCH 2 FROM b;
FETCH 2 FROM a;
SELECT count(*) FROM items;
FETCH 2 FROM b;
SAVEPOINT sp;
FETCH 1 FROM a;
SELECT 1 / 0 FROM items;
ROLLBACK TO sp;
FETCH 1 FROM a;
CLOSE a;
DECLARE h CURSOR WITH HOLD FOR SELECT id FROM items ORDER BY id;
FETCH 2 FROM h;
COMMIT;
FETCH 2 FROM h;
MOVE 290 FROM h;
FETCH ALL FROM h;
CLOSE h;

-- cursors whose first rows were fetched within a savepoint that is rolled back go on behind these
BEGIN;
DECLARE a CURSOR FOR SELECT id FROM items ORDER BY id;
DECLARE b CURSOR FOR SELECT id FROM many;
DECLARE c CURSOR FOR SELECT n FROM items WHERE id = ANY (ARRAY(SELECT 'item-' || lpad(i::text, 4, '0') FROM generate_series(1, 300) i));
SAVEPOINT outer_one;
SAVEPOINT inner_one;
FETCH 1 FROM a;
MOVE 100 FROM b;
MOVE 200 FROM c;
RELEASE inner_one;
ROLLBACK TO outer_one;
FETCH 1 FROM a;
DO $$
DECLARE
  c refcursor;
  n int;
BEGIN
  FOREACH c IN ARRAY ARRAY['a', 'b', 'c'] LOOP
    MOVE FORWARD ALL FROM c;
    GET DIAGNOSTICS n = ROW_COUNT;
    RAISE NOTICE 'cursor %: % more', c, n;
  END LOOP;
END $$;
COMMIT;

-- conditions and columns that need the row
SELECT count(*) FROM items i WHERE i IS NOT NULL;
SELECT i FROM items i WHERE id > 'item-0299';
SELECT tableoid::regclass, count(*) FROM items GROUP BY 1;
SELECT max(id), min(id) FROM items;

-- a collection that does not exist: planned with a guess, refused when it runs
CREATE FOREIGN TABLE absent (id text OPTIONS (key 'true'), n int) SERVER s OPTIONS (collection 'absent');
EXPLAIN (COSTS OFF) SELECT * FROM absent;
\set VERBOSITY sqlstate
SELECT * FROM absent;
\set VERBOSITY default
SELECT count(*) FROM items;

\set ECHO none
SET client_min_messages = warning;
DROP SERVER s CASCADE;
DROP TABLE bound;
DROP FUNCTION plan_of, rows_of, check_path, documents_read, explain_lines;
DROP COLLATION any_case;
