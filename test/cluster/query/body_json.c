/*
 * body_json.c: a scanner of JSON text that complains in the words of Go's encoding/json, as the server does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../util.h"
#include "body_json.h"

#define MAX_DEPTH 10000

static bool scan_value(BodyScan *s, int depth);

static void
skip_blanks(BodyScan *s)
{
	while (s->at < s->end && strchr(" \t\r\n", *s->at) != NULL && *s->at != '\0')
		s->at++;
}

static bool
complain(BodyScan *s, const char *context)
{
	unsigned char c;

	if (s->at >= s->end)
	{
		snprintf(s->complaint, sizeof(s->complaint), "unexpected end of JSON input");
		return false;
	}
	c = (unsigned char) *s->at;
	if (c == '\'' || c == '\\')
		snprintf(s->complaint, sizeof(s->complaint), "invalid character '\\%c' %s", c, context);
	else if (c == '\n' || c == '\r' || c == '\t')
		snprintf(s->complaint, sizeof(s->complaint), "invalid character '\\%c' %s",
				 c == '\n' ? 'n' : c == '\r' ? 'r' : 't', context);
	else if (c < 0x20 || c == 0x7f)
		snprintf(s->complaint, sizeof(s->complaint), "invalid character '\\x%02x' %s", c, context);
	else if (c >= 0x80)
		snprintf(s->complaint, sizeof(s->complaint), "invalid character '%c%c' %s", 0xc0 | c >> 6, 0x80 | (c & 0x3f),
				 context);
	else
		snprintf(s->complaint, sizeof(s->complaint), "invalid character '%c' %s", c, context);
	return false;
}

static bool
scan_literal(BodyScan *s, const char *word)
{
	for (size_t i = 0; word[i] != '\0'; i++, s->at++)
	{
		char		context[48];

		if (s->at < s->end && *s->at == word[i])
			continue;
		snprintf(context, sizeof(context), "in literal %s (expecting '%c')", word, word[i]);
		return complain(s, context);
	}
	return true;
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool
scan_escape(BodyScan *s)
{
	if (s->at >= s->end || *s->at == '\0' || strchr("\"\\/bfnrtu", *s->at) == NULL)
		return complain(s, "in string escape code");
	if (*s->at++ != 'u')
		return true;
	for (int i = 0; i < 4; i++, s->at++)
		if (s->at >= s->end || !is_hex(*s->at))
			return complain(s, "in \\u hexadecimal character escape");
	return true;
}

/* s->at is behind the opening quote. */
static bool
scan_string(BodyScan *s)
{
	while (s->at < s->end)
	{
		char		c = *s->at;

		if ((unsigned char) c < 0x20)
			return complain(s, "in string literal");
		s->at++;
		if (c == '"')
			return true;
		if (c == '\\' && !scan_escape(s))
			return false;
	}
	return complain(s, "");
}

static bool
scan_digits(BodyScan *s, const char *context)
{
	if (s->at >= s->end || *s->at < '0' || *s->at > '9')
		return complain(s, context);
	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return true;
}

static bool
scan_number(BodyScan *s)
{
	if (*s->at == '-')
		s->at++;
	if (s->at < s->end && *s->at == '0')
		s->at++;
	else if (!scan_digits(s, "in numeric literal"))
		return false;
	if (s->at < s->end && *s->at == '.')
	{
		s->at++;
		if (!scan_digits(s, "after decimal point in numeric literal"))
			return false;
	}
	if (s->at < s->end && (*s->at == 'e' || *s->at == 'E'))
	{
		s->at++;
		if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
			s->at++;
		return scan_digits(s, "in exponent of numeric literal");
	}
	return true;
}

/* The name of a member and its colon; s->at is at the quote. */
static bool
scan_name(BodyScan *s)
{
	if (s->at >= s->end || *s->at != '"')
		return complain(s, "looking for beginning of object key string");
	s->at++;
	if (!scan_string(s))
		return false;
	skip_blanks(s);
	if (s->at >= s->end || *s->at != ':')
		return complain(s, "after object key");
	s->at++;
	skip_blanks(s);
	return true;
}

