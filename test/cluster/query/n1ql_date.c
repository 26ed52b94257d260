/*
 * Calendar: from seconds to years and back, parts, sums, differences. Years may be very large: the arithmetic is Go's,
 * which wraps around in 64 bits.
 */
#include "n1ql_date.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DAY 86400
#define FIRST_YEAR INT64_C(-292277022399)	/* from where seconds are counted without a sign */
#define TO_FIRST UINT64_C(9223372028715321600)	/* from 1970 */

Moment
moment_of_millis(double millis, int32_t offset)
{
	double		whole = trunc(millis / 1000);
	double		rest = fmod(millis, 1000) * 1000000.0;
	Moment		m = {.offset = offset};
	int64_t		nanos = fabs(rest) < 9e18 ? (int64_t) rest : INT64_MIN;

	m.seconds = fabs(whole) < 9223372036854775808.0 ? (int64_t) whole : INT64_MIN;
	if (nanos < 0)
	{
		m.seconds = (int64_t) ((uint64_t) m.seconds - 1);
		nanos += 1000000000;
	}
	m.nanos = (int32_t) nanos;
	return m;
}

double
millis_of_moment(Moment m)
{
	int64_t		millis = (m.nanos + 500000) / 1000000;

	return (double) (int64_t) ((uint64_t) m.seconds * 1000) + (double) millis;
}

