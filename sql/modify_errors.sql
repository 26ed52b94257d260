-- What fails while writing: concurrent changes, sizes, what cannot be written; and what is told of it.
\set ECHO none
\set collection errors
\i test/sql/write_setup.sql
\set ECHO all
CREATE FOREIGN TABLE t (id text OPTIONS (key 'true') COLLATE "C", n int, name text, big text) SERVER w OPTIONS (collection 'errors');
-- changes or deletes a document in the middle of a statement that has read it
CREATE FUNCTION meddle(key text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN UPDATE t SET name = 'meddled' WHERE id = key; RETURN 1; END $$;
CREATE FUNCTION remove(key text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t WHERE id = key; RETURN 1; END $$;
INSERT INTO t SELECT 'k' || i, i FROM generate_series(1, 20) i;

-- somebody else's change is never lost
SELECT attempt($$ UPDATE t SET n = 100 + meddle(id) WHERE id = 'k1' $$);
SELECT attempt($$ UPDATE t SET n = 100 + meddle(id) WHERE id = 'k1' RETURNING n $$);
SELECT attempt($$ DELETE FROM t WHERE id = 'k1' AND meddle(id) > 0 $$);
SELECT attempt($$ UPDATE t SET n = 100 + remove(id) WHERE id = 'k2' $$);
SELECT attempt($$ DELETE FROM t WHERE id = 'k3' AND remove(id) > 0 $$);
-- where the whole document has to be read again as well: a field to be removed that is not there
SELECT attempt($$ UPDATE t SET big = NULL, n = 100 + meddle(id) WHERE id = 'k4' $$);
SELECT attempt($$ UPDATE t SET big = NULL, n = 100 + remove(id) WHERE id = 'k5' $$);
SELECT id, n, name FROM t WHERE id IN ('k1', 'k2', 'k3', 'k4', 'k5') ORDER BY id;
-- the others of the statement are written, and counted
SET client_min_messages = error;
SELECT attempt($$ UPDATE t SET n = CASE WHEN id = 'k8' THEN 100 + meddle(id) ELSE 100 END WHERE id IN ('k6', 'k7', 'k8', 'k9') $$);
SELECT regexp_replace(attempt($$ UPDATE t SET n = CASE WHEN id IN ('k11', 'k13') THEN 100 + meddle(id) ELSE 100 END
  WHERE id IN ('k10', 'k11', 'k12', 'k13', 'k14') $$), 'k1[13]', 'k1?', 'g');
-- documents that have to be read again: with one of them refused none is sent any more
SELECT regexp_replace(regexp_replace(attempt($$ UPDATE t SET big = NULL, n = CASE id WHEN 'k16' THEN 100 + meddle(id) WHEN 'k18' THEN 100 + remove(id) ELSE 100 END
  WHERE id IN ('k15', 'k16', 'k17', 'k18', 'k19', 'k20') $$), '"k[0-9]+"', '"k"', 'g'), 'deleted|changed', '...');
RESET client_min_messages;
SELECT id, n, name FROM t WHERE id IN ('k15', 'k16', 'k17', 'k18', 'k19', 'k20') ORDER BY id;
SELECT id, n, name FROM t WHERE id IN ('k6', 'k7', 'k8', 'k9', 'k10', 'k11', 'k12', 'k13', 'k14') ORDER BY id;

-- too large for the data service
SELECT regexp_replace(attempt($$ INSERT INTO t (id, big) VALUES ('big', repeat('x', 21 * 1024 * 1024)) $$), '127\.0\.0\.1:\d+', 'NODE');
SELECT count(*) FROM t WHERE id = 'big';

-- no rights, no collection
CREATE FOREIGN TABLE nowhere (id text OPTIONS (key 'true') COLLATE "C", n int) SERVER w OPTIONS (collection 'nowhere');
SELECT regexp_replace(attempt($$ INSERT INTO nowhere VALUES ('a', 1) $$), '127\.0\.0\.1:\d+', 'NODE');

-- durable writes
ALTER FOREIGN TABLE t OPTIONS (ADD durability 'majority');
INSERT INTO t (id, n) VALUES ('durable', 1);
UPDATE t SET n = 2 WHERE id = 'durable' RETURNING n;
ALTER FOREIGN TABLE t OPTIONS (SET durability 'persist_to_majority');
DELETE FROM t WHERE id = 'durable' RETURNING n;
ALTER FOREIGN TABLE t OPTIONS (SET durability 'persist');
-- not where the connection string says so
\set ECHO none
\getenv cb CB_CONNECTION_STRING
\set off :cb '?enable_durable_write=off'
ALTER SERVER w OPTIONS (SET connection_string :'off');
\set ECHO all
INSERT INTO t (id, n) VALUES ('durable', 1);
ALTER FOREIGN TABLE t OPTIONS (SET durability 'none');
INSERT INTO t (id, n) VALUES ('durable', 1);
\set ECHO none
ALTER SERVER w OPTIONS (SET connection_string :'cb');
\set ECHO all
ALTER FOREIGN TABLE t OPTIONS (DROP durability);

-- PostgreSQL's own refusals
MERGE INTO t USING (VALUES ('a', 1)) v(k, n) ON t.id = v.k WHEN MATCHED THEN UPDATE SET n = v.n;
INSERT INTO t (id, n) VALUES ('a', 1) ON CONFLICT (id) DO NOTHING;
SELECT * FROM t WHERE id = 'k1' FOR UPDATE;

-- updatable
ALTER SERVER w OPTIONS (ADD updatable 'false');
INSERT INTO t (id) VALUES ('a');
ALTER FOREIGN TABLE t OPTIONS (ADD updatable 'true');
INSERT INTO t (id, n) VALUES ('a', 1) RETURNING *;
ALTER SERVER w OPTIONS (DROP updatable);

-- options where they mean nothing
CREATE FOREIGN TABLE x (id text OPTIONS (key 'true', null_as 'null')) SERVER w;
CREATE FOREIGN TABLE x (id text OPTIONS (key 'true')) SERVER w OPTIONS (insert_mode 'merge');

-- PREPARE TRANSACTION
BEGIN;
INSERT INTO t (id, n) VALUES ('prepared', 1);
SET client_min_messages = error;
PREPARE TRANSACTION 'p';
RESET client_min_messages;

\set ECHO none
\i test/sql/write_cleanup.sql
DROP FUNCTION meddle, remove;
