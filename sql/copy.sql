-- COPY FROM.
\set ECHO none
\set collection copy
\i test/sql/write_setup.sql
\set ECHO all
CREATE FOREIGN TABLE t (
  id text OPTIONS (key 'true') COLLATE "C", n int, name text DEFAULT 'def', lat float8 OPTIONS (path 'geo.lat'),
  twice int GENERATED ALWAYS AS (n * 2) STORED
) SERVER w OPTIONS (collection 'copy');
COPY t (id, n, lat) FROM stdin;
a	1	1.5
b	\N	\N
\.
COPY t (id, n, name) FROM stdin (FORMAT csv, HEADER);
id,n,name
c,3,"a ""name"""
d,4,
\.
SELECT * FROM t WHERE id IN ('a', 'b', 'c', 'd') ORDER BY id;
SELECT id, body FROM stored WHERE id IN ('a', 'b', 'c', 'd') ORDER BY id;
-- what was written before the error stays (the warning that says so may come before or after the error)
SET client_min_messages = error;
COPY t (id, n) FROM stdin;
e	5
a	1
\.
RESET client_min_messages;
COPY t (id, n) FROM stdin;
	5
\.
COPY t (id, n) FROM stdin;
f	six
\.
COPY t (n) FROM stdin;
5
\.
COPY stored (id, body) FROM stdin (FORMAT csv, DELIMITER '|', QUOTE '~');
g|{"x": [1, 2]}
h|plain text
\.
SELECT id, body, kind FROM stored WHERE id IN ('e', 'g', 'h') ORDER BY id;
CREATE FOREIGN TABLE keyless (n int) SERVER w OPTIONS (collection 'copy');
COPY keyless FROM stdin;
1
\.

-- many: through a file of the server's own, and back
CREATE TABLE local AS SELECT 'copy-' || i AS id, i AS n, repeat('x', i % 50) AS name FROM generate_series(1, 5000) i;
CREATE TEMP TABLE place (folder text);
INSERT INTO place SELECT setting FROM pg_settings WHERE name = 'data_directory';
SELECT folder || '/cbconn_copy.txt' AS file FROM place \gset
COPY local TO :'file';
BEGIN;
COPY t (id, n, name) FROM :'file';
SELECT count(*), sum(n), sum(twice), sum(length(name)) FROM t WHERE id LIKE 'copy-%';
COMMIT;
COPY t (id, n, name) FROM :'file' WHERE n = 77;
ALTER FOREIGN TABLE t OPTIONS (ADD insert_mode 'upsert');
COPY t (id, n, name) FROM :'file' WHERE n < 100;
ALTER FOREIGN TABLE t OPTIONS (ADD batch_size '1');
COPY t (id, n, name) FROM :'file' WHERE n < 30;
SELECT count(*) FROM t WHERE id = ANY (ARRAY(SELECT id FROM local));

-- triggers
CREATE FUNCTION upper_name() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.name := upper(new.name); RETURN new; END $$;
CREATE TRIGGER upper_name BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION upper_name();
CREATE FUNCTION after_copy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '%', (SELECT t FROM t WHERE id = new.id); RETURN NULL; END $$;
CREATE TRIGGER after_copy AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION after_copy();
COPY t (id, n, name) FROM stdin;
i	1	name
j	2	other
\.

\set ECHO none
\i test/sql/write_cleanup.sql
DROP TABLE local, place;
DROP FUNCTION upper_name, after_copy;
