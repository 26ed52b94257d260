/*
 * sqlpp_stream.c
 *		Rows and members of a query service's answer, from pieces cut anywhere. One pass; nothing is allocated but
 *		for values that a cut goes through.
 */
#include "sqlpp.h"

#include <string.h>

/* A buffer that a huge row has blown up is given back once it holds nothing. */
#define KEEP_TEXT	(1024 * 1024)

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static CbResult
malformed(CbError *err, const char *what)
{
	return cb_error_set(err, CB_MALFORMED, NULL, "%s", what);
}

/* ---- the end of a value ---- */

static CbResult
push(CbSqlppStream *stream, bool object, CbError *err)
{
	uint64_t	bit = UINT64_C(1) << stream->depth % 64;

	if (stream->depth == CB_STREAM_MAX_DEPTH)
		return cb_error_set(err, CB_LIMIT, NULL, "a value is nested more than %d levels deep",
							CB_STREAM_MAX_DEPTH);
	if (object)
		stream->objects[stream->depth / 64] |= bit;
	else
		stream->objects[stream->depth / 64] &= ~bit;
	stream->depth++;
	return CB_OK;
}

static CbResult
pop(CbSqlppStream *stream, bool object, CbError *err)
{
	unsigned	level = stream->depth - 1;
	bool		is_object = (stream->objects[level / 64] >> level % 64) & 1;

	if (is_object != object)
		return malformed(err, "brackets do not match");
	stream->depth = level;
	return CB_OK;
}

/* The first byte of a value. */
static CbResult
begin_value(CbSqlppStream *stream, uint8_t c, CbError *err)
{
	stream->depth = 0;
	stream->in_string = c == '"';
	stream->escaped = false;
	stream->scalar = c == '-' || (c >= '0' && c <= '9') || c == 't' || c == 'f' || c == 'n';
	if (c == '{' || c == '[')
		return push(stream, c == '{', err);
	return stream->in_string || stream->scalar ? CB_OK : malformed(err, "a value is missing");
}

/* Goes on within a string; returns the place past its closing quote, or end. */
static const uint8_t *
pass_string(CbSqlppStream *stream, const uint8_t *p, const uint8_t *end)
{
	for (; p < end; p++)
	{
		if (stream->escaped)
			stream->escaped = false;
		else if (*p == '\\')
			stream->escaped = true;
		else if (*p == '"')
		{
			stream->in_string = false;
			return p + 1;
		}
	}
	return end;
}

static bool
is_scalar_byte(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '+' || c == 'E';
}

/* Goes on within a value after its first byte: *p becomes its end (CB_OK) or the end of input (CB_NEED_MORE). */
static CbResult
pass_value(CbSqlppStream *stream, const uint8_t **p, const uint8_t *end, CbError *err)
{
	const uint8_t *q = *p;
	CbResult	result = CB_OK;

	if (stream->scalar)
	{
		while (q < end && is_scalar_byte(*q))
			q++;
		*p = q;
		return q < end ? CB_OK : CB_NEED_MORE;
	}
	while (result == CB_OK)
	{
		if (stream->in_string)
			q = pass_string(stream, q, end);
		if (!stream->in_string && stream->depth == 0)
			break;
		if (q == end)
		{
			*p = q;
			return CB_NEED_MORE;
		}
		switch (*q++)
		{
			case '"':
				stream->in_string = true;
				break;
			case '{':
			case '[':
				result = push(stream, q[-1] == '{', err);
				break;
			case '}':
			case ']':
				result = pop(stream, q[-1] == '}', err);
				break;
			default:
				break;
		}
	}
	*p = q;
	return result;
}

/* ---- the answer around the values ---- */

static CbResult
start_member(CbSqlppStream *stream, uint8_t c, CbError *err)
{
	if (c == '}' && stream->state == CB_STREAM_MEMBER_OR_END)
	{
		stream->state = CB_STREAM_DONE;
		return CB_OK;
	}
	if (c != '"')
		return malformed(err, "a member's name is missing");
	stream->state = CB_STREAM_NAME;
	stream->name_len = 0;
	stream->escaped = false;
	return CB_OK;
}

static void
take_name(CbSqlppStream *stream, uint8_t c)
{
	if (c == '"' && !stream->escaped)
	{
		stream->state = CB_STREAM_COLON;
		return;
	}
	stream->escaped = c == '\\' && !stream->escaped;
	if (stream->name_len < CB_STREAM_NAME_MAX)
		stream->name[stream->name_len++] = (char) c;
}

static CbSpan
name_of(const CbSqlppStream *stream)
{
	return cb_span(stream->name, stream->name_len);
}

/* The first byte of a member's value or of a row. */
static CbResult
start_value(CbSqlppStream *stream, uint8_t c, CbError *err)
{
	bool		row = stream->state != CB_STREAM_VALUE_START;

	if (!row && cb_span_equal_cstr(name_of(stream), "results"))
	{
		if (c != '[')
			return malformed(err, "\"results\" is not an array");
		if (stream->had_results)
			return malformed(err, "there are two members \"results\"");
		stream->had_results = true;
		stream->state = CB_STREAM_ROW_OR_END;
		return CB_OK;
	}
	if (c == ']' && stream->state == CB_STREAM_ROW_OR_END)
	{
		stream->state = CB_STREAM_AFTER_VALUE;
		return CB_OK;
	}
	stream->state = row ? CB_STREAM_ROW : CB_STREAM_VALUE;
	return begin_value(stream, c, err);
}

