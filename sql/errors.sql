-- What goes wrong on the way to a node and back: one error with a fitting SQLSTATE, and the session goes on.
\getenv connection CB_CONNECTION_STRING
\getenv user CB_USER
\getenv password CB_PASSWORD
CREATE FUNCTION outcome(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM (%s) q', query) INTO n;
  RETURN n || ' rows';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE SERVER good FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string :'connection', bucket 'keys', scope 'app');
CREATE USER MAPPING FOR CURRENT_USER SERVER good OPTIONS (username :'user', password :'password');
CREATE FOREIGN TABLE items (id text OPTIONS (key 'true'), doc jsonb OPTIONS (document 'true')) SERVER good OPTIONS (collection 'many');
CREATE SERVER bad FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbase://127.0.0.1:1', bucket 'keys', scope 'app');
CREATE USER MAPPING FOR CURRENT_USER SERVER bad OPTIONS (username :'user', password :'password');
CREATE FOREIGN TABLE bad_items (id text OPTIONS (key 'true'), doc jsonb OPTIONS (document 'true')) SERVER bad OPTIONS (collection 'many');
SELECT count(*) > 0 AS some FROM items;

-- nobody listens
SELECT outcome('SELECT * FROM bad_items WHERE id = ''x''');
SELECT outcome('SELECT * FROM bad_items');
\set VERBOSITY terse
SELECT * FROM bad_items WHERE id = 'x';
\set VERBOSITY default
SELECT * FROM bad_items WHERE id = 'x';
-- the second of two nodes does
SELECT regexp_replace(:'connection', '//', '//127.0.0.1:1,') AS half \gset
ALTER SERVER bad OPTIONS (SET connection_string :'half');
SELECT outcome('SELECT * FROM bad_items') = outcome('SELECT * FROM items') AS same;
-- no such name; bounded by the time that a look-up may take
ALTER SERVER bad OPTIONS (SET connection_string 'couchbase://nosuchhost.invalid?resolve_timeout=500ms');
SELECT outcome('SELECT * FROM bad_items WHERE id = ''x''');

-- the right node, the wrong user, password, bucket
ALTER SERVER bad OPTIONS (SET connection_string :'connection');
SELECT outcome('SELECT * FROM bad_items') = outcome('SELECT * FROM items') AS same;
ALTER USER MAPPING FOR CURRENT_USER SERVER bad OPTIONS (SET password 'wrong secret');
SELECT outcome('SELECT * FROM bad_items');
SELECT outcome('SELECT * FROM bad_items WHERE id = ''x''');
ALTER USER MAPPING FOR CURRENT_USER SERVER bad OPTIONS (SET username 'nobody');
SELECT outcome('SELECT * FROM bad_items');
ALTER USER MAPPING FOR CURRENT_USER SERVER bad OPTIONS (SET username :'user', SET password :'password');
SELECT outcome('SELECT * FROM bad_items') = outcome('SELECT * FROM items') AS same;
SELECT :'connection' || '?sasl_mech_force=PLAIN' AS plain \gset
ALTER SERVER bad OPTIONS (SET connection_string :'plain');
SELECT outcome('SELECT * FROM bad_items') = outcome('SELECT * FROM items') AS same;
SELECT :'connection' || '?sasl_mech_force=SCRAM-SHA1' AS sha1 \gset
ALTER SERVER bad OPTIONS (SET connection_string :'sha1');
SELECT outcome('SELECT * FROM bad_items') = outcome('SELECT * FROM items') AS same;
ALTER FOREIGN TABLE bad_items OPTIONS (ADD bucket 'nosuchbucket');
SELECT outcome('SELECT * FROM bad_items');
SELECT outcome('SELECT * FROM bad_items WHERE id = ''x''');
ALTER FOREIGN TABLE bad_items OPTIONS (DROP bucket);

-- scopes and collections that are not there, or come later than their table
ALTER FOREIGN TABLE bad_items OPTIONS (SET collection 'nosuch');
SELECT outcome('SELECT * FROM bad_items');
SELECT outcome('SELECT * FROM bad_items WHERE id = ''x''');
ALTER FOREIGN TABLE bad_items OPTIONS (SET collection 'many', ADD scope 'nosuch');
SELECT outcome('SELECT * FROM bad_items');
ALTER FOREIGN TABLE bad_items OPTIONS (DROP scope);
SELECT outcome('SELECT * FROM bad_items') = outcome('SELECT * FROM items') AS same;

-- what is understood but not done is refused when it is set
ALTER SERVER bad OPTIONS (SET connection_string 'couchbases://127.0.0.1?tls_disable_deprecated_protocols=off');
ALTER SERVER bad OPTIONS (SET connection_string 'couchbase://localhost?bootstrap_on=http');
ALTER SERVER bad OPTIONS (SET connection_string 'couchbase://127.0.0.1?analytics_timeout=10s');
SELECT outcome('SELECT * FROM bad_items') = outcome('SELECT * FROM items') AS same;

-- an error inside leaves the scans of outer levels whole, on the same connections
DO $$
DECLARE
  c CURSOR FOR SELECT id FROM items;
  n bigint := 0;
  wrong bigint := 0;
BEGIN
  FOR r IN c LOOP
    n := n + 1;
    IF n % 1000 = 1 THEN
      BEGIN
        PERFORM 1 / (count(*) - count(*)) FROM (SELECT id FROM items WHERE id <> r.id LIMIT 10) q;
      EXCEPTION WHEN division_by_zero THEN
        wrong := wrong + 1;
      END;
    END IF;
  END LOOP;
  RAISE NOTICE '%', n = (SELECT count(*) FROM items) AND wrong > 0;
END $$;
-- so does one that stops a scan half way
DO $$
DECLARE
  n bigint := 0;
  r record;
BEGIN
  FOR r IN SELECT id FROM items LOOP
    n := n + 1;
    IF n % 1000 = 1 THEN
      BEGIN
        PERFORM id, 1 / (length(id) - length(id)) FROM items;
      EXCEPTION WHEN division_by_zero THEN
        NULL;
      END;
    END IF;
  END LOOP;
  RAISE NOTICE '%', n = (SELECT count(*) FROM items);
END $$;
-- a scan whose end is not wanted does not stand in the way of the next statements
SELECT count(*) FROM (SELECT id FROM items LIMIT 3) q;
SELECT outcome('SELECT * FROM items') = (SELECT count(*) || ' rows' FROM items) AS same;
SET client_min_messages = warning;
DROP SERVER good CASCADE;
DROP SERVER bad CASCADE;
DROP FUNCTION outcome;
