// Connecting: two hosts, refused credentials, buckets that are not there or not allowed, ping and diagnostics.
'use strict';

const { same, truth, rejects, delay } = require('./harness');

const BUCKET_NOT_FOUND = 10;			// the core's number

// What the SDK's core says about opening a bucket; bucket() itself only prints it, and operations time out.
function openBucket(cluster, name)
{
	return new Promise((resolve) => cluster.conn.openBucket(name, resolve));
}

module.exports = async function connect({ harness, couchbase, connectionString, credentials, cluster, ready })
{
	await harness.check('a connection string with two hosts', async () =>
	{
		same(ready.kv.length, 2);
		truth(connectionString.includes(','), connectionString);
		const result = await cluster.bucket('travel').defaultCollection().exists('nothing here');
		same(result.exists, false);
	});

	await harness.check('the first of two hosts refuses connections', async () =>
	{
		const other = await couchbase.connect(`couchbase://127.0.0.1:1,${ready.kv[1]}`, credentials);
		const result = await other.bucket('travel').defaultCollection().exists('nothing here');
		same(result.exists, false);
		await other.close();
	});

	await harness.check('one host is enough', async () =>
	{
		const other = await couchbase.connect(`couchbase://${ready.kv[1]}`, credentials);
		await other.bucket('travel').defaultCollection().upsert('one host', { n: 1 });
		same((await other.bucket('travel').defaultCollection().get('one host')).content, { n: 1 });
		await other.close();
	});

	await harness.check('a wrong password is refused', async () =>
	{
		await rejects(couchbase.connect(connectionString, { username: 'Administrator', password: 'wrong' }),
			couchbase.AuthenticationFailureError);
	});

	await harness.check('an unknown user is refused', async () =>
	{
		await rejects(couchbase.connect(connectionString, { username: 'nobody', password: 'password' }),
			couchbase.AuthenticationFailureError);
	});

	await harness.check('PLAIN is accepted where the client insists on it', async () =>
	{
		const other = await couchbase.connect(connectionString,
			new couchbase.PasswordAuthenticator('Administrator', 'password', ['PLAIN']));
		same((await other.bucket('travel').defaultCollection().exists('nothing here')).exists, false);
		await other.close();
	});

	for (const mechanism of ['SCRAM-SHA1', 'SCRAM-SHA256', 'SCRAM-SHA512'])
	{
		await harness.check(`${mechanism} is accepted`, async () =>
		{
			const other = await couchbase.connect(connectionString,
				new couchbase.PasswordAuthenticator('reader', 'reader secret', [mechanism]));
			same((await other.bucket('travel').defaultCollection().exists('nothing here')).exists, false);
			await other.close();
		});
	}

	await harness.check('a missing bucket: the SDK waits for it where the user may see all buckets', async () =>
	{
		const other = await couchbase.connect(connectionString, credentials);
		await rejects(other.bucket('missing').defaultCollection().get('x', { timeout: 1000 }),
			couchbase.UnambiguousTimeoutError);
		await other.close();
	});

	await harness.check('a missing bucket: refused where the user may not', async () =>
	{
		const other = await couchbase.connect(connectionString, { username: 'reader', password: 'reader secret' });
		same((await openBucket(other, 'missing')).code, BUCKET_NOT_FOUND);
		await other.close();
	});

	await harness.check('a user without rights on the bucket', async () =>
	{
		const other = await couchbase.connect(connectionString, { username: 'reader', password: 'reader secret' });
		same((await openBucket(other, 'bare')).code, BUCKET_NOT_FOUND);
		await other.close();
	});

	await harness.check('a user who may only read', async () =>
	{
		await cluster.bucket('travel').defaultCollection().upsert('readable', { a: 1 });
		const other = await couchbase.connect(connectionString, { username: 'reader', password: 'reader secret' });
		const collection = other.bucket('travel').defaultCollection();
		same((await collection.get('readable')).content, { a: 1 });
		await rejects(collection.upsert('readable', { a: 2 }), couchbase.AuthenticationFailureError);
		same((await collection.get('readable')).content, { a: 1 });
		await other.close();
	});

	await harness.check('ping reaches the data service of both nodes', async () =>
	{
		const report = await cluster.bucket('travel').ping({ serviceTypes: [couchbase.ServiceType.KeyValue] });
		same(report.services.kv.map((entry) => entry.remote).sort(), [...ready.kv].sort());
		for (const entry of report.services.kv)
			same(entry.state, couchbase.PingState.Ok);
	});

	await harness.check('ping reaches the management service', async () =>
	{
		const report = await cluster.ping({ serviceTypes: [couchbase.ServiceType.Management] });
		same(report.services.mgmt.map((entry) => entry.remote).sort(), [...ready.management].sort());
		for (const entry of report.services.mgmt)
			same(entry.state, couchbase.PingState.Ok);
	});

	await harness.check('diagnostics shows connections to both nodes', async () =>
	{
		let remotes = [];
		for (let round = 0; round < 50 && remotes.length < 2; round++)
		{
			const report = await cluster.diagnostics();
			remotes = [...new Set(report.services.kv
				.filter((entry) => entry.state === couchbase.EndpointState.Connected)
				.map((entry) => entry.remote))].sort();
			if (remotes.length < 2)
				await delay(50);
		}
		same(remotes, [...ready.kv].sort());
	});
};
