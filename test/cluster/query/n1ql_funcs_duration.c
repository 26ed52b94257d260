/*
 * Durations: nanoseconds as a number, or text such as "1h2m3.5s".
 */
#include "n1ql_funcs_duration.h"
#include "n1ql_func.h"

#include <math.h>
#include <string.h>

static void
write_unit(N1Buf *b, uint64_t ns, uint64_t unit, const char *name)
{
	uint64_t	rest = ns % unit;

	n1_buf_printf(b, "%llu", (unsigned long long) (ns / unit));
	if (rest > 0)
	{
		char	   *last;

		n1_buf_char(b, '.');
		for (uint64_t u = unit / 10; u > 0; u /= 10)
			n1_buf_char(b, (char) ('0' + rest / u % 10));
		for (last = b->s + b->n - 1; *last == '0'; last--)
			b->n--;
		b->s[b->n] = '\0';
	}
	n1_buf_str(b, name);
}

N1Value *
n1_f_duration_to_str(N1Eval *ev, N1Value **args, int n)
{
	uint64_t	ns;
	double		d;
	N1Buf		b;

	(void) n;
	if (args[0]->type != N1_NUMBER)
		return args[0]->type == N1_MISSING ? args[0] : &n1_null;
	d = n1_num(args[0]);
	ns = fabs(d) < 9.2e18 ? (uint64_t) fabs(d) : (uint64_t) 1 << 63;
	n1_buf_init(&b, ev->arena);
	if (d < 0 && ns > 0)
		n1_buf_char(&b, '-');
	if (ns == 0)
		n1_buf_str(&b, "0s");
	else if (ns < 1000)
		write_unit(&b, ns, 1, "ns");
	else if (ns < 1000000)
		write_unit(&b, ns, 1000, "\302\265s");
	else if (ns < 1000000000)
		write_unit(&b, ns, 1000000, "ms");
	else
	{
		uint64_t	minutes = ns / 60000000000;

		if (minutes >= 60)
			n1_buf_printf(&b, "%lluh", (unsigned long long) (minutes / 60));
		if (minutes > 0)
			n1_buf_printf(&b, "%llum", (unsigned long long) (minutes % 60));
		write_unit(&b, ns % 60000000000, 1000000000, "s");
	}
	return n1_buf_string(ev->arena, &b);
}

static size_t
unit_at(const char *s, double *ns)
{
	static const struct
	{
		const char *name;
		double		ns;
	}			units[] = {
		{"ns", 1}, {"us", 1e3}, {"\302\265s", 1e3}, {"\316\274s", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}
	};
	size_t		best = 0;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strlen(units[i].name) > best && strncmp(s, units[i].name, strlen(units[i].name)) == 0)
		{
			best = strlen(units[i].name);
			*ns = units[i].ns;
		}
	return best;
}

N1Value *
n1_f_str_to_duration(N1Eval *ev, N1Value **args, int n)
{
	const char *s;
	double		total = 0,
				sign = 1;

	(void) n;
	if (args[0]->type != N1_STRING)
		return args[0]->type == N1_MISSING ? args[0] : &n1_null;
	s = n1_dup(ev->arena, args[0]->u.str.s, args[0]->u.str.n);
	if (*s == '-' || *s == '+')
		sign = *s++ == '-' ? -1 : 1;
	if (strcmp(s, "0") == 0)
		return n1_int(ev->arena, 0);
	do
	{
		size_t		whole = strspn(s, "0123456789"),
					part = s[whole] == '.' ? strspn(s + whole + 1, "0123456789") : 0,
					len = whole + (s[whole] == '.' ? part + 1 : 0),
					unit;
		double		ns = 0;
		N1Value    *x;

		if (whole + part == 0 || (unit = unit_at(s + len, &ns)) == 0)
			return &n1_null;
		x = n1_number_parse(ev->arena, s, len);
		total += n1_num(x) * ns;
		s += len + unit;
	} while (*s != '\0');
	return total < 9.2e18 ? n1_double(ev->arena, sign * trunc(total)) : &n1_null;
}
