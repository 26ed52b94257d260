-- Tables read through the query service (schema q), and copies of what the data service gives (schema copy).
\getenv cb CB_CONNECTION_STRING
\getenv cb_user CB_USER
\getenv cb_password CB_PASSWORD
SET timezone = 'UTC';
CREATE SERVER q FOREIGN DATA WRAPPER cbconn_fdw
  OPTIONS (connection_string :'cb', bucket 'query', scope 'app', access 'query', on_type_error 'null');
CREATE SERVER kv FOREIGN DATA WRAPPER cbconn_fdw
  OPTIONS (connection_string :'cb', bucket 'query', scope 'app', access 'kv', on_type_error 'null');
CREATE USER MAPPING FOR CURRENT_USER SERVER q OPTIONS (username :'cb_user', password :'cb_password');
CREATE USER MAPPING FOR CURRENT_USER SERVER kv OPTIONS (username :'cb_user', password :'cb_password');
CREATE SCHEMA q;
CREATE SCHEMA copy;
CREATE TYPE mood AS ENUM ('a', 'A', 'ab c', 'alpha', '5');
CREATE DOMAIN word AS text;

-- Makes a foreign table and its copy.
CREATE FUNCTION make_table(name text, columns text, options text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE FOREIGN TABLE q.%s (%s) SERVER q OPTIONS (%s)', name, columns, options);
  EXECUTE format('CREATE FOREIGN TABLE copy.original (%s) SERVER kv OPTIONS (%s)', columns, options);
  EXECUTE format('CREATE TABLE copy.%s AS SELECT * FROM copy.original', name);
  DROP FOREIGN TABLE copy.original;
END $$;

-- Every awkward value as every type: the field c, and another, d, to compare it with.
SELECT make_table('n', $$
  id text OPTIONS (key 'true') COLLATE "C",
  ct text OPTIONS (path 'c') COLLATE "C", ci bigint OPTIONS (path 'c'), c4 integer OPTIONS (path 'c'),
  c2 smallint OPTIONS (path 'c'), cf float8 OPTIONS (path 'c'), cr real OPTIONS (path 'c'), cn numeric OPTIONS (path 'c'),
  cd numeric(8,2) OPTIONS (path 'c'), cb boolean OPTIONS (path 'c'), cj jsonb OPTIONS (path 'c'), cs json OPTIONS (path 'c'),
  cv varchar(5) OPTIONS (path 'c') COLLATE "C", cw word OPTIONS (path 'c') COLLATE "C", cname name OPTIONS (path 'c'),
  cm mood OPTIONS (path 'c'), cu uuid OPTIONS (path 'c'),
  cms timestamptz OPTIONS (path 'c', format 'epoch_ms'), csec timestamp OPTIONS (path 'c', format 'epoch_s'),
  cday date OPTIONS (path 'c', format 'epoch_s'), ciso timestamptz OPTIONS (path 'c'), cdate date OPTIONS (path 'c'),
  dt text OPTIONS (path 'd') COLLATE "C", di bigint OPTIONS (path 'd'), d4 integer OPTIONS (path 'd'),
  df float8 OPTIONS (path 'd'), dn numeric OPTIONS (path 'd'), db boolean OPTIONS (path 'd'),
  at text[] OPTIONS (path 'a'), ai bigint[] OPTIONS (path 'a'),
  n integer, s text COLLATE "C", g bigint, gt text OPTIONS (path 'g') COLLATE "C",
  deep text OPTIONS (path 'o.x.y[0]') COLLATE "C", k bigint OPTIONS (path 'o.k'), oj jsonb OPTIONS (path 'o'),
  quoted bigint OPTIONS (path '`back``quote`'), blank bigint OPTIONS (path '`odd name`'),
  dotted text OPTIONS (path '`dot.ted`') COLLATE "C", dollar bigint OPTIONS (path '`$x`'), doc jsonb OPTIONS (document 'true')
$$, $$ collection 'nasty' $$) \g /dev/null

-- What the plan sends: the WHERE, ORDER BY and LIMIT of the remote statement.
CREATE FUNCTION sent(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF, VERBOSE) ' || statement LOOP
    IF line ~ '^ *Remote SQL:' THEN
      RETURN coalesce(substring(line FROM ' AS `r\d+`(?: (.*))?$'), '');
    END IF;
  END LOOP;
  RETURN 'no remote statement';
END $$;

-- Which parts of it PostgreSQL checks itself.
CREATE FUNCTION rechecked(statement text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
    IF line ~ '^ *Filter:' THEN
      RETURN true;
    END IF;
  END LOOP;
  RETURN false;
END $$;

-- The rows of a statement; in its order if that is fixed, else sorted.
CREATE FUNCTION rows_of(statement text, ordered boolean) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE result text[];
BEGIN
  EXECUTE format('SELECT array_agg(r::text) FROM (%s) r', statement) INTO result;
  IF ordered THEN
    RETURN coalesce(result, '{}');
  END IF;
  RETURN ARRAY(SELECT x FROM unnest(result) x ORDER BY x COLLATE "C");
EXCEPTION WHEN OTHERS THEN
  RETURN ARRAY[SQLERRM];
END $$;

-- Switches all that is sent to the query service on or off, but for the scan itself.
CREATE FUNCTION pushdown(value boolean) RETURNS void LANGUAGE sql AS $$
  SELECT set_config('cbconn_fdw.enable_' || what || '_pushdown', value::text, false)
    FROM unnest(ARRAY['condition', 'sort', 'limit', 'parameter']) what
$$;

-- What one list has and the other has not, or where their orders part.
CREATE FUNCTION difference(a text[], b text[]) RETURNS text LANGUAGE sql AS $$
  SELECT coalesce(
    (SELECT 'only there ' || array_agg(x)::text FROM (SELECT unnest(a) EXCEPT ALL SELECT unnest(b)) t (x) HAVING count(*) > 0) || ' ' ||
    coalesce((SELECT 'only here ' || array_agg(x)::text FROM (SELECT unnest(b) EXCEPT ALL SELECT unnest(a)) t (x) HAVING count(*) > 0), ''),
    (SELECT 'only here ' || array_agg(x)::text FROM (SELECT unnest(b) EXCEPT ALL SELECT unnest(a)) t (x) HAVING count(*) > 0),
    (SELECT 'place ' || i || ': ' || a[i] || ', ' || b[i] FROM generate_subscripts(a, 1) i WHERE a[i] <> b[i] ORDER BY i LIMIT 1))
$$;

/*
 * Runs a statement over the tables of schema q with everything sent, with nothing sent, and over their copies.
 * The same rows must come each time. Says how many, and how much was sent.
 */
CREATE FUNCTION three_ways(statement text, ordered boolean DEFAULT false, OUT n integer, OUT checked text, OUT verdict text)
LANGUAGE plpgsql AS $$
DECLARE
  pushed text[];
  unpushed text[];
  direct text[];
  remote text;
BEGIN
  PERFORM set_config('search_path', 'q, public', false);
  remote := sent(statement);
  checked := CASE WHEN remote = '' THEN 'here' WHEN rechecked(statement) THEN 'both' ELSE 'remotely' END;
  pushed := rows_of(statement, ordered);
  PERFORM pushdown(false);
  unpushed := rows_of(statement, ordered);
  PERFORM pushdown(true);
  PERFORM set_config('search_path', 'copy, public', false);
  direct := rows_of(statement, ordered);
  PERFORM set_config('search_path', 'public', false);
  n := cardinality(pushed);
  verdict := CASE WHEN pushed <> unpushed THEN
      'NOT THE SAME with and without pushdown: ' || remote || ': ' || difference(pushed, unpushed)
    WHEN unpushed <> direct THEN
      'NOT THE SAME as the copy: ' || difference(unpushed, direct)
    WHEN n = 1 AND pushed[1] !~ '^\(' THEN pushed[1]
    ELSE 'same' END;
END $$;

-- The same for conditions on the table n.
CREATE FUNCTION where_three_ways(condition text, OUT n integer, OUT checked text, OUT verdict text)
LANGUAGE sql AS $$ SELECT * FROM three_ways('SELECT id, n FROM n WHERE ' || condition) $$;
