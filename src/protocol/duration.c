/*
 * duration.c
 *		Durations and decimal numbers as text.
 */
#include "settings_internal.h"

#include <string.h>

typedef struct TimeUnit
{
	const char *name;
	int64_t		microseconds;
} TimeUnit;

static const TimeUnit time_units[] = {
	{"us", 1}, {"ms", CB_US_PER_MS}, {"s", CB_US_PER_S},
	{"m", 60 * CB_US_PER_S}, {"h", 3600 * CB_US_PER_S}
};

#define NTIME_UNITS (sizeof(time_units) / sizeof(time_units[0]))

bool
cb_parse_decimal(const char **text, int64_t *millionths)
{
	const char *p = *text;
	int64_t		whole = 0;
	int64_t		fraction = 0;
	int64_t		scale = 100000;
	bool		digits = false;

	for (; *p >= '0' && *p <= '9'; p++)
	{
		whole = whole * 10 + (*p - '0');
		digits = true;
		if (whole > INT64_C(1000000000000))
			return false;
	}
	if (*p == '.')
	{
		for (p++; *p >= '0' && *p <= '9'; p++)
		{
			fraction += (*p - '0') * scale;
			scale /= 10;
			digits = true;
		}
	}
	*text = p;
	*millionths = whole * 1000000 + fraction;
	return digits;
}

/* millionths of a unit in microseconds, or -1 when out of range. */
static int64_t
scale_duration(int64_t millionths, int64_t unit)
{
	double		result = (double) millionths * (double) unit / 1e6;

	return result > 9e15 ? -1 : (int64_t) (result + 0.5);
}

bool
cb_only_digits(const char *text)
{
	return *text != '\0' && text[strspn(text, "0123456789.")] == '\0';
}

CbResult
cb_duration_parse(const char *text, int64_t bare_unit_us, int64_t *microseconds)
{
	const char *p = text;
	int64_t		total = 0;

	if (*p == '\0')
		return CB_MALFORMED;
	while (*p != '\0')
	{
		int64_t		millionths;
		int64_t		part;
		size_t		len;
		size_t		i;

		if (!cb_parse_decimal(&p, &millionths))
			return CB_MALFORMED;
		len = strspn(p, "abcdefghijklmnopqrstuvwxyz");
		for (i = 0; i < NTIME_UNITS; i++)
		{
			if (strlen(time_units[i].name) == len && strncmp(time_units[i].name, p, len) == 0)
				break;
		}
		/* A bare number stands alone. */
		if (i == NTIME_UNITS && !(len == 0 && bare_unit_us > 0 && *p == '\0' && total == 0 &&
								  cb_only_digits(text)))
			return CB_MALFORMED;
		part = scale_duration(millionths, i < NTIME_UNITS ? time_units[i].microseconds :
							  bare_unit_us);
		if (part < 0)
			return CB_LIMIT;
		total += part;
		p += len;
	}
	*microseconds = total;
	return CB_OK;
}

void
cb_append_duration(CbBuf *out, int64_t us)
{
	if (us != 0 && us % CB_US_PER_MS != 0)
		cb_buf_append_format(out, "%lldus", (long long) us);
	else if (us != 0 && us < CB_US_PER_S)
		cb_buf_append_format(out, "%lldms", (long long) (us / CB_US_PER_MS));
	else
		cb_buf_append_format(out, "%.10gs", (double) us / 1e6);
}
