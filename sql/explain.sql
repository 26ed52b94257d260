-- What EXPLAIN shows of each access path, and the same rows with every use of the key switched off.
\set ECHO none
\i test/sql/keys_setup.sql
CREATE FOREIGN TABLE large (
  id text OPTIONS (key 'true') COLLATE "C",
  n int, name text, a int OPTIONS (path 'inner.a'), second int OPTIONS (path 'inner.list[1]'), pad text,
  doc jsonb OPTIONS (document 'true'), cas bigint OPTIONS (meta 'cas'), expiry timestamptz OPTIONS (meta 'expiry'),
  flags bigint OPTIONS (meta 'flags'), vb int OPTIONS (meta 'vbucket')
) SERVER s OPTIONS (collection 'large');
\set ECHO all

-- plain EXPLAIN connects to nothing, and works without a user mapping or a cluster
CREATE SERVER nowhere FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbase://127.0.0.1:1', bucket 'b');
CREATE FOREIGN TABLE unreachable (id text OPTIONS (key 'true') COLLATE "C", n int) SERVER nowhere;
EXPLAIN (COSTS OFF) SELECT * FROM unreachable;
CREATE USER MAPPING FOR CURRENT_USER SERVER nowhere OPTIONS (username 'u', password 'p');
EXPLAIN (COSTS OFF) SELECT * FROM unreachable ORDER BY id;
EXPLAIN SELECT * FROM unreachable WHERE id = 'x';
SELECT cbconn_disconnect_all() IS NOT NULL;
EXPLAIN (COSTS OFF) SELECT * FROM items WHERE id IN ('item-0001', 'item-0002');
SELECT count(*) FROM cbconn_get_connections() WHERE server_name = 's';

-- formats
EXPLAIN (COSTS OFF, VERBOSE) SELECT name, n FROM items i WHERE id = 'item-0001' AND n > 0;
EXPLAIN (COSTS OFF, FORMAT JSON) SELECT name, n FROM items i WHERE id = 'item-0001' AND n > 0;
EXPLAIN (COSTS OFF, FORMAT YAML) SELECT id FROM items WHERE id > 'item-0001' AND id LIKE 'item-00%1' ORDER BY id LIMIT 3;
EXPLAIN (COSTS OFF, VERBOSE) SELECT i.name, p.n FROM items i LEFT JOIN items p ON p.id = i.parent WHERE i.id = 'item-0009';
EXPLAIN (COSTS OFF, VERBOSE) SELECT (SELECT p.name FROM items p WHERE p.id = i.parent AND p.id > i.id) FROM items i WHERE i.id = 'item-0009';
EXPLAIN (COSTS OFF) SELECT * FROM items WHERE id = (SELECT max(id) FROM words);
EXPLAIN (COSTS OFF) SELECT * FROM (SELECT id FROM items WHERE id = 'item-0001' UNION ALL SELECT id FROM words) u WHERE id LIKE 'item%';
EXPLAIN (COSTS OFF) WITH w AS MATERIALIZED (SELECT 'item-0004' AS k) SELECT i.name FROM w, LATERAL (SELECT name FROM items WHERE id = w.k OFFSET 0) i;

-- counters
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT * FROM items WHERE id = ANY (ARRAY['item-0001', 'missing']);
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT * FROM items WHERE n < 3;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT * FROM items WHERE id >= 'item-0290' AND id < 'item-0295' ORDER BY id;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT c.n FROM items c JOIN items p ON p.id = c.parent WHERE c.id IN ('item-0008', 'item-0010');
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT * FROM items WHERE id = 'item-0001' AND false;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT * FROM (VALUES (1)) v (x) LEFT JOIN items ON id = 'item-0001' AND x = 2;
-- with times, all of them
SELECT substring(line FROM '^ *([A-Z][A-Za-z ]*):') AS counter
  FROM explain_lines('EXPLAIN (ANALYZE, COSTS OFF) SELECT * FROM items WHERE id = ''item-0001''') line
  WHERE line ~ '^ *(Documents|Requests|Round Trips|Bytes Received|Retries|Connections Opened|Server Time):';

