// Random documents, the same for the same seed.
'use strict';

class Random
{
	constructor(seed)
	{
		this.state = seed >>> 0;
	}

	// mulberry32: a number from 0 to below n.
	below(n)
	{
		this.state = (this.state + 0x6d2b79f5) >>> 0;
		let z = this.state;
		z = Math.imul(z ^ (z >>> 15), z | 1);
		z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
		return ((z ^ (z >>> 14)) >>> 0) % n;
	}

	pick(list)
	{
		return list[this.below(list.length)];
	}

	text()
	{
		const alphabet = ['a', 'Z', '0', ' ', '"', '\\', '/', '\n', '\t', '\u0001', '\u007f', 'é', 'ß', '日', '\u2028', '😀', '`', '.', '[', "'"];
		return Array.from({ length: this.below(12) }, () => this.pick(alphabet)).join('');
	}

	number()
	{
		return this.pick([0, -1, this.below(1e9), -this.below(1e9), this.below(1e9) / 1e3, Number.MAX_SAFE_INTEGER, 5e-324, 1e-7, 1e21,
			1.7976931348623157e308, this.below(1e6) * 1e20]);
	}

	value(depth)
	{
		switch (this.below(depth > 4 ? 5 : 9))
		{
			case 0: return null;
			case 1: return this.below(2) === 1;
			case 2: return this.number();
			case 3:
			case 4: return this.text();
			case 5:
			case 6: return Array.from({ length: this.below(5) }, () => this.value(depth + 1));
			default: return this.object(depth);
		}
	}

	object(depth)
	{
		const object = {};
		for (let i = this.below(6); i > 0; i--)
			object['k' + this.text()] = this.value(depth + 1);
		return object;
	}
}

function randomDocument(seed, n)
{
	const random = new Random(seed);
	return Array.from({ length: n }, () => random.object(0));
}

module.exports = { randomDocument };
