/*
 * Functions of numbers: all of them compute with doubles.
 */
#include "n1ql_func.h"
#include "n1ql_go_math.h"

#include <math.h>

/* MISSING, or NULL if something is no number, else no value. */
static N1Value *
not_numbers(N1Value **args, int n)
{
	N1Value    *found = NULL;

	for (int i = 0; i < n; i++)
	{
		if (args[i]->type == N1_MISSING)
			return args[i];
		if (args[i]->type != N1_NUMBER)
			found = &n1_null;
	}
	return found;
}

#define ONE(name, expression) \
	static N1Value * \
	fn_ ## name(N1Eval *ev, N1Value **args, int n) \
	{ \
		N1Value    *bad = not_numbers(args, n); \
		double		x; \
		\
		if (bad != NULL) \
			return bad; \
		x = n1_num(args[0]); \
		return n1_double(ev->arena, expression); \
	}

ONE(abs, fabs(x))
ONE(acos, acos(x))
ONE(asin, asin(x))
ONE(atan, atan(x))
ONE(ceil, ceil(x))
ONE(cos, cos(x))
ONE(degrees, x * 180 / M_PI)
ONE(exp, go_exp(x))
ONE(floor, floor(x))
ONE(ln, go_log(x))
ONE(log, go_log10(x))
ONE(radians, x * M_PI / 180)
ONE(sign, x < 0 ? -1 : x > 0 ? 1 : 0)
ONE(sin, sin(x))
ONE(sqrt, sqrt(x))
ONE(tan, tan(x))

static N1Value *
fn_atan2(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_numbers(args, n);

	return bad != NULL ? bad : n1_double(ev->arena, atan2(n1_num(args[0]), n1_num(args[1])));
}

static N1Value *
fn_power(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_numbers(args, n);

	return bad != NULL ? bad : n1_double(ev->arena, n1_pow(n1_num(args[0]), n1_num(args[1])));
}

static N1Value *
fn_e(N1Eval *ev, N1Value **args, int n)
{
	(void) args;
	(void) n;
	return n1_double(ev->arena, M_E);
}

static N1Value *
fn_pi(N1Eval *ev, N1Value **args, int n)
{
	(void) args;
	(void) n;
	return n1_double(ev->arena, M_PI);
}

/* ---- rounding ---- */

static double
round_to(double x, double digits, bool to_even)
{
	double		sign = x < 0 ? -1 : 1;
	double		scale = n1_pow(10, digits);
	double		half;
	double		whole;

	if (isnan(x) || isinf(x))
		return x;
	half = fabs(x) * scale + 0.5;
	whole = floor(half);
	if (to_even && whole == half && fmod(whole, 2) != 0)
		whole--;
	return sign * whole / scale;
}

static double
truncate_to(double x, double digits)
{
	double		scale = n1_pow(10, digits);

	return trunc(x * scale) / scale;
}

/* The number of digits behind the point, or what the function gives when there is none to be had. */
static N1Value *
digits_of(N1Value **args, int n, double *digits)
{
	N1Value    *bad = not_numbers(args, n);

	*digits = 0;
	if (bad != NULL || n == 1)
		return bad;
	*digits = n1_num(args[1]);
	return trunc(*digits) == *digits ? NULL : &n1_null;
}

static N1Value *
fn_round(N1Eval *ev, N1Value **args, int n)
{
	double		digits;
	N1Value    *bad = digits_of(args, n, &digits);

	return bad != NULL ? bad : n1_double(ev->arena, round_to(n1_num(args[0]), digits, true));
}

static N1Value *
fn_round_nearest(N1Eval *ev, N1Value **args, int n)
{
	double		digits;
	N1Value    *bad = digits_of(args, n, &digits);

	return bad != NULL ? bad : n1_double(ev->arena, round_to(n1_num(args[0]), digits, false));
}

static N1Value *
fn_trunc(N1Eval *ev, N1Value **args, int n)
{
	double		digits;
	N1Value    *bad = digits_of(args, n, &digits);

	return bad != NULL ? bad : n1_double(ev->arena, truncate_to(n1_num(args[0]), digits));
}

static const N1Func funcs[] = {
	{"abs", 1, 1, fn_abs, 0},
	{"acos", 1, 1, fn_acos, 0},
	{"asin", 1, 1, fn_asin, 0},
	{"atan", 1, 1, fn_atan, 0},
	{"atan2", 2, 2, fn_atan2, 0},
	{"ceil", 1, 1, fn_ceil, 0},
	{"cos", 1, 1, fn_cos, 0},
	{"deg", 1, 1, fn_degrees, 0},
	{"degrees", 1, 1, fn_degrees, 0},
	{"e", 0, 0, fn_e, 0},
	{"exp", 1, 1, fn_exp, 0},
	{"floor", 1, 1, fn_floor, 0},
	{"ln", 1, 1, fn_ln, 0},
	{"log", 1, 1, fn_log, 0},
	{"pi", 0, 0, fn_pi, 0},
	{"power", 2, 2, fn_power, 0},
	{"rad", 1, 1, fn_radians, 0},
	{"radians", 1, 1, fn_radians, 0},
	{"round", 1, 2, fn_round, 0},
	{"round_nearest", 1, 2, fn_round_nearest, 0},
	{"sign", 1, 1, fn_sign, 0},
	{"sin", 1, 1, fn_sin, 0},
	{"sqrt", 1, 1, fn_sqrt, 0},
	{"tan", 1, 1, fn_tan, 0},
	{"trunc", 1, 2, fn_trunc, 0},
};

const N1FuncTable n1_funcs_math = {funcs, sizeof(funcs) / sizeof(funcs[0])};
