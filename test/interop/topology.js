// The SDK follows the cluster: another network, slow rebalance under load, nodes that come and go, new keys, recreated buckets.
'use strict';

const { same, truth, rejects, control, delay } = require('./harness');

const DOCUMENTS = 200;

module.exports = async function topology({ harness, couchbase, connectionString, credentials, ready })
{
	const keys = Array.from({ length: DOCUMENTS }, (_, i) => 'topology-' + i);
	const options = { timeout: 10000 };
	const writeAll = (collection, value) => Promise.all(keys.map((key) => collection.upsert(key, value, options)));
	const readsAll = async (collection, value) => same(new Set(await Promise.all(
		keys.map(async (key) => (await collection.get(key, options)).content))), new Set([value]));
	const status = () => control(ready, 'status');
	const until = async (what, holds) =>
	{
		for (let round = 0; !await holds(); round++)
		{
			truth(round < 200, what);
			await delay(50);
		}
	};

	await harness.check('vBuckets move one by one under load', async () =>
	{
		const other = await couchbase.connect(connectionString, credentials);
		const collection = other.bucket('bare').defaultCollection();
		const moving = async () => (await status()).buckets.find((bucket) => bucket.bucket === 'bare').rebalancing;

		for (const without of ['&without=1', '', '&without=0', ''])
		{
			let round = 0;

			await control(ready, 'rebalance?bucket=bare&step_ms=20' + without);
			do
			{
				await writeAll(collection, without + round);
				await readsAll(collection, without + round);
				round++;
			}
			while (await moving());
			truth(round > 1, 'the rebalance was over before it was seen');
		}
		await other.close();
	});

	await harness.check('a node joins, takes vBuckets and leaves', async () =>
	{
		const other = await couchbase.connect(connectionString, credentials);
		const collection = other.bucket('bare').defaultCollection();
		const added = await control(ready, 'add');
		const requests = async () => (await status()).nodes[added.node].requests;

		await writeAll(collection, 'joined');
		await control(ready, 'rebalance?bucket=bare');
		await until('the new node is not used', async () =>
		{
			const before = await requests();
			await readsAll(collection, 'joined');
			return await requests() - before > DOCUMENTS / 5;
		});
		await control(ready, `remove?node=${added.node}`);
		await until('the old nodes do not have all documents', async () => (await Promise.allSettled(
			keys.map((key) => collection.get(key, { timeout: 1000 })))).every((result) => result.status === 'fulfilled'));
		await readsAll(collection, 'joined');
		await other.close();
	});

	await harness.check('TLS keys are renewed under load', async () =>
	{
		const other = await couchbase.connect('couchbases://' + ready.kvs.slice(0, 2).join(','),
			{ ...credentials, security: { trustStorePath: harness.certificates + '/ca.pem' } });
		const collection = other.bucket('travel').defaultCollection();

		for (let round = 0; round < 5; round++)
		{
			const written = writeAll(collection, 'key ' + round);
			await control(ready, 'rekey?node=all');
			await written;
			await readsAll(collection, 'key ' + round);
		}
		await other.close();
	});

	await harness.check('a password that changes', async () =>
	{
		await control(ready, 'password?user=reader&password=another');
		await rejects(couchbase.connect(connectionString, { username: 'reader', password: 'reader secret' }),
			couchbase.AuthenticationFailureError);
		await (await couchbase.connect(connectionString, { username: 'reader', password: 'another' })).close();
	});

	await harness.check('a server whose nonce does not continue the client\'s', async () =>
	{
		await control(ready, 'sasl?kind=foreign-nonce');
		await rejects(couchbase.connect(connectionString, { ...credentials, timeouts: { bootstrapTimeout: 2000, connectTimeout: 2000 } }),
			Error);
		await control(ready, 'sasl?kind=none');
		await (await couchbase.connect(connectionString, credentials)).close();
	});

	await harness.check('a bucket that is dropped and created anew', async () =>
	{
		await control(ready, 'recreate?bucket=bare');
		const other = await couchbase.connect(connectionString, credentials);
		const collection = other.bucket('bare').defaultCollection();
		await writeAll(collection, 'first');
		await control(ready, 'recreate?bucket=bare&vbuckets=128');
		same((await status()).buckets.find((bucket) => bucket.bucket === 'bare').items, 0);
		await other.close();
		const again = await couchbase.connect(connectionString, credentials);
		await rejects(again.bucket('bare').defaultCollection().get(keys[0]), couchbase.DocumentNotFoundError);
		await writeAll(again.bucket('bare').defaultCollection(), 'second');
		await readsAll(again.bucket('bare').defaultCollection(), 'second');
		await again.close();
	});

	await harness.check('a bucket that is warming up is waited for', async () =>
	{
		await control(ready, 'warmup?node=all&bucket=bare&state=warming');
		const other = await couchbase.connect(connectionString, credentials);
		const found = other.bucket('bare').defaultCollection().get(keys[1], options);
		await delay(300);
		await control(ready, 'warmup?node=all&bucket=bare&state=ready');
		same((await found).content, 'second');
		await other.close();
	});

	// Last: those who are connected learn names that lead nowhere.
	await harness.check('nodes reachable only by the network "external"', async () =>
	{
		for (const node of [0, 1])
		{
			await control(ready, `hostname?node=${node}&name=node-${node}.cbcluster.invalid`);
			await control(ready, `alternate?node=${node}&hostname=127.0.0.1`);
		}
		for (const network of ['external', 'auto'])
		{
			const other = await couchbase.connect(`${connectionString}?network=${network}`, credentials);
			await writeAll(other.bucket('travel').defaultCollection(), network);
			await readsAll(other.bucket('travel').defaultCollection(), network);
			await other.close();
		}
		for (const node of [0, 1])
		{
			await control(ready, `hostname?node=${node}&name=`);
			await control(ready, `alternate?node=${node}&hostname=`);
		}
	});
};
