-- Foreign tables that cannot work: what only the column's type or another object shows is refused at the first use.
CREATE SERVER nobucket FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbase://127.0.0.1:1');
CREATE SERVER inpath FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbase://127.0.0.1:1/one');
CREATE USER MAPPING FOR CURRENT_USER SERVER nobucket OPTIONS (username 'u', password 'p');
CREATE USER MAPPING FOR CURRENT_USER SERVER inpath OPTIONS (username 'u', password 'p');
CREATE DOMAIN key_domain AS text CHECK (VALUE <> '');

CREATE FOREIGN TABLE f (a int) SERVER nobucket;
SELECT * FROM f;
ALTER FOREIGN TABLE f OPTIONS (ADD bucket 'b');
-- a conflict with the path of the connection string
CREATE FOREIGN TABLE g (a int) SERVER inpath OPTIONS (bucket 'two');
SELECT * FROM g;

-- key columns
CREATE FOREIGN TABLE k (a text OPTIONS (key 'true'), b text OPTIONS (key 'true')) SERVER inpath;
SELECT * FROM k;
ALTER FOREIGN TABLE k ALTER COLUMN b TYPE int, ALTER COLUMN b OPTIONS (SET key 'false'), ALTER COLUMN a TYPE int;
SELECT * FROM k;
ALTER FOREIGN TABLE k ALTER COLUMN a TYPE name;
SELECT * FROM k;
ALTER FOREIGN TABLE k ALTER COLUMN a TYPE char(10);
SELECT * FROM k;

-- document columns
CREATE FOREIGN TABLE d (a int OPTIONS (document 'true')) SERVER inpath;
SELECT * FROM d;
ALTER FOREIGN TABLE d ALTER COLUMN a TYPE jsonb[];
SELECT * FROM d;

-- metadata columns
CREATE FOREIGN TABLE m (a int OPTIONS (meta 'cas')) SERVER inpath;
SELECT * FROM m;
ALTER FOREIGN TABLE m ALTER COLUMN a OPTIONS (SET meta 'expiry');
SELECT * FROM m;
ALTER FOREIGN TABLE m ALTER COLUMN a OPTIONS (SET meta 'flags');
SELECT * FROM m;
ALTER FOREIGN TABLE m ALTER COLUMN a OPTIONS (SET meta 'seqno');
SELECT * FROM m;
ALTER FOREIGN TABLE m ALTER COLUMN a TYPE text, ALTER COLUMN a OPTIONS (SET meta 'vbucket');
SELECT * FROM m;
ALTER FOREIGN TABLE m ALTER COLUMN a TYPE jsonb, ALTER COLUMN a OPTIONS (SET meta 'datatype');
SELECT * FROM m;

-- formats
CREATE FOREIGN TABLE p (a int OPTIONS (format 'epoch_s')) SERVER inpath;
SELECT * FROM p;
ALTER FOREIGN TABLE p ALTER COLUMN a TYPE time;
SELECT * FROM p;
ALTER FOREIGN TABLE p ALTER COLUMN a TYPE text, ALTER COLUMN a OPTIONS (SET format 'iso8601');
SELECT * FROM p;

-- SQLSTATEs of the above
CREATE FUNCTION state_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE query;
  RETURN 'none';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END $$;
SELECT t, state_of('SELECT * FROM ' || t) FROM unnest('{g,k,d,m,p}'::text[]) t;
CREATE FOREIGN TABLE h (a int) SERVER nobucket;
SELECT state_of('SELECT * FROM h');

-- no mapping, no password
CREATE ROLE cbconn_regress_user;
CREATE FOREIGN TABLE ok (id key_domain OPTIONS (key 'true'), a int, at timestamptz[] OPTIONS (format 'epoch_ms'), x bytea OPTIONS (document 'true')) SERVER inpath;
GRANT SELECT ON ok TO cbconn_regress_user;
GRANT USAGE ON FOREIGN SERVER inpath TO cbconn_regress_user;
SET ROLE cbconn_regress_user;
SELECT * FROM ok WHERE id = 'x';
CREATE USER MAPPING FOR CURRENT_USER SERVER inpath OPTIONS (username 'u');
SELECT * FROM ok WHERE id = 'x';
ALTER USER MAPPING FOR CURRENT_USER SERVER inpath OPTIONS (ADD password '');
SELECT * FROM ok WHERE id = 'x';
RESET ROLE;
\set VERBOSITY terse
DROP SERVER nobucket CASCADE;
DROP SERVER inpath CASCADE;
DROP OWNED BY cbconn_regress_user;
DROP ROLE cbconn_regress_user;
DROP FUNCTION state_of;
DROP DOMAIN key_domain;
