/*
 * service.h: the query service of a node and its requests.
 */
#ifndef QUERY_SERVICE_H
#define QUERY_SERVICE_H

#include <event2/buffer.h>
#include <event2/http.h>

#include "../manage.h"
#include "coroutine.h"
#include "params.h"

#define QUERY_VERSION "7.6.8-N1QL"
#define QUERY_CHUNK (64 * 1024)			/* of an answer sent at once */
#define QUERY_WHOLE (16 * 1024)			/* an answer that is not longer has a Content-Length */
#define QUERY_SLICE_US 5000				/* a statement runs so long before the event loop goes on */

/* What spoils requests; see USING.md. */
typedef enum QueryFaultKind
{
	QUERY_FAULT_NONE,
	QUERY_FAULT_STATUS,				/* HTTP status, no JSON */
	QUERY_FAULT_ERROR,				/* an error of the service, before any row */
	QUERY_FAULT_LATE_ERROR,			/* after the rows */
	QUERY_FAULT_CLOSE,
	QUERY_FAULT_RESET,
	QUERY_FAULT_SILENT,
	QUERY_FAULT_DELAY,
	QUERY_FAULT_CUT					/* the connection ends when so many bytes of the body were sent */
} QueryFaultKind;

typedef struct QueryFault
{
	QueryFaultKind kind;
	int			remaining;			/* requests; -1: all */
	int			status;
	int			code;
	char	   *msg;
	uint64_t	after;				/* bytes */
	unsigned	delay_ms;
} QueryFault;

typedef struct QueryNode QueryNode;
typedef struct QueryRequest QueryRequest;

struct QueryNode
{
	Node	   *node;
	struct evhttp *server;			/* NULL while the node is killed */
	struct evhttp *tls_server;
	struct evhttp_bound_socket *bound;
	struct evhttp_bound_socket *tls_bound;
	QueryRequest *requests;			/* that are being worked on */
	QueryFault	fault;
	bool		paused;
	uint64_t	served;
};

/* Why a statement is not running. */
typedef enum QueryWait
{
	WAIT_NOTHING,					/* only its turn */
	WAIT_CLIENT,					/* for the client to take what was sent */
	WAIT_TIME						/* for wake_at_us */
} QueryWait;

/* How a request came to its end. */
typedef enum QueryEnd
{
	END_NOT_YET,
	END_TIMEOUT,
	END_CANCELLED,
	END_CLOSED						/* the client is gone */
} QueryEnd;

struct QueryRequest
{
	QueryRequest *next;				/* in qn->requests */
	QueryNode  *qn;
	Cluster    *cluster;
	Node	   *node;
	char		user[128];
	char		id[37];
	char		remote[64];
	char		agent[128];
	QueryParams params;
	struct evhttp_request *req;		/* NULL: the client is gone */
	struct event *gone;				/* it closed its end */
	struct event *go;				/* goes on with the statement */
	Coroutine  *co;
	QueryWait	wait;
	QueryEnd	end;
	bool		working;			/* inside its coroutine */
	bool		parked;				/* by a paused node, in the middle */
	bool		held;				/* by a paused node, a delay or a silent fault: nothing has been done yet */
	struct evbuffer *out;			/* not yet sent */
	bool		sending;			/* the headers are out */
	int			http;				/* status; 0: not decided */
	QueryFault	fault;
	uint64_t	sent;
	int64_t		start_us;			/* monotonic */
	int64_t		start_wall_ms;
	int64_t		execution_us;
	int64_t		slice_us;			/* when it began to run */
	int64_t		flush_us;
	int64_t		wake_at_us;
	int64_t		deadline_us;		/* 0: none */
	bool		results_open;		/* inside "results": [ */
	uint64_t	result_count;
	uint64_t	result_size;
	uint64_t	sort_count;
	uint64_t	mutation_count;
	QueryError *errors;
	QueryError *warnings;
	const char *status;				/* NULL: by the errors */
	const char *prepared_name;		/* to be shown; NULL: not */
};

/* service.c */
void		query_fault_set(Node *n, const QueryFault *f);

/* request.c */
void		query_request_begin(QueryNode *qn, HttpReq *h);
void		query_request_resume(QueryRequest *r);	/* of a paused node */
void		query_request_stop(QueryRequest *r, QueryEnd why);
void		query_request_finish(QueryRequest *r);	/* the client is gone, nothing more will be sent: runs to its end now */

/* From inside the coroutine. */
void		query_pause(QueryRequest *r, int64_t us);	/* lets the loop go on, for us at least */
bool		query_stopped(QueryRequest *r);	/* time is up, cancelled, client gone; gives the loop its turn now and then */
bool		query_send(QueryRequest *r, bool wait);	/* what has been written; false: the client is gone */

/* response.c: the members of an answer. */
void		response_begin(QueryRequest *r, const char *signature);	/* signature: JSON */
void		response_row(QueryRequest *r, const char *text, size_t len);
void		response_end(QueryRequest *r);
void		response_failed(QueryRequest *r);	/* an answer without results */
void		query_add_error(QueryRequest *r, QueryError *e);
void		query_add_warning(QueryRequest *r, QueryError *e);
int			query_http_status(const QueryError *e, int otherwise);
void		json_text_add(struct evbuffer *out, const char *text, size_t len);	/* quoted */

/* admin.c: everything under /admin. */
void		query_admin(QueryNode *qn, HttpReq *h);

/* run.c: what a coroutine does. */
void		query_run(QueryRequest *r);

int64_t		query_now_us(void);
User	   *query_user(const QueryRequest *r);	/* NULL: dropped meanwhile */

#endif
