// Foreign tables and the SDK on the same documents: each reads what the other has written.
'use strict';

const { sql, rows, quote, SqlError } = require('./postgres');
const { same, truth, rejects, delay } = require('./harness');
const { randomDocument } = require('./random');

const SETUP = `
	CREATE EXTENSION cbconn_fdw;
	CREATE SERVER cb FOREIGN DATA WRAPPER cbconn_fdw OPTIONS (connection_string %, bucket 'travel', scope 'sql');
	CREATE USER MAPPING FOR CURRENT_USER SERVER cb OPTIONS (username 'Administrator', password 'password');
	CREATE TYPE leg AS (origin text, km numeric);
	CREATE FOREIGN TABLE t (id text OPTIONS (key 'true') COLLATE "C", b boolean, i2 smallint, i4 int, i8 bigint, f8 float8, num numeric,
		name text, city text OPTIONS (path 'geo.city'), third int OPTIONS (path 'list[2]'), tags text[], grid int[], legs leg[], j jsonb,
		ts timestamptz, bin bytea, odd text OPTIONS (path '\`odd.näme\`'))
		SERVER cb OPTIONS (collection 'tables');
	CREATE FOREIGN TABLE d (id text OPTIONS (key 'true') COLLATE "C", doc jsonb OPTIONS (document 'true'),
		expires timestamptz OPTIONS (meta 'expiry'), remaining interval OPTIONS (meta 'expiry'), flags bigint OPTIONS (meta 'flags'),
		cas numeric OPTIONS (meta 'cas'), kind text OPTIONS (meta 'datatype')) SERVER cb OPTIONS (collection 'tables', truncatable 'true');
	CREATE FOREIGN TABLE e (id text OPTIONS (key 'true') COLLATE "C", remaining interval OPTIONS (meta 'expiry'), n int)
		SERVER cb OPTIONS (collection 'tables');
	CREATE FOREIGN TABLE raw (id text OPTIONS (key 'true') COLLATE "C", body bytea OPTIONS (document 'true'), flags bigint OPTIONS (meta 'flags'))
		SERVER cb OPTIONS (collection 'tables');
	CREATE FOREIGN TABLE plain (id text OPTIONS (key 'true') COLLATE "C", body text OPTIONS (document 'true'))
		SERVER cb OPTIONS (collection 'tables');
	CREATE FOREIGN TABLE durable (id text OPTIONS (key 'true') COLLATE "C", n int)
		SERVER cb OPTIONS (collection 'tables', durability 'persist_to_majority');
	CREATE FOREIGN TABLE copied (id text OPTIONS (key 'true') COLLATE "C", doc json OPTIONS (document 'true'))
		SERVER cb OPTIONS (collection 'copied');`;

// Shows bytes and flags as they are.
const bytes = { transcoder: { encode: (value) => value, decode: (value, flags) => ({ value, flags }) } };

const HOUR = 3600;
const now = () => Math.floor(Date.now() / 1000);

function near(actual, expected, slack = 5)
{
	truth(Math.abs(actual - expected) <= slack, `${actual}, expected about ${expected}`);
}

module.exports = async function tables(context)
{
	const { cluster, connectionString } = context;
	const scope = cluster.bucket('travel').scope('sql');
	const parts = { ...context, collection: scope.collection('tables'), copied: scope.collection('copied') };

	await sql(SETUP.replace('%', quote(connectionString)));
	await sdkReads(parts);
	await sdkReadsMetadata(parts);
	await sqlReads(parts);
	await sqlReadsMetadata(parts);
	await bothWays(parts);
	await together(parts);
};

