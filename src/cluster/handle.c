/*
 * handle.c
 *		Making and unmaking a handle, and the one loop that waits for all its connections.
 */
#include "postgres.h"

#include "config_cache.h"
#include "handle.h"
#include "http.h"
#include "miscadmin.h"
#include "op.h"
#include "utils/memutils.h"

static uint32 wait_event_answer = 0;
static uint32 wait_event_connect = 0;

/* Whatever the way out, what is not memory of the context goes here (W3). */
static void
on_context_reset(void *arg)
{
	ClusterHandle *handle = arg;

	for (int i = 0; i < handle->nconns; i++)
		kv_conn_close(handle->conns[i]);
	seeds_forget(handle);
	query_detach_all(handle);
	http_client_free(handle->http);
	tls_context_free(handle->tls);
	cb_config_free(handle->config);
	cb_settings_free(handle->settings);
	cb_connstr_free(handle->connstr);
	cb_buf_free(&handle->error_map);
	cb_buf_free(&handle->scratch);
	cb_scram_cache_clear(&handle->scram);
	if (handle->password != NULL)
		explicit_bzero(handle->password, strlen(handle->password));
}

static void
take_credentials(ClusterHandle *handle, const ClusterTarget *target)
{
	if (target->username != NULL)
	{
		handle->username = pstrdup(target->username);
		handle->password = pstrdup(target->password ? target->password : "");
	}
}

/* Nothing of OpenSSL yet: the files are read by the first connection (P1). */
static void
set_up_tls(ClusterHandle *handle, const ClusterTarget *target)
{
	const CbSettings *settings = handle->settings;
	TlsOptions	options;

	if (!settings->tls)
	{
		if (target->cert_file != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
					 errmsg("the client certificate of the user mapping for server \"%s\" needs TLS",
							handle->servername),
					 errhint("Use couchbases:// in the connection string.")));
		return;
	}
	options.verify = settings->tls_verify != CB_TLS_VERIFY_NONE;
	options.only_v1_3 = settings->tls_disable_v1_2;
	options.ca_file = settings->tls_ca_file;
	options.cert_file = target->cert_file ? target->cert_file : settings->tls_cert_file;
	options.key_file = target->cert_file ? target->key_file : settings->tls_key_file;
	options.ciphers = settings->tls_ciphers;
	options.ciphersuites = settings->tls_ciphersuites;
	handle->has_certificate = options.cert_file != NULL;
	handle->tls = tls_context_create(&options);
	if (handle->tls == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
}

/*
 * A handle for the target, in a context of its own below CacheMemoryContext. Opens nothing; throws for connection
 * strings that are wrong or ask for what is not done.
 */
ClusterHandle *
handle_create(const ClusterTarget *target)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "cbconn_fdw handle", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	ClusterHandle *handle = palloc0(sizeof(ClusterHandle));
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));

	handle->cxt = cxt;
	dlist_init(&handle->ops);
	dlist_init(&handle->queries);
	callback->func = on_context_reset;
	callback->arg = handle;
	MemoryContextRegisterResetCallback(cxt, callback);

	handle->waited = 1;
	handle->umid = target->umid;
	handle->serverid = target->serverid;
	handle->userid = target->userid;
	handle->keep = target->keep_connections;
	handle->idle_timeout = target->idle_timeout;
	handle->servername = pstrdup(target->servername);
	handle->bucket = pstrdup(target->bucket);
	handle_parse_connection_string(handle, target->connection_string);
	handle->slow.threshold = target->slow_kv >= 0 ? target->slow_kv : handle->settings->slow_kv;
	take_credentials(handle, target);
	set_up_tls(handle, target);
	config_cache_init(handle);
	handle->waitset = wait_set_create(cxt);
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(cxt, CacheMemoryContext);
	return handle;
}

void
handle_destroy(ClusterHandle *handle)
{
	MemoryContextDelete(handle->cxt);
}

void
handle_close_connections(ClusterHandle *handle)
{
	for (int i = 0; i < handle->nconns; i++)
		kv_conn_close(handle->conns[i]);
}

