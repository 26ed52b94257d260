/*
 * Conditional functions and comparison functions.
 */
#include "n1ql_func.h"

#include <math.h>

/* The first argument that passes, else NULL. */
static N1Value *
first_of(N1Value **args, int n, bool missing_too, bool null_too)
{
	for (int i = 0; i < n; i++)
	{
		if (args[i]->type == N1_MISSING ? missing_too : args[i]->type == N1_NULL ? null_too : true)
			return args[i];
	}
	return &n1_null;
}

static N1Value *
f_ifmissing(N1Eval *ev, N1Value **args, int n)
{
	(void) ev;
	return first_of(args, n, false, true);
}

static N1Value *
f_ifnull(N1Eval *ev, N1Value **args, int n)
{
	(void) ev;
	return first_of(args, n, true, false);
}

static N1Value *
f_ifmissingornull(N1Eval *ev, N1Value **args, int n)
{
	(void) ev;
	return first_of(args, n, false, false);
}

/* What becomes of the first argument when it equals the second. */
static N1Value *
when_equal(N1Value **args, N1Value *then)
{
	N1Value    *eq = n1_equals(args[0], args[1]);

	if (eq->type <= N1_NULL)
		return eq;
	return n1_truth(eq) ? then : args[0];
}

static N1Value *
f_missingif(N1Eval *ev, N1Value **args, int n)
{
	(void) ev;
	(void) n;
	return when_equal(args, &n1_missing);
}

static N1Value *
f_nullif(N1Eval *ev, N1Value **args, int n)
{
	(void) ev;
	(void) n;
	return when_equal(args, &n1_null);
}

static N1Value *
f_nanif(N1Eval *ev, N1Value **args, int n)
{
	(void) n;
	return when_equal(args, n1_float(ev->arena, NAN));
}

static N1Value *
f_posinfif(N1Eval *ev, N1Value **args, int n)
{
	(void) n;
	return when_equal(args, n1_float(ev->arena, INFINITY));
}

static N1Value *
f_neginfif(N1Eval *ev, N1Value **args, int n)
{
	(void) n;
	return when_equal(args, n1_float(ev->arena, -INFINITY));
}

/* The first number that is not NaN (nan) and not infinite (inf); anything that is no number ends the search. */
static N1Value *
first_number(N1Eval *ev, N1Value **args, int n, bool nan, bool inf)
{
	bool		missing = false;

	for (int i = 0; i < n; i++)
	{
		double		d;

		if (args[i]->type == N1_MISSING)
		{
			missing = true;
			continue;
		}
		if (args[i]->type != N1_NUMBER)
			return &n1_null;
		d = n1_num(args[i]);
		if (!(nan && isnan(d)) && !(inf && isinf(d)))
			return n1_double(ev->arena, d);
	}
	return missing ? &n1_missing : &n1_null;
}

static N1Value *
f_ifinf(N1Eval *ev, N1Value **args, int n)
{
	return first_number(ev, args, n, false, true);
}

static N1Value *
f_ifnan(N1Eval *ev, N1Value **args, int n)
{
	return first_number(ev, args, n, true, false);
}

static N1Value *
f_ifnanorinf(N1Eval *ev, N1Value **args, int n)
{
	return first_number(ev, args, n, true, true);
}

static N1Value *
f_nvl(N1Eval *ev, N1Value **args, int n)
{
	(void) ev;
	(void) n;
	return args[0]->type > N1_NULL ? args[0] : args[1];
}

static N1Value *
f_nvl2(N1Eval *ev, N1Value **args, int n)
{
	(void) ev;
	(void) n;
	return args[0]->type > N1_NULL ? args[1] : args[2];
}

static N1Value *
f_decode(N1Eval *ev, N1Value **args, int n)
{
	(void) ev;
	for (int i = 1; i + 1 < n; i += 2)
		if (n1_same(args[0], args[i]))
			return args[i + 1];
	return n % 2 == 0 ? args[n - 1] : &n1_null;
}

static N1Value *
extreme(N1Value **args, int n, int sign)
{
	N1Value    *best = &n1_null;

	for (int i = 0; i < n; i++)
		if (args[i]->type > N1_NULL && (best == &n1_null || n1_collate(args[i], best) * sign > 0))
			best = args[i];
	return best;
}

static N1Value *
f_greatest(N1Eval *ev, N1Value **args, int n)
{
	(void) ev;
	return extreme(args, n, 1);
}

static N1Value *
f_least(N1Eval *ev, N1Value **args, int n)
{
	(void) ev;
	return extreme(args, n, -1);
}

static const N1Func funcs[] = {
	{"coalesce", 2, N1_MANY, f_ifmissingornull, 0},
	{"decode", 3, N1_MANY, f_decode, 0},
	{"greatest", 2, N1_MANY, f_greatest, 0},
	{"if_inf", 2, N1_MANY, f_ifinf, 0},
	{"if_missing", 2, N1_MANY, f_ifmissing, 0},
	{"if_missing_or_null", 2, N1_MANY, f_ifmissingornull, 0},
	{"if_nan", 2, N1_MANY, f_ifnan, 0},
	{"if_nan_or_inf", 2, N1_MANY, f_ifnanorinf, 0},
	{"if_null", 2, N1_MANY, f_ifnull, 0},
	{"ifinf", 2, N1_MANY, f_ifinf, 0},
	{"ifmissing", 2, N1_MANY, f_ifmissing, 0},
	{"ifmissingornull", 2, N1_MANY, f_ifmissingornull, 0},
	{"ifnan", 2, N1_MANY, f_ifnan, 0},
	{"ifnanorinf", 2, N1_MANY, f_ifnanorinf, 0},
	{"ifnull", 2, N1_MANY, f_ifnull, 0},
	{"least", 2, N1_MANY, f_least, 0},
	{"missing_if", 2, 2, f_missingif, 0},
	{"missingif", 2, 2, f_missingif, 0},
	{"nan_if", 2, 2, f_nanif, 0},
	{"nanif", 2, 2, f_nanif, 0},
	{"neginf_if", 2, 2, f_neginfif, 0},
	{"neginfif", 2, 2, f_neginfif, 0},
	{"null_if", 2, 2, f_nullif, 0},
	{"nullif", 2, 2, f_nullif, 0},
	{"nvl", 2, 2, f_nvl, 0},
	{"nvl2", 3, 3, f_nvl2, 0},
	{"posinf_if", 2, 2, f_posinfif, 0},
	{"posinfif", 2, 2, f_posinfif, 0},
};

const N1FuncTable n1_funcs_cond = {funcs, sizeof(funcs) / sizeof(funcs[0])};
