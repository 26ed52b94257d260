/*
 * ship_value.c
 *		Values in SQL++: columns, parameters, functions of the table, CASE and its kin.
 *
 * A value's text is equal to PostgreSQL's value, and NULL or MISSING where that is NULL.
 */
#include "ship.h"

#include <math.h>

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

bool
ship_text_equal(Oid collation)
{
	return GetDatabaseEncoding() == PG_UTF8 && collate_is_deterministic(collation);
}

bool
ship_text_order(Oid collation)
{
	return GetDatabaseEncoding() == PG_UTF8 && collate_is_bytewise(collation);
}

/* ---- parameters ---- */

/* Nodes that have a value within a larger expression only. */
static bool
param_is_bound(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, CaseTestExpr) || IsA(node, CoerceToDomainValue) ||
		(IsA(node, Param) && ((Param *) node)->paramkind == PARAM_MULTIEXPR))
		return true;
	return expression_tree_walker(node, param_is_bound, context);
}

static bool
param_function_leaks(Oid function, void *context)
{
	return !get_func_leakproof(function);
}

/* Whether computing it may raise an error: what is leakproof does not. */
static bool
param_may_fail(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Const:
		case T_Param:
		case T_Var:
		case T_List:
		case T_SQLValueFunction:
		case T_RelabelType:
		case T_CollateExpr:
		case T_ArrayExpr:
		case T_BoolExpr:
		case T_NullTest:
		case T_BooleanTest:
			break;
		case T_FuncExpr:
		case T_OpExpr:
		case T_DistinctExpr:
			if (check_functions_in_node(node, param_function_leaks, context))
				return true;
			break;
		default:
			return true;
	}
	return expression_tree_walker(node, param_may_fail, context);
}

bool
ship_is_param(const Ship *ship, Node *node)
{
	if (ship->guards > 0 && param_may_fail(node, NULL))
		return false;
	return !bms_overlap(ship->relids, pull_varnos(ship->root, node)) && !contain_volatile_functions(node) &&
		!contain_subplans(node) && !param_is_bound(node, NULL);
}

const char *
ship_param(Ship *ship, Expr *expr, ShipEncode encode)
{
	ShipParam  *param;
	ListCell   *lc;

	foreach(lc, ship->params)
	{
		param = lfirst(lc);
		if (param->encode == encode && equal(param->expr, expr))
			return psprintf("$p%d", foreach_current_index(lc) + 1);
	}
	param = palloc(sizeof(ShipParam));
	param->expr = expr;
	param->encode = encode;
	ship->params = lappend(ship->params, param);
	return psprintf("$p%d", list_length(ship->params));
}

ShipKind
ship_kind_of_type(Oid type)
{
	switch (getBaseType(type))
	{
		case TEXTOID:
		case VARCHAROID:
		case NAMEOID:
			return GetDatabaseEncoding() == PG_UTF8 ? SHIP_TEXT : SHIP_NONE;
		case BOOLOID:
			return SHIP_BOOL;
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
			return SHIP_INT;
		case FLOAT8OID:
			return SHIP_FLOAT;
		case NUMERICOID:
			return SHIP_NUMERIC;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return SHIP_EPOCH;
		case UUIDOID:
			return SHIP_UUID;
		default:
			return SHIP_NONE;
	}
}

static bool
value_of_param(Node *node, ShipValue *value)
{
	value->class = SHIP_EXACT;
	value->kind = ship_kind_of_type(exprType(node));
	if (value->kind == SHIP_NONE && get_typtype(getBaseType(exprType(node))) == TYPTYPE_ENUM &&
		GetDatabaseEncoding() == PG_UTF8)
		value->kind = SHIP_ENUM;
	value->param = (Expr *) node;
	return value->kind != SHIP_NONE;
}

/* What stands for NaN and the infinities compares with numbers as they do, but does not compute. */
static bool
value_may_be_infinite(const ShipValue *value)
{
	Const	   *constant = (Const *) value->param;

	return value->kind == SHIP_FLOAT && value->param != NULL &&
		!(IsA(constant, Const) && (constant->constisnull || isfinite(DatumGetFloat8(constant->constvalue))));
}

