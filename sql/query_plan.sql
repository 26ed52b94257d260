-- When the query service is asked, what EXPLAIN says of it, its switches and options.
\set ECHO none
\i test/sql/query_setup.sql
CREATE SERVER a FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string :'cb', bucket 'query', scope 'app', on_type_error 'null');
CREATE USER MAPPING FOR CURRENT_USER SERVER a OPTIONS (username :'cb_user', password :'cb_password');
CREATE FOREIGN TABLE mixed (id text OPTIONS (key 'true') COLLATE "C", type text COLLATE "C", n int, name text COLLATE "C", airline text COLLATE "C",
  cas bigint OPTIONS (meta 'cas'), expiry timestamptz OPTIONS (meta 'expiry'), flags bigint OPTIONS (meta 'flags'), seqno bigint OPTIONS (meta 'seqno')
) SERVER a OPTIONS (collection 'mixed');
CREATE FUNCTION access_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; result text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
    IF line ~ '^ *(Couchbase Access|Chosen By):' THEN
      result := concat_ws(', ', result, substring(line FROM ': (.*)'));
    END IF;
  END LOOP;
  RETURN result;
END $$;
-- what EXPLAIN ANALYZE counts: with times, only the names
CREATE FUNCTION counters(statement text, times boolean) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE format('EXPLAIN (ANALYZE, COSTS OFF, TIMING %s, SUMMARY OFF) %s', CASE WHEN times THEN 'on' ELSE 'off' END, statement) LOOP
    IF line ~ '^ *(Rows|Requests|Round|Bytes|Retries|Connections|Service)' THEN
      RETURN NEXT CASE WHEN times THEN substring(line FROM '^ *([^:]*):') ELSE line END;
    END IF;
  END LOOP;
END $$;
\set ECHO all

-- by cost: what is selective, and more than a range of keys
SELECT access_of('SELECT * FROM mixed');
SELECT access_of($$ SELECT id, name FROM mixed WHERE type = 'airline' $$);
SELECT access_of($$ SELECT id, name FROM mixed WHERE type = 'airline' AND lower(name) = 'x' $$);
SELECT access_of($$ SELECT id, name FROM mixed WHERE type <> 'airline' $$);
SELECT access_of($$ SELECT id, name FROM mixed WHERE lower(name) = 'x' $$);
SELECT access_of($$ SELECT id, name FROM mixed WHERE id = 'airline_03' AND type = 'airline' $$);
SELECT access_of($$ SELECT id, name FROM mixed WHERE id > 'airline_03' $$);
SELECT access_of($$ SELECT id, name FROM mixed WHERE id > 'airline_03' AND n = 5 $$);
SELECT access_of($$ SELECT id, seqno FROM mixed WHERE type = 'airline' $$);
SELECT access_of($$ SELECT id, expiry, flags FROM mixed WHERE type = 'airline' $$);
SELECT access_of($$ UPDATE mixed SET name = 'x' WHERE type = 'none' $$);
SET cbconn_fdw.enable_query = off;
SELECT access_of($$ SELECT id, name FROM mixed WHERE type = 'airline' $$);
RESET cbconn_fdw.enable_query;
ALTER FOREIGN TABLE mixed OPTIONS (ADD access 'kv');
SELECT access_of($$ SELECT id, name FROM mixed WHERE type = 'airline' $$);
ALTER FOREIGN TABLE mixed OPTIONS (SET access 'query');
SELECT access_of('SELECT id FROM mixed');
SELECT access_of($$ SELECT id, name FROM mixed WHERE id = 'airline_03' $$);
SELECT access_of($$ UPDATE mixed SET name = 'x' WHERE type = 'none' $$);
SELECT id, seqno FROM mixed WHERE type = 'airline';
SELECT id, expiry, flags FROM mixed;
SELECT id, cas > 0 AS cas, expiry FROM mixed WHERE n = 3;
SELECT id, cas > 0 AS cas, flags FROM mixed WHERE n = 3 AND cas > 0;
-- a cluster that has no query service to be asked
CREATE SERVER nowhere FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbase://127.0.0.1:1?bootstrap_timeout=1s', bucket 'b');
CREATE USER MAPPING FOR CURRENT_USER SERVER nowhere OPTIONS (username 'u', password 'p');
CREATE FOREIGN TABLE unreachable (id text OPTIONS (key 'true') COLLATE "C", n int) SERVER nowhere;
SELECT access_of('SELECT id FROM unreachable WHERE n = 5');

