/*
 * Functions that build strings: padding, replacing, joining, splitting.
 */
#include "n1ql_func.h"
#include "n1ql_funcs_string.h"

#include <math.h>
#include <string.h>

#define LONGEST (20 * 1024 * 1024)	/* of a result */
#define MOST_REPEATS (1 << 24)

static bool
has_missing(N1Value **args, int n)
{
	for (int i = 0; i < n; i++)
		if (args[i]->type == N1_MISSING)
			return true;
	return false;
}

static N1Value *
too_long(N1Eval *ev, const char *name, size_t size)
{
	return n1_fail(ev, 5037, "Size of %s result exceeds limit (%zu > %d).", name, size, LONGEST);
}

/* NULL or MISSING unless the arguments are all strings. */
static N1Value *
not_strings(N1Value **args, int n)
{
	if (has_missing(args, n))
		return &n1_missing;
	for (int i = 0; i < n; i++)
		if (args[i]->type != N1_STRING)
			return &n1_null;
	return NULL;
}

N1Value *
n1_f_concat(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_strings(args, n);
	N1Buf		b;

	if (bad != NULL)
		return bad;
	n1_buf_init(&b, ev->arena);
	for (int i = 0; i < n; i++)
		n1_buf_add(&b, args[i]->u.str.s, args[i]->u.str.n);
	return n1_buf_string(ev->arena, &b);
}

typedef struct Joined
{
	N1Buf		b;
	const N1Value *sep;
	bool		first;
} Joined;

static void
join(Joined *j, const N1Value *v)
{
	if (!j->first)
		n1_buf_add(&j->b, j->sep->u.str.s, j->sep->u.str.n);
	n1_buf_add(&j->b, v->u.str.s, v->u.str.n);
	j->first = false;
}

/* The first argument between the others, which are strings or arrays of strings. */
N1Value *
n1_f_concat2(N1Eval *ev, N1Value **args, int n)
{
	Joined		j = {.first = true,.sep = args[0]};
	bool		null = args[0]->type != N1_STRING;

	if (args[0]->type == N1_MISSING)
		return args[0];
	n1_buf_init(&j.b, ev->arena);
	for (int i = 1; i < n; i++)
	{
		if (args[i]->type == N1_MISSING)
			return args[i];
		if (!null && args[i]->type == N1_STRING)
			join(&j, args[i]);
		if (args[i]->type == N1_ARRAY && !null)
		{
			n1_unpack(args[i]);
			for (size_t k = 0; k < args[i]->u.arr.n; k++)
			{
				if (args[i]->u.arr.v[k]->type == N1_MISSING)
					return &n1_missing;
				if (args[i]->u.arr.v[k]->type != N1_STRING)
					null = true;
				else if (!null)
					join(&j, args[i]->u.arr.v[k]);
			}
		}
		null |= args[i]->type != N1_STRING && args[i]->type != N1_ARRAY;
	}
	return null ? &n1_null : n1_buf_string(ev->arena, &j.b);
}

/* ---- padding ---- */

static size_t
measure(const char *s, size_t n, bool chars)
{
	return chars ? n1_utf8_len(s, n) : n;
}

static size_t
bytes_of(const char *s, size_t n, size_t len, bool chars)
{
	return chars ? (size_t) (n1_utf8_skip(s, n, len) - s) : len;
}

static N1Value *
pad(N1Eval *ev, N1Value **args, int n, bool right, bool chars)
{
	const char *fill = n > 2 && args[2]->type == N1_STRING ? args[2]->u.str.s : " ";
	size_t		fill_n = n > 2 && args[2]->type == N1_STRING ? args[2]->u.str.n : 1;
	size_t		have,
				width;
	int64_t		want;
	N1Buf		b;

	if (has_missing(args, n))
		return &n1_missing;
	if (args[0]->type != N1_STRING || !n1_whole(args[1], &want) || want < 0 || fill_n == 0 ||
		(n > 2 && args[2]->type != N1_STRING))
		return &n1_null;
	if (want > LONGEST)
		return too_long(ev, right ? "RPAD()" : "LPAD()", (size_t) want);
	have = measure(args[0]->u.str.s, args[0]->u.str.n, chars);
	if ((size_t) want <= have)
		return n1_string(ev->arena, args[0]->u.str.s,
						 bytes_of(args[0]->u.str.s, args[0]->u.str.n, (size_t) want, chars));
	n1_buf_init(&b, ev->arena);
	if (right)
		n1_buf_add(&b, args[0]->u.str.s, args[0]->u.str.n);
	width = measure(fill, fill_n, chars);
	for (size_t left = (size_t) want - have; left > 0; left -= left < width ? left : width)
		n1_buf_add(&b, fill, left < width ? bytes_of(fill, fill_n, left, chars) : fill_n);
	if (!right)
		n1_buf_add(&b, args[0]->u.str.s, args[0]->u.str.n);
	return n1_buf_string(ev->arena, &b);
}

