/*
 * plan_query.h
 *		Scans through the query service: what the planner's files share.
 */
#ifndef CBCONN_PLAN_QUERY_H
#define CBCONN_PLAN_QUERY_H

#include "ship.h"

/* A statement to be written. */
typedef struct QuerySelect
{
	List	   *items;			/* IntList of QueryItem */
	List	   *columns;		/* attnums whose paths QUERY_ITEM_PATHS stands for */
	List	   *conditions;		/* texts, ANDed */
	List	   *order;			/* texts */
	double		limit;			/* -1: none */
} QuerySelect;

/* ---- deparse.c ---- */

/* What a row must hold for these columns; false when the query service cannot give one of them. */
extern bool deparse_items(const FdwTable *table, List *columns, List **items);

extern void deparse_keyspace(const FdwTable *table, StringInfo out);
extern char *deparse_scan(Ship *ship, RelOptInfo *rel, const QuerySelect *select);

/* ---- plan_query.c ---- */

/* Finds out which restrictions can be sent, and whether a scan through the query service is possible at all. */
extern void plan_query_prepare(PlannerInfo *root, RelOptInfo *rel, FdwRelInfo *info);

/* Adds the paths through the query service: alone, or where they cost less than those through the data service. */
extern void plan_query_paths(PlannerInfo *root, RelOptInfo *rel, FdwRelInfo *info);

extern ForeignScan *plan_query_make(PlannerInfo *root, RelOptInfo *rel, ForeignPath *path, List *tlist,
									List *scan_clauses, Plan *outer_plan);

/* ---- plan_order.c ---- */

/* The texts of ORDER BY for these pathkeys, or false. exact: conditions that were sent as they are, if known. */
extern bool plan_order_texts(Ship *ship, RelOptInfo *rel, List *pathkeys, List *exact, List **texts);

/* ---- service.c ---- */

/*
 * Version of the cluster's query service, 0 if it has none that answers. Asked at most once a minute per server and
 * user; planning never fails for that.
 */
extern int	service_version(const FdwTable *table, Oid userid);

#endif							/* CBCONN_PLAN_QUERY_H */