-- paths of large documents: decided by option, or by size once analysed
EXPLAIN (COSTS OFF) SELECT n, a FROM large WHERE id = 'large-03';
ANALYZE large;
EXPLAIN (COSTS OFF) SELECT n, a FROM large WHERE id = 'large-03';
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id, n, a, second, cas IS NOT NULL AS cas, expiry, vb IS NOT NULL AS vb FROM large WHERE id IN ('large-03', 'large-04', 'missing');
SELECT id, n, a, second, cas IS NOT NULL AS cas, expiry, vb IS NOT NULL AS vb FROM large WHERE id IN ('large-03', 'large-04', 'missing') ORDER BY id;
-- a document whose paths the data service refuses to look up is fetched whole
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id, n, a FROM large WHERE id IN ('large-03', 'large-deep');
SELECT id, n, a FROM large WHERE id IN ('large-03', 'large-deep') ORDER BY id;
-- what needs whole documents
EXPLAIN (COSTS OFF) SELECT n, doc FROM large WHERE id = 'large-03';
EXPLAIN (COSTS OFF) SELECT n, flags FROM large WHERE id = 'large-03';
EXPLAIN (COSTS OFF) SELECT n, name, a, second, pad FROM large WHERE id = 'large-03';
EXPLAIN (COSTS OFF) SELECT n FROM large WHERE id >= 'large-03';
SELECT rows_of('SELECT id, n, name, a, second FROM large WHERE id IN (''large-03'', ''large-deep'', ''x'')') AS lookup \gset
ALTER FOREIGN TABLE large OPTIONS (ADD lookup 'off');
EXPLAIN (COSTS OFF) SELECT n, a FROM large WHERE id = 'large-03';
SELECT rows_of('SELECT id, n, name, a, second FROM large WHERE id IN (''large-03'', ''large-deep'', ''x'')')::text = :'lookup' AS same;
ALTER FOREIGN TABLE large OPTIONS (SET lookup 'on');
EXPLAIN (COSTS OFF) SELECT n, name, a, second, pad FROM large WHERE id = 'large-03';
SELECT rows_of('SELECT id, n, name, a, second FROM large WHERE id IN (''large-03'', ''large-deep'', ''x'')')::text = :'lookup' AS same;
EXPLAIN (COSTS OFF) SELECT n, doc FROM large WHERE id = 'large-03';
EXPLAIN (COSTS OFF) SELECT id FROM large WHERE id = 'large-03';
ALTER FOREIGN TABLE items OPTIONS (ADD lookup 'on');
SELECT * FROM check_path($$ SELECT * FROM items WHERE id IN ('item-0001', 'item-0002', 'missing') $$);

-- each switch by itself
SET cbconn_fdw.enable_key_lookup = off;
SELECT access, key_condition, filter, n FROM check_path($$ SELECT * FROM items WHERE id = 'item-0001' AND id > 'item-0000' $$);
RESET cbconn_fdw.enable_key_lookup;
SET cbconn_fdw.enable_key_range = off;
SELECT access, key_condition, filter, n FROM check_path($$ SELECT * FROM items WHERE id > 'item-0297' AND id LIKE 'item%' $$);
SELECT access, key_condition, filter, n FROM check_path($$ SELECT * FROM items WHERE id > 'item-0297' AND id IN ('item-0001', 'item-0300') $$);
RESET cbconn_fdw.enable_key_range;
EXPLAIN (COSTS OFF, SETTINGS) SELECT 1;

\set ECHO none
SET client_min_messages = warning;
DROP SERVER s CASCADE;
DROP SERVER nowhere CASCADE;
DROP FUNCTION plan_of, rows_of, check_path, documents_read, explain_lines;
