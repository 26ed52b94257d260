/*
 * Values: making, reading and copying them.
 */
#include "n1ql.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

N1Value		n1_missing = {.type = N1_MISSING};
N1Value		n1_null = {.type = N1_NULL};
N1Value		n1_true = {.type = N1_BOOL,.b = true};
N1Value		n1_false = {.type = N1_BOOL,.b = false};

static N1Value *
make(N1Arena *a, N1Type type)
{
	N1Value    *v = n1_alloc(a, sizeof(*v));

	v->type = type;
	return v;
}

N1Value *
n1_int(N1Arena *a, int64_t i)
{
	N1Value    *v = make(a, N1_NUMBER);

	v->is_int = true;
	v->u.i = i;
	return v;
}

N1Value *
n1_float(N1Arena *a, double d)
{
	N1Value    *v = make(a, N1_NUMBER);

	v->u.d = d;
	return v;
}

/* True when the double is an int64; 2^63 is none. */
static bool
integral(double d, int64_t *out)
{
	if (!(d >= -9223372036854775808.0 && d < 9223372036854775808.0) || d != trunc(d))
		return false;
	*out = (int64_t) d;
	return true;
}

N1Value *
n1_double(N1Arena *a, double d)
{
	int64_t		i;

	return integral(d, &i) ? n1_int(a, i) : n1_float(a, d);
}

N1Value *
n1_string(N1Arena *a, const char *s, size_t n)
{
	N1Value    *v = make(a, N1_STRING);

	v->u.str.s = s;
	v->u.str.n = n;
	return v;
}

N1Value *
n1_string0(N1Arena *a, const char *s)
{
	return n1_string(a, s, strlen(s));
}

N1Value *
n1_array(N1Arena *a, N1Value **items, size_t n)
{
	N1Value    *v = make(a, N1_ARRAY);

	v->u.arr.v = items;
	v->u.arr.n = n;
	return v;
}

static int
name_cmp(const char *x, size_t nx, const char *y, size_t ny)
{
	int			c = memcmp(x, y, nx < ny ? nx : ny);

	return c != 0 ? c : (nx > ny) - (nx < ny);
}

/* Merges the sorted halves of p; stable. */
static void
merge_pairs(N1Pair *p, size_t n, N1Pair *tmp)
{
	size_t		half = n / 2,
				i = 0,
				j = half,
				k = 0;

	if (n < 2)
		return;
	merge_pairs(p, half, tmp);
	merge_pairs(p + half, n - half, tmp);
	while (i < half && j < n)
		if (name_cmp(p[i].name, p[i].len, p[j].name, p[j].len) <= 0)
			tmp[k++] = p[i++];
		else
			tmp[k++] = p[j++];
	while (i < half)
		tmp[k++] = p[i++];
	memcpy(p, tmp, k * sizeof(*p));
}

/* Sorts by name; of equal names the last stays. Returns how many are left. */
static size_t
sort_pairs(N1Arena *a, N1Pair *p, size_t n)
{
	size_t		i,
				k = 0;

	for (i = 1; i < n && name_cmp(p[i - 1].name, p[i - 1].len, p[i].name, p[i].len) < 0; i++)
		;
	if (i >= n)
		return n;
	merge_pairs(p, n, n1_alloc(a, n * sizeof(*p)));
	for (i = 0; i < n; i++)
	{
		if (i + 1 < n && name_cmp(p[i].name, p[i].len, p[i + 1].name, p[i + 1].len) == 0)
			continue;
		p[k++] = p[i];
	}
	return k;
}

N1Value *
n1_object(N1Arena *a, N1Pair *p, size_t n)
{
	N1Value    *v = make(a, N1_OBJECT);

	v->u.obj.n = sort_pairs(a, p, n);
	v->u.obj.p = p;
	return v;
}

