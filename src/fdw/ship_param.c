/*
 * ship_param.c
 *		Values of parameters as JSON, at run time.
 *
 * The query service knows numbers as int64 and double. Where a comparison must not lose a row, a parameter is the
 * double before or after the value. Infinities and NaN have no JSON form, but values of other types sort around all
 * numbers: true before, "" after.
 */
#include "ship.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "value.h"

#define UNIX_TO_POSTGRES_USECS ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

#define BEFORE_NUMBERS	"true"
#define AFTER_NUMBERS	"\"\""

static void
param_value(Oid type, Datum value, StringInfo out)
{
	ValueState	state = {0};
	ValueType  *how;

	state.cxt = CurrentMemoryContext;
	how = value_type_create(&state, type, -1, FDW_TIME_ISO8601);
	if (value_encode_needs_settings(how))
	{
		int			level = value_encode_begin();

		value_encode(&state, how, value, out);
		value_encode_end(level);
	}
	else
		value_encode(&state, how, value, out);
}

/* A double so that it is read as just that one; whole ones within int64 as integers. */
static void
param_double(double number, StringInfo out)
{
	if (isnan(number) || (isinf(number) && number > 0))
		appendStringInfoString(out, AFTER_NUMBERS);
	else if (isinf(number))
		appendStringInfoString(out, BEFORE_NUMBERS);
	else if (number == trunc(number) && fabs(number) < 9.2e18)
		appendStringInfo(out, INT64_FORMAT, (int64) number);
	else
	{
		char		text[DOUBLE_SHORTEST_DECIMAL_LEN];

		double_to_shortest_decimal_buf(number, text);
		appendStringInfoString(out, text);
	}
}

/* The double nearest to a number of any type; what is beyond all is infinite. */
static double
param_nearest(Oid type, Datum value)
{
	switch (getBaseType(type))
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return (double) DatumGetInt64(value);
		case FLOAT8OID:
			return DatumGetFloat8(value);
		case NUMERICOID:
			return strtod(DatumGetCString(DirectFunctionCall1(numeric_out, value)), NULL);
		default:
			elog(ERROR, "parameter of type %s is no number", format_type_be(type));
	}
}

/* ---- text ---- */

/* The next code point that text can hold, or 0. */
static pg_wchar
param_next_character(pg_wchar c)
{
	c++;
	if (c >= 0xd800 && c <= 0xdfff)
		c = 0xe000;
	return c <= 0x10ffff ? c : 0;
}

static void
param_successor(text *prefix, StringInfo out)
{
	char	   *utf8 = text_to_cstring(prefix);
	int			len = strlen(utf8);

	while (len > 0)
	{
		int			start = len - 1;
		unsigned char next[8] = {0};
		pg_wchar	c;

		while (start > 0 && ((unsigned char) utf8[start] & 0xc0) == 0x80)
			start--;
		c = param_next_character(utf8_to_unicode((unsigned char *) utf8 + start));
		if (c != 0)
		{
			unicode_to_utf8(c, next);
			escape_json(out, psprintf("%.*s%.*s", start, utf8, pg_utf_mblen(next), next));
			return;
		}
		len = start;
	}
	appendStringInfoString(out, "[]");
}

/* ---- arrays ---- */

static void
param_elements(Oid type, Datum value, bool null_if_null, bool floats, StringInfo out)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	Oid			element = ARR_ELEMTYPE(array);
	int16		typlen;
	bool		typbyval;
	char		typalign;
	Datum	   *elements;
	bool	   *nulls;
	int			start = out->len;
	int			n;

	get_typlenbyvalalign(element, &typlen, &typbyval, &typalign);
	deconstruct_array(array, element, typlen, typbyval, typalign, &elements, &nulls, &n);
	appendStringInfoChar(out, '[');
	for (int i = 0; i < n; i++)
	{
		if (nulls[i] && null_if_null)
		{
			out->len = start;
			appendStringInfoString(out, "null");
			return;
		}
		if (nulls[i])
			continue;
		if (out->len > start + 1)
			appendStringInfoChar(out, ',');
		if (floats)
			param_double(DatumGetFloat8(elements[i]), out);
		else
			param_value(element, elements[i], out);
	}
	appendStringInfoChar(out, ']');
}

/* ---- times ---- */

/* Microseconds since 2000 of a time, or of the beginning of a day; days later. */
static int64
param_usecs(Oid type, Datum value, int days, bool *infinite, bool *late)
{
	*infinite = false;
	if (type == DATEOID)
	{
		DateADT		date = DatumGetDateADT(value);

		*infinite = DATE_NOT_FINITE(date);
		*late = date > 0;
		return ((int64) date + days) * USECS_PER_DAY;
	}
	*infinite = TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value));
	*late = DatumGetTimestamp(value) > 0;
	return DatumGetTimestamp(value);
}

