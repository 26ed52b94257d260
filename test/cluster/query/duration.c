/*
 * duration.c: durations as Go writes and reads them (package time).
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "../util.h"
#include "params.h"

static const struct
{
	const char *name;
	double		ns;
}			units[] = {
	{"ns", 1}, {"us", 1e3}, {"\xc2\xb5s", 1e3}, {"\xce\xbcs", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9},
	{"d", 86400e9},
};

/* Nanoseconds of the unit at *p, which moves behind it; 0 if there is none. */
static double
unit_at(const char **p)
{
	size_t		len = 0;

	while ((*p)[len] != '\0' && (*p)[len] != '.' && !isdigit((unsigned char) (*p)[len]))
		len++;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
	{
		if (strlen(units[i].name) == len && memcmp(units[i].name, *p, len) == 0)
		{
			*p += len;
			return units[i].ns;
		}
	}
	return 0;
}

/* A plain number: seconds. */
static bool
seconds_parse(const char *text, bool negative, int64_t *ns)
{
	char	   *end;
	double		seconds = strtod(text, &end);

	if (*end != '\0' || seconds > 9.2e9)
		return false;
	*ns = (int64_t) ((negative ? -seconds : seconds) * 1e9);
	return true;
}

bool
duration_parse(const char *text, int64_t *ns)
{
	const char *p = text;
	bool		negative = *p == '-';
	double		sum = 0;

	if (*p == '-' || *p == '+')
		p++;
	if (strcmp(p, "0") == 0)
	{
		*ns = 0;
		return true;
	}
	if (*p == '\0')
		return false;
	if (p[strspn(p, "0123456789.")] == '\0')
		return seconds_parse(p, negative, ns);
	while (*p != '\0')
	{
		char	   *end;
		double		number;
		double		unit;

		if (*p != '.' && !isdigit((unsigned char) *p))
			return false;
		if (*p == '0' && (p[1] == 'x' || p[1] == 'X'))
			return false;
		number = strtod(p, &end);
		if (end == p)
			return false;
		p = end;
		unit = unit_at(&p);
		if (unit == 0)
			return false;
		sum += number * unit;
		if (sum > 9.2e18)
			return false;
	}
	*ns = (int64_t) (negative ? -sum : sum);
	return true;
}

/* A number of units with its fraction, without the zeros at its end. */
static char *
fraction_text(int64_t whole, int64_t part, int digits, const char *unit)
{
	char		fraction[16] = "";

	if (part != 0)
	{
		char	   *end = fraction + 1 + digits;

		fraction[0] = '.';
		for (int i = digits; i > 0; i--, part /= 10)
			fraction[i] = (char) ('0' + part % 10);
		while (end[-1] == '0')
			end--;
		*end = '\0';
	}
	return xasprintf("%lld%s%s", (long long) whole, fraction, unit);
}

char *
duration_text(int64_t ns)
{
	char	   *positive;
	char	   *seconds;
	char	   *text;

	if (ns < 0)
	{
		positive = duration_text(-ns);
		text = xasprintf("-%s", positive);
		free(positive);
		return text;
	}
	if (ns == 0)
		return xstrdup("0s");
	if (ns < 1000)
		return xasprintf("%lldns", (long long) ns);
	if (ns < 1000000)
		return fraction_text(ns / 1000, ns % 1000, 3, "\xc2\xb5s");
	if (ns < 1000000000)
		return fraction_text(ns / 1000000, ns % 1000000, 6, "ms");
	seconds = fraction_text(ns / 1000000000 % 60, ns % 1000000000, 9, "s");
	if (ns < 60000000000)
		return seconds;
	if (ns < 3600000000000)
		text = xasprintf("%lldm%s", (long long) (ns / 60000000000), seconds);
	else
		text = xasprintf("%lldh%lldm%s", (long long) (ns / 3600000000000), (long long) (ns / 60000000000 % 60), seconds);
	free(seconds);
	return text;
}