static CbResult
after_value(CbSqlppStream *stream, uint8_t c, CbError *err)
{
	bool		row = stream->state == CB_STREAM_AFTER_ROW;

	if (c == ',')
		stream->state = row ? CB_STREAM_ROW_START : CB_STREAM_MEMBER_NEXT;
	else if (c == (row ? ']' : '}'))
		stream->state = row ? CB_STREAM_AFTER_VALUE : CB_STREAM_DONE;
	else
		return malformed(err, row ? "a comma between rows is missing" : "a comma between members is missing");
	return CB_OK;
}

/* One byte outside values that is not a blank between them. */
static CbResult
take_byte(CbSqlppStream *stream, uint8_t c, CbError *err)
{
	switch (stream->state)
	{
		case CB_STREAM_START:
			if (c != '{')
				return malformed(err, "it does not begin with a brace");
			stream->state = CB_STREAM_MEMBER_OR_END;
			return CB_OK;
		case CB_STREAM_MEMBER_OR_END:
		case CB_STREAM_MEMBER_NEXT:
			return start_member(stream, c, err);
		case CB_STREAM_NAME:
			take_name(stream, c);
			return CB_OK;
		case CB_STREAM_COLON:
			stream->state = CB_STREAM_VALUE_START;
			return c == ':' ? CB_OK : malformed(err, "a colon is missing");
		case CB_STREAM_VALUE_START:
		case CB_STREAM_ROW_OR_END:
		case CB_STREAM_ROW_START:
			return start_value(stream, c, err);
		case CB_STREAM_AFTER_VALUE:
		case CB_STREAM_AFTER_ROW:
			return after_value(stream, c, err);
		default:
			return malformed(err, "something follows its end");
	}
}

/* Keeps a part of a value whose rest is still to come. */
static CbResult
keep(CbSqlppStream *stream, const uint8_t *from, const uint8_t *to, CbError *err)
{
	size_t		len = (size_t) (to - from);

	if (len > stream->max_text || stream->text.len > stream->max_text - len)
		return cb_error_set(err, CB_LIMIT, NULL, "a %s is larger than %zu bytes",
							stream->state == CB_STREAM_ROW ? "row" : "member", stream->max_text);
	cb_buf_append(&stream->text, from, len);
	return cb_buf_result(&stream->text);
}

/* A value has ended at "to". */
static CbResult
finish(CbSqlppStream *stream, const uint8_t *from, const uint8_t *to, CbSqlppItem *item, CbError *err)
{
	CbResult	result;

	item->row = stream->state == CB_STREAM_ROW;
	item->name = item->row ? CB_SPAN_EMPTY : name_of(stream);
	if (stream->text.len == 0 && (size_t) (to - from) <= stream->max_text)
		item->text = cb_span(from, (size_t) (to - from));
	else
	{
		result = keep(stream, from, to, err);
		if (result != CB_OK)
			return result;
		item->text = cb_buf_span(&stream->text);
	}
	stream->state = item->row ? CB_STREAM_AFTER_ROW : CB_STREAM_AFTER_VALUE;
	return CB_OK;
}

static bool
in_value(const CbSqlppStream *stream)
{
	return stream->state == CB_STREAM_VALUE || stream->state == CB_STREAM_ROW;
}

/* Forgets the item given out last. */
static void
forget(CbSqlppStream *stream)
{
	if (in_value(stream) || stream->text.len == 0)
		return;
	if (stream->text.cap > KEEP_TEXT)
		cb_buf_free(&stream->text);
	else
		cb_buf_reset(&stream->text);
}

CbResult
cb_sqlpp_stream_next(CbSqlppStream *stream, CbSpan *input, CbSqlppItem *item, CbError *err)
{
	const uint8_t *p = input->data;
	const uint8_t *end = p + input->len;
	const uint8_t *from = p;	/* of the value, as far as it is in this input */
	CbResult	result = CB_OK;

	forget(stream);
	if (input->len == 0)
		return stream->state == CB_STREAM_DONE ? CB_END : CB_NEED_MORE;
	while (result == CB_OK)
	{
		if (in_value(stream))
		{
			result = pass_value(stream, &p, end, err);
			if (result == CB_OK)
			{
				result = finish(stream, from, p, item, err);
				break;
			}
			if (result == CB_NEED_MORE && keep(stream, from, p, err) != CB_OK)
				result = stream->text.oom ? CB_NOMEM : CB_LIMIT;
			break;
		}
		if (p == end)
		{
			result = stream->state == CB_STREAM_DONE ? CB_END : CB_NEED_MORE;
			break;
		}
		from = p;
		if (stream->state == CB_STREAM_NAME || !is_blank(*p))
			result = take_byte(stream, *p, err);
		p++;
	}
	input->len = (size_t) (end - p);
	input->data = p;
	return result;
}

void
cb_sqlpp_stream_free(CbSqlppStream *stream)
{
	cb_buf_free(&stream->text);
}
