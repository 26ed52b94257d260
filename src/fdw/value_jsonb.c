/*
 * value_jsonb.c
 *		jsonb from checked JSON text, through the server's builder of jsonb values.
 *
 * jsonb_in would check and copy every string once more; here strings without escapes are used where they stand.
 */
#include "value.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "../compat.h"

typedef struct JsonbBuild
{
	ValueState *state;
	ValueType  *type;
	JsonbParseState *parse;
} JsonbBuild;

static bool
jsonb_string(JsonbBuild *build, const CbJsonValue *json, JsonbValue *value)
{
	ValueString string;

	if (!value_string(build->state, build->type, json, &string))
		return false;
	value->type = jbvString;
	value->val.string.len = string.len;
	value->val.string.val = json->escaped ? pnstrdup(string.data, string.len) : (char *) string.data;
	return true;
}

static bool
jsonb_scalar(JsonbBuild *build, const CbJsonValue *json, JsonbValue *value)
{
	Datum		number;

	switch (json->type)
	{
		case CB_JSON_STRING:
			return jsonb_string(build, json, value);
		case CB_JSON_NUMBER:
			if (!value_numeric(build->state, build->type->base, json, &number))
				return false;
			value->type = jbvNumeric;
			value->val.numeric = DatumGetNumeric(number);
			return true;
		case CB_JSON_TRUE:
		case CB_JSON_FALSE:
			value->type = jbvBool;
			value->val.boolean = json->type == CB_JSON_TRUE;
			return true;
		default:
			value->type = jbvNull;
			return true;
	}
}

/* An array or object; depth is bounded by the walker that checked the text. */
static bool
jsonb_container(JsonbBuild *build, const CbJsonValue *json, JsonbValue **result)
{
	bool		object = json->type == CB_JSON_OBJECT;
	CbJsonIter	iter;
	CbJsonValue name;
	CbJsonValue child;

	check_stack_depth();
	if (cb_json_iter_init(&iter, json) != CB_OK)
		elog(ERROR, "checked JSON value is malformed");
	pushJsonbValue(&build->parse, object ? WJB_BEGIN_OBJECT : WJB_BEGIN_ARRAY, NULL);
	while (cb_json_iter_next(&iter, &name, &child) == CB_OK)
	{
		JsonbValue	value;

		if (object)
		{
			if (!jsonb_string(build, &name, &value))
				return false;
			pushJsonbValue(&build->parse, WJB_KEY, &value);
		}
		if (child.type == CB_JSON_OBJECT || child.type == CB_JSON_ARRAY)
		{
			if (!jsonb_container(build, &child, result))
				return false;
			continue;
		}
		if (!jsonb_scalar(build, &child, &value))
			return false;
		pushJsonbValue(&build->parse, object ? WJB_VALUE : WJB_ELEM, &value);
	}
	if (iter.bad)
		elog(ERROR, "checked JSON value is malformed");
	*result = pushJsonbValue(&build->parse, object ? WJB_END_OBJECT : WJB_END_ARRAY, NULL);
	return true;
}

bool
value_jsonb(ValueState *state, ValueType *type, const CbJsonValue *json, Datum *datum)
{
	JsonbBuild	build = {state, type};
	JsonbValue	scalar;
	JsonbValue *result = &scalar;

	if (json->len > JENTRY_OFFLENMASK)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("JSON value of %zu bytes is too long for type jsonb", json->len)));
	if (json->type == CB_JSON_OBJECT || json->type == CB_JSON_ARRAY)
	{
		if (!jsonb_container(&build, json, &result))
			return false;
	}
	else if (!jsonb_scalar(&build, json, result))
		return false;
	*datum = JsonbPGetDatum(JsonbValueToJsonb(result));
	return true;
}
