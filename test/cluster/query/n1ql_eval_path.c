/*
 * Evaluation: arithmetic; fields, elements and slices.
 */
#include "n1ql_eval.h"
#include "n1ql_func.h"

#include <math.h>
#include <string.h>
#include <strings.h>

/* ---- arithmetic: int64 as long as it fits, then float ---- */

static N1Value *
add(N1Arena *a, const N1Value *x, const N1Value *y)
{
	int64_t		r;

	if (x->is_int && y->is_int && !__builtin_add_overflow(x->u.i, y->u.i, &r))
		return n1_int(a, r);
	return n1_float(a, n1_num(x) + n1_num(y));
}

static N1Value *
subtract(N1Arena *a, const N1Value *x, const N1Value *y)
{
	int64_t		r;

	if (x->is_int && y->is_int && y->u.i > INT64_MIN && !__builtin_sub_overflow(x->u.i, y->u.i, &r))
		return n1_int(a, r);
	return n1_float(a, n1_num(x) - n1_num(y));
}

static N1Value *
multiply(N1Arena *a, const N1Value *x, const N1Value *y)
{
	int64_t		r;

	if (x->is_int && y->is_int)
	{
		/* The server finds an overflow by dividing, which misses the smallest number times -1. */
		bool		over = __builtin_mul_overflow(x->u.i, y->u.i, &r);

		if (!over || (x->u.i == -1 && y->u.i == INT64_MIN))
			return n1_int(a, r);
	}
	return n1_float(a, n1_num(x) * n1_num(y));
}

static N1Value *
negate(N1Arena *a, const N1Value *x)
{
	if (!x->is_int || x->u.i == INT64_MIN)
		return n1_float(a, -n1_num(x));
	return n1_int(a, -x->u.i);
}

static N1Value *
divide(N1Eval *ev, N1ExprKind kind, const N1Value *x, const N1Value *y)
{
	double		by;

	if (y->type != N1_NUMBER)
		return &n1_null;
	by = n1_num(y);
	if (by == 0)
	{
		if (kind == N1E_DIV)
			n1_warn(ev, 5036, "Division by 0.");
		return &n1_null;
	}
	if (x->type != N1_NUMBER)
		return &n1_null;
	return n1_double(ev->arena, kind == N1E_DIV ? n1_num(x) / by : fmod(n1_num(x), by));
}

N1Value *
n1e_arith(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value    *x = n1_eval(ev, e->args[0], row),
			   *y;

	if (x == NULL)
		return NULL;
	if (e->kind == N1E_NEG)
		return x->type == N1_NUMBER ? negate(ev->arena, x) : x->type == N1_MISSING ? x : &n1_null;
	if (x->type == N1_MISSING && (e->kind == N1E_ADD || e->kind == N1E_MUL))
		return x;
	y = n1_eval(ev, e->args[1], row);
	if (y == NULL)
		return NULL;
	if (x->type == N1_MISSING || y->type == N1_MISSING)
		return &n1_missing;
	if (e->kind == N1E_DIV || e->kind == N1E_MOD)
		return divide(ev, e->kind, x, y);
	if (x->type != N1_NUMBER || y->type != N1_NUMBER)
		return &n1_null;
	if (e->kind == N1E_ADD)
		return add(ev->arena, x, y);
	if (e->kind == N1E_SUB)
		return subtract(ev->arena, x, y);
	if (e->kind == N1E_MUL)
		return multiply(ev->arena, x, y);
	return n1_double(ev->arena, n1_pow(n1_num(x), n1_num(y)));
}

/* ---- fields ---- */

static N1Value *
field_icase(N1Eval *ev, N1Value *v, const char *name, size_t len)
{
	N1Value    *f = n1_field(ev->arena, v, name, len);

	if (f->type != N1_MISSING || v->type != N1_OBJECT)
		return f;
	n1_unpack(v);
	for (size_t i = 0; i < v->u.obj.n; i++)
		if (v->u.obj.p[i].len == len && strncasecmp(v->u.obj.p[i].name, name, len) == 0)
			return v->u.obj.p[i].value;
	return &n1_missing;
}

static N1Value *
field_of(N1Eval *ev, const N1Expr *e, N1Value *v, const char *name, size_t len)
{
	return e->icase ? field_icase(ev, v, name, len) : n1_field(ev->arena, v, name, len);
}

