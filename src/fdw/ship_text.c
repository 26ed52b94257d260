/*
 * ship_text.c
 *		LIKE and prefixes in SQL++. Patterns whose meaning is simpler are sent as what they mean: indexes serve ranges
 *		of texts better than patterns, and ranges are right in all versions.
 */
#include "ship.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"

#include "prefix.h"

/* LIKE of services before this one takes every line of a text for a text of its own. */
#define LIKE_VERSION 70600

typedef struct TextMatch
{
	Ship	   *ship;
	ShipValue	value;
	const char *text;			/* of the value: the path of a column */
	bool		negated;
	ShipClass	class;
} TextMatch;

static Expr *
text_constant(const char *text, int len)
{
	return (Expr *) makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
							  PointerGetDatum(cstring_to_text_with_len(text, len)), false, false);
}

/* The test, with what tells a text from other values where it does not do so itself. */
static const char *
text_guarded(TextMatch *match, const char *test, bool needs_guard)
{
	ShipColumn *column = match->value.column;
	ShipClass	class = SHIP_EXACT;
	const char *guard;

	if (column == NULL || column->present || (!needs_guard && !column->soft))
		return test;
	guard = ship_column_present(column, &class);
	match->class = Min(match->class, class);
	return psprintf("(%s AND %s)", test, guard);
}

static const char *
text_has_prefix(TextMatch *match, Expr *prefix)
{
	const char *from = ship_param(match->ship, prefix, SHIP_AS_VALUE);
	const char *to = ship_param(match->ship, prefix, SHIP_AS_SUCCESSOR);
	const char *c = match->text;

	if (!match->negated)
		return text_guarded(match, psprintf("(%s >= %s AND %s < %s)", c, from, c, to), false);
	return text_guarded(match, psprintf("(%s < %s OR %s >= %s)", c, from, c, to), true);
}

static const char *
text_equals(TextMatch *match, Expr *other)
{
	const char *k = ship_param(match->ship, other, SHIP_AS_VALUE);

	if (!match->negated)
		return psprintf("%s = %s", match->text, k);
	return text_guarded(match, psprintf("%s != %s", match->text, k), true);
}

static const char *
text_contains(TextMatch *match, Expr *other)
{
	const char *k = ship_param(match->ship, other, SHIP_AS_VALUE);

	return text_guarded(match, psprintf("%sCONTAINS(%s, %s)", match->negated ? "NOT " : "", match->text, k), true);
}

static const char *
text_like(TextMatch *match, Expr *pattern)
{
	if (match->ship->available < LIKE_VERSION)
	{
		if (match->negated)
			return NULL;
		match->class = SHIP_SUPERSET;
	}
	return text_guarded(match, psprintf("(%s %s %s)", match->text, match->negated ? "NOT LIKE" : "LIKE",
										ship_param(match->ship, pattern, SHIP_AS_VALUE)), true);
}

/* %text% without anything else that is special: the text; else NULL. */
static Expr *
text_between_wildcards(const char *pattern)
{
	int			len = strlen(pattern);

	if (len < 3 || pattern[0] != '%' || pattern[len - 1] != '%' || strcspn(pattern + 1, "%_\\") != len - 2)
		return NULL;
	return text_constant(pattern + 1, len - 2);
}

static const char *
text_like_constant(TextMatch *match, Expr *pattern)
{
	char	   *like = TextDatumGetCString(((Const *) pattern)->constvalue);
	Expr	   *inner = text_between_wildcards(like);
	StringInfoData prefix;
	size_t		rest;

	initStringInfo(&prefix);
	if (inner != NULL)
		return text_contains(match, inner);
	if (!prefix_of_like(like, strlen(like), &prefix, &rest))
		return NULL;			/* PostgreSQL refuses it when there is a text to compare */
	if (like[rest] == '\0')
		return text_equals(match, text_constant(prefix.data, prefix.len));
	if (like[rest + strspn(like + rest, "%")] == '\0')
		return text_has_prefix(match, text_constant(prefix.data, prefix.len));
	return text_like(match, pattern);
}

/* ->> makes text of all JSON values: those that are none pass, to be looked at here. */
static const char *
text_of_json(TextMatch *match, const char *test)
{
	match->class = SHIP_SUPERSET;
	return test != NULL ? psprintf("(%s OR NOT ISSTRING(%s))", test, match->text) : NULL;
}

/* Prepares a match of the first argument with the second, which must be known before. */
static bool
text_begin(TextMatch *match, Ship *ship, List *args, Oid collation, bool negated)
{
	memset(match, 0, sizeof(*match));
	match->ship = ship;
	match->negated = negated;
	if (!ship_text_equal(collation) || !ship_value(ship, linitial(args), &match->value) ||
		(match->value.kind != SHIP_TEXT && match->value.kind != SHIP_JSON_TEXT) ||
		(match->value.column != NULL && match->value.column->loose) || !ship_is_param(ship, lsecond(args)))
		return false;
	match->class = match->value.class;
	match->text = match->value.column != NULL ? match->value.column->path : ship_value_text(ship, &match->value);
	return match->text != NULL;
}

const char *
ship_like(Ship *ship, const ShipEntry *entry, List *args, Oid collation, bool negated, ShipClass *class)
{
	Expr	   *pattern = lsecond(args);
	TextMatch	match;
	const char *text;

	if (!text_begin(&match, ship, args, collation, negated != (entry->text[0] == 'N')))
		return NULL;
	if (match.value.kind == SHIP_JSON_TEXT)
	{
		match.value.column->kind = SHIP_TEXT;
		match.value.column->soft = false;
	}
	if (!IsA(pattern, Const))
		text = text_like(&match, pattern);
	else if (((Const *) pattern)->constisnull)
		text = "FALSE";
	else
		text = text_like_constant(&match, pattern);
	if (match.value.kind == SHIP_JSON_TEXT)
		text = text_of_json(&match, text);
	*class = match.class;
	return text;
}

const char *
ship_starts_with(Ship *ship, const ShipEntry *entry, List *args, Oid collation, bool negated, ShipClass *class)
{
	TextMatch	match;
	const char *text;

	if (!text_begin(&match, ship, args, collation, negated) || match.value.kind != SHIP_TEXT)
		return NULL;
	text = text_has_prefix(&match, lsecond(args));
	*class = match.class;
	return text;
}
