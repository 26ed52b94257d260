/*
 * plan.c
 *		The planner's callbacks: size of a foreign table, its access paths, and the plan of the one chosen.
 *
 * Named keys are always looked up, never searched for in a range scan: look-ups see every write at once, range scans
 * only what is on disk.
 */
#include "plan_query.h"

#include <math.h>

#include "access/sysattr.h"
#include "catalog/heap.h"
#include "nodes/makefuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"

#include "compat.h"

/* Assumed of a collection that nobody counted. */
#define PLAN_DEFAULT_DOCUMENTS	1000
#define PLAN_DEFAULT_VBUCKETS	1024

/* ---- size ---- */

/*
 * Tells the estimators that the key is unique, which they look for among the indexes. Marked hypothetical and
 * deferred, it can be neither scanned nor used to prove anything.
 */
static void
plan_note_unique_key(RelOptInfo *rel, AttrNumber key_attno)
{
	IndexOptInfo *index = makeNode(IndexOptInfo);

	index->rel = rel;
	index->ncolumns = index->nkeycolumns = 1;
	index->indexkeys = palloc(sizeof(int));
	index->indexkeys[0] = key_attno;
	index->unique = true;
	index->immediate = false;
	index->hypothetical = true;
	rel->indexlist = lappend(rel->indexlist, index);
}

/* Documents in the collection: as analysed, else as the cluster counts, else a guess. Named keys need no count. */
static void
plan_estimate_documents(PlannerInfo *root, RelOptInfo *rel, FdwRelInfo *info)
{
	info->vbuckets = PLAN_DEFAULT_VBUCKETS;
	if (rel->tuples > 0)
	{
		info->doc_bytes = (double) rel->pages * BLCKSZ / rel->tuples;
		return;
	}
	rel->tuples = PLAN_DEFAULT_DOCUMENTS;
	if (info->lookup_clauses != NIL)
		rel->tuples = Max(rel->tuples, cost_key_count(root, info->lookup_clauses));
	else
		count_estimate(info->table, info->userid, &rel->tuples, &info->vbuckets);
}

static void
plan_add_clause(FdwRelInfo *info, KeyClause *clause)
{
	if (clause == NULL)
		return;
	if (clause->names_keys)
		info->lookup_clauses = lappend(info->lookup_clauses, clause);
	else
		info->range_clauses = lappend(info->range_clauses, clause);
}

void
cbconnGetForeignRelSize(PlannerInfo *root, RelOptInfo *baserel, Oid relid)
{
	FdwRelInfo *info = palloc0(sizeof(FdwRelInfo));
	ListCell   *lc;

	info->table = table_load(relid);
	info->userid = compat_rel_userid(root, baserel);
	baserel->fdw_private = info;
	foreach(lc, baserel->baserestrictinfo)
		plan_add_clause(info, keycond_match(root, baserel, info->table, lfirst_node(RestrictInfo, lc)));

	plan_estimate_documents(root, baserel, info);
	plan_query_prepare(root, baserel, info);
	if (keycond_possible(info->table))
		plan_note_unique_key(baserel, info->table->key_attno);
	set_baserel_size_estimates(root, baserel);
}

/* ---- paths ---- */

/* ForeignPath.fdw_private: what cbconnGetForeignPlan cannot see in the path itself. */
static List *
plan_path_private(ScanAccess access, bool ordered, int key_list)
{
	return list_make3(makeInteger(access), makeInteger(ordered), makeInteger(key_list));
}

static ForeignPath *
plan_make_path(PlannerInfo *root, RelOptInfo *rel, ScanAccess access, const CostEstimate *cost, List *pathkeys,
			   Relids required_outer)
{
	return compat_foreignscan_path(root, rel, cost->rows, cost->startup, cost->total, pathkeys, required_outer,
								   plan_path_private(access, pathkeys != NIL, -1));
}

