/*
 * libFuzzer target: statements for the SQL++ engine. They are parsed, and what needs no document is evaluated: nothing
 * may crash, hang or give neither a value nor an error; the text of a value must be JSON.
 */
#include "../query/n1ql_ast.h"

#include <stdlib.h>

static N1Value *
no_subquery(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	(void) e;
	(void) row;
	return n1_fail(ev, N1_EVAL_ERROR, "no subqueries here");
}

/* Long evaluations end like statements whose time is up. */
static bool
too_long(N1Eval *ev)
{
	return n1_arena_size(ev->arena) > 64 * 1024 * 1024;
}

static void
evaluate(N1Arena *a, const N1Expr *e)
{
	N1Eval		ev = {.arena = a,.keep = a,.subquery = no_subquery,.interrupted = too_long};
	N1Value    *v = n1_eval(&ev, e, NULL);
	N1Buf		b;

	if (v == NULL && ev.err.code == 0)
		abort();
	if (v == NULL || v->type == N1_BINARY)
		return;
	n1_buf_init(&b, a);
	n1_json_write(&b, v);
	if (v->type != N1_MISSING && !n1_json_valid(b.s, b.n))
		abort();
	if (n1_collate(v, v) != 0)
		abort();
	n1_hash(v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	N1Arena    *a = n1_arena_new();
	N1Parse		p = {.arena = a};
	N1Stmt	   *s = n1_parse(&p, (const char *) data, size);

	if (s == NULL && (p.err.code == 0 || p.err.msg == NULL))
		abort();
	if (s != NULL && s->select != NULL && s->select->query->op == N1S_SELECT)
	{
		N1Sub	   *sub = s->select->query->sub;

		for (int i = 0; i < sub->n_terms; i++)
			evaluate(a, sub->terms[i].expr);
	}
	n1_arena_free(a);
	return 0;
}
