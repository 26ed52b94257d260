-- Where the documents are written to: a collection, and a local jsonb table through postgres_fdw.
SET client_min_messages = warning;
CREATE FOREIGN TABLE cb_load (id text OPTIONS (key 'true') COLLATE "C", doc jsonb OPTIONS (document 'true'))
    SERVER cb OPTIONS (collection 'load', truncatable 'true');
CREATE FOREIGN TABLE cb_field (id text OPTIONS (key 'true') COLLATE "C", quantity int) SERVER cb OPTIONS (collection 'load');

CREATE TABLE local_load (id text COLLATE "C" PRIMARY KEY, doc jsonb);
CREATE FOREIGN TABLE loop_load (id text COLLATE "C", doc jsonb) SERVER loop OPTIONS (table_name 'local_load', batch_size '1000');

CREATE TABLE changes (id text COLLATE "C" PRIMARY KEY, n int);
INSERT INTO changes SELECT id, row_number() OVER ()
    FROM (SELECT id FROM local_doc ORDER BY hashtext(id) LIMIT :updates) s;
ANALYZE changes;
CHECKPOINT;
