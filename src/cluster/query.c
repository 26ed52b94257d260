/*
 * query.c
 *		A query's life: the request, attempts on one node after another, rows to its owner.
 *
 * A query stops on the service when its connection is closed, which is all that needs to be done about a cancel.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/dbcommands.h"
#include "common/pg_prng.h"
#include "diag.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "query_internal.h"
#include "utils/memutils.h"

/* Longest row, and longest other member of an answer. */
#define MAX_TEXT		((size_t) 256 * 1024 * 1024)
/* A reader that lets a full buffer wait for so long gets the rest by way of a temporary file. */
#define SLOW_READER		INT64CONST(5000000)
/* Attempts end so long after the first failure. */
#define RETRY_PERIOD	INT64CONST(5000000)
#define FIRST_PAUSE		INT64CONST(10000)
#define LONGEST_PAUSE	INT64CONST(500000)
/* How long a newer configuration is waited for when the known one has no query service. */
#define LOOK_AGAIN		INT64CONST(1000000)
/* What may come after an answer's last brace comes at once. */
#define LAST_BYTES		INT64CONST(100000)
/*
 * How long the service may work on one request in all, and how long it lets a reader keep it waiting: it knows one
 * limit for both. Ours, query_timeout, is for its silence.
 */
#define SERVICE_TIMEOUT	INT64CONST(86400000000)

/* ---- memory ---- */

void
query_forget_answer(RemoteQuery *query)
{
	if (query->http != NULL)
		http_end(query->http);
	query->http = NULL;
	cb_sqlpp_stream_free(&query->stream);
	memset(&query->stream, 0, sizeof(query->stream));
	query->stream.max_text = MAX_TEXT;
	cb_buf_free(&query->chunk);
	query->input = CB_SPAN_EMPTY;
	cb_buf_free(&query->prepared_name);
	cb_buf_free(&query->errors);
	cb_buf_free(&query->warnings);
	cb_buf_free(&query->metrics_text);
	cb_buf_free(&query->profile_text);
	query->complete = false;
	query->status[0] = '\0';
	query->request_id[0] = '\0';
}

/* A write whose answer nobody waits for may have been made or not. */
static void
abandon(RemoteQuery *query)
{
	if (!query->readonly && query->state == QUERY_SENT && query->http != NULL && query->http->connected != 0)
		written_count(query->handle, query->subid, 0, 1);
	query_forget_answer(query);
	query->state = QUERY_DONE;
}

/* From the handle's point of view it is gone. */
static void
detach(RemoteQuery *query)
{
	if (query->handle == NULL)
		return;
	abandon(query);
	dlist_delete(&query->node);
	query->handle = NULL;
}

static void
on_context_reset(void *arg)
{
	RemoteQuery *query = arg;

	detach(query);
	query_forget_answer(query);
}

void
query_detach_all(ClusterHandle *handle)
{
	while (!dlist_is_empty(&handle->queries))
		detach(dlist_container(RemoteQuery, node, dlist_head_node(&handle->queries)));
}

void
query_end_sub(ClusterHandle *handle, SubTransactionId subid, SubTransactionId parent, bool abort)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &handle->queries)
	{
		RemoteQuery *query = dlist_container(RemoteQuery, node, iter.cur);

		if (query->subid != subid)
			continue;
		/* Reading for a cursor of an outer level goes on. */
		if (abort && !query->readonly)
			detach(query);
		else
			query->subid = parent;
	}
}

/* ---- the request ---- */

static char *
to_utf8(const char *text)
{
	return text == NULL ? NULL : pg_server_to_any(text, strlen(text), PG_UTF8);
}

static const CbSqlppParameter *
copy_parameters(RemoteQuery *query, const QueryParameter *parameters)
{
	if (query->parameters == NULL)
		query->parameters = palloc0(sizeof(CbSqlppParameter) * Max(query->nparameters, 1));
	for (int i = 0; i < query->nparameters; i++)
	{
		CbSqlppParameter *parameter = &query->parameters[i];

		if (parameter->name == NULL)
			parameter->name = pstrdup(parameters[i].name);
		else
			pfree((void *) parameter->json.data);
		parameter->json = cb_span_cstr(pstrdup(parameters[i].json));
	}
	return query->parameters;
}

