/*
 * Calls of functions, aggregates and windows; CASE; quantifiers and comprehensions.
 */
#include "n1ql_parse.h"

#include <string.h>
#include <strings.h>

/* ---- calls ---- */

typedef struct Call
{
	const N1Lexeme *name;
	N1Expr	  **args;
	int			n;
	int			args_line,
				args_col;		/* of the first argument; 0 if there is none */
	bool		quantified;		/* ALL or DISTINCT stood before the argument */
	bool		distinct;
	bool		star;
	N1Expr	   *filter;
	bool		nulls;			/* RESPECT or IGNORE NULLS stood there */
	bool		ignore_nulls;
	bool		from_last;
	N1Window   *window;
} Call;

static void
parse_args(N1Parser *P, Call *c)
{
	n1p_expect(P, T_LPAREN);
	c->args_line = P->tok.line;
	c->args_col = P->tok.col;
	if (n1p_accept(P, T_STAR))
		c->star = true;
	else if (P->tok.token == K_DISTINCT || P->tok.token == K_ALL)
	{
		c->quantified = true;
		c->distinct = P->tok.token == K_DISTINCT;
		n1p_next(P);
		c->args = n1_alloc(P->arena, sizeof(N1Expr *));
		c->args[0] = n1p_expr(P);
		c->n = 1;
	}
	else if (P->tok.token != T_RPAREN)
		c->args = n1p_exprs(P, &c->n);
	else
		c->args_line = c->args_col = 0;
	n1p_expect(P, T_RPAREN);
}

/* OVER name or OVER (...). */
static N1Window *
parse_over(N1Parser *P)
{
	N1Window   *w;

	if (!n1p_accept(P, K_OVER))
		return NULL;
	if (P->tok.token == T_LPAREN)
		return n1p_window_spec(P);
	w = n1_alloc(P->arena, sizeof(*w));
	w->line = P->tok.line;
	w->col = P->tok.col;
	w->base = n1p_name(P);
	return w;
}

/* What may stand behind the parenthesis. */
static void
parse_modifiers(N1Parser *P, Call *c)
{
	if (c->name->token == K_NTH_VALUE && n1p_accept(P, K_FROM))
	{
		c->from_last = P->tok.token == K_LAST;
		if (!c->from_last && P->tok.token != K_FIRST)
			n1p_syntax(P);
		n1p_next(P);
	}
	if (c->name->token != K_NTH_VALUE && n1p_accept(P, K_FILTER))
	{
		n1p_expect(P, T_LPAREN);
		n1p_expect(P, K_WHERE);
		c->filter = n1p_expr(P);
		n1p_expect(P, T_RPAREN);
	}
	if (!c->star && !c->quantified && (P->tok.token == K_RESPECT || P->tok.token == K_IGNORE))
	{
		c->nulls = true;
		c->ignore_nulls = P->tok.token == K_IGNORE;
		n1p_next(P);
		n1p_expect(P, K_NULLS);
	}
	c->window = parse_over(P);
	if (c->name->token == K_NTH_VALUE && c->window == NULL)
		n1p_syntax(P);
}

static _Noreturn void
unknown_function(N1Parser *P, const Call *c)
{
	const N1Lexeme *t = c->name;
	const char *context = P->p->query_context;
	int			n = (int) t->n;

	if (c->star)
		n1p_fatal(P, t->line, t->col, "Invalid aggregate function %.*s(*).", n, t->s);
	if (c->quantified)
		n1p_fatal(P, t->line, t->col, "Invalid aggregate function %.*s.", n, t->s);
	if (c->filter != NULL || c->nulls || c->window != NULL)
		n1p_fatal(P, t->line, t->col, "Invalid function %.*s", n, t->s);
	if (context == NULL || *context == '\0')
		context = "default:";
	n1p_fatal(P, t->line, t->col, "Invalid function %.*s (resolving to %s%s%.*s)", n, t->s, context,
			  context[strlen(context) - 1] == ':' ? "" : ".", n, t->s);
}

static void
check_args(N1Parser *P, const Call *c, const N1Func *f)
{
	int			n = (int) c->name->n;
	const char *s = c->name->s;

	if (c->name->token == K_NTH_VALUE)
	{
		s = "nth_value";
		n = 9;
	}
	if (c->star || c->quantified || (c->n >= f->min_args && (f->max_args < 0 || c->n <= f->max_args)))
		return;
	if (f->min_args == f->max_args)
		n1p_fatal(P, c->args_line, c->args_col, "Number of arguments to function %.*s must be %d.", n, s, f->max_args);
	n1p_fatal(P, c->args_line, c->args_col, "Number of arguments to function %.*s must be between %d and %d.", n, s,
			  f->min_args, f->max_args < 0 ? 32767 : f->max_args);
}

