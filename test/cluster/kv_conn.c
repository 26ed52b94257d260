/*
 * kv_conn.c: connections of the data port: bytes in, packets cut out of them, bytes out. Nothing here knows what a
 * request means. A connection works off its input until a request is kept for later, the output grows too long, or
 * a fault switch makes it wait.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core.h"

#define READ_SIZE (128 * 1024)
#define MAX_WAITING (1024 * 1024)		/* input kept while the connection is blocked */
#define OUT_HIGH (8 * 1024 * 1024)		/* output at which requests wait */
#define OUT_LOW (1024 * 1024)			/* and at which they go on */
#define MAX_PREAUTH_BODY 1000

static void on_read(evutil_socket_t fd, short what, void *arg);
static void on_write(evutil_socket_t fd, short what, void *arg);
static void on_delay(evutil_socket_t fd, short what, void *arg);

void
conn_accepted(Node *n, int fd, const char *peer, bool tls)
{
	Conn	   *c = xcalloc(1, sizeof(*c));
	int			one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	evutil_make_socket_nonblocking(fd);
	c->node = n;
	c->fd = fd;
	memcpy(c->peer, peer, strnlen(peer, sizeof(c->peer) - 1));
	c->out = evbuffer_new();
	io_open(c, tls);
	c->ev_read = event_new(n->cluster->base, fd, EV_READ | EV_PERSIST, on_read, c);
	c->ev_write = event_new(n->cluster->base, fd, EV_WRITE, on_write, c);
	c->ev_delay = evtimer_new(n->cluster->base, on_delay, c);
	c->next = n->conns;
	c->prev = &n->conns;
	if (n->conns != NULL)
		n->conns->prev = &c->next;
	n->conns = c;
	n->accepted++;
	event_add(c->ev_read, NULL);
}

/* ---------------------------------------------------------------- end of a connection */

static void
req_free(Req *r)
{
	Conn	   *c = r->conn;

	*r->kept_prev = r->kept_next;
	if (r->kept_next != NULL)
		r->kept_next->kept_prev = r->kept_prev;
	for (Req **at = &c->draining; *at != NULL; at = &(*at)->drain_next)
	{
		if (*at == r)
		{
			*at = r->drain_next;
			break;
		}
	}
	c->kept--;
	c->kept_ordered -= r->ordered;
	free(r->inflated);
	free(r);
}

static void
conn_free(Conn *c)
{
	free(c->in);
	evbuffer_free(c->out);
	free(c);
}

void
conn_close(Conn *c)
{
	if (c->dead)
		return;
	c->dead = true;
	*c->prev = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	event_free(c->ev_read);
	event_free(c->ev_write);
	event_free(c->ev_delay);
	close(c->fd);
	io_close(c);
	sasl_forget(c);
	while (c->kept_list != NULL)
	{
		Req		   *r = c->kept_list;

		if (r->on_cancel != NULL)
			r->on_cancel(r);
		req_free(r);
	}
	if (c->busy == 0)
		conn_free(c);
}

/* Keeps the connection's memory until conn_release(); false if it is gone already. */
bool
conn_hold(Conn *c)
{
	c->busy++;
	return !c->dead;
}

void
conn_release(Conn *c)
{
	if (--c->busy == 0 && c->dead)
		conn_free(c);
}

void
conn_close_matching(Node *n, const Bucket *b, const User *u)
{
	struct linger reset = {1, 0};

	for (Conn *c = n->conns, *next; c != NULL; c = next)
	{
		next = c->next;
		if ((b != NULL && c->bucket != b) || (u != NULL && c->user != u))
			continue;
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		conn_close(c);
	}
}

/* ---------------------------------------------------------------- output */

size_t
conn_backlog(const Conn *c)
{
	return evbuffer_get_length(c->out);
}

void
conn_flush(Conn *c)
{
	if (c->dead || c->node->paused)
		return;
	if (!io_flush(c))
	{
		conn_close(c);
		return;
	}
	if (io_pending(c) > 0)
		event_add(c->ev_write, NULL);
	else if (c->closing && !c->muted)
	{
		io_goodbye(c);
		conn_close(c);
	}
}

