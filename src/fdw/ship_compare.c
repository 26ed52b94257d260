/*
 * ship_compare.c
 *		Comparisons in SQL++. A column with something known before has a form of its own for each kind, which indexes
 *		serve; everything else compares values.
 */
#include "ship.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

/* Doubles up to this are exact integers, and integers up to this exact doubles. */
#define EXACT_INTEGER ((int64) 1 << 53)

typedef struct Comparison
{
	Ship	   *ship;
	const char *op;
	Oid			collation;
	ShipClass	class;
} Comparison;

static bool
op_is(const char *op, const char *other)
{
	return strcmp(op, other) == 0;
}

static const char *
op_negated(const char *op)
{
	return op_is(op, "=") ? "!=" : op_is(op, "!=") ? "=" : op_is(op, "<") ? ">=" : op_is(op, "<=") ? ">" :
		op_is(op, ">") ? "<=" : "<";
}

static const char *
op_swapped(const char *op)
{
	return op_is(op, "<") ? ">" : op_is(op, "<=") ? ">=" : op_is(op, ">") ? "<" : op_is(op, ">=") ? "<=" : op;
}

/*
 * c op k between the two ends of c's type: an end is given where the operator does not bound that side. More is ANDed
 * where it is not NULL.
 */
static const char *
compare_between(const char *c, const char *op, const char *k, const char *from, const char *to, const char *more)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '(');
	if (op[0] != '>' && op[0] != '=')
		appendStringInfo(&buf, "%s %s AND ", c, from);
	appendStringInfo(&buf, "%s %s %s", c, op, k);
	if (op[0] != '<' && op[0] != '=')
		appendStringInfo(&buf, " AND %s %s", c, to);
	if (more != NULL)
		appendStringInfo(&buf, " AND %s", more);
	appendStringInfoChar(&buf, ')');
	return buf.data;
}

static const char *
compare_text(Comparison *cmp, ShipColumn *column, Expr *param)
{
	const char *c = column->path;
	const char *more = NULL;

	if (column->soft && !op_is(cmp->op, "="))
		more = psprintf("NOT CONTAINS(%s, \"\\u0000\")", c);
	if (column->loose)
		cmp->class = SHIP_SUPERSET;
	return compare_between(c, cmp->op, ship_param(cmp->ship, param, SHIP_AS_VALUE), ">= \"\"", "< []", more);
}

static bool
compare_constant_integer(Expr *param, int64 *number)
{
	Const	   *constant = (Const *) param;

	if (!IsA(param, Const) || constant->constisnull)
		return false;
	if (constant->consttype == INT8OID)
		*number = DatumGetInt64(constant->constvalue);
	else if (constant->consttype == INT4OID)
		*number = DatumGetInt32(constant->constvalue);
	else if (constant->consttype == INT2OID)
		*number = DatumGetInt16(constant->constvalue);
	else
		return false;
	return true;
}

static const char *
compare_integer(Comparison *cmp, ShipColumn *column, Expr *param)
{
	const char *c = column->path;
	const char *k = ship_param(cmp->ship, param, SHIP_AS_VALUE);
	bool		whole = column->min == PG_INT64_MIN;
	const char *is_integer = psprintf("IDIV(%s, 1) = %s", c, c);
	int64		number;

	if (op_is(cmp->op, "=") && compare_constant_integer(param, &number) &&
		number >= Max(column->min, -EXACT_INTEGER) && number <= Min(column->max, EXACT_INTEGER))
		return psprintf("%s = %s", c, k);
	if (whole)
		return compare_between(c, cmp->op, k, "> TRUE", "< \"\"", is_integer);
	return psprintf("(%s >= " INT64_FORMAT " AND %s <= " INT64_FORMAT " AND %s %s %s AND %s)", c, column->min, c,
					column->max, c, cmp->op, k, is_integer);
}