async function sdkReads({ harness, couchbase, collection })
{
	await harness.check('SDK reads: every type of column', async () =>
	{
		await sql(`INSERT INTO t VALUES ('types', true, -32768, 2147483647, 4503599627370497, 0.1, 1.5, 'x', 'Bern', 3,
			'{a,NULL,"b c"}', '{{1,2},{3,4}}', ARRAY[('ZRH', 1.25)::leg, NULL], '{"k": [1, {"l": null}]}',
			'2026-02-03 04:05:06.789+01', '\\x00ff', 'o')`);
		same((await collection.get('types')).content, {
			b: true, i2: -32768, i4: 2147483647, i8: 4503599627370497, f8: 0.1, num: 1.5, name: 'x', geo: { city: 'Bern' },
			list: [null, null, 3], tags: ['a', null, 'b c'], grid: [[1, 2], [3, 4]], legs: [{ origin: 'ZRH', km: 1.25 }, null],
			j: { k: [1, { l: null }] }, ts: '2026-02-03T03:05:06.789Z', bin: 'AP8=', 'odd.näme': 'o',
		});
	});

	await harness.check('SDK reads: numbers to the last digit', async () =>
	{
		await sql(`INSERT INTO t (id, i8, f8, num) VALUES ('digits', -9223372036854775808, 1.7976931348623157e308,
			123456789012345678901234567890.123456789000)`);
		same((await collection.get('digits', bytes)).content.value.toString(),
			'{"i8":-9223372036854775808,"f8":1.7976931348623157e+308,"num":123456789012345678901234567890.123456789000}');
		await sql(`INSERT INTO t (id, f8, num) VALUES ('small', 5e-324, -0.000000000000000000001)`);
		same((await collection.get('small')).content, { f8: 5e-324, num: -1e-21 });
	});

	await harness.check('SDK reads: Unicode and odd characters in keys, names and values', async () =>
	{
		for (const text of ['naïve 日本 😀', 'q"u\\o/te', "a'b%c `d`", 'tab\tnew\nline\u0001\u007f', '\u2028\ufeff\ud83d\ude00'])
		{
			await sql(`INSERT INTO t (id, name, j) VALUES (${quote('key ' + text)}, ${quote(text)},
				jsonb_build_object(${quote(text)}::text, ${quote(text)}::text))`);
			same((await collection.get('key ' + text)).content, { name: text, j: { [text]: text } });
			same(await rows(`SELECT name, j FROM t WHERE id = ${quote('key ' + text)}`), [{ name: text, j: { [text]: text } }]);
		}
	});

	await harness.check('SDK reads: fields that UPDATE has changed, and the others as they were', async () =>
	{
		await collection.upsert('changed', { keep: { x: [1, 2.50] }, name: 'old', geo: { lat: 1 }, list: [1, 2, 3] });
		await sql(`UPDATE t SET name = 'new', city = 'Basel', third = 33, i4 = NULL WHERE id = 'changed'`);
		same((await collection.get('changed')).content,
			{ keep: { x: [1, 2.50] }, name: 'new', geo: { lat: 1, city: 'Basel' }, list: [1, 2, 33] });
		await sql(`UPDATE t SET name = NULL, city = NULL WHERE id = 'changed'`);
		same((await collection.get('changed')).content, { keep: { x: [1, 2.50] }, geo: { lat: 1 }, list: [1, 2, 33] });
	});

	await harness.check('SDK reads: extended attributes survive UPDATE of fields and of whole documents', async () =>
	{
		const { MutateInSpec: Change, LookupInSpec: Look } = couchbase;
		const attribute = async () =>
			(await collection.lookupIn('attributes', [Look.get('audit.by', { xattr: true })])).content[0].value;

		await collection.upsert('attributes', { n: 1 });
		await collection.mutateIn('attributes', [Change.upsert('audit.by', 'sdk', { xattr: true, createPath: true })]);
		await sql(`UPDATE t SET name = 'field' WHERE id = 'attributes'`);
		same(await attribute(), 'sdk');
		await sql(`UPDATE d SET doc = '{"all": "new"}' WHERE id = 'attributes'`);
		same(await attribute(), 'sdk');
		same((await collection.get('attributes')).content, { all: 'new' });
		same(await rows(`SELECT doc FROM d WHERE id = 'attributes'`), [{ doc: { all: 'new' } }]);
	});

	await harness.check('SDK reads: what COPY wrote, 10,000 documents', async () =>
	{
		await sql(`CREATE TABLE many AS SELECT 'copy-' || i AS id, i AS i4, 'name ' || i AS name FROM generate_series(1, 10000) i;
			COPY many TO '${process.env.CBCONN_TMP}/data/many'; COPY t (id, i4, name) FROM '${process.env.CBCONN_TMP}/data/many'`);
		for (let start = 1; start <= 10000; start += 200)
			await Promise.all(Array.from({ length: 200 }, async (_, i) =>
				same((await collection.get('copy-' + (start + i))).content, { i4: start + i, name: 'name ' + (start + i) })));
	});

	await harness.check('SDK reads: nothing of what DELETE removed', async () =>
	{
		await sql(`DELETE FROM t WHERE id IN ('changed', 'small')`);
		await rejects(collection.get('changed'), couchbase.DocumentNotFoundError);
		await rejects(collection.get('small'), couchbase.DocumentNotFoundError);
	});
}

