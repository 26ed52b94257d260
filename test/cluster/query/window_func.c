/*
 * window_func.c: the values of window functions.
 */
#include <math.h>
#include <string.h>

#include "window.h"

/* The value of the function at row i; NULL: error. */
typedef N1Value *(*WindowFn) (WindowRun *run, size_t i);

/* ---------------------------------------------------------------- ranks */

static N1Value *
row_number(WindowRun *run, size_t i)
{
	return n1_int(run->s->arena, (int64_t) i + 1);
}

static N1Value *
rank(WindowRun *run, size_t i)
{
	return n1_int(run->s->arena, (int64_t) run->part[i].peers_from + 1);
}

static N1Value *
dense_rank(WindowRun *run, size_t i)
{
	return n1_int(run->s->arena, (int64_t) run->part[i].group + 1);
}

static N1Value *
percent_rank(WindowRun *run, size_t i)
{
	return n1_double(run->s->arena, run->n == 1 ? 0 : (double) run->part[i].peers_from / (double) (run->n - 1));
}

static N1Value *
cume_dist(WindowRun *run, size_t i)
{
	return n1_double(run->s->arena, (double) run->part[i].peers_to / (double) run->n);
}

static N1Value *
ntile(WindowRun *run, size_t i)
{
	N1Value    *v = window_arg(run, i, 0);
	double		tiles;
	size_t		count;
	size_t		size;
	size_t		larger;

	if (v == NULL)
		return NULL;
	if (v->type != N1_NUMBER || (tiles = n1_num(v)) < 1 || trunc(tiles) != tiles)
		return &n1_null;
	count = tiles > (double) run->n ? run->n : (size_t) tiles;
	size = run->n / count;
	larger = run->n % count;
	if (i < larger * (size + 1))
		return n1_int(run->s->arena, (int64_t) (i / (size + 1)) + 1);
	return n1_int(run->s->arena, (int64_t) (larger + (i - larger * (size + 1)) / size) + 1);
}

/* ---------------------------------------------------------------- values of other rows */

static bool
is_absent(const N1Value *v)
{
	return v->type == N1_MISSING || v->type == N1_NULL;
}

static N1Value *
shown(N1Value *v)
{
	return v->type == N1_MISSING ? &n1_null : v;
}

/* LAG and LEAD: the row at a distance, those with NULL not counted if they are ignored. */
static N1Value *
at_distance(WindowRun *run, size_t i, int step)
{
	N1Value    *v;
	double		distance = 1;
	int64_t		at = (int64_t) i;

	if (run->e->n_args > 1)
	{
		v = window_arg(run, i, 1);
		if (v == NULL)
			return NULL;
		if (v->type != N1_NUMBER || trunc(n1_num(v)) != n1_num(v) || n1_num(v) < 0)
			return &n1_null;
		distance = n1_num(v);
	}
	while (distance > 0)
	{
		at += step;
		if (at < 0 || at >= (int64_t) run->n)
			break;
		v = run->e->ignore_nulls ? window_arg(run, (size_t) at, 0) : &n1_true;
		if (v == NULL)
			return NULL;
		distance -= !is_absent(v);
	}
	if (at >= 0 && at < (int64_t) run->n)
		v = window_arg(run, (size_t) at, 0);
	else
		v = run->e->n_args > 2 ? window_arg(run, i, 2) : &n1_null;
	return v == NULL ? NULL : shown(v);
}

static N1Value *
lag(WindowRun *run, size_t i)
{
	return at_distance(run, i, -1);
}

static N1Value *
lead(WindowRun *run, size_t i)
{
	return at_distance(run, i, 1);
}

/* The nth value of the frame, counted from 1, from its end if so asked. */
static N1Value *
nth(WindowRun *run, size_t i, double n, bool backwards)
{
	size_t		from;
	size_t		to;

	if (!window_frame(run, i, &from, &to))
		return NULL;
	for (size_t k = 0; k < to - from; k++)
	{
		size_t		at = backwards ? to - 1 - k : from + k;
		N1Value    *v;

		if (window_excluded(run, i, at))
			continue;
		v = window_arg(run, at, 0);
		if (v == NULL)
			return NULL;
		if (run->e->ignore_nulls && is_absent(v))
			continue;
		if (--n == 0)
			return shown(v);
	}
	return &n1_null;
}

