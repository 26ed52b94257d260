/*
 * Values into JSON text, exactly as the server prints them; UTF-8.
 */
#include "n1ql.h"
#include "n1ql_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t
n1_utf8_get(const char *str, size_t n, int *used)
{
	const unsigned char *s = (const unsigned char *) str;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t	c;
	int			len,
				i;

	*used = 1;
	if (s[0] < 0x80)
		return s[0];
	len = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
	if (s[0] < 0xC2 || s[0] > 0xF4 || (size_t) len > n)
		return 0xFFFD;
	c = s[0] & (0x7Fu >> len);
	for (i = 1; i < len; i++)
	{
		if ((s[i] & 0xC0) != 0x80)
			return 0xFFFD;
		c = c << 6 | (s[i] & 0x3F);
	}
	if (c < least[len] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return 0xFFFD;
	*used = len;
	return c;
}

size_t
n1_utf8_put(char *out, uint32_t c)
{
	if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		c = 0xFFFD;
	if (c < 0x80)
	{
		out[0] = (char) c;
		return 1;
	}
	if (c < 0x800)
	{
		out[0] = (char) (0xC0 | c >> 6);
		out[1] = (char) (0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000)
	{
		out[0] = (char) (0xE0 | c >> 12);
		out[1] = (char) (0x80 | (c >> 6 & 0x3F));
		out[2] = (char) (0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (char) (0xF0 | c >> 18);
	out[1] = (char) (0x80 | (c >> 12 & 0x3F));
	out[2] = (char) (0x80 | (c >> 6 & 0x3F));
	out[3] = (char) (0x80 | (c & 0x3F));
	return 4;
}

size_t
n1_utf8_len(const char *s, size_t n)
{
	size_t		count = 0;
	int			used;

	for (size_t i = 0; i < n; i += (size_t) used, count++)
		n1_utf8_get(s + i, n - i, &used);
	return count;
}

/* Splits the shortest decimal form of d into its digits and the place of the point. */
static int
shortest_digits(double d, char *digits, int *point)
{
	char		text[40];
	int			n = 0,
				exp;
	const char *p;

	for (int prec = 0; prec < 17; prec++)
	{
		snprintf(text, sizeof(text), "%.*e", prec, d);
		if (strtod(text, NULL) == d)
			break;
	}
	for (p = text; *p != 'e'; p++)
		if (*p >= '0' && *p <= '9')
			digits[n++] = *p;
	exp = (int) strtol(p + 1, NULL, 10);
	while (n > 1 && digits[n - 1] == '0')
		n--;
	*point = exp + 1;
	return n;
}

void
n1_double_text(N1Buf *out, double d)
{
	char		digits[32];
	int			n,
				point;

	if (d == 0)
	{
		n1_buf_char(out, '0');
		return;
	}
	if (d < 0)
		n1_buf_char(out, '-');
	n = shortest_digits(fabs(d), digits, &point);
	if (point <= 0)
	{
		n1_buf_str(out, "0.");
		for (int i = point; i < 0; i++)
			n1_buf_char(out, '0');
		n1_buf_add(out, digits, (size_t) n);
		return;
	}
	for (int i = 0; i < point; i++)
		n1_buf_char(out, i < n ? digits[i] : '0');
	if (n > point)
	{
		n1_buf_char(out, '.');
		n1_buf_add(out, digits + point, (size_t) (n - point));
	}
}

void
n1_number_text(N1Buf *out, const N1Value *v)
{
	if (v->is_int)
		n1_buf_printf(out, "%lld", (long long) v->u.i);
	else if (isnan(v->u.d))
		n1_buf_str(out, "\"NaN\"");
	else if (isinf(v->u.d))
		n1_buf_str(out, v->u.d > 0 ? "\"+Infinity\"" : "\"-Infinity\"");
	else
		n1_double_text(out, v->u.d);
}

static void
write_control(N1Buf *out, unsigned char c)
{
	if (c == '"' || c == '\\')
		n1_buf_printf(out, "\\%c", c);
	else if (c == '\n')
		n1_buf_str(out, "\\n");
	else if (c == '\r')
		n1_buf_str(out, "\\r");
	else if (c == '\t')
		n1_buf_str(out, "\\t");
	else
		n1_buf_printf(out, "\\u%04x", c);
}

void
n1_json_write_string(N1Buf *out, const char *s, size_t n)
{
	size_t		start = 0,
				i = 0;

	n1_buf_char(out, '"');
	while (i < n)
	{
		unsigned char c = (unsigned char) s[i];
		int			used = 1;
		uint32_t	u = c;

		if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\')
		{
			i++;
			continue;
		}
		if (c >= 0x80)
			u = n1_utf8_get(s + i, n - i, &used);
		if (c >= 0x80 && !(u == 0xFFFD && used == 1) && u != 0x2028 && u != 0x2029)
		{
			i += (size_t) used;
			continue;
		}
		n1_buf_add(out, s + start, i - start);
		if (c >= 0x80)
			n1_buf_printf(out, "\\u%04x", u);
		else
			write_control(out, c);
		i += (size_t) used;
		start = i;
	}
	n1_buf_add(out, s + start, i - start);
	n1_buf_char(out, '"');
}

static void
write_pair(N1Buf *out, const N1Pair *p, bool first)
{
	if (!first)
		n1_buf_char(out, ',');
	n1_json_write_string(out, p->name, p->len);
	n1_buf_char(out, ':');
	n1_json_write(out, p->value);
}

void
n1_json_write(N1Buf *out, N1Value *v)
{
	if (v->raw != NULL)
	{
		n1_buf_add(out, v->raw, v->raw_len);
		return;
	}
	switch ((N1Type) v->type)
	{
		case N1_MISSING:
		case N1_NULL:
			n1_buf_str(out, "null");
			return;
		case N1_BOOL:
			n1_buf_str(out, v->b ? "true" : "false");
			return;
		case N1_NUMBER:
			n1_number_text(out, v);
			return;
		case N1_STRING:
			n1_json_write_string(out, v->u.str.s, v->u.str.n);
			return;
		case N1_BINARY:
			n1_buf_printf(out, "\"<binary (%zu b)>\"", v->u.str.n);
			return;
		case N1_ARRAY:
			n1_buf_char(out, '[');
			for (size_t i = 0; i < v->u.arr.n; i++)
			{
				if (i > 0)
					n1_buf_char(out, ',');
				n1_json_write(out, v->u.arr.v[i]);
			}
			n1_buf_char(out, ']');
			return;
		case N1_OBJECT:
			n1_buf_char(out, '{');
			for (size_t i = 0; i < v->u.obj.n; i++)
				write_pair(out, &v->u.obj.p[i], i == 0);
			n1_buf_char(out, '}');
			return;
	}
}

static bool
named(const N1Pair *p, const N1Name *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].n == p->len && memcmp(names[i].s, p->name, p->len) == 0)
			return true;
	return false;
}

void
n1_json_write_order(N1Buf *out, N1Value *v, const N1Name *names, size_t n)
{
	bool		first = true;

	if (v->type != N1_OBJECT)
	{
		n1_json_write(out, v);
		return;
	}
	n1_unpack(v);
	n1_buf_char(out, '{');
	for (size_t i = 0; i < n; i++)
	{
		N1Pair	   *p = n1_pair_find(v, names[i].s, names[i].n);

		if (p == NULL)
			continue;
		write_pair(out, p, first);
		first = false;
	}
	for (size_t i = 0; i < v->u.obj.n; i++)
		if (!named(&v->u.obj.p[i], names, n))
		{
			write_pair(out, &v->u.obj.p[i], first);
			first = false;
		}
	n1_buf_char(out, '}');
}
