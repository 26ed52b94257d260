/*
 * ship_column.c
 *		Columns in SQL++: their paths, and what stands for "is NULL", "is not NULL" and the value.
 *
 * A column is NULL where its field is missing, null, or of a JSON type that the column's type does not read. Ranges say
 * so in a way that indexes serve: every text is >= "" and < [], every number > TRUE and < "". JSON numbers are whole
 * and within int64 just when IDIV(c, 1) = c.
 */
#include "ship.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "optimizer/pathnode.h"
#include "utils/lsyscache.h"

#include "../protocol/path.h"

const char *
ship_alias(int relid)
{
	return psprintf("`r%d`", relid);
}

/* A name in back-quotes; in them, escapes mean what they mean in texts. In the database's encoding. */
const char *
ship_quote(const char *name)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '`');
	for (const unsigned char *p = (const unsigned char *) name; *p != '\0'; p++)
	{
		if (*p == '`' || *p == '\\')
			appendStringInfoChar(&buf, *p);
		if (*p < 0x20 || *p == 0x7f)
			appendStringInfo(&buf, "\\u%04x", *p);
		else
			appendStringInfoChar(&buf, *p);
	}
	appendStringInfoChar(&buf, '`');
	return buf.data;
}

const char *
ship_path(int relid, const char *text)
{
	StringInfoData buf;
	CbPath		path;

	if (cb_path_parse(pg_server_to_any(text, strlen(text), PG_UTF8), &path, NULL) != CB_OK)
		return NULL;
	initStringInfo(&buf);
	appendStringInfoString(&buf, ship_alias(relid));
	for (size_t i = 0; i < path.nsteps; i++)
	{
		if (path.steps[i].name != NULL)
			appendStringInfo(&buf, ".%s", ship_quote(pnstrdup(path.steps[i].name, path.steps[i].name_len)));
		else
			appendStringInfo(&buf, "[%d]", path.steps[i].index);
	}
	cb_path_free(&path);
	return pg_any_to_server(buf.data, buf.len, PG_UTF8);
}

static void
column_integer(ShipColumn *column, int64 min, int64 max)
{
	column->kind = SHIP_INT;
	column->min = min;
	column->max = max;
}

/* Arrays whose elements are as they are stored: a length cuts blanks. */
static bool
column_is_plain_array(Oid type, int32 typmod)
{
	Oid			element = get_element_type(type);

	if (!OidIsValid(element) || typmod >= 0)
		return false;
	(void) getBaseTypeAndTypmod(element, &typmod);
	return typmod < 0;
}

static void
column_kind(ShipColumn *column, int32 typmod)
{
	bool		utf8 = GetDatabaseEncoding() == PG_UTF8;

	switch (column->type)
	{
		case TEXTOID:
			column->kind = utf8 ? SHIP_TEXT : SHIP_NONE;
			break;
		case VARCHAROID:
			column->kind = !utf8 ? SHIP_NONE : typmod < 0 ? SHIP_TEXT : SHIP_PADDED;
			break;
		case NAMEOID:
			column->kind = utf8 ? SHIP_TEXT : SHIP_NONE;
			column->loose = true;
			break;
		case BOOLOID:
			column->kind = SHIP_BOOL;
			break;
		case INT2OID:
			column_integer(column, PG_INT16_MIN, PG_INT16_MAX);
			break;
		case INT4OID:
			column_integer(column, PG_INT32_MIN, PG_INT32_MAX);
			break;
		case INT8OID:
			column_integer(column, PG_INT64_MIN, PG_INT64_MAX);
			break;
		case OIDOID:
			column_integer(column, 0, PG_UINT32_MAX);
			break;
		case FLOAT8OID:
			column->kind = SHIP_FLOAT;
			break;
		case NUMERICOID:
			column->kind = typmod < 0 ? SHIP_NUMERIC : SHIP_NONE;
			break;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			if (typmod < 0 || column->type == DATEOID)
				column->kind = column->format == FDW_TIME_ISO8601 ? SHIP_ISO : SHIP_EPOCH;
			break;
		case UUIDOID:
			column->kind = SHIP_UUID;
			break;
		case JSONOID:
		case JSONBOID:
			column->kind = utf8 ? SHIP_JSON : SHIP_NONE;
			break;
		default:
			if (get_typtype(column->type) == TYPTYPE_ENUM)
				column->kind = utf8 ? SHIP_ENUM : SHIP_NONE;
			else if (column_is_plain_array(column->type, typmod))
				column->kind = SHIP_ARRAY;
			break;
	}
}

