/*
 * http.c
 *		The HTTP client of a handle: its nodes, its sockets, and its part in waiting.
 *
 * libcurl calls back while it works: those functions neither throw nor allocate in memory contexts.
 */
#include "postgres.h"

#include "http_internal.h"
#include "miscadmin.h"
#include "storage/fd.h"

/* Addresses of a name are good for so long. */
#define ADDRESSES_FRESH		INT64CONST(30000000)
/* Idle connections that libcurl keeps at most. */
#define IDLE_CONNECTIONS	8L

static uint32 wait_event_connect = 0;
static uint32 wait_event_answer = 0;

/* ---- libcurl's sockets and timer ---- */

static HttpSocket *
find_socket(HttpClient *client, curl_socket_t fd)
{
	for (int i = 0; i < client->nsockets; i++)
	{
		if (client->sockets[i].fd == fd)
			return &client->sockets[i];
	}
	return NULL;
}

static HttpSocket *
add_socket(HttpClient *client, curl_socket_t fd)
{
	HttpSocket *sock;

	if (client->nsockets == client->sockets_capacity)
	{
		int			capacity = Max(client->sockets_capacity * 2, 8);
		HttpSocket *sockets = realloc(client->sockets, sizeof(HttpSocket) * capacity);

		if (sockets == NULL)
			return NULL;
		client->sockets = sockets;
		client->sockets_capacity = capacity;
	}
	sock = &client->sockets[client->nsockets++];
	sock->fd = fd;
	sock->serial = wait_serial();
	sock->events = 0;
	return sock;
}

static int
cbconnHttpSocket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
	HttpClient *client = arg;
	HttpSocket *sock = find_socket(client, fd);

	if (what == CURL_POLL_REMOVE)
	{
		if (sock != NULL)
			*sock = client->sockets[--client->nsockets];
		return 0;
	}
	if (sock == NULL)
		sock = add_socket(client, fd);
	if (sock == NULL)
	{
		client->lost_socket = true;
		return 0;
	}
	sock->events = (what & CURL_POLL_IN ? WL_SOCKET_READABLE : 0) | (what & CURL_POLL_OUT ? WL_SOCKET_WRITEABLE : 0);
	return 0;
}

static int
cbconnHttpTimer(CURLM *multi, long ms, void *arg)
{
	HttpClient *client = arg;

	client->timer = ms < 0 ? WAIT_FOREVER : wait_now() + (int64) ms * 1000;
	return 0;
}

/* ---- making and unmaking ---- */

static void
out_of_memory(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory")));
}

/* libcurl's own process-wide state: made by the first request of a backend, never undone. */
static void
set_up_library(void)
{
	static bool done = false;

	if (!done && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("could not initialize libcurl")));
	done = true;
}

static HttpClient *
make_client(ClusterHandle *handle)
{
	HttpClient *client;

	set_up_library();
	client = calloc(1, sizeof(HttpClient));
	if (client == NULL)
		out_of_memory();
	client->handle = handle;
	client->pid = MyProcPid;
	client->timer = WAIT_FOREVER;
	dlist_init(&client->transfers);
	handle->http = client;
	client->waitset = wait_set_create(handle->cxt);
	/* A pair of sockets by which libcurl could be woken up. */
	while (client->own_fds < 2 && AcquireExternalFD())
		client->own_fds++;
	if (client->own_fds == 2)
		client->multi = curl_multi_init();
	if (client->multi == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not set up an HTTP client"),
				 errdetail("The backend is out of memory or has too many files open.")));
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, cbconnHttpSocket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, cbconnHttpTimer);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, IDLE_CONNECTIONS);
	return client;
}

static HttpClient *
client_of(ClusterHandle *handle)
{
	if (handle->http != NULL && handle->http->multi == NULL)
	{
		http_client_free(handle->http);
		handle->http = NULL;
	}
	if (handle->http == NULL)
		return make_client(handle);
	Assert(handle->http->pid == MyProcPid);
	return handle->http;
}

static void
free_peer(HttpPeer *peer)
{
	if (peer->dns != NULL)
		dns_free(peer->dns);
	free(peer->host);
	free(peer->name);
	free(peer);
}

