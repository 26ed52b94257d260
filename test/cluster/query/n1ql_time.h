/*
 * Points in time with a zone, for the date functions: as the server's, which counts in the proleptic Gregorian calendar.
 */
#ifndef N1QL_TIME_H
#define N1QL_TIME_H

#include "n1ql.h"

typedef struct N1Time
{
	int64_t		sec;			/* since 1970, UTC */
	int32_t		nsec;			/* 0 to 999999999 */
	int32_t		off;			/* of the zone, seconds east */
	bool		named;			/* off is that of UTC, by name (not of "+00:00") */
} N1Time;

typedef struct N1Civil			/* in the zone of the time */
{
	int64_t		year;
	int			month, day;		/* from 1 */
	int			hour, minute, second;
	int			yday;			/* from 1 */
	int			wday;			/* Sunday is 0 */
} N1Civil;

N1Time		n1_time_millis(double millis);	/* UTC */
double		n1_time_to_millis(const N1Time *t);
N1Civil		n1_civil(const N1Time *t);

/* The time of a date in a zone; month and day may lie outside their ranges. */
N1Time		n1_time_of(int64_t year, int64_t month, int64_t day, int64_t seconds, int32_t nsec, int32_t off);
bool		n1_leap_year(int64_t year);
int			n1_month_days(int64_t year, int month);

/* Puts the time into a zone: "+05:30", "UTC", "Europe/Berlin" ... False: no such zone. */
bool		n1_time_zone(N1Arena *a, N1Time *t, const char *zone, size_t n);

/*
 * The time that a text tells by a layout ("2006-01-02T15:04:05Z07:00": the reference time of Go), or by the one of the
 * known layouts that fits best, which *layout then tells. False: none.
 */
bool		n1_time_parse(const char *s, size_t n, const char *layout, N1Time *t);
bool		n1_time_parse_any(N1Arena *a, const char *s, size_t n, N1Time *t, const char **layout);
void		n1_time_format(N1Buf *out, const N1Time *t, const char *layout);

/* In layouts to be written, besides Go's: the hour from 1 to 12, three digits of a second, AM or PM, am or pm. */
#define N1_LAYOUT_HOUR_12 "\001"
#define N1_LAYOUT_MILLIS "\002"
#define N1_LAYOUT_HALF "\003"
#define N1_LAYOUT_SMALL_HALF "\004"

typedef enum N1LayoutKind { N1_LAYOUT_NONE, N1_LAYOUT_GO, N1_LAYOUT_EXAMPLE, N1_LAYOUT_BAD } N1LayoutKind;

/* The kind of a layout, and as *go the layout of Go that it is or stands for; of an example, itself. */
N1LayoutKind n1_layout_kind(N1Arena *a, const N1Value *v, const char **go);

/* Parts, in lower case; false: no such part. n1_time_add, n1_time_trunc change *t. */
bool		n1_time_part(const N1Time *t, const char *part, int64_t *out);
bool		n1_time_add(N1Time *t, int64_t n, const char *part);
bool		n1_time_trunc(N1Time *t, const char *part);
bool		n1_time_diff(N1Arena *a, const N1Time *t1, const N1Time *t2, const char *part, int64_t *out);

#endif
