/*
 * json_check.c: is this value JSON, as the data service sees it? One value, blanks around it, valid UTF-8, no control
 * characters in strings; lone surrogate escapes, repeated members and numbers of any size are fine.
 */
#include <stdlib.h>
#include <string.h>

#include "cbcluster.h"

/* Open brackets, one bit each: 1 for an object. Deep documents spill to the heap. */
typedef struct Nesting
{
	uint8_t		local[64];
	uint8_t    *bits;
	size_t		size;				/* in bytes */
	size_t		depth;
} Nesting;

static void
nest(Nesting *n, bool object)
{
	if (n->depth / 8 >= n->size)
	{
		uint8_t    *bits = xmalloc(n->size * 2);

		memcpy(bits, n->bits, n->size);
		if (n->bits != n->local)
			free(n->bits);
		n->bits = bits;
		n->size *= 2;
	}
	if (object)
		n->bits[n->depth / 8] |= (uint8_t) (1 << n->depth % 8);
	else
		n->bits[n->depth / 8] &= (uint8_t) ~(1 << n->depth % 8);
	n->depth++;
}

static bool
in_object(const Nesting *n)
{
	return n->bits[(n->depth - 1) / 8] >> (n->depth - 1) % 8 & 1;
}

static const uint8_t *
blanks(const uint8_t *p, const uint8_t *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/* Length of the UTF-8 sequence at p (first byte >= 0x80), 0 if it is not valid. */
static size_t
utf8(const uint8_t *p, const uint8_t *end)
{
	size_t		n = *p >= 0xc2 && *p <= 0xdf ? 2 : (*p & 0xf0) == 0xe0 ? 3 : *p >= 0xf0 && *p <= 0xf4 ? 4 : 0;

	if (n == 0 || (size_t) (end - p) < n)
		return 0;
	for (size_t i = 1; i < n; i++)
	{
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
		(*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static bool
is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Behind the closing quote of the string that begins at p, or NULL. */
static const uint8_t *
string(const uint8_t *p, const uint8_t *end)
{
	for (p++; p < end;)
	{
		size_t		n = 1;

		if (*p == '"')
			return p + 1;
		if (*p < 0x20)
			return NULL;
		if (*p >= 0x80)
			n = utf8(p, end);
		else if (*p == '\\')
		{
			if (end - p < 2 || p[1] == '\0' || strchr("\"\\/bfnrtu", p[1]) == NULL)
				return NULL;
			n = p[1] == 'u' ? 6 : 2;
			if (n == 6 && (end - p < 6 || !is_hex(p[2]) || !is_hex(p[3]) || !is_hex(p[4]) || !is_hex(p[5])))
				return NULL;
		}
		if (n == 0)
			return NULL;
		p += n;
	}
	return NULL;
}

static const uint8_t *
digits(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *start = p;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p > start ? p : NULL;
}

static const uint8_t *
number(const uint8_t *p, const uint8_t *end)
{
	if (*p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else
		p = digits(p, end);
	if (p != NULL && p < end && *p == '.')
		p = digits(p + 1, end);
	if (p != NULL && p < end && (*p | 0x20) == 'e')
	{
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		p = digits(p, end);
	}
	return p;
}

static const uint8_t *
word(const uint8_t *p, const uint8_t *end, const char *text)
{
	size_t		n = strlen(text);

	return (size_t) (end - p) >= n && memcmp(p, text, n) == 0 ? p + n : NULL;
}

static const uint8_t *
scalar(const uint8_t *p, const uint8_t *end)
{
	switch (*p)
	{
		case '"':
			return string(p, end);
		case 't':
			return word(p, end, "true");
		case 'f':
			return word(p, end, "false");
		case 'n':
			return word(p, end, "null");
		default:
			return *p == '-' || (*p >= '0' && *p <= '9') ? number(p, end) : NULL;
	}
}

/* A member name and its colon; behind them, or NULL. */
static const uint8_t *
member(const uint8_t *p, const uint8_t *end)
{
	p = blanks(p, end);
	p = p < end && *p == '"' ? string(p, end) : NULL;
	if (p == NULL)
		return NULL;
	p = blanks(p, end);
	return p < end && *p == ':' ? p + 1 : NULL;
}

/* After a value: closes what ends here; *more says whether another value follows. */
static const uint8_t *
after_value(Nesting *n, const uint8_t *p, const uint8_t *end, bool *more)
{
	*more = false;
	for (;;)
	{
		p = blanks(p, end);
		if (n->depth == 0)
			return p;
		if (p >= end)
			return NULL;
		if (*p == ',')
		{
			*more = true;
			return in_object(n) ? member(p + 1, end) : p + 1;
		}
		if (*p != (in_object(n) ? '}' : ']'))
			return NULL;
		n->depth--;
		p++;
	}
}

static bool
one_value(Nesting *n, const uint8_t *p, const uint8_t *end)
{
	bool		more = true;

	while (more)
	{
		p = blanks(p, end);
		if (p >= end)
			return false;
		if (*p == '{' || *p == '[')
		{
			bool		object = *p == '{';
			const uint8_t *inside = blanks(p + 1, end);

			nest(n, object);
			if (inside < end && *inside == (object ? '}' : ']'))
				p = inside;
			else
			{
				p = object ? member(p + 1, end) : p + 1;
				if (p == NULL)
					return false;
				continue;
			}
		}
		else
			p = scalar(p, end);
		if (p == NULL)
			return false;
		p = after_value(n, p, end, &more);
		if (p == NULL)
			return false;
	}
	return p == end;
}

uint8_t
json_datatype(const void *value, size_t len)
{
	Nesting		n;
	bool		ok;

	n.bits = n.local;
	n.size = sizeof(n.local);
	n.depth = 0;
	ok = one_value(&n, value, (const uint8_t *) value + len);
	if (n.bits != n.local)
		free(n.bits);
	return ok ? DT_JSON : DT_RAW;
}
