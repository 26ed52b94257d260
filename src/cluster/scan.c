/*
 * scan.c
 *		Reading a collection by range scans or sampling scans, one per vBucket, several at a time over all nodes
 *		(kv_engine docs/range_scans/). Documents are handed out from where they were received.
 *
 * Back-pressure: a node sends only what a continue asked for; the next one is sent when its last piece is taken.
 */
#include "postgres.h"

#include <time.h>

#include "scan.h"
#include "../protocol/compress.h"

/* Answers that may be on their way: of one vBucket, of all together. */
#define CHUNK_BYTES			(256 * 1024)
#define WINDOW_BYTES		(4 * 1024 * 1024)
#define MAX_ITEMS			65536

/* vBuckets read at a time per node: when few documents are expected to be taken, at first, at most. */
#define CAUTIOUS_STREAMS	1
#define FIRST_STREAMS		4
#define MAX_STREAMS			16
/* Documents asked for at first, when nobody says how many will be taken. */
#define FIRST_ITEMS			64
#define FEW_DOCUMENTS		1000
/* How long the end of a scan waits for the ids of scans that it has to cancel. */
#define PATIENCE_FOR_IDS	50000

static KvConn *
route(KvOp *op, int index)
{
	KvScan	   *scan = (KvScan *) op;

	if (op->handle->config->nvbuckets != scan->map_size || op->handle->bucket_changes != scan->bucket_changes)
	{
		op->stopped = true;
		return NULL;
	}
	return topology_conn(op->handle, scan_stream(scan, index)->vbucket);
}

static void
send_create(KvScan *scan, ScanStream *stream, KvConn *conn)
{
	const KvScanSpec *spec = &scan->spec;
	CbScanCreate create;
	uint32		opaque;

	memset(&create, 0, sizeof(create));
	create.vbucket = stream->vbucket;
	create.collection_id = scan->op.collection->id;
	create.key_only = spec->keys_only;
	create.has_snapshot = written_token_of(scan->op.handle, stream->vbucket, &create.snapshot);
	if (create.has_snapshot)
		create.snapshot_timeout_ms = (uint32) Min(scan->op.handle->settings->kv_timeout / 1000, PG_INT32_MAX);
	if (spec->sample_size > 0)
	{
		create.samples = (spec->sample_size + scan->map_size - 1) / scan->map_size;
		/* The node draws anew for every vBucket: with one seed, all of them would draw alike. */
		create.seed = spec->sample_seed + stream->vbucket * UINT32_C(2654435761);
	}
	else
	{
		if (stream->has_last)
		{
			create.start = cb_span(stream->last, stream->last_len);
			create.start_exclusive = true;
		}
		else if (!spec->start.unbounded)
		{
			create.start = cb_span(spec->start.data, spec->start.len);
			create.start_exclusive = !spec->start.inclusive;
		}
		if (!spec->end.unbounded)
		{
			create.end = cb_span(spec->end.data, spec->end.len);
			create.end_given = true;
			create.end_exclusive = !spec->end.inclusive;
		}
	}
	opaque = kv_conn_request(conn, &scan->op, scan_index(scan, stream), CB_OP_RANGE_SCAN_CREATE, KV_REPLY_ONE);
	conn->requests[opaque & 0xffff].vbucket = stream->vbucket;
	create.opaque = opaque;
	kv_conn_requested(conn, opaque, cb_kv_scan_create(&conn->out, &create));
}

static void
send_request(KvOp *op, int index, KvConn *conn)
{
	KvScan	   *scan = (KvScan *) op;
	ScanStream *stream = scan_stream(scan, index);
	uint32		opaque;

	if (stream->phase == SCAN_CREATE)
	{
		send_create(scan, stream, conn);
		return;
	}
	opaque = kv_conn_request(conn, op, index, CB_OP_RANGE_SCAN_CONTINUE, KV_REPLY_SCAN);
	kv_conn_requested(conn, opaque, cb_kv_scan_continue(&conn->out, opaque, stream->vbucket, stream->id,
														stream->limit, 0));
}

