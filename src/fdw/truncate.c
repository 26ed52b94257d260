/*
 * truncate.c
 *		TRUNCATE: deletes what a scan of the keys finds, as often as it finds anything.
 *
 * It is no atomic act: documents that others write at the same time may stay.
 */
#include "modify.h"

#include "utils/memutils.h"
#include "utils/rel.h"

/* A document written and not yet on disk is seen by a later scan; somebody who goes on writing is not waited for. */
#define TRUNCATE_PASSES	10

static void
truncate_check(const FdwTable *table)
{
	if (!table->updatable || !table->truncatable)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("foreign table \"%s\" does not allow truncates", table->relname),
				 table->nfilters > 0 ? errdetail("A table with the option filter is read-only.") :
				 !table->truncatable ?
				 errhint("The table option truncatable 'true' lets TRUNCATE delete all documents of collection \"%s\".",
						 table->collection) : 0));
}

/* Deletes the documents whose keys one scan finds; returns how many. */
static int64
truncate_pass(FdwModifyState *state, MemoryContext cxt)
{
	KvScanSpec	spec = {.start = {.unbounded = true}, .end = {.unbounded = true}, .keys_only = true, .limit_hint = -1};
	KvScan	   *scan = kv_scan_create(state->handle, state->collection, &spec, cxt, &state->counters);
	const ClusterDoc *doc;
	int64		n = 0;

	kv_scan_start(scan, NULL);
	while ((doc = kv_scan_next(scan)) != NULL)
	{
		ModifyItem	item = {.mutation = {.kind = KV_DELETE, .key = doc->key, .keylen = doc->keylen}};

		modify_send(state, &item);
		n++;
	}
	kv_scan_end(scan);
	modify_finish(state);
	return n;
}

static void
truncate_table(Relation rel)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "cbconn_fdw truncate", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	ResultRelInfo rinfo = {.type = T_ResultRelInfo, .ri_RelationDesc = rel};
	FdwModifyState *state = modify_create(&rinfo, CMD_UTILITY, InvalidOid);

	modify_open(state, &rinfo);
	for (int pass = 0; pass < TRUNCATE_PASSES; pass++)
	{
		if (truncate_pass(state, cxt) == 0)
			break;
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
}

void
cbconnExecForeignTruncate(List *rels, DropBehavior behavior, bool restart_seqs)
{
	ListCell   *lc;

	foreach(lc, rels)
		truncate_check(table_load(RelationGetRelid((Relation) lfirst(lc))));
	foreach(lc, rels)
		truncate_table(lfirst(lc));
}