-- EXPLAIN
EXPLAIN (COSTS OFF, VERBOSE) SELECT name FROM mixed WHERE type = 'airline' AND n < 10 AND lower(name) <> 'x' ORDER BY n DESC;
SELECT counters($$ SELECT name FROM mixed WHERE type = 'airline' AND n < 10 ORDER BY n DESC $$, false);
SELECT counters($$ SELECT name FROM mixed WHERE type = 'airline' AND n < 10 ORDER BY n DESC $$, true);
EXPLAIN (COSTS OFF, VERBOSE, FORMAT JSON) SELECT id FROM mixed WHERE n = 3 LIMIT 2;

-- switches of single groups: the condition is checked here then
CREATE FUNCTION switched(switch text, condition text, OUT sent_on boolean, OUT sent_off boolean) LANGUAGE plpgsql AS $$
BEGIN
  sent_on := sent('SELECT id FROM q.n WHERE ' || condition) <> '';
  PERFORM set_config('cbconn_fdw.enable_' || switch || '_pushdown', 'off', false);
  sent_off := sent('SELECT id FROM q.n WHERE ' || condition) <> '';
  PERFORM set_config('cbconn_fdw.enable_' || switch || '_pushdown', 'on', false);
END $$;
SELECT s.*, w.* FROM (VALUES ('condition', $$ ct = 'a' $$), ('text', $$ ct LIKE 'a%' $$), ('text', $$ length(ct) = 1 $$), ('math', $$ n + 1 = 2 $$), ('time', $$ cms > now() $$),
  ('json', $$ doc->>'c' = 'a' $$), ('json', $$ doc ? 'c' $$), ('array', $$ 'a' = ANY (at) $$), ('array', $$ at @> '{a}' $$), ('case', $$ coalesce(ct, 'a') = 'a' $$), ('case', $$ CASE WHEN cb THEN true END $$)) s (switch, condition),
  LATERAL switched(switch, condition) w;

-- the inner side of a join
CREATE TEMP TABLE wanted (v text, i bigint);
INSERT INTO wanted VALUES ('a', 1), ('A', 100), (NULL, NULL), ('none', -1);
ANALYZE wanted;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
ALTER SERVER q OPTIONS (ADD fdw_startup_cost '0', ADD fdw_tuple_cost '0');
SELECT sent('SELECT w.v, n.id FROM wanted w JOIN q.n ON n.ct = w.v');
SELECT w.v, n.id FROM wanted w JOIN q.n ON n.ct = w.v ORDER BY 1, 2;
SELECT w.v, n.id FROM wanted w LEFT JOIN q.n ON n.ci = w.i AND n.n < 130 ORDER BY 1, 2;
SELECT w.v, (SELECT count(*) FROM q.n WHERE n.ct >= w.v) FROM wanted w ORDER BY 1;
SELECT w.v, l.* FROM wanted w, LATERAL (SELECT n.id FROM q.n WHERE n.ct = w.v ORDER BY n.n LIMIT 1) l ORDER BY 1;
SET cbconn_fdw.enable_parameter_pushdown = off;
EXPLAIN (COSTS OFF) SELECT w.v, n.id FROM wanted w JOIN q.n ON n.ct = w.v;
SELECT w.v, n.id FROM wanted w JOIN q.n ON n.ct = w.v ORDER BY 1, 2;
RESET cbconn_fdw.enable_parameter_pushdown;
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;

