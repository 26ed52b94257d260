/*
 * ship_array.c
 *		IN, ANY and ALL, and operators of arrays in SQL++.
 *
 * An array column whose elements are not all of its type is NULL or an error, and arrays of arrays are one array of
 * several dimensions: what is found in an array is looked at again here.
 */
#include "ship.h"

#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

/* Longest list that is written as single comparisons. */
#define ARRAY_EXPAND_MAX	100

/* Elements up to this stay integers when an index looks for the elements of a list. */
#define EXACT_INTEGER ((int64) 1 << 53)

typedef struct ArrayElements
{
	Oid			type;
	Datum	   *values;
	bool	   *nulls;
	int			n;
	int16		typlen;
	bool		typbyval;
} ArrayElements;

/* The elements of a constant array; false for anything else. */
static bool
array_constant(Node *node, ArrayElements *elements)
{
	Const	   *constant = (Const *) node;
	ArrayType  *array;
	char		typalign;

	if (!IsA(node, Const) || constant->constisnull)
		return false;
	array = DatumGetArrayTypeP(constant->constvalue);
	elements->type = ARR_ELEMTYPE(array);
	get_typlenbyvalalign(elements->type, &elements->typlen, &elements->typbyval, &typalign);
	deconstruct_array(array, elements->type, elements->typlen, elements->typbyval, typalign, &elements->values,
					  &elements->nulls, &elements->n);
	return true;
}

/* x op ANY (list): an OR of comparisons, x op ALL (list): an AND. */
static const char *
array_expand(Ship *ship, ScalarArrayOpExpr *clause, bool negated, ShipClass *class)
{
	ArrayElements elements;
	List	   *parts = NIL;

	if (!array_constant(lsecond(clause->args), &elements) || elements.n > ARRAY_EXPAND_MAX)
		return NULL;
	if (elements.n == 0)
	{
		*class = SHIP_EXACT;
		return clause->useOr == negated ? "TRUE" : "FALSE";
	}
	for (int i = 0; i < elements.n; i++)
	{
		Const	   *element = makeConst(elements.type, -1, clause->inputcollid, elements.typlen, elements.values[i],
										elements.nulls[i], elements.typbyval);

		if (elements.nulls[i])
			parts = lappend(parts, makeNullConst(BOOLOID, -1, InvalidOid));
		else
			parts = lappend(parts, make_opclause(clause->opno, BOOLOID, false, linitial(clause->args),
												 (Expr *) element, InvalidOid, clause->inputcollid));
	}
	return ship_condition(ship, (Node *) makeBoolExpr(clause->useOr ? OR_EXPR : AND_EXPR, parts, -1), negated, class);
}

/* Whether all elements are small enough, and of the column's type. */
static bool
array_integers_fit(const ShipColumn *column, Node *array)
{
	ArrayElements elements;

	if (!array_constant(array, &elements) ||
		(elements.type != INT8OID && elements.type != INT4OID && elements.type != INT2OID))
		return false;
	for (int i = 0; i < elements.n; i++)
	{
		int64		number = elements.type == INT8OID ? DatumGetInt64(elements.values[i]) :
			elements.type == INT4OID ? DatumGetInt32(elements.values[i]) : DatumGetInt16(elements.values[i]);

		if (!elements.nulls[i] && (number < Max(column->min, -EXACT_INTEGER) ||
								   number > Min(column->max, EXACT_INTEGER)))
			return false;
	}
	return true;
}

/* The left side of IN: what is compared, and more that must hold; NULL when a list cannot be sent. */
static const char *
array_searched(const ShipColumn *column, Node *array, const char **more)
{
	Oid			element = get_element_type(exprType(array));
	ShipClass	ignored;

	*more = NULL;
	switch (column->kind)
	{
		case SHIP_TEXT:
		case SHIP_BOOL:
		case SHIP_ENUM:
			return column->path;
		case SHIP_INT:
			if (array_integers_fit(column, array))
				return column->path;
			if (element == INT8OID)
				return NULL;	/* an index takes the elements for doubles */
			*more = ship_column_present(column, &ignored);
			return column->path;
		case SHIP_FLOAT:
			*more = ship_column_present(column, &ignored);
			return psprintf("(%s / 1)", column->path);
		default:
			return NULL;
	}
}

/* c = ANY (list) or c <> ALL (list) with the list as one parameter. */
static const char *
array_in(Ship *ship, const ShipColumn *column, Node *array, bool all, ShipClass *class)
{
	bool		floats = column->kind == SHIP_FLOAT;
	ArrayElements elements;
	const char *more;
	const char *searched = array_searched(column, array, &more);
	const char *list;
	const char *test;

	*class = SHIP_EXACT;
	if (searched == NULL)
		return NULL;
	if (!all)
	{
		list = ship_param(ship, (Expr *) array, floats ? SHIP_AS_FLOATS : SHIP_AS_ELEMENTS);
		test = psprintf("%s IN %s", searched, list);
		return more != NULL ? psprintf("(%s AND %s)", more, test) : psprintf("(%s)", test);
	}
	list = ship_param(ship, (Expr *) array, floats ? SHIP_AS_FLOATS_ALL : SHIP_AS_ELEMENTS_ALL);
	test = psprintf("(%s NOT IN %s AND %s)", searched, list, ship_column_present(column, class));
	if (array_constant(array, &elements) && elements.n > 0)
		return test;
	return psprintf("(ARRAY_LENGTH(%s) = 0 OR %s)", list, test);
}

