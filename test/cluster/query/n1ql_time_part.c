/*
 * Parts of times: reading, adding, truncating, differences.
 */
#include "n1ql_time.h"

#include <stdio.h>
#include <string.h>

#define HOUR 3600
#define DAY 86400
#define FARTHEST 1000000000000	/* of what may be added: everything stays within int64 */

static bool
is(const char *part, const char *name)
{
	return strcmp(part, name) == 0;
}

static int64_t
seconds_of_day(const N1Civil *c)
{
	return c->hour * HOUR + c->minute * 60 + c->second;
}

static int
iso_day(const N1Civil *c)
{
	return c->wday == 0 ? 7 : c->wday;
}

static int
weeks_in(int64_t year)
{
	N1Time		t = n1_time_of(year, 1, 1, 0, 0, 0);
	N1Civil		c = n1_civil(&t);

	return c.wday == 4 || (c.wday == 3 && n1_leap_year(year)) ? 53 : 52;
}

static void
iso_week(const N1Civil *c, int64_t *year, int64_t *week)
{
	*year = c->year;
	*week = (c->yday - iso_day(c) + 10) / 7;
	if (*week < 1)
		*week = weeks_in(--*year);
	else if (*week > weeks_in(*year))
	{
		*week = 1;
		++*year;
	}
}

static bool
week_part(const N1Civil *c, const char *part, int64_t *out)
{
	int64_t		year,
				week;

	iso_week(c, &year, &week);
	if (is(part, "week"))
		*out = (c->yday + 6) / 7;
	else if (is(part, "day_of_year") || is(part, "doy"))
		*out = c->yday;
	else if (is(part, "day_of_week") || is(part, "dow"))
		*out = c->wday;
	else if (is(part, "iso_week"))
		*out = week;
	else if (is(part, "iso_year"))
		*out = year;
	else if (is(part, "iso_dow"))
		*out = iso_day(c);
	else
		return false;
	return true;
}

bool
n1_time_part(const N1Time *t, const char *part, int64_t *out)
{
	N1Civil		c = n1_civil(t);

	if (is(part, "millennium"))
		*out = c.year / 1000 + 1;
	else if (is(part, "century"))
		*out = c.year / 100 + 1;
	else if (is(part, "decade"))
		*out = c.year / 10;
	else if (is(part, "year"))
		*out = c.year;
	else if (is(part, "quarter"))
		*out = (c.month + 2) / 3;
	else if (is(part, "month") || is(part, "calendar_month"))
		*out = c.month;
	else if (is(part, "day"))
		*out = c.day;
	else if (is(part, "hour"))
		*out = c.hour;
	else if (is(part, "minute"))
		*out = c.minute;
	else if (is(part, "second"))
		*out = c.second;
	else if (is(part, "millisecond"))
		*out = t->nsec / 1000000;
	else if (is(part, "timezone"))
		*out = t->off;
	else if (is(part, "timezone_hour"))
		*out = t->off / HOUR;
	else if (is(part, "timezone_minute"))
		*out = t->off % HOUR / 60;
	else
		return week_part(&c, part, out);
	return true;
}

/* ---- adding ---- */

static void
add_date(N1Time *t, int64_t years, int64_t months, int64_t days)
{
	N1Civil		c = n1_civil(t);
	bool		named = t->named;

	*t = n1_time_of(c.year + years, c.month + months, c.day + days, seconds_of_day(&c), t->nsec, t->off);
	t->named = named;
}

static void
add_nanoseconds(N1Time *t, int64_t sec, int64_t nsec)
{
	t->sec += sec;
	nsec += t->nsec;
	if (nsec < 0 || nsec >= 1000000000)
	{
		t->sec += nsec < 0 ? -1 : 1;
		nsec += nsec < 0 ? 1000000000 : -1000000000;
	}
	t->nsec = (int32_t) nsec;
}

/* Months that keep to the end of the month: the last day stays the last one, a day that is too late becomes it. */
static void
add_calendar_months(N1Time *t, int64_t n)
{
	N1Civil		c = n1_civil(t);
	bool		last = c.day == n1_month_days(c.year, c.month);
	bool		named = t->named;
	int64_t		month = c.month - 1 + n % 12,
				year = c.year + n / 12;
	int			days;

	if (n == 0)
		return;
	if (month >= 12 || month < 0)
	{
		year += month < 0 ? -1 : 1;
		month += month < 0 ? 12 : -12;
	}
	days = n1_month_days(year, (int) month + 1);
	*t = n1_time_of(year, month + 1, last || c.day > days ? days : c.day, seconds_of_day(&c), t->nsec, t->off);
	t->named = named;
}

bool
n1_time_add(N1Time *t, int64_t n, const char *part)
{
	n = n > FARTHEST ? FARTHEST : n < -FARTHEST ? -FARTHEST : n;
	if (is(part, "millennium"))
		add_date(t, n * 1000, 0, 0);
	else if (is(part, "century"))
		add_date(t, n * 100, 0, 0);
	else if (is(part, "decade"))
		add_date(t, n * 10, 0, 0);
	else if (is(part, "year"))
		add_date(t, n, 0, 0);
	else if (is(part, "quarter"))
		add_date(t, 0, n * 3, 0);
	else if (is(part, "month"))
		add_date(t, 0, n, 0);
	else if (is(part, "calendar_month"))
		add_calendar_months(t, n);
	else if (is(part, "week"))
		add_date(t, 0, 0, n * 7);
	else if (is(part, "day"))
		add_date(t, 0, 0, n);
	else if (is(part, "hour"))
		add_nanoseconds(t, n * HOUR, 0);
	else if (is(part, "minute"))
		add_nanoseconds(t, n * 60, 0);
	else if (is(part, "second"))
		add_nanoseconds(t, n, 0);
	else if (is(part, "millisecond"))
		add_nanoseconds(t, n / 1000, n % 1000 * 1000000);
	else
		return false;
	return true;
}

