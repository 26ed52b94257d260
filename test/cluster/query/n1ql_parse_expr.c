/*
 * Expressions: what stands alone, and paths into it. Operators are in n1ql_parse_op.c.
 */
#include "n1ql_parse.h"

#include <string.h>

void
n1p_measure(N1Parser *P, N1Expr *e)
{
	int			depth = e->depth;

	for (int i = 0; i < e->n_args; i++)
	{
		if (e->args[i] == NULL)
			continue;
		if (e->args[i]->depth > depth)
			depth = e->args[i]->depth;
		e->constant = e->constant && e->args[i]->constant;
	}
	e->depth = depth + 1;
	if (e->depth > N1_MAX_DEPTH)
		n1p_fatal(P, P->tok.line, P->tok.col, "Statement is nested too deeply");
}

N1Expr *
n1p_node_n(N1Parser *P, N1ExprKind kind, N1Expr **args, int n, int line, int col)
{
	N1Expr	   *e = n1_alloc(P->arena, sizeof(*e));

	e->kind = kind;
	e->args = args;
	e->n_args = n;
	e->line = line;
	e->col = col;
	e->slot = -1;
	e->constant = kind != N1E_IDENT && kind != N1E_SELF && kind != N1E_PARAM && kind != N1E_SUBQUERY;
	n1p_measure(P, e);
	return e;
}

N1Expr *
n1p_node(N1Parser *P, N1ExprKind kind, const N1Expr *where, N1Expr *x, N1Expr *y, N1Expr *z)
{
	N1Expr	  **args = n1_alloc(P->arena, 3 * sizeof(*args));
	int			n = x == NULL ? 0 : y == NULL ? 1 : z == NULL ? 2 : 3;

	args[0] = x;
	args[1] = y;
	args[2] = z;
	return n1p_node_n(P, kind, args, n, where ? where->line : 0, where ? where->col : 0);
}

N1Expr *
n1p_const(N1Parser *P, N1Value *v, int line, int col)
{
	N1Expr	   *e = n1p_node_n(P, N1E_CONST, NULL, 0, line, col);

	e->value = v;
	return e;
}

N1Expr **
n1p_exprs(N1Parser *P, int *n)
{
	N1List		l = {0};

	do
		n1p_push(P, &l, n1p_expr(P));
	while (n1p_accept(P, T_COMMA));
	*n = l.n;
	return (N1Expr **) l.v;
}

const char *
n1p_implied(const N1Expr *e)
{
	if (e->kind == N1E_IDENT || e->kind == N1E_FIELD)
		return e->name;
	return NULL;
}

/* ---- what stands alone ---- */

N1Expr *
n1p_param(N1Parser *P)
{
	N1Expr	   *e = n1p_node_n(P, N1E_PARAM, NULL, 0, P->tok.line, P->tok.col);

	if (P->tok.token == T_NAMED)
		e->name = n1p_intern(P, P->tok.s, P->tok.n);
	else if (P->tok.token == T_POS)
		e->index = P->tok.i > 1000000 ? 1000000 : (int) P->tok.i;
	else if (P->tok.token == T_NEXT)
		e->index = ++P->n_pos;
	else
		n1p_syntax(P);
	n1p_next(P);
	return e;
}

static N1Expr *
parse_literal(N1Parser *P)
{
	const N1Lexeme t = P->tok;
	N1Value    *v;

	switch ((int) t.token)
	{
		case K_NULL:
			v = &n1_null;
			break;
		case K_MISSING:
			v = &n1_missing;
			break;
		case K_TRUE:
			v = &n1_true;
			break;
		case K_FALSE:
			v = &n1_false;
			break;
		case T_STR:
			v = n1_string(P->arena, t.s, t.n);
			break;
		case T_INT:
			v = n1_int(P->arena, t.i);
			break;
		default:
			v = n1_double(P->arena, t.d);
			break;
	}
	n1p_next(P);
	return n1p_const(P, v, t.line, t.col);
}

