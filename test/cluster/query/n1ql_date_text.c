/*
 * Texts of dates, layouts, zones, durations.
 */
#include "n1ql_date.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "params.h"

const DateLayout date_default_layout = {true, true, 'T', '-', 3, ZONE_COLON, NULL, 0};

/* ---- parsing ---- */

/* A text that is being read. */
typedef struct Reader
{
	const char *s;
	const char *end;
} Reader;

static bool
number(Reader *r, int digits, int *out)
{
	*out = 0;
	if (r->end - r->s < digits)
		return false;
	for (int i = 0; i < digits; i++, r->s++)
	{
		if (*r->s < '0' || *r->s > '9')
			return false;
		*out = *out * 10 + *r->s - '0';
	}
	return true;
}

static bool
sign(Reader *r, char c)
{
	if (r->s == r->end || *r->s != c)
		return false;
	r->s++;
	return true;
}

/* YYYY-MM-DD; an example may have other separators, and its numbers mean nothing. */
static bool
read_date(Reader *r, Civil *c, DateLayout *l, bool example)
{
	int			year;

	if (!number(r, 4, &year) || r->s == r->end || (*r->s != '-' && !(example && (*r->s == '/' || *r->s == '.'))))
		return false;
	l->separator = *r->s;
	l->has_date = true;
	c->year = year;
	return sign(r, l->separator) && number(r, 2, &c->month) && sign(r, l->separator) && number(r, 2, &c->day);
}

static bool
read_fraction(Reader *r, int32_t *nanos, DateLayout *l)
{
	int			digits = 0;
	int32_t		scale = 100000000;

	if (!sign(r, '.') && !sign(r, ','))
		return true;
	for (; r->s < r->end && *r->s >= '0' && *r->s <= '9'; r->s++, digits++, scale /= 10)
		*nanos += (*r->s - '0') * scale;
	l->fraction = digits <= 3 ? 3 : digits <= 6 ? 6 : 9;
	return digits > 0;
}

/* Z, +HH:MM, +HHMM or +HH, or nothing: UTC. An example may have Z in place of the sign. */
static bool
read_zone(Reader *r, int32_t *offset, DateLayout *l, bool example)
{
	int			hours;
	int			minutes = 0;
	bool		west = r->s < r->end && *r->s == '-';

	if (r->s == r->end)
		return true;
	l->zone = ZONE_COLON;
	if (sign(r, 'Z'))
	{
		if (r->s == r->end || !example)
			return true;
	}
	else if (!sign(r, '+') && !sign(r, '-'))
		return false;
	if (!number(r, 2, &hours))
		return false;
	if (r->s == r->end)
		l->zone = ZONE_HOURS;
	else
	{
		if (!sign(r, ':'))
			l->zone = ZONE_PLAIN;
		if (!number(r, 2, &minutes))
			return false;
	}
	*offset = (hours * 60 + minutes) * 60 * (west ? -1 : 1);
	return hours <= 24 && minutes < 60;
}

static bool
read_time(Reader *r, Civil *c, int32_t *nanos, int32_t *offset, DateLayout *l, bool example)
{
	l->has_time = true;
	return number(r, 2, &c->hour) && sign(r, ':') && number(r, 2, &c->minute) && sign(r, ':') && number(r, 2, &c->second) &&
		read_fraction(r, nanos, l) && read_zone(r, offset, l, example);
}

static bool
read_all(const char *s, size_t n, Moment *m, Civil *c, DateLayout *l, bool example)
{
	Reader		r = {s, s + n};

	memset(l, 0, sizeof(*l));
	memset(m, 0, sizeof(*m));
	*c = (Civil) {.month = 1,.day = 1};
	if (n > 2 && s[2] == ':')
		return read_time(&r, c, &m->nanos, &m->offset, l, example) && r.s == r.end;
	if (!read_date(&r, c, l, example))
		return false;
	if (r.s == r.end)
		return true;
	l->between = *r.s++;
	return (l->between == 'T' || l->between == ' ') && read_time(&r, c, &m->nanos, &m->offset, l, example) && r.s == r.end;
}

static bool
is_date(const Civil *c)
{
	static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool		leap = c->year % 4 == 0 && (c->year % 100 != 0 || c->year % 400 == 0);

	return c->month >= 1 && c->month <= 12 && c->day >= 1 && c->day <= lengths[c->month - 1] &&
		(c->month != 2 || c->day < 29 || leap) && c->hour < 24 && c->minute < 60 && c->second < 60;
}

bool
date_parse(const char *s, size_t n, Moment *m, DateLayout *layout)
{
	Civil		c;

	if (!read_all(s, n, m, &c, layout, false) || !is_date(&c))
		return false;
	*m = moment_of_civil(c, m->nanos, m->offset);
	return true;
}

/* What a run of letters or the letter behind % prints, of a moment. */
typedef struct Letter
{
	const char *letters;
	char		percent;
	int			width;
} Letter;

static const Letter letters[] = {
	{"YYYY", 'Y', 4}, {"MM", 'm', 2}, {"DD", 'd', 2}, {"hh", 'H', 2}, {"HH", 'I', 2}, {"mm", 'M', 2}, {"ss", 'S', 2},
	{"s", 'N', 3},
};

/* The letter at the beginning of a layout and how long it is; NULL: another character. */
static const Letter *
letter_at(const char *s, size_t n, bool percent, size_t *len)
{
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
	{
		*len = percent ? 2 : strlen(letters[i].letters);
		if (percent ? n > 1 && s[0] == '%' && s[1] == letters[i].percent :
			n >= *len && memcmp(s, letters[i].letters, *len) == 0)
			return &letters[i];
	}
	return NULL;
}

