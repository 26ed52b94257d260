/*
 * explain.c: what EXPLAIN and PREPARE show: the operators that would run, under the server's names and members. There
 * are no costs.
 */
#include <string.h>

#include "join.h"
#include "run.h"

/* A plan that is being written. */
typedef struct Plan
{
	Exec	   *x;
	N1Buf	   *out;
	bool		first;				/* of the members or children that are being listed */
} Plan;

static void plan_select(Plan *p, const N1Select *q);

static void
text_value(Plan *p, const char *s, size_t n)
{
	n1_json_write_string(p->out, s, n);
}

static void
member(Plan *p, const char *name, const char *value)
{
	n1_buf_char(p->out, ',');
	text_value(p, name, strlen(name));
	n1_buf_char(p->out, ':');
	text_value(p, value, strlen(value));
}

/* The text of an expression as a JSON string. */
static void
expr_value(Plan *p, const N1Expr *e)
{
	N1Buf		b;

	n1_buf_init(&b, p->x->keep);
	n1_expr_text(&b, e);
	text_value(p, b.s, b.n);
}

static void
expr_member(Plan *p, const char *name, const N1Expr *e)
{
	if (e == NULL)
		return;
	n1_buf_char(p->out, ',');
	text_value(p, name, strlen(name));
	n1_buf_char(p->out, ':');
	expr_value(p, e);
}

/* Begins an operator; a comma first unless it is the first of its list. */
static void
begin(Plan *p, const char *operator)
{
	if (!p->first)
		n1_buf_char(p->out, ',');
	p->first = false;
	n1_buf_str(p->out, "{\"#operator\":");
	text_value(p, operator, strlen(operator));
}

static void
end(Plan *p)
{
	n1_buf_char(p->out, '}');
}

static void
begin_children(Plan *p)
{
	n1_buf_str(p->out, ",\"~children\":[");
	p->first = true;
}

static void
end_children(Plan *p)
{
	n1_buf_char(p->out, ']');
	p->first = false;
}

static void
begin_child(Plan *p)
{
	n1_buf_str(p->out, ",\"~child\":");
	p->first = true;
}

/* ---------------------------------------------------------------- FROM */

static void
keyspace_members(Plan *p, const Keyspace *k, const char *alias)
{
	if (alias != NULL)
		member(p, "as", alias);
	if (k->system != NULL)
	{
		member(p, "keyspace", k->path);
		member(p, "namespace", "#system");
		return;
	}
	member(p, "bucket", k->bucket);
	member(p, "keyspace", k->collection);
	member(p, "namespace", "default");
	member(p, "scope", k->scope);
}

static void
plan_keyspace(Plan *p, const FromOp *op)
{
	const Keyspace *k = op->keyspace;
	const IndexEntry *index = k->system == NULL ? index_on(p->x, k) : NULL;

	if (op->from->keys != NULL)
	{
		begin(p, "KeyScan");
		expr_member(p, "keys", op->from->keys);
		end(p);
	}
	else
	{
		begin(p, "PrimaryScan3");
		member(p, "index", k->system != NULL ? "#primary" : index != NULL ? index->name : "#sequentialscan");
		keyspace_members(p, k, op->from->alias);
		member(p, "using", k->system != NULL ? "system" : index != NULL ? "gsi" : "sequentialscan");
		end(p);
	}
	begin(p, "Fetch");
	keyspace_members(p, k, op->from->alias);
	end(p);
}

static void plan_from(Plan *p, const FromOp *op);

static void
plan_join(Plan *p, const FromOp *op)
{
	const JoinState *j = op->join;
	bool		lookup = j->mode == JOIN_LOOKUP || j->mode == JOIN_KEYS;

	plan_from(p, j->driver);
	if (lookup)
		begin(p, j->nest ? "Nest" : "Join");
	else if (j->mode == JOIN_HASH)
		begin(p, j->nest ? "HashNest" : "HashJoin");
	else
		begin(p, j->nest ? "NestedLoopNest" : "NestedLoopJoin");
	if (j->inner->from->alias != NULL)
		member(p, "alias", j->inner->from->alias);
	if (lookup)
	{
		keyspace_members(p, j->inner->keyspace, NULL);
		expr_member(p, "on_keys", j->outer_side);
		expr_member(p, "on_filter", j->mode == JOIN_KEYS ? NULL : j->on);
	}
	else
	{
		expr_member(p, "build_expr", j->mode == JOIN_HASH ? j->inner_side : NULL);
		expr_member(p, "probe_expr", j->mode == JOIN_HASH ? j->outer_side : NULL);
		expr_member(p, "on_clause", j->on);
	}
	if (j->outer)
		n1_buf_str(p->out, ",\"outer\":true");
	if (!lookup)
	{
		begin_child(p);
		begin(p, "Sequence");
		begin_children(p);
		plan_from(p, j->inner);
		end_children(p);
		end(p);
	}
	end(p);
}

