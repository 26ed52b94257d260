/*
 * Functions that tell of arrays; the table of all functions of arrays.
 */
#include "n1ql_funcs_array.h"

#include <math.h>

N1Value *
not_array(N1Value **args, int n)
{
	for (int i = 0; i < n; i++)
		if (args[i]->type == N1_MISSING)
			return args[i];
	if (args[0]->type != N1_ARRAY)
		return &n1_null;
	n1_unpack(args[0]);
	return NULL;
}

N1Value *
not_arrays(N1Value **args, int n)
{
	N1Value    *bad = NULL;

	for (int i = 0; i < n; i++)
	{
		if (args[i]->type == N1_MISSING)
			return args[i];
		if (args[i]->type != N1_ARRAY)
			bad = &n1_null;
		else
			n1_unpack(args[i]);
	}
	return bad;
}

bool
whole_number(const N1Value *v, int64_t *out)
{
	double		d;

	if (v->type != N1_NUMBER)
		return false;
	d = n1_num(v);
	if (trunc(d) != d || fabs(d) >= 9.2e18)
		return false;
	*out = (int64_t) d;
	return true;
}

bool
is_equal(N1Value *x, N1Value *y)
{
	N1Value    *v = n1_equals(x, y);

	return v->type == N1_BOOL && v->b;
}

static N1Value *
fn_length(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);

	return bad != NULL ? bad : n1_int(ev->arena, (int64_t) args[0]->u.arr.n);
}

static N1Value *
fn_count(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);
	int64_t		count = 0;

	if (bad != NULL)
		return bad;
	for (size_t i = 0; i < args[0]->u.arr.n; i++)
		count += args[0]->u.arr.v[i]->type > N1_NULL;
	return n1_int(ev->arena, count);
}

/* ---- members ---- */

/* The place of a value equal to the second argument; -1: none. */
static int64_t
place_of(N1Value *array, N1Value *v)
{
	for (size_t i = 0; i < array->u.arr.n; i++)
		if (is_equal(v, array->u.arr.v[i]))
			return (int64_t) i;
	return -1;
}

static N1Value *
fn_contains(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);

	(void) ev;
	if (bad != NULL)
		return bad;
	return args[1]->type == N1_NULL ? &n1_null : n1_bool(place_of(args[0], args[1]) >= 0);
}

static N1Value *
fn_contains_all(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);

	(void) ev;
	if (bad != NULL)
		return bad;
	if (args[1]->type == N1_NULL)
		return &n1_null;
	if (args[1]->type != N1_ARRAY)
		return n1_bool(place_of(args[0], args[1]) >= 0);
	n1_unpack(args[1]);
	for (size_t i = 0; i < args[1]->u.arr.n; i++)
		if (place_of(args[0], args[1]->u.arr.v[i]) < 0)
			return &n1_false;
	return &n1_true;
}

static N1Value *
fn_contains_any(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);

	(void) ev;
	if (bad != NULL)
		return bad;
	if (args[1]->type == N1_NULL)
		return &n1_null;
	if (args[1]->type != N1_ARRAY)
		return n1_bool(place_of(args[0], args[1]) >= 0);
	n1_unpack(args[1]);
	for (size_t i = 0; i < args[1]->u.arr.n; i++)
		if (place_of(args[0], args[1]->u.arr.v[i]) >= 0)
			return &n1_true;
	return &n1_false;
}

static N1Value *
fn_position(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);

	if (bad != NULL)
		return bad;
	return args[1]->type == N1_NULL ? &n1_null : n1_int(ev->arena, place_of(args[0], args[1]));
}

static N1Value *
fn_binary_search(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, 1);
	size_t		low = 0;
	size_t		high;

	(void) n;
	if (bad != NULL)
		return bad;
	if (args[0]->u.arr.n == 0)
		return n1_int(ev->arena, -1);
	high = args[0]->u.arr.n - 1;
	while (low < high)
	{
		size_t		mid = low + (high - low) / 2;

		if (n1_collate(args[0]->u.arr.v[mid], args[1]) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return n1_int(ev->arena, n1_same(args[0]->u.arr.v[low], args[1]) ? (int64_t) low : -1);
}

/* ---- of their numbers, of all values ---- */

static N1Value *
sum_of(N1Eval *ev, const N1Value *array, int64_t *count)
{
	N1Value    *sum = n1_int(ev->arena, 0);
	int64_t		exact;

	*count = 0;
	for (size_t i = 0; i < array->u.arr.n; i++)
	{
		const N1Value *v = array->u.arr.v[i];

		if (v->type != N1_NUMBER)
			continue;
		++*count;
		if (sum->is_int && v->is_int && !__builtin_add_overflow(sum->u.i, v->u.i, &exact))
			sum = n1_int(ev->arena, exact);
		else
			sum = n1_double(ev->arena, n1_num(sum) + n1_num(v));
	}
	return sum;
}

static N1Value *
fn_sum(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);
	int64_t		count;

	return bad != NULL ? bad : sum_of(ev, args[0], &count);
}

