/*
 * Expressions: operators by precedence.
 */
#include "n1ql_parse.h"

/* How tightly operators bind. */
enum
{
	L_OR = 1, L_AND, L_NOT, L_EQ, L_LT, L_LIKE, L_ESCAPE, L_BETWEEN, L_IN, L_EXISTS, L_IS, L_FROM, L_CONCAT, L_PLUS,
	L_STAR, L_PREFIX
};

static N1Expr *parse_level(N1Parser *P, int min, bool plain);

typedef struct Operator
{
	N1Token		token;
	int			level;
	bool		once;			/* a = b = c is an error */
	N1ExprKind	kind;
	bool		swap;			/* a > b is b < a */
} Operator;

static const Operator operators[] = {
	{K_OR, L_OR, false, N1E_OR, false}, {K_AND, L_AND, false, N1E_AND, false},
	{T_EQ, L_EQ, true, N1E_EQ, false}, {T_DEQ, L_EQ, true, N1E_EQ, false}, {T_NE, L_EQ, true, N1E_NOT, false},
	{T_LT, L_LT, true, N1E_LT, false}, {T_LE, L_LT, true, N1E_LE, false},
	{T_GT, L_LT, true, N1E_LT, true}, {T_GE, L_LT, true, N1E_LE, true},
	{K_LIKE, L_LIKE, true, N1E_LIKE, false}, {K_BETWEEN, L_BETWEEN, false, N1E_BETWEEN, false},
	{K_IN, L_IN, true, N1E_IN, false}, {K_WITHIN, L_IN, true, N1E_WITHIN, false},
	{K_IS, L_IS, false, N1E_IS_NULL, false}, {T_CONCAT, L_CONCAT, false, N1E_CONCAT, false},
	{T_PLUS, L_PLUS, false, N1E_ADD, false}, {T_MINUS, L_PLUS, false, N1E_SUB, false},
	{T_STAR, L_STAR, false, N1E_MUL, false}, {T_DIV_OP, L_STAR, false, N1E_DIV, false},
	{T_MOD_OP, L_STAR, false, N1E_MOD, false}, {T_POW, L_STAR, false, N1E_POW, false},
};

static const Operator *
find_operator(N1Token t)
{
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (operators[i].token == t)
			return &operators[i];
	return NULL;
}

/* a AND b AND c is one node. */
static N1Expr *
join_logic(N1Parser *P, N1ExprKind kind, N1Expr *left, N1Expr *right)
{
	N1List		l;

	if (left->kind != kind || left->parens)
		return n1p_node(P, kind, left, left, right, NULL);
	l.v = (void **) left->args;
	l.n = left->n_args;
	if (l.n == 2)
	{
		l = (N1List) {0};
		n1p_push(P, &l, left->args[0]);
		n1p_push(P, &l, left->args[1]);
	}
	n1p_push(P, &l, right);
	left->args = (N1Expr **) l.v;
	left->n_args = l.n;
	left->constant = left->constant && right->constant;
	if (right->depth + 1 > left->depth)
		left->depth = right->depth + 1;
	return left;
}

static N1Expr *
parse_like(N1Parser *P, N1Expr *e)
{
	N1Expr	   *pattern = parse_level(P, L_LIKE + 1, false);
	N1Expr	   *escape;

	if (n1p_accept(P, K_ESCAPE))
	{
		escape = parse_level(P, L_ESCAPE + 1, false);
		if (P->tok.token == K_ESCAPE)
			n1p_syntax(P);
	}
	else
		escape = n1p_const(P, n1_string0(P->arena, "\\"), 0, 0);
	return n1p_node(P, N1E_LIKE, e, e, pattern, escape);
}

static N1Expr *
parse_between(N1Parser *P, N1Expr *e)
{
	N1Expr	   *low = n1p_b_expr(P);

	n1p_expect(P, K_AND);
	return n1p_node(P, N1E_BETWEEN, e, e, low, n1p_b_expr(P));
}

