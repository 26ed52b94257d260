/*
 * modify.c
 *		The executor's callbacks for INSERT, UPDATE and DELETE.
 *
 * Writes are applied at once. Their outcomes are awaited late where nothing depends on them, so that a statement of
 * many rows keeps all nodes busy; see modify_queue.c.
 */
#include "modify.h"

#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "nodes/plannodes.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"

/* ---- creating the state ---- */

static void
modify_free_columns(void *arg)
{
	FdwModifyState *state = arg;

	for (int i = 0; i < state->ncolumns; i++)
		cb_path_free(&state->columns[i].path);
	cb_buf_free(&state->values.text);
}

static void
modify_compile_path(ModifyColumn *column)
{
	const char *text = column->column->path;
	CbError		err = {0};

	if (cb_path_parse(pg_server_to_any(text, strlen(text), PG_UTF8), &column->path, &err) != CB_OK)
		elog(ERROR, "could not compile path \"%s\": %s", text, err.text);
	column->subdoc = row_subdoc_path(&column->path);
}

static void
modify_add_column(FdwModifyState *state, Form_pg_attribute attr)
{
	const FdwColumn *column = &state->table->columns[attr->attnum - 1];
	ModifyColumn *entry = &state->columns[state->ncolumns++];

	entry->attnum = attr->attnum;
	entry->name = pstrdup(NameStr(attr->attname));
	entry->column = column;
	if (column->kind == FDW_COLUMN_DOCUMENT)
		state->document_attno = attr->attnum;
	if (column->kind == FDW_COLUMN_META && column->meta == FDW_META_EXPIRY)
		state->expiry_attno = attr->attnum;
	if (column->kind == FDW_COLUMN_META && column->meta == FDW_META_FLAGS)
		state->flags_attno = attr->attnum;
	if (column->kind == FDW_COLUMN_META)
		return;
	entry->type = value_type_create(&state->values, attr->atttypid, attr->atttypmod, column->format);
	entry->needs_settings = value_encode_needs_settings(entry->type);
	state->needs_settings |= entry->needs_settings;
	if (column->kind == FDW_COLUMN_PATH)
		modify_compile_path(entry);
}

/* Fields before what is in them, so that both can be written. */
static int
modify_compare_columns(const void *a, const void *b)
{
	const ModifyColumn *left = a;
	const ModifyColumn *right = b;

	if (left->path.nsteps != right->path.nsteps)
		return left->path.nsteps < right->path.nsteps ? -1 : 1;
	return left->attnum - right->attnum;
}

bool
modify_paths_overlap(const CbPath *a, const CbPath *b)
{
	for (size_t i = 0; i < Min(a->nsteps, b->nsteps); i++)
	{
		const CbPathStep *left = &a->steps[i];
		const CbPathStep *right = &b->steps[i];

		if ((left->name == NULL) != (right->name == NULL))
			return false;
		if (left->name != NULL ? strcmp(left->name, right->name) != 0 : left->index != right->index)
			return false;
	}
	return true;
}

static void
modify_find_overlaps(FdwModifyState *state)
{
	for (int i = 0; i < state->ncolumns; i++)
	{
		state->columns[i].alone = true;
		for (int j = 0; j < state->ncolumns; j++)
		{
			if (i != j && state->columns[j].column->kind == FDW_COLUMN_PATH &&
				modify_paths_overlap(&state->columns[i].path, &state->columns[j].path))
				state->columns[i].alone = false;
		}
	}
}

FdwModifyState *
modify_create(ResultRelInfo *rinfo, CmdType operation, Oid userid)
{
	FdwModifyState *state = palloc0(sizeof(FdwModifyState));
	TupleDesc	tupdesc = RelationGetDescr(rinfo->ri_RelationDesc);
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));

	state->table = table_load(RelationGetRelid(rinfo->ri_RelationDesc));
	state->rel = rinfo->ri_RelationDesc;
	state->operation = operation;
	state->userid = userid;
	state->cxt = CurrentMemoryContext;
	state->row_cxt = AllocSetContextCreate(state->cxt, "cbconn_fdw row", ALLOCSET_DEFAULT_SIZES);
	state->values.cxt = state->cxt;
	state->columns = palloc0(sizeof(ModifyColumn) * Max(tupdesc->natts, 1));
	callback->func = modify_free_columns;
	callback->arg = state;
	MemoryContextRegisterResetCallback(state->cxt, callback);
	for (int i = 0; i < tupdesc->natts; i++)
	{
		if (!TupleDescAttr(tupdesc, i)->attisdropped)
			modify_add_column(state, TupleDescAttr(tupdesc, i));
	}
	qsort(state->columns, state->ncolumns, sizeof(ModifyColumn), modify_compare_columns);
	modify_find_overlaps(state);
	return state;
}

