-- Documents are UTF-8; a database of another encoding gets what it can hold, and an error for what it cannot.
\getenv connection CB_CONNECTION_STRING
\getenv user CB_USER
\getenv password CB_PASSWORD
SELECT current_database() AS home \gset
CREATE DATABASE cbconn_regress_latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
\c cbconn_regress_latin1
SET client_encoding = 'UTF8';
CREATE EXTENSION cbconn_fdw;
CREATE SERVER types FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string :'connection', bucket 'types', scope 'app');
CREATE USER MAPPING FOR CURRENT_USER SERVER types OPTIONS (username :'user', password :'password');
CREATE FOREIGN TABLE bytes (id text OPTIONS (key 'true'), v text OPTIONS (on_type_error 'null'), vc varchar(3) OPTIONS (path 'v', on_type_error 'null'),
  doc text OPTIONS (document 'true'), jb jsonb OPTIONS (document 'true')) SERVER types OPTIONS (collection 'bytes');
SELECT *, octet_length(v) AS bytes FROM bytes WHERE id = 'schlüssel';

CREATE FOREIGN TABLE good (id text OPTIONS (key 'true'), t text, js json OPTIONS (document 'true'), jb jsonb OPTIONS (document 'true')) SERVER types OPTIONS (collection 'good');
SELECT t FROM good WHERE id = 'all';
SELECT length(js::text) > 100 AS js FROM good WHERE id = 'all';
SELECT jb FROM good WHERE id = 'all';
ALTER SERVER types OPTIONS (ADD on_type_error 'null');
SELECT id, t, jb FROM good WHERE id = 'all';

CREATE FOREIGN TABLE path (id text OPTIONS (key 'true'), p text OPTIONS (path 'größe')) SERVER types OPTIONS (collection 'utf8', lookup 'on');
SELECT * FROM path WHERE id = 'größe';
ALTER FOREIGN TABLE path OPTIONS (SET lookup 'off');
SELECT * FROM path WHERE id = 'größe';
SELECT id FROM path WHERE id LIKE 'grö%';
SELECT id FROM path WHERE id > 'grö' AND id < 'grøz';
SELECT id FROM path WHERE id > 'grö' COLLATE "C" ORDER BY id COLLATE "C";

-- SQL_ASCII takes all bytes
\c :home
CREATE DATABASE cbconn_regress_ascii ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
\c cbconn_regress_ascii
SET client_encoding = 'SQL_ASCII';
CREATE EXTENSION cbconn_fdw;
CREATE SERVER types FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string :'connection', bucket 'types', scope 'app');
CREATE USER MAPPING FOR CURRENT_USER SERVER types OPTIONS (username :'user', password :'password');
CREATE FOREIGN TABLE bytes (id text OPTIONS (key 'true'), v text, jb jsonb OPTIONS (document 'true', on_type_error 'null')) SERVER types OPTIONS (collection 'bytes');
SELECT *, octet_length(v) AS bytes FROM bytes WHERE id = 'schlüssel';
\c :home
DROP DATABASE cbconn_regress_latin1;
DROP DATABASE cbconn_regress_ascii;
