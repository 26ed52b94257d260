/*
 * FROM: keyspaces, expressions, subqueries, joins, UNNEST and NEST.
 */
#include "n1ql_parse.h"

#include <string.h>

static N1From *
from_node(N1Parser *P, N1FromKind kind)
{
	N1From	   *f = n1_alloc(P->arena, sizeof(*f));

	f->kind = kind;
	f->line = P->tok.line;
	f->col = P->tok.col;
	return f;
}

static void
add_part(N1Parser *P, N1From *f, const char *s, size_t n)
{
	if (f->path == NULL)
		f->path = n1_alloc(P->arena, 4 * sizeof(N1Name));
	f->path[f->n_path++] = (N1Name) {s, n};
}

static void
add_name(N1Parser *P, N1From *f)
{
	const char *s = n1p_name(P);

	f->alias = s;
	add_part(P, f, s, strlen(s));
}

/* True at "default:" and "system:". */
static bool
at_namespace(N1Parser *P)
{
	const N1Lexeme *t = &P->tok;
	bool		known = (n1p_is_name(t) && t->n == 7 && memcmp(t->s, "default", 7) == 0) || t->token == K_SYSTEM;

	return known && n1p_peek(P)->token == T_COLON;
}

/* namespace:name or namespace:bucket.scope.collection */
static void
parse_long_path(N1Parser *P, N1From *f)
{
	const char *s = P->tok.token == K_SYSTEM ? "#system" : "default";

	add_part(P, f, s, strlen(s));
	n1p_next(P);
	n1p_expect(P, T_COLON);
	add_name(P, f);
	if (!n1p_accept(P, T_DOT))
		return;
	add_name(P, f);
	n1p_expect(P, T_DOT);
	add_name(P, f);
}

/* The target of a write, with its alias and what may follow it. */
N1From *
n1p_keyspace(N1Parser *P)
{
	N1From	   *f = from_node(P, N1FR_KEYSPACE);

	if (at_namespace(P))
	{
		parse_long_path(P, f);
		return f;
	}
	add_name(P, f);
	while (f->n_path < 3 && n1p_accept(P, T_DOT))
		add_name(P, f);
	return f;
}

static void
parse_index_refs(N1Parser *P)
{
	n1p_expect(P, T_LPAREN);
	do
	{
		if (n1p_is_name(&P->tok))
			n1p_name(P);
		if (n1p_accept(P, K_USING) && !n1p_accept(P, K_GSI) && !n1p_accept(P, K_VIEW))
			n1p_expect(P, K_FTS);
	} while (n1p_accept(P, T_COMMA));
	n1p_expect(P, T_RPAREN);
}

/* What was said with USE. */
typedef struct Use
{
	N1Expr	   *keys;
	bool		index;
	bool		hint;
	int			line, col;
} Use;

/* One option of USE; false when there is none. */
static bool
parse_use_option(N1Parser *P, Use *u)
{
	if (!u->hint && n1p_accept(P, K_NL))
		u->hint = true;
	else if (!u->hint && n1p_accept(P, K_HASH))
	{
		n1p_expect(P, T_LPAREN);
		if (!n1p_accept(P, K_BUILD))
			n1p_expect(P, K_PROBE);
		n1p_expect(P, T_RPAREN);
		u->hint = true;
	}
	else if (u->keys == NULL && !u->index && n1p_accept(P, K_INDEX))
	{
		parse_index_refs(P);
		u->index = true;
	}
	else if (u->keys == NULL && !u->index && (P->tok.token == K_PRIMARY || P->tok.token == K_KEYS))
	{
		n1p_accept(P, K_PRIMARY);
		n1p_expect(P, K_KEYS);
		n1p_accept(P, K_VALIDATE);
		u->keys = n1p_expr(P);
	}
	else
		return false;
	return true;
}

static Use
parse_use(N1Parser *P)
{
	Use			u = {.line = P->tok.line,.col = P->tok.col};

	if (!n1p_accept(P, K_USE))
		return u;
	if (!parse_use_option(P, &u))
		n1p_syntax(P);
	parse_use_option(P, &u);
	return u;
}

/* Takes a.b.c as the path of a collection; false when the expression is none. */
static bool
path_of(N1Parser *P, N1From *f, const N1Expr *e)
{
	const N1Expr *mid = e->kind == N1E_FIELD && e->name != NULL ? e->args[0] : NULL;
	const N1Expr *first = mid != NULL && mid->kind == N1E_FIELD && mid->name != NULL ? mid->args[0] : NULL;

	if (first == NULL || first->kind != N1E_IDENT || first->icase || mid->icase || e->icase)
		return false;
	add_part(P, f, "default", 7);
	add_part(P, f, first->name, strlen(first->name));
	add_part(P, f, mid->name, strlen(mid->name));
	add_part(P, f, e->name, strlen(e->name));
	return true;
}

/* A term that began as an expression: a subquery, a keyspace by its name, or just an expression. */
static void
classify(N1Parser *P, N1From *f, const Use *u)
{
	N1Expr	   *e = f->expr;

	if (e->kind == N1E_SUBQUERY)
	{
		f->kind = N1FR_SUBQUERY;
		f->select = e->select;
		if (f->alias == NULL)
			n1p_fatal(P, f->line, f->col, "Subquery in FROM clause must have an alias.");
		if (u->keys != NULL || u->index)
			n1p_fatal(P, u->line, u->col, "FROM Subquery cannot have USE KEYS or USE INDEX.");
		return;
	}
	if (e->kind == N1E_IDENT && e->icase)
		n1p_fatal(P, f->line, f->col, "Keyspace term must be case sensitive");
	if (e->kind == N1E_IDENT)
	{
		f->kind = N1FR_KEYSPACE;
		add_part(P, f, e->name, strlen(e->name));
	}
	else if (path_of(P, f, e))
		f->kind = N1FR_KEYSPACE;
	if (f->kind == N1FR_KEYSPACE)
	{
		f->keys = u->keys;
		if (f->alias == NULL)
			f->alias = e->name;
		return;
	}
	if (u->keys != NULL || u->index)
		n1p_fatal(P, f->line, f->col, "FROM Expression cannot have USE KEYS or USE INDEX.");
	if (f->alias == NULL)
		f->alias = n1p_implied(e);
}

