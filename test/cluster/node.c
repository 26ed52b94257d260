/*
 * node.c: the listeners of a node and its fault switches. Every listener is on a loopback address.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/listener.h>

#include "core.h"
#include "disk.h"
#include "tls.h"

#define BACKLOG 4096				/* hundreds of backends may connect at once */

static void
accept_one(Node *n, evutil_socket_t fd, const struct sockaddr *sa, bool tls)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *) sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *) sa;
	bool		v6 = sa->sa_family == AF_INET6;
	char		host[INET6_ADDRSTRLEN] = "?";
	char		peer[64];

	inet_ntop(sa->sa_family, v6 ? (const void *) &in6->sin6_addr : (const void *) &in->sin_addr, host, sizeof(host));
	snprintf(peer, sizeof(peer), v6 ? "[%s]:%u" : "%s:%u", host, ntohs(v6 ? in6->sin6_port : in->sin_port));
	conn_accepted(n, fd, peer, tls);
}

static void
on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	(void) l;
	(void) len;
	accept_one(arg, fd, sa, false);
}

static void
on_accept_tls(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	(void) l;
	(void) len;
	accept_one(arg, fd, sa, true);
}

/* The loopback address of the cluster with a port; its length. */
static int
loopback(const Cluster *cl, uint16_t port, struct sockaddr_storage *sa)
{
	struct sockaddr_in *in = (struct sockaddr_in *) sa;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) sa;

	memset(sa, 0, sizeof(*sa));
	if (strchr(cl->host, ':') != NULL)
	{
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		in6->sin6_addr = in6addr_loopback;
		return sizeof(*in6);
	}
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(*in);
}

/* Opens one listener; *port 0 lets the kernel choose, and is set. */
static struct evconnlistener *
open_listener(Node *n, uint16_t *port, evconnlistener_cb on_connection)
{
	struct sockaddr_storage sa;
	int			len = loopback(n->cluster, *port, &sa);
	socklen_t	bound_len = sizeof(sa);
	struct evconnlistener *l;

	l = evconnlistener_new_bind(n->cluster->base, on_connection, n,
								LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, BACKLOG, (struct sockaddr *) &sa, len);
	if (l == NULL)
		cb_log("cannot listen on %s:%u: %s", n->cluster->url_host, *port, strerror(errno));
	else if (getsockname(evconnlistener_get_fd(l), (struct sockaddr *) &sa, &bound_len) == 0)
		*port = ntohs(sa.ss_family == AF_INET6 ? ((struct sockaddr_in6 *) &sa)->sin6_port :
					  ((struct sockaddr_in *) &sa)->sin_port);
	return l;
}

bool
node_start_kv(Node *n)
{
	if (n->no_data || n->kv_listener != NULL)
		return true;
	n->kv_listener = open_listener(n, &n->kv_port, on_accept);
	if (n->kv_listener != NULL && n->tls != NULL)
		n->kvs_listener = open_listener(n, &n->kvs_port, on_accept_tls);
	return n->kv_listener != NULL && (n->tls == NULL || n->kvs_listener != NULL);
}

static void
close_listeners(Node *n)
{
	if (n->kv_listener != NULL)
		evconnlistener_free(n->kv_listener);
	if (n->kvs_listener != NULL)
		evconnlistener_free(n->kvs_listener);
	n->kv_listener = n->kvs_listener = NULL;
}

static void
enable_listener(struct evconnlistener *l, bool on)
{
	if (l == NULL)
		return;
	if (on)
		evconnlistener_enable(l);
	else
		evconnlistener_disable(l);
}

void
node_free(Node *n)
{
	close_listeners(n);
	tls_forget(n);
	node_freeze(n, false);
	node_forget_addresses(n);
	node_clear_faults(n);
	free(n);
}

/* ---------------------------------------------------------------- faults */

