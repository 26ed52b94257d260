/*
 * setop.c: UNION, INTERSECT, EXCEPT.
 */
#include <stdlib.h>

#include "exec.h"

typedef struct SetSource
{
	SelectRun  *run;
	const N1Query *query;
	SubRun	   *sub;				/* N1S_SELECT */
	SelectRun  *select;				/* N1S_PAREN */
	struct SetSource *left;
	struct SetSource *right;
	bool		on_right;
	ValueSet   *seen;				/* what was given */
	ValueSet   *other;				/* the right side, with counts */
	size_t	   *counts;
	size_t		cap_counts;
	bool		built;
	N1Arena    *row_arena;			/* a row of which nobody else keeps a copy */
} SetSource;

SetSource *
source_open(SelectRun *run, const N1Query *q)
{
	SetSource  *s = n1_alloc(run->arena, sizeof(*s));

	s->run = run;
	s->query = q;
	if (q->op == N1S_SELECT)
		s->sub = sub_open(run, q->sub);
	else if (q->op == N1S_PAREN)
		s->select = select_open(run->x, q->select, run->outer);
	else
	{
		s->left = source_open(run, q->left);
		s->right = source_open(run, q->right);
		s->seen = set_new(run->arena, 1);
		s->other = set_new(run->arena, 1);
	}
	return s;
}

void
source_close(SetSource *s)
{
	if (s->sub != NULL)
		sub_close(s->sub);
	if (s->select != NULL)
		select_close(s->select);
	if (s->left != NULL)
	{
		source_close(s->left);
		source_close(s->right);
	}
}

SubRun *
source_sub(SetSource *s)
{
	return s->sub;
}

const N1Sub *
source_first(const N1Query *q)
{
	while (q->op != N1S_SELECT)
		q = q->op == N1S_PAREN ? q->select->query : q->left;
	return q->sub;
}

/* Counts how often each row of the right side is there. */
static bool
count_right(SetSource *s)
{
	N1Value    *v;
	bool		added;

	while (source_next(s->right, &v))
	{
		size_t		at = set_add(s->other, &v, &added);

		if (at >= s->cap_counts)
		{
			size_t	   *more = n1_alloc(s->run->arena, (2 * s->cap_counts + 16) * sizeof(*more));

			for (size_t i = 0; i < s->cap_counts; i++)
				more[i] = s->counts[i];
			s->counts = more;
			s->cap_counts = 2 * s->cap_counts + 16;
		}
		s->counts[at]++;
	}
	s->built = true;
	return !exec_failed(s->run->x);
}

static bool
next_union(SetSource *s, N1Value **row)
{
	for (;;)
	{
		bool		added = true;

		if (!s->on_right && !source_next(s->left, row))
		{
			if (exec_failed(s->run->x))
				return false;
			s->on_right = true;
		}
		if (s->on_right && !source_next(s->right, row))
			return false;
		if (s->query->op == N1S_UNION)
			set_add(s->seen, row, &added);
		if (added)
			return true;
	}
}

/* INTERSECT and EXCEPT; with ALL each row of the right side takes one of the left. */
static bool
next_filtered(SetSource *s, N1Value **row)
{
	bool		all = s->query->op == N1S_INTERSECT_ALL || s->query->op == N1S_EXCEPT_ALL;
	bool		except = s->query->op == N1S_EXCEPT || s->query->op == N1S_EXCEPT_ALL;

	if (!s->built && !count_right(s))
		return false;
	while (source_next(s->left, row))
	{
		size_t		at;
		bool		found = set_find(s->other, row, &at) && (!all || s->counts[at] > 0);
		bool		added = true;

		if (found && all)
			s->counts[at]--;
		if (found == except)
			continue;
		if (!all)
			set_add(s->seen, row, &added);
		if (added)
			return true;
	}
	return false;
}

bool
source_next(SetSource *s, N1Value **row)
{
	if (exec_tick(s->run->x))
		return false;
	switch (s->query->op)
	{
		case N1S_SELECT:
			return sub_next(s->sub, row);
		case N1S_PAREN:
			return s->select != NULL && select_next(s->select, row);
		case N1S_UNION:
		case N1S_UNION_ALL:
			return next_union(s, row);
		default:
			return next_filtered(s, row);
	}
}
