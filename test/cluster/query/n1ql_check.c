/*
 * Aggregates and window functions of a query: where they may stand, their slots, what survives grouping.
 */
#include "n1ql_resolve.h"

#include <ctype.h>
#include <string.h>

/* ---- named windows ---- */

static N1Window *
find_window(const N1Sub *s, const char *name)
{
	for (int i = 0; i < s->n_named; i++)
		if (s->named_names[i] == name)
			return s->named[i];
	return NULL;
}

/* Takes over what the window that w is based on says and w does not. */
static void
complete_window(N1Parser *P, const N1Sub *s, N1Window *w, int depth)
{
	N1Window   *base;

	if (w->base == NULL)
		return;
	base = find_window(s, w->base);
	if (base == NULL || depth > s->n_named)
		n1p_fail(P, 4000, 404, "Window clause %s not found.", w->base);
	complete_window(P, s, base, depth + 1);
	if (w->n_partition == 0)
	{
		w->partition = base->partition;
		w->n_partition = base->n_partition;
	}
	if (w->n_order == 0)
	{
		w->order = base->order;
		w->n_order = base->n_order;
	}
	if (w->unit == N1W_NONE)
	{
		w->unit = base->unit;
		w->from = base->from;
		w->to = base->to;
		w->from_expr = base->from_expr;
		w->to_expr = base->to_expr;
		w->exclude = base->exclude;
	}
	w->base = NULL;
}

static void
push(N1Parser *P, N1List *out, N1Expr *e)
{
	if (e != NULL)
		n1p_push(P, out, e);
}

void
n1p_children(N1Parser *P, N1Expr *e, N1List *out)
{
	for (int i = 0; i < e->n_args; i++)
		push(P, out, e->args[i]);
	for (int i = 0; i < e->n_binds; i++)
		push(P, out, e->binds[i].expr);
	push(P, out, e->cond);
	push(P, out, e->filter);
	if (e->window == NULL)
		return;
	for (int i = 0; i < e->window->n_partition; i++)
		push(P, out, e->window->partition[i]);
	for (int i = 0; i < e->window->n_order; i++)
		push(P, out, e->window->order[i].expr);
	push(P, out, e->window->from_expr);
	push(P, out, e->window->to_expr);
}

static void
name_windows(N1Parser *P, N1Sub *s, N1Expr *e)
{
	N1List		parts = {0};

	if (e->window != NULL)
		complete_window(P, s, e->window, 0);
	n1p_children(P, e, &parts);
	for (int i = 0; i < parts.n; i++)
		name_windows(P, s, parts.v[i]);
}

void
n1p_name_windows(N1Parser *P, N1Sub *s)
{
	for (int i = 0; i < s->n_terms; i++)
		name_windows(P, s, s->terms[i].expr);
}

/* ---- what a window may be ---- */

static _Noreturn void
bad_window(N1Parser *P, const N1Func *f, const char *what)
{
	char		name[32];
	size_t		i;

	for (i = 0; f->name[i] != '\0' && i + 1 < sizeof(name); i++)
		name[i] = (char) toupper((unsigned char) f->name[i]);
	name[i] = '\0';
	n1p_fail(P, 3220, 500, "%s window function %s", name, what);
}

static bool
is_one_of(const N1Func *f, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcmp(f->name, *names) == 0)
			return true;
	return false;
}

/* An offset of a frame: a constant that is a number, not negative, whole unless of RANGE. */
static void
check_offset(N1Parser *P, const N1Func *f, const N1Window *w, N1Expr *e)
{
	N1Value    *v = e->kind == N1E_CONST ? e->value : NULL;
	bool		negative = e->kind == N1E_NEG && e->constant;
	int64_t		i;

	if ((e->constant || e->kind == N1E_PARAM) && !negative &&
		(v == NULL || (v->type == N1_NUMBER && n1_num(v) >= 0 && (w->unit == N1W_RANGE || n1_as_int(v, &i)))))
		return;
	bad_window(P, f, "window frame value expression is invalid.");
}

static bool
bad_bounds(const N1Window *w)
{
	if (w->from == N1B_UNBOUNDED_FOLLOWING || w->to == N1B_UNBOUNDED_PRECEDING)
		return true;
	if (w->to == N1B_PRECEDING && w->from != N1B_PRECEDING && w->from != N1B_UNBOUNDED_PRECEDING)
		return true;
	return w->from == N1B_FOLLOWING && w->to != N1B_FOLLOWING && w->to != N1B_UNBOUNDED_FOLLOWING;
}