void
http_client_free(HttpClient *client)
{
	if (client == NULL || client->pid != MyProcPid)
		return;
	while (!dlist_is_empty(&client->transfers))
		http_transfer_free(dlist_container(HttpTransfer, node, dlist_head_node(&client->transfers)));
	if (client->multi != NULL)
		curl_multi_cleanup(client->multi);
	while (client->own_fds-- > 0)
		ReleaseExternalFD();
	while (client->peers != NULL)
	{
		HttpPeer   *peer = client->peers;

		client->peers = peer->next;
		free_peer(peer);
	}
	free(client->sockets);
	free(client);
}

/* ---- nodes ---- */

static HttpPeer *
find_peer(HttpClient *client, const char *host, uint16 port)
{
	size_t		len = strlen(host);
	HttpPeer   *peer;
	bool		v6 = strchr(host, ':') != NULL;

	if (len > 1 && host[len - 1] == '.')
		len--;
	for (peer = client->peers; peer != NULL; peer = peer->next)
	{
		if (peer->port == port && strlen(peer->host) == len && pg_strncasecmp(peer->host, host, len) == 0)
			return peer;
	}
	peer = calloc(1, sizeof(HttpPeer));
	if (peer == NULL)
		out_of_memory();
	peer->client = client;
	peer->port = port;
	peer->next = client->peers;
	client->peers = peer;
	peer->name = malloc(len + 16);
	peer->host = strndup(host, len);
	if (peer->host == NULL || peer->name == NULL)
	{
		client->peers = peer->next;
		free_peer(peer);
		out_of_memory();
	}
	snprintf(peer->name, len + 16, v6 ? "[%s]:%u" : "%s:%u", peer->host, port);
	peer->numeric = dns_numeric(peer->host, port, &peer->addresses[0]);
	return peer;
}

/* Names that would mean something else within a URL than a host. */
static bool
is_host_name(const HttpPeer *peer)
{
	for (const char *c = peer->host; *c != '\0' && !peer->numeric; c++)
	{
		if (!isalnum((unsigned char) *c) && strchr("-._", *c) == NULL)
			return false;
	}
	return peer->host[0] != '\0';
}

static void
find_addresses(HttpPeer *peer, HttpTransfer *transfer)
{
	const CbSettings *settings = peer->client->handle->settings;
	int			family = settings->ip_family == CB_IP_V4 ? AF_INET
		: settings->ip_family == CB_IP_V6 ? AF_INET6 : AF_UNSPEC;
	int64		now = wait_now();

	if (peer->dns != NULL)
		return;
	if (peer->numeric || (peer->resolved != 0 && now - peer->resolved < ADDRESSES_FRESH))
	{
		http_transfer_resolved(transfer);
		return;
	}
	peer->dns_deadline = now + settings->resolve_timeout;
	peer->dns = dns_start(peer->host, peer->port, family, settings->resolve_timeout / 2, settings->dns_servers);
	if (peer->dns == NULL)
		http_transfer_fail(transfer, ERRCODE_OUT_OF_MEMORY, false, "DNS look-up", "the resolver could not be started");
}

/* The look-up is over, one way or the other: all who wait for it go on. */
static void
end_look_up(HttpPeer *peer, bool in_time)
{
	dlist_mutable_iter iter;
	const char *why = in_time ? dns_failure(peer->dns) : "no answer in time";

	peer->naddresses = in_time ? dns_addresses(peer->dns, peer->addresses, DNS_MAX_ADDRESSES) : 0;
	peer->resolved = peer->naddresses > 0 ? wait_now() : 0;
	dlist_foreach_modify(iter, &peer->client->transfers)
	{
		HttpTransfer *transfer = dlist_container(HttpTransfer, node, iter.cur);

		if (transfer->peer != peer || transfer->state != HTTP_RESOLVING)
			continue;
		if (peer->naddresses > 0)
			http_transfer_resolved(transfer);
		else
			http_transfer_fail(transfer, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, false, "DNS look-up",
							   "%s", why ? why : "the name has no address");
	}
	dns_free(peer->dns);
	peer->dns = NULL;
}

static void
check_look_up(HttpPeer *peer)
{
	if (peer->dns != NULL && dns_done(peer->dns))
		end_look_up(peer, true);
	else if (peer->dns != NULL && wait_now() >= peer->dns_deadline)
		end_look_up(peer, false);
}

HttpTransfer *
http_start(ClusterHandle *handle, const HttpRequest *request)
{
	HttpClient *client = client_of(handle);
	HttpPeer   *peer = find_peer(client, request->host, request->port);
	HttpTransfer *transfer = http_transfer_make(client, peer, request);

	if (!is_host_name(peer))
		http_transfer_fail(transfer, ERRCODE_FDW_ERROR, false, "DNS look-up", "the node's address is not a host name");
	else
	{
		find_addresses(peer, transfer);
		check_look_up(peer);
	}
	return transfer;
}