Oid
modify_userid(ResultRelInfo *rinfo, EState *estate)
{
	ResultRelInfo *root = rinfo->ri_RangeTableIndex != 0 || rinfo->ri_RootResultRelInfo == NULL ? rinfo :
		rinfo->ri_RootResultRelInfo;

	return root->ri_RangeTableIndex == 0 ? InvalidOid : compat_result_userid(root, estate);
}

/* ---- the first row ---- */

/* Whether something runs after rows were written that may want to see them. */
static bool
modify_has_after_triggers(const ResultRelInfo *rinfo)
{
	const TriggerDesc *triggers = rinfo == NULL ? NULL : rinfo->ri_TrigDesc;

	return triggers != NULL &&
		(triggers->trig_insert_after_row || triggers->trig_insert_after_statement ||
		 triggers->trig_update_after_row || triggers->trig_update_after_statement ||
		 triggers->trig_delete_after_row || triggers->trig_delete_after_statement);
}

void
modify_open(FdwModifyState *state, ResultRelInfo *rinfo)
{
	KvMutateSpec spec = {.durability = state->table->durability};
	bool		after = modify_has_after_triggers(rinfo) || modify_has_after_triggers(rinfo->ri_RootResultRelInfo);
	MemoryContext old = MemoryContextSwitchTo(state->cxt);

	state->refresh = rinfo->ri_projectReturning != NULL || (after && state->operation != CMD_DELETE);
	state->deferred = !state->refresh && !after && !state->do_nothing;
	if (state->refresh && state->operation != CMD_DELETE)
	{
		Bitmapset  *all = bms_make_singleton(0);

		state->decoder = row_decoder_create(state->table, RelationGetDescr(state->rel), all, state->cxt);
	}
	state->handle = table_connect(state->table, state->userid, &state->collection);
	state->hold = state->hold && state->deferred;
	spec.hold = state->hold;
	state->mutate = kv_mutate_create(state->handle, state->collection, &spec, state->cxt, &state->counters);
	state->opened = true;
	MemoryContextSwitchTo(old);
}

/* ---- callbacks ---- */

static void
modify_find_junk(FdwModifyState *state, Plan *subplan)
{
	List	   *tlist = subplan->targetlist;
	Form_pg_attribute key = TupleDescAttr(RelationGetDescr(state->rel), state->table->key_attno - 1);

	state->key_junk = ExecFindJunkAttributeInTlist(tlist, modify_key_name(key));
	state->cas_high_junk = ExecFindJunkAttributeInTlist(tlist, MODIFY_CAS_HIGH);
	state->cas_low_junk = ExecFindJunkAttributeInTlist(tlist, MODIFY_CAS_LOW);
	state->whole_junk = ExecFindJunkAttributeInTlist(tlist, MODIFY_WHOLE_ROW);
	if (state->operation == CMD_UPDATE)
		state->flags_junk = ExecFindJunkAttributeInTlist(tlist, MODIFY_FLAGS);
	if (state->key_junk == InvalidAttrNumber || state->cas_high_junk == InvalidAttrNumber ||
		state->cas_low_junk == InvalidAttrNumber)
		elog(ERROR, "the plan does not identify rows of foreign table \"%s\"", state->table->relname);
}

void
cbconnBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo, List *fdw_private, int subplan_index,
						 int eflags)
{
	FdwModifyState *state;
	ListCell   *lc;

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	state = modify_create(rinfo, mtstate->operation, modify_userid(rinfo, mtstate->ps.state));
	state->do_nothing = ((ModifyTable *) mtstate->ps.plan)->onConflictAction == ONCONFLICT_NOTHING;
	state->joined = boolVal(list_nth(fdw_private, MODIFY_PRIVATE_JOINED));
	foreach(lc, (List *) list_nth(fdw_private, MODIFY_PRIVATE_ASSIGNED))
		state->assigned = bms_add_member(state->assigned, lfirst_int(lc));
	if (mtstate->operation != CMD_INSERT)
		modify_find_junk(state, outerPlan(mtstate->ps.plan));
	state->by_trigger = mtstate->operation == CMD_UPDATE && rinfo->ri_TrigDesc != NULL &&
		rinfo->ri_TrigDesc->trig_update_before_row;
	state->hold = ahead_mark(mtstate, state->table);
	rinfo->ri_FdwState = state;
}

