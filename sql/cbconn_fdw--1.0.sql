/* sql/cbconn_fdw--1.0.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION cbconn_fdw" to load this file. \quit

CREATE FUNCTION cbconn_fdw_handler()
RETURNS fdw_handler
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT;

CREATE FUNCTION cbconn_fdw_validator(text[], oid)
RETURNS void
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT;

CREATE FOREIGN DATA WRAPPER cbconn_fdw
  HANDLER cbconn_fdw_handler
  VALIDATOR cbconn_fdw_validator;

COMMENT ON FOREIGN DATA WRAPPER cbconn_fdw IS 'Couchbase buckets as foreign tables';

-- Tables that cannot work are refused when they are made, not when they are first used.
CREATE FUNCTION cbconn_fdw_check_tables()
RETURNS event_trigger
AS 'MODULE_PATHNAME'
LANGUAGE C;

CREATE EVENT TRIGGER cbconn_fdw_check_tables ON ddl_command_end
  WHEN TAG IN ('CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE', 'ALTER TABLE', 'IMPORT FOREIGN SCHEMA')
  EXECUTE FUNCTION cbconn_fdw_check_tables();

COMMENT ON EVENT TRIGGER cbconn_fdw_check_tables IS
  'refuses foreign tables over Couchbase whose bucket, key or columns cannot work';

-- The connections of the session that asks; nothing of other sessions, no secrets.
-- Workers of a parallel query have connections of their own, hence RESTRICTED.
CREATE FUNCTION cbconn_get_connections(
  OUT server_name text, OUT user_name text, OUT bucket text, OUT valid boolean,
  OUT used_in_xact boolean, OUT config_epoch bigint, OUT config_rev bigint,
  OUT node text, OUT state text, OUT connected_at timestamptz, OUT last_used_at timestamptz,
  OUT connects bigint, OUT requests bigint, OUT retries bigint,
  OUT bytes_sent bigint, OUT bytes_received bigint, OUT error text)
RETURNS SETOF record
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;

COMMENT ON FUNCTION cbconn_get_connections() IS
  'connections to Couchbase that this session holds: one row per user mapping, bucket and node';

CREATE FUNCTION cbconn_disconnect(server_name text)
RETURNS boolean
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;

COMMENT ON FUNCTION cbconn_disconnect(text) IS
  'closes this session''s connections to a server unless this transaction uses them; true if any was closed';

CREATE FUNCTION cbconn_disconnect_all()
RETURNS boolean
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;

COMMENT ON FUNCTION cbconn_disconnect_all() IS
  'closes this session''s connections to all servers unless this transaction uses them; true if any was closed';

-- Functions that look at a cluster need USAGE on the server and a user mapping, as foreign tables do.
-- They try things in subtransactions, hence UNSAFE.
CREATE FUNCTION cbconn_ping(
  server_name text, bucket text DEFAULT NULL,
  OUT node text, OUT service text, OUT state text,
  OUT latency_ms double precision, OUT connect_ms double precision, OUT error text)
RETURNS SETOF record
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;

COMMENT ON FUNCTION cbconn_ping(text, text) IS
  'asks each data node of a bucket for a sign of life: ok, timeout or error, and how long it took';

CREATE FUNCTION cbconn_query(
  server_name text, statement text, parameters jsonb DEFAULT '{}', bucket text DEFAULT NULL,
  readonly boolean DEFAULT true, scan_consistency text DEFAULT 'not_bounded',
  prepared boolean DEFAULT false)
RETURNS SETOF jsonb
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1000;

COMMENT ON FUNCTION cbconn_query(text, text, jsonb, text, boolean, text, boolean) IS
  'runs a SQL++ statement on the query service: one row per row of its answer; parameters are its $names';

CREATE FUNCTION cbconn_diag(
  server_name text, bucket text DEFAULT NULL,
  OUT step text, OUT target text, OUT ok boolean,
  OUT ms double precision, OUT detail text, OUT advice text)
RETURNS SETOF record
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 20;

COMMENT ON FUNCTION cbconn_diag(text, text) IS
  'connects anew to every host and node and tells of each step: what was tried, how long, what failed, what to do';

CREATE FUNCTION cbconn_cluster(
  server_name text, bucket text DEFAULT NULL,
  OUT host text, OUT kv_port integer, OUT kv_tls_port integer,
  OUT management_port integer, OUT management_tls_port integer,
  OUT query_port integer, OUT query_tls_port integer, OUT services text[],
  OUT version text, OUT state text, OUT error text, OUT this_node boolean,
  OUT active_vbuckets integer, OUT replica_vbuckets integer, OUT server_group text,
  OUT vbuckets integer, OUT replicas integer, OUT network text,
  OUT config_epoch bigint, OUT config_rev bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;

COMMENT ON FUNCTION cbconn_cluster(text, text) IS
  'nodes of a cluster with ports, services, version, state and vBuckets; revision and network of its configuration';

CREATE FUNCTION cbconn_parse(
  connection_string text,
  OUT section text, OUT name text, OUT value text, OUT origin text, OUT description text)
RETURNS SETOF record
AS 'MODULE_PATHNAME'
LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 60;

COMMENT ON FUNCTION cbconn_parse(text) IS
  'hosts, ports, bucket and every effective option of a connection string, without connecting';

CREATE FUNCTION cbconn_connection_options(
  OUT name text, OUT aliases text[], OUT unit text, OUT "default" text, OUT meaning text, OUT refused text)
RETURNS SETOF record
AS 'MODULE_PATHNAME'
LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 100;

COMMENT ON FUNCTION cbconn_connection_options() IS
  'options of connection strings: aliases, what a bare number counts, default, meaning, or why they are refused';

CREATE FUNCTION cbconn_options(
  OUT place text, OUT name text, OUT "values" text, OUT "default" text, OUT description text)
RETURNS SETOF record
AS 'MODULE_PATHNAME'
LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 25;

COMMENT ON FUNCTION cbconn_options() IS
  'options of servers, user mappings, foreign tables and columns, with their values and defaults';

CREATE FUNCTION cbconn_version()
RETURNS text
AS 'MODULE_PATHNAME'
LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION cbconn_version() IS 'version of the cbconn_fdw library';
