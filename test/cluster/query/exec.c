/*
 * exec.c: evaluation on behalf of operators, errors, warnings, small collections of values.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec.h"
#include "n1ql_identity.h"

#define TICKS 64					/* rows between two looks at the clock */

bool
exec_failed(const Exec *x)
{
	return x->ev.err.code != 0 || x->r->end != END_NOT_YET;
}

bool
exec_tick(Exec *x)
{
	if (++x->ticks % TICKS == 0 && query_stopped(x->r))
		return true;
	return exec_failed(x);
}

bool
exec_fail(Exec *x, int code, int http, const char *fmt,...)
{
	char		text[2048];
	va_list		ap;

	if (x->ev.err.code != 0)
		return false;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	x->ev.err.code = code;
	x->ev.err.http = http;
	x->ev.err.msg = n1_dup(x->keep, text, strlen(text));
	return false;
}

void
exec_warn(Exec *x, int code, const char *fmt,...)
{
	char		text[2048];
	va_list		ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	query_add_warning(x->r, query_error_new(code, "%s", text));
}

/* An error of evaluation says which part of the statement it was. */
static void
name_part(Exec *x, const char *what)
{
	N1Error    *e = &x->ev.err;
	N1Buf		b;

	if (e->code != 5010 || (e->msg != NULL && strncmp(e->msg, "Error evaluating ", 17) == 0))
		return;
	n1_buf_init(&b, x->keep);
	n1_buf_printf(&b, "Error evaluating %s", what);
	if (e->msg != NULL && e->msg[0] != '\0')
		n1_buf_printf(&b, " - cause: %s", e->msg);
	e->msg = b.s;
}

N1Value *
exec_eval(Exec *x, N1Arena *a, const N1Expr *e, const N1Row *row, const char *what)
{
	N1Arena    *before = x->ev.arena;
	N1Value    *v;

	x->ev.arena = a;
	v = n1_eval(&x->ev, e, row);
	x->ev.arena = before;
	if (v == NULL)
		name_part(x, what);
	return v;
}

bool
exec_true(Exec *x, N1Arena *a, const N1Expr *e, const N1Row *row, const char *what, bool *truth)
{
	N1Value    *v = exec_eval(x, a, e, row, what);

	if (v == NULL)
		return false;
	*truth = n1_truth(v);
	return true;
}

/* ---------------------------------------------------------------- Go's view of values */

void
go_text(N1Buf *out, N1Value *v)
{
	switch ((N1Type) v->type)
	{
		case N1_MISSING:
		case N1_NULL:
			n1_buf_str(out, "<nil>");
			break;
		case N1_STRING:
			n1_buf_add(out, v->u.str.s, v->u.str.n);
			break;
		case N1_ARRAY:
			n1_unpack(v);
			n1_buf_char(out, '[');
			for (size_t i = 0; i < v->u.arr.n; i++)
			{
				if (i > 0)
					n1_buf_char(out, ' ');
				go_text(out, v->u.arr.v[i]);
			}
			n1_buf_char(out, ']');
			break;
		case N1_OBJECT:
			n1_unpack(v);
			n1_buf_str(out, "map[");
			for (size_t i = 0; i < v->u.obj.n; i++)
			{
				if (i > 0)
					n1_buf_char(out, ' ');
				n1_buf_add(out, v->u.obj.p[i].name, v->u.obj.p[i].len);
				n1_buf_char(out, ':');
				go_text(out, v->u.obj.p[i].value);
			}
			n1_buf_char(out, ']');
			break;
		default:
			n1_json_write(out, v);
	}
}

const char *
go_type(N1Value *v)
{
	switch ((N1Type) v->type)
	{
		case N1_BOOL:
			return "bool";
		case N1_NUMBER:
			return v->is_int ? "int64" : "float64";
		case N1_STRING:
			return "string";
		case N1_ARRAY:
			return "[]interface {}";
		case N1_OBJECT:
			return "map[string]interface {}";
		default:
			return "<nil>";
	}
}

/* ---------------------------------------------------------------- lists and sets */

