// Runs all sections against one two-node cluster. Exit status 0 if every check passed.
'use strict';

const path = require('path');
const couchbase = require('couchbase');
const { Harness } = require('./harness');

const SECTIONS = ['connect', 'documents', 'subdocument', 'durability', 'scans', 'management', 'query', 'load', 'tables', 'tls', 'faults', 'topology'];

async function main()
{
	const at = process.argv.indexOf('--only');
	const harness = new Harness(at > 0 ? process.argv[at + 1] : '');
	let ok = false;

	process.on('exit', () => harness.cleanUp());
	try
	{
		const ready = await harness.startCluster(['--config', path.join(__dirname, 'cluster.json'),
			...harness.makeCertificates()]);
		const connectionString = 'couchbase://' + ready.kv.slice(0, 2).join(',');
		const credentials = { username: 'Administrator', password: 'password' };
		const cluster = await couchbase.connect(connectionString, credentials);
		const context = { harness, ready, couchbase, connectionString, credentials, cluster };

		for (const section of SECTIONS)
		{
			harness.section = section;
			await require('./' + section)(context);
		}
		harness.section = '';
		await cluster.close();
		await harness.stopCluster();
		ok = harness.summary();
	}
	catch (error)
	{
		console.log(error);
		if (harness.cluster)
			console.log(harness.clusterLog());
	}
	process.exit(ok ? 0 : 1);
}

main();
