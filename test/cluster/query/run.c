/*
 * run.c: a statement from its text to the end of its answer. Everything here happens inside its coroutine.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "n1ql_identity.h"
#include "run.h"

/* ---------------------------------------------------------------- what the evaluator asks for */

static bool
is_interrupted(N1Eval *ev)
{
	Exec	   *x = ev->request;

	if (query_stopped(x->r))
		exec_fail(x, 1080, 0, "The statement was stopped.");
	return x->ev.err.code != 0;
}

/* The rows of a subquery; of one that does not depend on the row they are kept. */
static N1Value *
eval_subquery(N1Eval *ev, const N1Expr *e, const N1Row *row)
{
	Exec	   *x = ev->request;
	CachedRows *c;

	if (e->select->correlated)
		return select_rows(x, e->select, row, ev->arena);
	for (c = x->cached; c != NULL; c = c->next)
		if (c->of == e->select)
			return c->rows;
	c = n1_alloc(x->keep, sizeof(*c));
	c->of = e->select;
	c->rows = select_rows(x, e->select, row, x->keep);
	if (c->rows == NULL)
		return NULL;
	c->next = x->cached;
	x->cached = c;
	return c->rows;
}

static bool
eval_exists(N1Eval *ev, const N1Expr *e, const N1Row *row, bool *found)
{
	Exec	   *x = ev->request;
	SelectRun  *s;
	N1Value    *v;

	if (!e->select->correlated)
	{
		v = eval_subquery(ev, e, row);
		if (v == NULL)
			return false;
		*found = v->u.arr.n > 0;
		return true;
	}
	s = select_open(x, e->select, row);
	if (s == NULL)
		return false;
	*found = select_next(s, &v);
	select_close(s);
	return !exec_failed(x);
}

/* ---------------------------------------------------------------- parameters */

static N1Value *
param_value(Exec *x, const char *text, size_t len)
{
	N1Value    *v = n1_json(x->keep, n1_dup(x->keep, text, len), len);

	n1_unpack_all(v);
	return v;
}

static void
take_params(Exec *x, const QueryParams *p)
{
	BodyValue	rest = {p->args, p->args_len};
	BodyValue	element;
	ValueList	positional = {0};
	size_t		n = 0;

	for (const QueryArg *a = p->named; a != NULL; a = a->next)
		n++;
	x->params.named = n1_alloc(x->keep, (n + 1) * sizeof(*x->params.named));
	for (const QueryArg *a = p->named; a != NULL; a = a->next)
		x->params.named[x->params.n_named++] = (N1Pair) {a->name, strlen(a->name), param_value(x, a->text, a->len)};
	while (p->args != NULL && body_next_element(&rest, &element))
		list_add(x->keep, &positional, param_value(x, element.text, element.len));
	x->params.pos = positional.v;
	x->params.n_pos = positional.n;
}

