/*
 * Order and equality of values.
 */
#include "n1ql.h"

#include <math.h>
#include <string.h>

static int
sign(int64_t x)
{
	return (x > 0) - (x < 0);
}

static int
collate_double(double x, double y)
{
	if (isnan(x) || isnan(y))
		return isnan(y) - isnan(x);
	return (x > y) - (x < y);
}

static int
collate_number(const N1Value *x, const N1Value *y)
{
	if (x->is_int && y->is_int)
		return (x->u.i > y->u.i) - (x->u.i < y->u.i);
	return collate_double(n1_num(x), n1_num(y));
}

static int
collate_text(const char *x, size_t nx, const char *y, size_t ny)
{
	int			c = memcmp(x, y, nx < ny ? nx : ny);

	return c != 0 ? sign(c) : (nx > ny) - (nx < ny);
}

static int
collate_array(N1Value *x, N1Value *y)
{
	n1_unpack(x);
	n1_unpack(y);
	for (size_t i = 0; i < x->u.arr.n; i++)
	{
		int			c;

		if (i >= y->u.arr.n)
			return 1;
		c = n1_collate(x->u.arr.v[i], y->u.arr.v[i]);
		if (c != 0)
			return c;
	}
	return sign((int64_t) x->u.arr.n - (int64_t) y->u.arr.n);
}

/* The first pair where two unpacked objects of one size have different names decides: who lacks the name is larger. */
static int
name_order(const N1Pair *p, const N1Pair *q)
{
	return collate_text(p->name, p->len, q->name, q->len);
}

static int
collate_object(N1Value *x, N1Value *y)
{
	n1_unpack(x);
	n1_unpack(y);
	if (x->u.obj.n != y->u.obj.n)
		return x->u.obj.n < y->u.obj.n ? -1 : 1;
	for (size_t i = 0; i < x->u.obj.n; i++)
	{
		int			c = name_order(&x->u.obj.p[i], &y->u.obj.p[i]);

		if (c == 0)
			c = n1_collate(x->u.obj.p[i].value, y->u.obj.p[i].value);
		if (c != 0)
			return c;
	}
	return 0;
}

/*
 * Whoever compares a value with another takes both apart (and their text is lost), unless the first one is of a type
 * that needs no look into the second.
 */
static void
unpack_both(N1Value *x, N1Value *y)
{
	if (x->type == N1_MISSING || x->type == N1_STRING)
		return;
	n1_unpack(x);
	n1_unpack(y);
}

int
n1_collate(N1Value *x, N1Value *y)
{
	if (x->type != N1_NULL)
		unpack_both(x, y);
	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	switch ((N1Type) x->type)
	{
		case N1_MISSING:
		case N1_NULL:
			return 0;
		case N1_BOOL:
			return x->b - y->b;
		case N1_NUMBER:
			return collate_number(x, y);
		case N1_STRING:
		case N1_BINARY:
			return collate_text(x->u.str.s, x->u.str.n, y->u.str.s, y->u.str.n);
		case N1_ARRAY:
			return collate_array(x, y);
		case N1_OBJECT:
			return collate_object(x, y);
	}
	return 0;
}

static N1Value *
equal_arrays(N1Value *x, N1Value *y)
{
	N1Value    *unknown = NULL;

	n1_unpack(x);
	n1_unpack(y);
	if (x->u.arr.n != y->u.arr.n)
		return &n1_false;
	for (size_t i = 0; i < x->u.arr.n; i++)
	{
		N1Value    *eq = n1_equals(x->u.arr.v[i], y->u.arr.v[i]);

		if (eq->type == N1_BOOL && !eq->b)
			return eq;
		if (eq->type == N1_MISSING || (eq->type == N1_NULL && unknown == NULL))
			unknown = eq;
	}
	return unknown ? unknown : &n1_true;
}

static N1Value *
equal_objects(N1Value *x, N1Value *y)
{
	N1Value    *null = NULL;
	bool		differ = false;

	n1_unpack(x);
	n1_unpack(y);
	if (x->u.obj.n != y->u.obj.n)
		return &n1_false;
	for (size_t i = 0; i < x->u.obj.n; i++)
	{
		N1Value    *eq;

		if (name_order(&x->u.obj.p[i], &y->u.obj.p[i]) != 0)
			return &n1_false;
		eq = n1_equals(x->u.obj.p[i].value, y->u.obj.p[i].value);
		if (eq->type == N1_NULL)
			null = eq;
		else if (!n1_truth(eq))
			differ = true;
	}
	return differ ? &n1_false : null ? null : &n1_true;
}