-- what a security barrier hides is not told by an error or a condition that sees it first
CREATE VIEW barrier WITH (security_barrier) AS SELECT * FROM q.n WHERE n.n < 10;
-- (which number a table behind a view has, depends on PostgreSQL's release)
SELECT regexp_replace(sent($$ SELECT id FROM barrier WHERE length(ct) > 2 AND ct = 'a' $$), '`r\d+`', '`r`', 'g') AS sent;

-- wrong types: an error where the column says so, unless a condition leaves the document out
CREATE FOREIGN TABLE strict (id text OPTIONS (key 'true') COLLATE "C", n int, type text) SERVER q OPTIONS (collection 'mixed', on_type_error 'error');
SELECT id, n FROM strict WHERE n > 55 ORDER BY n;
SELECT id, n FROM strict WHERE n IS NULL;
SELECT sent('SELECT id FROM strict WHERE n IS NULL'), rechecked('SELECT id FROM strict WHERE n IS NULL');

-- a collection of several kinds
SELECT make_table('airline', 'id text OPTIONS (key ''true'') COLLATE "C", n int, name text COLLATE "C", doc jsonb OPTIONS (document ''true'')', 'collection ''mixed'', filter ''type = "airline"''');
CREATE FOREIGN TABLE airline_kv (id text OPTIONS (key 'true') COLLATE "C", n int, name text COLLATE "C") SERVER kv OPTIONS (collection 'mixed', filter ' `type`="airline"  and n = 3 ');
SELECT * FROM three_ways('SELECT * FROM airline');
SELECT * FROM three_ways('SELECT id FROM airline WHERE n > 20 ORDER BY id LIMIT 3', true);
SELECT sent('SELECT id FROM q.airline WHERE n > 20 LIMIT 3');
SELECT count(*) FROM q.airline;
SELECT count(*), min(id) FROM airline_kv;
SELECT id FROM airline_kv WHERE id IN ('airline_03', 'airline_06', 'route_04');
SELECT id FROM airline_kv ORDER BY id LIMIT 1;
ANALYZE airline_kv;
SELECT reltuples FROM pg_class WHERE relname = 'airline_kv';
INSERT INTO airline_kv (id) VALUES ('airline_61');
DELETE FROM airline_kv;
TRUNCATE airline_kv;

-- the transaction's own writes are seen
BEGIN;
INSERT INTO mixed (id, type, n) VALUES ('new_1', 'new', 1), ('new_2', 'new', 2);
SELECT id, n FROM mixed WHERE type = 'new' ORDER BY id;
UPDATE mixed SET n = n + 10 WHERE type = 'new';
SET LOCAL cbconn_fdw.scan_consistency = 'request_plus';
SELECT id, n FROM mixed WHERE type = 'new' ORDER BY id;
DELETE FROM mixed WHERE type = 'new';
SELECT id, n FROM mixed WHERE type = 'new' ORDER BY id;
COMMIT;
SET cbconn_fdw.scan_consistency = 'bounded';

-- digits that a double cannot hold, and half of a surrogate pair
CREATE FOREIGN TABLE digits (id text OPTIONS (key 'true') COLLATE "C", c numeric, i bigint OPTIONS (path 'c'), f float8 OPTIONS (path 'c'), t text OPTIONS (path 'c'), j jsonb OPTIONS (path 'c')) SERVER q OPTIONS (collection 'digits');
SELECT id, c, j FROM digits ORDER BY id;
SELECT id, i, f, t FROM digits ORDER BY id;
SELECT id, c FROM digits WHERE c = 1.00000000000000000001;
SELECT id, c FROM digits WHERE c > 3.14159265358979323846264338327950287 AND c < 3.14159265358979323846264338327950289;
SELECT id FROM digits WHERE c = 123456789012345678901234567890;

\set VERBOSITY terse
SET client_min_messages = warning;
DROP SERVER a CASCADE;
DROP SERVER nowhere CASCADE;
DROP SERVER q CASCADE;
DROP SERVER kv CASCADE;
DROP SCHEMA q, copy CASCADE;
DROP TYPE mood;
DROP DOMAIN word;
DROP FUNCTION counters, access_of, switched, where_three_ways, three_ways, difference, pushdown, rows_of(text, boolean), rechecked, sent, make_table;