/* Elements or members up to the closing bracket; s->at is behind the opening one. */
static bool
scan_members(BodyScan *s, bool object, int depth)
{
	char		closing = object ? '}' : ']';

	skip_blanks(s);
	if (s->at < s->end && *s->at == closing)
	{
		s->at++;
		return true;
	}
	for (;;)
	{
		skip_blanks(s);
		if ((object && !scan_name(s)) || !scan_value(s, depth + 1))
			return false;
		skip_blanks(s);
		if (s->at < s->end && *s->at == closing)
		{
			s->at++;
			return true;
		}
		if (s->at >= s->end || *s->at != ',')
			return complain(s, object ? "after object key:value pair" : "after array element");
		s->at++;
	}
}

static bool
scan_value(BodyScan *s, int depth)
{
	if (depth > MAX_DEPTH)
	{
		snprintf(s->complaint, sizeof(s->complaint), "exceeded max depth");
		return false;
	}
	if (s->at >= s->end)
		return complain(s, "");
	switch (*s->at)
	{
		case '"':
			s->at++;
			return scan_string(s);
		case '{':
			s->at++;
			return scan_members(s, true, depth);
		case '[':
			s->at++;
			return scan_members(s, false, depth);
		case 't':
			return scan_literal(s, "true");
		case 'f':
			return scan_literal(s, "false");
		case 'n':
			return scan_literal(s, "null");
		default:
			if (*s->at == '-' || (*s->at >= '0' && *s->at <= '9'))
				return scan_number(s);
			return complain(s, "looking for beginning of value");
	}
}

/* ---------------------------------------------------------------- the body */

void
body_scan(BodyScan *s, const char *text, size_t len)
{
	memset(s, 0, sizeof(*s));
	s->at = text;
	s->end = text + len;
	s->first = true;
}

/* Enters the object; *found stays false if the body is none. */
static bool
enter_object(BodyScan *s, bool *object)
{
	skip_blanks(s);
	*object = s->at < s->end && *s->at == '{';
	if (*object)
	{
		s->at++;
		s->inside = true;
		return true;
	}
	s->over = true;
	return true;
}

static bool
leave_object(BodyScan *s)
{
	s->at++;
	s->over = true;
	skip_blanks(s);
	return s->at == s->end || complain(s, "after top-level value");
}

bool
body_next_key(BodyScan *s, char **key, bool *found)
{
	BodyValue	name;
	bool		object = true;

	*found = false;
	if (s->over || (!s->inside && (!enter_object(s, &object) || !object)))
		return true;
	skip_blanks(s);
	if (s->at < s->end && *s->at == '}')
		return leave_object(s);
	if (!s->first)
	{
		if (s->at >= s->end || *s->at != ',')
			return complain(s, "after object key:value pair");
		s->at++;
		skip_blanks(s);
	}
	s->first = false;
	name.text = s->at;
	if (!scan_name(s))
		return false;
	name.len = (size_t) (s->at - name.text);
	*key = body_string(name, NULL);
	*found = true;
	return true;
}

bool
body_next_value(BodyScan *s, BodyValue *v)
{
	v->text = s->at;
	if (!scan_value(s, 1))
		return false;
	v->len = (size_t) (s->at - v->text);
	return true;
}

bool
body_check(BodyScan *s, const char *text, size_t len)
{
	body_scan(s, text, len);
	skip_blanks(s);
	if (!scan_value(s, 1))
		return false;
	skip_blanks(s);
	return s->at == s->end || complain(s, "after top-level value");
}

/* ---------------------------------------------------------------- values that were checked */