/* Workers share the vBuckets of one scan. */
static void
plan_add_partial_path(PlannerInfo *root, RelOptInfo *rel, FdwRelInfo *info)
{
	double		documents = cost_range_documents(root, rel, info->range_clauses);
	double		bytes = info->doc_bytes > 0 ? info->doc_bytes : rel->reltarget->width;
	CostEstimate cost;
	ForeignPath *path;
	int			workers;

	if (!rel->consider_parallel || !bms_is_empty(rel->lateral_relids) ||
		documents * bytes < (double) min_parallel_table_scan_size * BLCKSZ)
		return;
	workers = compute_parallel_worker(rel, ceil(documents * bytes / BLCKSZ), -1, max_parallel_workers_per_gather);
	if (workers <= 0)
		return;
	cost_range(root, rel, info->range_clauses, rel->rows, false, workers, &cost);
	path = plan_make_path(root, rel, SCAN_RANGE, &cost, NIL, NULL);
	path->path.parallel_aware = true;
	path->path.parallel_workers = workers;
	add_partial_path(rel, &path->path);
}

static void
plan_add_range_paths(PlannerInfo *root, RelOptInfo *rel, FdwRelInfo *info)
{
	CostEstimate cost;
	ListCell   *lc;

	cost_range(root, rel, info->range_clauses, rel->rows, false, 0, &cost);
	add_path(rel, (Path *) plan_make_path(root, rel, SCAN_RANGE, &cost, NIL, rel->lateral_relids));

	foreach(lc, pathkey_orders(root, rel, info->table))
	{
		cost_range(root, rel, info->range_clauses, rel->rows, true, 0, &cost);
		add_path(rel, (Path *) plan_make_path(root, rel, SCAN_RANGE, &cost, lfirst(lc), rel->lateral_relids));
	}
	plan_add_partial_path(root, rel, info);
}

static bool
plan_member_is_key(PlannerInfo *root, RelOptInfo *rel, EquivalenceClass *ec, EquivalenceMember *em, void *arg)
{
	const FdwTable *table = arg;

	return keycond_is_key((Node *) em->em_expr, rel->relid, table->key_attno);
}

/* Join clauses and equalities implied by equivalence classes that compare the key with other tables' columns. */
static List *
plan_join_clauses(PlannerInfo *root, RelOptInfo *rel, FdwTable *table)
{
	List	   *clauses = NIL;
	ListCell   *lc;

	foreach(lc, rel->joininfo)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);

		if (join_clause_is_movable_to(rinfo, rel))
			clauses = lappend(clauses, rinfo);
	}
	if (rel->has_eclass_joins)
		clauses = list_concat(clauses, generate_implied_equalities_for_column(root, rel, plan_member_is_key, table,
																			  rel->lateral_referencers));
	return clauses;
}

/* The sets of outer relations whose columns such clauses need, each once. */
static List *
plan_parameterizations(PlannerInfo *root, RelOptInfo *rel, FdwTable *table)
{
	List	   *infos = NIL;
	ListCell   *lc;

	foreach(lc, plan_join_clauses(root, rel, table))
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);
		Relids		required_outer;

		if (keycond_match(root, rel, table, rinfo) == NULL)
			continue;
		required_outer = bms_union(rinfo->clause_relids, rel->lateral_relids);
		required_outer = bms_del_member(required_outer, rel->relid);
		if (!bms_is_empty(required_outer))
			infos = list_append_unique_ptr(infos, get_baserel_parampathinfo(root, rel, required_outer));
	}
	return infos;
}

/* One path for each parameterization: the inner side of a nested loop. */
static void
plan_add_parameterized_paths(PlannerInfo *root, RelOptInfo *rel, FdwRelInfo *info)
{
	ListCell   *lc;

	foreach(lc, plan_parameterizations(root, rel, info->table))
	{
		ParamPathInfo *ppi = lfirst(lc);
		FdwRelInfo	all = *info;
		CostEstimate cost;
		ListCell   *clause;
		bool		lookup;

		all.lookup_clauses = list_copy(info->lookup_clauses);
		all.range_clauses = list_copy(info->range_clauses);
		foreach(clause, ppi->ppi_clauses)
			plan_add_clause(&all, keycond_match(root, rel, info->table, lfirst_node(RestrictInfo, clause)));

		lookup = all.lookup_clauses != NIL;
		if (lookup)
			cost_lookup(root, rel, all.lookup_clauses, ppi->ppi_rows, &cost);
		else
			cost_range(root, rel, all.range_clauses, ppi->ppi_rows, false, 0, &cost);
		add_path(rel, (Path *) plan_make_path(root, rel, lookup ? SCAN_LOOKUP : SCAN_RANGE, &cost, NIL,
											  ppi->ppi_req_outer));
	}
}

