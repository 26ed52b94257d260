/*
 * value.c
 *		Which conversion a PostgreSQL type needs, looked up once per scan, and the switch that runs it.
 */
#include "value.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "../compat.h"

#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#endif

/* Kinds of the types that have a conversion of their own. */
static ValueKind
value_kind(Oid type, int32 typmod)
{
	switch (type)
	{
		case BOOLOID:
			return VALUE_BOOL;
		case INT2OID:
			return VALUE_INT2;
		case INT4OID:
			return VALUE_INT4;
		case INT8OID:
			return VALUE_INT8;
		case OIDOID:
			return VALUE_OID;
		case FLOAT4OID:
			return VALUE_FLOAT4;
		case FLOAT8OID:
			return VALUE_FLOAT8;
		case NUMERICOID:
			return VALUE_NUMERIC;
		case TEXTOID:
			return VALUE_TEXT;
		case VARCHAROID:
		case BPCHAROID:
			return typmod < 0 ? VALUE_TEXT : VALUE_INPUT;
		case JSONOID:
			return VALUE_JSON;
		case JSONBOID:
			return VALUE_JSONB;
		case BYTEAOID:
			return VALUE_BYTEA;
		case DATEOID:
			return VALUE_DATE;
		case TIMEOID:
			return VALUE_TIME;
		case TIMETZOID:
			return VALUE_TIMETZ;
		case TIMESTAMPOID:
			return VALUE_TIMESTAMP;
		case TIMESTAMPTZOID:
			return VALUE_TIMESTAMPTZ;
		default:
			return VALUE_INPUT;
	}
}

/*
 * Errors of the server's own scalar input functions leave nothing behind and may be caught without a
 * subtransaction, which parallel workers cannot have.
 */
static void
value_input_create(ValueState *state, ValueType *type)
{
	Oid			function;
	char		typtype = get_typtype(type->type);

	getTypeInputInfo(type->type, &function, &type->ioparam);
	fmgr_info_cxt(function, &type->input, state->cxt);
	type->input_pure = function < FirstUnpinnedObjectId &&
		(typtype == TYPTYPE_BASE || typtype == TYPTYPE_ENUM || type->type < FirstUnpinnedObjectId);
}

ValueType *
value_type_create(ValueState *state, Oid oid, int32 typmod, FdwTimeFormat format)
{
	ValueType  *type = palloc0(sizeof(ValueType));
	char		typtype = get_typtype(oid);
	Oid			element;

	check_stack_depth();
	type->type = oid;
	type->typmod = typmod;
	type->format = format;

	if (typtype == TYPTYPE_DOMAIN)
	{
		int32		base_typmod = typmod;
		Oid			base = getBaseTypeAndTypmod(oid, &base_typmod);

		type->kind = VALUE_DOMAIN;
		type->base = value_type_create(state, base, base_typmod, format);
		return type;
	}
	if (typtype == TYPTYPE_COMPOSITE)
	{
		type->kind = VALUE_COMPOSITE;
		value_composite_create(state, type, format);
		return type;
	}
	if (oid != INT2VECTOROID && oid != OIDVECTOROID && OidIsValid(element = get_element_type(oid)))
	{
		type->kind = VALUE_ARRAY;
		value_array_create(state, type, element, format);
		return type;
	}

	type->kind = value_kind(oid, typmod);
	if (type->kind == VALUE_INPUT || type->kind == VALUE_NUMERIC)
		value_input_create(state, type);
	if (type->kind == VALUE_JSONB)
		type->base = value_type_create(state, NUMERICOID, -1, format);
	return type;
}

#if PG_VERSION_NUM >= 160000
static bool
value_input_soft(ValueType *type, char *text, Datum *datum)
{
	ErrorSaveContext context = {T_ErrorSaveContext};

	return InputFunctionCallSafe(&type->input, text, type->ioparam, type->typmod, (Node *) &context, datum);
}
#else
/* Whether an error of an input function is about its text. Those of text search say so by other codes than the rest. */
static bool
value_input_is_data(int sqlerrcode)
{
	return ERRCODE_TO_CATEGORY(sqlerrcode) == ERRCODE_DATA_EXCEPTION || sqlerrcode == ERRCODE_SYNTAX_ERROR ||
		sqlerrcode == ERRCODE_PROGRAM_LIMIT_EXCEEDED;
}

