/*
 * statement.c: statements that are no queries; prepared statements; signatures.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "walk.h"

/* ---------------------------------------------------------------- signatures */

/* What the server says of the type of a term: of a literal its own, of anything else "json". */
static void
term_type(N1Buf *out, const N1Expr *e)
{
	const char *name = "json";

	if (e->kind == N1E_CONST && e->value->type != N1_BINARY)
		name = n1_type_name((N1Type) e->value->type);
	n1_json_write_string(out, name, strlen(name));
}

void
signature_text(N1Buf *out, const N1Select *q)
{
	const N1Sub *sub = source_first(q->query);

	if (sub->raw)
	{
		term_type(out, sub->terms[0].expr);
		return;
	}
	n1_buf_char(out, '{');
	for (int i = 0; i < sub->n_terms; i++)
	{
		const N1Term *t = &sub->terms[i];

		if (i > 0)
			n1_buf_char(out, ',');
		if (t->star || t->expr->kind == N1E_SELF)
		{
			n1_buf_str(out, "\"*\":\"*\"");
			continue;
		}
		n1_json_write_string(out, t->alias, strlen(t->alias));
		n1_buf_char(out, ':');
		term_type(out, t->expr);
	}
	n1_buf_char(out, '}');
}

/* ---------------------------------------------------------------- PREPARE and EXECUTE */

/* A name for a statement that was given none: the same for the same text. */
static void
implied_name(const char *text, const char *context, char name[37])
{
	uint64_t	h[2] = {14695981039346656037u, 1099511628211u};

	for (const char *p = text; *p != '\0'; p++)
		h[0] = (h[0] ^ (unsigned char) *p) * 1099511628211u;
	for (const char *p = context != NULL ? context : ""; *p != '\0'; p++)
		h[0] = (h[0] ^ (unsigned char) *p) * 1099511628211u;
	h[1] = (h[1] ^ h[0]) * 14029467366897019727u;
	snprintf(name, 37, "%08x-%04x-5%03x-a%03x-%012llx", (unsigned) (h[0] >> 32), (unsigned) (h[0] >> 16 & 0xffff),
			 (unsigned) (h[0] & 0xfff), (unsigned) (h[1] >> 52), (unsigned long long) (h[1] & 0xffffffffffff));
}

static void
prepared_row(Exec *x, N1Buf *out, const Prepared *p, const N1Stmt *inner)
{
	n1_buf_str(out, "{\"encoded_plan\":\"\",\"featureControls\":76,\"indexApiVersion\":4,\"name\":");
	n1_json_write_string(out, p->name, strlen(p->name));
	n1_buf_str(out, ",\"namespace\":\"default\",\"operator\":");
	if (inner->select != NULL)
		explain_text(x, out, inner->select, NULL);
	else
		n1_buf_str(out, "null");
	n1_buf_str(out, ",\"queryContext\":");
	n1_json_write_string(out, p->context != NULL ? p->context : "", p->context != NULL ? strlen(p->context) : 0);
	n1_buf_str(out, ",\"signature\":");
	if (inner->select != NULL)
		signature_text(out, inner->select);
	else
		n1_buf_str(out, "null");
	n1_buf_str(out, ",\"text\":");
	n1_json_write_string(out, p->text, p->len);
	n1_buf_char(out, '}');
}

static void
run_prepare(Exec *x, const N1Stmt *st)
{
	const char *context = x->r->params.query_context;
	const char *text = st->inner_text;
	char		name[37];
	Prepared   *p;
	N1Buf		row;

	if (st->inner->select == NULL && st->inner->kind != N1ST_SELECT)
	{
		exec_fail(x, 5000, 500, "Only queries can be prepared in this test cluster.");
		run_refuse(x);
		return;
	}
	if (!check_select(x, st->inner->select))
	{
		run_refuse(x);
		return;
	}
	implied_name(text, context, name);
	p = prepared_find(x->cluster, st->name != NULL ? st->name : name, context);
	if (p != NULL && st->name != NULL && !st->force && strcmp(p->text, text) != 0)
	{
		exec_fail(x, 4090, 500, "Duplicate name - \"%s\" already exists", st->name);
		run_refuse(x);
		return;
	}
	p = prepared_put(x->cluster, st->name != NULL ? st->name : name, text, strlen(text), context);
	if (x->r->params.auto_execute == TRI_TRUE)
	{
		x->r->prepared_name = n1_dup(x->keep, p->name, strlen(p->name));
		run_select(x, st->inner->select);
		return;
	}
	n1_buf_init(&row, x->keep);
	prepared_row(x, &row, p, st->inner);
	run_one_row(x, "\"json\"", row.s, row.n);
}

void
run_prepared(Exec *x, const char *name)
{
	const char *context = x->r->params.query_context;
	Prepared   *p = prepared_find(x->cluster, name, context);

	if (p == NULL)
	{
		exec_fail(x, 4040, 404, "No such prepared statement: %s, context: %s", name,
				  context != NULL && context[0] != '\0' ? context : "unset");
		run_refuse(x);
		return;
	}
	p->uses++;
	run_text(x, n1_dup(x->keep, p->text, p->len), p->len);
}

/* The parameters of USING: an array of positional or an object of named ones. */
static bool
take_using(Exec *x, const N1Expr *e)
{
	N1Value    *v = exec_eval(x, x->keep, e, NULL, "USING clause");

	if (v == NULL)
		return false;
	n1_unpack(v);
	if (v->type == N1_ARRAY)
	{
		x->params.pos = v->u.arr.v;
		x->params.n_pos = v->u.arr.n;
		return true;
	}
	if (v->type != N1_OBJECT)
		return exec_fail(x, 5000, 500, "USING needs an array or an object.");
	x->params.named = v->u.obj.p;
	x->params.n_named = v->u.obj.n;
	return true;
}

/* ---------------------------------------------------------------- the others */

static void
run_explain(Exec *x, const N1Stmt *st)
{
	N1Buf		row;

	if (st->inner->select == NULL)
	{
		exec_fail(x, 5000, 500, "Only queries can be explained in this test cluster.");
		run_refuse(x);
		return;
	}
	if (!check_select(x, st->inner->select))
	{
		run_refuse(x);
		return;
	}
	n1_buf_init(&row, x->keep);
	explain_text(x, &row, st->inner->select, st->inner_text);
	run_one_row(x, "\"json\"", row.s, row.n);
}

void
run_statement(Exec *x, const N1Stmt *st)
{
	switch (st->kind)
	{
		case N1ST_SELECT:
			run_select(x, st->select);
			return;
		case N1ST_EXPLAIN:
			run_explain(x, st);
			return;
		case N1ST_PREPARE:
			run_prepare(x, st);
			return;
		case N1ST_EXECUTE:
			if (st->using_ != NULL && !take_using(x, st->using_))
				run_refuse(x);
			else
				run_prepared(x, st->name);
			return;
		case N1ST_CREATE_INDEX:
		case N1ST_CREATE_PRIMARY:
		case N1ST_DROP_INDEX:
		case N1ST_BUILD_INDEX:
			if (index_statement(x, st))
				run_one_row(x, "null", NULL, 0);
			else
				run_refuse(x);
			return;
		default:
			exec_fail(x, 5000, 500, "Statements that write documents are not supported by this test cluster.");
			run_refuse(x);
	}
}
