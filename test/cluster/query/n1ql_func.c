/*
 * Finding functions by name; helpers of the function libraries.
 */
#include "n1ql_func.h"

#include <locale.h>
#include <math.h>
#include <string.h>
#include <wctype.h>

static const N1FuncTable *const tables[] = {
	&n1_funcs_string, &n1_funcs_convert, &n1_funcs_type, &n1_funcs_cond, &n1_funcs_object, &n1_funcs_regexp,
	&n1_funcs_misc, &n1_funcs_date, &n1_funcs_math, &n1_funcs_bit, &n1_funcs_array, &n1_funcs_aggregate, &n1_funcs_server
};

static const N1Func *
find_in(const N1FuncTable *t, const char *name)
{
	size_t		lo = 0,
				hi = t->n;

	while (lo < hi)
	{
		size_t		mid = lo + (hi - lo) / 2;
		int			c = strcmp(name, t->f[mid].name);

		if (c == 0)
			return &t->f[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

const N1Func *
n1_func_find(const char *name, size_t len)
{
	char		lower[64];
	const N1Func *f = NULL;

	if (len >= sizeof(lower))
		return NULL;
	for (size_t i = 0; i < len; i++)
		lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char) (name[i] + 32) : name[i];
	lower[len] = '\0';
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && f == NULL; i++)
		f = find_in(tables[i], lower);
	return f;
}

/* ---- characters ---- */

/* The tables of Unicode, whatever the locale of the process is. */
static locale_t
unicode(void)
{
	static locale_t loc;

	if (loc == (locale_t) 0)
		loc = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0);
	return loc;
}

uint32_t
n1_lower(uint32_t c)
{
	if (c < 0x80 || unicode() == (locale_t) 0)
		return c >= 'A' && c <= 'Z' ? c + 32 : c;
	return (uint32_t) towlower_l((wint_t) c, unicode());
}

uint32_t
n1_upper(uint32_t c)
{
	if (c < 0x80 || unicode() == (locale_t) 0)
		return c >= 'a' && c <= 'z' ? c - 32 : c;
	return (uint32_t) towupper_l((wint_t) c, unicode());
}

bool
n1_is_digit(uint32_t c)
{
	static const uint32_t zeros[] = {
		'0', 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xE50, 0xED0, 0xF20,
		0x1040, 0x17E0, 0x1810, 0xFF10
	};

	for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++)
		if (c >= zeros[i] && c <= zeros[i] + 9)
			return true;
	return false;
}

bool
n1_is_letter(uint32_t c)
{
	if (c < 0x80)
		return (c | 32) >= 'a' && (c | 32) <= 'z';
	return unicode() != (locale_t) 0 && iswalpha_l((wint_t) c, unicode()) && !n1_is_digit(c) && !n1_is_mark(c);
}

bool
n1_is_space(uint32_t c)
{
	return c == ' ' || (c >= 9 && c <= 13) || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
		c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool
n1_is_mark(uint32_t c)
{
	return (c >= 0x300 && c <= 0x36F) || (c >= 0x483 && c <= 0x489) || (c >= 0x591 && c <= 0x5BD) ||
		(c >= 0x610 && c <= 0x61A) || (c >= 0x64B && c <= 0x65F) || (c >= 0x900 && c <= 0x903) ||
		(c >= 0x93A && c <= 0x94F && c != 0x93D) || (c >= 0x1AB0 && c <= 0x1AFF) || (c >= 0x1DC0 && c <= 0x1DFF) ||
		(c >= 0x20D0 && c <= 0x20F0) || (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xFE20 && c <= 0xFE2F) ||
		(c >= 0xE0100 && c <= 0xE01EF);
}

/* ---- values ---- */

N1Value *
n1_option(N1Eval *ev, N1Value *options, const char *name, N1Type type)
{
	N1Value    *v = n1_field(ev->arena, options, name, strlen(name));

	return v->type == type ? v : NULL;
}

bool
n1_option_true(N1Eval *ev, N1Value *options, const char *name, bool otherwise)
{
	N1Value    *v = n1_option(ev, options, name, N1_BOOL);

	return v ? v->b : otherwise;
}

N1Value *
n1_buf_string(N1Arena *a, const N1Buf *b)
{
	return n1_string(a, b->s, b->n);
}

bool
n1_whole(const N1Value *v, int64_t *out)
{
	double		d;

	if (v->type != N1_NUMBER)
		return false;
	if (v->is_int)
	{
		*out = v->u.i;
		return true;
	}
	d = v->u.d;
	if (isnan(d) || isinf(d) || d != trunc(d))
		return false;
	*out = d >= 9.2e18 ? INT64_MAX : d <= -9.2e18 ? INT64_MIN : (int64_t) d;
	return true;
}
