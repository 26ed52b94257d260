// The SDK over couchbases://: trust, passwords, client certificates, every operation through TLS, certificates that change.
'use strict';

const path = require('path');
const { same, truth, rejects, control } = require('./harness');

const SOON = { connectTimeout: 2000, bootstrapTimeout: 2000, resolveTimeout: 1000 };

module.exports = async function tls({ harness, couchbase, credentials, ready })
{
	const file = (name) => path.join(harness.certificates, name);
	const string = 'couchbases://' + ready.kvs.join(',');
	const connect = (options, to = string) => couchbase.connect(to,
		{ ...credentials, timeouts: SOON, security: { trustStorePath: file('ca.pem') }, ...options });
	const byCertificate = (name) => ({
		username: undefined, password: undefined,
		authenticator: new couchbase.CertificateAuthenticator(file(name + '.pem'), file(name + '.key'))
	});
	const certificate = (arguments_) => control(ready, 'certificate?node=all&' + arguments_);
	const serverCertificate = (name) => certificate(`cert=${file(name + '.pem')}&key=${file(name + '.key')}`);
	const works = async (cluster, key) =>
	{
		const collection = cluster.bucket('travel').defaultCollection();
		await collection.upsert(key, { key });
		same((await collection.get(key)).content, { key });
		await cluster.close();
	};

	await harness.check('password over TLS', async () =>
	{
		same(ready.kvs.length, 2);
		await works(await connect({}), 'tls password');
	});

	await harness.check('a host name of the certificate', async () =>
		works(await connect({}, string.replace(/127\.0\.0\.1/g, 'localhost')), 'tls name'));

	await harness.check('a wrong password is refused over TLS', async () =>
	{
		await rejects(connect({ password: 'wrong' }), couchbase.AuthenticationFailureError);
	});

	await harness.check('5,000 documents and a scan over TLS', async () =>
	{
		const cluster = await connect({});
		const collection = cluster.bucket('travel').scope('inventory').collection('airline');
		const body = 'x'.repeat(2000);

		for (let from = 0; from < 5000; from += 500)
			await Promise.all(Array.from({ length: 500 }, (_, i) => collection.upsert(`tls-${from + i}`, { body, n: from + i })));
		const found = await Promise.all(Array.from({ length: 5000 }, async (_, i) => (await collection.get(`tls-${i}`)).content.n));
		same(found, Array.from({ length: 5000 }, (_, i) => i));
		const scanned = await collection.scan(new couchbase.PrefixScan('tls-'), { idsOnly: true });
		truth(scanned.length > 0, 'the scan found nothing');
		await cluster.close();
	});

	await harness.check('a large document over TLS', async () =>
	{
		const cluster = await connect({});
		const collection = cluster.bucket('travel').defaultCollection();
		const content = { text: 'large '.repeat(2 << 20) };

		await collection.upsert('tls large', content, { timeout: 20000 });
		same((await collection.get('tls large', { timeout: 20000 })).content, content);
		await cluster.close();
	});

	await harness.check('the management service over TLS', async () =>
	{
		const cluster = await connect({});
		const names = Object.keys(await cluster.buckets().getAllBuckets().then((all) =>
			Object.fromEntries(all.map((bucket) => [bucket.name, true]))));
		same(names.sort(), ['bare', 'travel']);
		const report = await cluster.ping({ serviceTypes: [couchbase.ServiceType.KeyValue, couchbase.ServiceType.Management] });
		for (const service of Object.values(report.services))
			for (const endpoint of service)
				same(endpoint.state, couchbase.PingState.Ok);
		await cluster.close();
	});

	await harness.check('an authority that is not trusted', async () =>
	{
		await rejects(connect({ security: { trustStorePath: file('other-ca.pem') } }), Error);
	});

	for (const name of ['expired', 'self-signed', 'unknown-ca'])
	{
		await harness.check(`a server certificate: ${name}`, async () =>
		{
			await serverCertificate(name);
			try
			{
				await rejects(connect({}), Error);
			}
			finally
			{
				await serverCertificate('server');
			}
			await works(await connect({}), 'after ' + name);
		});
	}

	await harness.check('client certificates, enabled', async () =>
	{
		await certificate(`client_ca=${file('ca.pem')}&client_auth=enabled`);
		await works(await connect({}), 'tls enabled, password');
		await works(await connect(byCertificate('client')), 'tls enabled, certificate');
	});

	await harness.check('client certificates, mandatory', async () =>
	{
		await certificate('client_auth=mandatory');
		await works(await connect(byCertificate('client')), 'tls mandatory, certificate');
		await rejects(connect({}), Error);
		for (const name of ['client-unknown-ca', 'client-unknown-user', 'client-expired'])
			await rejects(connect(byCertificate(name)), Error);
		await certificate('client_auth=disabled');
	});

	await harness.check('a node fails over under TLS', async () =>
	{
		const cluster = await connect({});
		const collection = cluster.bucket('travel').defaultCollection();
		const keys = Array.from({ length: 200 }, (_, i) => 'tls fail-over ' + i);

		await Promise.all(keys.map((key) => collection.upsert(key, key)));
		await control(ready, 'kill?node=1&failover=1');
		same(await Promise.all(keys.map(async (key) => (await collection.get(key, { timeout: 10000 })).content)), keys);
		await control(ready, 'revive?node=1');
		await cluster.close();
		await works(await connect({}), 'after the fail-over');
	});
};
