// SQL in the throw-away PostgreSQL that run.sh has started, through psql.
'use strict';

const { spawn } = require('child_process');

class SqlError extends Error
{
	constructor(text)
	{
		super(text.trim());
		this.code = (text.match(/ERROR:  ([0-9A-Z]{5}):/) || [])[1];
	}
}

// Runs statements in one session; resolves to the lines that they print. Values of a row are separated by "|".
function sql(statements)
{
	return new Promise((resolve, reject) =>
	{
		const psql = spawn('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose', '-f', '-'],
			{ env: { ...process.env, PGCLIENTENCODING: 'UTF8' } });
		const output = [];
		const errors = [];

		psql.stdout.on('data', (bytes) => output.push(bytes));
		psql.stderr.on('data', (bytes) => errors.push(bytes));
		psql.on('error', reject);
		psql.on('close', (status) =>
		{
			if (status !== 0)
				reject(new SqlError(Buffer.concat(errors).toString()));
			else
				resolve(Buffer.concat(output).toString().split('\n').slice(0, -1));
		});
		psql.stdin.on('error', () => undefined);
		psql.stdin.end(statements);
	});
}

// A query's rows as objects, through JSON.
async function rows(query)
{
	return (await sql(`SELECT row_to_json(q) FROM (${query}) q;`)).map((line) => JSON.parse(line));
}

// A string as SQL writes it.
function quote(text)
{
	return "'" + String(text).replace(/'/g, "''") + "'";
}

module.exports = { SqlError, sql, rows, quote };
