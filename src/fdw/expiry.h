/*
 * expiry.h
 *		A document's expiry as timestamptz, the time at which it ends, and as interval, the time that is left.
 */
#ifndef CBCONN_EXPIRY_H
#define CBCONN_EXPIRY_H

/* Seconds since 1970 as a value of one of the two types; intervals by this machine's clock, in days and seconds. */
extern Datum expiry_read(uint32 expiry, Oid type);

/* The same back. */
extern uint32 expiry_unread(Datum value, Oid type);

/*
 * A value of one of the two types as the data service takes it: intervals up to 30 days as seconds that it counts by
 * its own clock, all else as seconds since 1970. Throws what it cannot store.
 */
extern uint32 expiry_write(Datum value, Oid type);

/* What expiry_write has given, as seconds since 1970. */
extern uint32 expiry_absolute(uint32 expiry);

#endif							/* CBCONN_EXPIRY_H */
