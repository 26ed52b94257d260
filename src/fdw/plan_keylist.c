/*
 * plan_keylist.c
 *		UPDATE and DELETE with a join on the key: instead of one look-up for each row of the other table, all keys that
 *		this has are collected first, in a subquery that runs once, and looked up together.
 *
 * The list only leaves out documents that no row of the other table can join with; the join itself stays as it is.
 */
#include "plan.h"

#include "catalog/pg_aggregate.h"
#include "catalog/pg_class.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "optimizer/planner.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/subselect.h"
#include "optimizer/tlist.h"
#include "rewrite/rewriteManip.h"
#include "utils/fmgroids.h"

#include "compat.h"

/* Memory that one key takes: in the array, in the list of look-ups. */
#define KEYLIST_KEY_BYTES	200

/* Whether an expression needs more than a row of its own table. */
static bool
keylist_is_entangled(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, SubLink) || IsA(node, SubPlan) || IsA(node, AlternativeSubPlan) || IsA(node, PlaceHolderVar) ||
		(IsA(node, Param) && ((Param *) node)->paramkind != PARAM_EXTERN) ||
		(IsA(node, Var) && !compat_var_is_plain((Var *) node)))
		return true;
	return expression_tree_walker(node, keylist_is_entangled, context);
}

static bool
keylist_can_use(Node *expr)
{
	return !keylist_is_entangled(expr, NULL) && !contain_volatile_functions(expr);
}

/* What gives the same rows when it is read twice: tables, VALUES, functions such as unnest(). */
static bool
keylist_reads_alike(const RangeTblEntry *rte)
{
	if (rte->lateral || rte->tablesample != NULL)
		return false;
	switch (rte->rtekind)
	{
		case RTE_RELATION:
			return rte->relkind == RELKIND_RELATION || rte->relkind == RELKIND_PARTITIONED_TABLE ||
				rte->relkind == RELKIND_MATVIEW;
		case RTE_VALUES:
			return keylist_can_use((Node *) rte->values_lists);
		case RTE_FUNCTION:
			return keylist_can_use((Node *) rte->functions);
		default:
			return false;
	}
}

/* Whether the keys of this side may be collected, and are few enough to be kept in memory. */
static bool
keylist_can_read(PlannerInfo *root, Index relid)
{
	RelOptInfo *rel = root->simple_rel_array[relid];

	return rel != NULL && rel->reloptkind == RELOPT_BASEREL &&
		rel->rows * KEYLIST_KEY_BYTES <= get_hash_memory_limit() &&
		keylist_reads_alike(planner_rt_fetch(relid, root));
}

/* The other table's own conditions, as far as they can be used; fewer of them only make the list longer. */
static Node *
keylist_quals(RelOptInfo *rel)
{
	List	   *quals = NIL;
	ListCell   *lc;

	foreach(lc, rel->baserestrictinfo)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);

		if (!rinfo->pseudoconstant && keylist_can_use((Node *) rinfo->clause))
			quals = lappend(quals, copyObject(rinfo->clause));
	}
	ChangeVarNodes((Node *) quals, rel->relid, 1, 0);
	return quals == NIL ? NULL : (Node *) make_ands_explicit(quals);
}

/* array_agg(key) */
static Aggref *
keylist_aggregate(Expr *key)
{
	Aggref	   *agg = makeNode(Aggref);

	agg->aggfnoid = F_ARRAY_AGG_ANYNONARRAY;
	agg->aggtype = TEXTARRAYOID;
	agg->aggcollid = agg->inputcollid = exprCollation((Node *) key);
	agg->aggargtypes = list_make1_oid(TEXTOID);
	agg->args = list_make1(makeTargetEntry(key, 1, NULL, false));
	agg->aggkind = AGGKIND_NORMAL;
	agg->aggsplit = AGGSPLIT_SIMPLE;
	agg->aggno = agg->aggtransno = -1;
	agg->location = -1;
	return agg;
}

