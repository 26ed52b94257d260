/*
 * Functions that convert between types, and those that test for a type.
 */
#include "n1ql_func.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- conversion ---- */

static N1Value *
f_toarray(N1Eval *ev, N1Value **args, int n)
{
	N1Value   **v;

	(void) n;
	if (args[0]->type <= N1_NULL || args[0]->type == N1_ARRAY)
		return args[0];
	if (args[0]->type == N1_BINARY)
		return &n1_null;
	n1_unpack(args[0]);
	v = n1_alloc(ev->arena, sizeof(*v));
	v[0] = args[0];
	return n1_array(ev->arena, v, 1);
}

static N1Value *
f_toatom(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *v = args[0];

	(void) ev;
	(void) n;
	while (v->type == N1_ARRAY || v->type == N1_OBJECT)
	{
		n1_unpack(v);
		if (v->type == N1_ARRAY && v->u.arr.n == 1)
			v = v->u.arr.v[0];
		else if (v->type == N1_OBJECT && v->u.obj.n == 1)
			v = v->u.obj.p[0].value;
		else
			return &n1_null;
	}
	return v;
}

static N1Value *
f_toboolean(N1Eval *ev, N1Value **args, int n)
{
	(void) ev;
	(void) n;
	return args[0]->type <= N1_BOOL ? args[0] : n1_bool(n1_truth(args[0]));
}

