/*
 * op.c
 *		The engine below gets and scans. An item goes from pending to sent; a failure puts it on the delayed list, a
 *		connection under way on the waiting list, and both lead back to pending. Answers queue up per operation, so
 *		that several operations share a connection without waiting for each other.
 */
#include "postgres.h"

#include "access/xact.h"
#include "down.h"
#include "miscadmin.h"
#include "op.h"

/* Wait before the next attempt, by the number of failures so far; the last one repeats. Microseconds. */
static const int64 backoff[] = {1000, 10000, 50000, 100000, 500000, 1000000};

/* How often the id of a collection is looked at again when no node can be asked for it. */
#define COLLECTION_POLL		50000

/* How long another node is given to say what the cluster looks like now, when an item's node is known to be dead. */
#define DOWN_PATIENCE		250000

/* After this long without an answer another node is asked what the cluster looks like now, and again each time. */
#define SILENCE				500000

/* ---- lists of items ---- */

static void
list_append(KvOp *op, KvList *list, int item)
{
	kv_op_item(op, item)->next = KV_NO_ITEM;
	if (list->head == KV_NO_ITEM)
		list->head = item;
	else
		kv_op_item(op, list->tail)->next = item;
	list->tail = item;
}

static int
list_pop(KvOp *op, KvList *list)
{
	int			item = list->head;

	if (item != KV_NO_ITEM)
		list->head = kv_op_item(op, item)->next;
	return item;
}

static void
list_clear(KvList *list)
{
	list->head = list->tail = KV_NO_ITEM;
}

void
kv_op_enqueue(KvOp *op, int item)
{
	list_append(op, &op->pending, item);
}

/* ---- life ---- */

static void
on_context_reset(void *arg)
{
	kv_op_end((KvOp *) arg);
}

void
kv_op_init(KvOp *op, ClusterHandle *handle, KvCollection *collection, const KvOpClass *cls, size_t item_size,
		   MemoryContext cxt, ClusterCounters *counters, int64 timeout)
{
	op->handle = handle;
	op->collection = collection;
	op->cls = cls;
	op->counters = counters ? counters : &op->own_counters;
	op->cxt = cxt;
	op->subid = GetCurrentSubTransactionId();
	op->timeout = timeout;
	op->since = wait_now();
	op->item_size = item_size;
	op->window = PG_INT32_MAX;
	op->max_load = SIZE_MAX;
	list_clear(&op->pending);
	list_clear(&op->waiting);
	list_clear(&op->delayed);
	op->on_reset.func = on_context_reset;
	op->on_reset.arg = op;
	MemoryContextRegisterResetCallback(cxt, &op->on_reset);
	dlist_push_tail(&handle->ops, &op->node);
	handle->used_in_xact = true;
	slow_report(handle);
}

static void
release_current(KvOp *op)
{
	KvBlock    *block = op->current.block;

	op->current.block = NULL;
	if (block != NULL)
		kv_block_release(op->handle, block);
}

/* Requests become nobody's, answers are thrown away. */
void
kv_op_abandon(KvOp *op)
{
	release_current(op);
	while (op->ring_count > 0)
	{
		kv_block_release(op->handle, op->ring[op->ring_head].block);
		op->ring_head = (op->ring_head + 1) & (op->ring_size - 1);
		op->ring_count--;
	}
	if (op->sent > 0)
	{
		for (int i = 0; i < op->handle->nconns; i++)
			kv_conn_disown(op->handle->conns[i], op);
	}
	op->sent = 0;
	op->held = op->look_at = 0;
	list_clear(&op->pending);
	list_clear(&op->waiting);
	list_clear(&op->delayed);
}

void
kv_op_reset(KvOp *op)
{
	if (op->handle == NULL)
		elog(ERROR, "%s goes on after its transaction has ended", op->cls->name);
	kv_op_abandon(op);
	op->since = wait_now();
	op->stopped = false;
	op->last.sqlstate = 0;
	if (op->collection != NULL && op->collection->state == KV_COLLECTION_MISSING)
		op->collection->state = KV_COLLECTION_UNKNOWN;
}

void
kv_op_detach(KvOp *op)
{
	void		(*cleanup) (KvOp *) = op->cleanup;

	if (op->handle == NULL)
		return;
	op->cleanup = NULL;
	if (cleanup != NULL)
		cleanup(op);
	kv_op_abandon(op);
	dlist_delete(&op->node);
	/* They live no longer than the operation; a connection may still read, when it breaks while being written to. */
	if (op->handle->counters == op->counters)
		op->handle->counters = NULL;
	op->handle = NULL;
}

