/*
 * ship_condition.c
 *		Conditions in SQL++. NOT is pushed down to the leaves first, which is valid in three-valued logic; each leaf is
 *		then TRUE exactly when PostgreSQL's is, so that FALSE, NULL and MISSING need no telling apart.
 *
 * As there is no NOT left, a leaf that is TRUE more often leaves the whole TRUE more often: a part of an AND that
 * cannot be sent is dropped, and the condition checked again here. An OR cannot lose a part.
 */
#include "ship.h"

#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "compat.h"

void
ship_init(Ship *ship, PlannerInfo *root, Relids relids, int available)
{
	memset(ship, 0, sizeof(*ship));
	ship->root = root;
	ship->relids = relids;
	ship->available = available;
}

const char *
ship_join(List *texts, const char *word)
{
	StringInfoData buf;
	ListCell   *lc;

	if (list_length(texts) == 1)
		return linitial(texts);
	initStringInfo(&buf);
	foreach(lc, texts)
		appendStringInfo(&buf, "%s%s%s", foreach_current_index(lc) > 0 ? " " : "(",
						 foreach_current_index(lc) > 0 ? psprintf("%s ", word) : "", (char *) lfirst(lc));
	appendStringInfoChar(&buf, ')');
	return buf.data;
}

/* A part of an AND or OR, which is not computed where another part has decided. */
static const char *
condition_part(Ship *ship, Node *node, bool negated, ShipClass *class)
{
	const char *text;

	ship->guards++;
	text = ship_condition(ship, node, negated, class);
	ship->guards--;
	return text;
}

static const char *
condition_and(Ship *ship, List *args, bool negated, ShipClass *class)
{
	List	   *texts = NIL;
	ListCell   *lc;

	*class = SHIP_EXACT;
	foreach(lc, args)
	{
		ShipClass	part;
		const char *text = condition_part(ship, lfirst(lc), negated, &part);

		*class = Min(*class, text != NULL ? part : SHIP_SUPERSET);
		if (text == NULL || strcmp(text, "TRUE") == 0)
			continue;
		if (strcmp(text, "FALSE") == 0)
		{
			*class = SHIP_EXACT;
			return text;
		}
		texts = lappend(texts, (void *) text);
	}
	if (texts == NIL)
		return *class == SHIP_EXACT ? "TRUE" : NULL;
	return ship_join(texts, "AND");
}

static const char *
condition_or(Ship *ship, List *args, bool negated, ShipClass *class)
{
	List	   *texts = NIL;
	ListCell   *lc;

	*class = SHIP_EXACT;
	foreach(lc, args)
	{
		ShipClass	part;
		const char *text = condition_part(ship, lfirst(lc), negated, &part);

		if (text == NULL)
			return NULL;
		if (strcmp(text, "FALSE") == 0)
			continue;
		texts = lappend(texts, (void *) text);
		*class = Min(*class, part);
	}
	return texts != NIL ? ship_join(texts, "OR") : "FALSE";
}

static const char *
condition_bool(Ship *ship, BoolExpr *node, bool negated, ShipClass *class)
{
	if (node->boolop == NOT_EXPR)
		return ship_condition(ship, linitial(node->args), !negated, class);
	if ((node->boolop == AND_EXPR) != negated)
		return condition_and(ship, node->args, negated, class);
	return condition_or(ship, node->args, negated, class);
}

/* What is known before the scan starts is computed here. */
static const char *
condition_param(Ship *ship, Node *node, bool negated, ShipClass *class)
{
	*class = SHIP_EXACT;
	if (IsA(node, Const))
	{
		Const	   *constant = (Const *) node;

		return !constant->constisnull && DatumGetBool(constant->constvalue) != negated ? "TRUE" : "FALSE";
	}
	return psprintf("(%s = %s)", ship_param(ship, (Expr *) node, SHIP_AS_VALUE), negated ? "FALSE" : "TRUE");
}