/* One member of an object: name and value. A value alone is named as in a projection. */
static void
parse_member(N1Parser *P, N1List *l)
{
	int			line = P->tok.line,
				col = P->tok.col,
				al,
				ac;
	N1Expr	   *e = n1p_expr(P);
	const char *name;
	N1Buf		text;

	if (n1p_accept(P, T_COLON))
	{
		n1p_push(P, l, e);
		n1p_push(P, l, n1p_expr(P));
		return;
	}
	name = n1p_opt_alias(P, &al, &ac);
	if (name == NULL)
		name = n1p_implied(e);
	if (name == NULL || *name == '\0')
	{
		n1_buf_init(&text, P->arena);
		n1_expr_text(&text, e);
		n1p_complain(P, line, col, "Object member missing name or value: %s", text.s);
		name = "";
	}
	n1p_push(P, l, n1p_const(P, n1_string0(P->arena, name), line, col));
	n1p_push(P, l, e);
}

N1Expr *
n1p_object(N1Parser *P)
{
	int			line = P->tok.line,
				col = P->tok.col;
	N1List		l = {0};

	n1p_expect(P, T_LBRACE);
	if (P->tok.token != T_RBRACE)
		do
			parse_member(P, &l);
		while (n1p_accept(P, T_COMMA));
	n1p_expect(P, T_RBRACE);
	return n1p_node_n(P, N1E_OBJECT, (N1Expr **) l.v, l.n, line, col);
}

static N1Expr *
parse_array(N1Parser *P)
{
	int			line = P->tok.line,
				col = P->tok.col,
				n = 0;
	N1Expr	  **items = NULL;

	n1p_expect(P, T_LBRACKET);
	if (P->tok.token != T_RBRACKET)
		items = n1p_exprs(P, &n);
	n1p_expect(P, T_RBRACKET);
	return n1p_node_n(P, N1E_ARRAY, items, n, line, col);
}

N1Expr *
n1p_paren(N1Parser *P)
{
	int			line = P->tok.line,
				col = P->tok.col;
	N1Expr	   *e = NULL,
			   *q;
	N1Select   *s = NULL;

	n1p_expect(P, T_LPAREN);
	n1p_enter(P);
	if (n1p_begins_select(P))
		s = n1p_select(P);
	else
	{
		e = n1p_expr(P);
		if (e->kind == N1E_SUBQUERY && !e->parens && n1p_is_set_op(P->tok.token))
			s = n1p_select_rest(P, e->select);
		else
			e->parens = true;
	}
	n1p_leave(P);
	n1p_expect(P, T_RPAREN);
	if (s == NULL)
		return e;
	q = n1p_node_n(P, N1E_SUBQUERY, NULL, 0, line, col);
	q->select = s;
	return q;
}

/* A name, alone or before the parenthesis of a call. */
static N1Expr *
parse_name(N1Parser *P)
{
	const N1Lexeme t = P->tok;
	N1Expr	   *e;

	n1p_next(P);
	if (P->tok.token == T_LPAREN && t.token != T_IDENT_ICASE)
		return n1p_function(P, &t);
	e = n1p_node_n(P, N1E_IDENT, NULL, 0, t.line, t.col);
	e->name = n1p_intern(P, t.s, t.n);
	e->icase = t.token == T_IDENT_ICASE;
	return e;
}

static N1Expr *
parse_minus(N1Parser *P)
{
	N1Expr	   *e;

	n1p_next(P);
	n1p_enter(P);
	e = n1p_node(P, N1E_NEG, NULL, n1p_operand(P), NULL, NULL);
	n1p_leave(P);
	return e;
}