void
kv_op_end(KvOp *op)
{
	kv_op_detach(op);
}

/* ---- the queue of answers ---- */

static KvAnswer *
ring_push(KvOp *op)
{
	if (op->ring_count == op->ring_size)
	{
		int			size = op->ring_size == 0 ? 16 : op->ring_size * 2;
		KvAnswer   *ring = MemoryContextAllocHuge(op->cxt, sizeof(KvAnswer) * size);

		for (int i = 0; i < op->ring_count; i++)
			ring[i] = op->ring[(op->ring_head + i) & (op->ring_size - 1)];
		if (op->ring != NULL)
			pfree(op->ring);
		op->ring = ring;
		op->ring_size = size;
		op->ring_head = 0;
	}
	return &op->ring[(op->ring_head + op->ring_count++) & (op->ring_size - 1)];
}

void
kv_op_deliver(KvOp *op, int item, KvConn *conn, KvBlock *block, const CbPacket *packet, bool final)
{
	KvAnswer   *answer = ring_push(op);

	answer->item = item;
	answer->lost = false;
	answer->gave_up = false;
	answer->final = final;
	answer->conn = conn;
	answer->collection_id = op->collection ? op->collection->id : 0;
	answer->packet = *packet;
	kv_op_answered(op, conn, answer);
	answer->block = block;
	block->refs++;
	if (packet->has_duration)
		op->counters->server_us += packet->duration_us;
}

void
kv_op_lost(KvOp *op, int item, KvConn *conn, bool sent)
{
	KvAnswer   *answer = ring_push(op);

	answer->item = item;
	answer->lost = true;
	answer->sent = sent;
	answer->gave_up = false;
	answer->final = true;
	answer->conn = conn;
	answer->block = NULL;
}

/* ---- trouble ---- */

void
kv_op_give_up(KvOp *op, int item, const KvFailure *failure)
{
	KvAnswer   *answer;

	if (op->cls->gave_up == NULL)
		cluster_raise(op->handle, op, failure);
	op->cls->gave_up(op, item, failure, false);
	answer = ring_push(op);
	memset(answer, 0, sizeof(*answer));
	answer->item = item;
	answer->lost = true;
	answer->gave_up = true;
}

void
kv_op_retry(KvOp *op, int item, const KvFailure *failure, bool at_once)
{
	KvItem	   *it = kv_op_item(op, item);
	int64		now = wait_now();

	op->last = *failure;
	if (op->cls->optional)
		return;
	if (failure->fatal || (it->give_up != 0 && now >= it->give_up))
	{
		kv_op_give_up(op, item, failure);
		return;
	}
	if (it->give_up == 0)
		it->give_up = kv_op_patience(op, it, op->timeout);
	it->step = failure->step;

	op->counters->retries++;
	if (op->cls->restart != NULL)
		op->cls->restart(op, item);
	it->attempts++;
	/* At once helps the first time; a node that keeps saying so is given time. */
	if (at_once && it->attempts == 1)
	{
		kv_op_enqueue(op, item);
		return;
	}
	it->retry_at = now + backoff[Min(it->attempts, lengthof(backoff)) - 1];
	if (op->delayed.head == KV_NO_ITEM)
		op->seen_config = op->handle->config_changes;
	if (op->delayed.head == KV_NO_ITEM || it->retry_at < op->next_retry)
		op->next_retry = it->retry_at;
	list_append(op, &op->delayed, item);
}

void
kv_op_fail(KvOp *op, const KvAnswer *answer)
{
	KvFailure	failure;

	kv_failure_status(&failure, answer->conn, "operation", &answer->packet);
	cluster_raise(op->handle, op, &failure);
}

void
kv_op_malformed(KvOp *op, const KvAnswer *answer, const char *what)
{
	KvFailure	failure;

	kv_failure_set(&failure, ERRCODE_PROTOCOL_VIOLATION, true, "operation", "%s", what);
	strlcpy(failure.node, answer->conn->name, sizeof(failure.node));
	cluster_raise(op->handle, op, &failure);
}

/* The node does not have the vBucket: take its config if it sent one, see whether the owner is another now. */
static void
moved(KvOp *op, const KvAnswer *answer, const KvFailure *failure)
{
	ClusterHandle *handle = op->handle;
	KvFailure	ignored;
	bool		elsewhere;

	if (answer->packet.value.len > 0 && answer->packet.status == CB_STATUS_NOT_MY_VBUCKET)
		(void) topology_apply(handle, answer->conn, &answer->packet, &ignored);
	elsewhere = op->cls->route(op, answer->item) != answer->conn;
	if (!elsewhere)
		topology_refresh(handle, NULL);
	kv_op_retry(op, answer->item, failure, elsewhere);
}