/* Below 2^53 doubles compare as they are; above, integers must become doubles first, as they do in PostgreSQL. */
static const char *
compare_float(Comparison *cmp, ShipColumn *column, Expr *param)
{
	const char *c = column->path;
	const char *k = ship_param(cmp->ship, param, SHIP_AS_FLOAT);
	Const	   *constant = (Const *) param;

	if (IsA(param, Const) && !constant->constisnull && constant->consttype == FLOAT8OID &&
		DatumGetFloat8(constant->constvalue) < EXACT_INTEGER && DatumGetFloat8(constant->constvalue) > -EXACT_INTEGER)
		return compare_between(c, cmp->op, k, "> TRUE", "< \"\"", NULL);
	return psprintf("(%s > TRUE AND %s < \"\" AND (%s / 1) %s %s)", c, c, c, cmp->op, k);
}

/* Both sides lose digits on their way into a double: what is equal lies between the doubles around it. */
static const char *
compare_numeric(Comparison *cmp, const char *c, Expr *param)
{
	const char *from = "TRUE";
	const char *to = "\"\"";

	cmp->class = SHIP_SUPERSET;
	if (cmp->op[0] == '>' || op_is(cmp->op, "="))
		from = ship_param(cmp->ship, param, SHIP_AS_FLOAT_BELOW);
	if (cmp->op[0] == '<' || op_is(cmp->op, "="))
		to = ship_param(cmp->ship, param, SHIP_AS_FLOAT_ABOVE);
	return psprintf("(%s > TRUE AND %s >= %s AND %s <= %s AND %s < \"\")", c, c, from, c, to, c);
}

static const char *
compare_boolean(Comparison *cmp, ShipColumn *column, Expr *param)
{
	return compare_between(column->path, cmp->op, ship_param(cmp->ship, param, SHIP_AS_VALUE), ">= FALSE", "<= TRUE",
						   NULL);
}

/*
 * A number of seconds or milliseconds reads as a time when it lies between the first and the last number that do; times
 * outside PostgreSQL's range are not there.
 */
static const char *
compare_epoch(Comparison *cmp, ShipColumn *column, Expr *param)
{
	const char *c = column->path;
	bool		ms = column->format == FDW_TIME_EPOCH_MS;
	const char *min = ms ? "-210866803200000" : "-210866803200";
	const char *max = ms ? "9224318016000000" : "9224318016000";
	const char *inside = psprintf("%s >= %s AND %s < %s", c, min, c, max);
	const char *first = NULL;
	const char *last = NULL;

	if (!op_is(cmp->op, "<=") && !op_is(cmp->op, ">"))
		first = ship_param(cmp->ship, param, ms ? SHIP_AS_EPOCH_MS_FIRST : SHIP_AS_EPOCH_S_FIRST);
	if (!op_is(cmp->op, "<") && !op_is(cmp->op, ">="))
		last = ship_param(cmp->ship, param, ms ? SHIP_AS_EPOCH_MS_LAST : SHIP_AS_EPOCH_S_LAST);
	if (op_is(cmp->op, "="))
		return psprintf("(%s AND %s >= %s AND %s <= %s)", inside, c, first, c, last);
	if (op_is(cmp->op, "!="))
		return psprintf("(%s AND (%s < %s OR %s > %s))", inside, c, first, c, last);
	if (op_is(cmp->op, "<"))
		return psprintf("(%s AND %s < %s)", inside, c, first);
	if (op_is(cmp->op, "<="))
		return psprintf("(%s AND %s <= %s)", inside, c, last);
	if (op_is(cmp->op, ">"))
		return psprintf("(%s AND %s > %s)", inside, c, last);
	return psprintf("(%s AND %s >= %s)", inside, c, first);
}

/*
 * Texts have any layout and zone. Two days more on each side cover all zones; years of more than four digits sort
 * elsewhere and are let through.
 */