N1Pair *
n1_pair_find(const N1Value *v, const char *name, size_t len)
{
	size_t		lo = 0,
				hi = v->u.obj.n;

	while (lo < hi)
	{
		size_t		mid = lo + (hi - lo) / 2;
		N1Pair	   *p = &v->u.obj.p[mid];
		int			c = name_cmp(name, len, p->name, p->len);

		if (c == 0)
			return p;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

N1Value *
n1_field(N1Arena *a, N1Value *v, const char *name, size_t len)
{
	N1Pair	   *p;

	if (v->type != N1_OBJECT)
		return &n1_missing;
	if (v->raw != NULL)
		return n1_raw_field(a, v, name, len);
	p = n1_pair_find(v, name, len);
	return p ? p->value : &n1_missing;
}

N1Value *
n1_index(N1Arena *a, N1Value *v, int64_t at)
{
	if (v->type != N1_ARRAY)
		return &n1_missing;
	if (v->raw != NULL && at >= 0)
		return n1_raw_index(a, v, at);
	n1_unpack(v);
	if (at < 0)
		at += (int64_t) v->u.arr.n;
	if (at < 0 || (uint64_t) at >= v->u.arr.n)
		return &n1_missing;
	return v->u.arr.v[at];
}

/* Copies the parts of an array or object that is unpacked. */
static void
copy_parts(N1Arena *a, N1Value *c, const N1Value *v)
{
	size_t		i;

	if (v->type == N1_ARRAY)
	{
		c->u.arr.v = n1_alloc(a, v->u.arr.n * sizeof(N1Value *));
		for (i = 0; i < v->u.arr.n; i++)
			c->u.arr.v[i] = n1_copy(a, v->u.arr.v[i]);
		return;
	}
	c->u.obj.p = n1_alloc(a, v->u.obj.n * sizeof(N1Pair));
	for (i = 0; i < v->u.obj.n; i++)
	{
		c->u.obj.p[i].name = n1_dup(a, v->u.obj.p[i].name, v->u.obj.p[i].len);
		c->u.obj.p[i].len = v->u.obj.p[i].len;
		c->u.obj.p[i].value = n1_copy(a, v->u.obj.p[i].value);
	}
}

static const N1Meta *
copy_meta(N1Arena *a, const N1Meta *m)
{
	N1Meta	   *c = n1_alloc(a, sizeof(*c));

	*c = *m;
	c->id = n1_dup(a, m->id, m->id_len);
	if (m->keyspace != NULL)
		c->keyspace = n1_dup(a, m->keyspace, strlen(m->keyspace));
	return c;
}

N1Value *
n1_copy(N1Arena *a, const N1Value *v)
{
	N1Value    *c;

	if (v->type <= N1_BOOL && v->meta == NULL)
		return v->type == N1_MISSING ? &n1_missing : v->type == N1_NULL ? &n1_null : n1_bool(v->b);
	c = n1_alloc(a, sizeof(*c));
	*c = *v;
	if (v->meta != NULL)
		c->meta = copy_meta(a, v->meta);
	if (v->raw != NULL)
	{
		c->raw = n1_dup(a, v->raw, v->raw_len);
		c->home = a;
	}
	else if (v->type == N1_STRING || v->type == N1_BINARY)
		c->u.str.s = n1_dup(a, v->u.str.s, v->u.str.n);
	else if (v->type == N1_ARRAY || v->type == N1_OBJECT)
		copy_parts(a, c, v);
	return c;
}

bool
n1_truth(N1Value *v)
{
	switch ((N1Type) v->type)
	{
		case N1_MISSING:
		case N1_NULL:
			return false;
		case N1_BOOL:
			return v->b;
		case N1_NUMBER:
			return v->is_int ? v->u.i != 0 : !isnan(v->u.d) && v->u.d != 0;
		case N1_STRING:
		case N1_BINARY:
			return v->u.str.n > 0;
		case N1_ARRAY:
			n1_unpack(v);
			return v->u.arr.n > 0;
		case N1_OBJECT:
			n1_unpack(v);
			return v->u.obj.n > 0;
	}
	return false;
}

double
n1_num(const N1Value *v)
{
	return v->is_int ? (double) v->u.i : v->u.d;
}

bool
n1_as_int(const N1Value *v, int64_t *out)
{
	if (v->type != N1_NUMBER)
		return false;
	if (!v->is_int)
		return integral(v->u.d, out);
	*out = v->u.i;
	return true;
}

const char *
n1_type_name(N1Type t)
{
	static const char *const names[] = {
		"missing", "null", "boolean", "number", "string", "array", "object", "binary"
	};

	return names[t];
}

N1Value *
n1_lookup(const N1Row *row, const char *name)
{
	for (; row != NULL; row = row->outer)
		for (int i = row->n - 1; i >= 0; i--)
			if (row->b[i].name == name)
				return row->b[i].value;
	return NULL;
}
