/*
 * query_ping.c
 *		Which nodes' query service answers, and whether it runs a statement for this user.
 */
#include "postgres.h"

#include "diag.h"
#include "query_internal.h"

typedef struct ServicePing
{
	HttpTransfer *http;			/* NULL: done */
	ClusterPing *result;
} ServicePing;

static void
finish(ServicePing *ping, const char *state, const char *error)
{
	HttpTransfer *http = ping->http;

	ping->result->state = state;
	ping->result->error = error;
	if (http->connected != 0 && http->connects > 0)
		ping->result->connect_us = http->connected - http->started;
	if (http->state == HTTP_DONE)
		ping->result->latency_us = http->ended - http->connected;
	ping->http = NULL;
	http_end(http);
}

static void
look(ServicePing *ping, int64 deadline)
{
	const HttpTransfer *http = ping->http;

	if (http->state == HTTP_DONE && http->status == 200)
		finish(ping, "ok", NULL);
	else if (http->state == HTTP_DONE)
		finish(ping, "error", psprintf("HTTP request: the node refused the request (HTTP status %d)", http->status));
	else if (http->state == HTTP_FAILED)
		finish(ping, strcmp(http->failure.text, "no answer in time") == 0 ? "timeout" : "error",
			   psprintf("%s: %s", http->failure.step, cluster_printable_cstr(http->failure.text)));
	else if (wait_now() >= deadline)
		finish(ping, "timeout", psprintf("%s: no answer in time",
										 http->state == HTTP_SENT ? "HTTP request"
										 : http->state == HTTP_RESOLVING ? "DNS look-up" : "connecting"));
}

/* Sends to all at the same time. What is under way when this throws ends with the handle or its next client. */
static void
run(ClusterHandle *handle, ServicePing *pings, int n)
{
	int64		deadline = wait_now() + handle->settings->node_timeout;
	bool		busy = n > 0;

	while (busy)
	{
		busy = false;
		for (int i = 0; i < n; i++)
		{
			if (pings[i].http != NULL)
				look(&pings[i], deadline);
			busy |= pings[i].http != NULL;
		}
		if (busy)
			http_wait(handle, deadline);
	}
}

List *
cluster_query_ping(ClusterHandle *handle)
{
	List	   *volatile results = NIL;
	ServicePing *pings;
	int			n;

	if (handle->config == NULL)
		return NIL;
	n = query_service_nodes(handle, -1, NULL, NULL);
	pings = palloc0(sizeof(ServicePing) * Max(n, 1));
	PG_TRY();
	{
		for (int i = 0; i < n; i++)
		{
			HttpRequest request = {.method = "GET", .path = "/admin/ping"};

			(void) query_service_nodes(handle, i, &request.host, &request.port);
			pings[i].result = palloc0(sizeof(ClusterPing));
			pings[i].result->connect_us = pings[i].result->latency_us = -1;
			pings[i].http = http_start(handle, &request);
			pings[i].result->node = cluster_printable_cstr(http_node(pings[i].http));
			results = lappend(results, pings[i].result);
		}
		run(handle, pings, n);
	}
	PG_FINALLY();
	{
		for (int i = 0; i < n; i++)
		{
			if (pings[i].http != NULL)
				http_end(pings[i].http);
		}
	}
	PG_END_TRY();
	return results;
}

typedef struct Trial
{
	ClusterHandle *handle;
	unsigned	number;			/* of the node to ask */
} Trial;

static void
run_statement(void *arg)
{
	const Trial *trial = arg;
	QueryRequest request = {.statement = "SELECT RAW 1", .readonly = true};
	RemoteQuery *query;
	const char *row;
	size_t		len;

	request.timeout = trial->handle->settings->node_timeout;
	query = query_open(trial->handle, &request, CurrentMemoryContext, NULL);
	query->first_node = trial->number;
	while (query_next(query, &row, &len))
		;
	query_close(query);
}

List *
query_diagnose(ClusterHandle *handle, List *checks)
{
	List	   *pings = cluster_query_ping(handle);
	Trial		trial = {handle, 0};
	bool		any = false;
	ListCell   *lc;
	int64		start = wait_now();
	char	   *reason;

	foreach(lc, pings)
	{
		const ClusterPing *ping = lfirst(lc);
		bool		ok = strcmp(ping->state, "ok") == 0;

		checks = diag_add(checks, "query service", ping->node, ok,
						  ok ? Max(ping->connect_us, 0) + ping->latency_us : -1, ping->error,
						  ok ? NULL : "Is the service up, and does no firewall stand between? It has ports of its own: "
						  "8093, with TLS 18093.");
		if (ok && !any)
			trial.number = foreach_current_index(lc);
		any |= ok;
	}
	if (!any)
		return checks;
	reason = cluster_try(run_statement, &trial);
	return diag_add(checks, "SQL++ statement", handle->servername, reason == NULL, wait_now() - start, reason,
					reason == NULL ? NULL : "Check the user's roles: statements need Query Select or others.");
}
