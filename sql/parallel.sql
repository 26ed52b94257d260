-- Parallel scans: workers and leader share the vBuckets.
\set ECHO none
\i test/sql/keys_setup.sql
\set ECHO all
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
CREATE TABLE l (k text COLLATE "C", x int);
INSERT INTO l SELECT 'many-' || lpad(i::text, 4, '0'), i FROM generate_series(1, 3) i;
ANALYZE l;

EXPLAIN (COSTS OFF) SELECT count(*), sum(n) FROM many;
SELECT count(*), count(DISTINCT id), sum(n), count(half) FROM many;
SELECT count(*), sum(n) FROM many WHERE id >= 'many-0500' AND id < 'many-1000' AND n % 2 = 1;
SELECT count(*), sum(n) FROM many WHERE id LIKE 'many-19%';
SELECT count(*) FROM many WHERE id > 'z';
EXPLAIN (COSTS OFF) SELECT * FROM many WHERE n >= 0 LIMIT 1500;
SELECT count(*) FROM (SELECT * FROM many WHERE n >= 0 LIMIT 1500) s;
SELECT x, s.c FROM l, LATERAL (SELECT count(*) AS c FROM (SELECT n FROM many WHERE n >= 0 LIMIT 1500 + x) m) s ORDER BY x;
SELECT documents BETWEEN 1500 AND 2000 AS read FROM documents_read('SELECT * FROM many WHERE n >= 0 LIMIT 1500');
SELECT half, count(*) FROM many GROUP BY half ORDER BY half;

-- all participants' counters
SELECT documents FROM documents_read('SELECT count(n) FROM many');
SET parallel_leader_participation = off;
SELECT count(*), sum(n) FROM many;
SELECT documents FROM documents_read('SELECT count(n) FROM many');
RESET parallel_leader_participation;

-- rescans launch the workers again
SET enable_material = off;
EXPLAIN (COSTS OFF) SELECT x, s.c FROM l LEFT JOIN (SELECT count(*) AS c, sum(n) AS s FROM many) s ON true;
SELECT x, s.* FROM l LEFT JOIN (SELECT count(*) AS c, sum(n) AS s FROM many) s ON true ORDER BY x;
SELECT documents FROM documents_read('SELECT x, s.c FROM l LEFT JOIN (SELECT count(n) AS c FROM many) s ON true');
RESET enable_material;

-- no workers to be had
SET max_parallel_workers = 0;
SELECT count(*), sum(n) FROM many;
RESET max_parallel_workers;

-- look-ups within workers, joins, unions, order
EXPLAIN (COSTS OFF) SELECT count(*) FROM many a JOIN many b ON a.n = b.n;
SELECT count(*), sum(a.n) FROM many a JOIN many b ON a.n = b.n;
SELECT count(*) FROM (SELECT n FROM many UNION ALL SELECT n FROM items UNION ALL SELECT x FROM l) u;
SELECT id FROM many ORDER BY n LIMIT 3;
SELECT id FROM many ORDER BY id LIMIT 3;
SELECT l.x, m.n FROM l JOIN many m ON m.id = l.k ORDER BY x;

-- an error in a worker; a cursor stopped half way; what cannot run in a worker
\set SHOW_CONTEXT never
SELECT count(1 / (n - 1999)) FROM many;
\set SHOW_CONTEXT errors
BEGIN;
DECLARE c CURSOR FOR SELECT n FROM many;
MOVE 10 FROM c;
CLOSE c;
COMMIT;
CREATE FUNCTION unsafe(int) RETURNS int LANGUAGE sql PARALLEL UNSAFE AS 'SELECT $1';
EXPLAIN (COSTS OFF) SELECT count(*) FROM many WHERE unsafe(n) < 5;
SELECT count(*) FROM many WHERE n < 10 AND unsafe(n) < 5;

-- small collections are not worth it
RESET min_parallel_table_scan_size;
EXPLAIN (COSTS OFF) SELECT count(*) FROM items;

\set ECHO none
SET client_min_messages = warning;
DROP SERVER s CASCADE;
DROP TABLE l;
DROP FUNCTION plan_of, rows_of, check_path, documents_read, explain_lines, unsafe;