void
node_pause(Node *n, bool paused)
{
	if (n->paused == paused || n->killed)
		return;
	n->paused = paused;
	enable_listener(n->kv_listener, !paused);
	enable_listener(n->kvs_listener, !paused);
	for (Conn *c = n->conns, *next; c != NULL; c = next)
	{
		next = c->next;
		conn_set_paused(c, paused);
	}
	http_node_paused(n, paused);
	query_node_paused(n, paused);
	pending_recheck(n->cluster);
}

void
node_kill(Node *n, bool failover)
{
	if (!n->killed)
	{
		n->killed = true;
		n->paused = n->refusing = false;
		close_listeners(n);
		http_node_stopped(n);
		query_node_stopped(n);
		node_drop_connections(n);
	}
	if (failover)
		cluster_failover(n);
	pending_recheck(n->cluster);
}

void
node_refuse(Node *n, bool refuse)
{
	if (n->killed || n->refusing == refuse)
		return;
	if (refuse)
		close_listeners(n);
	else if (!node_start_kv(n))
		return;
	n->refusing = refuse;
	http_node_refuse(n, refuse);
	query_node_refuse(n, refuse);
	if (n->paused)
	{
		enable_listener(n->kv_listener, false);
		enable_listener(n->kvs_listener, false);
	}
}

bool
node_revive(Node *n)
{
	Cluster    *cl = n->cluster;

	if (n->killed)
	{
		if (!node_start_kv(n) || !http_node_started(n) || !query_node_started(n))
			return false;
		n->killed = false;
	}
	if (n->failed_over)
	{
		n->failed_over = false;
		for (Bucket *b = cl->buckets; b != NULL; b = b->next)
			bucket_restore_map(b);
		cluster_config_changed(cl, NULL);
	}
	pending_recheck(cl);
	return true;
}

void
node_drop_connections(Node *n)
{
	conn_close_matching(n, NULL, NULL);
}

void
node_rekey(Node *n)
{
	for (Conn *c = n->conns, *next; c != NULL; c = next)
	{
		next = c->next;
		conn_rekey(c);
	}
}

void
node_add_fault(Node *n, const Fault *f)
{
	Fault	  **at = &n->faults;

	while (*at != NULL)
		at = &(*at)->next;
	*at = xmalloc(sizeof(Fault));
	**at = *f;
	(*at)->next = NULL;
}

void
node_add_wire_fault(Node *n, WireFaultKind kind, uint64_t after, int connections)
{
	WireFault **at = &n->wire_faults;

	while (*at != NULL)
		at = &(*at)->next;
	*at = xcalloc(1, sizeof(WireFault));
	(*at)->kind = kind;
	(*at)->after = after;
	(*at)->remaining = connections;
}

/* The fault of a new connection, counted down; NULL for none. */
const WireFault *
node_match_wire_fault(Node *n)
{
	for (WireFault *f = n->wire_faults; f != NULL; f = f->next)
	{
		if (f->remaining == 0)
			continue;
		if (f->remaining > 0)
			f->remaining--;
		return f;
	}
	return NULL;
}

void
node_clear_faults(Node *n)
{
	while (n->wire_faults != NULL)
	{
		WireFault  *next = n->wire_faults->next;

		free(n->wire_faults);
		n->wire_faults = next;
	}
	n->http_fault.remaining = 0;
	query_fault_clear(n);
	while (n->faults != NULL)
	{
		Fault	   *next = n->faults->next;

		free(n->faults);
		n->faults = next;
	}
}

/* The first fault that applies to this request, counted down; NULL for none. */
Fault *
node_match_fault(Node *n, uint8_t opcode)
{
	for (Fault *f = n->faults; f != NULL; f = f->next)
	{
		if (f->remaining == 0 || (f->opcode >= 0 && f->opcode != opcode))
			continue;
		if (f->skip > 0)
		{
			f->skip--;
			continue;
		}
		if (f->remaining > 0)
			f->remaining--;
		return f;
	}
	return NULL;
}
