/*
 * Functions on strings: length, case, search, parts. Those that build strings are in n1ql_funcs_build.c.
 */
#include "n1ql_func.h"
#include "n1ql_funcs_string.h"

#include <string.h>

/* The usual answer to arguments that are not all strings, or NULL. */
static N1Value *
not_strings(N1Value **args, int n)
{
	N1Value    *absent = n1_absent(args, n);

	for (int i = 0; i < n && absent == NULL; i++)
		if (args[i]->type != N1_STRING)
			absent = &n1_null;
	if (absent == &n1_null)
		for (int i = 0; i < n; i++)
			if (args[i]->type == N1_MISSING)
				return args[i];
	return absent;
}

static N1Value *
f_length(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_strings(args, n);

	return bad ? bad : n1_int(ev->arena, (int64_t) args[0]->u.str.n);
}

static N1Value *
f_mb_length(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_strings(args, n);

	return bad ? bad : n1_int(ev->arena, (int64_t) n1_utf8_len(args[0]->u.str.s, args[0]->u.str.n));
}

/* A copy with every code point mapped. */
static N1Value *
map_string(N1Eval *ev, const N1Value *v, uint32_t (*map) (uint32_t))
{
	N1Buf		b;
	char		utf[4];
	int			used;

	n1_buf_init(&b, ev->arena);
	for (size_t i = 0; i < v->u.str.n; i += (size_t) used)
	{
		uint32_t	c = n1_utf8_get(v->u.str.s + i, v->u.str.n - i, &used);

		n1_buf_add(&b, utf, n1_utf8_put(utf, map(c)));
	}
	return n1_buf_string(ev->arena, &b);
}

static N1Value *
f_lower(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_strings(args, n);

	return bad ? bad : map_string(ev, args[0], n1_lower);
}

static N1Value *
f_upper(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_strings(args, n);

	return bad ? bad : map_string(ev, args[0], n1_upper);
}

/* Between words: in ASCII all but letters, digits and the underscore; elsewhere white space. */
static bool
separates(uint32_t c)
{
	if (c < 0x80)
		return !n1_is_letter(c) && !(c >= '0' && c <= '9') && c != '_';
	return !n1_is_letter(c) && !n1_is_digit(c) && n1_is_space(c);
}

static N1Value *
f_title(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_strings(args, n);
	N1Buf		b;
	char		utf[4];
	uint32_t	before = ' ';
	int			used;

	if (bad != NULL)
		return bad;
	n1_buf_init(&b, ev->arena);
	for (size_t i = 0; i < args[0]->u.str.n; i += (size_t) used)
	{
		uint32_t	c = n1_lower(n1_utf8_get(args[0]->u.str.s + i, args[0]->u.str.n - i, &used));
		uint32_t	title = c == 0x1C6 || c == 0x1C9 || c == 0x1CC || c == 0x1F3 ? c - 1 : n1_upper(c);

		n1_buf_add(&b, utf, n1_utf8_put(utf, separates(before) ? title : c));
		before = c;
	}
	return n1_buf_string(ev->arena, &b);
}

static N1Value *
f_contains(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *bad = not_strings(args, n);

	(void) ev;
	return bad ? bad : n1_bool(memmem(args[0]->u.str.s, args[0]->u.str.n, args[1]->u.str.s, args[1]->u.str.n) != NULL);
}

/* ---- positions ---- */

static N1Value *
position_of(N1Eval *ev, N1Value **args, int n, bool chars, int first)
{
	N1Value    *bad = not_strings(args, n);
	const char *at;
	size_t		off;

	if (bad != NULL)
		return bad;
	at = args[1]->u.str.n == 0 ? args[0]->u.str.s :
		memmem(args[0]->u.str.s, args[0]->u.str.n, args[1]->u.str.s, args[1]->u.str.n);
	if (at == NULL)
		return n1_int(ev->arena, first - 1);
	off = (size_t) (at - args[0]->u.str.s);
	if (chars)
		off = n1_utf8_len(args[0]->u.str.s, off);
	return n1_int(ev->arena, (int64_t) off + first);
}