bool
handle_spare_connection(ClusterHandle *handle)
{
	KvConn	   *spare = NULL;

	for (int i = 0; i < handle->nconns; i++)
	{
		KvConn	   *conn = handle->conns[i];

		if (conn->state == KV_CONN_READY && conn->outstanding == 0 && conn->out_sent == conn->out.len &&
			(spare == NULL || conn->last_used_at < spare->last_used_at))
			spare = conn;
	}
	if (spare != NULL)
		kv_conn_close(spare);
	return spare != NULL;
}

/* The connection object for an address, made on first use. */
KvConn *
handle_conn(ClusterHandle *handle, const char *host, uint16 port)
{
	for (int i = 0; i < handle->nconns; i++)
	{
		KvConn	   *conn = handle->conns[i];

		if (conn->port == port && pg_strcasecmp(conn->host, host) == 0)
			return conn;
	}
	if (handle->nconns == handle->conns_capacity)
	{
		int			capacity = Max(handle->conns_capacity * 2, 8);

		if (handle->conns == NULL)
			handle->conns = MemoryContextAlloc(handle->cxt, sizeof(KvConn *) * capacity);
		else
			handle->conns = repalloc(handle->conns, sizeof(KvConn *) * capacity);
		handle->conns_capacity = capacity;
	}
	handle->conns[handle->nconns] = kv_conn_create(handle, host, port);
	return handle->conns[handle->nconns++];
}

/* ---- scans left open ---- */

void
handle_leave_scan(ClusterHandle *handle, uint16 vbucket, const uint8 *id)
{
	KvOpenScan *scan;

	/* The node ends what is not cancelled after some minutes. */
	if (handle->nopen_scans == KV_MAX_OPEN_SCANS)
		return;
	scan = &handle->open_scans[handle->nopen_scans++];
	scan->vbucket = vbucket;
	memcpy(scan->id, id, CB_SCAN_ID_SIZE);
}

void
handle_cancel_scans(ClusterHandle *handle)
{
	int			kept = 0;

	if (handle->config == NULL)
		return;
	for (int i = 0; i < handle->nopen_scans; i++)
	{
		KvOpenScan *scan = &handle->open_scans[i];
		KvConn	   *conn = topology_conn(handle, scan->vbucket);
		uint32		opaque;

		if (conn == NULL || conn->state != KV_CONN_READY)
		{
			handle->open_scans[kept++] = *scan;
			continue;
		}
		opaque = kv_conn_request(conn, NULL, 0, CB_OP_RANGE_SCAN_CANCEL, KV_REPLY_ONE);
		kv_conn_requested(conn, opaque, cb_kv_scan_cancel(&conn->out, opaque, scan->vbucket, scan->id));
	}
	handle->nopen_scans = kept;
}

/* ---- waiting ---- */

/* Connections with several answers to come probably have some already; others may hold some that no wait tells of. */
static bool
read_early(ClusterHandle *handle, bool eager)
{
	bool		any = false;

	for (int i = 0; i < handle->nconns; i++)
	{
		KvConn	   *conn = handle->conns[i];

		if ((eager && conn->state == KV_CONN_READY && (conn->outstanding > 1 || conn->streaming > 0)) ||
			(conn->state >= KV_CONN_HANDSHAKE && sock_pending(&conn->sock)))
			any |= kv_conn_read(conn);
	}
	return any;
}

static WaitItem *
room_for_items(ClusterHandle *handle, int nitems)
{
	if (nitems > handle->items_capacity)
	{
		int			capacity = Max(nitems * 2, 16);

		if (handle->items == NULL)
			handle->items = MemoryContextAlloc(handle->cxt, sizeof(WaitItem) * capacity);
		else
			handle->items = repalloc(handle->items, sizeof(WaitItem) * capacity);
		handle->items_capacity = capacity;
	}
	return handle->items;
}

