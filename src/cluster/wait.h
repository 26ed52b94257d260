/*
 * wait.h
 *		The one place where a backend waits for the network (W1).
 */
#ifndef CBCONN_WAIT_H
#define CBCONN_WAIT_H

#include "postgres.h"

#include "storage/latch.h"
#include "../compat.h"

/* No deadline. */
#define WAIT_FOREVER	PG_INT64_MAX

/* One socket to wait for. serial tells sockets apart that had the same number one after another. */
typedef struct WaitItem
{
	pgsocket	fd;
	uint32		events;			/* WL_SOCKET_READABLE, WL_SOCKET_WRITEABLE or both */
	uint32		ready;			/* out: those of events that are so */
	uint64		serial;			/* from wait_serial() */
} WaitItem;

/* Kernel object for a slowly changing set of sockets; goes with the memory context it was made in (W3). */
typedef struct WaitSet WaitSet;

/* Microseconds of a clock that only goes forward. */
extern int64 wait_now(void);

/* A number for a new socket, never given twice in one backend. */
extern uint64 wait_serial(void);

extern WaitSet *wait_set_create(MemoryContext cxt);

/*
 * Waits until one of the sockets is ready or the deadline (of wait_now()) has passed; returns how many are ready.
 * Serves interrupts before and after, ends the process with the postmaster. event: what pg_stat_activity shows.
 */
extern int	wait_for(WaitSet *set, WaitItem *items, int nitems, int64 deadline, uint32 event);

#endif							/* CBCONN_WAIT_H */