async function sdkReadsMetadata({ harness, couchbase, collection })
{
	const { LookupInSpec: Look } = couchbase;
	const expiry = async (key) => (await collection.get(key, { withExpiry: true })).expiryTime;

	await harness.check('SDK reads: expiry as time and as interval, on both sides of 30 days; kept, cleared', async () =>
	{
		await sql(`INSERT INTO d (id, doc, expires) VALUES ('e-time', '{}', now() + interval '100 days');
			INSERT INTO e VALUES ('e-hour', '1 hour', 1), ('e-30', '30 days', 1), ('e-31', '31 days', 1), ('e-none', NULL, 1);`);
		near(await expiry('e-time'), now() + 100 * 24 * HOUR);
		near(await expiry('e-hour'), now() + HOUR);
		near(await expiry('e-30'), now() + 30 * 24 * HOUR);
		near(await expiry('e-31'), now() + 31 * 24 * HOUR);
		truth(!await expiry('e-none'), 'an expiry where none was given');
		await sql(`UPDATE e SET n = 2 WHERE id = 'e-hour'; UPDATE d SET doc = '{"n": 3}' WHERE id = 'e-31';
			UPDATE e SET remaining = NULL WHERE id = 'e-30'`);
		near(await expiry('e-hour'), now() + HOUR);
		near(await expiry('e-31'), now() + 31 * 24 * HOUR);
		truth(!await expiry('e-30'), 'not cleared');
	});

	await harness.check('SDK reads: objects, text and bytes by their flags', async () =>
	{
		await sql(`INSERT INTO d (id, doc) VALUES ('f-json', '{"a": 1}'); INSERT INTO plain VALUES ('f-text', 'plain ü'), ('f-textjson', '[1]');
			INSERT INTO raw VALUES ('f-bytes', '\\x00fffe7b'), ('f-bin', '\\x01');
			INSERT INTO raw VALUES ('f-own', '\\x01', 50331650)`);
		same((await collection.get('f-json')).content, { a: 1 });
		same((await collection.get('f-text')).content, 'plain ü');
		same((await collection.get('f-textjson')).content, [1]);
		same((await collection.get('f-bytes')).content, Buffer.from([0, 255, 254, 123]));
		same((await collection.get('f-json', bytes)).content.flags, 0x02000000);
		same((await collection.get('f-own', bytes)).content.flags, 50331650);
	});

	await harness.check('SDK reads: what was compressed on the wire', async () =>
	{
		await sql(`INSERT INTO t (id, name) SELECT 'packed', repeat('abc ', 50000)`);
		same((await collection.get('packed')).content, { name: 'abc '.repeat(50000) });
		const about = (await collection.lookupIn('packed', [Look.get('$document', { xattr: true })])).content[0].value;
		truth(about.datatype.includes('snappy'), `not stored as it was sent: ${about.datatype}`);
	});

	await harness.check('SDK reads: the CAS that RETURNING tells', async () =>
	{
		const [{ cas }] = await rows(`SELECT cas::text FROM d WHERE id = 'f-json'`);
		same(String((await collection.get('f-json')).cas), cas);
		const [written] = await sql(`UPDATE d SET doc = '{"a": 2}' WHERE id = 'f-json' RETURNING cas;`);
		same(String((await collection.get('f-json')).cas), written);
		await collection.replace('f-json', { a: 3 }, { cas: written });
		await rejects(collection.replace('f-json', { a: 4 }, { cas: written }), couchbase.CasMismatchError);
	});

	await harness.check('SDK reads: durable writes, from the replica as well', async () =>
	{
		await sql(`INSERT INTO durable VALUES ('durable', 1); UPDATE durable SET n = n + 1 WHERE id = 'durable'`);
		const all = await collection.getAllReplicas('durable');
		same(all.map((copy) => [copy.isReplica, copy.content.n]).sort(), [[false, 2], [true, 2]]);
	});
}

