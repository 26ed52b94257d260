/*
 * Evaluation: dispatch, names, parameters, logic, comparison, CASE, constructors and calls.
 */
#include "n1ql_eval.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *
format(N1Arena *a, const char *fmt, va_list ap)
{
	va_list		again;
	int			n;
	char	   *s;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	s = n1_alloc(a, (size_t) n + 1);
	vsnprintf(s, (size_t) n + 1, fmt, again);
	va_end(again);
	return s;
}

N1Value *
n1_fail(N1Eval *ev, int code, const char *fmt, ...)
{
	va_list		ap;

	if (ev->err.code != 0)
		return NULL;
	va_start(ap, fmt);
	ev->err = (N1Error) {.code = code,.msg = format(ev->keep, fmt, ap),.http = 200};
	va_end(ap);
	return NULL;
}

static void
keep_warning(N1Eval *ev, int code, const char *msg)
{
	N1Warning **at = ev->last_warning ? ev->last_warning : &ev->warnings;

	if (ev->n_warnings >= N1_MAX_WARNINGS)
		return;
	*at = n1_alloc(ev->keep, sizeof(N1Warning));
	(*at)->code = code;
	(*at)->msg = n1_dup(ev->keep, msg, strlen(msg));
	ev->last_warning = &(*at)->next;
	ev->n_warnings++;
}

void
n1_warn(N1Eval *ev, int code, const char *fmt, ...)
{
	va_list		ap;

	if (ev->quiet > 0)
		return;
	va_start(ap, fmt);
	keep_warning(ev, code, format(ev->arena, fmt, ap));
	va_end(ap);
}

void
n1_warn_once(N1Eval *ev, int code, const char *fmt, ...)
{
	va_list		ap;
	const char *msg;

	if (ev->quiet > 0)
		return;
	va_start(ap, fmt);
	msg = format(ev->arena, fmt, ap);
	va_end(ap);
	for (const N1Warning *w = ev->warnings; w != NULL; w = w->next)
		if (w->code == code && strcmp(w->msg, msg) == 0)
			return;
	keep_warning(ev, code, msg);
}

bool
n1_stopped(N1Eval *ev)
{
	return ev->err.code != 0 || (ev->interrupted != NULL && ev->interrupted(ev));
}

N1Value *
n1_absent(N1Value **args, int n)
{
	bool		null = false;

	for (int i = 0; i < n; i++)
	{
		if (args[i]->type == N1_MISSING)
			return &n1_missing;
		null |= args[i]->type == N1_NULL;
	}
	return null ? &n1_null : NULL;
}

static N1Value *
eval_param(N1Eval *ev, const N1Expr *e)
{
	const N1Params *p = ev->params;

	if (e->name == NULL)
	{
		if (p != NULL && e->index >= 1 && (size_t) e->index <= p->n_pos)
			return p->pos[e->index - 1];
		return n1_fail(ev, N1_EVAL_ERROR, "No value for positional parameter $%d (near line %d, column %d).", e->index,
					   e->line, e->col);
	}
	for (size_t i = 0; p != NULL && i < p->n_named; i++)
		if (p->named[i].len == strlen(e->name) && memcmp(p->named[i].name, e->name, p->named[i].len) == 0)
			return p->named[i].value;
	return n1_fail(ev, N1_EVAL_ERROR, "No value for named parameter $%s (near line %d, column %d).", e->name, e->line,
				   e->col);
}

/* ---- logic ---- */

static N1Value *
eval_logic(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	bool		missing = false,
				null = false,
				is_or = e->kind == N1E_OR;

	for (int i = 0; i < e->n_args; i++)
	{
		N1Value    *v = n1_eval(ev, e->args[i], row);

		if (v == NULL)
			return NULL;
		if (v->type == N1_MISSING)
			missing = true;
		else if (v->type == N1_NULL)
			null = true;
		else if (n1_truth(v) == is_or)
			return n1_bool(is_or);
	}
	if (is_or)
		return null ? &n1_null : missing ? &n1_missing : &n1_false;
	return missing ? &n1_missing : null ? &n1_null : &n1_true;
}

static N1Value *
eval_not(N1Value *v)
{
	return v->type <= N1_NULL ? v : n1_bool(!n1_truth(v));
}

static N1Value *
eval_distinct(N1ExprKind kind, N1Value *x, N1Value *y)
{
	bool		is = kind == N1E_IS_DISTINCT;
	N1Value    *eq;

	if (x->type <= N1_NULL || y->type <= N1_NULL)
		return n1_bool((x->type == y->type) != is);
	eq = n1_equals(x, y);
	if (is)
		return n1_bool(eq != &n1_true);
	return eq;
}