RemoteQuery *
query_open(ClusterHandle *handle, const QueryRequest *request, MemoryContext cxt, QueryMetrics *metrics)
{
	MemoryContext old = MemoryContextSwitchTo(cxt);
	RemoteQuery *query = palloc0(sizeof(RemoteQuery));

	query->handle = handle;
	query->cxt = cxt;
	query->statement = pstrdup(to_utf8(request->statement));
	query->query_context = request->query_context ? pstrdup(to_utf8(request->query_context)) : NULL;
	query->purpose = pstrdup(request->purpose ? request->purpose : "remote query");
	query->nparameters = request->nparameters;
	copy_parameters(query, request->parameters);
	query->readonly = request->readonly;
	query->prepared = request->prepared;
	query->consistency = request->consistency;
	query->scan_wait = request->scan_wait;
	query->timeout = request->timeout > 0 ? request->timeout : handle->settings->query_timeout;
	query->profile = request->profile == QUERY_PROFILE_PHASES ? "phases"
		: request->profile == QUERY_PROFILE_TIMINGS ? "timings" : NULL;
	query->metrics = metrics ? metrics : &query->own_metrics;
	query->stream.max_text = MAX_TEXT;
	query->first_node = handle->settings->randomize_nodes ? pg_prng_uint32(&pg_global_prng_state) : 0;
	query->subid = GetCurrentSubTransactionId();
	query->on_reset.func = on_context_reset;
	query->on_reset.arg = query;
	MemoryContextRegisterResetCallback(cxt, &query->on_reset);
	dlist_push_tail(&handle->queries, &query->node);
	MemoryContextSwitchTo(old);
	return query;
}

/* By which an administrator finds the request and this backend: database, process, number. */
static void
context_id(char *id, size_t size)
{
	static unsigned number = 0;
	const char *database = OidIsValid(MyDatabaseId) ? get_database_name(MyDatabaseId) : NULL;
	char		name[32];
	int			n = 0;

	for (; database != NULL && database[n] != '\0' && n < (int) sizeof(name) - 1; n++)
		name[n] = isalnum((unsigned char) database[n]) || strchr("-_.", database[n]) ? database[n] : '_';
	name[n] = '\0';
	snprintf(id, size, "pg:%s:%d:%u", name, MyProcPid, ++number);
}

/*
 * What this transaction wrote, for at_plus: over this handle and those of the mapping's other buckets. Earlier writes
 * may be of vBuckets that were failed over since, for which the indexes would wait in vain.
 */
static CbSqlppVector *
scan_vectors(const RemoteQuery *query, size_t *n)
{
	List	   *handles = query->consistency == QUERY_AT_PLUS ? handle_siblings(query->handle) : NIL;
	CbSqlppVector *vectors = palloc0(sizeof(CbSqlppVector) * Max(list_length(handles), 1));
	ListCell   *lc;

	*n = 0;
	foreach(lc, handles)
	{
		const ClusterHandle *handle = lfirst(lc);
		int			nknown = cluster_tokens(handle, NULL, 0);
		ClusterToken *known = palloc(sizeof(ClusterToken) * Max(nknown, 1));
		CbSqlppToken *tokens = palloc(sizeof(CbSqlppToken) * Max(nknown, 1));
		size_t		ntokens = 0;

		nknown = cluster_tokens(handle, known, nknown);
		for (int i = 0; i < nknown; i++)
		{
			if (!known[i].earlier)
				tokens[ntokens++] = (CbSqlppToken) {known[i].vbucket, known[i].vbucket_uuid, known[i].seqno};
		}
		if (ntokens > 0)
			vectors[(*n)++] = (CbSqlppVector) {to_utf8(handle->bucket), tokens, ntokens};
	}
	return vectors;
}

