/*
 * value_scalar.c
 *		Numbers, strings, binary data and JSON sub-trees. The common types are made without their input functions.
 */
#include "value.h"

#include <math.h>

#include "catalog/namespace.h"
#include "common/base64.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "../compat.h"

/* A number of at most this many digits is less than 2^53; doubles hold powers of ten exactly up to 10^22. */
#define EXACT_DIGITS	15

/* So many digits always fit an int64. */
#define INT64_DIGITS	18

/* ---- strings ---- */

bool
value_to_server(ValueState *state, const char *data, size_t len, ValueString *string)
{
	string->data = data;
	string->len = len;
	if (GetDatabaseEncoding() == PG_UTF8)
		return true;

	if (state->soft)
	{
		/* Find out without throwing: what comes back converted and whole is what can be converted. */
		char	   *out = palloc(len * MAX_CONVERSION_GROWTH + 1);
		Oid			proc = FindDefaultConversionProc(PG_UTF8, GetDatabaseEncoding());

		if (!OidIsValid(proc))
			return GetDatabaseEncoding() == PG_SQL_ASCII;
		if (pg_do_encoding_conversion_buf(proc, PG_UTF8, GetDatabaseEncoding(), (unsigned char *) data, len,
										  (unsigned char *) out, len * MAX_CONVERSION_GROWTH + 1, true) != len)
			return false;
		string->data = out;
	}
	else
	{
		/* The conversion functions want a terminator. */
		string->data = pg_any_to_server(pnstrdup(data, len), len, PG_UTF8);
	}
	string->len = strlen(string->data);
	return true;
}

bool
value_string(ValueState *state, const ValueType *type, const CbJsonValue *json, ValueString *string)
{
	CbSpan		chars;
	CbResult	result;

	if (json->type != CB_JSON_STRING)
		return value_wrong_type(state, type, json);
	if (!json->escaped)
		return value_to_server(state, (const char *) json->data + 1, json->len - 2, string);

	cb_buf_reset(&state->text);
	result = cb_json_string_append(json, &state->text);
	if (result == CB_OK)
		result = cb_buf_result(&state->text);
	if (result != CB_OK)
		return value_bad_text(state, result);
	chars = cb_buf_span(&state->text);
	return value_to_server(state, (const char *) chars.data, chars.len, string);
}

bool
value_cstring(ValueState *state, const ValueType *type, const CbJsonValue *json, char **text)
{
	ValueString string;

	if (!value_string(state, type, json, &string))
		return false;
	*text = pnstrdup(string.data, string.len);
	return true;
}

bool
value_text(ValueState *state, const ValueType *type, const CbJsonValue *json, Datum *datum)
{
	ValueString string;

	if (!value_string(state, type, json, &string))
		return false;
	*datum = PointerGetDatum(cstring_to_text_with_len(string.data, string.len));
	return true;
}

bool
value_bytea(ValueState *state, const ValueType *type, const CbJsonValue *json, Datum *datum)
{
	ValueString string;
	bytea	   *result;
	int			size;
	int			len;

	if (!value_string(state, type, json, &string))
		return false;
	size = pg_b64_dec_len(string.len);
	result = palloc(VARHDRSZ + size);
	len = pg_b64_decode(string.data, string.len, (void *) VARDATA(result), size);
	if (len < 0)
		return value_invalid(state, type, json);
	SET_VARSIZE(result, VARHDRSZ + len);
	*datum = PointerGetDatum(result);
	return true;
}

/* ---- numbers ---- */

/* A number without exponent and of at most max digits: digits times 10^-scale. */
static bool
number_decimal(const CbJsonValue *json, int max, int64 *digits, int *scale)
{
	const uint8_t *p = json->data;
	const uint8_t *end = p + json->len;
	bool		negative = *p == '-';
	int64		result = 0;
	int			ndigits = 0;

	*scale = 0;
	for (p += negative; p < end; p++)
	{
		if (*p == '.')
		{
			*scale = end - p - 1;
			continue;
		}
		if (*p < '0' || *p > '9' || ++ndigits > max)
			return false;
		result = result * 10 + (*p - '0');
	}
	*digits = negative ? -result : result;
	return true;
}

