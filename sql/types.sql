-- JSON values as columns: every type, good and bad. Documents: test/data/regress/types.app.*.jsonl.
\getenv connection CB_CONNECTION_STRING
\getenv user CB_USER
\getenv password CB_PASSWORD
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';
SET intervalstyle = 'postgres';
SET bytea_output = 'hex';
SET extra_float_digits = 1;
CREATE SERVER types FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string :'connection', bucket 'types', access 'kv', scope 'app');
CREATE USER MAPPING FOR CURRENT_USER SERVER types OPTIONS (username :'user', password :'password');

CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TYPE geo AS (lat float8, lon float8);
CREATE TYPE address AS (street text, no int, geo geo);

-- every type
CREATE FOREIGN TABLE good (
  id text OPTIONS (key 'true'),
  b bool, i2 int2, i4 int4, i8 int8, oid oid, f4 float4, f8 float8, n numeric, nx numeric, n52 numeric(5,2),
  t text, vc varchar, vc5 varchar(5), c5 char(5), nm name,
  j json, jb jsonb, u uuid,
  d date, tm time, ttz timetz, ts timestamp, ts0 timestamp(0) OPTIONS (path 'ts'), tz timestamptz,
  es timestamptz OPTIONS (format 'epoch_s'), esd date OPTIONS (path 'es', format 'epoch_s'),
  ems timestamptz OPTIONS (format 'epoch_ms'), emst timestamp(0) OPTIONS (path 'ems', format 'epoch_ms'),
  by bytea, iv interval, ip inet, net cidr, mac macaddr, r int4range, mood mood, pos positive,
  ia int[], ia2 int[], ta text[], jba jsonb[], tza timestamptz[],
  addr address, addrs address[],
  lat float8 OPTIONS (path 'addr.geo.lat'), tag text OPTIONS (path 'tags[1].name'),
  dotted text OPTIONS (path '`odd.name`.`x y`'), sub json OPTIONS (path 'addr'), "odd.name" jsonb
) SERVER types OPTIONS (collection 'good');
\x on
SELECT * FROM good WHERE id = 'all';
SELECT * FROM good WHERE id = 'other';
\x off
-- what is missing or null is NULL in every column
SELECT id, num_nonnulls(b, i2, i4, i8, oid, f4, f8, n, nx, n52, t, vc, vc5, c5, nm, j, jb, u, d, tm, ttz, ts, ts0, tz) AS a,
  num_nonnulls(es, esd, ems, emst, by, iv, ip, net, mac, r, mood, pos, ia, ia2, ta, jba, tza, addr, addrs, lat, tag, dotted, sub) AS b
  FROM good WHERE id IN ('empty', 'nulls') ORDER BY id;

-- whole documents and metadata
CREATE FOREIGN TABLE meta (
  id text OPTIONS (key 'true'), doc json OPTIONS (document 'true'), docb jsonb OPTIONS (document 'true'),
  raw bytea OPTIONS (document 'true'), txt text OPTIONS (document 'true'), vc varchar(4) OPTIONS (document 'true', on_type_error 'null'),
  cas bigint OPTIONS (meta 'cas'), casn numeric OPTIONS (meta 'cas'), expiry timestamptz OPTIONS (meta 'expiry'), flags bigint OPTIONS (meta 'flags'),
  seqno bigint OPTIONS (meta 'seqno'), vbucket int OPTIONS (meta 'vbucket'), datatype text OPTIONS (meta 'datatype')
) SERVER types OPTIONS (collection 'good');
SELECT id, doc, docb, txt = convert_from(raw, 'UTF8') AS same, vc FROM meta WHERE id = 'empty';
SELECT id, doc::text = txt AS verbatim, docb -> 'jb' AS last_counts, docb -> 'n' AS digits FROM meta WHERE id = 'all';
SELECT id, cas > 0 AS cas, casn = cas AS same, expiry, flags, seqno > 0 AS seqno, vbucket BETWEEN 0 AND 1023 AS vbucket, datatype FROM meta ORDER BY id;

SELECT id, flags, datatype, expiry IS NULL AS no_expiry, doc IS NOT NULL AS doc FROM meta WHERE id = 'all';
SELECT count(*) AS documents, count(*) FILTER (WHERE doc::jsonb::text = docb::text) AS same FROM meta;

