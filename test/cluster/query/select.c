/*
 * select.c: a whole query: WITH, its sub-selects, ORDER BY, OFFSET, LIMIT.
 */
#include <stdlib.h>
#include <string.h>

#include "exec.h"

#define MAX_DEPTH 64				/* selects within selects */
#define MOST_BEST 100000			/* rows of a LIMIT up to which only the best are kept */
#define SPARE_ROWS 1000

/* ---------------------------------------------------------------- LIMIT and OFFSET */

/* What a query sees that is no row: parameters, the names around it. */
static N1Value *
eval_count(SelectRun *s, const N1Expr *e, const char *what)
{
	return exec_eval(s->x, s->arena, e, s->outer, what);
}

static int64_t
cut_double(double d)
{
	return d >= 9223372036854775808.0 || d < -9223372036854775808.0 ? INT64_MIN : (int64_t) d;
}

/* The count of a number that is integral; false otherwise. */
static bool
as_count(const N1Value *v, int64_t *out)
{
	if (v->type != N1_NUMBER)
		return false;
	if (v->is_int)
	{
		*out = v->u.i;
		return true;
	}
	*out = cut_double(v->u.d);
	return __builtin_trunc(v->u.d) == v->u.d;
}

static bool
eval_limits(SelectRun *s)
{
	N1Buf		text;
	N1Value    *v;

	n1_buf_init(&text, s->arena);
	if (s->select->limit != NULL)
	{
		v = eval_count(s, s->select->limit, "LIMIT clause");
		if (v == NULL)
			return false;
		if (!as_count(v, &s->limit))
		{
			go_text(&text, v);
			return exec_fail(s->x, 5030, 0, "Invalid LIMIT %s of type %s.", text.s, go_type(v));
		}
		s->has_limit = true;
	}
	if (s->select->offset == NULL)
		return true;
	v = eval_count(s, s->select->offset, "OFFSET");
	if (v == NULL)
		return false;
	if (!as_count(v, &s->offset))
	{
		go_text(&text, v);
		return exec_fail(s->x, 5030, 0, "Invalid OFFSET value %s.", text.s);
	}
	return true;
}

/* ---------------------------------------------------------------- WITH */

static bool
bind_with(SelectRun *s)
{
	const N1Select *q = s->select;

	for (int i = 0; i < q->n_with; i++)
	{
		N1Row	   *row = n1_alloc(s->arena, sizeof(*row));
		N1Binding  *b = n1_alloc(s->arena, sizeof(*b));

		b->name = q->with[i].var;
		b->value = exec_eval(s->x, s->arena, q->with[i].expr, s->outer, "WITH");
		if (b->value == NULL)
			return false;
		row->outer = s->outer;
		row->b = b;
		row->n = 1;
		s->outer = row;
	}
	return true;
}

/* ---------------------------------------------------------------- ORDER BY */

/* The keys of the present row: aliases of the projection hide the names of the row. */
static bool
sort_keys(SelectRun *s, N1Value *value, N1Value **keys)
{
	SubRun	   *sub = source_sub(s->source);
	const N1Sub *first = source_first(s->select->query);
	N1Row		row = {.outer = sub != NULL ? &sub->row : s->outer};
	N1Binding  *fields = NULL;

	if (sub != NULL)
	{
		row.b = sub->aliases;
		row.n = sub->n_aliases;
	}
	else
	{
		fields = n1_alloc(s->work, (size_t) (first->n_terms + 1) * sizeof(*fields));
		row.b = fields;
		for (int i = 0; i < first->n_terms; i++)
		{
			const char *alias = first->terms[i].alias;

			if (alias != NULL)
				fields[row.n++] = (N1Binding) {alias, first->raw ? value : n1_field(s->work, value, alias, strlen(alias))};
		}
	}
	for (int i = 0; i < s->select->n_order; i++)
	{
		N1Value    *v = exec_eval(s->x, s->x->ev.arena, s->select->order[i].expr, &row, "ORDER BY");

		if (v == NULL)
			return false;
		keys[i] = n1_copy(s->sort_arena, v);
	}
	return true;
}

