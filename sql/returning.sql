-- RETURNING: rows as they are stored; triggers, checks of views, generated columns.
\set ECHO none
\set collection returning
\i test/sql/write_setup.sql
\set ECHO all
CREATE FOREIGN TABLE t (
  id text OPTIONS (key 'true') COLLATE "C",
  n int DEFAULT 7, c char(4), tags jsonb, first text OPTIONS (path 'tags[0]'), j json,
  expires timestamptz OPTIONS (meta 'expiry'), cas numeric OPTIONS (meta 'cas'), flags bigint OPTIONS (meta 'flags'),
  seqno bigint OPTIONS (meta 'seqno'), vbucket int OPTIONS (meta 'vbucket'), kind text OPTIONS (meta 'datatype'),
  twice int GENERATED ALWAYS AS (n * 2) STORED
) SERVER w OPTIONS (collection 'returning');
CREATE TABLE was (id text, cas numeric, seqno bigint, vbucket int);

-- INSERT: what the data service set, and what columns say of each other
WITH i AS (INSERT INTO t (id, c, first, expires, j) VALUES ('a', 'x', 'f', '2100-01-01 00:00:00.9+00', '{"a" :1}') RETURNING *),
  w AS (INSERT INTO was SELECT id, cas, seqno, vbucket FROM i)
SELECT id, n, c, tags, first, j, expires AT TIME ZONE 'UTC' AS expires, flags, kind, twice FROM i;
SELECT t.cas = was.cas AS cas, t.seqno = was.seqno AS seqno, t.vbucket = was.vbucket AS vbucket,
  expires AT TIME ZONE 'UTC' AS expires, flags, kind FROM t JOIN was USING (id) WHERE t.id = 'a';

-- UPDATE by fields, by the whole document where columns overlap, and of flags
WITH u AS (UPDATE t SET n = n + 1, c = 'long' WHERE id = 'a' RETURNING *), w AS (UPDATE was SET cas = u.cas, seqno = u.seqno FROM u)
SELECT n, c, tags, first, expires AT TIME ZONE 'UTC' AS expires, flags, twice FROM u;
SELECT t.cas = was.cas AS cas, t.seqno = was.seqno AS seqno FROM t JOIN was USING (id) WHERE t.id = 'a';
UPDATE t SET first = 'g' WHERE id = 'a' RETURNING tags, first, expires AT TIME ZONE 'UTC' AS expires;
UPDATE t SET tags = '["h", 1.50]', j = 'null' WHERE id = 'a' RETURNING tags, first, j IS NULL AS null;
UPDATE t SET expires = NULL, flags = 5 WHERE id = 'a' RETURNING expires, flags, n;
WITH u AS (UPDATE t SET n = NULL WHERE id = 'a' RETURNING *) SELECT u.n, u.twice, u.cas = t.cas AS same FROM u, t WHERE t.id = 'a';
UPDATE t SET n = 1 WHERE id = 'none' RETURNING *;

-- DELETE
DELETE FROM t WHERE id = 'a' RETURNING id, n, first, flags;
DELETE FROM t WHERE id = 'a' RETURNING id;

-- documents
CREATE FOREIGN TABLE d (id text OPTIONS (key 'true') COLLATE "C", doc jsonb OPTIONS (document 'true'), n int) SERVER w OPTIONS (collection 'returning');
INSERT INTO d VALUES ('d', '{"n": 1, "x": 2}', NULL), ('e', '{"x": 2}', 3), ('f', NULL, NULL) RETURNING *;
UPDATE d SET n = 9 WHERE id = 'd' RETURNING *;
UPDATE d SET doc = '{"y": 1}' WHERE id = 'd' RETURNING *;
-- a row that could not be read back is not written
INSERT INTO d VALUES ('g', '{"n": "text"}', NULL) RETURNING *;
SELECT count(*) FROM d WHERE id = 'g';