N1Value *
n1_f_lpad(N1Eval *ev, N1Value **args, int n)
{
	return pad(ev, args, n, false, false);
}

N1Value *
n1_f_rpad(N1Eval *ev, N1Value **args, int n)
{
	return pad(ev, args, n, true, false);
}

N1Value *
n1_f_mb_lpad(N1Eval *ev, N1Value **args, int n)
{
	return pad(ev, args, n, false, true);
}

N1Value *
n1_f_mb_rpad(N1Eval *ev, N1Value **args, int n)
{
	return pad(ev, args, n, true, true);
}

/* ---- repeating, replacing, reversing ---- */

N1Value *
n1_f_repeat(N1Eval *ev, N1Value **args, int n)
{
	int64_t		times;
	N1Buf		b;

	if (has_missing(args, n))
		return &n1_missing;
	if (args[0]->type != N1_STRING || !n1_whole(args[1], &times) || times < 0)
		return &n1_null;
	if (times > MOST_REPEATS)
		return n1_fail(ev, 5035, "Out of range evaluating REPEAT().");
	if ((uint64_t) times * args[0]->u.str.n > LONGEST)
		return too_long(ev, "REPEAT()", (size_t) times * args[0]->u.str.n);
	n1_buf_init(&b, ev->arena);
	for (int64_t i = 0; i < times; i++)
		n1_buf_add(&b, args[0]->u.str.s, args[0]->u.str.n);
	return n1_buf_string(ev->arena, &b);
}

/* An empty text to be replaced is found before every character and at the end. */
static void
replace_empty(N1Buf *b, const N1Value *in, const N1Value *by, int64_t times)
{
	const char *s = in->u.str.s,
			   *end = s + in->u.str.n;
	int			used;

	for (; times != 0; times--)
	{
		n1_buf_add(b, by->u.str.s, by->u.str.n);
		if (s == end)
			return;
		n1_utf8_get(s, (size_t) (end - s), &used);
		n1_buf_add(b, s, (size_t) used);
		s += used;
	}
	n1_buf_add(b, s, (size_t) (end - s));
}

N1Value *
n1_f_replace(N1Eval *ev, N1Value **args, int n)
{
	const char *s,
			   *end,
			   *at;
	int64_t		times = -1;
	N1Buf		b;

	if (has_missing(args, n))
		return &n1_missing;
	for (int i = 0; i < 3; i++)
		if (args[i]->type != N1_STRING)
			return &n1_null;
	if (n > 3 && !n1_whole(args[3], &times))
		return &n1_null;
	n1_buf_init(&b, ev->arena);
	s = args[0]->u.str.s;
	end = s + args[0]->u.str.n;
	if (args[1]->u.str.n == 0)
		replace_empty(&b, args[0], args[2], times);
	else
	{
		for (; times != 0 && (at = memmem(s, (size_t) (end - s), args[1]->u.str.s, args[1]->u.str.n)) != NULL; times--)
		{
			n1_buf_add(&b, s, (size_t) (at - s));
			n1_buf_add(&b, args[2]->u.str.s, args[2]->u.str.n);
			s = at + args[1]->u.str.n;
			if (b.n > LONGEST)
				return too_long(ev, "REPLACE()", b.n);
		}
		n1_buf_add(&b, s, (size_t) (end - s));
	}
	return n1_buf_string(ev->arena, &b);
}

/* Marks stay behind the character they belong to, in reverse; what is no UTF-8 is dropped. */
N1Value *
n1_f_reverse(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_strings(args, n);
	const char *s;
	char	   *out;
	size_t		len,
				to,
				i = 0;
	int			used;

	if (bad != NULL)
		return bad;
	s = args[0]->u.str.s;
	len = to = args[0]->u.str.n;
	out = n1_alloc(ev->arena, len + 1);
	while (i < len)
	{
		size_t		from = i,
					stop;

		if (n1_utf8_get(s + i, len - i, &used) == 0xFFFD)
		{
			i += (size_t) used;
			continue;
		}
		for (i += (size_t) used; i < len && n1_is_mark(n1_utf8_get(s + i, len - i, &used)); i += (size_t) used)
			;
		stop = i;
		to -= stop - from;
		memcpy(out + to, s + from, stop - from);
	}
	return n1_string(ev->arena, out + to, len - to);
}