/* True for a decimal or hexadecimal number as Go reads one; underscores are no part of it. */
static bool
looks_like_float(const char *s, size_t n)
{
	size_t		i = n > 0 && (s[0] == '+' || s[0] == '-') ? 1 : 0,
				digits = 0;
	bool		hex = n > i + 1 && s[i] == '0' && (s[i + 1] | 32) == 'x';
	bool		point = false,
				exponent = false;

	if (hex)
		i += 2;
	for (; i < n; i++)
	{
		char		c = s[i];

		if ((c >= '0' && c <= '9') || (hex && (c | 32) >= 'a' && (c | 32) <= 'f'))
			digits++;
		else if (c == '.' && !point)
			point = true;
		else if (digits > 0 && (c | 32) == (hex ? 'p' : 'e'))
		{
			exponent = true;
			i++;
			break;
		}
		else
			return false;
	}
	if (!exponent)
		return digits > 0 && !hex;	/* a hexadecimal number must have an exponent */
	if (i < n && (s[i] == '+' || s[i] == '-'))
		i++;
	if (i == n)
		return false;
	for (; i < n; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

static bool
special_float(const char *s, size_t n, double *d)
{
	char		low[12] = {0};
	size_t		i = n > 0 && (s[0] == '+' || s[0] == '-') ? 1 : 0;

	if (n - i >= sizeof(low))
		return false;
	for (size_t k = i; k < n; k++)
		low[k - i] = s[k] >= 'A' && s[k] <= 'Z' ? (char) (s[k] + 32) : s[k];
	if (strcmp(low, "inf") == 0 || strcmp(low, "infinity") == 0)
		*d = s[0] == '-' ? -INFINITY : INFINITY;
	else if (i == 0 && strcmp(low, "nan") == 0)
		*d = NAN;
	else
		return false;
	return true;
}

/* The number that a string is, or NULL. */
static N1Value *
parse_number(N1Eval *ev, const char *s, size_t n)
{
	char	   *copy = n1_dup(ev->arena, s, n),
			   *end;
	size_t		sign = n > 0 && (s[0] == '+' || s[0] == '-') ? 1 : 0;
	double		d;

	if (n > sign && strspn(copy + sign, "0123456789") == n - sign)
	{
		long long	i;

		errno = 0;
		i = strtoll(copy, NULL, 10);
		if (errno == 0)
			return n1_int(ev->arena, i);
	}
	if (special_float(s, n, &d))
		return n1_float(ev->arena, d);
	if (!looks_like_float(s, n))
		return &n1_null;
	d = strtod(copy, &end);
	return isinf(d) ? &n1_null : n1_double(ev->arena, d);
}

/* Leaves white space and the characters of strip out; a single comma and no point becomes the point. */
static N1Value *
parse_stripped(N1Eval *ev, const N1Value *v, const N1Value *strip)
{
	N1Buf		b;
	char		utf[4];
	int64_t		comma = -1;
	int			used;

	n1_buf_init(&b, ev->arena);
	for (size_t i = 0; i < v->u.str.n; i += (size_t) used)
	{
		uint32_t	c = n1_utf8_get(v->u.str.s + i, v->u.str.n - i, &used);
		size_t		len = n1_utf8_put(utf, c);

		if (c == '.' && comma >= 0)
			comma = -2;
		if (n1_is_space(c) || memmem(strip->u.str.s, strip->u.str.n, utf, len) != NULL)
			continue;
		if (c == ',')
			comma = comma == -1 ? (int64_t) b.n : -2;
		else if (c == '.')
			comma = -2;
		n1_buf_add(&b, utf, len);
	}
	if (comma >= 0)
		b.s[comma] = '.';
	return b.n == 0 ? &n1_null : parse_number(ev, b.s, b.n);
}

static N1Value *
f_tonumber(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *v = args[0];

	if (v->type <= N1_NULL || v->type == N1_NUMBER)
		return v;
	if (v->type == N1_BOOL)
		return n1_int(ev->arena, v->b);
	if (v->type != N1_STRING || (n > 1 && args[1]->type != N1_STRING))
		return &n1_null;
	return n > 1 ? parse_stripped(ev, v, args[1]) : parse_number(ev, v->u.str.s, v->u.str.n);
}

static N1Value *
f_toobject(N1Eval *ev, N1Value **args, int n)
{
	(void) n;
	return args[0]->type <= N1_NULL || args[0]->type == N1_OBJECT ? args[0] : n1_object(ev->arena, NULL, 0);
}

static N1Value *
f_tostring(N1Eval *ev, N1Value **args, int n)
{
	N1Value    *v = args[0];
	N1Buf		b;

	(void) n;
	if (v->type <= N1_NULL || v->type == N1_STRING)
		return v;
	if (v->type == N1_BOOL)
		return n1_string0(ev->arena, v->b ? "true" : "false");
	if (v->type == N1_BINARY)
		return n1_string(ev->arena, v->u.str.s, v->u.str.n);
	if (v->type != N1_NUMBER)
		return &n1_null;
	n1_buf_init(&b, ev->arena);
	if (!v->is_int && isnan(v->u.d))
		n1_buf_str(&b, "NaN");
	else if (!v->is_int && isinf(v->u.d))
		n1_buf_str(&b, v->u.d > 0 ? "+Inf" : "-Inf");
	else if (!v->is_int && v->u.d == 0 && signbit(v->u.d))
		n1_buf_str(&b, "-0");
	else
		n1_number_text(&b, v);
	return n1_buf_string(ev->arena, &b);
}

static const N1Func convert[] = {
	{"to_array", 1, 1, f_toarray, 0},
	{"to_atom", 1, 1, f_toatom, 0},
	{"to_bool", 1, 1, f_toboolean, 0},
	{"to_boolean", 1, 1, f_toboolean, 0},
	{"to_num", 1, 2, f_tonumber, 0},
	{"to_number", 1, 2, f_tonumber, 0},
	{"to_obj", 1, 1, f_toobject, 0},
	{"to_object", 1, 1, f_toobject, 0},
	{"to_str", 1, 1, f_tostring, 0},
	{"to_string", 1, 1, f_tostring, 0},
	{"toarray", 1, 1, f_toarray, 0},
	{"toatom", 1, 1, f_toatom, 0},
	{"tobool", 1, 1, f_toboolean, 0},
	{"toboolean", 1, 1, f_toboolean, 0},
	{"tonum", 1, 2, f_tonumber, 0},
	{"tonumber", 1, 2, f_tonumber, 0},
	{"toobj", 1, 1, f_toobject, 0},
	{"toobject", 1, 1, f_toobject, 0},
	{"tostr", 1, 1, f_tostring, 0},
	{"tostring", 1, 1, f_tostring, 0},
};

const N1FuncTable n1_funcs_convert = {convert, sizeof(convert) / sizeof(convert[0])};

/* ---- tests ---- */

static N1Value *
test(N1Value **args, bool is)
{
	return args[0]->type <= N1_NULL ? args[0] : n1_bool(is);
}

static N1Value *
f_isarray(N1Eval *ev, N1Value **args, int n)
{
	(void) ev;
	(void) n;
	return test(args, args[0]->type == N1_ARRAY);
}

static N1Value *
f_isatom(N1Eval *ev, N1Value **args, int n)
{
	(void) ev;
	(void) n;
	return test(args, args[0]->type >= N1_BOOL && args[0]->type <= N1_STRING);
}

static N1Value *
f_isbinary(N1Eval *ev, N1Value **args, int n)
{
	(void) ev;
	(void) n;
	return test(args, args[0]->type == N1_BINARY);
}

static N1Value *
f_isboolean(N1Eval *ev, N1Value **args, int n)
{
	(void) ev;
	(void) n;
	return test(args, args[0]->type == N1_BOOL);
}

static N1Value *
f_isnumber(N1Eval *ev, N1Value **args, int n)
{
	(void) ev;
	(void) n;
	return test(args, args[0]->type == N1_NUMBER);
}

static N1Value *
f_isobject(N1Eval *ev, N1Value **args, int n)
{
	(void) ev;
	(void) n;
	return test(args, args[0]->type == N1_OBJECT);
}

static N1Value *
f_isstring(N1Eval *ev, N1Value **args, int n)
{
	(void) ev;
	(void) n;
	return test(args, args[0]->type == N1_STRING);
}

static N1Value *
f_type(N1Eval *ev, N1Value **args, int n)
{
	(void) n;
	return n1_string0(ev->arena, n1_type_name(args[0]->type));
}

static const N1Func tests[] = {
	{"is_array", 1, 1, f_isarray, 0},
	{"is_atom", 1, 1, f_isatom, 0},
	{"is_bin", 1, 1, f_isbinary, 0},
	{"is_binary", 1, 1, f_isbinary, 0},
	{"is_bool", 1, 1, f_isboolean, 0},
	{"is_boolean", 1, 1, f_isboolean, 0},
	{"is_num", 1, 1, f_isnumber, 0},
	{"is_number", 1, 1, f_isnumber, 0},
	{"is_obj", 1, 1, f_isobject, 0},
	{"is_object", 1, 1, f_isobject, 0},
	{"is_str", 1, 1, f_isstring, 0},
	{"is_string", 1, 1, f_isstring, 0},
	{"isarray", 1, 1, f_isarray, 0},
	{"isatom", 1, 1, f_isatom, 0},
	{"isbin", 1, 1, f_isbinary, 0},
	{"isbinary", 1, 1, f_isbinary, 0},
	{"isbool", 1, 1, f_isboolean, 0},
	{"isboolean", 1, 1, f_isboolean, 0},
	{"isnum", 1, 1, f_isnumber, 0},
	{"isnumber", 1, 1, f_isnumber, 0},
	{"isobj", 1, 1, f_isobject, 0},
	{"isobject", 1, 1, f_isobject, 0},
	{"isstr", 1, 1, f_isstring, 0},
	{"isstring", 1, 1, f_isstring, 0},
	{"type", 1, 1, f_type, 0},
	{"type_name", 1, 1, f_type, 0},
	{"typename", 1, 1, f_type, 0},
};

const N1FuncTable n1_funcs_type = {tests, sizeof(tests) / sizeof(tests[0])};