const char *
ship_value_text(Ship *ship, ShipValue *value)
{
	if (value_may_be_infinite(value))
		return NULL;
	if (value->text == NULL && value->param != NULL)
		value->text = ship_param(ship, value->param, value->kind == SHIP_FLOAT ? SHIP_AS_FLOAT : SHIP_AS_VALUE);
	return value->text;
}

/* ---- functions ---- */

const char *
ship_template(const char *text, List *args)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (; *text != '\0'; text++)
	{
		if (*text == '%' && text[1] >= '1' && text[1] <= '9')
			appendStringInfoString(&buf, list_nth(args, *++text - '1'));
		else
			appendStringInfoChar(&buf, *text);
	}
	return buf.data;
}

/* A constant's integer; false for everything else. */
static bool
value_integer_constant(Node *node, int64 *number)
{
	Const	   *constant = (Const *) node;

	if (!IsA(node, Const) || constant->constisnull)
		return false;
	switch (constant->consttype)
	{
		case INT2OID:
			*number = DatumGetInt16(constant->constvalue);
			return true;
		case INT4OID:
			*number = DatumGetInt32(constant->constvalue);
			return true;
		case INT8OID:
			*number = DatumGetInt64(constant->constvalue);
			return true;
		default:
			return false;
	}
}

/* Whether a constant is what its letter in ShipEntry.args wants. */
static bool
value_constant_fits(char letter, Node *node)
{
	Const	   *constant = (Const *) node;
	int64		number;

	if (letter == 'T')
		return IsA(node, Const) && constant->consttype == TEXTOID && !constant->constisnull &&
			VARSIZE_ANY_EXHDR(DatumGetPointer(constant->constvalue)) > 0;
	if (letter == 'F')
		return IsA(node, Const) && constant->consttype == FLOAT8OID && !constant->constisnull &&
			DatumGetFloat8(constant->constvalue) != 0;
	if (!value_integer_constant(node, &number))
		return false;
	switch (letter)
	{
		case 'P':
			return number > 0;
		case 'N':
			return number >= 0;
		case 'Z':
			return number != 0;
		case 'S':
			return number >= 0 && number < 64;
		default:
			return false;
	}
}

static ShipKind
value_letter_kind(char letter)
{
	switch (letter)
	{
		case 't':
		case 'T':
			return SHIP_TEXT;
		case 'b':
			return SHIP_BOOL;
		case 'f':
		case 'F':
			return SHIP_FLOAT;
		default:
			return SHIP_INT;
	}
}

static bool
value_of_function(Ship *ship, Oid function, List *args, Oid collation, ShipValue *value)
{
	const ShipEntry *entry = ship_find(ship, function);
	ShipClass	class;
	List	   *texts = NIL;
	ListCell   *lc;

	if (entry == NULL || entry->rule != SHIP_RULE_VALUE || strlen(entry->args) != list_length(args))
		return false;
	if (OidIsValid(collation) && !ship_text_equal(collation))
		return false;
	class = entry->class;
	foreach(lc, args)
	{
		char		letter = entry->args[foreach_current_index(lc)];
		ShipValue	arg;
		const char *text;

		if (letter >= 'A' && letter <= 'Z' && !value_constant_fits(letter, lfirst(lc)))
			return false;
		if (!ship_value(ship, lfirst(lc), &arg) || arg.kind != value_letter_kind(letter))
			return false;
		text = ship_value_text(ship, &arg);
		if (text == NULL)
			return false;
		texts = lappend(texts, (void *) text);
		class = Min(class, arg.class);
	}
	value->class = class;
	value->kind = entry->kind;
	value->text = ship_template(entry->text, texts);
	return true;
}

/* ---- CASE and its kin ---- */

/* An arm of a value with several: all are of one kind, and exact. */
static const char *
value_arm(Ship *ship, Node *node, ShipKind *kind)
{
	ShipValue	arm;
	const char *text;

	if (IsA(node, Const) && ((Const *) node)->constisnull)
		return "NULL";
	if (!ship_value(ship, node, &arm) || arm.class != SHIP_EXACT || (*kind != SHIP_NONE && *kind != arm.kind))
		return NULL;
	if (arm.kind == SHIP_NUMERIC || arm.kind > SHIP_NUMERIC)
		return NULL;
	text = ship_value_text(ship, &arm);
	*kind = arm.kind;
	return text;
}

