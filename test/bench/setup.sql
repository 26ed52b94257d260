-- The same documents three times: in the cluster, in a local jsonb table, and in that table through postgres_fdw.
\getenv cb CB_CONNECTION_STRING
\getenv cb_user CB_USER
\getenv cb_password CB_PASSWORD
\getenv socket PGHOST
\getenv port PGPORT
SET client_min_messages = warning;

CREATE EXTENSION cbconn_fdw;
CREATE SERVER cb FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string :'cb', bucket 'bench');
CREATE USER MAPPING FOR CURRENT_USER SERVER cb OPTIONS (username :'cb_user', password :'cb_password');
CREATE FOREIGN TABLE cb_doc (id text OPTIONS (key 'true') COLLATE "C", doc jsonb OPTIONS (document 'true'))
    SERVER cb OPTIONS (collection 'doc');
CREATE FOREIGN TABLE cb_col (id text OPTIONS (key 'true') COLLATE "C", name text, city text OPTIONS (path 'address.city'),
    price numeric, quantity int)
    SERVER cb OPTIONS (collection 'doc');

CREATE TABLE local_doc (id text COLLATE "C", doc jsonb);
INSERT INTO local_doc SELECT id, doc FROM cb_doc;
ALTER TABLE local_doc ADD PRIMARY KEY (id);
VACUUM (ANALYZE, FREEZE) local_doc;
CHECKPOINT;

CREATE EXTENSION postgres_fdw;
CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw
    OPTIONS (host :'socket', port :'port', dbname 'postgres', fetch_size '1000');
CREATE USER MAPPING FOR CURRENT_USER SERVER loop OPTIONS (user 'postgres');
CREATE FOREIGN TABLE loop_doc (id text COLLATE "C", doc jsonb) SERVER loop OPTIONS (table_name 'local_doc');

-- A look-up of its own for each key, as an application without arrays would do it; without its transport.
CREATE FUNCTION one_by_one(keys text[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    k text;
    found_name text;
    found_city text;
    n bigint := 0;
BEGIN
    FOREACH k IN ARRAY keys LOOP
        SELECT name, city INTO found_name, found_city FROM cb_col WHERE id = k;
        n := n + (found_name IS NOT NULL AND found_city IS NOT NULL)::int;
    END LOOP;
    RETURN n;
END $$;

CREATE FUNCTION one_by_one_whole(keys text[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    k text;
    found_doc jsonb;
    n bigint := 0;
BEGIN
    FOREACH k IN ARRAY keys LOOP
        SELECT doc INTO found_doc FROM cb_doc WHERE id = k;
        n := n + (found_doc IS NOT NULL)::int;
    END LOOP;
    RETURN n;
END $$;

CREATE TABLE some_keys AS SELECT array_agg(id) AS keys FROM
    (SELECT id FROM local_doc ORDER BY hashtext(id) LIMIT 10000) s;
