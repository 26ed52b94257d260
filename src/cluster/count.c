/*
 * count.c
 *		How many documents a collection has, as its data nodes count them (STAT "collections-byid").
 */
#include "postgres.h"

#include "op.h"

/* Microseconds: planning waits for this. */
#define PATIENCE	1000000

typedef struct CountOp
{
	KvOp		op;				/* first: callbacks get it */
	KvConn	  **nodes;			/* by item */
	int64		total;
	int			counted;		/* nodes that have told */
} CountOp;

static KvConn *
route(KvOp *op, int item)
{
	return ((CountOp *) op)->nodes[item];
}

static void
send_stat(KvOp *op, int item, KvConn *conn)
{
	char		group[48];
	uint32		opaque = kv_conn_request(conn, op, item, CB_OP_STAT, KV_REPLY_STAT);

	snprintf(group, sizeof(group), "collections-byid 0x%x", op->collection->id);
	kv_conn_requested(conn, opaque, cb_kv_stat(&conn->out, opaque, cb_span_cstr(group)));
}

/* A node that does not answer is left out: this is for estimates. */
static const KvOpClass count_class = {"item count", route, send_stat, NULL, true};

/* The one we want is called <scope id>:<collection id>:items. */
static void
take_statistic(CountOp *count, const KvAnswer *answer)
{
	static const char suffix[] = ":items";
	CbSpan		key = answer->packet.key;
	CbSpan		value = answer->packet.value;
	int64		number = 0;

	if (key.len < sizeof(suffix) - 1 ||
		memcmp(key.data + key.len - (sizeof(suffix) - 1), suffix, sizeof(suffix) - 1) != 0)
		return;
	if (value.len == 0 || value.len > 18)
		kv_op_malformed(&count->op, answer, "an item count that is no number");
	for (size_t i = 0; i < value.len; i++)
	{
		if (value.data[i] < '0' || value.data[i] > '9')
			kv_op_malformed(&count->op, answer, "an item count that is no number");
		number = number * 10 + (value.data[i] - '0');
	}
	count->total += number;
	count->counted++;
}

int64
cluster_item_count(ClusterHandle *handle, KvCollection *collection)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "cbconn_fdw item count", ALLOCSET_SMALL_SIZES);
	CountOp    *count = MemoryContextAllocZero(cxt, sizeof(CountOp));
	KvAnswer   *answer;
	int			n = 0;
	int64		total;

	kv_op_init(&count->op, handle, collection, &count_class, sizeof(KvItem), cxt, NULL,
			   Min(handle->settings->kv_timeout, PATIENCE));
	kv_op_reset(&count->op);
	cluster_bootstrap(handle, count->op.counters);
	count->nodes = MemoryContextAlloc(cxt, sizeof(KvConn *) * handle->config->nnodes);
	count->op.items = MemoryContextAllocZero(cxt, sizeof(KvItem) * handle->config->nnodes);
	for (size_t i = 0; i < handle->config->nnodes; i++)
	{
		if (handle->node_conns[i] == NULL)
			continue;
		count->nodes[n] = handle->node_conns[i];
		kv_op_enqueue(&count->op, n++);
	}
	while ((answer = kv_op_next(&count->op)) != NULL)
	{
		if (answer->packet.status == CB_STATUS_SUCCESS && !answer->final)
			take_statistic(count, answer);
	}
	total = count->counted > 0 ? count->total * n / count->counted : -1;
	MemoryContextDelete(cxt);
	return total;
}