/* What the node knows of the scan is of no use any more: go on with a new one behind the last key received. */
static void
restart(KvOp *op, int index)
{
	KvScan	   *scan = (KvScan *) op;
	ScanStream *stream = scan_stream(scan, index);

	if (scan->merge)
		merge_before_restart(scan, stream);
	if (stream->open)
		handle_leave_scan(op->handle, stream->vbucket, stream->id);
	stream->open = false;
	stream->phase = SCAN_CREATE;
}

static const KvOpClass scan_class = {"scan", route, send_request, restart, false};

/* Scans whose ids have come, but were not looked at yet. */
static void
leave_unseen_scans(KvScan *scan)
{
	KvOp	   *op = &scan->op;

	for (int i = 0; i < op->ring_count; i++)
	{
		const KvAnswer *answer = &op->ring[(op->ring_head + i) & (op->ring_size - 1)];

		if (!answer->lost && answer->packet.opcode == CB_OP_RANGE_SCAN_CREATE &&
			answer->packet.status == CB_STATUS_SUCCESS && answer->packet.value.len == CB_SCAN_ID_SIZE)
			handle_leave_scan(op->handle, scan_stream(scan, answer->item)->vbucket, answer->packet.value.data);
	}
}

/* Everything still open on the nodes is left to be cancelled; what was received is dropped. */
static void
drop_streams(KvScan *scan)
{
	leave_unseen_scans(scan);
	for (int i = 0; i < scan->nstreams; i++)
	{
		ScanStream *stream = scan_stream(scan, i);

		if (stream->open)
			handle_leave_scan(scan->op.handle, stream->vbucket, stream->id);
		stream->open = false;
	}
	if (scan->merge)
		merge_drop(scan);
	scan->nstreams = 0;
	scan->current = NULL;
}

static void
cleanup(KvOp *op)
{
	KvScan	   *scan = (KvScan *) op;

	drop_streams(scan);
	cb_buf_free(&scan->inflated);
}

static void
copy_bound(KvBound *bound, uint8 *copy)
{
	if (bound->unbounded)
		return;
	if (bound->len > CB_KV_MAX_KEY)
		elog(ERROR, "scan bound of %zu bytes", bound->len);
	memcpy(copy, bound->data, bound->len);
	bound->data = (const char *) copy;
}

static void
set_spec(KvScan *scan, const KvScanSpec *spec)
{
	scan->spec = *spec;
	copy_bound(&scan->spec.start, scan->start);
	copy_bound(&scan->spec.end, scan->end);
}

KvScan *
kv_scan_create(ClusterHandle *handle, KvCollection *collection, const KvScanSpec *spec, MemoryContext cxt,
			   ClusterCounters *counters)
{
	KvScan	   *scan = MemoryContextAllocZero(cxt, sizeof(KvScan));

	kv_op_init(&scan->op, handle, collection, &scan_class, sizeof(ScanStream), cxt, counters,
			   handle->settings->kv_scan_timeout);
	scan->op.cleanup = cleanup;
	set_spec(scan, spec);
	return scan;
}

/* ---- which vBuckets ---- */

