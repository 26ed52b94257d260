/*
 * order.c: ORDER BY.
 */
#include <stdlib.h>
#include <string.h>

#include "exec.h"

/* A word of ORDER BY: a constant or what a parameter gives. */
static bool
word(Exec *x, N1Arena *a, const N1Expr *e, const N1Row *row, const char *yes, const char *no, bool *out)
{
	N1Value    *v = exec_eval(x, a, e, row, "ORDER BY");

	if (v == NULL)
		return false;
	if (v->type == N1_STRING && v->u.str.n == strlen(yes) && strncasecmp(v->u.str.s, yes, v->u.str.n) == 0)
		*out = true;
	else if (v->type == N1_STRING && v->u.str.n == strlen(no) && strncasecmp(v->u.str.s, no, v->u.str.n) == 0)
		*out = false;
	else
		return exec_fail(x, 5010, 0, "Error evaluating ORDER BY - cause: %s or %s is expected", no, yes);
	return true;
}

bool
sort_specs(Exec *x, N1Arena *a, const N1Sort *order, int n, const N1Row *row, SortSpec **out)
{
	*out = n1_alloc(a, (size_t) (n + 1) * sizeof(**out));
	for (int i = 0; i < n; i++)
	{
		SortSpec   *s = &(*out)[i];

		if (order[i].dir != NULL && !word(x, a, order[i].dir, row, "desc", "asc", &s->descending))
			return false;
		s->nulls_last = s->descending;
		if (order[i].nulls != NULL && !word(x, a, order[i].nulls, row, "last", "first", &s->nulls_last))
			return false;
	}
	return true;
}

static bool
is_absent(const N1Value *v)
{
	return v->type == N1_MISSING || v->type == N1_NULL;
}

int
sort_compare(const SortSpec *specs, int n, N1Value **a, N1Value **b)
{
	for (int i = 0; i < n; i++)
	{
		int			c;

		if (is_absent(a[i]) != is_absent(b[i]))
			return is_absent(a[i]) == specs[i].nulls_last ? 1 : -1;
		c = n1_collate(a[i], b[i]);
		if (c != 0)
			return specs[i].descending ? -c : c;
	}
	return 0;
}

/* ---------------------------------------------------------------- merge sort, which can be interrupted */

static int
compare_rows(const SortSpec *specs, int n, const KeptRow *a, const KeptRow *b)
{
	int			c = sort_compare(specs, n, a->keys, b->keys);

	return c != 0 ? c : (a->number > b->number) - (a->number < b->number);
}

static bool
merge_sort(Exec *x, KeptRow **v, KeptRow **spare, size_t count, const SortSpec *specs, int n)
{
	size_t		half = count / 2;
	size_t		i = 0;
	size_t		j = half;

	if (count < 2)
		return true;
	if (!merge_sort(x, v, spare, half, specs, n) || !merge_sort(x, v + half, spare, count - half, specs, n))
		return false;
	if (exec_tick(x))
		return false;
	for (size_t k = 0; k < count; k++)
	{
		if (j == count || (i < half && compare_rows(specs, n, v[i], v[j]) <= 0))
			spare[k] = v[i++];
		else
			spare[k] = v[j++];
	}
	memcpy(v, spare, count * sizeof(*v));
	return true;
}

bool
rows_sort(Exec *x, RowList *l, const SortSpec *specs, int n)
{
	KeptRow   **spare;
	bool		ok;

	if (l->n < 2)
		return true;
	spare = malloc(l->n * sizeof(*spare));
	if (spare == NULL)
		abort();
	ok = merge_sort(x, l->v, spare, l->n, specs, n);
	free(spare);
	return ok;
}
