\echo
\echo '=== A document by its key'
SELECT id, name, official_name, code, doc->>'flag' AS flag FROM country WHERE id = 'CH';

\echo '=== A list of keys: one round trip to each node; what does not exist gives no row'
SELECT id, name, doc->>'flag' AS flag FROM country WHERE id IN ('CH', 'DE', 'AT', 'LI', 'ZZ');

\echo '=== A key prefix: a range scan on the data service, in key order'
SELECT id, name, kind FROM subdivision WHERE id LIKE 'CH-%' ORDER BY id LIMIT 5;

\echo '=== Joined with a table of this PostgreSQL'
CREATE TABLE trip (country text, day date, cost numeric);
INSERT INTO trip VALUES ('PT', '2026-03-02', 410), ('JP', '2026-04-11', 2630),
    ('PT', '2026-06-20', 380.50), ('IS', '2026-08-01', 1499.90);
ANALYZE trip, country, subdivision;
SELECT c.name, count(*) AS trips, sum(t.cost) AS cost
    FROM trip t JOIN country c ON c.id = t.country
    GROUP BY c.name ORDER BY cost DESC;

\echo '=== Aggregates over whole collections'
SELECT kind, count(*) FROM subdivision GROUP BY kind ORDER BY count(*) DESC, kind LIMIT 5;
SELECT c.name, count(*) AS subdivisions
    FROM country c JOIN subdivision s ON split_part(s.id, '-', 1) = c.id
    GROUP BY c.name ORDER BY subdivisions DESC LIMIT 3;

\echo '=== What was asked of the cluster'
EXPLAIN (ANALYZE, COSTS OFF, SUMMARY OFF)
    SELECT name FROM subdivision WHERE id LIKE 'CH-%' ORDER BY id LIMIT 5;
EXPLAIN (ANALYZE, COSTS OFF, SUMMARY OFF)
    SELECT c.name, t.cost FROM trip t JOIN country c ON c.id = t.country;
