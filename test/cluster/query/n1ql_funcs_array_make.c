/*
 * Functions that make arrays.
 */
#include "n1ql_funcs_array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "n1ql_array_set.h"

#define MOST_ELEMENTS 2147483647.0
#define MOST_BYTES (20.0 * 1024 * 1024)
#define ELEMENT_BYTES 8.0				/* as the server reckons a number */

/* A list that is being filled: room for the elements is there from the start. */
typedef struct Making
{
	N1Value   **v;
	size_t		n;
} Making;

static Making
making(N1Eval *ev, size_t room)
{
	return (Making) {n1_alloc(ev->arena, (room + 1) * sizeof(N1Value *)), 0};
}

static void
put(Making *m, N1Value *v)
{
	m->v[m->n++] = v->type == N1_MISSING ? &n1_null : v;
}

static void
put_all(Making *m, const N1Value *array)
{
	for (size_t i = 0; i < array->u.arr.n; i++)
		put(m, array->u.arr.v[i]);
}

static N1Value *
made(N1Eval *ev, const Making *m)
{
	return n1_array(ev->arena, m->v, m->n);
}

N1Value *
fn_array_append(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);
	Making		m;

	if (bad != NULL)
		return bad;
	m = making(ev, args[0]->u.arr.n + (size_t) n);
	put_all(&m, args[0]);
	for (int i = 1; i < n; i++)
		put(&m, args[i]);
	return made(ev, &m);
}

N1Value *
fn_array_prepend(N1Eval *ev, N1Value **args, int n)
{
	Making		m;

	for (int i = 0; i < n; i++)
		if (args[i]->type == N1_MISSING)
			return args[i];
	if (args[n - 1]->type != N1_ARRAY)
		return &n1_null;
	n1_unpack(args[n - 1]);
	m = making(ev, args[n - 1]->u.arr.n + (size_t) n);
	for (int i = 0; i < n - 1; i++)
		put(&m, args[i]);
	put_all(&m, args[n - 1]);
	return made(ev, &m);
}

N1Value *
fn_array_concat(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_arrays(args, n);
	size_t		room = 0;
	Making		m;

	if (bad != NULL)
		return bad;
	for (int i = 0; i < n; i++)
		room += args[i]->u.arr.n;
	m = making(ev, room);
	for (int i = 0; i < n; i++)
		put_all(&m, args[i]);
	return made(ev, &m);
}

/* ---- sets ---- */

N1Value *
fn_array_distinct(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);
	ArraySet	s;

	if (bad != NULL)
		return bad;
	array_set_init(&s, ev->arena);
	for (size_t i = 0; i < args[0]->u.arr.n; i++)
		array_set_add(&s, args[0]->u.arr.v[i]);
	return n1_array(ev->arena, s.v, s.n);
}

N1Value *
fn_array_union(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_arrays(args, n);
	ArraySet	s;

	if (bad != NULL)
		return bad;
	array_set_init(&s, ev->arena);
	for (int i = 0; i < n; i++)
		for (size_t j = 0; j < args[i]->u.arr.n; j++)
			array_set_add(&s, args[i]->u.arr.v[j]);
	return n1_array(ev->arena, s.v, s.n);
}

/* Counts in how many of the arrays each value is. */
static void
count_arrays(N1Eval *ev, N1Value **args, int n, ArraySet *counts)
{
	array_set_init(counts, ev->arena);
	for (int i = 0; i < n; i++)
	{
		ArraySet	own;

		array_set_init(&own, ev->arena);
		for (size_t j = 0; j < args[i]->u.arr.n; j++)
			if (array_set_add(&own, args[i]->u.arr.v[j]))
				array_set_add(counts, args[i]->u.arr.v[j]);
	}
}

N1Value *
fn_array_intersect(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_arrays(args, n);
	ArraySet	s;
	Making		m;

	if (bad != NULL)
		return bad;
	count_arrays(ev, args, n, &s);
	m = making(ev, s.n);
	for (size_t i = 0; i < s.n; i++)
		if (s.counts[i] == (size_t) n && s.v[i]->type > N1_NULL)
			put(&m, s.v[i]);
	return made(ev, &m);
}

static N1Value *
symmetric_difference(N1Eval *ev, N1Value **args, int n, bool odd)
{
	N1Value    *bad = not_arrays(args, n);
	ArraySet	s;
	Making		m;

	if (bad != NULL)
		return bad;
	count_arrays(ev, args, n, &s);
	m = making(ev, s.n);
	for (size_t i = 0; i < s.n; i++)
		if (odd ? s.counts[i] % 2 == 1 : s.counts[i] == 1)
			put(&m, s.v[i]);
	return made(ev, &m);
}

N1Value *
fn_array_symdiff1(N1Eval *ev, N1Value **args, int n)
{
	return symmetric_difference(ev, args, n, false);
}

N1Value *
fn_array_symdiffn(N1Eval *ev, N1Value **args, int n)
{
	return symmetric_difference(ev, args, n, true);
}