static const char *
condition_null_test(Ship *ship, NullTest *node, bool negated, ShipClass *class)
{
	bool		is_null = (node->nulltesttype == IS_NULL) != negated;
	ShipValue	value;

	if (node->argisrow || type_is_rowtype(exprType((Node *) node->arg)) ||
		!ship_value(ship, (Node *) node->arg, &value))
	{
		ShipColumn	column;

		/* arrays of arrays and what else is no value here may still be there */
		if (is_null || !IsA(node->arg, Var) || !ship_column(ship, (Var *) node->arg, &column))
			return NULL;
		return ship_column_present(&column, class);
	}
	if (value.column != NULL)
		return is_null ? ship_column_absent(value.column, class) : ship_column_present(value.column, class);
	if (value.class != SHIP_EXACT || ship_value_text(ship, &value) == NULL)
		return NULL;
	*class = SHIP_EXACT;
	return psprintf("(%s %s)", value.text, is_null ? "IS NOT VALUED" : "IS VALUED");
}

static Expr *
condition_make_null_test(Ship *ship, Expr *arg, NullTestType type)
{
	NullTest   *test = makeNode(NullTest);

	test->arg = arg;
	test->nulltesttype = type;
	test->location = -1;
	return (Expr *) eval_const_expressions(ship->root, (Node *) test);
}

static const char *
condition_boolean_test(Ship *ship, BooleanTest *node, bool negated, ShipClass *class)
{
	BoolTestType type = node->booltesttype;
	Expr	   *arg = node->arg;
	Expr	   *null = condition_make_null_test(ship, arg, IS_NULL);

	if (negated)
	{
		static const BoolTestType opposite[] = {
			[IS_TRUE] = IS_NOT_TRUE, [IS_NOT_TRUE] = IS_TRUE, [IS_FALSE] = IS_NOT_FALSE, [IS_NOT_FALSE] = IS_FALSE,
			[IS_UNKNOWN] = IS_NOT_UNKNOWN, [IS_NOT_UNKNOWN] = IS_UNKNOWN
		};

		type = opposite[type];
	}
	switch (type)
	{
		case IS_TRUE:
			return ship_condition(ship, (Node *) arg, false, class);
		case IS_FALSE:
			return ship_condition(ship, (Node *) arg, true, class);
		case IS_NOT_TRUE:
			return condition_or(ship, list_make2(makeBoolExpr(NOT_EXPR, list_make1(arg), -1), null), false, class);
		case IS_NOT_FALSE:
			return condition_or(ship, list_make2(arg, null), false, class);
		default:
			return ship_condition(ship, (Node *) null, type != IS_UNKNOWN, class);
	}
}

static Expr *
condition_make_op(Oid op, Node *left, Node *right, Oid collation)
{
	return make_opclause(op, BOOLOID, false, (Expr *) left, (Expr *) right, InvalidOid, collation);
}

/* a IS DISTINCT FROM b: they differ, or one of them is NULL; its negation: they are equal, or both are NULL. */
static const char *
condition_distinct(Ship *ship, DistinctExpr *node, bool negated, ShipClass *class)
{
	Expr	   *a = linitial(node->args);
	Expr	   *b = lsecond(node->args);
	Expr	   *a_null = condition_make_null_test(ship, a, IS_NULL);
	Expr	   *b_null = condition_make_null_test(ship, b, IS_NULL);
	Expr	   *equal = condition_make_op(node->opno, (Node *) a, (Node *) b, node->inputcollid);
	Expr	   *a_there = condition_make_null_test(ship, a, IS_NOT_NULL);
	Expr	   *b_there = condition_make_null_test(ship, b, IS_NOT_NULL);

	if (negated)
		return condition_or(ship, list_make2(equal, makeBoolExpr(AND_EXPR, list_make2(a_null, b_null), -1)), false,
							class);
	return condition_or(ship, list_make3(makeBoolExpr(NOT_EXPR, list_make1(equal), -1),
										 makeBoolExpr(AND_EXPR, list_make2(a_null, b_there), -1),
										 makeBoolExpr(AND_EXPR, list_make2(a_there, b_null), -1)), false, class);
}

/* The operator of the same family and types that has another strategy. */
static Oid
condition_sibling(Oid op, Oid family, int strategy)
{
	Oid			left;
	Oid			right;

	op_input_types(op, &left, &right);
	return get_opfamily_member(family, left, right, strategy);
}