/* Appends the body; throws for parameters that cannot be sent. */
static void
build_body(RemoteQuery *query, CbBuf *body)
{
	CbSqlppRequest request = {0};
	CbError		error = {0};
	CbResult	result;
	char		id[64];

	context_id(id, sizeof(id));
	request.statement = query->statement;
	request.prepared = query->prepared ? query_prepared_find(query) : NULL;
	request.prepare = query->prepare = query->prepared && request.prepared == NULL;
	request.query_context = query->query_context;
	request.context_id = id;
	request.parameters = query->parameters;
	request.nparameters = query->nparameters;
	request.readonly = query->readonly;
	request.consistency = query->consistency == QUERY_REQUEST_PLUS ? CB_SCAN_REQUEST_PLUS
		: query->consistency == QUERY_AT_PLUS ? CB_SCAN_AT_PLUS : CB_SCAN_NOT_BOUNDED;
	request.vectors = scan_vectors(query, &request.nvectors);
	request.scan_wait = query->scan_wait;
	request.timeout = Max(SERVICE_TIMEOUT, query->timeout);
	request.profile = query->profile;
	result = cb_sqlpp_request(&request, body, &error);
	if (result == CB_OK)
		return;
	cb_buf_free_secret(body);
	ereport(ERROR,
			(errcode(result == CB_NOMEM ? ERRCODE_OUT_OF_MEMORY : ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s on server \"%s\" cannot be sent: %s", query->purpose, query->handle->servername,
					cluster_printable_cstr(error.text))));
}

/* ---- attempts ---- */

int
query_service_nodes(const ClusterHandle *handle, int number, const char **host, uint16 *port)
{
	int			n = 0;

	for (size_t i = 0; i < handle->config->nnodes; i++)
	{
		const char *its_host;
		uint16_t	its_port;

		if (cb_config_endpoint(handle->config, i, handle->network, CB_SERVICE_QUERY, handle->settings->tls, &its_host,
							   &its_port) != CB_OK)
			continue;
		if (n++ == number)
		{
			*host = its_host;
			*port = its_port;
		}
	}
	return n;
}

/* Takes over what is new in the cluster, as far as that is known without waiting; asks for more now and then. */
static void
keep_current(ClusterHandle *handle)
{
	topology_poll(handle);
	if (handle->refreshing != NULL)
		handle_wait(handle, 0, false, NULL);
}

/* The same at once: there is nothing to go by in what is known. */
static void
look_again(ClusterHandle *handle)
{
	int64		until = wait_now() + LOOK_AGAIN;

	handle->refresh_started = 0;
	topology_refresh(handle, NULL);
	while (handle->refreshing != NULL && wait_now() < until)
		handle_wait(handle, until, false, NULL);
}

static int
choose_node(RemoteQuery *query, const char **host, uint16 *port)
{
	ClusterHandle *handle = query->handle;
	int			n = query_service_nodes(handle, -1, NULL, NULL);

	if (n == 0)
	{
		look_again(handle);
		n = query_service_nodes(handle, -1, NULL, NULL);
	}
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_ESTABLISH_CONNECTION),
				 errmsg("no node of server \"%s\" offers the query service%s", handle->servername,
						handle->settings->tls ? " over TLS" : ""),
				 errdetail("The cluster has %zu nodes; network \"%s\".", handle->config->nnodes,
						   cluster_printable_cstr(handle->network)),
				 errhint("Add the query service to a node of the cluster, or read over the data service.")));
	(void) query_service_nodes(handle, (query->first_node + (unsigned) query->attempts) % n, host, port);
	return n;
}

static void
check_alive(const RemoteQuery *query)
{
	if (query->handle == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("the transaction that a remote query belongs to has ended")));
}

