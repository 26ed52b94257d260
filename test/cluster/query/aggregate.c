/*
 * aggregate.c: the aggregate functions, with DISTINCT and FILTER, as couchbase/query (algebra/agg_*.go) computes them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "exec.h"
#include "n1ql_identity.h"

typedef enum AggKind
{
	AGG_COUNT, AGG_COUNTN, AGG_SUM, AGG_AVG, AGG_MIN, AGG_MAX, AGG_ARRAY, AGG_MEDIAN, AGG_STDDEV, AGG_STDDEV_POP,
	AGG_STDDEV_SAMP, AGG_VARIANCE, AGG_VAR_POP, AGG_VAR_SAMP
} AggKind;

static const struct
{
	const char *name;
	AggKind		kind;
}			kinds[] = {
	{"count", AGG_COUNT}, {"countn", AGG_COUNTN}, {"sum", AGG_SUM}, {"avg", AGG_AVG}, {"mean", AGG_AVG}, {"min", AGG_MIN},
	{"max", AGG_MAX}, {"array_agg", AGG_ARRAY}, {"median", AGG_MEDIAN}, {"stddev", AGG_STDDEV},
	{"stddev_pop", AGG_STDDEV_POP}, {"stddev_samp", AGG_STDDEV_SAMP}, {"variance", AGG_VARIANCE},
	{"var_pop", AGG_VAR_POP}, {"variance_pop", AGG_VAR_POP}, {"var_samp", AGG_VAR_SAMP},
	{"variance_samp", AGG_VAR_SAMP},
};

struct AggState
{
	Exec	   *x;
	N1Arena    *keep;
	N1Arena    *work;				/* of one evaluation */
	const N1Expr *e;
	AggKind		kind;
	int64_t		count;
	N1Value    *value;				/* sum, least, greatest; NULL: nothing yet */
	ValueList	list;
	ValueSet   *set;				/* DISTINCT */
};

/* Kinds that look at numbers only. */
static bool
is_numeric(AggKind kind)
{
	return kind != AGG_COUNT && kind != AGG_MIN && kind != AGG_MAX && kind != AGG_ARRAY;
}

static bool
keeps_list(AggKind kind)
{
	return kind == AGG_ARRAY || kind >= AGG_MEDIAN;
}

AggState *
agg_new(Exec *x, N1Arena *keep, const N1Expr *e)
{
	AggState   *s = n1_alloc(keep, sizeof(*s));

	s->x = x;
	s->keep = keep;
	s->e = e;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, e->func->name) == 0)
			s->kind = kinds[i].kind;
	if (e->distinct)
		s->set = set_new(keep, 1);
	return s;
}

/* A sum that has become a double stays one, even where it is the least of the integers. */
static N1Value *
float_sum(N1Arena *a, double sum)
{
	N1Value    *v = n1_double(a, sum);

	if (v->is_int && v->u.i == INT64_MIN)
	{
		v->is_int = false;
		v->u.d = sum;
	}
	return v;
}

static N1Value *
add_numbers(N1Arena *a, const N1Value *x, const N1Value *y)
{
	int64_t		sum;

	if (x->is_int && y->is_int && !__builtin_add_overflow(x->u.i, y->u.i, &sum))
		return n1_int(a, sum);
	return float_sum(a, n1_num(x) + n1_num(y));
}

/* A running value: numbers are changed in place, so that a long sum does not fill the arena. */
static void
keep_value(AggState *s, N1Value *v)
{
	if (s->value != NULL && s->value->type == N1_NUMBER && v->type == N1_NUMBER)
		*s->value = *v;
	else
		s->value = n1_copy(s->keep, v);
	n1_unpack_all(s->value);
}

static void
add_value(AggState *s, N1Arena *a, N1Value *v)
{
	s->count++;
	if (keeps_list(s->kind))
	{
		list_add(s->keep, &s->list, n1_copy(s->keep, v));
		return;
	}
	switch (s->kind)
	{
		case AGG_SUM:
		case AGG_AVG:
			keep_value(s, s->value == NULL ? v : add_numbers(a, s->value, v));
			break;
		case AGG_MIN:
			if (s->value == NULL || n1_collate(v, s->value) < 0)
				keep_value(s, v);
			break;
		case AGG_MAX:
			if (s->value == NULL || n1_collate(v, s->value) > 0)
				keep_value(s, v);
			break;
		default:
			break;
	}
}

