-- Tables over test/data/regress/keys.app.*.jsonl and the functions that the suites about keys share.
\getenv cb CB_CONNECTION_STRING
\getenv cb_user CB_USER
\getenv cb_password CB_PASSWORD
-- these suites are about the data service
CREATE SERVER s FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string :'cb', bucket 'keys', scope 'app', access 'kv');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (username :'cb_user', password :'cb_password');
CREATE FOREIGN TABLE items (
  id text OPTIONS (key 'true') COLLATE "C",
  n int, name text, grp text, price numeric, parent text COLLATE "C",
  lat float8 OPTIONS (path 'geo.lat'), tags text[]
) SERVER s OPTIONS (collection 'items');
CREATE FOREIGN TABLE words (
  id text OPTIONS (key 'true') COLLATE "C",
  n int, len int
) SERVER s OPTIONS (collection 'words');
CREATE FOREIGN TABLE many (id text OPTIONS (key 'true') COLLATE "C", n int, half text) SERVER s OPTIONS (collection 'many');
CREATE FOREIGN TABLE empty (id text OPTIONS (key 'true') COLLATE "C", n int) SERVER s OPTIONS (collection 'empty');

-- EXPLAIN without the lines that depend on costs.
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query;
END $$;

-- Number and digest of the rows of a query.
CREATE FUNCTION rows_of(query text, OUT n bigint, OUT digest text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SELECT count(*), md5(string_agg(r::text, E''\n'' ORDER BY r::text COLLATE "C")) FROM (%s) r', query)
    INTO n, digest;
END $$;

-- What the first foreign scan of a query does, how many rows it gives, and whether the same rows come with every
-- use of the key switched off. Results of initial plans are shown as $init: their names depend on the release.
CREATE FUNCTION check_path(query text, OUT access text, OUT key_condition text, OUT filter text, OUT n bigint, OUT same boolean)
LANGUAGE plpgsql AS $$
DECLARE
  line text;
  digest text;
  plain record;
BEGIN
  FOR line IN SELECT * FROM plan_of(query) LOOP
    access := coalesce(access, substring(line FROM '^ *Couchbase Access: (.*)'));
    key_condition := coalesce(key_condition, substring(line FROM '^ *Key Condition: (.*)'));
    filter := coalesce(filter, substring(line FROM '^ *Filter: (.*)'));
  END LOOP;
  key_condition := regexp_replace(key_condition, '\$\d+|\(InitPlan \d+\)\.col\d+', '$init', 'g');
  SELECT * FROM rows_of(query) INTO n, digest;
  PERFORM set_config('cbconn_fdw.' || name, 'off', true)
    FROM unnest(ARRAY['enable_key_lookup', 'enable_key_range', 'enable_key_order']) name;
  SELECT * FROM rows_of(query) INTO plain;
  PERFORM set_config('cbconn_fdw.' || name, 'on', true)
    FROM unnest(ARRAY['enable_key_lookup', 'enable_key_range', 'enable_key_order']) name;
  same := plain.n = n AND plain.digest IS NOT DISTINCT FROM digest;
END $$;

CREATE FUNCTION explain_lines(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE query;
END $$;

-- Documents that the first foreign scan of a query received.
CREATE FUNCTION documents_read(query text, OUT documents int) LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
    documents := coalesce(documents, substring(line FROM '^ *Documents: (.*)')::int);
  END LOOP;
END $$;