void
req_on_drain(Req *r, ReqFn fn)
{
	Conn	   *c = r->conn;
	Req		  **at = &c->draining;

	r->on_drain = fn;
	r->drain_next = NULL;
	while (*at != NULL)
		at = &(*at)->drain_next;
	*at = r;
	if (!c->dead && !c->node->paused)
		event_add(c->ev_write, NULL);
}

/* Calls those that waited for room; each may wait again, so only as many as there are now. */
static void
run_draining(Conn *c)
{
	unsigned	n = 0;

	for (Req *r = c->draining; r != NULL; r = r->drain_next)
		n++;
	while (n-- > 0 && c->draining != NULL && !c->dead && evbuffer_get_length(c->out) < OUT_LOW)
	{
		Req		   *r = c->draining;

		c->draining = r->drain_next;
		r->on_drain(r);
	}
}

static void
on_write(evutil_socket_t fd, short what, void *arg)
{
	Conn	   *c = arg;

	(void) fd;
	(void) what;
	if (c->node->paused)
		return;
	conn_hold(c);
	conn_flush(c);
	if (!c->dead && evbuffer_get_length(c->out) < OUT_LOW)
	{
		c->stalled = false;
		run_draining(c);
		conn_flush(c);
	}
	if (!c->dead && c->draining != NULL)
		event_add(c->ev_write, NULL);
	c->busy--;
	if (c->dead)
	{
		if (c->busy == 0)
			conn_free(c);
		return;
	}
	conn_process(c);
}

/* ---------------------------------------------------------------- waiting */

static void
wait_ms(Conn *c, unsigned ms)
{
	struct timeval tv = {(time_t) (ms / 1000), (suseconds_t) (ms % 1000) * 1000};

	evtimer_add(c->ev_delay, &tv);
}

static void
on_delay(evutil_socket_t fd, short what, void *arg)
{
	Conn	   *c = arg;

	(void) fd;
	(void) what;
	if (c->node->delay_ms != 0)
		c->delay_bytes = c->in_used - c->in_pos;
	conn_process(c);
}

/* Must this request wait, for an earlier one, for room, or for a fault switch? */
static bool
must_wait(Conn *c, const uint8_t *packet, size_t len)
{
	if (c->node->paused || c->hung || evtimer_pending(c->ev_delay, NULL))
		return true;
	if (evbuffer_get_length(c->out) > OUT_HIGH)
		c->stalled = true;
	if (c->stalled)
		return true;
	if (c->kept > 0 && (c->kept_ordered > 0 || !kv_reorderable(c, packet, len)))
		return true;
	if (c->node->delay_ms != 0 && c->delay_bytes < len)
	{
		wait_ms(c, c->node->delay_ms);
		return true;
	}
	return false;
}

void
conn_rekey(Conn *c)
{
	io_rekey(c);
	if (!c->node->paused)
		conn_flush(c);
}

void
conn_set_paused(Conn *c, bool paused)
{
	if (paused)
	{
		event_del(c->ev_read);
		event_del(c->ev_write);
		return;
	}
	event_add(c->ev_write, NULL);
	event_add(c->ev_read, NULL);
}

/* ---------------------------------------------------------------- input */

/*
 * Length of the packet at the front, 0 if it is not complete, or SIZE_MAX if the connection has to be closed:
 * wrong magic, too long, or parts longer than the body.
 */
static size_t
packet_length(const Conn *c, const uint8_t *p, size_t have)
{
	size_t		body;
	size_t		parts;

	if (have < KV_HEADER)
		return 0;
	if (p[0] != MAGIC_REQ && p[0] != MAGIC_REQ_FLEX && p[0] != MAGIC_RES && p[0] != MAGIC_RES_FLEX &&
		p[0] != MAGIC_SERVER_RES)
		return SIZE_MAX;
	body = get32(p + 8);
	if (body > CB_MAX_PACKET - KV_HEADER || (c->user == NULL && body > MAX_PREAUTH_BODY))
		return SIZE_MAX;
	parts = p[4] + (size_t) (p[0] == MAGIC_REQ_FLEX || p[0] == MAGIC_RES_FLEX ? p[2] + p[3] : get16(p + 2));
	if (parts > body)
		return SIZE_MAX;
	return have < KV_HEADER + body ? 0 : KV_HEADER + body;
}

