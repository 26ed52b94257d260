/*
 * Queries: set operations, SELECT and its clauses.
 */
#include "n1ql_parse.h"

#include <string.h>

bool
n1p_begins_select(N1Parser *P)
{
	return P->tok.token == K_SELECT || P->tok.token == K_WITH || P->tok.token == K_FROM;
}

bool
n1p_is_set_op(N1Token t)
{
	return t == K_UNION || t == K_INTERSECT || t == K_EXCEPT;
}

const char *
n1p_opt_alias(N1Parser *P, int *line, int *col)
{
	*line = P->tok.line;
	*col = P->tok.col;
	if (n1p_accept(P, K_AS) || n1p_is_name(&P->tok))
		return n1p_name(P);
	*line = *col = 0;
	return NULL;
}

/* A list of pointers to structs into an array of structs. */
static void *
flatten(N1Parser *P, const N1List *l, size_t size)
{
	char	   *p = n1_alloc(P->arena, (size_t) l->n * size);

	for (int i = 0; i < l->n; i++)
		memcpy(p + (size_t) i * size, l->v[i], size);
	return p;
}

/* ---- clauses ---- */

N1Bind *
n1p_bindings(N1Parser *P, int *n)
{
	N1List		l = {0};

	do
	{
		N1Bind	   *b = n1_alloc(P->arena, sizeof(*b));

		b->line = P->tok.line;
		b->col = P->tok.col;
		b->var = n1p_name(P);
		n1p_expect(P, T_EQ);
		b->expr = n1p_expr(P);
		n1p_push(P, &l, b);
	} while (n1p_accept(P, T_COMMA));
	*n = l.n;
	return flatten(P, &l, sizeof(N1Bind));
}

/* A direction or a place for NULLs that is not a word of its own: a parameter or a name. */
static N1Expr *
parse_dynamic(N1Parser *P)
{
	N1Expr	   *e;
	N1Token		t = P->tok.token;

	if (t == T_NAMED || t == T_POS || t == T_NEXT)
		return n1p_param(P);
	e = n1p_node_n(P, N1E_IDENT, NULL, 0, P->tok.line, P->tok.col);
	e->name = n1p_name(P);
	return e;
}

static bool
is_dynamic(const N1Lexeme *t)
{
	return t->token == T_NAMED || t->token == T_POS || t->token == T_NEXT || n1p_is_name(t);
}

static void
parse_sort_term(N1Parser *P, N1Sort *s)
{
	int			line = P->tok.line,
				col = P->tok.col;

	s->expr = n1p_expr(P);
	s->expr->line = line;
	s->expr->col = col;
	if (P->tok.token == K_ASC || P->tok.token == K_DESC)
	{
		s->dir = n1p_const(P, n1_string0(P->arena, P->tok.token == K_ASC ? "asc" : "desc"), 0, 0);
		n1p_next(P);
	}
	else if (is_dynamic(&P->tok))
		s->dir = parse_dynamic(P);
	if (!n1p_accept(P, K_NULLS))
		return;
	if (P->tok.token == K_FIRST || P->tok.token == K_LAST)
	{
		s->nulls = n1p_const(P, n1_string0(P->arena, P->tok.token == K_FIRST ? "first" : "last"), 0, 0);
		n1p_next(P);
	}
	else
		s->nulls = parse_dynamic(P);
}

N1Sort *
n1p_order_by(N1Parser *P, int *n)
{
	N1List		l = {0};

	n1p_expect(P, K_ORDER);
	n1p_expect(P, K_BY);
	do
	{
		N1Sort	   *s = n1_alloc(P->arena, sizeof(*s));

		parse_sort_term(P, s);
		n1p_push(P, &l, s);
	} while (n1p_accept(P, T_COMMA));
	*n = l.n;
	return flatten(P, &l, sizeof(N1Sort));
}

static void
parse_term(N1Parser *P, N1Term *t)
{
	int			line = P->tok.line,
				col = P->tok.col;

	if (P->tok.token == T_STAR)
	{
		n1p_next(P);
		t->expr = n1p_node_n(P, N1E_SELF, NULL, 0, line, col);
		t->star = true;
		return;
	}
	t->expr = n1p_expr(P);
	if (P->tok.token == T_DOT)
	{
		n1p_next(P);
		n1p_expect(P, T_STAR);
		t->star = true;
		return;
	}
	t->alias = n1p_opt_alias(P, &t->line, &t->col);
	if (t->alias == NULL)
	{
		t->line = t->expr->line;
		t->col = t->expr->col;
	}
}

