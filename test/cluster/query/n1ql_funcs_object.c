/*
 * Functions on objects.
 */
#include "n1ql_func.h"

#include "n1ql_ast.h"

#include <string.h>

/* A copy of an object's pairs with room for extra more, or NULL when the value is no object. */
static N1Pair *
pairs_of(N1Eval *ev, N1Value *v, size_t extra, size_t *n)
{
	N1Pair	   *p;

	n1_unpack(v);
	*n = v->u.obj.n;
	p = n1_alloc(ev->arena, (v->u.obj.n + extra + 1) * sizeof(*p));
	if (v->u.obj.n > 0)
		memcpy(p, v->u.obj.p, v->u.obj.n * sizeof(*p));
	return p;
}

static N1Value *
not_object(N1Value *v)
{
	return v->type == N1_OBJECT ? NULL : v->type == N1_MISSING ? v : &n1_null;
}

/* Without the pairs of that name. */
static size_t
drop(N1Pair *p, size_t n, const char *name, size_t len)
{
	size_t		k = 0;

	for (size_t i = 0; i < n; i++)
		if (p[i].len != len || memcmp(p[i].name, name, len) != 0)
			p[k++] = p[i];
	return k;
}

/* OBJECT_ADD leaves a field that is there alone, OBJECT_PUT sets it (MISSING removes it). */
static N1Value *
put(N1Eval *ev, N1Value **args, bool replace)
{
	N1Pair	   *p;
	size_t		n;

	if (args[0]->type == N1_MISSING || args[1]->type == N1_MISSING)
		return &n1_missing;
	if (args[0]->type != N1_OBJECT || args[1]->type != N1_STRING)
		return &n1_null;
	if (!replace && (args[2]->type == N1_MISSING ||
					 n1_field(ev->arena, args[0], args[1]->u.str.s, args[1]->u.str.n)->type != N1_MISSING))
		return args[0];
	p = pairs_of(ev, args[0], 1, &n);
	n = drop(p, n, args[1]->u.str.s, args[1]->u.str.n);
	if (args[2]->type != N1_MISSING)
		p[n++] = (N1Pair) {args[1]->u.str.s, args[1]->u.str.n, args[2]};
	return n1_object(ev->arena, p, n);
}

static N1Value *
f_add(N1Eval *ev, N1Value **args, int n)
{
	(void) n;
	return put(ev, args, false);
}

static N1Value *
f_put(N1Eval *ev, N1Value **args, int n)
{
	(void) n;
	return put(ev, args, true);
}

static N1Value *
f_concat(N1Eval *ev, N1Value **args, int n)
{
	N1Pair	   *p;
	size_t		count = 0,
				k = 0;
	bool		null = false;

	for (int i = 0; i < n; i++)
	{
		if (args[i]->type == N1_MISSING)
			return &n1_missing;
		null |= args[i]->type != N1_OBJECT;
		n1_unpack(args[i]);
		count += args[i]->type == N1_OBJECT ? args[i]->u.obj.n : 0;
	}
	if (null)
		return &n1_null;
	p = n1_alloc(ev->arena, (count + 1) * sizeof(*p));
	for (int i = 0; i < n; i++)
		for (size_t j = 0; j < args[i]->u.obj.n; j++)
			p[k++] = args[i]->u.obj.p[j];
	return n1_object(ev->arena, p, k);
}

static N1Value *
f_length(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_object(args[0]);

	(void) n;
	if (bad != NULL)
		return bad;
	n1_unpack(args[0]);
	return n1_int(ev->arena, (int64_t) args[0]->u.obj.n);
}

/* An array with something of each pair. */
static N1Value *
each_pair(N1Eval *ev, N1Value *v, N1Value *(*of) (N1Arena *a, const N1Pair *p))
{
	N1Value    *bad = not_object(v);
	N1Value   **items;

	if (bad != NULL)
		return bad;
	n1_unpack(v);
	items = n1_alloc(ev->arena, (v->u.obj.n + 1) * sizeof(*items));
	for (size_t i = 0; i < v->u.obj.n; i++)
		items[i] = of(ev->arena, &v->u.obj.p[i]);
	return n1_array(ev->arena, items, v->u.obj.n);
}

static N1Value *
name_of(N1Arena *a, const N1Pair *p)
{
	return n1_string(a, p->name, p->len);
}

static N1Value *
value_of(N1Arena *a, const N1Pair *p)
{
	(void) a;
	return p->value;
}

static N1Value *
two_fields(N1Arena *a, N1Value *name, const char *second, N1Value *v)
{
	N1Pair	   *p = n1_alloc(a, 2 * sizeof(*p));

	p[0] = (N1Pair) {"name", 4, name};
	p[1] = (N1Pair) {second, strlen(second), v};
	return n1_object(a, p, 2);
}

static N1Value *
pair_of(N1Arena *a, const N1Pair *p)
{
	return two_fields(a, name_of(a, p), "val", p->value);
}