async function sqlReads({ harness, couchbase, collection })
{
	await harness.check('SQL reads: every kind of JSON value, whole and by column', async () =>
	{
		const value = { b: false, i2: -1, i4: 7.0, i8: Number.MAX_SAFE_INTEGER, f8: 1e300, num: 0.1, name: 'näme 😀', geo: { city: 'Chur', x: {} },
			list: [1, [2], 3], tags: ['a', null], grid: [[1], [2]], legs: [{ km: 5, origin: 'A' }], j: [[], {}, null, true],
			ts: new Date(Date.UTC(2026, 1, 3, 4, 5, 6, 789)).toISOString(), 'odd.näme': 'o' };
		await collection.upsert('from sdk', value);
		same(await rows(`SELECT doc FROM d WHERE id = 'from sdk'`), [{ doc: value }]);
		same(await rows(`SELECT b, i2, i4, i8, f8, num, name, city, third, tags, grid, legs, j, odd, ts = '2026-02-03 04:05:06.789Z' AS ts
			FROM t WHERE id = 'from sdk'`),
			[{ b: false, i2: -1, i4: 7, i8: Number.MAX_SAFE_INTEGER, f8: 1e300, num: 0.1, name: 'näme 😀', city: 'Chur', third: 3, tags: ['a', null],
				grid: [[1], [2]], legs: [{ origin: 'A', km: 5 }], j: [[], {}, null, true], odd: 'o', ts: true }]);
	});

	await harness.check('SQL reads: documents that are single values', async () =>
	{
		for (const [i, value] of [0, -1.5, true, null, 'text', [], {}, [[1]]].entries())
		{
			await collection.upsert('value-' + i, value, { transcoder: { encode: (v) => [Buffer.from(JSON.stringify(v)), 0x02000000], decode: (v) => v } });
			same(await rows(`SELECT body::json FROM plain WHERE id = 'value-${i}'`), [{ body: value }]);
		}
	});

	await harness.check('SQL reads: what mutateIn has changed, and counters', async () =>
	{
		const { MutateInSpec: Change } = couchbase;
		await collection.upsert('part', { list: [1, 2, 3], i4: 1 });
		await collection.mutateIn('part', [Change.upsert('geo.city', 'Aarau', { createPath: true }), Change.increment('i4', 41),
			Change.arrayInsert('list[0]', 0)]);
		same(await rows(`SELECT i4, city, third FROM t WHERE id = 'part'`), [{ i4: 42, city: 'Aarau', third: 2 }]);
		await collection.remove('count').catch(() => undefined);
		await collection.binary().increment('count', 5, { initial: 10 });
		same(await rows(`SELECT doc FROM d WHERE id = 'count'`), [{ doc: 10 }]);
		await sql(`UPDATE d SET doc = to_jsonb(doc::int + 1) WHERE id = 'count'`);
		same((await collection.binary().increment('count', 5)).value, 16);
	});

	await harness.check('SQL reads: 10,000 documents of the SDK by key and by scan, and counts them', async () =>
	{
		for (let start = 0; start < 10000; start += 200)
			await Promise.all(Array.from({ length: 200 }, (_, i) => collection.upsert('sdk-' + (start + i), { i4: start + i })));
		same(await sql(`SELECT count(*), sum(i4) FROM t WHERE id = ANY (ARRAY(SELECT 'sdk-' || i FROM generate_series(0, 9999) i))`),
			['10000|49995000']);
		await until(async () => (await sql(`SELECT count(*), sum(i4) FROM t WHERE id LIKE 'sdk-%'`))[0] === '10000|49995000');
	});
}

// A scan sees what has been persisted.
async function until(condition)
{
	for (let i = 0; i < 50; i++)
	{
		if (await condition())
			return;
		await delay(100);
	}
	throw new Error('not within 5 s');
}

