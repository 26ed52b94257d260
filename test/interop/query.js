// SQL++: rows, parameters, errors, streams, consistency with writes, metrics, prepared statements.
'use strict';

const { same, rejects } = require('./harness');

module.exports = async function query({ harness, couchbase, connectionString, cluster })
{
	const scope = cluster.bucket('travel').scope('inventory');
	const airlines = scope.collection('airline');

	for (let i = 0; i < 20; i++)
		await airlines.upsert(`query ${i}`, { n: i, name: `Air ${i}`, none: null });

	await harness.check('a query of the cluster, a query of a scope', async () =>
	{
		same((await cluster.query('SELECT RAW 1 + 1')).rows, [2]);
		const text = 'SELECT a.n, a.name FROM airline a WHERE META(a).id = "query 7"';
		const consistent = { scanConsistency: couchbase.QueryScanConsistency.RequestPlus };
		same((await scope.query(text, consistent)).rows, [{ n: 7, name: 'Air 7' }]);
	});

	await harness.check('named and positional parameters', async () =>
	{
		same((await cluster.query('SELECT RAW [$a, $b]', { parameters: { a: 9007199254740991, b: 'é😀' } })).rows,
			[[9007199254740991, 'é😀']]);
		same((await cluster.query('SELECT RAW [$1, $2]', { parameters: [null, { x: [1] }] })).rows, [[null, { x: [1] }]]);
	});

	await harness.check('errors become the SDK\'s own', async () =>
	{
		await rejects(cluster.query('SELEC 1'), couchbase.ParsingFailureError);
		await rejects(cluster.query('SELECT 1', { parameters: {}, readOnly: true, raw: { bogus: 1 } }), couchbase.CouchbaseError);
		await rejects(cluster.query('SELECT ABORT("x")'), couchbase.CouchbaseError);
		await rejects(cluster.query('SELECT COUNT(*) FROM ARRAY_RANGE(0,3000) a UNNEST ARRAY_RANGE(0,3000) b ' +
			'UNNEST ARRAY_RANGE(0,1000) c', { timeout: 500 }), couchbase.TimeoutError);
	});

	await harness.check('a stream of 200,000 rows', async () =>
	{
		let rows = 0;
		let meta = null;
		const stream = cluster.query('SELECT RAW x FROM ARRAY_RANGE(0, 200000) x');
		stream.on('row', () => rows++);
		stream.on('meta', (m) => { meta = m; });
		await new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject));
		same(rows, 200000);
		same(meta.status, couchbase.QueryStatus.Success);
	});

	await harness.check('a query sees the writes that it is told of', async () =>
	{
		const written = await airlines.upsert('query told', { n: 1000 });
		const state = new couchbase.MutationState(written.token);
		same((await scope.query('SELECT RAW a.n FROM airline a WHERE a.n = 1000', { consistentWith: state })).rows, [1000]);
		await airlines.remove('query told');
	});

	await harness.check('metrics, client context id, warnings', async () =>
	{
		const result = await cluster.query('SELECT RAW 1/0', { metrics: true, clientContextId: 'interop' });
		same(result.rows, [null]);
		same(result.meta.clientContextId, 'interop');
		same(Number(result.meta.metrics.resultCount), 1);
		same(Number(result.meta.metrics.warningCount), 1);
		same(result.meta.warnings[0].code, 5036);
	});

	await harness.check('prepared statements', async () =>
	{
		for (let i = 0; i < 3; i++)
			same((await scope.query('SELECT RAW a.name FROM airline a WHERE a.n = $n AND META(a).id LIKE "query %"',
				{ adhoc: false, parameters: { n: i }, scanConsistency: couchbase.QueryScanConsistency.RequestPlus })).rows,
			[`Air ${i}`]);
	});

	await harness.check('a reader of data may not query', async () =>
	{
		const other = await couchbase.connect(connectionString, { username: 'reader', password: 'reader secret' });
		await rejects(other.query('SELECT 1 FROM travel'), couchbase.CouchbaseError);
		await other.close();
	});
};
