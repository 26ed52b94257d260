/*
 * exec_ahead.c
 *		Statements that write into a collection they also read: PostgreSQL shows a statement the rows from before it,
 *		but Couchbase applies writes at once. So such scans take all their rows before the first one is passed on, and
 *		keep them in a tuplestore, on disk beyond work_mem. The scan that finds the rows to be changed need not: a row
 *		is written only after that scan has met it, under the same key. Scans that are asked again for other rows
 *		cannot read ahead of the writes, so the writes wait for them (FdwModifyState.hold).
 */
#include "postgres.h"

#include "exec.h"
#include "executor/executor.h"
#include "fdw.h"
#include "foreign/fdwapi.h"
#include "miscadmin.h"
#include "modify.h"
#include "nodes/nodeFuncs.h"
#include "utils/tuplestore.h"

struct AheadRows
{
	Tuplestorestate *store;
	TupleTableSlot *slot;
};

static bool
same_collection(const FdwTable *a, const FdwTable *b)
{
	return a->serverid == b->serverid && strcmp(a->bucket, b->bucket) == 0 && strcmp(a->scope, b->scope) == 0 &&
		strcmp(a->collection, b->collection) == 0;
}

typedef struct AheadContext
{
	const FdwTable *written;
	bool		again;			/* a scan that is asked again for other rows */
} AheadContext;

static bool
mark(PlanState *node, void *arg)
{
	const ForeignScanState *scan = (const ForeignScanState *) node;
	AheadContext *context = arg;

	if (node == NULL)
		return false;
	if (IsA(node, ForeignScanState) && scan->fdwroutine->IterateForeignScan == cbconnIterateForeignScan &&
		scan->fdw_state != NULL)
	{
		FdwScanState *state = scan->fdw_state;

		if (!(state->flags & SCAN_FLAG_IDENTITY) && same_collection(state->table, context->written))
		{
			state->read_ahead = true;
			context->again |= !bms_is_empty(node->plan->allParam);
		}
	}
	return planstate_tree_walker(node, mark, arg);
}

bool
ahead_mark(ModifyTableState *mtstate, const FdwTable *table)
{
	AheadContext context = {.written = table};
	ListCell   *lc;

	(void) mark(outerPlanState(mtstate), &context);
	foreach(lc, mtstate->ps.state->es_subplanstates)
		(void) mark(lfirst(lc), &context);
	return context.again;
}

/* Takes all rows that are left of the scan. */
static void
fill(ForeignScanState *node, FdwScanState *state)
{
	AheadRows  *rows = palloc0(sizeof(AheadRows));
	TupleTableSlot *slot;

	rows->store = tuplestore_begin_heap(false, false, work_mem);
	rows->slot = MakeSingleTupleTableSlot(node->ss.ss_ScanTupleSlot->tts_tupleDescriptor, &TTSOpsMinimalTuple);
	state->ahead = rows;
	while (slot = scan_iterate(node), !TupIsNull(slot))
	{
		CHECK_FOR_INTERRUPTS();
		tuplestore_puttupleslot(rows->store, slot);
		ResetExprContext(node->ss.ps.ps_ExprContext);
	}
}

TupleTableSlot *
ahead_iterate(ForeignScanState *node)
{
	FdwScanState *state = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	if (state->ahead == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(state->cxt);

		fill(node, state);
		MemoryContextSwitchTo(old);
	}
	if (!tuplestore_gettupleslot(state->ahead->store, true, false, state->ahead->slot))
		return ExecClearTuple(slot);
	return ExecCopySlot(slot, state->ahead->slot);
}

void
ahead_rescan(ForeignScanState *node)
{
	FdwScanState *state = node->fdw_state;

	if (state->ahead == NULL)
		return;
	if (node->ss.ps.chgParam == NULL)
		tuplestore_rescan(state->ahead->store);
	else
		ahead_end(state);
}

void
ahead_end(FdwScanState *state)
{
	if (state->ahead == NULL)
		return;
	tuplestore_end(state->ahead->store);
	ExecDropSingleTupleTableSlot(state->ahead->slot);
	pfree(state->ahead);
	state->ahead = NULL;
}
