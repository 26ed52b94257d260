/*
 * Evaluation: IN, WITHIN, quantifiers, comprehensions and LIKE.
 */
#include "n1ql_eval.h"
#include "n1ql_text.h"

#include <string.h>

void
n1_items_add(N1Items *l, N1Value *v)
{
	if (l->n == l->cap)
	{
		size_t		cap = l->cap ? l->cap * 2 : 8;
		N1Value   **p = n1_alloc(l->arena, cap * sizeof(*p));

		if (l->n > 0)
			memcpy(p, l->v, l->n * sizeof(*p));
		l->v = p;
		l->cap = cap;
	}
	l->v[l->n++] = v;
}

void
n1_descendants(N1Eval *ev, N1Value *v, N1Items *values, N1Items *names)
{
	size_t		n;

	if (v->type != N1_ARRAY && v->type != N1_OBJECT)
		return;
	n1_unpack(v);
	n = v->type == N1_ARRAY ? v->u.arr.n : v->u.obj.n;
	for (size_t i = 0; i < n; i++)
	{
		N1Value    *child = v->type == N1_ARRAY ? v->u.arr.v[i] : v->u.obj.p[i].value;

		n1_items_add(values, child);
		if (names != NULL)
			n1_items_add(names, v->type == N1_ARRAY ? n1_int(ev->arena, (int64_t) i) :
						 n1_string(ev->arena, v->u.obj.p[i].name, v->u.obj.p[i].len));
		n1_descendants(ev, child, values, names);
	}
}

N1Value *
n1e_in_element(N1Arena *a, const N1Expr *e, N1Value *v)
{
	bool		big = v->type == N1_NUMBER && v->is_int && (v->u.i > 9007199254740992 || v->u.i < -9007199254740992);

	return big && e->args[1]->kind == N1E_SUBQUERY ? n1_double(a, (double) v->u.i) : v;
}

N1Value *
n1e_in(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value    *x = n1_eval(ev, e->args[0], row),
			   *list = x ? n1_eval(ev, e->args[1], row) : NULL;
	bool		null = false,
				missing = false;

	if (list == NULL)
		return NULL;
	if (x->type == N1_MISSING || list->type == N1_MISSING)
		return &n1_missing;
	if (list->type != N1_ARRAY)
		return &n1_null;
	n1_unpack(list);
	if (x->type == N1_NULL)
		return list->u.arr.n == 0 ? &n1_false : &n1_null;
	if (e->hashed && list->u.arr.n >= N1_LONG_LIST)
		return n1e_in_table(ev, e, x, list);
	for (size_t i = 0; i < list->u.arr.n; i++)
	{
		N1Value    *v = n1e_in_element(ev->arena, e, list->u.arr.v[i]);

		if (v->type == N1_NULL)
			null = true;
		else if (v->type == N1_MISSING)
			missing = true;
		else if (n1_truth(n1_equals(x, v)))
			return &n1_true;
	}
	return null ? &n1_null : missing ? &n1_missing : &n1_false;
}

N1Value *
n1e_within(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value    *x = n1_eval(ev, e->args[0], row),
			   *tree = x ? n1_eval(ev, e->args[1], row) : NULL;
	N1Items		all = {.arena = ev->arena};
	bool		null = false,
				missing = false;

	if (tree == NULL)
		return NULL;
	if (x->type == N1_MISSING || tree->type == N1_MISSING)
		return &n1_missing;
	if (tree->type != N1_ARRAY && tree->type != N1_OBJECT)
		return &n1_null;
	n1_descendants(ev, tree, &all, NULL);
	for (size_t i = 0; i < all.n; i++)
	{
		if (x->type > N1_NULL && all.v[i]->type > N1_NULL)
		{
			if (n1_truth(n1_equals(x, all.v[i])))
				return &n1_true;
		}
		else if (all.v[i]->type == N1_MISSING)
			missing = true;
		else
			null = true;
	}
	return null ? &n1_null : missing ? &n1_missing : &n1_false;
}

/* ---- quantifiers and comprehensions ---- */

typedef struct Loop				/* what one binding runs over */
{
	N1Items		values;
	N1Items		names;			/* only with a name variable */
} Loop;