static N1Value *
f_position0(N1Eval *ev, N1Value **args, int n)
{
	return position_of(ev, args, n, false, 0);
}

static N1Value *
f_position1(N1Eval *ev, N1Value **args, int n)
{
	return position_of(ev, args, n, false, 1);
}

static N1Value *
f_mb_position0(N1Eval *ev, N1Value **args, int n)
{
	return position_of(ev, args, n, true, 0);
}

static N1Value *
f_mb_position1(N1Eval *ev, N1Value **args, int n)
{
	return position_of(ev, args, n, true, 1);
}

/* ---- parts ---- */

const char *
n1_utf8_skip(const char *s, size_t n, size_t chars)
{
	size_t		i = 0;
	int			used;

	for (; i < n && chars > 0; chars--, i += (size_t) used)
		n1_utf8_get(s + i, n - i, &used);
	return s + i;
}

/* What SUBSTR's arguments leave to do: 0 nothing but *out, else the numbers are in num. */
static bool
substr_args(N1Value **args, int n, double *num, N1Value **out)
{
	bool		null = args[0]->type != N1_STRING;

	*out = &n1_missing;
	if (args[0]->type == N1_MISSING)
		return false;
	for (int i = 1; i < n; i++)
	{
		if (args[i]->type == N1_MISSING)
			return false;
		if (args[i]->type != N1_NUMBER)
			null = true;
		else
		{
			num[i - 1] = n1_num(args[i]);
			null |= num[i - 1] != (double) (int64_t) (num[i - 1] > -9e18 && num[i - 1] < 9e18 ? num[i - 1] : 0);
		}
	}
	*out = &n1_null;
	return !null;
}

static N1Value *
substr(N1Eval *ev, N1Value **args, int n, bool chars, int first)
{
	double		num[2] = {0};
	N1Value    *out;
	int64_t		pos,
				len,
				size;
	const char *s;

	if (!substr_args(args, n, num, &out))
		return out;
	s = args[0]->u.str.s;
	size = (int64_t) (chars ? n1_utf8_len(s, args[0]->u.str.n) : args[0]->u.str.n);
	pos = (int64_t) num[0];
	if (pos < 0)
		pos += size;
	else if (pos > 0)
		pos -= first;
	if (pos < 0 || pos >= size)
		return &n1_null;
	len = n == 2 ? size : (int64_t) num[1];
	if (len < 0)
		return &n1_null;
	if (len > size - pos)
		len = size - pos;
	if (chars)
	{
		const char *from = n1_utf8_skip(s, args[0]->u.str.n, (size_t) pos);
		const char *to = n1_utf8_skip(from, args[0]->u.str.n - (size_t) (from - s), (size_t) len);

		return n1_string(ev->arena, from, (size_t) (to - from));
	}
	return n1_string(ev->arena, s + pos, (size_t) len);
}

static N1Value *
f_substr0(N1Eval *ev, N1Value **args, int n)
{
	return substr(ev, args, n, false, 0);
}

static N1Value *
f_substr1(N1Eval *ev, N1Value **args, int n)
{
	return substr(ev, args, n, false, 1);
}

static N1Value *
f_mb_substr0(N1Eval *ev, N1Value **args, int n)
{
	return substr(ev, args, n, true, 0);
}

static N1Value *
f_mb_substr1(N1Eval *ev, N1Value **args, int n)
{
	return substr(ev, args, n, true, 1);
}

/* ---- trimming ---- */

static bool
in_set(uint32_t c, const char *set, size_t n)
{
	int			used;

	for (size_t i = 0; i < n; i += (size_t) used)
		if (n1_utf8_get(set + i, n - i, &used) == c)
			return true;
	return false;
}

