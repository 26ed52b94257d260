/*
 * ship_table.c
 *		The one table of what the query service can compute: by function, for operators by theirs.
 *
 * Exactness and versions are those that were found by running both databases. What is missing here is computed by
 * PostgreSQL. Letters of args: t text, i integer, f double precision, b boolean; of constants: T text that is not
 * empty, P integer above 0, N integer from 0, Z integer but 0, F double but 0, S integer from 0 to 63.
 */
#include "ship.h"

#include "utils/fmgroids.h"
#include "utils/hsearch.h"

#define COMPARE(function, kind, text, enabled) \
	{function, SHIP_RULE_COMPARE, kind, text, NULL, SHIP_EXACT, 0, enabled, NULL}
#define VALUE(function, kind, args, text, class, version, enabled) \
	{function, SHIP_RULE_VALUE, kind, text, args, class, version, enabled, NULL}
#define CONDITION(function, text, version, enabled, writer) \
	{function, SHIP_RULE_CONDITION, SHIP_BOOL, text, NULL, SHIP_EXACT, version, enabled, writer}

/* The six comparisons of a type whose functions are named alike. */
#define SIX(prefix, kind, enabled) \
	COMPARE(F_##prefix##EQ, kind, "=", enabled), \
	COMPARE(F_##prefix##NE, kind, "!=", enabled), \
	COMPARE(F_##prefix##LT, kind, "<", enabled), \
	COMPARE(F_##prefix##LE, kind, "<=", enabled), \
	COMPARE(F_##prefix##GT, kind, ">", enabled), \
	COMPARE(F_##prefix##GE, kind, ">=", enabled)

/* Integer arithmetic: PostgreSQL raises where the service goes on with doubles, so rows are checked again. */
#define ADD_MULTIPLY(prefix) \
	VALUE(F_##prefix##PL, SHIP_INT, "ii", "(%1 + %2)", SHIP_SUPERSET, 0, &guc_enable_math_pushdown), \
	VALUE(F_##prefix##MUL, SHIP_INT, "ii", "(%1 * %2)", SHIP_SUPERSET, 0, &guc_enable_math_pushdown), \
	VALUE(F_##prefix##DIV, SHIP_INT, "iZ", "IDIV(%1, %2)", SHIP_EXACT, 0, &guc_enable_math_pushdown)
#define SUBTRACT(prefix) \
	VALUE(F_##prefix##MI, SHIP_INT, "ii", "(%1 - %2)", SHIP_SUPERSET, 0, &guc_enable_math_pushdown)
#define MODULO(function) \
	VALUE(function, SHIP_INT, "iZ", "IMOD(%1, %2)", SHIP_EXACT, 0, &guc_enable_math_pushdown)
#define NEGATE(function) \
	VALUE(function, SHIP_INT, "i", "(- %1)", SHIP_EXACT, 0, &guc_enable_math_pushdown)
#define ABSOLUTE(function) \
	VALUE(function, SHIP_INT, "i", "CASE WHEN %1 < 0 THEN - %1 ELSE %1 END", SHIP_EXACT, 0, \
		  &guc_enable_math_pushdown)
#define BITS(prefix) \
	VALUE(F_##prefix##AND, SHIP_INT, "ii", "BITAND(%1, %2)", SHIP_EXACT, 0, &guc_enable_math_pushdown), \
	VALUE(F_##prefix##OR, SHIP_INT, "ii", "BITOR(%1, %2)", SHIP_EXACT, 0, &guc_enable_math_pushdown), \
	VALUE(F_##prefix##XOR, SHIP_INT, "ii", "BITXOR(%1, %2)", SHIP_EXACT, 0, &guc_enable_math_pushdown), \
	VALUE(F_##prefix##NOT, SHIP_INT, "i", "BITNOT(%1)", SHIP_EXACT, 0, &guc_enable_math_pushdown)
#define FLOAT(function, args, text, class) \
	VALUE(function, SHIP_FLOAT, args, text, class, 0, &guc_enable_math_pushdown)
#define STRING(function, args, text, version) \
	VALUE(function, SHIP_TEXT, args, text, SHIP_EXACT, version, &guc_enable_text_pushdown)
#define LENGTH(function, args, text, version) \
	VALUE(function, SHIP_INT, args, text, SHIP_EXACT, version, &guc_enable_text_pushdown)

/* Past its end a text has no characters here, and NULL ones there. */
#define PART(call) "CASE WHEN %1 IS VALUED THEN IFMISSINGORNULL(" call ", \"\") END"

#define ALWAYS &guc_enable_condition_pushdown

static const ShipEntry ship_table[] = {
	/* comparisons */
	COMPARE(F_TEXTEQ, SHIP_TEXT, "=", ALWAYS),
	COMPARE(F_TEXTNE, SHIP_TEXT, "!=", ALWAYS),
	COMPARE(F_TEXT_LT, SHIP_TEXT, "<", ALWAYS),
	COMPARE(F_TEXT_LE, SHIP_TEXT, "<=", ALWAYS),
	COMPARE(F_TEXT_GT, SHIP_TEXT, ">", ALWAYS),
	COMPARE(F_TEXT_GE, SHIP_TEXT, ">=", ALWAYS),
	COMPARE(F_NAMEEQ, SHIP_TEXT, "=", ALWAYS),
	COMPARE(F_NAMENE, SHIP_TEXT, "!=", ALWAYS),
	COMPARE(F_NAMEEQTEXT, SHIP_TEXT, "=", ALWAYS),
	COMPARE(F_NAMENETEXT, SHIP_TEXT, "!=", ALWAYS),
	COMPARE(F_TEXTEQNAME, SHIP_TEXT, "=", ALWAYS),
	COMPARE(F_TEXTNENAME, SHIP_TEXT, "!=", ALWAYS),
	SIX(BOOL, SHIP_BOOL, ALWAYS),
	SIX(OID, SHIP_INT, ALWAYS),
	SIX(INT2, SHIP_INT, ALWAYS),
	SIX(INT4, SHIP_INT, ALWAYS),
	SIX(INT8, SHIP_INT, ALWAYS),
	SIX(INT24, SHIP_INT, ALWAYS),
	SIX(INT42, SHIP_INT, ALWAYS),
	SIX(INT28, SHIP_INT, ALWAYS),
	SIX(INT82, SHIP_INT, ALWAYS),
	SIX(INT48, SHIP_INT, ALWAYS),
	SIX(INT84, SHIP_INT, ALWAYS),
	SIX(FLOAT8, SHIP_FLOAT, ALWAYS),
	SIX(NUMERIC_, SHIP_NUMERIC, ALWAYS),
	SIX(TIMESTAMP_, SHIP_EPOCH, &guc_enable_time_pushdown),
	SIX(TIMESTAMPTZ_, SHIP_EPOCH, &guc_enable_time_pushdown),
	SIX(DATE_, SHIP_EPOCH, &guc_enable_time_pushdown),
	COMPARE(F_UUID_EQ, SHIP_UUID, "=", ALWAYS),
	COMPARE(F_ENUM_EQ, SHIP_ENUM, "=", ALWAYS),
	COMPARE(F_ENUM_NE, SHIP_ENUM, "!=", ALWAYS),

	/* text */
	CONDITION(F_TEXTLIKE, "LIKE", 0, &guc_enable_text_pushdown, ship_like),
	CONDITION(F_TEXTNLIKE, "NOT LIKE", 0, &guc_enable_text_pushdown, ship_like),
	CONDITION(F_LIKE_TEXT_TEXT, "LIKE", 0, &guc_enable_text_pushdown, ship_like),
	CONDITION(F_NOTLIKE_TEXT_TEXT, "NOT LIKE", 0, &guc_enable_text_pushdown, ship_like),
	CONDITION(F_STARTS_WITH, NULL, 0, &guc_enable_text_pushdown, ship_starts_with),
	LENGTH(F_TEXTLEN, "t", "MB_LENGTH(%1)", 70600),
	LENGTH(F_LENGTH_TEXT, "t", "MB_LENGTH(%1)", 70600),
	LENGTH(F_CHAR_LENGTH_TEXT, "t", "MB_LENGTH(%1)", 70600),
	LENGTH(F_CHARACTER_LENGTH_TEXT, "t", "MB_LENGTH(%1)", 70600),
	LENGTH(F_OCTET_LENGTH_TEXT, "t", "LENGTH(%1)", 0),
	LENGTH(F_BIT_LENGTH_TEXT, "t", "(LENGTH(%1) * 8)", 0),
	LENGTH(F_STRPOS, "tt", "MB_POSITION1(%1, %2)", 70600),
	LENGTH(F_POSITION_TEXT_TEXT, "tt", "MB_POSITION1(%1, %2)", 70600),
	STRING(F_TEXTCAT, "tt", "(%1 || %2)", 0),
	STRING(F_SUBSTR_TEXT_INT4, "tP", PART("MB_SUBSTR1(%1, %2)"), 70600),
	STRING(F_SUBSTRING_TEXT_INT4, "tP", PART("MB_SUBSTR1(%1, %2)"), 70600),
	STRING(F_SUBSTR_TEXT_INT4_INT4, "tPN", PART("MB_SUBSTR1(%1, %2, %3)"), 70600),
	STRING(F_SUBSTRING_TEXT_INT4_INT4, "tPN", PART("MB_SUBSTR1(%1, %2, %3)"), 70600),
	STRING(F_LEFT, "tN", PART("MB_SUBSTR1(%1, 1, %2)"), 70600),
	STRING(F_BTRIM_TEXT, "t", "TRIM(%1, \" \")", 0),
	STRING(F_LTRIM_TEXT, "t", "LTRIM(%1, \" \")", 0),
	STRING(F_RTRIM_TEXT, "t", "RTRIM(%1, \" \")", 0),
	STRING(F_BTRIM_TEXT_TEXT, "tT", "TRIM(%1, %2)", 0),
	STRING(F_LTRIM_TEXT_TEXT, "tT", "LTRIM(%1, %2)", 0),
	STRING(F_RTRIM_TEXT_TEXT, "tT", "RTRIM(%1, %2)", 0),
	STRING(F_LPAD_TEXT_INT4, "tN", "MB_LPAD(%1, %2, \" \")", 70600),
	STRING(F_RPAD_TEXT_INT4, "tN", "MB_RPAD(%1, %2, \" \")", 70600),
	STRING(F_LPAD_TEXT_INT4_TEXT, "tNT", "MB_LPAD(%1, %2, %3)", 70600),
	STRING(F_RPAD_TEXT_INT4_TEXT, "tNT", "MB_RPAD(%1, %2, %3)", 70600),
	STRING(F_REPEAT, "tN", "REPEAT(%1, %2)", 0),
	STRING(F_REPLACE, "tTt", "REPLACE(%1, %2, %3)", 0),
	STRING(F_MD5_TEXT, "t", "HASHBYTES(%1, \"md5\")", 70100),
	STRING(F_TEXT_BOOL, "b", "TOSTRING(%1)", 0),
	STRING(F_TEXT_NAME, "t", "%1", 0),

	/* integers */
	ADD_MULTIPLY(INT2), ADD_MULTIPLY(INT4), ADD_MULTIPLY(INT8), ADD_MULTIPLY(INT24), ADD_MULTIPLY(INT42),
	ADD_MULTIPLY(INT28), ADD_MULTIPLY(INT82), ADD_MULTIPLY(INT48), ADD_MULTIPLY(INT84),
	SUBTRACT(INT2), SUBTRACT(INT4), SUBTRACT(INT24), SUBTRACT(INT42),
	MODULO(F_INT2MOD), MODULO(F_INT4MOD), MODULO(F_INT8MOD),
	MODULO(F_MOD_INT2_INT2), MODULO(F_MOD_INT4_INT4), MODULO(F_MOD_INT8_INT8),
	NEGATE(F_INT2UM), NEGATE(F_INT4UM), NEGATE(F_INT8UM),
	ABSOLUTE(F_INT2ABS), ABSOLUTE(F_INT4ABS), ABSOLUTE(F_INT8ABS),
	ABSOLUTE(F_ABS_INT2), ABSOLUTE(F_ABS_INT4), ABSOLUTE(F_ABS_INT8),
	BITS(INT2), BITS(INT4), BITS(INT8),
	VALUE(F_INT8SHL, SHIP_INT, "iS", "BITSHIFT(%1, %2)", SHIP_EXACT, 0, &guc_enable_math_pushdown),

	/* double precision: the service computes with integers where it can, a division makes doubles of them */
	FLOAT(F_FLOAT8PL, "ff", "((%1 + %2) / 1)", SHIP_EXACT),
	FLOAT(F_FLOAT8MI, "ff", "((%1 - %2) / 1)", SHIP_EXACT),
	FLOAT(F_FLOAT8MUL, "ff", "((%1 * %2) / 1)", SHIP_SUPERSET),
	FLOAT(F_FLOAT8DIV, "fF", "(%1 / %2)", SHIP_EXACT),
	FLOAT(F_FLOAT8UM, "f", "(- %1)", SHIP_EXACT),
	FLOAT(F_FLOAT8ABS, "f", "ABS(%1)", SHIP_EXACT),
	FLOAT(F_ABS_FLOAT8, "f", "ABS(%1)", SHIP_EXACT),
	FLOAT(F_SIGN_FLOAT8, "f", "SIGN(%1)", SHIP_EXACT),
	FLOAT(F_CEIL_FLOAT8, "f", "CEIL(%1)", SHIP_EXACT),
	FLOAT(F_CEILING_FLOAT8, "f", "CEIL(%1)", SHIP_EXACT),
	FLOAT(F_FLOOR_FLOAT8, "f", "FLOOR(%1)", SHIP_EXACT),
	FLOAT(F_TRUNC_FLOAT8, "f", "TRUNC(%1)", SHIP_EXACT),
	FLOAT(F_SQRT_FLOAT8, "f", "CASE WHEN %1 >= 0 THEN SQRT(%1) END", SHIP_SUPERSET),

	/* casts */
	VALUE(F_INT4_INT2, SHIP_INT, "i", "%1", SHIP_EXACT, 0, ALWAYS),
	VALUE(F_INT8_INT2, SHIP_INT, "i", "%1", SHIP_EXACT, 0, ALWAYS),
	VALUE(F_INT8_INT4, SHIP_INT, "i", "%1", SHIP_EXACT, 0, ALWAYS),
	VALUE(F_FLOAT8_INT2, SHIP_FLOAT, "i", "(%1 / 1)", SHIP_EXACT, 0, ALWAYS),
	VALUE(F_FLOAT8_INT4, SHIP_FLOAT, "i", "(%1 / 1)", SHIP_EXACT, 0, ALWAYS),
	VALUE(F_FLOAT8_INT8, SHIP_FLOAT, "i", "(%1 / 1)", SHIP_EXACT, 0, ALWAYS),
	VALUE(F_NUMERIC_INT2, SHIP_NUMERIC, "i", "%1", SHIP_EXACT, 0, ALWAYS),
	VALUE(F_NUMERIC_INT4, SHIP_NUMERIC, "i", "%1", SHIP_EXACT, 0, ALWAYS),
	VALUE(F_NUMERIC_INT8, SHIP_NUMERIC, "i", "%1", SHIP_EXACT, 0, ALWAYS),

	/* arrays */
	CONDITION(F_ARRAYCONTAINS, "@>", 0, &guc_enable_array_pushdown, ship_array_operator),
	CONDITION(F_ARRAYCONTAINED, "<@", 0, &guc_enable_array_pushdown, ship_array_operator),
	CONDITION(F_ARRAYOVERLAP, "&&", 0, &guc_enable_array_pushdown, ship_array_operator),

	/* json */
	CONDITION(F_JSONB_CONTAINS, NULL, 0, &guc_enable_json_pushdown, ship_json_contains),
	CONDITION(F_JSONB_EXISTS, NULL, 0, &guc_enable_json_pushdown, ship_json_exists),
	CONDITION(F_JSONB_EXISTS_ANY, "OR", 0, &guc_enable_json_pushdown, ship_json_exists),
	CONDITION(F_JSONB_EXISTS_ALL, "AND", 0, &guc_enable_json_pushdown, ship_json_exists),
};

/* Function to entry, filled at the first use. */
typedef struct ShipSlot
{
	Oid			function;
	const ShipEntry *entry;
} ShipSlot;

static HTAB *
ship_table_index(void)
{
	static HTAB *index = NULL;
	HASHCTL		ctl = {0};
	HTAB	   *made;

	if (index != NULL)
		return index;
	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(ShipSlot);
	made = hash_create("cbconn_fdw shippable functions", lengthof(ship_table), &ctl, HASH_ELEM | HASH_BLOBS);
	for (int i = 0; i < lengthof(ship_table); i++)
	{
		ShipSlot   *slot = hash_search(made, &ship_table[i].function, HASH_ENTER, NULL);

		slot->entry = &ship_table[i];
	}
	index = made;
	return index;
}

const ShipEntry *
ship_find(const Ship *ship, Oid function)
{
	ShipSlot   *slot = hash_search(ship_table_index(), &function, HASH_FIND, NULL);

	if (slot == NULL || !*slot->entry->enabled || ship->available < slot->entry->version)
		return NULL;
	return slot->entry;
}