/* SELECT array_agg(key) FROM other WHERE its conditions. Whether it may be read, the whole query asks. */
static Query *
keylist_query(PlannerInfo *root, RelOptInfo *other, Expr *key)
{
	Query	   *query = makeNode(Query);
	RangeTblEntry *rte = copyObject(planner_rt_fetch(other->relid, root));
	RangeTblRef *ref = makeNode(RangeTblRef);

	key = copyObject(key);
	ChangeVarNodes((Node *) key, other->relid, 1, 0);
	compat_rte_ask_no_rights(query, rte, root->parse);
	ref->rtindex = 1;
	query->commandType = CMD_SELECT;
	query->rtable = list_make1(rte);
	query->jointree = makeFromExpr(list_make1(ref), keylist_quals(other));
	query->targetList = list_make1(makeTargetEntry((Expr *) keylist_aggregate(key), 1, pstrdup("keys"), false));
	query->hasAggs = true;
	return query;
}

/* The list of keys that a join clause "key = expression over one other table" asks for, or NULL. */
static KeyList *
keylist_match(PlannerInfo *root, RelOptInfo *rel, const FdwTable *table, RestrictInfo *rinfo)
{
	KeyClause  *clause = keycond_match(root, rel, table, rinfo);
	KeyTerm    *term = clause == NULL ? NULL : linitial(clause->terms);
	Relids		others;
	int			relid;
	KeyList    *keys;

	if (term == NULL || list_length(clause->terms) != 1 || term->op != KEY_EQ || !IsA(rinfo->clause, OpExpr) ||
		exprType((Node *) term->value) != TEXTOID || !keylist_can_use((Node *) term->value))
		return NULL;
	others = bms_del_member(bms_copy(rinfo->clause_relids), rel->relid);
	if (!bms_get_singleton_member(others, &relid) || !keylist_can_read(root, relid))
		return NULL;

	keys = palloc0(sizeof(KeyList));
	keys->rinfo = rinfo;
	keys->count = Max(root->simple_rel_array[relid]->rows, 1);
	keys->subroot = compat_subquery_planner(root, keylist_query(root, root->simple_rel_array[relid], term->value));
	keys->path = fetch_upper_rel(keys->subroot, UPPERREL_FINAL, NULL)->cheapest_total_path;
	return keys;
}

List *
keylist_find(PlannerInfo *root, RelOptInfo *rel, const FdwTable *table, List *clauses)
{
	List	   *lists = NIL;
	ListCell   *lc;

	/* Row security and security barriers decide who may see what first. */
	if (!bms_is_member(rel->relid, root->all_result_relids) || root->qual_security_level > 0)
		return NIL;
	foreach(lc, clauses)
	{
		KeyList    *keys = keylist_match(root, rel, table, lfirst_node(RestrictInfo, lc));

		if (keys != NULL)
			lists = lappend(lists, keys);
	}
	return lists;
}

/* key = ANY (the list), which is made by a subquery of this plan. */
Expr *
keylist_condition(PlannerInfo *root, RelOptInfo *rel, const FdwTable *table, const KeyList *keys)
{
	OpExpr	   *clause = (OpExpr *) keys->rinfo->clause;
	ScalarArrayOpExpr *any = makeNode(ScalarArrayOpExpr);
	Node	   *key = linitial(clause->args);
	Plan	   *plan = create_plan(keys->subroot, keys->path);
	Param	   *param;

	if (!keycond_is_key(key, rel->relid, table->key_attno))
		key = lsecond(clause->args);
	param = SS_make_initplan_output_param(root, TEXTARRAYOID, -1, clause->inputcollid);
	SS_make_initplan_from_plan(root, keys->subroot, plan, param);
	any->opno = TextEqualOperator;
	any->opfuncid = F_TEXTEQ;
	any->useOr = true;
	any->inputcollid = clause->inputcollid;
	any->args = list_make2(copyObject(key), param);
	any->location = -1;
	return (Expr *) any;
}