static N1Name *
copy_names(N1Arena *a, const N1Name *names, size_t n)
{
	N1Name	   *copy;

	if (names == NULL)
		return NULL;
	copy = n1_alloc(a, (n + 1) * sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = (N1Name) {n1_dup(a, names[i].s, names[i].n), names[i].n};
	return copy;
}

static void
keep_names(SelectRun *s, KeptRow *r)
{
	SubRun	   *sub = source_sub(s->source);

	if (sub == NULL || sub->order == NULL)
		return;
	r->names = copy_names(s->sort_arena, sub->order, (size_t) sub->n_order);
	r->n_names = (size_t) sub->n_order;
}

/* How many rows can be asked for: SIZE_MAX if that is not known or not few. */
static size_t
rows_wanted(const SelectRun *s)
{
	int64_t		offset = s->offset > 0 ? s->offset : 0;

	if (!s->has_limit || s->limit > MOST_BEST || offset > MOST_BEST)
		return SIZE_MAX;
	return (size_t) (offset + (s->limit > 0 ? s->limit : 0));
}

/* Keeps the best rows only, in an arena of their own. */
static bool
keep_best(SelectRun *s, const SortSpec *specs, size_t wanted)
{
	N1Arena    *arena = n1_arena_new();
	RowList		best = {0};

	if (!rows_sort(s->x, &s->sorted, specs, s->select->n_order))
	{
		n1_arena_free(arena);
		return false;
	}
	for (size_t i = 0; i < wanted && i < s->sorted.n; i++)
	{
		const KeptRow *old = s->sorted.v[i];
		KeptRow    *r = n1_alloc(arena, sizeof(*r));

		r->value = n1_copy(arena, old->value);
		r->keys = n1_alloc(arena, (size_t) (s->select->n_order + 1) * sizeof(*r->keys));
		for (int k = 0; k < s->select->n_order; k++)
			r->keys[k] = n1_copy(arena, old->keys[k]);
		r->names = copy_names(arena, old->names, old->n_names);
		r->n_names = old->n_names;
		rows_add(arena, &best, r);
		r->number = old->number;
	}
	n1_arena_free(s->sort_arena);
	s->sort_arena = arena;
	s->sorted = best;
	return true;
}

static bool
sort_all(SelectRun *s)
{
	SortSpec   *specs;
	N1Value    *value;
	N1Arena    *before = s->x->ev.arena;
	size_t		wanted = rows_wanted(s);
	size_t		arrived = 0;
	bool		ok = true;

	if (!sort_specs(s->x, s->arena, s->select->order, s->select->n_order, s->outer, &specs))
		return false;
	while (ok && source_next(s->source, &value))
	{
		KeptRow    *r = n1_alloc(s->sort_arena, sizeof(*r));

		s->x->ev.arena = s->work;
		n1_arena_clear(s->work);
		r->keys = n1_alloc(s->sort_arena, (size_t) (s->select->n_order + 1) * sizeof(*r->keys));
		ok = sort_keys(s, value, r->keys);
		r->value = n1_copy(s->sort_arena, value);
		keep_names(s, r);
		rows_add(s->sort_arena, &s->sorted, r);
		r->number = arrived++;
		if (ok && wanted != SIZE_MAX && s->sorted.n >= 2 * wanted + SPARE_ROWS)
			ok = keep_best(s, specs, wanted);
	}
	s->x->ev.arena = before;
	s->is_sorted = true;
	s->x->r->sort_count += arrived;
	return ok && !exec_failed(s->x) && rows_sort(s->x, &s->sorted, specs, s->select->n_order);
}

static bool
next_unlimited(SelectRun *s, N1Value **row)
{
	if (s->select->n_order == 0)
		return source_next(s->source, row);
	if (!s->is_sorted && !sort_all(s))
		return false;
	if (s->at == s->sorted.n)
		return false;
	*row = s->sorted.v[s->at++]->value;
	return true;
}

/* ---------------------------------------------------------------- all of it */

SelectRun *
select_open(Exec *x, const N1Select *q, const N1Row *outer)
{
	N1Arena    *arena = n1_arena_new();
	SelectRun  *s = n1_alloc(arena, sizeof(*s));

	s->x = x;
	s->select = q;
	s->outer = outer;
	s->arena = arena;
	s->work = n1_arena_new();
	s->sort_arena = n1_arena_new();
	s->slots = n1_alloc(arena, (size_t) (q->n_slots + 1) * sizeof(*s->slots));
	x->depth++;
	if (x->depth > MAX_DEPTH)
		exec_fail(x, 5000, 0, "More than %d selects within selects.", MAX_DEPTH);
	else if (q->recursive)
		exec_fail(x, 5000, 0, "WITH RECURSIVE is not supported by this test cluster.");
	else if (bind_with(s) && eval_limits(s))
		s->source = source_open(s, q->query);
	if (s->source != NULL)
		return s;
	select_close(s);
	return NULL;
}

void
select_close(SelectRun *s)
{
	s->x->depth--;
	if (s->source != NULL)
		source_close(s->source);
	n1_arena_free(s->sort_arena);
	n1_arena_free(s->work);
	n1_arena_free(s->arena);
}

bool
select_next(SelectRun *s, N1Value **row)
{
	N1Value   **slots = s->x->ev.slots;
	int			n_slots = s->x->ev.n_slots;
	bool		found = false;

	while (!(s->has_limit && s->limit <= 0) && next_unlimited(s, row))
	{
		if (s->offset > 0)
		{
			s->offset--;
			continue;
		}
		s->limit--;
		found = true;
		break;
	}
	s->x->ev.slots = slots;
	s->x->ev.n_slots = n_slots;
	return found;
}

const N1Name *
select_names(const SelectRun *s, size_t *n)
{
	SubRun	   *sub = source_sub(s->source);

	if (s->select->n_order > 0)
	{
		const KeptRow *r = s->sorted.v[s->at - 1];

		*n = r->n_names;
		return r->names;
	}
	if (sub == NULL || sub->order == NULL)
		return NULL;
	*n = (size_t) sub->n_order;
	return sub->order;
}

N1Value *
select_rows(Exec *x, const N1Select *q, const N1Row *outer, N1Arena *a)
{
	SelectRun  *s = select_open(x, q, outer);
	ValueList	rows = {0};
	N1Value    *row;

	if (s == NULL)
		return NULL;
	while (select_next(s, &row))
		list_add(a, &rows, row->type == N1_MISSING ? &n1_null : n1_copy(a, row));
	select_close(s);
	return exec_failed(x) ? NULL : n1_array(a, rows.v, rows.n);
}