-- every type of column against every kind of value: what does not fit is NULL ...
CREATE FOREIGN TABLE matrix (
  id text OPTIONS (key 'true'), b bool OPTIONS (path 'v'), i2 int2 OPTIONS (path 'v'), i4 int OPTIONS (path 'v'), i8 int8 OPTIONS (path 'v'),
  oid oid OPTIONS (path 'v'), f4 float4 OPTIONS (path 'v'), f8 float8 OPTIONS (path 'v'), n numeric OPTIONS (path 'v'), n21 numeric(2,1) OPTIONS (path 'v'),
  t text OPTIONS (path 'v'), vc2 varchar(2) OPTIONS (path 'v'), c2 char(2) OPTIONS (path 'v'), nm name OPTIONS (path 'v'),
  j json OPTIONS (path 'v'), jb jsonb OPTIONS (path 'v'), u uuid OPTIONS (path 'v'), d date OPTIONS (path 'v'), tm time OPTIONS (path 'v'),
  ttz timetz OPTIONS (path 'v'), ts timestamp OPTIONS (path 'v'), tz timestamptz OPTIONS (path 'v'), es timestamptz OPTIONS (path 'v', format 'epoch_s'),
  esd date OPTIONS (path 'v', format 'epoch_ms'), by bytea OPTIONS (path 'v'), iv interval OPTIONS (path 'v'), ip inet OPTIONS (path 'v'), r int4range OPTIONS (path 'v'),
  mood mood OPTIONS (path 'v'), ia int[] OPTIONS (path 'v'), ta text[] OPTIONS (path 'v'), jba jsonb[] OPTIONS (path 'v'), addr address OPTIONS (path 'v'),
  doc jsonb OPTIONS (document 'true')
) SERVER types OPTIONS (collection 'bad', on_type_error 'null');
SELECT id, b, i2, i4, i8, oid, f4, f8, n21, t, vc2, c2, nm FROM matrix ORDER BY id COLLATE "C";
SELECT id, length(n::text) AS n, length(j::text) AS j, left(jb::text, 30) AS jb, u, d, tm, ttz, ts, tz, es, esd FROM matrix ORDER BY id COLLATE "C";
SELECT id, by, iv, ip, r, mood, ia, ta, jba, addr, left(doc::text, 30) AS doc FROM matrix ORDER BY id COLLATE "C";

-- a look-up of single paths gives the same as the whole document
CREATE FOREIGN TABLE lookup_matrix (
  id text OPTIONS (key 'true'), b bool OPTIONS (path 'v'), f8 float8 OPTIONS (path 'v'), t text OPTIONS (path 'v'), jb jsonb OPTIONS (path 'v'),
  d date OPTIONS (path 'v'), ia int[] OPTIONS (path 'v'), first jsonb OPTIONS (path 'v[0]'), a jsonb OPTIONS (path 'v.a')
) SERVER types OPTIONS (collection 'bad', on_type_error 'null', lookup 'on');
CREATE TEMP TABLE keys AS SELECT id FROM matrix;
CREATE TEMP TABLE by_lookup AS SELECT * FROM lookup_matrix WHERE id = ANY (ARRAY(SELECT id FROM keys));
EXPLAIN (COSTS OFF, VERBOSE) SELECT * FROM lookup_matrix WHERE id = '13 array';
ALTER FOREIGN TABLE lookup_matrix OPTIONS (SET lookup 'off');
CREATE TEMP TABLE by_document AS SELECT * FROM lookup_matrix WHERE id = ANY (ARRAY(SELECT id FROM keys));
SELECT (SELECT count(*) FROM by_lookup) AS rows, count(*) AS same FROM (SELECT * FROM by_lookup INTERSECT SELECT * FROM by_document) x;
SELECT * FROM (SELECT * FROM by_lookup EXCEPT SELECT * FROM by_document) x;

-- repeated members and escaped names: one answer, however it is read
CREATE FOREIGN TABLE repeated (id text OPTIONS (key 'true'), a int, x int OPTIONS (path 'o.x'))
  SERVER types OPTIONS (collection 'repeated', lookup 'off');
