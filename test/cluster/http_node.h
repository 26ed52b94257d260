/*
 * http_node.h: the management service of one node, shared by http.c and http_node.c.
 */
#ifndef HTTP_NODE_H
#define HTTP_NODE_H

#include "manage.h"

/* A request that came while the node was paused; worked on when it goes on. */
typedef struct Held
{
	struct Held *next;
	HttpNode   *http;
	struct evhttp_request *req;
} Held;

typedef struct Stream
{
	struct Stream *next;
	HttpNode   *http;
	Bucket	   *bucket;				/* NULL: the cluster's configuration */
	StreamBodyFn body;
	struct evhttp_request *req;
	struct event *gone;				/* the client closed its end */
} Stream;

struct HttpNode
{
	Node	   *node;
	struct evhttp *server;			/* NULL while the node is killed */
	struct evhttp *tls_server;		/* NULL too if the node has no TLS ports */
	struct evhttp_bound_socket *bound;
	struct evhttp_bound_socket *tls_bound;
	Held	   *held;
	Stream	   *streams;
	bool		paused;
};

/* Keeps a request until the node is resumed (http_node.c). */
void		http_hold(HttpNode *http, struct evhttp_request *req);

/*
 * Finds the user of the client certificate or the Authorization header; false if one is given and does not hold. Both
 * services use it (http.c).
 */
bool		http_authenticate(HttpReq *h);

/* Works on a complete request and answers it (http.c). */
void		http_work(HttpNode *http, struct evhttp_request *req);

#endif
