/*
 * compat.h
 *		What differs between PostgreSQL releases for the planner's and executor's files. Each shim names its release.
 */
#ifndef CBCONN_FDW_COMPAT_H
#define CBCONN_FDW_COMPAT_H

#include "../compat.h"

#include "access/stratnum.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planner.h"
#include "parser/parse_relation.h"
#include "parser/parsetree.h"
#include "utils/selfuncs.h"

#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"	/* 18 took these out of explain.h */
#include "commands/explain_state.h"
#endif

static inline ForeignPath *
compat_foreignscan_path(PlannerInfo *root, RelOptInfo *rel, double rows, Cost startup, Cost total,
						List *pathkeys, Relids required_outer, List *fdw_private)
{
#if PG_VERSION_NUM >= 180000	/* disabled_nodes */
	return create_foreignscan_path(root, rel, NULL, rows, 0, startup, total, pathkeys, required_outer, NULL, NIL,
								   fdw_private);
#elif PG_VERSION_NUM >= 170000	/* fdw_restrictinfo */
	return create_foreignscan_path(root, rel, NULL, rows, startup, total, pathkeys, required_outer, NULL, NIL,
								   fdw_private);
#else
	return create_foreignscan_path(root, rel, NULL, rows, startup, total, pathkeys, required_outer, NULL,
								   fdw_private);
#endif
}

static inline double
compat_array_length(PlannerInfo *root, Node *array)
{
#if PG_VERSION_NUM >= 170000	/* root */
	return estimate_array_length(root, array);
#else
	return estimate_array_length(array);
#endif
}

static inline PathKey *
compat_ascending_pathkey(PlannerInfo *root, EquivalenceClass *ec, Oid opfamily, bool nulls_first)
{
#if PG_VERSION_NUM >= 180000	/* CompareType */
	return make_canonical_pathkey(root, ec, opfamily, COMPARE_LT, nulls_first);
#else
	return make_canonical_pathkey(root, ec, opfamily, BTLessStrategyNumber, nulls_first);
#endif
}

static inline PlannerInfo *
compat_subquery_planner(PlannerInfo *root, Query *query)
{
#if PG_VERSION_NUM >= 170000	/* setops */
	return subquery_planner(root->glob, query, root, false, 0, NULL);
#else
	return subquery_planner(root->glob, query, root, false, 0);
#endif
}

/* What a query reads that stands for the same in another query, where rights to it (if it is a table) are asked for. */
static inline void
compat_rte_ask_no_rights(Query *query, RangeTblEntry *rte, const Query *other)
{
#if PG_VERSION_NUM >= 160000	/* RTEPermissionInfo: there must be one, so the same is asked twice */
	if (rte->perminfoindex != 0)
	{
		query->rteperminfos = list_make1(copyObject(getRTEPermissionInfo(other->rteperminfos, rte)));
		rte->perminfoindex = 1;
	}
#else
	rte->requiredPerms = 0;
#endif
}

/* Which of ROWCOMPARE_... it is. */
#if PG_VERSION_NUM >= 180000	/* CompareType, of the same numbers */
#define ROWCOMPARE_LT	COMPARE_LT
#define ROWCOMPARE_LE	COMPARE_LE
#define ROWCOMPARE_EQ	COMPARE_EQ
#define ROWCOMPARE_GE	COMPARE_GE
#define ROWCOMPARE_GT	COMPARE_GT
#define ROWCOMPARE_NE	COMPARE_NE
#endif

static inline int
compat_row_compare_type(const RowCompareExpr *node)
{
#if PG_VERSION_NUM >= 180000
	return node->cmptype;
#else
	return node->rctype;
#endif
}

/* A column as it stands in its table's row: of this query, not made null by an outer join. */
static inline bool
compat_var_is_plain(const Var *var)
{
#if PG_VERSION_NUM >= 160000	/* varnullingrels */
	return var->varlevelsup == 0 && bms_is_empty(var->varnullingrels);
#else
	return var->varlevelsup == 0;
#endif
}

static inline bool
compat_pathkey_is_ascending(const PathKey *pathkey)
{
#if PG_VERSION_NUM >= 180000	/* CompareType */
	return pathkey->pk_cmptype == COMPARE_LT;
#else
	return pathkey->pk_strategy == BTLessStrategyNumber;
#endif
}

/* The user whose rights count for a relation being planned; InvalidOid: the current one. */
static inline Oid
compat_rel_userid(PlannerInfo *root, RelOptInfo *rel)
{
#if PG_VERSION_NUM >= 160000	/* RTEPermissionInfo */
	return rel->userid;
#else
	return planner_rt_fetch(rel->relid, root)->checkAsUser;
#endif
}

/* The same for a scan being executed. */
static inline Oid
compat_scan_userid(ForeignScanState *node)
{
	ForeignScan *plan = castNode(ForeignScan, node->ss.ps.plan);

#if PG_VERSION_NUM >= 160000
	return plan->checkAsUser;
#else
	return exec_rt_fetch(plan->scan.scanrelid, node->ss.ps.state)->checkAsUser;
#endif
}

/* The same for a relation being written; it has a place in the range table. */
static inline Oid
compat_result_userid(ResultRelInfo *rinfo, EState *estate)
{
#if PG_VERSION_NUM >= 160000
	return ExecGetResultRelCheckAsUser(rinfo, estate);
#else
	return exec_rt_fetch(rinfo->ri_RangeTableIndex, estate)->checkAsUser;
#endif
}

#endif							/* CBCONN_FDW_COMPAT_H */
