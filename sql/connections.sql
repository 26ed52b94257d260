-- Connections of a session, and what ALTER changes for statements that are prepared or open.
\getenv connection CB_CONNECTION_STRING
\getenv user CB_USER
\getenv password CB_PASSWORD
\getenv kv CB_KV
SELECT set_config('cb.kv', :'kv', false) <> '' AS ok;
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
SELECT server_name, user_name = CURRENT_USER AS own, bucket, valid, used_in_xact, config_rev > 0 AS rev, count(*) FILTER (WHERE state = 'ready') > 0 AS ready
  FROM cbconn_get_connections() GROUP BY 1, 2, 3, 4, 5, 6;
SELECT count(*) > 0 AS found FROM t2;
SELECT server_name, bucket, valid, used_in_xact, count(*) FROM cbconn_get_connections() GROUP BY 1, 2, 3, 4 ORDER BY 1;

-- one row per node: what it is used for; those that are not needed are not connected
SELECT cbconn_disconnect_all();
SELECT * FROM t1 WHERE id = '04 integer';
SELECT DISTINCT node ~ '^127\.0\.0\.1:\d+$' AS node, state, connected_at BETWEEN transaction_timestamp() - interval '1 min' AND clock_timestamp() AS connected,
    last_used_at >= connected_at AS used, connects, requests > 0 AS requests, retries, bytes_sent > 100 AS sent,
    bytes_received > 100 AS received, error
  FROM cbconn_get_connections() WHERE state = 'ready' AND requests > 0;
SELECT count(*) FROM cbconn_get_connections()
  WHERE connects = 0 AND (state <> 'closed' OR connected_at IS NOT NULL OR last_used_at IS NOT NULL OR error IS NOT NULL
    OR requests + retries + bytes_sent + bytes_received > 0);
SELECT sum(requests) AS r1 FROM cbconn_get_connections() \gset
SELECT * FROM t1 WHERE id = '04 integer';
SELECT sum(requests) - :r1 AS requests FROM cbconn_get_connections();
SELECT count(*) > 0 AS found FROM t2;

-- the cluster that the session sees
SELECT host, kv_port::text = any (string_to_array(replace(current_setting('cb.kv'), ':', ','), ',')) AS kv, kv_tls_port,
    management_port > 0 AS management, services[1:2], version <> '' AS version, state, error,
    active_vbuckets, replica_vbuckets, vbuckets, replicas, network, config_epoch > 0 AS epoch, config_rev > 0 AS rev
  FROM cbconn_cluster('one') ORDER BY kv_port;
SELECT count(*) FILTER (WHERE this_node) AS this_node, sum(active_vbuckets) AS active FROM cbconn_cluster('one', 'types');
SELECT * FROM cbconn_cluster('none');
SELECT * FROM cbconn_cluster(NULL);

-- closing: not while the transaction uses them
BEGIN;
SELECT * FROM t1 WHERE id = '04 integer';
SELECT cbconn_disconnect('one');
SELECT cbconn_disconnect_all();
SELECT DISTINCT server_name, valid, used_in_xact FROM cbconn_get_connections() ORDER BY 1;
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
SELECT DISTINCT server_name, used_in_xact FROM cbconn_get_connections();
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
SELECT DISTINCT server_name, valid, used_in_xact FROM cbconn_get_connections() ORDER BY 1;
COMMIT;
SELECT DISTINCT server_name, valid, used_in_xact FROM cbconn_get_connections() ORDER BY 1;
DROP SERVER one CASCADE;