static N1Value *
eval_binary(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value    *x = n1_eval(ev, e->args[0], row),
			   *y = x ? n1_eval(ev, e->args[1], row) : NULL,
			   *c;

	if (y == NULL)
		return NULL;
	if (e->kind == N1E_EQ)
		return n1_equals(x, y);
	if (e->kind == N1E_IS_DISTINCT || e->kind == N1E_IS_NOT_DISTINCT)
		return eval_distinct(e->kind, x, y);
	c = n1_compare(ev->arena, x, y);
	if (c->type != N1_NUMBER)
		return c;
	return n1_bool(e->kind == N1E_LT ? c->u.i < 0 : c->u.i <= 0);
}

static N1Value *
eval_between(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value    *v = n1_eval(ev, e->args[0], row),
			   *low = v ? n1_eval(ev, e->args[1], row) : NULL,
			   *high = low ? n1_eval(ev, e->args[2], row) : NULL;

	if (high == NULL)
		return NULL;
	low = n1_compare(ev->arena, v, low);
	high = n1_compare(ev->arena, v, high);
	if (low->type == N1_MISSING || high->type == N1_MISSING)
		return &n1_missing;
	if (low->type != N1_NUMBER || high->type != N1_NUMBER)
		return &n1_null;
	return n1_bool(low->u.i >= 0 && high->u.i <= 0);
}

/* IS NULL and its like, of a value. */
static N1Value *
eval_is(N1ExprKind kind, const N1Value *v)
{
	switch (kind)
	{
		case N1E_IS_NULL:
			return v->type == N1_MISSING ? &n1_missing : n1_bool(v->type == N1_NULL);
		case N1E_IS_NOT_NULL:
			return v->type == N1_MISSING ? &n1_missing : n1_bool(v->type != N1_NULL);
		case N1E_IS_MISSING:
			return n1_bool(v->type == N1_MISSING);
		case N1E_IS_NOT_MISSING:
			return n1_bool(v->type != N1_MISSING);
		case N1E_IS_VALUED:
			return n1_bool(v->type > N1_NULL);
		default:
			return n1_bool(v->type <= N1_NULL);
	}
}

static N1Value *
eval_case(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value    *subject = NULL,
			   *w;

	if (e->args[0] != NULL && (subject = n1_eval(ev, e->args[0], row)) == NULL)
		return NULL;
	for (int i = 1; i + 1 < e->n_args; i += 2)
	{
		w = n1_eval(ev, e->args[i], row);
		if (w == NULL)
			return NULL;
		if (n1_truth(subject ? n1_equals(subject, w) : w))
			return n1_eval(ev, e->args[i + 1], row);
	}
	w = NULL;
	if (e->args[e->n_args - 1] == NULL)
		return &n1_null;
	return n1_eval(ev, e->args[e->n_args - 1], row);
}

static N1Value *
eval_exists(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value    *v;
	bool		found;

	if (e->args[0]->kind == N1E_SUBQUERY && ev->exists != NULL)
		return ev->exists(ev, e->args[0], row, &found) ? n1_bool(found) : NULL;
	v = n1_eval(ev, e->args[0], row);
	if (v == NULL)
		return NULL;
	if (v->type != N1_ARRAY)
		return v->type == N1_MISSING ? v : &n1_null;
	return n1_bool(n1_truth(v));
}

/* ---- constructors and calls ---- */

static N1Value **
eval_args(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value   **v = n1_alloc(ev->arena, (size_t) (e->n_args + 1) * sizeof(*v));

	for (int i = 0; i < e->n_args; i++)
		if ((v[i] = n1_eval(ev, e->args[i], row)) == NULL)
			return NULL;
	return v;
}

static N1Value *
eval_array(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value   **v = eval_args(ev, e, row);

	return v ? n1_array(ev->arena, v, (size_t) e->n_args) : NULL;
}

static N1Value *
eval_object(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Pair	   *p = n1_alloc(ev->arena, (size_t) (e->n_args / 2 + 1) * sizeof(*p));
	size_t		n = 0;

	for (int i = 0; i + 1 < e->n_args; i += 2)
	{
		N1Value    *name = n1_eval(ev, e->args[i], row),
				   *v;

		if (name == NULL)
			return NULL;
		if (name->type <= N1_NULL)
			continue;
		if (name->type != N1_STRING)
			return &n1_null;
		v = n1_eval(ev, e->args[i + 1], row);
		if (v == NULL)
			return NULL;
		if (v->type == N1_MISSING)
			continue;
		p[n++] = (N1Pair) {name->u.str.s, name->u.str.n, v};
	}
	return n1_object(ev->arena, p, n);
}

/* A constant is computed when the statement is planned: nobody is warned then. */
static N1Value *
eval_constructor(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value    *v;

	ev->quiet += e->constant;
	v = e->kind == N1E_ARRAY ? eval_array(ev, e, row) : eval_object(ev, e, row);
	ev->quiet -= e->constant;
	return v;
}