/* True if every letter of such a layout is known: in one of %-signs other characters stand for themselves. */
static bool
knows_letters(const char *s, size_t n, bool percent)
{
	while (n > 0)
	{
		size_t		len = 1;

		if (letter_at(s, n, percent, &len) == NULL)
		{
			len = 1;
			if (percent ? *s == '%' : (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z' && *s != 'T'))
				return false;
		}
		s += len;
		n -= len;
	}
	return true;
}

bool
date_layout(const char *s, size_t n, DateLayout *layout)
{
	Moment		m;
	Civil		c;
	bool		has_digit = false;
	bool		common = n > 3 && memcmp(s, "YYYY", 4) == 0;

	if (read_all(s, n, &m, &c, layout, true))
		return true;
	for (size_t i = 0; i < n; i++)
		has_digit = has_digit || (s[i] >= '0' && s[i] <= '9');
	memset(layout, 0, sizeof(*layout));
	layout->letters = s;
	layout->n_letters = n;
	return (common || memchr(s, '%', n) != NULL || !has_digit) && knows_letters(s, n, !common);
}

/* ---- printing ---- */

static void
put_fraction(N1Buf *out, int32_t nanos, int digits)
{
	char		text[16];

	snprintf(text, sizeof(text), ".%09d", nanos);
	text[1 + digits] = '\0';
	for (int n = digits; n > 0 && text[n] == '0'; n--)
		text[n] = '\0';
	if (text[1] != '\0')
		n1_buf_str(out, text);
}

static void
put_zone(N1Buf *out, int32_t offset, const DateLayout *l)
{
	int			minutes = (offset < 0 ? -offset : offset) / 60;

	if (l->zone == ZONE_NONE)
		return;
	if (offset == 0)
		n1_buf_char(out, 'Z');
	else if (l->zone == ZONE_HOURS)
		n1_buf_printf(out, "%c%02d", offset < 0 ? '-' : '+', minutes / 60);
	else
		n1_buf_printf(out, "%c%02d%s%02d", offset < 0 ? '-' : '+', minutes / 60, l->zone == ZONE_COLON ? ":" : "",
					  minutes % 60);
}

static void
put_letter(N1Buf *out, const Civil *c, int32_t nanos, const Letter *l)
{
	int			millis = (nanos + 500000) / 1000000;
	int64_t		v = l->percent == 'Y' ? c->year : l->percent == 'm' ? c->month : l->percent == 'd' ? c->day :
		l->percent == 'H' ? c->hour : l->percent == 'I' ? (c->hour + 11) % 12 + 1 : l->percent == 'M' ? c->minute :
		l->percent == 'S' ? c->second : millis;

	n1_buf_printf(out, "%0*lld", l->width, (long long) v);
}

static void
put_letters(N1Buf *out, Moment m, const DateLayout *l)
{
	Civil		c = civil_of(m);
	bool		percent = l->n_letters < 4 || memcmp(l->letters, "YYYY", 4) != 0;
	const char *s = l->letters;
	size_t		n = l->n_letters;

	while (n > 0)
	{
		size_t		len;
		const Letter *letter = letter_at(s, n, percent, &len);

		if (letter != NULL)
			put_letter(out, &c, m.nanos, letter);
		else
		{
			n1_buf_char(out, *s);
			len = 1;
		}
		s += len;
		n -= len;
	}
}

void
date_text(N1Buf *out, Moment m, const DateLayout *l)
{
	Civil		c = civil_of(m);

	if (l->letters != NULL)
	{
		put_letters(out, m, l);
		return;
	}
	if (l->has_date)
		n1_buf_printf(out, "%s%04lld%c%02d%c%02d", c.year < 0 ? "-" : "", (long long) (c.year < 0 ? -c.year : c.year),
					  l->separator, c.month, l->separator, c.day);
	if (l->has_date && l->has_time)
		n1_buf_char(out, l->between);
	if (!l->has_time)
		return;
	n1_buf_printf(out, "%02d:%02d:%02d", c.hour, c.minute, c.second);
	if (l->fraction > 0)
		put_fraction(out, m.nanos, l->fraction);
	put_zone(out, m.offset, l);
}

/* ---- zones ---- */

/* "+05:30" */
static bool
fixed_offset(const char *name, int32_t *offset)
{
	Reader		r = {name, name + strlen(name)};
	DateLayout	layout;

	return (name[0] == '+' || name[0] == '-') && read_zone(&r, offset, &layout, false) && r.s == r.end;
}

/* The C library reads the zone; nothing else of this program asks for local time. */
bool
zone_offset(const char *name, int64_t seconds, int32_t *offset)
{
	static char current[64];
	char		path[128];
	time_t		t = (time_t) seconds;
	struct tm	tm;

	*offset = 0;
	if (fixed_offset(name, offset))
		return true;
	if (name[0] == '\0' || strcmp(name, "UTC") == 0)
		return true;
	if (strlen(name) >= sizeof(current) || name[0] == '/' || strstr(name, "..") != NULL)
		return false;
	if (strcmp(name, current) != 0)
	{
		snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
		if (access(path, R_OK) != 0)
			return false;
		setenv("TZ", name, 1);
		tzset();
		snprintf(current, sizeof(current), "%s", name);
	}
	if (localtime_r(&t, &tm) != NULL)
		*offset = (int32_t) tm.tm_gmtoff;
	return true;
}

/* ---- durations ---- */

bool
date_duration_parse(const char *s, size_t n, int64_t *nanos)
{
	char		text[64];

	if (n == 0 || n >= sizeof(text) || s[strspn(s, "0123456789.")] == '\0')
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	return duration_parse(text, nanos);
}

void
date_duration_text(N1Buf *out, int64_t nanos)
{
	char	   *text = duration_text(nanos);

	n1_buf_str(out, text);
	free(text);
}
