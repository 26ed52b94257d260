-- Random documents and random writes to them, made twice: through foreign tables, and in a local table by functions that know nothing
-- of the wrapper. CALL compare(seed, rounds) raises an exception at the first difference.

CREATE TABLE local_doc (id text PRIMARY KEY, doc jsonb NOT NULL);

-- The columns: path as steps, elements of arrays as #n. In the order in which assignments are made: the shorter paths first.
CREATE TABLE col (name text, type text, path text, steps text[], ord serial);
INSERT INTO col (name, type, path, steps) VALUES
  ('c1', 'int', 'a', '{a}'), ('c2', 'text', 'b', '{b}'), ('c3', 'boolean', 'c', '{c}'), ('c4', 'numeric', 'd', '{d}'),
  ('c5', 'jsonb', 'o', '{o}'), ('c6', 'text[]', 'r', '{r}'), ('c7', 'text', '`odd "nä.me[0]`', '{"odd \"nä.me[0]"}'),
  ('c8', 'float8', 'e', '{e}');
INSERT INTO col (name, type, path, steps) SELECT 's' || i, 'int', 's' || i, ARRAY['s' || i] FROM generate_series(1, 12) i;
INSERT INTO col (name, type, path, steps) VALUES
  ('d1', 'float8', 'x.f', '{x,f}'), ('d2', 'text', 'x.g', '{x,g}'), ('d3', 'text', 'l[0]', '{l,#0}'), ('d4', 'int', 'l[2]', '{l,#2}'),
  ('d5', 'text', 'o.p', '{o,p}'), ('d6', 'int[]', 'a.b', '{a,b}'), ('d7', 'jsonb', 'o.a', '{o,a}'),
  ('t1', 'int', 'x.h.i', '{x,h,i}'), ('t2', 'jsonb', 'x.h.j', '{x,h,j}'), ('t3', 'text', 'l[1].a', '{l,#1,a}'), ('t4', 'int', 'm[1][2]', '{m,#1,#2}'),
  ('t5', 'boolean', 'o.a[0]', '{o,a,#0}');

-- ---- the same locally ----

