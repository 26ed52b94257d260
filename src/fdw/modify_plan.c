/*
 * modify_plan.c
 *		Planning of writes: what identifies a row, which columns are assigned, and what cannot be written.
 *
 * A row is identified by its key and the CAS that the scan read. The CAS needs no column of the table: a scan for
 * UPDATE or DELETE makes tuples that carry its two halves as xmin and xmax, and the document's flags as cmin.
 */
#include "modify.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "foreign/foreign.h"
#include "nodes/makefuncs.h"
#include "optimizer/appendinfo.h"
#include "optimizer/inherit.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "plan.h"
#include "utils/rel.h"

#include "compat.h"

char *
modify_key_name(Form_pg_attribute attr)
{
	return psprintf("cbconn_key_%d_%u_%d_%u", attr->attnum, attr->atttypid, attr->atttypmod, attr->attcollation);
}

static void
plan_require_key(const FdwTable *table, const char *command)
{
	if (table->key_attno == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("cannot %s foreign table \"%s\": it has no key column", command, table->relname),
				 errhint("Give the column of the document key OPTIONS (key 'true').")));
}

static void
plan_add_identity(PlannerInfo *root, Index rtindex, AttrNumber attno, Oid type, const char *name)
{
	add_row_identity_var(root, makeVar(rtindex, attno, type, -1, InvalidOid, 0), rtindex, name);
}

void
cbconnAddForeignUpdateTargets(PlannerInfo *root, Index rtindex, RangeTblEntry *target_rte, Relation target_relation)
{
	const FdwTable *table = table_load(RelationGetRelid(target_relation));
	bool		update = root->parse->commandType == CMD_UPDATE;
	Form_pg_attribute attr;

	plan_require_key(table, update ? "update" : "delete from");
	attr = TupleDescAttr(RelationGetDescr(target_relation), table->key_attno - 1);
	add_row_identity_var(root, makeVar(rtindex, attr->attnum, attr->atttypid, attr->atttypmod, attr->attcollation, 0),
						 rtindex, modify_key_name(attr));
	plan_add_identity(root, rtindex, MinTransactionIdAttributeNumber, XIDOID, MODIFY_CAS_HIGH);
	plan_add_identity(root, rtindex, MaxTransactionIdAttributeNumber, XIDOID, MODIFY_CAS_LOW);
	if (update)
		plan_add_identity(root, rtindex, MinCommandIdAttributeNumber, CIDOID, MODIFY_FLAGS);

	/* The server has UPDATE carry the old row along; DELETE needs it only to return it. */
	if (!update && root->parse->returningList != NIL)
		plan_add_identity(root, rtindex, InvalidAttrNumber, RECORDOID, MODIFY_WHOLE_ROW);
}

static void
plan_check_assigned(const FdwTable *table, Relation rel, AttrNumber attnum)
{
	const FdwColumn *column = &table->columns[attnum - 1];
	const char *name = NameStr(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attname);

	if (column->kind == FDW_COLUMN_KEY)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot assign to column \"%s\": it is the document key", name),
				 errhint("Insert a document with the new key and delete the old one.")));
	if (column->kind == FDW_COLUMN_META && column->meta != FDW_META_EXPIRY && column->meta != FDW_META_FLAGS)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot assign to column \"%s\": the data service sets it", name),
				 errdetail("Of the metadata, only expiry and flags can be written.")));
}

static List *
plan_assigned(PlannerInfo *root, const FdwTable *table, Relation rel, Index rtindex)
{
	Bitmapset  *updated = get_rel_all_updated_cols(root, find_base_rel(root, rtindex));
	List	   *assigned = NIL;
	int			bit = -1;

	while ((bit = bms_next_member(updated, bit)) >= 0)
	{
		AttrNumber	attnum = bit + FirstLowInvalidHeapAttributeNumber;

		if (attnum <= InvalidAttrNumber)
			elog(ERROR, "system columns cannot be assigned");
		plan_check_assigned(table, rel, attnum);
		assigned = lappend_int(assigned, attnum);
	}
	return assigned;
}

/* The row that RETURNING gets has no system columns: to be told before anything is written. */
static void
plan_check_returning(const FdwTable *table, ModifyTable *plan, Index rtindex, int subplan_index)
{
	Bitmapset  *attrs = NULL;
	int			bit = -1;

	if (plan->returningLists == NIL)
		return;
	pull_varattnos(list_nth(plan->returningLists, subplan_index), rtindex, &attrs);
	while ((bit = bms_next_member(attrs, bit)) >= 0)
	{
		AttrNumber	attno = bit + FirstLowInvalidHeapAttributeNumber;

		if (attno < 0 && attno != TableOidAttributeNumber)
			plan_refuse_system_column(table, attno);
	}
}

List *
cbconnPlanForeignModify(PlannerInfo *root, ModifyTable *plan, Index resultRelation, int subplan_index)
{
	Relation	rel = table_open(planner_rt_fetch(resultRelation, root)->relid, NoLock);
	const FdwTable *table = table_load(RelationGetRelid(rel));
	bool		joined = plan->operation != CMD_INSERT && bms_membership(root->all_baserels) == BMS_MULTIPLE;
	List	   *assigned = NIL;

	plan_require_key(table, plan->operation == CMD_INSERT ? "insert into" :
					 plan->operation == CMD_UPDATE ? "update" : "delete from");
	if (plan->operation == CMD_UPDATE)
		assigned = plan_assigned(root, table, rel, resultRelation);
	plan_check_returning(table, plan, resultRelation, subplan_index);
	table_close(rel, NoLock);
	return list_make2(assigned, makeBoolean(joined));
}

int
cbconnIsForeignRelUpdatable(Relation rel)
{
	const FdwTable *table = table_load(RelationGetRelid(rel));

	if (!table->updatable || table->key_attno == 0)
		return 0;
	return (1 << CMD_INSERT) | (1 << CMD_UPDATE) | (1 << CMD_DELETE);
}
