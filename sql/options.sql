-- Options of servers, user mappings, foreign tables and columns: what the validator takes and refuses.
SELECT place, name, "values", "default" FROM cbconn_options();
SELECT count(*) AS without_description FROM cbconn_options() WHERE coalesce(description, '') = '';

-- every option where it belongs
CREATE SERVER s FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (
  connection_string 'couchbase://db1.example.com,db2.example.com:11210', bucket 'travel-sample', scope 'inventory',
  access 'kv', lookup 'on', on_type_error 'null', keep_connections 'off', fdw_startup_cost '5', fdw_tuple_cost '0.5');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (username 'app', password 'secret', password_required 'false');
CREATE FOREIGN TABLE t (
  id text OPTIONS (key 'true'),
  lat float8 OPTIONS (path 'geo.lat'),
  tag text OPTIONS (path 'tags[0]'),
  odd text OPTIONS (path '`odd.name`.x', on_type_error 'error'),
  doc jsonb OPTIONS (document 'true', on_type_error 'null'),
  cas bigint OPTIONS (meta 'cas'),
  seen timestamptz OPTIONS (format 'epoch_ms'),
  plain text OPTIONS (key 'false', document 'no')
) SERVER s OPTIONS (bucket 'travel-sample', scope '_default', collection 'air-line_%', access 'auto', lookup 'off',
  on_type_error 'error', fdw_startup_cost '0', fdw_tuple_cost '1e-3');
ALTER FOREIGN TABLE t ALTER COLUMN lat OPTIONS (SET path 'geo.lon');
ALTER FOREIGN TABLE t OPTIONS (SET lookup 'auto', DROP scope);
ALTER SERVER s OPTIONS (SET connection_string 'couchbases://db.example.com/travel-sample?kv_timeout=5s', DROP access);

-- unknown names: the closest one, the place where it belongs, or the list
\set VERBOSITY default
CREATE SERVER e FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (conection_string 'couchbase://h');
CREATE SERVER e FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbase://h', zzz '1');
CREATE SERVER e FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbase://h', password 'x');
CREATE USER MAPPING FOR public SERVER s OPTIONS (usrname 'x');
CREATE USER MAPPING FOR public SERVER s OPTIONS (bucket 'x');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (colection 'x');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (key 'true');
CREATE FOREIGN TABLE e (a int OPTIONS (pth 'x')) SERVER s;
CREATE FOREIGN TABLE e (a int OPTIONS (collection 'x')) SERVER s;
CREATE FOREIGN DATA WRAPPER e VALIDATOR cbconn_fdw_validator OPTIONS (bucket 'x');
CREATE FOREIGN DATA WRAPPER e VALIDATOR cbconn_fdw_validator OPTIONS (zzz 'x');

-- connection strings
CREATE SERVER e FOREIGN DATA WRAPPER cbconn_fdw;
CREATE SERVER e FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string '');
CREATE SERVER e FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'mongodb://h');
CREATE SERVER e FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbase://h:99999');
CREATE SERVER e FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbase://h?kv_timout=5s');
CREATE SERVER e FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbase://h?kv_timeout=soon');
CREATE SERVER e FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbase://user:pw@h');
CREATE SERVER e FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbase://h?username=x&password=topsecret');
CREATE SERVER e FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbase://h/one', bucket 'two');
ALTER SERVER s OPTIONS (DROP connection_string);

-- files of the server: only for those who may read them
CREATE ROLE cbconn_regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER cbconn_fdw TO cbconn_regress_user;
GRANT USAGE ON FOREIGN SERVER s TO cbconn_regress_user;
SET ROLE cbconn_regress_user;
CREATE SERVER e FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbases://h?truststorepath=/etc/ssl/ca.pem');
CREATE SERVER e FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbase://h?config_cache=/tmp/cache');
RESET ROLE;
GRANT pg_read_server_files TO cbconn_regress_user;
SET ROLE cbconn_regress_user;
CREATE SERVER files FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbases://h?truststorepath=/etc/ssl/ca.pem');
CREATE SERVER e FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbase://h?config_cache=/tmp/cache');
CREATE SERVER noted FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbases://h?certpath=/etc/ssl/ca.pem');

-- password_required: postgres_fdw's rules
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (username 'x', password_required 'false');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (username 'x');
ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (ADD password_required 'off');
RESET ROLE;
ALTER USER MAPPING FOR cbconn_regress_user SERVER s OPTIONS (ADD password_required 'off');
SET ROLE cbconn_regress_user;
ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (ADD password 'x');
ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (SET password_required 'on');
RESET ROLE;
CREATE USER MAPPING FOR public SERVER s OPTIONS (password 'x');
CREATE USER MAPPING FOR public SERVER s OPTIONS (username '', password 'x');

