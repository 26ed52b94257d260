// Parts of documents: look-ups and mutations by path, also of extended attributes.
'use strict';

const { same, truth, rejects } = require('./harness');

module.exports = async function subdocument({ harness, couchbase, cluster })
{
	const { LookupInSpec: Look, MutateInSpec: Change, LookupInMacro, MutateInMacro } = couchbase;
	const collection = cluster.bucket('travel').scope('inventory').collection('airline');
	const base = { name: 'Air', n: 1, tags: ['a', 'b'], geo: { lat: 1.5 }, list: [[1], [2, 3]] };
	const content = async () => (await collection.get('part')).content;

	await collection.upsert('part', base);

	await harness.check('lookupIn: get, exists, count, whole document', async () =>
	{
		const result = await collection.lookupIn('part', [
			Look.get('name'), Look.get('geo.lat'), Look.get('tags[1]'), Look.get('list[-1][0]'),
			Look.exists('geo'), Look.exists('absent'), Look.count('tags'), Look.get(''),
		]);
		same(result.content.map((entry) => entry.value).slice(0, 4), ['Air', 1.5, 'b', 2]);
		same(result.content[4].value, true);
		same(result.content[5].value, false);
		same(result.content[6].value, 2);
		same(result.content[7].value, base);
	});

	await harness.check('lookupIn: one missing path leaves the others', async () =>
	{
		const result = await collection.lookupIn('part', [Look.get('name'), Look.get('absent'), Look.get('name.x')]);
		same(result.content[0].value, 'Air');
		truth(result.content[1].error instanceof couchbase.PathNotFoundError, String(result.content[1].error));
		truth(result.content[2].error instanceof couchbase.PathMismatchError, String(result.content[2].error));
	});

	await harness.check('lookupIn: missing document, document that is no JSON', async () =>
	{
		await rejects(collection.lookupIn('not there', [Look.get('a')]), couchbase.DocumentNotFoundError);
		await collection.upsert('raw', Buffer.from('not json'),
			{ transcoder: { encode: (value) => [value, 0x03000000], decode: (value) => value } });
		const result = await collection.lookupIn('raw', [Look.get('a')]);
		truth(result.content[0].error instanceof couchbase.DocumentNotJsonError, String(result.content[0].error));
	});

	await harness.check('lookupIn: more than 16 paths are refused', async () =>
	{
		const specs = Array.from({ length: 17 }, (_, i) => Look.get('f' + i));
		await rejects(collection.lookupIn('part', specs), couchbase.InvalidArgumentError);
	});

	await harness.check('mutateIn: upsert, insert, replace, remove', async () =>
	{
		await collection.upsert('part', base);
		await collection.mutateIn('part', [
			Change.upsert('name', 'Sea'), Change.insert('added', { x: 1 }), Change.replace('geo.lat', 2),
			Change.remove('n'), Change.upsert('deep.er', true, { createPath: true }),
		]);
		same(await content(), { name: 'Sea', tags: base.tags, geo: { lat: 2 }, list: base.list, added: { x: 1 },
			deep: { er: true } });
	});

	await harness.check('mutateIn: arrays', async () =>
	{
		await collection.upsert('part', { tags: ['b'] });
		await collection.mutateIn('part', [
			Change.arrayAppend('tags', 'd'), Change.arrayPrepend('tags', 'a'), Change.arrayInsert('tags[2]', 'c'),
			Change.arrayAddUnique('tags', 'e'), Change.arrayAppend('tags', ['f', 'g'], { multi: true }),
		]);
		same(await content(), { tags: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] });
		await rejects(collection.mutateIn('part', [Change.arrayAddUnique('tags', 'e')]), couchbase.PathExistsError);
	});

	await harness.check('mutateIn: counters', async () =>
	{
		await collection.upsert('part', { n: 40, s: 'x' });
		const result = await collection.mutateIn('part', [Change.increment('n', 2), Change.decrement('m', 3)]);
		same(result.content.map((entry) => entry && entry.value), [42, -3]);
		same(await content(), { n: 42, s: 'x', m: -3 });
		await rejects(collection.mutateIn('part', [Change.increment('s', 1)]), couchbase.PathMismatchError);
	});

	await harness.check('mutateIn: all or nothing', async () =>
	{
		await collection.upsert('part', base);
		await rejects(collection.mutateIn('part', [Change.upsert('name', 'lost'), Change.insert('n', 2)]),
			couchbase.PathExistsError);
		await rejects(collection.mutateIn('part', [Change.upsert('name', 'lost'), Change.replace('absent', 2)]),
			couchbase.PathNotFoundError);
		await rejects(collection.mutateIn('part', [Change.upsert('a.b', 1)]), couchbase.PathNotFoundError);
		same(await content(), base);
	});

	await harness.check('mutateIn: CAS, and semantics of the document', async () =>
	{
		const old = await collection.upsert('part', base);
		await collection.mutateIn('part', [Change.upsert('n', 2)], { cas: old.cas });
		await rejects(collection.mutateIn('part', [Change.upsert('n', 3)], { cas: old.cas }), couchbase.CasMismatchError);
		await collection.remove('made').catch(() => undefined);
		await rejects(collection.mutateIn('made', [Change.upsert('n', 1)]), couchbase.DocumentNotFoundError);
		await collection.mutateIn('made', [Change.insert('n', 1)], { storeSemantics: couchbase.StoreSemantics.Insert });
		await rejects(collection.mutateIn('made', [Change.upsert('n', 2)],
			{ storeSemantics: couchbase.StoreSemantics.Insert }), couchbase.DocumentExistsError);
		await collection.mutateIn('made', [Change.upsert('n', 3)], { storeSemantics: couchbase.StoreSemantics.Upsert });
		same((await collection.get('made')).content, { n: 3 });
	});

	await harness.check('mutateIn: expiry is set, kept and told', async () =>
	{
		await collection.mutateIn('part', [Change.upsert('n', 5)], { expiry: 500 });
		await collection.mutateIn('part', [Change.upsert('n', 6)], { preserveExpiry: true });
		const result = await collection.lookupIn('part', [Look.get(LookupInMacro.Expiry)]);
		truth(Math.abs(result.content[0].value - Date.now() / 1000 - 500) < 3, String(result.content[0].value));
	});

	await harness.check('extended attributes live beside the document', async () =>
	{
		await collection.upsert('part', base);
		await collection.mutateIn('part', [Change.upsert('meta.who', 'me', { xattr: true, createPath: true })]);
		const result = await collection.lookupIn('part', [Look.get('meta.who', { xattr: true }), Look.get('name')]);
		same(result.content.map((entry) => entry.value), ['me', 'Air']);
		same(await content(), base);
		await collection.upsert('part', { other: 1 });
		const kept = await collection.lookupIn('part', [Look.get('meta', { xattr: true })]);
		same(kept.content[0].value, { who: 'me' });
	});

	await harness.check('virtual attributes and macros', async () =>
	{
		const written = await collection.mutateIn('part',
			[Change.upsert('seal.cas', MutateInMacro.Cas, { xattr: true, createPath: true })]);
		const result = await collection.lookupIn('part', [
			Look.get(LookupInMacro.Document), Look.get(LookupInMacro.Cas), Look.get('seal.cas', { xattr: true }),
		]);
		same(BigInt(result.content[1].value), BigInt(String(written.cas)));
		same(result.content[0].value.deleted, false);
		truth(/^0x[0-9a-f]{16}$/.test(result.content[2].value), result.content[2].value);
		const bytes = Buffer.from(result.content[2].value.slice(2), 'hex').reverse();
		same(BigInt('0x' + bytes.toString('hex')), BigInt(String(written.cas)));
	});
};