/* (a, b) < (x, y): a < x OR (a = x AND b < y). Guards stand in each arm, as later columns may be NULL. */
static const char *
condition_row_compare(Ship *ship, RowCompareExpr *node, bool negated, ShipClass *class)
{
	static const int opposite[] = {0, ROWCOMPARE_GE, ROWCOMPARE_GT, 0, ROWCOMPARE_LT, ROWCOMPARE_LE};
	int			last = list_length(node->opnos) - 1;
	int			strategy = compat_row_compare_type(node);
	Expr	   *result = NULL;

	if (strategy == ROWCOMPARE_EQ || strategy == ROWCOMPARE_NE)
		return NULL;
	if (negated)
		strategy = opposite[strategy];
	for (int i = last; i >= 0; i--)
	{
		Oid			op = list_nth_oid(node->opnos, i);
		Oid			family = list_nth_oid(node->opfamilies, i);
		Oid			collation = list_nth_oid(node->inputcollids, i);
		Node	   *left = list_nth(node->largs, i);
		Node	   *right = list_nth(node->rargs, i);
		int			strict = strategy == ROWCOMPARE_LE ? BTLessStrategyNumber :
			strategy == ROWCOMPARE_GE ? BTGreaterStrategyNumber : strategy;
		Oid			compare = condition_sibling(op, family, i == last ? strategy : strict);
		Oid			equal = condition_sibling(op, family, BTEqualStrategyNumber);
		Expr	   *part;

		if (!OidIsValid(compare) || !OidIsValid(equal))
			return NULL;
		part = condition_make_op(compare, left, right, collation);
		if (i == last)
			result = part;
		else
			result = makeBoolExpr(OR_EXPR,
								  list_make2(part,
											 makeBoolExpr(AND_EXPR,
														  list_make2(condition_make_op(equal, left, right, collation),
																	 result), -1)), -1);
	}
	return ship_condition(ship, (Node *) result, false, class);
}

/* An operator or function that yields a condition; NULL when it is one that yields a value, or unknown. */
static const char *
condition_call(Ship *ship, Oid function, List *args, Oid collation, bool negated, ShipClass *class)
{
	const ShipEntry *entry = ship_find(ship, function);

	if (entry == NULL || list_length(args) != 2)
		return NULL;
	if (entry->rule == SHIP_RULE_COMPARE)
		return ship_compare(ship, entry, args, collation, negated, class);
	if (entry->rule == SHIP_RULE_CONDITION)
		return entry->writer(ship, entry, args, collation, negated, class);
	return NULL;
}

/* Columns, COALESCE and other values of type boolean. */
static const char *
condition_value(Ship *ship, Node *node, bool negated, ShipClass *class)
{
	ShipValue	value;
	const char *text;

	if (!ship_value(ship, node, &value) || value.kind != SHIP_BOOL)
		return NULL;
	text = value.column != NULL ? value.column->path : ship_value_text(ship, &value);
	*class = value.class;
	return text != NULL ? psprintf("(%s = %s)", text, negated ? "FALSE" : "TRUE") : NULL;
}

static const char *
condition_any(Ship *ship, Node *node, bool negated, ShipClass *class)
{
	if (ship_is_param(ship, node))
		return condition_param(ship, node, negated, class);
	check_stack_depth();
	switch (nodeTag(node))
	{
		case T_BoolExpr:
			return condition_bool(ship, (BoolExpr *) node, negated, class);
		case T_OpExpr:
			return condition_call(ship, get_opcode(((OpExpr *) node)->opno), ((OpExpr *) node)->args,
								  ((OpExpr *) node)->inputcollid, negated, class);
		case T_FuncExpr:
			return condition_call(ship, ((FuncExpr *) node)->funcid, ((FuncExpr *) node)->args,
								  ((FuncExpr *) node)->inputcollid, negated, class);
		case T_NullTest:
			return condition_null_test(ship, (NullTest *) node, negated, class);
		case T_BooleanTest:
			return condition_boolean_test(ship, (BooleanTest *) node, negated, class);
		case T_DistinctExpr:
			return condition_distinct(ship, (DistinctExpr *) node, negated, class);
		case T_ScalarArrayOpExpr:
			return ship_scalar_array(ship, (ScalarArrayOpExpr *) node, negated, class);
		case T_RowCompareExpr:
			return condition_row_compare(ship, (RowCompareExpr *) node, negated, class);
		default:
			return condition_value(ship, node, negated, class);
	}
}

const char *
ship_condition(Ship *ship, Node *node, bool negated, ShipClass *class)
{
	int			nparams = list_length(ship->params);
	const char *text = condition_any(ship, node, negated, class);

	if (text == NULL)
	{
		ship->params = list_truncate(ship->params, nparams);
		*class = SHIP_NEVER;
	}
	return text;
}
