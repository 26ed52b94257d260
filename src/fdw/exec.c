/*
 * exec.c
 *		The executor's callbacks: begin, next row, rescan, end.
 *
 * The plan says all there is to decide (F1). Nothing is sent before the first row is wanted, so EXPLAIN and plan nodes
 * that never run do not touch the network.
 */
#include "exec_query.h"

#include "access/htup_details.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/plannodes.h"
#include "utils/rel.h"

#include "compat.h"

static void
scan_init_groups(FdwScanState *state, ForeignScanState *node, List *terms, List *values)
{
	ListCell   *group_cell;
	ListCell   *value = list_head(values);
	int			ngroups = 0;

	state->groups = palloc(sizeof(ScanGroup) * Max(list_length(terms), 1));
	foreach(group_cell, terms)
	{
		List	   *ops = lfirst(group_cell);
		ScanGroup  *group = &state->groups[ngroups++];
		ListCell   *op;

		group->nterms = 0;
		group->terms = palloc(sizeof(ScanTerm) * list_length(ops));
		foreach(op, ops)
		{
			ScanTerm   *term = &group->terms[group->nterms++];

			term->op = (KeyOp) lfirst_int(op);
			term->value = ExecInitExpr((Expr *) lfirst(value), &node->ss.ps);
			value = lnext(values, value);
		}
	}
	state->ngroups = ngroups;
}

static RowDecoder *
scan_init_decoder(FdwScanState *state, ForeignScanState *node, List *columns)
{
	Bitmapset  *attnums = NULL;
	ListCell   *lc;

	foreach(lc, columns)
		attnums = bms_add_member(attnums, lfirst_int(lc));
	return row_decoder_create(state->table, RelationGetDescr(node->ss.ss_currentRelation), attnums, state->cxt);
}

void
cbconnBeginForeignScan(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = castNode(ForeignScan, node->ss.ps.plan);
	List	   *private = plan->fdw_private;
	FdwScanState *state = palloc0(sizeof(FdwScanState));

	state->cxt = CurrentMemoryContext;
	state->table = table_load(RelationGetRelid(node->ss.ss_currentRelation));
	state->userid = compat_scan_userid(node);
	if (!OidIsValid(state->userid))
		state->userid = GetUserId();	/* not whoever fetches the rows later */
	state->access = (ScanAccess) intVal(list_nth(private, SCAN_PRIVATE_ACCESS));
	state->flags = intVal(list_nth(private, SCAN_PRIVATE_FLAGS));
	state->limit = intVal(list_nth(private, SCAN_PRIVATE_LIMIT));
	state->decoder = scan_init_decoder(state, node, list_nth(private, SCAN_PRIVATE_COLUMNS));
	if (state->access == SCAN_QUERY)
		state->query = query_scan_init(state, node);
	else
		scan_init_groups(state, node, list_nth(private, SCAN_PRIVATE_TERMS), plan->fdw_exprs);
	if (state->access != SCAN_QUERY)
		state->filter = filter_match_create(state->table, state->cxt);
	state->paths = (state->flags & SCAN_FLAG_PATHS) != 0 && row_decoder_needs(state->decoder)->lookup_ok;
	node->fdw_state = state;
}

/* Evaluates the conditions in the per-tuple context, where we are called, and starts the operation. */
static void
scan_start(FdwScanState *state, ForeignScanState *node)
{
	if (state->handle == NULL)
		state->handle = table_connect(state->table, state->userid, &state->collection);
	if (state->access == SCAN_LOOKUP)
		fetch_start(state, node->ss.ps.ps_ExprContext);
	else if (state->access == SCAN_QUERY)
		query_scan_start(state->query, state, node->ss.ps.ps_ExprContext);
	else
		range_start(state, node->ss.ps.ps_ExprContext);
	state->running = true;
}

/*
 * The row as a tuple whose header carries the document's CAS and flags, for UPDATE and DELETE: a virtual row has no
 * system columns. It lives as long as the values.
 */
static TupleTableSlot *
scan_store_identified(TupleTableSlot *slot, const ClusterDoc *doc)
{
	HeapTuple	tuple = heap_form_tuple(slot->tts_tupleDescriptor, slot->tts_values, slot->tts_isnull);

	/* From a composite value, which heap_form_tuple makes, to a stored row: as heap_insert does. */
	tuple->t_data->t_infomask &= ~HEAP_XACT_MASK;
	ItemPointerSetInvalid(&tuple->t_data->t_ctid);
	HeapTupleHeaderSetXmin(tuple->t_data, (TransactionId) (doc->cas >> 32));
	HeapTupleHeaderSetXmax(tuple->t_data, (TransactionId) doc->cas);
	tuple->t_data->t_choice.t_heap.t_field3.t_cid = doc->flags;
	return ExecStoreHeapTuple(tuple, slot, false);
}

static const ClusterDoc *
scan_next_any(FdwScanState *state)
{
	switch (state->access)
	{
		case SCAN_LOOKUP:
			return kv_fetch_next(state->fetch);
		case SCAN_RANGE:
			return kv_scan_next(state->scan);
		case SCAN_QUERY:
			return query_scan_next(state->query, state);
	}
	return NULL;
}

static const ClusterDoc *
scan_next(FdwScanState *state)
{
	const ClusterDoc *doc;

	do
		doc = scan_next_any(state);
	while (doc != NULL && state->filter != NULL && !filter_match(state->filter, doc));
	return doc;
}

TupleTableSlot *
scan_iterate(ForeignScanState *node)
{
	FdwScanState *state = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	const ClusterDoc *doc;

	ExecClearTuple(slot);
	if (!state->running)
		scan_start(state, node);
	if (state->at_end)
		return slot;

	doc = scan_next(state);
	if (doc == NULL)
	{
		state->at_end = true;
		return slot;
	}
	/* a document whose paths cannot be looked up comes whole */
	if (state->paths || state->access == SCAN_QUERY)
		row_decoder_use_lookup(state->decoder, doc->nvalues > 0);
	row_decode(state->decoder, doc, slot->tts_values, slot->tts_isnull);
	if (state->flags & SCAN_FLAG_IDENTITY)
		return scan_store_identified(slot, doc);
	return ExecStoreVirtualTuple(slot);
}

TupleTableSlot *
cbconnIterateForeignScan(ForeignScanState *node)
{
	const FdwScanState *state = node->fdw_state;

	return state->read_ahead ? ahead_iterate(node) : scan_iterate(node);
}

/* The next row starts over, with conditions evaluated anew. */
void
cbconnReScanForeignScan(ForeignScanState *node)
{
	FdwScanState *state = node->fdw_state;

	ahead_rescan(node);
	if (state->ahead != NULL)
		return;

	state->running = false;
	state->at_end = false;
}

/* The last call while there is shared memory, perhaps not the only one. A rescan gets new memory. */
void
cbconnShutdownForeignScan(ForeignScanState *node)
{
	FdwScanState *state = node->fdw_state;

	if (state->parallel == NULL)
		return;
	if (IsParallelWorker())
		parallel_publish(state);
	else
		parallel_collect(state);
	state->parallel = NULL;
}

void
cbconnEndForeignScan(ForeignScanState *node)
{
	FdwScanState *state = node->fdw_state;

	if (state == NULL)
		return;
	ahead_end(state);
	if (state->fetch != NULL)
		kv_fetch_end(state->fetch);
	if (state->scan != NULL)
		kv_scan_end(state->scan);
	if (state->query != NULL)
		query_scan_end(state->query);
}