void
query_start(RemoteQuery *query)
{
	ClusterHandle *handle = query->handle;
	HttpRequest request = {.method = "POST", .path = "/query/service", .once = !query->readonly};
	CbBuf		body = {0};

	check_alive(query);
	if (query->state != QUERY_NEW)
		return;
	slow_report(handle);
	cluster_bootstrap(handle, NULL);
	keep_current(handle);
	(void) choose_node(query, &request.host, &request.port);
	query->subid = GetCurrentSubTransactionId();
	if (!query->readonly)
		written_begin(handle, query->subid);
	query_forget_answer(query);
	build_body(query, &body);
	request.body = cb_buf_span(&body);
	PG_TRY();
	{
		query->http = http_start(handle, &request);
	}
	PG_FINALLY();
	{
		cb_buf_free_secret(&body);
	}
	PG_END_TRY();
	query->state = QUERY_SENT;
	query->heard = wait_now();
	query->received = 0;
	query->metrics->requests++;
	strlcpy(query->metrics->node, http_node(query->http), sizeof(query->metrics->node));
	http_wait(handle, 0);
}

/* Lets time pass, and newer configurations come in. */
static void
let_time_pass(ClusterHandle *handle, int round)
{
	int64		pause = Min(FIRST_PAUSE << Min(round, 8), LONGEST_PAUSE);
	int64		until = wait_now() + pause / 2 + (int64) (pg_prng_double(&pg_global_prng_state) * pause / 2);

	topology_refresh(handle, NULL);
	while (wait_now() < until)
		handle_wait(handle, until, false, NULL);
}

/* Whether another attempt can do no harm, and may help. */
static bool
may_try_again(RemoteQuery *query, const QueryFailure *failure)
{
	if (query->delivered || (!query->readonly && !failure->safe))
		return false;
	if (failure->verdict == QUERY_PREPARE_AGAIN)
		return query->prepared && !query->prepared_again;
	return failure->verdict != QUERY_FAIL && (query->give_up == 0 || wait_now() < query->give_up);
}

/* A write was sent, and there is no word of what became of it. */
static void
raise_unknown(RemoteQuery *query, const QueryFailure *failure)
{
	QueryFailure unknown = *failure;

	unknown.sqlstate = ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN;
	unknown.hint = "The statement may have been executed or not: it was not sent again.";
	written_count(query->handle, query->subid, 0, 1);
	query_forget_answer(query);
	query->state = QUERY_DONE;
	query_raise(query, &unknown);
}

void
query_failed(RemoteQuery *query, const QueryFailure *failure)
{
	const char *host;
	uint16		port;
	int			nodes;

	query->metrics->connects += query->http->connects;
	if (!may_try_again(query, failure))
	{
		if (!query->readonly && !failure->safe && failure->step != NULL)
			raise_unknown(query, failure);
		query->state = QUERY_DONE;
		http_end(query->http);
		query->http = NULL;
		query_raise(query, failure);
	}
	query_forget_answer(query);
	query->state = QUERY_NEW;
	query->metrics->retries++;
	query->attempts++;
	if (failure->verdict == QUERY_PREPARE_AGAIN)
	{
		query->prepared_again = true;
		query_prepared_forget(query);
		query->attempts--;
		query_start(query);
		query->attempts++;
		return;
	}
	if (query->give_up == 0)
		query->give_up = wait_now() + Min(query->timeout, RETRY_PERIOD);
	nodes = choose_node(query, &host, &port);
	if (failure->verdict == QUERY_LATER || query->attempts % nodes == 0)
		let_time_pass(query->handle, query->attempts / nodes);
	query_start(query);
}

/* ---- the answer ---- */