static N1From *
parse_simple(N1Parser *P)
{
	N1From	   *f = from_node(P, N1FR_EXPR);
	const char *alias;
	int			line,
				col;
	Use			u;

	if (at_namespace(P))
	{
		f->kind = N1FR_KEYSPACE;
		parse_long_path(P, f);
		alias = n1p_opt_alias(P, &line, &col);
		if (alias != NULL)
			f->alias = alias;
		f->keys = parse_use(P).keys;
		return f;
	}
	f->expr = n1p_expr(P);
	f->alias = n1p_opt_alias(P, &line, &col);
	f->given = f->alias != NULL;
	u = parse_use(P);
	classify(P, f, &u);
	return f;
}

/* ON of a join that was read up to its right side. */
static void
parse_on(N1Parser *P, N1From *join, bool nest)
{
	n1p_expect(P, K_ON);
	if (P->tok.token == K_PRIMARY || P->tok.token == K_KEYS || P->tok.token == K_KEY)
	{
		n1p_accept(P, K_PRIMARY);
		/* An index join (ON KEY ... FOR) needs an index, and there is none. */
		n1p_expect(P, K_KEYS);
		n1p_accept(P, K_VALIDATE);
		join->kind = nest ? N1FR_NEST_KEYS : N1FR_JOIN_KEYS;
		if (join->lateral)
			n1p_fatal(P, join->right->line, join->right->col,
					  "LATERAL cannot be specified in lookup join with ON KEYS clause (%s)", join->right->alias);
		if (join->right->kind != N1FR_KEYSPACE)
			n1p_complain(P, join->right->line, join->right->col, "%s must be done on a keyspace",
						 nest ? "NEST" : "JOIN");
	}
	join->on = n1p_expr(P);
}

static N1From *
parse_join(N1Parser *P, N1From *left, bool outer, bool right_outer)
{
	bool		nest = P->tok.token == K_NEST;
	N1From	   *f = from_node(P, nest ? N1FR_NEST : N1FR_JOIN);

	n1p_next(P);
	f->left = left;
	f->outer = outer;
	f->right_outer = right_outer;
	f->lateral = n1p_accept(P, K_LATERAL);
	f->right = parse_simple(P);
	f->alias = f->right->alias;
	if (right_outer && f->lateral)
		n1p_fatal(P, f->right->line, f->right->col, "LATERAL cannot be specified in RIGHT OUTER JOIN (%s)",
				  f->right->alias);
	parse_on(P, f, nest);
	return f;
}

static N1From *
parse_unnest(N1Parser *P, N1From *left, bool outer)
{
	N1From	   *f = from_node(P, N1FR_UNNEST);
	const char *alias;

	n1p_next(P);
	f->left = left;
	f->outer = outer;
	f->expr = n1p_expr(P);
	f->line = f->expr->line;
	f->col = f->expr->col;
	f->alias = n1p_implied(f->expr);
	alias = n1p_opt_alias(P, &f->line, &f->col);
	if (alias != NULL)
	{
		f->alias = alias;
		f->given = true;
	}
	else
	{
		f->line = f->expr->line;
		f->col = f->expr->col;
	}
	return f;
}

static N1From *
parse_from_term(N1Parser *P)
{
	N1From	   *f = parse_simple(P);
	int			height = 0;
	bool		outer;

	if (n1p_accept(P, K_RIGHT))
	{
		n1p_accept(P, K_OUTER);
		if (P->tok.token != K_JOIN)
			n1p_syntax(P);
		f = parse_join(P, f, false, true);
	}
	for (;;)
	{
		outer = false;
		if (n1p_accept(P, K_LEFT))
		{
			n1p_accept(P, K_OUTER);
			outer = true;
		}
		else if (!n1p_accept(P, K_INNER) && P->tok.token != K_JOIN && P->tok.token != K_NEST &&
				 P->tok.token != K_UNNEST && P->tok.token != K_FLATTEN)
			break;
		n1p_enter(P);
		height++;
		if (P->tok.token == K_JOIN || P->tok.token == K_NEST)
			f = parse_join(P, f, outer, false);
		else if (P->tok.token == K_UNNEST || P->tok.token == K_FLATTEN)
			f = parse_unnest(P, f, outer);
		else
			n1p_syntax(P);
	}
	while (height-- > 0)
		n1p_leave(P);
	return f;
}

N1From *
n1p_from_terms(N1Parser *P)
{
	N1From	   *f = parse_from_term(P);
	int			height = 0;

	while (n1p_accept(P, T_COMMA))
	{
		N1From	   *j = from_node(P, N1FR_JOIN);

		n1p_enter(P);
		height++;
		j->lateral = n1p_accept(P, K_LATERAL);
		j->left = f;
		j->right = parse_from_term(P);
		j->alias = j->right->alias;
		if (j->right->left != NULL)
			n1p_complain(P, j->right->line, j->right->col,
						 "Right side (%s) of a COMMA in a FROM clause must be a simple term or sub-query",
						 j->alias ? j->alias : "");
		f = j;
	}
	while (height-- > 0)
		n1p_leave(P);
	return f;
}
