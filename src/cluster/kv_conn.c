/*
 * kv_conn.c
 *		One node connection as a state machine: name look-up, TCP, handshake, then requests and answers. Nothing here
 *		waits; handle.c does, for all connections of a handle at once.
 *
 * Received bytes stay where the kernel put them: an answer holds a reference to its block until its operation has
 * used it, whichever of the operations on this connection that is.
 */
#include "postgres.h"

#include <errno.h>

#include "down.h"
#include "op.h"
#include "utils/timestamp.h"

#define BLOCK_SIZE			(256 * 1024)
#define MAX_FREE_BLOCKS		8
/* Less room than this at the end of a block is not worth a read. */
#define MIN_READ			(16 * 1024)
/* A send buffer larger than this is given back when it is empty. */
#define KEEP_OUT			(256 * 1024)
#define MAX_REQUESTS		65536
/* A connection that was not used for so long (microseconds) is looked at before it is. */
#define RESTED				100000

#define MIN_RECONNECT_DELAY	50000
#define MAX_RECONNECT_DELAY	500000

/* ---- blocks ---- */

static KvBlock *
block_get(ClusterHandle *handle, size_t size)
{
	KvBlock    *block = handle->free_blocks;

	if (block != NULL && size <= block->capacity)
	{
		handle->free_blocks = block->next_free;
		handle->nfree_blocks--;
	}
	else
	{
		size_t		capacity = Max(size, BLOCK_SIZE);

		block = MemoryContextAllocHuge(handle->cxt, sizeof(KvBlock) + capacity);
		block->capacity = capacity;
		block->data = (uint8 *) (block + 1);
	}
	block->next_free = NULL;
	block->refs = 1;
	block->filled = 0;
	return block;
}

void
kv_block_release(ClusterHandle *handle, KvBlock *block)
{
	if (block == NULL || --block->refs > 0)
		return;
	if (block->capacity == BLOCK_SIZE && handle->nfree_blocks < MAX_FREE_BLOCKS)
	{
		block->next_free = handle->free_blocks;
		handle->free_blocks = block;
		handle->nfree_blocks++;
	}
	else
		pfree(block);
}

/* ---- life ---- */

