/*
 * value_time.c
 *		Dates and times: ISO 8601 text, or a number of seconds or milliseconds since 1970.
 *
 * The server's own date input is not used: it takes words ("now", "yesterday") and orders that depend on
 * DateStyle, so that one document would read differently in two sessions.
 */
#include "value.h"

#include "common/int.h"
#include "pgtime.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "../compat.h"

#define UNIX_TO_POSTGRES_DAYS (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)

/* A text taken apart. */
typedef struct IsoTime
{
	bool		has_date;
	bool		has_time;
	bool		has_zone;
	struct pg_tm tm;
	fsec_t		fsec;			/* microseconds */
	int			zone;			/* seconds west of Greenwich, as the server counts */
} IsoTime;

typedef struct IsoText
{
	const char *p;
	const char *end;
} IsoText;

/* ---- ISO 8601 ---- */

/* Between min and max digits. */
static bool
iso_number(IsoText *text, int min, int max, int *number)
{
	int			n = 0;

	*number = 0;
	while (n < max && text->p < text->end && *text->p >= '0' && *text->p <= '9')
	{
		*number = *number * 10 + (*text->p++ - '0');
		n++;
	}
	return n >= min;
}

static bool
iso_char(IsoText *text, const char *any)
{
	if (text->p < text->end && *text->p != '\0' && strchr(any, *text->p) != NULL)
	{
		text->p++;
		return true;
	}
	return false;
}

/* yyyy-mm-dd, years of four to six digits */
static bool
iso_date(IsoText *text, struct pg_tm *tm)
{
	return iso_number(text, 4, 6, &tm->tm_year) && iso_char(text, "-") &&
		iso_number(text, 2, 2, &tm->tm_mon) && iso_char(text, "-") &&
		iso_number(text, 2, 2, &tm->tm_mday) &&
		tm->tm_year >= 1 && tm->tm_mon >= 1 && tm->tm_mon <= 12 && tm->tm_mday >= 1 &&
		tm->tm_mday <= day_tab[isleap(tm->tm_year)][tm->tm_mon - 1];
}

/* .ffff in any number of digits, rounded to microseconds; may give 1000000 */
static bool
iso_fraction(IsoText *text, fsec_t *fsec)
{
	int			unit = 100000;
	const char *start = text->p;

	*fsec = 0;
	for (; text->p < text->end && *text->p >= '0' && *text->p <= '9'; text->p++)
	{
		if (unit > 0)
			*fsec += (*text->p - '0') * unit;
		else if (text->p == start + 6 && *text->p >= '5')
			(*fsec)++;
		unit /= 10;
	}
	return text->p > start;
}

/* hh:mm, hh:mm:ss, hh:mm:ss.fff; 24:00 and the leap second 60 as the server takes them */
static bool
iso_clock(IsoText *text, struct pg_tm *tm, fsec_t *fsec)
{
	tm->tm_sec = 0;
	*fsec = 0;
	if (!iso_number(text, 2, 2, &tm->tm_hour) || !iso_char(text, ":") || !iso_number(text, 2, 2, &tm->tm_min))
		return false;
	if (iso_char(text, ":"))
	{
		if (!iso_number(text, 2, 2, &tm->tm_sec))
			return false;
		if (iso_char(text, ".,") && !iso_fraction(text, fsec))
			return false;
	}
	if (tm->tm_hour == 24)
		return tm->tm_min == 0 && tm->tm_sec == 0 && *fsec == 0;
	return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60;
}

