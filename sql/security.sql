-- Whose user mapping a scan uses, and what conditions may run before others.
\set ECHO none
\i test/sql/keys_setup.sql
\set ECHO all
CREATE ROLE regress_cb_owner;
CREATE ROLE regress_cb_reader;
CREATE ROLE regress_cb_wrong;
GRANT USAGE ON FOREIGN SERVER s TO regress_cb_owner;
GRANT SELECT ON items TO regress_cb_owner, regress_cb_reader, regress_cb_wrong;
GRANT CREATE ON SCHEMA public TO regress_cb_owner;
CREATE USER MAPPING FOR regress_cb_owner SERVER s OPTIONS (username :'cb_user', password :'cb_password');
CREATE USER MAPPING FOR regress_cb_wrong SERVER s OPTIONS (username :'cb_user', password 'not the password');

-- directly: every user needs a mapping of his own
SET ROLE regress_cb_owner;
SELECT n FROM items WHERE id = 'item-0001';
CREATE VIEW of_owner AS SELECT id, n, name FROM items;
CREATE VIEW of_invoker WITH (security_invoker) AS SELECT id, n, name FROM items;
GRANT SELECT ON of_owner, of_invoker TO regress_cb_reader, regress_cb_wrong;
CREATE FUNCTION n_of(key text) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT n FROM items WHERE id = key';
SET ROLE regress_cb_reader;
SELECT n FROM items WHERE id = 'item-0001';
EXPLAIN (COSTS OFF) SELECT n FROM items WHERE n = 1;
SELECT count(*) FROM items;
SET ROLE regress_cb_wrong;
\set VERBOSITY sqlstate
SELECT n FROM items WHERE id = 'item-0001';
SELECT count(*) FROM items;
\set VERBOSITY default

-- through a view: the mapping of its owner; through an invoker's view, functions: of whoever runs the query there
SELECT n FROM of_owner WHERE id = 'item-0002';
SELECT count(*) FROM of_owner WHERE n < 5;
SET ROLE regress_cb_reader;
SELECT n FROM of_owner WHERE id = 'item-0002';
SELECT count(*), sum(n) FROM of_owner;
SELECT a.n, b.n FROM of_owner a JOIN of_owner b ON b.id = a.id WHERE a.id IN ('item-0003', 'item-0004') ORDER BY 1;
SELECT n FROM of_invoker WHERE id = 'item-0002';
SELECT n_of('item-0005');
SELECT o.n, i.n FROM of_owner o JOIN items i USING (id) WHERE id = 'item-0001';
RESET ROLE;
SELECT n FROM of_invoker WHERE id = 'item-0002';

-- workers connect as the same user
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET ROLE regress_cb_reader;
EXPLAIN (COSTS OFF) SELECT count(n) FROM of_owner;
SELECT count(n) FROM of_owner;
\set VERBOSITY sqlstate
SELECT count(n) FROM of_invoker;
\set VERBOSITY default
RESET ROLE;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- one prepared statement, several users
SET plan_cache_mode = force_generic_plan;
PREPARE one AS SELECT n FROM items WHERE id = 'item-0001';
EXECUTE one;
SET ROLE regress_cb_owner;
EXECUTE one;
SET ROLE regress_cb_reader;
EXECUTE one;
RESET ROLE;
RESET plan_cache_mode;

-- a mapping for everybody
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (username :'cb_user', password :'cb_password');
SET ROLE regress_cb_reader;
SELECT n FROM items WHERE id = 'item-0001';
EXECUTE one;
RESET ROLE;

-- an altered mapping counts at once
ALTER USER MAPPING FOR regress_cb_wrong SERVER s OPTIONS (SET password :'cb_password');
SET ROLE regress_cb_wrong;
SELECT n FROM items WHERE id = 'item-0001';
RESET ROLE;
ALTER USER MAPPING FOR regress_cb_wrong SERVER s OPTIONS (SET password 'wrong again');
SET ROLE regress_cb_wrong;
\set VERBOSITY sqlstate
SELECT n FROM items WHERE id = 'item-0001';
\set VERBOSITY default
RESET ROLE;

-- a cursor reads as whoever opened it
CREATE FUNCTION opened(c refcursor) RETURNS refcursor LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  OPEN c FOR SELECT n, current_user FROM items WHERE id = 'item-0001';
  RETURN c;
END $$;
BEGIN;
SET LOCAL ROLE regress_cb_wrong;
SELECT opened('c');
FETCH ALL FROM c;
COMMIT;

-- a security barrier: conditions that might leak wait until its own condition has been checked
CREATE VIEW barrier WITH (security_barrier) AS SELECT id, n, name FROM items WHERE n < 5;
EXPLAIN (COSTS OFF) SELECT * FROM barrier WHERE id = 'item-0001';
EXPLAIN (COSTS OFF) SELECT * FROM barrier WHERE id LIKE 'item-000%';
SELECT count(*) FROM barrier WHERE id LIKE 'item-000%';


-- the same with a policy of the parent of a foreign partition
CREATE TABLE part (id text COLLATE "C", n int, name text) PARTITION BY RANGE (n);
CREATE FOREIGN TABLE part_remote (id text OPTIONS (key 'true') COLLATE "C", n int, name text) SERVER s OPTIONS (collection 'items');
ALTER TABLE part ATTACH PARTITION part_remote FOR VALUES FROM (0) TO (1000);
ALTER TABLE part ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON part USING (name <> 'item 3');
GRANT SELECT ON part TO regress_cb_owner;
EXPLAIN (COSTS OFF) SELECT id FROM part WHERE id LIKE 'item-000%';
SET ROLE regress_cb_owner;
EXPLAIN (COSTS OFF) SELECT id FROM part WHERE id LIKE 'item-000%';
EXPLAIN (COSTS OFF) SELECT id FROM part WHERE id IN ('item-0002', 'item-0003');
SELECT id FROM part WHERE id LIKE 'item-000%' ORDER BY id;
SELECT id FROM part WHERE id IN ('item-0002', 'item-0003') ORDER BY id;
RESET ROLE;

\set ECHO none
SET client_min_messages = warning;
DROP TABLE part;
DROP SERVER s CASCADE;
DROP FUNCTION plan_of, rows_of, check_path, documents_read, explain_lines, n_of, opened;
REVOKE CREATE ON SCHEMA public FROM regress_cb_owner;
DROP ROLE regress_cb_owner, regress_cb_reader, regress_cb_wrong;
