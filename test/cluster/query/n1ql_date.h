/*
 * Dates as the server's language has them: a moment, seen from an offset to UTC.
 */
#ifndef N1QL_DATE_H
#define N1QL_DATE_H

#include "n1ql.h"

typedef struct Moment
{
	int64_t		seconds;			/* since 1970, UTC */
	int32_t		nanos;				/* 0 to 999999999 */
	int32_t		offset;				/* seconds east of UTC */
} Moment;

/* A moment by calendar and clock, as its offset shows it. */
typedef struct Civil
{
	int64_t		year;
	int			month;				/* 1 to 12 */
	int			day;
	int			hour;
	int			minute;
	int			second;
	int			yday;				/* 1 to 366 */
	int			weekday;			/* Sunday: 0 */
} Civil;

/* How a text of a date is laid out. */
typedef struct DateLayout
{
	bool		has_date;
	bool		has_time;
	char		between;			/* date and time: 'T' or a blank */
	char		separator;			/* within the date */
	int			fraction;			/* most digits of a second's fraction */
	enum { ZONE_NONE, ZONE_COLON, ZONE_PLAIN, ZONE_HOURS } zone;
	const char *letters;			/* a layout of letters or of %-signs instead of all that; NULL: none */
	size_t		n_letters;
} DateLayout;

extern const DateLayout date_default_layout;

/* ---- n1ql_date.c ---- */

Moment		moment_of_millis(double millis, int32_t offset);
double		millis_of_moment(Moment m);
Civil		civil_of(Moment m);
Moment		moment_of_civil(Civil c, int32_t nanos, int32_t offset);	/* what is too large carries over */

/* False: there is no such part. */
bool		date_part(Moment m, const char *part, int64_t *out);
bool		date_add(Moment *m, int64_t n, const char *part);
bool		date_trunc(Moment *m, const char *part);
bool		date_diff(Moment a, Moment b, const char *part, int64_t *out);

/* ---- n1ql_date_text.c ---- */

bool		date_parse(const char *s, size_t n, Moment *m, DateLayout *layout);
void		date_text(N1Buf *out, Moment m, const DateLayout *layout);

/* A layout from an example ("1111-11-11"), letters ("YYYY-MM-DD") or %-signs ("%Y"); false if it is none of these. */
bool		date_layout(const char *s, size_t n, DateLayout *layout);

/* The offset of a zone at a moment; false if there is no such zone. */
bool		zone_offset(const char *name, int64_t seconds, int32_t *offset);

/* "1h2m3s" */
bool		date_duration_parse(const char *s, size_t n, int64_t *nanos);
void		date_duration_text(N1Buf *out, int64_t nanos);

#endif