static N1Value *
first_value(WindowRun *run, size_t i)
{
	return nth(run, i, 1, false);
}

static N1Value *
last_value(WindowRun *run, size_t i)
{
	return nth(run, i, 1, true);
}

static N1Value *
nth_value(WindowRun *run, size_t i)
{
	N1Value    *n = window_arg(run, i, 1);

	if (n == NULL)
		return NULL;
	if (n->type != N1_NUMBER || n1_num(n) < 1 || trunc(n1_num(n)) != n1_num(n))
		return &n1_null;
	return nth(run, i, n1_num(n), run->e->from_last);
}

static N1Value *
ratio_to_report(WindowRun *run, size_t i)
{
	N1Value    *mine = window_arg(run, i, 0);
	double		sum = 0;
	size_t		from;
	size_t		to;

	if (mine == NULL || !window_frame(run, i, &from, &to))
		return NULL;
	for (size_t at = from; at < to; at++)
	{
		N1Value    *v = window_excluded(run, i, at) ? &n1_null : window_arg(run, at, 0);

		if (v == NULL)
			return NULL;
		sum += v->type == N1_NUMBER ? n1_num(v) : 0;
	}
	if (mine->type != N1_NUMBER || sum == 0)
		return &n1_null;
	return n1_double(run->s->arena, n1_num(mine) / sum);
}

/* ---------------------------------------------------------------- aggregates */

static bool
add_rows(WindowRun *run, AggState *agg, size_t i, size_t from, size_t to)
{
	for (size_t at = from; at < to; at++)
	{
		if (exec_tick(run->s->x))
			return false;
		if (window_excluded(run, i, at))
			continue;
		window_show(run, at);
		if (!agg_row(agg, &run->s->row))
			return false;
	}
	return true;
}

/* Frames that only grow are added to; a frame that is the one before gives the same value. */
static bool
aggregate_values(WindowRun *run)
{
	AggState   *agg = NULL;
	N1Value    *value = NULL;
	size_t		last_from = 0;
	size_t		last_to = 0;
	bool		excludes = run->w->exclude != N1X_NO_OTHERS;

	for (size_t i = 0; i < run->n; i++)
	{
		size_t		from;
		size_t		to;

		if (exec_tick(run->s->x) || !window_frame(run, i, &from, &to))
			return false;
		if (agg == NULL || excludes || from != last_from || to < last_to)
		{
			agg = agg_new(run->s->x, run->s->arena, run->e);
			value = NULL;
			last_to = from;
		}
		if (to != last_to)
			value = NULL;
		if (!add_rows(run, agg, i, last_to, to))
			return false;
		if (value == NULL)
			value = agg_result(agg, run->s->arena);
		run->part[i].row->slots[run->e->slot] = value;
		last_from = from;
		last_to = to;
	}
	return true;
}

static const struct
{
	const char *name;
	WindowFn	fn;
}			functions[] = {
	{"cume_dist", cume_dist}, {"dense_rank", dense_rank}, {"first_value", first_value}, {"lag", lag},
	{"last_value", last_value}, {"lead", lead}, {"nth_value", nth_value}, {"ntile", ntile},
	{"percent_rank", percent_rank}, {"rank", rank}, {"ratio_to_report", ratio_to_report},
	{"row_number", row_number},
};

bool
window_values(WindowRun *run)
{
	WindowFn	fn = NULL;

	for (size_t f = 0; f < sizeof(functions) / sizeof(functions[0]); f++)
		if (strcmp(functions[f].name, run->e->func->name) == 0)
			fn = functions[f].fn;
	if (fn == NULL)
		return aggregate_values(run);
	for (size_t i = 0; i < run->n; i++)
	{
		N1Value    *v = exec_tick(run->s->x) ? NULL : fn(run, i);

		if (v == NULL)
			return false;
		run->part[i].row->slots[run->e->slot] = v;
	}
	return true;
}
