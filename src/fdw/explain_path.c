/*
 * explain_path.c
 *		Finds the way from the top of a plan to one of its nodes: EXPLAIN does not tell it to foreign-data wrappers, and
 *		without it parameters cannot be shown as the columns they stand for.
 */
#include "explain_path.h"

#include "nodes/nodeFuncs.h"
#include "nodes/primnodes.h"

typedef struct PlanSearch
{
	PlannedStmt *stmt;
	Plan	   *target;
	List	   *ancestors;		/* of the plan being looked at */
	List	   *found;
} PlanSearch;

static bool search_plan(PlanSearch *search, Plan *plan);

static bool
search_list(PlanSearch *search, List *plans)
{
	ListCell   *lc;

	foreach(lc, plans)
	{
		if (search_plan(search, lfirst(lc)))
			return true;
	}
	return false;
}

static bool
search_subplan(PlanSearch *search, SubPlan *subplan)
{
	List	   *saved = search->ancestors;
	bool		found;

	search->ancestors = lcons(subplan, list_copy(saved));
	found = search_plan(search, list_nth(search->stmt->subplans, subplan->plan_id - 1));
	search->ancestors = saved;
	return found;
}

static bool
search_expression(Node *node, void *arg)
{
	if (node == NULL)
		return false;
	if (IsA(node, SubPlan) && search_subplan(arg, (SubPlan *) node))
		return true;
	return expression_tree_walker(node, search_expression, arg);
}

/* Plans that a node keeps elsewhere than in its left and right tree, and conditions of its own. */
static bool
search_special(PlanSearch *search, Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_Append:
			return search_list(search, ((Append *) plan)->appendplans);
		case T_MergeAppend:
			return search_list(search, ((MergeAppend *) plan)->mergeplans);
		case T_SubqueryScan:
			return search_plan(search, ((SubqueryScan *) plan)->subplan);
		case T_CustomScan:
			return search_list(search, ((CustomScan *) plan)->custom_plans);
		case T_Result:
			return search_expression(((Result *) plan)->resconstantqual, search);
		case T_NestLoop:
		case T_MergeJoin:
		case T_HashJoin:
			return search_expression((Node *) ((Join *) plan)->joinqual, search);
		default:
			return false;
	}
}

static bool
search_children(PlanSearch *search, Plan *plan)
{
	ListCell   *lc;

	foreach(lc, plan->initPlan)
	{
		if (search_subplan(search, lfirst(lc)))
			return true;
	}
	return search_plan(search, plan->lefttree) ||
		search_plan(search, plan->righttree) ||
		search_special(search, plan) ||
		search_expression((Node *) plan->targetlist, search) ||
		search_expression((Node *) plan->qual, search);
}

static bool
search_plan(PlanSearch *search, Plan *plan)
{
	List	   *saved = search->ancestors;
	bool		found;

	if (plan == NULL)
		return false;
	if (plan == search->target)
	{
		search->found = saved;
		return true;
	}
	search->ancestors = lcons(plan, list_copy(saved));
	found = search_children(search, plan);
	search->ancestors = saved;
	return found;
}

List *
explain_ancestors(PlannedStmt *stmt, Plan *target)
{
	PlanSearch	search = {stmt, target, NIL, NIL};

	search_plan(&search, stmt->planTree);
	return search.found;
}