/* The connection broke before the answer came. False when the item has come to an end by that. */
static bool
sent_again(KvOp *op, KvAnswer *answer)
{
	KvFailure	failure;

	topology_refresh(op->handle, answer->conn);
	if (answer->conn->failure.sqlstate != 0)
		failure = answer->conn->failure;
	else
		kv_failure_set(&failure, ERRCODE_CONNECTION_FAILURE, false, "operation", "the connection was closed");
	if (op->cls->gave_up != NULL && answer->sent)
	{
		op->cls->gave_up(op, answer->item, &failure, true);
		answer->gave_up = true;
		return false;
	}
	answer->conn->retries++;
	kv_op_retry(op, answer->item, &failure, true);
	return true;
}

/* Deals with answers that are not the operation's business; false when it is. */
static bool
handled(KvOp *op, KvAnswer *answer)
{
	KvFailure	failure;
	KvVerdict	verdict;

	if (answer->gave_up)
		return false;
	if (answer->lost)
		return sent_again(op, answer);
	verdict = kv_status_verdict(op->handle, answer->packet.status);
	if (verdict == KV_VERDICT_DELIVER)
		return false;
	if (op->cls->refused != NULL && op->cls->refused(op, answer))
		return true;
	answer->conn->retries++;

	kv_failure_status(&failure, answer->conn, "operation", &answer->packet);
	switch (verdict)
	{
		case KV_VERDICT_MOVED:
			moved(op, answer, &failure);
			break;
		case KV_VERDICT_LATER:
			kv_op_retry(op, answer->item, &failure, false);
			break;
		case KV_VERDICT_COLLECTION:
			if (op->collection == NULL)
				cluster_raise(op->handle, op, &failure);
			/* The default collection cannot get another id: it was dropped. */
			if (kv_key_max(op->collection) == CB_KV_MAX_KEY)
				failure.fatal = true;
			collection_forget(op->collection, answer->collection_id);
			kv_op_retry(op, answer->item, &failure, true);
			break;
		case KV_VERDICT_RECONNECT:
			{
				KvConn	   *conn = answer->conn;
				int			item = answer->item;
				/* The answers to other writes are on their way: losing them would leave their fate unknown. */
				bool		owed = op->cls->gave_up != NULL && conn->outstanding > 0;

				if (conn->state == KV_CONN_READY && !owed)
					kv_conn_fail(conn, failure.sqlstate, false, "%s", failure.text);
				kv_op_retry(op, item, &failure, !owed);
				break;
			}
		default:
			failure.fatal = true;
			kv_op_retry(op, answer->item, &failure, false);
			break;
	}
	return true;
}

/* ---- sending ---- */

static void
splice_waiting(KvOp *op)
{
	int			item;

	op->seen_events = op->handle->conn_events;
	while ((item = list_pop(op, &op->waiting)) != KV_NO_ITEM)
		kv_op_enqueue(op, item);
}

/* Delayed items whose time has come go back to pending; with a new configuration, all: nodes may be others now. */
static void
splice_delayed(KvOp *op)
{
	int64		now = wait_now();
	bool		all = op->seen_config != op->handle->config_changes;
	KvList		rest = op->delayed;
	int			item;

	if (!all && now < op->next_retry)
		return;
	op->seen_config = op->handle->config_changes;
	list_clear(&op->delayed);
	op->next_retry = PG_INT64_MAX;
	while ((item = list_pop(op, &rest)) != KV_NO_ITEM)
	{
		KvItem	   *it = kv_op_item(op, item);

		if (all || it->retry_at <= now)
			kv_op_enqueue(op, item);
		else
		{
			op->next_retry = Min(op->next_retry, it->retry_at);
			list_append(op, &op->delayed, item);
		}
	}
}

/* A long time for an answer is none for reaching a node. */
static int64
reach_timeout(const KvOp *op)
{
	const CbSettings *settings = op->handle->settings;

	return Min(op->timeout, Max(settings->kv_timeout, settings->node_timeout));
}

/*
 * Until when the item may wait for its node to be reached, or to be replaced. One that was found dead before gets no
 * more than it takes to ask another what the cluster looks like now.
 */
static int64
end_of_reaching(KvOp *op, const KvItem *it, KvConn *conn)
{
	DownState	state = conn != NULL ? down_state(conn) : DOWN_NOT;

	if (state == DOWN_NOT)
		return kv_op_patience(op, it, reach_timeout(op));
	/* Perhaps it is back: each operation sees for itself, once. */
	if (state == DOWN_REFUSES && conn->started < op->since)
		conn->retry_after = 0;
	else if (it->failed_at != 0 && op->handle->last_config_check > it->failed_at)
		return wait_now();
	return kv_op_patience(op, it, Min(op->timeout, DOWN_PATIENCE));
}