static void
plan_from(Plan *p, const FromOp *op)
{
	if (op == NULL)
	{
		begin(p, "DummyScan");
		end(p);
		return;
	}
	switch (op->from->kind)
	{
		case N1FR_KEYSPACE:
			plan_keyspace(p, op);
			return;
		case N1FR_EXPR:
			begin(p, "ExpressionScan");
			member(p, "alias", op->from->alias);
			expr_member(p, "expr", op->from->expr);
			end(p);
			return;
		case N1FR_SUBQUERY:
			plan_select(p, op->from->select);
			begin(p, "Alias");
			member(p, "as", op->from->alias);
			end(p);
			return;
		case N1FR_UNNEST:
			plan_from(p, op->left);
			begin(p, "Unnest");
			member(p, "as", op->from->alias);
			expr_member(p, "expr", op->from->expr);
			if (op->from->outer)
				n1_buf_str(p->out, ",\"outer\":true");
			end(p);
			return;
		default:
			plan_join(p, op);
	}
}

/* ---------------------------------------------------------------- one SELECT */

static void
expr_list(Plan *p, const char *name, N1Expr *const *e, int n)
{
	n1_buf_printf(p->out, ",\"%s\":[", name);
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			n1_buf_char(p->out, ',');
		expr_value(p, e[i]);
	}
	n1_buf_char(p->out, ']');
}

static void
plan_binds(Plan *p, const N1Bind *b, int n)
{
	if (n == 0)
		return;
	begin(p, "Let");
	n1_buf_str(p->out, ",\"bindings\":[");
	for (int i = 0; i < n; i++)
	{
		n1_buf_str(p->out, i > 0 ? ",{\"var\":" : "{\"var\":");
		text_value(p, b[i].var, strlen(b[i].var));
		expr_member(p, "expr", b[i].expr);
		n1_buf_char(p->out, '}');
	}
	n1_buf_char(p->out, ']');
	end(p);
}

static void
plan_filter(Plan *p, const N1Expr *condition)
{
	if (condition == NULL)
		return;
	begin(p, "Filter");
	expr_member(p, "condition", condition);
	end(p);
}

static void
plan_group(Plan *p, const N1Sub *s)
{
	static const char *const phases[] = {"InitialGroup", "IntermediateGroup", "FinalGroup"};

	for (int phase = 0; s->grouped && phase < 3; phase++)
	{
		begin(p, phases[phase]);
		expr_list(p, "aggregates", s->aggs, s->n_aggs);
		n1_buf_str(p->out, ",\"group_keys\":[");
		for (int i = 0; i < s->n_group; i++)
		{
			if (i > 0)
				n1_buf_char(p->out, ',');
			expr_value(p, s->group[i].expr);
		}
		n1_buf_char(p->out, ']');
		end(p);
	}
}

static void
plan_projection(Plan *p, const N1Sub *s)
{
	begin(p, "InitialProject");
	if (s->raw)
		n1_buf_str(p->out, ",\"raw\":true");
	n1_buf_str(p->out, ",\"result_terms\":[");
	for (int i = 0; i < s->n_terms; i++)
	{
		const N1Term *t = &s->terms[i];
		bool		self = t->expr == NULL || t->expr->kind == N1E_SELF;

		n1_buf_str(p->out, i > 0 ? ",{\"expr\":" : "{\"expr\":");
		if (self)
			text_value(p, "self", 4);
		else
			expr_value(p, t->expr);
		if (self || t->star)
			n1_buf_str(p->out, ",\"star\":true");
		else if (t->alias != NULL && !t->implicit)
			member(p, "as", t->alias);
		n1_buf_char(p->out, '}');
	}
	n1_buf_char(p->out, ']');
	end(p);
	if (s->distinct)
	{
		begin(p, "Distinct");
		end(p);
	}
}

