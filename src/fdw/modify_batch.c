/*
 * modify_batch.c
 *		Writes of many rows: batches that the executor collects, COPY, and rows routed into partitions.
 *
 * The executor needs to collect rows only under ON CONFLICT DO NOTHING, where the number of rows depends on the
 * outcomes. All else is sent row by row, and the outcomes are awaited late.
 */
#include "modify.h"

#include "executor/executor.h"
#include "nodes/plannodes.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"

/* Rows that the executor collects at most: it keeps copies of them, however large. */
#define BATCH_COLLECTED_MAX	100

int
cbconnGetForeignModifyBatchSize(ResultRelInfo *rinfo)
{
	FdwModifyState *state = rinfo->ri_FdwState;

	if (state == NULL || !state->do_nothing || rinfo->ri_projectReturning != NULL ||
		rinfo->ri_WithCheckOptions != NIL || rinfo->ri_TrigDesc != NULL)
		return 1;
	return Min(state->table->batch_size, BATCH_COLLECTED_MAX);
}

/* Returns the slots that were written, in their order. */
TupleTableSlot **
cbconnExecForeignBatchInsert(EState *estate, ResultRelInfo *rinfo, TupleTableSlot **slots, TupleTableSlot **planSlots,
							 int *numSlots)
{
	FdwModifyState *state = rinfo->ri_FdwState;
	MemoryContext old;
	ModifyItem *items;
	TupleTableSlot **written;
	int			n = 0;

	if (!state->opened)
		modify_open(state, rinfo);
	MemoryContextReset(state->row_cxt);
	old = MemoryContextSwitchTo(state->row_cxt);
	items = palloc0(sizeof(ModifyItem) * *numSlots);
	written = palloc(sizeof(TupleTableSlot *) * *numSlots);
	for (int i = 0; i < *numSlots; i++)
	{
		modify_make_item(state, rinfo, slots[i], planSlots[i], estate, &items[i]);
		modify_add(state, &items[i]);
	}
	modify_finish(state);
	for (int i = 0; i < *numSlots; i++)
	{
		if (items[i].outcome == KV_APPLIED)
			written[n++] = slots[i];
	}
	*numSlots = n;
	MemoryContextSwitchTo(old);
	return written;
}

static void
batch_refuse_routing(ModifyTableState *mtstate, ResultRelInfo *rinfo)
{
	/* The scan of the same statement could come to the row again, where it went. */
	if (rinfo->ri_FdwState != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot route tuples into foreign table to be updated \"%s\"",
						RelationGetRelationName(rinfo->ri_RelationDesc)),
				 errhint("Restrict the UPDATE to the partitions that rows move from.")));
	if (mtstate->ps.plan != NULL && ((ModifyTable *) mtstate->ps.plan)->onConflictAction == ONCONFLICT_UPDATE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("ON CONFLICT DO UPDATE is not supported on foreign table \"%s\"",
						RelationGetRelationName(rinfo->ri_RelationDesc)),
				 errhint("The table option insert_mode 'upsert' replaces documents that exist.")));
}

void
cbconnBeginForeignInsert(ModifyTableState *mtstate, ResultRelInfo *rinfo)
{
	FdwModifyState *state;

	batch_refuse_routing(mtstate, rinfo);
	state = modify_create(rinfo, CMD_INSERT, modify_userid(rinfo, mtstate->ps.state));
	if (state->table->key_attno == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("cannot insert into foreign table \"%s\": it has no key column", state->table->relname),
				 errhint("Give the column of the document key OPTIONS (key 'true').")));
	state->routed = true;
	state->do_nothing = mtstate->ps.plan != NULL &&
		((ModifyTable *) mtstate->ps.plan)->onConflictAction == ONCONFLICT_NOTHING;
	/* COPY has no plan, and reads nothing. */
	if (mtstate->ps.plan != NULL)
		state->hold = ahead_mark(mtstate, state->table);
	rinfo->ri_FdwState = state;
}

void
cbconnEndForeignInsert(EState *estate, ResultRelInfo *rinfo)
{
	cbconnEndForeignModify(estate, rinfo);
}
