/*
 * deparse.c
 *		Statements of SQL++: what a scan selects, from where, in which order.
 *
 * A row is an array, whose places the plan names (QueryItem). Fields are projected one by one where the query service's
 * own form of a value is as good as the stored one; it prints numbers anew, so what keeps every digit is taken from the
 * whole document, which it hands on as it is stored.
 */
#include "plan_query.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/lsyscache.h"

/* Whether values of a type can be read from what the query service prints. */
static bool
deparse_type_is_plain(Oid type)
{
	switch (getBaseType(type))
	{
		case NUMERICOID:
		case FLOAT4OID:
		case JSONOID:
		case JSONBOID:
			return false;
		default:
			return !OidIsValid(get_element_type(getBaseType(type))) &&
				get_typtype(getBaseType(type)) != TYPTYPE_COMPOSITE;
	}
}

/* Documents that are not JSON have no form in SQL++: types that could hold them are left to the data service. */
static bool
deparse_type_is_json(Oid type)
{
	return getBaseType(type) == JSONOID || getBaseType(type) == JSONBOID;
}

/* Whether the columns need the whole document. */
static bool
deparse_needs_document(const FdwTable *table, List *columns)
{
	ListCell   *lc;

	foreach(lc, columns)
	{
		const FdwColumn *column;

		if (lfirst_int(lc) == InvalidAttrNumber)
			return true;
		column = &table->columns[lfirst_int(lc) - 1];
		if (column->kind == FDW_COLUMN_DOCUMENT ||
			(column->kind == FDW_COLUMN_PATH && !deparse_type_is_plain(get_atttype(table->relid, lfirst_int(lc)))))
			return true;
	}
	return false;
}

static bool
deparse_add_meta(FdwMeta meta, bool *cas, bool *expiry, bool *flags)
{
	switch (meta)
	{
		case FDW_META_CAS:
			return *cas = true;
		case FDW_META_EXPIRY:
			return *expiry = true;
		case FDW_META_FLAGS:
			return *flags = true;
		default:
			return false;
	}
}

/* The table's columns, or all of them for the whole row. */
static List *
deparse_columns(const FdwTable *table, List *columns)
{
	List	   *all = NIL;

	if (columns == NIL || linitial_int(columns) != InvalidAttrNumber)
		return columns;
	for (int i = 0; i < table->natts; i++)
	{
		if (table->columns[i].kind != FDW_COLUMN_NONE)
			all = lappend_int(all, i + 1);
	}
	return all;
}

bool
deparse_items(const FdwTable *table, List *columns, List **items)
{
	bool		document = deparse_needs_document(table, columns);
	bool		cas = false;
	bool		expiry = false;
	bool		flags = false;
	bool		typed = false;
	ListCell   *lc;

	*items = list_make1_int(QUERY_ITEM_KEY);
	foreach(lc, deparse_columns(table, columns))
	{
		const FdwColumn *column = &table->columns[lfirst_int(lc) - 1];

		if (column->kind == FDW_COLUMN_META && !deparse_add_meta(column->meta, &cas, &expiry, &flags))
			return false;
		if (column->kind == FDW_COLUMN_DOCUMENT && !deparse_type_is_json(get_atttype(table->relid, lfirst_int(lc))))
			return false;
		typed |= column->kind == FDW_COLUMN_PATH || column->kind == FDW_COLUMN_DOCUMENT;
	}
	/* with the expiry in the statement the service gives no flags */
	if (expiry && flags)
		return false;
	if (typed)
		*items = lappend_int(*items, QUERY_ITEM_TYPE);
	if (cas)
		*items = lappend_int(*items, QUERY_ITEM_CAS);
	if (expiry)
		*items = lappend_int(*items, QUERY_ITEM_EXPIRY);
	if (flags)
		*items = lappend_int(*items, QUERY_ITEM_FLAGS);
	if (document)
		*items = lappend_int(*items, QUERY_ITEM_DOCUMENT);
	else if (typed)
		*items = lappend_int(*items, QUERY_ITEM_PATHS);
	return true;
}

/* The distinct paths of the columns, in the order in which the decoder of rows has them. */
static void
deparse_paths(Ship *ship, RelOptInfo *rel, const FdwTable *table, List *columns, StringInfo out)
{
	List	   *seen = NIL;
	ListCell   *lc;

	foreach(lc, deparse_columns(table, columns))
	{
		const FdwColumn *column = &table->columns[lfirst_int(lc) - 1];
		ListCell   *other;

		if (column->kind != FDW_COLUMN_PATH)
			continue;
		foreach(other, seen)
		{
			if (strcmp(lfirst(other), column->path) == 0)
				break;
		}
		if (other != NULL)
			continue;
		seen = lappend(seen, (void *) column->path);
		appendStringInfo(out, "%s%s", list_length(seen) > 1 ? ", " : "", ship_path(rel->relid, column->path));
	}
}

static void
deparse_item(Ship *ship, RelOptInfo *rel, const FdwTable *table, List *columns, QueryItem item, StringInfo out)
{
	const char *alias = ship_alias(rel->relid);

	switch (item)
	{
		case QUERY_ITEM_KEY:
			appendStringInfo(out, "META(%s).id", alias);
			break;
		case QUERY_ITEM_TYPE:
			appendStringInfo(out, "META(%s).type", alias);
			break;
		case QUERY_ITEM_CAS:
			appendStringInfo(out, "META(%s).cas", alias);
			break;
		case QUERY_ITEM_EXPIRY:
			appendStringInfo(out, "META(%s).expiration", alias);
			break;
		case QUERY_ITEM_FLAGS:
			appendStringInfo(out, "META(%s).flags", alias);
			break;
		case QUERY_ITEM_DOCUMENT:
			appendStringInfoString(out, alias);
			break;
		case QUERY_ITEM_PATHS:
			deparse_paths(ship, rel, table, columns, out);
			break;
	}
}

void
deparse_keyspace(const FdwTable *table, StringInfo out)
{
	appendStringInfo(out, "`default`:%s.%s.%s", ship_quote(table->bucket), ship_quote(table->scope),
					 ship_quote(table->collection));
}

char *
deparse_scan(Ship *ship, RelOptInfo *rel, const QuerySelect *select)
{
	const FdwTable *table = ((FdwRelInfo *) rel->fdw_private)->table;
	StringInfoData out;
	ListCell   *lc;

	initStringInfo(&out);
	appendStringInfoString(&out, "SELECT RAW [");
	foreach(lc, select->items)
	{
		if (foreach_current_index(lc) > 0)
			appendStringInfoString(&out, ", ");
		deparse_item(ship, rel, table, select->columns, (QueryItem) lfirst_int(lc), &out);
	}
	appendStringInfoString(&out, "] FROM ");
	deparse_keyspace(table, &out);
	appendStringInfo(&out, " AS %s", ship_alias(rel->relid));
	if (select->conditions != NIL)
	{
		appendStringInfoString(&out, " WHERE ");
		foreach(lc, select->conditions)
			appendStringInfo(&out, "%s%s", foreach_current_index(lc) > 0 ? " AND " : "", (char *) lfirst(lc));
	}
	foreach(lc, select->order)
		appendStringInfo(&out, "%s%s", foreach_current_index(lc) > 0 ? ", " : " ORDER BY ", (char *) lfirst(lc));
	if (select->limit >= 0)
		appendStringInfo(&out, " LIMIT %.0f", select->limit);
	return out.data;
}