static void
plan_sub(Plan *p, const N1Select *q, const N1Sub *s)
{
	SelectRun	run = {.x = p->x, .select = q, .arena = p->x->keep};
	SubRun	   *sub = sub_open(&run, s);

	plan_from(p, sub->from);
	sub_close(sub);
	plan_binds(p, s->let, s->n_let);
	plan_filter(p, s->where);
	plan_group(p, s);
	plan_binds(p, s->letting, s->n_letting);
	plan_filter(p, s->having);
	if (s->n_windows > 0)
	{
		begin(p, "WindowAggregate");
		expr_list(p, "aggregates", s->windows, s->n_windows);
		end(p);
	}
	plan_projection(p, s);
}

/* ---------------------------------------------------------------- a whole query */

static void
plan_query(Plan *p, const N1Select *q, const N1Query *tree)
{
	static const char *const names[] = {"", "", "UnionAll", "UnionAll", "IntersectAll", "IntersectAll", "ExceptAll", "ExceptAll"};
	const N1Query *sides[2];

	if (tree->op == N1S_SELECT)
	{
		plan_sub(p, q, tree->sub);
		return;
	}
	if (tree->op == N1S_PAREN)
	{
		plan_select(p, tree->select);
		return;
	}
	sides[0] = tree->left;
	sides[1] = tree->right;
	begin(p, names[tree->op]);
	begin_children(p);
	for (int i = 0; i < 2; i++)
	{
		begin(p, "Sequence");
		begin_children(p);
		plan_query(p, q, sides[i]);
		end_children(p);
		end(p);
	}
	end_children(p);
	end(p);
	if (tree->op == N1S_UNION || tree->op == N1S_INTERSECT || tree->op == N1S_EXCEPT)
	{
		begin(p, "Distinct");
		end(p);
	}
}

static void
plan_order(Plan *p, const N1Select *q)
{
	if (q->n_order == 0)
		return;
	begin(p, "Order");
	n1_buf_str(p->out, ",\"sort_terms\":[");
	for (int i = 0; i < q->n_order; i++)
	{
		n1_buf_str(p->out, i > 0 ? ",{\"expr\":" : "{\"expr\":");
		expr_value(p, q->order[i].expr);
		expr_member(p, "desc", q->order[i].dir);
		expr_member(p, "nulls_pos", q->order[i].nulls);
		n1_buf_char(p->out, '}');
	}
	n1_buf_char(p->out, ']');
	end(p);
}

static void
plan_select(Plan *p, const N1Select *q)
{
	begin(p, "Sequence");
	begin_children(p);
	if (q->n_with > 0)
	{
		begin(p, "With");
		n1_buf_str(p->out, ",\"bindings\":[");
		for (int i = 0; i < q->n_with; i++)
		{
			n1_buf_str(p->out, i > 0 ? ",{\"var\":" : "{\"var\":");
			text_value(p, q->with[i].var, strlen(q->with[i].var));
			expr_member(p, "expr", q->with[i].expr);
			n1_buf_char(p->out, '}');
		}
		n1_buf_char(p->out, ']');
		end(p);
	}
	plan_query(p, q, q->query);
	plan_order(p, q);
	if (q->offset != NULL)
	{
		begin(p, "Offset");
		expr_member(p, "expr", q->offset);
		end(p);
	}
	if (q->limit != NULL)
	{
		begin(p, "Limit");
		expr_member(p, "expr", q->limit);
		end(p);
	}
	end_children(p);
	end(p);
}

void
explain_text(Exec *x, N1Buf *out, const N1Select *q, const char *text)
{
	Plan		p = {.x = x, .out = out, .first = true};

	if (text != NULL)
		n1_buf_str(out, "{\"plan\":");
	plan_select(&p, q);
	if (text == NULL)
		return;
	n1_buf_str(out, ",\"text\":");
	text_value(&p, text, strlen(text));
	n1_buf_char(out, '}');
}