static bool
value_input_soft(ValueType *type, char *text, Datum *datum)
{
	MemoryContext cxt = CurrentMemoryContext;
	volatile bool ok = true;

	PG_TRY();
	{
		*datum = InputFunctionCall(&type->input, text, type->ioparam, type->typmod);
	}
	PG_CATCH();
	{
		if (!type->input_pure || !value_input_is_data(geterrcode()))
			PG_RE_THROW();
		MemoryContextSwitchTo(cxt);
		FlushErrorState();
		ok = false;
	}
	PG_END_TRY();
	return ok;
}
#endif

bool
value_input(ValueState *state, ValueType *type, char *text, Datum *datum)
{
	if (state->soft)
		return value_input_soft(type, text, datum);
	*datum = InputFunctionCall(&type->input, text, type->ioparam, type->typmod);
	return true;
}

static bool
value_by_input(ValueState *state, ValueType *type, const CbJsonValue *json, Datum *datum)
{
	char	   *text;

	if (!value_cstring(state, type, json, &text))
		return false;

	/* namein cuts silently. */
	if (type->type == NAMEOID && strlen(text) >= NAMEDATALEN)
		return value_invalid(state, type, json);
	return value_input(state, type, text, datum);
}

/* Constraints are the user's own rule about the table: their violation is an error whatever on_type_error says. */
static bool
value_domain(ValueState *state, ValueType *type, const CbJsonValue *json, Datum *datum, bool *isnull)
{
	if (!value_decode(state, type->base, json, datum, isnull))
		return false;
	domain_check(*datum, *isnull, type->type, &type->domain_extra, state->cxt);
	return true;
}

static bool
value_bool(ValueState *state, const ValueType *type, const CbJsonValue *json, Datum *datum)
{
	if (json->type != CB_JSON_TRUE && json->type != CB_JSON_FALSE)
		return value_wrong_type(state, type, json);
	*datum = BoolGetDatum(json->type == CB_JSON_TRUE);
	return true;
}

bool
value_decode(ValueState *state, ValueType *type, const CbJsonValue *json, Datum *datum, bool *isnull)
{
	*isnull = json->type == CB_JSON_MISSING || json->type == CB_JSON_NULL;
	if (*isnull)
		*datum = (Datum) 0;
	if (type->kind == VALUE_DOMAIN)
		return value_domain(state, type, json, datum, isnull);
	if (*isnull)
		return true;

	switch (type->kind)
	{
		case VALUE_BOOL:
			return value_bool(state, type, json, datum);
		case VALUE_INT2:
		case VALUE_INT4:
		case VALUE_INT8:
		case VALUE_OID:
			return value_integer(state, type, json, datum);
		case VALUE_FLOAT4:
		case VALUE_FLOAT8:
			return value_float(state, type, json, datum);
		case VALUE_NUMERIC:
			return value_numeric(state, type, json, datum);
		case VALUE_TEXT:
			return value_text(state, type, json, datum);
		case VALUE_JSON:
			return value_json(state, type, json, datum);
		case VALUE_JSONB:
			return value_jsonb(state, type, json, datum);
		case VALUE_BYTEA:
			return value_bytea(state, type, json, datum);
		case VALUE_DATE:
		case VALUE_TIME:
		case VALUE_TIMETZ:
		case VALUE_TIMESTAMP:
		case VALUE_TIMESTAMPTZ:
			return value_time(state, type, json, datum);
		case VALUE_INPUT:
			return value_by_input(state, type, json, datum);
		case VALUE_ARRAY:
			return value_array(state, type, json, datum);
		case VALUE_COMPOSITE:
			return value_composite(state, type, json, datum);
		case VALUE_DOMAIN:
			break;
	}
	elog(ERROR, "unrecognized value kind: %d", (int) type->kind);
}
