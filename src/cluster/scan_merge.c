/*
 * scan_merge.c
 *		One ascending sequence of keys out of the scans of all vBuckets.
 *
 * Every vBucket has a queue of received pieces; a heap holds the first document of each. A node has only so many scans
 * open at a time: with more vBuckets than that, a scan is cancelled after each piece and the next one created
 * behind its last key.
 */
#include "postgres.h"

#include "scan.h"

/* Scans that may be open at a time on one node; the server refuses some hundreds, which all clients share. */
#define MAX_OPEN_PER_NODE	64
/* Items of one vBucket: when nobody says how many documents will be taken, and at most at first. */
#define FIRST_ITEMS			16
#define MIN_ITEMS			2
/* Bytes received ahead of the one sequence, of all vBuckets together. */
#define MERGE_BYTES			(16 * 1024 * 1024)

static int
compare_keys(CbSpan a, CbSpan b)
{
	int			cmp = memcmp(a.data, b.data, Min(a.len, b.len));

	if (cmp == 0 && a.len != b.len)
		cmp = a.len < b.len ? -1 : 1;
	return cmp;
}

/* The heap has its greatest element first: the smallest key, for us. */
static int
cbconnScanCompare(Datum a, Datum b, void *arg)
{
	const ScanStream *left = (const ScanStream *) DatumGetPointer(a);
	const ScanStream *right = (const ScanStream *) DatumGetPointer(b);

	return -compare_keys(left->item.key, right->item.key);
}

/* ---- opening and asking ---- */

static void
enqueue(KvScan *scan, ScanStream *stream)
{
	kv_op_enqueue(&scan->op, scan_index(scan, stream));
}

/* Creates the scan now, or when another one has been closed. */
static void
create_in_turn(KvScan *scan, ScanStream *stream)
{
	int			index = scan_index(scan, stream);

	stream->phase = SCAN_CREATE;
	if (scan->open < scan->max_open)
	{
		scan->open++;
		enqueue(scan, stream);
		return;
	}
	stream->head.next = KV_NO_ITEM;
	if (scan->unopened.head == KV_NO_ITEM)
		scan->unopened.head = index;
	else
		scan_stream(scan, scan->unopened.tail)->head.next = index;
	scan->unopened.tail = index;
}

/* A scan less on the nodes: the next in line has its turn. */
static void
closed_one(KvScan *scan)
{
	int			index = scan->unopened.head;

	scan->open--;
	if (index == KV_NO_ITEM)
		return;
	scan->unopened.head = scan_stream(scan, index)->head.next;
	scan->open++;
	enqueue(scan, scan_stream(scan, index));
}

static void
ask_for_more(KvScan *scan, ScanStream *stream)
{
	uint32		chunk = Max(scan_items(scan, MERGE_BYTES / scan->nstreams), MIN_ITEMS);

	stream->limit = Min(stream->limit * 2, chunk);
	if (stream->open)
	{
		stream->phase = SCAN_CONTINUE;
		enqueue(scan, stream);
	}
	else
		create_in_turn(scan, stream);
}

static uint32
first_limit(const KvScan *scan)
{
	int64		hint = scan->spec.limit_hint;

	if (hint < 0)
		return FIRST_ITEMS;
	return (uint32) Min(Max(2 * hint / Max(scan->nstreams, 1), MIN_ITEMS), FIRST_ITEMS);
}

void
merge_start(KvScan *scan)
{
	uint32		limit = first_limit(scan);

	if (scan->heap != NULL)
		binaryheap_free(scan->heap);
	scan->heap = NULL;
	if (scan->nstreams > 0)
	{
		MemoryContext old = MemoryContextSwitchTo(scan->op.cxt);

		scan->heap = binaryheap_allocate(scan->nstreams, cbconnScanCompare, NULL);
		MemoryContextSwitchTo(old);
	}
	scan->heap_built = false;
	scan->top = NULL;
	scan->missing = scan->nstreams;
	scan->open = 0;
	scan->max_open = MAX_OPEN_PER_NODE * scan->nnodes;
	scan->unopened.head = scan->unopened.tail = KV_NO_ITEM;
	scan->returned = 0;
	for (int i = 0; i < scan->nstreams; i++)
	{
		ScanStream *stream = scan_stream(scan, i);

		stream->vbucket = scan->vbuckets[i];
		stream->limit = limit;
		create_in_turn(scan, stream);
	}
	kv_op_push(&scan->op);
}

/* ---- pieces ---- */

static void
drop_first_piece(KvScan *scan, ScanStream *stream)
{
	ScanPiece  *piece = stream->pieces;

	stream->pieces = piece->next;
	kv_block_release(scan->op.handle, piece->block);
	piece->next = scan->free_pieces;
	scan->free_pieces = piece;
}

void
merge_drop(KvScan *scan)
{
	for (int i = 0; i < scan->nstreams; i++)
	{
		ScanStream *stream = scan_stream(scan, i);

		while (stream->pieces != NULL)
			drop_first_piece(scan, stream);
	}
}

/* Keeps the answer's block beyond the next answer. */
static void
add_piece(KvScan *scan, ScanStream *stream, const KvAnswer *answer)
{
	ScanPiece  *piece = scan->free_pieces;

	if (answer->packet.datatype & CB_DATATYPE_SNAPPY)
		kv_op_malformed(&scan->op, answer, "a scan answer that is compressed as a whole");
	if (piece != NULL)
		scan->free_pieces = piece->next;
	else
		piece = MemoryContextAlloc(scan->op.cxt, sizeof(ScanPiece));
	piece->next = NULL;
	piece->block = NULL;
	scan_init_iter(scan, answer, &piece->iter);
	piece->block = answer->block;
	piece->block->refs++;
	if (stream->pieces == NULL)
	{
		stream->pieces = piece;
		stream->iter = piece->iter;
	}
	else
		stream->last_piece->next = piece;
	stream->last_piece = piece;
}