/*
 * What PostgreSQL would roll back is checked before it is written: the check of a view, and the bounds of a partition
 * that is written directly.
 */
static void
modify_check(FdwModifyState *state, ResultRelInfo *rinfo, TupleTableSlot *slot, EState *estate)
{
	if (rinfo->ri_WithCheckOptions != NIL)
		ExecWithCheckOptions(WCO_VIEW_CHECK, rinfo, slot, estate);
	if (state->rel->rd_rel->relispartition && !state->routed)
		ExecPartitionCheck(rinfo, slot, estate, true);
}

void
modify_make_item(FdwModifyState *state, ResultRelInfo *rinfo, TupleTableSlot *slot, TupleTableSlot *planSlot,
				 EState *estate, ModifyItem *item)
{
	PG_TRY();
	{
		if (state->operation != CMD_DELETE)
			modify_check(state, rinfo, slot, estate);
		if (state->operation == CMD_INSERT)
			modify_insert_item(state, slot, item);
		else if (state->operation == CMD_UPDATE)
			modify_update_item(state, slot, planSlot, item);
		else
			modify_delete_item(state, planSlot, item);
	}
	PG_CATCH();
	{
		modify_drain(state);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

TupleTableSlot *
cbconnExecForeignInsert(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot, TupleTableSlot *planSlot)
{
	FdwModifyState *state = rinfo->ri_FdwState;
	ModifyItem	item = {0};
	MemoryContext old;

	if (!state->opened)
		modify_open(state, rinfo);
	MemoryContextReset(state->row_cxt);
	old = MemoryContextSwitchTo(state->row_cxt);
	modify_make_item(state, rinfo, slot, planSlot, estate, &item);
	modify_send(state, &item);
	if (state->refresh && item.outcome == KV_APPLIED)
		modify_refresh_inserted(state, slot, &item);
	MemoryContextSwitchTo(old);
	return !state->deferred && item.outcome != KV_APPLIED ? NULL : slot;
}

TupleTableSlot *
cbconnExecForeignUpdate(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot, TupleTableSlot *planSlot)
{
	FdwModifyState *state = rinfo->ri_FdwState;
	ModifyItem	item = {0};
	MemoryContext old;
	bool		first;

	if (!state->opened)
		modify_open(state, rinfo);
	MemoryContextReset(state->row_cxt);
	old = MemoryContextSwitchTo(state->row_cxt);
	modify_make_item(state, rinfo, slot, planSlot, estate, &item);
	first = modify_first_time(state, &item.mutation);
	if (first)
	{
		modify_send(state, &item);
		if (state->refresh)
			modify_refresh_updated(state, slot, &item);
	}
	MemoryContextSwitchTo(old);
	return first ? slot : NULL;
}

TupleTableSlot *
cbconnExecForeignDelete(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot, TupleTableSlot *planSlot)
{
	FdwModifyState *state = rinfo->ri_FdwState;
	ModifyItem	item = {0};
	MemoryContext old;
	bool		first;

	if (!state->opened)
		modify_open(state, rinfo);
	MemoryContextReset(state->row_cxt);
	old = MemoryContextSwitchTo(state->row_cxt);
	modify_make_item(state, rinfo, slot, planSlot, estate, &item);
	first = modify_first_time(state, &item.mutation);
	if (first)
		modify_send(state, &item);
	if (first && rinfo->ri_projectReturning != NULL)
	{
		ExecClearTuple(slot);
		modify_old_row(state, planSlot, slot->tts_values, slot->tts_isnull);
		ExecStoreVirtualTuple(slot);
	}
	MemoryContextSwitchTo(old);
	return first ? slot : NULL;
}

/* Called only when the statement has succeeded so far; what fails now fails it. */
void
cbconnEndForeignModify(EState *estate, ResultRelInfo *rinfo)
{
	FdwModifyState *state = rinfo->ri_FdwState;

	if (state != NULL)
		modify_finish(state);
}