/* Names the terms that were given no alias: by their last step, or "$1", "$2" ... */
static void
name_terms(N1Parser *P, N1Sub *s)
{
	int			count = 1;

	for (int i = 0; i < s->n_terms; i++)
	{
		N1Term	   *t = &s->terms[i];
		N1Buf		b;

		if (t->star || t->alias != NULL)
			continue;
		t->implicit = true;
		t->alias = n1p_implied(t->expr);
		if (t->alias != NULL && *t->alias != '\0')
			continue;
		n1_buf_init(&b, P->arena);
		n1_buf_printf(&b, "$%d", count++);
		t->alias = n1p_intern(P, b.s, b.n);
	}
}

static void
parse_projection(N1Parser *P, N1Sub *s)
{
	N1List		l = {0};

	if (!n1p_accept(P, K_ALL))
		s->distinct = n1p_accept(P, K_DISTINCT);
	s->raw = n1p_accept(P, K_RAW) || n1p_accept(P, K_ELEMENT) || n1p_accept(P, K_VALUE);
	do
	{
		N1Term	   *t = n1_alloc(P->arena, sizeof(*t));

		if (s->raw)
		{
			t->expr = n1p_expr(P);
			t->alias = n1p_opt_alias(P, &t->line, &t->col);
		}
		else
			parse_term(P, t);
		n1p_push(P, &l, t);
	} while (!s->raw && n1p_accept(P, T_COMMA));
	s->terms = flatten(P, &l, sizeof(N1Term));
	s->n_terms = l.n;
	name_terms(P, s);
	if (!s->raw && n1p_accept(P, K_EXCLUDE))
		s->exclude = n1p_exprs(P, &s->n_exclude);
}

static void
parse_group_terms(N1Parser *P, N1Sub *s)
{
	N1List		l = {0};

	do
	{
		N1Term	   *t = n1_alloc(P->arena, sizeof(*t));

		t->expr = n1p_expr(P);
		t->alias = n1p_opt_alias(P, &t->line, &t->col);
		n1p_push(P, &l, t);
	} while (n1p_accept(P, T_COMMA));
	s->group = flatten(P, &l, sizeof(N1Term));
	s->n_group = l.n;
}

static void
parse_group(N1Parser *P, N1Sub *s)
{
	int			line,
				col;

	if (n1p_accept(P, K_GROUP))
	{
		s->grouped = true;
		n1p_expect(P, K_BY);
		parse_group_terms(P, s);
		if (n1p_accept(P, K_GROUP))
		{
			n1p_expect(P, K_AS);
			s->group_as = n1p_name(P);
		}
	}
	else if (P->tok.token != K_LETTING)
		return;
	s->grouped = true;
	if (n1p_accept(P, K_LETTING))
		s->letting = n1p_bindings(P, &s->n_letting);
	line = P->tok.line;
	col = P->tok.col;
	if (s->n_group > 0 && n1p_accept(P, K_HAVING))
	{
		line = P->tok.line;
		col = P->tok.col;
		s->having = n1p_expr(P);
		s->having->line = line;
		s->having->col = col;
	}
}

static void
parse_windows(N1Parser *P, N1Sub *s)
{
	N1List		names = {0},
				windows = {0};

	if (!n1p_accept(P, K_WINDOW))
		return;
	do
	{
		n1p_push(P, &names, (void *) n1p_name(P));
		n1p_expect(P, K_AS);
		n1p_push(P, &windows, n1p_window_spec(P));
	} while (n1p_accept(P, T_COMMA));
	s->named_names = (const char **) names.v;
	s->named = (N1Window **) windows.v;
	s->n_named = names.n;
}

/* LET to WINDOW */
static void
parse_middle(N1Parser *P, N1Sub *s)
{
	if (n1p_accept(P, K_LET))
		s->let = n1p_bindings(P, &s->n_let);
	if (n1p_accept(P, K_WHERE))
	{
		int			line = P->tok.line,
					col = P->tok.col;

		s->where = n1p_expr(P);
		s->where->line = line;
		s->where->col = col;
	}
	parse_group(P, s);
	parse_windows(P, s);
}

