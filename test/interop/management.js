// Scopes, collections, buckets and users over the management service.
'use strict';

const { same, truth, rejects, delay } = require('./harness');

// Repeats until the action succeeds, as a new collection takes a moment to reach every node.
async function eventually(action)
{
	for (let round = 0; ; round++)
	{
		try
		{
			return await action();
		}
		catch (error)
		{
			if (round === 20)
				throw error;
			await delay(50);
		}
	}
}

module.exports = async function management({ harness, couchbase, cluster, connectionString })
{
	const bucket = cluster.bucket('travel');
	const collections = bucket.collections();
	const names = async () => (await collections.getAllScopes())
		.map((scope) => [scope.name, scope.collections.map((collection) => collection.name).sort()]);

	await harness.check('the manifest lists what the start-up file declares', async () =>
	{
		const scopes = new Map(await names());
		same(scopes.get('_default'), ['_default']);
		same(scopes.get('inventory'), ['airline', 'fleeting']);
		const inventory = (await collections.getAllScopes()).find((scope) => scope.name === 'inventory');
		same(inventory.collections.find((entry) => entry.name === 'fleeting').maxExpiry, 3600);
	});

	await harness.check('a scope is created, listed and refused the second time', async () =>
	{
		await collections.createScope('made');
		same(new Map(await names()).get('made'), []);
		await rejects(collections.createScope('made'), couchbase.ScopeExistsError);
		await rejects(collections.createScope('_bad'), couchbase.InvalidArgumentError);
		await rejects(collections.createScope('b$d'), couchbase.InvalidArgumentError);
	});

	await harness.check('a collection is created, used and refused the second time', async () =>
	{
		await collections.createCollection('things', 'made');
		await collections.createCollection('fast', 'made', { maxExpiry: 60 });
		same(new Map(await names()).get('made'), ['fast', 'things']);
		await rejects(collections.createCollection('things', 'made'), couchbase.CollectionExistsError);
		await rejects(collections.createCollection('things', 'nowhere'), couchbase.ScopeNotFoundError);
		const things = bucket.scope('made').collection('things');
		await eventually(() => things.upsert('x', { n: 1 }));
		same((await things.get('x')).content, { n: 1 });
		const fast = bucket.scope('made').collection('fast');
		await eventually(() => fast.upsert('x', { n: 1 }));
		const expiry = (await fast.get('x', { withExpiry: true })).expiryTime;
		truth(expiry > Date.now() / 1000 && expiry <= Date.now() / 1000 + 62, `expiry ${expiry}`);
	});

	await harness.check('the maximum expiry of a collection can be changed', async () =>
	{
		await collections.updateCollection('fast', 'made', { maxExpiry: 120 });
		const made = (await collections.getAllScopes()).find((scope) => scope.name === 'made');
		same(made.collections.find((entry) => entry.name === 'fast').maxExpiry, 120);
	});

	await harness.check('a dropped collection is gone, and empty when it comes back', async () =>
	{
		await collections.dropCollection('things', 'made');
		same(new Map(await names()).get('made'), ['fast']);
		await rejects(collections.dropCollection('things', 'made'), couchbase.CollectionNotFoundError);
		await rejects(bucket.scope('made').collection('things').get('x', { timeout: 800 }), couchbase.CouchbaseError);
		await collections.createCollection('things', 'made');
		const things = bucket.scope('made').collection('things');
		same(await eventually(async () => (await things.exists('x')).exists), false);
	});

	await harness.check('a dropped scope takes its collections along', async () =>
	{
		await collections.dropScope('made');
		same(new Map(await names()).has('made'), false);
		await rejects(collections.dropScope('made'), couchbase.ScopeNotFoundError);
		await rejects(collections.dropCollection('fast', 'made'), couchbase.ScopeNotFoundError);
	});

	await harness.check('buckets are listed and described', async () =>
	{
		const all = await cluster.buckets().getAllBuckets();
		same(all.map((entry) => entry.name).sort(), ['bare', 'travel']);
		const travel = await cluster.buckets().getBucket('travel');
		same([travel.name, travel.numReplicas, travel.bucketType], ['travel', 1, couchbase.BucketType.Couchbase]);
		await rejects(cluster.buckets().getBucket('missing'), couchbase.BucketNotFoundError);
	});

	await harness.check('a bucket is created, used, flushed and dropped', async () =>
	{
		await cluster.buckets().createBucket({ name: 'second', ramQuotaMB: 100, numReplicas: 0, flushEnabled: true });
		await rejects(cluster.buckets().createBucket({ name: 'second', ramQuotaMB: 100 }), couchbase.BucketExistsError);
		const collection = cluster.bucket('second').defaultCollection();
		await eventually(() => collection.upsert('x', 1));
		same((await collection.get('x')).content, 1);
		await cluster.buckets().flushBucket('second');
		same((await collection.exists('x')).exists, false);
		await rejects(cluster.buckets().flushBucket('bare'), couchbase.BucketNotFlushableError);
		await cluster.buckets().dropBucket('second');
		same((await cluster.buckets().getAllBuckets()).map((entry) => entry.name).sort(), ['bare', 'travel']);
		await rejects(cluster.buckets().dropBucket('second'), couchbase.BucketNotFoundError);
	});

	await harness.check('a user is created, works with the role given, and is dropped', async () =>
	{
		await cluster.users().upsertUser({
			username: 'writer', password: 'write it', displayName: 'A Writer',
			roles: [{ name: 'data_reader', bucket: 'bare' }, { name: 'data_writer', bucket: 'bare' }],
		});
		const user = await cluster.users().getUser('writer');
		same(user.displayName, 'A Writer');
		same(user.roles.map((role) => `${role.name}[${role.bucket}]`).sort(), ['data_reader[bare]', 'data_writer[bare]']);
		const other = await couchbase.connect(connectionString, { username: 'writer', password: 'write it' });
		await other.bucket('bare').defaultCollection().upsert('written', { n: 1 });
		same((await other.bucket('bare').defaultCollection().get('written')).content, { n: 1 });
		await rejects(other.bucket('travel').defaultCollection().get('x', { timeout: 800 }), couchbase.CouchbaseError);
		await rejects(other.bucket('bare').collections().createScope('not allowed'), couchbase.CouchbaseError);
		await other.close();
		await cluster.users().dropUser('writer');
		await rejects(cluster.users().dropUser('writer'), couchbase.UserNotFoundError);
		await rejects(couchbase.connect(connectionString, { username: 'writer', password: 'write it' }),
			couchbase.AuthenticationFailureError);
	});
};