static void
check_window(N1Parser *P, N1Expr *e)
{
	static const char *const ordered[] = {
		"rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead", NULL
	};
	static const char *const unframed[] = {
		"rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead", "row_number", NULL
	};
	static const char *const counted[] = {"lag", "lead", "nth_value", NULL};
	N1Window   *w = e->window;
	N1Value    *v;
	int64_t		i;

	if (is_one_of(e->func, counted) && e->n_args > 1)
	{
		v = e->args[1]->kind == N1E_CONST ? e->args[1]->value : NULL;
		if ((v != NULL && (v->type != N1_NUMBER || n1_num(v) < 0 || !n1_as_int(v, &i))) ||
			(e->args[1]->kind == N1E_NEG && e->args[1]->constant))
			bad_window(P, e->func, "second value must be positive non zero integer.");
	}
	if (w->n_order == 0 && w->unit != N1W_NONE)
		bad_window(P, e->func, "window frame is not allowed without ORDER BY.");
	if (w->n_order == 0 && is_one_of(e->func, ordered))
		bad_window(P, e->func, "ORDER BY clause is required.");
	if (w->unit == N1W_NONE)
		return;
	if (is_one_of(e->func, unframed))
		bad_window(P, e->func, "window frame is not allowed.");
	if (bad_bounds(w))
		bad_window(P, e->func, "invalid window frame.");
	if (w->from_expr != NULL)
		check_offset(P, e->func, w, w->from_expr);
	if (w->to_expr != NULL)
		check_offset(P, e->func, w, w->to_expr);
	if (w->unit == N1W_RANGE && w->n_order > 1 && (w->from_expr != NULL || w->to_expr != NULL))
		bad_window(P, e->func, "multiple ORDER BY terms are not allowed.");
}

static void
check_windows(N1Parser *P, N1Expr *e)
{
	N1List		parts = {0};

	n1p_children(P, e, &parts);
	for (int i = 0; i < parts.n; i++)
		check_windows(P, parts.v[i]);
	if (e->window != NULL)
		check_window(P, e);
}

/* ---- collecting ---- */

typedef struct Collect
{
	N1Parser   *P;
	N1Select   *select;
	N1List		aggs;
	N1List		windows;
} Collect;

/* Puts the aggregate on the list unless the same one is there; either way it gets its slot. */
static void
enlist(Collect *c, N1List *l, N1Expr *e)
{
	for (int i = 0; i < l->n; i++)
	{
		N1Expr	   *other = l->v[i];

		if (other == e)
			return;
		if (n1_expr_same(other, e))
		{
			e->slot = other->slot;
			return;
		}
	}
	if (e->slot < 0)
		e->slot = c->select->n_slots++;
	n1p_push(c->P, l, e);
}

static void
collect(Collect *c, N1Expr *e)
{
	int			aggs = c->aggs.n,
				windows = c->windows.n;
	N1List		parts = {0};
	bool		is_agg = e->kind == N1E_FUNC && (e->func->flags & (N1F_AGGREGATE | N1F_WINDOW)) != 0;
	const char *near;

	n1p_children(c->P, e, &parts);
	for (int i = 0; i < parts.n; i++)
		collect(c, parts.v[i]);
	if (!is_agg)
		return;
	near = n1p_near(c->P, e->line, e->col);
	if (e->window == NULL && aggs != c->aggs.n)
		n1p_fail(c->P, 4000, 404, "Nested aggregates are not allowed%s.", near);
	if (windows != c->windows.n)
		n1p_fail(c->P, 4000, 404, "Window aggregates are not allowed inside %s%s.",
				 e->window == NULL ? "Aggregates" : "Window Aggregates", near);
	if (e->filter != NULL && e->filter->kind == N1E_SUBQUERY)
		n1p_fail(c->P, 4000, 404, "Subqueries are not allowed in aggregate filter%s.",
				 n1p_near(c->P, e->filter->line, e->filter->col));
	enlist(c, e->window == NULL ? &c->aggs : &c->windows, e);
}