/* An integer spelled plainly, which is nearly every number there is. */
static bool
number_plain(const CbJsonValue *json, int64 *number)
{
	int			scale;

	return number_decimal(json, INT64_DIGITS, number, &scale) && scale == 0;
}

bool
value_integer(ValueState *state, const ValueType *type, const CbJsonValue *json, Datum *datum)
{
	CbJsonNumber parsed;
	int64		number;

	if (json->type != CB_JSON_NUMBER)
		return value_wrong_type(state, type, json);
	if (!number_plain(json, &number))
	{
		if (cb_json_number(json, &parsed) != CB_OK)
			return value_invalid(state, type, json);
		if (!parsed.fits_int64)
		{
			/* Too large to have a fraction, or a fraction. */
			char	   *text = pnstrdup((const char *) json->data, json->len);

			if (parsed.integral || fabs(strtod(text, NULL)) >= 9007199254740992.0)
				return value_out_of_range(state, type, json);
			return value_invalid(state, type, json);
		}
		number = parsed.int64;
	}

	switch (type->kind)
	{
		case VALUE_INT2:
			if (number < PG_INT16_MIN || number > PG_INT16_MAX)
				return value_out_of_range(state, type, json);
			*datum = Int16GetDatum((int16) number);
			return true;
		case VALUE_INT4:
			if (number < PG_INT32_MIN || number > PG_INT32_MAX)
				return value_out_of_range(state, type, json);
			*datum = Int32GetDatum((int32) number);
			return true;
		case VALUE_OID:
			if (number < 0 || number > PG_UINT32_MAX)
				return value_out_of_range(state, type, json);
			*datum = ObjectIdGetDatum((Oid) number);
			return true;
		default:
			*datum = Int64GetDatum(number);
			return true;
	}
}

/*
 * A decimal of few digits is the quotient of two numbers that a double holds exactly, so one division gives the
 * correctly rounded result that strtod would give.
 */
static bool
number_simple_double(const CbJsonValue *json, double *number)
{
	static const double powers[EXACT_DIGITS + 1] = {
		1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15
	};
	int64		digits;
	int			scale;

	if (!number_decimal(json, EXACT_DIGITS, &digits, &scale))
		return false;
	*number = (double) digits;
	if (scale > 0)
		*number /= powers[scale];
	if (digits == 0 && *json->data == '-')
		*number = -0.0;
	return true;
}

bool
value_float(ValueState *state, const ValueType *type, const CbJsonValue *json, Datum *datum)
{
	double		number;
	char	   *text;

	if (json->type != CB_JSON_NUMBER)
		return value_wrong_type(state, type, json);

	if (type->kind == VALUE_FLOAT8)
	{
		if (!number_simple_double(json, &number))
		{
			text = pnstrdup((const char *) json->data, json->len);
			errno = 0;
			number = strtod(text, NULL);
			if (errno == ERANGE && (number == 0.0 || isinf(number)))
				return value_out_of_range(state, type, json);
		}
		*datum = Float8GetDatum(number);
	}
	else
	{
		float		small;

		text = pnstrdup((const char *) json->data, json->len);
		errno = 0;
		small = strtof(text, NULL);
		if (errno == ERANGE && (small == 0.0 || isinf(small)))
			return value_out_of_range(state, type, json);
		*datum = Float4GetDatum(small);
	}
	return true;
}

bool
value_numeric(ValueState *state, ValueType *type, const CbJsonValue *json, Datum *datum)
{
	int64		digits;
	int			scale;

	if (json->type != CB_JSON_NUMBER)
		return value_wrong_type(state, type, json);
	if (type->typmod < 0 && number_decimal(json, INT64_DIGITS, &digits, &scale))
	{
		*datum = NumericGetDatum(scale == 0 ? int64_to_numeric(digits) : int64_div_fast_to_numeric(digits, scale));
		return true;
	}
	return value_input(state, type, pnstrdup((const char *) json->data, json->len), datum);
}

/* ---- sub-trees ---- */

bool
value_json(ValueState *state, ValueType *type, const CbJsonValue *json, Datum *datum)
{
	ValueString string;

	if (!value_to_server(state, (const char *) json->data, json->len, &string))
		return false;
	*datum = PointerGetDatum(cstring_to_text_with_len(string.data, string.len));
	return true;
}