/* The function that a call means, or NULL. */
static const N1Func *
find_function(const Call *c)
{
	const N1Func *f = n1_func_find(c->name->s, c->name->n);
	bool		aggregate = f != NULL && (f->flags & (N1F_AGGREGATE | N1F_WINDOW)) != 0;

	if (f == NULL || (c->star && strncasecmp(f->name, "count", 6) != 0))
		return NULL;
	if ((c->star || c->quantified || c->window != NULL) && !aggregate)
		return NULL;
	if ((f->flags & N1F_WINDOW) && (c->window == NULL || c->filter != NULL || c->distinct))
		return NULL;
	return f;
}

/* ---- operators that have a name, too ---- */

typedef struct Named
{
	const char *name;
	N1ExprKind	kind;
	int			n;				/* of arguments; -1: two or more */
} Named;

static const Named named[] = {
	{"add", N1E_ADD, 2}, {"sub", N1E_SUB, 2}, {"mult", N1E_MUL, 2}, {"div", N1E_DIV, 2}, {"mod", N1E_MOD, 2},
	{"neg", N1E_NEG, 1}, {"and", N1E_AND, -1}, {"or", N1E_OR, -1}, {"not", N1E_NOT, 1}, {"eq", N1E_EQ, 2},
	{"lt", N1E_LT, 2}, {"le", N1E_LE, 2}, {"between", N1E_BETWEEN, 3}, {"in", N1E_IN, 2}, {"within", N1E_WITHIN, 2},
	{"exists", N1E_EXISTS, 1}, {"isnull", N1E_IS_NULL, 1}, {"ismissing", N1E_IS_MISSING, 1},
	{"isvalued", N1E_IS_VALUED, 1}, {"isknown", N1E_IS_VALUED, 1}, {"isunknown", N1E_IS_NOT_VALUED, 1},
	{"isnotnull", N1E_IS_NOT_NULL, 1}, {"isnotmissing", N1E_IS_NOT_MISSING, 1},
	{"isnotvalued", N1E_IS_NOT_VALUED, 1}, {"isnotknown", N1E_IS_NOT_VALUED, 1},
	{"isnotunknown", N1E_IS_VALUED, 1}, {"is_null", N1E_IS_NULL, 1}, {"is_missing", N1E_IS_MISSING, 1},
	{"is_valued", N1E_IS_VALUED, 1}, {"is_known", N1E_IS_VALUED, 1}, {"is_not_null", N1E_IS_NOT_NULL, 1},
	{"is_not_missing", N1E_IS_NOT_MISSING, 1}, {"is_not_valued", N1E_IS_NOT_VALUED, 1},
	{"is_not_known", N1E_IS_NOT_VALUED, 1}, {"is_not_unknown", N1E_IS_VALUED, 1},
	{"isdistinctfrom", N1E_IS_DISTINCT, 2}, {"is_distinct_from", N1E_IS_DISTINCT, 2},
	{"isnotdistinctfrom", N1E_IS_NOT_DISTINCT, 2}, {"is_not_distinct_from", N1E_IS_NOT_DISTINCT, 2},
	{"power", N1E_POW, 2},
};

/* The operator that the call is, or NULL. */
static N1Expr *
named_operator(N1Parser *P, const Call *c)
{
	if (c->star || c->quantified || c->filter != NULL || c->nulls || c->window != NULL)
		return NULL;
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
	{
		N1Func		f = {.min_args = named[i].n < 0 ? 2 : named[i].n,.max_args = named[i].n < 0 ? 32767 : named[i].n};

		if (strlen(named[i].name) != c->name->n || strncasecmp(named[i].name, c->name->s, c->name->n) != 0)
			continue;
		check_args(P, c, &f);
		return n1p_node_n(P, named[i].kind, c->args, c->n, c->name->line, c->name->col);
	}
	return NULL;
}