/* Does the aggregate look at this value? */
static bool
is_wanted(const AggState *s, const N1Value *v)
{
	if (is_numeric(s->kind))
		return v->type == N1_NUMBER;
	if (s->kind == AGG_ARRAY)
		return v->type != N1_MISSING;
	return v->type != N1_MISSING && v->type != N1_NULL;
}

bool
agg_row(AggState *s, const N1Row *row)
{
	N1Arena    *a = s->x->ev.arena;
	N1Mark		mark = n1_arena_mark(a);
	N1Value    *v;
	bool		truth = true;
	bool		added = true;

	if (s->e->filter != NULL && !exec_true(s->x, a, s->e->filter, row, "aggregate", &truth))
		return false;
	if (!truth)
		return true;
	if (s->e->star || s->e->n_args == 0)
	{
		s->count++;
		return true;
	}
	v = exec_eval(s->x, a, s->e->args[0], row, "aggregate");
	if (v == NULL)
		return false;
	if (is_wanted(s, v))
	{
		if (s->set != NULL)
			set_add(s->set, &v, &added);
		if (added)
			add_value(s, a, v);
	}
	n1_arena_reset(a, mark);
	return true;
}

/* ---------------------------------------------------------------- results */

static int
compare_values(const void *a, const void *b)
{
	return n1_collate(*(N1Value *const *) a, *(N1Value *const *) b);
}

static N1Value **
sorted_list(AggState *s, N1Arena *a)
{
	N1Value   **v = n1_alloc(a, (s->list.n + 1) * sizeof(*v));

	if (s->list.n > 0)
	{
		memcpy(v, s->list.v, s->list.n * sizeof(*v));
		qsort(v, s->list.n, sizeof(*v), compare_values);
	}
	return v;
}

/* Sorted; with DISTINCT a number goes through a double, as in the server. */
static N1Value *
array_result(AggState *s, N1Arena *a)
{
	N1Value   **v = sorted_list(s, a);

	if (s->list.n == 0)
		return &n1_null;
	for (size_t i = 0; s->set != NULL && i < s->list.n; i++)
		if (v[i]->type == N1_NUMBER)
			v[i] = n1_double(a, n1_num(v[i]));
	return n1_array(a, v, s->list.n);
}

static N1Value *
median_result(AggState *s, N1Arena *a)
{
	N1Value   **v = sorted_list(s, a);
	size_t		n = s->list.n;

	if (n == 0)
		return &n1_null;
	if (n % 2 == 1)
		return v[n / 2];
	return n1_double(a, (n1_num(v[n / 2 - 1]) + n1_num(v[n / 2])) / 2);
}

static N1Value *
variance_result(AggState *s, N1Arena *a)
{
	bool		root = s->kind == AGG_STDDEV || s->kind == AGG_STDDEV_POP || s->kind == AGG_STDDEV_SAMP;
	bool		sample = s->kind == AGG_STDDEV_SAMP || s->kind == AGG_VAR_SAMP;
	bool		population = s->kind == AGG_STDDEV_POP || s->kind == AGG_VAR_POP;
	double		n = (double) s->list.n;
	double		sum = 0;
	double		squares = 0;

	if (s->list.n == 0)
		return &n1_null;
	if (s->list.n == 1)
		return sample ? &n1_null : n1_int(a, 0);
	for (size_t i = 0; i < s->list.n; i++)
		sum += n1_num(s->list.v[i]);
	for (size_t i = 0; i < s->list.n; i++)
	{
		double		off = n1_num(s->list.v[i]) - sum / n;

		squares += off * off;
	}
	squares /= population ? n : n - 1;
	return n1_double(a, root ? sqrt(squares) : squares);
}

N1Value *
agg_result(AggState *s, N1Arena *a)
{
	switch (s->kind)
	{
		case AGG_COUNT:
		case AGG_COUNTN:
			return n1_int(a, s->count);
		case AGG_AVG:
			return s->count == 0 ? &n1_null : n1_double(a, n1_num(s->value) / (double) s->count);
		case AGG_SUM:
		case AGG_MIN:
		case AGG_MAX:
			return s->value == NULL ? &n1_null : n1_copy(a, s->value);
		case AGG_ARRAY:
			return array_result(s, a);
		case AGG_MEDIAN:
			return median_result(s, a);
		default:
			return variance_result(s, a);
	}
}
