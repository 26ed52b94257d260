/*
 * sub.c: one SELECT ... FROM ... WHERE: its frame of names, LET, the filter, and what comes behind it.
 */
#include <stdlib.h>
#include <string.h>

#include "exec.h"

typedef struct FrameNames
{
	SubRun	   *s;
	int			n;
} FrameNames;

static void
add_name(SubRun *s, const char *name)
{
	if (s->frame != NULL)
	{
		s->frame[s->n_frame].name = name;
		s->frame[s->n_frame].value = &n1_missing;
	}
	s->n_frame++;
}

static void
add_from_name(const N1From *leaf, void *arg)
{
	add_name(arg, leaf->alias);
}

/* Counts the names, or fills them in once there is a frame. */
static void
name_frame(SubRun *s)
{
	const N1Sub *sub = s->sub;

	s->n_frame = 0;
	if (sub->from != NULL)
		from_aliases(sub->from, add_from_name, s);
	for (int i = 0; i < sub->n_let; i++)
		add_name(s, sub->let[i].var);
	s->n_from = s->n_frame;
	for (int i = 0; i < sub->n_group; i++)
		if (sub->group[i].alias != NULL)
			add_name(s, sub->group[i].alias);
	if (sub->group_as != NULL)
		add_name(s, sub->group_as);
	for (int i = 0; i < sub->n_letting; i++)
		add_name(s, sub->letting[i].var);
}

SubRun *
sub_open(SelectRun *run, const N1Sub *sub)
{
	SubRun	   *s = n1_alloc(run->arena, sizeof(*s));

	s->x = run->x;
	s->run = run;
	s->sub = sub;
	s->arena = run->arena;
	s->row_arena = n1_arena_new();
	name_frame(s);
	s->frame = n1_alloc(s->arena, (size_t) (s->n_frame + 1) * sizeof(*s->frame));
	name_frame(s);
	s->row.outer = run->outer;
	s->row.b = s->frame;
	s->row.n = s->n_frame;
	s->aliases = n1_alloc(s->arena, (size_t) (sub->n_terms + 1) * sizeof(*s->aliases));
	if (sub->distinct)
		s->seen = set_new(s->arena, 1);
	if (sub->from != NULL)
		s->from = from_build(s, sub->from);
	return s;
}

void
sub_close(SubRun *s)
{
	from_free(s->from);
	n1_arena_free(s->row_arena);
}

/* ---------------------------------------------------------------- FROM, LET, WHERE */

static bool
next_source_row(SubRun *s)
{
	if (!s->started)
	{
		s->started = true;
		return s->from == NULL || (s->from->open(s->from) && s->from->next(s->from));
	}
	return s->from != NULL && s->from->next(s->from);
}

/* Sets the variables of LET; false: error. */
static bool
bind_let(SubRun *s)
{
	int			first = s->n_from - s->sub->n_let;

	for (int i = 0; i < s->sub->n_let; i++)
		s->frame[first + i].value = &n1_missing;
	for (int i = 0; i < s->sub->n_let; i++)
	{
		N1Value    *v = exec_eval(s->x, s->row_arena, s->sub->let[i].expr, &s->row, "LET");

		if (v == NULL)
			return false;
		s->frame[first + i].value = v;
	}
	return true;
}

bool
sub_filtered_next(SubRun *s)
{
	while (!s->over)
	{
		bool		truth = true;

		n1_arena_clear(s->row_arena);
		if (exec_tick(s->x) || !next_source_row(s) || !bind_let(s))
			break;
		if (s->sub->where != NULL && !exec_true(s->x, s->row_arena, s->sub->where, &s->row, "filter", &truth))
			break;
		if (truth)
			return true;
	}
	s->over = true;
	return false;
}

/* ---------------------------------------------------------------- rows that are kept */

KeptRow *
sub_keep_row(SubRun *s, N1Arena *a, int n_slots)
{
	KeptRow    *r = n1_alloc(a, sizeof(*r));

	r->frame = n1_alloc(a, (size_t) (s->n_frame + 1) * sizeof(*r->frame));
	for (int i = 0; i < s->n_frame; i++)
		r->frame[i] = n1_copy(a, s->frame[i].value);
	r->slots = n1_alloc(a, (size_t) (n_slots + 1) * sizeof(*r->slots));
	for (int i = 0; i < n_slots; i++)
		r->slots[i] = s->run->slots[i] != NULL ? n1_copy(a, s->run->slots[i]) : NULL;
	return r;
}

void
sub_show_row(SubRun *s, const KeptRow *r)
{
	for (int i = 0; i < s->n_frame; i++)
		s->frame[i].value = r->frame[i];
	for (int i = 0; i < s->run->select->n_slots; i++)
		if (r->slots[i] != NULL)
			s->run->slots[i] = r->slots[i];
}

/* ---------------------------------------------------------------- all of it */

static bool
next_row(SubRun *s)
{
	if (s->sub->n_windows == 0)
		return s->sub->grouped ? sub_grouped_next(s) : sub_filtered_next(s);
	if (!s->has_windows && !window_build(s))
		return false;
	s->has_windows = true;
	if (s->window_at == s->windowed.n || exec_tick(s->x))
		return false;
	n1_arena_clear(s->row_arena);
	sub_show_row(s, s->windowed.v[s->window_at++]);
	return true;
}

bool
sub_next(SubRun *s, N1Value **value)
{
	for (;;)
	{
		bool		added = true;

		s->x->ev.slots = s->run->slots;
		s->x->ev.n_slots = s->run->select->n_slots;
		if (!next_row(s) || !sub_project(s, value))
			return false;
		if (s->seen != NULL)
			set_add(s->seen, value, &added);
		if (added)
			return true;
	}
}
