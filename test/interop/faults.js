// The SDK goes on where the cluster changes or misbehaves: moved vBuckets, dropped connections, refusals, fail-over.
'use strict';

const { same, truth, rejects, control, delay } = require('./harness');

const DOCUMENTS = 500;

module.exports = async function faults({ harness, couchbase, cluster, ready })
{
	const collection = cluster.bucket('travel').defaultCollection();
	const keys = Array.from({ length: DOCUMENTS }, (_, i) => 'fault-' + i);
	const options = { timeout: 10000 };
	const writeAll = (value) => Promise.all(keys.map((key) => collection.upsert(key, value, options)));
	const readAll = () => Promise.all(keys.map(async (key) => (await collection.get(key, options)).content));
	const readsAll = async (value) => same(new Set(await readAll()), new Set([value]));
	// The SDK loses a request that waits for a connection which the next configuration drops: read until all arrive.
	const settled = async (value) =>
	{
		for (let round = 0; ; round++)
		{
			try
			{
				await Promise.all(keys.map((key) => collection.get(key, { timeout: 1000 })));
				break;
			}
			catch (error)
			{
				if (!(error instanceof couchbase.TimeoutError) || round === 10)
					throw error;
			}
		}
		await readsAll(value);
	};
	const requests = async () => (await control(ready, 'status')).nodes.map((node) => node.requests);

	await harness.check('vBuckets move to one node and back', async () =>
	{
		await writeAll(1);
		await control(ready, 'rebalance?bucket=travel&without=1');
		await readsAll(1);
		await writeAll(2);
		const before = await requests();
		await readsAll(2);
		const after = await requests();
		truth(after[0] - before[0] >= DOCUMENTS, `node 0 saw ${after[0] - before[0]} requests`);
		truth(after[1] - before[1] < DOCUMENTS / 10, `node 1 saw ${after[1] - before[1]} requests`);
		await control(ready, 'rebalance?bucket=travel');
		await readsAll(2);
	});

	await harness.check('vBuckets move while documents are written', async () =>
	{
		let moving = true;
		const mover = (async () =>
		{
			for (let vb = 0; moving; vb = (vb + 37) % 1024)
				await control(ready, `move?bucket=travel&vbucket=${vb}&to=${vb % 2}`);
		})();
		for (let round = 3; round < 8; round++)
			await writeAll(round);
		moving = false;
		await mover;
		await readsAll(7);
		await control(ready, 'rebalance?bucket=travel');
	});

	await harness.check('dropped connections are made again', async () =>
	{
		await writeAll(10);
		await control(ready, 'drop?node=all');
		await readsAll(10);
	});

	await harness.check('a temporary failure is retried', async () =>
	{
		await control(ready, 'tmpfail?node=all&opcode=0x01&count=3');
		await writeAll(11);
		const status = await control(ready, 'status');
		for (const node of status.nodes)
			same(node.faults.map((fault) => fault.remaining), [0]);
		await control(ready, 'clear?node=all');
		await readsAll(11);
	});

	await harness.check('a request that is not answered times out, the next one works', async () =>
	{
		await control(ready, 'fault?node=all&kind=silent&opcode=0x00&count=1');
		await rejects(collection.get(keys[0], { timeout: 300 }), couchbase.UnambiguousTimeoutError);
		await control(ready, 'clear?node=all');
		same((await collection.get(keys[0])).content, 11);
	});

	await harness.check('a paused node delays its documents, the other one answers', async () =>
	{
		await control(ready, 'pause?node=1');
		const results = await Promise.all(keys.slice(0, 50).map((key) => collection.get(key, { timeout: 500 })
			.then(() => 'read', (error) => error.constructor.name)));
		await control(ready, 'resume?node=1');
		same([...new Set(results)].sort(), ['UnambiguousTimeoutError', 'read']);
		await readsAll(11);
	});

	await harness.check('a failed-over node is done without, and taken back', async () =>
	{
		await control(ready, 'kill?node=1&failover=1');
		await settled(11);
		await writeAll(12);
		await rejects(collection.upsert(keys[0], 13, { durabilityLevel: couchbase.DurabilityLevel.Majority, timeout: 3000 }),
			couchbase.CouchbaseError);
		await control(ready, 'revive?node=1');
		await settled(12);
		for (let round = 0; round < 50; round++)
		{
			const before = await requests();
			await writeAll(14);
			if ((await requests())[1] - before[1] > DOCUMENTS / 3)
				break;
			truth(round < 49, 'the node that came back is not used');
			await delay(100);
		}
		await readsAll(14);
	});

	await harness.check('the clock advances past an expiry', async () =>
	{
		await collection.upsert('for an hour', 1, { expiry: 3600 });
		await control(ready, 'clock?ms=3500000');
		same((await collection.get('for an hour')).content, 1);
		await control(ready, 'clock?ms=101000');
		await rejects(collection.get('for an hour'), couchbase.DocumentNotFoundError);
	});
};
