/*
 * json_value.c
 *		Strings, numbers, elements and members of checked JSON values.
 */
#include "json_value.h"

#include "json_scan.h"

#include <string.h>

const char *
cb_json_type_name(CbJsonType type)
{
	switch (type)
	{
		case CB_JSON_MISSING:
			return "missing";
		case CB_JSON_NULL:
			return "null";
		case CB_JSON_FALSE:
		case CB_JSON_TRUE:
			return "boolean";
		case CB_JSON_NUMBER:
			return "number";
		case CB_JSON_STRING:
			return "string";
		case CB_JSON_ARRAY:
			return "array";
		case CB_JSON_OBJECT:
			return "object";
	}
	return "unknown";
}

static bool
is_string(const CbJsonValue *value)
{
	return value->type == CB_JSON_STRING && value->len >= 2 && value->data[0] == '"' &&
		value->data[value->len - 1] == '"';
}

CbResult
cb_json_string_raw(const CbJsonValue *value, CbSpan *chars)
{
	*chars = CB_SPAN_EMPTY;
	if (!is_string(value))
		return CB_INVALID;
	if (value->escaped)
		return CB_UNSUPPORTED;
	*chars = cb_span(value->data + 1, value->len - 2);
	return CB_OK;
}

/* Four hexadecimal digits, or -1. */
static int
hex4(const uint8_t *p, const uint8_t *end)
{
	int			value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++)
	{
		uint8_t		c = p[i];

		value <<= 4;
		if (c >= '0' && c <= '9')
			value |= c - '0';
		else if (c >= 'a' && c <= 'f')
			value |= c - 'a' + 10;
		else if (c >= 'A' && c <= 'F')
			value |= c - 'A' + 10;
		else
			return -1;
	}
	return value;
}

