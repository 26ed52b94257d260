-- ANALYZE by sampling scans, and the planner's estimates with and without it.
\set ECHO none
\i test/sql/keys_setup.sql
CREATE FUNCTION rows_estimated(query text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
  plan json;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
  RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END $$;
\set ECHO all

-- before: documents as the cluster counts them; keys are known to be unique
SELECT rows_estimated('SELECT * FROM items');
SELECT rows_estimated('SELECT * FROM many');
SELECT rows_estimated('SELECT * FROM empty');
SELECT rows_estimated($$ SELECT * FROM many WHERE id = 'many-0001' $$);
SELECT rows_estimated($$ SELECT * FROM many WHERE id IN ('many-0001', 'many-0002', 'many-0003') $$);
SELECT rows_estimated('SELECT * FROM many WHERE id = ANY (ARRAY(SELECT id FROM words))');
SELECT rows_estimated('SELECT * FROM items a JOIN items b ON a.id = b.id');
SELECT rows_estimated('SELECT * FROM items c JOIN items p ON p.id = c.parent');

-- the count is asked for once, not for every plan
BEGIN;
EXPLAIN (COSTS OFF) SELECT * FROM items;
SELECT DISTINCT used_in_xact FROM cbconn_get_connections() WHERE server_name = 's';
COMMIT;
CREATE FOREIGN TABLE uncounted (id text OPTIONS (key 'true'), n int) SERVER s OPTIONS (collection 'items');
BEGIN;
EXPLAIN (COSTS OFF) SELECT * FROM uncounted WHERE id = 'item-0001';
SELECT DISTINCT used_in_xact FROM cbconn_get_connections() WHERE server_name = 's';
EXPLAIN (COSTS OFF) SELECT * FROM uncounted;
SELECT DISTINCT used_in_xact FROM cbconn_get_connections() WHERE server_name = 's';
COMMIT;

-- after
ANALYZE VERBOSE items;
ANALYZE many, words, empty;
SELECT relname, reltuples, relpages > 0 AS pages FROM pg_class WHERE relname IN ('items', 'many', 'words', 'empty') ORDER BY 1;
SELECT attname, n_distinct, null_frac > 0 AS nulls, array_length(most_common_vals, 1) AS common
  FROM pg_stats WHERE tablename = 'items' AND attname IN ('id', 'grp', 'parent', 'name') ORDER BY 1;
SELECT count(*) FROM pg_stats WHERE tablename = 'empty';
SELECT rows_estimated($$ SELECT * FROM items WHERE grp = 'g3' $$);
SELECT rows_estimated($$ SELECT * FROM items WHERE id > 'item-0270' $$) BETWEEN 20 AND 40 AS near_30;
SELECT rows_estimated('SELECT * FROM many');
SELECT rows_estimated($$ SELECT * FROM many WHERE id LIKE 'many-1%' $$) BETWEEN 800 AND 1200 AS near_1000;

-- a sample that is smaller than the collection
SET default_statistics_target = 1;
ANALYZE many;
SELECT reltuples FROM pg_class WHERE relname = 'many';
SELECT attname, n_distinct FROM pg_stats WHERE tablename = 'many' AND attname = 'id';
SELECT null_frac BETWEEN 0.3 AND 0.7 AS about_half FROM pg_stats WHERE tablename = 'many' AND attname = 'half';
RESET default_statistics_target;
ANALYZE items (n, grp);

-- inheritance
CREATE TABLE part (id text COLLATE "C", n int, half text) PARTITION BY RANGE (n);
CREATE TABLE part_local PARTITION OF part FOR VALUES FROM (5000) TO (6000);
INSERT INTO part SELECT 'p' || i, 5000 + i, NULL FROM generate_series(1, 500) i;
ALTER TABLE part ATTACH PARTITION many FOR VALUES FROM (0) TO (5000);
ANALYZE part;
SELECT reltuples FROM pg_class WHERE relname = 'part';
SELECT null_frac BETWEEN 0.5 AND 0.7 AS about_60_percent FROM pg_stats WHERE tablename = 'part' AND attname = 'half' AND inherited;

-- what cannot be sampled says why
CREATE FOREIGN TABLE absent (id text OPTIONS (key 'true'), n int) SERVER s OPTIONS (collection 'absent');
\set VERBOSITY sqlstate
ANALYZE absent;
\set VERBOSITY default
CREATE FOREIGN TABLE wrong_type (id text OPTIONS (key 'true'), name int) SERVER s OPTIONS (collection 'items');
\set VERBOSITY sqlstate
ANALYZE wrong_type;
\set VERBOSITY default
ALTER FOREIGN TABLE wrong_type OPTIONS (ADD on_type_error 'null');
ANALYZE wrong_type;
SELECT null_frac FROM pg_stats WHERE tablename = 'wrong_type' AND attname = 'name';

\set ECHO none
SET client_min_messages = warning;
DROP SERVER s CASCADE;
DROP TABLE part;
DROP FUNCTION plan_of, rows_of, check_path, documents_read, explain_lines, rows_estimated;
