/*
 * expiry.c
 *		A document's expiry as timestamptz and as interval, both ways.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "expiry.h"

/* Up to here the data service takes an expiry for a number of seconds from now: 30 days. */
#define EXPIRY_RELATIVE_MAX	2592000

static int64
seconds_since_1970(void)
{
	return (int64) timestamptz_to_time_t(GetCurrentTimestamp());
}

Datum
expiry_read(uint32 expiry, Oid type)
{
	Interval   *left;
	int64		seconds;

	if (type == TIMESTAMPTZOID)
		return TimestampTzGetDatum(time_t_to_timestamptz((pg_time_t) expiry));
	seconds = (int64) expiry - seconds_since_1970();
	left = palloc0(sizeof(Interval));
	left->day = (int32) (seconds / SECS_PER_DAY);
	left->time = seconds % SECS_PER_DAY * USECS_PER_SEC;
	return IntervalPGetDatum(left);
}

uint32
expiry_unread(Datum value, Oid type)
{
	const Interval *left;

	if (type == TIMESTAMPTZOID)
		return expiry_write(value, type);
	left = DatumGetIntervalP(value);
	return (uint32) (seconds_since_1970() + (int64) left->day * SECS_PER_DAY + left->time / USECS_PER_SEC);
}

/* January 1970 is past as well: never seconds from now. */
static uint32
write_time(TimestampTz expiry)
{
	pg_time_t	seconds;

	if (TIMESTAMP_NOT_FINITE(expiry))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("expiry cannot be infinite"),
				 errhint("NULL is no expiry.")));
	seconds = timestamptz_to_time_t(expiry);
	if (seconds > PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("expiry is out of range"),
				 errdetail("The latest that can be stored is 2106-02-07 06:28:15 UTC.")));
	return Max(seconds, EXPIRY_RELATIVE_MAX + 1);
}

/* Months and days as the calendar of the session's time zone has them; parts of a second count as one. */
static uint32
write_interval(Datum left)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz end = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(now), left));
	int64		seconds;

	if (TIMESTAMP_NOT_FINITE(end))
		return write_time(end);
	if (end <= now)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("expiry must be a positive interval"),
				 errhint("NULL is no expiry.")));
	seconds = (end - now - 1) / USECS_PER_SEC + 1;
	return seconds <= EXPIRY_RELATIVE_MAX ? (uint32) seconds : write_time(end);
}

uint32
expiry_write(Datum value, Oid type)
{
	return type == TIMESTAMPTZOID ? write_time(DatumGetTimestampTz(value)) : write_interval(value);
}

uint32
expiry_absolute(uint32 expiry)
{
	return expiry == 0 || expiry > EXPIRY_RELATIVE_MAX ? expiry : (uint32) (seconds_since_1970() + expiry);
}
