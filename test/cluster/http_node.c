/*
 * http_node.c: the management service of the nodes: listeners, what waits while a node is paused, streamed answers.
 */
#include <arpa/inet.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "http_node.h"
#include "tls.h"

#define MAX_BODY (64 * 1024 * 1024)
#define STREAM_SEPARATOR "\n\n\n\n"

static void
add_server_header(struct evhttp_request *req)
{
	evhttp_add_header(evhttp_request_get_output_headers(req), "Server", "Couchbase Server");
	evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type", "application/json; charset=utf-8");
}

/* ---------------------------------------------------------------- streams */

static void
stream_free(Stream *s)
{
	for (Stream **p = &s->http->streams; *p != NULL; p = &(*p)->next)
	{
		if (*p == s)
		{
			*p = s->next;
			break;
		}
	}
	event_free(s->gone);
	free(s);
}

static void
on_stream_closed(struct evhttp_connection *c, void *arg)
{
	Stream	   *s = arg;
	struct evhttp_request *req = s->req;
	bool		ours = evhttp_request_get_connection(req) == NULL;

	(void) c;
	stream_free(s);
	if (ours)
		evhttp_request_free(req);
}

/* Ends a stream in order: the client sees the end of the answer. */
static void
stream_end(Stream *s)
{
	struct evhttp_request *req = s->req;

	evhttp_connection_set_closecb(evhttp_request_get_connection(req), NULL, NULL);
	stream_free(s);
	evhttp_send_reply_end(req);
}

static void
on_stream_gone(evutil_socket_t fd, short what, void *arg)
{
	Stream	   *s = arg;

	(void) fd;
	(void) what;
	evhttp_connection_free(evhttp_request_get_connection(s->req));
}

static void
stream_send(Stream *s)
{
	size_t		len;
	char	   *text = s->body(s->http->node, s->bucket, &len);
	struct evbuffer *out;

	if (text == NULL)
	{
		stream_end(s);
		return;
	}
	out = evbuffer_new();
	evbuffer_add(out, text, len);
	evbuffer_add(out, STREAM_SEPARATOR, sizeof(STREAM_SEPARATOR) - 1);
	evhttp_send_reply_chunk(s->req, out);
	evbuffer_free(out);
	free(text);
}

void
http_stream(HttpReq *h, Bucket *b, StreamBodyFn body)
{
	struct evhttp_connection *c = evhttp_request_get_connection(h->req);
	Stream	   *s = xcalloc(1, sizeof(*s));

	s->http = h->http;
	s->bucket = b;
	s->body = body;
	s->req = h->req;
	s->gone = event_new(h->cluster->base, bufferevent_getfd(evhttp_connection_get_bufferevent(c)), EV_CLOSED,
						on_stream_gone, s);
	event_add(s->gone, NULL);
	s->next = h->http->streams;
	h->http->streams = s;
	evhttp_connection_set_closecb(c, on_stream_closed, s);
	add_server_header(h->req);
	evhttp_send_reply_start(h->req, 200, "OK");
	stream_send(s);
}

static void
on_config(void *arg, Bucket *b)
{
	Cluster    *cl = arg;

	for (int i = 0; i < cl->num_nodes; i++)
	{
		HttpNode   *http = cl->nodes[i]->http;

		for (Stream *s = http != NULL && !http->paused ? http->streams : NULL, *next; s != NULL; s = next)
		{
			next = s->next;
			if (b == NULL || s->bucket == b)
				stream_send(s);
		}
	}
}

void
http_end_streams(Cluster *cl, Bucket *b)
{
	for (int i = 0; i < cl->num_nodes; i++)
	{
		HttpNode   *http = cl->nodes[i]->http;

		for (Stream *s = http != NULL ? http->streams : NULL, *next; s != NULL; s = next)
		{
			next = s->next;
			if (s->bucket == b)
				stream_end(s);
		}
	}
}

/* ---------------------------------------------------------------- paused nodes */

/* Unlinks and frees a held request; the request itself is the caller's. */
static void
forget_held(Held *held)
{
	struct evhttp_connection *c = evhttp_request_get_connection(held->req);

	if (c != NULL)
		evhttp_connection_set_closecb(c, NULL, NULL);
	for (Held **p = &held->http->held; *p != NULL; p = &(*p)->next)
	{
		if (*p == held)
		{
			*p = held->next;
			break;
		}
	}
	free(held);
}

static void
on_held_closed(struct evhttp_connection *c, void *arg)
{
	Held	   *held = arg;
	struct evhttp_request *req = held->req;
	bool		ours = evhttp_request_get_connection(req) == NULL;

	(void) c;
	forget_held(held);
	if (ours)
		evhttp_request_free(req);
}

static void
on_request(struct evhttp_request *req, void *arg)
{
	HttpNode   *http = arg;

	if (http->paused)
		http_hold(http, req);
	else
		http_work(http, req);
}

