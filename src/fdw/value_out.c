/*
 * value_out.c
 *		Datums to JSON text: the inverse of the other value_*.c files. What is written here they read back equal.
 *
 * Nothing depends on the session's settings. What JSON or the column's format cannot hold is refused, never changed.
 */
#include "value.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/base64.h"
#include "common/int.h"
#include "common/shortest_dec.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "../compat.h"

/* Years that the reader of ISO 8601 takes. */
#define YEAR_MIN	1
#define YEAR_MAX	999999

#define UNIX_TO_POSTGRES_DAYS (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)

static void value_unwritable(const ValueType *type, const char *what) pg_attribute_noreturn();

static void
value_unwritable(const ValueType *type, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("value of type %s cannot be stored as JSON", format_type_be(type->type)),
			 errdetail("%s", what)));
}

/* ---- text ---- */

/* Text in the server's encoding as a JSON string. */
static void
out_string(const char *text, StringInfo out)
{
	const char *utf8 = pg_server_to_any(text, strlen(text), PG_UTF8);

	value_append_string(out, utf8, strlen(utf8));
}

/* JSON text in the server's encoding, as it is. */
static void
out_json(const char *text, StringInfo out)
{
	char	   *utf8 = pg_server_to_any(text, strlen(text), PG_UTF8);
	CbJsonValue value;
	CbJsonError err = {0};

	/* The type's input function checked it, but not how deep it is. */
	if (cb_json_value(cb_span_cstr(utf8), &value, &err) != CB_OK)
		ereport(ERROR,
				(errcode(err.result == CB_LIMIT ? ERRCODE_PROGRAM_LIMIT_EXCEEDED : ERRCODE_INVALID_JSON_TEXT),
				 errmsg("value cannot be stored as JSON"),
				 errdetail("At byte offset %zu: %s.", err.offset, err.what ? err.what : "malformed")));
	appendStringInfoString(out, utf8);
}

static void
out_jsonb(Datum datum, StringInfo out)
{
	StringInfoData text;

	if (GetDatabaseEncoding() == PG_UTF8)
	{
		value_append_jsonb(out, DatumGetJsonbP(datum));
		return;
	}
	initStringInfo(&text);
	value_append_jsonb(&text, DatumGetJsonbP(datum));
	appendStringInfoString(out, pg_server_to_any(text.data, text.len, PG_UTF8));
}

static void
out_base64(Datum datum, StringInfo out)
{
	bytea	   *bytes = DatumGetByteaPP(datum);
	int			size = pg_b64_enc_len(VARSIZE_ANY_EXHDR(bytes));
	int			len;

	appendStringInfoChar(out, '"');
	enlargeStringInfo(out, size + 1);
	len = pg_b64_encode((void *) VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), out->data + out->len, size);
	if (len < 0)
		elog(ERROR, "could not encode binary data");
	out->len += len;
	out->data[out->len] = '\0';
	appendStringInfoChar(out, '"');
}

/* ---- numbers ---- */

static void
out_float(const ValueType *type, Datum datum, StringInfo out)
{
	char		text[DOUBLE_SHORTEST_DECIMAL_LEN];
	double		number = type->kind == VALUE_FLOAT4 ? DatumGetFloat4(datum) : DatumGetFloat8(datum);

	if (isnan(number) || isinf(number))
		value_unwritable(type, "JSON has neither NaN nor infinity.");
	if (type->kind == VALUE_FLOAT4)
		float_to_shortest_decimal_buf(DatumGetFloat4(datum), text);
	else
		double_to_shortest_decimal_buf(number, text);
	appendStringInfoString(out, text);
}

static void
out_numeric(const ValueType *type, Datum datum, StringInfo out)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, datum));

	if (strpbrk(text, "NI") != NULL)
		value_unwritable(type, "JSON has neither NaN nor infinity.");
	appendStringInfoString(out, text);
}

/* ---- dates and times ---- */

static void
out_year(const ValueType *type, int year)
{
	if (year < YEAR_MIN || year > YEAR_MAX)
		value_unwritable(type, "Only the years 1 to 999999 have a form in ISO 8601 that can be read back.");
}

/* .ffffff without zeros at its end; nothing for none */
static void
out_fraction(int64 fraction, int digits, StringInfo out)
{
	if (fraction == 0)
		return;
	while (fraction % 10 == 0)
	{
		fraction /= 10;
		digits--;
	}
	appendStringInfo(out, ".%0*lld", digits, (long long) fraction);
}

static void
out_clock(const struct pg_tm *tm, fsec_t fsec, StringInfo out)
{
	appendStringInfo(out, "%02d:%02d:%02d", tm->tm_hour, tm->tm_min, tm->tm_sec);
	out_fraction(fsec, 6, out);
}

/* west: seconds west of Greenwich */
static void
out_zone(int west, StringInfo out)
{
	int			seconds = abs(west);

	appendStringInfo(out, "%c%02d:%02d", west > 0 ? '-' : '+', seconds / SECS_PER_HOUR,
					 seconds / SECS_PER_MINUTE % MINS_PER_HOUR);
	if (seconds % SECS_PER_MINUTE != 0)
		appendStringInfo(out, ":%02d", seconds % SECS_PER_MINUTE);
}

