/*
 * The text of an expression in messages, and whether two expressions are the same.
 */
#include "n1ql_parse.h"

#include <string.h>

static void
join_args(N1Buf *out, const N1Expr *e, const char *open, const char *sep, const char *close)
{
	n1_buf_str(out, open);
	for (int i = 0; i < e->n_args; i++)
	{
		if (i > 0)
			n1_buf_str(out, sep);
		n1_expr_text(out, e->args[i]);
	}
	n1_buf_str(out, close);
}

/* "(" first middle second ")", the operands as they were written. */
static void
infix(N1Buf *out, const N1Expr *e, const char *op)
{
	join_args(out, e, "(", op, ")");
}

static void
text_case(N1Buf *out, const N1Expr *e)
{
	n1_buf_str(out, "case");
	if (e->args[0] != NULL)
	{
		n1_buf_char(out, ' ');
		n1_expr_text(out, e->args[0]);
	}
	for (int i = 1; i + 1 < e->n_args; i += 2)
	{
		n1_buf_str(out, " when ");
		n1_expr_text(out, e->args[i]);
		n1_buf_str(out, " then ");
		n1_expr_text(out, e->args[i + 1]);
	}
	if (e->args[e->n_args - 1] != NULL)
	{
		n1_buf_str(out, " else ");
		n1_expr_text(out, e->args[e->n_args - 1]);
	}
	n1_buf_str(out, " end");
}

static void
text_bindings(N1Buf *out, const N1Expr *e)
{
	for (int i = 0; i < e->n_binds; i++)
	{
		const N1Bind *b = &e->binds[i];

		if (i > 0)
			n1_buf_str(out, ", ");
		if (b->name_var != NULL)
			n1_buf_printf(out, "`%s` : ", b->name_var);
		n1_buf_printf(out, "`%s` %s ", b->var, b->within ? "within" : "in");
		n1_expr_text(out, b->expr);
	}
}

static void
text_collection(N1Buf *out, const N1Expr *e)
{
	static const char *const words[] = {"any ", "every ", "any and every ", "array ", "first ", "object "};

	n1_buf_str(out, words[e->kind - N1E_ANY]);
	if (e->kind <= N1E_ANY_EVERY)
	{
		text_bindings(out, e);
		n1_buf_str(out, " satisfies ");
		n1_expr_text(out, e->cond);
	}
	else
	{
		join_args(out, e, "", " : ", " for ");
		text_bindings(out, e);
		if (e->cond != NULL)
		{
			n1_buf_str(out, " when ");
			n1_expr_text(out, e->cond);
		}
	}
	n1_buf_str(out, " end");
}

static void
text_function(N1Buf *out, const N1Expr *e)
{
	n1_buf_str(out, e->func->name);
	join_args(out, e, e->distinct ? "(distinct " : e->star ? "(*" : "(", ", ", ")");
	if (e->filter != NULL)
	{
		n1_buf_str(out, " FILTER (WHERE ");
		n1_expr_text(out, e->filter);
		n1_buf_char(out, ')');
	}
}

static void
text_object(N1Buf *out, const N1Expr *e)
{
	n1_buf_char(out, '{');
	for (int i = 0; i + 1 < e->n_args; i += 2)
	{
		if (i > 0)
			n1_buf_str(out, ", ");
		n1_expr_text(out, e->args[i]);
		n1_buf_str(out, ": ");
		n1_expr_text(out, e->args[i + 1]);
	}
	n1_buf_char(out, '}');
}

/* .name, .[e], [e], [a : b] */
static void
text_path(N1Buf *out, const N1Expr *e)
{
	n1_buf_char(out, '(');
	n1_expr_text(out, e->args[0]);
	if (e->kind == N1E_FIELD && e->name != NULL)
		n1_buf_printf(out, ".`%s`%s", e->name, e->icase ? "i" : "");
	else
	{
		n1_buf_str(out, e->kind == N1E_FIELD ? ".[" : "[");
		if (e->kind == N1E_ARRAY_STAR)
			n1_buf_char(out, '*');
		for (int i = 1; i < e->n_args; i++)
		{
			if (i > 1)
				n1_buf_str(out, " : ");
			if (e->args[i] != NULL)
				n1_expr_text(out, e->args[i]);
		}
		n1_buf_str(out, e->icase ? "]i" : "]");
	}
	n1_buf_char(out, ')');
}

static void
text_leaf(N1Buf *out, const N1Expr *e)
{
	if (e->kind == N1E_CONST && e->value->type == N1_MISSING)
		n1_buf_str(out, "missing");
	else if (e->kind == N1E_CONST)
		n1_json_write(out, e->value);
	else if (e->kind == N1E_IDENT)
		n1_buf_printf(out, "`%s`%s", e->name, e->icase ? "i" : "");
	else if (e->kind == N1E_SELF)
		n1_buf_str(out, "self");
	else if (e->kind == N1E_SUBQUERY)
		n1_buf_str(out, "(select)");
	else if (e->name != NULL)
		n1_buf_printf(out, "$%s", e->name);
	else
		n1_buf_printf(out, "$%d", e->index);
}

static const char *
infix_word(const N1Expr *e)
{
	static const char *const words[] = {
		[N1E_ADD] = " + ",[N1E_SUB] = " - ",[N1E_MUL] = " * ",[N1E_DIV] = " / ",[N1E_MOD] = " % ",[N1E_POW] = " ^ ",
		[N1E_CONCAT] = " || ",[N1E_AND] = " and ",[N1E_OR] = " or ",[N1E_EQ] = " = ",[N1E_LT] = " < ",[N1E_LE] = " <= ",
		[N1E_IN] = " in ",[N1E_WITHIN] = " within ",[N1E_IS_DISTINCT] = " is distinct from ",
		[N1E_IS_NOT_DISTINCT] = " is not distinct from ",[N1E_SUBQUERY] = NULL
	};

	return words[e->kind];
}