static N1Value *
typed_pair_of(N1Arena *a, const N1Pair *p)
{
	return two_fields(a, name_of(a, p), "type", n1_string0(a, n1_type_name(p->value->type)));
}

static N1Value *
f_names(N1Eval *ev, N1Value **args, int n)
{
	(void) n;
	return each_pair(ev, args[0], name_of);
}

static N1Value *
f_values(N1Eval *ev, N1Value **args, int n)
{
	(void) n;
	return each_pair(ev, args[0], value_of);
}

static N1Value *
f_pairs(N1Eval *ev, N1Value **args, int n)
{
	if (not_object(args[0]) != NULL)
		return not_object(args[0]);
	if (n > 1 && not_object(args[1]) != NULL)
		return not_object(args[1]);
	return each_pair(ev, args[0], n > 1 && n1_option_true(ev, args[1], "types", false) ? typed_pair_of : pair_of);
}

static N1Value *
f_remove(N1Eval *ev, N1Value **args, int n)
{
	N1Pair	   *p;
	size_t		count;
	bool		null = args[0]->type != N1_OBJECT;

	for (int i = 0; i < n; i++)
	{
		if (args[i]->type == N1_MISSING)
			return &n1_missing;
		null |= i > 0 && args[i]->type != N1_STRING;
	}
	if (null)
		return &n1_null;
	p = pairs_of(ev, args[0], 0, &count);
	for (int i = 1; i < n; i++)
		count = drop(p, count, args[i]->u.str.s, args[i]->u.str.n);
	return n1_object(ev->arena, p, count);
}

static N1Value *
f_rename(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *v;
	N1Pair	   *p;
	size_t		count;

	for (int i = 0; i < n; i++)
		if (args[i]->type == N1_MISSING)
			return &n1_missing;
	if (args[0]->type != N1_OBJECT || args[1]->type != N1_STRING || args[2]->type != N1_STRING)
		return &n1_null;
	v = n1_field(ev->arena, args[0], args[1]->u.str.s, args[1]->u.str.n);
	if (v->type == N1_MISSING || n1_collate(args[1], args[2]) == 0)
		return args[0];
	p = pairs_of(ev, args[0], 1, &count);
	count = drop(p, count, args[1]->u.str.s, args[1]->u.str.n);
	count = drop(p, count, args[2]->u.str.s, args[2]->u.str.n);
	p[count++] = (N1Pair) {args[2]->u.str.s, args[2]->u.str.n, v};
	return n1_object(ev->arena, p, count);
}

static N1Value *
f_replace(N1Eval *ev, N1Value **args, int n)
{
	N1Pair	   *p;
	size_t		count,
				k = 0;

	(void) n;
	if (args[0]->type == N1_MISSING || args[1]->type == N1_MISSING)
		return &n1_missing;
	if (args[0]->type != N1_OBJECT || args[1]->type == N1_NULL)
		return &n1_null;
	p = pairs_of(ev, args[0], 0, &count);
	for (size_t i = 0; i < count; i++)
	{
		if (n1_truth(n1_equals(args[1], p[i].value)))
			p[i].value = args[2];
		if (p[i].value->type != N1_MISSING)
			p[k++] = p[i];
	}
	return n1_object(ev->arena, p, k);
}

static N1Value *
f_unwrap(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_object(args[0]);

	(void) ev;
	(void) n;
	if (bad != NULL)
		return bad;
	n1_unpack(args[0]);
	return args[0]->u.obj.n == 1 ? args[0]->u.obj.p[0].value : &n1_null;
}

static N1Value *
f_types(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_object(args[0]);
	N1Pair	   *p;
	size_t		count;

	(void) n;
	if (bad != NULL)
		return bad;
	p = pairs_of(ev, args[0], 0, &count);
	for (size_t i = 0; i < count; i++)
		p[i].value = n1_string0(ev->arena, n1_type_name(p[i].value->type));
	return n1_object(ev->arena, p, count);
}

/* The field that a path in a string leads to. */
static N1Value *
f_field(N1Eval *ev, N1Value **args, int n)
{
	N1Parse		p = {.arena = ev->arena};
	N1Expr	   *e;

	(void) n;
	if (args[0]->type == N1_MISSING || args[1]->type == N1_MISSING)
		return &n1_missing;
	if (args[0]->type != N1_OBJECT || args[1]->type != N1_STRING)
		return &n1_null;
	e = n1_parse_path(&p, args[1]->u.str.s, args[1]->u.str.n, args[0]);
	return e ? n1_eval(ev, e, NULL) : &n1_null;
}

/* ---- OBJECT_PATHS ---- */

typedef struct Paths
{
	N1Eval	   *ev;
	N1Value   **v;
	size_t		n;
	size_t		cap;
	bool		composites;
	bool		subscripts;
} Paths;