SELECT * FROM repeated WHERE id LIKE 'rep%' ORDER BY id;
SELECT * FROM repeated WHERE id IN ('repeated', 'repeated null') ORDER BY id;
ALTER FOREIGN TABLE repeated OPTIONS (SET lookup 'on');
SELECT * FROM repeated WHERE id IN ('repeated', 'repeated null') ORDER BY id;
EXPLAIN (COSTS OFF, VERBOSE) SELECT a FROM repeated WHERE id = 'repeated';
CREATE FOREIGN TABLE names (id text OPTIONS (key 'true'), "größe" text, "a/b" text) SERVER types OPTIONS (collection 'repeated', lookup 'on');
SELECT * FROM names WHERE id LIKE '%names' ORDER BY id;
SELECT id, "größe" FROM names WHERE id IN ('escaped names', 'plain names') ORDER BY id;
SELECT id, "a/b" FROM names WHERE id IN ('escaped names', 'plain names') ORDER BY id;
EXPLAIN (COSTS OFF, VERBOSE) SELECT "größe" FROM names WHERE id = 'escaped names';

-- ... or an error that names column, path and key
CREATE FUNCTION complaints(tab regclass) RETURNS TABLE (key text, col text, state text, message text) LANGUAGE plpgsql AS $$
DECLARE
  k text;
  place text;
BEGIN
  FOR col IN SELECT attname FROM pg_attribute WHERE attrelid = tab AND attnum > 1 ORDER BY attnum LOOP
    FOR k IN EXECUTE format('SELECT id FROM %s ORDER BY id COLLATE "C"', tab) LOOP
      BEGIN
        EXECUTE format('SELECT %I FROM %s WHERE id = $1', col, tab) USING k;
      EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS place = PG_EXCEPTION_CONTEXT;
        key := k; state := SQLSTATE; message := SQLERRM;
        IF place NOT LIKE '%column "' || col || '" of foreign table "matrix"%document "' || k || '"%' THEN
          message := message || ' WITHOUT CONTEXT ' || place;
        END IF;
        RETURN NEXT;
      END;
    END LOOP;
  END LOOP;
END $$;
ALTER FOREIGN TABLE matrix OPTIONS (SET on_type_error 'error');
SELECT col, state, message, count(*) AS documents, min(key COLLATE "C") AS first
  FROM complaints('matrix') GROUP BY 1, 2, 3 ORDER BY col COLLATE "C", min(key COLLATE "C"), message COLLATE "C";
SELECT i4 FROM matrix WHERE id = '08 string';
SELECT doc FROM matrix WHERE id = '34 document cut';
SELECT t FROM matrix WHERE id = '11 nul';
SELECT id FROM matrix WHERE i4 > 0 AND id BETWEEN '33' AND '34';

-- the column's option wins over the table's, the table's over the server's
ALTER FOREIGN TABLE matrix ALTER COLUMN i4 OPTIONS (ADD on_type_error 'null');
SELECT id, i4 FROM matrix WHERE id = '08 string';
ALTER SERVER types OPTIONS (ADD on_type_error 'null');
SELECT id, i8 FROM matrix WHERE id = '08 string';
ALTER FOREIGN TABLE matrix OPTIONS (DROP on_type_error);
SELECT id, i8 FROM matrix WHERE id = '08 string';
ALTER SERVER types OPTIONS (DROP on_type_error);

-- domains: a violated constraint is an error under either rule
CREATE DOMAIN required AS text NOT NULL;
CREATE DOMAIN small_json AS jsonb CHECK (length(VALUE::text) < 10);
CREATE FOREIGN TABLE domains (id text OPTIONS (key 'true'), p positive OPTIONS (path 'v'), q required OPTIONS (path 'v'), doc small_json OPTIONS (document 'true'))
  SERVER types OPTIONS (collection 'bad', on_type_error 'null');
SELECT id, p FROM domains WHERE id IN ('04 integer', '08 string');
SELECT id, p FROM domains WHERE id = '22 negative';
SELECT id, q FROM domains WHERE id = '08 string';
SELECT id, q FROM domains WHERE id = '01 missing';
SELECT id, doc FROM domains WHERE id = '04 integer';
SELECT id, doc FROM domains WHERE id = '08 string';