/* Look-ups of keys that another table has, all at once. */
static void
plan_add_key_list_paths(PlannerInfo *root, RelOptInfo *rel, FdwRelInfo *info)
{
	ListCell   *lc;

	info->key_lists = keylist_find(root, rel, info->table, plan_join_clauses(root, rel, info->table));
	foreach(lc, info->key_lists)
	{
		CostEstimate cost;
		ForeignPath *path;

		cost_key_list(root, rel, lfirst(lc), &cost);
		path = plan_make_path(root, rel, SCAN_LOOKUP, &cost, NIL, rel->lateral_relids);
		path->fdw_private = plan_path_private(SCAN_LOOKUP, false, foreach_current_index(lc));
		add_path(rel, (Path *) path);
	}
}

void
cbconnGetForeignPaths(PlannerInfo *root, RelOptInfo *baserel, Oid relid)
{
	FdwRelInfo *info = baserel->fdw_private;

	plan_query_paths(root, baserel, info);
	if (info->query_must)
		return;
	if (info->lookup_clauses != NIL)
	{
		CostEstimate cost;

		cost_lookup(root, baserel, info->lookup_clauses, baserel->rows, &cost);
		add_path(baserel, (Path *) plan_make_path(root, baserel, SCAN_LOOKUP, &cost, NIL, baserel->lateral_relids));
	}
	else
		plan_add_range_paths(root, baserel, info);
	if (keycond_possible(info->table))
		plan_add_parameterized_paths(root, baserel, info);
	if (keycond_possible(info->table) && info->lookup_clauses == NIL)
		plan_add_key_list_paths(root, baserel, info);
}

/* ---- plan ---- */

/* Clauses of the chosen path, sorted out. */
typedef struct PlanClauses
{
	List	   *terms;			/* SCAN_PRIVATE_TERMS */
	List	   *values;			/* fdw_exprs */
	List	   *conditions;		/* what the access path checks or narrows: fdw_recheck_quals */
	List	   *local;			/* what is checked on each row */
} PlanClauses;

/* The clause with the key on the left, for those who read plans. */
static Expr *
plan_condition_to_show(RelOptInfo *rel, const FdwTable *table, Expr *clause)
{
	if (IsA(clause, OpExpr) && list_length(((OpExpr *) clause)->args) == 2 &&
		!keycond_is_key(linitial(((OpExpr *) clause)->args), rel->relid, table->key_attno) &&
		OidIsValid(get_commutator(((OpExpr *) clause)->opno)))
	{
		clause = copyObject(clause);
		CommuteOpExpr((OpExpr *) clause);
	}
	return clause;
}

static void
plan_use_condition(PlanClauses *clauses, KeyClause *condition, Expr *shown)
{
	List	   *ops = NIL;
	ListCell   *lc;

	foreach(lc, condition->terms)
	{
		KeyTerm    *term = lfirst(lc);

		ops = lappend_int(ops, term->op);
		clauses->values = lappend(clauses->values, term->value);
	}
	clauses->terms = lappend(clauses->terms, ops);
	clauses->conditions = lappend(clauses->conditions, shown);
}

