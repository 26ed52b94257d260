/*
 * ship_json.c
 *		Operators of json and jsonb in SQL++: paths into a column, containment, existence of keys.
 */
#include "ship.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

/* ---- paths ---- */

/* Appends the name of a step; false when it is not constant. */
static bool
json_add_name(ShipColumn *column, Node *node)
{
	Const	   *name = (Const *) node;

	if (!IsA(node, Const) || name->constisnull || name->consttype != TEXTOID)
		return false;
	column->path = psprintf("%s.%s", column->path, ship_quote(TextDatumGetCString(name->constvalue)));
	return true;
}

/* Elements of scalars are the scalars themselves to jsonb: only json's are sent. */
static bool
json_add_index(ShipColumn *column, Node *node)
{
	Const	   *index = (Const *) node;

	if (!IsA(node, Const) || index->constisnull || index->consttype != INT4OID || column->type != JSONOID)
		return false;
	column->path = psprintf("%s[%d]", column->path, DatumGetInt32(index->constvalue));
	return true;
}

/* #> with names only: what looks like a number may be a name or an index, as the document has it. */
static bool
json_add_path(ShipColumn *column, Node *node)
{
	Const	   *path = (Const *) node;
	Datum	   *steps;
	bool	   *nulls;
	int			n;

	if (!IsA(node, Const) || path->constisnull || path->consttype != TEXTARRAYOID)
		return false;
	deconstruct_array(DatumGetArrayTypeP(path->constvalue), TEXTOID, -1, false, TYPALIGN_INT, &steps, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		char	   *name;

		if (nulls[i])
			return false;
		name = TextDatumGetCString(steps[i]);
		if (name[0] == '\0' || strspn(name, "+-0123456789 \t\n\r\v\f") == strlen(name))
			return false;
		column->path = psprintf("%s.%s", column->path, ship_quote(name));
	}
	return n > 0;
}

bool
ship_json_path(Ship *ship, Node *node, ShipColumn *column)
{
	Oid			function;
	List	   *args;
	ShipValue	base;

	function = IsA(node, OpExpr) ? get_opcode(((OpExpr *) node)->opno) : ((FuncExpr *) node)->funcid;
	args = IsA(node, OpExpr) ? ((OpExpr *) node)->args : ((FuncExpr *) node)->args;
	if (!guc_enable_json_pushdown || list_length(args) != 2 ||
		(exprType(linitial(args)) != JSONOID && exprType(linitial(args)) != JSONBOID) ||
		!ship_value(ship, linitial(args), &base) || base.kind != SHIP_JSON || base.column == NULL)
		return false;
	*column = *base.column;
	column->inside = true;
	switch (function)
	{
		case F_JSON_OBJECT_FIELD:
		case F_JSONB_OBJECT_FIELD:
			return json_add_name(column, lsecond(args));
		case F_JSON_ARRAY_ELEMENT:
		case F_JSONB_ARRAY_ELEMENT:
			return json_add_index(column, lsecond(args));
		case F_JSON_EXTRACT_PATH:
		case F_JSONB_EXTRACT_PATH:
			return json_add_path(column, lsecond(args));
		default:
			break;
	}
	column->kind = SHIP_JSON_TEXT;
	column->inside = false;
	switch (function)
	{
		case F_JSON_OBJECT_FIELD_TEXT:
		case F_JSONB_OBJECT_FIELD_TEXT:
			return json_add_name(column, lsecond(args));
		case F_JSON_ARRAY_ELEMENT_TEXT:
		case F_JSONB_ARRAY_ELEMENT_TEXT:
			return json_add_index(column, lsecond(args));
		case F_JSON_EXTRACT_PATH_TEXT:
		case F_JSONB_EXTRACT_PATH_TEXT:
			return json_add_path(column, lsecond(args));
		default:
			return false;
	}
}

/* ---- containment ---- */

static Expr *
json_constant(Oid type, Datum value)
{
	return (Expr *) makeConst(type, -1, type == TEXTOID ? DEFAULT_COLLATION_OID : InvalidOid, type == BOOLOID ? 1 : -1,
							  value, false, type == BOOLOID);
}

