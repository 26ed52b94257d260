// Whole documents: every single-document operation of the SDK, with CAS, expiry, locks, counters and transcoding.
'use strict';

const { same, truth, rejects, delay } = require('./harness');

module.exports = async function documents({ harness, couchbase, cluster })
{
	const collection = cluster.bucket('travel').scope('inventory').collection('airline');
	const fresh = async (key) => { await collection.remove(key).catch(() => undefined); return key; };

	await harness.check('upsert and get give back every kind of JSON value', async () =>
	{
		const value = {
			text: 'naïve 日本 \u0000 "quoted" \\', integer: 42, negative: -1, float: 1.5, big: 1e300, yes: true,
			nothing: null, list: [1, [2, { three: 3 }]], nested: { a: { b: { c: [] } } }, empty: {},
		};
		const written = await collection.upsert('kinds', value);
		const read = await collection.get('kinds');
		same(read.content, value);
		same(String(read.cas), String(written.cas));
	});

	await harness.check('a mutation token comes with every write', async () =>
	{
		const first = await collection.upsert('token', 1);
		const second = await collection.upsert('token', 2);
		truth(first.token && second.token, 'no token');
		const [before, after] = [first.token.toJSON(), second.token.toJSON()];
		same(after.bucket_name || after.bucket, before.bucket_name || before.bucket);
		same(Number(after.sequence_number) - Number(before.sequence_number), 1);
		same(after.partition_id, before.partition_id);
		same(after.partition_uuid, before.partition_uuid);
	});

	await harness.check('insert succeeds once', async () =>
	{
		const key = await fresh('once');
		await collection.insert(key, { n: 1 });
		await rejects(collection.insert(key, { n: 2 }), couchbase.DocumentExistsError);
		same((await collection.get(key)).content, { n: 1 });
	});

	await harness.check('get, replace, remove, touch of a missing document', async () =>
	{
		const key = await fresh('missing');
		await rejects(collection.get(key), couchbase.DocumentNotFoundError);
		await rejects(collection.replace(key, 1), couchbase.DocumentNotFoundError);
		await rejects(collection.remove(key), couchbase.DocumentNotFoundError);
		await rejects(collection.touch(key, 10), couchbase.DocumentNotFoundError);
		await rejects(collection.getAndTouch(key, 10), couchbase.DocumentNotFoundError);
		same((await collection.exists(key)).exists, false);
	});

	await harness.check('replace with the right and with an old CAS', async () =>
	{
		const old = await collection.upsert('cas', { n: 1 });
		const next = await collection.replace('cas', { n: 2 }, { cas: old.cas });
		await rejects(collection.replace('cas', { n: 3 }, { cas: old.cas }), couchbase.CasMismatchError);
		same((await collection.get('cas')).content, { n: 2 });
		await collection.replace('cas', { n: 4 }, { cas: next.cas });
		same((await collection.get('cas')).content, { n: 4 });
	});

	await harness.check('remove with an old and with the right CAS', async () =>
	{
		const old = await collection.upsert('gone', 1);
		const next = await collection.upsert('gone', 2);
		await rejects(collection.remove('gone', { cas: old.cas }), couchbase.CasMismatchError);
		await collection.remove('gone', { cas: next.cas });
		same((await collection.exists('gone')).exists, false);
	});

	await harness.check('expiry: the document is gone after its second', async () =>
	{
		await collection.upsert('short', { n: 1 }, { expiry: 1 });
		same((await collection.get('short')).content, { n: 1 });
		await delay(2100);
		await rejects(collection.get('short'), couchbase.DocumentNotFoundError);
	});

	await harness.check('expiry is told, kept on request and cleared by a plain write', async () =>
	{
		const soon = Math.floor(Date.now() / 1000) + 100;
		await collection.upsert('expiring', { n: 1 }, { expiry: 100 });
		const told = async () => (await collection.get('expiring', { withExpiry: true })).expiryTime;
		truth(Math.abs(await told() - soon) <= 2, `expiry ${await told()}, expected about ${soon}`);
		await collection.upsert('expiring', { n: 2 }, { preserveExpiry: true });
		truth(Math.abs(await told() - soon) <= 2, 'not kept');
		await collection.upsert('expiring', { n: 3 });
		truth(!await told(), 'not cleared');
	});

	await harness.check('touch and getAndTouch change the expiry', async () =>
	{
		await collection.upsert('touched', { n: 1 });
		await collection.touch('touched', 100);
		const first = (await collection.get('touched', { withExpiry: true })).expiryTime;
		same((await collection.getAndTouch('touched', 1000)).content, { n: 1 });
		const second = (await collection.get('touched', { withExpiry: true })).expiryTime;
		truth(second - first >= 895 && second - first <= 905, `${first} to ${second}`);
	});

	await harness.check('the maximum expiry of a collection is imposed', async () =>
	{
		const fleeting = cluster.bucket('travel').scope('inventory').collection('fleeting');
		await fleeting.upsert('capped', { n: 1 });
		const expiry = (await fleeting.get('capped', { withExpiry: true })).expiryTime;
		const expected = Math.floor(Date.now() / 1000) + 3600;
		truth(Math.abs(expiry - expected) <= 2, `expiry ${expiry}, expected about ${expected}`);
	});

	await harness.check('exists', async () =>
	{
		const written = await collection.upsert('there', 1);
		const result = await collection.exists('there');
		same(result.exists, true);
		same(String(result.cas), String(written.cas));
	});

	await harness.check('get with projection', async () =>
	{
		await collection.upsert('projected', {
			name: 'Air', fleet: [{ model: 'A320', n: 8 }, { model: 'B737', n: 7 }], geo: { lat: 1.5, lon: -2 }, other: 1,
		});
		const result = await collection.get('projected', { project: ['name', 'geo.lat', 'fleet[1].model', 'absent'] });
		same(result.content.name, 'Air');
		same(result.content.geo, { lat: 1.5 });
		same(JSON.stringify(result.content.fleet).includes('B737'), true);
		same('other' in result.content, false);
		same('absent' in result.content, false);
	});

	await harness.check('get with a projection of more paths than one request takes', async () =>
	{
		const wide = {};
		for (let i = 0; i < 30; i++)
			wide['field' + i] = i;
		await collection.upsert('wide', wide);
		const result = await collection.get('wide', { project: Object.keys(wide).slice(0, 25) });
		same(Object.keys(result.content).length, 25);
		same(result.content.field24, 24);
	});

	await harness.check('a locked document refuses others until it is unlocked', async () =>
	{
		await collection.upsert('locked', { n: 1 });
		const locked = await collection.getAndLock('locked', 10);
		same(locked.content, { n: 1 });
		await rejects(collection.upsert('locked', { n: 2 }, { timeout: 300 }), couchbase.TimeoutError);
		await rejects(collection.unlock('locked', '12345', { timeout: 300 }), couchbase.CouchbaseError);
		await collection.unlock('locked', locked.cas);
		await collection.upsert('locked', { n: 3 });
		await rejects(collection.unlock('locked', locked.cas), couchbase.CouchbaseError);
		const again = await collection.getAndLock('locked', 10);
		await collection.replace('locked', { n: 4 }, { cas: again.cas });
		same((await collection.get('locked')).content, { n: 4 });
	});

	await harness.check('counters count, start and stop at zero', async () =>
	{
		const key = await fresh('counter');
		const binary = collection.binary();
		await rejects(binary.increment(key, 1), couchbase.DocumentNotFoundError);
		same((await binary.increment(key, 5, { initial: 10 })).value, 10);
		same((await binary.increment(key, 5)).value, 15);
		same((await binary.decrement(key, 4)).value, 11);
		same((await binary.decrement(key, 100)).value, 0);
		same((await collection.get(key)).content, 0);
		await collection.upsert('no counter', { n: 1 });
		await rejects(binary.increment('no counter', 1), couchbase.CouchbaseError);
	});

	await harness.check('append and prepend', async () =>
	{
		const raw = { transcoder: new RawTranscoder() };
		await collection.upsert('bytes', Buffer.from('middle'), raw);
		await collection.binary().append('bytes', Buffer.from('>'));
		await collection.binary().prepend('bytes', Buffer.from('<'));
		same((await collection.get('bytes', raw)).content.toString(), '<middle>');
		await rejects(collection.binary().append(await fresh('no bytes'), Buffer.from('x')), couchbase.CouchbaseError);
	});

	await harness.check('binary values, empty values and flags come back as they went', async () =>
	{
		const raw = { transcoder: new RawTranscoder() };
		const bytes = Buffer.from([0, 255, 254, 128, 10, 13, 0]);
		await collection.upsert('binary', bytes, raw);
		same((await collection.get('binary', raw)).content, bytes);
		await collection.upsert('nothing', Buffer.alloc(0), raw);
		same((await collection.get('nothing', raw)).content.length, 0);
	});

	await harness.check('a value that compresses well (snappy)', async () =>
	{
		const value = { text: 'abc '.repeat(50000) };
		await collection.upsert('compressed', value);
		same((await collection.get('compressed')).content, value);
	});

	await harness.check('a document of 20 MB fits, a larger one does not', async () =>
	{
		const value = 'x'.repeat(20 * 1024 * 1024 - 2);
		await collection.upsert('large', value, { timeout: 20000 });
		same((await collection.get('large', { timeout: 20000 })).content.length, value.length);
		const noise = require('crypto').randomBytes(16 * 1024 * 1024).toString('base64');
		await rejects(collection.upsert('larger', noise, { timeout: 20000 }), couchbase.ValueTooLargeError);
		await collection.remove('large');
	});

	await harness.check('keys: 246 bytes fit, odd bytes are kept', async () =>
	{
		const keys = ['k'.repeat(246), 'ключ', 'a b', '%41', "k'q\"`\\", '日本'];
		for (const key of keys)
		{
			await collection.upsert(key, { key });
			same((await collection.get(key)).content, { key });
		}
		await rejects(collection.upsert('k'.repeat(247), 1), couchbase.CouchbaseError);
	});

	await harness.check('reading from any replica and from all of them', async () =>
	{
		await collection.upsert('copied', { n: 1 });
		same((await collection.getAnyReplica('copied')).content, { n: 1 });
		const all = await collection.getAllReplicas('copied');
		truth(all.some((entry) => !entry.isReplica), 'the active copy is missing');
		for (const entry of all)
			same(entry.content, { n: 1 });
	});

	await harness.check('a collection that does not exist', async () =>
	{
		const missing = cluster.bucket('travel').scope('inventory').collection('nowhere');
		await rejects(missing.get('x', { timeout: 800 }), couchbase.CouchbaseError);
	});
};

// Bytes in, bytes out, marked as private format.
class RawTranscoder
{
	encode(value)
	{
		return [value, 0x03000000];
	}

	decode(bytes)
	{
		return bytes;
	}
}