/* Z, +hh, +hhmm, +hh:mm, +hh:mm:ss */
static bool
iso_zone(IsoText *text, int *zone)
{
	bool		west = text->p < text->end && *text->p == '-';
	int			hours;
	int			minutes = 0;
	int			seconds = 0;

	*zone = 0;
	if (iso_char(text, "Zz"))
		return true;
	if (!iso_char(text, "+-") || !iso_number(text, 2, 2, &hours))
		return false;
	if (iso_char(text, ":"))
	{
		if (!iso_number(text, 2, 2, &minutes))
			return false;
		if (iso_char(text, ":") && !iso_number(text, 2, 2, &seconds))
			return false;
	}
	else if (text->p < text->end && !iso_number(text, 2, 2, &minutes))
		return false;
	if (hours > MAX_TZDISP_HOUR || minutes >= 60 || seconds >= 60)
		return false;
	*zone = (hours * 60 + minutes) * 60 + seconds;
	if (!west)
		*zone = -*zone;
	return true;
}

static bool
iso_parse(const char *data, size_t len, IsoTime *iso)
{
	IsoText		text = {data, data + len};

	memset(iso, 0, sizeof(*iso));
	if (len >= 5 && data[2] != ':')
	{
		iso->has_date = true;
		if (!iso_date(&text, &iso->tm))
			return false;
		if (text.p == text.end)
			return true;
		if (!iso_char(&text, "Tt "))
			return false;
	}
	iso->has_time = true;
	if (!iso_clock(&text, &iso->tm, &iso->fsec))
		return false;
	if (text.p < text.end)
	{
		iso->has_zone = true;
		if (!iso_zone(&text, &iso->zone))
			return false;
	}
	return text.p == text.end;
}

/* At most a day: a leap second at its end, or a fraction rounded up, is 24:00. */
static TimeADT
iso_clock_usecs(const IsoTime *iso)
{
	return Min(((iso->tm.tm_hour * MINS_PER_HOUR + iso->tm.tm_min) * SECS_PER_MINUTE + iso->tm.tm_sec) *
			   USECS_PER_SEC + iso->fsec, USECS_PER_DAY);
}

static Datum
iso_to_timetz(const IsoTime *iso)
{
	TimeTzADT  *result = palloc(sizeof(TimeTzADT));

	result->time = iso_clock_usecs(iso);
	result->zone = iso->zone;
	return TimeTzADTPGetDatum(result);
}

static bool
iso_to_datum(ValueState *state, const ValueType *type, const CbJsonValue *json, IsoTime *iso, Datum *datum)
{
	Timestamp	timestamp;
	int			zone = iso->zone;

	switch (type->kind)
	{
		case VALUE_DATE:
			if (!IS_VALID_JULIAN(iso->tm.tm_year, iso->tm.tm_mon, iso->tm.tm_mday))
				return value_out_of_range(state, type, json);
			*datum = DateADTGetDatum(date2j(iso->tm.tm_year, iso->tm.tm_mon, iso->tm.tm_mday) - POSTGRES_EPOCH_JDATE);
			return IS_VALID_DATE(DatumGetDateADT(*datum)) || value_out_of_range(state, type, json);

		case VALUE_TIME:
			*datum = TimeADTGetDatum(iso_clock_usecs(iso));
			return true;

		case VALUE_TIMETZ:
			/* The session's zone would be that of today, another one in half a year. */
			if (!iso->has_zone)
				return value_invalid(state, type, json);
			*datum = iso_to_timetz(iso);
			return true;

		case VALUE_TIMESTAMP:
			if (tm2timestamp(&iso->tm, iso->fsec, NULL, &timestamp) != 0)
				return value_out_of_range(state, type, json);
			break;

		default:
			/* Without a zone it is the session's, as everywhere in PostgreSQL. */
			if (!iso->has_zone)
				zone = DetermineTimeZoneOffset(&iso->tm, session_timezone);
			if (tm2timestamp(&iso->tm, iso->fsec, &zone, &timestamp) != 0)
				return value_out_of_range(state, type, json);
			break;
	}
	*datum = TimestampGetDatum(timestamp);
	return true;
}