void
list_add(N1Arena *a, ValueList *l, N1Value *v)
{
	if (l->n == l->cap)
	{
		N1Value   **more;

		l->cap = l->cap == 0 ? 8 : 2 * l->cap;
		more = n1_alloc(a, l->cap * sizeof(*more));
		if (l->n > 0)
			memcpy(more, l->v, l->n * sizeof(*more));
		l->v = more;
	}
	l->v[l->n++] = v;
}

void
rows_add(N1Arena *a, RowList *l, KeptRow *r)
{
	if (l->n == l->cap)
	{
		KeptRow   **more;

		l->cap = l->cap == 0 ? 16 : 2 * l->cap;
		more = n1_alloc(a, l->cap * sizeof(*more));
		if (l->n > 0)
			memcpy(more, l->v, l->n * sizeof(*more));
		l->v = more;
	}
	r->number = l->n;
	l->v[l->n++] = r;
}

typedef struct SetEntry
{
	uint64_t	hash;
	size_t		chain;				/* number + 1 of the next entry of the bucket */
	N1Value   **v;
} SetEntry;

struct ValueSet
{
	N1Arena    *arena;
	int			width;
	size_t	   *buckets;			/* number + 1 */
	size_t		num_buckets;
	SetEntry   *entries;
	size_t		n;
	size_t		cap;
};

ValueSet *
set_new(N1Arena *a, int n)
{
	ValueSet   *s = n1_alloc(a, sizeof(*s));

	s->arena = a;
	s->width = n;
	return s;
}

static uint64_t
entry_hash(const ValueSet *s, N1Value **v)
{
	uint64_t	h = 14695981039346656037u;

	for (int i = 0; i < s->width; i++)
		h = (h ^ n1_identity_hash(v[i])) * 1099511628211u;
	return h;
}

static bool
entry_same(const ValueSet *s, N1Value **a, N1Value **b)
{
	for (int i = 0; i < s->width; i++)
		if (!n1_identical(a[i], b[i]))
			return false;
	return true;
}

static bool
find(const ValueSet *s, uint64_t hash, N1Value **v, size_t *number)
{
	size_t		at = s->num_buckets == 0 ? 0 : s->buckets[hash % s->num_buckets];

	for (; at != 0; at = s->entries[at - 1].chain)
	{
		if (s->entries[at - 1].hash == hash && entry_same(s, s->entries[at - 1].v, v))
		{
			*number = at - 1;
			return true;
		}
	}
	return false;
}

bool
set_find(const ValueSet *s, N1Value **v, size_t *number)
{
	return find(s, entry_hash(s, v), v, number);
}

static void
set_grow(ValueSet *s)
{
	size_t		cap = s->cap == 0 ? 16 : 2 * s->cap;
	SetEntry   *entries = n1_alloc(s->arena, cap * sizeof(*entries));

	if (s->n > 0)
		memcpy(entries, s->entries, s->n * sizeof(*entries));
	s->entries = entries;
	s->cap = cap;
	s->num_buckets = 2 * cap;
	s->buckets = n1_alloc(s->arena, s->num_buckets * sizeof(*s->buckets));
	for (size_t i = 0; i < s->n; i++)
	{
		size_t	   *bucket = &s->buckets[entries[i].hash % s->num_buckets];

		entries[i].chain = *bucket;
		*bucket = i + 1;
	}
}

size_t
set_add(ValueSet *s, N1Value **v, bool *added)
{
	uint64_t	hash = entry_hash(s, v);
	SetEntry   *e;
	size_t		number;

	*added = false;
	if (find(s, hash, v, &number))
		return number;
	if (s->n == s->cap)
		set_grow(s);
	*added = true;
	e = &s->entries[s->n];
	e->hash = hash;
	e->chain = s->buckets[hash % s->num_buckets];
	e->v = n1_alloc(s->arena, (size_t) (s->width > 0 ? s->width : 1) * sizeof(*e->v));
	for (int i = 0; i < s->width; i++)
		e->v[i] = n1_copy(s->arena, v[i]);
	s->buckets[hash % s->num_buckets] = ++s->n;
	return s->n - 1;
}

N1Value **
set_entry(const ValueSet *s, size_t number)
{
	return s->entries[number].v;
}

size_t
set_size(const ValueSet *s)
{
	return s->n;
}
