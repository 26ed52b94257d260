// Durable writes on a bucket with one replica and on one without.
'use strict';

const { same, truth } = require('./harness');

module.exports = async function durability({ harness, couchbase, cluster })
{
	const { DurabilityLevel: Level, MutateInSpec } = couchbase;
	const levels = ['Majority', 'MajorityAndPersistOnMaster', 'PersistToMajority'];

	for (const bucket of ['travel', 'bare'])
	{
		const collection = cluster.bucket(bucket).defaultCollection();

		for (const level of levels)
		{
			await harness.check(`${level} on bucket ${bucket}`, async () =>
			{
				const durabilityLevel = Level[level];
				truth(durabilityLevel, 'the SDK has no such level');
				await collection.upsert('durable', { n: 1 }, { durabilityLevel });
				await collection.replace('durable', { n: 2 }, { durabilityLevel });
				await collection.mutateIn('durable', [MutateInSpec.upsert('m', 3)], { durabilityLevel });
				same((await collection.get('durable')).content, { n: 2, m: 3 });
				same((await collection.binary().increment('durable counter', 1, { initial: 1, durabilityLevel })).value, 1);
				await collection.remove('durable counter', { durabilityLevel });
				await collection.remove('durable', { durabilityLevel });
				same((await collection.exists('durable')).exists, false);
			});
		}
	}
};