/* The values of one binding; NULL or MISSING when there is nothing to run over, *out NULL otherwise. */
static bool
open_loop(N1Eval *ev, const N1Bind *b, const N1Row *row, Loop *l, N1Value **out)
{
	N1Value    *v = n1_eval(ev, b->expr, row);
	N1Items    *names = b->name_var ? &l->names : NULL;

	*out = NULL;
	if (v == NULL)
		return false;
	l->values.arena = l->names.arena = ev->arena;
	if (v->type == N1_MISSING)
		*out = &n1_missing;
	else if ((v->type != N1_ARRAY && v->type != N1_OBJECT) || (v->type == N1_OBJECT && !b->within && names == NULL))
		*out = &n1_null;
	else if (b->within)
		n1_descendants(ev, v, &l->values, names);
	else
	{
		n1_unpack(v);
		for (size_t i = 0; i < (v->type == N1_ARRAY ? v->u.arr.n : v->u.obj.n); i++)
		{
			n1_items_add(&l->values, v->type == N1_ARRAY ? v->u.arr.v[i] : v->u.obj.p[i].value);
			if (names != NULL)
				n1_items_add(names, v->type == N1_ARRAY ? n1_int(ev->arena, (int64_t) i) :
							 n1_string(ev->arena, v->u.obj.p[i].name, v->u.obj.p[i].len));
		}
	}
	return true;
}

/* Opens all bindings. *absent is set when the result is NULL or MISSING at once; *n is the number of rounds. */
static bool
open_loops(N1Eval *ev, const N1Expr *e, const N1Row *row, Loop *loops, N1Value **absent, size_t *n)
{
	N1Value    *v;

	*absent = NULL;
	*n = SIZE_MAX;
	for (int i = 0; i < e->n_binds; i++)
	{
		if (!open_loop(ev, &e->binds[i], row, &loops[i], &v))
			return false;
		if (v != NULL && v->type == N1_MISSING)
		{
			*absent = v;
			return true;
		}
		if (v != NULL)
			*absent = v;
		else if (loops[i].values.n < *n)
			*n = loops[i].values.n;
	}
	return true;
}

static void
bind_round(const N1Expr *e, const Loop *loops, size_t i, N1Row *row)
{
	row->n = 0;
	for (int j = 0; j < e->n_binds; j++)
	{
		if (e->binds[j].name_var != NULL)
			row->b[row->n++] = (N1Binding) {e->binds[j].name_var, loops[j].names.v[i]};
		row->b[row->n++] = (N1Binding) {e->binds[j].var, loops[j].values.v[i]};
	}
}

/* What a comprehension gathers. */
typedef struct Gather
{
	N1Items		values;
	N1Pair	   *pairs;
	size_t		n_pairs;
	N1Value    *result;			/* known before the end */
} Gather;

/* One round of a comprehension; false with ev->err set. */
static bool
comprehend(N1Eval *ev, const N1Expr *e, const N1Row *row, Gather *g)
{
	N1Value    *v = e->cond ? n1_eval(ev, e->cond, row) : &n1_true,
			   *name = NULL;

	if (v == NULL)
		return false;
	if (!n1_truth(v))
		return true;
	if (e->kind == N1E_COLL_OBJECT)
	{
		name = n1_eval(ev, e->args[0], row);
		if (name == NULL)
			return false;
		if (name->type != N1_STRING)
		{
			g->result = name->type == N1_MISSING ? name : &n1_null;
			return true;
		}
	}
	v = n1_eval(ev, e->args[e->n_args - 1], row);
	if (v == NULL)
		return false;
	if (e->kind == N1E_COLL_FIRST)
		g->result = v;
	else if (v->type == N1_MISSING)
		return true;
	else if (name != NULL)
		g->pairs[g->n_pairs++] = (N1Pair) {name->u.str.s, name->u.str.n, v};
	else
		n1_items_add(&g->values, v);
	return true;
}

static bool
quantify(N1Eval *ev, const N1Expr *e, const N1Row *row, Gather *g)
{
	N1Value    *v = n1_eval(ev, e->cond, row);

	if (v == NULL)
		return false;
	if (n1_truth(v) == (e->kind == N1E_ANY))
		g->result = n1_bool(e->kind == N1E_ANY);
	return true;
}

static N1Value *
result_of(N1Eval *ev, const N1Expr *e, Gather *g, size_t n)
{
	switch (e->kind)
	{
		case N1E_ANY:
			return &n1_false;
		case N1E_EVERY:
			return &n1_true;
		case N1E_ANY_EVERY:
			return n1_bool(n > 0);
		case N1E_COLL_ARRAY:
			return n1_array(ev->arena, g->values.v, g->values.n);
		case N1E_COLL_OBJECT:
			return n1_object(ev->arena, g->pairs, g->n_pairs);
		default:
			return &n1_missing;
	}
}

/* ARRAY x FOR x IN a END is a, not taken apart. */
static bool
is_identity(const N1Expr *e)
{
	return e->kind == N1E_COLL_ARRAY && e->cond == NULL && e->n_binds == 1 && e->binds[0].name_var == NULL &&
		!e->binds[0].within && e->args[0]->kind == N1E_IDENT && e->args[0]->name == e->binds[0].var;
}