/* path equals a scalar, as far as doubles can tell. */
static const char *
json_equals(Ship *ship, const char *path, const JsonbValue *value)
{
	Expr	   *constant;
	const char *from;
	const char *to;

	switch (value->type)
	{
		case jbvNull:
			return psprintf("%s IS NULL", path);
		case jbvString:
			constant = json_constant(TEXTOID, PointerGetDatum(cstring_to_text_with_len(value->val.string.val,
																					   value->val.string.len)));
			return psprintf("%s = %s", path, ship_param(ship, constant, SHIP_AS_VALUE));
		case jbvBool:
			return psprintf("%s = %s", path, value->val.boolean ? "TRUE" : "FALSE");
		default:
			constant = json_constant(NUMERICOID, NumericGetDatum(value->val.numeric));
			from = ship_param(ship, constant, SHIP_AS_FLOAT_BELOW);
			to = ship_param(ship, constant, SHIP_AS_FLOAT_ABOVE);
			return psprintf("(%s >= %s AND %s <= %s)", path, from, path, to);
	}
}

/* Appends to tests what must hold for path to contain the container; containers within arrays are left out. */
static void
json_contains(Ship *ship, const char *path, JsonbContainer *container, List **tests)
{
	JsonbIterator *iterator = JsonbIteratorInit(container);
	bool		object = JsonContainerIsObject(container);
	JsonbValue	value;
	const char *member = NULL;
	JsonbIteratorToken token;

	*tests = lappend(*tests, psprintf("%s(%s)", object ? "ISOBJECT" : "ISARRAY", path));
	(void) JsonbIteratorNext(&iterator, &value, true);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			member = psprintf("%s.%s", path,
							  ship_quote(pnstrdup(value.val.string.val, value.val.string.len)));
		else if (token == WJB_VALUE && value.type == jbvBinary)
			json_contains(ship, member, value.val.binary.data, tests);
		else if (token == WJB_VALUE)
			*tests = lappend(*tests, (void *) json_equals(ship, member, &value));
		else if (token == WJB_ELEM && value.type != jbvBinary)
			*tests = lappend(*tests, psprintf("ANY x IN %s SATISFIES %s END", path, json_equals(ship, "x", &value)));
	}
}

const char *
ship_json_contains(Ship *ship, const ShipEntry *entry, List *args, Oid collation, bool negated, ShipClass *class)
{
	Const	   *constant = lsecond(args);
	ShipValue	value;
	Jsonb	   *jsonb;
	JsonbValue	scalar;
	List	   *tests = NIL;
	const char *equals;

	if (negated || !IsA(constant, Const) || constant->constisnull || !ship_value(ship, linitial(args), &value) ||
		value.kind != SHIP_JSON || value.column == NULL)
		return NULL;
	*class = SHIP_SUPERSET;
	jsonb = DatumGetJsonbP(constant->constvalue);
	if (JB_ROOT_IS_SCALAR(jsonb))
	{
		/* an array contains its scalars, too */
		(void) JsonbExtractScalar(&jsonb->root, &scalar);
		equals = json_equals(ship, value.column->path, &scalar);
		return psprintf("(%s OR ANY x IN %s SATISFIES %s END)", equals, value.column->path,
						json_equals(ship, "x", &scalar));
	}
	json_contains(ship, value.column->path, &jsonb->root, &tests);
	return ship_join(tests, "AND");
}

/* ---- existence ---- */

/* A member of an object, an element of an array, or the string itself. */
static const char *
json_exists(Ship *ship, const char *path, Datum name)
{
	const char *k = ship_param(ship, json_constant(TEXTOID, name), SHIP_AS_VALUE);

	return psprintf("(%s.%s IS NOT MISSING OR ARRAY_CONTAINS(%s, %s) OR %s = %s)", path,
					ship_quote(TextDatumGetCString(name)), path, k, path, k);
}

const char *
ship_json_exists(Ship *ship, const ShipEntry *entry, List *args, Oid collation, bool negated, ShipClass *class)
{
	Const	   *constant = lsecond(args);
	ShipValue	value;
	List	   *tests = NIL;
	Datum	   *names;
	bool	   *nulls;
	int			n;

	if (negated || !IsA(constant, Const) || constant->constisnull || !ship_value(ship, linitial(args), &value) ||
		value.kind != SHIP_JSON || value.column == NULL)
		return NULL;
	*class = value.column->soft ? SHIP_SUPERSET : SHIP_EXACT;
	if (entry->text == NULL)
		return json_exists(ship, value.column->path, constant->constvalue);
	deconstruct_array(DatumGetArrayTypeP(constant->constvalue), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (!nulls[i])
			tests = lappend(tests, (void *) json_exists(ship, value.column->path, names[i]));
	}
	return tests != NIL ? ship_join(tests, entry->text) : NULL;
}
