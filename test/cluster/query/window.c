/*
 * window.c: window functions: their rows are kept, sorted into partitions, and each gets its values.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "window.h"

void
window_show(WindowRun *run, size_t i)
{
	sub_show_row(run->s, run->part[i].row);
}

N1Value *
window_arg(WindowRun *run, size_t i, int k)
{
	window_show(run, i);
	return exec_eval(run->s->x, run->s->arena, run->e->args[k], &run->s->row, "window function");
}

/* ---------------------------------------------------------------- frames */

/* A bound that counts rows or groups, or a distance; false: error. */
static bool
bound_value(WindowRun *run, size_t i, const N1Expr *e, double *out)
{
	N1Value    *v;

	window_show(run, i);
	v = exec_eval(run->s->x, run->s->arena, e, &run->s->row, "window frame");
	if (v == NULL)
		return false;
	if (v->type != N1_NUMBER || n1_num(v) < 0)
		return exec_fail(run->s->x, 3220, 500, "%s window function window frame value expression is invalid.",
						 run->e->func->name);
	*out = n1_num(v);
	return true;
}

/* The first row whose group is at least g. */
static size_t
group_start(const WindowRun *run, double g)
{
	size_t		i = 0;

	while (i < run->n && (double) run->part[i].group < g)
		i = run->part[i].peers_to;
	return i;
}

/* Rows at a distance of the key of row i at most: the edge before (sign -1) or behind it. */
static size_t
range_edge(const WindowRun *run, size_t i, double distance, bool start)
{
	const WindowRow *me = &run->part[i];
	bool		down = run->specs[0].descending;
	double		limit;
	size_t		at = start ? me->peers_from : me->peers_to;

	if (me->keys[0]->type != N1_NUMBER)
		return at;
	limit = n1_num(me->keys[0]) + (down ? -distance : distance);
	for (at = 0; at < run->n; at++)
	{
		const N1Value *k = run->part[at].keys[0];
		double		v;

		if (k->type != N1_NUMBER)
		{
			if (at < me->peers_from)
				continue;
			break;
		}
		v = n1_num(k);
		if (start ? (down ? v <= limit : v >= limit) : (down ? v < limit : v > limit))
			break;
	}
	return at;
}

static size_t
clamp(double at, size_t n)
{
	return at < 0 ? 0 : at > (double) n ? n : (size_t) at;
}

/* Where a bound lies: as the beginning of the frame, or as its end (not included). */
static bool
bound_place(WindowRun *run, size_t i, N1FrameBound bound, const N1Expr *e, bool start, size_t *out)
{
	const WindowRow *me = &run->part[i];
	double		distance = 0;

	if (bound == N1B_UNBOUNDED_PRECEDING || bound == N1B_UNBOUNDED_FOLLOWING)
	{
		*out = bound == N1B_UNBOUNDED_PRECEDING ? 0 : run->n;
		return true;
	}
	if (bound != N1B_CURRENT_ROW && !bound_value(run, i, e, &distance))
		return false;
	if (bound == N1B_PRECEDING)
		distance = -distance;
	if (run->w->unit == N1W_ROWS)
		*out = clamp((double) i + distance + (start ? 0 : 1), run->n);
	else if (bound == N1B_CURRENT_ROW)
		*out = start ? me->peers_from : me->peers_to;
	else if (run->w->unit == N1W_GROUPS)
		*out = group_start(run, (double) me->group + distance + (start ? 0 : 1));
	else
		*out = range_edge(run, i, distance, start);
	return true;
}

bool
window_frame(WindowRun *run, size_t i, size_t *from, size_t *to)
{
	if (run->w->unit == N1W_NONE)
	{
		*from = 0;
		*to = run->w->n_order > 0 ? run->part[i].peers_to : run->n;
		return true;
	}
	if (!bound_place(run, i, run->w->from, run->w->from_expr, true, from) ||
		!bound_place(run, i, run->w->to, run->w->to_expr, false, to))
		return false;
	if (*to < *from)
		*to = *from;
	return true;
}