/* Whether elements are equal where their bytes are, and a kind that arrays are searched for. */
static bool
array_element_fits(Oid element, Oid collation, Node *column)
{
	ShipKind	kind = ship_kind_of_type(element);

	if (kind == SHIP_TEXT)
		return ship_text_equal(collation) && ship_text_equal(exprCollation(column));
	return kind != SHIP_NONE && kind <= SHIP_INT;
}

/* k = ANY (column) */
static const char *
array_of_column(Ship *ship, Node *scalar, Node *array, Oid collation, ShipClass *class)
{
	ShipValue	value;

	if (!ship_value(ship, array, &value) || value.kind != SHIP_ARRAY || value.column == NULL ||
		!array_element_fits(exprType(scalar), collation, array))
		return NULL;
	*class = SHIP_SUPERSET;
	return psprintf("ANY x IN %s SATISFIES x = %s OR ISARRAY(x) END", value.column->path,
					ship_param(ship, (Expr *) scalar, SHIP_AS_VALUE));
}

const char *
ship_scalar_array(Ship *ship, ScalarArrayOpExpr *clause, bool negated, ShipClass *class)
{
	const ShipEntry *entry = ship_find(ship, get_opcode(clause->opno));
	Node	   *scalar = linitial(clause->args);
	Node	   *array = lsecond(clause->args);
	bool		any = clause->useOr != negated;
	ShipValue	value;
	const char *text = NULL;
	bool		in;

	if (entry == NULL || entry->rule != SHIP_RULE_COMPARE)
		return array_expand(ship, clause, negated, class);
	in = strcmp(entry->text, clause->useOr ? "=" : "!=") == 0;
	if (in && any && guc_enable_array_pushdown && clause->useOr && ship_is_param(ship, scalar))
		return array_of_column(ship, scalar, array, clause->inputcollid, class);
	if (!ship_is_param(ship, array))
		return NULL;
	if (in && ship_value(ship, scalar, &value) && value.kind == entry->kind && value.column != NULL &&
		!value.column->loose && (entry->kind != SHIP_TEXT || ship_text_equal(clause->inputcollid)))
		text = array_in(ship, value.column, array, !any, class);
	return text != NULL ? text : array_expand(ship, clause, negated, class);
}

/* Elements of a constant array as parameters; NIL and false when there are NULLs or too many. */
static bool
array_element_params(Ship *ship, Node *array, List **params)
{
	ArrayElements elements;

	if (!array_constant(array, &elements) || elements.n > ARRAY_EXPAND_MAX)
		return false;
	for (int i = 0; i < elements.n; i++)
	{
		Const	   *element = makeConst(elements.type, -1, InvalidOid, elements.typlen, elements.values[i],
										elements.nulls[i], elements.typbyval);

		if (elements.nulls[i])
			return false;
		*params = lappend(*params, (void *) ship_param(ship, (Expr *) element, SHIP_AS_VALUE));
	}
	return true;
}

/* column @> constant: each element is in it. */
static const char *
array_contains(Ship *ship, const char *c, Node *array)
{
	List	   *params = NIL;
	List	   *tests = list_make1(psprintf("ISARRAY(%s)", c));
	ListCell   *lc;

	if (!array_element_params(ship, array, &params))
		return NULL;
	foreach(lc, params)
		tests = lappend(tests, psprintf("ANY x IN %s SATISFIES x = %s OR ISARRAY(x) END", c, (char *) lfirst(lc)));
	return ship_join(tests, "AND");
}

const char *
ship_array_operator(Ship *ship, const ShipEntry *entry, List *args, Oid collation, bool negated, ShipClass *class)
{
	Node	   *left = linitial(args);
	Node	   *right = lsecond(args);
	const char *op = entry->text;
	ShipValue	value;
	const char *c;

	if (negated)
		return NULL;
	if (ship_is_param(ship, left))
	{
		left = right;
		right = linitial(args);
		op = strcmp(op, "@>") == 0 ? "<@" : strcmp(op, "<@") == 0 ? "@>" : op;
	}
	if (!ship_is_param(ship, right) || !ship_value(ship, left, &value) || value.kind != SHIP_ARRAY ||
		value.column == NULL || !array_element_fits(get_element_type(exprType(right)), collation, left))
		return NULL;
	c = value.column->path;
	*class = SHIP_SUPERSET;
	if (strcmp(op, "@>") == 0)
		return array_contains(ship, c, right);
	if (strcmp(op, "&&") == 0)
		return psprintf("ANY x IN %s SATISFIES x IN %s OR ISARRAY(x) END", c,
						ship_param(ship, (Expr *) right, SHIP_AS_ELEMENTS));
	return psprintf("(ISARRAY(%s) AND EVERY x IN %s SATISFIES x IN %s OR ISARRAY(x) END)", c, c,
					ship_param(ship, (Expr *) right, SHIP_AS_ELEMENTS));
}