/* Behind IS. */
static N1Expr *
parse_is(N1Parser *P, N1Expr *e)
{
	bool		not = n1p_accept(P, K_NOT);
	N1ExprKind	kind;

	switch ((int) P->tok.token)
	{
		case K_NULL:
			kind = not ? N1E_IS_NOT_NULL : N1E_IS_NULL;
			break;
		case K_MISSING:
			kind = not ? N1E_IS_NOT_MISSING : N1E_IS_MISSING;
			break;
		case K_VALUED:
		case K_KNOWN:
			kind = not ? N1E_IS_NOT_VALUED : N1E_IS_VALUED;
			break;
		case K_UNKNOWN:
			kind = not ? N1E_IS_VALUED : N1E_IS_NOT_VALUED;
			break;
		case K_DISTINCT:
			n1p_next(P);
			n1p_expect(P, K_FROM);
			kind = not ? N1E_IS_NOT_DISTINCT : N1E_IS_DISTINCT;
			return n1p_node(P, kind, e, e, parse_level(P, L_FROM + 1, false), NULL);
		default:
			n1p_syntax(P);
	}
	n1p_next(P);
	return n1p_node(P, kind, e, e, NULL, NULL);
}

static N1Expr *
parse_operator(N1Parser *P, const Operator *op, N1Expr *e, bool plain)
{
	N1Expr	   *right;

	switch (op->kind)
	{
		case N1E_LIKE:
			return parse_like(P, e);
		case N1E_BETWEEN:
			return parse_between(P, e);
		case N1E_IS_NULL:
			return parse_is(P, e);
		default:
			break;
	}
	right = parse_level(P, op->level + 1, plain);
	if (op->kind == N1E_AND || op->kind == N1E_OR)
		return join_logic(P, op->kind, e, right);
	if (op->kind == N1E_NOT)
	{
		right = n1p_node(P, N1E_EQ, e, e, right, NULL);
		return n1p_node(P, N1E_NOT, e, right, NULL, NULL);
	}
	return n1p_node(P, op->kind, e, op->swap ? right : e, op->swap ? e : right, NULL);
}

static N1Expr *
parse_prefix(N1Parser *P, bool plain)
{
	N1Expr	   *e;

	if (!plain && n1p_accept(P, K_NOT))
		e = parse_level(P, L_NOT, false);
	else if (!plain && n1p_accept(P, K_EXISTS))
	{
		e = parse_level(P, L_EXISTS + 1, false);
		return n1p_node(P, N1E_EXISTS, e, e, NULL, NULL);
	}
	else
		return n1p_path(P);
	return n1p_node(P, N1E_NOT, e, e, NULL, NULL);
}

/* x NOT IN y and the like; the NOT was seen, not read. */
static N1Expr *
parse_negated(N1Parser *P, N1Expr *e, int *once)
{
	const Operator *op;

	n1p_next(P);
	op = find_operator(P->tok.token);
	if (op == NULL || (op->kind != N1E_LIKE && op->kind != N1E_BETWEEN && op->level != L_IN))
		n1p_syntax(P);
	n1p_next(P);
	*once = op->once ? op->level : 0;
	e = parse_operator(P, op, e, false);
	return n1p_node(P, N1E_NOT, e, e, NULL, NULL);
}

/* An expression of operators that bind at least as tightly as min; plain: no logic and no comparison within. */
static N1Expr *
parse_level(N1Parser *P, int min, bool plain)
{
	N1Expr	   *e;
	int			once = 0;

	n1p_enter(P);
	e = parse_prefix(P, plain);
	for (;;)
	{
		const Operator *op = find_operator(P->tok.token);

		if (P->tok.token == K_NOT && min <= L_NOT)
		{
			e = parse_negated(P, e, &once);
			continue;
		}
		if (op == NULL || op->level < min)
			break;
		if (op->level == once)
			n1p_syntax(P);
		once = op->once ? op->level : 0;
		n1p_next(P);
		e = parse_operator(P, op, e, plain);
	}
	n1p_leave(P);
	return e;
}

N1Expr *
n1p_expr(N1Parser *P)
{
	return parse_level(P, L_OR, false);
}

N1Expr *
n1p_b_expr(N1Parser *P)
{
	return parse_level(P, L_CONCAT, true);
}

/* What a minus sign applies to. */
N1Expr *
n1p_operand(N1Parser *P)
{
	return parse_level(P, L_PREFIX, true);
}