void
http_hold(HttpNode *http, struct evhttp_request *req)
{
	Held	  **tail = &http->held;

	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = xcalloc(1, sizeof(Held));
	(*tail)->http = http;
	(*tail)->req = req;
	evhttp_connection_set_closecb(evhttp_request_get_connection(req), on_held_closed, *tail);
}

void
http_node_paused(Node *n, bool paused)
{
	HttpNode   *http = n->http;

	if (http == NULL)
		return;
	http->paused = paused;
	while (!paused && http->held != NULL)
	{
		struct evhttp_request *req = http->held->req;

		forget_held(http->held);
		http_work(http, req);
	}
	for (Stream *s = http->streams, *next; !paused && s != NULL; s = next)
	{
		next = s->next;
		stream_send(s);
	}
}

/* ---------------------------------------------------------------- listeners */

uint16_t
http_bound_port(struct evhttp_bound_socket *bound)
{
	struct sockaddr_storage sa;
	socklen_t	len = sizeof(sa);

	if (getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *) &sa, &len) != 0)
		return 0;
	return ntohs(sa.ss_family == AF_INET6 ? ((struct sockaddr_in6 *) &sa)->sin6_port :
				 ((struct sockaddr_in *) &sa)->sin_port);
}

static struct bufferevent *
tls_connection(struct event_base *base, void *arg)
{
	HttpNode   *http = arg;
	struct bufferevent *bev = bufferevent_openssl_socket_new(base, -1, SSL_new(http->node->tls),
															 BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);

	bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

/* Opens a port (0 lets the kernel choose, and is set); NULL after printing why. */
static struct evhttp_bound_socket *
bind_port(HttpNode *http, struct evhttp *server, uint16_t *port)
{
	Cluster    *cl = http->node->cluster;
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(server, cl->host, *port);

	if (bound == NULL)
		cb_log("cannot listen on %s:%u (management)", cl->url_host, *port);
	else
		*port = http_bound_port(bound);
	return bound;
}

/* A server whose connections are made by on_connection, if given; NULL after printing why. */
static struct evhttp *
open_server(HttpNode *http, uint16_t *port, struct evhttp_bound_socket **bound,
			struct bufferevent *(*on_connection) (struct event_base *base, void *arg))
{
	struct evhttp *server = evhttp_new(http->node->cluster->base);

	evhttp_set_allowed_methods(server, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
							   EVHTTP_REQ_DELETE | EVHTTP_REQ_PATCH);
	evhttp_set_max_body_size(server, MAX_BODY);
	evhttp_set_gencb(server, on_request, http);
	if (on_connection != NULL)
		evhttp_set_bevcb(server, on_connection, http);
	*bound = bind_port(http, server, port);
	if (*bound != NULL)
		return server;
	evhttp_free(server);
	return NULL;
}

bool
http_node_started(Node *n)
{
	HttpNode   *http = n->http;

	if (http == NULL || http->server != NULL)
		return true;
	http->server = open_server(http, &n->mgmt_port, &http->bound, NULL);
	if (http->server != NULL && n->tls != NULL)
		http->tls_server = open_server(http, &n->mgmt_tls_port, &http->tls_bound, tls_connection);
	if (http->server != NULL && (n->tls == NULL || http->tls_server != NULL))
		return true;
	http_node_stopped(n);
	return false;
}

bool
http_node_open(Node *n)
{
	HttpNode   *http = xcalloc(1, sizeof(*http));

	http->node = n;
	n->http = http;
	return http_node_started(n) && query_node_open(n);
}

void
http_node_close(Node *n)
{
	query_node_close(n);
	http_node_stopped(n);
	free(n->http);
	n->http = NULL;
}

/* Closes the ports and leaves the connections, or opens them again. */
void
http_node_refuse(Node *n, bool refuse)
{
	HttpNode   *http = n->http;

	if (http == NULL || http->server == NULL)
		return;
	if (refuse)
	{
		evhttp_del_accept_socket(http->server, http->bound);
		if (http->tls_server != NULL)
			evhttp_del_accept_socket(http->tls_server, http->tls_bound);
		return;
	}
	http->bound = bind_port(http, http->server, &n->mgmt_port);
	if (http->tls_server != NULL)
		http->tls_bound = bind_port(http, http->tls_server, &n->mgmt_tls_port);
}

void
http_node_stopped(Node *n)
{
	HttpNode   *http = n->http;

	if (http == NULL || http->server == NULL)
		return;
	evhttp_free(http->server);
	if (http->tls_server != NULL)
		evhttp_free(http->tls_server);
	http->server = http->tls_server = NULL;
	http->paused = false;
}

bool
http_start(Cluster *cl)
{
	for (int i = 0; i < cl->num_nodes; i++)
		if (!http_node_open(cl->nodes[i]))
			return false;
	cluster_on_config(cl, on_config, cl);
	return true;
}

void
http_stop(Cluster *cl)
{
	cluster_off_config(cl, on_config, cl);
	for (int i = 0; i < cl->num_nodes; i++)
		http_node_close(cl->nodes[i]);
}