-- values
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (access 'kw');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (scan_consistency 'statement_plus');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (filter '');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (filter 'type');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (filter 'type = airline');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (filter 'type = "airline');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (filter 'type = null');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (filter 'n = 1.5');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (filter 'n = 9007199254740992');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (filter 'a..b = 1');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (filter 'type = "a" OR n = 1');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (filter 'type = "a" AND');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (lookup 'yes');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (on_type_error 'ERROR');
ALTER SERVER s OPTIONS (SET keep_connections 'maybe');
ALTER SERVER s OPTIONS (ADD idle_timeout '5');
ALTER SERVER s OPTIONS (ADD idle_timeout '25h');
ALTER SERVER s OPTIONS (ADD slow_kv 'soon');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (fdw_startup_cost 'cheap');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (fdw_tuple_cost '-1');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (bucket '');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (bucket '.hidden');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (bucket 'a b');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (scope '_private');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (scope 'a.b');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (collection '%c');
CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (collection 'a/b');
CREATE FOREIGN TABLE e (a int OPTIONS (key 'maybe')) SERVER s;
CREATE FOREIGN TABLE e (a int OPTIONS (meta 'ttl')) SERVER s;
CREATE FOREIGN TABLE e (a int OPTIONS (meta 'csa')) SERVER s;
CREATE FOREIGN TABLE e (a int OPTIONS (format 'epoch')) SERVER s;
CREATE FOREIGN TABLE e (a int OPTIONS (path '')) SERVER s;
CREATE FOREIGN TABLE e (a int OPTIONS (path 'a..b')) SERVER s;
CREATE FOREIGN TABLE e (a int OPTIONS (path 'a[-1]')) SERVER s;
CREATE FOREIGN TABLE e (a int OPTIONS (path 'a[b]')) SERVER s;
CREATE FOREIGN TABLE e (a int OPTIONS (path '`a')) SERVER s;
\set VERBOSITY terse
DO $$
BEGIN
  EXECUTE format('CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (bucket %L)', repeat('b', 101));
EXCEPTION WHEN invalid_parameter_value THEN
  RAISE NOTICE 'bucket of 101 characters refused';
END $$;
DO $$
BEGIN
  EXECUTE format('CREATE FOREIGN TABLE e (a int) SERVER s OPTIONS (scope %L)', repeat('s', 252));
EXCEPTION WHEN invalid_parameter_value THEN
  RAISE NOTICE 'scope of 252 characters refused';
END $$;
DO $$
BEGIN
  EXECUTE format('CREATE FOREIGN TABLE long (a int) SERVER noted OPTIONS (bucket %L, scope %L, collection %L)',
                 repeat('b', 100), repeat('s', 251), repeat('c', 251));
  DROP FOREIGN TABLE long;
END $$;

-- what excludes each other
CREATE FOREIGN TABLE e (a text OPTIONS (key 'true', path 'b')) SERVER s;
CREATE FOREIGN TABLE e (a text OPTIONS (document 'true', key 'true')) SERVER s;
CREATE FOREIGN TABLE e (a text OPTIONS (meta 'cas', path 'b')) SERVER s;
CREATE FOREIGN TABLE e (a text OPTIONS (key 'true', format 'epoch_s')) SERVER s;
CREATE FOREIGN TABLE e (a text OPTIONS (meta 'datatype', on_type_error 'null')) SERVER s;
ALTER FOREIGN TABLE t ALTER COLUMN id OPTIONS (ADD document 'true');

-- secrets and functions
SELECT umoptions FROM pg_user_mappings WHERE srvname = 's' AND usename = 'cbconn_regress_user';
SELECT cbconn_version() LIKE 'cbconn_fdw 1.0 for PostgreSQL %' AS version;
SELECT * FROM cbconn_get_connections();
SELECT cbconn_disconnect('s');
SELECT cbconn_disconnect('none');
SELECT cbconn_disconnect_all();
SELECT proname, provolatile, proparallel, proisstrict FROM pg_proc WHERE proname LIKE 'cbconn%' ORDER BY 1;
SET cbconn_fdw.no_such_setting = 1;

DROP SERVER files;
DROP SERVER noted;
DROP SERVER s CASCADE;
REVOKE USAGE ON FOREIGN DATA WRAPPER cbconn_fdw FROM cbconn_regress_user;
DROP ROLE cbconn_regress_user;