static bool
column_meta(ShipColumn *column, int relid, FdwMeta meta)
{
	if (meta != FDW_META_CAS || column->type != INT8OID)
		return false;
	column_integer(column, PG_INT64_MIN, PG_INT64_MAX);
	column->present = true;
	column->path = psprintf("META(%s).cas", ship_alias(relid));
	return true;
}

bool
ship_column(Ship *ship, Var *var, ShipColumn *column)
{
	FdwRelInfo *info;
	const FdwColumn *mapped;
	int32		typmod = var->vartypmod;

	if (var->varlevelsup != 0 || var->varattno <= 0 || !bms_is_member(var->varno, ship->relids))
		return false;
	info = find_base_rel(ship->root, var->varno)->fdw_private;
	mapped = &info->table->columns[var->varattno - 1];
	memset(column, 0, sizeof(*column));
	column->type = getBaseTypeAndTypmod(var->vartype, &typmod);
	column->format = mapped->format;
	column->soft = mapped->on_type_error == FDW_TYPE_ERROR_NULL;
	switch (mapped->kind)
	{
		case FDW_COLUMN_KEY:
			column->kind = GetDatabaseEncoding() == PG_UTF8 ? SHIP_TEXT : SHIP_NONE;
			column->present = true;
			column->soft = false;
			column->path = psprintf("META(%s).id", ship_alias(var->varno));
			return true;
		case FDW_COLUMN_META:
			return column_meta(column, var->varno, mapped->meta);
		case FDW_COLUMN_DOCUMENT:
			if ((column->type != JSONOID && column->type != JSONBOID) || GetDatabaseEncoding() != PG_UTF8)
				return false;
			column->kind = SHIP_JSON;
			column->path = ship_alias(var->varno);
			return true;
		case FDW_COLUMN_PATH:
			column->path = ship_path(var->varno, mapped->path);
			column_kind(column, typmod);
			return column->path != NULL;
		default:
			return false;
	}
}

/* Whole numbers that the type holds. */
static const char *
column_is_integer(const ShipColumn *column)
{
	const char *c = column->path;

	if (column->min == PG_INT64_MIN)
		return psprintf("(%s > TRUE AND %s < \"\" AND IDIV(%s, 1) = %s)", c, c, c, c);
	return psprintf("(%s >= " INT64_FORMAT " AND %s <= " INT64_FORMAT " AND IDIV(%s, 1) = %s)", c, column->min, c,
					column->max, c, c);
}

