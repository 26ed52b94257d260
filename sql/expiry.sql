-- Expiry as interval: the time that is left.
\set ECHO none
\set collection expiry
\i test/sql/write_setup.sql
\set ECHO all
CREATE FOREIGN TABLE t (
  id text OPTIONS (key 'true') COLLATE "C", n int, name text, remaining interval OPTIONS (meta 'expiry')
) SERVER w OPTIONS (collection 'expiry');
-- the time of the end, as seconds after the wanted one; a few pass while the test runs
CREATE FUNCTION late(key text, wanted interval) RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN late BETWEEN -120 AND 1 THEN 'on time' ELSE late || ' s' END
    FROM (SELECT round(extract(epoch FROM expires - (now() + wanted))) AS late FROM stored WHERE id = key) s $$;

-- 30 days are the most that the data service counts itself
INSERT INTO t (id, n, remaining) VALUES
  ('none', 1, NULL), ('soon', 1, '300 s'), ('part', 1, '99.2 s'), ('day', 1, '1 day'), ('month', 1, '30 days'), ('more', 1, '30 days 1 s'),
  ('long', 1, '60 days'), ('year', 1, '1 year 2 mons 3 days 04:05:06') RETURNING id, n, remaining < '2 years' AS remaining;
SELECT expires FROM stored WHERE id = 'none';
SELECT k, late(k, v) FROM (VALUES ('soon', interval '300 s'), ('part', '100 s'), ('day', '1 day'), ('month', '30 days'), ('more', '30 days 1 s'),
  ('long', '60 days'), ('year', '1 year 2 mons 3 days 04:05:06')) v(k, v);

-- what is left, in days and whole seconds
SELECT id, extract(year FROM remaining) AS years, extract(month FROM remaining) AS months,
  remaining = date_trunc('second', remaining) AS whole, remaining BETWEEN interval '60 days' - interval '120 s' AND '60 days' AS right
  FROM t WHERE id IN ('long', 'none') ORDER BY id;
SELECT t.id, t.remaining - (s.expires - now()) BETWEEN '-2 s' AND '2 s' AS same
  FROM t JOIN stored s USING (id) WHERE t.id IN ('day', 'month', 'more', 'year') ORDER BY id;
SELECT id FROM t WHERE remaining > '59 days' ORDER BY id;

-- UPDATE keeps it unless it is assigned: fields, whole documents, with RETURNING
UPDATE t SET n = 2 WHERE id = 'day';
UPDATE t SET n = 3, name = NULL WHERE id = 'day' RETURNING remaining BETWEEN interval '1 day' - interval '120 s' AND '1 day' AS kept;
UPDATE stored SET body = '{"n": 4}' WHERE id = 'day';
SELECT late('day', '1 day'), n FROM t WHERE id = 'day';
UPDATE t SET remaining = '2 days' WHERE id = 'day' RETURNING n, remaining BETWEEN interval '2 days' - interval '120 s' AND '2 days' AS right;
UPDATE t SET remaining = remaining + '45 days', n = 5 WHERE id = 'day';
SELECT late('day', '47 days'), n FROM t WHERE id = 'day';
UPDATE t SET remaining = NULL WHERE id = 'day' RETURNING remaining;
SELECT expires, body FROM stored WHERE id = 'day';

-- COPY, values that were read, parts of a second
COPY t (id, n, remaining) FROM stdin;
copied	1	3 days
copied-long	1	P2M
copied-none	1	\N
\.
SELECT late('copied', '3 days'), late('copied-long', '2 mons'), late('copied-none', '0');
INSERT INTO t (id, remaining) SELECT 'from-' || id, remaining FROM t WHERE id IN ('copied', 'copied-long');
SELECT late('from-copied', '3 days'), late('from-copied-long', '2 mons');
INSERT INTO t (id, remaining) VALUES ('moment', '1 us') RETURNING remaining BETWEEN '0' AND '1 s' AS whole_second;

-- both ways to see it, in one table
CREATE FOREIGN TABLE two (
  id text OPTIONS (key 'true') COLLATE "C", n int, expires timestamptz OPTIONS (meta 'expiry'), remaining interval OPTIONS (meta 'expiry')
) SERVER w OPTIONS (collection 'expiry');
INSERT INTO two VALUES ('two-1', 1, '2100-01-01 00:00+00', NULL), ('two-2', 1, NULL, '40 days'), ('two-3', 1, NULL, NULL)
  RETURNING id, expires AT TIME ZONE 'UTC' = '2100-01-01' AS expires, remaining <= '40 days' AS remaining;
UPDATE two SET expires = '2101-01-01 00:00+00' WHERE id = 'two-2' RETURNING id, n, expires AT TIME ZONE 'UTC' AS expires;
UPDATE two SET n = 2 WHERE id = 'two-2' RETURNING id, n, expires AT TIME ZONE 'UTC' AS expires;
INSERT INTO two VALUES ('x', 1, '2100-01-01 00:00+00', '1 day');
UPDATE two SET expires = NULL, remaining = '1 day' WHERE id = 'two-1';

-- what cannot be stored
INSERT INTO t (id, remaining) VALUES ('x', '0');
INSERT INTO t (id, remaining) VALUES ('x', '-1 day');
INSERT INTO t (id, remaining) VALUES ('x', '100 years');
INSERT INTO t (id, remaining) VALUES ('x', '170000000 years');
UPDATE t SET remaining = remaining - interval '100 days' WHERE id = 'month';
SELECT late('month', '30 days'), count(*) FILTER (WHERE id = 'x') FROM t WHERE id IN ('x', 'month');

-- it ends: look-ups do not find it, range scans leave it out
SELECT pg_sleep(1.2);
SELECT count(*) FROM t WHERE id = 'moment';
SELECT count(n) FROM t WHERE id LIKE 'mom%';

-- the calendar is that of the session
SET timezone = 'Europe/Zurich';
SELECT remaining BETWEEN interval '60 days' - interval '120 s' AND interval '60 days' FROM t WHERE id = 'long';
RESET timezone;
ALTER FOREIGN TABLE t ALTER COLUMN remaining TYPE timestamp;

\set ECHO none
DROP FUNCTION late;
\i test/sql/write_cleanup.sql