-- types in types
CREATE DOMAIN few AS int[] CHECK (array_length(VALUE, 1) < 3);
CREATE TYPE item AS (name text, tags text[]);
CREATE FOREIGN TABLE nested (
  id text OPTIONS (key 'true'), few few OPTIONS (path 'ints'), pos positive[], vcs varchar(2)[], nums numeric(4,1)[],
  times timestamptz(0)[] OPTIONS (format 'epoch_ms'), days date[], three int[], geos geo[], jsons json[], items item[] OPTIONS (path 'deep.list'),
  mat geo[], second text OPTIONS (path 'deep.list[1].name')
) SERVER types OPTIONS (collection 'nested');
\x on
SELECT * FROM nested WHERE id = 'one';
\x off
SELECT jsons[4] -> 'y' AS null, array_dims(three) AS three, array_dims(mat) AS mat, (items[1]).tags[2], jsons[5] IS NULL AS last FROM nested WHERE id = 'one';
SELECT few FROM nested WHERE id = 'two';
SELECT pos FROM nested WHERE id = 'two';
SELECT vcs FROM nested WHERE id = 'two';
SELECT nums FROM nested WHERE id = 'two';
SELECT times FROM nested WHERE id = 'two';
SELECT days FROM nested WHERE id = 'two';
SELECT three FROM nested WHERE id = 'two';
SELECT geos FROM nested WHERE id = 'two';
SELECT items FROM nested WHERE id = 'two';
SELECT mat FROM nested WHERE id = 'two';
ALTER FOREIGN TABLE nested OPTIONS (ADD on_type_error 'null');
SELECT vcs, nums, times, days, three, geos, items, mat FROM nested WHERE id = 'two';

-- bytes that are no text
CREATE FOREIGN TABLE bytes (id text OPTIONS (key 'true'), v text, w int, raw bytea OPTIONS (document 'true'), txt text OPTIONS (document 'true'),
  jb jsonb OPTIONS (document 'true'), datatype text OPTIONS (meta 'datatype')) SERVER types OPTIONS (collection 'bytes');
CREATE FOREIGN TABLE bodies (v text OPTIONS (on_type_error 'null'), w int OPTIONS (on_type_error 'null'), raw bytea OPTIONS (document 'true'),
  txt text OPTIONS (document 'true', on_type_error 'null'), jb jsonb OPTIONS (document 'true', on_type_error 'null'), datatype text OPTIONS (meta 'datatype'))
  SERVER types OPTIONS (collection 'bytes');
SELECT * FROM bodies ORDER BY raw;
SELECT id FROM bytes WHERE v LIKE 'bad%' AND id > 'ke' AND id < 'l';
CREATE FOREIGN TABLE nulkey (id text OPTIONS (key 'true'), v text) SERVER types OPTIONS (collection 'nulkey');
SELECT v FROM nulkey;
SELECT id FROM nulkey;
SELECT id, v FROM bytes WHERE id = 'schlüssel';
SELECT v FROM bytes WHERE id = 'bad utf8 value';
SELECT txt FROM bytes WHERE id = 'bad utf8 value';
SELECT jb FROM bytes WHERE id = 'text';
SELECT txt FROM bytes WHERE id = 'text';
SELECT txt FROM bytes WHERE id = 'binary';
SELECT raw, datatype FROM bytes WHERE id = 'binary';

-- dropped and added columns, renamed ones
ALTER FOREIGN TABLE good DROP COLUMN b;
ALTER FOREIGN TABLE good RENAME COLUMN i2 TO mood2;
ALTER FOREIGN TABLE good ADD COLUMN added text OPTIONS (path 'mood');
SELECT id, mood2, i4, added FROM good WHERE id = 'all';
ALTER TYPE address ADD ATTRIBUTE zip text;
ALTER TYPE address DROP ATTRIBUTE no;
SELECT addr, addrs FROM good WHERE id = 'all';

-- a key is never null: one that does not fit its column is an error whatever on_type_error says
CREATE FOREIGN TABLE short_key (id varchar(2) OPTIONS (key 'true'), b boolean)
  SERVER types OPTIONS (collection 'good', on_type_error 'null');
SELECT * FROM short_key WHERE id = 'all';

\set VERBOSITY terse
DROP SERVER types CASCADE;
DROP FUNCTION complaints;
DROP DOMAIN positive, required, small_json, few;
DROP TYPE address, geo, mood, item;
