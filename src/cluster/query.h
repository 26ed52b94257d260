/*
 * query.h
 *		The verbs for SQL++: a statement goes to a node with the query service, its rows come back as a stream.
 *
 * As in cluster.h: every function may wait (W1) and may throw, unless it says otherwise; what a query holds goes with
 * the memory context its owner named (W3), so that callers need no PG_TRY.
 */
#ifndef CBCONN_QUERY_H
#define CBCONN_QUERY_H

#include "cluster.h"

/* ---- what is asked ---- */

/* How fresh the indexes must be that a statement uses. */
typedef enum QueryConsistency
{
	QUERY_NOT_BOUNDED,			/* as they are */
	QUERY_REQUEST_PLUS,			/* all that was written before the request */
	QUERY_AT_PLUS				/* what this transaction wrote by the mapping; without writes as NOT_BOUNDED */
} QueryConsistency;

typedef enum QueryProfile
{
	QUERY_PROFILE_OFF,
	QUERY_PROFILE_PHASES,
	QUERY_PROFILE_TIMINGS		/* with the plan as it was run */
} QueryProfile;

/* A named parameter: $name in the statement. */
typedef struct QueryParameter
{
	const char *name;			/* without $: letters, digits, underscore */
	const char *json;			/* its value: JSON text in UTF-8, NUL-terminated; checked before it is sent */
} QueryParameter;

/* Zeroes are the usual choice for all but the statement and readonly. */
typedef struct QueryRequest
{
	const char *statement;		/* in the database's encoding */
	const char *query_context;	/* how names without bucket and scope are meant, "default:`bucket`.`scope`"; or NULL */
	int			nparameters;
	const QueryParameter *parameters;
	bool		readonly;		/* the service refuses to write; only such requests are ever sent a second time */
	bool		prepared;		/* the service keeps the plan; the handle remembers its name by statement */
	QueryConsistency consistency;
	int64		scan_wait;		/* microseconds indexes may take to catch up; 0: the service decides */
	int64		timeout;		/* microseconds the service may say nothing while it is waited for; 0: query_timeout */
	QueryProfile profile;
	const char *purpose;		/* for messages, "remote query" when NULL */
} QueryRequest;

/* ---- what came back ---- */

/* What a query cost and what the service says of it. Sums over restarts; never reset. */
typedef struct QueryMetrics
{
	int64		requests;		/* statements sent */
	int64		retries;		/* those of them sent again, perhaps to another node */
	int64		round_trips;	/* times the backend had to wait */
	int64		connects;		/* connections opened */
	int64		rows;			/* rows received */
	int64		bytes;			/* bytes of answers received */
	int64		spilled;		/* bytes that went through a temporary file as rows were not taken in time */
	/* members of the answer's "metrics"; microseconds */
	int64		elapsed_us;
	int64		execution_us;
	int64		result_count;
	int64		result_size;
	int64		mutation_count;
	int64		sort_count;
	int64		errors;
	int64		warnings;
	/* of the last request */
	char		node[280];		/* host:port; empty: none was sent */
	char		request_id[64]; /* in completed_requests of the service; empty: none came */
} QueryMetrics;

typedef struct RemoteQuery RemoteQuery;

/*
 * A query that has not been sent. Copies the request. Belongs to cxt and to the current transaction, outlives neither;
 * metrics are the caller's and may be NULL.
 */
extern RemoteQuery *query_open(ClusterHandle *handle, const QueryRequest *request, MemoryContext cxt,
							   QueryMetrics *metrics);

/* Sends it without waiting for the answer; query_next does so if nobody did. */
extern void query_start(RemoteQuery *query);

/*
 * The next row, raw JSON text in UTF-8, not NUL-terminated, valid until the next call; false at the end, which is
 * reached only when the service said "success". Throws what it says instead. The text's syntax is not checked beyond
 * where it ends.
 */
extern bool query_next(RemoteQuery *query, const char **row, size_t *len);

/* Starts anew (rescan) with these parameters in place of the former ones: same names, other values. NULL: the same. */
extern void query_restart(RemoteQuery *query, const QueryParameter *parameters);

/*
 * Neither waits nor throws; may be called again. What is still running on the service stops as its connection is
 * closed. The end of cxt does the same (W2).
 */
extern void query_close(RemoteQuery *query);

/* After query_next said false. Lists of palloc'd text: "code: message" of warnings; NULL-terminated profile or NULL. */
extern List *query_warnings(RemoteQuery *query);
extern const char *query_profile(RemoteQuery *query);

/* ---- conveniences ---- */

/* One request, all its rows: palloc'd NUL-terminated UTF-8 JSON texts. For small answers. */
extern List *query_fetch_all(ClusterHandle *handle, const QueryRequest *request, QueryMetrics *metrics);

/*
 * Version of the cluster as major * 10000 + minor * 100 + patch, 70608 for 7.6.8: the lowest that its data nodes tell;
 * 0: none does. Asked once per handle; waits then.
 */
extern int	query_service_version(ClusterHandle *handle);

/* Wait events: CbconnQueryConnect while there is no connection, CbconnQuery while rows are awaited. */

#endif							/* CBCONN_QUERY_H */
