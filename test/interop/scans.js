// Range, prefix and sampling scans over a collection spread over both nodes.
'use strict';

const { NewestTokens, same, truth } = require('./harness');

const DOCUMENTS = 300;

module.exports = async function scans({ harness, couchbase, cluster })
{
	const { RangeScan, PrefixScan, SamplingScan, ScanTerm } = couchbase;
	const collection = cluster.bucket('travel').collection('_default');
	const keys = Array.from({ length: DOCUMENTS }, (_, i) => 'scan-' + String(i).padStart(4, '0'));
	const written = new NewestTokens();
	const sorted = (results) => results.map((entry) => entry.id).sort();
	const options = (more) => Object.assign({ consistentWith: written.state(couchbase), timeout: 20000 }, more);

	for (const key of keys)
		written.add(await collection.upsert(key, { key }));

	await harness.check('prefix scan finds every key once, with its document', async () =>
	{
		const results = await collection.scan(new PrefixScan('scan-'), options());
		same(sorted(results), keys);
		for (const entry of results)
			same(entry.content, { key: entry.id });
		truth(results.every((entry) => String(entry.cas) !== '0'), 'a CAS is missing');
	});

	await harness.check('keys only', async () =>
	{
		const results = await collection.scan(new PrefixScan('scan-00'), options({ idsOnly: true }));
		same(sorted(results), keys.slice(0, 100));
		truth(results.every((entry) => entry.content === undefined), 'content came along');
	});

	await harness.check('range scan with inclusive bounds', async () =>
	{
		const range = new RangeScan(new ScanTerm('scan-0010'), new ScanTerm('scan-0020'));
		same(sorted(await collection.scan(range, options())), keys.slice(10, 21));
	});

	await harness.check('range scan with exclusive bounds', async () =>
	{
		const range = new RangeScan(new ScanTerm('scan-0010', true), new ScanTerm('scan-0020', true));
		same(sorted(await collection.scan(range, options())), keys.slice(11, 20));
	});

	await harness.check('range scan open at both ends', async () =>
	{
		const results = await collection.scan(new RangeScan(), options({ idsOnly: true }));
		same(sorted(results).filter((key) => key.startsWith('scan-')), keys);
	});

	await harness.check('small batches give the same answer', async () =>
	{
		const results = await collection.scan(new PrefixScan('scan-'), options({ batchItemLimit: 1, concurrency: 4 }));
		same(sorted(results), keys);
	});

	await harness.check('a scan that finds nothing', async () =>
	{
		same(await collection.scan(new PrefixScan('no such key'), options()), []);
	});

	await harness.check('sampling scan', async () =>
	{
		const results = await collection.scan(new SamplingScan(20, 42), options());
		truth(results.length > 0 && results.length <= 20, `${results.length} documents`);
		same(new Set(sorted(results)).size, results.length);
		const again = await collection.scan(new SamplingScan(20, 42), options());
		same(sorted(again), sorted(results));
	});

	await harness.check('a whole collection by a sample larger than it', async () =>
	{
		const small = cluster.bucket('travel').scope('inventory').collection('fleeting');
		const tokens = new NewestTokens();
		for (const key of ['a', 'b', 'c'])
			tokens.add(await small.upsert(key, 1));
		await small.remove('capped').catch(() => undefined);
		const results = await small.scan(new SamplingScan(1000), { consistentWith: tokens.state(couchbase), timeout: 20000 });
		same(sorted(results).filter((key) => key.length === 1), ['a', 'b', 'c']);
	});
};