N1Expr *
n1p_function(N1Parser *P, const N1Lexeme *name)
{
	Call		c = {.name = name};
	N1Lexeme	t = *name;
	const N1Func *f;
	N1Expr	   *e;

	if (t.token > T_FIRST_WORD)
	{
		t.s = t.text;
		t.n = t.len;
	}
	c.name = &t;
	n1p_enter(P);
	parse_args(P, &c);
	parse_modifiers(P, &c);
	n1p_leave(P);
	e = named_operator(P, &c);
	if (e != NULL)
		return e;
	f = find_function(&c);
	if (f == NULL)
		unknown_function(P, &c);
	if (c.nulls && !(f->flags & N1F_NULLS))
		n1p_fatal(P, 0, 0, "RESPECT|IGNORE NULLS syntax is not valid for function %.*s.", (int) t.n, t.s);
	if (c.filter != NULL && !(f->flags & N1F_AGGREGATE))
		n1p_fatal(P, 0, 0, "FILTER clause syntax is not valid for function %.*s.", (int) t.n, t.s);
	check_args(P, &c, f);
	e = n1p_node_n(P, N1E_FUNC, c.args, c.n, t.line, t.col);
	if (c.star || c.quantified)
		e->line = e->col = 0;
	e->func = f;
	e->star = c.star;
	e->distinct = c.distinct;
	e->filter = c.filter;
	e->ignore_nulls = c.ignore_nulls;
	e->from_last = c.from_last;
	e->window = c.window;
	if (f->flags & (N1F_AGGREGATE | N1F_WINDOW | N1F_VOLATILE))
		e->constant = false;
	return e;
}

/* ---- windows ---- */

static N1FrameBound
parse_bound(N1Parser *P, N1Expr **value)
{
	if (P->tok.token == K_UNBOUNDED || P->tok.token == K_CURRENT)
	{
		bool		current = P->tok.token == K_CURRENT;

		n1p_next(P);
		if (current)
		{
			n1p_expect(P, K_ROW);
			return N1B_CURRENT_ROW;
		}
		if (n1p_accept(P, K_PRECEDING))
			return N1B_UNBOUNDED_PRECEDING;
		n1p_expect(P, K_FOLLOWING);
		return N1B_UNBOUNDED_FOLLOWING;
	}
	*value = n1p_expr(P);
	if (n1p_accept(P, K_PRECEDING))
		return N1B_PRECEDING;
	n1p_expect(P, K_FOLLOWING);
	return N1B_FOLLOWING;
}

static void
parse_exclude(N1Parser *P, N1Window *w)
{
	if (!n1p_accept(P, K_EXCLUDE))
		return;
	if (n1p_accept(P, K_NO))
		n1p_expect(P, K_OTHERS);
	else if (n1p_accept(P, K_CURRENT))
	{
		n1p_expect(P, K_ROW);
		w->exclude = N1X_CURRENT_ROW;
	}
	else if (n1p_accept(P, K_TIES))
		w->exclude = N1X_TIES;
	else
	{
		n1p_expect(P, K_GROUP);
		w->exclude = N1X_GROUP;
	}
}

static void
parse_frame(N1Parser *P, N1Window *w)
{
	switch ((int) P->tok.token)
	{
		case K_ROWS:
			w->unit = N1W_ROWS;
			break;
		case K_RANGE:
			w->unit = N1W_RANGE;
			break;
		case K_GROUPS:
			w->unit = N1W_GROUPS;
			break;
		default:
			return;
	}
	n1p_next(P);
	w->to = N1B_CURRENT_ROW;
	if (n1p_accept(P, K_BETWEEN))
	{
		w->from = parse_bound(P, &w->from_expr);
		n1p_expect(P, K_AND);
		w->to = parse_bound(P, &w->to_expr);
	}
	else
		w->from = parse_bound(P, &w->from_expr);
	parse_exclude(P, w);
}

N1Window *
n1p_window_spec(N1Parser *P)
{
	N1Window   *w = n1_alloc(P->arena, sizeof(*w));

	w->line = P->tok.line;
	w->col = P->tok.col;
	n1p_expect(P, T_LPAREN);
	if (n1p_is_name(&P->tok))
		w->base = n1p_name(P);
	if (n1p_accept(P, K_PARTITION))
	{
		n1p_expect(P, K_BY);
		w->partition = n1p_exprs(P, &w->n_partition);
	}
	if (P->tok.token == K_ORDER)
		w->order = n1p_order_by(P, &w->n_order);
	parse_frame(P, w);
	n1p_expect(P, T_RPAREN);
	return w;
}

/* ---- CASE ---- */

