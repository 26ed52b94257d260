/*
 * explain_path.h
 *		The way from the top of a plan to one of its nodes.
 */
#ifndef CBCONN_EXPLAIN_PATH_H
#define CBCONN_EXPLAIN_PATH_H

#include "postgres.h"

#include "nodes/plannodes.h"

/*
 * The ancestors of target, nearest first, as EXPLAIN itself keeps them to resolve parameters: Plan nodes, and
 * SubPlan nodes where a subplan begins. NIL also when target is not found.
 */
extern List *explain_ancestors(PlannedStmt *stmt, Plan *target);

#endif							/* CBCONN_EXPLAIN_PATH_H */