static const char *
compare_iso(Comparison *cmp, ShipColumn *column, Expr *param)
{
	const char *c = column->path;
	const char *long_year = psprintf("SUBSTR(%s, 4, 1) != \"-\"", c);
	const char *from = NULL;
	const char *to = NULL;

	cmp->class = SHIP_SUPERSET;
	if (op_is(cmp->op, "!="))
		return psprintf("(%s >= \"\" AND %s < [])", c, c);
	if (cmp->op[0] != '<')
		from = psprintf("%s >= %s", c, ship_param(cmp->ship, param, SHIP_AS_DAY_BEFORE));
	if (cmp->op[0] != '>')
		to = psprintf("%s < %s", c, ship_param(cmp->ship, param, SHIP_AS_DAY_AFTER));
	return psprintf("(%s >= \"\" AND %s < [] AND ((%s%s%s) OR %s))", c, c, from ? from : to,
					from && to ? " AND " : "", from && to ? to : "", long_year);
}

/* A uuid may be stored with capitals, braces and hyphens in several places. */
static const char *
compare_uuid(Comparison *cmp, ShipColumn *column, Expr *param)
{
	if (!op_is(cmp->op, "="))
		return NULL;
	cmp->class = SHIP_SUPERSET;
	return psprintf("REPLACE(REPLACE(REPLACE(LOWER(%s), \"-\", \"\"), \"{\", \"\"), \"}\", \"\") = %s", column->path,
					ship_param(cmp->ship, param, SHIP_AS_UUID));
}

static const char *
compare_enum(Comparison *cmp, ShipColumn *column, Expr *param)
{
	if (!op_is(cmp->op, "="))
		cmp->class = SHIP_SUPERSET; /* not every text is a label */
	return compare_between(column->path, cmp->op, ship_param(cmp->ship, param, SHIP_AS_VALUE), ">= \"\"", "< []", NULL);
}

static const char *
compare_padded(Comparison *cmp, ShipColumn *column, Expr *param)
{
	const char *from;
	const char *to;

	if (!op_is(cmp->op, "="))
		return NULL;
	cmp->class = SHIP_SUPERSET;
	from = ship_param(cmp->ship, param, SHIP_AS_VALUE);
	to = ship_param(cmp->ship, param, SHIP_AS_BLANK_SUCCESSOR);
	return psprintf("(%s >= %s AND %s < %s)", column->path, from, column->path, to);
}

/* Whether a text is that of no JSON value but a string. */
static bool
compare_is_string_only(Expr *param)
{
	Const	   *constant = (Const *) param;
	char	   *string;

	if (!IsA(param, Const) || constant->constisnull || constant->consttype != TEXTOID)
		return false;
	string = TextDatumGetCString(constant->constvalue);
	return strchr("-0123456789{[", string[0]) == NULL && strcmp(string, "true") != 0 && strcmp(string, "false") != 0;
}

/* ->> makes text of all JSON values. */
static const char *
compare_json_text(Comparison *cmp, ShipColumn *column, Expr *param)
{
	const char *c = column->path;
	const char *k = ship_param(cmp->ship, param, SHIP_AS_VALUE);

	if (op_is(cmp->op, "=") && compare_is_string_only(param))
	{
		cmp->class = column->soft ? SHIP_SUPERSET : SHIP_EXACT;
		return psprintf("%s = %s", c, k);
	}
	cmp->class = SHIP_SUPERSET;
	return psprintf("(%s OR NOT ISSTRING(%s))", compare_between(c, cmp->op, k, ">= \"\"", "< []", NULL), c);
}

/* (j ->> 'k')::int: also of texts that look like numbers. */
static const char *
compare_json_number(Comparison *cmp, ShipColumn *column, Expr *param)
{
	return psprintf("(%s OR ISSTRING(%s))", compare_numeric(cmp, column->path, param), column->path);
}

static const char *
compare_column(Comparison *cmp, ShipColumn *column, Expr *param)
{
	switch (column->kind)
	{
		case SHIP_TEXT:
			return compare_text(cmp, column, param);
		case SHIP_BOOL:
			return compare_boolean(cmp, column, param);
		case SHIP_INT:
			return compare_integer(cmp, column, param);
		case SHIP_FLOAT:
			return compare_float(cmp, column, param);
		case SHIP_NUMERIC:
			return compare_numeric(cmp, column->path, param);
		case SHIP_EPOCH:
			return compare_epoch(cmp, column, param);
		case SHIP_ISO:
			return compare_iso(cmp, column, param);
		case SHIP_UUID:
			return compare_uuid(cmp, column, param);
		case SHIP_ENUM:
			return compare_enum(cmp, column, param);
		case SHIP_PADDED:
			return compare_padded(cmp, column, param);
		case SHIP_JSON_TEXT:
			return compare_json_text(cmp, column, param);
		case SHIP_JSON_NUMBER:
			return compare_json_number(cmp, column, param);
		default:
			return NULL;
	}
}

