-- ORDER BY and LIMIT that the query service does: the same rows in the same order.
\set ECHO none
\i test/sql/query_setup.sql
CREATE FUNCTION ordered(VARIADIC statements text[]) RETURNS TABLE (statement text, sorted boolean, limited boolean, n integer, verdict text)
LANGUAGE plpgsql AS $$
BEGIN
  FOREACH statement IN ARRAY statements LOOP
    PERFORM set_config('search_path', 'q, public', false);
    sorted := sent(statement) LIKE '%ORDER BY%';
    limited := sent(statement) LIKE '%LIMIT%';
    SELECT t.n, t.verdict INTO n, verdict FROM three_ways(statement, true) t;
    RETURN NEXT;
  END LOOP;
END $$;
\set ECHO all
SELECT c || d AS by, t.n, t.verdict FROM unnest('{ct,ci,c4,cf,cb,cw,s,n,deep,dt,di}'::text[]) c, unnest('{" ASC"," DESC"," ASC NULLS FIRST"," DESC NULLS LAST"}'::text[]) d,
  three_ways(format('SELECT id FROM n ORDER BY %s%s, id', c, d), true) t;
SELECT * FROM ordered('SELECT id FROM n ORDER BY id', 'SELECT id FROM n ORDER BY id DESC', 'SELECT id FROM n ORDER BY id LIMIT 5', 'SELECT id, ct FROM n ORDER BY ct, ci DESC, cb NULLS FIRST, id',
  'SELECT id FROM n ORDER BY cf, df DESC, id', 'SELECT id FROM n ORDER BY cn, id', 'SELECT id FROM n ORDER BY cj, id', 'SELECT id FROM n ORDER BY lower(ct), id', 'SELECT id FROM n ORDER BY length(ct), id',
  'SELECT id FROM n ORDER BY ct COLLATE "POSIX", id', 'SELECT id FROM n ORDER BY ct COLLATE "C", id', 'SELECT id FROM n ORDER BY ct USING ~<~, id', 'SELECT id FROM n ORDER BY coalesce(ci, di), id',
  'SELECT id FROM n ORDER BY ci + 1, id', 'SELECT id FROM n WHERE ci > 0 ORDER BY ci DESC, id LIMIT 7', 'SELECT id FROM n WHERE ct IS NOT NULL ORDER BY ct, id LIMIT 7 OFFSET 3',
  'SELECT id FROM n WHERE cn > 0 ORDER BY ci, id LIMIT 5', 'SELECT id FROM n WHERE ci > 0 AND lower(ct) IS NULL ORDER BY ci, id LIMIT 5', 'SELECT id FROM n ORDER BY n LIMIT 0', 'SELECT id FROM n ORDER BY n OFFSET 280',
  'SELECT id FROM n ORDER BY n LIMIT NULL', 'SELECT id FROM n ORDER BY n LIMIT (SELECT 3)', 'SELECT max(n) FROM n WHERE n < 10 LIMIT 1', 'SELECT DISTINCT g FROM n ORDER BY g LIMIT 3', 'SELECT g, count(*) FROM n GROUP BY g ORDER BY g LIMIT 3',
  'SELECT id FROM n ORDER BY n FETCH FIRST 3 ROWS WITH TIES', 'SELECT n, row_number() OVER (ORDER BY n) FROM n ORDER BY n LIMIT 3', 'SELECT * FROM (SELECT id, n FROM n ORDER BY n LIMIT 9) x ORDER BY n DESC LIMIT 2',
  'SELECT a.n FROM n a JOIN n b ON b.n = a.n ORDER BY a.n LIMIT 4', '(SELECT n FROM n ORDER BY n LIMIT 2) UNION ALL (SELECT n FROM n ORDER BY n DESC LIMIT 2)');
-- rows that tie with the last are no LIMIT's, and neither is a count that may change between executions of a plan
SET my.lim = 2;
SELECT * FROM ordered('SELECT g FROM n ORDER BY g FETCH FIRST 2 ROWS WITH TIES', 'SELECT g FROM n WHERE g > 1 ORDER BY g FETCH FIRST ROW WITH TIES', 'SELECT g FROM n ORDER BY g OFFSET 1 FETCH FIRST ROW WITH TIES',
  'SELECT n FROM n ORDER BY n LIMIT current_setting(''my.lim'')::int', 'SELECT n FROM n ORDER BY n LIMIT 4 OFFSET current_setting(''my.lim'')::int');
SET plan_cache_mode = force_generic_plan;
PREPARE p AS SELECT n FROM q.n ORDER BY n LIMIT current_setting('my.lim')::int;
EXECUTE p;
SET my.lim = 4;
EXECUTE p;
DEALLOCATE p;
RESET plan_cache_mode;
-- how a sort key is written where a condition has left no NULLs, and where not
SELECT sent('SELECT id FROM q.n WHERE ct > ''a'' ORDER BY ct LIMIT 3');
SELECT sent('SELECT id FROM q.n ORDER BY ct DESC LIMIT 3');
-- switches
SET cbconn_fdw.enable_limit_pushdown = off;
SELECT sent('SELECT id FROM q.n WHERE ct > ''a'' ORDER BY ct LIMIT 3');
SET cbconn_fdw.enable_sort_pushdown = off;
SELECT sent('SELECT id FROM q.n WHERE ct > ''a'' ORDER BY ct LIMIT 3');
RESET cbconn_fdw.enable_limit_pushdown;
RESET cbconn_fdw.enable_sort_pushdown;
\set VERBOSITY terse
SET client_min_messages = warning;
DROP SERVER q CASCADE;
DROP SERVER kv CASCADE;
DROP SCHEMA q, copy CASCADE;
DROP TYPE mood;
DROP DOMAIN word;
DROP FUNCTION ordered, where_three_ways, three_ways, difference, pushdown, rows_of(text, boolean), rechecked, sent, make_table;
