-- DELETE and TRUNCATE.
\set ECHO none
\set collection delete
\i test/sql/write_setup.sql
\set ECHO all
CREATE FOREIGN TABLE t (id text OPTIONS (key 'true') COLLATE "C", n int, name text) SERVER w OPTIONS (collection 'delete');
INSERT INTO t SELECT 'k' || i, i, 'name ' || i FROM generate_series(1, 10) i;
DELETE FROM t WHERE id = 'k1';
DELETE FROM t WHERE id = 'none';
WITH d AS (DELETE FROM t WHERE id IN ('k2', 'k3') RETURNING *) SELECT * FROM d ORDER BY id;
DELETE FROM t WHERE id = 'k4' RETURNING name, t;
CREATE TABLE gone (k text);
INSERT INTO gone VALUES ('k5'), ('k6'), ('k5');
DELETE FROM t USING gone WHERE id = k AND id IN ('k5', 'k6');
DELETE FROM t WHERE id = ANY (ARRAY['k7', 'k8']) AND n > 7;
WITH d AS (DELETE FROM t WHERE id = 'k9' RETURNING *) INSERT INTO t SELECT id || '-moved', n, name FROM d;
SELECT * FROM t WHERE id IN ('k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7', 'k8', 'k9', 'k9-moved', 'k10') ORDER BY id;
EXPLAIN (VERBOSE, COSTS OFF) DELETE FROM t WHERE id = 'k10';
EXPLAIN (VERBOSE, COSTS OFF) DELETE FROM t WHERE id = 'k10' RETURNING name;

-- writes are not undone
BEGIN;
DELETE FROM t WHERE id = 'k10';
ROLLBACK;
SELECT * FROM t WHERE id = 'k10';
BEGIN;
INSERT INTO t VALUES ('kept', 1);
SAVEPOINT s;
INSERT INTO t VALUES ('kept too', 1), ('and this', 2);
ROLLBACK TO s;
COMMIT;
SELECT count(*) FROM t WHERE id IN ('kept', 'kept too', 'and this');

-- many
BEGIN;
INSERT INTO t SELECT 'many-' || i, i FROM generate_series(1, 2000) i;
DELETE FROM t WHERE id LIKE 'many-%' AND n % 2 = 0;
SELECT count(*) FROM t WHERE id LIKE 'many-%';
DELETE FROM t WHERE id LIKE 'many-%';
SELECT count(*) FROM t WHERE id LIKE 'many-%';
COMMIT;

-- TRUNCATE
TRUNCATE t;
ALTER FOREIGN TABLE t OPTIONS (ADD truncatable 'true');
BEGIN;
INSERT INTO t SELECT 'many-' || i, i FROM generate_series(1, 500) i;
TRUNCATE t;
SELECT count(*) FROM t;
COMMIT;
ALTER FOREIGN TABLE t OPTIONS (ADD updatable 'false');
TRUNCATE t;
DELETE FROM t;
INSERT INTO t VALUES ('x');
SELECT table_name, is_insertable_into FROM information_schema.tables WHERE table_name IN ('t', 'stored') ORDER BY 1;

\set ECHO none
\i test/sql/write_cleanup.sql
DROP TABLE gone;
