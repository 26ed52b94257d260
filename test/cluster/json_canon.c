/*
 * json_canon.c: JSON rewritten in one form: no blanks, keys sorted, the last of equal keys kept,
 * strings with as few escapes as possible, fractions in their shortest digits. The data service
 * stores extended attributes so.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "subdoc.h"

/* ---------------------------------------------------------------- strings */

static int
hex4(const char *s)
{
	int			v = 0;

	for (int i = 0; i < 4; i++)
	{
		char		c = s[i];
		int			d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
			c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

static void
add_utf8(Text *t, uint32_t c)
{
	char		b[4];
	size_t		n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (n == 1)
		b[0] = (char) c;
	else
	{
		for (size_t i = n - 1; i > 0; i--, c >>= 6)
			b[i] = (char) (0x80 | (c & 0x3f));
		b[0] = (char) ((0xf00 >> n & 0xf0) | c);
	}
	text_add(t, b, n);
}

/*
 * A \u escape at s (behind the backslash): the code point and the bytes used, or false for half a
 * surrogate pair.
 */
static bool
read_unicode(const char *s, size_t len, uint32_t *c, size_t *used)
{
	int			high = len >= 5 ? hex4(s + 1) : -1;
	int			low;

	if (high < 0 || (high >= 0xdc00 && high <= 0xdfff))
		return false;
	*c = (uint32_t) high;
	*used = 5;
	if (high < 0xd800 || high > 0xdbff)
		return true;
	if (len < 11 || s[5] != '\\' || s[6] != 'u')
		return false;
	low = hex4(s + 7);
	if (low < 0xdc00 || low > 0xdfff)
		return false;
	*c = 0x10000 + (((uint32_t) high & 0x3ff) << 10) + ((uint32_t) low & 0x3ff);
	*used = 11;
	return true;
}

/* Length of the UTF-8 character at s, 0 if it is not one. */
static size_t
utf8_char(const unsigned char *s, size_t len)
{
	size_t		n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 :
		s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;

	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

bool
json_string_text(Span str, Text *out)
{
	static const char letters[] = "bfnrt\"\\/";
	static const char plain[] = "\b\f\n\r\t\"\\/";
	size_t		len = str.len;

	if (len < 2 || str.at[0] != '"' || str.at[len - 1] != '"')
		return false;
	text_add(out, "", 0);
	for (size_t i = 1; i < len - 1;)
	{
		size_t		rest = len - 1 - i;
		size_t		used;
		uint32_t	c;
		const char *letter;

		if (str.at[i] != '\\')
		{
			used = utf8_char((const unsigned char *) str.at + i, rest);
			if (used == 0)
				return false;
			text_add(out, str.at + i, used);
			i += used;
			continue;
		}
		if (rest < 2)
			return false;
		if (str.at[i + 1] == 'u')
		{
			if (!read_unicode(str.at + i + 1, rest - 1, &c, &used))
				return false;
			add_utf8(out, c);
			i += 1 + used;
			continue;
		}
		letter = str.at[i + 1] != '\0' ? strchr(letters, str.at[i + 1]) : NULL;
		if (letter == NULL)
			return false;
		text_add(out, plain + (letter - letters), 1);
		i += 2;
	}
	return true;
}

/* ---------------------------------------------------------------- numbers */

/*
 * Shortest digits that read back as v, and the power of ten behind them: v = 0.digits * 10^point.
 */
static void
shortest_digits(double v, char digits[24], int *point)
{
	char		text[40];
	size_t		n = 0;
	char	   *e;

	for (int precision = 0; precision < 18; precision++)
	{
		snprintf(text, sizeof(text), "%.*e", precision, v);
		if (strtod(text, NULL) == v)
			break;
	}
	e = strchr(text, 'e');
	*point = (int) strtol(e + 1, NULL, 10) + 1;
	for (char *p = text; p < e; p++)
		if (*p >= '0' && *p <= '9')
			digits[n++] = *p;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	digits[n] = '\0';
}

static void
add_double(Text *out, double v)
{
	char		digits[24];
	int			point;
	int			n;

	if (signbit(v))
		text_add(out, "-", 1);
	if (v == 0)
	{
		text_puts(out, "0.0");
		return;
	}
	shortest_digits(fabs(v), digits, &point);
	n = (int) strlen(digits);
	if (n <= point && point <= 15)
		text_printf(out, "%s%.*s.0", digits, point - n, "000000000000000");
	else if (point > 0 && point <= 15)
		text_printf(out, "%.*s.%s", point, digits, digits + point);
	else if (point > -4 && point <= 0)
		text_printf(out, "0.%.*s%s", -point, "0000", digits);
	else
		text_printf(out, n > 1 ? "%c.%se%c%02d" : "%c%se%c%02d", digits[0], digits + 1, point > 0 ? '+' : '-',
					abs(point - 1));
}

static bool
add_number(Text *out, Span num)
{
	char		small[64];
	char	   *text = num.len < sizeof(small) ? small : xmalloc(num.len + 1);
	bool		integer = true;
	double		v;

	memcpy(text, num.at, num.len);
	text[num.len] = '\0';
	for (size_t i = 0; i < num.len; i++)
		if (strchr(".eE", text[i]) != NULL)
			integer = false;
	errno = 0;
	if (integer && text[0] == '-')
		(void) strtoll(text, NULL, 10);
	else if (integer)
		(void) strtoull(text, NULL, 10);
	if (integer && errno == 0)
		text_puts(out, strcmp(text, "-0") == 0 ? "0" : text);
	v = strtod(text, NULL);
	if (!integer || errno != 0)
		if (isfinite(v))
			add_double(out, v);
	if (text != small)
		free(text);
	return isfinite(v);
}

/* ---------------------------------------------------------------- containers */

typedef struct Member
{
	size_t		order;
	Text		key;
	Text		value;
} Member;

static bool canonical(JsonCursor *c, Text *out);

static int
compare_members(const void *a, const void *b)
{
	const Member *x = a;
	const Member *y = b;
	size_t		n = x->key.len < y->key.len ? x->key.len : y->key.len;
	int			order = memcmp(x->key.s, y->key.s, n);

	if (order == 0 && x->key.len != y->key.len)
		order = x->key.len < y->key.len ? -1 : 1;
	if (order == 0)
		order = x->order < y->order ? -1 : 1;
	return order;
}

static void
add_members(Text *out, const Member *m, size_t n)
{
	bool		first = true;

	text_add(out, "{", 1);
	for (size_t i = 0; i < n; i++)
	{
		if (i + 1 < n && m[i].key.len == m[i + 1].key.len && memcmp(m[i].key.s, m[i + 1].key.s, m[i].key.len) == 0)
			continue;
		if (!first)
			text_add(out, ",", 1);
		first = false;
		text_json_string(out, m[i].key.s, m[i].key.len);
		text_add(out, ":", 1);
		text_add(out, m[i].value.s, m[i].value.len);
	}
	text_add(out, "}", 1);
}

static bool
canonical_object(JsonCursor *c, Text *out)
{
	Member	   *m = NULL;
	size_t		n = 0;
	size_t		size = 0;
	Span		key;
	bool		ok = true;
	int			more;

	json_enter(c);
	while (ok && (more = json_next(c, true, n, &key)) != 0)
	{
		if (n == size)
		{
			size = size == 0 ? 8 : 2 * size;
			m = xrealloc(m, size * sizeof(Member));
		}
		memset(&m[n], 0, sizeof(Member));
		m[n].order = n;
		ok = more > 0 && json_string_text((Span) {key.at - 1, key.len + 2}, &m[n].key);
		n++;
		ok = ok && canonical(c, &m[n - 1].value);
	}
	if (ok && n > 0)
		qsort(m, n, sizeof(Member), compare_members);
	if (ok)
		add_members(out, m, n);
	for (size_t i = 0; i < n; i++)
	{
		text_free(&m[i].key);
		text_free(&m[i].value);
	}
	free(m);
	return ok;
}

static bool
canonical_array(JsonCursor *c, Text *out)
{
	Span		key;
	int			more;

	json_enter(c);
	text_add(out, "[", 1);
	for (size_t seen = 0; (more = json_next(c, false, seen, &key)) > 0; seen++)
	{
		if (seen > 0)
			text_add(out, ",", 1);
		if (!canonical(c, out))
			return false;
	}
	text_add(out, "]", 1);
	return more == 0;
}

/* One value at the cursor; its depth was checked by json_skip() before. */
static bool
canonical(JsonCursor *c, Text *out)
{
	const char *start = c->p;
	JsonType	type;
	Text		plain = {0};
	bool		ok;

	if (!json_peek_type(c, &type))
		return false;
	if (type == JSON_OBJECT)
		return canonical_object(c, out);
	if (type == JSON_ARRAY)
		return canonical_array(c, out);
	if (json_skip(c, 1) != 0)
		return false;
	if (type == JSON_NUMBER)
		return add_number(out, (Span) {start, (size_t) (c->p - start)});
	if (type != JSON_STRING)
	{
		text_add(out, start, (size_t) (c->p - start));
		return true;
	}
	ok = json_string_text((Span) {start, (size_t) (c->p - start)}, &plain);
	if (ok)
		text_json_string(out, plain.s, plain.len);
	text_free(&plain);
	return ok;
}

bool
json_canonical(Span in, Text *out)
{
	JsonCursor	c = {in.at, in.at + in.len};
	JsonCursor	check;

	json_blanks(&c);
	check = c;
	if (json_skip(&check, 1) != 0)
		return false;
	json_blanks(&check);
	return check.p == check.end && canonical(&c, out);
}
