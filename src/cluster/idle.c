/*
 * idle.c
 *		Connections that were not used for the server's idle_timeout: closed before the next use, and while the session
 *		rests by one of PostgreSQL's timeouts.
 *
 * Its handler runs in a signal handler, so it does nothing but shut the sockets down, which tells the nodes, and mark
 * the connections. It looks at handles only while resting is set: then nothing else in this process changes them.
 * The descriptors are given back at the next use (W3).
 */
#include "postgres.h"

#include <errno.h>
#include <sys/socket.h>

#include "handle.h"
#include "miscadmin.h"
#include "utils/timeout.h"

static dlist_head *all = NULL;
static volatile sig_atomic_t resting = false;
static bool registered = false;
static TimeoutId timeout_id;
static int64 armed_for = 0;		/* wait_now() at which the timeout is to fire */

static int64
due(const ClusterHandle *handle)
{
	return handle->idle_timeout > 0 ? handle->rested_since + handle->idle_timeout : WAIT_FOREVER;
}

static bool
is_connected(const ClusterHandle *handle)
{
	for (int i = 0; i < handle->nconns; i++)
	{
		if (handle->conns[i]->state != KV_CONN_CLOSED && !handle->conns[i]->shut)
			return true;
	}
	return false;
}

/* When the first handle will have rested for too long. */
static int64
next_due(void)
{
	int64		next = WAIT_FOREVER;
	dlist_iter	iter;

	dlist_foreach(iter, all)
	{
		const ClusterHandle *handle = dlist_container(ClusterHandle, node, iter.cur);

		if (is_connected(handle))
			next = Min(next, due(handle));
	}
	return next;
}

static void
arm(int64 next)
{
	int64		left = next - wait_now();

	armed_for = next;
	enable_timeout_after(timeout_id, (int) Min(Max(left / 1000 + 1, 1), PG_INT32_MAX));
}

static void
shut_down(ClusterHandle *handle)
{
	for (int i = 0; i < handle->nconns; i++)
	{
		KvConn	   *conn = handle->conns[i];

		if (conn->state != KV_CONN_READY || conn->shut)
			continue;
		(void) shutdown(conn->sock.fd, SHUT_RDWR);
		conn->shut = true;
	}
}

/* In a signal handler. */
static void
cbconnIdleTimeout(void)
{
	int			saved = errno;
	int64		now;
	int64		next;
	dlist_iter	iter;

	if (!resting)
		return;
	now = wait_now();
	dlist_foreach(iter, all)
	{
		ClusterHandle *handle = dlist_container(ClusterHandle, node, iter.cur);

		if (due(handle) <= now)
			shut_down(handle);
	}
	next = next_due();
	if (next != WAIT_FOREVER)
		arm(next);
	errno = saved;
}

void
idle_begin(dlist_head *handles)
{
	int64		next;

	all = handles;
	next = next_due();
	resting = true;
	if (next == WAIT_FOREVER || MyBackendType != B_BACKEND)
		return;
	if (!registered)
	{
		timeout_id = RegisterTimeout(USER_TIMEOUT, cbconnIdleTimeout);
		registered = true;
	}
	/* One that fires too early looks again. After an error PostgreSQL has switched all off. */
	if (!get_timeout_active(timeout_id) || next < armed_for)
		arm(next);
}

void
idle_pause(void)
{
	resting = false;
}

void
idle_end(void)
{
	int64		now;
	dlist_iter	iter;

	if (!resting)
		return;
	resting = false;
	now = wait_now();
	dlist_foreach(iter, all)
	{
		ClusterHandle *handle = dlist_container(ClusterHandle, node, iter.cur);

		for (int i = 0; i < handle->nconns; i++)
		{
			if (handle->conns[i]->shut || due(handle) <= now)
				kv_conn_close(handle->conns[i]);
		}
	}
}
