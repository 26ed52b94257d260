\echo '=== A node dies between two queries of one session'
SELECT count(*) AS subdivisions FROM subdivision;
SELECT server_name, bucket, count(*) AS nodes FROM cbconn_get_connections() GROUP BY 1, 2;
\echo '--- node 2 is killed; the cluster has not noticed yet'
\! "$CBCONN_ROOT/test/fault.sh" kill 1
SELECT count(*) AS subdivisions FROM subdivision;
\echo '--- the cluster fails the node over: its replicas take over, the session follows the new map'
\! "$CBCONN_ROOT/test/fault.sh" failover 1
SELECT count(*) AS subdivisions FROM subdivision;
\echo '--- the node comes back'
\! "$CBCONN_ROOT/test/fault.sh" revive 1
SELECT count(*) AS subdivisions FROM subdivision;