N1Value *
fn_array_except(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_arrays(args, n);
	ArraySet	s;
	Making		m;
	size_t		at;

	if (bad != NULL)
		return bad;
	array_set_init(&s, ev->arena);
	for (size_t i = 0; i < args[1]->u.arr.n; i++)
		array_set_add(&s, args[1]->u.arr.v[i]);
	m = making(ev, args[0]->u.arr.n);
	for (size_t i = 0; i < args[0]->u.arr.n; i++)
		if (!array_set_find(&s, args[0]->u.arr.v[i], &at))
			put(&m, args[0]->u.arr.v[i]);
	return made(ev, &m);
}

/* ---- by value ---- */

/* NULL if a value is NULL or the first no array. */
static N1Value *
null_or_no_array(N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);

	for (int i = 0; bad == NULL && i < n; i++)
		if (args[i]->type == N1_NULL)
			bad = &n1_null;
	return bad;
}

N1Value *
fn_array_put(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = null_or_no_array(args, n);
	Making		m;

	if (bad != NULL)
		return bad;
	m = making(ev, args[0]->u.arr.n + (size_t) n);
	put_all(&m, args[0]);
	for (int i = 1; i < n; i++)
	{
		bool		found = false;

		for (size_t j = 0; !found && j < args[0]->u.arr.n; j++)
			found = is_equal(args[i], args[0]->u.arr.v[j]);
		if (!found)
			put(&m, args[i]);
	}
	return made(ev, &m);
}

N1Value *
fn_array_remove(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = null_or_no_array(args, n);
	Making		m;

	if (bad != NULL)
		return bad;
	m = making(ev, args[0]->u.arr.n);
	for (size_t j = 0; j < args[0]->u.arr.n; j++)
	{
		bool		found = false;

		for (int i = 1; !found && i < n; i++)
			found = is_equal(args[0]->u.arr.v[j], args[i]);
		if (!found)
			put(&m, args[0]->u.arr.v[j]);
	}
	return made(ev, &m);
}

N1Value *
fn_array_replace(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);
	int64_t		most = INT64_MAX;
	Making		m;

	if (bad != NULL)
		return bad;
	if (args[1]->type == N1_NULL || (n > 3 && !whole_number(args[3], &most)))
		return &n1_null;
	m = making(ev, args[0]->u.arr.n);
	for (size_t i = 0; i < args[0]->u.arr.n; i++)
	{
		bool		hit = most > 0 && is_equal(args[1], args[0]->u.arr.v[i]);

		most -= hit;
		put(&m, hit ? args[2] : args[0]->u.arr.v[i]);
	}
	return made(ev, &m);
}

/* ---- by place ---- */

N1Value *
fn_array_insert(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);
	int64_t		at;
	int64_t		len;
	Making		m;

	if (bad != NULL)
		return bad;
	len = (int64_t) args[0]->u.arr.n;
	if (!whole_number(args[1], &at))
		return &n1_null;
	if (at < 0)
		at += len;
	if (at < 0 || at > len)
		return &n1_null;
	m = making(ev, (size_t) len + (size_t) n);
	for (int64_t i = 0; i < at; i++)
		put(&m, args[0]->u.arr.v[i]);
	for (int i = 2; i < n; i++)
		put(&m, args[i]);
	for (int64_t i = at; i < len; i++)
		put(&m, args[0]->u.arr.v[i]);
	return made(ev, &m);
}

/* Two places in an array, negative ones counted from its end; false if one is outside. */
static bool
two_places(N1Value **args, int64_t at[2])
{
	int64_t		len = (int64_t) args[0]->u.arr.n;

	for (int i = 0; i < 2; i++)
	{
		if (!whole_number(args[i + 1], &at[i]) || at[i] < -len || at[i] >= len)
			return false;
		at[i] += at[i] < 0 ? len : 0;
	}
	return true;
}

N1Value *
fn_array_swap(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);
	int64_t		at[2];
	Making		m;

	if (bad != NULL)
		return bad;
	if (!two_places(args, at))
		return &n1_null;
	if (at[0] == at[1])
		return args[0];
	m = making(ev, args[0]->u.arr.n);
	put_all(&m, args[0]);
	m.v[at[0]] = args[0]->u.arr.v[at[1]];
	m.v[at[1]] = args[0]->u.arr.v[at[0]];
	return made(ev, &m);
}

N1Value *
fn_array_move(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);
	int64_t		at[2];
	Making		m;

	if (bad != NULL)
		return bad;
	if (!two_places(args, at))
		return &n1_null;
	if (at[0] == at[1])
		return args[0];
	m = making(ev, args[0]->u.arr.n);
	for (int64_t i = 0; i <= (int64_t) args[0]->u.arr.n; i++)
	{
		if ((int64_t) m.n == at[1])
			put(&m, args[0]->u.arr.v[at[0]]);
		if (i != at[0] && i < (int64_t) args[0]->u.arr.n)
			put(&m, args[0]->u.arr.v[i]);
	}
	return made(ev, &m);
}

