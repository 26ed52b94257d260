// The official SDK writes the documents of a COPY file: prints the milliseconds that it took, reading the file included.
// usage: sdk.js CONNECTION_STRING BUCKET COLLECTION FILE AT_ONCE
'use strict';

const fs = require('fs');
const couchbase = require('couchbase');

const CHUNK = 1 << 20;

// Lines of a file, as buffers.
function* lines(file)
{
	const fd = fs.openSync(file, 'r');
	let rest = Buffer.alloc(0);

	for (;;)
	{
		const chunk = Buffer.allocUnsafe(CHUNK);
		const n = fs.readSync(fd, chunk, 0, CHUNK, null);
		if (n === 0)
			break;
		let text = Buffer.concat([rest, chunk.subarray(0, n)]);
		let start = 0;
		for (let end; (end = text.indexOf(10, start)) >= 0; start = end + 1)
			yield text.subarray(start, end);
		rest = text.subarray(start);
	}
	fs.closeSync(fd);
}

// Key and document of a line. The documents are sent as they stand there: nothing is parsed.
function document(line)
{
	const tab = line.indexOf(9);
	const value = line.subarray(tab + 1);
	return [line.toString('latin1', 0, tab), value.includes(92) ? Buffer.from(value.toString().replace(/\\\\/g, '\\')) : value];
}

async function main([connectionString, bucket, name, file, atOnce])
{
	const cluster = await couchbase.connect(connectionString, { username: process.env.CB_USER, password: process.env.CB_PASSWORD });
	const collection = cluster.bucket(bucket).scope('_default').collection(name);
	const options = { timeout: 60000, transcoder: { encode: (value) => [value, 0x02000000], decode: (value) => value } };
	await collection.exists('x');

	const start = process.hrtime.bigint();
	const source = lines(file);
	const writers = Array.from({ length: Number(atOnce) }, async () =>
	{
		for (let next; !(next = source.next()).done;)
		{
			const [key, value] = document(next.value);
			await collection.upsert(key, value, options);
		}
	});
	await Promise.all(writers);
	console.log(Number(process.hrtime.bigint() - start) / 1e6);
	await cluster.close();
}

main(process.argv.slice(2));