const char *
http_node(const HttpTransfer *transfer)
{
	return transfer->peer->name;
}

/* ---- waiting ---- */

static WaitItem *
room_for_items(HttpClient *client, int nitems)
{
	if (nitems > client->items_capacity)
	{
		int			capacity = Max(nitems * 2, 16);

		if (client->items == NULL)
			client->items = MemoryContextAlloc(client->handle->cxt, sizeof(WaitItem) * capacity);
		else
			client->items = repalloc(client->items, sizeof(WaitItem) * capacity);
		client->items_capacity = capacity;
	}
	return client->items;
}

/* Adds what is waited for; lowers the deadline to what asks to be called before. */
static int
add_items(HttpClient *client, int64 *deadline)
{
	int			nitems = 0;

	for (HttpPeer *peer = client->peers; peer != NULL; peer = peer->next)
	{
		peer->nitems = 0;
		if (peer->dns == NULL)
			continue;
		peer->first_item = nitems;
		peer->nitems = dns_wait_items(peer->dns, room_for_items(client, nitems + DNS_MAX_SOCKETS) + nitems);
		nitems += peer->nitems;
		*deadline = Min(*deadline, Min(peer->dns_deadline, dns_deadline(peer->dns)));
	}
	for (int i = 0; i < client->nsockets; i++)
	{
		WaitItem   *item = room_for_items(client, nitems + 1) + nitems;

		if (client->sockets[i].events == 0)
			continue;
		item->fd = client->sockets[i].fd;
		item->serial = client->sockets[i].serial;
		item->events = client->sockets[i].events;
		item->ready = 0;
		nitems++;
	}
	*deadline = Min(*deadline, client->timer);
	return nitems;
}

static void
step_look_ups(HttpClient *client)
{
	for (HttpPeer *peer = client->peers; peer != NULL; peer = peer->next)
	{
		if (peer->dns == NULL)
			continue;
		dns_step(peer->dns, &client->items[peer->first_item], peer->nitems);
		check_look_up(peer);
	}
}

/* Tells libcurl what happened. Sockets that one call closes are not ready any more for the next. */
static void
step_sockets(HttpClient *client, int first, int nitems)
{
	int			running;

	for (int i = first; i < nitems; i++)
	{
		const WaitItem *item = &client->items[i];
		const HttpSocket *sock = item->ready == 0 ? NULL : find_socket(client, item->fd);

		if (sock == NULL || sock->serial != item->serial)
			continue;
		curl_multi_socket_action(client->multi, item->fd,
								 (item->ready & WL_SOCKET_READABLE ? CURL_CSELECT_IN : 0) |
								 (item->ready & WL_SOCKET_WRITEABLE ? CURL_CSELECT_OUT : 0), &running);
	}
	if (client->timer <= wait_now())
	{
		client->timer = WAIT_FOREVER;
		curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
}

static void
take_messages(HttpClient *client)
{
	CURLMsg    *message;
	int			left;

	while ((message = curl_multi_info_read(client->multi, &left)) != NULL)
	{
		HttpTransfer *transfer = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		http_transfer_finished(transfer, message->data.result);
	}
	if (client->lost_socket)
		out_of_memory();
}

static bool
is_connecting(HttpClient *client)
{
	dlist_iter	iter;

	dlist_foreach(iter, &client->transfers)
	{
		if (dlist_container(HttpTransfer, node, iter.cur)->state <= HTTP_CONNECTING)
			return true;
	}
	return false;
}

void
http_wait(ClusterHandle *handle, int64 deadline)
{
	HttpClient *client = handle->http;
	dlist_iter	iter;
	int			first = 0;
	int			nitems;

	dlist_foreach(iter, &client->transfers)
	{
		if (http_transfer_resume(dlist_container(HttpTransfer, node, iter.cur)))
			deadline = 0;
	}
	nitems = add_items(client, &deadline);
	for (HttpPeer *peer = client->peers; peer != NULL; peer = peer->next)
		first += peer->nitems;
	(void) wait_for(client->waitset, client->items, nitems, deadline,
					is_connecting(client) ? compat_wait_event(&wait_event_connect, "CbconnQueryConnect")
					: compat_wait_event(&wait_event_answer, "CbconnQuery"));
	step_look_ups(client);
	step_sockets(client, first, nitems);
	take_messages(client);
}
