/*
 * ping.c
 *		Which nodes answer: a NOOP (or VERSION) to each of them, all at the same time.
 */
#include "postgres.h"

#include "diag.h"
#include "handle.h"

/* One node while it is being asked. */
typedef struct Ping
{
	KvConn	   *conn;
	ClusterPing *result;
	uint8		opcode;			/* of the request */
	int64		started;		/* wait_now() when the connection was asked for; 0: it was there already */
	int64		sent;			/* wait_now() of the request; 0: not yet */
	bool		done;
} Ping;

static void
find_config(void *arg)
{
	cluster_bootstrap((ClusterHandle *) arg, NULL);
}

void
kv_ping_answer(KvConn *conn, int number, const CbPacket *packet)
{
	if (number != conn->ping_number)
		return;
	conn->ping_answered = wait_now();
	conn->ping_status = packet->status;
	if (packet->opcode == CB_OP_VERSION && packet->status == CB_STATUS_SUCCESS)
		pg_snprintf(conn->version, sizeof(conn->version), "%.*s", (int) packet->value.len,
					(const char *) packet->value.data);
}

static void
begin(Ping *ping)
{
	ping->sent = 0;
	ping->started = 0;
	if (ping->conn->state == KV_CONN_READY)
		return;
	/* The user asks now: an earlier failure is no reason not to try. */
	ping->started = wait_now();
	ping->conn->retry_after = 0;
	(void) kv_conn_want(ping->conn);
}

static void
finish(Ping *ping, const char *state, const char *error)
{
	ping->result->state = state;
	ping->result->error = error;
	ping->done = true;
}

static void
send_request(Ping *ping)
{
	KvConn	   *conn = ping->conn;
	uint32		opaque;

	if (ping->started != 0)
		ping->result->connect_us = wait_now() - ping->started;
	conn->ping_number++;
	conn->ping_answered = 0;
	opaque = kv_conn_request(conn, NULL, conn->ping_number, ping->opcode, KV_REPLY_PING);
	kv_conn_requested(conn, opaque, ping->opcode == CB_OP_VERSION ? cb_kv_version(&conn->out, opaque)
					  : cb_kv_noop(&conn->out, opaque));
	ping->sent = wait_now();
}

/* The connection is closed. One that was open before may have been cut while it was idle: that says nothing. */
static void
closed(Ping *ping)
{
	const KvFailure *failure = &ping->conn->failure;

	if (ping->started == 0)
		begin(ping);
	else if (ping->conn->retired)
		finish(ping, "error", "the node has left the cluster");
	else if (failure->sqlstate == 0)
		finish(ping, "error", "the connection was closed");
	else
		finish(ping, strcmp(failure->text, "no answer in time") == 0 ? "timeout" : "error",
			   psprintf("%s: %s", failure->step, cluster_printable_cstr(failure->text)));
}

/* Goes on as far as it can without waiting; returns when it wants to be called again at the latest. */
static int64
advance(Ping *ping, int64 patience)
{
	KvConn	   *conn = ping->conn;
	int64		now = wait_now();

	if (conn->state == KV_CONN_CLOSED)
		closed(ping);
	else if (conn->state != KV_CONN_READY)
		return WAIT_FOREVER;	/* ends by the connection's own deadline */
	else if (ping->sent == 0)
		send_request(ping);
	else if (conn->ping_answered != 0)
	{
		ping->result->latency_us = conn->ping_answered - ping->sent;
		if (conn->ping_status == CB_STATUS_SUCCESS)
			finish(ping, "ok", NULL);
		else
			finish(ping, "error", psprintf("operation: the node refused the request (status %02x)", conn->ping_status));
	}
	else if (now >= ping->sent + patience)
		finish(ping, "timeout", "operation: no answer in time");
	return ping->done ? WAIT_FOREVER : ping->sent != 0 ? ping->sent + patience : now;
}

static void
run(ClusterHandle *handle, Ping *pings, int n)
{
	for (;;)
	{
		int64		deadline = WAIT_FOREVER;
		bool		busy = false;

		for (int i = 0; i < n; i++)
		{
			if (!pings[i].done)
				deadline = Min(deadline, advance(&pings[i], handle->settings->kv_timeout));
			busy |= !pings[i].done;
		}
		if (!busy)
			return;
		handle_wait(handle, deadline, false, NULL);
	}
}

/* The nodes to ask: those of the configuration, else whomever we have tried to get one from. */
static int
choose(ClusterHandle *handle, Ping *pings)
{
	int			n = 0;

	if (handle->config != NULL)
	{
		for (size_t i = 0; i < handle->config->nnodes; i++)
		{
			if (handle->node_conns[i] != NULL)
				pings[n++].conn = handle->node_conns[i];
		}
		return n;
	}
	for (int i = 0; i < handle->nconns; i++)
		pings[n++].conn = handle->conns[i];
	return n;
}

List *
cluster_ping(ClusterHandle *handle)
{
	return ping_nodes(handle, CB_OP_NOOP);
}

List *
ping_nodes(ClusterHandle *handle, uint8 opcode)
{
	char	   *reason;
	List	   *results = NIL;
	Ping	   *pings;
	int			n;

	handle->insists = true;
	reason = handle->config ? NULL : cluster_try(find_config, handle);
	pings = palloc0(sizeof(Ping) * Max(handle->config ? (int) handle->config->nnodes : handle->nconns, 1));
	n = choose(handle, pings);
	for (int i = 0; i < n; i++)
	{
		ClusterPing *result = palloc0(sizeof(ClusterPing));

		pings[i].result = result;
		pings[i].opcode = opcode;
		result->node = pstrdup(pings[i].conn->name);
		result->connect_us = result->latency_us = -1;
		results = lappend(results, result);
		/* What was found out just now need not be found out again. */
		if (handle->config == NULL && pings[i].conn->state == KV_CONN_CLOSED && pings[i].conn->failure.sqlstate != 0)
		{
			pings[i].started = 1;
			closed(&pings[i]);
		}
		else
			begin(&pings[i]);
	}
	run(handle, pings, n);
	handle->insists = false;
	if (results == NIL)
	{
		ClusterPing *result = palloc0(sizeof(ClusterPing));

		result->state = "error";
		result->error = reason ? reason : "no node serves the bucket";
		result->connect_us = result->latency_us = -1;
		results = list_make1(result);
	}
	return results;
}