/* Adds what a connection waits for; returns the new number of items. */
static int
add_items(ClusterHandle *handle, KvConn *conn, int nitems)
{
	WaitItem   *items = room_for_items(handle, nitems + DNS_MAX_SOCKETS);
	WaitItem   *item = &items[nitems];

	conn->first_item = nitems;
	conn->nitems = 0;
	if (conn->state == KV_CONN_RESOLVING)
		conn->nitems = dns_wait_items(conn->dns, item);
	else if (conn->state != KV_CONN_CLOSED)
	{
		item->fd = conn->sock.fd;
		item->serial = conn->sock.serial;
		item->ready = 0;
		item->events = conn->state == KV_CONN_CONNECTING || conn->sock.wants_write ? WL_SOCKET_WRITEABLE
			: WL_SOCKET_READABLE;
		if (conn->state >= KV_CONN_HANDSHAKE)
			item->events |= WL_SOCKET_READABLE | (conn->out_sent < conn->out.len ? WL_SOCKET_WRITEABLE : 0);
		conn->nitems = 1;
	}
	return nitems + conn->nitems;
}

/* The same for an SRV look-up. */
static int
add_srv_items(ClusterHandle *handle, int nitems)
{
	WaitItem   *items = room_for_items(handle, nitems + DNS_MAX_SOCKETS);

	handle->srv_first_item = nitems;
	handle->srv_nitems = dns_wait_items(handle->srv, &items[nitems]);
	return nitems + handle->srv_nitems;
}

static void
step_srv(ClusterHandle *handle)
{
	WaitItem   *items = &handle->items[handle->srv_first_item];
	bool		any = false;

	for (int i = 0; i < handle->srv_nitems; i++)
		any |= items[i].ready != 0;
	if (any && !dns_done(handle->srv))
		seeds_step(handle, items, handle->srv_nitems);
	seeds_check_deadline(handle, wait_now());
}

static void
step_connections(ClusterHandle *handle, bool connecting)
{
	/* Connections made on the way have no items in this wait. */
	int			nconns = handle->nconns;

	for (int i = 0; i < nconns; i++)
	{
		KvConn	   *conn = handle->conns[i];
		WaitItem   *items = &handle->items[conn->first_item];

		if (conn->nitems == 0 || conn->state == KV_CONN_CLOSED)
			continue;
		if (conn->state == KV_CONN_RESOLVING)
		{
			bool		any = false;

			for (int j = 0; j < conn->nitems; j++)
				any |= items[j].ready != 0;
			if (any)
				kv_conn_step(conn, 0, items, conn->nitems);
		}
		else if (items[0].ready != 0 && items[0].serial == conn->sock.serial)
			kv_conn_step(conn, items[0].ready, NULL, 0);
	}
	if (connecting)
	{
		int64		now = wait_now();

		for (int i = 0; i < handle->nconns; i++)
			kv_conn_check_deadline(handle->conns[i], now);
	}
}

void
handle_wait(ClusterHandle *handle, int64 deadline, bool eager, ClusterCounters *counters)
{
	bool		connecting = false;
	int			nitems = 0;
	int64		started;

	handle->counters = counters;
	for (int i = 0; i < handle->nconns; i++)
	{
		KvConn	   *conn = handle->conns[i];

		if (conn->state >= KV_CONN_HANDSHAKE && conn->out_sent < conn->out.len)
			kv_conn_flush(conn);
	}
	if (read_early(handle, eager))
	{
		CHECK_FOR_INTERRUPTS();
		return;
	}
	for (int i = 0; i < handle->nconns; i++)
	{
		KvConn	   *conn = handle->conns[i];

		nitems = add_items(handle, conn, nitems);
		if (conn->state != KV_CONN_CLOSED && conn->state != KV_CONN_READY)
		{
			connecting = true;
			deadline = Min(deadline, kv_conn_deadline(conn));
		}
	}
	if (handle->srv != NULL)
	{
		connecting = true;
		deadline = Min(deadline, seeds_deadline(handle));
		nitems = add_srv_items(handle, nitems);
	}
	if (counters != NULL)
		counters->round_trips++;
	started = wait_now();
	(void) wait_for(handle->waitset, handle->items, nitems, deadline,
					connecting ? compat_wait_event(&wait_event_connect, "CbconnConnect")
					: compat_wait_event(&wait_event_answer, "CbconnAnswer"));
	handle->waited += wait_now() - started;
	step_connections(handle, connecting);
	if (handle->srv != NULL)
		step_srv(handle);
}