static N1Value *
trim(N1Eval *ev, N1Value **args, int n, bool left, bool right)
{
	N1Value    *bad = not_strings(args, n);
	const char *set = n > 1 ? args[n - 1]->u.str.s : " \t\n\f\r",
			   *s,
			   *e;
	size_t		set_len = n > 1 ? args[n - 1]->u.str.n : 5;
	int			used;

	if (bad != NULL)
		return bad;
	s = args[0]->u.str.s;
	e = s + args[0]->u.str.n;
	while (left && s < e && in_set(n1_utf8_get(s, (size_t) (e - s), &used), set, set_len))
		s += used;
	while (right && s < e)
	{
		const char *last = e - 1;

		while (last > s && e - last < 4 && (*last & 0xC0) == 0x80)
			last--;
		n1_utf8_get(last, (size_t) (e - last), &used);
		if (last + used != e)
			last = e - 1;
		if (!in_set(n1_utf8_get(last, (size_t) (e - last), &used), set, set_len))
			break;
		e = last;
	}
	return n1_string(ev->arena, s, (size_t) (e - s));
}

static N1Value *
f_trim(N1Eval *ev, N1Value **args, int n)
{
	return trim(ev, args, n, true, true);
}

static N1Value *
f_ltrim(N1Eval *ev, N1Value **args, int n)
{
	return trim(ev, args, n, true, false);
}

static N1Value *
f_rtrim(N1Eval *ev, N1Value **args, int n)
{
	return trim(ev, args, n, false, true);
}

static const N1Func funcs[] = {
	{"concat", 2, N1_MANY, n1_f_concat, 0},
	{"concat2", 2, N1_MANY, n1_f_concat2, 0},
	{"contains", 2, 2, f_contains, 0},
	{"initcap", 1, 1, f_title, 0},
	{"length", 1, 1, f_length, 0},
	{"lower", 1, 1, f_lower, 0},
	{"lpad", 2, 3, n1_f_lpad, 0},
	{"ltrim", 1, 2, f_ltrim, 0},
	{"mask", 1, 2, n1_f_mask, 0},
	{"mb_length", 1, 1, f_mb_length, 0},
	{"mb_lpad", 2, 3, n1_f_mb_lpad, 0},
	{"mb_pos", 2, 2, f_mb_position0, 0},
	{"mb_pos0", 2, 2, f_mb_position0, 0},
	{"mb_pos1", 2, 2, f_mb_position1, 0},
	{"mb_position", 2, 2, f_mb_position0, 0},
	{"mb_position0", 2, 2, f_mb_position0, 0},
	{"mb_position1", 2, 2, f_mb_position1, 0},
	{"mb_rpad", 2, 3, n1_f_mb_rpad, 0},
	{"mb_substr", 2, 3, f_mb_substr0, 0},
	{"mb_substr0", 2, 3, f_mb_substr0, 0},
	{"mb_substr1", 2, 3, f_mb_substr1, 0},
	{"pos", 2, 2, f_position0, 0},
	{"pos0", 2, 2, f_position0, 0},
	{"pos1", 2, 2, f_position1, 0},
	{"position", 2, 2, f_position0, 0},
	{"position0", 2, 2, f_position0, 0},
	{"position1", 2, 2, f_position1, 0},
	{"repeat", 2, 2, n1_f_repeat, 0},
	{"replace", 3, 4, n1_f_replace, 0},
	{"reverse", 1, 1, n1_f_reverse, 0},
	{"rpad", 2, 3, n1_f_rpad, 0},
	{"rtrim", 1, 2, f_rtrim, 0},
	{"split", 1, 2, n1_f_split, 0},
	{"substr", 2, 3, f_substr0, 0},
	{"substr0", 2, 3, f_substr0, 0},
	{"substr1", 2, 3, f_substr1, 0},
	{"suffixes", 1, 1, n1_f_suffixes, 0},
	{"title", 1, 1, f_title, 0},
	{"trim", 1, 2, f_trim, 0},
	{"upper", 1, 1, f_upper, 0},
	{"urldecode", 1, 1, n1_f_urldecode, 0},
	{"urlencode", 1, 1, n1_f_urlencode, 0},
};

const N1FuncTable n1_funcs_string = {funcs, sizeof(funcs) / sizeof(funcs[0])};