static bool
time_from_text(ValueState *state, const ValueType *type, const CbJsonValue *json, Datum *datum)
{
	ValueString string;
	IsoTime		iso;

	if (!value_string(state, type, json, &string))
		return false;
	if (!iso_parse(string.data, string.len, &iso))
		return value_invalid(state, type, json);
	if (iso.has_date == (type->kind == VALUE_TIME || type->kind == VALUE_TIMETZ))
		return value_invalid(state, type, json);
	return iso_to_datum(state, type, json, &iso, datum);
}

/* ---- numbers since 1970 ---- */

/*
 * Value of a JSON number times 10^scale, rounded half away from zero, without floating point. False when it is
 * beyond int64.
 */
static bool
number_scaled(const CbJsonValue *json, int scale, int64 *result)
{
	const uint8_t *p = json->data;
	const uint8_t *end = p + json->len;
	const uint8_t *digits;
	const uint8_t *mantissa_end;
	bool		negative = *p == '-';
	int64		exponent = 0;
	int64		before = 0;		/* digits before the decimal point */
	bool		point = false;
	int64		number = 0;
	int64		i = 0;

	digits = p + negative;
	for (p = digits; p < end && *p != 'e' && *p != 'E'; p++)
	{
		point |= *p == '.';
		before += !point;
	}
	mantissa_end = p;
	if (p < end)
	{
		bool		minus = p[1] == '-';

		for (p += 1 + (minus || p[1] == '+'); p < end && exponent < PG_INT32_MAX; p++)
			exponent = exponent * 10 + (*p - '0');
		exponent = minus ? -exponent : exponent;
	}

	/* The first before digits count; what follows them only rounds. */
	before += exponent + scale;
	for (p = digits; p < mantissa_end && i < before; p++)
	{
		if (*p == '.')
			continue;
		i++;
		if (pg_mul_s64_overflow(number, 10, &number) || pg_add_s64_overflow(number, *p - '0', &number))
			return false;
	}
	if (p < mantissa_end && *p == '.')
		p++;
	if (i == before && p < mantissa_end && *p >= '5' && pg_add_s64_overflow(number, 1, &number))
		return false;
	for (; i < before && number != 0; i++)
	{
		if (pg_mul_s64_overflow(number, 10, &number))
			return false;
	}
	*result = negative ? -number : number;
	return true;
}

static bool
time_from_number(ValueState *state, const ValueType *type, const CbJsonValue *json, Datum *datum)
{
	int64		usecs;
	Timestamp	timestamp;

	if (json->type != CB_JSON_NUMBER)
		return value_wrong_type(state, type, json);
	if (!number_scaled(json, type->format == FDW_TIME_EPOCH_S ? 6 : 3, &usecs))
		return value_out_of_range(state, type, json);
	if (pg_sub_s64_overflow(usecs, UNIX_TO_POSTGRES_DAYS * USECS_PER_DAY, &timestamp) || !IS_VALID_TIMESTAMP(timestamp))
		return value_out_of_range(state, type, json);

	if (type->kind == VALUE_DATE)
	{
		int64		days = timestamp / USECS_PER_DAY;

		if (timestamp % USECS_PER_DAY < 0)
			days--;
		*datum = DateADTGetDatum((DateADT) days);
	}
	else
		*datum = TimestampGetDatum(timestamp);
	return true;
}

/* ---- both ---- */

bool
value_time(ValueState *state, const ValueType *type, const CbJsonValue *json, Datum *datum)
{
	if (type->format == FDW_TIME_ISO8601 ? !time_from_text(state, type, json, datum) :
		!time_from_number(state, type, json, datum))
		return false;

	if (type->typmod >= 0 && type->kind != VALUE_DATE)
	{
		PGFunction	scale = type->kind == VALUE_TIME ? time_scale :
			type->kind == VALUE_TIMETZ ? timetz_scale :
			type->kind == VALUE_TIMESTAMP ? timestamp_scale : timestamptz_scale;

		*datum = DirectFunctionCall2(scale, *datum, Int32GetDatum(type->typmod));
	}
	return true;
}