/* All vBuckets, so ordered that consecutive ones lie on different nodes. */
static void
list_vbuckets(KvScan *scan)
{
	ClusterHandle *handle = scan->op.handle;
	const CbConfig *config = handle->config;
	int		   *rank = palloc0(sizeof(int) * (config->nnodes + 1));
	int		   *turn = palloc(sizeof(int) * config->nvbuckets);
	int		   *place = palloc0(sizeof(int) * (config->nvbuckets + 1));

	scan->nnodes = 0;
	for (uint32 vb = 0; vb < config->nvbuckets; vb++)
	{
		int			node = cb_config_node_of(config, vb, 0);

		if (node < 0)
			node = config->nnodes;
		if (rank[node] == 0)
			scan->nnodes++;
		turn[vb] = rank[node]++;
		place[turn[vb] + 1]++;
	}
	for (uint32 i = 1; i <= config->nvbuckets; i++)
		place[i] += place[i - 1];

	if (scan->vbuckets != NULL)
		pfree(scan->vbuckets);
	scan->vbuckets = MemoryContextAlloc(scan->op.cxt, sizeof(uint16) * config->nvbuckets);
	for (uint32 vb = 0; vb < config->nvbuckets; vb++)
		scan->vbuckets[place[turn[vb]]++] = vb;
	scan->nvbuckets = config->nvbuckets;
	scan->next = 0;
	scan->map_size = config->nvbuckets;
	scan->bucket_changes = handle->bucket_changes;
	pfree(rank);
	pfree(turn);
	pfree(place);
}

/* In a parallel scan the others take part of them; a merge needs to know its own at the start. */
static void
collect_own_vbuckets(KvScan *scan)
{
	int			n = 0;
	int			vb;

	while ((vb = scan->spec.next_vbucket(scan->spec.next_vbucket_arg)) >= 0)
	{
		if (vb < (int) scan->map_size && n < (int) scan->map_size)
			scan->vbuckets[n++] = vb;
	}
	scan->nvbuckets = n;
}

static int
next_vbucket(KvScan *scan)
{
	int			vb;

	if (scan->spec.next_vbucket == NULL)
		return scan->next < scan->nvbuckets ? scan->vbuckets[scan->next++] : -1;
	vb = scan->spec.next_vbucket(scan->spec.next_vbucket_arg);
	return vb < (int) scan->map_size ? vb : -1;
}

static void
make_room(KvScan *scan, int nstreams)
{
	KvOp	   *op = &scan->op;

	if (nstreams > scan->streams_capacity)
	{
		if (op->items != NULL)
		{
			pfree(op->items);
			pfree(scan->free_streams);
		}
		scan->streams_capacity = 0;
		op->items = NULL;
		scan->free_streams = MemoryContextAlloc(op->cxt, sizeof(int) * nstreams);
		op->items = MemoryContextAlloc(op->cxt, sizeof(ScanStream) * nstreams);
		scan->streams_capacity = nstreams;
	}
	memset(op->items, 0, sizeof(ScanStream) * nstreams);
	scan->nstreams = nstreams;
}

/* ---- reading ---- */

/* Items that take about so many bytes. */
uint32
scan_items(const KvScan *scan, int bytes)
{
	double		average = scan->average > 0 ? scan->average : (scan->spec.keys_only ? 64 : 1024);

	return (uint32) Min(Max(Min(bytes, CHUNK_BYTES) / average, 1), MAX_ITEMS);
}

/* Items to ask one of the active streams for. */
static uint32
next_limit(const KvScan *scan)
{
	return Min(scan->ramp, scan_items(scan, WINDOW_BYTES / Max(scan->active, 1)));
}

/* Starts reading more vBuckets, as many as may be read at a time. */
static void
open_streams(KvScan *scan)
{
	while (scan->active < scan->max_active && scan->nfree > 0)
	{
		int			vb = next_vbucket(scan);
		ScanStream *stream;
		int			index;

		if (vb < 0)
			break;
		index = scan->free_streams[--scan->nfree];
		stream = scan_stream(scan, index);
		memset(stream, 0, sizeof(*stream));
		stream->vbucket = vb;
		stream->phase = SCAN_CREATE;
		scan->active++;
		kv_op_enqueue(&scan->op, index);
	}
	kv_op_push(&scan->op);
}

static void
close_stream(KvScan *scan, ScanStream *stream)
{
	stream->open = false;
	stream->phase = SCAN_DONE;
	scan->active--;
	scan->free_streams[scan->nfree++] = scan_index(scan, stream);
	scan->max_active = Min(scan->max_active * 2, MAX_STREAMS * scan->nnodes);
}

