/*
 * value_error.c
 *		Messages about JSON values that do not fit their column. The context line of row.c says where they stand.
 */
#include "value.h"

#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "../compat.h"

/* Most characters of a value that a message repeats. */
#define VALUE_SHOWN 64

static char *
value_type_name(const ValueType *type)
{
	return format_type_with_typemod(type->type, type->typmod);
}

/* Bytes of a character that can be shown as it is, 0: none; C1 control characters cannot. */
static int
shown_as_is(const unsigned char *data, size_t len)
{
	int			size;

	if (data[0] < 0x80)
		return data[0] >= 0x20 && data[0] < 0x7f && data[0] != '\\';
	size = pg_utf_mblen(data);
	if (GetDatabaseEncoding() != PG_UTF8 || size > len || !pg_utf8_islegal(data, size) ||
		(data[0] == 0xc2 && data[1] < 0xa0))
		return 0;
	return size;
}

char *
value_escape(const char *data, size_t len, size_t limit)
{
	StringInfoData text;

	initStringInfo(&text);
	for (size_t i = 0; i < Min(len, limit); i++)
	{
		unsigned char c = data[i];
		int			size = shown_as_is((const unsigned char *) data + i, len - i);

		if (size > 0)
		{
			appendBinaryStringInfo(&text, data + i, size);
			i += size - 1;
		}
		else
			appendStringInfo(&text, "\\x%02x", c);
	}
	if (len > limit)
		appendStringInfoString(&text, "...");
	return text.data;
}

bool
value_wrong_type(ValueState *state, const ValueType *type, const CbJsonValue *json)
{
	if (!state->soft)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("JSON %s cannot be read as type %s", cb_json_type_name(json->type), value_type_name(type))));
	return false;
}

bool
value_out_of_range(ValueState *state, const ValueType *type, const CbJsonValue *json)
{
	if (!state->soft)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value %s is out of range for type %s",
						value_escape((const char *) json->data, json->len, VALUE_SHOWN), value_type_name(type))));
	return false;
}

bool
value_invalid(ValueState *state, const ValueType *type, const CbJsonValue *json)
{
	if (!state->soft)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid value for type %s: %s", value_type_name(type),
						value_escape((const char *) json->data, json->len, VALUE_SHOWN))));
	return false;
}

bool
value_ragged(ValueState *state, const ValueType *type)
{
	if (!state->soft)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("JSON array cannot be read as type %s", value_type_name(type)),
				 errdetail("Nested arrays must be of equal length and depth, at most %d levels.", MAXDIM)));
	return false;
}

bool
value_bad_text(ValueState *state, CbResult result)
{
	if (result == CB_NOMEM)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	if (state->soft)
		return false;
	if (result == CB_NUL_CHAR)
		ereport(ERROR,
				(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
				 errmsg("\\u0000 cannot be converted to text")));
	if (result == CB_LONE_SURROGATE)
		ereport(ERROR,
				(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
				 errmsg("half of a Unicode surrogate pair cannot be converted to text")));
	if (result == CB_BAD_UTF8)
		ereport(ERROR,
				(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 errmsg("text is not valid UTF-8")));
	elog(ERROR, "could not decode a JSON string: %s", cb_result_name(result));
}