static N1Expr *
parse_primary(N1Parser *P)
{
	N1Lexeme	t = P->tok;

	switch ((int) t.token)
	{
		case K_NULL:
		case K_MISSING:
		case K_TRUE:
		case K_FALSE:
		case T_STR:
		case T_INT:
		case T_NUM:
			return parse_literal(P);
		case T_LBRACE:
			return n1p_object(P);
		case T_LBRACKET:
			return parse_array(P);
		case T_LPAREN:
			return n1p_paren(P);
		case T_MINUS:
			return parse_minus(P);
		case T_NAMED:
		case T_POS:
		case T_NEXT:
			return n1p_param(P);
		case K_SELF:
			n1p_next(P);
			return n1p_node_n(P, N1E_SELF, NULL, 0, t.line, t.col);
		case K_CASE:
			return n1p_case(P);
		case K_ANY:
		case K_SOME:
		case K_EVERY:
			return n1p_quantified(P);
		case K_ARRAY:
		case K_FIRST:
		case K_OBJECT:
			return n1p_comprehension(P);
		case K_REPLACE:
		case K_NTH_VALUE:
		case K_FLATTEN_KEYS:
			n1p_next(P);
			if (P->tok.token != T_LPAREN)
				n1p_syntax(P);
			return n1p_function(P, &t);
		case T_IDENT:
		case T_IDENT_ICASE:
		case K_DEFAULT:
		case K_USER:
		case K_SEQUENCE:
		case K_VECTOR:
			return parse_name(P);
		default:
			n1p_syntax(P);
	}
}

/* ---- paths ---- */

/* .name, .`Name`i, .[expr] */
static N1Expr *
parse_dot(N1Parser *P, N1Expr *e)
{
	N1Lexeme	t;
	N1Expr	   *f;

	n1p_next(P);
	t = P->tok;
	if (n1p_accept(P, T_LBRACKET))
	{
		f = n1p_node(P, N1E_FIELD, e, e, n1p_expr(P), NULL);
		f->icase = P->tok.token == T_RBRACKET_ICASE;
		if (!f->icase && P->tok.token != T_RBRACKET)
			n1p_syntax(P);
		n1p_next(P);
		return f;
	}
	if (t.token != T_IDENT_ICASE && !n1p_is_name(&t))
		n1p_syntax(P);
	n1p_next(P);
	if (P->tok.token == T_LPAREN && t.token != T_IDENT_ICASE)
	{
		if (e->kind != N1E_IDENT)
			n1p_fatal(P, e->line, e->col, "syntax error");
		n1p_fatal(P, e->line, e->col, "Invalid function default:%s.%.*s", e->name, (int) t.n, t.s);
	}
	f = n1p_node(P, N1E_FIELD, e, e, NULL, NULL);
	f->name = n1p_intern(P, t.s, t.n);
	f->icase = t.token == T_IDENT_ICASE;
	f->line = t.line;
	f->col = t.col;
	return f;
}

/* [i], [i:j], [*], [] */
static N1Expr *
parse_bracket(N1Parser *P, N1Expr *e)
{
	N1Expr	   *s,
			   *from = NULL,
			   *to = NULL;

	n1p_next(P);
	if (n1p_accept(P, T_STAR))
	{
		n1p_expect(P, T_RBRACKET);
		return n1p_node(P, N1E_ARRAY_STAR, e, e, NULL, NULL);
	}
	if (P->tok.token != T_RBRACKET && P->tok.token != T_COLON)
	{
		from = n1p_expr(P);
		if (n1p_accept(P, T_RBRACKET))
			return n1p_node(P, N1E_ELEMENT, e, e, from, NULL);
		if (P->tok.token != T_COLON)
			n1p_syntax(P);
	}
	if (n1p_accept(P, T_COLON) && P->tok.token != T_RBRACKET)
		to = n1p_expr(P);
	n1p_expect(P, T_RBRACKET);
	s = n1p_node(P, N1E_SLICE, e, e, from ? from : to, from ? to : NULL);
	s->args[1] = from;
	s->args[2] = to;
	s->n_args = 3;
	return s;
}

N1Expr *
n1p_path(N1Parser *P)
{
	N1Expr	   *e = parse_primary(P);

	for (;;)
	{
		if (P->tok.token == T_LBRACKET)
			e = parse_bracket(P, e);
		else if (P->tok.token == T_DOT && n1p_peek(P)->token != T_STAR)
			e = parse_dot(P, e);
		else
			return e;
	}
}