static void
start_unordered(KvScan *scan)
{
	int64		hint = scan->spec.limit_hint;
	bool		cautious = hint >= 0 && hint < FEW_DOCUMENTS;
	int			nstreams = Min(scan->nvbuckets, MAX_STREAMS * scan->nnodes);

	make_room(scan, nstreams);
	scan->nfree = 0;
	for (int i = nstreams - 1; i >= 0; i--)
		scan->free_streams[scan->nfree++] = i;
	scan->active = 0;
	scan->max_active = (cautious ? CAUTIOUS_STREAMS : FIRST_STREAMS) * scan->nnodes;
	scan->ramp = cautious ? (uint32) Max(hint, 1) : FIRST_ITEMS;
	open_streams(scan);
}

void
kv_scan_start(KvScan *scan, const KvScanSpec *spec)
{
	KvOp	   *op = &scan->op;

	if (op->handle != NULL)
		drop_streams(scan);
	kv_op_reset(op);
	scan->delivered = false;
	if (spec != NULL)
		set_spec(scan, spec);
	cluster_bootstrap(op->handle, op->counters);
	topology_poll(op->handle);
	list_vbuckets(scan);
	scan->merge = scan->spec.ordered && scan->spec.sample_size <= 0;
	if (!scan->merge)
	{
		start_unordered(scan);
		return;
	}
	if (scan->spec.next_vbucket != NULL)
		collect_own_vbuckets(scan);
	make_room(scan, scan->nvbuckets);
	merge_start(scan);
}

/*
 * The bucket was created anew since the scan began: begins again with the new one, unless rows of the old one were
 * handed out; of a parallel scan, others may have handed out some.
 */
void
scan_anew(KvScan *scan)
{
	if (scan->delivered || scan->spec.next_vbucket != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("bucket \"%s\" was created anew during a scan", scan->op.handle->bucket)));
	kv_scan_start(scan, NULL);
}

void
scan_created(KvScan *scan, ScanStream *stream, const KvAnswer *answer)
{
	if (cb_kv_scan_create_result(answer->packet.value, stream->id) != CB_OK)
		kv_op_malformed(&scan->op, answer, "a scan without an id");
	stream->open = true;
	stream->phase = SCAN_CONTINUE;
}

/*
 * The vBucket was failed over since the write that the scan was to see. Of an earlier transaction's write this ends
 * the care; the own transaction's is an error.
 */
bool
scan_failed_over(KvScan *scan, const ScanStream *stream, const KvAnswer *answer)
{
	if (stream->phase != SCAN_CREATE || answer->packet.status != CB_STATUS_VBUUID_NOT_EQUAL ||
		!written_forget(scan->op.handle, stream->vbucket))
		return false;
	kv_op_enqueue(&scan->op, answer->item);
	kv_op_push(&scan->op);
	return true;
}

/* The node does not know the scan any more: it was idle for too long, or the vBucket has moved. */
void
scan_gone(KvScan *scan, ScanStream *stream)
{
	KvFailure	failure;

	stream->open = false;
	kv_failure_set(&failure, ERRCODE_CANNOT_CONNECT_NOW, false, "operation",
				   "the node does not know the scan any more");
	kv_op_retry(&scan->op, scan_index(scan, stream), &failure, true);
}

void
scan_init_iter(KvScan *scan, const KvAnswer *answer, CbScanIter *iter)
{
	CbSpan		value;

	scan->now = (int64) time(NULL);
	if (cb_packet_value(&answer->packet, CB_KV_DEFAULT_LIMIT, &scan->inflated, &value) != CB_OK ||
		cb_kv_scan_iter_init(iter, answer->packet.extras, value) != CB_OK ||
		iter->key_only != scan->spec.keys_only)
	{
		/* An answer without items need not say what kind they are of. */
		if (answer->packet.value.len > 0)
			kv_op_malformed(&scan->op, answer, "a scan answer that cannot be read");
		iter->rest = CB_SPAN_EMPTY;
	}
}