/* The place of the first of the aggregates, or of e when they have none. */
static const char *
first_place(Collect *c, const N1List *l, const N1Expr *e)
{
	const N1Expr *best = NULL;

	for (int i = 0; i < l->n; i++)
	{
		const N1Expr *a = l->v[i];

		if (best == NULL || a->line < best->line || (a->line == best->line && a->col < best->col))
			best = a;
	}
	if (best == NULL || best->line == 0)
		best = e;
	return n1p_near(c->P, best->line, best->col);
}

/* Fails when the clause e brought aggregates or windows that it must not have. */
static void
refuse(Collect *c, const char *clause, const N1Expr *e, bool aggs_too)
{
	if (aggs_too && c->aggs.n > 0)
		n1p_fail(c->P, 4000, 404, "Aggregates not allowed in %s%s.", clause, first_place(c, &c->aggs, e));
	if (c->windows.n > 0)
		n1p_fail(c->P, 4000, 404, "Window Aggregates not allowed in %s%s.", clause, first_place(c, &c->windows, e));
}

static void
collect_all(Collect *c, N1Sub *s, const N1Select *order)
{
	bool		had;

	for (int i = 0; i < s->n_let; i++)
		collect(c, s->let[i].expr);
	if (s->n_let > 0)
		refuse(c, "LET", s->let[0].expr, true);
	if (s->where != NULL)
	{
		collect(c, s->where);
		refuse(c, "WHERE", s->where, true);
	}
	for (int i = 0; i < s->n_group; i++)
		collect(c, s->group[i].expr);
	if (s->n_group > 0)
		refuse(c, "GROUP BY", s->group[0].expr, true);
	for (int i = 0; i < s->n_letting; i++)
		collect(c, s->letting[i].expr);
	if (s->n_letting > 0)
		refuse(c, "LETTING", s->letting[0].expr, false);
	if (s->having != NULL)
	{
		collect(c, s->having);
		refuse(c, "HAVING", s->having, false);
	}
	for (int i = 0; i < s->n_terms; i++)
		collect(c, s->terms[i].expr);
	had = c->aggs.n > 0;
	for (int i = 0; order != NULL && i < order->n_order; i++)
		collect(c, order->order[i].expr);
	if (!had && !s->grouped && c->aggs.n > 0)
		n1p_fail(c->P, 4000, 404, "Aggregates not available for this ORDER BY%s.",
				 first_place(c, &c->aggs, c->aggs.v[0]));
}

/* ---- grouping ---- */

typedef struct Grouping
{
	N1Parser   *P;
	const N1Sub *sub;
	const N1Select *order;		/* its projection's names may be used, too */
	const N1Expr *inside[N1_MAX_DEPTH];	/* collections whose variables may be used */
	int			depth;
} Grouping;

static bool
name_survives(const Grouping *g, const char *name)
{
	const N1Sub *s = g->sub;

	for (int i = 0; i < s->n_group; i++)
		if (s->group[i].alias == name)
			return true;
	for (int i = 0; i < s->n_letting; i++)
		if (s->letting[i].var == name)
			return true;
	for (int i = 0; g->order != NULL && i < s->n_terms; i++)
		if (!s->terms[i].star && s->terms[i].alias == name)
			return true;
	for (int i = 0; i < g->depth; i++)
		for (int j = 0; j < g->inside[i]->n_binds; j++)
			if (g->inside[i]->binds[j].var == name || g->inside[i]->binds[j].name_var == name)
				return true;
	return s->group_as == name;
}

static bool
survives(Grouping *g, N1Expr *e, const N1Expr **culprit)
{
	N1List		parts = {0};
	bool		collection = e->kind >= N1E_ANY && e->kind <= N1E_COLL_OBJECT;
	bool		ok = true;

	for (int i = 0; i < g->sub->n_group; i++)
		if (n1_expr_same(e, g->sub->group[i].expr))
			return true;
	if (e->kind == N1E_IDENT)
		return name_survives(g, e->name);
	if (e->kind == N1E_SUBQUERY)
		return !e->lookup;
	if (e->kind == N1E_FUNC && (e->func->flags & (N1F_AGGREGATE | N1F_WINDOW)) && e->window == NULL)
		return true;
	n1p_children(g->P, e, &parts);
	if (collection && g->depth < N1_MAX_DEPTH)
		g->inside[g->depth++] = e;
	for (int i = 0; i < parts.n && ok; i++)
	{
		ok = survives(g, parts.v[i], culprit);
		if (!ok && e->kind == N1E_FUNC && e->window != NULL)
			*culprit = parts.v[i];
	}
	if (collection)
		g->depth--;
	return ok;
}

