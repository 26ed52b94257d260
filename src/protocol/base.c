/*
 * base.c
 *		Byte buffer, spans, error texts, UTF-8 check, closest name.
 */
#include "base.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *
cb_result_name(CbResult result)
{
	switch (result)
	{
		case CB_OK:
			return "ok";
		case CB_NEED_MORE:
			return "need more";
		case CB_END:
			return "end";
		case CB_NOT_FOUND:
			return "not found";
		case CB_MALFORMED:
			return "malformed";
		case CB_LIMIT:
			return "limit exceeded";
		case CB_INVALID:
			return "invalid argument";
		case CB_UNSUPPORTED:
			return "unsupported";
		case CB_AUTH:
			return "authentication failed";
		case CB_BAD_UTF8:
			return "invalid UTF-8";
		case CB_NUL_CHAR:
			return "NUL character";
		case CB_LONE_SURROGATE:
			return "lone surrogate";
		case CB_NOMEM:
			return "out of memory";
	}
	return "unknown";
}

CbSpan
cb_span_cstr(const char *text)
{
	return cb_span(text, text == NULL ? 0 : strlen(text));
}

CbSpan
cb_span(const void *data, size_t len)
{
	return (CbSpan) {data, len};
}

bool
cb_span_equal(CbSpan a, CbSpan b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool
cb_span_equal_cstr(CbSpan a, const char *text)
{
	return cb_span_equal(a, cb_span_cstr(text));
}

void
cb_wipe(void *data, size_t len)
{
	volatile uint8_t *p = data;

	while (len-- > 0)
		*p++ = 0;
}

char *
cb_span_dup(CbSpan span)
{
	char	   *copy;

	if (span.len == SIZE_MAX)
		return NULL;
	copy = malloc(span.len + 1);
	if (copy == NULL)
		return NULL;
	if (span.len > 0)
		memcpy(copy, span.data, span.len);
	copy[span.len] = '\0';
	return copy;
}

bool
cb_buf_reserve(CbBuf *buf, size_t extra)
{
	size_t		need;
	size_t		cap;
	uint8_t    *data;

	if (buf->oom)
		return false;
	if (extra <= buf->cap - buf->len)
		return true;
	need = buf->len + extra;
	if (need < extra || need > SIZE_MAX / 2)
	{
		buf->oom = true;
		return false;
	}
	cap = buf->cap < 64 ? 64 : buf->cap;
	while (cap < need)
		cap *= 2;
	data = realloc(buf->data, cap);
	if (data == NULL)
	{
		buf->oom = true;
		return false;
	}
	buf->data = data;
	buf->cap = cap;
	return true;
}

void
cb_buf_append(CbBuf *buf, const void *data, size_t len)
{
	if (len == 0 || !cb_buf_reserve(buf, len))
		return;
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
}

void
cb_buf_append_span(CbBuf *buf, CbSpan span)
{
	cb_buf_append(buf, span.data, span.len);
}

void
cb_buf_append_cstr(CbBuf *buf, const char *text)
{
	cb_buf_append(buf, text, strlen(text));
}

void
cb_buf_append_u8(CbBuf *buf, uint8_t value)
{
	cb_buf_append(buf, &value, 1);
}

static void
append_big_endian(CbBuf *buf, uint64_t value, int bytes)
{
	uint8_t		raw[8];

	for (int i = 0; i < bytes; i++)
		raw[i] = (uint8_t) (value >> (8 * (bytes - 1 - i)));
	cb_buf_append(buf, raw, (size_t) bytes);
}

void
cb_buf_append_u16(CbBuf *buf, uint16_t value)
{
	append_big_endian(buf, value, 2);
}

void
cb_buf_append_u32(CbBuf *buf, uint32_t value)
{
	append_big_endian(buf, value, 4);
}

void
cb_buf_append_u64(CbBuf *buf, uint64_t value)
{
	append_big_endian(buf, value, 8);
}

void
cb_buf_append_format(CbBuf *buf, const char *format,...)
{
	va_list		args;
	int			len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
	{
		buf->oom = true;
		return;
	}
	if (!cb_buf_reserve(buf, (size_t) len + 1))
		return;
	va_start(args, format);
	vsnprintf((char *) buf->data + buf->len, (size_t) len + 1, format, args);
	va_end(args);
	buf->len += (size_t) len;
}

static const char base64_digits[] =
"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
cb_buf_append_base64(CbBuf *buf, CbSpan data)
{
	if (data.len > SIZE_MAX / 4 || !cb_buf_reserve(buf, (data.len + 2) / 3 * 4))
	{
		buf->oom = true;
		return;
	}
	for (size_t i = 0; i < data.len; i += 3)
	{
		size_t		n = data.len - i < 3 ? data.len - i : 3;
		uint32_t	bits = (uint32_t) data.data[i] << 16;
		uint8_t    *out = buf->data + buf->len;

		if (n > 1)
			bits |= (uint32_t) data.data[i + 1] << 8;
		if (n > 2)
			bits |= data.data[i + 2];
		out[0] = (uint8_t) base64_digits[bits >> 18];
		out[1] = (uint8_t) base64_digits[(bits >> 12) & 63];
		out[2] = n > 1 ? (uint8_t) base64_digits[(bits >> 6) & 63] : '=';
		out[3] = n > 2 ? (uint8_t) base64_digits[bits & 63] : '=';
		buf->len += 4;
	}
}

static int
base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

CbResult
cb_base64_decode(CbSpan text, CbBuf *out)
{
	if (text.len % 4 != 0)
		return CB_MALFORMED;
	for (size_t i = 0; i < text.len; i += 4)
	{
		const uint8_t *p = text.data + i;
		bool		last = i + 4 == text.len;
		int			pad = last ? (p[3] == '=') + (p[3] == '=' && p[2] == '=') : 0;
		uint32_t	bits = 0;

		for (int j = 0; j < 4; j++)
		{
			int			value = j >= 4 - pad ? 0 : base64_value(p[j]);

			if (value < 0)
				return CB_MALFORMED;
			bits = bits << 6 | (uint32_t) value;
		}
		if ((pad == 1 && (bits & 0xff) != 0) || (pad == 2 && (bits & 0xffff) != 0))
			return CB_MALFORMED;
		cb_buf_append_u8(out, (uint8_t) (bits >> 16));
		if (pad < 2)
			cb_buf_append_u8(out, (uint8_t) (bits >> 8));
		if (pad < 1)
			cb_buf_append_u8(out, (uint8_t) bits);
	}
	return cb_buf_result(out);
}

void
cb_buf_append_json(CbBuf *buf, CbSpan text)
{
	cb_buf_append_u8(buf, '"');
	for (size_t i = 0; i < text.len; i++)
	{
		uint8_t		c = text.data[i];

		if (c == '"' || c == '\\')
		{
			cb_buf_append_u8(buf, '\\');
			cb_buf_append_u8(buf, c);
		}
		else if (c < 0x20)
			cb_buf_append_format(buf, "\\u%04x", c);
		else
			cb_buf_append_u8(buf, c);
	}
	cb_buf_append_u8(buf, '"');
}

void
cb_buf_consume(CbBuf *buf, size_t n)
{
	if (n >= buf->len)
	{
		buf->len = 0;
		return;
	}
	if (n > 0)
		memmove(buf->data, buf->data + n, buf->len - n);
	buf->len -= n;
}

CbSpan
cb_buf_span(const CbBuf *buf)
{
	return cb_span(buf->data, buf->len);
}

CbResult
cb_buf_result(const CbBuf *buf)
{
	return buf->oom ? CB_NOMEM : CB_OK;
}

void
cb_buf_reset(CbBuf *buf)
{
	buf->len = 0;
	buf->oom = false;
}

void
cb_buf_free(CbBuf *buf)
{
	free(buf->data);
	*buf = (CbBuf) {0};
}

void
cb_buf_free_secret(CbBuf *buf)
{
	if (buf->data != NULL)
		cb_wipe(buf->data, buf->cap);
	cb_buf_free(buf);
}

bool
cb_hex_parse(const char *text, uint64_t *out)
{
	uint64_t	value = 0;
	size_t		len = strlen(text);

	if (len == 0 || len > 16)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		char		c = text[i];

		value <<= 4;
		if (c >= '0' && c <= '9')
			value |= (uint64_t) (c - '0');
		else if (c >= 'a' && c <= 'f')
			value |= (uint64_t) (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value |= (uint64_t) (c - 'A' + 10);
		else
			return false;
	}
	*out = value;
	return true;
}

uint16_t
cb_get_u16(const uint8_t *p)
{
	return (uint16_t) (p[0] << 8 | p[1]);
}

uint32_t
cb_get_u32(const uint8_t *p)
{
	return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 |
		(uint32_t) p[2] << 8 | p[3];
}

uint64_t
cb_get_u64(const uint8_t *p)
{
	return (uint64_t) cb_get_u32(p) << 32 | cb_get_u32(p + 4);
}

/* Cut a text that may end in half a character. */
static void
cut_at_character(char *text)
{
	size_t		len = strlen(text);
	size_t		back = 0;

	while (back < 3 && back < len && ((uint8_t) text[len - 1 - back] & 0xc0) == 0x80)
		back++;
	if (back < len)
	{
		uint8_t		lead = (uint8_t) text[len - 1 - back];
		size_t		need = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;

		if (lead >= 0xc0 && back < need)
			text[len - 1 - back] = '\0';
	}
}

CbResult
cb_error_set(CbError *err, CbResult result, const char *hint,
			 const char *format,...)
{
	va_list		args;

	if (err == NULL)
		return result;
	err->result = result;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	cut_at_character(err->text);
	snprintf(err->hint, sizeof(err->hint), "%s", hint == NULL ? "" : hint);
	cut_at_character(err->hint);
	return result;
}

size_t
cb_utf8_sequence(const uint8_t *p, size_t left)
{
	uint8_t		c = p[0];

	if (c >= 0xc2 && c <= 0xdf)
		return left >= 2 && (p[1] & 0xc0) == 0x80 ? 2 : 0;
	if (c >= 0xe0 && c <= 0xef)
	{
		if (left < 3 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80)
			return 0;
		if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f))
			return 0;
		return 3;
	}
	if (c >= 0xf0 && c <= 0xf4)
	{
		if (left < 4 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80 ||
			(p[3] & 0xc0) != 0x80)
			return 0;
		if ((c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f))
			return 0;
		return 4;
	}
	return 0;
}