N1Value *
n1_equals(N1Value *x, N1Value *y)
{
	unpack_both(x, y);
	if (x->type == N1_MISSING || y->type == N1_MISSING)
		return &n1_missing;
	if (x->type == N1_NULL || y->type == N1_NULL)
		return &n1_null;
	if (x->type != y->type)
		return &n1_false;
	if (x->type == N1_ARRAY)
		return equal_arrays(x, y);
	if (x->type == N1_OBJECT)
		return equal_objects(x, y);
	if (x->type == N1_NUMBER && !(x->is_int && y->is_int))
		return n1_bool(n1_num(x) == n1_num(y));
	return n1_bool(n1_collate(x, y) == 0);
}

static N1Value *
compare_arrays(N1Arena *a, N1Value *x, N1Value *y)
{
	n1_unpack(x);
	n1_unpack(y);
	for (size_t i = 0; i < x->u.arr.n; i++)
	{
		N1Value    *c;

		if (i >= y->u.arr.n)
			return n1_int(a, 1);
		c = n1_compare(a, x->u.arr.v[i], y->u.arr.v[i]);
		if (c->type != N1_NUMBER || c->u.i != 0)
			return c;
	}
	return n1_int(a, sign((int64_t) x->u.arr.n - (int64_t) y->u.arr.n));
}

static N1Value *
compare_objects(N1Arena *a, N1Value *x, N1Value *y)
{
	n1_unpack(x);
	n1_unpack(y);
	if (x->u.obj.n != y->u.obj.n)
		return n1_int(a, x->u.obj.n < y->u.obj.n ? -1 : 1);
	for (size_t i = 0; i < x->u.obj.n; i++)
	{
		int			o = name_order(&x->u.obj.p[i], &y->u.obj.p[i]);
		N1Value    *c;

		if (o != 0)
			return n1_int(a, o);
		c = n1_compare(a, x->u.obj.p[i].value, y->u.obj.p[i].value);
		if (c->type != N1_NUMBER || c->u.i != 0)
			return c;
	}
	return n1_int(a, 0);
}

N1Value *
n1_compare(N1Arena *a, N1Value *x, N1Value *y)
{
	unpack_both(x, y);
	if (x->type == N1_MISSING || y->type == N1_MISSING)
		return &n1_missing;
	if (x->type == N1_NULL || y->type == N1_NULL)
		return &n1_null;
	if (x->type == N1_ARRAY && y->type == N1_ARRAY)
		return compare_arrays(a, x, y);
	if (x->type == N1_OBJECT && y->type == N1_OBJECT)
		return compare_objects(a, x, y);
	return n1_int(a, n1_collate(x, y));
}

bool
n1_same(N1Value *x, N1Value *y)
{
	return n1_collate(x, y) == 0;
}

static uint64_t
mix(uint64_t h, const void *p, size_t n)
{
	const unsigned char *s = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ s[i]) * UINT64_C(1099511628211);
	return h;
}

static uint64_t
hash_into(uint64_t h, N1Value *v)
{
	double		d;

	h = mix(h, &v->type, 1);
	switch ((N1Type) v->type)
	{
		case N1_MISSING:
		case N1_NULL:
			return h;
		case N1_BOOL:
			return mix(h, &v->b, 1);
		case N1_NUMBER:
			d = n1_num(v);
			if (isnan(d))
				return h;
			d = d == 0 ? 0 : d;
			return mix(h, &d, sizeof(d));
		case N1_STRING:
		case N1_BINARY:
			return mix(h, v->u.str.s, v->u.str.n);
		case N1_ARRAY:
			n1_unpack(v);
			for (size_t i = 0; i < v->u.arr.n; i++)
				h = hash_into(h, v->u.arr.v[i]);
			return h;
		case N1_OBJECT:
			n1_unpack(v);
			for (size_t i = 0; i < v->u.obj.n; i++)
			{
				h = mix(h, v->u.obj.p[i].name, v->u.obj.p[i].len);
				h = hash_into(h, v->u.obj.p[i].value);
			}
			return h;
	}
	return h;
}

uint64_t
n1_hash(N1Value *v)
{
	return hash_into(UINT64_C(14695981039346656037), v);
}