-- a join, and what of it comes back
CREATE TABLE other (k text, v int);
INSERT INTO other VALUES ('d', 10), ('e', 20);
WITH u AS (UPDATE d SET n = v FROM other WHERE id = k AND id IN ('d', 'e') RETURNING id, n, v, other.*) SELECT * FROM u ORDER BY id;

-- triggers
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE NOTICE '% % %: % -> %', tg_when, tg_level, tg_op, CASE WHEN tg_level = 'ROW' AND tg_op <> 'INSERT' THEN to_jsonb(old) END,
    CASE WHEN tg_level = 'ROW' AND tg_op <> 'DELETE' THEN to_jsonb(new) END;
  IF tg_level = 'ROW' AND tg_when = 'BEFORE' AND tg_op <> 'DELETE' THEN
    new.name := new.id || ' by trigger';
    RETURN CASE WHEN new.n = 13 THEN NULL ELSE new END;
  END IF;
  RETURN CASE WHEN tg_op = 'DELETE' THEN old ELSE new END;
END $$;
CREATE FOREIGN TABLE g (id text OPTIONS (key 'true') COLLATE "C", n int, name text, other text) SERVER w OPTIONS (collection 'returning');
INSERT INTO stored (id, body) VALUES ('t2', '{"unmapped": 1.0, "n": 1, "other": "o"}');
CREATE TRIGGER before_row BEFORE INSERT OR UPDATE OR DELETE ON g FOR EACH ROW EXECUTE FUNCTION note();
INSERT INTO g VALUES ('t1', 1, 'name'), ('t3', 13, 'name');
UPDATE g SET n = 2 WHERE id IN ('t1') RETURNING *;
UPDATE g SET n = 2 WHERE id IN ('t2');
UPDATE g SET n = 13 WHERE id IN ('t1');
SELECT id, body FROM stored WHERE id IN ('t1', 't2', 't3') ORDER BY id;
CREATE TRIGGER after_row AFTER INSERT OR UPDATE OR DELETE ON g FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER after_statement AFTER INSERT OR UPDATE OR DELETE ON g FOR EACH STATEMENT EXECUTE FUNCTION note();
INSERT INTO g VALUES ('t4', 1, 'name');
UPDATE g SET n = 3 WHERE id = 't4';
DELETE FROM g WHERE id = 't4';
CREATE FUNCTION change_key() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.id := 'other'; RETURN new; END $$;
CREATE TRIGGER zz_key BEFORE UPDATE ON g FOR EACH ROW EXECUTE FUNCTION change_key();
UPDATE g SET n = 4 WHERE id = 't1';
-- an AFTER trigger sees the row in the table
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'n is %', (SELECT n FROM d WHERE id = new.id); RETURN NULL; END $$;
CREATE TRIGGER look AFTER INSERT OR UPDATE ON d FOR EACH ROW EXECUTE FUNCTION look();
INSERT INTO d (id, n) VALUES ('seen', 1);
UPDATE d SET n = 2 WHERE id = 'seen';

-- the check of a view comes before the write
CREATE VIEW small AS SELECT id, n FROM d WHERE n < 10 WITH CHECK OPTION;
INSERT INTO small VALUES ('v1', 5);
INSERT INTO small VALUES ('v2', 50);
UPDATE small SET n = 50 WHERE id = 'v1';
UPDATE small SET n = 6 WHERE id = 'v1' RETURNING *;
SELECT id, n FROM d WHERE id IN ('v1', 'v2');

-- system columns are refused before anything is written
DELETE FROM t WHERE id = 'a' RETURNING xmin;
UPDATE t SET n = 1 WHERE id = 'a' RETURNING ctid, xmax;
INSERT INTO t (id) VALUES ('system') RETURNING ctid;
SELECT count(*) FROM t WHERE id = 'system';

\set ECHO none
\i test/sql/write_cleanup.sql
DROP TABLE was, other;
DROP FUNCTION note, change_key, look;