N1Value *
fn_array_reverse(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);
	Making		m;

	if (bad != NULL)
		return bad;
	m = making(ev, args[0]->u.arr.n);
	for (size_t i = args[0]->u.arr.n; i-- > 0;)
		put(&m, args[0]->u.arr.v[i]);
	return made(ev, &m);
}

static int
compare(const void *a, const void *b)
{
	return n1_collate(*(N1Value *const *) a, *(N1Value *const *) b);
}

N1Value *
fn_array_sort(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);
	Making		m;

	if (bad != NULL)
		return bad;
	m = making(ev, args[0]->u.arr.n);
	put_all(&m, args[0]);
	if (m.n > 1)
		qsort(m.v, m.n, sizeof(*m.v), compare);
	return made(ev, &m);
}

/* ---- by shape ---- */

static size_t
flat_size(N1Value *array, int64_t depth)
{
	size_t		n = 0;

	n1_unpack(array);
	for (size_t i = 0; i < array->u.arr.n; i++)
		n += depth != 0 && array->u.arr.v[i]->type == N1_ARRAY ? flat_size(array->u.arr.v[i], depth - 1) : 1;
	return n;
}

static void
flatten(Making *m, const N1Value *array, int64_t depth)
{
	for (size_t i = 0; i < array->u.arr.n; i++)
	{
		if (depth != 0 && array->u.arr.v[i]->type == N1_ARRAY)
			flatten(m, array->u.arr.v[i], depth - 1);
		else
			put(m, array->u.arr.v[i]);
	}
}

N1Value *
fn_array_flatten(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);
	int64_t		depth;
	Making		m;

	if (bad != NULL)
		return bad;
	if (!whole_number(args[1], &depth))
		return &n1_null;
	m = making(ev, flat_size(args[0], depth));
	flatten(&m, args[0], depth);
	return made(ev, &m);
}

/* The objects of an array as one object of arrays. */
N1Value *
fn_array_star(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_array(args, n);
	ArraySet	names;
	N1Pair	   *pairs;

	if (bad != NULL)
		return bad;
	array_set_init(&names, ev->arena);
	for (size_t i = 0; i < args[0]->u.arr.n; i++)
	{
		N1Value    *v = args[0]->u.arr.v[i];

		if (v->type != N1_OBJECT)
			continue;
		n1_unpack(v);
		for (size_t j = 0; j < v->u.obj.n; j++)
			array_set_add(&names, n1_string(ev->arena, v->u.obj.p[j].name, v->u.obj.p[j].len));
	}
	pairs = n1_alloc(ev->arena, (names.n + 1) * sizeof(*pairs));
	for (size_t j = 0; j < names.n; j++)
	{
		Making		m = making(ev, args[0]->u.arr.n);
		const N1Value *name = names.v[j];

		for (size_t i = 0; i < args[0]->u.arr.n; i++)
			put(&m, n1_field(ev->arena, args[0]->u.arr.v[i], name->u.str.s, name->u.str.n));
		pairs[j] = (N1Pair) {name->u.str.s, name->u.str.n, made(ev, &m)};
	}
	return n1_object(ev->arena, pairs, names.n);
}

/* ---- from numbers ---- */

N1Value *
fn_array_range(N1Eval *ev, N1Value **args, int n)
{
	double		v[3] = {0, 0, 1};
	double		count;
	Making		m;

	for (int i = 0; i < n; i++)
		if (args[i]->type == N1_MISSING)
			return args[i];
	for (int i = 0; i < n; i++)
	{
		if (args[i]->type != N1_NUMBER)
			return &n1_null;
		v[i] = n1_num(args[i]);
	}
	if (v[2] == 0 || v[0] == v[1] || (v[2] > 0) != (v[0] < v[1]))
		return n1_array(ev->arena, NULL, 0);
	count = fabs(v[1] - v[0]) / fabs(v[2]);
	if (!(count <= MOST_ELEMENTS) || count * ELEMENT_BYTES > MOST_BYTES)
		return n1_fail(ev, 5010, "%s", "");
	m = making(ev, (size_t) count + 2);
	while ((v[2] > 0 ? v[0] < v[1] : v[0] > v[1]) && m.n <= (size_t) count + 1)
	{
		if (m.n % 1024 == 1023 && ev->interrupted != NULL && ev->interrupted(ev))
			return NULL;
		put(&m, n1_double(ev->arena, v[0]));
		v[0] += v[2];
	}
	return made(ev, &m);
}

N1Value *
fn_array_repeat(N1Eval *ev, N1Value **args, int n)
{
	double		count;
	Making		m;

	if (args[0]->type == N1_MISSING || args[1]->type == N1_MISSING)
		return &n1_missing;
	(void) n;
	if (args[1]->type != N1_NUMBER)
		return &n1_null;
	count = n1_num(args[1]);
	if (!(count >= 0) || trunc(count) != count)
		return &n1_null;
	if (count > MOST_ELEMENTS || count * ELEMENT_BYTES > MOST_BYTES)
		return n1_fail(ev, 5010, "%s", "");
	m = making(ev, (size_t) count);
	for (size_t i = 0; i < (size_t) count; i++)
		put(&m, args[0]);
	return made(ev, &m);
}