static void
plan_sort_clauses(PlannerInfo *root, RelOptInfo *rel, FdwTable *table, ScanAccess access, List *scan_clauses,
				  PlanClauses *clauses)
{
	ListCell   *lc;

	foreach(lc, scan_clauses)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);
		KeyClause  *condition;

		if (rinfo->pseudoconstant)
			continue;
		condition = keycond_match(root, rel, table, rinfo);
		if (condition != NULL && condition->names_keys != (access == SCAN_LOOKUP))
			condition = NULL;
		if (condition != NULL)
			plan_use_condition(clauses, condition, plan_condition_to_show(rel, table, rinfo->clause));
		if (condition == NULL || !condition->exact)
			clauses->local = lappend(clauses->local, rinfo->clause);
	}
}

static void
plan_use_key_list(PlannerInfo *root, RelOptInfo *rel, FdwRelInfo *info, int key_list, PlanClauses *clauses)
{
	Expr	   *condition = keylist_condition(root, rel, info->table, list_nth(info->key_lists, key_list));
	KeyTerm		term = {KEY_ANY, lsecond(((ScalarArrayOpExpr *) condition)->args)};
	KeyClause	clause = {.terms = list_make1(&term), .names_keys = true, .exact = true};

	plan_use_condition(clauses, &clause, condition);
}

void
plan_refuse_system_column(const FdwTable *table, AttrNumber attno)
{
	const FormData_pg_attribute *attr = SystemAttributeDefinition(attno);

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("foreign table \"%s\" has no system column \"%s\"", table->relname, NameStr(attr->attname)),
			 errdetail("Rows of Couchbase have the system column \"tableoid\" only.")));
}

/* System columns that UPDATE and DELETE put the identity of a row into; only they may ask for them. */
static bool
plan_is_identity(PlannerInfo *root, RelOptInfo *rel, AttrNumber attno)
{
	return bms_is_member(rel->relid, root->all_result_relids) &&
		(attno == MinTransactionIdAttributeNumber || attno == MaxTransactionIdAttributeNumber ||
		 attno == MinCommandIdAttributeNumber);
}

List *
plan_columns(PlannerInfo *root, RelOptInfo *rel, const FdwTable *table, List *local, bool *identity)
{
	Bitmapset  *wanted = NULL;
	Bitmapset  *attrs = NULL;
	List	   *columns = NIL;
	int			bit = -1;

	*identity = false;
	pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &wanted);
	pull_varattnos((Node *) local, rel->relid, &attrs);
	while ((bit = bms_next_member(wanted, bit)) >= 0)
	{
		if (plan_is_identity(root, rel, bit + FirstLowInvalidHeapAttributeNumber))
			*identity = true;
		else
			attrs = bms_add_member(attrs, bit);
	}
	bit = -1;
	while ((bit = bms_next_member(attrs, bit)) >= 0)
	{
		AttrNumber	attno = bit + FirstLowInvalidHeapAttributeNumber;

		if (attno == InvalidAttrNumber)
			return list_make1_int(InvalidAttrNumber);
		if (attno > 0)
			columns = lappend_int(columns, attno);
		else if (attno != TableOidAttributeNumber)
			plan_refuse_system_column(table, attno);
	}
	return columns;
}

/* Counts the columns that read a path; -1 when one needs more of the document than a look-up of paths gives. */
static int
plan_count_paths(const FdwTable *table, List *columns)
{
	int			paths = 0;
	ListCell   *lc;

	foreach(lc, columns)
	{
		const FdwColumn *column;

		if (lfirst_int(lc) == InvalidAttrNumber)
			return -1;
		column = &table->columns[lfirst_int(lc) - 1];
		if (column->kind == FDW_COLUMN_DOCUMENT)
			return -1;
		if (column->kind == FDW_COLUMN_META && (column->meta == FDW_META_FLAGS || column->meta == FDW_META_DATATYPE))
			return -1;
		if (column->kind == FDW_COLUMN_PATH)
			paths++;
	}
	return paths;
}

/* Whether a look-up should fetch paths: by the table's option, or because they are few in large documents. */
static bool
plan_wants_paths(const FdwRelInfo *info, List *columns)
{
	int			paths = plan_count_paths(info->table, columns);

	if (paths <= 0 || info->table->lookup == FDW_LOOKUP_OFF || info->table->nfilters > 0)
		return false;
	if (info->table->lookup == FDW_LOOKUP_ON)
		return true;
	return paths <= SCAN_AUTO_MAX_PATHS && info->doc_bytes >= SCAN_AUTO_MIN_BYTES;
}

