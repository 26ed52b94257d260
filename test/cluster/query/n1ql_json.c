/*
 * JSON text into values. Arrays and objects stay text until they are needed.
 */
#include "n1ql.h"
#include "n1ql_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *
skip_space(const char *s, const char *end)
{
	while (s < end && (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\r'))
		s++;
	return s;
}

static int
hex4(const char *s)
{
	int			x = 0;

	for (int i = 0; i < 4; i++)
	{
		char		c = s[i];

		if (c >= '0' && c <= '9')
			x = x * 16 + c - '0';
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			x = x * 16 + (c | 32) - 'a' + 10;
		else
			return -1;
	}
	return x;
}

/* s is behind the opening quote. Gives the place behind the closing one, or NULL. */
static const char *
check_string(const char *s, const char *end)
{
	for (; s < end; s++)
	{
		if (*s == '"')
			return s + 1;
		if ((unsigned char) *s < 0x20)
			return NULL;
		if (*s != '\\')
			continue;
		if (++s >= end)
			return NULL;
		if (*s == 'u')
		{
			if (end - s < 5 || hex4(s + 1) < 0)
				return NULL;
			s += 4;
		}
		else if (*s == '\0' || strchr("\"\\/bfnrt", *s) == NULL)
			return NULL;
	}
	return NULL;
}

static const char *
digits(const char *s, const char *end)
{
	const char *p = s;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p > s ? p : NULL;
}

static const char *
check_number(const char *s, const char *end)
{
	if (s < end && *s == '-')
		s++;
	if (s < end && *s == '0')
		s++;
	else
		s = digits(s, end);
	if (s != NULL && s < end && *s == '.')
		s = digits(s + 1, end);
	if (s != NULL && s < end && (*s == 'e' || *s == 'E'))
	{
		s++;
		if (s < end && (*s == '+' || *s == '-'))
			s++;
		s = digits(s, end);
	}
	return s;
}

static const char *check_value(const char *s, const char *end, int depth);

/* The members of an array or object from behind its bracket; gives the place behind the closing one. */
static const char *
check_members(const char *s, const char *end, int depth, char close)
{
	s = skip_space(s, end);
	if (s < end && *s == close)
		return s + 1;
	for (;;)
	{
		if (close == '}')
		{
			if (s >= end || *s != '"' || (s = check_string(s + 1, end)) == NULL)
				return NULL;
			s = skip_space(s, end);
			if (s >= end || *s++ != ':')
				return NULL;
		}
		s = check_value(skip_space(s, end), end, depth + 1);
		if (s == NULL)
			return NULL;
		s = skip_space(s, end);
		if (s >= end)
			return NULL;
		if (*s == close)
			return s + 1;
		if (*s++ != ',')
			return NULL;
		s = skip_space(s, end);
	}
}

static const char *
check_value(const char *s, const char *end, int depth)
{
	static const char *const words[] = {"true", "false", "null"};

	if (s >= end || depth > N1_MAX_DEPTH)
		return NULL;
	if (*s == '{')
		return check_members(s + 1, end, depth, '}');
	if (*s == '[')
		return check_members(s + 1, end, depth, ']');
	if (*s == '"')
		return check_string(s + 1, end);
	if (*s == '-' || (*s >= '0' && *s <= '9'))
		return check_number(s, end);
	for (size_t i = 0; i < 3; i++)
		if ((size_t) (end - s) >= strlen(words[i]) && memcmp(s, words[i], strlen(words[i])) == 0)
			return s + strlen(words[i]);
	return NULL;
}

bool
n1_json_valid(const char *s, size_t n)
{
	const char *end = s + n;

	s = check_value(skip_space(s, end), end, 0);
	return s != NULL && skip_space(s, end) == end;
}

/* Decodes a \u escape whose u is at s; a lone surrogate is U+FFFD. Moves *sp behind it. */
static uint32_t
unescape_u(const char **sp, const char *end)
{
	const char *s = *sp;
	int			hi = hex4(s + 1);

	s += 5;
	*sp = s;
	if (hi < 0xD800 || hi > 0xDFFF)
		return (uint32_t) hi;
	if (hi < 0xDC00 && end - s >= 6 && s[0] == '\\' && s[1] == 'u')
	{
		int			lo = hex4(s + 2);

		if (lo >= 0xDC00 && lo <= 0xDFFF)
		{
			*sp = s + 6;
			return 0x10000 + (((uint32_t) hi - 0xD800) << 10) + ((uint32_t) lo - 0xDC00);
		}
	}
	return 0xFFFD;
}

/* The text between the quotes s and e, escapes resolved and made valid UTF-8. */
static const char *
decode_string(N1Arena *a, const char *s, const char *e, size_t *len)
{
	N1Buf		b;
	char		utf[4];
	size_t		i;

	for (i = 0; s + i < e && s[i] != '\\' && (signed char) s[i] >= 0; i++)
		;
	if (s + i == e)
	{
		*len = i;
		return n1_dup(a, s, i);
	}
	n1_buf_init(&b, a);
	while (s < e)
	{
		if (*s == '\\')
		{
			static const char from[] = "bfnrt",
						to[] = "\b\f\n\r\t";
			const char *at;

			s++;
			if (*s == 'u')
				n1_buf_add(&b, utf, n1_utf8_put(utf, unescape_u(&s, e)));
			else
			{
				at = strchr(from, *s);
				n1_buf_char(&b, at ? to[at - from] : *s);
				s++;
			}
		}
		else if ((signed char) *s >= 0)
			n1_buf_char(&b, *s++);
		else
		{
			int			used;
			uint32_t	c = n1_utf8_get(s, (size_t) (e - s), &used);

			n1_buf_add(&b, utf, n1_utf8_put(utf, c));
			s += used;
		}
	}
	*len = b.n;
	return b.s;
}

N1Value *
n1_number_parse(N1Arena *a, const char *s, size_t n)
{
	char		small[64];
	char	   *p = n < sizeof(small) ? small : n1_alloc(a, n + 1);
	N1Value    *v;
	char	   *end;

	memcpy(p, s, n);
	p[n] = '\0';
	if (strcspn(p, ".eE") == n)
	{
		long long	i;

		errno = 0;
		i = strtoll(p, &end, 10);
		if (errno == 0)
			return n1_int(a, i);
	}
	v = n1_double(a, strtod(p, &end));
	return v;
}

/* The value whose text is s to e, already checked. */
static N1Value *
make_value(N1Arena *a, const char *s, const char *e)
{
	N1Value    *v;

	switch (*s)
	{
		case '{':
		case '[':
			v = n1_alloc(a, sizeof(*v));
			v->type = *s == '{' ? N1_OBJECT : N1_ARRAY;
			v->raw = s;
			v->raw_len = (size_t) (e - s);
			v->home = a;
			return v;
		case '"':
			v = n1_string(a, NULL, 0);
			v->u.str.s = decode_string(a, s + 1, e - 1, &v->u.str.n);
			return v;
		case 't':
			return &n1_true;
		case 'f':
			return &n1_false;
		case 'n':
			return &n1_null;
		default:
			return n1_number_parse(a, s, (size_t) (e - s));
	}
}

N1Value *
n1_json_checked(N1Arena *a, const char *s, size_t n)
{
	const char *end = s + n;

	if (*skip_space(s, end) == '{' || *skip_space(s, end) == '[')
	{
		/* A document prints with the blanks around it. */
		N1Value    *v = make_value(a, skip_space(s, end), end);

		v->raw = s;
		v->raw_len = n;
		return v;
	}
	s = skip_space(s, end);
	while (end > s && strchr(" \t\n\r", end[-1]) != NULL)
		end--;
	return make_value(a, s, end);
}

N1Value *
n1_json(N1Arena *a, const char *s, size_t n)
{
	N1Value    *v;

	if (n > 0 && n1_json_valid(s, n))
		return n1_json_checked(a, s, n);
	v = n1_string(a, s, n);
	v->type = N1_BINARY;
	return v;
}

/* ---- reading text that was checked ---- */

static const char *
skip_string(const char *s)
{
	for (s++; *s != '"'; s++)
		if (*s == '\\')
			s++;
	return s + 1;
}

/* Behind the value at s. */
static const char *
skip_value(const char *s, const char *end)
{
	int			level = 0;

	if (*s != '{' && *s != '[')
	{
		if (*s == '"')
			return skip_string(s);
		while (s < end && strchr(",]} \t\n\r", *s) == NULL)
			s++;
		return s;
	}
	do
	{
		if (*s == '"')
		{
			s = skip_string(s);
			continue;
		}
		if (*s == '{' || *s == '[')
			level++;
		else if (*s == '}' || *s == ']')
			level--;
		s++;
	} while (level > 0);
	return s;
}

/* A walk over the members of an array or object that is text. */
typedef struct Walk
{
	const char *s,
			   *end;
	bool		object;
	const char *name,
			   *name_end;		/* inside the quotes */
	const char *value,
			   *value_end;
} Walk;

static void
walk_begin(Walk *w, const N1Value *v)
{
	w->end = v->raw + v->raw_len;
	w->s = skip_space(v->raw, w->end) + 1;
	w->object = v->type == N1_OBJECT;
}

static bool
walk_next(Walk *w)
{
	w->s = skip_space(w->s, w->end);
	if (*w->s == ',')
		w->s = skip_space(w->s + 1, w->end);
	if (*w->s == ']' || *w->s == '}')
		return false;
	if (w->object)
	{
		w->name = w->s + 1;
		w->s = skip_string(w->s);
		w->name_end = w->s - 1;
		w->s = skip_space(skip_space(w->s, w->end) + 1, w->end);
	}
	w->value = w->s;
	w->s = w->value_end = skip_value(w->s, w->end);
	return true;
}

static bool
name_is(N1Arena *a, const Walk *w, const char *name, size_t len)
{
	size_t		n = (size_t) (w->name_end - w->name);
	const char *s;

	if (memchr(w->name, '\\', n) == NULL)
		return n == len && memcmp(w->name, name, n) == 0;
	s = decode_string(a, w->name, w->name_end, &n);
	return n == len && memcmp(s, name, n) == 0;
}

N1Value *
n1_raw_field(N1Arena *a, N1Value *v, const char *name, size_t len)
{
	Walk		w;

	/* The server finds the whole object under the empty name, as long as it is text. */
	if (len == 0)
		return n1_json_checked(a, v->raw, v->raw_len);
	walk_begin(&w, v);
	while (walk_next(&w))
		if (name_is(a, &w, name, len))
			return make_value(a, w.value, w.value_end);
	return &n1_missing;
}

N1Value *
n1_raw_index(N1Arena *a, N1Value *v, int64_t at)
{
	Walk		w;

	walk_begin(&w, v);
	while (walk_next(&w))
		if (at-- == 0)
			return make_value(a, w.value, w.value_end);
	return &n1_missing;
}

static void
unpack_object(N1Value *v, N1Arena *a, size_t n)
{
	N1Pair	   *p = n1_alloc(a, n * sizeof(*p));
	Walk		w;
	N1Value    *o;
	size_t		i = 0;

	walk_begin(&w, v);
	while (walk_next(&w))
	{
		p[i].name = decode_string(a, w.name, w.name_end, &p[i].len);
		p[i].value = make_value(a, w.value, w.value_end);
		n1_unpack(p[i++].value);
	}
	o = n1_object(a, p, n);
	v->u.obj = o->u.obj;
}

void
n1_unpack(N1Value *v)
{
	N1Arena    *a = v->home;
	Walk		w;
	size_t		n = 0;

	if (v->raw == NULL || (v->type != N1_ARRAY && v->type != N1_OBJECT))
		return;
	walk_begin(&w, v);
	while (walk_next(&w))
		n++;
	if (v->type == N1_OBJECT)
		unpack_object(v, a, n);
	else
	{
		N1Value   **items = n1_alloc(a, n * sizeof(*items));

		walk_begin(&w, v);
		for (n = 0; walk_next(&w); n++)
		{
			items[n] = make_value(a, w.value, w.value_end);
			n1_unpack(items[n]);
		}
		v->u.arr.v = items;
		v->u.arr.n = n;
	}
	v->raw = NULL;
}