/* How the reader of times takes a number of seconds or milliseconds; unit: microseconds in one. */
static int64
param_read_epoch(double number, double unit)
{
	char		text[DOUBLE_SHORTEST_DECIMAL_LEN];
	CbJsonValue json = {0};
	ValueState	state = {.soft = true};
	ValueType	type = {.kind = VALUE_TIMESTAMP, .type = TIMESTAMPOID, .typmod = -1};
	Datum		datum;

	type.format = unit == 1e6 ? FDW_TIME_EPOCH_S : FDW_TIME_EPOCH_MS;
	json.type = CB_JSON_NUMBER;
	json.len = double_to_shortest_decimal_buf(number, text);
	json.data = (const uint8_t *) text;
	if (!value_time(&state, &type, &json, &datum))
		return number < 0 ? PG_INT64_MIN : PG_INT64_MAX;
	return DatumGetTimestamp(datum);
}

/* The least double that is read as usecs or later. */
static double
param_epoch_edge(int64 usecs, double unit)
{
	double		middle = ((double) usecs + UNIX_TO_POSTGRES_USECS) / unit;
	double		margin = 2 / unit + fabs(middle) * 1e-15;
	double		below = middle - margin;
	double		above = middle + margin;

	for (;;)
	{
		middle = below + (above - below) / 2;
		if (middle <= below || middle >= above)
			return above;
		if (param_read_epoch(middle, unit) >= usecs)
			above = middle;
		else
			below = middle;
	}
}

static void
param_epoch(Oid type, Datum value, double unit, bool first, StringInfo out)
{
	Oid			base = getBaseType(type);
	bool		infinite;
	bool		late;
	int64		usecs = param_usecs(base, value, base == DATEOID && !first ? 1 : 0, &infinite, &late);
	double		edge;

	if (infinite)
	{
		appendStringInfoString(out, late ? AFTER_NUMBERS : BEFORE_NUMBERS);
		return;
	}
	/* the last that is no later is the one before the first that is */
	edge = param_epoch_edge(base == DATEOID || first ? usecs : usecs + 1, unit);
	param_double(first ? edge : nextafter(edge, -INFINITY), out);
}

/* The day some days from a time as text that sorts as days do, or what sorts before or after all texts. */
static void
param_day(Oid type, Datum value, int days, StringInfo out)
{
	bool		infinite;
	bool		late;
	int64		usecs = param_usecs(getBaseType(type), value, 0, &infinite, &late);
	int64		day = usecs / USECS_PER_DAY - (usecs % USECS_PER_DAY < 0) + days + POSTGRES_EPOCH_JDATE;
	int			year;
	int			month;
	int			mday;

	if (infinite || day < 0)
	{
		appendStringInfoString(out, infinite && late ? "[]" : "\"\"");
		return;
	}
	j2date((int) day, &year, &month, &mday);
	if (year < 1)
		appendStringInfoString(out, "\"\"");
	else if (year > 9999)
		appendStringInfoString(out, days > 0 ? "[]" : "\"9999-12-28\"");
	else
		appendStringInfo(out, "\"%04d-%02d-%02d\"", year, month, mday);
}

static void
param_uuid(Datum value, StringInfo out)
{
	pg_uuid_t  *uuid = DatumGetUUIDP(value);

	appendStringInfoChar(out, '"');
	for (int i = 0; i < UUID_LEN; i++)
		appendStringInfo(out, "%02x", uuid->data[i]);
	appendStringInfoChar(out, '"');
}

char *
ship_encode(ShipEncode encode, Oid type, Datum value, bool isnull)
{
	StringInfoData out;

	initStringInfo(&out);
	if (isnull)
		return "null";
	switch (encode)
	{
		case SHIP_AS_VALUE:
			param_value(type, value, &out);
			break;
		case SHIP_AS_FLOAT:
			param_double(param_nearest(type, value), &out);
			break;
		case SHIP_AS_FLOAT_BELOW:
			param_double(nextafter(param_nearest(type, value), -INFINITY), &out);
			break;
		case SHIP_AS_FLOAT_ABOVE:
			param_double(nextafter(param_nearest(type, value), INFINITY), &out);
			break;
		case SHIP_AS_SUCCESSOR:
			param_successor(DatumGetTextPP(value), &out);
			break;
		case SHIP_AS_BLANK_SUCCESSOR:
			escape_json(&out, psprintf("%s!", TextDatumGetCString(value)));
			break;
		case SHIP_AS_ELEMENTS:
		case SHIP_AS_ELEMENTS_ALL:
			param_elements(type, value, encode == SHIP_AS_ELEMENTS_ALL, false, &out);
			break;
		case SHIP_AS_FLOATS:
		case SHIP_AS_FLOATS_ALL:
			param_elements(type, value, encode == SHIP_AS_FLOATS_ALL, true, &out);
			break;
		case SHIP_AS_UUID:
			param_uuid(value, &out);
			break;
		case SHIP_AS_EPOCH_S_FIRST:
		case SHIP_AS_EPOCH_S_LAST:
			param_epoch(type, value, 1e6, encode == SHIP_AS_EPOCH_S_FIRST, &out);
			break;
		case SHIP_AS_EPOCH_MS_FIRST:
		case SHIP_AS_EPOCH_MS_LAST:
			param_epoch(type, value, 1e3, encode == SHIP_AS_EPOCH_MS_FIRST, &out);
			break;
		case SHIP_AS_DAY_BEFORE:
		case SHIP_AS_DAY_AFTER:
			param_day(type, value, encode == SHIP_AS_DAY_BEFORE ? -2 : 2, &out);
			break;
	}
	return out.data;
}
