/*
 * Powers. The server's differ from the C library's in the last digit: it multiplies squares of the mantissa.
 */
#include "n1ql_func.h"
#include "n1ql_go_math.h"

#include <math.h>

static bool
is_odd(double y)
{
	return fabs(y) < 9007199254740992.0 && fmod(y, 2) != 0 && y == trunc(y);
}

/* Powers of 0, of infinity and to infinity; false when x and y are none of these. */
static bool
special(double x, double y, double *out)
{
	if (x == 0)
		*out = y < 0 ? (signbit(x) && is_odd(y) ? -INFINITY : INFINITY) : signbit(x) && is_odd(y) ? x : 0;
	else if (isinf(y))
		*out = x == -1 ? 1 : (fabs(x) < 1) == (y > 0) ? 0 : INFINITY;
	else if (isinf(x) && x < 0)
		*out = n1_pow(1 / x, -y);
	else if (isinf(x))
		*out = y < 0 ? 0 : INFINITY;
	else if (y == 0.5)
		*out = sqrt(x);
	else if (y == -0.5)
		*out = 1 / sqrt(x);
	else
		return false;
	return true;
}

/* Multiplies *a and 2 to the power *e by x to the power n. */
static void
times_power(double x, int64_t n, double *a, int *e)
{
	int			xe;
	double		m = frexp(x, &xe);

	for (; n != 0; n >>= 1)
	{
		if (xe < -4096 || xe > 4096)
		{
			*e += xe;
			return;
		}
		if (n & 1)
		{
			*a *= m;
			*e += xe;
		}
		m *= m;
		xe *= 2;
		if (m < 0.5)
		{
			m += m;
			xe--;
		}
	}
}

double
n1_pow(double x, double y)
{
	double		whole,
				rest,
				a = 1,
				out;
	int			e = 0;

	if (y == 0 || x == 1)
		return 1;
	if (y == 1)
		return x;
	if (isnan(x) || isnan(y))
		return NAN;
	if (special(x, y, &out))
		return out;
	rest = modf(fabs(y), &whole);
	if (rest != 0 && x < 0)
		return NAN;
	if (whole >= 9223372036854775808.0)
		return x == -1 ? 1 : (fabs(x) < 1) == (y > 0) ? 0 : INFINITY;
	if (rest != 0)
	{
		if (rest > 0.5)
		{
			rest--;
			whole++;
		}
		a = go_exp(rest * go_log(x));
	}
	times_power(x, (int64_t) whole, &a, &e);
	if (y < 0)
	{
		a = 1 / a;
		e = -e;
	}
	return ldexp(a, e);
}
