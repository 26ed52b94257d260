/*
 * Exponentials and logarithms in the order of operations of Go's package math, whose last digits are seen in answers.
 */
#include "n1ql_go_math.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ONE_BY_LN10 0.43429448190325182765112891891660508229

/* As on amd64: numbers below the normal range lose their exponent. */
double
go_log(double x)
{
	static const double l[] = {
		6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
		1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01
	};
	uint64_t	bits;
	double		f,
				k,
				s,
				s2,
				s4,
				r;

	if (!(x > 0) || isinf(x))
		return log(x);
	memcpy(&bits, &x, sizeof(bits));
	k = (double) (int64_t) (bits >> 52) - 1022;
	bits = (bits & 0xfffffffffffff) | UINT64_C(0x3fe0000000000000);
	memcpy(&f, &bits, sizeof(f));
	if (f < M_SQRT1_2)
	{
		f *= 2;
		k--;
	}
	f--;
	s = f / (2 + f);
	s2 = s * s;
	s4 = s2 * s2;
	r = s2 * (l[0] + s4 * (l[2] + s4 * (l[4] + s4 * l[6]))) + s4 * (l[1] + s4 * (l[3] + s4 * l[5]));
	return k * 6.93147180369123816490e-01 - ((0.5 * f * f - (s * (0.5 * f * f + r) + k * 1.90821492927058770002e-10)) - f);
}

/* As on amd64 with fused multiplication. */
double
go_exp(double x)
{
	static const double taylor[] = {
		1.9841269841269841270e-4, 1.3888888888888888889e-3, 8.3333333333333333333e-3, 4.1666666666666666667e-2,
		1.6666666666666666667e-1, 0.5, 1
	};
	double		k;
	double		p = 2.4801587301587301587e-5;

	if (isnan(x) || isinf(x) || x > 7.09782712893384e+02 || x < -745.2)
		return exp(x);
	k = nearbyint(x * 1.4426950408889634073599246810018920);
	x = fma(-k, 0.69314718055966295651160180568695068359375, x);
	x = fma(-k, 0.28235290563031577122588448175013436025525412068e-12, x);
	x *= 0.0625;
	for (size_t i = 0; i < sizeof(taylor) / sizeof(taylor[0]); i++)
		p = fma(p, x, taylor[i]);
	x *= p;
	for (int i = 0; i < 3; i++)
		x *= x + 2;
	x = fma(x, x + 2, 1);
	if (k + 1023 <= 0)
		return 0;
	return ldexp(x, (int) k);
}

double
go_log10(double x)
{
	return x > 0 && !isinf(x) ? go_log(x) * ONE_BY_LN10 : log10(x);
}