static size_t
encode_utf8(uint32_t code, uint8_t out[4])
{
	if (code < 0x80)
	{
		out[0] = (uint8_t) code;
		return 1;
	}
	if (code < 0x800)
	{
		out[0] = (uint8_t) (0xc0 | code >> 6);
		out[1] = (uint8_t) (0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000)
	{
		out[0] = (uint8_t) (0xe0 | code >> 12);
		out[1] = (uint8_t) (0x80 | (code >> 6 & 0x3f));
		out[2] = (uint8_t) (0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (uint8_t) (0xf0 | code >> 18);
	out[1] = (uint8_t) (0x80 | (code >> 12 & 0x3f));
	out[2] = (uint8_t) (0x80 | (code >> 6 & 0x3f));
	out[3] = (uint8_t) (0x80 | (code & 0x3f));
	return 4;
}

/* A \u escape at *p (past the backslash), with its partner where there is one. */
static CbResult
decode_unicode(const uint8_t **p, const uint8_t *end, uint8_t out[4], size_t *len)
{
	int			code = hex4(*p + 1, end);
	uint32_t	full;

	if (code < 0)
		return CB_MALFORMED;
	*p += 5;
	if (code == 0)
		return CB_NUL_CHAR;
	full = (uint32_t) code;
	if (code >= 0xdc00 && code <= 0xdfff)
		return CB_LONE_SURROGATE;
	if (code >= 0xd800 && code <= 0xdbff)
	{
		int			low = end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u' ?
			hex4(*p + 2, end) : -1;

		if (low < 0xdc00 || low > 0xdfff)
			return CB_LONE_SURROGATE;
		*p += 6;
		full = 0x10000 + (((uint32_t) code - 0xd800) << 10) + ((uint32_t) low - 0xdc00);
	}
	*len = encode_utf8(full, out);
	return CB_OK;
}

/*
 * Decode what begins at *p (not at the end): a run without escapes, as a span into the
 * text, or one escape, into scratch.
 */
static CbResult
decode_piece(const uint8_t **p, const uint8_t *end, uint8_t scratch[4], CbSpan *piece)
{
	const uint8_t *backslash = memchr(*p, '\\', (size_t) (end - *p));
	size_t		len = 1;

	if (backslash != *p)
	{
		if (backslash == NULL)
			backslash = end;
		*piece = cb_span(*p, (size_t) (backslash - *p));
		*p = backslash;
		return CB_OK;
	}
	(*p)++;
	if (*p == end)
		return CB_MALFORMED;
	switch (**p)
	{
		case 'b':
			scratch[0] = '\b';
			break;
		case 'f':
			scratch[0] = '\f';
			break;
		case 'n':
			scratch[0] = '\n';
			break;
		case 'r':
			scratch[0] = '\r';
			break;
		case 't':
			scratch[0] = '\t';
			break;
		case '"':
		case '\\':
		case '/':
			scratch[0] = **p;
			break;
		case 'u':
			*piece = cb_span(scratch, 0);
			{
				CbResult	result = decode_unicode(p, end, scratch, &len);

				piece->len = len;
				return result;
			}
		default:
			return CB_MALFORMED;
	}
	(*p)++;
	*piece = cb_span(scratch, 1);
	return CB_OK;
}

CbResult
cb_json_string_append(const CbJsonValue *value, CbBuf *out)
{
	size_t		before = out->len;
	const uint8_t *p;
	const uint8_t *end;

	if (!is_string(value))
		return CB_INVALID;
	p = value->data + 1;
	end = value->data + value->len - 1;
	if (!value->escaped)
	{
		cb_buf_append(out, p, (size_t) (end - p));
		return cb_buf_result(out);
	}
	/* No escape is shorter than what it stands for. */
	if (!cb_buf_reserve(out, (size_t) (end - p)))
		return CB_NOMEM;
	while (p < end)
	{
		uint8_t		scratch[4];
		CbSpan		piece;
		CbResult	result = decode_piece(&p, end, scratch, &piece);

		if (result != CB_OK)
		{
			out->len = before;
			return result;
		}
		cb_buf_append_span(out, piece);
	}
	return cb_buf_result(out);
}

bool
cb_json_string_equal(const CbJsonValue *value, CbSpan name)
{
	const uint8_t *p;
	const uint8_t *end;

	if (!is_string(value))
		return false;
	p = value->data + 1;
	end = value->data + value->len - 1;
	if (!value->escaped)
		return cb_span_equal(cb_span(p, (size_t) (end - p)), name);
	while (p < end)
	{
		uint8_t		scratch[4];
		CbSpan		piece;

		if (decode_piece(&p, end, scratch, &piece) != CB_OK || piece.len > name.len ||
			memcmp(piece.data, name.data, piece.len) != 0)
			return false;
		name.data += piece.len;
		name.len -= piece.len;
	}
	return name.len == 0;
}

/* ---- numbers ---- */

/* The parts of a number's text; spans of digits. */
typedef struct NumberParts
{
	bool		negative;
	CbSpan		whole;
	CbSpan		fraction;
	int64_t		exponent;		/* cut at +-100000 */
	bool		plain;			/* neither fraction nor exponent written */
} NumberParts;

static CbSpan
take_digits(CbSpan *text)
{
	CbSpan		digits = {text->data, 0};

	while (digits.len < text->len && text->data[digits.len] >= '0' &&
		   text->data[digits.len] <= '9')
		digits.len++;
	text->data += digits.len;
	text->len -= digits.len;
	return digits;
}

static bool
split_number(CbSpan text, NumberParts *parts)
{
	*parts = (NumberParts) {.plain = true};
	if (text.len > 0 && text.data[0] == '-')
	{
		parts->negative = true;
		text.data++;
		text.len--;
	}
	parts->whole = take_digits(&text);
	if (parts->whole.len == 0)
		return false;
	if (text.len > 0 && text.data[0] == '.')
	{
		text.data++;
		text.len--;
		parts->plain = false;
		parts->fraction = take_digits(&text);
		if (parts->fraction.len == 0)
			return false;
	}
	if (text.len > 0 && (text.data[0] | 0x20) == 'e')
	{
		bool		minus = text.len > 1 && text.data[1] == '-';
		size_t		skip = text.len > 1 && (minus || text.data[1] == '+') ? 2 : 1;
		CbSpan		digits;

		text.data += skip;
		text.len -= skip;
		parts->plain = false;
		digits = take_digits(&text);
		if (digits.len == 0)
			return false;
		for (size_t i = 0; i < digits.len && parts->exponent < 100000; i++)
			parts->exponent = parts->exponent * 10 + (digits.data[i] - '0');
		if (minus)
			parts->exponent = -parts->exponent;
	}
	return text.len == 0;
}

/* Digit i of whole and fraction written one after the other. */
static int
digit_at(const NumberParts *parts, size_t i)
{
	return i < parts->whole.len ? parts->whole.data[i] - '0' :
		parts->fraction.data[i - parts->whole.len] - '0';
}

/* The value as int64, where it is a whole number in range. */
static bool
to_int64(const NumberParts *parts, int64_t *out)
{
	size_t		ndigits = parts->whole.len + parts->fraction.len;
	size_t		first = 0;
	size_t		last = ndigits;
	int64_t		zeros;			/* to be added behind the last digit */
	uint64_t	value = 0;
	uint64_t	limit = parts->negative ? UINT64_C(1) << 63 : INT64_MAX;

	while (first < ndigits && digit_at(parts, first) == 0)
		first++;
	while (last > first && digit_at(parts, last - 1) == 0)
		last--;
	if (first == last)
	{
		*out = 0;
		return true;
	}
	zeros = (int64_t) (ndigits - last) - (int64_t) parts->fraction.len + parts->exponent;
	if (zeros < 0 || zeros > 19 || last - first > 19)
		return false;
	for (size_t i = first; i < last + (size_t) zeros; i++)
	{
		uint64_t	digit = i < last ? (uint64_t) digit_at(parts, i) : 0;

		if (value > (limit - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = parts->negative ? (int64_t) (0 - value) : (int64_t) value;
	return true;
}

CbResult
cb_json_number(const CbJsonValue *value, CbJsonNumber *number)
{
	NumberParts parts;

	*number = (CbJsonNumber) {0};
	if (value->type != CB_JSON_NUMBER)
		return CB_INVALID;
	if (!split_number(cb_span(value->data, value->len), &parts))
		return CB_MALFORMED;
	number->integral = parts.plain;
	number->fits_int64 = to_int64(&parts, &number->int64);
	return CB_OK;
}

/* ---- containers ---- */

CbResult
cb_json_iter_init(CbJsonIter *iter, const CbJsonValue *value)
{
	*iter = (CbJsonIter) {0};
	if ((value->type != CB_JSON_ARRAY && value->type != CB_JSON_OBJECT) || value->len < 2)
	{
		iter->bad = true;
		return CB_INVALID;
	}
	iter->next = value->data + 1;
	iter->end = value->data + value->len;
	iter->object = value->type == CB_JSON_OBJECT;
	iter->first = true;
	return CB_OK;
}

/* Member name and colon at p. */
static const uint8_t *
iter_name(CbJsonScan *scan, const uint8_t *p, CbJsonValue *name)
{
	const uint8_t *start = p;
	bool		escaped = false;

	if (p == scan->end || *p != '"')
		return NULL;
	p = cb_scan_string(scan, p + 1, &escaped);
	if (p == NULL)
		return NULL;
	*name = (CbJsonValue) {start, (size_t) (p - start), CB_JSON_STRING, escaped};
	p = cb_scan_blanks(p, scan->end);
	if (p == scan->end || *p != ':')
		return NULL;
	return cb_scan_blanks(p + 1, scan->end);
}

CbResult
cb_json_iter_next(CbJsonIter *iter, CbJsonValue *name, CbJsonValue *value)
{
	CbJsonScan	scan = {iter->next, iter->end, {0}};
	const uint8_t *p;
	const uint8_t *start;
	bool		escaped = false;

	if (iter->bad)
		return CB_MALFORMED;
	if (iter->next == NULL)
		return CB_END;
	p = cb_scan_blanks(iter->next, iter->end);
	if (p < iter->end && *p == (iter->object ? '}' : ']'))
	{
		iter->next = NULL;
		iter->bad = p + 1 != iter->end;
		return iter->bad ? CB_MALFORMED : CB_END;
	}
	iter->bad = true;
	if (!iter->first)
	{
		if (p == iter->end || *p != ',')
			return CB_MALFORMED;
		p = cb_scan_blanks(p + 1, iter->end);
	}
	if (iter->object && (p = iter_name(&scan, p, name)) == NULL)
		return CB_MALFORMED;
	start = p;
	p = cb_scan_value(&scan, p, 0, &escaped);
	if (p == NULL)
		return CB_MALFORMED;
	*value = (CbJsonValue) {start, (size_t) (p - start), cb_scan_type(*start), escaped};
	iter->next = p;
	iter->first = false;
	iter->bad = false;
	return CB_OK;
}
