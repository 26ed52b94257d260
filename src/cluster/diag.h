/*
 * diag.h
 *		Looking at connections: which nodes answer, and which step fails with the others. All of it waits, and only
 *		cancels and lack of memory throw: what is wrong with a node is a result.
 */
#ifndef CBCONN_DIAG_H
#define CBCONN_DIAG_H

#include "cluster.h"

/* Data, management, query, analytics, search, views: as the protocol layer counts them. */
#define CLUSTER_NODE_SERVICES	6

/* What a node said, or why it did not. */
typedef struct ClusterPing
{
	const char *node;			/* host:port; NULL: no host is known */
	const char *state;			/* static: ok, timeout, error */
	int64		connect_us;		/* -1: it was connected before, or could not be */
	int64		latency_us;		/* of a request that does nothing; -1: no answer */
	const char *error;			/* NULL: none */
} ClusterPing;

/* The same of the query service on each node that has it, by the nodes that are known; NIL: by none. */
extern List *cluster_query_ping(ClusterHandle *handle);

/*
 * Connects to all data nodes of the bucket that are not connected, asks each for a sign of life, all at a time. List of
 * palloc'd ClusterPing. When no node gives the cluster's configuration: the hosts of the connection string.
 */
extern List *cluster_ping(ClusterHandle *handle);

/* A node of the cluster, by the configuration and by its own word. */
typedef struct ClusterNode
{
	const char *host;			/* in the network that is used; else the cluster's own name for it */
	int			ports[CLUSTER_NODE_SERVICES];	/* by service; 0: none in that network */
	int			tls_ports[CLUSTER_NODE_SERVICES];
	bool		this_node;		/* the configuration came from it */
	const char *server_group;	/* NULL: none */
	int			active;			/* vBuckets */
	int			replicas;
	const char *version;		/* NULL: not told */
	const char *state;			/* as in ClusterPing; NULL: it has no data service for the bucket */
	const char *error;			/* NULL: none */
} ClusterNode;

typedef struct ClusterMembers
{
	List	   *nodes;			/* of ClusterNode, in the configuration's order */
	int			vbuckets;
	int			replicas;
	const char *network;		/* the one whose addresses are used */
	int64		epoch;
	int64		rev;
} ClusterMembers;

/* Names of services by their number in ClusterNode. */
extern const char *const cluster_service_names[CLUSTER_NODE_SERVICES];

/* Asks all data nodes for their version, connecting where needed. Throws when no node gives a configuration. */
extern ClusterMembers *cluster_members(ClusterHandle *handle);

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
