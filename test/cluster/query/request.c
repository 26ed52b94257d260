/*
 * request.c: the life of a request: its coroutine, its turns, what is sent when, what ends it early.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>

#include "../http_node.h"
#include "catalog.h"

#define FLUSH_US 100000				/* rows do not wait longer than this */

/* ---------------------------------------------------------------- the end */

static void
request_free(QueryRequest *r)
{
	QueryRequest **at = &r->qn->requests;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	if (r->gone != NULL)
		event_free(r->gone);
	event_free(r->go);
	if (r->co != NULL)
		coroutine_free(r->co);
	evbuffer_free(r->out);
	query_errors_free(r->errors);
	query_errors_free(r->warnings);
	query_params_free(&r->params);
	free(r->fault.msg);
	free(r);
}

static void
cut_off(QueryRequest *r)
{
	if (r->req != NULL)
		evhttp_connection_free(evhttp_request_get_connection(r->req));
}

/* Sends no more than the fault lets through, and then ends the connection. */
static void
send_cut(QueryRequest *r)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(evhttp_request_get_connection(r->req));
	struct evbuffer *part;

	if (r->sent + evbuffer_get_length(r->out) <= r->fault.after)
		return;
	if (!r->sending)
		evhttp_send_reply_start(r->req, r->http != 0 ? r->http : 200, NULL);
	r->sending = true;
	part = evbuffer_new();
	evbuffer_remove_buffer(r->out, part, r->fault.after - r->sent);
	evhttp_send_reply_chunk(r->req, part);
	evbuffer_free(part);
	if (bufferevent_openssl_get_ssl(bev) == NULL)
		evbuffer_write(bufferevent_get_output(bev), bufferevent_getfd(bev));
	cut_off(r);
}

/* The answer is complete: what is left of it goes out. */
static void
request_done(QueryRequest *r)
{
	struct evhttp_request *req;

	if (r->req != NULL && r->fault.kind == QUERY_FAULT_CUT)
		send_cut(r);
	req = r->req;
	if (req != NULL)
	{
		struct evhttp_connection *c = evhttp_request_get_connection(req);

		event_free(r->gone);
		r->gone = NULL;
		evhttp_connection_set_closecb(c, NULL, NULL);
		if (r->sending)
		{
			if (evbuffer_get_length(r->out) > 0)
				evhttp_send_reply_chunk(req, r->out);
			evhttp_send_reply_end(req);
		}
		else if (evbuffer_get_length(r->out) > QUERY_WHOLE)
		{
			evhttp_send_reply_start(req, r->http != 0 ? r->http : 200, NULL);
			evhttp_send_reply_chunk(req, r->out);
			evhttp_send_reply_end(req);
		}
		else
			evhttp_send_reply(req, r->http != 0 ? r->http : 200, NULL, r->out);
	}
	request_free(r);
}

/* The connection is being freed, by the client or by us. */
static void
on_closed(struct evhttp_connection *c, void *arg)
{
	QueryRequest *r = arg;
	struct evhttp_request *req = r->req;

	(void) c;
	event_free(r->gone);
	r->gone = NULL;
	r->req = NULL;
	if (evhttp_request_get_connection(req) == NULL)
		evhttp_request_free(req);
	query_request_stop(r, END_CLOSED);
}

static void
on_gone(evutil_socket_t fd, short what, void *arg)
{
	QueryRequest *r = arg;

	(void) fd;
	(void) what;
	evhttp_connection_free(evhttp_request_get_connection(r->req));
}

/* ---------------------------------------------------------------- turns */

static void
schedule(QueryRequest *r, int64_t us)
{
	struct timeval tv = {us / 1000000, us % 1000000};

	event_add(r->go, &tv);
}

static void
run(void *arg)
{
	query_run(arg);
}

static void
on_go(evutil_socket_t fd, short what, void *arg)
{
	QueryRequest *r = arg;

	(void) fd;
	(void) what;
	if (r->qn->paused && r->end != END_CLOSED)
	{
		r->parked = !r->held;
		return;
	}
	if (r->wait == WAIT_CLIENT && r->end != END_CLOSED)
	{
		/* It has taken nothing for too long. */
		cut_off(r);
		return;
	}
	r->held = false;
	if (r->co == NULL)
		r->co = coroutine_new(run, r);
	r->wait = WAIT_NOTHING;
	r->slice_us = query_now_us();
	r->working = true;
	if (!coroutine_resume(r->co))
	{
		request_done(r);
		return;
	}
	r->working = false;
	if (r->wait == WAIT_NOTHING)
		schedule(r, 0);
	else if (r->wait == WAIT_TIME)
		schedule(r, r->wake_at_us > r->slice_us ? r->wake_at_us - r->slice_us : 0);
	else
		schedule(r, r->params.timeout_ns > 0 ? r->params.timeout_ns / 1000 : r->cluster->slow_client_ms * 1000ll);
}

static void
on_drained(struct evhttp_connection *c, void *arg)
{
	QueryRequest *r = arg;

	(void) c;
	if (r->wait != WAIT_CLIENT)
		return;
	r->wait = WAIT_NOTHING;
	schedule(r, 0);
}

void
query_request_stop(QueryRequest *r, QueryEnd why)
{
	if (r->end == END_NOT_YET || why == END_CLOSED)
		r->end = why;
	if (r->wait == WAIT_CLIENT && why != END_CLOSED)
		return;
	if (r->held && why == END_CANCELLED)
		return;
	r->held = false;
	if (!r->working)
		schedule(r, 0);
}

void
query_request_finish(QueryRequest *r)
{
	r->end = END_CLOSED;
	if (r->co != NULL)
	{
		do
			r->slice_us = query_now_us();
		while (coroutine_resume(r->co));
	}
	request_free(r);
}

