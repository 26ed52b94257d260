/*
 * slow.c
 *		The log of operations that kept their query waiting for long: one line at once, then one line every ten seconds
 *		at most, which tells of the slowest and of how many there were.
 */
#include "postgres.h"

#include "handle.h"

#define INTERVAL	(10 * INT64CONST(1000000))

void
slow_report(ClusterHandle *handle)
{
	KvSlow	   *slow = &handle->slow;
	int64		now;
	char	   *others = "";

	if (slow->count == 0)
		return;
	now = wait_now();
	if (slow->logged_at != 0 && now - slow->logged_at < INTERVAL)
		return;
	if (slow->count > 1)
		others = psprintf(", the slowest of %lld in %.0f s", (long long) slow->count, (now - slow->logged_at) / 1e6);
	ereport(LOG,
			(errmsg("slow %s in bucket \"%s\" on server \"%s\": %.1f ms, node %s, step: %s%s",
					slow->what, handle->bucket, handle->servername, slow->us / 1e3,
					slow->node[0] ? slow->node : "unknown", slow->step, others)));
	slow->count = 0;
	slow->logged_at = now;
}

void
slow_note(ClusterHandle *handle, const char *what, const char *node, const char *step, int64 us)
{
	slow_note_over(handle, handle->slow.threshold, what, node, step, us);
}

void
slow_note_over(ClusterHandle *handle, int64 threshold, const char *what, const char *node, const char *step, int64 us)
{
	KvSlow	   *slow = &handle->slow;

	if (threshold <= 0 || us < threshold)
		return;
	if (slow->count++ == 0 || us > slow->us)
	{
		slow->us = us;
		slow->what = what;
		slow->step = step;
		strlcpy(slow->node, node, sizeof(slow->node));
	}
	slow_report(handle);
}
