/*
 * plan_order.c
 *		ORDER BY in SQL++: values whose order there is PostgreSQL's. The service sorts missing values before null ones,
 *		and other types around a column's own, so keys are values that have made NULL of them all.
 */
#include "plan_query.h"

#include "catalog/pg_operator_d.h"
#include "catalog/pg_opfamily_d.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "utils/lsyscache.h"

#include "compat.h"

/* The member of a class that this relation can compute; NULL: none. */
static Expr *
order_member(EquivalenceClass *ec, RelOptInfo *rel)
{
	ListCell   *lc;

	if (ec->ec_has_volatile)
		return NULL;
	foreach(lc, ec->ec_members)
	{
		EquivalenceMember *member = lfirst(lc);

		if (!member->em_is_const && !bms_is_empty(member->em_relids) && bms_is_subset(member->em_relids, rel->relids))
			return member->em_expr;
	}
	return NULL;
}

static bool
order_is_shared(const ShipValue *value, const PathKey *pathkey)
{
	Oid			collation = pathkey->pk_eclass->ec_collation;

	switch (value->kind)
	{
		case SHIP_INT:
			return pathkey->pk_opfamily == INTEGER_BTREE_FAM_OID || pathkey->pk_opfamily == OID_BTREE_FAM_OID;
		case SHIP_FLOAT:
			return get_opfamily_member(pathkey->pk_opfamily, FLOAT8OID, FLOAT8OID, BTLessStrategyNumber) ==
				Float8LessOperator;
		case SHIP_BOOL:
			return pathkey->pk_opfamily == BOOL_BTREE_FAM_OID;
		case SHIP_TEXT:
			return pathkey->pk_opfamily == TEXT_PATTERN_BTREE_FAM_OID ||
				(pathkey->pk_opfamily == TEXT_BTREE_FAM_OID && ship_text_order(collation));
		default:
			return false;
	}
}

/* Whether one of the conditions leaves only rows in which the column has a value. */
static bool
order_is_guarded(Expr *expr, List *exact)
{
	ListCell   *lc;

	foreach(lc, exact)
	{
		Node	   *clause = lfirst(lc);

		if (IsA(clause, OpExpr) && op_strict(((OpExpr *) clause)->opno) &&
			(equal(linitial(((OpExpr *) clause)->args), expr) || equal(llast(((OpExpr *) clause)->args), expr)))
			return true;
		if (IsA(clause, NullTest) && ((NullTest *) clause)->nulltesttype == IS_NOT_NULL &&
			equal(((NullTest *) clause)->arg, expr))
			return true;
	}
	return false;
}

static const char *
order_text(Ship *ship, RelOptInfo *rel, PathKey *pathkey, List *exact)
{
	Expr	   *expr = order_member(pathkey->pk_eclass, rel);
	ShipValue	value;
	const char *text;

	if (expr == NULL || !ship_value(ship, (Node *) expr, &value) || value.class != SHIP_EXACT ||
		!order_is_shared(&value, pathkey))
		return NULL;
	text = ship_value_text(ship, &value);
	/* a bare path lets the service use an index's order */
	if (value.column != NULL && value.kind != SHIP_FLOAT && order_is_guarded(expr, exact))
		text = value.column->path;
	if (text == NULL)
		return NULL;
	return psprintf("%s %s NULLS %s", text, compat_pathkey_is_ascending(pathkey) ? "ASC" : "DESC",
					pathkey->pk_nulls_first ? "FIRST" : "LAST");
}

bool
plan_order_texts(Ship *ship, RelOptInfo *rel, List *pathkeys, List *exact, List **texts)
{
	ListCell   *lc;

	*texts = NIL;
	foreach(lc, pathkeys)
	{
		const char *text = order_text(ship, rel, lfirst(lc), exact);

		if (text == NULL)
			return false;
		*texts = lappend(*texts, (void *) text);
	}
	return true;
}