/* a[].name: the fields of all elements of an array; arrays among them are opened. */
static N1Value *
fields_of_all(N1Eval *ev, const N1Expr *e, N1Value *v)
{
	N1Items		out = {.arena = ev->arena};

	n1_unpack(v);
	for (size_t i = 0; i < v->u.arr.n; i++)
	{
		N1Value    *item = v->u.arr.v[i],
				   *f = item->type == N1_ARRAY ? fields_of_all(ev, e, item) :
			field_of(ev, e, item, e->name, strlen(e->name));

		if (f->type == N1_ARRAY)
		{
			n1_unpack(f);
			for (size_t j = 0; j < f->u.arr.n; j++)
				n1_items_add(&out, f->u.arr.v[j]);
		}
		else if (f->type != N1_MISSING)
			n1_items_add(&out, f);
	}
	return out.n == 0 ? &n1_missing : n1_array(ev->arena, out.v, out.n);
}

static bool
empty_brackets(const N1Expr *e)
{
	return e->kind == N1E_SLICE && e->args[1] == NULL && e->args[2] == NULL;
}

N1Value *
n1e_field(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value    *v = n1_eval(ev, e->args[0], row),
			   *name;

	if (v == NULL)
		return NULL;
	if (e->name != NULL)
	{
		if (v->type == N1_ARRAY && empty_brackets(e->args[0]))
			return fields_of_all(ev, e, v);
		return field_of(ev, e, v, e->name, strlen(e->name));
	}
	name = n1_eval(ev, e->args[1], row);
	if (name == NULL)
		return NULL;
	if (name->type == N1_STRING)
		return field_of(ev, e, v, name->u.str.s, name->u.str.n);
	return name->type == N1_MISSING || v->type == N1_MISSING ? &n1_missing : &n1_null;
}

/* ---- elements ---- */

/* A position: a whole number; false when it is none. */
static bool
position(const N1Value *v, int64_t *out)
{
	double		d;

	if (v->type != N1_NUMBER)
		return false;
	d = n1_num(v);
	if (d != trunc(d))
		return false;
	*out = d >= 9e18 ? INT64_MAX : d <= -9e18 ? INT64_MIN / 2 : (int64_t) d;
	return true;
}

N1Value *
n1e_element(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value    *v = n1_eval(ev, e->args[0], row),
			   *at = v ? n1_eval(ev, e->args[1], row) : NULL;
	int64_t		i;

	if (at == NULL)
		return NULL;
	if (position(at, &i))
		return n1_index(ev->arena, v, i);
	return at->type == N1_MISSING || v->type == N1_MISSING ? &n1_missing : &n1_null;
}

static N1Value *
cut(N1Arena *a, N1Value *v, int64_t from, int64_t to, bool to_end)
{
	int64_t		n;

	n1_unpack(v);
	n = (int64_t) v->u.arr.n;
	if (from < 0)
		from += n;
	if (to_end && from >= n)
		return &n1_missing;
	if (to_end)
		to = n;
	else if (to < 0)
		to += n;
	if (from < 0 || from > to || to > n)
		return &n1_missing;
	return n1_array(a, v->u.arr.v + from, (size_t) (to - from));
}

/* True when every element is an array. */
static bool
all_arrays(N1Value *v)
{
	n1_unpack(v);
	for (size_t i = 0; i < v->u.arr.n; i++)
		if (v->u.arr.v[i]->type != N1_ARRAY)
			return false;
	return true;
}

N1Value *
n1e_slice(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value    *v = n1_eval(ev, e->args[0], row),
			   *from = NULL,
			   *to = NULL;
	int64_t		first = 0,
				last = 0;
	bool		missing;

	if (v == NULL || (e->args[1] != NULL && (from = n1_eval(ev, e->args[1], row)) == NULL) ||
		(e->args[2] != NULL && (to = n1_eval(ev, e->args[2], row)) == NULL))
		return NULL;
	missing = v->type == N1_MISSING || (from != NULL && from->type == N1_MISSING);
	if (to != NULL && to->type == N1_MISSING)
		missing = true;
	else if (to != NULL && !missing && !position(to, &last))
		return &n1_null;
	if (missing)
		return &n1_missing;
	if (v->type != N1_ARRAY || (from != NULL && !position(from, &first)))
		return &n1_null;
	if (empty_brackets(e) && empty_brackets(e->args[0]) && !all_arrays(v))
		return &n1_missing;
	return cut(ev->arena, v, first, last, to == NULL);
}

/* a[*]: for an array of objects, an object of arrays. */
N1Value *
n1e_array_star(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value    *v = n1_eval(ev, e->args[0], row);
	const N1Func *f = n1_func_find("array_star", 10);

	if (v == NULL || f == NULL)
		return v == NULL ? NULL : n1_fail(ev, 5000, "array_star() does not exist");
	return f->call(ev, &v, 1);
}
