/*
 * group.c: GROUP BY, LETTING, HAVING. A group shows the names of its first row.
 */
#include <string.h>

#include "exec.h"

typedef struct Group
{
	KeptRow    *row;
	N1Value   **keys;
	AggState  **aggs;
	ValueList	members;			/* GROUP AS */
} Group;

static Group *
group_new(SubRun *s, N1Value **keys, int n_keys)
{
	Group	   *g = n1_alloc(s->arena, sizeof(*g));

	g->keys = n1_alloc(s->arena, (size_t) (n_keys + 1) * sizeof(*g->keys));
	for (int i = 0; i < n_keys; i++)
		g->keys[i] = n1_copy(s->arena, keys[i]);

	g->row = sub_keep_row(s, s->arena, s->run->select->n_slots);
	g->aggs = n1_alloc(s->arena, (size_t) (s->sub->n_aggs + 1) * sizeof(*g->aggs));
	for (int i = 0; i < s->sub->n_aggs; i++)
		g->aggs[i] = agg_new(s->x, s->arena, s->sub->aggs[i]);
	return g;
}

/* A row as GROUP AS keeps it: the names of FROM. */
static N1Value *
group_member(SubRun *s)
{
	N1Pair	   *pairs = n1_alloc(s->arena, (size_t) (s->n_from + 1) * sizeof(*pairs));
	size_t		n = 0;

	for (int i = 0; i < s->n_from; i++)
		if (s->frame[i].value->type != N1_MISSING)
			pairs[n++] = (N1Pair) {s->frame[i].name, strlen(s->frame[i].name), n1_copy(s->arena, s->frame[i].value)};
	return n1_object(s->arena, pairs, n);
}

static bool
add_row(SubRun *s, Group *g)
{
	for (int i = 0; i < s->sub->n_aggs; i++)
		if (!agg_row(g->aggs[i], &s->row))
			return false;
	if (s->sub->group_as != NULL)
		list_add(s->arena, &g->members, group_member(s));
	return true;
}

/* The values of the expressions of GROUP BY; false: error. */
static bool
group_keys(SubRun *s, N1Value **keys)
{
	for (int i = 0; i < s->sub->n_group; i++)
	{
		keys[i] = exec_eval(s->x, s->row_arena, s->sub->group[i].expr, &s->row, "GROUP key");
		if (keys[i] == NULL)
			return false;
	}
	return true;
}

/* What tells groups apart: the text of their keys, as it prints. */
static N1Value *
group_text(SubRun *s, N1Value **keys)
{
	N1Buf		b;

	n1_buf_init(&b, s->row_arena);
	for (int i = 0; i < s->sub->n_group; i++)
	{
		if (keys[i]->type != N1_MISSING)
			n1_json_write(&b, keys[i]);
		n1_buf_char(&b, ',');
	}
	return n1_string(s->row_arena, b.s, b.n);
}

/* Puts the results of the aggregates and the names of the keys into the kept row of the group. */
static void
finish_group(SubRun *s, Group *g)
{
	int			at = s->n_from;

	for (int i = 0; i < s->sub->n_aggs; i++)
		g->row->slots[s->sub->aggs[i]->slot] = agg_result(g->aggs[i], s->arena);
	for (int i = 0; i < s->sub->n_group; i++)
		if (s->sub->group[i].alias != NULL)
			g->row->frame[at++] = g->keys[i];
	if (s->sub->group_as != NULL)
		g->row->frame[at++] = n1_array(s->arena, g->members.v, g->members.n);
}

bool
group_build(SubRun *s)
{
	ValueSet   *set = set_new(s->arena, 1);
	N1Value   **keys = n1_alloc(s->arena, (size_t) (s->sub->n_group + 1) * sizeof(*keys));
	Group	  **groups = NULL;
	size_t		cap = 0;
	bool		added;

	while (sub_filtered_next(s))
	{
		N1Value    *text;
		size_t		at;

		if (!group_keys(s, keys))
			return false;
		text = group_text(s, keys);
		at = set_add(set, &text, &added);
		if (at >= cap)
		{
			Group	  **more = n1_alloc(s->arena, (2 * cap + 16) * sizeof(*more));

			if (cap > 0)
				memcpy(more, groups, cap * sizeof(*more));
			groups = more;
			cap = 2 * cap + 16;
		}
		if (added)
			groups[at] = group_new(s, keys, s->sub->n_group);
		if (!add_row(s, groups[at]))
			return false;
	}
	if (exec_failed(s->x))
		return false;
	if (set_size(set) == 0 && s->sub->n_group == 0)
	{
		Group	   *g;

		for (int i = 0; i < s->n_frame; i++)
			s->frame[i].value = &n1_missing;
		g = group_new(s, keys, 0);
		finish_group(s, g);
		rows_add(s->arena, &s->groups, g->row);
		return true;
	}
	for (size_t i = 0; i < set_size(set); i++)
	{
		finish_group(s, groups[i]);
		rows_add(s->arena, &s->groups, groups[i]->row);
	}
	return true;
}

static bool
bind_letting(SubRun *s)
{
	int			first = s->n_frame - s->sub->n_letting;

	for (int i = 0; i < s->sub->n_letting; i++)
	{
		N1Value    *v = exec_eval(s->x, s->row_arena, s->sub->letting[i].expr, &s->row, "LETTING");

		if (v == NULL)
			return false;
		s->frame[first + i].value = v;
	}
	return true;
}

bool
sub_grouped_next(SubRun *s)
{
	if (!s->grouped && !group_build(s))
		return false;
	s->grouped = true;
	while (s->at < s->groups.n && !exec_tick(s->x))
	{
		bool		truth = true;

		n1_arena_clear(s->row_arena);
		sub_show_row(s, s->groups.v[s->at++]);
		if (!bind_letting(s))
			return false;
		if (s->sub->having != NULL && !exec_true(s->x, s->row_arena, s->sub->having, &s->row, "HAVING", &truth))
			return false;
		if (truth)
			return true;
	}
	return false;
}