N1Expr *
n1p_case(N1Parser *P)
{
	N1List		l = {0};
	N1Expr	   *value = NULL,
			   *otherwise = NULL,
			   *where;

	n1p_next(P);
	n1p_enter(P);
	if (P->tok.token != K_WHEN)
		value = n1p_expr(P);
	n1p_push(P, &l, value);
	if (P->tok.token != K_WHEN)
		n1p_syntax(P);
	while (n1p_accept(P, K_WHEN))
	{
		n1p_push(P, &l, n1p_expr(P));
		n1p_expect(P, K_THEN);
		n1p_push(P, &l, n1p_expr(P));
	}
	if (n1p_accept(P, K_ELSE))
		otherwise = n1p_expr(P);
	n1p_push(P, &l, otherwise);
	n1p_expect(P, K_END);
	n1p_leave(P);
	where = value ? value : l.v[1];
	return n1p_node_n(P, N1E_CASE, (N1Expr **) l.v, l.n, where->line, where->col);
}

/* ---- collections ---- */

/* x IN e, x WITHIN e, n:x IN e, by commas */
static N1Bind *
parse_coll_bindings(N1Parser *P, int *n)
{
	N1List		l = {0};
	N1Bind	   *binds;

	do
	{
		N1Bind	   *b = n1_alloc(P->arena, sizeof(*b));

		b->line = P->tok.line;
		b->col = P->tok.col;
		b->var = n1p_name(P);
		if (n1p_accept(P, T_COLON))
		{
			b->name_var = b->var;
			b->var = n1p_name(P);
		}
		b->within = P->tok.token == K_WITHIN;
		if (!b->within && P->tok.token != K_IN)
			n1p_syntax(P);
		n1p_next(P);
		b->expr = n1p_expr(P);
		n1p_push(P, &l, b);
	} while (n1p_accept(P, T_COMMA));
	*n = l.n;
	binds = n1_alloc(P->arena, (size_t) l.n * sizeof(*binds));
	for (int i = 0; i < l.n; i++)
		binds[i] = *(N1Bind *) l.v[i];
	return binds;
}

/* Lets the depth and constancy of the node take account of its bindings and condition. */
static N1Expr *
finish_collection(N1Parser *P, N1Expr *e)
{
	for (int i = 0; i < e->n_binds; i++)
		if (e->binds[i].expr->depth > e->depth)
			e->depth = e->binds[i].expr->depth;
	if (e->cond != NULL && e->cond->depth > e->depth)
		e->depth = e->cond->depth;
	e->constant = false;
	n1p_measure(P, e);
	return e;
}

N1Expr *
n1p_quantified(N1Parser *P)
{
	N1ExprKind	kind = P->tok.token == K_EVERY ? N1E_EVERY : N1E_ANY;
	N1Expr	   *e;
	N1Bind	   *binds;
	int			n;

	n1p_next(P);
	n1p_enter(P);
	if (kind == N1E_ANY && n1p_accept(P, K_AND))
	{
		n1p_expect(P, K_EVERY);
		kind = N1E_ANY_EVERY;
	}
	binds = parse_coll_bindings(P, &n);
	n1p_expect(P, K_SATISFIES);
	e = n1p_node(P, kind, binds[0].expr, NULL, NULL, NULL);
	e->binds = binds;
	e->n_binds = n;
	e->cond = n1p_expr(P);
	n1p_expect(P, K_END);
	n1p_leave(P);
	return finish_collection(P, e);
}

N1Expr *
n1p_comprehension(N1Parser *P)
{
	N1ExprKind	kind = P->tok.token == K_ARRAY ? N1E_COLL_ARRAY :
		P->tok.token == K_FIRST ? N1E_COLL_FIRST : N1E_COLL_OBJECT;
	N1Expr	   *value,
			   *name = NULL,
			   *e;

	n1p_next(P);
	n1p_enter(P);
	value = n1p_expr(P);
	if (kind == N1E_COLL_OBJECT)
	{
		n1p_expect(P, T_COLON);
		name = value;
		value = n1p_expr(P);
	}
	e = n1p_node(P, kind, name ? name : value, name ? name : value, name ? value : NULL, NULL);
	n1p_expect(P, K_FOR);
	e->binds = parse_coll_bindings(P, &e->n_binds);
	if (n1p_accept(P, K_WHEN))
		e->cond = n1p_expr(P);
	n1p_expect(P, K_END);
	n1p_leave(P);
	return finish_collection(P, e);
}