static void
exec_begin(Exec *x, QueryRequest *r)
{
	struct timespec now;

	memset(x, 0, sizeof(*x));
	x->r = r;
	x->cluster = r->cluster;
	x->keep = n1_arena_new();
	x->ev.arena = n1_arena_new();
	x->scratch = x->ev.arena;
	x->ev.keep = x->keep;
	x->ev.params = &x->params;
	x->ev.request = x;
	x->ev.interrupted = is_interrupted;
	x->ev.subquery = eval_subquery;
	x->ev.exists = eval_exists;
	clock_gettime(CLOCK_REALTIME, &now);
	x->ev.now_us = (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
	take_params(x, &r->params);
}

static void
exec_end(Exec *x)
{
	n1_arena_free(x->scratch);
	n1_arena_free(x->keep);
}

/* ---------------------------------------------------------------- the answer */

/* Makes what went wrong the errors and the status of the answer. */
void
run_report(Exec *x)
{
	QueryRequest *r = x->r;
	QueryError *e;
	char	   *text;

	for (const N1Warning *w = x->ev.warnings; w != NULL; w = w->next)
		query_add_warning(r, query_error_new(w->code, "%s", w->msg));
	x->ev.warnings = NULL;
	if (r->end == END_TIMEOUT)
	{
		text = duration_text(r->params.timeout_ns);
		e = query_error_new(1080, "Timeout %s exceeded", text);
		e->retry = true;
		free(text);
		query_add_error(r, e);
	}
	else if (r->end == END_CANCELLED)
		r->status = "stopped";
	else if (x->ev.err.code != 0)
	{
		e = query_error_new(x->ev.err.code, "%s", x->ev.err.msg);
		e->retry = x->ev.err.retry;
		e->http = r->results_open ? 0 : x->ev.err.http;
		e->reason = x->reason;
		x->reason = NULL;
		query_add_error(r, e);
	}
}

/* An answer without results. */
void
run_refuse(Exec *x)
{
	run_report(x);
	if (x->empty_results)
	{
		if (x->r->http == 0 && x->r->errors != NULL)
			x->r->http = query_http_status(x->r->errors, 500);
		response_begin(x->r, "null");
		response_end(x->r);
	}
	else
		response_failed(x->r);
}

static void
run_finish(Exec *x)
{
	run_report(x);
	if (x->r->fault.kind == QUERY_FAULT_LATE_ERROR)
	{
		QueryError *e = query_error_new(x->r->fault.code, "%s", x->r->fault.msg);

		query_add_error(x->r, e);
	}
	response_end(x->r);
}

void
run_one_row(Exec *x, const char *signature, const char *text, size_t len)
{
	response_begin(x->r, signature);
	if (text != NULL)
		response_row(x->r, text, len);
	run_finish(x);
}

/* The rows of a query, as they come. */
static void
send_rows(Exec *x, const N1Select *q)
{
	SelectRun  *s = select_open(x, q, NULL);
	N1Arena    *a = n1_arena_new();
	N1Value    *row;

	while (s != NULL && select_next(s, &row))
	{
		size_t		n = 0;
		const N1Name *names = select_names(s, &n);
		N1Buf		text;

		n1_arena_clear(a);
		n1_buf_init(&text, a);
		if (names != NULL && row->type == N1_OBJECT)
			n1_json_write_order(&text, row, names, n);
		else
			n1_json_write(&text, row->type == N1_MISSING ? &n1_null : row);
		response_row(x->r, text.s, text.n);
		if (evbuffer_get_length(x->r->out) >= QUERY_CHUNK && !query_send(x->r, true))
			break;
	}
	if (s != NULL)
		select_close(s);
	n1_arena_free(a);
}

void
run_select(Exec *x, const N1Select *q)
{
	N1Buf		signature;

	if (!check_select(x, q))
	{
		run_refuse(x);
		return;
	}
	n1_buf_init(&signature, x->keep);
	signature_text(&signature, q);
	response_begin(x->r, signature.s);
	send_rows(x, q);
	run_finish(x);
}

void
run_text(Exec *x, const char *text, size_t len)
{
	N1Parse		p = {.arena = x->keep, .query_context = x->r->params.query_context};
	const N1Stmt *st = n1_parse(&p, text, len);

	if (st == NULL)
	{
		x->ev.err = p.err;
		run_refuse(x);
	}
	else if (!st->readonly && x->r->params.readonly == TRI_TRUE)
	{
		exec_fail(x, 1000, 403, "The server or request is read-only and cannot accept this write statement.");
		run_refuse(x);
	}
	else
		run_statement(x, st);
}

void
query_run(QueryRequest *r)
{
	Exec		x;

	if (r->end == END_CLOSED)
		return;
	if (r->errors == NULL && r->fault.kind == QUERY_FAULT_ERROR)
	{
		query_add_error(r, query_error_new(r->fault.code, "%s", r->fault.msg));
		r->http = r->fault.status;
	}
	if (r->errors != NULL)
	{
		response_failed(r);
		return;
	}
	exec_begin(&x, r);
	if (r->params.prepared != NULL)
		run_prepared(&x, r->params.prepared);
	else
		run_text(&x, r->params.statement, r->params.statement_len);
	exec_end(&x);
}
