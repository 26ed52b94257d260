// The first document that the official SDK reads in a fresh process: prints the milliseconds from connecting to it, and
// how often the wire changed direction until then, as the nodes count it, TCP's own round trips, and connections made.
// usage: sdk_first.js CONNECTION_STRING BUCKET COLLECTION KEY CONTROL [TRUST_STORE]
'use strict';

const http = require('http');
const couchbase = require('couchbase');

function counts(control)
{
	return new Promise((resolve, reject) =>
	{
		http.get(`http://${control}/status`, (response) =>
		{
			let text = '';
			response.on('data', (part) => { text += part; });
			response.on('end', () =>
			{
				const nodes = JSON.parse(text).nodes;
				resolve({
					flights: nodes.reduce((sum, node) => sum + node.flights, 0),
					accepted: nodes.reduce((sum, node) => sum + node.accepted, 0)
				});
			});
		}).on('error', reject);
	});
}

async function main([connectionString, bucket, name, key, control, trustStore])
{
	const before = await counts(control);
	const start = process.hrtime.bigint();
	const cluster = await couchbase.connect(connectionString, {
		username: process.env.CB_USER, password: process.env.CB_PASSWORD,
		security: trustStore ? { trustStorePath: trustStore } : undefined });
	await cluster.bucket(bucket).scope('_default').collection(name).get(key);
	const end = process.hrtime.bigint();
	const after = await counts(control);
	console.log(`${Number(end - start) / 1e6} ${after.flights - before.flights} ${after.accepted - before.accepted}`);
	await cluster.close();
}

main(process.argv.slice(2));