const char *
ship_column_present(const ShipColumn *column, ShipClass *class)
{
	const char *c = column->path;

	*class = column->loose ? SHIP_SUPERSET : SHIP_EXACT;
	if (column->present)
		return "TRUE";
	switch (column->kind)
	{
		case SHIP_TEXT:
			/* a text with U+0000 is none here */
			if (column->soft)
				return psprintf("(%s >= \"\" AND %s < [] AND NOT CONTAINS(%s, \"\\u0000\"))", c, c, c);
			return psprintf("(%s >= \"\" AND %s < [])", c, c);
		case SHIP_BOOL:
			return psprintf("(%s >= FALSE AND %s <= TRUE)", c, c);
		case SHIP_INT:
			return column_is_integer(column);
		case SHIP_FLOAT:
		case SHIP_NUMERIC:
			return psprintf("(%s > TRUE AND %s < \"\")", c, c);
		case SHIP_PADDED:
		case SHIP_ISO:
		case SHIP_UUID:
		case SHIP_ENUM:
			*class = SHIP_SUPERSET;
			return psprintf("(%s >= \"\" AND %s < [])", c, c);
		case SHIP_EPOCH:
		case SHIP_JSON_NUMBER:
		case SHIP_ARRAY:
		case SHIP_NONE:
			*class = SHIP_SUPERSET;
			return psprintf("%s IS VALUED", c);
		case SHIP_JSON:
		case SHIP_JSON_TEXT:
			/* texts that a column cannot hold make all of it NULL */
			*class = column->soft ? SHIP_SUPERSET : SHIP_EXACT;
			return psprintf("%s %s", c, column->inside ? "IS NOT MISSING" : "IS VALUED");
	}
	return NULL;
}

/* Where a value of the wrong type is an error, the row is asked for so that the error comes. */
const char *
ship_column_absent(const ShipColumn *column, ShipClass *class)
{
	const char *c = column->path;

	*class = column->soft ? SHIP_EXACT : SHIP_SUPERSET;
	if (column->present)
	{
		*class = SHIP_EXACT;
		return "FALSE";
	}
	if (column->loose)
		return NULL;
	switch (column->kind)
	{
		case SHIP_TEXT:
			if (column->soft)
				return psprintf("(%s IS NOT VALUED OR NOT ISSTRING(%s) OR CONTAINS(%s, \"\\u0000\"))", c, c, c);
			return psprintf("(%s IS NOT VALUED OR NOT ISSTRING(%s))", c, c);
		case SHIP_BOOL:
			return psprintf("(%s IS NOT VALUED OR NOT ISBOOLEAN(%s))", c, c);
		case SHIP_INT:
			if (column->min == PG_INT64_MIN)
				return psprintf("(%s IS NOT VALUED OR NOT ISNUMBER(%s) OR IDIV(%s, 1) != %s)", c, c, c, c);
			return psprintf("(%s IS NOT VALUED OR NOT ISNUMBER(%s) OR IDIV(%s, 1) != %s OR %s < " INT64_FORMAT
							" OR %s > " INT64_FORMAT ")", c, c, c, c, c, column->min, c, column->max);
		case SHIP_FLOAT:
		case SHIP_NUMERIC:
			return psprintf("(%s IS NOT VALUED OR NOT ISNUMBER(%s))", c, c);
		case SHIP_JSON:
		case SHIP_JSON_TEXT:
			if (column->soft)
				return NULL;
			*class = SHIP_EXACT;
			return psprintf("%s %s", c, column->inside ? "IS MISSING" : "IS NOT VALUED");
		default:
			return NULL;
	}
}

const char *
ship_column_value(const ShipColumn *column)
{
	const char *c = column->path;

	if (column->present)
		return c;
	if (column->loose)
		return NULL;
	switch (column->kind)
	{
		case SHIP_TEXT:
			if (column->soft)
				return psprintf("CASE WHEN ISSTRING(%s) AND NOT CONTAINS(%s, \"\\u0000\") THEN %s END", c, c, c);
			return psprintf("CASE WHEN ISSTRING(%s) THEN %s END", c, c);
		case SHIP_BOOL:
			return psprintf("CASE WHEN ISBOOLEAN(%s) THEN %s END", c, c);
		case SHIP_INT:
			if (column->min == PG_INT64_MIN)
				return psprintf("CASE WHEN IDIV(%s, 1) = %s THEN %s END", c, c, c);
			return psprintf("CASE WHEN %s THEN %s END", column_is_integer(column), c);
		case SHIP_FLOAT:
			return psprintf("CASE WHEN ISNUMBER(%s) THEN %s / 1 END", c, c);
		default:
			return NULL;
	}
}
