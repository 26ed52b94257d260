-- Server for the suites that write, and a view of what is stored: the collection is given as variable "collection".
\getenv cb CB_CONNECTION_STRING
\getenv cb_user CB_USER
\getenv cb_password CB_PASSWORD
CREATE SERVER w FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string :'cb', bucket 'write', scope 'app');
CREATE USER MAPPING FOR CURRENT_USER SERVER w OPTIONS (username :'cb_user', password :'cb_password');
CREATE FOREIGN TABLE stored (
  id text OPTIONS (key 'true') COLLATE "C",
  body text OPTIONS (document 'true'),
  expires timestamptz OPTIONS (meta 'expiry'),
  flags bigint OPTIONS (meta 'flags'),
  kind text OPTIONS (meta 'datatype')
) SERVER w OPTIONS (collection :'collection', truncatable 'true');

-- The transaction that this runs in aborts: its writes stay, and a warning says so.
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  detail text;
BEGIN
  EXECUTE statement;
  RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RETURN SQLSTATE || ': ' || SQLERRM || CASE WHEN detail <> '' THEN ' (' || detail || ')' ELSE '' END;
END $$;