static void
must_survive(Grouping *g, N1Expr *e)
{
	const N1Expr *culprit = NULL;
	N1Buf		b;

	if (survives(g, e, &culprit))
		return;
	if (culprit == NULL)
		culprit = e;
	n1_buf_init(&b, g->P->arena);
	n1_expr_text(&b, culprit);
	n1p_fail(g->P, 4210, 500, "Expression %s%s must depend only on group keys or aggregates.", b.s,
			 n1p_near(g->P, culprit->line, culprit->col));
}

static void
check_grouping(N1Parser *P, N1Sub *s, const N1Select *order)
{
	Grouping   *g = n1_alloc(P->arena, sizeof(*g));

	g->P = P;
	g->sub = s;
	for (int i = 0; i < s->n_letting; i++)
		must_survive(g, s->letting[i].expr);
	if (s->having != NULL)
		must_survive(g, s->having);
	for (int i = 0; i < s->n_terms; i++)
		if (s->terms[i].expr->kind != N1E_SELF)
			must_survive(g, s->terms[i].expr);
	g->order = order;
	for (int i = 0; order != NULL && i < order->n_order; i++)
		must_survive(g, order->order[i].expr);
}

/* ---- lists that the server looks up in a table ---- */

/* The same for every row: constants, parameters and what is made of them, a subquery that stands for itself. */
static bool
is_static(const N1Expr *e)
{
	if (e->kind == N1E_SUBQUERY)
		return !e->lookup;
	if (e->kind == N1E_PARAM || e->kind == N1E_CONST)
		return true;
	if (e->kind == N1E_IDENT || e->kind == N1E_SELF || (e->kind >= N1E_ANY && e->kind <= N1E_COLL_OBJECT) ||
		(e->kind == N1E_FUNC && (e->func->flags & (N1F_AGGREGATE | N1F_WINDOW | N1F_VOLATILE))))
		return false;
	for (int i = 0; i < e->n_args; i++)
		if (e->args[i] != NULL && (e->args[i]->kind == N1E_SUBQUERY || !is_static(e->args[i])))
			return false;
	return true;
}

static void
mark_lists(N1Parser *P, N1Expr *e)
{
	N1List		parts = {0};

	if (e == NULL)
		return;
	if (e->kind == N1E_IN)
		e->hashed = is_static(e->args[1]);
	n1p_children(P, e, &parts);
	for (int i = 0; i < parts.n; i++)
		mark_lists(P, parts.v[i]);
}

static void
mark_from(N1Parser *P, N1From *f)
{
	if (f == NULL || f->left == NULL)
		return;
	mark_from(P, f->left);
	if (f->kind == N1FR_JOIN || f->kind == N1FR_NEST)
		mark_lists(P, f->on);
}

static void
check_sub(N1Parser *P, N1Select *select, N1Sub *s, const N1Select *order)
{
	Collect		c = {.P = P,.select = select};

	for (int i = 0; i < s->n_terms; i++)
		check_windows(P, s->terms[i].expr);
	collect_all(&c, s, order);
	s->aggs = (N1Expr **) c.aggs.v;
	s->n_aggs = c.aggs.n;
	s->windows = (N1Expr **) c.windows.v;
	s->n_windows = c.windows.n;
	if (s->n_aggs > 0)
		s->grouped = true;
	if (s->grouped)
		check_grouping(P, s, order);
	n1p_simplify_where(P, s);
	mark_lists(P, s->where);
	mark_lists(P, s->having);
	mark_from(P, s->from);
}

static void
check_query(N1Parser *P, N1Select *s, N1Query *q)
{
	if (q->op == N1S_SELECT)
		check_sub(P, s, q->sub, q == s->query ? s : NULL);
	else if (q->op != N1S_PAREN)
	{
		check_query(P, s, q->left);
		check_query(P, s, q->right);
	}
}

void
n1p_check_select(N1Parser *P, N1Select *s)
{
	check_query(P, s, s->query);
}