static void
out_iso_date(const ValueType *type, Datum datum, StringInfo out)
{
	int			year;
	int			month;
	int			day;

	j2date(DatumGetDateADT(datum) + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	out_year(type, year);
	appendStringInfo(out, "\"%04d-%02d-%02d\"", year, month, day);
}

/* With a time zone: in UTC, so that it reads the same everywhere. */
static void
out_iso_timestamp(const ValueType *type, Datum datum, StringInfo out)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (timestamp2tm(DatumGetTimestamp(datum), NULL, &tm, &fsec, NULL, NULL) != 0)
		value_unwritable(type, "It is out of range.");
	out_year(type, tm.tm_year);
	appendStringInfo(out, "\"%04d-%02d-%02dT", tm.tm_year, tm.tm_mon, tm.tm_mday);
	out_clock(&tm, fsec, out);
	appendStringInfoString(out, type->kind == VALUE_TIMESTAMPTZ ? "Z\"" : "\"");
}

static void
out_iso_time(const ValueType *type, Datum datum, StringInfo out)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			west = 0;

	if (type->kind == VALUE_TIME)
		time2tm(DatumGetTimeADT(datum), &tm, &fsec);
	else
		timetz2tm(DatumGetTimeTzADTP(datum), &tm, &fsec, &west);
	appendStringInfoChar(out, '"');
	out_clock(&tm, fsec, out);
	if (type->kind == VALUE_TIMETZ)
		out_zone(west, out);
	appendStringInfoChar(out, '"');
}

/* Seconds or milliseconds since 1970, exactly. */
static void
out_epoch(const ValueType *type, Datum datum, StringInfo out)
{
	int64		unit = type->format == FDW_TIME_EPOCH_S ? USECS_PER_SEC : 1000;
	int64		usecs;
	uint64		magnitude;

	if (pg_mul_s64_overflow(type->kind == VALUE_DATE ? DatumGetDateADT(datum) : 0, USECS_PER_DAY, &usecs) ||
		(type->kind != VALUE_DATE && pg_add_s64_overflow(usecs, DatumGetTimestamp(datum), &usecs)) ||
		pg_add_s64_overflow(usecs, UNIX_TO_POSTGRES_DAYS * USECS_PER_DAY, &usecs))
		value_unwritable(type, "It is out of range.");
	magnitude = usecs < 0 ? -(uint64) usecs : (uint64) usecs;
	appendStringInfo(out, "%s%llu", usecs < 0 ? "-" : "", (unsigned long long) (magnitude / unit));
	out_fraction(magnitude % unit, unit == 1000 ? 3 : 6, out);
}

static void
out_time(const ValueType *type, Datum datum, StringInfo out)
{
	bool		date = type->kind == VALUE_DATE;

	if (type->kind == VALUE_TIME || type->kind == VALUE_TIMETZ)
	{
		out_iso_time(type, datum, out);
		return;
	}
	if (date ? DATE_NOT_FINITE(DatumGetDateADT(datum)) : TIMESTAMP_NOT_FINITE(DatumGetTimestamp(datum)))
		value_unwritable(type, "Infinity has no form in JSON.");
	if (type->format != FDW_TIME_ISO8601)
		out_epoch(type, datum, out);
	else if (date)
		out_iso_date(type, datum, out);
	else
		out_iso_timestamp(type, datum, out);
}

/* ---- arrays and composite types ---- */

typedef struct ArrayOut
{
	ValueState *state;
	const ValueType *type;
	int			ndim;
	const int  *dims;
	Datum	   *values;
	bool	   *nulls;
	int			next;
} ArrayOut;

static void
out_array_level(ArrayOut *array, int level, StringInfo out)
{
	appendStringInfoChar(out, '[');
	for (int i = 0; i < array->dims[level]; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		if (level < array->ndim - 1)
		{
			out_array_level(array, level + 1, out);
			continue;
		}
		if (array->nulls[array->next])
			appendStringInfoString(out, "null");
		else
			value_encode(array->state, array->type->array->element, array->values[array->next], out);
		array->next++;
	}
	appendStringInfoChar(out, ']');
}

static void
out_array(ValueState *state, const ValueType *type, Datum datum, StringInfo out)
{
	ArrayType  *input = DatumGetArrayTypeP(datum);
	const ValueArray *types = type->array;
	ArrayOut	array = {state, type, ARR_NDIM(input), ARR_DIMS(input)};
	int			n;

	for (int i = 0; i < array.ndim; i++)
	{
		if (ARR_LBOUND(input)[i] != 1)
			value_unwritable(type, "Elements of JSON arrays have no numbers: only arrays that begin at 1 can be read "
							 "back.");
	}
	if (types->flat && array.ndim > 1)
		value_unwritable(type, "Arrays of JSON values can have one dimension only.");
	if (array.ndim == 0)
	{
		appendStringInfoString(out, "[]");
		return;
	}
	deconstruct_array(input, types->element->type, types->typlen, types->typbyval, types->typalign, &array.values,
					  &array.nulls, &n);
	out_array_level(&array, 0, out);
}

