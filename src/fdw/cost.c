/*
 * cost.c
 *		Costs of the access paths.
 *
 * fdw_startup_cost is the cost of one round trip, fdw_tuple_cost that of one document of a range scan. The ratios
 * below were measured against a data service (7.6, loopback): it scans 60,000 to 80,000 documents a second, answers
 * 42,000 pipelined gets, and needs 0.3 to 0.5 ms to open the scan of one vBucket.
 */
#include "plan.h"

#include <math.h>

#include "optimizer/cost.h"
#include "optimizer/optimizer.h"

#include "compat.h"

/* Documents that a range scan reads in the time of one get, and of opening one vBucket. */
#define COST_GET_DOCUMENTS		1.7
#define COST_OPEN_DOCUMENTS		25.0

/*
 * Documents that a vBucket sends at once: an ordered scan has as many of each before it knows the first. So many scans
 * stay open; with more vBuckets a scan is opened anew for each further piece, which takes three times as long.
 */
#define COST_FIRST_DOCUMENTS	16.0
#define COST_OPEN_SCANS			128
#define COST_REOPEN_FACTOR		3.0

/*
 * The query service fetches 27,000 to 30,000 documents a second and needs 20 to 40 ms to its first row. What it needs
 * to find them without an index is what a range scan needs; how often it has one is a guess.
 */
#define COST_QUERY_DOCUMENTS	2.5
#define COST_QUERY_TRIPS		4.0
#define COST_QUERY_FIND			0.5

/* Round trips that a parallel worker needs to connect. */
#define COST_CONNECT_TRIPS		10.0

static double
cost_term_keys(PlannerInfo *root, const KeyTerm *term)
{
	return term->op == KEY_ANY ? Max(compat_array_length(root, (Node *) term->value), 1) : 1;
}

double
cost_key_count(PlannerInfo *root, List *lookup_clauses)
{
	double		fewest = -1;
	ListCell   *lc;

	foreach(lc, lookup_clauses)
	{
		double		keys = 0;
		ListCell   *term;

		foreach(term, ((KeyClause *) lfirst(lc))->terms)
			keys += cost_term_keys(root, lfirst(term));
		if (fewest < 0 || keys < fewest)
			fewest = keys;
	}
	return Max(fewest, 1);
}

/* Adds what PostgreSQL does itself: checks local conditions on each document, computes target columns of each row. */
static void
cost_add_local(PlannerInfo *root, RelOptInfo *rel, double documents, double rows, CostEstimate *cost)
{
	cost->rows = rows;
	cost->startup += rel->baserestrictcost.startup + rel->reltarget->cost.startup;
	cost->total += rel->baserestrictcost.startup + rel->reltarget->cost.startup;
	cost->total += (cpu_tuple_cost + rel->baserestrictcost.per_tuple) * documents;
	cost->total += rel->reltarget->cost.per_tuple * rows;
}

void
cost_lookup(PlannerInfo *root, RelOptInfo *rel, List *lookup_clauses, double rows, CostEstimate *cost)
{
	FdwTable   *table = ((FdwRelInfo *) rel->fdw_private)->table;
	double		keys = cost_key_count(root, lookup_clauses);

	cost->startup = table->startup_cost;
	cost->total = table->startup_cost + keys * table->tuple_cost * COST_GET_DOCUMENTS;
	cost_add_local(root, rel, keys, clamp_row_est(Min(rows, keys)), cost);
}

void
cost_key_list(PlannerInfo *root, RelOptInfo *rel, const KeyList *keys, CostEstimate *cost)
{
	FdwTable   *table = ((FdwRelInfo *) rel->fdw_private)->table;

	cost->startup = keys->path->total_cost + table->startup_cost;
	cost->total = cost->startup + keys->count * table->tuple_cost * COST_GET_DOCUMENTS;
	cost_add_local(root, rel, keys->count, clamp_row_est(Min(rel->rows, keys->count)), cost);
}

double
cost_range_documents(PlannerInfo *root, RelOptInfo *rel, List *range_clauses)
{
	List	   *clauses = NIL;
	ListCell   *lc;

	foreach(lc, range_clauses)
		clauses = lappend(clauses, ((KeyClause *) lfirst(lc))->rinfo);
	return clamp_row_est(rel->tuples * clauselist_selectivity(root, clauses, rel->relid, JOIN_INNER, NULL));
}

/* The leader has other work than scanning: as costsize.c counts it. */
static double
cost_participants(int workers)
{
	double		leader = parallel_leader_participation ? 1.0 - 0.3 * workers : 0;

	return workers + Max(leader, 0);
}

void
cost_range(PlannerInfo *root, RelOptInfo *rel, List *range_clauses, double rows, bool ordered, int workers,
		   CostEstimate *cost)
{
	FdwRelInfo *info = rel->fdw_private;
	double		share = workers > 0 ? cost_participants(workers) : 1;
	double		documents = cost_range_documents(root, rel, range_clauses) / share;
	double		open = info->vbuckets * info->table->tuple_cost * COST_OPEN_DOCUMENTS / share;
	double		transfer = documents * info->table->tuple_cost;

	cost->startup = info->table->startup_cost;
	if (workers > 0)
		cost->startup *= COST_CONNECT_TRIPS;
	cost->total = cost->startup + open + transfer;
	if (ordered)
	{
		double		first = Min(transfer, info->vbuckets * COST_FIRST_DOCUMENTS * info->table->tuple_cost);

		cost->startup += open + first;
		if (info->vbuckets > COST_OPEN_SCANS)
			cost->total += (transfer - first) * (COST_REOPEN_FACTOR - 1);
		cost->total += documents * log2(Max(Min(info->vbuckets, documents), 2)) * 0.5 * cpu_operator_cost;
	}
	cost_add_local(root, rel, documents, clamp_row_est(rows / share), cost);
}

void
cost_query(PlannerInfo *root, RelOptInfo *rel, double selected, double rows, bool sorted, CostEstimate *cost)
{
	FdwRelInfo *info = rel->fdw_private;
	FdwTable   *table = info->table;
	double		find = (info->vbuckets * COST_OPEN_DOCUMENTS + rel->tuples) * table->tuple_cost * COST_QUERY_FIND;
	double		transfer = selected * table->tuple_cost * COST_QUERY_DOCUMENTS;

	cost->startup = table->startup_cost * COST_QUERY_TRIPS;
	cost->total = cost->startup + find + transfer;
	if (sorted)
	{
		cost->total += selected * log2(Max(selected, 2)) * 0.5 * cpu_operator_cost;
		cost->startup = cost->total - selected * table->tuple_cost * 0.5;
	}
	cost_add_local(root, rel, selected, rows, cost);
}
