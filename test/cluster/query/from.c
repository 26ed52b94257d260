/*
 * from.c: sources of rows: keyspaces, keys, expressions, subqueries.
 */
#include <stdlib.h>
#include <string.h>

#include "exec.h"

FromOp *
from_op_new(SubRun *sub, const N1From *from)
{
	FromOp	   *op = n1_alloc(sub->arena, sizeof(*op));

	op->from = from;
	op->sub = sub;
	op->x = sub->x;
	op->arena = n1_arena_new();
	for (int i = 0; from->alias != NULL && i < sub->n_from; i++)
		if (sub->frame[i].name == from->alias)
			op->slot = &sub->frame[i].value;
	return op;
}

/* The row as a term of FROM sees it: the names of the terms before it. */
N1Row
from_before(const FromOp *op)
{
	N1Row		row = op->sub->row;

	for (row.n = 0; row.n < op->sub->n_from && &op->sub->frame[row.n].value != op->slot;)
		row.n++;
	return row;
}

void
from_free(FromOp *op)
{
	if (op == NULL)
		return;
	if (op->close != NULL)
		op->close(op);
	from_free(op->left);
	from_free(op->right);
	n1_arena_free(op->arena);
}

/* ---------------------------------------------------------------- keyspaces */

static void
close_scan(FromOp *op)
{
	if (op->scan != NULL)
		documents_close(op->scan);
	op->scan = NULL;
}

static bool
open_scan(FromOp *op)
{
	close_scan(op);
	if (!scan_consistent(op->x, op->keyspace))
		return false;
	op->scan = documents_open(op->x, op->keyspace);
	return true;
}

static bool
next_scan(FromOp *op)
{
	n1_arena_clear(op->arena);
	if (exec_tick(op->x))
		return false;
	*op->slot = documents_next(op->scan, op->arena);
	if (*op->slot != NULL)
		return true;
	*op->slot = &n1_missing;
	return false;
}

/* ---------------------------------------------------------------- keys */

bool
from_keys(FromOp *op, N1Value *v, N1Arena *a, ValueList *keys)
{
	if (v->type == N1_ARRAY)
	{
		n1_unpack(v);
		for (size_t i = 0; i < v->u.arr.n; i++)
		{
			if (v->u.arr.v[i]->type == N1_STRING)
				list_add(a, keys, v->u.arr.v[i]);
			else if (op != NULL)
				exec_warn(op->x, 0, "Document key must be string: ");
		}
	}
	else if (v->type == N1_STRING)
		list_add(a, keys, v);
	else if (op != NULL)
	{
		N1Buf		text;

		n1_buf_init(&text, a);
		go_text(&text, v);
		exec_warn(op->x, 0, "Document key must be string: %s", text.s);
	}
	return true;
}

static bool
open_keys(FromOp *op)
{
	ValueList	keys = {0};
	N1Row		row = from_before(op);
	N1Value    *v;

	n1_arena_clear(op->arena);
	v = exec_eval(op->x, op->arena, op->from->keys, &row, "KEYS");
	if (v == NULL || !from_keys(op, v, op->arena, &keys))
		return false;
	op->list = keys.v;
	op->n_list = keys.n;
	op->at = 0;
	return true;
}

/* The documents lie in the arena of the keys: a list of keys is as long as the client made it. */
static bool
next_key(FromOp *op)
{
	while (op->at < op->n_list)
	{
		const N1Value *key = op->list[op->at++];
		N1Value    *doc;

		if (exec_tick(op->x))
			return false;
		doc = keyspace_fetch(op->x, op->keyspace, key->u.str.s, key->u.str.n, op->arena);
		if (doc != NULL)
		{
			*op->slot = doc;
			return true;
		}
	}
	*op->slot = &n1_missing;
	return false;
}

static FromOp *
build_keyspace(SubRun *sub, const N1From *from)
{
	FromOp	   *op = from_op_new(sub, from);

	op->keyspace = keyspace_of(sub->x, from);
	if (from->keys != NULL)
	{
		op->open = open_keys;
		op->next = next_key;
	}
	else
	{
		op->open = open_scan;
		op->next = next_scan;
		op->close = close_scan;
	}
	return op;
}

/* ---------------------------------------------------------------- expressions */

static bool
open_expr(FromOp *op)
{
	N1Row		row = from_before(op);
	N1Value    *v;

	n1_arena_clear(op->arena);
	v = exec_eval(op->x, op->arena, op->from->expr, &row, "ExpressionScan");
	if (v == NULL)
		return false;
	op->at = op->n_list = 0;
	if (v->type == N1_MISSING)
		return true;
	if (v->type == N1_ARRAY)
	{
		n1_unpack(v);
		op->list = v->u.arr.v;
		op->n_list = v->u.arr.n;
		return true;
	}
	op->list = n1_alloc(op->arena, sizeof(*op->list));
	op->list[0] = v;
	op->n_list = 1;
	return true;
}

static bool
next_expr(FromOp *op)
{
	if (exec_tick(op->x))
		return false;
	if (op->at == op->n_list)
	{
		*op->slot = &n1_missing;
		return false;
	}
	*op->slot = op->list[op->at++];
	return true;
}

static FromOp *
build_expr(SubRun *sub, const N1From *from)
{
	FromOp	   *op = from_op_new(sub, from);

	op->open = open_expr;
	op->next = next_expr;
	return op;
}

/* ---------------------------------------------------------------- subqueries */

static void
close_subquery(FromOp *op)
{
	if (op->select != NULL)
		select_close(op->select);
	op->select = NULL;
}

/* What a subquery sees of the row: the names around this query, or with LATERAL those before it, too. */
static bool
open_subquery(FromOp *op)
{
	close_subquery(op);
	op->before = from_before(op);
	op->select = select_open(op->x, op->from->select, &op->before);
	return op->select != NULL;
}

static bool
next_subquery(FromOp *op)
{
	N1Value    *v;

	if (!exec_tick(op->x) && select_next(op->select, &v))
	{
		*op->slot = v;
		return true;
	}
	*op->slot = &n1_missing;
	return false;
}

static FromOp *
build_subquery(SubRun *sub, const N1From *from)
{
	FromOp	   *op = from_op_new(sub, from);

	op->open = open_subquery;
	op->next = next_subquery;
	op->close = close_subquery;
	return op;
}

FromOp *
from_build(SubRun *sub, const N1From *from)
{
	switch (from->kind)
	{
		case N1FR_KEYSPACE:
			return build_keyspace(sub, from);
		case N1FR_EXPR:
			return build_expr(sub, from);
		case N1FR_SUBQUERY:
			return build_subquery(sub, from);
		default:
			return join_build(sub, from);
	}
}
