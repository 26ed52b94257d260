/*
 * mt19937.c: the Mersenne Twister (Matsumoto and Nishimura 1998) and the draw that sampling scans
 * make with it.
 */
#include "rangescan.h"

#define N 624
#define M 397

void
mt19937_seed(Mt19937 *g, uint32_t seed)
{
	g->state[0] = seed;
	for (uint32_t i = 1; i < N; i++)
		g->state[i] = UINT32_C(1812433253) * (g->state[i - 1] ^ g->state[i - 1] >> 30) + i;
	g->at = N;
}

static void
twist(Mt19937 *g)
{
	for (unsigned i = 0; i < N; i++)
	{
		uint32_t	y = (g->state[i] & 0x80000000) | (g->state[(i + 1) % N] & 0x7fffffff);

		g->state[i] = g->state[(i + M) % N] ^ y >> 1 ^ ((y & 1) != 0 ? 0x9908b0df : 0);
	}
	g->at = 0;
}

uint32_t
mt19937_next(Mt19937 *g)
{
	uint32_t	y;

	if (g->at >= N)
		twist(g);
	y = g->state[g->at++];
	y ^= y >> 11;
	y ^= y << 7 & 0x9d2c5680;
	y ^= y << 15 & 0xefc60000;
	return y ^ y >> 18;
}

bool
mt19937_bernoulli(Mt19937 *g, double p)
{
	double		low = mt19937_next(g);
	double		high = mt19937_next(g);

	return (low + high * 4294967296.0) / 18446744073709551616.0 < p;
}