static N1Value *
fn_avg(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);
	int64_t		count;
	N1Value    *sum;

	if (bad != NULL)
		return bad;
	sum = sum_of(ev, args[0], &count);
	return count == 0 ? &n1_null : n1_double(ev->arena, n1_num(sum) / (double) count);
}

static N1Value *
fn_max(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);
	N1Value    *best = &n1_null;

	(void) ev;
	if (bad != NULL)
		return bad;
	for (size_t i = 0; i < args[0]->u.arr.n; i++)
		if (n1_collate(args[0]->u.arr.v[i], best) > 0)
			best = args[0]->u.arr.v[i];
	return best;
}

static N1Value *
fn_min(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);
	N1Value    *best = &n1_null;

	(void) ev;
	if (bad != NULL)
		return bad;
	for (size_t i = 0; i < args[0]->u.arr.n; i++)
	{
		N1Value    *v = args[0]->u.arr.v[i];

		if (v->type > N1_NULL && (best->type == N1_NULL || n1_collate(v, best) < 0))
			best = v;
	}
	return best;
}

static N1Value *
fn_ifnull(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);

	(void) ev;
	if (bad != NULL)
		return bad;
	for (size_t i = 0; i < args[0]->u.arr.n; i++)
		if (args[0]->u.arr.v[i]->type > N1_NULL)
			return args[0]->u.arr.v[i];
	return &n1_null;
}

static const N1Func funcs[] = {
	{"array_add", 2, -1, fn_array_put, 0},
	{"array_append", 2, -1, fn_array_append, 0},
	{"array_avg", 1, 1, fn_avg, 0},
	{"array_binary_search", 2, 2, fn_binary_search, 0},
	{"array_concat", 2, -1, fn_array_concat, 0},
	{"array_contains", 2, 2, fn_contains, 0},
	{"array_contains_all", 2, 2, fn_contains_all, 0},
	{"array_contains_any", 2, 2, fn_contains_any, 0},
	{"array_count", 1, 1, fn_count, 0},
	{"array_distinct", 1, 1, fn_array_distinct, 0},
	{"array_except", 2, 2, fn_array_except, 0},
	{"array_flatten", 2, 2, fn_array_flatten, 0},
	{"array_ifnull", 1, 1, fn_ifnull, 0},
	{"array_insert", 3, -1, fn_array_insert, 0},
	{"array_intersect", 2, -1, fn_array_intersect, 0},
	{"array_length", 1, 1, fn_length, 0},
	{"array_max", 1, 1, fn_max, 0},
	{"array_min", 1, 1, fn_min, 0},
	{"array_move", 3, 3, fn_array_move, 0},
	{"array_pos", 2, 2, fn_position, 0},
	{"array_position", 2, 2, fn_position, 0},
	{"array_prepend", 2, -1, fn_array_prepend, 0},
	{"array_put", 2, -1, fn_array_put, 0},
	{"array_range", 2, 3, fn_array_range, 0},
	{"array_remove", 2, -1, fn_array_remove, 0},
	{"array_repeat", 2, 2, fn_array_repeat, 0},
	{"array_replace", 3, 4, fn_array_replace, 0},
	{"array_reverse", 1, 1, fn_array_reverse, 0},
	{"array_sort", 1, 1, fn_array_sort, 0},
	{"array_star", 1, 1, fn_array_star, 0},
	{"array_sum", 1, 1, fn_sum, 0},
	{"array_swap", 3, 3, fn_array_swap, 0},
	{"array_symdiff", 2, -1, fn_array_symdiff1, 0},
	{"array_symdiff1", 2, -1, fn_array_symdiff1, 0},
	{"array_symdiffn", 2, -1, fn_array_symdiffn, 0},
	{"array_union", 2, -1, fn_array_union, 0},
	{"array_upsert", 2, -1, fn_array_put, 0},
};

const N1FuncTable n1_funcs_array = {funcs, sizeof(funcs) / sizeof(funcs[0])};
