/*
 * admin.c: what is under /admin: ping, active requests, prepared statements, vital signs (couchbase/query,
 * server/http/admin_accounting_endpoint.go).
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../http_node.h"
#include "catalog.h"

/* ---------------------------------------------------------------- requests */

static json_t *
request_json(const QueryRequest *r)
{
	char	   *elapsed = duration_text((query_now_us() - r->start_us) * 1000);
	json_t	   *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "requestId", r->id, "elapsedTime", elapsed,
								 "executionTime", elapsed, "state", r->held ? "preprocessing" : "running",
								 "users", r->user, "remoteAddr", r->remote, "userAgent", r->agent,
								 "node", "127.0.0.1:8091", "resultCount", (json_int_t) r->result_count);

	if (r->params.client_context_id != NULL)
		json_object_set_new(json, "clientContextID", json_string(r->params.client_context_id));
	if (r->params.statement != NULL)
		json_object_set_new(json, "statement", json_string(r->params.statement));
	if (r->params.prepared != NULL)
		json_object_set_new(json, "preparedName", json_string(r->params.prepared));
	free(elapsed);
	return json;
}

static void
list_requests(QueryNode *qn, HttpReq *h)
{
	json_t	   *list = json_array();

	for (const QueryRequest *r = qn->requests; r != NULL; r = r->next)
		json_array_append_new(list, request_json(r));
	http_json(h, 200, list);
}

static void
one_request(QueryNode *qn, HttpReq *h, const char *id)
{
	QueryRequest *r = qn->requests;

	while (r != NULL && strcmp(r->id, id) != 0)
		r = r->next;
	if (evhttp_request_get_command(h->req) != EVHTTP_REQ_DELETE)
	{
		if (r != NULL)
			http_json(h, 200, request_json(r));
		else
			http_json(h, 404, json_object());
		return;
	}
	if (r == NULL)
	{
		char	   *msg = xasprintf("Request %s is not a http request", id);

		http_json(h, 500, json_pack("{s:i, s:s}", "code", 1130, "message", msg));
		free(msg);
		return;
	}
	query_request_stop(r, END_CANCELLED);
	http_json(h, 200, json_true());
}

/* ---------------------------------------------------------------- prepared statements */

static json_t *
prepared_json(const Prepared *p)
{
	return json_pack("{s:s, s:s, s:s%, s:I, s:s}", "name", p->name, "namespace", "default", "statement", p->text, p->len,
					 "uses", (json_int_t) p->uses, "queryContext", p->context != NULL ? p->context : "");
}

static void
list_prepareds(HttpReq *h)
{
	json_t	   *list = json_array();

	for (const Prepared *p = catalog_of(h->cluster)->prepareds; p != NULL; p = p->next)
		json_array_append_new(list, prepared_json(p));
	http_json(h, 200, list);
}

static void
one_prepared(HttpReq *h, const char *name)
{
	const Prepared *p = catalog_of(h->cluster)->prepareds;

	while (p != NULL && strcmp(p->name, name) != 0)
		p = p->next;
	if (p == NULL)
		http_json(h, 404, json_pack("{s:i, s:s+}", "code", 4040, "message", "No such prepared statement: ", name));
	else if (evhttp_request_get_command(h->req) == EVHTTP_REQ_DELETE)
	{
		prepared_drop(h->cluster, name);
		http_json(h, 200, json_true());
	}
	else
		http_json(h, 200, prepared_json(p));
}

/* ---------------------------------------------------------------- vital signs */

static void
vitals(QueryNode *qn, HttpReq *h)
{
	int			active = 0;

	for (const QueryRequest *r = qn->requests; r != NULL; r = r->next)
		active++;
	http_json(h, 200, json_pack("{s:s, s:i, s:i, s:I}", "version", QUERY_VERSION, "cores", (int) sysconf(_SC_NPROCESSORS_ONLN),
								"request.active.count", active, "request.completed.count",
								(json_int_t) qn->served - active));
}

/* ---------------------------------------------------------------- who may, and where it goes */

/* True once somebody with the right to see what others do has been found; else the answer is given. */
static bool
may_administer(HttpReq *h)
{
	if (!http_authenticate(h) || h->user == NULL)
	{
		http_json(h, 401, json_pack("{s:i, s:s}", "code", 2120, "message",
									"Error authorizing against cluster  - cause: Failure to authenticate user"));
		return false;
	}
	if ((user_privileges(h->user, NULL, NULL) & PRIV_QUERY_SYSTEM_CATALOG) != 0)
		return true;
	http_json(h, 401, json_pack("{s:i, s:s}", "code", 13014, "message",
								"User does not have credentials to run queries accessing the system tables. "
								"Add role query_system_catalog to allow the statement to run."));
	return false;
}

/* The part of the path behind prefix, if it begins so. */
static const char *
behind(const char *path, const char *prefix)
{
	size_t		len = strlen(prefix);

	return strncmp(path, prefix, len) == 0 ? path + len : NULL;
}

void
query_admin(QueryNode *qn, HttpReq *h)
{
	const char *uri = evhttp_request_get_uri(h->req);
	char	   *raw = xstrndup(uri, strcspn(uri, "?"));
	char	   *path = evhttp_uridecode(raw, 0, NULL);
	const char *name;

	if (strcmp(path, "/admin/ping") == 0)
		http_json(h, 200, json_object());
	else if (!may_administer(h))
		;
	else if (strcmp(path, "/admin/active_requests") == 0)
		list_requests(qn, h);
	else if ((name = behind(path, "/admin/active_requests/")) != NULL)
		one_request(qn, h, name);
	else if (strcmp(path, "/admin/prepareds") == 0)
		list_prepareds(h);
	else if ((name = behind(path, "/admin/prepareds/")) != NULL)
		one_prepared(h, name);
	else if (strcmp(path, "/admin/vitals") == 0)
		vitals(qn, h);
	else
		http_not_found(h);
	free(path);
	free(raw);
}
