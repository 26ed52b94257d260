/*
 * Long lists behind IN. In filters the server keeps them in a table by the text of their values, and only what prints
 * alike is found there: other than with =, 9007199254740993 is not 9007199254740992.0, nor is "[ 1 ]" in a document [1].
 */
#include "n1ql_eval.h"

#include <string.h>

typedef struct Entry
{
	struct Entry *next;
	uint64_t	hash;
	N1Value    *value;
} Entry;

typedef struct N1InTable
{
	struct N1InTable *next;
	const N1Expr *of;
	N1Value    *list;
	bool		null, missing;	/* is in the list */
	size_t		mask;
	Entry	  **slots;
} N1InTable;

static uint64_t
text_hash(N1Arena *a, N1Value *v)
{
	N1Mark		mark;
	uint64_t	h = UINT64_C(14695981039346656037);
	N1Buf		b;

	mark = n1_arena_mark(a);
	n1_buf_init(&b, a);
	n1_json_write(&b, v);
	for (size_t i = 0; i < b.n; i++)
		h = (h ^ (unsigned char) b.s[i]) * UINT64_C(1099511628211);
	n1_arena_reset(a, mark);
	return h;
}

static bool
same_text(N1Arena *a, N1Value *x, N1Value *y)
{
	N1Mark		mark;
	bool		same;
	N1Buf		b,
				c;

	if (x->type != y->type)
		return false;
	mark = n1_arena_mark(a);
	n1_buf_init(&b, a);
	n1_buf_init(&c, a);
	n1_json_write(&b, x);
	n1_json_write(&c, y);
	same = b.n == c.n && memcmp(b.s, c.s, b.n) == 0;
	n1_arena_reset(a, mark);
	return same && n1_truth(n1_equals(x, y));
}

static N1InTable *
build(N1Eval *ev, N1Arena *a, const N1Expr *e, N1Value *list)
{
	N1InTable  *t = n1_alloc(a, sizeof(*t));
	size_t		size = 32;

	while (size < list->u.arr.n * 2)
		size *= 2;
	t->of = e;
	t->list = list;
	t->mask = size - 1;
	t->slots = n1_alloc(a, size * sizeof(*t->slots));
	for (size_t i = 0; i < list->u.arr.n; i++)
	{
		N1Value    *v = n1e_in_element(a, e, list->u.arr.v[i]);
		Entry	   *entry;
		Entry	  **slot;

		t->null |= v->type == N1_NULL;
		t->missing |= v->type == N1_MISSING;
		if (v->type <= N1_NULL)
			continue;
		n1_unpack(v);
		entry = n1_alloc(a, sizeof(*entry));
		entry->hash = text_hash(ev->arena, v);
		entry->value = v;
		slot = &t->slots[entry->hash & t->mask];
		entry->next = *slot;
		*slot = entry;
	}
	return t;
}

/* The table of a list that stays for the whole statement is kept with it. */
static N1InTable *
table_of(N1Eval *ev, const N1Expr *e, N1Value *list)
{
	const N1Expr *right = e->args[1];
	N1InTable  *t;

	if (right->kind != N1E_SUBQUERY && right->kind != N1E_PARAM && right->kind != N1E_CONST)
		return build(ev, ev->arena, e, list);
	for (t = ev->in_tables; t != NULL; t = t->next)
		if (t->of == e && t->list == list)
			return t;
	t = build(ev, ev->keep, e, list);
	t->next = ev->in_tables;
	ev->in_tables = t;
	return t;
}

N1Value *
n1e_in_table(N1Eval *ev, const N1Expr *e, N1Value *x, N1Value *list)
{
	N1InTable  *t = table_of(ev, e, list);
	uint64_t	h = text_hash(ev->arena, x);

	for (const Entry *entry = t->slots[h & t->mask]; entry != NULL; entry = entry->next)
		if (entry->hash == h && same_text(ev->arena, x, entry->value))
			return &n1_true;
	return t->null ? &n1_null : t->missing ? &n1_missing : &n1_false;
}
