// Starts cbcluster, runs named checks one after the other and counts them.
'use strict';

const childProcess = require('child_process');
const fs = require('fs');
const http = require('http');
const os = require('os');
const path = require('path');

const READY_TIMEOUT_MS = 20000;
const CHECK_TIMEOUT_MS = 60000;

class Harness
{
	constructor(only)
	{
		this.only = only;
		this.section = '';
		this.passed = 0;
		this.failed = 0;
		this.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'cbcluster-interop-'));
		this.cluster = null;
	}

	// Makes the certificates; the arguments with which the test cluster uses the good one.
	makeCertificates()
	{
		this.certificates = path.join(this.directory, 'certificates');
		childProcess.execFileSync(path.join(__dirname, '..', 'tls', 'make-certs.sh'), [this.certificates]);
		return ['--tls-cert', path.join(this.certificates, 'server.pem'),
			'--tls-key', path.join(this.certificates, 'server.key')];
	}

	// Starts the test cluster with the given arguments; resolves to the object of its ready file.
	async startCluster(args)
	{
		const ready = path.join(this.directory, 'ready.json');
		const log = fs.openSync(path.join(this.directory, 'cbcluster.log'), 'w');

		this.cluster = childProcess.spawn(process.env.CBCLUSTER,
			['--die-with-parent', '--ready-file', ready, ...args],
			{ stdio: ['ignore', log, log] });
		this.cluster.on('exit', (code, signal) => { this.exit = { code, signal }; });

		const end = Date.now() + READY_TIMEOUT_MS;
		while (!fs.existsSync(ready))
		{
			if (this.exit || Date.now() > end)
				throw new Error('cbcluster did not start:\n' + this.clusterLog());
			await delay(20);
		}
		return JSON.parse(fs.readFileSync(ready, 'utf8'));
	}

	clusterLog()
	{
		return fs.readFileSync(path.join(this.directory, 'cbcluster.log'), 'utf8');
	}

	// Stops the test cluster; a check of its own, as a clean exit is part of its contract.
	async stopCluster()
	{
		await this.check('the test cluster ends cleanly on SIGTERM', async () =>
		{
			if (this.exit)
				throw new Error('it had ended before: ' + JSON.stringify(this.exit) + '\n' + this.clusterLog());
			this.cluster.kill('SIGTERM');
			const end = Date.now() + 5000;
			while (!this.exit && Date.now() < end)
				await delay(10);
			same(this.exit, { code: 0, signal: null });
		}, true);
	}

	cleanUp()
	{
		if (this.cluster && !this.exit)
			this.cluster.kill('SIGKILL');
		fs.rmSync(this.directory, { recursive: true, force: true });
	}

	// Runs one check: it passes unless the function throws or takes a minute.
	async check(name, run, always)
	{
		const title = this.section ? `${this.section}: ${name}` : name;

		if (this.only && !always && !title.includes(this.only))
			return;
		try
		{
			await withTimeout(run(), CHECK_TIMEOUT_MS);
			this.passed++;
			console.log(`ok      ${title}`);
		}
		catch (error)
		{
			this.failed++;
			console.log(`FAILED  ${title}`);
			console.log(String(error && error.stack || error).replace(/^/gm, '        '));
			if (error && error.cause)
				console.log('        cause: ' + JSON.stringify(error.cause));
			if (error && error.context)
				console.log('        context: ' + JSON.stringify(error.context));
			if (this.exit && !always)
				throw new Error('the test cluster has ended: ' + JSON.stringify(this.exit));
		}
	}

	summary()
	{
		console.log(`${this.passed} passed, ${this.failed} failed`);
		return this.failed === 0 && this.passed > 0;
	}
}

// Throws a switch of the control port; resolves to its answer.
function control(ready, switch_)
{
	return new Promise((resolve, reject) =>
	{
		const request = http.request(`http://${ready.control[0]}/${switch_}`, { method: 'POST' }, (answer) =>
		{
			let text = '';
			answer.on('data', (part) => { text += part; });
			answer.on('end', () => answer.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(text)));
		});
		request.on('error', reject);
		request.end();
	});
}

function delay(ms)
{
	return new Promise((resolve) => setTimeout(resolve, ms));
}

function withTimeout(promise, ms)
{
	let timer;
	const limit = new Promise((_, reject) =>
	{
		timer = setTimeout(() => reject(new Error(`not done after ${ms} ms`)), ms);
	});
	return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

// Throws unless both are the same by value.
function same(actual, expected)
{
	require('assert').deepStrictEqual(actual, expected);
}

function truth(value, message)
{
	if (!value)
		throw new Error(message);
}

// Throws unless the promise is rejected with an error of the given class; returns the error.
async function rejects(promise, errorClass)
{
	let result;

	try
	{
		result = await promise;
	}
	catch (error)
	{
		if (error instanceof errorClass)
			return error;
		throw new Error(`expected ${errorClass.name}, got ${error.constructor.name}: ${error.message} ` +
			JSON.stringify(error.context || {}), { cause: error.cause });
	}
	throw new Error(`expected ${errorClass.name}, got success: ${JSON.stringify(result)}`);
}

// The newest mutation token of each vBucket; MutationState itself would keep the oldest.
class NewestTokens
{
	constructor()
	{
		this.tokens = new Map();
	}

	add(result)
	{
		const { partition_id: partition, sequence_number: sequence } = result.token.toJSON();
		const known = this.tokens.get(partition);

		if (!known || Number(known.toJSON().sequence_number) < Number(sequence))
			this.tokens.set(partition, result.token);
	}

	state(couchbase)
	{
		return new couchbase.MutationState(...this.tokens.values());
	}
}

module.exports = { Harness, NewestTokens, control, delay, same, truth, rejects };
