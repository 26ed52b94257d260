-- From nothing to rows. The cluster's address and the credentials come from the environment (test/run.sh).
\getenv cb CB_CONNECTION_STRING
\getenv cb_user CB_USER
\getenv cb_password CB_PASSWORD
\set cb :cb '/iso?kv_timeout=2s&kv_scan_timeout=2s'
\echo The connection string is :cb

CREATE EXTENSION cbconn_fdw;

CREATE SERVER iso FOREIGN DATA WRAPPER cbconn_fdw
    OPTIONS (connection_string :'cb');

CREATE USER MAPPING FOR CURRENT_USER SERVER iso
    OPTIONS (username :'cb_user', password :'cb_password');

CREATE FOREIGN TABLE country (
    id            text OPTIONS (key 'true') COLLATE "C",    -- the document key
    name          text,                                     -- the field of that name
    official_name text,
    alpha_3       text,
    code          text OPTIONS (path 'numeric'),            -- a field of another name
    doc           jsonb OPTIONS (document 'true')           -- the whole document
) SERVER iso OPTIONS (scope 'codes', collection 'country');

CREATE FOREIGN TABLE subdivision (
    id     text OPTIONS (key 'true') COLLATE "C",
    name   text,
    kind   text OPTIONS (path 'type'),
    parent text
) SERVER iso OPTIONS (scope 'codes', collection 'subdivision');

CREATE FOREIGN TABLE language (
    id    text OPTIONS (key 'true') COLLATE "C",
    name  text,
    scope text,
    type  text
) SERVER iso OPTIONS (scope 'codes', collection 'language');

CREATE FOREIGN TABLE currency (
    id   text OPTIONS (key 'true') COLLATE "C",
    name text
) SERVER iso OPTIONS (scope 'codes', collection 'currency');
