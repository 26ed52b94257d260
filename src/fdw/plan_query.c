/*
 * plan_query.c
 *		Scans through the query service: which conditions it checks, what such a scan costs, its statement.
 *
 * The service knows no vBuckets; what UPDATE and DELETE change is found by the data service.
 * Look-ups by key stay with the data
 * service, and so do scans without a condition that can be sent, unless the table says "query".
 */
#include "plan_query.h"

#include <math.h>

#include "nodes/makefuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"

#include "compat.h"
#include "filter.h"

/* What is taken for the version when nobody asked. */
#define NEWEST_VERSION 80000

/* The share of documents up to which conditions count as selective. */
#define QUERY_SELECTIVE 0.35

/* ---- what can be sent ---- */

static bool
query_may_send(RelOptInfo *rel, RestrictInfo *rinfo)
{
	return guc_enable_condition_pushdown && !rinfo->pseudoconstant && restriction_is_securely_promotable(rinfo, rel);
}

/* How much of a clause can be sent. */
static ShipClass
query_classify(PlannerInfo *root, RelOptInfo *rel, int version, RestrictInfo *rinfo)
{
	Ship		ship;
	ShipClass	class;

	if (!query_may_send(rel, rinfo))
		return SHIP_NEVER;
	ship_init(&ship, root, rel->relids, version);
	(void) ship_condition(&ship, (Node *) rinfo->clause, false, &class);
	return class;
}

static void
query_sort_clauses(PlannerInfo *root, RelOptInfo *rel, FdwRelInfo *info)
{
	ListCell   *lc;

	info->query_clauses = NIL;
	info->query_exact = true;
	foreach(lc, rel->baserestrictinfo)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);
		ShipClass	class = query_classify(root, rel, info->query_version, rinfo);

		if (class != SHIP_NEVER)
			info->query_clauses = lappend(info->query_clauses, rinfo);
		if (class != SHIP_EXACT && !rinfo->pseudoconstant)
			info->query_exact = false;
	}
}

void
plan_query_prepare(PlannerInfo *root, RelOptInfo *rel, FdwRelInfo *info)
{
	const FdwTable *table = info->table;
	bool		must = table->access == FDW_ACCESS_QUERY;
	List	   *columns;
	List	   *items;
	bool		identity;

	info->query_version = NEWEST_VERSION;
	if (!must && (table->access != FDW_ACCESS_AUTO || !guc_enable_query))
		return;
	/* columns of all conditions count, as all may be checked here */
	columns = plan_columns(root, rel, table, extract_actual_clauses(rel->baserestrictinfo, false), &identity);
	if (identity)
		return;
	info->query_possible = deparse_items(table, columns, &items);
	info->query_must = must;
	if (must && !info->query_possible)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("foreign table \"%s\" cannot be read through the query service here", table->relname),
				 errdetail("The service gives no sequence numbers, vBuckets, datatypes and documents that are not "
						   "JSON, and not expiry and flags together."),
				 errhint("Set the option \"access\" of the foreign table to \"auto\" or \"kv\".")));
	if (info->query_possible)
		query_sort_clauses(root, rel, info);
}

/* ---- paths ---- */

/* Rows that the service selects by these clauses. */
static double
query_selected(PlannerInfo *root, RelOptInfo *rel, List *clauses)
{
	return clamp_row_est(rel->tuples * clauselist_selectivity(root, clauses, rel->relid, JOIN_INNER, NULL));
}

static void
query_add_path(PlannerInfo *root, RelOptInfo *rel, const CostEstimate *cost, List *pathkeys, Relids required_outer)
{
	ForeignPath *path = compat_foreignscan_path(root, rel, cost->rows, cost->startup, cost->total, pathkeys,
												required_outer, list_make1(makeInteger(SCAN_QUERY)));

	/* workers do not know what the transaction has written, which the service must have seen */
	path->path.parallel_safe = false;
	add_path(rel, (Path *) path);
}

static void
query_add_base_paths(PlannerInfo *root, RelOptInfo *rel, FdwRelInfo *info)
{
	double		selected = query_selected(root, rel, info->query_clauses);
	CostEstimate cost;
	Ship		ship;
	List	   *texts;

	cost_query(root, rel, selected, rel->rows, false, &cost);
	query_add_path(root, rel, &cost, NIL, rel->lateral_relids);

	ship_init(&ship, root, rel->relids, info->query_version);
	if (!guc_enable_sort_pushdown || root->query_pathkeys == NIL ||
		!plan_order_texts(&ship, rel, root->query_pathkeys, NIL, &texts))
		return;
	cost_query(root, rel, selected, rel->rows, true, &cost);
	query_add_path(root, rel, &cost, root->query_pathkeys, rel->lateral_relids);
}

/* ---- the inner side of joins ---- */

