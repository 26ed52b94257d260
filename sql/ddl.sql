-- Foreign tables that cannot work are refused when they are made or altered.
CREATE SERVER nobucket FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbase://127.0.0.1:1');
CREATE SERVER inpath FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string 'couchbase://127.0.0.1:1/one');
CREATE USER MAPPING FOR CURRENT_USER SERVER nobucket OPTIONS (username 'u', password 'p');
CREATE USER MAPPING FOR CURRENT_USER SERVER inpath OPTIONS (username 'u', password 'p');
CREATE DOMAIN key_domain AS text CHECK (VALUE <> '');


-- no bucket, a bucket that contradicts the connection string
CREATE FOREIGN TABLE f (a int) SERVER nobucket;
CREATE FOREIGN TABLE g (a int) SERVER inpath OPTIONS (bucket 'two');
CREATE FOREIGN TABLE f (a int) SERVER nobucket OPTIONS (bucket 'b');
ALTER FOREIGN TABLE f OPTIONS (DROP bucket);
-- what the server's options break later is refused at the next use
ALTER SERVER nobucket OPTIONS (ADD bucket 'b');
ALTER FOREIGN TABLE f OPTIONS (DROP bucket);
ALTER SERVER nobucket OPTIONS (DROP bucket);
SELECT * FROM f;

-- key columns
CREATE FOREIGN TABLE k (a text OPTIONS (key 'true'), b text OPTIONS (key 'true')) SERVER inpath;
CREATE FOREIGN TABLE k (a int OPTIONS (key 'true')) SERVER inpath;
CREATE FOREIGN TABLE k (a text OPTIONS (key 'true'), b text) SERVER inpath;
ALTER FOREIGN TABLE k ALTER COLUMN b OPTIONS (ADD key 'true');
ALTER FOREIGN TABLE k ADD COLUMN c text OPTIONS (key 'true');
ALTER FOREIGN TABLE k ALTER COLUMN a TYPE name;
ALTER TABLE k ALTER COLUMN a TYPE char(10);
ALTER FOREIGN TABLE k ALTER COLUMN a OPTIONS (SET key 'false'), ALTER COLUMN b OPTIONS (ADD key 'true');
\d k

-- document columns
CREATE FOREIGN TABLE d (a int OPTIONS (document 'true')) SERVER inpath;
CREATE FOREIGN TABLE d (a jsonb OPTIONS (document 'true')) SERVER inpath;
ALTER FOREIGN TABLE d ALTER COLUMN a TYPE jsonb[];

-- metadata columns
CREATE FOREIGN TABLE m (a int) SERVER inpath;
ALTER FOREIGN TABLE m ALTER COLUMN a OPTIONS (ADD meta 'cas');
ALTER FOREIGN TABLE m ALTER COLUMN a OPTIONS (ADD meta 'expiry');
ALTER FOREIGN TABLE m ALTER COLUMN a OPTIONS (ADD meta 'flags');
ALTER FOREIGN TABLE m ALTER COLUMN a OPTIONS (ADD meta 'seqno');
ALTER FOREIGN TABLE m ALTER COLUMN a TYPE text, ALTER COLUMN a OPTIONS (ADD meta 'vbucket');
ALTER FOREIGN TABLE m ALTER COLUMN a TYPE jsonb, ALTER COLUMN a OPTIONS (ADD meta 'datatype');

-- formats
CREATE FOREIGN TABLE p (a int OPTIONS (format 'epoch_s')) SERVER inpath;
CREATE FOREIGN TABLE p (a date OPTIONS (format 'epoch_s')) SERVER inpath;
ALTER FOREIGN TABLE p ALTER COLUMN a TYPE time;
ALTER FOREIGN TABLE p ALTER COLUMN a TYPE text, ALTER COLUMN a OPTIONS (SET format 'iso8601');

-- SQLSTATEs of the above; other wrappers' tables are none of our business
CREATE FUNCTION state_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE query;
  RETURN 'none';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END $$;
SELECT state_of('CREATE FOREIGN TABLE g (a int) SERVER inpath OPTIONS (bucket ''two'')');
SELECT state_of('CREATE FOREIGN TABLE g (a int OPTIONS (key ''true'')) SERVER inpath');
SELECT state_of('SELECT * FROM f');
CREATE FOREIGN DATA WRAPPER plain;
CREATE SERVER plain FOREIGN DATA WRAPPER plain;
CREATE FOREIGN TABLE plain_table (a int) SERVER plain;
ALTER TABLE plain_table ADD COLUMN b int;
DROP FOREIGN DATA WRAPPER plain CASCADE;
SELECT cbconn_fdw_check_tables();

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