static void
add_path(Paths *ps, const N1Buf *b)
{
	if (ps->n == ps->cap)
	{
		size_t		cap = ps->cap ? ps->cap * 2 : 16;
		N1Value   **v = n1_alloc(ps->ev->arena, cap * sizeof(*v));

		if (ps->n > 0)
			memcpy(v, ps->v, ps->n * sizeof(*v));
		ps->v = v;
		ps->cap = cap;
	}
	ps->v[ps->n++] = n1_string(ps->ev->arena, n1_dup(ps->ev->arena, b->s, b->n), b->n);
}

static void
add_name(N1Buf *b, const N1Pair *p)
{
	bool		quote = false;

	for (size_t i = 0; i < p->len; i++)
		quote |= p->name[i] != '\0' && strchr(" \t.`", p->name[i]) != NULL;
	if (quote)
		n1_buf_char(b, '`');
	for (size_t i = 0; i < p->len; i++)
		if (p->name[i] == '`')
			n1_buf_str(b, "\\u0060");
		else
			n1_buf_char(b, p->name[i]);
	if (quote)
		n1_buf_char(b, '`');
}

/* in_array: an array of which subscripts are not told lies between the object and what prefix names. */
static void
walk_paths(Paths *ps, N1Buf *prefix, N1Value *v, bool in_array)
{
	size_t		len = prefix->n;

	n1_unpack(v);
	for (size_t i = 0; v->type == N1_ARRAY && i < v->u.arr.n; i++)
	{
		if (ps->subscripts)
			n1_buf_printf(prefix, "[%zu]", i);
		walk_paths(ps, prefix, v->u.arr.v[i], !ps->subscripts);
		prefix->n = len;
	}
	for (size_t i = 0; v->type == N1_OBJECT && i < v->u.obj.n; i++)
	{
		if (len > 0)
			n1_buf_str(prefix, in_array ? "[*]." : ".");
		add_name(prefix, &v->u.obj.p[i]);
		if (ps->composites)
			add_path(ps, prefix);
		walk_paths(ps, prefix, v->u.obj.p[i].value, false);
		prefix->n = len;
	}
	if (v->type != N1_ARRAY && v->type != N1_OBJECT && !ps->composites)
		add_path(ps, prefix);
}

/* Sorts by code point, each path once. */
static N1Value *
sorted_paths(Paths *ps)
{
	N1Pair	   *p = n1_alloc(ps->ev->arena, (ps->n + 1) * sizeof(*p));

	for (size_t i = 0; i < ps->n; i++)
		p[i] = (N1Pair) {ps->v[i]->u.str.s, ps->v[i]->u.str.n, ps->v[i]};
	return each_pair(ps->ev, n1_object(ps->ev->arena, p, ps->n), name_of);
}

static N1Value *
f_paths(N1Eval *ev, N1Value **args, int n)
{
	Paths		ps = {.ev = ev,.composites = true,.subscripts = true};
	N1Buf		prefix;

	if (args[0]->type != N1_OBJECT && args[0]->type != N1_ARRAY)
		return args[0]->type == N1_MISSING ? args[0] : &n1_null;
	if (n > 1 && not_object(args[1]) != NULL)
		return not_object(args[1]);
	if (n > 1)
	{
		if (n1_option(ev, args[1], "pattern", N1_STRING) != NULL || n1_option_true(ev, args[1], "index", false) ||
			!n1_option_true(ev, args[1], "unique", true))
			return n1_fail(ev, N1_EVAL_ERROR, "OBJECT_PATHS() options pattern, index and unique are not supported");
		ps.composites = n1_option_true(ev, args[1], "composites", true);
		ps.subscripts = n1_option_true(ev, args[1], "arraysubscript", true);
	}
	n1_buf_init(&prefix, ev->arena);
	walk_paths(&ps, &prefix, args[0], false);
	return sorted_paths(&ps);
}

static const N1Func funcs[] = {
	{"object_add", 3, 3, f_add, 0},
	{"object_concat", 2, N1_MANY, f_concat, 0},
	{"object_field", 2, 2, f_field, 0},
	{"object_length", 1, 1, f_length, 0},
	{"object_names", 1, 1, f_names, 0},
	{"object_outer_pairs", 1, 2, f_pairs, 0},
	{"object_outer_values", 1, 1, f_values, 0},
	{"object_outerpairs", 1, 2, f_pairs, 0},
	{"object_outervalues", 1, 1, f_values, 0},
	{"object_pairs", 1, 2, f_pairs, 0},
	{"object_paths", 1, 2, f_paths, 0},
	{"object_put", 3, 3, f_put, 0},
	{"object_remove", 2, N1_MANY, f_remove, 0},
	{"object_rename", 3, 3, f_rename, 0},
	{"object_replace", 3, 3, f_replace, 0},
	{"object_types", 1, 1, f_types, 0},
	{"object_unwrap", 1, 1, f_unwrap, 0},
	{"object_values", 1, 1, f_values, 0},
};

const N1FuncTable n1_funcs_object = {funcs, sizeof(funcs) / sizeof(funcs[0])};