/* Looks for the columns of a relation that other relations' are equal to, one after the other. */
typedef struct MemberSearch
{
	Expr	   *current;		/* the one being looked at */
	List	   *done;
} MemberSearch;

static bool
query_member_matches(PlannerInfo *root, RelOptInfo *rel, EquivalenceClass *ec, EquivalenceMember *em, void *arg)
{
	MemberSearch *search = arg;
	Expr	   *expr = em->em_expr;

	if (search->current != NULL)
		return equal(expr, search->current);
	if (list_member(search->done, expr))
		return false;
	search->current = expr;
	return true;
}

/* Join clauses, and equalities that equivalence classes imply. */
static List *
query_join_clauses(PlannerInfo *root, RelOptInfo *rel)
{
	MemberSearch search = {NULL, NIL};
	List	   *clauses = NIL;
	ListCell   *lc;

	foreach(lc, rel->joininfo)
	{
		if (join_clause_is_movable_to(lfirst_node(RestrictInfo, lc), rel))
			clauses = lappend(clauses, lfirst(lc));
	}
	while (rel->has_eclass_joins)
	{
		search.current = NULL;
		clauses = list_concat(clauses, generate_implied_equalities_for_column(root, rel, query_member_matches, &search,
																			  rel->lateral_referencers));
		if (search.current == NULL)
			break;
		search.done = lappend(search.done, search.current);
	}
	return clauses;
}

/* The sets of outer relations whose columns clauses need that can be sent, each once. */
static List *
query_parameterizations(PlannerInfo *root, RelOptInfo *rel, int version)
{
	List	   *infos = NIL;
	ListCell   *lc;

	foreach(lc, query_join_clauses(root, rel))
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);
		Relids		outer = bms_union(rinfo->clause_relids, rel->lateral_relids);

		outer = bms_del_member(outer, rel->relid);
		if (bms_is_empty(outer) || query_classify(root, rel, version, rinfo) == SHIP_NEVER)
			continue;
		infos = list_append_unique_ptr(infos, get_baserel_parampathinfo(root, rel, outer));
	}
	return infos;
}

static void
query_add_inner_paths(PlannerInfo *root, RelOptInfo *rel, FdwRelInfo *info, List *infos)
{
	ListCell   *lc;

	foreach(lc, infos)
	{
		ParamPathInfo *ppi = lfirst(lc);
		List	   *sent = list_copy(info->query_clauses);
		CostEstimate cost;
		ListCell   *clause;

		foreach(clause, ppi->ppi_clauses)
		{
			if (query_classify(root, rel, info->query_version, lfirst(clause)) != SHIP_NEVER)
				sent = lappend(sent, lfirst(clause));
		}
		cost_query(root, rel, query_selected(root, rel, sent), ppi->ppi_rows, false, &cost);
		query_add_path(root, rel, &cost, NIL, ppi->ppi_req_outer);
	}
}

/* ---- choosing ---- */

/* Whether the service would check more than the bounds of a range scan. */
static bool
query_checks_more(const FdwRelInfo *info)
{
	ListCell   *lc;

	foreach(lc, info->query_clauses)
	{
		ListCell   *other;

		foreach(other, info->range_clauses)
		{
			if (((KeyClause *) lfirst(other))->rinfo == lfirst(lc))
				break;
		}
		if (other == NULL)
			return true;
	}
	return false;
}

/* Whether asking the service may pay; the answer of a cluster that has none is remembered. */
static bool
query_may_pay(PlannerInfo *root, RelOptInfo *rel, FdwRelInfo *info)
{
	CostEstimate query;
	CostEstimate range;

	if (info->lookup_clauses != NIL || !query_checks_more(info) ||
		query_selected(root, rel, info->query_clauses) > rel->tuples * QUERY_SELECTIVE)
		return false;
	cost_query(root, rel, query_selected(root, rel, info->query_clauses), rel->rows, false, &query);
	cost_range(root, rel, info->range_clauses, rel->rows, false, 0, &range);
	return query.total < range.total;
}

void
plan_query_paths(PlannerInfo *root, RelOptInfo *rel, FdwRelInfo *info)
{
	bool		must = info->query_must;
	bool		base = info->query_possible && (must || query_may_pay(root, rel, info));
	List	   *infos = NIL;
	int			version;

	if (info->query_possible && guc_enable_parameter_pushdown)
		infos = query_parameterizations(root, rel, info->query_version);
	if (!base && infos == NIL)
		return;
	version = service_version(info->table, info->userid);
	if (version == 0 && !must)
		return;
	if (version != 0 && version != info->query_version)
	{
		info->query_version = version;
		query_sort_clauses(root, rel, info);
		infos = guc_enable_parameter_pushdown ? query_parameterizations(root, rel, version) : NIL;
	}
	if (base)
		query_add_base_paths(root, rel, info);
	query_add_inner_paths(root, rel, info, infos);
}

