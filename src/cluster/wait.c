/*
 * wait.c
 *		Waiting for sockets, the latch and the postmaster at once, until an absolute deadline (W1).
 *
 * The kernel object is kept between waits and built anew only when a socket comes or goes.
 */
#include "postgres.h"

#include <time.h>

#include "miscadmin.h"
#include "wait.h"

/* Positions of the latch and the postmaster in every set; sockets follow. */
#define FIRST_SOCKET	2

typedef struct WaitMember
{
	uint64		serial;
	uint32		events;
} WaitMember;

struct WaitSet
{
	MemoryContext cxt;
	MemoryContextCallback on_reset;
	WaitEventSet *set;			/* NULL: to be built */
	int			nmembers;
	int			capacity;
	WaitMember *members;
	WaitEvent  *events;
};

int64
wait_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

uint64
wait_serial(void)
{
	static uint64 last = 0;

	return ++last;
}

static void
drop_kernel_set(WaitSet *set)
{
	WaitEventSet *old = set->set;

	set->set = NULL;
	if (old != NULL)
		FreeWaitEventSet(old);
}

static void
on_context_reset(void *arg)
{
	drop_kernel_set((WaitSet *) arg);
}

WaitSet *
wait_set_create(MemoryContext cxt)
{
	WaitSet    *set = MemoryContextAllocZero(cxt, sizeof(WaitSet));

	set->cxt = cxt;
	set->on_reset.func = on_context_reset;
	set->on_reset.arg = set;
	MemoryContextRegisterResetCallback(cxt, &set->on_reset);
	return set;
}

static void
make_room(WaitSet *set, int nitems)
{
	int			capacity = Max(nitems, 8);

	if (set->members != NULL && nitems <= set->capacity)
		return;
	set->capacity = 0;
	if (set->members != NULL)
	{
		pfree(set->members);
		set->members = NULL;
	}
	if (set->events != NULL)
	{
		pfree(set->events);
		set->events = NULL;
	}
	set->members = MemoryContextAlloc(set->cxt, sizeof(WaitMember) * capacity);
	set->events = MemoryContextAlloc(set->cxt, sizeof(WaitEvent) * (capacity + FIRST_SOCKET));
	set->capacity = capacity;
}

static bool
same_sockets(const WaitSet *set, const WaitItem *items, int nitems)
{
	if (set->set == NULL || set->nmembers != nitems)
		return false;
	for (int i = 0; i < nitems; i++)
	{
		if (set->members[i].serial != items[i].serial)
			return false;
	}
	return true;
}

/* Makes the kernel object wait for exactly these sockets and events. */
static void
synchronize(WaitSet *set, const WaitItem *items, int nitems)
{
	if (same_sockets(set, items, nitems))
	{
		for (int i = 0; i < nitems; i++)
		{
			if (set->members[i].events != items[i].events)
			{
				ModifyWaitEvent(set->set, i + FIRST_SOCKET, items[i].events, NULL);
				set->members[i].events = items[i].events;
			}
		}
		return;
	}

	drop_kernel_set(set);
	make_room(set, nitems);
	set->nmembers = -1;
	set->set = compat_wait_event_set(nitems + FIRST_SOCKET);
	AddWaitEventToSet(set->set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(set->set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	for (int i = 0; i < nitems; i++)
	{
		AddWaitEventToSet(set->set, items[i].events, items[i].fd, NULL, NULL);
		set->members[i].serial = items[i].serial;
		set->members[i].events = items[i].events;
	}
	set->nmembers = nitems;
}

/* Milliseconds until the deadline, rounded up; -1 for none. */
static long
remaining_ms(int64 deadline)
{
	int64		left;

	if (deadline == WAIT_FOREVER)
		return -1;
	left = deadline - wait_now();
	if (left <= 0)
		return 0;
	return (long) Min((left + 999) / 1000, 3600 * 1000);
}

int
wait_for(WaitSet *set, WaitItem *items, int nitems, int64 deadline, uint32 event)
{
	int			nready = 0;

	CHECK_FOR_INTERRUPTS();
	synchronize(set, items, nitems);
	for (int i = 0; i < nitems; i++)
		items[i].ready = 0;

	while (nready == 0)
	{
		long		timeout = remaining_ms(deadline);
		int			nevents;

		nevents = WaitEventSetWait(set->set, timeout, set->events, nitems + FIRST_SOCKET, event);
		for (int i = 0; i < nevents; i++)
		{
			WaitEvent  *happened = &set->events[i];

			if (happened->events & WL_LATCH_SET)
			{
				ResetLatch(MyLatch);
				CHECK_FOR_INTERRUPTS();
			}
			else if (happened->pos >= FIRST_SOCKET)
			{
				items[happened->pos - FIRST_SOCKET].ready = happened->events;
				nready++;
			}
		}
		if (timeout == 0)
			break;
	}
	CHECK_FOR_INTERRUPTS();
	return nready;
}