static N1Sub *
parse_sub(N1Parser *P)
{
	N1Sub	   *s = n1_alloc(P->arena, sizeof(*s));

	if (n1p_accept(P, K_FROM))
	{
		s->from = n1p_from_terms(P);
		parse_middle(P, s);
		n1p_expect(P, K_SELECT);
		n1p_accept(P, T_HINTS);
		parse_projection(P, s);
		return s;
	}
	n1p_expect(P, K_SELECT);
	n1p_accept(P, T_HINTS);
	parse_projection(P, s);
	if (n1p_accept(P, K_FROM))
		s->from = n1p_from_terms(P);
	parse_middle(P, s);
	return s;
}

/* ---- set operations ---- */

static N1Query *
query_node(N1Parser *P, N1SetOp op)
{
	N1Query    *q = n1_alloc(P->arena, sizeof(*q));

	q->op = op;
	return q;
}

static N1Query *
parse_select_term(N1Parser *P)
{
	N1Query    *q;
	N1Expr	   *e;

	if (P->tok.token != T_LPAREN)
	{
		q = query_node(P, N1S_SELECT);
		q->sub = parse_sub(P);
		return q;
	}
	e = n1p_paren(P);
	if (e->kind != N1E_SUBQUERY || e->parens)
		n1p_syntax(P);
	q = query_node(P, N1S_PAREN);
	q->select = e->select;
	return q;
}

static N1Query *
parse_set_ops(N1Parser *P, N1Query *left)
{
	while (n1p_is_set_op(P->tok.token))
	{
		N1Query    *q = query_node(P, P->tok.token == K_UNION ? N1S_UNION :
								   P->tok.token == K_INTERSECT ? N1S_INTERSECT : N1S_EXCEPT);

		n1p_next(P);
		if (n1p_accept(P, K_ALL))
			q->op++;
		n1p_enter(P);			/* the tree grows to the left: its height counts */
		q->left = left;
		q->right = parse_select_term(P);
		left = q;
	}
	for (N1Query *q = left; q->left != NULL; q = q->left)
		n1p_leave(P);
	return left;
}

static void
parse_with(N1Parser *P, N1Select *s)
{
	N1List		l = {0};

	s->recursive = n1p_accept(P, K_RECURSIVE);
	if (s->recursive)
		n1p_syntax(P);
	do
	{
		N1Bind	   *b = n1_alloc(P->arena, sizeof(*b));

		b->line = P->tok.line;
		b->col = P->tok.col;
		b->var = n1p_name(P);
		n1p_expect(P, K_AS);
		if (P->tok.token != T_LPAREN)
			n1p_syntax(P);
		b->expr = n1p_paren(P);
		n1p_push(P, &l, b);
	} while (n1p_accept(P, T_COMMA));
	s->with = flatten(P, &l, sizeof(N1Bind));
	s->n_with = l.n;
}

static void
parse_tail(N1Parser *P, N1Select *s)
{
	if (P->tok.token == K_ORDER)
		s->order = n1p_order_by(P, &s->n_order);
	if (n1p_accept(P, K_LIMIT))
	{
		s->limit = n1p_expr(P);
		if (n1p_accept(P, K_OFFSET))
			s->offset = n1p_expr(P);
	}
	else if (n1p_accept(P, K_OFFSET))
	{
		s->offset = n1p_expr(P);
		if (n1p_accept(P, K_LIMIT))
			s->limit = n1p_expr(P);
	}
}

N1Select *
n1p_select_rest(N1Parser *P, N1Select *first)
{
	N1Select   *s = n1_alloc(P->arena, sizeof(*s));
	N1Query    *q = query_node(P, N1S_PAREN);

	s->line = P->tok.line;
	s->col = P->tok.col;
	q->select = first;
	s->query = parse_set_ops(P, q);
	parse_tail(P, s);
	return s;
}

N1Select *
n1p_select(N1Parser *P)
{
	N1Select   *s = n1_alloc(P->arena, sizeof(*s));
	N1Query    *q;

	n1p_enter(P);
	s->line = P->tok.line;
	s->col = P->tok.col;
	if (n1p_accept(P, K_WITH))
		parse_with(P, s);
	if (P->tok.token == T_LPAREN)
	{
		q = parse_select_term(P);
		if (!n1p_is_set_op(P->tok.token))
			n1p_syntax(P);
	}
	else
	{
		q = query_node(P, N1S_SELECT);
		q->sub = parse_sub(P);
	}
	s->query = parse_set_ops(P, q);
	parse_tail(P, s);
	n1p_leave(P);
	return s;
}