size_t
cb_utf8_valid_prefix(CbSpan span)
{
	size_t		i = 0;

	while (i < span.len)
	{
		uint64_t	word;
		size_t		n;

		if (span.len - i >= 8)
		{
			memcpy(&word, span.data + i, 8);
			if ((word & UINT64_C(0x8080808080808080)) == 0)
			{
				i += 8;
				continue;
			}
		}
		if (span.data[i] < 0x80)
		{
			i++;
			continue;
		}
		n = cb_utf8_sequence(span.data + i, span.len - i);
		if (n == 0)
			break;
		i += n;
	}
	return i;
}

#define CLOSEST_MAX_LEN 63

/* Levenshtein distance of two words of at most CLOSEST_MAX_LEN characters. */
static size_t
edit_distance(CbSpan a, CbSpan b)
{
	size_t		row[CLOSEST_MAX_LEN + 1];

	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++)
	{
		size_t		diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++)
		{
			bool		same = tolower(a.data[i - 1]) == tolower(b.data[j - 1]);
			size_t		best = diagonal + (same ? 0 : 1);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b.len];
}

const char *
cb_closest_name(CbSpan word, const char *const *names)
{
	const char *best = NULL;
	size_t		best_distance = SIZE_MAX;

	if (word.len == 0 || word.len > CLOSEST_MAX_LEN)
		return NULL;
	for (; *names != NULL; names++)
	{
		CbSpan		name = cb_span_cstr(*names);
		size_t		distance;

		if (name.len > CLOSEST_MAX_LEN)
			continue;
		distance = edit_distance(word, name);
		if (distance < best_distance)
		{
			best = *names;
			best_distance = distance;
		}
	}
	/* More than a third wrong is another word, not a typing error. */
	if (best == NULL || best_distance > (word.len + 2) / 3 ||
		best_distance >= strlen(best))
		return NULL;
	return best;
}