/* ---- truncating ---- */

static void
cut_to(N1Time *t, int64_t unit, int64_t shift)
{
	int64_t		x = t->sec + shift,
				rest = x % unit;

	t->sec -= rest < 0 ? rest + unit : rest;
	t->nsec = 0;
}

bool
n1_time_trunc(N1Time *t, const char *part)
{
	N1Civil		c;

	if (is(part, "millisecond"))
		t->nsec -= t->nsec % 1000000;
	else if (is(part, "second"))
		cut_to(t, 1, 0);
	else if (is(part, "minute"))
		cut_to(t, 60, 0);
	else if (is(part, "hour"))
		cut_to(t, HOUR, 0);
	else
	{
		cut_to(t, DAY, t->off);
		c = n1_civil(t);
		if (is(part, "millennium"))
			add_date(t, -(c.year % 1000), 0, 1 - c.yday);
		else if (is(part, "century"))
			add_date(t, -(c.year % 100), 1 - c.month, 1 - c.day);
		else if (is(part, "decade"))
			add_date(t, -(c.year % 10), 1 - c.month, 1 - c.day);
		else if (is(part, "year"))
			add_date(t, 0, 1 - c.month, 1 - c.day);
		else if (is(part, "quarter"))
			add_date(t, 0, -((c.month - 1) % 3), 1 - c.day);
		else if (is(part, "month") || is(part, "calendar_month"))
			add_date(t, 0, 0, 1 - c.day);
		else if (is(part, "week"))
			add_date(t, 0, 0, -c.wday);
		else if (is(part, "iso_week"))
			add_date(t, 0, 0, 1 - iso_day(&c));
		else
			return is(part, "day");
	}
	return true;
}

/* ---- differences ---- */

/* The server compares times by their text. */
static const char *
sort_text(N1Arena *a, const N1Time *t)
{
	N1Buf		b;
	int			minutes = (t->off < 0 ? -t->off : t->off) / 60;
	char		zone[16];

	n1_buf_init(&b, a);
	n1_time_format(&b, t, "2006-01-02 15:04:05.999999999");
	snprintf(zone, sizeof(zone), "%c%02d%02d", t->off < 0 ? '-' : '+', minutes / 60, minutes % 60);
	n1_buf_printf(&b, " %s %s", zone, t->named ? "UTC" : zone);
	return b.s;
}

static int64_t
leap_years(int64_t year)
{
	year += year > 0 ? -1 : 1;
	return year / 4 - year / 100 + year / 400;
}

static int64_t
apart(int64_t x, int64_t y)
{
	return x > y ? x - y : y - x;
}

/* The fields of the dates subtracted one by one and put together, from milliseconds to days. */
static bool
small_difference(const N1Civil *x, const N1Civil *y, int64_t millis, const char *part, int64_t *out)
{
	int64_t		years = x->year - y->year,
				d = years * 365 + x->yday - y->yday;

	if (years != 0)
		d += leap_years(x->year) - leap_years(y->year);
	*out = d;
	if (is(part, "day"))
		return true;
	*out = d / 7;
	if (is(part, "week"))
		return true;
	*out = d = d * 24 + x->hour - y->hour;
	if (is(part, "hour"))
		return true;
	*out = d = d * 60 + x->minute - y->minute;
	if (is(part, "minute"))
		return true;
	*out = d = d * 60 + x->second - y->second;
	if (is(part, "second"))
		return true;
	*out = d * 1000 + millis;
	return is(part, "millisecond");
}

bool
n1_time_diff(N1Arena *a, const N1Time *t1, const N1Time *t2, const char *part, int64_t *out)
{
	int			sign = strcmp(sort_text(a, t1), sort_text(a, t2)) < 0 ? -1 : 1;
	const N1Time *later = sign < 0 ? t2 : t1,
			   *earlier = sign < 0 ? t1 : t2;
	N1Civil		x = n1_civil(later),
				y = n1_civil(earlier);
	int64_t		years = x.year - y.year;

	if (is(part, "month") || is(part, "calendar_month"))
		*out = apart(x.year * 12 + x.month, y.year * 12 + y.month);
	else if (is(part, "quarter"))
		*out = apart(x.year * 4 + (x.month + 2) / 3, y.year * 4 + (y.month + 2) / 3);
	else if (is(part, "year"))
		*out = years;
	else if (is(part, "decade"))
		*out = years / 10;
	else if (is(part, "century"))
		*out = years / 100;
	else if (is(part, "millennium"))
		*out = years / 1000;
	else if (!small_difference(&x, &y, later->nsec / 1000000 - earlier->nsec / 1000000, part, out))
		return false;
	*out *= sign;
	return true;
}