static bool
value_of_case_arms(Ship *ship, CaseExpr *node, ShipValue *value)
{
	Node	   *outer = ship->case_value;
	StringInfoData buf;
	const char *text;
	ListCell   *lc;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "CASE");
	if (node->arg != NULL)
		ship->case_value = (Node *) node->arg;
	foreach(lc, node->args)
	{
		CaseWhen   *when = lfirst_node(CaseWhen, lc);
		ShipClass	class;

		text = ship_condition(ship, (Node *) when->expr, false, &class);
		if (text == NULL || class != SHIP_EXACT)
			break;
		appendStringInfo(&buf, " WHEN %s THEN ", text);
		text = value_arm(ship, (Node *) when->result, &value->kind);
		if (text == NULL)
			break;
		appendStringInfoString(&buf, text);
	}
	ship->case_value = outer;
	if (lc != NULL)
		return false;
	text = node->defresult ? value_arm(ship, (Node *) node->defresult, &value->kind) : "NULL";
	if (text == NULL || value->kind == SHIP_NONE)
		return false;
	appendStringInfo(&buf, " ELSE %s END", text);
	value->text = buf.data;
	return true;
}

static bool
value_of_case(Ship *ship, CaseExpr *node, ShipValue *value)
{
	bool		written;

	ship->guards++;
	written = value_of_case_arms(ship, node, value);
	ship->guards--;
	return written;
}

/* COALESCE, GREATEST, LEAST: a call of arms. */
static bool
value_of_call(Ship *ship, const char *name, List *args, ShipValue *value)
{
	StringInfoData buf;
	ListCell   *lc;

	if (list_length(args) == 1)	/* a call there wants two */
	{
		value->text = value_arm(ship, linitial(args), &value->kind);
		return value->text != NULL && value->kind != SHIP_NONE;
	}
	initStringInfo(&buf);
	appendStringInfo(&buf, "%s(", name);
	foreach(lc, args)
	{
		const char *text = value_arm(ship, lfirst(lc), &value->kind);

		if (text == NULL)
			return false;
		appendStringInfo(&buf, "%s%s", foreach_current_index(lc) > 0 ? ", " : "", text);
	}
	appendStringInfoChar(&buf, ')');
	value->text = buf.data;
	return value->kind != SHIP_NONE;
}

static bool
value_of_coalesce(Ship *ship, CoalesceExpr *node, ShipValue *value)
{
	bool		written;

	ship->guards++;
	written = value_of_call(ship, "IFMISSINGORNULL", node->args, value);
	ship->guards--;
	return written;
}

static bool
value_of_extreme(Ship *ship, MinMaxExpr *node, ShipValue *value)
{
	return value_of_call(ship, node->op == IS_GREATEST ? "GREATEST" : "LEAST", node->args, value) &&
		(value->kind == SHIP_INT || value->kind == SHIP_FLOAT ||
		 (value->kind == SHIP_TEXT && ship_text_order(node->inputcollid)));
}

static bool
value_of_nullif(Ship *ship, NullIfExpr *node, ShipValue *value)
{
	Expr	   *equal = make_opclause(node->opno, BOOLOID, false, linitial(node->args), lsecond(node->args),
									  InvalidOid, node->inputcollid);
	ShipClass	class;
	const char *test = ship_condition(ship, (Node *) equal, false, &class);
	const char *text = value_arm(ship, linitial(node->args), &value->kind);

	if (test == NULL || class != SHIP_EXACT || text == NULL || value->kind == SHIP_NONE)
		return false;
	value->text = psprintf("CASE WHEN %s THEN NULL ELSE %s END", test, text);
	return true;
}

/* A condition as a value: TRUE, FALSE or NULL. */
static bool
value_of_condition(Ship *ship, Node *node, ShipValue *value)
{
	ShipClass	yes;
	ShipClass	no;
	const char *when_true = ship_condition(ship, node, false, &yes);
	const char *when_false = ship_condition(ship, node, true, &no);

	if (when_true == NULL || when_false == NULL || yes != SHIP_EXACT || no != SHIP_EXACT)
		return false;
	value->kind = SHIP_BOOL;
	value->text = psprintf("CASE WHEN %s THEN TRUE WHEN %s THEN FALSE END", when_true, when_false);
	return true;
}

