/*
 * value_jsonb_out.c
 *		jsonb and strings to JSON text: the same text as PostgreSQL's own, but for a limit of depth, and faster where
 *		documents are written by the million.
 */
#include "fdw.h"

#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "value.h"

#include "../protocol/json_walk.h"

/* Characters of strings that JSON text escapes. */
static inline bool
must_escape(unsigned char c)
{
	return c < ' ' || c == '"' || c == '\\';
}

static void
append_escaped(StringInfo out, unsigned char c)
{
	static const char *const short_forms[' '] = {
		['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t"
	};

	if (c >= ' ')
	{
		appendStringInfoCharMacro(out, '\\');
		appendStringInfoCharMacro(out, c);
	}
	else if (short_forms[c] != NULL)
		appendBinaryStringInfo(out, short_forms[c], 2);
	else
		appendStringInfo(out, "\\u%04x", c);
}

void
value_append_string(StringInfo out, const char *text, size_t len)
{
	const char *end = text + len;

	appendStringInfoCharMacro(out, '"');
	while (text < end)
	{
		const char *run = text;

		while (text < end && !must_escape((unsigned char) *text))
			text++;
		appendBinaryStringInfo(out, run, text - run);
		if (text < end)
			append_escaped(out, (unsigned char) *text++);
	}
	appendStringInfoCharMacro(out, '"');
}

static void
append_scalar(StringInfo out, const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			appendBinaryStringInfo(out, "null", 4);
			break;
		case jbvString:
			value_append_string(out, value->val.string.val, value->val.string.len);
			break;
		case jbvNumeric:
			appendStringInfoString(out, DatumGetCString(DirectFunctionCall1(numeric_out,
																			NumericGetDatum(value->val.numeric))));
			break;
		case jbvBool:
			appendStringInfoString(out, value->val.boolean ? "true" : "false");
			break;
		default:
			elog(ERROR, "unexpected type of jsonb value: %d", (int) value->type);
	}
}

static void
check_depth(int depth)
{
	if (depth > CB_JSON_MAX_DEPTH)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("value cannot be stored as JSON"),
				 errdetail("It is nested more than %d levels deep.", CB_JSON_MAX_DEPTH)));
}

void
value_append_jsonb(StringInfo out, Jsonb *jsonb)
{
	JsonbIterator *iter = JsonbIteratorInit(&jsonb->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	bool		first = true;	/* no comma before the next value */
	int			depth = 0;

	enlargeStringInfo(out, VARSIZE(jsonb));
	while ((token = JsonbIteratorNext(&iter, &value, false)) != WJB_DONE)
	{
		bool		scalar = token == WJB_BEGIN_ARRAY && value.val.array.rawScalar;

		if (!first && token != WJB_END_ARRAY && token != WJB_END_OBJECT)
			appendBinaryStringInfo(out, ", ", 2);
		if (token == WJB_KEY)
		{
			append_scalar(out, &value);
			appendBinaryStringInfo(out, ": ", 2);
		}
		else if (token == WJB_VALUE || token == WJB_ELEM)
			append_scalar(out, &value);
		else if (token == WJB_END_ARRAY || token == WJB_END_OBJECT)
		{
			depth--;
			if (!(depth == 0 && (jsonb->root.header & JB_FSCALAR)))
				appendStringInfoCharMacro(out, token == WJB_END_ARRAY ? ']' : '}');
		}
		else
		{
			check_depth(++depth);
			if (!scalar)
				appendStringInfoCharMacro(out, token == WJB_BEGIN_ARRAY ? '[' : '{');
		}
		first = token == WJB_KEY || token == WJB_BEGIN_ARRAY || token == WJB_BEGIN_OBJECT;
	}
}