-- A path set to a value, or removed (value SQL NULL). Raises HV004 where the way to it is blocked.
CREATE FUNCTION put(doc jsonb, steps text[], value jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  is_array boolean := steps[1] LIKE '#%';
  wanted text := CASE WHEN is_array THEN 'array' ELSE 'object' END;
  kind text := jsonb_typeof(doc);
  i int;
BEGIN
  IF cardinality(steps) = 0 THEN
    RETURN value;
  END IF;
  IF value IS NULL AND kind <> wanted THEN
    RETURN doc;
  END IF;
  IF kind = 'null' THEN
    doc := CASE WHEN is_array THEN '[]' ELSE '{}' END;
  ELSIF kind <> wanted THEN
    RAISE EXCEPTION 'blocked' USING errcode = 'HV004';
  END IF;
  IF NOT is_array THEN
    IF value IS NULL AND (cardinality(steps) = 1 OR NOT doc ? steps[1]) THEN
      RETURN doc - steps[1];
    END IF;
    RETURN doc || jsonb_build_object(steps[1], put(coalesce(doc -> steps[1], 'null'), steps[2:], value));
  END IF;
  i := substr(steps[1], 2);
  IF value IS NULL AND i >= jsonb_array_length(doc) THEN
    RETURN doc;
  END IF;
  WHILE jsonb_array_length(doc) <= i LOOP
    doc := doc || '[null]';
  END LOOP;
  RETURN jsonb_set(doc, ARRAY[i::text], put(doc -> i, steps[2:], value));
END $$;

-- A document with columns assigned: assigned maps their names to values.
CREATE FUNCTION assign(doc jsonb, assigned jsonb, null_as text) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  c record;
BEGIN
  FOR c IN SELECT col.*, assigned -> col.name AS value FROM col WHERE assigned ? col.name ORDER BY cardinality(steps), ord LOOP
    -- SQL NULL stands there as the string that no value is
    IF c.value = '"\u007fNULL"' THEN
      c.value := CASE WHEN null_as = 'null' OR c.steps[cardinality(c.steps)] LIKE '#%' THEN 'null'::jsonb END;
    END IF;
    doc := put(doc, c.steps, c.value);
  END LOOP;
  RETURN doc;
END $$;

-- ---- random things ----

CREATE FUNCTION below(n int) RETURNS int LANGUAGE sql VOLATILE AS $$ SELECT floor(random() * n)::int $$;

CREATE FUNCTION random_text() RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT coalesce(string_agg((ARRAY['a', 'Z', '0', ' ', '"', E'\\', '/', E'\n', E'\t', E'\x01', 'é', '日', '😀', '`', '.', '[', ''''])[1 + below(17)], ''), '')
    FROM generate_series(1, below(9)) $$;

CREATE FUNCTION random_number() RETURNS numeric LANGUAGE sql VOLATILE AS $$
  SELECT (ARRAY[0, below(2000000000) - 1000000000, below(1000000) / 1000.0, 1.500, -0.000001, 12345678901234567890.12345678901234567890, 1e30])[1 + below(7)] $$;

CREATE FUNCTION random_json(depth int) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN CASE below(CASE WHEN depth > 3 THEN 5 ELSE 9 END)
    WHEN 0 THEN 'null'
    WHEN 1 THEN to_jsonb(below(2) = 1)
    WHEN 2 THEN to_jsonb(random_number())
    WHEN 3 THEN to_jsonb(random_text())
    WHEN 4 THEN to_jsonb(below(100))
    WHEN 5 THEN (SELECT coalesce(jsonb_agg(random_json(depth + 1)), '[]') FROM generate_series(1, below(4)))
    ELSE random_object(depth) END;
END $$;

-- Its members have the names that the columns' paths go through.
CREATE FUNCTION random_object(depth int) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
  SELECT coalesce(jsonb_object_agg(name, random_json(depth + 1)), '{}')
    FROM (SELECT (ARRAY['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'l', 'm', 'o', 'p', 'r', 'x', 's1', 's2', 'odd "nä.me[0]', 'other', random_text()])[1 + below(21)] AS name
      FROM generate_series(1, below(9))) s $$;

CREATE FUNCTION random_value(type text) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF below(4) = 0 THEN
    RETURN '"\u007fNULL"';
  END IF;
  RETURN CASE type
    WHEN 'int' THEN to_jsonb(below(2000000000) - 1000000000)
    WHEN 'boolean' THEN to_jsonb(below(2) = 1)
    WHEN 'numeric' THEN to_jsonb(random_number())
    WHEN 'float8' THEN to_jsonb((random() * 1000)::float8)
    WHEN 'text' THEN to_jsonb(random_text())
    WHEN 'text[]' THEN (SELECT coalesce(jsonb_agg(CASE WHEN below(5) > 0 THEN random_text() END), '[]') FROM generate_series(1, below(4)))
    WHEN 'int[]' THEN (SELECT coalesce(jsonb_agg(below(10)), '[]') FROM generate_series(1, below(4)))
    ELSE random_json(2) END;
END $$;

CREATE FUNCTION random_assignments(most int) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
  SELECT coalesce(jsonb_object_agg(name, value), '{}')
    FROM (SELECT name, random_value(type) AS value FROM (SELECT * FROM col ORDER BY random() LIMIT 1 + below(most)) c) s $$;

-- The value as SQL writes it.
CREATE FUNCTION literal(value jsonb, type text) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN value = '"\u007fNULL"' THEN 'NULL'
    WHEN type LIKE '%[]' THEN format('ARRAY(SELECT jsonb_array_elements_text(%L))::%s', value, type)
    WHEN type = 'jsonb' THEN format('%L::jsonb', value)
    ELSE format('%L::%s', value #>> '{}', type) END $$;

-- ---- foreign tables over the same documents ----

DO $$
DECLARE
  columns text := (SELECT string_agg(format('%I %s OPTIONS (path %L)', name, type, path), ', ' ORDER BY ord) FROM col);
BEGIN
  FOR i IN 0..3 LOOP
    EXECUTE format('CREATE FOREIGN TABLE f_%s_%s (id text OPTIONS (key ''true'') COLLATE "C", %s %s) SERVER cb
        OPTIONS (collection ''doc'', null_as %L, batch_size %L, on_type_error ''null'')',
      CASE WHEN i < 2 THEN 'fields' ELSE 'whole' END, CASE WHEN i % 2 = 0 THEN 'absent' ELSE 'null' END,
      CASE WHEN i < 2 THEN '' ELSE 'doc jsonb OPTIONS (document ''true''),' END, columns,
      CASE WHEN i % 2 = 0 THEN 'absent' ELSE 'null' END, CASE WHEN i % 2 = 0 THEN 1000 ELSE 3 END);
  END LOOP;
END $$;
CREATE FOREIGN TABLE stored (id text OPTIONS (key 'true') COLLATE "C", doc jsonb OPTIONS (document 'true')) SERVER cb OPTIONS (collection 'doc');

-- ---- one round ----

CREATE FUNCTION compare_documents(ids text[], what text) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  different record;
BEGIN
  SELECT id, l.doc AS local, s.doc AS stored INTO different
    FROM (SELECT * FROM local_doc WHERE id = ANY (ids)) l FULL JOIN (SELECT * FROM stored WHERE id = ANY (ids)) s USING (id)
    WHERE l.doc::text IS DISTINCT FROM s.doc::text LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION E'% differs after\n%\nexpected %\nfound    %', different.id, what, different.local, different.stored;
  END IF;
END $$;

-- Runs the statement where it must succeed, or must fail with HV004.
CREATE FUNCTION run(statement text, blocked boolean) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  EXECUTE statement;
  IF blocked THEN
    RAISE EXCEPTION E'no error from\n%', statement;
  END IF;
EXCEPTION WHEN fdw_invalid_data_type THEN
  IF NOT blocked THEN
    RAISE EXCEPTION E'%\n%', sqlerrm, statement;
  END IF;
END $$;

CREATE FUNCTION is_blocked(base jsonb, assigned jsonb, null_as text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM assign(base, assigned, null_as);
  RETURN false;
EXCEPTION WHEN fdw_invalid_data_type THEN
  RETURN true;
END $$;

CREATE FUNCTION starts(steps text[], with_steps text[]) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT steps[:cardinality(with_steps)] = with_steps $$;

CREATE FUNCTION round_insert(target text, null_as text, id text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  assigned jsonb := random_assignments(10);
  base jsonb := CASE WHEN target LIKE '%whole%' AND below(4) > 0 THEN random_object(0) END;
  given jsonb := (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(assigned) WHERE value <> '"\u007fNULL"');
  nulls jsonb := '{}';
  start jsonb;
  statement text;
BEGIN
  -- beside a document only values count; without one, all other columns may have to be null, but for those in values and around them
  IF base IS NULL AND null_as = 'null' THEN
    nulls := (SELECT coalesce(jsonb_object_agg(name, '"\u007fNULL"'::jsonb), '{}') FROM col c
      WHERE NOT EXISTS (SELECT FROM col g WHERE given ? g.name AND (starts(c.steps, g.steps) OR starts(g.steps, c.steps))));
  END IF;
  start := assign(coalesce(base, '{}'), nulls, null_as);
  statement := format('INSERT INTO %I (id%s%s) VALUES (%L%s%s)', target, CASE WHEN base IS NOT NULL THEN ', doc' END,
    (SELECT string_agg(', ' || name, '' ORDER BY ord) FROM col WHERE assigned ? name), id,
    CASE WHEN base IS NOT NULL THEN format(', %L::jsonb', base) END,
    (SELECT string_agg(', ' || literal(assigned -> name, type), '' ORDER BY ord) FROM col WHERE assigned ? name));
  IF is_blocked(start, given, null_as) THEN
    PERFORM run(statement, true);
  ELSE
    PERFORM run(statement, false);
    INSERT INTO local_doc VALUES (id, assign(start, given, null_as));
  END IF;
  PERFORM compare_documents(ARRAY[id], statement);
  RETURN 'insert';
END $$;

CREATE FUNCTION round_update(target text, null_as text, ids text[]) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  assigned jsonb := random_assignments(CASE below(4) WHEN 0 THEN 25 WHEN 1 THEN 1 ELSE 5 END);
  base jsonb := CASE WHEN target LIKE '%whole%' AND below(3) = 0 THEN random_object(0) END;
  blocked text[];
  statement text;
  suffix text := CASE WHEN below(3) = 0 THEN ' RETURNING *' ELSE '' END;
BEGIN
  statement := format('UPDATE %I SET %s%s WHERE id = ANY ', target, CASE WHEN base IS NOT NULL THEN format('doc = %L::jsonb, ', base) END,
    (SELECT string_agg(name || ' = ' || literal(assigned -> name, type), ', ' ORDER BY ord) FROM col WHERE assigned ? name));
  blocked := ARRAY(SELECT id FROM local_doc WHERE id = ANY (ids) AND is_blocked(coalesce(base, doc), assigned, null_as));
  FOR i IN 1..cardinality(blocked) LOOP
    PERFORM run(statement || format('(%L)', ARRAY[blocked[i]]) || suffix, true);
  END LOOP;
  PERFORM run(statement || format('(%L)', ARRAY(SELECT unnest(ids) EXCEPT SELECT unnest(blocked))) || suffix, false);
  UPDATE local_doc SET doc = assign(coalesce(base, doc), assigned, null_as) WHERE id = ANY (ids) AND id <> ALL (blocked);
  PERFORM compare_documents(ids, statement);
  RETURN CASE WHEN cardinality(blocked) > 0 THEN 'update, some blocked' WHEN base IS NOT NULL THEN 'update of whole documents'
    WHEN suffix <> '' THEN 'update returning' ELSE 'update' END;
END $$;

CREATE FUNCTION round_delete(target text, ids text[]) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  EXECUTE format('DELETE FROM %I WHERE id = ANY (%L)', target, ids);
  DELETE FROM local_doc WHERE id = ANY (ids);
  PERFORM compare_documents(ids, 'DELETE');
  RETURN 'delete';
END $$;

CREATE TABLE done (what text);

CREATE PROCEDURE compare(seed int, rounds int) LANGUAGE plpgsql AS $$
DECLARE
  ids text[];
  null_as text;
  target text;
BEGIN
  PERFORM setseed((seed % 1000003) / 1000003.0);
  FOR i IN 1..rounds LOOP
    null_as := (ARRAY['absent', 'null'])[1 + below(2)];
    target := (ARRAY['f_fields_', 'f_whole_'])[1 + below(2)] || null_as;
    ids := ARRAY(SELECT id FROM local_doc ORDER BY random() LIMIT CASE below(3) WHEN 0 THEN 1 WHEN 1 THEN 1 + below(5) ELSE 40 END);
    INSERT INTO done SELECT CASE
      WHEN i <= 20 OR below(4) = 0 THEN round_insert(target, null_as, 'random-' || i)
      WHEN below(20) = 0 THEN round_delete(target, ids[:3])
      ELSE round_update(target, null_as, ids) END;
    COMMIT;
  END LOOP;
  PERFORM compare_documents(ARRAY(SELECT 'random-' || i FROM generate_series(1, rounds) i), 'all rounds');
END $$;