static unsigned
hex4(const char *p)
{
	unsigned	n = 0;

	for (int i = 0; i < 4; i++)
		n = n << 4 | (unsigned) (p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
	return n;
}

static char *
put_utf8(char *out, unsigned c)
{
	if (c < 0x80)
		*out++ = (char) c;
	else if (c < 0x800)
	{
		*out++ = (char) (0xc0 | c >> 6);
		*out++ = (char) (0x80 | (c & 0x3f));
	}
	else
	{
		if (c < 0x10000)
			*out++ = (char) (0xe0 | c >> 12);
		else
		{
			*out++ = (char) (0xf0 | c >> 18);
			*out++ = (char) (0x80 | (c >> 12 & 0x3f));
		}
		*out++ = (char) (0x80 | (c >> 6 & 0x3f));
		*out++ = (char) (0x80 | (c & 0x3f));
	}
	return out;
}

/* The character of \u....; *p stands behind "\u" and moves on. */
static unsigned
escaped_character(const char **p, const char *end)
{
	unsigned	c = hex4(*p);
	unsigned	low;

	*p += 4;
	if (c < 0xd800 || c > 0xdfff)
		return c;
	if (c >= 0xdc00 || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
		return 0xfffd;
	low = hex4(*p + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return 0xfffd;
	*p += 6;
	return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

/* Bytes of the UTF-8 character at p, 0 if there is none. */
static int
utf8_length(const char *p, const char *end)
{
	const unsigned char *u = (const unsigned char *) p;
	int			n = u[0] < 0x80 ? 1 : u[0] >= 0xc2 && u[0] < 0xe0 ? 2 : (u[0] & 0xf0) == 0xe0 ? 3 :
		u[0] >= 0xf0 && u[0] < 0xf5 ? 4 : 0;

	if (n == 0 || end - p < n)
		return 0;
	for (int i = 1; i < n; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) || (u[0] == 0xf0 && u[1] < 0x90) ||
		(u[0] == 0xf4 && u[1] > 0x8f))
		return 0;
	return n;
}

char *
body_string(BodyValue v, size_t *len)
{
	static const char plain[] = "\"\\/bfnrt";
	static const char meant[] = "\"\\/\b\f\n\r\t";
	const char *p = v.text + 1;
	const char *end = v.text + v.len;
	char	   *text = xmalloc(3 * v.len + 1);
	char	   *out = text;

	while (p < end && *p != '"')
	{
		int			n;

		if (*p == '\\')
		{
			p++;
			if (*p == 'u')
			{
				p++;
				out = put_utf8(out, escaped_character(&p, end));
			}
			else
				*out++ = meant[strchr(plain, *p++) - plain];
			continue;
		}
		n = utf8_length(p, end);
		if (n == 0)
			out = put_utf8(out, 0xfffd);
		for (int i = 0; i < n; i++)
			*out++ = p[i];
		p += n == 0 ? 1 : n;
	}
	*out = '\0';
	if (len != NULL)
		*len = (size_t) (out - text);
	return text;
}

/* Steps behind the opening bracket or the comma; false at the closing bracket. */
static bool
next_part(BodyScan *s, const BodyValue *rest)
{
	body_scan(s, rest->text, rest->len);
	skip_blanks(s);
	if (s->at >= s->end || *s->at == ']' || *s->at == '}')
		return false;
	if (*s->at == '[' || *s->at == '{' || *s->at == ',')
	{
		s->at++;
		skip_blanks(s);
	}
	return s->at < s->end && *s->at != ']' && *s->at != '}';
}

static void
keep_rest(const BodyScan *s, BodyValue *rest)
{
	const char *end = rest->text + rest->len;

	rest->text = s->at;
	rest->len = (size_t) (end - s->at);
	while (rest->len > 0 && strchr(" \t\r\n", *rest->text) != NULL)
	{
		rest->text++;
		rest->len--;
	}
}

bool
body_next_element(BodyValue *rest, BodyValue *element)
{
	BodyScan	s;

	if (!next_part(&s, rest) || !body_next_value(&s, element))
		return false;
	keep_rest(&s, rest);
	return true;
}

bool
body_next_member(BodyValue *rest, char **key, BodyValue *value)
{
	BodyScan	s;
	BodyValue	name;

	if (!next_part(&s, rest))
		return false;
	name.text = s.at;
	if (!scan_name(&s))
		return false;
	name.len = (size_t) (s.at - name.text);
	if (!body_next_value(&s, value))
		return false;
	*key = body_string(name, NULL);
	keep_rest(&s, rest);
	return true;
}