async function sqlReadsMetadata({ harness, collection })
{
	await harness.check('SQL reads: expiry, also after touch', async () =>
	{
		await collection.upsert('s-short', {}, { expiry: 1000 });
		await collection.upsert('s-long', {}, { expiry: 100 * 24 * HOUR });
		await collection.upsert('s-none', {});
		const left = async (key) => (await sql(`SELECT extract(epoch FROM expires), extract(epoch FROM remaining) FROM d WHERE id = '${key}'`))[0]
			.split('|').map(Number);
		near((await left('s-short'))[0], now() + 1000);
		near((await left('s-short'))[1], 1000);
		near((await left('s-long'))[0], now() + 100 * 24 * HOUR);
		near((await left('s-long'))[1], 100 * 24 * HOUR);
		same(await rows(`SELECT expires, remaining FROM d WHERE id = 's-none'`), [{ expires: null, remaining: null }]);
		await collection.touch('s-none', 500);
		near((await left('s-none'))[1], 500);
	});

	await harness.check('SQL reads: flags, text and bytes', async () =>
	{
		const packet = Buffer.from([0, 1, 128, 255]);
		await collection.upsert('s-bytes', packet);
		await collection.upsert('s-text', 'tëxt', { transcoder: { encode: (v) => [Buffer.from(v), 0x04000000], decode: (v) => v } });
		await collection.upsert('s-json', { a: 1 });
		await collection.upsert('s-old', { a: 1 }, { transcoder: { encode: (v) => [Buffer.from(JSON.stringify(v)), 0], decode: (v) => v } });
		const [{ flags, body }] = await rows(`SELECT flags, encode(body, 'hex') AS body FROM raw WHERE id = 's-bytes'`);
		same([flags >>> 24, body], [3, packet.toString('hex')]);
		same(await rows(`SELECT p.body, r.flags FROM plain p JOIN raw r USING (id) WHERE id = 's-text'`), [{ body: 'tëxt', flags: 0x04000000 }]);
		same(await rows(`SELECT doc, flags >> 24 AS kind FROM d WHERE id IN ('s-json', 's-old') ORDER BY id`),
			[{ doc: { a: 1 }, kind: 2 }, { doc: { a: 1 }, kind: 0 }]);
		await sql(`UPDATE t SET name = 'x' WHERE id = 's-old'; UPDATE d SET doc = '{"b": 1}' WHERE id = 's-json'`);
		same((await collection.get('s-old', bytes)).content.flags, 0);
		same((await collection.get('s-json', bytes)).content.flags >>> 24, 2);
	});

	await harness.check('SQL reads: large and compressed documents', async () =>
	{
		const value = { name: 'abc '.repeat(50000), noise: require('crypto').randomBytes(3000000).toString('base64') };
		await collection.upsert('s-large', value, { timeout: 20000 });
		same(await sql(`SELECT md5(name) = md5(repeat('abc ', 50000)) FROM t WHERE id = 's-large'`), ['t']);
		same((await rows(`SELECT doc FROM d WHERE id = 's-large'`))[0].doc, value);
	});
}

// Random documents of the SDK, copied by SQL into another collection, read by the SDK there.
async function bothWays({ harness, collection, copied })
{
	const seed = Number(process.env.SEED || 1);

	await harness.check(`both: 500 random documents (SEED=${seed}) copied by INSERT ... SELECT are the same`, async () =>
	{
		const documents = randomDocument(seed, 500);
		const ids = documents.map((_, i) => 'random-' + i);

		await Promise.all(documents.map((value, i) => collection.upsert(ids[i], value)));
		await sql(`INSERT INTO copied SELECT id, doc FROM d WHERE id = ANY (ARRAY[${ids.map(quote)}])`);
		for (const [i, value] of documents.entries())
			same((await copied.get(ids[i])).content, value);
	});
}

async function together({ harness, couchbase, collection })
{
	await harness.check('together: a change by the SDK between reading and writing is 40001, and not lost', async () =>
	{
		await collection.upsert('race', { i4: 1, name: 'first' });
		const update = sql(`UPDATE t SET name = name || pg_sleep(4)::text WHERE id = 'race'`)
			.then(() => 'no error', (error) => error);
		await delay(2000);
		await collection.upsert('race', { i4: 1, name: 'second' });
		const error = await update;
		truth(error instanceof SqlError && error.code === '40001', String(error));
		same((await collection.get('race')).content, { i4: 1, name: 'second' });
	});

	await harness.check('together: a document that the SDK holds locked is not written, afterwards it is', async () =>
	{
		const update = `UPDATE t SET i4 = 2 WHERE id = 'locked'`;
		await collection.upsert('locked', { i4: 1 });
		const { cas } = await collection.getAndLock('locked', 15);
		same((await rejects(sql(update), SqlError)).code, '55P03');
		await collection.unlock('locked', cas);
		same((await collection.get('locked')).content, { i4: 1 });
		await sql(update);
		same((await collection.get('locked')).content, { i4: 2 });
	});

	await harness.check('together: ON CONFLICT DO NOTHING and duplicate keys meet documents of the SDK', async () =>
	{
		await collection.upsert('taken', { i4: 1 });
		same(await sql(`INSERT INTO t (id, i4) VALUES ('taken', 2), ('free', 2) ON CONFLICT DO NOTHING RETURNING id`), ['free']);
		const error = await rejects(sql(`INSERT INTO t (id, i4) VALUES ('taken', 2)`), SqlError);
		same(error.code, '23505');
		await rejects(collection.insert('free', {}), couchbase.DocumentExistsError);
		same((await collection.get('taken')).content, { i4: 1 });
	});

	await harness.check('together: TRUNCATE leaves nothing of either', async () =>
	{
		await delay(300);
		await sql('TRUNCATE d');
		for (const key of ['taken', 'types', 'sdk-77', 'copy-77'])
			await rejects(collection.get(key), couchbase.DocumentNotFoundError);
	});
}
