/*
 * walk.c: visits the selects and the FROM terms of a statement.
 */
#include "walk.h"

static bool
walk_binds(const Walk *w, const N1Bind *b, int n)
{
	for (int i = 0; i < n; i++)
		if (!walk_expr(w, b[i].expr))
			return false;
	return true;
}

static bool
walk_exprs(const Walk *w, N1Expr **e, int n)
{
	for (int i = 0; i < n; i++)
		if (!walk_expr(w, e[i]))
			return false;
	return true;
}

static bool
walk_sorts(const Walk *w, const N1Sort *s, int n)
{
	for (int i = 0; i < n; i++)
		if (!walk_expr(w, s[i].expr))
			return false;
	return true;
}

bool
walk_expr(const Walk *w, const N1Expr *e)
{
	if (e == NULL)
		return true;
	if (!walk_exprs(w, e->args, e->n_args) || !walk_binds(w, e->binds, e->n_binds) || !walk_expr(w, e->cond) ||
		!walk_expr(w, e->filter))
		return false;
	if (e->window != NULL && (!walk_exprs(w, e->window->partition, e->window->n_partition) ||
							  !walk_sorts(w, e->window->order, e->window->n_order) ||
							  !walk_expr(w, e->window->from_expr) || !walk_expr(w, e->window->to_expr)))
		return false;
	return e->kind != N1E_SUBQUERY || walk_select(w, e->select);
}

static bool
walk_from(const Walk *w, const N1From *f)
{
	if (f == NULL)
		return true;
	if (w->on_from != NULL && !w->on_from(f, w->arg))
		return false;
	return walk_from(w, f->left) && walk_from(w, f->right) && walk_expr(w, f->keys) && walk_expr(w, f->on) &&
		(f->kind != N1FR_EXPR && f->kind != N1FR_UNNEST ? true : walk_expr(w, f->expr)) &&
		(f->kind != N1FR_SUBQUERY || walk_select(w, f->select));
}

static bool
walk_terms(const Walk *w, const N1Term *t, int n)
{
	for (int i = 0; i < n; i++)
		if (!walk_expr(w, t[i].expr))
			return false;
	return true;
}

static bool
walk_sub(const Walk *w, const N1Sub *s)
{
	return walk_from(w, s->from) && walk_binds(w, s->let, s->n_let) && walk_expr(w, s->where) &&
		walk_terms(w, s->group, s->n_group) && walk_binds(w, s->letting, s->n_letting) && walk_expr(w, s->having) &&
		walk_terms(w, s->terms, s->n_terms);
}

static bool
walk_query(const Walk *w, const N1Query *q)
{
	if (q == NULL)
		return true;
	if (q->op == N1S_SELECT)
		return walk_sub(w, q->sub);
	if (q->op == N1S_PAREN)
		return walk_select(w, q->select);
	return walk_query(w, q->left) && walk_query(w, q->right);
}

bool
walk_select(const Walk *w, const N1Select *s)
{
	if (w->on_select != NULL && !w->on_select(s, w->arg))
		return false;
	return walk_binds(w, s->with, s->n_with) && walk_query(w, s->query) && walk_sorts(w, s->order, s->n_order) &&
		walk_expr(w, s->limit) && walk_expr(w, s->offset);
}
