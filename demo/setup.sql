-- From nothing to rows. The address of the cluster comes from the environment (test/run.sh sets it).
\getenv cb CB_CONNECTION_STRING
\getenv cb_user CB_USER
\getenv cb_password CB_PASSWORD

CREATE EXTENSION cbconn_fdw;

CREATE SERVER iso FOREIGN DATA WRAPPER cbconn_fdw
    OPTIONS (connection_string :'cb', bucket 'iso');

CREATE USER MAPPING FOR CURRENT_USER SERVER iso
    OPTIONS (username :'cb_user', password :'cb_password');

CREATE FOREIGN TABLE country (
    id            text COLLATE "C" OPTIONS (key 'true'),    -- the document key
    name          text,                                     -- the field of that name
    official_name text,
    alpha_3       text,
    code          int OPTIONS (path 'numeric', on_type_error 'null'),
    doc           jsonb OPTIONS (document 'true')           -- the whole document
) SERVER iso OPTIONS (scope 'codes', collection 'country');

CREATE FOREIGN TABLE subdivision (
    id     text COLLATE "C" OPTIONS (key 'true'),
    name   text,
    kind   text OPTIONS (path 'type'),
    parent text
) SERVER iso OPTIONS (scope 'codes', collection 'subdivision');

CREATE FOREIGN TABLE language (
    id    text COLLATE "C" OPTIONS (key 'true'),
    name  text,
    scope text,
    type  text
) SERVER iso OPTIONS (scope 'codes', collection 'language');

CREATE FOREIGN TABLE currency (
    id   text COLLATE "C" OPTIONS (key 'true'),
    name text
) SERVER iso OPTIONS (scope 'codes', collection 'currency');
