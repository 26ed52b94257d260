-- Connections of a session, and what ALTER changes for statements that are prepared or open.
\getenv connection CB_CONNECTION_STRING
\getenv user CB_USER
\getenv password CB_PASSWORD
CREATE SERVER one FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string :'connection', bucket 'types', scope 'app');
CREATE SERVER two FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string :'connection', bucket 'types', scope 'app');
CREATE USER MAPPING FOR CURRENT_USER SERVER one OPTIONS (username :'user', password :'password');
CREATE USER MAPPING FOR CURRENT_USER SERVER two OPTIONS (username :'user', password :'password');
CREATE FOREIGN TABLE t1 (id text OPTIONS (key 'true'), v jsonb) SERVER one OPTIONS (collection 'bad');
CREATE FOREIGN TABLE t2 (id text OPTIONS (key 'true'), v jsonb) SERVER two OPTIONS (collection 'bad');

-- none before the first need, then one per mapping and bucket
SELECT * FROM cbconn_get_connections();
EXPLAIN (COSTS OFF) SELECT * FROM t1 WHERE id = '04 integer';
SELECT * FROM t1 WHERE id = '04 integer';
SELECT server_name, user_name = CURRENT_USER AS own, bucket, valid, used_in_xact, nodes > 0 AS nodes, config_rev > 0 AS rev FROM cbconn_get_connections();
SELECT count(*) > 0 AS found FROM t2;
SELECT server_name, bucket, valid, used_in_xact, nodes > 0 AS nodes FROM cbconn_get_connections() ORDER BY 1;

-- closing: not while the transaction uses them
BEGIN;
SELECT * FROM t1 WHERE id = '04 integer';
SELECT cbconn_disconnect('one');
SELECT cbconn_disconnect_all();
SELECT server_name, valid, used_in_xact FROM cbconn_get_connections() ORDER BY 1;
COMMIT;
SELECT cbconn_disconnect('two');
SELECT cbconn_disconnect('one');
SELECT cbconn_disconnect_all();
SELECT count(*) FROM cbconn_get_connections();
SELECT * FROM t2 WHERE id = '05 fraction';
SELECT cbconn_disconnect_all();

-- keep_connections 'off'
ALTER SERVER one OPTIONS (ADD keep_connections 'off');
BEGIN;
SELECT * FROM t1 WHERE id = '04 integer';
SELECT server_name, used_in_xact FROM cbconn_get_connections();
COMMIT;
SELECT count(*) FROM cbconn_get_connections();
ALTER SERVER one OPTIONS (SET keep_connections 'on');

-- prepared statements see what ALTER changes
SET plan_cache_mode = force_generic_plan;
PREPARE by_key(text) AS SELECT * FROM t1 WHERE id = $1;
EXECUTE by_key('04 integer');
ALTER FOREIGN TABLE t1 ALTER COLUMN v OPTIONS (ADD path 'w');
EXECUTE by_key('01 missing');
ALTER FOREIGN TABLE t1 ALTER COLUMN v OPTIONS (DROP path);
EXECUTE by_key('04 integer');
ALTER FOREIGN TABLE t1 OPTIONS (SET collection 'good');
EXECUTE by_key('all');
EXECUTE by_key('04 integer');
ALTER FOREIGN TABLE t1 OPTIONS (SET collection 'bad');
ALTER SERVER one OPTIONS (SET scope '_default');
\set VERBOSITY terse
EXECUTE by_key('04 integer');
\set VERBOSITY default
ALTER SERVER one OPTIONS (SET scope 'app');
EXECUTE by_key('04 integer');
DEALLOCATE by_key;

-- so do the next statements, but not those under way
CREATE FOREIGN TABLE bad (id text OPTIONS (key 'true'), v int) SERVER one OPTIONS (collection 'bad');
BEGIN;
DECLARE c CURSOR FOR SELECT id, v FROM bad WHERE id IN ('04 integer', '08 string');
ALTER SERVER one OPTIONS (ADD on_type_error 'null');
SELECT id, v FROM bad WHERE id = '08 string';
SAVEPOINT s;
FETCH ALL FROM c;
ROLLBACK TO s;
COMMIT;
SELECT id, v FROM bad WHERE id = '08 string';

-- another password: the next transaction
ALTER USER MAPPING FOR CURRENT_USER SERVER two OPTIONS (SET password 'wrong');
DO $$
BEGIN
  PERFORM * FROM t2 WHERE id = '04 integer';
EXCEPTION WHEN OTHERS THEN
  RAISE NOTICE '%', SQLSTATE;
END $$;
ALTER USER MAPPING FOR CURRENT_USER SERVER two OPTIONS (SET password :'password');
SELECT * FROM t2 WHERE id = '04 integer';

-- a dropped server has no name, its connection ends with the transaction
BEGIN;
SELECT * FROM t2 WHERE id = '04 integer';
\set VERBOSITY terse
DROP SERVER two CASCADE;
SELECT server_name, valid, used_in_xact FROM cbconn_get_connections() ORDER BY 1;
COMMIT;
SELECT server_name, valid, used_in_xact FROM cbconn_get_connections() ORDER BY 1;
DROP SERVER one CASCADE;
