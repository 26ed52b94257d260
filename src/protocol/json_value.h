/*
 * json_value.h
 *		Looking inside the values that the JSON walker found: strings, numbers,
 *		elements of arrays, members of objects.
 *
 * The functions expect spans that the walker has checked; on anything else
 * they return CB_MALFORMED and never read outside the span.
 */
#ifndef CB_JSON_VALUE_H
#define CB_JSON_VALUE_H

#include "json_walk.h"

/* Name for messages: "string", "number", "null" ... */
extern const char *cb_json_type_name(CbJsonType type);

/*
 * Append the characters of a string value as UTF-8. CB_NUL_CHAR for \u0000,
 * CB_LONE_SURROGATE for half a pair (nothing useful is appended then),
 * CB_INVALID when value is no string.
 */
extern CbResult cb_json_string_append(const CbJsonValue *value, CbBuf *out);

/*
 * For a string without escapes: its characters without the quotes, no copy.
 * CB_UNSUPPORTED when escaped (use cb_json_string_append).
 */
extern CbResult cb_json_string_raw(const CbJsonValue *value, CbSpan *chars);

/* Whether a string value, decoded, equals name. */
extern bool cb_json_string_equal(const CbJsonValue *value, CbSpan name);

typedef struct CbJsonNumber
{
	bool		integral;		/* spelled without fraction and exponent */
	bool		fits_int64;		/* its value is a whole number in int64's range,
								 * however spelled (1.0, 1e3): int64 is set */
	int64_t		int64;
} CbJsonNumber;

/* Classify a number value exactly (no floating point). */
extern CbResult cb_json_number(const CbJsonValue *value, CbJsonNumber *number);

/* Steps through an array's elements or an object's members in text order. */
typedef struct CbJsonIter
{
	const uint8_t *next;
	const uint8_t *end;
	bool		object;
	bool		first;
	bool		bad;
} CbJsonIter;

/* CB_INVALID when value is neither array nor object. */
extern CbResult cb_json_iter_init(CbJsonIter *iter, const CbJsonValue *value);

/* CB_OK, CB_END, CB_MALFORMED. name (string value) is set for objects only. */
extern CbResult cb_json_iter_next(CbJsonIter *iter, CbJsonValue *name,
								  CbJsonValue *value);

#endif
