/*
 * Times from and to text, by layouts of Go's kind.
 */
#include "n1ql_time.h"

#include <stdio.h>
#include <string.h>

typedef enum Field
{
	F_LITERAL, F_YEAR, F_MONTH, F_DAY, F_HOUR, F_MINUTE, F_SECOND, F_FRACTION, F_FIXED_FRACTION, F_ZONE, F_SPACES,
	F_HOUR_12, F_MILLIS, F_HALF, F_SMALL_HALF	/* only written, never read */
} Field;

/* The field at the layout and how long it is there. */
static Field
next_field(const char *s, size_t *len)
{
	static const struct
	{
		const char *text;
		Field		field;
	}			fields[] = {
		{"2006", F_YEAR}, {"01", F_MONTH}, {"02", F_DAY}, {"15", F_HOUR}, {"04", F_MINUTE}, {"05", F_SECOND},
		{"Z07:00", F_ZONE}, {"Z0700", F_ZONE}, {"Z07", F_ZONE}
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
	{
		*len = strlen(fields[i].text);
		if (strncmp(s, fields[i].text, *len) == 0)
			return fields[i].field;
	}
	*len = 1;
	if (*s >= N1_LAYOUT_HOUR_12[0] && *s <= N1_LAYOUT_SMALL_HALF[0])
		return (Field) (F_HOUR_12 + (*s - N1_LAYOUT_HOUR_12[0]));
	if (s[0] == '.' && (s[1] == '9' || s[1] == '0'))
	{
		*len = 1 + strspn(s + 1, s[1] == '9' ? "9" : "0");
		return s[1] == '9' ? F_FRACTION : F_FIXED_FRACTION;
	}
	*len = *s == ' ' ? strspn(s, " ") : 1;
	return *s == ' ' ? F_SPACES : F_LITERAL;
}

static size_t
number(const char *s, const char *end, size_t most, int64_t *out)
{
	size_t		n = 0;

	*out = 0;
	while (s + n < end && n < most && s[n] >= '0' && s[n] <= '9')
		*out = *out * 10 + (s[n++] - '0');
	return n;
}

typedef struct Parts
{
	int64_t		year, month, day, hour, minute, second;
	int32_t		nsec;
	int32_t		off;
	bool		zone;			/* a zone was told */
} Parts;

/* width digits between min and max */
static bool
read_number(const char **s, const char *end, size_t width, bool shorter, int64_t min, int64_t max, int64_t *out)
{
	size_t		n = number(*s, end, width, out);

	*s += n;
	return (n == width || (shorter && n > 0)) && *out >= min && *out <= max;
}

static bool
read_fraction(const char **s, const char *end, size_t width, Parts *p)
{
	int64_t		x;
	size_t		n;

	if (*s >= end || **s != '.')
		return false;
	n = number(*s + 1, end, width ? width : 9, &x);
	if (n == 0 || (width && n != width))
		return false;
	*s += n + 1;
	for (; n < 9; n++)
		x *= 10;
	p->nsec = (int32_t) x;
	return true;
}

/* form: the digits and colons that the layout wants behind a sign. */
static bool
read_zone(const char **s, const char *end, size_t layout_len, Parts *p)
{
	const char *z = *s;
	int64_t		h,
				m = 0;
	bool		minus;

	p->zone = true;
	if (z < end && *z == 'Z')
	{
		*s = z + 1;
		return true;
	}
	if (z >= end || (*z != '+' && *z != '-'))
		return false;
	minus = *z++ == '-';
	if (number(z, end, 2, &h) != 2)
		return false;
	z += 2;
	if (layout_len == 6 && (z >= end || *z++ != ':'))
		return false;
	if (layout_len > 3)
	{
		if (number(z, end, 2, &m) != 2)
			return false;
		z += 2;
	}
	p->off = (int32_t) ((minus ? -1 : 1) * (h * 3600 + m * 60));
	*s = z;
	return h <= (minus ? 12 : 14) && m <= 59;
}

static bool
read_field(Field f, const char *layout, size_t len, const char **s, const char *end, Parts *p)
{
	switch (f)
	{
		case F_YEAR:
			return read_number(s, end, 4, false, 0, 9999, &p->year);
		case F_MONTH:
			return read_number(s, end, 2, false, 1, 12, &p->month);
		case F_DAY:
			return read_number(s, end, 2, false, 1, 31, &p->day);
		case F_HOUR:
			return read_number(s, end, 2, true, 0, 23, &p->hour);
		case F_MINUTE:
			return read_number(s, end, 2, false, 0, 59, &p->minute);
		case F_SECOND:
			return read_number(s, end, 2, false, 0, 59, &p->second);
		case F_FRACTION:
			return read_fraction(s, end, 0, p);
		case F_FIXED_FRACTION:
			return read_fraction(s, end, len - 1, p);
		case F_ZONE:
			return read_zone(s, end, len, p);
		case F_SPACES:
			if (*s >= end || **s != ' ')
				return false;
			while (*s < end && **s == ' ')
				(*s)++;
			return true;
		case F_LITERAL:
			return *s < end && *(*s)++ == *layout;
		default:
			return false;
	}
}

bool
n1_time_parse(const char *s, size_t n, const char *layout, N1Time *t)
{
	const char *end = s + n;
	Parts		p = {.month = 1,.day = 1};
	size_t		len;

	for (; *layout != '\0'; layout += len)
	{
		Field		f = next_field(layout, &len);

		if (s >= end || !read_field(f, layout, len, &s, end, &p))
			return false;
	}
	if (s != end || p.day > n1_month_days(p.year, (int) p.month))
		return false;
	*t = n1_time_of(p.year, p.month, p.day, p.hour * 3600 + p.minute * 60 + p.second, p.nsec, p.off);
	t->named = !p.zone;
	return true;
}

/* ---- known layouts ---- */

static bool
all_digits(const char *s, const char *places)
{
	for (; *places != '\0'; places++)
		if (s[*places - '0'] < '0' || s[*places - '0'] > '9')
			return false;
	return true;
}

/* The layout of hh:mm:ss and what follows, n > 4 bytes; NULL: none. */
static const char *
time_layout(N1Arena *a, const char *s, size_t n)
{
	N1Buf		b;
	size_t		i = 8,
				digits,
				spaces;

	n1_buf_init(&b, a);
	if (s[2] != ':' || (n > 5 && s[5] != ':') || !all_digits(s, "0134"))
		return NULL;
	if (n == 5)
		return "15:04";
	if (n < 8 || !all_digits(s, "67"))
		return NULL;
	n1_buf_str(&b, "15:04:05");
	if (i < n && s[i] == '.')
	{
		digits = strspn(s + i + 1, "0123456789");
		if (digits == 0 || digits > 9)
			return NULL;
		n1_buf_str(&b, digits <= 3 ? ".999" : digits <= 6 ? ".999999" : ".999999999");
		i += digits + 1;
	}
	if (i == n)
		return b.s;
	spaces = strspn(s + i, " ");
	if (spaces > 0)
		n1_buf_char(&b, ' ');
	i += spaces;
	if (s[i] != '+' && s[i] != '-' && !(n - i == 1 && s[i] == 'Z'))
		return NULL;
	if (n - i == 3)
		n1_buf_str(&b, "Z07");
	else if (n - i == 5)
		n1_buf_str(&b, "Z0700");
	else if (n - i == 1 || n - i == 6)
		n1_buf_str(&b, "Z07:00");
	else
		return NULL;
	return b.s;
}

static const char *
find_layout(N1Arena *a, const char *s, size_t n)
{
	N1Buf		b;
	const char *time;
	size_t		at = 11;

	if (n < 8)
		return NULL;
	if (strchr("/.-", s[4]) == NULL || n < 10)
		return time_layout(a, s, n);
	if (s[7] != s[4] || !all_digits(s, "01235689"))
		return NULL;
	n1_buf_init(&b, a);
	n1_buf_printf(&b, "2006%c01%c02", s[4], s[4]);
	if (n == 10)
		return b.s;
	if (s[10] != 'T' && s[10] != ' ')
		return NULL;
	n1_buf_char(&b, s[10]);
	while (s[10] == ' ' && at < n && s[at] == ' ')
		at++;
	if (at == n)
		return b.s;
	time = n - at < 5 ? NULL : time_layout(a, s + at, n - at);
	if (time == NULL)
		return NULL;
	n1_buf_str(&b, time);
	return b.s;
}

bool
n1_time_parse_any(N1Arena *a, const char *text, size_t n, N1Time *t, const char **layout)
{
	static const char *const layouts[] = {
		"2006-01-02T15:04:05.999Z07:00", "2006-01-02 15:04:05.999Z07:00", "2006-01-02T15:04:05.999Z0700",
		"2006-01-02 15:04:05.999Z0700", "2006-01-02T15:04:05.999Z07", "2006-01-02 15:04:05.999Z07",
		"2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05Z0700",
		"2006-01-02 15:04:05Z0700", "2006-01-02T15:04:05Z07", "2006-01-02 15:04:05Z07", "2006-01-02T15:04:05.999",
		"2006-01-02 15:04:05.999", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02", "15:04:05.999Z07:00",
		"15:04:05Z07:00", "15:04:05.000000000", "15:04:05.000000", "15:04:05.999", "15:04:05"
	};
	const char *s = n1_dup(a, text, n);

	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (strlen(layouts[i]) == n && n1_time_parse(s, n, layouts[i], t))
		{
			*layout = layouts[i];
			return true;
		}
	if (memchr(s, '\0', n) != NULL)
		return false;
	*layout = find_layout(a, s, n);
	return *layout != NULL && n1_time_parse(s, n, *layout, t);
}

/* ---- to text ---- */

static void
write_fraction(N1Buf *out, int32_t nsec, size_t width, bool trim)
{
	char		s[16];
	size_t		n = width > 9 ? 9 : width;

	snprintf(s, sizeof(s), "%09d", nsec);
	while (trim && n > 0 && s[n - 1] == '0')
		n--;
	if (n == 0)
		return;
	n1_buf_char(out, '.');
	n1_buf_add(out, s, n);
}

static void
write_zone(N1Buf *out, int32_t off, size_t layout_len)
{
	int			minutes = (off < 0 ? -off : off) / 60;

	if (off == 0)
	{
		n1_buf_char(out, 'Z');
		return;
	}
	n1_buf_printf(out, "%c%02d", off < 0 ? '-' : '+', minutes / 60);
	if (layout_len > 3)
		n1_buf_printf(out, "%s%02d", layout_len == 6 ? ":" : "", minutes % 60);
}

void
n1_time_format(N1Buf *out, const N1Time *t, const char *layout)
{
	N1Civil		c = n1_civil(t);
	size_t		len;

	for (; *layout != '\0'; layout += len)
	{
		switch (next_field(layout, &len))
		{
			case F_YEAR:
				n1_buf_printf(out, c.year < 0 ? "-%04lld" : "%04lld", (long long) (c.year < 0 ? -c.year : c.year));
				break;
			case F_MONTH:
				n1_buf_printf(out, "%02d", c.month);
				break;
			case F_DAY:
				n1_buf_printf(out, "%02d", c.day);
				break;
			case F_HOUR:
				n1_buf_printf(out, "%02d", c.hour);
				break;
			case F_MINUTE:
				n1_buf_printf(out, "%02d", c.minute);
				break;
			case F_SECOND:
				n1_buf_printf(out, "%02d", c.second);
				break;
			case F_FRACTION:
				write_fraction(out, t->nsec, len - 1, true);
				break;
			case F_FIXED_FRACTION:
				write_fraction(out, t->nsec, len - 1, false);
				break;
			case F_ZONE:
				write_zone(out, t->off, len);
				break;
			case F_HOUR_12:
				n1_buf_printf(out, "%02d", c.hour % 12 == 0 ? 12 : c.hour % 12);
				break;
			case F_MILLIS:
				n1_buf_printf(out, "%03d", (t->nsec + 500000) / 1000000 % 1000);
				break;
			case F_HALF:
				n1_buf_str(out, c.hour < 12 ? "AM" : "PM");
				break;
			case F_SMALL_HALF:
				n1_buf_str(out, c.hour < 12 ? "am" : "pm");
				break;
			default:
				n1_buf_add(out, layout, len);
		}
	}
}
