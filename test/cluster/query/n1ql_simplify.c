/*
 * WHERE without its constants, as the server leaves them out before it runs anything. That is no mere short cut: a
 * constant NULL in an OR below a NOT makes a difference, and the server's answers show it.
 */
#include "n1ql_resolve.h"

#include <string.h>

/* Functions that may give something for a MISSING or NULL argument. */
static bool
is_conditional(const N1Func *f)
{
	const N1FuncTable *t = &n1_funcs_cond;

	if (f >= t->f && f < t->f + t->n)
		return true;
	return strncmp(f->name, "object_", 7) == 0 || strncmp(f->name, "array_", 6) == 0 || strncmp(f->name, "type", 4) == 0;
}

/* Does MISSING (or NULL) anywhere in the expression make it all MISSING (or NULL), as the server sees it? */
static bool
propagates(const N1Expr *e, bool missing)
{
	switch ((N1ExprKind) e->kind)
	{
		case N1E_IS_MISSING:
		case N1E_IS_NOT_MISSING:
		case N1E_IS_VALUED:
		case N1E_IS_NOT_VALUED:
		case N1E_IS_DISTINCT:
		case N1E_IS_NOT_DISTINCT:
		case N1E_CASE:
		case N1E_SUBQUERY:
		case N1E_EXISTS:
			return false;
		case N1E_IS_NULL:
		case N1E_IS_NOT_NULL:
			if (!missing)
				return false;
			break;
		case N1E_ARRAY:
		case N1E_OBJECT:
			return e->constant;
		case N1E_FUNC:
			if (is_conditional(e->func))
				return false;
			break;
		default:
			if (e->kind >= N1E_ANY && e->kind <= N1E_COLL_OBJECT)
				return false;
			break;
	}
	for (int i = 0; i < e->n_args; i++)
		if (e->args[i] != NULL && !propagates(e->args[i], missing))
			return false;
	return true;
}

/* The value that an expression has for every row, or NULL. */
static N1Value *
value_of(N1Parser *P, const N1Expr *e)
{
	N1Eval		ev = {.arena = P->arena,.keep = P->arena,.quiet = 1};
	N1Value    *null = NULL;

	if (e->kind == N1E_CONST)
		return e->value;
	if (e->kind == N1E_FUNC && (e->func->flags & (N1F_AGGREGATE | N1F_WINDOW | N1F_VOLATILE)))
		return NULL;
	if (e->constant)
		return n1_eval(&ev, e, NULL);
	if (e->kind == N1E_OR || e->kind == N1E_SUBQUERY)
		return NULL;
	for (int i = 0; i < e->n_args; i++)
	{
		N1Value    *v = e->args[i] ? value_of(P, e->args[i]) : NULL;

		if (v != NULL && v->type == N1_MISSING && propagates(e, true))
			return v;
		if (v != NULL && v->type == N1_NULL && null == NULL && propagates(e, false))
			null = v;
	}
	return null;
}

static void simplify(N1Parser *P, N1Expr **ep);

/* AND without what is always true, or FALSE if something is never; OR the other way round. */
static void
simplify_logic(N1Parser *P, N1Expr **ep)
{
	N1Expr	   *e = *ep;
	bool		is_or = e->kind == N1E_OR;
	int			n = 0;

	for (int i = 0; i < e->n_args; i++)
	{
		N1Value    *v;

		simplify(P, &e->args[i]);
		v = value_of(P, e->args[i]);
		if (v == NULL)
			e->args[n++] = e->args[i];
		else if (n1_truth(v) == is_or)
		{
			*ep = n1p_const(P, n1_bool(is_or), 0, 0);
			return;
		}
	}
	e->n_args = n;
	if (n == 0)
		*ep = n1p_const(P, n1_bool(!is_or), 0, 0);
	else if (n == 1)
		*ep = e->args[0];
}

static void
simplify(N1Parser *P, N1Expr **ep)
{
	N1Expr	   *e = *ep;

	if (e->kind == N1E_AND || e->kind == N1E_OR)
	{
		simplify_logic(P, ep);
		return;
	}
	for (int i = 0; i < e->n_args; i++)
		if (e->args[i] != NULL)
			simplify(P, &e->args[i]);
	for (int i = 0; i < e->n_binds; i++)
		simplify(P, &e->binds[i].expr);
	if (e->cond != NULL)
		simplify(P, &e->cond);
}

void
n1p_simplify_where(N1Parser *P, N1Sub *s)
{
	N1Value    *v;

	if (s->where == NULL)
		return;
	if (s->where->kind == N1E_AND || s->where->kind == N1E_OR)
		simplify(P, &s->where);
	v = value_of(P, s->where);
	if (v != NULL)
		s->where = n1_truth(v) ? NULL : n1p_const(P, &n1_false, 0, 0);
}