static bool
is_leap(int64_t y)
{
	return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

static const int days_before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

/* Takes whole periods of so many days, at most so many, out of the days. */
static int64_t
take_periods(uint64_t *days, unsigned period, int64_t most)
{
	int64_t		n = (int64_t) (*days / period);

	if (most > 0 && n > most)
		n = most;
	*days -= (uint64_t) n * period;
	return n;
}

Civil
civil_of(Moment m)
{
	uint64_t	seconds = (uint64_t) m.seconds + (uint64_t) (int64_t) m.offset + TO_FIRST;
	uint64_t	days = seconds / DAY;
	int			rest = (int) (seconds % DAY);
	Civil		c = {.hour = rest / 3600,.minute = rest / 60 % 60,.second = rest % 60,.weekday = (int) ((days + 1) % 7)};

	c.year = FIRST_YEAR + 400 * take_periods(&days, 146097, 0);
	c.year += 100 * take_periods(&days, 36524, 3);
	c.year += 4 * take_periods(&days, 1461, 0);
	c.year += take_periods(&days, 365, 3);
	c.yday = (int) days + 1;
	c.month = 1;
	while (c.month < 12 && (int) days >= days_before[c.month] + (c.month >= 2 && is_leap(c.year)))
		c.month++;
	c.day = (int) days - days_before[c.month - 1] - (c.month > 2 && is_leap(c.year)) + 1;
	return c;
}

/* Days from 1970-01-01 to the first of a month. */
static int64_t
days_to_month(int64_t year, int64_t month)
{
	int64_t		y = year + (month - 1) / 12 - ((month - 1) % 12 < 0);
	int64_t		mo = ((month - 1) % 12 + 12) % 12;
	int64_t		before = y - 1;
	int64_t		cycle = (before >= 0 ? before : before - 399) / 400;
	int64_t		of_cycle = before - 400 * cycle;
	int64_t		days = 146097 * cycle + 365 * of_cycle + of_cycle / 4 - of_cycle / 100;

	return days - 719162 + days_before[mo] + (mo >= 2 && is_leap(y));
}

Moment
moment_of_civil(Civil c, int32_t nanos, int32_t offset)
{
	Moment		m = {.nanos = nanos,.offset = offset};

	m.seconds = (days_to_month(c.year, c.month) + c.day - 1) * DAY + c.hour * 3600 + c.minute * 60 + c.second - offset;
	return m;
}

/* ---- parts ---- */

static void
iso_week(const Civil *c, int64_t *year, int64_t *week)
{
	int			from_monday = (c->weekday + 6) % 7;
	int			thursday = c->yday - from_monday + 3;	/* day of the year of this week's Thursday */

	*year = c->year;
	if (thursday < 1)
	{
		--*year;
		thursday += 365 + is_leap(*year);
	}
	else if (thursday > 365 + is_leap(c->year))
	{
		thursday -= 365 + is_leap(c->year);
		++*year;
	}
	*week = (thursday - 1) / 7 + 1;
}

static bool
calendar_part(const Civil *c, const char *part, int64_t *out)
{
	int64_t		year;
	int64_t		week;

	iso_week(c, &year, &week);
	if (strcasecmp(part, "millennium") == 0)
		*out = c->year / 1000 + 1;
	else if (strcasecmp(part, "century") == 0)
		*out = c->year / 100 + 1;
	else if (strcasecmp(part, "decade") == 0)
		*out = c->year / 10;
	else if (strcasecmp(part, "year") == 0)
		*out = c->year;
	else if (strcasecmp(part, "quarter") == 0)
		*out = (c->month + 2) / 3;
	else if (strcasecmp(part, "month") == 0 || strcasecmp(part, "calendar_month") == 0)
		*out = c->month;
	else if (strcasecmp(part, "day") == 0)
		*out = c->day;
	else if (strcasecmp(part, "week") == 0)
		*out = (c->yday + 6) / 7;
	else if (strcasecmp(part, "day_of_year") == 0 || strcasecmp(part, "doy") == 0)
		*out = c->yday;
	else if (strcasecmp(part, "day_of_week") == 0 || strcasecmp(part, "dow") == 0)
		*out = c->weekday;
	else if (strcasecmp(part, "iso_week") == 0)
		*out = week;
	else if (strcasecmp(part, "iso_year") == 0)
		*out = year;
	else if (strcasecmp(part, "iso_dow") == 0)
		*out = c->weekday == 0 ? 7 : c->weekday;
	else
		return false;
	return true;
}

bool
date_part(Moment m, const char *part, int64_t *out)
{
	Civil		c = civil_of(m);

	if (calendar_part(&c, part, out))
		return true;
	if (strcasecmp(part, "hour") == 0)
		*out = c.hour;
	else if (strcasecmp(part, "minute") == 0)
		*out = c.minute;
	else if (strcasecmp(part, "second") == 0)
		*out = c.second;
	else if (strcasecmp(part, "millisecond") == 0)
		*out = m.nanos / 1000000;
	else if (strcasecmp(part, "timezone") == 0)
		*out = m.offset;
	else if (strcasecmp(part, "timezone_hour") == 0)
		*out = m.offset / 3600;
	else if (strcasecmp(part, "timezone_minute") == 0)
		*out = m.offset % 3600 / 60;
	else
		return false;
	return true;
}

/* ---- sums ---- */

static Moment
add_months(Moment m, int64_t months)
{
	Civil		c = civil_of(m);
	int64_t		sum = c.month - 1 + months;

	c.year += sum / 12 - (sum % 12 < 0);
	c.month = (int) ((sum % 12 + 12) % 12) + 1;
	return moment_of_civil(c, m.nanos, m.offset);
}

static int
month_length(int64_t year, int month)
{
	return days_before[month] - days_before[month - 1] + (month == 2 && is_leap(year));
}

/* The last day of a month stays the last; a day that the new month lacks becomes its last. */
static Moment
add_calendar_months(Moment m, int64_t months)
{
	Civil		c = civil_of(m);
	bool		last = c.day == month_length(c.year, c.month);
	int			day = c.day;
	int			length;

	c.day = 1;
	c = civil_of(add_months(moment_of_civil(c, m.nanos, m.offset), months));
	length = month_length(c.year, c.month);
	c.day = last || day > length ? length : day;
	return moment_of_civil(c, m.nanos, m.offset);
}

static Moment
add_seconds(Moment m, int64_t seconds)
{
	m.seconds = (int64_t) ((uint64_t) m.seconds + (uint64_t) seconds);
	return m;
}

static Moment
add_millis(Moment m, int64_t millis)
{
	int64_t		nanos = m.nanos + millis % 1000 * 1000000;

	m.seconds += millis / 1000;
	if (nanos < 0)
	{
		nanos += 1000000000;
		m.seconds--;
	}
	m.seconds += nanos / 1000000000;
	m.nanos = (int32_t) (nanos % 1000000000);
	return m;
}

bool
date_add(Moment *m, int64_t n, const char *part)
{
	static const struct
	{
		const char *name;
		int			months;
		int			seconds;
	}			units[] = {
		{"millennium", 12000, 0}, {"century", 1200, 0}, {"decade", 120, 0}, {"year", 12, 0}, {"quarter", 3, 0},
		{"month", 1, 0}, {"week", 0, 7 * DAY}, {"day", 0, DAY}, {"hour", 0, 3600}, {"minute", 0, 60}, {"second", 0, 1},
	};

	if (n == 0)
		return true;
	if (strcasecmp(part, "calendar_month") == 0)
	{
		*m = add_calendar_months(*m, n);
		return true;
	}
	if (strcasecmp(part, "millisecond") == 0)
	{
		*m = add_millis(*m, n);
		return true;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
	{
		if (strcasecmp(units[i].name, part) != 0)
			continue;
		*m = units[i].months != 0 ? add_months(*m, (int64_t) ((uint64_t) n * (uint64_t) units[i].months)) :
			add_seconds(*m, (int64_t) ((uint64_t) n * (uint64_t) units[i].seconds));
		return true;
	}
	return false;
}

/* ---- truncation ---- */

static int64_t
floor_to(int64_t x, int64_t unit)
{
	int64_t		rest = x % unit;

	return x - (rest < 0 ? rest + unit : rest);
}

static Moment
trunc_day(Moment m)
{
	m.seconds = floor_to(m.seconds + m.offset, DAY) - m.offset;
	m.nanos = 0;
	return m;
}

static Moment
trunc_months(Moment m, int months)
{
	Civil		c = civil_of(trunc_day(m));
	int64_t		year = c.year;

	c.day = 1;
	if (months < 12)
		c.month -= (c.month - 1) % months;
	else
	{
		c.month = 1;
		c.year = year - year % (months / 12);
	}
	return moment_of_civil(c, 0, m.offset);
}

bool
date_trunc(Moment *m, const char *part)
{
	static const struct
	{
		const char *name;
		int			months;
		int			seconds;
	}			units[] = {
		{"millennium", 12000, 0}, {"century", 1200, 0}, {"decade", 120, 0}, {"year", 12, 0}, {"quarter", 3, 0},
		{"month", 1, 0}, {"calendar_month", 1, 0}, {"hour", 0, 3600}, {"minute", 0, 60}, {"second", 0, 1},
	};
	bool		monday = strcasecmp(part, "iso_week") == 0;

	if (strcasecmp(part, "day") == 0 || strcasecmp(part, "week") == 0 || monday)
	{
		*m = trunc_day(*m);
		if (strcasecmp(part, "day") != 0)
			m->seconds -= (int64_t) ((civil_of(*m).weekday + (monday ? 6 : 0)) % 7) * DAY;
		return true;
	}
	if (strcasecmp(part, "millisecond") == 0)
	{
		m->nanos -= m->nanos % 1000000;
		return true;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
	{
		if (strcasecmp(units[i].name, part) != 0)
			continue;
		if (units[i].months != 0)
			*m = trunc_months(*m, units[i].months);
		else
		{
			m->seconds = floor_to(m->seconds, units[i].seconds);
			m->nanos = 0;
		}
		return true;
	}
	return false;
}

/* ---- differences ---- */

/* The server compares dates by their text. */
static void
order_text(Moment m, char out[96])
{
	Civil		c = civil_of(m);
	char		fraction[16] = "";
	int			offset = m.offset < 0 ? -m.offset : m.offset;

	if (m.nanos != 0)
	{
		snprintf(fraction, sizeof(fraction), ".%09d", m.nanos);
		for (size_t n = strlen(fraction); fraction[n - 1] == '0'; n--)
			fraction[n - 1] = '\0';
	}
	snprintf(out, 96, "%04lld-%02d-%02d %02d:%02d:%02d%s %c%02d%02d", (long long) c.year, c.month, c.day, c.hour, c.minute,
			 c.second, fraction, m.offset < 0 ? '-' : '+', offset / 3600, offset / 60 % 60);
}

static int64_t
leap_years_before(int64_t year)
{
	year += year > 0 ? -1 : 1;
	return year / 4 - year / 100 + year / 400;
}

static bool
difference(Moment a, Moment b, const char *part, int64_t *out)
{
	Civil		x = civil_of(a);
	Civil		y = civil_of(b);
	int64_t		years = x.year - y.year;
	int64_t		days = years * 365 + x.yday - y.yday + (years != 0 ? leap_years_before(x.year) - leap_years_before(y.year) : 0);
	int64_t		hours = days * 24 + x.hour - y.hour;
	int64_t		minutes = hours * 60 + x.minute - y.minute;
	int64_t		seconds = minutes * 60 + x.second - y.second;
	int64_t		months = x.year * 12 + x.month - y.year * 12 - y.month;
	int64_t		quarters = x.year * 4 + (x.month + 2) / 3 - y.year * 4 - (y.month + 2) / 3;
	const struct
	{
		const char *name;
		int64_t		value;
	}			parts[] = {
		{"millisecond", seconds * 1000 + a.nanos / 1000000 - b.nanos / 1000000}, {"second", seconds}, {"minute", minutes},
		{"hour", hours}, {"day", days}, {"week", days / 7}, {"month", months < 0 ? -months : months},
		{"calendar_month", months < 0 ? -months : months}, {"quarter", quarters < 0 ? -quarters : quarters},
		{"year", years}, {"decade", years / 10}, {"century", years / 100}, {"millennium", years / 1000},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
	{
		if (strcasecmp(parts[i].name, part) == 0)
		{
			*out = parts[i].value;
			return true;
		}
	}
	return false;
}

bool
date_diff(Moment a, Moment b, const char *part, int64_t *out)
{
	char		x[96];
	char		y[96];

	order_text(a, x);
	order_text(b, y);
	if (strcmp(x, y) >= 0)
		return difference(a, b, part, out);
	if (!difference(b, a, part, out))
		return false;
	*out = -*out;
	return true;
}