/* Remembers the last key received, before what was received may be forgotten. */
static void
keep_last_received(ScanStream *stream)
{
	CbScanIter	iter;
	CbScanItem	item;

	if (stream->pieces == NULL)
		return;
	iter = stream->last_piece->iter;
	while (cb_kv_scan_iter_next(&iter, &item) == CB_OK)
	{
		if (item.key.len <= CB_KV_MAX_KEY)
			scan_keep_last(stream, item.key);
	}
}

void
merge_before_restart(KvScan *scan, ScanStream *stream)
{
	keep_last_received(stream);
	/* Its place among the open ones stays its own. */
}

/*
 * Steps to the stream's next item. False when it has none: it is done, or the next piece is asked for.
 */
static bool
advance(KvScan *scan, ScanStream *stream)
{
	while (stream->pieces != NULL)
	{
		CbSpan		last = stream->item.key;

		if (scan_next_item(scan, &stream->iter, &stream->item))
			return true;
		if (last.len > 0 && stream->pieces->next == NULL)
			scan_keep_last(stream, last);
		stream->item.key = CB_SPAN_EMPTY;
		drop_first_piece(scan, stream);
		if (stream->pieces != NULL)
			stream->iter = stream->pieces->iter;
	}
	if (stream->phase == SCAN_IDLE)
	{
		ask_for_more(scan, stream);
		kv_op_push(&scan->op);
	}
	return false;
}

/* Asks for the next piece while the last one is still being handed out, once it is clear that many are wanted. */
static void
ask_ahead(KvScan *scan, ScanStream *stream)
{
	if (stream->phase == SCAN_IDLE && stream->pieces != NULL && stream->pieces->next == NULL &&
		scan->returned > Max(scan->spec.limit_hint, scan->nstreams))
	{
		keep_last_received(stream);
		ask_for_more(scan, stream);
		kv_op_push(&scan->op);
	}
}

/* ---- answers ---- */

/* A stream that was waited for has its next item, or will have none. */
static void
arrived(KvScan *scan, ScanStream *stream)
{
	bool		has_item = stream->item.key.data != NULL;

	scan->missing--;
	if (!scan->heap_built)
	{
		if (has_item)
			binaryheap_add_unordered(scan->heap, PointerGetDatum(stream));
		if (scan->missing == 0)
		{
			binaryheap_build(scan->heap);
			scan->heap_built = true;
		}
	}
	else if (has_item)
		binaryheap_replace_first(scan->heap, PointerGetDatum(stream));
	else
		(void) binaryheap_remove_first(scan->heap);
}

static void
take_piece(KvScan *scan, ScanStream *stream, const KvAnswer *answer)
{
	bool		wanted = stream->item.key.data == NULL;

	if (answer->packet.value.len > 0)
		add_piece(scan, stream, answer);
	stream->head.attempts = 0;
	stream->head.give_up = 0;
	if (answer->packet.status == CB_STATUS_RANGE_SCAN_COMPLETE)
	{
		stream->phase = SCAN_DONE;
		stream->open = false;
		closed_one(scan);
	}
	else if (answer->packet.status == CB_STATUS_RANGE_SCAN_MORE)
	{
		stream->phase = SCAN_IDLE;
		if (scan->nstreams > scan->max_open)
		{
			keep_last_received(stream);
			handle_leave_scan(scan->op.handle, stream->vbucket, stream->id);
			stream->open = false;
			closed_one(scan);
		}
	}
	if (wanted && (advance(scan, stream) || stream->phase == SCAN_DONE))
		arrived(scan, stream);
	kv_op_push(&scan->op);
}

static void
take_answer(KvScan *scan, const KvAnswer *answer)
{
	ScanStream *stream = scan_stream(scan, answer->item);
	uint16		status = answer->packet.status;

	if (stream->phase == SCAN_CREATE && status == CB_STATUS_SUCCESS)
	{
		scan_created(scan, stream, answer);
		enqueue(scan, stream);
		kv_op_push(&scan->op);
	}
	else if (stream->phase == SCAN_CREATE && status == CB_STATUS_KEY_ENOENT)
	{
		stream->phase = SCAN_DONE;
		closed_one(scan);
		if (stream->item.key.data == NULL && stream->pieces == NULL)
			arrived(scan, stream);
		kv_op_push(&scan->op);
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

const ClusterDoc *
merge_next(KvScan *scan)
{
	ScanStream *stream = scan->top;

	if (scan->nstreams == 0)
		return NULL;
	scan->top = NULL;
	if (stream != NULL)
	{
		if (advance(scan, stream))
			binaryheap_replace_first(scan->heap, PointerGetDatum(stream));
		else if (stream->phase == SCAN_DONE)
			(void) binaryheap_remove_first(scan->heap);
		else
			scan->missing++;
	}
	while (scan->missing > 0)
	{
		KvAnswer   *answer = kv_op_next(&scan->op);

		if (answer != NULL)
			take_answer(scan, answer);
		else if (scan->op.stopped)
			scan_anew(scan);
		else
			elog(ERROR, "%d vBuckets of a scan have nothing under way", scan->missing);
	}
	if (binaryheap_empty(scan->heap))
		return NULL;
	stream = (ScanStream *) DatumGetPointer(binaryheap_first(scan->heap));
	scan->top = stream;
	scan->returned++;
	ask_ahead(scan, stream);
	return scan_document(scan, stream, &stream->item);
}
