// Ten thousand documents written and read back, by key and by scan.
'use strict';

const { NewestTokens, same } = require('./harness');

const DOCUMENTS = 10000;
const AT_ONCE = 200;

module.exports = async function load({ harness, couchbase, cluster })
{
	const collection = cluster.bucket('bare').defaultCollection();
	const key = (i) => 'load-' + i;
	const value = (i) => ({ i, text: 'document number ' + i, half: i / 2, list: [i, i + 1], odd: i % 2 === 1 });
	const tokens = new NewestTokens();

	async function inBatches(action)
	{
		for (let start = 0; start < DOCUMENTS; start += AT_ONCE)
			await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => action(start + i)));
	}

	await harness.check('10,000 documents written and read back', async () =>
	{
		await inBatches(async (i) => tokens.add(await collection.upsert(key(i), value(i), { timeout: 20000 })));
		await inBatches(async (i) => same((await collection.get(key(i), { timeout: 20000 })).content, value(i)));
	});

	await harness.check('10,000 documents found by a scan', async () =>
	{
		const results = await collection.scan(new couchbase.PrefixScan('load-'),
			{ consistentWith: tokens.state(couchbase), timeout: 30000 });
		same(results.length, DOCUMENTS);
		for (const entry of results)
			same(entry.content, value(Number(entry.id.slice(5))));
	});
};
