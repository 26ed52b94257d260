/*
 * value.h
 *		JSON values to Datums of PostgreSQL types and back. For the files that read and write rows.
 *
 * A JSON value is converted only to types that it stands for: a string is no number and a number no string. That
 * is what lets a condition on a column mean the same to Couchbase and to PostgreSQL.
 */
#ifndef CBCONN_VALUE_H
#define CBCONN_VALUE_H

#include "fdw.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#include "../protocol/json_value.h"
#include "../protocol/json_walk.h"

typedef enum ValueKind
{
	VALUE_BOOL,
	VALUE_INT2,
	VALUE_INT4,
	VALUE_INT8,
	VALUE_OID,
	VALUE_FLOAT4,
	VALUE_FLOAT8,
	VALUE_NUMERIC,
	VALUE_TEXT,					/* text, and character types without a length */
	VALUE_JSON,
	VALUE_JSONB,
	VALUE_BYTEA,				/* base64 */
	VALUE_DATE,
	VALUE_TIME,
	VALUE_TIMETZ,
	VALUE_TIMESTAMP,
	VALUE_TIMESTAMPTZ,
	VALUE_INPUT,				/* all other base types: a string for the type's input function */
	VALUE_DOMAIN,
	VALUE_ARRAY,
	VALUE_COMPOSITE
} ValueKind;

typedef struct ValueType ValueType;

typedef struct ValueArray
{
	ValueType  *element;
	bool		flat;			/* elements may be arrays themselves: one dimension only */
	int16		typlen;
	bool		typbyval;
	char		typalign;
} ValueArray;

typedef struct ValueComposite
{
	TupleDesc	tupdesc;
	ValueType **attributes;		/* NULL: dropped */
	CbPathSet  *names;			/* the attributes that are not dropped, in order */
	CbJsonValue *found;			/* room for their values */
} ValueComposite;

/* How to make a Datum of one type. Lives as long as its decoder. */
struct ValueType
{
	ValueKind	kind;
	Oid			type;
	int32		typmod;
	FdwTimeFormat format;
	FmgrInfo	input;			/* NUMERIC, INPUT */
	Oid			ioparam;
	bool		input_pure;		/* errors of input may be caught: it holds no resources */
	FmgrInfo	output;			/* INPUT, when it is written for the first time */
	ValueType  *base;			/* DOMAIN; JSONB: numeric */
	void	   *domain_extra;	/* DOMAIN: cache of domain_check */
	ValueArray *array;
	ValueComposite *composite;
};

/* What is being decoded or written: for messages, and what to do about values that do not fit. */
typedef struct ValueState
{
	bool		soft;			/* on_type_error null: functions return false instead of throwing */
	MemoryContext cxt;			/* of the decoder */
	CbBuf		text;			/* room to decode strings with escapes */
	bool		store_nulls;	/* writing: attributes of composite types that are NULL become JSON null */
} ValueState;

/* What value_string found; not NUL-terminated, valid until the next call. */
typedef struct ValueString
{
	const char *data;
	size_t		len;
} ValueString;

/* ---- value.c ---- */

/* How to read this type; format applies to dates and times in it. In the current memory context. */
extern ValueType *value_type_create(ValueState *state, Oid type, int32 typmod, FdwTimeFormat format);

/*
 * Converts one checked value. JSON null and missing ones give SQL NULL (domains may object). False, or an error
 * (state->soft), when the value is none of this type. By-reference results are in the current memory context.
 */
extern bool value_decode(ValueState *state, ValueType *type, const CbJsonValue *json, Datum *datum, bool *isnull);

/* Text in the server's encoding as a value of type, by its input function. */
extern bool value_input(ValueState *state, ValueType *type, char *text, Datum *datum);

/* ---- value_error.c: each returns false when soft, else throws ---- */

extern bool value_wrong_type(ValueState *state, const ValueType *type, const CbJsonValue *json);
extern bool value_out_of_range(ValueState *state, const ValueType *type, const CbJsonValue *json);
extern bool value_invalid(ValueState *state, const ValueType *type, const CbJsonValue *json);
extern bool value_ragged(ValueState *state, const ValueType *type);
extern bool value_bad_text(ValueState *state, CbResult result);

/* Bytes as printable ASCII, cut at limit bytes; palloc'd. */
extern char *value_escape(const char *data, size_t len, size_t limit);

/* ---- value_scalar.c ---- */

/* Characters of a JSON string in the server's encoding; type for messages. */
extern bool value_string(ValueState *state, const ValueType *type, const CbJsonValue *json, ValueString *string);

/* The same as a palloc'd C string. */
extern bool value_cstring(ValueState *state, const ValueType *type, const CbJsonValue *json, char **text);

/* Bytes that are valid UTF-8 in the server's encoding; *text is data itself where nothing needs converting. */
extern bool value_to_server(ValueState *state, const char *data, size_t len, ValueString *string);

extern bool value_integer(ValueState *state, const ValueType *type, const CbJsonValue *json, Datum *datum);
extern bool value_float(ValueState *state, const ValueType *type, const CbJsonValue *json, Datum *datum);
extern bool value_numeric(ValueState *state, ValueType *type, const CbJsonValue *json, Datum *datum);
extern bool value_text(ValueState *state, const ValueType *type, const CbJsonValue *json, Datum *datum);
extern bool value_bytea(ValueState *state, const ValueType *type, const CbJsonValue *json, Datum *datum);
extern bool value_json(ValueState *state, ValueType *type, const CbJsonValue *json, Datum *datum);

/* ---- value_jsonb.c ---- */

extern bool value_jsonb(ValueState *state, ValueType *type, const CbJsonValue *json, Datum *datum);

/* ---- value_time.c: date, time, timestamp and those with a time zone, by type->format ---- */

extern bool value_time(ValueState *state, const ValueType *type, const CbJsonValue *json, Datum *datum);

/* ---- value_nested.c ---- */

extern void value_array_create(ValueState *state, ValueType *type, Oid element, FdwTimeFormat format);
extern bool value_array(ValueState *state, const ValueType *type, const CbJsonValue *json, Datum *datum);
extern void value_composite_create(ValueState *state, ValueType *type, FdwTimeFormat format);
extern bool value_composite(ValueState *state, const ValueType *type, const CbJsonValue *json, Datum *datum);

/* ---- value_out.c: the other way ---- */

/* Appends a value that is not NULL as one JSON value in UTF-8; throws when JSON cannot hold it. */
extern void value_encode(ValueState *state, ValueType *type, Datum datum, StringInfo out);

/* Around value_encode for types that need them: settings that output functions follow. Undone by an error as well. */
extern bool value_encode_needs_settings(const ValueType *type);
extern int	value_encode_begin(void);
extern void value_encode_end(int level);

/* ---- value_jsonb_out.c ---- */

/* A JSON string of text that is UTF-8, or in any encoding of servers: appended in the same. */
extern void value_append_string(StringInfo out, const char *text, size_t len);

/* The text of a jsonb, in the server's encoding; throws when it is nested too deeply. */
extern void value_append_jsonb(StringInfo out, Jsonb *jsonb);

#endif							/* CBCONN_VALUE_H */
