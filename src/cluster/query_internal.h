/*
 * query_internal.h
 *		What the files of a query share: query.c, query_answer.c, query_error.c, query_spill.c, query_prepared.c.
 */
#ifndef CBCONN_QUERY_INTERNAL_H
#define CBCONN_QUERY_INTERNAL_H

#include "handle.h"
#include "http.h"
#include "utils/resowner.h"
#include "query.h"
#include "../protocol/sqlpp.h"

typedef enum QueryState
{
	QUERY_NEW,					/* not sent */
	QUERY_SENT,					/* the answer is being read */
	QUERY_DONE					/* read to its end; perhaps rows are left in the temporary file */
} QueryState;

/* What may be done about a failure. */
typedef enum QueryVerdict
{
	QUERY_FAIL,
	QUERY_OTHER_NODE,			/* this one does not take requests */
	QUERY_LATER,				/* any node, after a while */
	QUERY_PREPARE_AGAIN			/* the kept plan is of no use any more */
} QueryVerdict;

typedef struct QueryFailure
{
	int			sqlstate;
	QueryVerdict verdict;
	bool		safe;			/* the service has certainly not run the statement */
	const char *step;			/* static; NULL: the service itself refused */
	const char *hint;			/* static, or NULL */
	int64		code;			/* of the service; 0: none */
	char		node[280];
	char		text[1024];
	char		role[128];		/* that the user lacks, and on what */
	char		path[256];
} QueryFailure;

struct RemoteQuery
{
	dlist_node	node;			/* in handle->queries */
	ClusterHandle *handle;		/* NULL: the transaction is over */
	MemoryContext cxt;
	SubTransactionId subid;		/* that sent it */
	MemoryContextCallback on_reset;

	/* the request; text in UTF-8 */
	char	   *statement;
	char	   *query_context;
	char	   *purpose;
	int			nparameters;
	CbSqlppParameter *parameters;
	bool		readonly;
	bool		prepared;
	QueryConsistency consistency;
	int64		scan_wait;
	int64		timeout;
	const char *profile;
	QueryMetrics *metrics;
	QueryMetrics own_metrics;	/* when the caller wants none */

	/* attempts */
	QueryState	state;
	unsigned	first_node;		/* random: where among the nodes the attempts begin */
	int			attempts;		/* that failed */
	int64		give_up;		/* wait_now(); 0: none has failed yet */
	bool		prepared_again;
	bool		prepare;		/* the request under way prepares the statement */

	/* the answer */
	HttpTransfer *http;
	int64		heard;			/* wait_now() when the service last said something */
	int64		received;		/* bytes by then */
	int64		waited;			/* microseconds, in all */
	CbSqlppStream stream;
	CbBuf		chunk;			/* bytes being read, */
	CbSpan		input;			/* and what is left of them */
	bool		complete;		/* the answer has ended as it should */
	bool		idle;			/* the caller has had time of its own since the last wait */
	bool		delivered;		/* the caller has had a row: no attempt can follow */
	char		status[16];
	char		request_id[64];
	CbBuf		prepared_name;	/* as JSON text, like the members below */
	CbBuf		errors;
	CbBuf		warnings;
	CbBuf		metrics_text;
	CbBuf		profile_text;

	/* rows not taken in time */
	struct BufFile *spill;
	ResourceOwner spill_owner;
	int64		spilled_rows;	/* not yet read back */
	char	   *spill_row;
	size_t		spill_row_size;
};

/* ---- query.c ---- */

/* One step on the way through the answer: true and a row; or false, after a wait, at the end or for another attempt. */
extern bool query_step(RemoteQuery *query, CbSpan *row);

/* Gives up the request under way, forgets what came of it; never waits, never throws. */
extern void query_forget_answer(RemoteQuery *query);

/* An attempt failed: returns when the next is on its way; else throws. */
extern void query_failed(RemoteQuery *query, const QueryFailure *failure);

/*
 * How many nodes offer the service in the network and by the protocol in use; host and port of the one with that
 * number, if there is one.
 */
extern int	query_service_nodes(const ClusterHandle *handle, int number, const char **host, uint16 *port);

/* ---- query_answer.c ---- */

typedef enum QueryProgress
{
	QUERY_ROW,
	QUERY_NOTHING_YET,			/* wait for more */
	QUERY_ENDED					/* the answer is complete, or there will be no more of it */
} QueryProgress;

extern QueryProgress query_read(RemoteQuery *query, CbSpan *row);

/* What the whole answer comes to: true when it is "success"; else the failure is set. */
extern bool query_conclude(RemoteQuery *query, QueryFailure *failure);

/* ---- query_spill.c ---- */

/* Fetches all that is still to come, after the first rows went out, into a temporary file. */
extern void query_drain(RemoteQuery *query);
extern bool query_spilled_row(RemoteQuery *query, CbSpan *row);

/* Ends with the file; not to be called while errors are being cleaned up, when PostgreSQL does so itself. */
extern void query_end_spill(RemoteQuery *query);

/* ---- query_error.c ---- */

extern void query_set_failure(QueryFailure *failure, int sqlstate, QueryVerdict verdict, const char *step,
							  const char *format, ...) __attribute__((format(printf, 5, 6)));

/* What the first of the service's errors means. */
extern void query_error_failure(QueryFailure *failure, const CbSqlppError *error);
extern void query_raise(const RemoteQuery *query, const QueryFailure *failure) pg_attribute_noreturn();

/* ---- query_prepared.c ---- */

/* Name under which the service knows the query's statement, or NULL. */
extern const char *query_prepared_find(const RemoteQuery *query);
extern void query_prepared_keep(RemoteQuery *query, const char *name);
extern void query_prepared_forget(RemoteQuery *query);

#endif							/* CBCONN_QUERY_INTERNAL_H */
