-- Foreign tables as partitions and as children.
\set ECHO none
\set collection partition
\i test/sql/write_setup.sql
\set ECHO all
CREATE TABLE p (region text, n int, id text) PARTITION BY LIST (region);
CREATE FOREIGN TABLE p_eu (id text OPTIONS (key 'true') COLLATE "C", region text, n int) SERVER w OPTIONS (collection 'partition');
CREATE FOREIGN TABLE p_us (n int, region text, id text OPTIONS (key 'true') COLLATE "C") SERVER w OPTIONS (collection 'partition_us');
CREATE TABLE p_local (region text, n int, id text);
ALTER TABLE p ATTACH PARTITION p_local FOR VALUES IN ('local');
ALTER FOREIGN TABLE p_eu ALTER COLUMN id TYPE text COLLATE "default";
ALTER FOREIGN TABLE p_us ALTER COLUMN id TYPE text COLLATE "default";
ALTER TABLE p ATTACH PARTITION p_eu FOR VALUES IN ('eu');
ALTER TABLE p ATTACH PARTITION p_us FOR VALUES IN ('us');

-- routing
INSERT INTO p SELECT (ARRAY['eu', 'us', 'local'])[i % 3 + 1], i, 'k' || i FROM generate_series(1, 9) i;
INSERT INTO p VALUES ('eu', 100, 'r1'), ('us', 101, 'r2'), ('local', 102, 'r3') RETURNING tableoid::regclass, *;
INSERT INTO p VALUES ('mars', 1, 'x');
COPY p (region, n, id) FROM stdin;
eu	10	c1
us	11	c2
local	12	c3
\.
SELECT tableoid::regclass, * FROM p WHERE id IN ('k1', 'k2', 'k3', 'k4', 'r1', 'r2', 'c1', 'c2', 'c3') ORDER BY id;
INSERT INTO p VALUES ('eu', 100, 'r1') ON CONFLICT DO NOTHING;

-- directly into a partition: its bounds are checked before the write
INSERT INTO p_eu (id, region, n) VALUES ('d1', 'us', 1);
SELECT count(*) FROM p_eu WHERE id = 'd1';
INSERT INTO p_eu (id, region, n) VALUES ('d1', 'eu', 1);
UPDATE p_eu SET region = 'us' WHERE id = 'd1';
SELECT id, region FROM p_eu WHERE id = 'd1';

-- UPDATE and DELETE through the parent
UPDATE p SET n = n + 1000 WHERE region = 'eu' AND id IN ('k3', 'k6');
UPDATE p SET n = n + 1000 WHERE region = 'us' AND id = 'k4' RETURNING tableoid::regclass, *;
EXPLAIN (VERBOSE, COSTS OFF) UPDATE p SET n = 0 WHERE id = 'k3';
DELETE FROM p WHERE region = 'us' AND id = 'k1' RETURNING *;
SELECT id, n FROM p_eu WHERE id IN ('k1', 'k3', 'k6', 'k4') ORDER BY id;
-- rows move into a foreign partition, not out of one
UPDATE p SET region = 'eu' WHERE region = 'local' AND id = 'k2' RETURNING tableoid::regclass, *;
SELECT id, region FROM p_eu WHERE id = 'k2';
UPDATE p SET region = 'local' WHERE region = 'eu' AND id = 'k2';
UPDATE p SET region = 'eu' WHERE id IN ('k5', 'r3');
SELECT tableoid::regclass, id FROM p_local WHERE id IN ('k5', 'r3') ORDER BY id;

-- inheritance
CREATE TABLE parent (id text, n int);
INSERT INTO parent VALUES ('h0', 0);
CREATE FOREIGN TABLE child () INHERITS (parent) SERVER w OPTIONS (collection 'partition');
ALTER FOREIGN TABLE child ALTER COLUMN id OPTIONS (ADD key 'true');
INSERT INTO child VALUES ('h1', 1);
UPDATE parent SET n = n + 1 WHERE id IN ('h0', 'h1');
WITH u AS (UPDATE parent SET n = n + 1 WHERE id IN ('h0', 'h1') RETURNING tableoid::regclass, *) SELECT * FROM u ORDER BY id;
-- a join on the key: each foreign child looks up the keys of the other table
CREATE TABLE wanted AS SELECT 'h' || i AS k, i AS x FROM generate_series(0, 20) i;
ANALYZE wanted;
EXPLAIN (COSTS OFF) UPDATE parent SET n = x FROM wanted WHERE id = k;
WITH u AS (UPDATE parent SET n = x FROM wanted WHERE id = k RETURNING parent.tableoid::regclass, id, parent.n, x) SELECT * FROM u ORDER BY id;
DROP TABLE wanted;
WITH u AS (DELETE FROM parent WHERE id IN ('h0', 'h1') RETURNING tableoid::regclass, *) SELECT * FROM u ORDER BY id;

\set ECHO none
\i test/sql/write_cleanup.sql
DROP TABLE p, parent;