bool
window_excluded(const WindowRun *run, size_t i, size_t at)
{
	const WindowRow *me = &run->part[i];
	bool		peer = at >= me->peers_from && at < me->peers_to;

	switch (run->w->exclude)
	{
		case N1X_CURRENT_ROW:
			return at == i;
		case N1X_GROUP:
			return peer;
		case N1X_TIES:
			return peer && at != i;
		default:
			return false;
	}
}

/* ---------------------------------------------------------------- partitions */

typedef struct SortArg
{
	const N1Window *w;
	const SortSpec *specs;
} SortArg;

static int
compare_partition(const SortArg *arg, const WindowRow *a, const WindowRow *b)
{
	for (int i = 0; i < arg->w->n_partition; i++)
	{
		int			c = n1_collate(a->partition[i], b->partition[i]);

		if (c != 0)
			return c;
	}
	return 0;
}

static int
compare_rows(const void *a, const void *b, void *arg)
{
	const SortArg *s = arg;
	const WindowRow *x = a;
	const WindowRow *y = b;
	int			c = compare_partition(s, x, y);

	if (c == 0)
		c = sort_compare(s->specs, s->w->n_order, x->keys, y->keys);
	return c != 0 ? c : (x->number > y->number) - (x->number < y->number);
}

static bool
eval_list(SubRun *s, N1Value **out, const N1Expr *e, int at)
{
	out[at] = exec_eval(s->x, s->arena, e, &s->row, "window");
	return out[at] != NULL;
}

static bool
fill_row(SubRun *s, const N1Window *w, WindowRow *r, KeptRow *kept, size_t number)
{
	r->row = kept;
	r->number = number;
	r->partition = n1_alloc(s->arena, (size_t) (w->n_partition + 1) * sizeof(*r->partition));
	r->keys = n1_alloc(s->arena, (size_t) (w->n_order + 1) * sizeof(*r->keys));
	sub_show_row(s, kept);
	for (int i = 0; i < w->n_partition; i++)
		if (!eval_list(s, r->partition, w->partition[i], i))
			return false;
	for (int i = 0; i < w->n_order; i++)
		if (!eval_list(s, r->keys, w->order[i].expr, i))
			return false;
	return true;
}

static void
mark_peers(WindowRun *run)
{
	size_t		from = 0;
	size_t		group = 0;

	while (from < run->n)
	{
		size_t		to = from + 1;

		while (to < run->n && sort_compare(run->specs, run->w->n_order, run->part[from].keys, run->part[to].keys) == 0)
			to++;
		for (size_t i = from; i < to; i++)
		{
			run->part[i].peers_from = from;
			run->part[i].peers_to = to;
			run->part[i].group = group;
		}
		group++;
		from = to;
	}
}

/* One window function over all rows. */
static bool
run_window(SubRun *s, const N1Expr *e)
{
	WindowRun	run = {.s = s, .e = e, .w = e->window};
	size_t		n = s->windowed.n;
	WindowRow  *rows = n1_alloc(s->arena, (n + 1) * sizeof(*rows));
	SortArg		arg = {.w = e->window};
	size_t		from = 0;

	if (!sort_specs(s->x, s->arena, e->window->order, e->window->n_order, &s->row, &run.specs))
		return false;
	arg.specs = run.specs;
	for (size_t i = 0; i < n; i++)
		if (exec_tick(s->x) || !fill_row(s, e->window, &rows[i], s->windowed.v[i], i))
			return false;
	if (n > 1)
		qsort_r(rows, n, sizeof(*rows), compare_rows, &arg);
	while (from < n)
	{
		size_t		to = from + 1;

		while (to < n && compare_partition(&arg, &rows[from], &rows[to]) == 0)
			to++;
		run.part = rows + from;
		run.n = to - from;
		mark_peers(&run);
		if (!window_values(&run))
			return false;
		from = to;
	}
	return true;
}

bool
window_build(SubRun *s)
{
	while (s->sub->grouped ? sub_grouped_next(s) : sub_filtered_next(s))
		rows_add(s->arena, &s->windowed, sub_keep_row(s, s->arena, s->run->select->n_slots));
	if (exec_failed(s->x))
		return false;
	for (int i = 0; i < s->sub->n_windows; i++)
		if (!run_window(s, s->sub->windows[i]))
			return false;
	return true;
}