static void
out_composite(ValueState *state, const ValueType *type, Datum datum, StringInfo out)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(datum);
	TupleDesc	tupdesc = type->composite->tupdesc;
	Datum	   *values = palloc(sizeof(Datum) * Max(tupdesc->natts, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(tupdesc->natts, 1));
	HeapTupleData tuple = {HeapTupleHeaderGetDatumLength(header), {{0}}, InvalidOid, header};
	bool		first = true;

	heap_deform_tuple(&tuple, tupdesc, values, nulls);
	appendStringInfoChar(out, '{');
	for (int i = 0; i < tupdesc->natts; i++)
	{
		ValueType  *attribute = type->composite->attributes[i];

		if (attribute == NULL || (nulls[i] && !state->store_nulls))
			continue;
		if (!first)
			appendStringInfoChar(out, ',');
		first = false;
		out_string(NameStr(TupleDescAttr(tupdesc, i)->attname), out);
		appendStringInfoChar(out, ':');
		if (nulls[i])
			appendStringInfoString(out, "null");
		else
			value_encode(state, attribute, values[i], out);
	}
	appendStringInfoChar(out, '}');
}

/* ---- all ---- */

/* Other types: what their output function says, as a string. */
static void
out_by_output(ValueState *state, ValueType *type, Datum datum, StringInfo out)
{
	if (!OidIsValid(type->output.fn_oid))
	{
		Oid			function;
		bool		varlena;

		getTypeOutputInfo(type->type, &function, &varlena);
		fmgr_info_cxt(function, &type->output, state->cxt);
	}
	out_string(OutputFunctionCall(&type->output, datum), out);
}

void
value_encode(ValueState *state, ValueType *type, Datum datum, StringInfo out)
{
	check_stack_depth();
	switch (type->kind)
	{
		case VALUE_BOOL:
			appendStringInfoString(out, DatumGetBool(datum) ? "true" : "false");
			break;
		case VALUE_INT2:
			appendStringInfo(out, "%d", DatumGetInt16(datum));
			break;
		case VALUE_INT4:
			appendStringInfo(out, "%d", DatumGetInt32(datum));
			break;
		case VALUE_INT8:
			appendStringInfo(out, INT64_FORMAT, DatumGetInt64(datum));
			break;
		case VALUE_OID:
			appendStringInfo(out, "%u", DatumGetObjectId(datum));
			break;
		case VALUE_FLOAT4:
		case VALUE_FLOAT8:
			out_float(type, datum, out);
			break;
		case VALUE_NUMERIC:
			out_numeric(type, datum, out);
			break;
		case VALUE_TEXT:
			out_string(TextDatumGetCString(datum), out);
			break;
		case VALUE_JSON:
			out_json(TextDatumGetCString(datum), out);
			break;
		case VALUE_JSONB:
			out_jsonb(datum, out);
			break;
		case VALUE_BYTEA:
			out_base64(datum, out);
			break;
		case VALUE_DATE:
		case VALUE_TIME:
		case VALUE_TIMETZ:
		case VALUE_TIMESTAMP:
		case VALUE_TIMESTAMPTZ:
			out_time(type, datum, out);
			break;
		case VALUE_INPUT:
			out_by_output(state, type, datum, out);
			break;
		case VALUE_DOMAIN:
			value_encode(state, type->base, datum, out);
			break;
		case VALUE_ARRAY:
			out_array(state, type, datum, out);
			break;
		case VALUE_COMPOSITE:
			out_composite(state, type, datum, out);
			break;
	}
}

/*
 * Output functions of some types follow the session's settings; their input functions take what these say always.
 */
int
value_encode_begin(void)
{
	int			level = NewGUCNestLevel();

	(void) set_config_option("datestyle", "ISO", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("intervalstyle", "postgres", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("extra_float_digits", "3", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("search_path", "pg_catalog", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return level;
}

void
value_encode_end(int level)
{
	AtEOXact_GUC(true, level);
}

bool
value_encode_needs_settings(const ValueType *type)
{
	switch (type->kind)
	{
		case VALUE_INPUT:
			/* these are text whatever is set */
			return type->type != VARCHAROID && type->type != BPCHAROID && type->type != UUIDOID &&
				get_typtype(type->type) != TYPTYPE_ENUM;
		case VALUE_DOMAIN:
			return value_encode_needs_settings(type->base);
		case VALUE_ARRAY:
			return value_encode_needs_settings(type->array->element);
		case VALUE_COMPOSITE:
			for (int i = 0; i < type->composite->tupdesc->natts; i++)
			{
				if (type->composite->attributes[i] != NULL &&
					value_encode_needs_settings(type->composite->attributes[i]))
					return true;
			}
			return false;
		default:
			return false;
	}
}