void
query_request_resume(QueryRequest *r)
{
	if (r->parked || (r->held && r->fault.kind != QUERY_FAULT_SILENT))
		schedule(r, 0);
	r->parked = false;
}

/* ---------------------------------------------------------------- from inside the coroutine */

void
query_pause(QueryRequest *r, int64_t us)
{
	if (r->end == END_CLOSED)
		return;
	r->wait = us > 0 ? WAIT_TIME : WAIT_NOTHING;
	r->wake_at_us = query_now_us() + us;
	coroutine_pause(r->co);
}

bool
query_stopped(QueryRequest *r)
{
	int64_t		now = query_now_us();

	if (r->end == END_NOT_YET && now - r->slice_us >= QUERY_SLICE_US)
	{
		if (r->results_open && r->result_count > 0 && now - r->flush_us > FLUSH_US)
			query_send(r, false);
		query_pause(r, 0);
		now = query_now_us();
	}
	if (r->end == END_NOT_YET && r->deadline_us != 0 && now >= r->deadline_us)
		r->end = END_TIMEOUT;
	return r->end != END_NOT_YET;
}

bool
query_send(QueryRequest *r, bool wait)
{
	if (r->req != NULL && !r->sending)
	{
		evhttp_send_reply_start(r->req, r->http != 0 ? r->http : 200, NULL);
		r->sending = true;
	}
	if (r->req != NULL && r->fault.kind == QUERY_FAULT_CUT)
		send_cut(r);
	if (r->req == NULL)
	{
		evbuffer_drain(r->out, evbuffer_get_length(r->out));
		return false;
	}
	r->sent += evbuffer_get_length(r->out);
	r->flush_us = query_now_us();
	evhttp_send_reply_chunk_with_cb(r->req, r->out, on_drained, r);
	if (wait)
	{
		r->wait = WAIT_CLIENT;
		coroutine_pause(r->co);
	}
	return r->req != NULL;
}

/* ---------------------------------------------------------------- the beginning */

static void
keep_headers(QueryRequest *r, HttpReq *h)
{
	struct evkeyvalq *in = evhttp_request_get_input_headers(h->req);
	struct evkeyvalq *out = evhttp_request_get_output_headers(h->req);
	const char *agent = evhttp_find_header(in, "User-Agent");
	char	   *address;
	uint16_t	port;

	evhttp_connection_get_peer(evhttp_request_get_connection(h->req), &address, &port);
	snprintf(r->remote, sizeof(r->remote), "%s:%u", address, port);
	snprintf(r->agent, sizeof(r->agent), "%s", agent != NULL ? agent : "");
	evhttp_add_header(out, "Content-Type", "application/json; version=" QUERY_VERSION);
}

static void
take_fault(QueryRequest *r)
{
	QueryFault *f = &r->qn->fault;

	if (f->kind == QUERY_FAULT_NONE || f->remaining == 0)
		return;
	if (f->remaining > 0)
		f->remaining--;
	r->fault = *f;
	r->fault.msg = f->msg != NULL ? xstrdup(f->msg) : NULL;
}

static bool
knows_prepared(void *arg, const char *prepared, const char *context)
{
	return prepared_find(arg, prepared, context) != NULL;
}

/* Parameters, then who asks; the first thing that is wrong becomes the request's error. */
static void
check_request(QueryRequest *r, HttpReq *h)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(h->req);
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(h->req);
	QueryBody	body = {
		.get = evhttp_request_get_command(h->req) == EVHTTP_REQ_GET,
		.type = evhttp_find_header(evhttp_request_get_input_headers(h->req), "Content-Type"),
		.query = uri != NULL ? evhttp_uri_get_query(uri) : NULL,
		.len = evbuffer_get_length(in)
	};

	r->params.knows = knows_prepared;
	r->params.arg = r->cluster;
	body.body = body.len > 0 ? (const char *) evbuffer_pullup(in, -1) : "";
	if (query_params_read(&r->params, &body))
	{
		if (!http_authenticate(h) || h->user == NULL)
			query_params_fail(&r->params, 2120, "Error authorizing against cluster  - cause: Failure to authenticate user");
		else
			query_params_consistency(&r->params);
	}
	if (h->user != NULL)
		snprintf(r->user, sizeof(r->user), "%s", h->user->name);
	if (r->params.error != NULL)
	{
		query_add_error(r, r->params.error);
		r->params.error = NULL;
	}
}

void
query_request_begin(QueryNode *qn, HttpReq *h)
{
	struct evhttp_connection *c = evhttp_request_get_connection(h->req);
	QueryRequest *r = xcalloc(1, sizeof(*r));

	r->qn = qn;
	r->cluster = h->cluster;
	r->node = h->node;
	r->req = h->req;
	r->out = evbuffer_new();
	random_uuid(r->id);
	r->start_us = query_now_us();
	r->flush_us = r->start_us;
	r->start_wall_ms = cb_now_ms(h->cluster);
	r->go = event_new(h->cluster->base, -1, 0, on_go, r);
	r->gone = event_new(h->cluster->base, bufferevent_getfd(evhttp_connection_get_bufferevent(c)), EV_CLOSED, on_gone, r);
	event_add(r->gone, NULL);
	evhttp_connection_set_closecb(c, on_closed, r);
	keep_headers(r, h);
	check_request(r, h);
	take_fault(r);
	r->deadline_us = r->params.timeout_ns > 0 ? r->start_us + r->params.timeout_ns / 1000 : 0;
	r->next = qn->requests;
	qn->requests = r;
	qn->served++;
	r->held = true;
	if (qn->paused || r->fault.kind == QUERY_FAULT_SILENT)
		return;
	schedule(r, r->fault.kind == QUERY_FAULT_DELAY ? r->fault.delay_ms * 1000ll : 0);
}
