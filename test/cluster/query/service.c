/*
 * service.c: the query service of the nodes: ports, who asks, where a request goes, faults.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>

#include "../http_node.h"
#include "../tls.h"
#include "service.h"

#define MAX_BODY (64 * 1024 * 1024)

int64_t
query_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* ---------------------------------------------------------------- requests */

static bool
path_is(struct evhttp_request *req, const char *path)
{
	const char *uri = evhttp_request_get_uri(req);
	size_t		len = strlen(path);

	return strncmp(uri, path, len) == 0 && (uri[len] == '\0' || uri[len] == '?');
}

static void
reset_connection(struct evhttp_request *req)
{
	struct evhttp_connection *c = evhttp_request_get_connection(req);
	struct linger hard = {1, 0};

	setsockopt(bufferevent_getfd(evhttp_connection_get_bufferevent(c)), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	evhttp_connection_free(c);
}

/* Faults that leave nothing to be done; the others are the request's. */
static bool
spoil(QueryNode *qn, HttpReq *h)
{
	QueryFaultKind kind = qn->fault.remaining != 0 ? qn->fault.kind : QUERY_FAULT_NONE;

	if (kind != QUERY_FAULT_STATUS && kind != QUERY_FAULT_CLOSE && kind != QUERY_FAULT_RESET)
		return false;
	if (qn->fault.remaining > 0)
		qn->fault.remaining--;
	if (kind == QUERY_FAULT_STATUS)
		http_text(h, qn->fault.status, "text/plain", "fault", 5);
	else if (kind == QUERY_FAULT_CLOSE)
		evhttp_connection_free(evhttp_request_get_connection(h->req));
	else
		reset_connection(h->req);
	return true;
}

static void
on_request(struct evhttp_request *req, void *arg)
{
	QueryNode  *qn = arg;
	HttpReq		h = {.node = qn->node, .cluster = qn->node->cluster, .req = req};
	enum evhttp_cmd_type method = evhttp_request_get_command(req);

	TAILQ_INIT(&h.query);
	if (strncmp(evhttp_request_get_uri(req), "/admin/", 7) == 0)
	{
		if (!spoil(qn, &h))
			query_admin(qn, &h);
		return;
	}
	if ((!path_is(req, "/query/service") && !path_is(req, "/query")) ||
		(method != EVHTTP_REQ_GET && method != EVHTTP_REQ_POST))
	{
		http_text(&h, 404, NULL, "", 0);
		return;
	}
	if (!spoil(qn, &h))
		query_request_begin(qn, &h);
}

User *
query_user(const QueryRequest *r)
{
	return user_find(r->cluster, r->user, strlen(r->user));
}

/* ---------------------------------------------------------------- ports */

static struct bufferevent *
tls_connection(struct event_base *base, void *arg)
{
	QueryNode  *qn = arg;
	struct bufferevent *bev = bufferevent_openssl_socket_new(base, -1, SSL_new(qn->node->tls), BUFFEREVENT_SSL_ACCEPTING,
															 BEV_OPT_CLOSE_ON_FREE);

	bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

/* Opens a port (0 lets the kernel choose, and is set); NULL after printing why. */
static struct evhttp_bound_socket *
bind_port(QueryNode *qn, struct evhttp *server, uint16_t *port)
{
	Cluster    *cl = qn->node->cluster;
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(server, cl->host, *port);

	if (bound == NULL)
		cb_log("cannot listen on %s:%u (query)", cl->url_host, *port);
	else
		*port = http_bound_port(bound);
	return bound;
}

static struct evhttp *
open_server(QueryNode *qn, uint16_t *port, struct evhttp_bound_socket **bound, bool tls)
{
	struct evhttp *server = evhttp_new(qn->node->cluster->base);

	evhttp_set_allowed_methods(server, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
							   EVHTTP_REQ_DELETE);
	evhttp_set_max_body_size(server, MAX_BODY);
	evhttp_set_gencb(server, on_request, qn);
	if (tls)
		evhttp_set_bevcb(server, tls_connection, qn);
	*bound = bind_port(qn, server, port);
	if (*bound != NULL)
		return server;
	evhttp_free(server);
	return NULL;
}

bool
query_node_started(Node *n)
{
	QueryNode  *qn = n->query;

	if (qn == NULL || qn->server != NULL)
		return true;
	qn->server = open_server(qn, &n->query_port, &qn->bound, false);
	if (qn->server != NULL && n->tls != NULL)
		qn->tls_server = open_server(qn, &n->query_tls_port, &qn->tls_bound, true);
	if (qn->server != NULL && (n->tls == NULL || qn->tls_server != NULL))
		return true;
	query_node_stopped(n);
	return false;
}

bool
query_node_open(Node *n)
{
	QueryNode  *qn;

	if (n->no_query || n->cluster->no_query)
		return true;
	qn = xcalloc(1, sizeof(*qn));
	qn->node = n;
	n->query = qn;
	return query_node_started(n);
}

void
query_node_stopped(Node *n)
{
	QueryNode  *qn = n->query;

	if (qn == NULL || qn->server == NULL)
		return;
	evhttp_free(qn->server);
	if (qn->tls_server != NULL)
		evhttp_free(qn->tls_server);
	qn->server = qn->tls_server = NULL;
	qn->paused = false;
	while (qn->requests != NULL)
		query_request_finish(qn->requests);
}

void
query_node_close(Node *n)
{
	QueryNode  *qn = n->query;

	if (qn == NULL)
		return;
	query_node_stopped(n);
	free(qn->fault.msg);
	free(qn);
	n->query = NULL;
}

void
query_node_refuse(Node *n, bool refuse)
{
	QueryNode  *qn = n->query;

	if (qn == NULL || qn->server == NULL)
		return;
	if (refuse)
	{
		evhttp_del_accept_socket(qn->server, qn->bound);
		if (qn->tls_server != NULL)
			evhttp_del_accept_socket(qn->tls_server, qn->tls_bound);
		return;
	}
	qn->bound = bind_port(qn, qn->server, &n->query_port);
	if (qn->tls_server != NULL)
		qn->tls_bound = bind_port(qn, qn->tls_server, &n->query_tls_port);
}

void
query_node_paused(Node *n, bool paused)
{
	QueryNode  *qn = n->query;

	if (qn == NULL)
		return;
	qn->paused = paused;
	for (QueryRequest *r = paused ? NULL : qn->requests, *next; r != NULL; r = next)
	{
		next = r->next;
		query_request_resume(r);
	}
}

void
query_fault_clear(Node *n)
{
	QueryFault	none = {.kind = QUERY_FAULT_NONE};

	query_fault_set(n, &none);
}

void
query_fault_set(Node *n, const QueryFault *f)
{
	QueryNode  *qn = n->query;

	if (qn == NULL)
		return;
	free(qn->fault.msg);
	qn->fault = *f;
	qn->fault.msg = f->msg != NULL ? xstrdup(f->msg) : NULL;
}
