-- cbconn_parse(): what a connection string means, without connecting.
\a
SELECT * FROM cbconn_parse('couchbase://db.example.com') WHERE section <> 'option';
SELECT name, value, description FROM cbconn_parse('couchbase://db.example.com') WHERE section = 'option';
SELECT * FROM cbconn_parse('couchbases://a.example.com:11207,[2001:db8::1];10.0.0.1:18091=https/travel-sample?kv_timeout=5s&network=external')
  WHERE section <> 'option' OR origin <> 'default';
SELECT section, name, value, origin FROM cbconn_parse('a,b:1234=kv,c:8091=http') WHERE section <> 'option';
SELECT section, name, value, origin FROM cbconn_parse('couchbase://a.example.com?dnssrv=off') WHERE section <> 'option' OR origin <> 'default';
SELECT section, name, value, origin FROM cbconn_parse('couchbase://h?ssl=on') WHERE section <> 'option' OR origin <> 'default';

-- bare numbers: seconds under libcouchbase's names, milliseconds under the newer ones
SELECT name, value, origin FROM cbconn_parse('couchbase://h?operation_timeout=2.5') WHERE origin LIKE 'given%';
SELECT name, value, origin FROM cbconn_parse('couchbase://h?kv_timeout=2500') WHERE origin LIKE 'given%' AND section = 'option';
SELECT name, value, origin FROM cbconn_parse('couchbase://h?kv_timeout=1m30s') WHERE origin LIKE 'given%' AND section = 'option';

-- secrets are neither taken nor shown
SELECT name, value, origin FROM cbconn_parse('couchbase://h?username=app&password=topsecret') WHERE origin LIKE 'given%' AND section = 'option';

-- errors name the part
SELECT * FROM cbconn_parse('');
SELECT * FROM cbconn_parse('couchbase://');
SELECT * FROM cbconn_parse('ftp://h');
SELECT * FROM cbconn_parse('couchbase://h:0');
SELECT * FROM cbconn_parse('couchbase://h:11210=ftp');
SELECT * FROM cbconn_parse('couchbase://::1');
SELECT * FROM cbconn_parse('couchbase://h/a%zz');
SELECT * FROM cbconn_parse('couchbase://h/a%00b');
SELECT * FROM cbconn_parse('couchbase://me@h');
SELECT * FROM cbconn_parse('couchbase://h#x');
SELECT * FROM cbconn_parse('couchbase://h?kv_timeout');
SELECT * FROM cbconn_parse('couchbase://h?kv_timeot=5s');
SELECT * FROM cbconn_parse('couchbase://h?kv_timeout=5s&kv_timeout=6s');
SELECT * FROM cbconn_parse('couchbase://h?compression=onlyfoo');
SELECT * FROM cbconn_parse('couchbase://h?truststorepath=/x');
SELECT count(*) FROM cbconn_parse(NULL);
\a