static const char *
postfix_word(const N1Expr *e)
{
	static const char *const words[] = {
		[N1E_IS_NULL] = " is null)",[N1E_IS_MISSING] = " is missing)",[N1E_IS_VALUED] = " is valued)",
		[N1E_IS_NOT_NULL] = " is not null)",[N1E_IS_NOT_MISSING] = " is not missing)",
		[N1E_IS_NOT_VALUED] = " is not valued)",[N1E_SUBQUERY] = NULL
	};

	return words[e->kind];
}

static void
text_like(N1Buf *out, const N1Expr *e)
{
	const N1Value *esc = e->args[2]->value;

	n1_buf_char(out, '(');
	n1_expr_text(out, e->args[0]);
	n1_buf_str(out, " like ");
	n1_expr_text(out, e->args[1]);
	if (esc == NULL || esc->type != N1_STRING || esc->u.str.n != 1 || *esc->u.str.s != '\\')
	{
		n1_buf_str(out, " escape ");
		n1_expr_text(out, e->args[2]);
	}
	n1_buf_char(out, ')');
}

static void
text_between(N1Buf *out, const N1Expr *e)
{
	n1_buf_char(out, '(');
	n1_expr_text(out, e->args[0]);
	n1_buf_str(out, " between ");
	n1_expr_text(out, e->args[1]);
	n1_buf_str(out, " and ");
	n1_expr_text(out, e->args[2]);
	n1_buf_char(out, ')');
}

void
n1_expr_text(N1Buf *out, const N1Expr *e)
{
	if (infix_word(e) != NULL)
		infix(out, e, infix_word(e));
	else if (postfix_word(e) != NULL)
		join_args(out, e, "(", "", postfix_word(e));
	else if (e->kind == N1E_NOT)
		join_args(out, e, "(not ", "", ")");
	else if (e->kind == N1E_NEG)
		join_args(out, e, "(-", "", ")");
	else if (e->kind == N1E_EXISTS)
		join_args(out, e, "(exists ", "", ")");
	else if (e->kind == N1E_ARRAY)
		join_args(out, e, "[", ", ", "]");
	else if (e->kind == N1E_LIKE)
		text_like(out, e);
	else if (e->kind == N1E_BETWEEN)
		text_between(out, e);
	else if (e->kind == N1E_OBJECT)
		text_object(out, e);
	else if (e->kind == N1E_CASE)
		text_case(out, e);
	else if (e->kind == N1E_FUNC)
		text_function(out, e);
	else if (e->kind >= N1E_ANY && e->kind <= N1E_COLL_OBJECT)
		text_collection(out, e);
	else if (e->kind >= N1E_FIELD && e->kind <= N1E_ARRAY_STAR)
		text_path(out, e);
	else
		text_leaf(out, e);
}

/* ---- equality ---- */

static bool
same_or_none(const N1Expr *x, const N1Expr *y)
{
	return x == NULL || y == NULL ? x == y : n1_expr_same(x, y);
}

static bool
same_sorts(const N1Sort *x, int nx, const N1Sort *y, int ny)
{
	if (nx != ny)
		return false;
	for (int i = 0; i < nx; i++)
		if (!n1_expr_same(x[i].expr, y[i].expr) || !same_or_none(x[i].dir, y[i].dir) ||
			!same_or_none(x[i].nulls, y[i].nulls))
			return false;
	return true;
}

static bool
same_windows(const N1Window *x, const N1Window *y)
{
	if (x == NULL || y == NULL)
		return x == y;
	if (x->n_partition != y->n_partition || x->unit != y->unit || x->from != y->from || x->to != y->to ||
		x->exclude != y->exclude || !same_or_none(x->from_expr, y->from_expr) ||
		!same_or_none(x->to_expr, y->to_expr) || !same_sorts(x->order, x->n_order, y->order, y->n_order))
		return false;
	for (int i = 0; i < x->n_partition; i++)
		if (!n1_expr_same(x->partition[i], y->partition[i]))
			return false;
	return true;
}

static bool
same_bindings(const N1Expr *x, const N1Expr *y)
{
	if (x->n_binds != y->n_binds)
		return false;
	for (int i = 0; i < x->n_binds; i++)
		if (x->binds[i].var != y->binds[i].var || x->binds[i].name_var != y->binds[i].name_var ||
			x->binds[i].within != y->binds[i].within || !n1_expr_same(x->binds[i].expr, y->binds[i].expr))
			return false;
	return true;
}

static bool
same_values(N1Value *x, N1Value *y)
{
	return x == y || (x != NULL && y != NULL && x->is_int == y->is_int && n1_collate(x, y) == 0);
}

bool
n1_expr_same(const N1Expr *x, const N1Expr *y)
{
	if (x == y)
		return true;
	if (x->kind != y->kind || x->n_args != y->n_args || x->name != y->name || x->index != y->index ||
		x->icase != y->icase || x->func != y->func || x->select != y->select || x->distinct != y->distinct ||
		x->star != y->star || x->ignore_nulls != y->ignore_nulls || x->from_last != y->from_last)
		return false;
	if (!same_values(x->value, y->value) || !same_or_none(x->filter, y->filter) || !same_or_none(x->cond, y->cond) ||
		!same_windows(x->window, y->window) || !same_bindings(x, y))
		return false;
	for (int i = 0; i < x->n_args; i++)
		if (!same_or_none(x->args[i], y->args[i]))
			return false;
	return true;
}