static N1Value *
eval_concat(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value    *x = n1_eval(ev, e->args[0], row),
			   *y;
	char	   *s;

	if (x == NULL || x->type == N1_MISSING)
		return x;
	y = n1_eval(ev, e->args[1], row);
	if (y == NULL || y->type == N1_MISSING)
		return y;
	if (x->type != N1_STRING || y->type != N1_STRING)
		return &n1_null;
	s = n1_alloc(ev->arena, x->u.str.n + y->u.str.n + 1);
	memcpy(s, x->u.str.s, x->u.str.n);
	memcpy(s + x->u.str.n, y->u.str.s, y->u.str.n);
	return n1_string(ev->arena, s, x->u.str.n + y->u.str.n);
}

static N1Value *
eval_call(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value   **args;

	if (e->slot >= 0)
		return ev->slots != NULL && e->slot < ev->n_slots && ev->slots[e->slot] ? ev->slots[e->slot] : &n1_null;
	if (e->func->call == NULL)
		return n1_fail(ev, N1_EVAL_ERROR, "%s() is not possible here", e->func->name);
	args = eval_args(ev, e, row);
	return args ? e->func->call(ev, args, e->n_args) : NULL;
}

static N1Value *
eval_self(N1Eval *ev, const N1Row *row)
{
	N1Pair	   *p;

	if (row == NULL)
		return n1_object(ev->arena, NULL, 0);
	p = n1_alloc(ev->arena, (size_t) (row->n + 1) * sizeof(*p));
	for (int i = 0; i < row->n; i++)
		p[i] = (N1Pair) {row->b[i].name, strlen(row->b[i].name), row->b[i].value};
	return n1_object(ev->arena, p, (size_t) row->n);
}

static N1Value *
eval_leaf(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value    *v;

	switch (e->kind)
	{
		case N1E_CONST:
			return e->value;
		case N1E_IDENT:
			v = n1_lookup(row, e->name);
			return v ? v : &n1_missing;
		case N1E_PARAM:
			return eval_param(ev, e);
		case N1E_SELF:
			return eval_self(ev, row);
		case N1E_SUBQUERY:
			return ev->subquery(ev, e, row);
		case N1E_FUNC:
			return eval_call(ev, e, row);
		default:
			return n1_fail(ev, 5000, "expression of unknown kind %d", e->kind);
	}
}

static N1Value *
eval_unary(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value    *v = n1_eval(ev, e->args[0], row);

	if (v == NULL)
		return NULL;
	return e->kind == N1E_NOT ? eval_not(v) : eval_is(e->kind, v);
}

typedef N1Value *(*Evaluator) (N1Eval *ev, const N1Expr *e, const N1Row *row);

static const Evaluator evaluators[] = {
	[N1E_CONST] = eval_leaf,[N1E_IDENT] = eval_leaf,[N1E_SELF] = eval_leaf,[N1E_PARAM] = eval_leaf,
	[N1E_FIELD] = n1e_field,[N1E_ELEMENT] = n1e_element,[N1E_SLICE] = n1e_slice,[N1E_ARRAY_STAR] = n1e_array_star,
	[N1E_ADD] = n1e_arith,[N1E_SUB] = n1e_arith,[N1E_MUL] = n1e_arith,[N1E_DIV] = n1e_arith,[N1E_MOD] = n1e_arith,
	[N1E_POW] = n1e_arith,[N1E_NEG] = n1e_arith,[N1E_CONCAT] = eval_concat,
	[N1E_AND] = eval_logic,[N1E_OR] = eval_logic,[N1E_NOT] = eval_unary,
	[N1E_EQ] = eval_binary,[N1E_LT] = eval_binary,[N1E_LE] = eval_binary,[N1E_BETWEEN] = eval_between,
	[N1E_LIKE] = n1e_like,[N1E_IN] = n1e_in,[N1E_WITHIN] = n1e_within,
	[N1E_IS_NULL] = eval_unary,[N1E_IS_MISSING] = eval_unary,[N1E_IS_VALUED] = eval_unary,
	[N1E_IS_NOT_NULL] = eval_unary,[N1E_IS_NOT_MISSING] = eval_unary,[N1E_IS_NOT_VALUED] = eval_unary,
	[N1E_IS_DISTINCT] = eval_binary,[N1E_IS_NOT_DISTINCT] = eval_binary,[N1E_EXISTS] = eval_exists,
	[N1E_CASE] = eval_case,[N1E_ARRAY] = eval_constructor,[N1E_OBJECT] = eval_constructor,[N1E_FUNC] = eval_leaf,
	[N1E_ANY] = n1e_collection,[N1E_EVERY] = n1e_collection,[N1E_ANY_EVERY] = n1e_collection,
	[N1E_COLL_ARRAY] = n1e_collection,[N1E_COLL_FIRST] = n1e_collection,[N1E_COLL_OBJECT] = n1e_collection,
	[N1E_SUBQUERY] = eval_leaf,
};

N1Value *
n1_eval(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	N1Value    *v;

	if (++ev->depth > 4 * N1_MAX_DEPTH)
	{
		ev->depth--;
		return n1_fail(ev, N1_EVAL_ERROR, "expression is nested too deeply");
	}
	v = evaluators[e->kind] (ev, e, row);
	ev->depth--;
	return v;
}