/* No node to send it to. */
static void
unroutable(KvOp *op, int item, KvConn *conn)
{
	KvItem	   *it = kv_op_item(op, item);
	KvFailure	failure;
	int64		end;

	topology_refresh(op->handle, conn);
	if (conn == NULL)
		kv_failure_set(&failure, ERRCODE_CANNOT_CONNECT_NOW, false, "operation",
					   "no node has the vBucket at the moment");
	else if (conn->failure.sqlstate != 0)
		failure = conn->failure;
	else
		kv_failure_set(&failure, ERRCODE_CONNECTION_FAILURE, false, "connect", "the connection was closed");
	end = end_of_reaching(op, it, conn);
	it->give_up = it->give_up == 0 ? end : Min(it->give_up, end);
	if (it->failed_at == 0)
		it->failed_at = wait_now();
	if (conn != NULL && wait_now() >= it->give_up)
		(void) down_given_up(conn);
	kv_op_retry(op, item, &failure, false);
}

/* For a connection under way, but not for longer than for an answer. */
static void
put_waiting(KvOp *op, int item)
{
	KvItem	   *it = kv_op_item(op, item);

	if (it->give_up == 0)
		it->give_up = kv_op_patience(op, it, op->timeout);
	if (op->waiting.head == KV_NO_ITEM)
	{
		/* Events from before this point are no reason to look again. */
		op->seen_events = op->handle->conn_events;
		op->waiting_until = it->give_up;
	}
	op->waiting_until = Min(op->waiting_until, it->give_up);
	list_append(op, &op->waiting, item);
}

/* Sends an item, unless the node is too old for it. */
static void
send_item(KvOp *op, int item, KvConn *conn)
{
	const char *feature = op->cls->lacks ? op->cls->lacks(op, item, conn) : NULL;
	KvFailure	failure;

	if (feature == NULL)
	{
		op->cls->send(op, item, conn);
		op->sent++;
		return;
	}
	kv_failure_set(&failure, ERRCODE_FEATURE_NOT_SUPPORTED, true, "HELLO", "node %s does not offer the feature %s",
				   conn->name, feature);
	kv_op_give_up(op, item, &failure);
}

void
kv_op_push(KvOp *op)
{
	if (op->waiting.head != KV_NO_ITEM && op->seen_events != op->handle->conn_events)
		splice_waiting(op);
	if (op->delayed.head != KV_NO_ITEM)
		splice_delayed(op);
	if (op->handle->nopen_scans > 0)
		handle_cancel_scans(op->handle);
	if (op->pending.head == KV_NO_ITEM || op->stopped)
		return;
	if (op->collection != NULL && !collection_ready(op->collection, op))
	{
		if (op->held == 0)
			op->held = op->handle->waited;
		return;
	}

	while (op->pending.head != KV_NO_ITEM && op->sent + op->ring_count < op->window && op->load < op->max_load)
	{
		int			item = list_pop(op, &op->pending);
		KvConn	   *conn = op->cls->route(op, item);
		KvConnState state = conn ? kv_conn_want(conn) : KV_CONN_CLOSED;

		if (op->stopped)
			return;
		kv_op_begin(op, kv_op_item(op, item));
		if (state == KV_CONN_READY)
			send_item(op, item, conn);
		else if (state != KV_CONN_CLOSED)
		{
			kv_op_item(op, item)->step = "connect";
			put_waiting(op, item);
		}
		else
			unroutable(op, item, conn);
	}
	op->held = 0;
	for (int i = 0; i < op->handle->nconns; i++)
	{
		KvConn	   *conn = op->handle->conns[i];

		if (conn->state == KV_CONN_READY && conn->out_sent < conn->out.len)
			kv_conn_flush(conn);
	}
}

static bool
is_idle(const KvOp *op)
{
	return op->sent == 0 && op->pending.head == KV_NO_ITEM && op->waiting.head == KV_NO_ITEM &&
		op->delayed.head == KV_NO_ITEM;
}

/*
 * Writes that have waited for too long. silent: no answer has come for all that time; then the connections are closed,
 * so that nothing can be applied after we have said that it was not.
 */