static bool
plan_keys_suffice(const FdwTable *table, List *columns)
{
	ListCell   *lc;

	if (table->nfilters > 0)
		return false;
	foreach(lc, columns)
	{
		const FdwColumn *column;

		if (lfirst_int(lc) == InvalidAttrNumber)
			return false;
		column = &table->columns[lfirst_int(lc) - 1];
		if (column->kind == FDW_COLUMN_DOCUMENT || column->kind == FDW_COLUMN_PATH ||
			(column->kind == FDW_COLUMN_META && column->meta != FDW_META_VBUCKET))
			return false;
	}
	return true;
}

/* Documents to read for a LIMIT directly above this scan; -1: no such limit. */
static int
plan_limit(PlannerInfo *root, RelOptInfo *rel, ForeignPath *path, List *local)
{
	double		limit = root->limit_tuples;

	if (limit < 0 || !bms_equal(root->all_baserels, rel->relids) ||
		!pathkeys_contained_in(root->query_pathkeys, path->path.pathkeys))
		return -1;
	if (local != NIL || ((FdwRelInfo *) rel->fdw_private)->table->nfilters > 0)
	{
		FdwRelInfo *info = rel->fdw_private;

		limit *= Max(cost_range_documents(root, rel, info->range_clauses) / rel->rows, 1);
	}
	return limit < PG_INT32_MAX ? (int) ceil(limit) : -1;
}

ForeignScan *
cbconnGetForeignPlan(PlannerInfo *root, RelOptInfo *baserel, Oid relid, ForeignPath *best_path, List *tlist,
					 List *scan_clauses, Plan *outer_plan)
{
	FdwRelInfo *info = baserel->fdw_private;
	ScanAccess	access = (ScanAccess) intVal(linitial(best_path->fdw_private));
	PlanClauses clauses = {NIL, NIL, NIL, NIL};
	List	   *columns;
	bool		identity;
	int			flags = 0;

	if (access == SCAN_QUERY)
		return plan_query_make(root, baserel, best_path, tlist, scan_clauses, outer_plan);
	plan_sort_clauses(root, baserel, info->table, access, scan_clauses, &clauses);
	if (intVal(lthird(best_path->fdw_private)) >= 0)
		plan_use_key_list(root, baserel, info, intVal(lthird(best_path->fdw_private)), &clauses);
	columns = plan_columns(root, baserel, info->table, clauses.local, &identity);
	if (intVal(lsecond(best_path->fdw_private)))
		flags |= SCAN_FLAG_ORDERED;
	if (identity)
		flags |= SCAN_FLAG_IDENTITY;
	else if (plan_keys_suffice(info->table, columns))
		flags |= SCAN_FLAG_KEYS_ONLY;
	if (access == SCAN_LOOKUP && plan_wants_paths(info, columns))
		flags |= SCAN_FLAG_PATHS;

	return make_foreignscan(tlist, clauses.local, baserel->relid, clauses.values,
							list_make5(makeInteger(access), columns, clauses.terms, makeInteger(flags),
									   makeInteger(plan_limit(root, baserel, best_path, clauses.local))),
							NIL, clauses.conditions, outer_plan);
}

/* ---- row locks ---- */

/* A lock that would protect nothing is refused rather than ignored; rows of joins are kept for EvalPlanQual. */
RowMarkType
cbconnGetForeignRowMarkType(RangeTblEntry *rte, LockClauseStrength strength)
{
	if (strength != LCS_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot lock rows of foreign table \"%s\"", get_rel_name(rte->relid)),
				 errdetail("Couchbase documents are not locked by SELECT FOR UPDATE or FOR SHARE."),
				 errhint("To lock rows of other tables of the query, name them in FOR UPDATE OF.")));
	return ROW_MARK_COPY;
}
