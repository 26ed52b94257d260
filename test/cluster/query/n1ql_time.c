/*
 * The calendar, and zones from the system's zoneinfo.
 */
#include "n1ql_time.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400

static int64_t
floor_div(int64_t x, int64_t y)
{
	return x / y - (x % y < 0);
}

bool
n1_leap_year(int64_t y)
{
	return y % 400 == 0 || (y % 4 == 0 && y % 100 != 0);
}

int
n1_month_days(int64_t year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && n1_leap_year(year));
}

/* Days since 1970 of the first of a month, 1 to 12. Years begin in March for the computation. */
static int64_t
days_of(int64_t year, int month)
{
	int64_t		y = month <= 2 ? year - 1 : year,
				era = floor_div(y, 400),
				yoe = y - era * 400,
				doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* Days since 1970 in the zone of the time, and the seconds of the last one. */
static int64_t
local_days(const N1Time *t, int64_t *rest)
{
	__int128	local = (__int128) t->sec + t->off,
				days;

	/* The server's years begin with -292277022399; what is before comes out at the other end. */
	if (local < -9223372028715321600)
		local += (__int128) 1 << 64;
	days = local / DAY - (local % DAY < 0);
	*rest = (int64_t) (local - days * DAY);
	return (int64_t) days;
}

N1Civil
n1_civil(const N1Time *t)
{
	int64_t		rest,
				days = local_days(t, &rest),
				z = days + 719468,
				era = floor_div(z, 146097),
				doe = z - era * 146097,
				yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365,
				doy = doe - (365 * yoe + yoe / 4 - yoe / 100),
				mp = (5 * doy + 2) / 153;
	N1Civil		c = {0};

	c.month = (int) (mp < 10 ? mp + 3 : mp - 9);
	c.year = yoe + era * 400 + (c.month <= 2);
	c.day = (int) (doy - (153 * mp + 2) / 5 + 1);
	c.hour = (int) (rest / 3600);
	c.minute = (int) (rest / 60 % 60);
	c.second = (int) (rest % 60);
	c.yday = (int) (days - days_of(c.year, 1)) + 1;
	c.wday = (int) (((days + 4) % 7 + 7) % 7);
	return c;
}

N1Time
n1_time_of(int64_t year, int64_t month, int64_t day, int64_t seconds, int32_t nsec, int32_t off)
{
	int64_t		y = year + floor_div(month - 1, 12);
	int			m = (int) (month - 1 - floor_div(month - 1, 12) * 12) + 1;
	N1Time		t = {.nsec = nsec,.off = off};

	t.sec = (days_of(y, m) + day - 1) * DAY + seconds - off;
	return t;
}

static int64_t
cut(double d)
{
	return d >= -9.2e18 && d <= 9.2e18 ? (int64_t) d : INT64_MIN;
}

N1Time
n1_time_millis(double millis)
{
	N1Time		t = {.named = true};
	int64_t		nsec = cut(fmod(millis, 1000) * 1000000.0);

	t.sec = cut(millis / 1000);
	if (nsec == INT64_MIN)
		nsec = 0;
	if (nsec < 0)
	{
		nsec += 1000000000;
		t.sec = (int64_t) ((uint64_t) t.sec - 1);
	}
	t.nsec = (int32_t) nsec;
	return t;
}

double
n1_time_to_millis(const N1Time *t)
{
	/* A fraction that rounds up to a whole second is lost, as it is in the server. */
	int64_t		ms = (t->nsec + 500000) / 1000000 % 1000;

	return (double) (int64_t) ((uint64_t) t->sec * 1000) + (double) ms;
}

/* ---- zoneinfo ---- */

typedef struct Zone				/* what a file of zoneinfo says, as far as it is needed */
{
	const unsigned char *times;	/* n_times big-endian numbers of 8 bytes */
	const unsigned char *index;
	const unsigned char *types; /* 6 bytes each */
	int64_t		n_times;
	int64_t		n_types;
	const char *rule;			/* behind the last transition */
} Zone;

static int64_t
big(const unsigned char *s, int n)
{
	uint64_t	x = n == 4 && (s[0] & 0x80) ? UINT64_MAX : 0;

	for (int i = 0; i < n; i++)
		x = x << 8 | s[i];
	return (int64_t) x;
}

static unsigned char *
read_file(N1Arena *a, const char *name, size_t *n)
{
	char		path[256];
	FILE	   *f;
	unsigned char *s;

	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	f = fopen(path, "rb");
	if (f == NULL)
		return NULL;
	s = n1_alloc(a, 65536);
	*n = fread(s, 1, 65535, f);
	fclose(f);
	return s;
}

/* The second, 64-bit part of a file of version 2 and above. */
static bool
open_zone(const unsigned char *s, size_t n, Zone *z)
{
	int64_t		count[6];
	size_t		at = 0;

	for (int part = 0; part < 2; part++)
	{
		int			width = part == 0 ? 4 : 8;

		if (n < at + 44 || memcmp(s + at, "TZif", 4) != 0 || s[at + 4] < '2')
			return false;
		for (int i = 0; i < 6; i++)
			count[i] = big(s + at + 20 + 4 * i, 4);
		at += 44;
		z->times = s + at;
		z->index = z->times + count[3] * width;
		z->types = z->index + count[3];
		for (int i = 0; i < 6; i++)
			if (count[i] < 0 || count[i] > 10000)
				return false;
		at += (size_t) (count[3] * (width + 1) + count[4] * 6 + count[5] + count[2] * (width + 4) + count[1] + count[0]);
	}
	z->n_times = count[3];
	z->n_types = count[4];
	if (at >= n || z->n_types == 0)
		return false;
	z->rule = (const char *) s + at + 1;
	return true;
}

/* ---- rules like CET-1CEST,M3.5.0,M10.5.0/3 ---- */

static const char *
skip_name(const char *s)
{
	if (*s == '<')
		return strchr(s, '>') ? strchr(s, '>') + 1 : s + strlen(s);
	while ((*s | 32) >= 'a' && (*s | 32) <= 'z')
		s++;
	return s;
}

/* [+-]h[h][:mm[:ss]] in seconds */
static const char *
read_hms(const char *s, int64_t *out)
{
	int			sign = *s == '-' ? -1 : 1;
	char	   *end;
	int64_t		unit = 3600;

	if (*s == '-' || *s == '+')
		s++;
	*out = 0;
	for (; unit > 0; unit /= 60)
	{
		*out += strtol(s, &end, 10) * unit;
		s = end;
		if (*s != ':')
			break;
		s++;
	}
	*out *= sign;
	return s;
}

/* When a rule like M10.5.0/3 strikes: seconds since the year began, local time before it. */
static const char *
read_rule(const char *s, int64_t year, int64_t *out)
{
	int64_t		time = 7200,
				first = days_of(year, 1);
	int			m,
				week,
				wday,
				day;
	char	   *end;

	if (*s == 'M')
	{
		N1Time		t;
		N1Civil		c;

		m = (int) strtol(s + 1, &end, 10);
		week = *end == '.' ? (int) strtol(end + 1, &end, 10) : 1;
		wday = *end == '.' ? (int) strtol(end + 1, &end, 10) : 0;
		m = m < 1 || m > 12 ? 1 : m;
		t = n1_time_of(year, m, 1, 0, 0, 0);
		c = n1_civil(&t);
		day = (wday - c.wday + 7) % 7 + (week - 1) * 7;
		if (day >= n1_month_days(year, m))
			day -= 7;
		*out = (days_of(year, m) - first + day) * DAY;
	}
	else
	{
		bool		julian = *s == 'J';

		day = (int) strtol(s + julian, &end, 10);
		if (julian && (!n1_leap_year(year) || day < 60))
			day--;
		*out = (int64_t) day * DAY;
	}
	s = end;
	if (*s == '/')
		s = read_hms(s + 1, &time);
	*out += time;
	return s;
}

static int32_t
rule_offset(const char *s, int64_t sec)
{
	int64_t		std,
				dst,
				from,
				to,
				at;
	N1Time		t = {.sec = sec};
	N1Civil		c;
	bool		summer;

	s = read_hms(skip_name(s), &std);
	std = -std;
	if (*s == '\n' || *s == '\0')
		return (int32_t) std;
	s = skip_name(s);
	dst = std + 3600;
	if (*s != ',')
	{
		s = read_hms(s, &dst);
		dst = -dst;
	}
	if (*s != ',')
		return (int32_t) std;
	t.off = (int32_t) std;
	c = n1_civil(&t);
	s = read_rule(s + 1, c.year, &from);
	if (*s != ',')
		return (int32_t) std;
	read_rule(s + 1, c.year, &to);
	from -= std;
	to -= dst;
	at = sec - days_of(c.year, 1) * DAY;
	summer = from < to ? at >= from && at < to : at >= from || at < to;
	return (int32_t) (summer ? dst : std);
}

static int32_t
zone_offset(const Zone *z, int64_t sec)
{
	int64_t		lo = 0,
				hi = z->n_times;
	unsigned	type;

	while (lo < hi)
	{
		int64_t		mid = (lo + hi) / 2;

		if (big(z->times + mid * 8, 8) <= sec)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == z->n_times && *z->rule != '\n' && *z->rule != '\0')
		return rule_offset(z->rule, sec);
	type = lo == 0 ? 0 : z->index[lo - 1];
	return (int32_t) big(z->types + 6 * (type < z->n_types ? type : 0), 4);
}

/* Short names that mean a place to the server. */
static const char *
long_name(const char *s)
{
	static const char *const names[][2] = {
		{"ACST", "Australia/Darwin"}, {"AEDT", "Australia/Sydney"}, {"AEST", "Australia/Sydney"},
		{"AET", "Australia/Sydney"}, {"AWDT", "Australia/Perth"}, {"AWST", "Australia/Perth"},
		{"BST", "Europe/London"}, {"CAT", "Africa/Windhoek"}, {"CDT", "CST6CDT"}, {"CEDT", "Europe/Paris"},
		{"CEST", "Europe/Paris"}, {"CST", "CST6CDT"}, {"EDT", "EST5EDT"}, {"EEST", "Europe/Kiev"},
		{"EST", "EST5EDT"}, {"HMT", "Europe/Helsinki"}, {"JST", "Asia/Tokyo"}, {"KST", "Asia/Seoul"},
		{"MDT", "MST7MDT"}, {"MEDT", "Europe/Paris"}, {"MEST", "Europe/Paris"}, {"MMT", "Indian/Maldives"},
		{"MST", "MST7MDT"}, {"PDT", "PST8PDT"}, {"PST", "PST8PDT"}, {"SAST", "Africa/Johannesburg"},
		{"SGT", "Asia/Singapore"}, {"SMT", "Asia/Singapore"}, {"WAT", "Africa/Lagos"}, {"WEST", "Europe/Lisbon"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(s, names[i][0]) == 0)
			return names[i][1];
	return s;
}

static bool
named_zone(N1Arena *a, N1Time *t, const char *name)
{
	unsigned char *s;
	size_t		n;
	Zone		z;
	char	   *end;
	long		hours;

	name = long_name(name);
	t->named = true;
	t->off = 0;
	if (*name == '\0' || strcmp(name, "UTC") == 0 || strcmp(name, "Local") == 0)
		return true;
	if (strncmp(name, "GMT", 3) == 0 && (name[3] == '+' || name[3] == '-') && name[4] >= '0' && name[4] <= '9')
	{
		hours = strtol(name + 3, &end, 10);
		t->off = (int32_t) (hours * 3600);
		t->named = false;
		return hours >= -23 && hours <= 23;
	}
	if (strstr(name, "..") != NULL || *name == '/' || strlen(name) > 64)
		return false;
	s = read_file(a, name, &n);
	if (s == NULL || !open_zone(s, n, &z))
		return false;
	t->off = zone_offset(&z, t->sec);
	t->named = t->off == 0;
	return true;
}

static bool
two_digits(const char *s, int *out)
{
	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
		return false;
	*out = (s[0] - '0') * 10 + s[1] - '0';
	return true;
}

/* +hh, +hhmm, +hh:mm; 0 when it is none of these, else their length. */
static size_t
offset_zone(const char *s, int32_t *off)
{
	int			h,
				m = 0;
	size_t		n = 3;

	if ((*s != '+' && *s != '-') || !two_digits(s + 1, &h))
		return 0;
	if (s[3] == ':' && two_digits(s + 4, &m))
		n = 6;
	else if (two_digits(s + 3, &m))
		n = 5;
	if ((*s == '+' ? h > 14 : h > 12) || m > 59)
		return 0;
	*off = (*s == '-' ? -1 : 1) * (h * 3600 + m * 60);
	return n;
}

bool
n1_time_zone(N1Arena *a, N1Time *t, const char *zone, size_t n)
{
	char	   *s = n1_alloc(a, n + 8);
	size_t		len;

	memcpy(s, zone, n);
	t->named = false;
	if (offset_zone(s, &t->off) > 0)
		return true;
	if (*s == '+' || *s == '-')
		return false;
	if (*s == 'Z')
	{
		t->off = 0;
		return true;
	}
	len = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_+-");
	while (len > 0 && strchr("+-/_", s[len - 1]) != NULL)
		len--;
	s[len] = '\0';
	return named_zone(a, t, s);
}
