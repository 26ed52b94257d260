-- SQL++ statements on the query service, as they are given
\getenv cb CB_CONNECTION_STRING
\getenv cb_user CB_USER
\getenv cb_password CB_PASSWORD
CREATE SERVER query_cb FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string :'cb', bucket 'write');
CREATE USER MAPPING FOR CURRENT_USER SERVER query_cb OPTIONS (username :'cb_user', password :'cb_password');
CREATE FOREIGN TABLE query_docs (id text OPTIONS (key 'true') COLLATE "C", n bigint, name text)
  SERVER query_cb OPTIONS (scope 'app', collection 'copy');

SELECT cbconn_query('query_cb', 'SELECT RAW 1');
SELECT cbconn_query('query_cb', 'SELECT 1 AS a, "x" AS b, [1.50, null, {"c": true}] AS d');
SELECT cbconn_query('query_cb', 'SELECT RAW [$a, $b, $c, $d]', '{"a": 9007199254740993, "b": "\"; -- `$a`\u00fc\n", "c": null, "d": {"x": [1]}}');
SELECT count(*), sum(r::int) FROM cbconn_query('query_cb', 'SELECT RAW v FROM ARRAY_RANGE(0, 5000) AS v') r;
SELECT cbconn_query('query_cb', 'SELECT RAW v FROM ARRAY_RANGE(0, 5000) AS v ORDER BY v') LIMIT 3;
SELECT r->>'v' AS v FROM cbconn_query('query_cb', 'SELECT v FROM ["a", "b"] AS v WHERE v > $low', '{"low": "a"}') r;
SELECT count(*) FROM cbconn_query('query_cb', 'SELECT RAW v FROM [] AS v') r;

-- the same statement again and again, kept by the service
SELECT cbconn_query('query_cb', 'SELECT RAW $n + 1', jsonb_build_object('n', i), prepared => true) FROM generate_series(1, 3) i;

-- documents; what this transaction wrote is there
INSERT INTO query_docs SELECT 'query-' || i, i, 'name ' || i FROM generate_series(1, 20) i;
SELECT cbconn_query('query_cb', 'SELECT META(d).id, d.n FROM `write`.`app`.`copy` d WHERE META(d).id LIKE "query-1%" AND d.n < $n ORDER BY d.n',
  '{"n": 12}', scan_consistency => 'request_plus');
BEGIN;
UPDATE query_docs SET n = n + 100 WHERE id = ANY (ARRAY['query-1', 'query-2']);
SELECT cbconn_query('query_cb', 'SELECT RAW d.n FROM `write`.`app`.`copy` d WHERE d.n > 100 ORDER BY d.n', scan_consistency => 'at_plus');
COMMIT;

-- what goes wrong: code and words, without addresses
CREATE FUNCTION query_outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  hint text;
BEGIN
  RETURN (SELECT coalesce(string_agg(r::text, ' '), 'nothing') FROM cbconn_query('query_cb', statement) r);
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN SQLSTATE || ' ' || SQLERRM || CASE WHEN hint <> '' THEN ' (' || hint || ')' ELSE '' END;
END $$;
SELECT query_outcome('SELEC 1');
SELECT query_outcome('SELECT RAW $missing');
SELECT query_outcome('SELECT * FROM `nosuch` x');
SELECT query_outcome('SELECT * FROM `write`.`app`.`nosuch` x');
SELECT query_outcome('DELETE FROM `write`.`app`.`copy` d WHERE d.n > 100');
SELECT query_outcome('SELECT RAW ABORT("stop")');
SELECT query_outcome('SELECT RAW 2');

-- both halves of a join in one statement, read at the same time
SELECT count(*), count(DISTINCT a) FROM
  (SELECT cbconn_query('query_cb', 'SELECT RAW v FROM ARRAY_RANGE(0, 3000) AS v') AS a,
          cbconn_query('query_cb', 'SELECT RAW v FROM ARRAY_RANGE(0, 3000) AS v') AS b) x WHERE a = b;

-- look-ups between the rows of a query
SELECT d.id, d.n FROM cbconn_query('query_cb', 'SELECT RAW "query-" || TO_STRING(v) FROM ARRAY_RANGE(3, 6) AS v') r
  CROSS JOIN LATERAL (SELECT * FROM query_docs WHERE id = r #>> '{}') d ORDER BY d.n;

SELECT service, state, count(*) FROM cbconn_ping('query_cb') GROUP BY 1, 2 ORDER BY 1, 2;
DROP FUNCTION query_outcome(text);
DELETE FROM query_docs WHERE id LIKE 'query-%';
DROP SERVER query_cb CASCADE;
