/*
 * op_time.c
 *		How long an operation's items are waited for. Only time in which the backend waited counts, so that a cursor may
 *		rest; and a node that is answering others of its queue is not silent, however long the queue is.
 */
#include "postgres.h"

#include "op.h"

void
kv_op_begin(KvOp *op, KvItem *it)
{
	if (it->begun == 0)
		it->begun = op->held != 0 ? op->held : op->handle->waited;
	if (op->look_at == 0)
		op->look_at = it->begun + op->timeout;
}

int64
kv_op_patience(const KvOp *op, const KvItem *it, int64 timeout)
{
	int64		waited = it->begun == 0 ? 0 : op->handle->waited - it->begun;

	return wait_now() + Max(timeout - waited, 0);
}

/* How long the query was held up by an item: by its node's silence, or from the start when more than that was wrong. */
static int64
held_up(const KvOp *op, const KvItem *it, const KvConn *conn)
{
	if (it->begun == 0)
		return 0;
	return op->handle->waited - (it->step != NULL ? it->begun : Max(it->begun, conn->heard));
}

void
kv_op_answered(KvOp *op, const KvConn *conn, KvAnswer *answer)
{
	KvItem	   *it = kv_op_item(op, answer->item);

	answer->held_up = held_up(op, it, conn);
	answer->step = it->step;
}

void
kv_op_finish(KvOp *op, const KvAnswer *answer)
{
	KvItem	   *it = kv_op_item(op, answer->item);

	if (answer->lost || !answer->final)
		return;
	slow_note(op->handle, op->cls->name, answer->conn->name, answer->step ? answer->step : "operation",
			  answer->held_up);
	it->begun = 0;
	it->step = NULL;
	/* A scan that was made is no step forward yet: its node may have forgotten it at once. */
	if (answer->packet.opcode != CB_OP_RANGE_SCAN_CREATE &&
		(answer->packet.status == CB_STATUS_SUCCESS || answer->packet.status == CB_STATUS_RANGE_SCAN_MORE))
	{
		it->give_up = 0;
		it->failed_at = 0;
		it->attempts = 0;
	}
}

/* Since when (handle->waited) the node has been silent about op's requests; 0: it owes no answer. */
static int64
silent_since(KvOp *op, const KvConn *conn)
{
	int64		first = 0;

	for (int i = 0; i < conn->nrequests; i++)
	{
		int64		begun;

		if (conn->requests[i].reply == KV_REPLY_FREE || conn->requests[i].op != op)
			continue;
		begun = kv_op_item(op, conn->requests[i].item)->begun;
		if (first == 0 || begun < first)
			first = begun;
	}
	return first == 0 ? 0 : Max(first, conn->heard);
}

bool
kv_op_close_silent(KvOp *op, const char *last, bool overdue)
{
	ClusterHandle *handle = op->handle;
	int64		now = wait_now();
	bool		any = false;

	for (int i = 0; i < handle->nconns; i++)
	{
		KvConn	   *conn = handle->conns[i];
		int64		since = silent_since(op, conn);

		if (since == 0 || (overdue && handle->waited - since < op->timeout))
			continue;
		for (int j = 0; j < conn->nrequests; j++)
		{
			if (conn->requests[j].reply != KV_REPLY_FREE && conn->requests[j].op == op)
				kv_op_item(op, conn->requests[j].item)->give_up = now;
		}
		any = true;
		kv_conn_fail(conn, ERRCODE_CONNECTION_FAILURE, false, "no answer within %.1f s%.300s", op->timeout / 1e6, last);
	}
	return any;
}

/* When the first of the nodes will have been silent for too long; 0: none owes an answer. */
static int64
next_overdue(KvOp *op)
{
	int64		first = 0;

	for (int i = 0; i < op->handle->nconns && op->sent > 0; i++)
	{
		int64		since = silent_since(op, op->handle->conns[i]);

		if (since != 0 && (first == 0 || since < first))
			first = since;
	}
	return first == 0 ? 0 : first + op->timeout;
}

void
kv_op_check_overdue(KvOp *op)
{
	char		last[200] = "";

	if (op->look_at == 0 || op->handle->waited < op->look_at)
		return;
	op->look_at = next_overdue(op);
	if (op->look_at == 0 || op->handle->waited < op->look_at)
		return;
	if (op->cls->gave_up != NULL)
	{
		if (op->last.sqlstate != 0)
			snprintf(last, sizeof(last), "; last error: %.180s", op->last.text);
		(void) kv_op_close_silent(op, last, true);
		op->look_at = next_overdue(op);
	}
	else if (!op->cls->optional)
		cluster_raise_timeout(op->handle, op, op->timeout);
	else
		kv_op_abandon(op);
}