static void
wait_for_more(RemoteQuery *query)
{
	const HttpTransfer *http = query->http;
	int64		start = wait_now();
	QueryFailure failure;

	/* What passed while nobody waited is not the service's silence. */
	if (query->idle)
		query->heard = start;
	query->idle = false;
	query->metrics->round_trips++;
	http_wait(query->handle, query->heard + query->timeout);
	query->waited += wait_now() - start;
	if (http->received != query->received || http->state >= HTTP_DONE)
	{
		query->received = http->received;
		query->heard = wait_now();
		return;
	}
	if (wait_now() < query->heard + query->timeout)
		return;
	query_set_failure(&failure, ERRCODE_CONNECTION_FAILURE, QUERY_FAIL,
					  http->state == HTTP_RESOLVING ? "DNS look-up"
					  : http->state == HTTP_CONNECTING ? "connecting" : "answer",
					  "no answer within %.1f s", query->timeout / 1e6);
	failure.safe = http->connected == 0;
	failure.hint = "The option \"query_timeout\" of the connection string sets how long to wait.";
	strlcpy(failure.node, http_node(http), sizeof(failure.node));
	query_failed(query, &failure);
}

/* The answer was "success". */
static void
finish(RemoteQuery *query)
{
	int64		until = wait_now() + LAST_BYTES;
	char		name[1024];

	query->state = QUERY_DONE;
	if (query->prepare && query->prepared_name.len > 0 &&
		cb_sqlpp_string(cb_buf_span(&query->prepared_name), name, sizeof(name)) == CB_OK)
		query_prepared_keep(query, name);
	/* A connection whose answer is over to the last byte can be used again. */
	while (query->http->state == HTTP_SENT && wait_now() < until)
		http_wait(query->handle, until);
	query->metrics->connects += query->http->connects;
	slow_note_over(query->handle, query->handle->settings->slow_query, "query", http_node(query->http), "answer",
				   query->waited);
	http_end(query->http);
	query->http = NULL;
}

bool
query_step(RemoteQuery *query, CbSpan *row)
{
	QueryFailure failure;

	switch (query_read(query, row))
	{
		case QUERY_ROW:
			return true;
		case QUERY_NOTHING_YET:
			wait_for_more(query);
			return false;
		default:
			if (query_conclude(query, &failure))
				finish(query);
			else
				query_failed(query, &failure);
			return false;
	}
}

static bool
is_slow(const RemoteQuery *query)
{
	return query->http != NULL && query->http->paused_since != 0 &&
		wait_now() - query->http->paused_since > SLOW_READER;
}

bool
query_next(RemoteQuery *query, const char **row, size_t *len)
{
	CbSpan		text;
	bool		found = false;

	check_alive(query);
	if (query->state == QUERY_NEW)
		query_start(query);
	while (!found)
	{
		if (query->state == QUERY_SENT && is_slow(query))
			query_drain(query);
		if (query->spill != NULL)
			found = query_spilled_row(query, &text);
		else if (query->state == QUERY_SENT)
			found = query_step(query, &text);
		if (!found && query->state == QUERY_DONE)
			return false;
	}
	query->delivered = query->idle = true;
	*row = (const char *) text.data;
	*len = text.len;
	return true;
}

void
query_restart(RemoteQuery *query, const QueryParameter *parameters)
{
	check_alive(query);
	abandon(query);
	query_end_spill(query);
	if (parameters != NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(query->cxt);

		copy_parameters(query, parameters);
		MemoryContextSwitchTo(old);
	}
	query->state = QUERY_NEW;
	query->attempts = 0;
	query->give_up = 0;
	query->waited = 0;
	query->delivered = query->prepared_again = false;
}

void
query_close(RemoteQuery *query)
{
	detach(query);
	query_end_spill(query);
}

List *
query_warnings(RemoteQuery *query)
{
	List	   *result = NIL;
	CbSqlppError warning;

	for (size_t i = 0; query->warnings.len > 0 &&
		 cb_sqlpp_error(cb_buf_span(&query->warnings), i, &warning) == CB_OK; i++)
		result = lappend(result, psprintf("%lld: %s", (long long) warning.code,
										  cluster_printable_cstr(warning.message)));
	return result;
}

const char *
query_profile(RemoteQuery *query)
{
	return query->profile_text.len == 0 ? NULL
		: pnstrdup((const char *) query->profile_text.data, query->profile_text.len);
}