static void
time_out(KvOp *op, bool silent)
{
	int64		now = wait_now();
	KvFailure	failure;
	KvList		waiting = op->waiting;
	char		last[sizeof(failure.text)] = "";
	int			item;

	if (op->last.sqlstate != 0)
		snprintf(last, sizeof(last), "; last error: %s", op->last.text);
	kv_failure_set(&failure, ERRCODE_CONNECTION_FAILURE, false, "operation",
				   "no node could be asked within %.1f s%.300s", op->timeout / 1e6, last);
	/* With the window free again, those in line have their chance at other nodes. */
	if (silent && !kv_op_close_silent(op, last, false))
	{
		while ((item = list_pop(op, &op->pending)) != KV_NO_ITEM)
			kv_op_give_up(op, item, &failure);
	}
	list_clear(&op->waiting);
	while ((item = list_pop(op, &waiting)) != KV_NO_ITEM)
	{
		KvConn	   *conn = op->cls->route(op, item);

		if (kv_op_item(op, item)->give_up > now)
		{
			put_waiting(op, item);
			continue;
		}
		if (conn != NULL)
			(void) down_given_up(conn);
		kv_failure_set(&failure, ERRCODE_CONNECTION_FAILURE, false, conn ? conn->step : "operation",
					   "no connection within %.1f s%.300s", op->timeout / 1e6, last);
		if (conn != NULL)
			strlcpy(failure.node, conn->name, sizeof(failure.node));
		kv_op_give_up(op, item, &failure);
	}
}

/* A read has waited in vain for a connection: throws why the last attempt failed, unless one hangs. */
static void
raise_waiting(KvOp *op)
{
	int64		now = wait_now();

	for (int item = op->waiting.head; item != KV_NO_ITEM; item = kv_op_item(op, item)->next)
	{
		KvConn	   *conn = op->cls->route(op, item);

		if (kv_op_item(op, item)->give_up > now || conn == NULL || conn->state == KV_CONN_READY)
			continue;
		if (down_given_up(conn))
			break;
		if (conn->failure.sqlstate != 0)
			cluster_raise(op->handle, op, &conn->failure);
	}
	cluster_raise_timeout(op->handle, op, reach_timeout(op));
}

/* Waits for the next thing to happen; throws when nothing has happened for too long. */
static void
wait_for_answer(KvOp *op, int64 *started)
{
	int64		now = wait_now();
	int64		deadline = WAIT_FOREVER;
	int64		until;

	if (*started == 0)
		*started = now;
	if (op->sent > 0 || op->pending.head != KV_NO_ITEM)
		deadline = *started + op->timeout;
	if (op->waiting.head != KV_NO_ITEM)
		deadline = Min(deadline, op->waiting_until);
	if (now >= deadline)
	{
		if (op->cls->gave_up != NULL)
		{
			time_out(op, now >= *started + op->timeout);
			return;
		}
		if (!op->cls->optional && op->waiting.head != KV_NO_ITEM && now >= op->waiting_until)
			raise_waiting(op);
		if (!op->cls->optional)
			cluster_raise_timeout(op->handle, op, op->timeout);
		kv_op_abandon(op);
		return;
	}
	/* Perhaps the cluster has given the silent node up. */
	if (op->sent > 0 && now >= *started + SILENCE)
		topology_refresh(op->handle, NULL);
	until = op->sent > 0 ? Min(deadline, now + SILENCE) : deadline;
	if (op->delayed.head != KV_NO_ITEM)
		until = Min(until, op->next_retry);
	if (op->pending.head != KV_NO_ITEM)
		until = Min(until, now + COLLECTION_POLL);
	if (op->look_at != 0)
		until = Min(until, now + Max(op->look_at - op->handle->waited, 0) + 1000);
	handle_wait(op->handle, until, op->sent > 1, op->counters);
	kv_op_check_overdue(op);
}

KvAnswer *
kv_op_next(KvOp *op)
{
	int64		started = 0;

	if (op->handle == NULL)
		elog(ERROR, "%s goes on after its transaction has ended", op->cls->name);
	release_current(op);
	for (;;)
	{
		while (op->ring_count > 0 && !op->stopped)
		{
			op->current = op->ring[op->ring_head];
			op->ring_head = (op->ring_head + 1) & (op->ring_size - 1);
			op->ring_count--;
			if (op->current.final)
				op->sent--;
			started = 0;
			if (!handled(op, &op->current))
			{
				/* Keep the nodes busy while the caller works on this one. */
				if (op->pending.head != KV_NO_ITEM && op->sent + op->ring_count < op->window / 2)
					kv_op_push(op);
				kv_op_finish(op, &op->current);
				return &op->current;
			}
			release_current(op);
		}
		kv_op_push(op);
		if (op->stopped || (op->ring_count == 0 && is_idle(op)))
			return NULL;
		if (op->ring_count > 0)
			continue;
		wait_for_answer(op, &started);
	}
}
