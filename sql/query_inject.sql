-- Texts, keys, paths and names with all that means something in a statement, as data.
\set ECHO none
\i test/sql/query_setup.sql
CREATE TEMP TABLE names (i integer, v text);
INSERT INTO names VALUES (0, 'plain'), (1, 'qu"ote'), (2, 'apo''strophe'), (3, 'back`quote'), (4, 'back\slash'), (5, '$1'), (6, '$p1'),
  (7, 'a.b'), (8, 'a[0]'), (9, '-- x'), (10, '/* x */'), (11, E'new\nline'), (12, E'tab\t'), (13, 'select'), (14, '`'), (15, '``'), (16, '\'),
  (17, '\`'), (18, 'ünï'), (19, '😀'), (20, '${x}'), (21, '?'), (22, '@x'), (23, ';'), (24, 'a` OR 1=1 --'), (25, '\u0041'), (26, 'MISSING'),
  (27, 'TRUE'), (28, 'i'), (29, E'\x01');
-- a column for each name, by its path and by its own name
SELECT make_table('paths', 'id text OPTIONS (key ''true'') COLLATE "C", n integer, value text COLLATE "C", doc jsonb OPTIONS (document ''true''), ' ||
    string_agg(format('c%s text OPTIONS (path %L) COLLATE "C"', i, '`' || replace(v, '`', '``') || '`'), ', ' ORDER BY i),
  'collection ''inject''') FROM names \g /dev/null
SELECT make_table('named', 'id text OPTIONS (key ''true'') COLLATE "C", n integer, ' ||
    string_agg(format('%I text COLLATE "C"', v), ', ' ORDER BY i), 'collection ''inject''') FROM names \g /dev/null
-- statements for all names: all have one row, and the same three ways
CREATE FUNCTION for_all_names(pattern text, OUT statement text, OUT names bigint, OUT one_row bigint, OUT same bigint, OUT remotely bigint) LANGUAGE sql AS $$
  SELECT pattern, count(*), count(*) FILTER (WHERE t.n = 1), count(*) FILTER (WHERE t.verdict = 'same'), count(*) FILTER (WHERE t.checked = 'remotely')
    FROM names, three_ways(replace(replace(replace(pattern, '%L', quote_literal(v)), '%I', quote_ident(v)), '%i', i::text)) t
$$;
\set ECHO all
-- as constants, for columns and for keys
SELECT * FROM for_all_names('SELECT n FROM paths WHERE value = %L');
SELECT * FROM for_all_names('SELECT n FROM paths WHERE id = %L');
SELECT * FROM for_all_names('SELECT n FROM paths WHERE value IN (%L, ''none'')');
SELECT * FROM for_all_names('SELECT n FROM paths WHERE value ^@ %L AND n = %i');
SELECT * FROM for_all_names('SELECT n FROM paths WHERE value >= %L AND value <= %L');
SELECT * FROM for_all_names('SELECT n FROM paths WHERE strpos(value, %L) = 1 AND n = %i');
SELECT * FROM for_all_names('SELECT n FROM paths WHERE doc->>''value'' = %L');
SELECT * FROM for_all_names('SELECT n FROM paths WHERE doc @> jsonb_build_object(''value'', %L)');
-- as names of fields
SELECT * FROM for_all_names('SELECT c%i FROM paths WHERE c%i = %L');
SELECT * FROM for_all_names('SELECT %I FROM named WHERE %I = %L');
SELECT * FROM for_all_names('SELECT n FROM paths WHERE doc->>%L = %L');
SELECT * FROM for_all_names('SELECT n FROM paths WHERE doc#>>ARRAY[%L] = %L');
SELECT * FROM for_all_names('SELECT n FROM paths WHERE doc @> jsonb_build_object(%L, %L)');
SELECT * FROM for_all_names('SELECT n FROM paths WHERE doc ? %L AND n = %i');
SELECT * FROM for_all_names('SELECT c%i, id FROM paths WHERE n = %i ORDER BY c%i');
SELECT sent(format('SELECT %I FROM q.named WHERE %I = %L', v, v, v)) FROM names ORDER BY i;
-- in filters
CREATE FUNCTION by_filter() RETURNS TABLE (filters bigint, one_row bigint, same bigint) LANGUAGE plpgsql AS $$
DECLARE v text; r record;
BEGIN
  filters := 0; one_row := 0; same := 0;
  FOR v IN SELECT names.v FROM names LOOP
    PERFORM make_table('filtered', 'id text OPTIONS (key ''true'') COLLATE "C", n integer', format('collection ''inject'', filter %L',
      '`' || replace(v, '`', '``') || '` = ' || to_json(v)));
    SELECT * INTO r FROM three_ways('SELECT n FROM filtered');
    filters := filters + 1;
    one_row := one_row + (r.n = 1)::int;
    same := same + (r.verdict = 'same')::int;
    DROP FOREIGN TABLE q.filtered;
    DROP TABLE copy.filtered;
  END LOOP;
  RETURN NEXT;
END $$;
SELECT * FROM by_filter();
\set VERBOSITY terse
SET client_min_messages = warning;
DROP SERVER q CASCADE;
DROP SERVER kv CASCADE;
DROP SCHEMA q, copy CASCADE;
DROP TYPE mood;
DROP DOMAIN word;
DROP FUNCTION by_filter, for_all_names, where_three_ways, three_ways, difference, pushdown, rows_of(text, boolean), rechecked, sent, make_table;
