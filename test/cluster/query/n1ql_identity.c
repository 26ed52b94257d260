/*
 * Identity of values in sets (DISTINCT, UNION, functions of sets): numbers are the same number, not only equal by way of a
 * double; in an array MISSING is NULL.
 */
#include "n1ql_identity.h"

#include <string.h>

static bool
same_type(const N1Value *x, const N1Value *y, bool inside)
{
	if (inside && x->type <= N1_NULL && y->type <= N1_NULL)
		return true;
	return x->type == y->type;
}

static bool
identical(N1Value *x, N1Value *y, bool inside)
{
	if (!same_type(x, y, inside))
		return false;
	if (x->type == N1_NUMBER)
		return x->is_int == y->is_int && (x->is_int ? x->u.i == y->u.i : n1_collate(x, y) == 0);
	if (x->type == N1_ARRAY)
	{
		n1_unpack(x);
		n1_unpack(y);
		if (x->u.arr.n != y->u.arr.n)
			return false;
		for (size_t i = 0; i < x->u.arr.n; i++)
			if (!identical(x->u.arr.v[i], y->u.arr.v[i], true))
				return false;
		return true;
	}
	if (x->type == N1_OBJECT)
	{
		n1_unpack(x);
		n1_unpack(y);
		if (x->u.obj.n != y->u.obj.n)
			return false;
		for (size_t i = 0; i < x->u.obj.n; i++)
		{
			const N1Pair *p = &x->u.obj.p[i];
			const N1Pair *q = &y->u.obj.p[i];

			if (p->len != q->len || memcmp(p->name, q->name, p->len) != 0 || !identical(p->value, q->value, true))
				return false;
		}
		return true;
	}
	return x->type <= N1_NULL || n1_collate(x, y) == 0;
}

bool
n1_identical(N1Value *x, N1Value *y)
{
	return identical(x, y, false);
}

/* ---- hashes ---- */

#define PRIME UINT64_C(1099511628211)

static uint64_t
hash_bytes(uint64_t h, const void *p, size_t n)
{
	const unsigned char *b = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * PRIME;
	return h;
}

static uint64_t
hash(uint64_t h, N1Value *v, bool inside)
{
	uint8_t		type = inside && v->type == N1_MISSING ? N1_NULL : v->type;

	h = hash_bytes(h, &type, 1);
	switch ((N1Type) v->type)
	{
		case N1_BOOL:
			return hash_bytes(h, &v->b, 1);
		case N1_NUMBER:
			if (v->is_int)
				return hash_bytes(h, &v->u.i, sizeof(v->u.i));
			return v->u.d != v->u.d ? h : hash_bytes(h, &v->u.d, sizeof(v->u.d));
		case N1_STRING:
		case N1_BINARY:
			return hash_bytes(h, v->u.str.s, v->u.str.n);
		case N1_ARRAY:
			n1_unpack(v);
			for (size_t i = 0; i < v->u.arr.n; i++)
				h = hash(h, v->u.arr.v[i], true);
			return h;
		case N1_OBJECT:
			n1_unpack(v);
			for (size_t i = 0; i < v->u.obj.n; i++)
				h = hash(hash_bytes(h, v->u.obj.p[i].name, v->u.obj.p[i].len), v->u.obj.p[i].value, true);
			return h;
		default:
			return h;
	}
}

uint64_t
n1_identity_hash(N1Value *v)
{
	return hash(UINT64_C(14695981039346656037), v, false);
}

void
n1_unpack_all(N1Value *v)
{
	if (v->type != N1_ARRAY && v->type != N1_OBJECT)
		return;
	n1_unpack(v);
	for (size_t i = 0; v->type == N1_ARRAY && i < v->u.arr.n; i++)
		n1_unpack_all(v->u.arr.v[i]);
	for (size_t i = 0; v->type == N1_OBJECT && i < v->u.obj.n; i++)
		n1_unpack_all(v->u.obj.p[i].value);
}
