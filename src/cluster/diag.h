/*
 * diag.h
 *		Looking at connections: which nodes answer, and which step fails with the others. All of it waits, and only
 *		cancels and lack of memory throw: what is wrong with a node is a result.
 */
#ifndef CBCONN_DIAG_H
#define CBCONN_DIAG_H

#include "cluster.h"

/* What a node said, or why it did not. */
typedef struct ClusterPing
{
	const char *node;			/* host:port; NULL: no host is known */
	const char *state;			/* static: ok, timeout, error */
	int64		connect_us;		/* -1: it was connected before, or could not be */
	int64		latency_us;		/* of a request that does nothing; -1: no answer */
	const char *error;			/* NULL: none */
} ClusterPing;

/*
 * Connects to all data nodes of the bucket that are not connected, asks each for a sign of life, all at a time. List of
 * palloc'd ClusterPing. When no node gives the cluster's configuration: the hosts of the connection string.
 */
extern List *cluster_ping(ClusterHandle *handle);

/* One thing that was tried. */
typedef struct ClusterCheck
{
	const char *step;			/* static */
	const char *target;			/* host:port, or the name of something else */
	bool		ok;
	int64		us;				/* how long it took; -1: nothing was waited for */
	const char *detail;			/* what was found or went wrong; NULL: nothing to say */
	const char *advice;			/* what to do about it; NULL: nothing */
} ClusterCheck;

/*
 * Connects anew, over connections of its own, to each host of the connection string and each data node that these know
 * of, and tells of every step. List of palloc'd ClusterCheck in order; goes on after failures.
 */
extern List *cluster_diagnose(const ClusterTarget *target);

#endif							/* CBCONN_DIAG_H */