static N1Value *
identity(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value    *v = n1_eval(ev, e->binds[0].expr, row);

	return v == NULL || v->type == N1_ARRAY || v->type == N1_MISSING ? v : &n1_null;
}

N1Value *
n1e_collection(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	Loop	   *loops = n1_alloc(ev->arena, (size_t) e->n_binds * sizeof(*loops));
	N1Row		inner = {.outer = row};
	Gather		g = {.values = {.arena = ev->arena}};
	N1Value    *absent;
	size_t		n;

	if (is_identity(e))
		return identity(ev, e, row);
	if (!open_loops(ev, e, row, loops, &absent, &n))
		return NULL;
	if (absent != NULL)
		return absent;
	inner.b = n1_alloc(ev->arena, (size_t) e->n_binds * 2 * sizeof(N1Binding));
	if (e->kind == N1E_COLL_OBJECT)
		g.pairs = n1_alloc(ev->arena, n * sizeof(N1Pair));
	for (size_t i = 0; i < n && g.result == NULL; i++)
	{
		bind_round(e, loops, i, &inner);
		if (i % 1024 == 1023 && n1_stopped(ev))
			return NULL;
		if (!(e->kind <= N1E_ANY_EVERY ? quantify : comprehend) (ev, e, &inner, &g))
			return NULL;
	}
	return g.result ? g.result : result_of(ev, e, &g, n);
}

/* ---- LIKE ---- */

#define ANY_TEXT 0x110000u
#define ANY_CHAR 0x110001u

/* The pattern as code points; NULL with ev->err set. */
static uint32_t *
like_pattern(N1Eval *ev, const N1Value *v, uint32_t escape, size_t *n)
{
	const char *s = v->u.str.s;
	uint32_t   *p = n1_alloc(ev->arena, (v->u.str.n + 1) * sizeof(*p));
	bool		escaped = false;
	int			used;

	*n = 0;
	for (size_t i = 0; i < v->u.str.n; i += (size_t) used)
	{
		uint32_t	c = n1_utf8_get(s + i, v->u.str.n - i, &used);

		if (!escaped && c == escape)
		{
			escaped = true;
			continue;
		}
		if (!escaped && c == '%')
			c = ANY_TEXT;
		else if (!escaped && c == '_')
			c = ANY_CHAR;
		p[(*n)++] = c;
		escaped = false;
	}
	if (escaped)
	{
		char		utf[5] = {0};

		n1_utf8_put(utf, escape);
		n1_fail(ev, N1_EVAL_ERROR, "Trailing escape character (%s) in pattern", utf);
		return NULL;
	}
	return p;
}

static bool
like(const char *s, size_t n, const uint32_t *p, size_t np)
{
	size_t		i = 0,
				j = 0,
				back_i = 0,
				back_j = SIZE_MAX;
	int			used;

	while (i < n)
	{
		uint32_t	c = n1_utf8_get(s + i, n - i, &used);

		if (j < np && p[j] == ANY_TEXT)
		{
			back_j = ++j;
			back_i = i;
		}
		else if (j < np && (p[j] == ANY_CHAR || p[j] == c))
		{
			i += (size_t) used;
			j++;
		}
		else if (back_j != SIZE_MAX)
		{
			n1_utf8_get(s + back_i, n - back_i, &used);
			back_i += (size_t) used;
			i = back_i;
			j = back_j;
		}
		else
			return false;
	}
	while (j < np && p[j] == ANY_TEXT)
		j++;
	return j == np;
}

N1Value *
n1e_like(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value    *v[3];
	uint32_t	escape;
	uint32_t   *p;
	size_t		n;
	int			used = 0;

	for (int i = 0; i < 3; i++)
		if ((v[i] = n1_eval(ev, e->args[i], row)) == NULL)
			return NULL;
	for (int i = 0; i < 3; i++)
		if (v[i]->type == N1_MISSING)
			return v[i];
	for (int i = 0; i < 3; i++)
		if (v[i]->type != N1_STRING)
			return &n1_null;
	escape = v[2]->u.str.n > 0 ? n1_utf8_get(v[2]->u.str.s, v[2]->u.str.n, &used) : 0xFFFD;
	if (escape == 0xFFFD || (size_t) used != v[2]->u.str.n)
		return n1_fail(ev, N1_EVAL_ERROR, "ESCAPE clause must resolve to a single character");
	p = like_pattern(ev, v[1], escape, &n);
	return p ? n1_bool(like(v[0]->u.str.s, v[0]->u.str.n, p, n)) : NULL;
}