/* Works on the packet at the front; false when there is none or it has to wait. */
static bool
one_packet(Conn *c)
{
	const uint8_t *packet = c->in + c->in_pos;
	size_t		len = packet_length(c, packet, c->in_used - c->in_pos);
	Fault	   *fault = NULL;

	if (len == SIZE_MAX)
	{
		c->closing = true;
		return false;
	}
	if (len == 0 || must_wait(c, packet, len))
		return false;
	if (packet[0] == MAGIC_REQ || packet[0] == MAGIC_REQ_FLEX)
	{
		if (!c->fault_passed)
			fault = node_match_fault(c->node, packet[1]);
		if (fault != NULL && fault->kind == FAULT_DELAY)
		{
			c->fault_passed = true;
			wait_ms(c, fault->delay_ms);
			return false;
		}
		c->fault_passed = false;
		c->node->requests++;
		kv_dispatch(c, packet, len, fault);
	}
	c->delay_bytes = c->delay_bytes > len ? c->delay_bytes - len : 0;
	c->in_pos += len;
	return true;
}

static void
compact(Conn *c)
{
	size_t		left = c->in_used - c->in_pos;

	if (left > 0 && c->in_pos > 0)
		memmove(c->in, c->in + c->in_pos, left);
	c->in_pos = 0;
	c->in_used = left;
	if (left == 0 && c->in_size > 2 * READ_SIZE)
	{
		free(c->in);
		c->in = NULL;
		c->in_size = 0;
	}
}

void
conn_process(Conn *c)
{
	if (c->busy > 0 || c->dead)
		return;
	conn_hold(c);
	while (!c->dead && !c->closing && one_packet(c))
		;
	if (!c->dead)
	{
		bool		blocked = c->hung || c->stalled || c->kept > 0 || evtimer_pending(c->ev_delay, NULL);

		compact(c);
		if (c->closing || c->node->paused || (blocked && c->in_used > MAX_WAITING))
			event_del(c->ev_read);
		else
			event_add(c->ev_read, NULL);
	}
	conn_flush(c);
	conn_release(c);
}

static void
on_read(evutil_socket_t fd, short what, void *arg)
{
	Conn	   *c = arg;
	ssize_t		n;

	(void) fd;
	(void) what;
	if (c->in_size - c->in_used < READ_SIZE / 2)
	{
		c->in_size = c->in_size ? c->in_size * 2 : READ_SIZE;
		c->in = xrealloc(c->in, c->in_size);
	}
	n = io_recv(c, c->in + c->in_used, c->in_size - c->in_used);
	if (n < 0)
	{
		conn_close(c);
		return;
	}
	c->in_used += (size_t) n;
	conn_process(c);
}

/* ---------------------------------------------------------------- kept requests */

Req *
req_keep(Req *r, ReqFn on_cancel, void *arg)
{
	Conn	   *c = r->conn;
	const uint8_t *packet = r->packet;
	Req		   *k = xmalloc(sizeof(Req) + r->packet_len);
	uint8_t    *copy = (uint8_t *) (k + 1);

	*k = *r;
	memcpy(copy, packet, r->packet_len);
	k->packet = copy;
	k->frames = copy + (r->frames - packet);
	k->ext = copy + (r->ext - packet);
	k->raw_key = copy + (r->raw_key - packet);
	k->key = copy + (r->key - packet);
	k->wire_val = copy + (r->wire_val - packet);
	k->val = r->inflated != NULL ? r->val : copy + (r->val - packet);
	r->inflated = NULL;
	r->kept = k->kept = true;
	k->ordered = !kv_reorderable(c, copy, r->packet_len);
	k->on_cancel = on_cancel;
	k->arg = arg;
	k->kept_next = c->kept_list;
	k->kept_prev = &c->kept_list;
	if (c->kept_list != NULL)
		c->kept_list->kept_prev = &k->kept_next;
	c->kept_list = k;
	c->kept++;
	c->kept_ordered += k->ordered;
	return k;
}

void
req_done(Req *r)
{
	Conn	   *c = r->conn;

	req_free(r);
	conn_process(c);
}