/* ---- splitting ---- */

static void
add_part(N1Arena *a, N1Value **v, size_t *n, const char *s, const char *e)
{
	v[(*n)++] = n1_string(a, s, (size_t) (e - s));
}

/* The words between white space. */
static N1Value *
split_space(N1Eval *ev, const N1Value *in)
{
	const char *s = in->u.str.s,
			   *end = s + in->u.str.n,
			   *word = NULL;
	N1Value   **v = n1_alloc(ev->arena, (in->u.str.n / 2 + 2) * sizeof(*v));
	size_t		n = 0;
	int			used;

	for (; s < end; s += used)
	{
		bool		space = n1_is_space(n1_utf8_get(s, (size_t) (end - s), &used));

		if (space && word != NULL)
			add_part(ev->arena, v, &n, word, s);
		word = space ? NULL : word ? word : s;
	}
	if (word != NULL)
		add_part(ev->arena, v, &n, word, end);
	return n1_array(ev->arena, v, n);
}

N1Value *
n1_f_split(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_strings(args, n);
	N1Value   **v;
	const char *s,
			   *end,
			   *at;
	size_t		count = 0;
	int			used;

	if (bad != NULL)
		return bad;
	if (n == 1)
		return split_space(ev, args[0]);
	s = args[0]->u.str.s;
	end = s + args[0]->u.str.n;
	v = n1_alloc(ev->arena, (args[0]->u.str.n + 2) * sizeof(*v));
	if (args[1]->u.str.n == 0)
	{
		for (; s < end; s += used)
		{
			n1_utf8_get(s, (size_t) (end - s), &used);
			add_part(ev->arena, v, &count, s, s + used);
		}
		return n1_array(ev->arena, v, count);
	}
	while ((at = memmem(s, (size_t) (end - s), args[1]->u.str.s, args[1]->u.str.n)) != NULL)
	{
		add_part(ev->arena, v, &count, s, at);
		s = at + args[1]->u.str.n;
	}
	add_part(ev->arena, v, &count, s, end);
	return n1_array(ev->arena, v, count);
}

N1Value *
n1_f_suffixes(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_strings(args, n);
	N1Value   **v;
	size_t		count = 0;
	int			used;

	if (bad != NULL)
		return bad;
	v = n1_alloc(ev->arena, (args[0]->u.str.n + 1) * sizeof(*v));
	for (size_t i = 0; i < args[0]->u.str.n; i += (size_t) used)
	{
		n1_utf8_get(args[0]->u.str.s + i, args[0]->u.str.n - i, &used);
		v[count++] = n1_string(ev->arena, args[0]->u.str.s + i, args[0]->u.str.n - i);
	}
	return n1_array(ev->arena, v, count);
}

/* ---- URLs ---- */

N1Value *
n1_f_urlencode(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_strings(args, n);
	N1Buf		b;

	if (bad != NULL)
		return bad;
	n1_buf_init(&b, ev->arena);
	for (size_t i = 0; i < args[0]->u.str.n; i++)
	{
		unsigned char c = (unsigned char) args[0]->u.str.s[i];

		if ((c < 0x80 && (n1_is_letter(c) || (c >= '0' && c <= '9'))) || (c != 0 && strchr("-_.~", c) != NULL))
			n1_buf_char(&b, (char) c);
		else if (c == ' ')
			n1_buf_char(&b, '+');
		else
			n1_buf_printf(&b, "%%%02X", c);
	}
	return n1_buf_string(ev->arena, &b);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

N1Value *
n1_f_urldecode(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_strings(args, n);
	const char *s;
	size_t		len;
	N1Buf		b;

	if (bad != NULL)
		return bad;
	s = args[0]->u.str.s;
	len = args[0]->u.str.n;
	n1_buf_init(&b, ev->arena);
	for (size_t i = 0; i < len; i++)
	{
		if (s[i] != '%')
		{
			n1_buf_char(&b, s[i] == '+' ? ' ' : s[i]);
			continue;
		}
		if (i + 2 >= len || hex_digit(s[i + 1]) < 0 || hex_digit(s[i + 2]) < 0)
			return &n1_null;
		n1_buf_char(&b, (char) (hex_digit(s[i + 1]) * 16 + hex_digit(s[i + 2])));
		i += 2;
	}
	return n1_buf_string(ev->arena, &b);
}