/* Scans return documents that nobody has removed yet although their time is over; look-ups do not. */
static bool
is_expired(const KvScan *scan, const CbScanItem *item)
{
	return item->expiry != 0 && item->expiry < scan->now;
}

bool
scan_next_item(KvScan *scan, CbScanIter *iter, CbScanItem *item)
{
	size_t		before;
	CbResult	result;

	do
	{
		before = iter->rest.len;
		result = cb_kv_scan_iter_next(iter, item);
	} while (result == CB_OK && is_expired(scan, item));
	if (result == CB_END)
		return false;
	if (result != CB_OK || item->key.len > CB_KV_MAX_KEY)
	{
		KvFailure	failure;

		kv_failure_set(&failure, ERRCODE_PROTOCOL_VIOLATION, true, "operation", "a scan answer that cannot be read");
		cluster_raise(scan->op.handle, &scan->op, &failure);
	}
	scan->average = scan->average <= 0 ? before - iter->rest.len
		: scan->average * 0.99 + (before - iter->rest.len) * 0.01;
	return true;
}

void
scan_keep_last(ScanStream *stream, CbSpan key)
{
	memcpy(stream->last, key.data, key.len);
	stream->last_len = (uint16) key.len;
	stream->has_last = true;
}

const ClusterDoc *
scan_document(KvScan *scan, const ScanStream *stream, const CbScanItem *item)
{
	ClusterDoc *doc = &scan->doc;
	CbSpan		value = item->value;

	scan->delivered = true;
	doc->key = (const char *) item->key.data;
	doc->keylen = item->key.len;
	doc->vbucket = stream->vbucket;
	scan->op.counters->documents++;
	if (scan->spec.keys_only)
		return doc;
	if (item->datatype & CB_DATATYPE_SNAPPY)
	{
		if (cb_snappy_inflate(item->value, CB_KV_DEFAULT_LIMIT, &scan->inflated) != CB_OK)
		{
			KvFailure	failure;

			kv_failure_set(&failure, ERRCODE_PROTOCOL_VIOLATION, true, "operation",
						   "a document that cannot be inflated");
			cluster_raise(scan->op.handle, &scan->op, &failure);
		}
		value = cb_buf_span(&scan->inflated);
	}
	doc->value = value.data ? (const char *) value.data : "";
	doc->len = value.len;
	doc->datatype = item->datatype & ~CB_DATATYPE_SNAPPY;
	doc->flags = item->flags;
	doc->cas = item->cas;
	doc->has_meta = true;
	doc->expiry = item->expiry;
	doc->seqno = item->seqno;
	return doc;
}

/* An answer to a continue: ask for more if there is, then hand out what came. */
static void
take_piece(KvScan *scan, ScanStream *stream, const KvAnswer *answer)
{
	scan_init_iter(scan, answer, &scan->iter);
	scan->current = stream;
	scan->handed = CB_SPAN_EMPTY;
	stream->head.attempts = 0;
	stream->head.give_up = 0;
	if (answer->packet.status == CB_STATUS_RANGE_SCAN_MORE)
	{
		scan->ramp = Min(scan->ramp * 2, MAX_ITEMS);
		stream->limit = next_limit(scan);
		kv_op_enqueue(&scan->op, scan_index(scan, stream));
		kv_op_push(&scan->op);
	}
	else if (answer->packet.status == CB_STATUS_RANGE_SCAN_COMPLETE)
	{
		stream->phase = SCAN_DONE;
		stream->open = false;
	}
}