/* Two columns for equality: the types are those of the values, so one side tells that of both. */
static const char *
compare_columns(Comparison *cmp, ShipColumn *left, ShipColumn *right)
{
	ShipClass	ignored;

	if (left->soft && left->kind == SHIP_TEXT)
		return NULL;
	if (left->kind == SHIP_FLOAT)
		return psprintf("(%s / 1) = (%s / 1)", left->path, right->path);
	if (left->present && left->kind == SHIP_TEXT)
		return psprintf("%s = %s", left->path, right->path);
	return psprintf("(%s = %s AND %s)", left->path, right->path,
					ship_column_present(left->min >= right->min ? left : right, &ignored));
}

static const char *
compare_values(Comparison *cmp, ShipValue *left, ShipValue *right)
{
	const char *text;
	const char *a;
	const char *b;

	if (left->kind != right->kind || left->kind > SHIP_FLOAT || left->kind == SHIP_NONE)
		return NULL;
	if (op_is(cmp->op, "=") && left->column != NULL && right->column != NULL && !left->column->loose &&
		!right->column->loose && !(left->kind == SHIP_INT && left->column->max != right->column->max))
	{
		text = compare_columns(cmp, left->column, right->column);
		if (text != NULL)
			return text;
	}
	a = ship_value_text(cmp->ship, left);
	b = ship_value_text(cmp->ship, right);
	return a != NULL && b != NULL ? psprintf("(%s %s %s)", a, cmp->op, b) : NULL;
}

/* Whether the columns of a kind are what an operator of an entry's kind compares. */
static bool
compare_kinds_match(ShipKind entry, ShipKind kind)
{
	switch (kind)
	{
		case SHIP_ISO:
			return entry == SHIP_EPOCH;
		case SHIP_PADDED:
		case SHIP_JSON_TEXT:
			return entry == SHIP_TEXT;
		case SHIP_JSON_NUMBER:
			return entry == SHIP_INT || entry == SHIP_FLOAT || entry == SHIP_NUMERIC;
		default:
			return entry == kind;
	}
}

static bool
compare_collation_fits(const Comparison *cmp, ShipKind kind)
{
	if (kind != SHIP_TEXT)
		return true;
	if (op_is(cmp->op, "=") || op_is(cmp->op, "!="))
		return ship_text_equal(cmp->collation);
	return ship_text_order(cmp->collation);
}

const char *
ship_compare(Ship *ship, const ShipEntry *entry, List *args, Oid collation, bool negated, ShipClass *class)
{
	Comparison	cmp = {ship, entry->text, collation, SHIP_EXACT};
	ShipValue	left;
	ShipValue	right;
	const char *text = NULL;

	if (negated)
		cmp.op = op_negated(cmp.op);
	if (!ship_value(ship, linitial(args), &left) || !ship_value(ship, lsecond(args), &right) ||
		!compare_kinds_match(entry->kind, left.kind) || !compare_kinds_match(entry->kind, right.kind) ||
		!compare_collation_fits(&cmp, entry->kind))
		return NULL;
	cmp.class = Min(left.class, right.class);
	if (left.param != NULL)
	{
		ShipValue	other = left;

		left = right;
		right = other;
		cmp.op = op_swapped(cmp.op);
	}
	if (left.column != NULL && right.param != NULL)
		text = compare_column(&cmp, left.column, right.param);
	else if (entry->kind == SHIP_NUMERIC && right.param != NULL && ship_value_text(ship, &left) != NULL)
		text = compare_numeric(&cmp, psprintf("(%s)", left.text), right.param);
	else
		text = compare_values(&cmp, &left, &right);
	*class = cmp.class;
	return text;
}