/* int::text; and (j ->> 'k')::int, which is looked at by ship_compare only. */
static bool
value_of_io_cast(Ship *ship, CoerceViaIO *node, ShipValue *value)
{
	ShipValue	arg;
	ShipKind	to = ship_kind_of_type(node->resulttype);

	if (!ship_value(ship, (Node *) node->arg, &arg))
		return false;
	if (arg.kind == SHIP_INT && node->resulttype == TEXTOID && ship_value_text(ship, &arg) != NULL)
	{
		value->kind = SHIP_TEXT;
		value->class = arg.class;
		value->text = psprintf("TOSTRING(%s)", arg.text);
		return true;
	}
	if (arg.kind != SHIP_JSON_TEXT || (to != SHIP_INT && to != SHIP_FLOAT && to != SHIP_NUMERIC))
		return false;
	*value = arg;
	value->kind = value->column->kind = SHIP_JSON_NUMBER;
	value->class = SHIP_SUPERSET;
	return true;
}

/* ---- all ---- */

static bool
value_of_column(Ship *ship, Var *var, ShipValue *value)
{
	value->column = palloc(sizeof(ShipColumn));
	if (!ship_column(ship, var, value->column))
		return false;
	value->kind = value->column->kind;
	value->text = ship_column_value(value->column);
	return true;
}

static bool
value_of_json_path(Ship *ship, Node *node, ShipValue *value)
{
	ShipColumn *column = palloc(sizeof(ShipColumn));

	if (!ship_json_path(ship, node, column))
		return false;
	value->column = column;
	value->kind = column->kind;
	return true;
}

static bool
value_of_call_node(Ship *ship, Node *node, ShipValue *value)
{
	Oid			function = IsA(node, OpExpr) ? get_opcode(((OpExpr *) node)->opno) : ((FuncExpr *) node)->funcid;
	List	   *args = IsA(node, OpExpr) ? ((OpExpr *) node)->args : ((FuncExpr *) node)->args;
	Oid			collation = IsA(node, OpExpr) ? ((OpExpr *) node)->inputcollid : ((FuncExpr *) node)->inputcollid;

	if (value_of_function(ship, function, args, collation, value) || value_of_json_path(ship, node, value))
		return true;
	return exprType(node) == BOOLOID && value_of_condition(ship, node, value);
}

/* Casts between types whose values are the same bytes. */
static bool
value_of_relabel(Ship *ship, RelabelType *node, ShipValue *value)
{
	ShipKind	from = ship_kind_of_type(exprType((Node *) node->arg));

	return from != SHIP_NONE && from == ship_kind_of_type(node->resulttype) &&
		ship_value(ship, (Node *) node->arg, value);
}

bool
ship_value(Ship *ship, Node *node, ShipValue *value)
{
	memset(value, 0, sizeof(*value));
	if (IsA(node, CaseTestExpr))
		return ship->case_value != NULL && ship_value(ship, ship->case_value, value);
	if (ship_is_param(ship, node))
		return value_of_param(node, value);
	check_stack_depth();
	value->class = SHIP_EXACT;
	switch (nodeTag(node))
	{
		case T_Var:
			return value_of_column(ship, (Var *) node, value);
		case T_RelabelType:
			return value_of_relabel(ship, (RelabelType *) node, value);
		case T_CollateExpr:
			return ship_value(ship, (Node *) ((CollateExpr *) node)->arg, value);
		case T_OpExpr:
		case T_FuncExpr:
			return value_of_call_node(ship, node, value);
		case T_CoerceViaIO:
			return value_of_io_cast(ship, (CoerceViaIO *) node, value);
		case T_CaseExpr:
			return guc_enable_case_pushdown && value_of_case(ship, (CaseExpr *) node, value);
		case T_CoalesceExpr:
			return guc_enable_case_pushdown && value_of_coalesce(ship, (CoalesceExpr *) node, value);
		case T_MinMaxExpr:
			return guc_enable_case_pushdown && value_of_extreme(ship, (MinMaxExpr *) node, value);
		case T_NullIfExpr:
			return guc_enable_case_pushdown && value_of_nullif(ship, (NullIfExpr *) node, value);
		case T_BoolExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_ScalarArrayOpExpr:
		case T_DistinctExpr:
		case T_RowCompareExpr:
			return value_of_condition(ship, node, value);
		default:
			return false;
	}
}
