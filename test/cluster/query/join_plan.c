/*
 * join_plan.c: what expressions depend on, and which part of a join condition can find partners without trying all.
 */
#include <string.h>

#include "join.h"

/* ---------------------------------------------------------------- names */

void
from_aliases(const N1From *from, void (*fn) (const N1From *leaf, void *arg), void *arg)
{
	if (from->left != NULL)
		from_aliases(from->left, fn, arg);
	if (from->right != NULL)
		from_aliases(from->right, fn, arg);
	if (from->right == NULL && from->alias != NULL)
		fn(from, arg);
}

typedef struct Wanted
{
	const char *name;
	bool		found;
} Wanted;

static void
match_alias(const N1From *leaf, void *arg)
{
	Wanted	   *w = arg;

	if (leaf->alias == w->name)
		w->found = true;
}

static bool
is_alias_below(const char *name, const N1From *below)
{
	Wanted		w = {name, false};

	from_aliases(below, match_alias, &w);
	return w.found;
}

/* Calls fn for every expression below and including e; true as soon as it is. Does not enter subqueries. */
static bool
any_expr(const N1Expr *e, bool (*fn) (const N1Expr *e, const void *arg), const void *arg)
{
	if (e == NULL)
		return false;
	if (fn(e, arg))
		return true;
	for (int i = 0; i < e->n_args; i++)
		if (any_expr(e->args[i], fn, arg))
			return true;
	for (int i = 0; i < e->n_binds; i++)
		if (any_expr(e->binds[i].expr, fn, arg))
			return true;
	return any_expr(e->cond, fn, arg) || any_expr(e->filter, fn, arg);
}

static bool
names_alias(const N1Expr *e, const void *arg)
{
	return e->kind == N1E_SUBQUERY || e->kind == N1E_SELF || (e->kind == N1E_IDENT && is_alias_below(e->name, arg));
}

bool
expr_names(const N1Expr *e, const N1From *below)
{
	return any_expr(e, names_alias, below);
}

static bool
is_subquery(const N1Expr *e, const void *arg)
{
	(void) arg;
	return e->kind == N1E_SUBQUERY || e->kind == N1E_EXISTS;
}

bool
expr_has_subquery(const N1Expr *e)
{
	return any_expr(e, is_subquery, NULL);
}

/* ---------------------------------------------------------------- conditions */

/* META(alias).id */
static bool
is_key_of(const N1Expr *e, const N1From *leaf)
{
	const N1Expr *meta;

	if (e->kind != N1E_FIELD || e->name == NULL || strcmp(e->name, "id") != 0)
		return false;
	meta = e->args[0];
	return meta->kind == N1E_FUNC && strcmp(meta->func->name, "meta") == 0 && meta->n_args == 1 &&
		meta->args[0]->kind == N1E_IDENT && meta->args[0]->name == leaf->alias;
}

static bool
plan_equality(JoinState *j, const N1Expr *inner_side, const N1Expr *other)
{
	const N1From *inner = j->inner->from;

	if (expr_names(other, inner))
		return false;
	if (inner->kind == N1FR_KEYSPACE && inner->keys == NULL && j->inner->keyspace->system == NULL &&
		is_key_of(inner_side, inner))
	{
		j->mode = JOIN_LOOKUP;
		j->outer_side = other;
		return true;
	}
	if (j->mode == JOIN_LOOP && !j->reopen && !expr_names(inner_side, j->driver->from) && expr_names(inner_side, inner) &&
		!expr_has_subquery(inner_side))
	{
		j->mode = JOIN_HASH;
		j->inner_side = inner_side;
		j->outer_side = other;
	}
	return false;
}

/* Looks for META(inner).id = expression, else for an equality to hash by, among the terms of an AND. */
void
join_plan(JoinState *j, const N1Expr *on)
{
	if (on == NULL || j->mode == JOIN_LOOKUP)
		return;
	if (on->kind == N1E_AND)
	{
		for (int i = 0; i < on->n_args; i++)
			join_plan(j, on->args[i]);
	}
	else if (on->kind == N1E_EQ && (plan_equality(j, on->args[0], on->args[1]) || plan_equality(j, on->args[1], on->args[0])))
		j->looked_up = on;
}

/* Equal for all values that the operator = finds equal. */
uint64_t
join_hash(const N1Value *v)
{
	uint64_t	h = 14695981039346656037u + v->type;
	double		d;

	switch ((N1Type) v->type)
	{
		case N1_BOOL:
			return h + v->b;
		case N1_NUMBER:
			d = n1_num(v);
			if (d == 0)
				d = 0;
			memcpy(&h, &d, sizeof(h));
			return h * 1099511628211u ^ h >> 29;
		case N1_STRING:
			for (size_t i = 0; i < v->u.str.n; i++)
				h = (h ^ (unsigned char) v->u.str.s[i]) * 1099511628211u;
			return h;
		default:
			return h;
	}
}