KvConn *
kv_conn_create(ClusterHandle *handle, const char *host, uint16 port)
{
	MemoryContext old = MemoryContextSwitchTo(handle->cxt);
	KvConn	   *conn = palloc0(sizeof(KvConn));

	conn->handle = handle;
	conn->host = pstrdup(host);
	conn->port = port;
	conn->name = psprintf(strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
	conn->state = KV_CONN_CLOSED;
	conn->step = "connect";
	conn->free_request = -1;
	sock_init(&conn->sock);
	MemoryContextSwitchTo(old);
	return conn;
}

/* Gives back what one attempt or connection holds; the object stays. */
static void
release_resources(KvConn *conn)
{
	dns_free(conn->dns);
	conn->dns = NULL;
	sock_close(&conn->sock);
	cb_scram_free(conn->scram);
	conn->scram = NULL;
	cb_buf_free_secret(&conn->out);
	cb_buf_free(&conn->mechs);
	conn->out_sent = 0;
	conn->out_base = 0;
	kv_block_release(conn->handle, conn->in);
	conn->in = NULL;
	conn->in_parsed = 0;
	conn->features = 0;
	conn->greeted = false;
	conn->authenticated = false;
	conn->mech_retried = false;
	conn->nexpected = 0;
}

static void
free_request(KvConn *conn, int index)
{
	KvRequest  *request = &conn->requests[index];

	conn->outstanding--;
	if (request->reply == KV_REPLY_SCAN || request->reply == KV_REPLY_STAT)
		conn->streaming--;
	request->reply = KV_REPLY_FREE;
	request->op = NULL;
	request->generation++;
	request->next_free = conn->free_request;
	conn->free_request = index;
}

void
kv_conn_close(KvConn *conn)
{
	bool		was_open = conn->state != KV_CONN_CLOSED;
	uint64		sent = conn->out_base + conn->out_sent;

	conn->state = KV_CONN_CLOSED;
	conn->shut = false;
	release_resources(conn);
	topology_forget_conn(conn->handle, conn);
	collection_lost(conn->handle, conn);
	if (was_open)
		conn->handle->conn_events++;
	for (int i = 0; i < conn->nrequests && conn->outstanding > 0; i++)
	{
		KvRequest  *request = &conn->requests[i];

		if (request->reply == KV_REPLY_FREE)
			continue;
		if (request->op != NULL)
			kv_op_lost(request->op, request->item, conn, request->end <= sent);
		free_request(conn, i);
	}
}

void
kv_conn_destroy(KvConn *conn)
{
	kv_conn_close(conn);
	/* the memory goes with the handle's context */
}

void
kv_conn_fail(KvConn *conn, int sqlstate, bool fatal, const char *format,...)
{
	KvFailure	failure;
	va_list		args;

	kv_failure_set(&failure, sqlstate, fatal, conn->step, "%s", "");
	va_start(args, format);
	vsnprintf(failure.text, sizeof(failure.text), format, args);
	va_end(args);
	kv_conn_fail_with(conn, &failure);
}

void
kv_conn_fail_with(KvConn *conn, const KvFailure *failure)
{
	bool		was_ready = conn->state == KV_CONN_READY;

	conn->failure = *failure;
	strlcpy(conn->failure.node, conn->name, sizeof(conn->failure.node));
	if (was_ready)
		conn->retry_after = 0;
	else
	{
		int64		delay = MIN_RECONNECT_DELAY << Min(conn->failures, 10);

		conn->failures++;
		conn->retry_after = wait_now() + Min(delay, MAX_RECONNECT_DELAY);
		down_tried(conn, wait_now() - conn->started);
	}
	kv_conn_close(conn);
}

/* ---- connecting ---- */

/* The node is not to blame for the lack of descriptors. */
static void
set_connect_failure(KvConn *conn, int error)
{
	bool		ours = error == EMFILE || error == ENFILE;

	kv_failure_set(&conn->failure, ours ? ERRCODE_INSUFFICIENT_RESOURCES
				   : ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, false, conn->step, "%s", strerror(error));
	if (ours)
		conn->failure.hint = "A session may have a third of \"max_files_per_process\" connections.";
}

static void
connect_next_address(KvConn *conn)
{
	const CbSettings *settings = conn->handle->settings;
	SockOptions options;
	int			error = 0;

	options.nodelay = settings->tcp_nodelay;
	options.keepalive = settings->tcp_keepalive;
	options.keepalive_idle = (int) Min(Max(settings->tcp_keepalive_interval / 1000000, 1), 32767);

	while (conn->next_address < conn->naddresses)
	{
		int			left = conn->naddresses - conn->next_address;
		const SockAddress *address = &conn->addresses[conn->next_address++];

		conn->step = "TCP connect";
		error = sock_connect(&conn->sock, address, &options);
		if ((error == EMFILE || error == ENFILE) && handle_spare_connection(conn->handle))
			error = sock_connect(&conn->sock, address, &options);
		if (error == 0)
		{
			int64		now = wait_now();
			int64		share = Max((conn->deadline - now) / left, 1000);

			conn->address_deadline = now + Min(share, settings->connect_timeout);
			conn->state = KV_CONN_CONNECTING;
			return;
		}
		set_connect_failure(conn, error);
		conn->lost_address = true;
	}
	if (conn->lost_address)
	{
		KvFailure	failure = conn->failure;

		kv_conn_fail_with(conn, &failure);
	}
	else
		kv_conn_fail(conn, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, false,
					 "the name has no usable address");
}

void
kv_conn_address_failed(KvConn *conn, const KvFailure *failure)
{
	sock_close(&conn->sock);
	conn->failure = *failure;
	conn->lost_address = true;
	connect_next_address(conn);
}

static void
address_failed(KvConn *conn, const char *why)
{
	KvFailure	failure;

	kv_failure_set(&failure, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, false, conn->step, "%s", why);
	kv_conn_address_failed(conn, &failure);
}

static void
resolved(KvConn *conn)
{
	const char *failure = dns_failure(conn->dns);

	if (failure != NULL)
	{
		kv_conn_fail(conn, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, false, "%s", failure);
		return;
	}
	conn->naddresses = dns_addresses(conn->dns, conn->addresses, DNS_MAX_ADDRESSES);
	dns_free(conn->dns);
	conn->dns = NULL;
	connect_next_address(conn);
}

static void
start_attempt(KvConn *conn, int64 now)
{
	const CbSettings *settings = conn->handle->settings;
	int			family = AF_UNSPEC;

	/* Nothing of an earlier connection may be taken for an answer on this one. */
	for (int i = 0; i < conn->nrequests && conn->outstanding > 0; i++)
	{
		if (conn->requests[i].reply != KV_REPLY_FREE)
			free_request(conn, i);
	}
	conn->started = now;
	conn->answered = false;
	conn->deadline = now + settings->node_timeout;
	conn->naddresses = 0;
	conn->next_address = 0;
	conn->lost_address = false;

	if (dns_numeric(conn->host, conn->port, &conn->addresses[0]))
	{
		conn->naddresses = 1;
		connect_next_address(conn);
		return;
	}
	if (settings->ip_family != CB_IP_ANY)
		family = settings->ip_family == CB_IP_V4 ? AF_INET : AF_INET6;
	conn->step = "DNS look-up";
	conn->state = KV_CONN_RESOLVING;
	conn->address_deadline = now + settings->resolve_timeout;
	conn->dns = dns_start(conn->host, conn->port, family, settings->resolve_timeout / 2, settings->dns_servers);
	if (conn->dns == NULL)
		kv_conn_fail(conn, ERRCODE_OUT_OF_MEMORY, false, "the resolver could not be started");
	else if (dns_done(conn->dns))
		resolved(conn);
}

/*
 * Whether a connection that has rested was cut meanwhile: then it is closed before anything is sent, as nobody could
 * tell what became of a write.
 */
static bool
was_cut(KvConn *conn)
{
	if (conn->outstanding > 0 || GetCurrentTimestamp() - conn->last_used_at < RESTED)
		return false;
	if (sock_is_dead(&conn->sock))
		return true;
	conn->last_used_at = GetCurrentTimestamp();
	return false;
}

KvConnState
kv_conn_want(KvConn *conn)
{
	if (conn->state == KV_CONN_READY && was_cut(conn))
	{
		kv_conn_close(conn);
		conn->retry_after = 0;
	}
	if (conn->state == KV_CONN_CLOSED)
	{
		int64		now = wait_now();

		if (now >= conn->retry_after && (conn->handle->insists || !down_blocks(conn)))
			start_attempt(conn, now);
	}
	return conn->state;
}

int64
kv_conn_deadline(const KvConn *conn)
{
	switch (conn->state)
	{
		case KV_CONN_RESOLVING:
			return Min(Min(conn->deadline, conn->address_deadline), dns_deadline(conn->dns));
		case KV_CONN_CONNECTING:
		case KV_CONN_SECURING:
			return Min(conn->deadline, conn->address_deadline);
		case KV_CONN_HANDSHAKE:
			return conn->deadline;
		default:
			return WAIT_FOREVER;
	}
}

void
kv_conn_check_deadline(KvConn *conn, int64 now)
{
	if (conn->state == KV_CONN_CLOSED || conn->state == KV_CONN_READY)
		return;
	if (now >= conn->deadline ||
		(conn->state == KV_CONN_RESOLVING && now >= conn->address_deadline))
		kv_conn_fail(conn, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, false, "no answer in time");
	else if ((conn->state == KV_CONN_CONNECTING || conn->state == KV_CONN_SECURING) && now >= conn->address_deadline)
		address_failed(conn, "no answer in time");
	else if (conn->state == KV_CONN_RESOLVING && now >= dns_deadline(conn->dns))
		kv_conn_step(conn, 0, NULL, 0);
}

void
kv_conn_step(KvConn *conn, uint32 ready, const WaitItem *items, int nitems)
{
	switch (conn->state)
	{
		case KV_CONN_CLOSED:
			break;
		case KV_CONN_RESOLVING:
			dns_step(conn->dns, items, nitems);
			if (dns_done(conn->dns))
				resolved(conn);
			break;
		case KV_CONN_CONNECTING:
			if (ready != 0)
			{
				int			error = sock_connected(&conn->sock);

				if (error != 0)
					address_failed(conn, strerror(error));
				else if (conn->handle->tls != NULL)
					kv_secure_start(conn);
				else
					kv_handshake_start(conn);
			}
			break;
		case KV_CONN_SECURING:
			if (ready != 0)
				kv_secure_step(conn);
			break;
		case KV_CONN_HANDSHAKE:
		case KV_CONN_READY:
			if ((ready & WL_SOCKET_READABLE) || conn->sock.wants_write)
				kv_conn_read(conn);
			if (ready & WL_SOCKET_WRITEABLE)
				kv_conn_flush(conn);
			break;
	}
}

/* ---- requests ---- */

static void
grow_requests(KvConn *conn)
{
	int			old = conn->nrequests;
	int			size = old == 0 ? 64 : old * 2;

	if (size > MAX_REQUESTS)
		elog(ERROR, "too many requests on one connection");
	if (conn->requests == NULL)
		conn->requests = MemoryContextAllocZero(conn->handle->cxt, sizeof(KvRequest) * size);
	else
	{
		conn->requests = repalloc(conn->requests, sizeof(KvRequest) * size);
		memset(conn->requests + old, 0, sizeof(KvRequest) * (size - old));
	}
	conn->nrequests = size;
	for (int i = size - 1; i >= old; i--)
	{
		conn->requests[i].next_free = conn->free_request;
		conn->free_request = i;
	}
}

uint32
kv_conn_request(KvConn *conn, KvOp *op, int item, uint8 opcode, KvReply reply)
{
	KvRequest  *request;
	int			index;

	if (conn->free_request < 0)
		grow_requests(conn);
	index = conn->free_request;
	request = &conn->requests[index];
	conn->free_request = request->next_free;
	request->op = op;
	request->item = item;
	request->opcode = opcode;
	request->reply = reply;
	conn->outstanding++;
	conn->requests_made += reply != KV_REPLY_HANDSHAKE;
	if (reply == KV_REPLY_SCAN || reply == KV_REPLY_STAT)
		conn->streaming++;
	if (op != NULL)
		op->counters->requests++;
	return (uint32) request->generation << 16 | index;
}

void
kv_conn_requested(KvConn *conn, uint32 opaque, CbResult result)
{
	if (result == CB_OK && !conn->out.oom)
	{
		conn->requests[opaque & 0xffff].end = conn->out_base + conn->out.len;
		return;
	}
	free_request(conn, opaque & 0xffff);
	if (result == CB_NOMEM || conn->out.oom)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	elog(ERROR, "request could not be written: %s", cb_result_name(result));
}

void
kv_conn_disown(KvConn *conn, const KvOp *op)
{
	for (int i = 0; i < conn->nrequests; i++)
	{
		if (conn->requests[i].op == op)
			conn->requests[i].op = NULL;
	}
}

/* Why the socket is of no use any more. */
static void
describe_break(const KvConn *conn, KvFailure *failure)
{
	SockFailure reason;

	sock_failure(&conn->sock, &reason);
	kv_secure_failure(conn, &reason, failure);
	if (failure->hint == NULL)
		failure->hint = kv_secure_hint(conn);
}

void
kv_conn_flush(KvConn *conn)
{
	while (conn->out_sent < conn->out.len)
	{
		ssize_t		n = sock_send(&conn->sock, conn->out.data + conn->out_sent, conn->out.len - conn->out_sent);

		if (n == SOCK_AGAIN)
			return;
		if (n < 0)
		{
			KvFailure	failure;

			describe_break(conn, &failure);
			/* Answers that came before the end are answers. */
			while (conn->state == KV_CONN_READY && kv_conn_read(conn))
				;
			if (conn->state != KV_CONN_CLOSED)
				kv_conn_fail_with(conn, &failure);
			return;
		}
		conn->out_sent += n;
		conn->bytes_sent += n;
		conn->last_used_at = GetCurrentTimestamp();
	}
	conn->out_base += conn->out_sent;
	conn->out_sent = 0;
	if (conn->out.cap > KEEP_OUT)
		cb_buf_free(&conn->out);
	else
		cb_buf_reset(&conn->out);
}

/* ---- answers ---- */

static bool
is_final(const KvRequest *request, const CbPacket *packet)
{
	if (request->reply == KV_REPLY_SCAN)
		return packet->status != CB_STATUS_SUCCESS;
	if (request->reply == KV_REPLY_STAT)
		return packet->status != CB_STATUS_SUCCESS || packet->key.len == 0;
	return true;
}

static void
take_answer(KvConn *conn, const CbPacket *packet)
{
	int			index = packet->opaque & 0xffff;
	KvRequest  *request;
	KvReply		reply;
	int			item;

	/* Not asked for, so of no use: configs are looked for when one is needed. */
	if (packet->server_request)
		return;
	if (index >= conn->nrequests ||
		(request = &conn->requests[index])->reply == KV_REPLY_FREE ||
		request->generation != packet->opaque >> 16 ||
		request->opcode != packet->opcode)
	{
		kv_conn_fail(conn, ERRCODE_PROTOCOL_VIOLATION, false,
					 "an answer (opcode %02x, opaque %08x) to a request that was not made",
					 packet->opcode, packet->opaque);
		return;
	}

	reply = request->reply;
	item = request->item;
	switch (reply)
	{
		case KV_REPLY_HANDSHAKE:
			free_request(conn, index);
			kv_handshake_answer(conn, packet);
			break;
		case KV_REPLY_CONFIG:
			free_request(conn, index);
			topology_answer(conn, packet);
			break;
		case KV_REPLY_PING:
			free_request(conn, index);
			kv_ping_answer(conn, item, packet);
			break;
		case KV_REPLY_COLLECTION:
			free_request(conn, index);
			collection_answer(conn, item, packet);
			break;
		default:
			{
				bool		final = is_final(request, packet);

				if (request->op != NULL)
					kv_op_deliver(request->op, item, conn, conn->in, packet, final);
				else if (packet->opcode == CB_OP_RANGE_SCAN_CREATE && packet->status == CB_STATUS_SUCCESS &&
						 packet->value.len == CB_SCAN_ID_SIZE)
					handle_leave_scan(conn->handle, request->vbucket, packet->value.data);
				if (final)
					free_request(conn, index);
			}
			break;
	}
	if (conn->retired && conn->outstanding == 0 && conn->state == KV_CONN_READY)
		kv_conn_close(conn);
}

/* Makes sure that the block can take the rest of a packet of this size, and that reading is worth while. */
static void
make_room(KvConn *conn, size_t need)
{
	KvBlock    *block = conn->in;
	size_t		partial = block->filled - conn->in_parsed;
	KvBlock    *fresh;

	if (conn->in_parsed + need <= block->capacity && block->capacity - block->filled >= MIN_READ)
		return;
	if (need <= block->capacity && block->refs == 1)
	{
		memmove(block->data, block->data + conn->in_parsed, partial);
		block->filled = partial;
		conn->in_parsed = 0;
		return;
	}
	fresh = block_get(conn->handle, need + MIN_READ);
	memcpy(fresh->data, block->data + conn->in_parsed, partial);
	fresh->filled = partial;
	conn->in = fresh;
	conn->in_parsed = 0;
	kv_block_release(conn->handle, block);
}

static void
not_the_protocol(KvConn *conn, CbResult result)
{
	const uint8 *bytes = conn->in->data + conn->in_parsed;
	KvFailure	failure;

	kv_failure_set(&failure, ERRCODE_PROTOCOL_VIOLATION, false, conn->step, "%s",
				   result == CB_LIMIT ? "an answer longer than the protocol allows"
				   : "an answer that is not Couchbase's protocol");
	kv_secure_other_protocol(conn, bytes, conn->in->filled - conn->in_parsed, &failure);
	kv_conn_fail_with(conn, &failure);
}

static void
take_packets(KvConn *conn)
{
	while (conn->in != NULL)
	{
		KvBlock    *block = conn->in;
		CbPacket	packet;
		size_t		need = CB_KV_HEADER_SIZE;
		CbResult	result;

		if (block->refs == 1 && conn->in_parsed == block->filled)
			conn->in_parsed = block->filled = 0;
		result = cb_packet_read(cb_span(block->data + conn->in_parsed, block->filled - conn->in_parsed),
								CB_KV_DEFAULT_LIMIT, &packet, &need);
		if (result == CB_NEED_MORE)
		{
			make_room(conn, need);
			return;
		}
		if (result != CB_OK)
		{
			not_the_protocol(conn, result);
			return;
		}
		take_answer(conn, &packet);
		if (conn->in == block)
			conn->in_parsed += packet.size;
	}
}

bool
kv_conn_read(KvConn *conn)
{
	KvBlock    *block = conn->in;
	ssize_t		n;

	if (conn->state != KV_CONN_READY && conn->state != KV_CONN_HANDSHAKE)
		return false;
	if (block == NULL)
	{
		block = conn->in = block_get(conn->handle, BLOCK_SIZE);
		conn->in_parsed = 0;
	}
	n = sock_recv(&conn->sock, block->data + block->filled, block->capacity - block->filled);
	if (n == SOCK_AGAIN)
		return false;
	if (n < 0)
	{
		bool		partial = block->filled > conn->in_parsed;
		KvFailure	failure;

		if (n == SOCK_ERROR)
			describe_break(conn, &failure);
		else
		{
			kv_failure_set(&failure, partial ? ERRCODE_PROTOCOL_VIOLATION : ERRCODE_CONNECTION_FAILURE, false,
						   conn->step, "the node closed the connection%s",
						   partial ? " in the middle of an answer" : "");
			failure.hint = partial ? NULL : kv_secure_hint(conn);
		}
		kv_conn_fail_with(conn, &failure);
		return true;
	}
	block->filled += n;
	conn->answered = true;
	conn->bytes_received += n;
	conn->last_used_at = GetCurrentTimestamp();
	if (conn->handle->counters != NULL)
		conn->handle->counters->bytes_received += n;
	take_packets(conn);
	conn->heard = conn->handle->waited;
	return true;
}