static void
take_answer(KvScan *scan, const KvAnswer *answer)
{
	ScanStream *stream = scan_stream(scan, answer->item);
	uint16		status = answer->packet.status;

	if (stream->phase == SCAN_CREATE && status == CB_STATUS_SUCCESS)
	{
		scan_created(scan, stream, answer);
		stream->limit = next_limit(scan);
		kv_op_enqueue(&scan->op, answer->item);
		kv_op_push(&scan->op);
	}
	else if (stream->phase == SCAN_CREATE && status == CB_STATUS_KEY_ENOENT)
	{
		close_stream(scan, stream);
		open_streams(scan);
	}
	else if (stream->phase == SCAN_CONTINUE &&
			 (status == CB_STATUS_SUCCESS || status == CB_STATUS_RANGE_SCAN_MORE ||
			  status == CB_STATUS_RANGE_SCAN_COMPLETE))
		take_piece(scan, stream, answer);
	else if (stream->phase == SCAN_CONTINUE &&
			 (status == CB_STATUS_KEY_ENOENT || status == CB_STATUS_RANGE_SCAN_CANCELLED))
		scan_gone(scan, stream);
	else if (!scan_failed_over(scan, stream, answer))
		kv_op_fail(&scan->op, answer);
}

/* A repeated sampling scan brings the same documents in the same order: those before the last one have been had. */
static bool
is_repeated(const KvScan *scan, const ScanStream *stream, CbSpan key)
{
	int			cmp;

	if (scan->spec.sample_size <= 0 || !stream->has_last)
		return false;
	cmp = memcmp(key.data, stream->last, Min(key.len, stream->last_len));
	return cmp < 0 || (cmp == 0 && key.len <= stream->last_len);
}

const ClusterDoc *
kv_scan_next(KvScan *scan)
{
	KvAnswer   *answer;

	if (scan->merge)
		return merge_next(scan);
	for (;;)
	{
		ScanStream *stream = scan->current;

		if (stream != NULL)
		{
			CbScanItem	item;

			while (scan_next_item(scan, &scan->iter, &item))
			{
				if (is_repeated(scan, stream, item.key))
					continue;
				scan->handed = item.key;
				return scan_document(scan, stream, &item);
			}
			if (scan->handed.len > 0)
				scan_keep_last(stream, scan->handed);
			scan->current = NULL;
			if (stream->phase == SCAN_DONE)
			{
				close_stream(scan, stream);
				open_streams(scan);
			}
		}
		answer = kv_op_next(&scan->op);
		if (answer != NULL)
			take_answer(scan, answer);
		else if (scan->op.stopped)
			scan_anew(scan);
		else
			return NULL;
	}
}

/* Whether nodes are making scans whose ids nobody knows yet. */
static bool
awaits_ids(const KvOp *op)
{
	const ClusterHandle *handle = op->handle;

	for (int i = 0; i < handle->nconns; i++)
	{
		const KvConn *conn = handle->conns[i];

		for (int j = 0; j < conn->nrequests && conn->state == KV_CONN_READY; j++)
		{
			const KvRequest *request = &conn->requests[j];

			if (request->reply != KV_REPLY_FREE && request->op == op && request->opcode == CB_OP_RANGE_SCAN_CREATE)
				return true;
		}
	}
	return false;
}

/* The session may be over after this: what it leaves open on the nodes, nobody else can use until they forget it. */
void
kv_scan_end(KvScan *scan)
{
	ClusterHandle *handle = scan->op.handle;

	if (handle != NULL)
	{
		int64		until = wait_now() + PATIENCE_FOR_IDS;

		while (awaits_ids(&scan->op) && wait_now() < until)
			handle_wait(handle, until, true, scan->op.counters);
	}
	kv_op_end(&scan->op);
	if (handle == NULL)
		return;
	handle_cancel_scans(handle);
	for (int i = 0; i < handle->nconns; i++)
	{
		if (handle->conns[i]->state == KV_CONN_READY)
			kv_conn_flush(handle->conns[i]);
	}
}