/* ---- plan ---- */

typedef struct QueryClauses
{
	List	   *texts;			/* sent */
	List	   *exact;			/* of those: not checked here; fdw_recheck_quals */
	List	   *local;			/* checked here */
} QueryClauses;

/* The table's filter, as further conditions. */
static List *
query_filter(Ship *ship, RelOptInfo *rel, const FdwTable *table)
{
	List	   *texts = NIL;

	for (int i = 0; i < table->nfilters; i++)
	{
		const FdwFilter *filter = &table->filters[i];

		texts = lappend(texts, psprintf("%s = %s", ship_path(rel->relid, filter->path),
										ship_param(ship, (Expr *) filter_constant(filter), SHIP_AS_VALUE)));
	}
	return texts;
}

static void
query_write_clauses(Ship *ship, RelOptInfo *rel, List *scan_clauses, QueryClauses *clauses)
{
	ListCell   *lc;

	foreach(lc, scan_clauses)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);
		ShipClass	class = SHIP_NEVER;
		const char *text = NULL;

		if (rinfo->pseudoconstant)
			continue;
		if (query_may_send(rel, rinfo))
			text = ship_condition(ship, (Node *) rinfo->clause, false, &class);
		if (text != NULL)
			clauses->texts = lappend(clauses->texts, (void *) text);
		if (class == SHIP_EXACT)
			clauses->exact = lappend(clauses->exact, rinfo->clause);
		else
			clauses->local = lappend(clauses->local, rinfo->clause);
	}
}

/* Whether LIMIT or OFFSET is absent or the same in each execution: the planner estimates others. */
static bool
query_limit_is_fixed(Node *count)
{
	return count == NULL || (IsA(count, Const) && !((Const *) count)->constisnull);
}

/* Rows that a LIMIT directly above leaves: it is sent when nothing is checked here, and the order is the query's. */
static double
query_limit(PlannerInfo *root, RelOptInfo *rel, ForeignPath *path, List *local)
{
	if (root->parse->limitOption != LIMIT_OPTION_COUNT || !query_limit_is_fixed(root->parse->limitCount) ||
		!query_limit_is_fixed(root->parse->limitOffset))
		return -1;
	if (!guc_enable_limit_pushdown || local != NIL || root->limit_tuples < 0 ||
		!bms_equal(root->all_baserels, rel->relids) ||
		!pathkeys_contained_in(root->query_pathkeys, path->path.pathkeys) || root->limit_tuples > 1e15)
		return -1;
	return ceil(root->limit_tuples);
}

static const char *
query_reason(const FdwTable *table, const QueryClauses *clauses)
{
	if (table->access == FDW_ACCESS_QUERY)
		return "option access";
	return clauses->local == NIL ? "conditions are checked remotely" : "conditions are checked remotely in part";
}

static void
query_take_params(const Ship *ship, List **exprs, List **encodes)
{
	ListCell   *lc;

	foreach(lc, ship->params)
	{
		ShipParam  *param = lfirst(lc);

		*exprs = lappend(*exprs, param->expr);
		*encodes = lappend_int(*encodes, param->encode);
	}
}

ForeignScan *
plan_query_make(PlannerInfo *root, RelOptInfo *rel, ForeignPath *path, List *tlist, List *scan_clauses,
				Plan *outer_plan)
{
	FdwRelInfo *info = rel->fdw_private;
	QueryClauses clauses = {NIL, NIL, NIL};
	QuerySelect select = {.limit = -1};
	List	   *private;
	List	   *exprs = NIL;
	List	   *encodes = NIL;
	bool		identity;
	Ship		ship;

	ship_init(&ship, root, rel->relids, info->query_version);
	clauses.texts = query_filter(&ship, rel, info->table);
	query_write_clauses(&ship, rel, scan_clauses, &clauses);
	select.conditions = clauses.texts;
	select.columns = plan_columns(root, rel, info->table, clauses.local, &identity);
	if (identity || !deparse_items(info->table, select.columns, &select.items) ||
		!plan_order_texts(&ship, rel, path->path.pathkeys, clauses.exact, &select.order))
		elog(ERROR, "scan through the query service was planned but cannot be written");
	select.limit = query_limit(root, rel, path, clauses.local);

	private = list_make5(makeInteger(SCAN_QUERY), select.columns, NIL, makeInteger(0), makeInteger(-1));
	private = lappend(private, makeString(deparse_scan(&ship, rel, &select)));
	private = lappend(private, select.items);
	query_take_params(&ship, &exprs, &encodes);
	private = lappend(private, encodes);
	private = lappend(private, makeString(pstrdup(query_reason(info->table, &clauses))));
	return make_foreignscan(tlist, clauses.local, rel->relid, exprs, private, NIL, clauses.exact, outer_plan);
}
